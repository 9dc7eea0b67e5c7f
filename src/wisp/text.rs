//! Putting messages together.
//!
//! Invariants:
//! - Never inlined: messages are made once, and the growing of a vector takes more code than a call.

use alloc::vec::Vec;

/// The parts one after the other.
#[cold]
#[inline(never)]
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Appends the parts.
#[cold]
#[inline(never)]
pub fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends a number in decimal.
#[cold]
#[inline(never)]
pub fn put_number(out: &mut Vec<u8>, n: u64) {
    crate::value::print::decimal(n, out);
}
