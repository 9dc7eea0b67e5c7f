//! Reading pages and records of a region.
//!
//! Invariants:
//! - no address, length or count of the file is followed before it is known to stay inside the region;
//! - at most one page is kept; a writer that overwrites it has to call [`Reader::forget`];
//! - of a record that is not kept whole, all was read and summed up.

use super::bytes;
use super::crc::Sum;
use super::error::{Damage, Error};
use super::format::{BASE, DATA, FIRST_PAGE, PAGE, PAGE_WORDS, Page, Place, SMALL};
use super::format::{address_in, page_of};
use super::storage::{Storage, read_all};
use crate::os::Errno;
use crate::value::{Header, Kind};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Words read at once of what is behind the first page of a record: little enough to stay in the
/// cache until they are summed up.
const STREAM: usize = 24 * PAGE_WORDS;
/// Pages that a reader of all there is asks the system for together: 1 MiB.
const STRETCH: u64 = 256;
/// Payload index of the number of pins, and of the first of them.
const PINS: [usize; 2] = [2, 6];

/// An object of the region as it lies there.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Record {
    /// The address of its payload.
    pub address: u64,
    /// The checksum before its header.
    pub crc: u64,
    /// Header and payload, or as much of them as was to be kept.
    pub words: Vec<u64>,
    /// How many words header and payload have.
    pub len: usize,
    /// The checksum of them all.
    pub sum: u32,
}

impl Record {
    /// The payload, or what was kept of it.
    pub fn payload(&self) -> &[u64] {
        self.words.get(1..).unwrap_or(&[])
    }

    fn header(&self) -> Header {
        Header::from_bits(self.words.first().copied().unwrap_or(0))
    }

    /// Whether it is a pin of a pin.
    pub fn is_mega(&self) -> bool {
        self.header().is(Kind::Megapin)
    }

    /// Whether it is a pin of any kind.
    pub fn is_pin(&self) -> bool {
        self.is_mega() || self.header().is(Kind::Pin)
    }

    /// Words in the file: checksum, header and payload.
    pub fn total(&self) -> usize {
        1 + self.len
    }

    /// Whether the record's checksum is `expected` and that of its words.
    pub fn matches(&self, expected: u32) -> bool {
        self.crc == u64::from(expected) && self.sum == expected
    }
}

/// Reads from the pages of a region.
#[derive(Debug)]
pub struct Reader {
    /// Where page 0 is in the file.
    data: u64,
    /// No address from this page on is valid.
    pub pages: u64,
    cached: Option<u64>,
    page: Box<[u64; PAGE_WORDS]>,
    /// Where large records pass through; empty until there is one.
    stream: Vec<u64>,
    /// A bit for each stretch of pages that the system has been asked for; empty if it is not asked.
    asked: Vec<u64>,
}

impl Reader {
    /// A reader of the region at `region`, of which `pages` are in use.
    pub fn new(region: u64, pages: u64) -> Reader {
        Reader {
            data: region + DATA,
            pages,
            cached: None,
            page: Box::new([0; PAGE_WORDS]),
            stream: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Asks the system for the pages around each one that is read, because all will be: a disk that
    /// is asked for single pages spends its time on waiting.
    pub fn eager(mut self) -> Reader {
        self.asked = vec![0; (self.pages / STRETCH / 64 + 1) as usize];
        self
    }

    fn ask<S: Storage>(&mut self, file: &mut S, page: u64) {
        let stretch = page / STRETCH;
        let at = self.offset(stretch * STRETCH);
        if let Some(bits) = self.asked.get_mut((stretch / 64) as usize)
            && *bits >> (stretch % 64) & 1 == 0
        {
            *bits |= 1 << (stretch % 64);
            file.expect(at, STRETCH * PAGE as u64);
        }
    }

    /// Where a page is in the file.
    pub fn offset(&self, page: u64) -> u64 {
        self.data + page * PAGE as u64
    }

    /// Forgets the page kept, because it may have changed.
    pub fn forget(&mut self) {
        self.cached = None;
    }

    /// The bytes at `offset` of the file, as many as a page has: in the memory of the page that is
    /// kept, because memory that is touched for the first time costs a mount a microsecond.
    pub fn bytes_at<S: Storage>(&mut self, file: &mut S, offset: u64) -> Result<&Page, Error> {
        self.forget();
        let page = bytes::of_page(&mut self.page);
        read_all(file, offset, page).map_err(|why| Error::Io("read", why))?;
        Ok(page)
    }

    /// The words of a page.
    pub fn page<S: Storage>(&mut self, file: &mut S, number: u64) -> Result<&[u64], Error> {
        if number >= self.pages {
            return Err(Damage::Reference.into());
        }
        if self.cached != Some(number) {
            self.ask(file, number);
            self.bytes_at(file, self.offset(number))?;
            self.cached = Some(number);
        }
        Ok(&self.page[..])
    }

    /// Checksum and header of the record at `address`, if one can be there.
    pub fn head<S: Storage>(&mut self, file: &mut S, address: u64) -> Result<(u64, u64), Error> {
        let page = page_of(address);
        let word = (address.wrapping_sub(BASE) % PAGE as u64) as usize / 8;
        let aligned = address >= BASE && address.is_multiple_of(8);
        if !aligned || !(FIRST_PAGE..self.pages).contains(&page) || word < 2 {
            return Err(Damage::Reference.into());
        }
        let left = (self.pages - page) * PAGE_WORDS as u64 - word as u64;
        let words = self.page(file, page)?;
        let (crc, header) = (words[word - 2], words[word - 1]);
        let (kind, bits) = (header as u8, header >> 8);
        let known = kind == Kind::Pin as u8 || kind == Kind::Megapin as u8;
        let size = bits / 64;
        let fits = if size + 2 <= SMALL as u64 {
            word >= 3 && word as u64 + size <= PAGE_WORDS as u64
        } else {
            word == 2 && size <= left
        };
        if !(known || kind == Kind::Nat as u8) || !bits.is_multiple_of(64) || !fits {
            return Err(Damage::Reference.into());
        }
        Ok((crc, header))
    }

    /// The record that `address` lies in, its own address or one inside it.
    ///
    /// Nothing in a page says which records lie in it, so candidates are told by their checksums: those
    /// that share the page, then large ones that begin there or before, nearest first.
    ///
    /// # Errors
    /// [`Damage::Reference`] when there is none; then all pages before have been looked at.
    pub fn containing<S: Storage>(&mut self, file: &mut S, address: u64) -> Result<Place, Error> {
        let page = page_of(address);
        if address < BASE || !(FIRST_PAGE..self.pages).contains(&page) {
            return Err(Damage::Reference.into());
        }
        let word = (address - BASE) as usize % PAGE / 8;
        let words = self.page(file, page)?;
        let used = usize::try_from(words[0]).map_or(0, |used| used.min(PAGE_WORDS));
        let mut at = 3;
        while at <= used {
            let end = at.saturating_add((words[at - 1] >> 14) as usize);
            if word < end {
                let place = self.verified(file, address_in(page, at), address)?;
                if let Some(place) = place.filter(|_| word >= at) {
                    return Ok(place);
                }
                break;
            }
            at = end + 2;
        }
        for start in (FIRST_PAGE..=page).rev() {
            if let Some(place) = self.verified(file, address_in(start, 2), address)? {
                return Ok(place);
            }
        }
        Err(Damage::Reference.into())
    }

    /// The record at `start` if there is one, with a right checksum, that reaches to `address`.
    fn verified<S: Storage>(
        &mut self,
        file: &mut S,
        start: u64,
        address: u64,
    ) -> Result<Option<Place>, Error> {
        let mut record = Record::default();
        let found = match self.head(file, start) {
            Ok((_, header)) if address < start + 8 * (header >> 14) => {
                self.record(file, start, &mut record)
            }
            Ok(_) => return Ok(None),
            Err(error) => Err(error),
        };
        match (found, u32::try_from(record.crc)) {
            (Ok(()), Ok(crc)) if record.matches(crc) => Ok(Some(Place {
                address: start,
                crc,
            })),
            (Err(Error::Damaged(_)) | Ok(()), _) => Ok(None),
            (Err(error), _) => Err(error),
        }
    }

    /// Reads the record at `address`; whether its checksum is right is left to the caller.
    pub fn record<S: Storage>(
        &mut self,
        file: &mut S,
        address: u64,
        out: &mut Record,
    ) -> Result<(), Error> {
        self.load(file, address, |_| usize::MAX, out)
    }

    /// The same, but of a pin that is long only what says where its pins are is kept.
    pub fn lists<S: Storage>(
        &mut self,
        file: &mut S,
        address: u64,
        out: &mut Record,
    ) -> Result<(), Error> {
        self.load(file, address, listed, out)
    }

    /// Reads the record at `address` and keeps as many words as `wanted` says, given the first ones.
    fn load<S: Storage>(
        &mut self,
        file: &mut S,
        address: u64,
        wanted: fn(&[u64]) -> usize,
        out: &mut Record,
    ) -> Result<(), Error> {
        let (crc, header) = self.head(file, address)?;
        (out.address, out.crc, out.len) = (address, crc, 1 + (header >> 14) as usize);
        let page = page_of(address);
        let word = (address - BASE) as usize % PAGE / 8 - 1;
        let first = out.len.min(PAGE_WORDS - word);
        let words = &self.page(file, page)?[word..word + first];
        let kept = wanted(words).clamp(first, out.len);
        out.words.clear();
        let reserved = out.words.try_reserve_exact(kept);
        reserved.map_err(|_| Error::Io("read", Errno::ENOMEM))?;
        out.words.extend_from_slice(words);
        let mut sum = Sum::EMPTY.then(words);
        let passing = STREAM.min(out.len - first);
        if self.stream.len() < passing {
            self.stream = vec![0; passing];
        }
        let mut done = first;
        while done < out.len {
            let count = STREAM.min(out.len - done);
            let at = self.offset(page) + 8 * (word + done) as u64;
            let part = &mut self.stream[..count];
            read_all(file, at, bytes::of_mut(part)).map_err(|why| Error::Io("read", why))?;
            sum = sum.then(part);
            let more = count.min(kept - out.words.len());
            out.words.extend_from_slice(&part[..more]);
            done += count;
        }
        out.sum = sum.end();
        Ok(())
    }

    /// Whether at `address` and behind it lies what these parts are one behind another.
    pub fn holds<S: Storage>(
        &mut self,
        file: &mut S,
        mut address: u64,
        parts: [&[u64]; 2],
    ) -> Result<bool, Error> {
        for mut part in parts {
            while !part.is_empty() {
                let word = (address - BASE) as usize % PAGE / 8;
                let (here, rest) = part.split_at(part.len().min(PAGE_WORDS - word));
                let words = self.page(file, page_of(address))?;
                if words[word..word + here.len()] != *here {
                    return Ok(false);
                }
                address += 8 * here.len() as u64;
                part = rest;
            }
        }
        Ok(true)
    }
}

/// The words of a record, of which these are the first, that say where its pins are.
fn listed(words: &[u64]) -> usize {
    let header = Header::from_bits(words.first().copied().unwrap_or(0));
    match words.get(1 + PINS[0]) {
        Some(pins) if header.is(Kind::Pin) => {
            let pins = usize::try_from(*pins).unwrap_or(usize::MAX);
            pins.saturating_add(1 + PINS[1] + pins.div_ceil(2))
        }
        _ => usize::MAX,
    }
}
