//! The end of a program that has no result: `plan: uncaught …` and `<<loop>>`.
//!
//! Invariants:
//! - What was printed before is written before.

use super::{STATUS_LOOP, STATUS_UNCAUGHT, finish};
use crate::machine::{Machine, Stop};
use crate::os::Fd;
use crate::os::out::Out;
use crate::value::print::{self, OutOfMemory, Sink, Style};
use alloc::vec::Vec;

/// Says how an evaluation ended and returns the exit status.
pub fn report(machine: &Machine, stop: Stop) -> i32 {
    match stop {
        Stop::Thrown => uncaught(machine),
        Stop::Loop => {
            let mut out = Out::new(Fd::STDOUT);
            let written = out.put(b"<<loop>>\n").and_then(|()| out.flush());
            finish(written, STATUS_LOOP)
        }
    }
}

/// Prints the exception whose code and payload are the two topmost values, in one write; returns
/// the exit status.
pub fn uncaught(machine: &Machine) -> i32 {
    let mut line = Vec::from(*b"plan: uncaught ");
    if exception(machine, &mut line).is_err() {
        line.bytes(b" ... (no memory to print the rest)");
    }
    line.bytes(b"\n");
    let mut out = Out::new(Fd::STDERR);
    // Where standard error cannot be written there is nobody to tell; the status says it.
    let _ = out.put(&line).and_then(|()| out.flush());
    STATUS_UNCAUGHT
}

fn exception(machine: &Machine, line: &mut Vec<u8>) -> Result<(), OutOfMemory> {
    print::show(machine.top(1), &Style::TRACE, line)?;
    line.bytes(b" ");
    print::show(machine.top(0), &Style::TRACE, line)
}
