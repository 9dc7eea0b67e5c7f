//! `plan seed save` for Wisp programs: the examples of chapter 06 §8, the choice of the value, and what
//! is said when the value is of no use.
//!
//! Invariants:
//! - the examples are taken from the chapter itself, sizes and outputs from its text.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{End, Input, Outcome, Plan, scratch_dir};

fn files(files: &[(&str, &str)]) -> PathBuf {
    let dir = scratch_dir("save");
    for (name, text) in files {
        fs::write(dir.join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    dir
}

fn run(dir: &Path, args: &[&str], input: &str) -> Outcome {
    let input = Input::Bytes(input.as_bytes().to_vec());
    Plan::new(args.to_vec()).dir(dir).input(input).run()
}

fn ends(got: &Outcome, stdout: &str, stderr: &str, status: i32) {
    assert_eq!(
        (got.out().as_str(), got.err().as_str(), got.end),
        (stdout, stderr, End::Status(status))
    );
}

/// The program of the chapter whose first line names this file.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/spec/06-wisp.md");
    let chapter = fs::read_to_string(path).expect("the chapter");
    let start = format!("```lisp\n; {name} ");
    let (_, rest) = chapter.split_once(&start).expect("the example");
    let (program, _) = rest.split_once("```").expect("its end");
    format!("; {program}")
}

/// Saves an example; gives its directory and the bytes of the seed.
fn saved(name: &str) -> (PathBuf, Vec<u8>) {
    let dir = files(&[(name, &example(name))]);
    ends(
        &run(&dir, &["seed", "save", name, "-o", "out.seed"], ""),
        "",
        "",
        0,
    );
    let bytes = fs::read(dir.join("out.seed")).expect("the seed");
    (dir, bytes)
}

#[test]
fn the_examples_have_their_sizes_and_outputs() {
    let (dir, bytes) = saved("hello.lisp");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = "\
        0100000000000000010000000000000002000000000000000700000000000000\
        0300000000000000020000000000000048656c6c6f2c20776f726c64210a0000\
        6d61696e000000007468656e000000000f0e0905020100ea3086cc510f0989cc\
        3113891c4948d64924722321212109cab92f040000000000";
    assert_eq!(hex, expected);
    ends(&run(&dir, &["out.seed"], ""), "Hello, world!\n", "", 0);
    let (dir, bytes) = saved("counter.lisp");
    assert_eq!(bytes.len(), 352);
    ends(&run(&dir, &["out.seed"], ""), "run 1\n", "", 0);
    let (dir, bytes) = saved("wc.lisp");
    assert_eq!(bytes.len(), 840);
    let numbers: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    for (input, output) in [
        ("one two\nthree", "1 3 13\n"),
        ("", "0 0 0\n"),
        (&numbers, "100000 100000 588895\n"),
    ] {
        ends(&run(&dir, &["out.seed"], input), output, "", 0);
    }
}

#[test]
fn version_2_holds_the_same_program() {
    let (dir, first) = saved("wc.lisp");
    let words = ["seed", "save", "--v2", "wc.lisp", "-o", "two.seed"];
    ends(&run(&dir, &words, ""), "", "", 0);
    assert_ne!(fs::read(dir.join("two.seed")).expect("the seed"), first);
    ends(
        &run(&dir, &["two.seed"], "one two\nthree"),
        "1 3 13\n",
        "",
        0,
    );
}

#[test]
fn a_program_takes_of_the_library_what_it_reaches() {
    let text = "(require \"std\")\n(defun (main args) (Add 2 (Sz args)))";
    let dir = files(&[("a.wisp", text)]);
    ends(
        &run(&dir, &["seed", "save", "a.wisp", "-o", "a.seed"], ""),
        "",
        "",
        0,
    );
    let length = fs::metadata(dir.join("a.seed")).expect("the seed").len();
    assert!(length < 200, "{length} bytes");
    ends(&run(&dir, &["a.seed", "x", "y"], ""), "", "", 4);
}

#[test]
fn built_in_functions_can_be_saved() {
    // The program evaluates a form itself, with the loader's own evaluator and environment.
    let text = "(def seven 7) (macro here (law (m env form) (0 env (1 env))))
        (def env (here))
        (def part (Pin (law (part r) ((Pin 15) (83 r)))))
        (def main (Pin (law (main args)
          (part (eval env \"seven\")))))";
    let dir = files(&[("a.wisp", text)]);
    ends(
        &run(&dir, &["seed", "save", "a.wisp", "-o", "a.seed"], ""),
        "",
        "",
        0,
    );
    ends(&run(&dir, &["a.seed"], ""), "", "", 7);
}

#[test]
fn the_value_is_that_of_a_name_or_an_expression() {
    let text = "(def inc (Pin 2)) (def add (Pin (law (add a b) ((Pin 15) (35 a b)))))
        (def size (Pin (law (size r) ((Pin 15) (68 r)))))
        (def twice (Pin (law (twice args) (add (size args) (size args)))))";
    let dir = files(&[("a.wisp", text)]);
    let words = ["seed", "save", "--entry", "twice", "a.wisp", "-o", "a.seed"];
    ends(&run(&dir, &words, ""), "", "", 0);
    ends(&run(&dir, &["a.seed", "x", "y"], ""), "", "", 4);
    let words = [
        "seed",
        "save",
        "a.wisp",
        "-e",
        "3 (law (f x) (add 3 (twice x)))",
        "-o",
        "a.seed",
    ];
    ends(&run(&dir, &words, ""), "", "", 0);
    ends(&run(&dir, &["a.seed", "x", "y"], ""), "", "", 7);
    let words = [
        "seed",
        "save",
        "-e",
        "{x -> (Add 5 (Sz x))}",
        "-o",
        "a.seed",
    ];
    ends(&run(&dir, &words, ""), "", "", 0);
    ends(&run(&dir, &["a.seed", "x"], ""), "", "", 6);
}

#[test]
fn a_value_that_does_nothing_is_written_with_a_warning() {
    let text = "(def main 5) (def two (Pin (law (two a b) b))) (def one (two 1))
        (def Add (Pin (law (\"Add\" a b) b))) (def uses (Add 1))";
    let dir = files(&[("a.wisp", text)]);
    let save = |name| {
        let words = ["seed", "save", "a.wisp", "--entry", name, "-o", "a.seed"];
        run(&dir, &words, "")
    };
    let help = "it does nothing (a program is a function of one argument)\n";
    let warning = format!("plan: warning: a.wisp: main is no function: {help}");
    ends(&save("main"), "", &warning, 0);
    let warning = format!("plan: warning: a.wisp: two takes 2 arguments: {help}");
    ends(&save("two"), "", &warning, 0);
    ends(&save("one"), "", "", 0);
    let warning = "plan: warning: a.wisp: the pinned law Add runs as the operation of that name, \
                   whatever its body says (rename it if that is not meant)\n";
    ends(&save("uses"), "", warning, 0);
}

#[test]
fn nothing_is_written_when_something_is_wrong() {
    let dir = files(&[
        ("a.wisp", "(def mian 5)"),
        ("b.wisp", "(def main (0 (Pin 2) x))"),
        ("c.wisp", "(def main ((Pin 17) 4))"),
        (
            "d.wisp",
            "(def main 1) (def __REPL (law (r env bytes) 0)) 2",
        ),
    ]);
    let save = |words: &[&str]| {
        let all = [&["seed", "save"], words].concat();
        let got = run(&dir, &all, "");
        assert!(!dir.join("out.seed").exists(), "{words:?}");
        got
    };
    let missing = "plan: a.wisp: not saved: main is not defined (did you mean mian? define it, or \
                   name another with --entry)\n";
    ends(&save(&["a.wisp", "-o", "out.seed"]), "", missing, 1);
    for (file, part) in [
        ("b.wisp", "b.wisp:1:22: error: x is not defined"),
        ("c.wisp", "c.wisp:1:1: error: uncaught exception"),
        (
            "d.wisp",
            "plan: d.wisp: not saved: its read loop ended before its text",
        ),
    ] {
        let got = save(&[file, "-o", "out.seed"]);
        assert_eq!(got.end, End::Status(1), "{}", got.describe());
        assert!(got.err().contains(part), "{}", got.err());
    }
    for (words, status) in [
        (&["a.wisp", "-o"][..], 2),
        (&["-o", "out.seed"], 2),
        (&["a.wisp", "-o", "out.seed", "--nope"], 2),
        (&["a.wisp", "-o", "out.seed", "--entry", "x", "-e", "1"], 2),
        (&["none.wisp", "-o", "out.seed"], 3),
        (&["a.wisp", "--entry", "mian", "-o", "none/out.seed"], 3),
    ] {
        let got = save(words);
        assert_eq!(got.end, End::Status(status), "{words:?} {}", got.describe());
        assert!(
            got.err().starts_with("plan: ") || status == 3,
            "{}",
            got.err()
        );
    }
}

#[test]
fn the_output_stands_behind_its_option_for_every_kind_of_file() {
    let dir = files(&[("five.rpn", "5\n"), ("p.wisp", "(def main (Pin 9))\n")]);
    for args in [
        &["seed", "save", "five.rpn", "-o", "a.seed"][..],
        &["seed", "save", "five.rpn", "b.seed"],
        &["seed", "save", "--v2", "-o", "c.seed", "five.rpn"],
    ] {
        ends(&run(&dir, args, ""), "", "", 0);
    }
    let bytes = |name: &str| fs::read(dir.join(name)).expect(name);
    assert_eq!(bytes("a.seed"), bytes("b.seed"));
    assert_ne!(bytes("a.seed"), bytes("c.seed"));
    let dumped = run(&dir, &["seed", "dump", "c.seed"], "").out();
    assert!(
        dumped.starts_with("version 2,") && dumped.ends_with("= 5\n"),
        "{dumped}"
    );
    let refused = "plan: seed save: no output file (-o OUT) given (try plan seed save --help)\n";
    let got = run(&dir, &["seed", "save", "p.wisp", "d.seed"], "");
    ends(&got, "", refused, 2);
    assert!(!dir.join("d.seed").exists());
}

#[test]
fn a_program_given_for_a_seed_is_recognised() {
    let dir = files(&[(
        "p.wisp",
        "(def main (Pin 9)) ; long enough to hold a header\n",
    )]);
    let got = run(&dir, &["p.wisp"], "");
    assert!(
        got.err()
            .ends_with(" (a Wisp program is run by plan wisp FILE)\n"),
        "{}",
        got.err()
    );
    assert_eq!(got.end, End::Status(3));
}
