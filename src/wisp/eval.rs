//! Expansion and evaluation of forms (chapter 06 §3.3 to §3.5).
//!
//! Invariants:
//! - Values live on the machine's stack; what is still to be done is a list of [`Task`]s. So nothing
//!   recurses, and a collection may happen at any step.
//! - There is one current environment, at a fixed place of the machine's stack; every step reads it
//!   there and leaves its successor there.
//! - The built-in macros are reached through the environment alone, and are run here only when the
//!   value bound is the very one this room made; any other value is applied by the machine.

use super::env::{FLAG, VALUE, push_slot};
use super::form::{self, push_bytes};
use super::law::Frame;
use super::note::{Call, DEFINITION, EXPANSION, LAW, Note};
use super::read::{Dialect, Event, Span};
use super::spec::Special;
use super::text::join;
use crate::machine::{Machine, Stop};
use crate::nat;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// Nested expansions after which a macro is taken to expand for ever (chapter 06, N13).
const MAX_EXPANSIONS: usize = 10_000;
/// Stack words that one task may push, rows apart.
const ROOM: usize = 24;

/// Why a form has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// An exception; code and payload are the two topmost values.
    Thrown,
    /// A value depends on itself.
    Loop,
    /// A check of chapter 06 §7.4; what it says is in the note.
    Rejected,
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        match stop {
            Stop::Thrown => Failure::Thrown,
            Stop::Loop => Failure::Loop,
        }
    }
}

/// Places of the built-in functions on the machine's stack, and of what is known beside them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtins {
    /// The macro `law`.
    pub law: usize,
    /// The function behind `def` and `macro`.
    pub define: usize,
    /// The read loop.
    pub repl: usize,
    /// What macros have made of the form being evaluated: rows of a result, the call it came from and
    /// the row before; then 0.
    pub history: usize,
}

/// What is still to be done with the topmost values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task {
    /// Expand the form on top.
    Expand,
    /// Stack: form, 0, expanded slots. Go on with this slot.
    ExpandSlots(usize),
    /// Stack: macro call, result. The expansion is over.
    Leave,
    /// Evaluate the form on top.
    Eval,
    /// Stack: environment before the expansion, expanded form.
    Expanded,
    /// Evaluate the expanded form on top. `settled`: expanding its parts again changes nothing.
    Value { settled: bool },
    /// Stack: form, values of its slots. Go on with this slot.
    Values { next: usize, settled: bool },
    /// Stack: call, value. The expansion is the literal of the value, or of its pin.
    Literal(bool),
    /// Forget the innermost law.
    LeaveLaw,
    /// Stack: call, value. Bind it with this flag.
    Define(bool),
    /// Stack: call, tag, expanded bindings. Go on with this slot of the call.
    LawSlot(usize),
    /// Stack: call, tag, expanded bindings, expanded body.
    LawBuild,
}

/// How strict checks are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Accept what the reference implementation accepts (chapter 06 §7.4).
    pub lenient: bool,
    /// The dialect.
    pub dialect: Dialect,
    /// Warn of what is often a mistake but not always (option `-W`).
    pub warn: bool,
}

/// The evaluator of one form.
pub struct Evaluator<'m> {
    pub(super) machine: &'m mut Machine,
    /// Place of the environment on the machine's stack.
    pub(super) env: usize,
    /// The built-in functions.
    pub(super) builtins: Builtins,
    /// Which checks there are.
    pub(super) rules: Rules,
    pub(super) tasks: Vec<Task>,
    /// The laws being built, innermost last.
    pub(super) laws: Vec<Frame>,
    /// The macro calls being expanded, innermost last.
    pub(super) calls: Vec<Call>,
    /// What is known about the failure.
    pub(super) note: Note,
    /// What may be a mistake, and where.
    pub(super) warnings: Vec<(Span, Vec<u8>)>,
    /// How often the place of one was looked for.
    pub(super) searches: usize,
    pub(super) source: Option<(usize, &'m [u8], &'m [Event])>,
}

impl<'m> Evaluator<'m> {
    /// An evaluator whose environment is at the place `env` of the machine's stack.
    pub fn new(
        machine: &'m mut Machine,
        env: usize,
        builtins: Builtins,
        rules: Rules,
    ) -> Evaluator<'m> {
        Evaluator {
            machine,
            env,
            builtins,
            rules,
            tasks: Vec::new(),
            laws: Vec::new(),
            calls: Vec::new(),
            note: Note::default(),
            warnings: Vec::new(),
            searches: 0,
            source: None,
        }
    }

    /// Says where the form at place `root` of the stack was read from.
    pub fn with_source(mut self, root: usize, text: &'m [u8], events: &'m [Event]) -> Self {
        self.source = Some((root, text, events));
        self
    }

    /// Whether to reject what the reference implementation of the classic dialect accepts.
    pub(super) fn is_strict(&self) -> bool {
        !self.rules.lenient || self.is_spec()
    }

    /// Whether forms are of the newer dialect.
    pub(super) fn is_spec(&self) -> bool {
        self.rules.dialect == Dialect::Spec
    }

    /// Replaces the form on top by its value in normal form; in the newer dialect by its expansion,
    /// which is the literal of the value.
    ///
    /// # Errors
    /// Exceptions, loops and rejected forms. The stack then holds more than before.
    pub fn run(&mut self) -> Result<(), Failure> {
        if self.is_spec() {
            self.tasks.push(Task::Expand);
            self.wrap()?;
        } else {
            self.tasks.push(Task::Eval);
        }
        let result = self.work();
        if let Err(failure) = result {
            self.describe(failure);
        }
        result
    }

    /// Replaces the key on top by its node; false, with the key dropped, if it is not bound.
    ///
    /// # Errors
    /// As evaluation of the tree's nodes.
    pub fn find(&mut self) -> Result<bool, Failure> {
        self.lookup()
    }

    fn work(&mut self) -> Result<(), Failure> {
        while let Some(task) = self.tasks.pop() {
            self.machine.ensure_stack(ROOM)?;
            self.step(task)?;
        }
        Ok(self.machine.force_top()?)
    }

    fn step(&mut self, task: Task) -> Result<(), Failure> {
        match task {
            Task::Expand => self.expand(),
            Task::ExpandSlots(next) => self.expand_slots(next),
            Task::Leave => {
                self.calls.pop();
                self.remove_second();
                Ok(())
            }
            Task::Eval => {
                let (env, form) = (self.machine.nth(self.env), self.machine.top(0));
                self.machine.set_top(0, env);
                self.machine.push(form);
                self.tasks.push(Task::Expanded);
                self.tasks.push(Task::Expand);
                Ok(())
            }
            Task::Expanded => {
                let settled = self.machine.top(1) == self.machine.nth(self.env);
                self.remove_second();
                self.tasks.push(Task::Value { settled });
                Ok(())
            }
            Task::Value { settled } => self.value(settled),
            Task::Values { next, settled } => self.values(next, settled),
            Task::Literal(pinned) => self.special_literal(pinned),
            Task::LeaveLaw => {
                self.laws.pop();
                Ok(())
            }
            Task::Define(flag) => self.define(flag),
            Task::LawSlot(i) => self.law_slot(i),
            Task::LawBuild => self.law_build(),
        }
    }

    /// Drops the value below the topmost.
    pub(super) fn remove_second(&mut self) {
        let top = self.machine.pop();
        self.machine.set_top(0, top);
    }

    /// Makes `env` the current environment.
    pub(super) fn set_env(&mut self, env: Value) {
        self.set(self.env, env);
    }

    /// Replaces the value at a place of the stack.
    pub(super) fn set(&mut self, place: usize, v: Value) {
        let below = self.machine.depth() - 1 - place;
        self.machine.set_top(below, v);
    }

    // Expansion.

    fn expand(&mut self) -> Result<(), Failure> {
        self.evaluated()?;
        let form = self.machine.top(0);
        if !form.is_closure() || shape(form) != Shape::List {
            return Ok(());
        }
        self.slot(0, 0)?;
        let hidden = self.is_spec() && self.is_hidden();
        if !self.machine.top(0).is_nat() || hidden {
            self.machine.drop_top(1);
        } else if self.lookup()? {
            if self.is_macro()? {
                self.shadowed();
                return self.expand_call();
            }
            self.machine.drop_top(1);
        } else if self.is_spec()
            && let Some(special) =
                Special::named(&name_bytes(form::slot_of(self.machine.top(0), 0)))
        {
            self.enter_call(self.machine.depth() - 1)?;
            return self.expand_special(special);
        }
        self.machine.push(Value::ZERO);
        self.tasks.push(Task::ExpandSlots(0));
        Ok(())
    }

    /// Whether the name on top is one of the law being built.
    fn is_hidden(&self) -> bool {
        let local = |frame: &Frame| frame.is_local(&name_bytes(self.machine.top(0)));
        self.laws.last().is_some_and(local)
    }

    /// Notes that the macro call at this place of the stack is being expanded.
    fn enter_call(&mut self, place: usize) -> Result<(), Failure> {
        self.calls.push(Call {
            place,
            kind: EXPANSION,
        });
        if self.calls.len() > MAX_EXPANSIONS {
            return self.reject(b"macro expansion does not end", None);
        }
        self.tasks.push(Task::Leave);
        Ok(())
    }

    /// Stack: call, node of its macro. A local name does not stop the macro, which may surprise.
    fn shadowed(&mut self) {
        if let Some(frame) = self.laws.last().filter(|_| self.rules.warn) {
            let name = name_bytes(form::slot_of(self.machine.top(1), 0));
            if frame.is_local(&name) {
                self.warn_of_name(&name, b" is a macro too, and the macro is meant here");
            }
        }
    }

    /// Whether the node on top binds a macro.
    fn is_macro(&mut self) -> Result<bool, Failure> {
        for i in [FLAG, VALUE] {
            self.slot(0, i)?;
            if is_zero(self.machine.pop()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Expands the slots of a form without a macro at its head.
    fn expand_slots(&mut self, next: usize) -> Result<(), Failure> {
        let form = self.machine.top(next + 1);
        if next < form.size() {
            push_slot(self.machine, next + 1, next);
            self.tasks.push(Task::ExpandSlots(next + 1));
            self.tasks.push(Task::Expand);
            return Ok(());
        }
        // A form in which nothing changed stays the same object: so it is still known where it was
        // read, and nothing is allocated.
        let same = (0..next).all(|i| form.arg(i).resolve() == self.machine.top(next - 1 - i));
        if same {
            self.machine.drop_top(next + 1);
            return Ok(());
        }
        self.machine.make_row(next)?;
        self.remove_second();
        Ok(())
    }

    /// Stack: call, node of its macro.
    fn expand_call(&mut self) -> Result<(), Failure> {
        self.enter_call(self.machine.depth() - 2)?;
        self.slot(0, VALUE)?;
        self.remove_second();
        let function = self.machine.top(0);
        if function == self.machine.nth(self.builtins.law) {
            self.machine.drop_top(1);
            self.call_is(LAW);
            return self.law_begin();
        }
        if let Some(flag) = self.definition(function) {
            self.machine.drop_top(1);
            self.call_is(if flag { "macro" } else { DEFINITION });
            return self.define_begin(flag);
        }
        self.apply_macro()
    }

    /// Says what the innermost macro call makes.
    pub(super) fn call_is(&mut self, kind: &'static str) {
        if let Some(call) = self.calls.last_mut() {
            call.kind = kind;
        }
    }

    /// The flag with which this value, if it is `define` with one argument, binds names.
    fn definition(&self, function: Value) -> Option<bool> {
        let define = self.machine.nth(self.builtins.define);
        if !function.is_closure() || function.head() != define || function.size() != 1 {
            return None;
        }
        match function.arg(0).resolve() {
            Value::ZERO => Some(false),
            Value::ONE => Some(true),
            _ => None,
        }
    }

    /// Stack: call, function. Applies it and goes on with what it returns.
    fn apply_macro(&mut self) -> Result<(), Failure> {
        if self.machine.top(0).is_nat() && self.is_strict() {
            let name = self.call_name();
            return self.reject(
                &[b"macro ", &name[..], b" is not a function"].concat(),
                None,
            );
        }
        self.machine.push(self.machine.nth(self.env));
        self.machine.push(self.machine.top(2));
        self.machine.make_app(2)?;
        self.machine.eval_top()?;
        if self.is_strict() && !self.is_result()? {
            let shown = super::diagnose::shown(self.machine.top(0));
            let name = self.call_name();
            let message = [
                b"macro ",
                &name[..],
                b" returned ",
                &shown,
                b", expected [env form]",
            ];
            return self.reject(&message.concat(), None);
        }
        self.slot(0, 0)?;
        let env = self.machine.pop();
        self.set_env(env);
        push_slot(self.machine, 0, 1);
        self.remove_second();
        self.remember()?;
        self.tasks.push(Task::Expand);
        Ok(())
    }

    /// Whether the value on top is a row of an environment and a form.
    fn is_result(&mut self) -> Result<bool, Failure> {
        let result = self.machine.top(0);
        if !result.is_closure() || result.head() != Value::ZERO || result.size() != 2 {
            return Ok(false);
        }
        self.slot(0, 0)?;
        let env = self.machine.pop();
        Ok(env == Value::ZERO || env.is_closure() && env.head() == Value::ZERO)
    }

    // Evaluation.

    fn value(&mut self, settled: bool) -> Result<(), Failure> {
        self.evaluated()?;
        let form = self.machine.top(0);
        match (shape(form), form.row_len()) {
            (Shape::Literal, _) => {
                push_slot(self.machine, 0, 0);
                self.remove_second();
            }
            (Shape::Symbol, _) => self.symbol(b"undefined:")?,
            (Shape::List, 0) if self.is_spec() => self.machine.set_top(0, Value::ZERO),
            (Shape::List, 0) => {
                self.machine.set_top(0, Value::ONE);
                self.machine.push(Value::ZERO);
                self.machine.make_row(1)?;
            }
            (Shape::List, 1) => {
                push_slot(self.machine, 0, 0);
                self.remove_second();
                self.part(settled);
            }
            (Shape::List, _) => self.tasks.push(Task::Values { next: 0, settled }),
        }
        Ok(())
    }

    /// Evaluates the part of an expanded form on top.
    fn part(&mut self, settled: bool) {
        self.tasks.push(if settled {
            Task::Value { settled }
        } else {
            Task::Eval
        });
    }

    fn values(&mut self, next: usize, settled: bool) -> Result<(), Failure> {
        if next < self.machine.top(next).size() {
            push_slot(self.machine, next, next);
            self.tasks.push(Task::Values {
                next: next + 1,
                settled,
            });
            self.part(settled);
            return Ok(());
        }
        let (callee, form) = (self.machine.top(next - 1).resolve(), self.machine.top(next));
        self.check_call(callee, next - 1, form);
        self.machine.make_app(next - 1)?;
        self.remove_second();
        Ok(())
    }

    /// Replaces the symbol on top by its value.
    fn symbol(&mut self, prefix: &[u8]) -> Result<(), Failure> {
        self.machine.push(self.machine.top(0));
        if !self.lookup()? {
            return self.unbound(prefix);
        }
        push_slot(self.machine, 0, VALUE);
        self.remove_second();
        self.remove_second();
        Ok(())
    }

    /// Throws what the reference implementation throws for the unbound name on top.
    pub(super) fn unbound<T>(&mut self, prefix: &[u8]) -> Result<T, Failure> {
        let name = name_bytes(self.machine.top(0));
        self.note.span = self.symbol_span(&name);
        if self.note.span.is_none() {
            self.note.trail = self.origin(self.machine.top(0));
        }
        push_bytes(self.machine, b"Throw")?;
        push_bytes(self.machine, &[prefix, &name[..]].concat())?;
        self.note.unbound = Some(name);
        Err(Failure::Thrown)
    }

    // `def` and `macro`.

    /// Stack: call.
    fn define_begin(&mut self, flag: bool) -> Result<(), Failure> {
        if self.is_strict() {
            self.check_definition(flag)?;
        }
        self.tasks.push(Task::Define(flag));
        push_slot(self.machine, 0, 2);
        self.tasks.push(Task::Eval);
        Ok(())
    }

    /// Stack: call. Refuses one that is not of the form `(def name expr)`.
    pub(super) fn check_definition(&mut self, flag: bool) -> Result<(), Failure> {
        self.slot(0, 1)?;
        let named = shape(self.machine.pop()) == Shape::Symbol;
        if self.machine.top(0).size() == 3 && named {
            return Ok(());
        }
        let word: &[u8] = match (flag, self.rules.dialect) {
            (false, Dialect::Classic) => b"def",
            (true, Dialect::Classic) => b"macro",
            (false, Dialect::Spec) => b"DEF",
            (true, Dialect::Spec) => b"MAC",
        };
        self.reject(&join(&[word, b" needs (", word, b" name expr)"]), None)
    }

    /// Stack: call, value.
    fn define(&mut self, flag: bool) -> Result<(), Failure> {
        self.machine.push(self.machine.nth(self.env));
        self.machine.force_top()?;
        let env = self.machine.pop();
        self.set_env(env);
        self.machine.force_top()?;
        self.slot(1, 1)?;
        self.machine.push(self.machine.top(1));
        self.machine.push(Value::bit(flag));
        self.insert()?;
        self.literal()
    }

    /// Replaces the value on top by the literal form of it.
    pub(super) fn literal(&mut self) -> Result<(), Failure> {
        let value = self.machine.top(0);
        self.machine.set_top(0, Value::ONE);
        self.machine.push(value);
        Ok(self.machine.make_row(1)?)
    }
}

/// What a form is, by its head (chapter 06 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A list of forms; a pin or law by itself counts as the empty one.
    List,
    /// A quoted value.
    Literal,
    /// A name.
    Symbol,
}

/// The shape of an evaluated form.
pub(super) fn shape(form: Value) -> Shape {
    let head = if form.is_closure() { form.head() } else { form };
    match head.cast() {
        Value::ZERO => Shape::List,
        Value::ONE => Shape::Literal,
        _ => Shape::Symbol,
    }
}

/// Whether a value is the natural 0.
pub(super) fn is_zero(v: Value) -> bool {
    v.is_nat() && v.bit_len() == 0
}

/// The bytes of a natural.
pub fn name_bytes(v: Value) -> Vec<u8> {
    let mut space = [0];
    let limbs = v.cast().limbs(&mut space);
    let length = nat::byte_len(limbs) as usize;
    nat::as_bytes(limbs)[..length].to_vec()
}

/// The bytes of a name as text.
pub fn name_text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
