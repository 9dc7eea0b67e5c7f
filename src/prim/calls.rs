//! Pinned naturals that take one row of operands (chapter 02 §1.2, §1.3): the first half, which takes
//! the evaluated row apart.
//!
//! Invariants:
//! - The row is evaluated before its kind and size are looked at; its elements are passed on as they
//!   are, to the operation that evaluates them.
//! - The head is ignored but for Syscall and `<15>`.

use super::names;
use super::table::{OPS, PEEK, POKE, READ, SEND, SYSCALL, TRACE, TRY, WRITE};
use crate::machine::Machine;
use crate::machine::op::{Call, Fault, FaultKind, Step};
use crate::value::Value;

/// Most arguments of a system call.
const SYSCALL_ARGUMENTS: usize = 6;

fn bad_call(row: Value) -> Fault {
    Fault::new(FaultKind::BadCall, row.row_len() as u64)
}

/// Goes on with operation `op` on the elements of the row in operand 0.
fn spread(m: &mut Machine, c: Call, op: usize) -> Result<Step, Fault> {
    let row = c.get(0);
    let size = row.row_len();
    if !row.is_closure() || size != OPS[op].arity as usize {
        return Err(bad_call(row));
    }
    m.extend(c, 1, size)?;
    for i in 0..size {
        c.set(i, row.arg(i));
    }
    Ok(Step::Enter(op))
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident $op:expr;)*) => {
        $($(#[$doc])* pub(super) fn $name(m: &mut Machine, c: Call) -> Result<Step, Fault> {
            spread(m, c, $op)
        })*
    };
}

calls! {
    trace TRACE;
    peek PEEK;
    poke POKE;
    try_ TRY;
    write WRITE;
    read READ;
    send SEND;
}

/// `<5>`: the head is the number of the call.
pub(super) fn syscall(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    let row = c.get(0);
    let size = row.row_len();
    if size == 0 || size > SYSCALL_ARGUMENTS {
        return Err(bad_call(row));
    }
    m.extend(c, 1, size + 1)?;
    c.set(0, row.head());
    for i in 0..size {
        c.set(1 + i, row.arg(i));
    }
    Ok(Step::Enter(SYSCALL + size))
}

/// `<15>`: the head says which operation.
pub(super) fn numbered(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    let row = c.get(0);
    if !row.is_closure() {
        return Err(bad_call(row));
    }
    let Some(op) = names::operation(row.head()) else {
        m.set_scratch(row.head().cast());
        return Err(Fault::new(FaultKind::BadOp, 0));
    };
    spread(m, c, op)
}
