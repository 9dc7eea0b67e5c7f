//! Waiting on a word of memory: the kernel's half of every lock.
//!
//! Invariants:
//! - futexes are private to the process;
//! - [`wait`] may return early (spurious wake, signal, changed value); callers re-check.
//!
//! Safety: the kernel only reads the word whose reference it is given.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::sys::{Sysno, call};
use core::sync::atomic::AtomicU32;

const WAIT_PRIVATE: usize = 128;
const WAKE_PRIVATE: usize = 1 | 128;

/// Sleeps until woken, if `word` still holds `expected`; returns at once otherwise.
pub fn wait(word: &AtomicU32, expected: u32) {
    let args = [word.as_ptr().addr(), WAIT_PRIVATE, expected as usize, 0];
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn wait_returns_at_once_when_the_value_differs() {
        let word = AtomicU32::new(1);
        wait(&word, 0);
        assert_eq!(wake(&word, 1), Ok(0));
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
