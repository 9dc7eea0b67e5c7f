//! The operations without their effects.
//!
//! A random program must not write to a random address, remove a file or wait for a key. So the
//! machine of these tests has a copy of the table in which every operation that reaches outside
//! (the pinned naturals 4 to 7, 9, 10, 13, 14, 16 and 18 to 20, and what they go on with) has
//! another body: it answers as an operation does that the system refuses. Commit and Precommit
//! have no effect yet and stay. Operands are evaluated as in the true table.
//!
//! Invariants:
//! - rows keep their index, name, arity and order of operands.

use plan::law;
use plan::machine::op::{Body, Call, Control, Fault, FaultKind, Op, Step};
use plan::machine::{Engine, Machine, OpNames};
use plan::prim::{jets, names, table};
use std::sync::LazyLock;

/// Pinned naturals that reach outside, or that take memory no limit of a machine counts.
const PINNED: [usize; 12] = [4, 5, 6, 7, 9, 10, 13, 14, 16, 18, 19, 20];

/// The error number of a call that is not permitted.
const EPERM: u64 = 1;

fn refused(_: &mut Machine, _: Call) -> Result<Step, Fault> {
    Err(Fault::new(FaultKind::Io, EPERM))
}

/// Whether row `i` has an effect.
fn reaches_outside(i: usize) -> bool {
    let called = PINNED.iter().any(|n| table::pinned(*n) == i);
    called || (table::TRACE..table::TRY).contains(&i) || (table::WRITE..=table::SEND).contains(&i)
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let rows = table::OPS.iter().enumerate().map(|(i, op)| Op {
        body: match op.body {
            _ if reaches_outside(i) => Body::Control(refused as Control),
            body => body,
        },
        ..*op
    });
    Engine {
        ops: rows.collect::<Vec<_>>().leak(),
        code_of: jets::code_of,
        op_by_key: names::by_key,
        compile: law::compile,
        names: OpNames {
            pin: 0,
            law: 1,
            buffer: table::pinned(14),
            numbered: table::pinned(15),
        },
    }
});

/// The engine without effects.
pub fn engine() -> &'static Engine {
    &ENGINE
}

/// A check of the checks.
pub fn no_operation_with_an_effect_is_left() {
    let effects = [
        "Trace",
        "Syscall",
        "Peek",
        "Poke",
        "Write",
        "Read",
        "Send",
        "Xptr",
        "Xbuf",
        "RequestGC",
        "SetProfiling",
        "GetProfile",
    ];
    for (i, op) in engine().ops.iter().enumerate() {
        let (old, inert) = (&table::OPS[i], effects.contains(&op.name));
        assert_eq!(inert, reaches_outside(i), "{}", op.name);
        assert_eq!(
            (op.name, op.arity, op.order),
            (old.name, old.arity, old.order)
        );
    }
}
