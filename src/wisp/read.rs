//! The reader: bytes to forms (chapter 06 §2).
//!
//! Invariants:
//! - A form is a flat list of [`Event`]s in source order, so neither reading nor building a value
//!   nor looking for a position recurses, however deep the brackets.
//! - Every event carries its span; spans are byte offsets into the text that was read.
//! - Nothing after the form that was asked for has been looked at, except the byte that ends a token.

use alloc::vec::Vec;

/// Bytes of the text, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// Which rules a text follows (chapter 06 §1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Dialect {
    /// Those of the existing library.
    #[default]
    Classic,
    /// Those of the newer description, experimental.
    Spec,
}

impl Dialect {
    /// The dialect of this name.
    pub fn named(name: &[u8]) -> Option<Dialect> {
        match name {
            b"classic" => Some(Dialect::Classic),
            b"spec" => Some(Dialect::Spec),
            _ => None,
        }
    }

    /// The dialect that the first line of a text declares: `; dialect: NAME`.
    pub fn declared(text: &[u8]) -> Option<Dialect> {
        let line = text.split(|byte| *byte == b'\n').next()?;
        let name = line.strip_prefix(b"; dialect:")?;
        Dialect::named(name.trim_ascii())
    }

    /// White space between forms. Classic: the reference's three bytes, carriage return and form
    /// feed.
    fn is_space(self, byte: u8) -> bool {
        match self {
            Dialect::Classic => matches!(byte, b'\t' | b'\n' | b' ' | b'\r' | 0x0c),
            Dialect::Spec => matches!(byte, b'\n' | b' '),
        }
    }

    /// Whether a byte can be part of a token.
    fn is_symbol(self, byte: u8) -> bool {
        match self {
            Dialect::Classic => is_symbol(byte),
            Dialect::Spec => is_symbol(byte) || matches!(byte, 0..=0x09 | 0x0b..=0x1f | 0x7f),
        }
    }
}

/// Which bracket opened a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bracket {
    /// `(`: the list itself.
    Round,
    /// `[`: the form `(BRACED (…))`.
    Square,
    /// `{`: the form `(CURLED (…))`.
    Curly,
    /// `[` in the newer dialect: the form `(BRAK (…))`.
    Brak,
    /// `{` in the newer dialect: the form `(CURL (…))`.
    Curl,
}

impl Bracket {
    fn opened_by(byte: u8, dialect: Dialect) -> Option<Bracket> {
        match (byte, dialect) {
            (b'(', _) => Some(Bracket::Round),
            (b'[', Dialect::Classic) => Some(Bracket::Square),
            (b'{', Dialect::Classic) => Some(Bracket::Curly),
            (b'[', Dialect::Spec) => Some(Bracket::Brak),
            (b'{', Dialect::Spec) => Some(Bracket::Curl),
            _ => None,
        }
    }

    /// The byte that opens it.
    pub const fn opener(self) -> u8 {
        match self {
            Bracket::Round => b'(',
            Bracket::Square | Bracket::Brak => b'[',
            Bracket::Curly | Bracket::Curl => b'{',
        }
    }

    /// The byte that closes it.
    pub const fn closer(self) -> u8 {
        match self {
            Bracket::Round => b')',
            Bracket::Square | Bracket::Brak => b']',
            Bracket::Curly | Bracket::Curl => b'}',
        }
    }
}

/// One step through a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A symbol: the bytes of the span.
    Symbol(Span),
    /// A number: the decimal digits of the span.
    Number(Span),
    /// A string: the bytes of the span, without the quotes.
    Text(Span),
    /// A list begins; the span is that of its bracket.
    Open(Bracket, Span),
    /// The list ends that has so many elements; the span is that of the whole list.
    Close(Bracket, usize, Span),
    /// The token that follows and the list after it are one form of two elements.
    OpenPair(usize),
    /// Such a form ends.
    ClosePair(Span),
}

/// What a text cannot be read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// A closer where no bracket is open.
    Unopened(Span),
    /// Another closer than that of the innermost bracket, which is opened at the second offset.
    Mismatched(Span, Bracket, usize),
    /// The text ends inside this bracket; the second offset is that of a list inside it that
    /// starts a line, the probable place of the mistake.
    Unclosed(Bracket, Span, Option<usize>),
    /// There is no memory for a form of so many parts.
    TooLarge(Span),
    /// A byte that starts no form.
    Forbidden(Span, u8),
    /// An element that touches the one before it, in the newer dialect.
    Touching(Span),
}

/// Whether a byte can be part of a token of the classic dialect.
pub fn is_symbol(byte: u8) -> bool {
    let special = matches!(byte, b'"' | b'(' | b')' | b';' | b'[' | b']' | b'{' | b'}');
    byte > 0x20 && byte != 0x7f && !special
}

/// The offset of the last token in `text` that is this name; text in strings and comments counts.
pub fn previous_symbol(text: &[u8], name: &[u8]) -> Option<usize> {
    let part = |byte: Option<&u8>| byte.is_some_and(|b| is_symbol(*b));
    let last = text.len().checked_sub(name.len())?;
    (0..=last).rev().find(|at| {
        let (start, end) = (*at, at + name.len());
        text[start..].starts_with(name)
            && !part(text.get(end))
            && !(start > 0 && part(text.get(start - 1)))
    })
}

/// A list that has been opened and not closed.
struct Pending {
    bracket: Bracket,
    start: usize,
    elements: usize,
    /// Where the token before it starts, if it touches one.
    pair: Option<usize>,
}

/// Reads one form after the other from a text.
pub struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    dialect: Dialect,
    /// The first string that the end of the text closed.
    open_string: Option<Span>,
    /// The first list inside the form being read that starts a line.
    suspect: Option<usize>,
}

impl<'t> Reader<'t> {
    /// A reader of the classic dialect that starts at this offset of the text.
    pub fn new(text: &'t [u8], at: usize) -> Reader<'t> {
        Reader::of(Dialect::Classic, text, at)
    }

    /// A reader of a dialect that starts at this offset of the text.
    pub fn of(dialect: Dialect, text: &'t [u8], at: usize) -> Reader<'t> {
        Reader {
            text,
            at,
            dialect,
            open_string: None,
            suspect: None,
        }
    }

    /// Offset of the next byte to read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The opening quote of a string that is not closed, if there was one.
    pub fn open_string(&self) -> Option<Span> {
        self.open_string
    }

    /// Reads the next form into `events`, whose old contents are dropped; false at the end.
    ///
    /// # Errors
    /// What is wrong with the text; the offset is then that of the mistake.
    pub fn form(&mut self, events: &mut Vec<Event>) -> Result<bool, ReadError> {
        events.clear();
        self.suspect = None;
        let mut open: Vec<Pending> = Vec::new();
        loop {
            self.skip_gap();
            // A step adds at most this much.
            if events.try_reserve(3).is_err() || open.try_reserve(1).is_err() {
                let start = open.first().map_or(self.at, |list| list.start);
                let end = start + 1;
                return Err(ReadError::TooLarge(Span { start, end }));
            }
            let Some(&byte) = self.text.get(self.at) else {
                return match open.last() {
                    None => Ok(false),
                    Some(_) => Err(self.unclosed(&open)),
                };
            };
            let complete = if let Some(bracket) = Bracket::opened_by(byte, self.dialect) {
                self.open(bracket, None, &mut open, events);
                false
            } else if matches!(byte, b')' | b']' | b'}') {
                self.close(byte, &mut open, events)?;
                true
            } else if byte == b'"' {
                events.push(Event::Text(self.string()));
                true
            } else if self.dialect.is_symbol(byte) {
                self.token(&mut open, events)
            } else {
                return Err(ReadError::Forbidden(self.one(), byte));
            };
            if complete {
                match open.last_mut() {
                    Some(list) => {
                        list.elements += 1;
                        self.check_gap()?;
                    }
                    None => return Ok(true),
                }
            }
        }
    }

    /// In the newer dialect an element of a list ends before a gap or a closer only.
    fn check_gap(&self) -> Result<(), ReadError> {
        let next = self.text.get(self.at).copied().unwrap_or(b' ');
        let ends = self.dialect.is_space(next) || matches!(next, b';' | b')' | b']' | b'}');
        match self.dialect {
            Dialect::Spec if !ends => Err(ReadError::Touching(self.one())),
            _ => Ok(()),
        }
    }

    fn one(&self) -> Span {
        Span {
            start: self.at,
            end: self.at + 1,
        }
    }

    /// Skips white space and comments; returns the offset of what follows.
    pub fn skip_gap(&mut self) -> usize {
        while let Some(&byte) = self.text.get(self.at) {
            if byte == b';' {
                self.skip_line();
            } else if self.dialect.is_space(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
        self.at
    }

    fn skip_line(&mut self) {
        while self.text.get(self.at).is_some_and(|&byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn open(
        &mut self,
        bracket: Bracket,
        pair: Option<usize>,
        open: &mut Vec<Pending>,
        events: &mut Vec<Event>,
    ) {
        let starts_line = self.at > 0 && self.text[self.at - 1] == b'\n';
        if starts_line && !open.is_empty() {
            self.suspect.get_or_insert(self.at);
        }
        events.push(Event::Open(bracket, self.one()));
        open.push(Pending {
            bracket,
            start: self.at,
            elements: 0,
            pair,
        });
        self.at += 1;
    }

    fn close(
        &mut self,
        byte: u8,
        open: &mut Vec<Pending>,
        events: &mut Vec<Event>,
    ) -> Result<(), ReadError> {
        let Some(list) = open.pop() else {
            return Err(ReadError::Unopened(self.one()));
        };
        if list.bracket.closer() != byte {
            return Err(ReadError::Mismatched(self.one(), list.bracket, list.start));
        }
        self.at += 1;
        let (start, end) = (list.start, self.at);
        events.push(Event::Close(
            list.bracket,
            list.elements,
            Span { start, end },
        ));
        if let Some(start) = list.pair {
            events.push(Event::ClosePair(Span { start, end }));
        }
        Ok(())
    }

    /// Reads a token; true unless a bracket touches it, which then is open.
    fn token(&mut self, open: &mut Vec<Pending>, events: &mut Vec<Event>) -> bool {
        let start = self.at;
        let part = |byte: &u8| self.dialect.is_symbol(*byte);
        while self.text.get(self.at).is_some_and(part) {
            self.at += 1;
        }
        let span = Span {
            start,
            end: self.at,
        };
        let digits = self.text[start..self.at].iter().all(u8::is_ascii_digit);
        let event = if digits {
            Event::Number(span)
        } else {
            Event::Symbol(span)
        };
        let next = self.text.get(self.at).copied();
        match next.and_then(|byte| Bracket::opened_by(byte, self.dialect)) {
            None => {
                events.push(event);
                true
            }
            Some(bracket) => {
                events.push(Event::OpenPair(start));
                events.push(event);
                self.open(bracket, Some(start), open, events);
                false
            }
        }
    }

    /// Reads a string; the end of the text ends it too.
    fn string(&mut self) -> Span {
        let quote = self.one();
        self.at += 1;
        let start = self.at;
        while self.text.get(self.at).is_some_and(|&byte| byte != b'"') {
            self.at += 1;
        }
        let end = self.at;
        if end < self.text.len() {
            self.at += 1;
        } else {
            self.open_string.get_or_insert(quote);
        }
        Span { start, end }
    }

    fn unclosed(&self, open: &[Pending]) -> ReadError {
        let Some(first) = open.first() else {
            return ReadError::Unopened(self.one());
        };
        let (start, end) = (first.start, first.start + 1);
        ReadError::Unclosed(first.bracket, Span { start, end }, self.suspect)
    }
}

/// Finds the end of the next form of a text that still grows, without looking at a byte twice.
pub struct Boundary {
    dialect: Dialect,
    at: usize,
    depth: usize,
    within: Within,
}

/// What the byte before belongs to.
enum Within {
    Gap,
    Comment,
    Text,
    Token,
}

impl Boundary {
    /// A search that starts at this offset.
    pub fn new(dialect: Dialect, at: usize) -> Boundary {
        Boundary {
            dialect,
            at,
            depth: 0,
            within: Within::Gap,
        }
    }

    /// Looks at what has come since the last call; true when a form is complete, or when there is
    /// something that no further byte turns into one.
    pub fn reached(&mut self, text: &[u8]) -> bool {
        while let Some(&byte) = text.get(self.at) {
            if self.ends_at(byte) {
                return true;
            }
            self.at += 1;
        }
        false
    }

    fn ends_at(&mut self, byte: u8) -> bool {
        match self.within {
            Within::Comment if byte != b'\n' => return false,
            Within::Text if byte != b'"' => return false,
            Within::Text => {
                self.within = Within::Gap;
                return self.depth == 0;
            }
            Within::Token if self.dialect.is_symbol(byte) => return false,
            Within::Token if self.depth == 0 && !matches!(byte, b'(' | b'[' | b'{') => return true,
            _ => {}
        }
        self.within = Within::Gap;
        match byte {
            b';' => self.within = Within::Comment,
            b'"' => self.within = Within::Text,
            b'(' | b'[' | b'{' => self.depth += 1,
            b')' | b']' | b'}' if self.depth <= 1 => return true,
            b')' | b']' | b'}' => self.depth -= 1,
            byte if self.dialect.is_symbol(byte) => self.within = Within::Token,
            byte => return !self.dialect.is_space(byte),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of all forms as text.
    fn read(text: &str) -> Result<String, ReadError> {
        let mut reader = Reader::new(text.as_bytes(), 0);
        let (mut events, mut out) = (Vec::new(), String::new());
        while reader.form(&mut events)? {
            for event in &events {
                let word = |s: &Span| text[s.start..s.end].to_string();
                out += &match event {
                    Event::Symbol(s) => format!("{} ", word(s)),
                    Event::Number(s) => format!("#{} ", word(s)),
                    Event::Text(s) => format!("'{}' ", word(s)),
                    Event::Open(b, _) => format!("{} ", b.opener() as char),
                    Event::Close(b, n, _) => format!("{n}{} ", b.closer() as char),
                    Event::OpenPair(_) => "< ".to_string(),
                    Event::ClosePair(_) => "> ".to_string(),
                };
            }
            out += "| ";
        }
        Ok(out)
    }

    #[test]
    fn forms_are_read_as_the_grammar_says() {
        let cases = [
            ("", ""),
            ("a 12 12a", "a | #12 | 12a | "),
            (r#""a""b"3"#, "'a' | 'b' | #3 | "),
            ("(a [b] {})", "( a [ b 1] { 0} 3) | "),
            ("f(1)(2)", "< f ( #1 1) > | ( #2 1) | "),
            ("5[x y]", "< #5 [ x y 2] > | "),
            ("(f(1) 2)", "( < f ( #1 1) > #2 2) | "),
            ("1;2\n3", "#1 | #3 | "),
            ("'(x)", "< ' ( x 1) > | "),
            ("\"open", "'open' | "),
        ];
        for (text, events) in cases {
            assert_eq!(read(text).as_deref(), Ok(events), "{text}");
        }
    }

    #[test]
    fn the_newer_dialect_separates_elements_and_takes_every_other_byte() {
        let read = |text: &[u8]| {
            let mut reader = Reader::of(Dialect::Spec, text, 0);
            let mut events = Vec::new();
            reader.form(&mut events).map(|_| events)
        };
        let span = |start, end| Span { start, end };
        assert_eq!(read(b"a\tb"), Ok(vec![Event::Symbol(span(0, 3))]));
        let braces = read(b"[1]").map(|events| events[0]);
        assert_eq!(braces, Ok(Event::Open(Bracket::Brak, span(0, 1))));
        assert_eq!(read(b"(a\"b\")"), Err(ReadError::Touching(span(2, 3))));
        assert_eq!(read(b"((a)b)"), Err(ReadError::Touching(span(4, 5))));
        assert!(read(b"(a;x\n)").is_ok() && read(b"x(a b)").is_ok());
    }

    #[test]
    fn the_first_line_may_declare_the_dialect() {
        assert_eq!(
            Dialect::declared(b"; dialect: spec\n1"),
            Some(Dialect::Spec)
        );
        assert_eq!(
            Dialect::declared(b"; dialect: classic \r"),
            Some(Dialect::Classic)
        );
        assert_eq!(Dialect::declared(b"\n; dialect: spec"), None);
        assert_eq!(Dialect::declared(b"; dialect: other"), None);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let span = |start| Span {
            start,
            end: start + 1,
        };
        assert_eq!(read("1 )"), Err(ReadError::Unopened(span(2))));
        let mismatch = ReadError::Mismatched(span(4), Bracket::Round, 0);
        assert_eq!(read("(1 2] 3"), Err(mismatch));
        let unclosed = ReadError::Unclosed(Bracket::Round, span(0), Some(4));
        assert_eq!(read("(a \n(b"), Err(unclosed));
        assert_eq!(read("a \x01"), Err(ReadError::Forbidden(span(2), 1)));
    }

    #[test]
    fn the_end_of_a_form_is_found_as_soon_as_it_has_come() {
        let cases = [
            ("(a (b) \"x)\" ; )\n)", true),
            (" ; (a)\n", false),
            ("abc", false),
            ("abc ", true),
            ("abc(", false),
            ("abc(d)", true),
            ("\"a b", false),
            ("\"a b\"", true),
            ("[a {b} ", false),
            (")", true),
            ("\x01", true),
            ("", false),
        ];
        for (text, complete) in cases {
            let mut boundary = Boundary::new(Dialect::Classic, 0);
            for end in 0..text.len() {
                assert!(!boundary.reached(&text.as_bytes()[..end]), "{text:?} {end}");
            }
            assert_eq!(boundary.reached(text.as_bytes()), complete, "{text:?}");
        }
    }

    #[test]
    fn depth_costs_no_native_stack() {
        let deep = "(".repeat(1_000_000) + &")".repeat(1_000_000);
        assert!(read(&deep).is_ok());
    }
}
