//! Pins and buffers: making them, and giving the collector of the arena its roots.
//!
//! Invariants:
//! - roots are given right after a collection of the moving heap: then every reference of this machine
//!   is in a word of its stack, a register, a live object, compiled code, or the profile;
//! - a pin is built from an item that is read after whatever may collect.
//!
//! Safety: the words of a new buffer were just allocated.
#![allow(unsafe_code)]

use super::op::{Args, Fault};
use super::{Collection, Machine, inconsistent};
use crate::heap::arena::{Owner, Reason};
use crate::heap::fixed::FIXED_BUFFER_WORDS;
use crate::heap::now;
use crate::heap::nursery::Exhausted;
use crate::heap::pins::{self, CallInfo};
use crate::heap::region::Wait;
use crate::os::offspring::Offspring;
use crate::value::{Header, MAX_DIRECT, Sort, TAG_BUFFER, Value, WORD};

impl Machine {
    /// The pin of operand 0, a value in normal form.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    #[inline(never)]
    pub fn build_pin(&mut self, a: Args) -> Result<Value, Fault> {
        let first = a.get(0);
        let info = CallInfo {
            code: (self.engine.code_of)(first, &mut self.stats.jets, self.options.strict_jets),
            arity: call_arity(first),
        };
        self.stats.pins += 1;
        self.allocate_pinned(|m| {
            // It may have moved.
            let item = a.get(0);
            if item.is_pin() {
                pins::build_megapin(&mut m.arena, item, info)
            } else {
                pins::build_pin(&mut m.arena, &m.heap, item, info)
            }
        })
    }

    /// A natural of `words` limbs, all 0, at an address that does not change.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn new_buffer(&mut self, words: usize) -> Result<Value, Fault> {
        let header = Header::nat(64 * words as u64);
        let long = words >= FIXED_BUFFER_WORDS;
        if long {
            self.collect_fixed_if_due(words, 0)?;
        }
        self.allocate_pinned(|m| {
            let payload = if long {
                m.heap.allocate_fixed(words, &mut m.arena)?
            } else {
                let payload = m.arena.allocate(header, Owner::Collected);
                payload.map_err(|_| Exhausted)?
            };
            // SAFETY: the block was just allocated for these words.
            unsafe {
                payload.sub(1).write(header.bits());
                payload.write_bytes(0, words);
            }
            Ok(Value::reference(TAG_BUFFER, payload.as_ptr()))
        })
    }

    /// What `make` makes, if need be after a collection of the arena. Where enough has been made
    /// there, it collects first: a program may make pins and never reserve anything.
    fn allocate_pinned(
        &mut self,
        mut make: impl FnMut(&mut Machine) -> Result<Value, Exhausted>,
    ) -> Result<Value, Fault> {
        if self.arena.is_due() {
            self.know_budget();
        }
        if self.arena.is_due() {
            self.collect_for(0)?;
        }
        match make(self) {
            Ok(made) => Ok(made),
            Err(Exhausted) => self.make_room(&mut make),
        }
    }

    /// What `make` makes after a collection of the arena. One that is going on may be enough.
    #[cold]
    fn make_room(
        &mut self,
        mut make: impl FnMut(&mut Machine) -> Result<Value, Exhausted>,
    ) -> Result<Value, Fault> {
        if self.is_worker() {
            // To wait for a collection is to wait for others, which may work for ever on what
            // nobody wants any more. The caller stops them.
            return Err(Fault::MEMORY);
        }
        if self.unasked {
            self.know_budget();
            if let Ok(made) = make(self) {
                return Ok(made);
            }
        }
        for _ in 0..2 {
            self.collect_pins(Reason::Exhausted)?;
            self.arena.wait();
            self.give_back();
            if let Ok(made) = make(self) {
                return Ok(made);
            }
        }
        Err(Fault::MEMORY)
    }

    /// What `<18>` does.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory to move the heap.
    pub fn request_pin_collection(&mut self) -> Result<(), Fault> {
        self.collect_region(true);
        self.collect_pins(Reason::Request)
    }

    /// Waits until no other thread works on the memory of this machine: a fork would copy what it has
    /// half done, and not the thread. Workers end; who wants some hires new ones.
    pub fn rest(&mut self) {
        self.crew = None;
        self.arena.wait();
        self.tend_region(Wait::Bounded);
    }

    /// To be called before a fork; what it gives is for [`Machine::after_fork`].
    #[cold]
    pub fn before_fork(&mut self) -> Option<Offspring> {
        self.rest();
        self.region.as_mut()?.before_fork()
    }

    /// To be called after a fork, in both processes, with what the system has answered.
    #[cold]
    pub fn after_fork(&mut self, offspring: Option<Offspring>, result: u64) {
        if result == 0 {
            self.arena.leave_parent();
        }
        if let Some(region) = &mut self.region {
            region.after_fork(offspring, result);
        }
    }

    /// Collects the moving heap and begins a collection of the arena, or makes one go on.
    fn collect_pins(&mut self, reason: Reason) -> Result<(), Fault> {
        self.arena.begin(reason);
        self.collect_for(0)
    }

    /// The last step of a collection of the moving heap.
    pub(super) fn collect_pins_if_due(&mut self) {
        if self.options.stress || self.options.pins_every != 0 {
            self.count_down();
        }
        if self.arena.is_due() {
            self.arena.begin(Reason::Growth);
        }
        self.give_roots();
        self.tend_region(match self.options.stress {
            true => Wait::Bounded,
            false => Wait::No,
        });
    }

    /// Begins a collection of the arena at every so many collections of the moving heap. Under stress,
    /// where these come with every reserve, as many as there are blocks to look at.
    fn count_down(&mut self) {
        if self.countdown > 0 {
            self.countdown -= 1;
            return;
        }
        self.countdown = match self.options.pins_every {
            0 => self.arena.live_blocks() / 16,
            every => every - 1,
        };
        self.arena.begin(Reason::Regular);
    }

    /// Tells of the collection of the moving heap that is just over, which began with
    /// so many words in use and nanoseconds counted.
    pub(super) fn report_nursery(&self, need: usize, used: usize, nanoseconds: u64) {
        let Some(tell) = self.options.on_collection else {
            return;
        };
        let after = self.heap.counters();
        let pause = after.nanoseconds - nanoseconds;
        tell(&Collection {
            generation: "nursery",
            cause: if need == 0 { "request" } else { "full" },
            before: (used * WORD) as u64,
            after: (self.heap.occupied() * WORD) as u64,
            pause,
            total: pause,
        });
    }

    /// Tells of a collection of pins that has ended since this was called last.
    pub fn report_pins(&self) {
        let Some(tell) = self.options.on_collection else {
            return;
        };
        let counters = self.arena.counters();
        if counters.collections == self.reported.get() {
            return;
        }
        self.reported.set(counters.collections);
        let last = counters.last;
        tell(&Collection {
            generation: "pins",
            cause: last.reason.name(),
            before: last.before,
            after: last.after,
            pause: self.last_pause,
            total: last.nanoseconds,
        });
    }

    pub(super) fn give_roots(&mut self) {
        self.report_pins();
        self.follow_redirections();
        let base = self.stack.base();
        // SAFETY: as in `Machine::roots`; the arena does not touch the stack.
        let stack =
            unsafe { core::slice::from_raw_parts(base, self.sp.offset_from_unsigned(base)) };
        let start = now();
        let Some(mut gathering) = self.arena.gather() else {
            return;
        };
        let names = self.profile.iter().flat_map(|log| log.names());
        for v in stack.iter().chain(&self.registers).copied().chain(names) {
            gathering.root(v);
        }
        self.heap.for_each_reference(|v| gathering.root(v.get()));
        if let Some(crew) = &self.crew {
            crew.for_each_result(|v| gathering.root(v));
        }
        gathering.end();
        if let Some(office) = &self.office {
            // The caller may be asleep, and its roots are wanted.
            office.ring();
        }
        self.arena.finish();
        self.last_pause = now().saturating_sub(start);
        self.stats.pause += self.last_pause;
        self.stats.longest_pause = self.stats.longest_pause.max(self.last_pause);
        if self.options.stress && self.office.is_none() && self.crew.is_none() {
            self.arena.wait();
        }
        if self.heap.verifies() {
            self.arena.verify().unwrap_or_else(|p| inconsistent(&p));
        }
    }

    /// Every reference of this machine into the arena is to a block in use there.
    pub(super) fn check_references(&self) {
        let check = |v: Value| {
            let ours = v.is_direct() || self.heap.is_fixed(v);
            if !ours && self.arena.is_dangling(v.address() as u64) {
                inconsistent("a reference to a pin that was freed");
            }
        };
        self.roots()
            .iter()
            .chain(&self.registers)
            .copied()
            .for_each(check);
        self.heap.for_each_reference(|v| check(v.get()));
    }
}

/// Number of arguments of a call of the pin of `item` (chapter 01 §3.1), [`MAX_DIRECT`] for never.
fn call_arity(item: Value) -> u64 {
    match item.sort() {
        Sort::Nat => match item.bits() {
            1 => 3,
            3 => 6,
            _ => 1,
        },
        Sort::Law | Sort::Pin => item.call_arity(),
        _ if item.head().is_nat() => MAX_DIRECT,
        _ => item.head().call_arity() - item.size() as u64,
    }
}
