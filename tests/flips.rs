//! Damage: each byte of a small image is changed in turn, and the image is used in every way.
//!
//! Invariants:
//! - the commands find the damage, or it makes no difference: status 4 or 3, or what they say of the
//!   sound image; never a signal, never another value;
//! - so does a run that verifies the image at its start; one that does not may not notice, but it
//!   never ends by a signal or with the word of an internal error;
//! - every byte of the superblocks and every 61st of the rest is changed; with `PLAN_FLIPS=1`
//!   (`make soak`) it is every byte, in two ways.

mod support;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use support::process::SPAWNING;
use support::{End, Outcome, Plan, scratch_dir};

/// The program gives a number that depends on everything that is stored.
const PROGRAM: &str = "(require \"std\")
(defun (twice x) (Mul 2 x))
(defun (use state args)
  (@ x (Unpin (Ix 0 state)))
  (@ big (Ix 1 state))
  (Mod (Add (Ix 0 x) (Add ((Ix 1 x) (Ix 2 x)) (Add big (Sz (Ix 2 state))))) 251))
(define main (use [(Pin [3 twice 20]) (Add 17 (Bex 200)) \"text\"]))
";

/// Bytes of a page, of which two hold superblocks and one notes.
const PAGE: usize = 4096;

fn image() -> PathBuf {
    let dir = scratch_dir("flips");
    fs::write(dir.join("p.wisp"), PROGRAM).expect("a scratch file");
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    dir.join("p")
}

/// What is done with an image; the runs come last.
const USES: usize = 5;

/// One use of an image in its directory.
fn used(image: &Path, number: usize) -> Outcome {
    let dir = image.parent().expect("a directory");
    let plan = match number {
        0 => Plan::new(["image", "scrub", "p"]),
        1 => Plan::new(["image", "info", "p"]),
        2 => Plan::new(["image", "export", "p", "-o", "seed"]),
        3 => Plan::new([""; 0]).program(image).env("PLAN_VERIFY", "1"),
        _ => Plan::new([""; 0]).program(image),
    };
    plan.dir(dir).env("PLAN_READONLY", "1").run()
}

/// Whether an outcome is allowed where `sound` is that of the sound image.
fn allowed(number: usize, got: &Outcome, sound: &Outcome) -> bool {
    let reported = matches!(got.end, End::Status(3 | 4)) && !got.err().is_empty();
    // An older generation may have taken the place of the newest one: a warning says so.
    // Whether it was settled is a note without which the next start takes longer.
    let said = |one: &Outcome| one.out().replace("settled:     no", "settled:     yes");
    let same = (said(got), got.end) == (said(sound), sound.end);
    // A fault of memory is known as one of damage, and not taken for a bug.
    let ended = !matches!(got.end, End::Signal(_) | End::Status(70));
    reported || same || (number == USES - 1 && ended)
}

/// Changes these bytes of a copy of the image, one at a time.
fn flip(bytes: &[u8], copy: &Path, places: &[(usize, u8)], next: &AtomicUsize, sound: &[Outcome]) {
    while let Some((at, mask)) = places.get(next.fetch_add(1, Relaxed)) {
        put(copy, *at, bytes[*at] ^ mask);
        for (number, sound) in sound.iter().enumerate() {
            let got = used(copy, number);
            let fine = allowed(number, &got, sound);
            assert!(
                fine,
                "use {number}, byte {at} changed by {mask:#x}: {}",
                got.describe()
            );
        }
        put(copy, *at, bytes[*at]);
    }
}

/// Writes a byte. The system executes nothing that a process has open for writing.
fn put(path: &Path, at: usize, byte: u8) {
    let _alone = SPAWNING.write();
    let file = File::options().write(true).open(path).expect("a copy");
    file.write_all_at(&[byte], at as u64).expect("space");
}

#[test]
fn a_changed_byte_is_reported_or_harmless() {
    let all = std::env::var_os("PLAN_FLIPS").is_some();
    let image = image();
    let bytes = fs::read(&image).expect("an image");
    let region = plan::os::image::region_in(&bytes).expect("an image") as usize;
    let sound: Vec<Outcome> = (0..USES).map(|number| used(&image, number)).collect();
    assert_eq!(sound[0].end, End::Status(0), "{}", sound[0].describe());
    assert!(sound[3].err().is_empty(), "{}", sound[3].describe());
    let superblock = |at: usize| at % PAGE < 192 && at < region + 3 * PAGE;
    let places = (region..bytes.len()).filter(|at| all || superblock(*at) || at % 61 == 0);
    let masks: &[u8] = if all { &[1, 0xFF] } else { &[0xFF] };
    let places = places.flat_map(|at| masks.iter().map(move |mask| (at, *mask)));
    let places: Vec<(usize, u8)> = places.collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for i in 0..3 {
            let dir = image.with_file_name(format!("{i}"));
            fs::create_dir(&dir).expect("a directory");
            let copy = dir.join("p");
            fs::copy(&image, &copy).expect("space");
            let (bytes, places, next, sound) = (&bytes, &places, &next, &sound);
            scope.spawn(move || flip(bytes, &copy, places, next, sound));
        }
    });
    eprintln!("{} bytes of {}", places.len(), bytes.len() - region);
}
