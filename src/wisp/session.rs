//! The loop of chapter 06 §3.2 over a text: read a form, evaluate it, go on in the environment it leaves.
//!
//! ```text
//!   machine's stack: … │ environment │ law │ define │ repl │ eval │ rest │ what a form needs …
//!                        ▲ base
//! ```
//!
//! Invariants:
//! - The machine's stack below the session's values is not touched; from there on lie the
//!   environment and the built-in functions, which stay where they are.
//! - Form k is evaluated before form k + 1 is read.
//! - A loop that a program puts in the place of the built-in one gets the rest of the text and
//!   decides the status.

use super::env::{VALUE, push_slot};
use super::eval::{Builtins, Evaluator, Failure, Rules, name_bytes};
use super::form::{push_bytes, push_form, whole};
use super::library::{BUILTINS, Library, LoadError};
use super::note::Note;
use super::read::{Boundary, Dialect, Event, ReadError, Reader, Span};
use crate::machine::{Machine, Stop};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A text that may grow and may ask for modules of the library.
pub trait Input {
    /// The text as far as it is known.
    fn text(&self) -> &[u8];

    /// The next module to load before the form at this offset, each once.
    fn due(&mut self, offset: usize) -> Option<usize>;

    /// Whether standard input goes on where the text ends.
    fn grows(&self) -> bool;

    /// Makes the text longer, waiting if need be; false if it stays as it is for good.
    fn more(&mut self) -> bool;
}

/// What is told about each form.
pub trait Observer {
    /// A form is about to be evaluated.
    fn form(&mut self, form: Value, span: Span);
    /// It had this value.
    fn value(&mut self, value: Value);
    /// It failed by an exception: this is the value `ERROR[code[payload]]`.
    fn error(&mut self, error: Value);
}

/// Sees nothing.
pub struct Silent;

impl Observer for Silent {
    fn form(&mut self, _: Value, _: Span) {}
    fn value(&mut self, _: Value) {}
    fn error(&mut self, _: Value) {}
}

/// How a text ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// At its end.
    Done,
    /// A form failed. After [`Failure::Thrown`] code and payload are the two topmost values.
    Failed(Failure, Box<Note>, Span),
    /// The text cannot be read.
    Unreadable(ReadError),
    /// A loop of the program's own ended with this status.
    Replaced(u8),
    /// A loop of the program's own ended without a result.
    Stopped(Stop),
    /// `__REPL` is no function any more after this form, so that many bytes are not looked at.
    Ignored(usize, Span),
    /// The built-in library cannot be loaded.
    NoLibrary(LoadError),
}

/// A failure of which nothing more is known.
fn plain(failure: Failure) -> (Failure, Box<Note>) {
    (failure, Box::default())
}

/// An environment and what is needed to go on in it.
pub struct Session<'m> {
    pub(super) machine: &'m mut Machine,
    pub(super) base: usize,
    pub(super) builtins: Builtins,
    pub(super) rules: Rules,
    pub(super) library: Library,
    /// Which modules of the library have been loaded; those beyond the end have not.
    pub(super) loaded: Vec<bool>,
    /// The first string the end of a text closed.
    pub open_string: Option<Span>,
    /// What may be a mistake in the forms evaluated so far, and where.
    pub warnings: Vec<(Span, Vec<u8>)>,
    /// The form a loop of the program's own had read last when it ended.
    pub stopped_at: Option<Span>,
    /// Whether the environment is wanted that a loop of the program's own has at the end of the text;
    /// that loop then ends with [`Ended::Done`] instead of its status.
    pub wants_entry: bool,
}

impl<'m> Session<'m> {
    /// A session on a machine, with the initial environment. Without a prepared library the built-in
    /// functions are made from their text, which takes some milliseconds.
    ///
    /// # Errors
    /// A library that cannot be decoded, and lack of memory.
    pub fn new(
        machine: &'m mut Machine,
        rules: Rules,
        library: Library,
    ) -> Result<Session<'m>, LoadError> {
        let base = machine.depth();
        for _ in 0..BUILTINS + 2 {
            machine.push(Value::ZERO);
        }
        let mut session = Session {
            machine,
            base,
            builtins: Builtins {
                law: base + 1,
                define: base + 2,
                repl: base + 3,
                history: base + BUILTINS + 1,
            },
            rules,
            library,
            loaded: Vec::new(),
            open_string: None,
            warnings: Vec::new(),
            stopped_at: None,
            wants_entry: false,
        };
        if library.builtins.is_empty() {
            session.rules = Rules::default();
            session.bootstrap()?;
            session.rules = rules;
        } else {
            session.load_builtins()?;
        }
        if rules.dialect == Dialect::Classic {
            session.bind_all()?;
        }
        Ok(session)
    }

    /// The current environment.
    pub fn environment(&self) -> Value {
        self.machine.nth(self.base)
    }

    /// The machine.
    pub fn machine(&mut self) -> &mut Machine {
        self.machine
    }

    /// The built-in library.
    pub fn library(&self) -> Library {
        self.library
    }

    pub(super) fn evaluator(&mut self) -> Evaluator<'_> {
        Evaluator::new(self.machine, self.base, self.builtins, self.rules)
    }

    pub(super) fn set(&mut self, place: usize, v: Value) {
        let below = self.machine.depth() - 1 - place;
        self.machine.set_top(below, v);
    }

    /// Binds a name to the value at a place of the stack, or to its application to a number.
    pub(super) fn bind(
        &mut self,
        name: &[u8],
        place: usize,
        argument: Option<u64>,
        is_macro: bool,
    ) -> Result<(), Failure> {
        push_bytes(self.machine, name)?;
        self.machine.push(self.machine.nth(place));
        if let Some(n) = argument {
            self.machine.push(Value::direct(n));
            self.machine.make_row(1)?;
        }
        self.machine.push(Value::bit(is_macro));
        self.evaluator().bind_top()
    }

    /// Pushes the value of a name; 0 if it is not bound.
    ///
    /// # Errors
    /// As evaluation of the environment.
    pub fn push_binding(&mut self, name: &[u8]) -> Result<bool, Failure> {
        push_bytes(self.machine, name)?;
        let bound = self.evaluator().find()?;
        if !bound {
            self.machine.push(Value::ZERO);
            return Ok(false);
        }
        push_slot(self.machine, 0, VALUE);
        let v = self.machine.pop();
        self.machine.set_top(0, v);
        Ok(true)
    }

    /// The text that documents a name, if there is one: its entry in the tree `__DOC`, which has
    /// the form of the environment.
    ///
    /// # Errors
    /// As evaluation of that tree.
    pub fn doc(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let depth = self.machine.depth();
        self.push_binding(b"__DOC")?;
        push_bytes(self.machine, name)?;
        let (builtins, rules) = (self.builtins, self.rules);
        let mut text = None;
        if Evaluator::new(self.machine, depth, builtins, rules).find()? {
            push_slot(self.machine, 0, VALUE);
            self.machine.force_top()?;
            text = Some(name_bytes(self.machine.top(0)));
        }
        self.machine.drop_top(self.machine.depth() - depth);
        Ok(text)
    }

    // The loop.

    /// As [`Session::run`], but a loop of the program's own that is there already gets all of it.
    pub fn go_on(
        &mut self,
        input: &mut dyn Input,
        at: usize,
        observer: &mut dyn Observer,
    ) -> Ended {
        let form = Span { start: at, end: at };
        match self.next_loop() {
            Ok(true) => self.run(input, at, observer),
            Ok(false) => self.replaced(input, at, form),
            Err(failure) => Ended::Failed(failure, Box::default(), form),
        }
    }

    /// Evaluates the forms of a text from an offset on.
    pub fn run(&mut self, input: &mut dyn Input, at: usize, observer: &mut dyn Observer) -> Ended {
        let (mut at, mut events) = (at, Vec::new());
        loop {
            let dialect = self.rules.dialect;
            let mut reader = Reader::of(dialect, input.text(), at);
            at = reader.skip_gap();
            if let Err(error) = self.load_due(input, at) {
                return Ended::NoLibrary(error);
            }
            if input.grows() {
                let mut boundary = Boundary::new(dialect, at);
                while !boundary.reached(input.text()) && input.more() {}
            }
            let text = input.text();
            let mut reader = Reader::of(dialect, text, at);
            let read = reader.form(&mut events);
            self.open_string = self.open_string.or(reader.open_string());
            at = reader.offset();
            match read {
                Err(error) => return Ended::Unreadable(error),
                Ok(false) => return Ended::Done,
                Ok(true) => {}
            }
            if let Err(ended) = self.evaluate(text, &events, observer) {
                return ended;
            }
            match self.next_loop() {
                Ok(true) => {}
                Ok(false) => return self.replaced(input, at, whole(&events)),
                Err(failure) => return Ended::Failed(failure, Box::default(), whole(&events)),
            }
        }
    }

    /// Loads the modules that are to be there before the form at this offset.
    pub(super) fn load_due(&mut self, input: &mut dyn Input, at: usize) -> Result<(), LoadError> {
        while let Some(module) = input.due(at) {
            self.require(module)?;
        }
        Ok(())
    }

    /// Evaluates the form of these events and drops its value.
    ///
    /// # Errors
    /// [`Ended::Failed`]; the environment is then that of before.
    pub fn evaluate(
        &mut self,
        text: &[u8],
        events: &[Event],
        observer: &mut dyn Observer,
    ) -> Result<(), Ended> {
        self.push_value(text, events, observer)?;
        self.machine.drop_top(1);
        Ok(())
    }

    /// Evaluates the form of these events and pushes its value.
    ///
    /// # Errors
    /// As [`Session::evaluate`].
    fn push_value(
        &mut self,
        text: &[u8],
        events: &[Event],
        observer: &mut dyn Observer,
    ) -> Result<(), Ended> {
        let depth = self.machine.depth();
        self.machine.push(self.machine.nth(self.base));
        match self.form(text, events, observer) {
            Ok(()) => {
                let value = self.machine.top(0);
                self.machine.drop_top(self.machine.depth() - depth);
                self.machine.push(value);
                Ok(())
            }
            Err((failure, note)) => Err(self.failed(depth, failure, note, whole(events), observer)),
        }
    }

    /// Evaluates the forms of a text from an offset on, whatever loop there is, and pushes the value of
    /// the last one; false if there is no form.
    ///
    /// # Errors
    /// [`Ended::Failed`] and [`Ended::Unreadable`].
    pub fn push_last(&mut self, text: &[u8], at: usize) -> Result<bool, Ended> {
        let mut reader = Reader::of(self.rules.dialect, text, at);
        let mut events = Vec::new();
        let mut pushed = false;
        while reader.form(&mut events).map_err(Ended::Unreadable)? {
            if pushed {
                self.machine.drop_top(1);
            }
            self.push_value(text, &events, &mut Silent)?;
            pushed = true;
        }
        Ok(pushed)
    }

    /// Evaluates one form.
    fn form(
        &mut self,
        text: &[u8],
        events: &[Event],
        observer: &mut dyn Observer,
    ) -> Result<(), (Failure, Box<Note>)> {
        let root = self.machine.depth();
        let stopped = |stop: Stop| plain(stop.into());
        push_form(self.machine, text, events).map_err(stopped)?;
        self.machine.force_top().map_err(stopped)?;
        observer.form(self.machine.top(0), whole(events));
        let (env, builtins, rules) = (self.base, self.builtins, self.rules);
        self.machine.push(self.machine.top(0));
        let evaluator = Evaluator::new(self.machine, env, builtins, rules);
        let mut evaluator = evaluator.with_source(root, text, events);
        let result = evaluator.run();
        evaluator.set(builtins.history, Value::ZERO);
        let (note, warnings) = evaluator.into_notes();
        self.warnings.extend(warnings);
        if let Err(failure) = result {
            return Err((failure, Box::new(note)));
        }
        self.force_env().map_err(plain)?;
        observer.value(self.machine.top(0));
        Ok(())
    }

    /// Brings the environment into normal form, as a try operation does with its result.
    fn force_env(&mut self) -> Result<(), Failure> {
        self.machine.push(self.machine.nth(self.base));
        self.machine.force_top()?;
        let env = self.machine.pop();
        self.set(self.base, env);
        Ok(())
    }

    /// Cleans up after a failure: the environment is that of before the form, which lies at `depth`,
    /// and the stack holds code and payload above that.
    fn failed(
        &mut self,
        depth: usize,
        failure: Failure,
        note: Box<Note>,
        span: Span,
        observer: &mut dyn Observer,
    ) -> Ended {
        let env = self.machine.nth(depth);
        self.set(self.base, env);
        if failure != Failure::Thrown {
            self.machine.drop_top(self.machine.depth() - depth);
            return Ended::Failed(failure, note, span);
        }
        let (code, payload) = (self.machine.top(1), self.machine.top(0));
        self.machine.drop_top(self.machine.depth() - depth);
        self.machine.push(code);
        self.machine.push(payload);
        if self.show_error(observer).is_err() {
            self.machine.drop_top(self.machine.depth() - depth - 2);
        }
        Ended::Failed(failure, note, span)
    }

    /// Shows code and payload, the two topmost values, as `ERROR[code[payload]]`.
    fn show_error(&mut self, observer: &mut dyn Observer) -> Result<(), Stop> {
        push_bytes(self.machine, b"ERROR")?;
        self.machine.push(self.machine.top(2));
        self.machine.push(self.machine.top(2));
        self.machine.make_row(1)?;
        self.machine.make_row(1)?;
        self.machine.force_top()?;
        observer.error(self.machine.top(0));
        self.machine.drop_top(1);
        Ok(())
    }

    /// Whether the loop bound in the environment is the built-in one.
    fn next_loop(&mut self) -> Result<bool, Failure> {
        if self.rules.dialect == Dialect::Spec {
            return Ok(true);
        }
        self.push_binding(b"__REPL")?;
        let same = self.machine.top(0) == self.machine.nth(self.builtins.repl);
        self.machine.drop_top(1);
        Ok(same)
    }
}
