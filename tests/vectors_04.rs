//! The 289 vectors of chapter 04, section 10, through the console.
//!
//! Invariants:
//! - every row of the four files runs, in both modes;
//! - the seeds that rows load by name are encoded by the tests into a directory of their own.

mod support;

use std::path::PathBuf;
use support::vectors::{self, Row, arrow_rows, console_rows};
use support::{End, Mode, Plan, Tally, json, notation, scratch_dir, seedfile};

#[test]
fn console() {
    run("console", arrow_rows("04-console.txt"), 254, Mode::Plain);
}

#[test]
fn console_stress() {
    run("console", arrow_rows("04-console.txt"), 254, Mode::Stress);
}

#[test]
fn trace() {
    run("trace", arrow_rows("04-trace.txt"), 11, Mode::Plain);
}

#[test]
fn trace_stress() {
    run("trace", arrow_rows("04-trace.txt"), 11, Mode::Stress);
}

#[test]
fn required() {
    run("required", console_rows("04-required.tsv"), 17, Mode::Plain);
}

#[test]
fn required_stress() {
    run(
        "required",
        console_rows("04-required.tsv"),
        17,
        Mode::Stress,
    );
}

#[test]
fn deviations() {
    run_deviations(Mode::Plain);
}

#[test]
fn deviations_stress() {
    run_deviations(Mode::Stress);
}

fn run(title: &str, rows: Vec<Row>, count: usize, mode: Mode) {
    let dir = directory_with_seeds();
    let mut tally = Tally::new(format!("vectors 04 {title}{}", mode.suffix()));
    for row in rows {
        let got = Plan::console(&row.text(1)).mode(mode).dir(&dir).run();
        tally.row(&row.id, row.judge(&got));
    }
    tally.finish(count);
}

/// Chapter 04, section 1: the argument `test` runs the console's own tests.
#[test]
fn the_console_tests_itself() {
    for mode in [Mode::Plain, Mode::Stress] {
        let got = Plan::new(["rpn", "test"]).mode(mode).run();
        assert_eq!(got.end, End::Status(0), "{}", got.describe());
    }
}

/// The stress mode does what it says: a done cell is gone after the next allocation.
#[test]
fn stress_mode_collects_at_every_allocation() {
    let text = "2P 5 A D E pop 0 1A pop _";
    let shown = |mode| Plan::console(text).mode(mode).run().out();
    assert_eq!(shown(Mode::Plain), "(6)\n");
    assert_eq!(shown(Mode::Stress), "6\n");
}

/// Rows whose observed result is not required: one of the accepted outputs must appear.
fn run_deviations(mode: Mode) {
    let mut tally = Tally::new(format!("vectors 04 deviations{}", mode.suffix()));
    for f in vectors::fields("04-deviations.tsv") {
        let input = json::whole(&f[1]);
        let got = Plan::console(input.text()).mode(mode).run();
        let accepted = json::whole(&f[2]);
        let right = accepted.list().iter().any(|a| a.text() == got.out())
            && got.err() == json::whole(&f[3]).text()
            && got.end == End::Status(0);
        let report = || {
            let want = format!("{accepted:?} stderr {}", f[3]);
            format!(
                "input {input:?}\n    expected {want}\n    got {}",
                got.describe()
            )
        };
        tally.row(&f[0], if right { Ok(()) } else { Err(report()) });
    }
    tally.finish(7);
}

/// A fresh directory with `seeds/` as the rows expect it.
fn directory_with_seeds() -> PathBuf {
    let dir = scratch_dir("console");
    let seeds = dir.join("seeds");
    std::fs::create_dir(&seeds).unwrap_or_else(|e| panic!("{}: {e}", seeds.display()));
    for f in vectors::fields("04-seeds.tsv") {
        let path = seeds.join(&f[0]);
        let bytes = seedfile::encode(&notation::parse_one(&f[1]));
        std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    dir
}
