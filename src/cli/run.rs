//! `plan FILE ARG…` and `plan run FILE ARG…`: runs a seed (chapter 03 §4.2).
//!
//! Invariants:
//! - a malformed seed is refused before anything runs;
//! - the program's value is forced, applied to one argument, and the result evaluated to weak head
//!   normal form only.

use super::message::{self, Shown};
use super::options::Environment;
use super::seed_file::is_wisp;
use super::{STATUS_INPUT, STATUS_OK, stop};
use crate::machine::{Machine, Stop};
use crate::nat;
use crate::os::Fd;
use crate::os::env::Args;
use crate::os::out::Out;
use crate::seed::{Code, load_file};
use crate::value::Value;

/// What `PLANCMD=license` prints; the second line has no end (chapter 03 §4.2).
const LICENSE: &str = concat!(
    "PLAN runtime, version ",
    env!("CARGO_PKG_VERSION"),
    "\nMIT license, copyright (c) the PLAN runtime authors"
);

/// Runs the seed in `path` with the program's arguments; returns the exit status.
/// After `timeout` microseconds (0: never) it is stopped.
pub fn main(args: &Args, path: &[u8], words: &[&[u8]], timeout: u64) -> i32 {
    if args.var(b"PLANCMD") == Some(b"license") {
        license(b"");
    }
    let mut environment = match Environment::get(args) {
        Ok(environment) => environment,
        Err(status) => return status,
    };
    environment.machine.trace_color = true;
    environment.with_machine(timeout, |machine| load_and_run(machine, path, words))
}

/// Prints the licence and `end`; returns success.
pub fn license(end: &[u8]) -> i32 {
    let mut out = Out::new(Fd::STDERR);
    // Where standard error cannot be written there is nobody to tell.
    let written = out.put(LICENSE.as_bytes()).and_then(|()| out.put(end));
    let _ = written.and_then(|()| out.flush());
    STATUS_OK
}

fn load_and_run(machine: &mut Machine, path: &[u8], words: &[&[u8]]) -> i32 {
    if let Err(error) = load_file(machine, path) {
        let path = Shown(path);
        let help = if error.code != Code::Io && is_wisp(path.0) {
            " (a Wisp program is run by plan wisp FILE)"
        } else {
            ""
        };
        return message::fail(STATUS_INPUT, format_args!("seed {path}: {error}{help}"));
    }
    match run(machine, words) {
        Ok(status) => status,
        Err(stop) => stop::report(machine, stop),
    }
}

/// Forces and runs the value on top; returns the result modulo 256.
///
/// # Errors
/// As the program ends.
fn run(machine: &mut Machine, words: &[&[u8]]) -> Result<i32, Stop> {
    machine.force_top()?;
    apply(machine, words)
}

/// Applies the value on top to the row of the arguments; returns the result modulo 256.
///
/// # Errors
/// As the program ends.
pub fn apply(machine: &mut Machine, words: &[&[u8]]) -> Result<i32, Stop> {
    push_arguments(machine, words)?;
    machine.make_app(1)?;
    machine.eval_top()?;
    let mut space = [0];
    let limbs = machine.top(0).cast().limbs(&mut space);
    Ok((nat::limb_at(limbs, 0) & 0xff) as i32)
}

/// Pushes 0 for no words, otherwise the row of their bytes.
fn push_arguments(machine: &mut Machine, words: &[&[u8]]) -> Result<(), Stop> {
    machine.ensure_stack(words.len() + 16)?;
    machine.push(Value::ZERO);
    if words.is_empty() {
        return Ok(());
    }
    for word in words {
        machine.push_nat(&nat::bytes_to_limbs(word))?;
    }
    machine.make_row(words.len())?;
    machine.force_top()
}
