//! Heap sort (J. W. J. Williams, *Algorithm 232*, CACM 7, 1964), in place.
//!
//! The standard library's sort is faster and takes ten times the code for each kind of element;
//! here nobody waits for a sort.
//!
//! Invariants:
//! - n log n comparisons at most, whatever the order and whatever the comparison says.

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
