//! Messages about a text: place, the line with a marker, the trail, a suggestion (chapter 06 §7.2).
//!
//! Invariants:
//! - A message is UTF-8 without control characters other than its own line ends and colours, whatever
//!   is in names and lines; tabs are kept so that the marker stands where it should.

use super::diagnose::{cut, is_word, raw};
use super::eval::name_text;
use super::read::{ReadError, Span};
use super::source::{Place, SourceError, Sources};
use super::suggest::Search;
use super::text::{join, put, put_number, put_plain};
use crate::machine::trail::{Run, Trail};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest line shown whole, in bytes.
const MAX_LINE: usize = 240;

/// A message with its place.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// `error` or `warning`.
    pub kind: &'static str,
    /// What is wrong.
    pub text: Vec<u8>,
    /// What it was part of: kind, name, place.
    pub trail: Vec<(&'static str, Vec<u8>, Option<Span>)>,
    /// Lines that name the laws that were being evaluated, as [`chain`] makes them.
    pub chain: Vec<u8>,
    /// What to do.
    pub help: Option<Vec<u8>>,
}

impl Message {
    /// An error.
    pub fn error(text: impl Into<Vec<u8>>) -> Message {
        Message::new("error", text.into())
    }

    /// A warning.
    pub fn warning(text: impl Into<Vec<u8>>) -> Message {
        Message::new("warning", text.into())
    }

    fn new(kind: &'static str, text: Vec<u8>) -> Message {
        Message {
            kind,
            text,
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

    /// Writes `KIND: TEXT` and a line end.
    fn start(&self, paint: Paint, out: &mut Vec<u8>) {
        paint.put(self.color(), &join(&[self.kind.as_bytes(), b":"]), out);
        out.push(b' ');
        put_plain(out, &self.text);
        out.push(b'\n');
    }

    fn color(&self) -> &'static [u8] {
        match self.kind {
            "error" => RED,
            _ => YELLOW,
        }
    }

    #[cold]
    #[inline(never)]
    fn lines(&self, sources: &Sources, place: Place, length: usize) -> Vec<u8> {
        let paint = Paint(sources.color);
        let mut out = position(sources, place);
        put(&mut out, &[b": "]);
        self.start(paint, &mut out);
        marker(sources, place, length, paint, self.color(), &mut out);
        for (kind, name, span) in &self.trail {
            put(&mut out, &[b"  in ", kind.as_bytes(), b" "]);
            printed(name, &mut out);
            if let Some(span) = span {
                let place = position(sources, sources.place(span.start));
                put(&mut out, &[b" (", &place, b")"]);
            }
            out.push(b'\n');
        }
        put(&mut out, &[&self.chain]);
        if let Some(help) = &self.help {
            put(&mut out, &[b"  "]);
            paint.put(GREEN, b"help:", &mut out);
            out.push(b' ');
            put_plain(&mut out, help);
            out.push(b'\n');
        }
        out
    }
}

/// The lines about an exception that has no place in a text.
pub fn without_place(text: Option<Vec<u8>>, trail: &Trail, color: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(text) = text {
        Message::error(text).start(Paint(color), &mut out);
    }
    put(&mut out, &[&chain(trail)]);
    out
}

/// Escape sequences of a terminal: bold red, bold yellow, bold green.
const RED: &[u8] = b"\x1b[1;31m";
const YELLOW: &[u8] = b"\x1b[1;33m";
const GREEN: &[u8] = b"\x1b[1;32m";

/// Whether to use colours.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn put(self, color: &[u8], text: &[u8], out: &mut Vec<u8>) {
        let (before, after): (&[u8], &[u8]) = if self.0 {
            (color, b"\x1b[0m")
        } else {
            (b"", b"")
        };
        put(out, &[before, text, after]);
    }
}

/// Writes a name as part of a line: one that no text can hold is shown as a number, none as what it is.
#[cold]
#[inline(never)]
fn printed(name: &[u8], out: &mut Vec<u8>) {
    match name {
        b"" => put(out, &[b"(no name)"]),
        name if is_word(name) => put_plain(out, &cut(name.to_vec())),
        name => put(out, &[&raw(name)]),
    }
}

/// The lines that name the laws that were being evaluated, innermost first.
#[cold]
#[inline(never)]
pub fn chain(trail: &Trail) -> Vec<u8> {
    let mut out = Vec::new();
    let laws = |runs: &[Run], out: &mut Vec<u8>| {
        for run in runs {
            put(out, &[b"  while evaluating "]);
            printed(run.name(), out);
            if run.times > 1 {
                put(out, &[b" ("]);
                put_number(out, run.times);
                put(out, &[b" times)"]);
            }
            put(out, &[b"\n"]);
        }
    };
    laws(trail.inner(), &mut out);
    if trail.omitted > 0 {
        put(&mut out, &[b"  ... "]);
        put_number(&mut out, trail.omitted);
        put(&mut out, &[b" more ...\n"]);
    }
    laws(trail.outer(), &mut out);
    if !out.is_empty() {
        put(
            &mut out,
            &[b"  (a law that ended in a call of another is not listed)\n"],
        );
    }
    out
}

#[cold]
#[inline(never)]
pub fn position(sources: &Sources, place: Place) -> Vec<u8> {
    let file = sources.files().get(place.file);
    let mut out = Vec::new();
    put_plain(&mut out, file.map_or(b"", |file| &file.name));
    for n in [place.line, place.column] {
        put(&mut out, &[b":"]);
        put_number(&mut out, n as u64);
    }
    out
}

/// The part of a line to show: all of it, or of a long one what is around the byte `at`.
fn window(line: &[u8], at: usize) -> (usize, usize) {
    if line.len() <= MAX_LINE {
        return (0, line.len());
    }
    let inside = |i: &usize| line.get(*i).is_some_and(|byte| byte & 0xc0 == 0x80);
    let from = at.saturating_sub(MAX_LINE / 4);
    let from = (from..at).find(|i| !inside(i)).unwrap_or(at);
    let to = (from + MAX_LINE / 2).min(line.len());
    (
        from,
        (to..line.len()).find(|i| !inside(i)).unwrap_or(line.len()),
    )
}

/// The line of a place with marks under what is meant.
#[cold]
#[inline(never)]
fn marker(
    sources: &Sources,
    place: Place,
    length: usize,
    paint: Paint,
    color: &[u8],
    out: &mut Vec<u8>,
) {
    let line = sources.line(place);
    let before = place.column - 1;
    if before > line.len() {
        return;
    }
    let (from, to) = window(line, before);
    let (left, right) = (
        &b"..."[..3 * usize::from(from > 0)],
        &b"..."[..3 * usize::from(to < line.len())],
    );
    put(out, &[b"    ", left]);
    put_plain(out, &line[from..to]);
    put(out, &[right, b"\n    ", &b"   "[..left.len()]]);
    let (before, rest) = line[from..to].split_at(before - from);
    let blank = |c| if c == '\t' { b'\t' } else { b' ' };
    out.extend(name_text(before).chars().map(blank));
    let marks = name_text(&rest[..length.min(rest.len())]).chars().count();
    paint.put(color, &alloc::vec![b'^'; marks.max(1)], out);
    out.push(b'\n');
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
        ReadError::Touching(span) => (
            Message::error("elements of a list are separated by spaces"),
            span,
        ),
        ReadError::TooLarge(span) => {
            let message = "there is no memory for a form of so many parts";
            (Message::error(message), span)
        }
        ReadError::Forbidden(span, byte) => {
            let message = format!("byte 0x{byte:02x} cannot start a form");
            (Message::error(message), span)
        }
    }
}

/// The message for files that cannot be put together; the place if there is one in a file.
pub fn not_assembled(sources: &Sources, error: &SourceError) -> Vec<u8> {
    match error {
        SourceError::Unreadable(path, why) => {
            let name = name_text(path);
            format!("{name}: error: {why}\n").into_bytes()
        }
        SourceError::NotFound(file, span, name, tried) => {
            let text = join(&[b"required file ", name, b" not found"]);
            let mut message = Message::error(text);
            let mut help = join(&[b"tried ", &tried.join(&b", "[..])]);
            let mut search = Search::new(name, b"");
            for module in sources.library.modules() {
                search.offer(module.name, false);
            }
            if sources.library.modules().next().is_some() {
                put(&mut help, &[b" and the modules that are built in"]);
            }
            if let Some(question) = search.question() {
                put(&mut help, &[b"; ", &question]);
            }
            message.help = Some(help);
            message.render_in(sources, *file, *span)
        }
        SourceError::Malformed(file, span) => {
            let text = b"require needs (require \"name\"), a name of letters, digits, - and _";
            Message::error(&text[..]).render_in(sources, *file, *span)
        }
        SourceError::Mixed(path) => {
            let (name, why) = (
                name_text(path),
                "it declares another dialect than the run has",
            );
            format!("{name}: error: {why}\n").into_bytes()
        }
        SourceError::Cycle(file, span, chain) => {
            let chain: Vec<String> = chain.iter().map(|path| name_text(path)).collect();
            let message = Message::error(format!("files require each other: {}", chain.join(", ")));
            message.render_in(sources, *file, *span)
        }
    }
}
