//! The rooms below the language front ends: see the map in `lib.rs`.
//!
//! Invariants:
//! - no `std` outside tests: only `main.rs`, `os` and `asm` know that there is no C library;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph;
//! - nothing here knows of seeds, consoles, Wisp or command lines.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod heap;
pub mod law;
pub mod machine;
pub mod nat;
pub mod os;
pub mod prim;
pub mod sync;
pub mod value;
