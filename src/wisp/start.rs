//! The initial environment of chapter 06 §3.1 and the text of the built-in functions.
//!
//! Invariants:
//! - The text is evaluated only where no prepared library is at hand: by the build that prepares it,
//!   and by tests.
//! - Markers stand for the built-in macros while the text that defines them is evaluated; none is left
//!   afterwards.

use super::eval::{Builtins, Failure};
use super::library::BUILTINS;
use super::session::{Ended, Input, Session, Silent};
use crate::value::Value;

/// The built-in functions, in the language itself.
const SOURCE: &[u8] = include_bytes!("builtin.wisp");

/// The same without comments and indentation, which nobody sees. None of its strings holds a blank
/// or a semicolon.
pub const BUILTIN: [u8; squeezed(&mut [])] = {
    let mut out = [0; squeezed(&mut [])];
    squeezed(&mut out);
    out
};

/// Writes the squeezed source to `out` as far as it reaches; returns its length.
const fn squeezed(out: &mut [u8]) -> usize {
    let (mut i, mut n, mut comment, mut blank) = (0, 0, false, true);
    while i < SOURCE.len() {
        let byte = SOURCE[i];
        comment = byte != b'\n' && (comment || byte == b';');
        let space = comment || byte == b' ' || byte == b'\n';
        if !(space && blank) {
            if n < out.len() {
                out[n] = if space { b' ' } else { byte };
            }
            n += 1;
        }
        blank = space;
        i += 1;
    }
    n
}

/// Names of the built-in functions in their text, in the order of their places on the stack.
const FUNCTIONS: [&[u8]; BUILTINS] = [b"law-macro", b"define", b"repl", b"eval", b"rest"];

/// A text that is known as a whole.
struct Whole<'t>(&'t [u8]);

impl Input for Whole<'_> {
    fn text(&self) -> &[u8] {
        self.0
    }

    fn due(&mut self, _: usize) -> Option<usize> {
        None
    }

    fn grows(&self) -> bool {
        false
    }

    fn more(&mut self) -> bool {
        false
    }
}

impl Session<'_> {
    /// Evaluates the built-in functions with markers in their place.
    pub(super) fn bootstrap(&mut self) -> Result<(), Failure> {
        self.markers()?;
        match self.run(&mut Whole(self.library.text), 0, &mut Silent) {
            Ended::Done => {}
            Ended::Failed(failure, ..) => return Err(failure),
            _ => return Err(Failure::Rejected),
        }
        for (i, name) in FUNCTIONS.iter().enumerate() {
            self.push_binding(name)?;
            let v = self.machine.pop();
            self.set(self.base + 1 + i, v);
        }
        self.set(self.base, Value::ZERO);
        Ok(())
    }

    /// An environment in which `law`, `def` and `Pin` are there, the first two as values that only
    /// stand for what Rust does.
    fn markers(&mut self) -> Result<(), Failure> {
        for (place, mark) in [(1, 2), (2, 3), (3, 0)] {
            self.machine.push(Value::direct(mark));
            self.machine.pin_top()?;
            let v = self.machine.pop();
            self.set(self.base + place, v);
        }
        self.bind_all()
    }

    /// Binds the six names, in the order that gives the tree of chapter 06 §3.1.
    pub(super) fn bind_all(&mut self) -> Result<(), Failure> {
        let Builtins {
            law, define, repl, ..
        } = self.builtins;
        self.bind(b"law", law, None, true)?;
        self.bind(b"macro", define, Some(1), true)?;
        self.bind(b"def", define, Some(0), true)?;
        self.machine.push(Value::ZERO);
        self.machine.pin_top()?;
        let pin = self.machine.depth() - 1;
        self.bind(b"Pin", pin, None, false)?;
        self.machine.drop_top(1);
        self.bind(b"eval", self.base + 4, None, false)?;
        self.bind(b"__REPL", repl, None, false)
    }
}
