//! D1 to D21 of chapter 02, section 8.
//!
//! Invariants:
//! - one test for each identifier;
//! - quotients are compared with `num-bigint`.

use crate::support::console::{
    call, ends, list, numbered, op, prints, prints_big, quote, row, throws,
};
use crate::support::notation::name;
use crate::support::{End, Plan};
use num_bigint::BigUint;

/// A small generator of limbs (splitmix64): the numbers need variety, not quality.
struct Numbers(u64);

impl Numbers {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of 1 to `bits` bits.
    fn nat(&mut self, bits: u64) -> BigUint {
        let limbs: Vec<u8> = (0..bits.div_ceil(64))
            .flat_map(|_| self.word().to_le_bytes())
            .collect();
        let drop = limbs.len() as u64 * 8 - 1 - self.word() % bits;
        (BigUint::from_bytes_le(&limbs) >> drop) | BigUint::from(1u8)
    }
}

/// As the console prints a nat.
fn shown(n: &BigUint) -> String {
    if n.bits() < 64 {
        n.to_string()
    } else {
        format!("{n:#x}")
    }
}

#[test]
fn d01_quotients_are_exact() {
    let mut numbers = Numbers(1);
    let (mut text, mut want) = (String::new(), String::new());
    for case in 0..600 {
        let a = numbers.nat([128, 192, 512, 4096][case % 4]);
        let b = numbers.nat([31, 62, 64, 200, 2048][case % 5]);
        let (q, r) = (&a / &b, &a % &b);
        text += &format!("15P (47 {a:#x} A {b:#x} A) A E .\n");
        text += &format!("15P (48 {a:#x} A {b:#x} A) A E .\n");
        text += &format!("15P (49 {a:#x} A {b:#x} A) A F .\n");
        text += &format!("{a:#x} {b:#x} / .\n");
        let (q, r) = (shown(&q), shown(&r));
        want += &format!("{q}\n{r}\n[{q} {r}]\n{q}\n");
    }
    prints(&text, &want);
}

#[test]
fn d02_division_by_zero_ends_with_the_defined_result() {
    for a in [
        "7",
        "0x10000000000000000",
        "0x100000000000000000000000000000000000000000000000005",
    ] {
        prints(&format!("15P (47 {a} A 0 A) A E ."), "0\n");
        prints(&format!("15P (48 {a} A 0 A) A E ."), &format!("{a}\n"));
        prints(&format!("15P (49 {a} A 3P A) A F ."), &format!("[0 {a}]\n"));
    }
}

#[test]
fn d03_huge_operands_are_a_limit_or_harmless() {
    let huge = [
        "0x4000000000000000",
        "0x8000000000000000",
        "0x100000000000000000000000000",
    ];
    for n in huge {
        for (call, name) in [
            (format!("(50 1 A {n} A)"), "Lsh"),
            (format!("(39 {n} A)"), "Bex"),
            (format!("(65 {n} A 1 A)"), "Set"),
            (format!("(97 {n} A 1 A 1 A 7 A)"), "Store"),
            (format!("(103 {n} A 1 A 7 A)"), "Store8"),
            (format!("(106 {n} A 1 A 7 A)"), "Store64"),
            (format!("(90 0 A 3 A {n} A)"), "Rep"),
            (format!("(91 0 A {n} A 0 A)"), "Row"),
        ] {
            throws(
                &format!("15P {call} A E ."),
                &format!("17 [%limit %{name} 0]"),
            );
        }
        prints(&format!("15P (50 0 A {n} A) A E ."), "0\n");
        prints(&format!("15P (97 {n} A 1 A 0 A 7 A) A E ."), "7\n");
        prints(
            &format!("15P (51 7 A {n} A) A E . 15P (52 {n} A 7 A) A E ."),
            "0\n7\n",
        );
    }
}

#[test]
fn d04_snore_into_0_is_0() {
    prints("15P (109 0 A 0 A 4 A 1684234849 A 0 A) A E .", "0\n");
    prints(
        "15P (109 1 A 127 A 32 A 0x14136fa85e027dab0 A 0 A) A E .",
        "0\n",
    );
}

#[test]
fn d05_a_source_that_is_no_app_is_empty() {
    for number in [92, 108] {
        for source in ["7", "(7 P)", "(0 1 7 L)", "0x10000000000000000"] {
            let text = format!("15P ({number} 2 A 0 A 0 A {source} A (5 1 A 2 A) A) A F .");
            prints(&text, "5[1 2]\n");
        }
    }
}

#[test]
fn d06_a_target_that_is_no_app_comes_back() {
    prints("15P (80 0 A 9 A 5 A) A E .", "5\n");
    prints("15P (80 0 A 9 A (5 P) A) A E .", "#5\n");
    prints(
        "15P (80 0 A 9 A 0x10000000000000000 A) A E .",
        "0x10000000000000000\n",
    );
}

#[test]
fn d07_the_content_of_a_pin_is_never_overwritten() {
    let content = call(&op("Unpin", 1), &["1"]);
    let cases = [
        (
            "(0 1 A 2 A)",
            numbered(80, &[&quote(0), &quote(9), &content]),
            "[9 2]\n#[1 2]\n",
        ),
        (
            "(0 1 A 2 A)",
            numbered(
                108,
                &[
                    &quote(1),
                    &quote(0),
                    &quote(1),
                    &call(&quote(0), &[&quote(7)]),
                    &content,
                ],
            ),
            "[1 7]\n#[1 2]\n",
        ),
        (
            "0x121646c726f77206f6c6c6548",
            numbered(
                109,
                &[
                    &quote(0),
                    &quote(0),
                    &quote(5),
                    &quote(0x45_4443_4241),
                    &content,
                ],
            ),
            "0x121646c726f77204544434241\n#0x121646c726f77206f6c6c6548\n",
        ),
    ];
    for (item, body, want) in cases {
        prints(&format!("{item} P D ({body} 1 \"f\" L) R F . ."), want);
    }
}

/// The rest is R8: the two lists overlap here.
#[test]
fn d08_lazy_rows_are_evaluated_first() {
    let text = format!("8P {} A F .", row(&["(1 1 \"id\" L)", "(0 5 A)"]));
    prints(&text, "[[5]]\n");
    prints(
        "9P ((1 1 \"id\" L) (0 1 A \"hello\" A 5 A 0 A) A) A E .",
        "hello5\n",
    );
    ends("4P ((1 1 \"id\" L) (0 1 A 2 A) A) A E .", "2\n", "1\n", 0);
}

#[test]
fn d09_bytes_past_the_end_of_a_nat_are_zeros() {
    prints("9P (0 1 A \"abc\" A 6 A 0 A) A E .", "abc\0\0\x006\n");
    prints("9P (0 1 A \"abc\" A 4 A 2 A) A E .", "c\0\0\x004\n");
    prints(
        "9P (0 1 A \"abc\" A 20 A 100 A) A E .",
        &format!("{}20\n", "\0".repeat(20)),
    );
    prints("9P (0 1 A 3P A 2 A 0 A) A E .", "\0\x002\n");
    prints("9P (0 1 A \"abc\" A 0 A 0 A) A E .", "0\n");
}

#[test]
fn d10_a_failing_write_is_an_exception() {
    throws("9P (0 99 A \"abc\" A 3 A 0 A) A E .", "17 [%io %Write 9]");
    throws(
        "9P (0 0x80000000 A \"abc\" A 3 A 0 A) A E .",
        "17 [%io %Write 9]",
    );
    let call = call(
        "9P",
        &[&call(&quote(0), &["1", &quote(97), &quote(1), &quote(0)])],
    );
    let (io, write) = (name("io"), name("Write"));
    let text = format!("8P (0 ({call} 1 \"f\" L) A 99 A) A F .");
    prints(&text, &format!("17[[{io} {write} 9]]\n"));
}

#[test]
fn d11_refused_reads_are_0_and_leave_the_stack_alone() {
    let buffer = "0x100000000000000000000000000000000";
    for (count, offset) in [
        ("16", "1"),
        ("0", "0"),
        ("0x8000000000000000", "0"),
        ("1", "16"),
    ] {
        prints(
            &format!("10P (0 0 A {buffer} A {count} A {offset} A) A E ."),
            "0\n",
        );
    }
    let refused = call(
        "10P",
        &[&call(&quote(0), &["1", &quote(1), &quote(5), &quote(0)])],
    );
    let add = op("Add", 2);
    let sum = call(
        &add,
        &[&refused, &call(&add, &[&call(&add, &["1", &refused]), "1"])],
    );
    prints(&format!("{sum} 1 \"f\" L 21 A E ."), "42\n");
}

#[test]
fn d12_large_operands_of_raw_calls_are_taken_modulo_2_to_64() {
    ends("5P (60 0x10000000000000003 A) A E .", "", "", 3);
    prints("5P (3 0x100000000000003e7 A) A E .", "0xfffffffffffffff7\n");
    let got = Plan::console("16P (0 0x10000000000000001 A \"a\" A 1 A 0 A 0 A) A E .").run();
    assert_eq!(got.out(), "0xffffffffffffffa8\n", "{}", got.describe());
    throws(
        "9P (0 0x10000000000000001 A \"a\" A 1 A 0 A) A E .",
        "17 [%io %Write 9]",
    );
}

#[test]
fn d13_buffers_compare_as_the_nat_of_their_bytes() {
    for bytes in 0..20 {
        let same = BigUint::from(1u8) << (8 * bytes);
        for (operation, want) in [("Eq", 1), ("Compare", 1), ("Cmp", 1), ("Lt", 0)] {
            let law = op(operation, 2);
            let text = format!("14P {bytes} A E {same} {law} R R E .");
            prints(&text, &format!("{want}\n"));
        }
    }
    prints("14P 1 A E 0 2 \"Add\" L P 44 A R E .", "300\n");
}

#[test]
fn d14_the_generic_compare_is_a_total_order() {
    let ascending = [
        "0",
        "7",
        "0x10000000000000000",
        "0x100000000000000000000000000000000",
        "(0 P)",
        "(5 P)",
        "(0x10000000000000000 P)",
        "(5 P P)",
        "((0 1 7 L) P)",
        "((0 1 A) P)",
        "((0 1 A 2 A) P)",
        "(0 1 7 L)",
        "(0 2 7 L)",
        "((0 1 A) 2 7 L)",
        "(0 1 8 L)",
        "(0 1 A)",
        "(0 (5 P) A)",
        "(0 (0 1 7 L) A)",
        "(0 (0 1 A) A)",
        "(1 0 A)",
        "(3P 0 A)",
        "((0 2 7 L) 0 A)",
        "(0 0 A 0 A)",
    ];
    let ascending: Vec<&str> = ascending
        .into_iter()
        .filter(|v| !v.contains(" E)"))
        .collect();
    let (mut text, mut want) = (String::new(), String::new());
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            text += &format!("{} {a} A {b} A E .\n", op("Cmp", 2));
            want += if i < j {
                "0\n"
            } else if i == j {
                "1\n"
            } else {
                "2\n"
            };
        }
    }
    prints(&text, &want);
}

/// There is no store in this version: Precommit and Commit return what they are given, forced.
#[test]
fn d15_precommit_returns_any_value() {
    for number in [11, 12] {
        prints(&format!("{number}P 5 A E ."), "5\n");
        prints(&format!("{number}P (0 (2P 1 A) A) A E ."), "[2]\n");
        prints(&format!("{number}P (5P) A E ."), "#5\n");
        throws(&format!("{number}P (0 (21P 1 A) A) A E ."), "21 1");
    }
}

#[test]
fn d16_a_law_of_arity_0_is_an_error() {
    throws("15P (1 7 A 0 A 0 A) A E .", "17 [%arity0 %Law 0]");
    throws("15P (1 7 A 3P A 0 A) A E .", "17 [%arity0 %Law 0]");
}

/// Every malformed call names the operation, and the size or tag that was found.
#[test]
fn d17_malformed_calls_are_errors() {
    let calls = [
        ("15P 5 A", "[%badcall %Op 0]"),
        ("15P (35 3 A) A", "[%badcall %Op 1]"),
        ("15P (35 3 A 4 A 5 A) A", "[%badcall %Op 3]"),
        (
            "15P (35 1 A 2 A 3 A 4 A 5 A 6 A 7 A 8 A 9 A) A",
            "[%badcall %Op 9]",
        ),
        ("15P (110 3 A) A", "[%badop %Op 110]"),
        ("15P (\"Fresh\" 3 A) A", "[%badop %Op %Fresh]"),
        (
            "15P (0x10000000000000000 3 A) A",
            "[%badop %Op 0x10000000000000000]",
        ),
        ("15P ((0 5 7 L) 3 A) A", "[%badop %Op 0]"),
        ("4P 5 A", "[%badcall %Trace 0]"),
        ("5P 5 A", "[%badcall %Syscall 0]"),
        (
            "5P (39 0 A 0 A 0 A 0 A 0 A 0 A 0 A) A",
            "[%badcall %Syscall 7]",
        ),
        ("6P (0 1 A) A", "[%badcall %Peek 1]"),
        ("7P (0 1 A) A", "[%badcall %Poke 1]"),
        ("8P (0 1 A 2 A 3 A) A", "[%badcall %Try 3]"),
        ("9P (0 1 A) A", "[%badcall %Write 1]"),
        ("10P (0 1 A) A", "[%badcall %Read 1]"),
        ("16P (0 1 A) A", "[%badcall %Send 1]"),
        ("14P (5P) A", "[%range %Xbuf *]"),
        ("14P 0x10000000000000000 A", "[%limit %Xbuf 0]"),
    ];
    for (call, payload) in calls {
        throws(&format!("{call} E ."), &format!("17 {payload}"));
    }
}

/// One call of each operation that traps there; the vectors of 6.3 and 6.4 hold the details.
#[test]
fn d18_operations_that_trap_there_work() {
    let calls = [
        ("7 0 A 1 A 2 A", "[1 2]"),
        ("8 0 A 1 A 2 A 3 A", "[1 2 3]"),
        ("9 0 A 1 A 2 A 3 A 4 A", "[1 2 3 4]"),
        ("10 0 A 1 A 2 A 3 A 4 A 5 A", "[1 2 3 4 5]"),
        ("11 0 A 1 A 2 A 3 A 4 A 5 A 6 A", "[1 2 3 4 5 6]"),
        ("12 0 A 1 A 2 A 3 A 4 A 5 A 6 A 7 A", "[1 2 3 4 5 6 7]"),
        ("30 (0 1 A) A", "[1]"),
        ("33 5 A 0 A", "1"),
        ("34 0 A 0 A", "1"),
        ("38 3 A 4 A", "81"),
        ("53 7 A", "1"),
        ("58 0x100000000000000000000000000000005 A", "5"),
        ("59 5 A", "5"),
        ("60 4 A 4 A 171 A", "10"),
        ("61 0 A 4 A 255 A", "240"),
        ("62 0 A 4 A 1 A 255 A", "241"),
        ("70 (0 7 A 8 A) A 9 A", "7"),
        ("71 (0 7 A 8 A) A 9 A", "8"),
        ("72 (0 7 A 8 A) A 9 A", "9"),
        ("76 0 A 1 A 2 A 3 A 4 A 5 A 6 A", "1"),
        ("77 0 A 1 A 2 A 3 A 4 A 5 A 6 A 7 A", "1"),
        ("93 (0 3 A 4 A) A 4 A (0 6 A 7 A) A 9 A", "7"),
        ("96 0 A 1 A 65535 A", "65280"),
        ("98 0 A 0 A 2 A 6649953 A 1886549346 A", "1886550113"),
        ("100 0 A 0x1020304 A", "772"),
        ("101 0 A 0x102030405 A", "33752069"),
        ("102 0 A 0x10000000000000005 A", "5"),
        ("104 0 A 8026488 A 1178882881 A", "1178892664"),
        ("105 0 A 0 A 0x10000000000000000 A", "0x10000000000000000"),
    ];
    for (call, want) in calls {
        prints(&format!("15P ({call}) A F ."), &format!("{want}\n"));
    }
}

#[test]
fn d19_a_pinned_law_without_a_text_name_is_traced_in_full() {
    let name = "0x8000000000000000";
    let text = format!("4P (0 (1 1 {name} L P) A 7 A) A E .");
    ends(&text, "7\n", &format!("#{name}(1)=>1\n"), 0);
}

/// A value nested so deep in its first element, on the stack.
fn nested(depth: usize) -> String {
    format!("0 {}", "0 R 9 A\n".repeat(depth))
}

#[test]
fn d20_deep_structures_are_forced_compared_pinned_traced_and_tried() {
    let depth = 1_000_000;
    let one = nested(depth);
    prints_big(&format!("{one} F 7 ."), "7\n", 120);
    prints_big(&format!("{one} P 7 ."), "7\n", 120);
    prints_big(
        &format!("{one} P D P {one} P P 0 2 \"Cmp\" L P R R E ."),
        "1\n",
        120,
    );
    let traced = format!("{one} (0 R 7 A) 4P R E .");
    let got = Plan::console(&traced).limit_seconds(120).run();
    assert_eq!(
        (got.out().as_str(), got.end),
        ("7\n", End::Status(0)),
        "{}",
        got.describe()
    );
    prints_big(
        &format!("{one} (0 0 A) R 8P R E 0 1 \"Sz\" L P R E ."),
        "1\n",
        120,
    );
    prints_big(
        &format!("{} P P 0 1 \"Type\" L P R E .", list(depth)),
        "1\n",
        120,
    );
}

#[test]
fn d21_a_quoted_key_does_not_match_and_the_name_does() {
    let body = call("15P", &[&call("(0 (0 \"Sub\" A) A 1 A)", &["2"])]);
    prints(&format!("{body} 2 \"Add\" L P 7 A 2 A E ."), "9\n");
    let bare = call("15P", &[&call("(0 \"Sub\" A 1 A)", &["2"])]);
    prints(&format!("{bare} 2 \"Add\" L P 7 A 2 A E ."), "5\n");
    prints(&format!("{body} 2 \"Foo\" L P 7 A 2 A E ."), "5\n");
}
