//! The command line.
use crate::os::env::Args;

/// Runs the command the arguments ask for and returns the exit status.
pub fn main(_args: &Args) -> i32 {
    0
}
