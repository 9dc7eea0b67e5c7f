//! `image upgrade IMG`: puts this runtime under the region of an image (chapter 05 UP-3).
//!
//! ```text
//!   IMG      │ other executable │ pad │ region │   ─▶   IMG.before-upgrade (the same file)
//!   IMG.new  │ this executable    │ pad │ region │ ─▶   IMG
//! ```
//!
//! Invariants:
//! - the region is copied byte for byte, its holes too: nothing in it depends on where it lies in the
//!   file or on the code before it;
//! - the old image stays as `IMG.before-upgrade`, whatever happens; one of an earlier upgrade is never
//!   lost;
//! - owner and permissions stay the same.

use super::replace::{Replacement, copy_rest};
use super::{Image, failed, own_executable, refuse};
use crate::cli::message::Shown;
use crate::cli::{STATUS_INPUT, print};
use crate::heap::store::format::PAGE;
use crate::os::env::Args;
use crate::os::file;
use alloc::format;

/// What is behind the name of the image as it was.
const BEFORE: &[u8] = b".before-upgrade";

/// Upgrades the image `path`.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn main(args: &Args, path: &[u8]) -> Result<i32, i32> {
    let about = ("image upgrade", path);
    let runtime = own_executable(args, about)?;
    let mut image = Image::open(about.0, path, true)?;
    if image.elf == runtime {
        return Ok(print(&format!(
            "{} has this runtime already\n",
            Shown(path)
        )));
    }
    let before = [path, BEFORE].concat();
    let own = file::stat(image.fd()).map_err(|why| failed(about, "read", why))?;
    let kept = file::stat_path(&before).ok();
    if kept.is_some_and(|kept| kept.identity != own.identity) {
        let before = Shown(&before);
        let why = "is there from an earlier upgrade (remove it, or move it back)";
        return Err(refuse(STATUS_INPUT, about, format_args!("{before} {why}")));
    }
    let (replacement, file) = Replacement::new(about, 0o600)?;
    let fd = file.fd();
    let put = (|| {
        file::write_all(fd, &runtime)?;
        let target = (runtime.len() as u64).next_multiple_of(PAGE as u64);
        copy_rest((image.fd(), image.region), image.length, (fd, target))?;
        if file::stat(fd)?.owner != own.owner {
            file::set_owner(fd, own.owner)?;
        }
        file::set_permissions(fd, own.permissions)
    })();
    put.map_err(|why| replacement.failed("write", why))?;
    if kept.is_none() {
        file::link(path, &before).map_err(|why| failed(about, "keep the old image", why))?;
    }
    replacement.install(fd)?;
    let (path, before) = (Shown(path), Shown(&before));
    Ok(print(&format!(
        "{path} has this runtime now; as it was: {before}\n"
    )))
}
