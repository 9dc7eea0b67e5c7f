//! Records on their way into pages of the file: gathered into few writes, and summed up for mount.
//!
//! ```text
//!   small records ─▶ shared page ─▶ staged pages ─┐
//!   record of up to 64 KiB ────────▶ staged pages ─┼─▶ one write
//!   larger: staged pages │ record │ whole pages of the tail, where it lies │ its last page ─▶ one write
//! ```
//!
//! Invariants:
//! - a page is written once, whole: what no record uses of it is zero;
//! - checksums of records and pages are computed in one pass, before anything of them is written;
//! - what is staged are neighbours in the file.

use super::bytes;
use super::crc::Sum;
use super::error::Error;
use super::format::{PAGE_WORDS, page_sum_of};
use super::gather::{Pages, Spot};
use super::read::Reader;
use super::storage::{Storage, write_parts};
use alloc::vec::Vec;

/// Words staged before they are written, 256 KiB.
const STAGE: usize = 32 * 1024;
/// Words of a record that is not staged, 64 KiB.
const LARGE: usize = if cfg!(test) { 1024 } else { 8 * 1024 };

/// Gathers the records of one commit into pages.
pub struct Pack<'a> {
    pages: &'a Pages,
    /// Neighbouring pages, the first of them, and the sum over all pages so far.
    stage: Vec<u64>,
    start: u64,
    sum: u64,
    /// The shared page being filled.
    shared: Vec<u64>,
    number: u64,
}

/// A file and where its pages are.
pub struct Target<'a, S> {
    /// The file.
    pub file: &'a mut S,
    /// Where its pages are.
    pub reader: &'a Reader,
}

impl<S: Storage> Target<'_, S> {
    fn write(&mut self, page: u64, parts: [&[u64]; 4]) -> Result<(), Error> {
        let at = self.reader.offset(page);
        let result = write_parts(self.file, at, parts.map(bytes::of));
        result.map_err(|why| Error::Io("write", why))
    }
}

/// The checksum of a page that begins with these words; the rest is zero.
fn padded(words: &[u64]) -> u32 {
    Sum::EMPTY.then(words).zeros(PAGE_WORDS - words.len()).end()
}

impl<'a> Pack<'a> {
    /// Nothing yet. `stage` is where pages are staged: an empty list.
    pub fn new(pages: &'a Pages, stage: Vec<u64>) -> Pack<'a> {
        Pack {
            pages,
            stage,
            start: 0,
            sum: 0,
            shared: Vec::with_capacity(PAGE_WORDS),
            number: 0,
        }
    }

    /// Puts a record at its place and gives its checksum, which it puts into the first word.
    pub fn put<S: Storage>(
        &mut self,
        target: &mut Target<S>,
        spot: Spot,
        record: &mut Vec<u64>,
        tail: &[u64],
    ) -> Result<u32, Error> {
        match spot {
            Spot::Small(number, word) => {
                if number != self.number {
                    self.close(target)?;
                    self.number = number;
                }
                record.extend_from_slice(tail);
                let crc = super::crc::words(&record[1..]);
                record[0] = u64::from(crc);
                self.shared.resize(word - 2, 0);
                self.shared.extend_from_slice(record);
                Ok(crc)
            }
            Spot::Big(i) => self.big(target, self.pages.big[i].start, record, tail),
        }
    }

    /// Ends the shared page.
    fn close<S: Storage>(&mut self, target: &mut Target<S>) -> Result<(), Error> {
        if !self.shared.is_empty() {
            self.shared[0] = self.shared.len() as u64;
            let page = self.pages.small_page(self.number).ok_or(Error::Full)?;
            self.add(page, padded(&self.shared));
            let shared = core::mem::take(&mut self.shared);
            self.stage(target, page, &shared)?;
            self.shared = shared;
            self.shared.clear();
        }
        Ok(())
    }

    fn add(&mut self, page: u64, crc: u32) {
        self.sum = self.sum.wrapping_add(page_sum_of(page, crc));
    }

    /// Makes sure that `page` is the one behind those staged.
    fn align<S: Storage>(&mut self, target: &mut Target<S>, page: u64) -> Result<(), Error> {
        let next = self.start + (self.stage.len() / PAGE_WORDS) as u64;
        if page != next || self.stage.len() >= STAGE {
            self.flush(target)?;
            self.start = page;
        }
        Ok(())
    }

    /// Stages pages that begin with `page`.
    fn stage<S: Storage>(
        &mut self,
        target: &mut Target<S>,
        page: u64,
        words: &[u64],
    ) -> Result<(), Error> {
        self.align(target, page)?;
        self.stage.extend_from_slice(words);
        let end = self.stage.len().next_multiple_of(PAGE_WORDS);
        self.stage.resize(end, 0);
        Ok(())
    }

    fn flush<S: Storage>(&mut self, target: &mut Target<S>) -> Result<(), Error> {
        target.write(self.start, [&self.stage, &[], &[], &[]])?;
        self.stage.clear();
        Ok(())
    }

    /// Puts a record with pages of its own at its place. What is too large to be staged is written from
    /// where it lies.
    fn big<S: Storage>(
        &mut self,
        target: &mut Target<S>,
        start: u64,
        record: &mut Vec<u64>,
        tail: &[u64],
    ) -> Result<u32, Error> {
        // So many limbs fill the last page of the record that the rest begins with a page.
        let fill = record.len().next_multiple_of(PAGE_WORDS) - record.len();
        let (fill, tail) = tail.split_at(fill.min(tail.len()));
        record.extend_from_slice(fill);
        let (middle, last) = tail.split_at(tail.len() / PAGE_WORDS * PAGE_WORDS);
        let crc = self.sum_up(start, record, middle, last);
        record[0] = u64::from(crc);
        let first = &record[..record.len().min(PAGE_WORDS)];
        self.add(start, padded(first));
        if record.len() + tail.len() < LARGE {
            record.extend_from_slice(tail);
            self.stage(target, start, record)?;
            return Ok(crc);
        }
        self.align(target, start)?;
        let mut end = [0; PAGE_WORDS];
        end[..last.len()].copy_from_slice(last);
        let end = if last.is_empty() { &[][..] } else { &end };
        record.resize(record.len().next_multiple_of(PAGE_WORDS), 0);
        target.write(self.start, [&self.stage, record, middle, end])?;
        self.stage.clear();
        Ok(crc)
    }

    /// The checksum of a record; that of each page but the first goes into the sum.
    fn sum_up(&mut self, start: u64, record: &[u64], middle: &[u64], last: &[u64]) -> u32 {
        let (first, more) = record.split_at(record.len().min(PAGE_WORDS));
        let (whole, part) = more.split_at(more.len() / PAGE_WORDS * PAGE_WORDS);
        let mut page = start;
        let mut each = |crc| {
            page += 1;
            self.add(page, crc);
        };
        let sum = Sum::EMPTY
            .then(&first[1..])
            .pages(whole, &mut each)
            .then(part);
        let sum = sum.pages(middle, &mut each).then(last);
        // One of them at most has words.
        for rest in [part, last] {
            if !rest.is_empty() {
                each(padded(rest));
            }
        }
        sum.end()
    }

    /// Whether the last page to be written, all records being put, is the one before page `end`.
    pub fn ends_at(&self, end: u64) -> bool {
        let shared = self.pages.small_page(self.number);
        let last = if self.shared.is_empty() {
            self.start + (self.stage.len() / PAGE_WORDS) as u64 - 1
        } else {
            shared.unwrap_or(0)
        };
        !(self.shared.is_empty() && self.stage.is_empty()) && last + 1 == end
    }

    /// Writes what is left, and so many zero pages behind it if they can be had. The sum over all pages
    /// but these, the stage, and whether there are zero pages.
    pub fn end<S: Storage>(
        mut self,
        target: &mut Target<S>,
        ahead: u64,
    ) -> Result<(u64, Vec<u64>, bool), Error> {
        self.close(target)?;
        let staged = self.stage.len();
        self.stage.resize(staged + ahead as usize * PAGE_WORDS, 0);
        let mut written = self.flush(target);
        let extended = written.is_ok();
        if !extended && ahead > 0 {
            // There may be room for what is needed.
            self.stage.truncate(staged);
            written = self.flush(target);
        }
        written.map(|()| (self.sum, self.stage, extended))
    }
}
