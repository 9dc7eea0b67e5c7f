//! Running a seed: chapter 03, section 4, and the trace of the seed runner (chapter 04, section 8).
//!
//! Invariants:
//! - the seeds are encoded here, from the notation of chapter 02; none comes from elsewhere;
//! - every check runs in both modes.

mod support;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use support::notation::parse_one;
use support::{End, Input, Mode, Outcome, Plan, scratch_dir, seedfile, wildcard};

const MODES: [Mode; 2] = [Mode::Plain, Mode::Stress];

/// A seed file of this value, in a directory of its own.
fn seed(value: &str) -> PathBuf {
    let path = scratch_dir("run").join("program.seed");
    fs::write(&path, seedfile::encode(&parse_one(value))).unwrap_or_else(|e| panic!("{e}"));
    path
}

fn arguments(file: &PathBuf, args: &[&[u8]]) -> Vec<OsString> {
    let mut all = vec![file.into()];
    all.extend(args.iter().map(|arg| OsString::from_vec(arg.to_vec())));
    all
}

fn check(value: &str, args: &[&[u8]], input: &str, right: impl Fn(&Outcome) -> bool) {
    let file = seed(value);
    for mode in MODES {
        let input = Input::Bytes(input.as_bytes().to_vec());
        let got = Plan::new(arguments(&file, args))
            .input(input)
            .mode(mode)
            .limit_seconds(60)
            .run();
        assert!(
            right(&got),
            "{value} with {args:?} ({mode:?}): {}",
            got.describe()
        );
    }
}

/// The program ends with this status and is silent.
fn ends_with(value: &str, args: &[&[u8]], status: i32) {
    check(value, args, "", |got| {
        got.stdout.is_empty() && got.stderr.is_empty() && got.end == End::Status(status)
    });
}

/// The program prints this on standard error (a glob), nothing on standard output.
fn fails_with(value: &str, args: &[&[u8]], stderr: &str, status: i32) {
    check(value, args, "", |got| {
        got.stdout.is_empty()
            && wildcard::glob(stderr, &got.err())
            && got.end == End::Status(status)
    });
}

#[test]
fn the_status_is_the_result_modulo_256() {
    let results = [
        ("0", 0),
        ("7", 7),
        ("255", 255),
        ("256", 0),
        ("511", 255),
        ("0x7fffffffffffffff", 255),
        ("0x8000000000000000", 0),
        ("0x8000000000000005", 5),
        ("0xffffffffffffffff", 255),
        ("0x10000000000000003", 3),
        ("0x10000000000000000000000000", 0),
    ];
    for (result, status) in results {
        ends_with(&format!("{{\"r\" 1 (0 {result})}}"), &[], status);
    }
}

#[test]
fn a_result_that_is_no_nat_is_status_0() {
    for result in ["<5>", "(0 5)", "{7 1 0}"] {
        ends_with(&format!("{{\"r\" 1 (0 {result})}}"), &[], 0);
    }
}

#[test]
fn programs_that_cannot_run_to_a_call_end_with_0() {
    for value in [
        "5",
        "0x10000000000000000",
        "(0 1 2)",
        "{7 2 300}",
        "<{7 2 300}>",
        "({7 3 1} 5)",
    ] {
        ends_with(value, &[], 0);
        ends_with(value, &[b"a"], 0);
    }
    ends_with("<2>", &[], 1);
    ends_with("<2>", &[b"a"], 1);
}

#[test]
fn pins_of_closures_and_pins_are_not_callable() {
    fails_with("<({7 2 1} 5)>", &[], "plan: uncaught 17 [%badfun 0 0]\n", 9);
    fails_with("<<2>>", &[], "plan: uncaught 17 [%badfun 0 0]\n", 9);
    ends_with("<({7 3 1} 5)>", &[], 0);
}

#[test]
fn arguments_are_a_row_of_strings() {
    let sizes: [&[&[u8]]; 4] = [&[], &[b"x"], &[b"x", b"y"], &[b"x", b"", b"--help"]];
    for (count, args) in sizes.iter().enumerate() {
        ends_with("<{\"Sz\" 1 0}>", args, count as i32);
    }
    ends_with("<{\"Sz\" 1 0}>", &[b""], 1);
    ends_with("<{\"Last\" 1 0}>", &[b"a", b"b"], 98);
    ends_with("<{\"Last\" 1 0}>", &[b""], 0);
    ends_with("<{\"Type\" 1 0}>", &[], 0);
    ends_with("<{\"Type\" 1 0}>", &[b"a"], 3);
    let first = "(<{\"Ix\" 2 0}> 0)";
    ends_with(first, &[b"abcdefg\xff"], 97);
    ends_with(first, &[b"a\xff\xff\xff\xff\xff\xff\x80"], 97);
    ends_with(first, &[b"abcdefghijklmnopqrstuvwxyz"], 97);
    ends_with(
        "{\"b\" 1 (0 <{\"Bytes\" 1 0}> (0 (0 <{\"Ix\" 2 0}> (0 0)) 1))}",
        &[&[b'x'; 200]],
        200,
    );
}

/// A law of arity 1 that traces its argument and returns 7.
const TRACE: &str = "{\"t\" 1 (0 <4> (0 (0 (0 0) 1) 7))}";

fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out += before;
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

#[test]
fn the_whole_row_arrives() {
    let args: [&[u8]; 5] = [b"hello", b"", b"a", b"hi there", b"-x"];
    check(TRACE, &args, "", |got| {
        without_colour(&got.err()) == "[%hello 0 97 \"hi there\" \"-x\"]\n"
            && got.end == End::Status(7)
    });
    check(TRACE, &[], "", |got| {
        without_colour(&got.err()) == "0\n" && got.end == End::Status(7)
    });
}

/// The colours of chapter 04, section 8, and the sample of chapter 02, 3.2.
#[test]
fn traces_of_the_seed_runner_are_coloured() {
    let (number, word, string, name, off) = (
        "\x1b[1;35m",
        "\x1b[1;34m",
        "\x1b[1;32m",
        "\x1b[1;31m",
        "\x1b[0m",
    );
    let cases = [
        ("5", format!("{number}5\n{off}")),
        ("<2>", format!("#{number}2\n{off}")),
        ("<\"rex\">", "#rex\n".to_string()),
        ("\"hello\"", format!("{word}%hello{off}\n")),
        ("\"hi there\"", format!("{string}\"hi there\"{off}\n")),
        ("<{\"fn\" 1 1}>", format!("{name}fn{off}\n")),
        (
            "{\"fn\" 1 1}",
            format!("{word}%fn{off}({number}1{off})=>{number}1{off}\n"),
        ),
        ("(0 1 \"ab\")", format!("[{number}1{off} {word}%ab{off}]\n")),
    ];
    for (value, want) in cases {
        let program = format!("{{\"t\" 1 (0 <4> (0 (0 (0 0) (0 {value})) 7))}}");
        check(&program, &[], "", |got| {
            got.err() == want && got.end == End::Status(7)
        });
    }
    let value = "(0 1 \"hello\" \"hi there\" 5000000000000 0x10000000000000000 <5> <2>)";
    let program = format!("{{\"t\" 1 (0 <4> (0 (0 (0 0) (0 {value})) 7))}}");
    let want = "[1 %hello \"hi there\" 5000000000000 0x10000000000000000 #5 #2]\n";
    check(&program, &[], "", |got| without_colour(&got.err()) == want);
}

#[test]
fn exceptions_nobody_catches_are_status_9() {
    fails_with("<21>", &[], "plan: uncaught 21 0\n", 9);
    fails_with("<\"die\">", &[b"now"], "plan: uncaught %die [%now]\n", 9);
    fails_with("<15>", &[], "plan: uncaught 17 [%badcall %Op 0]\n", 9);
    fails_with("(0 !1)", &[], "plan: uncaught 101 1\n", 9);
    fails_with("!2", &[], "plan: uncaught 102 2\n", 9);
}

#[test]
fn a_value_that_needs_itself_is_status_1() {
    check("{\"l\" 1 (1 2 2)}", &[], "", |got| {
        got.out() == "<<loop>>\n" && got.stderr.is_empty() && got.end == End::Status(1)
    });
}

/// The program is forced; its result is evaluated only as far as its head (00, rule 21).
#[test]
fn the_result_is_not_forced() {
    ends_with("{\"r\" 1 (0 5 (0 <21> 1))}", &[], 0);
}

#[test]
fn programs_write_and_read() {
    let hello = "{\"w\" 1 (0 <9> (0 (0 (0 (0 (0 0) (0 1)) \"hello\") (0 5)) (0 0)))}";
    check(hello, &[], "", |got| {
        got.out() == "hello" && got.stderr.is_empty() && got.end == End::Status(5)
    });
    let row = |count: u32, offset: u32| {
        let buffer = "0x100000000000000000000000000000000";
        let read =
            format!("(0 <10> (0 (0 (0 (0 (0 0) (0 0)) {buffer}) (0 {count})) (0 {offset})))");
        format!("{{\"r\" 1 (0 <4> (0 (0 (0 0) {read}) 7))}}")
    };
    let cases = [
        (5, 0, "5[0x100000000000000000000004f4c4c4548]\n"),
        (5, 3, "5[0x100000000000000004f4c4c4548000000]\n"),
        (16, 1, "0\n"),
    ];
    for (count, offset, want) in cases {
        check(&row(count, offset), &[], "HELLO", |got| {
            without_colour(&got.err()) == want && got.end == End::Status(7)
        });
    }
    check(&row(5, 0), &[], "", |got| {
        without_colour(&got.err()) == "[0x100000000000000000000000000000000]\n"
            && got.end == End::Status(7)
    });
}

/// D7 of chapter 02, section 8: a read never changes the content of a pin.
#[test]
fn reading_into_the_content_of_a_pin_copies_it() {
    let number = "0x100000000000000000000000000000000";
    let content = format!("(0 <{{\"Unpin\" 1 0}}> <{number}>)");
    let read = format!("(0 <10> (0 (0 (0 (0 (0 0) (0 0)) {content}) (0 5)) (0 0)))");
    let again = format!("(0 <4> (0 (0 (0 0) <{number}>) 7))");
    let program = format!("{{\"r\" 1 (0 <4> (0 (0 (0 0) {read}) {again}))}}");
    let want = format!("5[0x100000000000000000000004f4c4c4548]\n#{number}\n");
    check(&program, &[], "HELLO", |got| {
        without_colour(&got.err()) == want && got.end == End::Status(7)
    });
}

#[test]
fn run_is_the_same_and_takes_files_named_like_commands() {
    let dir = scratch_dir("named");
    let bytes = seedfile::encode(&parse_one("<{\"Sz\" 1 0}>"));
    for name in ["rpn", "seed", "run", "x.seed", "-x"] {
        fs::write(dir.join(name), &bytes).unwrap_or_else(|e| panic!("{e}"));
    }
    let status = |args: &[&str]| Plan::new(args).dir(&dir).run().end;
    assert_eq!(status(&["run", "x.seed", "a", "b"]), End::Status(2));
    assert_eq!(status(&["run", "rpn", "a"]), End::Status(1));
    assert_eq!(status(&["run", "seed", "a", "b", "c"]), End::Status(3));
    assert_eq!(status(&["run", "run"]), End::Status(0));
    assert_eq!(status(&["./rpn", "a", "b", "c", "d"]), End::Status(4));
    assert_eq!(status(&["x.seed", "--version", "--"]), End::Status(2));
    assert_eq!(status(&["run", "--", "-x", "a"]), End::Status(1));
}

/// The value that a console file leaves becomes a seed that runs.
#[test]
fn console_files_become_seeds() {
    let dir = scratch_dir("save");
    fs::write(dir.join("p.rpn"), "(0 1 \"Sz\" L P)").unwrap_or_else(|e| panic!("{e}"));
    let saved = Plan::new(["seed", "save", "p.rpn", "p.seed"])
        .dir(&dir)
        .run();
    assert_eq!(saved.end, End::Status(0), "{}", saved.describe());
    let written = fs::read(dir.join("p.seed")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(written, seedfile::encode(&parse_one("<{\"Sz\" 1 0}>")));
    assert_eq!(
        Plan::new(["p.seed", "a", "b"]).dir(&dir).run().end,
        End::Status(2)
    );
    let dump = Plan::new(["seed", "dump", "p.seed"]).dir(&dir).run();
    assert_eq!(dump.end, End::Status(0), "{}", dump.describe());
    assert!(!dump.stdout.is_empty() && dump.stderr.is_empty());
}
