//! An image: this executable with a persistence region behind it, running its program.
//!
//! Invariants:
//! - all arguments belong to the program; `PLANCMD` reaches the runtime;
//! - what cannot be used is one line and status 4; it is never run as something else;
//! - damage below the root is found by a scrub, which `PLAN_VERIFY=1` makes part of the start: reading
//!   everything each time would make the start of an image depend on its size;
//! - who meets a fault of memory executes the image once more, which then makes that scrub and says
//!   whether the image is damaged or the runtime wrong (`os::fault`).

use super::message::{self, Shown};
use super::options::Environment;
use super::run::apply;
use super::stop;
use super::{STATUS_IMAGE, STATUS_INTERNAL, images};
use crate::heap::region::Region;
use crate::heap::store::{Error, FileStorage, Options, Store};
use crate::os::env::Args;
use crate::os::fault;
use crate::os::image::{OwnImage, Refusal};
use alloc::vec::Vec;
use core::fmt;

/// Says why an image could not open itself; returns the exit status.
pub fn refused(path: &[u8], refusal: Refusal) -> i32 {
    let status = match refusal {
        Refusal::System(..) => STATUS_INTERNAL,
        _ => STATUS_IMAGE,
    };
    message::fail(status, format_args!("image {}: {refusal}", Shown(path)))
}

/// Runs the program in the region of `own`; returns the exit status.
#[inline(never)]
pub fn run(args: &Args, own: OwnImage) -> i32 {
    let path = own.path;
    if let Some(command) = args.var(b"PLANCMD").filter(|name| !name.is_empty()) {
        return match command.starts_with(b"internal error") {
            true => diagnose(args, own, Shown(command)),
            false => images::command(args, command, own),
        };
    }
    let environment = match Environment::get(args) {
        Ok(environment) => environment,
        Err(status) => return status,
    };
    fault::in_image(own.file.fd(), path);
    let mut store = match mount(own, environment.read_only, environment.two_syncs) {
        Ok(store) => store,
        Err(error) => return unusable(path, error),
    };
    if environment.machine.verify
        && let Some(status) = damage(&mut store, path, false)
    {
        return status;
    }
    let words: Vec<&[u8]> = args.from(1).collect();
    environment.with_machine(0, |machine| {
        let region = match Region::new(store) {
            Ok(region) => region,
            Err(error) => return unusable(path, error),
        };
        machine.attach(region);
        let status = apply(machine, &words).unwrap_or_else(|stop| stop::report(machine, stop));
        if let Some(error) = machine.settle_region() {
            warn(
                path,
                format_args!("{error} (what is not needed any more stays)"),
            );
        }
        status
    })
}

fn unusable(path: &[u8], error: Error) -> i32 {
    let (path, advice) = (Shown(path), error.advice());
    message::fail(
        STATUS_IMAGE,
        format_args!("image {path}: {error} ({advice})"),
    )
}

fn warn(path: &[u8], what: fmt::Arguments<'_>) {
    message::fail(0, format_args!("image {}: warning: {what}", Shown(path)));
}

/// Reads all that the last commit reaches and, for `both`, the one before; says what is damaged, if
/// something is, and gives the exit status for that.
#[inline(never)]
fn damage(store: &mut Store<FileStorage>, path: &[u8], both: bool) -> Option<i32> {
    let sequence = store.superblock().sequence;
    let found = match store.scrub() {
        Ok(report) => report.findings,
        Err(error) => return Some(unusable(path, error)),
    };
    let mut found = found.iter();
    let finding = found.find(|finding| both || finding.sequence == sequence)?;
    let what = format_args!("damaged: {finding} (use a copy, if there is one)");
    Some(message::fail(
        STATUS_IMAGE,
        format_args!("image {}: {what}", Shown(path)),
    ))
}

/// Says whether damage or a bug made a process of this image end by this `error`.
fn diagnose(args: &Args, mut own: OwnImage, error: Shown<'_>) -> i32 {
    // It was executed by a descriptor.
    own.path = args.from(0).next().unwrap_or(own.path);
    let path = own.path;
    match mount(own, true, false) {
        Err(error) => unusable(path, error),
        Ok(mut store) => damage(&mut store, path, true).unwrap_or_else(|| {
            message::fail(STATUS_INTERNAL, format_args!("{error} (please report)"))
        }),
    }
}

/// Locks and opens the region; says so if it had to go back to an older generation.
fn mount(own: OwnImage, read_only: bool, two_syncs: bool) -> Result<Store<FileStorage>, Error> {
    let read_only = read_only || !own.writable;
    let options = Options {
        read_only,
        two_syncs,
        ..Options::default()
    };
    let file = FileStorage::new(own.file, !read_only)?;
    let mounted = Store::mount(file, own.region, options)?;
    if let Some(damage) = mounted.passed_over {
        let what = "going on from the state before the last commit";
        warn(own.path, format_args!("{damage} ({what})"));
    }
    Ok(mounted.store)
}
