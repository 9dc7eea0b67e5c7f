//! Effects: pinned naturals 5–7, 9, 10, 13, 14, 16, 18 and 19 (chapter 02 §3).
//!
//! Operands are the elements of the argument of the call; `Syscall` has its head in front.
//!
//! Invariants:
//! - An effect happens once, after everything that could fail for lack of memory: words for its
//!   result are reserved before the kernel is called.
//! - Operands of raw calls count mod 2^64; offsets and counts of checked calls saturate.
//! - A transfer makes exactly one system call; short counts are passed on, and so is `EINTR`, unless
//!   the signal was one that ends the evaluation.
//! - `Read` changes a buffer in place and copies every other natural; nothing else changes one.
//! - A worker has no effects (chapter 07): every operation asks first.
//!
//! Safety: `Syscall`, `Peek` and `Poke` are raw by definition: the program answers for the
//! addresses it names. All else moves bytes inside a live natural, whose size its header gives. No
//! slice of a buffer lives beyond a system call.
#![allow(unsafe_code)]

use super::nat::{MAX_BITS, is_zero, modified};
use crate::machine::op::{Args, Fault, FaultKind};
use crate::machine::{Machine, limbs_of};
use crate::nat;
use crate::os::file::MAX_TRANSFER;
use crate::os::{Errno, Fd, file, mem, signal, sys};
use crate::value::Value;

/// What every operation returns.
type Outcome = Result<Value, Fault>;

/// Words of a natural of one limb.
const RESULT_WORDS: usize = 2;
/// Words of a closure of one argument.
const ROW_WORDS: usize = 3;
/// Longest run of bytes that is completed with zeros on the native stack.
const SMALL: usize = 4096;

/// A natural mod 2^64, as a register holds it.
#[inline]
fn register(v: Value) -> u64 {
    nat::limb_at(v.cast().limbs(&mut [0]), 0)
}

/// Operand `i` as an offset or a count.
#[inline]
fn count(a: Args, i: usize) -> u64 {
    a.get(i).cast().saturated()
}

/// The calls that make processes: `clone`, `fork` and `vfork` follow each other. A child of `vfork`
/// has the memory of its parent and would evaluate there, in the parent's frames; so it is a fork
/// here, as POSIX allows.
const CLONE: u32 = 56;
const FORK: u64 = 57;
const VFORK: u32 = 58;
const CLONE3: u32 = 435;
/// A bit of numbers that asks for the same call of another interface.
const X32: u32 = 0x4000_0000;

/// The VM error `io`.
fn io(errno: Errno) -> Fault {
    Fault::new(FaultKind::Io, errno.code())
}

/// Ends the evaluation if a signal that asks for that has ended the system call.
fn unless_stopped(errno: u64) -> Result<(), Fault> {
    if errno == Errno::EINTR.code() && signal::is_waiting() {
        return Err(Fault::TIME);
    }
    Ok(())
}

/// `<5>` `nr a1 … aK`: the system call, raw; the result register. Call 60 ends the whole process.
pub(super) fn syscall<const K: usize>(m: &mut Machine, a: Args) -> Outcome {
    call_system(m, a, K)
}

/// With `k` arguments; one function for all numbers of them, 1.5 KB less.
#[inline(never)]
fn call_system(m: &mut Machine, a: Args, k: usize) -> Outcome {
    m.may_act()?;
    m.reserve(RESULT_WORDS)?;
    let mut arguments = [0; 6];
    for (i, argument) in arguments.iter_mut().enumerate().take(k) {
        *argument = register(a.get(1 + i));
    }
    let result = raw_call(m, register(a.get(0)), arguments);
    unless_stopped(result.wrapping_neg())?;
    m.nat_u64(result)
}

/// Makes a system call; before one that makes a process, the machine comes to rest.
#[inline(never)]
fn raw_call(m: &mut Machine, mut number: u64, arguments: [u64; 6]) -> u64 {
    // What the kernel looks at.
    let significant = number as u32 & !X32;
    if significant == VFORK {
        number = FORK;
    }
    let forks = (CLONE..=VFORK).contains(&significant) || significant == CLONE3;
    let offspring = if forks { m.before_fork() } else { None };
    // SAFETY: raw by definition. Buffers are at stable addresses, and no reference into the moving
    // heap is held here during the call.
    let result = unsafe { sys::raw(number, arguments) };
    if forks {
        m.after_fork(offspring, result);
    }
    result
}

/// `<6>` `ptr off n`: n bytes at ptr + off, and a byte 1 behind them.
pub(super) fn peek(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    let address = register(a.get(0)).wrapping_add(register(a.get(1)));
    let n = marked(count(a, 2))?;
    let from = core::ptr::with_exposed_provenance::<u8>(address as usize);
    m.build_nat(n / 8 + 1, |out| {
        if n > 0 {
            // SAFETY: the limbs have n + 1 bytes; the source is the program's responsibility.
            unsafe { core::ptr::copy(from, out.as_mut_ptr().cast::<u8>(), n) };
        }
        nat::set(out, 8 * n as u64);
    })
}

/// A number of bytes that a natural can hold below a marker byte.
fn marked(n: u64) -> Result<usize, Fault> {
    if n >= MAX_BITS / 8 {
        Err(Fault::SIZE)
    } else {
        Ok(n as usize)
    }
}

/// `<7>` `ptr nat off n`: n bytes at ptr + off become those of nat, with zeros behind its end.
pub(super) fn poke(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    let address = register(a.get(0)).wrapping_add(register(a.get(2)));
    let n = register(a.get(3)) as usize;
    let to = core::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    let mut space = [0];
    let limbs = a.get(1).cast().limbs(&mut space);
    let (from, len) = (limbs.as_ptr().cast::<u8>(), nat::byte_len(limbs) as usize);
    let taken = n.min(len);
    // SAFETY: the target is the program's responsibility. It may be the very natural that is
    // read, which `copy` allows for; no slice of it is used any more.
    unsafe {
        if taken > 0 {
            core::ptr::copy(from, to, taken);
        }
        if n > taken {
            core::ptr::write_bytes(to.wrapping_add(taken), 0, n - taken);
        }
    }
    Ok(Value::ZERO)
}

/// Calls `call` with the `count` bytes of a natural from byte `off` on, zeros past its end. The
/// count is cut to what one system call moves.
fn with_bytes<R>(
    v: Value,
    off: u64,
    count: u64,
    call: impl FnOnce(&[u8]) -> R,
) -> Result<R, Fault> {
    let mut space = [0];
    let all = nat::as_bytes(v.limbs(&mut space));
    let have = &all[off.min(all.len() as u64) as usize..];
    let count = count.min(MAX_TRANSFER as u64) as usize;
    if count <= have.len() {
        return Ok(call(&have[..count]));
    }
    if count <= SMALL {
        let mut bytes = [0; SMALL];
        bytes[..have.len()].copy_from_slice(have);
        return Ok(call(&bytes[..count]));
    }
    // Untouched pages of a mapping are all one page of zeros; the moving heap would have to own,
    // fill and collect up to 2 GiB of them.
    let region = mem::map_with_guard(count).map_err(|_| Fault::MEMORY)?;
    // SAFETY: the region is ours alone, has at least `count` bytes and starts out as zeros.
    let bytes = unsafe { core::slice::from_raw_parts_mut(region.base().as_ptr(), count) };
    bytes[..have.len()].copy_from_slice(have);
    Ok(call(bytes))
}

/// `<9>` `fd nat count off`: one `write`; the number of bytes the kernel took.
pub(super) fn write(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    let fd = Fd::from_number(count(a, 0)).map_err(io)?;
    let (len, off) = (count(a, 2), count(a, 3));
    let taken = with_bytes(a.get(1).cast(), off, len, |bytes| file::write(fd, bytes))?;
    match taken {
        Ok(n) => Ok(Value::direct(n as u64)),
        Err(errno) => {
            unless_stopped(errno.code())?;
            Err(io(errno))
        }
    }
}

/// `<16>` `fd nat count off flags`: one `sendto` without address; the result register.
pub(super) fn send(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    m.reserve(RESULT_WORDS)?;
    // The kernel reads the low half of the register.
    let fd = Fd(register(a.get(0)) as i32);
    let (len, off, flags) = (count(a, 2), count(a, 3), register(a.get(4)));
    let call = |bytes: &[u8]| file::send(fd, bytes, flags);
    match with_bytes(a.get(1).cast(), off, len, call)? {
        Ok(n) => m.nat_u64(n as u64),
        Err(errno) => {
            unless_stopped(errno.code())?;
            m.nat_u64(errno.code().wrapping_neg())
        }
    }
}

/// `<10>` `fd nat count off`: one `read` into nat, below its top byte: (n buf), the error number,
/// or 0 when the range does not fit.
pub(super) fn read(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    let (nat, count, off) = (a.get(1).cast(), count(a, 2), count(a, 3));
    let bytes = nat.bit_len().div_ceil(8);
    let fits = off.checked_add(count).is_some_and(|end| end < bytes);
    if count == 0 || !fits {
        return Ok(Value::ZERO);
    }
    let fd = match Fd::from_number(a.get(0).cast().saturated()) {
        Ok(fd) => fd,
        Err(errno) => return Ok(Value::direct(errno.code())),
    };
    let (count, off) = (count as usize, off as usize);
    let taken = if nat.is_buffer() {
        m.reserve(ROW_WORDS)?;
        // SAFETY: off + count is below the number of bytes of the buffer.
        unsafe { file::read_ptr(fd, nat.address().cast::<u8>().add(off), count) }
    } else {
        read_copy(m, a, fd, off, count)?
    };
    match taken {
        Err(errno) => {
            unless_stopped(errno.code())?;
            Ok(Value::direct(errno.code()))
        }
        Ok(n) => {
            m.reserve(ROW_WORDS)?;
            let row = m.bump_closure(Value::direct(n as u64), 1);
            row.set_field(1, a.get(1));
            Ok(row)
        }
    }
}

/// Reads into a copy of operand 1, which takes its place.
fn read_copy(
    m: &mut Machine,
    a: Args,
    fd: Fd,
    off: usize,
    count: usize,
) -> Result<Result<usize, Errno>, Fault> {
    let words = limbs_of(a.get(1));
    // The copy and the row about it, so that nothing is lost for lack of memory afterwards.
    m.reserve_nat_and_row(words)?;
    let mut taken = Ok(0);
    let copy = modified(m, a, 1, words, |out| {
        // SAFETY: off + count is below the number of bytes of the limbs.
        taken = unsafe { file::read_ptr(fd, out.as_mut_ptr().cast::<u8>().add(off), count) };
    })?;
    a.set(1, copy);
    Ok(taken)
}

/// `<13>` `x`: an address that stays while x is live: that of the bytes of a buffer or of
/// a long natural outside the moving heap, or of a pin; else 0.
pub(super) fn xptr(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    let x = a.get(0);
    if x.is_fixed_or_buffer() || x.is_pin() {
        return Ok(Value::direct(x.address().expose_provenance() as u64));
    }
    Ok(Value::ZERO)
}

/// `<14>` `n`: a buffer of n zero bytes and a byte 1 behind them, at an address that stays.
pub(super) fn xbuf(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    let x = a.get(0);
    if !x.is_nat() {
        return Err(Fault::new(FaultKind::Range, 0));
    }
    let n = marked(x.saturated())?;
    let buffer = m.new_buffer(n / 8 + 1)?;
    buffer.set_raw(n / 8, 1 << (8 * (n % 8)));
    Ok(buffer)
}

/// `<18>` `x`: asks for a collection of the pinned area; 1.
pub(super) fn request_gc(m: &mut Machine, _: Args) -> Outcome {
    m.may_act()?;
    m.request_pin_collection()?;
    Ok(Value::ONE)
}

/// `<19>` `x`: switches profiling off for the natural 0, on for everything else; 0.
pub(super) fn set_profiling(m: &mut Machine, a: Args) -> Outcome {
    m.may_act()?;
    m.profile_on(!is_zero(a.get(0)));
    Ok(Value::ZERO)
}

#[cfg(test)]
mod tests;
