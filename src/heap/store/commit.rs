//! Committing a value, storing pins ahead of a commit, and leaving the store settled.
//!
//! ```text
//!   settle what mount could not know ─▶ write records to free pages ─┬─▶ superblock ─▶ sync ─▶ done
//!                                                                    └─▶ sync ─▶ superblock ─▶ sync
//! ```
//!
//! Invariants:
//! - before the superblock is written, an error leaves the store as it was, and it can go on;
//! - a superblock that the system did not confirm leaves a store that writes no more: whether the old
//!   or the new value will be found is unknown, both are whole;
//! - a sync that failed is never asked for again: the system may have dropped what it was to write;
//! - nothing is told to the source before it is durable.

use super::error::{Damage, Error};
use super::format::{DATA, Delta, Extent, FIRST_PAGE, Notes, PAGE, PAGE_WORDS, Place, Superblock};
use super::format::{address_of, page_sum};
use super::gather::{Pages, Plan, Source, Spot};
use super::object::{Object, Stored, encode};
use super::read::{Reader, Record};
use super::space::Space;
use super::storage::{Storage, sync, write_all};
use super::{Canary, Generation, Store};
use crate::os::Errno;
use crate::value::{Header, Kind};
use alloc::vec;
use alloc::vec::Vec;

/// Bytes gathered before they are written.
const CHUNK: usize = 256 * 1024;

/// The value to commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    /// A natural below 2^63.
    Natural(u64),
    /// A pin of the source.
    Pin(u64),
}

/// What a commit did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The value is the committed one already; nothing was written.
    Unchanged,
    /// There is a new generation.
    Committed {
        /// Pins that were written.
        pins: usize,
        /// Pages that were written, the superblock's not counted.
        pages: u64,
    },
}

/// Gathers neighbouring pages into few writes, and sums them up.
struct Writer {
    buffer: Vec<u8>,
    /// The first page in the buffer.
    start: u64,
    sum: u64,
}

impl Writer {
    fn push<S: Storage>(
        &mut self,
        file: &mut S,
        reader: &Reader,
        page: u64,
        words: &[u64],
    ) -> Result<(), Error> {
        let next = self.start + (self.buffer.len() / PAGE) as u64;
        if page != next || self.buffer.len() >= CHUNK {
            self.flush(file, reader)?;
        }
        if self.buffer.is_empty() {
            self.start = page;
        }
        let begin = self.buffer.len();
        self.buffer.resize(begin + PAGE, 0);
        // Word by word, not byte by byte: all that is committed goes through this loop.
        let places = self.buffer[begin..].as_chunks_mut::<8>().0;
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        self.sum = self.sum.wrapping_add(page_sum(page, &self.buffer[begin..]));
        Ok(())
    }

    fn flush<S: Storage>(&mut self, file: &mut S, reader: &Reader) -> Result<(), Error> {
        let at = reader.offset(self.start);
        write_all(file, at, &self.buffer).map_err(|why| Error::Io("write", why))?;
        self.buffer.clear();
        Ok(())
    }
}

/// The records of one commit on their way into pages.
struct Pack<'a> {
    pages: &'a Pages,
    writer: Writer,
    /// The shared page being filled.
    shared: Vec<u64>,
    number: u64,
}

impl<'a> Pack<'a> {
    fn new(pages: &'a Pages) -> Pack<'a> {
        let writer = Writer {
            buffer: Vec::new(),
            start: 0,
            sum: 0,
        };
        let shared = Vec::with_capacity(PAGE_WORDS);
        Pack {
            pages,
            writer,
            shared,
            number: 0,
        }
    }

    fn put<S: Storage>(
        &mut self,
        file: &mut S,
        reader: &Reader,
        spot: Spot,
        record: &[u64],
    ) -> Result<(), Error> {
        match spot {
            Spot::Small(number, word) => {
                if number != self.number {
                    self.close(file, reader)?;
                    self.number = number;
                }
                self.shared.resize(word - 2, 0);
                self.shared.extend_from_slice(record);
            }
            Spot::Big(i) => {
                let start = self.pages.big[i].start;
                for (page, words) in (start..).zip(record.chunks(PAGE_WORDS)) {
                    self.writer.push(file, reader, page, words)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the shared page.
    fn close<S: Storage>(&mut self, file: &mut S, reader: &Reader) -> Result<(), Error> {
        if !self.shared.is_empty() {
            self.shared[0] = self.shared.len() as u64;
            let page = self.pages.small_page(self.number).ok_or(Error::Full)?;
            self.writer.push(file, reader, page, &self.shared)?;
            self.shared.clear();
        }
        Ok(())
    }

    fn end<S: Storage>(mut self, file: &mut S, reader: &Reader) -> Result<u64, Error> {
        self.close(file, reader)?;
        self.writer.flush(file, reader)?;
        Ok(self.writer.sum)
    }
}

/// What was written ahead of a superblock.
struct Written {
    delta: Delta,
    pages: u64,
    map: Place,
    /// The free space of the new generation.
    next: Space,
}

impl<S: Storage> Store<S> {
    /// Makes `root` the committed value. When this returns, it and all it reaches is durable, and
    /// the source knows where.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Full`]: the old value is the committed one, and later commits
    /// may succeed unless [`Store::failed`]. [`Error::Damaged`]: something the value refers to.
    pub fn commit(&mut self, source: &mut dyn Source, root: Root) -> Result<Outcome, Error> {
        self.writable()?;
        if self.is_current(source, root) {
            // A value that mount found need not be durable yet.
            self.settle_mount()?;
            return Ok(Outcome::Unchanged);
        }
        let mut plan = self.plan(source, root)?;
        if let (Root::Pin(pin), 1) = (root, plan.order.len())
            && let Some(address) = self.same_record(source, pin, &plan)?
        {
            self.settle_mount()?;
            source.placed(pin, address);
            return Ok(Outcome::Unchanged);
        }
        self.settle_mount()?;
        let before = self.space.clone();
        let written = self.write_records(source, &mut plan, true);
        let written = written.inspect_err(|_| self.give_back(before.clone()))?;
        self.publish(root, &plan, &before, &written)?;
        self.precommitted.clear();
        tell(source, &plan);
        Ok(Outcome::Committed {
            pins: plan.order.len(),
            pages: written.pages,
        })
    }

    /// Stores a pin and all it reaches durably without making it the committed value. What no later
    /// commit reaches is gone after a restart.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    pub fn precommit(&mut self, source: &mut dyn Source, pin: u64) -> Result<u64, Error> {
        self.writable()?;
        let mut plan = self.plan(source, Root::Pin(pin))?;
        if !plan.order.is_empty() {
            self.settle_mount()?;
            let before = self.space.clone();
            let written = self.write_records(source, &mut plan, false);
            let written = written.inspect_err(|_| self.give_back(before.clone()))?;
            self.sync()?;
            if self.broken(Canary::PrecommitRoot) {
                self.publish(Root::Pin(pin), &plan, &before, &written)?;
            }
            tell(source, &plan);
        }
        let address = plan.known.get(pin).map(|stored| stored.place.address);
        let address = address.ok_or(Damage::Object)?;
        // What was stored before has been listed then, or something else keeps it.
        if !plan.order.is_empty() {
            self.precommitted.push(address);
        }
        Ok(address)
    }

    /// Notes that the committed value is durable, so that the next mount need not find out. To be
    /// called before the process ends; what goes wrong costs the next process time only.
    pub fn settle(&mut self) {
        let superblock = &self.current.superblock;
        let (sequence, superblock_crc) = (superblock.sequence, self.current.crc);
        let known = self
            .notes
            .filter(|notes| (notes.sequence, notes.superblock_crc) == (sequence, superblock_crc));
        let needless = sequence == 0 || known.is_some_and(|notes| notes.live == self.live);
        if self.writable().is_err() || self.unsettled || needless {
            return;
        }
        let notes = Notes {
            sequence,
            superblock_crc,
            map: known.map_or(Place::default(), |notes| notes.map),
            live: self.live,
        };
        if self.write_notes(notes).is_err() {
            self.notes = None;
        }
    }

    pub(super) fn write_notes(&mut self, notes: Notes) -> Result<(), Error> {
        let at = self.region + DATA;
        write_all(&mut self.file, at, &notes.encode()).map_err(|why| Error::Io("write", why))?;
        self.notes = Some(notes);
        Ok(())
    }

    /// Whether an earlier error keeps the store from writing anything more.
    pub fn failed(&self) -> bool {
        self.failed.is_some()
    }

    fn is_current(&self, source: &mut dyn Source, root: Root) -> bool {
        let current = &self.current.superblock;
        let same = match root {
            Root::Natural(n) => current.root == n,
            Root::Pin(pin) => {
                let stored = source.stored(pin);
                stored.is_some() && stored == address_of(current.root)
            }
        };
        same && current.sequence > 0
    }

    fn plan(&mut self, source: &mut dyn Source, root: Root) -> Result<Plan, Error> {
        self.reader.forget();
        self.reader.pages = self.space.end.max(self.current.superblock.pages);
        match root {
            Root::Natural(_) => Ok(Plan::default()),
            Root::Pin(pin) => Plan::new(source, pin, &mut self.reader, &mut self.file),
        }
    }

    /// The address of the committed value if the pin would become the same record there.
    fn same_record(
        &mut self,
        source: &mut dyn Source,
        pin: u64,
        plan: &Plan,
    ) -> Result<Option<u64>, Error> {
        let Some(address) = self.current.superblock.root_address() else {
            return Ok(None);
        };
        let mut object = Object::default();
        source.object(pin, &mut object)?;
        let mut record = Record::default();
        self.reader.record(&mut self.file, address, &mut record)?;
        if object.mega {
            // What else it lists depends on what was stored when it was made.
            let place = |pin| plan.known.get(pin).map(|stored| stored.place.address);
            let item = object
                .pins
                .iter()
                .find(|(at, _)| *at == 0)
                .and_then(|(_, pin)| place(*pin));
            let listed = record.payload().first().and_then(|word| address_of(*word));
            let same = record.is_mega() && item.is_some() && item == listed;
            return Ok(same.then_some(address));
        }
        let mut words = Vec::new();
        if record.total() == object.record_words() {
            let stored = |pin| plan.known.get(pin);
            encode(&object, address, &stored, &mut words).ok_or(Damage::Object)?;
        }
        let same = words.split_first() == Some((&record.crc, &record.words));
        Ok(same.then_some(address))
    }

    /// Overwrites a slot with zeros: no superblock.
    fn empty_slot(&mut self, slot: usize) -> Result<(), Errno> {
        // A variable, because a reference to the zeros themselves is a page of the executable.
        let zeros = [0; PAGE];
        let at = self.slot_offset(slot);
        write_all(&mut self.file, at, &zeros)
    }

    /// Makes sure that the current generation is durable and that nothing in the other slot could
    /// pass for a generation once its pages are written again.
    pub(super) fn settle_mount(&mut self) -> Result<(), Error> {
        if !self.unsettled {
            return Ok(());
        }
        if self.previous.is_none() {
            self.empty_slot(1 - self.slot)
                .map_err(|why| Error::Io("write", why))?;
        }
        self.sync()?;
        self.unsettled = false;
        Ok(())
    }

    /// Syncs; a failure is final.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        sync(&mut self.file).map_err(|why| {
            self.failed = Some(why);
            Error::Io("sync", why)
        })
    }

    /// Takes pages, writes all records of a plan, and the map of free space if this is a commit.
    fn write_records(
        &mut self,
        source: &mut dyn Source,
        plan: &mut Plan,
        is_commit: bool,
    ) -> Result<Written, Error> {
        let with_map = is_commit && !self.space.is_empty();
        let map_words = 2 + self.space.free.len() + self.space.retired.len();
        let map_spot = with_map.then(|| plan.placer.place(2 + map_words));
        let pages = self.take_pages(plan)?;
        // While pages are marked, the generation that was the previous one has to stay readable.
        let mut next = match self.born {
            Some(_) => self.space.clone(),
            None => self.space.advance(),
        };
        next.bound();
        let mut pack = Pack::new(&pages);
        let (mut object, mut record) = (Object::default(), Vec::new());
        for (pin, spot) in &plan.order {
            source.object(*pin, &mut object)?;
            let address = pages.address(*spot).ok_or(Error::Full)?;
            let stored = |pin| plan.known.get(pin);
            let placed = encode(&object, address, &stored, &mut record).ok_or(Damage::Object)?;
            plan.known.insert(*pin, placed);
            pack.put(&mut self.file, &self.reader, *spot, &record)?;
        }
        let mut map = Place::default();
        if let Some(spot) = map_spot {
            let payload = next.to_map(map_words);
            let crc = map_record(&payload, &mut record);
            let address = pages.address(spot).ok_or(Error::Full)?;
            map = Place { address, crc };
            pack.put(&mut self.file, &self.reader, spot, &record)?;
        }
        let sum = pack.end(&mut self.file, &self.reader)?;
        self.reader.forget();
        let all = pages.joined();
        self.length = self.length.max(self.reader.offset(self.space.end));
        if let Some(born) = &mut self.born {
            born.extend_from_slice(&all);
        }
        Ok(Written {
            pages: all.iter().map(|extent| extent.pages).sum(),
            delta: delta(&all, sum),
            map,
            next,
        })
    }

    fn take_pages(&mut self, plan: &Plan) -> Result<Pages, Error> {
        let mut pages = Pages::default();
        for count in &plan.placer.big {
            pages.big.push(self.space.take(*count).ok_or(Error::Full)?);
        }
        if plan.placer.small > 0 {
            let small = self.space.take_spread(plan.placer.small);
            pages.small = small.ok_or(Error::Full)?;
        }
        if self.space.end > self.most_pages {
            return Err(Error::Full);
        }
        self.reader.pages = self.space.end.max(self.current.superblock.pages);
        Ok(pages)
    }

    /// Undoes the taking of pages.
    fn give_back(&mut self, before: Space) {
        self.space = before;
        self.reader.forget();
    }

    /// Writes the superblock of the new generation and makes it the current one.
    fn publish(
        &mut self,
        root: Root,
        plan: &Plan,
        before: &Space,
        written: &Written,
    ) -> Result<(), Error> {
        let (root, root_crc) = match root {
            Root::Natural(n) => (n, super::crc::words(&[n])),
            Root::Pin(pin) => {
                let stored = plan.known.get(pin).ok_or(Damage::Object)?;
                (stored.reference(), stored.place.crc)
            }
        };
        let keep_map = self.broken(Canary::OldMap);
        let superblock = Superblock {
            sequence: self.newest + 1,
            root,
            root_crc,
            pages: written.next.end,
            build: self.options.build,
            map: if keep_map {
                self.current.superblock.map
            } else {
                written.map
            },
            delta: self.settle_delta(written)?,
        };
        let slot = 1 - self.slot;
        let slot = if self.broken(Canary::SameSlot) {
            1 - slot
        } else {
            slot
        };
        let (page, crc) = superblock.encode();
        let at = self.slot_offset(slot);
        if self.broken(Canary::EarlyNotes) {
            self.write_notes(Notes {
                sequence: superblock.sequence,
                superblock_crc: crc,
                ..Notes::default()
            })?;
        }
        let result = write_all(&mut self.file, at, &page).map_err(|why| Error::Io("write", why));
        if let Err(error) = result.and_then(|()| self.sync_superblock()) {
            self.failed = Some(error.errno());
            // Another process may find this page in memory though it never reached the disk.
            let _ = self.empty_slot(slot);
            return Err(error);
        }
        self.newest = superblock.sequence;
        self.slot = slot;
        let old = self.current;
        self.current = Generation { superblock, crc };
        self.previous = (old.superblock.sequence > 0).then_some(old);
        self.space = written.next.clone();
        self.tidy(before);
        Ok(())
    }

    fn sync_superblock(&mut self) -> Result<(), Error> {
        if self.broken(Canary::NoSync) {
            return Ok(());
        }
        self.sync()
    }

    /// What the superblock says about the data before it, which is made durable if mount is not to
    /// check it.
    fn settle_delta(&mut self, written: &Written) -> Result<Delta, Error> {
        let large = written.pages * PAGE as u64 > self.options.check_limit;
        let check = !self.options.two_syncs && !large && written.delta.count > 0;
        if check {
            return Ok(written.delta);
        }
        if written.pages > 0 && !self.broken(Canary::NoDataSync) {
            self.sync()?;
        }
        Ok(Delta::default())
    }

    /// Gives back what the last commit made free. Errors mean that space is not given back now.
    fn tidy(&mut self, before: &Space) {
        let freed = before.retired.iter().filter(|_| self.born.is_none());
        for extent in freed.copied().collect::<Vec<Extent>>() {
            let pages = extent
                .pages
                .min(self.space.end.saturating_sub(extent.start));
            self.punch(Extent { pages, ..extent });
        }
        let old = self.previous.map_or(FIRST_PAGE, |g| g.superblock.pages);
        let early = self.broken(Canary::EarlyTruncate);
        let end = if early { 0 } else { old }.max(self.space.end);
        let length = self.reader.offset(end);
        if length < self.length && self.file.truncate(length).is_ok() {
            self.length = length;
        }
        self.reader.forget();
    }

    /// Gives pages back to the file system, if it can.
    pub(super) fn punch(&mut self, extent: Extent) {
        if extent.pages > 0 {
            let at = self.reader.offset(extent.start);
            // The pages are free either way; holes only save space.
            let _ = self.file.punch(at, extent.pages * PAGE as u64);
        }
    }
}

/// The record of a map of free space, into `out`, and its checksum.
pub(super) fn map_record(payload: &[u64], out: &mut Vec<u64>) -> u32 {
    *out = vec![0, Header::new(Kind::Nat, payload.len()).bits()];
    out.extend_from_slice(payload);
    let crc = super::crc::words(&out[1..]);
    out[0] = u64::from(crc);
    crc
}

/// What mount has to check; none when there are too many extents.
fn delta(extents: &[Extent], sum: u64) -> Delta {
    let mut delta = Delta {
        sum,
        ..Delta::default()
    };
    for extent in extents {
        if delta.add(*extent).is_none() {
            return Delta::default();
        }
    }
    delta
}

fn tell(source: &mut dyn Source, plan: &Plan) {
    for (pin, _) in &plan.order {
        if let Some(Stored { place, .. }) = plan.known.get(*pin) {
            source.placed(*pin, place.address);
        }
    }
}
