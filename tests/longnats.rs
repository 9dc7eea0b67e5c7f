//! Long naturals and buffers lie outside the moving heap: their memory comes back, their addresses
//! stay, and a collection does not copy them.
//!
//! Invariants:
//! - Memory is bounded on the child alone, far below what the naturals take together.

#[path = "support/mod.rs"]
mod support;

use support::process::{End, Input, Outcome, Plan, scratch_dir};

/// What the programs below are made of: lists of n cells, k rounds of them, n buffers of so many
/// bytes, sums that grow.
const PARTS: &str = "(require \"std\")
(defun (cells n l) (Seq l (If n (cells (Dec n) (0 n l)) l)))
(defun (rounds k x) (Seq x (If k (rounds (Dec k) (cells 20000 0)) x)))
(defun (buffers n size) (If n (Seq (XBufOp size) (buffers (Dec n) size)) 1))
(defun (sums k a b) (Seq a (If k (sums (Dec k) (Add a b) b) a)))
(defun (store buf i byte) ((Pin 15) (109 0 i 1 byte buf)))
";

/// A program of these parts, more definitions, and this `main`.
fn program(label: &str, text: &str, main: &str) -> Plan {
    let path = scratch_dir(label).join("long.wisp");
    let text = format!("{PARTS}{text}(defun (main args) {main})\n");
    std::fs::write(&path, text).expect("a scratch file");
    Plan::new(["wisp".into(), path.into_os_string()]).limit_seconds(120)
}

/// The largest figure `name=number` on standard error.
fn largest(outcome: &Outcome, name: &str) -> u64 {
    let text = outcome.err();
    let words = text.split_whitespace();
    let numbers = words.filter_map(|w| w.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
    numbers
        .max()
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// A million buffers of each size, 64 GB of the largest, in 100 MB of address space. The loop
/// allocates nothing else.
#[test]
fn dropped_buffers_take_bounded_memory() {
    for (size, kilobytes) in [(100, 200_000), (4096, 100_000), (65536, 100_000)] {
        let main = format!("(Seq (buffers 1000000 {size}) 7)");
        let outcome = program("dropped", "", &main)
            .memory_kilobytes(kilobytes)
            .run();
        let what = outcome.describe();
        assert_eq!(outcome.end, End::Status(7), "{size} bytes: {what}");
    }
}

/// 05 §8.1: the address of a buffer and of a long natural after collections, and what is there.
#[test]
fn addresses_stay_and_so_do_contents() {
    let main = "(let* ((b (XBufOp 5000)) (n (Bex 1000000)) (p (XPtrOp b)) (q (XPtrOp n)))
      (Seq (store b 4321 99) (Seq p (Seq q (Seq (rounds 200 0)
        (If (And (Eq p (XPtrOp b)) (And (Eq q (XPtrOp n)) (And p q)))
          (If (Eq n (Bex 1000000))
            (If (Eq b (Add (Bex 40000) (Lsh 99 34568))) 7 3) 4) 5))))))";
    let outcome = program("addresses", "", main).env("PLAN_VERIFY", "1").run();
    assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
}

/// 05 §8.1: the system's read puts bytes at an offset, and nowhere else.
#[test]
fn a_read_fills_a_buffer_from_an_offset_on() {
    let text = "(defun (read-at buf i n) (Hd ((Pin 10) (0 0 buf n i))))\n";
    let main = "(let ((b (XBufOp 5000))) (Seq b
      (If (Eq (read-at b 4321 5) 5) (Seq (rounds 20 0)
        (If (Eq b (Add (Bex 40000) (Lsh 1684104562 34568))) 7 4)) 5)))";
    let outcome = program("read", text, main)
        .input(Input::Bytes(b"read\0 more".to_vec()))
        .env("PLAN_VERIFY", "1")
        .run();
    assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
}

/// A pin holds a copy: what becomes of the buffer afterwards does not show in it.
#[test]
fn a_pin_of_a_buffer_does_not_change() {
    let main = "(let* ((b (XBufOp 5000)) (p (Pin (0 b b))))
      (Seq p (Seq (store b 17 255)
        (If (Eq (Ix 0 (Unpin p)) (Bex 40000))
          (If (Eq b (Ix 1 (Unpin p))) 4 7) 5))))";
    let outcome = program("pinned", "", main).env("PLAN_VERIFY", "1").run();
    assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
}

/// 05 §8.2: 100 MiB stay where they are. A collection takes no longer, and there is no second
/// space.
#[test]
fn a_live_natural_of_100_megabytes_is_not_copied() {
    let main = "(let ((n (Bex 838860800))) (Seq n (Seq (rounds 500 0) (Trunc8 (Bits n)))))";
    let outcome = program("live", "", main).env("PLAN_STATS", "1").run();
    assert_eq!(outcome.end, End::Status(1), "{}", outcome.describe());
    assert!(largest(&outcome, "collections") > 50, "{}", outcome.err());
    // The cells that were live, not thirteen million words each time.
    assert!(
        largest(&outcome, "copied") < 100_000_000,
        "{}",
        outcome.err()
    );
}

/// Results that shrink, vanish or become direct.
#[test]
fn results_shorter_than_their_room_are_whole() {
    let main = "(let* ((n (Bex 200000)) (m (Sub n 1)) (k (Sub n m)) (h (Rsh n 180000)))
      (Seq k (Seq h (Seq (cells 30 0)
        (If (And (Eq k 1) (Eq h (Bex 20000)))
          (If (Eq (sums 40 m m) (Mul 41 m))
            (If (Eq (Div (Mul m m) m) m) (If (Eq 0 (Mod (Mul n m) n)) 7 2) 3) 4) 5)))))";
    let outcome = program("shorter", "", main).env("PLAN_VERIFY", "1").run();
    assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
}

/// Naturals that memory cannot hold are an exception, caught again and again.
#[test]
fn running_out_is_caught_and_leaves_the_memory_usable() {
    let text = "(defun (double n) (Seq n (double (Mul n n))))
      (defun (hoard l) (Seq l (hoard (0 (XBufOp 1000000) l))))
      (defun (detail r) (Ix 2 (Ix 0 r)))\n";
    let attempts = "(Add (detail (xtry double 65536)) (detail (xtry hoard 0)))";
    let main = format!("(Add (Add {attempts} {attempts}) (sums 100 0 (Bex 100000)))");
    let main = format!("(If (Eq {main} (Add 8 (Mul 100 (Bex 100000)))) 7 8)");
    let outcome = program("exhausted", text, &main)
        .memory_kilobytes(200_000)
        .run();
    assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
}
