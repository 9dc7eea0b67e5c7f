//! Products of middle length by Karatsuba's algorithm (Knuth, TAOCP vol. 2, 4.3.3; Brent and
//! Zimmermann, Modern Computer Arithmetic, 1.3.2, the subtractive form, which needs no carries
//! between the halves).
//!
//! Invariants:
//! - Working space is given by the caller and never allocated here; `space` says how much.
//! - Both factors have the same number of limbs, and the result twice that.

use core::cmp::Ordering;

use super::add::{add, add_in_place, sub, sub_in_place};
use super::mul::{MUL_SCHOOL, SQR_SCHOOL, schoolbook, schoolbook_square};
use super::size::cmp;

/// Limbs of working space for factors of `n` limbs.
pub fn space(n: usize) -> usize {
    let (mut n, mut limbs) = (n, 1);
    while n > MUL_SCHOOL {
        n = n.div_ceil(2);
        limbs += 2 * n;
    }
    limbs + 2 * n
}

/// `out = a · b`.
pub fn product(out: &mut [u64], a: &[u64], b: &[u64], space: &mut [u64]) {
    let n = a.len();
    if n <= MUL_SCHOOL {
        return schoolbook(out, a, b);
    }
    let half = n.div_ceil(2);
    let ((a0, a1), (b0, b1)) = (a.split_at(half), b.split_at(half));
    let (middle, space) = space.split_at_mut(2 * half);
    // The differences are kept where the outer products go afterwards.
    let (left, right) = out[..2 * half].split_at_mut(half);
    let negative = distance(left, a0, a1) != distance(right, b0, b1);
    product(middle, left, right, space);
    let (low, high) = out.split_at_mut(2 * half);
    product(low, a0, b0, space);
    product(high, a1, b1, space);
    join(out, middle, negative, space);
}

/// `out = a²`.
pub fn square(out: &mut [u64], a: &[u64], space: &mut [u64]) {
    let n = a.len();
    if n <= SQR_SCHOOL {
        return schoolbook_square(out, a);
    }
    let half = n.div_ceil(2);
    let (a0, a1) = a.split_at(half);
    let (middle, space) = space.split_at_mut(2 * half);
    distance(&mut out[..half], a0, a1);
    square(middle, &out[..half], space);
    let (low, high) = out.split_at_mut(2 * half);
    square(low, a0, space);
    square(high, a1, space);
    join(out, middle, false, space);
}

/// Adds the middle term to the outer products in `out`: their sum less `middle`, the product of
/// the differences, or plus it when that product is negative.
fn join(out: &mut [u64], middle: &[u64], negative: bool, space: &mut [u64]) {
    let sum = &mut space[..=middle.len()];
    let (low, high) = out.split_at(middle.len());
    add(sum, low, high);
    let wrapped = if negative {
        add_in_place(sum, middle)
    } else {
        sub_in_place(sum, middle)
    };
    debug_assert!(!wrapped, "nat::karatsuba: middle term out of range");
    let carry = add_in_place(&mut out[middle.len() / 2..], sum);
    debug_assert!(!carry, "nat::karatsuba: product longer than its factors");
}

/// `out = |x − y|`; true when x < y. Needs `out.len() == x.len() >= y.len()`.
fn distance(out: &mut [u64], x: &[u64], y: &[u64]) -> bool {
    let less = cmp(x, y) == Ordering::Less;
    if less {
        sub(out, y, x)
    } else {
        sub(out, x, y)
    }
    less
}
