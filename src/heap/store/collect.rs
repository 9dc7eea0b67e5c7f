//! Finding the pages that no generation reaches and giving them back.
//!
//! Pages are marked in steps, while commits go on: what a commit writes meanwhile counts as live, and
//! everything it refers to was reachable when the marking began.
//!
//! Invariants:
//! - a page is given back only if neither superblock, nor a reference in memory, nor a pin stored ahead
//!   of a commit reaches it, and it was not taken since the marking began;
//! - damage stops a collection: nothing is given back on incomplete marks;
//! - what was found is recorded in the notes, so that both generations stay as they are; the next
//!   commit puts it in a map of its own;
//! - stopping anywhere leaves a sound store; a collection that finds nothing new writes nothing.

use super::commit::map_record;
use super::error::Error;
use super::format::{BASE, Extent, FIRST_PAGE, Notes, PAGE, Place, page_of};
use super::read::{Reader, Record};
use super::space::{Space, count, join, subtract};
use super::storage::{Storage, write_all};
use super::walk::{Step, Walk};
use super::{Canary, Store};
use crate::heap::now;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

/// No generation and no memory reaches the page.
const FREE: u8 = 0;
/// Only the previous generation does.
const OLD: u8 = 1;
/// The current generation does, or memory.
const LIVE: u8 = 2;

/// Pages that have to be taken for a collection to be worth it: 1 MiB.
const LEAST: u64 = 256;
/// Commits between two collections, unless they took 16 MiB: a collection costs something however
/// little there is, and large commits would bring one each.
const COMMITS: u64 = 8;
const MOST: u64 = 4096;
/// Times what makes a collection due, in pages and commits, that make it overdue.
const LATE: u64 = 4;

/// Records marked between two looks at the clock.
const STRIDE: usize = 1 << 8;

/// Pages being marked.
#[derive(Debug)]
pub struct Marking {
    reader: Reader,
    walk: Walk,
    marks: Vec<u8>,
    mark: u8,
    previous: Option<Place>,
    /// Addresses in memory still to be followed; they may lie inside pins.
    held: Vec<u64>,
    /// The generation that was the current one.
    sequence: u64,
    /// Pins met.
    pub pins: u64,
}

/// What a collection found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    /// Pages in use, the notes included.
    pub live: u64,
    /// Pages that are free now, or after the next commit.
    pub free: u64,
    /// Those of them that were not known to be, and are now, to later processes too.
    pub found: u64,
}

impl Marking {
    fn mark(&mut self, record_address: u64, words: usize) {
        let first = page_of(record_address) as usize;
        let word = (record_address - BASE) as usize % PAGE / 8;
        let last = first + (word + words).saturating_sub(1) * 8 / PAGE;
        for mark in self.marks.iter_mut().take(last + 1).skip(first) {
            *mark = (*mark).max(self.mark);
        }
    }

    /// Marks up to `records` records; whether that was all. Reads through a file of its own, so that
    /// another thread can do it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`]; the collection is then over.
    pub fn step<S: Storage>(&mut self, file: &mut S, records: usize) -> Result<bool, Error> {
        for _ in 0..records {
            match self.walk.step(&mut self.reader, file)? {
                Step::Enter => {
                    let Record { address, .. } = self.walk.record;
                    self.pins += u64::from(self.walk.record.is_pin());
                    let words = self.walk.record.total() - 2;
                    self.mark(address, words);
                }
                Step::Wrong(damage) => return Err(damage.into()),
                Step::Leave(_) | Step::Seen => {}
                Step::Done => {
                    if let Some(address) = self.held.pop() {
                        let place = self.reader.containing(file, address)?;
                        self.walk.start(place);
                    } else if let Some(place) = self.previous.take() {
                        self.mark = OLD;
                        self.walk.start(place);
                    } else {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Marks to the end, or until the clock of [`now`] shows this time, which may change meanwhile;
    /// whether that was all.
    ///
    /// # Errors
    /// As for [`Marking::step`].
    #[inline(never)]
    pub fn run<S: Storage>(&mut self, file: &mut S, until: &AtomicU64) -> Result<bool, Error> {
        while !self.step(file, STRIDE)? {
            if now() >= until.load(Relaxed) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The runs of pages with this mark.
    fn runs(&self, mark: u8) -> Vec<Extent> {
        let mut runs: Vec<Extent> = Vec::new();
        let pages = self.marks.iter().enumerate().skip(FIRST_PAGE as usize);
        for (page, _) in pages.filter(|(_, found)| **found == mark) {
            match runs.last_mut() {
                Some(last) if last.end() == page as u64 => last.pages += 1,
                _ => runs.push(Extent {
                    start: page as u64,
                    pages: 1,
                }),
            }
        }
        runs
    }
}

impl<S: Storage> Store<S> {
    /// Begins to mark what the two generations, the pins stored ahead, and the references in memory
    /// to the addresses `held` reach, which may lie inside pins.
    ///
    /// # Errors
    /// When the store cannot be written, or a header cannot be read.
    pub fn begin_marking(&mut self, held: &[u64]) -> Result<Marking, Error> {
        self.writable()?;
        let pages = self.space.end.max(self.current.superblock.pages);
        let pages = pages.max(self.previous.map_or(0, |g| g.superblock.pages));
        let reader = Reader::new(self.region, pages).eager();
        let mut walk = Walk::of_lists();
        let current = &self.current.superblock;
        let root = |superblock: &super::Superblock| {
            superblock.root_address().map(|address| Place {
                address,
                crc: superblock.root_crc,
            })
        };
        root(current)
            .into_iter()
            .for_each(|place| walk.start(place));
        let mut marking = Marking {
            reader,
            walk,
            marks: vec![FREE; pages as usize],
            mark: LIVE,
            previous: self.previous.and_then(|g| root(&g.superblock)),
            held: [held, &self.precommitted].concat(),
            sequence: current.sequence,
            pins: 0,
        };
        self.mark_maps(&mut marking)?;
        self.announce();
        Ok(marking)
    }

    /// From now on what is written counts as live. To be called before the references in memory are
    /// gathered if that takes a while; [`Store::begin_marking`] does it otherwise.
    pub fn announce(&mut self) {
        self.born.get_or_insert_default();
    }

    /// Has the collection that is going on keep these pages.
    pub fn keep(&mut self, pages: &[Extent]) {
        if let Some(born) = &mut self.born {
            born.extend_from_slice(pages);
        }
    }

    /// All pages that something in memory may refer to.
    pub fn reachable(&self) -> Vec<Extent> {
        let all = Extent {
            start: FIRST_PAGE,
            pages: self.space.end.saturating_sub(FIRST_PAGE),
        };
        subtract(&[all], &self.space.free)
    }

    /// Pages in use as far as is known, garbage of all kinds included.
    pub fn used(&self) -> u64 {
        let [free, retired, leaving] = [&self.space.free, &self.space.retired, &self.leaving];
        self.space.end - count(free) - count(retired) - count(leaving)
    }

    /// Whether a noticeable part of what is in use was taken since the last collection.
    pub fn has_garbage(&self) -> bool {
        self.used() > self.live + self.live / 64 + 2
    }

    /// Whether as many pages have been taken since the last collection as were in use then.
    pub fn is_due(&self) -> bool {
        let taken = self.used() - self.live.min(self.used());
        taken >= self.live.max(LEAST) && (self.since >= COMMITS || taken >= MOST)
    }

    /// Whether a collection is that late that commits should wait for it: processes that are killed soon
    /// after their starts, or that get no processor for it, would never finish one.
    pub fn is_overdue(&self) -> bool {
        let taken = self.used() - self.live.min(self.used());
        taken >= LATE * self.live.max(LEAST) && self.since >= LATE * COMMITS
    }

    /// Marks the maps of free space; one that cannot be read is of no use to anybody.
    fn mark_maps(&mut self, marking: &mut Marking) -> Result<(), Error> {
        let noted = self.notes.filter(|notes| {
            (notes.sequence, notes.superblock_crc)
                == (self.current.superblock.sequence, self.current.crc)
        });
        let maps = [
            Some((self.current.superblock.map, LIVE)),
            noted.map(|notes| (notes.map, LIVE)),
            self.previous.map(|g| (g.superblock.map, OLD)),
        ];
        for (place, mark) in maps
            .into_iter()
            .flatten()
            .filter(|(place, _)| place.address != 0)
        {
            match marking.reader.head(&mut self.file, place.address) {
                Ok((_, header)) => {
                    marking.mark = mark;
                    marking.mark(place.address, (header >> 14) as usize);
                }
                Err(Error::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        marking.mark = LIVE;
        Ok(())
    }

    /// Ends a collection that will not be finished: the next one is due as if it had been.
    pub fn abandon(&mut self) {
        self.born = None;
        self.since = 0;
        self.live = self.used();
    }

    /// Takes what was not marked for free, and records it. What of it should be given back to the file
    /// system is in [`Store::leaving`] then.
    ///
    /// # Errors
    /// [`Error::Io`]. Free pages are known to this process then, but perhaps not to the next one.
    pub fn finish(&mut self, marking: Marking) -> Result<Collected, Error> {
        let mut born = self.born.take().unwrap_or_default();
        self.writable()?;
        self.take_back();
        self.since = 0;
        join(&mut born);
        let mut found = Space {
            free: subtract(&marking.runs(FREE), &born),
            retired: subtract(&marking.runs(OLD), &born),
            end: self.space.end,
        };
        // A commit meanwhile may have let go of the end of the file.
        let tail = [Extent {
            start: self.space.end,
            pages: super::format::WINDOW_PAGES,
        }];
        found.free = subtract(&found.free, &tail);
        found.retired = subtract(&found.retired, &tail);
        found.bound();
        let early = self
            .broken(Canary::EarlyPunch)
            .then(|| found.retired.clone());
        if self.broken(Canary::EarlyReuse) {
            found.free.append(&mut found.retired);
            join(&mut found.free);
        }
        let free = count(&found.free) + count(&found.retired);
        self.live = found.end - count(&found.free) - count(&found.retired);
        let outcome = Collected {
            live: self.live,
            free,
            found: free.saturating_sub(count(&self.space.free) + count(&self.space.retired)),
        };
        if found == self.space && self.current.superblock.sequence == marking.sequence {
            return Ok(Collected {
                found: 0,
                ..outcome
            });
        }
        self.settle_mount()?;
        self.space = found;
        let recorded = self.record_space()?;
        self.leave();
        self.leaving.extend(early.into_iter().flatten());
        if self.broken(Canary::PunchTaken) {
            self.space.give(&self.leaving);
        }
        let found = if recorded { outcome.found } else { 0 };
        Ok(Collected { found, ..outcome })
    }

    /// Chooses the free pages that are to leave the file: those beyond as many as are live, but only
    /// once there are a quarter more, so that this is seldom.
    fn leave(&mut self) {
        let least = self.options.keep;
        let keep = least.max(self.live);
        if count(&self.space.free) > keep + keep / 4 {
            self.leaving = self.space.take_excess(keep, least / 64);
        }
    }

    /// Free pages that should be given back to the file system by [`punch`]; nothing is written there
    /// until [`Store::take_back`].
    pub fn leaving(&self) -> &[Extent] {
        &self.leaving
    }

    /// All that was leaving has left: its pages may be taken again.
    pub fn take_back(&mut self) {
        let leaving = core::mem::take(&mut self.leaving);
        self.space.give(&leaving);
    }

    /// Marks and gives back in one go.
    ///
    /// # Errors
    /// As for [`Store::begin_marking`], [`Marking::step`] and [`Store::finish`].
    pub fn collect(&mut self, held: &[u64]) -> Result<Collected, Error> {
        let mut marking = self.begin_marking(held)?;
        loop {
            match marking.step(&mut self.file, 1 << 16) {
                Ok(true) => {
                    let collected = self.finish(marking)?;
                    punch(&mut self.file, self.reader.offset(0), &self.leaving);
                    self.take_back();
                    return Ok(collected);
                }
                Ok(false) => {}
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            }
        }
    }

    /// Writes the free space as a map that the notes refer to, if there is a page for it. The map
    /// describes itself as in use.
    fn record_space(&mut self) -> Result<bool, Error> {
        let before = self.space.clone();
        let result = self.write_map();
        if result.is_err() {
            self.space = before;
        }
        result
    }

    fn write_map(&mut self) -> Result<bool, Error> {
        let words = 2 + self.space.free.len() + self.space.retired.len();
        let mut placer = super::gather::Placer::default();
        let spot = placer.place(2 + words);
        let pages = (2 + words + 1).div_ceil(super::format::PAGE_WORDS) as u64;
        // Behind the superblock's end nothing can be recorded: without a free extent there is no map.
        let fits = self.space.free.iter().any(|extent| extent.pages >= pages);
        if !fits {
            return Ok(false);
        }
        let extent = self.space.take(pages).ok_or(Error::Full)?;
        let taken = super::gather::Pages {
            small: vec![extent],
            big: vec![extent],
        };
        let address = taken.address(spot).ok_or(Error::Full)?;
        let mut record = Vec::new();
        let crc = map_record(&self.space.to_map(words), &mut record);
        if page_word(address) > 2 {
            record.insert(0, record.len() as u64 + 1);
        }
        let mut bytes: Vec<u8> = record.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(extent.pages as usize * PAGE, 0);
        let at = self.reader.offset(extent.start);
        write_all(&mut self.file, at, &bytes).map_err(|why| Error::Io("write", why))?;
        self.reader.forget();
        self.write_notes(Notes {
            sequence: self.current.superblock.sequence,
            superblock_crc: self.current.crc,
            map: Place { address, crc },
            live: self.live,
        })?;
        Ok(true)
        // Not synced: whoever finds only part of it knows less that is free, and nothing wrong.
    }
}

/// Gives pages of a file with page 0 at `data` back to the file system, if it can: they are free
/// either way, holes only save space.
pub fn punch<S: Storage>(file: &mut S, data: u64, pages: &[Extent]) {
    for extent in pages {
        let at = data + extent.start * PAGE as u64;
        let _ = file.punch(at, extent.pages * PAGE as u64);
    }
}

/// The word of its page that an address is.
fn page_word(address: u64) -> usize {
    (address - BASE) as usize % PAGE / 8
}
