//! Sums and differences.
//!
//! Invariants:
//! - A carry or borrow never leaves a function unreported: either the result has room for it by
//!   contract, or it is the return value.

use super::size::trim;

/// `out = a + b`. Needs `out.len() >= max(len(a), len(b)) + 1`.
pub fn add(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let (low, rest) = out.split_at_mut(short.len());
    let mut carry = false;
    for ((o, &x), &y) in low.iter_mut().zip(long).zip(short) {
        (*o, carry) = x.carrying_add(y, carry);
    }
    let (high, top) = rest.split_at_mut(long.len() - short.len());
    if !high.is_empty() {
        high.copy_from_slice(&long[short.len()..]);
        carry = carry && inc(high);
    }
    top[0] = u64::from(carry);
    top[1..].fill(0);
}

/// `out = a − b`. Needs `a >= b` and `out.len() >= len(a)`.
pub fn sub(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    let (low, rest) = out.split_at_mut(b.len());
    let mut borrow = false;
    for ((o, &x), &y) in low.iter_mut().zip(&a[..b.len()]).zip(b) {
        (*o, borrow) = x.borrowing_sub(y, borrow);
    }
    let (high, top) = rest.split_at_mut(a.len() - b.len());
    high.copy_from_slice(&a[b.len()..]);
    let negative = borrow && dec(high);
    debug_assert!(!negative, "nat::sub: a < b");
    top.fill(0);
}

/// `inout += b` modulo `2^(64·inout.len())`; true when a carry left the top.
/// Needs `inout.len() >= len(b)`.
pub fn add_in_place(inout: &mut [u64], b: &[u64]) -> bool {
    let b = trim(b);
    let (low, high) = inout.split_at_mut(b.len());
    let mut carry = false;
    for (x, &y) in low.iter_mut().zip(b) {
        (*x, carry) = x.carrying_add(y, carry);
    }
    carry && inc(high)
}

/// `inout −= b` modulo `2^(64·inout.len())`; true when the difference was negative.
/// Needs `inout.len() >= len(b)`.
pub fn sub_in_place(inout: &mut [u64], b: &[u64]) -> bool {
    let b = trim(b);
    let (low, high) = inout.split_at_mut(b.len());
    let mut borrow = false;
    for (x, &y) in low.iter_mut().zip(b) {
        (*x, borrow) = x.borrowing_sub(y, borrow);
    }
    borrow && dec(high)
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
