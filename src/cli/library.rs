//! `plan seed save --library FILE -o DIR`: prepares the built-in library, a step of the build.
//!
//! FILE requires all modules. They are evaluated in that order in one session; after each form the
//! environment is compared with the one before. DIR gets the three parts [`crate::wisp::library`]
//! describes.
//!
//! Invariants:
//! - The bytes written depend on the sources alone.
//! - The library is made in a session of its own text only: whatever the executable embeds is not
//!   looked at.

use super::message::{self, Shown};
use super::options::Environment;
use super::wisp::{self, finish, no_library};
use super::{STATUS_EVALUATION, STATUS_INPUT, STATUS_OK, graph, seed_file};
use crate::os::env::Args;
use crate::seed::Version;
use crate::wisp::{Library, LoadError, Problem, Rules, Session, Sources, report};
use alloc::vec::Vec;

/// Prepares the library whose modules `path` requires, with the built-in functions of this text; returns the exit status.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn save(args: &Args, text: &'static [u8], path: &[u8], dir: &[u8]) -> Result<i32, i32> {
    let mut sources = Sources::default();
    if let Err(error) = sources.add_file(path) {
        wisp::say(&report::not_assembled(&sources, &error));
        return Err(wisp::not_loaded(path, STATUS_INPUT));
    }
    let environment = Environment::get(args)?;
    let mut machine = environment.start()?;
    let alone = Library {
        text,
        ..Library::default()
    };
    let session = Session::new(&mut machine, Rules::default(), alone);
    let parts = match session {
        Ok(mut session) => prepare(&mut session, &sources)
            .map_err(|problem| say(&mut session, &sources, dir, problem))?,
        Err(error) => return Err(no_library(&machine, &error)),
    };
    for (name, bytes) in NAMES.iter().zip(&parts) {
        let target = [dir, b"/", name].concat();
        seed_file::write(&target, bytes)?;
    }
    environment.report(&machine);
    Ok(STATUS_OK)
}

/// The files of the three parts.
const NAMES: [&[u8]; 3] = [b"builtins.seed", b"modules.seed", b"index"];

/// The contents of the files.
fn prepare(session: &mut Session, sources: &Sources) -> Result<[Vec<u8>; 3], Problem> {
    let index = session.collect_modules(sources)?;
    let known = session.builtin_functions();
    let failed = |error| Problem::Load(LoadError::Seed(error));
    let modules = session.machine().top(0);
    let modules = graph::encode_with(modules, Version::V1, &known, &mut |_| {}).map_err(failed)?;
    session.push_builtins()?;
    let builtins = session.machine().top(0);
    let builtins = graph::encode(builtins, Version::V1).map_err(failed)?;
    Ok([builtins, modules, index])
}

/// Says what the problem is; returns the exit status.
fn say(session: &mut Session, sources: &Sources, dir: &[u8], problem: Problem) -> i32 {
    match problem {
        Problem::Ended(ended) => finish(session, sources, ended),
        Problem::Undefined(name) => message::fail(
            STATUS_EVALUATION,
            format_args!(
                "seed save: {}: a doc string for {}, which is not bound (define it first)",
                Shown(dir),
                Shown(&name)
            ),
        ),
        Problem::Load(error) => no_library(session.machine(), &error),
    }
}
