//! The text being typed and the place in it: movement, deletion, the text cut last.
//!
//! Invariants:
//! - The place is at a character boundary, or anywhere in bytes that are not UTF-8: each of those is
//!   a character of its own.
//! - Line ends are part of the text, so a form of many lines is edited as one.

use crate::wisp::read::is_symbol;
use alloc::vec::Vec;
use core::ops::Range;

/// A text, a place in it and the text cut last.
#[derive(Default, Debug)]
pub struct Line {
    text: Vec<u8>,
    at: usize,
    cut: Vec<u8>,
}

/// The character at an offset with its length in bytes; a byte that starts none is U+FFFD.
#[inline(never)]
pub fn character(text: &[u8], at: usize) -> (char, usize) {
    let rest = &text[at..text.len().min(at + 4)];
    let valid = rest.utf8_chunks().next().map(|chunk| chunk.valid());
    match valid.and_then(|valid| valid.chars().next()) {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

impl Line {
    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The place, from 0 to the length of the text.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Replaces the text; the place is its end.
    #[inline(never)]
    pub fn set(&mut self, text: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(text);
        self.at = text.len();
    }

    /// Takes the text and leaves none.
    pub fn take(&mut self) -> Vec<u8> {
        self.at = 0;
        core::mem::take(&mut self.text)
    }

    /// Moves to an offset, which must be that of a character.
    pub fn go(&mut self, at: usize) {
        self.at = at;
    }

    /// Inserts bytes at the place, which moves behind them.
    #[inline(never)]
    pub fn insert(&mut self, bytes: &[u8]) {
        let (at, behind) = (self.at, self.text.len());
        self.text.extend_from_slice(bytes);
        self.at += bytes.len();
        self.text.copy_within(at..behind, self.at);
        self.text[at..self.at].copy_from_slice(bytes);
    }

    /// Deletes these bytes; the place moves to where they were.
    #[inline(never)]
    pub fn delete(&mut self, range: Range<usize>) {
        self.at = range.start;
        self.text.copy_within(range.end.., range.start);
        self.text.truncate(self.text.len() - range.len());
    }

    /// Cuts these bytes; nothing happens to the text cut last if there are none.
    pub fn cut(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.cut = self.text[range.clone()].to_vec();
            self.delete(range);
        }
    }

    /// Inserts the text cut last.
    pub fn paste(&mut self) {
        let cut = core::mem::take(&mut self.cut);
        self.insert(&cut);
        self.cut = cut;
    }

    /// Offset of the character before an offset.
    #[inline(never)]
    pub fn before(&self, at: usize) -> usize {
        let first = at.saturating_sub(4);
        let mut starts = first..at;
        let start = starts.find(|start| start + character(&self.text, *start).1 == at);
        start.unwrap_or(at.saturating_sub(1))
    }

    /// Offset behind the character at an offset.
    #[inline(never)]
    pub fn after(&self, at: usize) -> usize {
        if at < self.text.len() {
            at + character(&self.text, at).1
        } else {
            at
        }
    }

    /// Offset of the start of the line that holds an offset.
    #[inline(never)]
    pub fn line_start(&self, at: usize) -> usize {
        let end = self.text[..at].iter().rposition(|b| *b == b'\n');
        end.map_or(0, |end| end + 1)
    }

    /// Offset of the end of the line that holds an offset.
    #[inline(never)]
    pub fn line_end(&self, at: usize) -> usize {
        let length = self.text[at..].iter().position(|b| *b == b'\n');
        length.map_or(self.text.len(), |length| at + length)
    }

    /// Offset of the start of the word before the place: of symbol bytes, or of anything but blanks.
    pub fn word_before(&self, symbols: bool) -> usize {
        let is_word = word_test(symbols);
        let mut at = self.at;
        while at > 0 && !is_word(self.text[at - 1]) {
            at -= 1;
        }
        while at > 0 && is_word(self.text[at - 1]) {
            at -= 1;
        }
        at
    }

    /// Offset of the end of the word behind the place, of symbol bytes.
    pub fn word_after(&self) -> usize {
        let is_word = word_test(true);
        let mut at = self.at;
        while at < self.text.len() && !is_word(self.text[at]) {
            at += 1;
        }
        while at < self.text.len() && is_word(self.text[at]) {
            at += 1;
        }
        at
    }

    /// Moves to the same column of the line before or behind; false if there is none.
    pub fn vertical(&mut self, up: bool) -> bool {
        let (start, end) = (self.line_start(self.at), self.line_end(self.at));
        let target = match up {
            true if start > 0 => self.line_start(start - 1),
            false if end < self.text.len() => end + 1,
            _ => return false,
        };
        let mut columns = self.characters(start..self.at);
        let (mut at, end) = (target, self.line_end(target));
        while columns > 0 && at < end {
            at = self.after(at);
            columns -= 1;
        }
        self.at = at;
        true
    }

    fn characters(&self, range: Range<usize>) -> usize {
        let (mut at, mut count) = (range.start, 0);
        while at < range.end {
            at = self.after(at);
            count += 1;
        }
        count
    }

    /// Exchanges the characters before and at the place, or the last two of a line.
    pub fn transpose(&mut self) {
        let middle = match self.line_end(self.at) {
            end if end == self.at => self.before(self.at),
            _ => self.at,
        };
        let (start, end) = (self.before(middle), self.after(middle));
        if middle > self.line_start(self.at) && end > middle {
            let first = self.text[start..middle].to_vec();
            self.delete(start..middle);
            self.at = end - first.len();
            self.insert(&first);
        }
    }
}

/// Whether a byte belongs to a word.
fn word_test(symbols: bool) -> fn(u8) -> bool {
    if symbols {
        is_symbol
    } else {
        |byte| !byte.is_ascii_whitespace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, at: usize) -> Line {
        let mut line = Line::default();
        line.set(text.as_bytes());
        line.go(at);
        line
    }

    fn shown(line: &Line) -> (String, usize) {
        (String::from_utf8_lossy(&line.text).into_owned(), line.at)
    }

    #[test]
    fn characters_are_whole() {
        let text = "aé𝄞".as_bytes();
        assert_eq!(character(text, 1), ('é', 2));
        assert_eq!(character(text, 3), ('𝄞', 4));
        assert_eq!(character(b"\xff\x80", 0), ('\u{fffd}', 1));
        assert_eq!(character(b"\xf0\x9d", 0), ('\u{fffd}', 1));
        let line = line("aé𝄞", 7);
        assert_eq!((line.before(7), line.before(3), line.before(1)), (3, 1, 0));
        assert_eq!((line.before(0), line.after(1), line.after(7)), (0, 3, 7));
        let mut broken = Line::default();
        broken.set(b"a\xc3\xff");
        assert_eq!((broken.before(3), broken.before(2)), (2, 1));
    }

    #[test]
    fn words_lines_and_cuts() {
        let mut l = line("(foo-bar baz) x\nyz", 12);
        assert_eq!((l.word_before(true), l.word_before(false)), (9, 9));
        assert_eq!((l.line_start(17), l.line_end(3)), (16, 15));
        l.go(8);
        assert_eq!((l.word_before(true), l.word_before(false)), (1, 0));
        assert_eq!(l.word_after(), 12);
        l.cut(0..8);
        l.cut(3..3);
        assert_eq!(shown(&l), (" baz) x\nyz".to_string(), 0));
        l.go(10);
        l.paste();
        assert_eq!(shown(&l), (" baz) x\nyz(foo-bar".to_string(), 18));
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut l = line("äbc\nd\nefgh", 4);
        assert!(!l.vertical(true));
        assert!(l.vertical(false) && l.at() == 6);
        assert!(l.vertical(false) && l.at() == 8);
        assert!(!l.vertical(false));
        l.go(11);
        assert!(l.vertical(true) && l.at() == 6);
    }

    #[test]
    fn two_characters_change_places() {
        for (text, at, after) in [("aéb", 3, "abé"), ("aéb", 4, "abé"), ("aéb", 1, "éab")] {
            let mut l = line(text, at);
            l.transpose();
            assert_eq!(shown(&l).0, after, "{text} at {at}");
        }
        for (text, at) in [("a", 1), ("ab", 0), ("", 0)] {
            let mut l = line(text, at);
            l.transpose();
            assert_eq!(shown(&l), (text.to_string(), at));
        }
    }
}
