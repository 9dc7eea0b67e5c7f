//! `--timeout SECONDS`: whatever a program does, the run ends with the VM error `limit`, detail 3.
//!
//! Invariants:
//! - no handler of the program catches it;
//! - a run that ends by itself is not changed by a limit it does not reach.

mod support;

use std::fs;
use std::time::{Duration, Instant};
use support::{End, Outcome, Plan, scratch_dir};

const UNCAUGHT: &str = "plan: uncaught 17 [%limit 0 3]\n";
const NAMES: &str = "(def prim (Pin 15))
(def try  (Pin 8))
(def Seq  (Pin (law (Seq a b) (prim (5 a b)))))
(def Add  (Pin (law (Add a b) (prim (35 a b)))))
(def loop (Pin (law (loop x) (loop x))))
";

/// Runs `main`, with this body and the argument `x`, for a second: a busy system may well let the process
/// wait for half of that before it begins.
fn main_with(body: &str) -> Outcome {
    main_for("1", body)
}

fn main_for(seconds: &str, body: &str) -> Outcome {
    let dir = scratch_dir("timeout");
    let text = format!("{NAMES}(def main (Pin (law (main x) {body})))\n");
    fs::write(dir.join("p.wisp"), text).expect("a program");
    let start = Instant::now();
    let got = Plan::new(["wisp", "--timeout", seconds, "p.wisp"])
        .dir(&dir)
        .run();
    assert!(start.elapsed() >= Duration::from_secs(1) || got.end == End::Status(7));
    got
}

fn is_stopped(got: &Outcome) {
    assert_eq!((got.out().as_str(), got.end), ("", End::Status(9)));
    assert!(got.err().ends_with(UNCAUGHT), "{}", got.err());
}

#[test]
fn a_loop_is_stopped() {
    is_stopped(&main_with("(loop x)"));
}

#[test]
fn handlers_do_not_catch_it() {
    is_stopped(&main_with("(Seq (try (0 loop x)) 7)"));
}

#[test]
fn a_thunk_that_waits_for_a_loop_is_stopped() {
    is_stopped(&main_with("(Add (Add (loop x) 1) 1)"));
}

#[test]
fn waiting_in_the_system_is_stopped() {
    // Descriptors 3 and 4 are what pipe gives when nothing else is open: this reads from a pipe
    // whose other end stays open.
    let pipe = "(@ fds ((Pin 14) 8)) (Seq ((Pin 5) (22 ((Pin 13) fds)))";
    is_stopped(&main_with(&format!(
        "{pipe} (Seq ((Pin 10) (0 3 ((Pin 14) 9) 1 0)) 7))"
    )));
}

#[test]
fn a_run_within_its_time_is_not_changed() {
    let got = main_for("600", "7");
    assert_eq!((got.err().as_str(), got.end), ("", End::Status(7)));
}

#[test]
fn a_form_that_is_loaded_is_stopped_where_it_stands() {
    let dir = scratch_dir("timeout");
    fs::write(dir.join("p.wisp"), format!("{NAMES}(loop 5)\n")).expect("a program");
    let got = Plan::new(["wisp", "--timeout", "1", "p.wisp"])
        .dir(&dir)
        .run();
    assert_eq!((got.out().as_str(), got.end), ("", End::Status(9)));
    let err = got.err();
    assert!(err.starts_with("p.wisp:6:1: error: out of time\n"), "{err}");
}

#[test]
fn a_seed_is_stopped() {
    let dir = scratch_dir("timeout");
    let loops = "(0 0 A 1 A) 1 \"loop\" L";
    fs::write(dir.join("p.rpn"), loops).expect("a program");
    let saved = Plan::new(["seed", "save", "p.rpn", "p.seed"])
        .dir(&dir)
        .run();
    assert_eq!(saved.end, End::Status(0), "{}", saved.describe());
    let got = Plan::new(["run", "--timeout", "1", "p.seed"])
        .dir(&dir)
        .run();
    assert_eq!((got.err().as_str(), got.end), (UNCAUGHT, End::Status(9)));
}

#[test]
fn a_single_operation_without_end_is_stopped_by_force() {
    // This power takes much longer than the two seconds that an evaluation has to react, and nothing
    // inside looks at signals.
    let got = main_with("((Pin 15) (38 3 2000000000))");
    assert_eq!(got.end, End::Status(9), "{}", got.describe());
    let forced = "plan: uncaught 17 [%limit 0 3] (stopped by force)\n";
    assert_eq!(got.err(), forced);
}
