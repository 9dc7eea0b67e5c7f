//! The commands of the prompt: a colon, a word, an operand.
//!
//! Invariants:
//! - A command may be shortened as long as one command alone starts with it.

use super::show::{Extent, kind};
use super::words::Words;
use super::{Repl, complete, console, say};
use crate::os::{Fd, clock, file};
use crate::value::WORD;
use crate::wisp::Search;
use crate::wisp::text::{join, put, put_number};
use alloc::vec::Vec;

/// One command.
pub struct Command {
    /// Its name, with the colon.
    pub name: &'static str,
    /// What `:help` says about it.
    help: &'static str,
    run: fn(&mut Repl, &[u8]),
}

impl Command {
    /// Whether it does nothing without its operand: one that is not in brackets.
    fn needs_operand(&self) -> bool {
        self.help.as_bytes()[1].is_ascii_uppercase()
    }
}

/// The commands, in the order in which `:help` shows them.
pub const COMMANDS: [Command; 8] = [
    Command {
        name: ":help",
        help: " [NAME]  this text; what is known about a name or a command",
        run: help,
    },
    Command {
        name: ":doc",
        help: " NAME     the documentation of a name",
        run: doc,
    },
    Command {
        name: ":type",
        help: " EXPR    what kind of value an expression has",
        run: |repl, text| repl.evaluate_text(text, Extent::Kind),
    },
    Command {
        name: ":print",
        help: " EXPR   the whole value, however long",
        run: |repl, text| repl.evaluate_text(text, Extent::All),
    },
    Command {
        name: ":time",
        help: " EXPR    the value, the time and the memory it took",
        run: time,
    },
    Command {
        name: ":env",
        help: " [START]  the names that are bound, or those with this start",
        run: env,
    },
    Command {
        name: ":load",
        help: " FILE    evaluate a file",
        run: |repl, path| repl.load(path),
    },
    Command {
        name: ":quit",
        help: "         leave; Ctrl-D on an empty line does the same",
        run: |repl, _| repl.over = true,
    },
];

/// What `:help` says about keys.
const KEYS: &str = "
Enter ends an entry when no bracket and no string is open; Alt-Enter never does.
Tab completes, twice lists. Ctrl-R searches the history, Up and Down walk it.
Ctrl-C drops the entry or stops the evaluation; Ctrl-Z suspends.
";

/// Runs the command of an entry that starts with a colon.
pub fn run(repl: &mut Repl, entry: &[u8]) {
    let end = entry.iter().position(u8::is_ascii_whitespace);
    let (word, operand) = entry.split_at(end.unwrap_or(entry.len()));
    let operand = operand.trim_ascii();
    match find(word) {
        Some(command) if operand.is_empty() && command.needs_operand() => {
            help(repl, command.name.as_bytes());
        }
        Some(command) => (command.run)(repl, operand),
        None => {
            let mut search = Search::new(word, b"");
            for command in &COMMANDS {
                search.offer(command.name.as_bytes(), false);
            }
            unknown(word, b" is no command", &search);
        }
    }
}

/// Says that a word is not known, and what may have been meant.
fn unknown(word: &[u8], what: &[u8], search: &Search) {
    let question = search
        .question()
        .unwrap_or_else(|| b":help lists the commands".to_vec());
    say(&join(&[word, what, b"\n  help: ", &question, b"\n"]));
}

/// The command of this name, or the only one that starts with it.
fn find(word: &[u8]) -> Option<&'static Command> {
    let mut found = None;
    for command in &COMMANDS {
        let name = command.name.as_bytes();
        if name == word {
            return Some(command);
        }
        if name.starts_with(word) {
            if found.is_some() {
                return None;
            }
            found = Some(command);
        }
    }
    found
}

fn show(text: &[u8]) {
    // Where standard output cannot be written nobody misses the text.
    let _ = file::write_all(Fd::STDOUT, text);
}

fn help(repl: &mut Repl, word: &[u8]) {
    if !word.is_empty() && !word.starts_with(b":") {
        return doc(repl, word);
    }
    let mut text = Vec::new();
    for command in &COMMANDS {
        let name = command.name.as_bytes();
        if word.is_empty() || name.starts_with(word) {
            put(&mut text, &[name, command.help.as_bytes(), b"\n"]);
        }
    }
    if word.is_empty() {
        put(&mut text, &[KEYS.as_bytes()]);
    }
    match text.is_empty() {
        true => run(repl, word),
        false => show(&text),
    }
}

fn doc(repl: &mut Repl, name: &[u8]) {
    let depth = repl.session.machine().depth();
    let bound = repl.session.push_binding(name);
    let known = kind(repl.session.machine().top(0));
    let doc = repl.session.doc(name);
    repl.session.machine().drop_to(depth);
    if bound != Ok(true) {
        let mut search = Search::new(name, b"");
        search.environment(repl.session.environment());
        return unknown(name, b" is not defined", &search);
    }
    let doc = match doc {
        Ok(Some(text)) => text,
        _ => b"(no documentation)".to_vec(),
    };
    show(&join(&[
        name,
        b": ",
        &known,
        b"\n",
        doc.trim_ascii_end(),
        b"\n",
    ]));
}

fn time(repl: &mut Repl, text: &[u8]) {
    let before = repl.session.machine().stats().nursery;
    // Without a clock the time is 0.
    let now = || clock::monotonic().unwrap_or(0);
    let start = now();
    repl.evaluate_text(text, Extent::Some);
    let micros = now().wrapping_sub(start) / 1000;
    let after = repl.session.machine().stats().nursery;
    let mut line = Vec::new();
    put_number(&mut line, micros / 1000);
    // Three decimals, zeros in front kept.
    let mut decimals = Vec::new();
    put_number(&mut decimals, 1000 + micros % 1000);
    put(&mut line, &[b".", &decimals[1..], b" ms, "]);
    put_number(
        &mut line,
        (after.allocated - before.allocated) * WORD as u64,
    );
    put(&mut line, &[b" bytes allocated, "]);
    put_number(&mut line, after.collections - before.collections);
    put(&mut line, &[b" collections\n"]);
    say(&line);
}

fn env(repl: &mut Repl, start: &[u8]) {
    let mut words = Words::default();
    complete::bound(start, repl.session.environment(), &mut words);
    words.sort();
    show(&console::columns(&words, repl.width()));
}
