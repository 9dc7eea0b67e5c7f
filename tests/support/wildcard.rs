//! The wildcard comparison of chapter 04, 9.2, and a plain glob for one-line messages.
//!
//! Invariants:
//! - text inside double quotes is never taken for a cell group;
//! - step 1 replaces done cells on both sides, step 2 lets a remaining group of the expected line
//!   match one value text and nothing else.

/// Marks that may stand before the opening parenthesis of a cell group, or behind it.
const MARKS: [&str; 4] = ["_", "V.", "H.", "HEAD "];

/// Compares whole outputs line by line with the wildcard rule.
pub fn outputs_match(expected: &str, got: &str) -> bool {
    let expected: Vec<&str> = expected.split('\n').collect();
    let got: Vec<&str> = got.split('\n').collect();
    expected.len() == got.len() && expected.iter().zip(&got).all(|(e, g)| lines_match(e, g))
}

/// Compares two lines with the wildcard rule.
pub fn lines_match(expected: &str, got: &str) -> bool {
    let expected = drop_done_cells(expected);
    let got = drop_done_cells(got);
    match_from(expected.as_bytes(), got.as_bytes())
}

/// Step 1: every group with one value and no mark, except `(..)`, becomes that value.
pub fn drop_done_cells(line: &str) -> String {
    let mut line = line.to_string();
    while let Some((start, end)) = find_done_cell(line.as_bytes()) {
        line = format!(
            "{}{}{}",
            &line[..start],
            &line[start + 1..end - 1],
            &line[end..]
        );
    }
    line
}

fn find_done_cell(line: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    while at < line.len() {
        if line[at] == b'"' {
            at = skip_text(line, at);
            continue;
        }
        if line[at] == b'(' && opens_group(line, at) {
            let end = skip_group(line, at);
            let inside = &line[at + 1..end.saturating_sub(1).max(at + 1)];
            let marked = MARKS.iter().any(|m| inside.starts_with(m.as_bytes()));
            if !marked && inside != b".." && value_end(inside, 0) == Some(inside.len()) {
                return Some((at, end));
            }
        }
        at += 1;
    }
    None
}

/// True if the parenthesis at `at` opens a cell group rather than a law's arity.
fn opens_group(line: &[u8], at: usize) -> bool {
    let before = &line[..at];
    match before.last() {
        None => true,
        Some(b' ' | b'[' | b'{' | b'(') => true,
        Some(_) => MARKS.iter().any(|mark| {
            before.ends_with(mark.as_bytes())
                && before[..before.len() - mark.len()]
                    .last()
                    .is_some_and(|b| *b == b'(')
        }),
    }
}

/// The position behind the quoted text that starts at `at`.
fn skip_text(line: &[u8], at: usize) -> usize {
    match line[at + 1..].iter().position(|b| *b == b'"') {
        Some(length) => at + length + 2,
        None => line.len(),
    }
}

/// The position behind the bracket that matches the one at `at`.
fn skip_group(line: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut i = at;
    while i < line.len() {
        match line[i] {
            b'"' => {
                i = skip_text(line, i);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => {}
        }
        i += 1;
    }
    line.len()
}

/// The end of the one value text that starts at `at`, if there is one.
fn value_end(line: &[u8], at: usize) -> Option<usize> {
    let mut i = at;
    while i < line.len() {
        match line[i] {
            b'"' => i = skip_text(line, i),
            b'(' | b'[' | b'{' => i = skip_group(line, i),
            b' ' | b')' | b']' | b'}' => break,
            _ => i += 1,
        }
    }
    (i > at).then_some(i)
}

/// Step 2: equal text, where a group of the expected line stands for any one value.
fn match_from(expected: &[u8], got: &[u8]) -> bool {
    let (mut e, mut g) = (0, 0);
    while e < expected.len() {
        if expected[e] == b'(' && opens_group(expected, e) {
            let Some(end) = value_end(got, g) else {
                return false;
            };
            e = skip_group(expected, e);
            g = end;
        } else if expected[e] == b'"' {
            let end = skip_text(expected, e);
            if !got[g..].starts_with(&expected[e..end]) {
                return false;
            }
            g += end - e;
            e = end;
        } else {
            if got.get(g) != Some(&expected[e]) {
                return false;
            }
            e += 1;
            g += 1;
        }
    }
    g == got.len()
}

/// `*` in the pattern stands for any text without a line feed.
pub fn glob(pattern: &str, text: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let Some(mut rest) = text.strip_prefix(parts[0]) else {
        return false;
    };
    if parts.len() == 1 {
        return rest.is_empty();
    }
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else {
            return false;
        };
        if rest[..at].contains('\n') {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    let last = parts[parts.len() - 1];
    rest.strip_suffix(last)
        .is_some_and(|gap| !gap.contains('\n'))
}
