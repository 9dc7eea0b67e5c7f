//! Scenarios of the locks on threads of ours.

use crate::say;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use plan::os::{clock, sys};
use plan::sync::thread::STACK_BYTES;
use plan::sync::{Condvar, Countdown, Mutex, RwLock, spawn};

/// Runs the scenario of this name; whether there is one.
pub fn run(name: &[u8]) -> bool {
    match name {
        b"mutex" => mutex(),
        b"handover" => handover(),
        b"signal" => waiters(false),
        b"broadcast" => waiters(true),
        b"rwlock" => rwlock(),
        b"writers-wait" => writers_among_readers(),
        b"readers-wait" => readers_beside_a_writer(),
        b"countdown" => countdown(),
        b"interrupted" => interrupted(),
        _ => return false,
    }
    true
}

/// Runs `body` on so many threads at once and waits for them.
fn on_threads<T: Send + Sync + 'static>(count: u32, shared: T, body: fn(&T, u32)) -> Arc<T> {
    let shared = Arc::new(shared);
    let threads: Vec<_> = (0..count)
        .map(|i| {
            let shared = Arc::clone(&shared);
            spawn(STACK_BYTES, move || body(&shared, i)).expect("a thread")
        })
        .collect();
    threads.into_iter().for_each(drop);
    shared
}

fn now() -> u64 {
    clock::monotonic().expect("a clock")
}

/// Lets another thread run.
fn pause() {
    let sched_yield = 24;
    // SAFETY: touches no memory.
    unsafe { sys::raw(sched_yield, [0; 6]) };
}

/// Sleeps for so many microseconds.
fn sleep(micros: u64) {
    let time = [0, micros * 1000];
    let nanosleep = 35;
    // SAFETY: the kernel reads the 16 bytes of `time`.
    unsafe { sys::raw(nanosleep, [time.as_ptr().addr() as u64, 0, 0, 0, 0, 0]) };
}

/// A lock, its data, and who is inside.
struct Guarded {
    count: Mutex<u64>,
    inside: AtomicU32,
    rounds: u32,
}

fn mutex() {
    for (threads, rounds) in [
        (2, 10_000),
        (4, 10_000),
        (8, 10_000),
        (16, 5000),
        (32, 2500),
    ] {
        let guarded = Guarded {
            count: Mutex::new(0),
            inside: AtomicU32::new(0),
            rounds,
        };
        let time = now();
        let guarded = on_threads(threads, guarded, |it, i| {
            for n in 0..it.rounds {
                let mut count = it.count.lock();
                assert_eq!(it.inside.fetch_add(1, Relaxed), 0);
                let old = *count;
                if (n + i) % 64 == 0 {
                    pause();
                }
                *count = old + 1;
                it.inside.fetch_sub(1, Relaxed);
            }
        });
        let all = u64::from(threads * rounds);
        assert_eq!(*guarded.count.lock(), all);
        say(format_args!(
            "{threads} threads: {} ns a round",
            (now() - time) / all
        ));
    }
}

/// Producers and consumers hand over single items.
fn handover() {
    struct Slot {
        item: Mutex<Option<u32>>,
        full: Condvar,
        free: Condvar,
        sum: AtomicU64,
    }
    let slot = Slot {
        item: Mutex::new(None),
        full: Condvar::new(),
        free: Condvar::new(),
        sum: AtomicU64::new(0),
    };
    let slot = on_threads(20, slot, |slot, i| {
        for n in 0..1000 {
            let mut item = slot.item.lock();
            if i % 2 == 0 {
                slot.free.wait_while(&mut item, |item| item.is_some());
                *item = Some(n);
                slot.full.signal(&item);
            } else {
                slot.full.wait_while(&mut item, |item| item.is_none());
                slot.sum
                    .fetch_add(item.take().map_or(0, u64::from), Relaxed);
                slot.free.signal(&item);
            }
        }
    });
    assert_eq!(slot.sum.load(Relaxed), 10 * 999 * 500);
}

/// Where threads wait for units.
struct Place {
    units: Mutex<u32>,
    more: Condvar,
    at_once: bool,
    /// Waits that have begun.
    waiting: AtomicU32,
    /// Rounds that are over.
    over: AtomicU32,
}

const WAITERS: u32 = 50;

impl Place {
    fn take(&self, round: u32) {
        let mut units = self.units.lock();
        self.waiting.fetch_add(1, SeqCst);
        self.more.wait_while(&mut units, |units| *units == 0);
        *units -= 1;
        drop(units);
        while self.over.load(SeqCst) < round {
            pause();
        }
    }

    fn give(&self, round: u32) {
        while self.waiting.load(SeqCst) < round * WAITERS {
            pause();
        }
        let step = if self.at_once { WAITERS } else { 1 };
        for _ in 0..WAITERS / step {
            let mut units = self.units.lock();
            *units += step;
            match self.at_once {
                true => self.more.broadcast(&units),
                false => self.more.signal(&units),
            }
        }
        while *self.units.lock() > 0 {
            pause();
        }
        self.over.store(round, SeqCst);
    }
}

/// Fifty threads wait for units, which come one by one or all at once.
fn waiters(at_once: bool) {
    let place = Place {
        units: Mutex::new(0),
        more: Condvar::new(),
        at_once,
        waiting: AtomicU32::new(0),
        over: AtomicU32::new(0),
    };
    on_threads(WAITERS + 1, place, |place, i| {
        for round in 1..=20 {
            match i {
                WAITERS => place.give(round),
                _ => place.take(round),
            }
        }
    });
}

/// A pair of numbers that are equal whenever somebody may look.
struct Pair {
    pair: RwLock<[u32; 2]>,
    readers: u32,
    rounds: u32,
    inside: AtomicU32,
    most: AtomicU32,
}

impl Pair {
    fn read(&self) {
        let pair = self.pair.read();
        let inside = self.inside.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(inside, Relaxed);
        let first = pair[0];
        pause();
        assert_eq!(first, pair[1]);
        self.inside.fetch_sub(1, Relaxed);
    }

    fn write(&self) {
        let mut pair = self.pair.write();
        assert_eq!(self.inside.load(Relaxed), 0);
        pair[0] += 1;
        pause();
        pair[1] += 1;
    }
}

fn rwlock() {
    let mixes = [
        (2, 1, 1000),
        (10, 3, 1000),
        (2, 5, 500),
        (8, 1, 500),
        (5, 5, 500),
    ];
    for (readers, writers, rounds) in mixes {
        let pair = Pair {
            pair: RwLock::new([0; 2]),
            readers,
            rounds,
            inside: AtomicU32::new(0),
            most: AtomicU32::new(0),
        };
        let pair = on_threads(readers + writers, pair, |it, i| {
            for _ in 0..it.rounds {
                match i < it.readers {
                    true => it.read(),
                    false => it.write(),
                }
            }
        });
        assert_eq!(*pair.pair.read(), [writers * rounds; 2]);
        say(format_args!(
            "{readers} readers, {writers} writers: {} readers at once",
            pair.most.load(Relaxed)
        ));
    }
}

/// Eight readers that come again and again; two writers get their turns.
fn writers_among_readers() {
    let shared = (RwLock::new(0u32), AtomicU32::new(0), AtomicU64::new(0));
    let shared = on_threads(10, shared, |(lock, done, longest), i| {
        if i < 8 {
            while done.load(SeqCst) < 2 {
                let value = lock.read();
                sleep(u64::from(*value % 7) * 10);
                drop(value);
                sleep(25);
            }
            return;
        }
        for _ in 0..100 {
            let start = now();
            *lock.write() += 1;
            longest.fetch_max(now() - start, Relaxed);
        }
        done.fetch_add(1, SeqCst);
    });
    assert_eq!(*shared.0.read(), 200);
    say(format_args!(
        "a writer waited {} us at most",
        shared.2.load(Relaxed) / 1000
    ));
}

/// A writer that comes back at once, for ever, like a sweeper.
struct Sweep {
    lock: RwLock<()>,
    turns: AtomicU32,
    /// Reads during which the writer began more than one turn, and the longest.
    late: AtomicU32,
    longest: AtomicU64,
    readers: AtomicU32,
}

impl Sweep {
    fn write(&self) {
        while self.readers.load(SeqCst) > 0 {
            let turn = self.lock.write();
            self.turns.fetch_add(1, SeqCst);
            sleep(50);
            drop(turn);
        }
    }

    fn read(&self) {
        while self.turns.load(SeqCst) == 0 {
            pause();
        }
        for _ in 0..500 {
            let (turns, start) = (self.turns.load(SeqCst), now());
            let guard = self.lock.read();
            let turns = self.turns.load(SeqCst) - turns;
            self.late.fetch_add(u32::from(turns > 1), SeqCst);
            self.longest.fetch_max(now() - start, SeqCst);
            drop(guard);
            // Otherwise the writer would hardly ever get in.
            sleep(30);
        }
        self.readers.fetch_sub(1, SeqCst);
    }
}

/// Readers get in after one turn of such a writer, but for those that lost the processor before they
/// asked: that is excluded where schedules are drawn, and rare here.
fn readers_beside_a_writer() {
    let sweep = Sweep {
        lock: RwLock::new(()),
        turns: AtomicU32::new(0),
        late: AtomicU32::new(0),
        longest: AtomicU64::new(0),
        readers: AtomicU32::new(2),
    };
    let sweep = on_threads(3, sweep, |sweep, i| match i {
        0 => sweep.write(),
        _ => sweep.read(),
    });
    let late = sweep.late.load(SeqCst);
    assert!(
        late < 100,
        "{late} of 1000 reads waited for several turns of the writer"
    );
    say(format_args!(
        "{} turns of the writer, 1000 reads, {late} late, the longest {} us",
        sweep.turns.load(SeqCst),
        sweep.longest.load(SeqCst) / 1000
    ));
}

fn countdown() {
    struct Race {
        left: Countdown,
        done: AtomicU32,
    }
    for _ in 0..20 {
        let race = Race {
            left: Countdown::new(70),
            done: AtomicU32::new(0),
        };
        let race = on_threads(70, race, |race, _| {
            race.done.fetch_add(1, Relaxed);
            race.left.done();
            race.left.wait();
            assert_eq!(race.done.load(Relaxed), 70);
        });
        race.left.wait();
    }
}

/// Signals break off the waits of the main thread, which none of them may mistake for a wake.
fn interrupted() {
    let shared = Arc::new((Mutex::new(0u32), Condvar::new(), Countdown::new(1)));
    let stop = Arc::new(AtomicBool::new(false));
    let (theirs, ended) = (Arc::clone(&shared), Arc::clone(&stop));
    let (getpid, gettid, tgkill) = (39, 186, 234);
    // SAFETY: touches no memory.
    let [process, main] = [getpid, gettid].map(|number| unsafe { sys::raw(number, [0; 6]) });
    let signals = spawn(STACK_BYTES, move || {
        let mut sent = 0u32;
        while !ended.load(SeqCst) {
            // SAFETY: SIGINT is caught by a handler that sets a word.
            assert_eq!(unsafe { sys::raw(tgkill, [process, main, 2, 0, 0, 0]) }, 0);
            sent += 1;
            sleep(20);
        }
        sent
    });
    let partner = spawn(STACK_BYTES, move || {
        let (mutex, changed, countdown) = &*theirs;
        for n in 0..100 {
            let mut turn = mutex.lock();
            // The main thread wants the lock meanwhile.
            sleep(300);
            changed.wait_while(&mut turn, |turn| *turn != 2 * n + 1);
            *turn += 1;
            sleep(300);
            changed.signal(&turn);
        }
        sleep(5000);
        countdown.done();
        sleep(5000);
        77
    });
    let (mutex, changed, countdown) = &*shared;
    for n in 0..100 {
        let mut turn = mutex.lock();
        changed.wait_while(&mut turn, |turn| *turn != 2 * n);
        *turn += 1;
        changed.signal(&turn);
    }
    countdown.wait();
    assert_eq!(*mutex.lock(), 200);
    let result = partner.expect("a thread").join();
    stop.store(true, SeqCst);
    let sent = signals.expect("a thread").join();
    assert!(result == 77 && sent > 100);
    say(format_args!("{sent} signals"));
}
