//! Quotients and remainders.
//!
//! One-limb and two-limb divisors divide by a reciprocal (Möller and Granlund, "Improved
//! division by invariant integers", IEEE Trans. Computers 60(2), 2011); longer ones by Knuth's
//! algorithm D (TAOCP vol. 2, 4.3.1) with quotient digits estimated from three limbs by two;
//! recursively when divisor and quotient are both longer than `DIV_LARGE` limbs.
//!
//! Algorithm D needs the divisor's top bit set. Here only the limbs that enter the estimate are
//! shifted, on the fly; the subtraction works on the operands as they are, so nothing is
//! copied, nothing is shifted back, and the remainder is built in its own output slice.
//!
//! Invariants:
//! - The divisor is not 0; callers decide what division by zero means.
//! - No allocation while divisor or quotient has at most `DIV_LARGE` limbs.

use core::cmp::Ordering;

use super::add::add_in_place;
use super::recursive;
use super::size::{cmp, trim};

/// Longest divisor or quotient, in limbs, for which algorithm D is used.
///
/// Quotients of 2n limbs by n, by algorithm D and by recursive division, in µs (machine as in
/// `mul`): n = 32: 0.97 and 0.97; 40: 1.45 and 1.43; 48: 2.02 and 1.93; 64: 3.46 and 2.77;
/// 128: 13.3 and 8.2.
const DIV_LARGE: usize = 36;

/// `q = ⌊a / b⌋`, `r = a mod b`, for `b` not 0. Needs `r.len() >= len(b)`, and
/// `q.len() >= len(a) − len(b) + 1` when `len(a) >= len(b)`.
pub fn div_rem(q: &mut [u64], r: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    if b.len() > DIV_LARGE && a.len().saturating_sub(b.len()) > DIV_LARGE {
        recursive::div_rem(q, r, a, b);
    } else {
        div_rem_schoolbook(q, r, a, b);
    }
}

/// `div_rem` without any allocation, O(len(b)·(len(a) − len(b) + 1)) at every length.
pub fn div_rem_schoolbook(q: &mut [u64], r: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    assert!(!b.is_empty(), "nat::div_rem: division by zero");
    if cmp(a, b) == Ordering::Less {
        q.fill(0);
        r[..a.len()].copy_from_slice(a);
        return r[a.len()..].fill(0);
    }
    match b {
        [d] => {
            r[0] = div_rem_limb(q, a, *d);
            r[1..].fill(0);
        }
        [low, high] => {
            let rest = divide_two(q, a, pair(*high, *low));
            r[0] = rest as u64;
            r[1] = (rest >> 64) as u64;
            r[2..].fill(0);
        }
        _ => divide_long(q, r, a, b),
    }
}

/// `q = ⌊a / d⌋`, `a mod d` returned, for `d` not 0. Needs `q.len() >= len(a)`.
pub fn div_rem_limb(q: &mut [u64], a: &[u64], d: u64) -> u64 {
    assert!(d != 0, "nat::div_rem_limb: division by zero");
    let a = trim(a);
    let (low, top) = q.split_at_mut(a.len());
    top.fill(0);
    if let [x] = a {
        low[0] = x / d;
        return x % d;
    }
    let shift = d.leading_zeros();
    let divisor = d << shift;
    let inverse = reciprocal(divisor);
    let mut rest = shifted_limb(a, a.len(), shift);
    for (i, digit) in low.iter_mut().enumerate().rev() {
        (*digit, rest) = divide_limb(rest, shifted_limb(a, i, shift), divisor, inverse);
    }
    rest >> shift
}

/// Bound on the temporary heap that `div_rem` takes for operands of `la` and `lb` limbs, in
/// bytes.
pub fn div_scratch(la: usize, lb: usize) -> usize {
    if lb <= DIV_LARGE || la.saturating_sub(lb) <= DIV_LARGE {
        return 0;
    }
    recursive::space_bytes(la, lb)
}

/// `high·2^64 + low`.
#[inline]
fn pair(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// ⌊(2^128 − 1) / d⌋ − 2^64, for `d` with its top bit set.
#[inline]
pub(super) const fn reciprocal(d: u64) -> u64 {
    (((!d as u128) << 64 | u64::MAX as u128) / d as u128) as u64
}

/// ⌊(2^192 − 1) / d⌋ − 2^64, for `d` with its top bit set (Möller and Granlund, algorithm 6).
fn reciprocal_two(d: u128) -> u64 {
    let (d1, d0) = ((d >> 64) as u64, d as u64);
    let mut v = reciprocal(d1);
    let mut p = d1.wrapping_mul(v).wrapping_add(d0);
    if p < d0 {
        v = v.wrapping_sub(1);
        if p >= d1 {
            v = v.wrapping_sub(1);
            p = p.wrapping_sub(d1);
        }
        p = p.wrapping_sub(d1);
    }
    let (t0, t1) = v.carrying_mul(d0, 0);
    let (p, carry) = p.overflowing_add(t1);
    if carry {
        v = v.wrapping_sub(1);
        if pair(p, t0) >= d {
            v = v.wrapping_sub(1);
        }
    }
    v
}

/// Quotient and remainder of `high·2^64 + low` by `d`, for `high < d`, `d` with its top bit set
/// and its `reciprocal` (Möller and Granlund, algorithm 4).
#[inline]
pub(super) fn divide_limb(high: u64, low: u64, d: u64, inverse: u64) -> (u64, u64) {
    let estimate = u128::from(inverse) * u128::from(high) + pair(high, low);
    let mut q = ((estimate >> 64) as u64).wrapping_add(1);
    let mut r = low.wrapping_sub(q.wrapping_mul(d));
    if r > estimate as u64 {
        q = q.wrapping_sub(1);
        r = r.wrapping_add(d);
    }
    if r >= d {
        q = q.wrapping_add(1);
        r -= d;
    }
    (q, r)
}

/// Quotient and remainder of `high·2^64 + low` by `d`, for `high < d`, `d` with its top bit set
/// and its `reciprocal_two` (Möller and Granlund, algorithm 5).
#[inline]
fn divide_three(high: u128, low: u64, d: u128, inverse: u64) -> (u64, u128) {
    let (d1, d0) = ((d >> 64) as u64, d as u64);
    let (u2, u1) = ((high >> 64) as u64, high as u64);
    let estimate = (u128::from(inverse) * u128::from(u2)).wrapping_add(high);
    let (mut q, q0) = ((estimate >> 64) as u64, estimate as u64);
    let r1 = u1.wrapping_sub(q.wrapping_mul(d1));
    let product = u128::from(d0) * u128::from(q);
    let mut r = pair(r1, low).wrapping_sub(product).wrapping_sub(d);
    q = q.wrapping_add(1);
    if (r >> 64) as u64 >= q0 {
        q = q.wrapping_sub(1);
        r = r.wrapping_add(d);
    }
    if r >= d {
        q = q.wrapping_add(1);
        r -= d;
    }
    (q, r)
}

/// The high limb of `high·2^64 + low` shifted left by `shift < 64`.
#[inline]
fn shift_in(high: u64, low: u64, shift: u32) -> u64 {
    (pair(high, low) << shift >> 64) as u64
}

/// Limb `i` of `a · 2^shift`, for `i <= a.len()` and `shift < 64`.
#[inline]
fn shifted_limb(a: &[u64], i: usize, shift: u32) -> u64 {
    let high = a.get(i).copied().unwrap_or(0);
    let low = if i == 0 { 0 } else { a[i - 1] };
    shift_in(high, low, shift)
}

/// `q = ⌊a / d⌋`, `a mod d` returned, for a two-limb `d` and `a >= d`.
fn divide_two(q: &mut [u64], a: &[u64], d: u128) -> u128 {
    if let [low, high] = a {
        let a = pair(*high, *low);
        q[0] = (a / d) as u64;
        q[1..].fill(0);
        return a % d;
    }
    let shift = d.leading_zeros();
    let divisor = d << shift;
    let inverse = reciprocal_two(divisor);
    let n = a.len();
    let (digits, top) = q.split_at_mut(n - 1);
    top.fill(0);
    let mut rest = pair(shifted_limb(a, n, shift), shifted_limb(a, n - 1, shift));
    for (i, digit) in digits.iter_mut().enumerate().rev() {
        (*digit, rest) = divide_three(rest, shifted_limb(a, i, shift), divisor, inverse);
    }
    rest >> shift
}

/// The two top limbs of a divisor, shifted until the top bit is set.
struct Estimator {
    /// The shifted limbs.
    divisor: u128,
    /// Their `reciprocal_two`.
    inverse: u64,
    /// The shift in bits, less than 64.
    shift: u32,
}

impl Estimator {
    /// For a trimmed divisor of at least three limbs.
    fn new(b: &[u64]) -> Self {
        let n = b.len();
        let shift = b[n - 1].leading_zeros();
        let divisor = pair(
            shift_in(b[n - 1], b[n - 2], shift),
            shift_in(b[n - 2], b[n - 3], shift),
        );
        Estimator {
            divisor,
            inverse: reciprocal_two(divisor),
            shift,
        }
    }

    /// The quotient digit for a dividend whose four top limbs are `top`, highest first; right or
    /// one too large.
    #[inline]
    fn digit(&self, top: [u64; 4]) -> u64 {
        let shift = self.shift;
        let high = pair(
            shift_in(top[0], top[1], shift),
            shift_in(top[1], top[2], shift),
        );
        if high >= self.divisor {
            return u64::MAX;
        }
        let low = shift_in(top[2], top[3], shift);
        divide_three(high, low, self.divisor, self.inverse).0
    }
}

/// Algorithm D for trimmed operands, `b` of at least three limbs and `a >= b`.
fn divide_long(q: &mut [u64], r: &mut [u64], a: &[u64], b: &[u64]) {
    let n = b.len();
    let estimator = Estimator::new(b);
    let (rest, top) = r.split_at_mut(n);
    top.fill(0);
    // The n − 1 top limbs of `a` are less than `b`; each step brings in the next one.
    let count = a.len() - n + 1;
    rest[..n - 1].copy_from_slice(&a[count..]);
    rest[n - 1] = 0;
    let (digits, top) = q.split_at_mut(count);
    top.fill(0);
    for (digit, &next) in digits.iter_mut().zip(a).rev() {
        let fourth = if n > 3 { rest[n - 4] } else { next };
        let guess = estimator.digit([rest[n - 1], rest[n - 2], rest[n - 3], fourth]);
        *digit = if sub_mul_shift(rest, next, b, guess) {
            let carry = add_in_place(rest, b);
            debug_assert!(carry, "nat::divide_long: estimate more than one too large");
            guess - 1
        } else {
            guess
        };
    }
}

/// `rest = rest·2^64 + next − b·m` modulo `2^(64·rest.len())`; true when it is negative.
/// The limb shift costs nothing: each old limb is used one place further up.
#[inline]
fn sub_mul_shift(rest: &mut [u64], next: u64, b: &[u64], m: u64) -> bool {
    let (mut incoming, mut carry) = (next, 0u64);
    for (slot, &y) in rest.iter_mut().zip(b) {
        let (low, high) = y.carrying_mul(m, carry);
        let (limb, borrow) = incoming.overflowing_sub(low);
        // No overflow: `high` is at most 2^64 − 2 unless `low` is 0.
        carry = high + u64::from(borrow);
        incoming = core::mem::replace(slot, limb);
    }
    incoming < carry
}

#[cfg(test)]
mod tests {
    //! The reciprocals and the steps built on them, at their edges, against wide division.

    use super::super::model::{Rng, big, power_of_two};
    use super::*;

    /// Limbs at which estimates are likely to be wrong.
    fn edges() -> impl Iterator<Item = u64> + Clone {
        let near = |x: u64| [x.wrapping_sub(2), x.wrapping_sub(1), x, x.wrapping_add(1)];
        [0, 1 << 32, 1 << 63, 3 << 62, u64::MAX - 1]
            .into_iter()
            .flat_map(near)
    }

    /// The low limb of ⌊(2^bits − 1) / d⌋.
    fn model_reciprocal(d: &[u64], bits: u64) -> u64 {
        let quotient = (power_of_two(bits) - 1u32) / big(d);
        quotient.to_u64_digits()[0]
    }

    #[test]
    fn reciprocals() {
        let mut rng = Rng::new(30);
        let check = |high: u64, low: u64| {
            let high = high | 1 << 63;
            assert_eq!(reciprocal(high), model_reciprocal(&[high], 128));
            let expected = model_reciprocal(&[low, high], 192);
            assert_eq!(
                reciprocal_two(pair(high, low)),
                expected,
                "{high:x} {low:x}"
            );
        };
        for high in edges() {
            edges().for_each(|low| check(high, low));
        }
        (0..20_000).for_each(|_| check(rng.bits(), rng.bits()));
        // The low limb that makes the first correction of `reciprocal_two` a tie.
        let tie = |high: u64| high.wrapping_mul(1u64.wrapping_sub(reciprocal(high)));
        for high in (0..2_000).map(|_| rng.bits() | 1 << 63) {
            check(high, tie(high));
        }
    }

    #[test]
    fn two_limbs_by_one() {
        let check = |high: u64, low: u64, d: u64| {
            let d = d | 1 << 63;
            let high = if high < d { high } else { high % d };
            let (q, r) = divide_limb(high, low, d, reciprocal(d));
            let wide = pair(high, low);
            assert_eq!(
                u128::from(q),
                wide / u128::from(d),
                "{high:x} {low:x} {d:x}"
            );
            assert_eq!(u128::from(r), wide % u128::from(d));
        };
        let mut rng = Rng::new(31);
        for d in edges() {
            for high in edges().chain([(d | 1 << 63) - 1]) {
                edges().for_each(|low| check(high, low, d));
            }
        }
        (0..20_000).for_each(|_| check(rng.bits(), rng.bits(), rng.bits()));
    }

    #[test]
    fn three_limbs_by_two() {
        let check = |high: u128, low: u64, d: u128| {
            let d = d | 1 << 127;
            let high = if high < d { high } else { high % d };
            let (q, r) = divide_three(high, low, d, reciprocal_two(d));
            assert!(r < d, "{high:x} {low:x} {d:x}");
            let limbs = |x: u128| [x as u64, (x >> 64) as u64];
            let dividend = (big(&limbs(high)) << 64) + low;
            assert_eq!(
                big(&limbs(d)) * q + big(&limbs(r)),
                dividend,
                "{high:x} {low:x} {d:x}"
            );
        };
        let mut rng = Rng::new(32);
        for (d1, d0) in edges().flat_map(|x| edges().map(move |y| (x, y))) {
            let d = pair(d1, d0);
            for high in edges().flat_map(|x| [pair(x, !x), pair(x, x), (d | 1 << 127) - 1]) {
                [0, 1, u64::MAX, d0]
                    .into_iter()
                    .for_each(|low| check(high, low, d));
            }
        }
        let wide = |rng: &mut Rng| pair(rng.bits(), rng.bits());
        (0..20_000).for_each(|_| check(wide(&mut rng), rng.bits(), wide(&mut rng)));
    }
}
