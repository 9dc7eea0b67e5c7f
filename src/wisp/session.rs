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
use crate::nat;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

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

/// The macro that takes the environment out of a loop of the program's own (chapter 06 §5.3), and
/// the code of the exception that it is: the pin of this name, applied to the environment.
const ENTRY: &[u8] = b"__PLAN-ENTRY";
/// What is put behind the text to call it.
const ENTRY_CALL: &[u8] = b"\n(__PLAN-ENTRY)\n";
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

/// Place of `rest` above the environment.
const REST: usize = BUILTINS;
/// Names of the built-in functions in their text, in the order of their places on the stack.
const FUNCTIONS: [&[u8]; BUILTINS] = [b"law-macro", b"define", b"repl", b"eval", b"rest"];

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

    // The initial environment.

    /// Evaluates the built-in functions with markers in their place.
    fn bootstrap(&mut self) -> Result<(), Failure> {
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
    fn bind_all(&mut self) -> Result<(), Failure> {
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
    fn load_due(&mut self, input: &mut dyn Input, at: usize) -> Result<(), LoadError> {
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

    /// Hands the rest of the text to the loop bound in the environment.
    /// Modules that the rest requires are bound now: that loop has no place for them.
    fn replaced(&mut self, input: &mut dyn Input, at: usize, form: Span) -> Ended {
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
