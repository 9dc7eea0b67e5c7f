//! Whether an outcome is one that a person can do something with.
//!
//! Invariants:
//! - an error without a place is accepted only where the specification gives it none: what a loop
//!   of the program's own throws, and `<<loop>>`.

use plan::machine::{Machine, Stop};
use plan::wisp::diagnose::shown;
use plan::wisp::report::{self, Message};
use plan::wisp::{Ended, Failure, Session, Sources};

/// The name of the source in messages.
pub const NAME: &str = "source";

/// Longest message, in bytes. What is shown of values, names and lines is cut.
const LONGEST: usize = 8_000;

/// What a source ended with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Its last form had a value.
    Value,
    /// A loop of its own took over.
    OwnLoop,
    /// A loop of its own ended by an exception.
    OwnLoopThrew,
    /// There was no loop any more.
    Ignored,
    /// A name is not bound.
    Unbound,
    /// A check refused a form.
    Rejected,
    /// An exception of the program.
    Thrown,
    /// An error of an operation.
    Operation,
    /// The stack, memory or time is exhausted.
    Limit,
    /// A value depends on itself.
    Loop,
    /// The text cannot be read.
    Unreadable,
    /// What it requires is not there.
    NotAssembled,
}

/// The kind of an outcome and the message a user sees, if there is one.
pub fn described(
    session: &mut Session,
    sources: &Sources,
    ended: Ended,
) -> (Kind, Option<Vec<u8>>) {
    match ended {
        Ended::Done => (Kind::Value, None),
        Ended::Replaced(_) => (Kind::OwnLoop, None),
        Ended::Ignored(_, form) => {
            let warning = Message::error("input ignored").render(sources, form);
            (Kind::Ignored, Some(warning))
        }
        Ended::Stopped(Stop::Loop) => (Kind::Loop, None),
        Ended::Stopped(Stop::Thrown) => (Kind::OwnLoopThrew, None),
        // There may be no memory for it.
        Ended::NoLibrary(_) => (Kind::Limit, None),
        Ended::Unreadable(error) => {
            let (message, span) = report::unreadable(sources, error);
            (Kind::Unreadable, Some(message.render(sources, span)))
        }
        Ended::Failed(failure, note, form) => {
            let diagnosis = session.diagnose(sources, failure, &note, form);
            let text = &diagnosis.message.text;
            let raw = text.starts_with(b"form contains the raw number");
            let kind = match failure {
                Failure::Loop => Kind::Loop,
                Failure::Rejected => Kind::Rejected,
                _ if raw || text.ends_with(b" is not defined") => Kind::Unbound,
                Failure::Thrown => exception_kind(session.machine()),
            };
            (
                kind,
                Some(diagnosis.message.render(sources, diagnosis.span)),
            )
        }
    }
}

/// The kind of the exception whose code and payload are on top.
fn exception_kind(machine: &Machine) -> Kind {
    let (code, payload) = (shown(machine.top(1)), shown(machine.top(0)));
    let starts = |kind: &str| payload.starts_with(format!("[%{kind} ").as_bytes());
    let operation = ["io", "badcall", "badop", "badfun", "arity0", "range"];
    match &code[..] {
        b"17" if starts("limit") => Kind::Limit,
        b"17" if operation.iter().any(|kind| starts(kind)) => Kind::Operation,
        _ => Kind::Thrown,
    }
}

/// Judges a message about this text.
pub fn judge(message: &[u8], text: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(message);
    if std::str::from_utf8(message).is_err() {
        return Err(format!("the message is not UTF-8: {shown:.2000}"));
    }
    let fail = |why: &str| Err(format!("{why}: {shown:.2000}"));
    if message.len() > LONGEST {
        return fail("the message is too long");
    }
    if !shown.ends_with('\n') {
        return fail("the message does not end its line");
    }
    if shown.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return fail("the message holds control characters");
    }
    let first = shown.lines().next().unwrap_or_default();
    let Some((line, column)) = place(first) else {
        return fail("the message has no place");
    };
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    let inside =
        line >= 1 && column >= 1 && lines.get(line - 1).is_some_and(|l| column <= l.len() + 1);
    if !inside {
        return fail("the place does not lie in the source");
    }
    Ok(())
}

/// Line and column of `source:LINE:COLUMN: error: MESSAGE`, where the message is not empty.
fn place(first: &str) -> Option<(usize, usize)> {
    let rest = first.strip_prefix(NAME)?.strip_prefix(':')?;
    let (place, message) = rest.split_once(": error: ")?;
    let (line, column) = place.split_once(':')?;
    if message.trim().is_empty() {
        return None;
    }
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// A check of the checks.
pub fn messages_without_a_proper_place_are_noticed() {
    let text = b"one\ntwo";
    let good = [
        "source:2:4: error: x\n",
        "source:1:1: error: x\n    one\n    ^\n",
    ];
    for message in good {
        assert_eq!(judge(message.as_bytes(), text), Ok(()), "{message}");
    }
    let bad = [
        "",
        "x is not defined\n",
        "source: error: x\n",
        "source:1: error: x\n",
        "source:0:1: error: x\n",
        "source:3:1: error: x\n",
        "source:1:5: error: x\n",
        "source:1:1: error: \n",
        "source:1:1: error: x",
        "source:1:1: error: a\x1b[1m\n",
        "source:1:1: error: a\u{9b}\n",
    ];
    for message in bad {
        assert!(judge(message.as_bytes(), text).is_err(), "{message:?}");
    }
    let long = format!("source:1:1: error: {}\n", "x".repeat(LONGEST));
    assert!(judge(long.as_bytes(), text).is_err());
}
