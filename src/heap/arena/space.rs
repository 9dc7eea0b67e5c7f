//! What the lock of the arena protects: the buddy allocator, the spans, and the phase of the
//! collection.
//!
//! ```text
//!           begin              the last mutator              nothing more
//!                              has given its roots           to mark
//!   IDLE ─────────▶ ROOTS ──────────────────────▶ MARKING ────────────▶ SWEEPING ──┐
//!    ▲                                                                             │
//!    └─────────────────────────────────────────────────────────────────────────────┘
//! ```
//! Chapter 05 §3.2 has a lock for each size. Here small pins are handed out from slots that a mutator
//! has claimed, up to 64 at a time, so the lock is taken a hundred times less often than there are
//! allocations, and one is enough: there is no order of locks to keep (D-14, D-15).
//!
//! Invariants:
//! - a block handed out to a mutator between its roots and the end of marking is marked, so it outlives
//!   this collection: what it leads to was reachable from those roots, or is marked like it. Before
//!   its mutator has given roots a block is not marked, for then nobody would look into it; one
//!   handed out during the sweep is marked exactly if the sweep has yet to reach
//!   it, and a span is swept before slots of it are claimed. So no mark is left when a sweep ends;
//! - the sweep ends at the highest block there was when it began, however much is handed out
//!   meanwhile (D-12);
//! - blocks of [`Owner::Manual`] are neither marked nor freed (D-32).
//!
//! Safety: slots written are free and inside a span.
#![allow(unsafe_code)]

use super::buddy::tree::{Geometry, Node, NodeState};
use super::buddy::{BLOCK_WORDS, Buddy, Exhausted, Owner};
use super::held::Held;
use super::span::{self, CLASSES, SPAN, SPAN_LOG2, WORDS};
use super::table::Table;
use super::{Group, Reason};
use crate::heap::code::Entry;
use crate::sync::JoinHandle;
use crate::value::{Header, Kind};
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

/// Bytes handed out since the last collection that start the next, at least (chapter 05, G2-5).
const GROWTH: u64 = 64 << 20;
/// Empty spans kept for reuse, 32 MiB; the pages of others go back to the kernel.
const KEEP_EMPTY: u32 = (32 << 20) >> SPAN_LOG2;
/// Work done between two releases of the lock, about 20 microseconds: a span swept costs 1, a block
/// given back 32.
const BATCH: u32 = 256;

/// A word that no live object contains, written over what was freed, in stress mode.
const POISON: u64 = 0xE0BA_DBEE_FBAD_BEE8;

/// What the collector is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nothing.
    Idle,
    /// Waiting for the roots of every mutator.
    Roots,
    /// Following references.
    Marking,
    /// Freeing what has no mark.
    Sweeping,
}

/// Who collects.
#[derive(Debug)]
pub enum Collector {
    /// Nobody yet: a program that does not get so far should not pay for a thread.
    Unborn,
    /// A thread of ours.
    Thread(JoinHandle<()>),
    /// The mutator that gave the last roots, because no thread could be had.
    Mutator,
    /// Nobody any more.
    Gone,
}

/// Counters of the collections of an arena.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Collections that have ended.
    pub collections: u64,
    /// Blocks freed.
    pub freed: u64,
    /// Nanoseconds from the roots to the end of the sweep, all collections together.
    pub nanoseconds: u64,
    /// Most bytes in use at the beginning of a collection.
    pub peak: u64,
    /// The last one.
    pub last: Finished,
}

/// A collection that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Why it began.
    pub reason: Reason,
    /// Bytes in use when it began.
    pub before: u64,
    /// Bytes in use when it ended.
    pub after: u64,
    /// Nanoseconds from the roots to the end of the sweep.
    pub nanoseconds: u64,
}

impl Counters {
    /// Before the first collection.
    pub const NONE: Counters = Counters {
        collections: 0,
        freed: 0,
        nanoseconds: 0,
        peak: 0,
        last: Finished {
            reason: Reason::Growth,
            before: 0,
            after: 0,
            nanoseconds: 0,
        },
    };
}

/// Compiled code of a law or pin in the arena: freed with the block its owner is in.
pub struct Code {
    /// Address of the law or pin.
    pub owner: u64,
    /// The code.
    pub entry: Entry,
}

/// See the head of this file.
pub struct Space {
    /// Spans and large blocks.
    pub buddy: Buddy,
    /// First span with free slots of each class, and of the empty ones behind them: number plus one.
    lists: [u32; CLASSES + 1],
    empty: u32,
    spans: u64,
    /// Bytes and number of the slots in use or claimed.
    small: u64,
    small_blocks: u64,
    /// What the collector is doing.
    pub phase: Phase,
    /// Number of the collection, the one going on or else the last.
    pub cycle: u32,
    /// Mutators there are, and those that have yet to give their roots.
    pub mutators: u32,
    /// See `mutators`.
    pub awaited: u32,
    /// Blocks marked but not yet looked into.
    pub grey: Vec<u64>,
    /// Code of laws in the arena, and in the persistence region.
    pub codes: Vec<Code>,
    /// What this collection has found in the persistence region.
    pub held: Held,
    /// Where the sweep is, and where it ends.
    cursor: u64,
    end: u64,
    /// The sweep frees nothing: there was no memory to mark with.
    pub keep_all: bool,
    /// Bytes handed out since the last collection began, and how many start the next.
    since: u64,
    threshold: u64,
    /// When this collection began.
    pub started: u64,
    /// See [`Counters`].
    pub counters: Counters,
    /// Overwrite what is freed.
    pub poison: bool,
    /// Who collects.
    pub collector: Collector,
    /// Somebody has begun to mark.
    pub taken: bool,
    /// A collection was asked for while one went on: it is followed by another.
    again: bool,
}

impl Space {
    /// An empty space.
    pub fn new(buddy: Buddy) -> Space {
        let mut space = Space {
            buddy,
            lists: [0; CLASSES + 1],
            empty: 0,
            spans: 0,
            small: 0,
            small_blocks: 0,
            phase: Phase::Idle,
            cycle: 0,
            mutators: 1,
            awaited: 0,
            grey: Vec::new(),
            codes: Vec::new(),
            held: Held::None,
            cursor: 0,
            end: 0,
            keep_all: false,
            since: 0,
            threshold: 0,
            started: 0,
            counters: Counters::NONE,
            poison: false,
            collector: Collector::Unborn,
            taken: false,
            again: false,
        };
        space.set_threshold();
        space
    }

    /// Bytes of blocks in use, rounded up as they are in the arena.
    pub fn used_bytes(&self) -> u64 {
        self.small + self.buddy.allocated_bytes() - self.spans * SPAN
    }

    /// Number of blocks in use.
    pub fn used_blocks(&self) -> u64 {
        self.small_blocks + self.buddy.live_blocks() - self.spans
    }

    /// Number of slots in use or claimed.
    pub fn small_blocks(&self) -> u64 {
        self.small_blocks
    }

    /// The first of a list of spans: its number plus one, 0 for none.
    pub fn first_span(&self, list: usize) -> u32 {
        self.lists[list]
    }

    /// Bounds the bytes of spans and large blocks together; gives those they take now.
    pub fn set_budget(&mut self, bytes: u64) -> u64 {
        self.buddy.set_budget(bytes);
        self.set_threshold();
        self.buddy.footprint()
    }

    /// Whether so much was handed out that it is time to collect.
    pub fn is_due(&self) -> bool {
        self.phase == Phase::Idle && (self.again || self.since >= self.threshold)
    }

    /// Whether mutators make more than the collector can follow: as much as three quarters of
    /// what started the collection, since it began.
    pub fn is_outrun(&self) -> bool {
        let busy = matches!(self.phase, Phase::Marking | Phase::Sweeping);
        busy && self.since >= self.threshold / 4 * 3
    }

    /// As much as was live in the last collection, at least [`GROWTH`], but less where three
    /// quarters of what may be used are reached before.
    fn set_threshold(&mut self) {
        // What was handed out since it began is no part of it.
        let live = self.used_bytes().saturating_sub(self.since);
        let most = self.buddy.budget().min(self.buddy.capacity());
        let room = (most / 4 * 3).saturating_sub(live).max(most / 16);
        self.threshold = GROWTH.max(live).min(room);
    }

    // Handing out.

    /// Whether what is handed out to a mutator is marked at once: `epoch` is the collection for which
    /// it gave roots last.
    fn bears_marked(&self, epoch: u32) -> bool {
        matches!(self.phase, Phase::Roots | Phase::Marking) && epoch == self.cycle
    }

    /// Gives a mutator, which gave roots last for the collection `epoch`, slots of a class to hand
    /// out; what it had of that class is used up. Whether it had a span before is in the group.
    ///
    /// # Errors
    /// When there is no memory for another span.
    pub fn claim(
        &mut self,
        t: &Table,
        class: usize,
        group: &mut Group,
        epoch: u32,
    ) -> Result<(), Exhausted> {
        loop {
            if group.span == 0 {
                group.span = self.take_span(t, class)?;
            }
            let number = u64::from(group.span - 1);
            let row = t.span(number);
            if self.phase == Phase::Sweeping && row.swept.load(Relaxed) != self.cycle {
                self.sweep_span(t, number);
            }
            let Some((word, free)) = row.free_word(class) else {
                row.owned.set(false);
                group.span = 0;
                continue;
            };
            row.used[word].store(row.used[word].load(Relaxed) | free, Relaxed);
            if self.bears_marked(epoch) {
                row.marked[word].fetch_or(free, Relaxed);
            }
            self.count_slots(class, free, true);
            (group.free, group.word) = (free, word as u32);
            let first = word as u64 * 64 * span::size(class);
            group.first = t.base() + (number << SPAN_LOG2) + first;
            return Ok(());
        }
    }

    /// Takes back what a mutator claimed and did not hand out.
    pub fn unclaim(&mut self, t: &Table, class: usize, group: &mut Group) {
        if group.span == 0 {
            return;
        }
        let number = u64::from(group.span - 1);
        let row = t.span(number);
        let word = group.word as usize;
        row.used[word].store(row.used[word].load(Relaxed) & !group.free, Relaxed);
        // Marks they bore would be there in the next collection, too, if their span is swept no more.
        row.marked[word].fetch_and(!group.free, Relaxed);
        self.count_slots(class, group.free, false);
        row.owned.set(false);
        *group = Group::EMPTY;
        self.settle(t, number, class);
    }

    fn count_slots(&mut self, class: usize, slots: u64, more: bool) {
        let count = u64::from(slots.count_ones());
        let bytes = count * span::size(class);
        if more {
            (self.small, self.small_blocks) = (self.small + bytes, self.small_blocks + count);
            self.since += bytes;
        } else {
            (self.small, self.small_blocks) = (self.small - bytes, self.small_blocks - count);
        }
    }

    /// A span of the class with free slots, no longer listed and owned from now on: its number plus
    /// one.
    fn take_span(&mut self, t: &Table, class: usize) -> Result<u32, Exhausted> {
        let mut found = self.lists[class];
        if found != 0 {
            self.unlist(t, u64::from(found - 1), class);
        } else {
            found = self.empty_span(t)?;
            let row = t.span(u64::from(found - 1));
            row.set_class(Some(class));
            // One made before the sweep is still to be swept; the sweep passes over any other.
            let early = matches!(self.phase, Phase::Roots | Phase::Marking);
            row.swept
                .store(self.cycle.wrapping_sub(u32::from(early)), Relaxed);
        }
        t.span(u64::from(found - 1)).owned.set(true);
        Ok(found)
    }

    fn empty_span(&mut self, t: &Table) -> Result<u32, Exhausted> {
        let kept = self.lists[CLASSES];
        if kept != 0 {
            self.unlist(t, u64::from(kept - 1), CLASSES);
            self.empty -= 1;
            return Ok(kept);
        }
        let header = Header::new(Kind::Slab, ((SPAN >> 3) - BLOCK_WORDS) as usize);
        let block = self.buddy.allocate(header, Owner::Manual)?;
        self.spans += 1;
        let offset = block.as_ptr().addr() as u64 - t.base();
        Ok((offset >> SPAN_LOG2) as u32 + 1)
    }

    /// A block with room for the words of `header`, for a mutator as in [`Space::claim`]: for those
    /// too large for a slot.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn allocate(
        &mut self,
        t: &Table,
        header: Header,
        owner: Owner,
        epoch: u32,
    ) -> Result<NonNull<u64>, Exhausted> {
        let payload = match self.buddy.allocate(header, owner) {
            Ok(payload) => payload,
            Err(_) => {
                self.give_back_empty(t);
                self.buddy.allocate(header, owner)?
            }
        };
        let offset = payload.as_ptr().addr() as u64 - BLOCK_WORDS * 8 - t.base();
        let size = self.geometry().size(self.buddy.leaf_at(offset).0.level);
        let ahead = self.phase == Phase::Sweeping && (self.cursor..self.end).contains(&offset);
        if owner == Owner::Collected {
            self.since += size;
            if ahead || self.bears_marked(epoch) {
                t.mark_large(offset);
            }
        }
        Ok(payload)
    }

    fn geometry(&self) -> Geometry {
        self.buddy.geometry()
    }

    // Lists of spans.

    fn list(&mut self, t: &Table, number: u64, list: usize) {
        let (row, first) = (t.span(number), self.lists[list]);
        row.listed.set(true);
        row.next.store(first, Relaxed);
        row.previous.store(0, Relaxed);
        if first != 0 {
            t.span(u64::from(first - 1))
                .previous
                .store(number as u32 + 1, Relaxed);
        }
        self.lists[list] = number as u32 + 1;
    }

    fn unlist(&mut self, t: &Table, number: u64, list: usize) {
        let row = t.span(number);
        let (next, previous) = (row.next.load(Relaxed), row.previous.load(Relaxed));
        row.listed.set(false);
        if next != 0 {
            t.span(u64::from(next - 1))
                .previous
                .store(previous, Relaxed);
        }
        match previous {
            0 => self.lists[list] = next,
            before => t.span(u64::from(before - 1)).next.store(next, Relaxed),
        }
    }

    /// Puts a span that no mutator owns where it belongs; what that costs, in units of [`BATCH`].
    fn settle(&mut self, t: &Table, number: u64, class: usize) -> u32 {
        let row = t.span(number);
        let used = row.used_slots() as usize;
        // Marks that are still needed, or still to be cleared, keep a span where it is.
        let pending = self.phase != Phase::Idle && row.swept.load(Relaxed) != self.cycle;
        if used == 0 && !pending {
            if row.listed.get() {
                self.unlist(t, number, class);
            }
            row.set_class(None);
            if self.empty < KEEP_EMPTY && u64::from(self.empty) * SPAN < self.buddy.budget() / 16 {
                self.list(t, number, CLASSES);
                self.empty += 1;
                return 1;
            }
            self.give_back(number);
            return BATCH / 8;
        }
        if used < span::slots(class) && !row.listed.get() {
            self.list(t, number, class);
        }
        1
    }

    fn give_back(&mut self, number: u64) {
        let level = self.geometry().last_level() - (SPAN_LOG2 - super::UNIT_LOG2);
        let leaf = self.geometry().node_at(number << SPAN_LOG2, level);
        self.spans -= 1;
        self.buddy.free_leaf(leaf);
    }

    /// Gives the spans kept for reuse back.
    pub fn give_back_empty(&mut self, t: &Table) {
        while self.lists[CLASSES] != 0 {
            let number = u64::from(self.lists[CLASSES] - 1);
            self.unlist(t, number, CLASSES);
            self.give_back(number);
        }
        self.empty = 0;
    }

    // Collecting.

    /// Takes leave of a thread that a fork has left in another process.
    pub fn leave_parent(&mut self) {
        if matches!(self.collector, Collector::Thread(_)) {
            // Its handle would wait for ever.
            core::mem::forget(core::mem::replace(&mut self.collector, Collector::Unborn));
        }
    }

    /// From idle to gathering roots; false if a collection is going on.
    pub fn begin(&mut self, reason: Reason, now: u64) -> bool {
        if self.phase != Phase::Idle {
            self.again |= reason == Reason::Request;
            return false;
        }
        (self.taken, self.again) = (false, false);
        // The number of mutators is there before anybody can see that roots are wanted (D-13).
        self.awaited = self.mutators;
        self.cycle = self.cycle.wrapping_add(1);
        (self.started, self.since) = (now, 0);
        let used = self.used_bytes();
        (self.counters.last.reason, self.counters.last.before) = (reason, used);
        self.counters.peak = self.counters.peak.max(used);
        self.keep_all = false;
        self.phase = Phase::Roots;
        true
    }

    /// One mutator more has given its roots.
    pub fn roots_given(&mut self) {
        self.awaited -= 1;
        if self.awaited == 0 {
            self.phase = Phase::Marking;
        }
    }

    /// From marking to sweeping; nothing is freed if the marks are not complete.
    pub fn begin_sweep(&mut self, complete: bool) {
        self.phase = Phase::Sweeping;
        (self.cursor, self.end) = (0, self.buddy.top());
        self.keep_all |= !complete;
    }

    /// Sweeps for as long as the lock should be held at a time; whether there is more to sweep.
    pub fn sweep(&mut self, t: &Table) -> bool {
        let mut work = 0;
        while work < BATCH && self.cursor < self.end {
            let (leaf, state) = self.buddy.leaf_at(self.cursor);
            let offset = self.geometry().offset(leaf);
            let early = offset < self.cursor;
            self.cursor = offset + self.geometry().size(leaf.level);
            work += match state {
                // Made of blocks that were swept and merged: it is new.
                _ if early => 1,
                NodeState::AllocManual => self.sweep_manual(t, offset),
                NodeState::AllocGc => self.sweep_large(t, leaf, offset),
                _ => 1,
            };
        }
        self.cursor < self.end
    }

    fn sweep_manual(&mut self, t: &Table, offset: u64) -> u32 {
        let number = offset >> SPAN_LOG2;
        let row = t.span(number);
        match row.class() {
            Some(_) if row.swept.load(Relaxed) != self.cycle => self.sweep_span(t, number),
            _ => 1,
        }
    }

    fn sweep_large(&mut self, t: &Table, leaf: Node, offset: u64) -> u32 {
        if t.take_large_mark(offset) || self.keep_all {
            return 1;
        }
        self.counters.freed += 1;
        self.poison(t, offset, self.geometry().size(leaf.level));
        self.buddy.free_leaf(leaf);
        BATCH / 8
    }

    /// Frees the slots of a span that have no mark, and clears the marks.
    fn sweep_span(&mut self, t: &Table, number: u64) -> u32 {
        let row = t.span(number);
        let Some(class) = row.class() else {
            return 1;
        };
        for word in 0..WORDS {
            let used = row.used[word].load(Relaxed);
            let marked = row.marked[word].swap(0, Relaxed);
            let dead = if self.keep_all { 0 } else { used & !marked };
            if dead == 0 {
                continue;
            }
            row.used[word].store(used & !dead, Relaxed);
            self.count_slots(class, dead, false);
            self.counters.freed += u64::from(dead.count_ones());
            self.poison_slots(t, number, class, word, dead);
        }
        row.swept.store(self.cycle, Relaxed);
        if row.owned.get() {
            return 1;
        }
        self.settle(t, number, class)
    }

    fn poison_slots(&self, t: &Table, number: u64, class: usize, word: usize, mut dead: u64) {
        while self.poison && dead != 0 {
            let slot = word as u64 * 64 + u64::from(dead.trailing_zeros());
            self.poison(
                t,
                (number << SPAN_LOG2) + slot * span::size(class),
                span::size(class),
            );
            dead &= dead - 1;
        }
    }

    /// Overwrites a block that is being freed; its header becomes that of an empty natural.
    fn poison(&self, t: &Table, offset: u64, bytes: u64) {
        if !self.poison {
            return;
        }
        let words = (t.base() + offset) as *mut u64;
        for i in 0..(bytes / 8) as usize {
            let word = if i == 1 {
                Header::nat(0).bits()
            } else {
                POISON
            };
            // SAFETY: the block is free, and its pages are writable.
            unsafe { words.add(i).write(word) };
        }
    }

    /// After the last block was swept.
    pub fn end_sweep(&mut self, nanoseconds: u64) {
        self.phase = Phase::Idle;
        self.counters.collections += 1;
        self.counters.nanoseconds += nanoseconds;
        self.counters.last.after = self.used_bytes();
        self.counters.last.nanoseconds = nanoseconds;
        self.set_threshold();
    }
}
