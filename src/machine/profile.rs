//! Profiling (`<19>`, `<20>` and the wrapper `Profile`, chapter 02 §3.12).
//!
//! Invariants:
//! - Only names that cannot move are recorded: direct naturals and pins. So the log is no root of the
//!   moving heap, but it is one of the arena.
//! - Chunks handed to a program are closures of head 5 and [`CHUNK`] arguments, newest first.

use super::Machine;
use super::op::Fault;
use crate::os::clock;
use crate::value::{Kind, MAX_DIRECT, Value};
use alloc::vec::Vec;

/// Arguments of a chunk: the previous chunk, then pairs of time word and value.
pub const CHUNK: usize = 4087;
/// Pairs in a chunk.
const PAIRS: usize = 2042;

/// Record types, the low bits of a time word.
const ENTRY: u64 = 0;
const EXIT: u64 = 1;
const COLLECTION_START: u64 = 2;
const COLLECTION_END: u64 = 3;

/// What has been recorded since profiling was switched on or the log was last taken.
#[derive(Default, Debug)]
pub struct Log {
    records: Vec<(u64, u64)>,
    last: u64,
}

impl Log {
    /// The names recorded, and numbers.
    pub(super) fn names(&self) -> impl Iterator<Item = Value> {
        self.records.iter().map(|record| Value::from_bits(record.1))
    }

    fn record(&mut self, kind: u64, value: u64) {
        // A clock that fails stands still; stamps never decrease.
        let ticks = clock::realtime().unwrap_or(0) / 8 % (1 << 60);
        self.last = self.last.max(ticks);
        self.records
            .push(((self.last << 3 | kind) & MAX_DIRECT, value));
    }
}

impl Machine {
    /// Switches profiling on, with an empty log if it was off, or off.
    pub fn profile_on(&mut self, on: bool) {
        if !on {
            self.profile = None;
        } else if self.profile.is_none() {
            self.profile = Some(Log::default());
        }
    }

    fn record(&mut self, kind: u64, name: Value) {
        if (name.is_direct() || name.is_pin())
            && let Some(log) = &mut self.profile
        {
            log.record(kind, name.bits());
        }
    }

    pub(super) fn record_entry(&mut self, name: Value) {
        self.record(ENTRY, name);
    }

    pub(super) fn record_exit(&mut self, name: Value) {
        self.record(EXIT, name);
    }

    pub(super) fn record_collection(&mut self, end: Option<usize>) {
        match end {
            None => self.record(COLLECTION_START, Value::ZERO),
            Some(words) => self.record(COLLECTION_END, Value::direct(words as u64)),
        }
    }

    /// The records so far as a chain of chunks, 0 when profiling is off; the log is empty after.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn take_profile(&mut self) -> Result<Value, Fault> {
        let Some(log) = &mut self.profile else {
            return Ok(Value::ZERO);
        };
        let records = core::mem::take(&mut log.records);
        self.set_scratch(Value::ZERO);
        for pairs in records
            .chunks(PAIRS)
            .chain(records.is_empty().then_some(&records[..]))
        {
            self.reserve(CHUNK + 2)?;
            let chunk = self.heap.bump_closure(Value::direct(5), CHUNK);
            chunk.set_header(chunk.header().with_kind(Kind::ClosureNf));
            chunk.set_field(1, self.scratch());
            for (i, (time, value)) in pairs.iter().enumerate() {
                chunk.set_field(2 + 2 * i, Value::direct(*time));
                chunk.set_field(3 + 2 * i, Value::from_bits(*value));
            }
            self.set_scratch(chunk);
        }
        Ok(self.scratch())
    }
}
