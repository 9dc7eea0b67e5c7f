//! The console: a small stack language for looking at values (chapter 04).
//!
//! | file | holds |
//! |---|---|
//! | `lex` | numbers, strings, words |
//! | `words` | what each word does |
//! | `report` | the text of `showheap` |
//! | `selftest` | what the argument `test` runs |
//!
//! Invariants:
//! - The console reads, prints and asks the machine to evaluate; it says nothing on standard error.
//!   How it ended is a value, [`Ended`], and whoever started it has the words for it.
//! - Everything printed has left the buffer before an evaluation starts (a program may write), before
//!   input is waited for, and when the console ends, for whatever reason.
//! - The console's values are the machine's stack from `base` on. Below lies the pin `<15>`, by which
//!   arithmetic reaches the operations.

mod lex;
mod report;
mod selftest;
mod words;

pub use lex::{LexError, Source};
pub use selftest::self_test;

use crate::machine::{Machine, Stop};
use crate::os::Errno;
use crate::os::out::Out;
use crate::seed::SeedError;
use crate::value::Value;
use crate::value::print::{self, Sink, Style};
use alloc::string::String;
use alloc::vec::Vec;
use lex::{Lexer, Token};

/// Words allocated since the last collection from which `eval` and `force` end with one
/// (chapter 04 §9.2).
const COLLECT_AFTER: usize = 4096;

/// Stack words that one token may push.
const ROOM: usize = 16;

/// Loads the seed in the file of this path and pushes its value.
pub type Load = fn(&mut Machine, path: &[u8]) -> Result<(), SeedError>;

/// Where the console prints.
pub trait Output: Sink {
    /// Writes everything that was printed.
    ///
    /// # Errors
    /// The first error of the device since the start.
    fn flush(&mut self) -> Result<(), Errno>;
}

impl Output for Out {
    fn flush(&mut self) -> Result<(), Errno> {
        Out::flush(self)
    }
}

/// Collects the output in memory.
impl Output for Vec<u8> {
    fn flush(&mut self) -> Result<(), Errno> {
        Ok(())
    }
}

/// How a console ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// At the end of the input.
    Input,
    /// At an error of chapter 04 §7, which has been printed.
    Rejected,
    /// A value depends on itself; the report has been printed.
    Loop,
    /// By an exception nobody caught; code and payload are the two topmost values.
    Uncaught,
    /// The input ended inside what this byte opened.
    Unterminated(u8),
    /// The word needs natural numbers and found something else.
    NotANatural(&'static str),
    /// This seed cannot be loaded.
    Seed(Vec<u8>, SeedError),
    /// `memcheck` found this.
    Unsound(String),
    /// The output cannot be written.
    Output(Errno),
    /// No memory for a token or a text.
    Memory,
}

/// A console on a machine.
pub struct Console<'m> {
    machine: &'m mut Machine,
    lexer: Lexer<'m>,
    out: &'m mut dyn Output,
    load: Load,
    style: Style,
    /// Number of values on the machine's stack that are not the console's.
    base: usize,
}

impl<'m> Console<'m> {
    /// A console that reads from `source` and prints to `out`, and gets `$name` by `load`. Its
    /// values are pushed on those the machine has.
    pub fn new(
        machine: &'m mut Machine,
        source: &'m mut dyn Source,
        out: &'m mut dyn Output,
        load: Load,
    ) -> Self {
        Console {
            machine,
            lexer: Lexer::new(source),
            out,
            load,
            style: Style::CONSOLE,
            base: 0,
        }
    }

    /// Executes the input. The values are left on the machine's stack.
    pub fn run(&mut self) -> Ended {
        let ended = self.start().and_then(|()| self.execute());
        let ended = match ended {
            Ok(()) => Ended::Input,
            Err(ended) => ended,
        };
        if ended == Ended::Loop {
            self.print(b"<<loop>>\n");
        }
        match self.out.flush() {
            Ok(()) => ended,
            Err(errno) => Ended::Output(errno),
        }
    }

    /// Number of values the console's input has left on the stack.
    pub fn depth(&self) -> usize {
        self.machine.depth() - self.base
    }

    fn start(&mut self) -> Result<(), Ended> {
        self.machine.push(Value::direct(15));
        self.machine.pin_top()?;
        self.base = self.machine.depth();
        Ok(())
    }

    fn execute(&mut self) -> Result<(), Ended> {
        loop {
            if self.lexer.would_wait() {
                self.flush()?;
            }
            self.machine.ensure_stack(ROOM)?;
            match self.lexer.token() {
                Ok(None) => return Ok(()),
                Ok(Some(token)) => self.token(token)?,
                Err(LexError::Illegal(byte)) => {
                    self.print(b"bad input: ");
                    self.print(&[byte, b'\n']);
                    return Err(Ended::Rejected);
                }
                Err(LexError::Unterminated(open)) => return Err(Ended::Unterminated(open)),
                Err(LexError::Memory) => return Err(Ended::Memory),
            }
        }
    }

    fn token(&mut self, token: Token) -> Result<(), Ended> {
        match token {
            Token::Nat(limbs) => Ok(self.machine.push_nat(&limbs)?),
            Token::Seed(name) => self.seed(&name),
            Token::Command(byte) => self.command(byte),
            Token::Word(word) => self.word(&word),
        }
    }

    fn seed(&mut self, name: &[u8]) -> Result<(), Ended> {
        let mut path = Vec::from(*b"seeds/");
        path.extend_from_slice(name);
        (self.load)(self.machine, &path).map_err(|error| Ended::Seed(path, error))
    }

    fn print(&mut self, bytes: &[u8]) {
        self.out.bytes(bytes);
    }

    /// Prints the value and a line feed.
    fn show(&mut self, v: Value) -> Result<(), Ended> {
        print::show_line(v, &self.style, self.out).map_err(Ended::from)
    }

    fn flush(&mut self) -> Result<(), Ended> {
        self.out.flush().map_err(Ended::Output)
    }
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Ended {
        match stop {
            Stop::Thrown => Ended::Uncaught,
            Stop::Loop => Ended::Loop,
        }
    }
}

impl From<print::OutOfMemory> for Ended {
    fn from(_: print::OutOfMemory) -> Ended {
        Ended::Memory
    }
}

#[cfg(test)]
mod tests;
