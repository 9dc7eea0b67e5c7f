//! The machine and its moving heap: see the map in `lib.rs`.
//!
//! Invariants:
//! - no `std` outside tests;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph;
//! - nothing here knows of seeds, consoles, Wisp or command lines.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod machine;

/// The generations of `plan_base` and the one that moves.
pub mod heap {
    pub mod fixed;
    pub mod nursery;
    pub mod pins;

    pub use plan_base::heap::*;
}

// The rooms above are packages of their own; their tests and those here need each other.
#[cfg(test)]
pub mod law;
#[cfg(test)]
pub mod prim;

use plan_base::{os, sync, value};
use plan_numbers::nat;
