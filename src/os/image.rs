//! The own executable as an image: whether it is one, and how it is opened for writing.
//!
//! ```text
//!             marker 0
//!   _start ──────────────▶ the tool
//!      │ marker: image
//!      ▼                 opened            (a system that lets a running file be written)
//!   open for writing ─────────────────────────────────────────────▶ Image, writable
//!      │ busy: it is being executed    │ refused: read-only, or not ours
//!      ▼                               └──────────────────────────▶ Image, not writable
//!   execute the stub, a small memory file ──▶ plan_resume ──▶ open for writing ──▶ Image
//! ```
//!
//! The kernel refuses to open for writing what a process executes (`ETXTBSY`). So the process executes
//! a stub (`asm/stub.s`) that maps the segments of the original, by a descriptor, where they were,
//! and goes on in them: nothing is copied and the pages stay shared with the page cache.
//!
//! Invariants:
//! - the marker alone says whether this is an image: it lies in a loaded segment, which tools that
//!   rewrite executables keep, while they drop what is behind the ELF part. So an image that lost its
//!   region never passes for the tool;
//! - the tool makes no system call here;
//! - the file opened for writing is the one that was executed, by device and inode;
//! - no descriptor below [`HIGH`] stays open, where the limit allows; ours do not survive an exec.
//!
//! Safety: the kernel's initial stack is read; paths are terminated strings of the kernel or of
//! this file; what the stub hands over is in its own pages, which stay mapped.
#![allow(unsafe_code)]

use super::env::{AT_PHDR, AT_PHNUM, Args};
use super::errno::Errno;
use super::file::{self, Fd, File, O_CLOEXEC, O_RDONLY, O_RDWR};
use super::mem::PAGE;
use super::sys::{Sysno, call};
use core::fmt;

core::arch::global_asm!(include_str!("../../asm/stub.s"));

unsafe extern "C" {
    /// See `asm/stub.s`.
    static plan_stub: [u8; STUB_BYTES];
}

/// Bytes of the stub before its rows.
const STUB_BYTES: usize = 512;
/// Where in the stub the two lengths of its segment are.
const STUB_LENGTHS: usize = 64 + 32;
/// The lowest descriptor used here, where the limit allows: programs number theirs from 0.
const HIGH: usize = 512;
/// Longest path the kernel takes, with its end.
const PATH_BYTES: usize = 4096;
/// Milliseconds to wait for another process that is between its two starts.
const PATIENCE: u32 = 2000;

/// `fcntl`: another descriptor of the same opening, close-on-exec.
const F_DUPFD_CLOEXEC: usize = 1030;
/// `memfd_create`: close-on-exec; may be executed (unknown before Linux 6.3).
const MFD_CLOEXEC: usize = 1;
const MFD_EXEC: usize = 0x10;
const AT_FDCWD: usize = -100isize as usize;
const AT_EMPTY_PATH: usize = 0x1000;
/// `prctl`: the name that `ps` shows.
const PR_SET_NAME: usize = 15;
const MAP_PRIVATE: u64 = 0x02;
const MAP_ANONYMOUS: u64 = 0x20;
const MAP_FIXED_NOREPLACE: u64 = 0x10_0000;

/// What an executable says about itself; zero but for the magic in the tool.
#[repr(C)]
struct Marker {
    magic: [u8; 16],
    /// Where the region starts in the file.
    region: u64,
}

#[used]
static MARKER: Marker = Marker {
    magic: *b"\x89PLAN image\r\n\x1a\n\0",
    region: 0,
};

/// An image that was started: its file, and where the region starts in it.
#[derive(Debug)]
pub struct OwnImage {
    /// The file, open for writing if `writable`; not locked yet.
    pub file: File,
    /// Where the region starts in the file, in bytes.
    pub region: u64,
    /// Whether the system lets us write it.
    pub writable: bool,
    /// The path it was started by, for messages.
    pub path: &'static [u8],
}

/// What this process runs.
#[derive(Debug)]
pub enum Start {
    /// The command line tool.
    Tool,
    /// An image: all arguments belong to its program.
    Image(OwnImage),
}

/// Why an image could not open itself; prints as the rest of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The system refuses what every start needs: a step, and why.
    System(&'static str, Errno),
    /// The own file cannot be opened, or not by that path.
    Unreachable(Errno),
    /// Another process writes it or executes it.
    Busy,
    /// The file was removed or replaced.
    Removed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::System(step, why) => write!(f, "cannot start: {step}: {why}"),
            Refusal::Unreachable(why) => write!(f, "cannot open the own file: {why}"),
            Refusal::Busy => f.write_str("in use by another process"),
            Refusal::Removed => f.write_str("the file was removed or replaced"),
        }
    }
}

/// What the first start leaves for the second; a path follows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Handover {
    /// The own file, open for reading.
    fd: i64,
    /// Device and inode of it.
    identity: [u64; 2],
    /// Bytes of the path that follows, without its end.
    path: u64,
}

/// What follows the code of the stub; `asm/stub.s` knows the offsets.
#[repr(C)]
struct Tail {
    rows: [[u64; 6]; 9],
    zero: [u64; 2],
    resume: u64,
    handover: Handover,
}

/// The file that is executed.
#[repr(C)]
struct Stub {
    code: [u8; STUB_BYTES],
    tail: Tail,
    path: [u8; PATH_BYTES],
}

/// A program header of the ELF format.
#[repr(C)]
#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    physical: u64,
    in_file: u64,
    in_memory: u64,
    align: u64,
}

/// Where the region of this executable starts, if it is an image.
fn region() -> Option<u64> {
    // SAFETY: a static; volatile, because the file is changed after it was compiled.
    let region = unsafe { (&raw const MARKER.region).read_volatile() };
    (region != 0).then_some(region)
}

/// The executable whose bytes (to the end of its section header table) are `elf`, tool or image, as one
/// whose region starts at the first page behind it. `None` if this is no executable of ours.
pub fn marked(elf: &mut [u8]) -> Option<u64> {
    let size = MARKER.magic.len();
    let mut found = elf
        .windows(size)
        .enumerate()
        .filter(|(_, w)| **w == MARKER.magic);
    let at = found.next()?.0 + size;
    if found.next().is_some() {
        return None;
    }
    let region = elf.len().next_multiple_of(PAGE) as u64;
    elf.get_mut(at..at + 8)?
        .copy_from_slice(&region.to_le_bytes());
    Some(region)
}

/// Where the region of the executable that begins with `elf` starts, if it is an image.
pub fn region_in(elf: &[u8]) -> Option<u64> {
    let size = MARKER.magic.len();
    let at = elf.windows(size).position(|w| *w == MARKER.magic)? + size;
    let bytes = elf.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes)).filter(|region| *region != 0)
}

/// Finds out what this process is; for an image, opens the own file. May execute the process
/// anew, which then calls this with what was handed over; `resume` is where it is to go on.
///
/// # Errors
/// Why an image cannot run.
///
/// # Safety
/// `handover` is null or what the stub passed to `resume`.
pub unsafe fn start(
    args: &Args,
    handover: *const Handover,
    resume: usize,
) -> Result<Start, Refusal> {
    let Some(region) = region() else {
        return Ok(Start::Tool);
    };
    // SAFETY: passed on to the caller.
    let (file, writable, path) = match unsafe { handover.as_ref() } {
        None => first(args, resume)?,
        // SAFETY: the path follows in the page of the handover.
        Some(left) => second(left, unsafe {
            core::slice::from_raw_parts(handover.add(1).cast(), left.path as usize)
        })?,
    };
    if writable && file::stat(file.fd()).is_ok_and(|stat| stat.links == 0) {
        return Err(Refusal::Removed);
    }
    Ok(Start::Image(OwnImage {
        file: high(file)?,
        region,
        writable,
        path,
    }))
}

/// Opens the terminated string `path`.
fn open(path: *const u8, flags: usize) -> Result<File, Errno> {
    let args = [AT_FDCWD, path.expose_provenance(), flags, 0];
    // SAFETY: callers pass terminated strings; the kernel only reads them.
    let number = unsafe { call(Sysno::openat, args)? };
    Ok(File::own(Fd(number as i32)))
}

/// The same opening at a descriptor out of the way, if there is room.
fn high(file: File) -> Result<File, Refusal> {
    let args = [file.fd().arg(), F_DUPFD_CLOEXEC, HIGH];
    // SAFETY: touches no memory.
    match unsafe { call(Sysno::fcntl, args) } {
        Ok(number) => Ok(File::own(Fd(number as i32))),
        // The limit is lower: the file stays where it is.
        Err(Errno::EINVAL | Errno::EMFILE) => Ok(file),
        Err(why) => Err(Refusal::System("descriptors", why)),
    }
}

/// Whether the system will never let us write this file, which is no reason not to run.
fn is_read_only(why: Errno) -> bool {
    matches!(why, Errno::EACCES | Errno::EROFS | Errno::EPERM)
}

type Opened = (File, bool, &'static [u8]);

/// The first start: opens the own file, or executes the stub.
fn first(args: &Args, resume: usize) -> Result<Opened, Refusal> {
    let own = c"/proc/self/exe".as_ptr().cast();
    let path = args.executable().unwrap_or(b"");
    match open(own, O_RDWR | O_CLOEXEC) {
        Ok(file) => return Ok((file, true, path)),
        Err(why) if is_read_only(why) => {
            let file = open(own, O_RDONLY | O_CLOEXEC).map_err(Refusal::Unreachable)?;
            return Ok((file, false, path));
        }
        Err(_) => {}
    }
    // Not close-on-exec: the stub maps it.
    let file = open(own, O_RDONLY).map_err(Refusal::Unreachable)?;
    Err(restart(args, &file, path, resume))
}

/// Executes the stub; comes back only with the reason why not.
fn restart(args: &Args, file: &File, path: &[u8], resume: usize) -> Refusal {
    let system = |step| move |why| Refusal::System(step, why);
    let identity = match file::stat(file.fd()) {
        Ok(stat) => stat.identity,
        Err(why) => return Refusal::Unreachable(why),
    };
    let mut stub = Stub {
        // SAFETY: that many bytes of constants.
        code: unsafe { plan_stub },
        tail: tail(segments(args), file.fd()),
        path: [0; PATH_BYTES],
    };
    let length = path.len().min(PATH_BYTES - 1);
    stub.path[..length].copy_from_slice(&path[..length]);
    stub.tail.resume = resume as u64;
    stub.tail.handover.identity = identity.into();
    stub.tail.handover.path = length as u64;
    let used = size_of::<Stub>() - PATH_BYTES + length + 1;
    for half in 0..2 {
        let at = STUB_LENGTHS + 8 * half;
        stub.code[at..at + 8].copy_from_slice(&(used as u64).to_le_bytes());
    }
    // SAFETY: a structure without padding, of which `used` bytes are initialised.
    let bytes = unsafe { core::slice::from_raw_parts((&raw const stub).cast::<u8>(), used) };
    let attempt = || -> Result<(), Refusal> {
        let memory = memory_file().map_err(system("memory file"))?;
        file::write_all(memory.fd(), bytes).map_err(system("memory file"))?;
        let (argv, envp) = args.vectors();
        let empty = c"".as_ptr().expose_provenance();
        let args = [memory.fd().arg(), empty, argv, envp, AT_EMPTY_PATH];
        // SAFETY: the vectors are those the kernel made; on success there is no way back.
        unsafe { call(Sysno::execveat, args) }
            .map(drop)
            .map_err(system("execute again"))
    };
    attempt().err().unwrap_or(Refusal::Busy)
}

/// An empty file in memory that may be executed.
fn memory_file() -> Result<File, Errno> {
    let name = c"plan".as_ptr().expose_provenance();
    let make = |flags| {
        // SAFETY: the name is terminated and only read.
        unsafe { call(Sysno::memfd_create, [name, flags]) }
    };
    let number = match make(MFD_CLOEXEC | MFD_EXEC) {
        Err(Errno::EINVAL) => make(MFD_CLOEXEC)?,
        result => result?,
    };
    Ok(File::own(Fd(number as i32)))
}

/// The program headers the kernel loaded this process by.
fn segments(args: &Args) -> &'static [Segment] {
    match (args.aux(AT_PHDR), args.aux(AT_PHNUM)) {
        (Some(at), Some(count)) if at != 0 => {
            let at = core::ptr::with_exposed_provenance(at as usize);
            // SAFETY: the kernel says so; the headers are in the first segment.
            unsafe { core::slice::from_raw_parts(at, count as usize) }
        }
        _ => &[],
    }
}

/// The calls that map these segments of a file again.
fn tail(segments: &[Segment], fd: Fd) -> Tail {
    let page = PAGE as u64;
    let mut tail = Tail {
        rows: [[0; 6]; 9],
        zero: [0; 2],
        resume: 0,
        handover: Handover {
            fd: i64::from(fd.0),
            identity: [0; 2],
            path: 0,
        },
    };
    let mut rows = tail.rows[..8].iter_mut();
    let mut put = |row: [u64; 6]| {
        if row[1] != 0
            && let Some(free) = rows.next()
        {
            *free = row;
        }
    };
    for segment in segments.iter().filter(|s| s.kind == 1) {
        let inside = segment.address % page;
        let start = segment.address - inside;
        // Readable 4, writable 2, executable 1 in the file; the other way round for mmap.
        let flags = u64::from(segment.flags);
        let protection = (flags >> 2 & 1) | (flags & 2) | (flags & 1) << 2;
        let end = |bytes: u64| (inside + bytes).next_multiple_of(page);
        let in_file = if segment.in_file == 0 {
            0
        } else {
            end(segment.in_file)
        };
        let fixed = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
        let offset = segment.offset - inside;
        put([start, in_file, protection, fixed, fd.0 as u64, offset]);
        let rest = end(segment.in_memory) - in_file;
        put([
            start + in_file,
            rest,
            protection,
            fixed | MAP_ANONYMOUS,
            u64::MAX,
            0,
        ]);
        if flags & 2 != 0 && in_file != 0 {
            let used = segment.address + segment.in_file;
            tail.zero = [used, start + in_file - used];
        }
    }
    tail
}

/// The second start: opens the original, which is not being executed any more, for writing.
fn second(left: &Handover, path: &'static [u8]) -> Result<Opened, Refusal> {
    let file = File::own(Fd(left.fd as i32));
    name_process(path);
    let mut link = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = left.fd;
    let mut end = 24;
    while digits != 0 || end == 24 {
        end -= 1;
        link[end] = b'0' + (digits % 10) as u8;
        digits /= 10;
    }
    link.copy_within(end.., 14);
    for _ in 0..PATIENCE {
        match open(link.as_ptr(), O_RDWR | O_CLOEXEC) {
            Ok(both) => return Ok((both, true, path)),
            Err(why) if is_read_only(why) => return Ok((file, false, path)),
            Err(Errno::ETXTBSY) => pause(),
            Err(why) => return Err(Refusal::Unreachable(why)),
        }
    }
    Err(Refusal::Busy)
}

/// Lets tools show the name of the image instead of the stub's.
fn name_process(path: &[u8]) {
    let start = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    // A name that is not set is shown wrong, no more.
    // SAFETY: the path is terminated; the kernel reads 16 bytes of it at most.
    let _ = unsafe {
        let at = path[start..].as_ptr().expose_provenance();
        call(Sysno::prctl, [PR_SET_NAME, at])
    };
}

/// Waits a millisecond.
fn pause() {
    let time = [0u64, 1_000_000];
    // SAFETY: the kernel reads the 16 bytes; interrupted or not, the caller tries again.
    let _ = unsafe { call(Sysno::nanosleep, [(&raw const time).expose_provenance(), 0]) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An executable with the marker in it, as far as this file is concerned.
    fn executable() -> Vec<u8> {
        let mut elf = vec![7; 5000];
        elf.extend_from_slice(&MARKER.magic);
        elf.extend_from_slice(&[0; 8]);
        elf.resize(9000, 9);
        elf
    }

    #[test]
    fn marking_says_where_the_region_starts_and_changes_nothing_else() {
        let tool = executable();
        assert_eq!(region_in(&tool), None);
        let mut image = tool.clone();
        assert_eq!(marked(&mut image), Some(12288));
        assert_eq!(region_in(&image), Some(12288));
        let differ = |i: &usize| tool[*i] != image[*i];
        let changed: Vec<_> = (0..tool.len()).filter(differ).collect();
        assert!(changed.iter().all(|i| (5016..5024).contains(i)));
        let again = marked(&mut image);
        assert_eq!((again, region_in(&image)), (Some(12288), Some(12288)));
    }

    #[test]
    fn what_is_no_executable_of_ours_is_not_marked() {
        let mut twice = [executable(), executable()].concat();
        assert_eq!(marked(&mut twice), None);
        assert_eq!(marked(&mut [0; 100]), None);
        assert_eq!(marked(&mut MARKER.magic.to_vec()), None);
        assert_eq!(region_in(&MARKER.magic), None);
        assert_eq!(region_in(b""), None);
    }

    #[test]
    fn segments_are_mapped_where_the_kernel_had_them() {
        let segment = |flags, offset, address, in_file, in_memory| Segment {
            kind: 1,
            flags,
            offset,
            address,
            physical: 0,
            in_file,
            in_memory,
            align: 4096,
        };
        let data = segment(6, 0x2234, 0x40_3234, 0x100, 0x2000);
        let stack = Segment {
            kind: 0x6474_e551,
            ..data
        };
        let tail = tail(
            &[segment(5, 0, 0x40_0000, 0x1234, 0x1234), data, stack],
            Fd(9),
        );
        let fixed = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
        let zeros = fixed | MAP_ANONYMOUS;
        let rows = [
            [0x40_0000, 0x2000, 5, fixed, 9, 0],
            [0x40_3000, 0x1000, 3, fixed, 9, 0x2000],
            [0x40_4000, 0x2000, 3, zeros, u64::MAX, 0],
            [0; 6],
        ];
        assert_eq!(tail.rows[..4], rows);
        assert_eq!(tail.zero, [0x40_3334, 0xccc]);
        assert_eq!(core::mem::offset_of!(Tail, handover), 9 * 48 + 16 + 8);
    }
}
