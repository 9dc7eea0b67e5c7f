//! The own executable as an image: whether it is one, and how it is opened for writing.
//!
//! ```text
//!           not marked
//!   _start ────────────▶ Tool
//!     │ marked         to be read only
//!     ▼                 ┌───────────────────────────────────────────────▶ Image, not writable
//!   open for reading ───┤
//!                       └─▶ become the stub ──▶ plan_resume ─▶ open for writing ─▶ Image
//!                             │ not permitted         refused, busy │
//!                             ├─ execute a memory file with it      └─▶ not writable; wait, status 4
//!                             └─ execute a temporary one
//! ```
//!
//! The kernel lets nobody open for writing what a process executes (`ETXTBSY`). So the process turns
//! into a stub (`asm/stub.s`) that maps the segments of the original, by a descriptor, where they were,
//! and goes on in them: nothing is copied and the pages stay shared with the page cache.
//!
//! Invariants:
//! - the marker alone says whether this is an image: it lies in a loaded segment, which tools that
//!   rewrite executables keep, while they drop what is behind the ELF part. So an image that lost its
//!   region never passes for the tool;
//! - the tool makes no system call here;
//! - the file opened for writing is the one that was executed, by device and inode;
//! - before the second start no variable is written: they stay where they are, as zeros;
//! - no descriptor below [`HIGH`] stays open, where the limit allows; ours do not survive an exec.
//!
//! Safety: the kernel's initial stack is read; paths are terminated strings of the kernel or of
//! this file; what the stub hands over is in its own pages, which stay mapped.
#![allow(unsafe_code)]

use super::durable;
use super::env::{AT_PHDR, AT_PHNUM, Args};
use super::errno::Errno;
use super::file::{self, Fd, File, O_CLOEXEC, O_RDONLY, O_RDWR};
use super::limits::{Resource, limit};
use super::mem::{self, PAGE};
use super::process;
use super::sys::{Sysno, call};
use core::ptr::NonNull;
use core::{fmt, slice};

core::arch::global_asm!(include_str!("../../asm/stub.s"));

unsafe extern "C" {
    /// See `asm/stub.s`.
    static plan_stub: [u8; STUB_BYTES];
    /// The entry of the stub where it is not executed.
    static plan_stub_swap: u8;
}

/// What is there at [`STUB_BASE`]: see `asm/stub.s`.
type Swap =
    unsafe extern "C" fn(*const Map, stack: usize, file: i32, bytes: usize, length: usize) -> !;

/// Bytes of the stub before the handover.
const STUB_BYTES: usize = 720;
/// Where the executable starts.
const PROGRAM_BASE: usize = 0x40_0000;
/// Where the stub runs.
const STUB_BASE: usize = 0x4f_e000;
/// The most that can be there: the stub, the handover, the program headers, and the longest path.
const STUB_SPACE: usize = 2 * PAGE;
/// The lowest descriptor used here, where the limit allows: programs number theirs from 0.
const HIGH: usize = 512;
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
/// Where a region is mapped, and the most bytes of it.
pub const WINDOW: usize = 0x50_0000;
/// See [`WINDOW`].
pub const WINDOW_BYTES: usize = 1 << 39;
/// Bytes of a program header of the ELF format.
const SEGMENT_BYTES: usize = 56;

/// `prctl`: other addresses and another executable for this process.
const PR_SET_MM: usize = 35;
const PR_SET_MM_MAP: usize = 14;

/// `struct prctl_mm_map`: what a process looks like from outside.
#[repr(C)]
struct Map {
    /// Start and end of code, data, and heap, start of the stack, start and end of arguments and
    /// environment.
    addresses: [usize; 11],
    vector: usize,
    vector_bytes: u32,
    file: i32,
}

const _: () = assert!(size_of::<Map>() == 104);

/// What an executable says about itself.
#[repr(C)]
struct Marker {
    magic: [u8; 16],
    /// Where the region starts in the file; 0 in the tool.
    region: u64,
    /// [`BUILD`].
    build: [u8; 16],
}

#[used]
#[unsafe(link_section = ".text.entry.marker")]
static MARKER: Marker = Marker {
    magic: *b"\x89PLAN image\r\n\x1a\n\0",
    region: 0,
    build: BUILD,
};

/// What every runtime calls itself begins with this.
const OURS: &[u8] = b"plan ";

/// What this runtime calls itself, in executables and in superblocks.
pub const BUILD: [u8; 16] = {
    let name = concat!("plan ", env!("CARGO_PKG_VERSION")).as_bytes();
    let mut build = [0; 16];
    let (start, _) = build.split_at_mut(name.len());
    start.copy_from_slice(name);
    build
};

/// The own executable, and the name of the memory file: terminated, and not among the constants,
/// of which the first start touches none.
#[unsafe(link_section = ".text.entry.names")]
static OWN: [u8; 15] = *b"/proc/self/exe\0";
#[unsafe(link_section = ".text.entry.names")]
static NAME: [u8; 5] = *b"plan\0";

/// An image that was started: its file, and where the region starts in it.
#[derive(Debug)]
pub struct OwnImage {
    /// The file, open for writing if `writable`; not locked yet.
    pub file: File,
    /// Where the region starts in the file, in bytes.
    pub region: u64,
    /// Whether it is open for writing: asked for, and the system lets us.
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
    /// An image that cannot run: the path it was started by, and why.
    Refused(&'static [u8], Refusal),
}

/// Why an image could not open itself; prints as the rest of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The system refuses what every start needs: what, and why.
    System(&'static str, Errno),
    /// The own file cannot be opened.
    Unreachable(Errno),
    /// There is no `/proc`, and the path leads to another file.
    Elsewhere,
    /// Another process uses it.
    Busy,
    /// The file was removed: what is committed would be lost.
    Removed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::System(what, why) => write!(f, "cannot start: no {what}: {why} ({})", why.advice()),
            Refusal::Unreachable(why) => write!(f, "cannot open the own file: {why} ({})", why.advice()),
            Refusal::Elsewhere => f.write_str(
                "cannot find the own file: another one is there (mount /proc, or start it by its path)",
            ),
            Refusal::Busy => f.write_str("in use by another process (try again when it has ended)"),
            Refusal::Removed => f.write_str(
                "the file was removed, commits would be lost (PLAN_READONLY=1 runs it all the same)",
            ),
        }
    }
}

/// What the first start leaves for the second; program headers and a terminated path follow.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Handover {
    /// The own file, open for reading.
    fd: i64,
    /// How many program headers follow.
    segments: u64,
    /// Where the stub is to go on.
    resume: u64,
}

/// Where the region of this executable starts, if it is an image.
fn region() -> Option<u64> {
    // SAFETY: a static; volatile, because the file is changed after it was compiled.
    let region = unsafe { (&raw const MARKER.region).read_volatile() };
    (region != 0).then_some(region)
}

/// The magic where it lies. The compiler must not know what it is: a copy of it in the code or among
/// the constants would be taken for another marker.
fn magic() -> &'static [u8] {
    &core::hint::black_box(&MARKER).magic
}

/// The executable whose bytes (to the end of its section header table) are `elf`, tool or image, as one
/// whose region starts at the first page behind it. `None` if this is no executable of ours.
pub fn marked(elf: &mut [u8]) -> Option<u64> {
    let magic = magic();
    let size = magic.len();
    let mut found = elf.windows(size).enumerate().filter(|(_, w)| *w == magic);
    let at = found.next()?.0 + size;
    if found.next().is_some() {
        return None;
    }
    let region = elf.len().next_multiple_of(PAGE) as u64;
    elf.get_mut(at..at + 8)?
        .copy_from_slice(&region.to_le_bytes());
    Some(region)
}

/// What lies behind the first magic in an executable.
fn behind_magic(elf: &[u8]) -> Option<&[u8]> {
    let magic = magic();
    let at = elf.windows(magic.len()).position(|w| w == magic)?;
    elf.get(at + magic.len()..)
}

/// Where the region of the executable that begins with `elf` starts, if it is an image.
pub fn region_in(elf: &[u8]) -> Option<u64> {
    let region = u64::from_le_bytes(*behind_magic(elf)?.first_chunk()?);
    (region != 0).then_some(region)
}

/// What the runtime in this executable calls itself; `None` for the first ones, which did not say.
pub fn build_in(elf: &[u8]) -> Option<[u8; 16]> {
    let build = behind_magic(elf)?.get(8..)?.first_chunk()?;
    build.starts_with(OURS).then_some(*build)
}

/// Finds out what this process is; for an image, opens the own file. May execute the process
/// anew, which then calls this with what was handed over; `resume` is where it is to go on.
///
/// # Safety
/// `handover` is null or what the stub passed to `resume`.
pub unsafe fn start(args: &Args, handover: *const Handover, resume: usize) -> Start {
    let Some(region) = region() else {
        return Start::Tool;
    };
    let mut path = args.executable().unwrap_or(c"".to_bytes());
    // SAFETY: passed on to the caller.
    let opened = match unsafe { handover.as_ref() } {
        None => first(args, path, resume),
        Some(left) => {
            let behind = left.segments as usize * SEGMENT_BYTES;
            // SAFETY: the headers follow, then a terminated path.
            path = unsafe { super::env::bytes(handover.add(1).cast::<u8>().add(behind).cast()) };
            // Only if it was executed it has a name of its own.
            if args.aux(AT_PHDR).is_some_and(|at| at as usize >= STUB_BASE) {
                name_process(path);
            }
            second(left, path)
        }
    };
    match opened.and_then(checked) {
        Ok((file, writable)) => Start::Image(OwnImage {
            file,
            region,
            writable,
            path,
        }),
        Err(refusal) => Start::Refused(path, refusal),
    }
}

/// A file, and whether it is open for writing.
type Opened = (File, bool);

/// Opens the terminated string `path`.
#[inline(never)]
fn open(path: *const u8, flags: usize) -> Result<File, Errno> {
    let args = [AT_FDCWD, path.expose_provenance(), flags, 0];
    // SAFETY: callers pass terminated strings; the kernel only reads them.
    let number = unsafe { call(Sysno::openat, args)? };
    Ok(File::own(Fd(number as i32)))
}

/// The same opening at a descriptor out of the way, if there is room; a file that has no name any more
/// is not written.
#[inline(never)]
fn checked((file, writable): Opened) -> Result<Opened, Refusal> {
    if writable && file::stat(file.fd()).is_ok_and(|stat| stat.links == 0) {
        return Err(Refusal::Removed);
    }
    let duplicate = |lowest| {
        let args = [file.fd().arg(), F_DUPFD_CLOEXEC, lowest];
        // SAFETY: touches no memory.
        unsafe { call(Sysno::fcntl, args) }
    };
    // The limit may be lower.
    match duplicate(HIGH).or_else(|_| duplicate(0)) {
        Ok(number) => Ok((File::own(Fd(number as i32)), writable)),
        Err(why) => Err(Refusal::System("descriptor for the own file", why)),
    }
}

/// The first start: opens the own file to be read, or executes the stub.
fn first(args: &Args, path: &'static [u8], resume: usize) -> Result<Opened, Refusal> {
    // Not close-on-exec: the stub maps it.
    let file = match open(OWN.as_ptr(), O_RDONLY) {
        Ok(file) => file,
        Err(Errno::ENOENT | Errno::ENOTDIR) => by_path(args, path)?,
        Err(why) => return Err(why.into()),
    };
    let command = args.var(b"PLANCMD");
    if args.var(b"PLAN_READONLY") == Some(b"1") || matches!(command, Some(b"info" | b"scrub")) {
        return Ok((file, false));
    }
    let handover = Handover {
        fd: i64::from(file.fd().0),
        segments: args.aux(AT_PHNUM).unwrap_or(0),
        resume: resume as u64,
    };
    let why = restart(args, path, &handover);
    // On a system that lets a running file be written, or never lets us write it, all is well. What
    // this process executes may be the memory file by now.
    match again(file.fd(), path.as_ptr(), O_RDWR) {
        Ok(both) => Ok((both, true)),
        Err(Refusal::Unreachable(never)) if is_read_only(never) => Ok((file, false)),
        Err(_) => Err(why),
    }
}

/// Opens the own file where there is no `/proc`: by path, if what is there begins as we do.
#[cold]
#[inline(never)] // the page is no part of the caller's frame
fn by_path(args: &Args, path: &'static [u8]) -> Result<File, Refusal> {
    let file = open(path.as_ptr(), O_RDONLY)?;
    let mut page = [0; PAGE];
    let start = args.aux(AT_PHDR).unwrap_or(0) as usize & !(PAGE - 1);
    let read = durable::read_at(file.fd(), 0, &mut page)?;
    // SAFETY: the program headers are in the first page of the first segment.
    let own = unsafe { slice::from_raw_parts(core::ptr::with_exposed_provenance(start), read) };
    if read == PAGE && page == *own {
        Ok(file)
    } else {
        Err(Refusal::Elsewhere)
    }
}

/// Whether the system will never let us write this file, which is no reason not to run.
fn is_read_only(why: Errno) -> bool {
    matches!(why, Errno::EACCES | Errno::EROFS | Errno::EPERM)
}

impl From<Errno> for Refusal {
    fn from(why: Errno) -> Refusal {
        Refusal::Unreachable(why)
    }
}

/// Executes the stub; comes back only with the reason why not.
fn restart(args: &Args, path: &'static [u8], handover: &Handover) -> Refusal {
    let headers = args.aux(AT_PHDR).unwrap_or(0) as usize;
    let parts = [
        [(&raw const plan_stub).expose_provenance(), STUB_BYTES],
        [
            (&raw const *handover).expose_provenance(),
            size_of::<Handover>(),
        ],
        [headers, handover.segments as usize * SEGMENT_BYTES],
        [path.as_ptr().expose_provenance(), path.len() + 1],
    ];
    let run = |file: File| {
        swap(args, path, &file, &parts);
        write(&file, &parts).and_then(|()| execute(file.fd(), args.vectors()))
    };
    let first = match memory_file().and_then(run) {
        Ok(()) => return Refusal::Busy,
        Err(why) => why,
    };
    let beside = path
        .iter()
        .rposition(|b| *b == b'/')
        .map_or(&b"."[..], |i| &path[..i]);
    for dir in [beside, b"/dev/shm", b"/tmp"] {
        // Why there is no temporary file either does not help anybody.
        let _ = temporary(dir, &parts).and_then(|file| execute(file.fd(), args.vectors()));
    }
    Refusal::System("memory file to execute, nor a temporary one", first)
}

/// Makes the empty `file` the executable of this process, and goes on in the stub, which consists of
/// these parts; comes back where the process must not do that. It takes `CAP_CHECKPOINT_RESTORE` or
/// `CAP_SYS_ADMIN`, of the user namespace it is in. A file that is not empty would do as well, but
/// takes 8 microseconds longer, most of them at the end of the process.
fn swap(args: &Args, path: &'static [u8], file: &File, parts: &[[usize; 2]]) {
    let (argv, envp) = args.vectors();
    // The strings lie one behind the other, that of the path behind those of the environment.
    let end = path.as_ptr().expose_provenance();
    let first = |vector: usize| {
        // SAFETY: vectors of addresses, as the kernel makes them.
        let at = unsafe { core::ptr::with_exposed_provenance::<usize>(vector).read() };
        if at == 0 { end } else { at }
    };
    let (start, middle, stub) = (first(argv), first(envp), STUB_BASE);
    let code = [stub, stub + STUB_SPACE - 1, stub, stub];
    let heap = [stub + STUB_SPACE, stub + STUB_SPACE, argv];
    let strings = [start, middle, middle, end];
    let mut map = Map {
        addresses: [0; 11],
        vector: 0,
        vector_bytes: 0,
        file: file.fd().0,
    };
    let all = code.into_iter().chain(heap).chain(strings);
    map.addresses
        .iter_mut()
        .zip(all)
        .for_each(|(to, from)| *to = from);
    let at = (&raw const map).expose_provenance();
    // SAFETY: the kernel reads the 104 bytes.
    let asked = unsafe {
        call(
            Sysno::prctl,
            [PR_SET_MM, PR_SET_MM_MAP, at, size_of::<Map>(), 0],
        )
    };
    // It is refused for the only reason that the executable is still mapped.
    if asked == Err(Errno::EBUSY) {
        let bytes = parts.iter().map(|part| part[1]).sum();
        if let Ok(enter) = in_memory(parts, bytes) {
            let (stack, length) = (argv - size_of::<usize>(), file_bytes(args));
            // SAFETY: nothing of this process is needed any more but the stack of its start.
            unsafe { enter(&raw const map, stack, file.fd().0, bytes, length) };
        }
    }
}

/// How many bytes of memory from its start on show the file of this executable: all up to the segment
/// that has none of them.
fn file_bytes(args: &Args) -> usize {
    let [headers, count] = [AT_PHDR, AT_PHNUM].map(|tag| args.aux(tag).unwrap_or(0) as usize);
    let headers = core::ptr::with_exposed_provenance::<[u64; SEGMENT_BYTES / 8]>(headers);
    // SAFETY: the kernel says where the program headers are, and how many.
    let headers = unsafe { slice::from_raw_parts(headers, count) };
    // Type and flags, offset, address, again, bytes in the file.
    let empty = headers.iter().find(|h| h[0] as u32 == 1 && h[4] == 0);
    empty.map_or(STUB_BASE, |h| h[2] as usize) - PROGRAM_BASE
}

/// Lays these parts of the stub, so many bytes, where it runs.
fn in_memory(parts: &[[usize; 2]], bytes: usize) -> Result<Swap, Errno> {
    if bytes > STUB_SPACE {
        return Err(Errno::EFBIG);
    }
    let base = mem::map_at(STUB_BASE, STUB_SPACE)?;
    let mut at = base;
    for [from, len] in parts {
        let from = core::ptr::with_exposed_provenance::<u8>(*from);
        // SAFETY: there is room for all of them, in pages nobody else uses; they are as long as the
        // callers say.
        unsafe {
            at.copy_from_nonoverlapping(NonNull::new_unchecked(from.cast_mut()), *len);
            at = at.add(*len);
        }
    }
    // SAFETY: the pages were just mapped; the entry is where it is in the stub.
    unsafe {
        mem::protect_code(base, STUB_SPACE)?;
        let entry = (&raw const plan_stub_swap).byte_offset_from_unsigned(&raw const plan_stub);
        Ok(core::mem::transmute::<*mut u8, Swap>(
            base.add(entry).as_ptr(),
        ))
    }
}

/// Executes a file with these arguments and this environment, vectors as the kernel makes them.
#[inline(never)]
fn execute(file: Fd, (argv, envp): (usize, usize)) -> Result<(), Errno> {
    let empty = NAME[4..].as_ptr().expose_provenance();
    let args = [file.arg(), empty, argv, envp, AT_EMPTY_PATH];
    // SAFETY: callers pass addresses of such vectors; on success there is no way back.
    unsafe { call(Sysno::execveat, args) }.map(drop)
}

/// Writes these parts, addresses and lengths, to an empty file.
fn write(file: &File, parts: &[[usize; 2]]) -> Result<(), Errno> {
    let bytes = parts.iter().map(|part| part[1]).sum();
    // Beyond the limit there would be a signal, and no message.
    if limit(Resource::FileSize).is_some_and(|most| most < bytes as u64) {
        return Err(Errno::EFBIG);
    }
    let args = [
        file.fd().arg(),
        parts.as_ptr().expose_provenance(),
        parts.len(),
    ];
    // SAFETY: the kernel reads the parts, which are there as long as the process.
    let written = unsafe { call(Sysno::writev, args)? };
    if written == bytes {
        Ok(())
    } else {
        Err(Errno::ENOSPC)
    }
}

/// An empty file in memory that may be executed.
fn memory_file() -> Result<File, Errno> {
    let name = NAME.as_ptr().expose_provenance();
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

/// A file of these parts in a directory, without a name any more; only for reading, because what is
/// open for writing cannot be executed.
#[cold]
fn temporary(dir: &[u8], parts: &[[usize; 2]]) -> Result<File, Errno> {
    let name = [dir, b"/.plan-restart"].concat();
    let result = file::create_new(&name, 0o700)
        .and_then(|file| write(&file, parts))
        .and_then(|()| file::open_read(&name));
    // EEXIST: that of another start, which removes it at once.
    if result.as_ref().err() != Some(&Errno::EEXIST) {
        let _ = file::remove(&name);
    }
    result
}

/// The second start: opens the original, which is not being executed any more, for writing.
fn second(left: &Handover, path: &'static [u8]) -> Result<Opened, Refusal> {
    let file = File::own(Fd(left.fd as i32));
    for _ in 0..PATIENCE {
        match again(file.fd(), path.as_ptr(), O_RDWR) {
            Ok(both) => return Ok((both, true)),
            Err(Refusal::Unreachable(why)) if is_read_only(why) => return Ok((file, false)),
            Err(Refusal::Unreachable(Errno::ETXTBSY)) => {}
            Err(refusal) => return Err(refusal),
        }
        // Who has the lock is not between two starts; it has come to stay.
        if durable::is_locked(file.fd())? {
            break;
        }
        process::pause();
    }
    Err(Refusal::Busy)
}

/// Opens the file of `fd` anew: by its path, a terminated string, if that still leads there, which
/// takes a fifth of the time; else by `/proc`.
#[inline(never)]
fn again(fd: Fd, path: *const u8, how: usize) -> Result<File, Refusal> {
    let same = |both: File| -> Result<File, Refusal> {
        let same = file::stat(both.fd())?.identity == file::stat(fd)?.identity;
        if same {
            Ok(both)
        } else {
            Err(Refusal::Elsewhere)
        }
    };
    let by_path = open(path, how | O_CLOEXEC).map_err(Refusal::from);
    let by_path = by_path.and_then(same);
    if by_path.is_ok() {
        return by_path;
    }
    let mut link = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0";
    let (mut number, mut digits) = (fd.0, 1);
    while number > 9 {
        number /= 10;
        digits += 1;
    }
    number = fd.0;
    for digit in link[14..14 + digits].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    match open(link.as_ptr(), how | O_CLOEXEC) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => by_path,
        result => Ok(result?),
    }
}

/// Executes the file of `fd`, the image of this process that was started by `path`, only to be read,
/// with `command` as the first variable of its environment: it is to say why there was a fault.
/// Returns if the system refuses. A handler may call this: it allocates nothing.
///
/// # Safety
/// `path` and `command` must be terminated strings. Nothing may use the region any more.
pub unsafe fn diagnose(fd: Fd, path: *const u8, command: &[u8]) {
    let Ok(file) = again(fd, path, O_RDONLY) else {
        return;
    };
    // The kernel executes nothing that is open or mapped for writing: what has the number 0 stays,
    // and the program needs its standard input no more.
    // SAFETY: closing touches no memory; what is unmapped is not used by anybody who goes on.
    let _ = unsafe {
        call(Sysno::dup3, [file.fd().arg(), 0, O_CLOEXEC])
            // It has that number already.
            .or_else(|why| {
                if why == Errno::EINVAL {
                    Ok(0)
                } else {
                    Err(why)
                }
            })
            .and_then(|_| call(Sysno::close_range, [3, u32::MAX as usize, 0]))
            .and_then(|_| call(Sysno::munmap, [WINDOW, WINDOW_BYTES]))
    };
    let argv = [path.expose_provenance(), 0];
    let read_only = c"PLAN_READONLY=1".as_ptr().expose_provenance();
    let envp = [command.as_ptr().expose_provenance(), read_only, 0];
    let vectors = (
        (&raw const argv).expose_provenance(),
        (&raw const envp).expose_provenance(),
    );
    let _ = execute(Fd::STDIN, vectors);
}

/// Lets tools show the name of the image instead of the stub's.
fn name_process(path: &[u8]) {
    let start = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    let at = path[start..].as_ptr().expose_provenance();
    // A name that is not set is shown wrong, no more.
    // SAFETY: the path is terminated; the kernel reads 16 bytes of it at most.
    let _ = unsafe { call(Sysno::prctl, [PR_SET_NAME, at]) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An executable with the marker in it, as far as this file is concerned.
    fn executable() -> Vec<u8> {
        let mut elf = vec![7; 5000];
        elf.extend_from_slice(&MARKER.magic);
        elf.extend_from_slice(&[0; 8]);
        elf.extend_from_slice(b"plan 9.8.7\0\0\0\0\0\0");
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
        assert_eq!(build_in(&image), Some(*b"plan 9.8.7\0\0\0\0\0\0"));
        image[5024] = 9;
        assert_eq!((build_in(&image), build_in(&image[..5030])), (None, None));
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
}
