//! Pins are collected while programs run.
//!
//! Invariants:
//! - Memory is bounded on the child alone, far below what its pins take together.

#[path = "support/mod.rs"]
mod support;

use support::process::{End, Outcome, Plan, scratch_dir};

/// `(churn n 0)` makes n pins of 96 bytes, one after the other, and reads each.
const CHURN: &str = "(require \"std\")
(defun (churn n acc)
  (If (Eq n 0) acc
    (let ((p (Pin (0 n acc))))
      (Seq p (churn (Dec n) (Add acc (Ix 0 (Unpin p))))))))
";

/// `(chain n 0)` makes a pin of a pin of a pin, n deep; `(depth p 0)` counts them.
const CHAIN: &str = "
(defun (chain n p)
  (If (Eq n 0) p
    (let ((q (Pin (0 n p))))
      (Seq q (chain (Dec n) q)))))
(defun (depth p n)
  (Seq n (If (IsPin p) (depth (Ix 1 (Unpin p)) (Inc n)) n)))
";

/// A program of these definitions and this `main`.
fn program(label: &str, text: &str, main: &str) -> Plan {
    let path = scratch_dir(label).join("pins.wisp");
    let text = format!("{CHURN}{text}(defun (main args) {main})\n");
    std::fs::write(&path, text).expect("a scratch file");
    Plan::new(["wisp".into(), path.into_os_string()]).limit_seconds(120)
}

/// The figures `name=number` of the last line on standard error.
fn figure(outcome: &Outcome, name: &str) -> u64 {
    let text = outcome.err();
    let last = text.lines().last().unwrap_or_default();
    let value = last
        .split(' ')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    value
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// 480 MB of pins in 300 MB and in 80 MB of address space.
#[test]
fn temporary_pins_take_bounded_memory() {
    for kilobytes in [300_000, 80_000] {
        let main = "(If (Eq (churn 5000000 0) 12500002500000) 7 8)";
        let outcome = program("temporary", "", main)
            .memory_kilobytes(kilobytes)
            .env("PLAN_STATS", "1")
            .run();
        assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
        assert!(figure(&outcome, "pin_collections") > 3, "{}", outcome.err());
        assert!(
            figure(&outcome, "pins_freed") > 4_000_000,
            "{}",
            outcome.err()
        );
        assert!(figure(&outcome, "peak_arena") < kilobytes << 10);
    }
}

/// Pins that stay and pins that go, in collections that run all the time.
#[test]
fn what_is_reachable_stays() {
    let main = "(let ((p (chain 300000 0))) (Seq p (Seq (churn 1000000 0) \
                (If (Eq (depth p 0) 300000) 7 8))))";
    for (gc, verify) in [("1", "0"), ("5", "1")] {
        let outcome = program("reachable", CHAIN, main)
            .env("PLAN_GC", gc)
            .env("PLAN_VERIFY", verify)
            .run();
        assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
    }
}

/// A live set that memory cannot hold is an exception, and what was made for it is collected.
#[test]
fn live_pins_beyond_memory_are_an_exception_that_can_be_caught() {
    let text = format!("{CHAIN}(defun (endless p) (let ((q (Pin (0 p)))) (Seq q (endless q))))\n");
    let main = "(let ((a (xtry endless 0))) (Seq a \
                (let ((p (chain 100000 0))) (If (Eq (depth p 0) 100000) (Ix 2 (Ix 0 a)) 8))))";
    let outcome = program("endless", &text, main)
        .memory_kilobytes(200_000)
        .run();
    assert_eq!(outcome.end, End::Status(2), "{}", outcome.describe());
}

/// D-06, D-17: names in the log of the profiler keep their pins, whatever form the log has.
#[test]
fn pins_named_in_the_profile_alone_stay() {
    let text = "
(defun (Profile l x) x)
(defun (note n)
  (If (Eq n 0) 0
    (let ((p (Pin (0 n 77))))
      (Seq p (Seq (Profile p (Inc n)) (note (Dec n)))))))
(defun (page-sum page i acc)
  (Seq acc
    (If (Lt i 4086)
      (let ((v (Ix (Inc i) page)))
        (page-sum page (Add i 2) (If (IsPin v) (Add acc (Ix 0 (Unpin v))) acc)))
      acc)))
(defun (sum page acc)
  (If (IsApp page) (sum (Ix 0 page) (page-sum page 1 acc)) acc))
";
    // Each of 5000 pins is in the log twice: 2 · 5000 · 5001 / 2.
    let main = "(Seq ((Pin 19) 1) (Seq (note 5000) (Seq ((Pin 18) 0) (Seq (churn 2000000 0) \
                (If (Eq (sum ((Pin 20) 0) 0) 25005000) 7 8)))))";
    for gc in ["", "3"] {
        let outcome = program("profile", text, main).env("PLAN_GC", gc).run();
        assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
    }
}

/// D-26: `<18>` is 1, and the collection it asks for takes place.
#[test]
fn a_program_can_ask_for_a_collection() {
    let main = "(Seq (churn 1000 0) (let ((a ((Pin 18) 0))) (Seq a (Seq (churn 500000 0) a))))";
    let outcome = program("request", "", main).env("PLAN_GC", "log").run();
    assert_eq!(outcome.end, End::Status(1), "{}", outcome.describe());
    let err = outcome.err();
    let line = err
        .lines()
        .find(|line| line.starts_with("plan: gc: pins cause=request before="));
    let line = line.unwrap_or_else(|| panic!("no line of pins in {err}"));
    for name in ["before", "after", "pause_us", "total_us"] {
        let value = line
            .split(' ')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        assert!(
            value.is_some_and(|n| n.parse::<u64>().is_ok()),
            "{name} in {line}"
        );
    }
    assert!(
        err.lines()
            .any(|line| line.starts_with("plan: gc: nursery cause=full before="))
    );
}

/// G2-6: the collection asked for before a read goes on and ends while the program sleeps there: its
/// roots were given before, and nobody waits for it. After the read nothing is allocated.
#[test]
fn a_collection_ends_while_the_program_sleeps_in_a_read() {
    let main = "(let* ((b (XBufOp 8)) (p (chain 300000 0))) (Seq b (Seq p (Seq ((Pin 18) 0)
      (Seq ((Pin 10) (0 0 b 1 0)) (Seq (Unpin p) 7))))))";
    let path = scratch_dir("asleep").join("pins.wisp");
    let source = format!("{CHURN}{CHAIN}(defun (main args) {main})\n");
    std::fs::write(&path, source).expect("a scratch file");
    let mut child = std::process::Command::new(support::process::binary())
        .arg("wisp")
        .arg(path)
        .env("PLAN_STATS", "1")
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the executable starts");
    // Both threads sleep: one in its read, and the collector because it has nothing to do.
    let tasks = format!("/proc/{}/task", child.id());
    let asleep = || {
        let threads = std::fs::read_dir(&tasks).expect("a process");
        let states = threads.map(|thread| {
            let path = thread.expect("a thread").path().join("stat");
            std::fs::read_to_string(path).unwrap_or_default()
        });
        states.filter(|text| text.contains(") S ")).count()
    };
    let mut calm = 0;
    while calm < 20 {
        calm = if asleep() == 2 { calm + 1 } else { 0 };
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, b"x").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{err}");
    assert!(err.contains(" pin_collections=1 "), "{err}");
}

/// Where the system gives no thread the program collects by itself.
#[test]
fn pins_are_collected_without_a_thread() {
    let path = scratch_dir("threadless").join("pins.wisp");
    let main = "(If (Eq (churn 3000000 0) 4500001500000) 7 8)";
    std::fs::write(&path, format!("{CHURN}(defun (main args) {main})\n")).expect("a file");
    // The limit of processes does not bind root, who becomes somebody else.
    let script = "[ $(id -u) != 0 ] || set -- setpriv --reuid=54321 --clear-groups \"$@\"; \
                  exec prlimit --nproc=1:1 \"$@\"";
    let run = |words: &[&std::ffi::OsStr]| {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", script, "sh"]).args(words);
        command.env("PLAN_STATS", "1").output().expect("a shell")
    };
    let shell = ["/bin/sh", "-c", "echo begun; (:); echo forked"].map(AsRef::as_ref);
    let output = run(&shell);
    if output.stdout != b"begun\n" {
        let err = String::from_utf8_lossy(&output.stderr);
        return println!("not run: no limit of processes can be set here: {err}");
    }
    let plan = support::process::binary();
    let output = run(&[plan.as_ref(), "wisp".as_ref(), path.as_ref()]);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{err}");
    let counted = err.split("pin_collections=").nth(1);
    let counted = counted.and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(counted.is_some_and(|n| n > 3), "{err}");
}

/// D-07, D-18: pins, megapins and the log of the profiler while everything moves: what is evaluated
/// around them goes on as if nothing had been.
#[test]
fn megapins_and_the_log_disturb_no_evaluation_around_them() {
    let text = "
(defun (Profile l x) x)
(defun (sum n)
  (If (Eq n 0) 0
    (let* ((p (Pin (0 n))) (q (Pin p)))
      (Seq q (Add (Ix 0 (Unpin (Unpin q))) (Profile p (Add 1 (sum (Dec n)))))))))
";
    for on in [0, 1] {
        let main = format!("(Seq ((Pin 19) {on}) (If (Eq (sum 40) 860) 7 8))");
        for stress in ["0", "1"] {
            let run = program("disturbed", text, &main).env("PLAN_STRESS", stress);
            let outcome = run.run();
            assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
        }
    }
}

/// D-11: forcing and pinning what is nested a million deep, through first and last elements.
#[test]
fn forcing_and_pinning_deep_values_does_not_recurse() {
    let text = "
(defun (left n l) (Seq l (If n (left (Dec n) (0 l n)) l)))
(defun (right n l) (Seq l (If n (right (Dec n) (0 n l)) l)))
(defun (lazy n) (If n (0 (Inc n) (lazy (Dec n))) 0))
";
    let main = "(let* ((a (Pin (left 1000000 0))) (b (Pin (right 1000000 0)))
        (c (Pin (lazy 1000000))) (d (Pin (chain 1000000 0))))
      (Seq a (Seq b (Seq c (Seq d (If (Eq (depth (Unpin d) 0) 1000000) 7 8))))))";
    let outcome = program("nested", &format!("{CHAIN}{text}"), main).run();
    assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
}

/// A program may end while its pins are being collected.
#[test]
fn ending_during_a_collection_is_ending() {
    let main = "(let ((p (chain 1000000 0))) (Seq p (Seq ((Pin 18) 0) (Seq (Unpin p) 7))))";
    for _ in 0..5 {
        let outcome = program("ending", CHAIN, main).run();
        assert_eq!(outcome.end, End::Status(7), "{}", outcome.describe());
    }
}

/// A child has the memory of its parent but not the thread that collects it.
#[test]
fn a_forked_child_collects_its_pins_and_ends() {
    // 57 is fork; 61 is wait4, which the parent ends with, and the child with 7.
    let text = "
(defun (both pid)
  (Seq (churn 1500000 0)
    (If pid (Eq (syscall (61 pid 0 0 0)) pid) 7)))
";
    let main = "(Seq (churn 1500000 0) (Seq ((Pin 18) 0) (both (syscall (57 0)))))";
    let outcome = program("fork", text, main).env("PLAN_STATS", "1").run();
    assert_eq!(outcome.end, End::Status(1), "{}", outcome.describe());
    let err = outcome.err();
    let collections: Vec<u64> = err
        .lines()
        .filter_map(|line| line.split("pin_collections=").nth(1)?.split(' ').next())
        .map(|number| number.parse().expect("a number"))
        .collect();
    assert_eq!(collections.len(), 2, "{err}");
    assert!(collections.iter().all(|n| *n >= 4), "{err}");
}

/// The manual explains every counter that `PLAN_STATS=1` prints, and no others.
#[test]
fn the_manual_explains_every_counter() {
    let outcome = program("counters", "", "0").env("PLAN_STATS", "1").run();
    let err = outcome.err();
    let line = err.strip_prefix("plan: stats: ").expect(&err);
    let mut printed: Vec<&str> = line
        .split_whitespace()
        .map(|w| w.split('=').next().expect("a name"))
        .collect();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/running.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let table = page.split("| name | meaning |").nth(1).expect("the table");
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let names = rows.map(|row| row.split('|').nth(1).expect("a first column"));
    let mut explained: Vec<&str> = names
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    printed.sort_unstable();
    explained.sort_unstable();
    assert_eq!(printed, explained);
}
