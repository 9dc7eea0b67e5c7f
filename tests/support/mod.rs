//! What the black-box tests share: running `plan` under a watchdog, reading the vector files,
//! the notation of chapter 02, the wildcard rule of chapter 04, and a seed encoder of their own.
//!
//! Invariants:
//! - nothing here looks inside the runtime: every judgement rests on bytes, streams and statuses;
//! - a process that ends by a signal or overruns its time is an outcome, never a panic here;
//! - every process started here is waited for, and ended by its own handle when it overruns.

// Each test file is a crate of its own and uses a part of this module only.
#![allow(dead_code, unused_imports)]

pub mod console;
pub mod filter;
pub mod images;
pub mod json;
pub mod notation;
pub mod process;
pub mod seedfile;
pub mod tally;
pub mod terminal;
pub mod vectors;
pub mod wildcard;

pub use process::{End, Input, Mode, Outcome, Plan, scratch_dir};
pub use tally::Tally;
