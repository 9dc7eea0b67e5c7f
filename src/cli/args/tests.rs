//! What command lines mean, and what is said about wrong ones.

use super::*;

/// The command or the message for these words.
fn outcome(words: &[&str]) -> String {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    match parse(&words) {
        Ok(Command::Run {
            file,
            args,
            timeout,
        }) => {
            let args: Vec<_> = args
                .iter()
                .map(|arg| String::from_utf8_lossy(arg))
                .collect();
            let limit = match timeout {
                0 => String::new(),
                micros => format!(" within {micros}"),
            };
            format!("run {} {args:?}{limit}", String::from_utf8_lossy(file))
        }
        Ok(Command::Seed { words }) => format!("seed {}", words.len()),
        Ok(command) => format!("{command:?}"),
        Err(usage) => usage.to_string(),
    }
}

#[test]
fn a_seed_file_takes_the_rest_as_its_arguments() {
    assert_eq!(outcome(&["a.seed"]), "run a.seed []");
    assert_eq!(outcome(&["x", "--help", "-v"]), r#"run x ["--help", "-v"]"#);
    assert_eq!(outcome(&["run", "x", "--", "y"]), r#"run x ["--", "y"]"#);
    assert_eq!(outcome(&["run", "run"]), "run run []");
    assert_eq!(outcome(&["run", "--", "-x", "-y"]), r#"run -x ["-y"]"#);
    assert_eq!(outcome(&[""]), "run  []");
}

#[test]
fn times_are_decimal_seconds() {
    let run = |time: &str| outcome(&["run", "--timeout", time, "x"]);
    assert_eq!(run("10"), "run x [] within 10000000");
    assert_eq!(run("0.5"), "run x [] within 500000");
    assert_eq!(run("1.000001"), "run x [] within 1000001");
    for wrong in [
        "",
        "0",
        "0.0",
        "-1",
        "1.",
        ".5",
        "1.0000001",
        "x",
        "1000000000",
    ] {
        assert!(run(wrong).contains("no number of seconds"), "{wrong}");
    }
    let missing = "run: no number of seconds given (try plan run --help)";
    assert_eq!(outcome(&["run", "--timeout"]), missing);
}

#[test]
fn a_value_stands_behind_its_option_or_behind_an_equals_sign() {
    for options in [
        ["--timeout=2", "--dialect=spec"],
        ["--dialect=spec", "--timeout=2"],
    ] {
        let joined = outcome(&["wisp", options[0], "x", options[1]]);
        let apart = ["wisp", "--timeout", "2", "x", "--dialect", "spec"];
        assert_eq!(joined, outcome(&apart));
        assert!(joined.starts_with("Wisp("));
    }
    let run = outcome(&["run", "--timeout=0.5", "x", "--timeout=1"]);
    assert_eq!(run, r#"run x ["--timeout=1"] within 500000"#);
    assert!(outcome(&["run", "--timeout=", "x"]).contains("no number of seconds"));
}

#[test]
fn help_is_found_for_every_command() {
    assert_eq!(outcome(&["--help"]), "Help(All)");
    assert_eq!(outcome(&["run", "--help"]), "Help(Run)");
    assert_eq!(outcome(&["rpn", "--help"]), "Help(Rpn)");
    assert_eq!(outcome(&["seed", "--help"]), "Help(Seed)");
    assert_eq!(outcome(&["seed", "check", "--help"]), "Help(Seed)");
    assert_eq!(outcome(&["repl", "--no-std", "--help"]), "Help(Repl)");
    assert_eq!(outcome(&["--version"]), "Version");
}

#[test]
fn commands_are_recognised() {
    assert_eq!(outcome(&["rpn"]), "Rpn");
    assert!(outcome(&[]).starts_with("Repl("));
    assert_eq!(
        outcome(&["repl", "--lenient"]),
        outcome(&[]).replace("lenient: false", "lenient: true")
    );
    assert_eq!(outcome(&["rpn", "test"]), "RpnTest");
    assert_eq!(outcome(&["seed"]), "seed 0");
    assert_eq!(outcome(&["seed", "check", "x"]), "seed 2");
}

#[test]
fn wrong_command_lines_say_what_to_do() {
    let cases: [(&[&str], &str); 12] = [
        (
            &["boot", "x"],
            "boot: no output file given (try plan boot --help)",
        ),
        (&["repl", "x"], "repl: unexpected x (try plan repl --help)"),
        (&["--nope"], "unknown option: --nope (try plan --help)"),
        (&["-"], "unknown option: - (try plan --help)"),
        (&["run"], "run: no seed file given (try plan run --help)"),
        (
            &["run", "-x"],
            "run: unknown option: -x (try plan run --help)",
        ),
        (
            &["rpn", "test", "y"],
            "rpn: unexpected y (try plan rpn --help)",
        ),
        (&["rpn", "x"], "rpn: unexpected x (try plan rpn --help)"),
        (
            &["rpn", "-x"],
            "rpn: unknown option: -x (try plan rpn --help)",
        ),
        (
            &["wisp", "-e", "1", "-e", "2"],
            "wisp: -e is given twice (try plan wisp --help)",
        ),
        (
            &["wisp", "--dialect", "x"],
            "--dialect x: no such dialect (use classic or spec)",
        ),
        (
            &["wisp", "x", "--entry=y"],
            "wisp: unknown option: --entry=y (try plan wisp --help)",
        ),
    ];
    for (words, message) in cases {
        assert_eq!(outcome(words), message);
    }
}
