//! Operations on closures, and tests of kinds (chapter 02 §5).
//!
//! Invariants:
//! - Elements are moved, never evaluated.
//! - Only closures of the moving heap are changed in place; pins never are. A closure changed in place
//!   is no longer known to be in normal form.

use super::control::index;
use crate::machine::op::{Args, Fault};
use crate::machine::{MAX_WORDS, Machine};
use crate::value::{Kind, Sort, Value};

pub(super) fn is_pin(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(Value::bit(a.get(0).is_pin()))
}

pub(super) fn is_law(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(Value::bit(a.get(0).is_law()))
}

pub(super) fn is_app(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(Value::bit(a.get(0).is_closure()))
}

pub(super) fn is_nat(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(Value::bit(a.get(0).is_nat()))
}

pub(super) fn type_(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(Value::direct(match a.get(0).sort() {
        Sort::Nat => 0,
        Sort::Pin => 1,
        Sort::Law => 2,
        Sort::Closure | Sort::Thunk => 3,
    }))
}

pub(super) fn unpin(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    let x = a.get(0);
    Ok(if x.is_pin() { x.item() } else { Value::ZERO })
}

fn of_law(a: Args, part: fn(Value) -> Value) -> Result<Value, Fault> {
    let x = a.get(0);
    Ok(if x.is_law() { part(x) } else { Value::ZERO })
}

pub(super) fn name(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    of_law(a, Value::law_name)
}

pub(super) fn arity(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    of_law(a, Value::law_arity)
}

pub(super) fn body(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    of_law(a, Value::law_body)
}

pub(super) fn hd(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    let x = a.get(0);
    Ok(if x.is_closure() { x.head() } else { x })
}

pub(super) fn sz(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    Ok(Value::direct(a.get(0).row_len() as u64))
}

/// Copies the first `size` arguments of the closure in operand `i`.
fn copy_prefix(m: &mut Machine, a: Args, i: usize, size: usize) -> Result<Value, Fault> {
    m.reserve(size + 2)?;
    let source = a.get(i);
    let copy = m.bump_closure(source.head(), size);
    for j in 0..size {
        copy.set_field(1 + j, source.arg(j));
    }
    if source.header().is(Kind::ClosureNf) {
        copy.set_header(copy.header().with_kind(Kind::ClosureNf));
    }
    Ok(copy)
}

pub(super) fn init(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let x = a.get(0);
    match x.row_len() {
        0 => Ok(Value::ZERO),
        1 => Ok(x.head()),
        size => copy_prefix(m, a, 0, size - 1),
    }
}

pub(super) fn fresh(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let x = a.get(0);
    match x.sort() {
        Sort::Nat => Ok(x),
        Sort::Closure => copy_prefix(m, a, 0, x.size()),
        _ => Ok(Value::ZERO),
    }
}

/// Marks a closure that has been given an argument which may be a thunk.
fn changed(row: Value) {
    row.set_header(row.header().with_kind(Kind::Closure));
}

/// Operands i v r: r with element i replaced.
pub(super) fn up(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let (i, r) = (index(a.get(0)), a.get(2));
    if i >= r.row_len() as u64 {
        return Ok(r);
    }
    let copy = copy_prefix(m, a, 2, r.size())?;
    copy.set_field(1 + i as usize, a.get(1));
    changed(copy);
    Ok(copy)
}

pub(super) fn up_uniq(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let (i, r) = (index(a.get(0)), a.get(2));
    if i >= r.row_len() as u64 {
        return Ok(r);
    }
    if !m.is_movable(r) {
        return up(m, a);
    }
    r.set_field(1 + i as usize, a.get(1));
    changed(r);
    Ok(r)
}

/// Operands h v n: a closure of n times v.
pub(super) fn rep(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let n = index(a.get(2));
    if n == 0 {
        return Ok(a.get(0).cast());
    }
    if n >= MAX_WORDS as u64 {
        return Err(Fault::SIZE);
    }
    m.reserve(n as usize + 2)?;
    let row = m.bump_closure(a.get(0).cast(), n as usize);
    let v = a.get(1);
    for i in 0..n as usize {
        row.set_field(1 + i, v);
    }
    Ok(row)
}

/// The part of the target that Copy replaces: (from, to, count), or nothing.
fn copied(a: Args) -> Option<(usize, usize, usize)> {
    let (n, i, o) = (index(a.get(0)), index(a.get(1)), index(a.get(2)));
    let (s, d) = (a.get(3).row_len() as u64, a.get(4).row_len() as u64);
    if d == 0 || n == 0 || o >= d || i >= s {
        return None;
    }
    Some((i as usize, o as usize, n.min(d - o) as usize))
}

fn copy_into(target: Value, a: Args, part: (usize, usize, usize)) {
    let (i, o, count) = part;
    let source = a.get(3);
    let available = source.size();
    let put = |j: usize| {
        let v = if i + j < available {
            source.arg(i + j)
        } else {
            Value::ZERO
        };
        target.set_field(1 + o + j, v);
    };
    // Source and target may be the same closure: as if the source were read completely first.
    if i < o {
        (0..count).rev().for_each(put);
    } else {
        (0..count).for_each(put);
    }
    changed(target);
}

/// Operands n i o s d.
pub(super) fn copy(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let d = a.get(4);
    let Some(part) = copied(a) else { return Ok(d) };
    let target = copy_prefix(m, a, 4, d.size())?;
    copy_into(target, a, part);
    Ok(target)
}

pub(super) fn copy_uniq(m: &mut Machine, a: Args) -> Result<Value, Fault> {
    let d = a.get(4);
    let Some(part) = copied(a) else { return Ok(d) };
    if !m.is_movable(d) {
        return copy(m, a);
    }
    copy_into(d, a, part);
    Ok(d)
}

pub(super) fn ref_eq(_: &mut Machine, a: Args) -> Result<Value, Fault> {
    let latest = |v: Value| if v.is_pin() { v.latest() } else { v };
    Ok(Value::bit(latest(a.get(0)) == latest(a.get(1))))
}
