//! The process: its end, its number, a pause.
//!
//! Invariants:
//! - a terminal in raw mode gets its settings back before the process ends.
//!
//! Safety: no call here writes memory.
#![allow(unsafe_code)]

use super::sys::{Sysno, call};
use super::term;

/// The signal of Ctrl-Z.
const SIGTSTP: usize = 20;

/// Ends every thread of the process with this status; the kernel keeps the low 8 bits.
pub fn exit(status: i32) -> ! {
    term::restore();
    loop {
        // SAFETY: touches no memory. The kernel does not return from this call; the loop satisfies
        // the type.
        let _ = unsafe { call(Sysno::exit_group, [status as usize]) };
    }
}

/// The number of this process.
pub fn id() -> u64 {
    // SAFETY: touches no memory. The call cannot fail.
    unsafe { call(Sysno::getpid, []) }.map_or(0, |id| id as u64)
}

/// Stops the process as Ctrl-Z does; returns when it is to go on.
pub fn suspend() {
    // SAFETY: touches no memory. Where the signal is ignored nothing happens, which is right too.
    let _ = unsafe { call(Sysno::kill, [id() as usize, SIGTSTP]) };
}

/// Waits a millisecond, or until a signal comes.
pub fn pause() {
    let time = [0u64, 1_000_000];
    // SAFETY: the kernel reads the 16 bytes.
    let _ = unsafe { call(Sysno::nanosleep, [(&raw const time).expose_provenance(), 0]) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn id_is_the_process_id() {
        assert_eq!(super::id(), u64::from(std::process::id()));
    }
}
