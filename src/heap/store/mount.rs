//! Opening a region: choosing the generation, and making a new region.
//!
//! ```text
//!   both slots ─▶ newest valid superblock ─▶ file long enough? delta complete? root sound? ─▶ mounted
//!                        ▲                                     │ no
//!                        └──────────── the older one ──────────┘
//! ```
//!
//! Invariants:
//! - the time does not depend on the size of the region: what is read is bounded by the options;
//! - mounting writes nothing;
//! - without a valid superblock there is no store: never an empty one instead;
//! - a superblock of an unknown version is an error, even beside a known one.

use super::error::{Damage, Error};
use super::format::{DATA, Extent, FIRST_PAGE, Notes, PAGE, Place, Slot, Superblock};
use super::format::{address_of, page_sum};
use super::read::{Reader, Record};
use super::space::Space;
use super::storage::{Storage, length, read_all, write_all};
use super::{Canary, Generation, Options, Store};
use crate::os::Errno;
use crate::value::{MAX_DIRECT, TAG_MEGAPIN};
use alloc::vec;
use alloc::vec::Vec;

/// Pages read at once when a delta is checked.
const STRIDE: u64 = 16;

/// A store, and what was wrong with a newer or damaged superblock that was passed over.
#[derive(Debug)]
pub struct Mounted<S> {
    /// The store.
    pub store: Store<S>,
    /// Why the other slot was not taken though it is not simply older.
    pub passed_over: Option<Damage>,
}

/// The slots of the region at `region`.
pub(super) fn read_slots<S: Storage>(
    reader: &mut Reader,
    file: &mut S,
    region: u64,
) -> Result<[Slot; 2], Error> {
    let first = Superblock::decode(reader.bytes_at(file, region)?);
    let second = Superblock::decode(reader.bytes_at(file, region + PAGE as u64)?);
    Ok([first, second])
}

impl<S: Storage> Store<S> {
    /// Opens the region at byte `region` of a file, which the caller has locked.
    ///
    /// # Errors
    /// [`Error::Missing`] when the file ends there, [`Error::Damaged`], [`Error::Version`],
    /// [`Error::Io`]. Nothing was written.
    pub fn mount(file: S, region: u64, options: Options) -> Result<Mounted<S>, Error> {
        let store = Store::blank(file, region, options)?;
        store.choose()
    }

    /// The same, but with a deliberate fault.
    #[cfg(test)]
    pub(super) fn mount_broken(
        file: S,
        region: u64,
        options: Options,
        canary: Option<Canary>,
    ) -> Result<Mounted<S>, Error> {
        let mut store = Store::blank(file, region, options)?;
        store.canary = canary;
        store.choose()
    }

    /// A store about which nothing is known yet.
    fn blank(mut file: S, region: u64, options: Options) -> Result<Store<S>, Error> {
        let length = length(&mut file).map_err(|why| Error::Io("stat", why))?;
        Ok(Store {
            file,
            region,
            options,
            reader: Reader::new(region, FIRST_PAGE),
            current: Generation {
                superblock: empty(options.build),
                crc: 0,
            },
            slot: 1,
            previous: None,
            newest: 0,
            space: Space {
                end: FIRST_PAGE,
                ..Space::default()
            },
            unsettled: false,
            notes: None,
            length,
            stage: Vec::new(),
            commits: 0,
            ahead: 0,
            since: u64::MAX,
            failed: None,
            precommitted: Vec::new(),
            born: None,
            live: 0,
            leaving: Vec::new(),
            most_pages: super::format::WINDOW_PAGES,
            #[cfg(test)]
            canary: None,
        })
    }

    /// Makes a region at byte `region`, where the file ends (a shorter one is extended).
    ///
    /// There is nothing to mount before the first commit, which makes everything durable.
    ///
    /// # Errors
    /// [`Error::Io`]; `EEXIST` when the file goes on behind `region`.
    pub fn create(file: S, region: u64, options: Options) -> Result<Store<S>, Error> {
        let mut store = Store::blank(file, region, options)?;
        if store.length > region || !region.is_multiple_of(PAGE as u64) {
            return Err(Error::Io("create a region", Errno::EEXIST));
        }
        let zero = vec![0; DATA as usize + PAGE];
        write_all(&mut store.file, region, &zero).map_err(|why| Error::Io("write", why))?;
        store.length = region + zero.len() as u64;
        Ok(store)
    }

    fn choose(mut self) -> Result<Mounted<S>, Error> {
        if self.length <= self.region {
            return Err(Error::Missing);
        }
        let slots = read_slots(&mut self.reader, &mut self.file, self.region)?;
        self.notes = Notes::decode(self.reader.bytes_at(&mut self.file, self.region + DATA)?);
        let mut found = Vec::new();
        let mut wrong = None;
        for (slot, state) in slots.into_iter().enumerate() {
            match state {
                Slot::Empty => {}
                Slot::Unknown(version) => return Err(Error::Version(version)),
                Slot::Damaged(damage) => wrong = Some(damage),
                Slot::Valid(superblock, crc) => found.push((slot, Generation { superblock, crc })),
            }
        }
        if let [(_, first), (_, second)] = &found[..]
            && first.superblock.sequence < second.superblock.sequence
        {
            found.swap(0, 1);
        }
        self.newest = found.first().map_or(0, |(_, g)| g.superblock.sequence);
        for (i, (slot, generation)) in found.iter().enumerate() {
            match self.check(generation) {
                Ok(()) => {
                    let older = found.get(i + 1).map(|(_, generation)| *generation);
                    // An empty slot beside a later generation was emptied after an error.
                    let lost = older.is_none() && generation.superblock.sequence > 1;
                    self.adopt(*slot, *generation, older, lost || wrong.is_some())?;
                    let passed_over = wrong;
                    return Ok(Mounted {
                        store: self,
                        passed_over,
                    });
                }
                Err(Error::Damaged(damage)) => wrong = Some(damage),
                Err(error) => return Err(error),
            }
        }
        Err(wrong.unwrap_or(Damage::Superblock).into())
    }

    /// Whether a generation can be the current one.
    fn check(&mut self, generation: &Generation) -> Result<(), Error> {
        let superblock = &generation.superblock;
        if self.length < self.region + DATA + superblock.pages * PAGE as u64 {
            return Err(Damage::Short.into());
        }
        self.reader.pages = superblock.pages;
        if !self.is_noted(generation) && !self.broken(Canary::NoDeltaCheck) {
            self.check_delta(superblock)?;
        }
        check_root(
            &mut self.reader,
            &mut self.file,
            superblock,
            self.options.check_limit,
        )
    }

    /// Whether the notes say that a generation is durable.
    fn is_noted(&self, generation: &Generation) -> bool {
        let about = self
            .notes
            .map(|notes| (notes.sequence, notes.superblock_crc));
        about == Some((generation.superblock.sequence, generation.crc))
    }

    fn check_delta(&mut self, superblock: &Superblock) -> Result<(), Error> {
        let extents = superblock.delta.extents();
        let pages: u64 = extents.iter().map(|extent| extent.pages).sum();
        // Nobody writes such a superblock with our limit; another limit is no damage.
        if pages > self.options.check_limit.max(1 << 30) / PAGE as u64 {
            return Err(Damage::Superblock.into());
        }
        let mut buffer = vec![0; STRIDE.min(pages) as usize * PAGE];
        let mut sum = 0u64;
        for Extent { start, pages } in extents {
            let mut page = *start;
            while page < start + pages {
                let count = STRIDE.min(start + pages - page);
                let bytes = &mut buffer[..count as usize * PAGE];
                let at = self.reader.offset(page);
                read_all(&mut self.file, at, bytes).map_err(|why| Error::Io("read", why))?;
                for (i, bytes) in bytes.chunks_exact(PAGE).enumerate() {
                    sum = sum.wrapping_add(page_sum(page + i as u64, bytes));
                }
                page += count;
            }
        }
        if sum == superblock.delta.sum {
            Ok(())
        } else {
            Err(Damage::Incomplete.into())
        }
    }

    /// Makes a generation that has been checked the current one.
    fn adopt(
        &mut self,
        slot: usize,
        generation: Generation,
        older: Option<Generation>,
        dirty: bool,
    ) -> Result<(), Error> {
        let noted = self.is_noted(&generation);
        self.slot = slot;
        self.current = generation;
        self.previous = older;
        self.unsettled = (!noted || dirty) && !self.broken(Canary::NoSettling);
        let superblock = generation.superblock;
        let noted_map = self.notes.filter(|_| noted).map(|notes| notes.map);
        let mut space = None;
        for place in noted_map.into_iter().chain([superblock.map]) {
            if space.is_none() && place.address != 0 {
                space = self.read_map(place, superblock.pages)?;
            }
        }
        // Without a map nothing is known to be free: a collection finds it again.
        self.space = space.unwrap_or(Space {
            end: superblock.pages,
            ..Space::default()
        });
        let hint = self.notes.map_or(0, |notes| notes.live);
        self.live = if hint <= self.used() { hint } else { 0 };
        Ok(())
    }

    /// The map of free space at `place`; `None` if it is damaged.
    pub(super) fn read_map(&mut self, place: Place, pages: u64) -> Result<Option<Space>, Error> {
        let mut record = Record::default();
        match self
            .reader
            .record(&mut self.file, place.address, &mut record)
        {
            Ok(()) if record.matches(place.crc) && !record.is_pin() => {
                Ok(Space::from_map(record.payload(), pages).ok())
            }
            Ok(()) | Err(Error::Damaged(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The generation before the first.
fn empty(build: [u8; 16]) -> Superblock {
    Superblock {
        sequence: 0,
        root: 0,
        root_crc: super::crc::words(&[0]),
        pages: FIRST_PAGE,
        build,
        map: Place::default(),
        delta: super::format::Delta::default(),
    }
}

/// Checks the root of a generation: the natural, or the pin up to `limit` bytes of it.
pub(super) fn check_root<S: Storage>(
    reader: &mut Reader,
    file: &mut S,
    superblock: &Superblock,
    limit: u64,
) -> Result<(), Error> {
    let root = superblock.root;
    if root <= MAX_DIRECT {
        let right = super::crc::words(&[root]) == superblock.root_crc;
        return if right {
            Ok(())
        } else {
            Err(Damage::Checksum.into())
        };
    }
    let address = address_of(root).ok_or(Damage::Reference)?;
    let (crc, header) = reader.head(file, address)?;
    let mut record = Record {
        address,
        crc,
        words: vec![header],
        ..Record::default()
    };
    let mega = root >> 48 & !super::format::STORED == TAG_MEGAPIN;
    if !record.is_pin() || record.is_mega() != mega {
        return Err(Damage::Reference.into());
    }
    if header >> 11 <= limit {
        reader.lists(file, address, &mut record)?;
        if !record.matches(superblock.root_crc) {
            return Err(Damage::Checksum.into());
        }
    } else if crc != u64::from(superblock.root_crc) {
        return Err(Damage::Checksum.into());
    }
    Ok(())
}
