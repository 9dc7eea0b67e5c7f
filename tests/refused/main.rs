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

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::process::{built, copy_program};
use support::{End, Plan};
use tracer::{Fault, Traced, WRITE_PARTS};

/// Says its number; commits three more, stores ahead and collects in between; says of each what
/// became of it: 1000000 + number, or 2000000 + 1000 * number + error. With two arguments it commits
/// 24 MB, and one more number without them.
const PROGRAM: &str = "(require \"std\")
(defun (say n) (print-line (showNat n)))
(defun (data k) [k (range k (Add k 30)) (Pin (range k (Add k 420)))])
(defun (told k r)
  (say (If (IsNat r) (Add 2000000 (Add (Mul 1000 k) r)) (Add 1000000 k))))
(defun (attempt run k) (told k (try-io commit (run (data k)))))
(defun (heavy run k large args) (run (data k) args))
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
(defun (large run k)
  (do (say k)
      (told (Inc k) (try-io commit (heavy run (Inc k) (Lsh 1 192000000))))
      (attempt run (Add 2 k))
      0))
(defun (run state args)
  (@ k (Ix0 state))
  (If (Nil args) (steps run k state)
    (If (Ix 1 args) (large run k)
      (Seq (commit (run [k (range 0 30000)])) (Seq (attempt run (Inc k)) 0)))))
(define main (run (data 0)))
";

const EIO: u32 = 5;
const ENOMEM: u32 = 12;
const EAGAIN: u32 = 11;
const EINTR: u32 = 4;
const ENOSPC: u32 = 28;
const ENOTSUP: u32 = 95;
const FDATASYNC: u64 = 75;
const FALLOCATE: u64 = 285;
/// Calls that change the file or make that durable.
const WRITING: [u64; 3] = [WRITE_PARTS, FDATASYNC, 77];

/// Calls, and what may go wrong with each.
type Faults<'a> = [(u64, &'a [Fault])];

/// What may go wrong with a write.
const WRITES: (u64, &[Fault]) = (
    WRITE_PARTS,
    &[
        Fault::Fails(EIO),
        Fault::Fails(ENOSPC),
        Fault::Fails(EINTR),
        Fault::Short,
    ],
);

/// What goes wrong with holes. They are made of what is free beyond 16 MiB.
const HOLES: (u64, &[Fault]) = (
    FALLOCATE,
    &[
        Fault::Fails(EIO),
        Fault::Fails(ENOSPC),
        Fault::Fails(EINTR),
        Fault::Fails(ENOTSUP),
    ],
);

/// All the others with which a program mounts, commits and collects, and writes.
const CALLS: &Faults = &[
    (17, &[Fault::Fails(EIO), Fault::Fails(EINTR), Fault::Short]),
    WRITES,
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
    built("refused", PROGRAM)
}

/// A run that goes well.
fn run(image: &Path, args: &[&str]) {
    let got = Plan::new(args).program(image).run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
}

/// An image that has free pages in between and is as short as it can be.
fn with_gaps() -> PathBuf {
    let image = image();
    run(&image, &[]);
    run(&image, &[]);
    run(&image, &["with something large that goes again"]);
    // So that the next commits cut the file.
    let got = Plan::new(["image", "collect", &image.to_string_lossy()]).run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
    image
}

fn traced(image: &Path, syncs: &str, plan: tracer::Plan, args: &[&str]) -> Traced {
    let mut command = Command::new(image);
    command.env("PLAN_SYNCS", syncs).args(args);
    tracer::run(&mut command, 0, plan)
}

const NOTHING: tracer::Plan = tracer::Plan {
    number: 0,
    call: 0,
    fault: Fault::Short,
    lasting: false,
};

/// The writes and syncs of two commits, neighbouring ones of a kind counted once.
fn rhythm(image: &Path, syncs: &str) -> String {
    let got = traced(image, syncs, NOTHING, &["with something large"]);
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

/// Runs that begin with a copy of `image` and these arguments, one for each way in which one of the
/// calls can go wrong; how many.
fn try_all(image: &Path, args: &[&str], calls: &Faults) -> usize {
    let copy = image.with_file_name("copy");
    let run = |syncs: &str, plan: tracer::Plan| {
        copy_program(image, &copy);
        traced(&copy, syncs, plan, args)
    };
    let sound = Said::new(&run("1", NOTHING).stdout);
    let before = sound.found.expect("a number");
    let expected = before + if args.is_empty() { 3 } else { 2 };
    assert!(sound.acked.into_iter().eq(before + 1..=expected));
    let mut runs = 0;
    for (number, faults) in calls {
        let writes = WRITING.contains(number);
        for (fault, lasting, syncs) in variants(faults, writes) {
            for call in 1.. {
                let plan = tracer::Plan {
                    number: *number,
                    call,
                    fault,
                    lasting,
                };
                // A collection that takes long may not be waited for at the end.
                let mut tries = (0..20).map(|_| run(syncs, plan));
                let Some(got) = tries.find(|got| got.hits > 0 || call > 1) else {
                    panic!("nothing can go wrong with call {number}");
                };
                if got.hits == 0 {
                    break;
                }
                runs += 1;
                judge(&copy, plan, &got, before);
            }
        }
    }
    runs
}

#[test]
fn a_call_that_fails_costs_nothing_that_was_acknowledged() {
    let _alone = alone();
    let image = with_gaps();
    println!("{} runs", try_all(&image, &[], CALLS));
    for (syncs, expected) in [("1", "wswsw"), ("2", "wswswswsw")] {
        let copy = image.with_file_name("copy");
        copy_program(&image, &copy);
        assert_eq!(rhythm(&copy, syncs), expected, "{syncs}");
    }
}

#[test]
fn what_is_large_is_written_or_refused_and_its_pages_given_back() {
    let _alone = alone();
    let image = image();
    run(&image, &[]);
    let large = ["with", "24 MB"];
    println!("{} runs", try_all(&image, &large, &[WRITES]));
    run(&image, &large);
    println!("{} runs with holes", try_all(&image, &[], &[HOLES]));
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
