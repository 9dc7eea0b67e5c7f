//! Random and mutated sources: every one ends in a value or in an error with a place; nothing
//! hangs, nothing crashes, and the heap is consistent afterwards.
//!
//! The sources run in this process, through the same library the executable is made of, on a
//! machine with a small stack, a small heap and a time limit, whose operations have no effects
//! (`engine`). A machine runs many sources; each starts in a saved environment.
//!
//! `PLAN_FUZZ=N` runs N sources instead of the usual number, `PLAN_FUZZ_FROM=K` starts with
//! source K: the message about a failure says which of both to set. The source is left in a file,
//! whose path is in the message. After an end that no test can report (a signal, or a process
//! that the time limit had to end: status 9) the last source is in `wisp-hostile-current` of the
//! same directory.
//!
//! Invariants:
//! - source K depends on K and the files of this repository alone;
//! - the time limit is a signal to the process, so there is one thread: any other could be told
//!   of it late, when another source runs. So this is a program without the usual harness.

mod corpus;
mod engine;
mod generate;
mod judge;
mod random;
#[path = "../support/mod.rs"]
mod support;

use corpus::Corpus;
use judge::{Kind, NAME};
use plan::machine::{Machine, Options};
use plan::os::signal;
use plan::value::Value;
use plan::value::print::{self, Style};
use plan::wisp::library::Library;
use plan::wisp::read::{Dialect, Span};
use plan::wisp::report::{self, Message};
use plan::wisp::{Ended, Observer, Rules, Session, Sources};
use random::Random;
use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Sources that run in this test unless `PLAN_FUZZ` says otherwise.
const SOURCES: usize = 100_000;
/// Sources in a row that run by the same rules.
const GROUP: usize = 200;
/// Every so many groups one collects at each step and checks the heap each time.
const STRESS_EVERY: usize = 100;
/// Bytes of value stack, the least there is.
const STACK: usize = 4 << 20;
/// Bytes of moving heap.
const HEAP: u64 = 48 << 20;
/// Bytes of pins after which a machine is given up, so that one source does not pay for another's.
const PINS: u64 = 64 << 20;
/// Microseconds a source may take; and in stress mode.
const LIMIT: u64 = 4_000;
const STRESS_LIMIT: u64 = 15_000;
/// Bytes of a source in stress mode, where making a form of it takes a collection for each part.
const STRESS_LONGEST: usize = 400;
/// Every so many sources, and when a machine is given up, the heap is checked: garbage stays where
/// it is until a collection, so what an earlier source broke is found too.
const CHECK_EVERY: usize = 16;
/// Parts of a value up to which it is printed.
const SHOWN: usize = 2_000;

/// How a source runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Way {
    dialect: Dialect,
    lenient: bool,
    warn: bool,
    /// Whether the built-in library is at hand.
    library: bool,
    stress: bool,
}

impl Way {
    fn of(index: usize) -> Way {
        let group = index / GROUP;
        let newer = group % 5 == 4;
        Way {
            dialect: if newer {
                Dialect::Spec
            } else {
                Dialect::Classic
            },
            lenient: group % 2 == 1,
            warn: group % 3 == 1,
            library: group % 4 < 2 && !newer,
            stress: group % STRESS_EVERY == STRESS_EVERY / 2,
        }
    }
}

/// The environments a source may start in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Start {
    /// The six names there are without a library.
    Bare,
    /// With the names of the prelude.
    Prelude,
    /// With the library, if it is at hand.
    Library,
}

/// Source number `index`, and what it starts with.
fn source(index: usize, corpus: &Corpus) -> (Vec<u8>, Start) {
    let mut r = Random::new(index as u64);
    let some = *r.pick(&[Start::Bare, Start::Prelude, Start::Library, Start::Library]);
    let (mut text, start) = match r.below(20) {
        0..2 => (generate::bytes(&mut r), Start::Bare),
        2..9 => (
            generate::tokens(&mut r),
            *r.pick(&[Start::Prelude, Start::Prelude, some]),
        ),
        9..15 => (corpus.mutation(&mut r), some),
        _ => (generate::program(&mut r), Start::Prelude),
    };
    let way = Way::of(index);
    if way.dialect == Dialect::Spec && !r.one_in(8) {
        text = generate::newer(&text);
    }
    if way.stress {
        text.truncate(STRESS_LONGEST);
    }
    (text, start)
}

/// The prepared library, as `make` leaves it; empty without.
fn library() -> Library {
    static PARTS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
        ["builtins.seed", "modules.seed", "index"].map(|part| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("build/library");
            fs::read(path.join(part)).unwrap_or_default()
        })
    });
    let [builtins, modules, index] = &*PARTS;
    Library {
        text: &plan::wisp::start::BUILTIN,
        builtins,
        modules,
        index,
    }
}

/// Prints what is small: printing must not fail, whatever the value.
struct Viewer;

impl Viewer {
    fn view(&self, value: Value) {
        let mut todo = vec![value.resolve()];
        for _ in 0..SHOWN {
            let Some(v) = todo.pop() else {
                let mut text = Vec::new();
                print::show(value.resolve(), &Style::TRACE, &mut text).expect("memory to print");
                assert!(!text.is_empty(), "a value has no text");
                return;
            };
            if v.is_closure() {
                todo.extend((0..v.size()).map(|i| v.arg(i).resolve()));
                todo.push(v.head());
            } else if v.is_pin() {
                todo.push(v.item());
            } else if v.is_law() {
                todo.push(v.law_body());
            }
        }
    }
}

impl Observer for Viewer {
    fn form(&mut self, form: Value, span: Span) {
        assert!(span.start < span.end, "a form without a place");
        self.view(form);
    }

    fn value(&mut self, value: Value) {
        self.view(value);
    }

    fn error(&mut self, error: Value) {
        self.view(error);
    }
}

/// A session with saved environments.
struct Bench<'m> {
    session: Session<'m>,
    library: Library,
    dialect: Dialect,
    /// Place of the first of the [`Start`]s on the machine's stack; the others lie above it.
    saved: usize,
}

impl<'m> Bench<'m> {
    /// `machine` is fresh, so the session's environment is at the bottom of its stack.
    fn new(machine: &'m mut Machine, way: Way) -> Bench<'m> {
        let rules = Rules {
            dialect: way.dialect,
            lenient: way.lenient,
            warn: way.warn,
        };
        let known = library();
        let mut session = Session::new(machine, rules, known).expect("a session");
        let saved = session.machine().depth();
        let initial = session.environment();
        session.machine().push(initial);
        let prelude = match way.dialect {
            Dialect::Classic => generate::PRELUDE.into(),
            Dialect::Spec => generate::newer(generate::PRELUDE.as_bytes()),
        };
        load(&mut session, Library::default(), way.dialect, &prelude);
        let prelude = session.environment();
        session.machine().push(prelude);
        let mut bench = Bench {
            session,
            library: Library::default(),
            dialect: way.dialect,
            saved,
        };
        if way.library && !known.index.is_empty() {
            bench.library = known;
            bench.restore(Start::Bare);
            load(&mut bench.session, known, way.dialect, b"(require \"std\")");
        }
        let env = bench.session.environment();
        bench.session.machine().push(env);
        bench
    }

    /// Runs a source in one of the saved environments; says how it ended.
    fn run(&mut self, text: &[u8], start: Start, limit: u64) -> Result<Kind, String> {
        self.restore(start);
        let mut sources = Sources::default();
        sources.library = self.library;
        sources.dialect = Some(self.dialect);
        if let Err(error) = sources.add(NAME.as_bytes(), text.to_vec()) {
            judge::judge(&report::not_assembled(&sources, &error), text)?;
            return Ok(Kind::NotAssembled);
        }
        signal::after(limit).map_err(|e| format!("no time limit: {e}"))?;
        let ended = self.session.run(&mut sources, 0, &mut Viewer);
        signal::after(0).map_err(|e| format!("no time limit: {e}"))?;
        let mut warnings = std::mem::take(&mut self.session.warnings);
        let open = self.session.open_string.take();
        warnings.extend(open.map(|span| (span, b"string is not closed".to_vec())));
        for (span, warning) in warnings {
            judge::judge(&Message::error(warning).render(&sources, span), text)?;
        }
        let (kind, message) = judge::described(&mut self.session, &sources, ended);
        if let Some(message) = message {
            judge::judge(&message, text)?;
        }
        Ok(kind)
    }

    fn verify(&mut self) -> Result<(), String> {
        let consistent = self.session.machine().verify();
        consistent.map_err(|e| format!("the heap is inconsistent: {e}"))
    }

    /// Makes a saved environment the current one.
    fn restore(&mut self, start: Start) {
        let machine = self.session.machine();
        let (depth, saved) = (machine.depth(), self.saved);
        let floor = (saved + 3).min(depth);
        machine.drop_top(depth - floor);
        let env = machine.nth(saved + start as usize);
        machine.set_top(floor - 1, env);
        // A time limit may have ended after the source did; then this evaluation uses it up.
        while signal::is_waiting() {
            let mut sources = Sources::default();
            let added = sources.add(b"", b"((law (f x) x) 0)".to_vec());
            added.expect("a source");
            let _ = self.session.run(&mut sources, 0, &mut Viewer);
            self.restore(start);
        }
    }
}

/// Loads what must load.
fn load(session: &mut Session, library: Library, dialect: Dialect, text: &[u8]) {
    let mut sources = Sources::default();
    sources.dialect = Some(dialect);
    sources.library = library;
    sources.add(b"start", text.into()).expect("a source");
    let ended = session.run(&mut sources, 0, &mut Viewer);
    assert!(matches!(ended, Ended::Done), "{ended:?}");
}

/// What is counted and written down.
struct Record {
    kinds: BTreeMap<Kind, usize>,
    failures: Vec<String>,
    /// The source that took longest, and how long.
    slowest: (Duration, usize),
    current: File,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_path_buf()
}

impl Record {
    fn new() -> Record {
        let path = directory().join("wisp-hostile-current");
        Record {
            kinds: BTreeMap::new(),
            failures: Vec::new(),
            slowest: (Duration::ZERO, 0),
            current: File::create(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        }
    }

    fn begins(&mut self, index: usize, text: &[u8]) {
        let text = [text, format!("\n; source {index}\n").as_bytes()].concat();
        let written = self.current.write_all_at(&text, 0);
        let cut = written.and_then(|()| self.current.set_len(text.len() as u64));
        cut.unwrap_or_else(|e| panic!("the current source cannot be written: {e}"));
    }

    fn fails(&mut self, index: usize, first: usize, text: &[u8], why: &str) {
        let path = directory().join(format!("wisp-hostile-{index}"));
        fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.failures.push(format!(
            "source {index} ({}; PLAN_FUZZ_FROM={first} PLAN_FUZZ={}, {:?}): {why}",
            path.display(),
            index + 1 - first,
            Way::of(index),
        ));
    }
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// Runs sources from `first` on, up to `end`, on one machine; returns the next one to run.
fn run_some(first: usize, end: usize, corpus: &Corpus, record: &mut Record) -> usize {
    let way = Way::of(first);
    let options = Options {
        stress: way.stress,
        verify: way.stress,
        stack_bytes: STACK,
        heap_bytes: HEAP,
        ..Options::default()
    };
    let mut machine = Machine::new(options, engine::engine()).expect("a machine");
    let limit = if way.stress { STRESS_LIMIT } else { LIMIT };
    machine.interruptibly(|machine| {
        let mut bench = Bench::new(machine, way);
        for index in first..end {
            let (text, start) = source(index, corpus);
            record.begins(index, &text);
            let run = AssertUnwindSafe(|| {
                let kind = bench.run(&text, start, limit)?;
                // UpUniq may have put an environment into itself, which then stays so.
                let full = bench.session.machine().stats().arena_bytes > PINS;
                let last = full || kind == Kind::Loop || Way::of(index + 1) != way;
                if last || index % CHECK_EVERY == 0 {
                    bench.verify()?;
                }
                Ok((kind, last))
            });
            let begun = Instant::now();
            let result = catch_unwind(run).unwrap_or_else(|e| Err(reason(&*e)));
            record.slowest = record.slowest.max((begun.elapsed(), index));
            match result {
                Ok((kind, last)) => {
                    *record.kinds.entry(kind).or_default() += 1;
                    if last {
                        return index + 1;
                    }
                }
                Err(why) => {
                    record.fails(index, first, &text, &why);
                    return index + 1;
                }
            }
        }
        end
    })
}

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|e| panic!("{variable}={text}: {e}")),
    )
}

fn every_source_ends_in_a_value_or_an_error_with_a_place() {
    let corpus = Corpus::new();
    let count = number("PLAN_FUZZ").unwrap_or(SOURCES);
    let first = number("PLAN_FUZZ_FROM").unwrap_or(0);
    let mut record = Record::new();
    let mut next = first;
    while next < first + count && record.failures.len() < 20 {
        next = run_some(next, first + count, &corpus, &mut record);
    }
    let Record {
        kinds,
        failures,
        slowest,
        ..
    } = record;
    println!(
        "hostile sources: {} run, {kinds:?}, slowest: {} ({:?})",
        next - first,
        slowest.1,
        slowest.0
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    if count < SOURCES {
        return;
    }
    // Sources per thousand that end so, at least: else the generators have lost their aim.
    let least = [
        (Kind::Value, 150),
        (Kind::Unbound, 150),
        (Kind::Rejected, 60),
        (Kind::Thrown, 15),
        (Kind::Operation, 8),
        (Kind::Limit, 15),
        (Kind::Unreadable, 50),
    ];
    for (kind, least) in least {
        let found = kinds.get(&kind).copied().unwrap_or(0);
        assert!(found * 1000 >= count * least, "{kind:?}: {found}");
    }
    let others = [
        Kind::OwnLoop,
        Kind::OwnLoopThrew,
        Kind::Ignored,
        Kind::Loop,
        Kind::NotAssembled,
    ];
    for kind in others {
        assert!(kinds.contains_key(&kind), "no source ends with {kind:?}");
    }
}

fn a_panic_is_noticed() {
    let caught = catch_unwind(|| panic!("on purpose, by number {}", 7)).map_err(|e| reason(&*e));
    assert_eq!(caught.unwrap_err(), "panic: on purpose, by number 7");
}

fn main() {
    let checks: [(&str, fn()); 4] = [
        ("a_panic_is_noticed", a_panic_is_noticed),
        (
            "messages_without_a_proper_place_are_noticed",
            judge::messages_without_a_proper_place_are_noticed,
        ),
        (
            "no_operation_with_an_effect_is_left",
            engine::no_operation_with_an_effect_is_left,
        ),
        (
            "every_source_ends_in_a_value_or_an_error_with_a_place",
            every_source_ends_in_a_value_or_an_error_with_a_place,
        ),
    ];
    // As with the usual harness, a word selects the checks with that in their name.
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&String> = wanted
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    for (name, check) in checks {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(*word)) {
            check();
            println!("test {name} ... ok");
        }
    }
}
