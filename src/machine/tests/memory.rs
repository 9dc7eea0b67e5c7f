//! The memory there is, divided: whatever a program fills it with, all that the machine takes stays
//! within the bound, and what it makes later takes the place of what it made first.

use super::*;
use crate::machine::op::Fault;

/// Bytes of memory of the machines here, as in a small container.
const MEMORY: u64 = 64 << 20;

fn machine() -> Box<Machine> {
    let options = Options {
        memory: MEMORY,
        ..Options::default()
    };
    Machine::new(options, &ENGINE).expect("memory")
}

impl Machine {
    /// Bytes taken, with the stack as if it were full. Rust's tables are not counted in tests.
    fn taken(&mut self) -> u64 {
        let arena = self.arena.set_budget(u64::MAX) - self.heap.fixed().bytes();
        self.divide_memory();
        self.stack_bytes() + self.heap.footprint() + self.heap.fixed().bytes() + arena
    }

    /// Puts something made by `make` before the list on top of the stack.
    fn cons(&mut self, make: fn(&mut Machine) -> Result<Value, Fault>) -> Result<(), Fault> {
        let item = make(self)?;
        self.push(item);
        let reserved = self.reserve(4);
        let parts = [self.top(0), self.top(1)];
        let cell = reserved.and_then(|()| self.build_row(|| parts));
        self.drop_top(1);
        self.set_top(0, cell?);
        Ok(())
    }

    /// Makes a list of so many things, or as many as there is memory for. Their number.
    fn fill(&mut self, make: fn(&mut Machine) -> Result<Value, Fault>, most: u64) -> u64 {
        self.drop_to(0);
        self.push(Value::ZERO);
        let (mut made, mut last) = (0, self.heap.counters().collections);
        while made < most {
            match self.cons(make) {
                Ok(()) => made += 1,
                Err(fault) => {
                    assert_eq!(fault, Fault::MEMORY);
                    break;
                }
            }
            let collections = self.heap.counters().collections;
            if made.is_multiple_of(1000) || collections != last {
                last = collections;
                assert!(self.taken() <= MEMORY, "{} bytes taken", self.taken());
            }
        }
        assert!(self.taken() <= MEMORY, "{} bytes taken", self.taken());
        made
    }
}

fn cell(_: &mut Machine) -> Result<Value, Fault> {
    Ok(Value::ONE)
}

fn pin(m: &mut Machine) -> Result<Value, Fault> {
    m.push(Value::direct(5));
    let pin = m.build_pin(m.top_args());
    m.drop_top(1);
    pin
}

fn large_pin(m: &mut Machine) -> Result<Value, Fault> {
    let natural = m.build_nat(900, |limbs| limbs[899] = 1)?;
    m.push(natural);
    let pin = m.pin_top().map(|()| m.top(0)).map_err(|_| Fault::MEMORY);
    m.drop_top(1);
    pin
}

fn long(m: &mut Machine) -> Result<Value, Fault> {
    m.build_nat(5000, |limbs| limbs[4999] = 1)
}

fn buffer(m: &mut Machine) -> Result<Value, Fault> {
    m.new_buffer(1000)
}

/// Each kind fills at least a sixth of the memory, also after any other has filled it.
#[test]
fn each_kind_of_data_may_fill_the_memory_after_any_other() {
    type Make = fn(&mut Machine) -> Result<Value, Fault>;
    let kinds: [(Make, u64); 5] = [
        (cell, 32),
        (pin, 80),
        (large_pin, 7200),
        (long, 40_000),
        (buffer, 8000),
    ];
    let mut m = machine();
    for first in kinds {
        for (make, bytes) in kinds {
            m.fill(first.0, u64::MAX);
            let made = m.fill(make, u64::MAX);
            assert!(made * bytes > MEMORY / 6, "{made} of {bytes} bytes");
        }
    }
}

/// Pins that nothing refers to give way to a heap that grows.
#[test]
fn garbage_in_the_arena_does_not_keep_the_heap_small() {
    let mut m = machine();
    for _ in 0..20 {
        for _ in 0..1000 {
            pin(&mut m).expect("memory");
            large_pin(&mut m).expect("memory");
        }
        let cells = MEMORY / 6 / 32;
        assert_eq!(m.fill(cell, cells), cells);
    }
}

/// What an operation needs for a moment is asked for before it is needed.
#[test]
fn temporary_memory_is_granted_only_if_it_is_there() {
    let mut m = machine();
    assert_eq!(m.check_scratch(MEMORY as usize / 2), Ok(()));
    assert_eq!(m.check_scratch(MEMORY as usize), Err(Fault::MEMORY));
    m.fill(long, u64::MAX);
    assert_eq!(m.check_scratch(MEMORY as usize / 2), Err(Fault::MEMORY));
    m.drop_to(0);
    m.collect().expect("memory");
    assert_eq!(m.check_scratch(MEMORY as usize / 2), Ok(()));
    // A heap that grows leaves it alone.
    m.fill(cell, 300_000);
    m.collect().expect("memory");
    assert!(m.taken() <= MEMORY);
}
