//! Natural numbers as little-endian bytes.
//!
//! Invariants:
//! - Byte i of a number is bits 8i to 8i+7; bytes past the end read as 0.
//! - Offsets are in bytes and may have any value.
//!
//! Safety: the one unsafe block views limbs as bytes, which every limb slice allows; nothing
//! is written through the view.
#![allow(unsafe_code)]

use alloc::vec::Vec;

/// Bytes in a limb.
const LIMB_BYTES: u64 = 8;

/// `n` bytes (at most 8) of `a` from byte offset `off` on, as a number.
#[inline]
pub fn load_bytes(a: &[u64], off: u64, n: u32) -> u64 {
    debug_assert!(n <= 8);
    let wide = byte_window(a, off);
    match n {
        0 => 0,
        8.. => wide,
        _ => wide & ((1 << (8 * n)) - 1),
    }
}

/// The 8 bytes of `a` at byte offset `off`.
#[inline]
fn byte_window(a: &[u64], off: u64) -> u64 {
    let index = off / LIMB_BYTES;
    if index >= a.len() as u64 {
        return 0;
    }
    let index = index as usize;
    let shift = 8 * (off % LIMB_BYTES) as u32;
    let low = a[index] >> shift;
    if shift == 0 || index + 1 == a.len() {
        return low;
    }
    low | a[index + 1] << (64 - shift)
}

/// Overwrites `n` bytes (at most 8) of `inout` at byte offset `off` with the low bytes of `v`.
/// Bytes past the end of `inout` are dropped; they must be zero.
#[inline]
pub fn store_bytes(inout: &mut [u64], off: u64, n: u32, v: u64) {
    debug_assert!(n <= 8);
    let index = off / LIMB_BYTES;
    let mask = if n >= 8 { u64::MAX } else { (1 << (8 * n)) - 1 };
    let v = v & mask;
    if index >= inout.len() as u64 {
        debug_assert!(v == 0, "nat::store_bytes: past the end");
        return;
    }
    let index = index as usize;
    let shift = 8 * (off % LIMB_BYTES) as u32;
    inout[index] = inout[index] & !(mask << shift) | v << shift;
    if shift == 0 {
        return;
    }
    let (high_mask, high) = (mask >> (64 - shift), v >> (64 - shift));
    match inout.get_mut(index + 1) {
        Some(limb) => *limb = *limb & !high_mask | high,
        None => debug_assert!(high == 0, "nat::store_bytes: past the end"),
    }
}

/// The number whose little-endian bytes are `bytes`, in ⌈bytes.len()/8⌉ limbs.
pub fn bytes_to_limbs(bytes: &[u8]) -> Vec<u64> {
    let mut limbs = Vec::with_capacity(bytes.len().div_ceil(8));
    let (whole, rest) = bytes.as_chunks::<8>();
    limbs.extend(whole.iter().map(|chunk| u64::from_le_bytes(*chunk)));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        limbs.push(u64::from_le_bytes(last));
    }
    limbs
}

/// The little-endian bytes of `a`, eight a limb, zero bytes at the top included.
#[inline]
pub fn as_bytes(a: &[u64]) -> &[u8] {
    const {
        assert!(
            cfg!(target_endian = "little"),
            "limbs are viewed as bytes in place"
        )
    };
    // SAFETY: the slice covers `size_of_val(a)` initialised bytes, u8 has alignment 1 and no
    // invalid values, and the result borrows `a`, so nothing writes to it meanwhile.
    unsafe { core::slice::from_raw_parts(a.as_ptr().cast(), size_of_val(a)) }
}
