//! Which pages of a region are free, and which become free with the next commit.
//!
//! Invariants:
//! - a page that the current or the previous generation reaches is in no list of free pages;
//! - the lists are sorted, their extents do not touch or overlap, and lie between page 1 and `end`;
//! - every page from `end` on is free;
//! - lists are bounded: extents that do not fit are forgotten, smallest first, and found again by the
//!   next collection.

use super::error::Damage;
use super::format::{Extent, WINDOW_PAGES};
use crate::heap::words::sort;
use alloc::vec::Vec;

/// The most extents of one map, free and retired together.
pub const MAP_EXTENTS: usize = 1000;
/// Small records may be spread over this many free extents before new pages are appended.
const SPREAD: usize = 8;

/// The free pages of a region.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Space {
    /// Free now.
    pub free: Vec<Extent>,
    /// Reached by the previous generation only: free once there is another commit.
    pub retired: Vec<Extent>,
    /// The page behind the last one in use.
    pub end: u64,
}

/// Pages of a list.
pub fn count(list: &[Extent]) -> u64 {
    list.iter().map(|extent| extent.pages).sum()
}

/// Sorts a list and joins extents that touch.
pub fn join(list: &mut Vec<Extent>) {
    sort(list, |a, b| a < b);
    list.dedup_by(|next, last| {
        let touch = last.end() >= next.start;
        if touch {
            last.pages = last.end().max(next.end()) - last.start;
        }
        touch
    });
}

/// Removes all pages of `cut`, a sorted list, from `list`, a sorted list.
pub fn subtract(list: &[Extent], cut: &[Extent]) -> Vec<Extent> {
    let mut left = Vec::new();
    let mut cuts = cut.iter().copied().peekable();
    for extent in list {
        let mut start = extent.start;
        while let Some(next) = cuts
            .peek()
            .copied()
            .filter(|next| next.start < extent.end())
        {
            if next.start > start {
                let pages = next.start - start;
                left.push(Extent { start, pages });
            }
            start = start.max(next.end());
            if next.end() > extent.end() {
                break;
            }
            cuts.next();
        }
        if start < extent.end() {
            let pages = extent.end() - start;
            left.push(Extent { start, pages });
        }
    }
    left
}

impl Space {
    /// Takes `pages` pages that follow each other: from the smallest extent that has them, otherwise
    /// behind the end. `None` when the window is used up.
    pub fn take(&mut self, pages: u64) -> Option<Extent> {
        let fitting = (0..self.free.len()).filter(|i| self.free[*i].pages >= pages);
        match fitting.min_by_key(|i| self.free[*i].pages) {
            Some(i) => Some(self.cut(i, pages)),
            None => self.append(pages),
        }
    }

    /// Takes `pages` pages in any places, as few as can be.
    pub fn take_spread(&mut self, mut pages: u64) -> Option<Vec<Extent>> {
        let mut taken = Vec::new();
        let whole = self.free.iter().any(|extent| extent.pages >= pages);
        for _ in 0..if whole { 0 } else { SPREAD } {
            let Some(i) = (0..self.free.len()).max_by_key(|i| self.free[*i].pages) else {
                break;
            };
            let extent = self.cut(i, pages.min(self.free[i].pages));
            taken.push(extent);
            pages -= extent.pages;
            if pages == 0 {
                return Some(taken);
            }
        }
        if pages > 0 {
            taken.push(self.take(pages)?);
        }
        Some(taken)
    }

    fn cut(&mut self, i: usize, pages: u64) -> Extent {
        let extent = &mut self.free[i];
        let taken = Extent {
            start: extent.start,
            pages,
        };
        extent.start += pages;
        extent.pages -= pages;
        if extent.pages == 0 {
            self.free.remove(i);
        }
        taken
    }

    fn append(&mut self, pages: u64) -> Option<Extent> {
        let start = self.end;
        let end = start.checked_add(pages)?;
        if end > WINDOW_PAGES {
            return None;
        }
        self.end = end;
        Some(Extent { start, pages })
    }

    /// The space once this commit is the current generation: retired pages are free, and free ones
    /// at the end are no longer counted as in use.
    pub fn advance(&self) -> Space {
        let mut next = Space {
            free: self.free.clone(),
            retired: Vec::new(),
            end: self.end,
        };
        next.free.extend_from_slice(&self.retired);
        join(&mut next.free);
        next.trim();
        next
    }

    /// Lets go of free pages at the end.
    pub fn trim(&mut self) {
        while self.free.last().is_some_and(|last| last.end() == self.end) {
            self.end = self.free.pop().map_or(self.end, |last| last.start);
        }
    }

    /// Forgets the smallest extents so that a map holds the rest.
    pub fn bound(&mut self) {
        for (list, most) in [
            (&mut self.free, MAP_EXTENTS / 2),
            (&mut self.retired, MAP_EXTENTS / 2),
        ] {
            if list.len() > most {
                sort(list, |a, b| a.pages > b.pages);
                list.truncate(most);
                join(list);
            }
        }
    }

    /// Adds free pages.
    pub fn give(&mut self, pages: &[Extent]) {
        self.free.extend_from_slice(pages);
        join(&mut self.free);
    }

    /// Takes free pages away until `keep` are left: ends of the largest extents, of at least `least`
    /// pages each. The extent at the end stays: it is cut off with the next commit.
    pub fn take_excess(&mut self, keep: u64, least: u64) -> Vec<Extent> {
        let mut excess = count(&self.free).saturating_sub(keep);
        let mut taken = Vec::new();
        sort(&mut self.free, |a, b| a.pages > b.pages);
        for extent in &mut self.free {
            let pages = extent.pages.min(excess);
            if pages >= least.max(1) && extent.end() < self.end {
                extent.pages -= pages;
                excess -= pages;
                let start = extent.end();
                taken.push(Extent { start, pages });
            }
        }
        self.free.retain(|extent| extent.pages > 0);
        join(&mut self.free);
        join(&mut taken);
        taken
    }

    /// Whether there is nothing a map would say.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty() && self.retired.is_empty()
    }

    /// The payload of the map of these lists, in `words` words.
    pub fn to_map(&self, words: usize) -> Vec<u64> {
        let mut map = Vec::with_capacity(words);
        map.extend([self.free.len() as u64, self.retired.len() as u64]);
        let all = self.free.iter().chain(&self.retired);
        map.extend(all.map(|extent| extent.to_word()));
        map.resize(words.max(map.len()), 0);
        map
    }

    /// The lists of the map with this payload.
    pub fn from_map(map: &[u64], end: u64) -> Result<Space, Damage> {
        let [free, retired, rest @ ..] = map else {
            return Err(Damage::Map);
        };
        let (free, retired) = (*free as usize, *retired as usize);
        let total = free.checked_add(retired).filter(|n| *n <= rest.len());
        let total = total.ok_or(Damage::Map)?;
        let list = |words: &[u64]| words.iter().map(|word| Extent::from_word(*word)).collect();
        let space = Space {
            free: list(&rest[..free]),
            retired: list(&rest[free..total]),
            end,
        };
        let zero = rest[total..].iter().all(|word| *word == 0);
        if zero && space.is_sound() {
            Ok(space)
        } else {
            Err(Damage::Map)
        }
    }

    /// Whether the lists are sorted, do not overlap and stay between page 1 and the end.
    pub fn is_sound(&self) -> bool {
        let sorted = |list: &[Extent]| {
            list.windows(2).all(|pair| pair[0].end() <= pair[1].start)
                && list.iter().all(|extent| extent.fits(self.end))
        };
        let apart = subtract(&self.free, &self.retired) == self.free;
        sorted(&self.free) && sorted(&self.retired) && apart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn pages(list: &[Extent]) -> BTreeSet<u64> {
        list.iter().flat_map(|e| e.start..e.end()).collect()
    }

    fn extents(set: &BTreeSet<u64>) -> Vec<Extent> {
        let mut list: Vec<Extent> = set
            .iter()
            .map(|&start| Extent { start, pages: 1 })
            .collect();
        join(&mut list);
        list
    }

    proptest! {
        #[test]
        fn lists_behave_like_sets(
            a in proptest::collection::btree_set(1u64..60, 0..40),
            b in proptest::collection::btree_set(1u64..60, 0..40),
        ) {
            let (x, y) = (extents(&a), extents(&b));
            prop_assert_eq!(pages(&x), a.clone());
            let left = subtract(&x, &y);
            prop_assert_eq!(pages(&left), a.difference(&b).copied().collect());
            let mut both = x;
            both.extend(y);
            join(&mut both);
            prop_assert_eq!(pages(&both), a.union(&b).copied().collect());
        }

        #[test]
        fn what_is_taken_was_free_and_no_longer_is(
            free in proptest::collection::btree_set(1u64..60, 0..40),
            wants in proptest::collection::vec((1u64..6, any::<bool>()), 1..20),
        ) {
            let mut space = Space { free: extents(&free), retired: Vec::new(), end: 60 };
            let mut taken = BTreeSet::new();
            for (want, spread) in wants {
                let got = if spread {
                    space.take_spread(want).expect("window")
                } else {
                    vec![space.take(want).expect("window")]
                };
                prop_assert_eq!(got.iter().map(|e| e.pages).sum::<u64>(), want);
                for page in pages(&got) {
                    prop_assert!(page >= 60 || free.contains(&page));
                    prop_assert!(taken.insert(page));
                }
                prop_assert!(space.is_sound());
                prop_assert!(pages(&space.free).is_disjoint(&taken));
            }
            let map = space.to_map(100);
            prop_assert_eq!(Space::from_map(&map, space.end), Ok(space));
        }
    }

    proptest! {
        #[test]
        fn what_leaves_was_too_much(
            free in proptest::collection::btree_set(1u64..90, 0..80),
            keep in 0u64..60,
            least in 0u64..5,
        ) {
            let mut space = Space { free: extents(&free), retired: Vec::new(), end: 90 };
            let taken = space.take_excess(keep, least);
            prop_assert!(space.is_sound());
            prop_assert!(taken.iter().all(|extent| extent.pages >= least.max(1) && extent.end() < 90));
            let (left, gone) = (pages(&space.free), pages(&taken));
            prop_assert!(left.is_disjoint(&gone));
            prop_assert_eq!(&left | &gone, free.clone());
            prop_assert!(gone.is_empty() || left.len() as u64 >= keep);
            // Without bounds on pieces all of it goes but the last extent.
            let last = extents(&free).last().filter(|last| last.end() == 90).map_or(0, |l| l.pages);
            let most = (free.len() as u64).saturating_sub(keep).min(free.len() as u64 - last);
            prop_assert!(least > 1 || gone.len() as u64 == most);
        }
    }

    #[test]
    fn maps_that_contradict_themselves_are_refused() {
        let e = |start, pages| Extent { start, pages }.to_word();
        let good = [2, 1, e(2, 3), e(7, 1), e(5, 1), 0];
        assert!(Space::from_map(&good, 9).is_ok());
        for bad in [
            &[][..],
            &[1][..],
            &[2, 0, e(2, 1)][..],
            &[u64::MAX, 2, e(2, 1)][..],
            &[1, 0, e(0, 1)][..],
            &[1, 0, e(2, 0)][..],
            &[1, 0, e(8, 2)][..],
            &[2, 0, e(5, 1), e(2, 1)][..],
            &[1, 1, e(2, 3), e(4, 1)][..],
            &[1, 0, e(2, 3), 1][..],
        ] {
            assert_eq!(Space::from_map(bad, 9), Err(Damage::Map), "{bad:x?}");
        }
    }

    #[test]
    fn an_advance_frees_what_was_retired_and_lets_go_of_the_end() {
        let e = |start, pages| Extent { start, pages };
        let space = Space {
            free: vec![e(2, 1), e(8, 1)],
            retired: vec![e(3, 2), e(9, 1)],
            end: 10,
        };
        let next = space.advance();
        assert_eq!((next.free, next.end), (vec![e(2, 3)], 8));
        let mut full = Space {
            end: WINDOW_PAGES,
            ..Space::default()
        };
        assert_eq!(full.take(1), None);
    }
}
