//! Ranges of bits and single bits of naturals: operations 60–62 and 64–66.
//!
//! The three functions on ranges, [`take`], [`wipe_range`] and [`put`], also serve the operations
//! on bytes, whose offsets and widths are eight times as many bits.
//!
//! Invariants:
//! - Offsets and widths may have any value up to `u64::MAX`, which stands for everything larger; no
//!   sum of them wraps. A range that begins at 2^64 − 1 lies behind every natural.
//! - The result of a read costs its own size, not that of the operand.
//! - A part that is 0 is never stored: at a huge offset it must not raise `limit`.

use super::nat::{MAX_BITS, direct_pair, modified, unchanged, words};
use crate::machine::op::{Args, Fault};
use crate::machine::{Machine, limbs_of};
use crate::nat;
use crate::value::{MAX_DIRECT, Value};

/// What every operation returns.
type Outcome = Result<Value, Fault>;

/// A word whose low `width` bits are set, all of them from 64 on.
#[inline(always)]
pub(super) const fn low_mask(width: u64) -> u64 {
    if width < 64 {
        (1 << width) - 1
    } else {
        u64::MAX
    }
}

/// (x >> off) mod 2^width.
#[inline(always)]
pub(super) const fn part(x: u64, off: u64, width: u64) -> u64 {
    if off < 64 {
        x >> off & low_mask(width)
    } else {
        0
    }
}

/// Operands `i`, `i + 1` and `i + 2` if all are direct naturals.
#[inline(always)]
pub(super) fn direct_three(a: Args, i: usize) -> Option<(u64, u64, u64)> {
    let (x, y, z) = (a.get(i).bits(), a.get(i + 1).bits(), a.get(i + 2).bits());
    if x | y | z <= MAX_DIRECT {
        Some((x, y, z))
    } else {
        None
    }
}

/// `x` with the bits `off .. off + width` replaced by those of `v`, if the result is direct.
#[inline(always)]
pub(super) fn replaced(x: u64, v: u64, off: u64, width: u64) -> Option<Value> {
    let v = v & low_mask(width);
    if v == 0 {
        return Some(Value::direct(wiped(x, off, width)));
    }
    if off >= 63 {
        return None;
    }
    let wide = u128::from(v) << off | u128::from(wiped(x, off, width));
    if wide <= u128::from(MAX_DIRECT) {
        Some(Value::direct(wide as u64))
    } else {
        None
    }
}

/// `x` with the bits `off .. off + width` cleared.
#[inline(always)]
const fn wiped(x: u64, off: u64, width: u64) -> u64 {
    if off < 64 {
        x & !(low_mask(width) << off)
    } else {
        x
    }
}

/// Number of bits of (x >> off) mod 2^width. Costs the zeros at the top of the range.
pub(super) fn part_bits(x: &[u64], off: u64, width: u64) -> u64 {
    let mut end = off.saturating_add(width).min(nat::bit_len(x));
    while end > off {
        let start = end.saturating_sub(64).max(off);
        let limb = nat::limb_at(x, start) & low_mask(end - start);
        if limb != 0 {
            return start - off + u64::from(64 - limb.leading_zeros());
        }
        end = start;
    }
    0
}

/// (x >> off) mod 2^width, where x is operand `i`.
#[inline(never)]
pub(super) fn take(m: &mut Machine, a: Args, i: usize, off: u64, width: u64) -> Outcome {
    let x = a.get(i).cast();
    let bits = x.bit_len();
    if off >= bits {
        return Ok(Value::ZERO);
    }
    let width = width.min(bits - off);
    if width <= 64 {
        let low = nat::limb_at(x.limbs(&mut [0]), off) & low_mask(width);
        return m.nat_u64(low);
    }
    if width == bits {
        return unchanged(m, a, i);
    }
    let words = words(width)?;
    m.build_nat(words, |out| {
        nat::extract(out, a.get(i).cast().limbs(&mut [0]), off, width)
    })
}

/// x with the bits `off .. off + width` cleared, where x is operand `i`.
#[inline(never)]
pub(super) fn wipe_range(m: &mut Machine, a: Args, i: usize, off: u64, width: u64) -> Outcome {
    let x = a.get(i).cast();
    if width == 0 || off >= x.bit_len() {
        return unchanged(m, a, i);
    }
    modified(m, a, i, limbs_of(x), |out| nat::clear_bits(out, off, width))
}

/// x with the bits `off .. off + width` replaced by v mod 2^width; operands `x` and `v`.
#[inline(never)]
pub(super) fn put(m: &mut Machine, a: Args, v: usize, x: usize, off: u64, width: u64) -> Outcome {
    let part = part_bits(a.get(v).cast().limbs(&mut [0]), 0, width);
    if part == 0 {
        return wipe_range(m, a, x, off, width);
    }
    let words = words(off.saturating_add(part))?.max(limbs_of(a.get(x).cast()));
    modified(m, a, x, words, |out| {
        nat::deposit(out, off, width, a.get(v).cast().limbs(&mut [0]))
    })
}

/// #60: (x >> o) mod 2^w.
pub(super) fn cut(m: &mut Machine, a: Args) -> Outcome {
    match direct_three(a, 0) {
        Some((o, w, x)) => Ok(Value::direct(part(x, o, w))),
        None => {
            let (o, w) = (a.get(0).cast().saturated(), a.get(1).cast().saturated());
            take(m, a, 2, o, w)
        }
    }
}

/// #61: x with the bits o … o+w−1 cleared.
pub(super) fn wipe(m: &mut Machine, a: Args) -> Outcome {
    match direct_three(a, 0) {
        Some((o, w, x)) => Ok(Value::direct(wiped(x, o, w))),
        None => {
            let (o, w) = (a.get(0).cast().saturated(), a.get(1).cast().saturated());
            wipe_range(m, a, 2, o, w)
        }
    }
}

/// #62: x with the bits o … o+w−1 replaced by v mod 2^w.
pub(super) fn edit(m: &mut Machine, a: Args) -> Outcome {
    if let Some((w, v, x)) = direct_three(a, 1)
        && a.get(0).is_direct()
        && let Some(result) = replaced(x, v, a.get(0).bits(), w)
    {
        return Ok(result);
    }
    let (o, w) = (a.get(0).cast().saturated(), a.get(1).cast().saturated());
    put(m, a, 2, 3, o, w)
}

/// #64: bit i of x.
pub(super) fn test(_: &mut Machine, a: Args) -> Outcome {
    if let Some((i, x)) = direct_pair(a) {
        return Ok(Value::direct(part(x, i, 1)));
    }
    let i = a.get(0).cast().saturated();
    Ok(Value::bit(nat::test(a.get(1).cast().limbs(&mut [0]), i)))
}

/// #65: x with bit i set.
pub(super) fn set(m: &mut Machine, a: Args) -> Outcome {
    if let Some((i, x)) = direct_pair(a)
        && i < 63
    {
        return Ok(Value::direct(x | 1 << i));
    }
    set_slow(m, a)
}

#[inline(never)]
fn set_slow(m: &mut Machine, a: Args) -> Outcome {
    let (i, x) = (a.get(0).cast().saturated(), a.get(1).cast());
    if i >= MAX_BITS {
        return Err(Fault::SIZE);
    }
    if nat::test(x.limbs(&mut [0]), i) {
        return unchanged(m, a, 1);
    }
    let words = words(i + 1)?.max(limbs_of(x));
    modified(m, a, 1, words, |out| nat::set(out, i))
}

/// #66: x with bit i cleared.
pub(super) fn clear(m: &mut Machine, a: Args) -> Outcome {
    match direct_pair(a) {
        Some((i, x)) => Ok(Value::direct(wiped(x, i, 1))),
        None => clear_slow(m, a),
    }
}

#[inline(never)]
fn clear_slow(m: &mut Machine, a: Args) -> Outcome {
    let (i, x) = (a.get(0).cast().saturated(), a.get(1).cast());
    if !nat::test(x.limbs(&mut [0]), i) {
        return unchanged(m, a, 1);
    }
    modified(m, a, 1, limbs_of(x), |out| nat::clear(out, i))
}

#[cfg(test)]
mod tests;
