//! CRC-32C (polynomial 0x1EDC6F41 reflected, initial and final inversion), by the instruction of SSE4.2.
//!
//! Invariants:
//! - the checksum of words is that of their bytes, least significant first;
//! - checksums of pages and that of all of them together come out of one pass;
//! - the vectors of spec 05 §5.2 hold: "123456789" gives `E3069283`.
//!
//! Safety: the instruction is part of x86-64-v3, for which everything here is compiled and which
//! the entry code checks before any of it runs.
#![allow(unsafe_code)]

use super::format::PAGE_WORDS;
use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};

/// `[i][n]` is what the state `n << 4 * i` becomes by a page of zeros: half a byte at a time, in 512 bytes.
static PAGE_OF_ZEROS: [[u32; 16]; 8] = {
    let columns = page_of_zeros();
    let mut table = [[0; 16]; 8];
    let mut i = 0;
    while i < 128 {
        table[i / 16][i % 16] = times(&columns, (i as u32 % 16) << (4 * (i / 16)));
        i += 1;
    }
    table
};

/// Column `i` is what the state `1 << i` becomes by a page of zeros. Appending a zero bit is
/// linear over GF(2); squaring that 15 times appends 2^15 bits (M. Adler, `crc32_combine` of zlib).
const fn page_of_zeros() -> [u32; 32] {
    let mut columns = [0; 32];
    columns[0] = 0x82F6_3B78;
    let mut i = 1;
    while i < 32 {
        columns[i] = 1 << (i - 1);
        i += 1;
    }
    let mut squarings = 0;
    while squarings < 15 {
        let mut square = [0; 32];
        i = 0;
        while i < 32 {
            square[i] = times(&columns, columns[i]);
            i += 1;
        }
        columns = square;
        squarings += 1;
    }
    columns
}

/// The product of a matrix and a vector over GF(2).
const fn times(columns: &[u32; 32], vector: u32) -> u32 {
    let (mut product, mut i) = (0, 0);
    while i < 32 {
        product ^= columns[i] & 0u32.wrapping_sub(vector >> i & 1);
        i += 1;
    }
    product
}

/// What a state becomes by a page of zeros.
fn over_page(state: u32) -> u32 {
    let halves = PAGE_OF_ZEROS.iter().enumerate();
    halves.fold(0, |sum, (i, row)| {
        sum ^ row[(state >> (4 * i) & 15) as usize]
    })
}

fn step(state: u32, word: u64) -> u32 {
    // SAFETY: see the header of this file.
    unsafe { _mm_crc32_u64(u64::from(state), word) as u32 }
}

/// A checksum that is being computed.
#[derive(Clone, Copy, Debug)]
pub struct Sum(u32);

impl Sum {
    /// That of nothing.
    pub const EMPTY: Sum = Sum(u32::MAX);

    /// Goes on with words.
    pub fn then(self, words: &[u64]) -> Sum {
        let (whole, rest) = words.split_at(words.len() / PAGE_WORDS * PAGE_WORDS);
        let state = self.pages(whole, &mut |_| ()).0;
        Sum(rest.iter().fold(state, |state, word| step(state, *word)))
    }

    /// Goes on with so many zero words.
    pub fn zeros(self, count: usize) -> Sum {
        Sum((0..count).fold(self.0, |state, _| step(state, 0)))
    }

    /// Goes on with whole pages, and hands out the checksum of each. The instruction takes three
    /// cycles but begins in each, so three pages are looked at together.
    pub fn pages(self, words: &[u64], each: &mut dyn FnMut(u32)) -> Sum {
        let (pages, _) = words.as_chunks::<PAGE_WORDS>();
        let mut sum = self.0;
        for group in pages.chunks(3) {
            let mut states = [u32::MAX; 3];
            match group {
                [a, b, c] => {
                    for ((a, b), c) in a.iter().zip(b).zip(c) {
                        let [x, y, z] = states;
                        states = [step(x, *a), step(y, *b), step(z, *c)];
                    }
                }
                _ => {
                    for (state, page) in states.iter_mut().zip(group) {
                        *state = page.iter().fold(*state, |state, word| step(state, *word));
                    }
                }
            }
            for state in &states[..group.len()] {
                // The state before a page enters what comes out of it by itself alone.
                sum = over_page(!sum) ^ state;
                each(!state);
            }
        }
        Sum(sum)
    }

    /// The checksum.
    pub const fn end(self) -> u32 {
        !self.0
    }
}

/// The checksum of `words`.
pub fn words(words: &[u64]) -> u32 {
    Sum::EMPTY.then(words).end()
}

/// The checksum of `bytes`.
pub fn bytes(bytes: &[u8]) -> u32 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let state = chunks.iter().fold(u32::MAX, |state, chunk| {
        step(state, u64::from_le_bytes(*chunk))
    });
    !rest.iter().fold(state, |sum, byte| {
        // SAFETY: see the header of this file.
        unsafe { _mm_crc32_u8(sum, *byte) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_specification_hold() {
        assert_eq!(bytes(b"123456789"), 0xE306_9283);
        assert_eq!(words(&[0]), 0x8C28_B28A);
        assert_eq!(words(&[1]), 0xC514_CFAD);
        assert_eq!(bytes(b""), 0);
    }

    /// The definition, bit by bit.
    fn naive(bytes: &[u8]) -> u32 {
        let mut sum = u32::MAX;
        for byte in bytes {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = sum >> 1 ^ if sum & 1 == 1 { 0x82F6_3B78 } else { 0 };
            }
        }
        !sum
    }

    #[test]
    fn the_instruction_computes_the_definition_at_every_length() {
        let data: Vec<u8> = (0..100u8).map(|i| i.wrapping_mul(37)).collect();
        for len in 0..data.len() {
            assert_eq!(bytes(&data[..len]), naive(&data[..len]), "{len} bytes");
        }
        let numbers = [3, u64::MAX, 1 << 63];
        let flat: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        assert_eq!(words(&numbers), naive(&flat));
    }

    #[test]
    fn checksums_of_pages_make_up_that_of_all() {
        for len in [0, 1, 511, 512, 513, 1024, 1536, 2047, 2048, 5000] {
            let data: Vec<u64> = (0..len)
                .map(|i| (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
                .collect();
            let flat: Vec<u8> = data.iter().flat_map(|n| n.to_le_bytes()).collect();
            assert_eq!(words(&data), naive(&flat), "{len} words");
            let whole = len / PAGE_WORDS * PAGE_WORDS;
            let mut found = Vec::new();
            let sum = Sum::EMPTY.pages(&data[..whole], &mut |crc| found.push(crc));
            let pages: Vec<u32> = data[..whole].chunks(PAGE_WORDS).map(words).collect();
            assert_eq!(found, pages);
            assert_eq!(sum.then(&data[whole..]).end(), naive(&flat));
        }
        assert_eq!(Sum::EMPTY.zeros(3).end(), words(&[0; 3]));
    }
}
