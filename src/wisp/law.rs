//! The macro `law`: a signature, bindings and a body become a law (chapter 06 §3.6).
//!
//! Invariants:
//! - Local names never stop a macro: bindings and body are expanded before names are resolved.
//! - A constant is written bare unless a law body would read it as code; then it is quoted.
//! - The form of a body is walked with a list of steps, not by recursion.

use super::env::{FLAG, VALUE, push_slot};
use super::eval::{Evaluator, Failure, Shape, Task, name_bytes, shape};
use super::form::slot_of;
use super::text::join;
use crate::heap::store::crc;
use crate::heap::words::Words;
use crate::value::Value;
use alloc::vec::Vec;

/// A law being built.
#[derive(Default)]
pub(super) struct Frame {
    /// The local names and the index of each.
    locals: Vec<(Vec<u8>, u64)>,
    /// Where they are in the list, by their checksums or, where that is taken, the next free number.
    places: Words,
    /// Number of arguments.
    arity: u64,
    /// Number of bindings.
    bindings: u64,
}

impl Frame {
    /// Gives a name an index; the name if it has one already.
    fn name(&mut self, v: Value, index: u64) -> Option<Vec<u8>> {
        if shape(v) != Shape::Symbol || !v.is_nat() {
            return None;
        }
        let name = name_bytes(v);
        let (key, place) = self.find(&name);
        let repeated = place.is_some();
        match place {
            Some(i) => self.locals[i].1 = index,
            None => {
                self.places.insert(key, self.locals.len() as u64);
                self.locals.push((name.clone(), index));
            }
        }
        (repeated && name != b"_").then_some(name)
    }

    /// Whether a name is one of the law's own.
    pub(super) fn is_local(&self, name: &[u8]) -> bool {
        self.find(name).1.is_some()
    }

    /// The place of a name in the list, and its key in the table.
    fn find(&self, name: &[u8]) -> (u64, Option<usize>) {
        let mut key = u64::from(crc::bytes(name));
        while let Some(i) = self.places.get(key) {
            if self.locals[i as usize].0 == name {
                return (key, Some(i as usize));
            }
            key += 1;
        }
        (key, None)
    }

    /// The local names.
    pub(super) fn names(&self) -> Vec<Vec<u8>> {
        self.locals.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The largest reference.
    fn largest(&self) -> u64 {
        self.arity + self.bindings
    }
}

/// What is still to be assembled.
enum Step {
    /// The form on top; whether it is the whole body.
    Form(bool),
    /// Stack: form, node so far. Go on with this slot.
    Slot(usize),
    /// Stack: form, node so far, next argument's code. Go on with this slot.
    Join(usize),
}

impl Evaluator<'_> {
    /// Stack: call. Reads the signature and starts with the bindings.
    pub(super) fn law_begin(&mut self) -> Result<(), Failure> {
        self.slot(0, 1)?;
        let (signature, elements) = (self.machine.top(0), self.machine.top(1).size());
        let list = shape(signature) == Shape::List;
        if !list || signature.row_len() < 2 {
            return self.reject(b"law needs (law (name arg ...) body)", Some(1));
        }
        if self.is_strict() && elements < 3 {
            return self.reject(
                b"law has no body: law needs (law (name arg ...) body)",
                None,
            );
        }
        let arity = signature.size() as u64 - 1;
        let mut frame = Frame {
            arity,
            bindings: elements.saturating_sub(3) as u64,
            ..Frame::default()
        };
        for i in 0..=arity {
            self.slot(0, i as usize)?;
            let name = self.machine.pop();
            let single = shape(name) == Shape::List && self.is_spec();
            if self.is_strict() && (single || !is_parameter(name, i)) {
                let message = b"a law's parameters are names, its own may be a string or number";
                return self.reject(message, Some(1));
            }
            let repeated = frame.name(name, i);
            self.warn_if_repeated(repeated);
        }
        if self.is_spec() {
            // Here locals hide macros, so all of them must be known first.
            for i in 2..elements - 1 {
                let binding = slot_of(self.machine.top(1), i);
                frame.name(slot_of(binding, 1), frame.arity + i as u64 - 1);
            }
        }
        self.laws.push(frame);
        self.tag()?;
        self.tasks.push(Task::LawSlot(2));
        Ok(())
    }

    fn warn_if_repeated(&mut self, name: Option<Vec<u8>>) {
        if let Some(name) = name.filter(|_| self.rules.warn) {
            self.warn_of_name(&name, b" is bound twice in this law; the last one counts");
        }
    }

    /// Replaces the signature on top by the law's name.
    fn tag(&mut self) -> Result<(), Failure> {
        self.slot(0, 0)?;
        self.remove_second();
        if !self.machine.top(0).is_nat() {
            self.slot(0, 0)?;
            self.remove_second();
        }
        Ok(())
    }

    /// Stack: call, tag, expanded bindings so far.
    pub(super) fn law_slot(&mut self, i: usize) -> Result<(), Failure> {
        let call = self.machine.top(i - 1);
        let last = call.size() - 1;
        if i >= last {
            push_slot(self.machine, i - 1, last);
            self.tasks.push(Task::LawBuild);
            self.tasks.push(Task::Expand);
            return Ok(());
        }
        self.slot(i - 1, i)?;
        if self.is_strict() && !self.is_binding()? {
            return self.reject(b"a binding in a law is (@ name expr)", Some(i));
        }
        // The reference implementation applies the name to the expression and takes the head of that
        // for the name: with a symbol this is the pair of both.
        self.slot(0, 1)?;
        push_slot(self.machine, 1, 2);
        self.machine.make_app(1)?;
        self.evaluated()?;
        let pair = self.machine.top(0);
        let name = if pair.is_closure() { pair.head() } else { pair };
        if !self.is_spec()
            && let Some(frame) = self.laws.last_mut()
        {
            let repeated = frame.name(name, frame.arity + i as u64 - 1);
            self.warn_if_repeated(repeated);
        }
        push_slot(self.machine, 0, 0);
        self.remove_second();
        self.remove_second();
        self.tasks.push(Task::LawSlot(i + 1));
        self.tasks.push(Task::Expand);
        Ok(())
    }

    /// Whether the form on top is `(@ name expr)`.
    fn is_binding(&mut self) -> Result<bool, Failure> {
        if self.machine.top(0).row_len() != 3 {
            return Ok(false);
        }
        self.slot(0, 0)?;
        let at = self.machine.pop() == Value::direct(b'@' as u64);
        self.slot(0, 1)?;
        let name = self.machine.pop();
        Ok(at && name.is_nat() && shape(name) == Shape::Symbol)
    }

    /// Stack: call, tag, expanded bindings, expanded body. Leaves call and the law's literal.
    pub(super) fn law_build(&mut self) -> Result<(), Failure> {
        let Some(frame) = self.laws.pop() else {
            return self.reject(b"law without a frame", None);
        };
        let result = self.law_code(&frame);
        if result.is_err() {
            self.note.locals = frame.names();
        }
        result
    }

    /// Stack: call, tag, expanded bindings, expanded body. Leaves call and the law's literal.
    fn law_code(&mut self, frame: &Frame) -> Result<(), Failure> {
        let parts = frame.bindings as usize + 1;
        for below in (0..parts).rev() {
            let form = self.machine.top(below);
            self.machine.push(form);
            self.assemble(frame, below == 0)?;
            let code = self.machine.pop();
            self.machine.set_top(below, code);
        }
        for _ in 1..parts {
            let (binding, rest) = (self.machine.top(1), self.machine.top(0));
            self.machine.set_top(1, Value::ONE);
            self.machine.set_top(0, binding);
            self.machine.push(rest);
            self.machine.make_row(2)?;
        }
        self.machine.push(Value::direct(frame.arity));
        self.machine.push(self.machine.top(2));
        self.machine.make_law()?;
        self.remove_second();
        self.literal()
    }

    /// Replaces the expanded form on top by its code.
    fn assemble(&mut self, frame: &Frame, body: bool) -> Result<(), Failure> {
        let mut steps = Vec::from([Step::Form(body)]);
        while let Some(step) = steps.pop() {
            self.machine.ensure_stack(8)?;
            match step {
                Step::Form(body) => self.assemble_form(frame, body, &mut steps)?,
                Step::Slot(i) => {
                    if i == 1 {
                        let (code, form) = (self.machine.top(0), self.machine.top(1));
                        self.check_call(code, form.size() - 1, form);
                    }
                    if i < self.machine.top(1).size() {
                        push_slot(self.machine, 1, i);
                        steps.push(Step::Join(i + 1));
                        steps.push(Step::Form(false));
                    } else {
                        self.check_code(self.machine.top(0), self.machine.top(1));
                        self.remove_second();
                    }
                }
                Step::Join(next) => {
                    let (node, argument) = (self.machine.top(1), self.machine.top(0));
                    self.machine.set_top(1, Value::ZERO);
                    self.machine.set_top(0, node);
                    self.machine.push(argument);
                    self.machine.make_row(2)?;
                    steps.push(Step::Slot(next));
                }
            }
        }
        Ok(())
    }

    fn assemble_form(
        &mut self,
        frame: &Frame,
        body: bool,
        steps: &mut Vec<Step>,
    ) -> Result<(), Failure> {
        self.evaluated()?;
        let form = self.machine.top(0);
        match (shape(form), form.row_len()) {
            (Shape::Literal, _) => {
                push_slot(self.machine, 0, 0);
                self.remove_second();
                self.constant(frame, body)
            }
            (Shape::Symbol, _) => self.reference(frame, body),
            (Shape::List, 0) => {
                self.machine.set_top(0, Value::ZERO);
                self.constant(frame, body)
            }
            (Shape::List, 1) => {
                push_slot(self.machine, 0, 0);
                self.remove_second();
                steps.push(Step::Form(body));
                Ok(())
            }
            (Shape::List, _) => {
                push_slot(self.machine, 0, 0);
                steps.push(Step::Slot(1));
                steps.push(Step::Form(false));
                Ok(())
            }
        }
    }

    /// Replaces the symbol on top by its index or by the constant it is bound to.
    fn reference(&mut self, frame: &Frame, body: bool) -> Result<(), Failure> {
        let symbol = self.machine.top(0);
        if symbol.is_nat()
            && let Some(i) = frame.find(&name_bytes(symbol)).1
        {
            self.machine.set_top(0, Value::direct(frame.locals[i].1));
            return Ok(());
        }
        self.machine.push(symbol);
        if !self.lookup()? {
            return self.unbound(b"undefined-");
        }
        if self.is_spec() && slot_of(self.machine.top(0), FLAG) != Value::ZERO {
            let message = join(&[&name_bytes(symbol), b" is a macro and no value for a law"]);
            return self.reject(&message, None);
        }
        push_slot(self.machine, 0, VALUE);
        self.remove_second();
        self.remove_second();
        self.constant(frame, body)
    }

    /// Quotes the value on top if a law body would read it as code.
    fn constant(&mut self, frame: &Frame, body: bool) -> Result<(), Failure> {
        self.evaluated()?;
        let value = self.machine.top(0);
        let code = if self.is_spec() {
            true
        } else if value.is_nat() {
            value.small().is_some_and(|n| n <= frame.largest())
        } else if value.is_closure() {
            let (head, size) = (value.head(), value.size());
            let (zero, one) = (head == Value::ZERO, head == Value::ONE);
            size == 1 && (zero || one) || size == 2 && (zero || one && body)
        } else {
            false
        };
        if !code {
            return Ok(());
        }
        self.machine.set_top(0, Value::ZERO);
        self.machine.push(value);
        Ok(self.machine.make_row(1)?)
    }
}

/// Whether element `i` of a signature may stand there.
fn is_parameter(v: Value, i: u64) -> bool {
    match shape(v) {
        Shape::Symbol => v.is_nat(),
        Shape::Literal => i == 0,
        Shape::List => i == 0 && v.row_len() == 1,
    }
}
