//! Long products by number-theoretic transform.
//!
//! The limbs of the factors are the coefficients of two polynomials; their product is found
//! modulo three primes by cyclic convolution and put together by the Chinese remainder theorem
//! (Pollard, "The fast Fourier transform in a finite field", Math. Comp. 25, 1971). Butterflies
//! keep their values unreduced (Harvey, "Faster arithmetic for number-theoretic transforms",
//! J. Symb. Comp. 60, 2014); twiddle factors are in bit-reversed order, so each block of a level
//! has one factor. Lengths are 2^k and 3·2^k: a length 3·m is taken apart into three rows of
//! length m by the index map t ↦ (t mod 3, t mod m) (Good, "The interaction algorithm and
//! practical Fourier analysis", 1958), which needs no factors between the two parts.
//!
//! Invariants:
//! - Each prime is of the form k·3·2^50 + 1 and less than 2^62, so 4·p fits in a limb.
//! - Values are less than 4p between forward butterflies, less than 2p between inverse ones.
//! - A coefficient of the product is less than N·2^128 ≤ p₀·p₁·p₂ for every length N ≤ 2^50.

use alloc::vec;
use alloc::vec::Vec;

use super::div::{divide_limb, reciprocal};

/// Binary logarithm of the longest power-of-two transform.
const MAX_LOG: u32 = 50;

/// Limbs that stay in the first-level cache while all levels of a block are done.
const BLOCK: usize = 2_048;

/// The primes, descending, each with a primitive root.
static FIELDS: [Field; 3] = [
    Field::new(0x3f18_0000_0000_0001, 10),
    Field::new(0x3ec4_0000_0000_0001, 37),
    Field::new(0x3ea0_0000_0000_0001, 7),
];

/// 1/p₀ modulo p₁, 1/p₀ modulo p₂ and 1/p₁ modulo p₂.
static INVERSES: [u64; 3] = [
    inverse_of(&FIELDS[0], &FIELDS[1]),
    inverse_of(&FIELDS[0], &FIELDS[2]),
    inverse_of(&FIELDS[1], &FIELDS[2]),
];

/// A prime and the constants of arithmetic modulo it.
struct Field {
    /// The prime.
    p: u64,
    /// −1/p modulo 2^64.
    negated_inverse: u64,
    /// The reciprocal of 4p, for dividing by it.
    reciprocal: u64,
    /// 2^64 modulo p.
    limb_base: u64,
    /// Elements of order 2^k, each the square of the next.
    roots: [u64; MAX_LOG as usize + 1],
    /// An element of order 3.
    cube_root: u64,
}

/// A constant factor w modulo p with ⌊w·2^64/p⌋, which makes products by it cheap (Shoup).
#[derive(Clone, Copy, Default)]
struct Factor {
    value: u64,
    quotient: u64,
}

impl Field {
    /// The field of prime `p` with primitive root `g`.
    const fn new(p: u64, g: u64) -> Self {
        // Newton's iteration doubles the number of right bits; p itself has one right.
        let mut inverse = 1u64;
        let mut i = 0;
        while i < 6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(inverse)));
            i += 1;
        }
        Field {
            p,
            negated_inverse: inverse.wrapping_neg(),
            reciprocal: reciprocal(p << 2),
            limb_base: ((1u128 << 64) % p as u128) as u64,
            roots: roots(g, p),
            cube_root: power(g, (p - 1) / 3, p),
        }
    }

    /// The factor `w`, which is less than p.
    #[inline]
    fn factor(&self, w: u64) -> Factor {
        let (quotient, _) = divide_limb(w << 2, 0, self.p << 2, self.reciprocal);
        Factor { value: w, quotient }
    }

    /// x·w modulo p, less than 2p, for any x.
    #[inline]
    fn times(&self, x: u64, w: Factor) -> u64 {
        let q = ((u128::from(x) * u128::from(w.quotient)) >> 64) as u64;
        x.wrapping_mul(w.value).wrapping_sub(q.wrapping_mul(self.p))
    }

    /// x·w modulo p.
    #[inline]
    fn times_reduced(&self, x: u64, w: Factor) -> u64 {
        below(self.times(x, w), self.p)
    }

    /// x·y/2^64 modulo p, less than 2p, for x and y less than 4p (Montgomery).
    #[inline]
    fn product(&self, x: u64, y: u64) -> u64 {
        let wide = u128::from(below(x, 2 * self.p)) * u128::from(below(y, 2 * self.p));
        let m = (wide as u64).wrapping_mul(self.negated_inverse);
        ((wide + u128::from(m) * u128::from(self.p)) >> 64) as u64
    }
}

/// x if it is less than `bound`, else x − bound.
#[inline]
fn below(x: u64, bound: u64) -> u64 {
    x.min(x.wrapping_sub(bound))
}

/// base^exponent modulo p.
const fn power(base: u64, exponent: u64, p: u64) -> u64 {
    let (mut result, mut square, mut e) = (1u64, base, exponent);
    while e > 0 {
        if e & 1 == 1 {
            result = (result as u128 * square as u128 % p as u128) as u64;
        }
        square = (square as u128 * square as u128 % p as u128) as u64;
        e >>= 1;
    }
    result
}

/// Elements of order 2^0 … 2^MAX_LOG modulo p, for a primitive root `g`.
const fn roots(g: u64, p: u64) -> [u64; MAX_LOG as usize + 1] {
    let mut roots = [power(g, (p - 1) >> MAX_LOG, p); MAX_LOG as usize + 1];
    let mut i = MAX_LOG as usize;
    while i > 0 {
        roots[i - 1] = power(roots[i], 2, p);
        i -= 1;
    }
    roots
}

/// The inverse of the prime of `a` modulo that of `b`.
const fn inverse_of(a: &Field, b: &Field) -> u64 {
    power(a.p % b.p, b.p - 2, b.p)
}

/// A length of cyclic convolution: `rows` (1 or 3) times a power of two `columns`.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    columns: usize,
}

impl Shape {
    /// The least length of at least `n` coefficients.
    fn holding(n: usize) -> Self {
        let columns = n.checked_next_power_of_two().unwrap_or(usize::MAX).max(16);
        let three = columns / 4;
        if 3 * three >= n {
            Shape {
                rows: 3,
                columns: three,
            }
        } else {
            Shape { rows: 1, columns }
        }
    }

    /// Coefficients in all rows.
    fn len(self) -> usize {
        self.rows * self.columns
    }

    /// The places, in rows laid end to end, of coefficients 0, 1, 2 …
    fn places(self) -> impl Iterator<Item = usize> {
        let (mut row, mut column) = (0, 0);
        core::iter::repeat_with(move || {
            let place = row * self.columns + column;
            row = if row + 1 == self.rows { 0 } else { row + 1 };
            column = (column + 1) & (self.columns - 1);
            place
        })
    }
}

/// `out = a · b` for trimmed, non-empty factors; `out` is as long as both together.
pub fn product(out: &mut [u64], a: &[u64], b: &[u64]) {
    let shape = Shape::holding(a.len() + b.len());
    let mut table = vec![Factor::default(); shape.columns / 2];
    let square = core::ptr::eq(a, b);
    let mut other = vec![0; if square { 0 } else { shape.len() }];
    let residues = FIELDS
        .each_ref()
        .map(|field| convolution(a, b, shape, (&mut table, &mut other), field));
    combine(out, &residues, shape);
}

/// The cyclic convolution of `a` and `b` modulo one prime; `other` is empty if they are the same.
/// A function of its own, because the three calls would be three copies.
#[inline(never)]
fn convolution(
    a: &[u64],
    b: &[u64],
    shape: Shape,
    (table, other): (&mut [Factor], &mut [u64]),
    field: &Field,
) -> Vec<u64> {
    let mut x = vec![0; shape.len()];
    fill_table(table, field);
    load(&mut x, a, shape, table, field);
    if other.is_empty() {
        x.iter_mut().for_each(|v| *v = field.product(*v, *v));
    } else {
        other.fill(0);
        load(other, b, shape, table, field);
        x.iter_mut()
            .zip(&*other)
            .for_each(|(v, &w)| *v = field.product(*v, w));
    }
    invert_table(table, field);
    unload(&mut x, shape, table, field);
    x
}

/// The least length of a transform that holds `n` coefficients.
pub fn padded(n: usize) -> usize {
    Shape::holding(n).len()
}

/// Limbs of heap that `product` takes for factors of `total` limbs together.
pub fn product_limbs(total: usize) -> usize {
    let shape = Shape::holding(total);
    shape.len().saturating_mul(4).saturating_add(shape.columns)
}

/// Twiddle factors in bit-reversed order: entry 2^k + i is entry i times an element of order
/// 2^(k+2). The factor of a node is a square root of its parent's, so the entries do not depend
/// on the length.
fn fill_table(table: &mut [Factor], field: &Field) {
    table[0] = field.factor(1);
    let mut half = 1;
    while half < table.len() {
        let step = field.factor(field.roots[half.ilog2() as usize + 2]);
        let (done, rest) = table.split_at_mut(half);
        for (entry, source) in rest.iter_mut().zip(done) {
            *entry = field.factor(field.times_reduced(source.value, step));
        }
        half *= 2;
    }
}

/// Replaces every entry of a table by its inverse. Within a run 2^k … 2^(k+1) − 1 the inverse of
/// an entry is the negative of the entry at the mirrored place.
fn invert_table(table: &mut [Factor], field: &Field) {
    let mut half = 1;
    while half < table.len() {
        let run = &mut table[half..2 * half];
        run.reverse();
        for entry in run {
            entry.value = field.p - entry.value;
            entry.quotient = !entry.quotient;
        }
        half *= 2;
    }
}

/// Puts the limbs of `a` into `x`, which is zero, and transforms it.
fn load(x: &mut [u64], a: &[u64], shape: Shape, table: &[Factor], field: &Field) {
    for (&limb, place) in a.iter().zip(shape.places()) {
        x[place] = below(limb, 4 * field.p);
    }
    if shape.rows == 3 {
        transform_columns(x, field);
    }
    for row in x.chunks_exact_mut(shape.columns) {
        forward(row, 0, table, field);
    }
}

/// Transforms `x` back into residues less than p.
fn unload(x: &mut [u64], shape: Shape, table: &[Factor], field: &Field) {
    for row in x.chunks_exact_mut(shape.columns) {
        inverse(row, 0, table, field);
    }
    if shape.rows == 3 {
        // The inverse transform of length 3 is the transform with two results exchanged.
        transform_columns(x, field);
        let (_, rest) = x.split_at_mut(shape.columns);
        let (second, third) = rest.split_at_mut(shape.columns);
        second.swap_with_slice(third);
    }
    // A factor 2^64 makes up for the Montgomery product. N divides p − 1, so that
    // N·(p − 1)/N = −1 modulo p and the inverse of N needs no search.
    let inverse_length = field.factor(field.p - (field.p - 1) / shape.len() as u64);
    let scale = field.factor(field.times_reduced(field.limb_base, inverse_length));
    x.iter_mut()
        .for_each(|v| *v = field.times_reduced(*v, scale));
}

/// The transform of length 3 of every column of three rows; values less than 4p.
fn transform_columns(x: &mut [u64], field: &Field) {
    let p = field.p;
    let w = field.factor(field.cube_root);
    let (first, rest) = x.split_at_mut(x.len() / 3);
    let (second, third) = rest.split_at_mut(first.len());
    for ((x, y), z) in first.iter_mut().zip(second).zip(third) {
        let [a, b, c] = [*x, *y, *z].map(|v| below(below(v, 2 * p), p));
        let t = field.times(b + p - c, w);
        *x = a + b + c;
        *y = a + p - c + t;
        *z = a + 3 * p - b - t;
    }
}

/// Transforms `x`, the coefficients modulo X^len − c², where c is the factor of `node`.
fn forward(x: &mut [u64], node: usize, table: &[Factor], field: &Field) {
    if x.len() > BLOCK {
        forward_level(x, node, table, field);
        for (i, part) in x.chunks_exact_mut(x.len() / 4).enumerate() {
            forward(part, 4 * node + i, table, field);
        }
        return;
    }
    let (mut length, mut first) = (x.len(), node);
    if length.ilog2() % 2 == 1 {
        forward_pairs(x, table[first], field);
        (length, first) = (length / 2, 2 * first);
    }
    while length > 1 {
        for (i, part) in x.chunks_exact_mut(length).enumerate() {
            forward_level(part, first + i, table, field);
        }
        (length, first) = (length / 4, 4 * first);
    }
}

/// One level of forward butterflies.
fn forward_pairs(x: &mut [u64], w: Factor, field: &Field) {
    let (low, high) = x.split_at_mut(x.len() / 2);
    for (a, b) in low.iter_mut().zip(high) {
        [*a, *b] = butterfly(*a, *b, w, field);
    }
}

/// a + w·b and a − w·b.
#[inline]
fn butterfly(a: u64, b: u64, w: Factor, field: &Field) -> [u64; 2] {
    let a = below(a, 2 * field.p);
    let t = field.times(b, w);
    [a + t, a + 2 * field.p - t]
}

/// Two levels of forward butterflies.
#[inline]
fn forward_level(x: &mut [u64], node: usize, table: &[Factor], field: &Field) {
    let (w, u, v) = (table[node], table[2 * node], table[2 * node + 1]);
    let [a, b, c, d] = quarters(x);
    for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
        let [a1, c1] = butterfly(*a, *c, w, field);
        let [b1, d1] = butterfly(*b, *d, w, field);
        [*a, *b] = butterfly(a1, b1, u, field);
        [*c, *d] = butterfly(c1, d1, v, field);
    }
}

/// The four quarters of `x`.
#[inline]
fn quarters(x: &mut [u64]) -> [&mut [u64]; 4] {
    let (low, high) = x.split_at_mut(x.len() / 2);
    let ((a, b), (c, d)) = (
        low.split_at_mut(low.len() / 2),
        high.split_at_mut(high.len() / 2),
    );
    [a, b, c, d]
}

/// Undoes `forward`, but for a factor of the length; `table` holds the inverses.
fn inverse(x: &mut [u64], node: usize, table: &[Factor], field: &Field) {
    if x.len() > BLOCK {
        for (i, part) in x.chunks_exact_mut(x.len() / 4).enumerate() {
            inverse(part, 4 * node + i, table, field);
        }
        return inverse_level(x, node, table, field);
    }
    let odd = x.len().ilog2() % 2;
    let levels = x.len().ilog2() / 2;
    for level in (0..levels).rev() {
        let length = x.len() >> (2 * level + odd);
        let first = node << (2 * level + odd);
        for (i, part) in x.chunks_exact_mut(length).enumerate() {
            inverse_level(part, first + i, table, field);
        }
    }
    if odd == 1 {
        let (low, high) = x.split_at_mut(x.len() / 2);
        for (a, b) in low.iter_mut().zip(high) {
            [*a, *b] = inverse_butterfly(*a, *b, table[node], field);
        }
    }
}

/// a + b and (a − b)·w, for values less than 2p.
#[inline]
fn inverse_butterfly(a: u64, b: u64, w: Factor, field: &Field) -> [u64; 2] {
    [
        below(a + b, 2 * field.p),
        field.times(a + 2 * field.p - b, w),
    ]
}

/// Two levels of inverse butterflies.
#[inline]
fn inverse_level(x: &mut [u64], node: usize, table: &[Factor], field: &Field) {
    let (w, u, v) = (table[node], table[2 * node], table[2 * node + 1]);
    let [a, b, c, d] = quarters(x);
    for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
        let [a1, b1] = inverse_butterfly(*a, *b, u, field);
        let [c1, d1] = inverse_butterfly(*c, *d, v, field);
        [*a, *c] = inverse_butterfly(a1, c1, w, field);
        [*b, *d] = inverse_butterfly(b1, d1, w, field);
    }
}

/// The numbers whose residues are given, added up at their places (Garner's algorithm; Knuth,
/// TAOCP vol. 2, 4.3.2): r₀ + p₀·(s + p₁·t), with s and t found modulo p₁ and p₂.
fn combine(out: &mut [u64], residues: &[Vec<u64>; 3], shape: Shape) {
    let [f0, f1, f2] = &FIELDS;
    let (p0_in_1, p0_in_2) = (f1.factor(INVERSES[0]), f2.factor(INVERSES[1]));
    let p1_in_2 = f2.factor(INVERSES[2]);
    let both = u128::from(f0.p) * u128::from(f1.p);
    // The carry stays below 2^123 and every sum below 2^127.
    let mut carry = 0u128;
    for (limb, place) in out.iter_mut().zip(shape.places()) {
        let [r0, r1, r2] = residues.each_ref().map(|r| r[place]);
        let s = f1.times_reduced(r1 + f1.p - below(r0, f1.p), p0_in_1);
        let u = f2.times_reduced(r2 + f2.p - below(r0, f2.p), p0_in_2);
        let t = f2.times_reduced(u + f2.p - below(s, f2.p), p1_in_2);
        let low = u128::from(r0) + u128::from(f0.p) * u128::from(s);
        let sum = carry + low + u128::from(t) * u128::from(both as u64);
        *limb = sum as u64;
        carry = (sum >> 64) + u128::from(t) * (both >> 64);
    }
    debug_assert!(carry == 0, "nat::ntt: product longer than its factors");
}

#[cfg(test)]
mod tests {
    //! The transform at every small shape, below the lengths at which `mul` uses it.

    use super::super::model::{Rng, blank};
    use super::super::mul_schoolbook;
    use super::*;

    fn check(a: &[u64], b: &[u64]) {
        let mut out = blank(a.len() + b.len());
        let mut expected = out.clone();
        product(&mut out, a, b);
        mul_schoolbook(&mut expected, a, b);
        assert_eq!(out, expected, "{} limbs by {}", a.len(), b.len());
    }

    #[test]
    fn primes() {
        for field in &FIELDS {
            let p = field.p;
            assert!(p < 1 << 62 && (p - 1) % (3 << MAX_LOG) == 0);
            assert_eq!(
                power(field.roots[MAX_LOG as usize], 1 << (MAX_LOG - 1), p),
                p - 1
            );
            assert_eq!(field.roots[0], 1);
            assert!(field.cube_root != 1 && power(field.cube_root, 3, p) == 1);
            assert_eq!(field.negated_inverse.wrapping_mul(p), u64::MAX);
        }
        assert!(FIELDS[0].p > FIELDS[1].p && FIELDS[1].p > FIELDS[2].p);
    }

    #[test]
    fn shapes() {
        assert_eq!(
            [1, 12, 13, 17, 24, 25, 48, 49].map(padded),
            [12, 12, 16, 24, 24, 32, 48, 64]
        );
        for n in 1..5_000 {
            let length = padded(n);
            assert!(
                length >= n && (n < 12 || 2 * length <= 3 * n + 3),
                "{n}: {length}"
            );
        }
    }

    #[test]
    fn products() {
        let mut rng = Rng::new(40);
        for la in 1..120 {
            let lb = 1 + rng.below(120) as usize;
            check(&rng.nat_of(la), &rng.nat_of(lb));
            check(&vec![u64::MAX; la], &vec![u64::MAX; lb]);
            let square = rng.nat_of(la);
            check(&square, &square);
        }
        // Blocks within the cache and beyond it, with an even and an odd number of levels.
        for total in [
            1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000, 16_000, 24_000,
        ] {
            let a = rng.nat_of(total - 300);
            check(&a, &rng.nat_of(300));
            check(&vec![u64::MAX; total - 300], &[u64::MAX; 300]);
        }
    }
}
