//! Images from outside: `plan boot`, `plan build`, `plan image …` (chapter 05 §5.7 to §5.9). What an
//! image does when it is started is in `cli::image`.
//!
//! | file | holds |
//! |---|---|
//! | `boot` | images of programs |
//! | `report` | one report as text or JSON |
//! | `inspect` | info, scrub, collect |
//! | `export` | the committed value as a seed |
//! | `upgrade` | another runtime under a region |
//! | `replace` | files that take the place of others when they are complete |
//!
//! Invariants:
//! - an image that is running is refused, and not touched;
//! - a file that is no image is status 3, an image that cannot be used is status 4;
//! - only `collect` writes to an image; the others that change something make a new file.

pub mod boot;
pub mod export;
pub mod inspect;
pub mod replace;
pub mod report;
pub mod upgrade;

use super::args::{self, Form, Task};
use super::message::{self, Shown};
use super::{STATUS_IMAGE, STATUS_INPUT, STATUS_USAGE, run};
use crate::heap::store::format::{PAGE, elf_end};
use crate::heap::store::storage::length;
use crate::heap::store::{Error, FileStorage, Mounted, Options, Store};
use crate::os::env::Args;
use crate::os::file::{self, File};
use crate::os::image::{self, OwnImage};
use crate::os::{Errno, Fd, durable};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// Does what `plan image` is asked for; returns the exit status.
pub fn main(args: &Args, image: &args::Image) -> i32 {
    let result = match image.task {
        Task::Upgrade => upgrade::main(args, image.path),
        Task::Export => export::main(args, image),
        task => {
            let writing = task == Task::Collect;
            Image::open(task.command(), image.path, writing)
                .map(|found| inspect::perform(args, task, found, image.form))
        }
    };
    result.unwrap_or_else(|status| status)
}

/// Does what `PLANCMD` asks of an image that was started; returns the exit status.
pub fn command(args: &Args, name: &[u8], own: OwnImage) -> i32 {
    if name == b"license" {
        return run::license(b"\n");
    }
    let task = Task::named(name).filter(|task| !matches!(task, Task::Upgrade | Task::Export));
    let Some(task) = task else {
        let name = Shown(name);
        let help = "not known (use info, scrub, collect or license)";
        return message::fail(STATUS_USAGE, format_args!("PLANCMD={name}: {help}"));
    };
    let (about, writing) = ((task.command(), own.path), task == Task::Collect);
    if writing && !own.writable {
        return unusable(about, Error::ReadOnly);
    }
    let image = Image::mount(about, own.file, writing);
    image.map_or_else(
        |status| status,
        |image| inspect::perform(args, task, image, Form::default()),
    )
}

/// The executable part of the running tool, marked as that of an image.
///
/// # Errors
/// The exit status, when it could not be read and that has been said.
fn own_executable(args: &Args, about: (&str, &[u8])) -> Result<Vec<u8>, i32> {
    let read = || {
        let own = file::open_read(b"/proc/self/exe");
        let file = own.or_else(|why| file::open_read(args.executable().ok_or(why)?))?;
        let mut elf = read_elf(file.fd())?;
        image::marked(&mut elf).map(|_| elf).ok_or(Errno::EIO)
    };
    read().map_err(|why| failed(about, "read the own executable", why))
}

/// The executable part of a file; `EINVAL` if there is none.
fn read_elf(fd: Fd) -> Result<Vec<u8>, Errno> {
    let header = read_start(fd, 64)?;
    let end = header.first_chunk().and_then(elf_end);
    read_start(fd, end.ok_or(Errno::EINVAL)?)
}

/// The first bytes of a file; `EINVAL` if it has not as many.
fn read_start(fd: Fd, len: u64) -> Result<Vec<u8>, Errno> {
    // A damaged header may name any number.
    if file::stat(fd)?.size < len {
        return Err(Errno::EINVAL);
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| Errno::ENOMEM)?];
    let mut done = 0;
    while done < bytes.len() {
        match durable::read_at(fd, done as u64, &mut bytes[done..]) {
            Ok(0) => return Err(Errno::EINVAL),
            Ok(count) => done += count,
            Err(Errno::EINTR) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(bytes)
}

/// A message about a file: the command, the file, what is wrong; returns `status`.
pub fn refuse(status: i32, (command, path): (&str, &[u8]), why: fmt::Arguments<'_>) -> i32 {
    let path = Shown(path);
    message::fail(status, format_args!("{command}: {path}: {why}"))
}

/// Refuses to write a file that is read.
///
/// # Errors
/// The exit status, when that has been said.
fn not_a_source<'a>(
    about: (&str, &[u8]),
    sources: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), i32> {
    let identity = |path: &[u8]| file::stat_path(path).ok().map(|stat| stat.identity);
    let output = identity(about.1);
    for source in sources {
        if output.is_some() && identity(source) == output {
            let why = "is what is read (name another file)";
            return Err(refuse(STATUS_INPUT, about, format_args!("{why}")));
        }
    }
    Ok(())
}

/// A message about a step that the system refused; returns the status for files.
pub fn failed(about: (&str, &[u8]), step: &str, why: Errno) -> i32 {
    let advice = why.advice();
    let why = format_args!("cannot {step}: {why} ({advice})");
    refuse(STATUS_INPUT, about, why)
}

/// An image that this process has locked.
pub struct Image<'a> {
    /// The command and the path, for messages.
    pub about: (&'static str, &'a [u8]),
    /// The mounted region.
    pub mounted: Mounted<FileStorage>,
    /// Its executable part.
    pub elf: Vec<u8>,
    /// Where the region starts.
    pub region: u64,
    /// The length of the file.
    pub length: u64,
}

impl<'a> Image<'a> {
    /// Opens, locks and mounts the image `path`.
    ///
    /// # Errors
    /// The exit status, when that was not possible and has been said.
    pub fn open(command: &'static str, path: &'a [u8], writing: bool) -> Result<Image<'a>, i32> {
        let about = (command, path);
        let opened = if writing {
            file::open_both_itself(path)
        } else {
            file::open_read(path)
        };
        match opened {
            Ok(file) => Image::mount(about, file, writing),
            Err(Errno::ETXTBSY) => Err(unusable(about, Error::Locked)),
            Err(Errno::ELOOP) if writing => {
                let why = "is a symbolic link (give the path of the image itself)";
                Err(refuse(STATUS_INPUT, about, format_args!("{why}")))
            }
            Err(why) => Err(failed(about, "open", why)),
        }
    }

    /// The same of an open file.
    ///
    /// # Errors
    /// As above.
    pub fn mount(
        about: (&'static str, &'a [u8]),
        file: File,
        writing: bool,
    ) -> Result<Image<'a>, i32> {
        let kind = file::stat(file.fd()).map_err(|why| failed(about, "read", why))?;
        if !kind.is_regular {
            return Err(no_image(about));
        }
        let storage = FileStorage::new(file, writing);
        let mut storage = storage.map_err(|error| unusable(about, error))?;
        let length = length(&mut storage).map_err(|why| failed(about, "read", why))?;
        let elf = match read_elf(storage.file().fd()) {
            Ok(elf) => elf,
            Err(Errno::EINVAL) => return Err(no_image(about)),
            Err(why) => return Err(failed(about, "read", why)),
        };
        let marked = image::region_in(&elf);
        let region = marked.unwrap_or((elf.len() as u64).next_multiple_of(PAGE as u64));
        if region >= length {
            return Err(match marked {
                None => no_image(about),
                Some(_) => {
                    let why = "the persistence region is gone (use a copy, if there is one)";
                    refuse(STATUS_IMAGE, about, format_args!("{why}"))
                }
            });
        }
        let options = Options {
            read_only: !writing,
            ..Options::default()
        };
        let mounted = Store::mount(storage, region, options);
        Ok(Image {
            about,
            mounted: mounted.map_err(|error| unusable(about, error))?,
            elf,
            region,
            length,
        })
    }

    /// The descriptor of the file.
    pub fn fd(&mut self) -> Fd {
        self.mounted.store.storage().file().fd()
    }
}

fn no_image(about: (&str, &[u8])) -> i32 {
    let why = "no image (an image is made by plan boot or plan build)";
    refuse(STATUS_INPUT, about, format_args!("{why}"))
}

/// Says why a region cannot be used; returns the exit status.
pub fn unusable(about: (&str, &[u8]), error: Error) -> i32 {
    let status = match error {
        Error::Missing => return no_image(about),
        Error::Locked | Error::Version(_) | Error::Damaged(_) => STATUS_IMAGE,
        _ => STATUS_INPUT,
    };
    let advice = error.advice();
    refuse(status, about, format_args!("{error} ({advice})"))
}
