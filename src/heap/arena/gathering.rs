//! Giving roots: what one mutator refers to, on its way to the collector.
//!
//! Invariants:
//! - a root is marked when it is given; what it leads to is looked into by the collector;
//! - roots that could not be noted for lack of memory keep everything alive for this collection.

use super::Shared;
use super::held::{Addresses, Held};
use super::space::Space;
use crate::value::Value;
use alloc::vec::Vec;

/// The roots of one mutator on their way to the collector.
pub struct Gathering<'a> {
    shared: &'a Shared,
    held: Option<Addresses>,
    grey: Vec<u64>,
    complete: bool,
}

impl<'a> Gathering<'a> {
    /// Nothing given yet; `held` collects addresses in the persistence region, if somebody wants to know.
    pub(super) fn new(shared: &'a Shared, held: Option<Addresses>) -> Gathering<'a> {
        Gathering {
            shared,
            held,
            grey: Vec::new(),
            complete: true,
        }
    }

    /// Gives a root: any value; one that refers to nothing in the arena is no root.
    #[inline]
    pub fn root(&mut self, v: Value) {
        if !v.is_direct() {
            self.reference(v);
        }
    }

    #[inline(never)]
    fn reference(&mut self, v: Value) {
        let Some(payload) = self.shared.table.mark(v.address() as u64) else {
            if let Some(held) = &mut self.held {
                held.add(v.address() as u64);
            }
            return;
        };
        if self.grey.try_reserve(1).is_ok() {
            self.grey.push(payload);
        } else {
            self.complete = false;
        }
    }

    /// All roots have been given.
    pub fn end(mut self) {
        let mut space = self.shared.lock();
        self.add_to(&mut space);
        space.roots_given();
    }

    pub(super) fn add_to(&mut self, space: &mut Space) {
        space.grey.append(&mut self.grey);
        if let (Held::Open(all), Some(held)) = (&mut space.held, self.held.take()) {
            all.append(held);
        }
        space.keep_all |= !self.complete;
    }
}
