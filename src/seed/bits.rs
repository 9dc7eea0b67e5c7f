//! Bit streams: bit k of a file is bit k mod 8, counted from the least significant, of byte k / 8.
//!
//! Invariants:
//! - a reader never looks at memory beyond its bytes: bits past the end read as 0 here, and
//!   whoever reads compares with [`BitReader::remaining`] before believing them;
//! - a writer's finished bytes followed by its pending bits are exactly the bits pushed so far.

use super::error::SeedError;
use alloc::vec::Vec;

/// The number of bits needed to tell `count` things apart: the bits of `count - 1`; 0 for `count`
/// of 0 or 1. The reference width W of the format.
pub const fn index_width(count: u64) -> u32 {
    u64::BITS - count.saturating_sub(1).leading_zeros()
}

/// The low `width` bits of `value`; `width` is 0 to 64.
const fn low_bits(value: u64, width: u32) -> u64 {
    if width >= u64::BITS {
        value
    } else {
        value & ((1 << width) - 1)
    }
}

/// A position in a sequence of bits, moving forward only.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    position: u64,
}

impl<'a> BitReader<'a> {
    /// Reads `bytes` from bit `position` on; a position beyond the end has nothing remaining.
    pub fn new(bytes: &'a [u8], position: u64) -> Self {
        BitReader { bytes, position }
    }

    /// Offset of the next bit from the start of the bytes.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many bits are left. Byte counts of slices are below 2^61 on every real machine; the
    /// multiplication saturates so that nothing depends on it.
    pub fn remaining(&self) -> u64 {
        (self.bytes.len() as u64)
            .saturating_mul(8)
            .saturating_sub(self.position)
    }

    /// The next 64 bits, the first one lowest; bits past the end are 0.
    pub fn window(&self) -> u64 {
        let start = usize::try_from(self.position / 8).unwrap_or(usize::MAX);
        let shift = (self.position % 8) as u32;
        let (low, high) = match self.bytes.get(start..).unwrap_or(&[]) {
            [a, b, c, d, e, f, g, h, next, ..] => {
                (u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), *next)
            }
            tail => (partial_word(tail), 0),
        };
        if shift == 0 {
            low
        } else {
            low >> shift | u64::from(high) << (u64::BITS - shift)
        }
    }

    /// Moves on by `count` bits. The caller has compared `count` with [`Self::remaining`].
    pub fn advance(&mut self, count: u32) {
        self.position = self.position.saturating_add(u64::from(count));
    }

    /// `width` bits (0 to 64) starting `skip` bits (0 to 64) ahead, without moving; together they
    /// are at most 64.
    pub fn field(window: u64, skip: u32, width: u32) -> u64 {
        low_bits(window.checked_shr(skip).unwrap_or(0), width)
    }
}

/// Up to eight bytes as a little-endian word, zero-extended.
fn partial_word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Collects bits.
#[derive(Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not yet in `bytes`, the first one lowest; all above `pending_count` are 0.
    pending: u64,
    /// 0 to 7 between calls.
    pending_count: u32,
}

impl BitWriter {
    /// Appends the low `width` bits (0 to 64) of `value`, lowest first.
    pub fn push(&mut self, value: u64, width: u32) -> Result<(), SeedError> {
        let wide =
            u128::from(low_bits(value, width)) << self.pending_count | u128::from(self.pending);
        let count = self.pending_count + width;
        let whole = (count / 8) as usize;
        reserve(&mut self.bytes, whole)?;
        self.bytes.extend_from_slice(&wide.to_le_bytes()[..whole]);
        self.pending = (wide >> (whole * 8)) as u64;
        self.pending_count = count % 8;
        Ok(())
    }

    /// The bytes, padded with 0 bits to a multiple of `unit` bytes (at least 1).
    pub fn finish(mut self, unit: usize) -> Result<Vec<u8>, SeedError> {
        let padding = (8 - self.pending_count) % 8;
        self.push(0, padding)?;
        let length = self.bytes.len().next_multiple_of(unit);
        let missing = length - self.bytes.len();
        reserve(&mut self.bytes, missing)?;
        self.bytes.resize(length, 0);
        Ok(self.bytes)
    }
}

/// Room for `count` more elements, or E_MEMORY. Growth stays geometric.
pub fn reserve<T>(vector: &mut Vec<T>, count: usize) -> Result<(), SeedError> {
    vector
        .try_reserve(count)
        .map_err(|_| SeedError::memory("no memory left for the tables of a seed"))
}

/// Appends one element, or reports E_MEMORY.
pub fn push<T>(vector: &mut Vec<T>, element: T) -> Result<(), SeedError> {
    if vector.len() == vector.capacity() {
        reserve(vector, 1)?;
    }
    vector.push(element);
    Ok(())
}
