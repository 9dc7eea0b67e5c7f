//! Law bodies: from a tree of closures to instructions for the evaluator.
//!
//! | file | holds |
//! |---|---|
//! | `branch` | lowering of choices |
//! | `suspend` | lowering of what is not demanded |
//! | `demand` | which arguments a law evaluates first of all |
//! | `ir` | parse: the body as a tree over slots, lets resolved |
//! | `emit` | the code buffer: operands, constants, jumps |
//! | `lower` | lowering: activations, closures, lets on the paths that need them |
//! | `strict` | lowering of what is demanded now: calls, operations in place |
//!
//! Invariants:
//! - Lowering is linear in the size of a body but for the free slots of nested suspensions, and
//!   never recurses deeper than a fixed bound: bodies beyond it are expanded at run time.
//! - Nothing here allocates in the moving heap, so values may live in Rust locals.

mod branch;
mod demand;
mod emit;
mod ir;
mod lower;
mod strict;
mod suspend;

use crate::heap::code::Entry;
use crate::machine::Linker;
use crate::value::Value;

/// Compiles the body of a law for calls of `callee`: the law itself, or a pin of it. `None` when
/// there is no memory for the code.
pub fn compile(linker: Linker, callee: Value) -> Option<Entry> {
    let law = if callee.is_pin() {
        callee.item()
    } else {
        callee
    };
    match lower::lower(linker, callee, law) {
        Ok(entry) => entry,
        Err(ir::TooLarge) => lower::expander(law),
    }
}
