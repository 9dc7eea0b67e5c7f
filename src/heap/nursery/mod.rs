//! Generation 1: the moving heap of one machine, a Cheney semispace collector.
//!
//! Source: C. J. Cheney, *A nonrecursive list compacting algorithm*, CACM 13(11), 1970; sizes and
//! sizing rules of chapter 05 §2.
//!
//! Invariants:
//! - Objects fill `base..top` without gaps, each preceded by its header.
//! - `top ≤ limit ≤ base + capacity`, with [`HEADROOM`] more words behind, for what must be built
//!   when memory has run out.
//! - Reserve, then read, then build: only a reserve can move objects.
//! - In stress mode every reserve collects, moves everything and poisons the space left behind.
//!
//! Safety: all raw addresses here lie inside the block mapped for this heap, between `base` and
//! `base + capacity + HEADROOM`; blocks are unmapped only after everything live has been copied.
#![allow(unsafe_code)]

mod copy;
pub mod ranks;
mod verify;

use super::arena::Arena;
use super::code::Entry;
use super::fixed::Fixed;
use super::now;
use crate::os::mem;
use crate::value::{Header, Kind, Value, WORD, closure_tag};
use alloc::vec::Vec;
use core::cell::Cell;
use core::ptr::NonNull;

pub use verify::Problem;

/// Words behind the limit that only exceptional paths use.
pub const HEADROOM: usize = 64;

/// A word no live heap contains, written over space left behind in stress mode.
const POISON: u64 = 0xE0BA_DBEE_FBAD_BEE8;

/// Memory ran out: neither the system nor the budget gives the words asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted;

/// What a collection starts from besides the heap itself.
pub struct Roots<'a> {
    /// The value stack, every word of it.
    pub stack: &'a mut [Value],
    /// Registers of the machine that hold values.
    pub registers: &'a mut [Value],
}

/// How a nursery is to behave.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Lowest rank the heap shrinks to, and the rank it starts with.
    pub floor: usize,
    /// Bytes that both spaces and the long naturals together may take.
    pub budget: u64,
    /// Collect at every reserve and poison what is left behind.
    pub stress: bool,
    /// Check the heap after every collection.
    pub verify: bool,
}

/// Lowest rank in ordinary runs, 307,242 words (2.4 MB). Measured: with the 12 words the rules start
/// from, short programs spend most of their time collecting; beyond this size the nursery no longer
/// fits a second-level cache and allocation slows down.
pub const DEFAULT_FLOOR: usize = 20;

/// Counters since the machine started.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Collections done.
    pub collections: u64,
    /// Words allocated up to the last collection.
    pub allocated: u64,
    /// Words copied by collections.
    pub copied: u64,
    /// Nanoseconds spent in collections.
    pub nanoseconds: u64,
    /// Largest number of words mapped at a time.
    pub peak_words: u64,
}

impl Counters {
    /// Before the first collection.
    pub const NONE: Counters = Counters {
        collections: 0,
        allocated: 0,
        copied: 0,
        nanoseconds: 0,
        peak_words: 0,
    };
}

/// A mapped space of `words` usable words, [`HEADROOM`] more behind them.
struct Block {
    base: NonNull<u64>,
    words: usize,
}

impl Block {
    fn bytes(words: usize) -> usize {
        (words + HEADROOM) * WORD
    }

    fn map(words: usize) -> Result<Block, Exhausted> {
        let base = mem::map(Block::bytes(words)).map_err(|_| Exhausted)?;
        if words >= HUGE_WORDS {
            mem::prefer_huge(base, Block::bytes(words));
        }
        let base = base.cast::<u64>();
        Ok(Block { base, words })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: mapped in `map` with the same length; nothing refers to a block given up. The
        // result does not matter: an address range that stays mapped is only wasted.
        let _ = unsafe { mem::unmap(self.base.cast::<u8>(), Block::bytes(self.words)) };
    }
}

/// Blocks above this many words go back to the kernel at once instead of waiting for the next
/// collection: 16 MiB, where mapping fresh pages costs little beside copying.
const KEEP_WORDS: usize = 2 << 20;

/// Blocks from this many words on are filled in huge pages: 4 MiB.
const HUGE_WORDS: usize = 1 << 19;

/// Words of address space beyond what a collection needs that must be there for the heap to grow:
/// other parts of the runtime map memory too.
const MARGIN_WORDS: usize = 1 << 20;

/// The moving heap of one machine.
pub struct Nursery {
    top: *mut u64,
    limit: *mut u64,
    block: Block,
    spare: Option<Block>,
    rank: usize,
    settings: Settings,
    /// Words in use right after the last collection.
    live_words: usize,
    /// Words that are to be left unused by the next collection.
    aside: usize,
    epoch: u64,
    compiled: Vec<Entry>,
    fixed: Fixed,
    counters: Counters,
}

impl Nursery {
    /// A fresh heap.
    pub fn new(settings: Settings) -> Result<Nursery, Exhausted> {
        let words = ranks::size(settings.floor) as usize;
        let block = Block::map(words)?;
        let top = block.base.as_ptr();
        let mut nursery = Nursery {
            top,
            limit: top,
            block,
            spare: None,
            rank: settings.floor,
            settings,
            live_words: 0,
            aside: 0,
            epoch: 0,
            compiled: Vec::new(),
            fixed: Fixed::new(settings.stress),
            counters: Counters {
                peak_words: words as u64,
                ..Counters::NONE
            },
        };
        nursery.set_limit(words);
        Ok(nursery)
    }

    /// Whether `words` words, headers included, can be had without a collection.
    #[inline(always)]
    pub fn has(&self, words: usize) -> bool {
        (self.limit as usize).wrapping_sub(self.top as usize) as isize >= (words * WORD) as isize
    }

    /// Takes `words` words that a reserve has made available. Their content is undefined.
    #[inline(always)]
    pub fn bump(&mut self, words: usize) -> *mut u64 {
        let at = self.top;
        // SAFETY: a reserve of at least this many words came before, or the headroom is used.
        self.top = unsafe { at.add(words) };
        debug_assert!(self.used() <= self.block.words + HEADROOM);
        at
    }

    /// An object of `kind` with `words` payload words of undefined content, after a reserve of
    /// `words + 1`. Returns the payload address.
    #[inline(always)]
    pub fn bump_object(&mut self, kind: Kind, words: usize) -> *mut u64 {
        let at = self.bump(words + 1);
        // SAFETY: the words were just taken from the space.
        unsafe {
            *at = Header::new(kind, words).bits();
            at.add(1)
        }
    }

    /// A closure of `args` arguments, all 0, after a reserve of `args + 2`.
    #[inline]
    pub fn bump_closure(&mut self, head: Value, args: usize) -> Value {
        let payload = self.bump_object(Kind::Closure, args + 1);
        // SAFETY: the payload has args + 1 words.
        unsafe {
            *payload = head.bits();
            payload.add(1).write_bytes(0, args);
        }
        Value::reference(closure_tag(head, args), payload)
    }

    /// Address of the next word to be taken.
    #[inline(always)]
    pub fn top(&self) -> *mut u64 {
        self.top
    }

    /// Gives back everything from `top` on, which must be words just taken.
    #[inline(always)]
    pub fn retract(&mut self, top: *mut u64) {
        debug_assert!(top <= self.top);
        self.top = top;
    }

    /// Whether the heap is larger than at first.
    pub fn is_grown(&self) -> bool {
        self.rank > self.settings.floor
    }

    /// Words in use, garbage included.
    pub fn used(&self) -> usize {
        (self.top as usize - self.block.base.as_ptr() as usize) / WORD
    }

    /// Words of the heap and of the long naturals that belong to it.
    pub fn occupied(&self) -> usize {
        self.used() + self.fixed.bytes() as usize / WORD
    }

    /// Words taken since the last collection, those of long naturals included.
    pub fn allocated_since_collection(&self) -> usize {
        self.used() - self.live_words + self.fixed.since() as usize / WORD
    }

    /// Whether a value is a long natural or buffer that belongs to this heap.
    pub fn is_fixed(&self, v: Value) -> bool {
        v.is_fixed_or_buffer() && self.fixed.contains(v)
    }

    /// The long naturals that belong to this heap.
    pub fn fixed(&mut self) -> &mut Fixed {
        &mut self.fixed
    }

    /// A block for a natural of `words` limbs outside the heap, of undefined content.
    ///
    /// # Errors
    /// When there is no memory, or so much of it is in use that the heap could not be left.
    pub fn allocate_fixed(
        &mut self,
        words: usize,
        arena: &mut Arena,
    ) -> Result<NonNull<u64>, Exhausted> {
        let most = self.settings.budget.saturating_sub(self.footprint());
        let block = self.fixed.allocate(words, self.epoch, most, arena)?;
        let now = (self.mapped_words() as u64) + self.fixed.bytes() / WORD as u64;
        self.counters.peak_words = self.counters.peak_words.max(now);
        Ok(block)
    }

    /// Frees the long naturals that the last collection has not met.
    pub fn sweep_fixed(&mut self, root_words: usize, arena: &mut Arena) {
        let looked_at = ((self.live_words + root_words) * WORD) as u64;
        self.fixed.sweep(self.epoch, looked_at, arena);
    }

    /// From now on both spaces and the long naturals may take so many bytes together. A heap that
    /// takes more already can still be collected.
    pub fn set_budget(&mut self, bytes: u64) {
        self.settings.budget = bytes;
    }

    /// Bytes that the heap takes with the space for its next collection, long naturals aside. A
    /// larger spare space may be the next one, and then wants another beside it.
    pub fn footprint(&self) -> u64 {
        let spare = self.spare.as_ref().map_or(0, |b| b.words);
        (2 * self.block.words.max(spare) * WORD) as u64
    }

    /// Gives the space kept for the next collection back, and lets that one, right after a
    /// collection, make the heap as small as what is live allows: otherwise it shrinks by steps.
    pub fn trim(&mut self) {
        self.spare = None;
        self.rank = ranks::after(self.settings.floor, self.used() as u64);
    }

    /// Bytes of the budget that neither the heap nor long naturals take.
    pub fn unused(&self) -> u64 {
        let taken = self.footprint() + self.fixed.bytes();
        self.settings.budget.saturating_sub(taken)
    }

    /// In the next collection the heap does not grow into so many bytes, which are about to be used
    /// for something else.
    pub fn set_aside(&mut self, bytes: usize) {
        self.aside = bytes / WORD;
    }

    /// Words of address space the heap now holds.
    fn mapped_words(&self) -> usize {
        self.block.words + self.spare.as_ref().map_or(0, |b| b.words)
    }

    /// The counters, with the words allocated up to now.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters;
        counters.allocated += self.allocated_since_collection() as u64;
        counters
    }

    /// Whether an address lies in this heap.
    #[inline(always)]
    pub fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.block.base.as_ptr() as u64)
            < Block::bytes(self.block.words) as u64
    }

    /// Remembers that a law of this heap owns a block of compiled code, to be freed with it.
    pub fn adopt_code(&mut self, entry: Entry) {
        self.compiled.push(entry);
    }

    /// Makes room for `need` words, headers included, by a collection.
    ///
    /// # Errors
    /// When the words cannot be had. The heap is intact then, and may have been collected.
    #[cold]
    pub fn collect(&mut self, need: usize, roots: Roots<'_>) -> Result<(), Exhausted> {
        let start = now();
        let root_words = roots.stack.len();
        let to = self.space_for(need)?;
        self.counters.allocated += self.allocated_since_collection() as u64;
        let from = core::mem::replace(&mut self.block, to);
        self.top = self.block.base.as_ptr();
        self.epoch += 1;
        self.fixed.restart();
        copy::Copier::new(self, &from).run(roots);
        self.free_unreached_code();
        self.give_up(from);
        self.live_words = self.used();
        self.aside = 0;
        self.counters.copied += self.live_words as u64;
        self.counters.collections += 1;
        let enough = self.resize(need, root_words);
        self.counters.nanoseconds += now().saturating_sub(start);
        if enough { Ok(()) } else { Err(Exhausted) }
    }

    /// Whether the heap is to be checked after each collection.
    pub fn verifies(&self) -> bool {
        self.settings.verify
    }

    /// A space to copy into: large enough for all that is here and the request, or at least for
    /// all that is here.
    fn space_for(&mut self, need: usize) -> Result<Block, Exhausted> {
        let wanted = ranks::size(ranks::target(self.rank, need as u64)) as usize;
        let used = self.used();
        if let Some(spare) = self.spare.take()
            && spare.words >= wanted
        {
            return Ok(spare);
        }
        // The least that `resize` takes for enough; a space as large as the present one, if that is
        // more, keeps requests beyond the budget from leaving a heap too small for all others.
        let least = used + need + (used + need) / 16;
        for words in [wanted.max(used), least.max(self.block.words), least, used] {
            if self.can_be_left(words)
                && let Ok(block) = Block::map(words)
            {
                let mapped = (self.mapped_words() + words) as u64;
                let mapped = mapped + self.fixed.bytes() / WORD as u64;
                self.counters.peak_words = self.counters.peak_words.max(mapped);
                return Ok(block);
            }
        }
        Err(Exhausted)
    }

    /// Whether a space of that many words can be left again: the next collection needs one as large
    /// beside it, when the present one is gone. A heap that grew without this could not be
    /// collected any more, however little of it is live. One that does not grow keeps what was
    /// granted it when it did, whatever became of the budget.
    fn can_be_left(&self, words: usize) -> bool {
        if words <= self.block.words {
            return true;
        }
        let more = words - self.block.words;
        let both = (2 * words + self.aside) * WORD;
        both as u64 + self.fixed.bytes() <= self.settings.budget
            && mem::can_map(Block::bytes(words + more + MARGIN_WORDS + self.aside))
    }

    /// Sizing rules after a copy; whether the request fits. When the system gave less than the
    /// rules ask for, a heap that stays nearly full counts as exhausted: it would collect again
    /// and again for a few words each time.
    fn resize(&mut self, need: usize, root_words: usize) -> bool {
        let used = self.used() + need;
        let asked = ranks::size(ranks::after(self.rank, used as u64)) as usize;
        let spare = if self.block.words < asked {
            used / 16
        } else {
            0
        };
        // Scanning a deep stack costs as much as copying that many words, so it counts as such:
        // else deep recursion would scan its whole stack at each collection of a small heap.
        let rank = ranks::after(self.rank, (used + root_words) as u64).max(self.settings.floor);
        self.rank = rank;
        let usable = (ranks::size(rank) as usize).max(used).min(self.block.words);
        self.set_limit(usable);
        used + spare <= self.block.words
    }

    fn set_limit(&mut self, usable: usize) {
        let usable = if self.settings.stress { 0 } else { usable };
        // SAFETY: usable never exceeds the words of the block.
        self.limit = unsafe { self.block.base.as_ptr().add(usable) };
    }

    fn give_up(&mut self, from: Block) {
        if self.settings.stress {
            for i in 0..from.words + HEADROOM {
                // SAFETY: the block is still mapped and nothing refers to it any more.
                unsafe { *from.base.as_ptr().add(i) = POISON };
            }
        }
        if from.words <= KEEP_WORDS {
            self.spare = Some(from);
        }
    }

    /// Calls `visit` with the place of every reference out of this heap, right after a collection: then
    /// all that is here is live.
    pub fn for_each_reference(&self, mut visit: impl FnMut(&Cell<Value>)) {
        let mut outside = |at: *mut u64| {
            // SAFETY: a word of an object, or a constant; this thread alone uses them.
            let place = unsafe { &*at.cast::<Cell<Value>>() };
            let v = place.get();
            if !v.is_direct() && !self.contains(v.address() as u64) {
                visit(place);
            }
        };
        let mut at = self.block.base.as_ptr();
        while at < self.top {
            // SAFETY: objects fill base..top.
            unsafe {
                let header = Header::from_bits(*at);
                let words = header.words();
                if !header.is(Kind::Nat) {
                    (1..=words).for_each(|i| outside(at.add(i)));
                }
                at = at.add(1 + words);
            }
        }
        for entry in &self.compiled {
            let (first, count) = entry.constants();
            // SAFETY: the block has `count` constants from `first` on.
            (0..count).for_each(|i| outside(unsafe { first.add(i).cast() }));
        }
    }

    fn free_unreached_code(&mut self) {
        let epoch = self.epoch;
        self.compiled.retain(|entry| {
            let live = entry.is_marked(epoch);
            if !live {
                entry.free();
            }
            live
        });
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        for entry in &self.compiled {
            entry.free();
        }
    }
}

#[cfg(test)]
mod tests;
