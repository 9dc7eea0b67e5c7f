//! Waiting on a word of memory: the kernel's half of every lock.
//!
//! Invariants:
//! - futexes are private to the process, except that [`wait_shared`] sleeps where the kernel wakes;
//! - [`wait`] may return early (spurious wake, signal, changed value); callers re-check.
//!
//! Safety: the kernel only reads the words whose references it is given.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::sys::{Sysno, call};
use core::sync::atomic::AtomicU32;

const WAIT_PRIVATE: usize = 128;
const WAIT_SHARED: usize = 0;
const WAKE_PRIVATE: usize = 1 | 128;
const CMP_REQUEUE_PRIVATE: usize = 4 | 128;
/// More than there can be threads.
const ALL: usize = i32::MAX as usize;

/// Sleeps until woken, if `word` still holds `expected`; returns at once otherwise.
pub fn wait(word: &AtomicU32, expected: u32) {
    sleep(word, WAIT_PRIVATE, expected);
}

/// Like [`wait`], for at most so many nanoseconds, less than a second.
pub fn wait_for(word: &AtomicU32, expected: u32, nanoseconds: u64) {
    let time = [0, nanoseconds];
    let at = (&raw const time).expose_provenance();
    let args = [word.as_ptr().addr(), WAIT_PRIVATE, expected as usize, at];
    // SAFETY: as in `sleep`, and ETIMEDOUT, which is another reason to look again; the kernel reads
    // the 16 bytes of `time`.
    let _ = unsafe { call(Sysno::futex, args) };
}

/// Like [`wait`], for the word that the kernel clears at the end of a thread: its wake is not
/// private, and a private waiter would not hear it.
pub fn wait_shared(word: &AtomicU32, expected: u32) {
    sleep(word, WAIT_SHARED, expected);
}

fn sleep(word: &AtomicU32, operation: usize, expected: u32) {
    let args = [word.as_ptr().addr(), operation, expected as usize, 0];
    // SAFETY: the word lives as long as its borrow. EAGAIN and EINTR mean "look again", which every
    // caller does; other errors are impossible for a valid, aligned word.
    let _ = unsafe { call(Sysno::futex, args) };
}

/// Wakes up to `count` threads waiting on `word`; returns how many it woke.
pub fn wake(word: &AtomicU32, count: u32) -> Result<usize, Errno> {
    // SAFETY: the word is only named, not accessed.
    unsafe {
        call(
            Sysno::futex,
            [word.as_ptr().addr(), WAKE_PRIVATE, count as usize],
        )
    }
}

/// If `word` still holds `expected`: wakes one thread waiting on it and lets all others wait on
/// `target` instead, as if they had called [`wait`] there. Returns how many it woke or moved.
///
/// # Errors
/// `EAGAIN` if `word` holds something else; then nothing has happened.
pub fn requeue(word: &AtomicU32, expected: u32, target: &AtomicU32) -> Result<usize, Errno> {
    let args = [
        word.as_ptr().addr(),
        CMP_REQUEUE_PRIVATE,
        1,
        ALL,
        target.as_ptr().addr(),
        expected as usize,
    ];
    // SAFETY: the kernel reads `word`, which lives as long as its borrow; `target` is only named.
    unsafe { call(Sysno::futex, args) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn wait_returns_at_once_when_the_value_differs() {
        let word = AtomicU32::new(1);
        wait(&word, 0);
        wait_for(&word, 0, 999_999_999);
        wait_for(&word, 1, 1000);
        assert_eq!(wake(&word, 1), Ok(0));
    }

    #[test]
    fn requeue_wants_the_expected_value() {
        let (word, target) = (AtomicU32::new(1), AtomicU32::new(0));
        assert_eq!(requeue(&word, 0, &target), Err(Errno::EAGAIN));
        assert_eq!(requeue(&word, 1, &target), Ok(0));
    }

    #[test]
    fn waiters_are_moved_to_the_target() {
        let words = Arc::new([const { AtomicU32::new(0) }; 2]);
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let words = Arc::clone(&words);
                // Where it slept is known from which word it was woken at: just once each.
                std::thread::spawn(move || wait(&words[0], 0))
            })
            .collect();
        let mut moved = 0;
        while moved < 3 {
            moved += requeue(&words[0], 0, &words[1]).unwrap();
            std::thread::yield_now();
        }
        assert_eq!(wake(&words[0], 3), Ok(0));
        while !waiters.iter().all(std::thread::JoinHandle::is_finished) {
            wake(&words[1], 1).unwrap();
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_waiter_is_woken() {
        let word = Arc::new(AtomicU32::new(0));
        let other = Arc::clone(&word);
        let waiter = std::thread::spawn(move || {
            while other.load(SeqCst) == 0 {
                wait(&other, 0);
            }
        });
        word.store(1, SeqCst);
        wake(&word, u32::MAX >> 1).unwrap();
        waiter.join().unwrap();
    }
}
