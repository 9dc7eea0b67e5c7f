//! The value notation of chapter 02, section 0: reading it, and writing it as console text, as an
//! expression of a law body, and as the console prints it.
//!
//! Invariants:
//! - nothing is evaluated here: `(h a b)` becomes application cells, `!k` a cell that throws;
//! - the printer is written from chapter 04, section 5, for values in normal form and an
//!   unlimited `pdepth`, so what a row must print does not depend on the program under test.

use num_bigint::BigUint;
use num_traits::Num;

/// A value, or an application that throws, as the vector files write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    Nat(BigUint),
    Pin(Box<Term>),
    Law(Box<[Term; 3]>),
    /// Head and elements; at least one element.
    App(Vec<Term>),
    /// `!k`: `(<100+k> k)`, never evaluated before something needs it.
    Throw(u32),
}

/// Reads all terms of a line.
pub fn parse_all(text: &str) -> Vec<Term> {
    let mut rest = text.trim_start();
    let mut terms = Vec::new();
    while !rest.is_empty() {
        let (term, after) = parse(rest);
        terms.push(term);
        rest = after.trim_start();
    }
    terms
}

/// Reads the one term that is the whole of `text`.
pub fn parse_one(text: &str) -> Term {
    let mut terms = parse_all(text);
    assert_eq!(terms.len(), 1, "one value expected: {text}");
    terms.remove(0)
}

fn parse(text: &str) -> (Term, &str) {
    let first = text
        .chars()
        .next()
        .unwrap_or_else(|| panic!("value expected"));
    match first {
        '(' => {
            let (items, rest) = parse_until(&text[1..], ')');
            assert!(items.len() > 1, "an app has an element: {text}");
            (Term::App(items), rest)
        }
        '<' => {
            let (mut items, rest) = parse_until(&text[1..], '>');
            assert_eq!(items.len(), 1, "a pin has one item: {text}");
            (Term::Pin(Box::new(items.remove(0))), rest)
        }
        '{' => {
            let (items, rest) = parse_until(&text[1..], '}');
            let parts = items
                .try_into()
                .unwrap_or_else(|_| panic!("law parts: {text}"));
            (Term::Law(Box::new(parts)), rest)
        }
        '!' => {
            let (digits, rest) = word(&text[1..]);
            (
                Term::Throw(digits.parse().unwrap_or_else(|e| panic!("{text}: {e}"))),
                rest,
            )
        }
        '"' => {
            let end = text[1..]
                .find('"')
                .unwrap_or_else(|| panic!("open string: {text}"));
            let bytes = &text.as_bytes()[1..=end];
            (Term::Nat(BigUint::from_bytes_le(bytes)), &text[end + 2..])
        }
        _ => {
            let (digits, rest) = word(text);
            (Term::Nat(number(digits)), rest)
        }
    }
}

fn parse_until(text: &str, close: char) -> (Vec<Term>, &str) {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix(close) {
            return (items, after);
        }
        let (item, after) = parse(rest);
        items.push(item);
        rest = after.trim_start();
    }
}

fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    assert!(end > 0, "value expected: {text}");
    text.split_at(end)
}

/// A decimal or `0x` number.
pub fn number(text: &str) -> BigUint {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => BigUint::from_str_radix(hex, 16),
        None => BigUint::from_str_radix(text, 10),
    };
    parsed.unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The nat of an ASCII name, first byte least significant.
pub fn name(text: &str) -> BigUint {
    BigUint::from_bytes_le(text.as_bytes())
}

impl Term {
    pub fn nat(n: u64) -> Term {
        Term::Nat(BigUint::from(n))
    }

    /// True if a `!k` occurs anywhere inside.
    pub fn throws(&self) -> bool {
        match self {
            Term::Nat(_) => false,
            Term::Pin(item) => item.throws(),
            Term::Law(parts) => parts.iter().any(Term::throws),
            Term::App(items) => items.iter().any(Term::throws),
            Term::Throw(_) => true,
        }
    }

    /// Console text that pushes the value; apps and `!k` are pushed as unevaluated cells.
    pub fn console(&self) -> String {
        match self {
            Term::Nat(n) => format!("{n}"),
            Term::Pin(item) => format!("({} P)", item.console()),
            Term::Law(parts) => {
                let [name, arity, body] = &**parts;
                format!(
                    "({} {} {} L)",
                    body.console(),
                    arity.console(),
                    name.console()
                )
            }
            Term::App(items) => apply(&items[0].console(), &items[1..]),
            Term::Throw(k) => format!("({}P {k} A)", 100 + k),
        }
    }

    /// As `console`, with an app at the top evaluated to a closure first.
    pub fn console_evaluated(&self) -> String {
        match self {
            Term::App(_) => format!("{} E", self.console()),
            _ => self.console(),
        }
    }

    /// Console text that pushes a law-body expression which denotes the value and builds every
    /// app and every `!k` anew at each call.
    pub fn body(&self) -> String {
        match self {
            Term::Nat(n) => format!("(0 {n} A)"),
            Term::Pin(_) | Term::Law(_) => {
                assert!(!self.throws(), "a constant cannot throw: {self:?}");
                self.console()
            }
            Term::App(items) => call_expression(&items[0].body(), &bodies(&items[1..])),
            Term::Throw(k) => format!("(0 ({}P) A (0 {k} A) A)", 100 + k),
        }
    }

    /// The text of the value in normal form, at an unlimited `pdepth`, `cords` and `bitsz` off.
    pub fn printed(&self) -> String {
        self.show(1)
    }

    fn show(&self, depth: usize) -> String {
        match self {
            Term::Nat(n) => nat_text(n),
            Term::Pin(item) => match law_name_text(item) {
                Some(name) => name,
                None => format!("#{}", item.show(depth + 1)),
            },
            Term::Law(parts) => {
                let [name, arity, body] = &**parts;
                let name = match (text_of(name), name) {
                    (Some(text), _) if text.bytes().all(is_word_byte) => format!("%{text}"),
                    (Some(text), _) => format!("\"{text}\""),
                    (None, name) => name.show(depth + 1),
                };
                let body = match depth {
                    1 | 2 => format!("=>{}", body.show(depth + 1)),
                    _ => String::new(),
                };
                format!("{name}({}){body}", arity.show(depth + 1))
            }
            Term::App(items) => {
                let head = match &items[0] {
                    Term::Nat(n) if *n == BigUint::ZERO => String::new(),
                    head => head.show(depth + 1),
                };
                let elements: Vec<String> =
                    items[1..].iter().map(|item| item.show(depth + 1)).collect();
                format!("{head}[{}]", elements.join(" "))
            }
            Term::Throw(k) => panic!("!{k} has no text"),
        }
    }
}

/// `f` applied to the arguments, as cells.
pub fn apply(function: &str, args: &[Term]) -> String {
    let parts: Vec<String> = args.iter().map(Term::console).collect();
    apply_texts(function, &parts)
}

/// `f` applied to console texts, as cells.
pub fn apply_texts(function: &str, args: &[String]) -> String {
    args.iter()
        .fold(function.to_string(), |f, x| format!("({f} {x} A)"))
}

/// The body expressions of several terms.
pub fn bodies(terms: &[Term]) -> Vec<String> {
    terms.iter().map(Term::body).collect()
}

/// The body expression `((f x1) …) xk` of expressions.
pub fn call_expression(function: &str, args: &[String]) -> String {
    args.iter()
        .fold(function.to_string(), |f, x| format!("(0 {f} A {x} A)"))
}

fn nat_text(n: &BigUint) -> String {
    if n.bits() < 64 {
        format!("{n}")
    } else {
        format!("{n:#x}")
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The bytes of a nat that is text (chapter 04, 5.3).
fn text_of(term: &Term) -> Option<String> {
    let Term::Nat(n) = term else { return None };
    let bytes = n.to_bytes_le();
    let printable = bytes
        .iter()
        .all(|b| (0x20..=0x7e).contains(b) || *b == b'\n');
    (bytes.len() >= 2 && printable).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn law_name_text(item: &Term) -> Option<String> {
    match item {
        Term::Law(parts) => text_of(&parts[0]),
        _ => None,
    }
}

/// Rewrites every hexadecimal number of a printed line in the form `printed` uses: a buffer of
/// fewer than 8 bytes may print in hexadecimal (chapter 04, C3).
pub fn normal_numbers(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("0x") {
        out.push_str(&rest[..at]);
        let digits = &rest[at + 2..];
        let end = digits
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(digits.len());
        out.push_str(&nat_text(&number(&rest[at..at + 2 + end])));
        rest = &digits[end..];
    }
    out + rest
}
