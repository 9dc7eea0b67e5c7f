//! Threads of the kernel: start one on a given stack, and know when that stack is no longer used.
//!
//! Invariants:
//! - a thread shares everything with its process and has no thread-local storage of its own. In a
//!   process that has any (every program with a C library) both threads would use the same, so
//!   there [`start`] refuses. Unit tests, which are such programs, get a thread of the standard
//!   library instead, seen through the same word;
//! - the word of a thread is its number while it may use its stack; the kernel clears it and wakes
//!   whoever waits there ([`super::futex::wait_shared`]) when it never will again. No flag that the
//!   thread itself sets could say that;
//! - threads block all signals but those of their own faults: signals reach the main thread, whose
//!   system calls they are meant to interrupt;
//! - `clone3` is tried first; where it is refused (before Linux 5.3, or by a filter that cannot read
//!   its arguments), `clone` says the same.
//!
//! Safety: the new thread runs on memory that the caller of [`start`] promises to keep; the
//! assembly never returns into the frame of the parent in the child.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::sys::{Sysno, call};
use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;

core::arch::global_asm!(include_str!("../../asm/thread.s"));

unsafe extern "C" {
    /// See `asm/thread.s`.
    fn plan_thread_clone(
        number: usize,
        first: usize,
        second: usize,
        entry: Entry,
        argument: *mut u8,
        tid: *mut u32,
    ) -> usize;
}

/// Where a thread begins; its return is the end of the thread.
pub type Entry = unsafe extern "C" fn(*mut u8);

/// Memory, file system position, descriptors and signal handlers in common; one process (`VM`, `FS`,
/// `FILES`, `SIGHAND`, `THREAD`, `SYSVSEM`).
const SHARED: u64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;
/// The kernel stores the number of the thread before it runs, and clears it when it has ended
/// (`PARENT_SETTID`, `CHILD_CLEARTID`).
const NUMBERED: u64 = 0x10_0000 | 0x20_0000;
/// Every signal but the six that an instruction causes: ILL 4, TRAP 5, BUS 7, FPE 8, SEGV 11, SYS 31.
const OUTSIDE: u64 = !(1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 30);
/// Replace the set of blocked signals.
const SIG_SETMASK: usize = 2;
/// Bytes of the kernel's set of signals.
const SET_BYTES: usize = 8;
/// Ask for the base of the segment `fs`, where thread-local storage hangs.
const ARCH_GET_FS: usize = 0x1003;

/// Lets other threads run that wait for a processor.
pub fn give_way() {
    // SAFETY: no arguments; the call never fails.
    let _ = unsafe { call(Sysno::sched_yield, []) };
}

/// Number of processors this process may run on, at least 1; the first 4096 are counted.
pub fn processors() -> usize {
    let mut set = [0u64; 64];
    let args = [0, size_of_val(&set), (&raw mut set).expose_provenance()];
    // SAFETY: the kernel writes into `set`, at most the bytes it has.
    let written = unsafe { call(Sysno::sched_getaffinity, args) }.unwrap_or(0);
    let mut count = 0;
    for word in set.iter_mut().take(written / 8) {
        // One by one: there are few, and the code for many at a time is long.
        while *word != 0 {
            *word &= *word - 1;
            count += 1;
        }
    }
    count.max(1)
}

/// What a new thread is made of.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Lowest byte of its stack, a multiple of 16.
    pub base: NonNull<u8>,
    /// Bytes of its stack, a multiple of 16; it grows down from the end.
    pub len: usize,
    /// Holds the number of the thread while it may use the stack, then 0.
    pub tid: &'a AtomicU32,
    /// What it runs.
    pub entry: Entry,
    /// What it runs that with.
    pub argument: NonNull<u8>,
}

/// `struct clone_args` of the kernel, first version.
#[repr(C)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// Starts a thread that runs `entry(argument)` on the stack given.
///
/// # Errors
/// `ENOTSUP` in a process with thread-local storage; what the kernel answers, for instance `EAGAIN`
/// at the limit of processes. Nothing has been started then, and the word is as it was.
///
/// # Safety
/// The stack, the word and whatever the argument names stay where they are, for the thread to use,
/// until the word is 0; `entry(argument)` is sound on another thread and does not unwind.
pub unsafe fn start(thread: Start<'_>) -> Result<(), Errno> {
    if has_local_storage()? {
        // SAFETY: passed on to the caller.
        return unsafe { start_hosted(thread) };
    }
    // SAFETY: passed on to the caller; there is no thread-local storage.
    unsafe { start_bare(thread) }
}

/// Whether this thread has thread-local storage, which a new one would share.
fn has_local_storage() -> Result<bool, Errno> {
    let mut base = 0u64;
    // SAFETY: the kernel writes the 8 bytes of `base`.
    unsafe {
        let at = (&raw mut base).expose_provenance();
        call(Sysno::arch_prctl, [ARCH_GET_FS, at])?;
    }
    Ok(base != 0)
}

/// Starts a thread whatever the process has.
///
/// # Safety
/// As for [`start`]; in a process with thread-local storage `entry` must not use any.
unsafe fn start_bare(thread: Start<'_>) -> Result<(), Errno> {
    // The new thread inherits what is blocked now.
    let before = block(OUTSIDE)?;
    // SAFETY: passed on to the caller.
    let result = unsafe { clone(thread) };
    block(before)?;
    result
}

/// Blocks just the signals of the set; returns the set before.
fn block(set: u64) -> Result<u64, Errno> {
    let mut old = 0u64;
    let args = [
        SIG_SETMASK,
        (&raw const set).expose_provenance(),
        (&raw mut old).expose_provenance(),
        SET_BYTES,
    ];
    // SAFETY: the kernel reads the 8 bytes of `set` and writes those of `old`.
    unsafe { call(Sysno::rt_sigprocmask, args)? };
    Ok(old)
}

/// # Safety
/// As for [`start_bare`].
unsafe fn clone(thread: Start<'_>) -> Result<(), Errno> {
    let tid = thread.tid.as_ptr();
    let word = tid.expose_provenance() as u64;
    let stack = thread.base.as_ptr().expose_provenance();
    let args = CloneArgs {
        flags: SHARED | NUMBERED,
        pidfd: 0,
        child_tid: word,
        parent_tid: word,
        exit_signal: 0,
        stack: stack as u64,
        stack_size: thread.len as u64,
        tls: 0,
    };
    let call = |number: Sysno, first: usize, second: usize| {
        let (entry, argument) = (thread.entry, thread.argument.as_ptr());
        // SAFETY: the kernel reads the arguments and writes the word, which the caller keeps.
        Errno::check(unsafe {
            plan_thread_clone(number as usize, first, second, entry, argument, tid)
        })
    };
    let first = (&raw const args).expose_provenance();
    match call(Sysno::clone3, first, size_of::<CloneArgs>()) {
        Err(Errno::ENOSYS | Errno::EPERM) => {
            call(Sysno::clone, args.flags as usize, stack + thread.len)
        }
        result => result,
    }
    .map(drop)
}

#[cfg(not(test))]
unsafe fn start_hosted(_: Start<'_>) -> Result<(), Errno> {
    Err(Errno::ENOTSUP)
}

/// A thread of the standard library that behaves as a thread of ours: same word, same wake.
#[cfg(test)]
unsafe fn start_hosted(thread: Start<'_>) -> Result<(), Errno> {
    use core::sync::atomic::Ordering::Release;
    const WAKE_SHARED: usize = 1;
    thread.tid.store(1, Release);
    let word = thread.tid.as_ptr().expose_provenance();
    let argument = thread.argument.as_ptr().expose_provenance();
    let entry = thread.entry;
    std::thread::spawn(move || {
        // SAFETY: what the caller of `start` promises: all of it is there until the word is 0. The
        // wake only names the word.
        unsafe {
            entry(core::ptr::with_exposed_provenance_mut(argument));
            let tid = core::ptr::with_exposed_provenance_mut::<u32>(word);
            AtomicU32::from_ptr(tid).store(0, Release);
            let _ = call(Sysno::futex, [word, WAKE_SHARED, 1]);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{futex, mem};
    use core::sync::atomic::AtomicU64;
    use core::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

    /// What [`probe`] leaves.
    #[derive(Default)]
    struct Probe {
        stack: AtomicU64,
        blocked: AtomicU64,
        tid: AtomicU64,
    }

    /// Runs without thread-local storage: no allocation, no panic, nothing of the C library.
    unsafe extern "C" fn probe(argument: *mut u8) {
        // SAFETY: the test passes a probe that it keeps until the thread has ended. The call reads
        // the set of blocked signals and asks for a number.
        unsafe {
            let probe = &*argument.cast::<Probe>();
            let frame: u64;
            core::arch::asm!("mov {}, rsp", out(reg) frame, options(nomem, nostack));
            probe.stack.store(frame, Relaxed);
            let set = probe.blocked.as_ptr().addr();
            let _ = call(Sysno::rt_sigprocmask, [0, 0, set, SET_BYTES]);
            let tid = call(Sysno::gettid, []).unwrap_or(0);
            probe.tid.store(tid as u64, Relaxed);
        }
    }

    fn run(start: unsafe fn(Start<'_>) -> Result<(), Errno>) -> (Probe, mem::Region, u32) {
        let stack = mem::map_with_guard(1 << 16).unwrap();
        let (probe_, tid) = (Probe::default(), AtomicU32::new(0));
        // SAFETY: everything lives until the word is 0 again; `probe` uses no thread-local storage.
        let result = unsafe {
            start(Start {
                base: stack.base(),
                len: stack.len(),
                tid: &tid,
                entry: probe,
                argument: NonNull::from(&probe_).cast(),
            })
        };
        result.unwrap();
        let first = tid.load(SeqCst);
        loop {
            match tid.load(Acquire) {
                0 => return (probe_, stack, first),
                now => futex::wait_shared(&tid, now),
            }
        }
    }

    #[test]
    fn a_bare_thread_runs_on_its_stack_with_signals_blocked() {
        for _ in 0..100 {
            let (probe, stack, first) = run(start_bare);
            let base = stack.base().as_ptr().addr() as u64;
            let frame = probe.stack.load(Relaxed);
            assert!(frame > base && frame < base + stack.len() as u64);
            let tid = probe.tid.load(Relaxed);
            assert_ne!(tid, u64::from(std::process::id()));
            assert!(
                first == 0 || u64::from(first) == tid,
                "the parent knows the number"
            );
            // KILL and STOP cannot be blocked.
            let never = 1 << 8 | 1 << 18;
            assert_eq!(probe.blocked.load(Relaxed) | never, OUTSIDE);
        }
        assert_ne!(block_now(), OUTSIDE, "the parent keeps its own set");
    }

    fn block_now() -> u64 {
        let before = block(0).unwrap();
        block(before).unwrap();
        before
    }

    #[test]
    fn unit_tests_have_local_storage_and_get_hosted_threads() {
        assert_eq!(has_local_storage(), Ok(true));
        let (probe, stack, _) = run(start);
        let base = stack.base().as_ptr().addr() as u64;
        let frame = probe.stack.load(Relaxed);
        assert!(frame < base || frame >= base + stack.len() as u64);
    }

    #[test]
    fn a_refused_thread_is_an_error() {
        let stack = mem::map_with_guard(1 << 16).unwrap();
        let tid = AtomicU32::new(0);
        // SAFETY: a size above 0 without an address is refused by the kernel before anything runs.
        let result = unsafe {
            start_bare(Start {
                base: NonNull::dangling(),
                len: usize::MAX,
                tid: &tid,
                entry: probe,
                argument: stack.base(),
            })
        };
        assert_eq!(result, Err(Errno::EINVAL));
        assert_eq!(tid.load(SeqCst), 0);
    }
}
