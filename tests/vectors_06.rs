//! The vectors of chapter 06, section 6: forms one by one, and whole files.
//!
//! Invariants:
//! - every row that needs no library runs, in both modes, and once more through the built-in
//!   functions' own code, which runs where a program calls them;
//! - rows that need the public library, which is not part of this repository, run when
//!   `PLAN_WISP_LIBRARY` names its directory: `cargo test --test vectors_06 -- --ignored`.

mod support;

use std::collections::HashMap;
use std::path::Path;
use support::{End, Input, Mode, Outcome, Plan, Tally, json, scratch_dir, vectors};

/// How the rows are run (chapter 06 §6.2).
const OPTIONS: [&str; 5] = [
    "wisp",
    "--transcript=plain",
    "--lenient",
    "--no-std",
    "--no-main",
];

/// A row of the table.
struct Row {
    id: String,
    library: String,
    input: Vec<u8>,
    transcript: String,
    output: String,
    status: i32,
}

fn rows(file: &str) -> Vec<Row> {
    vectors::fields(file).iter().map(|f| row(f)).collect()
}

fn row(f: &[String]) -> Row {
    let [id, library, input, transcript, output, status] = f else {
        panic!("six fields expected: {f:?}");
    };
    let mut bytes: Vec<u8> = json::whole(input).text().chars().map(|c| c as u8).collect();
    bytes.push(b'\n');
    Row {
        id: id.clone(),
        library: library.clone(),
        input: bytes,
        transcript: json::whole(transcript).text().to_string(),
        output: json::whole(output).text().to_string(),
        status: status.parse().unwrap_or_else(|e| panic!("{id}: {e}")),
    }
}

impl Row {
    /// Judges an outcome; `before` is what the library alone writes.
    fn judge(&self, got: &Outcome, before: &Outcome) -> Result<(), String> {
        let (err, out) = (got.err(), got.out());
        let rest = err
            .strip_prefix(&before.err())
            .and_then(|rest| rest.strip_prefix(&self.transcript));
        let output = out.strip_prefix(&before.out());
        let right = rest.is_some_and(|rest| self.diagnosed(rest))
            && output == Some(&self.output)
            && got.end == End::Status(self.status);
        if right {
            return Ok(());
        }
        let input = String::from_utf8_lossy(&self.input);
        let (want, status) = (&self.transcript, self.status);
        let shown = err.strip_prefix(&before.err()).unwrap_or(&err);
        Err(format!(
            "input {input:?}\n    expected {want:?} {:?} {status}\n    got {shown:?} {out:?} {:?}",
            self.output, got.end
        ))
    }

    /// Whether this may follow the transcript: nothing or warnings after a success, the diagnostic
    /// after a failure. A loop of the program's own says what it wants.
    fn diagnosed(&self, rest: &str) -> bool {
        let own_loop = matches!(&self.library[..], "lambda" | "print") || self.id == "E19";
        if self.status == 0 || own_loop {
            return rest.is_empty() || rest.contains("warning: ");
        }
        rest.contains(": error: ") && rest.ends_with(": not loaded: 1 error (see above)\n")
    }
}

/// Loads standard input. Memory is bounded, because recursion without end (X14) would otherwise take
/// what the machine has; which of the two limits ends it is not prescribed.
fn load(input: &[u8], mode: Mode, dir: &Path) -> Outcome {
    let args = OPTIONS.iter().chain(&["-"]).copied();
    let plan = Plan::new(args).mode(mode).dir(dir).limit_seconds(60);
    let mut got = plan
        .memory_kilobytes(2_000_000)
        .input(Input::Bytes(input.to_vec()))
        .run();
    let text = String::from_utf8_lossy(&got.stderr).into_owned();
    got.stderr = text.replace("[%limit 0 2]", "[%limit 0 1]").into_bytes();
    got
}

fn silent() -> Outcome {
    Outcome {
        stdout: Vec::new(),
        stderr: Vec::new(),
        end: End::Status(0),
    }
}

fn run(mode: Mode) {
    let dir = scratch_dir("wisp");
    let mut tally = Tally::new(format!("vectors 06 forms{}", mode.suffix()));
    for row in rows("06-forms.tsv") {
        // Collecting at every step of a recursion that fills the memory would take hours.
        let deep = row.id == "X14";
        let mode = if deep { Mode::Plain } else { mode };
        let got = load(&row.input, mode, &dir);
        tally.row(&row.id, row.judge(&got, &silent()));
    }
    tally.finish(105);
}

#[test]
fn forms() {
    run(Mode::Plain);
}

#[test]
fn forms_stress() {
    run(Mode::Stress);
}

/// A loop of the program's own that calls the built-in one, whose code then reads, expands and
/// evaluates. Rows that look at the loop or at the whole environment, and rows whose mistake only
/// the native reader and expander find, cannot show the same there.
#[test]
fn forms_through_the_code_of_the_built_in_functions() {
    const WRAP: &str = "(def __REPL-1 __REPL) (def __REPL (law (r env cs) (__REPL-1 env cs)))\n";
    const OTHER: [&str; 11] = [
        "E1", "M6", "R27", "R28", "R29", "M9", "M11", "X5", "X6", "X7", "X10",
    ];
    let dir = scratch_dir("wisp-code");
    let mut tally = Tally::new("vectors 06 forms, built-in code".to_string());
    for row in rows("06-forms.tsv") {
        if OTHER.contains(&&row.id[..]) {
            continue;
        }
        let input = [WRAP.as_bytes(), &row.input].concat();
        let got = load(&input, Mode::Plain, &dir);
        let err = got.err();
        let skipped: usize = err.lines().take(4).map(|line| line.len() + 1).sum();
        // Behind the transcript stands at most where the loop ended, if its status is not 0.
        let place = ": warning: the program's own loop ended here with status ";
        let right = err
            .get(skipped..)
            .and_then(|rest| rest.strip_prefix(&row.transcript))
            .is_some_and(|rest| rest.is_empty() || row.status != 0 && rest.contains(place))
            && got.out() == row.output
            && got.end == End::Status(row.status);
        tally.row(&row.id, if right { Ok(()) } else { Err(got.describe()) });
    }
    tally.finish(94);
}

/// The directory of the public library, and how a file of it is loaded.
fn library(file: &str) -> Vec<String> {
    let dir = std::env::var("PLAN_WISP_LIBRARY").expect("PLAN_WISP_LIBRARY names a directory");
    let options = OPTIONS.iter().map(ToString::to_string);
    options
        .chain(["-I".to_string(), dir.clone(), format!("{dir}/{file}.lisp")])
        .collect()
}

#[test]
#[ignore = "needs the public library, which is not part of this repository"]
fn library_forms() {
    let mut before: HashMap<String, Outcome> = HashMap::new();
    let mut tally = Tally::new("vectors 06 library forms".to_string());
    for row in rows("06-library.tsv") {
        let args = library(&row.library);
        let alone = before
            .entry(row.library.clone())
            .or_insert_with(|| Plan::new(args.clone()).run());
        let plan = Plan::new(args.into_iter().chain(["-".to_string()]));
        let got = plan.input(Input::Bytes(row.input.clone())).run();
        tally.row(&row.id, row.judge(&got, alone));
    }
    tally.finish(62);
}

/// The whole files of 6.1: number of lines and digest of standard error, by `sha256sum`.
#[test]
#[ignore = "needs the public library, which is not part of this repository"]
fn library_files() {
    let mut tally = Tally::new("vectors 06 library files".to_string());
    for f in vectors::fields("06-files.tsv") {
        let got = Plan::new(library(&f[0])).run();
        let lines = got.err().lines().count().to_string();
        let path = scratch_dir("wisp-digest").join("stderr");
        std::fs::write(&path, &got.stderr).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let sum = std::process::Command::new("sha256sum").arg(&path).output();
        let sum = sum.expect("sha256sum runs").stdout;
        let right = lines == f[1]
            && sum.starts_with(f[2].as_bytes())
            && got.end == End::Status(f[3].parse().expect("a status"));
        let shown = format!(
            "{lines} lines {:?} {}",
            got.end,
            String::from_utf8_lossy(&sum)
        );
        tally.row(&f[0], if right { Ok(()) } else { Err(shown) });
    }
    tally.finish(9);
}
