//! Memory that runs out is an exception: caught, the program goes on; uncaught, one line and status 9.
//!
//! Invariants:
//! - The limit is set on the child alone, and every run is bounded in processor time.

#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};

/// A law that makes a list longer with every call and never returns: `grow n acc`.
const GROW: &str = "(0 (0 (0 2 \"Seq\" L P) A 1 A) A \
    (0 (0 0 A (0 (0 1 \"Inc\" L P) A 1 A) A) A (0 (0 (0 0 A) A 1 A) A 2 A) A) A) 2 \"grow\" L";

/// Runs console text under a limit of address space; standard output, standard error, status.
fn run_limited(kilobytes: u32, text: &str) -> (String, String, Option<i32>) {
    let script = format!("ulimit -v {kilobytes}; ulimit -t 60; exec \"$0\" rpn");
    let mut child = Command::new("/bin/sh")
        .args(["-c", &script])
        .arg(support::process::binary())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("the child reads");
    drop(input);
    let output = child.wait_with_output().expect("the child ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

#[test]
fn exhausted_memory_is_an_uncaught_exception() {
    for kilobytes in [100_000, 400_000] {
        let (out, err, status) = run_limited(kilobytes, &format!("7 . {GROW} 0 A 0 A E ."));
        assert_eq!(out, "7\n", "{kilobytes} KB");
        assert_eq!(err, "plan: uncaught 17 [%limit 0 2]\n", "{kilobytes} KB");
        assert_eq!(status, Some(9), "{kilobytes} KB");
    }
}

#[test]
fn exhausted_memory_is_caught_again_and_again_and_the_program_goes_on() {
    let attempt = format!("8P (0 ({GROW} 0 A) A 0 A E) A E .");
    let text = format!("{attempt} 5 . {attempt} {attempt} 7 .");
    let (out, err, status) = run_limited(200_000, &text);
    let limit = "17{[499984984428 0 2]}\n";
    assert_eq!(out, format!("{limit}5\n{limit}{limit}7\n"));
    assert_eq!((err.as_str(), status), ("", Some(0)));
}
