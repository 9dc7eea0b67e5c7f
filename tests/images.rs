//! Images: what they commit is what they are at the next start.
//!
//! Invariants:
//! - images are made here with the crates, so that nothing but running them is judged;
//! - what must hold in every run is run in both modes.

mod support;

use plan::heap::store::{FileStorage, Options, Store};
use plan::os::image;
use std::fs;
use std::path::{Path, PathBuf};
use support::images::with_file;
use support::{End, Mode, Outcome, Plan, scratch_dir};

const MODES: [Mode; 2] = [Mode::Plain, Mode::Stress];

/// An image of this Wisp program.
fn image_of(label: &str, wisp: &str) -> PathBuf {
    let dir = scratch_dir(label);
    let image = dir.join("p");
    fs::write(dir.join("p.wisp"), wisp).expect("a scratch file");
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    image
}

/// A run of an image.
fn run(image: &Path, args: &[&str]) -> Plan {
    Plan::new(args.iter().copied()).program(image)
}

/// Looks at the store of an image that is not running.
fn with_store<T>(image: &Path, look: impl FnOnce(&mut Store<FileStorage>) -> T) -> T {
    let bytes = fs::read(image).expect("an image");
    let region = image::region_in(&bytes).expect("an image");
    with_file(image, |storage| {
        let mounted = Store::mount(storage, region, Options::default());
        let mut mounted = mounted.expect("a sound region");
        assert_eq!(mounted.passed_over, None);
        look(&mut mounted.store)
    })
}

fn check(image: &Path, args: &[&str], mode: Mode, stdout: &str, status: i32) -> Outcome {
    let got = run(image, args).mode(mode).limit_seconds(120).run();
    assert_eq!(
        (got.out(), got.err(), got.end),
        (stdout.to_string(), String::new(), End::Status(status)),
        "{args:?} ({mode:?})"
    );
    got
}

fn sound(image: &Path) {
    let findings = with_store(image, |store| store.scrub().expect("readable").findings);
    assert_eq!(findings, []);
}

#[test]
fn a_counter_counts() {
    let source = fs::read_to_string("seeds/counter.wisp").expect("the program");
    let image = image_of("counter", &source);
    let all = MODES.into_iter().cycle().take(6);
    for (i, mode) in all.enumerate() {
        check(&image, &[], mode, &format!("{}\n", i + 1), 0);
        sound(&image);
    }
    check(
        &image,
        &["reset"],
        Mode::Plain,
        "the next run is number 1\n",
        0,
    );
    check(&image, &[], Mode::Plain, "1\n", 0);
}

/// Each run finds what the last one committed, and commits the next of these values.
const SHAPES: &str = "(require \"std\")
(defun (twice x) (Mul 2 x))
(defun (power n acc) (If (Eq n 0) acc (power (Dec n) (Mul 3 acc))))
(defun (shape k)
  (case k
    (1 5)
    (2 (Dec (Bex 63)))
    (3 (Bex 63))
    (4 (power 1000 1))
    (5 (power 3000 1))
    (6 [])
    (7 [1 2 [3 [4 (power 100 1)]] \"text\"])
    (8 (7 1 [2]))
    (9 twice)
    (10 (Unpin twice))
    (11 (Add 3))
    (12 [twice (power 7) {x -> (Add x (twice x))}])
    (13 (Pin 5))
    (14 (Pin (power 100 1)))
    (15 (Pin (Pin 5)))
    (16 (Pin (Pin (Pin [1 (Pin 2) (Pin (Pin [3 (power 100 1)]))]))))
    (17 [(Pin 1) (Pin 2) (Pin 3) (Pin 4) (Pin 5) (Pin 6) (Pin 7) (Pin 8) (Pin 9) (Pin [(Pin 10)])])
    (18 (range 0 800))
    (19 (Pin [(Pin (range 0 600)) (range 0 600) (Pin (Pin (range 0 300)))]))
    (else 0)))
(defun (call k x)
  (case k
    (9 (x 4))
    (10 (x 4))
    (11 (x 5))
    (12 (Add ((Ix0 x) 1) (Add ((Ix 2 x) 1) ((Ix 1 x) 1))))
    (16 (Ix0 (Unpin (Unpin (Unpin x)))))
    (else 0)))
(defun (step state args)
  (@ k (Ix0 state))
  (@ expected (shape k))
  [[(Inc k) (shape (Inc k))]
   (if (And (Eq 1 (Cmp expected (Ix1 state))) (Eq (call k expected) (call k (Ix1 state)))) k 99)])
(define main (stateful step [0 0]))
";

#[test]
fn values_of_every_shape_are_as_they_were_at_the_next_start() {
    for mode in MODES {
        let image = image_of("shapes", SHAPES);
        for k in 0..20 {
            check(&image, &[], mode, "", k);
            sound(&image);
        }
    }
}

/// Commits what is committed.
const SAME: &str = "(require \"std\")
(defun (same state args) (Seq (commit (same state)) (Ix 1 state)))
(define main (same [(Bex 100) 7 (Pin [1 2])]))
";

#[test]
fn an_unchanged_commit_writes_nothing() {
    let image = image_of("same", SAME);
    let (bytes, state) = (fs::read(&image).expect("bytes"), fs::metadata(&image));
    for mode in MODES {
        check(&image, &[], mode, "", 7);
        assert!(fs::read(&image).expect("bytes") == bytes);
        let modified = |m: fs::Metadata| m.modified().expect("a time");
        let now = modified(fs::metadata(&image).expect("it is there"));
        assert_eq!(
            state.as_ref().expect("there").modified().expect("a time"),
            now
        );
    }
}

/// Stores pins in several ways in one process.
const PARTS: &str = "(require \"std\")
(defun (parts state args)
  (@ a (Pin [1 2 3]))
  (@ b (Pin [a (Pin 4)]))
  (@ stored (precommit b))
  (@ n (precommit [b 5]))
  (@ first (commit (parts [b a])))
  (@ second (commit (Pin b)))
  (@ third (commit (Pin (Pin [(Pin a) b second]))))
  (@ last (commit (parts [third b stored first])))
  (Seq stored (Seq n (Seq first (Seq second (Seq third (Seq last
    (if (And (planEq b stored) (And (planEq n [b 5]) (And (planEq second (Pin b))
        (planEq last (parts [(Pin (Pin [(Pin a) b (Pin b)])) b b (parts [b a])])))))
      (Add 10 (Sz state)) 1))))))))
(define main (parts 0))
";

#[test]
fn what_is_stored_in_parts_is_one_value() {
    for mode in MODES {
        let image = image_of("parts", PARTS);
        check(&image, &[], mode, "", 10);
        sound(&image);
        check(&image, &[], mode, "", 14);
        sound(&image);
    }
}

const AHEAD: &str = "(require \"std\")
(defun (ahead state args)
  (@ p (precommit (Pin [(Bex 200) (Pin 7)])))
  (if (And (planEq p (Pin [(Bex 200) (Pin 7)])) (Eq 5 (precommit 5))) (Ix 0 state) 1))
(define main (ahead [42]))
";

#[test]
fn a_precommit_leaves_the_program_as_it_was() {
    let image = image_of("ahead", AHEAD);
    let before = with_store(&image, |store| store.superblock().sequence);
    for mode in MODES.into_iter().cycle().take(4) {
        check(&image, &[], mode, "", 42);
        assert_eq!(
            with_store(&image, |store| store.superblock().sequence),
            before
        );
        sound(&image);
    }
}

/// Commits, precommits a pin and a number, and says what came of it.
const TRIES: &str = "(require \"std\")
(defun (tries state args)
  (@ results [(try-io commit (tries (Inc state))) (try-io precommit (Pin state)) (try-io precommit 3)])
  (Seq (print-line (show (map {r -> (if (IsNat r) r (Ix0 [0 1]))} results))) state))
(define main (tries 1))
";

#[test]
fn an_image_that_must_not_be_written_runs_and_its_commits_throw() {
    let image = image_of("tries", TRIES);
    let bytes = fs::read(&image).expect("bytes");
    for mode in MODES {
        let got = run(&image, &[]).env("PLAN_READONLY", "1").mode(mode).run();
        assert_eq!(
            (got.out().as_str(), got.end),
            ("[30 30 0]\n", End::Status(1)),
            "{}",
            got.err()
        );
        assert!(fs::read(&image).expect("bytes") == bytes);
    }
    check(&image, &[], Mode::Plain, "[0 0 0]\n", 1);
    check(&image, &[], Mode::Plain, "[0 0 0]\n", 2);
}

#[test]
fn a_damaged_generation_gives_way_to_the_one_before_with_a_warning() {
    let source = fs::read_to_string("seeds/counter.wisp").expect("the program");
    let image = image_of("damaged", &source);
    for i in 1..=3 {
        check(&image, &[], Mode::Plain, &format!("{i}\n"), 0);
    }
    let place = |store: &mut Store<_>| store.data() + (store.root() & 0xFFFF_FFFF_FFFF) - 0x50_0000;
    let at = with_store(&image, place);
    let mut bytes = fs::read(&image).expect("bytes");
    bytes[at as usize] ^= 4;
    fs::write(&image, &bytes).expect("space");
    let got = run(&image, &[]).run();
    assert_eq!(
        (got.out().as_str(), got.end),
        ("3\n", End::Status(0)),
        "{}",
        got.err()
    );
    let name = image.display();
    assert_eq!(
        got.err(),
        format!(
            "plan: image {name}: warning: a checksum does not match (going on from the state before the last commit)\n"
        )
    );
    check(&image, &[], Mode::Plain, "4\n", 0);
}

#[test]
fn traces_of_images_are_plain() {
    let image = image_of(
        "trace",
        "(require \"std\")\n(defun (main args) (xtrace 5 (xtrace \"word\" 0)))\n",
    );
    let got = run(&image, &[]).run();
    assert_eq!(got.end, End::Status(0));
    assert_eq!(got.err(), "5\n%word\n");
}
