//! Where the top-level forms of a Wisp text begin and end: as much of a reader as that needs.
//!
//! Invariants:
//! - the text is well-formed; what is wrong with it otherwise is for the real reader to say.

/// The range of bytes of each top-level form.
pub fn ranges(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = skip_gaps(bytes, at) {
        at = end_of_form(bytes, start);
        found.push((start, at));
    }
    found
}

/// The start of the next form at or behind a position.
fn skip_gaps(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b';' => at = end_of_line(bytes, at),
            b' ' | b'\n' | b'\t' => at += 1,
            _ => return Some(at),
        }
    }
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes[at..].iter().position(|byte| *byte == b'\n');
    rest.map_or(bytes.len(), |length| at + length)
}

fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let rest = bytes[at + 1..].iter().position(|byte| *byte == b'"');
    rest.map_or(bytes.len(), |length| at + length + 2)
}

/// The end of the form that starts at a position; a bracket that touches a token belongs to it.
fn end_of_form(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' if depth == 0 && at > start => return at,
            b'"' => at = end_of_string(bytes, at),
            b';' if depth == 0 => return at,
            b';' => at = end_of_line(bytes, at),
            b'(' | b'[' | b'{' => (at, depth) = (at + 1, depth + 1),
            b')' | b']' | b'}' => (at, depth) = (at + 1, depth - 1),
            b' ' | b'\n' | b'\t' if depth == 0 => return at,
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// The elements of a list form, without its parentheses.
pub fn elements(form: &str) -> Vec<&str> {
    let inside = form
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let inside = inside.unwrap_or_default();
    let ranges = ranges(inside).into_iter();
    ranges.map(|(from, to)| &inside[from..to]).collect()
}

pub fn self_test() {
    let text = "; a (\n(f \")\" ; )\n [x]) abc{y} 12 \"s\"'(q)\n";
    let forms: Vec<&str> = ranges(text).iter().map(|(a, b)| &text[*a..*b]).collect();
    assert_eq!(
        forms,
        ["(f \")\" ; )\n [x])", "abc{y}", "12", "\"s\"", "'(q)"]
    );
    assert_eq!(
        elements("(f (g x) \"a b\" y)"),
        ["f", "(g x)", "\"a b\"", "y"]
    );
}
