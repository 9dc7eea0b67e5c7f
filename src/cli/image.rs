//! An image: this executable with a persistence region behind it, running its program.
//!
//! Invariants:
//! - all arguments belong to the program; `PLANCMD` reaches the runtime;
//! - what cannot be used is one line and status 4; it is never run as something else;
//! - damage below the root is found by a scrub, which `PLAN_VERIFY=1` makes part of the start: reading
//!   everything each time would make the start of an image depend on its size.

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
    if let Some(command) = args.var(b"PLANCMD").filter(|name| !name.is_empty()) {
        return images::command(args, command, own);
    }
    let path = own.path;
    let environment = match Environment::get(args) {
        Ok(environment) => environment,
        Err(status) => return status,
    };
    fault::in_image();
    let verify = environment.machine.verify;
    let mounted = mount(own, environment.read_only);
    let mounted = mounted.and_then(|store| if verify { sound(store) } else { Ok(store) });
    let store = match mounted {
        Ok(store) => store,
        Err(error) => return unusable(path, error),
    };
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
    message::fail(STATUS_IMAGE, format_args!("image {}: {error}", Shown(path)))
}

fn warn(path: &[u8], what: fmt::Arguments<'_>) {
    message::fail(0, format_args!("image {}: warning: {what}", Shown(path)));
}

/// The store if all that the committed value reaches is as it was written.
#[inline(never)]
fn sound(mut store: Store<FileStorage>) -> Result<Store<FileStorage>, Error> {
    let sequence = store.superblock().sequence;
    let found = store.scrub()?.findings;
    match found.iter().find(|finding| finding.sequence == sequence) {
        Some(finding) => Err(Error::Damaged(finding.damage)),
        None => Ok(store),
    }
}

/// Locks and opens the region; says so if it had to go back to an older generation.
fn mount(own: OwnImage, read_only: bool) -> Result<Store<FileStorage>, Error> {
    let read_only = read_only || !own.writable;
    let options = Options {
        read_only,
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
