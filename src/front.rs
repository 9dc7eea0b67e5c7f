//! The language front ends and the tools: see the map in `lib.rs`.
//!
//! Invariants:
//! - no `std` outside tests;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph;
//! - the machine is used through what [`plan_runtime`] and [`plan_operations`] show, never changed from here.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod cli;
pub mod rpn;
pub mod seed;
pub mod wisp;

use plan_base::{os, value};
use plan_numbers::nat;
use plan_operations::prim;
use plan_runtime::{heap, machine};
