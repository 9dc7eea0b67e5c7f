//! Waiting for a child with what it used: the standard library does not tell.
//!
//! Invariants:
//! - a child is waited for once, by this or by its handle.
//!
//! Safety: `wait4` writes two values of the layout that the kernel gives them.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// `struct rusage` of Linux on 64-bit machines; `rest` is what is not read here.
#[repr(C)]
pub struct Rusage {
    user: [i64; 2],
    system: [i64; 2],
    /// Largest resident memory, in KiB.
    pub max_rss: i64,
    rest: [i64; 13],
}

unsafe extern "C" {
    fn wait4(pid: i32, status: *mut i32, options: i32, usage: *mut Rusage) -> i32;
}

impl Rusage {
    /// User and system time; the kernel gives each as seconds and microseconds, never negative.
    pub fn cpu(&self) -> Duration {
        let micros = |time: [i64; 2]| time[0] * 1_000_000 + time[1];
        Duration::from_micros(micros(self.user).unsigned_abs() + micros(self.system).unsigned_abs())
    }
}

/// Waits for the child `pid`; returns its status and what it used.
pub fn reap(pid: u32) -> io::Result<(ExitStatus, Rusage)> {
    let mut status = 0;
    let mut usage = Rusage {
        user: [0; 2],
        system: [0; 2],
        max_rss: 0,
        rest: [0; 13],
    };
    loop {
        // SAFETY: both pointers are to live, exclusively borrowed values of the expected layout.
        let got = unsafe { wait4(pid.cast_signed(), &raw mut status, 0, &raw mut usage) };
        if got == pid.cast_signed() {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let cause = io::Error::last_os_error();
        if cause.kind() != io::ErrorKind::Interrupted {
            return Err(cause);
        }
    }
}
