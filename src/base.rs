//! The rooms a running program seldom waits for: see the map in `lib.rs`.
//!
//! Invariants:
//! - no `std` outside tests;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph;
//! - only `os` knows that there is no C library.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod heap;
pub mod os;
pub mod sync;
pub mod value;

use plan_numbers::nat;
