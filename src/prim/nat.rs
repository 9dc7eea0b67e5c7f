//! Arithmetic, comparison and shifts of naturals: operations 2, 17, 18, 28, 29, 35–59, 63 and 94.
//!
//! Invariants:
//! - Operands that are both direct take the first lines of a function: no slice, no allocation
//!   unless the result outgrows a word.
//! - Operands are evaluated; everything that is no natural counts as 0 (chapter 02 §4.1).
//! - `limit` is raised only when the exact result exceeds the size limit, or there is no memory for
//!   it (chapter 02 §4.3); quotients and floors are those of §4.2.
//! - A result is never a buffer unless the operation is the identity: the bytes of a buffer may
//!   change after the operation, its result may not.

use super::bits::{part, take};
use crate::machine::op::{Args, Fault};
use crate::machine::{MAX_WORDS, Machine, limbs_of};
use crate::nat;
use crate::value::{MAX_DIRECT, Value};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Width of the largest natural, in bits: the S of chapter 02 §4.3.
pub(super) const MAX_BITS: u64 = MAX_WORDS as u64 * 64;

/// What every operation returns.
type Outcome = Result<Value, Fault>;

/// Operands 0 and 1 if both are direct naturals.
#[inline(always)]
pub(super) fn direct_pair(a: Args) -> Option<(u64, u64)> {
    let (x, y) = (a.get(0).bits(), a.get(1).bits());
    if x | y <= MAX_DIRECT {
        Some((x, y))
    } else {
        None
    }
}

/// Calls `f` with the limbs of operands 0 and 1.
#[inline]
fn with_pair<R>(a: Args, f: impl FnOnce(&[u64], &[u64]) -> R) -> R {
    let (mut s, mut t) = ([0], [0]);
    let (x, y) = (a.get(0).cast(), a.get(1).cast());
    f(x.limbs(&mut s), y.limbs(&mut t))
}

/// Numbers of limbs of operands 0 and 1.
#[inline]
fn pair_limbs(a: Args) -> (usize, usize) {
    (limbs_of(a.get(0).cast()), limbs_of(a.get(1).cast()))
}

/// Words of a natural of `bits` bits.
#[inline]
pub(super) fn words(bits: u64) -> Result<usize, Fault> {
    if bits > MAX_BITS {
        return Err(Fault::SIZE);
    }
    Ok(bits.div_ceil(64) as usize)
}

/// Operand `i`, copied into `words` limbs and changed by `edit`.
#[inline]
pub(super) fn modified(
    m: &mut Machine,
    a: Args,
    i: usize,
    words: usize,
    edit: impl FnOnce(&mut [u64]),
) -> Outcome {
    m.build_nat_full(words, |out| {
        let mut space = [0];
        let limbs = a.get(i).cast().limbs(&mut space);
        let (low, top) = out.split_at_mut(limbs.len());
        low.copy_from_slice(limbs);
        top.fill(0);
        edit(out);
    })
}

/// Operand `i` as the result: itself, or what a buffer holds now.
#[inline]
pub(super) fn unchanged(m: &mut Machine, a: Args, i: usize) -> Outcome {
    let x = a.get(i).cast();
    if x.is_buffer() {
        return modified(m, a, i, limbs_of(x), |_| ());
    }
    Ok(x)
}

/// Temporary memory, in bytes, that is taken without asking how much there is.
const FREE_SCRATCH: usize = 1 << 20;

/// Checks that `bytes` of temporary memory can be had.
#[inline]
fn check_scratch(m: &mut Machine, bytes: usize) -> Result<(), Fault> {
    if bytes <= FREE_SCRATCH {
        return Ok(());
    }
    m.check_scratch(bytes)
}

/// #2: x + 1.
pub(super) fn inc(m: &mut Machine, a: Args) -> Outcome {
    let x = a.get(0).bits();
    if x < MAX_DIRECT {
        return Ok(Value::direct(x + 1));
    }
    inc_slow(m, a)
}

#[inline(never)]
fn inc_slow(m: &mut Machine, a: Args) -> Outcome {
    let x = a.get(0).cast();
    if x.is_direct() {
        return m.nat_u64(x.bits() + 1);
    }
    modified(m, a, 0, limbs_of(x) + 1, |out| {
        nat::inc(out);
    })
}

/// #29: x − 1, and 0 for 0.
pub(super) fn dec(m: &mut Machine, a: Args) -> Outcome {
    let x = a.get(0);
    if x.is_direct() {
        return Ok(Value::direct(x.bits().saturating_sub(1)));
    }
    dec_slow(m, a)
}

#[inline(never)]
fn dec_slow(m: &mut Machine, a: Args) -> Outcome {
    let words = limbs_of(a.get(0).cast());
    if words == 0 {
        return Ok(Value::ZERO);
    }
    modified(m, a, 0, words, |out| {
        nat::dec(out);
    })
}

/// #28: x if it is a natural, else 0.
pub(super) fn nat(_: &mut Machine, a: Args) -> Outcome {
    Ok(a.get(0).cast())
}

/// #17: 0 for the natural 0, 1 for everything else.
pub(super) fn to_bit(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::bit(!is_zero(a.get(0))))
}

/// #18: 1 for the natural 0, 0 for everything else.
pub(super) fn nil(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::bit(is_zero(a.get(0))))
}

/// Whether an evaluated value is the natural 0. A buffer can be, if its marker was overwritten.
#[inline(always)]
pub(super) fn is_zero(x: Value) -> bool {
    x.bits() == 0 || x.is_buffer() && limbs_of(x) == 0
}

/// #35: a + b.
pub(super) fn add(m: &mut Machine, a: Args) -> Outcome {
    let (x, y) = (a.get(0).bits(), a.get(1).bits());
    let sum = x.wrapping_add(y);
    if x | y | sum <= MAX_DIRECT {
        return Ok(Value::direct(sum));
    }
    add_slow(m, a)
}

#[inline(never)]
fn add_slow(m: &mut Machine, a: Args) -> Outcome {
    let (x, y) = (a.get(0).cast(), a.get(1).cast());
    if x.is_direct() && y.is_direct() {
        return m.nat_u64(x.bits() + y.bits());
    }
    let words = limbs_of(x).max(limbs_of(y)) + 1;
    m.build_nat_full(words, |out| with_pair(a, |x, y| nat::add(out, x, y)))
}

/// #36: a − b, and 0 if b is larger.
pub(super) fn sub(m: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::direct(x.saturating_sub(y))),
        None => sub_slow(m, a),
    }
}

#[inline(never)]
fn sub_slow(m: &mut Machine, a: Args) -> Outcome {
    if with_pair(a, nat::cmp).is_le() {
        return Ok(Value::ZERO);
    }
    let words = limbs_of(a.get(0).cast());
    m.build_nat_full(words, |out| with_pair(a, |x, y| nat::sub(out, x, y)))
}

/// #37: a · b.
pub(super) fn mul(m: &mut Machine, a: Args) -> Outcome {
    if let Some((x, y)) = direct_pair(a) {
        let product = u128::from(x) * u128::from(y);
        if product <= u128::from(MAX_DIRECT) {
            return Ok(Value::direct(product as u64));
        }
        return m.nat_u128(product);
    }
    mul_slow(m, a)
}

#[inline(never)]
fn mul_slow(m: &mut Machine, a: Args) -> Outcome {
    let (x, y) = with_pair(a, |x, y| (nat::bit_len(x), nat::bit_len(y)));
    if x == 0 || y == 0 {
        return Ok(Value::ZERO);
    }
    // A product has x + y or x + y − 1 bits.
    if x + y - 1 > MAX_BITS {
        return Err(Fault::SIZE);
    }
    let (x, y) = pair_limbs(a);
    check_scratch(m, nat::mul_scratch(x, y))?;
    m.build_nat_full(x + y, |out| with_pair(a, |x, y| nat::mul(out, x, y)))
}

/// #38: b^p; p = 0 gives 1.
pub(super) fn pow(m: &mut Machine, a: Args) -> Outcome {
    if let Some((x, y)) = direct_pair(a)
        && let Ok(exponent) = u32::try_from(y)
        && let Some(power) = x.checked_pow(exponent)
    {
        return m.nat_u64(power);
    }
    pow_slow(m, a)
}

#[inline(never)]
fn pow_slow(m: &mut Machine, a: Args) -> Outcome {
    let (base, exponent) = (a.get(0).cast(), a.get(1).cast());
    if is_zero(exponent) {
        return Ok(Value::ONE);
    }
    let bits = base.bit_len();
    if bits <= 1 {
        return Ok(Value::direct(bits));
    }
    let exponent = exponent.small().ok_or(Fault::SIZE)?;
    // The power has more than (bits − 1) · exponent bits and at most bits · exponent.
    match (bits - 1).checked_mul(exponent) {
        Some(least) if least < MAX_BITS => {}
        _ => return Err(Fault::SIZE),
    }
    check_scratch(m, nat::pow_scratch(bits.saturating_mul(exponent)))?;
    let power = nat::pow(base.limbs(&mut [0]), exponent);
    m.build_nat_full(power.len(), |out| out.copy_from_slice(&power))
}

/// #47: ⌊a / b⌋; b = 0 gives 0.
pub(super) fn div(m: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::direct(x.checked_div(y).unwrap_or(0))),
        None => div_slow(m, a),
    }
}

#[inline(never)]
fn div_slow(m: &mut Machine, a: Args) -> Outcome {
    let (x, y) = pair_limbs(a);
    if y == 0 || x < y {
        return Ok(Value::ZERO);
    }
    check_scratch(m, nat::div_scratch(x, y))?;
    // The remainder is made behind the quotient and dropped from there.
    m.build_nat_full(x + 1, |out| {
        let (quotient, rest) = out.split_at_mut(x - y + 1);
        with_pair(a, |x, y| nat::div_rem(quotient, rest, x, y));
        rest.fill(0);
    })
}

/// #48: a mod b; b = 0 gives a.
pub(super) fn mod_(m: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::direct(x.checked_rem(y).unwrap_or(x))),
        None => mod_slow(m, a),
    }
}

#[inline(never)]
fn mod_slow(m: &mut Machine, a: Args) -> Outcome {
    let (x, y) = pair_limbs(a);
    if y == 0 || x < y {
        return unchanged(m, a, 0);
    }
    check_scratch(m, nat::div_scratch(x, y))?;
    m.build_nat_full(x + 1, |out| {
        let (rest, quotient) = out.split_at_mut(y);
        with_pair(a, |x, y| nat::div_rem(quotient, rest, x, y));
        quotient.fill(0);
    })
}

/// #49: the row (0 a/b a%b); b = 0 gives (0 0 a).
pub(super) fn div_mod(m: &mut Machine, a: Args) -> Outcome {
    let Some((x, y)) = direct_pair(a) else {
        return div_mod_slow(m, a);
    };
    let quotient = x.checked_div(y).unwrap_or(0);
    let rest = x.checked_rem(y).unwrap_or(x);
    m.build_row(|| [Value::direct(quotient), Value::direct(rest)])
}

/// Longest remainder, in limbs, that needs no memory of its own while the quotient is made.
const SHORT_REST: usize = 8;

#[inline(never)]
fn div_mod_slow(m: &mut Machine, a: Args) -> Outcome {
    let (x, y) = pair_limbs(a);
    if y == 0 || x < y {
        let rest = unchanged(m, a, 0)?;
        a.set(0, rest);
        return m.build_row(|| [Value::ZERO, a.get(0)]);
    }
    let (mut short, mut long) = ([0; SHORT_REST], Vec::new());
    let rest = if y <= SHORT_REST {
        check_scratch(m, nat::div_scratch(x, y))?;
        &mut short[..y]
    } else {
        check_scratch(m, nat::div_scratch(x, y) + y * 8)?;
        long.resize(y, 0);
        &mut long[..]
    };
    let quotient = m.build_nat_full(x - y + 1, |out| {
        with_pair(a, |x, y| nat::div_rem(out, rest, x, y))
    })?;
    // The operands have done their work: their places keep the parts of the row.
    a.set(0, quotient);
    let rest = m.build_nat_full(y, |out| out.copy_from_slice(rest))?;
    a.set(1, rest);
    m.build_row(|| [a.get(0), a.get(1)])
}

/// Order of operands 0 and 1 as naturals, not both direct.
#[inline(never)]
fn order(a: Args) -> Ordering {
    if a.get(0) == a.get(1) {
        return Ordering::Equal;
    }
    with_pair(a, nat::cmp)
}

/// Whether the order of operands 0 and 1, not both direct, is as asked. A function of its own, so
/// that the comparisons of direct naturals need no frame.
#[inline(never)]
fn ordered(a: Args, holds: fn(Ordering) -> bool) -> Outcome {
    Ok(Value::bit(holds(order(a))))
}

/// #40: 1 if a = b.
pub(super) fn eq(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::bit(x == y)),
        None => ordered(a, Ordering::is_eq),
    }
}

/// #41: 1 if a ≠ b.
pub(super) fn ne(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::bit(x != y)),
        None => ordered(a, Ordering::is_ne),
    }
}

/// #42: 1 if a ≤ b.
pub(super) fn le(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::bit(x <= y)),
        None => ordered(a, Ordering::is_le),
    }
}

/// #43: 1 if a ≥ b.
pub(super) fn ge(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::bit(x >= y)),
        None => ordered(a, Ordering::is_ge),
    }
}

/// #44: 1 if a < b.
pub(super) fn lt(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::bit(x < y)),
        None => ordered(a, Ordering::is_lt),
    }
}

/// #45: 1 if a > b.
pub(super) fn gt(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(Value::bit(x > y)),
        None => ordered(a, Ordering::is_gt),
    }
}

/// #46: 0 if a < b, 1 if a = b, 2 if a > b.
pub(super) fn compare(_: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, y)) => Ok(compared(x.cmp(&y))),
        None => compare_slow(a),
    }
}

#[inline(never)]
fn compare_slow(a: Args) -> Outcome {
    Ok(compared(order(a)))
}

/// The encoding of an order by `Cmp`.
#[inline(always)]
fn compared(order: Ordering) -> Value {
    Value::direct((order as i64 + 1) as u64)
}

/// #39: 2^x.
pub(super) fn bex(m: &mut Machine, a: Args) -> Outcome {
    let x = a.get(0);
    if x.bits() < 63 {
        return Ok(Value::direct(1 << x.bits()));
    }
    let bit = x.cast().saturated();
    let words = words(bit.saturating_add(1))?;
    m.build_nat(words, |out| nat::set(out, bit))
}

/// #50: x · 2^s; x = 0 gives 0 for every s.
pub(super) fn lsh(m: &mut Machine, a: Args) -> Outcome {
    if let Some((x, s)) = direct_pair(a)
        && s < u64::from(x.leading_zeros())
    {
        // For x = 0 the distance may be 63 at most, for which the shift is 0 as it should be.
        return Ok(Value::direct(x << s));
    }
    lsh_slow(m, a)
}

#[inline(never)]
fn lsh_slow(m: &mut Machine, a: Args) -> Outcome {
    let (x, s) = (a.get(0).cast(), a.get(1).cast().saturated());
    let bits = x.bit_len();
    if bits == 0 {
        return Ok(Value::ZERO);
    }
    let words = words(bits.saturating_add(s))?;
    m.build_nat_full(words, |out| nat::shl(out, a.get(0).limbs(&mut [0]), s))
}

/// #51: ⌊x / 2^s⌋.
pub(super) fn rsh(m: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((x, s)) => Ok(Value::direct(part(x, s, u64::MAX))),
        None => take(m, a, 0, a.get(1).cast().saturated(), u64::MAX),
    }
}

/// #52: x mod 2^w.
pub(super) fn trunc(m: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((w, x)) => Ok(Value::direct(part(x, 0, w))),
        None => take(m, a, 1, 0, a.get(0).cast().saturated()),
    }
}

/// The lowest limb of operand 0.
#[inline(always)]
fn low_limb(a: Args) -> u64 {
    let x = a.get(0);
    if x.is_direct() {
        return x.bits();
    }
    nat::limb_at(x.cast().limbs(&mut [0]), 0)
}

/// #53: x mod 2.
pub(super) fn trunc1(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::direct(low_limb(a) & 1))
}

/// #54: x mod 2^8.
pub(super) fn trunc8(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::direct(low_limb(a) & 0xFF))
}

/// #55: x mod 2^16.
pub(super) fn trunc16(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::direct(low_limb(a) & 0xFFFF))
}

/// #56: x mod 2^32.
pub(super) fn trunc32(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::direct(low_limb(a) & 0xFFFF_FFFF))
}

/// #57: x mod 2^64.
pub(super) fn trunc64(m: &mut Machine, a: Args) -> Outcome {
    trunc_limbs(m, a, 1)
}

/// #58: x mod 2^128.
pub(super) fn trunc128(m: &mut Machine, a: Args) -> Outcome {
    trunc_limbs(m, a, 2)
}

/// #59: x mod 2^256.
pub(super) fn trunc256(m: &mut Machine, a: Args) -> Outcome {
    trunc_limbs(m, a, 4)
}

#[inline(always)]
fn trunc_limbs(m: &mut Machine, a: Args, limbs: u64) -> Outcome {
    let x = a.get(0);
    if x.is_direct() {
        return Ok(x);
    }
    take(m, a, 0, 0, limbs * 64)
}

/// #63: number of bits of x, 0 for 0.
pub(super) fn bits(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::direct(width(a.get(0))))
}

/// #94: number of bytes of x, 0 for 0.
pub(super) fn bytes(_: &mut Machine, a: Args) -> Outcome {
    Ok(Value::direct(width(a.get(0)).div_ceil(8)))
}

/// Number of bits of an evaluated value.
#[inline(always)]
fn width(x: Value) -> u64 {
    if x.is_direct() {
        return u64::from(64 - x.bits().leading_zeros());
    }
    x.cast().bit_len()
}

#[cfg(test)]
pub(super) mod harness;
#[cfg(test)]
mod tests;
