//! The command line: what was asked for, who does it, what is said when it fails.
//!
//! | file | holds |
//! |---|---|
//! | `args` | the arguments as a [`args::Command`] |
//! | `help` | the texts of `--help` and `--version` |
//! | `message` | the one line `plan: what failed: why (what to do)` |
//! | `options` | what the environment says about the machine |
//! | `graph` | seeds from values |
//! | `image` | an image: this executable with a persistence region behind it |
//! | `library` | the built-in library, for the build |
//! | `seed_file` | what the commands about seed files share |
//! | `save`, `save_console` | `seed save` for Wisp programs and for console files |
//! | `arity` | warnings of values that do nothing when run |
//! | `images` | images from outside: boot, build, `image …` |
//! | `stop` | what is said about a program without a result |
//! | one file per command | the command |
//!
//! Invariants:
//! - every path through [`main`] ends in an exit status of spec 00 §14;
//! - a failure of the tool itself prints exactly one line on standard error;
//! - help and version go to standard output, and a failure to write them is a failure.

pub mod args;
mod arity;
mod graph;
pub mod help;
mod image;
pub mod images;
mod library;
pub mod message;
pub mod options;
mod repl;
mod rpn;
mod run;
mod save;
mod save_console;
mod seed;
mod seed_file;
pub mod stop;
pub mod wisp;

use crate::os::env::Args;
use crate::os::image::Start;
use crate::os::out::Out;
use crate::os::{Errno, Fd, term};
use crate::wisp::Library;
use alloc::vec::Vec;
use args::Command;

/// Success, help and version.
pub const STATUS_OK: i32 = 0;
/// A value depends on itself.
pub const STATUS_LOOP: i32 = 1;
/// An error in the console's input.
pub const STATUS_CONSOLE: i32 = 1;
/// A Wisp form that failed.
pub const STATUS_EVALUATION: i32 = 1;
/// A wrong command line, in every command.
pub const STATUS_USAGE: i32 = 2;
/// A file that cannot be read or written, or malformed input.
pub const STATUS_INPUT: i32 = 3;
/// An image that cannot be used: damaged, of another version, in use.
pub const STATUS_IMAGE: i32 = 4;
/// An exception that nobody caught.
pub const STATUS_UNCAUGHT: i32 = 9;
/// An internal inconsistency, or the system refuses what the runtime needs to start.
pub const STATUS_INTERNAL: i32 = 70;

/// Runs the image, or the command that `args` asks for, with this built-in library; returns the exit
/// status.
pub fn main(args: &Args, start: Start, library: Library) -> i32 {
    match start {
        Start::Tool => tool(args, library),
        Start::Image(own) => image::run(args, own),
        Start::Refused(path, refusal) => image::refused(path, refusal),
    }
}

/// Runs the command that `args` asks for. Large in its frame, which an image need not touch.
#[inline(never)]
fn tool(args: &Args, library: Library) -> i32 {
    let words: Vec<&[u8]> = args.from(1).collect();
    match args::parse(&words) {
        Ok(Command::Help(topic)) => print(&help::text(topic)),
        Ok(Command::Version) => print(help::VERSION.as_bytes()),
        Ok(Command::Run {
            file,
            args: words,
            timeout,
        }) => run::main(args, file, words, timeout),
        Ok(Command::Rpn) => rpn::main(args),
        Ok(Command::RpnTest) => rpn::test(args),
        Ok(Command::Seed(seed)) => seed::main(args, library, &seed),
        Ok(Command::Boot { file, output }) => {
            images::boot::boot(args, file, output).unwrap_or_else(|status| status)
        }
        Ok(Command::Build(wisp)) => {
            images::boot::build(args, library, &wisp).unwrap_or_else(|status| status)
        }
        Ok(Command::Image(image)) => images::main(args, &image),
        Ok(Command::Wisp(wisp)) => wisp::main(args, library, &wisp),
        Ok(Command::Repl(wisp)) if term::is_terminal(Fd::STDIN) => repl::main(args, library, &wisp),
        Ok(Command::Repl(wisp)) => wisp::piped(args, library, wisp),
        Err(usage) => message::fail(STATUS_USAGE, format_args!("{usage}")),
    }
}

/// Writes a text that was asked for to standard output.
fn print(text: &[u8]) -> i32 {
    let mut out = Out::new(Fd::STDOUT);
    let result = out.put(text).and_then(|()| out.flush());
    finish(result, STATUS_OK)
}

/// `status`, unless standard output could not be written: that is said, with status 3.
pub fn finish(written: Result<(), Errno>, status: i32) -> i32 {
    match written {
        Ok(()) => status,
        Err(why) => message::fail(
            STATUS_INPUT,
            format_args!("standard output: cannot write: {why} (what was printed is incomplete)"),
        ),
    }
}
