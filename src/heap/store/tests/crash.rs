//! Random workloads whose every moment is followed by a crash: whatever part of what was not synced is
//! on the disk, mount finds the last acknowledged value or the one in flight, both whole.
//!
//! `PLAN_CRASH_SEED=N` runs one workload again; `PLAN_CRASH_STATES=N` goes on until so many states
//! have been seen.

use super::super::sim::{Crashes, Effort, Event, Fault, Random, Sim};
use super::super::*;
use super::model::{Heap, contents, natural_digest};
use super::reach::untouched;
use std::collections::HashMap;

/// Where the region starts: behind something that stands for the executable.
pub const REGION: u64 = 4096;
/// The workload aims at no more live pins than this.
const LIVE: usize = 30;
/// What the processes of one workload do together: commits, collections and so on.
const STEPS: usize = 60;

/// One workload: processes that mount, commit, collect and die.
struct Run {
    sim: Sim,
    heap: Heap,
    random: Random,
    options: Options,
    canary: Option<Canary>,
    root: Root,
    acked: u64,
    in_flight: Option<u64>,
}

impl Run {
    fn new(seed: u64, canary: Option<Canary>) -> Run {
        let mut random = Random(seed);
        let needs_two = canary == Some(Canary::NoDataSync);
        let options = Options {
            two_syncs: needs_two || random.one_in(5),
            check_limit: if random.one_in(5) { 8192 } else { 1 << 20 },
            ahead: [0, 4, 64][random.below(3)],
            keep: random.below(3) as u64,
            ..Options::default()
        };
        let mut run = Run {
            sim: Sim::new(vec![0xEE; REGION as usize]),
            heap: Heap::default(),
            random,
            options,
            canary,
            root: Root::Natural(7),
            acked: natural_digest(7),
            in_flight: None,
        };
        let mut store = Store::create(&mut run.sim, REGION, options).expect("no faults");
        store.commit(&mut run.heap, run.root).expect("no faults");
        run.sim.log.clear();
        run
    }

    fn digest(&self, root: Root) -> u64 {
        match root {
            Root::Natural(n) => natural_digest(n),
            Root::Pin(pin) => self.heap.digest(pin),
        }
    }

    /// A new process: mounts, and forgets what it did not find.
    fn process(&mut self, steps: &mut usize) -> Result<(), String> {
        self.sim.dead = false;
        self.sim.fault = None;
        let mut sim = std::mem::take(&mut self.sim);
        let result = self.live(&mut sim, steps);
        self.sim = sim;
        result
    }

    fn live(&mut self, sim: &mut Sim, steps: &mut usize) -> Result<(), String> {
        let mounted = Store::mount_broken(sim, REGION, self.options, self.canary);
        let mut store = mounted
            .map_err(|why| format!("mount after a kill: {why:?}"))?
            .store;
        let (known, digest) = contents(&mut store).map_err(|why| format!("{why:?}"))?;
        if digest != self.acked && Some(digest) != self.in_flight {
            return Err("another value after a kill".into());
        }
        store.storage().mark(Event::Restart(digest));
        (self.acked, self.in_flight) = (digest, None);
        self.heap.forget(&known);
        self.root = match store.superblock().root_address() {
            None => Root::Natural(store.root()),
            Some(_) => {
                let found = self.heap.pins.iter().position(|pin| pin.digest == digest);
                Root::Pin(found.expect("a value of the model") as u64)
            }
        };
        // What a mount found is not settled yet, whatever comes first.
        let mut first = self.random.below(12);
        while *steps > 0 {
            *steps -= 1;
            let step = match std::mem::replace(&mut first, 12) {
                0 => {
                    store.settle();
                    return Ok(());
                }
                1 => store.collect(&[]).map(drop),
                2 | 3 => self.commit(&mut store, self.root),
                4 => {
                    let other = self.same();
                    self.commit(&mut store, other)
                }
                _ => self.step(&mut store),
            };
            if let Err(error) = step {
                if !store.storage().dead {
                    return Err(format!("a step failed without a fault: {error:?}"));
                }
                return Ok(());
            }
            match self.random.below(25) {
                0 => return Ok(()),
                1 => {
                    store.settle();
                    return Ok(());
                }
                2 => {
                    let at = store.storage().calls + 1 + self.random.below(12) as u64;
                    store.storage().fault = Some((at, Fault::Die));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn step(&mut self, store: &mut Store<&mut Sim>) -> Result<(), Error> {
        match self.random.below(20) {
            0 => {
                let n = self.random.next() >> 1;
                self.commit(store, Root::Natural(n))
            }
            1 => {
                let other = self.same();
                self.commit(store, other)
            }
            2 | 3 => {
                let pin = self.grow();
                store.precommit(&mut self.heap, pin).map(drop)
            }
            4 | 5 => {
                let held = self.hold();
                store.collect(&held).map(drop)
            }
            6 | 7 => self.collect_beside(store),
            _ => {
                let pin = self.grow();
                self.commit(store, Root::Pin(pin))
            }
        }
    }

    /// Collects while commits go on, from the moment the references in memory are known; now and
    /// then without coming to an end.
    fn collect_beside(&mut self, store: &mut Store<&mut Sim>) -> Result<(), Error> {
        let mut held = self.hold();
        // Another value may be the committed one when the marking begins.
        held.extend(store.superblock().root_address());
        store.announce();
        self.some(store, 2)?;
        let mut marking = store.begin_marking(&held)?;
        loop {
            self.some(store, 3)?;
            let records = 1 + self.random.below(9);
            if marking.step(store.storage(), records)? {
                break;
            }
        }
        self.some(store, 2)?;
        if self.random.one_in(6) {
            store.abandon();
            return Ok(());
        }
        store.finish(marking)?;
        self.some(store, 3)?;
        let (data, leaving) = (store.data(), store.leaving().to_vec());
        punch(store.storage(), data, &leaving);
        if store.storage().dead {
            return Err(Error::Io("punch", crate::os::Errno::EIO));
        }
        self.some(store, 2)?;
        store.take_back();
        Ok(())
    }

    /// Fewer than `most` commits and precommits.
    fn some(&mut self, store: &mut Store<&mut Sim>, most: usize) -> Result<(), Error> {
        for _ in 0..self.random.below(most) {
            let pin = self.grow();
            if self.random.one_in(4) {
                store.precommit(&mut self.heap, pin)?;
            } else {
                self.commit(store, Root::Pin(pin))?;
            }
        }
        Ok(())
    }

    /// The value that is the root, as another pin with the same content or the same one.
    fn same(&mut self) -> Root {
        match self.root {
            Root::Pin(pin) if self.random.one_in(2) => {
                let object = self.heap.pins[pin as usize].object.clone();
                Root::Pin(self.heap.add(object))
            }
            root => root,
        }
    }

    fn commit(&mut self, store: &mut Store<&mut Sim>, root: Root) -> Result<(), Error> {
        let digest = self.digest(root);
        self.in_flight = Some(digest);
        store.storage().mark(Event::Begin(digest));
        store.commit(&mut self.heap, root)?;
        store.storage().mark(Event::Ack(digest));
        (self.acked, self.in_flight, self.root) = (digest, None, root);
        Ok(())
    }

    /// A new pin over some of what is live, and a few more below it.
    fn grow(&mut self) -> u64 {
        let mut from = match self.root {
            Root::Natural(_) => Vec::new(),
            Root::Pin(pin) => self.heap.reachable(&[pin]),
        };
        if from.len() > LIVE {
            let heap = &self.heap;
            from.retain(|pin| heap.reachable(&[*pin]).len() < LIVE / 4);
        }
        for _ in 0..self.random.below(4) {
            let pin = self.heap.random(&mut self.random, &from);
            from.push(pin);
        }
        self.heap.random(&mut self.random, &from)
    }

    /// Chooses pins that memory refers to, lets go of all others, and gives their addresses.
    fn hold(&mut self) -> Vec<u64> {
        let stored: Vec<u64> = (0..self.heap.pins.len() as u64)
            .filter(|pin| self.heap.pins[*pin as usize].address.is_some())
            .collect();
        let mut held = Vec::new();
        for _ in 0..self.random.below(3).min(stored.len()) {
            held.push(stored[self.random.below(stored.len())]);
        }
        let addresses = held
            .iter()
            .filter_map(|pin| self.heap.pins[*pin as usize].address);
        let addresses = addresses.collect();
        if let Root::Pin(pin) = self.root {
            held.push(pin);
        }
        let kept = self.heap.reachable(&held);
        for (i, pin) in self.heap.pins.iter_mut().enumerate() {
            if kept.binary_search(&(i as u64)).is_err() {
                pin.address = None;
            }
        }
        addresses
    }
}

/// Judges the disk after a crash.
struct Judge {
    options: Options,
    canary: Option<Canary>,
    digests: HashMap<(u64, u32), u64>,
    random: Random,
    /// States seen after another crash.
    nested: u64,
}

impl Judge {
    fn judge(&mut self, bytes: &mut Vec<u8>, allowed: &[u64]) -> Result<(), String> {
        let again = self.random.one_in(400).then(|| bytes.clone());
        let mut sim = Sim::new(std::mem::take(bytes));
        let result = self.open(&mut sim, allowed);
        let written = sim.writes + sim.syncs;
        *bytes = sim.bytes;
        let digest = result?;
        if written > 0 {
            return Err("mount wrote something".into());
        }
        match again {
            Some(bytes) => self.again(bytes, digest),
            None => Ok(()),
        }
    }

    fn open(&mut self, sim: &mut Sim, allowed: &[u64]) -> Result<u64, String> {
        let mounted = Store::mount_broken(sim, REGION, self.options, self.canary);
        let mut store = mounted.map_err(|why| format!("mount: {why:?}"))?.store;
        let report = store.scrub().map_err(|why| format!("scrub: {why:?}"))?;
        if report.total > 0 {
            return Err(format!("scrub: {:?}", report.findings));
        }
        let key = (store.root(), store.superblock().root_crc);
        let digest = match self.digests.get(&key) {
            Some(digest) => *digest,
            None => {
                let (_, digest) = contents(&mut store).map_err(|why| format!("{why:?}"))?;
                self.digests.insert(key, digest);
                digest
            }
        };
        if allowed.contains(&digest) {
            Ok(digest)
        } else {
            let sequence = store.superblock().sequence;
            Err(format!(
                "a value that was neither acknowledged nor in flight ({sequence})"
            ))
        }
    }

    /// Goes on after a crash, and crashes again.
    fn again(&mut self, bytes: Vec<u8>, acked: u64) -> Result<(), String> {
        let mut sim = Sim::new(bytes.clone());
        let mounted = Store::mount_broken(&mut sim, REGION, self.options, self.canary);
        let mut store = mounted.map_err(|why| format!("mount: {why:?}"))?.store;
        let mut heap = Heap::default();
        for _ in 0..2 {
            let limbs = 1 + self.random.below(600);
            let pin = heap.row(self.random.next() >> 8, limbs, &[]);
            store.storage().mark(Event::Begin(heap.digest(pin)));
            store
                .commit(&mut heap, Root::Pin(pin))
                .map_err(|why| format!("{why:?}"))?;
            store.storage().mark(Event::Ack(heap.digest(pin)));
        }
        let (options, canary) = (self.options, self.canary);
        let mut inner = Judge {
            options,
            canary,
            digests: HashMap::new(),
            random: Random(1),
            nested: 0,
        };
        let mut judge = |bytes: &mut Vec<u8>, allowed: &[u64]| {
            let mut sim = Sim::new(std::mem::take(bytes));
            let result = inner.open(&mut sim, allowed);
            *bytes = sim.bytes;
            result.map(drop)
        };
        let effort = Effort {
            subsets: 4,
            random: 10,
        };
        let mut crashes = Crashes::new(bytes, &[acked], effort, self.random.next(), &mut judge);
        let result = crashes.run(&sim.log);
        self.nested += crashes.states;
        result.map_err(|why| format!("after a second crash: {why}"))
    }
}

/// One workload: the file before it and the value in it, what it left, and how it ended.
fn workload(seed: u64, canary: Option<Canary>) -> (Vec<u8>, u64, Run, Result<(), String>) {
    let mut run = Run::new(seed, canary);
    let (start, acked) = (run.sim.bytes.clone(), run.acked);
    let (mut left, mut result) = (STEPS, Ok(()));
    while left > 0 && result.is_ok() {
        result = run.process(&mut left);
    }
    (start, acked, run, result)
}

/// Runs one workload and looks at the crash states of all of it; how many there were.
fn crash(seed: u64, canary: Option<Canary>) -> Result<u64, String> {
    let (start, acked, run, mut result) = workload(seed, canary);
    if canary.is_none() && result.is_ok() {
        result = untouched(&start, &run.sim.log);
    }
    result.map_err(|why| format!("seed {seed}: {why}"))?;
    let mut judge = Judge {
        options: run.options,
        canary,
        digests: HashMap::new(),
        random: Random(seed),
        nested: 0,
    };
    let mut look = |bytes: &mut Vec<u8>, allowed: &[u64]| judge.judge(bytes, allowed);
    let effort = Effort {
        subsets: 7,
        random: 60,
    };
    let mut crashes = Crashes::new(start, &[acked], effort, seed, &mut look);
    let result = crashes.run(&run.sim.log);
    let states = crashes.states;
    result.map_err(|why| format!("seed {seed}: {why}"))?;
    Ok(states + judge.nested)
}

/// How to see a failure again.
fn replay(seed: u64) -> String {
    let test = "a_crash_leaves_the_last_acknowledged_value_or_the_one_in_flight";
    format!("again: PLAN_CRASH_SEED={seed} cargo test -p plan-base --lib {test}")
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn a_crash_leaves_the_last_acknowledged_value_or_the_one_in_flight() {
    if let Some(seed) = setting("PLAN_CRASH_SEED") {
        crash(seed, None).unwrap_or_else(|why| panic!("{why}"));
        return;
    }
    let wanted = setting("PLAN_CRASH_STATES").unwrap_or(2_000_000);
    let (mut states, mut seed) = (0, 0);
    while states < wanted {
        states += crash(seed, None).unwrap_or_else(|why| panic!("{why}\n{}", replay(seed)));
        seed += 1;
    }
    println!("{states} states of {seed} workloads");
}

/// The check that nothing either superblock reaches is touched notices what breaks that, by itself.
#[test]
fn what_touches_a_generation_is_noticed_at_the_write() {
    for canary in [
        Canary::SameSlot,
        Canary::EarlyReuse,
        Canary::EarlyTruncate,
        Canary::EarlyPunch,
    ] {
        let noticed = (1000..1200).any(|seed| {
            let (start, _, run, _) = workload(seed, Some(canary));
            untouched(&start, &run.sim.log).is_err()
        });
        assert!(noticed, "{canary:?} goes unnoticed");
    }
    let (start, _, run, _) = workload(1000, None);
    assert_eq!(untouched(&start, &run.sim.log), Ok(()));
}

/// A workload shows what is broken, the same one again in the same way, and nothing without the canary.
fn is_noticed(canary: Canary) {
    let noticed = (1000..1200).find_map(|seed| {
        let error = crash(seed, Some(canary)).err()?;
        Some((seed, error))
    });
    let (seed, error) = noticed.unwrap_or_else(|| panic!("{canary:?} goes unnoticed"));
    assert!(error.starts_with(&format!("seed {seed}: ")), "{error}");
    assert_eq!(crash(seed, Some(canary)), Err(error));
    crash(seed, None).unwrap_or_else(|why| panic!("without {canary:?}: {why}\n{}", replay(seed)));
}

macro_rules! canaries {
    ($($name:ident: $canary:ident,)*) => {$(
        #[test]
        fn $name() {
            is_noticed(Canary::$canary);
        }
    )*};
}

canaries! {
    an_unchecked_delta_is_noticed: NoDeltaCheck,
    a_missing_data_sync_is_noticed: NoDataSync,
    an_overwritten_current_superblock_is_noticed: SameSlot,
    early_reuse_is_noticed: EarlyReuse,
    an_old_map_is_noticed: OldMap,
    a_missing_settlement_is_noticed: NoSettling,
    early_truncation_is_noticed: EarlyTruncate,
    early_punching_is_noticed: EarlyPunch,
    punching_what_may_be_taken_is_noticed: PunchTaken,
    a_precommit_that_publishes_is_noticed: PrecommitRoot,
    an_acknowledgement_before_the_sync_is_noticed: NoSync,
    early_notes_are_noticed: EarlyNotes,
}
