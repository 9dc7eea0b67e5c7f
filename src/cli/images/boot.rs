//! `boot FILE.seed OUT` and `build FILE.wisp -o OUT`: images of programs (chapter 05 §5.7).
//!
//! Invariants:
//! - `build` makes the image of the seed that `seed save` writes;
//! - nothing is left of an OUT that could not be made, and one that was there is then as it was;
//! - the same seed and runtime give the same bytes.

use super::replace::Replacement;
use super::{not_a_source, own_executable, unusable};
use crate::cli::args::Wisp;
use crate::cli::message::{self, Shown};
use crate::cli::options::Environment;
use crate::cli::seed_file::{bad_seed, is_wisp};
use crate::cli::{STATUS_INPUT, STATUS_OK, STATUS_USAGE, save, stop};
use crate::heap::store::format::PAGE;
use crate::heap::store::{FileStorage, Options, Store};
use crate::machine::{CommitError, Machine};
use crate::os::env::Args;
use crate::os::file;
use crate::seed::{SeedError, load_seed, read_file};
use crate::wisp::Library;

/// `plan boot`: an image of the seed in a file.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn boot(args: &Args, path: &[u8], output: &[u8]) -> Result<i32, i32> {
    not_a_source(("boot", output), [path])?;
    let seed = read_file(path).map_err(|error| bad_seed(path, &error))?;
    make(args, ("boot", output), (path, &seed), 0)
}

/// `plan build`: an image of a Wisp program.
///
/// # Errors
/// As for [`boot`].
pub fn build(args: &Args, library: Library, wisp: &Wisp) -> Result<i32, i32> {
    let output = wisp.output.ok_or(STATUS_USAGE)?;
    not_a_source((wisp.command, output), wisp.files.iter().copied())?;
    let seed = save::seed_of(args, library, wisp)?;
    let about = (wisp.command, output);
    make(args, about, (save::program(wisp), &seed), wisp.timeout)
}

/// Makes an image of a seed, which comes from this file.
fn make(
    args: &Args,
    about: (&'static str, &[u8]),
    (path, seed): (&[u8], &[u8]),
    timeout: u64,
) -> Result<i32, i32> {
    let runtime = own_executable(args, about)?;
    let environment = Environment::get(args)?;
    Ok(environment.with_machine(timeout, |machine| {
        if let Err(error) = load_seed(machine, seed) {
            return refuse_seed(path, &error);
        }
        if let Err(why) = machine.force_top() {
            return stop::report(machine, why);
        }
        write(machine, about, &runtime).map_or_else(|status| status, |()| STATUS_OK)
    }))
}

/// Says why a seed cannot be used, and what would make an image of a Wisp program.
fn refuse_seed(path: &[u8], error: &SeedError) -> i32 {
    if !is_wisp(path) {
        return bad_seed(path, error);
    }
    let (path, help) = (Shown(path), "a Wisp program: plan build FILE -o OUT");
    message::fail(STATUS_INPUT, format_args!("seed {path}: {error} ({help})"))
}

/// Writes `runtime` and a region that holds the value on top.
fn write(machine: &mut Machine, about: (&'static str, &[u8]), runtime: &[u8]) -> Result<(), i32> {
    let (replacement, file) = Replacement::new(about, 0o777)?;
    file::write_all(file.fd(), runtime).map_err(|why| replacement.failed("write", why))?;
    let region = runtime.len().next_multiple_of(PAGE) as u64;
    let store = FileStorage::new(file, true)
        .and_then(|storage| Store::create(storage, region, Options::default()));
    let mut store = store.map_err(|error| unusable(about, error))?;
    machine
        .commit_top(&mut store)
        .map_err(|error| match error {
            CommitError::Stopped(why) => stop::report(machine, why),
            CommitError::Store(error) => unusable(about, error),
        })?;
    store.settle();
    replacement.install(store.storage().file().fd(), None)
}
