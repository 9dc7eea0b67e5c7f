//! Counts vectors and reports the ones that fail.
//!
//! Invariants:
//! - the closing count goes to standard output even when the test harness captures prints;
//! - a tally with a failure, or with fewer rows than promised, fails its test.

use std::io::Write;

/// Failing rows shown in full; the count covers all.
const SHOWN: usize = 40;

pub struct Tally {
    title: String,
    run: usize,
    failures: Vec<String>,
}

impl Tally {
    pub fn new(title: impl Into<String>) -> Tally {
        Tally {
            title: title.into(),
            run: 0,
            failures: Vec::new(),
        }
    }

    /// Records one row; `Err` holds input, expected and got.
    pub fn row(&mut self, id: &str, result: Result<(), String>) {
        self.run += 1;
        if let Err(report) = result {
            self.failures.push(format!("{id}: {report}"));
        }
    }

    /// Prints the count and fails the test unless `expected` rows ran and all passed.
    pub fn finish(self, expected: usize) {
        let passed = self.run - self.failures.len();
        // Written directly: the harness would swallow `println!` of a passing test.
        let line = format!("{}: {} run, {} passed\n", self.title, self.run, passed);
        let _ = std::io::stdout().write_all(line.as_bytes());
        let shown: Vec<&str> = self
            .failures
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        assert!(
            self.failures.is_empty(),
            "{}: {} of {} rows fail\n{}",
            self.title,
            self.failures.len(),
            self.run,
            shown.join("\n")
        );
        assert_eq!(self.run, expected, "{}: rows run", self.title);
    }
}
