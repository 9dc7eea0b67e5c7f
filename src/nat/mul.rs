//! Products and powers.
//!
//! By the length of the shorter factor: schoolbook (Knuth, TAOCP vol. 2, 4.3.1, algorithm M), then
//! Karatsuba, then a number-theoretic transform. A longer factor is cut into pieces that fit.
//!
//! Invariants:
//! - No allocation while the shorter factor has at most `MUL_SCHOOL` limbs (squares:
//!   `SQR_SCHOOL`).

use alloc::vec;
use alloc::vec::Vec;

use super::add::add_in_place;
use super::bits::{shl, shr, trailing_zeros};
use super::size::{bit_len, trim};
use super::{karatsuba, ntt};

// The thresholds were measured on an x86-64 server core (AMD, family 26, about 4 GHz) with limits
// varied and with `benches/nat.rs`. Times in µs by length in limbs, each algorithm alone above
// the threshold before it:
//
//     product      24     28     40     64    128    400    800   1000
//     schoolbook 0.24   0.32   0.65   1.63   6.48
//     Karatsuba         0.32   0.55   1.18   3.62   24.5   75.0    104
//     transform                       5.69   12.0   51.4    105    108
//
//     square       24     56     64     80    128    400    800   1000
//     schoolbook 0.20   0.83   1.05   1.58   3.81
//     Karatsuba         0.83   1.02   1.47   3.14   19.9   60.7   87.6
//     transform                              8.94   37.4   77.4   79.6

/// Rows that the schoolbook product adds up in one pass.
const ROWS: usize = 4;

/// Limbs in one unbroken chain of carries of `mul_row`.
const CHAIN: usize = 8;

/// Longest shorter factor, in limbs, that the schoolbook product takes.
pub(super) const MUL_SCHOOL: usize = 24;

/// Longest number, in limbs, whose square is not faster with the symmetry used than without
/// (16 limbs: 114 and 110 ns, 24 limbs: 204 and 235 ns).
const SQR_ROWS: usize = 16;

/// Longest number, in limbs, that the schoolbook square takes.
pub(super) const SQR_SCHOOL: usize = 56;

/// Longest shorter factor, in limbs, that Karatsuba's algorithm takes.
const KARATSUBA: usize = 900;

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
        _ if short.len() <= MUL_SCHOOL => schoolbook(out, long, short),
        _ => {
            let (low, top) = out.split_at_mut(long.len() + short.len());
            top.fill(0);
            mul_long(low, long, short);
        }
    }
}

/// `mul` above `MUL_SCHOOL`, for trimmed factors and `out` of their lengths' sum: whole pieces of
/// the longer factor first, then what is left of it.
fn mul_long(out: &mut [u64], long: &[u64], short: &[u64]) {
    let n = short.len();
    let piece = piece_limbs(long.len(), n);
    let whole = long.len() - long.len() % piece;
    let (pieces, rest) = long.split_at(whole);
    if n <= KARATSUBA {
        let mut space = vec![0; karatsuba::space(n)];
        let each = |out: &mut [u64], x: &[u64]| karatsuba::product(out, x, short, &mut space);
        mul_pieces(out, pieces.chunks_exact(piece), n, each);
    } else {
        let each = |out: &mut [u64], x: &[u64]| ntt::product(out, x, short);
        mul_pieces(out, pieces.chunks_exact(piece), n, each);
    }
    if !rest.is_empty() {
        let mut product = vec![0; rest.len() + n];
        mul(&mut product, short, rest);
        put_piece(&mut out[whole..], &product, n);
    }
}

/// Limbs of the longer factor that are multiplied at once, at most `long`. Karatsuba wants as
/// many as the shorter factor has, the transform a length that it pads little.
fn piece_limbs(long: usize, short: usize) -> usize {
    if short <= KARATSUBA {
        return short;
    }
    long.min(ntt::padded(3 * short) - short)
}

/// The products of equally long `pieces` with a factor of `n` limbs, added up in `out`.
fn mul_pieces<'a>(
    out: &mut [u64],
    pieces: impl ExactSizeIterator<Item = &'a [u64]>,
    n: usize,
    mut each: impl FnMut(&mut [u64], &[u64]),
) {
    let (mut product, mut at) = (Vec::new(), 0);
    for piece in pieces {
        let length = piece.len() + n;
        if at == 0 {
            each(&mut out[..length], piece);
        } else {
            product.resize(length, 0);
            each(&mut product, piece);
            put_piece(&mut out[at..], &product, n);
        }
        at += piece.len();
    }
}

/// Adds `product` to `out`, of which the low `n` limbs have been written.
fn put_piece(out: &mut [u64], product: &[u64], n: usize) {
    let (low, high) = product.split_at(n);
    out[n..product.len()].copy_from_slice(high);
    let carry = add_in_place(&mut out[..product.len()], low);
    debug_assert!(!carry, "nat::mul: product longer than its factors");
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
    let (low, top) = out.split_at_mut(2 * a.len());
    top.fill(0);
    match a {
        [] => {}
        [limb] => mul_limb(low, a, *limb),
        _ if a.len() <= SQR_SCHOOL => schoolbook_square(low, a),
        _ if a.len() <= KARATSUBA => {
            karatsuba::square(low, a, &mut vec![0; karatsuba::space(a.len())]);
        }
        _ => ntt::product(low, a, a),
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
///
/// Eight limbs a turn become one chain of add-with-carry, and a product takes 0.31 ns; a plain
/// loop, which moves the carry to a register at every limb, takes 0.36 to 0.72 ns, depending on
/// how the compiler unrolls it.
#[inline]
fn mul_row(out: &mut [u64], a: &[u64], m: u64) -> u64 {
    let (chunks, rest) = out.as_chunks_mut::<CHAIN>();
    let (a_chunks, a_rest) = a.as_chunks::<CHAIN>();
    let mut carry = 0;
    for (o, x) in chunks.iter_mut().zip(a_chunks) {
        for i in 0..CHAIN {
            (o[i], carry) = x[i].carrying_mul(m, carry);
        }
    }
    for (o, &x) in rest.iter_mut().zip(a_rest) {
        (*o, carry) = x.carrying_mul(m, carry);
    }
    carry
}

/// `out += a · m` for a factor of `N` limbs; the `N` limbs that leave the top are returned.
/// `out` and `a` are equally long.
///
/// A limb of `out` is loaded and stored once for `N` products, and the carry chains of the `N`
/// rows overlap. Four rows take 0.40 ns a product. One row at a time, as two chains of eight
/// limbs like those of `mul_row`, takes 0.42 ns, and more in short rows.
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

/// The schoolbook product of non-empty factors, four rows at a time.
pub(super) fn schoolbook(out: &mut [u64], a: &[u64], b: &[u64]) {
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

/// The schoolbook square of a non-empty number: the products of different blocks of four limbs
/// once, doubled, plus the squares of the blocks.
pub(super) fn schoolbook_square(out: &mut [u64], a: &[u64]) {
    if a.len() <= SQR_ROWS {
        return schoolbook(out, a, a);
    }
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

/// Bound on the temporary heap that `mul` takes for factors of `la` and `lb` significant limbs,
/// in bytes.
pub fn mul_scratch(la: usize, lb: usize) -> usize {
    let (long, short) = if la < lb { (lb, la) } else { (la, lb) };
    let limbs = if short <= MUL_SCHOOL {
        0
    } else if short <= KARATSUBA {
        // Beside the working space the products of a piece and of what is left over, each of which
        // may be cut again.
        karatsuba::space(short) + 8 * short
    } else {
        let whole = long.saturating_add(short);
        let length = whole.min(ntt::padded(short.saturating_mul(3)));
        let products = if whole == length { 0 } else { 3 * length };
        ntt::product_limbs(length).saturating_add(products)
    };
    limbs.saturating_mul(8)
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
