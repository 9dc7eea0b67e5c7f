//! Ranges and single bits against `num-bigint`.

use crate::prim::nat::harness::{
    Operand, Outcome, Rig, Row, agree, high, index, low, nat, power, put, wiped,
};
use num_bigint::BigUint;
use num_traits::{One, Zero};

fn bit(x: &BigUint, i: &BigUint) -> bool {
    index(i).is_some_and(|i| x.bit(i))
}

#[test]
fn ranges_of_bits() {
    let rows: &[Row] = &[
        (60, 3, |x| Outcome::Nat(low(&high(&x[2], &x[0]), &x[1]))),
        (61, 3, |x| Outcome::Nat(wiped(&x[2], &x[0], &x[1]))),
        (62, 4, |x| put(&x[3], &x[2], &x[0], &x[1])),
    ];
    agree(rows);
}

#[test]
fn single_bits() {
    let rows: &[Row] = &[
        (64, 2, |x| nat(u64::from(bit(&x[1], &x[0])))),
        (65, 2, |x| {
            put(&x[1], &BigUint::one(), &x[0], &BigUint::one())
        }),
        (66, 2, |x| {
            Outcome::Nat(wiped(&x[1], &x[0], &BigUint::one()))
        }),
    ];
    agree(rows);
}

#[test]
fn a_part_of_zeros_fits_at_every_offset() {
    let mut rig = Rig::new(false);
    for offset in [power(36), power(63), power(64) - 1u8, power(64), power(200)] {
        for width in [power(0), power(63), power(64), power(200)] {
            let operands = [offset.clone(), width, BigUint::zero(), power(70)].map(Operand::Nat);
            assert_eq!(rig.operation(62, &operands), Outcome::Nat(power(70)));
            assert_eq!(rig.operation(97, &operands), Outcome::Nat(power(70)));
        }
    }
}
