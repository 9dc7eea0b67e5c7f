//! Many readers or one writer (spec 05 §6.3), readers first.
//!
//! Invariants:
//! - the fields change only under the mutex, which is held for a few instructions;
//! - `active_readers > 0` and `writer_active` exclude each other;
//! - a reader that comes while readers are active passes waiting writers: whoever reads may read
//!   again without a deadlock. Writers wait for a moment without readers;
//! - a writer that leaves hands the lock to all readers that wait, before anybody else can take it:
//!   it counts them as active itself and advances the phase, by which they know. However often a
//!   writer comes back, and however many writers wait, a reader waits for one writer at most;
//! - no system call is made when nobody waits.
//!
//! The fields lie in memory as the specification says; what it calls padding holds the number of
//! waiting readers, the phase, and the waiters of the two conditions.
//!
//! Safety: the data is reached through a guard only, or through an exclusive reference.
#![allow(unsafe_code)]

use super::condvar::RawCondvar;
use super::mutex::RawMutex;
use super::word::Word;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

/// The lock alone: 56 bytes.
#[repr(C)]
struct RawRwLock<W: Word = AtomicU32> {
    mutex: RawMutex<W>,
    /// Readers that wait and have not been let in.
    waiting_readers: W,
    readers: RawCondvar<W>,
    writers: RawCondvar<W>,
    /// Readers that hold the lock, those included that have been let in and do not run yet.
    active_readers: W,
    /// 1 if a writer holds the lock.
    writer_active: W,
    /// Writers that wait.
    waiting_writers: W,
    /// How often waiting readers have been let in, wrapping.
    phase: W,
}

const _: () = {
    assert!(size_of::<RawRwLock>() == 56 && align_of::<RawRwLock>() == 8);
    assert!(offset_of!(RawRwLock, mutex) == 0);
    assert!(offset_of!(RawRwLock, waiting_readers) == 4);
    assert!(offset_of!(RawRwLock, readers) == 8);
    assert!(offset_of!(RawRwLock, writers) == 24);
    assert!(offset_of!(RawRwLock, active_readers) == 40);
    assert!(offset_of!(RawRwLock, writer_active) == 44);
    assert!(offset_of!(RawRwLock, waiting_writers) == 48);
    assert!(offset_of!(RawRwLock, phase) == 52);
};

/// Adds to a word that changes only under the mutex.
fn add<W: Word>(word: &W, amount: u32) {
    word.store(word.load(Relaxed).wrapping_add(amount), Relaxed);
}

/// Subtracts 1 from a word that changes only under the mutex; returns what is left.
fn take_one<W: Word>(word: &W) -> u32 {
    let left = word.load(Relaxed).wrapping_sub(1);
    word.store(left, Relaxed);
    left
}

impl RawRwLock {
    const fn new() -> RawRwLock {
        RawRwLock {
            mutex: RawMutex::new(),
            waiting_readers: AtomicU32::new(0),
            readers: RawCondvar::new(),
            writers: RawCondvar::new(),
            active_readers: AtomicU32::new(0),
            writer_active: AtomicU32::new(0),
            waiting_writers: AtomicU32::new(0),
            phase: AtomicU32::new(0),
        }
    }
}

impl<W: Word> RawRwLock<W> {
    fn of() -> RawRwLock<W> {
        RawRwLock {
            mutex: RawMutex::of(),
            waiting_readers: W::new(0),
            readers: RawCondvar::of(),
            writers: RawCondvar::of(),
            active_readers: W::new(0),
            writer_active: W::new(0),
            waiting_writers: W::new(0),
            phase: W::new(0),
        }
    }

    fn read_lock(&self) {
        self.mutex.lock();
        if self.writer_active.load(Relaxed) == 0 {
            add(&self.active_readers, 1);
        } else {
            add(&self.waiting_readers, 1);
            let phase = self.phase.load(Relaxed);
            // The phase cannot come round: no writer gets in before this reader has read.
            while self.phase.load(Relaxed) == phase {
                self.readers.wait(&self.mutex);
            }
        }
        self.mutex.unlock();
    }

    fn read_unlock(&self) {
        self.mutex.lock();
        if take_one(&self.active_readers) == 0 && self.waiting_writers.load(Relaxed) > 0 {
            self.writers.signal(&self.mutex);
        }
        self.mutex.unlock();
    }

    fn is_held(&self) -> bool {
        self.active_readers.load(Relaxed) > 0 || self.writer_active.load(Relaxed) != 0
    }

    fn write_lock(&self) {
        self.mutex.lock();
        if self.is_held() {
            add(&self.waiting_writers, 1);
            while self.is_held() {
                self.writers.wait(&self.mutex);
            }
            take_one(&self.waiting_writers);
        }
        self.writer_active.store(1, Relaxed);
        self.mutex.unlock();
    }

    fn write_unlock(&self) {
        self.mutex.lock();
        self.writer_active.store(0, Relaxed);
        let readers = self.waiting_readers.load(Relaxed);
        if readers > 0 {
            self.waiting_readers.store(0, Relaxed);
            // The last of them to leave signals a writer.
            self.active_readers.store(readers, Relaxed);
            add(&self.phase, 1);
            self.readers.broadcast(&self.mutex);
        } else if self.waiting_writers.load(Relaxed) > 0 {
            self.writers.signal(&self.mutex);
        }
        self.mutex.unlock();
    }
}

/// A value that many threads may read at a time, or one may change.
pub struct RwLock<T: ?Sized, W: Word = AtomicU32> {
    raw: RawRwLock<W>,
    data: UnsafeCell<T>,
}

// SAFETY: threads that read share the data (`Sync`), one that writes could move it away (`Send`).
unsafe impl<T: ?Sized + Send + Sync, W: Word> Sync for RwLock<T, W> {}

impl<T> RwLock<T> {
    /// A free lock around `data`.
    pub const fn new(data: T) -> RwLock<T> {
        RwLock {
            raw: RawRwLock::new(),
            data: UnsafeCell::new(data),
        }
    }
}

impl<T, W: Word> RwLock<T, W> {
    /// Like [`RwLock::new`], over words of any kind.
    pub fn of(data: T) -> RwLock<T, W> {
        RwLock {
            raw: RawRwLock::of(),
            data: UnsafeCell::new(data),
        }
    }

    /// The value, when nobody shares it any more.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized, W: Word> RwLock<T, W> {
    /// Waits until no thread writes, and keeps writers out until the guard is dropped. A thread that
    /// reads may read again.
    pub fn read(&self) -> ReadGuard<'_, T, W> {
        self.raw.read_lock();
        ReadGuard {
            lock: self,
            stays: PhantomData,
        }
    }

    /// Waits until no other thread reads or writes, and keeps them out until the guard is dropped.
    pub fn write(&self) -> WriteGuard<'_, T, W> {
        self.raw.write_lock();
        WriteGuard {
            lock: self,
            stays: PhantomData,
        }
    }

    /// The value, without locking: an exclusive reference says that nobody else has any.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized, W: Word> fmt::Debug for RwLock<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RwLock")
    }
}

/// The right to read the data of a [`RwLock`]; dropping it gives it up.
#[must_use = "the lock is freed when the guard is dropped"]
pub struct ReadGuard<'a, T: ?Sized, W: Word = AtomicU32> {
    lock: &'a RwLock<T, W>,
    /// A lock is freed by the thread that took it: not `Send`.
    stays: PhantomData<*const ()>,
}

/// The right to change the data of a [`RwLock`]; dropping it gives it up.
#[must_use = "the lock is freed when the guard is dropped"]
pub struct WriteGuard<'a, T: ?Sized, W: Word = AtomicU32> {
    lock: &'a RwLock<T, W>,
    /// A lock is freed by the thread that took it: not `Send`.
    stays: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives shared references to the data and nothing else.
unsafe impl<T: ?Sized + Sync, W: Word> Sync for ReadGuard<'_, T, W> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync, W: Word> Sync for WriteGuard<'_, T, W> {}

#[cfg(test)]
impl<T: ?Sized, W: Word> WriteGuard<'_, T, W> {
    /// How many readers wait for this guard to go.
    pub(super) fn waiting_readers(&self) -> u32 {
        let raw = &self.lock.raw;
        raw.mutex.lock();
        let waiting = raw.waiting_readers.load(Relaxed);
        raw.mutex.unlock();
        waiting
    }
}

impl<T: ?Sized, W: Word> Deref for ReadGuard<'_, T, W> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: no writer is active as long as the guard lives.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized, W: Word> Deref for WriteGuard<'_, T, W> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: nobody else reads or writes as long as the guard lives.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized, W: Word> DerefMut for WriteGuard<'_, T, W> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized, W: Word> Drop for ReadGuard<'_, T, W> {
    fn drop(&mut self) {
        self.lock.raw.read_unlock();
    }
}

impl<T: ?Sized, W: Word> Drop for WriteGuard<'_, T, W> {
    fn drop(&mut self) {
        self.lock.raw.write_unlock();
    }
}

impl<T: ?Sized, W: Word> fmt::Debug for ReadGuard<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadGuard")
    }
}

impl<T: ?Sized, W: Word> fmt::Debug for WriteGuard<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteGuard")
    }
}
