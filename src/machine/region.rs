//! Committing values of a machine, and going on from one.
//!
//! Invariants:
//! - what is committed is in normal form, and a pin made for the purpose, but for naturals below 2^63;
//! - nothing collects between the making of that pin and its being stored.
//!
//! Safety: as in `embed`; references into the region are followed only while it is mapped.
#![allow(unsafe_code)]

use super::Machine;
use super::embed::Stop;
use super::op::{Args, Fault, FaultKind};
use crate::heap::region::{Region, Wait, commit_unmapped};
use crate::heap::store::{Error, FileStorage, Store};
use crate::os::Errno;
use crate::value::{MAX_DIRECT, Value};
use alloc::boxed::Box;

/// Why a value could not be committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitError {
    /// Its evaluation or the lack of memory; see [`Stop`].
    Stopped(Stop),
    /// The store.
    Store(Error),
}

impl Machine {
    /// Forces the topmost value and makes it the committed one of a store that is not mapped: the
    /// value in memory stays as it is.
    ///
    /// # Errors
    /// See [`CommitError`].
    #[cold]
    #[inline(never)]
    pub fn commit_top(&mut self, store: &mut Store<FileStorage>) -> Result<(), CommitError> {
        self.force_top().map_err(CommitError::Stopped)?;
        let root = self.root_of(self.top_args());
        let root = root.map_err(|fault| CommitError::Stopped(self.stop(fault)))?;
        commit_unmapped(store, root).map_err(CommitError::Store)
    }

    /// Gives the machine a region, for good: Commit and Precommit write there from now on. Pushes the
    /// committed value.
    #[cold]
    #[inline(never)]
    pub fn attach(&mut self, region: Region) {
        self.push(region.committed());
        self.region = Some(Box::new(region));
    }

    /// Leaves the region as the next process wants to find it; to be called before this one ends. A
    /// collection that has begun is finished if that takes no longer than what it is granted: programs
    /// that run for a moment only would never get that far. Why one came to nothing, if one did.
    #[cold]
    #[inline(never)]
    pub fn settle_region(&mut self) -> Option<Error> {
        self.rest();
        self.region.as_mut()?.settle()
    }

    /// What Commit does: operand 0, which is in normal form, becomes the committed value. The result
    /// lies in the region.
    ///
    /// # Errors
    /// The VM errors `io` and `limit`; the committed value is the old one then.
    #[cold]
    #[inline(never)]
    pub fn commit(&mut self, a: Args) -> Result<Value, Fault> {
        if self.region.is_none() {
            return Ok(a.get(0));
        }
        let mut result = self.try_commit(a)?;
        if self.has_made_room(result) {
            result = self.try_commit(a)?;
        }
        result.map_err(io)?;
        self.collect_region(false);
        Ok(a.get(0))
    }

    /// One attempt of [`Machine::commit`].
    fn try_commit(&mut self, a: Args) -> Result<Result<(), Error>, Fault> {
        let root = self.root_of(a)?;
        let Some(region) = &mut self.region else {
            return Ok(Ok(()));
        };
        let result = region.commit(root);
        if result.is_ok() {
            a.set(0, region.committed());
        }
        Ok(result)
    }

    /// What Precommit does: operand 0, which is in normal form, is stored if it is a pin.
    ///
    /// # Errors
    /// The VM error `io`.
    #[cold]
    #[inline(never)]
    pub fn precommit(&mut self, a: Args) -> Result<Value, Fault> {
        if self.region.is_some() && a.get(0).is_pin() {
            let mut result = self.try_precommit(a);
            if self.has_made_room(result) {
                result = self.try_precommit(a);
            }
            result.map_err(io)?;
            self.collect_region(false);
        }
        Ok(a.get(0))
    }

    /// One attempt of [`Machine::precommit`].
    fn try_precommit(&mut self, a: Args) -> Result<(), Error> {
        if let Some(region) = &mut self.region {
            a.set(0, region.precommit(a.get(0))?);
        }
        Ok(())
    }

    /// Whether a commit failed for lack of space and some could be made since. What is not needed any
    /// more would otherwise stay, because nothing is taken any more and no collection gets due.
    #[inline(never)]
    fn has_made_room(&mut self, result: Result<(), Error>) -> bool {
        let why = result.map_or_else(Error::errno, |()| Errno::EIO);
        if !matches!(why, Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG) {
            return false;
        }
        self.end_collection(Wait::Unbounded);
        let region = self.region.as_ref();
        if region.is_some_and(|region| region.has_garbage()) {
            self.collect_region(true);
            self.end_collection(Wait::Unbounded);
        }
        let region = self.region.as_mut();
        region.is_some_and(|region| region.release_free())
    }

    /// Waits for the end of the collection of the region that is going on.
    fn end_collection(&mut self, wait: Wait) {
        // Without memory it comes to nothing.
        let _ = self.collect_for(0);
        self.arena.wait();
        self.tend_region(wait);
    }

    /// Collects the region if it is time, or if that is `wanted`; if it has been for long, until the end.
    #[cold]
    #[inline(never)]
    pub(super) fn collect_region(&mut self, wanted: bool) {
        let Some(region) = &mut self.region else {
            return;
        };
        region.go_on(&mut self.arena, Wait::No);
        if region.begin_collection(&mut self.arena, wanted) {
            // Without memory the roots are given after the next collection that succeeds.
            let _ = self.collect_for(0);
        }
        let region = self.region.as_ref();
        if region.is_some_and(|region| region.is_late()) {
            self.end_collection(Wait::Bounded);
        }
    }

    /// Goes on with a collection of the region.
    #[cold]
    #[inline(never)]
    pub(super) fn tend_region(&mut self, wait: Wait) {
        if let Some(region) = &mut self.region {
            region.go_on(&mut self.arena, wait);
        }
    }

    /// Operand 0, a value in normal form, as a superblock can name it: a natural below 2^63, or a pin
    /// of it.
    fn root_of(&mut self, a: Args) -> Result<Value, Fault> {
        let v = a.get(0);
        let small = v.is_nat().then(|| v.small()).flatten();
        match small {
            Some(n) if n <= MAX_DIRECT => Ok(Value::direct(n)),
            _ => self.build_pin(a),
        }
    }

    /// If the collector of the arena wants roots: lets all references of this machine to pins that
    /// have been stored refer to the stored copies, so that the originals can go. To be done right
    /// after a collection of the moving heap.
    #[cold]
    #[inline(never)]
    pub(super) fn follow_redirections(&mut self) {
        let Some(region) = &mut self.region else {
            return;
        };
        if !self.arena.wants_roots() || !region.take_redirected() {
            return;
        }
        let base = self.stack.base();
        // SAFETY: as in `Machine::roots`.
        let stack =
            unsafe { core::slice::from_raw_parts_mut(base, self.sp.offset_from_unsigned(base)) };
        let arena = &self.arena;
        for v in stack.iter_mut().chain(&mut self.registers) {
            *v = arena.latest(*v);
        }
        self.heap
            .for_each_reference(|v| v.set(arena.latest(v.get())));
        arena.move_codes();
    }
}

/// The VM error for an error of the store.
fn io(error: Error) -> Fault {
    Fault::new(FaultKind::Io, error.errno().code())
}

#[cfg(test)]
mod tests;
