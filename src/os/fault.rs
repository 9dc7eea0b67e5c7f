//! Faults of memory: the last words of a process whose runtime touches what it must not.
//!
//! Nothing a program does leads here. What could is a native stack that is too small: below each lies
//! a guard page. Then this says so with status 70 instead of ending by a signal. In an image it can be
//! damage of the region, too: objects are mapped as they are, and their checksums are not compared
//! with every start. Which of the two it was only a scrub can tell, and only a process whose memory
//! nobody has spoilt can make one: so the process executes its image anew, which says what it finds
//! (`os::image::diagnose`, `cli::image`).
//!
//! Invariants:
//! - the handler runs on a stack of its own, because that of the thread may be what is exhausted:
//!   every thread names one with [`use_stack`], the main thread in [`catch`];
//! - it touches nothing but its own frame and the atomics of this file;
//! - the first fault is the one that is reported: other threads wait meanwhile;
//! - a signal that another process sent ends the process as if nobody handled it.
//!
//! Safety: `rt_sigaction` gets a handler of the C convention, there for ever; the stacks are kept
//! as long as their threads by those who name them.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::{self, Fd};
use super::sys::{Sysno, call};
use super::{image, mem, process, signal};
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr};

/// Bytes of a stack for the handler: the kernel puts all registers there, with AVX-512 3.5 KiB.
pub const STACK_BYTES: usize = 4 * mem::PAGE;

/// The stack of the main thread's handler: part of the executable, because a mapping would cost a
/// start a microsecond.
#[unsafe(link_section = ".bss.aside")]
static STACK: Stack = Stack(UnsafeCell::new([0; STACK_BYTES]));

#[repr(align(16))]
struct Stack(UnsafeCell<[u8; STACK_BYTES]>);

// SAFETY: the kernel alone uses it, for one thread.
unsafe impl Sync for Stack {}

/// Memory that cannot be accessed, and memory that is not there (behind the end of a file).
const FAULTS: [i32; 2] = [11, 7];
/// What a jump to a damaged address may end in besides: an instruction that is none, one that traps,
/// a division by zero.
const WILD: [i32; 3] = [4, 5, 8];
/// The path by which the image that is mapped was started; null if none is.
static PATH: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// Its file, if one is. No variable begins with another value than 0: the start of an image would
/// have to map and copy the page with it.
static FILE: AtomicI32 = AtomicI32::new(0);
/// Whether a fault is being reported.
static REPORTED: AtomicBool = AtomicBool::new(false);
/// The handler gets the address.
const SA_SIGINFO: u64 = 4;
/// The handler runs on the alternate stack.
const SA_ONSTACK: u64 = 0x0800_0000;
/// Word of the kernel's description whose lower half says where the signal comes from: above 0 from
/// the kernel; and the one in which the address of a fault is.
const CODE: usize = 1;
const ADDRESS: usize = 2;
/// Bytes of `PLANCMD=`.
const NAME: usize = 8;

extern "C" fn on_fault(number: i32, info: *const u64) {
    // SAFETY: the kernel passes the description of the signal.
    let (code, address) = unsafe { (info.add(CODE).read() as i32, info.add(ADDRESS).read()) };
    if code <= 0 {
        return signal::end_by(number);
    }
    let mut command = *b"PLANCMD=internal error: memory fault at 0x0123456789abcdef\0";
    let end = command.len() - 1;
    for (i, digit) in command[end - 16..end].iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(address >> (4 * i)) as usize % 16];
    }
    report(&command)
}

/// Ends the process with the word of an internal error, or with that of damage, if this is an image
/// that is damaged. `command` is `PLANCMD=`, what happened, and a zero.
pub fn report(command: &[u8]) -> ! {
    while REPORTED.swap(true, Relaxed) {
        process::pause();
    }
    let path = PATH.load(Acquire);
    let (after, status): (&[u8], i32) = if path.is_null() {
        (b" (please report)\n", 70)
    } else {
        // SAFETY: terminated strings that stay; see `in_image`.
        unsafe { image::diagnose(Fd(FILE.load(Relaxed)), path, command) };
        let after = b": the image may be damaged (check it with plan image scrub)\n";
        (after, 4)
    };
    let what = command.split_last().map_or(command, |(_, what)| what);
    for part in [b"plan: ", what.get(NAME..).unwrap_or(what), after] {
        // Whether it can be written or not, the status says it.
        let _ = file::write(Fd::STDERR, part);
    }
    process::exit(status)
}

/// From now on a fault may be one of the image that is being mapped: that of this file, started by
/// `path`, which is terminated.
pub fn in_image(fd: Fd, path: &'static [u8]) {
    FILE.store(fd.0, Relaxed);
    PATH.store(path.as_ptr().cast_mut(), Release);
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
    // SAFETY: it is there for ever, and for this alone: only the main thread comes here.
    unsafe { use_stack(NonNull::new_unchecked(STACK.0.get().cast()))? };
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
