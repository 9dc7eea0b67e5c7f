//! What a failed form's message says: exceptions in words, names that are not bound, what to do
//! (chapter 06 §7.3 to §7.5).
//!
//! Invariants:
//! - A value in a message is cut to a readable length.
//! - Nothing is evaluated to make a message.

use super::eval::{Failure, name_bytes};
use super::note::Note;
use super::read::{Event, Reader, Span};
use super::report::{Message, chain, position};
use super::session::Session;
use super::source::Sources;
use super::suggest::{self, Search};
use super::text::{join, put, put_number};
use crate::machine::Machine;
use crate::nat;
use crate::value::Value;
use crate::value::print::{self, Style};
use alloc::vec::Vec;

/// Longest value or name in a message, in bytes.
const MAX_SHOWN: usize = 200;

/// Bytes of text behind a mistake in which a definition is looked for.
const MAX_LATER: usize = 1 << 20;

/// Most names of a form that are looked up because they are similar to one that is not bound.
const MAX_LOCALS: usize = 50;

/// The beginning of a text.
struct Beginning(Vec<u8>);

impl print::Sink for Beginning {
    fn bytes(&mut self, bytes: &[u8]) {
        put(&mut self.0, &[bytes]);
    }

    fn full(&self) -> bool {
        self.0.len() > MAX_SHOWN
    }
}

/// A value as text, cut to a readable length.
pub fn shown(v: Value) -> Vec<u8> {
    let mut text = Beginning(Vec::new());
    if print::show(v, &Style::TRACE, &mut text).is_err() {
        put(&mut text.0, &[b"(no memory to print the value)"]);
    }
    cut(text.0)
}

/// Text cut to a readable length.
#[cold]
#[inline(never)]
pub(super) fn cut(mut text: Vec<u8>) -> Vec<u8> {
    if text.len() > MAX_SHOWN {
        text.truncate(MAX_SHOWN);
        put(&mut text, &[b"..."]);
    }
    text
}

/// What there is to say about a failure, and where.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The message.
    pub message: Message,
    /// The part of the text it is about.
    pub span: Span,
    /// Whether the text itself is malformed, as by a `require` that is not at the top of a file.
    pub malformed: bool,
}

impl Session<'_> {
    /// Describes why the form at `form` failed. After [`Failure::Thrown`] code and payload are the
    /// two topmost values of the machine.
    #[cold]
    pub fn diagnose(
        &mut self,
        sources: &Sources,
        failure: Failure,
        note: &Note,
        form: Span,
    ) -> Diagnosis {
        let machine = self.machine();
        let exception = (failure == Failure::Thrown).then(|| (machine.top(1), machine.top(0)));
        let mut message = Message::error(note.message.clone());
        message.trail.clone_from(&note.trail);
        let mut span = note.span;
        let mut malformed = false;
        if let Some(name) = unbound_name(note, exception) {
            malformed = name == b"require";
            span = span.or_else(|| symbol_in(sources, &name, form));
            self.not_defined(&name, note, sources, form, &mut message);
        } else if let Some((code, payload)) = exception {
            message.text = described(machine, code, payload);
            if said(code, payload).is_none() {
                message.chain = chain(machine.trail());
            }
        } else if failure == Failure::Loop {
            message.text = join(&[b"a value depends on itself"]);
        }
        if message.help.is_none() && failure != Failure::Rejected {
            message.help = self.suspicion(sources);
        }
        Diagnosis {
            message,
            span: span.unwrap_or(form),
            malformed,
        }
    }

    /// The last call with a wrong number of arguments: it may be why something else failed.
    fn suspicion(&self, sources: &Sources) -> Option<Vec<u8>> {
        let (span, text) = self.warnings.last()?;
        Some(join(&[
            text,
            b" at ",
            &position(sources, sources.place(span.start)),
        ]))
    }

    /// Says that a name is not bound and what may have been meant.
    #[cold]
    #[inline(never)]
    fn not_defined(
        &self,
        name: &[u8],
        note: &Note,
        sources: &Sources,
        form: Span,
        message: &mut Message,
    ) {
        if !is_word(name) {
            let number = raw(name);
            let start: &[u8] = b"form contains the raw number ";
            message.text = join(&[start, &number, b"; write (1 ", &number, b")"]);
            return;
        }
        message.text = join(&[&cut(name.to_vec()), b" is not defined"]);
        let library = sources.library;
        message.help = later(sources, name, form)
            .or_else(|| hint(name))
            .or_else(|| {
                let module = library.defining(name)?;
                let start = [name, b" is defined by ", &require(module), WHOLE_LIBRARY];
                Some(join(&start))
            });
        if message.help.is_some() {
            return;
        }
        let text = sources.text();
        let mut search = Search::new(name, &text[..form.start.min(text.len())]);
        for local in &note.locals {
            search.offer(local, true);
        }
        // A law made by a macro has other locals than its text: those are among the form's names.
        let mut similar = symbols(text, form);
        similar.retain(|local| search.is_similar(local));
        for local in similar.into_iter().take(MAX_LOCALS) {
            search.offer(local, !self.is_bound(local));
        }
        search.environment(self.environment());
        message.help = search.question();
        if message.help.is_none() {
            let mut search = Search::new(name, b"");
            for module in library.modules() {
                module
                    .bindings()
                    .for_each(|known| search.offer(known, false));
            }
            let module = search.best().and_then(|known| library.defining(known));
            let (question, module) = (search.question(), module.unwrap_or_default());
            message.help = question.map(|text| join(&[&text, b" use ", &require(module)]));
        }
    }

    /// The question whether a name of the environment was meant by one that is not bound.
    pub fn similar(&self, name: &[u8]) -> Option<Vec<u8>> {
        let mut search = Search::new(name, b"");
        search.environment(self.environment());
        search.question()
    }

    /// Whether the environment holds a name, as far as it is evaluated.
    fn is_bound(&self, name: &[u8]) -> bool {
        let mut found = false;
        suggest::names(self.environment(), &mut |known| found |= known == name);
        found
    }
}

/// The name that is not bound, whoever found out.
fn unbound_name(note: &Note, exception: Option<(Value, Value)>) -> Option<Vec<u8>> {
    if note.unbound.is_some() {
        return note.unbound.clone();
    }
    let (code, payload) = exception?;
    if name_bytes(code) != b"Throw" || !payload.is_nat() {
        return None;
    }
    let text = name_bytes(payload);
    text.strip_prefix(b"undefined:")
        .or_else(|| text.strip_prefix(b"undefined-"))
        .map(<[u8]>::to_vec)
}

/// The symbols of the form that starts where `form` does, similar or not, each as often as it occurs.
#[cold]
#[inline(never)]
fn symbols(text: &[u8], form: Span) -> Vec<&[u8]> {
    let mut events = Vec::new();
    if !matches!(Reader::new(text, form.start).form(&mut events), Ok(true)) {
        return Vec::new();
    }
    let symbol = |event: &Event| match *event {
        Event::Symbol(span) => Some(&text[span.start..span.end]),
        _ => None,
    };
    events.iter().filter_map(symbol).collect()
}

/// The first symbol of this name in the form that starts where `form` does.
fn symbol_in(sources: &Sources, name: &[u8], form: Span) -> Option<Span> {
    let text = sources.text();
    let mut events = Vec::new();
    Reader::of(sources.dialect(), text, form.start)
        .form(&mut events)
        .ok()?;
    super::form::find_symbol(text, &events, name, form)
}

/// Whether a name is one that a text can hold.
pub fn is_word(name: &[u8]) -> bool {
    name.iter().all(|b| super::read::is_symbol(*b)) && !name.iter().all(u8::is_ascii_digit)
}

/// A name that no text can hold, as a literal.
#[cold]
#[inline(never)]
pub fn raw(name: &[u8]) -> Vec<u8> {
    let printable = |b: &u8| matches!(b, b' '..=b'~') && *b != b'"';
    if name.len() > 1 && name.iter().all(printable) && !name.iter().all(u8::is_ascii_digit) {
        return join(&[b"\"", &cut(name.to_vec()), b"\""]);
    }
    let mut out = Vec::new();
    match nat::bytes_to_limbs(&name[..name.len().min(MAX_SHOWN)])[..] {
        [] => out.push(b'0'),
        [limb] => put_number(&mut out, limb),
        ref limbs => {
            put(&mut out, &[b"0x"]);
            for limb in limbs.iter().rev() {
                print::hex_word(*limb, 16, &mut out);
            }
        }
    }
    cut(out)
}

/// Where a name that is not bound is defined behind the form that uses it.
#[cold]
#[inline(never)]
fn later(sources: &Sources, name: &[u8], form: Span) -> Option<Vec<u8>> {
    let text = sources.text();
    let mut reader = Reader::of(sources.dialect(), text, form.end.min(text.len()));
    let mut events = Vec::new();
    while reader.offset() < form.end + MAX_LATER && reader.form(&mut events).ok()? {
        let starts_definition = match events[..] {
            [Event::Open(..), Event::Symbol(word), ..] => {
                let word = &text[word.start..word.end];
                word.starts_with(b"def") || word == b"macro"
            }
            _ => false,
        };
        if starts_definition && super::form::defines(text, &events, name) {
            let place = sources.place(super::form::whole(&events).start);
            let place = position(sources, place);
            let help = b"; a definition must stand before its uses";
            return Some(join(&[name, b" is defined only at ", &place, help]));
        }
    }
    None
}

/// What a library module's name is followed by: the modules are many.
const WHOLE_LIBRARY: &[u8] = b"; (require \"std\") loads the whole library";

/// The form that loads a module of the library.
fn require(module: &[u8]) -> Vec<u8> {
    join(&[b"(require \"", module, b"\")"])
}

/// What is said about names that are never meant as such: those of the loop, of the other dialect
/// and of other languages.
const HINTS: [(&[u8], &str); 32] = [
    (
        b"BRACED",
        "[..] needs (require \"base\"); (require \"std\") loads the whole library",
    ),
    (
        b"CURLED",
        "{..} needs (require \"base\"); (require \"std\") loads the whole library",
    ),
    (
        b"require",
        "require stands at the top of a file; move it to the top",
    ),
    (
        b"let",
        "let is defined by (require \"lambda\"); (require \"std\") loads the whole library",
    ),
    (
        b"lambda",
        "lambda is defined by (require \"lambda\"); (require \"std\") loads the whole library",
    ),
    (
        b"mac",
        "mac belongs to the other dialect (--dialect=spec); write macro",
    ),
    (
        b"pin",
        "pin belongs to the other dialect (--dialect=spec); write Pin",
    ),
    (
        b"EVAL",
        "EVAL belongs to the other dialect (--dialect=spec)",
    ),
    (
        b"DEF",
        "DEF belongs to the other dialect (--dialect=spec); write def",
    ),
    (
        b"=",
        "define names with (def name expr), compare with (Eq a b)",
    ),
    (
        b"==",
        "compare with (Eq a b), or (planEq a b) for any values",
    ),
    (b"!=", "compare with (Ne a b)"),
    (b"<", "compare with (Lt a b)"),
    (b">", "compare with (Gt a b)"),
    (b"<=", "compare with (Le a b)"),
    (b">=", "compare with (Ge a b)"),
    (b"+", "add with (Add a b)"),
    (b"-", "subtract with (Sub a b); no number is below 0"),
    (b"/", "divide with (Div a b)"),
    (b"%", "the remainder is (Mod a b)"),
    (b"//", "a comment begins with ;"),
    (b"#", "a comment begins with ;"),
    (b"--", "a comment begins with ;"),
    (
        b"import",
        "another file is loaded by (require \"NAME\") at the top",
    ),
    (
        b"include",
        "another file is loaded by (require \"NAME\") at the top",
    ),
    (
        b"set!",
        "a name keeps its value; (let ((name expr)) body) binds one for body",
    ),
    (
        b"setq",
        "a name keeps its value; (let ((name expr)) body) binds one for body",
    ),
    (b"begin", "steps are written (do a b)"),
    (b"progn", "steps are written (do a b)"),
    (b"true", "true is 1, or any value but 0"),
    (b"false", "false is 0"),
    (
        b"nil",
        "the empty list and the empty row are 0, also written []",
    ),
];

/// Suggestions for names that are never meant as such.
#[cold]
#[inline(never)]
fn hint(name: &[u8]) -> Option<Vec<u8>> {
    if let Some((_, text)) = HINTS.iter().find(|(known, _)| *known == name) {
        return Some(text.as_bytes().to_vec());
    }
    match name {
        [b'0'..=b'9', ..] => Some(b"a number has decimal digits only".to_vec()),
        [b'-', b'0'..=b'9', ..] => Some(b"there are no numbers below 0".to_vec()),
        [.., b'\\'] => Some(
            b"no character is special in a string; (text \"...\") writes \\q for a quote".to_vec(),
        ),
        [.., b','] => Some(b"the comma is part of the name; only spaces separate".to_vec()),
        [mark @ (b'\'' | b'`'), rest @ ..] if !rest.is_empty() => {
            let mark = core::slice::from_ref(mark);
            let start: &[u8] = b"the mark is part of the name; write ";
            Some(join(&[start, mark, b"(", &cut(rest.to_vec()), b")"]))
        }
        _ => None,
    }
}

/// What is said about an exception: in words, or what it carries.
fn described(machine: &Machine, code: Value, payload: Value) -> Vec<u8> {
    in_words(machine, code, payload).unwrap_or_else(|| {
        let parts = [shown(code), shown(payload)];
        join(&[b"uncaught exception ", &parts[0], b" ", &parts[1]])
    })
}

/// An exception in words, if it is of the machine or of the library.
pub fn in_words(machine: &Machine, code: Value, payload: Value) -> Option<Vec<u8>> {
    said(code, payload).or_else(|| vm_error(machine, code, payload))
}

/// The text that a macro of the library throws as message, in a row with the form that is wrong.
fn said(code: Value, payload: Value) -> Option<Vec<u8>> {
    let name = name_bytes(code);
    let row = payload.is_closure() && payload.head() == Value::ZERO && payload.size() >= 1;
    if !row || name != b"Syntax" && name != b"Failed" || !payload.arg(0).resolve().is_nat() {
        return None;
    }
    Some(name_bytes(payload.arg(0).resolve()))
}

/// The kinds of VM errors in words; `#` stands for the detail.
const ERRORS: [(&[u8], Option<u64>, &[u8]); 10] = [
    (b"badcall", None, b"wrong number of operands: #"),
    (b"badop", None, b"there is no such operation"),
    (b"badfun", None, b"a pin that holds no function was called"),
    (b"arity0", None, b"a law needs at least one argument"),
    (
        b"limit",
        Some(0),
        b"a result is larger than any number can be",
    ),
    (
        b"limit",
        Some(1),
        b"the stack of # is exhausted: recursion without end?",
    ),
    (b"limit", Some(2), b"the memory of # is exhausted"),
    (b"limit", Some(3), b"out of time"),
    (b"range", None, b"# is out of range"),
    (b"io", None, b"the system refused: error #"),
];

/// A VM error (chapter 02 §1.6) in words: code 17, payload (0 kind op detail).
#[cold]
#[inline(never)]
fn vm_error(machine: &Machine, code: Value, payload: Value) -> Option<Vec<u8>> {
    let row = payload.is_closure() && payload.head() == Value::ZERO && payload.size() == 3;
    let part = |i: usize| payload.arg(i).resolve();
    // A program may throw what only looks like one.
    if code != Value::direct(17) || !row || !part(2).is_nat() {
        return None;
    }
    let (kind, detail) = (name_bytes(part(0)), part(2).small()?);
    let known = |row: &&(&[u8], Option<u64>, &[u8])| {
        row.0 == kind && row.1.is_none_or(|expected| expected == detail)
    };
    let text = ERRORS.iter().find(known)?.2;
    let mut out = Vec::new();
    for byte in text {
        match (*byte, &kind[..], detail) {
            (b'#', b"limit", 1) => size(machine.stack_bytes(), &mut out),
            (b'#', b"limit", _) => size(machine.heap_bytes(), &mut out),
            (b'#', ..) => put_number(&mut out, detail),
            (byte, ..) => out.push(byte),
        }
    }
    let op = part(1);
    if op.is_nat() && op.bit_len() > 8 {
        put(&mut out, &[b" (in ", &name_bytes(op), b")"]);
    }
    Some(out)
}

/// Writes a number of bytes in MB.
fn size(bytes: u64, out: &mut Vec<u8>) {
    put_number(out, bytes >> 20);
    put(out, &[b" MB"]);
}
