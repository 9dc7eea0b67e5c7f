//! What a file needs to take the place of another: a beginning without a name, a name in one step,
//! the extended attributes of the other.
//!
//! Invariants:
//! - a file without a name is gone when the last process that has it ends, however that ends;
//! - each function that names or renames does it in one step: nobody sees something half done;
//! - attributes that sign contents (`security.ima`, `security.evm`) are no part of what is copied: the
//!   contents of the new file are others.
//!
//! Safety: paths and names are terminated copies; the kernel writes into slices that are held
//! exclusively, up to their lengths.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::{AT_FDCWD, Fd, File, O_RDWR, open, stat_path, terminated};
use super::sys::{Sysno, call};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// Bytes of all names of attributes, and of the value of one: the most the kernel has.
const ATTRIBUTES: usize = 65536;

/// The path that leads to an open file.
fn link_to(fd: Fd) -> Vec<u8> {
    format!("/proc/self/fd/{}", fd.0).into_bytes()
}

/// A file in `directory` without a name, open for reading and writing, that [`name`] can give one.
///
/// # Errors
/// What the kernel answers, which depends on the file system where it has no such files; `ENOENT`
/// without `/proc`.
pub fn nameless(directory: &[u8], permissions: u32) -> Result<File, Errno> {
    const O_TMPFILE: usize = 0o20_200_000;
    let file = open(directory, O_TMPFILE | O_RDWR, permissions)?;
    stat_path(&link_to(file.fd())).map(|_| file)
}

/// Gives a file without a name the name `path`; `EEXIST` if that is taken.
pub fn name(fd: Fd, path: &[u8]) -> Result<(), Errno> {
    const AT_SYMLINK_FOLLOW: usize = 0x400;
    two(Sysno::linkat, &link_to(fd), path, AT_SYMLINK_FOLLOW)
}

/// Lets two files change names in one step; `EINVAL` or `ENOSYS` where that is not to be had.
pub fn exchange(one: &[u8], other: &[u8]) -> Result<(), Errno> {
    const RENAME_EXCHANGE: usize = 2;
    two(Sysno::renameat2, one, other, RENAME_EXCHANGE)
}

/// A call with two paths and flags.
fn two(number: Sysno, one: &[u8], other: &[u8], flags: usize) -> Result<(), Errno> {
    let (one, other) = (terminated(one)?, terminated(other)?);
    let (one, other) = (one.as_ptr(), other.as_ptr());
    let args = [
        AT_FDCWD,
        one.expose_provenance(),
        AT_FDCWD,
        other.expose_provenance(),
        flags,
    ];
    // SAFETY: both paths are terminated and only read.
    unsafe { call(number, args).map(drop) }
}

/// Gives a file the extended attributes of another; `lost` is told what cannot be given, and why.
pub fn copy_attributes(from: Fd, to: Fd, lost: &mut dyn FnMut(&[u8], Errno)) {
    let mut names = vec![0; ATTRIBUTES];
    let (mut wanted, mut there) = (names.clone(), names.clone());
    let args = [
        from.arg(),
        names.as_mut_ptr().expose_provenance(),
        names.len(),
    ];
    // SAFETY: the kernel writes at most the length of the slice. Where it fails there are none.
    let length = unsafe { call(Sysno::flistxattr, args) }.unwrap_or(0);
    for name in names[..length].split_inclusive(|byte| *byte == 0) {
        if name.starts_with(b"security.ima") || name.starts_with(b"security.evm") {
            continue;
        }
        let given = attribute(Sysno::fgetxattr, from, name, &mut wanted).and_then(|length| {
            let value = &mut wanted[..length];
            let same = attribute(Sysno::fgetxattr, to, name, &mut there)
                .is_ok_and(|length| there[..length] == *value);
            if same {
                Ok(0)
            } else {
                attribute(Sysno::fsetxattr, to, name, value)
            }
        });
        if let Err(why) = given {
            lost(&name[..name.len() - 1], why);
        }
    }
}

/// Reads or sets the attribute of a terminated name; its length.
fn attribute(number: Sysno, fd: Fd, name: &[u8], value: &mut [u8]) -> Result<usize, Errno> {
    let args = [
        fd.arg(),
        name.as_ptr().expose_provenance(),
        value.as_mut_ptr().expose_provenance(),
        value.len(),
        0,
    ];
    // SAFETY: the name is terminated; the kernel writes at most the length of the value.
    unsafe { call(number, args) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::file::{self, rename};
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_file_gets_its_name_when_it_is_complete() {
        let dir = std::env::temp_dir().join(format!("plan-os-place-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = |name: &str| dir.join(name).as_os_str().as_bytes().to_vec();
        // Some file systems have no files without names.
        if let Ok(file) = nameless(&path(""), 0o600) {
            file::write_all(file.fd(), b"one").unwrap();
            assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
            name(file.fd(), &path("one")).unwrap();
            assert_eq!(name(file.fd(), &path("one")), Err(Errno::EEXIST));
        } else {
            std::fs::write(dir.join("one"), "one").unwrap();
        }
        std::fs::write(dir.join("two"), "two").unwrap();
        if exchange(&path("one"), &path("two")).is_err() {
            rename(&path("one"), &path("three")).unwrap();
            rename(&path("two"), &path("one")).unwrap();
            rename(&path("three"), &path("two")).unwrap();
        }
        assert_eq!(std::fs::read(dir.join("one")).unwrap(), b"two");
        assert_eq!(std::fs::read(dir.join("two")).unwrap(), b"one");
        assert!(nameless(&path("nowhere"), 0o600).is_err());
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn attributes_are_copied_or_named() {
        let path = std::env::temp_dir().join(format!("plan-os-attributes-{}", std::process::id()));
        let other = path.with_extension("other");
        let files = [&path, &other].map(|path| std::fs::File::create(path).unwrap());
        let [from, to] = [0, 1].map(|i| Fd(std::os::fd::AsRawFd::as_raw_fd(&files[i])));
        let mut lost = Vec::new();
        let set = attribute(
            Sysno::fsetxattr,
            from,
            b"user.plan\0",
            &mut b"kept".to_vec(),
        );
        copy_attributes(from, to, &mut |name, why| lost.push((name.to_vec(), why)));
        let mut value = [0; 100];
        let found = attribute(Sysno::fgetxattr, to, b"user.plan\0", &mut value);
        // Some file systems have none.
        assert_eq!(found.is_ok(), set.is_ok());
        assert!(set.is_err() || value.starts_with(b"kept\0"), "{found:?}");
        copy_attributes(from, Fd(-1), &mut |name, why| {
            lost.push((name.to_vec(), why))
        });
        let expected = set.is_ok().then(|| (b"user.plan".to_vec(), Errno::EBADF));
        assert!(lost.iter().any(|one| Some(one) == expected.as_ref()) == set.is_ok());
        for path in [path, other] {
            std::fs::remove_file(path).unwrap();
        }
    }
}
