//! Files as storage: reads and writes at offsets, space, stable storage, locks.
//!
//! Invariants:
//! - each function makes exactly one call and hands back what it did, short counts and `EINTR`
//!   included;
//! - the lock belongs to the open file, not to the process: it is there until the last descriptor of
//!   that opening is closed, and a second opening in the same process is refused like any other.
//!
//! Safety: buffers are borrowed slices for the length of the call; structures handed to the kernel
//! are `repr(C)` copies of its own.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::{Fd, File};
use super::sys::{Sysno, call};

/// `fcntl`: set a lock of the open file description, or fail at once.
const F_OFD_SETLK: usize = 37;
/// `fcntl`: who has a lock that excludes this one?
const F_OFD_GETLK: usize = 36;
/// `fcntl`: another descriptor of the same opening, close-on-exec.
const F_DUPFD_CLOEXEC: usize = 1030;
/// A lock that excludes all others.
const F_WRLCK: i16 = 1;
/// A lock that excludes those.
const F_RDLCK: i16 = 0;
/// No lock.
const F_UNLCK: i16 = 2;
/// `fallocate`: make a hole, and keep the length.
const PUNCH_HOLE: usize = 0x02 | 0x01;

/// `fadvise64`: the range will be read soon.
const WILL_NEED: usize = 3;

/// `struct flock` of x86-64; all zero but the kind is the whole file.
#[repr(C)]
struct KernelLock {
    kind: i16,
    whence: i16,
    start: i64,
    len: i64,
    pid: i32,
}

const _: () = assert!(size_of::<KernelLock>() == 32);

/// One `pread` at `offset`; 0 at the end of the file.
pub fn read_at(fd: Fd, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
    let at = buf.as_mut_ptr().expose_provenance();
    let args = [fd.arg(), at, buf.len(), offset as usize];
    // SAFETY: the kernel writes at most `buf.len()` bytes into the slice we hold exclusively.
    unsafe { call(Sysno::pread64, args) }
}

/// One `pwrite` at `offset`; the bytes the kernel took, possibly fewer.
pub fn write_at(fd: Fd, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let at = bytes.as_ptr().expose_provenance();
    let args = [fd.arg(), at, bytes.len(), offset as usize];
    // SAFETY: the kernel reads the slice only.
    unsafe { call(Sysno::pwrite64, args) }
}

/// Bytes that are to lie one behind another in a file; some may be none.
pub type Parts<'a> = [&'a [u8]; 4];

/// One `pwritev` at `offset`; the bytes the kernel took, possibly fewer.
pub fn write_parts(fd: Fd, offset: u64, parts: &Parts) -> Result<usize, Errno> {
    // `struct iovec`: address and length.
    let list = parts.map(|part| [part.as_ptr().expose_provenance(), part.len()]);
    let at = (&raw const list).expose_provenance();
    let args = [fd.arg(), at, list.len(), offset as usize, 0];
    // SAFETY: the kernel reads the list and the slices only.
    unsafe { call(Sysno::pwritev, args) }
}

/// Makes the file `len` bytes long.
pub fn truncate(fd: Fd, len: u64) -> Result<(), Errno> {
    // SAFETY: touches no memory of ours; mappings of the file are the caller's business.
    unsafe { call(Sysno::ftruncate, [fd.arg(), len as usize]).map(drop) }
}

/// Makes a hole of a range: it reads as zeros, the length stays. `ENOTSUP` where files have none.
pub fn punch(fd: Fd, offset: u64, len: u64) -> Result<(), Errno> {
    let args = [fd.arg(), PUNCH_HOLE, offset as usize, len as usize];
    // SAFETY: as for `truncate`.
    unsafe { call(Sysno::fallocate, args).map(drop) }
}

/// The next run of data at or behind `offset`: where it begins and ends; none in the rest of the
/// file. Without knowledge of holes that is all of it.
pub fn data_from(fd: Fd, offset: u64, size: u64) -> Result<Option<(u64, u64)>, Errno> {
    const SEEK_DATA: usize = 3;
    const SEEK_HOLE: usize = 4;
    let seek = |from: u64, what: usize| {
        // SAFETY: touches no memory.
        unsafe { call(Sysno::lseek, [fd.arg(), from as usize, what]) }
    };
    match seek(offset, SEEK_DATA) {
        Ok(start) => seek(start as u64, SEEK_HOLE).map(|end| Some((start as u64, end as u64))),
        Err(Errno::ENXIO) => Ok(None),
        Err(Errno::EINVAL) => Ok((offset < size).then_some((offset, size))),
        Err(why) => Err(why),
    }
}

/// Copies up to `len` bytes between two files, which may then share them; 0 at the end of the first.
pub fn copy_range(from: (Fd, u64), to: (Fd, u64), len: u64) -> Result<usize, Errno> {
    let (mut from_at, mut to_at) = (from.1, to.1);
    let args = [
        from.0.arg(),
        (&raw mut from_at).expose_provenance(),
        to.0.arg(),
        (&raw mut to_at).expose_provenance(),
        usize::try_from(len).unwrap_or(usize::MAX).min(1 << 30),
        0,
    ];
    // SAFETY: the kernel reads and writes the two offsets only.
    unsafe { call(Sysno::copy_file_range, args) }
}

/// Waits until the data of the file, and what is needed to find it, is on stable storage.
pub fn sync_data(fd: Fd) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { call(Sysno::fdatasync, [fd.arg()]).map(drop) }
}

/// Has the system begin to read a range of the file into its cache.
pub fn will_need(fd: Fd, offset: u64, len: u64) -> Result<(), Errno> {
    let args = [fd.arg(), offset as usize, len as usize, WILL_NEED];
    // SAFETY: touches no memory.
    unsafe { call(Sysno::fadvise64, args).map(drop) }
}

/// A lock of this kind on all of a file.
const fn whole(kind: i16) -> KernelLock {
    KernelLock {
        kind,
        whence: 0,
        start: 0,
        len: 0,
        pid: 0,
    }
}

/// Whether another opening has the file locked, for whatever.
pub fn is_locked(fd: Fd) -> Result<bool, Errno> {
    let mut lock = whole(F_WRLCK);
    let at = (&raw mut lock).expose_provenance();
    // SAFETY: the kernel writes the structure only, to say what it found.
    unsafe { call(Sysno::fcntl, [fd.arg(), F_OFD_GETLK, at])? };
    Ok(lock.kind != F_UNLCK)
}

/// Locks the whole file against other openings, for writing or for reading beside other readers.
/// `EAGAIN` if one of them has it locked.
pub fn lock(fd: Fd, for_writing: bool) -> Result<(), Errno> {
    let lock = whole(if for_writing { F_WRLCK } else { F_RDLCK });
    let at = (&raw const lock).expose_provenance();
    // SAFETY: the kernel reads the structure only.
    match unsafe { call(Sysno::fcntl, [fd.arg(), F_OFD_SETLK, at]) } {
        Err(Errno::EACCES) => Err(Errno::EAGAIN),
        result => result.map(drop),
    }
}

/// Another descriptor of the same opening, with a number not below that of `above`: it shares the lock.
pub fn duplicate(fd: Fd, above: Fd) -> Result<File, Errno> {
    let args = [fd.arg(), F_DUPFD_CLOEXEC, above.arg()];
    // SAFETY: touches no memory.
    let number = unsafe { call(Sysno::fcntl, args)? };
    i32::try_from(number)
        .map(|number| File::own(Fd(number)))
        .map_err(|_| Errno::EBADF)
}
