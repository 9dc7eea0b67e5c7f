//! Every system call with which an image mounts, commits, stores ahead and collects fails in turn:
//! the program is told and goes on where it can, nothing that was acknowledged is lost.
//!
//! Invariants:
//! - calls are enumerated until there are no more; a fault that did not happen ends the test;
//! - whatever happened, the next run finds the last acknowledged number, or one that was tried since,
//!   with the data that belongs to it, and a scrub finds nothing;
//! - a sync that the system refused ends all commits of that run, and leaves the old number.

mod starting;
#[path = "../support/mod.rs"]
mod support;
mod tracer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::process::copy_program;
use support::{End, Plan, scratch_dir};
use tracer::{Fault, Traced, WRITE_PARTS};

/// Says its number; commits three more, stores ahead and collects in between; says of each what
/// became of it: 1000000 + number, or 2000000 + 1000 * number + error.
const PROGRAM: &str = "(require \"std\")
(defun (say n) (print-line (showNat n)))
(defun (data k) [k (range k (Add k 30)) (Pin (range k (Add k 420)))])
(defun (attempt run k)
  (@ r (try-io commit (run (data k))))
  (say (If (IsNat r) (Add 2000000 (Add (Mul 1000 k) r)) (Add 1000000 k))))
(defun (ahead k) (try-io precommit (Pin (range k (Add k 550)))))
(defun (steps run k state)
  (do (say (If (planEq state (data k)) k 9999))
      (attempt run (Inc k))
      (ahead k)
      ((Pin 18) 0)
      (attempt run (Add 2 k))
      ((Pin 18) 0)
      (attempt run (Add 3 k))
      0))
(defun (run state args)
  (@ k (Ix0 state))
  (If args (Seq (commit (run [k (range 0 30000)])) (Seq (attempt run (Inc k)) 0))
    (steps run k state)))
(define main (run (data 0)))
";

const EIO: u32 = 5;
const ENOMEM: u32 = 12;
const EAGAIN: u32 = 11;
const EINTR: u32 = 4;
const ENOSPC: u32 = 28;
const FDATASYNC: u64 = 75;
/// Calls that change the file or make that durable.
const WRITING: [u64; 3] = [WRITE_PARTS, FDATASYNC, 77];

/// The calls, and what may go wrong with each. Holes are not among them: they are made of what is free
/// beyond 16 MiB, and what the system answers is not looked at.
const CALLS: [(u64, &[Fault]); 9] = [
    (17, &[Fault::Fails(EIO), Fault::Fails(EINTR), Fault::Short]),
    (
        WRITE_PARTS,
        &[
            Fault::Fails(EIO),
            Fault::Fails(ENOSPC),
            Fault::Fails(EINTR),
            Fault::Short,
        ],
    ),
    (
        FDATASYNC,
        &[Fault::Fails(EIO), Fault::Fails(ENOSPC), Fault::Fails(EINTR)],
    ),
    (
        77,
        &[Fault::Fails(EIO), Fault::Fails(ENOSPC), Fault::Fails(EINTR)],
    ),
    (5, &[Fault::Fails(EIO), Fault::Fails(EINTR)]),
    (72, &[Fault::Fails(EIO), Fault::Fails(EAGAIN)]),
    (9, &[Fault::Fails(ENOMEM), Fault::Fails(EAGAIN)]),
    (28, &[Fault::Fails(ENOMEM)]),
    (435, &[Fault::Fails(EAGAIN)]),
];

/// Held by whoever uses the tracer: nothing else may run beside it.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn image() -> PathBuf {
    let dir = scratch_dir("refused");
    fs::write(dir.join("p.wisp"), PROGRAM).expect("a scratch file");
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    let image = dir.join("p");
    for args in [&[][..], &[], &["with something large that goes again"]] {
        let got = Plan::new(args).program(&image).run();
        assert_eq!(got.end, End::Status(0), "{}", got.describe());
    }
    // So that the next commits cut the file.
    let got = Plan::new(["image", "collect", "p"]).dir(&dir).run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
    image
}

fn traced(image: &Path, syncs: &str, plan: tracer::Plan, arg: Option<&str>) -> Traced {
    let mut command = Command::new(image);
    command.env("PLAN_SYNCS", syncs).args(arg);
    tracer::run(&mut command, 0, plan)
}

/// The writes and syncs of two commits, neighbouring ones of a kind counted once.
fn rhythm(image: &Path, syncs: &str) -> String {
    let nothing = tracer::Plan {
        number: 0,
        call: 0,
        fault: Fault::Short,
        lasting: false,
    };
    let got = traced(image, syncs, nothing, Some("with something large"));
    assert_eq!(got.status, Some(0), "{got:?}");
    let mut calls: Vec<u64> = got.calls;
    calls.retain(|number| [WRITE_PARTS, FDATASYNC].contains(number));
    calls.dedup();
    let name = |number: &u64| if *number == WRITE_PARTS { 'w' } else { 's' };
    calls.iter().map(name).collect()
}

/// What a run said: the number it found, those acknowledged, and those refused with the errors.
struct Said {
    found: Option<u64>,
    acked: Vec<u64>,
    refused: Vec<(u64, u64)>,
}

impl Said {
    fn new(text: &str) -> Said {
        let mut said = Said {
            found: None,
            acked: Vec::new(),
            refused: Vec::new(),
        };
        for number in text.lines().map(|line| line.parse().expect("a number")) {
            match number {
                0..10_000 => said.found = Some(number),
                10_000..2_000_000 => said.acked.push(number - 1_000_000),
                _ => said.refused.push((number / 1000 - 2000, number % 1000)),
            }
        }
        said
    }
}

/// What must hold after a run with a fault.
fn judge(image: &Path, plan: tracer::Plan, got: &Traced, before: u64) {
    let what = format!("{plan:?}: {got:?}");
    let said = Said::new(&got.stdout);
    assert!(matches!(got.status, Some(0 | 4 | 70)), "{what}");
    let line = got.stderr.is_empty() || got.stderr.starts_with("plan: ");
    assert!(line && got.stderr.lines().count() <= 1, "{what}");
    // A collection that came to nothing is a warning; all else is told by the commits.
    let warned = got.stderr.is_empty() || got.stderr.contains(": warning: ");
    assert_eq!(warned, got.status == Some(0), "{what}");
    let last = *said.acked.last().unwrap_or(&before);
    let after = Plan::new([""; 0]).program(image).run();
    let next = Said::new(&after.out());
    assert_eq!(
        (after.end, after.err()),
        (End::Status(0), String::new()),
        "{what}"
    );
    let found = next.found.expect("a number");
    let tried = said.refused.iter().any(|(number, _)| *number == found);
    assert!(
        found == last || tried && found > last,
        "{what}: found {found}"
    );
    assert_eq!(next.acked, [found + 1, found + 2, found + 3], "{what}");
    let scrub = Plan::new(["image", "scrub", &image.to_string_lossy()]).run();
    assert_eq!(scrub.end, End::Status(0), "{what}: {}", scrub.describe());
    let refused = matches!(plan.fault, Fault::Fails(EIO | ENOSPC));
    if plan.number == FDATASYNC && refused && got.status == Some(0) {
        assert_eq!(found, last, "{what}");
        let order = said.refused.iter().all(|(number, _)| *number > last);
        assert!(order, "{what}: a commit after a sync that failed");
    }
}

#[test]
fn a_call_that_fails_costs_nothing_that_was_acknowledged() {
    let _alone = alone();
    let image = image();
    let copy = image.with_file_name("copy");
    let run = |syncs: &str, number: u64, call: usize, fault: Fault, lasting: bool| {
        let plan = tracer::Plan {
            number,
            call,
            fault,
            lasting,
        };
        copy_program(&image, &copy);
        (plan, traced(&copy, syncs, plan, None))
    };
    let (_, sound) = run("1", 0, 0, Fault::Short, false);
    let said = Said::new(&sound.stdout);
    let before = said.found.expect("a number");
    assert_eq!(said.acked, [before + 1, before + 2, before + 3]);
    let mut runs = 0;
    for (number, faults) in CALLS {
        let writes = WRITING.contains(&number);
        for (fault, lasting, syncs) in variants(faults, writes) {
            for call in 1.. {
                let (plan, got) = run(syncs, number, call, fault, lasting);
                if got.hits == 0 {
                    assert!(call > 1, "nothing can go wrong with call {number}");
                    break;
                }
                runs += 1;
                judge(&copy, plan, &got, before);
            }
        }
    }
    println!(
        "{runs} runs; one without a fault makes {} calls",
        sound.calls.len()
    );
    for (syncs, expected) in [("1", "wswsw"), ("2", "wswswswsw")] {
        copy_program(&image, &copy);
        assert_eq!(rhythm(&copy, syncs), expected, "{syncs}");
    }
}

/// Faults, whether for ever, and how often a commit syncs.
fn variants(faults: &[Fault], writes: bool) -> Vec<(Fault, bool, &'static str)> {
    let mut all = Vec::new();
    for fault in faults {
        all.push((*fault, false, "1"));
        if writes {
            all.push((*fault, false, "2"));
        }
        // What is interrupted for ever is tried for ever.
        if writes && *fault != Fault::Fails(EINTR) {
            all.push((*fault, true, "1"));
        }
    }
    all
}
