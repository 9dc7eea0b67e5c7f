//! The prompt as a user meets it: on a pseudo-terminal, key by key.
//!
//! Invariants:
//! - a test types only when it has seen that what it typed before was answered;
//! - what is compared is the screen that the bytes make, not the bytes, except for colours.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use support::process::binary;
use support::terminal::{OnTerminal, Terminal};
use support::{End, Input, Plan, scratch_dir};

/// The prompt without the library, after its first line.
fn bare() -> Terminal {
    started(OnTerminal::plan(&["repl", "--no-std"]))
}

fn started(terminal: OnTerminal) -> Terminal {
    let mut terminal = terminal.start();
    terminal.sees("Ctrl-D leaves.\n>");
    terminal
}

#[test]
fn values_are_shown_and_entries_may_have_many_lines() {
    let mut t = bare();
    t.keys("5 (6 7)\r").sees("> 5 (6 7)\n5\n6[7]\n>");
    t.keys("(1\r").sees("> (1\n.");
    t.keys("\"a)\r").sees("> (1\n. \"a)\n.");
    t.keys("b\" [2])\r").sees(
        "BRACED is not defined\n    b\" [2])\n       ^^^\n  \
        help: [..] needs (require \"base\"); (require \"std\") loads the whole library\n>",
    );
    t.keys("\r").sees("\n>\n>");
    t.keys("; nothing\r").sees("> ; nothing\n>");
    t.keys("\x04");
    assert_eq!(t.status(), Some(0));
}

#[test]
fn bare_plan_on_a_terminal_is_the_prompt_with_the_library() {
    let mut t = started(OnTerminal::plan(&[]));
    t.keys("(Add 1 2)\r").sees("> (Add 1 2)\n3\n>");
    t.keys(":quit\r");
    assert_eq!(t.status(), Some(0));
    let mut t = bare();
    t.keys("(Add 1 2)\r").answers("Add is not defined");
}

#[test]
fn a_mistake_is_shown_and_the_environment_stays() {
    let mut t = bare();
    t.keys("(def x 3)\r").sees("\n3\n>");
    t.keys("(def x 4) (def\r y z) (def x 5)\r").sees(
        "4\n<repl>:3:4: error: z is not defined\n     y z) (def x 5)\n       ^\n  \
         in definition of y (<repl>:2:11)\n>",
    );
    t.keys("x\r").sees("> x\n4\n>");
    t.keys("1 )\r").sees(
        "> 1 )\n1\n<repl>:5:3: error: ')' closes nothing: no bracket is open\n    1 )\n      ^\n>",
    );
    t.keys("((Pin 17) 4)\r").answers("uncaught exception 17 4");
    t.keys("x\r").sees("> x\n4\n>");
}

#[test]
fn a_loop_is_reported_and_the_prompt_goes_on() {
    let mut t = bare();
    t.keys("((law (f x) (@ y y) y) 1)\r")
        .answers("a value depends on itself");
    t.keys("7\r").sees("> 7\n7\n>");
}

#[test]
fn keys_edit_the_entry() {
    let mut t = bare();
    t.keys("(1 23)\x1b[D\x1b[D\x7f4\x01\x1b[3~[\x05\x08]")
        .sees("> [1 43]");
    t.keys("\x15").sees("\n>");
    t.keys("one two\x17\x19\x19").sees("> one twotwo");
    t.keys("\x03").sees("> one twotwo\n>");
    t.keys("é漢x\x02\x02\x7f").sees("> 漢x");
    assert_eq!(t.cursor().1, 2);
    t.keys("\x03").sees("> 漢x\n>");
    t.keys("\x1b[200~(1\n2\t3)\n\x1b[201~")
        .sees("> (1\n. 2 3)\n.");
    t.keys("\r").sees("> (1\n. 2 3)\n.\n1[2 3]\n>");
}

#[test]
fn long_entries_wrap_and_stay_in_the_window() {
    let mut t = started(OnTerminal::plan(&["repl", "--no-std"]).size(6, 60));
    t.keys(&"1".repeat(100))
        .sees(&format!("> {}\n{}", "1".repeat(58), "1".repeat(42)));
    t.keys("\x01").sees(&"1".repeat(42));
    t.keys("2")
        .sees(&format!("> 2{}\n{}", "1".repeat(57), "1".repeat(43)));
    t.resize(6, 50);
    t.keys("\x15\x0b").sees("\n>");
    t.keys("(1\r2\r3\r4\r5\r6\r7\r8")
        .sees(". 3\n. 4\n. 5\n. 6\n. 7\n. 8");
    t.keys("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[Ax")
        .sees("> (x1\n. 2\n. 3\n. 4\n. 5\n. 6");
    t.keys("\x03").sees(". 8\n>");
}

#[test]
fn entries_come_back_from_the_history() {
    let mut t = bare();
    t.keys("(1\r2)\r").sees("1[2]\n>");
    t.keys("33\r").sees("33\n>");
    t.keys("new\x1b[A").sees("\n> 33");
    t.keys("\x10").sees("\n> (1\n. 2)");
    t.keys("\x10\x10\x0e\x0e\x0e").sees("\n> new");
    t.keys("\x15\x12").sees("\n(search) :");
    t.keys("1").sees("\n(search) 1: (1\n. 2)");
    t.keys("x").sees("\n(no match) 1x: (1\n. 2)");
    t.keys("\x07").sees("\n>");
    t.keys("\x123\r").sees("> 33\n33\n>");
}

/// A session with this history file in which these entries are typed.
fn session(history: &Path, entries: &[&str]) -> Terminal {
    let path = history.to_string_lossy().into_owned();
    let plan = OnTerminal::plan(&["repl", "--no-std"]);
    let mut t = started(plan.env("PLAN_HISTORY", &path));
    for entry in entries {
        t.keys(&format!("{entry}\r")).answers(entry);
    }
    t
}

#[test]
fn the_history_is_kept_for_later_sessions() {
    let file = scratch_dir("repl-history").join("deep/history");
    let mut first = session(&file, &["11"]);
    let mut second = session(&file, &["22"]);
    first.keys("(3\r3)\r").answers("3[3]");
    second.keys("44\r44\r").answers("44");
    for t in [&mut first, &mut second] {
        t.keys("\x04");
        assert_eq!(t.status(), Some(0));
    }
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(kept, "11\n22\n(3\\n3)\n44\n");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut third = session(&file, &[]);
    third.keys("\x10\x10").sees("> (3\n. 3)");
    third.keys("\x10\x10").sees("\n> 22");
}

#[test]
fn a_history_that_cannot_be_kept_is_no_error() {
    for path in ["/dev/null/history", "/proc/history"] {
        let mut t = session(Path::new(path), &["5"]);
        t.keys("\x10").sees("\n> 5");
    }
    let home = scratch_dir("repl-home");
    let plan = OnTerminal::plan(&["repl", "--no-std"]);
    let plan = plan.env("HOME", &home.to_string_lossy()).dir(&home);
    let mut t = started(plan);
    t.keys("5\r").sees("\n5\n>");
    t.keys("\x04");
    assert_eq!(t.status(), Some(0));
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[test]
fn tab_completes() {
    let dir = scratch_dir("repl-files");
    for name in ["alpha.wisp", "alpine.wisp", "beta.lisp", "other.txt"] {
        fs::write(dir.join(name), "").unwrap();
    }
    let mut t = started(OnTerminal::plan(&["repl", "--no-std"]).dir(&dir));
    t.keys("(def count-all 1)\r").sees("\n1\n>");
    t.keys("cou\t").sees("> count-all");
    t.keys("\x15(law (f counter) (coun\t").sees("(count");
    t.keys("\t").sees("(count");
    t.keys("\t")
        .sees("\ncount-all  counter\n> (law (f counter) (count");
    t.keys("\x15:lo\t").sees("> :load");
    t.keys(" al\t").sees("> :load alp");
    t.keys("\t").sees("> :load alp");
    t.keys("\t").sees("\nalpha.wisp   alpine.wisp\n> :load alp");
    t.keys("\x15(require \"\t").sees("> (require \"");
    t.keys("\t").sees("\nalpha   alpine  beta\n> (require \"");
    t.keys("b\t").sees("> (require \"beta");
    t.keys("\x15\tx").sees(">   x");
    t.keys("\x15zzz\t\t").sees("> zzz");
}

#[test]
fn commands_answer() {
    let dir = scratch_dir("repl-load");
    fs::write(dir.join("good.wisp"), "(def good 9)\n").unwrap();
    fs::write(dir.join("bad.wisp"), "(def a 1)\n(def b nope)\n").unwrap();
    let mut t = started(OnTerminal::plan(&["repl"]).dir(&dir));
    t.keys(":help\r").answers(":quit         leave");
    t.keys(":help :ty\r")
        .sees(":type EXPR    what kind of value an expression has\n>");
    t.keys(":type\r")
        .sees(":type EXPR    what kind of value an expression has\n>");
    t.keys(":type 300\r").sees("natural number, 9 bits\n>");
    t.keys(":t Add\r").answers(":t is no command");
    t.keys(":type Add\r")
        .sees("pin of law %Add, arity 2, runs as operation Add\n>");
    t.keys(":type (Add 1)\r")
        .sees("application of Add to 1, runs with 2\n>");
    t.keys(":type (0 1 2)\r").sees("\nrow of 2\n>");
    t.keys(":type (law (ff a b) a)\r")
        .sees("\nlaw %ff, arity 2\n>");
    t.keys(":time (Add 1 2)\r").answers(" ms, ");
    t.keys(":hlep\r")
        .sees(":hlep is no command\n  help: did you mean :help?\n>");
    t.keys(":doc Add\r")
        .answers("\nAdd: pin of law %Add, arity 2");
    t.keys(":doc Ad\r").answers("Ad is not defined");
    for _ in 0..2 {
        t.keys(":load good.wisp\r").sees("> :load good.wisp\n9\n>");
    }
    t.keys("good\r").sees("> good\n9\n>");
    t.keys(":load bad.wisp\r")
        .answers("bad.wisp:2:8: error: nope is not defined");
    t.keys("a\r").sees("> a\n1\n>");
    t.keys(":load nope.wisp\r")
        .answers("nope.wisp: error: cannot open");
    t.keys(":env goo\r").sees("\ngood\n>");
    t.keys(":quit\r");
    assert_eq!(t.status(), Some(0));
}

#[test]
fn files_can_be_required_at_any_time_and_again_after_a_mistake() {
    let dir = scratch_dir("repl-require");
    fs::write(dir.join("m.wisp"), "(require \"n\")\n(def m (0 n))\n").unwrap();
    let mut t = started(OnTerminal::plan(&["repl", "--no-std"]).dir(&dir));
    t.keys("(require \"m\")\r")
        .answers("required file n not found");
    fs::write(dir.join("n.wisp"), "(def n nn)\n").unwrap();
    t.keys("(require \"m\")\r")
        .answers("n.wisp:1:8: error: nn is not defined");
    fs::write(dir.join("n.wisp"), "(def n 8)\n").unwrap();
    t.keys("(require \"m\") m\r")
        .sees("> (require \"m\") m\n8\n[8]\n[8]\n>");
    t.keys("(require \"m\") n\r")
        .sees("> (require \"m\") n\n8\n>");
}

#[test]
fn long_values_are_cut() {
    let mut t = bare();
    t.keys("((Pin 15) (39 90000))\r")
        .answers("0...\n(cut; :print EXPR shows all)");
    t.keys(":print ((Pin 15) (39 90000))\r").answers("000\n>");
    let zeros = t.bytes().split(|b| *b != b'0').map(<[u8]>::len).max();
    assert!(zeros > Some(20_000), "{zeros:?}");
}

#[test]
fn the_interrupt_key_ends_an_evaluation_only() {
    let mut t = bare();
    t.keys("(def x 6)\r").sees("\n6\n>");
    t.keys("(def spin (law (spin n) (spin n)))\r")
        .answers("%spin");
    for call in ["(spin 1)", "((Pin 10) (0 0 ((Pin 15) (39 100)) 4 0))"] {
        // The trace says that the evaluation has begun.
        t.keys(&format!("(def x ((Pin 4) (0 123456 {call})))\r"));
        t.sees(&format!("{call})))\n123456"));
        t.keys("\x03").sees("\n123456\n^C\ninterrupted\n>");
        t.keys("x\r").sees("> x\n6\n>");
    }
}

#[test]
fn a_suspended_prompt_goes_on() {
    let script = "\"$0\" repl --no-std; echo stopped; fg >/dev/null; echo over $?";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-mc", script]).arg(binary());
    let mut t = started(OnTerminal::new(shell));
    t.keys("(1 2").sees("> (1 2");
    t.keys("\x1a").sees("> (1 2\nstopped\n> (1 2");
    t.keys(")\r").sees("\n1[2]\n>");
    t.keys("\x04").sees("over 0");
}

#[test]
fn colours_are_for_terminals() {
    let colored = |name: &str, value: &str| {
        let plan = OnTerminal::plan(&["repl", "--no-std"]);
        let mut t = started(plan.env(name, value));
        t.keys("5 nope\r").answers("nope is not defined");
        t.bytes().windows(4).any(|part| part == b"\x1b[1;")
    };
    assert!(colored("TERM", "xterm"));
    assert!(!colored("NO_COLOR", "1"));
    assert!(!colored("TERM", "dumb"));
}

#[test]
fn a_simple_terminal_gets_plain_lines() {
    for term in ["dumb", ""] {
        let mut t = started(OnTerminal::plan(&["repl", "--no-std"]).env("TERM", term));
        t.keys("(1\n").sees("> (1\n.");
        t.keys("2)\n").sees(". 2)\n1[2]\n>");
        t.keys("33").sees("> 33");
        t.keys("\x03").sees("> 33^C\n>");
        t.keys("4\n").sees("> 4\n4\n>");
        t.keys("\x04");
        assert_eq!(t.status(), Some(0));
        assert!(term.is_empty() || !t.bytes().contains(&0x1b));
    }
}

#[test]
fn values_can_go_to_a_file() {
    let file = scratch_dir("repl-out").join("out");
    let mut t = started(OnTerminal::plan(&["repl", "--no-std"]).stdout_to(&file));
    t.keys("(5 6)\r").sees("> (5 6)\n>");
    t.keys("\x04");
    assert_eq!(t.status(), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), "5[6]\n");
}

#[test]
fn a_program_that_ends_the_process_leaves_the_terminal_as_it_was() {
    let mut t = bare();
    t.keys("((Pin 5) (60 3))\r");
    assert_eq!(t.status(), Some(3));
}

#[test]
fn a_loop_of_the_programs_own_gets_this_and_later_entries() {
    let mut t = bare();
    let own = "(def __REPL (law (own env in) ((Pin 4) (0 \"mine\" 0))))";
    t.keys(&format!("{own} (ignored)\r")).answers("mine");
    t.keys("more\r").answers("> more\n");
    t.keys("\x04");
    assert_eq!(t.status(), Some(0));
}

#[test]
fn without_a_terminal_it_is_the_program_on_standard_input() {
    for args in [&["repl", "--no-std"][..], &["repl"], &[]] {
        let input = Input::Bytes(b"(def x 3) x".to_vec());
        let got = Plan::new(args.to_vec()).input(input).run();
        assert_eq!(got.err(), "[%def 120 1[3]]\n3\n120\n3\n");
        assert_eq!((got.out().as_str(), got.end), ("", End::Status(0)));
    }
    let got = Plan::new(["repl", "--help"]).run();
    assert!(
        got.out().starts_with("usage: plan repl"),
        "{}",
        got.describe()
    );
}
