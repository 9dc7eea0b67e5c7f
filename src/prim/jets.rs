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

/// Whether a pin of this law runs an operation, by name and arity, that its body is not known to
/// compute: it neither passes its arguments on to that operation, or to one of the same name (46 for
/// Cmp, as the library has always defined it), nor is on the list of `strict`.
pub fn is_doubtful(law: Value) -> bool {
    let name = law.law_name();
    let Some(op) = name
        .is_direct()
        .then(|| names::by_name(name.bits()))
        .flatten()
    else {
        return false;
    };
    law.call_arity() == u64::from(OPS[op].arity)
        && passed_on(law)
            .map(|key| if key.is_closure() { key.arg(0) } else { key })
            .and_then(names::operation)
            .is_none_or(|passed| OPS[passed].name != OPS[op].name)
        && !super::strict::is_known_body(law, op)
}

/// The operation of a law whose body only passes its arguments on to `<15>` under a name. A quoted
/// key matches nothing (chapter 02, D21).
fn wrapped(law: Value) -> Option<usize> {
    let (key, arity) = (passed_on(law)?, law.call_arity());
    let name = key.is_nat().then(|| key.small()).flatten()?;
    let op = names::by_name(name)?;
    (u64::from(OPS[op].arity) == arity).then_some(op)
}

/// The key as it stands in a body that only passes its arguments on to `<15>`: `0[<15> row]`,
/// `row = 0[… 0[0[key 1] 2] … arity]`; a key that would be a reference is quoted, `0[key]`.
fn passed_on(law: Value) -> Option<Value> {
    let body = law.law_body();
    if !(body.is_closure() && body.is_small_closure(0, 2)) {
        return None;
    }
    let class = body.arg(0);
    if !class.is_pin() || class.item() != Value::direct(WRAPPER_CLASS) {
        return None;
    }
    let mut row = body.arg(1);
    let mut i = law.call_arity();
    while i > 0 {
        if !(row.is_closure() && row.is_small_closure(0, 2)) || row.arg(1) != Value::direct(i) {
            return None;
        }
        row = row.arg(0);
        i -= 1;
    }
    let quoted = row.is_closure() && row.is_small_closure(0, 1);
    (quoted || row.is_direct() && row.bits() > law.call_arity()).then_some(row)
}
