//! Bytes of naturals, least significant first: operations 95–106 and 109.
//!
//! Invariants:
//! - Offsets and widths are in bytes; eight times one of them saturates at 2^64 − 1 bits, which
//!   lies behind every natural.
//! - Bytes past the end read as 0. A store makes the natural as long as it must be and no longer: a
//!   part that is 0 never extends it.
//! - Only [`snore`] changes an operand, and only a buffer; everything else makes a new natural.
//!
//! Safety: a buffer's block holds the bytes its header promises, and the bytes moved lie below the
//! buffer's highest byte that is not 0.
#![allow(unsafe_code)]

use super::bits::{direct_three, part, part_bits, put, replaced, take, wipe_range};
use super::nat::{direct_pair, modified, words};
use crate::machine::op::{Args, Fault};
use crate::machine::{Machine, limbs_of};
use crate::nat;
use crate::value::Value;

/// What every operation returns.
type Outcome = Result<Value, Fault>;

/// Operand `i`, a number of bytes, in bits.
#[inline(always)]
fn byte_bits(a: Args, i: usize) -> u64 {
    count(a, i).saturating_mul(8)
}

/// Operand `i` as an offset, a width or a number of bytes.
#[inline(always)]
fn count(a: Args, i: usize) -> u64 {
    a.get(i).cast().saturated()
}

/// #95 `o w x`: (x >> 8o) mod 2^(8w).
pub(super) fn load(m: &mut Machine, a: Args) -> Outcome {
    let (o, w) = (byte_bits(a, 0), byte_bits(a, 1));
    let x = a.get(2);
    if x.is_direct() {
        return Ok(Value::direct(part(x.bits(), o, w)));
    }
    take(m, a, 2, o, w)
}

/// #96 `o w x`: x with the bytes o … o+w−1 zeroed.
pub(super) fn erase(m: &mut Machine, a: Args) -> Outcome {
    let (o, w) = (byte_bits(a, 0), byte_bits(a, 1));
    let x = a.get(2);
    if x.is_direct()
        && let Some(result) = replaced(x.bits(), 0, o, w)
    {
        return Ok(result);
    }
    wipe_range(m, a, 2, o, w)
}

/// #97 `o w v x`: x with the bytes o … o+w−1 replaced by v mod 2^(8w).
pub(super) fn store(m: &mut Machine, a: Args) -> Outcome {
    let (o, w) = (byte_bits(a, 0), byte_bits(a, 1));
    let (v, x) = (a.get(2), a.get(3));
    if v.is_direct()
        && x.is_direct()
        && let Some(result) = replaced(x.bits(), v.bits(), o, w)
    {
        return Ok(result);
    }
    put(m, a, 2, 3, o, w)
}

/// `N` bytes of operand 1 at the byte offset operand 0, N at most 8.
#[inline(always)]
fn load_word<const N: u32>(m: &mut Machine, a: Args) -> Outcome {
    if let Some((o, x)) = direct_pair(a) {
        let shifted = if o < 8 { x >> (8 * o) } else { 0 };
        return Ok(Value::direct(part(shifted, 0, 8 * u64::from(N))));
    }
    let x = a.get(1).cast();
    let word = nat::load_bytes(x.limbs(&mut [0]), count(a, 0), N);
    if N < 8 {
        Ok(Value::direct(word))
    } else {
        m.nat_u64(word)
    }
}

/// #99 `o x`: byte o of x. The loop of every scanner: no more than one bound is checked.
pub(super) fn load8(_: &mut Machine, a: Args) -> Outcome {
    if let Some((o, x)) = direct_pair(a) {
        let byte = if o < 8 { x >> (8 * o) & 0xFF } else { 0 };
        return Ok(Value::direct(byte));
    }
    let mut space = [0];
    let all = nat::as_bytes(a.get(1).cast().limbs(&mut space));
    let byte = all.get(count(a, 0) as usize).copied().unwrap_or(0);
    Ok(Value::direct(u64::from(byte)))
}

/// #100 `o x`: two bytes of x at o.
pub(super) fn load16(m: &mut Machine, a: Args) -> Outcome {
    load_word::<2>(m, a)
}

/// #101 `o x`: four bytes of x at o.
pub(super) fn load32(m: &mut Machine, a: Args) -> Outcome {
    load_word::<4>(m, a)
}

/// #102 `o x`: eight bytes of x at o.
pub(super) fn load64(m: &mut Machine, a: Args) -> Outcome {
    load_word::<8>(m, a)
}

/// Operand 2 with `N` bytes at the byte offset operand 0 replaced by operand 1.
#[inline(always)]
fn store_word<const N: u64>(m: &mut Machine, a: Args) -> Outcome {
    if let Some((o, v, x)) = direct_three(a, 0)
        && let Some(result) = replaced(x, v, o.saturating_mul(8), 8 * N)
    {
        return Ok(result);
    }
    put(m, a, 1, 2, byte_bits(a, 0), 8 * N)
}

/// #103 `o v x`: x with byte o replaced by v mod 2^8.
pub(super) fn store8(m: &mut Machine, a: Args) -> Outcome {
    store_word::<1>(m, a)
}

/// #104 `o v x`: x with two bytes at o replaced.
pub(super) fn store16(m: &mut Machine, a: Args) -> Outcome {
    store_word::<2>(m, a)
}

/// #105 `o v x`: x with four bytes at o replaced.
pub(super) fn store32(m: &mut Machine, a: Args) -> Outcome {
    store_word::<4>(m, a)
}

/// #106 `o v x`: x with eight bytes at o replaced.
pub(super) fn store64(m: &mut Machine, a: Args) -> Outcome {
    store_word::<8>(m, a)
}

/// Copies `n` bytes of `from` at byte `i` to byte `o` of `to`, where they fit.
fn copy_bytes(to: &mut [u64], o: u64, from: &[u64], i: u64, n: u64) {
    let mut done = 0;
    while done < n {
        let step = (n - done).min(8) as u32;
        let word = nat::load_bytes(from, i + done, step);
        nat::store_bytes(to, o + done, step, word);
        done += u64::from(step);
    }
}

/// #98 `i o n s b`: b with the bytes o … o+n−1 replaced by n bytes of s at i, zeros past its end.
pub(super) fn splice(m: &mut Machine, a: Args) -> Outcome {
    let (i, o, n) = (count(a, 0), byte_bits(a, 1), byte_bits(a, 2));
    let used = part_bits(a.get(3).cast().limbs(&mut [0]), i.saturating_mul(8), n);
    if used == 0 {
        return wipe_range(m, a, 4, o, n);
    }
    let words = words(o.saturating_add(used))?.max(limbs_of(a.get(4).cast()));
    modified(m, a, 4, words, |out| {
        nat::clear_bits(out, o, n);
        let source = a.get(3).cast();
        copy_bytes(out, o / 8, source.limbs(&mut [0]), i, used.div_ceil(8));
    })
}

/// #109 `i o w s b`: b with up to w bytes at o replaced by the bytes of s at i that there are, and
/// never its top byte. A buffer is changed in place and is itself the result.
pub(super) fn snore(m: &mut Machine, a: Args) -> Outcome {
    let (i, o, w) = (count(a, 0), count(a, 1), count(a, 2));
    let (s, b) = (a.get(3).cast(), a.get(4).cast());
    let n = w
        .min(s.bit_len().div_ceil(8).saturating_sub(i))
        .min(b.bit_len().div_ceil(8).saturating_sub(1).saturating_sub(o));
    if n == 0 {
        return Ok(b);
    }
    if b.is_buffer() {
        move_bytes(b, o, s, i, n);
        return Ok(b);
    }
    modified(m, a, 4, limbs_of(b), |out| {
        copy_bytes(out, o, a.get(3).cast().limbs(&mut [0]), i, n)
    })
}

/// Copies `n` bytes of `from` at byte `i` into the buffer `to` at byte `o`; both have them.
fn move_bytes(to: Value, o: u64, from: Value, i: u64, n: u64) {
    let mut space = [0];
    let source = from.limbs(&mut space).as_ptr().cast::<u8>();
    let target = to.address().cast::<u8>();
    // SAFETY: both ranges lie inside their naturals, and `copy` allows for their being the same
    // buffer. No slice of the buffer is in use while it changes.
    unsafe { core::ptr::copy(source.add(i as usize), target.add(o as usize), n as usize) }
}

#[cfg(test)]
mod tests;
