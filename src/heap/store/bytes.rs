//! Words as the bytes they are in a file.
//!
//! Invariants:
//! - the processor is little-endian, as the format is, so that nothing has to be converted.
//!
//! Safety: every sequence of bytes is a word, and bytes need no alignment.
#![allow(unsafe_code)]

use super::format::{PAGE_WORDS, Page};

const _: () = assert!(cfg!(target_endian = "little"));
const _: () = assert!(size_of::<[u64; PAGE_WORDS]>() == size_of::<Page>());

/// The bytes of some words.
pub fn of(words: &[u64]) -> &[u8] {
    // SAFETY: the same memory for the same time, see above.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// The bytes of some words, to be written.
pub fn of_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: as above, and borrowed exclusively.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

/// The bytes of the words of a page, to be written.
pub fn of_page(words: &mut [u64; PAGE_WORDS]) -> &mut Page {
    // SAFETY: as above; both are as long.
    unsafe { &mut *(&raw mut *words).cast() }
}
