//! A word of memory that threads change and wait on: all that the locks know of the machine.
//!
//! Invariants:
//! - a wait compares and falls asleep in one step: a change followed by a wake is never missed;
//! - a wait may return for no reason.
//!
//! Safety: the implementation for the machine is its atomic word and the kernel's futex.
#![allow(unsafe_code)]

use crate::os::futex;
use core::sync::atomic::{AtomicU32, Ordering};

/// 32 bits that threads change and wait on.
///
/// # Safety
/// The operations are atomic and order memory as those of [`AtomicU32`] do: locks rely on them.
pub unsafe trait Word: Send + Sync {
    /// How often to look at a held lock again before sleeping; 0 where that would only add states
    /// to try.
    const SPINS: u32;

    /// A word that holds `value`.
    fn new(value: u32) -> Self;
    /// The value.
    fn load(&self, order: Ordering) -> u32;
    /// Changes the value.
    fn store(&self, value: u32, order: Ordering);
    /// Changes the value and returns the one before.
    fn swap(&self, value: u32, order: Ordering) -> u32;
    /// Subtracts, wrapping, and returns the value before.
    fn sub(&self, amount: u32, order: Ordering) -> u32;
    /// Changes `old` to `new`, with `order`; leaves any other value, with no order. Whether it did.
    fn exchange(&self, old: u32, new: u32, order: Ordering) -> bool;

    /// Sleeps until woken, if the word holds `expected`; else returns at once.
    fn wait(&self, expected: u32);
    /// Wakes one thread that waits on this word.
    fn wake_one(&self);
    /// Wakes all threads that wait on this word.
    fn wake_all(&self);
    /// If the word holds `expected`: wakes one thread that waits on it, and lets the others wait on
    /// `target` instead. Whether it did.
    fn requeue(&self, expected: u32, target: &Self) -> bool;
}

// SAFETY: an atomic word and the kernel's futex.
unsafe impl Word for AtomicU32 {
    /// About a microsecond. What our locks protect takes less, a sleep and a wake take fifty.
    const SPINS: u32 = 100;

    fn new(value: u32) -> AtomicU32 {
        AtomicU32::new(value)
    }

    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }

    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }

    #[inline]
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        AtomicU32::swap(self, value, order)
    }

    #[inline]
    fn sub(&self, amount: u32, order: Ordering) -> u32 {
        self.fetch_sub(amount, order)
    }

    #[inline]
    fn exchange(&self, old: u32, new: u32, order: Ordering) -> bool {
        self.compare_exchange(old, new, order, Ordering::Relaxed)
            .is_ok()
    }

    fn wait(&self, expected: u32) {
        futex::wait(self, expected);
    }

    fn wake_one(&self) {
        // Waking fails for no valid word; how many it woke is of no interest.
        let _ = futex::wake(self, 1);
    }

    fn wake_all(&self) {
        // As above.
        let _ = futex::wake(self, i32::MAX as u32);
    }

    fn requeue(&self, expected: u32, target: &AtomicU32) -> bool {
        futex::requeue(self, expected, target).is_ok()
    }
}
