//! The addresses in the persistence region that memory refers to, for collecting that region.
//!
//! Invariants:
//! - nothing outside the window of the region is ever in a set;
//! - a set that is complete has each address once, in order.

use crate::heap::region::memory::in_window;
use crate::heap::words::sort_words;
use alloc::vec::Vec;

/// A set of addresses in the persistence region.
#[derive(Default)]
pub struct Addresses(Vec<u64>);

impl Addresses {
    /// Adds an address if it lies there.
    pub fn add(&mut self, address: u64) {
        if !in_window(address) || self.0.last() == Some(&address) {
            return;
        }
        if self.0.len() == self.0.capacity() {
            self.tidy();
            self.0.reserve(self.0.len().max(64));
        }
        self.0.push(address);
    }

    /// Adds all of another set.
    pub fn append(&mut self, mut other: Addresses) {
        self.0.append(&mut other.0);
    }

    /// Each address once.
    pub fn tidy(&mut self) -> &mut Vec<u64> {
        sort_words(&mut self.0);
        self.0.dedup();
        &mut self.0
    }
}

/// Addresses in the persistence region that are referred to from memory.
pub enum Held {
    /// Nobody wants to know.
    None,
    /// Being gathered.
    Open(Addresses),
    /// All of them; `None`: some are missing.
    Complete(Option<Vec<u64>>),
}

impl Held {
    /// Whether they are being gathered.
    pub fn is_open(&self) -> bool {
        matches!(self, Held::Open(_))
    }
}
