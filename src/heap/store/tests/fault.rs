//! Each call to the system fails in turn: nothing is lost, the error is told, and the store goes on
//! or refuses to write.

use super::super::sim::{Crashes, Effort, Event, Fault, Sim};
use super::super::*;
use super::basic::{image, mount};
use super::crash::REGION;
use super::model::{Heap, contents};
use std::collections::HashMap;

/// The values a scenario commits, and what it is at.
struct Scenario {
    heap: Heap,
    values: Vec<u64>,
    acked: u64,
    in_flight: Option<u64>,
    errors: Vec<Error>,
}

impl Scenario {
    fn new() -> (Scenario, Sim) {
        let mut heap = Heap::default();
        let big = heap.row(1, 700, &[]);
        let first = heap.row(2, 2, &[big]);
        let second = heap.row(3, 900, &[first]);
        let third = heap.row(4, 1, &[big]);
        let fourth = heap.row(5, 1, &[third, second]);
        let mut sim = image(&mut heap, Root::Pin(first));
        for number in 0..4 {
            let pin = heap.row(900 + number, 1, &[first]);
            let mounted = Store::mount(&mut sim, REGION, Options::default());
            let mut store = mounted.expect("sound").store;
            store.commit(&mut heap, Root::Pin(pin)).expect("no faults");
            store.settle();
        }
        sim.log.clear();
        (sim.calls, sim.writes, sim.syncs) = (0, 0, 0);
        let acked = heap.digest(heap.pins.len() as u64 - 1);
        let values = vec![second, third, fourth];
        let scenario = Scenario {
            heap,
            values,
            acked,
            in_flight: None,
            errors: Vec::new(),
        };
        (scenario, sim)
    }

    /// Does everything a store can do, once; a failed store is mounted again.
    fn run(&mut self, sim: &mut Sim) {
        for at in 0..self.values.len() {
            let Ok(mounted) = Store::mount(&mut *sim, REGION, Options::default())
                .inspect_err(|error| self.errors.push(*error))
            else {
                continue;
            };
            let mut store = mounted.store;
            self.forget(&mut store);
            let ahead = store.precommit(&mut self.heap, self.values[at]);
            self.note(ahead.map(drop));
            self.commit(&mut store, self.values[at]);
            let collected = store.collect(&[]);
            self.note(collected.map(drop));
            self.forget(&mut store);
            self.commit(&mut store, self.values[at]);
            store.settle();
        }
    }

    /// Keeps the places of what the committed value reaches only.
    fn forget(&mut self, store: &mut Store<&mut Sim>) {
        match contents(store) {
            Ok((known, _)) => self.heap.forget(&known),
            Err(error) => {
                self.errors.push(error);
                self.heap.forget(&HashMap::new());
            }
        }
    }

    fn note(&mut self, result: Result<(), Error>) {
        self.errors.extend(result.err());
    }

    fn commit(&mut self, store: &mut Store<&mut Sim>, pin: u64) {
        let digest = self.heap.digest(pin);
        store.storage().mark(Event::Begin(digest));
        let result = store.commit(&mut self.heap, Root::Pin(pin));
        if result.is_ok() {
            store.storage().mark(Event::Ack(digest));
            (self.acked, self.in_flight) = (digest, None);
        } else {
            self.in_flight = Some(digest);
            assert!(
                result
                    .err()
                    .is_some_and(|e| !matches!(e, Error::Damaged(_)))
            );
        }
        self.note(result.map(drop));
    }
}

/// Judges every crash state of a run that went wrong: nobody knows which of the values committed since
/// the last acknowledged one will be there, but it is one of them, and whole.
fn judge(start: Vec<u8>, log: &[Event], seed: u64, heap: &Heap, values: &[u64], acked: u64) {
    let mut all: Vec<u64> = values.iter().map(|pin| heap.digest(*pin)).collect();
    all.push(acked);
    let mut look = |bytes: &mut Vec<u8>, _: &[u64]| {
        let mut sim = Sim::new(std::mem::take(bytes));
        let mounted = Store::mount(&mut sim, REGION, Options::default());
        let result = mounted
            .map_err(|why| format!("{why:?}"))
            .and_then(|mounted| {
                let mut store = mounted.store;
                let (_, digest) = contents(&mut store).map_err(|why| format!("{why:?}"))?;
                let sound = store.scrub().is_ok_and(|report| report.total == 0);
                if all.contains(&digest) && sound {
                    Ok(())
                } else {
                    Err("another value".into())
                }
            });
        *bytes = sim.bytes;
        result
    };
    let effort = Effort {
        subsets: 2,
        random: 3,
    };
    let mut crashes = Crashes::new(start, &[acked], effort, seed, &mut look);
    crashes
        .run(log)
        .unwrap_or_else(|why| panic!("call {seed}: {why}"));
}

fn calls() -> u64 {
    let (mut scenario, mut sim) = Scenario::new();
    scenario.run(&mut sim);
    assert_eq!(scenario.errors, []);
    sim.calls
}

fn each_call(fault: Fault, lasting: bool, check: impl Fn(&Scenario, u64)) {
    for call in 1..=calls() {
        let (mut scenario, mut sim) = Scenario::new();
        let (start, acked) = (sim.bytes.clone(), scenario.acked);
        sim.fault = Some((call, fault));
        sim.lasting = lasting;
        scenario.run(&mut sim);
        assert!(sim.hit, "call {call}");
        sim.fault = None;
        let log = std::mem::take(&mut sim.log);
        let mounted = Store::mount(&mut sim, REGION, Options::default());
        let mut store = mounted
            .unwrap_or_else(|why| panic!("call {call}: {why:?}"))
            .store;
        let (known, digest) = contents(&mut store).expect("sound");
        let expected = digest == scenario.acked || Some(digest) == scenario.in_flight;
        assert!(expected, "call {call}: another value");
        check(&scenario, call);
        // The next process goes on.
        scenario.heap.forget(&known);
        let pin = scenario.heap.row(77, 600, &[]);
        store
            .commit(&mut scenario.heap, Root::Pin(pin))
            .expect("no more faults");
        assert_eq!(
            store.scrub().expect("no more faults").total,
            0,
            "call {call}"
        );
        judge(start, &log, call, &scenario.heap, &scenario.values, acked);
    }
}

#[test]
fn interruptions_and_short_transfers_are_nothing() {
    let nothing = |scenario: &Scenario, call: u64| {
        assert_eq!(scenario.errors, [], "call {call}");
        assert_eq!(scenario.acked, scenario.heap.digest(scenario.values[2]));
    };
    each_call(Fault::Fail(Errno::EINTR), false, nothing);
    each_call(Fault::Short, false, nothing);
    each_call(Fault::Short, true, nothing);
}

#[test]
fn errors_are_told_and_cost_nothing_that_was_acknowledged() {
    for errno in [Errno::EIO, Errno::ENOSPC] {
        each_call(Fault::Fail(errno), false, |scenario, call| {
            // Holes and cut ends are worth nothing; everything else is told.
            let told = scenario.errors.iter().all(|error| error.errno() == errno);
            assert!(told, "call {call}: {:?}", scenario.errors);
        });
        each_call(Fault::Fail(errno), true, |scenario, call| {
            let told = scenario.errors.iter().all(|error| error.errno() == errno);
            assert!(told, "call {call}: {:?}", scenario.errors);
        });
    }
}

/// What each call of one commit costs when it fails: the step, and whether the store is through.
#[test]
fn only_what_the_system_did_not_confirm_ends_a_store() {
    let expected = [
        ("read", false),
        ("write", false),
        ("write", true),
        ("sync", true),
    ];
    for (ahead, (step, ends)) in (1..).zip(expected) {
        for errno in [Errno::EIO, Errno::ENOSPC] {
            let mut heap = Heap::default();
            let first = heap.row(1, 1, &[]);
            let mut sim = image(&mut heap, Root::Pin(first));
            let second = heap.row(2, 1, &[]);
            let mounted = Store::mount(&mut sim, REGION, Options::default());
            let mut store = mounted.expect("sound").store;
            let at = store.storage().calls + ahead;
            store.storage().fault = Some((at, Fault::Fail(errno)));
            let result = store.commit(&mut heap, Root::Pin(second));
            assert_eq!(result, Err(Error::Io(step, errno)), "call {ahead}");
            assert_eq!(store.failed(), ends, "call {ahead}");
            if ends {
                ended(store, &mut heap, second, errno);
                let mut next = Sim::new(sim.bytes.clone());
                let mut store = mount(&mut next);
                assert_eq!(contents(&mut store).expect("sound").1, heap.digest(first));
            } else {
                assert!(store.commit(&mut heap, Root::Pin(second)).is_ok());
            }
        }
    }
}

/// A store that has failed writes not a byte.
fn ended(mut store: Store<&mut Sim>, heap: &mut Heap, pin: u64, errno: Errno) {
    let log = store.storage().log.len();
    assert_eq!(
        store.commit(heap, Root::Pin(pin)),
        Err(Error::Failed(errno))
    );
    assert_eq!(store.precommit(heap, pin), Err(Error::Failed(errno)));
    assert_eq!(store.collect(&[]).err(), Some(Error::Failed(errno)));
    store.settle();
    assert_eq!(store.storage().log.len(), log);
}
