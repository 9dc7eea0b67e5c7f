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

use super::crc::Sum;
use super::error::{Damage, Error};
use super::format::{BASE, DATA, Delta, Extent, FIRST_PAGE, Notes, PAGE, Place, Superblock};
use super::format::{address_of, page_of};
use super::gather::{Pages, Plan, Source};
use super::object::{Object, Stored, encode};
use super::space::{Space, count};
use super::storage::{Storage, sync, write_all};
use super::write::{Pack, Target};
use super::{Canary, Generation, Store};
use crate::os::Errno;
use crate::value::{Header, Kind};
use alloc::vec;
use alloc::vec::Vec;

/// Commits after which a process extends the file ahead.
const STEADY: u64 = 8;
/// Pages by which it does so first.
const AHEAD: u64 = 16;

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
        self.publish(root, &plan, &written)?;
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
                self.publish(Root::Pin(pin), &plan, &written)?;
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
        if self.commits >= STEADY && self.writable().is_ok() {
            self.cut(0);
        }
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
        let (crc, header) = self.reader.head(&mut self.file, address)?;
        if object.mega {
            // What else it lists depends on what was stored when it was made.
            let place = |pin| plan.known.get(pin).map(|stored| stored.place.address);
            let item = object
                .pins
                .iter()
                .find(|(at, _)| *at == 0)
                .and_then(|(_, pin)| place(*pin));
            let page = self.reader.page(&mut self.file, page_of(address))?;
            let listed = address_of(page[(address - BASE) as usize % PAGE / 8]);
            let mega = Header::from_bits(header).is(Kind::Megapin);
            return Ok((mega && item.is_some() && item == listed).then_some(address));
        }
        if 2 + (header >> 14) != object.record_words() as u64 {
            return Ok(None);
        }
        let mut words = Vec::new();
        let stored = |pin| plan.known.get(pin);
        encode(&object, address, &stored, &mut words).ok_or(Damage::Object)?;
        let parts = [&words[1..], source.tail(pin, object.tail)];
        let same = self.reader.holds(&mut self.file, address - 8, parts)?
            && crc == u64::from(Sum::EMPTY.then(parts[0]).then(parts[1]).end());
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
        let with_map = is_commit && !(self.space.is_empty() && self.leaving.is_empty());
        let lists = self.space.free.len() + self.space.retired.len();
        let map_words = 2 + lists + self.leaving.len();
        let map_spot = with_map.then(|| plan.placer.place(2 + map_words));
        let pages = self.take_pages(plan)?;
        // While pages are marked, the generation that was the previous one has to stay readable.
        let mut next = match self.born {
            Some(_) => self.space.clone(),
            None => self.space.advance(),
        };
        next.bound();
        let mut pack = Pack::new(&pages, core::mem::take(&mut self.stage));
        let target = &mut Target {
            file: &mut self.file,
            reader: &self.reader,
        };
        let (mut object, mut record) = (Object::default(), Vec::new());
        for (pin, spot) in &plan.order {
            source.object(*pin, &mut object)?;
            let address = pages.address(*spot).ok_or(Error::Full)?;
            let stored = |pin| plan.known.get(pin);
            let placed = encode(&object, address, &stored, &mut record);
            let mut placed = placed.ok_or(Damage::Object)?;
            let tail = source.tail(*pin, object.tail);
            placed.place.crc = pack.put(target, *spot, &mut record, tail)?;
            plan.known.insert(*pin, placed);
        }
        let mut map = Place::default();
        if let Some(spot) = map_spot {
            let mut known = next.clone();
            known.give(&self.leaving);
            let payload = known.to_map(map_words);
            map_record(&payload, &mut record);
            let address = pages.address(spot).ok_or(Error::Full)?;
            let crc = pack.put(target, spot, &mut record, &[])?;
            map = Place { address, crc };
        }
        let grows = self.length < self.reader.offset(self.space.end);
        let grows = grows && pack.ends_at(self.space.end);
        let ahead = if grows { self.extend(&pages) } else { 0 };
        let target = &mut Target {
            file: &mut self.file,
            reader: &self.reader,
        };
        let (sum, stage, extended) = pack.end(target, ahead)?;
        self.stage = stage;
        self.stage.clear();
        if !extended {
            // The space is needed: what there may be of it is cut off.
            (self.ahead, self.options.ahead) = (0, 0);
        }
        self.reader.forget();
        let all = pages.joined();
        let end = self.reader.offset(self.space.end + ahead);
        self.length = self.length.max(end);
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

    /// Undoes the taking of pages. What was written behind the end takes space, which may be what is
    /// missing.
    fn give_back(&mut self, before: Space) {
        // It is as long as before, or nobody minds.
        let _ = self.file.truncate(self.length);
        self.space = before;
        self.reader.forget();
    }

    /// Writes the superblock of the new generation and makes it the current one.
    fn publish(&mut self, root: Root, plan: &Plan, written: &Written) -> Result<(), Error> {
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
        self.commits += 1;
        self.since = self.since.saturating_add(1);
        self.tidy();
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
    fn tidy(&mut self) {
        // What a process that goes on committing has let go of at the end it will need again.
        let steady = self.commits >= STEADY && self.options.ahead > 0;
        let most = if steady {
            self.options.keep.max(self.space.end / 2)
        } else {
            0
        };
        self.cut(most.max(self.ahead));
        self.reader.forget();
    }

    /// Cuts off what lies behind everything in use, if that is more than so many pages.
    pub(super) fn cut(&mut self, most: u64) {
        let old = self.previous.map_or(FIRST_PAGE, |g| g.superblock.pages);
        let early = self.broken(Canary::EarlyTruncate);
        let (old, most) = if early { (0, 0) } else { (old, most) };
        let end = old.max(self.space.end);
        let length = self.reader.offset(end);
        if self.reader.offset(end + most) < self.length && self.file.truncate(length).is_ok() {
            self.length = length;
        }
    }

    /// How many pages to extend the file ahead now that it grows for a commit of these pages: none
    /// before a process has shown that it goes on committing, then more each time. A commit that writes
    /// over pages the file has already makes neither a length nor blocks durable, which halves the time
    /// of its sync; one that would need most of what is ahead gains less than the zeros cost.
    fn extend(&mut self, pages: &Pages) -> u64 {
        if self.commits < STEADY {
            return 0;
        }
        let most = self.options.ahead.min(self.space.end / 4);
        self.ahead = (2 * self.ahead).max(AHEAD).min(most);
        if 4 * count(&pages.joined()) > self.ahead {
            return 0;
        }
        self.ahead
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
