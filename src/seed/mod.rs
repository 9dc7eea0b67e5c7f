//! Seeds: the file format of a PLAN program (chapter 03 of the specification).
//!
//! A seed is a table of numbers and of applications that refer to earlier entries. Reading takes
//! two passes: [`check`] validates everything and counts what is needed, without building
//! anything; [`build`] then drives a [`Builder`] that makes the values. [`Graph`] is the way
//! back: it shares equal parts and writes the canonical file. [`dump`] shows a seed as text.
//!
//! Only [`load_seed`] and its like know how values lie in memory, and nothing recurses: depth costs heap, and only
//! in proportion to the length of the file.
//!
//! Invariants:
//! - bytes are believed only after the check of the field they belong to; no count from a file is
//!   used for an allocation before it was compared with the bits that are left;
//! - all work is linear in the length of the file (strict checking sorts the numbers, too).

mod bits;
mod build;
mod check;
mod dump;
mod encode;
mod error;
mod graph;
mod header;
mod load;
mod nodes;

#[cfg(test)]
mod tests;

pub use build::{BuildError, Builder, build};
pub use check::{Accept, check, check_with};
pub use dump::dump;
pub use encode::{encode, encode_to};
pub use error::{Code, SeedError};
pub use graph::{Graph, Id, Node};
pub use header::{Limbs, Plan, Version};
pub use load::{load_file, load_seed, load_with, read_file};
