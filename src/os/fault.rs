//! Faults of memory: the last words of a process whose runtime touches what it must not.
//!
//! Nothing a program does leads here. What could is a native stack that is too small: below each lies
//! a guard page. Then this says so with status 70 instead of ending by a signal. In an image it can be
//! damage of the region, too: objects are mapped as they are, and their checksums are not compared
//! with every start. The likeliest cause by far is named then, with status 4.
//!
//! Invariants:
//! - the handler runs on a stack of its own, because that of the thread may be what is exhausted:
//!   every thread names one with [`use_stack`], the main thread in [`catch`];
//! - it touches nothing but its own frame, and never returns.
//!
//! Safety: `rt_sigaction` gets a handler of the C convention, there for ever; the stacks are kept
//! as long as their threads by those who name them.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::{self, Fd};
use super::sys::{Sysno, call};
use super::{mem, process, signal};
use core::ptr::NonNull;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

/// Bytes of a stack for the handler: the kernel puts all registers there, with AVX-512 3.5 KiB.
pub const STACK_BYTES: usize = 4 * mem::PAGE;

/// Memory that cannot be accessed, and memory that is not there (behind the end of a file).
const FAULTS: [i32; 2] = [11, 7];
/// What a jump to a damaged address may end in besides: an instruction that is none, one that traps,
/// a division by zero.
const WILD: [i32; 3] = [4, 5, 8];
/// Whether an image is mapped.
static IN_IMAGE: AtomicBool = AtomicBool::new(false);
/// The handler gets the address.
const SA_SIGINFO: u64 = 4;
/// The handler runs on the alternate stack.
const SA_ONSTACK: u64 = 0x0800_0000;
/// Word of the kernel's description in which the address of a fault is.
const ADDRESS: usize = 2;

extern "C" fn on_fault(_: i32, info: *const u64) {
    // SAFETY: the kernel passes the description of the signal.
    let address = unsafe { info.add(ADDRESS).read() };
    let mut number = [0; 16];
    for (i, digit) in number.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(address >> (4 * i)) as usize % 16];
    }
    let (before, after, status): (&[u8], &[u8], i32) = if IN_IMAGE.load(Relaxed) {
        let after = b": the image is probably damaged (check it with plan image scrub)\n";
        (b"plan: memory fault at 0x", after, 4)
    } else {
        let before = b"plan: internal error: memory fault at 0x";
        (before, b" (please report)\n", 70)
    };
    for part in [before, &number, after] {
        // Whether it can be written or not, the status says it.
        let _ = file::write(Fd::STDERR, part);
    }
    process::exit(status)
}

/// From now on a fault is taken for one of the image that is being mapped.
pub fn in_image() {
    IN_IMAGE.store(true, Relaxed);
    for fault in WILD {
        // As for the others: no reason not to go on.
        let _ = catch_one(fault);
    }
}

fn catch_one(fault: i32) -> Result<(), Errno> {
    let handler = on_fault as *const () as usize;
    signal::install(fault, handler, SA_SIGINFO | SA_ONSTACK)
}

/// From now on a fault ends the process with a message and status 70; for the calling thread also if
/// its stack is exhausted.
///
/// # Errors
/// What the kernel answers, for instance `ENOMEM`; then a fault may end the process by a signal.
pub fn catch() -> Result<(), Errno> {
    let stack = mem::map(STACK_BYTES)?;
    // SAFETY: the mapping stays for ever.
    unsafe { use_stack(stack)? };
    FAULTS.into_iter().try_for_each(catch_one)
}

/// Lets the handler run on the [`STACK_BYTES`] from `base` when it is the calling thread's fault.
///
/// # Errors
/// What the kernel answers, which with these arguments is nothing.
///
/// # Safety
/// The memory must be for this alone as long as the thread lives.
pub unsafe fn use_stack(base: NonNull<u8>) -> Result<(), Errno> {
    let stack = [base.as_ptr().expose_provenance(), 0, STACK_BYTES];
    let args = [(&raw const stack).expose_provenance(), 0];
    // SAFETY: the kernel reads the 24 bytes: base, flags, size.
    unsafe { call(Sysno::sigaltstack, args) }.map(drop)
}
