//! A list of byte strings: the entries of a history, the candidates of a completion.
//!
//! Invariants:
//! - All strings lie in one vector, so that a list costs two allocations, and dropping one no code.

use crate::heap::words::sort;
use alloc::vec::Vec;

/// A list of byte strings.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Words {
    bytes: Vec<u8>,
    /// Start and end of each string.
    places: Vec<(usize, usize)>,
}

impl Words {
    /// Number of strings.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// String `i`; nothing where there is none.
    #[inline(never)]
    pub fn get(&self, i: usize) -> &[u8] {
        match self.places.get(i) {
            Some((start, end)) => &self.bytes[*start..*end],
            None => b"",
        }
    }

    /// Appends a string.
    #[inline(never)]
    pub fn push(&mut self, word: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(word);
        self.places.push((start, self.bytes.len()));
    }

    /// Sorts the strings and leaves one of each.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        sort(&mut self.places, |a, b| bytes[a.0..a.1] < bytes[b.0..b.1]);
        let count = self.len();
        let mut kept = count.min(1);
        for i in 1..count {
            if self.get(i) != self.get(kept - 1) {
                self.places[kept] = self.places[i];
                kept += 1;
            }
        }
        self.places.truncate(kept);
    }

    /// Length of the longest string.
    pub fn widest(&self) -> usize {
        let mut widest = 0;
        for (start, end) in &self.places {
            widest = widest.max(end - start);
        }
        widest
    }

    /// How many bytes the strings have in common at their start.
    pub fn common(&self) -> usize {
        let first = self.get(0);
        let mut common = first.len();
        for i in 1..self.len() {
            let word = self.get(i);
            let mut same = 0;
            while same < common && word.get(same) == Some(&first[same]) {
                same += 1;
            }
            common = same;
        }
        common
    }
}

#[cfg(test)]
impl Words {
    /// The strings as a vector.
    pub fn all(&self) -> Vec<&[u8]> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Words {
        let mut list = Words::default();
        words.iter().for_each(|word| list.push(word.as_bytes()));
        list
    }

    #[test]
    fn sorting_leaves_one_of_each() {
        for count in [0, 1, 2, 5, 1000] {
            let mut words = Words::default();
            for i in 0..count {
                words.push(format!("{}", i * 7919 % 613).as_bytes());
            }
            let mut expected: Vec<_> = words.all().iter().map(|word| word.to_vec()).collect();
            expected.sort();
            expected.dedup();
            words.sort();
            assert_eq!(words.all(), expected);
        }
    }

    #[test]
    fn what_words_have_in_common() {
        assert_eq!(list(&["lmap", "lmapi", "lm"]).common(), 2);
        assert_eq!(list(&["abc"]).common(), 3);
        assert_eq!(list(&[]).common(), 0);
        assert_eq!(list(&["a", "abcd", ""]).widest(), 4);
        assert_eq!(list(&["a"]).get(1), b"");
    }
}
