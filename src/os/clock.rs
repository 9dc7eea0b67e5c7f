//! The clocks.
//!
//! Invariants:
//! - times are nanoseconds in 64 bits, which last until the year 2554;
//! - [`monotonic`] never goes back; [`realtime`] counts from 1970 and may be set.
//!
//! Safety: the kernel writes one `timespec` of 16 bytes.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::sys::{Sysno, call};

const CLOCK_REALTIME: usize = 0;
const CLOCK_MONOTONIC: usize = 1;
const NANOS: u64 = 1_000_000_000;

fn now(clock: usize) -> Result<u64, Errno> {
    let mut time = [0u64; 2];
    // SAFETY: `time` has the 16 bytes the kernel writes: seconds and nanoseconds.
    unsafe {
        call(
            Sysno::clock_gettime,
            [clock, (&raw mut time).expose_provenance()],
        )?
    };
    Ok(time[0].wrapping_mul(NANOS).wrapping_add(time[1]))
}

/// Nanoseconds since an arbitrary moment before the start of the process.
pub fn monotonic() -> Result<u64, Errno> {
    now(CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970-01-01 00:00 UTC, without leap seconds.
pub fn realtime() -> Result<u64, Errno> {
    now(CLOCK_REALTIME)
}

/// Sleeps for so many nanoseconds, less than a second; a signal may end it early.
pub fn sleep(nanoseconds: u64) {
    let time = [0, nanoseconds];
    let args = [(&raw const time).expose_provenance(), 0];
    // SAFETY: the kernel reads the 16 bytes of `time` and, told to, writes nothing back. That a
    // signal ended the sleep is no failure.
    let _ = unsafe { call(Sysno::nanosleep, args) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn realtime_agrees_with_the_host() {
        let host = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64;
        let ours = realtime().unwrap();
        assert!(ours >= host && ours - host < 10 * NANOS);
    }

    #[test]
    fn monotonic_does_not_go_back() {
        let mut last = monotonic().unwrap();
        for _ in 0..1000 {
            let next = monotonic().unwrap();
            assert!(next >= last);
            last = next;
        }
    }
}
