//! Collecting the region while the program goes on (chapter 05 §5.11, OC-1 to OC-4).
//!
//! ```text
//!   Idle ─ enough pages taken ─▶ Roots ─ the arena is marked ─▶ Marking ─ all records met ─▶ Idle
//!    ▲     begin_holding,        roots and pins: which          a thread of its own          │ pages free,
//!    │     announce              records memory refers to       reads the file               │ forgotten
//!    └──────────────── Punching, on a thread of its own ◀─ more of them than are worth keeping ┘
//! ```
//!
//! Invariants:
//! - from `announce` on what is written counts as live, so what memory referred to then is enough;
//! - what is waited for has an end, but for lack of space: a collection that takes longer is given
//!   up, and the next one is due when twice as many pages are in use. It is granted twice the time,
//!   while what has to be marked stays the same, so that in the end one will be finished, however
//!   slow the disk;
//! - whatever happens to pages happens on the thread of the machine: between two steps nothing moves;
//! - a free page has no private copy in the window and no compiled code.

use super::Region;
use super::memory::in_window;
use crate::heap::arena::Arena;
use crate::heap::now;
use crate::heap::store::format::{Extent, page_of};
use crate::heap::store::space::{join, subtract};
use crate::heap::store::{Error, FileStorage, Marking, punch};
use crate::os::Errno;
use crate::os::clock;
use crate::os::offspring::Offspring;
use crate::sync::thread::STACK_BYTES;
use crate::sync::{JoinHandle, spawn};
use alloc::vec::Vec;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

/// Nanoseconds that whoever waits for a collection grants it: so many at least, and so many for each
/// page in use: a second for each GiB, which a program took longer to write.
const PATIENCE: [u64; 2] = [100_000_000, 4_000];

/// Pages of one hole, 4 MiB, and how many times as long as one takes nothing is done after it.
const PIECE: u64 = 1024;
const PAUSE: u64 = 4;
/// Nanoseconds of the longest such pause.
const LONGEST: u64 = 100_000_000;

/// How long whoever goes on with a collection waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Not at all.
    No,
    /// Until it needs something of the machine, or has taken too long.
    Bounded,
    /// Until it needs something of the machine: there is no space without it.
    Unbounded,
}

/// What marking needs more than there is.
const OUT_OF_MEMORY: Error = Error::Io("collect", Errno::ENOMEM);

/// How far a collection is.
pub(super) enum Collecting {
    /// None is going on.
    Idle,
    /// The references in memory are being gathered.
    Roots,
    /// Pages are being marked.
    Marking(JoinHandle<Marked>),
    /// Free pages are being given back to the file system.
    Punching(JoinHandle<()>),
}

/// All that was to be marked; none if the time did not suffice.
type Marked = Result<Option<Marking>, Error>;

/// Marks with a file of its own.
#[inline(never)]
fn mark(mut marking: Marking, mut file: FileStorage, until: &AtomicU64) -> Marked {
    let all = marking.run(&mut file, until)?;
    Ok(all.then_some(marking))
}

/// Makes holes of these pages, a piece at a time: while one is being made nobody can write to the file,
/// so most of the time is left to commits. When somebody waits for the end it goes on without a pause.
#[inline(never)]
fn give_back(mut file: FileStorage, data: u64, pages: &[Extent], until: &AtomicU64) {
    for extent in pages {
        let mut start = extent.start;
        while start < extent.end() {
            let begun = now();
            if begun >= until.load(Relaxed) {
                return;
            }
            let pages = PIECE.min(extent.end() - start);
            punch(&mut file, data, &[Extent { start, pages }]);
            start += pages;
            if until.load(Relaxed) == u64::MAX {
                clock::sleep((PAUSE * (now() - begun)).min(LONGEST));
            }
        }
    }
}

impl Region {
    /// Begins a collection if that is `wanted` or it is time, and the arena has none; then the machine
    /// has to give its roots. One that cannot begin because another one is going on, which may have seen
    /// what is garbage by now, begins when this is called again after that.
    #[inline(never)]
    pub fn begin_collection(&mut self, arena: &mut Arena, wanted: bool) -> bool {
        let idle = matches!(self.collecting, Collecting::Idle);
        self.wanted |= wanted;
        let worth_it = self.wanted || self.store.is_due();
        if !idle || !worth_it || self.ours().is_err() || !arena.begin_holding() {
            return false;
        }
        self.wanted = false;
        self.store.announce();
        self.until.store(u64::MAX, Relaxed);
        self.collecting = Collecting::Roots;
        true
    }

    /// Goes on with the collection as far as that takes no waiting, or waits.
    #[inline(never)]
    pub fn go_on(&mut self, arena: &mut Arena, wait: Wait) {
        if matches!(self.collecting, Collecting::Idle) || !self.ours {
            return;
        }
        let [least, page] = PATIENCE;
        let patience = least + page.saturating_mul(self.store.used());
        match wait {
            Wait::No => {}
            Wait::Bounded => self.until.store(now().saturating_add(patience), Relaxed),
            // Without pauses.
            Wait::Unbounded => self.until.store(u64::MAX - 1, Relaxed),
        }
        let wait = wait != Wait::No;
        if matches!(self.collecting, Collecting::Roots)
            && let Some(held) = arena.take_held()
        {
            let begun = held.ok_or(OUT_OF_MEMORY);
            let begun = begun.and_then(|held| self.begin_marking(&held, arena));
            self.collecting = Collecting::Idle;
            match begun {
                Ok(thread) => self.collecting = thread,
                Err(why) => self.give_up(why),
            }
        }
        match core::mem::replace(&mut self.collecting, Collecting::Idle) {
            Collecting::Marking(thread) if wait || thread.is_finished() => {
                let marked = thread.join();
                self.end(marked, arena);
            }
            other => self.collecting = other,
        }
        match core::mem::replace(&mut self.collecting, Collecting::Idle) {
            Collecting::Punching(thread) if wait || thread.is_finished() => {
                thread.join();
                self.store.take_back();
            }
            other => self.collecting = other,
        }
    }

    /// Marks on a thread of its own, or here and now where there is none.
    fn begin_marking(&mut self, held: &[u64], arena: &mut Arena) -> Result<Collecting, Error> {
        let marking = self.store.begin_marking(held)?;
        let (file, until) = (self.store.storage().beside()?, self.until.clone());
        let thread = spawn(STACK_BYTES, move || mark(marking, file, &until));
        if let Ok(thread) = thread {
            return Ok(Collecting::Marking(thread));
        }
        let marking = self.store.begin_marking(held)?;
        let marked = mark(marking, self.store.storage().beside()?, &self.until);
        self.end(marked, arena);
        Ok(core::mem::replace(&mut self.collecting, Collecting::Idle))
    }

    fn end(&mut self, marked: Marked, arena: &mut Arena) {
        match marked {
            Ok(None) => self.store.abandon(),
            Ok(Some(marking)) => {
                let finished = self.finish(marking, arena);
                finished.unwrap_or_else(|why| self.give_up(why));
            }
            Err(why) => self.give_up(why),
        }
    }

    /// Takes what was not marked for free, and lets a thread give back what is too much of it. Only the
    /// previous generation reaches what is retired, so nothing in memory does; what was in use at a
    /// fork is kept for the child. Pages that are free although that could not be recorded will be
    /// used again like all others, so they are forgotten, too.
    fn finish(&mut self, marking: Marking, arena: &mut Arena) -> Result<(), Error> {
        let is_there = |offspring: &Option<Offspring>| match offspring {
            Some(offspring) => offspring.is_there(),
            None => true,
        };
        self.lent.retain(|(offspring, _)| is_there(offspring));
        for (_, pages) in &self.lent {
            self.store.keep(pages);
        }
        let before = self.unused();
        let finished = self.store.finish(marking);
        let gone = subtract(&self.unused(), &before);
        for extent in &gone {
            self.window.forget(*extent);
        }
        arena.free_codes(|owner| {
            let page = page_of(owner);
            let after = gone.partition_point(|extent| extent.start <= page);
            in_window(owner) && after > 0 && page < gone[after - 1].end()
        });
        finished.and_then(|_| self.punch())
    }

    /// Pages that nothing in memory refers to.
    fn unused(&self) -> Vec<Extent> {
        let space = self.store.space();
        let mut unused = [&space.free[..], &space.retired, self.store.leaving()].concat();
        join(&mut unused);
        unused
    }

    /// Gives free pages back to the file system on a thread of its own: for each hole that takes as long
    /// as several commits.
    fn punch(&mut self) -> Result<(), Error> {
        let (pages, data) = (self.store.leaving().to_vec(), self.store.data());
        if !pages.is_empty() {
            let file = self.store.storage().beside()?;
            let until = self.until.clone();
            let thread = spawn(STACK_BYTES, move || give_back(file, data, &pages, &until));
            match thread {
                Ok(thread) => self.collecting = Collecting::Punching(thread),
                // Then the pages stay in the file.
                Err(_) => self.store.take_back(),
            }
        }
        Ok(())
    }

    fn give_up(&mut self, why: Error) {
        self.store.abandon();
        self.problem = Some(why);
    }
}
