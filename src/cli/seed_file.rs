//! What the commands that read or write seed files have in common.
//!
//! Invariants:
//! - every failure is said in one line and gives status 3.

use super::STATUS_INPUT;
use super::message::{self, Shown};
use crate::os::file;
use crate::seed::SeedError;

/// Whether a file is called as Wisp programs are.
pub fn is_wisp(path: &[u8]) -> bool {
    path.ends_with(b".wisp") || path.ends_with(b".lisp")
}

/// Says why a seed cannot be used; the form of chapter 03 §7.
pub fn bad_seed(path: &[u8], error: &SeedError) -> i32 {
    message::fail(STATUS_INPUT, format_args!("seed {}: {error}", Shown(path)))
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
