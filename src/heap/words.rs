//! A table from words to words, and a sort: one of each, because every kind of element that the general
//! ones are used with is another copy of a kilobyte or more.
//!
//! Sorting is heap sort (J. W. J. Williams, *Algorithm 232*, CACM 7, 1964), in place. The standard
//! library's is faster and takes ten times the code; here nobody waits for a sort.
//!
//! Invariants:
//! - a sort takes n log n comparisons at most, whatever the order and whatever the comparison says.

use hashbrown::HashMap;

/// A table from words to words.
#[derive(Clone, Debug, Default)]
pub struct Words(HashMap<u64, u64>);

impl Words {
    /// What the key leads to.
    #[inline(never)]
    pub fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).copied()
    }

    /// Lets the key lead to `word`; gives what it led to before.
    #[inline(never)]
    pub fn insert(&mut self, key: u64, word: u64) -> Option<u64> {
        self.0.insert(key, word)
    }

    /// Makes room for one more key, so that an insertion cannot fail; `None` without the memory.
    #[inline(never)]
    pub fn reserve(&mut self) -> Option<()> {
        self.0.try_reserve(1).ok()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sorts words, the smallest first.
#[inline(never)]
pub fn sort_words(words: &mut [u64]) {
    sort(words, |a, b| a < b);
}

/// Sorts by an order in which `less(a, b)` means that `a` comes before `b`; equal elements end in any
/// order.
pub fn sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let count = items.len();
    // The first half of the steps makes the heap, the second takes its largest element each time.
    for step in (0..count + count / 2).rev() {
        let (mut at, end) = if step >= count {
            (step - count, count)
        } else {
            items.swap(0, step);
            (0, step)
        };
        loop {
            let mut child = 2 * at + 1;
            if child + 1 < end && less(&items[child], &items[child + 1]) {
                child += 1;
            }
            if child >= end || !less(&items[at], &items[child]) {
                break;
            }
            items.swap(at, child);
            at = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sort;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_the_standard_library(mut items: Vec<u8>) {
            let mut expected = items.clone();
            expected.sort();
            sort(&mut items, |a, b| a < b);
            prop_assert_eq!(items, expected);
        }
    }

    #[test]
    fn an_order_that_is_none_does_no_harm() {
        let mut items: Vec<u32> = (0..1000).collect();
        sort(&mut items, |_, _| true);
        items.sort();
        assert!(items.into_iter().eq(0..1000));
    }
}
