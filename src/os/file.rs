//! Files and descriptors.
//!
//! Invariants:
//! - a [`File`] owns its descriptor and closes it when dropped; an [`Fd`] is only its number;
//! - [`read`], [`write`] and [`send`] make exactly one call and hand back what it did, short counts
//!   and `EINTR` included (the PLAN operations need that); [`write_all`], [`read_to_end`] and
//!   [`read_whole`] repeat until done;
//! - descriptors are opened close-on-exec;
//! - a path with a zero byte in it is refused with `EINVAL`, never cut short.
//!
//! Safety: buffers are borrowed slices for the length of the call; structures handed to the kernel
//! are `repr(C)` copies of its own, of the size it writes.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::sys::{Sysno, call};
use alloc::vec::Vec;
use core::fmt;

/// The most one `read` or `write` moves, whatever it is asked for (kernel: `MAX_RW_COUNT`).
pub const MAX_TRANSFER: usize = 0x7fff_f000;

/// Smallest free room [`read_to_end`] reads into, in bytes.
const READ_STEP: usize = 64 * 1024;

/// Relative paths start at the current directory.
pub(super) const AT_FDCWD: usize = -100isize as usize;
pub(super) const O_RDONLY: usize = 0;
const O_WRONLY: usize = 1;
pub(super) const O_RDWR: usize = 2;
const O_CREAT: usize = 0o100;
const O_EXCL: usize = 0o200;
const O_TRUNC: usize = 0o1000;
const O_APPEND: usize = 0o2000;
const O_DIRECTORY: usize = 0o200_000;
const O_NOFOLLOW: usize = 0o400_000;
pub(super) const O_CLOEXEC: usize = 0o2_000_000;
/// The bits of a mode that say what kind of file it is, and three of the kinds.
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFLNK: u32 = 0o120_000;

/// The number of an open descriptor; owns nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fd(pub i32);

impl Fd {
    /// Standard input.
    pub const STDIN: Fd = Fd(0);
    /// Standard output.
    pub const STDOUT: Fd = Fd(1);
    /// Standard error.
    pub const STDERR: Fd = Fd(2);

    /// The descriptor a program names by a number; `EBADF` for 2^31 and above.
    pub fn from_number(number: u64) -> Result<Fd, Errno> {
        i32::try_from(number).map(Fd).map_err(|_| Errno::EBADF)
    }

    /// The register that carries it.
    pub(super) fn arg(self) -> usize {
        self.0 as isize as usize
    }
}

/// An open file, closed when dropped.
#[derive(Debug)]
pub struct File(Fd);

impl File {
    /// The file of a descriptor that nobody else closes.
    pub(super) fn own(fd: Fd) -> File {
        File(fd)
    }

    /// Its descriptor, for the calls of this module; dies with the file.
    pub fn fd(&self) -> Fd {
        self.0
    }

    /// Closes the file and reports what a silent close would lose (`EIO` of a late write).
    pub fn close(self) -> Result<(), Errno> {
        let fd = self.0;
        core::mem::forget(self);
        close(fd)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // Whoever cares about a late write error calls `close`, or `sync` before.
        let _ = close(self.0);
    }
}

/// What [`stat`] tells of an open file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Length in bytes; meaningful for regular files.
    pub size: u64,
    /// An ordinary file.
    pub is_regular: bool,
    /// A directory.
    pub is_directory: bool,
    /// A symbolic link.
    pub is_link: bool,
    /// Permission bits, 0…0o7777.
    pub permissions: u32,
    /// Device and number on it: the same for all paths of one file, and only for those.
    pub identity: (u64, u64),
    /// User and group that own it.
    pub owner: (u32, u32),
    /// Names it has in directories; 0 for a file that was removed or replaced.
    pub links: u64,
}

/// One `read` into `buf`; 0 at the end of the file.
pub fn read(fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most `buf.len()` bytes into the slice we hold exclusively.
    unsafe { read_ptr(fd, buf.as_mut_ptr(), buf.len()) }
}

/// One `read` of up to `len` bytes to `buf`, which need not be initialised.
///
/// # Safety
/// `buf` must be valid for writes of `len` bytes.
pub unsafe fn read_ptr(fd: Fd, buf: *mut u8, len: usize) -> Result<usize, Errno> {
    // SAFETY: passed on to the caller.
    unsafe { call(Sysno::read, [fd.arg(), buf.expose_provenance(), len]) }
}

/// One `write` of `bytes`; the number the kernel took, possibly fewer.
pub fn write(fd: Fd, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads the slice only.
    unsafe { write_ptr(fd, bytes.as_ptr(), bytes.len()) }
}

/// One `write` of `len` bytes from `bytes`.
///
/// # Safety
/// `bytes` must be valid for reads of `len` bytes.
pub unsafe fn write_ptr(fd: Fd, bytes: *const u8, len: usize) -> Result<usize, Errno> {
    // SAFETY: passed on to the caller.
    unsafe { call(Sysno::write, [fd.arg(), bytes.expose_provenance(), len]) }
}

/// Writes all of `bytes`, going on after short writes and interruptions.
pub fn write_all(fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(fd, bytes) {
            // A device that takes nothing and gives no reason would keep us here forever.
            Ok(0) => return Err(Errno::EIO),
            Ok(count) => bytes = bytes.get(count..).ok_or(Errno::EIO)?,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// One `sendto` without address on a connected socket, with the `flags` of the call.
pub fn send(fd: Fd, bytes: &[u8], flags: u64) -> Result<usize, Errno> {
    let args = [
        fd.arg(),
        bytes.as_ptr().expose_provenance(),
        bytes.len(),
        flags as usize,
        0,
        0,
    ];
    // SAFETY: the kernel reads the slice only.
    unsafe { call(Sysno::sendto, args) }
}

/// `path` with the zero byte the kernel wants behind it.
pub(super) fn terminated(path: &[u8]) -> Result<Vec<u8>, Errno> {
    if path.contains(&0) {
        return Err(Errno::EINVAL);
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(path.len() + 1)
        .map_err(|_| Errno::ENOMEM)?;
    bytes.extend_from_slice(path);
    bytes.push(0);
    Ok(bytes)
}

pub(super) fn open(path: &[u8], flags: usize, mode: u32) -> Result<File, Errno> {
    let path = terminated(path)?;
    let args = [
        AT_FDCWD,
        path.as_ptr().expose_provenance(),
        flags | O_CLOEXEC,
        mode as usize,
    ];
    // SAFETY: the path is terminated and lives through the call; the kernel only reads it.
    let number = unsafe { call(Sysno::openat, args)? };
    i32::try_from(number)
        .map(|fd| File(Fd(fd)))
        .map_err(|_| Errno::EBADF)
}

/// Opens `path` for reading.
pub fn open_read(path: &[u8]) -> Result<File, Errno> {
    open(path, O_RDONLY, 0)
}

/// Opens `path`, which has to be there, for reading and writing.
pub fn open_both(path: &[u8]) -> Result<File, Errno> {
    open(path, O_RDWR, 0)
}

/// The same, if `path` itself is a file: `ELOOP` for a symbolic link.
pub fn open_both_itself(path: &[u8]) -> Result<File, Errno> {
    open(path, O_RDWR | O_NOFOLLOW, 0)
}

/// Opens `path` for writing: creates it with `permissions` (less the umask) or empties it.
pub fn create(path: &[u8], permissions: u32) -> Result<File, Errno> {
    open(path, O_WRONLY | O_CREAT | O_TRUNC, permissions)
}

/// Creates `path` for writing with `permissions` (less the umask); `EEXIST` if it is there.
pub fn create_new(path: &[u8], permissions: u32) -> Result<File, Errno> {
    open(path, O_WRONLY | O_CREAT | O_EXCL, permissions)
}

/// The same for reading and writing.
pub fn create_new_both(path: &[u8], permissions: u32) -> Result<File, Errno> {
    open(path, O_RDWR | O_CREAT | O_EXCL, permissions)
}

/// Opens `path` for appending: creates it with `permissions` (less the umask) if it is not there.
pub fn open_append(path: &[u8], permissions: u32) -> Result<File, Errno> {
    open(path, O_WRONLY | O_CREAT | O_APPEND, permissions)
}

/// Waits for the lock on an open file that one process at a time can hold; closing gives it back.
pub fn lock(fd: Fd) -> Result<(), Errno> {
    const LOCK_EX: usize = 2;
    // SAFETY: touches no memory.
    unsafe { call(Sysno::flock, [fd.arg(), LOCK_EX]).map(drop) }
}

/// Makes the directory `path` with `permissions` (less the umask).
pub fn make_directory(path: &[u8], permissions: u32) -> Result<(), Errno> {
    let path = terminated(path)?;
    let args = [path.as_ptr().expose_provenance(), permissions as usize];
    // SAFETY: the path is terminated and only read.
    unsafe { call(Sysno::mkdir, args).map(drop) }
}

/// Visits the names in the directory `path`, without `.` and `..`, those of directories with a slash
/// behind them, in no order.
pub fn list_directory(path: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<(), Errno> {
    /// Bytes of a `struct linux_dirent64` before the name; where its length and its kind lie; the
    /// kind of a directory.
    const NAME: usize = 19;
    const LENGTH: usize = 16;
    const KIND: usize = 18;
    const DIRECTORY: u8 = 4;
    let dir = open(path, O_RDONLY | O_DIRECTORY, 0)?;
    let mut buffer = [0u8; 4096];
    loop {
        let start = (&raw mut buffer).expose_provenance();
        let args = [dir.fd().arg(), start, buffer.len()];
        // SAFETY: the kernel writes at most the length of the buffer into it.
        let filled = unsafe { call(Sysno::getdents64, args)? };
        let mut rest = &mut buffer[..filled];
        if rest.is_empty() {
            return Ok(());
        }
        while rest.len() > NAME {
            let length = usize::from(rest[LENGTH]) | usize::from(rest[LENGTH + 1]) << 8;
            let (entry, behind) = rest.split_at_mut_checked(length).ok_or(Errno::EIO)?;
            let name = entry.get_mut(NAME..).ok_or(Errno::EIO)?;
            let end = name.iter().position(|b| *b == 0).ok_or(Errno::EIO)?;
            // The zero behind a name makes room for the slash.
            name[end] = b'/';
            let slash = usize::from(entry[KIND] == DIRECTORY);
            let name = &entry[NAME..NAME + end + slash];
            if !matches!(&name[..end], b"." | b"..") {
                visit(name);
            }
            rest = behind;
        }
    }
}

/// Closes a descriptor that no [`File`] owns.
pub fn close(fd: Fd) -> Result<(), Errno> {
    // SAFETY: touches no memory. After EINTR the descriptor is closed all the same.
    match unsafe { call(Sysno::close, [fd.arg()]) } {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// `struct stat` of x86-64; 144 bytes.
#[repr(C)]
#[derive(Default)]
struct KernelStat {
    dev: u64,
    ino: u64,
    nlink: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    pad: u32,
    rdev: u64,
    size: i64,
    rest: [u64; 11],
}

const _: () = assert!(size_of::<KernelStat>() == 144);

/// Kind, size and permissions of an open file.
pub fn stat(fd: Fd) -> Result<Stat, Errno> {
    let mut raw = KernelStat::default();
    // SAFETY: the kernel writes 144 bytes, the size of `raw`.
    unsafe { call(Sysno::fstat, [fd.arg(), (&raw mut raw).expose_provenance()])? };
    Ok(raw.into())
}

/// The same of the file that `path` leads to, which is not opened.
pub fn stat_path(path: &[u8]) -> Result<Stat, Errno> {
    stat_by(Sysno::stat, path)
}

/// The same of `path` itself, if that is a symbolic link.
pub fn stat_itself(path: &[u8]) -> Result<Stat, Errno> {
    stat_by(Sysno::lstat, path)
}

fn stat_by(number: Sysno, path: &[u8]) -> Result<Stat, Errno> {
    let path = terminated(path)?;
    let mut raw = KernelStat::default();
    let args = [
        path.as_ptr().expose_provenance(),
        (&raw mut raw).expose_provenance(),
    ];
    // SAFETY: the path is terminated; the kernel writes 144 bytes, the size of `raw`.
    unsafe { call(number, args)? };
    Ok(raw.into())
}

impl From<KernelStat> for Stat {
    fn from(raw: KernelStat) -> Stat {
        Stat {
            size: u64::try_from(raw.size).unwrap_or(0),
            is_regular: raw.mode & S_IFMT == S_IFREG,
            is_directory: raw.mode & S_IFMT == S_IFDIR,
            is_link: raw.mode & S_IFMT == S_IFLNK,
            permissions: raw.mode & 0o7777,
            identity: (raw.dev, raw.ino),
            owner: (raw.uid, raw.gid),
            links: raw.nlink,
        }
    }
}

/// Waits until data and metadata of the file are on stable storage.
pub fn sync(fd: Fd) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { call(Sysno::fsync, [fd.arg()]).map(drop) }
}

/// Gives `old` the name `new`, replacing what had it, in one step.
pub fn rename(old: &[u8], new: &[u8]) -> Result<(), Errno> {
    let (old, new) = (terminated(old)?, terminated(new)?);
    let args = [
        old.as_ptr().expose_provenance(),
        new.as_ptr().expose_provenance(),
    ];
    // SAFETY: both paths are terminated and only read.
    unsafe { call(Sysno::rename, args).map(drop) }
}

/// Gives the file `old` another name, `new`; `EEXIST` if that is taken.
pub fn link(old: &[u8], new: &[u8]) -> Result<(), Errno> {
    let (old, new) = (terminated(old)?, terminated(new)?);
    let args = [
        old.as_ptr().expose_provenance(),
        new.as_ptr().expose_provenance(),
    ];
    // SAFETY: both paths are terminated and only read.
    unsafe { call(Sysno::link, args).map(drop) }
}

/// Sets the permissions of an open file.
pub fn set_permissions(fd: Fd, permissions: u32) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { call(Sysno::fchmod, [fd.arg(), permissions as usize]).map(drop) }
}

/// Makes another user and group the owners of an open file.
pub fn set_owner(fd: Fd, (user, group): (u32, u32)) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { call(Sysno::fchown, [fd.arg(), user as usize, group as usize]).map(drop) }
}

/// Removes the name `path` of a file.
pub fn remove(path: &[u8]) -> Result<(), Errno> {
    let path = terminated(path)?;
    // SAFETY: the path is terminated and only read.
    unsafe { call(Sysno::unlink, [path.as_ptr().expose_provenance()]).map(drop) }
}

/// Appends everything up to the end of the file to `out`; `EINTR` is not an error.
///
/// `ENOMEM` when `out` cannot grow; what was read so far is then in `out`.
pub fn read_to_end(fd: Fd, out: &mut Vec<u8>) -> Result<(), Errno> {
    loop {
        if out.capacity() - out.len() < READ_STEP {
            out.try_reserve(READ_STEP).map_err(|_| Errno::ENOMEM)?;
        }
        let room = out.spare_capacity_mut();
        // SAFETY: the kernel writes at most `room.len()` bytes into the vector's spare room.
        match unsafe { read_ptr(fd, room.as_mut_ptr().cast(), room.len()) } {
            Ok(0) => return Ok(()),
            // SAFETY: the kernel has written the next `count` bytes of the spare room.
            Ok(count) => unsafe { out.set_len(out.len() + count) },
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Why a file could not be read or written as a whole: the step that failed and the cause.
///
/// Printed as the detail of an `E_IO` message, for example
/// `cannot open: no such file or directory`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileError {
    /// The kernel refused a step: `open`, `read`, `write`, …
    Refused(&'static str, Errno),
    /// A directory where a file was expected.
    Directory,
    /// A device, pipe or socket where a regular file was expected.
    NotRegular,
    /// A symbolic link where the file itself was expected.
    Link,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Refused(step, why) => write!(f, "cannot {step}: {why}"),
            FileError::Directory => f.write_str("is a directory"),
            FileError::NotRegular => f.write_str("not a regular file"),
            FileError::Link => f.write_str("is a symbolic link"),
        }
    }
}

/// The contents of the regular file `path`.
pub fn read_whole(path: &[u8]) -> Result<Vec<u8>, FileError> {
    read_identified(path).map(|(bytes, _)| bytes)
}

/// The contents of the regular file `path`, and what it is known by ([`Stat::identity`]).
pub fn read_identified(path: &[u8]) -> Result<(Vec<u8>, (u64, u64)), FileError> {
    read_if(path, false)
}

/// As [`read_identified`], also of a pipe or device, to its end.
pub fn read_any(path: &[u8]) -> Result<(Vec<u8>, (u64, u64)), FileError> {
    read_if(path, true)
}

fn read_if(path: &[u8], any: bool) -> Result<(Vec<u8>, (u64, u64)), FileError> {
    let file = open_read(path).map_err(|why| FileError::Refused("open", why))?;
    let stat = stat(file.fd()).map_err(|why| FileError::Refused("stat", why))?;
    if stat.is_directory {
        return Err(FileError::Directory);
    }
    if !any && !stat.is_regular {
        return Err(FileError::NotRegular);
    }
    let mut bytes = Vec::new();
    // The size is a hint (files of /proc say 0, others may grow); one step more lets the last read
    // see the end of the file without growing the vector.
    let hint = usize::try_from(stat.size)
        .unwrap_or(usize::MAX)
        .saturating_add(READ_STEP);
    let reserved = bytes.try_reserve_exact(hint).map_err(|_| Errno::ENOMEM);
    reserved
        .and_then(|()| read_to_end(file.fd(), &mut bytes))
        .map_err(|why| FileError::Refused("read", why))?;
    Ok((bytes, stat.identity))
}

/// Makes `path` a file with exactly these contents.
///
/// The bytes go to `path` itself, so a device or pipe works too; what was there is lost first.
pub fn write_whole(path: &[u8], bytes: &[u8]) -> Result<(), FileError> {
    let file = create(path, 0o666).map_err(|why| FileError::Refused("open", why))?;
    write_all(file.fd(), bytes).map_err(|why| FileError::Refused("write", why))?;
    file.close().map_err(|why| FileError::Refused("write", why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    /// A path of this test alone in the system's temporary directory.
    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("plan-os-file-{}-{name}", std::process::id()))
    }

    fn bytes(path: &std::path::Path) -> &[u8] {
        path.as_os_str().as_bytes()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let path = scratch("round");
        let data: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        write_whole(bytes(&path), &data).unwrap();
        assert_eq!(read_whole(bytes(&path)).unwrap(), data);
        write_whole(bytes(&path), b"short").unwrap();
        assert_eq!(read_whole(bytes(&path)).unwrap(), b"short");
        let file = open_read(bytes(&path)).unwrap();
        let stat = stat(file.fd()).unwrap();
        assert_eq!(
            (stat.size, stat.is_regular, stat.is_directory),
            (5, true, false)
        );
        sync(file.fd()).unwrap();
        file.close().unwrap();
        assert_eq!(create_new(bytes(&path), 0o600).err(), Some(Errno::EEXIST));
        let other = scratch("renamed");
        rename(bytes(&path), bytes(&other)).unwrap();
        assert_eq!(open_read(bytes(&path)).err(), Some(Errno::ENOENT));
        let second = scratch("second");
        link(bytes(&other), bytes(&second)).unwrap();
        assert_eq!(link(bytes(&other), bytes(&second)), Err(Errno::EEXIST));
        let both = open_both_itself(bytes(&second)).unwrap();
        set_permissions(both.fd(), 0o640).unwrap();
        let found = stat_path(bytes(&other)).unwrap();
        assert_eq!((found.links, found.permissions), (2, 0o640));
        set_owner(both.fd(), found.owner).unwrap();
        let symbolic = scratch("symbolic");
        std::os::unix::fs::symlink(&second, &symbolic).unwrap();
        assert_eq!(open_both_itself(bytes(&symbolic)).err(), Some(Errno::ELOOP));
        assert_eq!(stat_path(bytes(&symbolic)), Ok(found));
        assert!(stat_itself(bytes(&symbolic)).unwrap().is_link);
        remove(bytes(&symbolic)).unwrap();
        remove(bytes(&second)).unwrap();
        remove(bytes(&other)).unwrap();
        assert_eq!(remove(bytes(&other)), Err(Errno::ENOENT));
    }

    #[test]
    fn directories_are_made_and_listed() {
        let dir = scratch("dir");
        make_directory(bytes(&dir), 0o700).unwrap();
        assert_eq!(make_directory(bytes(&dir), 0o700), Err(Errno::EEXIST));
        make_directory(bytes(&dir.join("sub")), 0o700).unwrap();
        for i in 0..300 {
            let path = dir.join(format!("a-rather-long-name-{i}"));
            write_all(open_append(bytes(&path), 0o600).unwrap().fd(), b"x").unwrap();
        }
        let again = open_append(bytes(&dir.join("a-rather-long-name-7")), 0o600).unwrap();
        lock(again.fd()).unwrap();
        write_all(again.fd(), b"y").unwrap();
        remove(bytes(&dir.join("a-rather-long-name-7"))).unwrap();
        let stat = stat(again.fd()).unwrap();
        assert_eq!((stat.size, stat.links), (2, 0));
        let mut names = Vec::new();
        list_directory(bytes(&dir), &mut |name| names.push(name.to_vec())).unwrap();
        names.sort();
        assert_eq!(names.len(), 300);
        assert_eq!(names[0], b"a-rather-long-name-0");
        assert_eq!(names[299], b"sub/");
        assert_eq!(
            list_directory(b"/dev/null", &mut |_| {}),
            Err(Errno::ENOTDIR)
        );
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn errors_say_what_failed_and_why() {
        let missing = read_whole(b"/no such file").unwrap_err();
        assert_eq!(
            missing.to_string(),
            "cannot open: no such file or directory"
        );
        assert_eq!(read_whole(b"/").unwrap_err().to_string(), "is a directory");
        assert_eq!(
            read_whole(b"/dev/null").unwrap_err().to_string(),
            "not a regular file"
        );
        assert_eq!(read_any(b"/dev/null").unwrap().0, b"");
        assert_eq!(read_any(b"/").unwrap_err().to_string(), "is a directory");
        let zero = read_whole(b"a\0b").unwrap_err();
        assert_eq!(zero.to_string(), "cannot open: invalid argument");
        let full = write_whole(b"/dev/full", b"x").unwrap_err();
        assert_eq!(full.to_string(), "cannot write: no space left on device");
    }

    #[test]
    fn files_whose_size_says_zero_are_read_whole() {
        let text = read_whole(b"/proc/self/status").unwrap();
        assert!(text.starts_with(b"Name:"));
    }

    #[test]
    fn a_pipe_gives_short_counts_and_then_the_end() {
        let (read_end, write_end) = std::io::pipe().unwrap();
        let (from, to) = (Fd(read_end.as_raw_fd()), Fd(write_end.as_raw_fd()));
        write_all(to, b"hello").unwrap();
        let mut buf = [0u8; 16];
        assert_eq!(read(from, &mut buf), Ok(5));
        assert_eq!(&buf[..5], b"hello");
        write_all(to, b"rest").unwrap();
        drop(write_end);
        let mut rest = Vec::new();
        read_to_end(from, &mut rest).unwrap();
        assert_eq!(rest, b"rest");
    }

    #[test]
    fn bad_descriptors_are_errors() {
        assert_eq!(write(Fd(-1), b"x"), Err(Errno::EBADF));
        assert_eq!(write_all(Fd(900), b"x"), Err(Errno::EBADF));
        assert_eq!(stat(Fd(900)), Err(Errno::EBADF));
        assert_eq!(Fd::from_number(1 << 31), Err(Errno::EBADF));
        assert_eq!(Fd::from_number(2), Ok(Fd::STDERR));
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(
            send(Fd(file.as_raw_fd()), b"x", 0).map_err(|e| e.code()),
            Err(88)
        );
    }
}
