//! Tests of what the black-box tests judge with: the wildcard rule, the glob, the notation, the
//! printer and the seed encoder.
//!
//! Invariants:
//! - every example is one of the specification, or a change of one that must be refused.

mod support;

use support::json::{self, Json};
use support::notation::{normal_numbers, parse_one};
use support::seedfile::encode;
use support::wildcard::{drop_done_cells, glob, lines_match, outputs_match};

#[test]
fn done_cells_vanish_on_both_sides() {
    assert_eq!(drop_done_cells("(6)"), "6");
    assert_eq!(drop_done_cells("((5))"), "5");
    assert_eq!(drop_done_cells("8{(7) 9{(1)}}"), "8{7 9{1}}");
    assert_eq!(drop_done_cells("(Add)"), "Add");
    assert_eq!(drop_done_cells("(%f(1)=>[(2) 3])"), "%f(1)=>[2 3]");
    assert!(lines_match("(6)", "6"));
    assert!(lines_match("6", "(6)"));
}

#[test]
fn law_arguments_marks_and_cut_cells_are_no_done_cells() {
    for line in [
        "102(1)=>1",
        "%id(1)=>1",
        "(..)",
        "(V.5)",
        "(HEAD 7{8 9})",
        "(_#2 9)",
        "(H.0)",
    ] {
        assert_eq!(drop_done_cells(line), line);
    }
    assert_eq!(drop_done_cells("\"a (6) b\""), "\"a (6) b\"");
}

#[test]
fn a_group_matches_any_single_value() {
    assert!(lines_match("3{(HEAD 7{8 9}) 9}", "3{7{8} 9}"));
    assert!(lines_match("8{(V.(_#2 9))}", "8{10}"));
    assert!(lines_match("8{(V.(_#2 9))}", "8{(#2 9)}"));
    assert!(lines_match(
        "8{(V.(_Add 1)) (1 2)}",
        "8{Add{1} %f(1)=>[1 2]}"
    ));
    assert!(!lines_match("3{(HEAD 7{8 9}) 9}", "3{7{8} 8}"));
    assert!(!lines_match("3{(HEAD 7{8 9}) 9}", "3{7 8 9}"));
    assert!(!lines_match("8{(V.(_#2 9))}", "8{}"));
    assert!(!lines_match("8{(V.5)}", "8{5"));
    assert!(!lines_match("3{(1 2)}", "3{5}}"));
}

#[test]
fn text_outside_groups_must_be_equal() {
    assert!(!lines_match("102(1)=>1", "102(2)=>1"));
    assert!(!lines_match("5", "6"));
    assert!(!lines_match("{1}", "[1]"));
    assert!(!outputs_match("5\n6\n", "5\n"));
    assert!(outputs_match("(#2 3)\n4\n", "4\n4\n"));
    assert!(!outputs_match("4\n4\n", "(#2 3)\n4\n"));
}

#[test]
fn glob_stars_stay_in_their_line() {
    assert!(glob("plan: *\n", "plan: x\n"));
    assert!(glob(
        "plan: uncaught 17 [%badcall * 2]\n",
        "plan: uncaught 17 [%badcall %Op 2]\n"
    ));
    assert!(!glob(
        "plan: uncaught 17 [%badcall * 2]\n",
        "plan: uncaught 17 [%badcall %Op 1]\n"
    ));
    assert!(!glob("plan: *\n", "plan: x\ny\n"));
    assert!(!glob("plan: *\n", "plan: x"));
    assert!(!glob("a*b", "ab c"));
    assert!(glob("", ""));
    assert!(!glob("", "x"));
}

#[test]
fn terms_print_as_the_console_prints_them() {
    let printed = |text| parse_one(text).printed();
    assert_eq!(printed("9223372036854775807"), "9223372036854775807");
    assert_eq!(printed("0x8000000000000000"), "0x8000000000000000");
    assert_eq!(printed("(0 1 (2 3))"), "[1 2[3]]");
    assert_eq!(printed("<<5>>"), "##5");
    assert_eq!(printed("{102 1 1}"), "102(1)=>1");
    assert_eq!(printed("{\"fn\" 1 1}"), "%fn(1)=>1");
    assert_eq!(printed("<{\"fn\" 1 1}>"), "fn");
    assert_eq!(printed("<{7 1 1}>"), "#7(1)=>1");
    assert_eq!(printed("(0 (0 {5 1 1}))"), "[[5(1)]]");
    assert_eq!(printed("({7 3 9} 1)"), "7(3)=>9[1]");
    assert_eq!(printed("{\"a b\" 1 1}"), "\"a b\"(1)=>1");
}

#[test]
fn terms_become_console_text() {
    assert_eq!(parse_one("(0 1 !2)").console(), "((0 1 A) (102P 2 A) A)");
    assert_eq!(parse_one("{7 1 0}").console(), "(0 1 7 L)");
    assert_eq!(parse_one("<5>").console(), "(5 P)");
    assert_eq!(parse_one("!3").body(), "(0 (103P) A (0 3 A) A)");
    assert_eq!(parse_one("(0 7)").body(), "(0 (0 0 A) A (0 7 A) A)");
    assert_eq!(
        normal_numbers("17[0x1 0x100 0x8000000000000000]"),
        "17[1 256 0x8000000000000000]"
    );
}

#[test]
fn json_strings_keep_every_byte() {
    assert_eq!(
        json::whole(r#""a\n\"\u0000\\""#),
        Json::Text("a\n\"\0\\".to_string())
    );
    for good in [
        r#"{"a": [1, {}, [], "\u00e9\\é"], "b": null}"#,
        " true\n",
        "\"\"",
    ] {
        assert!(json::is_json(good), "{good}");
    }
    let bad = [
        "",
        "{",
        "{1: 2}",
        "[1 2]",
        "[1,]",
        "\"",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "{\"a\" 1}",
        "1 2",
        "nul",
        "{\"a\": 1,}",
    ];
    for bad in bad {
        assert!(!json::is_json(bad), "{bad}");
    }
    let list = json::whole(r#"["x", 500]"#);
    assert_eq!(list.list()[0].text(), "x");
    assert_eq!(list.list()[1].number(), 500);
}

/// Examples A, B (as one node: its two fragments need sharing) and C of chapter 03, section 6.
#[test]
fn encoder_writes_the_worked_examples() {
    let mut a = vec![0u8; 48];
    (a[0], a[24], a[32], a[40], a[41]) = (1, 1, 1, 2, 0x0e);
    assert_eq!(encode(&parse_one("<2>")), a);
    assert_eq!(encode(&parse_one("<0>"))[..8], 1u64.to_le_bytes());
    assert_eq!(encode(&parse_one("<0>")).len(), 40);
    let five = encode(&parse_one("5"));
    assert_eq!((five.len(), five[24], five[32], five[40]), (48, 1, 0, 5));
    let big = encode(&parse_one("0x10000000000000001"));
    assert_eq!(big[8..16], 1u64.to_le_bytes());
    assert_eq!(big[40..64], [2u64, 1, 1].map(u64::to_le_bytes).concat());
}

/// `(7 5)`: table 7, 5; stream `01 1 1 0`, that is one argument, reference 1, leaf, reference 0.
#[test]
fn encoder_numbers_are_descending_and_references_count_back() {
    let seed = encode(&parse_one("(7 5)"));
    assert_eq!(seed[24..32], 2u64.to_le_bytes());
    assert_eq!(seed[40..43], [7, 5, 0b0000_1110]);
    assert_eq!(seed.len(), 48);
}
