//! Long quotients by recursive division (Burnikel and Ziegler, "Fast recursive division", MPI-I-
//! 98-1-022, 1998): a quotient of half the digits comes from the upper halves of dividend and
//! divisor, and one product brings in the lower half, so quotients cost a logarithm more than
//! products.
//!
//! Invariants:
//! - The divisor has its top bit set.
//! - A window of the dividend starts out less than divisor·2^(64·digits), or exceeds it by so
//!   little that the quotient has one bit more, which is returned apart.
//! - After a step the window holds the remainder, and zeros above it.

use alloc::vec;

use super::add::{add_in_place, dec, sub_in_place};
use super::bits::{shl, shr};
use super::div::div_rem_schoolbook;
use super::mul::{mul, mul_scratch};

/// Most digits of a quotient found by algorithm D.
///
/// Quotients of 200 limbs by 100, and of 2000 by 1000, in µs (machine as in `mul`): at 16 digits
/// 5.90 and 230; at 24 5.86 and 230; at 40 5.87 and 230; at 56 6.49 and 232; at 80 6.48 and 238.
const LEAF: usize = 24;

/// `q = ⌊a / b⌋`, `r = a mod b`, for trimmed operands with `a >= b` and `b` not 0.
/// Needs `q.len() > a.len() − b.len()` and `r.len() >= b.len()`.
pub fn div_rem(q: &mut [u64], r: &mut [u64], a: &[u64], b: &[u64]) {
    let n = b.len();
    let shift = u64::from(b[n - 1].leading_zeros());
    let (mut divisor, mut window) = (vec![0; n], vec![0; a.len() + 1]);
    shl(&mut divisor, b, shift);
    shl(&mut window, a, shift);
    let (digits, top) = q.split_at_mut(window.len() - n);
    top.fill(0);
    // Blocks of n digits from the top; what does not fill a block comes first.
    let mut done = digits.len();
    while done > 0 {
        let count = if done % n == 0 { n } else { done % n };
        done -= count;
        let part = &mut window[done..done + count + n];
        let over = divide(part, &divisor, &mut digits[done..done + count]);
        debug_assert!(!over, "nat::recursive: window not less than the divisor");
    }
    shr(r, &window[..n], shift);
}

/// Limbs of heap that `div_rem` takes for operands of `la` and `lb` limbs.
pub fn space_bytes(la: usize, lb: usize) -> usize {
    let numbers = la
        .saturating_add(1)
        .saturating_add(lb.saturating_mul(2))
        .saturating_mul(8);
    numbers
        .saturating_add(mul_scratch(lb / 2 + 1, lb / 2 + 1))
        .saturating_add(512 * 8)
}

/// Divides the window `a` of `q.len() + b.len()` limbs, for at most as many digits as the divisor
/// has; true when the quotient has one bit more than fits in `q`.
fn divide(a: &mut [u64], b: &[u64], q: &mut [u64]) -> bool {
    if q.len() < b.len() {
        return divide_short(a, b, q);
    }
    let n = b.len();
    if n <= LEAF {
        return divide_leaf(a, b, q);
    }
    let half = n / 2;
    let (low, high) = q.split_at_mut(half);
    let over = divide_short(&mut a[half..], b, high);
    let again = divide_short(&mut a[..n + half], b, low);
    debug_assert!(
        !again,
        "nat::recursive: remainder not less than the divisor"
    );
    over
}

/// `divide` for fewer digits than the divisor has: the quotient by the divisor's top digits is
/// at most two too large.
fn divide_short(a: &mut [u64], b: &[u64], q: &mut [u64]) -> bool {
    let (n, count) = (b.len(), q.len());
    let (b_low, b_high) = b.split_at(n - count);
    let mut over = i32::from(divide(&mut a[n - count..], b_high, q));
    let mut product = vec![0; n];
    mul(&mut product, q, b_low);
    let rest = &mut a[..n];
    let mut borrow = i32::from(sub_in_place(rest, &product));
    if over == 1 {
        borrow += i32::from(sub_in_place(&mut rest[count..], b_low));
    }
    while borrow > 0 {
        borrow -= i32::from(add_in_place(rest, b));
        over -= i32::from(dec(q));
    }
    debug_assert!(over == 0 || over == 1);
    over == 1
}

/// `divide` by algorithm D, for at most `LEAF` digits and as long a divisor.
fn divide_leaf(a: &mut [u64], b: &[u64], q: &mut [u64]) -> bool {
    let n = b.len();
    let (mut digits, mut rest) = ([0; LEAF + 1], [0; LEAF]);
    div_rem_schoolbook(&mut digits[..=n], &mut rest[..n], a, b);
    q.copy_from_slice(&digits[..n]);
    a[..n].copy_from_slice(&rest[..n]);
    a[n..].fill(0);
    digits[n] != 0
}
