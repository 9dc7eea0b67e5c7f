//! `ParMap` (chapter 07): results, exceptions, effects and limits are those of one thread, whatever
//! the number of threads.
//!
//! Invariants:
//! - every program runs on 1 thread and on several; both outcomes are compared, byte for byte;
//! - programs are small: most of the time the machine has other things to do.

mod support;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{End, Outcome, Plan, scratch_dir};

/// The name of the operation, and what the programs use; nothing of the library.
const NAMES: &str = "(def prim (Pin 15))
(def trace (Pin 4))
(def try (Pin 8))
(def ParMap (law (ParMap f r) (prim (\"ParMap\" f r))))
(def If  (Pin (law (If c t e) (prim (26 c t e)))))
(def Seq (Pin (law (Seq a b) (prim (5 a b)))))
(def Inc (Pin (law (Inc a) (prim (2 a)))))
(def Dec (Pin (law (Dec a) (prim (29 a)))))
(def Add (Pin (law (Add a b) (prim (35 a b)))))
(def Mul (Pin (law (Mul a b) (prim (37 a b)))))
(def Mod (Pin (law (Mod a b) (prim (48 a b)))))
(def Gt  (Pin (law (Gt a b) (prim (45 a b)))))
(def Eq  (Pin (law (Eq a b) (prim (40 a b)))))
(def loop (law (loop x) (loop x)))
(def deep (law (deep n) (If n (Inc (deep (Dec n))) 0)))
(def spin (law (spin n) (If n (spin (Dec n)) 0)))
";

/// A file with these definitions, whose `main` traces the value of an expression.
fn program(label: &str, definitions: &str, expression: &str) -> PathBuf {
    let path = scratch_dir(label).join("p.wisp");
    let main = format!("(def main (law (main args) (trace (0 {expression} 0))))\n");
    std::fs::write(&path, format!("{NAMES}{definitions}\n{main}")).expect("a scratch file");
    path
}

fn on_threads(path: &Path, threads: u32) -> Plan {
    Plan::new(["wisp".into(), path.as_os_str().to_owned()])
        .env("PLAN_THREADS", &threads.to_string())
        .limit_seconds(120)
}

/// Runs it on 1, 2, 3 and 8 threads: standard error and status are the same.
fn same(label: &str, definitions: &str, expression: &str) -> Outcome {
    let path = program(label, definitions, expression);
    let one = on_threads(&path, 1).run();
    for threads in [2, 3, 8] {
        let got = on_threads(&path, threads).run();
        assert_eq!(
            (got.end, got.out(), got.err()),
            (one.end, one.out(), one.err()),
            "{expression} on {threads} threads"
        );
    }
    one
}

fn row(n: u32) -> String {
    (0..n).fold(String::from("(0"), |mut text, i| {
        let _ = write!(text, " {i}");
        text
    }) + ")"
}

#[test]
fn vectors_of_the_chapter() {
    for (expression, shown) in [
        ("(ParMap (Pin 2) (0 1 2 3))", "[2 3 4]"),
        ("(ParMap (Pin 2) 7)", "0"),
        ("(ParMap (Pin 2) (5 1 2))", "[2 3]"),
        ("(try (0 (ParMap (Pin 99)) (0 1 2)))", "99[1]"),
        (
            "(ParMap (law (x i) (ParMap (Pin 2) (0 i))) (0 1 2))",
            "[[2] [3]]",
        ),
    ] {
        let got = same("vectors", "", expression);
        assert_eq!(got.err(), format!("{shown}\n"), "{expression}");
    }
    let got = same("uncaught", "", "(ParMap (Pin 99) (0 1 2))");
    assert_eq!(got.end, End::Status(9));
    assert!(
        got.err().ends_with("plan: uncaught 99 1\n"),
        "{}",
        got.err()
    );
}

#[test]
fn the_first_exception_is_thrown_although_later_elements_diverge() {
    let f = "(def f (law (f x) (If (Eq x 3) ((Pin 99) x) (If (Gt x 3) (loop x) x))))";
    let got = same("first", f, &format!("(ParMap f {})", row(40)));
    assert!(
        got.err().ends_with("plan: uncaught 99 3\n"),
        "{}",
        got.err()
    );
    let own = "(def f (law (f x) (@ y (Inc y)) (If (Eq x 5) y x)))";
    let got = same("loop", own, &format!("(ParMap f {})", row(40)));
    assert_eq!(
        (got.end, got.out().as_str()),
        (End::Status(1), "<<loop>>\n")
    );
}

#[test]
fn effects_happen_once_and_in_order() {
    let f = "(def f (law (f x) (Seq (spin 20000) (If (Gt x 20) (trace (0 x (Inc x))) x))))";
    let got = same("effects", f, &format!("(ParMap f {})", row(40)));
    let traced: Vec<String> = got.err().lines().map(String::from).collect();
    assert_eq!(traced.len(), 20);
    assert!(
        (21..40).all(|i| traced[i - 21] == i.to_string()),
        "{traced:?}"
    );
}

/// A worker that waited for a collection would wait for others, which here work for ever on what nobody
/// wants any more.
#[test]
fn later_elements_that_diverge_hold_up_no_collection() {
    let f = "(def keep (law (keep n p) (If n (Seq p (keep (Dec n) (Pin (0 n p)))) p)))
(def full (law (full n) (keep n 0)))
(def two (law (two x) (Seq (try (0 full 100000000)) ((Pin 99) x))))
(def f (law (f x) (If (Eq x 2) (two x) (If (Gt x 2) (loop x) x))))";
    let path = program("held", f, &format!("(ParMap f {})", row(12)));
    for threads in [1, 2, 4] {
        let got = on_threads(&path, threads).memory_kilobytes(150_000).run();
        assert!(
            got.err().ends_with("plan: uncaught 99 2\n"),
            "{}",
            got.describe()
        );
    }
    let f = "(def f (law (f x) (If (Eq x 2) ((Pin 99) (0 x x)) (If (Gt x 2) (loop x) x))))";
    let path = program("stressed", f, &format!("(ParMap f {})", row(12)));
    for threads in [1, 2, 4] {
        let got = on_threads(&path, threads).env("PLAN_STRESS", "1").run();
        assert!(
            got.err().ends_with("plan: uncaught 99 [2 2]\n"),
            "{}",
            got.describe()
        );
    }
}

/// Where no thread can be had, or no memory for its machine, the caller does everything.
#[test]
fn without_memory_for_workers_the_caller_evaluates() {
    let path = program("small", "", &format!("(ParMap Inc {})", row(300)));
    let one = on_threads(&path, 1).run();
    assert_eq!(one.end, End::Status(0), "{}", one.describe());
    for kilobytes in [40_000, 60_000, 80_000, 100_000] {
        let got = on_threads(&path, 64).memory_kilobytes(kilobytes).run();
        assert_eq!((got.end, got.err()), (one.end, one.err()), "{kilobytes}");
    }
}

/// Workers have less stack than the caller, and handlers inside elements do not notice.
#[test]
fn limits_are_those_of_the_caller() {
    let f = "(def f (law (f x) (try (0 deep (If (Eq x 3) 3000000 x)))))";
    let got = same("deep", f, &format!("(ParMap f {})", row(6)));
    assert_eq!(got.err(), "[[0] [1] [2] [3000000] [4] [5]]\n");
    let path = program(
        "full",
        "",
        "(ParMap (law (f x) (try (0 deep 100000000000))) (0 1 2))",
    );
    for threads in [1, 3] {
        let got = on_threads(&path, threads).memory_kilobytes(200_000).run();
        assert_eq!(got.err(), "[17[[%limit 0 1]] 17[[%limit 0 1]]]\n");
    }
}

#[test]
fn a_time_limit_stops_all_threads() {
    for x in [0, 7] {
        let f = format!("(def f (law (f x) (try (0 (law (g x) (If (Eq x {x}) (loop x) x)) x))))");
        let path = program("time", &f, &format!("(ParMap f {})", row(9)));
        for threads in ["1", "2", "5"] {
            let start = Instant::now();
            let got = Plan::new(
                ["wisp", "--timeout", "1"]
                    .map(Into::into)
                    .into_iter()
                    .chain([path.as_os_str().to_owned()]),
            )
            .env("PLAN_THREADS", threads)
            .run();
            assert!(start.elapsed() >= Duration::from_secs(1));
            assert_eq!(got.end, End::Status(9), "{}", got.describe());
            let text = got.err();
            assert!(text.ends_with("plan: uncaught 17 [%limit 0 3]\n"), "{text}");
        }
    }
}

/// Laws, pins, large numbers and rows, made by workers and shared, with a collection at every
/// allocation and the heap checked after each.
#[test]
fn workers_collect_at_every_allocation() {
    let f = "(def big (Pin (law (big n x) (If n (big (Dec n) (Mul x 18446744073709551557)) x))))
(def f (law (f x) (0 x (big 3 (Inc x)) (Pin (0 x (Pin x))) (law (g y) (Add x y)) (Add x))))";
    let path = program("stress", f, &format!("(ParMap f {})", row(24)));
    let plain = on_threads(&path, 1).run();
    for threads in [1, 2, 4] {
        let stressed = on_threads(&path, threads)
            .env("PLAN_STRESS", "1")
            .env("PLAN_VERIFY", "1")
            .run();
        assert_eq!((stressed.end, stressed.err()), (plain.end, plain.err()));
    }
}

/// Pins from workers, kept and dropped, while pins are collected all the time.
#[test]
fn workers_make_pins_while_pins_are_collected() {
    let f = "(def chain (law (chain n p) (If n (Seq p (chain (Dec n) (Pin (0 n p)))) p)))
(def sum (law (sum p acc) (Seq acc (If (prim (13 p))
  (sum (prim (81 1 (prim (20 p)))) (Add acc (prim (82 (prim (20 p)))))) acc))))
(def f (law (f x) (Seq (chain 3000 0) (chain (Mul 20 x) 0))))
(def g (law (g p) (sum p 0)))";
    let path = program("pins", f, &format!("(ParMap g (ParMap f {}))", row(60)));
    let one = on_threads(&path, 1).run();
    assert_eq!(one.end, End::Status(0), "{}", one.describe());
    for (threads, gc, verify) in [(2, "1", "0"), (4, "2", "1"), (8, "1", "1")] {
        let got = on_threads(&path, threads)
            .env("PLAN_GC", gc)
            .env("PLAN_VERIFY", verify)
            .run();
        assert_eq!(
            (got.end, got.err()),
            (one.end, one.err()),
            "{threads} threads"
        );
    }
}

/// An expression over `x` and `y`, from a generator of pseudo-random numbers (Knuth's MMIX).
fn expression(state: &mut u64, depth: u32) -> String {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    let pick = *state >> 33;
    if depth == 0 {
        return ["x", "y", "1", "7", "18446744073709551616"][(pick % 5) as usize].into();
    }
    let mut sub = || expression(state, depth - 1);
    match pick % 12 {
        0 => format!("(Add {} {})", sub(), sub()),
        1 => format!("(Mul {} {})", sub(), sub()),
        2 => format!("(Mod {} {})", sub(), sub()),
        3 => format!("(If (Mod {} 3) {} {})", sub(), sub(), sub()),
        4 => format!("(0 {} {})", sub(), sub()),
        5 => format!("(Pin {})", sub()),
        6 => format!("(Seq {} {})", sub(), sub()),
        7 => format!(
            "(Add (If (Mod {} 13) 1 ((Pin 77) {})) {})",
            sub(),
            sub(),
            sub()
        ),
        8 => format!("(try (0 (Pin 78) {}))", sub()),
        9 => format!("(prim (81 {} {}))", sub(), sub()),
        10 => format!("(ParMap (Add {}) (0 {} y x))", sub(), sub()),
        _ => format!("(Add {})", sub()),
    }
}

#[test]
fn random_programs_have_the_same_outcome() {
    let mut state = 20_26;
    let mut thrown = 0;
    for _ in 0..40 {
        let f = format!("(def f (law (f y x) {}))", expression(&mut state, 4));
        let path = program("random", &f, &format!("(ParMap (f 5) {})", row(50)));
        let one = on_threads(&path, 1).run();
        thrown += u32::from(one.end != End::Status(0));
        let got = on_threads(&path, 4).env("PLAN_VERIFY", "1").run();
        assert_eq!((got.end, got.err()), (one.end, one.err()), "{f}");
    }
    assert!((1..40).contains(&thrown), "{thrown} of 40 threw");
}

/// A child has no workers of its parent; both go on.
#[test]
fn a_forked_child_evaluates_in_parallel() {
    let f = "(def sum (law (sum r) (Add (prim (82 r)) (prim (83 r)))))
(def both (law (both pid) (If pid (Eq pid ((Pin 5) (61 pid 0 0 0)))
  (Seq (sum (ParMap Inc (0 3 4))) 7))))";
    let main = "(Seq (sum (ParMap Inc (0 1 2))) (both ((Pin 5) (57 0))))";
    let path = program("fork", f, main);
    let got = on_threads(&path, 3).run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
    let mut lines: Vec<String> = got.err().lines().map(String::from).collect();
    lines.sort();
    assert_eq!(lines, ["1", "7"]);
}
