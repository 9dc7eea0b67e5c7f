//! Types the entries of a page's prompt blocks on a pseudo-terminal and compares the screen.
//!
//! Invariants:
//! - a line `> entry` is typed, and lines `. more` behind it; what follows is what the screen then
//!   shows before the next prompt; a line `...` there stands for the rest of it;
//! - the blocks of a page are one session, in a directory with the files of the page so far.

use super::page::{Kind, Page};
use crate::support::scratch_dir;
use crate::support::terminal::{OnTerminal, Terminal};
use std::fs;

/// One entry and what the screen shows for it.
struct Entry<'a> {
    typed: Vec<&'a str>,
    shown: Vec<&'a str>,
}

fn entries<'a>(lines: &'a [String], name: &str) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for line in lines {
        if line.starts_with("> ") {
            entries.push(Entry {
                typed: vec![line],
                shown: Vec::new(),
            });
            continue;
        }
        let entry = entries.last_mut();
        let entry = entry.unwrap_or_else(|| panic!("{name}: a screen before an entry"));
        match line.starts_with(". ") && entry.shown.is_empty() {
            true => entry.typed.push(line),
            false => entry.shown.push(line),
        }
    }
    entries
}

/// Types a page's entries: their number.
pub fn check(page: &Page) -> usize {
    if page.blocks.iter().all(|block| block.kind != Kind::Prompt) {
        return 0;
    }
    let dir = scratch_dir("book-prompt");
    let mut terminal = OnTerminal::plan(&[]).dir(&dir).start();
    terminal.sees("Ctrl-D leaves.\n>");
    let mut count = 0;
    for block in &page.blocks {
        match &block.kind {
            Kind::File(name) => {
                fs::write(dir.join(name), block.lines.join("\n") + "\n").expect("a scratch file");
            }
            Kind::Prompt => {
                let entries = entries(&block.lines, &page.name);
                count += entries.len();
                entries.iter().for_each(|entry| enter(&mut terminal, entry));
            }
            _ => {}
        }
    }
    terminal.keys("\x04");
    assert_eq!(terminal.status(), Some(0), "{}", page.name);
    count
}

fn enter(terminal: &mut Terminal, entry: &Entry) {
    let (last, first) = entry.typed.split_last().expect("a typed line");
    for line in first {
        terminal.keys(&format!("{}\r", &line[2..]));
        terminal.sees(&format!("{line}\n."));
    }
    terminal.keys(&format!("{}\r", &last[2..]));
    let known = entry.shown.iter().take_while(|line| **line != "...");
    let text: String = known.map(|line| format!("\n{line}")).collect();
    match entry.shown.last() {
        Some(&"...") => terminal.answers(&format!("{last}{text}")),
        _ => terminal.sees(&format!("{last}{text}\n>")),
    };
}
