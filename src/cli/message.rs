//! The one line a failure of the tool prints: `plan: what failed: why (what to do)`.
//!
//! Invariants:
//! - a message is one line whatever file names and arguments are in it ([`Shown`] escapes control
//!   characters and bytes that are not UTF-8);
//! - it goes to standard error in one write, so lines of several processes do not mix.

use crate::os::Fd;
use crate::os::env::Args;
use crate::os::out::Out;
use crate::os::term;
use core::fmt::{self, Write};

/// Bytes from outside (a path, an argument) as part of a message.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("''");
        }
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?
                } else {
                    f.write_char(c)?
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

/// Whether text for people may be coloured there: a terminal, and nobody asked for none
/// (`NO_COLOR`, `TERM=dumb`).
pub fn is_colored(args: &Args, fd: Fd) -> bool {
    let unset = |name: &[u8]| args.var(name).is_none_or(<[u8]>::is_empty);
    term::is_terminal(fd) && unset(b"NO_COLOR") && args.var(b"TERM") != Some(b"dumb")
}

/// Prints `plan: `, the message and a line end on standard error; returns `status`.
pub fn fail(status: i32, message: fmt::Arguments<'_>) -> i32 {
    let mut out = Out::new(Fd::STDERR);
    // Where standard error cannot be written there is nobody to tell; the status says it.
    let _ = writeln!(out, "plan: {message}");
    let _ = out.flush();
    status
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn whatever_is_shown_stays_on_one_line() {
        assert_eq!(Shown(b"a b.seed").to_string(), "a b.seed");
        assert_eq!(Shown("grün".as_bytes()).to_string(), "grün");
        assert_eq!(Shown(b"a\nb\x1b[0m").to_string(), "a\\nb\\u{1b}[0m");
        assert_eq!(Shown(b"\xff\x80x").to_string(), "\\xff\\x80x");
        assert_eq!(Shown(b"").to_string(), "''");
    }
}
