//! Mutators on threads of their own, against their models.
//!
//! `PLAN_SOAK_SECONDS` is the time that all of it takes, 4 unless set; `make soak` runs half an hour.
//!
//! Invariants:
//! - who puts a pin on the table or takes one from there hands it over, so that it is kept whoever has
//!   given roots already; pins on the table are roots of the thread that outlives the others.
//!
//! Safety: as in the tests above.

use super::*;
use std::sync::Mutex as Lock;
use std::time::{Duration, Instant};

/// Pins that lie between threads: the stamp of each, and what the model knows of all it leads to.
type Table = Lock<Vec<(u64, HashMap<u64, Known>)>>;

/// Pins on the table, at most, and pins that one of them leads to.
const ROOM: usize = 64;
const SMALL: usize = 200;
/// Pins of the chain that stays for the whole of the last run.
const LINKS: usize = 1_000_000;

fn time() -> Duration {
    let seconds = std::env::var("PLAN_SOAK_SECONDS").map_or(4, |text| {
        text.parse()
            .expect("PLAN_SOAK_SECONDS is a number of seconds")
    });
    Duration::from_secs(seconds) / 4
}

/// Threads make, drop and exchange pins, rest and go on, and collections go on all the time: what each
/// has made is there as long as it is reachable, and nothing afterwards.
#[test]
fn threads_make_and_drop_pins_while_they_are_collected() {
    for threads in 1..=4 {
        let table = &Table::default();
        std::thread::scope(|scope| {
            // The thread of the test is one of them.
            let mut own = Mutator::new(arena(32), 1 << 60);
            let start = |i| {
                let mut other = Mutator::new(own.arena.share(), i << 40);
                scope.spawn(move || {
                    churn(&mut other, table, i);
                    other.check();
                })
            };
            let others: Vec<_> = (1..threads).map(start).collect();
            let links = if threads == 4 { LINKS } else { 10 };
            own.keep = (0..links).fold(None, |last: Option<u64>, _| {
                Some(own.pin(last.as_slice(), 1))
            });
            churn(&mut own, table, 99);
            // One that rests is no mutator, but goes on.
            while !others.iter().all(|other| other.is_finished()) {
                own.safe_point(table);
                std::thread::yield_now();
            }
            own.check();
            end(own, table);
        });
    }
}

/// Nothing is reachable any more, so nothing is left.
fn end(mut own: Mutator, table: &Table) {
    // The last to go may have left a collection behind.
    own.safe_point(table);
    own.arena.wait();
    own.roots.clear();
    own.keep = None;
    own.collect();
    own.collect();
    assert_eq!(
        (own.arena.live_blocks(), own.arena.allocated_bytes()),
        (0, 0)
    );
    assert_eq!(own.arena.verify(), Ok(()));
    // Two of them are those right above.
    assert!(own.arena.counters().collections > 2);
}

fn churn(m: &mut Mutator, table: &Table, seed: u64) {
    let (start, time) = (Instant::now(), time());
    let (mut state, mut steps) = (seed, 0u64);
    while start.elapsed() < time {
        for _ in 0..200 {
            m.step(random(&mut state));
        }
        steps += 1;
        m.safe_point(table);
        if steps.is_multiple_of(7) {
            m.arena.begin(Reason::Regular);
        }
        if random(&mut state).is_multiple_of(2) {
            m.put(table, random(&mut state) as usize);
        } else {
            m.take(table, random(&mut state) as usize);
        }
        if steps.is_multiple_of(50) {
            m.check();
            assert_eq!(m.arena.verify(), Ok(()));
            m.forget();
        }
        if steps.is_multiple_of(31) && m.keep.is_none() {
            m.roots.clear();
            m.forget();
            m.arena.rest();
            std::thread::yield_now();
            m.arena.resume();
        }
    }
}

impl Mutator {
    /// What a machine does after a collection of its moving heap.
    fn safe_point(&mut self, table: &Table) {
        if self.arena.is_due() {
            self.arena.begin(Reason::Growth);
        }
        // Held until the roots are given: nobody puts or takes meanwhile.
        let lying = table.lock().unwrap();
        let Some(mut gathering) = self.arena.gather() else {
            return;
        };
        for stamp in self.roots.iter().chain(&self.keep) {
            gathering.root(self.known[stamp].pin);
        }
        if self.keep.is_some() {
            lying
                .iter()
                .for_each(|(stamp, known)| gathering.root(known[stamp].pin));
        }
        gathering.end();
        drop(lying);
        self.arena.finish();
    }

    /// What the model knows of a pin and all it leads to, if that is little.
    fn part(&self, stamp: u64) -> Option<HashMap<u64, Known>> {
        let (mut part, mut todo) = (HashMap::new(), vec![stamp]);
        while let Some(stamp) = todo.pop() {
            let known = &self.known[&stamp];
            if part.insert(stamp, known.clone()).is_none() {
                todo.extend(&known.children);
            }
            if part.len() > SMALL {
                return None;
            }
        }
        Some(part)
    }

    /// Puts one of its roots on the table, in the place of another if there is no room.
    fn put(&mut self, table: &Table, pick: usize) {
        let Some(stamp) = self.roots.get(pick % 50).copied() else {
            return;
        };
        let Some(part) = self.part(stamp) else {
            return;
        };
        let mut lying = table.lock().unwrap();
        self.arena.hand_over(self.known[&stamp].pin);
        if lying.len() == ROOM {
            lying.swap_remove(pick / 50 % ROOM);
        }
        lying.push((stamp, part));
    }

    /// Takes a pin from the table.
    fn take(&mut self, table: &Table, pick: usize) {
        let mut lying = table.lock().unwrap();
        if lying.is_empty() {
            return;
        }
        let at = pick % lying.len();
        let (stamp, part) = lying.swap_remove(at);
        self.arena.hand_over(part[&stamp].pin);
        drop(lying);
        self.known.extend(part);
        self.roots.push(stamp);
    }
}
