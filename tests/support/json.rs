//! The part of JSON that the vector files use: strings, and arrays of strings and numbers. And whether
//! a text is JSON at all.
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

/// Whether `text` is JSON (RFC 8259), with whole numbers.
pub fn is_json(text: &str) -> bool {
    after_value(text).is_some_and(|rest| rest.trim_matches(SPACE).is_empty())
}

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// What is behind the value that a text begins with.
fn after_value(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(SPACE);
    match text.chars().next()? {
        '"' => after_string(text),
        '{' => after_items(text, '}', |item| {
            let key = after_string(item)?.trim_start_matches(SPACE);
            after_value(key.strip_prefix(':')?)
        }),
        '[' => after_items(text, ']', after_value),
        '0'..='9' => Some(text.trim_start_matches(|c: char| c.is_ascii_digit())),
        _ => {
            let words = ["true", "false", "null"];
            words.into_iter().find_map(|word| text.strip_prefix(word))
        }
    }
}

fn after_items(text: &str, end: char, item: fn(&str) -> Option<&str>) -> Option<&str> {
    let mut rest = text[1..].trim_start_matches(SPACE);
    if let Some(rest) = rest.strip_prefix(end) {
        return Some(rest);
    }
    loop {
        rest = item(rest)?.trim_start_matches(SPACE);
        if let Some(rest) = rest.strip_prefix(end) {
            return Some(rest);
        }
        rest = rest.strip_prefix(',')?.trim_start_matches(SPACE);
    }
}

fn after_string(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix('"')?;
    loop {
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return Some(rest),
            '\\' => {
                let escape = rest.bytes().next().filter(|c| b"\"\\/bfnrtu".contains(c))?;
                rest = &rest[1..];
                if escape == b'u' {
                    let digits = rest.get(..4)?;
                    digits
                        .bytes()
                        .all(|c| c.is_ascii_hexdigit())
                        .then_some(())?;
                    rest = &rest[4..];
                }
            }
            c if c < ' ' => return None,
            _ => {}
        }
    }
}
