//! The bytes themselves: the first superblock of the manual, the example of docs/image-format.md, and
//! an image of every version there ever was.
//!
//! `PLAN_SHOW_IMAGES=1` prints the example and the golden image in the notation of both.

use super::super::format::*;
use super::super::sim::Sim;
use super::super::*;
use super::model::{Heap, contents};
use std::fmt::Write;

const DOCUMENT: &str = include_str!("../../../../docs/image-format.md");
const GOLDEN: &str = include_str!("golden-v1.txt");

/// Sixteen bytes a line behind their offset, lines of zeros left out, the length last.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (i, line) in bytes.chunks(16).enumerate() {
        if line.iter().any(|byte| *byte != 0) {
            write!(text, "{:06x} ", 16 * i).expect("memory");
            for byte in line {
                write!(text, " {byte:02x}").expect("memory");
            }
            text.push('\n');
        }
    }
    write!(text, "{:06x}", bytes.len()).expect("memory");
    text
}

/// The bytes of a dump; what follows two spaces behind the bytes is a remark.
fn parse(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let offset = usize::from_str_radix(&line[..6], 16).expect("an offset");
        bytes.resize(offset, 0);
        let digits = line.get(8..).unwrap_or("");
        let digits = digits.split("  ").next().unwrap_or("");
        let values = digits.split_whitespace();
        bytes.extend(values.map(|byte| u8::from_str_radix(byte, 16).expect("a byte")));
    }
    bytes
}

/// The image of the document: the pin of the row of 7, a natural of two words, and the pin of
/// another such row; committed once and settled.
fn example() -> Vec<u8> {
    let mut heap = Heap::default();
    let leaf = heap.row(5, 1, &[]);
    let root = heap.row(7, 2, &[leaf]);
    let options = Options {
        build: *b"plan 0.1.0\0\0\0\0\0\0",
        ..Options::default()
    };
    let mut sim = Sim::new(Vec::new());
    let mut store = Store::create(&mut sim, 0, options).expect("no faults");
    store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    store.settle();
    sim.bytes
}

/// The image of the golden file, and the digest of its value.
fn golden() -> (Vec<u8>, u64) {
    let mut heap = Heap::default();
    let leaf = heap.row(1, 2, &[]);
    let big = heap.row(2, 420, &[leaf]);
    let mega = heap.mega(big);
    let root = heap.row(3, 1, &[mega, leaf]);
    let nameless = Options {
        build: [0; 16],
        ahead: 0,
        ..Options::default()
    };
    let mut sim = Sim::new(Vec::new());
    let mut store = Store::create(&mut sim, 0, nameless).expect("no faults");
    let garbage = [600, 5, 700].map(|limbs| heap.row(limbs as u64, limbs, &[]));
    for pin in garbage.into_iter().chain([leaf, big, mega]) {
        store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
    }
    for number in 0..3 {
        store
            .commit(&mut heap, Root::Natural(number))
            .expect("no faults");
    }
    store.commit(&mut heap, Root::Pin(root)).expect("no faults");
    store.collect(&[]).expect("no faults");
    // What is in free pages is nobody's business; in the file that was kept they are holes.
    for extent in store.space().free.clone() {
        let start = store.data() as usize + extent.start as usize * PAGE;
        store.storage().bytes[start..][..extent.pages as usize * PAGE].fill(0);
    }
    (sim.bytes, heap.digest(root))
}

#[test]
fn the_first_superblock_begins_as_in_the_manual() {
    let superblock = Superblock {
        sequence: 1,
        root: 0,
        root_crc: crc::words(&[0]),
        pages: 0,
        build: [0; 16],
        map: Place::default(),
        delta: Delta::default(),
    };
    let (page, _) = superblock.encode();
    let mut expected = b"PLANv1\0\0\x01\x8a\xb2\x28\x8c".to_vec();
    expected.extend([0; 16]);
    expected.extend(b"\x18\xbc\x57\xe4");
    assert_eq!(page[..33], expected[..]);
}

#[test]
fn superblocks_and_notes_come_back_and_reserved_bytes_are_verified() {
    let bytes = example();
    let page: Page = bytes[..PAGE].try_into().expect("a page");
    let Slot::Valid(superblock, crc) = Superblock::decode(&page) else {
        panic!("no superblock");
    };
    assert_eq!(superblock.encode(), (page, crc));
    for at in [40, 63, 76, 300, 600, PAGE - 1] {
        let mut page = page;
        page[at] = 1;
        // As if somebody had written it so.
        let crc = crc::bytes(&page[..256]);
        page[256..260].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(
            Superblock::decode(&page),
            Slot::Damaged(Damage::Reserved),
            "{at}"
        );
    }
    let notes: Page = bytes[DATA as usize..][..PAGE].try_into().expect("a page");
    let decoded = Notes::decode(&notes).expect("settled");
    assert_eq!((decoded.encode(), decoded.sequence), (notes, 1));
}

#[test]
fn the_example_of_the_document_is_what_is_written() {
    if std::env::var_os("PLAN_SHOW_IMAGES").is_some() {
        println!("{}\n\n{}", dump(&example()), dump(&golden().0));
    }
    let (_, rest) = DOCUMENT
        .split_once("```text\n")
        .expect("the document has an example");
    let (text, _) = rest.split_once("```").expect("which ends");
    assert_eq!(dump(&parse(text)), dump(&example()));
}

#[test]
fn images_of_version_1_open_and_are_still_written() {
    let (bytes, digest) = golden();
    let mut old = Sim::new(parse(GOLDEN));
    let mounted = Store::mount(&mut old, 0, Options::default()).expect("sound");
    assert_eq!(mounted.passed_over, None);
    let mut store = mounted.store;
    let (_, found) = contents(&mut store).expect("sound");
    let model = contents(
        &mut Store::mount(&mut Sim::new(bytes.clone()), 0, Options::default())
            .expect("sound")
            .store,
    );
    assert_eq!(model, Ok((contents(&mut store).expect("sound").0, digest)));
    assert_eq!(found, digest);
    assert_eq!(store.scrub().expect("no faults").total, 0);
    assert!(!store.space().free.is_empty(), "it has a map of free space");
    assert_eq!(
        dump(&parse(GOLDEN)),
        dump(&bytes),
        "written differently now"
    );
}

#[test]
fn the_region_begins_behind_the_section_headers() {
    let mut header = [0u8; 64];
    header[..5].copy_from_slice(b"\x7fELF\x02");
    header[40..48].copy_from_slice(&0x4_6900_u64.to_le_bytes());
    header[58..60].copy_from_slice(&64u16.to_le_bytes());
    header[60..62].copy_from_slice(&9u16.to_le_bytes());
    assert_eq!(region_after_elf(&header), Some(0x4_7000));
    header[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(region_after_elf(&header), None);
    assert_eq!(region_after_elf(&[0; 64]), None);
    let own = std::fs::read("/proc/self/exe").expect("readable");
    let header = own.first_chunk::<64>().expect("long enough");
    let end = region_after_elf(header).expect("an ELF file");
    assert!(end >= own.len() as u64 && end.is_multiple_of(PAGE as u64));
}

#[test]
fn a_mounted_region_needs_nothing_but_its_bytes() {
    let mut sim = Sim::new(example());
    let mounted = Store::mount(&mut sim, 0, Options::default()).expect("sound");
    assert_eq!(mounted.store.superblock().build, *b"plan 0.1.0\0\0\0\0\0\0");
    let (golden, digest) = golden();
    let mut moved = vec![0xEE; 3 * PAGE];
    moved.extend(golden);
    let mut sim = Sim::new(moved);
    let mut store = Store::mount(&mut sim, 3 * PAGE as u64, Options::default())
        .expect("sound")
        .store;
    assert_eq!(contents(&mut store).map(|(_, found)| found), Ok(digest));
}
