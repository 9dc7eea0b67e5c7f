//! The bytes of a persistence region, as docs/image-format.md describes them.
//!
//! ```text
//!   region start A      A + 4096           D = A + 8192      D + 4096
//!   │ superblock slot 0 │ superblock slot 1 │ page 0: notes   │ pages 1, 2, … : objects
//! ```
//!
//! Invariants:
//! - numbers are little-endian; a word is 8 bytes; a page 4096 bytes, whatever the system's is;
//! - the first 33 bytes of a superblock are those of the manual, the extension starts at byte 64, and
//!   its checksum at byte 256 covers everything before it, in every version of the format;
//! - bytes without a meaning are zero, and a superblock in which they are not is not valid;
//! - a superblock and the notes each lie in one 512-byte sector, so that tearing cannot mix two;
//! - nothing here is the address of code.

use super::crc;
use super::error::Damage;
pub use crate::value::STORED;
use crate::value::{TAG_MEGAPIN, TAG_PIN};
use core::mem::offset_of;

/// Bytes in a page of the region.
pub const PAGE: usize = 4096;
/// Words in a page.
pub const PAGE_WORDS: usize = PAGE / 8;
/// The format this runtime reads and writes.
pub const VERSION: u32 = 1;
/// The address where page 0 is mapped.
pub const BASE: u64 = 0x50_0000;
/// Pages in the window of addresses, 2^39 bytes.
pub const WINDOW_PAGES: u64 = 1 << 27;
/// From the start of the region to page 0.
pub const DATA: u64 = 2 * PAGE as u64;
/// The first page for objects; page 0 holds the notes.
pub const FIRST_PAGE: u64 = 1;
/// The most words of a record, checksum and header included, that shares a page with others.
pub const SMALL: usize = 409;
/// The most extents one superblock can list as written by its commit.
pub const DELTA: usize = 16;

/// `PLANv1`: the first 8 bytes of a superblock.
const MAGIC: [u8; 8] = *b"PLANv1\0\0";
/// The first 8 bytes of the notes.
const NOTES_MAGIC: [u8; 8] = *b"PLANnote";

/// One page as bytes.
pub type Page = [u8; PAGE];

/// The superblock on disk; only its offsets are used.
#[repr(C, packed)]
struct SuperblockLayout {
    magic: [u8; 8],
    sequence_low: u8,
    value_crc: u32,
    value: u64,
    write_offset: u64,
    crc: u32,
    zero: [u8; 31],
    sequence: u64,
    version: u32,
    zero_too: u32,
    build: [u8; 16],
    base: u64,
    map: u64,
    map_crc: u32,
    extents: u32,
    sum: u64,
    extent: [[u32; 2]; DELTA],
    extension_crc: u32,
    rest: [u8; PAGE - 260],
}

/// The notes on disk; only their offsets are used.
#[repr(C, packed)]
struct NotesLayout {
    magic: [u8; 8],
    sequence: u64,
    superblock_crc: u32,
    map_crc: u32,
    map: u64,
    crc: u32,
    zero: u32,
    live: u64,
    rest: [u8; PAGE - 48],
}

const _: () = {
    assert!(size_of::<SuperblockLayout>() == PAGE && size_of::<NotesLayout>() == PAGE);
    assert!(offset_of!(SuperblockLayout, sequence_low) == 8);
    assert!(offset_of!(SuperblockLayout, value_crc) == 9);
    assert!(offset_of!(SuperblockLayout, value) == 13);
    assert!(offset_of!(SuperblockLayout, write_offset) == 21);
    assert!(offset_of!(SuperblockLayout, crc) == 29);
    assert!(offset_of!(SuperblockLayout, zero) == 33);
    assert!(offset_of!(SuperblockLayout, sequence) == 64);
    assert!(offset_of!(SuperblockLayout, version) == 72);
    assert!(offset_of!(SuperblockLayout, build) == 80);
    assert!(offset_of!(SuperblockLayout, base) == 96);
    assert!(offset_of!(SuperblockLayout, map) == 104);
    assert!(offset_of!(SuperblockLayout, map_crc) == 112);
    assert!(offset_of!(SuperblockLayout, extents) == 116);
    assert!(offset_of!(SuperblockLayout, sum) == 120);
    assert!(offset_of!(SuperblockLayout, extent) == 128);
    assert!(offset_of!(SuperblockLayout, extension_crc) == 256);
    assert!(offset_of!(SuperblockLayout, rest) <= 512);
    assert!(offset_of!(NotesLayout, sequence) == 8);
    assert!(offset_of!(NotesLayout, superblock_crc) == 16);
    assert!(offset_of!(NotesLayout, map_crc) == 20);
    assert!(offset_of!(NotesLayout, map) == 24);
    assert!(offset_of!(NotesLayout, crc) == 32);
    assert!(offset_of!(NotesLayout, live) == 40);
    assert!(offset_of!(NotesLayout, rest) <= 512);
    // A shared page has a word of its own and never ends with a record.
    assert!(SMALL + 2 < PAGE_WORDS);
};

fn put<const N: usize>(page: &mut Page, at: usize, bytes: [u8; N]) {
    page[at..at + N].copy_from_slice(&bytes);
}

fn get<const N: usize>(page: &Page, at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&page[at..at + N]);
    bytes
}

fn get_u32(page: &Page, at: usize) -> u32 {
    u32::from_le_bytes(get(page, at))
}

fn get_u64(page: &Page, at: usize) -> u64 {
    u64::from_le_bytes(get(page, at))
}

fn all_zero(bytes: &[u8]) -> bool {
    // As many as a register holds: the start of an image looks at two pages of them.
    let (words, rest) = bytes.as_chunks::<32>();
    words.iter().all(|word| *word == [0; 32]) && rest.iter().all(|byte| *byte == 0)
}

/// A run of pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Extent {
    /// Its first page.
    pub start: u64,
    /// How many there are.
    pub pages: u64,
}

impl Extent {
    /// The page after the last.
    pub const fn end(self) -> u64 {
        self.start + self.pages
    }

    /// As one word of the map of free space: start in the high half, pages in the low one.
    pub const fn to_word(self) -> u64 {
        self.start << 32 | self.pages
    }

    /// The extent of a word of the map.
    pub const fn from_word(word: u64) -> Extent {
        Extent {
            start: word >> 32,
            pages: word & 0xFFFF_FFFF,
        }
    }

    /// Whether it is not empty and lies between page 1 and page `end`.
    pub const fn fits(self, end: u64) -> bool {
        self.pages > 0 && self.start >= FIRST_PAGE && self.end() <= end
    }
}

/// Where an object lies and what its bytes sum up to; address 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The address of its payload.
    pub address: u64,
    /// The checksum of its header and payload.
    pub crc: u32,
}

/// What one commit wrote before its superblock, if mount has to check that it is all there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    /// The pages, in `count` extents.
    pub extents: [Extent; DELTA],
    /// How many of them there are; 0: the data was durable before the superblock was written.
    pub count: usize,
    /// The sum of [`page_sum`] over all pages.
    pub sum: u64,
}

impl Delta {
    /// Adds pages; `None` when there is no room for another extent.
    pub fn add(&mut self, extent: Extent) -> Option<()> {
        if let Some(last) = self.extents[..self.count].last_mut()
            && last.end() == extent.start
        {
            last.pages += extent.pages;
            return Some(());
        }
        *self.extents.get_mut(self.count)? = extent;
        self.count += 1;
        Some(())
    }

    /// The extents there are.
    pub fn extents(&self) -> &[Extent] {
        &self.extents[..self.count]
    }
}

/// What a page contributes to the sum of a delta: its checksum and number, mixed so that sums of
/// several do not cancel out (finaliser of SplitMix64, Steele, Lea and Flood 2014).
pub fn page_sum(number: u64, page: &[u8]) -> u64 {
    page_sum_of(number, crc::bytes(page))
}

/// The same, given the checksum of the page.
pub fn page_sum_of(number: u64, crc: u32) -> u64 {
    let mut z = number << 32 ^ u64::from(crc);
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// One generation: what a superblock says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Superblock {
    /// Counts commits, from 1.
    pub sequence: u64,
    /// The committed value: a direct natural or a tagged reference to a pin in the region.
    pub root: u64,
    /// The checksum of the pin, or of the natural as a word.
    pub root_crc: u32,
    /// Pages in use, page 0 included: everything behind them is free.
    pub pages: u64,
    /// Which runtime wrote it; for people.
    pub build: [u8; 16],
    /// The map of free space.
    pub map: Place,
    /// What the commit wrote.
    pub delta: Delta,
}

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // there are two
pub enum Slot {
    /// Nothing: all bytes are zero.
    Empty,
    /// Bytes that are no superblock.
    Damaged(Damage),
    /// A superblock of another version of the format.
    Unknown(u32),
    /// A superblock, and its own checksum.
    Valid(Superblock, u32),
}

impl Superblock {
    /// The address of the root pin; `None` for a natural.
    pub fn root_address(&self) -> Option<u64> {
        address_of(self.root)
    }

    /// The page to write, and its checksum.
    pub fn encode(&self) -> (Page, u32) {
        let mut page = [0; PAGE];
        put(&mut page, 0, MAGIC);
        page[offset_of!(SuperblockLayout, sequence_low)] = self.sequence as u8;
        let p = &mut page;
        put(
            p,
            offset_of!(SuperblockLayout, value_crc),
            self.root_crc.to_le_bytes(),
        );
        put(
            p,
            offset_of!(SuperblockLayout, value),
            self.root.to_le_bytes(),
        );
        let words = self.pages * PAGE_WORDS as u64;
        put(
            p,
            offset_of!(SuperblockLayout, write_offset),
            words.to_le_bytes(),
        );
        let end = offset_of!(SuperblockLayout, crc);
        let crc = crc::bytes(&p[..end]);
        put(p, end, crc.to_le_bytes());
        put(
            p,
            offset_of!(SuperblockLayout, sequence),
            self.sequence.to_le_bytes(),
        );
        put(
            p,
            offset_of!(SuperblockLayout, version),
            VERSION.to_le_bytes(),
        );
        put(p, offset_of!(SuperblockLayout, build), self.build);
        put(p, offset_of!(SuperblockLayout, base), BASE.to_le_bytes());
        put(
            p,
            offset_of!(SuperblockLayout, map),
            self.map.address.to_le_bytes(),
        );
        put(
            p,
            offset_of!(SuperblockLayout, map_crc),
            self.map.crc.to_le_bytes(),
        );
        let count = self.delta.count as u32;
        put(
            p,
            offset_of!(SuperblockLayout, extents),
            count.to_le_bytes(),
        );
        put(
            p,
            offset_of!(SuperblockLayout, sum),
            self.delta.sum.to_le_bytes(),
        );
        for (i, extent) in self.delta.extents().iter().enumerate() {
            let at = offset_of!(SuperblockLayout, extent) + 8 * i;
            put(p, at, (extent.start as u32).to_le_bytes());
            put(p, at + 4, (extent.pages as u32).to_le_bytes());
        }
        let end = offset_of!(SuperblockLayout, extension_crc);
        let crc = crc::bytes(&p[..end]);
        put(p, end, crc.to_le_bytes());
        (page, crc)
    }

    /// What the bytes of a slot say.
    pub fn decode(p: &Page) -> Slot {
        if all_zero(p) {
            return Slot::Empty;
        }
        let (end, last) = (
            offset_of!(SuperblockLayout, crc),
            offset_of!(SuperblockLayout, extension_crc),
        );
        let extension_crc = get_u32(p, last);
        if get::<8>(p, 0) != MAGIC
            || get_u32(p, end) != crc::bytes(&p[..end])
            || extension_crc != crc::bytes(&p[..last])
        {
            return Slot::Damaged(Damage::Superblock);
        }
        let version = get_u32(p, offset_of!(SuperblockLayout, version));
        if version != VERSION {
            return Slot::Unknown(version);
        }
        let zero = [
            offset_of!(SuperblockLayout, zero)..offset_of!(SuperblockLayout, sequence),
            offset_of!(SuperblockLayout, zero_too)..offset_of!(SuperblockLayout, build),
            offset_of!(SuperblockLayout, rest)..PAGE,
        ];
        if !zero.into_iter().all(|range| all_zero(&p[range])) {
            return Slot::Damaged(Damage::Reserved);
        }
        match Superblock::fields(p) {
            Some(superblock) => Slot::Valid(superblock, extension_crc),
            None => Slot::Damaged(Damage::Superblock),
        }
    }

    /// The fields of a page whose checksums match, unless they contradict each other.
    fn fields(p: &Page) -> Option<Superblock> {
        let words = get_u64(p, offset_of!(SuperblockLayout, write_offset));
        let sequence = get_u64(p, offset_of!(SuperblockLayout, sequence));
        let count = get_u32(p, offset_of!(SuperblockLayout, extents)) as usize;
        let pages = words / PAGE_WORDS as u64;
        let sound = words.is_multiple_of(PAGE_WORDS as u64)
            && (FIRST_PAGE..=WINDOW_PAGES).contains(&pages)
            && (1..u64::MAX).contains(&sequence)
            && sequence as u8 == p[offset_of!(SuperblockLayout, sequence_low)]
            && get_u64(p, offset_of!(SuperblockLayout, base)) == BASE
            && count <= DELTA;
        let mut delta = Delta {
            count,
            sum: get_u64(p, offset_of!(SuperblockLayout, sum)),
            ..Delta::default()
        };
        for (i, extent) in delta.extents.iter_mut().enumerate() {
            let at = offset_of!(SuperblockLayout, extent) + 8 * i;
            extent.start = u64::from(get_u32(p, at));
            extent.pages = u64::from(get_u32(p, at + 4));
        }
        let listed = delta.extents().iter().all(|extent| extent.fits(pages));
        (sound && listed).then(|| Superblock {
            sequence,
            root: get_u64(p, offset_of!(SuperblockLayout, value)),
            root_crc: get_u32(p, offset_of!(SuperblockLayout, value_crc)),
            pages,
            build: get(p, offset_of!(SuperblockLayout, build)),
            map: Place {
                address: get_u64(p, offset_of!(SuperblockLayout, map)),
                crc: get_u32(p, offset_of!(SuperblockLayout, map_crc)),
            },
            delta,
        })
    }
}

/// What page 0 says about a generation beyond its superblock. Losing the notes costs time only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Notes {
    /// The generation they are about, which is known to be durable.
    pub sequence: u64,
    /// The checksum of its superblock.
    pub superblock_crc: u32,
    /// A newer map of free space than the superblock's, made by a collection.
    pub map: Place,
    /// Pages that were in use after the last collection, 0 before the first: a hint when the next one
    /// is worth it. No checksum covers it; a wrong number costs time or space.
    pub live: u64,
}

impl Notes {
    /// The page to write.
    pub fn encode(&self) -> Page {
        let mut page = [0; PAGE];
        let p = &mut page;
        put(p, 0, NOTES_MAGIC);
        put(
            p,
            offset_of!(NotesLayout, sequence),
            self.sequence.to_le_bytes(),
        );
        let crc = self.superblock_crc.to_le_bytes();
        put(p, offset_of!(NotesLayout, superblock_crc), crc);
        put(
            p,
            offset_of!(NotesLayout, map_crc),
            self.map.crc.to_le_bytes(),
        );
        put(
            p,
            offset_of!(NotesLayout, map),
            self.map.address.to_le_bytes(),
        );
        let end = offset_of!(NotesLayout, crc);
        let crc = crc::bytes(&p[..end]);
        put(p, end, crc.to_le_bytes());
        put(p, offset_of!(NotesLayout, live), self.live.to_le_bytes());
        page
    }

    /// The notes of a page; `None` when there are none or they are damaged, which is harmless.
    pub fn decode(p: &Page) -> Option<Notes> {
        let end = offset_of!(NotesLayout, crc);
        let sound = get::<8>(p, 0) == NOTES_MAGIC && get_u32(p, end) == crc::bytes(&p[..end]);
        sound.then(|| Notes {
            sequence: get_u64(p, offset_of!(NotesLayout, sequence)),
            superblock_crc: get_u32(p, offset_of!(NotesLayout, superblock_crc)),
            map: Place {
                address: get_u64(p, offset_of!(NotesLayout, map)),
                crc: get_u32(p, offset_of!(NotesLayout, map_crc)),
            },
            live: get_u64(p, offset_of!(NotesLayout, live)),
        })
    }
}

/// The address a tagged word refers to if it is a reference to a pin in the region.
pub const fn address_of(word: u64) -> Option<u64> {
    match word >> 48 {
        tag if tag == TAG_PIN | STORED || tag == TAG_MEGAPIN | STORED => {
            Some(word & 0xFFFF_FFFF_FFFF)
        }
        _ => None,
    }
}

/// The page an address lies in, counted from page 0.
pub const fn page_of(address: u64) -> u64 {
    address.wrapping_sub(BASE) / PAGE as u64
}

/// The address of word `word` of a page.
pub const fn address_in(page: u64, word: usize) -> u64 {
    BASE + page * PAGE as u64 + 8 * word as u64
}

/// Where an executable ends: behind its section header table, the last thing in it. `None` when
/// `header`, its first 64 bytes, is no ELF header.
pub fn elf_end(header: &[u8; 64]) -> Option<u64> {
    let number = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    if header[..5] != *b"\x7fELF\x02" {
        return None;
    }
    let (offset, _) = header[40..].split_first_chunk::<8>()?;
    u64::from_le_bytes(*offset).checked_add(number(58) * number(60))
}

/// Where the region behind an executable starts: its end, rounded up to a page. `None` as above.
pub fn region_after_elf(header: &[u8; 64]) -> Option<u64> {
    elf_end(header)?.checked_next_multiple_of(PAGE as u64)
}
