//! The vectors of chapter 03 through the command line and the console: the seed room tests the same
//! files from inside.
//!
//! Invariants:
//! - every row of the two files runs through `plan seed check`, `plan FILE` where it is an error,
//!   and `$name` of the console.

mod support;

use num_bigint::BigUint;
use std::fs;
use std::path::Path;
use support::{End, Mode, Plan, Tally, notation, scratch_dir, vectors, wildcard};

#[test]
fn vectors_x() {
    run("03-seed.tsv", 28, Mode::Plain);
}

#[test]
fn vectors_x_stress() {
    run("03-seed.tsv", 28, Mode::Stress);
}

#[test]
fn examples_and_version_2() {
    let rows = vectors::fields("03-examples.tsv").len();
    run("03-examples.tsv", rows, Mode::Plain);
}

fn run(file: &str, count: usize, mode: Mode) {
    let dir = scratch_dir("seeds");
    fs::create_dir(dir.join("seeds")).unwrap_or_else(|e| panic!("{e}"));
    let mut tally = Tally::new(format!("vectors 03 {file}{}", mode.suffix()));
    for row in vectors::fields(file) {
        let [id, items, required, bit] = &row[..] else {
            panic!("four fields expected: {row:?}")
        };
        let name = id.replace('-', "");
        let items = &scaled(items, mode);
        fs::write(dir.join("seeds").join(&name), bytes(items)).unwrap_or_else(|e| panic!("{e}"));
        let result = match required.starts_with("E_") {
            true => check_error(&dir, &name, required, bit, mode),
            false => check_value(&dir, &name, required, mode),
        };
        tally.row(
            id,
            result.map_err(|e| format!("{items}: expected {required} {bit}; {e}")),
        );
    }
    tally.finish(count);
}

/// Refused by the checker, the runner and the console, with the same line and status.
fn check_error(dir: &Path, name: &str, error: &str, bit: &str, mode: Mode) -> Result<(), String> {
    let path = format!("seeds/{name}");
    let line = format!("plan: seed {path}: {error}: * (bit {bit})\n");
    for plan in [
        Plan::new(["seed", "check", &path]),
        Plan::new([&path]),
        Plan::console(&format!("${name} .")),
    ] {
        let got = plan.mode(mode).dir(dir).run();
        let right = got.stdout.is_empty() && wildcard::glob(&line, &got.err());
        if !right || got.end != End::Status(3) {
            return Err(got.describe());
        }
    }
    Ok(())
}

/// Accepted by the checker, and the value that was written down where there is one.
fn check_value(dir: &Path, name: &str, value: &str, mode: Mode) -> Result<(), String> {
    let path = format!("seeds/{name}");
    let got = Plan::new(["seed", "check", &path])
        .mode(mode)
        .dir(dir)
        .run();
    if got.end != End::Status(0) || !got.stderr.is_empty() {
        return Err(got.describe());
    }
    let printed = match value {
        "loads" | "graph" => None,
        value => Some(printed(value)),
    };
    let text = match printed {
        Some(_) => format!("1000000 pdepth ${name} ."),
        None => format!("${name} pop"),
    };
    let got = Plan::console(&text).mode(mode).dir(dir).run();
    let want = printed.map_or(String::new(), |text| text + "\n");
    if got.out() == want && got.stderr.is_empty() && got.end == End::Status(0) {
        Ok(())
    } else {
        Err(format!("console: expected {want:?}; {}", got.describe()))
    }
}

/// X24 has a million cells, and a collection at every one would take hours: a thousand in stress
/// mode.
fn scaled(items: &str, mode: Mode) -> String {
    match mode {
        Mode::Plain => items.to_string(),
        Mode::Stress => items.replace("*1000000", "*1000"),
    }
}

/// The text of an unevaluated value: `<n>` prints as `#n`, large numbers in hexadecimal. The files
/// write the second parameter of version 2, which is `<1>`, as the application that denotes it.
fn printed(value: &str) -> String {
    if value == "(<0> 1)" {
        return "#1".to_string();
    }
    let value = value.replace('<', "#").replace('>', "");
    let mut out = String::new();
    let mut rest = value.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[at..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |n| at + n);
        let number = notation::number(&rest[at..end]);
        out += &rest[..at];
        out += &notation::Term::Nat(number).printed();
        rest = &rest[end..];
    }
    out + rest
}

/// The bytes of a file as the vector files write it.
fn bytes(items: &str) -> Vec<u8> {
    let (mut out, mut bits) = (Vec::new(), String::new());
    for item in items.split(' ').filter(|item| *item != "-") {
        let (kind, rest) = item.split_once('=').unwrap_or_else(|| panic!("{items}"));
        let (data, times) = match rest.split_once('*') {
            Some((data, times)) => (data, times.parse().unwrap_or_else(|e| panic!("{e}"))),
            None => (rest, 1),
        };
        if kind == "bits" {
            bits += &data.repeat(times);
            continue;
        }
        flush(&mut out, &mut bits);
        let unit = match kind {
            "u64" => data.split(',').flat_map(word).collect(),
            "hex" => hex(data),
            other => panic!("{other}"),
        };
        out.extend(unit.repeat(times));
    }
    flush(&mut out, &mut bits);
    out
}

fn word(text: &str) -> [u8; 8] {
    let number: u64 = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    number.to_le_bytes()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_else(|e| panic!("{e}"));
    (0..text.len()).step_by(2).map(digits).collect()
}

/// Appends the pending bits, least significant first, padded with zeros to a byte.
fn flush(out: &mut Vec<u8>, bits: &mut String) {
    for byte in bits.as_bytes().chunks(8) {
        let value = byte
            .iter()
            .enumerate()
            .map(|(i, b)| u8::from(*b == b'1') << i)
            .sum::<u8>();
        out.push(value);
    }
    bits.clear();
}

/// The reader of these files agrees with the worked example of chapter 03, 6.1.
#[test]
fn items_become_bytes() {
    let example = bytes("u64=1,0,0,1,1 hex=02 bits=01110000");
    assert_eq!(example.len(), 42);
    assert_eq!(example[40..], [2, 0x0e]);
    assert_eq!(bytes("hex=ff*3 bits=1 bits=0*8"), [255, 255, 255, 1, 0]);
    assert_eq!(
        printed("((<0> 7) 18446744073709551617)"),
        "((#0 7) 0x10000000000000001)"
    );
    assert_eq!(BigUint::from(5u8), notation::number("5"));
}
