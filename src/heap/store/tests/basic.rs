//! What a store does when nothing goes wrong: round trips, how little is written, space, collection,
//! depth, files, locks.

use super::super::format::PAGE;
use super::super::sim::{Random, Sim};
use super::super::*;
use super::crash::REGION;
use super::model::{Heap, contents, natural_digest};
use std::collections::HashSet;
use std::sync::atomic::AtomicU64;

pub fn image(heap: &mut Heap, root: Root) -> Sim {
    let mut sim = Sim::new(vec![0xEE; REGION as usize]);
    let mut store = Store::create(&mut sim, REGION, Options::default()).expect("no faults");
    store.commit(heap, root).expect("no faults");
    store.settle();
    sim
}

pub fn mount(sim: &mut Sim) -> Store<&mut Sim> {
    let mounted = Store::mount(sim, REGION, Options::default()).expect("a sound image");
    assert_eq!(mounted.passed_over, None);
    mounted.store
}

#[test]
fn random_graphs_come_back_as_they_were() {
    for seed in 0..40 {
        let (mut heap, mut random) = (Heap::default(), Random(seed));
        let mut all = Vec::new();
        for _ in 0..1 + random.below(200) {
            let pin = heap.random(&mut random, &all);
            all.push(pin);
        }
        let root = heap.row(1, 1, &all[..all.len().min(14)]);
        let mut sim = image(&mut heap, Root::Pin(root));
        let mut store = mount(&mut sim);
        let (known, digest) = contents(&mut store).expect("sound");
        assert_eq!(digest, heap.digest(root));
        let reached: HashSet<u64> = heap
            .reachable(&[root])
            .iter()
            .map(|pin| heap.digest(*pin))
            .collect();
        assert_eq!(known.keys().copied().collect::<HashSet<u64>>(), reached);
        for pin in heap.reachable(&[root]) {
            let pin = &heap.pins[pin as usize];
            assert!(pin.address.is_some());
        }
        let report = store.scrub().expect("no faults");
        assert_eq!(
            (report.total, report.pins),
            (0, heap.reachable(&[root]).len() as u64)
        );
    }
}

#[test]
fn a_copy_through_export_has_the_same_content() {
    let (mut heap, mut random) = (Heap::default(), Random(5));
    let mut all = Vec::new();
    for _ in 0..100 {
        let pin = heap.random(&mut random, &all);
        all.push(pin);
    }
    let root = heap.row(1, 1, &all[90..]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let mut store = mount(&mut sim);
    let (mut copy, mut names) = (Heap::default(), std::collections::HashMap::new());
    let mut last = 0;
    store
        .export(&mut |address, object| {
            let mut object = object.clone();
            object
                .pins
                .iter_mut()
                .for_each(|(_, pin)| *pin = names[&*pin]);
            last = copy.add(object);
            names.insert(address, last);
            Ok(())
        })
        .expect("sound");
    assert_eq!(copy.digest(last), heap.digest(root));
    let mut other = image(&mut copy, Root::Pin(last));
    assert_eq!(
        contents(&mut mount(&mut other)).expect("sound").1,
        heap.digest(root)
    );
}

#[test]
fn a_changed_tiny_state_costs_two_writes_and_one_sync() {
    let mut heap = Heap::default();
    let first = heap.row(1, 1, &[]);
    let mut sim = image(&mut heap, Root::Pin(first));
    let mut store = mount(&mut sim);
    for i in 0..100 {
        let before = (store.storage().writes, store.storage().syncs);
        let pin = heap.row(100 + i, 1, &[]);
        let outcome = store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
        assert_eq!(outcome, Outcome::Committed { pins: 1, pages: 1 });
        let sim = store.storage();
        assert_eq!((sim.writes - before.0, sim.syncs - before.1), (2, 1));
    }
    let two = Options {
        two_syncs: true,
        ..Options::default()
    };
    store.settle();
    let mut store = Store::mount(&mut sim, REGION, two).expect("sound").store;
    let before = store.storage().syncs;
    let pin = heap.row(3, 1, &[]);
    store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
    assert_eq!(store.storage().syncs - before, 2);
}

#[test]
fn after_a_kill_the_first_commit_settles_what_was_found() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(1));
    mount(&mut sim)
        .commit(&mut heap, Root::Natural(2))
        .expect("no faults");
    let syncs = sim.syncs;
    let mut store = mount(&mut sim);
    store
        .commit(&mut heap, Root::Natural(3))
        .expect("no faults");
    store
        .commit(&mut heap, Root::Natural(4))
        .expect("no faults");
    assert_eq!(sim.syncs - syncs, 3);
}

#[test]
fn an_unchanged_value_writes_nothing() {
    let mut heap = Heap::default();
    let child = heap.row(2, 3, &[]);
    let root = heap.row(1, 1, &[child]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let mut store = mount(&mut sim);
    let calls = store.storage().log.len();
    // The same pin, and another one with the same content over the same stored pin.
    let other = heap.row(1, 1, &[child]);
    for pin in [root, other] {
        assert_eq!(
            store.commit(&mut heap, Root::Pin(pin)),
            Ok(Outcome::Unchanged)
        );
    }
    assert_eq!(
        heap.pins[other as usize].address,
        heap.pins[root as usize].address
    );
    assert_eq!(store.storage().log.len(), calls);
    assert_eq!(store.commit(&mut heap, Root::Natural(5)).map(drop), Ok(()));
    let calls = store.storage().log.len();
    assert_eq!(
        store.commit(&mut heap, Root::Natural(5)),
        Ok(Outcome::Unchanged)
    );
    assert_eq!(store.storage().log.len(), calls);
}

#[test]
fn only_what_is_new_is_written() {
    let mut heap = Heap::default();
    let big = heap.row(2, 3000, &[]);
    let root = heap.row(1, 1, &[big]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let mut store = mount(&mut sim);
    let next = heap.row(9, 1, &[big, root]);
    let outcome = store.commit(&mut heap, Root::Pin(next));
    assert_eq!(outcome, Ok(Outcome::Committed { pins: 1, pages: 1 }));
    // Stored ahead: the commit writes the superblock only.
    let ahead = heap.row(10, 1, &[next]);
    let root_before = store.root();
    store.precommit(&mut heap, ahead).expect("no faults");
    assert_eq!(store.root(), root_before);
    let outcome = store.commit(&mut heap, Root::Pin(ahead));
    assert_eq!(outcome, Ok(Outcome::Committed { pins: 0, pages: 0 }));
    assert_eq!(
        contents(&mut mount(&mut sim)).expect("sound").1,
        heap.digest(ahead)
    );
}

#[test]
fn the_previous_generation_stays_openable() {
    let mut heap = Heap::default();
    let first = heap.row(1, 5, &[]);
    let mut sim = image(&mut heap, Root::Pin(first));
    let second = heap.row(2, 5, &[]);
    mount(&mut sim)
        .commit(&mut heap, Root::Pin(second))
        .expect("no faults");
    assert_eq!(mount(&mut sim).previous().map(|s| s.sequence), Some(1));
    // Damage to the new root.
    let address = mount(&mut sim).superblock().root_address().expect("a pin");
    let at = REGION + format::DATA + (address - format::BASE);
    sim.bytes[at as usize + 16] ^= 1;
    let mounted = Store::mount(&mut sim, REGION, Options::default()).expect("the older one");
    assert_eq!(mounted.passed_over, Some(Damage::Incomplete));
    let mut store = mounted.store;
    assert_eq!(contents(&mut store).expect("sound").1, heap.digest(first));
    // And it goes on from there.
    heap.pins.iter_mut().for_each(|pin| pin.address = None);
    store
        .commit(&mut heap, Root::Pin(second))
        .expect("no faults");
    assert_eq!(
        contents(&mut mount(&mut sim)).expect("sound").1,
        heap.digest(second)
    );
}

#[test]
fn collected_space_is_reused_and_repeating_does_nothing() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(0));
    let mut store = mount(&mut sim);
    for i in 0..100 {
        let pin = heap.row(i, 3, &[]);
        store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
    }
    let pages = store.superblock().pages;
    assert!(pages >= 100);
    let previous = store.previous().map(|s| s.sequence);
    let collected = store.collect(&[]).expect("no faults");
    assert_eq!((collected.found, collected.free), (98 + 1, 98 + 1));
    assert_eq!(
        store.previous().map(|s| s.sequence),
        previous,
        "both generations stay"
    );
    let log = store.storage().log.len();
    let again = store.collect(&[]).expect("no faults");
    assert_eq!((again.found, store.storage().log.len()), (0, log));
    let mut store = mount(&mut sim);
    assert_eq!(store.collect(&[]).expect("no faults").found, 0);
    assert_eq!(store.storage().log.len(), log, "nor in another process");
    let length = store.storage().bytes.len();
    for i in 0..80 {
        let pin = heap.row(1000 + i, 3, &[]);
        store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
        assert!(store.storage().bytes.len() <= length);
    }
    assert_eq!(store.scrub().expect("no faults").total, 0);
}

#[test]
fn the_record_around_an_address_is_found_and_kept_while_memory_refers_into_it() {
    let (mut heap, mut random) = (Heap::default(), Random(11));
    let mut all = Vec::new();
    for _ in 0..60 {
        let pin = heap.random(&mut random, &all);
        all.push(pin);
    }
    let root = heap.row(1, 1, &all[46..]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let mut store = mount(&mut sim);
    let pages = store.superblock().pages;
    let mut reader = read::Reader::new(REGION, pages);
    for pin in heap.reachable(&[root]) {
        let pin = &heap.pins[pin as usize];
        let (address, words) = (pin.address.expect("stored"), pin.object.words.len());
        for word in [0, words - 1, random.below(words), random.below(words)] {
            let inside = address + 8 * word as u64;
            let found = reader
                .containing(store.storage(), inside)
                .expect("there is one");
            assert_eq!(found.address, address);
        }
    }
    for nowhere in [0, format::BASE + 16, format::address_in(pages, 2), u64::MAX] {
        let found = reader.containing(store.storage(), nowhere);
        assert_eq!(found, Err(Error::Damaged(Damage::Reference)), "{nowhere:x}");
    }
    // Two commits later nothing but memory refers to it.
    let address = heap.pins[root as usize].address.expect("stored");
    for n in 0..3 {
        store
            .commit(&mut heap, Root::Natural(n))
            .expect("no faults");
    }
    let held = store.collect(&[address + 24]).expect("no faults");
    let outcome = store.commit(&mut heap, Root::Pin(root));
    assert!(
        matches!(outcome, Ok(Outcome::Committed { pins: 0, .. })),
        "{outcome:?}"
    );
    assert_eq!(store.scrub().expect("no faults").total, 0);
    assert_eq!(contents(&mut store).expect("sound").1, heap.digest(root));
    for n in 0..3 {
        store
            .commit(&mut heap, Root::Natural(n))
            .expect("no faults");
    }
    let dropped = store.collect(&[]).expect("no faults");
    assert_eq!((held.free, dropped.live), (0, 1));
}

/// FL: what a collection gives back is used again.
#[test]
fn after_a_hundred_thousand_commits_the_pages_given_back_are_used_again() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(0));
    sim.quiet = true;
    let mut store = mount(&mut sim);
    let mut run = |store: &mut Store<&mut Sim>, count: u64| {
        for _ in 0..count {
            heap.pins.clear();
            let pin = heap.row(store.superblock().sequence, 1, &[]);
            store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
            store.storage().log.clear();
        }
    };
    run(&mut store, 100_000);
    let collected = store.collect(&[]).expect("no faults");
    assert!(collected.free >= 99_990, "{collected:?}");
    let end = store.superblock().pages;
    run(&mut store, collected.free * 95 / 100);
    assert!(store.space().end <= end, "pages were appended");
    assert_eq!(store.scrub().expect("no faults").total, 0);
}

/// FL-4: commits in a steady state, collected now and then, keep the file small.
#[test]
fn a_steady_state_keeps_the_file_within_twice_the_live_data() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(0));
    let mut store = mount(&mut sim);
    let mut leaves: Vec<u64> = (0..14).map(|i| heap.row(i, 800, &[])).collect();
    let mut random = Random(3);
    let mut most = 0;
    for i in 0..2000 {
        leaves[random.below(14)] = heap.row(100 + i, 600 + random.below(600), &[]);
        let root = heap.row(i, 1, &leaves);
        store.commit(&mut heap, Root::Pin(root)).expect("no faults");
        if i % 8 == 0 {
            store.collect(&[]).expect("no faults");
        }
        most = most.max(store.storage().bytes.len());
    }
    let live = 14 * 3 * PAGE;
    assert!(most < 3 * live, "{most} bytes for {live} live ones");
    assert_eq!(store.scrub().expect("no faults").total, 0);
}

#[test]
fn free_space_at_the_end_is_cut_off_once_nothing_reaches_it() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(0));
    let mut store = mount(&mut sim);
    let big = heap.row(1, 100_000, &[]);
    store.commit(&mut heap, Root::Pin(big)).expect("no faults");
    let long = store.storage().bytes.len();
    for n in 1..=6 {
        store
            .commit(&mut heap, Root::Natural(n))
            .expect("no faults");
        store.collect(&[]).expect("no faults");
    }
    let short = store.storage().bytes.len();
    assert!(short < long / 20, "{short} of {long} bytes");
}

#[test]
fn a_chain_of_a_million_pins_is_stored_checked_and_collected_without_recursion() {
    let mut heap = Heap::default();
    let mut pin = heap.row(0, 1, &[]);
    for i in 0..1_000_000 {
        pin = heap.row(i, 1, &[pin]);
    }
    let mut sim = image(&mut heap, Root::Pin(pin));
    sim.log.clear();
    let mut store = mount(&mut sim);
    assert_eq!(store.scrub().expect("no faults").pins, 1_000_001);
    let collected = store.collect(&[]).expect("no faults");
    assert_eq!(collected.free, 0);
    let mut count = 0;
    store
        .export(&mut |_, _| {
            count += 1;
            Ok(())
        })
        .expect("sound");
    assert_eq!(count, 1_000_001);
}

#[test]
fn a_region_is_never_made_over_something_and_never_taken_for_empty() {
    let options = Options::default();
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(3));
    let refused = Store::create(&mut sim, REGION, options).err();
    assert_eq!(refused.map(|e| e.errno()), Some(crate::os::Errno::EEXIST));
    let mut gone = Sim::new(vec![0xEE; REGION as usize]);
    let missing = Store::mount(&mut gone, REGION, options).err();
    assert_eq!(missing, Some(Error::Missing));
    let mut zero = Sim::new(vec![0; 5 * PAGE]);
    let refused = Store::mount(&mut zero, REGION, options).err();
    assert_eq!(refused, Some(Error::Damaged(Damage::Superblock)));
    assert_eq!((zero.writes, gone.writes), (0, 0));
    let read_only = Options {
        read_only: true,
        ..options
    };
    let mut store = Store::mount(&mut sim, REGION, read_only)
        .expect("sound")
        .store;
    assert_eq!(store.root(), 3);
    assert_eq!(natural_digest(3), contents(&mut store).expect("sound").1);
    assert_eq!(
        store.commit(&mut heap, Root::Natural(4)),
        Err(Error::ReadOnly)
    );
    assert_eq!(store.collect(&[]).err(), Some(Error::ReadOnly));
    assert_eq!(store.scrub().expect("no faults").total, 0);
}

#[test]
fn a_real_file_is_locked_written_and_read_again() {
    use crate::os::{file, offspring::tests::FORKING};
    use std::os::unix::ffi::OsStrExt;
    let _alone = FORKING.lock();
    let name = format!("plan-store-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, vec![0xEE; REGION as usize]).expect("a file");
    let open = |writing| {
        let file = file::open_both(path.as_os_str().as_bytes()).expect("it is there");
        FileStorage::new(file, writing)
    };
    let mut heap = Heap::default();
    let pin = heap.row(1, 2000, &[]);
    let storage = open(true).expect("nobody else has it");
    assert_eq!(open(true).err(), Some(Error::Locked));
    assert_eq!(open(false).err(), Some(Error::Locked));
    let mut store = Store::create(storage, REGION, Options::default()).expect("a region");
    store.commit(&mut heap, Root::Pin(pin)).expect("space");
    for n in 0..20 {
        let pin = heap.row(n, 700, &[]);
        store.commit(&mut heap, Root::Pin(pin)).expect("space");
    }
    let last = store.superblock().sequence;
    let mut beside = store.storage().beside().expect("descriptors");
    let mut marking = store.begin_marking(&[]).expect("readable");
    while !marking.step(&mut beside, 5).expect("readable") {}
    assert!(store.finish(marking).expect("space").found > 20);
    store.settle();
    drop(store);
    assert_eq!(
        open(true).err(),
        Some(Error::Locked),
        "it is the same opening"
    );
    drop(beside);
    let mounted = Store::mount(open(true).expect("free"), REGION, Options::default());
    let mut store = mounted.expect("sound").store;
    assert_eq!(store.superblock().sequence, last);
    assert_eq!(store.scrub().expect("readable").total, 0);
    assert!(!store.space().is_empty());
    store.commit(&mut heap, Root::Natural(1)).expect("space");
    drop(store);
    let reader = open(false).expect("free");
    assert!(open(false).is_ok(), "readers do not exclude each other");
    let store = Store::mount(reader, REGION, Options::default())
        .expect("sound")
        .store;
    assert_eq!(store.root(), 1);
    std::fs::remove_file(&path).expect("it is there");
}

/// A collection that takes longer than its process waits is due again when twice as much is in use.
#[test]
fn a_collection_without_time_is_given_up_until_there_is_more() {
    let mut heap = Heap::default();
    let mut sim = Sim::new(vec![0xEE; REGION as usize]);
    let mut store = Store::create(&mut sim, REGION, Options::default()).expect("a region");
    let pins: Vec<u64> = (0..600).map(|n| heap.row(n, 3, &[])).collect();
    let commit = |store: &mut Store<&mut Sim>, heap: &mut Heap, n| {
        let garbage = heap.row(n, 20_000, &[]);
        let root = heap.row(n, 1, &[&pins[..], &[garbage]].concat());
        store.commit(heap, Root::Pin(root)).expect("space");
    };
    let mut n = 0;
    let mut limit = 0;
    for attempt in 0..4 {
        while !store.is_due() {
            n += 1;
            commit(&mut store, &mut heap, n);
        }
        assert!(store.used() >= limit, "attempt {attempt}");
        limit = 2 * store.used();
        let mut marking = store.begin_marking(&[]).expect("readable");
        let mut beside = Sim::new(store.storage().bytes.clone());
        let until = AtomicU64::new(0);
        assert_eq!(marking.run(&mut &mut beside, &until), Ok(false));
        store.abandon();
        store.settle();
    }
    while !store.is_due() {
        n += 1;
        commit(&mut store, &mut heap, n);
    }
    let used = store.used();
    let mut marking = store.begin_marking(&[]).expect("readable");
    let mut beside = Sim::new(store.storage().bytes.clone());
    let until = AtomicU64::new(u64::MAX);
    assert_eq!(marking.run(&mut &mut beside, &until), Ok(true));
    let collected = store.finish(marking).expect("space");
    assert!(collected.found > used * 3 / 4, "{collected:?} {used}");
}
