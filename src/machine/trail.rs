//! The names of the laws that were being evaluated when an exception found no handler.
//!
//! Gathered while the frames are unwound, which visits each of them anyway. A law that was left by a
//! tail call has no frame any more and is not here; neither are laws whose body is too large to be
//! compiled, which are expanded and leave no frame of their own.
//!
//! Invariants:
//! - nothing is allocated: the exception may be a lack of memory;
//! - an exception that is caught leaves no trail.

use crate::nat;
use crate::value::Value;

/// Runs kept from the inner end.
const INNER: usize = 8;
/// Runs kept from the outer end.
const OUTER: usize = 4;
/// Longest part of a name that is kept, in bytes.
const NAME: usize = 56;

/// One law, or the same law several times in a row.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    bytes: [u8; NAME],
    len: usize,
    /// How many times in a row.
    pub times: u64,
}

impl Run {
    const EMPTY: Run = Run {
        bytes: [0; NAME],
        len: 0,
        times: 0,
    };

    /// The first bytes of the law's name; empty for a nameless one.
    pub fn name(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn new(callee: Value, times: u64) -> Run {
        let mut run = Run {
            times,
            ..Run::EMPTY
        };
        let mut space = [0];
        let limbs = name_of(callee).limbs(&mut space);
        run.len = (nat::byte_len(limbs) as usize).min(NAME);
        run.bytes[..run.len].copy_from_slice(&nat::as_bytes(limbs)[..run.len]);
        run
    }
}

/// The laws that were being evaluated, innermost first.
#[derive(Clone, Copy, Debug)]
pub struct Trail {
    runs: [Run; INNER + OUTER],
    inner: usize,
    outer: usize,
    /// Laws between the inner and the outer runs that were not kept.
    pub omitted: u64,
}

impl Trail {
    pub(super) const EMPTY: Trail = Trail {
        runs: [Run::EMPTY; INNER + OUTER],
        inner: 0,
        outer: 0,
        omitted: 0,
    };

    /// The innermost laws, at most 8 runs of them.
    pub fn inner(&self) -> &[Run] {
        &self.runs[..self.inner]
    }

    /// The outermost laws, at most 4 runs of them; [`Trail::omitted`] laws lie before them.
    pub fn outer(&self) -> &[Run] {
        &self.runs[INNER..INNER + self.outer]
    }
}

/// Collects a [`Trail`] from the inner end. Holds values: nothing may be collected meanwhile.
pub(super) struct Walk {
    callees: [(Value, u64); INNER + OUTER],
    /// Runs seen.
    seen: usize,
    omitted: u64,
}

impl Walk {
    pub(super) const fn new() -> Walk {
        Walk {
            callees: [(Value::ZERO, 0); INNER + OUTER],
            seen: 0,
            omitted: 0,
        }
    }

    /// Place of a run: the last `OUTER` share theirs in turn.
    fn place(i: usize) -> usize {
        if i < INNER {
            i
        } else {
            INNER + (i - INNER) % OUTER
        }
    }

    /// Notes the callee in slot 0 of an activation.
    pub(super) fn visit(&mut self, callee: Value) {
        if !(callee.is_pin() && callee.item().is_law() || callee.is_law()) {
            return;
        }
        if let Some(last) = self.seen.checked_sub(1) {
            let (same, times) = &mut self.callees[Walk::place(last)];
            if *same == callee {
                *times += 1;
                return;
            }
        }
        let slot = &mut self.callees[Walk::place(self.seen)];
        self.omitted += slot.1;
        *slot = (callee, 1);
        self.seen += 1;
    }

    /// Writes what was seen to `trail`.
    pub(super) fn finish(self, trail: &mut Trail) {
        trail.inner = self.seen.min(INNER);
        trail.outer = self.seen.saturating_sub(INNER).min(OUTER);
        trail.omitted = self.omitted;
        let first = self.seen - trail.outer;
        let kept = (0..trail.inner).chain(first..self.seen);
        let places = (0..trail.inner).chain(INNER..);
        for (run, place) in kept.zip(places) {
            let (callee, times) = self.callees[Walk::place(run)];
            trail.runs[place] = Run::new(callee, times);
        }
    }
}

/// The name of a law or of the law in a pin.
fn name_of(callee: Value) -> Value {
    let law = if callee.is_pin() {
        callee.item()
    } else {
        callee
    };
    law.law_name().cast()
}
