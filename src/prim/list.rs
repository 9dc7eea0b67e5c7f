//! Operations that walk a structure and evaluate it as they go: Row and Switch.
//!
//! Invariants:
//! - The state between steps lies behind the operands on the value stack, where the collector finds it.
//! - Nothing beyond what decides the result is evaluated.

use super::control::index;
use crate::machine::op::{Call, Fault, Step};
use crate::machine::{MAX_WORDS, Machine};
use crate::nat;
use crate::value::Value;

/// Operands h n l; then the row under construction and the number of elements it has.
const ROW: usize = 3;
const COUNT: usize = 4;

/// A closure of head h and n elements taken from a list, padded with 0 (chapter 02 §5.2).
pub(super) fn row(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    if c.state == 0 {
        return begin_row(m, c);
    }
    let cell = c.result;
    let row = c.get(ROW);
    if !cell.is_closure() {
        return Ok(Step::Value(row));
    }
    let count = c.get(COUNT).bits() as usize;
    row.set_field(1 + count, cell.arg(0));
    if cell.size() == 1 || count + 1 == row.size() {
        return Ok(Step::Value(row));
    }
    c.set(COUNT, Value::direct(count as u64 + 1));
    Ok(Step::EvalThen(cell.arg(1), 1))
}

fn begin_row(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    let n = index(c.get(1));
    if n == 0 {
        return Ok(Step::Value(c.get(0).cast()));
    }
    if n >= MAX_WORDS as u64 {
        return Err(Fault::SIZE);
    }
    m.reserve(n as usize + 2)?;
    let row = m.bump_closure(c.get(0).cast(), n as usize);
    c.set(ROW, row);
    c.set(COUNT, Value::ZERO);
    m.extend(c, 3, 2)?;
    let list = c.get(2);
    // The operand would keep the whole list alive while it is walked.
    c.set(2, Value::ZERO);
    Ok(Step::EvalThen(list, 1))
}

/// Operands ks k bs f; then the number of the key looked at.
const KEY: usize = 4;

const EVALUATE_K: usize = 1;
const EVALUATE_KEY: usize = 2;
const EVALUATE_BRANCHES: usize = 3;

/// The branch whose key equals k.
pub(super) fn switch(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    match c.state {
        0 if c.get(0).row_len() == 0 => Ok(Step::Eval(c.get(3))),
        0 => {
            c.set(KEY, Value::ZERO);
            m.extend(c, 4, 1)?;
            Ok(Step::EvalThen(c.get(1), EVALUATE_K))
        }
        EVALUATE_K => {
            c.set(1, c.result.cast());
            Ok(Step::EvalThen(c.get(0).arg(0), EVALUATE_KEY))
        }
        EVALUATE_KEY if equal(c.get(1), c.result.cast()) => {
            Ok(Step::EvalThen(c.get(2), EVALUATE_BRANCHES))
        }
        EVALUATE_KEY => {
            let next = c.get(KEY).bits() as usize + 1;
            if next == c.get(0).size() {
                return Ok(Step::Eval(c.get(3)));
            }
            c.set(KEY, Value::direct(next as u64));
            Ok(Step::EvalThen(c.get(0).arg(next), EVALUATE_KEY))
        }
        _ => {
            let (branches, i) = (c.result, c.get(KEY).bits() as usize);
            let there = i < branches.row_len();
            Ok(if there {
                Step::Eval(branches.arg(i))
            } else {
                Step::Value(Value::ZERO)
            })
        }
    }
}

fn equal(a: Value, b: Value) -> bool {
    let (mut s, mut t) = ([0], [0]);
    nat::cmp(a.limbs(&mut s), b.limbs(&mut t)).is_eq()
}
