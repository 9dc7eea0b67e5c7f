//! `image upgrade IMG`: puts this runtime under the region of an image (chapter 05 UP-3).
//!
//! ```text
//!   IMG │ other executable │ pad │ region │   ─▶   IMG.before-upgrade (the same file)
//!       │ this executable    │ pad │ region │ ─▶   IMG
//! ```
//!
//! The steps, and what is there if the process ends or the power fails in each:
//!
//! | step | IMG | IMG.before-upgrade |
//! |---|---|---|
//! | lock IMG; write a new file, give it owner, permissions and attributes of IMG; sync | old | no |
//! | name the new file IMG.new-0 (it may stay behind) | old | no |
//! | name IMG a second time | old | old |
//! | rename the new file to IMG; sync the directory | new | old |
//!
//! On a file system where a file has one name (`replace`) the last two are: IMG and IMG.new-0 change
//! names (new; no, but IMG.new-0 is the old one), IMG.new-0 is renamed (new; old). Where that is not
//! to be had either: IMG is renamed (none; old), the new file is renamed (new; old).
//!
//! Each step may be repeated by another upgrade.
//!
//! Invariants:
//! - the region is copied byte for byte, its holes too: nothing in it depends on where it lies in the
//!   file or on the code before it;
//! - the old image stays as `IMG.before-upgrade`, whatever happens; one of an earlier upgrade is never
//!   lost;
//! - owner, permissions and extended attributes stay the same, or it is said which do not; the time of
//!   the last change is that of the upgrade.

use super::replace::{Replacement, copy_rest};
use super::{Image, failed, own_executable, refuse};
use crate::cli::message::Shown;
use crate::cli::{STATUS_INPUT, print};
use crate::heap::store::format::PAGE;
use crate::os::env::Args;
use crate::os::{Fd, file, place};
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
        let text = format!("{} has this runtime already\n", Shown(path));
        return Ok(print(text.as_bytes()));
    }
    let before = [path, BEFORE].concat();
    let own = file::stat(image.fd()).map_err(|why| failed(about, "read", why))?;
    let kept = file::stat_itself(&before).ok();
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
    copy_attributes(about, image.fd(), fd);
    replacement.install(fd, kept.is_none().then_some(&before))?;
    let (path, before) = (Shown(path), Shown(&before));
    let text = format!("{path} has this runtime now; as it was: {before}\n");
    Ok(print(text.as_bytes()))
}

/// Gives the new file the extended attributes; says which it cannot have.
fn copy_attributes(about: (&str, &[u8]), from: Fd, to: Fd) {
    place::copy_attributes(from, to, &mut |name, why| {
        let name = Shown(name);
        let why = format_args!("warning: the attribute {name} is not kept: {why} (set it again)");
        refuse(0, about, why);
    });
}
