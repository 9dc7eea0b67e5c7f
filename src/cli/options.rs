//! What the environment says about the machine: `PLAN_STRESS`, `PLAN_VERIFY`, `PLAN_JETS`,
//! `PLAN_ENGINE`, `PLAN_PINS`, `PLAN_STATS`, `PLAN_GC`, `PLAN_THREADS`, `PLAN_READONLY`,
//! `PLAN_SYNCS`.
//!
//! Invariants:
//! - a variable that is not set, or empty, means the behaviour of the specification;
//! - a value that is not known is an error of the command line, never a default: a misspelt `strict`
//!   would otherwise go unnoticed.

use super::message::{self, Shown};
use super::{STATUS_INTERNAL, STATUS_OK, STATUS_USAGE};
use crate::machine::{Collection, Machine, Options};
use crate::os::env::Args;
use crate::os::{clock, signal};
use crate::prim;
use crate::value::WORD;
use alloc::boxed::Box;
use core::fmt;

/// What a command needs to know to run a machine.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// For [`Machine::new`].
    pub machine: Options,
    /// Whether to print the counters at the end.
    pub stats: bool,
    /// Whether an image is not to be written.
    pub read_only: bool,
    /// Whether the commits of an image make data durable with a sync of its own.
    pub two_syncs: bool,
    /// When the command started, on the clock of `os::clock::monotonic`; `None` without a clock.
    started: Option<u64>,
}

/// A variable with a value it cannot have; prints as the text after `plan: `.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unusable {
    variable: &'static str,
    value: &'static [u8],
    problem: &'static str,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (variable, value) = (self.variable, Shown(self.value));
        write!(f, "{variable}={value}: {}", self.problem)
    }
}

impl Environment {
    /// Reads the variables.
    ///
    /// # Errors
    /// The first variable with a value it cannot have.
    pub fn read(args: &Args) -> Result<Environment, Unusable> {
        engine(args)?;
        pins(args)?;
        let machine = Options {
            stress: switch(args, "PLAN_STRESS")?,
            verify: switch(args, "PLAN_VERIFY")?,
            strict_jets: jets(args)?,
            threads: threads(args)?,
            pins_every: gc(args)?.0,
            on_collection: gc(args)?.1,
            ..Options::default()
        };
        let stats = switch(args, "PLAN_STATS")?;
        let started = clock::monotonic().ok();
        Ok(Environment {
            machine,
            stats,
            read_only: switch(args, "PLAN_READONLY")?,
            two_syncs: syncs(args)?,
            started,
        })
    }

    /// Reads the variables; says what is wrong with them and gives the exit status if anything is.
    ///
    /// # Errors
    /// The exit status of a wrong command line.
    pub fn get(args: &Args) -> Result<Environment, i32> {
        Environment::read(args)
            .map_err(|unusable| message::fail(STATUS_USAGE, format_args!("{unusable}")))
    }

    /// A machine as the variables want it; says why if there is none.
    ///
    /// # Errors
    /// The exit status for a system that refuses what is needed to start.
    pub fn start(&self) -> Result<Box<Machine>, i32> {
        Machine::new(self.machine, &prim::ENGINE).map_err(|error| {
            let region = error.region();
            let why = "the system refuses the address space (raise ulimit -v or free memory)";
            message::fail(
                STATUS_INTERNAL,
                format_args!("cannot start: {region}: {why}"),
            )
        })
    }

    /// Runs `work` on a machine as the variables want it and reports; returns the exit status. After
    /// `timeout` microseconds (0: never) its evaluations are stopped.
    pub fn with_machine(&self, timeout: u64, work: impl FnOnce(&mut Machine) -> i32) -> i32 {
        let mut machine = match self.start() {
            Ok(machine) => machine,
            Err(status) => return status,
        };
        if timeout == 0 {
            let status = work(&mut machine);
            self.report(&machine);
            // The process is about to end: to unmap what it has would be done twice.
            core::mem::forget(machine);
            return status;
        }
        if let Err(why) = signal::after(timeout) {
            let what = "cannot start: no time limit";
            return message::fail(STATUS_INTERNAL, format_args!("{what}: {why}"));
        }
        let status = machine.interruptibly(work);
        self.report(&machine);
        core::mem::forget(machine);
        status
    }

    /// Prints the counters of a machine on standard error, if that is wanted: one line of
    /// `name=number`, bytes for memory and nanoseconds for time.
    pub fn report(&self, machine: &Machine) {
        machine.report_pins();
        let Some(started) = self.started.filter(|_| self.stats) else {
            return;
        };
        let total = clock::monotonic().map_or(0, |now| now.wrapping_sub(started));
        let (stats, word) = (machine.stats(), WORD as u64);
        let (heap, jets, arena) = (stats.nursery, stats.jets, stats.arena);
        message::fail(
            STATUS_OK,
            format_args!(
                "stats: total_ns={total} gc_ns={} collections={} allocated={} copied={} \
                 peak_nursery={} pins={} arena={} laws_compiled={} jets={} jets_mismatched={} \
                 operations={} pin_collections={} pins_freed={} pin_gc_ns={} pin_pause_ns={} \
                 pin_pause_max_ns={} peak_arena={}",
                heap.nanoseconds,
                heap.collections,
                heap.allocated * word,
                heap.copied * word,
                heap.peak_words * word,
                stats.pins,
                stats.arena_bytes,
                stats.compiled,
                jets.matched,
                jets.mismatched,
                jets.executed,
                arena.collections,
                arena.freed,
                arena.nanoseconds,
                stats.pause,
                stats.longest_pause,
                arena.peak.max(stats.arena_bytes),
            ),
        );
    }
}

/// The value of a variable; empty is as good as unset.
fn value(args: &Args, variable: &str) -> Option<&'static [u8]> {
    args.var(variable.as_bytes())
        .filter(|value| !value.is_empty())
}

fn unusable<T>(
    variable: &'static str,
    value: &'static [u8],
    problem: &'static str,
) -> Result<T, Unusable> {
    Err(Unusable {
        variable,
        value,
        problem,
    })
}

/// A variable that is 0 or 1.
fn switch(args: &Args, variable: &'static str) -> Result<bool, Unusable> {
    match value(args, variable) {
        None | Some(b"0") => Ok(false),
        Some(b"1") => Ok(true),
        Some(other) => unusable(variable, other, "not known (use 1 or 0)"),
    }
}

/// Whether a commit is to sync twice.
fn syncs(args: &Args) -> Result<bool, Unusable> {
    match value(args, "PLAN_SYNCS") {
        None | Some(b"1") => Ok(false),
        Some(b"2") => Ok(true),
        Some(other) => unusable("PLAN_SYNCS", other, "not known (use 1 or 2)"),
    }
}

/// The most threads that a program may be evaluated on.
fn threads(args: &Args) -> Result<usize, Unusable> {
    let Some(text) = value(args, "PLAN_THREADS") else {
        return Ok(0);
    };
    let number = core::str::from_utf8(text).ok().and_then(|s| s.parse().ok());
    match number {
        Some(count) if count > 0 => Ok(count),
        _ => unusable("PLAN_THREADS", text, "not known (use a number from 1 on)"),
    }
}

fn jets(args: &Args) -> Result<bool, Unusable> {
    match value(args, "PLAN_JETS") {
        None => Ok(false),
        Some(b"strict") => Ok(true),
        Some(other) => unusable("PLAN_JETS", other, "not known (use strict, or unset it)"),
    }
}

/// Tells of a collection.
type Tell = fn(&Collection);

/// `log`, a number of collections of the moving heap between two of pins, or both with a comma.
fn gc(args: &Args) -> Result<(u64, Option<Tell>), Unusable> {
    let mut found = (0, None::<Tell>);
    let text = value(args, "PLAN_GC").unwrap_or_default();
    for part in text.split(|b| *b == b',').filter(|_| !text.is_empty()) {
        let number = core::str::from_utf8(part).ok().and_then(|s| s.parse().ok());
        match number {
            _ if part == b"log" => found.1 = Some(tell),
            Some(every) if every > 0 => found.0 = every,
            _ => {
                return unusable(
                    "PLAN_GC",
                    text,
                    "not known (use log, a number, or log,number)",
                );
            }
        }
    }
    Ok(found)
}

/// One line on standard error about a collection: bytes and microseconds.
fn tell(c: &Collection) {
    message::fail(
        STATUS_OK,
        format_args!(
            "gc: {} cause={} before={} after={} pause_us={} total_us={}",
            c.generation,
            c.cause,
            c.before,
            c.after,
            c.pause / 1000,
            c.total / 1000,
        ),
    );
}

fn engine(args: &Args) -> Result<(), Unusable> {
    match value(args, "PLAN_ENGINE") {
        None | Some(b"loop") => Ok(()),
        Some(b"native") => unusable("PLAN_ENGINE", b"native", "not available (use loop)"),
        Some(other) => unusable("PLAN_ENGINE", other, "not known (use loop)"),
    }
}

fn pins(args: &Args) -> Result<(), Unusable> {
    match value(args, "PLAN_PINS") {
        None => Ok(()),
        Some(b"lazy") => unusable(
            "PLAN_PINS",
            b"lazy",
            "not available: it would gain nothing (unset it)",
        ),
        Some(other) => unusable("PLAN_PINS", other, "not known (unset it)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::env::testing::stack_of;

    fn read(vars: &[&str]) -> Result<Environment, String> {
        Environment::read(&stack_of(&["plan"], vars, &[])).map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_set_is_the_behaviour_of_the_specification() {
        for vars in [
            &[][..],
            &["PLAN_STRESS=", "PLAN_JETS=", "PLAN_ENGINE=", "PLAN_PINS="],
        ] {
            let environment = read(vars).unwrap();
            assert!(!environment.stats && !environment.machine.stress);
            assert!(!environment.machine.verify && !environment.machine.strict_jets);
        }
    }

    #[test]
    fn known_values_are_taken() {
        let vars = [
            "PLAN_STRESS=1",
            "PLAN_VERIFY=1",
            "PLAN_JETS=strict",
            "PLAN_ENGINE=loop",
        ];
        let environment = read(&vars).unwrap();
        assert!(environment.machine.stress && environment.machine.verify);
        assert!(environment.machine.strict_jets && !environment.stats);
        assert!(read(&["PLAN_STATS=1"]).unwrap().stats);
        assert_eq!(read(&["PLAN_THREADS=3"]).unwrap().machine.threads, 3);
        for (text, every, log) in [("10", 10, false), ("log", 0, true), ("log,7", 7, true)] {
            let machine = read(&[&format!("PLAN_GC={text}")]).unwrap().machine;
            assert_eq!(
                (machine.pins_every, machine.on_collection.is_some()),
                (every, log)
            );
        }
    }

    #[test]
    fn unknown_values_are_refused() {
        let cases = [
            ("PLAN_STRESS=yes", "PLAN_STRESS=yes: not known (use 1 or 0)"),
            (
                "PLAN_JETS=Strict",
                "PLAN_JETS=Strict: not known (use strict, or unset it)",
            ),
            (
                "PLAN_ENGINE=native",
                "PLAN_ENGINE=native: not available (use loop)",
            ),
            ("PLAN_ENGINE=x", "PLAN_ENGINE=x: not known (use loop)"),
            (
                "PLAN_PINS=lazy",
                "PLAN_PINS=lazy: not available: it would gain nothing (unset it)",
            ),
            ("PLAN_SYNCS=0", "PLAN_SYNCS=0: not known (use 1 or 2)"),
            ("PLAN_PINS=x", "PLAN_PINS=x: not known (unset it)"),
            (
                "PLAN_THREADS=0",
                "PLAN_THREADS=0: not known (use a number from 1 on)",
            ),
            (
                "PLAN_GC=logg",
                "PLAN_GC=logg: not known (use log, a number, or log,number)",
            ),
            (
                "PLAN_GC=log,0",
                "PLAN_GC=log,0: not known (use log, a number, or log,number)",
            ),
        ];
        for (variable, message) in cases {
            assert_eq!(read(&[variable]).unwrap_err(), message);
        }
    }
}
