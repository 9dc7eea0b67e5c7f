//! The reference of all operations, docs/operations.md, written from the table and the names.
//!
//! Invariants:
//! - The committed file is exactly what [`render`] writes: a test compares.
//! - Number, names, arity and evaluation come from the rows themselves, the rest from the text
//!   beside them; nothing about a single operation stands here.

use super::super::names::NAMES;
use super::{
    CMP, COUNT, E, F, NUMBERED, OPS, Operand, PARMAP, PROFILE, TRACE, XTOUCH, docs, pinned,
};
use crate::machine::op::Op;
use std::fmt::Write;
use std::string::String;

/// Largest pinned natural with an operation of its own.
const LAST_PINNED: usize = 20;

/// What the reference says about an operation besides what its row says.
pub(super) struct Doc {
    /// Names of the operands, with a space between; the form of the row for a call.
    operands: &'static str,
    /// The result in a line.
    result: &'static str,
    /// The cost class.
    cost: &'static str,
    /// VM errors of this operation.
    errors: &'static str,
    /// Whether it may be shared, reordered and folded.
    pure: bool,
}

impl Doc {
    /// The same with these VM errors.
    pub const fn errs(self, errors: &'static str) -> Doc {
        Doc { errors, ..self }
    }
}

/// An operation without effects.
pub(super) const fn pure(operands: &'static str, result: &'static str, cost: &'static str) -> Doc {
    Doc {
        operands,
        result,
        cost,
        errors: "",
        pure: true,
    }
}

/// An operation with an effect, or whose result depends on more than the values of its operands.
pub(super) const fn impure(
    operands: &'static str,
    result: &'static str,
    cost: &'static str,
) -> Doc {
    Doc {
        pure: false,
        ..pure(operands, result, cost)
    }
}

/// A pinned natural that passes the elements of a row on to the row of its name further down.
pub(super) const fn call(form: &'static str) -> Doc {
    impure(form, "", "").errs("`badcall`")
}

/// Cost of comparing naturals.
pub(super) const COMPARE: &str = "O(n); O(1) if the lengths differ";
/// Cost of copying an app x.
pub(super) const SIZE_X: &str = "O(size of x)";
/// Cost of walking an app r.
pub(super) const SIZE_R: &str = "O(size of r)";
/// Cost of replacing a part of a natural.
pub(super) const STORE: &str = "O(n + result)";
/// A system call, whatever the number of its arguments.
pub(super) const SYSTEM_CALL: Doc = impure(
    "nr a1 … ak",
    "result register of the system call nr, raw; k is 1 to 6",
    "that of the call",
);

const INTRO: &str = "\
# Operations

<!-- Written from src/prim/table.rs by `PLAN_BLESS=1 cargo test operations_reference`. -->

Everything a program reaches by applying a pinned natural, and the operations that a pinned law
runs by its name. What each one means exactly is in [chapter 02](spec/02-primops.md) of the
specification; this page says what the implementation does.

| notation | meaning |
|---|---|
| app, element, row | a partial application `(head e0 e1 …)`; a row is one with head 0 |
| `<k>`, `{n a b}` | the pin of k; the law of name n, arity a, body b |
| E x | x is evaluated to weak head normal form |
| F x | x is evaluated to normal form |
| → x | the result is x, evaluated in tail position |
| n in a cost | size of the natural operands in words of 64 bits |
| M(n) | product of n words: schoolbook to some dozens of words, then Karatsuba, Toom-3, and a \
number-theoretic transform |
| D(n) | quotient: O(n) for divisors of up to two words, schoolbook to some dozens, then \
Burnikel–Ziegler |

Operands are evaluated in the order shown; those not shown are not touched unless the result says
so. Where a natural is meant, anything else counts as 0. No operation changes a natural or an app in
place but for those that say so: nothing here knows whether an operand has other users, so
everything else that changes a part makes a copy. Costs do not include the evaluation of operands
and of what comes in tail position. Naturals below 2^63 are part of their word: with operands
and results below it, operations on naturals take O(1).

Errors are those of [02 §1.6](spec/02-primops.md#16-exceptions-and-vm-errors). Every operation that
makes something can throw `limit` with detail 2 for lack of memory, and every evaluation `limit`
with detail 1 for lack of stack; `limit` in a row means that the result would be larger than 2^36
bits or 2^30 elements. *Pure* operations may be shared, reordered and computed early. A buffer
of `<14>` is a natural whose bytes may change; whatever reads it is not pure.
";

const NUMBERED_INTRO: &str = "
## Numbered operations

Run as `(<15> (number operands…))`, with exactly as many operands as the arity, and by the names in
the second column. The first name is that of the operation in messages; one in parentheses is no
key.

| # | names | arity | operands | evaluation | result | cost | errors | pure |
|--:|---|--:|---|---|---|---|---|---|
";

const NAMED_INTRO: &str = "
## Operations with a name only

Run as `(<15> (name operands…))`.

| names | arity | operands | evaluation | result | cost | errors | pure |
|---|--:|---|---|---|---|---|---|
";

const PINNED_INTRO: &str = "
## Pinned naturals

`<k>` applied to its arguments. Where the argument is a row, it is evaluated first and must be an
app of the size shown; the head `_` is ignored. `<k>` for k from 21 on throws its argument, in normal
form, with code k. A saturated pin of a pin or of an app is the error `badfun`.

| pin | name | arity | argument | evaluation | result | cost | errors | pure |
|--:|---|--:|---|---|---|---|---|---|
";

const NAMES_INTRO: &str = "
## Names

The names that are keys of `<15>` and, but for ParMap and Xtouch, jets: a pinned law with such a name and this
arity, or whose body passes its parameters to `<15>` under such a name, runs the operation
([02 §1.5](spec/02-primops.md#15-jets-on-pinned-laws)). `PLAN_JETS=strict` asks for a known body.

| name | arity | operation |
|---|--:|---|
";

/// The operands to evaluate, by name.
fn evaluation(op: &Op, operands: &str) -> String {
    let names: Vec<&str> = match operands.starts_with('(') {
        true => std::vec!["row"],
        false => operands.split_whitespace().collect(),
    };
    let name = |i: u8| names.get(i as usize).copied().unwrap_or("?");
    let steps: Vec<String> = op
        .order
        .iter()
        .map(|operand| match operand {
            Operand::Whnf(i) => format!("E {}", name(*i)),
            Operand::Nf(i) => format!("F {}", name(*i)),
        })
        .collect();
    steps.join(", ")
}

/// What every table ends with: result, cost, errors, purity.
fn ending(doc: &Doc) -> String {
    let pure = if doc.pure { "yes" } else { "no" };
    format!("{} | {} | {} | {pure} |", doc.result, doc.cost, doc.errors)
}

/// The keys of an operation, its own name first.
fn keys(index: usize) -> String {
    let own = OPS[index].name;
    let mut all: Vec<&str> = NAMES
        .iter()
        .filter(|(_, _, op)| *op == index)
        .map(|(name, _, _)| *name)
        .collect();
    if index == XTOUCH || index == PARMAP {
        all.push(own);
    }
    let is_key = all.contains(&own);
    all.retain(|name| *name != own);
    all.insert(0, own);
    let mut text = all.join(", ");
    if !is_key {
        text.replace_range(..own.len(), &format!("({own})"));
    }
    text
}

fn operation_row(index: usize, doc: &Doc) -> String {
    let op = &OPS[index];
    format!(
        "{} | {} | {} | {} | {}",
        keys(index),
        op.arity,
        doc.operands,
        evaluation(op, doc.operands),
        ending(doc)
    )
}

/// Evaluation by a pinned natural that passes a row on: the row, then its elements.
fn call_evaluation(second: usize, doc: &Doc) -> String {
    if OPS[second].name == "Syscall" {
        return "E row, E nr, E a1 … E ak".into();
    }
    format!("E row, {}", evaluation(&OPS[second], doc.operands))
}

fn pinned_row(k: usize, all: &[Doc]) -> String {
    let index = pinned(k);
    let (op, doc) = (&OPS[index], &all[index]);
    let start = format!("| {k} | {} | {} | `{}` |", op.name, op.arity, doc.operands);
    if !doc.result.is_empty() {
        return format!("{start} {} | {}", evaluation(op, doc.operands), ending(doc));
    }
    let second = (TRACE..COUNT).find(|i| OPS[*i].name == op.name);
    let second = second.expect("a second half of the same name");
    let on_operands = &all[second];
    let errors = match on_operands.errors {
        "" => doc.errors.into(),
        more => format!("{}, {more}", doc.errors),
    };
    let pure = if on_operands.pure { "yes" } else { "no" };
    format!(
        "{start} {} | {} | {} | {errors} | {pure} |",
        call_evaluation(second, on_operands),
        on_operands.result,
        on_operands.cost
    )
}

/// The whole page.
fn render() -> String {
    let all = docs();
    let mut page = String::from(INTRO);
    page.push_str(NUMBERED_INTRO);
    for (i, doc) in all.iter().enumerate().take(NUMBERED) {
        let _ = writeln!(page, "| {i} | {}", operation_row(i, doc));
    }
    page.push_str(NAMED_INTRO);
    for i in [CMP, PROFILE, XTOUCH, PARMAP] {
        let _ = writeln!(page, "| {}", operation_row(i, &all[i]));
    }
    page.push_str(PINNED_INTRO);
    for k in 0..=LAST_PINNED {
        let _ = writeln!(page, "{}", pinned_row(k, &all));
    }
    page.push_str(NAMES_INTRO);
    let mut names: Vec<(&str, usize)> = NAMES.iter().map(|(name, _, op)| (*name, *op)).collect();
    names.extend([XTOUCH, PARMAP].map(|op| (OPS[op].name, op)));
    names.sort_unstable();
    for (name, op) in names {
        let target = match op {
            CMP => "compare all values".into(),
            PARMAP | PROFILE | XTOUCH => "itself".into(),
            _ => format!("#{op} {}", OPS[op].name),
        };
        let _ = writeln!(page, "| {name} | {} | {target} |", OPS[op].arity);
    }
    page
}

#[test]
fn operations_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let page = render();
    if std::env::var_os("PLAN_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs/operations.md is writable");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    for (i, (want, have)) in page.lines().zip(committed.lines()).enumerate() {
        assert_eq!(have, want, "docs/operations.md, line {}: {HOW}", i + 1);
    }
    assert!(committed == page, "docs/operations.md: {HOW}");
}

const HOW: &str = "not what the table says (write it anew: PLAN_BLESS=1 cargo test \
                   operations_reference)";

#[test]
fn every_operand_has_a_name_and_every_row_a_result() {
    for (op, doc) in OPS.iter().zip(docs()) {
        let is_call = doc.result.is_empty();
        assert_eq!(is_call, doc.cost.is_empty(), "{}", op.name);
        let names = doc.operands.split_whitespace().count();
        if doc.operands.starts_with('(') {
            assert_eq!((op.arity, op.order), (1, &[E(0)][..]), "{}", op.name);
        } else if !doc.operands.contains('…') {
            assert_eq!(names, op.arity as usize, "{}", op.name);
        }
        for text in [doc.operands, doc.result, doc.cost, doc.errors] {
            assert!(
                !text.contains(['|', '\n']) && !text.contains("  "),
                "{}",
                op.name
            );
        }
    }
    assert_eq!(OPS[pinned(17)].order, [F(0)]);
}
