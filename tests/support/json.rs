//! The part of JSON that the vector files use: strings, and arrays of strings and numbers.
//!
//! Invariants:
//! - `\u` escapes denote one code point each (the files hold no surrogate pairs);
//! - a malformed text is a panic with the text: the files are part of the tests.

/// A value of a vector file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Text(String),
    Number(u64),
    List(Vec<Json>),
}

impl Json {
    pub fn text(&self) -> &str {
        match self {
            Json::Text(s) => s,
            other => panic!("not a string: {other:?}"),
        }
    }

    pub fn number(&self) -> u64 {
        match self {
            Json::Number(n) => *n,
            other => panic!("not a number: {other:?}"),
        }
    }

    pub fn list(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            other => panic!("not an array: {other:?}"),
        }
    }
}

/// Reads one value from the start of `text`; the rest comes back.
pub fn parse(text: &str) -> (Json, &str) {
    let text = text.trim_start();
    match text.chars().next() {
        Some('"') => parse_text(text),
        Some('[') => parse_list(text),
        _ => {
            let end = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            let number = text[..end]
                .parse()
                .unwrap_or_else(|e| panic!("{text}: {e}"));
            (Json::Number(number), &text[end..])
        }
    }
}

/// Reads a value that is the whole of `text`.
pub fn whole(text: &str) -> Json {
    let (value, rest) = parse(text);
    assert!(rest.trim().is_empty(), "text behind a value: {text}");
    value
}

fn parse_list(text: &str) -> (Json, &str) {
    let mut items = Vec::new();
    let mut rest = text[1..].trim_start();
    while !rest.starts_with(']') {
        let (item, after) = parse(rest);
        items.push(item);
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    (Json::List(items), &rest[1..])
}

fn parse_text(text: &str) -> (Json, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (Json::Text(out), &text[at + 1..]),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    let code = u32::from_str_radix(&digits, 16)
                        .ok()
                        .and_then(char::from_u32);
                    out.push(code.unwrap_or_else(|| panic!("bad escape in {text}")));
                }
                Some(other) => out.push(other),
                None => break,
            },
            other => out.push(other),
        }
    }
    panic!("unterminated string: {text}")
}
