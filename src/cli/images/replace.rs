//! A file that takes the place of another when it is complete (chapter 05 W12).
//!
//! ```text
//!   create OUT.new-0 ─▶ write ─▶ sync ─▶ rename to OUT ─▶ sync the directory
//!          └─── anything goes wrong ─▶ remove it ───┘
//! ```
//!
//! Invariants:
//! - what has the name is the old file or the new one, whole, also after a crash; a process that uses
//!   the old one keeps it;
//! - only a regular file is replaced.

use super::{failed, refuse};
use crate::cli::STATUS_INPUT;
use crate::os::durable;
use crate::os::file::{self, File, FileError};
use crate::os::{Errno, Fd};
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
    temporary: Vec<u8>,
    installed: bool,
}

impl<'a> Replacement<'a> {
    /// Makes an empty file beside the one to be replaced, which need not be there, open for reading
    /// and writing.
    ///
    /// # Errors
    /// The exit status, when that was not possible and has been said.
    pub fn new(
        about: (&'static str, &'a [u8]),
        permissions: u32,
    ) -> Result<(Replacement<'a>, File), i32> {
        let there = file::stat_path(about.1);
        let wrong = there.ok().filter(|stat| !stat.is_regular).map(|stat| {
            if stat.is_directory {
                FileError::Directory
            } else {
                FileError::NotRegular
            }
        });
        if let Some(wrong) = wrong {
            return Err(refuse(STATUS_INPUT, about, format_args!("{wrong}")));
        }
        let mut why = Errno::EEXIST;
        for number in 0..NAMES {
            let temporary = [about.1, format!(".new-{number}").as_bytes()].concat();
            match file::create_new_both(&temporary, permissions) {
                Ok(file) => {
                    let replacement = Replacement {
                        about,
                        temporary,
                        installed: false,
                    };
                    return Ok((replacement, file));
                }
                Err(other) => why = other,
            }
            if why != Errno::EEXIST {
                break;
            }
        }
        Err(failed(about, "create", why))
    }

    /// Says that a step on the new file failed; the exit status for that.
    pub fn failed(&self, step: &str, why: Errno) -> i32 {
        failed(self.about, step, why)
    }

    /// Gives the new file, which is `fd`, the name, once all of it is on stable storage.
    ///
    /// # Errors
    /// As for [`Replacement::new`].
    pub fn install(mut self, fd: Fd) -> Result<(), i32> {
        file::sync(fd).map_err(|why| self.failed("sync", why))?;
        let target = self.about.1;
        file::rename(&self.temporary, target).map_err(|why| self.failed("replace", why))?;
        self.installed = true;
        let end = target.iter().rposition(|byte| *byte == b'/');
        let directory = end.map_or(&b"."[..], |end| &target[..end + 1]);
        let synced = file::open_read(directory).and_then(|file| file::sync(file.fd()));
        match synced {
            // Some file systems have nothing to sync there.
            Ok(()) | Err(Errno::EINVAL) => Ok(()),
            Err(why) => Err(self.failed("sync its directory", why)),
        }
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        if !self.installed {
            // What it was to replace is untouched; there is nobody to tell about the rest.
            let _ = file::remove(&self.temporary);
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
