//! A real file as storage.
//!
//! Invariants:
//! - the file is locked before anything of it is read: a second writer gets [`Error::Locked`], and
//!   so does a reader beside a writer;
//! - the lock lasts as long as the storage.

use super::Store;
use super::error::Error;
use super::storage::{Parts, Storage};
use crate::os::Errno;
use crate::os::durable;
use crate::os::file::{File, stat};

/// An open file that no other process writes.
#[derive(Debug)]
pub struct FileStorage(File);

impl FileStorage {
    /// Locks an open file; `for_writing` excludes everybody else, otherwise only writers.
    ///
    /// # Errors
    /// [`Error::Locked`] when another opening of the file has a lock that excludes this one.
    pub fn new(file: File, for_writing: bool) -> Result<FileStorage, Error> {
        match durable::lock(file.fd(), for_writing) {
            Ok(()) => Ok(FileStorage(file)),
            Err(Errno::EAGAIN) => Err(Error::Locked),
            Err(why) => Err(Error::Io("lock", why)),
        }
    }

    /// The same opening once more, under the same lock, for another thread to read from.
    ///
    /// # Errors
    /// [`Error::Io`] when there are no descriptors left.
    pub fn beside(&self) -> Result<FileStorage, Error> {
        let file = durable::duplicate(self.0.fd(), self.0.fd());
        file.map(FileStorage).map_err(|why| Error::Io("open", why))
    }

    /// Makes a hole of what there is first between two offsets and no hole yet, of so many bytes at most;
    /// where that ends, if there was anything.
    pub fn punch_next(&self, at: u64, end: u64, most: u64) -> Option<u64> {
        let (from, to) = durable::data_from(self.0.fd(), at, end).ok()??;
        let to = to.min(end).min(from.saturating_add(most));
        if from >= to {
            return None;
        }
        // Holes only save space.
        let _ = durable::punch(self.0.fd(), from, to - from);
        Some(to)
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

impl Store<FileStorage> {
    /// Gives all free pages back to the file system, not only those that are too many to be kept, and
    /// what a process that was killed had extended the file by. What is a hole already stays as it is.
    pub fn release(&mut self) {
        if self.writable().is_err() {
            return;
        }
        self.cut(0);
        for extent in &self.space.free {
            let end = self.reader.offset(extent.end());
            let mut at = self.reader.offset(extent.start);
            while let Some(next) = self.file.punch_next(at, end, u64::MAX) {
                at = next;
            }
        }
    }
}

impl Storage for FileStorage {
    fn size(&mut self) -> Result<u64, Errno> {
        stat(self.0.fd()).map(|stat| stat.size)
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        durable::read_at(self.0.fd(), offset, buf)
    }

    fn write_at(&mut self, offset: u64, parts: &Parts) -> Result<usize, Errno> {
        durable::write_parts(self.0.fd(), offset, parts)
    }

    fn truncate(&mut self, len: u64) -> Result<(), Errno> {
        durable::truncate(self.0.fd(), len)
    }

    fn punch(&mut self, offset: u64, len: u64) -> Result<(), Errno> {
        durable::punch(self.0.fd(), offset, len)
    }

    fn expect(&mut self, offset: u64, len: u64) {
        // Without it reading takes longer, and nothing else.
        let _ = durable::will_need(self.0.fd(), offset, len);
    }

    fn sync(&mut self) -> Result<(), Errno> {
        durable::sync_data(self.0.fd())
    }
}
