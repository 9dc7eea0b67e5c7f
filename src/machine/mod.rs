//! The evaluator: one thread's value stack, heap and registers, and what runs on them.
//!
//! Eval/apply (S. Marlow, S. Peyton Jones, *Making a fast curry*, JFP 16, 2006) over an explicit
//! value stack; laws run as compiled instructions, see [`opcode`].
//!
//! Invariants:
//! - A [`Machine`] is one thread's whole state; nothing of it is global.
//! - Evaluation never recurses on the native stack: depth is bounded by the value stack alone.
//! - No value of the moving heap lives in a Rust local across a reserve.
//! - Whatever unwinds past a thunk under evaluation leaves it rethrowing, never a hole.
//!
//! | file | holds |
//! |---|---|
//! | `run` | the loop: instructions, entering, returning |
//! | `fast` | short ways of the loop |
//! | `apply` | application of anything to anything |
//! | `expand` | law bodies too large to compile |
//! | `force` | normal form |
//! | `unwind` | exceptions |
//! | `trail` | which laws were being evaluated at an uncaught one |
//! | `parallel` | sharing out work to threads with machines of their own |
//! | `pinned` | pins: building them, and giving the collector of the arena its roots |
//! | `region` | committing values to a store |
//! | `profile` | records of function entries and exits |
//! | `build` | reserving and building objects |
//! | `embed` | what the console and the tools call |
//! | `memory` | how the memory there is is divided |

#![allow(unsafe_code)]
//! Safety: see `stack` and `run`; here the stack's words become a slice of roots.

mod apply;
mod build;
mod embed;
mod expand;
mod fast;
mod force;
mod frame;
mod memory;
pub mod op;
pub mod opcode;
mod parallel;
mod pinned;
mod profile;
mod region;
mod run;
mod stack;
pub mod trail;
mod unwind;

use crate::heap::arena::{self, Arena};
use crate::heap::code::Entry;
pub use crate::heap::fixed::FIXED_WORDS;
use crate::heap::nursery::{Counters, DEFAULT_FLOOR, Nursery, Settings};
use crate::os::{limits, signal};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::cell::Cell;
use op::Op;
use stack::Stack;

use crate::heap::region::Region;
pub use build::{MAX_WORDS, limbs_of};
pub use embed::Stop;
pub use region::CommitError;

/// The parts of the language the evaluator does not know: which operations there are, which one a
/// pin runs, and how a law body becomes instructions. Rooms above the machine fill it in.
#[derive(Debug)]
pub struct Engine {
    /// The operations, by index.
    pub ops: &'static [Op],
    /// The code word of a pin of this item: 0 for a law to be interpreted, else an operation.
    pub code_of: fn(item: Value, counters: &mut JetCounters, strict: bool) -> u64,
    /// The operation that `<15>` runs for this key and number of operands.
    pub op_by_key: fn(key: Value, operands: usize) -> Option<usize>,
    /// Compiles the body of a law, called as the given value. `None`: no memory.
    pub compile: fn(linker: Linker, callee: Value) -> Option<Entry>,
    /// Operations the evaluator itself starts.
    pub names: OpNames,
}

/// The engine, and what it takes to find out what a pin of the persistence region runs: it is not
/// stored, but decided by the item when it is needed first, and kept in the private page of the pin.
#[derive(Clone, Copy)]
pub struct Linker<'a> {
    engine: &'a Engine,
    counters: &'a Cell<JetCounters>,
    strict: bool,
}

impl core::ops::Deref for Linker<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.engine
    }
}

impl Linker<'_> {
    /// The code word of a law or pin.
    pub fn code_word(&self, callee: Value) -> u64 {
        let word = callee.code_word();
        if word != 0 || !callee.is_pin() || !callee.is_stored() {
            return word;
        }
        let mut counters = self.counters.get();
        let word = (self.engine.code_of)(callee.item(), &mut counters, self.strict);
        if word != 0 {
            // A law that runs its body is looked at again and again.
            self.counters.set(counters);
            // Another thread that was faster has decided the same.
            let _ = callee.publish_code_word(word);
        }
        word
    }
}

/// Operations the evaluator itself starts.
#[derive(Debug)]
pub struct OpNames {
    /// The operation that makes a pin.
    pub pin: usize,
    /// The operation that makes a law.
    pub law: usize,
    /// The operation that makes a buffer.
    pub buffer: usize,
    /// The operation that runs others by number or name, `<15>`.
    pub numbered: usize,
}

/// How a machine is to behave.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Collect at every reserve and poison what is left behind.
    pub stress: bool,
    /// Check the heap after every collection.
    pub verify: bool,
    /// Run an operation in place of a law only if its body is known.
    pub strict_jets: bool,
    /// Lowest rank of the moving heap.
    pub floor: usize,
    /// Bytes of value stack; 0 for a share of the memory there is.
    pub stack_bytes: usize,
    /// Bytes for the moving heap; 0 for what the machine can give.
    pub heap_bytes: u64,
    /// Bytes for stack, heap and arena together; 0 for what the system says there is.
    pub memory: u64,
    /// Whether traces are coloured.
    pub trace_color: bool,
    /// Threads that evaluate in parallel; 0: as many as there are processors; 1: this one alone.
    pub threads: usize,
    /// Collect pins at every so many collections of the moving heap; 0: when it is worth it.
    pub pins_every: u64,
    /// Gets to know each collection, that of pins not before the next of the moving heap.
    pub on_collection: Option<fn(&Collection)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            stress: false,
            verify: false,
            strict_jets: false,
            floor: DEFAULT_FLOOR,
            stack_bytes: 0,
            heap_bytes: 0,
            memory: 0,
            trace_color: false,
            threads: 0,
            pins_every: 0,
            on_collection: None,
        }
    }
}

/// What could not be had at start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartError {
    /// The value stack.
    Stack,
    /// The moving heap.
    Heap,
    /// The arena of pins.
    Arena,
}

impl StartError {
    /// The name of the region for a message.
    pub const fn region(self) -> &'static str {
        match self {
            StartError::Stack => "value stack",
            StartError::Heap => "moving heap",
            StartError::Arena => "arena of pins",
        }
    }
}

/// Counters a program's run leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// Those of the moving heap.
    pub nursery: Counters,
    /// Pins made.
    pub pins: u64,
    /// Bytes in use in the arena.
    pub arena_bytes: u64,
    /// Those of the collections of pins.
    pub arena: arena::Counters,
    /// Nanoseconds this machine spent on giving its roots, all collections of pins together.
    pub pause: u64,
    /// The longest of these pauses.
    pub longest_pause: u64,
    /// Laws compiled.
    pub compiled: u64,
    /// Pins whose law runs as an operation, and pins whose law has the name of one but another arity.
    pub jets: JetCounters,
}

impl Stats {
    const NONE: Stats = Stats {
        nursery: Counters::NONE,
        pins: 0,
        arena_bytes: 0,
        arena: arena::Counters::NONE,
        pause: 0,
        longest_pause: 0,
        compiled: 0,
        jets: JetCounters {
            matched: 0,
            mismatched: 0,
            executed: 0,
        },
    };
}

/// A collection, for whoever wants to tell of it.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    /// Which generation: `nursery` or `pins`.
    pub generation: &'static str,
    /// Why it began, in a word.
    pub cause: &'static str,
    /// Bytes in use before.
    pub before: u64,
    /// Bytes in use after: what is live.
    pub after: u64,
    /// Nanoseconds for which the program waited.
    pub pause: u64,
    /// Nanoseconds from the beginning to the end.
    pub total: u64,
}

/// Counters of jets (chapter 02 §1.5).
#[derive(Clone, Copy, Default, Debug)]
pub struct JetCounters {
    /// Pinned laws that run an operation.
    pub matched: u64,
    /// Pinned laws with the name of an operation that run their body all the same.
    pub mismatched: u64,
    /// Operations executed, those aside that compiled code computes in its own instructions.
    pub executed: u64,
}

/// Registers the collector updates.
const REGISTERS: usize = 5;
/// Register of the code of an exception.
const CODE: usize = 0;
/// Register of its payload.
const PAYLOAD: usize = 1;
/// Register of the closure `code[payload]` that interrupted thunks rethrow.
const THROWN: usize = 2;
/// Register of an operation's own use, such as the tag of an unknown operation.
const SCRATCH: usize = 3;
/// Register of the exception for exhausted memory, made at start.
const EXHAUSTED: usize = 4;

/// One thread's whole state.
pub struct Machine {
    /// The threads that help this machine, which end before its arena does: it is dropped first.
    crew: Option<parallel::Crew>,
    /// What this machine, if it is one of these, shares with the others.
    office: Option<Arc<parallel::Office>>,
    heap: Nursery,
    arena: Arena,
    stack: Stack,
    /// Words before this one are in use. Exact whenever something may collect.
    sp: *mut Value,
    /// Address behind the innermost handler frame; null without one.
    handler: *mut Value,
    registers: [Value; REGISTERS],
    engine: &'static Engine,
    options: Options,
    /// Bytes of memory the machine may sensibly use.
    budget: u64,
    /// The control group is still to be asked for it.
    unasked: bool,
    stats: Stats,
    profile: Option<profile::Log>,
    /// Collections of the moving heap until pins are collected whatever there is, if they are.
    countdown: u64,
    /// Collections of pins that `on_collection` knows of.
    reported: Cell<u64>,
    /// Nanoseconds of the last pause for roots.
    last_pause: u64,
    tracing: Tracing,
    /// Why an evaluation was stopped from outside.
    interruption: Option<signal::Reason>,
    /// Name of the code of the exception that no handler catches.
    escape: Option<&'static [u8]>,
    /// The laws that were being evaluated when the last exception ended an evaluation.
    trail: trail::Trail,
    /// The persistence region, in an image.
    region: Option<Box<Region>>,
}

/// Settings of traces that the console shares with its own printing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tracing {
    /// Print large naturals with their bit length.
    pub bitsz: bool,
}

impl Machine {
    /// A machine with an empty heap and stack. Boxed: it takes 2.6 KB, and each page of the native
    /// stack that it is moved through costs a start a microsecond.
    ///
    /// # Errors
    /// The region that the system refuses.
    pub fn new(options: Options, engine: &'static Engine) -> Result<Box<Machine>, StartError> {
        let budget = match options.memory {
            0 => limits::memory_budget(false),
            bytes => bytes,
        };
        let mut arena = Arena::new().map_err(|_| StartError::Arena)?;
        if options.stress {
            arena.poison_freed();
        }
        arena.set_budget(budget);
        let mut machine = Machine::with_arena(options, engine, arena, budget)?;
        if options.memory == 0 {
            machine.start_small();
        }
        Ok(machine)
    }

    /// A machine with an empty heap and stack, and an arena that others may share; `budget` bytes are
    /// all it may use.
    fn with_arena(
        options: Options,
        engine: &'static Engine,
        arena: Arena,
        budget: u64,
    ) -> Result<Box<Machine>, StartError> {
        let stack_bytes = match options.stack_bytes {
            0 => memory::default_stack_bytes(budget),
            bytes => bytes,
        };
        let stack = Stack::new(stack_bytes).ok_or(StartError::Stack)?;
        if options.memory != 0 || options.stack_bytes != 0 {
            stack.guard();
        }
        let heap_bytes = match options.heap_bytes {
            0 => budget,
            bytes => bytes,
        };
        let heap = Nursery::new(Settings {
            floor: options.floor,
            budget: heap_bytes,
            stress: options.stress,
            verify: options.verify,
        })
        .map_err(|_| StartError::Heap)?;
        let mut machine = Box::new(Machine {
            crew: None,
            office: None,
            heap,
            arena,
            sp: stack.base(),
            stack,
            handler: core::ptr::null_mut(),
            registers: [Value::ZERO; REGISTERS],
            engine,
            options,
            budget,
            unasked: false,
            stats: Stats::NONE,
            profile: None,
            countdown: 0,
            reported: Cell::new(0),
            last_pause: 0,
            tracing: Tracing::default(),
            interruption: None,
            escape: None,
            trail: trail::Trail::EMPTY,
            region: None,
        });
        machine.divide_memory();
        machine.prepare_exhaustion().map_err(|_| StartError::Heap)?;
        Ok(machine)
    }

    /// How this machine was told to behave.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Bytes of the value stack.
    pub fn stack_bytes(&self) -> u64 {
        self.stack.bytes() as u64
    }

    /// Settings of traces.
    pub fn tracing(&mut self) -> &mut Tracing {
        &mut self.tracing
    }

    /// The counters up to now.
    pub fn stats(&self) -> Stats {
        Stats {
            nursery: self.heap.counters(),
            arena_bytes: self.arena.allocated_bytes(),
            arena: self.arena.counters(),
            ..self.stats
        }
    }

    /// The words of the stack in use.
    fn roots(&self) -> &[Value] {
        let base = self.stack.base();
        // SAFETY: every word from the base to `sp` was written by a push.
        unsafe { core::slice::from_raw_parts(base, self.sp.offset_from_unsigned(base)) }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A worker rests when it ends, and its arena goes on.
        if self.is_worker() || self.arena.mutators() > 1 {
            self.heap.fixed().clear(&mut self.arena);
        }
    }
}

/// An internal inconsistency: nothing a program does may lead here.
#[cold]
fn inconsistent(problem: &str) -> ! {
    panic!("the heap is inconsistent: {problem}")
}

#[cfg(test)]
mod tests;
