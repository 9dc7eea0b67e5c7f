//! Generation 3: the persistence region, where committed values live (chapter 05 §5).
//!
//! - [`format`]: the bytes, as docs/image-format.md describes them; [`crc`]: their checksums;
//! - [`storage`]: what a file has to do; [`file`]: a real one;
//! - [`object`]: pins as records; [`read`]: reading them; [`space`]: free pages;
//! - `mount`, `gather`, `commit`, `write`, `collect`: the algorithms; [`walk`]: following references,
//!   scrub.
//!
//! Invariants:
//! - after a crash at any moment, with any part of what was not synced on disk, mount finds the last
//!   acknowledged value or the one that was being committed;
//! - nothing that either superblock reaches is overwritten, punched or cut off;
//! - a superblock is written only to the slot that does not hold the current generation;
//! - after a failed sync, or a failed write of a superblock, nothing is written any more;
//! - no recursion: paths through the graph are lists.

mod bytes;
mod collect;
mod commit;
pub mod crc;
mod error;
pub mod file;
pub mod format;
mod gather;
mod mount;
pub mod object;
pub mod read;
pub mod space;
pub mod storage;
pub mod walk;
mod write;

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;

pub use collect::{Collected, Marking, punch};
pub use commit::{Outcome, Root};
pub use error::{Damage, Error};
pub use file::FileStorage;
pub use gather::Source;
pub use mount::Mounted;
pub use storage::Storage;

use crate::os::Errno;
use crate::os::image::BUILD;
use alloc::vec::Vec;
use format::{Extent, Notes, PAGE, Superblock};
use read::Reader;
use space::Space;

/// How a store is to work.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Make data durable before the superblock is written, with a sync of its own. Otherwise one
    /// sync does for both, and mount tells by a checksum whether the data is all there.
    pub two_syncs: bool,
    /// The most bytes mount may have to read to tell, and the largest root it checks. A commit that
    /// writes more makes its data durable first.
    pub check_limit: u64,
    /// Which runtime this is, for the superblock.
    pub build: [u8; 16],
    /// Never write.
    pub read_only: bool,
    /// The most pages the file is extended ahead; 0: not at all.
    pub ahead: u64,
    /// Pages that stay allocated in the file though they are free, at least: to write to them again is
    /// cheaper.
    pub keep: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            two_syncs: false,
            check_limit: 4 << 20,
            build: BUILD,
            read_only: false,
            ahead: 256,
            keep: 4096,
        }
    }
}

/// A generation and the checksum of its superblock.
#[derive(Clone, Copy, Debug)]
struct Generation {
    superblock: Superblock,
    crc: u32,
}

/// A mounted region.
#[derive(Debug)]
pub struct Store<S> {
    file: S,
    /// Where the region starts in the file.
    region: u64,
    options: Options,
    reader: Reader,
    current: Generation,
    /// The slot of the current generation.
    slot: usize,
    /// What the other slot holds, if it is an older generation.
    previous: Option<Generation>,
    /// The highest sequence ever seen in the region.
    newest: u64,
    space: Space,
    /// Whether the current generation may not be durable, or the other slot may hold something that
    /// could pass for a generation: to be settled before anything is written.
    unsettled: bool,
    /// Page 0 as it is.
    notes: Option<Notes>,
    /// The length of the file, in bytes.
    length: u64,
    /// Where pages are put together to be written, empty between commits: kept, because fresh memory
    /// costs a page fault for each page.
    stage: Vec<u64>,
    /// Commits since mount, and pages written ahead when the file grew last.
    commits: u64,
    ahead: u64,
    /// Commits since the last collection.
    since: u64,
    failed: Option<Errno>,
    /// Pins stored since the last commit.
    precommitted: Vec<u64>,
    /// While pages are being marked: those taken since.
    born: Option<Vec<Extent>>,
    /// Pages in use after the last collection.
    live: u64,
    /// Free pages that are being given back to the file system, and not to be taken meanwhile.
    leaving: Vec<Extent>,
    /// The most pages there may be: those that have an address.
    most_pages: u64,
    #[cfg(test)]
    canary: Option<Canary>,
}

/// Ways to break the order of a commit; the crash tests must notice each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Canary {
    /// Mount does not check that the last commit is complete.
    NoDeltaCheck,
    /// The superblock is said to need no check, but the data is not durable before it.
    NoDataSync,
    /// The superblock overwrites that of the current generation.
    SameSlot,
    /// What only the previous generation reaches is free at once.
    EarlyReuse,
    /// The map of free space stays the old one.
    OldMap,
    /// Nothing is settled after a mount.
    NoSettling,
    /// The file is cut where the new generation ends.
    EarlyTruncate,
    /// A collection gives back what the previous generation reaches.
    EarlyPunch,
    /// Pages that are being given back to the file system may be taken.
    PunchTaken,
    /// A precommit writes a superblock.
    PrecommitRoot,
    /// A commit is acknowledged before it is synced.
    NoSync,
    /// The notes call a generation durable before it is.
    EarlyNotes,
}

impl<S: Storage> Store<S> {
    /// The committed value: a natural below 2^63, or a tagged reference to a pin in the region.
    pub fn root(&self) -> u64 {
        self.current.superblock.root
    }

    /// What the current superblock says.
    pub fn superblock(&self) -> &Superblock {
        &self.current.superblock
    }

    /// What the superblock of the previous generation says, if it can be opened.
    pub fn previous(&self) -> Option<&Superblock> {
        self.previous.as_ref().map(|g| &g.superblock)
    }

    /// The free pages.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Whether the current generation is known to be durable and the other slot to be in order: what a
    /// process that ended by itself leaves.
    pub fn is_settled(&self) -> bool {
        !self.unsettled
    }

    /// Where page 0 is in the file, in bytes.
    pub fn data(&self) -> u64 {
        self.reader.offset(0)
    }

    /// Bounds the number of pages.
    pub fn set_pages(&mut self, most: u64) {
        self.most_pages = most;
    }

    /// The file below.
    pub fn storage(&mut self) -> &mut S {
        &mut self.file
    }

    /// Where slot `slot` is in the file.
    fn slot_offset(&self, slot: usize) -> u64 {
        self.region + (slot * PAGE) as u64
    }

    /// Whether the store can be written.
    fn writable(&self) -> Result<(), Error> {
        match self.failed {
            Some(why) => Err(Error::Failed(why)),
            None if self.options.read_only => Err(Error::ReadOnly),
            None => Ok(()),
        }
    }

    /// Whether the store is to be broken this way.
    #[cfg(test)]
    fn broken(&self, how: Canary) -> bool {
        self.canary == Some(how)
    }

    #[cfg(not(test))]
    fn broken(&self, _: Canary) -> bool {
        false
    }
}
