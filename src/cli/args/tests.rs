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
}

/// What `plan seed` with these words is to do, or the message.
fn seed(words: &[&str]) -> String {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let text = String::from_utf8_lossy;
    match seed::parse(&words) {
        Ok(Seed::Check { files, strict }) => format!("check {} {strict}", text(&files.concat())),
        Ok(Seed::Dump(file)) => format!("dump {}", text(file)),
        Ok(Seed::Save(wisp)) => format!("save {}", text(&wisp.files.concat())),
        Ok(Seed::SaveConsole {
            file,
            output,
            version,
        }) => format!("console {} {} {version:?}", text(file), text(output)),
        Ok(Seed::SaveLibrary { file, directory }) => {
            format!("library {} {}", text(file), text(directory))
        }
        Err(usage) => usage.to_string(),
    }
}

#[test]
fn words_about_seeds_are_recognised() {
    let cases: [(&[&str], &str); 18] = [
        (&["check", "x"], "check x false"),
        (&["check", "--strict", "x", "y"], "check xy true"),
        (&["check", "x", "--strict"], "check x true"),
        (&["check", "--", "--strict"], "check --strict false"),
        (&["dump", "--", "-x"], "dump -x"),
        (&["save", "x.wisp", "-o", "y"], "save x.wisp"),
        (&["save", "x.rpn", "-o", "y"], "console x.rpn y V1"),
        (&["save", "x", "y", "--v2"], "console x y V2"),
        (&["save", "--library", "x", "-o", "y"], "library x y"),
        (&[], "seed: no subcommand given (try plan seed --help)"),
        (&["x"], "seed: unexpected x (try plan seed --help)"),
        (
            &["check", "--strict"],
            "seed check: no file given (try plan seed check --help)",
        ),
        (
            &["check", "x", "-y"],
            "seed check: unknown option: -y (try plan seed check --help)",
        ),
        (
            &["dump", "--"],
            "seed dump: no file given (try plan seed dump --help)",
        ),
        (
            &["dump", "x", "y"],
            "seed dump: unexpected y (try plan seed dump --help)",
        ),
        (
            &["dump", "-x"],
            "seed dump: unknown option: -x (try plan seed dump --help)",
        ),
        (
            &["save"],
            "seed save: no file given (try plan seed save --help)",
        ),
        (
            &["save", "x", "y.wisp"],
            "seed save: no output file (-o OUT) given (try plan seed save --help)",
        ),
    ];
    for (words, outcome) in cases {
        assert_eq!(seed(words), outcome);
    }
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
