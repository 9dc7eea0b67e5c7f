//! CRC-32C (polynomial 0x1EDC6F41 reflected, initial and final inversion), by the instruction of SSE4.2.
//!
//! Invariants:
//! - the checksum of words is that of their bytes, least significant first;
//! - the vectors of spec 05 §5.2 hold: "123456789" gives `E3069283`.
//!
//! Safety: the instruction is part of x86-64-v3, for which everything here is compiled and which
//! the entry code checks before any of it runs.
#![allow(unsafe_code)]

use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};

/// The checksum of `words`.
pub fn words(words: &[u64]) -> u32 {
    let sum = words.iter().fold(u64::from(u32::MAX), |sum, word| {
        // SAFETY: see the header of this file.
        unsafe { _mm_crc32_u64(sum, *word) }
    });
    !(sum as u32)
}

/// The checksum of `bytes`.
pub fn bytes(bytes: &[u8]) -> u32 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let sum = chunks.iter().fold(u64::from(u32::MAX), |sum, chunk| {
        // SAFETY: see the header of this file.
        unsafe { _mm_crc32_u64(sum, u64::from_le_bytes(*chunk)) }
    });
    !rest.iter().fold(sum as u32, |sum, byte| {
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
}
