//! An image: this executable with a persistence region behind it, running its program.
//!
//! Invariants:
//! - all arguments belong to the program; `PLANCMD` reaches the runtime;
//! - what cannot be used is one line and status 4; it is never run as something else.

use super::message::{self, Shown};
use super::options::Environment;
use super::run::apply;
use super::stop;
use super::{STATUS_IMAGE, STATUS_INTERNAL, images};
use crate::heap::store::{Error, FileStorage, Options, Store};
use crate::os::env::Args;
use crate::os::image::{OwnImage, Refusal};
use crate::value::{MAX_DIRECT, Value};
use alloc::vec::Vec;

/// Says why an image could not open itself; returns the exit status.
pub fn refused(path: &[u8], refusal: Refusal) -> i32 {
    let status = match refusal {
        Refusal::System(..) => STATUS_INTERNAL,
        _ => STATUS_IMAGE,
    };
    message::fail(status, format_args!("image {}: {refusal}", Shown(path)))
}

/// Runs the program in the region of `own`; returns the exit status.
pub fn run(args: &Args, own: OwnImage) -> i32 {
    if let Some(command) = args.var(b"PLANCMD").filter(|name| !name.is_empty()) {
        return images::command(command, own);
    }
    match mounted(args, own) {
        Ok(status) => status,
        Err((path, error)) => {
            message::fail(STATUS_IMAGE, format_args!("image {}: {error}", Shown(path)))
        }
    }
}

/// Runs a root that is a natural number, for now.
fn mounted(args: &Args, own: OwnImage) -> Result<i32, (&'static [u8], Error)> {
    let (path, region, writable) = (own.path, own.region, own.writable);
    let because = |error| (path, error);
    let file = FileStorage::new(own.file, writable).map_err(because)?;
    let options = Options {
        read_only: !writable,
        ..Options::default()
    };
    let store = Store::mount(file, region, options).map_err(because)?.store;
    let root = store.root();
    let environment = match Environment::get(args) {
        Ok(environment) => environment,
        Err(status) => return Ok(status),
    };
    if root > MAX_DIRECT {
        let cannot = format_args!("image {}: this runtime cannot run it", Shown(path));
        return Ok(message::fail(STATUS_INTERNAL, cannot));
    }
    let words: Vec<&[u8]> = args.from(1).collect();
    Ok(environment.with_machine(0, |machine| {
        machine.push(Value::direct(root));
        apply(machine, &words).unwrap_or_else(|stop| stop::report(machine, stop))
    }))
}
