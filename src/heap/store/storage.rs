//! What a store asks of the file below it, and how it deals with half-done transfers.
//!
//! Invariants:
//! - every call of [`Storage`] stands for one system call and may fail, be interrupted, or transfer less
//!   than was asked for; [`read_all`], [`write_parts`] and [`sync`] go on until done;
//! - only [`Storage::sync`] makes anything durable; until then any part of what was written may be
//!   lost, in any order.

use crate::os::Errno;

pub use crate::os::durable::Parts;

/// A file as the store sees it. Offsets and lengths are in bytes from the start of the file.
pub trait Storage {
    /// The length of the file.
    fn size(&mut self) -> Result<u64, Errno>;
    /// Reads into `buf`; the bytes read, fewer at the end of the file and whenever it likes.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno>;
    /// Writes what these parts are one behind another, growing the file; the bytes taken, possibly
    /// fewer.
    fn write_at(&mut self, offset: u64, parts: &Parts) -> Result<usize, Errno>;
    /// Cuts the file to `len` bytes.
    fn truncate(&mut self, len: u64) -> Result<(), Errno>;
    /// Gives the space of a range back: it reads as zeros, the length stays.
    fn punch(&mut self, offset: u64, len: u64) -> Result<(), Errno>;
    /// A range will be read soon: the system may begin to fetch it.
    fn expect(&mut self, _offset: u64, _len: u64) {}
    /// Waits until everything written so far is on stable storage.
    fn sync(&mut self) -> Result<(), Errno>;
}

/// Fills `buf`. What lies beyond the end of the file is zero; the bytes that are not, as a number.
pub fn read_all<S: Storage>(file: &mut S, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(offset + done as u64, &mut buf[done..]) {
            Ok(0) => break,
            Ok(count) => done += count.min(buf.len() - done),
            Err(Errno::EINTR) => {}
            Err(why) => return Err(why),
        }
    }
    buf[done..].fill(0);
    Ok(done)
}

/// Writes all of `bytes`.
pub fn write_all<S: Storage>(file: &mut S, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
    write_parts(file, offset, [bytes, &[], &[], &[]])
}

/// Writes all of some parts, one behind another.
#[inline(never)]
pub fn write_parts<S: Storage>(file: &mut S, mut at: u64, mut left: Parts) -> Result<(), Errno> {
    while left.iter().any(|part| !part.is_empty()) {
        match file.write_at(at, &left) {
            // A device that takes nothing and gives no reason would keep us here forever.
            Ok(0) => return Err(Errno::EIO),
            Ok(mut count) => {
                at += count as u64;
                for part in &mut left {
                    let taken = count.min(part.len());
                    (*part, count) = (&part[taken..], count - taken);
                }
            }
            Err(Errno::EINTR) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// Waits for stable storage; an interruption says nothing about it, so it is asked again.
pub fn sync<S: Storage>(file: &mut S) -> Result<(), Errno> {
    loop {
        match file.sync() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// The length of the file.
pub fn length<S: Storage>(file: &mut S) -> Result<u64, Errno> {
    loop {
        match file.size() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
