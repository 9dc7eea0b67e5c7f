//! `plan wisp` as a user meets it: files, arguments, expressions, and where a mistake is.
//!
//! Invariants:
//! - every message is compared as a whole: place, line, marker, trail, help, closing line.

mod support;

use std::fs;
use std::path::PathBuf;
use support::{End, Input, Outcome, Plan, scratch_dir};

/// A directory with these files.
fn files(files: &[(&str, &str)]) -> PathBuf {
    let dir = scratch_dir("wisp-files");
    for (name, text) in files {
        fs::write(dir.join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    dir
}

fn ends(got: &Outcome, stdout: &str, stderr: &str, status: i32) {
    assert_eq!(
        (got.out().as_str(), got.err().as_str(), got.end),
        (stdout, stderr, End::Status(status))
    );
}

const HELLO: &str = "(require \"ops\")
(def main (Pin (law (main args)
  (then (write (0 1 (first args) 5 0))
    7))))
";
const OPS: &str = "(def write (Pin 9))
(def prim  (Pin 15))
(def then  (Pin (law (then a b)  (prim (5 a b)))))
(def first (Pin (law (first row) (prim (82 row)))))
";

#[test]
fn main_gets_the_arguments_and_gives_the_status() {
    let dir = files(&[("hello.wisp", HELLO), ("ops.lisp", OPS)]);
    let run = |args: &[&str]| Plan::new(args.to_vec()).dir(&dir).run();
    ends(&run(&["wisp", "hello.wisp", "--", "howdy"]), "howdy", "", 7);
    ends(&run(&["wisp", "--no-main", "hello.wisp"]), "", "", 0);
}

#[test]
fn a_program_may_be_a_pipe_and_begin_with_a_byte_order_mark() {
    for args in [
        &["wisp", "/dev/stdin"][..],
        &["wisp", "-"],
        &["wisp", "--no-main", "-"],
    ] {
        let program = "\u{feff}((Pin 9) (0 1 \"hello\" 5 0))\n";
        let input = Input::Bytes(program.as_bytes().to_vec());
        ends(&Plan::new(args.to_vec()).input(input).run(), "hello", "", 0);
    }
}

#[test]
fn an_expression_is_printed() {
    let run = |args: &[&str]| Plan::new(args.to_vec()).run();
    ends(
        &run(&["wisp", "-e", "((Pin 2) 4) \"ab\""]),
        "5\n%ab\n",
        "",
        0,
    );
}

#[test]
fn a_value_that_cannot_be_written_is_a_failure() {
    let got = Plan::new(["wisp", "--no-std", "-e", "5"])
        .stdout_to("/dev/full")
        .run();
    let why = "plan: standard output: cannot write: no space left on device (what was printed is \
               incomplete)\n";
    ends(&got, "", why, 3);
}

#[test]
fn a_program_on_standard_input_shows_forms_and_values() {
    let got = Plan::new([""; 0])
        .input(Input::Bytes(b"(def x 3) x".to_vec()))
        .run();
    ends(&got, "", "[%def 120 1[3]]\n3\n120\n3\n", 0);
}

#[test]
fn mistakes_are_reported_where_they_are() {
    let cases = [
        (
            "(def f (law (f x)\n  (x blnk)))",
            "t:2:6: error: blnk is not defined\n      (x blnk)))\n         ^^^^\n  \
             in law f (t:1:8)\n",
            1,
        ),
        (
            "(def x 1)\n  (law x)",
            "t:2:8: error: law needs (law (name arg ...) body)\n      (law x)\n           ^\n  \
             in law x (t:2:3)\n",
            1,
        ),
        (
            "1 (2 3]",
            "t:1:7: error: expected ')' to close '(' opened at 1:3\n    1 (2 3]\n          ^\n",
            3,
        ),
        (
            "((Pin 17) 4)",
            "t:1:1: error: uncaught exception 17 4\n    ((Pin 17) 4)\n    ^^^^^^^^^^^^\n",
            1,
        ),
        (
            "(require \"nope\")",
            "t:1:1: error: required file nope not found\n    (require \"nope\")\n    \
             ^^^^^^^^^^^^^^^^\n  help: tried nope.lisp, nope.wisp and the \
             modules that are built in\n",
            3,
        ),
    ];
    for (text, message, status) in cases {
        let dir = files(&[("t", text)]);
        let got = Plan::new(["wisp", "t"]).dir(&dir).run();
        let last = "plan: t: not loaded: 1 error (see above)\n";
        ends(&got, "", &format!("{message}{last}"), status);
    }
}

/// A loop of the program's own, which goes on with the built-in one's code and so catches every
/// exception of a form, gives the environment away at the end of the text.
#[test]
fn main_is_found_behind_a_loop_of_the_programs_own() {
    let own = "(def __REPL-1 __REPL)\n(def __REPL (law (r env cs) (__REPL-1 env cs)))\n";
    let text =
        format!("{own}(def answer 41)\n(def main (Pin (law (main args) ((Pin 2) answer))))\n");
    let dir = files(&[("own.wisp", &text)]);
    let run = |args: &[&str]| Plan::new(args.to_vec()).dir(&dir).run();
    let shown = |got: &Outcome| got.err().contains("PLAN-ENTRY");
    let got = run(&["wisp", "own.wisp"]);
    assert_eq!(got.end, End::Status(42), "{}", got.describe());
    let got = run(&["wisp", "--no-main", "own.wisp"]);
    assert_eq!((got.end, shown(&got)), (End::Status(0), false));
}

/// What `main` throws is told with the laws that were being evaluated.
#[test]
fn an_exception_in_main_is_told_with_the_laws_it_passed() {
    let text = "(def prim (Pin 15))
(def add  (Pin (law (add a b)   (prim (35 a b)))))
(def scan (Pin (law (scan n)    (add 1 (prim (35 n))))))
(def main (Pin (law (main args) (add 2 (scan args)))))
";
    let dir = files(&[("t.wisp", text)]);
    let got = Plan::new(["wisp", "t.wisp"]).dir(&dir).run();
    let expected = "error: wrong number of operands: 1 (in Op)
  while evaluating scan
  while evaluating main
  (a law that ended in a call of another is not listed)
plan: uncaught 17 [%badcall %Op 1]
";
    ends(&got, "", expected, 9);
}

const SPEC: &str = "; dialect: spec
<pins
(MAC twice (LAW (twice e x) (0 e (0 (ix1 x) (0 (ix1 x) (1 3))))))
(DEF main (PIN (LAW (main args) (twice inc))))
";

/// The newer dialect, declared by the first line or an option; what it does differently.
#[test]
fn the_newer_dialect_is_chosen_by_pragma_or_option() {
    let pins = "(def prim (pin 15))
(DEF inc (PIN (LAW (inc x) (prim (2 x)))))
(DEF ix1 (PIN (LAW (ix1 x) (prim (83 x)))))
";
    let dir = files(&[
        ("main.wisp", SPEC),
        ("pins.lisp", pins),
        (
            "bare.wisp",
            SPEC.strip_prefix("; dialect: spec\n").expect("the pragma"),
        ),
        ("classic.wisp", "; dialect: classic\n(def y 1)"),
    ]);
    let run = |args: &[&str]| Plan::new(args.to_vec()).dir(&dir).run();
    ends(&run(&["wisp", "main.wisp"]), "", "", 5);
    ends(&run(&["wisp", "--dialect=spec", "bare.wisp"]), "", "", 5);
    let got = run(&["wisp", "bare.wisp"]);
    assert!(got.err().contains("<pins is not defined"), "{}", got.err());
    let mixed = "classic.wisp: error: it declares another dialect than the run has
plan: classic.wisp: not loaded: 1 error (see above)
";
    ends(&run(&["wisp", "main.wisp", "classic.wisp"]), "", mixed, 3);
    let got = run(&["wisp", "--dialect=classic", "classic.wisp"]);
    ends(&got, "", "", 0);
}

#[test]
fn the_newer_dialects_transcript_is_the_expanded_forms() {
    let cases = [
        ("()", "1[0]\n", 0),
        ("(PIN 5) (pin 5)", "1[#5]\n1[#5]\n", 0),
        ("(DEF x 3) x", "1[3]\n1[3]\n", 0),
        ("(LAW (f x) x)", "1[102(1)=>1]\n", 0),
        ("(LAW (f x) 700)", "1[102(1)=>[700]]\n", 0),
        ("(LAW (0 a b) a)", "1[0(2)=>1]\n", 0),
        ("(LAW (f x) (EVAL x))", "", 1),
        (
            "(DEF x 9) (LAW (f x) (EVAL x))",
            "1[9]\n1[102(1)=>[9]]\n",
            0,
        ),
        ("(LAW (f EVAL x) (EVAL x))", "1[102(2)=>[1 2]]\n", 0),
        ("(LAW (f x) (@ m x) (m 1))", "1[102(1)=>1[1 [2 [1]]]]\n", 0),
        ("(LAW (f x) (x 1) 2)", "", 1),
        ("(LAW ((f) x) x)", "", 1),
        (
            "(MAC m (LAW (m e x) (0 e (1 9)))) (m) (LAW (f m) (m 1))",
            "1[109(2)=>[[[0] 1] [[1] [9]]]]\n1[9]\n1[102(1)=>[1 [1]]]\n",
            0,
        ),
        (
            "(MAC m (LAW (m e x) (0 e (1 9)))) (LAW (f x) m)",
            "1[109(2)=>[[[0] 1] [[1] [9]]]]\n",
            1,
        ),
        ("(MAC m (LAW (m e x) 0)) (m)", "1[109(2)=>[0]]\n", 1),
        (
            "(MAC EVAL (LAW (EVAL e x) (0 e (1 7)))) (3 4 5)",
            "1[%EVAL(2)=>[[[0] 1] [[1] [7]]]]\n1[7]\n",
            0,
        ),
        (
            "(MAC env (LAW (env e x) (0 e (1 e)))) (env)",
            "1[%env(2)=>[[[0] 1] [[1] 1]]]\n1[[%env %env(2) 1 0 0]]\n",
            0,
        ),
        ("[1]", "", 1),
        ("(DEF x)", "", 1),
    ];
    for (text, transcript, status) in cases {
        let args = ["wisp", "--dialect=spec", "--transcript", "--lenient", "-"];
        let got = Plan::new(args).input(Input::Bytes(text.into())).run();
        let what = format!("{text}\n{}", got.describe());
        assert_eq!(
            (got.out().as_str(), got.end),
            (transcript, End::Status(status)),
            "{what}"
        );
        assert_eq!(got.err().contains(": error: "), status == 1, "{what}");
    }
}

#[test]
fn files_that_require_each_other_are_refused() {
    let dir = files(&[("a.wisp", "(require \"b\")"), ("b.wisp", "(require \"a\")")]);
    let got = Plan::new(["wisp", "a.wisp"]).dir(&dir).run();
    assert_eq!(got.end, End::Status(3), "{}", got.describe());
    assert!(
        got.err().contains("a.wisp, b.wisp, a.wisp"),
        "{}",
        got.err()
    );
}

#[test]
fn brackets_may_nest_as_deep_as_memory_lasts() {
    let n = 100_000;
    let text = "(".repeat(n) + "5" + &")".repeat(n);
    let got = Plan::new(["wisp", "-"])
        .input(Input::Bytes(text.into_bytes()))
        .run();
    ends(&got, "", "", 0);
}

/// Parts of a value may be shared, so that its text is exponentially longer than the value.
#[test]
fn messages_about_values_with_shared_parts_take_no_time() {
    let mut text = String::from("(def d (0 1 2 3 4 5 6 7 8 9))\n");
    for _ in 0..18 {
        text += "(def d (0 d d d d d d d d d))\n";
    }
    for throw in [
        "((Pin 17) d)",
        "((Pin \"Throw\") (0 1 d))",
        "(macro m (law (m e x) d)) (m)",
    ] {
        let input = format!("{text}{throw}\n").into_bytes();
        let got = Plan::new(["wisp", "-"]).input(Input::Bytes(input)).run();
        assert_eq!(got.end, End::Status(1), "{}", got.describe());
        assert!(got.stderr.len() < 1000, "{} bytes", got.stderr.len());
    }
}

#[test]
fn a_form_with_more_parts_than_memory_is_an_error_with_a_place() {
    let input = [&b"1\n  "[..], &[b'('; 40_000_000]].concat();
    let plan = Plan::new(["wisp", "-"]).memory_kilobytes(2_000_000);
    let got = plan.input(Input::Bytes(input)).run();
    let line = format!("      {}...\n      ^\n", "(".repeat(118));
    let message = format!(
        "<standard input>:2:3: error: there is no memory for a form of so many parts\n{line}\
         plan: <standard input>: not loaded: 1 error (see above)\n"
    );
    ends(&got, "", &message, 3);
}
