//! What spares a process that goes on committing, and a collection, time: the file extended ahead, free
//! pages that stay in it, and records that are read without being kept.

use super::super::format::{DATA, PAGE};
use super::super::object::children;
use super::super::read::{Reader, Record};
use super::super::sim::Sim;
use super::super::space::count;
use super::super::*;
use super::basic::{image, mount};
use super::crash::REGION;
use super::model::{Heap, contents};

/// Commits so many values of one page each; how often the file changed its length.
fn commits(store: &mut Store<&mut Sim>, heap: &mut Heap, numbers: std::ops::Range<u64>) -> usize {
    let mut changes = 0;
    for number in numbers {
        let before = store.storage().bytes.len();
        let root = heap.row(number, 2, &[]);
        store.commit(heap, Root::Pin(root)).expect("no faults");
        changes += usize::from(store.storage().bytes.len() != before);
    }
    changes
}

/// The length of a file that ends with its last page in use.
fn least(store: &Store<&mut Sim>) -> usize {
    let before = store.previous().map_or(0, |previous| previous.pages);
    (REGION + DATA) as usize + store.space().end.max(before) as usize * PAGE
}

#[test]
fn a_file_is_extended_ahead_by_who_goes_on_and_cut_at_the_end() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(1));
    let mut store = mount(&mut sim);
    // Who commits a few times leaves nothing behind.
    assert_eq!(commits(&mut store, &mut heap, 0..7), 7);
    assert_eq!(store.storage().bytes.len(), least(&store));
    commits(&mut store, &mut heap, 7..70);
    // The file grows at a fraction of the commits, and all of what it grows by is zero.
    assert!(commits(&mut store, &mut heap, 70..170) <= 10);
    commits(&mut store, &mut heap, 170..171);
    let (end, length) = (least(&store), store.storage().bytes.len());
    assert!(end < length && length <= end + 256 * PAGE);
    assert!(store.storage().bytes[end..].iter().all(|byte| *byte == 0));
    let killed = store.storage().bytes.clone();
    store.settle();
    assert_eq!(store.storage().bytes.len(), least(&store));

    // What a process that was killed leaves mounts the same, and goes with the next commit.
    let mut sim = Sim::new(killed);
    let mut store = mount(&mut sim);
    let (_, digest) = contents(&mut store).expect("sound");
    assert_eq!(digest, heap.digest(heap.pins.len() as u64 - 1));
    assert_eq!(store.scrub().expect("no faults").total, 0);
    commits(&mut store, &mut heap, 500..501);
    assert_eq!(store.storage().bytes.len(), least(&store));
}

#[test]
fn a_large_commit_does_not_extend_the_file() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(1));
    let mut store = mount(&mut sim);
    for number in 0..20 {
        let root = heap.row(number, 70 * 512, &[]);
        store.commit(&mut heap, Root::Pin(root)).expect("no faults");
        assert_eq!(store.storage().bytes.len(), least(&store));
    }
}

#[test]
fn a_few_free_pages_stay_in_the_file_and_many_leave() {
    let mut heap = Heap::default();
    let mut sim = Sim::new(vec![0xEE; REGION as usize]);
    let options = Options {
        keep: 60,
        ..Options::default()
    };
    let mut store = Store::create(&mut sim, REGION, options).expect("no faults");
    // Many pages, then few, so that what becomes free is not at the end.
    let first = heap.row(0, 60 * 512, &[]);
    store
        .commit(&mut heap, Root::Pin(first))
        .expect("no faults");
    commits(&mut store, &mut heap, 1..4);
    let collect = |store: &mut Store<&mut Sim>| {
        let mut marking = store.begin_marking(&[]).expect("no faults");
        assert!(marking.step(store.storage(), usize::MAX).expect("sound"));
        let live = store.finish(marking).expect("no faults").live;
        (live, count(&store.space().free), count(store.leaving()))
    };
    // More than is kept, but not so much more that it would be worth it.
    let (live, free, left) = collect(&mut store);
    assert!(live < 5 && (60..80).contains(&free), "{live} {free}");
    assert_eq!(left, 0);
    let (second, third) = (heap.row(9, 90 * 512, &[]), heap.row(10, 100 * 512, &[]));
    for root in [second, third, heap.row(11, 1, &[third])] {
        store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    }
    let (live, free, left) = collect(&mut store);
    assert!((100..110).contains(&live), "{live}");
    assert!(free == live && left > 40, "{free} {left}");
    // They come back for use, and nothing else does.
    store.take_back();
    assert_eq!(count(&store.space().free), free + left);
    assert!(store.leaving().is_empty());
}

#[test]
fn what_could_not_be_recorded_is_not_called_freed() {
    let mut heap = Heap::default();
    let mut sim = image(&mut heap, Root::Natural(1));
    let mut store = mount(&mut sim);
    commits(&mut store, &mut heap, 0..2);
    store.settle();
    // Only the previous generation reaches a page: there is none yet to record that in.
    for _ in 0..2 {
        let mut store = mount(&mut sim);
        let found = store.collect(&[]).expect("no faults");
        assert_eq!((found.found, found.free), (0, 1));
    }
    let mut store = mount(&mut sim);
    commits(&mut store, &mut heap, 2..4);
    store.settle();
    let freed = [(); 2].map(|()| mount(&mut sim).collect(&[]).expect("no faults").found);
    assert!(freed[0] > 0);
    assert_eq!(freed[1], 0);
}

#[test]
fn the_lists_of_a_long_record_are_read_without_the_rest() {
    let mut heap = Heap::default();
    let leaves: Vec<u64> = (0..9).map(|n| heap.row(n, 1, &[])).collect();
    let long = heap.row(10, 30_000, &leaves);
    let wide: Vec<u64> = (20..1000).map(|n| heap.row(n, 1, &[])).collect();
    let wide = heap.row(11, 500, &wide);
    let mega = heap.mega(leaves[0]);
    let root = heap.row(12, 1, &[long, wide, mega]);
    let mut sim = image(&mut heap, Root::Pin(root));
    let pages = mount(&mut sim).superblock().pages;
    let mut reader = Reader::new(REGION, pages);
    let read = |reader: &mut Reader, sim: &mut Sim, pin: u64| {
        let address = heap.pins[pin as usize].address.expect("stored");
        let (mut whole, mut lists) = (Record::default(), Record::default());
        let mut file = sim;
        reader
            .record(&mut file, address, &mut whole)
            .expect("sound");
        reader.lists(&mut file, address, &mut lists).expect("sound");
        (whole, lists)
    };
    for pin in [leaves[0], long, wide, mega, root] {
        let (whole, lists) = read(&mut reader, &mut sim, pin);
        assert_eq!((whole.len, whole.sum), (whole.words.len(), lists.sum));
        assert_eq!((whole.len, whole.crc), (lists.len, lists.crc));
        assert!(whole.matches(whole.crc as u32) && lists.matches(whole.crc as u32));
        assert_eq!(whole.words[..lists.words.len()], lists.words);
        let places = [&whole, &lists].map(|record| {
            let mut places = Vec::new();
            children(record, &mut places).expect("sound");
            places
        });
        assert_eq!(places[0], places[1]);
        if pin == long {
            assert_eq!(lists.words.len(), 511);
        }
    }
    // A bit far behind the lists, and a number of pins that cannot be.
    let address = heap.pins[long as usize].address.expect("stored");
    let at = (REGION + DATA + address - format::BASE) as usize;
    for (at, bit) in [(at + 200_000, 1), (at + 2 * 8 + 6, 0x80)] {
        sim.bytes[at] ^= bit;
        reader.forget();
        let (whole, lists) = read(&mut reader, &mut sim, long);
        assert!(!whole.matches(whole.crc as u32) && !lists.matches(whole.crc as u32));
        sim.bytes[at] ^= bit;
    }
}

#[test]
fn who_reads_everything_asks_for_each_mebibyte_once() {
    let mut heap = Heap::default();
    let rows: Vec<u64> = (0..5).map(|n| heap.row(n, 150 * 512, &[])).collect();
    let root = heap.row(9, 1, &rows);
    let mut sim = image(&mut heap, Root::Pin(root));
    let mut store = mount(&mut sim);
    let pages = store.superblock().pages;
    assert_eq!(store.storage().expected, 0);
    store.collect(&[]).expect("no faults");
    let asked = store.storage().expected;
    assert!((2..=pages.div_ceil(256)).contains(&asked), "{asked}");
}
