//! Handing the text over to a loop of the program's own (chapter 06 §3.8), and getting the environment
//! back from it (§5.3).
//!
//! Invariants:
//! - The loop gets the rest of the text as a lazy list of bytes; what it has not looked at is unevaluated,
//!   so it is known where it stopped to read.
//! - The escape is set only while such a loop runs.

use super::eval::{Failure, name_bytes};
use super::form::{push_bytes, whole};
use super::library::BUILTINS;
use super::read::{Reader, Span};
use super::session::{Ended, Input, Session};
use crate::machine::Stop;
use crate::nat;
use crate::value::Value;
use alloc::vec::Vec;

/// The macro that takes the environment out of a loop of the program's own (chapter 06 §5.3), and
/// the code of the exception that it is: the pin of this name, applied to the environment.
const ENTRY: &[u8] = b"__PLAN-ENTRY";
/// What is put behind the text to call it.
const ENTRY_CALL: &[u8] = b"\n(__PLAN-ENTRY)\n";
/// Place of `rest` above the environment.
const REST: usize = BUILTINS;

impl Session<'_> {
    /// Hands the rest of the text to the loop bound in the environment.
    /// Modules that the rest requires are bound now: that loop has no place for them.
    pub(super) fn replaced(&mut self, input: &mut dyn Input, at: usize, form: Span) -> Ended {
        if let Err(error) = self.load_due(input, usize::MAX) {
            return Ended::NoLibrary(error);
        }
        self.machine.set_escape(self.wants_entry.then_some(ENTRY));
        let rest = &input.text()[at..];
        let list = self.machine.depth();
        let result = self.call_loop(rest, input.grows());
        self.machine.set_escape(None);
        self.stopped_at = self.read_last(list, input.text(), at);
        match result {
            Err(Failure::Thrown) if self.recorded() => Ended::Done,
            Ok(None) => Ended::Ignored(rest.len(), form),
            Ok(Some(status)) => Ended::Replaced(status),
            Err(Failure::Loop) => Ended::Stopped(Stop::Loop),
            Err(_) => Ended::Stopped(Stop::Thrown),
        }
    }

    /// Whether the exception on top is the one that carries the environment; makes that the current
    /// one.
    fn recorded(&mut self) -> bool {
        if !self.wants_entry || name_bytes(self.machine.top(1)) != ENTRY {
            return false;
        }
        let env = self.machine.top(0);
        self.set(self.base, env);
        true
    }

    /// Binds the macro that takes the environment out.
    fn bind_entry(&mut self) -> Result<(), Failure> {
        push_bytes(self.machine, ENTRY)?;
        self.machine.pin_top()?;
        let place = self.machine.depth() - 1;
        self.bind(ENTRY, place, None, true)?;
        self.machine.drop_top(1);
        Ok(())
    }

    /// The form that ends where a loop stopped to read; the list of bytes it got is at the place `list`
    /// and begins with the byte at `at`.
    fn read_last(&self, list: usize, text: &[u8], at: usize) -> Option<Span> {
        let mut cell = self.machine.nth(list).resolve();
        let mut end = at;
        while cell.row_len() == 2 && end < text.len() {
            cell = cell.arg(1).resolve();
            end += 1;
        }
        let mut reader = Reader::new(text, at);
        let (mut events, mut last) = (Vec::new(), None);
        while let Ok(true) = reader.form(&mut events) {
            let form = whole(&events);
            // One byte more is read to see that a token has ended.
            if form.start + 1 >= end && end < text.len() {
                break;
            }
            last = Some(form);
        }
        last
    }

    /// The status of the loop; none if it is no function. Leaves the list of bytes it got where the
    /// stack ended.
    fn call_loop(&mut self, rest: &[u8], grows: bool) -> Result<Option<u8>, Failure> {
        self.machine.push(Value::ZERO);
        self.push_binding(b"__REPL")?;
        self.machine.eval_top()?;
        let function = self.machine.top(0);
        let head = match function.is_closure() {
            true => function.head(),
            false => function,
        };
        if head.is_nat() {
            return Ok(None);
        }
        let mut end: &[u8] = b"";
        if self.wants_entry {
            self.bind_entry()?;
            end = ENTRY_CALL;
        }
        self.machine.push(self.machine.nth(self.base));
        self.push_identity()?;
        self.machine.push(Value::ZERO);
        self.put_before(end)?;
        if grows {
            let end = self.machine.pop();
            self.machine.push(self.machine.nth(self.base + REST));
            self.machine.push(end);
            self.machine.make_app(1)?;
        }
        self.put_before(rest)?;
        let list = self.machine.pop();
        self.machine.set_top(0, list);
        self.machine.set_top(3, list);
        self.machine.make_app(2)?;
        self.machine.eval_top()?;
        let status = nat::limb_at(self.machine.top(0).cast().limbs(&mut [0]), 0);
        Ok(Some(status as u8))
    }

    /// Pushes the law that gives its argument.
    fn push_identity(&mut self) -> Result<(), Stop> {
        for part in [Value::ONE, Value::ONE, Value::ZERO] {
            self.machine.push(part);
        }
        self.machine.make_law()
    }

    /// Puts these bytes before the list on top, below which lies the identity. Each rest is unevaluated,
    /// so that what has been read can be told from what has not.
    fn put_before(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for byte in bytes.iter().rev() {
            let list = self.machine.top(0);
            self.machine.set_top(0, self.machine.top(1));
            self.machine.push(list);
            self.machine.make_app(1)?;
            let rest = self.machine.top(0);
            self.machine.set_top(0, Value::ZERO);
            self.machine.push(Value::direct(u64::from(*byte)));
            self.machine.push(rest);
            self.machine.make_row(2)?;
        }
        Ok(())
    }
}
