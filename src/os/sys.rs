//! The raw system call, and the one gate through which PLAN programs reach it.
//!
//! Invariants:
//! - the other files of this room call the kernel through [`call`] only, which checks the result;
//! - [`raw`] is the passthrough of the operation `Syscall` and hands the result register back as
//!   it is, errors included (spec 02 §3.1, §3.3).
//!
//! Safety: a system call may read and write any memory its arguments name. Each caller states why
//! the memory it names is its own.
#![allow(unsafe_code)]

use super::errno::Errno;
use syscalls::raw::syscall6;

pub(super) use syscalls::Sysno;

/// Makes the call `nr` with up to six arguments; missing ones are 0.
///
/// # Safety
/// What the kernel does with these arguments must be sound for this process: memory it writes must
/// be the caller's to change, memory it unmaps must be unused.
#[inline]
pub(super) unsafe fn call<const N: usize>(nr: Sysno, args: [usize; N]) -> Result<usize, Errno> {
    const { assert!(N <= 6, "a system call has at most six arguments") };
    let mut all = [0usize; 6];
    all[..N].copy_from_slice(&args);
    let [a, b, c, d, e, f] = all;
    // SAFETY: passed on to the caller; the numbers of unused arguments are ignored by the kernel.
    Errno::check(unsafe { syscall6(nr as usize, a, b, c, d, e, f) })
}

/// The operation `Syscall`: call `nr` with exactly these registers; the result register as it is.
///
/// `exit` (60) ends one thread in Linux; here it ends the process, as 231 does (spec 02 §3.3).
///
/// # Safety
/// The called function may do anything to this process. The runtime's part is that the buffers the
/// program names stay where they are; the rest is the program's responsibility, as in C.
pub unsafe fn raw(nr: u64, args: [u64; 6]) -> u64 {
    let nr = if nr == Sysno::exit as u64 {
        Sysno::exit_group as u64
    } else {
        nr
    };
    let [a, b, c, d, e, f] = args.map(|word| word as usize);
    // SAFETY: passed on to the caller.
    unsafe { syscall6(nr as usize, a, b, c, d, e, f) as u64 }
}

#[cfg(test)]
mod tests {
    use super::{Sysno, call, raw};
    use crate::os::errno::Errno;

    #[test]
    fn raw_returns_the_register_unchanged() {
        // SAFETY: getpid has no arguments; closing descriptor 999 fails; 102 is getuid.
        unsafe {
            assert_eq!(raw(39, [0; 6]), u64::from(std::process::id()));
            assert_eq!(raw(3, [999, 0, 0, 0, 0, 0]), (-9i64) as u64);
            assert_eq!(raw(100_000, [0; 6]), (-38i64) as u64);
        }
    }

    #[test]
    fn call_checks_the_result() {
        // SAFETY: neither call touches memory.
        unsafe {
            assert_eq!(call(Sysno::close, [999]), Err(Errno::EBADF));
            assert_eq!(call(Sysno::getpid, []), Ok(std::process::id() as usize));
        }
    }
}
