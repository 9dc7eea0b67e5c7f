//! Files made to do harm: truncated, mutated, random. Nothing may panic or take long, and the
//! verdict is that of the model.

use super::super::{BuildError, Builder, Code, Graph, Limbs, Version, build, check, dump, encode};
use super::model::Model;
use std::string::String;
use std::time::{Duration, Instant};
use std::vec::Vec;

/// A small generator of random numbers (xorshift64*), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }
}

/// Good seeds of both versions with all classes of numbers, and some sharing.
fn good_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for seed in 1..=8 {
        let mut random = Random(seed);
        let mut graph = Graph::new();
        let mut made = std::vec![graph.param(), graph.law_constructor().unwrap()];
        for _ in 0..8 * seed {
            let limbs: Vec<u64> = (0..random.below(3)).map(|_| random.next()).collect();
            made.push(graph.nat(&limbs).unwrap());
            let shift = random.below(64);
            made.push(graph.nat(&[random.next() >> shift]).unwrap());
            for _ in 0..4 {
                let (head, arg) = (
                    made[random.below(made.len())],
                    made[random.below(made.len())],
                );
                made.push(graph.cell(head, arg).unwrap());
            }
        }
        let root = made[1..]
            .iter()
            .try_fold(made[0], |all, id| graph.cell(all, *id))
            .unwrap();
        for version in [Version::V1, Version::V2] {
            seeds.push(encode(&graph, root, version).unwrap());
        }
    }
    // x = 0[7 x], a graph.
    let words = [0x02_4453u64 << 40 | 1 << 32, 0, 0, 2 << 48, 1, 0x0354_0007];
    seeds.push(words.into_iter().flat_map(u64::to_le_bytes).collect());
    seeds
}

/// Checks the rules that builders may rely on.
#[derive(Default)]
struct Auditor {
    table: u64,
    empty: Vec<bool>,
    operands: usize,
    deepest: usize,
    cells: u64,
    boxed: (u64, u64),
}

impl Builder for Auditor {
    type Error = core::convert::Infallible;

    fn param(&mut self, _law: bool) -> Result<(), Self::Error> {
        self.table += 1;
        Ok(())
    }

    fn nat(&mut self, limbs: Limbs<'_>) -> Result<(), Self::Error> {
        let length = limbs.len();
        let all: Vec<u64> = limbs.clone().collect();
        assert_eq!(all.len(), length);
        assert_ne!(all.last(), Some(&0));
        assert_eq!(limbs.to_u64().is_some(), length <= 1);
        if length > 1 || all.first().is_some_and(|limb| limb >> 63 == 1) {
            self.boxed = (self.boxed.0 + 1, self.boxed.1 + length as u64);
        }
        self.table += 1;
        Ok(())
    }

    fn placeholders(&mut self, count: u64) -> Result<(), Self::Error> {
        self.table += count;
        self.empty = std::vec![false; self.table as usize];
        self.empty[(self.table - count) as usize..].fill(true);
        Ok(())
    }

    fn push_entry(&mut self, position: u64) -> Result<(), Self::Error> {
        assert!(position < self.table);
        self.operands += 1;
        self.deepest = self.deepest.max(self.operands);
        Ok(())
    }

    fn apply(&mut self) -> Result<(), Self::Error> {
        assert!(self.operands >= 2);
        self.operands -= 1;
        self.cells += 1;
        Ok(())
    }

    fn end_fragment(&mut self) -> Result<(), Self::Error> {
        assert_eq!(self.operands, 1);
        self.operands = 0;
        self.table += 1;
        Ok(())
    }

    fn fill(&mut self, position: u64) -> Result<(), Self::Error> {
        assert_eq!(self.operands, 2);
        assert!(core::mem::take(&mut self.empty[position as usize]));
        self.operands = 0;
        self.cells += 1;
        Ok(())
    }
}

/// Checks, builds and dumps; whatever the bytes are, this must not panic.
fn exercise(bytes: &[u8]) -> Result<(), Code> {
    let plan = check(bytes).map_err(|error| {
        assert!(error.bit <= 8 * bytes.len().max(40) as u64, "{error}");
        error.code
    })?;
    let mut auditor = Auditor::default();
    let result = build(bytes, &plan, &mut auditor).unwrap();
    assert_eq!(
        (result + 1, auditor.table),
        (plan.entries(), plan.entries())
    );
    assert_eq!((auditor.cells, auditor.operands), (plan.cells(), 0));
    assert!(auditor.deepest <= plan.depth() + 1);
    assert!(!auditor.empty.contains(&true));
    assert_eq!(auditor.boxed, (plan.boxed_nats(), plan.boxed_limbs()));
    let mut text = String::new();
    dump(bytes, &plan, &mut text).unwrap();
    assert_eq!(text.lines().count() as u64, 1 + plan.entries());
    Ok(())
}

/// The verdict on `bytes` is the model's; so is the value, if it has one.
fn compare(bytes: &[u8]) -> Result<(), Code> {
    let verdict = exercise(bytes);
    let model = Model::read(bytes);
    assert_eq!(
        verdict,
        model.as_ref().map(|_| ()).map_err(|code| *code),
        "{bytes:02x?}"
    );
    if let Ok(model) = model.as_ref()
        && !model.graph
    {
        let mut graph = Graph::new();
        let value = graph.load(bytes, &check(bytes).unwrap()).unwrap();
        assert_eq!(model.intern(&mut graph), value, "{bytes:02x?}");
    }
    verdict
}

#[test]
fn every_truncation_is_judged_as_the_model_does() {
    for seed in good_seeds() {
        assert_eq!(exercise(&seed), Ok(()));
        let bits = 8 * seed.len() as u64;
        let padding = (bits - check(&seed).unwrap().stream_end) as usize / 8;
        for length in 0..seed.len() {
            // Padding may be missing from version 1, and nothing else.
            let spared = seed[5] == 0 && length >= seed.len() - padding;
            assert_eq!(
                compare(&seed[..length]).is_ok(),
                spared,
                "{length} of {seed:02x?}"
            );
        }
    }
}

/// Changes a few bits, bytes, words or lengths.
fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.next() as u8,
            3 => bytes.truncate(at),
            4 => bytes.insert(at, random.next() as u8),
            5 => drop(bytes.remove(at)),
            // A count of the header, near its value or anything at all.
            6 if bytes.len() >= 40 => {
                let field = 8 * random.below(5);
                let delta = (random.below(5) as u8).wrapping_sub(2);
                bytes[field] = bytes[field].wrapping_add(delta);
            }
            _ if bytes.len() >= 40 => {
                let field = 8 * random.below(5);
                let value = random.next() >> random.below(64);
                bytes[field..field + 8].copy_from_slice(&value.to_le_bytes());
            }
            _ => bytes.push(0),
        }
    }
    bytes
}

#[test]
fn a_hundred_thousand_mutations_are_judged_as_the_model_does() {
    let started = Instant::now();
    let seeds = good_seeds();
    let mut random = Random(42);
    let mut codes: Vec<Code> = Vec::new();
    let mut good = 0;
    for _ in 0..100_000 {
        let seed = &seeds[random.below(seeds.len())];
        match compare(&mutate(seed, &mut random)) {
            Ok(()) => good += 1,
            Err(code) if codes.contains(&code) => {}
            Err(code) => codes.push(code),
        }
    }
    assert!(good > 1000, "{good}");
    // All codes but E_IO, E_MEMORY, and E_EMPTY, E_SCOPE, for which no mutation is likely enough.
    assert!(codes.len() >= 13, "{codes:?}");
    assert!(started.elapsed() < Duration::from_secs(120));
}

/// Building from other bytes than those checked ends in an error or a value.
#[test]
fn building_other_bytes_than_checked_does_not_panic() {
    let seeds = good_seeds();
    let mut random = Random(7);
    for _ in 0..2000 {
        let seed = &seeds[random.below(seeds.len() - 1)];
        let other = mutate(seed, &mut random);
        let plan = check(seed).unwrap();
        let _ = Graph::new().load(&other, &plan);
        let mut text = String::new();
        if let Err(error) = dump(&other, &plan, &mut text) {
            assert!(matches!(error, BuildError::Seed(_)));
        }
    }
}

/// The shapes that cost most per byte, a megabyte each: one cell per bit, nesting of two bits a
/// level, and counts of arguments that never come.
#[test]
fn costly_files_take_linear_time() {
    let file = |pattern: &[u8]| {
        let header = [1u64, 0, 0, 0, 1].into_iter().flat_map(u64::to_le_bytes);
        header
            .chain(pattern.iter().copied().cycle().take(1 << 20))
            .collect::<Vec<u8>>()
    };
    let started = Instant::now();
    // `01` again and again: (p (p (p …, and no bit is left for the last argument.
    assert_eq!(exercise(&file(&[0xaa])), Err(Code::Args));
    // `0010` again and again: two arguments, the first of which has two arguments …
    assert_eq!(exercise(&file(&[0x44])), Err(Code::Args));
    let mut deep = file(&[0xaa]);
    deep.push(1);
    assert_eq!(exercise(&deep), Ok(()));
    // 2^22 arguments of one bit each: z = 23, then the low 22 bits.
    let mut wide = file(&[0xff]);
    wide[40..46].copy_from_slice(&[0, 0, 0x80, 0, 0, 0xc0]);
    assert!(exercise(&wide).is_ok());
    assert!(started.elapsed() < Duration::from_secs(30));
}
