//! The arena with its collector, against a model of the graph of pins.
//!
//! Safety: pins written here are whole before they are roots; tests read pins that the model says
//! are alive.

use super::*;
use crate::value::{Kind, PIN_FIXED_WORDS, TAG_MEGAPIN, TAG_PIN};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

mod threads;

/// A pin as the model knows it.
#[derive(Clone)]
struct Known {
    pin: Value,
    children: Vec<u64>,
    words: usize,
}

/// A mutator: its roots, and what it has ever made, by stamp.
struct Mutator {
    arena: Arena,
    known: HashMap<u64, Known>,
    roots: Vec<u64>,
    /// A root that steps leave alone.
    keep: Option<u64>,
    next: u64,
}

impl Mutator {
    fn new(arena: Arena, first: u64) -> Mutator {
        Mutator {
            arena,
            known: HashMap::new(),
            roots: Vec::new(),
            keep: None,
            next: first,
        }
    }

    /// A pin of that many words of data and of these children.
    fn pin(&mut self, children: &[u64], data: usize) -> u64 {
        let words = PIN_FIXED_WORDS + children.len() + data;
        let header = Header::new(Kind::Pin, words);
        let payload = self
            .arena
            .allocate(header, Owner::Collected)
            .expect("memory");
        let stamp = self.next;
        self.next += 1;
        let pin = Value::reference(TAG_PIN, payload.as_ptr());
        for i in [0, 1, 3, 4, 5] {
            pin.set_raw(i, stamp);
        }
        pin.set_raw(2, children.len() as u64);
        for (i, child) in children.iter().enumerate() {
            pin.set_field(PIN_FIXED_WORDS + i, self.known[child].pin);
        }
        (PIN_FIXED_WORDS + children.len()..words).for_each(|i| pin.set_raw(i, stamp));
        let children = children.to_vec();
        self.known.insert(
            stamp,
            Known {
                pin,
                children,
                words,
            },
        );
        stamp
    }

    /// A megapin of the pins and megapins.
    fn megapin(&mut self, pins: &[u64], megapins: &[u64]) -> u64 {
        let words = PIN_FIXED_WORDS + 2 * (pins.len() + megapins.len()) + 1;
        let header = Header::new(Kind::Megapin, words);
        let payload = self
            .arena
            .allocate(header, Owner::Collected)
            .expect("memory");
        let pin = Value::reference(TAG_MEGAPIN, payload.as_ptr());
        (0..words).for_each(|i| pin.set_raw(i, 0));
        let mut at = 2;
        for (list, skip) in [(pins, 4), (megapins, 1)] {
            pin.set_raw(at, list.len() as u64);
            for (i, child) in list.iter().enumerate() {
                pin.set_field(at + skip + i, self.known[child].pin);
            }
            at += skip + 2 * list.len();
        }
        let stamp = self.next;
        self.next += 1;
        pin.set_raw(0, stamp);
        let children = [pins, megapins].concat();
        self.known.insert(
            stamp,
            Known {
                pin,
                children,
                words,
            },
        );
        stamp
    }

    /// The pins and megapins that a megapin of a pin lists; `None` if they are many.
    fn boundary(&self, item: u64) -> Option<(Vec<u64>, Vec<u64>)> {
        let (mut pins, mut megapins, mut todo) = (Vec::new(), Vec::new(), vec![item]);
        let mut seen = HashSet::new();
        while let Some(stamp) = todo.pop() {
            if !seen.insert(stamp) {
                continue;
            }
            if self.known[&stamp].pin.tag() == TAG_MEGAPIN {
                megapins.push(stamp);
            } else {
                pins.push(stamp);
                todo.extend(&self.known[&stamp].children);
            }
            if seen.len() > 300 {
                return None;
            }
        }
        Some((pins, megapins))
    }

    /// Everything the roots lead to.
    fn reachable(&self) -> HashSet<u64> {
        let mut seen = HashSet::new();
        let mut todo: Vec<u64> = self.roots.iter().chain(&self.keep).copied().collect();
        while let Some(stamp) = todo.pop() {
            if seen.insert(stamp) {
                todo.extend(&self.known[&stamp].children);
            }
        }
        seen
    }

    /// What is reachable is as it was made.
    fn check(&self) {
        for stamp in self.reachable() {
            let known = &self.known[&stamp];
            let pin = known.pin;
            assert_eq!(pin.raw(0), stamp);
            assert_eq!(pin.header().words(), known.words);
            if pin.header().is(Kind::Pin) {
                assert_eq!(
                    pin.raw(known.words - 1).max(stamp),
                    pin.raw(known.words - 1)
                );
                for (i, child) in known.children.iter().enumerate() {
                    assert_eq!(pin.field(PIN_FIXED_WORDS + i), self.known[child].pin);
                }
            }
        }
    }

    fn give_roots(&mut self) -> bool {
        let Some(mut gathering) = self.arena.gather() else {
            return false;
        };
        for stamp in self.roots.iter().chain(&self.keep) {
            gathering.root(self.known[stamp].pin);
        }
        gathering.end();
        true
    }

    fn collect(&mut self) {
        self.arena.begin(Reason::Request);
        assert!(self.give_roots());
        self.arena.finish();
        self.arena.wait();
    }

    /// Drops what the model knows of pins that are gone, so that models do not grow.
    fn forget(&mut self) {
        let live = self.reachable();
        self.known.retain(|stamp, _| live.contains(stamp));
    }

    /// One random step: a new pin of some roots takes the place of one.
    fn step(&mut self, random: u64) {
        let pick = |shift: u32, n: usize| (random >> shift) as usize % n.max(1);
        let mut children: Vec<u64> = Vec::new();
        for i in 0..pick(0, 4).min(self.roots.len()) {
            let child = self.roots[pick(4 + 8 * i as u32, self.roots.len())];
            if !children.contains(&child) {
                children.push(child);
            }
        }
        let data = match pick(40, 40) {
            0 => pick(48, 3_000),
            1..4 => pick(48, 1000),
            _ => pick(48, 20),
        };
        let lists = children.first().filter(|_| pick(20, 10) == 0);
        let new = match lists.and_then(|item| self.boundary(*item)) {
            Some((pins, megapins)) => self.megapin(&pins, &megapins),
            None => self.pin(&children, data.max(1)),
        };
        let at = pick(32, 50);
        if at < self.roots.len() {
            self.roots[at] = new;
        } else {
            self.roots.push(new);
        }
        if random.is_multiple_of(97) {
            self.roots.truncate(pick(24, 10));
        }
    }
}

fn random(state: &mut u64) -> u64 {
    // Marsaglia, xorshift64*.
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D)
}

fn arena(log2: u32) -> Arena {
    let mut arena = Arena::with_log2(log2).unwrap();
    arena.poison_freed();
    arena
}

#[test]
fn a_collection_leaves_exactly_what_is_reachable() {
    let mut m = Mutator::new(arena(30), 1);
    let mut state = 42;
    for round in 0..60 {
        for _ in 0..500 {
            m.step(random(&mut state));
        }
        m.collect();
        m.check();
        assert_eq!(m.arena.verify(), Ok(()));
        assert_eq!(
            m.arena.live_blocks(),
            m.reachable().len() as u64,
            "round {round}"
        );
        m.forget();
    }
    m.roots.clear();
    m.collect();
    assert_eq!((m.arena.live_blocks(), m.arena.allocated_bytes()), (0, 0));
    assert_eq!(m.arena.verify(), Ok(()));
    assert_eq!(m.arena.counters().collections, 61);
}

/// D-09: the reference implementation follows references by recursion and dies of 60,000.
#[test]
fn a_chain_of_a_million_pins_is_followed_and_freed() {
    let mut m = Mutator::new(arena(30), 1);
    let mut last = m.pin(&[], 1);
    for _ in 1..1_000_000 {
        last = m.pin(&[last], 1);
    }
    m.roots = vec![last];
    m.collect();
    assert_eq!(m.arena.live_blocks(), 1_000_000);
    m.check();
    let mega = m.megapin(&[last], &[]);
    m.roots = vec![mega];
    m.collect();
    // What a pin listed there refers to stays, listed or not.
    assert_eq!(m.arena.live_blocks(), 1_000_001);
    m.roots.clear();
    m.collect();
    assert_eq!(m.arena.allocated_bytes(), 0);
}

#[test]
fn megapins_keep_what_they_list_and_lead_on_to_megapins() {
    let mut m = Mutator::new(arena(24), 1);
    let leaves: Vec<u64> = (0..100).map(|i| m.pin(&[], i + 1)).collect();
    let inner = m.megapin(&leaves[..50], &[]);
    let outer = m.megapin(&leaves[40..80], &[inner]);
    m.roots = vec![outer];
    m.collect();
    assert_eq!(m.arena.live_blocks(), 82);
    m.check();
    m.roots = vec![inner];
    m.collect();
    assert_eq!(m.arena.live_blocks(), 51);
    m.check();
}

#[test]
fn an_address_inside_a_pin_keeps_the_pin() {
    let mut m = Mutator::new(arena(24), 1);
    for data in [1, 60, 600, 6000, 60_000] {
        let stamp = m.pin(&[], data);
        let known = m.known[&stamp].clone();
        m.arena.begin(Reason::Request);
        let mut gathering = m.arena.gather().unwrap();
        // SAFETY: the last word of the pin.
        let inside = unsafe { known.pin.address().add(known.words - 1) };
        gathering.root(Value::reference(crate::value::TAG_LAW, inside));
        // Other words are no roots, wherever they point.
        gathering.root(Value::direct(known.pin.address() as u64));
        gathering.end();
        m.arena.finish();
        m.arena.wait();
        assert_eq!(m.arena.live_blocks(), 1, "{data} words");
        m.roots = vec![stamp];
        m.check();
        m.roots.clear();
    }
}

/// Blocks handed out while a collection goes on survive it, and leave no mark behind, wherever the
/// sweep happens to be (D-12: it ends however much is handed out).
#[test]
fn what_is_made_during_a_collection_survives_it() {
    let mut state = 7;
    for round in 0..40 {
        let mut m = Mutator::new(arena(28), 1);
        for _ in 0..2000 {
            m.step(random(&mut state));
        }
        let before = m.roots.clone();
        m.arena.begin(Reason::Request);
        assert!(m.give_roots());
        for _ in 0..round * 10 {
            m.step(random(&mut state));
        }
        cycle::mark(&m.arena.shared);
        let (mut batches, mut manual) = (0, Vec::new());
        while m.arena.shared.space.lock().sweep(&m.arena.shared.table) {
            batches += 1;
            for _ in 0..100 {
                m.step(random(&mut state));
            }
            // Blocks freed by hand merge with what is behind the sweep and before it (D-15).
            let words = random(&mut state) as usize % 20_000;
            let header = Header::new(Kind::Table, words);
            manual.push(m.arena.allocate(header, Owner::Manual).expect("memory"));
            if batches % 3 == 0 {
                let gone = manual.swap_remove(random(&mut state) as usize % manual.len());
                m.arena.free(gone);
            }
        }
        m.arena.shared.space.lock().end_sweep(0);
        manual.drain(..).for_each(|block| m.arena.free(block));
        assert!(batches < 1000);
        assert_eq!(m.arena.verify(), Ok(()));
        m.check();
        m.roots.extend(before);
        m.check();
        m.collect();
        assert_eq!(m.arena.live_blocks(), m.reachable().len() as u64);
        assert_eq!(m.arena.verify(), Ok(()));
    }
}

/// G2-4, D-12: between two batches of a sweep, each of a bounded number of spans or blocks, a mutator
/// gets what it asks for; the sweep ends after as many batches as there was to sweep.
#[test]
fn an_allocation_is_admitted_after_each_batch_of_a_sweep() {
    for (words, per_batch) in [(14, 256 * 512), (5000, 8)] {
        let mut m = Mutator::new(arena(30), 1);
        let blocks = per_batch * 3;
        let header = Header::nat(64 * words);
        let make = |m: &mut Mutator| m.arena.allocate(header, Owner::Collected);
        let fill = |m: &mut Mutator, n: u64| (0..n).for_each(|_| assert!(make(m).is_ok()));
        fill(&mut m, blocks);
        m.arena.begin(Reason::Request);
        assert!(m.give_roots());
        cycle::mark(&m.arena.shared);
        let (mut batches, mut freed) = (1, 0);
        while m.arena.shared.space.lock().sweep(&m.arena.shared.table) {
            batches += 1;
            let now = m.arena.counters().freed;
            assert!(now - freed <= per_batch, "{} in a batch", now - freed);
            freed = now;
            // More than a batch frees: it would never end if it came to what is new.
            fill(&mut m, per_batch + 1);
        }
        assert!((3..8).contains(&batches), "{batches} batches");
        m.arena.shared.space.lock().end_sweep(0);
        assert_eq!(m.arena.verify(), Ok(()));
        assert_eq!(m.arena.counters().freed, blocks);
    }
}

/// FB-8: a block given back by hand between two batches, before or behind the sweep.
#[test]
fn a_long_natural_may_be_freed_while_a_sweep_pauses() {
    let mut m = Mutator::new(arena(30), 1);
    let header = Header::nat(64 * 5000);
    let mut manual = Vec::new();
    for _ in 0..60 {
        m.arena.allocate(header, Owner::Collected).expect("memory");
        manual.push(m.arena.allocate(header, Owner::Manual).expect("memory"));
    }
    m.arena.begin(Reason::Request);
    assert!(m.give_roots());
    cycle::mark(&m.arena.shared);
    while m.arena.shared.space.lock().sweep(&m.arena.shared.table) {
        for at in [0, manual.len() / 2, manual.len() - 3] {
            m.arena.free(manual.remove(at));
        }
        manual.push(m.arena.allocate(header, Owner::Manual).expect("memory"));
        assert_eq!(m.arena.shared.space.lock().buddy.verify(), Ok(()));
    }
    m.arena.shared.space.lock().end_sweep(0);
    assert_eq!(m.arena.live_blocks(), manual.len() as u64);
    manual.drain(..).for_each(|block| m.arena.free(block));
    assert_eq!(m.arena.verify(), Ok(()));
    assert_eq!(m.arena.live_blocks(), 0);
}

/// D-12: a mutator that makes more than the collector can follow is slowed down, and what it made
/// meanwhile does not put the next collection off.
#[test]
fn a_mutator_that_outruns_the_collector_is_noticed() {
    let mut m = Mutator::new(arena(32), 1);
    let large = Header::nat(8 << 20);
    let make = |m: &mut Mutator, n: usize| {
        (0..n).for_each(|_| assert!(m.arena.allocate(large, Owner::Collected).is_ok()));
    };
    let outrun = |m: &Mutator| m.arena.shared.space.lock().is_outrun();
    make(&mut m, 100);
    assert!(m.arena.is_due() && !outrun(&m));
    m.arena.begin(Reason::Growth);
    assert!(m.give_roots());
    // Three quarters of 64 MiB, in blocks of 2 MiB.
    make(&mut m, 23);
    assert!(!outrun(&m));
    make(&mut m, 1);
    assert!(outrun(&m));
    m.arena.finish();
    m.arena.wait();
    assert!(!outrun(&m) && !m.arena.is_due());
    make(&mut m, 8);
    assert!(m.arena.is_due());
}

/// A block made between the beginning of a collection and the roots of its mutator is born marked, and
/// yet what it leads to must be found.
#[test]
fn what_is_made_before_the_roots_are_given_keeps_what_it_leads_to() {
    for (data, new) in [(1, 1), (1, 1000), (1000, 1)] {
        let mut m = Mutator::new(arena(28), 1);
        m.arena.poison_freed();
        let old = m.pin(&[], data);
        m.arena.begin(Reason::Request);
        for _ in 0..200 {
            m.pin(&[], new);
        }
        let young = m.pin(&[old], new);
        m.roots = vec![young];
        assert!(m.give_roots());
        m.arena.finish();
        m.arena.wait();
        m.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn pins_of_any_size_are_disjoint_and_freed(
        sizes in proptest::collection::vec((0u32..13, any::<u16>()), 1..200),
        keep in any::<u64>(),
    ) {
        let mut m = Mutator::new(arena(27), 1);
        for (i, (scale, fine)) in sizes.iter().enumerate() {
            let stamp = m.pin(&[], 1 + (*fine as usize & ((1 << scale) - 1)));
            if keep >> (i % 64) & 1 == 1 {
                m.roots.push(stamp);
            }
        }
        let mut extents: Vec<_> = m.known.values().map(|known| {
            let at = known.pin.address() as u64;
            (at - 16, at + 8 * known.words as u64)
        }).collect();
        extents.sort_unstable();
        prop_assert!(extents.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        prop_assert_eq!(m.arena.verify(), Ok(()));
        m.collect();
        m.check();
        prop_assert_eq!(m.arena.live_blocks(), m.roots.len() as u64);
        prop_assert_eq!(m.arena.verify(), Ok(()));
    }
}

/// D-32: in the reference implementation meeting one is the end of the process.
#[test]
fn blocks_of_the_runtime_are_neither_marked_nor_freed() {
    let mut m = Mutator::new(arena(24), 1);
    let block = m
        .arena
        .allocate(Header::new(Kind::Table, 10), Owner::Manual)
        .unwrap();
    m.arena.begin(Reason::Request);
    let mut gathering = m.arena.gather().unwrap();
    gathering.root(Value::reference(TAG_PIN, block.as_ptr()));
    gathering.end();
    m.arena.finish();
    m.arena.wait();
    assert_eq!((m.arena.live_blocks(), m.arena.verify()), (1, Ok(())));
    m.arena.free(block);
    assert_eq!(m.arena.live_blocks(), 0);
}

/// D-16: the reference implementation reads at least 4 MiB of marks in every collection.
#[test]
fn a_collection_looks_at_what_there_is_and_no_more() {
    let mut m = Mutator::new(Arena::new().unwrap(), 1);
    m.roots = (0..20).map(|i| m.pin(&[], 1 + i * i)).collect();
    m.arena.begin(Reason::Request);
    assert!(m.give_roots());
    cycle::mark(&m.arena.shared);
    assert!(!m.arena.shared.space.lock().sweep(&m.arena.shared.table));
    m.arena.shared.space.lock().end_sweep(0);
    m.check();
    assert_eq!((m.arena.live_blocks(), m.arena.verify()), (20, Ok(())));
}

#[test]
fn without_a_thread_the_mutator_collects() {
    let mut m = Mutator::new(arena(28), 1);
    m.arena.shared.space.lock().collector = Collector::Mutator;
    let mut state = 3;
    for _ in 0..20 {
        for _ in 0..500 {
            m.step(random(&mut state));
        }
        m.arena.begin(Reason::Growth);
        assert!(m.give_roots());
        m.arena.finish();
        assert!(m.arena.shared.space.lock().phase == Phase::Idle);
        m.check();
        assert_eq!(m.arena.live_blocks(), m.reachable().len() as u64);
    }
}

/// A request during a collection is followed by another one.
#[test]
fn a_request_during_a_collection_is_not_lost() {
    let mut m = Mutator::new(arena(24), 1);
    m.arena.begin(Reason::Growth);
    assert!(m.give_roots());
    m.arena.begin(Reason::Request);
    m.arena.finish();
    m.arena.wait();
    assert!(!m.arena.is_due());
    m.pin(&[], 1);
    assert!(m.arena.is_due());
    m.collect();
    assert!(!m.arena.is_due());
}

/// What a mutator makes while others have given their roots and it has not leads to older pins, which
/// only its own roots reach.
#[test]
fn new_pins_lead_to_old_ones_before_roots_are_given() {
    for words in [8, 5000] {
        let mut a = Mutator::new(arena(27), 1);
        let mut b = Mutator::new(a.arena.share(), 1 << 40);
        let old = b.pin(&[], 8);
        a.arena.begin(Reason::Request);
        a.arena.gather().expect("roots are wanted").end();
        let new: Vec<u64> = (0..200).map(|_| b.pin(&[old], words)).collect();
        b.roots = vec![new[199]];
        b.collect();
        b.check();
        assert_eq!(b.arena.verify(), Ok(()));
    }
}

/// A mutator that rests is not waited for, and what it has handed over stays.
#[test]
fn a_resting_mutator_holds_up_nothing() {
    let mut a = Mutator::new(arena(24), 1);
    let mut b = Mutator::new(a.arena.share(), 1 << 40);
    let old = b.pin(&[], 8);
    let handed = b.pin(&[old], 8);
    a.arena.begin(Reason::Request);
    a.arena.gather().expect("roots are wanted").end();
    b.arena.hand_over(b.known[&handed].pin);
    b.arena.rest();
    assert!(!b.arena.wants_roots() && b.arena.gather().is_none());
    a.arena.finish();
    a.arena.wait();
    assert_eq!((a.arena.live_blocks(), a.arena.mutators()), (2, 1));
    a.collect();
    assert_eq!(a.arena.live_blocks(), 0);
    b.arena.resume();
    assert_eq!(a.arena.mutators(), 2);
    let kept = b.pin(&[], 8);
    b.roots = vec![kept];
    a.arena.begin(Reason::Request);
    a.arena.gather().expect("roots are wanted").end();
    b.collect();
    b.check();
    drop(b);
    assert_eq!((a.arena.mutators(), a.arena.verify()), (1, Ok(())));
}

/// Slots that were claimed, marked and given back are clean for the next mutator.
#[test]
fn slots_given_back_bear_no_marks() {
    let mut a = Mutator::new(arena(24), 1);
    let mut b = Mutator::new(a.arena.share(), 1 << 40);
    let old = b.pin(&[], 100);
    a.arena.begin(Reason::Request);
    a.arena.gather().expect("roots are wanted").end();
    a.pin(&[], 8);
    a.arena.rest();
    let new = b.pin(&[old], 8);
    b.roots = vec![new];
    b.collect();
    b.check();
    assert_eq!(b.arena.verify(), Ok(()));
}

#[test]
fn compiled_code_goes_with_its_law() {
    let mut m = Mutator::new(arena(24), 1);
    let (kept, lost) = (m.pin(&[], 8), m.pin(&[], 8));
    for stamp in [kept, lost] {
        let owner = m.known[&stamp].pin.address() as u64;
        let entry = crate::heap::code::allocate(&[], &[0]).unwrap();
        m.arena.adopt_code(owner + 56, entry);
    }
    m.roots = vec![kept];
    m.collect();
    let space = m.arena.shared.space.lock();
    assert_eq!(space.codes.len(), 1);
    assert_eq!(
        space.codes[0].owner,
        m.known[&kept].pin.address() as u64 + 56
    );
}

#[test]
fn exhaustion_is_an_error_and_a_collection_ends_it() {
    let mut m = Mutator::new(arena(20), 1);
    let header = Header::new(Kind::Pin, 14);
    let fill = |arena: &mut Arena| {
        core::iter::from_fn(|| {
            let payload = arena.allocate(header, Owner::Collected).ok()?;
            // SAFETY: the number of pins, in a payload of 14 words.
            unsafe { payload.add(2).write(0) };
            Some(())
        })
        .count()
    };
    assert_eq!(fill(&mut m.arena), (1 << 20) / 128);
    assert!(m.arena.is_due());
    m.collect();
    assert_eq!(m.arena.live_blocks(), 0);
    assert_eq!(fill(&mut m.arena), (1 << 20) / 128);
    m.collect();
    m.arena.set_budget(300 << 10);
    // Spans that are kept must not stand in the way of a large block, and cost what they take.
    let large = Header::nat(8 * (200 << 10));
    assert!(m.arena.allocate(large, Owner::Collected).is_ok());
    let error = m.arena.allocate(large, Owner::Collected).unwrap_err();
    assert_eq!(error.cause, Cause::Budget);
    assert_eq!(m.arena.verify(), Ok(()));
}

#[test]
fn empty_spans_are_reused_and_the_rest_goes_back_to_the_kernel() {
    let mut m = Mutator::new(arena(30), 1);
    for _ in 0..1_000_000 {
        m.pin(&[], 2);
        m.known.clear();
    }
    m.collect();
    let space = m.arena.shared.space.lock();
    assert_eq!(space.used_bytes(), 0);
    assert_eq!(space.buddy.allocated_bytes(), 32 << 20);
}

#[test]
fn a_growing_arena_is_due_when_it_has_doubled() {
    let mut m = Mutator::new(arena(32), 1);
    let fill = |m: &mut Mutator| {
        let mut bytes = 0;
        while !m.arena.is_due() {
            let stamp = m.pin(&[], 100_000);
            m.roots.push(stamp);
            bytes += 1 << 20;
        }
        m.collect();
        bytes
    };
    assert_eq!(fill(&mut m), 64 << 20);
    assert_eq!(fill(&mut m), 64 << 20);
    assert_eq!(fill(&mut m), 128 << 20);
}

#[test]
fn verify_notices_damage() {
    type Damage = fn(&mut Mutator, u64);
    let damage: [(&str, Damage); 4] = [
        ("larger than the block", |m, stamp| {
            m.known[&stamp].pin.set_header(Header::new(Kind::Pin, 15));
        }),
        ("refers to", |m, stamp| m.known[&stamp].pin.set_raw(6, 0)),
        ("is marked", |m, stamp| {
            m.arena
                .shared
                .table
                .mark(m.known[&stamp].pin.address() as u64);
        }),
        ("counted", |m, stamp| {
            let offset = m
                .arena
                .shared
                .table
                .offset(m.known[&stamp].pin.address() as u64);
            let row = m
                .arena
                .shared
                .table
                .span(offset.unwrap() >> span::SPAN_LOG2);
            row.used[0].fetch_and(!2, core::sync::atomic::Ordering::Relaxed);
        }),
    ];
    for (what, apply) in damage {
        let mut m = Mutator::new(arena(20), 1);
        let child = m.pin(&[], 7);
        let parent = m.pin(&[child], 7);
        assert_eq!(m.arena.verify(), Ok(()));
        apply(&mut m, parent);
        let error = m.arena.verify().unwrap_err();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn sizes_outside_the_range_are_refused() {
    assert_eq!(Arena::with_log2(15).err(), Some(Errno::EINVAL));
    assert_eq!(Arena::with_log2(47).err(), Some(Errno::EINVAL));
    let arena = Arena::new().unwrap();
    assert!((1 << RESERVE_LEAST_LOG2..=1 << RESERVE_LOG2).contains(&arena.capacity()));
}
