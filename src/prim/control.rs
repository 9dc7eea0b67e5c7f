//! Operations that choose what is evaluated next, and those that make pins, laws and exceptions.
//!
//! Invariants:
//! - What a branch does not choose is never touched.
//! - Results in tail position are handed back as steps, so they run in constant stack.

use super::nat;
use crate::machine::Machine;
use crate::machine::op::{Args, Call, Fault, FaultKind, Step};
use crate::os::file::{self, Fd};
use crate::value::print::{Sink, Style, show_line};
use crate::value::{Kind, Sort, Value};
use alloc::vec::Vec;

/// Whether a value counts as false: only the natural 0 does.
pub(super) fn is_zero(v: Value) -> bool {
    v == Value::ZERO || v.is_buffer() && v.bit_len() == 0
}

/// A natural as an index, anything else as 0; what is too large for a word is as good as 2^64 − 1.
pub(super) fn index(v: Value) -> u64 {
    v.cast().saturated()
}

pub(super) fn pin(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    m.build_pin(a)
}

pub(super) fn law(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    if is_zero(a.get(1).cast()) {
        return Err(Fault::new(FaultKind::Arity0, 0));
    }
    m.build_law(|| [a.get(0).cast(), a.get(1).cast(), a.get(2)])
}

pub(super) fn commit(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    m.may_act()?;
    m.commit(a)
}

pub(super) fn precommit(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    m.may_act()?;
    m.precommit(a)
}

pub(super) fn force(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(a.get(0))
}

/// Operands p l a z m o: one branch by the kind of o.
pub(super) fn eat(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    let o = c.get(5);
    match o.sort() {
        Sort::Pin => {
            c.set_callee(c.get(0));
            c.set(0, o.item());
            Ok(Step::Apply(1))
        }
        Sort::Law => {
            c.set_callee(c.get(1));
            c.set(0, o.law_name());
            c.set(1, o.law_arity());
            c.set(2, o.law_body());
            Ok(Step::Apply(3))
        }
        Sort::Closure => {
            let size = o.size();
            let init = if size == 1 {
                o.head()
            } else {
                m.head_thunk(|| c.get(5))?
            };
            c.set_callee(c.get(2));
            c.set(0, init);
            c.set(1, c.get(5).arg(size - 1));
            Ok(Step::Apply(2))
        }
        _ if is_zero(o) => Ok(Step::Eval(c.get(3))),
        _ => {
            let less = nat::dec(m, c.args.skip(5))?;
            c.set_callee(c.get(4));
            c.set(0, less);
            Ok(Step::Apply(1))
        }
    }
}

pub(super) fn seq(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    Ok(Step::Eval(c.get(1)))
}

fn sap_n(c: Call, arguments: usize) -> Result<Step, Fault> {
    c.set_callee(c.get(0));
    for i in 0..arguments {
        c.set(i, c.get(i + 1));
    }
    Ok(Step::Apply(arguments))
}

macro_rules! saps {
    ($($name:ident $n:literal;)*) => {
        $(pub(super) fn $name(_: &mut Machine, c: Call) -> Result<Step, Fault> {
            sap_n(c, $n)
        })*
    };
}

saps! { sap 1; sap2 2; sap3 3; sap4 4; sap5 5; sap6 6; sap7 7; }

pub(super) fn last(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    let x = c.get(0);
    Ok(if x.is_closure() {
        Step::Eval(x.arg(x.size() - 1))
    } else {
        Step::Value(Value::ZERO)
    })
}

pub(super) fn if_(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    Ok(Step::Eval(c.get(if is_zero(c.get(0)) { 2 } else { 1 })))
}

pub(super) fn ifz(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    Ok(Step::Eval(c.get(if is_zero(c.get(0)) { 1 } else { 2 })))
}

pub(super) fn and(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    Ok(if is_zero(c.get(0)) {
        Step::Value(Value::ZERO)
    } else {
        Step::Eval(c.get(1))
    })
}

pub(super) fn or(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    Ok(if is_zero(c.get(0)) {
        Step::Eval(c.get(1))
    } else {
        Step::Value(c.get(0))
    })
}

/// Nil of the second operand, unless the first decides.
fn negated(c: Call, decided: bool, result: Value) -> Result<Step, Fault> {
    Ok(match c.state {
        0 if decided => Step::Value(result),
        0 => Step::EvalThen(c.get(1), 1),
        _ => Step::Value(Value::bit(is_zero(c.result))),
    })
}

pub(super) fn nand(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    negated(c, is_zero(c.get(0)), Value::ONE)
}

pub(super) fn nor(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    negated(c, !is_zero(c.get(0)), Value::ZERO)
}

fn element(i: u64, row: Value) -> Option<Value> {
    (i < row.row_len() as u64).then(|| row.arg(i as usize))
}

fn select(i: u64, row: Value, otherwise: Value) -> Result<Step, Fault> {
    Ok(Step::Eval(element(i, row).unwrap_or(otherwise)))
}

pub(super) fn case(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    select(index(c.get(0)), c.get(1), c.get(2))
}

pub(super) fn case0(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    select(0, c.get(0), c.get(1))
}

pub(super) fn case1(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    select(1, c.get(0), c.get(1))
}

pub(super) fn case2(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    select(2, c.get(0), c.get(1))
}

/// One of `branches` operands behind the index; the last for everything beyond.
fn pick(c: Call, branches: u64) -> Result<Step, Fault> {
    let i = index(c.get(0)).min(branches - 1);
    Ok(Step::Eval(c.get(1 + i as usize)))
}

macro_rules! cases {
    ($($name:ident $n:literal;)*) => {
        $(pub(super) fn $name(_: &mut Machine, c: Call) -> Result<Step, Fault> {
            pick(c, $n)
        })*
    };
}

cases! { case3 3; case4 4; case5 5; case6 6; case7 7; }

/// Applies h to all elements of r.
pub(super) fn coup(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    let (h, r) = (c.get(0), c.get(1));
    if !r.is_closure() {
        return Ok(Step::Value(h));
    }
    let size = r.size();
    m.extend(c, 2, size)?;
    c.set_callee(h);
    for i in 0..size {
        c.set(i, r.arg(i));
    }
    Ok(Step::Apply(size))
}

pub(super) fn ix(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    select(index(c.get(0)), c.get(1), Value::ZERO)
}

pub(super) fn ix_n<const N: u64>(_: &mut Machine, c: Call) -> Result<Step, Fault> {
    nth(c, N)
}

/// Element `n` of the operand; one function for all of them.
#[inline(never)]
fn nth(c: Call, n: u64) -> Result<Step, Fault> {
    select(n, c.get(0), Value::ZERO)
}

pub(super) fn profile(_: &mut Machine, _: Call) -> Result<Step, Fault> {
    Ok(Step::Profile)
}

pub(super) fn try_(_: &mut Machine, _: Call) -> Result<Step, Fault> {
    Ok(Step::Try)
}

/// The pin that was called holds the code.
pub(super) fn throw(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    Err(m.throw(a.callee().item(), a.get(0)))
}

pub(super) fn bad_fun(_: &mut Machine, _: Args) -> Result<Value, Fault> {
    Err(Fault::new(FaultKind::BadFun, 0))
}

/// Operands f r, forced: f applied to each element of r, all of it forced (chapter 07).
pub(super) fn par_map(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    if c.state == 1 {
        return Ok(Step::Value(c.result));
    }
    if !c.get(1).is_closure() {
        return Ok(Step::Value(Value::ZERO));
    }
    let input = m.build_row(|| [c.get(0), c.get(1)])?;
    input.set_header(input.header().with_kind(Kind::ClosureNf));
    c.set(0, input);
    let pin = m.build_pin(c.args)?;
    c.set(0, pin);
    c.set(1, Value::ZERO);
    let row = m.map_row(c)?;
    c.set(0, Value::ZERO);
    Ok(Step::ForceThen(row, 1))
}

pub(super) fn get_profile(m: &mut Machine, _: Args) -> Result<Value, Fault> {
    m.may_act()?;
    m.take_profile()
}

/// Prints the first operand, which is in normal form, and goes on with the second. What cannot be
/// written is dropped: a trace must not change what a program does.
pub(super) fn trace(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    m.may_act()?;
    struct Line(Vec<u8>);
    impl Sink for Line {
        fn bytes(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }
    let mut line = Line(Vec::new());
    let color = m.options().trace_color;
    let style = Style {
        color,
        bitsz: m.tracing().bitsz,
        ..Style::TRACE
    };
    show_line(c.get(0), &style, &mut line).map_err(|_| Fault::MEMORY)?;
    let _ = file::write_all(Fd::STDERR, &line.0);
    Ok(Step::Eval(c.get(1)))
}
