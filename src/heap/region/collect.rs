//! Collecting the region while the program goes on (chapter 05 §5.11, OC-1 to OC-4).
//!
//! ```text
//!   Idle ─ enough pages taken ─▶ Roots ─ the arena is marked ─▶ Marking ─ all records met ─▶ Idle
//!          begin_holding,        roots and pins: which          a thread of its own         pages given back,
//!          announce              records memory refers to       reads the file              forgotten
//! ```
//!
//! Invariants:
//! - from `announce` on what is written counts as live, so what memory referred to then is enough;
//! - whatever happens to pages happens on the thread of the machine: between two steps nothing moves;
//! - a page given back has no private copy in the window and no compiled code.

use super::Region;
use super::memory::in_window;
use crate::heap::arena::Arena;
use crate::heap::store::format::page_of;
use crate::heap::store::space::join;
use crate::heap::store::{Error, FileStorage, Marking};
use crate::os::Errno;
use crate::os::offspring::Offspring;
use crate::sync::thread::STACK_BYTES;
use crate::sync::{JoinHandle, spawn};
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

/// Records marked between two looks whether the process ends.
const STRIDE: usize = 1 << 10;

/// What marking needs more than there is.
const OUT_OF_MEMORY: Error = Error::Io("collect", Errno::ENOMEM);

/// How far a collection is.
pub(super) enum Collecting {
    /// None is going on.
    Idle,
    /// The references in memory are being gathered.
    Roots,
    /// Pages are being marked.
    Marking(JoinHandle<Result<Marking, Error>>),
}

/// Marks to the end, unless told to stop, with a file of its own.
#[inline(never)]
fn mark(mut marking: Marking, mut file: FileStorage, stop: &AtomicBool) -> Result<Marking, Error> {
    while !stop.load(Relaxed) && !marking.step(&mut file, STRIDE)? {}
    Ok(marking)
}

impl Region {
    /// Begins a collection if that is `wanted` or it is time, and the arena has none; then the machine
    /// has to give its roots.
    #[inline(never)]
    pub fn begin_collection(&mut self, arena: &mut Arena, wanted: bool) -> bool {
        let idle = matches!(self.collecting, Collecting::Idle);
        let worth_it = wanted || self.store.is_due();
        if !idle || !worth_it || self.ours().is_err() || !arena.begin_holding() {
            return false;
        }
        self.store.announce();
        self.collecting = Collecting::Roots;
        true
    }

    /// Goes on with the collection as far as that takes no waiting; `wait`: until it needs something of
    /// the machine.
    #[inline(never)]
    pub fn go_on(&mut self, arena: &mut Arena, wait: bool) {
        if matches!(self.collecting, Collecting::Idle) || !self.ours {
            return;
        }
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
        let ready = |thread: &JoinHandle<_>| wait || thread.is_finished();
        match core::mem::replace(&mut self.collecting, Collecting::Idle) {
            Collecting::Marking(thread) if ready(&thread) => {
                let finished = thread
                    .join()
                    .and_then(|marking| self.finish(marking, arena));
                finished.unwrap_or_else(|why| self.give_up(why));
            }
            other => self.collecting = other,
        }
    }

    /// Marks on a thread of its own, or here and now where there is none.
    fn begin_marking(&mut self, held: &[u64], arena: &mut Arena) -> Result<Collecting, Error> {
        let marking = self.store.begin_marking(held)?;
        let (file, stop) = (self.store.storage().beside()?, self.stop.clone());
        let thread = spawn(STACK_BYTES, move || mark(marking, file, &stop));
        if let Ok(thread) = thread {
            return Ok(Collecting::Marking(thread));
        }
        let marking = self.store.begin_marking(held)?;
        let marking = mark(marking, self.store.storage().beside()?, &self.stop)?;
        self.finish(marking, arena)?;
        Ok(Collecting::Idle)
    }

    /// Gives back what was not marked. Only the previous generation reaches what is retired, so
    /// nothing in memory does; what was in use at a fork is kept for the child. Pages that are free
    /// although that could not be recorded will be used again like all others, so they are forgotten, too.
    fn finish(&mut self, marking: Marking, arena: &mut Arena) -> Result<(), Error> {
        let is_there = |offspring: &Option<Offspring>| match offspring {
            Some(offspring) => offspring.is_there(),
            None => true,
        };
        self.lent.retain(|(offspring, _)| is_there(offspring));
        for (_, pages) in &self.lent {
            self.store.keep(pages);
        }
        let finished = self.store.finish(marking);
        let space = self.store.space();
        let mut gone = [&space.free[..], &space.retired[..]].concat();
        join(&mut gone);
        for extent in &gone {
            self.window.forget(*extent);
        }
        arena.free_codes(|owner| {
            let page = page_of(owner);
            let after = gone.partition_point(|extent| extent.start <= page);
            in_window(owner) && after > 0 && page < gone[after - 1].end()
        });
        finished.map(drop)
    }

    fn give_up(&mut self, why: Error) {
        self.store.abandon();
        self.problem = Some(why);
    }
}
