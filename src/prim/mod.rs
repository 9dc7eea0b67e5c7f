//! The operations: one table, their bodies by family, and which operation a pinned law runs.
//!
//! | file | holds |
//! |---|---|
//! | `table` | one row per operation: number, name, arity, order of evaluation, body |
//! | `names` | the names of `<15>` and of jets (chapter 02 §1.4) |
//! | `jets` | which operation a pin runs (chapter 02 §1.5) |
//! | `calls` | pinned naturals that take a row of operands (chapter 02 §1.2) |
//! | `control` | operations that say what to evaluate next |
//! | `closure`, `list`, `compare` | closures, lists, the order of all values |
//! | `nat`, `bits`, `bytes`, `effect` | naturals, their bits and bytes, the outside world |
//!
//! Invariants:
//! - The convention of XPLAN (arities of pinned naturals, what they run, the order of the arguments of
//!   Law and Eat) is in `table`, `jets` and `control` only.

mod bits;
mod bytes;
mod calls;
mod closure;
mod compare;
mod control;
mod effect;
pub mod jets;
mod list;
pub mod names;
mod nat;
pub mod strict;
pub mod table;

use crate::law;
use crate::machine::{Engine, OpNames};

/// Everything the evaluator needs to know of the language.
pub static ENGINE: Engine = Engine {
    ops: &table::OPS,
    code_of: jets::code_of,
    op_by_key: names::by_key,
    compile: law::compile,
    names: OpNames {
        pin: 0,
        law: 1,
        buffer: table::pinned(14),
        numbered: table::pinned(15),
    },
};
