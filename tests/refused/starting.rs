//! Each system call of a start fails or is the last: what an image is must not depend on it.
//!
//! Invariants:
//! - both ways to start are tried, where the system allows both: `asm/stub.s` has them;
//! - a start that changes nothing leaves the file as it was and nothing beside it, and the next one
//!   starts at once;
//! - it runs as if nothing had happened, or one line says why not.

use crate::support::{End, Plan, scratch_dir};
use crate::tracer::{self, ANY, Fault, Traced};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// Says that it runs.
const PROGRAM: &str = "(require \"std\")
(define main {args -> (do (print-line \"here\") 0)})
";

/// Not permitted, none there, no memory.
const ERRORS: [u32; 3] = [1, 2, 12];

/// Words that start a command as one who may less, if we may all, or more: whoever may change the
/// executable of a process does so.
fn other_way() -> Vec<&'static str> {
    if fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0) {
        vec![
            "setpriv",
            "--inh-caps=-all",
            "--bounding-set=-sys_admin,-checkpoint_restore",
        ]
    } else {
        vec!["unshare", "--map-root-user"]
    }
}

fn start(image: &Path, way: &[&str], call: usize, fault: Fault) -> Traced {
    let mut command = match way {
        [] => Command::new(image),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(image);
            command
        }
    };
    let plan = tracer::Plan {
        number: ANY,
        call,
        fault,
        lasting: false,
    };
    tracer::run(&mut command, usize::from(!way.is_empty()), plan)
}

/// Whether a run says what became of it. The program itself may meet the error, too.
fn is_fine(got: &Traced, fault: Fault) -> bool {
    let line = got.stderr.starts_with("plan: ") && got.stderr.lines().count() == 1;
    match (got.status, &*got.stdout, &*got.stderr) {
        (None, ..) => fault == Fault::Kills,
        (Some(0), "here\n", "") => true,
        (Some(4 | 70), ..) => line,
        (Some(9), "", said) => line && said.contains("uncaught 17 [%io %Write "),
        _ => false,
    }
}

#[test]
fn a_start_may_fail_or_end_at_any_call() {
    let _alone = crate::alone();
    let dir = scratch_dir("starting");
    fs::write(dir.join("p.wisp"), PROGRAM).expect("a scratch file");
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    let image = dir.join("p");
    let before = fs::read(&image).expect("an image");
    let mut runs = 0;
    let faults = ERRORS.map(Fault::Fails).into_iter().chain([Fault::Kills]);
    for fault in faults {
        for way in [vec![], other_way()] {
            for call in 1.. {
                let got = start(&image, &way, call, fault);
                let what = format!("{way:?}, call {call}: {fault:?}: {got:?}");
                let after = Plan::new([""; 0]).program(&image).run();
                let here = (End::Status(0), "here\n".to_owned(), String::new());
                assert_eq!((after.end, after.out(), after.err()), here, "{what}");
                assert!(fs::read(&image).expect("an image") == before, "{what}");
                assert_eq!(fs::read_dir(&dir).expect("ours").count(), 2, "{what}");
                if got.hits == 0 {
                    break;
                }
                runs += 1;
                assert!(is_fine(&got, fault), "{what}");
            }
        }
    }
    println!("{runs} runs");
}
