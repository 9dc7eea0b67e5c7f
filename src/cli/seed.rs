//! `plan seed check|dump|save`: works on seeds without running them.
//!
//! Invariants:
//! - `check` looks at every file it is given, whatever it finds in those before.

use super::args::Seed;
use super::message::Shown;
use super::seed_file::bad_seed;
use super::{STATUS_OK, finish, library, save, save_console};
use crate::os::Fd;
use crate::os::env::Args;
use crate::os::out::Out;
use crate::seed::{self, Accept, read_file};
use crate::wisp::Library;
use core::fmt::Write;

/// Does what the command line asks for; returns the exit status.
pub fn main(args: &Args, embedded: Library, seed: &Seed) -> i32 {
    let saved = match seed {
        Seed::Check {
            files,
            strict: true,
        } => Ok(check(files, Accept::STRICT)),
        Seed::Check { files, .. } => Ok(check(files, Accept::ANY)),
        Seed::Dump(file) => Ok(dump(file)),
        Seed::Save(wisp) => save::main(args, embedded, wisp),
        Seed::SaveConsole {
            file,
            output,
            version,
        } => save_console::main(args, file, output, *version),
        Seed::SaveLibrary { file, directory } => {
            library::save(args, embedded.text, file, directory)
        }
    };
    saved.unwrap_or_else(|status| status)
}

/// Prints a line for each well-formed file on standard output, for each other on standard error.
fn check(files: &[&[u8]], accept: Accept) -> i32 {
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
