//! `ParMap` (chapter 07) in an image: its workers run stored laws on stored pins, while the region is
//! collected and between commits that replace all of them.
//!
//! Invariants:
//! - every run starts from the same image; what it prints, its status and the state it leaves are the
//!   same for every number of threads;
//! - each element checks what it was given, whole, so a page that is given back too early shows;
//! - collections of the region are asked for right before workers begin, and those of the arena, with
//!   which they go on, come while the workers run.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::process::{built, copy_program};
use support::{End, Outcome, Plan};

/// The state is a number and a row of SIZE pins, each of its number, a list that follows from it, a
/// natural of 80 KB, and a law. `next` makes of such a pin the following one, with garbage, but leaves
/// those alone whose number is a multiple of 7. The argument says how often all are replaced, and committed.
const PROGRAM: &str = "(require \"std\")
(require \"parallel\")
(defun (twice x) (Mul 2 x))
(defun (node n) (Pin [n (Pin (range n (Add n 150))) (Add n (Bex 640000)) twice]))
(defun (good p)
  (@ x (Unpin p))
  (@ n (Ix 0 x))
  (And (planEq (Unpin (Ix 1 x)) (range n (Add n 150)))
    (And (Eq (Sub (Ix 2 x) n) (Bex 640000)) (Eq ((Ix 3 x) n) (Add n n)))))
(defun (next p)
  (@ n (Ix 0 (Unpin p)))
  (If (good p) (If (Eq 0 (Mod n 7)) p (node (Inc n))) 999))
(defun (number p) (Ix 0 (Unpin p)))
(defun (sum row) (foldl Add 0 (ParMap number row)))
(defun (change main k row n)
  (@ made (Seq ((Pin 18) 0) (ParMap next row)))
  (If (Eq n 0) (print-line (fmt \"{} {} {}\" k (sum row) (foldl Add 0 (ParMap good row))))
    (Seq made (Seq (commit (main (Inc k) made)) (change main (Inc k) made (Dec n))))))
(defun (main k row args)
  (If (IsNat row) (Seq (commit (main 0 (map node (range 1 (Inc SIZE))))) 5)
    (Seq (change main k row (Ix 0 (parse-nat (Ix 0 args)))) 7)))
(define main (main 0 0))
";

/// An image that has stored its row of so many pins.
fn image(size: u32) -> PathBuf {
    let program = PROGRAM.replace("SIZE", &size.to_string());
    let image = built("parallel-images", &program);
    let got = Plan::new(["first"]).program(&image).run();
    assert_eq!(got.end, End::Status(5), "{}", got.describe());
    image
}

/// A run of a copy, and a second one on another number of threads, which finds what it has left.
fn runs(image: &Path, commits: &str, threads: u32, env: &[(&str, &str)]) -> [Outcome; 2] {
    let copy = image.with_file_name("copy");
    copy_program(image, &copy);
    let run = |commits: &str, threads: u32| {
        let mut plan = Plan::new([commits]).program(&copy).limit_seconds(300);
        for (name, value) in env {
            plan = plan.env(name, value);
        }
        plan.env("PLAN_THREADS", &threads.to_string()).run()
    };
    let both = [run(commits, threads), run("1", 9 - threads)];
    let grown = fs::metadata(&copy).expect("it is there").len();
    // A large state has 8 MB, and 20 commits write ten times as much.
    assert!(grown < 64 << 20, "{grown} bytes");
    let name = copy.as_os_str().to_owned();
    let scrub = Plan::new(["image".into(), "scrub".into(), name]).run();
    assert_eq!(scrub.end, End::Status(0), "{}", scrub.describe());
    both
}

/// Compares runs on 2 to 8 threads with that on one.
fn same(size: u32, commits: &str, env: &[(&str, &str)]) {
    let image = image(size);
    let one = runs(&image, commits, 1, &[]);
    for got in &one {
        assert_eq!(got.end, End::Status(7), "{}", got.describe());
        let good = format!(" {size}\n");
        assert!(got.out().ends_with(&good), "{}", got.describe());
    }
    for threads in [2, 3, 8] {
        let got = runs(&image, commits, threads, env);
        assert_eq!(got, one, "{threads} threads, {env:?}");
    }
}

#[test]
fn workers_and_commits_take_turns() {
    same(96, "20", &[]);
}

/// The heap is verified after every collection of the nursery, and one of the arena begins with each.
#[test]
fn the_region_is_collected_while_workers_run() {
    same(96, "20", &[("PLAN_VERIFY", "1"), ("PLAN_GC", "1")]);
}

/// With a collection at every allocation that moves everything.
#[test]
fn whatever_moves_while_workers_run() {
    same(16, "2", &[("PLAN_STRESS", "1"), ("PLAN_VERIFY", "1")]);
}
