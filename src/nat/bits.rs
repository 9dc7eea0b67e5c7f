//! Shifts, ranges of bits, single bits and bitwise logic.
//!
//! Invariants:
//! - Bits past the end of a slice read as 0.
//! - Cost is that of the limbs written, whatever the size of the operand.
//! - Offsets and widths are in bits and may have any value up to `u64::MAX`; sums saturate.

use super::size::trim;

/// Bits in a limb.
const LIMB_BITS: u64 = 64;

/// The 64 bits of `a` from bit `off` on.
#[inline]
pub fn limb_at(a: &[u64], off: u64) -> u64 {
    let index = off / LIMB_BITS;
    if index >= a.len() as u64 {
        return 0;
    }
    let (index, shift) = (index as usize, off % LIMB_BITS);
    let low = a[index] >> shift;
    if shift == 0 || index + 1 == a.len() {
        return low;
    }
    low | a[index + 1] << (LIMB_BITS - shift)
}

/// Number of zero bits below the lowest set one; 0 for zero.
pub fn trailing_zeros(a: &[u64]) -> u64 {
    match a.iter().position(|&limb| limb != 0) {
        Some(i) => i as u64 * LIMB_BITS + u64::from(a[i].trailing_zeros()),
        None => 0,
    }
}

/// `out = a · 2^bits`. Needs `64·out.len() >= bit_len(a) + bits` unless `a` is 0.
pub fn shl(out: &mut [u64], a: &[u64], bits: u64) {
    let a = trim(a);
    if a.is_empty() {
        return out.fill(0);
    }
    let (whole, shift) = ((bits / LIMB_BITS) as usize, bits % LIMB_BITS);
    let (zeros, rest) = out.split_at_mut(whole);
    zeros.fill(0);
    let (body, top) = rest.split_at_mut(a.len());
    if shift == 0 {
        body.copy_from_slice(a);
        return top.fill(0);
    }
    let mut carry = 0;
    for (o, &x) in body.iter_mut().zip(a) {
        *o = x << shift | carry;
        carry = x >> (LIMB_BITS - shift);
    }
    if carry != 0 {
        top[0] = carry;
        top[1..].fill(0);
    } else {
        top.fill(0);
    }
}

/// `out` = the low `out.len()` limbs of ⌊a / 2^bits⌋.
pub fn shr(out: &mut [u64], a: &[u64], bits: u64) {
    let whole = bits / LIMB_BITS;
    if whole >= a.len() as u64 {
        return out.fill(0);
    }
    let (a, shift) = (&a[whole as usize..], bits % LIMB_BITS);
    let n = out.len().min(a.len());
    let (body, top) = out.split_at_mut(n);
    top.fill(0);
    if shift == 0 {
        return body.copy_from_slice(&a[..n]);
    }
    for (o, pair) in body.iter_mut().zip(a.windows(2)) {
        *o = pair[0] >> shift | pair[1] << (LIMB_BITS - shift);
    }
    if n == a.len() && n > 0 {
        body[n - 1] = a[n - 1] >> shift;
    }
}

/// `out` = (a >> off) mod 2^width, truncated to `out.len()` limbs.
pub fn extract(out: &mut [u64], a: &[u64], off: u64, width: u64) {
    let limbs = width.div_ceil(LIMB_BITS);
    if limbs > out.len() as u64 {
        return shr(out, a, off);
    }
    let (body, top) = out.split_at_mut(limbs as usize);
    top.fill(0);
    shr(body, a, off);
    if let (Some(last), 1..) = (body.last_mut(), width % LIMB_BITS) {
        *last &= low_mask(width % LIMB_BITS);
    }
}

/// A limb whose low `n < 64` bits are set.
#[inline]
fn low_mask(n: u64) -> u64 {
    (1 << n) - 1
}

/// The part of the bit range `off .. off + width` that lies in limb `index`, as a mask.
#[inline]
fn range_mask(index: usize, off: u64, end: u64) -> u64 {
    let start = index as u64 * LIMB_BITS;
    let mut mask = u64::MAX;
    if off > start {
        mask &= !low_mask(off - start);
    }
    if end - start < LIMB_BITS {
        mask &= low_mask(end - start);
    }
    mask
}

/// The limbs that the bits `off .. off + width` of a slice of `len` limbs lie in, and the end
/// of the range in bits, both cut at the end of the slice. `None` when the range is empty.
#[inline]
fn range_limbs(len: usize, off: u64, width: u64) -> Option<(usize, usize, u64)> {
    let end = off.saturating_add(width).min(len as u64 * LIMB_BITS);
    if off >= end {
        return None;
    }
    Some((
        (off / LIMB_BITS) as usize,
        ((end - 1) / LIMB_BITS) as usize,
        end,
    ))
}

/// Overwrites the bits `off .. off + width` of `inout` with `v` mod 2^width. Bits past the end
/// of `inout` are dropped; they must be zero.
pub fn deposit(inout: &mut [u64], off: u64, width: u64, v: &[u64]) {
    debug_assert!(
        deposit_fits(inout.len(), off, width, v),
        "nat::deposit: past the end"
    );
    let Some((first, last, end)) = range_limbs(inout.len(), off, width) else {
        return;
    };
    let mask = range_mask(first, off, end);
    let low = limb_at(v, 0) << (off % LIMB_BITS);
    inout[first] = inout[first] & !mask | low & mask;
    if first == last {
        return;
    }
    let start = (first as u64 + 1) * LIMB_BITS - off;
    shr(&mut inout[first + 1..last], v, start);
    let mask = range_mask(last, off, end);
    let high = limb_at(v, last as u64 * LIMB_BITS - off);
    inout[last] = inout[last] & !mask | high & mask;
}

/// Whether the set bits of `v` mod 2^width, put at bit `off`, lie within `len` limbs.
fn deposit_fits(len: usize, off: u64, width: u64, v: &[u64]) -> bool {
    let room = (len as u64 * LIMB_BITS).saturating_sub(off);
    let mut beyond = room;
    while beyond < width && beyond < v.len() as u64 * LIMB_BITS {
        let limb = limb_at(v, beyond);
        let left = width - beyond;
        if left < LIMB_BITS && limb & low_mask(left) != 0 || left >= LIMB_BITS && limb != 0 {
            return false;
        }
        beyond += LIMB_BITS;
    }
    true
}

/// Clears the bits `off .. off + width` of `inout`.
pub fn clear_bits(inout: &mut [u64], off: u64, width: u64) {
    let Some((first, last, end)) = range_limbs(inout.len(), off, width) else {
        return;
    };
    inout[first] &= !range_mask(first, off, end);
    if first < last {
        inout[first + 1..last].fill(0);
        inout[last] &= !range_mask(last, off, end);
    }
}

/// Bit `i` of `a`.
#[inline]
pub fn test(a: &[u64], i: u64) -> bool {
    let index = i / LIMB_BITS;
    index < a.len() as u64 && a[index as usize] >> (i % LIMB_BITS) & 1 == 1
}

/// Sets bit `i` of `inout`. Needs `i < 64·inout.len()`.
#[inline]
pub fn set(inout: &mut [u64], i: u64) {
    inout[(i / LIMB_BITS) as usize] |= 1 << (i % LIMB_BITS);
}

/// Clears bit `i` of `inout`; past the end it is clear already.
#[inline]
pub fn clear(inout: &mut [u64], i: u64) {
    let index = i / LIMB_BITS;
    if index < inout.len() as u64 {
        inout[index as usize] &= !(1 << (i % LIMB_BITS));
    }
}

/// `out = a & b`. Needs `out.len() >= min(len(a), len(b))`.
pub fn and(out: &mut [u64], a: &[u64], b: &[u64]) {
    let (a, b) = (trim(a), trim(b));
    let n = a.len().min(b.len());
    let (low, top) = out.split_at_mut(n);
    for ((o, &x), &y) in low.iter_mut().zip(a).zip(b) {
        *o = x & y;
    }
    top.fill(0);
}

/// `out = a | b`. Needs `out.len() >= max(len(a), len(b))`.
pub fn or(out: &mut [u64], a: &[u64], b: &[u64]) {
    merge(out, a, b, |x, y| x | y);
}

/// `out = a ^ b`. Needs `out.len() >= max(len(a), len(b))`.
pub fn xor(out: &mut [u64], a: &[u64], b: &[u64]) {
    merge(out, a, b, |x, y| x ^ y);
}

/// Limb-wise `op` for an `op` with `op(x, 0) = x`.
#[inline]
fn merge(out: &mut [u64], a: &[u64], b: &[u64], op: impl Fn(u64, u64) -> u64) {
    let (a, b) = (trim(a), trim(b));
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let (low, rest) = out.split_at_mut(short.len());
    for ((o, &x), &y) in low.iter_mut().zip(long).zip(short) {
        *o = op(x, y);
    }
    let (high, top) = rest.split_at_mut(long.len() - short.len());
    high.copy_from_slice(&long[short.len()..]);
    top.fill(0);
}
