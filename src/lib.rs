//! The PLAN runtime as a library: everything but the process entry, testable on the host.
//!
//! Rooms, top to bottom; a room uses only rooms below it:
//!
//! | room | holds |
//! |---|---|
//! | `cli` | arguments, help, one file per command |
//! | `rpn` | the console |
//! | `wisp` | Wisp programs: read, expand, evaluate |
//! | `seed` | decode, check, encode |
//! | `prim` | one table of operations and its families; jets by name |
//! | `law` | law bodies: parse, analyse, lower |
//! | `machine` | the evaluator: value stack, frames, eval, apply, force, exceptions |
//! | `heap` | nursery (generation 1), arena (generation 2), pins |
//! | `value` | the 64-bit word: tags, headers, typed views; the printer |
//! | `nat` | natural-number arithmetic on limb slices; knows nothing of heaps |
//! | `os` | Linux: typed system calls, arguments, mappings, files, clocks |
//!
//! Invariants:
//! - no `std` outside tests: only `main.rs`, `os` and `asm` know that there is no C library;
//! - `unsafe` is denied here and allowed again per file, under a `//! Safety` paragraph.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod cli;
pub mod heap;
pub mod law;
pub mod machine;
pub mod nat;
pub mod os;
pub mod prim;
pub mod rpn;
pub mod seed;
pub mod value;
pub mod wisp;
