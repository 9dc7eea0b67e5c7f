//! Single decisions of the store that random workloads seldom come to: what counts as settled, what
//! a generation must not become, limits, and what is refused though its checksum is right.

use super::super::format::{DATA, Extent, Notes, PAGE, PAGE_WORDS, Slot, address_in};
use super::super::gather::{Placer, Spot};
use super::super::mount::read_slots;
use super::super::object::children;
use super::super::read::{Reader, Record};
use super::super::sim::{Fault, Sim};
use super::super::storage::{Parts, Storage, write_all};
use super::super::*;
use super::basic::{image, mount};
use super::crash::REGION;
use super::model::{Heap, contents};
use crate::value::{Header, Kind, TAG_MEGAPIN};

/// Where the page an address lies in is in the file, and the address.
fn at(address: u64) -> usize {
    (REGION + DATA + address - format::BASE) as usize
}

fn slot_at(slot: usize) -> usize {
    REGION as usize + slot * PAGE
}

/// The superblock with this sequence, and its slot.
fn found(sim: &mut Sim, sequence: u64) -> (usize, Superblock) {
    let mut reader = Reader::new(REGION, 0);
    let slots = read_slots(&mut reader, &mut &mut *sim, REGION).expect("no faults");
    let all = slots.into_iter().enumerate();
    let mut found = all.filter_map(|(number, slot)| match slot {
        Slot::Valid(superblock, _) if superblock.sequence == sequence => Some((number, superblock)),
        _ => None,
    });
    found.next().expect("there is one")
}

/// Puts another superblock into a slot.
fn replace(sim: &mut Sim, slot: usize, superblock: &Superblock) {
    let (page, _) = superblock.encode();
    sim.bytes[slot_at(slot)..][..PAGE].copy_from_slice(&page);
}

fn mount_error(sim: &mut Sim) -> Option<Error> {
    Store::mount(sim, REGION, Options::default()).err()
}

/// Two generations, the second settled: a pin of two pins, one of them large.
fn two() -> (Heap, Sim, u64) {
    let mut heap = Heap::default();
    let (leaf, big) = (heap.row(1, 2, &[]), heap.row(2, 700, &[]));
    let root = heap.row(3, 1, &[leaf, big, leaf]);
    let mut sim = image(&mut heap, Root::Natural(1));
    let mut store = mount(&mut sim);
    store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    store.settle();
    (heap, sim, root)
}

#[test]
fn what_is_known_to_be_durable_is_settled_and_nothing_else() {
    let (mut heap, mut sim, _) = two();
    assert!(mount(&mut sim).is_settled());
    for garbage in [0, 0xEE] {
        let mut bytes = sim.bytes.clone();
        bytes[slot_at(1 - found(&mut sim, 2).0)..][..PAGE].fill(garbage);
        let mut other = Sim::new(bytes);
        let mounted = Store::mount(&mut other, REGION, Options::default()).expect("sound");
        assert!(!mounted.store.is_settled(), "{garbage:x}");
    }
    mount(&mut sim)
        .commit(&mut heap, Root::Natural(3))
        .expect("no faults");
    for _ in 0..2 {
        let mut store = mount(&mut sim);
        assert!(!store.is_settled());
        // Nobody synced it here: to end changes nothing.
        store.settle();
    }
}

/// "Unchanged" is said of what is durable only: here nobody knows, so it is synced.
#[test]
fn an_unchanged_value_that_was_found_is_made_durable() {
    let (mut heap, mut sim, root) = two();
    let leaf = heap.pins[root as usize].object.pins[0].1;
    mount(&mut sim)
        .commit(&mut heap, Root::Pin(leaf))
        .expect("no faults");
    let other = heap.pins[leaf as usize].object.clone();
    let other = heap.add(other);
    for pin in [leaf, other] {
        let mut store = mount(&mut sim);
        let before = store.storage().syncs;
        for _ in 0..3 {
            heap.pins[other as usize].address = None;
            let outcome = store.commit(&mut heap, Root::Pin(pin));
            assert_eq!(outcome, Ok(Outcome::Unchanged));
        }
        assert_eq!(store.storage().syncs - before, 1);
    }
}

/// A superblock whose data never came must not become true when the same data is written again.
#[test]
fn an_incomplete_generation_does_not_come_true_later() {
    let mut heap = Heap::default();
    let pin = heap.row(5, 2, &[]);
    let mut sim = image(&mut heap, Root::Natural(1));
    let mut store = mount(&mut sim);
    store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
    let address = heap.pins[pin as usize].address.take().expect("stored");
    sim.bytes[at(address) - at(address) % PAGE..].fill(0);
    let mounted = Store::mount(&mut sim, REGION, Options::default()).expect("the first one");
    assert_eq!(mounted.passed_over, Some(Damage::Incomplete));
    let mut store = mounted.store;
    let again = store.precommit(&mut heap, pin).expect("no faults");
    assert_eq!((again, store.root()), (address, 1));
    let mut store = mount(&mut sim);
    assert_eq!(store.root(), 1);
    store
        .commit(&mut heap, Root::Natural(2))
        .expect("no faults");
    assert_eq!(
        store.superblock().sequence,
        2,
        "nothing is left of the other one"
    );
}

/// While something of a later generation is still there, its number is not used again.
#[test]
fn numbers_of_generations_are_not_used_twice() {
    let (mut heap, mut sim, root) = two();
    let address = heap.pins[root as usize].address.take().expect("stored");
    sim.bytes[at(address) + 16] ^= 1;
    let mounted = Store::mount(&mut sim, REGION, Options::default()).expect("the first one");
    let mut store = mounted.store;
    assert_eq!(store.superblock().sequence, 1);
    store
        .commit(&mut heap, Root::Natural(2))
        .expect("no faults");
    assert_eq!(store.superblock().sequence, 3);
}

#[test]
fn what_was_stored_ahead_stays_until_the_commit() {
    let (mut heap, mut sim, _) = two();
    let mut store = mount(&mut sim);
    let big = heap.row(7, 900, &[]);
    store.precommit(&mut heap, big).expect("no faults");
    store.collect(&[]).expect("no faults");
    let outcome = store.commit(&mut heap, Root::Pin(big));
    assert!(matches!(outcome, Ok(Outcome::Committed { pins: 0, .. })));
    assert_eq!(store.scrub().expect("no faults").total, 0);
    assert_eq!(contents(&mut store).expect("sound").1, heap.digest(big));
    // Over and over, it is one pin.
    for _ in 0..100 {
        store.precommit(&mut heap, big).expect("no faults");
    }
    assert!(store.precommitted.is_empty());
}

#[test]
fn a_commit_that_fails_takes_no_space_and_a_sync_that_fails_ends_the_store() {
    for (two_syncs, precommit, call) in [
        (false, false, 0),
        (false, true, 1),
        (true, false, 1),
        (true, false, 3),
    ] {
        let (mut heap, mut sim, _) = two();
        let options = Options {
            two_syncs,
            ..Options::default()
        };
        let mut store = Store::mount(&mut sim, REGION, options)
            .expect("sound")
            .store;
        let pin = heap.row(8, 3, &[]);
        let space = store.space().clone();
        // The root is a pin of another size, which is looked at first.
        let at = store.storage().calls + 1 + u64::from(!precommit) + call;
        store.storage().fault = Some((at, Fault::Fail(Errno::EIO)));
        let error = if precommit {
            store.precommit(&mut heap, pin).err()
        } else {
            store.commit(&mut heap, Root::Pin(pin)).err()
        };
        let step = if call == 0 { "write" } else { "sync" };
        assert_eq!(error, Some(Error::Io(step, Errno::EIO)));
        assert_eq!(store.failed(), call > 0, "{two_syncs} {precommit} {call}");
        assert!(call > 0 || *store.space() == space);
        assert_eq!(heap.pins[pin as usize].address, None);
    }
}

/// More extents than a superblock can list, or more bytes than mount would read, are synced first.
#[test]
fn what_mount_would_not_check_is_durable_before_the_superblock() {
    let (mut heap, mut sim, _) = two();
    let mut store = mount(&mut sim);
    let leaves: Vec<u64> = (0..48).map(|i| heap.row(i, 700, &[])).collect();
    let all = heap.row(1, 1, &leaves[..24]);
    let half: Vec<u64> = (0..48).filter(|i| i % 2 == 0).map(|i| leaves[i]).collect();
    let both = heap.row(1, 1, &leaves);
    for root in [both, all] {
        store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    }
    let kept = heap.row(2, 1, &half);
    for n in 0..2 {
        store.commit(&mut heap, Root::Pin(kept)).expect("no faults");
        store
            .commit(&mut heap, Root::Natural(n))
            .expect("no faults");
    }
    store.commit(&mut heap, Root::Pin(kept)).expect("no faults");
    store.commit(&mut heap, Root::Pin(kept)).expect("no faults");
    store.collect(&[]).expect("no faults");
    store
        .commit(&mut heap, Root::Natural(9))
        .expect("no faults");
    store.commit(&mut heap, Root::Pin(kept)).expect("no faults");
    assert!(
        store.space().free.len() > format::DELTA,
        "{:?}",
        store.space()
    );
    let more: Vec<u64> = (0..20).map(|i| heap.row(100 + i, 700, &[])).collect();
    let root = heap.row(3, 1, &[&half[..], &more[..]].concat());
    let syncs = store.storage().syncs;
    store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    assert_eq!(store.storage().syncs - syncs, 2);
    assert_eq!(store.superblock().delta.count, 0);
    store.settle();
    let little = Options {
        check_limit: 4 * PAGE as u64,
        ..Options::default()
    };
    for (limbs, syncs) in [(600, 1), (4000, 2)] {
        let mut store = Store::mount(&mut sim, REGION, little).expect("sound").store;
        let before = store.storage().syncs;
        let pin = heap.row(4, limbs, &[]);
        store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
        assert_eq!(store.storage().syncs - before, syncs, "{limbs}");
        store.settle();
    }
}

#[test]
fn the_newest_map_of_free_space_is_taken() {
    let (mut heap, mut sim, _) = two();
    let mut store = mount(&mut sim);
    let mut commits = |store: &mut Store<&mut Sim>, count: u64| {
        for i in 0..count {
            let pin = heap.row(i, 600, &[]);
            store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
        }
    };
    commits(&mut store, 9);
    store.collect(&[]).expect("no faults");
    commits(&mut store, 3);
    assert!(store.superblock().map.address != 0);
    let before = store.space().clone();
    store.collect(&[]).expect("no faults");
    let space = store.space().clone();
    assert_ne!(space, before);
    assert_eq!(mount(&mut sim).space(), &space);
}

#[test]
fn notes_speak_of_one_superblock_and_hints_are_bounded() {
    let (heap, mut sim, root) = two();
    let child = heap.pins[root as usize].object.pins[1].1;
    let child = heap.pins[child as usize].address.expect("stored");
    let (_, superblock) = found(&mut sim, 2);
    let (_, superblock_crc) = superblock.encode();
    let mut notes = Notes {
        sequence: 2,
        superblock_crc,
        live: u64::MAX >> 1,
        ..Notes::default()
    };
    let page = at(format::BASE);
    sim.bytes[page..][..PAGE].copy_from_slice(&notes.encode());
    assert_eq!((mount(&mut sim).live, mount(&mut sim).is_due()), (0, false));
    notes.superblock_crc ^= 1;
    sim.bytes[page..][..PAGE].copy_from_slice(&notes.encode());
    sim.bytes[at(child) + 64] ^= 1;
    let mounted = Store::mount(&mut sim, REGION, Options::default()).expect("the first one");
    assert_eq!(mounted.passed_over, Some(Damage::Incomplete));
}

#[test]
fn superblocks_that_contradict_their_root_are_damage() {
    let (_, mut sim, _) = two();
    let (slot, good) = found(&mut sim, 2);
    sim.bytes[slot_at(1 - slot)..][..PAGE].fill(0);
    let settled = Superblock {
        delta: format::Delta::default(),
        ..good
    };
    let small = Options {
        check_limit: 8,
        ..Options::default()
    };
    replace(&mut sim, slot, &settled);
    assert!(Store::mount(&mut sim, REGION, small).is_ok());
    let mega = settled.root & !(0xFFFF << 48) | (TAG_MEGAPIN | format::STORED) << 48;
    let other = |root, root_crc, sequence| Superblock {
        root,
        root_crc,
        sequence,
        ..settled
    };
    for (bad, why) in [
        (other(mega, good.root_crc, 2), Damage::Reference),
        (other(good.root, good.root_crc ^ 1, 2), Damage::Checksum),
        (other(good.root, good.root_crc, 0), Damage::Superblock),
        (
            other(good.root, good.root_crc, u64::MAX),
            Damage::Superblock,
        ),
    ] {
        replace(&mut sim, slot, &bad);
        assert_eq!(mount_error(&mut sim), Some(Error::Damaged(why)));
        let error = Store::mount(&mut sim, REGION, small).err();
        assert_eq!(error, Some(Error::Damaged(why)));
    }
}

/// D-28: what no record uses is zero, and a scrub sees where it is not.
#[test]
fn a_scrub_sees_bytes_that_belong_to_nothing() {
    let (heap, mut sim, root) = two();
    let slot = slot_at(1 - found(&mut sim, 2).0);
    let (root, big) = (&heap.pins[root as usize], &heap.pins[1]);
    let root_at = at(root.address.expect("stored"));
    let big_at = at(big.address.expect("stored"));
    let page = root_at - root_at % PAGE;
    let count = sim.bytes[page] ^ 1;
    let cases = [
        (
            "the end of a shared page",
            page + PAGE - 1,
            0x40,
            Damage::Reserved,
        ),
        ("the number of its words", page, count, Damage::Reserved),
        (
            "the end of a large record",
            big_at - 16 + 2 * PAGE - 1,
            0x40,
            Damage::Reserved,
        ),
        ("above a checksum", root_at - 12, 0x40, Damage::Checksum),
        ("a slot", slot + 9, 0x40, Damage::Superblock),
    ];
    for (what, place, change, damage) in cases {
        let mut bytes = sim.bytes.clone();
        bytes[place] ^= change;
        let mut changed = Sim::new(bytes);
        let limit = Options {
            check_limit: 8,
            ..Options::default()
        };
        let mut mounted = Store::mount(&mut changed, REGION, limit).expect("one of two");
        let report = mounted.store.scrub().expect("no faults");
        let listed = report.findings.iter().any(|one| one.damage == damage);
        let seen = listed || mounted.passed_over == Some(damage);
        assert!(seen, "{what}: {:?}", report.findings);
        // Whoever mounts it need not look; who scrubs it must see the slot.
        assert!(listed || damage == Damage::Checksum, "{what}");
    }
}

/// A map by which the next commit would overwrite what is in use.
#[test]
fn a_scrub_sees_free_space_that_is_in_use() {
    let (heap, mut sim, root) = two();
    let mut store = mount(&mut sim);
    let address = heap.pins[root as usize].address.expect("stored");
    let page = Extent {
        start: format::page_of(address),
        pages: 1,
    };
    for retired in [false, true] {
        let list = vec![page];
        (store.space.free, store.space.retired) = match retired {
            true => (Vec::new(), list),
            false => (list, Vec::new()),
        };
        let findings = store.scrub().expect("no faults").findings;
        assert!(findings.iter().any(|one| one.damage == Damage::Map));
    }
}

#[test]
fn records_begin_and_end_where_they_may() {
    let mut sim = Sim::new(vec![0; REGION as usize + 8 * PAGE]);
    let header = |kind: Kind, words: usize| Header::new(kind, words).bits();
    let pin = |words| header(Kind::Pin, words);
    let cases = [
        (1, 3, pin(10), true),
        (1, 3, header(Kind::Megapin, 10), true),
        (1, 3, header(Kind::Nat, 10), true),
        (1, 3, header(Kind::Law, 10), false),
        (1, 3, Header::nat(630).bits(), false),
        (1, 2, pin(10), false),
        (1, 3, pin(407), true),
        (1, 105, pin(407), true),
        (1, 106, pin(407), false),
        (1, 3, pin(408), false),
        (1, 2, pin(408), true),
        (2, 2, pin(2 * PAGE_WORDS - 2), true),
        (2, 2, pin(2 * PAGE_WORDS - 1), false),
        (2, 1, pin(10), false),
        (0, 3, pin(10), false),
        (4, 3, pin(10), false),
    ];
    for (page, word, header, right) in cases {
        let address = address_in(page, word);
        let place = at(address) - 8;
        sim.bytes[place..place + 8].copy_from_slice(&header.to_le_bytes());
        let mut reader = Reader::new(REGION, 4);
        let head = reader.head(&mut &mut sim, address);
        assert_eq!(head.is_ok(), right, "{page} {word} {header:x}");
        assert!(reader.head(&mut &mut sim, address + 4).is_err());
        sim.bytes[place..place + 8].fill(0);
    }
    let mut reader = Reader::new(REGION, 3);
    assert!(reader.page(&mut &mut sim, 2).is_ok());
    assert!(reader.page(&mut &mut sim, 3).is_err());
}

#[test]
fn lists_that_do_not_fit_their_record_are_damage() {
    let mut heap = Heap::default();
    let leaf = heap.row(1, 2, &[]);
    let (one, mega) = (heap.row(2, 1, &[leaf]), heap.mega(leaf));
    let root = heap.row(3, 1, &[one, mega]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let mut store = mount(&mut sim);
    let mut read = |pin: u64| {
        let address = heap.pins[pin as usize].address.expect("stored");
        let mut record = Record::default();
        let mut reader = Reader::new(REGION, store.superblock().pages);
        let done = reader.record(store.storage(), address, &mut record);
        done.map(|()| record).expect("sound")
    };
    let listed = |record: &Record| children(record, &mut Vec::new());
    let (one, mega) = (read(one), read(mega));
    assert_eq!((listed(&one), listed(&mega)), (Ok(()), Ok(())));
    let change = |record: &Record, at: usize, word: u64| {
        let mut record = record.clone();
        record.words[1 + at] = word;
        record
    };
    // One pin: its checksum has half a word to itself.
    let padded = change(&one, 7, one.words[8] | 1 << 40);
    let zero = [1, 3, 5].map(|at| change(&one, at, 1));
    let beyond = change(&one, 2, 1 << 40);
    let mut longer = mega.clone();
    longer.words.push(0);
    for bad in zero.into_iter().chain([padded, beyond, longer]) {
        assert_eq!(listed(&bad), Err(Damage::Object));
    }
}

/// A device that takes nothing.
struct Full;

impl Storage for Full {
    fn size(&mut self) -> Result<u64, Errno> {
        Ok(0)
    }
    fn read_at(&mut self, _: u64, _: &mut [u8]) -> Result<usize, Errno> {
        Ok(0)
    }
    fn write_at(&mut self, _: u64, _: &Parts) -> Result<usize, Errno> {
        Ok(0)
    }
    fn truncate(&mut self, _: u64) -> Result<(), Errno> {
        Ok(())
    }
    fn punch(&mut self, _: u64, _: u64) -> Result<(), Errno> {
        Ok(())
    }
    fn sync(&mut self) -> Result<(), Errno> {
        Ok(())
    }
}

#[test]
fn small_decisions_about_places() {
    assert_eq!(write_all(&mut Full, 0, &[1]), Err(Errno::EIO));
    // Records neither cross nor fill a page.
    let mut placer = Placer::default();
    let spots = [100, 100, 100, 100, 100, 11, 10].map(|words| placer.place(words));
    assert_eq!(
        spots[4..],
        [Spot::Small(0, 403), Spot::Small(1, 3), Spot::Small(1, 14)]
    );
    let extent = |start, pages| Extent { start, pages };
    let mut space = Space {
        free: vec![extent(2, 5), extent(10, 2), extent(15, 3)],
        retired: Vec::new(),
        end: 20,
    };
    assert_eq!(space.take(2), Some(extent(10, 2)));
    space.free = (0..600).map(|i| extent(10 + 9 * i, 1 + i % 5)).collect();
    space.end = 9999;
    space.bound();
    let least = space.free.iter().map(|extent| extent.pages).min();
    assert_eq!(
        (space.free.len(), least, space.is_sound()),
        (500, Some(2 - 1), true)
    );
}

#[test]
fn a_collection_is_due_after_a_mebibyte_and_one_given_up_counts() {
    let (mut heap, mut sim, _) = two();
    let mut store = mount(&mut sim);
    store.collect(&[]).expect("no faults");
    let mut commits = |store: &mut Store<&mut Sim>, count: u64| {
        for i in 0..count {
            let pin = heap.row(1000 * count + i, 1, &[]);
            store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
        }
    };
    commits(&mut store, 200);
    assert!(!store.is_due());
    commits(&mut store, 100);
    assert!(store.is_due());
    let marking = store.begin_marking(&[]).expect("no faults");
    drop(marking);
    store.abandon();
    assert!(!store.is_due() && store.born.is_none());
    // A record of the wrong kind is nothing that a pin can be stored as.
    store.collect(&[]).expect("no faults");
    commits(&mut store, 3);
    let map = store.superblock().map.address;
    assert!(map != 0);
    let mut wrong = Heap::default();
    let child = wrong.row(1, 1, &[]);
    wrong.pins[child as usize].address = Some(map);
    let root = wrong.row(2, 1, &[child]);
    let error = store.commit(&mut wrong, Root::Pin(root)).err();
    assert_eq!(error, Some(Error::Damaged(Damage::Reference)));
}
