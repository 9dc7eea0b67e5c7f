//! Signals that stop an evaluation: the interrupt key and the end of a time limit.
//!
//! A handler can do next to nothing safely, so it leaves a [`Reason`] and sets one word to zero: a
//! limit that the evaluator compares with at every call anyway ([`watch`]). That costs the evaluator
//! nothing; a flag of its own would have to be looked at in every loop.
//!
//! Invariants:
//! - a watched word is zero only if a reason is waiting; [`take`] puts its value back;
//! - the handlers touch nothing but the atomics of this file and the watched word;
//! - no system call is restarted after a handler: what waits in one sees `EINTR`;
//! - a signal that comes just before a system call begins to wait is repeated until it is taken.
//!
//! Safety: `rt_sigaction` gets a handler of the C convention and the restorer of `asm/signal.s`,
//! both there for ever; the watched word is there until [`unwatch`].
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::{self, Fd};
use super::process;
use super::sys::{Sysno, call};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

core::arch::global_asm!(include_str!("../../asm/signal.s"));

unsafe extern "C" {
    /// Only ever returned to by the kernel's leave.
    fn plan_signal_return();
}

/// A file would become larger than the limit allows.
const SIGXFSZ: i32 = 25;
/// The interrupt key.
const SIGINT: i32 = 2;
/// What asks a process to end: hanging up, the interrupt key, the quit key, and SIGTERM, which is what
/// stopping a container sends.
const ENDING: [i32; 4] = [1, SIGINT, 3, 15];
/// The timer of [`after`].
const SIGALRM: i32 = 14;
/// The kernel is told where a handler returns to.
const SA_RESTORER: u64 = 0x0400_0000;
/// The timer that counts real time and sends [`SIGALRM`].
const ITIMER_REAL: usize = 0;
/// Bytes of the kernel's set of signals.
const SET_BYTES: usize = 8;
/// Microseconds of a second.
const MICROS: u64 = 1_000_000;
/// Seconds between the end of a time limit and the end of a process that does not react to it.
const GRACE: u64 = 2;

/// Microseconds after which an interrupt that nobody has taken is repeated.
const NUDGE: u64 = 20_000;

/// Why an evaluation is to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The user pressed the interrupt key.
    Interrupt = 1,
    /// The time limit is over.
    Time = 2,
}

/// `struct sigaction` of the kernel.
#[repr(C)]
struct Action {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

/// A [`Reason`] as a number; 0: none.
static WAITING: AtomicU32 = AtomicU32::new(0);
/// The word to set to zero.
static WATCHED: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());

/// Whether the timer is that of a time limit; otherwise it only ends system calls that wait.
static LIMITED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_interrupt(_: i32) {
    leave(Reason::Interrupt);
    if !LIMITED.load(Ordering::SeqCst) {
        // Without it one system call may go on waiting.
        let _ = set_timer(NUDGE, NUDGE);
    }
}

/// The timer fires once for the evaluator, and a second time if the first had no effect.
extern "C" fn on_alarm(_: i32) {
    if !LIMITED.load(Ordering::SeqCst) {
        return;
    }
    if WAITING.load(Ordering::SeqCst) == Reason::Time as u32 {
        let text = b"plan: uncaught 17 [%limit 0 3] (stopped by force)\n";
        // Whether it can be written or not, the status says it.
        let _ = file::write(Fd::STDERR, text);
        process::exit(9);
    }
    leave(Reason::Time);
}

fn leave(reason: Reason) {
    WAITING.store(reason as u32, Ordering::SeqCst);
    let word = WATCHED.load(Ordering::SeqCst);
    if !word.is_null() {
        // SAFETY: whoever set the word keeps it until it is unset.
        unsafe { (*word).store(0, Ordering::SeqCst) };
    }
}

/// From now on a signal sets this word to zero, and one that is waiting does so at once.
///
/// # Safety
/// The word must stay where it is until [`unwatch`].
pub unsafe fn watch(word: &AtomicUsize) {
    WATCHED.store(ptr::from_ref(word).cast_mut(), Ordering::SeqCst);
    if is_waiting() {
        word.store(0, Ordering::SeqCst);
    }
}

/// Ends [`watch`].
pub fn unwatch() {
    WATCHED.store(ptr::null_mut(), Ordering::SeqCst);
}

/// Whether a reason is waiting.
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) != 0
}

/// Takes the reason that is waiting for whoever watches this word, and gives the word its value back.
/// A time limit that is over is no limit any more.
pub fn take(word: &AtomicUsize, value: usize) -> Option<Reason> {
    let mut found = None;
    if !ptr::eq(WATCHED.load(Ordering::SeqCst), word) {
        return found;
    }
    // A signal may come between any two steps: only when none is waiting after the word has its
    // value back is the word zero just for one that is still to be taken.
    loop {
        match WAITING.swap(0, Ordering::SeqCst) {
            0 => {}
            1 => {
                found = found.or(Some(Reason::Interrupt));
                if !LIMITED.load(Ordering::SeqCst) {
                    // As below.
                    let _ = set_timer(0, 0);
                }
            }
            _ => {
                found = Some(Reason::Time);
                // It was set by the same call, so the kernel accepts it.
                let _ = after(0);
            }
        }
        word.store(value, Ordering::SeqCst);
        if WAITING.load(Ordering::SeqCst) == 0 {
            return found;
        }
    }
}

/// Lets a write beyond the limit of the size of files be answered with `EFBIG` instead of ending the
/// process. It is caught, not ignored: what the process executes starts with the default again.
///
/// # Errors
/// What the kernel answers, which with these arguments is nothing.
pub fn catch_file_size() -> Result<(), Errno> {
    extern "C" fn nothing(_: i32) {}
    handle(SIGXFSZ, nothing)
}

/// Lets the signals that ask a process to end do so in the first process of a container or of a
/// machine, too: for that one the kernel drops them where nobody handles them. The status is what a
/// shell shows for a process that ended by the signal, 128 and its number. Nothing is waited for: what
/// was committed is durable, and a commit that is under way is found complete or not at all.
///
/// # Errors
/// What the kernel answers, which with these arguments is nothing.
pub fn end_as_first() -> Result<(), Errno> {
    extern "C" fn end(signal: i32) {
        process::exit(128 + signal)
    }
    if process::id() != 1 {
        return Ok(());
    }
    ENDING
        .into_iter()
        .try_for_each(|signal| handle(signal, end))
}

/// Lets the interrupt key leave [`Reason::Interrupt`] instead of ending the process.
///
/// # Errors
/// What the kernel answers, which with these arguments is nothing.
pub fn catch_interrupt() -> Result<(), Errno> {
    handle(SIGALRM, on_alarm)?;
    handle(SIGINT, on_interrupt)
}

/// Leaves [`Reason::Time`] after so many microseconds; 0 ends the limit. If nobody has taken the
/// reason [`GRACE`] seconds later the process ends.
///
/// # Errors
/// What the kernel answers, for instance to a time that it cannot count.
pub fn after(micros: u64) -> Result<(), Errno> {
    handle(SIGALRM, on_alarm)?;
    LIMITED.store(micros != 0, Ordering::SeqCst);
    set_timer(micros, if micros == 0 { 0 } else { GRACE * MICROS })
}

/// Sends [`SIGALRM`] after so many microseconds, and then again and again; 0: never.
fn set_timer(first: u64, again: u64) -> Result<(), Errno> {
    let timer = [
        again / MICROS,
        again % MICROS,
        first / MICROS,
        first % MICROS,
    ];
    let args = [ITIMER_REAL, (&raw const timer).expose_provenance(), 0];
    // SAFETY: the kernel reads the 32 bytes of `timer`; a null pointer asks for no old value.
    unsafe { call(Sysno::setitimer, args) }.map(drop)
}

/// Holds the interrupt key back, or lets what was held back come; [`wait_readable`] lets it come too.
pub fn hold_interrupt(held: bool) {
    /// `SIG_BLOCK`; one more is `SIG_UNBLOCK`.
    const BLOCK: usize = 0;
    let set = 1u64 << (SIGINT - 1);
    let how = BLOCK + usize::from(!held);
    let args = [how, (&raw const set).expose_provenance(), 0, SET_BYTES];
    // SAFETY: the kernel reads the 8 bytes of `set`; with these arguments it does not fail.
    let _ = unsafe { call(Sysno::rt_sigprocmask, args) };
}

/// Waits until a read of `fd` would not wait.
///
/// # Errors
/// `EINTR` for an interrupt key that was held back or comes while this waits: unlike a read, which
/// misses one that comes just before it.
pub fn wait_readable(fd: Fd) -> Result<(), Errno> {
    /// `POLLIN`, in the lower half of the second word of `struct pollfd`.
    const READABLE: u32 = 1;
    let mut waiting = [fd.0 as u32, READABLE];
    let none = 0u64;
    let args = [
        (&raw mut waiting).expose_provenance(),
        1,
        0,
        (&raw const none).expose_provenance(),
        SET_BYTES,
    ];
    // SAFETY: the kernel reads the 8 bytes of `none` and reads and writes those of `waiting`, which
    // is not used any more.
    unsafe { call(Sysno::ppoll, args) }.map(drop)
}

fn handle(signal: i32, handler: extern "C" fn(i32)) -> Result<(), Errno> {
    install(signal, handler as *const () as usize, 0)
}

/// Lets `handler`, the address of a function of the C convention, handle this signal.
pub(super) fn install(signal: i32, handler: usize, flags: u64) -> Result<(), Errno> {
    let action = Action {
        handler,
        flags: flags | SA_RESTORER,
        restorer: plan_signal_return as *const () as usize,
        mask: 0,
    };
    let at = (&raw const action).expose_provenance();
    // SAFETY: the kernel reads `action`; the handler follows the rules of the file.
    unsafe { call(Sysno::rt_sigaction, [signal as usize, at, 0, SET_BYTES]) }.map(drop)
}

/// Ends the process by this signal, when the handler that calls this returns.
pub(super) fn end_by(signal: i32) {
    /// What the system does by itself.
    const DEFAULT: usize = 0;
    let _ = install(signal, DEFAULT, 0);
    // SAFETY: touches no memory. The signal waits until the handler has returned.
    let _ = unsafe { call(Sysno::kill, [process::id() as usize, signal as usize]) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// All of it in one test: there is one set of handlers per process.
    #[test]
    fn a_signal_zeroes_the_watched_word_until_it_is_taken() {
        let (word, other) = (AtomicUsize::new(77), AtomicUsize::new(5));
        // SAFETY: the word lives until it is unwatched below.
        unsafe { watch(&word) };
        catch_interrupt().unwrap();
        // SAFETY: sends this process a signal that is handled.
        unsafe { call(Sysno::kill, [process::id() as usize, SIGINT as usize]) }.unwrap();
        let start = Instant::now();
        while word.load(Ordering::SeqCst) != 0 {
            assert!(start.elapsed() < Duration::from_secs(60), "no signal came");
            std::thread::yield_now();
        }
        assert!(is_waiting());
        assert_eq!(take(&other, 6), None);
        assert_eq!(take(&word, 77), Some(Reason::Interrupt));
        assert_eq!((word.load(Ordering::SeqCst), is_waiting()), (77, false));
        after(1000).unwrap();
        while word.load(Ordering::SeqCst) != 0 {
            assert!(start.elapsed() < Duration::from_secs(60), "no alarm came");
            std::thread::yield_now();
        }
        assert_eq!(take(&word, 77), Some(Reason::Time));
        assert_eq!(word.load(Ordering::SeqCst), 77);
        unwatch();
    }
}
