//! Which operation a pin runs (chapter 02 §1.5, chapter 01 §6).
//!
//! Invariants:
//! - Decided once, from the item alone. Laws that are not pinned are never matched.
//! - The wrapper rule comes before the name rule; both need the exact arity.

use super::names;
use super::table::{BADFUN, OPS, THROW, pinned};
use crate::machine::JetCounters;
use crate::value::{Sort, Value};

/// The class of wrappers, `<15>`.
const WRAPPER_CLASS: u64 = 15;

/// The code word that runs an operation.
const fn word(op: usize) -> u64 {
    (op as u64) << 1 | 1
}

/// The code word of a pin of this item; 0 for a law whose body is to be run.
pub fn code_of(item: Value, counters: &mut JetCounters, strict: bool) -> u64 {
    match item.sort() {
        Sort::Nat if item.bits() <= 20 => word(pinned(item.bits() as usize)),
        Sort::Nat => word(THROW),
        Sort::Law => match jet(item, counters, strict) {
            Some(op) => word(op),
            None => 0,
        },
        _ => word(BADFUN),
    }
}

fn jet(law: Value, counters: &mut JetCounters, strict: bool) -> Option<usize> {
    if let Some(op) = wrapped(law) {
        counters.matched += 1;
        return Some(op);
    }
    let name = law.law_name();
    let op = if name.is_direct() {
        names::by_name(name.bits())?
    } else {
        return None;
    };
    let known = !strict || super::strict::is_known_body(law, op);
    if law.call_arity() == u64::from(OPS[op].arity) && known {
        counters.matched += 1;
        return Some(op);
    }
    counters.mismatched += 1;
    None
}

/// The operation of a law whose body only passes its arguments on to `<15>` under a name:
/// `0[<15> row]`, `row = 0[… 0[0[key 1] 2] … arity]`.
fn wrapped(law: Value) -> Option<usize> {
    let body = law.law_body();
    if !(body.is_closure() && body.is_small_closure(0, 2)) {
        return None;
    }
    let class = body.arg(0);
    if !class.is_pin() || class.item() != Value::direct(WRAPPER_CLASS) {
        return None;
    }
    let arity = law.call_arity();
    let mut row = body.arg(1);
    let mut i = arity;
    while i > 0 {
        if !(row.is_closure() && row.is_small_closure(0, 2)) || row.arg(1) != Value::direct(i) {
            return None;
        }
        row = row.arg(0);
        i -= 1;
    }
    if !row.is_direct() || row.bits() <= arity {
        return None;
    }
    let op = names::by_name(row.bits())?;
    (u64::from(OPS[op].arity) == arity).then_some(op)
}
