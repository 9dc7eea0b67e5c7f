//! Threads and locks in an executable without a C library: runs tests/bare/threads.rs.
//!
//! Promises:
//! - threads run on aligned stacks of their own between guard pages, and leave nothing behind,
//!   whatever the order they are joined in;
//! - an exhausted stack ends the process with a message and status 70;
//! - they start where `clone3` is refused, and where `clone` is too the caller is told;
//! - locks exclude, wakes are not lost, readers do not starve, signals do no harm.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A scenario takes a second or two; this is for machines that do much else.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a scenario; what it printed, what went wrong, and how it ended.
fn run(scenario: &str) -> (String, String, ExitStatus) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_threads"))
        .arg(scenario)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the scenarios start");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().expect("it can be ended");
            child.wait().expect("it has ended");
            panic!("{scenario} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    // A few lines, so the pipes have held them all.
    let mut texts = [String::new(), String::new()];
    let [out, err] = &mut texts;
    let pipes = (child.stdout.take(), child.stderr.take());
    pipes.0.unwrap().read_to_string(out).expect("text");
    pipes.1.unwrap().read_to_string(err).expect("text");
    let [out, err] = texts;
    (out, err, status)
}

macro_rules! scenarios {
    ($($name:ident => $scenario:literal),* $(,)?) => {$(
        #[test]
        fn $name() {
            let (out, err, status) = run($scenario);
            assert!(status.code() == Some(0) && err.is_empty(), "{status}: {out}{err}");
            print!("{out}");
        }
    )*};
}

scenarios! {
    ten_thousand_threads_leave_nothing_behind => "create",
    results_come_in_any_order => "order",
    stacks_are_aligned_and_usable_to_their_end => "stack",
    threads_allocate_at_once => "allocate",
    clone_serves_where_clone3_is_refused => "no-clone3",
    a_refused_thread_leaves_nothing_behind => "no-clone",
    mutexes_exclude => "mutex",
    items_are_handed_over => "handover",
    every_signal_wakes_a_waiter => "signal",
    a_broadcast_wakes_all_waiters => "broadcast",
    writers_exclude_readers => "rwlock",
    writers_get_their_turn => "writers-wait",
    readers_get_in_beside_a_writer_that_comes_back => "readers-wait",
    countdowns_end => "countdown",
    interrupted_waits_go_on => "interrupted",
}

/// The guard page below the stack is touched, and nothing else is: a message, and status 70.
#[test]
fn an_exhausted_stack_is_an_internal_error() {
    for scenario in ["overflow", "overflow-main"] {
        let (out, err, status) = run(scenario);
        assert_eq!((out.as_str(), status.code()), ("", Some(70)), "{scenario}");
        let address = err.strip_prefix("plan: internal error: memory fault at 0x");
        let address = address.and_then(|text| text.strip_suffix(" (please report)\n"));
        let address = u64::from_str_radix(address.expect(&err), 16).expect("an address");
        assert!(address > 0, "{err}");
    }
}
