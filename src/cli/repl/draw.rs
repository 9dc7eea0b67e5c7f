//! What a terminal is sent so that it shows a text being edited.
//!
//! Invariants:
//! - Lines are broken here, at the width of the window, so the terminal's own wrapping plays no part
//!   and the row of the cursor is always known.
//! - Never more rows than the window has: of a longer text the part around the cursor is shown.
//! - Control characters of the text are shown as signs, never sent.

use super::line::character;
use crate::wisp::text::{put, put_number};
use alloc::vec::Vec;

/// What the terminal shows of an entry.
#[derive(Default, Debug)]
pub struct View {
    /// Row of the cursor below the first row shown.
    row: usize,
    /// First row of the text that is shown.
    first: usize,
}

/// What is to be shown: `prompt` before the first line, `continuation` before the others.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'t> {
    /// ASCII.
    pub prompt: &'t [u8],
    /// ASCII.
    pub continuation: &'t [u8],
    /// The text.
    pub text: &'t [u8],
    /// The place of the cursor in it.
    pub at: usize,
}

/// Code points two columns wide: the blocks of Unicode's East Asian Width that hold wide characters
/// only, and the pictographs (UAX #11).
const WIDE: [(u32, u32); 9] = [
    (0x1100, 0x115f),
    (0x2e80, 0xa4cf),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1faff),
    (0x20000, 0x3fffd),
];
/// Code points that combine with the one before: the blocks of combining marks, joiners and
/// variation selectors.
const COMBINING: [(u32, u32); 6] = [
    (0x300, 0x36f),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
];

/// Columns of a character.
fn width(c: char) -> usize {
    let within = |table: &[(u32, u32)]| {
        let c = u32::from(c);
        table
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
    };
    match c {
        ..'\u{300}' => 1,
        _ if within(&COMBINING) => 0,
        _ if within(&WIDE) => 2,
        _ => 1,
    }
}

/// An entry as rows of a window.
#[derive(Default, Debug)]
struct Layout {
    bytes: Vec<u8>,
    /// Where each row but the first starts.
    starts: Vec<usize>,
    /// Column behind the last row.
    column: usize,
}

impl Layout {
    /// Row number `i`.
    fn row(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.starts[i - 1] };
        let end = self.starts.get(i).copied();
        &self.bytes[start..end.unwrap_or(self.bytes.len())]
    }

    /// Starts a row with an ASCII text.
    #[inline(never)]
    fn begin(&mut self, text: &[u8]) {
        self.starts.push(self.bytes.len());
        put(&mut self.bytes, &[text]);
        self.column = text.len();
    }

    fn character(&mut self, c: char, columns: usize) {
        self.column += columns;
        match c {
            '\t' => put(&mut self.bytes, &[b" "]),
            c if c.is_control() => put(&mut self.bytes, &[b"?"]),
            c => put(&mut self.bytes, &[c.encode_utf8(&mut [0; 4]).as_bytes()]),
        }
    }
}

/// The rows of an entry, and row and column of its cursor.
fn layout(entry: &Entry, columns: usize) -> (Layout, usize, usize) {
    let mut rows = Layout::default();
    put(&mut rows.bytes, &[entry.prompt]);
    rows.column = entry.prompt.len();
    let (mut at, mut cursor) = (0, None);
    while at < entry.text.len() {
        let (c, length) = character(entry.text, at);
        let wide = width(c);
        if c != '\n' && rows.column + wide > columns {
            rows.begin(b"");
        }
        if at >= entry.at && cursor.is_none() {
            cursor = Some((rows.starts.len(), rows.column));
        }
        match c {
            '\n' => rows.begin(entry.continuation),
            c => rows.character(c, wide),
        }
        at += length;
    }
    if rows.column >= columns && cursor.is_none() {
        rows.begin(b"");
    }
    let (row, column) = cursor.unwrap_or((rows.starts.len(), rows.column));
    (rows, row, column.min(columns - 1))
}

/// Appends the sequence that moves the cursor `n` places in a direction (`A` up, `B` down, `C` right).
fn travel(n: usize, direction: u8, out: &mut Vec<u8>) {
    if n > 0 {
        put(out, &[b"\x1b["]);
        put_number(out, n as u64);
        out.push(direction);
    }
}

impl View {
    /// The bytes that show the entry in a window of so many rows and columns, where it stood before.
    pub fn show(&mut self, entry: &Entry, window: (usize, usize)) -> Vec<u8> {
        let height = window.0.max(1);
        let (rows, row, column) = layout(entry, window.1.max(2));
        let count = rows.starts.len() + 1;
        self.first = self.first.min(row).min(count.saturating_sub(height));
        self.first = self.first.max((row + 1).saturating_sub(height));
        let end = count.min(self.first + height);
        let mut out = Vec::new();
        put(&mut out, &[b"\r"]);
        travel(self.row, b'A', &mut out);
        for i in self.first..end {
            let before: &[u8] = if i > self.first { b"\r\n" } else { b"" };
            put(&mut out, &[before, rows.row(i), b"\x1b[K"]);
        }
        put(&mut out, &[b"\x1b[J"]);
        self.row = row - self.first;
        travel(end - 1 - row, b'A', &mut out);
        put(&mut out, &[b"\r"]);
        travel(column, b'C', &mut out);
        out
    }

    /// The bytes that show the end of the entry; what follows is shown below it.
    pub fn leave(&mut self, entry: &Entry, window: (usize, usize)) -> Vec<u8> {
        let at = entry.text.len();
        let mut out = self.show(&Entry { at, ..*entry }, window);
        put(&mut out, &[b"\r\n"]);
        *self = View::default();
        out
    }

    /// Forgets what is shown: the cursor is at the start of an empty line.
    pub fn forget(&mut self) {
        *self = View::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, at: usize) -> Entry<'_> {
        Entry {
            prompt: b"> ",
            continuation: b". ",
            text: text.as_bytes(),
            at,
        }
    }

    fn laid(text: &str, at: usize, columns: usize) -> (String, usize, usize) {
        let (rows, row, column) = layout(&entry(text, at), columns);
        let rows = (0..=rows.starts.len()).map(|i| String::from_utf8_lossy(rows.row(i)));
        (rows.collect::<Vec<_>>().join("|"), row, column)
    }

    #[test]
    fn lines_are_broken_at_the_width() {
        let cases = [
            ("", 0, "> ", 0, 2),
            ("abc", 3, "> abc", 0, 5),
            ("abcdef", 6, "> abcdef|", 1, 0),
            ("abcdef", 3, "> abcdef", 0, 5),
            ("abcdefg", 6, "> abcdef|g", 1, 0),
            ("a\nb", 1, "> a|. b", 0, 3),
            ("a\nb", 2, "> a|. b", 1, 2),
            ("abcde漢", 8, "> abcde|漢", 1, 2),
            ("e\u{301}x", 3, "> e\u{301}x", 0, 3),
            ("\t\x07\u{9b}", 1, "> ???", 0, 3),
        ];
        for (text, at, shown, row, column) in cases {
            let shown = shown.replace("> ???", ">  ??");
            assert_eq!(laid(text, at, 8), (shown, row, column), "{text:?}");
        }
    }

    #[test]
    fn a_text_longer_than_the_window_is_shown_in_part() {
        let mut view = View::default();
        let text = "1\n2\n3\n4\n5";
        let shown = view.show(&entry(text, text.len()), (3, 10));
        assert_eq!(
            shown,
            b"\r. 3\x1b[K\r\n. 4\x1b[K\r\n. 5\x1b[K\x1b[J\r\x1b[3C"
        );
        let shown = view.show(&entry(text, 0), (3, 10));
        assert_eq!(
            shown,
            b"\r\x1b[2A> 1\x1b[K\r\n. 2\x1b[K\r\n. 3\x1b[K\x1b[J\x1b[2A\r\x1b[2C"
        );
    }
}
