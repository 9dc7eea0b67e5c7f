//! The library inside the executable, what `require` finds, and programs that come through a pipe.
//!
//! Invariants:
//! - programs bring their own definitions, or use names of the library that chapter 06 §4 lists;
//! - waiting ends after a bounded time whatever the program does.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{End, Input, Outcome, Plan, process, scratch_dir};

/// A directory with these files.
fn files(files: &[(&str, &str)]) -> PathBuf {
    let dir = scratch_dir("library");
    for (name, text) in files {
        let path = dir.join(name);
        let parent = path.parent().expect("a directory");
        fs::create_dir_all(parent).unwrap_or_else(|e| panic!("{}: {e}", parent.display()));
        fs::write(path, text).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    dir
}

fn run(dir: &Path, args: &[&str]) -> Outcome {
    Plan::new(args.to_vec()).dir(dir).run()
}

fn ends(got: &Outcome, stdout: &str, stderr: &str, status: i32) {
    assert_eq!(
        (got.out().as_str(), got.err().as_str(), got.end),
        (stdout, stderr, End::Status(status))
    );
}

#[test]
fn a_module_brings_its_names_and_those_of_what_it_needs() {
    let text = "(require \"base\")\n(defun (main args) (Add 2 3))";
    let dir = files(&[("a.wisp", text)]);
    ends(&run(&dir, &["wisp", "a.wisp"]), "", "", 5);
}

#[test]
fn modules_are_bound_where_they_are_required() {
    // b redefines a name of the library, which c requires again: each module is bound once.
    let dir = files(&[
        ("a.wisp", "(def Inc 7) (def seen Inc)"),
        ("b.wisp", "(require \"op\") (def two Inc) (def Inc 8)"),
        ("c.wisp", "(require \"op\") (def three Inc)"),
    ]);
    let words = [
        "wisp",
        "a.wisp",
        "b.wisp",
        "c.wisp",
        "-e",
        "seen (two 1) three",
    ];
    ends(&run(&dir, &words), "7\n2\n8\n", "", 0);
}

#[test]
fn names_of_the_program_survive_a_later_require() {
    // The second environment has nodes of another size, which is legal and not made anew.
    let grow = "(macro grow (law (m e x) (0 (0 \"zzzzzzzzzzzzzzzz\" 5 0 e 0 9) (1 0)))) (grow)";
    for text in ["(def zzzzzzzzzzzzzzzz 5)", grow] {
        let text = format!("(def x 3) (def Inc 4) (def __DOC 7) {text}");
        let dir = files(&[("a.wisp", &text), ("b.wisp", "(require \"op\")")]);
        let words = [
            "wisp",
            "a.wisp",
            "b.wisp",
            "-e",
            "x (Inc 1) zzzzzzzzzzzzzzzz",
        ];
        ends(&run(&dir, &words), "3\n2\n5\n", "", 0);
    }
}

#[test]
fn a_file_goes_before_a_module_of_the_same_name() {
    let dir = files(&[
        ("a.wisp", "(require \"op\")"),
        ("op.wisp", "(def Inc 5)"),
        ("sub/b.wisp", "(require \"op\")"),
    ]);
    ends(&run(&dir, &["wisp", "a.wisp", "-e", "Inc"]), "5\n", "", 0);
    let words = ["wisp", "-I", ".", "sub/b.wisp", "-e", "Inc"];
    ends(&run(&dir, &words), "5\n", "", 0);
    let words = ["wisp", "sub/b.wisp", "-e", "(Inc 1)"];
    ends(&run(&dir, &words), "2\n", "", 0);
}

#[test]
fn an_expression_alone_finds_the_whole_library() {
    let dir = scratch_dir("library");
    ends(&run(&dir, &["wisp", "-e", "(Add 2 3)"]), "5\n", "", 0);
    let got = run(&dir, &["wisp", "--no-std", "-e", "(Add 2 3)"]);
    assert_eq!(got.end, End::Status(1), "{}", got.describe());
    assert!(got.err().contains("Add is not defined"), "{}", got.err());
}

#[test]
fn what_is_not_found_is_reported_with_all_that_was_tried() {
    let dir = files(&[("t", "(require \"bsae\")")]);
    let head = "t:1:1: error: required file bsae not found\n    (require \"bsae\")\n    \
                ^^^^^^^^^^^^^^^^\n  help: tried bsae.lisp, bsae.wisp, lib/bsae.lisp, lib/bsae.wisp";
    let last = "plan: t: not loaded: 1 error (see above)\n";
    let help = " and the modules that are built in; did you mean base?";
    let text = format!("{head}{help}\n{last}");
    ends(&run(&dir, &["wisp", "-I", "lib", "t"]), "", &text, 3);
    let text = format!("{head}\n{last}");
    let words = ["wisp", "--no-std", "-I", "lib", "t"];
    ends(&run(&dir, &words), "", &text, 3);
}

#[test]
fn a_require_that_is_none_is_malformed() {
    let message = "error: require needs (require \"name\"), a name of letters, digits, - and _\n";
    for text in [
        "(require base)",
        "(require \"../x\")",
        "(require \"a\" \"b\")",
    ] {
        let dir = files(&[("t", text)]);
        let got = run(&dir, &["wisp", "t"]);
        assert_eq!(got.end, End::Status(3), "{}", got.describe());
        assert!(got.err().contains(message), "{}", got.err());
    }
    let dir = files(&[("t", "1 (require \"base\")")]);
    let got = run(&dir, &["wisp", "t"]);
    assert_eq!(got.end, End::Status(3), "{}", got.describe());
    assert!(got.err().contains("t:1:4: error: "), "{}", got.err());
}

#[test]
fn a_file_is_included_once_whatever_leads_to_it() {
    let note = "(def note (Pin 4))\n(def show (Pin (law (show x) (note (0 x x)))))\n";
    let dir = files(&[
        (
            "a.wisp",
            "(require \"b\") (require \"c\") (require \"link\")\n(show 2)",
        ),
        ("b.wisp", &format!("{note}(show 1)")),
        ("sub/c.wisp", "(require \"b\")"),
    ]);
    symlink("b.wisp", dir.join("link.wisp")).expect("a symbolic link");
    symlink("../b.wisp", dir.join("sub/b.wisp")).expect("a symbolic link");
    let words = ["wisp", "-I", "sub", "a.wisp", "./sub/../a.wisp"];
    ends(&run(&dir, &words), "", "1\n2\n", 0);
}

#[test]
fn a_cycle_is_named_from_where_it_begins() {
    let dir = files(&[
        ("a.wisp", "(require \"b\")"),
        ("b.wisp", "(require \"c\")"),
        ("c.wisp", "(require \"d\")"),
    ]);
    symlink("b.wisp", dir.join("d.wisp")).expect("a symbolic link");
    let got = run(&dir, &["wisp", "a.wisp"]);
    assert_eq!(got.end, End::Status(3), "{}", got.describe());
    let chain = "files require each other: b.wisp, c.wisp, d.wisp\n";
    assert!(got.err().contains(chain), "{}", got.err());
}

#[test]
fn a_damaged_library_is_an_internal_error() {
    let dir = files(&[("t", "(require \"op\")")]);
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("build/library");
    for part in ["builtins.seed", "modules.seed"] {
        let bytes = fs::read(parts.join(part)).expect("the library is prepared");
        let mut elf = fs::read(process::binary()).expect("the executable is readable");
        let place = elf.windows(bytes.len()).position(|window| window == bytes);
        let place = place.expect("the part is inside");
        elf[place..place + bytes.len() / 2].fill(0);
        let copy = dir.join(part);
        process::write_program(&copy, &elf);
        let mut command = Command::new(&copy);
        let got = process::output(command.args(["wisp", "t"]).current_dir(&dir));
        let got = got.expect("the copy runs");
        let message = String::from_utf8_lossy(&got.stderr);
        assert_eq!(got.status.code(), Some(70), "{part}: {message}");
        assert!(message.starts_with("plan: built-in library: "), "{message}");
        assert!(
            message.ends_with("(internal error, please report)\n"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1);
    }
}

/// The first `lines` lines that `plan` writes to standard error while its input stays open after
/// `first`; then all it writes after `rest` and the end.
fn through_a_pipe(first: &str, lines: usize, rest: &str) -> (String, String, Option<i32>) {
    let mut command = Command::new(process::binary());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null());
    let child = process::spawn(command.stderr(Stdio::piped()));
    let mut child = child.expect("plan starts");
    let mut input = child.stdin.take().expect("a pipe");
    let mut error = BufReader::new(child.stderr.take().expect("a pipe"));
    let (send, receive) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut early = String::new();
        for _ in 0..lines {
            error.read_line(&mut early).expect("readable");
        }
        // Nobody waits any more if this came too late.
        let _ = send.send(early);
        let mut late = String::new();
        error.read_to_string(&mut late).expect("readable");
        late
    });
    input.write_all(first.as_bytes()).expect("plan reads");
    let early = receive.recv_timeout(Duration::from_secs(60));
    let early = early.unwrap_or_else(|_| String::from("(nothing within a minute)"));
    // A program that has ended takes no more.
    let _ = input.write_all(rest.as_bytes());
    drop(input);
    let late = reader.join().expect("the reader ends");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(status) = child.try_wait().expect("waiting works") {
            return (early, late, status.code());
        }
        if Instant::now() > deadline {
            child.kill().expect("ours");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_piped_program_is_evaluated_as_it_comes() {
    let got = through_a_pipe("(def x 3) (0 x", 2, " 1) 7\n");
    let (early, late) = ("[%def 120 1[3]]\n3\n", "[1[0] 120 1[1]]\n[3 1]\n1[7]\n7\n");
    assert_eq!(got, (early.into(), late.into(), Some(0)));
    // A token is complete when the next byte has come.
    let got = through_a_pipe("12 3", 2, "4");
    assert_eq!(got, ("1[12]\n12\n".into(), "1[34]\n34\n".into(), Some(0)));
    let got = through_a_pipe("(require \"op\")\n(Add 2 3)\n", 2, "(Add 4 5)");
    let (early, late) = ("[%Add 1[2] 1[3]]\n5\n", "[%Add 1[4] 1[5]]\n9\n");
    assert_eq!(got, (early.into(), late.into(), Some(0)));
}

#[test]
fn a_loop_of_the_programs_own_gets_the_rest_as_it_comes() {
    // Traces each byte after the form that installs it; the status is the number of bytes.
    let text = "(def note (Pin 4)) (def if (Pin (law (if c t e) ((Pin 15) (26 c t e)))))
        (def ix (Pin (law (ix i r) ((Pin 15) (81 i r)))))
        (def inc (Pin (law (inc n) ((Pin 15) (2 n)))))
        (def each (Pin (law (each n bytes)
          (if bytes (note (0 (ix 0 bytes) (each (inc n) (ix 1 bytes)))) n))))
        (def __REPL (law (r env bytes) (each 0 bytes)))";
    let (early, late, status) = through_a_pipe(&format!("{text}ab"), 14, "c");
    assert!(early.ends_with("\n97\n98\n"), "{early}");
    // A warning says that this loop, and not the end of the text, ended the run.
    assert!(late.starts_with("99\n"), "{late}");
    assert_eq!(status, Some(3));
}

#[test]
fn a_long_form_through_a_pipe_takes_linear_time() {
    let text = format!("(0 {})", "1 ".repeat(1_000_000));
    let got = Plan::new([""; 0])
        .input(Input::Bytes(text.into_bytes()))
        .limit_seconds(60)
        .run();
    assert_eq!(got.end, End::Status(0), "{:?}", got.end);
}
