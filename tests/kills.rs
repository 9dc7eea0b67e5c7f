//! Real kills: a process that commits as fast as it can is killed at random times, again and again.
//!
//! Invariants:
//! - a number the process has printed was committed before; the image that is started next begins
//!   with that number or, if a commit was in flight, with the one after it, never with another;
//! - every state holds pins of this commit and of earlier ones, which the program checks at its start;
//! - a process that ends soon without leaving its image in order does not keep the space of what it replaced:
//!   one that did would leave the more the more often it is killed;
//! - kills come by handle, at times that depend on a seed and on the load of the machine alone.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use support::process::{built, spawn};
use support::{End, Plan};

/// Kills of all images together.
const KILLS: u32 = 1000;
/// The images, each with a thread that kills it.
const IMAGES: u32 = 2;
/// Bytes no image may take, however long it has run: ten times what it holds, and what is written
/// between two collections.
const BOUND: u64 = 16 << 20;
/// No process takes that long to get to its next commit.
const LIMIT: Duration = Duration::from_secs(120);

/// The state is the number of commits, and three pins, the oldest from two commits ago.
const PROGRAM: &str = "(require \"std\")
(defun (made n) (Pin [n (Pin (range n (Add n 300))) (Pin [n])]))
(defun (good n p)
  (@ x (Unpin p))
  (@ l (Unpin (Ix 1 x)))
  (And (Eq n (Ix 0 x)) (And (Eq n (Ix 0 (Unpin (Ix 2 x)))) (planEq l (range n (Add n 300))))))
(defun (go state args)
  (@ n (Ix 0 state))
  (@ ok (And (good (Add n 2) (Ix 1 state)) (And (good (Inc n) (Ix 2 state)) (good n (Ix 3 state)))))
  (@ next [(Inc n) (made (Add n 3)) (Ix 1 state) (Ix 2 state)])
  (@ stored (save go next))
  (Seq (If (IsNat args) 0 (print-line (If ok (showNat n) \"damaged\")))
    (Seq stored (Seq (print-line (showNat (Inc n))) (go stored 1)))))
(define main (go [0 (made 2) (made 1) (made 0)]))
";

/// Numbers that look random (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn image(program: &str) -> PathBuf {
    built("kills", program)
}

fn start(image: &Path) -> Child {
    let mut command = Command::new(image);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLAN") {
            command.env_remove(name);
        }
    }
    // Without arguments the program would find the number 0 and take it for its own call.
    command.arg("begin");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    spawn(command.stderr(Stdio::piped())).expect("an image")
}

/// A run that ends by a kill: some time after so many lines, or before there is one. What it printed.
fn killed(image: &Path, lines: u64, then: Duration) -> String {
    let begin = Instant::now();
    let mut child = start(image);
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    for _ in 0..lines {
        let read = stdout.read_line(&mut text).expect("readable");
        assert!(begin.elapsed() < LIMIT, "no commit comes");
        if read == 0 {
            break;
        }
    }
    thread::sleep(then);
    child.kill().expect("it is ours");
    stdout.read_to_string(&mut text).expect("readable");
    let end = child.wait_with_output().expect("ours");
    let errors = String::from_utf8_lossy(&end.stderr).into_owned();
    assert!(end.status.code().is_none(), "{:?}: {errors}", end.status);
    assert_eq!(errors, "", "after {text}");
    text
}

/// The last number acknowledged, and whether there was one; all must follow each other.
fn last_acknowledged(text: &str, before: u64, first: &mut bool) -> u64 {
    let mut last = before;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        // The last line may be cut.
        let Some(number) = line.strip_suffix('\n') else {
            break;
        };
        let number: u64 = number.parse().unwrap_or_else(|_| panic!("{text}"));
        match i {
            0 => assert!(
                number == last || (number == last + 1 && !*first),
                "{last} was acknowledged, {number} is there"
            ),
            _ => assert_eq!(number, last + 1, "{text}"),
        }
        (last, *first) = (number, false);
    }
    last
}

fn scrub(image: &Path) {
    let name = image.as_os_str().to_owned();
    let got = Plan::new(["image".into(), "scrub".into(), name])
        .limit_seconds(120)
        .run();
    assert_eq!(
        (got.end, got.err()),
        (End::Status(0), String::new()),
        "{}",
        got.describe()
    );
}

/// Kills an image so many times; the commits that were acknowledged.
fn kill_often(kills: u32, seed: u64) -> u64 {
    let image = image(PROGRAM);
    let (mut random, mut last, mut first) = (Random(seed), 0, true);
    for i in 0..kills {
        let text = match random.below(4) {
            // During the start.
            0 => killed(&image, 0, Duration::from_micros(random.below(12_000))),
            _ => {
                let lines = 1 + random.below(24);
                killed(&image, lines, Duration::from_micros(random.below(3_000)))
            }
        };
        last = last_acknowledged(&text, last, &mut first);
        let length = fs::metadata(&image).expect("it is there").len();
        assert!(length < BOUND, "{length} bytes after {last} commits");
        if i % 100 == 99 {
            scrub(&image);
        }
    }
    scrub(&image);
    last
}

#[test]
fn no_acknowledged_commit_is_lost_when_the_process_is_killed() {
    let kills = std::env::var("PLAN_KILLS").map_or(KILLS, |n| n.parse().expect("a number"));
    let begin = Instant::now();
    let commits = AtomicU64::new(0);
    thread::scope(|scope| {
        for i in 0..IMAGES {
            let commits = &commits;
            scope.spawn(move || {
                let done = kill_often(kills / IMAGES, 0x9E37_79B9_7F4A_7C15 + u64::from(i));
                commits.fetch_add(done, Relaxed);
            });
        }
    });
    let commits = commits.into_inner();
    assert!(commits > u64::from(kills), "{commits} commits");
    eprintln!("{kills} kills, {commits} commits, {:?}", begin.elapsed());
}

/// Commits a row of 320 KB, and ends like a process that is killed.
const SHORT: &str = "(require \"std\")
(defun (main n row args)
  (Seq (commit (main (Inc n) (range n (Add n 40000)))) (syscall (231 (If (IsNat row) 8 9)))))
(define main (main 0 0))
";

#[test]
fn what_processes_that_end_soon_have_replaced_is_given_back() {
    let image = image(SHORT);
    for i in 0..250 {
        let got = Plan::new(["begin"]).program(&image).run();
        let status = if i == 0 { 8 } else { 9 };
        assert_eq!(got.end, End::Status(status), "{}", got.describe());
    }
    // Without a collection they would have left five times as much.
    let length = fs::metadata(&image).expect("it is there").len();
    assert!(length < BOUND, "{length} bytes");
    scrub(&image);
}
