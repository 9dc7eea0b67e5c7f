//! Threads and what they wait for: mutex, condition variable, read-write lock, countdown, thread.
//!
//! Each is a few words of memory and what `os::futex` does with them. The locks are generic over
//! the word ([`Word`]), so that the same source runs on the kernel's futex, in `loom`, which tries
//! every interleaving and every value a weak memory may show, and in `shuttle`, which tries many.
//!
//! Invariants:
//! - nothing here is global, allocates, or uses thread-local storage;
//! - no system call is made where nobody waits, but for the last step of a countdown;
//! - every wait is in a loop that looks again: a wake without a reason, a signal or a changed word
//!   does no harm;
//! - a lock is held by its guard; there is no poisoning, because a panic ends the process.

pub mod condvar;
pub mod countdown;
pub mod mutex;
pub mod rwlock;
#[cfg(test)]
mod tests;
pub mod thread;
pub mod word;

pub use condvar::Condvar;
pub use countdown::Countdown;
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use thread::{JoinHandle, spawn};
pub use word::Word;
