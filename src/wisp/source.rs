//! The text to load: files with what they require in front, as one stream (chapter 06 §2.4).
//!
//! Invariants:
//! - Every byte of the stream belongs to one [`Part`], which says where it comes from.
//! - A file is included once, whatever paths lead to it, in front of what requires it; a cycle is an
//!   error.
//! - A byte order mark at the start of a file belongs to none of its parts.
//! - Between two parts lies a line feed, so no token reaches from one file into the next.

use super::library::Library;
use super::read::{Boundary, Bracket, Dialect, Event, Reader, Span};
use super::session::Input;
use crate::os::{Errno, Fd, file};
use alloc::string::String;
use alloc::vec::Vec;

/// Suffixes tried for a required name, in order.
const SUFFIXES: [&[u8]; 2] = [b".lisp", b".wisp"];

/// Where a piece of the stream comes from.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Offset in the stream of the piece.
    start: usize,
    /// Index of the file.
    file: usize,
    /// Offset in the file of the piece.
    offset: usize,
}

/// Device and number of a file.
type Identity = (u64, u64);

/// What some editors put in front of a text to say that it is UTF-8; no part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes asked of standard input at a time.
const BLOCK: usize = 1 << 16;

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path, or what stands for one in messages.
    pub name: Vec<u8>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is known by, whatever its path; none for a text that is no file.
    identity: Option<Identity>,
    /// Whether it was named on the command line.
    pub named: bool,
    /// The files it requires, in order.
    pub requires: Vec<usize>,
    /// Lines in front of its first one.
    lines_before: usize,
}

/// Why files cannot be put together.
#[derive(Clone, Debug)]
pub enum SourceError {
    /// A file named on the command line cannot be read.
    Unreadable(Vec<u8>, String),
    /// A required name with the paths tried: file, span of the form in it, name, paths.
    NotFound(usize, Span, Vec<u8>, Vec<Vec<u8>>),
    /// A `require` that is none: file, span of the form in it.
    Malformed(usize, Span),
    /// A file declares another dialect than the run has: its path.
    Mixed(Vec<u8>),
    /// A file requires itself: the file, the span of the form in it, the chain of paths.
    Cycle(usize, Span, Vec<Vec<u8>>),
}

/// A place in a file, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Index of the file.
    pub file: usize,
    /// Offset in the file.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
}

/// An end of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Its length.
    pub text: usize,
    parts: usize,
    files: usize,
    modules: usize,
}

/// A file whose leading requires are being resolved.
struct Open {
    file: usize,
    /// Required names still to include, in reverse order.
    waiting: Vec<(Span, Vec<u8>)>,
    /// Offset behind the last leading require.
    body: usize,
}

/// The stream and where it comes from.
#[derive(Default)]
pub struct Sources {
    text: Vec<u8>,
    parts: Vec<Part>,
    files: Vec<File>,
    /// Directories of the option `-I`.
    pub search: Vec<Vec<u8>>,
    /// The dialect of the run; none until the first file is added, unless it is given.
    pub dialect: Option<Dialect>,
    /// Whether messages are coloured.
    pub color: bool,
    /// Lines in front of the first one of what is added next: the pieces of a text that comes in
    /// pieces are numbered through.
    pub lines_before: usize,
    /// The built-in library; empty to hide it.
    pub library: Library,
    /// Modules of the library to load, with the offset of the stream in front of which they are
    /// required.
    modules: Vec<(usize, usize)>,
    /// How many of them have been asked for.
    asked: usize,
    /// The file that is read while it is evaluated, which is the last one and standard input.
    growing: Option<usize>,
    /// Why standard input could not be read to its end.
    pub broken: Option<Errno>,
}

impl Input for Sources {
    fn text(&self) -> &[u8] {
        &self.text
    }

    fn due(&mut self, offset: usize) -> Option<usize> {
        let (before, module) = *self.modules.get(self.asked)?;
        if offset < before {
            return None;
        }
        self.asked += 1;
        Some(module)
    }

    fn grows(&self) -> bool {
        self.growing.is_some()
    }

    fn more(&mut self) -> bool {
        let Some(file) = self.growing else {
            return false;
        };
        let known = self.files[file].bytes.len();
        let more = self.read_block(file);
        let new = &self.files[file].bytes[known..];
        self.text.extend_from_slice(new);
        more
    }
}

/// What a required name stands for.
enum Found {
    /// A file: its path, its bytes and what it is known by.
    File(Vec<u8>, Vec<u8>, Identity),
    /// A module of the library.
    Module(usize),
}

impl Sources {
    /// The stream.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The files, required ones included.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Where the stream ends now, for [`Sources::forget`].
    pub fn mark(&self) -> Mark {
        Mark {
            text: self.text.len(),
            parts: self.parts.len(),
            files: self.files.len(),
            modules: self.modules.len(),
        }
    }

    /// Forgets what was added since the mark, so that it can be added again.
    pub fn forget(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.parts.truncate(mark.parts);
        self.files.truncate(mark.files);
        self.modules.truncate(mark.modules);
        self.asked = self.asked.min(mark.modules);
    }

    /// Appends the file at `path` and what it requires, unless it has been included.
    ///
    /// # Errors
    /// Files that cannot be read or found, and cycles.
    pub fn add_file(&mut self, path: &[u8]) -> Result<(), SourceError> {
        let (bytes, identity) = file::read_any(path)
            .map_err(|why| SourceError::Unreadable(path.to_vec(), alloc::format!("{why}")))?;
        if let Some(known) = self.known(identity) {
            self.files[known].named = true;
            return Ok(());
        }
        let file = self.new_file(path, bytes, Some(identity), true);
        self.include(file)
    }

    /// Appends these bytes, called `name` in messages, and what they require.
    ///
    /// # Errors
    /// As [`Sources::add_file`].
    pub fn add(&mut self, name: &[u8], bytes: Vec<u8>) -> Result<(), SourceError> {
        let file = self.new_file(name, bytes, None, true);
        self.include(file)
    }

    /// Appends what standard input brings, called `name` in messages, as it comes: this waits for as
    /// much as tells what it requires. It must be the last thing added.
    ///
    /// # Errors
    /// As [`Sources::add_file`].
    pub fn add_input(&mut self, name: &[u8]) -> Result<(), SourceError> {
        let file = self.new_file(name, Vec::new(), None, true);
        self.growing = Some(file);
        let mut required = 0;
        loop {
            let mut boundary = Boundary::new(self.dialect_of(file), required);
            while !boundary.reached(&self.files[file].bytes) && self.read_block(file) {}
            let (_, body) = leading(self.dialect_of(file), &self.files[file].bytes);
            if body == required || self.growing.is_none() {
                return self.include(file);
            }
            required = body;
        }
    }

    /// Reads what there is of the growing file; false at the end.
    fn read_block(&mut self, file: usize) -> bool {
        let bytes = &mut self.files[file].bytes;
        let known = bytes.len();
        bytes.resize(known + BLOCK, 0);
        let result = file::read(Fd::STDIN, &mut bytes[known..]);
        bytes.truncate(known + result.unwrap_or(0));
        if known == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        match result {
            Ok(1..) => return true,
            Err(Errno::EINTR) => return true,
            Ok(0) => {}
            Err(why) => self.broken = Some(why),
        }
        self.growing = None;
        false
    }

    /// Appends a file and what it requires.
    fn include(&mut self, file: usize) -> Result<(), SourceError> {
        let mut open = Vec::from([self.open(file)?]);
        while let Some(top) = open.last_mut() {
            let file = top.file;
            let Some((span, name)) = top.waiting.pop() else {
                let body = top.body;
                self.append(file, body);
                open.pop();
                continue;
            };
            let (path, bytes, identity) = match self.find(file, span, &name)? {
                Found::File(path, bytes, identity) => (path, bytes, identity),
                Found::Module(module) => {
                    self.add_module(module);
                    continue;
                }
            };
            let known = self.known(identity);
            if let Some(start) = open.iter().position(|o| Some(o.file) == known) {
                let chain = open[start..]
                    .iter()
                    .map(|o| self.files[o.file].name.clone());
                let chain = chain.chain([path]).collect();
                return Err(SourceError::Cycle(file, span, chain));
            }
            let required = match known {
                Some(known) => known,
                None => {
                    let new = self.new_file(&path, bytes, Some(identity), false);
                    open.push(self.open(new)?);
                    new
                }
            };
            self.files[file].requires.push(required);
        }
        Ok(())
    }

    fn known(&self, identity: Identity) -> Option<usize> {
        self.files
            .iter()
            .position(|file| file.identity == Some(identity))
    }

    fn new_file(
        &mut self,
        name: &[u8],
        bytes: Vec<u8>,
        identity: Option<Identity>,
        named: bool,
    ) -> usize {
        let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => text.to_vec(),
            None => bytes,
        };
        self.files.push(File {
            name: name.to_vec(),
            bytes,
            identity,
            named,
            requires: Vec::new(),
            lines_before: if named { self.lines_before } else { 0 },
        });
        self.files.len() - 1
    }

    /// The dialect of the run.
    pub fn dialect(&self) -> Dialect {
        self.dialect.unwrap_or_default()
    }

    /// The dialect of the run if this file decides it.
    fn dialect_of(&self, file: usize) -> Dialect {
        let declared = || Dialect::declared(&self.files[file].bytes);
        self.dialect.or_else(declared).unwrap_or_default()
    }

    /// Looks at what a file requires. The first one decides the dialect, if nothing else has.
    fn open(&mut self, file: usize) -> Result<Open, SourceError> {
        let dialect = self.dialect_of(file);
        self.dialect = Some(dialect);
        let declared = Dialect::declared(&self.files[file].bytes);
        if file > 0 && declared.is_some_and(|other| other != dialect) {
            return Err(SourceError::Mixed(self.files[file].name.clone()));
        }
        let (mut waiting, body) = leading(dialect, &self.files[file].bytes);
        if dialect == Dialect::Spec {
            return Ok(Open {
                file,
                waiting,
                body,
            });
        }
        if let Some(span) = malformed_require(&self.files[file].bytes, body) {
            return Err(SourceError::Malformed(file, span));
        }
        waiting.reverse();
        Ok(Open {
            file,
            waiting,
            body,
        })
    }

    fn append(&mut self, file: usize, offset: usize) {
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.parts.push(Part {
            start: self.text.len(),
            file,
            offset,
        });
        self.text
            .extend_from_slice(&self.files[file].bytes[offset..]);
    }

    fn find(&self, file: usize, span: Span, name: &[u8]) -> Result<Found, SourceError> {
        let own = directory(&self.files[file].name);
        let mut tried = Vec::new();
        for dir in core::iter::once(own).chain(self.search.iter().map(Vec::as_slice)) {
            for suffix in SUFFIXES {
                let path = join(dir, name, suffix);
                match file::read_identified(&path) {
                    Ok((bytes, identity)) => return Ok(Found::File(path, bytes, identity)),
                    Err(_) => tried.push(path),
                }
            }
        }
        // The library is written in the classic dialect.
        if self.dialect() == Dialect::Classic
            && let Some(module) = self.library.find(name)
        {
            return Ok(Found::Module(module));
        }
        Err(SourceError::NotFound(file, span, name.to_vec(), tried))
    }

    /// Requires a module of the library behind what has been added.
    pub fn add_module(&mut self, module: usize) {
        self.modules.push((self.text.len(), module));
    }

    /// The pieces of the stream: file, offset of the first byte, offset behind the last.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let ends = self.parts.iter().skip(1).map(|part| part.start);
        let ends = ends.chain([self.text.len()]);
        self.parts
            .iter()
            .zip(ends)
            .map(|(part, end)| (part.file, part.start, end))
    }

    /// The place of an offset of the stream.
    pub fn place(&self, offset: usize) -> Place {
        let at = self.parts.partition_point(|part| part.start <= offset);
        let part = match at.checked_sub(1).and_then(|i| self.parts.get(i)) {
            Some(part) => *part,
            None => Part {
                start: 0,
                file: 0,
                offset: 0,
            },
        };
        self.place_in(part.file, part.offset + offset.saturating_sub(part.start))
    }

    /// The place of an offset of a file.
    pub fn place_in(&self, file: usize, offset: usize) -> Place {
        let (bytes, lines): (&[u8], _) = match self.files.get(file) {
            Some(f) => (&f.bytes, f.lines_before),
            None => (b"", 0),
        };
        let offset = offset.min(bytes.len());
        let before = &bytes[..offset];
        let line_start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |i| i + 1);
        Place {
            file,
            offset,
            line: 1 + lines + before.iter().filter(|b| **b == b'\n').count(),
            column: 1 + offset - line_start,
        }
    }

    /// The line of a place, without its end.
    pub fn line(&self, place: Place) -> &[u8] {
        let bytes: &[u8] = self.files.get(place.file).map_or(b"", |f| &f.bytes);
        let start = place.offset + 1 - place.column;
        let rest = &bytes[start..];
        let end = rest.iter().position(|b| *b == b'\n');
        &rest[..end.unwrap_or(rest.len())]
    }
}

/// What a file asks for at its beginning, and the offset behind that.
fn leading(dialect: Dialect, bytes: &[u8]) -> (Vec<(Span, Vec<u8>)>, usize) {
    match dialect {
        Dialect::Classic => leading_requires(bytes),
        Dialect::Spec => leading_include(bytes),
    }
}

/// The included file of the newer dialect, a first form `<name`, and the offset behind it.
fn leading_include(bytes: &[u8]) -> (Vec<(Span, Vec<u8>)>, usize) {
    let mut reader = Reader::of(Dialect::Spec, bytes, 0);
    let mut events = Vec::new();
    if let Ok(true) = reader.form(&mut events)
        && let [Event::Symbol(span)] = events[..]
        && let Some(name) = bytes[span.start..span.end].strip_prefix(b"<")
        && is_name(name)
    {
        return (Vec::from([(span, name.to_vec())]), reader.offset());
    }
    (Vec::new(), 0)
}

/// Whether this can be the name of a required file.
fn is_name(name: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    !name.is_empty() && name.iter().all(allowed)
}

/// The leading requires of a file in order, and the offset behind the last one.
fn leading_requires(bytes: &[u8]) -> (Vec<(Span, Vec<u8>)>, usize) {
    let (mut found, mut body) = (Vec::new(), 0);
    let mut reader = Reader::new(bytes, 0);
    let mut events = Vec::new();
    while let Ok(true) = reader.form(&mut events) {
        let [
            Event::Open(..),
            Event::Symbol(word),
            Event::Text(name),
            Event::Close(_, 2, span),
        ] = events[..]
        else {
            break;
        };
        let name = &bytes[name.start..name.end];
        let required = &bytes[word.start..word.end] == b"require";
        if !required || !is_name(name) {
            break;
        }
        found.push((span, name.to_vec()));
        body = reader.offset();
    }
    (found, body)
}

/// The span of the form behind the leading requires if it is a list that begins with `require`, which
/// then asks for something that is no name.
fn malformed_require(bytes: &[u8], body: usize) -> Option<Span> {
    let mut events = Vec::new();
    Reader::new(bytes, body).form(&mut events).ok()?;
    match events[..] {
        [Event::Open(Bracket::Round, _), Event::Symbol(word), ..]
            if &bytes[word.start..word.end] == b"require" =>
        {
            Some(super::form::whole(&events))
        }
        _ => None,
    }
}

/// The directory of a path, with its slash; empty for a bare name.
fn directory(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    &path[..end]
}

fn join(dir: &[u8], name: &[u8], suffix: &[u8]) -> Vec<u8> {
    let mut path = dir.to_vec();
    if path.last().is_some_and(|b| *b != b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path.extend_from_slice(suffix);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_requires_end_at_the_first_other_form() {
        let text = b"; c\n(require \"a\") (require \"b-c\")\n(def x 1) (require \"d\")";
        let (found, body) = leading_requires(text);
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_slice()).collect();
        assert_eq!(names, [&b"a"[..], b"b-c"]);
        assert!(text[body..].starts_with(b"\n(def x 1)"));
        assert_eq!(leading_requires(b"(require \"../x\")").0.len(), 0);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let mut sources = Sources::default();
        sources
            .add(b"a", b"\xef\xbb\xbf(def x 1)".to_vec())
            .unwrap();
        assert_eq!(sources.text(), b"(def x 1)");
        assert_eq!(sources.place(1).column, 2);
    }

    #[test]
    fn offsets_lead_back_to_files() {
        let mut sources = Sources::default();
        sources.add(b"a", b"one\ntwo".to_vec()).unwrap();
        sources.add(b"b", b"\nthree".to_vec()).unwrap();
        assert_eq!(sources.text(), b"one\ntwo\n\nthree");
        let shown = |offset| {
            let p = sources.place(offset);
            (p.file, p.line, p.column)
        };
        assert_eq!(shown(0), (0, 1, 1));
        assert_eq!(shown(5), (0, 2, 2));
        assert_eq!(shown(9), (1, 2, 1));
        assert_eq!(sources.line(sources.place(10)), b"three");
    }
}
