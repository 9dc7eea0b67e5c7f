//! The kernel's futex for the model checkers, over the atomic words and mutexes they give.
//!
//! Invariants:
//! - as in the kernel, the threads that sleep on a word are listed under a lock; to compare and to
//!   fall asleep is one step under it, and what happened before a wake is seen by a later wait;
//! - the sleeping threads are woken in the order they came;
//! - a word can be made faulty, to show that a checker would notice.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A thread that sleeps: how to let it run, and whether it may.
pub(super) struct Sleeper<T> {
    pub(super) thread: T,
    pub(super) woken: Arc<AtomicBool>,
}

/// Faults of a word.
pub(super) const NONE: u8 = 0;
/// `wake_one` wakes nobody.
pub(super) const NO_WAKE: u8 = 1;
/// `requeue` leaves the others asleep where they are.
pub(super) const NO_REQUEUE: u8 = 2;
/// Nothing that happened before a change is seen after it.
pub(super) const NO_ORDER: u8 = 3;
/// `wait` compares first and falls asleep later.
pub(super) const LATE_SLEEP: u8 = 4;

/// Defines a word over the modules `sync` and `thread` of a checker, which are in scope.
macro_rules! model_word {
    ($name:ident) => {
        /// A word of the checker's memory, and who sleeps on it.
        struct $name<const FAULT: u8> {
            value: sync::atomic::AtomicU32,
            queue: sync::Mutex<VecDeque<Sleeper<thread::Thread>>>,
        }

        impl<const FAULT: u8> $name<FAULT> {
            /// The order asked for, unless order is what is wrong.
            fn order(order: Ordering) -> Ordering {
                match FAULT {
                    model::NO_ORDER => Relaxed,
                    _ => order,
                }
            }

            /// Lets the first sleepers run, at most so many.
            fn wake(&self, count: usize) {
                let mut queue = self.queue.lock().unwrap();
                let count = count.min(queue.len());
                for sleeper in queue.drain(..count) {
                    sleeper.woken.store(true, Relaxed);
                    sleeper.thread.unpark();
                }
            }
        }

        // SAFETY: the checker's atomic words; the futex as the kernel's.
        unsafe impl<const FAULT: u8> Word for $name<FAULT> {
            const SPINS: u32 = 0;

            fn new(value: u32) -> $name<FAULT> {
                $name {
                    value: sync::atomic::AtomicU32::new(value),
                    queue: sync::Mutex::new(VecDeque::new()),
                }
            }

            fn load(&self, order: Ordering) -> u32 {
                self.value.load(Self::order(order))
            }

            fn store(&self, value: u32, order: Ordering) {
                self.value.store(value, Self::order(order));
            }

            fn swap(&self, value: u32, order: Ordering) -> u32 {
                self.value.swap(value, Self::order(order))
            }

            fn sub(&self, amount: u32, order: Ordering) -> u32 {
                self.value.fetch_sub(amount, Self::order(order))
            }

            fn exchange(&self, old: u32, new: u32, order: Ordering) -> bool {
                let order = Self::order(order);
                let result = self.value.compare_exchange(old, new, order, Relaxed);
                result.is_ok()
            }

            fn wait(&self, expected: u32) {
                let mut queue = self.queue.lock().unwrap();
                if self.value.load(Relaxed) != expected {
                    return;
                }
                if FAULT == model::LATE_SLEEP {
                    drop(queue);
                    queue = self.queue.lock().unwrap();
                }
                let woken = Arc::new(AtomicBool::new(false));
                queue.push_back(Sleeper {
                    thread: thread::current(),
                    woken: Arc::clone(&woken),
                });
                drop(queue);
                while !woken.load(Relaxed) {
                    thread::park();
                }
            }

            fn wake_one(&self) {
                self.wake(usize::from(FAULT != model::NO_WAKE));
            }

            fn wake_all(&self) {
                self.wake(usize::MAX);
            }

            fn requeue(&self, expected: u32, target: &$name<FAULT>) -> bool {
                let mut queue = self.queue.lock().unwrap();
                let same = self.value.load(Relaxed) == expected;
                if same {
                    if let Some(sleeper) = queue.pop_front() {
                        sleeper.woken.store(true, Relaxed);
                        sleeper.thread.unpark();
                    }
                    if FAULT != model::NO_REQUEUE {
                        target.queue.lock().unwrap().append(&mut queue);
                    }
                }
                same
            }
        }
    };
}
pub(super) use model_word;
