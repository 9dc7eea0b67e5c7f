//! The newer dialect (chapter 06 §1.2): five names that act as macros while they are not bound.
//!
//! | form | expands to |
//! |---|---|
//! | `(EVAL expr)` | the literal of the value |
//! | `(PIN expr)` | the literal of the pin of the value |
//! | `(DEF name expr)`, `(MAC name expr)` | the literal of the value, which is bound |
//! | `(LAW (self arg …) (@ name expr) … body)` | the literal of the law |
//!
//! Each has a second spelling, as the two descriptions of the dialect differ: `def mac pin law`.
//!
//! Invariants:
//! - A top-level form is expanded as the argument of EVAL; so whoever binds that name takes over
//!   the evaluation.
//! - What is evaluated during an expansion does not see the locals of a law around it.

use super::eval::{Evaluator, Failure, Task};
use super::form::slot_of;
use super::law::Frame;
use super::note::{DEFINITION, LAW};
use crate::value::Value;

/// A special form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Special {
    /// Evaluates its argument.
    Eval,
    /// Makes a pin.
    Pin,
    /// Binds a name, as a macro if the flag is set.
    Define(bool),
    /// Makes a law.
    Law,
}

/// The name of the form every top-level form is put into.
pub(super) const EVAL: &[u8] = b"EVAL";

impl Special {
    /// The special form of this name.
    pub(super) fn named(name: &[u8]) -> Option<Special> {
        Some(match name {
            EVAL => Special::Eval,
            b"PIN" | b"pin" => Special::Pin,
            b"DEF" | b"def" => Special::Define(false),
            b"MAC" | b"mac" => Special::Define(true),
            b"LAW" | b"law" => Special::Law,
            _ => return None,
        })
    }
}

impl Evaluator<'_> {
    /// Stack: call. Expands the special form, of which a call has been noted.
    pub(super) fn expand_special(&mut self, special: Special) -> Result<(), Failure> {
        match special {
            Special::Law => {
                self.call_is(LAW);
                return self.law_begin();
            }
            Special::Define(flag) => {
                self.call_is(if flag { "macro" } else { DEFINITION });
                self.check_definition(flag)?;
                self.tasks.push(Task::Define(flag));
                self.push_slot(2);
            }
            Special::Eval | Special::Pin => {
                if self.machine.top(0).size() != 2 {
                    return self.reject(b"this form takes one expression", None);
                }
                self.tasks.push(Task::Literal(special == Special::Pin));
                self.push_slot(1);
            }
        }
        self.laws.push(Frame::default());
        self.tasks.push(Task::LeaveLaw);
        self.tasks.push(Task::Eval);
        Ok(())
    }

    fn push_slot(&mut self, i: usize) {
        let slot = slot_of(self.machine.top(0), i);
        self.machine.push(slot);
    }

    /// Stack: call, value. Replaces the value by the literal of it or of its pin.
    pub(super) fn special_literal(&mut self, pinned: bool) -> Result<(), Failure> {
        if pinned {
            self.machine.pin_top()?;
        } else {
            self.machine.force_top()?;
        }
        self.literal()
    }

    /// Puts the form on top into an EVAL.
    ///
    /// # Errors
    /// When there is no memory.
    pub(super) fn wrap(&mut self) -> Result<(), Failure> {
        let form = self.machine.top(0);
        self.machine.set_top(0, Value::ZERO);
        self.machine.push(form);
        super::form::push_bytes(self.machine, EVAL)?;
        let (form, name) = (self.machine.top(1), self.machine.top(0));
        self.machine.set_top(1, name);
        self.machine.set_top(0, form);
        Ok(self.machine.make_row(2)?)
    }
}
