//! The editor: what each key does to the text, the history, a search in it.
//!
//! Invariants:
//! - Pure: keys in, [`Action`]s out; the terminal, the names to complete and the history file belong to
//!   the caller.
//! - Inside a paste every byte is text, line ends and tabs included.

use super::keys::Key;
use super::line::Line;
use super::words::Words;
use crate::wisp::text::put;
use alloc::vec::Vec;

/// What the caller is to do after a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Show the text again.
    Show,
    /// The entry may be complete: take it, or insert a line end.
    Submit,
    /// Complete the word before the place; true if the key before was this one too.
    Complete(bool),
    /// Drop the entry.
    Cancel,
    /// End of input.
    End,
    /// Stop the process until it is continued.
    Suspend,
    /// Empty the screen.
    Clear,
}

/// A search backwards in the history.
#[derive(Default, Debug)]
struct Search {
    wanted: Vec<u8>,
    /// The text before the search.
    before: Vec<u8>,
    /// Entries from here on have been looked at.
    from: usize,
    failed: bool,
}

/// A text being typed and those typed before.
#[derive(Default, Debug)]
pub struct Editor {
    /// The text and the place in it.
    pub line: Line,
    /// Earlier entries, oldest first.
    pub history: Words,
    /// The entry shown; the length of the history for the text that is new.
    shown: usize,
    /// The new text while an entry is shown.
    fresh: Vec<u8>,
    search: Option<Search>,
    pasting: bool,
    completing: bool,
}

impl Editor {
    /// Starts a new entry.
    pub fn begin(&mut self) {
        self.line.take();
        self.shown = self.history.len();
        self.fresh.clear();
        self.search = None;
        self.completing = false;
    }

    /// Does what the interrupt key says, whatever is going on.
    pub fn interrupt(&mut self) -> Action {
        self.pasting = false;
        self.key(Key::Control(b'C'))
    }

    /// What stands before the text during a search.
    pub fn search_prompt(&self) -> Option<Vec<u8>> {
        let search = self.search.as_ref()?;
        let word: &[u8] = if search.failed {
            b"(no match) "
        } else {
            b"(search) "
        };
        let mut prompt = word.to_vec();
        for byte in &search.wanted {
            prompt.push(if byte.is_ascii_graphic() { *byte } else { b' ' });
        }
        put(&mut prompt, &[b": "]);
        Some(prompt)
    }

    /// Does what a key says.
    pub fn key(&mut self, key: Key) -> Action {
        let again = core::mem::take(&mut self.completing);
        if self.pasting {
            self.pasted(key);
            return Action::Show;
        }
        if self.search.is_some()
            && let Some(action) = self.search_key(key)
        {
            return action;
        }
        match key {
            Key::Text(byte) => self.line.insert(&[byte]),
            Key::PasteBegins => self.pasting = true,
            Key::Up => self.vertical(true),
            Key::Down => self.vertical(false),
            Key::Control(byte) => return self.control(byte, again),
            Key::Meta(b'\r' | b'\n') => self.line.insert(b"\n"),
            Key::Meta(byte) => self.meta(byte),
            Key::PasteEnds | Key::Unknown => {}
            key => self.travel(key),
        }
        Action::Show
    }

    fn pasted(&mut self, key: Key) {
        match key {
            Key::PasteEnds => self.pasting = false,
            Key::Text(byte) => self.line.insert(&[byte]),
            Key::Control(b'I') => self.line.insert(b"\t"),
            Key::Control(b'M' | b'J') => self.line.insert(b"\n"),
            _ => {}
        }
    }

    /// Moves within the line, or deletes the character at the place.
    fn travel(&mut self, key: Key) {
        let line = &mut self.line;
        let at = line.at();
        match key {
            Key::Left => line.go(line.before(at)),
            Key::Right => line.go(line.after(at)),
            Key::Home => line.go(line.line_start(at)),
            Key::End => line.go(line.line_end(at)),
            _ => line.delete(at..line.after(at)),
        }
    }

    fn control(&mut self, byte: u8, again: bool) -> Action {
        let at = self.line.at();
        let line = &mut self.line;
        match byte {
            b'A' => self.travel(Key::Home),
            b'E' => self.travel(Key::End),
            b'B' => self.travel(Key::Left),
            b'F' => self.travel(Key::Right),
            b'P' => self.vertical(true),
            b'N' => self.vertical(false),
            b'D' if line.text().is_empty() => return Action::End,
            b'D' => self.travel(Key::Delete),
            b'H' | b'?' => line.delete(line.before(at)..at),
            b'K' if line.line_end(at) == at => line.cut(at..line.after(at)),
            b'K' => line.cut(at..line.line_end(at)),
            b'U' => line.cut(line.line_start(at)..at),
            b'W' => line.cut(line.word_before(false)..at),
            b'Y' => line.paste(),
            b'T' => line.transpose(),
            b'R' => self.begin_search(),
            b'I' => {
                self.completing = true;
                return Action::Complete(again);
            }
            b'L' => return Action::Clear,
            b'M' | b'J' => return Action::Submit,
            b'C' => return Action::Cancel,
            b'Z' => return Action::Suspend,
            _ => {}
        }
        Action::Show
    }

    fn meta(&mut self, byte: u8) {
        let line = &mut self.line;
        let at = line.at();
        match byte {
            b'b' => line.go(line.word_before(true)),
            b'f' => line.go(line.word_after()),
            b'd' => line.cut(at..line.word_after()),
            0x7f | 0x08 => line.cut(line.word_before(true)..at),
            _ => {}
        }
    }

    // The history.

    /// The line above or below, else the entry before or behind.
    fn vertical(&mut self, up: bool) {
        if self.line.vertical(up) {
            return;
        }
        let next = match up {
            true if self.shown > 0 => self.shown - 1,
            false if self.shown < self.history.len() => self.shown + 1,
            _ => return,
        };
        if self.shown == self.history.len() {
            self.fresh = self.line.take();
        }
        self.recall(next);
    }

    fn recall(&mut self, entry: usize) {
        self.shown = entry;
        if entry == self.history.len() {
            self.line.set(&self.fresh);
        } else {
            self.line.set(self.history.get(entry));
        }
    }

    fn begin_search(&mut self) {
        if self.shown == self.history.len() {
            self.fresh = self.line.text().to_vec();
        }
        self.search = Some(Search {
            before: self.line.text().to_vec(),
            from: self.history.len(),
            ..Search::default()
        });
    }

    /// A key during a search; none if it ends the search and then does what it does otherwise.
    fn search_key(&mut self, key: Key) -> Option<Action> {
        let search = self.search.as_mut()?;
        match key {
            Key::Text(byte) => {
                search.wanted.push(byte);
                self.find(0);
            }
            Key::Control(b'R') => self.find(1),
            Key::Control(b'H' | b'?') => {
                search.wanted.pop();
                search.from = self.history.len();
                self.find(1);
            }
            Key::Control(b'G' | b'C') => {
                self.line.set(&search.before);
                self.search = None;
            }
            Key::Unknown => {}
            _ => {
                self.search = None;
                return None;
            }
        }
        Some(Action::Show)
    }

    /// Shows the next entry with what is wanted, at or before the one shown last.
    fn find(&mut self, skip: usize) {
        let Some(search) = &mut self.search else {
            return;
        };
        let wanted = &search.wanted[..];
        let mut entry = (search.from + 1 - skip).min(self.history.len());
        search.failed = true;
        while entry > 0 && search.failed {
            entry -= 1;
            search.failed = !contains(self.history.get(entry), wanted);
        }
        if !search.failed {
            search.from = entry;
            self.recall(entry);
        }
    }
}

/// Whether a text holds another.
fn contains(text: &[u8], part: &[u8]) -> bool {
    (0..=text.len()).any(|start| text[start..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::super::keys::Decoder;
    use super::*;

    /// The text and the place after these bytes, in an editor with two entries of history.
    fn typed(bytes: &str) -> (String, usize) {
        let mut editor = Editor::default();
        editor.history.push(b"(first one)");
        editor.history.push(b"(second\n one)");
        editor.begin();
        let mut decoder = Decoder::default();
        for key in bytes.bytes().filter_map(|b| decoder.push(b)) {
            editor.key(key);
        }
        let text = String::from_utf8_lossy(editor.line.text()).into_owned();
        (text, editor.line.at())
    }

    #[test]
    fn keys_edit() {
        let cases = [
            ("abc\x02\x02X", "aXbc", 2),
            ("abc\x01X\x05Y", "XabcY", 5),
            ("ab é\x7f\x7fc", "abc", 3),
            ("one two\x17\x19\x19", "one twotwo", 10),
            ("one two\x1bb\x0b\x01\x19", "twoone ", 3),
            ("one two\x15x", "x", 1),
            ("(foo bar)\x1bb\x1bb\x1bd", "( bar)", 1),
            ("(foo bar)\x1b\x7f", "(foo ", 5),
            ("abc\x1b[D\x1b[3~", "ab", 2),
            ("abc\x1b[H\x04", "bc", 0),
            ("ab\x14", "ba", 2),
            ("a\x1b[200~b\r\nc\td\x03\x1b[201~e", "ab\n\nc\tde", 8),
            ("a\x1b\rb\x1b[A\x05X", "aX\nb", 2),
            ("\x1b[99zx", "x", 1),
        ];
        for (keys, text, at) in cases {
            assert_eq!(typed(keys), (text.to_string(), at), "{keys:?}");
        }
    }

    #[test]
    fn the_history_is_walked_and_the_new_text_comes_back() {
        let cases = [
            ("new\x10", "(second\n one)"),
            ("new\x10\x10\x10", "(first one)"),
            ("new\x10\x10\x10\x10\x10", "(first one)"),
            ("new\x1b[A\x1b[A\x1b[A\x0e\x0e\x0e", "new"),
            ("new\x0e", "new"),
        ];
        for (keys, text) in cases {
            assert_eq!(typed(keys).0, text, "{keys:?}");
        }
    }

    #[test]
    fn a_search_finds_older_entries() {
        let cases = [
            ("x\x12one", "(second\n one)"),
            ("x\x12one\x12", "(first one)"),
            ("x\x12one\x12\x12", "(first one)"),
            ("x\x12first", "(first one)"),
            ("x\x12firstQ", "(first one)"),
            ("x\x12firstQ\x07", "x"),
            ("x\x12one\x12\x7f\x7f\x7fse", "(second\n one)"),
            ("x\x12first\x1b[D!", "(first one!)"),
            ("x\x12first\x0e\x0e", "x"),
        ];
        for (keys, text) in cases {
            assert_eq!(typed(keys).0, text, "{keys:?}");
        }
    }

    #[test]
    fn some_keys_are_the_callers() {
        let mut editor = Editor::default();
        assert_eq!(editor.key(Key::Control(b'D')), Action::End);
        assert_eq!(editor.key(Key::Control(b'I')), Action::Complete(false));
        assert_eq!(editor.key(Key::Control(b'I')), Action::Complete(true));
        editor.key(Key::Text(b'a'));
        assert_eq!(editor.key(Key::Control(b'I')), Action::Complete(false));
        assert_eq!(editor.key(Key::Control(b'M')), Action::Submit);
        assert_eq!(editor.key(Key::Control(b'C')), Action::Cancel);
        assert_eq!(editor.key(Key::Control(b'Z')), Action::Suspend);
        editor.key(Key::Control(b'R'));
        editor.key(Key::Text(b'q'));
        assert_eq!(editor.search_prompt(), Some(b"(no match) q: ".to_vec()));
        assert_eq!(editor.key(Key::Control(b'M')), Action::Submit);
        assert_eq!(editor.search_prompt(), None);
    }
}
