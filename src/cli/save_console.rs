//! `plan seed save FILE.rpn -o OUT`: the value that a console file leaves on top as a seed.
//!
//! Invariants:
//! - nothing is written unless the console file ran to its end and its value could be forced.

use super::message::{self, Shown};
use super::options::Environment;
use super::seed_file::{bad_seed, write};
use super::{STATUS_INPUT, STATUS_OK, graph, rpn, stop};
use crate::machine::Machine;
use crate::os::env::Args;
use crate::os::out::Out;
use crate::os::{Fd, file};
use crate::rpn::{Console, Ended};
use crate::seed::{Version, load_file};

/// Executes the console file `source` and writes the value it leaves on top to `target`.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn main(args: &Args, source: &[u8], target: &[u8], version: Version) -> Result<i32, i32> {
    let environment = Environment::get(args)?;
    let script = file::read_whole(source).map_err(|why| {
        let source = Shown(source);
        message::fail(
            STATUS_INPUT,
            format_args!("seed save: {source}: {why} (give a console file)"),
        )
    })?;
    let mut machine = environment.start()?;
    leave_value(&mut machine, source, &script)?;
    machine
        .force_top()
        .map_err(|stop| stop::report(&machine, stop))?;
    let bytes = graph::encode(machine.top(0), version).map_err(|error| bad_seed(target, &error))?;
    write(target, &bytes)?;
    environment.report(&machine);
    Ok(STATUS_OK)
}

/// Executes a console file, so that a value is on top.
fn leave_value(machine: &mut Machine, source: &[u8], script: &[u8]) -> Result<(), i32> {
    let (mut script, mut out) = (script, Out::new(Fd::STDOUT));
    let mut console = Console::new(machine, &mut script, &mut out, load_file);
    let ended = console.run();
    let depth = console.depth();
    if ended != Ended::Input {
        return Err(rpn::status(machine, ended));
    }
    if depth == 0 {
        let source = Shown(source);
        return Err(message::fail(
            STATUS_INPUT,
            format_args!("seed save: {source}: leaves no value (push one at the end)"),
        ));
    }
    Ok(())
}
