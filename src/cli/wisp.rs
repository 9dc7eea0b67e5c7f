//! `plan wisp [OPTION…] FILE… [-- ARG…]`: loads Wisp files, then runs `main` (chapter 06 §5.2); and
//! `plan` with a program on standard input.
//!
//! Invariants:
//! - the transcript, diagnostics and warnings go to standard error; standard output is the program's,
//!   and takes the values of `-e`;
//! - every failure ends with one line `plan: …`.

use super::args::{Transcript, Wisp};
use super::arity::warn_of_arity;
use super::message::{self, Shown};
use super::options::Environment;
use super::{STATUS_EVALUATION, STATUS_INPUT, STATUS_INTERNAL, STATUS_OK, STATUS_UNCAUGHT, stop};
use crate::machine::{Machine, Stop};
use crate::os::env::Args;
use crate::os::out::Out;
use crate::os::{Errno, Fd, file};
use crate::seed::Code;
use crate::value::Value;
use crate::value::print::{Sink, Style, show_line};
use crate::wisp::SourceError;
use crate::wisp::diagnose;
use crate::wisp::form;
use crate::wisp::read::{Dialect, Reader, Span};
use crate::wisp::report::{self, Message};
use crate::wisp::{Ended, Failure, Library, LoadError, Note, Observer, Rules, Session, Sources};
use alloc::format;
use alloc::vec::Vec;

/// Shows the transcript, and the values of `-e`.
struct Viewer {
    style: Option<Style>,
    /// Where the expression of `-e` starts in the stream.
    expression: Option<usize>,
    inside: bool,
    /// Whether the run is of the newer dialect: its transcript is the expanded forms, on standard
    /// output.
    spec: bool,
    /// The first failure to write to standard output.
    written: Result<(), Errno>,
}

impl Viewer {
    fn trace(&self, v: Value) {
        if let Some(style) = &self.style {
            // What cannot be written there has nobody to be told to.
            let _ = write_line(Fd::STDERR, v, style);
        }
    }
}

/// Writes a value and a line feed. The text may be longer than memory, as parts of a value can be
/// shared, so it is not put together first.
fn write_line(fd: Fd, v: Value, style: &Style) -> Result<(), Errno> {
    let mut out = Out::new(fd);
    if show_line(v, style, &mut out).is_err() {
        out.bytes(b" ... (no memory to print the rest)\n");
    }
    out.flush()
}

impl Observer for Viewer {
    fn form(&mut self, form: Value, span: Span) {
        self.inside = self.expression.is_some_and(|start| span.start >= start);
        if !self.spec {
            self.trace(form);
        }
    }

    fn value(&mut self, value: Value) {
        if self.spec
            && let Some(style) = &self.style
        {
            self.written = self.written.and(write_line(Fd::STDOUT, value, style));
            return;
        }
        self.trace(value);
        if self.inside {
            self.written = self
                .written
                .and(write_line(Fd::STDOUT, value, &Style::TRACE));
        }
    }

    fn error(&mut self, error: Value) {
        self.trace(error);
    }
}

/// What standard input is called.
const INPUT: &[u8] = b"<standard input>";

/// Loads what the command line names and runs `main`; returns the exit status.
pub fn main(args: &Args, library: Library, wisp: &Wisp) -> i32 {
    let loaded = assemble(args, library, wisp).and_then(|mut sources| {
        let expression = add_expression(&mut sources, wisp)?;
        Ok((sources, expression))
    });
    match loaded {
        Ok((mut sources, expression)) => run(args, library, wisp, &mut sources, expression),
        Err(status) => status,
    }
}

/// Reads the files of the command line and what they require.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn assemble(args: &Args, library: Library, wisp: &Wisp) -> Result<Sources, i32> {
    let mut sources = Sources::default();
    sources.dialect = wisp.dialect;
    sources.color = message::is_colored(args, Fd::STDERR);
    if !wisp.no_std {
        sources.library = library;
    }
    sources.search = wisp.search.iter().map(|dir| dir.to_vec()).collect();
    for (i, path) in wisp.files.iter().enumerate() {
        // As it comes, unless something has to be known about all of it or goes on behind it.
        let last = i + 1 == wisp.files.len() && wisp.expression.is_none();
        let added = match *path {
            b"-" if last && wisp.no_main => sources.add_input(INPUT),
            b"-" => sources.add(INPUT, standard_input()?),
            path => sources.add_file(path),
        };
        assembled(&sources, added, path)?;
    }
    // The library is written in the classic dialect.
    if wisp.files.is_empty()
        && sources.dialect() == Dialect::Classic
        && let Some(module) = sources.library.find(b"std")
    {
        sources.add_module(module);
    }
    Ok(sources)
}

/// Says why a text was not added, if it was not.
fn assembled(sources: &Sources, added: Result<(), SourceError>, name: &[u8]) -> Result<(), i32> {
    added.map_err(|error| {
        say(&report::not_assembled(sources, &error));
        not_loaded(name, STATUS_INPUT)
    })
}

/// Adds the expression of `-e`, if there is one; returns where it begins in the stream.
///
/// # Errors
/// As [`assemble`].
pub fn add_expression(sources: &mut Sources, wisp: &Wisp) -> Result<Option<usize>, i32> {
    let Some(text) = wisp.expression else {
        return Ok(None);
    };
    let added = sources.add(b"-e", text.to_vec());
    assembled(sources, added, b"-e")?;
    Ok(Some(sources.text().len() - text.len()))
}

/// Runs the program on standard input with these options; returns the exit status.
pub fn piped(args: &Args, library: Library, options: Wisp) -> i32 {
    let wisp = Wisp {
        files: Vec::from([&b"-"[..]]),
        transcript: match options.transcript {
            Transcript::None => Transcript::Plain,
            chosen => chosen,
        },
        no_main: true,
        lenient: true,
        ..options
    };
    main(args, library, &wisp)
}

fn standard_input() -> Result<Vec<u8>, i32> {
    let mut bytes = Vec::new();
    match file::read_to_end(Fd::STDIN, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(why) => Err(unreadable_input(why)),
    }
}

fn unreadable_input(why: Errno) -> i32 {
    message::fail(
        STATUS_INPUT,
        format_args!("standard input: cannot read: {why}"),
    )
}

fn run(
    args: &Args,
    library: Library,
    wisp: &Wisp,
    sources: &mut Sources,
    expression: Option<usize>,
) -> i32 {
    let mut environment = match Environment::get(args) {
        Ok(environment) => environment,
        Err(status) => return status,
    };
    environment.machine.trace_color = wisp.transcript == Transcript::Color;
    let rules = Rules {
        lenient: wisp.lenient,
        warn: wisp.warn,
        dialect: sources.dialect(),
    };
    environment.with_machine(wisp.timeout, |machine| {
        match Session::new(machine, rules, library) {
            Ok(mut session) => load(&mut session, wisp, sources, expression),
            Err(error) => no_library(machine, &error),
        }
    })
}

fn load(
    session: &mut Session,
    wisp: &Wisp,
    sources: &mut Sources,
    expression: Option<usize>,
) -> i32 {
    let style = match wisp.transcript {
        Transcript::None => None,
        Transcript::Plain => Some(Style::TRACE),
        Transcript::Color => Some(Style {
            color: true,
            ..Style::TRACE
        }),
    };
    let mut viewer = Viewer {
        style,
        expression,
        inside: false,
        spec: sources.dialect() == Dialect::Spec,
        written: Ok(()),
    };
    session.wants_entry = !wisp.no_main && defines_main(sources);
    let ended = session.run(sources, 0, &mut viewer);
    warn(session, sources);
    match ended {
        Ended::Done if viewer.written.is_err() => return super::finish(viewer.written, STATUS_OK),
        Ended::Done => {}
        ended => return finish(session, sources, ended),
    }
    if let Some(why) = sources.broken {
        return unreadable_input(why);
    }
    if !session.wants_entry {
        return STATUS_OK;
    }
    run_main(session, wisp, sources.color)
}

/// Says what was noticed while a text was loaded. The warnings stay for the message about a failure
/// that follows; whoever goes on afterwards clears them.
pub fn warn(session: &mut Session, sources: &Sources) {
    if let Some(span) = session.open_string.take() {
        say(&Message::warning("string is not closed").render(sources, span));
    }
    for (span, text) in &session.warnings {
        say(&Message::warning(text.clone()).render(sources, *span));
    }
}

/// Says how loading ended, unless it was at the end of the text; returns the exit status.
pub fn finish(session: &mut Session, sources: &Sources, ended: Ended) -> i32 {
    let machine: &Machine = session.machine();
    match ended {
        Ended::Done => STATUS_OK,
        Ended::Replaced(status) => {
            if let Some(form) = session.stopped_at.filter(|_| status != 0) {
                let text = format!(
                    "the program's own loop ended here with status {}",
                    u64::from(status)
                );
                say(&Message::warning(text).render(sources, form));
            }
            i32::from(status)
        }
        Ended::Stopped(stop) => {
            if let Some(form) = session.stopped_at {
                let failure = Failure::from(stop);
                let about = session.diagnose(sources, failure, &Note::default(), form);
                say(&about.message.render(sources, about.span));
            }
            stop::report(session.machine(), stop)
        }
        Ended::Ignored(bytes, form) => {
            if bytes > 0 {
                let text = format!("__REPL is no function: {bytes} bytes of input ignored");
                say(&Message::warning(text).render(sources, form));
            }
            STATUS_OK
        }
        Ended::NoLibrary(error) => no_library(machine, &error),
        Ended::Unreadable(error) => {
            let (message, span) = report::unreadable(sources, error);
            say(&message.render(sources, span));
            not_loaded(file_at(sources, span.start), STATUS_INPUT)
        }
        Ended::Failed(failure, note, span) => failed(session, sources, failure, &note, span),
    }
}

/// Says that the built-in library cannot be used: a defect of the executable, or lack of memory.
pub fn no_library(machine: &Machine, error: &LoadError) -> i32 {
    let (what, help) = match error {
        LoadError::Stop(stop) => return stop::report(machine, *stop),
        LoadError::Seed(error) if error.code == Code::Memory => {
            (Some(error), "raise ulimit -v or free memory")
        }
        LoadError::Seed(error) => (Some(error), "internal error, please report"),
        LoadError::Shape => (None, "internal error, please report"),
    };
    match what {
        Some(error) => message::fail(
            STATUS_INTERNAL,
            format_args!("built-in library: {error} ({help})"),
        ),
        None => message::fail(
            STATUS_INTERNAL,
            format_args!("built-in library: no row of modules ({help})"),
        ),
    }
}

fn failed(
    session: &mut Session,
    sources: &Sources,
    failure: Failure,
    note: &Note,
    form: Span,
) -> i32 {
    let diagnosis = session.diagnose(sources, failure, note, form);
    if failure == Failure::Loop {
        stop::report(session.machine(), Stop::Loop);
    }
    say(&diagnosis.message.render(sources, diagnosis.span));
    let status = match diagnosis.malformed {
        _ if session.machine().interruption().is_some() => STATUS_UNCAUGHT,
        true => STATUS_INPUT,
        false => STATUS_EVALUATION,
    };
    not_loaded(file_at(sources, form.start), status)
}

fn file_at(sources: &Sources, offset: usize) -> &[u8] {
    let place = sources.place(offset);
    sources
        .files()
        .get(place.file)
        .map_or(b"", |file| &file.name)
}

/// Writes a message to standard error.
pub fn say(bytes: &[u8]) {
    let mut out = Out::new(Fd::STDERR);
    // Where standard error cannot be written there is nobody to tell; the status says it.
    let _ = out.put(bytes).and_then(|()| out.flush());
}

/// The line that ends messages about a text; returns the status.
pub fn not_loaded(file: &[u8], status: i32) -> i32 {
    message::fail(
        status,
        format_args!("{}: not loaded: 1 error (see above)", Shown(file)),
    )
}

/// Whether a file named on the command line defines `main`.
fn defines_main(sources: &Sources) -> bool {
    let named = sources.files().iter().filter(|file| file.named);
    named.into_iter().any(|file| {
        let mut reader = Reader::of(sources.dialect(), &file.bytes, 0);
        let mut events = Vec::new();
        while let Ok(true) = reader.form(&mut events) {
            if form::defines(&file.bytes, &events, b"main") {
                return true;
            }
        }
        false
    })
}

/// What is said about an exception that ended `main` before the line that names it.
fn uncaught(machine: &Machine, color: bool) -> Vec<u8> {
    let text = diagnose::in_words(machine, machine.top(1), machine.top(0));
    report::without_place(text, machine.trail(), color)
}

/// Applies `main` to the row of the arguments; returns the exit status.
fn run_main(session: &mut Session, wisp: &Wisp, color: bool) -> i32 {
    match session.push_binding(b"main") {
        Ok(true) => {}
        Ok(false) => return STATUS_OK,
        Err(_) => return stop::uncaught(session.machine()),
    }
    let machine = session.machine();
    let file = wisp.files.last().copied().unwrap_or(INPUT);
    warn_of_arity(
        machine.top(0).resolve(),
        format_args!("{}: main", Shown(file)),
    );
    match super::run::apply(machine, &wisp.args) {
        Ok(status) => status,
        Err(stop) => {
            if stop == Stop::Thrown {
                say(&uncaught(machine, color));
            }
            stop::report(machine, stop)
        }
    }
}
