//! Tests of the console from inside: how it ends, and its arithmetic against `num-bigint`.
//!
//! Invariants:
//! - nothing outside the process is touched; seeds are texts of this file.

use super::*;
use crate::machine::Options;
use crate::prim::ENGINE;
use crate::seed::Code;
use num_bigint::BigUint;
use num_traits::{CheckedDiv, CheckedSub};
use proptest::prelude::*;

/// Knows one seed, `seeds/five`, whose value is 5.
fn load(machine: &mut Machine, path: &[u8]) -> Result<(), SeedError> {
    if path != b"seeds/five" {
        return Err(SeedError::new(Code::Io, "unknown", 0));
    }
    machine.push(Value::direct(5));
    Ok(())
}

fn machine() -> Box<Machine> {
    let options = Options {
        verify: true,
        stack_bytes: 1 << 20,
        heap_bytes: 1 << 28,
        ..Options::default()
    };
    Machine::new(options, &ENGINE).unwrap()
}

/// How a console with this input ends, and its output.
fn run(script: &str) -> (Ended, String) {
    let (mut machine, mut out) = (machine(), Vec::new());
    let ended = Console::new(&mut machine, &mut script.as_bytes(), &mut out, load).run();
    (ended, String::from_utf8(out).unwrap())
}

#[track_caller]
fn prints(script: &str, expected: &str) {
    assert_eq!(run(script), (Ended::Input, expected.into()), "{script}");
}

#[track_caller]
fn ends(script: &str, ended: Ended, output: &str) {
    assert_eq!(run(script), (ended, output.into()), "{script}");
}

#[test]
fn every_end_is_told_apart() {
    ends("5.", Ended::Input, "5\n");
    ends("5. +", Ended::Rejected, "5\nstack underflow");
    ends(
        "5. nope",
        Ended::Rejected,
        "5\nunknown word: nope\nbad input\n",
    );
    ends("5. !", Ended::Rejected, "5\nbad input: !\n");
    ends("5. \"ab", Ended::Unterminated(b'"'), "5\n");
    ends("5. {{}", Ended::Unterminated(b'{'), "5\n");
    ends("5. 17P 6A E", Ended::Uncaught, "5\n");
    ends("5. 1P 1 +", Ended::NotANatural("+"), "5\n");
    ends("5. 1 2A inc", Ended::NotANatural("inc"), "5\n");
    ends("5. 1 2A push", Ended::NotANatural("push"), "5\n");
    ends("5. 1 1 (1P) opload", Ended::NotANatural("opload"), "5\n");
    let missing = SeedError::new(Code::Io, "unknown", 0);
    ends(
        "$five . $x",
        Ended::Seed(b"seeds/x".to_vec(), missing),
        "5\n",
    );
    // let x = Inc x in x
    let cyclic = "((1 (0 (2P)A 2A)A 2 A) 1 \"c\" L) 0A E";
    ends(&format!("5. {cyclic}"), Ended::Loop, "5\n<<loop>>\n");
}

#[test]
fn values_stay_on_the_machine() {
    let (mut machine, mut out) = (machine(), Vec::new());
    machine.push(Value::direct(99));
    let mut input = &b"1 2 3 drop"[..];
    let mut console = Console::new(&mut machine, &mut input, &mut out, load);
    assert_eq!((console.run(), console.depth()), (Ended::Input, 2));
    assert_eq!(machine.top(0), Value::direct(2));
    assert_eq!(machine.nth(0), Value::direct(99));
    assert!(out.is_empty());
}

#[test]
fn an_uncaught_exception_is_on_top() {
    let (mut machine, mut out) = (machine(), Vec::new());
    let ended = Console::new(&mut machine, &mut &b"1 2 21P 7A E"[..], &mut out, load).run();
    assert_eq!(ended, Ended::Uncaught);
    assert_eq!(machine.top(1), Value::direct(21));
    assert_eq!(machine.top(0), Value::direct(7));
}

#[test]
fn a_done_cell_is_its_result() {
    prints("2P 3A dup E pop 1 + .", "5\n");
    prints("2P 3A dup E pop # .", "64\n");
    prints("8 9 (2P (5P pop 0)A) dup E pop pop", "");
    prints("1 2 3 (2P 0A) dup E pop push .", "2\n");
    prints("0 (0 1A)A F (2P 1A) dup E pop pdepth .", "[[..]]\n");
}

#[test]
fn a_heap_report_goes_breadth_first() {
    let heap = "0 (0 1A 0x10000000000000000 A)A (0 2A)A F gc showheap";
    let report = "kn[3]:\t0\n\t[1 0x10000000000000000]\n\t[2]\n\
                  kn[3]:\t0\n\t1\n\t0x10000000000000000\n\
                  kn[2]:\t0\n\t2\n\
                  b[2]:\t0000000000000000\n\t0000000000000001\n";
    prints(heap, report);
    prints("0 1A dup F gc showheap", "kn[2]:\t0\n\t1\n");
    prints(
        "0 (0x10000000000000000P)A F gc showheap",
        "kn[2]:\t0\n\t#0x10000000000000000\n",
    );
}

#[test]
fn the_self_tests_pass() {
    let report = self_test(|| Ok::<_, ()>(machine())).unwrap();
    assert_eq!(report.failed, None);
    assert!(report.run > 10);
}

/// A number up to 2^200, mostly short.
fn numbers() -> impl Strategy<Value = BigUint> {
    (0u32..200, any::<[u64; 4]>()).prop_map(|(bits, limbs)| {
        let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        BigUint::from_bytes_le(&bytes) >> (256 - bits)
    })
}

/// The number as the console prints it.
fn printed(n: &BigUint) -> String {
    if n.bits() < 64 {
        format!("{n}\n")
    } else {
        format!("0x{n:x}\n")
    }
}

/// What the console does to a stack of numbers; false if there are too few.
fn model(word: &str, stack: &mut Vec<BigUint>) -> bool {
    let small = |n: &BigUint| u64::try_from(n).unwrap_or(u64::MAX);
    let mask = |bits: u64| (BigUint::from(1u8) << bits) - 1u8;
    let depth = stack.len();
    let needs = match word {
        "D" | "dup" | "drop" | "#" | "inc" | "dec" => 1,
        "opload" => 3,
        _ => 2,
    };
    if depth < needs {
        return false;
    }
    let mut pop = || stack.pop().unwrap();
    let result = match word {
        "D" | "dup" => stack[depth - 1].clone(),
        "over" => stack[depth - 2].clone(),
        "drop" => return stack.pop().is_some(),
        "swap" => {
            stack.swap(depth - 1, depth - 2);
            return true;
        }
        "#" => pop() << 4,
        "inc" => pop() + 1u8,
        "dec" => pop().checked_sub(&BigUint::from(1u8)).unwrap_or_default(),
        "opload" => {
            let (offset, width, n) = (pop(), pop(), pop());
            let (offset, width) = (small(&offset).min(1000), small(&width).min(1000));
            (n >> (8 * offset)) & mask(8 * width)
        }
        _ => {
            let (b, a) = (pop(), pop());
            match word {
                "+" => a + b,
                "-" | "sub" => a.checked_sub(&b).unwrap_or_default(),
                "*" => a * b,
                "/" => a.checked_div(&b).unwrap_or_default(),
                ">" => a >> small(&b).min(10_000),
                "|" => a | b,
                "&" => a & b,
                _ => a ^ b,
            }
        }
    };
    stack.push(result);
    true
}

const WORDS: &[&str] = &[
    "D", "dup", "over", "drop", "swap", "#", "inc", "dec", "opload", "+", "-", "sub", "*", "/",
    ">", "|", "&", "^",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arithmetic_is_that_of_the_naturals(
        inputs in prop::collection::vec((numbers(), any::<bool>(), 0..WORDS.len()), 1..40)
    ) {
        let (mut script, mut stack) = (String::new(), Vec::new());
        for (n, is_word, word) in inputs {
            let word = WORDS[word];
            // Only what the model could do is put to the console.
            if is_word && model(word, &mut stack) {
                script += word;
            } else if n.bits() % 2 == 0 {
                script += &n.to_string();
                stack.push(n);
            } else {
                script += &format!("0x{n:X}");
                stack.push(n);
            }
            script += " ";
        }
        let expected: String = stack.iter().map(printed).collect();
        prop_assert_eq!(run(&format!("{script}?")), (Ended::Input, expected), "{}", script);
    }
}
