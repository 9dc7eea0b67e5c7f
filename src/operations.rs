//! The operations and their names: see the map in `lib.rs`.
//!
//! Invariants:
//! - no `std` outside tests;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod prim;

use plan_base::{os, value};
use plan_compiler::law;
use plan_numbers::nat;
use plan_runtime::{heap, machine};
