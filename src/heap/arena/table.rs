//! What the collector and its mutators know of the arena without the lock: where blocks begin, and
//! the mark of each.
//!
//! Invariants:
//! - an address is looked up only where a reference keeps its block alive, or under the lock, so the
//!   class of its span and the states of the nodes at and below its leaf do not change meanwhile;
//! - a block too large for a slot has its mark at the number of its first 4 KiB;
//! - marking is atomic: of all who mark a block in one collection exactly one is told so.
//!
//! Safety: the two mappings hold zeros or atomics of the table, and live as long as it does.
#![allow(unsafe_code)]

use super::buddy::tree::{NodeState, Tree};
use super::buddy::{BLOCK_WORDS, Buddy, View};
use super::span::{SPAN, SPAN_LOG2, Span, size, slot_at};
use super::{UNIT_LOG2, WORD_BYTES};
use crate::os::Errno;
use crate::os::mem::{self, Region};
use crate::value::{TAG_PIN, Value};
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

/// The rows of all spans, the marks of large blocks, and the states of nodes.
#[derive(Debug)]
pub struct Table {
    spans: Region,
    marks: Region,
    base: u64,
    bytes: u64,
    tree: Tree<View>,
}

// SAFETY: all that is reached through a shared table is atomic.
unsafe impl Sync for Table {}

/// A block, found from an address inside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its size in the arena, in bytes.
    pub bytes: u64,
    /// Where its mark is: a slot of the span, or `None` for a large block.
    slot: Option<usize>,
}

impl Table {
    /// Bytes of the rows, and of the marks, for an arena of so many bytes.
    fn sizes(bytes: u64) -> Result<[usize; 2], Errno> {
        let rows = (bytes >> SPAN_LOG2) as usize * size_of::<Span>();
        let marks = (bytes >> UNIT_LOG2) as usize / 8;
        Ok([mem::round_up(rows)?, mem::round_up(marks)?])
    }

    /// Bytes of memory the table of an arena of so many bytes needs.
    pub fn bytes_for(bytes: u64) -> Result<usize, Errno> {
        Table::sizes(bytes).map(|sizes| sizes.iter().sum())
    }

    /// The table of an arena, in memory of the size that [`bytes_for`](Self::bytes_for) says.
    ///
    /// # Safety
    /// The table must not outlive the allocator.
    pub unsafe fn new(buddy: &Buddy, mut memory: Region) -> Result<Table, Errno> {
        let bytes = buddy.capacity();
        let marks = memory.split_off(Table::sizes(bytes)?[1])?;
        Ok(Table {
            spans: memory,
            marks,
            base: buddy.base().as_ptr().addr() as u64,
            bytes,
            // SAFETY: the caller keeps the allocator.
            tree: unsafe { buddy.view() },
        })
    }

    /// Address of the first byte of the arena.
    #[inline(always)]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The offset of an address; `None` outside the arena.
    #[inline(always)]
    pub fn offset(&self, address: u64) -> Option<u64> {
        let offset = address.wrapping_sub(self.base);
        (offset < self.bytes).then_some(offset)
    }

    /// The row for the 64 KiB of that number.
    #[inline(always)]
    pub fn span(&self, number: u64) -> &Span {
        debug_assert!(number < self.bytes >> SPAN_LOG2);
        // SAFETY: there is a row for each 64 KiB, and zeros are a row.
        unsafe {
            self.spans
                .base()
                .cast::<Span>()
                .add(number as usize)
                .as_ref()
        }
    }

    /// The word and the bit of the mark of a large block.
    fn large_mark(&self, offset: u64) -> (&AtomicU64, u64) {
        let unit = offset >> UNIT_LOG2;
        debug_assert!(offset < self.bytes);
        // SAFETY: there is a bit for each 4 KiB, in whole words.
        let word = unsafe {
            self.marks
                .base()
                .cast::<AtomicU64>()
                .add(unit as usize / 64)
                .as_ref()
        };
        (word, 1 << (unit % 64))
    }

    /// The block around the byte at `offset`; `None` for free memory.
    pub fn place(&self, offset: u64) -> Option<Place> {
        let number = offset >> SPAN_LOG2;
        let span = self.span(number);
        if let Some(class) = span.class() {
            let slot = slot_at(class, offset % SPAN);
            if slot >= super::span::slots(class) || !span.is_used(slot) {
                return None;
            }
            return Some(Place {
                offset: (number << SPAN_LOG2) + slot as u64 * size(class),
                bytes: size(class),
                slot: Some(slot),
            });
        }
        let (leaf, state) = self.tree.allocated_at(offset)?;
        let geometry = self.tree.geometry();
        (state == NodeState::AllocGc).then(|| Place {
            offset: geometry.offset(leaf),
            bytes: geometry.size(leaf.level),
            slot: None,
        })
    }

    /// Word and bit of the mark of a block.
    fn mark_of(&self, place: Place) -> (&AtomicU64, u64) {
        match place.slot {
            Some(slot) => {
                let span = self.span(place.offset >> SPAN_LOG2);
                (&span.marked[slot / 64], 1 << (slot % 64))
            }
            None => self.large_mark(place.offset),
        }
    }

    /// Marks the block around an address. The address of its payload if it was not marked before;
    /// `None` if it was, and for addresses of no block of the collector.
    #[inline]
    pub fn mark(&self, address: u64) -> Option<u64> {
        let place = self.place(self.offset(address)?)?;
        let (word, bit) = self.mark_of(place);
        if word.load(Relaxed) & bit != 0 || word.fetch_or(bit, Relaxed) & bit != 0 {
            return None;
        }
        Some(self.base + place.offset + BLOCK_WORDS * WORD_BYTES)
    }

    /// Where in the persistence region the copy is of what lies at an address inside a pin, if the pin
    /// has a copy there. In it, the checksums of its pins are between them and the objects.
    pub fn copy_of(&self, address: u64) -> Option<u64> {
        let place = self.place(self.offset(address)?)?;
        let payload = self.base + place.offset + BLOCK_WORDS * WORD_BYTES;
        let pin = Value::reference(TAG_PIN, payload as *const u64);
        let copy = pin.latest();
        if !copy.is_stored() {
            return None;
        }
        let distance = address - payload;
        let checksums = if distance == 0 {
            0
        } else {
            pin.raw(2).div_ceil(2)
        };
        Some(copy.address() as u64 + distance + WORD_BYTES * checksums)
    }

    /// Whether the block around an address is marked.
    pub fn is_marked(&self, address: u64) -> bool {
        let place = self.offset(address).and_then(|at| self.place(at));
        place.is_some_and(|place| {
            let (word, bit) = self.mark_of(place);
            word.load(Relaxed) & bit != 0
        })
    }

    /// Marks the large block at `offset`.
    pub fn mark_large(&self, offset: u64) {
        let (word, bit) = self.large_mark(offset);
        word.fetch_or(bit, Relaxed);
    }

    /// Takes the mark off the large block at `offset`; whether it had one.
    pub fn take_large_mark(&self, offset: u64) -> bool {
        let (word, bit) = self.large_mark(offset);
        word.fetch_and(!bit, Relaxed) & bit != 0
    }
}
