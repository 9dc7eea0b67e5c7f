//! Longer runs of more threads under schedules drawn at random: `shuttle`.
//!
//! Invariants:
//! - `shuttle` shows only what a memory that orders everything shows; weaker ones are tried in
//!   [`super::exhaustive`];
//! - half of the runs draw every step (`check_random`), half draw few changes at bad moments
//!   (`check_pct`), which finds faults that need little but unlucky timing;
//! - seeds are fixed by the number of the run, so a failure comes again;
//! - faulty words fail, which shows that the others are really looked at.
//!
//! Safety: see [`super::model`].
#![allow(unsafe_code)]

use super::model::{self, NONE, Sleeper};
use crate::sync::word::Word;
use crate::sync::{Condvar, Countdown, Mutex, RwLock};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, sync, thread};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{self, Relaxed, SeqCst};

model::model_word!(ShuttleWord);

type W = ShuttleWord<NONE>;

/// Runs of each kind of schedule.
const RUNS: usize = 200;

fn check(body: impl Fn() + Send + Sync + Clone + 'static) {
    let random = RandomScheduler::new_from_seed(1, RUNS);
    Runner::new(random, Config::new()).run(body.clone());
    let pct = PctScheduler::new_from_seed(1, 5, RUNS);
    Runner::new(pct, Config::new()).run(body);
}

/// Runs `body` on so many threads and waits for them.
fn on_threads<T: Send + Sync + 'static>(count: u32, shared: T, body: fn(&T, u32)) -> T {
    let shared = Arc::new(shared);
    let threads: Vec<_> = (0..count)
        .map(|i| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || body(&shared, i))
        })
        .collect();
    threads.into_iter().for_each(|it| it.join().unwrap());
    Arc::into_inner(shared).unwrap()
}

/// A number that is read and written in two steps, between which threads may change.
#[derive(Default)]
struct Number(sync::atomic::AtomicU32);

impl Number {
    fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }

    fn add(&self, amount: u32) {
        let now = self.get();
        self.0.store(now.wrapping_add(amount), SeqCst);
    }
}

fn mutex<const FAULT: u8>() {
    check(|| {
        let mutex = Mutex::<_, ShuttleWord<FAULT>>::of(Number::default());
        let mutex = on_threads(5, mutex, |mutex, _| {
            for _ in 0..6 {
                mutex.lock().add(1);
            }
        });
        assert_eq!(mutex.lock().get(), 30);
    });
}

/// A queue of length alone, with room for two.
struct Queue<const FAULT: u8> {
    length: Mutex<Number, ShuttleWord<FAULT>>,
    more: Condvar<ShuttleWord<FAULT>>,
    less: Condvar<ShuttleWord<FAULT>>,
}

impl<const FAULT: u8> Queue<FAULT> {
    fn step(&self, from: u32, amount: u32) {
        let mut guard = self.length.lock();
        let (mine, theirs) = match amount {
            1 => (&self.less, &self.more),
            _ => (&self.more, &self.less),
        };
        mine.wait_while(&mut guard, |length| length.get() == from);
        guard.add(amount);
        assert!(guard.get() <= 2);
        theirs.signal(&guard);
    }
}

fn queue<const FAULT: u8>() {
    check(|| {
        let queue = Queue::<FAULT> {
            length: Mutex::of(Number::default()),
            more: Condvar::of(),
            less: Condvar::of(),
        };
        let queue = on_threads(6, queue, |queue, i| {
            for _ in 0..5 {
                match i % 2 {
                    0 => queue.step(2, 1),
                    _ => queue.step(0, u32::MAX),
                }
            }
        });
        assert_eq!(queue.length.lock().get(), 0);
    });
}

/// Threads meet as often as they like: the last to come lets the others go.
fn meeting<const FAULT: u8>() {
    const THREADS: u32 = 4;
    check(|| {
        let place = (
            Mutex::<_, ShuttleWord<FAULT>>::of(Number::default()),
            Condvar::<ShuttleWord<FAULT>>::of(),
        );
        let place = on_threads(THREADS, place, |(mutex, changed), _| {
            for round in 1..=4 {
                let mut guard = mutex.lock();
                guard.add(1);
                if guard.get() == round * THREADS {
                    changed.broadcast(&guard);
                }
                changed.wait_while(&mut guard, |it| it.get() < round * THREADS);
            }
        });
        assert_eq!(place.0.lock().get(), 4 * THREADS);
    });
}

fn rwlock<const FAULT: u8>() {
    check(|| {
        let pair = RwLock::<[Number; 2], ShuttleWord<FAULT>>::of(Default::default());
        let pair = on_threads(6, pair, |lock, i| {
            for _ in 0..4 {
                if i < 3 {
                    let pair = lock.write();
                    pair.iter().for_each(|number| number.add(1));
                } else {
                    let pair = lock.read();
                    let again = lock.read();
                    assert_eq!(pair[0].get(), again[1].get());
                }
            }
        });
        assert_eq!(pair.into_inner().map(|it| it.get()), [12; 2]);
    });
}

#[test]
fn mutex_excludes() {
    mutex::<NONE>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn mutex_without_wakes_is_noticed() {
    mutex::<{ model::NO_WAKE }>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn mutex_asleep_too_late_is_noticed() {
    mutex::<{ model::LATE_SLEEP }>();
}

#[test]
fn condvar_signals_reach() {
    queue::<NONE>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn condvar_without_wakes_is_noticed() {
    queue::<{ model::NO_WAKE }>();
}

#[test]
fn condvar_broadcasts_reach() {
    meeting::<NONE>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn condvar_without_requeue_is_noticed() {
    meeting::<{ model::NO_REQUEUE }>();
}

#[test]
fn rwlock_keeps_pairs_equal() {
    rwlock::<NONE>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn rwlock_without_wakes_is_noticed() {
    rwlock::<{ model::NO_WAKE }>();
}

/// A writer that comes back at once, again and again, does not keep a reader waiting.
#[test]
fn rwlock_lets_waiting_readers_in_first() {
    check(|| {
        let shared = (RwLock::<_, W>::of(Number::default()), Number::default());
        on_threads(5, shared, |(lock, reads), i| {
            for _ in 0..4 {
                if i < 2 {
                    let guard = lock.write();
                    let expected = guard.waiting_readers() + reads.get();
                    drop(guard);
                    let guard = lock.write();
                    assert!(reads.get() >= expected);
                    guard.add(1);
                } else {
                    let guard = lock.read();
                    // Counted while others cannot write; readers count one after the other.
                    reads.0.fetch_add(1, SeqCst);
                    drop(guard);
                }
            }
        });
    });
}

#[test]
fn countdown_ends_when_all_is_done() {
    check(|| {
        let shared = (Countdown::<W>::of(4), Number::default());
        on_threads(7, shared, |(countdown, done), i| {
            if i < 4 {
                done.0.fetch_add(1, SeqCst);
                countdown.done();
            } else {
                countdown.wait();
                assert_eq!(done.get(), 4);
            }
        });
    });
}
