//! A small buffered writer over a descriptor.
//!
//! Invariants:
//! - bytes reach the descriptor in the order they were put, at [`Out::flush`] at the latest;
//! - the first error stays: later calls return it again and write nothing, so a caller may check
//!   once, at the end, and still learn that standard output was closed or its disk full;
//! - dropping an `Out` with bytes in it loses them: callers flush, so that the error has a reader.

use super::errno::Errno;
use super::file::{Fd, write_all};
use alloc::vec::Vec;
use core::fmt;

/// Bytes collected before a write: a pipe's worth.
const CAPACITY: usize = 64 * 1024;

/// A buffered writer; see the head of this file.
#[derive(Debug)]
pub struct Out {
    fd: Fd,
    pending: Vec<u8>,
    failed: Option<Errno>,
}

impl Out {
    /// A writer to `fd`, which must stay open; costs nothing until the first byte.
    pub fn new(fd: Fd) -> Out {
        Out {
            fd,
            pending: Vec::new(),
            failed: None,
        }
    }

    /// The descriptor written to.
    pub fn fd(&self) -> Fd {
        self.fd
    }

    /// Appends `bytes`; writes when enough have gathered.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.state()?;
        if self.pending.len() + bytes.len() > CAPACITY {
            self.flush()?;
        }
        if bytes.len() > CAPACITY {
            return self.pass(bytes);
        }
        if self.pending.try_reserve(bytes.len()).is_err() {
            // No memory for the buffer is no reason to lose output.
            self.flush()?;
            return self.pass(bytes);
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes everything that was put.
    pub fn flush(&mut self) -> Result<(), Errno> {
        self.state()?;
        let result = write_all(self.fd, &self.pending);
        self.pending.clear();
        self.failed = result.err();
        result
    }

    /// The error that stopped this writer, if any.
    pub fn state(&self) -> Result<(), Errno> {
        self.failed.map_or(Ok(()), Err)
    }

    /// Writes past the empty buffer.
    fn pass(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let result = write_all(self.fd, bytes);
        self.failed = result.err();
        result
    }
}

impl fmt::Write for Out {
    /// For `write!`; the cause of an `Err` is in [`Out::state`].
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use std::io::Read as _;
    use std::os::fd::AsRawFd;

    #[test]
    fn everything_arrives_in_order() {
        let (mut read, write) = std::io::pipe().unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            read.read_to_end(&mut all).unwrap();
            all
        });
        let mut out = Out::new(Fd(write.as_raw_fd()));
        let mut expected = Vec::new();
        for (i, size) in [1, 1000, CAPACITY, 3, CAPACITY + 1, 7, CAPACITY - 3]
            .iter()
            .enumerate()
        {
            let part = vec![i as u8; *size];
            out.put(&part).unwrap();
            expected.extend(part);
        }
        write!(out, "{}-x", 1).unwrap();
        expected.extend(b"1-x");
        out.flush().unwrap();
        drop(write);
        assert_eq!(reader.join().unwrap(), expected);
    }

    #[test]
    fn the_first_error_stays() {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut out = Out::new(Fd(full.as_raw_fd()));
        out.put(b"lost").unwrap();
        assert_eq!(out.flush(), Err(Errno::ENOSPC));
        assert_eq!(out.put(b"more"), Err(Errno::ENOSPC));
        assert_eq!(out.flush(), Err(Errno::ENOSPC));
        assert_eq!(out.state(), Err(Errno::ENOSPC));
        let mut closed = Out::new(Fd(-1));
        assert_eq!(closed.put(&[0; CAPACITY + 1]), Err(Errno::EBADF));
        assert!(write!(closed, "x").is_err());
    }
}
