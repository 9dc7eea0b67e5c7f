//! The sources in this repository, and mutations of them.
//!
//! Invariants:
//! - a piece is a whole file if it is short, else some of its lines, so that one is quickly run;
//! - what is not there yet is left out; the files that are always there are enough to start from.

use crate::generate;
use crate::random::Random;
use crate::support::{json, vectors};
use std::fs;
use std::path::Path;

/// Lines of a longer file that are run at a time.
const LINES: usize = 40;
/// Bytes of a source after its mutations.
const LONGEST: usize = 20_000;

/// The sources.
pub struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    /// Reads the repository.
    pub fn new() -> Corpus {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        for dir in ["lib", "lib/tests", "seeds", "src/wisp"] {
            found.extend(files(&root.join(dir), &["wisp", "lisp"]));
        }
        for table in ["06-forms.tsv", "06-library.tsv"] {
            let rows = vectors::fields(table);
            let input = |row: &Vec<String>| json::whole(&row[2]).text().as_bytes().to_vec();
            found.extend(rows.iter().map(input));
        }
        for dir in ["docs", "docs/spec", ""] {
            let pages = files(&root.join(dir), &["md"]);
            found.extend(pages.iter().flat_map(|page| blocks(page)));
        }
        found.push(generate::PRELUDE.as_bytes().to_vec());
        assert!(found.len() > 150, "{} sources found", found.len());
        Corpus(found)
    }

    /// A piece of a source, mostly changed here and there.
    pub fn mutation(&self, r: &mut Random) -> Vec<u8> {
        let mut text = self.piece(r);
        for _ in 0..r.below(6) {
            self.mutate(r, &mut text);
        }
        text.truncate(LONGEST);
        text
    }

    fn piece(&self, r: &mut Random) -> Vec<u8> {
        // Half of the time any source, half of the time one of the first, which are whole files.
        let text = r.pick(&self.0);
        let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
        if lines.len() <= LINES {
            return text.clone();
        }
        let first = r.below(lines.len() - LINES + 1);
        lines[first..first + 1 + r.below(LINES)].concat()
    }

    fn mutate(&self, r: &mut Random, text: &mut Vec<u8>) {
        let at = r.place(text.len());
        match r.below(12) {
            0 if at < text.len() => text[at] ^= 1 << r.below(8),
            1 => text.insert(at, *r.pick(b"()[]{}\";@ \n01a")),
            2 if at < text.len() => drop(text.remove(at)),
            3 => delete(text, line_at(r, text)),
            4 => delete(text, form_at(r, text)),
            5 => {
                let (from, to) = form_at(r, text);
                let copy = text[from..to].to_vec();
                insert(text, at, &copy);
            }
            6 => {
                let (from, to) = line_at(r, text);
                let copy = text[from..to].to_vec();
                insert(text, to, &copy);
            }
            7 => swap(r, text),
            8 => {
                let other = self.piece(r);
                let (from, to) = form_at(r, &other);
                let (a, b) = form_at(r, text);
                text.splice(a..b, other[from..to].iter().copied());
            }
            9 => {
                let other = self.piece(r);
                text.truncate(at);
                text.extend_from_slice(&other[r.place(other.len())..]);
            }
            10 => number(r, text),
            _ => word(r, text),
        }
    }
}

/// The files of a directory with one of these suffixes, in the order of their names.
fn files(dir: &Path, suffixes: &[&str]) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let wanted = |path: &Path| {
        let suffix = path.extension().and_then(|s| s.to_str());
        suffix.is_some_and(|s| suffixes.contains(&s))
    };
    paths.retain(|path| wanted(path) && path.is_file());
    let read = |path| fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    paths.iter().map(read).collect()
}

/// The code blocks of a page.
fn blocks(page: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(page);
    let parts = text.split("\n```").skip(1).step_by(2);
    let body = |part: &str| {
        part.split_once('\n')
            .map(|(_, body)| body.as_bytes().to_vec())
    };
    parts.filter_map(body).collect()
}

fn delete(text: &mut Vec<u8>, (from, to): (usize, usize)) {
    text.drain(from..to);
}

fn insert(text: &mut Vec<u8>, at: usize, what: &[u8]) {
    let at = at.min(text.len());
    text.splice(at..at, what.iter().copied());
}

/// Where a line is, its line feed included.
fn line_at(r: &mut Random, text: &[u8]) -> (usize, usize) {
    let at = r.place(text.len());
    let from = text[..at]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |i| i + 1);
    let rest = text[at..].iter().position(|b| *b == b'\n');
    (from, rest.map_or(text.len(), |i| at + i + 1))
}

/// Where a form is, about: from some opening bracket to the one that closes it.
fn form_at(r: &mut Random, text: &[u8]) -> (usize, usize) {
    let at = r.place(text.len());
    let Some(from) = text[at..].iter().position(|b| b"([{".contains(b)) else {
        return (at, at);
    };
    let (from, mut depth) = (at + from, 0);
    for (i, byte) in text.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (from, i + 1);
        }
    }
    (from, text.len())
}

/// Exchanges two forms that do not overlap.
fn swap(r: &mut Random, text: &mut Vec<u8>) {
    let (a, b) = (form_at(r, text), form_at(r, text));
    let (a, b) = if a.0 < b.0 { (a, b) } else { (b, a) };
    if a.1 > b.0 {
        return;
    }
    let between = &text[a.1..b.0];
    let swapped = [&text[b.0..b.1], between, &text[a.0..a.1]].concat();
    text.splice(a.0..b.1, swapped);
}

/// Where the run of bytes is that satisfies a test, at or behind a random place.
fn run_at(r: &mut Random, text: &[u8], test: impl Fn(&u8) -> bool) -> (usize, usize) {
    let at = r.place(text.len());
    let from = text[at..]
        .iter()
        .position(&test)
        .map_or(text.len(), |i| at + i);
    let rest = text[from..].iter().position(|b| !test(b));
    (from, rest.map_or(text.len(), |i| from + i))
}

/// Changes a number.
fn number(r: &mut Random, text: &mut Vec<u8>) {
    let (from, to) = run_at(r, text, u8::is_ascii_digit);
    let new = match r.below(5) {
        0 => r.word().to_string(),
        1 => "9".repeat(1 + r.below(400)),
        2 => String::from("0"),
        _ => r.below(30).to_string(),
    };
    text.splice(from..to, new.bytes());
}

/// Puts a word of one place to another.
fn word(r: &mut Random, text: &mut Vec<u8>) {
    let (from, to) = run_at(r, text, u8::is_ascii_alphanumeric);
    let copy = text[from..to].to_vec();
    let (from, to) = run_at(r, text, u8::is_ascii_alphanumeric);
    text.splice(from..to, copy);
}
