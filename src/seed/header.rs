//! The header and the number sections of a seed, versions 1 and 2.
//!
//! Both versions have the same shape: 40 bytes of counts; the sizes of the big numbers; their
//! data; the smaller numbers, widest first; one bit stream. Version 1 is read as version 2
//! without 32-bit and 16-bit numbers.
//!
//! Invariants:
//! - a `Plan` exists only for bytes whose number sections lie within the file;
//! - sums of counts cannot wrap: parameters are below 2^32, every other count is at most the
//!   number of bits of the file.

use super::bits::index_width;
use super::error::{Code, SeedError};
use core::fmt;

/// Length of the header, in bytes.
const HEADER_BYTES: usize = 40;
/// Most parameters of a version 1 file.
const MAX_PARAMS_V1: u64 = 65_535;
/// Most parameters of a version 2 file: the constructors `<0>` and `<1>`.
const MAX_PARAMS_V2: u64 = 2;
/// The top 24 bits of the first word of a version 2 file.
const TAG_V2: u64 = 0x02_4453;
/// Bit offset in the header of the fragment count, in both versions.
const FRAGMENTS_BIT: u64 = 256;
/// Widths, in bytes, of the four sections of small numbers, in file order.
const WIDTHS: [usize; 4] = [8, 4, 2, 1];

/// The version of a seed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The format of the reference implementation; what writers emit by default.
    V1,
    /// One reference width for the whole file, recursive fragments, a canonical form.
    V2,
}

/// What a seed consists of and what building it takes: the outcome of a successful check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(super) version: Version,
    pub(super) graph: bool,
    pub(super) params: u64,
    pub(super) bigs: u64,
    /// Counts of the 64-, 32-, 16- and 8-bit numbers; the middle two are 0 in version 1.
    pub(super) small: [u64; 4],
    pub(super) fragments: u64,
    /// Byte offset of the data of the first big number.
    pub(super) big_data: usize,
    /// Byte offset of the first small number.
    pub(super) small_data: usize,
    /// Bit offset of the first fragment.
    pub(super) stream: u64,
    /// Bit offset just after the last fragment.
    pub(super) stream_end: u64,
    pub(super) cells: u64,
    pub(super) depth: usize,
    pub(super) boxed_nats: u64,
    pub(super) boxed_limbs: u64,
}

impl Plan {
    /// The version of the file.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether fragments may refer to themselves and to later ones (version 2 only).
    pub fn is_graph(&self) -> bool {
        self.graph
    }

    /// Number of parameters; they are the first entries of the table.
    pub fn params(&self) -> u64 {
        self.params
    }

    /// Number of numbers; their entries follow those of the parameters.
    pub fn numbers(&self) -> u64 {
        self.bigs + self.small.iter().sum::<u64>()
    }

    /// Number of fragments; they are the last entries.
    pub fn fragments(&self) -> u64 {
        self.fragments
    }

    /// Number of table entries, at least 1. The last one is what the seed denotes.
    pub fn entries(&self) -> u64 {
        self.base() + self.fragments
    }

    /// Number of application cells that building makes: one per argument in the file. In a graph
    /// the placeholders of the fragments are among them.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// Most applications open at once while building: how far the builder's operands pile up is
    /// this number plus one.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How many numbers are 2^63 or more, hence do not fit in a tagged machine word.
    pub fn boxed_nats(&self) -> u64 {
        self.boxed_nats
    }

    /// How many 64-bit limbs the numbers of [`Self::boxed_nats`] have together, without leading
    /// zeros.
    pub fn boxed_limbs(&self) -> u64 {
        self.boxed_limbs
    }

    /// Whether parameter `index` is `<1>`, MkLaw. All others are `<0>`, MkPin: each of version 1,
    /// the first of version 2.
    pub(super) fn is_law_constructor(&self, index: u64) -> bool {
        self.version == Version::V2 && index == 1
    }

    /// The number of entries before the first fragment.
    pub(super) fn base(&self) -> u64 {
        self.params + self.numbers()
    }

    /// The scope of fragment `fragment`: how many entries references count back from, and how wide
    /// they are.
    pub(super) fn scope(&self, fragment: u64) -> (u64, u32) {
        let entries = match self.version {
            Version::V1 => self.base() + fragment,
            Version::V2 => self.entries(),
        };
        (entries, index_width(entries))
    }

    /// The numbers in table order, without leading zeros, each with its byte offset.
    pub(super) fn number_list<'a>(&self, bytes: &'a [u8]) -> Numbers<'a> {
        Numbers {
            bytes,
            sizes: HEADER_BYTES,
            bigs: self.bigs,
            small: self.small,
            data: self.big_data,
        }
    }
}

impl fmt::Display for Plan {
    /// One line for users: version, then the counts that matter.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            Version::V1 => 1_u64,
            Version::V2 => 2,
        };
        write!(out, "version {version}")?;
        if self.graph {
            write!(out, " (graph)")?;
        }
        let (params, numbers) = (self.params, self.numbers());
        write!(out, ", parameters {params}, numbers {numbers}")?;
        write!(
            out,
            ", fragments {}, applications {}",
            self.fragments, self.cells
        )
    }
}

/// Reads the header, and checks that all number sections lie within the file and that there can be
/// as many fragments as it says. The counts of the second pass are still 0.
///
/// Errors: E_HEADER to E_FRAGS, in the order of the specification.
pub(super) fn parse(bytes: &[u8]) -> Result<Plan, SeedError> {
    let mut plan = read_counts(bytes)?;
    place_bigs(bytes, &mut plan)?;
    place_small(bytes, &mut plan)?;
    check_fragment_count(bytes, &plan)?;
    Ok(plan)
}

/// The little-endian number in `width` (at most 8) bytes at `offset`; missing bytes read as 0, and
/// callers have checked that none is missing.
fn read_uint(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let field = bytes.get(offset..).unwrap_or(&[]);
    field
        .iter()
        .take(width)
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The version and the counts of the header.
fn read_counts(bytes: &[u8]) -> Result<Plan, SeedError> {
    if bytes.len() < HEADER_BYTES {
        return Err(SeedError::new(
            Code::Header,
            "shorter than the 40 bytes of a header",
            0,
        ));
    }
    let first = read_uint(bytes, 0, 8);
    let flags = first >> 32 & 0xff;
    let version = match first >> 40 {
        TAG_V2 if flags <= 1 => Version::V2,
        TAG_V2 => {
            return Err(SeedError::new(
                Code::Version,
                "unknown flags of version 2",
                32,
            ));
        }
        0 if flags == 0 => Version::V1,
        _ => {
            return Err(SeedError::new(
                Code::Version,
                "not a seed of version 1 or 2",
                0,
            ));
        }
    };
    let params = first & 0xffff_ffff;
    let (max_params, small) = match version {
        Version::V1 => (
            MAX_PARAMS_V1,
            [read_uint(bytes, 16, 8), 0, 0, read_uint(bytes, 24, 8)],
        ),
        Version::V2 => (
            MAX_PARAMS_V2,
            [(16, 8), (24, 4), (28, 2), (30, 2)].map(|(at, width)| read_uint(bytes, at, width)),
        ),
    };
    if params > max_params {
        return Err(SeedError::new(
            Code::Params,
            "more parameters than can be provided",
            0,
        ));
    }
    Ok(Plan {
        version,
        graph: version == Version::V2 && flags == 1,
        params,
        bigs: read_uint(bytes, 8, 8),
        small,
        fragments: read_uint(bytes, 32, 8),
        big_data: 0,
        small_data: 0,
        stream: 0,
        stream_end: 0,
        cells: 0,
        depth: 0,
        boxed_nats: 0,
        boxed_limbs: 0,
    })
}

/// Finds the sizes and the data of the big numbers.
fn place_bigs(bytes: &[u8], plan: &mut Plan) -> Result<(), SeedError> {
    let room = (bytes.len() - HEADER_BYTES) / 8;
    let bigs = usize::try_from(plan.bigs).unwrap_or(usize::MAX);
    if bigs > room {
        return Err(SeedError::new(
            Code::Bigs,
            "the sizes of the big numbers do not fit",
            64,
        ));
    }
    plan.big_data = HEADER_BYTES + 8 * bigs;
    let words = (bytes.len() - plan.big_data) / 8;
    let mut left = words as u64;
    for offset in (HEADER_BYTES..plan.big_data).step_by(8) {
        left = left
            .checked_sub(read_uint(bytes, offset, 8))
            .ok_or_else(|| {
                let bit = 8 * offset as u64;
                SeedError::new(
                    Code::BigSize,
                    "a big number extends beyond the end of the file",
                    bit,
                )
            })?;
    }
    plan.small_data = plan.big_data + 8 * (words - left as usize);
    Ok(())
}

/// Finds the sections of the smaller numbers, and with them the start of the bit stream.
fn place_small(bytes: &[u8], plan: &mut Plan) -> Result<(), SeedError> {
    let fields = match plan.version {
        Version::V1 => [128, 128, 128, 192],
        Version::V2 => [128, 192, 224, 240],
    };
    let mut offset = plan.small_data;
    for ((count, width), bit) in plan.small.into_iter().zip(WIDTHS).zip(fields) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > (bytes.len() - offset) / width {
            let code = if width == 1 { Code::Bytes } else { Code::Words };
            return Err(SeedError::new(
                code,
                "the numbers do not fit in the file",
                bit,
            ));
        }
        offset += count * width;
    }
    plan.stream = 8 * offset as u64;
    plan.stream_end = plan.stream;
    Ok(())
}

/// Checks the fragment count against the entries before the fragments and the bits that are left.
fn check_fragment_count(bytes: &[u8], plan: &Plan) -> Result<(), SeedError> {
    let base = plan.base();
    if base == 0 && plan.fragments == 0 {
        return Err(SeedError::new(Code::Empty, "no entries at all", 0));
    }
    if base == 0 && !plan.graph {
        let detail = "fragments, but no parameters or numbers to refer to";
        return Err(SeedError::new(Code::Scope, detail, FRAGMENTS_BIT));
    }
    let width = match plan.version {
        Version::V1 => index_width(base),
        Version::V2 => index_width(base.saturating_add(plan.fragments)),
    };
    let room = 8 * bytes.len() as u64 - plan.stream;
    if plan.fragments > room / u64::from(1 + width) {
        let detail = "more fragments than the file can hold";
        return Err(SeedError::new(Code::Frags, detail, FRAGMENTS_BIT));
    }
    Ok(())
}

/// The numbers of a seed in table order. See [`Plan::number_list`].
#[derive(Clone, Debug)]
pub(super) struct Numbers<'a> {
    bytes: &'a [u8],
    /// Byte offset of the size of the next big number.
    sizes: usize,
    bigs: u64,
    small: [u64; 4],
    /// Byte offset of the data of the next number.
    data: usize,
}

/// One number of a seed, as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Number<'a> {
    /// The value.
    pub limbs: Limbs<'a>,
    /// Byte offset of its data.
    pub offset: usize,
    /// The bytes it takes in the file.
    pub length: usize,
    /// Which section it is in: `None` for a big, else the width in bytes.
    pub width: Option<usize>,
}

impl<'a> Iterator for Numbers<'a> {
    type Item = Number<'a>;

    fn next(&mut self) -> Option<Number<'a>> {
        let (length, width) = if self.bigs > 0 {
            self.bigs -= 1;
            let size = read_uint(self.bytes, self.sizes, 8);
            self.sizes += 8;
            (usize::try_from(size).ok()?.checked_mul(8)?, None)
        } else {
            let section = self.small.iter().position(|count| *count > 0)?;
            self.small[section] -= 1;
            (WIDTHS[section], Some(WIDTHS[section]))
        };
        let offset = self.data;
        self.data = offset.checked_add(length)?;
        let data = self.bytes.get(offset..self.data)?;
        Some(Number {
            limbs: Limbs::new(data),
            offset,
            length,
            width,
        })
    }
}

/// A natural number as 64-bit limbs, least significant first, without leading zeros: 0 has none.
#[derive(Clone, Debug)]
pub struct Limbs<'a> {
    /// Little-endian; the last byte, if there is one, is not 0.
    bytes: &'a [u8],
}

impl<'a> Limbs<'a> {
    /// The number with these little-endian bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        let length = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        Limbs {
            bytes: &bytes[..length],
        }
    }

    /// The number itself, if it is below 2^64.
    pub fn to_u64(&self) -> Option<u64> {
        (self.bytes.len() <= 8).then(|| read_uint(self.bytes, 0, 8))
    }

    /// The little-endian bytes that are left, without leading zeros.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl Iterator for Limbs<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (limb, rest) = self.bytes.split_at(self.bytes.len().min(8));
        self.bytes = rest;
        (!limb.is_empty()).then(|| read_uint(limb, 0, 8))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let length = self.bytes.len().div_ceil(8);
        (length, Some(length))
    }
}

impl ExactSizeIterator for Limbs<'_> {}
