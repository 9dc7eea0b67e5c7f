//! Generation 2: what does not move. Pins and buffers, freed by a collector that marks and sweeps
//! (chapter 05 §3).
//!
//! | file | holds |
//! |---|---|
//! | [`buddy`] | blocks of powers of two from 4 KiB on, and the spans |
//! | [`span`] | spans: 64 KiB in slots of one size, for pins of up to 4 KiB |
//! | [`table`] | marks, and from an address to its block |
//! | [`space`] | all that is under the lock: claims, lists, phases, the sweep |
//! | [`cycle`] | the collector: marking, and the order of a collection |
//! | `gathering` | giving roots |
//! | `held` | addresses in the persistence region that memory refers to |
//! | `verify` | the verifier |
//!
//! A block is `{redirection, header, payload …}`; callers see the address of the payload. An
//! [`Arena`] is one mutator's access to the blocks that all mutators share. It hands out small
//! blocks from slots it has claimed, without a lock.
//!
//! Invariants:
//! - the redirection word is 0 and the header is in place when `allocate` returns; payload content
//!   is undefined until the caller writes it, which it does before it gives roots;
//! - a block is freed only by a collection whose roots did not lead to it;
//! - spans and large blocks together never exceed the budget; all sizes are 64-bit.
//!
//! Safety: a block handed out is the caller's to write, and lies in pages that the arena keeps.
#![allow(unsafe_code)]

pub mod buddy;
mod cycle;
mod gathering;
mod held;
pub mod space;
pub mod span;
pub mod table;
mod verify;

#[cfg(test)]
mod tests;

use super::code::Entry;
use super::now;
use crate::os::{Errno, clock, thread};
use crate::sync::thread::STACK_BYTES;
use crate::sync::{Condvar, Mutex, MutexGuard, spawn};
use crate::value::{Header, TAG_LAW, Value};
use alloc::sync::Arc;
use alloc::vec::Vec;
use buddy::{BLOCK_WORDS, Buddy};
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use held::{Addresses, Held};
use space::{Code, Collector, Phase, Space};
use span::{CLASSES, LARGEST};
use table::Table;

pub use buddy::{Cause, Exhausted, Owner};
pub use gathering::Gathering;
pub use space::{Counters, Finished};

const WORD_BYTES: u64 = 8;
/// Binary logarithm of the bytes of the smallest block that is no slot.
const UNIT_LOG2: u32 = 12;

/// Binary logarithms of the bytes [`Arena::new`] tries to reserve, from and down to.
const RESERVE_LOG2: u32 = 40;
const RESERVE_LEAST_LOG2: u32 = 24;

/// How often a mutator looks for the lock before it sleeps: for about 50 microseconds.
const AWAKE: u32 = 1000;
/// How often the collector looks whether one that waits has it, for about 2 microseconds.
const ADMIT: u32 = 50;

/// Nanoseconds that a mutator which outruns the collector sleeps for each byte it is given, so that
/// 100 MB/s are the most it makes; and the least and the most that it sleeps at a time.
const PACE: u64 = 10;
const SLEEP: core::ops::RangeInclusive<u64> = 50_000..=2_000_000;

/// Why a collection began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Enough was handed out since the last one.
    Growth,
    /// The program asked for it.
    Request,
    /// There was no memory.
    Exhausted,
    /// It was due by the number of collections of the nursery.
    Regular,
    /// The persistence region is collected and has to know what refers to it.
    Region,
}

impl Reason {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Growth => "growth",
            Reason::Request => "request",
            Reason::Exhausted => "exhausted",
            Reason::Regular => "regular",
            Reason::Region => "region",
        }
    }
}

/// Slots of one class that a mutator has claimed.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Those not handed out yet, of 64 slots.
    free: u64,
    /// Address of the first of the 64.
    first: u64,
    /// Number of their span plus one; 0 for none.
    span: u32,
    /// Which word of the span's bits they are.
    word: u32,
}

impl Group {
    const EMPTY: Group = Group {
        free: 0,
        first: 0,
        span: 0,
        word: 0,
    };
}

/// What mutators and the collector share.
struct Shared {
    table: Table,
    space: Mutex<Space>,
    /// There are marks to make, or the collector is to end.
    work: Condvar,
    /// A collection has ended.
    done: Condvar,
    /// Mutators that wait for the lock.
    waiting: AtomicU32,
    stopping: AtomicBool,
}

impl Shared {
    /// The lock, for a mutator: the collector lets go of it soon, so it is waited for awake at first.
    fn lock(&self) -> MutexGuard<'_, Space> {
        if let Some(guard) = self.space.try_lock() {
            return guard;
        }
        self.waiting.fetch_add(1, Relaxed);
        let guard = (0..AWAKE).find_map(|_| {
            core::hint::spin_loop();
            self.space.try_lock()
        });
        let guard = guard.unwrap_or_else(|| self.space.lock());
        self.waiting.fetch_sub(1, Relaxed);
        guard
    }

    /// Whether the collector is to end what it does, freeing nothing.
    fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Lets a mutator that waits for the lock have it: the next batch would often be quicker. One that
    /// sleeps needs the processor, too, if there is only one.
    fn admit(&self) {
        for _ in 0..ADMIT {
            if self.waiting.load(Relaxed) == 0 {
                return;
            }
            core::hint::spin_loop();
        }
        thread::give_way();
    }
}

/// One mutator's access to generation 2. See the head of this file.
pub struct Arena {
    groups: [Group; CLASSES],
    due: bool,
    /// The collection for which roots were given last.
    epoch: u32,
    /// Whether collections do without the roots of this mutator, which has none.
    resting: bool,
    shared: Arc<Shared>,
}

impl Arena {
    /// Reserves 2^40 bytes of address space, or the largest power of two, down to 2^24, that
    /// leaves at least as much for other mappings where the kernel refuses that. Only what is
    /// touched costs memory.
    pub fn new() -> Result<Arena, Errno> {
        let mut answer = Arena::with_log2(RESERVE_LOG2);
        let mut log2 = RESERVE_LOG2;
        while answer.is_err() && log2 > RESERVE_LEAST_LOG2 {
            log2 -= 1;
            answer = Arena::with_log2(log2);
        }
        if answer.is_ok() && RESERVE_LEAST_LOG2 < log2 && log2 < RESERVE_LOG2 {
            // Address space or commitment is scarce: stacks and nurseries need some, too.
            drop(answer);
            answer = Arena::with_log2(log2 - 1);
        }
        answer
    }

    /// An arena of `2^log2` bytes; `EINVAL` unless `16 ≤ log2 ≤ 46`. For tests and for embedders
    /// that know what they need.
    pub fn with_log2(log2: u32) -> Result<Arena, Errno> {
        if log2 < span::SPAN_LOG2 {
            return Err(Errno::EINVAL);
        }
        let more = Table::bytes_for(1 << log2.min(46))?;
        let (buddy, more) = Buddy::with_more(UNIT_LOG2, log2, more)?;
        // SAFETY: both are parts of the same shared state, and dropping a table reads nothing.
        let table = unsafe { Table::new(&buddy, more)? };
        Ok(Arena {
            groups: [Group::EMPTY; CLASSES],
            due: false,
            epoch: 0,
            resting: false,
            shared: Arc::new(Shared {
                table,
                space: Mutex::new(Space::new(buddy)),
                work: Condvar::new(),
                done: Condvar::new(),
                waiting: AtomicU32::new(0),
                stopping: AtomicBool::new(false),
            }),
        })
    }

    /// Access for another mutator, on this thread or another. From now on a collection waits for
    /// its roots, too.
    ///
    /// A mutator that hands a reference to another one must still have it among its own roots, or
    /// the other among its, whenever either gives them.
    #[inline(never)]
    pub fn share(&self) -> Arena {
        let mut space = self.shared.lock();
        // Roots that are being gathered do not need those of one that has none.
        space.mutators += 1;
        Arena {
            groups: [Group::EMPTY; CLASSES],
            due: false,
            epoch: space.cycle,
            resting: false,
            shared: self.shared.clone(),
        }
    }

    /// From now on collections do not wait for this mutator, which refers to nothing in the arena
    /// until [`Arena::resume`].
    pub fn rest(&mut self) {
        if !self.resting {
            self.leave();
            self.resting = true;
        }
    }

    /// Ends [`Arena::rest`]. What this mutator is handed then must stay among the roots of another
    /// one while a collection is going on.
    pub fn resume(&mut self) {
        if !self.resting {
            return;
        }
        let mut space = self.shared.lock();
        space.mutators += 1;
        self.epoch = space.cycle;
        if space.phase == Phase::Roots {
            // What it makes may lead to what it is handed, and outlive the other one's reference: it
            // gives roots like everybody else.
            space.awaited += 1;
            self.epoch = space.cycle.wrapping_sub(1);
        }
        self.resting = false;
    }

    /// Keeps a reference through the collection whose roots are being gathered, if there is one:
    /// for a mutator that hands it to another, which may have given its roots already.
    pub fn hand_over(&mut self, v: Value) {
        let mut space = self.shared.lock();
        if space.phase == Phase::Roots {
            let held = space.held.is_open().then(Addresses::default);
            let mut one = Gathering::new(&self.shared, held);
            one.root(v);
            one.add_to(&mut space);
        }
    }

    /// Takes this mutator out of the collections. The number of those that are left.
    fn leave(&mut self) -> u32 {
        let shared = &*self.shared;
        let mut space = shared.lock();
        for (class, group) in self.groups.iter_mut().enumerate() {
            space.unclaim(&shared.table, class, group);
        }
        space.mutators -= 1;
        let left = space.mutators;
        // Nobody need wait for the roots of one that has none any more.
        if left > 0 && space.phase == Phase::Roots && space.cycle != self.epoch {
            space.roots_given();
            drop(space);
            self.finish();
        }
        left
    }

    /// Bounds the bytes of spans and large blocks, so that running out is reported before the kernel
    /// ends the process. Blocks allocated already stay, even if they exceed it. The bytes that all of
    /// them take now.
    pub fn set_budget(&mut self, bytes: u64) -> u64 {
        self.shared.lock().set_budget(bytes)
    }

    /// Gives what is kept for reuse back to the kernel.
    pub fn trim(&mut self) {
        let mut space = self.shared.lock();
        space.give_back_empty(&self.shared.table);
        space.buddy.trim();
    }

    /// Overwrites what is freed from now on, so that a use of it is noticed.
    pub fn poison_freed(&mut self) {
        self.shared.lock().poison = true;
    }

    /// Bytes of address space of the arena.
    pub fn capacity(&self) -> u64 {
        self.shared.lock().buddy.capacity()
    }

    /// Bytes of all blocks in use, rounded up as they are in the arena.
    pub fn allocated_bytes(&self) -> u64 {
        self.shared.lock().used_bytes() - self.claimed().1
    }

    /// Number of blocks in use; slots that other mutators have claimed count.
    pub fn live_blocks(&self) -> u64 {
        self.shared.lock().used_blocks() - self.claimed().0
    }

    /// Number of mutators, this one included.
    pub fn mutators(&self) -> u32 {
        self.shared.lock().mutators
    }

    /// Counters of the collections up to now.
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters
    }

    /// Slots claimed and not handed out, and their bytes.
    fn claimed(&self) -> (u64, u64) {
        let groups = self.groups.iter().enumerate();
        groups.fold((0, 0), |(slots, bytes), (class, group)| {
            let free = u64::from(group.free.count_ones());
            (slots + free, bytes + free * span::size(class))
        })
    }

    /// Whether `address` lies in the arena, in use or not.
    pub fn contains(&self, address: u64) -> bool {
        self.shared.table.offset(address).is_some()
    }

    /// A block with room for `header.words()` payload words: redirection word 0, header in place,
    /// payload undefined. Returns the address of the payload, a multiple of 16.
    ///
    /// # Errors
    /// When there is no memory. Nothing has changed then; collecting may help.
    #[inline]
    pub fn allocate(&mut self, header: Header, owner: Owner) -> Result<NonNull<u64>, Exhausted> {
        debug_assert!(!header.is_forwarded());
        let bytes = (header.words() as u64 + BLOCK_WORDS) * WORD_BYTES;
        if bytes > LARGEST || owner == Owner::Manual {
            return self.allocate_large(header, owner);
        }
        let class = span::class_for(bytes);
        if self.groups[class].free == 0 {
            self.claim(class)?;
        }
        let group = &mut self.groups[class];
        let slot = u64::from(group.free.trailing_zeros());
        group.free &= group.free - 1;
        let block = (group.first + slot * span::size(class)) as *mut u64;
        // SAFETY: the slot was claimed and is handed out only here; it has room for these words.
        unsafe {
            block.write(0);
            block.add(1).write(header.bits());
            Ok(NonNull::new_unchecked(block.add(BLOCK_WORDS as usize)))
        }
    }

    #[cold]
    fn claim(&mut self, class: usize) -> Result<(), Exhausted> {
        let mut space = self.shared.lock();
        let group = &mut self.groups[class];
        space.claim(&self.shared.table, class, group, self.epoch)?;
        self.due |= space.is_due();
        slow_down(space, 64 * span::size(class));
        Ok(())
    }

    #[cold]
    fn allocate_large(&mut self, header: Header, owner: Owner) -> Result<NonNull<u64>, Exhausted> {
        let mut space = self.shared.lock();
        let block = space.allocate(&self.shared.table, header, owner, self.epoch)?;
        self.due |= space.is_due();
        slow_down(space, header.words() as u64 * WORD_BYTES);
        Ok(block)
    }

    /// Ends the life of a block of [`Owner::Manual`], which nothing may refer to any more. Panics
    /// if this is not the payload of one.
    pub fn free(&mut self, payload: NonNull<u64>) {
        self.shared.lock().buddy.free(payload);
    }

    /// Remembers that the law or pin at `owner`, which lies in the arena, owns compiled code, to be
    /// freed with it; or in the persistence region, to be freed by [`Arena::free_codes`].
    pub fn adopt_code(&mut self, owner: u64, entry: Entry) {
        self.shared.lock().codes.push(Code { owner, entry });
    }

    /// Whether it is time for a collection. Stays so until one begins.
    #[inline(always)]
    pub fn is_due(&self) -> bool {
        self.due
    }

    /// Finds out anew whether it is time for a collection, after a change of the budget.
    pub fn reconsider(&mut self) {
        self.due = self.shared.lock().is_due();
    }

    /// Begins a collection, unless one is going on. Afterwards every mutator gives its roots.
    pub fn begin(&mut self, reason: Reason) {
        self.due = false;
        self.shared.lock().begin(reason, now());
    }

    /// Begins a collection that also gathers the addresses in the persistence region to which roots
    /// and pins refer; false if one is going on already.
    pub fn begin_holding(&mut self) -> bool {
        let mut space = self.shared.lock();
        if space.phase != Phase::Idle {
            return false;
        }
        self.due = false;
        space.begin(Reason::Region, now());
        space.held = Held::Open(Addresses::default());
        true
    }

    /// The addresses gathered, once they are complete; `Some(None)` if there was no memory for them.
    pub fn take_held(&mut self) -> Option<Option<Vec<u64>>> {
        let mut space = self.shared.lock();
        match core::mem::replace(&mut space.held, Held::None) {
            Held::Complete(held) => Some(held),
            other => {
                space.held = other;
                None
            }
        }
    }

    /// Whether a collection waits for the roots of this mutator.
    pub fn wants_roots(&self) -> bool {
        let space = self.shared.lock();
        space.phase == Phase::Roots && space.cycle != self.epoch && !self.resting
    }

    /// Begins to give the roots of this mutator, if a collection waits for them.
    pub fn gather(&mut self) -> Option<Gathering<'_>> {
        let shared = &*self.shared;
        let mut space = shared.lock();
        if space.phase != Phase::Roots || space.cycle == self.epoch || self.resting {
            return None;
        }
        self.epoch = space.cycle;
        for (class, group) in self.groups.iter_mut().enumerate() {
            space.unclaim(&shared.table, class, group);
        }
        let held = space.held.is_open().then(Addresses::default);
        drop(space);
        Some(Gathering::new(shared, held))
    }

    /// Lets the collector work if all roots have been given.
    pub fn finish(&mut self) {
        let mut space = self.shared.lock();
        if space.phase != Phase::Marking || space.taken {
            return;
        }
        if matches!(space.collector, Collector::Unborn) {
            let shared = self.shared.clone();
            let born = spawn(STACK_BYTES, move || cycle::serve(&shared));
            space.collector = born.map_or(Collector::Mutator, Collector::Thread);
        }
        if matches!(space.collector, Collector::Mutator) {
            space.taken = true;
            drop(space);
            cycle::mark(&self.shared);
            cycle::sweep(&self.shared);
        } else {
            self.shared.work.signal(&space);
        }
    }

    /// Waits for the end of the collection that is going on, unless it waits for roots of this
    /// mutator.
    pub fn wait(&self) {
        let mut space = self.shared.lock();
        let resting = self.resting;
        let wanted = |s: &Space| s.phase == Phase::Roots && s.cycle != self.epoch && !resting;
        let done = &self.shared.done;
        done.wait_while(&mut space, |s| s.phase != Phase::Idle && !wanted(s));
    }

    /// To be called in a process made by fork, where the threads of its parent are not.
    pub fn leave_parent(&self) {
        self.shared.lock().leave_parent();
    }

    /// What stands for a reference into the arena from now on: one to a pin that has a copy in the
    /// persistence region, or to something inside it, becomes one to the copy.
    pub fn latest(&self, v: Value) -> Value {
        if v.is_direct() || v.is_fixed_or_buffer() {
            return v;
        }
        if v.is_pin() {
            return v.latest();
        }
        let copy = self.shared.table.copy_of(v.address() as u64);
        copy.map_or(v, |at| Value::reference(v.tag(), at as *const u64))
    }

    /// Gives compiled code of laws that have a copy in the persistence region to the copy, and lets its
    /// constants refer to copies: the code of a law that runs stays when the original goes.
    pub fn move_codes(&self) {
        let mut space = self.shared.lock();
        for code in &mut space.codes {
            let Some(copy) = self.shared.table.copy_of(code.owner) else {
                continue;
            };
            code.owner = copy;
            let law = Value::reference(TAG_LAW, copy as *const u64);
            // The copy may have been compiled already: then it owns both.
            let _ = law.publish_code_word(code.entry.word());
            let (first, count) = code.entry.constants();
            for i in 0..count {
                // SAFETY: the block has `count` constants from `first` on, which other threads read.
                unsafe {
                    let v = self.latest(*first.add(i));
                    AtomicU64::from_ptr(first.add(i).cast()).store(v.bits(), Relaxed);
                }
            }
        }
    }

    /// Frees the compiled code of laws that are gone.
    pub fn free_codes(&mut self, is_gone: impl Fn(u64) -> bool) {
        self.shared.lock().codes.retain(|code| {
            let gone = is_gone(code.owner);
            if gone {
                code.entry.free();
            }
            !gone
        });
    }

    /// Whether `address` lies in the arena but in no block in use.
    pub fn is_dangling(&self, address: u64) -> bool {
        let offset = self.shared.table.offset(address);
        offset.is_some_and(|at| self.shared.table.place(at).is_none())
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if self.resting || self.leave() > 0 {
            return;
        }
        let mut space = self.shared.lock();
        self.shared.stopping.store(true, Relaxed);
        self.shared.work.broadcast(&space);
        let collector = core::mem::replace(&mut space.collector, Collector::Gone);
        drop(space);
        // Waits for the thread, which looks at `stopping` with every pin.
        drop(collector);
        let mut space = self.shared.lock();
        space.codes.drain(..).for_each(|code| code.entry.free());
    }
}

/// Lets go of the lock; lets the collector catch up if need be with a mutator that has been given so
/// many bytes. What is made during a collection comes on top of what it will free, so without this
/// memory would be bounded by the budget alone.
fn slow_down(space: MutexGuard<'_, Space>, bytes: u64) {
    let outrun = space.is_outrun();
    drop(space);
    if outrun {
        clock::sleep((bytes * PACE).clamp(*SLEEP.start(), *SLEEP.end()));
    }
}
