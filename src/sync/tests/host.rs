//! The locks on the host's threads, and our threads as unit tests see them.

use crate::os::{Errno, mem};
use crate::sync::{Condvar, Countdown, Mutex, RwLock, spawn};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// Runs `body` on so many threads at once.
fn on_threads(count: u32, body: impl Fn(u32) + Sync) {
    std::thread::scope(|scope| {
        for i in 0..count {
            let body = &body;
            scope.spawn(move || body(i));
        }
    });
}

#[test]
fn mutex_counts_right() {
    let mutex = Mutex::new(0u64);
    on_threads(8, |_| {
        for _ in 0..20_000 {
            *mutex.lock() += 1;
        }
    });
    assert_eq!(*mutex.lock(), 160_000);
    assert_eq!(mutex.into_inner(), 160_000);
}

#[test]
fn a_held_mutex_cannot_be_tried() {
    let mut mutex = Mutex::new(1);
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_none());
    drop(guard);
    *mutex.try_lock().unwrap() += 1;
    assert_eq!(*mutex.get_mut(), 2);
}

#[test]
fn a_queue_hands_over_everything() {
    let queue = Mutex::new(Vec::new());
    let changed = Condvar::new();
    let sum = AtomicU32::new(0);
    on_threads(8, |i| {
        for n in 0..2000 {
            let mut guard = queue.lock();
            if i < 4 {
                guard.push(n);
                changed.signal(&guard);
            } else {
                changed.wait_while(&mut guard, |queue| queue.is_empty());
                sum.fetch_add(guard.pop().unwrap(), SeqCst);
            }
        }
    });
    assert_eq!(sum.into_inner(), 4 * 1999 * 1000);
}

#[test]
fn a_broadcast_reaches_all() {
    let (round, changed) = (Mutex::new(0), Condvar::new());
    let waiting = Mutex::new(0);
    on_threads(9, |i| {
        for n in 0..200 {
            if i > 0 {
                let mut guard = round.lock();
                *waiting.lock() += 1;
                changed.wait_while(&mut guard, |round| *round == n);
                continue;
            }
            while *waiting.lock() < 8 * (n + 1) {
                std::thread::yield_now();
            }
            let mut guard = round.lock();
            *guard += 1;
            changed.broadcast(&guard);
        }
    });
    assert_eq!(round.into_inner(), 200);
}

#[test]
#[should_panic(expected = "two mutexes")]
fn a_second_mutex_is_noticed() {
    let (first, second) = (Arc::new(Mutex::new(())), Mutex::new(()));
    let changed = Arc::new(Condvar::new());
    let waits = (Arc::clone(&first), Arc::clone(&changed));
    // Sleeps for ever, and keeps what it uses alive.
    std::thread::spawn(move || {
        loop {
            waits.1.wait(&mut waits.0.lock());
        }
    });
    loop {
        changed.signal(&second.lock());
        std::thread::yield_now();
    }
}

#[test]
fn readers_never_see_half_a_change() {
    let mut pair = RwLock::new([0u32; 2]);
    on_threads(6, |i| {
        for _ in 0..5000 {
            if i == 0 {
                let mut pair = pair.write();
                pair[0] += 1;
                pair[1] += 1;
            } else {
                let outer = pair.read();
                let inner = pair.read();
                assert_eq!((outer[0], inner[0]), (inner[1], outer[1]));
            }
        }
    });
    assert_eq!(*pair.get_mut(), [5000; 2]);
    assert_eq!(pair.into_inner(), [5000; 2]);
}

#[test]
fn a_countdown_goes_on_after_the_last_step() {
    let (countdown, count) = (Countdown::new(8), AtomicU32::new(0));
    on_threads(12, |i| {
        if i < 8 {
            count.fetch_add(1, SeqCst);
            countdown.done();
        } else {
            countdown.wait();
            assert_eq!(count.load(SeqCst), 8);
        }
    });
    countdown.set(1);
    countdown.done();
    countdown.wait();
}

#[test]
#[should_panic(expected = "below zero")]
fn a_step_too_many_is_noticed() {
    Countdown::new(0).done();
}

#[test]
#[should_panic(expected = "before it is over")]
fn a_countdown_that_runs_cannot_be_set() {
    Countdown::new(1).set(1);
}

#[test]
fn a_thread_returns_its_result() {
    let text = String::from("result");
    let thread = spawn(1 << 16, move || text + "s").unwrap();
    assert_eq!(thread.join(), "results");
    let many: Vec<_> = (0..50).map(|i| spawn(1, move || i * i)).collect();
    // A page has no room for both a stack and a packet.
    assert!(many.into_iter().all(|it| it.err() == Some(Errno::EINVAL)));
    let many: Vec<_> = (0..50u32)
        .map(|i| spawn(2 * mem::PAGE, move || i * i).unwrap())
        .collect();
    for (i, thread) in (0..50).zip(many).rev() {
        assert_eq!(thread.join(), i * i);
    }
}

#[test]
fn a_dropped_handle_waits_and_drops_the_result() {
    let shared = Arc::new(AtomicU32::new(0));
    let other = Arc::clone(&shared);
    let thread = spawn(1 << 16, move || {
        std::thread::sleep(Duration::from_millis(20));
        other.store(1, SeqCst);
        other
    })
    .unwrap();
    assert!(!thread.is_finished());
    drop(thread);
    assert_eq!(shared.load(SeqCst), 1);
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn a_refused_thread_drops_its_body() {
    let shared = Arc::new(());
    let (first, second) = (Arc::clone(&shared), Arc::clone(&shared));
    assert_eq!(spawn(1, move || drop(first)).err(), Some(Errno::EINVAL));
    let huge = spawn(usize::MAX / 2, move || drop(second));
    assert_eq!(huge.err(), Some(Errno::ENOMEM));
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn packets_of_any_alignment_fit() {
    #[repr(align(256))]
    struct Wide([u8; 300]);
    let wide = Wide([7; 300]);
    let thread = spawn(1 << 16, move || Wide(wide.0)).unwrap();
    let wide = thread.join();
    assert_eq!((&raw const wide).addr() % 256, 0);
    assert!(wide.0.iter().all(|byte| *byte == 7));
}
