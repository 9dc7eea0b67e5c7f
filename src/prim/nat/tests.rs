//! Arithmetic against `num-bigint`, and the cases that have rules of their own.

use super::harness::{
    Operand, Outcome, Rig, Row, agree, agree_on, fault, high, index, low, nat, power, shifted,
};
use num_bigint::BigUint;
use num_traits::{One, Zero};

fn some(n: BigUint) -> Outcome {
    Outcome::Nat(n)
}

fn bit(b: bool) -> Outcome {
    nat(u64::from(b))
}

fn quotient(x: &[BigUint]) -> BigUint {
    if x[1].is_zero() {
        BigUint::zero()
    } else {
        &x[0] / &x[1]
    }
}

fn rest(x: &[BigUint]) -> BigUint {
    if x[1].is_zero() {
        x[0].clone()
    } else {
        &x[0] % &x[1]
    }
}

fn raised(x: &[BigUint]) -> Outcome {
    if x[1].is_zero() {
        return nat(1);
    }
    if x[0] <= BigUint::one() {
        return some(x[0].clone());
    }
    match index(&x[1]) {
        Some(exponent) => some(x[0].pow(exponent as u32)),
        None => fault("limit", 0),
    }
}

#[test]
fn sums_and_differences() {
    let rows: &[Row] = &[
        (2, 1, |x| some(&x[0] + 1u8)),
        (28, 1, |x| some(x[0].clone())),
        (29, 1, |x| {
            some(if x[0].is_zero() {
                BigUint::zero()
            } else {
                &x[0] - 1u8
            })
        }),
        (35, 2, |x| some(&x[0] + &x[1])),
        (36, 2, |x| {
            some(if x[0] < x[1] {
                BigUint::zero()
            } else {
                &x[0] - &x[1]
            })
        }),
    ];
    agree(rows);
}

#[test]
fn products_and_quotients() {
    let rows: &[Row] = &[
        (37, 2, |x| some(&x[0] * &x[1])),
        (47, 2, |x| some(quotient(x))),
        (48, 2, |x| some(rest(x))),
        (49, 2, |x| {
            Outcome::Row(BigUint::zero(), vec![quotient(x), rest(x)])
        }),
    ];
    agree(rows);
}

#[test]
fn comparisons() {
    let rows: &[Row] = &[
        (40, 2, |x| bit(x[0] == x[1])),
        (41, 2, |x| bit(x[0] != x[1])),
        (42, 2, |x| bit(x[0] <= x[1])),
        (43, 2, |x| bit(x[0] >= x[1])),
        (44, 2, |x| bit(x[0] < x[1])),
        (45, 2, |x| bit(x[0] > x[1])),
        (46, 2, |x| nat((x[0].cmp(&x[1]) as i64 + 1) as u64)),
    ];
    agree(rows);
}

#[test]
fn shifts_and_truncations() {
    let rows: &[Row] = &[
        (39, 1, |x| shifted(&BigUint::one(), &x[0])),
        (50, 2, |x| shifted(&x[0], &x[1])),
        (51, 2, |x| some(high(&x[0], &x[1]))),
        (52, 2, |x| some(low(&x[1], &x[0]))),
        (53, 1, |x| some(&x[0] % power(1))),
        (54, 1, |x| some(&x[0] % power(8))),
        (55, 1, |x| some(&x[0] % power(16))),
        (56, 1, |x| some(&x[0] % power(32))),
        (57, 1, |x| some(&x[0] % power(64))),
        (58, 1, |x| some(&x[0] % power(128))),
        (59, 1, |x| some(&x[0] % power(256))),
        (63, 1, |x| nat(x[0].bits())),
        (94, 1, |x| nat(x[0].bits().div_ceil(8))),
    ];
    agree(rows);
}

#[test]
fn powers() {
    // Powers that can be made, but take the model long, get a smaller exponent.
    agree_on(&[(38, 2, raised)], |mut operands| {
        let exponent = operands[1].number();
        if index(&exponent).is_some() {
            operands[1] = Operand::Nat(exponent % 40u8);
        }
        operands
    });
}

#[test]
fn equal_operands_in_other_words_are_equal() {
    let mut rig = Rig::new(false);
    for n in [BigUint::zero(), 5u8.into(), power(63), power(200) + 7u8] {
        let forms = [Operand::Nat(n.clone()), Operand::Buffer(n.clone(), 30)];
        for x in &forms {
            for y in &forms {
                let pair = [x.clone(), y.clone()];
                assert_eq!(rig.operation(40, &pair), nat(1), "{pair:?}");
                assert_eq!(rig.operation(46, &pair), nat(1), "{pair:?}");
                assert_eq!(rig.operation(36, &pair), nat(0), "{pair:?}");
            }
        }
    }
}

#[test]
fn only_the_natural_zero_is_false() {
    let mut rig = Rig::new(false);
    let zero = BigUint::zero();
    for (operand, truth) in [
        (Operand::Nat(zero.clone()), 0),
        (Operand::Buffer(zero, 9), 0),
        (Operand::Nat(power(64)), 1),
        (Operand::Buffer(power(9), 0), 1),
        (Operand::Pin, 1),
    ] {
        assert_eq!(
            rig.operation(17, core::slice::from_ref(&operand)),
            nat(truth),
            "{operand:?}"
        );
        assert_eq!(
            rig.operation(18, core::slice::from_ref(&operand)),
            nat(1 - truth),
            "{operand:?}"
        );
    }
}

#[test]
fn results_do_not_follow_a_buffer_that_changes() {
    let mut rig = Rig::new(false);
    let buffer = Operand::Buffer(power(100) + 3u8, 0);
    let zero = Operand::Nat(BigUint::zero());
    // a mod 0, x >> 0, x mod 2^w for a large w.
    for (number, operands) in [
        (48, [buffer.clone(), zero.clone()]),
        (51, [buffer.clone(), zero.clone()]),
        (52, [Operand::Nat(power(99)), buffer.clone()]),
        (66, [zero.clone(), Operand::Buffer(power(100), 0)]),
    ] {
        rig.operation(number, &operands);
        assert!(!rig.m.top(0).is_buffer(), "operation {number}");
    }
}

#[test]
fn a_result_above_the_size_limit_is_refused_before_memory_is_taken() {
    let mut rig = Rig::new(false);
    let before = rig.m.allocated_since_collection();
    for (number, x, y) in [
        (50, BigUint::one(), power(36)),
        (50, power(40), power(36) - 40u8),
        (38, BigUint::from(2u8), power(36)),
        (38, BigUint::from(3u8), power(36)),
        (38, BigUint::from(2u8), power(64)),
        (65, power(36), BigUint::one()),
    ] {
        let operands = [Operand::Nat(x), Operand::Nat(y)];
        assert_eq!(
            rig.operation(number, &operands),
            fault("limit", 0),
            "operation {number}"
        );
    }
    assert_eq!(
        rig.operation(39, &[Operand::Nat(power(36))]),
        fault("limit", 0)
    );
    assert!(rig.m.allocated_since_collection() - before < 1000);
}
