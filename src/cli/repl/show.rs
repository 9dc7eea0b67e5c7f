//! Values as the prompt shows them: cut to a bearable length, or by their kind alone.
//!
//! Invariants:
//! - What is shown of a value is bounded in time and space, however large the value; only `:print`
//!   shows all of it.

use crate::os::{Fd, file};
use crate::prim;
use crate::value::print::{self, Sink, Style};
use crate::value::{Sort, Value};
use crate::wisp::Observer;
use crate::wisp::read::Span;
use crate::wisp::text::{join, put, put_number};
use alloc::vec::Vec;

/// Bytes of a value that are shown.
const MAX_SHOWN: usize = 2000;

/// What is shown of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// As much as fits.
    Some,
    /// All of it.
    All,
    /// What kind of value it is.
    Kind,
}

/// Shows the values of forms on standard output.
pub struct Viewer {
    /// What is shown.
    pub extent: Extent,
    /// Whether in colour.
    pub color: bool,
}

/// Text of bounded length.
struct Bounded {
    text: Vec<u8>,
    limit: usize,
}

impl Sink for Bounded {
    fn bytes(&mut self, bytes: &[u8]) {
        // A colour is taken whole: half of its sequence would be shown as text.
        let room = self.limit.saturating_sub(self.text.len());
        let taken = if bytes.starts_with(b"\x1b") {
            bytes.len()
        } else {
            bytes.len().min(room)
        };
        self.text.extend_from_slice(&bytes[..taken]);
    }

    fn full(&self) -> bool {
        self.text.len() >= self.limit
    }
}

impl Viewer {
    /// The value as it is shown, with a line end.
    fn text(&self, v: Value) -> Vec<u8> {
        if self.extent == Extent::Kind {
            return join(&[&kind(v), b"\n"]);
        }
        let style = Style {
            depth_limit: u32::MAX,
            color: self.color,
            ..Style::TRACE
        };
        let limit = match self.extent {
            Extent::All => usize::MAX,
            _ => MAX_SHOWN,
        };
        let text = Vec::new();
        let mut sink = Bounded { text, limit };
        let shown = print::show(v, &style, &mut sink);
        let full = sink.full();
        let mut text = sink.text;
        if full && self.color {
            put(&mut text, &[b"\x1b[0m"]);
        }
        if full || shown.is_err() {
            put(&mut text, &[b"...\n(cut; :print EXPR shows all)"]);
        }
        put(&mut text, &[b"\n"]);
        text
    }
}

impl Observer for Viewer {
    fn form(&mut self, _: Value, _: Span) {}

    fn value(&mut self, value: Value) {
        // Where standard output cannot be written there is nothing more to do for the value.
        let _ = file::write_all(Fd::STDOUT, &self.text(value));
    }

    fn error(&mut self, _: Value) {}
}

/// What kind of value this is, in words.
pub fn kind(v: Value) -> Vec<u8> {
    let mut text = Vec::new();
    match v.sort() {
        Sort::Nat => {
            put(&mut text, &[b"natural number, "]);
            put_number(&mut text, v.bit_len());
            put(&mut text, &[b" bits"]);
        }
        Sort::Law => law(v, &mut text),
        Sort::Pin => pin(v, &mut text),
        Sort::Closure => application(v, &mut text),
        Sort::Thunk => put(&mut text, &[b"not evaluated"]),
    }
    text
}

fn law(v: Value, text: &mut Vec<u8>) {
    put(text, &[b"law ", &short(v.law_name()), b", arity "]);
    put_number(text, v.call_arity());
}

fn pin(v: Value, text: &mut Vec<u8>) {
    let item = v.item();
    put(text, &[b"pin of "]);
    if !item.is_law() {
        // Nothing recurses: the item of a pin of a pin is shown, not described.
        return put(text, &[&short(item)]);
    }
    law(item, text);
    let code = v.code_word();
    if code & 1 == 1
        && let Some(op) = prim::ENGINE.ops.get((code >> 1) as usize)
    {
        put(text, &[b", runs as operation ", op.name.as_bytes()]);
    }
}

fn application(v: Value, text: &mut Vec<u8>) {
    let head = v.head();
    if head == Value::ZERO {
        put(text, &[b"row of "]);
        return put_number(text, v.size() as u64);
    }
    put(text, &[b"application of ", &short(head), b" to "]);
    put_number(text, v.size() as u64);
    if head.is_law() || head.is_pin() {
        put(text, &[b", runs with "]);
        put_number(text, head.call_arity());
    }
}

/// A value on part of a line.
fn short(v: Value) -> Vec<u8> {
    let (text, limit) = (Vec::new(), 60);
    let mut sink = Bounded { text, limit };
    let style = Style {
        depth_limit: 2,
        ..Style::TRACE
    };
    // A lack of memory leaves it shorter.
    let _ = print::show(v, &style, &mut sink);
    sink.text
}
