//! `plan rpn`: the console on standard input and output.
//!
//! Invariants:
//! - input is read in pieces, as it comes: a console at the end of a pipe answers every line.

use super::message::{self, Shown};
use super::options::Environment;
use super::{STATUS_CONSOLE, STATUS_INPUT, STATUS_INTERNAL, STATUS_LOOP, STATUS_OK, finish, stop};
use crate::machine::Machine;
use crate::os::env::Args;
use crate::os::out::Out;
use crate::os::{Errno, Fd, file};
use crate::rpn::{Console, Ended, Source, self_test};
use crate::seed::load_file;
use core::fmt;

/// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

/// Runs the console; returns the exit status.
pub fn main(args: &Args) -> i32 {
    let environment = match Environment::get(args) {
        Ok(environment) => environment,
        Err(status) => return status,
    };
    let mut machine = match environment.start() {
        Ok(machine) => machine,
        Err(status) => return status,
    };
    let (mut input, mut out) = (Input::new(Fd::STDIN), Out::new(Fd::STDOUT));
    let ended = Console::new(&mut machine, &mut input, &mut out, load_file).run();
    let status = status(&machine, ended);
    environment.report(&machine);
    status
}

/// Runs the self-tests; returns the exit status.
pub fn test(args: &Args) -> i32 {
    let report = Environment::get(args).and_then(|environment| self_test(|| environment.start()));
    match report {
        Err(status) => status,
        Ok(report) => match report.failed {
            Some(first) => message::fail(
                STATUS_INTERNAL,
                format_args!("rpn: self-test {first} failed (please report)"),
            ),
            None => {
                let mut out = Out::new(Fd::STDOUT);
                // `write!` loses the cause; `state` has it.
                let _ = fmt::Write::write_fmt(
                    &mut out,
                    format_args!("{} self-tests passed\n", report.run),
                );
                finish(out.flush(), STATUS_OK)
            }
        },
    }
}

/// Says how a console ended, if that is not said yet, and returns the exit status.
pub fn status(machine: &Machine, ended: Ended) -> i32 {
    match ended {
        Ended::Input => STATUS_OK,
        Ended::Rejected => STATUS_CONSOLE,
        Ended::Loop => STATUS_LOOP,
        Ended::Uncaught => stop::uncaught(machine),
        Ended::Unterminated(open) => message::fail(
            STATUS_INPUT,
            format_args!(
                "rpn: the input ends inside a string (close the {} that opened it)",
                open as char
            ),
        ),
        Ended::NotANatural(word) => message::fail(
            STATUS_CONSOLE,
            format_args!("rpn: {word}: needs evaluated natural numbers (evaluate with E first)"),
        ),
        Ended::Seed(path, error) => {
            message::fail(STATUS_INPUT, format_args!("seed {}: {error}", Shown(&path)))
        }
        Ended::Unsound(problem) => message::fail(
            STATUS_INTERNAL,
            format_args!("rpn: memcheck: {problem} (please report)"),
        ),
        Ended::Output(errno) => finish(Err(errno), STATUS_OK),
        Ended::Memory => message::fail(
            STATUS_INTERNAL,
            format_args!("rpn: out of memory (give the process more)"),
        ),
    }
}

/// Bytes of a descriptor.
struct Input {
    fd: Fd,
    buffer: [u8; CHUNK],
    /// The bytes `at..end` of the buffer are still to be given.
    at: usize,
    end: usize,
    done: bool,
}

impl Input {
    fn new(fd: Fd) -> Input {
        Input {
            fd,
            buffer: [0; CHUNK],
            at: 0,
            end: 0,
            done: false,
        }
    }

    /// Reads more. An error is the end of the input (chapter 04 §7).
    fn fill(&mut self) {
        self.at = 0;
        self.end = loop {
            match file::read(self.fd, &mut self.buffer) {
                Ok(count) => break count,
                Err(Errno::EINTR) => continue,
                Err(_) => break 0,
            }
        };
        self.done = self.end == 0;
    }
}

impl Source for Input {
    fn next(&mut self) -> Option<u8> {
        if self.at == self.end && !self.done {
            self.fill();
        }
        let byte = *self.buffer[..self.end].get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn would_wait(&self) -> bool {
        self.at == self.end && !self.done
    }
}
