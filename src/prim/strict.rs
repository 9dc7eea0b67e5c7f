//! Strict jets (`PLAN_JETS=strict`): bodies known to compute what the operation of their name does.
//!
//! Invariants:
//! - The hash of a law is over the structure of its arity and body, pins seen through: equal laws have
//!   equal hashes wherever they lie. It guards against accidents, not against forgery.
//! - The list holds hashes only. A body without its hash there runs as it is.
//! - No recursion; a pin met twice is hashed once.

use crate::heap::words::Words;
use crate::value::{Sort, Value};
use alloc::vec::Vec;

/// Hashes of known bodies, with the row of the operation they stand for.
static KNOWN: &[(u64, usize)] = &include!("strict_bodies.in");

/// Whether a law's body is known to compute what operation `op` does.
pub fn is_known_body(law: Value, op: usize) -> bool {
    let hash = law_hash(law);
    KNOWN.contains(&(hash, op))
}

/// The structural hash of a law's arity and body.
pub fn law_hash(law: Value) -> u64 {
    let mut hasher = Hasher {
        results: Vec::new(),
        pins: Words::default(),
    };
    let body = hasher.hash(law.law_body());
    let arity = hasher.hash(law.law_arity());
    mix(mix(LAW, arity), body)
}

const NAT: u64 = 1;
const PIN: u64 = 2;
const LAW: u64 = 3;
const CLOSURE: u64 = 4;

/// One round of a multiply-xorshift mixer (the finaliser of splitmix64: Steele, Lea, Flood, *Fast
/// splittable pseudorandom number generators*, OOPSLA 2014).
fn mix(state: u64, word: u64) -> u64 {
    let mut z = (state ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ z >> 31).wrapping_add(state.rotate_left(17))
}

struct Hasher {
    results: Vec<u64>,
    /// By address. A hash is kept as `usize` because tables of that type are there anyway.
    pins: Words,
}

enum Work {
    /// Hash a value.
    Visit(Value),
    /// Combine the topmost results, that many, after the state.
    Combine(u64, usize),
    /// Remember the topmost result for the pin.
    Remember(u64),
}

impl Hasher {
    fn hash(&mut self, v: Value) -> u64 {
        let mut work = alloc::vec![Work::Visit(v)];
        while let Some(next) = work.pop() {
            match next {
                Work::Visit(v) => self.visit(v, &mut work),
                Work::Combine(state, n) => {
                    let from = self.results.len() - n;
                    let hash = self.results.drain(from..).fold(state, mix);
                    self.results.push(hash);
                }
                Work::Remember(pin) => {
                    let hash = self.results[self.results.len() - 1];
                    self.pins.insert(pin, hash);
                }
            }
        }
        self.results.pop().unwrap_or(0)
    }

    fn visit(&mut self, v: Value, work: &mut Vec<Work>) {
        let parts: Vec<Value> = match v.sort() {
            Sort::Nat => {
                let mut space = [0];
                let hash = v
                    .limbs(&mut space)
                    .iter()
                    .fold(NAT, |h, limb| mix(h, *limb));
                self.results.push(hash);
                return;
            }
            Sort::Pin => {
                if let Some(hash) = self.pins.get(v.bits()) {
                    self.results.push(hash);
                    return;
                }
                work.push(Work::Remember(v.bits()));
                work.push(Work::Combine(PIN, 1));
                alloc::vec![v.item()]
            }
            Sort::Law => {
                work.push(Work::Combine(LAW, 3));
                alloc::vec![v.law_name(), v.law_arity(), v.law_body()]
            }
            Sort::Closure | Sort::Thunk => {
                let n = v.row_len();
                work.push(Work::Combine(mix(CLOSURE, n as u64), n + 1));
                (0..=n).map(|i| v.field(i)).collect()
            }
        };
        work.extend(parts.into_iter().rev().map(Work::Visit));
    }
}
