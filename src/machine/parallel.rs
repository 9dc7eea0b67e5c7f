//! Parallel evaluation: one machine's work on the elements of a row, shared out to worker threads
//! (chapter 07).
//!
//! ```text
//!   caller: pin the input ── post ── wait ── fill a row: results, and applications for the rest
//!   worker: rest ── claim a chunk ── evaluate ── pin the results ── publish ── claim …
//! ```
//!
//! Invariants:
//! - What a worker cannot finish just as the caller would (an exception, an effect, a lack of stack or
//!   memory) has no result; the caller evaluates it itself, in order. So neither the number of
//!   threads nor chance can be seen in a result.
//! - While there is a task its input and the results published are roots of the caller, which does
//!   not go on before every worker rests. A worker that rests refers to nothing in the arena.
//! - Chunks are claimed in order; those from the first one that failed on are not waited for.
//! - Locks: that of the board before that of the arena.
//!
//! Safety: the pointer in a seat is that of a machine which its worker keeps in place until it has
//! taken the pointer back, under the lock of the board. Machines stay on their threads.
#![allow(unsafe_code)]

use super::op::{Call, Fault};
use super::{EXHAUSTED, Engine, Machine, Options};
use crate::heap::arena::Arena;
use crate::os::{futex, thread};
use crate::sync::thread::STACK_BYTES;
use crate::sync::{Condvar, JoinHandle, Mutex, MutexGuard, spawn};
use crate::value::{ThunkKind, Value};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicU32, AtomicUsize};

/// Most workers there are.
const MOST: usize = 64;
/// Chunks per worker: so that a slow one at the end makes others wait only for a small part.
const CHUNKS: usize = 16;
/// Most elements of a chunk: their applications should not fill a nursery.
const LARGEST: usize = 4096;
/// Bytes of memory with which a worker is worth having: its heap starts with 5 MB.
const LEAST: u64 = 8 << 20;
/// Nanoseconds after which a caller looks for signals, which may come just before it sleeps.
const LOOK: u64 = 20_000_000;
/// Words of an application thunk of one argument, header included.
const CALL_WORDS: usize = 4;

/// What is to be done: apply the function in a pin to the elements of the row in it.
struct Task {
    /// The pin of `0[f r]`.
    input: Value,
    /// The exception that no handler of the caller catches.
    escape: Option<&'static [u8]>,
    /// Number of elements, and of those in a chunk.
    elements: usize,
    chunk: usize,
    /// The next chunk to be claimed; those from `end` on are not wanted any more.
    next: usize,
    end: usize,
    /// For each chunk the pin of its row of results, or 0.
    results: Vec<Value>,
    /// Number of elements without a result.
    missing: usize,
}

impl Task {
    /// Number of elements of a chunk.
    fn count(&self, chunk: usize) -> usize {
        self.chunk.min(self.elements - chunk * self.chunk)
    }

    /// The result of element `i`, if there is one.
    fn result(&self, i: usize) -> Option<Value> {
        let pin = self.results[i / self.chunk];
        (!pin.is_direct()).then(|| pin.item().arg(i % self.chunk))
    }
}

/// A worker, as the others see it.
#[derive(Clone, Copy)]
struct Seat {
    /// The limit of its stack, which stops it when it is zero; null outside a chunk.
    limit: *const AtomicUsize,
    /// The chunk it is working on, if it is.
    chunk: usize,
}

// SAFETY: the pointer is used under the lock of the board, while what it points to is kept.
unsafe impl Send for Seat {}

impl Seat {
    const EMPTY: Seat = Seat {
        limit: core::ptr::null(),
        chunk: 0,
    };
}

/// What is under the lock.
struct Board {
    task: Option<Task>,
    seats: Vec<Seat>,
    /// Threads that have not ended.
    workers: usize,
    stopping: bool,
}

impl Board {
    /// The next chunk, if one is wanted, for the worker of this seat and stack limit.
    fn claim(&mut self, seat: usize, limit: *const AtomicUsize) -> Option<Claim> {
        let task = self.task.as_mut().filter(|task| task.next < task.end)?;
        let chunk = task.next;
        task.next += 1;
        self.seats[seat] = Seat { limit, chunk };
        Some(Claim {
            input: task.input,
            chunk,
            first: chunk * task.chunk,
            count: task.count(chunk),
        })
    }

    /// Stops the workers on chunks from `first` on.
    fn stop(&self, first: usize) {
        let seats = self.seats.iter();
        for seat in seats.filter(|s| !s.limit.is_null() && s.chunk >= first) {
            // SAFETY: see the file.
            unsafe { (*seat.limit).store(0, Relaxed) };
        }
    }

    /// Nothing from chunk `first` on is wanted any more.
    fn cancel(&mut self, first: usize) {
        if let Some(task) = &mut self.task {
            task.end = task.end.min(first);
        }
        self.stop(first);
    }

    fn is_quiet(&self) -> bool {
        self.seats.iter().all(|s| s.limit.is_null())
            && self.task.as_ref().is_none_or(|t| t.next >= t.end)
    }
}

/// What a caller and its workers share.
pub(super) struct Office {
    board: Mutex<Board>,
    /// There is a task, or the workers are to end.
    work: Condvar,
    /// Changes when the caller should look: a worker rests, or a collection wants roots.
    bell: AtomicU32,
}

impl Office {
    pub(super) fn ring(&self) {
        self.bell.fetch_add(1, AcqRel);
        // Waking nobody is no failure.
        let _ = futex::wake(&self.bell, 1);
    }
}

/// The workers of a machine; ends them when dropped.
pub(super) struct Crew {
    office: Arc<Office>,
    threads: Vec<JoinHandle<()>>,
    /// Bytes of memory that all of them together may use.
    bytes: u64,
}

impl Crew {
    /// Starts up to `count` workers, as many as the system gives, of so many bytes of memory each.
    fn hire(machine: &Machine, count: usize, each: u64) -> Crew {
        let office = Arc::new(Office {
            board: Mutex::new(Board {
                task: None,
                seats: alloc::vec![Seat::EMPTY; count],
                workers: count,
                stopping: false,
            }),
            work: Condvar::new(),
            bell: AtomicU32::new(0),
        });
        let options = Options {
            memory: each,
            stack_bytes: (each / 4) as usize,
            heap_bytes: each - each / 4,
            on_collection: None,
            threads: 1,
            ..machine.options
        };
        let mut threads = Vec::new();
        for seat in 0..count {
            let (office, engine) = (office.clone(), machine.engine);
            let mut arena = machine.arena.share();
            arena.rest();
            let body = move || serve(&office, seat, arena, options, engine);
            match spawn(STACK_BYTES, body) {
                Ok(thread) => threads.push(thread),
                Err(_) => break,
            }
        }
        office.board.lock().workers -= count - threads.len();
        let bytes = each * threads.len() as u64;
        Crew {
            office,
            threads,
            bytes,
        }
    }

    /// The results that are on the board: roots of the caller.
    pub(super) fn for_each_result(&self, f: impl FnMut(Value)) {
        if let Some(task) = &self.office.board.lock().task {
            task.results.iter().copied().for_each(f);
        }
    }
}

impl Crew {
    /// Ends the workers; what is on the board stays there.
    fn end(&mut self) {
        let mut board = self.office.board.lock();
        board.stopping = true;
        board.stop(0);
        self.office.work.broadcast(&board);
        drop(board);
        // Waits for them.
        self.threads.clear();
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a worker does from its beginning to its end.
fn serve(
    office: &Arc<Office>,
    seat: usize,
    arena: Arena,
    options: Options,
    engine: &'static Engine,
) {
    if let Ok(mut machine) = Machine::with_arena(options, engine, arena, options.memory) {
        machine.office = Some(office.clone());
        machine.claim_and_run(office, seat);
    }
    // Without memory for a machine there is one worker less.
    office.board.lock().workers -= 1;
    office.ring();
}

/// A part of a task that a worker has claimed.
struct Claim {
    input: Value,
    chunk: usize,
    first: usize,
    count: usize,
}

impl Machine {
    /// Whether this machine evaluates for another one.
    pub fn is_worker(&self) -> bool {
        self.office.is_some()
    }

    /// What an operation with an effect asks first: in a worker it has none, and the caller runs it.
    ///
    /// # Errors
    /// In a worker, an exception that ends its evaluation.
    #[inline]
    pub fn may_act(&self) -> Result<(), Fault> {
        if self.is_worker() {
            return Err(Fault::TIME);
        }
        Ok(())
    }

    fn claim_and_run(&mut self, office: &Office, seat: usize) {
        let mut board = office.board.lock();
        while let Some(claim) = self.claim(&mut board, seat) {
            drop(board);
            let pin = self.run_chunk(&claim);
            board = office.board.lock();
            self.publish(&mut board, seat, &claim, pin);
        }
    }

    /// Waits for a chunk and claims it; `None` when the worker is to end.
    fn claim(&mut self, board: &mut MutexGuard<'_, Board>, seat: usize) -> Option<Claim> {
        loop {
            if board.stopping {
                return None;
            }
            if let Some(claim) = board.claim(seat, self.stack.limit_word()) {
                self.escape = board.task.as_ref().and_then(|task| task.escape);
                self.arena.resume();
                return Some(claim);
            }
            self.rest_empty();
            if let Some(office) = &self.office {
                office.ring();
                office.work.wait(board);
            }
        }
    }

    /// Evaluates a chunk: the pin of its row of results, if every element has one.
    fn run_chunk(&mut self, claim: &Claim) -> Option<Value> {
        self.push(claim.input);
        self.reserve(claim.count * (CALL_WORDS + 1) + 2).ok()?;
        let row = self.bump_closure(Value::ZERO, claim.count);
        for i in 0..claim.count {
            let call = self.bump_call(self.top(0).item(), claim.first + i);
            row.set_field(1 + i, call);
        }
        self.push(row);
        self.force_top().ok()?;
        self.build_pin(self.top_args()).ok()
    }

    /// Puts the outcome of a chunk on the board and forgets all about it.
    fn publish(&mut self, board: &mut Board, seat: usize, claim: &Claim, pin: Option<Value>) {
        board.seats[seat] = Seat::EMPTY;
        self.stack.restore_limit();
        match (pin, &mut board.task) {
            (Some(pin), Some(task)) => {
                self.arena.hand_over(pin);
                task.results[claim.chunk] = pin;
                task.missing -= claim.count;
            }
            _ => board.cancel(claim.chunk),
        }
        self.drop_to(0);
        self.registers[..EXHAUSTED].fill(Value::ZERO);
    }

    /// Keeps nothing while it rests, neither values nor the memory for many.
    fn rest_empty(&mut self) {
        if self.heap.is_grown() && self.collect_heap(0).is_ok() {
            self.heap.trim();
            // Moves nothing, to a small space. What it fails to give back is kept until next time.
            let _ = self.collect_heap(0);
        }
        self.heap.fixed().clear(&mut self.arena);
        self.stack.release_above(self.sp);
        self.arena.rest();
    }

    /// The application of the function to element `i` of the row in `item`, `0[f r]`. Reserve
    /// [`CALL_WORDS`] first.
    fn bump_call(&mut self, item: Value, i: usize) -> Value {
        let call = self.bump_thunk(ThunkKind::APP, 2);
        call.set_field(1, item.arg(0));
        call.set_field(2, item.arg(1).arg(i));
        call
    }

    /// Makes the row of the applications of f to the elements of r from operand 0 of an operation,
    /// the pin of `0[f r]`, with as many of them evaluated as workers can.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn map_row(&mut self, c: Call) -> Result<Value, Fault> {
        let elements = c.get(0).item().arg(1).size();
        let office = self.office_for(elements);
        let office = office.filter(|office| self.post(office, c.get(0), elements));
        let mut missing = elements;
        if let Some(office) = &office {
            self.wait_quiet(office);
            let board = office.board.lock();
            missing = board.task.as_ref().map_or(elements, |task| task.missing);
        }
        // The results are roots as long as they are on the board.
        let reserved = self.reserve(elements + 2 + missing * CALL_WORDS);
        let task = office.and_then(|office| office.board.lock().task.take());
        reserved?;
        let row = self.bump_closure(Value::ZERO, elements);
        let item = c.get(0).item();
        for i in 0..elements {
            let done = task.as_ref().and_then(|task| task.result(i));
            let element = match done {
                Some(v) => v,
                None => self.bump_call(item, i),
            };
            row.set_field(1 + i, element);
        }
        Ok(row)
    }

    /// The workers for a row of so many elements; none if it is better or necessary to evaluate it
    /// here: they record no profile, and workers have none of their own.
    fn office_for(&mut self, elements: usize) -> Option<Arc<Office>> {
        if elements < 2 || self.office.is_some() || self.profile.is_some() {
            return None;
        }
        let count = match self.options.threads {
            0 => thread::processors(),
            count => count,
        };
        if count < 2 {
            return None;
        }
        let dismissed = |crew: &Crew| crew.office.board.lock().stopping;
        if self.crew.as_ref().is_none_or(dismissed) {
            self.divide_memory();
            let half = self.heap.unused() / 2;
            let count = count.min(MOST).min((half / LEAST) as usize);
            if count < 2 {
                return None;
            }
            self.crew = Some(Crew::hire(self, count, half / count as u64));
            self.divide_memory();
        }
        let crew = self.crew.as_ref().filter(|crew| !crew.threads.is_empty())?;
        Some(crew.office.clone())
    }

    /// Bytes of memory that the workers may use.
    pub(super) fn crew_bytes(&self) -> u64 {
        let hired = self.crew.as_ref().filter(|crew| !crew.threads.is_empty());
        hired.map_or(0, |crew| crew.bytes)
    }

    /// Ends workers that rest, for the memory they have; whether there were any.
    pub(super) fn dismiss(&mut self) -> bool {
        let Some(crew) = &mut self.crew else {
            return false;
        };
        if crew.threads.is_empty() || !crew.office.board.lock().is_quiet() {
            return false;
        }
        crew.end();
        true
    }

    /// Gives the workers a task, if there is memory for the list of its results.
    fn post(&self, office: &Office, input: Value, elements: usize) -> bool {
        let mut board = office.board.lock();
        let chunk = elements
            .div_ceil(CHUNKS * board.workers.max(1))
            .min(LARGEST);
        let chunks = elements.div_ceil(chunk);
        let mut results = Vec::new();
        if results.try_reserve_exact(chunks).is_err() {
            return false;
        }
        results.resize(chunks, Value::ZERO);
        board.task = Some(Task {
            input,
            escape: self.escape,
            elements,
            chunk,
            next: 0,
            end: chunks,
            results,
            missing: elements,
        });
        office.work.broadcast(&board);
        true
    }

    /// Waits until no worker works any more, giving roots to collections meanwhile. A signal ends it
    /// soon; it is left for the evaluation that follows to find.
    fn wait_quiet(&mut self, office: &Office) {
        loop {
            let seen = office.bell.load(Acquire);
            let mut board = office.board.lock();
            if self.stack.limit().is_null() || board.workers == 0 {
                board.cancel(0);
            }
            if board.is_quiet() {
                return;
            }
            drop(board);
            if self.arena.wants_roots() && self.collect_heap(0).is_err() {
                // What is dead is given, too, which costs nothing but memory for a while.
                self.give_roots();
            }
            futex::wait_for(&office.bell, seen, LOOK);
        }
    }
}
