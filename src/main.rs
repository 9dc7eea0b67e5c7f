//! The freestanding binary: entry, panic handler, allocator; nothing else.
//!
//! Invariants:
//! - everything a C library would have done before `main` is in `asm/`; nothing else is needed;
//! - a panic is an internal error: one line on standard error, status 70, no unwinding. Bad input
//!   never gets here.
//!
//! Safety: the entry receives the kernel's initial stack from `asm/start.s`.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use plan::os::env::Args;
use plan::os::heap::SystemHeap;
use plan::os::image::{self, Handover};
use plan::os::{fault, process, signal};
use plan::wisp::Library;
use plan::wisp::start::BUILTIN;

core::arch::global_asm!(
    include_str!("../asm/start.s"),
    include_str!("../asm/cpu.s"),
    include_str!("../asm/memory.s"),
    include_str!("../asm/memory_names.s"),
);

/// What the build prepared of the library, in a section of its own: data beside the code. All empty
/// in the executable that prepares it; see the Makefile.
macro_rules! embed {
    ($name:ident, $file:literal) => {
        #[unsafe(link_section = ".library")]
        static $name: [u8; include_bytes!(concat!(env!("OUT_DIR"), "/", $file)).len()] =
            *include_bytes!(concat!(env!("OUT_DIR"), "/", $file));
    };
}
embed!(BUILTINS, "builtins.seed");
embed!(MODULES, "modules.seed");
embed!(INDEX, "index");

#[unsafe(link_section = ".library")]
static TEXT: [u8; BUILTIN.len()] = BUILTIN;

#[global_allocator]
static HEAP: SystemHeap = SystemHeap::new();

unsafe extern "C" {
    /// Where an image comes a second time; see `asm/start.s`.
    fn plan_resume();
}

/// Where `asm/start.s` enters Rust.
///
/// # Safety
/// `stack` must be the stack pointer the kernel started the process with, `handover` null or what
/// the stub of an image brought.
#[unsafe(no_mangle)]
unsafe extern "C" fn plan_start(stack: *const usize, handover: *const Handover) -> ! {
    // SAFETY: passed on to the caller.
    let args = unsafe { Args::from_stack(stack) };
    // SAFETY: passed on to the caller, too.
    let start = unsafe { image::start(&args, handover, plan_resume as *const () as usize) };
    // Where the system refuses, a fault ends the process by a signal: no reason not to start.
    let _ = fault::catch();
    // And the first process could be ended by SIGKILL alone.
    let _ = signal::end_as_first();
    let library = Library {
        text: &TEXT,
        builtins: &BUILTINS,
        modules: &MODULES,
        index: &INDEX,
    };
    process::exit(plan::cli::main(&args, start, library))
}

/// The most bytes of a message.
const LINE: usize = 511;

/// A message of fixed size, with a zero behind it: an internal error may be a lack of memory.
struct Line {
    bytes: [u8; LINE + 1],
    len: usize,
}

impl Write for Line {
    /// Appends what fits, with line ends turned into blanks.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..LINE];
        for (to, from) in room.iter_mut().zip(text.bytes()) {
            *to = if from == b'\n' { b' ' } else { from };
            self.len += 1;
        }
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let mut line = Line {
        bytes: [0; LINE + 1],
        len: 0,
    };
    // What does not fit is left out.
    let _ = write!(line, "PLANCMD=internal error: {}", info.message());
    if let Some(place) = info.location() {
        let _ = write!(line, " at {}:{}", place.file(), u64::from(place.line()));
    }
    fault::report(&line.bytes[..=line.len])
}

/// Named by the precompiled `alloc`; never called, because panics abort.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Named by landing pads of the precompiled `alloc`; never called, because panics abort.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    process::exit(70)
}
