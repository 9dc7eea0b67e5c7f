//! Images made by the store alone, without a machine: pins of rows of naturals and other pins.
//!
//! Invariants:
//! - the bytes depend on the arguments only.

use super::process::{SPAWNING, scratch_dir};
use plan::heap::store::format::region_after_elf;
use plan::heap::store::object::Object;
use plan::heap::store::{Error, FileStorage, Options, Root, Source, Store};
use plan::os::{durable, file};
use plan::value::{Header, Kind, MAX_DIRECT, TAG_NAT, TAG_PIN, Value, closure_tag};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

fn options() -> Options {
    Options {
        build: *b"plan for tests\0\0",
        ..Options::default()
    }
}

/// The smallest file that passes for an executable: a header that says it has no sections.
pub fn smallest_elf() -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    header[40] = 64;
    header
}

/// Pins, called by their numbers.
#[derive(Default)]
pub struct Pins(Vec<(Object, Option<u64>)>);

impl Source for Pins {
    fn stored(&mut self, pin: u64) -> Option<u64> {
        self.0[pin as usize].1
    }

    fn object(&mut self, pin: u64, out: &mut Object) -> Result<(), Error> {
        out.clone_from(&self.0[pin as usize].0);
        Ok(())
    }

    fn placed(&mut self, pin: u64, address: u64) {
        self.0[pin as usize].1 = Some(address);
    }
}

impl Pins {
    /// The pin of `0[number long child…]`; `long` is a natural of that many limbs, each `number`,
    /// left out for 0. The children differ from each other.
    pub fn row(&mut self, number: u64, limbs: usize, children: &[u64]) -> u64 {
        let args = 1 + usize::from(limbs > 0) + children.len();
        let start = 6 + children.len();
        let row = closure_tag(Value::ZERO, args) << 48 | (start as u64 + 1);
        let mut object = Object {
            words: vec![row, 0, children.len() as u64, 0, MAX_DIRECT, 0],
            inner: vec![0],
            ..Object::default()
        };
        refer(&mut object, children);
        let header = Header::new(Kind::ClosureNf, 1 + args).bits();
        object.words.extend([header, 0, number]);
        if limbs > 0 {
            object.inner.push(object.words.len());
            let natural = start + 1 + 1 + args + 1;
            object.words.push(TAG_NAT << 48 | natural as u64);
        }
        refer(&mut object, children);
        if limbs > 0 {
            object.words.push(Header::nat(64 * limbs as u64).bits());
            object.words.extend(vec![number; limbs]);
        }
        self.0.push((object, None));
        self.0.len() as u64 - 1
    }
}

fn refer(object: &mut Object, children: &[u64]) {
    for child in children {
        object.pins.push((object.words.len(), *child));
        object.words.push(TAG_PIN << 48);
    }
}

/// A directory with the image `img` behind the smallest executable, which is a large pin below a small
/// one, and its bytes.
pub fn small_over_large(label: &str) -> (PathBuf, Vec<u8>) {
    let dir = scratch_dir(label);
    let mut pins = Pins::default();
    let big = pins.row(1, 9000, &[]);
    let root = Root::Pin(pins.row(3, 2, &[big]));
    write(&dir.join("img"), &smallest_elf(), &mut pins, &[root]);
    let bytes = fs::read(dir.join("img")).expect("the image");
    (dir, bytes)
}

/// Writes `elf` and a region with these commits, one after the other, to `path`.
pub fn write(path: &Path, elf: &[u8], pins: &mut Pins, roots: &[Root]) {
    {
        let _alone = SPAWNING.write();
        fs::write(path, elf).expect("a file");
    }
    let header = elf.first_chunk().expect("a header");
    let region = region_after_elf(header).expect("an executable");
    with_file(path, |storage| {
        let store = Store::create(storage, region, options()).expect("a region");
        commit(store, pins, roots);
    });
}

/// Adds commits to the image at `path` with the smallest executable.
pub fn append(path: &Path, pins: &mut Pins, roots: &[Root]) {
    with_file(path, |storage| {
        let mounted = Store::mount(storage, 4096, options()).expect("a sound image");
        commit(mounted.store, pins, roots);
    });
}

fn commit(mut store: Store<FileStorage>, pins: &mut Pins, roots: &[Root]) {
    for root in roots {
        store.commit(pins, *root).expect("a commit");
    }
    store.settle();
}

/// Waits until nobody has the file locked. Processes that other tests are starting have the
/// descriptors of this one, and with them its locks, until the kernel closes them.
pub fn let_go(path: &Path) {
    let file = file::open_read(path.as_os_str().as_bytes()).expect("the file");
    let begin = Instant::now();
    while durable::is_locked(file.fd()).expect("an answer") {
        assert!(begin.elapsed() < Duration::from_secs(60), "still locked");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Calls `work` with the file, locked as by a running image.
pub fn with_file<T>(path: &Path, work: impl FnOnce(FileStorage) -> T) -> T {
    let _alone = SPAWNING.write();
    let file = file::open_both(path.as_os_str().as_bytes()).expect("the file");
    work(FileStorage::new(file, true).expect("nobody else"))
}
