//! Error numbers of the kernel, with the texts our messages use.
//!
//! Invariants:
//! - an [`Errno`] holds 1…4095, the range in which the kernel encodes errors;
//! - the text of every number is one line without a full stop, in lower case like the rest of a
//!   `plan: …` message (`no such file or directory`); an unknown number still has a text.

use super::packed::Packed;
use core::fmt::{self, Write};

/// The usual texts, line n of the file that of number n, counted from 0. Tables of strings take 16 bytes
/// more for each, and the code that chooses among them twelve.
const TEXTS: Packed = Packed(include_bytes!(concat!(env!("OUT_DIR"), "/errors")));

/// One past the largest magnitude the kernel uses for an error return.
const LIMIT: usize = 4096;

/// Why the kernel refused a call: a positive error number such as 2, `ENOENT`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(u16);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Errno = Errno(1);
    /// No such file or directory.
    pub const ENOENT: Errno = Errno(2);
    /// Interrupted by a signal before anything was done.
    pub const EINTR: Errno = Errno(4);
    /// Input or output error.
    pub const EIO: Errno = Errno(5);
    /// Not an open descriptor, or not open for this direction.
    pub const EBADF: Errno = Errno(9);
    /// Nothing there now; would block.
    pub const EAGAIN: Errno = Errno(11);
    /// Not enough memory.
    pub const ENOMEM: Errno = Errno(12);
    /// Permission denied.
    pub const EACCES: Errno = Errno(13);
    /// No such device, or nothing there.
    pub const ENXIO: Errno = Errno(6);
    /// An address outside the process.
    pub const EFAULT: Errno = Errno(14);
    /// In use.
    pub const EBUSY: Errno = Errno(16);
    /// Already there.
    pub const EEXIST: Errno = Errno(17);
    /// A component of a path is not a directory.
    pub const ENOTDIR: Errno = Errno(20);
    /// Is a directory.
    pub const EISDIR: Errno = Errno(21);
    /// Invalid argument.
    pub const EINVAL: Errno = Errno(22);
    /// The process has no descriptors left.
    pub const EMFILE: Errno = Errno(24);
    /// A file that is being executed cannot be written.
    pub const ETXTBSY: Errno = Errno(26);
    /// Not a terminal.
    pub const ENOTTY: Errno = Errno(25);
    /// Seek on something that has no position.
    pub const ESPIPE: Errno = Errno(29);
    /// Larger than a file may be.
    pub const EFBIG: Errno = Errno(27);
    /// No space left.
    pub const ENOSPC: Errno = Errno(28);
    /// The quota of the user is used up.
    pub const EDQUOT: Errno = Errno(122);
    /// The file system is for reading only.
    pub const EROFS: Errno = Errno(30);
    /// The reader of the pipe is gone.
    pub const EPIPE: Errno = Errno(32);
    /// The kernel has no such call.
    pub const ENOSYS: Errno = Errno(38);
    /// Too many symbolic links, or one where none may be.
    pub const ELOOP: Errno = Errno(40);
    /// Not supported here.
    pub const ENOTSUP: Errno = Errno(95);
    /// The time given ran out.
    pub const ETIMEDOUT: Errno = Errno(110);

    /// The error number `code`, if it is one: 1…4095.
    pub const fn new(code: u64) -> Option<Errno> {
        if code >= 1 && code < LIMIT as u64 {
            Some(Errno(code as u16))
        } else {
            None
        }
    }

    /// Splits what the kernel left in the result register into success and error.
    #[inline]
    pub fn check(raw: usize) -> Result<usize, Errno> {
        if raw > usize::MAX - (LIMIT - 1) {
            Err(Errno(raw.wrapping_neg() as u16))
        } else {
            Ok(raw)
        }
    }

    /// What may help, for the end of a message about a file.
    pub fn advice(self) -> &'static str {
        /// The space that an owner may use is used up.
        const EDQUOT: Errno = Errno(122);
        match self {
            Errno::EACCES | Errno::EPERM | Errno::EROFS => "check the permissions",
            Errno::ENOENT | Errno::ENOTDIR | Errno::EISDIR | Errno::ELOOP => "check the path",
            Errno::ENOSPC | EDQUOT => "make room",
            Errno::EFBIG => "raise ulimit -f",
            Errno::EMFILE => "raise ulimit -n",
            Errno::ENOMEM => "free memory, or raise ulimit -v",
            _ => "check the file system",
        }
    }

    /// The positive number, for example 2.
    pub const fn code(self) -> u64 {
        self.0 as u64
    }

    /// The symbolic name, for example `ENOENT`; `None` for a number Linux does not use.
    #[cfg(test)]
    pub fn name(self) -> Option<&'static str> {
        syscalls::Errno::new(i32::from(self.0)).name()
    }
}

impl fmt::Display for Errno {
    /// The text for the end of a message, for example `no such file or directory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = TEXTS.part(usize::from(self.0)).peekable();
        if text.peek().is_none() {
            return write!(f, "error number {}", self.code());
        }
        text.try_for_each(|byte| f.write_char(char::from(byte)))
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errno({}: {self})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn texts_are_lower_case_except_for_abbreviations() {
        assert_eq!(Errno::ENOENT.to_string(), "no such file or directory");
        assert_eq!(Errno::EACCES.to_string(), "permission denied");
        assert_eq!(Errno::EISDIR.to_string(), "is a directory");
        assert_eq!(Errno::ENOSPC.to_string(), "no space left on device");
        assert_eq!(Errno::EIO.to_string(), "I/O error");
        assert_eq!(Errno(3000).to_string(), "error number 3000");
    }

    #[test]
    fn texts_are_the_usual_ones() {
        let own = [Errno::EBADF, Errno::EAGAIN, Errno::ENOTTY, Errno::ENOSYS];
        for number in (0..4096).map(Errno).filter(|number| !own.contains(number)) {
            let usual = syscalls::Errno::new(i32::from(number.0)).description();
            // From 512 on they never leave the kernel.
            let usual = usual.filter(|_| number.0 < 512).map(str::to_lowercase);
            let text = number.to_string().to_lowercase();
            assert_eq!(text, usual.unwrap_or(format!("error number {}", number.0)));
        }
        assert_eq!(format!("{:?}", Errno::EPIPE), "Errno(32: broken pipe)");
    }

    #[test]
    fn constants_have_the_names_the_kernel_gives_them() {
        let named = [
            (Errno::EPERM, "EPERM"),
            (Errno::ENOENT, "ENOENT"),
            (Errno::EINTR, "EINTR"),
            (Errno::EIO, "EIO"),
            (Errno::EBADF, "EBADF"),
            (Errno::EAGAIN, "EAGAIN"),
            (Errno::ENOMEM, "ENOMEM"),
            (Errno::EACCES, "EACCES"),
            (Errno::ENXIO, "ENXIO"),
            (Errno::EFAULT, "EFAULT"),
            (Errno::EEXIST, "EEXIST"),
            (Errno::ENOTDIR, "ENOTDIR"),
            (Errno::EISDIR, "EISDIR"),
            (Errno::EINVAL, "EINVAL"),
            (Errno::ENOTTY, "ENOTTY"),
            (Errno::ETXTBSY, "ETXTBSY"),
            (Errno::ESPIPE, "ESPIPE"),
            (Errno::ENOSPC, "ENOSPC"),
            (Errno::EROFS, "EROFS"),
            (Errno::EPIPE, "EPIPE"),
            (Errno::ENOSYS, "ENOSYS"),
            (Errno::ELOOP, "ELOOP"),
            (Errno::ETIMEDOUT, "ETIMEDOUT"),
        ];
        for (errno, name) in named {
            assert_eq!(errno.name(), Some(name));
        }
    }

    #[test]
    fn the_error_range_is_exactly_minus_4095_to_minus_1() {
        assert_eq!(Errno::check(0), Ok(0));
        assert_eq!(Errno::check(usize::MAX), Err(Errno(1)));
        assert_eq!(Errno::check(4095usize.wrapping_neg()), Err(Errno(4095)));
        assert_eq!(
            Errno::check(4096usize.wrapping_neg()),
            Ok(4096usize.wrapping_neg())
        );
        assert_eq!(Errno::check(isize::MIN as usize), Ok(isize::MIN as usize));
    }

    #[test]
    fn new_refuses_what_is_no_error_number() {
        assert_eq!(Errno::new(0), None);
        assert_eq!(Errno::new(4096), None);
        assert_eq!(Errno::new(9), Some(Errno::EBADF));
        assert_eq!(Errno::new(9).map(Errno::code), Some(9));
    }
}
