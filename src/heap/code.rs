//! Blocks of compiled code: instructions, and the constants they refer to.
//!
//! ```text
//!   constant 0 │ … │ constant n-1 │ header (2 words) │ instructions (u32 …)
//!                                                    ▲ entry: what a code word holds
//! ```
//!
//! Invariants:
//! - A block belongs to exactly one law object; copying the object into a pin leaves it behind.
//! - Constants of a law in a nursery are relocated when the collector scans the law; constants of
//!   a pinned law point into its pin and never move.
//! - The entry is 8-byte aligned, so a code word of this kind is even.
//!
//! Safety: a block is made whole by [`allocate`] and its memory is released only by [`free`], which
//! the owner of the law object calls when that object is gone.
#![allow(unsafe_code)]

use crate::value::Value;
use alloc::alloc::{Layout, alloc, dealloc};
use core::ptr::NonNull;

/// Address of the first instruction of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry(NonNull<u32>);

// SAFETY: an entry is used by whoever holds the law that owns it, and freed once it has no owner.
unsafe impl Send for Entry {}

#[repr(C)]
struct BlockHeader {
    constants: u32,
    instructions: u32,
    marked: u64,
}

/// Words between the last constant and the first instruction.
pub const HEADER_WORDS: usize = core::mem::size_of::<BlockHeader>() / 8;

fn layout(constants: usize, instructions: usize) -> Option<Layout> {
    let words = constants + HEADER_WORDS + instructions.div_ceil(2);
    Layout::from_size_align(words.checked_mul(8)?, 8).ok()
}

/// Makes a block of these constants and instructions; `None` when there is no memory for it.
pub fn allocate(constants: &[Value], instructions: &[u32]) -> Option<Entry> {
    let counts = (
        u32::try_from(constants.len()).ok()?,
        u32::try_from(instructions.len()).ok()?,
    );
    let layout = layout(constants.len(), instructions.len())?;
    // SAFETY: the layout is never empty: it holds at least the header.
    let base = NonNull::new(unsafe { alloc(layout) })?.cast::<u64>();
    // SAFETY: the three parts lie one behind the other inside the block just allocated.
    unsafe {
        let header = base.add(constants.len());
        let entry = header.add(HEADER_WORDS).cast::<u32>();
        base.cast::<Value>()
            .as_ptr()
            .copy_from_nonoverlapping(constants.as_ptr(), constants.len());
        header.cast::<BlockHeader>().write(BlockHeader {
            constants: counts.0,
            instructions: counts.1,
            marked: 0,
        });
        entry
            .as_ptr()
            .copy_from_nonoverlapping(instructions.as_ptr(), instructions.len());
        Some(Entry(entry))
    }
}

impl Entry {
    /// The entry in a code word that [`Entry::word`] gave.
    ///
    /// The word must be a nonzero even code word of a live law or pin.
    #[inline]
    pub fn from_word(word: u64) -> Option<Entry> {
        if word & 1 == 1 {
            return None;
        }
        NonNull::new(word as *mut u32).map(Entry)
    }

    /// What to store as code word.
    pub fn word(self) -> u64 {
        self.0.as_ptr() as u64
    }

    fn header(self) -> NonNull<BlockHeader> {
        // SAFETY: every entry has its header right before it.
        unsafe { self.0.cast::<BlockHeader>().sub(1) }
    }

    fn counts(self) -> (usize, usize) {
        // SAFETY: the header is alive as long as the entry is.
        let header = unsafe { self.header().as_ref() };
        (header.constants as usize, header.instructions as usize)
    }

    /// First constant and number of constants.
    pub fn constants(self) -> (*mut Value, usize) {
        let (constants, _) = self.counts();
        // SAFETY: the constants end where the header begins.
        let first = unsafe { self.header().cast::<Value>().sub(constants) };
        (first.as_ptr(), constants)
    }

    /// Marks the block as reached in the collection `epoch`; false if it already was.
    pub fn mark(self, epoch: u64) -> bool {
        // SAFETY: the block belongs to this machine; nothing else holds a reference to its header.
        let header = unsafe { self.header().as_mut() };
        core::mem::replace(&mut header.marked, epoch) != epoch
    }

    /// Whether the block was reached in the collection `epoch`.
    pub fn is_marked(self, epoch: u64) -> bool {
        // SAFETY: the header is alive as long as the entry is.
        unsafe { self.header().as_ref().marked == epoch }
    }

    /// Releases the block. The law that owned it must be unreachable.
    pub fn free(self) {
        let (constants, instructions) = self.counts();
        if let Some(layout) = layout(constants, instructions) {
            // SAFETY: allocated in `allocate` with the same layout.
            unsafe { dealloc(self.constants().0.cast::<u8>(), layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gives_back_what_was_put_in() {
        let constants = [Value::direct(7), Value::direct(8), Value::direct(9)];
        let entry = allocate(&constants, &[1, 2, 3]).expect("memory");
        assert_eq!(entry.word() & 7, 0);
        let (first, n) = entry.constants();
        // SAFETY: the block is alive.
        let stored = unsafe { core::slice::from_raw_parts(first, n) };
        assert_eq!(stored, constants);
        assert!(entry.mark(1) && !entry.mark(1) && entry.is_marked(1) && !entry.is_marked(2));
        assert_eq!(Entry::from_word(entry.word()), Some(entry));
        assert_eq!(Entry::from_word(3), None);
        entry.free();
    }
}
