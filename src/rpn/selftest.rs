//! What the console's argument `test` runs: short scripts and the output they must have.
//!
//! It is for whoever has an executable and nothing else, and wants to know whether it works on this
//! machine; the project's own tests are many more.
//!
//! Invariants:
//! - Each script has a machine of its own; none reads or writes anything outside the process.

use super::{Console, Ended};
use crate::machine::Machine;
use crate::seed::{Code, SeedError};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Scripts and what they print. Each must end at the end of its input.
const SCRIPTS: &[(&str, &str)] = &[
    ("1 2 + .", "3\n"),
    (
        "0xffffffffffffffff dup * .",
        "0xfffffffffffffffe0000000000000001\n",
    ),
    ("0x10000000000000000 0x7ffffffffffffffe / .", "2\n"),
    ("0 1A 2A E_F.", "{1 2}\n[1 2]\n"),
    ("2P 41 A E .", "42\n"),
    ("(1 1 \"id\"L)P 9A E .", "9\n"),
    ("(1 2 \"kk\"L)P 7A 8A 9A E .", "7{9}\n"),
    ("((1 (0 5A) A 2 A) 1 \"lt\" L) 9A E .", "5\n"),
    ("((0 (0 (2P)A)A 1A) 1 \"pp\"L) 9A E .", "10\n"),
    (
        "cords \"hello world\" . \"ab\"P.",
        "\"hello world\"\n#%ab\n",
    ),
    ("0 (2P 3A)A E dup F gc memcheck ?", "[4]\n[4]\n"),
    ("8P (0 (17P) A 5 A) A F .", "17[5]\n"),
];

/// How the self-test went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Scripts run.
    pub run: usize,
    /// Number, from 1, of the first script with a wrong output.
    pub failed: Option<usize>,
}

/// Runs the scripts on machines made by `machine`.
///
/// # Errors
/// Those of `machine`.
pub fn self_test<E>(machine: impl Fn() -> Result<Box<Machine>, E>) -> Result<Report, E> {
    let mut failed = None;
    for (i, (script, expected)) in SCRIPTS.iter().enumerate() {
        let mut out = Vec::new();
        let mut machine = machine()?;
        let ended = Console::new(&mut machine, &mut script.as_bytes(), &mut out, no_seeds).run();
        if failed.is_none() && (ended != Ended::Input || out != expected.as_bytes()) {
            failed = Some(i + 1);
        }
    }
    let run = SCRIPTS.len();
    Ok(Report { run, failed })
}

/// The scripts load nothing.
fn no_seeds(_: &mut Machine, _: &[u8]) -> Result<(), SeedError> {
    Err(SeedError::new(Code::Io, "not for self-tests", 0))
}
