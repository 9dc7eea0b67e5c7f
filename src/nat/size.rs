//! Width and order of natural numbers.
//!
//! Invariants:
//! - Cost is O(zero limbs at the top) for the widths; comparing numbers of different width does
//!   not look below the top limb.

use core::cmp::Ordering;

/// Number of significant limbs: the index of the highest non-zero limb plus one, 0 for zero.
#[inline]
pub fn len(a: &[u64]) -> usize {
    let mut n = a.len();
    while n > 0 && a[n - 1] == 0 {
        n -= 1;
    }
    n
}

/// `a` without its zero limbs at the top.
#[inline]
pub fn trim(a: &[u64]) -> &[u64] {
    &a[..len(a)]
}

/// Number of bits up to the highest set one; 0 for zero.
#[inline]
pub fn bit_len(a: &[u64]) -> u64 {
    match trim(a) {
        [] => 0,
        [low @ .., top] => low.len() as u64 * 64 + u64::from(64 - top.leading_zeros()),
    }
}

/// Number of bytes up to the highest non-zero one; 0 for zero.
#[inline]
pub fn byte_len(a: &[u64]) -> u64 {
    bit_len(a).div_ceil(8)
}

/// Whether the number is 0.
#[inline]
pub fn is_zero(a: &[u64]) -> bool {
    a.iter().all(|&limb| limb == 0)
}

/// Numeric order of `a` and `b`.
#[inline]
pub fn cmp(a: &[u64], b: &[u64]) -> Ordering {
    let (a, b) = (trim(a), trim(b));
    match a.len().cmp(&b.len()) {
        Ordering::Equal => a.iter().rev().cmp(b.iter().rev()),
        unequal => unequal,
    }
}
