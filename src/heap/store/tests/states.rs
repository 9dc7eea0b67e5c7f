//! Which states of a disk the simulation makes of what a store did: what the crash tests rely on.
//!
//! Invariants:
//! - the states expected are written out here, from what a disk may do, not from what is tested;
//! - a disk is a row of pages that each have one byte, but where sectors are looked at.

use super::super::sim::{Crashes, Effort, Event};
use std::collections::BTreeSet;

const PAGE: usize = 4096;
const SECTOR: usize = 512;
/// No state by chance.
const PLAIN: Effort = Effort {
    subsets: 7,
    random: 0,
};

/// All states of a disk of `pages` zero pages, and which of them were looked at after the last event.
fn states(pages: usize, log: &[Event], effort: Effort) -> (Vec<Vec<u8>>, u64) {
    let mut all = Vec::new();
    let mut judge = |bytes: &mut Vec<u8>, allowed: &[u64]| {
        assert_eq!(allowed, [1]);
        all.push(bytes.clone());
        Ok(())
    };
    let mut crashes = Crashes::new(vec![0; pages * PAGE], &[1], effort, 5, &mut judge);
    crashes.run(log).expect("nothing is wrong with any");
    let count = crashes.states;
    (all, count)
}

fn write(page: usize, byte: u8) -> Event {
    Event::Write((page * PAGE) as u64, vec![byte; PAGE])
}

/// The states whose pages are of one byte each, as those bytes.
fn whole(all: &[Vec<u8>]) -> BTreeSet<Vec<u8>> {
    let bytes = |disk: &Vec<u8>| {
        let pages = disk.chunks(PAGE);
        let bytes: Vec<u8> = pages.clone().map(|page| page[0]).collect();
        let plain = pages
            .zip(&bytes)
            .all(|(page, byte)| page.iter().all(|b| b == byte));
        plain.then_some(bytes)
    };
    all.iter().filter_map(bytes).collect()
}

fn set<const N: usize, const M: usize>(states: [[u8; N]; M]) -> BTreeSet<Vec<u8>> {
    states.iter().map(|state| state.to_vec()).collect()
}

#[test]
fn each_subset_of_what_was_written_in_any_order_is_a_state() {
    let (all, count) = states(3, &[write(0, 1), write(1, 2), write(2, 3)], PLAIN);
    assert_eq!(count, all.len() as u64);
    let wanted = set([
        [0, 0, 0],
        [1, 0, 0],
        [0, 2, 0],
        [1, 2, 0],
        [0, 0, 3],
        [1, 0, 3],
        [0, 2, 3],
        [1, 2, 3],
    ]);
    assert_eq!(whole(&all), wanted);
}

#[test]
fn each_page_is_torn_at_each_sector_with_and_without_the_others() {
    let (all, _) = states(2, &[write(0, 1), write(1, 2)], PLAIN);
    for (page, byte, others) in [(0, 1, [0, 2]), (1, 2, [1, 1])] {
        for cut in (1..8).map(|sectors| sectors * SECTOR) {
            for other in others {
                let mut disk = vec![other; 2 * PAGE];
                let torn = &mut disk[page * PAGE..][..PAGE];
                torn[..cut].fill(byte);
                torn[cut..].fill(0);
                assert!(
                    all.contains(&disk),
                    "page {page} torn at {cut} beside {other}"
                );
            }
        }
    }
    // By chance any of the sectors of a page is the only one that is new, or old.
    let random = 20_000;
    let (all, _) = states(1, &[write(0, 1)], Effort { random, ..PLAIN });
    for sector in 0..8 {
        for (byte, rest) in [(1, 0), (0, 1)] {
            let mut disk = vec![rest; PAGE];
            disk[sector * SECTOR..][..SECTOR].fill(byte);
            assert!(all.contains(&disk), "sector {sector} alone is {byte}");
        }
    }
}

#[test]
fn what_was_synced_stays_and_what_came_later_need_not() {
    let (all, _) = states(
        2,
        &[write(0, 1), Event::Sync, write(0, 2), write(1, 3)],
        PLAIN,
    );
    let wanted = set([[0, 0], [1, 0], [2, 0], [1, 3], [2, 3]]);
    assert_eq!(whole(&all), wanted);
}

#[test]
fn what_a_failed_sync_was_to_write_may_never_arrive() {
    let log = [write(0, 1), Event::FailedSync, write(1, 2), Event::Sync];
    let later = [write(2, 3), Event::Sync];
    let (all, _) = states(3, &[&log[..], &later[..]].concat(), PLAIN);
    let whole = whole(&all);
    assert!(whole.contains(&[0, 2, 3][..]) && whole.contains(&[1, 2, 3][..]));
    assert!(!whole.contains(&[0, 0, 3][..]) && !whole.contains(&[1, 0, 3][..]));
    // Written once more, it does.
    let again = [
        write(0, 1),
        Event::FailedSync,
        write(0, 4),
        Event::Sync,
        write(1, 5),
    ];
    let (all, _) = states(2, &again, PLAIN);
    assert!(
        !self::whole(&all)
            .iter()
            .any(|disk| disk[0] != 4 && disk[1] == 5)
    );
}

#[test]
fn holes_and_lengths_wait_for_the_sync_too() {
    let start = [write(0, 1), write(1, 2), Event::Sync];
    let changes = [Event::Punch(0, PAGE as u64), Event::Truncate(PAGE as u64)];
    let (all, _) = states(2, &[&start[..], &changes[..]].concat(), PLAIN);
    let after: BTreeSet<Vec<u8>> = whole(&all).into_iter().collect();
    for disk in [&[1, 2][..], &[0, 2], &[1], &[0]] {
        assert!(after.contains(disk), "{disk:?}");
    }
}
