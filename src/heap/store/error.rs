//! Why a store cannot be used, and where it is damaged.
//!
//! Invariants:
//! - an error names its cause; its text completes `plan: cannot …: `, one line, without a full stop;
//! - damage is never papered over: it is an error of mount, commit and collection, and a finding of scrub.

use crate::os::Errno;
use core::fmt;

/// What is wrong with a part of the region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// A superblock that is neither valid nor empty.
    Superblock,
    /// Bytes that have to be zero are not.
    Reserved,
    /// The file ends before the data the superblock speaks of.
    Short,
    /// What the last commit wrote is not all there.
    Incomplete,
    /// A reference to where no object can be.
    Reference,
    /// A checksum does not match.
    Checksum,
    /// An object whose parts contradict each other.
    Object,
    /// The map of free space contradicts itself.
    Map,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Superblock => "the superblock is damaged",
            Damage::Reserved => "reserved bytes are not zero",
            Damage::Short => "the file is too short",
            Damage::Incomplete => "the last commit is incomplete",
            Damage::Reference => "a reference leads nowhere",
            Damage::Checksum => "a checksum does not match",
            Damage::Object => "an object is malformed",
            Damage::Map => "the map of free space is malformed",
        })
    }
}

/// Why an operation of the store failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The system refused a step.
    Io(&'static str, Errno),
    /// The region is damaged.
    Damaged(Damage),
    /// The region has a format version that this runtime does not know.
    Version(u32),
    /// Another process uses the file.
    Locked,
    /// There is no region in this file.
    Missing,
    /// An earlier write was not confirmed by the system: the store takes no more of them.
    Failed(Errno),
    /// The store was opened for reading only.
    ReadOnly,
    /// The address space of the region is used up.
    Full,
}

impl Error {
    /// The number for a VM error `io`: that of the system, or the one that says the same.
    pub const fn errno(self) -> Errno {
        match self {
            Error::Io(_, why) | Error::Failed(why) => why,
            Error::ReadOnly => Errno::EROFS,
            Error::Full => Errno::ENOSPC,
            Error::Locked => Errno::EAGAIN,
            Error::Damaged(_) | Error::Version(_) | Error::Missing => Errno::EIO,
        }
    }

    /// What may help, for the end of a message.
    pub fn advice(self) -> &'static str {
        match self {
            Error::Locked => "end it first",
            Error::Version(_) => "use a newer plan",
            Error::Damaged(_) | Error::Missing => "use a copy, if there is one",
            _ => self.errno().advice(),
        }
    }
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Error {
        Error::Damaged(damage)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(step, why) => write!(f, "cannot {step}: {why}"),
            Error::Damaged(damage) => damage.fmt(f),
            Error::Version(n) => write!(f, "format version {n} is unknown"),
            Error::Locked => f.write_str("in use by another process"),
            Error::Missing => f.write_str("there is no persistence region"),
            Error::Failed(why) => write!(f, "an earlier write failed: {why}"),
            Error::ReadOnly => f.write_str("opened for reading only"),
            Error::Full => f.write_str("the region has no addresses left"),
        }
    }
}
