//! Bad input of every kind gives a message and a status, never a signal.
//!
//! Invariants:
//! - every refusal of the tool is one line `plan: …` on standard error, with its status;
//! - random inputs come from a fixed generator, so a failing one can be run again;
//! - mutated seeds are loaded but not run: a mutated program may make any system call there is.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::notation::parse_one;
use support::{End, Input, Mode, Outcome, Plan, scratch_dir, seedfile, wildcard};

/// Panics unless the outcome is this line on standard error (a glob), and this status.
fn refused(got: &Outcome, stdout: &str, line: &str, status: i32) {
    let right = got.out() == stdout
        && wildcard::glob(&format!("{line}\n"), &got.err())
        && got.end == End::Status(status);
    assert!(
        right,
        "expected {stdout:?}, {line:?}, {status}; {}",
        got.describe()
    );
}

fn plan(args: &[&str]) -> Plan {
    Plan::new(args)
}

#[test]
fn files_that_cannot_be_read_as_a_seed() {
    let dir = scratch_dir("files");
    fs::create_dir(dir.join("directory")).unwrap_or_else(|e| panic!("{e}"));
    fs::write(dir.join("empty"), b"").unwrap_or_else(|e| panic!("{e}"));
    fs::write(dir.join("zeros"), [0u8; 40]).unwrap_or_else(|e| panic!("{e}"));
    fs::write(dir.join("short"), [1u8]).unwrap_or_else(|e| panic!("{e}"));
    let cases = [
        ("missing", "E_IO"),
        ("directory", "E_IO"),
        ("/dev/null", "E_IO"),
        ("missing/file", "E_IO"),
        ("empty", "E_HEADER"),
        ("short", "E_HEADER"),
        ("zeros", "E_EMPTY"),
    ];
    for (file, error) in cases {
        let line = format!("plan: seed {file}: {error}: * (bit 0)");
        for args in [
            &[file][..],
            &["run", file],
            &["seed", "check", file],
            &["seed", "dump", file],
        ] {
            refused(&plan(args).dir(&dir).run(), "", &line, 3);
        }
        if !file.contains('/') {
            let line = format!("plan: seed seeds/{file}: {error}: * (bit 0)");
            let here = scratch_dir("console");
            std::os::unix::fs::symlink(&dir, here.join("seeds")).unwrap_or_else(|e| panic!("{e}"));
            let got = Plan::console(&format!("5.${file} 6.")).dir(&here).run();
            refused(&got, "5\n", &line, 3);
        }
    }
}

#[test]
fn wrong_command_lines() {
    let cases: [&[&str]; 13] = [
        &["wisp"],
        &["wisp", "--frob"],
        &["--frob"],
        &["-"],
        &["-x", "file"],
        &["run"],
        &["run", "--frob"],
        &["rpn", "more"],
        &["seed"],
        &["seed", "frob"],
        &["seed", "check"],
        &["seed", "dump"],
        &["seed", "save", "only-one"],
    ];
    for args in cases {
        refused(&plan(args).run(), "", "plan: *", 2);
    }
}

#[test]
fn console_files_that_cannot_be_saved() {
    let dir = scratch_dir("save");
    let write = |name: &str, text: &str| {
        fs::write(dir.join(name), text).unwrap_or_else(|e| panic!("{e}"));
    };
    write("good.rpn", "5");
    write("nothing.rpn", "");
    write("throws.rpn", "21P 5 A");
    let save = |from: &str, to: &str| plan(&["seed", "save", from, to]).dir(&dir).run();
    refused(
        &save("missing.rpn", "out.seed"),
        "",
        "plan: *missing.rpn*",
        3,
    );
    refused(
        &save("good.rpn", "no/such/dir.seed"),
        "",
        "plan: *no/such/dir.seed*",
        3,
    );
    refused(&save("nothing.rpn", "out.seed"), "", "plan: *", 3);
    refused(
        &save("throws.rpn", "out.seed"),
        "",
        "plan: uncaught 21 5",
        9,
    );
    assert!(!dir.join("out.seed").exists());
}

/// A seed with every part: parameter, a big, words, bytes, laws, pins, sharing of numbers.
const GOOD: &str = "(0 {\"k42\" 1 42} <(0x123456789abcdef0123456789 70000 7)> \
                    <{\"Add\" 2 (0 (0 <15> (0 1 2)) 0xffffffffffffffff)}> (3 (4 (5 6) 7) 8))";

/// Checks a damaged seed by every way that loads but does not run it.
fn load(dir: &Path, bytes: &[u8], mode: Mode) {
    let file = dir.join("seeds").join("x");
    fs::write(&file, bytes).unwrap_or_else(|e| panic!("{e}"));
    let check = plan(&["seed", "check", "seeds/x"])
        .dir(dir)
        .mode(mode)
        .run();
    let accepted = check.end == End::Status(0) && check.stderr.is_empty();
    if !accepted {
        refused(&check, "", "plan: seed seeds/x: E_*: * (bit *)", 3);
    }
    let console = Plan::console("$x pop 7.").dir(dir).mode(mode).run();
    if accepted {
        assert_eq!(
            (console.out().as_str(), console.end),
            ("7\n", End::Status(0))
        );
    } else {
        refused(&console, "", &check.err()[..check.err().len() - 1], 3);
        refused(
            &plan(&["seeds/x"]).dir(dir).mode(mode).run(),
            "",
            "plan: seed seeds/x: E_*",
            3,
        );
    }
}

fn seeds_directory() -> PathBuf {
    let dir = scratch_dir("damaged");
    fs::create_dir(dir.join("seeds")).unwrap_or_else(|e| panic!("{e}"));
    dir
}

#[test]
fn every_truncation_of_a_good_seed() {
    let dir = seeds_directory();
    let good = seedfile::encode(&parse_one(GOOD));
    for length in 0..=good.len() {
        load(&dir, &good[..length], Mode::Plain);
    }
    load(&dir, &good[..good.len() - 8], Mode::Stress);
    load(&dir, &good, Mode::Stress);
}

/// Numbers for the random tests (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

#[test]
fn random_mutations_of_a_good_seed() {
    let dir = seeds_directory();
    let good = seedfile::encode(&parse_one(GOOD));
    let mut numbers = Numbers(1);
    for _ in 0..150 {
        let mut bytes = good.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            match numbers.below(4) {
                0 => bytes[at] ^= 1 << numbers.below(8),
                1 => bytes[at] = numbers.below(256) as u8,
                2 => bytes[at] = 0xff,
                _ => bytes.insert(at, numbers.below(256) as u8),
            }
        }
        load(&dir, &bytes, Mode::Plain);
    }
}

/// Words of the console that cannot reach memory by its address.
const TOKENS: [&str; 48] = [
    "0",
    "1",
    "2",
    "3",
    "8",
    "255",
    "0x8000000000000000",
    "0x100000000000000000",
    "\"ab\"",
    "{f}",
    "A",
    "R",
    "L",
    "F",
    "P",
    "D",
    "E",
    ".",
    "_",
    "?",
    "\\",
    "+",
    "-",
    "*",
    "/",
    "#",
    "<",
    ">",
    "|",
    "&",
    "^",
    "A",
    "A",
    "dup",
    "swap",
    "over",
    "push",
    "inc",
    "dec",
    "sub",
    "gc",
    "memcheck",
    "cords",
    "bitsz",
    "E",
    "2P",
    "3P",
    "A",
];

/// Random programs: numbers stay small enough for `<`, and 5, 6 and 7 are never pinned.
#[test]
fn random_console_programs() {
    let mut numbers = Numbers(2);
    for case in 0..150 {
        let words: Vec<&str> = (0..60)
            .map(|_| TOKENS[numbers.below(TOKENS.len())])
            .collect();
        let text = format!("1 2 3 4 8 9 10 11 {}", words.join(" "));
        let mode = if case % 3 == 0 {
            Mode::Stress
        } else {
            Mode::Plain
        };
        let got = Plan::console(&text).mode(mode).run();
        let right = matches!(got.end, End::Status(0 | 1 | 3 | 9));
        let told = got.stderr.is_empty() || wildcard::glob("plan: *\n", &got.err());
        assert!(right && told, "input {text:?}: {}", got.describe());
    }
}

#[test]
fn random_bytes_as_console_text() {
    let mut numbers = Numbers(3);
    for _ in 0..100 {
        let bytes: Vec<u8> = (0..200).map(|_| numbers.below(256) as u8).collect();
        let got = plan(&["rpn"]).input(Input::Bytes(bytes.clone())).run();
        assert!(got.ended(), "input {bytes:?}: {}", got.describe());
    }
}

/// A read error on standard input is the end of input (chapter 04, section 7).
#[test]
fn standard_input_that_cannot_be_read() {
    for input in [Input::Closed, Input::Path(PathBuf::from("/"))] {
        let got = plan(&["rpn"]).input(input).run();
        assert_eq!(
            (got.out().as_str(), got.end),
            ("", End::Status(0)),
            "{}",
            got.describe()
        );
    }
    let none = plan(&[]).input(Input::Closed).run();
    refused(&none, "", "plan: standard input: cannot read: *", 3);
}

#[test]
fn standard_output_that_cannot_be_written() {
    let file = scratch_dir("full").join("s.seed");
    fs::write(&file, seedfile::encode(&parse_one(GOOD))).unwrap_or_else(|e| panic!("{e}"));
    let path = file.to_string_lossy();
    let commands: [&[&str]; 4] = [
        &["rpn"],
        &["--help"],
        &["--version"],
        &["seed", "dump", &path],
    ];
    for command in commands {
        let input = || Input::Bytes(b"5 . 6 .".to_vec());
        let closed = plan(command).input(input()).stdout_closed().run();
        refused(&closed, "", "plan: standard output: *", 3);
        let full = plan(command).input(input()).stdout_to("/dev/full").run();
        refused(&full, "", "plan: standard output: *", 3);
    }
    // Nothing to write, nothing to refuse.
    assert_eq!(
        Plan::console("5 pop").stdout_closed().run().end,
        End::Status(0)
    );
}

/// What was printed before an error is lost with the output; the error still has its status.
#[test]
fn errors_without_an_output_keep_a_status() {
    for text in ["foo", "5 . foo", "(1 2 A 2 A) 1 \"lc\" L 9 A E ."] {
        let got = Plan::console(text).stdout_to("/dev/full").run();
        assert!(
            matches!(got.end, End::Status(1 | 3)),
            "{text}: {}",
            got.describe()
        );
    }
    let got = Plan::console("5 . 21P 7 A E .")
        .stdout_to("/dev/full")
        .run();
    assert!(matches!(got.end, End::Status(3 | 9)), "{}", got.describe());
}

/// A program's own write is its own business: the failure is an exception it may catch.
#[test]
fn programs_whose_output_cannot_be_written() {
    let hello = "{\"w\" 1 (0 <9> (0 (0 (0 (0 (0 0) (0 1)) \"hello\") (0 5)) (0 0)))}";
    let file = scratch_dir("write").join("w.seed");
    fs::write(&file, seedfile::encode(&parse_one(hello))).unwrap_or_else(|e| panic!("{e}"));
    let path = file.to_string_lossy();
    let closed = plan(&[&path]).stdout_closed().run();
    refused(&closed, "", "plan: uncaught 17 [%io %Write 9]", 9);
    let full = plan(&[&path]).stdout_to("/dev/full").run();
    refused(&full, "", "plan: uncaught 17 [%io %Write 28]", 9);
}

/// Little address space: a message and status 70, or it still works; never a signal.
#[test]
fn a_system_that_refuses_memory() {
    for kilobytes in [1000, 20_000, 100_000, 1_000_000, 8_000_000] {
        let script = format!("ulimit -v {kilobytes}; exec \"$0\" rpn");
        let output = Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .arg(support::process::binary())
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = err.is_empty() || wildcard::glob("plan: *\n", &err);
        let status = output.status.code();
        // Below the size of the executable the kernel itself ends the process at its start.
        let started = kilobytes > 1000 || status.is_some();
        assert!(
            !started || (told && matches!(status, Some(0 | 70))),
            "{kilobytes} KB: {:?} {err}",
            output.status
        );
    }
}
