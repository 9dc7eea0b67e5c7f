//! A collection from the last root to the last block swept: what the collector does by itself.
//!
//! Pins are immutable and refer only to older ones, so what was reachable when the roots were given
//! is all there is to find, and no write needs to be watched (chapter 05 §3.10).
//!
//! Invariants:
//! - no recursion: blocks that were marked and not yet looked into are a list. Each block is put there
//!   once at most, when it is marked; where there is no memory for the list, the collection frees
//!   nothing;
//! - the lock is held for a batch of work at a time (chapter 05, G2-4).
//!
//! Safety: reads pins that are marked, which nobody frees before the sweep; pins do not change.
#![allow(unsafe_code)]

use super::Shared;
use super::held::{Addresses, Held};
use super::space::{Phase, Space};
use super::table::Table;
use crate::heap::now;
use crate::value::{Header, Kind, PIN_FIXED_WORDS, Value};
use alloc::vec::Vec;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Acquire;

/// Payload index of the number of pins.
const PIN_COUNT: usize = 2;

/// Marks whatever a block on the list leads to; whether there was memory to do so. `held` gets the
/// addresses in the persistence region that are met.
fn trace(
    table: &Table,
    grey: &mut Vec<u64>,
    held: &mut Option<Addresses>,
    shared: &Shared,
) -> bool {
    while let Some(payload) = grey.pop() {
        // SAFETY: the payload of a marked block, which has a header before it.
        let word = |i: usize| unsafe { *(payload as *const u64).add(i) };
        let header = Header::from_bits(unsafe { *(payload as *const u64).sub(1) });
        let mega = header.is(Kind::Megapin);
        if !mega && !header.is(Kind::Pin) {
            continue;
        }
        let pins = word(PIN_COUNT) as usize;
        if let Some(held) = held {
            // SAFETY: the first word of the block, which stays once it is set.
            let copy = unsafe { AtomicU64::from_ptr((payload as *mut u64).sub(2)) };
            held.add(copy.load(Acquire));
            (0..header.words() - PIN_FIXED_WORDS)
                .map(|i| word(PIN_FIXED_WORDS + i))
                .take(if mega { usize::MAX } else { pins })
                .filter(|word| word >> 63 == 1)
                .for_each(|word| held.add(address(word)));
        }
        // The megapins behind the pins and their lengths.
        let more = PIN_FIXED_WORDS + 2 * pins + 1;
        let megapins = if mega { word(more - 1) as usize } else { 0 };
        if grey.try_reserve(pins + megapins).is_err() || shared.is_stopping() {
            return false;
        }
        for i in 0..pins {
            // A megapin lists what its pins lead to, but the stored copies of it where there are some;
            // the pins may still refer to the originals.
            grey.extend(table.mark(address(word(PIN_FIXED_WORDS + i))));
        }
        for i in 0..megapins {
            grey.extend(table.mark(address(word(more + i))));
        }
    }
    true
}

fn address(word: u64) -> u64 {
    Value::from_bits(word).address() as u64
}

/// Frees the code of laws that are about to be freed.
fn free_code(shared: &Shared) {
    let mut codes = core::mem::take(&mut shared.space.lock().codes);
    codes.retain(|code| {
        let outside = shared.table.offset(code.owner).is_none();
        let live = outside || shared.table.is_marked(code.owner);
        if !live {
            code.entry.free();
        }
        live
    });
    let mut space = shared.space.lock();
    // Code that was compiled meanwhile is that of live laws.
    codes.append(&mut space.codes);
    space.codes = codes;
}

/// Marks all that the roots gathered in the space lead to; then the sweep begins.
pub fn mark(shared: &Shared) {
    let mut space = shared.space.lock();
    let mut grey = core::mem::take(&mut space.grey);
    let mut held = match core::mem::replace(&mut space.held, Held::None) {
        Held::Open(held) => Some(held),
        other => {
            space.held = other;
            None
        }
    };
    let whole = !space.keep_all;
    drop(space);
    let complete = trace(&shared.table, &mut grey, &mut held, shared);
    drop(grey);
    if complete {
        free_code(shared);
    }
    let mut space = shared.space.lock();
    if let Some(mut held) = held {
        let all = (complete && whole).then(|| core::mem::take(held.tidy()));
        space.held = Held::Complete(all);
    }
    space.begin_sweep(complete);
}

/// Sweeps to the end; mutators may have the lock in between.
pub fn sweep(shared: &Shared) {
    while shared.space.lock().sweep(&shared.table) && !shared.is_stopping() {
        shared.admit();
    }
    let mut space = shared.space.lock();
    let taken = now().saturating_sub(space.started);
    space.end_sweep(taken);
    shared.done.broadcast(&space);
}

/// Collects whenever all roots have been given, until the last mutator is gone.
pub fn serve(shared: &Shared) {
    while !shared.is_stopping() {
        let mut space = shared.space.lock();
        let idle = |space: &mut Space| space.phase != Phase::Marking || space.taken;
        shared
            .work
            .wait_while(&mut space, |space| idle(space) && !shared.is_stopping());
        space.taken = true;
        drop(space);
        if !shared.is_stopping() {
            mark(shared);
            sweep(shared);
        }
    }
}
