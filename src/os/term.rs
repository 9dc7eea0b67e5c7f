//! Terminals.
//!
//! Safety: the kernel writes one `struct termios` of 36 bytes.
#![allow(unsafe_code)]

use super::file::Fd;
use super::sys::{Sysno, call};

/// The request that reads a terminal's settings and that only terminals answer.
const TCGETS: usize = 0x5401;

/// Whether the descriptor is open on a terminal.
pub fn is_terminal(fd: Fd) -> bool {
    // The kernel's termios has 36 bytes; the rest is room for a longer one.
    let mut settings = [0u64; 16];
    let args = [fd.arg(), TCGETS, (&raw mut settings).expose_provenance()];
    // SAFETY: `settings` has more than the 36 bytes the kernel writes.
    unsafe { call(Sysno::ioctl, args) }.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn pipes_files_and_closed_descriptors_are_no_terminals() {
        let (read, _write) = std::io::pipe().unwrap();
        assert!(!is_terminal(Fd(read.as_raw_fd())));
        let null = std::fs::File::open("/dev/null").unwrap();
        assert!(!is_terminal(Fd(null.as_raw_fd())));
        assert!(!is_terminal(Fd(-1)));
    }

    #[test]
    fn a_pseudo_terminal_is_one() {
        // A machine without /dev/ptmx has no terminals to test with; every Linux we build on has.
        let ptmx = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/ptmx")
            .unwrap();
        assert!(is_terminal(Fd(ptmx.as_raw_fd())));
    }
}
