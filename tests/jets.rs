//! Jets by name, and the strict mode that looks at the body (chapter 02, 1.5; 00, rules 7 and 25).
//!
//! Invariants:
//! - unset, `PLAN_JETS` gives the behaviour of the specification: name and arity decide.

mod support;

use support::console::judge;
use support::{Mode, Plan};

/// Runs the text with and without the strict mode, in both modes of the runtime.
fn both(text: &str, by_name: &str, strict: &str) {
    for mode in [Mode::Plain, Mode::Stress] {
        let got = Plan::console(text).mode(mode).run();
        judge(text, &got, &format!("{by_name}\n"), "", 0);
        let got = Plan::console(text)
            .mode(mode)
            .env("PLAN_JETS", "strict")
            .run();
        judge(text, &got, &format!("{strict}\n"), "", 0);
    }
}

#[test]
fn strict_mode_runs_bodies_that_are_not_known() {
    both("1 1 \"Inc\" L P 5 A E .", "6", "5");
    both("77 1 \"Inc\" L P 5 A E .", "6", "77");
    both("0 2 \"Add\" L P 3 A 4 A E .", "7", "Add");
    both("2 3 \"If\" L P 0 A 8 A 9 A E .", "9", "8");
    both("0P (1P \"Inc\" A 1 A 77 A) A 5 A E .", "6", "77");
}

#[test]
fn results_that_do_not_hang_on_a_jet_are_the_same_in_both() {
    let same = |text: &str, result: &str| both(text, result, result);
    same("1 1 \"Inc\" L 5 A E .", "5");
    same("1 2 \"Inc\" L P 5 A 6 A E .", "5");
    same("(0 15P A (0 \"Dec\" A 1 A) A) 1 \"Foo\" L P 5 A E .", "4");
    same("(0 15P A (0 \"Dec\" A 1 A) A) 1 \"Inc\" L P 5 A E .", "4");
    same(
        "(0 15P A (0 (0 (0 \"Add\" A) A 1 A) A 2 A) A) 2 \"Add\" L P 5 A 6 A E .",
        "11",
    );
    same("15P (\"Inc\" 5 A) A E .", "6");
    same("2P 5 A E .", "6");
    same("(99 1 \"Unpin\" L) 5 A E .", "99");
}

/// One figure of the line that `PLAN_STATS=1` prints.
fn figure(text: &str, name: &str) -> u64 {
    let outcome = Plan::console(text).env("PLAN_STATS", "1").run();
    let err = outcome.err();
    let field = err
        .split_whitespace()
        .find_map(|f| f.strip_prefix(&format!("{name}=")));
    let number = field.and_then(|n| n.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} in {err:?}"))
}

#[test]
fn jets_matched_mismatched_and_executed_are_counted() {
    assert_eq!(figure("7 .", "jets"), 0);
    assert_eq!(figure("0 1 \"Inc\" L P 0 2 \"Add\" L P", "jets"), 2);
    assert_eq!(
        figure("0 2 \"Inc\" L P 0 1 \"foo\" L P", "jets_mismatched"),
        1
    );
    let made = figure("0 1 \"Inc\" L P", "operations");
    let called = figure("0 1 \"Inc\" L P D 5 A E . 6 A E .", "operations");
    assert_eq!(called, made + 2);
}
