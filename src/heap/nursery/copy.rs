//! Copying: what a collection of the moving heap does with roots and objects (chapter 05 §2.5).
//!
//! Invariants:
//! - Only references into the old space are touched; everything else is left as it is.
//! - A header with bit 63 set is the new reference of an object already copied.
//! - References to finished thunks become references to their results, so chains of finished
//!   thunks do not survive; a thunk under evaluation keeps no operands.
//! - Long naturals outside the heap that are met are marked.
//! - No recursion: the copied objects are the queue.
//!
//! Safety: addresses read lie in the old space, which stays mapped for the whole copy; addresses
//! written lie in the new one, which has room for everything live (`Nursery::space_for`).
#![allow(unsafe_code)]

use super::{Block, HEADROOM, Nursery, Roots};
use crate::heap::code::Entry;
use crate::value::{Header, Kind, TAG_THUNK, ThunkKind, Value, WORD};

/// Payload index of the code word of a law.
const LAW_CODE: usize = 3;

/// One collection at work.
pub(super) struct Copier<'a> {
    nursery: &'a mut Nursery,
    from: u64,
    from_bytes: u64,
}

impl<'a> Copier<'a> {
    pub(super) fn new(nursery: &'a mut Nursery, from: &Block) -> Copier<'a> {
        let from_bytes = ((from.words + HEADROOM) * WORD) as u64;
        Copier {
            nursery,
            from: from.base.as_ptr() as u64,
            from_bytes,
        }
    }

    /// Copies everything reachable from the roots.
    pub(super) fn run(mut self, roots: Roots<'_>) {
        let mut scan = self.nursery.top;
        for slot in roots.stack.iter_mut().chain(roots.registers) {
            self.relocate(slot);
        }
        while scan < self.nursery.top {
            scan = self.scan(scan);
        }
    }

    /// Relocates the fields of the object whose header is at `at`; returns the next header.
    #[inline]
    fn scan(&mut self, at: *mut u64) -> *mut u64 {
        // SAFETY: `at` is the header of an object copied before, followed by its payload.
        unsafe {
            let header = Header::from_bits(*at);
            let payload = at.add(1);
            let words = header.words();
            if !header.is(Kind::Nat) {
                for i in 0..words {
                    self.relocate(&mut *payload.add(i).cast::<Value>());
                }
                if header.is(Kind::Law) {
                    self.scan_code(*payload.add(LAW_CODE));
                }
            }
            payload.add(words)
        }
    }

    /// Relocates the constants of a law's compiled code, once per collection.
    fn scan_code(&mut self, word: u64) {
        let Some(entry) = Entry::from_word(word) else {
            return;
        };
        if !entry.mark(self.nursery.epoch) {
            return;
        }
        let (first, count) = entry.constants();
        for i in 0..count {
            // SAFETY: the block has `count` constants from `first` on.
            self.relocate(unsafe { &mut *first.add(i) });
        }
    }

    #[inline(always)]
    fn is_old(&self, v: Value) -> bool {
        !v.is_direct() && (v.address() as u64).wrapping_sub(self.from) < self.from_bytes
    }

    #[inline(always)]
    fn relocate(&mut self, slot: &mut Value) {
        while self.is_old(*slot) {
            let v = *slot;
            let header = v.header();
            if header.is_forwarded() {
                *slot = Value::from_bits(header.bits());
                return;
            }
            if header.is(Kind::Thunk) {
                let kind = v.thunk_kind();
                if kind == ThunkKind::DONE {
                    *slot = v.field(1);
                    continue;
                }
                if ThunkKind::is_hole(kind) {
                    *slot = self.copy_hole(v);
                    return;
                }
            }
            *slot = self.copy(v, header);
            return;
        }
        if slot.is_fixed_or_buffer() {
            self.nursery.fixed.mark(*slot, self.nursery.epoch);
        }
    }

    #[inline(always)]
    fn copy(&mut self, v: Value, header: Header) -> Value {
        let words = header.words() + 1;
        let to = self.nursery.bump(words);
        // SAFETY: the object lies in the old space, the new space has room for it.
        unsafe {
            let from = v.address().sub(1);
            if words <= 8 {
                for i in 0..words {
                    *to.add(i) = *from.add(i);
                }
            } else {
                to.copy_from_nonoverlapping(from, words);
            }
            let new = Value::reference(v.tag(), to.add(1));
            *from = new.bits();
            new
        }
    }

    /// A thunk under evaluation: its operands live on in the frame that evaluates it.
    fn copy_hole(&mut self, v: Value) -> Value {
        let payload = self.nursery.bump_object(Kind::Thunk, 2);
        let new = Value::reference(TAG_THUNK, payload);
        new.set_raw(0, ThunkKind::LOST);
        new.set_field(1, Value::ZERO);
        v.set_header(Header::from_bits(new.bits()));
        new
    }
}
