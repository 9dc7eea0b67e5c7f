//! Walks the fragments of a seed as a sequence of events. Checking, building and dumping are three
//! consumers of this one reader.
//!
//! A node is a table entry applied to c arguments, each of them a node. The events of a node are
//! its head, then, after the events of each argument, one application:
//!
//! ```text
//!            Head        c = 0: the value is complete
//!   expect ─────────▶ complete ──▶ Apply   an argument of the innermost open node is done
//!      ▲   c > 0: open │   ▲         │ left > 0: expect its next argument
//!      └───────────────┘   └─────────┘ left = 0: the node is complete, too
//!                      └─▶ End     nothing is open: the fragment is done
//! ```
//!
//! Invariants:
//! - `pending` has one count, at least 1, per open node: how many of its arguments are incomplete;
//! - a position given out is an entry of the table that the fragment may refer to;
//! - every event but `Apply` and `End` consumes at least one bit, and of these there is one per
//!   head, so the number of events is linear in the length of the file.

use super::bits::{self, BitReader};
use super::error::{Code, SeedError};
use super::header::Plan;
use alloc::vec::Vec;

/// A step of the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A node begins: the entry at `position`, to be applied to `args` nodes that follow.
    Head { position: u64, args: u32 },
    /// An argument is complete and the innermost open node is applied to it; `left` more follow.
    Apply { left: u32 },
    /// A fragment is complete.
    End,
}

/// The walk. Ends at the first error.
pub(super) struct Nodes<'a> {
    plan: &'a Plan,
    bits: BitReader<'a>,
    /// The fragment being read, from 0.
    fragment: u64,
    /// Entries that references of this fragment count back from.
    entries: u64,
    /// Width of a reference, in bits.
    width: u32,
    pending: Vec<u32>,
    complete: bool,
    /// Bit offset of the most recent head.
    head: u64,
}

impl<'a> Nodes<'a> {
    /// Starts at the first fragment of the seed that `plan` was made from.
    pub fn new(bytes: &'a [u8], plan: &'a Plan) -> Self {
        let (entries, width) = plan.scope(0);
        Nodes {
            plan,
            bits: BitReader::new(bytes, plan.stream),
            fragment: 0,
            entries,
            width,
            pending: Vec::new(),
            complete: false,
            head: plan.stream,
        }
    }

    /// How many nodes are open: 0 before the head and after the last application of a fragment.
    pub fn depth(&self) -> usize {
        self.pending.len()
    }

    /// The fragment being read, from 0; the number of fragments at the end.
    pub fn fragment(&self) -> u64 {
        self.fragment
    }

    /// Bit offset of the head most recently read.
    pub fn head_bit(&self) -> u64 {
        self.head
    }

    /// Bit offset of what is read next.
    pub fn bit(&self) -> u64 {
        self.bits.position()
    }

    /// The next event, or `None` after the last fragment.
    ///
    /// Errors: E_NODE, E_TRUNC, E_REF, E_FORWARD, E_ARGS; E_MEMORY if the stack cannot grow.
    pub fn next(&mut self) -> Result<Option<Event>, SeedError> {
        if self.complete {
            return Ok(Some(self.complete_value()));
        }
        if self.fragment == self.plan.fragments {
            return Ok(None);
        }
        let (position, args) = self.read_head()?;
        if args == 0 {
            self.complete = true;
        } else {
            bits::push(&mut self.pending, args)?;
        }
        Ok(Some(Event::Head { position, args }))
    }

    /// What follows when a value has just been completed.
    fn complete_value(&mut self) -> Event {
        let Some(count) = self.pending.last_mut() else {
            self.complete = false;
            self.fragment += 1;
            (self.entries, self.width) = self.plan.scope(self.fragment);
            return Event::End;
        };
        *count -= 1;
        let left = *count;
        if left == 0 {
            self.pending.pop();
        } else {
            self.complete = false;
        }
        Event::Apply { left }
    }

    /// Reads the size and the reference of a node; together they are at most 64 bits.
    fn read_head(&mut self) -> Result<(u64, u32), SeedError> {
        let start = self.bits.position();
        self.head = start;
        let window = self.bits.window();
        let (args, size_bits) = self.read_size(window)?;
        let reference_bit = start + u64::from(size_bits);
        if self.bits.remaining() < u64::from(size_bits + self.width) {
            return Err(SeedError::new(
                Code::Trunc,
                "a reference is cut off",
                reference_bit,
            ));
        }
        let reference = BitReader::field(window, size_bits, self.width);
        self.bits.advance(size_bits + self.width);
        let position = self.resolve(reference, reference_bit)?;
        if u64::from(args) > self.bits.remaining() / u64::from(1 + self.width) {
            let detail = "more arguments than the file can hold";
            return Err(SeedError::new(Code::Args, detail, start));
        }
        Ok((position, args))
    }

    /// The argument count at the start of `window`, and the number of bits it takes: c = 0 is a 1;
    /// any other c of z bits is z zeros, a 1, and all bits of c but the top one.
    fn read_size(&self, window: u64) -> Result<(u32, u32), SeedError> {
        let start = self.bits.position();
        let remaining = self.bits.remaining();
        let zeros = window.trailing_zeros();
        // The most zeros that a head of 64 bits leaves room for: 2z + W <= 64.
        let most = u64::BITS.saturating_sub(self.width) / 2;
        if zeros > most && remaining > u64::from(most) {
            return Err(SeedError::new(
                Code::Node,
                "the head is longer than 64 bits",
                start,
            ));
        }
        let size_bits = if zeros == 0 { 1 } else { 2 * zeros };
        if remaining < u64::from(size_bits) {
            return Err(SeedError::new(
                Code::Trunc,
                "an argument count is cut off",
                start,
            ));
        }
        if zeros == 0 {
            return Ok((0, size_bits));
        }
        let low = BitReader::field(window, zeros + 1, zeros - 1);
        // zeros <= 32, so the count has at most 32 bits.
        Ok(((1 << (zeros - 1) | low) as u32, size_bits))
    }

    /// The table position that a reference denotes.
    fn resolve(&self, reference: u64, bit: u64) -> Result<u64, SeedError> {
        if reference >= self.entries {
            return Err(SeedError::new(Code::Ref, "a reference to no entry", bit));
        }
        let position = self.entries - 1 - reference;
        if !self.plan.graph && position >= self.plan.base() + self.fragment {
            let detail = "a reference to a later fragment in a file that is no graph";
            return Err(SeedError::new(Code::Forward, detail, bit));
        }
        Ok(position)
    }
}
