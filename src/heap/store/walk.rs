//! Following the references of a region: scrub, export, and the marking of live pages.
//!
//! Invariants:
//! - no recursion: the way down is a list of frames, the children still to visit another list;
//! - each record is visited once, however many refer to it;
//! - a record whose checksum is not the one its parent has is not followed.

use super::Store;
use super::error::{Damage, Error};
use super::format::{BASE, PAGE, PAGE_WORDS, Place, SMALL, Slot, page_of};
use super::mount::{check_root, read_slots};
use super::object::{Object, children, decode};
use super::read::{Reader, Record};
use super::storage::Storage;
use crate::heap::words::Words;
use alloc::vec::Vec;

/// Indexes of a path that a finding keeps.
const PATH: usize = 16;
/// Findings that a report keeps.
const FINDINGS: usize = 100;
/// Large pins that a report keeps.
const LARGEST: usize = 5;

struct Frame {
    address: u64,
    first: usize,
    count: usize,
}

/// What one step of a walk came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A record, now in [`Walk::record`]; its children come next.
    Enter,
    /// All children of the record at this address have been visited.
    Leave(u64),
    /// A child that cannot be followed.
    Wrong(Damage),
    /// Something seen before.
    Seen,
    /// Nothing is left.
    Done,
}

/// A walk through everything reachable from some places.
#[derive(Default)]
pub struct Walk {
    seen: Words,
    frames: Vec<Frame>,
    todo: Vec<Place>,
    /// Whether only the lists of long records are kept in `record`.
    lists: bool,
    /// The record entered last.
    pub record: Record,
}

impl core::fmt::Debug for Walk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "Walk({} seen, {} deep)",
            self.seen.len(),
            self.frames.len()
        )
    }
}

impl Walk {
    /// A walk for somebody who does not look at what records say beside which pins they refer to.
    pub fn of_lists() -> Walk {
        Walk {
            lists: true,
            ..Walk::default()
        }
    }

    /// Adds a place to start from; only between walks.
    pub fn start(&mut self, place: Place) {
        self.todo.push(place);
    }

    /// Goes one step on.
    ///
    /// # Errors
    /// [`Error::Io`]; damage is a step of its own.
    pub fn step<S: Storage>(&mut self, reader: &mut Reader, file: &mut S) -> Result<Step, Error> {
        let level = self.frames.last().map_or(0, |frame| frame.first);
        if self.todo.len() > level
            && let Some(place) = self.todo.pop()
        {
            return match self.enter(place, reader, file) {
                Err(Error::Damaged(damage)) => Ok(Step::Wrong(damage)),
                other => other,
            };
        }
        Ok(match self.frames.pop() {
            Some(frame) => Step::Leave(frame.address),
            None => Step::Done,
        })
    }

    fn enter<S: Storage>(
        &mut self,
        place: Place,
        reader: &mut Reader,
        file: &mut S,
    ) -> Result<Step, Error> {
        if let Some(crc) = self.seen.get(place.address) {
            return if crc == u64::from(place.crc) {
                Ok(Step::Seen)
            } else {
                Err(Damage::Checksum.into())
            };
        }
        if self.lists {
            reader.lists(file, place.address, &mut self.record)?;
        } else {
            reader.record(file, place.address, &mut self.record)?;
        }
        if !self.record.matches(place.crc) {
            return Err(Damage::Checksum.into());
        }
        self.seen.insert(place.address, u64::from(place.crc));
        let first = self.todo.len();
        if self.record.is_pin() {
            children(&self.record, &mut self.todo)?;
            // The first child is to be visited first.
            self.todo[first..].reverse();
        }
        self.frames.push(Frame {
            address: place.address,
            first,
            count: self.todo.len() - first,
        });
        Ok(Step::Enter)
    }

    /// The way to the record or child just met: for each step, which child was taken. `entered`:
    /// it is the innermost frame itself, rather than a child of it.
    fn path(&self, entered: bool) -> Path {
        let inner = self.frames.len() - usize::from(entered && !self.frames.is_empty());
        let mut first = Vec::new();
        for (i, frame) in self.frames.iter().take(inner.min(PATH)).enumerate() {
            // Children left of this frame lie below those of the next.
            let end = self
                .frames
                .get(i + 1)
                .map_or(self.todo.len(), |next| next.first);
            let left = end.saturating_sub(frame.first) + 1;
            first.push(frame.count.saturating_sub(left));
        }
        Path {
            first,
            depth: inner,
        }
    }

    /// How many records were met.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// The way from a root to a pin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Path {
    /// For each pin, which of its pins was followed, from 0. The first ones.
    pub first: Vec<usize>,
    /// The full length of the way.
    pub depth: usize,
}

impl core::fmt::Display for Path {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("root")?;
        self.first.iter().try_for_each(|i| write!(f, "/{i}"))?;
        match self.depth.saturating_sub(self.first.len()) {
            0 => Ok(()),
            more => write!(f, "/... {more} more"),
        }
    }
}

/// What is wrong in one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The generation it belongs to; 0 for a superblock that cannot be read.
    pub sequence: u64,
    /// Where.
    pub path: Path,
    /// What is wrong.
    pub damage: Damage,
}

impl core::fmt::Display for Finding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.sequence != 0 {
            write!(f, "{}: ", self.path)?;
        }
        self.damage.fmt(f)
    }
}

/// What a scrub found.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Report {
    /// Pins reachable from either generation.
    pub pins: u64,
    /// Words of their records.
    pub words: u64,
    /// The largest of the current one: words of the record, and the first way to it. Largest first.
    pub largest: Vec<(u64, Path)>,
    /// What is wrong: the first findings.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub total: u64,
}

impl Report {
    fn add(&mut self, sequence: u64, path: Path, damage: Damage) {
        self.total += 1;
        if self.findings.len() < FINDINGS {
            self.findings.push(Finding {
                sequence,
                path,
                damage,
            });
        }
    }

    /// Counts the pin just entered.
    fn count(&mut self, walk: &Walk, current: bool) {
        let words = walk.record.total() as u64;
        self.pins += 1;
        self.words += words;
        let at = self.largest.partition_point(|(more, _)| *more >= words);
        if at < LARGEST && current {
            self.largest.truncate(LARGEST - 1);
            self.largest.insert(at, (words, walk.path(true)));
        }
    }
}

impl<S: Storage> Store<S> {
    /// Reads and checks everything that either generation reaches. Writes nothing.
    ///
    /// # Errors
    /// [`Error::Io`]; damage is in the report.
    pub fn scrub(&mut self) -> Result<Report, Error> {
        let mut report = Report::default();
        for slot in read_slots(&mut self.reader, &mut self.file, self.region)? {
            if let Slot::Damaged(damage) = slot {
                report.add(0, Path::default(), damage);
            }
        }
        let mut walk = Walk::default();
        let mut tails = Words::default();
        let generations = [Some(self.current), self.previous];
        for generation in generations.into_iter().flatten() {
            let superblock = generation.superblock;
            if superblock.sequence == 0 {
                continue;
            }
            let mut reader = Reader::new(self.region, superblock.pages).eager();
            let bad = |report: &mut Report, damage| {
                report.add(superblock.sequence, Path::default(), damage);
            };
            if self.length < reader.offset(superblock.pages) {
                bad(&mut report, Damage::Short);
            }
            match check_root(&mut reader, &mut self.file, &superblock, u64::MAX) {
                Ok(()) => {}
                Err(Error::Damaged(damage)) => bad(&mut report, damage),
                Err(error) => return Err(error),
            }
            if let Some(address) = superblock.root_address() {
                let crc = superblock.root_crc;
                walk.start(Place { address, crc });
            }
            self.scrub_from(
                &mut walk,
                &mut reader,
                &mut tails,
                superblock.sequence,
                &mut report,
            )?;
            if superblock.map.address != 0 {
                let map = self.read_map_with(&mut reader, superblock.map, superblock.pages)?;
                if map.is_none() {
                    bad(&mut report, Damage::Map);
                }
            }
        }
        Ok(report)
    }

    fn read_map_with(
        &mut self,
        reader: &mut Reader,
        place: Place,
        pages: u64,
    ) -> Result<Option<super::Space>, Error> {
        core::mem::swap(&mut self.reader, reader);
        let map = self.read_map(place, pages);
        core::mem::swap(&mut self.reader, reader);
        map
    }

    fn scrub_from(
        &mut self,
        walk: &mut Walk,
        reader: &mut Reader,
        tails: &mut Words,
        sequence: u64,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut object = Object::default();
        loop {
            match walk.step(reader, &mut self.file)? {
                Step::Done => return Ok(()),
                Step::Wrong(damage) => report.add(sequence, walk.path(false), damage),
                Step::Enter => {
                    report.count(walk, sequence == self.current.superblock.sequence);
                    let sound = decode(&walk.record, &mut object);
                    let tail = tail_is_zero(&walk.record, reader, &mut self.file, tails)?;
                    let tail = if tail { Ok(()) } else { Err(Damage::Reserved) };
                    let free = if self.is_free(&walk.record, sequence) {
                        Err(Damage::Map)
                    } else {
                        Ok(())
                    };
                    if let Err(damage) = sound.and(tail).and(free) {
                        report.add(sequence, walk.path(true), damage);
                    }
                }
                Step::Leave(_) | Step::Seen => {}
            }
        }
    }

    /// Whether the map of free space has a page of this record of a generation.
    fn is_free(&self, record: &Record, sequence: u64) -> bool {
        let start = page_of(record.address);
        let end = page_of(record.address + 8 * record.payload().len() as u64 - 1);
        // What is retired belongs to the previous generation.
        let current = sequence == self.current.superblock.sequence;
        let retired = self.space.retired.iter().filter(|_| current);
        let mut free = self.space.free.iter().chain(retired);
        free.any(|extent| extent.start <= end && start < extent.end())
    }

    /// Hands every pin that the committed value reaches to `sink`, children before parents, with the
    /// address it has here; an object's pins are called by their addresses.
    ///
    /// # Errors
    /// [`Error::Damaged`] at the first damage; those of the sink.
    pub fn export(
        &mut self,
        sink: &mut dyn FnMut(u64, &Object) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let superblock = self.current.superblock;
        let mut reader = Reader::new(self.region, superblock.pages).eager();
        let (mut walk, mut object) = (Walk::default(), Object::default());
        if let Some(address) = superblock.root_address() {
            let crc = superblock.root_crc;
            walk.start(Place { address, crc });
        }
        let mut record = Record::default();
        loop {
            match walk.step(&mut reader, &mut self.file)? {
                Step::Done => return Ok(()),
                Step::Wrong(damage) => return Err(damage.into()),
                Step::Enter | Step::Seen => {}
                Step::Leave(address) => {
                    reader.record(&mut self.file, address, &mut record)?;
                    decode(&record, &mut object)?;
                    sink(address, &object)?;
                }
            }
        }
    }
}

/// Whether the words that no record uses in the last page of this one are zero, and a shared page
/// says how many are used. A page is looked at once.
fn tail_is_zero<S: Storage>(
    record: &Record,
    reader: &mut Reader,
    file: &mut S,
    seen: &mut Words,
) -> Result<bool, Error> {
    let word = (record.address - BASE) as usize % PAGE / 8;
    let end = word + record.payload().len();
    let page = page_of(record.address) + (end.saturating_sub(1) / PAGE_WORDS) as u64;
    if record.total() > SMALL {
        let used = (end - 1) % PAGE_WORDS + 1;
        return Ok(reader.page(file, page)?[used..]
            .iter()
            .all(|word| *word == 0));
    }
    let words = reader.page(file, page)?;
    let used = usize::try_from(words[0]).unwrap_or(usize::MAX);
    let counted = used < PAGE_WORDS && end <= used;
    let zero =
        seen.insert(page, 0).is_some() || counted && words[used..].iter().all(|word| *word == 0);
    Ok(counted && zero)
}
