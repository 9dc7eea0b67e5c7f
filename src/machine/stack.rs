//! The value stack: reserved address space, committed on touch, guarded at both ends.
//!
//! Invariants:
//! - The stack grows upward from [`Stack::base`].
//! - An activation may be entered only below [`Stack::limit`]; [`SLACK`] words above it are free for
//!   the small pushes that follow without a check of their own.
//!
//! Safety: addresses handed out lie inside the region, which lives as long as the stack.
#![allow(unsafe_code)]

use crate::os::mem::{Region, map_with_guard};
use crate::value::{Value, WORD};

/// Words above the limit.
pub const SLACK: usize = 1 << 17;

/// Smallest stack worth having, in bytes.
const MINIMUM: usize = 4 << 20;

/// The region and its limit.
pub struct Stack {
    region: Region,
    limit: *mut Value,
}

impl Stack {
    /// A stack of `bytes`, or of less if the kernel refuses that much.
    pub fn new(bytes: usize) -> Option<Stack> {
        let mut bytes = bytes.max(MINIMUM);
        loop {
            if let Ok(region) = map_with_guard(bytes) {
                let words = region.len() / WORD - SLACK;
                // SAFETY: the region has more than SLACK words.
                let limit = unsafe { region.base().as_ptr().cast::<Value>().add(words) };
                return Some(Stack { region, limit });
            }
            if bytes == MINIMUM {
                return None;
            }
            bytes = (bytes / 2).max(MINIMUM);
        }
    }

    /// The first word.
    #[inline(always)]
    pub fn base(&self) -> *mut Value {
        self.region.base().as_ptr().cast()
    }

    /// The first word an activation may not reach.
    #[inline(always)]
    pub fn limit(&self) -> *mut Value {
        self.limit
    }

    /// Gives the memory from `sp` on back to the system.
    pub fn release_above(&mut self, sp: *mut Value) {
        let offset = sp as usize - self.base() as usize + SLACK * WORD;
        if offset < self.region.len() {
            // What cannot be released stays allocated, which costs memory but breaks nothing.
            let _ = self.region.discard(offset, self.region.len() - offset);
        }
    }
}
