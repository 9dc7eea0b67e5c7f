//! How a machine divides the memory there is, and what happens before it says that there is none.
//!
//! ```text
//!   budget ─┬─ value stack: a fixed part, committed on touch
//!           └─ the rest ─┬─ tables of the runtime itself
//!                        ├─ workers, while there are any (see `parallel`)
//!                        ├─ moving heap, with the space for its next collection
//!                        └─ arena: pins, buffers, long naturals, what is kept for reuse
//! ```
//! The parts of the rest are not fixed: before and after each collection of the moving heap, heap and
//! arena are told what the other leaves. So a program may fill all of it with either; and where the
//! system counts what is used only when it is too late (a control group ends the process), the
//! machine has counted before.
//!
//! The files of the control group are read when a program first needs more than [`FREELY`] gives
//! anyway, not at start: that takes tens of microseconds. So until then the stack has its least size and
//! the arena room for a few spans, and the heap asks before it grows.
//!
//! Invariants:
//! - heap and arena grow only within what the other leaves, as far as counted here;
//! - a heap that does not grow can always be collected: its second space is counted with it;
//! - memory is exhausted only if nothing more can be had by collecting pins and giving back what is
//!   kept for reuse.
//!
//! Safety: the words of the stack in use become a slice of roots.
#![allow(unsafe_code)]

use super::op::Fault;
use super::{Machine, inconsistent};
use crate::heap::arena::Reason;
use crate::heap::nursery::Roots;
use crate::os;
use crate::value::Value;

/// A quarter of the memory there is, between 8 MiB and 16 GiB: enough for recursion as deep as the
/// data that fits beside it, little enough that runaway recursion ends before the system suffers.
pub(super) fn default_stack_bytes(budget: u64) -> usize {
    (budget / 4).clamp(FREELY, 16 << 30) as usize
}

/// Bytes that the value stack may take whatever there is, and the arena before the control group has
/// been asked.
pub(super) const FREELY: u64 = 8 << 20;

impl Machine {
    /// Does with [`FREELY`] bytes each for stack and arena until [`know_budget`](Self::know_budget).
    pub(super) fn start_small(&mut self) {
        self.unasked = true;
        self.arena.set_budget(FREELY);
        if self.options.stack_bytes == 0 {
            self.stack.set_bytes(FREELY as usize);
        }
    }

    /// Asks the control group how much memory there is, unless that was done.
    #[cold]
    #[inline(never)]
    pub(super) fn know_budget(&mut self) {
        if !core::mem::take(&mut self.unasked) {
            return;
        }
        self.stack.guard();
        self.budget = os::limits::memory_budget(true);
        self.arena.set_budget(self.budget);
        if self.options.stack_bytes == 0 {
            self.stack.set_bytes(default_stack_bytes(self.budget));
        }
        self.divide_memory();
        self.arena.reconsider();
    }

    /// Whether the stack has no room for words before `top`, or a signal waits to be noticed.
    #[inline(always)]
    pub(super) fn is_full(&mut self, top: *mut Value) -> bool {
        top >= self.stack.limit() && self.stays_full(top)
    }

    #[cold]
    #[inline(never)]
    fn stays_full(&mut self, top: *mut Value) -> bool {
        self.know_budget();
        top >= self.stack.limit()
    }

    /// Bytes the moving heap may take, if nothing else takes any.
    pub fn heap_bytes(&self) -> u64 {
        match self.options.heap_bytes {
            0 => self.budget.saturating_sub(self.stack_bytes()),
            bytes => bytes,
        }
    }

    /// Tells heap and arena what each may use now. A machine that was told how much its heap may
    /// take is one of several, or an embedder knows better.
    pub(super) fn divide_memory(&mut self) {
        self.know_budget();
        if self.options.heap_bytes != 0 {
            return;
        }
        let others = os::heap::mapped() + self.crew_bytes();
        let all = self.heap_bytes().saturating_sub(others);
        let most = all.saturating_sub(self.heap.footprint());
        let arena = self.arena.set_budget(most) - self.heap.fixed().bytes();
        self.heap.set_budget(all.saturating_sub(arena));
    }

    /// Gives what is kept for reuse back to the system, and what workers have who rest.
    pub(super) fn give_back(&mut self) {
        self.dismiss();
        self.heap.trim();
        self.heap.fixed().trim(&mut self.arena);
        self.arena.trim();
        self.divide_memory();
    }

    /// Sees to it that `bytes` of temporary memory can be had, also after one collection.
    ///
    /// # Errors
    /// The VM error `limit` when they cannot.
    #[cold]
    pub fn check_scratch(&mut self, bytes: usize) -> Result<(), Fault> {
        if !self.has_scratch(bytes) {
            self.give_back();
            if !self.has_scratch(bytes) {
                return Err(Fault::MEMORY);
            }
        }
        self.heap.set_aside(bytes);
        Ok(())
    }

    /// Whether neither the system nor the budget is against so many bytes more.
    fn has_scratch(&mut self, bytes: usize) -> bool {
        self.divide_memory();
        let left = match self.options.heap_bytes {
            0 => self.heap.unused(),
            _ => self.budget / 2,
        };
        bytes as u64 <= left && os::mem::can_map(bytes)
    }

    /// Collects until `need` words are free.
    #[cold]
    #[inline(never)]
    pub(super) fn collect_for(&mut self, need: usize) -> Result<(), Fault> {
        let before = self.heap.counters().collections;
        let mut first = self.collect_heap(need);
        if first.is_err() && self.dismiss() {
            first = self.collect_heap(need);
        }
        if self.is_worker() {
            // As in `make_room`.
            return first;
        }
        if first.is_ok() || self.heap.counters().collections == before {
            return first;
        }
        // Pins that nothing refers to any more may take the room. All that is in the heap is live.
        self.arena.wait();
        self.arena.begin(Reason::Exhausted);
        self.give_roots();
        self.arena.wait();
        self.give_back();
        self.collect_heap(need)
    }

    /// The same in one attempt, which waits for nothing.
    pub(super) fn collect_heap(&mut self, need: usize) -> Result<(), Fault> {
        self.divide_memory();
        self.record_collection(None);
        let base = self.stack.base();
        // SAFETY: as in `roots`; the heap does not touch the stack otherwise.
        let stack =
            unsafe { core::slice::from_raw_parts_mut(base, self.sp.offset_from_unsigned(base)) };
        let roots = Roots {
            stack,
            registers: &mut self.registers,
        };
        let root_words = roots.stack.len();
        let (used, before) = (self.heap.occupied(), self.heap.counters().nanoseconds);
        let collected = self.heap.collect(need, roots);
        self.stack.found(root_words);
        self.heap.sweep_fixed(root_words, &mut self.arena);
        self.divide_memory();
        collected.map_err(|_| Fault::MEMORY)?;
        self.report_nursery(need, used, before);
        self.record_collection(Some(self.heap.occupied()));
        if self.heap.verifies() {
            self.heap
                .check(self.roots())
                .unwrap_or_else(|p| inconsistent(&p));
            self.check_references();
        }
        self.collect_pins_if_due();
        Ok(())
    }
}
