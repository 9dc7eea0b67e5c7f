//! Forms as values, and from a part of such a value back to its place in the text.
//!
//! Invariants:
//! - The value of a form has the shape of its events, so both can be walked side by side.
//! - Values are compared by identity (same word), never looked into: finding evaluates nothing.

use super::read::{Bracket, Event, Span};
use crate::machine::{Machine, Stop};
use crate::nat;
use crate::value::Value;
use alloc::vec::Vec;

/// Words that one event may push.
const ROOM: usize = 4;

/// The symbol in front of what stands in square or curly brackets.
fn tag(bracket: Bracket) -> Option<&'static [u8]> {
    match bracket {
        Bracket::Round => None,
        Bracket::Square => Some(b"BRACED"),
        Bracket::Curly => Some(b"CURLED"),
        Bracket::Brak => Some(b"BRAK"),
        Bracket::Curl => Some(b"CURL"),
    }
}

/// Whether a form looks like a definition of this name: a list whose second element is the name, a
/// list that starts with it, or `*(NAME)`.
pub fn defines(text: &[u8], events: &[Event], name: &[u8]) -> bool {
    let word = |event: &Event, name: &[u8]| match *event {
        Event::Symbol(span) => &text[span.start..span.end] == name,
        _ => false,
    };
    let [Event::Open(..), Event::Symbol(_), rest @ ..] = events else {
        return false;
    };
    match rest {
        [
            Event::Open(..),
            Event::OpenPair(_),
            star,
            Event::Open(..),
            defined,
            ..,
        ] => word(star, b"*") && word(defined, name),
        [Event::OpenPair(_), star, Event::Open(..), defined, ..] => {
            word(defined, name) && word(star, b"*") || word(star, name)
        }
        [Event::Open(..), defined, ..] | [defined, ..] => word(defined, name),
        [] => false,
    }
}

/// Pushes the natural of these bytes.
///
/// # Errors
/// When there is no memory.
#[inline(never)]
pub fn push_bytes(machine: &mut Machine, bytes: &[u8]) -> Result<(), Stop> {
    machine.push_nat(&nat::bytes_to_limbs(bytes))
}

/// Pushes the value of a form (chapter 06 §2.3).
///
/// # Errors
/// When there is no memory.
pub fn push_form(machine: &mut Machine, text: &[u8], events: &[Event]) -> Result<(), Stop> {
    let bytes = |span: Span| &text[span.start..span.end];
    for event in events {
        machine.ensure_stack(ROOM)?;
        match *event {
            Event::Symbol(span) => push_bytes(machine, bytes(span))?,
            Event::Number(span) => {
                machine.push(Value::ONE);
                machine.push_nat(&nat::from_decimal(bytes(span)))?;
                machine.make_row(1)?;
            }
            Event::Text(span) => {
                machine.push(Value::ONE);
                push_bytes(machine, bytes(span))?;
                machine.make_row(1)?;
            }
            Event::Open(bracket, _) => {
                if let Some(tag) = tag(bracket) {
                    machine.push(Value::ZERO);
                    push_bytes(machine, tag)?;
                }
                machine.push(Value::ZERO);
            }
            Event::Close(bracket, count, _) => {
                if count > 0 {
                    machine.make_row(count)?;
                }
                if tag(bracket).is_some() {
                    machine.make_row(2)?;
                }
            }
            Event::OpenPair(_) => machine.push(Value::ZERO),
            Event::ClosePair(_) => machine.make_row(2)?,
        }
    }
    Ok(())
}

/// A list on the way through a form.
struct Level {
    /// Its value; 0 for an empty list.
    value: Value,
    /// Slot of the next element.
    next: usize,
}

/// One part of a form with its value.
struct Part {
    value: Value,
    /// The list it is a slot of, and which one.
    parent: Option<(Value, usize)>,
}

/// Visits the parts of the form `root`, lists before their elements, until `found` is true.
fn visit(root: Value, events: &[Event], mut found: impl FnMut(&Part) -> bool) -> Option<Span> {
    let mut levels: Vec<Level> = Vec::new();
    for (i, event) in events.iter().enumerate() {
        match *event {
            Event::Close(bracket, ..) => {
                levels.pop();
                if tag(bracket).is_some() {
                    levels.pop();
                }
                continue;
            }
            Event::ClosePair(_) => {
                levels.pop();
                continue;
            }
            _ => {}
        }
        let (value, parent) = match levels.last_mut() {
            None => (root, None),
            Some(level) => {
                level.next += 1;
                let slot = level.next - 1;
                (slot_of(level.value, slot), Some((level.value, slot)))
            }
        };
        if found(&Part { value, parent }) {
            return Some(span_from(events, i));
        }
        descend(event, value, &mut levels);
    }
    None
}

/// Enters the list that an event opens.
fn descend(event: &Event, value: Value, levels: &mut Vec<Level>) {
    let mut enter = |value| levels.push(Level { value, next: 0 });
    match *event {
        Event::Open(Bracket::Round, _) | Event::OpenPair(_) => enter(value),
        Event::Open(..) => {
            enter(value);
            enter(slot_of(value, 1));
        }
        _ => {}
    }
}

/// Slot `i` of a row without evaluating it; 0 where there is none.
pub fn slot_of(v: Value, i: usize) -> Value {
    if v.is_closure() && i < v.size() {
        v.arg(i).resolve()
    } else {
        Value::ZERO
    }
}

/// The span of the part that begins with event `first`.
fn span_from(events: &[Event], first: usize) -> Span {
    let mut depth = 0_usize;
    for event in &events[first..] {
        match *event {
            Event::Open(..) | Event::OpenPair(_) => depth += 1,
            Event::Close(.., span) | Event::ClosePair(span) => {
                depth -= 1;
                if depth == 0 {
                    return span;
                }
            }
            Event::Symbol(span) | Event::Number(span) if depth == 0 => return span,
            Event::Text(span) if depth == 0 => {
                return Span {
                    start: span.start - 1,
                    end: span.end + 1,
                };
            }
            _ => {}
        }
    }
    Span { start: 0, end: 0 }
}

/// The span of the list `target`, or of slot `slot` of it, in the form `root`.
pub fn locate(root: Value, events: &[Event], target: Value, slot: Option<usize>) -> Option<Span> {
    if target.is_direct() {
        return None;
    }
    visit(root, events, |part| match slot {
        None => part.value == target,
        Some(slot) => part.parent == Some((target, slot)),
    })
}

/// The span of the first symbol `name` inside `within`; of the first bracket for the name that
/// stands for it.
pub fn find_symbol(text: &[u8], events: &[Event], name: &[u8], within: Span) -> Option<Span> {
    let at = events.iter().position(|event| match *event {
        Event::Symbol(span) => {
            &text[span.start..span.end] == name
                && within.start <= span.start
                && span.end <= within.end
        }
        Event::Open(bracket, span) => tag(bracket) == Some(name) && within.start <= span.start,
        _ => false,
    });
    at.map(|at| span_from(events, at))
}

/// Most lists whose end is looked for.
const MAX_CALLS: usize = 100;

/// The span of the first list that starts with the symbol `name` and has so many elements more.
pub fn find_call(text: &[u8], events: &[Event], name: &[u8], count: usize) -> Option<Span> {
    let heads = events.windows(2).enumerate().filter(|(_, pair)| {
        matches!(**pair, [Event::Open(Bracket::Round, _), Event::Symbol(head)]
            if &text[head.start..head.end] == name)
    });
    heads.take(MAX_CALLS).find_map(|(at, _)| {
        let (elements, span) = closing(&events[at..])?;
        (elements == count + 1).then_some(span)
    })
}

/// Number of elements and span of the list that the events begin with.
fn closing(events: &[Event]) -> Option<(usize, Span)> {
    let mut depth = 0_usize;
    events.iter().find_map(|event| {
        match *event {
            Event::Open(..) => depth += 1,
            Event::Close(_, elements, span) => {
                depth -= 1;
                if depth == 0 {
                    return Some((elements, span));
                }
            }
            _ => {}
        }
        None
    })
}

/// The span of a whole form.
pub fn whole(events: &[Event]) -> Span {
    span_from(events, 0)
}
