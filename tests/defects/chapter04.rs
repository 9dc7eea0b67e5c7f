//! C1 to C10 of chapter 04, 9.3.
//!
//! Invariants:
//! - one test for each identifier.

use crate::support::console::{ends, list, prints, prints_big, prints_cells, throws};
use crate::support::{End, Plan};

#[test]
fn c01_a_shift_by_64_or_more_leaves_nothing() {
    prints("255 64 > .", "0\n");
    prints("255 0x10000000000000000 > .", "0\n");
    prints("9223372036854775807 127 > .", "0\n");
}

#[test]
fn c02_quotients_of_the_console_are_exact() {
    prints("0x10000000000000000 0x7ffffffffffffffe / .", "2\n");
    prints("0x10000000000000000 3 / .", "6148914691236517205\n");
}

#[test]
fn c03_small_buffers_are_numbers() {
    for (bytes, value) in [
        (0u32, 1u64),
        (1, 256),
        (2, 65536),
        (3, 1 << 24),
        (7, 1 << 56),
    ] {
        let got = Plan::console(&format!("{bytes} buffer .")).run();
        let right = [format!("{value}\n"), format!("{value:#x}\n")].contains(&got.out());
        assert!(right && got.end == End::Status(0), "{}", got.describe());
        prints(&format!("{bytes} buffer 0 + ."), &format!("{value}\n"));
    }
}

#[test]
fn c04_a_pin_of_a_pin_survives_gc_and_memcheck() {
    prints("0P P gc ? memcheck ?", "##0\n##0\n");
    prints("(0 1A) P P memcheck gc .", "##[1]\n");
}

/// Whether the cell is still there is not required; that it holds its result is.
#[test]
fn c05_pinning_a_pin_changes_no_done_cell() {
    prints_cells("2P 3A dup E . 1P P pop ?", "4\n(4)\n");
}

#[test]
fn c06_trace_evaluates_its_row() {
    ends("4P (0 5A 7A) A E .", "7\n", "5\n", 0);
    throws("4P 5 A E", "17 [%badcall %Trace 0]");
}

#[test]
fn c07_forcing_and_printing_work_at_any_depth() {
    let cells = 400_000;
    let want = format!("{}0{}\n", "[9 ".repeat(cells), "]".repeat(cells));
    prints_big(&format!("2147483647 pdepth {} F .", list(cells)), &want, 60);
    let want = format!("{}0{}\n", "((0 9) ".repeat(cells), ")".repeat(cells));
    prints_big(&format!("2147483647 pdepth {} .", list(cells)), &want, 60);
}

#[test]
fn c08_a_pinned_law_without_a_text_name_is_printed_in_full() {
    prints(
        "(1 1 0x8000000000000000 L) P .",
        "#0x8000000000000000(1)=>1\n",
    );
    prints(
        "(1 1 0xff00000000000000ff L) P .",
        "#0xff00000000000000ff(1)=>1\n",
    );
}

#[test]
fn c09_push_counts_before_it_reads() {
    ends("push", "stack underflow", "", 1);
    ends("0 push", "stack underflow", "", 1);
    ends("1 1 push", "stack underflow", "", 1);
    ends("1 0x10000000000000000 push", "stack underflow", "", 1);
    prints("5 0 push ?", "5\n5\n");
}

#[test]
fn c10_a_pinned_nat_with_a_zero_byte_is_traced_as_a_number() {
    ends("4P (0 (0x610061P)A 7A E)A E.", "7\n", "#6357089\n", 0);
    ends("4P (0 (256P)A 7A E)A E.", "7\n", "#256\n", 0);
    ends("4P (0 (97P)A 7A E)A E.", "7\n", "#a\n", 0);
}
