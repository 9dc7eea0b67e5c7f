//! An image: this executable with a persistence region behind it, running its program.
//!
//! Invariants:
//! - all arguments belong to the program; `PLANCMD` reaches the runtime;
//! - what cannot be used is one line and status 4; it is never run as something else.

use super::message::{self, Shown};
use super::{STATUS_IMAGE, STATUS_INTERNAL, print};
use crate::heap::store::storage::length;
use crate::heap::store::{Error, FileStorage};
use crate::os::env::Args;
use crate::os::image::{OwnImage, Refusal};
use alloc::format;

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
    match mounted(args, own) {
        Ok(status) => status,
        Err((path, error)) => {
            message::fail(STATUS_IMAGE, format_args!("image {}: {error}", Shown(path)))
        }
    }
}

/// What is known of the image, for now.
fn mounted(args: &Args, own: OwnImage) -> Result<i32, (&'static [u8], Error)> {
    let (path, region, writable) = (own.path, own.region, own.writable);
    let mut file = FileStorage::new(own.file, writable).map_err(|error| (path, error))?;
    let length = length(&mut file).map_err(|why| (path, Error::Io("stat", why)))?;
    if length <= region {
        return Err((path, Error::Missing));
    }
    if args.var(b"PLANCMD") == Some(b"info") {
        return Ok(print(&format!("region {region}\nwritable {writable}\n")));
    }
    let cannot = format_args!("image {}: this runtime cannot run it", Shown(path));
    Ok(message::fail(STATUS_INTERNAL, cannot))
}
