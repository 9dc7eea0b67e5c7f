//! Every interleaving of two or three threads, and every value that memory may show them: `loom`.
//!
//! Invariants:
//! - data under a lock is a cell that `loom` watches: two accesses of which one is a change, without
//!   an order between them, fail the test; so does a deadlock;
//! - a thread that only wakes, at any time and for no reason, stands for spurious wakes and signals;
//! - faulty words fail, which shows that the others are really looked at.
//!
//! Safety: see [`super::model`].
#![allow(unsafe_code)]

use super::model::{self, NONE, Sleeper};
use crate::sync::word::Word;
use crate::sync::{Condvar, Countdown, Mutex, RwLock};
use loom::cell::UnsafeCell;
use loom::{sync, thread};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{self, Relaxed};

model::model_word!(LoomWord);

type W = LoomWord<NONE>;

/// A number whose unordered use `loom` reports.
struct Cell(UnsafeCell<u32>);

// SAFETY: loom checks the accesses.
unsafe impl Sync for Cell {}

impl Cell {
    fn new(value: u32) -> Cell {
        Cell(UnsafeCell::new(value))
    }

    fn get(&self) -> u32 {
        // SAFETY: loom checks the accesses.
        self.0.with(|at| unsafe { *at })
    }

    fn add(&self, amount: u32) {
        // SAFETY: loom checks the accesses.
        self.0
            .with_mut(|at| unsafe { *at = (*at).wrapping_add(amount) });
    }
}

/// All interleavings, or those that take the processor from a running thread at most so many times;
/// with `PLAN_EXHAUSTIVE=1` always all, which takes minutes for some.
fn check(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    if std::env::var_os("PLAN_EXHAUSTIVE").is_none() {
        builder.preemption_bound = preemptions;
    }
    builder.max_branches = 100_000;
    builder.check(body);
}

fn counted<const FAULT: u8>(threads: u32, rounds: u32, preemptions: Option<usize>) {
    check(preemptions, move || {
        let mutex = Arc::new(Mutex::<_, LoomWord<FAULT>>::of(Cell::new(0)));
        let work = move |mutex: &Mutex<Cell, LoomWord<FAULT>>| {
            for _ in 0..rounds {
                mutex.lock().add(1);
            }
        };
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                thread::spawn(move || work(&mutex))
            })
            .collect();
        work(&mutex);
        others.into_iter().for_each(|it| it.join().unwrap());
        assert_eq!(mutex.lock().get(), threads * rounds);
    });
}

#[test]
fn mutex_two_threads() {
    counted::<NONE>(2, 2, None);
}

#[test]
fn mutex_three_threads() {
    counted::<NONE>(3, 1, Some(3));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn mutex_without_order_is_noticed() {
    counted::<{ model::NO_ORDER }>(2, 1, None);
}

#[test]
fn mutex_tried_and_woken_for_nothing() {
    check(Some(3), || {
        let mutex = Arc::new(Mutex::<_, W>::of(Cell::new(0)));
        let [first, second] = [(); 2].map(|()| Arc::clone(&mutex));
        let adds = thread::spawn(move || first.lock().add(1));
        let wakes = thread::spawn(move || second.lock().raw().word().wake_one());
        let tried = mutex.try_lock().map(|guard| guard.add(1)).is_some();
        adds.join().unwrap();
        wakes.join().unwrap();
        assert_eq!(mutex.lock().get(), 1 + u32::from(tried));
    });
}

/// A mutex and a condition variable.
struct Monitor<const FAULT: u8> {
    mutex: Mutex<Cell, LoomWord<FAULT>>,
    changed: Condvar<LoomWord<FAULT>>,
}

impl<const FAULT: u8> Monitor<FAULT> {
    fn new() -> Arc<Monitor<FAULT>> {
        Arc::new(Monitor {
            mutex: Mutex::of(Cell::new(0)),
            changed: Condvar::of(),
        })
    }

    /// Waits for a unit and takes it.
    fn take(&self) {
        let mut guard = self.mutex.lock();
        self.changed.wait_while(&mut guard, |cell| cell.get() == 0);
        guard.add(u32::MAX);
    }

    fn spawn(this: &Arc<Self>, body: fn(&Self)) -> thread::JoinHandle<()> {
        let this = Arc::clone(this);
        thread::spawn(move || body(&this))
    }
}

fn signals<const FAULT: u8>() {
    check(Some(3), || {
        let monitor = Monitor::<FAULT>::new();
        let takers = [(); 2].map(|()| Monitor::spawn(&monitor, Monitor::take));
        for _ in 0..2 {
            let guard = monitor.mutex.lock();
            guard.add(1);
            monitor.changed.signal(&guard);
        }
        takers.into_iter().for_each(|it| it.join().unwrap());
        assert_eq!(monitor.mutex.lock().get(), 0);
    });
}

fn broadcast<const FAULT: u8>() {
    check(Some(3), || {
        let monitor = Monitor::<FAULT>::new();
        let takers = [(); 2].map(|()| Monitor::spawn(&monitor, Monitor::take));
        let guard = monitor.mutex.lock();
        guard.add(2);
        monitor.changed.broadcast(&guard);
        drop(guard);
        takers.into_iter().for_each(|it| it.join().unwrap());
        assert_eq!(monitor.mutex.lock().get(), 0);
    });
}

#[test]
fn condvar_one_waiter() {
    check(None, || {
        let monitor = Monitor::<NONE>::new();
        let taker = Monitor::spawn(&monitor, Monitor::take);
        let guard = monitor.mutex.lock();
        guard.add(1);
        monitor.changed.signal(&guard);
        drop(guard);
        taker.join().unwrap();
    });
}

#[test]
fn condvar_signals() {
    signals::<NONE>();
}

#[test]
fn condvar_broadcast() {
    broadcast::<NONE>();
}

#[test]
fn condvar_woken_for_nothing() {
    check(Some(3), || {
        let monitor = Monitor::<NONE>::new();
        let taker = Monitor::spawn(&monitor, Monitor::take);
        let waker = Monitor::spawn(&monitor, |it| it.changed.wake_for_nothing());
        let guard = monitor.mutex.lock();
        guard.add(1);
        monitor.changed.broadcast(&guard);
        drop(guard);
        taker.join().unwrap();
        waker.join().unwrap();
    });
}

/// Two cells that a writer changes together and a reader must find equal.
struct Pair<const FAULT: u8>(RwLock<[Cell; 2], LoomWord<FAULT>>);

impl<const FAULT: u8> Pair<FAULT> {
    fn read(&self) {
        let cells = self.0.read();
        assert_eq!(cells[0].get(), cells[1].get());
    }

    fn write(&self) {
        let cells = self.0.write();
        cells.iter().for_each(|cell| cell.add(1));
    }

    /// Reading again while reading, with a writer waiting or not.
    fn read_twice(&self) {
        let cells = self.0.read();
        self.read();
        assert_eq!(cells[0].get(), cells[1].get());
    }
}

fn pair<const FAULT: u8>(preemptions: Option<usize>, bodies: &'static [fn(&Pair<FAULT>)]) {
    check(preemptions, move || {
        let cells = [(); 2].map(|()| Cell::new(0));
        let pair = Arc::new(Pair::<FAULT>(RwLock::of(cells)));
        let others: Vec<_> = bodies[1..]
            .iter()
            .map(|body| {
                let pair = Arc::clone(&pair);
                thread::spawn(move || body(&pair))
            })
            .collect();
        bodies[0](&pair);
        others.into_iter().for_each(|it| it.join().unwrap());
    });
}

#[test]
fn rwlock_reader_and_writer() {
    pair::<NONE>(None, &[Pair::read, Pair::write]);
}

#[test]
fn rwlock_two_writers() {
    pair::<NONE>(None, &[Pair::write, Pair::write]);
}

#[test]
fn rwlock_two_readers_and_a_writer() {
    pair::<NONE>(Some(3), &[Pair::read, Pair::read, Pair::write]);
}

#[test]
fn rwlock_two_writers_and_a_reader() {
    pair::<NONE>(Some(3), &[Pair::write, Pair::read, Pair::write]);
}

#[test]
fn rwlock_readers_may_read_again() {
    pair::<NONE>(Some(3), &[Pair::read_twice, Pair::write]);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn rwlock_without_order_is_noticed() {
    pair::<{ model::NO_ORDER }>(None, &[Pair::read, Pair::write]);
}

/// A reader that waits when a writer leaves has read before the writer is back.
#[test]
fn rwlock_lets_waiting_readers_in_first() {
    check(Some(3), || {
        let lock = Arc::new(RwLock::<_, W>::of(Cell::new(0)));
        let has_read = Arc::new(AtomicBool::new(false));
        let guard = lock.write();
        let reader = {
            let (lock, has_read) = (Arc::clone(&lock), Arc::clone(&has_read));
            thread::spawn(move || {
                let cell = lock.read();
                cell.get();
                has_read.store(true, Relaxed);
            })
        };
        let waits = guard.waiting_readers() > 0;
        drop(guard);
        let guard = lock.write();
        assert!(!waits || has_read.load(Relaxed));
        guard.add(1);
        drop(guard);
        reader.join().unwrap();
    });
}

#[test]
fn countdown_shows_what_was_done() {
    check(None, || {
        let cells = Arc::new([(); 2].map(|()| Cell::new(0)));
        let countdown = Arc::new(Countdown::<W>::of(2));
        let workers: Vec<_> = (0..2)
            .map(|i| {
                let (cells, countdown) = (Arc::clone(&cells), Arc::clone(&countdown));
                thread::spawn(move || {
                    cells[i].add(1);
                    countdown.done();
                })
            })
            .collect();
        countdown.wait();
        assert_eq!((cells[0].get(), cells[1].get()), (1, 1));
        workers.into_iter().for_each(|it| it.join().unwrap());
        countdown.set(1);
        countdown.done();
        countdown.wait();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn countdown_without_order_is_noticed() {
    check(None, || {
        let cell = Arc::new(Cell::new(0));
        let countdown = Arc::new(Countdown::<LoomWord<{ model::NO_ORDER }>>::of(1));
        let worker = {
            let (cell, countdown) = (Arc::clone(&cell), Arc::clone(&countdown));
            thread::spawn(move || {
                cell.add(1);
                countdown.done();
            })
        };
        countdown.wait();
        assert_eq!(cell.get(), 1);
        worker.join().unwrap();
    });
}
