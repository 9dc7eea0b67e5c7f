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
//! - making holes ends before a collection that is due, so that the file does not grow meanwhile;
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
use crate::heap::store::format::{Extent, PAGE, page_of};
use crate::heap::store::space::{join, subtract};
use crate::heap::store::{Error, FileStorage, Marking};
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

/// Bytes of one hole, 4 MiB, and how many times as long as one takes nothing is done after it.
const PIECE: u64 = 4 << 20;
const PAUSE: u64 = 4;
/// Nanoseconds of the longest such pause.
const LONGEST: u64 = 20_000_000;

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

/// Makes holes of these pages of a file with page 0 at `data`, a piece at a time: while one is being made
/// nobody can write to the file, so most of the time is left to commits. When somebody waits for the end
/// it goes on without a pause.
#[inline(never)]
fn give_back(file: &FileStorage, data: u64, pages: &[Extent], until: &AtomicU64) {
    for extent in pages {
        let end = data + extent.end() * PAGE as u64;
        let mut at = data + extent.start * PAGE as u64;
        loop {
            let begun = now();
            if begun >= until.load(Relaxed) {
                return;
            }
            match file.punch_next(at, end, PIECE) {
                Some(next) => at = next,
                None => break,
            }
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
        if worth_it && matches!(self.collecting, Collecting::Punching(_)) {
            // What it finds is needed more: a file that grows meanwhile has more to be given back.
            self.until.store(0, Relaxed);
        }
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
        let due = self.wanted || self.store.is_due();
        let holes = matches!(self.collecting, Collecting::Punching(_));
        match wait {
            Wait::No => {}
            Wait::Bounded if due && holes => self.until.store(0, Relaxed),
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
            let thread = spawn(STACK_BYTES, move || give_back(&file, data, &pages, &until));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::region::window::Window;
    use crate::heap::store::{Options, Store};
    use crate::os::file;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    /// An empty file of this length, which the test removes.
    fn scratch(name: &str, len: usize) -> (PathBuf, FileStorage) {
        let path = std::env::temp_dir().join(format!("plan-{name}-{}", std::process::id()));
        std::fs::write(&path, vec![1; len]).expect("a scratch file");
        let file = file::open_both(path.as_os_str().as_bytes()).expect("it is there");
        (
            path,
            FileStorage::new(file, true).expect("nobody else has it"),
        )
    }

    #[test]
    fn holes_are_made_of_what_is_none_and_of_nothing_else() {
        let data = 3 * PAGE as u64;
        let (path, file) = scratch("holes", 12 << 20);
        let blocks = || std::fs::metadata(&path).expect("it is there").blocks();
        let all = blocks();
        let pages = [(1, 1), (5, 1025), (2000, 3)].map(|(start, pages)| Extent { start, pages });
        give_back(&file, data, &pages, &AtomicU64::new(0));
        assert_eq!(blocks(), all, "no time was left");
        give_back(&file, data, &pages, &AtomicU64::new(u64::MAX));
        let bytes = std::fs::read(&path).expect("it is there");
        for (page, bytes) in bytes.chunks(PAGE).enumerate() {
            let page = (page as u64).wrapping_sub(3);
            let hole = pages
                .iter()
                .any(|run| (run.start..run.end()).contains(&page));
            assert!(bytes.iter().all(|byte| *byte == u8::from(!hole)), "{page}");
        }
        if blocks() < all {
            // Where the system knows holes none is made again.
            let start = data + pages[1].start * PAGE as u64;
            let end = data + pages[1].end() * PAGE as u64;
            assert_eq!(file.punch_next(start, end, u64::MAX), None);
            assert_eq!(file.punch_next(start, end + 9, u64::MAX), Some(end + 9));
        }
        std::fs::remove_file(path).expect("it was there");
    }

    #[test]
    fn a_collection_that_is_due_ends_the_making_of_holes() {
        let (path, file) = scratch("due", 0);
        let store = Store::create(file, 0, Options::default()).expect("a store");
        let mut region = Region::over(store, Window::none());
        let mut arena = Arena::new().expect("memory");
        let until = region.until.clone();
        let thread = spawn(STACK_BYTES, move || {
            while until.load(Relaxed) != 0 {
                std::thread::yield_now();
            }
        });
        region.collecting = Collecting::Punching(thread.expect("a thread"));
        assert!(!region.begin_collection(&mut arena, true));
        while !matches!(region.collecting, Collecting::Idle) {
            // Who waits for what is due does not have to wait for holes either.
            region.go_on(&mut arena, Wait::Bounded);
        }
        // What was asked for meanwhile begins now, and has all the time again.
        assert!(region.begin_collection(&mut arena, false));
        assert_eq!(region.until.load(Relaxed), u64::MAX);
        std::fs::remove_file(path).expect("it was there");
    }
}
