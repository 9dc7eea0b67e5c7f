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
//! | `sync` | mutex, condition variable, read-write lock, countdown, thread |
//! | `os` | Linux: typed system calls, arguments, mappings, files, clocks |
//!
//! Invariants:
//! - no `std` outside tests: only `main.rs`, `os` and `asm` know that there is no C library;
//! - `unsafe` is denied everywhere and allowed again per file, under a `//! Safety` paragraph;
//! - the rooms are packages with a root file each (`numbers.rs` to `front.rs`), because Cargo optimises
//!   by package; none uses anything of those above it.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

pub use plan_base::{os, sync, value};
pub use plan_compiler::law;
pub use plan_front::{cli, rpn, seed, wisp};
pub use plan_numbers::nat;
pub use plan_operations::prim;
pub use plan_runtime::{heap, machine};
