//! Warning of values that do nothing when they are run, because they want more or fewer arguments than
//! the one that programs get.
//!
//! Invariants:
//! - a warning is no failure: the value is run, saved or built all the same.

use super::STATUS_OK;
use super::message;
use crate::value::Value;

/// Says so if running this value, called `what`, does nothing.
pub fn warn_of_arity(value: Value, what: core::fmt::Arguments<'_>) {
    let help = "a program is a function of one argument";
    match missing(value) {
        Some(1) => {}
        Some(n) => {
            let text =
                format_args!("warning: {what} takes {n} arguments: it does nothing ({help})");
            message::fail(STATUS_OK, text);
        }
        None => {
            let text = format_args!("warning: {what} is no function: it does nothing ({help})");
            message::fail(STATUS_OK, text);
        }
    }
}

/// How many arguments a value lacks to be called; none if it is no function.
fn missing(v: Value) -> Option<u64> {
    if v.is_law() || v.is_pin() {
        return Some(v.call_arity());
    }
    let head = v.is_closure().then(|| v.head())?;
    (head.is_law() || head.is_pin()).then(|| head.call_arity() - v.size() as u64)
}
