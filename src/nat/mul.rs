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

// The thresholds were measured with `benches/nat.rs` on an x86-64 server core (AMD, family 26,
// about 4 GHz); times in ns, `dashu-int` with copying in and out included.
//
//     limbs    product: here  dashu    square: here  dashu
//        24             235    368              204    232
//        48             929   1053              632    722
//        56            1261   1261              830    878
//        64            1641   1546             1050   1203
//        96            3667   3200             2229   2156
//       112            4980   4165             2956   3080
//       128            6501   5032             3788   3666

/// Rows that the schoolbook product adds up in one pass.
const ROWS: usize = 4;

/// Longest shorter factor, in limbs, that the schoolbook product takes.
const MUL_LARGE: usize = 56;

/// Longest number, in limbs, whose square is not faster with the symmetry used than without
/// (16 limbs: 114 and 110 ns, 24 limbs: 204 and 235 ns).
const SQR_ROWS: usize = 16;

/// Longest number, in limbs, that the schoolbook square takes.
const SQR_LARGE: usize = 112;

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

/// `mul` without any allocation, O(len(a)·len(b)) at every length.
pub fn mul_schoolbook(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    match short {
        [] => out.fill(0),
        _ => schoolbook(out, long, short),
    }
}

/// `sqr` without any allocation, O(len(a)²) at every length.
pub fn sqr_schoolbook(out: &mut [u64], a: &[u64]) {
    match trim(a) {
        [] => out.fill(0),
        a => schoolbook_square(out, a),
    }
}

/// `out = a²`. Needs `out.len() >= 2·len(a)`.
pub fn sqr(out: &mut [u64], a: &[u64]) {
    let a = trim(a);
    match a {
        [] => out.fill(0),
        [limb] => mul_limb(out, a, *limb),
        _ if a.len() <= SQR_ROWS => schoolbook(out, a, a),
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

/// `out += a · m` for a factor of `N` limbs; the `N` limbs that leave the top are returned.
/// `out` and `a` are equally long.
///
/// A limb of `out` is loaded and stored once for `N` products, and the carry chains of the `N`
/// rows overlap. Four rows take 0.42 ns a product where one row takes 0.72 ns.
#[inline]
fn add_mul_rows<const N: usize>(out: &mut [u64], a: &[u64], m: [u64; N]) -> [u64; N] {
    let mut carries = [0; N];
    for (o, &x) in out.iter_mut().zip(a) {
        let mut high;
        (*o, high) = x.carrying_mul_add(m[0], *o, carries[0]);
        for k in 1..N {
            (carries[k - 1], high) = x.carrying_mul_add(m[k], high, carries[k]);
        }
        carries[N - 1] = high;
    }
    carries
}

/// The schoolbook product of trimmed, non-empty factors, four rows at a time.
fn schoolbook(out: &mut [u64], a: &[u64], b: &[u64]) {
    let n = a.len();
    out[..n].fill(0);
    let (fours, rest) = b.as_chunks::<ROWS>();
    let mut done = 0;
    for &rows in fours {
        put_rows(out, done, a, rows);
        done += ROWS;
    }
    match *rest {
        [x] => put_rows(out, done, a, [x]),
        [x, y] => put_rows(out, done, a, [x, y]),
        [x, y, z] => put_rows(out, done, a, [x, y, z]),
        _ => {}
    }
    out[n + b.len()..].fill(0);
}

/// Adds `a · m` to `out` from limb `at` on, where `out` has been written up to `at + a.len()`.
#[inline]
fn put_rows<const N: usize>(out: &mut [u64], at: usize, a: &[u64], m: [u64; N]) {
    let (low, high) = out[at..at + a.len() + N].split_at_mut(a.len());
    high.copy_from_slice(&add_mul_rows(low, a, m));
}

/// The schoolbook square of a trimmed, non-empty number: the products of different blocks of
/// four limbs once, doubled, plus the squares of the blocks.
fn schoolbook_square(out: &mut [u64], a: &[u64]) {
    out.fill(0);
    for (i, &block) in a.as_chunks::<ROWS>().0.iter().enumerate() {
        let after = (i + 1) * ROWS;
        put_rows(out, i * ROWS + after, &a[after..], block);
    }
    let (mut shifted, mut carry) = (0, false);
    for (part, block) in out.chunks_mut(2 * ROWS).zip(a.chunks(ROWS)) {
        let mut square = [0; 2 * ROWS];
        let square = &mut square[..2 * block.len()];
        schoolbook(square, block, block);
        for (limb, &y) in part.iter_mut().zip(square.iter()) {
            let doubled = *limb << 1 | shifted;
            shifted = *limb >> 63;
            (*limb, carry) = doubled.carrying_add(y, carry);
        }
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
