//! The order of all values (chapter 02 §4.6): kind, then naturals by size, pins by content, laws by
//! name, arity and body, closures by number of elements, head, elements.
//!
//! Invariants:
//! - No recursion: what is still to be compared is a stack of entries behind the operands. An entry is
//!   a pair of closures and the number of the next element, or a pair of laws and the next part.
//! - The last element of a closure is compared in place of its entry, so that comparing lists takes
//!   constant stack.
//! - Elements are evaluated only as they are reached, the left one first.

use crate::machine::Machine;
use crate::machine::op::{Call, Fault, Step};
use crate::nat;
use crate::value::{Sort, Value};
use core::cmp::Ordering;

/// Operands: the pair being compared; then the number of entries.
const ENTRIES: usize = 2;
const FIRST_ENTRY: usize = 3;
const ENTRY_WORDS: usize = 3;

const LEFT: usize = 1;
const RIGHT: usize = 2;

/// Parts of a law, as elements of an entry.
const LAW_PARTS: usize = 3;

fn answer(o: Ordering) -> Step {
    Step::Value(Value::direct(match o {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
    }))
}

fn rank(v: Value) -> u8 {
    match v.sort() {
        Sort::Nat => 0,
        Sort::Pin => 1,
        Sort::Law => 2,
        Sort::Closure | Sort::Thunk => 3,
    }
}

/// Compares operand 0 with operand 1.
pub(super) fn cmp(m: &mut Machine, c: Call) -> Result<Step, Fault> {
    match c.state {
        0 => {
            c.set(ENTRIES, Value::ZERO);
            m.extend(c, 2, 1)?;
        }
        LEFT => c.set(0, c.result),
        _ => c.set(1, c.result),
    }
    loop {
        for (i, state) in [(0, LEFT), (1, RIGHT)] {
            let v = c.get(i).resolve();
            c.set(i, v);
            if v.is_thunk() {
                return Ok(Step::EvalThen(v, state));
            }
        }
        let (a, b) = (c.get(0), c.get(1));
        let order = if a == b {
            Ordering::Equal
        } else {
            shallow(a, b)
        };
        if order != Ordering::Equal {
            return Ok(answer(order));
        }
        if a != b && rank(a) != 0 {
            open(m, c, a, b)?;
            continue;
        }
        if !next(m, c) {
            return Ok(answer(Ordering::Equal));
        }
    }
}

/// Compares everything but the parts.
fn shallow(a: Value, b: Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match a.sort() {
        Sort::Nat => {
            let (mut s, mut t) = ([0], [0]);
            nat::cmp(a.limbs(&mut s), b.limbs(&mut t))
        }
        Sort::Closure => a.size().cmp(&b.size()),
        _ => Ordering::Equal,
    })
}

fn entry(i: usize) -> usize {
    FIRST_ENTRY + ENTRY_WORDS * i
}

/// Makes the first parts of two values of one kind the pair to compare.
fn open(m: &mut Machine, c: Call, a: Value, b: Value) -> Result<(), Fault> {
    if a.is_pin() {
        // A pin and its stored copy are the same without a look at what is in them.
        let same = a.latest() == b.latest();
        c.set(0, if same { Value::ZERO } else { a.item() });
        c.set(1, if same { Value::ZERO } else { b.item() });
        return Ok(());
    }
    let n = c.get(ENTRIES).bits() as usize;
    m.extend(c, entry(n), ENTRY_WORDS)?;
    c.set(entry(n), a);
    c.set(entry(n) + 1, b);
    c.set(entry(n) + 2, Value::ONE);
    c.set(ENTRIES, Value::direct(n as u64 + 1));
    c.set(0, a.field(0));
    c.set(1, b.field(0));
    Ok(())
}

/// Makes the next parts of the innermost entry the pair to compare; false when all are done.
fn next(m: &mut Machine, c: Call) -> bool {
    let n = c.get(ENTRIES).bits() as usize;
    let Some(top) = n.checked_sub(1) else {
        return false;
    };
    let (a, b) = (c.get(entry(top)), c.get(entry(top) + 1));
    let part = c.get(entry(top) + 2).bits();
    let parts = if a.is_law() { LAW_PARTS } else { a.size() + 1 };
    c.set(0, a.field(part as usize));
    c.set(1, b.field(part as usize));
    if part as usize + 1 == parts {
        c.set(ENTRIES, Value::direct(top as u64));
        m.shrink(c, entry(top));
    } else {
        c.set(entry(top) + 2, Value::direct(part + 1));
    }
    true
}
