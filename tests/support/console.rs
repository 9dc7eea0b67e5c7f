//! One-line checks of the console, and law-body expressions to write them with.
//!
//! Invariants:
//! - a check runs in both modes, unless its name says otherwise;
//! - a check compares standard output, standard error and the end of the process.

use super::process::{End, Mode, Outcome, Plan};
use super::wildcard;

/// `text` prints exactly `stdout`, nothing on standard error, status 0.
pub fn prints(text: &str, stdout: &str) {
    ends(text, stdout, "", 0);
}

/// `text` prints `stdout`, standard error matches the glob, and the status is this one.
pub fn ends(text: &str, stdout: &str, stderr: &str, status: i32) {
    for mode in [Mode::Plain, Mode::Stress] {
        let got = Plan::console(text).mode(mode).run();
        judge(text, &got, stdout, stderr, status);
    }
}

/// As `prints`, but once, as shipped, within so many seconds: for inputs whose size is the point.
pub fn prints_big(text: &str, stdout: &str, seconds: u64) {
    let got = Plan::console(text).limit_seconds(seconds).run();
    judge(text, &got, stdout, "", 0);
}

/// Uncaught exception: nothing on standard output, the line on standard error, status 9.
pub fn throws(text: &str, code_and_payload: &str) {
    ends(text, "", &format!("plan: uncaught {code_and_payload}\n"), 9);
}

/// As `prints`, where the output shows cells (chapter 04, 9.2).
pub fn prints_cells(text: &str, stdout: &str) {
    for mode in [Mode::Plain, Mode::Stress] {
        let got = Plan::console(text).mode(mode).run();
        let right = wildcard::outputs_match(stdout, &got.out())
            && got.stderr.is_empty()
            && got.end == End::Status(0);
        assert!(
            right,
            "input {text:?}\nexpected {stdout:?}\n{}",
            got.describe()
        );
    }
}

/// Panics with everything needed to see what went wrong.
pub fn judge(text: &str, got: &Outcome, stdout: &str, stderr: &str, status: i32) {
    let right =
        got.out() == stdout && wildcard::glob(stderr, &got.err()) && got.end == End::Status(status);
    let short: String = text.chars().take(2000).collect();
    assert!(
        right,
        "input {short:?}\nexpected stdout {stdout:?} stderr {stderr:?} status {status}\ngot {}",
        got.describe()
    );
}

/// A pinned law with this name and the constant 0 as its body: the operation of that name.
pub fn op(name: &str, arity: usize) -> String {
    format!("(0 {arity} \"{name}\" L P)")
}

/// The body expression of a constant nat.
pub fn quote(n: u64) -> String {
    format!("(0 {n} A)")
}

/// The body expression of a call.
pub fn call(function: &str, args: &[&str]) -> String {
    args.iter()
        .fold(function.to_string(), |f, x| format!("(0 {f} A {x} A)"))
}

/// The body expression of a numbered operation.
pub fn numbered(number: u64, args: &[&str]) -> String {
    format!("(0 15P A {} A)", call(&quote(number), args))
}

/// A row (head 0) of console values, as an unevaluated cell.
pub fn row(items: &[&str]) -> String {
    items
        .iter()
        .fold("0".to_string(), |f, x| format!("({f} {x} A)"))
}

/// A list of so many cells on the stack, each a row of 9 and the rest.
pub fn list(cells: usize) -> String {
    format!("0 {}", "0 9 A R\n".repeat(cells))
}
