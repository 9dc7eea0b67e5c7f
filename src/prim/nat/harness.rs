//! Runs operations on a real machine beside models on `num-bigint`, for the tests of this room.
//!
//! Invariants:
//! - Every operand of a natural is tried as an ordinary natural and as a buffer of those bytes.
//! - Every natural that comes back is canonical, and a buffer only where the test allows it.
//! - The numbers drawn are at most 3,000 or at least 2^40: between them lie shifts and powers whose
//!   results are possible but fill the memory.

use crate::machine::{Machine, Options, Stop};
use crate::prim::ENGINE;
use crate::value::{MAX_DIRECT, Value};
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;

/// An operand to push.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A natural in its ordinary form.
    Nat(BigUint),
    /// A buffer of these bytes, with this many zero bytes behind them.
    Buffer(BigUint, usize),
    /// A pin, which counts as 0.
    Pin,
}

impl Operand {
    /// The natural the operation is to see.
    pub fn number(&self) -> BigUint {
        match self {
            Operand::Nat(n) | Operand::Buffer(n, _) => n.clone(),
            Operand::Pin => BigUint::zero(),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A natural.
    Nat(BigUint),
    /// A closure of naturals: head and arguments.
    Row(BigUint, Vec<BigUint>),
    /// A pin.
    Pin,
    /// A VM error: its kind and detail.
    Fault(String, u64),
}

/// The natural `n` as an outcome.
pub fn nat(n: u64) -> Outcome {
    Outcome::Nat(n.into())
}

/// A VM error as an outcome.
pub fn fault(kind: &str, detail: u64) -> Outcome {
    Outcome::Fault(kind.into(), detail)
}

/// The natural 2^n.
pub fn power(n: u32) -> BigUint {
    BigUint::from(2u8).pow(n)
}

/// The value of a natural.
pub fn number(v: Value) -> BigUint {
    let mut space = [0];
    let limbs = v.limbs(&mut space);
    let halves = limbs
        .iter()
        .flat_map(|limb| [*limb as u32, (limb >> 32) as u32]);
    BigUint::new(halves.collect())
}

fn limbs(n: &BigUint) -> Vec<u64> {
    n.iter_u64_digits().collect()
}

/// A machine with the pins of `<0>` to `<20>` at the bottom of its stack.
pub struct Rig {
    /// The machine.
    pub m: Box<Machine>,
    pins: usize,
}

impl Rig {
    /// A rig; in stress mode every reserve collects and moves everything.
    pub fn new(stress: bool) -> Rig {
        let options = Options {
            stress,
            verify: stress,
            ..Options::default()
        };
        let mut m = Machine::new(options, &ENGINE).expect("a machine starts");
        for k in 0..=20 {
            m.push_nat(&[k]).unwrap();
            m.pin_top().unwrap();
        }
        let pins = m.depth();
        Rig { m, pins }
    }

    /// Pushes an operand.
    pub fn push(&mut self, operand: &Operand) {
        match operand {
            Operand::Nat(n) => self.m.push_nat(&limbs(n)).unwrap(),
            Operand::Pin => self.m.push(self.m.nth(2)),
            Operand::Buffer(n, zeros) => {
                let bytes = n.bits().div_ceil(8) as usize + zeros;
                self.m.push_nat(&[bytes as u64]).unwrap();
                self.m.make_buffer().unwrap();
                let buffer = self.m.top(0);
                buffer.set_raw(bytes / 8, 0);
                for (i, limb) in limbs(n).into_iter().enumerate() {
                    buffer.set_raw(i, limb);
                }
            }
        }
    }

    /// Replaces the topmost `args` values by `<pin>` applied to the closure of them with `head`,
    /// evaluated.
    fn call(&mut self, pin: usize, head: u64, args: usize) -> Result<(), Stop> {
        self.m.push_nat(&[head])?;
        for _ in 0..args {
            self.m.push(self.m.top(args));
        }
        self.m.make_row(args)?;
        self.m.push(self.m.nth(pin));
        self.m.push(self.m.top(1));
        self.m.make_app(1)?;
        self.m.eval_top()
    }

    /// Calls numbered operation `number`, and leaves its result on the stack.
    pub fn operation(&mut self, number: u64, operands: &[Operand]) -> Outcome {
        self.pinned(15, number, operands)
    }

    /// Calls `<pin>` with the row of the operands under `head`, and leaves its result on the stack.
    pub fn pinned(&mut self, pin: usize, head: u64, operands: &[Operand]) -> Outcome {
        for operand in operands {
            self.push(operand);
        }
        self.pinned_pushed(pin, head, operands.len())
    }

    /// The same with operands that have been pushed.
    pub fn pinned_pushed(&mut self, pin: usize, head: u64, args: usize) -> Outcome {
        let result = self.call(pin, head, args);
        self.outcome(result)
    }

    /// Applies `<pin>` to the topmost value.
    pub fn applied(&mut self, pin: usize) -> Outcome {
        self.m.push(self.m.nth(pin));
        self.m.push(self.m.top(1));
        let result = self.m.make_app(1).and_then(|()| self.m.eval_top());
        self.outcome(result)
    }

    fn outcome(&mut self, result: Result<(), Stop>) -> Outcome {
        match result {
            Ok(()) => outcome(self.m.top(0)),
            Err(Stop::Loop) => panic!("an operation loops"),
            Err(Stop::Thrown) => {
                let (code, payload) = (self.m.top(1), self.m.top(0));
                assert_eq!(code, Value::direct(17));
                assert_eq!(payload.row_len(), 3);
                let name = number(payload.arg(0)).to_bytes_le();
                let detail = number(payload.arg(2)).to_u64().unwrap();
                Outcome::Fault(String::from_utf8(name).unwrap(), detail)
            }
        }
    }

    /// Drops everything but the pins.
    pub fn reset(&mut self) {
        self.m.drop_top(self.m.depth() - self.pins);
    }
}

fn outcome(v: Value) -> Outcome {
    assert!(!v.is_thunk());
    if v.is_nat() {
        assert_canonical(v);
        return Outcome::Nat(number(v));
    }
    if v.is_pin() {
        return Outcome::Pin;
    }
    let args = (0..v.row_len()).map(|i| {
        assert_canonical(v.arg(i));
        number(v.arg(i))
    });
    Outcome::Row(number(v.head()), args.collect())
}

/// A natural outside the word is at least 2^63 and its header tells its exact width.
fn assert_canonical(v: Value) {
    if v.is_heap_nat() && !v.is_buffer() {
        let n = number(v);
        assert!(n > MAX_DIRECT.into(), "{n} is not direct");
        assert_eq!(v.header().bits(), n.bits() << 8, "the header of {n}");
        assert_eq!(v.header().words() as u64, n.bits().div_ceil(64));
    }
}

/// Numbers around the boundaries of representation, indices, and long ones.
fn numbers() -> impl Strategy<Value = BigUint> {
    let edge = (
        prop_oneof![Just(63u32), Just(64), Just(127), Just(128), 41u32..300],
        0u8..4,
    )
        .prop_map(|(bits, back)| power(bits) + 1u8 - back);
    let long = |limbs: core::ops::Range<usize>| {
        prop::collection::vec(any::<u64>(), limbs).prop_map(|mut limbs| {
            if let [only] = &mut limbs[..] {
                *only |= 1 << 40;
            }
            let halves = limbs
                .iter()
                .flat_map(|limb| [*limb as u32, (limb >> 32) as u32]);
            let n = BigUint::new(halves.collect());
            if n < power(40) { n + power(40) } else { n }
        })
    };
    prop_oneof![
        4 => (0u32..10).prop_map(BigUint::from),
        4 => (0u32..140).prop_map(BigUint::from),
        2 => (1u32..=47, 0u32..3).prop_map(|(limb, back)| BigUint::from(64 * limb + 1 - back)),
        1 => (0u32..=3000).prop_map(BigUint::from),
        4 => edge,
        4 => long(1..2),
        4 => long(1..5),
        1 => long(5..100),
        1 => (long(1..3), 0u32..64).prop_map(|(n, limbs)| n << (64 * limbs)),
    ]
}

/// Operands of every kind.
pub fn operands(n: usize) -> impl Strategy<Value = Vec<Operand>> {
    let one = (numbers(), 0u8..16, 0usize..20).prop_map(|(n, form, zeros)| match form {
        0 => Operand::Pin,
        1..=3 => Operand::Buffer(n, zeros),
        _ => Operand::Nat(n),
    });
    prop::collection::vec(one, n)
}

/// A numbered operation, its number of operands and what it must give.
pub type Row = (u64, usize, fn(&[BigUint]) -> Outcome);

/// Calls every operation of the table with random operands, in ordinary and in stress mode.
pub fn agree(rows: &[Row]) {
    agree_on(rows, |operands| operands);
}

/// The same with operands changed by `shape`.
pub fn agree_on(rows: &[Row], shape: fn(Vec<Operand>) -> Vec<Operand>) {
    for (stress, cases) in [(false, 2000), (true, 150)] {
        let rig = RefCell::new(Rig::new(stress));
        for &(number, arity, model) in rows {
            let config = Config {
                cases,
                failure_persistence: None,
                ..Config::default()
            };
            let mut runner = TestRunner::new(config);
            let ran = runner.run(&operands(arity).prop_map(shape), |operands| {
                let mut rig = rig.borrow_mut();
                rig.reset();
                let numbers: Vec<_> = operands.iter().map(Operand::number).collect();
                let found = rig.operation(number, &operands);
                prop_assert_eq!(found, model(&numbers), "operation {}", number);
                Ok(())
            });
            ran.unwrap_or_else(|failure| panic!("stress {stress}: {failure}"));
        }
    }
}

/// The natural if it is an index into something that can exist; larger ones are all alike.
pub fn index(n: &BigUint) -> Option<u64> {
    n.to_u64().filter(|n| *n < 1 << 40)
}

/// x mod 2^width.
pub fn low(x: &BigUint, width: &BigUint) -> BigUint {
    match index(width) {
        Some(width) => x % power(width as u32),
        None => x.clone(),
    }
}

/// ⌊x / 2^off⌋.
pub fn high(x: &BigUint, off: &BigUint) -> BigUint {
    index(off).map_or(BigUint::zero(), |off| x >> off)
}

/// x · 2^off, or the VM error that there is no such natural.
pub fn shifted(x: &BigUint, off: &BigUint) -> Outcome {
    match index(off) {
        _ if x.is_zero() => nat(0),
        Some(off) => Outcome::Nat(x << off),
        None => fault("limit", 0),
    }
}

/// x with the bits `off .. off + width` cleared.
pub fn wiped(x: &BigUint, off: &BigUint, width: &BigUint) -> BigUint {
    let gone = low(&high(x, off), width);
    match shifted(&gone, off) {
        Outcome::Nat(gone) => x - gone,
        _ => x.clone(),
    }
}

/// x with the bits `off .. off + width` replaced by those of v.
pub fn put(x: &BigUint, v: &BigUint, off: &BigUint, width: &BigUint) -> Outcome {
    match shifted(&low(v, width), off) {
        Outcome::Nat(part) => Outcome::Nat(wiped(x, off, width) + part),
        other => other,
    }
}

#[test]
fn the_numbers_drawn_keep_clear_of_results_that_fill_the_memory() {
    let mut runner = TestRunner::default();
    runner
        .run(&numbers(), |n| {
            prop_assert!(n <= 3010u32.into() || n >= power(40) - 3u8, "{}", n);
            Ok(())
        })
        .unwrap();
}
