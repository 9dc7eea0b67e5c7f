//! Damage is reported or harmless, never a crash and never another value.

use super::super::format::{DATA, PAGE};
use super::super::sim::{Random, Sim};
use super::super::*;
use super::basic::{image, mount};
use super::crash::REGION;
use super::model::{Heap, contents};

/// A small image with everything an image can have.
fn small() -> (Heap, Sim) {
    let mut heap = Heap::default();
    let leaf = heap.row(1, 2, &[]);
    let big = heap.row(2, 450, &[leaf]);
    let mega = heap.mega(big);
    let root = heap.row(3, 1, &[mega, leaf]);
    let mut sim = image(&mut heap, Root::Pin(leaf));
    let mut store = mount(&mut sim);
    for pin in [big, leaf, mega] {
        store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
        let next = heap.row(100 + pin, 1, &[pin]);
        store.commit(&mut heap, Root::Pin(next)).expect("no faults");
    }
    store.collect(&[]).expect("no faults");
    store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    store.settle();
    (heap, sim)
}

/// Does everything to a damaged image; whether the damage was noticed.
fn noticed(bytes: Vec<u8>, digest: u64, what: &str) -> bool {
    let mut sim = Sim::new(bytes);
    let mut mounted = match Store::mount(&mut sim, REGION, Options::default()) {
        Ok(mounted) => mounted,
        Err(Error::Damaged(_)) => return true,
        Err(error) => panic!("{what}: {error:?}"),
    };
    let report = mounted.store.scrub().expect("no faults");
    let noticed = mounted.passed_over.is_some() || report.total > 0;
    let read = contents(&mut mounted.store);
    match read {
        Ok((_, found)) => assert!(noticed || found == digest, "{what}: another value"),
        Err(Error::Damaged(_)) => assert!(noticed, "{what}: scrub saw nothing"),
        Err(error) => panic!("{what}: {error:?}"),
    }
    let collected = mounted.store.collect(&[]);
    assert!(noticed || collected.is_ok(), "{what}: {collected:?}");
    let mut heap = Heap::default();
    let pin = heap.row(5, 5, &[]);
    let committed = mounted.store.commit(&mut heap, Root::Pin(pin));
    assert!(committed.is_ok(), "{what}: {committed:?}");
    drop(mounted);
    let mut store = mount(&mut sim);
    assert_eq!(
        contents(&mut store).map(|(_, found)| found),
        Ok(heap.digest(pin)),
        "{what}"
    );
    noticed
}

#[test]
fn every_byte_flipped_is_reported_or_harmless() {
    let (heap, mut sim) = small();
    let digest = contents(&mut mount(&mut sim)).expect("sound").1;
    assert_eq!(digest, heap.digest(3));
    let mut reported = 0;
    for at in REGION as usize..sim.bytes.len() {
        for change in [1 << (at % 8), 0xFF] {
            let mut bytes = sim.bytes.clone();
            bytes[at] ^= change;
            let what = format!("byte {at:#x} of the file changed by {change:#x}");
            reported += usize::from(noticed(bytes, digest, &what));
        }
    }
    // All of the superblocks and all that is live.
    assert!(reported > 4 * PAGE, "only {reported} reported");
}

#[test]
fn files_cut_off_anywhere_are_reported() {
    let (_, mut sim) = small();
    let digest = contents(&mut mount(&mut sim)).expect("sound").1;
    for len in (0..sim.bytes.len()).step_by(512) {
        let bytes = sim.bytes[..len].to_vec();
        let mut cut = Sim::new(bytes);
        match Store::mount(&mut cut, REGION, Options::default()) {
            Err(Error::Missing) => assert!(len as u64 <= REGION),
            Err(Error::Damaged(_)) => {}
            Ok(mut mounted) => {
                assert!(mounted.passed_over.is_some(), "{len}");
                let found = contents(&mut mounted.store).map(|(_, found)| found);
                assert!(found != Ok(digest), "{len}");
            }
            Err(error) => panic!("{len}: {error:?}"),
        }
    }
}

#[test]
fn random_bytes_are_never_more_than_damage() {
    let (_, sim) = small();
    let mut random = Random(9);
    for _ in 0..20_000 {
        let mut bytes = sim.bytes.clone();
        let at = (REGION + DATA) as usize + random.below(bytes.len() - (REGION + DATA) as usize);
        let len = (1 + random.below(40)).min(bytes.len() - at);
        bytes[at..at + len]
            .iter_mut()
            .for_each(|byte| *byte = random.next() as u8);
        let mut sim = Sim::new(bytes);
        if let Ok(mut mounted) = Store::mount(&mut sim, REGION, Options::default()) {
            mounted.store.scrub().expect("no faults");
            let exported = mounted.store.export(&mut |_, _| Ok(()));
            assert!(matches!(exported, Ok(()) | Err(Error::Damaged(_))));
        }
    }
}

#[test]
fn a_finding_has_the_way_to_it() {
    let mut heap = Heap::default();
    let leaf = heap.row(1, 2, &[]);
    let other = heap.row(2, 2, &[]);
    let middle = heap.row(3, 2, &[other, leaf]);
    let root = heap.row(4, 2, &[other, middle]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let address = heap.pins[leaf as usize].address.expect("stored");
    let at = (REGION + DATA + address - format::BASE) as usize;
    sim.bytes[at + 8] ^= 4;
    let mut store = mount(&mut sim);
    let report = store.scrub().expect("no faults");
    let finding = walk::Finding {
        sequence: 1,
        path: walk::Path {
            first: vec![1, 1],
            depth: 2,
        },
        damage: Damage::Checksum,
    };
    assert_eq!((report.findings, report.total), (vec![finding], 1));
    assert_eq!(
        store.collect(&[]).err(),
        Some(Error::Damaged(Damage::Checksum))
    );
}

#[test]
fn a_later_version_of_the_format_is_refused_even_beside_a_known_one() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(3));
    mount(&mut sim)
        .commit(&mut heap, Root::Natural(4))
        .expect("no faults");
    for slot in 0..2 {
        let mut bytes = sim.bytes.clone();
        let at = REGION as usize + slot * PAGE;
        bytes[at + 72] = 2;
        let crc = crc::bytes(&bytes[at..at + 256]);
        bytes[at + 256..at + 260].copy_from_slice(&crc.to_le_bytes());
        let mut newer = Sim::new(bytes);
        let refused = Store::mount(&mut newer, REGION, Options::default()).err();
        assert_eq!(refused, Some(Error::Version(2)));
    }
}
