//! Terminals: what they are set to, their size, what waits in them.
//!
//! Invariants:
//! - at most one terminal is in raw mode; [`restore`] gives it the settings of before, and the end of
//!   the process does so too ([`super::process::exit`]), whatever the reason;
//! - the settings of before are the only state kept here, because a panic must reach them.
//!
//! Safety: the kernel reads and writes one `struct termios` of 36 bytes, a `struct winsize` of 8 or
//! an `int`.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::Fd;
use super::sys::{Sysno, call};
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// Reads a terminal's settings; only terminals answer.
const TCGETS: usize = 0x5401;
/// Changes them after what was written has gone out; what was typed ahead is kept.
const TCSETSW: usize = 0x5403;
/// Reads the size of the window.
const TIOCGWINSZ: usize = 0x5413;
/// Reads the number of bytes that can be read at once.
const FIONREAD: usize = 0x541b;

/// Input flags off in raw mode: break as a signal, return as line feed, parity, stripping of bit 7,
/// Ctrl-S and Ctrl-Q.
const INPUT: u32 = 0o2 | 0o400 | 0o20 | 0o40 | 0o2000;
/// Local flags off in raw mode: lines, echo, extensions such as Ctrl-V.
const LOCAL: u32 = 0o2 | 0o10 | 0o100_000;
/// Words of the kernel's `struct termios`.
const WORDS: usize = 9;
/// Local flag on in raw mode: the interrupt key throws away nothing that waits to be shown or read.
const KEEP: u32 = 0o200;
/// What raw mode sets of the control characters, by index in bytes: no keys that quit or suspend,
/// and reads that wait for one byte, without limit of time.
const CHARACTERS: [(usize, u32); 4] = [(17 + 1, 0), (17 + 10, 0), (17 + 5, 0), (17 + 6, 1)];

/// The descriptor in raw mode plus one; 0 for none. A static that is not zero at first would give
/// the executable one more segment with content.
static RAW: AtomicI32 = AtomicI32::new(0);
/// Its settings of before.
static SAVED: [AtomicU32; WORDS] = [const { AtomicU32::new(0) }; WORDS];

/// The kernel's `struct termios`: flags for input, output, control, local, then bytes.
type Settings = [u32; WORDS];

fn get(fd: Fd) -> Result<Settings, Errno> {
    let mut settings = Settings::default();
    let args = [fd.arg(), TCGETS, (&raw mut settings).expose_provenance()];
    // SAFETY: `settings` has the 36 bytes the kernel writes.
    unsafe { call(Sysno::ioctl, args)? };
    Ok(settings)
}

fn set(fd: Fd, settings: &Settings) -> Result<(), Errno> {
    let args = [
        fd.arg(),
        TCSETSW,
        (&raw const *settings).expose_provenance(),
    ];
    loop {
        // SAFETY: the kernel reads the 36 bytes of `settings`.
        match unsafe { call(Sysno::ioctl, args) } {
            Err(Errno::EINTR) => {}
            result => return result.map(drop),
        }
    }
}

/// Whether the descriptor is open on a terminal.
pub fn is_terminal(fd: Fd) -> bool {
    get(fd).is_ok()
}

/// Puts the terminal into raw mode: every byte typed can be read at once, none is echoed, and none but
/// the interrupt key is a signal: pressed just before the settings are taken back it must not
/// wait in the input. Output is treated as before.
///
/// # Errors
/// What the kernel says; the terminal is then as it was.
pub fn enter_raw(fd: Fd) -> Result<(), Errno> {
    let before = get(fd)?;
    let mut settings = before;
    settings[0] &= !INPUT;
    settings[3] = settings[3] & !LOCAL | KEEP;
    for (at, value) in CHARACTERS {
        let (word, shift) = (at / 4, at % 4 * 8);
        settings[word] = settings[word] & !(0xff << shift) | value << shift;
    }
    for (to, from) in SAVED.iter().zip(before) {
        to.store(from, Ordering::Relaxed);
    }
    RAW.store(fd.0 + 1, Ordering::Release);
    set(fd, &settings)
}

/// Gives the terminal in raw mode, if there is one, the settings of before.
pub fn restore() {
    let fd = RAW.swap(0, Ordering::Acquire) - 1;
    if fd >= 0 {
        let settings = core::array::from_fn(|i| SAVED[i].load(Ordering::Relaxed));
        // A terminal that is gone needs nothing any more.
        let _ = set(Fd(fd), &settings);
    }
}

/// Rows and columns of the window, each at least 1; `None` if the terminal does not know.
pub fn size(fd: Fd) -> Option<(usize, usize)> {
    let mut size = [0u16; 4];
    let args = [fd.arg(), TIOCGWINSZ, (&raw mut size).expose_provenance()];
    // SAFETY: `size` has the 8 bytes the kernel writes.
    unsafe { call(Sysno::ioctl, args) }.ok()?;
    let [rows, columns, ..] = size.map(usize::from);
    (rows > 0 && columns > 0).then_some((rows, columns))
}

/// Whether a read would give something at once.
pub fn has_input(fd: Fd) -> bool {
    let mut bytes = 0i32;
    let args = [fd.arg(), FIONREAD, (&raw mut bytes).expose_provenance()];
    // SAFETY: `bytes` has the 4 bytes the kernel writes.
    unsafe { call(Sysno::ioctl, args) }.is_ok() && bytes > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    /// A machine without /dev/ptmx has no terminals to test with; every Linux we build on has.
    fn terminal() -> std::fs::File {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).open("/dev/ptmx").unwrap()
    }

    #[test]
    fn pipes_files_and_closed_descriptors_are_no_terminals() {
        let (read, _write) = std::io::pipe().unwrap();
        assert!(!is_terminal(Fd(read.as_raw_fd())));
        let null = std::fs::File::open("/dev/null").unwrap();
        assert!(!is_terminal(Fd(null.as_raw_fd())));
        assert!(!is_terminal(Fd(-1)));
        assert_eq!(size(Fd(null.as_raw_fd())), None);
        assert!(enter_raw(Fd(null.as_raw_fd())).is_err());
    }

    #[test]
    fn raw_mode_is_taken_back() {
        let ptmx = terminal();
        let fd = Fd(ptmx.as_raw_fd());
        assert!(is_terminal(fd));
        let before = get(fd).unwrap();
        enter_raw(fd).unwrap();
        let raw = get(fd).unwrap();
        assert_eq!((raw[0] & INPUT, raw[3] & LOCAL), (0, 0));
        assert_eq!(raw[1], before[1]);
        assert_ne!(raw, before);
        restore();
        assert_eq!(get(fd).unwrap(), before);
        restore();
        assert_eq!(get(fd).unwrap(), before);
        assert!(!has_input(fd));
    }
}
