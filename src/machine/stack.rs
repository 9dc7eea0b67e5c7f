//! The value stack: reserved address space, committed on touch, guarded at both ends.
//!
//! Invariants:
//! - The stack grows upward from [`Stack::base`].
//! - An activation may be entered only below [`Stack::limit`]; [`SLACK`] words above it are free for
//!   the small pushes that follow without a check of their own.
//! - The limit is zero while a signal waits to be noticed: every call compares with it, so the next
//!   one fails and finds out why ([`Stack::take_signal`]).
//!
//! Safety: addresses handed out lie inside the region, which lives as long as the stack.
#![allow(unsafe_code)]

use crate::os::mem::{Region, map_to_guard, prefer_huge};
use crate::os::signal;
use crate::value::{Value, WORD};
use core::sync::atomic::{AtomicUsize, Ordering};

/// Words above the limit.
pub const SLACK: usize = 1 << 17;

/// Smallest stack worth having, in bytes.
const MINIMUM: usize = 4 << 20;

/// The region, the bound of what is used of it, and the limit.
pub struct Stack {
    region: Region,
    bound: usize,
    limit: AtomicUsize,
    /// Huge pages have been asked for.
    huge: bool,
}

/// Words of a stack from which on it is worth huge pages: 1 MiB.
const DEEP: usize = 1 << 17;

impl Stack {
    /// A stack of `bytes`, or of less if the kernel refuses that much. Its guard pages are still open.
    pub fn new(bytes: usize) -> Option<Stack> {
        let mut bytes = bytes.max(MINIMUM);
        loop {
            if let Ok(region) = map_to_guard(bytes) {
                let bound =
                    region.base().as_ptr().expose_provenance() + region.len() - SLACK * WORD;
                return Some(Stack {
                    region,
                    bound,
                    limit: AtomicUsize::new(bound),
                    huge: false,
                });
            }
            if bytes == MINIMUM {
                return None;
            }
            bytes = (bytes / 2).max(MINIMUM);
        }
    }

    /// Closes the guard pages. A start that uses a small part of the stack does without: that saves
    /// it two system calls which split a mapping, 3 microseconds.
    pub fn guard(&self) {
        // They show errors of ours early, and nothing else.
        let _ = self.region.close();
    }

    /// The first word.
    #[inline(always)]
    pub fn base(&self) -> *mut Value {
        self.region.base().as_ptr().cast()
    }

    /// The first word an activation may not reach.
    #[inline(always)]
    pub fn limit(&self) -> *mut Value {
        core::ptr::with_exposed_provenance_mut(self.limit.load(Ordering::Relaxed))
    }

    /// Bytes below the limit, whatever its word says at the moment.
    pub fn bytes(&self) -> usize {
        self.bound - self.base() as usize
    }

    /// Lets `bytes` be used, slack included, or all there is if that is less.
    pub fn set_bytes(&mut self, bytes: usize) {
        let bytes = bytes.max(MINIMUM).min(self.region.len());
        let before = self.bound;
        self.bound = self.base() as usize + bytes - SLACK * WORD;
        // Unless a signal waits to be noticed: the limit is given back when it is.
        let _ = self
            .limit
            .compare_exchange(before, self.bound, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Takes note that a collection found `words` words in use. A deep stack goes on in huge pages, a
    /// shallow one is not asked about: it would take the first of them whole.
    pub fn found(&mut self, words: usize) {
        if words >= DEEP && !self.huge {
            self.huge = true;
            prefer_huge(self.region.base(), self.region.len());
        }
    }

    /// The word of the limit: zero in it stops the evaluation.
    pub fn limit_word(&self) -> *const AtomicUsize {
        &raw const self.limit
    }

    /// Gives the limit its value back.
    pub fn restore_limit(&self) {
        self.limit.store(self.bound, Ordering::Relaxed);
    }

    /// Lets signals set the limit to zero.
    ///
    /// # Safety
    /// The stack must stay where it is until `signal::unwatch`.
    pub unsafe fn watch_signals(&self) {
        // SAFETY: passed on to the caller.
        unsafe { signal::watch(&self.limit) }
    }

    /// Why a signal has set the limit to zero, if one has; the limit is what it was again.
    pub fn take_signal(&self) -> Option<signal::Reason> {
        signal::take(&self.limit, self.bound)
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
