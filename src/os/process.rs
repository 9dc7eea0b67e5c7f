//! The process: its end and its number.
//!
//! Safety: neither call touches memory.
#![allow(unsafe_code)]

use super::sys::{Sysno, call};

/// Ends every thread of the process with this status; the kernel keeps the low 8 bits.
pub fn exit(status: i32) -> ! {
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

#[cfg(test)]
mod tests {
    #[test]
    fn id_is_the_process_id() {
        assert_eq!(super::id(), u64::from(std::process::id()));
    }
}
