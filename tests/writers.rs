//! One writer: of two processes that start the same image at the same moment, exactly one runs.
//!
//! Invariants:
//! - the one that runs stays until both have come to their decision;
//! - the other one is refused by us (status 4, one line) or by the kernel, which executes nothing that
//!   somebody writes.

mod support;

use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Barrier;
use std::thread;
use support::process::{built, spawn};

/// Pairs of starts.
const ROUNDS: usize = 1000;
/// How the program ends.
const STATUS: i32 = 5;

/// Says that it runs, and waits for the end of its input.
const PROGRAM: &str = "(require \"std\")
(defun (main args) (do (print-line \"begun\") (read-line 0) 5))
";

fn image() -> PathBuf {
    built("writers", PROGRAM)
}

/// A start: the process, its output, and whether it has begun; none if the kernel refused.
fn start(image: &Path, together: &Barrier) -> Option<(Child, BufReader<ChildStdout>, bool)> {
    let mut command = Command::new(image);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLAN") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    together.wait();
    let mut child = match spawn(&mut command) {
        Ok(child) => child,
        Err(why) => {
            assert_eq!(why.kind(), ErrorKind::ExecutableFileBusy, "{why}");
            return None;
        }
    };
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    // The end of the output, if it ends without having run.
    stdout.read_line(&mut line).expect("readable");
    assert!(line.is_empty() || line == "begun\n", "{line:?}");
    Some((child, stdout, !line.is_empty()))
}

#[test]
fn of_two_simultaneous_starts_exactly_one_runs() {
    let image = image();
    let (mut by_us, mut by_kernel) = (0, 0);
    for round in 0..ROUNDS {
        let together = Barrier::new(2);
        let started = thread::scope(|scope| {
            let other = scope.spawn(|| start(&image, &together));
            let one = start(&image, &together);
            [one, other.join().expect("no panic")]
        });
        let begun = started.iter().flatten().filter(|(.., begun)| *begun);
        assert_eq!(begun.count(), 1, "round {round}");
        by_kernel += started.iter().filter(|start| start.is_none()).count();
        for (child, stdout, begun) in started.into_iter().flatten() {
            // Waiting closes the input, which ends the program.
            let end = child.wait_with_output().expect("ours");
            drop(stdout);
            let error = String::from_utf8_lossy(&end.stderr).into_owned();
            if begun {
                assert_eq!((end.status.code(), error.as_str()), (Some(STATUS), ""));
            } else {
                by_us += 1;
                assert_eq!(end.status.code(), Some(4), "{error}");
                let one_line = error.ends_with('\n') && error.lines().count() == 1;
                assert!(one_line && error.contains("in use"), "{error}");
            }
        }
    }
    println!("{ROUNDS} pairs: {by_us} refused by the runtime, {by_kernel} by the kernel");
    assert_eq!(by_us + by_kernel, ROUNDS);
}
