//! Reads the files of `tests/vectors/`.
//!
//! Invariants:
//! - lines that start with `#` are headings, every other line is one vector;
//! - a line of the wrong form is a panic: no row is skipped.

use super::json::{self, Json};
use super::process::{End, Outcome};
use super::wildcard;
use std::path::PathBuf;

/// How an output is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    Exact,
    /// The wildcard rule of chapter 04, 9.2.
    Cells,
    /// `<<loop>>` with status 1, or `limit` uncaught with status 9 (00, rule 3).
    LoopOrLimit,
    /// Only the status: the reason is in the note of the row.
    Status,
}

/// Expected standard error.
#[derive(Clone, Debug)]
pub enum Expected {
    Text(String),
    Glob(String),
}

impl Expected {
    pub fn matches(&self, got: &str) -> bool {
        match self {
            Expected::Text(text) => text == got,
            Expected::Glob(pattern) => wildcard::glob(pattern, got),
        }
    }
}

/// A console row: what goes in, what must come out.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    pub kind: String,
    pub input: Json,
    pub stdout: String,
    pub stderr: Expected,
    pub status: i32,
    pub compare: Compare,
    pub note: String,
}

impl Row {
    /// The console text; `scale` divides the count of a repeated unit.
    pub fn text(&self, scale: u64) -> String {
        match &self.input {
            Json::Text(text) => text.clone(),
            Json::List(parts) => {
                let unit = format!("{}\n", parts[1].text());
                let count = (parts[2].number() / scale) as usize;
                format!(
                    "{}{}{}",
                    parts[0].text(),
                    unit.repeat(count),
                    parts[3].text()
                )
            }
            other => panic!("{}: {other:?}", self.id),
        }
    }

    /// Judges an outcome; the error holds everything needed to see why.
    pub fn judge(&self, got: &Outcome) -> Result<(), String> {
        let out = got.out();
        let ok = match self.compare {
            Compare::Exact => self.streams(&out, got) && got.end == End::Status(self.status),
            Compare::Cells => {
                wildcard::outputs_match(&self.stdout, &out)
                    && self.stderr.matches(&got.err())
                    && got.end == End::Status(self.status)
            }
            Compare::LoopOrLimit => {
                (out == self.stdout && got.end == End::Status(1) && got.stderr.is_empty())
                    || (out.is_empty()
                        && self.stderr.matches(&got.err())
                        && got.end == End::Status(9))
            }
            Compare::Status => got.end == End::Status(self.status),
        };
        if ok { Ok(()) } else { Err(self.report(got)) }
    }

    fn streams(&self, out: &str, got: &Outcome) -> bool {
        out == self.stdout && self.stderr.matches(&got.err())
    }

    fn report(&self, got: &Outcome) -> String {
        format!(
            "input {:?}\n    expected stdout {:?} stderr {:?} status {} ({:?})\n    got {}",
            self.input,
            self.stdout,
            self.stderr,
            self.status,
            self.compare,
            got.describe()
        )
    }
}

/// The text of a vector file.
pub fn read(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The lines of a file that are vectors, split at tabs.
pub fn fields(file: &str) -> Vec<Vec<String>> {
    read(file)
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').map(str::to_string).collect())
        .collect()
}

/// The rows of a file with the eight fields of `01-console.tsv`.
pub fn console_rows(file: &str) -> Vec<Row> {
    fields(file).iter().map(|f| console_row(f)).collect()
}

fn console_row(f: &[String]) -> Row {
    let [id, kind, input, stdout, stderr, status, compare, note] = f else {
        panic!("eight fields expected: {f:?}");
    };
    Row {
        id: id.clone(),
        kind: kind.clone(),
        input: json::whole(input),
        stdout: json::whole(stdout).text().to_string(),
        stderr: expected(stderr),
        status: status.parse().unwrap_or_else(|e| panic!("{id}: {e}")),
        compare: match compare.as_str() {
            "exact" => Compare::Exact,
            "cells" => Compare::Cells,
            "loop-or-limit" => Compare::LoopOrLimit,
            "status" => Compare::Status,
            other => panic!("{id}: {other}"),
        },
        note: note.clone(),
    }
}

fn expected(field: &str) -> Expected {
    match field.strip_prefix('~') {
        Some(pattern) => Expected::Glob(json::whole(pattern).text().to_string()),
        None => Expected::Text(json::whole(field).text().to_string()),
    }
}

/// The rows of a file in the notation of chapter 04, section 10:
/// `ID[~] "input" => "stdout" [! "stderr"] status`.
pub fn arrow_rows(file: &str) -> Vec<Row> {
    read(file)
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(arrow_row)
        .collect()
}

fn arrow_row(line: &str) -> Row {
    let (id, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
    let (input, rest) = json::parse(rest);
    let rest = rest
        .trim_start()
        .strip_prefix("=>")
        .unwrap_or_else(|| panic!("{line}"));
    let (stdout, rest) = json::parse(rest);
    let (stderr, rest) = match rest.trim_start().strip_prefix('!') {
        Some(rest) => json::parse(rest),
        None => (Json::Text(String::new()), rest),
    };
    let status = json::whole(rest).number() as i32;
    let cells = id.ends_with('~');
    // Chapter 04, 10: rows of this kind that use `showheap` are informative only.
    let informative = cells && input.text().contains("showheap");
    // A throw nobody catches prints a line on standard error (chapter 02, 1.6).
    let stderr = match (status, stderr.text()) {
        (9, "") => Expected::Glob("plan: uncaught *\n".to_string()),
        (_, text) => Expected::Text(text.to_string()),
    };
    Row {
        id: id.trim_end_matches('~').to_string(),
        kind: "console".to_string(),
        input,
        stdout: stdout.text().to_string(),
        stderr,
        status,
        compare: match (cells, informative) {
            (_, true) => Compare::Status,
            (true, false) => Compare::Cells,
            (false, false) => Compare::Exact,
        },
        note: String::new(),
    }
}
