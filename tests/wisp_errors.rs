//! Messages about mistakes in Wisp programs, as a user sees them.
//!
//! A case is a file `tests/diagnostics/NAME.wisp`, whose first line gives the options and the exit
//! status (`; options: -W; status: 1`), and the file `NAME.stderr` with everything `plan wisp
//! OPTIONS NAME.wisp` writes to standard error. With `UPDATE=1` in the environment the second
//! file is written instead of compared; read the difference before keeping it.
//!
//! Invariants:
//! - every case is compared as a whole: place, line, marker, trail, help, closing line, status;
//! - a case writes to standard output what the file `NAME.stdout` holds, nothing without one.

mod support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use support::{End, Input, Plan};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// Options and status from the first line of a case.
fn header(text: &str) -> Option<(Vec<String>, i32)> {
    let line = text.lines().next()?.strip_prefix("; options:")?;
    let (options, status) = line.split_once("; status: ")?;
    let options = options.split_whitespace().map(str::to_string).collect();
    Some((options, status.trim().parse().ok()?))
}

/// What is wrong with a case.
fn judge(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (options, status) = header(&text).ok_or("first line: `; options: …; status: N`")?;
    let name = path.file_name().ok_or("no name")?;
    let args = [
        vec!["wisp".into()],
        options,
        vec![name.to_string_lossy().into()],
    ]
    .concat();
    let got = Plan::new(args)
        .dir(directory())
        .memory_kilobytes(2_000_000)
        .run();
    let expected = path.with_extension("stderr");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&expected, &got.stderr).map_err(|e| e.to_string())?;
    }
    let output = fs::read(path.with_extension("stdout")).unwrap_or_default();
    let wanted = fs::read_to_string(&expected).map_err(|e| e.to_string())?;
    if got.end != End::Status(status) || got.stdout != output || got.err() != wanted {
        return Err(format!(
            "expected {status}\n{wanted}--- got {:?} {:?}\n{}",
            got.end,
            got.out(),
            got.err()
        ));
    }
    Ok(())
}

#[test]
fn every_case_gives_its_message() {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory())
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "wisp"))
        .collect();
    paths.sort();
    let mut wrong = String::new();
    for path in &paths {
        if let Err(problem) = judge(path) {
            write!(wrong, "\n{}: {problem}", path.display()).expect("a string takes it");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(paths.len() >= 40, "only {} cases found", paths.len());
}

#[test]
fn exhaustion_names_the_limit() {
    let text = "(def d (law (d x) ((Pin 2) (d x))))\n(d 0)\n";
    let plan = Plan::new(["wisp", "-"])
        .memory_kilobytes(2_000_000)
        .limit_seconds(60);
    let got = plan.input(Input::Bytes(text.into())).run();
    let err = got.err();
    let named = err.contains("error: the stack of ") || err.contains("error: the memory of ");
    assert!(named && err.contains(" MB is exhausted"), "{err}");
    assert!(err.contains("\n  while evaluating d"), "{err}");
    assert_eq!(got.end, End::Status(1));
}

/// Looking for similar names takes no longer because there are many, or because one is long.
#[test]
fn suggestions_are_found_among_many_names_in_little_time() {
    let mut text = String::new();
    for i in 0..2_000 {
        writeln!(text, "(def some-rather-long-name-{i:04} {i})").expect("a string takes it");
    }
    let long = "x".repeat(1_000_000);
    for (wrong, found) in [("some-rather-lnog-name-0042", true), (&long, false)] {
        let input = format!("{text}(Pin {wrong})\n").into_bytes();
        let got = Plan::new(["wisp", "-"]).input(Input::Bytes(input)).run();
        assert_eq!(got.end, End::Status(1));
        let first = "did you mean some-rather-long-name-0042, ";
        assert_eq!(got.err().contains(first), found, "{}", got.describe());
        assert!(got.stderr.len() < 2_000, "{} bytes", got.stderr.len());
    }
}
