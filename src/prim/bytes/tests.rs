//! Loads and stores against `num-bigint`; Snore against its definition, in place and by copy.

use crate::prim::nat::harness::{
    Operand, Outcome, Rig, Row, agree, high, low, number, power, put, wiped,
};
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};

fn eight(x: &BigUint) -> BigUint {
    x * 8u8
}

fn loaded(o: &BigUint, w: &BigUint, x: &BigUint) -> BigUint {
    low(&high(x, &eight(o)), &eight(w))
}

fn stored(o: &BigUint, w: &BigUint, v: &BigUint, x: &BigUint) -> Outcome {
    put(x, v, &eight(o), &eight(w))
}

/// Chapter 02 §4.5.
fn snored(x: &[BigUint]) -> Outcome {
    let [i, o, w, s, b] = x else {
        panic!("five operands")
    };
    let bytes = |n: &BigUint| BigUint::from(n.bits().div_ceil(8));
    let less = |n: BigUint, m: &BigUint| if n < *m { BigUint::zero() } else { n - m };
    let k = w
        .clone()
        .min(less(bytes(b), &(o + 1u8)))
        .min(less(bytes(s), i));
    if k.is_zero() {
        return Outcome::Nat(b.clone());
    }
    stored(o, &k, &loaded(i, &k, s), b)
}

#[test]
fn loads() {
    let rows: &[Row] = &[
        (95, 3, |x| Outcome::Nat(loaded(&x[0], &x[1], &x[2]))),
        (99, 2, |x| Outcome::Nat(loaded(&x[0], &1u8.into(), &x[1]))),
        (100, 2, |x| Outcome::Nat(loaded(&x[0], &2u8.into(), &x[1]))),
        (101, 2, |x| Outcome::Nat(loaded(&x[0], &4u8.into(), &x[1]))),
        (102, 2, |x| Outcome::Nat(loaded(&x[0], &8u8.into(), &x[1]))),
    ];
    agree(rows);
}

#[test]
fn stores() {
    let rows: &[Row] = &[
        (96, 3, |x| {
            Outcome::Nat(wiped(&x[2], &eight(&x[0]), &eight(&x[1])))
        }),
        (97, 4, |x| stored(&x[0], &x[1], &x[2], &x[3])),
        (98, 5, |x| {
            stored(&x[1], &x[2], &loaded(&x[0], &x[2], &x[3]), &x[4])
        }),
        (103, 3, |x| stored(&x[0], &1u8.into(), &x[1], &x[2])),
        (104, 3, |x| stored(&x[0], &2u8.into(), &x[1], &x[2])),
        (105, 3, |x| stored(&x[0], &4u8.into(), &x[1], &x[2])),
        (106, 3, |x| stored(&x[0], &8u8.into(), &x[1], &x[2])),
    ];
    agree(rows);
}

#[test]
fn snores() {
    agree(&[(109, 5, snored)]);
}

#[test]
fn snore_changes_a_buffer_and_nothing_else() {
    for stress in [false, true] {
        let mut rig = Rig::new(stress);
        for target in [
            Operand::Buffer(power(300), 0),
            Operand::Buffer(power(300), 9),
            Operand::Nat(power(300)),
        ] {
            rig.push(&target);
            let place = rig.m.depth() - 1;
            for n in [3u64, 5, 8] {
                rig.m.push_nat(&[n]).unwrap();
            }
            rig.push(&Operand::Nat(power(200) - 1u8));
            rig.m.push(rig.m.nth(place));
            let found = rig.pinned_pushed(15, 109, 5);
            let expected: BigUint = power(300) + ((power(64) - 1u8) << 40u8);
            assert_eq!(found, Outcome::Nat(expected.clone()));
            let in_place = matches!(target, Operand::Buffer(..));
            let now = if in_place { expected } else { power(300) };
            assert_eq!(number(rig.m.nth(place)), now, "{target:?}");
            assert_eq!(rig.m.top(0) == rig.m.nth(place), in_place, "{target:?}");
        }
    }
}

#[test]
fn snore_within_one_buffer_reads_before_it_writes() {
    let text: Vec<u8> = (1..=100).collect();
    for (i, o, w) in [(0, 7, 60), (7, 0, 60), (0, 1, 98), (5, 5, 90), (3, 40, 500)] {
        let mut rig = Rig::new(false);
        rig.push(&Operand::Buffer(BigUint::from_bytes_le(&text), 0));
        let place = rig.m.depth() - 1;
        for n in [i, o, w] {
            rig.m.push_nat(&[n as u64]).unwrap();
        }
        rig.m.push(rig.m.nth(place));
        rig.m.push(rig.m.nth(place));
        let mut expected = text.clone();
        let k = w.min(99 - o).min(100 - i);
        expected[o..o + k].copy_from_slice(&text[i..i + k]);
        let found = rig.pinned_pushed(15, 109, 5);
        assert_eq!(
            found,
            Outcome::Nat(BigUint::from_bytes_le(&expected)),
            "{i} {o} {w}"
        );
    }
}

#[test]
fn loads_see_what_a_buffer_holds_now() {
    let mut rig = Rig::new(false);
    rig.push(&Operand::Buffer(power(128), 0));
    let buffer = rig.m.top(0);
    for word in [7, u64::MAX, 1 << 63] {
        buffer.set_raw(0, word);
        rig.m.push_nat(&[0]).unwrap();
        rig.m.push(buffer);
        let Outcome::Nat(found) = rig.pinned_pushed(15, 102, 2) else {
            panic!("no natural")
        };
        assert_eq!(found.to_u64(), Some(word));
    }
}
