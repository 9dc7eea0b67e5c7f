//! What a word may become: names, commands, modules, files.
//!
//! Invariants:
//! - Candidates start with the word as far as it is typed.

use super::words::Words;
use crate::os::file;
use crate::value::Value;
use crate::wisp::names;
use crate::wisp::read::is_symbol;
use crate::wisp::text::join;
use core::ops::Range;

/// What is wanted at a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A command of the prompt.
    Command,
    /// A module to require.
    Module,
    /// A file.
    File,
    /// A name.
    Name,
}

/// What is wanted before an offset, and the bytes of the word there.
pub fn wanted(text: &[u8], at: usize) -> (Wanted, Range<usize>) {
    let before = &text[..at];
    let is_command = before.starts_with(b":");
    let start_of = |part: fn(u8) -> bool| {
        let end = before.iter().rposition(|b| !part(*b));
        end.map_or(0, |end| end + 1)
    };
    let word = start_of(|b| !b.is_ascii_whitespace());
    if is_command && word == 0 {
        return (Wanted::Command, 0..at);
    }
    if before.starts_with(b":load ") {
        return (Wanted::File, word..at);
    }
    if is_command && before.starts_with(b":help ") && before[word..].starts_with(b":") {
        return (Wanted::Command, word..at);
    }
    let name = start_of(is_symbol);
    let form = before[..name]
        .strip_suffix(b"\"")
        .map(<[u8]>::trim_ascii_end);
    if form.is_some_and(|form| form.ends_with(b"(require")) {
        return (Wanted::Module, name..at);
    }
    (Wanted::Name, name..at)
}

/// Adds a candidate if it starts with the word.
pub fn offer(word: &[u8], candidate: &[u8], words: &mut Words) {
    if candidate.starts_with(word) {
        words.push(candidate);
    }
}

/// The symbols of a text that start with the one at a range, itself aside: names of locals that
/// are being typed.
pub fn symbols(text: &[u8], at: Range<usize>, words: &mut Words) {
    let mut start = 0;
    while start < text.len() {
        let mut end = start;
        while end < text.len() && is_symbol(text[end]) {
            end += 1;
        }
        if end > start && start != at.start {
            offer(&text[at.clone()], &text[start..end], words);
        }
        start = end + 1;
    }
}

/// The names of an environment that start with this word.
pub fn bound(word: &[u8], env: Value, words: &mut Words) {
    names(env, &mut |name| offer(word, name, words));
}

/// The paths of files that start with this one.
pub fn files(path: &[u8], words: &mut Words) {
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    let (dir, start) = path.split_at(end);
    list(dir, |name| {
        if !name.starts_with(b".") || start.starts_with(b".") {
            offer(path, &join(&[dir, name]), words);
        }
    });
}

/// The modules among the files of a directory that start with this word.
pub fn modules(word: &[u8], dir: &[u8], words: &mut Words) {
    list(dir, |name| {
        for suffix in [b".wisp", b".lisp"] {
            if let Some(stem) = name.strip_suffix(suffix) {
                offer(word, stem, words);
            }
        }
    });
}

/// Visits the names in a directory.
fn list(dir: &[u8], mut visit: impl FnMut(&[u8])) {
    let dir = if dir.is_empty() { b"." } else { dir };
    // A directory that cannot be read has nothing to offer.
    let _ = file::list_directory(dir, &mut visit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_is_wanted() {
        let cases = [
            (":lo", Wanted::Command, ":lo"),
            (":load src/a", Wanted::File, "src/a"),
            (":type (lm", Wanted::Name, "lm"),
            (":help :l", Wanted::Command, ":l"),
            ("(require \"st", Wanted::Module, "st"),
            ("(require \"a\")\n(require  \"", Wanted::Module, ""),
            ("(f \"st", Wanted::Name, "st"),
            ("(f foo-b", Wanted::Name, "foo-b"),
            ("", Wanted::Name, ""),
        ];
        for (text, expected, word) in cases {
            let (found, range) = wanted(text.as_bytes(), text.len());
            assert_eq!((found, &text[range]), (expected, word), "{text}");
        }
    }

    fn found(look: impl FnOnce(&mut Words)) -> Vec<String> {
        let mut words = Words::default();
        look(&mut words);
        let text = |word: &&[u8]| String::from_utf8_lossy(word).into_owned();
        words.all().iter().map(text).collect()
    }

    #[test]
    fn symbols_of_the_text_are_candidates() {
        let text = b"(law (f count) (co";
        assert_eq!(found(|words| symbols(text, 16..18, words)), ["count"]);
        assert_eq!(found(|words| symbols(text, 0..0, words)).len(), 4);
    }

    #[test]
    fn files_come_with_their_directory() {
        // Tests run in the directory of their package, beside the sources.
        let path = |path: &str| found(|words| files(path.as_bytes(), words));
        assert_eq!(
            path("../../src/cli/repl/compl"),
            ["../../src/cli/repl/complete.rs"]
        );
        assert_eq!(path("../../src/cl"), ["../../src/cli/"]);
        assert!(path("no such/").is_empty());
        assert!(!path("").iter().any(|name| name.starts_with('.')));
        assert_eq!(
            found(|words| modules(b"b", b"../../src/wisp", words)),
            ["builtin"]
        );
    }
}
