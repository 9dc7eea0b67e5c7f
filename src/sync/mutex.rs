//! Mutual exclusion in one word (U. Drepper, "Futexes Are Tricky", 2011, the third mutex).
//!
//! ```text
//! FREE ──lock──▶ HELD ──another thread waits──▶ WAITED
//!   ▲──unlock──────┘                               │
//!   └──unlock, wake one────────────────────────────┘
//! ```
//!
//! Invariants:
//! - whoever waits has set WAITED, and takes the lock as WAITED: then the next unlock wakes another;
//! - a guard exists only while the lock is held by its thread, and stays there (it is not `Send`);
//! - not recursive (a thread that locks twice waits for ever), and not fair: a thread that is just
//!   passing may take the lock before one that was woken for it.
//!
//! Safety: the data is reached through a guard only, or through an exclusive reference.
#![allow(unsafe_code)]

use super::word::Word;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Nobody holds the lock.
const FREE: u32 = 0;
/// Held, and nobody waits.
const HELD: u32 = 1;
/// Held, and somebody may be waiting.
const WAITED: u32 = 2;

/// The lock alone: four bytes.
#[repr(transparent)]
pub(super) struct RawMutex<W: Word = AtomicU32> {
    state: W,
}

impl RawMutex {
    /// A free lock.
    pub(super) const fn new() -> RawMutex {
        RawMutex {
            state: AtomicU32::new(FREE),
        }
    }
}

impl<W: Word> RawMutex<W> {
    /// A free lock over words of any kind.
    pub(super) fn of() -> RawMutex<W> {
        RawMutex {
            state: W::new(FREE),
        }
    }

    /// Waits until the lock is free, and holds it.
    #[inline]
    pub(super) fn lock(&self) {
        if !self.try_lock() {
            self.lock_slow();
        }
    }

    /// Holds the lock if it is free.
    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        self.state.exchange(FREE, HELD, Acquire)
    }

    #[cold]
    fn lock_slow(&self) {
        for _ in 0..W::SPINS {
            match self.state.load(Relaxed) {
                FREE if self.try_lock() => return,
                // Others sleep already, so the lock is not just held for a moment.
                WAITED => break,
                _ => core::hint::spin_loop(),
            }
        }
        self.lock_waited();
    }

    /// Takes the lock as one that was waited for. Whoever has slept must: the thread that woke it
    /// has cleared the mark of all who still sleep.
    pub(super) fn lock_waited(&self) {
        while self.state.swap(WAITED, Acquire) != FREE {
            self.state.wait(WAITED);
        }
    }

    /// Frees the lock, which the caller holds.
    #[inline]
    pub(super) fn unlock(&self) {
        if self.state.swap(FREE, Release) == WAITED {
            self.state.wake_one();
        }
    }

    /// The word that waiting threads sleep on.
    pub(super) fn word(&self) -> &W {
        &self.state
    }
}

/// A value that one thread at a time may reach.
pub struct Mutex<T: ?Sized, W: Word = AtomicU32> {
    raw: RawMutex<W>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock lets one thread at a time reach the data, which moves between threads that way.
unsafe impl<T: ?Sized + Send, W: Word> Sync for Mutex<T, W> {}

impl<T> Mutex<T> {
    /// A free lock around `data`.
    pub const fn new(data: T) -> Mutex<T> {
        Mutex {
            raw: RawMutex::new(),
            data: UnsafeCell::new(data),
        }
    }
}

impl<T, W: Word> Mutex<T, W> {
    /// Like [`Mutex::new`], over words of any kind.
    pub fn of(data: T) -> Mutex<T, W> {
        Mutex {
            raw: RawMutex::of(),
            data: UnsafeCell::new(data),
        }
    }

    /// The value, when nobody shares it any more.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized, W: Word> Mutex<T, W> {
    /// Waits until no other thread holds the lock, and holds it until the guard is dropped.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T, W> {
        self.raw.lock();
        MutexGuard::new(self)
    }

    /// Holds the lock, unless a thread holds it already.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T, W>> {
        self.raw.try_lock().then(|| MutexGuard::new(self))
    }

    /// The value, without locking: an exclusive reference says that nobody else has any.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized, W: Word> fmt::Debug for Mutex<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

/// The right to reach the data of a [`Mutex`]; dropping it frees the lock.
#[must_use = "the lock is freed when the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized, W: Word = AtomicU32> {
    mutex: &'a Mutex<T, W>,
    /// A lock is freed by the thread that took it: not `Send`.
    stays: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives shared references to the data and nothing else.
unsafe impl<T: ?Sized + Sync, W: Word> Sync for MutexGuard<'_, T, W> {}

impl<'a, T: ?Sized, W: Word> MutexGuard<'a, T, W> {
    /// The caller holds the lock.
    fn new(mutex: &'a Mutex<T, W>) -> MutexGuard<'a, T, W> {
        MutexGuard {
            mutex,
            stays: PhantomData,
        }
    }

    /// The lock that is held.
    pub(super) fn raw(&self) -> &'a RawMutex<W> {
        &self.mutex.raw
    }
}

impl<T: ?Sized, W: Word> Deref for MutexGuard<'_, T, W> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held as long as the guard, so only this thread reaches the data.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized, W: Word> DerefMut for MutexGuard<'_, T, W> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized, W: Word> Drop for MutexGuard<'_, T, W> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

impl<T: ?Sized, W: Word> fmt::Debug for MutexGuard<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MutexGuard")
    }
}
