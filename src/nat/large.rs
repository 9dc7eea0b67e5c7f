//! Large products and quotients, done by `dashu-int`.
//!
//! The crate has Karatsuba, Toom-3 and a number-theoretic transform for products, and
//! Burnikel–Ziegler for quotients. It works on numbers of its own, so operands are copied in
//! and results copied out; both are O(n) beside the work itself.
//!
//! Invariants:
//! - Operands are trimmed and at least three limbs long.
//! - `product_bytes` and `quotient_bytes` bound the heap held at any one moment.

use dashu_int::UBig;
use dashu_int::ops::DivRem;

/// Bytes in a limb.
const LIMB_BYTES: usize = 8;

/// `out = a · b`, for trimmed operands.
pub fn product(out: &mut [u64], a: &[u64], b: &[u64]) {
    let product = if core::ptr::eq(a, b) {
        UBig::from_words(a).sqr()
    } else {
        UBig::from_words(a) * UBig::from_words(b)
    };
    put(out, &product);
}

/// `q = ⌊a / b⌋`, `r = a mod b`, for trimmed operands.
pub fn quotient(q: &mut [u64], r: &mut [u64], a: &[u64], b: &[u64]) {
    let (quotient, rest) = UBig::from_words(a).div_rem(UBig::from_words(b));
    put(q, &quotient);
    put(r, &rest);
}

/// Writes `n` to `out`, zero limbs above it.
fn put(out: &mut [u64], n: &UBig) {
    let words = n.as_words();
    let (low, top) = out.split_at_mut(words.len());
    low.copy_from_slice(words);
    top.fill(0);
}

/// Bound on the heap that `product` takes for operands of `la` and `lb` limbs, in bytes.
pub fn product_bytes(la: usize, lb: usize) -> usize {
    let total = la.saturating_add(lb);
    let numbers = copy_limbs(la)
        .saturating_add(copy_limbs(lb))
        .saturating_add(copy_limbs(total));
    numbers
        .saturating_add(workspace_limbs(total, la.min(lb)))
        .saturating_mul(LIMB_BYTES)
}

/// Bound on the heap that `quotient` takes for operands of `la` and `lb` limbs, in bytes.
pub fn quotient_bytes(la: usize, lb: usize) -> usize {
    let quotient = la.saturating_sub(lb);
    let numbers = copy_limbs(la)
        .saturating_add(copy_limbs(lb).saturating_mul(2))
        .saturating_add(copy_limbs(quotient));
    let shorter = quotient.min(lb / 2 + 1);
    numbers
        .saturating_add(workspace_limbs(lb, shorter))
        .saturating_mul(LIMB_BYTES)
}

/// Limbs that `dashu-int` allocates for a number of `n`.
fn copy_limbs(n: usize) -> usize {
    n.saturating_add(n / 4).saturating_add(8)
}

/// Limbs of working space of a product of `total` limbs whose shorter factor has `shorter`.
/// Karatsuba and Toom-3 take at most 4n + 20·log₂ n; the transform allocates for its narrowest
/// packing, six arrays of the next power of two above four coefficients a limb.
fn workspace_limbs(total: usize, shorter: usize) -> usize {
    const TRANSFORM_LIMBS: usize = 4_000;
    if shorter <= TRANSFORM_LIMBS {
        return 4 * shorter + 20 * (shorter.max(2).ilog2() as usize + 1);
    }
    let points = total.saturating_mul(4).saturating_add(1);
    let arrays = points
        .checked_next_power_of_two()
        .map_or(usize::MAX, |n| n.saturating_mul(6));
    arrays.saturating_add(total)
}
