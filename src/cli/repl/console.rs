//! Entries from a terminal: with the editor, or as plain lines where the terminal cannot do more.
//!
//! Invariants:
//! - While an entry is typed the terminal is in raw mode; when [`Console::read`] returns it is as it
//!   was before, so programs find it so.
//! - No byte behind the end of an entry is read: it belongs to the program the entry starts.

use super::draw::{Entry, View};
use super::edit::{Action, Editor};
use super::keys::Decoder;
use super::words::Words;
use crate::os::{Errno, Fd, file, process, signal, term};
use crate::wisp::text::{put, put_number};
use alloc::vec::Vec;

/// Before the first line of an entry.
const PROMPT: &[u8] = b"> ";
/// Before the others.
const CONTINUATION: &[u8] = b". ";
/// Rows and columns of a terminal that does not say.
const WINDOW: (usize, usize) = (24, 80);
/// Candidates shown at most.
const MAX_LISTED: usize = 300;
/// Puts what is pasted between marks, and no more.
const PASTE_ON: &[u8] = b"\x1b[?2004h";
const PASTE_OFF: &[u8] = b"\x1b[?2004l";

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Typed {
    /// An entry.
    Text(Vec<u8>),
    /// An entry that was dropped.
    Cancelled,
    /// The end of input.
    End,
}

/// What the console asks about an entry.
pub trait Advice {
    /// Whether a bracket or string is open at its end.
    fn is_open(&mut self, text: &[u8]) -> bool;
    /// Where the word before an offset starts, and the words it may become.
    fn complete(&mut self, text: &[u8], at: usize) -> (usize, Words);
    /// The interrupt key has done what it should.
    fn interrupted(&mut self);
}

/// A terminal.
pub struct Console {
    /// Where prompts and the text being edited are shown.
    out: Fd,
    /// Whether the terminal can be edited on.
    capable: bool,
    /// The editor with its history.
    pub editor: Editor,
    decoder: Decoder,
    view: View,
}

impl Console {
    /// The terminal on standard input, shown on `out`.
    pub fn new(out: Fd, capable: bool) -> Console {
        Console {
            out,
            capable,
            editor: Editor::default(),
            decoder: Decoder::default(),
            view: View::default(),
        }
    }

    /// Reads an entry. The interrupt key drops it; pressed behind its end it stops what follows.
    pub fn read(&mut self, advice: &mut dyn Advice) -> Typed {
        signal::hold_interrupt(true);
        let typed = self.read_held(advice);
        signal::hold_interrupt(false);
        typed
    }

    fn read_held(&mut self, advice: &mut dyn Advice) -> Typed {
        if !self.capable || term::enter_raw(Fd::STDIN).is_err() {
            return self.read_lines(advice);
        }
        self.editor.begin();
        self.put(PASTE_ON);
        let typed = self.edit(advice);
        self.put(PASTE_OFF);
        term::restore();
        typed
    }

    /// Shows these bytes as they are.
    pub fn put(&self, bytes: &[u8]) {
        // A terminal that cannot be written to ends the input soon enough.
        let _ = file::write_all(self.out, bytes);
    }

    /// Reads lines as they are until nothing is open.
    fn read_lines(&mut self, advice: &mut dyn Advice) -> Typed {
        let mut text = Vec::new();
        loop {
            let prompt = if text.is_empty() {
                PROMPT
            } else {
                CONTINUATION
            };
            self.put(prompt);
            let mut line = [0; 4096];
            match read(&mut line) {
                Ok(0) | Err(Errno::EIO) if text.is_empty() => return self.end(),
                Ok(0) => return Typed::Text(text),
                Ok(length) => text.extend_from_slice(&line[..length]),
                Err(Errno::EINTR) => {
                    advice.interrupted();
                    self.put(b"\n");
                    return Typed::Cancelled;
                }
                Err(_) => return self.end(),
            }
            if text.ends_with(b"\n") && !advice.is_open(&text) {
                text.pop();
                return Typed::Text(text);
            }
        }
    }

    fn end(&self) -> Typed {
        self.put(b"\n");
        Typed::End
    }

    // With the editor.

    fn edit(&mut self, advice: &mut dyn Advice) -> Typed {
        self.show();
        let mut byte = [0];
        loop {
            let action = match read(&mut byte) {
                Ok(1) => match self.decoder.push(byte[0]) {
                    Some(key) => self.editor.key(key),
                    None => continue,
                },
                Err(Errno::EINTR) => {
                    advice.interrupted();
                    self.editor.interrupt()
                }
                _ => Action::End,
            };
            if let Some(typed) = self.act(action, advice) {
                return typed;
            }
            // What was pasted or typed ahead is shown once, at its end.
            if !term::has_input(Fd::STDIN) {
                self.show();
            }
        }
    }

    fn act(&mut self, action: Action, advice: &mut dyn Advice) -> Option<Typed> {
        match action {
            Action::Show => {}
            Action::Submit if advice.is_open(self.editor.line.text()) => {
                self.editor.line.insert(b"\n");
            }
            Action::Submit => {
                self.leave();
                return Some(Typed::Text(self.editor.line.take()));
            }
            Action::Cancel => {
                self.leave();
                return Some(Typed::Cancelled);
            }
            Action::End => {
                self.leave();
                return Some(Typed::End);
            }
            Action::Complete(again) => self.complete(again, advice),
            Action::Clear => {
                self.put(b"\x1b[H\x1b[2J");
                self.view.forget();
            }
            Action::Suspend => {
                self.leave();
                self.put(PASTE_OFF);
                term::restore();
                process::suspend();
                // A terminal that is gone now shows itself at the next read.
                let _ = term::enter_raw(Fd::STDIN);
                self.put(PASTE_ON);
            }
        }
        None
    }

    fn window(&self) -> (usize, usize) {
        term::size(self.out).unwrap_or(WINDOW)
    }

    fn show(&mut self) {
        let window = self.window();
        let search = self.editor.search_prompt();
        let shown = self
            .view
            .show(&entry(&self.editor, search.as_deref()), window);
        self.put(&shown);
    }

    fn leave(&mut self) {
        let window = self.window();
        let shown = self.view.leave(&entry(&self.editor, None), window);
        self.put(&shown);
    }

    /// Completes the word as far as all candidates agree; lists them if that is no step forward.
    fn complete(&mut self, again: bool, advice: &mut dyn Advice) {
        let line = &mut self.editor.line;
        let at = line.at();
        let margin = &line.text()[line.line_start(at)..at];
        if margin.iter().all(|b| *b == b' ') {
            line.insert(b"  ");
            return;
        }
        let (start, words) = advice.complete(line.text(), at);
        let (known, common) = (at - start, words.common());
        if common > known {
            line.insert(&words.get(0)[known..common]);
        } else if again && words.len() > 1 {
            self.leave();
            let list = columns(&words, self.window().1);
            self.put(&list);
        }
    }
}

/// Reads from standard input; `EINTR` for every press of the interrupt key.
fn read(bytes: &mut [u8]) -> Result<usize, Errno> {
    signal::wait_readable(Fd::STDIN)?;
    file::read(Fd::STDIN, bytes)
}

fn entry<'t>(editor: &'t Editor, search: Option<&'t [u8]>) -> Entry<'t> {
    Entry {
        prompt: search.unwrap_or(PROMPT),
        continuation: CONTINUATION,
        text: editor.line.text(),
        at: editor.line.at(),
    }
}

/// Words in columns, read downwards, in a window of this width.
pub fn columns(words: &Words, width: usize) -> Vec<u8> {
    let shown = words.len().min(MAX_LISTED);
    let widest = words.widest() + 2;
    let height = shown.div_ceil((width / widest).max(1));
    let mut out = Vec::new();
    for row in 0..height {
        let mut i = row;
        loop {
            // File names may hold anything; a terminal gets none of it as a command.
            for byte in words.get(i) {
                out.push(if byte.is_ascii_control() { b'?' } else { *byte });
            }
            let length = words.get(i).len();
            i += height;
            if i >= shown {
                break;
            }
            out.resize(out.len() + widest - length, b' ');
        }
        put(&mut out, &[b"\n"]);
    }
    if shown < words.len() {
        put(&mut out, &[b"... and "]);
        put_number(&mut out, (words.len() - shown) as u64);
        put(&mut out, &[b" more\n"]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_downwards() {
        let list = |count: usize| {
            let mut words = Words::default();
            (1..=count).for_each(|n| words.push(format!("w{n}").as_bytes()));
            words
        };
        let text = |width| String::from_utf8_lossy(&columns(&list(7), width)).into_owned();
        assert_eq!(text(12), "w1  w4  w7\nw2  w5\nw3  w6\n");
        assert_eq!(text(80).lines().count(), 1);
        assert_eq!(text(1).lines().count(), 7);
        assert_eq!(columns(&list(0), 80), b"");
        assert!(columns(&list(MAX_LISTED + 5), 80).ends_with(b"... and 5 more\n"));
    }
}
