//! The 119 vectors of chapter 01, section 9, through the console.
//!
//! Invariants:
//! - every row of `tests/vectors/01-console.tsv` runs, in both modes;
//! - a row that compares less than all its output says why in its note.

mod support;

use support::vectors::{Row, console_rows};
use support::{Mode, Plan, Tally};

/// Rows of section 9.2 and what their counts are divided by in stress mode: a collection at every
/// allocation costs time proportional to the live data, so the full depths would take hours.
const STRESS_SCALE: u64 = 1000;

#[test]
fn vectors() {
    run(Mode::Plain);
}

#[test]
fn vectors_stress() {
    run(Mode::Stress);
}

fn run(mode: Mode) {
    let mut tally = Tally::new(format!("vectors 01{}", mode.suffix()));
    for row in console_rows("01-console.tsv") {
        let row = if mode == Mode::Stress {
            scaled(row)
        } else {
            row
        };
        let got = Plan::console(&row.text(1))
            .mode(mode)
            .limit_seconds(120)
            .run();
        tally.row(&row.id, row.judge(&got));
    }
    tally.finish(119);
}

/// A depth row with its numbers divided.
fn scaled(mut row: Row) -> Row {
    if !row.id.starts_with('K') {
        return row;
    }
    let text = row.text(STRESS_SCALE);
    let shrink = |text: &str| {
        [3_000_000u64, 1_000_000, 500_000]
            .iter()
            .fold(text.to_string(), |text, n| {
                text.replace(&n.to_string(), &(n / STRESS_SCALE).to_string())
            })
    };
    row.input = support::json::Json::Text(shrink(&text));
    row.stdout = shrink(&row.stdout);
    row
}
