//! Sums and differences.
//!
//! Invariants:
//! - A carry or borrow never leaves a function unreported: either the result has room for it by
//!   contract, or it is the return value.
//!
//! The loops are written with the processor's add-with-carry, sixteen limbs a turn. With
//! `carrying_add` the compiler moves the carry from the flag to a register and back at every limb;
//! here it does so once a turn. A limb takes 0.25 ns in long sums (0.52 ns with `carrying_add`,
//! 0.28 ns with eight limbs a turn; machine as in `mul`).

use core::arch::x86_64::{_addcarry_u64, _subborrow_u64};

use super::size::trim;

/// Limbs in one unbroken chain of carries, in long operands.
const LONG: usize = 16;

/// Limbs in one unbroken chain of carries, in what long chains leave.
const SHORT: usize = 8;

/// The sum or difference of two limbs and a carry or borrow of 0 or 1, and the next one.
trait Step: Fn(u8, u64, u64) -> (u64, u8) + Copy {}
impl<F: Fn(u8, u64, u64) -> (u64, u8) + Copy> Step for F {}

/// The [`Step`] of sums.
#[inline(always)]
fn add_step(carry: u8, x: u64, y: u64) -> (u64, u8) {
    let mut sum = 0;
    let carry = _addcarry_u64(carry, x, y, &mut sum);
    (sum, carry)
}

/// The [`Step`] of differences.
#[inline(always)]
fn sub_step(borrow: u8, x: u64, y: u64) -> (u64, u8) {
    let mut difference = 0;
    let borrow = _subborrow_u64(borrow, x, y, &mut difference);
    (difference, borrow)
}

/// Applies `step` along three slices of the same length; the last carry is returned.
#[inline(always)]
fn combine(out: &mut [u64], a: &[u64], b: &[u64], step: impl Step) -> bool {
    let (a, b) = (&a[..out.len()], &b[..out.len()]);
    let (long, out) = out.as_chunks_mut::<LONG>();
    let ((a_long, a), (b_long, b)) = (a.as_chunks(), b.as_chunks());
    let carry = combine_chunks(long, a_long, b_long, 0, step);
    let (short, out) = out.as_chunks_mut::<SHORT>();
    let ((a_short, a), (b_short, b)) = (a.as_chunks(), b.as_chunks());
    let carry = combine_chunks(short, a_short, b_short, carry, step);
    let (single, _) = out.as_chunks_mut::<1>();
    combine_chunks(single, a.as_chunks().0, b.as_chunks().0, carry, step) != 0
}

/// [`combine`] for slices cut into chunks, a `carry` coming in.
#[inline(always)]
fn combine_chunks<const N: usize>(
    out: &mut [[u64; N]],
    a: &[[u64; N]],
    b: &[[u64; N]],
    mut carry: u8,
    step: impl Step,
) -> u8 {
    for ((o, x), y) in out.iter_mut().zip(a).zip(b) {
        for i in 0..N {
            (o[i], carry) = step(carry, x[i], y[i]);
        }
    }
    carry
}

/// As [`combine`], with the first operand where the result goes.
#[inline(always)]
fn combine_in_place(inout: &mut [u64], b: &[u64], step: impl Step) -> bool {
    let b = &b[..inout.len()];
    let (long, inout) = inout.as_chunks_mut::<LONG>();
    let (b_long, b) = b.as_chunks();
    let carry = combine_chunks_in_place(long, b_long, 0, step);
    let (short, inout) = inout.as_chunks_mut::<SHORT>();
    let (b_short, b) = b.as_chunks();
    let carry = combine_chunks_in_place(short, b_short, carry, step);
    let (single, _) = inout.as_chunks_mut::<1>();
    combine_chunks_in_place(single, b.as_chunks().0, carry, step) != 0
}

/// [`combine_in_place`] for slices cut into chunks, a `carry` coming in.
#[inline(always)]
fn combine_chunks_in_place<const N: usize>(
    inout: &mut [[u64; N]],
    b: &[[u64; N]],
    mut carry: u8,
    step: impl Step,
) -> u8 {
    for (x, y) in inout.iter_mut().zip(b) {
        for i in 0..N {
            (x[i], carry) = step(carry, x[i], y[i]);
        }
    }
    carry
}

/// `out = a + b`. Needs `out.len() >= max(len(a), len(b)) + 1`.
pub fn add(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let (low, rest) = out.split_at_mut(short.len());
    let mut carry = combine(low, long, short, add_step);
    let (high, top) = rest.split_at_mut(long.len() - short.len());
    if !high.is_empty() {
        high.copy_from_slice(&long[short.len()..]);
        carry = carry && inc(high);
    }
    top[0] = u64::from(carry);
    clear(&mut top[1..]);
}

/// `out = a − b`. Needs `a >= b` and `out.len() >= len(a)`.
pub fn sub(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    let (low, rest) = out.split_at_mut(b.len());
    let borrow = combine(low, a, b, sub_step);
    let (high, top) = rest.split_at_mut(a.len() - b.len());
    let mut negative = borrow;
    if !high.is_empty() {
        high.copy_from_slice(&a[b.len()..]);
        negative = borrow && dec(high);
    }
    debug_assert!(!negative, "nat::sub: a < b");
    clear(top);
}

/// Fills with zeros what is seldom there: saves the call that an empty fill would be.
#[inline(always)]
fn clear(top: &mut [u64]) {
    if !top.is_empty() {
        top.fill(0);
    }
}

/// `inout += b` modulo `2^(64·inout.len())`; true when a carry left the top.
/// Needs `inout.len() >= len(b)`.
pub fn add_in_place(inout: &mut [u64], b: &[u64]) -> bool {
    let b = trim(b);
    let (low, high) = inout.split_at_mut(b.len());
    combine_in_place(low, b, add_step) && inc(high)
}

/// `inout −= b` modulo `2^(64·inout.len())`; true when the difference was negative.
/// Needs `inout.len() >= len(b)`.
pub fn sub_in_place(inout: &mut [u64], b: &[u64]) -> bool {
    let b = trim(b);
    let (low, high) = inout.split_at_mut(b.len());
    combine_in_place(low, b, sub_step) && dec(high)
}

/// `inout += 1` modulo `2^(64·inout.len())`; true when it wrapped to 0. Amortised O(1).
#[inline]
pub fn inc(inout: &mut [u64]) -> bool {
    for limb in inout {
        let carry;
        (*limb, carry) = limb.overflowing_add(1);
        if !carry {
            return false;
        }
    }
    true
}

/// `inout −= 1` modulo `2^(64·inout.len())`; true when it was 0. Amortised O(1).
#[inline]
pub fn dec(inout: &mut [u64]) -> bool {
    for limb in inout {
        let borrow;
        (*limb, borrow) = limb.overflowing_sub(1);
        if !borrow {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    //! The seams of the loops; the random comparisons are in the tests of the room.

    use alloc::vec;

    use super::super::model::{big, blank};
    use super::*;

    /// A carry and a borrow through every number of limbs, started at every limb: the loops work in
    /// chains of limbs, and what passes from one chain to the next is where they could err.
    #[test]
    fn carries_between_chains() {
        for n in 1..70 {
            let ones = vec![u64::MAX; n];
            for at in 0..n {
                let mut unit = vec![0; at + 1];
                unit[at] = 1;
                let (mut sum, mut back) = (blank(n + 1), blank(n + 1));
                add(&mut sum, &ones, &unit);
                assert_eq!(big(&sum), big(&ones) + big(&unit), "{n} {at}");
                sub(&mut back, &sum, &unit);
                assert_eq!(big(&back), big(&ones));
                // The same over the whole length: the second operand is as long as the first.
                let mut long = vec![0; n];
                long[at] = 1;
                long[n - 1] |= 1 << 63;
                let mut inout = ones.clone();
                assert!(add_in_place(&mut inout, &long));
                add(&mut sum, &ones, &long);
                assert_eq!(sum[..n], inout[..]);
                assert_eq!(big(&sum), big(&ones) + big(&long), "{n} {at}");
                assert!(sub_in_place(&mut inout, &long));
                assert_eq!(inout, ones);
                sub(&mut back, &sum, &long);
                assert_eq!(big(&back), big(&ones));
            }
        }
    }
}
