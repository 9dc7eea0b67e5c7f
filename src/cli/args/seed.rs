//! The arguments of `plan seed`.
//!
//! Invariants:
//! - options stand anywhere before `--`;
//! - a console file is known by its name, `.rpn`, or by the form `save FILE OUT`, which Wisp programs
//!   do not have.

use super::{SAVE, Usage, Wisp, program};
use crate::cli::seed_file::is_wisp;
use crate::seed::Version;
use alloc::vec::Vec;

/// What `plan seed` is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seed<'a> {
    /// `check [--strict] FILE…`: say of each file whether it is a well-formed seed.
    Check {
        /// At least one.
        files: Vec<&'a [u8]>,
        /// Only what is written as `save` would.
        strict: bool,
    },
    /// `dump FILE`: print the value of a seed.
    Dump(&'a [u8]),
    /// `save … -o OUT`: write the value of a Wisp program, whose `output` is there.
    Save(Wisp<'a>),
    /// `save [--v2] FILE.rpn -o OUT`: write the value a console file leaves.
    SaveConsole {
        /// The console file.
        file: &'a [u8],
        /// The seed to write.
        output: &'a [u8],
        /// Of which version.
        version: Version,
    },
    /// `save --library FILE -o DIR`: prepare the built-in library, a step of the build.
    SaveLibrary {
        /// The file that requires all modules.
        file: &'a [u8],
        /// Where to write.
        directory: &'a [u8],
    },
}

/// What the words after `seed` ask for.
pub fn parse<'a>(words: &'a [&'a [u8]]) -> Result<Seed<'a>, Usage<'a>> {
    match words {
        [b"check", rest @ ..] => check(rest),
        [b"dump", rest @ ..] => dump(rest),
        [b"save", b"--library", file, b"-o", directory] => {
            Ok(Seed::SaveLibrary { file, directory })
        }
        [b"save", rest @ ..] => save(program(rest, SAVE)?),
        [] => Err(Usage::Missing("seed", "subcommand")),
        [word, ..] => Err(Usage::Superfluous("seed", word)),
    }
}

fn check<'a>(words: &'a [&'a [u8]]) -> Result<Seed<'a>, Usage<'a>> {
    let (mut files, mut strict) = (Vec::new(), false);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"--" => files.extend(words.by_ref()),
            b"--strict" => strict = true,
            word if word.starts_with(b"-") => {
                return Err(Usage::UnknownOption("seed check", word));
            }
            file => files.push(file),
        }
    }
    if files.is_empty() {
        return Err(Usage::Missing("seed check", "file"));
    }
    Ok(Seed::Check { files, strict })
}

fn dump<'a>(words: &'a [&'a [u8]]) -> Result<Seed<'a>, Usage<'a>> {
    match words {
        [b"--", file] => Ok(Seed::Dump(file)),
        [] | [b"--"] => Err(Usage::Missing("seed dump", "file")),
        [b"--", _, word, ..] => Err(Usage::Superfluous("seed dump", word)),
        [word, ..] if word.starts_with(b"-") => Err(Usage::UnknownOption("seed dump", word)),
        [file] => Ok(Seed::Dump(file)),
        [_, word, ..] => Err(Usage::Superfluous("seed dump", word)),
    }
}

/// Which kind of file is to be saved.
fn save(wisp: Wisp<'_>) -> Result<Seed<'_>, Usage<'_>> {
    let version = wisp.version;
    let console = |file, output| Seed::SaveConsole {
        file,
        output,
        version,
    };
    match (&wisp.files[..], wisp.output) {
        (&[file], Some(output)) if file.ends_with(b".rpn") && wisp.expression.is_none() => {
            Ok(console(file, output))
        }
        (_, Some(_)) => Ok(Seed::Save(wisp)),
        (&[file, output], None) if !is_wisp(file) && !is_wisp(output) => Ok(console(file, output)),
        (_, None) => Err(Usage::Missing("seed save", "output file (-o OUT)")),
    }
}
