//! Reading pages and records of a region.
//!
//! Invariants:
//! - no address, length or count of the file is followed before it is known to stay inside the region;
//! - at most one page is kept; a writer that overwrites it has to call [`Reader::forget`].

use super::bytes;
use super::crc;
use super::error::{Damage, Error};
use super::format::{BASE, DATA, FIRST_PAGE, PAGE, PAGE_WORDS, Page, Place, SMALL};
use super::format::{address_in, page_of};
use super::storage::{Storage, read_all};
use crate::os::Errno;
use crate::value::{Header, Kind};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// An object of the region as it lies there.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Record {
    /// The address of its payload.
    pub address: u64,
    /// The checksum before its header.
    pub crc: u64,
    /// Header and payload.
    pub words: Vec<u64>,
}

impl Record {
    /// The payload.
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
        1 + self.words.len()
    }

    /// Whether the record's checksum is `expected` and that of its words.
    pub fn matches(&self, expected: u32) -> bool {
        self.crc == u64::from(expected) && crc::words(&self.words) == expected
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
}

impl Reader {
    /// A reader of the region at `region`, of which `pages` are in use.
    pub fn new(region: u64, pages: u64) -> Reader {
        Reader {
            data: region + DATA,
            pages,
            cached: None,
            page: Box::new([0; PAGE_WORDS]),
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

    /// Reads the record at `address`; its checksum is not looked at.
    pub fn record<S: Storage>(
        &mut self,
        file: &mut S,
        address: u64,
        out: &mut Record,
    ) -> Result<(), Error> {
        let (crc, header) = self.head(file, address)?;
        let total = 1 + (header >> 14) as usize;
        out.address = address;
        out.crc = crc;
        out.words.clear();
        let reserved = out.words.try_reserve_exact(total);
        reserved.map_err(|_| Error::Io("read", Errno::ENOMEM))?;
        let page = page_of(address);
        let word = (address - BASE) as usize % PAGE / 8 - 1;
        let words = self.page(file, page)?;
        let here = total.min(PAGE_WORDS - word);
        out.words.extend_from_slice(&words[word..word + here]);
        // The rest at once: a read of each page takes ten times as long.
        out.words.resize(total, 0);
        let at = self.offset(page + 1);
        let rest = bytes::of_mut(&mut out.words[here..]);
        read_all(file, at, rest).map_err(|why| Error::Io("read", why))?;
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
