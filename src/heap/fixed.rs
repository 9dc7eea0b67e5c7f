//! Naturals outside the moving heap: long ones, and long buffers, at addresses that do not change
//! (chapter 05 §8.1, §8.2).
//!
//! They lie in blocks of the arena that its collector leaves alone. The machine that made them
//! lists them; a collection of its moving heap, which meets every reference of the machine, marks
//! those it meets and frees the others. A block is `{place in the list, header, limbs …}`.
//!
//! Going through the whole list at each collection costs nothing that shows: a collection copies
//! everything live anyway, and looks at one reference at least for each block that stays.
//!
//! Invariants:
//! - the word before the header of a listed block is its place in the list, from 1; that of a
//!   short buffer, which the collector of the arena frees, is 0;
//! - outside a collection all listed blocks carry the number of the last one;
//! - nothing but values of the one machine refers to them: a pin holds a copy;
//! - freed blocks of up to 16 MiB are kept for the next, [`SPARE`] bytes of them at
//!   most, until [`AGE`] collections have passed in which they were not needed.
//!
//! Safety: blocks in the list and spare ones are ours until we give them back to the arena, and
//! have the two words before their payload.
#![allow(unsafe_code)]

use super::arena::{Arena, Owner};
use super::nursery::Exhausted;
use crate::value::{Header, Value, WORD};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ptr::{NonNull, null_mut};

/// Naturals of at least so many limbs are born here.
pub const FIXED_WORDS: usize = 1024;
/// Buffers of at least so many words are, too: shorter ones are slots of spans of the arena.
pub const FIXED_BUFFER_WORDS: usize = 511;

/// Bytes made since the last collection that start the next, at least.
const FLOOR: u64 = 2 << 20;
/// Bytes of freed blocks that are kept.
const SPARE: u64 = 32 << 20;
/// Collections between two times that spare blocks are given back. With 1, programs whose numbers
/// grow and shrink again (factorials in turn) spent half their time on faulting pages in.
const AGE: u32 = 8;
/// Binary logarithm of the bytes of the smallest block.
const LEAST_LOG2: u32 = 12;
/// Sizes of blocks that are kept: 4 KiB to 16 MiB.
const CLASSES: usize = 13;
/// Words of a block before its limbs.
const BEFORE: usize = 2;

/// What a freed block is overwritten with in stress mode.
const POISON: u64 = 0xE0BA_DBEE_FBAD_BEE8;

/// A block in use.
#[derive(Clone, Copy)]
struct Entry {
    payload: NonNull<u64>,
    /// The last collection that met it, or after which it was made.
    epoch: u32,
    /// Binary logarithm of its bytes.
    log2: u32,
}

impl Entry {
    fn bytes(self) -> u64 {
        1 << self.log2
    }

    fn set_place(self, place: usize) {
        // SAFETY: the first word of a block of ours.
        unsafe { self.payload.sub(BEFORE).write(place as u64 + 1) };
    }
}

/// Spare blocks of one size. A list through the blocks themselves would bring memory into the
/// cache that nobody needs yet.
struct Spare {
    blocks: Vec<NonNull<u64>>,
    /// The fewest there were since some were given back.
    fewest: usize,
}

/// The naturals of one machine outside its moving heap.
pub struct Fixed {
    list: Vec<Entry>,
    /// Bytes of the blocks listed.
    bytes: u64,
    /// Bytes of limbs made since the last collection, and how many start the next.
    since: u64,
    due: u64,
    spare: [Spare; CLASSES],
    spare_bytes: u64,
    /// Collections until spare blocks are given back.
    countdown: u32,
    /// Overwrite what is freed.
    poison: bool,
}

/// Binary logarithm of the bytes of a block for so many limbs.
fn log2_for(words: usize) -> u32 {
    let bytes = (words + BEFORE) * WORD;
    bytes.next_power_of_two().trailing_zeros().max(LEAST_LOG2)
}

/// Place in the list, from 1, of a long natural or buffer; 0 for a short one.
fn place_of(v: Value) -> usize {
    // SAFETY: they have a word before their header, and that of a freed one stays mapped.
    unsafe { *v.address().sub(BEFORE) as usize }
}

impl Fixed {
    /// None yet.
    pub fn new(poison: bool) -> Fixed {
        Fixed {
            list: Vec::new(),
            bytes: 0,
            since: 0,
            due: FLOOR,
            spare: [const {
                Spare {
                    blocks: Vec::new(),
                    fewest: 0,
                }
            }; CLASSES],
            spare_bytes: 0,
            countdown: AGE,
            poison,
        }
    }

    /// Bytes of all blocks in use.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of limbs made since the last collection.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Whether making so many limbs more should wait for a collection.
    pub fn is_due(&self, words: usize) -> bool {
        self.since > 0 && self.since + (words * WORD) as u64 > self.due
    }

    /// A block for `words` limbs of undefined content, if that leaves the blocks within `most`
    /// bytes. Address of the first limb.
    ///
    /// # Errors
    /// When there is no memory. Nothing has changed then; collecting may help.
    pub fn allocate(
        &mut self,
        words: usize,
        epoch: u64,
        most: u64,
        arena: &mut Arena,
    ) -> Result<NonNull<u64>, Exhausted> {
        let log2 = log2_for(words);
        if self.bytes + (1 << log2) > most || self.list.try_reserve(1).is_err() {
            return Err(Exhausted);
        }
        let payload = match self.take_spare(log2) {
            Some(payload) => payload,
            None => {
                let block = arena.allocate(Header::nat(64 * words as u64), Owner::Manual);
                block.map_err(|_| Exhausted)?
            }
        };
        let entry = Entry {
            payload,
            epoch: epoch as u32,
            log2,
        };
        entry.set_place(self.list.len());
        self.list.push(entry);
        self.bytes += entry.bytes();
        self.since += (words * WORD) as u64;
        Ok(payload)
    }

    /// Cuts the block made last down to `words` limbs, which move to a smaller block if there is
    /// one, or gives it up if there are none. Address of the first limb.
    pub fn truncate(&mut self, was: usize, words: usize, arena: &mut Arena) -> *mut u64 {
        self.since -= ((was - words) * WORD) as u64;
        let Some(last) = self.list.last().copied() else {
            return null_mut();
        };
        let from = last.payload.as_ptr();
        if words == 0 {
            self.list.pop();
            self.free(last, arena);
            return null_mut();
        }
        let log2 = log2_for(words);
        if log2 == last.log2 {
            return from;
        }
        let header = Header::nat(64 * words as u64);
        let smaller = self.take_spare(log2);
        let smaller = smaller.or_else(|| arena.allocate(header, Owner::Manual).ok());
        let Some(payload) = smaller else {
            return from;
        };
        // SAFETY: both blocks have so many limbs.
        unsafe { payload.as_ptr().copy_from_nonoverlapping(from, words) };
        let place = self.list.len() - 1;
        let entry = Entry {
            payload,
            log2,
            ..last
        };
        entry.set_place(place);
        self.list[place] = entry;
        self.bytes += entry.bytes();
        self.free(last, arena);
        payload.as_ptr()
    }

    /// A collection has met this reference.
    #[inline]
    pub fn mark(&mut self, v: Value, epoch: u64) {
        if let Some(entry) = self.list.get_mut(place_of(v).wrapping_sub(1)) {
            entry.epoch = epoch as u32;
        }
    }

    /// Starts to count anew what is made.
    pub fn restart(&mut self) {
        self.since = 0;
    }

    /// Frees what the collection of that number, the last, has not met. It looked at so many bytes
    /// besides: the more, the more is to be made before the next.
    pub fn sweep(&mut self, epoch: u64, looked_at: u64, arena: &mut Arena) {
        self.countdown -= 1;
        let aged = self.countdown == 0;
        if aged {
            self.countdown = AGE;
            self.give_back(arena, |spare| spare.fewest);
        }
        let mut kept = 0;
        for i in 0..self.list.len() {
            let entry = self.list[i];
            if entry.epoch != epoch as u32 {
                self.free(entry, arena);
                continue;
            }
            if kept != i {
                entry.set_place(kept);
                self.list[kept] = entry;
            }
            kept += 1;
        }
        self.list.truncate(kept);
        if aged {
            let spare = self.spare.iter_mut();
            spare.for_each(|s| s.fewest = s.blocks.len());
        }
        self.due = FLOOR.max(self.bytes).max(looked_at);
    }

    /// Gives all spare blocks back to the arena.
    pub fn trim(&mut self, arena: &mut Arena) {
        self.give_back(arena, |spare| spare.blocks.len());
    }

    /// Gives all blocks back to the arena. No value may refer to one any more.
    pub fn clear(&mut self, arena: &mut Arena) {
        while let Some(entry) = self.list.pop() {
            self.free(entry, arena);
        }
        self.trim(arena);
    }

    fn give_back(&mut self, arena: &mut Arena, how_many: impl Fn(&Spare) -> usize) {
        for class in 0..CLASSES {
            for _ in 0..how_many(&self.spare[class]) {
                if let Some(payload) = self.take_spare(LEAST_LOG2 + class as u32) {
                    arena.free(payload);
                }
            }
        }
    }

    fn take_spare(&mut self, log2: u32) -> Option<NonNull<u64>> {
        let spare = self.spare.get_mut((log2 - LEAST_LOG2) as usize)?;
        let payload = spare.blocks.pop()?;
        spare.fewest = spare.fewest.min(spare.blocks.len());
        self.spare_bytes -= 1 << log2;
        Some(payload)
    }

    /// Ends the life of a block that is not in the list any more.
    fn free(&mut self, entry: Entry, arena: &mut Arena) {
        self.bytes -= entry.bytes();
        if self.poison {
            self.overwrite(entry);
        }
        let spare = self.spare.get_mut((entry.log2 - LEAST_LOG2) as usize);
        if let Some(spare) = spare
            && self.spare_bytes + entry.bytes() <= SPARE
            && spare.blocks.try_reserve(1).is_ok()
        {
            spare.blocks.push(entry.payload);
            self.spare_bytes += entry.bytes();
        } else {
            arena.free(entry.payload);
        }
    }

    fn overwrite(&self, entry: Entry) {
        let words = entry.bytes() as usize / WORD;
        // SAFETY: the whole block. Its header fits it at every moment for as long as the arena counts it:
        // another thread may be verifying the arena.
        unsafe {
            let block = entry.payload.sub(BEFORE);
            block.add(1).write(Header::nat(0).bits());
            for i in (0..words).filter(|i| *i != 1) {
                block.add(i).write(POISON);
            }
        }
    }

    /// Whether the long natural or the buffer `v` is in the list.
    pub fn contains(&self, v: Value) -> bool {
        let entry = self.list.get(place_of(v).wrapping_sub(1));
        entry.is_some_and(|entry| entry.payload.as_ptr() == v.address())
    }

    /// Whether `v` is in the list, or no long natural, or a short buffer.
    pub fn is_sound(&self, v: Value) -> bool {
        !v.is_fixed_or_buffer() || self.contains(v) || v.is_buffer() && place_of(v) == 0
    }

    /// Checks the list.
    ///
    /// # Errors
    /// The first broken invariant found.
    pub fn check(&self) -> Result<(), String> {
        let mut bytes = 0;
        for (i, entry) in self.list.iter().enumerate() {
            // SAFETY: the two words before the payload of a block in the list.
            let (place, header) = unsafe {
                let block = entry.payload.sub(BEFORE);
                (block.read(), Header::from_bits(block.add(1).read()))
            };
            let words = (header.words() + BEFORE) * WORD;
            if place != i as u64 + 1 || header.kind_byte() != 0 || words as u64 > entry.bytes() {
                let at = entry.payload;
                return Err(format!(
                    "the long natural at {at:p} has place {place} for {i}"
                ));
            }
            bytes += entry.bytes();
        }
        if bytes != self.bytes {
            let counted = self.bytes;
            return Err(format!(
                "{counted} bytes of long naturals counted, {bytes} found"
            ));
        }
        Ok(())
    }
}
