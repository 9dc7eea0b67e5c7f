//! The programs under `seeds/` print what they are known to print.
//!
//! Invariants:
//! - Every console file is saved as a seed by `plan seed save`, the way a user does it.
//! - What is expected stands in `seeds/expected.tsv`; every program has a row of a small size there.

mod support;

use std::path::{Path, PathBuf};
use support::process::Plan;

struct Row {
    program: String,
    arguments: Vec<String>,
    output: String,
}

fn rows() -> Vec<Row> {
    let text = include_str!("../seeds/expected.tsv");
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().expect("three fields").to_string();
            let (program, arguments, output) = (next(), next(), next());
            Row {
                program,
                arguments: arguments.split_whitespace().map(str::to_string).collect(),
                output: output.replace("\\n", "\n"),
            }
        })
        .collect()
}

fn saved(program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seed = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("programs-{program}.seed"));
    let source = root.join("seeds").join(format!("{program}.rpn"));
    let args = [
        "seed".into(),
        "save".into(),
        source.into_os_string(),
        seed.clone().into(),
    ];
    let outcome = Plan::new(args).run();
    assert!(outcome.ended(), "{program}: {}", outcome.describe());
    assert_eq!(
        (outcome.out(), outcome.err()),
        (String::new(), String::new()),
        "{program}"
    );
    seed
}

#[test]
fn programs_print_what_is_known() {
    let mut run = 0;
    for row in rows() {
        let seed = saved(&row.program);
        let mut args = vec![seed.into_os_string()];
        args.extend(row.arguments.iter().map(Into::into));
        let outcome = Plan::new(args).limit_seconds(60).run();
        let got = (outcome.out(), outcome.err());
        assert_eq!(
            got,
            (row.output, String::new()),
            "{} {:?}",
            row.program,
            row.arguments
        );
        run += 1;
    }
    assert!(run >= 26, "only {run} rows");
    println!("programs: {run} run, {run} passed");
}

#[test]
fn the_demonstrations_run() {
    let hello = Plan::new([saved("hello")]).run();
    assert!(hello.out().starts_with("Hello"), "{}", hello.describe());
    let primes = Plan::new([saved("primes").into_os_string(), "30".into()]).run();
    assert!(primes.out().contains("29"), "{}", primes.describe());
}
