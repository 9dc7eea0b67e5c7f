//! A countdown: threads wait until so many steps are done (spec 05 §6.4).
//!
//! Invariants:
//! - the count only falls, from [`Countdown::set`] or [`Countdown::new`] to 0, once;
//! - what a thread did before its [`Countdown::done`] is seen after [`Countdown::wait`].

use super::word::Word;
use core::fmt;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// The number of steps that are still to be done.
pub struct Countdown<W: Word = AtomicU32> {
    left: W,
}

impl Countdown {
    /// A countdown from `steps`; from 0 it is over at once.
    pub const fn new(steps: u32) -> Countdown {
        Countdown {
            left: AtomicU32::new(steps),
        }
    }
}

impl<W: Word> Countdown<W> {
    /// Like [`Countdown::new`], over words of any kind.
    pub fn of(steps: u32) -> Countdown<W> {
        Countdown {
            left: W::new(steps),
        }
    }

    /// Starts a countdown that is over again, from `steps`. It must happen before anybody can know
    /// that there is a step to be done: set first, then publish.
    ///
    /// # Panics
    /// If the countdown is not over.
    pub fn set(&self, steps: u32) {
        let over = self.left.exchange(0, steps, Release);
        assert!(over, "a countdown starts again before it is over");
    }

    /// One step is done; the last wakes whoever waits.
    ///
    /// # Panics
    /// If there was no step left.
    pub fn done(&self) {
        // Release: the step is seen after the wait. Acquire is not needed for that; with it, who does
        // the last step has seen the others.
        let before = self.left.sub(1, AcqRel);
        assert!(before != 0, "a countdown goes below zero");
        if before == 1 {
            self.left.wake_all();
        }
    }

    /// Waits until all steps are done.
    pub fn wait(&self) {
        loop {
            match self.left.load(Acquire) {
                0 => return,
                left => self.left.wait(left),
            }
        }
    }
}

impl<W: Word> fmt::Debug for Countdown<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Countdown")
    }
}
