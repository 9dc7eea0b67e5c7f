//! `image export IMG -o OUT`: the committed value as a seed; and the same value for `info`.
//!
//! Invariants:
//! - what is not sound is not looked at by the machine: every record is checked first;
//! - nothing of the value is evaluated;
//! - the seed is written in parts, and has its name when it is complete: memory is needed for the nodes of
//!   the value, not for its long numbers.

use super::replace::Replacement;
use super::{Image, failed, not_a_source, refuse, unusable};
use crate::cli::args;
use crate::cli::message;
use crate::cli::options::Environment;
use crate::cli::seed_file::bad_seed;
use crate::cli::{STATUS_OK, STATUS_USAGE, graph};
use crate::heap::region::Region;
use crate::heap::store::{FileStorage, Store};
use crate::os::env::Args;
use crate::os::file::{self, File};
use crate::os::{Errno, Fd, durable};
use crate::value::Value;
use crate::value::print::{Sink, Style, show};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Writes the seed.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn main(args: &Args, wanted: &args::Image) -> Result<i32, i32> {
    let target = wanted.output.ok_or(STATUS_USAGE)?;
    not_a_source((wanted.task.command(), target), [wanted.path])?;
    let image = Image::open(wanted.task.command(), wanted.path, false)?;
    let (about, mut store) = (image.about, image.mounted.store);
    let checked = store.export(&mut |_, _| Ok(()));
    checked.map_err(|error| unusable(about, error))?;
    if let Some(damage) = image.mounted.passed_over {
        let what = "the seed is the state before the last commit";
        refuse(0, about, format_args!("warning: {damage} ({what})"));
    }
    let mut output = Output::new((about.0, target))?;
    with_value(args, about, store, |value| {
        let encoded = graph::encode_to(value, wanted.version, &mut |part| output.put(part));
        encoded.map_err(|error| bad_seed(target, &error))
    })??;
    output.end()
}

/// A file that is being written: one that gets its name at the end, or something that has it already,
/// such as a pipe; `-` is standard output.
struct Output<'a> {
    file: File,
    replacement: Option<Replacement<'a>>,
    about: (&'static str, &'a [u8]),
    written: Result<(), Errno>,
}

impl<'a> Output<'a> {
    fn new(about: (&'static str, &'a [u8])) -> Result<Output<'a>, i32> {
        let there = file::stat_itself(about.1);
        let special = there.is_ok_and(|stat| !stat.is_regular && !stat.is_directory);
        let (file, replacement) = if about.1 == b"-" {
            let file = durable::duplicate(Fd::STDOUT, Fd::STDERR);
            (file.map_err(|why| failed(about, "open", why))?, None)
        } else if special {
            let file = file::create(about.1, 0).map_err(|why| failed(about, "open", why))?;
            (file, None)
        } else {
            let (replacement, file) = Replacement::new(about, 0o666)?;
            (file, Some(replacement))
        };
        Ok(Output {
            file,
            replacement,
            about,
            written: Ok(()),
        })
    }

    fn put(&mut self, part: &[u8]) {
        if self.written.is_ok() {
            self.written = file::write_all(self.file.fd(), part);
        }
    }

    fn end(self) -> Result<i32, i32> {
        let about = self.about;
        self.written.map_err(|why| failed(about, "write", why))?;
        match self.replacement {
            Some(replacement) => replacement.install(self.file.fd(), None)?,
            None => self
                .file
                .close()
                .map_err(|why| failed(about, "write", why))?,
        }
        Ok(STATUS_OK)
    }
}

/// Hands the committed value, in its region, to `work`.
///
/// # Errors
/// As for [`main`].
fn with_value<T>(
    args: &Args,
    about: (&str, &[u8]),
    store: Store<FileStorage>,
    work: impl FnOnce(Value) -> T,
) -> Result<T, i32> {
    let mut machine = Environment::get(args)?.start()?;
    let region = Region::new(store).map_err(|error| unusable(about, error))?;
    machine.attach(region);
    Ok(work(machine.top(0)))
}

/// The beginning of a text.
struct Short(Vec<u8>);

/// Bytes of a value that are shown.
const SHOWN: usize = 60;

impl Sink for Short {
    fn bytes(&mut self, bytes: &[u8]) {
        let room = (SHOWN + 1).saturating_sub(self.0.len());
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn full(&self) -> bool {
        self.0.len() > SHOWN
    }
}

/// The beginning of the committed value, printed; the store must be sound.
///
/// # Errors
/// As for [`main`].
pub fn shown(args: &Args, about: (&str, &[u8]), store: Store<FileStorage>) -> Result<String, i32> {
    let style = Style {
        bitsz: true,
        ..Style::TRACE
    };
    let mut text = Short(Vec::new());
    with_value(args, about, store, |value| {
        // Without memory for the list of parts the text is shorter.
        let _ = show(value, &style, &mut text);
    })?;
    if text.full() {
        text.0.truncate(SHOWN - 3);
        text.bytes(b"...");
    }
    Ok(message::Shown(&text.0).to_string())
}
