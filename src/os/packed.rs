//! Texts that take half their length in the executable.
//!
//! Messages and help are read by people, so the time to unpack them does not matter. `packages/pack.rs`
//! writes what is read here: 128 pairs, then the texts as codes with a 0 between two. A code below 128
//! is a byte, any other the two codes of its pair (byte pair encoding: Gage, "A New Algorithm for Data
//! Compression", 1994). Formats that pack closer need more code than they save here.
//!
//! Invariants:
//! - nothing is allocated: a message may be about a lack of memory;
//! - codes of a pair are lower than its own, so at most 129 wait for their turn.

/// Packed texts.
pub struct Packed(pub &'static [u8]);

/// The first code that is a pair.
const FIRST: u8 = 128;
/// Bytes of the pairs.
const PAIRS: usize = 256;

impl Packed {
    /// The bytes of text `n`, counted from 0; none if there are fewer.
    pub fn part(&self, n: usize) -> Unpacked {
        let (pairs, codes) = self.0.split_at(PAIRS);
        Unpacked {
            pairs,
            codes: codes.split(|&code| code == 0).nth(n).unwrap_or_default(),
            waiting: [0; 130],
            count: 0,
        }
    }
}

/// The bytes of one text.
pub struct Unpacked {
    pairs: &'static [u8],
    codes: &'static [u8],
    /// Codes to go on with before the next of `codes`, the last first.
    waiting: [u8; 130],
    count: usize,
}

impl Iterator for Unpacked {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.count == 0 {
            let (&first, rest) = self.codes.split_first()?;
            self.codes = rest;
            self.waiting[0] = first;
            self.count = 1;
        }
        loop {
            self.count -= 1;
            let code = self.waiting[self.count];
            if code < FIRST {
                return Some(code);
            }
            let pair = 2 * usize::from(code - FIRST);
            self.waiting[self.count] = self.pairs[pair + 1];
            self.waiting[self.count + 1] = self.pairs[pair];
            self.count += 2;
        }
    }
}

#[cfg(test)]
#[path = "../../packages/pack.rs"]
mod pack;

#[cfg(test)]
mod tests {
    use super::{Packed, pack};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            texts in prop::collection::vec("[ a-d\n]{0,200}|[\u{1}-\u{7f}]{0,50}", 1..6)
        ) {
            let parts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let packed = Packed(pack::pack(&parts).leak());
            for (n, part) in parts.iter().enumerate() {
                prop_assert_eq!(&packed.part(n).collect::<Vec<u8>>(), part.as_bytes());
            }
            prop_assert_eq!(packed.part(parts.len()).count(), 0);
        }
    }

    #[test]
    fn a_run_is_halved_again_and_again() {
        let text = "a".repeat(4096);
        let packed = pack::pack(&[&text]);
        assert!(packed.len() < 256 + 8, "{}", packed.len());
        assert_eq!(Packed(packed.leak()).part(0).count(), 4096);
    }
}
