//! A file system that is full, again and again: commits throw `io`, the program goes on, and what was
//! acknowledged is there.
//!
//! Invariants:
//! - the file system is one in memory of 2 MiB in a name space of its own; where the kernel does not let
//!   us mount one the test says so, and the limit of file sizes, which is always tested, is all;
//! - the program judges each commit itself: a row that could never fit fails with the number the
//!   system gives, and the small one after it is committed, for which garbage has to be collected.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::process::{built, output};
use support::{End, Plan};

/// The state is the number of commits, how many of them failed, and a row that follows from the
/// number, which is checked at the start. Every 64th row takes 2 MB. The argument says how many
/// commits to make. Status 9, and a line, if a small row cannot be committed either.
const PROGRAM: &str = "(require \"std\")
(defun (size n) (If (Eq 0 (Mod n 64)) 250000 (Mod (Mul n 977) 2500)))
(defun (row n k) (range n (Add n k)))
(defun (attempt main n k failed) (try-io commit (main n failed (row n k) k)))
(defun (second n failed r s)
  (If (IsNat s) (Seq (print-line (fmt \"{} {}\" (Dec n) failed)) (syscall (231 9))) (Inc failed)))
(defun (step main n failed r)
  (If (Or (Eq r 27) (Eq r 28)) (second n failed r (attempt main n 9 (Inc failed))) failed))
(defun (go main n end failed)
  (If (Eq n end) (print-line (fmt \"{} {}\" n failed))
    (Seq failed
      (go main (Inc n) end (step main (Inc n) failed (attempt main (Inc n) (size (Inc n)) failed))))))
(defun (main n failed row k args)
  (If (Eq 0 (planEq row (range n (Add n k)))) 8
    (Seq (go main n (Add n (Ix 0 (parse-nat (Ix 0 args)))) failed) 7)))
(define main (main 0 0 [] 0))
";

/// A directory with the image `p`.
fn image() -> PathBuf {
    let image = built("full", PROGRAM);
    image.parent().expect("its directory").to_path_buf()
}

/// What a script does in the directory: status, and the numbers that all runs print at their ends, of
/// commits and of those that failed.
fn script(dir: &Path, command: &mut Command) -> (Option<i32>, Vec<(u64, u64)>) {
    for name in ["PLANCMD", "PLAN_READONLY", "PLAN_VERIFY", "PLAN_STRESS"] {
        command.env_remove(name);
    }
    let output = output(command.current_dir(dir)).expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| {
        let (n, failed) = line.split_once(' ')?;
        Some((n.parse().ok()?, failed.parse().ok()?))
    };
    let pairs = text.lines().map(|line| pair(line).expect("two numbers"));
    (output.status.code(), pairs.collect())
}

fn sound(dir: &Path) {
    let got = Plan::new(["image", "scrub", "p"]).dir(dir).run();
    assert_eq!((got.end, got.err()), (End::Status(0), String::new()));
}

/// A run for each 1,000 commits, then one beside a file that takes all that is left, then one without.
const FILLED: &str = "mkdir m && mount -t tmpfs -o size=2m none m || exit 77
cp p m && cd m || exit 6
for i in 1 2 3 4 5 6 7 8 9 10; do ./p 1000; test $? = 7 || exit 2; done
cat /dev/zero >filler 2>/dev/null
./p 70; end=$?; test $end = 7 || test $end = 9 || exit 3
rm filler
./p 70; test $? = 7 || exit 4
cp p ..";

#[test]
fn a_full_file_system_fails_commits_and_loses_none() {
    let dir = image();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", FILLED]);
    let (status, pairs) = script(&dir, &mut command);
    if status == Some(77) || status == Some(1) && pairs.is_empty() {
        println!("no file system can be mounted: only the limit of file sizes is tested");
        return;
    }
    assert_eq!((status, pairs.len()), (Some(0), 12), "{pairs:?}");
    for (i, pair) in (1..).zip(&pairs[..10]) {
        assert_eq!(*pair, (1000 * i, 1000 * i / 64), "{pairs:?}");
    }
    // Not everything failed there, and afterwards only what does not fit.
    let (filled, last) = (pairs[10], pairs[11]);
    assert!((10_000..=10_070).contains(&filled.0), "{pairs:?}");
    assert_eq!(last.0, filled.0 + 70, "{pairs:?}");
    assert_eq!(last.1 - filled.1, last.0 / 64 - filled.0 / 64, "{pairs:?}");
    println!("with a file system of 2 MiB: {pairs:?}");
    sound(&dir);
}

#[test]
fn a_limit_of_the_size_of_files_fails_commits_and_loses_none() {
    let dir = image();
    let mut command = Command::new("sh");
    // Blocks of 512 bytes.
    let text =
        "for i in 1 2 3 4; do (ulimit -f 4096; ./p 100); test $? = 7 || exit 2; done; ./p 48";
    command.args(["-c", text]);
    let (status, pairs) = script(&dir, &mut command);
    let counts = [100, 200, 300, 400].map(|n| (n, n / 64));
    assert_eq!(status, Some(7), "{pairs:?}");
    // Without the limit the large row of the last commit fits.
    assert_eq!((&pairs[..4], pairs[4]), (&counts[..], (448, 6)));
    sound(&dir);
}
