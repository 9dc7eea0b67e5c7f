//! `plan repl`, and `plan` on a terminal: evaluates what is typed and shows the values (chapter 06
//! §5.2).
//!
//! | file | holds |
//! |---|---|
//! | `console` | entries from the terminal |
//! | `keys`, `line`, `edit`, `draw` | the editor: bytes to keys, the text, what keys do, the screen |
//! | `history` | the history file |
//! | `complete` | what a word may become |
//! | `command` | the commands that start with a colon |
//! | `words` | lists of byte strings |
//! | `show` | values, cut to a bearable length |
//!
//! Invariants:
//! - Values go to standard output; prompts and the text being typed too if that is a terminal,
//!   otherwise to standard error, as do messages.
//! - A form that fails leaves the environment as it was before it, and the prompt goes on.
//! - The interrupt key ends an evaluation and nothing else.

mod command;
mod complete;
mod console;
mod draw;
mod edit;
mod history;
mod keys;
mod line;
mod show;
mod words;

use super::args::Wisp;
use super::options::Environment;
use super::wisp::{assemble, no_library, say, warn};
use super::{STATUS_OK, message, stop};
use crate::os::env::Args;
use crate::os::{Fd, file, signal, term};
use crate::wisp::read::{ReadError, Reader};
use crate::wisp::report;
use crate::wisp::source::Mark;
use crate::wisp::text::{put, put_number};
use crate::wisp::{Ended, Library, Rules, Session, SourceError, Sources};
use alloc::string::ToString;
use alloc::vec::Vec;
use complete::Wanted;
use console::{Advice, Console, Typed};
use history::History;
use show::{Extent, Viewer};
use words::Words;

/// What stands in messages for the path of a file.
const NAME: &[u8] = b"<repl>";

/// The line at the start.
const BANNER: &str = concat!(
    "plan ",
    env!("CARGO_PKG_VERSION"),
    ". :help shows the commands, Ctrl-D leaves.\n"
);

/// A session at the prompt.
pub struct Repl<'m> {
    session: Session<'m>,
    sources: Sources,
    color: bool,
    /// Where the prompt is shown.
    out: Fd,
    over: bool,
}

/// Runs the prompt on the terminal that is standard input; returns the exit status.
pub fn main(args: &Args, library: Library, wisp: &Wisp) -> i32 {
    let prepared = || Ok((assemble(args, library, wisp)?, Environment::get(args)?));
    let (sources, environment) = match prepared() {
        Ok(prepared) => prepared,
        Err(status) => return status,
    };
    // Without the handler the interrupt key ends the process, which is what it does elsewhere.
    let _ = signal::catch_interrupt();
    let rules = Rules {
        lenient: wisp.lenient,
        warn: wisp.warn,
        dialect: sources.dialect(),
    };
    environment.with_machine(0, |machine| {
        machine.interruptibly(|machine| match Session::new(machine, rules, library) {
            Ok(session) => run(args, sources, session),
            Err(error) => no_library(machine, &error),
        })
    })
}

fn run(args: &Args, sources: Sources, mut session: Session) -> i32 {
    session.wants_entry = true;
    let streams = [Fd::STDOUT, Fd::STDERR];
    let out = streams.into_iter().find(|fd| term::is_terminal(*fd));
    let terminal = args.var(b"TERM").unwrap_or_default();
    let capable = out.is_some() && !matches!(terminal, b"" | b"dumb");
    let out = out.unwrap_or(Fd::STDERR);
    let mut repl = Repl {
        session,
        sources,
        color: message::is_colored(args, Fd::STDOUT),
        out,
        over: false,
    };
    // The library, which was required when the sources were put together.
    let mark = repl.sources.mark();
    repl.evaluate(mark, Ok(()), Extent::Some);
    repl.prompt(&History::find(args), Console::new(out, capable))
}

impl Repl<'_> {
    /// Reads and evaluates entries until the last one; returns the exit status.
    fn prompt(&mut self, history: &History, mut console: Console) -> i32 {
        console.put(BANNER.as_bytes());
        console.editor.history = history.load();
        while !self.over {
            self.interrupted();
            let text = match console.read(self) {
                Typed::End => break,
                Typed::Cancelled => continue,
                Typed::Text(text) => text,
            };
            if text.trim_ascii().is_empty() {
                continue;
            }
            let entries = &mut console.editor.history;
            if entries.get(entries.len().wrapping_sub(1)) != text {
                history.add(&text);
                entries.push(&text);
            }
            match text.trim_ascii() {
                command if is_command(command) => command::run(self, command),
                _ => self.evaluate_text(&text, Extent::Some),
            }
            self.sources.lines_before += 1 + text.iter().filter(|b| **b == b'\n').count();
        }
        STATUS_OK
    }

    /// Evaluates a text that was typed.
    fn evaluate_text(&mut self, text: &[u8], extent: Extent) {
        let mark = self.sources.mark();
        let added = self.sources.add(NAME, text.to_vec());
        self.evaluate(mark, added, extent);
    }

    /// Evaluates a file.
    fn load(&mut self, path: &[u8]) {
        let lines = core::mem::take(&mut self.sources.lines_before);
        let mark = self.sources.mark();
        // Unlike a file that is required, this one is read each time it is named.
        let added = match file::read_whole(path) {
            Ok(bytes) => self.sources.add(path, bytes),
            Err(why) => Err(SourceError::Unreadable(path.to_vec(), why.to_string())),
        };
        self.evaluate(mark, added, Extent::Some);
        self.sources.lines_before = lines;
    }

    /// Evaluates what was added since the mark; what fails is forgotten, so that files that were
    /// required can be required again.
    fn evaluate(&mut self, mark: Mark, added: Result<(), SourceError>, extent: Extent) {
        if let Err(error) = added {
            say(&report::not_assembled(&self.sources, &error));
            self.sources.forget(mark);
            return;
        }
        let mut viewer = Viewer {
            extent,
            color: self.color,
        };
        let depth = self.session.machine().depth();
        let ended = self
            .session
            .go_on(&mut self.sources, mark.text, &mut viewer);
        warn(&mut self.session, &self.sources);
        if !self.report(ended) {
            self.sources.forget(mark);
        }
        self.session.warnings.clear();
        self.session.machine().drop_to(depth);
    }

    /// Says how a text ended; false if it failed.
    fn report(&mut self, ended: Ended) -> bool {
        let sources = &self.sources;
        if self.session.machine().take_interruption().is_some() {
            // The terminal has shown the key behind what stood in the line.
            say(b"\ninterrupted\n");
            return false;
        }
        match ended {
            Ended::Done => return true,
            Ended::Replaced(status) => {
                let mut text = Vec::from(*b"the loop in the place of __REPL ended with status ");
                put_number(&mut text, u64::from(status));
                put(&mut text, &[b"\n"]);
                say(&text);
                return true;
            }
            Ended::Stopped(why) => {
                stop::report(self.session.machine(), why);
            }
            Ended::NoLibrary(error) => {
                no_library(self.session.machine(), &error);
            }
            Ended::Ignored(..) => say(b"__REPL is no function: the rest is ignored\n"),
            Ended::Unreadable(error) => {
                let (message, span) = report::unreadable(sources, error);
                say(&message.render(sources, span));
            }
            Ended::Failed(failure, note, form) => {
                let diagnosis = self.session.diagnose(sources, failure, &note, form);
                say(&diagnosis.message.render(sources, diagnosis.span));
            }
        }
        false
    }

    /// Columns of the terminal.
    fn width(&self) -> usize {
        term::size(self.out).map_or(80, |(_, columns)| columns)
    }
}

/// Whether an entry is a command: a symbol that starts with a colon and a letter.
fn is_command(text: &[u8]) -> bool {
    matches!(text, [b':', letter, ..] if letter.is_ascii_alphabetic()) || text == b":"
}

impl Advice for Repl<'_> {
    fn is_open(&mut self, text: &[u8]) -> bool {
        if is_command(text.trim_ascii_start()) {
            return false;
        }
        let dialect = self.sources.dialect();
        let (mut reader, mut events) = (Reader::of(dialect, text, 0), Vec::new());
        loop {
            match reader.form(&mut events) {
                Ok(true) => {}
                Ok(false) => return reader.open_string().is_some(),
                Err(error) => return matches!(error, ReadError::Unclosed(..)),
            }
        }
    }

    fn interrupted(&mut self) {
        self.session.machine().take_interruption();
    }

    fn complete(&mut self, text: &[u8], at: usize) -> (usize, Words) {
        let (wanted, range) = complete::wanted(text, at);
        let (word, mut words) = (&text[range.clone()], Words::default());
        match wanted {
            Wanted::Command => {
                for command in &command::COMMANDS {
                    complete::offer(word, command.name.as_bytes(), &mut words);
                }
            }
            Wanted::File => complete::files(word, &mut words),
            Wanted::Module => {
                complete::modules(word, b"", &mut words);
                for module in self.sources.library.modules() {
                    complete::offer(word, module.name, &mut words);
                }
                for dir in &self.sources.search {
                    complete::modules(word, dir, &mut words);
                }
            }
            Wanted::Name => {
                complete::bound(word, self.session.environment(), &mut words);
                complete::symbols(text, range.clone(), &mut words);
            }
        }
        words.sort();
        (range.start, words)
    }
}
