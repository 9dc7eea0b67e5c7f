//! Threads and locks where they are used: in an executable without a C library.
//!
//! A program of the standard library cannot run threads of ours: they have no thread-local storage.
//! This one is linked like `plan` itself, and tests/threads.rs runs it, one scenario a process.
//!
//! Invariants:
//! - `threads SCENARIO [COUNT]` ends with status 0 and prints figures, or fails with a panic, which
//!   is one line on standard error and status 70;
//! - counts are ten times those of the reference implementation's tests, critical sections shorter.
//!
//! Safety: the entry receives the kernel's initial stack; raw system calls name memory of their own.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

extern crate alloc;

mod locks;
mod starts;

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use plan::os::env::Args;
use plan::os::heap::SystemHeap;
use plan::os::{Fd, fault, file, process, signal};

core::arch::global_asm!(
    include_str!("../../asm/start.s"),
    include_str!("../../asm/cpu.s"),
    include_str!("../../asm/memory.s"),
    include_str!("../../asm/memory_names.s"),
);

#[global_allocator]
static HEAP: SystemHeap = SystemHeap::new();

/// A standard stream, unbuffered.
pub struct Stream(Fd);

impl Write for Stream {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        file::write_all(self.0, text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Prints a line of figures.
pub fn say(line: fmt::Arguments<'_>) {
    writeln!(Stream(Fd::STDOUT), "{line}").expect("standard output is there");
}

/// Where `asm/start.s` enters Rust.
///
/// # Safety
/// `stack` must be the stack pointer the kernel started the process with.
#[unsafe(no_mangle)]
unsafe extern "C" fn plan_start(stack: *const usize) -> ! {
    // SAFETY: passed on to the caller.
    let args = unsafe { Args::from_stack(stack) };
    fault::catch().expect("faults can be caught");
    signal::catch_interrupt().expect("signals can be caught");
    let count = args.get(2).map(|digits| {
        let digit = |number, byte: &u8| number * 10 + u32::from(byte - b'0');
        digits.iter().fold(0, digit)
    });
    let name = args.get(1).unwrap_or_default();
    let known = starts::run(name, count) || locks::run(name);
    process::exit(if known { 0 } else { 2 })
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // Nothing is left to do when standard error cannot be written; the status remains.
    let _ = writeln!(Stream(Fd::STDERR), "{info}");
    process::exit(70)
}

/// Named by the precompiled `alloc`; never called.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Named by landing pads of the precompiled `alloc`; never called.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    process::exit(70)
}
