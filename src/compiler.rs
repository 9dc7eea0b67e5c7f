//! From law bodies to instructions: see the map in `lib.rs`.
//!
//! Invariants:
//! - no `std` outside tests;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod law;

use plan_base::value;
use plan_runtime::{heap, machine};
