//! Packs texts for the executable; the build scripts of the packages that hold some include this file,
//! and the tests of `os::packed`, which reads what it writes and says how it is written.
//!
//! Invariants:
//! - a code stands for two codes that are lower or for bytes;
//! - the bytes of the texts are ASCII, none is 0.

/// The first code that stands for two others; below are the bytes.
const FIRST: usize = 128;

/// Byte pair encoding (Gage 1994): again and again the most frequent pair becomes a code of its own, as
/// long as there are codes and a pair that occurs four times.
pub fn pack(parts: &[&str]) -> Vec<u8> {
    let mut codes = parts.join("\0").into_bytes();
    assert!(codes.is_ascii(), "texts to pack are ASCII");
    let mut pairs = [0_u8; 2 * (256 - FIRST)];
    for (code, pair) in (FIRST..256).zip(pairs.chunks_exact_mut(2)) {
        let mut counts = vec![0_u32; 1 << 16];
        for two in codes.windows(2).filter(|two| !two.contains(&0)) {
            counts[usize::from(two[0]) << 8 | usize::from(two[1])] += 1;
        }
        let best = (0..1 << 16).max_by_key(|&at| counts[at]).unwrap_or(0);
        if counts[best] < 4 {
            break;
        }
        pair.copy_from_slice(&[(best >> 8) as u8, best as u8]);
        codes = replace(&codes, pair, code as u8);
    }
    [&pairs[..], &codes].concat()
}

/// The codes with one in place of each such pair, from the left.
fn replace(codes: &[u8], pair: &[u8], by: u8) -> Vec<u8> {
    let mut shorter = Vec::new();
    let mut rest = codes;
    while let Some(&first) = rest.first() {
        let found = rest.starts_with(pair);
        shorter.push(if found { by } else { first });
        rest = &rest[1 + usize::from(found)..];
    }
    shorter
}
