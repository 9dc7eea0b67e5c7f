//! Products and powers.
//!
//! Schoolbook (Knuth, TAOCP vol. 2, 4.3.1, algorithm M) up to `MUL_LARGE` limbs of the shorter
//! factor, `dashu-int` above.
//!
//! Invariants:
//! - No allocation while the shorter factor has at most `MUL_LARGE` limbs (squares: `SQR_LARGE`).

use alloc::vec;
use alloc::vec::Vec;

use super::bits::{shl, shr, trailing_zeros};
use super::large;
use super::size::{bit_len, trim};

/// Longest shorter factor, in limbs, that the schoolbook product takes.
pub(super) const MUL_LARGE: usize = 32;

/// Longest number, in limbs, that the schoolbook square takes.
pub(super) const SQR_LARGE: usize = 48;

/// `out = a · b`. Needs `out.len() >= len(a) + len(b)`.
pub fn mul(out: &mut [u64], a: &[u64], b: &[u64]) {
    if core::ptr::eq(a, b) {
        return sqr(out, a);
    }
    let (a, b) = (trim(a), trim(b));
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    match short {
        [] => out.fill(0),
        [limb] => mul_limb(out, long, *limb),
        _ if short.len() <= MUL_LARGE => schoolbook(out, long, short),
        _ => large::product(out, long, short),
    }
}

/// `out = a²`. Needs `out.len() >= 2·len(a)`.
pub fn sqr(out: &mut [u64], a: &[u64]) {
    let a = trim(a);
    match a {
        [] => out.fill(0),
        [limb] => mul_limb(out, a, *limb),
        _ if a.len() <= SQR_LARGE => schoolbook_square(out, a),
        _ => large::product(out, a, a),
    }
}

/// `out = a · m` for a factor of one limb. Needs `out.len() >= len(a) + 1`.
pub fn mul_limb(out: &mut [u64], a: &[u64], m: u64) {
    let a = trim(a);
    let (low, top) = out.split_at_mut(a.len());
    let carry = mul_row(low, a, m);
    top[0] = carry;
    top[1..].fill(0);
}

/// `out = low limbs of a · m`, the carry returned. Lengths are equal.
#[inline]
fn mul_row(out: &mut [u64], a: &[u64], m: u64) -> u64 {
    let mut carry = 0;
    for (o, &x) in out.iter_mut().zip(a) {
        (*o, carry) = x.carrying_mul(m, carry);
    }
    carry
}

/// `out += a · m`, the carry returned. Lengths are equal.
#[inline]
fn add_mul_row(out: &mut [u64], a: &[u64], m: u64) -> u64 {
    let mut carry = 0;
    for (o, &x) in out.iter_mut().zip(a) {
        (*o, carry) = x.carrying_mul_add(m, *o, carry);
    }
    carry
}

/// The schoolbook product of trimmed, non-empty factors.
fn schoolbook(out: &mut [u64], a: &[u64], b: &[u64]) {
    let n = a.len();
    out[n] = mul_row(&mut out[..n], a, b[0]);
    for (i, &limb) in b.iter().enumerate().skip(1) {
        out[n + i] = add_mul_row(&mut out[i..n + i], a, limb);
    }
    out[n + b.len()..].fill(0);
}

/// The schoolbook square of a trimmed, non-empty number: the products of different limbs once,
/// doubled, plus the squares of the limbs.
fn schoolbook_square(out: &mut [u64], a: &[u64]) {
    let n = a.len();
    out[0] = 0;
    out[n] = mul_row(&mut out[1..n], &a[1..], a[0]);
    for i in 1..n {
        out[n + i] = add_mul_row(&mut out[2 * i + 1..n + i], &a[i + 1..], a[i]);
    }
    out[2 * n..].fill(0);
    let (mut shifted, mut carry) = (0, false);
    for (pair, &x) in out.as_chunks_mut::<2>().0.iter_mut().zip(a) {
        let [low, high] = *pair;
        let (square_low, square_high) = x.carrying_mul(x, 0);
        (pair[0], carry) = (low << 1 | shifted).carrying_add(square_low, carry);
        (pair[1], carry) = (high << 1 | low >> 63).carrying_add(square_high, carry);
        shifted = high >> 63;
    }
}

/// Bound on the temporary heap that `mul` takes for factors of `la` and `lb` limbs, in bytes.
pub fn mul_scratch(la: usize, lb: usize) -> usize {
    if la.min(lb) <= MUL_LARGE {
        0
    } else {
        large::product_bytes(la, lb)
    }
}

/// `b^e`, by repeated squaring from the top bit of `e` down (TAOCP vol. 2, 4.6.3); 0^0 is 1.
/// The caller has checked that `bit_len(b)·e` bits are affordable.
pub fn pow(b: &[u64], e: u64) -> Vec<u64> {
    let b = trim(b);
    match (b, e) {
        (_, 0) | ([1], _) => return vec![1],
        ([], _) => return vec![],
        _ => {}
    }
    let zeros = trailing_zeros(b);
    let mut odd = vec![0; b.len()];
    shr(&mut odd, b, zeros);
    let power = pow_odd(trim(&odd), e);
    if zeros == 0 {
        return power;
    }
    let shift = zeros * e;
    let mut out = vec![0; power.len() + (shift / 64) as usize + 1];
    shl(&mut out, &power, shift);
    out.truncate(trim(&out).len());
    out
}

/// `b^e` for a trimmed odd `b` and `e >= 1`, trimmed.
fn pow_odd(b: &[u64], e: u64) -> Vec<u64> {
    if b == [1] {
        return vec![1];
    }
    let limbs = (bit_len(b) * e).div_ceil(64) as usize + 2;
    let (mut power, mut next) = (Vec::with_capacity(limbs), Vec::with_capacity(limbs));
    power.extend_from_slice(b);
    for bit in (0..e.ilog2()).rev() {
        next.resize(2 * power.len(), 0);
        sqr(&mut next, &power);
        next.truncate(trim(&next).len());
        core::mem::swap(&mut power, &mut next);
        if e >> bit & 1 == 1 {
            next.resize(power.len() + b.len(), 0);
            mul(&mut next, &power, b);
            next.truncate(trim(&next).len());
            core::mem::swap(&mut power, &mut next);
        }
    }
    power
}

/// Bound on the heap that `pow` takes for a result of at most `bits` bits, in bytes, the result
/// included.
pub fn pow_scratch(bits: u64) -> usize {
    let limbs = usize::try_from(bits / 64 + 4).unwrap_or(usize::MAX);
    let half = limbs / 2 + 1;
    limbs
        .saturating_mul(24)
        .saturating_add(mul_scratch(half, half))
}
