//! What is known about a mistake: its place, what was being built and expanded; and warnings
//! (chapter 06 §7.3).
//!
//! Invariants:
//! - A place is found by the identity of a form that was read, never by looking alike: names are the
//!   exception, as a symbol is a plain number.

use super::eval::{Evaluator, Failure, Shape, name_bytes, shape};
use super::form;
use super::read::{Event, Span};
use super::spec::EVAL;
use super::text::join;
use crate::nat;
use crate::value::Value;
use alloc::vec::Vec;

/// Parts of expanded forms in which the origin of a name is looked for.
const MAX_STEPS: usize = 100_000;
/// Most warnings about one form.
const MAX_WARNINGS: usize = 20;
/// Most warnings whose place is looked for.
const MAX_SEARCHES: usize = 100;
/// Most lines of a trail.
const MAX_TRAIL: usize = 5;
/// Most parts of an exception's payload, and most calls, in which a place is looked for.
const MAX_PARTS: usize = 100;

/// What is known about a mistake beyond the exception.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// The message; empty to describe the exception instead.
    pub message: Vec<u8>,
    /// Where the mistake is.
    pub span: Option<Span>,
    /// The name that is not bound.
    pub unbound: Option<Vec<u8>>,
    /// The names that were known beside those of the environment.
    pub locals: Vec<Vec<u8>>,
    /// What was being expanded or built, innermost first: kind, name, place.
    pub trail: Vec<Entry>,
}

/// A line of a trail: kind, name, place.
pub type Entry = (&'static str, Vec<u8>, Option<Span>);

/// A macro call being expanded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// Its place on the machine's stack.
    pub(super) place: usize,
    /// What it makes, for messages.
    pub(super) kind: &'static str,
}

/// The kind of a call of a macro that is not built in.
pub(super) const EXPANSION: &str = "expansion of";
/// The kind of a definition.
pub(super) const DEFINITION: &str = "definition of";
/// The kind of a law.
pub(super) const LAW: &str = "law";

/// Whether a form is, or has among its parts, this symbol or form. `steps` bounds the work of all calls.
fn holds(form: Value, part: Value, steps: &mut usize) -> bool {
    let mut waiting = Vec::from([form]);
    while let Some(form) = waiting.pop() {
        *steps += 1;
        if *steps > MAX_STEPS {
            return false;
        }
        let same_name = || nat::cmp(form.limbs(&mut [0]), part.limbs(&mut [0])).is_eq();
        if form == part || form.is_nat() && part.is_nat() && same_name() {
            return true;
        }
        if form.is_closure() && shape(form) == Shape::List {
            waiting.extend((0..form.size()).map(|i| form.arg(i).resolve()));
        }
    }
    false
}

impl<'m> Evaluator<'m> {
    /// What is known about a failure, and the warnings.
    pub fn into_notes(self) -> (Note, Vec<(Span, Vec<u8>)>) {
        (self.note, self.warnings)
    }

    /// The text the form was read from.
    pub(super) fn text(&self) -> Option<(&'m [u8], &'m [Event])> {
        self.source.map(|(_, text, events)| (text, events))
    }

    /// Whether looking for the place of one more warning is worth the time.
    pub(super) fn may_warn(&mut self) -> bool {
        self.searches += 1;
        self.searches <= MAX_SEARCHES && self.warnings.len() < MAX_WARNINGS
    }

    /// Warns of something that may be a mistake, once.
    #[cold]
    #[inline(never)]
    pub(super) fn warn(&mut self, span: Span, text: Vec<u8>) {
        let known = |(at, said): &(Span, Vec<u8>)| *at == span && *said == text;
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.iter().any(known) {
            self.warnings.push((span, text));
        }
    }

    /// Warns of a name of a law's own (option `-W`).
    #[cold]
    #[inline(never)]
    pub(super) fn warn_of_name(&mut self, name: &[u8], why: &[u8]) {
        if self.may_warn()
            && let Some(span) = self.symbol_span(name)
        {
            self.warn(span, join(&[name, why]));
        }
    }

    /// Stack: call, what its macro made of it. Notes where that comes from.
    pub(super) fn remember(&mut self) -> Result<(), Failure> {
        let (call, result) = (self.machine.top(1), self.machine.top(0));
        let history = self.machine.nth(self.builtins.history);
        for part in [Value::ZERO, result, call, history] {
            self.machine.push(part);
        }
        self.machine.make_row(3)?;
        let history = self.machine.pop();
        self.set(self.builtins.history, history);
        Ok(())
    }

    /// The macro calls whose results hold this symbol or form, innermost first, up to one that was
    /// read or is still being expanded.
    #[cold]
    #[inline(never)]
    pub(super) fn origin(&self, mut part: Value) -> Vec<Entry> {
        let mut calls = Vec::new();
        let (mut row, mut steps) = (self.machine.nth(self.builtins.history), 0);
        while row.row_len() == 3 && calls.len() < MAX_TRAIL {
            if holds(form::slot_of(row, 0), part, &mut steps) {
                let call = form::slot_of(row, 1);
                if self
                    .calls
                    .iter()
                    .any(|open| self.machine.nth(open.place) == call)
                {
                    break;
                }
                let span = self.span_of(call, None);
                calls.push((EXPANSION, name_bytes(form::slot_of(call, 0)), span));
                if span.is_some() {
                    break;
                }
                part = call;
            }
            row = form::slot_of(row, 2);
        }
        calls
    }

    /// Ends with a message; `slot` is a slot of the innermost macro call to point at.
    #[cold]
    pub(super) fn reject<T>(&mut self, message: &[u8], slot: Option<usize>) -> Result<T, Failure> {
        self.note.message = message.to_vec();
        if let Some(call) = self.calls.last() {
            let call = self.machine.nth(call.place);
            self.note.span = slot
                .and_then(|slot| self.span_of(call, Some(slot)))
                .or_else(|| self.span_of(call, None));
        }
        Err(Failure::Rejected)
    }

    pub(super) fn span_of(&self, form: Value, slot: Option<usize>) -> Option<Span> {
        let (root, _, events) = self.source?;
        form::locate(self.machine.nth(root), events, form, slot)
    }

    /// The place of a symbol: in the innermost macro call that was read and holds it.
    #[cold]
    #[inline(never)]
    pub(super) fn symbol_span(&self, name: &[u8]) -> Option<Span> {
        let (_, text, events) = self.source?;
        let calls = self.calls.iter().rev().take(MAX_PARTS);
        calls
            .filter_map(|call| self.span_of(self.machine.nth(call.place), None))
            .chain([form::whole(events)])
            .find_map(|within| form::find_symbol(text, events, name, within))
    }

    /// The name at the head of the innermost macro call.
    pub(super) fn call_name(&self) -> Vec<u8> {
        let place = self.calls.last().map_or(self.env, |call| call.place);
        let call = self.machine.nth(place);
        match call.row_len() {
            0 => Vec::new(),
            _ => name_bytes(call.arg(0).resolve()),
        }
    }

    /// Notes where it failed, and what was being built and expanded.
    #[cold]
    #[inline(never)]
    pub(super) fn describe(&mut self, failure: Failure) {
        if failure == Failure::Thrown && self.note.unbound.is_none() {
            self.note.span = self.payload_span();
        }
        let mut trail = core::mem::take(&mut self.note.trail);
        trail.extend(self.trail());
        trail.truncate(MAX_TRAIL);
        if self.note.span.is_none() {
            self.note.span = trail.iter().find_map(|(_, _, span)| *span);
        }
        self.note.trail = trail;
    }

    /// The place of a form in the payload on top, the first one found from the outside in.
    #[cold]
    #[inline(never)]
    fn payload_span(&self) -> Option<Span> {
        let mut parts = Vec::from([self.machine.top(0).resolve()]);
        let mut next = 0;
        while next < parts.len() && next < MAX_PARTS {
            let part = parts[next];
            next += 1;
            if let Some(span) = self.span_of(part, None) {
                return Some(span);
            }
            if part.is_closure() {
                let size = part.size().min(MAX_PARTS);
                parts.extend((0..size).map(|i| part.arg(i).resolve()));
            }
        }
        // A symbol is a plain number: look for its name where the macro was called.
        let payload = parts[0];
        let last = payload.row_len().checked_sub(1)?;
        let symbol = payload.arg(last).resolve();
        if !symbol.is_nat() || shape(symbol) != Shape::Symbol {
            return None;
        }
        self.symbol_span(&name_bytes(symbol))
    }

    /// What was being built and expanded, innermost first.
    #[cold]
    #[inline(never)]
    fn trail(&self) -> Vec<Entry> {
        let mut trail: Vec<Entry> = Vec::new();
        for call in self.calls.iter().rev().take(MAX_TRAIL) {
            let form = self.machine.nth(call.place);
            let mut name = form::slot_of(form, usize::from(call.kind != EXPANSION));
            while name.row_len() > 0 {
                name = form::slot_of(name, 0);
            }
            let entry = (call.kind, name_bytes(name), self.span_of(form, None));
            // A definition of a law of the same name says nothing new.
            let known = trail.iter().any(|(_, name, _)| *name == entry.1);
            // Neither does a law or the EVAL around a form that nobody wrote.
            let made = entry.2.is_none() && (entry.1.is_empty() || entry.1 == EVAL);
            if !(call.kind == DEFINITION && known || made) {
                trail.push(entry);
            }
        }
        trail
    }
}
