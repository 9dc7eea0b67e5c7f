//! Messages about a text: place, the line with a marker, the trail, a suggestion (chapter 06 §7).
//!
//! Invariants:
//! - A message holds no control characters of its own making; names and lines from the text are shown
//!   as they are, tabs kept so that the marker stands where it should.

use super::eval::{Note, name_bytes, name_text};
use super::read::{ReadError, Span};
use super::source::{Place, SourceError, Sources};
use crate::value::Value;
use crate::value::print::{self, Style};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest value in a message, in bytes.
const MAX_SHOWN: usize = 200;
/// Longest line in a message, in bytes.
const MAX_LINE: usize = 400;

/// A value as text, cut to a readable length.
pub fn shown(v: Value) -> Vec<u8> {
    let mut text = Vec::new();
    if print::show(v, &Style::TRACE, &mut text).is_err() {
        text.extend_from_slice(b"(no memory to print the value)");
    }
    if text.len() > MAX_SHOWN {
        text.truncate(MAX_SHOWN);
        text.extend_from_slice(b"...");
    }
    text
}

/// A message with its place.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// `error` or `warning`.
    pub kind: &'static str,
    /// What is wrong.
    pub text: Vec<u8>,
    /// What it was part of: kind, name, place.
    pub trail: Vec<(&'static str, Vec<u8>, Option<Span>)>,
    /// What to do.
    pub help: Option<Vec<u8>>,
}

impl Message {
    /// An error.
    pub fn error(text: impl Into<Vec<u8>>) -> Message {
        Message {
            kind: "error",
            text: text.into(),
            ..Message::default()
        }
    }

    /// The lines of the message about this span of the stream.
    pub fn render(&self, sources: &Sources, span: Span) -> Vec<u8> {
        self.lines(sources, sources.place(span.start), span.end - span.start)
    }

    /// The lines of the message about this span of one file.
    pub fn render_in(&self, sources: &Sources, file: usize, span: Span) -> Vec<u8> {
        let place = sources.place_in(file, span.start);
        self.lines(sources, place, span.end - span.start)
    }

    fn lines(&self, sources: &Sources, place: Place, length: usize) -> Vec<u8> {
        let mut out = position(sources, place);
        out.extend_from_slice(format!(": {}: ", self.kind).as_bytes());
        out.extend_from_slice(&self.text);
        out.push(b'\n');
        marker(sources, place, length, &mut out);
        for (kind, name, span) in &self.trail {
            out.extend_from_slice(format!("  in {kind} ").as_bytes());
            out.extend_from_slice(name);
            if let Some(span) = span {
                out.extend_from_slice(b" (");
                out.extend_from_slice(&position(sources, sources.place(span.start)));
                out.push(b')');
            }
            out.push(b'\n');
        }
        if let Some(help) = &self.help {
            out.extend_from_slice(b"  help: ");
            out.extend_from_slice(help);
            out.push(b'\n');
        }
        out
    }
}

fn position(sources: &Sources, place: Place) -> Vec<u8> {
    let mut out = sources
        .files()
        .get(place.file)
        .map_or(Vec::new(), |file| file.name.clone());
    out.extend_from_slice(format!(":{}:{}", place.line, place.column).as_bytes());
    out
}

/// The line of a place with marks under what is meant.
fn marker(sources: &Sources, place: Place, length: usize, out: &mut Vec<u8>) {
    let line = sources.line(place);
    let before = place.column - 1;
    if line.len() > MAX_LINE || before > line.len() {
        return;
    }
    out.extend_from_slice(b"    ");
    out.extend(line.iter().map(|b| if is_plain(*b) { *b } else { b' ' }));
    out.extend_from_slice(b"\n    ");
    let blank = |b: &u8| if *b == b'\t' { b'\t' } else { b' ' };
    out.extend(
        line[..before]
            .iter()
            .filter(|b| starts_character(**b))
            .map(blank),
    );
    let rest = &line[before..];
    let marked = &rest[..length.min(rest.len())];
    let marks = marked.iter().filter(|b| starts_character(**b)).count();
    out.resize(out.len() + marks.max(1), b'^');
    out.push(b'\n');
}

/// Whether a byte may be shown in a line.
fn is_plain(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

/// Whether a byte of UTF-8 text is not in the middle of a character.
fn starts_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The message for a text that cannot be read, and the span it is about.
pub fn unreadable(sources: &Sources, error: ReadError) -> (Message, Span) {
    let at = |offset: usize| {
        let place = sources.place(offset);
        format!("{}:{}", place.line, place.column)
    };
    match error {
        ReadError::Unopened(span) => {
            let found = sources.text()[span.start] as char;
            let message = format!("'{found}' closes nothing: no bracket is open");
            (Message::error(message), span)
        }
        ReadError::Mismatched(span, bracket, start) => {
            let (close, open) = (bracket.closer() as char, bracket.opener() as char);
            let message = format!(
                "expected '{close}' to close '{open}' opened at {}",
                at(start)
            );
            (Message::error(message), span)
        }
        ReadError::Unclosed(bracket, span, suspect) => {
            let mut message =
                Message::error(format!("'{}' is never closed", bracket.opener() as char));
            message.help = suspect.map(|offset| {
                let hint = "probably before the form that starts at";
                format!("a closing bracket is missing, {hint} {}", at(offset)).into_bytes()
            });
            (message, span)
        }
        ReadError::Forbidden(span, byte) => {
            let message = format!("byte 0x{byte:02x} cannot start a form");
            (Message::error(message), span)
        }
    }
}

/// The message for a form that failed: from its note and the exception's code and payload, if one
/// was thrown.
pub fn failed(note: &Note, exception: Option<(Value, Value)>) -> Message {
    let mut message = Message::error(note.message.clone());
    message.trail.clone_from(&note.trail);
    if let Some(name) = unbound_name(note, exception) {
        message.text = [&printable(&name)[..], b" is not defined"].concat();
        message.help = hint(&name).map(String::into_bytes);
    } else if let Some((code, payload)) = exception {
        message.text = describe(code, payload);
    }
    message
}

/// The name that is not bound, whoever found out.
pub fn unbound_name(note: &Note, exception: Option<(Value, Value)>) -> Option<Vec<u8>> {
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

/// A name for a message; one that no symbol can have is shown as a number.
fn printable(name: &[u8]) -> Vec<u8> {
    if name.iter().all(|b| super::read::is_symbol(*b)) {
        return name.to_vec();
    }
    format!("the raw value {name:02x?}").into_bytes()
}

/// Suggestions for names that are never meant as such.
fn hint(name: &[u8]) -> Option<String> {
    let text = name_text(name);
    Some(match &text[..] {
        "BRACED" => String::from("[..] is a macro of the library: (require \"base\")"),
        "CURLED" => String::from("{..} is a macro of the library: (require \"base\")"),
        "require" => String::from("require stands at the top of a file; move it there"),
        "let" | "lambda" => format!("{text} is a macro of the library: (require \"lambda\")"),
        "mac" | "pin" | "EVAL" | "DEF" => format!("{text} belongs to the newer dialect"),
        "=" => String::from("define names with (def name expr)"),
        _ if name.first().is_some_and(u8::is_ascii_digit) => {
            String::from("a number has digits only")
        }
        _ if matches!(name.first(), Some(b'\'' | b'`')) && name.len() > 1 => {
            format!(
                "the mark is part of the name; write {}({})",
                &text[..1],
                &text[1..]
            )
        }
        _ => return None,
    })
}

/// An exception in words.
fn describe(code: Value, payload: Value) -> Vec<u8> {
    if let Some(text) = vm_error(code, payload) {
        return text;
    }
    let mut text = Vec::from(*b"uncaught exception ");
    text.extend_from_slice(&shown(code));
    text.push(b' ');
    text.extend_from_slice(&shown(payload));
    text
}

/// A VM error (chapter 02 §1.6): code 17, payload (0 kind op detail).
fn vm_error(code: Value, payload: Value) -> Option<Vec<u8>> {
    let row = payload.is_closure() && payload.head() == Value::ZERO && payload.size() == 3;
    if code != Value::direct(17) || !row {
        return None;
    }
    let part = |i: usize| payload.arg(i).resolve();
    let detail = part(2).small()?;
    let kind = name_bytes(part(0));
    let text = match (&kind[..], detail) {
        (b"badcall", _) => format!("an operation was called with {detail} operands"),
        (b"badop", _) => String::from("there is no such operation"),
        (b"badfun", _) => String::from("a pin that holds no function was called"),
        (b"arity0", _) => String::from("a law needs at least one argument"),
        (b"limit", 0) => String::from("a result is larger than any number can be"),
        (b"limit", 1) => String::from("the stack is exhausted: recursion without end?"),
        (b"limit", 2) => String::from("memory is exhausted"),
        (b"limit", 3) => String::from("out of time"),
        (b"range", _) => format!("{detail} is out of range"),
        (b"io", _) => format!("the system refused: error {detail}"),
        _ => return None,
    };
    let mut text = text.into_bytes();
    let op = part(1);
    if op.is_nat() && op.bit_len() > 8 {
        text.extend_from_slice(b" (in ");
        text.extend_from_slice(&name_bytes(op));
        text.push(b')');
    }
    Some(text)
}

/// The message for files that cannot be put together; the place if there is one in a file.
pub fn not_assembled(sources: &Sources, error: &SourceError) -> Vec<u8> {
    match error {
        SourceError::Unreadable(path, why) => {
            let name = name_text(path);
            format!("{name}: error: {why}\n").into_bytes()
        }
        SourceError::NotFound(file, span, name, tried) => {
            let name = name_text(name);
            let mut message = Message::error(format!("required file {name} not found"));
            let tried: Vec<String> = tried.iter().map(|path| name_text(path)).collect();
            message.help = Some(format!("tried {}", tried.join(", ")).into_bytes());
            message.render_in(sources, *file, *span)
        }
        SourceError::Cycle(file, span, chain) => {
            let chain: Vec<String> = chain.iter().map(|path| name_text(path)).collect();
            let message = Message::error(format!("files require each other: {}", chain.join(", ")));
            message.render_in(sources, *file, *span)
        }
    }
}
