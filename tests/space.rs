//! What a running image gives back: memory of what it has stored, space of what it needs no more.
//!
//! Invariants:
//! - what depends on how far other threads come is tried again, not waited for.

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use support::process::built;
use support::{End, Outcome, Plan};

/// Makes an image of this program.
fn image_of(label: &str, wisp: &str) -> PathBuf {
    built(label, wisp)
}

fn run(image: &Path, status: i32) -> Outcome {
    let words: [&str; 0] = [];
    let got = Plan::new(words).program(image).env("PLAN_STATS", "1").run();
    assert_eq!(got.end, End::Status(status), "{}", got.describe());
    got
}

/// Stores a chain of pins, to which the stack refers or something else in memory, asks for collections,
/// and has a look at the chain.
const STORED: &str = "(require \"std\")
(defun (chain n p) (If (Eq n 0) p (Seq p (chain (Dec n) (Pin [p])))))
(defun (has x) (MADE))
(defun (p-of x) (FOUND))
(defun (main state args)
  (@ x (has (chain 50000 0)))
  (@ stored (Seq x (STORE)))
  (Seq stored (Seq ((Pin 18) 0) (Seq ((Pin 18) 0) (Seq (Unpin (p-of x)) 7)))))
(define main (main 0))
";

#[test]
fn references_to_what_is_stored_turn_to_the_copies() {
    let stack = ["Seq x x", "Seq x x"];
    let heap = ["Seq x [7 x]", "Ix 1 x"];
    let [commit, precommit] = ["commit (main (p-of x))", "precommit (p-of x)"];
    for (store, [made, found]) in [(commit, stack), (precommit, stack), (commit, heap)] {
        let program = STORED.replace("STORE", store).replace("MADE", made);
        let image = image_of("stored", &program.replace("FOUND", found));
        let text = run(&image, 7).err();
        let freed = text.split("pins_freed=").nth(1);
        let freed = freed.and_then(|rest| rest.split([' ', '\n']).next()?.parse::<u64>().ok());
        assert!(
            freed.is_some_and(|freed| freed >= 50_000),
            "{store}: {text}"
        );
    }
}

/// 31 MB that are not needed any more, with something behind them that is.
const LARGE: &str = "(require \"std\")
(defun (few main k n) (If (Eq n 0) 7 (Seq (commit (main [k n])) (few main k (Dec n)))))
(defun (collected main k) (Seq (few main k 3) (Seq ((Pin 18) 0) (few main k 3))))
(defun (main state args)
  (If (IsNat state) (Seq (commit (main (Pin (Bex 250000000)))) (collected main (Pin (range 0 600))))
    (collected main (Ix 0 state))))
(define main (main 0))
";

#[test]
fn a_running_image_makes_holes_of_what_it_does_not_need() {
    let image = image_of("large", LARGE);
    // A collection may come too early, or take more than its time on a busy system.
    for _ in 0..50 {
        run(&image, 7);
        let file = fs::metadata(&image).expect("it is there");
        if file.blocks() * 512 < 20 << 20 {
            assert!(file.len() > 30 << 20, "what is behind was needed");
            return;
        }
    }
    panic!("nothing is given back");
}

/// Commits something else, and collects.
const NEEDLE: &str = "(require \"std\")
(defun (main state args)
  (Seq (commit (main [(Ix 0 state) 1])) (Seq ((Pin 18) 0) (Seq (commit (main [(Ix 0 state) 2])) 3))))
(define main (main [(Pin \"a needle in a haystack, which nobody looks for\") 0]))
";

#[test]
fn a_collection_that_meets_damage_says_so_in_the_end() {
    let image = image_of("needle", NEEDLE);
    let bytes = fs::read(&image).expect("an image");
    let needle = b"a needle in a haystack";
    let at = bytes.windows(needle.len()).position(|part| part == needle);
    let mut changed = bytes.clone();
    changed[at.expect("the text") + 3] ^= 1;
    let warning = "warning: a checksum does not match (what is not needed any more stays)";
    let copy = image.with_file_name("changed");
    support::process::write_program(&copy, &changed);
    let text = run(&copy, 3).err();
    assert!(text.contains(warning), "{text}");
    let text = run(&image, 3).err();
    assert!(!text.contains("warning"), "{text}");
}
