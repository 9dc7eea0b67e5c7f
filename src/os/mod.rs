//! Linux, by system calls alone: the only room that names a call number or an errno.
//!
//! Invariants:
//! - every result of the kernel is checked: a raw return value in −4095…−1 becomes an [`Errno`],
//!   anything else is a success; no call is tested against −1;
//! - nothing here keeps global state, except the lock and the free lists of [`heap::SystemHeap`],
//!   what a signal leaves behind ([`signal`]) and the settings of a terminal in raw mode ([`term`]);
//! - no call is restarted after a signal unless its documentation says so;
//! - this room allocates only to join paths and to hold whole files.

pub mod clock;
#[cfg(test)]
mod cpu;
pub mod durable;
pub mod env;
pub mod errno;
pub mod fault;
pub mod file;
pub mod futex;
pub mod heap;
pub mod image;
pub mod limits;
pub mod mem;
#[cfg(test)]
mod memory;
pub mod offspring;
pub mod out;
pub mod packed;
pub mod place;
pub mod process;
pub mod signal;
pub mod sys;
pub mod term;
pub mod thread;

pub use errno::Errno;
pub use file::Fd;
