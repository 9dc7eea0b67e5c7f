//! Waiting for a condition on data under a mutex (spec 05 §6.2).
//!
//! Invariants:
//! - the sequence and the count of waiters change only under the mutex, which all callers hold: the
//!   guards they pass prove it;
//! - while threads wait, they wait with one mutex; a second one is an internal error, noticed here;
//! - without waiters, signalling is no system call;
//! - a broadcast wakes one thread and moves the others to the mutex. The one takes the mutex as
//!   waited for, so its unlock wakes the next: they come one by one instead of all at once.
//!
//! A thread that has unlocked but does not sleep yet is not missed, because the sequence it compares
//! has changed by then. Only 2^32 signals in just that moment could deceive it.

use super::mutex::{MutexGuard, RawMutex};
use super::word::Word;
use core::fmt;
use core::ptr;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU32, AtomicUsize};

/// The variable without its mutex: 16 bytes.
#[repr(C)]
pub(super) struct RawCondvar<W: Word = AtomicU32> {
    /// The address of the mutex of those who wait; only compared, so that a variable at rest may
    /// move together with its mutex.
    mutex: AtomicUsize,
    /// Counts signals and broadcasts, wrapping.
    sequence: W,
    /// Threads that are in [`RawCondvar::wait`], or are leaving it and want the mutex.
    waiters: W,
}

impl RawCondvar {
    pub(super) const fn new() -> RawCondvar {
        RawCondvar {
            mutex: AtomicUsize::new(0),
            sequence: AtomicU32::new(0),
            waiters: AtomicU32::new(0),
        }
    }
}

impl<W: Word> RawCondvar<W> {
    pub(super) fn of() -> RawCondvar<W> {
        RawCondvar {
            mutex: AtomicUsize::new(0),
            sequence: W::new(0),
            waiters: W::new(0),
        }
    }

    /// Frees the mutex, which the caller holds, sleeps until woken or for no reason, and holds the
    /// mutex again.
    pub(super) fn wait(&self, mutex: &RawMutex<W>) {
        let waiters = self.waiters.load(Relaxed);
        if waiters == 0 {
            self.mutex.store(ptr::from_ref(mutex).addr(), Relaxed);
        } else {
            self.check(mutex);
        }
        self.waiters.store(waiters.wrapping_add(1), Relaxed);
        let sequence = self.sequence.load(Relaxed);
        mutex.unlock();
        self.sequence.wait(sequence);
        mutex.lock_waited();
        // Others may have come and gone meanwhile: read again.
        let waiters = self.waiters.load(Relaxed);
        self.waiters.store(waiters.wrapping_sub(1), Relaxed);
    }

    /// Wakes one waiter, if there is any; the caller holds the mutex.
    pub(super) fn signal(&self, mutex: &RawMutex<W>) {
        if self.advance(mutex).is_some() {
            self.sequence.wake_one();
        }
    }

    /// Wakes all waiters; the caller holds the mutex.
    pub(super) fn broadcast(&self, mutex: &RawMutex<W>) {
        let Some(sequence) = self.advance(mutex) else {
            return;
        };
        // Nobody changes the sequence meanwhile, so it is as expected; should the kernel refuse all
        // the same, waking everybody is right too.
        if !self.sequence.requeue(sequence, mutex.word()) {
            self.sequence.wake_all();
        }
    }

    /// The next sequence, if anybody waits.
    fn advance(&self, mutex: &RawMutex<W>) -> Option<u32> {
        if self.waiters.load(Relaxed) == 0 {
            return None;
        }
        self.check(mutex);
        let next = self.sequence.load(Relaxed).wrapping_add(1);
        self.sequence.store(next, Relaxed);
        Some(next)
    }

    fn check(&self, mutex: &RawMutex<W>) {
        let same = self.mutex.load(Relaxed) == ptr::from_ref(mutex).addr();
        assert!(same, "a condition variable is used with two mutexes");
    }
}

/// Lets threads that hold a [`super::Mutex`] wait until another says that its data has changed.
pub struct Condvar<W: Word = AtomicU32> {
    raw: RawCondvar<W>,
}

impl Condvar {
    /// A variable nobody waits on.
    pub const fn new() -> Condvar {
        Condvar {
            raw: RawCondvar::new(),
        }
    }
}

impl<W: Word> Condvar<W> {
    /// Like [`Condvar::new`], over words of any kind.
    pub fn of() -> Condvar<W> {
        Condvar {
            raw: RawCondvar::of(),
        }
    }

    /// Frees the mutex, sleeps until woken, and holds the mutex again. It may wake for no reason:
    /// wait in a loop, or with [`Condvar::wait_while`].
    ///
    /// # Panics
    /// If other threads wait on this variable with another mutex; so do the functions below.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T, W>) {
        self.raw.wait(guard.raw());
    }

    /// Waits as long as `condition` holds of the data.
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T, W>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while condition(guard) {
            self.wait(guard);
        }
    }

    /// Wakes one waiting thread, if there is any.
    pub fn signal<T: ?Sized>(&self, guard: &MutexGuard<'_, T, W>) {
        self.raw.signal(guard.raw());
    }

    /// Wakes a thread as a signal from outside would, without the mutex.
    #[cfg(test)]
    pub(super) fn wake_for_nothing(&self) {
        self.raw.sequence.wake_one();
    }

    /// Wakes all waiting threads.
    pub fn broadcast<T: ?Sized>(&self, guard: &MutexGuard<'_, T, W>) {
        self.raw.broadcast(guard.raw());
    }
}

impl Default for Condvar {
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl<W: Word> fmt::Debug for Condvar<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condvar")
    }
}
