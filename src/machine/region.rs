//! Committing values of a machine to a store.
//!
//! Invariants:
//! - what is committed is in normal form, and a pin made for the purpose, but for naturals below 2^63;
//! - nothing collects between the making of that pin and its being stored.
//!
//! Safety: as in `embed`.
#![allow(unsafe_code)]

use super::Machine;
use super::embed::Stop;
use super::op::{Args, Fault};
use crate::heap::pins::Memory;
use crate::heap::store::{self, FileStorage, Root, Store};
use crate::value::MAX_DIRECT;

/// Why a value could not be committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitError {
    /// Its evaluation or the lack of memory; see [`Stop`].
    Stopped(Stop),
    /// The store.
    Store(store::Error),
}

impl Machine {
    /// Forces the topmost value and makes it the committed one of a store that is not mapped: the
    /// value in memory stays as it is.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit_top(&mut self, store: &mut Store<FileStorage>) -> Result<(), CommitError> {
        self.force_top().map_err(CommitError::Stopped)?;
        let root = self.root_of(self.top_args());
        let root = root.map_err(|fault| CommitError::Stopped(self.stop(fault)))?;
        let committed = store.commit(&mut Memory { mapped: false }, root);
        committed.map(drop).map_err(CommitError::Store)
    }

    /// What stands in a superblock for operand 0, a value in normal form.
    fn root_of(&mut self, a: Args) -> Result<Root, Fault> {
        let v = a.get(0);
        if v.is_nat()
            && let Some(n @ 0..=MAX_DIRECT) = v.small()
        {
            return Ok(Root::Natural(n));
        }
        let pin = self.build_pin(a)?;
        Ok(Root::Pin(pin.address() as u64))
    }
}

#[cfg(test)]
mod tests;
