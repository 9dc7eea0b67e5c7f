//! Threads: run a function on a stack of its own, and wait for its result (spec 05 §6.5).
//!
//! ```text
//! │ guard │ stack, grows down … │ packet: word, result, body │ fault stack │ guard │
//! ```
//!
//! Invariants:
//! - what thread and handle share, the packet, lies at the end of the stack: starting a thread
//!   allocates nothing but its mapping;
//! - the mapping goes only after the kernel has cleared the word of the packet, when the thread can
//!   no longer touch it; a handle that is dropped waits for that;
//! - the packet belongs to the thread until then, to the handle afterwards.
//!
//! Safety: as the invariants say; `os::thread` says when the word is cleared.
#![allow(unsafe_code)]

use crate::os::{Errno, fault, futex, mem, thread};
use core::cell::UnsafeCell;
use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Acquire;

/// Bytes of a stack that suffices for everything in this runtime, which nowhere recurses without
/// bound; touched only as it is used.
pub const STACK_BYTES: usize = 1 << 20;

/// What the handle knows of the packet.
#[repr(C)]
struct Shared<T> {
    tid: AtomicU32,
    result: UnsafeCell<Option<T>>,
}

/// What lies at the end of the stack.
#[repr(C)]
struct Packet<T, F> {
    shared: Shared<T>,
    body: UnsafeCell<Option<F>>,
}

impl<T, F> Packet<T, F> {
    /// The stack ends at this alignment too.
    const ALIGN: usize = if align_of::<Self>() > 16 {
        align_of::<Self>()
    } else {
        16
    };
    /// Bytes from the start of the packet to that of the fault stack.
    const ROOM: usize = size_of::<Self>().next_multiple_of(Self::ALIGN);
}

/// A thread, and the right to its result. Dropping it waits for the thread and drops the result.
pub struct JoinHandle<T> {
    shared: NonNull<Shared<T>>,
    /// The packet lies in it; dropped with the handle, which has waited by then.
    _stack: mem::Region,
}

// SAFETY: a handle reaches the result only after the thread has ended, and hands it over.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle tells only whether the thread has ended.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

/// Starts a thread that runs `body` on a stack of `stack_bytes`, rounded up to whole pages
/// ([`STACK_BYTES`] is enough). It takes no signals. A panic in it ends the process.
///
/// # Errors
/// `ENOMEM` without the address space; `EAGAIN` at the limit of threads; `EINVAL` for a stack that is
/// too small for what `body` holds; `ENOTSUP` in a process with thread-local storage, such as one with
/// a C library: a thread of ours has none.
pub fn spawn<T, F>(stack_bytes: usize, body: F) -> Result<JoinHandle<T>, Errno>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let stack_bytes = mem::round_up(stack_bytes)?;
    let all = stack_bytes.checked_add(fault::STACK_BYTES);
    let stack = mem::map_with_guard(all.ok_or(Errno::ENOMEM)?)?;
    let room = Packet::<T, F>::ROOM;
    // At least a page is left to run on.
    if Packet::<T, F>::ALIGN > mem::PAGE || room.saturating_add(mem::PAGE) > stack_bytes {
        return Err(Errno::EINVAL);
    }
    let len = stack_bytes - room;
    // SAFETY: `len` is inside the mapping, which has room for a packet from there, aligned.
    let packet = unsafe { stack.base().add(len).cast::<Packet<T, F>>() };
    // SAFETY: as above; nobody else knows the mapping. The thread uses it while the word says so,
    // and the handle keeps it as long; `body` may run elsewhere (`Send`), for ever (`'static`).
    unsafe {
        packet.write(Packet {
            shared: Shared {
                tid: AtomicU32::new(0),
                result: UnsafeCell::new(None),
            },
            body: UnsafeCell::new(Some(body)),
        });
        let started = thread::start(thread::Start {
            base: stack.base(),
            len,
            tid: &packet.as_ref().shared.tid,
            entry: run::<T, F>,
            argument: packet.cast(),
        });
        if let Err(errno) = started {
            packet.drop_in_place();
            return Err(errno);
        }
    }
    Ok(JoinHandle {
        shared: packet.cast(),
        _stack: stack,
    })
}

/// The beginning of every thread.
///
/// # Safety
/// `packet` must be a `Packet<T, F>` whose body and result are this thread's.
unsafe extern "C" fn run<T, F: FnOnce() -> T>(packet: *mut u8) {
    // SAFETY: passed on to the caller; behind the packet lies the fault stack, kept as long.
    unsafe {
        // The threads of unit tests have one of the standard library's.
        #[cfg(not(test))]
        {
            let behind = NonNull::new_unchecked(packet.add(Packet::<T, F>::ROOM));
            // Without it a fault ends the process by a signal, which is bad enough.
            let _ = fault::use_stack(behind);
        }
        let packet = &*packet.cast::<Packet<T, F>>();
        if let Some(body) = (*packet.body.get()).take() {
            *packet.shared.result.get() = Some(body());
        }
    }
}

impl<T> JoinHandle<T> {
    fn shared(&self) -> &Shared<T> {
        // SAFETY: the packet lies in the mapping, which goes only with the handle.
        unsafe { self.shared.as_ref() }
    }

    /// Whether the thread has ended, so that [`JoinHandle::join`] will not wait.
    pub fn is_finished(&self) -> bool {
        self.shared().tid.load(Acquire) == 0
    }

    /// Waits for the end of the thread and returns its result.
    pub fn join(self) -> T {
        let Some(result) = self.wait() else {
            // Only a system call of its own could end it before.
            panic!("a thread has ended without a result");
        };
        result
    }

    fn wait(&self) -> Option<T> {
        let shared = self.shared();
        loop {
            match shared.tid.load(Acquire) {
                0 => break,
                tid => futex::wait_shared(&shared.tid, tid),
            }
        }
        // SAFETY: the thread has ended, so the result is ours; this file never calls it twice at once.
        unsafe { (*shared.result.get()).take() }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        drop(self.wait());
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinHandle")
    }
}
