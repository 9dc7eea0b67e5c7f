//! A file that takes the place of another when it is complete (chapter 05 W12).
//!
//! ```text
//!   create it without a name ─▶ write ─▶ sync ─┬─ OUT is free ──▶ name it OUT ─────────┬─▶ sync the
//!     └ not there: OUT.new-0                   └▶ name it OUT.new-0 ─▶ rename to OUT ──┘   directory
//!       └─── anything goes wrong: remove it
//! ```
//!
//! Invariants:
//! - what has the name is the old file or the new one, whole, also after a crash; a process that uses
//!   the old one keeps it;
//! - a process that is ended while it writes leaves nothing, where the file system has files without
//!   names; else, and between the last two steps, OUT.new-0;
//! - only a regular file is replaced, no symbolic link: where that leads the file would not be, and
//!   `/dev/stdout` is one.

use super::{failed, refuse};
use crate::cli::STATUS_INPUT;
use crate::os::file::{self, File, FileError};
use crate::os::{Errno, Fd, durable, place};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// Names tried for the new file: others may be left behind by a crash.
const NAMES: usize = 100;
/// Bytes copied at once where the kernel does not copy by itself.
const CHUNK: usize = 256 * 1024;

/// A new file on its way.
pub struct Replacement<'a> {
    about: (&'static str, &'a [u8]),
    /// The name it has, which is to be removed if it does not get the other.
    temporary: Option<Vec<u8>>,
}

/// The directory of a path.
fn directory(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/');
    end.map_or(&b"."[..], |end| &path[..=end])
}

/// Makes something with the first name beside `target` that is free; that name.
fn with_name<T>(
    target: &[u8],
    mut make: impl FnMut(&[u8]) -> Result<T, Errno>,
) -> Result<(T, Vec<u8>), Errno> {
    let mut number = 0;
    loop {
        let name = [target, format!(".new-{number}").as_bytes()].concat();
        match make(&name) {
            Ok(made) => return Ok((made, name)),
            Err(Errno::EEXIST) if number < NAMES => number += 1,
            Err(why) => return Err(why),
        }
    }
}

impl<'a> Replacement<'a> {
    /// Makes an empty file for the place of another, which need not be there, open for reading and
    /// writing.
    ///
    /// # Errors
    /// The exit status, when that was not possible and has been said.
    pub fn new(
        about: (&'static str, &'a [u8]),
        permissions: u32,
    ) -> Result<(Replacement<'a>, File), i32> {
        let there = file::stat_itself(about.1);
        if let Some(stat) = there.ok().filter(|stat| !stat.is_regular) {
            let wrong = match stat {
                stat if stat.is_directory => FileError::Directory,
                stat if stat.is_link => FileError::Link,
                _ => FileError::NotRegular,
            };
            return Err(refuse(
                STATUS_INPUT,
                about,
                format_args!("{wrong} (name another file)"),
            ));
        }
        let nameless = place::nameless(directory(about.1), permissions);
        let made = match nameless {
            Ok(file) => Ok((file, None)),
            Err(_) => with_name(about.1, |name| file::create_new_both(name, permissions))
                .map(|(file, name)| (file, Some(name))),
        };
        let (file, temporary) = made.map_err(|why| failed(about, "create", why))?;
        Ok((Replacement { about, temporary }, file))
    }

    /// Says that a step on the new file failed; the exit status for that.
    pub fn failed(&self, step: &str, why: Errno) -> i32 {
        failed(self.about, step, why)
    }

    /// Gives the new file, which is `fd`, the name, once all of it is on stable storage. What had it is
    /// called `kept` then, if that is to be.
    ///
    /// # Errors
    /// As for [`Replacement::new`].
    pub fn install(mut self, fd: Fd, kept: Option<&[u8]>) -> Result<(), i32> {
        file::sync(fd).map_err(|why| self.failed("sync", why))?;
        let target = self.about.1;
        // What is to be kept has the name.
        let free = kept.is_none() && self.temporary.is_none();
        if !(free && place::name(fd, target).is_ok()) {
            if self.temporary.is_none() {
                let named = with_name(target, |name| place::name(fd, name));
                self.temporary = Some(named.map_err(|why| self.failed("name", why))?.1);
            }
            self.take(kept)
                .map_err(|(step, why)| self.failed(step, why))?;
        }
        let synced = file::open_read(directory(target)).and_then(|file| file::sync(file.fd()));
        match synced {
            // Some file systems have nothing to sync there.
            Ok(()) | Err(Errno::EINVAL) => Ok(()),
            Err(why) => Err(self.failed("sync its directory", why)),
        }
    }

    /// Takes the place of what is there, which gets another name first, if it is to have one: as a
    /// second one, or where a file has only one, by changing names with the new file, or in the worst
    /// case by renaming both, with a moment in which nothing has the name.
    fn take(&mut self, kept: Option<&[u8]>) -> Result<(), (&'static str, Errno)> {
        const KEEP: &str = "keep the old one";
        let (target, name) = (self.about.1, self.temporary.clone().unwrap_or_default());
        let linked = kept.map_or(Ok(()), |kept| file::link(target, kept));
        if let (Some(kept), Err(why)) = (kept, linked) {
            if why == Errno::EEXIST {
                return Err((KEEP, why));
            }
            if place::exchange(&name, target).is_ok() {
                // What has that name now is not to be removed.
                self.temporary = None;
                return file::rename(&name, kept).map_err(|why| (KEEP, why));
            }
            file::rename(target, kept).map_err(|why| (KEEP, why))?;
        }
        if let Err(why) = file::rename(&name, target) {
            if linked.is_err() {
                // Whether it works or not, the message is about what went wrong first.
                let _ = kept.map(|kept| file::rename(kept, target));
            }
            return Err(("replace", why));
        }
        self.temporary = None;
        Ok(())
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.temporary {
            // What it was to replace is untouched; there is nobody to tell about the rest.
            let _ = file::remove(name);
        }
    }
}

/// Copies what lies at `from.1` and behind it, up to the length `size` of the file, to `to.1` of
/// another one. Holes stay holes.
pub fn copy_rest(from: (Fd, u64), size: u64, to: (Fd, u64)) -> Result<(), Errno> {
    let mut at = from.1;
    while let Some((start, end)) = durable::data_from(from.0, at, size)? {
        let start = start.max(at);
        let end = end.min(size);
        if start >= end {
            break;
        }
        copy(
            (from.0, start),
            (to.0, to.1 + (start - from.1)),
            end - start,
        )?;
        at = end;
    }
    durable::truncate(to.0, to.1 + (size - from.1))
}

/// Copies `len` bytes.
fn copy(mut from: (Fd, u64), mut to: (Fd, u64), mut len: u64) -> Result<(), Errno> {
    let mut buffer = Vec::new();
    while len > 0 {
        let moved = if buffer.is_empty() {
            durable::copy_range(from, to, len)
        } else {
            transfer(from, to, &mut buffer, len)
        };
        let moved = match moved {
            Ok(0) => return Err(Errno::EIO),
            Ok(moved) => moved as u64,
            Err(Errno::EINTR) => 0,
            // Not between these files or not by this kernel: by reading and writing.
            Err(_) if buffer.is_empty() => {
                buffer = vec![0; CHUNK];
                0
            }
            Err(why) => return Err(why),
        };
        (from.1, to.1, len) = (from.1 + moved, to.1 + moved, len - moved);
    }
    Ok(())
}

/// Reads once and writes once.
fn transfer(from: (Fd, u64), to: (Fd, u64), buffer: &mut [u8], len: u64) -> Result<usize, Errno> {
    let wanted = buffer.len().min(usize::try_from(len).unwrap_or(CHUNK));
    let read = durable::read_at(from.0, from.1, &mut buffer[..wanted])?;
    durable::write_at(to.0, to.1, &buffer[..read])
}
