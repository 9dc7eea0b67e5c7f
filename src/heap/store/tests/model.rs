//! Pins of a program that has no machine: random graphs, what they mean, and a source of them.
//!
//! Invariants:
//! - a digest depends on the content of a pin and of all it reaches, never on addresses;
//! - a pin is called by its index; pins refer to earlier ones.

use super::super::object::Object;
use super::super::sim::Random;
use super::super::*;
use crate::value::{Header, Kind, TAG_MEGAPIN, TAG_NAT, TAG_PIN, closure_tag};
use crate::value::{MAX_DIRECT, Value};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

#[derive(Clone, Debug)]
pub struct Pin {
    pub object: Object,
    /// Words of it that are written from where they lie.
    pub tail: usize,
    pub digest: u64,
    pub address: Option<u64>,
}

#[derive(Clone, Default, Debug)]
pub struct Heap {
    pub pins: Vec<Pin>,
    /// How often the store asked for an object or told a place.
    pub asked: usize,
    pub told: usize,
}

/// The digest of an object, given those of the pins it refers to.
pub fn digest(object: &Object, of: impl Fn(u64) -> u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut words = object.words.clone();
    if object.mega {
        // Lengths differ between memory and store.
        let p = words[2] as usize;
        let m = words[6 + 2 * p] as usize;
        words[6 + p..6 + 2 * p].fill(0);
        words[7 + 2 * p + m..7 + 2 * p + 2 * m].fill(0);
    }
    (object.mega, words, &object.inner).hash(&mut hasher);
    for (at, pin) in &object.pins {
        (at, of(*pin)).hash(&mut hasher);
    }
    hasher.finish()
}

pub fn natural_digest(n: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    ("natural", n).hash(&mut hasher);
    hasher.finish()
}

impl Source for Heap {
    fn stored(&mut self, pin: u64) -> Option<u64> {
        self.pins[pin as usize].address
    }

    fn object(&mut self, pin: u64, out: &mut Object) -> Result<(), Error> {
        self.asked += 1;
        out.clone_from(&self.pins[pin as usize].object);
        out.tail = self.pins[pin as usize].tail;
        out.words.truncate(out.words.len() - out.tail);
        Ok(())
    }

    fn tail(&self, pin: u64, words: usize) -> &[u64] {
        let all = &self.pins[pin as usize].object.words;
        &all[all.len() - words..]
    }

    fn placed(&mut self, pin: u64, address: u64) {
        self.told += 1;
        self.pins[pin as usize].address = Some(address);
    }
}

impl Heap {
    pub fn add(&mut self, object: Object) -> u64 {
        let digest = digest(&object, |pin| self.pins[pin as usize].digest);
        self.pins.push(Pin {
            object,
            tail: 0,
            digest,
            address: None,
        });
        self.pins.len() as u64 - 1
    }

    pub fn digest(&self, pin: u64) -> u64 {
        self.pins[pin as usize].digest
    }

    /// The pin of a row of a number, a long natural of `limbs` limbs, and `children`.
    pub fn row(&mut self, number: u64, limbs: usize, children: &[u64]) -> u64 {
        let mut distinct = Vec::new();
        for child in children {
            if !distinct.contains(child) {
                distinct.push(*child);
            }
        }
        let p = distinct.len();
        let mut object = Object::default();
        let args = 2 + children.len();
        let tag = closure_tag(Value::ZERO, args) << 48;
        let start = 6 + p;
        let natural = start + 1 + 1 + args + 1;
        object.words = vec![tag | (start as u64 + 1), 0, p as u64, 0, MAX_DIRECT, 0];
        object.inner.push(0);
        for child in &distinct {
            self.refer(&mut object, *child);
        }
        object
            .words
            .push(Header::new(Kind::ClosureNf, 1 + args).bits());
        object.words.extend([0, number]);
        object.inner.push(object.words.len());
        object.words.push(TAG_NAT << 48 | natural as u64);
        for child in children {
            self.refer(&mut object, *child);
        }
        object.words.push(Header::nat(64 * limbs as u64).bits());
        object
            .words
            .extend((0..limbs as u64).map(|i| !(number ^ (i * 77))));
        let pin = self.add(object);
        self.pins[pin as usize].tail = if number.is_multiple_of(3) { 0 } else { limbs };
        pin
    }

    fn refer(&self, object: &mut Object, pin: u64) {
        object.pins.push((object.words.len(), pin));
        let mega = self.pins[pin as usize].object.mega;
        object
            .words
            .push(if mega { TAG_MEGAPIN } else { TAG_PIN } << 48);
    }

    /// The pin of a pin.
    pub fn mega(&mut self, item: u64) -> u64 {
        let (mut pins, mut megas, mut todo) = (Vec::new(), Vec::new(), vec![item]);
        let mut seen = HashSet::new();
        while let Some(pin) = todo.pop() {
            if !seen.insert(pin) {
                continue;
            }
            if self.pins[pin as usize].object.mega {
                megas.push(pin);
            } else {
                pins.push(pin);
                todo.extend(self.pins[pin as usize].object.children().expect("sound"));
            }
        }
        let mut object = Object {
            mega: true,
            ..Object::default()
        };
        self.refer(&mut object, item);
        object
            .words
            .extend([0, pins.len() as u64, 0, MAX_DIRECT, 0]);
        for list in [&pins, &megas] {
            if std::ptr::eq(list, &raw const megas) {
                object.words.push(megas.len() as u64);
            }
            list.iter().for_each(|pin| self.refer(&mut object, *pin));
            let words = |pin: &u64| self.pins[*pin as usize].object.words.len() as u64;
            object.words.extend(list.iter().map(words));
        }
        self.add(object)
    }

    /// A random pin that refers to some of `from`.
    pub fn random(&mut self, random: &mut Random, from: &[u64]) -> u64 {
        if !from.is_empty() && random.one_in(12) {
            return self.mega(from[random.below(from.len())]);
        }
        let children: Vec<u64> = (0..random.below(4))
            .filter_map(|_| from.get(random.below(from.len())).copied())
            .collect();
        let limbs = match random.below(30) {
            0 => 500 + random.below(1500),
            1..4 => 100 + random.below(350),
            _ => 1 + random.below(20),
        };
        self.row(random.next() >> 8, limbs, &children)
    }

    /// What `roots` reach.
    pub fn reachable(&self, roots: &[u64]) -> Vec<u64> {
        let (mut seen, mut todo) = (HashSet::new(), roots.to_vec());
        while let Some(pin) = todo.pop() {
            if seen.insert(pin) {
                todo.extend(self.pins[pin as usize].object.children().expect("sound"));
            }
        }
        let mut all: Vec<u64> = seen.into_iter().collect();
        all.sort_unstable();
        all
    }

    /// Forgets where the pins are, but for those among `known`.
    pub fn forget(&mut self, known: &HashMap<u64, u64>) {
        for pin in &mut self.pins {
            pin.address = known.get(&pin.digest).copied();
        }
    }
}

/// The digests of all pins of a store and their addresses, and the digest of the value.
pub fn contents<S: Storage>(store: &mut Store<S>) -> Result<(HashMap<u64, u64>, u64), Error> {
    let mut digests: HashMap<u64, u64> = HashMap::new();
    store.export(&mut |address, object| {
        let digest = digest(object, |pin| digests[&pin]);
        digests.insert(address, digest);
        Ok(())
    })?;
    let value = match store.superblock().root_address() {
        Some(address) => digests[&address],
        None => natural_digest(store.root()),
    };
    Ok((digests.into_iter().map(|(a, d)| (d, a)).collect(), value))
}
