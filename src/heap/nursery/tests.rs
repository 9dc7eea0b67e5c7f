//! The moving heap by itself: what collections keep, move, shorten and free, and what the verifier
//! finds.

use super::*;
use crate::heap::code;
use crate::value::{LAW_WORDS, TAG_LAW, TAG_NAT, TAG_PIN, TAG_THUNK, ThunkKind};
use std::sync::Mutex;

/// Held by tests that take hundreds of megabytes, so that they run one after the other.
static LARGE: Mutex<()> = Mutex::new(());

struct Heap {
    nursery: Nursery,
    stack: Vec<Value>,
}

impl Heap {
    fn new(budget: u64) -> Heap {
        let settings = Settings {
            floor: 5,
            budget,
            stress: false,
            verify: true,
        };
        Heap {
            nursery: Nursery::new(settings).expect("memory"),
            stack: Vec::new(),
        }
    }

    fn collect(&mut self, need: usize) -> Result<(), Exhausted> {
        let roots = Roots {
            stack: &mut self.stack,
            registers: &mut [],
        };
        self.nursery.collect(need, roots)
    }

    fn reserve(&mut self, words: usize) -> Result<(), Exhausted> {
        if self.nursery.has(words) {
            Ok(())
        } else {
            self.collect(words)
        }
    }

    fn check(&self) -> Result<(), Problem> {
        self.nursery.check(&self.stack)
    }

    /// The closure of the topmost `args` roots with head 0, in their place.
    fn row(&mut self, args: usize) -> Result<(), Exhausted> {
        self.reserve(args + 2)?;
        let row = self.nursery.bump_closure(Value::ZERO, args);
        let first = self.stack.len() - args;
        for (i, v) in self.stack.drain(first..).enumerate() {
            row.set_field(1 + i, v);
        }
        self.stack.push(row);
        Ok(())
    }

    fn nat(&mut self, limbs: &[u64]) {
        self.reserve(limbs.len() + 1).expect("memory");
        let payload = self.nursery.bump_object(Kind::Nat, limbs.len());
        let nat = Value::reference(TAG_NAT, payload);
        limbs
            .iter()
            .enumerate()
            .for_each(|(i, l)| nat.set_raw(i, *l));
        nat.set_header(Header::nat(crate::nat::bit_len(limbs)));
        self.stack.push(nat);
    }

    /// A thunk of this kind with the topmost `words` roots behind it, in their place.
    fn thunk(&mut self, kind: u64, words: usize) {
        self.reserve(words + 2).expect("memory");
        let payload = self.nursery.bump_object(Kind::Thunk, words + 1);
        let thunk = Value::reference(TAG_THUNK, payload);
        thunk.set_raw(0, kind);
        let first = self.stack.len() - words;
        for (i, v) in self.stack.drain(first..).enumerate() {
            thunk.set_field(1 + i, v);
        }
        self.stack.push(thunk);
    }

    fn law(&mut self) -> Value {
        self.reserve(LAW_WORDS + 1).expect("memory");
        let payload = self.nursery.bump_object(Kind::Law, LAW_WORDS);
        let law = Value::reference(TAG_LAW, payload);
        for i in 0..LAW_WORDS {
            law.set_raw(i, 1);
        }
        law.set_raw(3, 0);
        self.stack.push(law);
        law
    }

    fn top(&self) -> Value {
        *self.stack.last().expect("a root")
    }
}

const PLENTY: u64 = 8 << 30;

/// `0[nat 7]` and an application thunk; the verifier has nothing to say.
fn sound() -> Heap {
    let mut heap = Heap::new(PLENTY);
    heap.nat(&[1, 2]);
    heap.stack.push(Value::direct(7));
    heap.row(2).expect("memory");
    heap.stack.push(Value::direct(5));
    heap.stack.push(heap.stack[0]);
    heap.thunk(ThunkKind::APP, 2);
    assert_eq!(heap.check(), Ok(()));
    heap
}

#[test]
fn the_verifier_finds_every_planted_defect() {
    type Plant = fn(&mut Heap);
    let defects: &[(&str, &str, Plant)] = &[
        ("unknown kind", "bad header", |h| {
            h.stack[0].set_header(Header::from_bits(h.stack[0].header().bits() | 0xF0));
        }),
        ("forwarded", "bad header", |h| {
            h.stack[0].set_header(Header::from_bits(1 << 63));
        }),
        ("pin in the moving heap", "bad header", |h| {
            h.stack[0].set_header(h.stack[0].header().with_kind(Kind::Pin));
        }),
        ("too long", "behind the heap top", |h| {
            h.top().set_header(Header::new(Kind::Thunk, 50));
        }),
        ("tag of another kind", "names an object with header", |h| {
            h.stack[0] = Value::reference(TAG_LAW, h.stack[0].address());
        }),
        ("size in the tag", "names an object with header", |h| {
            h.stack[0] = Value::reference(closure_tag(Value::ZERO, 3), h.stack[0].address());
        }),
        ("head in the tag", "names an object with header", |h| {
            h.stack[0].set_field(0, Value::ONE);
        }),
        ("pin tag", "names an object with header", |h| {
            h.stack[0] = Value::reference(TAG_PIN, h.stack[0].address());
        }),
        ("inside an object", "does not name an object", |h| {
            h.stack[0] = Value::reference(h.stack[0].tag(), h.stack[0].address().wrapping_add(1));
        }),
        ("field inside an object", "does not name an object", |h| {
            let nat = h.stack[0].arg(0);
            let inside = Value::reference(TAG_NAT, nat.address().wrapping_add(1));
            h.stack[0].set_field(1, inside);
        }),
        ("thunk elsewhere", "lies outside the heap", |h| {
            static ELSEWHERE: [u64; 3] = [Header::new(Kind::Thunk, 2).bits(), 1, 0];
            h.stack.push(Value::reference(TAG_THUNK, &ELSEWHERE[1]));
        }),
        ("normal form", "holds the thunk", |h| {
            let (row, thunk) = (h.stack[0], h.top());
            row.set_header(row.header().with_kind(Kind::ClosureNf));
            row.set_field(2, thunk);
        }),
        ("zero limb", "names an object with header", |h| {
            h.stack[0].arg(0).set_raw(1, 0);
        }),
        ("bit length", "names an object with header", |h| {
            h.stack[0].arg(0).set_header(Header::nat(100));
        }),
    ];
    for (name, problem, plant) in defects {
        let mut heap = sound();
        plant(&mut heap);
        let found = heap.check().expect_err(name);
        assert!(found.contains(problem), "{name}: {found}");
    }
}

#[test]
fn chains_of_finished_thunks_do_not_survive() {
    let mut heap = Heap::new(PLENTY);
    heap.nat(&[1, 2]);
    for _ in 0..100 {
        heap.thunk(ThunkKind::DONE, 1);
    }
    heap.stack.push(heap.top());
    heap.row(1).expect("memory");
    heap.collect(0).expect("memory");
    assert_eq!(heap.check(), Ok(()));
    let nat = heap.stack[0];
    assert!(nat.is_heap_nat() && nat.raw(1) == 2);
    assert_eq!(heap.top().arg(0), nat, "as an argument too");
    assert_eq!(heap.nursery.used(), 3 + 3);
}

#[test]
fn a_thunk_under_evaluation_loses_its_operands() {
    let mut heap = Heap::new(PLENTY);
    heap.nat(&[7; 500]);
    heap.stack.push(Value::ONE);
    heap.thunk(ThunkKind::APP | ThunkKind::HOLE, 2);
    let hole = heap.top();
    heap.stack.push(hole);
    heap.collect(0).expect("memory");
    assert_eq!(heap.check(), Ok(()));
    let hole = heap.top();
    assert_eq!(heap.stack[0], hole, "one cell");
    assert_eq!(hole.thunk_kind(), ThunkKind::LOST);
    assert_eq!(hole.header(), Header::new(Kind::Thunk, 2));
    assert_eq!(heap.nursery.used(), 3);
}

#[test]
fn a_list_of_ten_million_cells_survives_collections() {
    let _one = LARGE.lock();
    const CELLS: u64 = 10_000_000;
    let mut heap = Heap::new(PLENTY);
    heap.stack.push(Value::ZERO);
    for i in 0..CELLS {
        let rest = heap.stack[0];
        heap.stack[0] = Value::direct(i);
        heap.stack.push(rest);
        heap.row(2).expect("memory");
    }
    heap.collect(0).expect("memory");
    assert_eq!(heap.nursery.used() as u64, 4 * CELLS);
    let mut cell = heap.top();
    for i in (0..CELLS).rev() {
        assert_eq!(cell.arg(0), Value::direct(i));
        cell = cell.arg(1);
    }
    assert_eq!(cell, Value::ZERO);
}

/// A natural of more than 2^32 bits, and of more words than the largest rank of the specification.
#[test]
fn the_heap_holds_a_natural_beyond_the_table_of_sizes() {
    let _one = LARGE.lock();
    let words = ranks::size(ranks::TABLE_RANKS - 1) as usize + 1;
    let mut heap = Heap::new(PLENTY);
    heap.reserve(words + 1).expect("memory");
    assert!(heap.nursery.rank >= ranks::TABLE_RANKS);
    let payload = heap.nursery.bump_object(Kind::Nat, words);
    let nat = Value::reference(TAG_NAT, payload);
    nat.set_raw(0, 11);
    nat.set_raw(words / 2, 12);
    nat.set_raw(words - 1, 13);
    let bits = 64 * (words as u64 - 1) + 4;
    assert!(bits > 1 << 32);
    nat.set_header(Header::nat(bits));
    heap.stack.push(nat);
    heap.collect(0).expect("memory");
    assert_eq!(heap.check(), Ok(()));
    assert_ne!(heap.top(), nat, "it has moved");
    let nat = heap.top();
    let limbs = [0, words / 2, words - 1].map(|i| nat.raw(i));
    assert_eq!((nat.bit_len(), limbs), (bits, [11, 12, 13]));
}

#[test]
fn an_exhausted_heap_stays_usable() {
    let mut heap = Heap::new(1 << 20);
    for _ in 0..3 {
        heap.stack.push(Value::ZERO);
        let mut cells = 0;
        loop {
            heap.stack.push(Value::direct(cells));
            if heap.row(2).is_err() {
                break;
            }
            cells += 1;
        }
        assert!(4 * 8 * cells * 3 > 1 << 20, "{cells} cells fit");
        assert_eq!(heap.check(), Ok(()));
        heap.stack.pop();
        let mut cell = heap.top();
        for i in (0..cells).rev() {
            assert_eq!(cell.arg(1), Value::direct(i));
            cell = cell.arg(0);
        }
        assert_eq!(heap.reserve(1 << 40), Err(Exhausted));
        heap.stack.clear();
        heap.collect(0).expect("memory");
        assert_eq!(heap.nursery.used(), 0);
    }
}

/// A request that cannot be met must not leave a heap in which smaller ones fail.
#[test]
fn requests_beyond_the_budget_leave_room_for_others() {
    let mut heap = Heap::new(16 << 20);
    heap.stack.push(Value::ZERO);
    heap.row(1).expect("memory");
    for _ in 0..20 {
        assert_eq!(heap.reserve(2_000_000), Err(Exhausted));
        assert_eq!(heap.reserve(4), Ok(()));
        assert_eq!(heap.reserve(200_000), Ok(()));
        assert_eq!(heap.check(), Ok(()));
    }
}

#[test]
fn code_lives_as_long_as_its_law_and_its_constants_move() {
    let mut heap = Heap::new(PLENTY);
    heap.stack.push(Value::direct(3));
    heap.row(1).expect("memory");
    let constant = heap.top();
    let law = heap.law();
    let entry = code::allocate(&[constant, Value::ONE], &[0]).expect("memory");
    law.publish_code_word(entry.word()).expect("no code yet");
    heap.nursery.adopt_code(entry);
    heap.stack.remove(0);
    for _ in 0..3 {
        heap.collect(0).expect("memory");
        assert_eq!(heap.check(), Ok(()));
        assert_eq!(heap.nursery.compiled, [entry]);
        assert_eq!(heap.top().code_word(), entry.word());
        // SAFETY: the code is alive and has two constants.
        let moved = unsafe { *entry.constants().0 };
        assert_ne!(moved, constant);
        assert!(heap.nursery.contains(moved.address() as u64));
        assert_eq!((moved.row_len(), moved.arg(0)), (1, Value::direct(3)));
        assert_eq!(heap.nursery.used(), LAW_WORDS + 1 + 3);
        heap.nat(&[5, 5]);
        heap.stack.pop();
    }
    heap.stack.clear();
    heap.collect(0).expect("memory");
    assert!(heap.nursery.compiled.is_empty());
    assert_eq!(heap.nursery.used(), 0);
}
