//! Why a seed is rejected: the error codes of the seed format.
//!
//! Invariants:
//! - every error names one code, a reason in words, and the bit of the file where the offending
//!   field starts (0 when no field is to blame);
//! - the text `E_NAME: detail (bit N)` is fixed; callers put `plan: seed FILE: ` before it.

use alloc::borrow::Cow;
use core::fmt;

/// The kinds of malformed seed, in the order in which they are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The file cannot be opened or read, or is not a regular file.
    Io,
    /// Shorter than the 40 bytes of a header.
    Header,
    /// Neither version 1 nor version 2, or a form of version 2 that is not accepted here.
    Version,
    /// More parameters than the context provides.
    Params,
    /// The table of big-number sizes does not fit in the file.
    Bigs,
    /// The data of the big numbers does not fit in the file.
    BigSize,
    /// A section of 64-bit (version 2: also 32-bit, 16-bit) numbers does not fit in the file.
    Words,
    /// The section of 8-bit numbers does not fit in the file.
    Bytes,
    /// The table would have no entry at all.
    Empty,
    /// There are fragments, but nothing for the first one to refer to.
    Scope,
    /// More fragments than the rest of the file can hold.
    Frags,
    /// The head of a node is longer than 64 bits.
    Node,
    /// More arguments than the rest of the file can hold.
    Args,
    /// A field extends beyond the end of the file.
    Trunc,
    /// A reference to an entry that does not exist.
    Ref,
    /// A reference to a later fragment in a file that is not a graph.
    Forward,
    /// Not in canonical form, where that is required.
    Canon,
    /// More memory is needed than there is.
    Memory,
}

impl Code {
    /// The name printed for users, as the seed format gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Code::Io => "E_IO",
            Code::Header => "E_HEADER",
            Code::Version => "E_VERSION",
            Code::Params => "E_PARAMS",
            Code::Bigs => "E_BIGS",
            Code::BigSize => "E_BIGSIZE",
            Code::Words => "E_WORDS",
            Code::Bytes => "E_BYTES",
            Code::Empty => "E_EMPTY",
            Code::Scope => "E_SCOPE",
            Code::Frags => "E_FRAGS",
            Code::Node => "E_NODE",
            Code::Args => "E_ARGS",
            Code::Trunc => "E_TRUNC",
            Code::Ref => "E_REF",
            Code::Forward => "E_FORWARD",
            Code::Canon => "E_CANON",
            Code::Memory => "E_MEMORY",
        }
    }
}

/// Why a seed was rejected. Displays as `E_NAME: detail (bit N)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError {
    /// The kind of error.
    pub code: Code,
    /// The reason in words, without a final stop.
    pub detail: Cow<'static, str>,
    /// Offset in the file, in bits, of the field that is wrong; 0 if there is none.
    pub bit: u64,
}

impl SeedError {
    /// An error of the given kind about the field that starts at `bit`.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>, bit: u64) -> Self {
        SeedError {
            code,
            detail: detail.into(),
            bit,
        }
    }

    /// The file could not be read; `detail` says what failed and why.
    pub fn io(detail: impl Into<Cow<'static, str>>) -> Self {
        SeedError::new(Code::Io, detail, 0)
    }

    /// Memory ran out while reading or writing a seed; no field of a file is to blame.
    pub fn memory(detail: impl Into<Cow<'static, str>>) -> Self {
        SeedError::new(Code::Memory, detail, 0)
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} (bit {})",
            self.code.name(),
            self.detail,
            self.bit
        )
    }
}

impl core::error::Error for SeedError {}
