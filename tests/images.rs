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
use support::filter::Answer;
use support::images::with_file;
use support::{End, Mode, Outcome, Plan, process};

const MODES: [Mode; 2] = [Mode::Plain, Mode::Stress];

/// An image of this Wisp program.
fn image_of(label: &str, wisp: &str) -> PathBuf {
    process::built(label, wisp)
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

/// Stores `a` ahead after pins of it were made, and commits all of them: one refers to it, one lists it.
const TWICE: &str = "(require \"std\")
(defun (stay x) x)
(defun (twice state args)
  (@ a (Pin [1 (range 0 600)]))
  (@ b (Pin [2 a]))
  (@ c (Pin b))
  (@ s (Seq c (AHEAD a)))
  (If (IsNat state) (Seq (commit (twice (Seq s [s b c]))) 5)
    (If (planEq state [a b c]) 6 7)))
(define main (twice 0))
";

#[test]
fn what_is_stored_ahead_is_not_stored_again_by_what_was_made_before() {
    let pins = |image: &Path| with_store(image, |store| store.scrub().expect("sound").pins);
    let counts = ["precommit", "stay"].map(|ahead| {
        let image = image_of("twice", &TWICE.replace("AHEAD", ahead));
        check(&image, &[], Mode::Plain, "", 5);
        let count = pins(&image);
        check(&image, &[], Mode::Plain, "", 6);
        count
    });
    assert_eq!(counts[0], counts[1]);
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
    process::write_program(&image, &bytes);
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

/// Commits as many times as the argument says, a small state each time.
const MANY: &str = "(require \"std\")
(defun (go main big n i)
  (if (Eq i n) 0
    (Seq (commit (main [big i (Pin i)])) (go main big n (Inc i)))))
(defun (many state args)
  (go many (Ix0 state) (Add 1 (Ix0 (parse-nat (Ix0 args)))) (Mul 0 (Ix 1 state))))
(define main (many [(Pin (range 0 100)) 0]))
";

#[test]
fn commits_without_end_take_bounded_space() {
    let image = image_of("many", MANY);
    let size = |image: &Path| fs::metadata(image).expect("it is there").len();
    let first = size(&image);
    // A commit takes two pages: four times what the test allows, if nothing were given back.
    for _ in 0..3 {
        check(&image, &["3000"], Mode::Plain, "", 0);
        sound(&image);
        assert!(size(&image) < first + (6 << 20), "{}", size(&image));
    }
    // What a process of its own does, one commit each, is collected, too.
    for _ in 0..300 {
        check(&image, &["1"], Mode::Plain, "", 0);
    }
    check(&image, &["300"], Mode::Stress, "", 0);
    sound(&image);
    assert!(size(&image) < first + (6 << 20), "{}", size(&image));
}

/// A million in one process. It waits for no disk, and neither does who makes holes in what was never
/// written there: so commits come as fast as they can be made. All that they take is 8 GB.
#[test]
fn a_million_commits_take_bounded_space() {
    const FDATASYNC: u32 = 75;
    const FALLOCATE: u32 = 285;
    let image = image_of("million", MANY);
    let commits = run(&image, &["1000000"]).filter(&[FDATASYNC, FALLOCATE], Answer::Fails(0));
    let got = commits.limit_seconds(1200).run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
    let count = with_store(&image, |store| store.superblock().sequence);
    let size = fs::metadata(&image).expect("it is there").len();
    assert!(count > 1_000_000 && size < 1 << 29, "{count} {size}");
    sound(&image);
}

/// A chain of pins, each around the one before, as many as the state says.
const CHAIN: &str = "(require \"std\")
(defun (chain n p) (if (Eq n 0) p (chain (Dec n) (Pin [n p]))))
(defun (depth p n) (if (IsPin p) (depth (Ix 1 (Unpin p)) (Inc n)) n))
(defun (deep n p args)
  (if (IsPin p) (Eq n (depth p 0)) (Seq (commit (deep n (chain n 0))) 5)))
(define main (deep LENGTH 0))
";

#[test]
fn a_million_nested_pins_are_committed_without_recursion() {
    let image = image_of("chain", &CHAIN.replace("LENGTH", "1000000"));
    for status in [5, 1] {
        let got = run(&image, &[]).limit_seconds(120).run();
        assert_eq!(got.end, End::Status(status), "{}", got.describe());
    }
    let (image, seed) = (image.to_string_lossy(), image.with_extension("seed"));
    let seed = seed.to_string_lossy();
    for words in [
        &["scrub", &image][..],
        &["info", &image],
        &["collect", &image],
        &["export", &image, "-o", &seed],
    ] {
        let words = ["image"].iter().chain(words);
        let got = Plan::new(words.copied()).limit_seconds(300).run();
        assert_eq!(got.end, End::Status(0), "{}", got.describe());
    }
}

/// Commits more and more until it cannot, then something small; says why it could not.
const FULL: &str = "(require \"std\")
(defun (grow main n row)
  (@ r (try-io commit (main [n row])))
  (if (IsNat r) r (grow main (Inc n) [row (range n (Add n 60000))])))
(defun (then-small full why) (Seq (commit (full [why 7])) why))
(defun (full state args)
  (if (Eq 0 (Ix 1 state)) (then-small full (grow full 1 [1])) (Ix0 state)))
(define main (full [0 0]))
";

#[test]
fn without_space_commits_throw_and_later_ones_succeed() {
    for (limit, number) in [("ulimit -f 8192", 27), ("ulimit -v 131072", 28)] {
        let image = image_of("full", FULL);
        let mut shell = std::process::Command::new("/bin/sh");
        shell.arg("-c").arg(format!("{limit}; exec ./p"));
        shell.current_dir(image.parent().expect("a directory"));
        let got = process::output(&mut shell).expect("a shell");
        let error = String::from_utf8_lossy(&got.stderr);
        assert_eq!(got.status.code(), Some(number), "{limit}: {error}");
        check(&image, &[], Mode::Plain, "", number);
        sound(&image);
    }
}

/// A table of 64 pins with functions in them, of which each commit replaces one; all are called and
/// compared with what they should give each time. Every third state goes on with the stored pins.
const TABLE: &str = "(require \"std\")
(defun (parse args) (if args (Ix0 (parse-nat (Ix0 args))) 1))
(defun (node n) (Pin [n (Pin (range n (Add n 20))) {x -> (Add x n)}]))
(defun (value p) (@ r (Unpin p)) (Add ((Ix 2 r) 1) (Ix 3 (Unpin (Ix 1 r)))))
(defun (expect n) (Add (Add 1 n) (Add n 3)))
(defun (total row i acc) (If (Eq i 64) acc (total row (Inc i) (Add acc (value (Ix i row))))))
(defun (want nums i acc) (If (Eq i 64) acc (want nums (Inc i) (Add acc (expect (Ix i nums))))))
(defun (nextr s) (Mod (Add (Mul s 1103515245) 12345) 2147483648))
(defun (change go main n row nums2 row2 s)
  (@ c (commit (main [nums2 row2 s])))
  (Seq c (If (Ne (total row2 0 0) (want nums2 0 0)) 9
     (go go main (Dec n) nums2 (If (Eq 0 (Mod n 3)) (Ix 1 (Last c)) row2) s))))
(defun (step go main n nums row s)
  (@ i (Mod (Div s 65536) 64))
  (@ k (Mod (Div s 100) 5000))
  (change go main n row (Up i k nums) (Up i (node k) row) s))
(defun (go self main n nums row seed)
  (if (Eq n 0) (If (Eq (total row 0 0) (want nums 0 0)) 7 8)
    (step self main n nums row (nextr seed))))
(defun (main state args)
  (if (IsNat state) (main [(range 0 64) (map node (range 0 64)) 42] args)
    (If (Ne (total (Ix 1 state) 0 0) (want (Ix0 state) 0 0)) 10
      (go go main (parse args) (Ix0 state) (Ix 1 state) (Ix 2 state)))))
(define main (main 0))";

#[test]
fn pins_are_as_they_were_however_they_come_and_go() {
    let image = image_of("table", TABLE);
    check(&image, &["10"], Mode::Plain, "", 7);
    for (mode, commits) in [
        (Mode::Plain, "1500"),
        (Mode::Stress, "12"),
        (Mode::Plain, "1500"),
    ] {
        check(&image, &[commits], mode, "", 7);
        sound(&image);
    }
}

/// A pin of a pin is kept in memory alone, while the inner one has been stored by a commit that was
/// given up long ago; then it is committed.
const INNER: &str = "(require \"std\")
(defun (churn kept n)
  (Seq kept (If (Eq n 0) kept (Seq (commit [n (range n (Add n 700))]) (churn kept (Dec n))))))
(defun (made n)
  (@ inner (Pin (range 0 900)))
  (@ outer (Seq inner (Pin inner)))
  (Seq outer (Seq (commit [inner 1]) outer)))
(defun (collect kept) (Seq kept (Seq ((Pin 18) 0) kept)))
(defun (right kept) (Eq 1 (Cmp (range 0 900) (Unpin (Unpin kept)))))
(defun (next kept args) (If (right kept) 7 9))
(defun (last kept)
  (@ r (try-io commit (next kept)))
  (If (IsNat r) r (If (right kept) 5 6)))
(defun (main args) (last (churn (collect (churn (collect (churn (made 0) 5)) 5)) 20)))
";

#[test]
fn a_stored_pin_stays_while_only_a_pin_of_it_in_memory_needs_it() {
    let image = image_of("inner", INNER);
    check(&image, &[], Mode::Plain, "", 5);
    sound(&image);
    check(&image, &[], Mode::Plain, "", 7);
}

#[test]
fn what_has_been_stored_does_not_stay_in_memory() {
    let image = image_of("copies", MANY);
    let got = run(&image, &["3000"]).env("PLAN_STATS", "1").run();
    let text = got.err();
    let figure = |name: &str| -> u64 {
        let found = text
            .split([' ', '\n'])
            .find_map(|part| part.strip_prefix(name));
        found
            .and_then(|n| n.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    assert!(figure("pins=") > 3000, "{text}");
    assert!(figure("pins_freed=") > figure("pins=") * 3 / 4, "{text}");
}

/// Commits a bare pin, which is wrapped in a pin of a pin: a table of pins, and so many changes of it,
/// each committed twice.
const BARE: &str = "(require \"std\")
(defun (fill n t) (Seq t (If n (fill (Dec n) (table-put n (range n (Add n 20)) t)) t)))
(defun (keep t) (commit (commit (Pin [t]))))
(defun (change n t)
  (Seq (keep t) (If n (change (Dec n) (table-put (Mul 37 n) n t)) 0)))
(defun (main args) (change (Ix0 (parse-nat (Ix0 args))) (fill 3000 0)))
";

#[test]
fn of_a_bare_pin_only_what_is_new_is_written() {
    let after = |changes: &str| {
        let image = image_of("bare", BARE);
        check(&image, &[changes], Mode::Plain, "", 0);
        sound(&image);
        let sequence = with_store(&image, |store| store.superblock().sequence);
        (sequence, fs::metadata(&image).expect("an image").len())
    };
    let (one, all) = (after("0"), after("40"));
    assert_eq!(all.0 - one.0, 40, "the second of two commits is none");
    assert!(all.1 - one.1 < 40 * 16384, "{one:?} {all:?}");
}

/// A pin of a pin that refers to an original, which has a stored copy now; then the place of what is
/// freed is used again, many times.
const ORIGINAL: &str = "(require \"std\")
(defun (fill n) (Seq (Pin (range n (Add n 60))) (If n (fill (Dec n)) 0)))
(defun (collect kept) (Seq kept (Seq ((Pin 18) 0) kept)))
(defun (churn n kept)
  (Seq kept (If n (Seq (fill 1000) (churn (Dec n) (collect kept))) kept)))
(defun (made n)
  (@ inner (Pin (range 0 50)))
  (@ middle (Pin [1 inner]))
  (Seq middle (Seq (precommit inner) (Pin middle))))
(defun (main args)
  (@ outer (churn 20 (made 0)))
  (Seq outer (If (planEq (range 0 50) (Unpin (Ix1 (Unpin (Unpin outer))))) 5 6)))
";

#[test]
fn an_original_stays_while_a_pin_in_a_pin_of_a_pin_needs_it() {
    let image = image_of("original", ORIGINAL);
    check(&image, &[], Mode::Plain, "", 5);
    let verified = run(&image, &[]).env("PLAN_VERIFY", "1").run();
    assert_eq!(verified.end, End::Status(5), "{}", verified.describe());
    sound(&image);
}

/// Commits while the collector looks through 200,000 pins in memory, keeps what it got back, and compares
/// it when later commits and collections have taken the pages that were free.
const MEANWHILE: &str = "(require \"std\")
(defun (chain n p) (If (Eq n 0) p (Seq p (chain (Dec n) (Pin [p])))))
(defun (node n) (Pin [n (range n (Add n 600))]))
(defun (one keep main n kept)
  (@ c (commit (main (node n))))
  (Seq c (keep main (Dec n) [(Last c) kept])))
(defun (keep main n kept) (If (Eq n 0) kept (one keep main n kept)))
(defun (check kept i) (If (IsNat kept) i
  (If (planEq (Ix 0 kept) (node i)) (check (Ix 1 kept) (Inc i)) 0)))
(defun (round rounds main n before)
  (@ kept (Seq ((Pin 18) 0) (keep main 20 0)))
  (Seq kept (If (Eq 21 (check before 1)) (rounds main (Dec n) kept) 8)))
(defun (rounds main n before) (If (Eq n 0) 7 (round rounds main n before)))
(defun (main state args)
  (@ p (chain 200000 0))
  (@ result (Seq p (rounds main 8 (keep main 20 0))))
  (Seq result (Seq (Unpin p) result)))
(define main (main 0))
";

#[test]
fn what_is_committed_while_memory_is_marked_stays() {
    let image = image_of("meanwhile", MEANWHILE);
    for _ in 0..3 {
        check(&image, &[], Mode::Plain, "", 7);
    }
    sound(&image);
}

/// Each commit has a function of its own, which is called and compared while collections make room for
/// the next ones.
const CALLED: &str = "(require \"std\")
(defun (node n) (Pin [n (range n (Add n 500)) {x -> (Add x n)}]))
(defun (use p) ((Last (Unpin p)) 5))
(defun (next go main n c)
  (@ p (Last c))
  (If (Ne (Add 5 n) (use p)) 8
    (If (planEq p (node n)) (Seq ((Pin 18) 0) (go main (Dec n))) 9)))
(defun (go main n) (If (Eq n 0) 7 (next go main n (commit (main (node n))))))
(defun (main state args) (go main 300))
(define main (main 0))
";

#[test]
fn what_is_called_is_what_was_committed_last() {
    let image = image_of("called", CALLED);
    for _ in 0..3 {
        check(&image, &[], Mode::Plain, "", 7);
    }
    sound(&image);
}
