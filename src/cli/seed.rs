//! `plan seed check|dump|save`: works on seeds without running them.
//!
//! Invariants:
//! - `check` looks at every file it is given, whatever it finds in those before;
//! - `save` writes nothing unless the console file ran to its end and its value could be forced.

use super::message::{self, Shown};
use super::options::Environment;
use super::{STATUS_INPUT, STATUS_OK, STATUS_USAGE, finish, rpn, stop};
use super::{args, graph, library, save};
use crate::machine::Machine;
use crate::os::env::Args;
use crate::os::out::Out;
use crate::os::{Fd, file};
use crate::rpn::{Console, Ended};
use crate::seed::{self, Accept, SeedError, Version, load_file, read_file};
use crate::wisp::Library;
use core::fmt::Write;

/// Runs the subcommand that `words` name; returns the exit status.
pub fn main(args: &Args, library: Library, words: &[&[u8]]) -> i32 {
    match words {
        [b"check", b"--strict", files @ ..] => check(files, Accept::STRICT),
        [b"check", files @ ..] => check(files, Accept::ANY),
        [b"dump", files @ ..] => match operands(files) {
            Ok(&[path]) => dump(path),
            other => wrong("dump", other, "one file"),
        },
        [b"save", b"--library", path, b"-o", dir] => {
            library::save(args, library.text, path, dir).unwrap_or_else(|status| status)
        }
        [b"save", words @ ..] if words.contains(&&b"-o"[..]) => match args::save(words) {
            Ok(wisp) => save_program(args, library, &wisp).unwrap_or_else(|status| status),
            Err(error) => usage(format_args!("{error}")),
        },
        [b"save", b"--v2", files @ ..] => save_words(args, files, Version::V2),
        [b"save", files @ ..] => save_words(args, files, Version::V1),
        [] => usage(format_args!(
            "seed: no subcommand given (check, dump or save)"
        )),
        [word, ..] => usage(format_args!(
            "seed: unknown subcommand: {} (check, dump or save)",
            Shown(word)
        )),
    }
}

fn usage(message: core::fmt::Arguments<'_>) -> i32 {
    message::fail(STATUS_USAGE, message)
}

/// The file names among `words`: all of them after `--`; otherwise the first that looks like an
/// option is an error.
fn operands<'a, 'b>(words: &'a [&'b [u8]]) -> Result<&'a [&'b [u8]], &'b [u8]> {
    match words {
        [b"--", files @ ..] => Ok(files),
        _ => match words.iter().find(|word| word.starts_with(b"-")) {
            Some(option) => Err(option),
            None => Ok(words),
        },
    }
}

/// Says why the operands of a subcommand are not what it needs.
fn wrong(command: &str, operands: Result<&[&[u8]], &[u8]>, needs: &str) -> i32 {
    match operands {
        Err(option) => usage(format_args!(
            "seed {command}: unknown option: {} (try plan seed --help)",
            Shown(option)
        )),
        Ok(_) => usage(format_args!(
            "seed {command}: needs {needs} (try plan seed --help)"
        )),
    }
}

/// Says why a seed cannot be used; the form of chapter 03 §7.
pub fn bad_seed(path: &[u8], error: &SeedError) -> i32 {
    message::fail(STATUS_INPUT, format_args!("seed {}: {error}", Shown(path)))
}

/// Prints a line for each well-formed file on standard output, for each other on standard error.
fn check(words: &[&[u8]], accept: Accept) -> i32 {
    let files = match operands(words) {
        Ok(files) if !files.is_empty() => files,
        other => return wrong("check", other, "a file"),
    };
    let mut out = Out::new(Fd::STDOUT);
    let mut status = STATUS_OK;
    for path in files {
        let checked = read_file(path).and_then(|bytes| seed::check_with(&bytes, accept));
        match checked {
            // `write!` loses the cause; `flush` gives it again.
            Ok(plan) => drop(writeln!(out, "{}: {plan}", Shown(path))),
            Err(error) => {
                // In order with what is on standard output, if both are the same file.
                let _ = out.flush();
                status = bad_seed(path, &error);
            }
        }
    }
    finish(out.flush(), status)
}

fn dump(path: &[u8]) -> i32 {
    let mut out = Out::new(Fd::STDOUT);
    let dumped = read_file(path).and_then(|bytes| {
        let plan = seed::check(&bytes)?;
        match seed::dump(&bytes, &plan, &mut out) {
            Err(seed::BuildError::Seed(error)) => Err(error),
            // The device's error is in `out`, and `flush` gives it again.
            Ok(()) | Err(seed::BuildError::Builder(_)) => Ok(()),
        }
    });
    match dumped {
        Ok(()) => finish(out.flush(), STATUS_OK),
        Err(error) => bad_seed(path, &error),
    }
}

/// Whether a file is called as Wisp programs are.
pub fn is_wisp(path: &[u8]) -> bool {
    path.ends_with(b".wisp") || path.ends_with(b".lisp")
}

/// `save … -o OUT`: a Wisp program, or a single file that is called as console files are.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
fn save_program(args: &Args, library: Library, wisp: &args::Wisp) -> Result<i32, i32> {
    match (&wisp.files[..], wisp.output) {
        ([source], Some(target)) if source.ends_with(b".rpn") && wisp.expression.is_none() => {
            save_console(args, source, target, wisp.version)
        }
        _ => save::main(args, library, wisp),
    }
}

fn save_words(args: &Args, words: &[&[u8]], version: Version) -> i32 {
    match operands(words) {
        Ok(files) if files.iter().any(|file| is_wisp(file)) => usage(format_args!(
            "seed save: a Wisp program needs -o (plan seed save FILE.wisp -o OUT.seed)"
        )),
        Ok(&[source, target]) => {
            save_console(args, source, target, version).unwrap_or_else(|status| status)
        }
        other => wrong(
            "save",
            other,
            "a Wisp file and -o OUT, or a console file and OUT",
        ),
    }
}

/// Executes the console file `source` and writes the value it leaves on top to `target`.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
fn save_console(args: &Args, source: &[u8], target: &[u8], version: Version) -> Result<i32, i32> {
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

/// Writes a file.
///
/// # Errors
/// The exit status, when that failed and has been said.
pub fn write(target: &[u8], bytes: &[u8]) -> Result<(), i32> {
    file::write_whole(target, bytes).map_err(|why| {
        let target = Shown(target);
        message::fail(
            STATUS_INPUT,
            format_args!("seed save: {target}: {why} (choose a place that can be written)"),
        )
    })
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
