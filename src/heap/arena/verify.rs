//! The verifier of the arena. Shipped, switched on by `PLAN_VERIFY=1`, run after every collection in
//! stress tests.
//!
//! Invariants checked:
//! - those of [`super::buddy`], and that headers fit their blocks;
//! - the bits of a span stand for slots it has, and add up to what is counted;
//! - lists of spans are linked in both directions and hold what they should;
//! - pins refer to blocks in use: not checked while a sweep goes on, when dead ones do not, or beside
//!   other mutators, which may be about to write some;
//! - without a collection going on, no block is marked.
//!
//! Safety: reads headers and pins of blocks in use, with the lock held and no sweep going on.
#![allow(unsafe_code)]

use super::Arena;
use super::buddy::BLOCK_WORDS;
use super::buddy::tree::NodeState;
use super::space::{Phase, Space};
use super::span::{self, CLASSES, SPAN_LOG2, Span, WORDS};
use super::table::Table;
use crate::value::{Header, Kind, PIN_FIXED_WORDS, Value};
use alloc::format;
use alloc::string::String;
use core::sync::atomic::Ordering::Relaxed;

/// What a verification has counted.
#[derive(Default)]
struct Tally {
    blocks: u64,
    listed: u64,
}

impl Arena {
    /// Checks the invariants at the head of this file.
    ///
    /// # Errors
    /// The first violation found. Takes time in proportion to the number of blocks.
    pub fn verify(&self) -> Result<(), String> {
        let space = self.shared.lock();
        let table = &self.shared.table;
        space.buddy.verify()?;
        let deep = is_deep(&space);
        let mut tally = Tally::default();
        let mut at = 0;
        while at < space.buddy.top() {
            let (leaf, state) = space.buddy.leaf_at(at);
            let offset = space.buddy.geometry().offset(leaf);
            at = offset + space.buddy.geometry().size(leaf.level);
            let row = table.span(offset >> SPAN_LOG2);
            if state == NodeState::AllocManual
                && let Some(class) = row.class()
            {
                self.verify_span(&space, offset, class, &mut tally)
                    .map_err(|what| format!("span at offset {offset:#x}: {what}"))?;
            } else if state == NodeState::AllocGc {
                let marked = table.is_marked(table.base() + offset);
                if space.phase == Phase::Idle && marked {
                    return Err(format!("block at offset {offset:#x} is marked"));
                }
                verify_block(table, offset, u64::MAX, deep)?;
            }
        }
        let (small, listed) = space.verify_lists(table)?;
        if (small, listed) != (tally.blocks, tally.listed) {
            return Err(format!(
                "{small} slots and {listed} listed spans counted, {} and {} found",
                tally.blocks, tally.listed
            ));
        }
        Ok(())
    }

    fn verify_span(
        &self,
        space: &Space,
        offset: u64,
        class: usize,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let table = &self.shared.table;
        let deep = is_deep(space);
        let row = table.span(offset >> SPAN_LOG2);
        let group = &self.groups[class];
        let own = u64::from(group.span) == (offset >> SPAN_LOG2) + 1;
        for word in 0..WORDS {
            let mut used = row.used[word].load(Relaxed);
            if used & !span::slots_of_word(class, word) != 0 {
                return Err(String::from("a slot in use that is not there"));
            }
            if space.phase == Phase::Idle && row.marked[word].load(Relaxed) != 0 {
                return Err(String::from("a slot is marked"));
            }
            tally.blocks += u64::from(used.count_ones());
            if own && group.word as usize == word {
                used &= !group.free;
            } else if row.owned.get() && space.mutators > 1 {
                // Some of these may be slots that another mutator has not handed out yet.
                continue;
            }
            while used != 0 {
                let slot = 64 * word as u64 + u64::from(used.trailing_zeros());
                let size = span::size(class);
                verify_block(table, offset + slot * size, size, deep)?;
                used &= used - 1;
            }
        }
        tally.listed += u64::from(row.listed.get());
        Ok(())
    }
}

/// Whether pins can be looked into.
fn is_deep(space: &Space) -> bool {
    space.phase != Phase::Sweeping && space.mutators == 1
}

/// The header fits into `bytes`, and what the block refers to is there.
fn verify_block(table: &Table, offset: u64, bytes: u64, deep: bool) -> Result<(), String> {
    let at = (table.base() + offset) as *const u64;
    // SAFETY: a block in use has its header, and a pin all words that its header counts.
    let word = |i: usize| unsafe { *at.add(i) };
    let header = Header::from_bits(word(1));
    let words = header.words() as u64 + BLOCK_WORDS;
    if header.is_forwarded() || words > bytes / 8 {
        return Err(format!(
            "block at offset {offset:#x}: the header is larger than the block"
        ));
    }
    if !deep || !header.is(Kind::Pin) && !header.is(Kind::Megapin) {
        return Ok(());
    }
    let payload = BLOCK_WORDS as usize;
    for i in 0..word(payload + 2) as usize {
        let pin = Value::from_bits(word(payload + PIN_FIXED_WORDS + i));
        let address = table.offset(pin.bits() << 16 >> 16);
        if !pin.is_pin() || address.is_some_and(|at| table.place(at).is_none()) {
            return Err(format!(
                "pin at offset {offset:#x} refers to {pin:?}, which is none"
            ));
        }
    }
    Ok(())
}

impl Space {
    /// Number of slots in use and of spans in the lists of their classes, after following these.
    fn verify_lists(&self, table: &Table) -> Result<(u64, u64), String> {
        let mut listed = 0;
        for list in 0..=CLASSES {
            let (mut before, mut at) = (0, self.first_span(list));
            while at != 0 {
                let row: &Span = table.span(u64::from(at - 1));
                let class = (list < CLASSES).then_some(list);
                if row.previous.load(Relaxed) != before || !row.listed.get() || row.class() != class
                {
                    return Err(format!(
                        "span {} is not what list {list} should hold",
                        u64::from(at)
                    ));
                }
                listed += u64::from(class.is_some());
                (before, at) = (at, row.next.load(Relaxed));
            }
        }
        Ok((self.small_blocks(), listed))
    }
}
