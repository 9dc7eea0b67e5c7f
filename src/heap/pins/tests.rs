//! Pins by themselves: the words they consist of, what is copied and what is not, and that what was
//! pinned is as before.

use super::*;
use crate::heap::nursery::Settings;
use crate::value::{TAG_BUFFER, TAG_LAW, TAG_MEGAPIN, closure_tag};
use alloc::vec;

const NEVER: CallInfo = CallInfo {
    code: 3,
    arity: MAX_DIRECT,
};

struct Rig {
    nursery: Nursery,
    arena: Arena,
}

impl Rig {
    fn new() -> Rig {
        let settings = Settings {
            floor: 40,
            budget: 8 << 30,
            stress: false,
            verify: true,
        };
        Rig {
            nursery: Nursery::new(settings).expect("memory"),
            arena: Arena::with_log2(30).expect("memory"),
        }
    }

    fn row(&mut self, head: Value, args: &[Value]) -> Value {
        let row = self.nursery.bump_closure(head, args.len());
        row.set_header(row.header().with_kind(Kind::ClosureNf));
        args.iter()
            .enumerate()
            .for_each(|(i, v)| row.set_field(1 + i, *v));
        row
    }

    fn nat(&mut self, limbs: &[u64]) -> Value {
        let payload = self.nursery.bump_object(Kind::Nat, limbs.len());
        let nat = Value::reference(TAG_NAT, payload);
        limbs
            .iter()
            .enumerate()
            .for_each(|(i, l)| nat.set_raw(i, *l));
        nat.set_header(Header::nat(crate::nat::bit_len(limbs)));
        nat
    }

    fn pin(&mut self, item: Value) -> Value {
        let pin = build_pin(&mut self.arena, &self.nursery, item, NEVER).expect("memory");
        self.nursery.check(&[item, pin]).expect("sound heap");
        self.arena.verify().expect("sound arena");
        pin
    }
}

fn n(n: u64) -> Value {
    Value::direct(n)
}

fn words(pin: Value) -> Vec<u64> {
    (0..pin.header().words()).map(|i| pin.raw(i)).collect()
}

/// A reference to the object whose header is word `i` of a pin.
fn inside(pin: Value, tag: u64, i: usize) -> u64 {
    Value::reference(tag, pin.address().wrapping_add(i + 1)).bits()
}

#[test]
fn a_pin_of_a_direct_natural_has_six_words() {
    let mut rig = Rig::new();
    let pin = rig.pin(n(5));
    assert_eq!(pin.tag(), TAG_PIN);
    assert_eq!(pin.header(), Header::new(Kind::Pin, 6));
    assert_eq!(words(pin), [5, 0, 0, 3, MAX_DIRECT, 0]);
}

/// The example of chapter 01 §2.7: `<7[<5> 0x112233445566778899 6]>`.
#[test]
fn the_words_of_a_pin_are_those_of_the_specification() {
    let mut rig = Rig::new();
    let five = rig.pin(n(5));
    let big = rig.nat(&[0x2233_4455_6677_8899, 0x11]);
    let item = rig.row(n(7), &[five, big, n(6)]);
    let info = CallInfo {
        code: 1,
        arity: MAX_DIRECT - 3,
    };
    let pin = build_pin(&mut rig.arena, &rig.nursery, item, info).expect("memory");
    assert_eq!(pin.header().bits(), 0x3C001);
    let expected = vec![
        inside(pin, 0xD073, 7),
        0,
        1,
        1,
        MAX_DIRECT - 3,
        0,
        five.bits(),
        0x10003,
        7,
        five.bits(),
        inside(pin, TAG_NAT, 12),
        6,
        0x4500,
        0x2233_4455_6677_8899,
        0x11,
    ];
    assert_eq!(words(pin), expected);
}

/// The example of chapter 01 §2.8: `<<7[<5>]>>`.
#[test]
fn the_words_of_a_megapin_are_those_of_the_specification() {
    let mut rig = Rig::new();
    let five = rig.pin(n(5));
    let row = rig.row(n(7), &[five]);
    let pin = rig.pin(row);
    let mega = build_megapin(&mut rig.arena, pin, NEVER).expect("memory");
    assert_eq!(mega.tag(), TAG_MEGAPIN);
    assert_eq!(mega.header().bits(), 0x2C006);
    let expected = [
        pin.bits(),
        0,
        2,
        3,
        MAX_DIRECT,
        0,
        pin.bits(),
        five.bits(),
        10,
        6,
        0,
    ];
    assert_eq!(words(mega), expected);
    let outer = build_megapin(&mut rig.arena, mega, NEVER).expect("memory");
    let expected = [mega.bits(), 0, 0, 3, MAX_DIRECT, 0, 1, mega.bits(), 11];
    assert_eq!(words(outer), expected, "the lists end at megapins");
}

#[test]
fn what_is_shared_is_copied_once_and_pins_are_listed_once() {
    let mut rig = Rig::new();
    let pins: Vec<Value> = (0..20).map(|i| rig.pin(n(i))).collect();
    let shared = rig.nat(&[1, 2, 3]);
    let mut item = rig.row(n(0), &[shared, shared]);
    for _ in 0..3 {
        for pin in &pins {
            item = rig.row(n(0), &[item, *pin, shared]);
        }
    }
    let pin = rig.pin(item);
    assert_eq!(pin.raw(2), 20);
    assert_eq!(pin.header().words(), 6 + 20 + 60 * 5 + 4 + 4);
    let mut row = pin.item();
    let copy = row.arg(2);
    assert!(rig.arena.contains(copy.address() as u64));
    for i in (0..60).rev() {
        assert_eq!((row.arg(1), row.arg(2)), (pins[i % 20], copy));
        row = row.arg(0);
    }
    assert_eq!((row.arg(0), row.arg(1)), (copy, copy));
    assert_eq!((copy.raw(0), copy.raw(1), copy.raw(2)), (1, 2, 3));
}

#[test]
fn objects_of_other_pins_are_copied_once_each() {
    let mut rig = Rig::new();
    let inner = rig.row(n(1), &[n(2), n(3)]);
    let outer = rig.row(n(0), &[inner, n(4)]);
    let other = rig.pin(outer);
    let foreign = other.item().arg(0);
    let item = rig.row(n(0), &[foreign, foreign]);
    let pin = rig.pin(item);
    assert_eq!(pin.raw(2), 0, "no reference to the other pin");
    assert_eq!(pin.header().words(), 6 + 4 + 4);
    let copy = pin.item().arg(0);
    assert_eq!(pin.item().arg(1), copy);
    assert_ne!(copy, foreign);
    assert_eq!(copy.bits(), inside(pin, 0xD012, 10));
    assert_eq!((copy.arg(0), copy.arg(1)), (n(2), n(3)));
}

#[test]
fn buffers_become_canonical_naturals() {
    let mut rig = Rig::new();
    let buffers = [[7, 0, 0], [0, 0, 0], [7, 9, 0], [u64::MAX, 0, 0]].map(|limbs| {
        let header = Header::nat(64 * 3);
        let payload = rig
            .arena
            .allocate(header, Owner::Collected)
            .expect("memory");
        let buffer = Value::reference(TAG_BUFFER, payload.as_ptr());
        (0..3).for_each(|i| buffer.set_raw(i, limbs[i]));
        buffer
    });
    let item = rig.row(n(0), &buffers);
    let pin = build_pin(&mut rig.arena, &rig.nursery, item, NEVER).expect("memory");
    let row = pin.item();
    assert_eq!((row.arg(0), row.arg(1)), (n(7), n(0)));
    let [two, one] = [2, 3].map(|i| row.arg(i));
    assert_eq!((two.tag(), two.header()), (TAG_NAT, Header::nat(68)));
    assert_eq!((two.raw(0), two.raw(1)), (7, 9));
    assert_eq!((one.tag(), one.header()), (TAG_NAT, Header::nat(64)));
    assert_eq!(one.raw(0), u64::MAX);
    let alone = build_pin(&mut rig.arena, &rig.nursery, buffers[0], NEVER).expect("memory");
    assert_eq!((alone.item(), alone.header().words()), (n(7), 6));
}

#[test]
fn the_code_of_a_law_stays_with_it() {
    let mut rig = Rig::new();
    let payload = rig.nursery.bump_object(Kind::Law, 6);
    let law = Value::reference(TAG_LAW, payload);
    [7, 2, 1, 0x1000, 2, 0]
        .iter()
        .enumerate()
        .for_each(|(i, w)| law.set_raw(i, *w));
    let pin = rig.pin(law);
    let copy = pin.item();
    assert_eq!((copy.tag(), copy.header()), (TAG_LAW, law.header()));
    let fields: Vec<u64> = (0..6).map(|i| copy.raw(i)).collect();
    assert_eq!(fields, [7, 2, 1, 0, 2, 0]);
    assert_eq!(law.code_word(), 0x1000);
}

#[test]
fn a_list_of_a_million_cells_is_pinned_without_recursion() {
    const CELLS: u64 = 1_000_000;
    let mut rig = Rig::new();
    let mut list = n(0);
    for i in 0..CELLS {
        list = rig.row(n(0), &[n(i), list]);
    }
    let pin = rig.pin(list);
    assert_eq!(pin.header().words() as u64, 6 + 4 * CELLS);
    let mut cell = pin.item();
    for i in (0..CELLS).rev() {
        assert_eq!(cell.arg(0), n(i));
        cell = cell.arg(1);
    }
    assert_eq!(cell, n(0));
}

#[test]
fn what_is_pinned_is_as_before_also_without_memory_for_the_pin() {
    let mut rig = Rig::new();
    let five = rig.pin(n(5));
    let nat = rig.nat(&[1, 2]);
    let inner = rig.row(n(3), &[nat, five]);
    let item = rig.row(n(0), &[inner, inner, nat]);
    for budget in [0, 1 << 30] {
        rig.arena.set_budget(budget);
        let made = build_pin(&mut rig.arena, &rig.nursery, item, NEVER);
        assert_eq!(made.is_ok(), budget > 0);
        assert_eq!(nat.header(), Header::nat(66));
        assert_eq!(inner.header(), Header::new(Kind::ClosureNf, 3));
        assert_eq!(item.header(), Header::new(Kind::ClosureNf, 4));
        assert_eq!((inner.arg(0), inner.arg(1)), (nat, five));
        assert_eq!(item.tag(), closure_tag(n(0), 3));
        assert_eq!(rig.nursery.check(&[item]), Ok(()));
    }
}
