//! Files that take the place of others, and what is there when that is interrupted: `plan build`, `plan
//! boot`, `plan image upgrade`, `plan image export`.
//!
//! Promises:
//! - whatever call of the system fails, or is the last of the process, what has the name is the old
//!   file or the new one, whole; a failure is one line, and leaves nothing else behind;
//! - an upgrade has a way back, also where a file can have one name only; it can be repeated;
//! - it keeps the extended attributes, or says which it cannot.
//!
//! Safety: system calls on strings and buffers of the test.
#![allow(unsafe_code)]

mod support;

use plan::os::sys;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use support::filter::Answer;
use support::images;
use support::process::{copy_program, names};
use support::{End, Outcome, Plan, scratch_dir};

const EPERM: u32 = 1;
const EIO: u32 = 5;
const ENOSPC: u32 = 28;

const LINK: u32 = 86;
const LINKAT: u32 = 265;
const RENAME: u32 = 82;
const RENAMEAT2: u32 = 316;
const FSYNC: u32 = 74;
const FSETXATTR: u32 = 190;

/// Calls that these commands make on files, but for those at the start of any process.
const CALLS: [(&str, u32); 19] = [
    ("write", 1),
    ("stat", 4),
    ("fstat", 5),
    ("lstat", 6),
    ("lseek", 8),
    ("pread64", 17),
    ("pwrite64", 18),
    ("fcntl", 72),
    ("fsync", FSYNC),
    ("fdatasync", 75),
    ("ftruncate", 77),
    ("rename", RENAME),
    ("link", LINK),
    ("fchmod", 91),
    ("flistxattr", 196),
    ("openat", 257),
    ("linkat", LINKAT),
    ("renameat2", RENAMEAT2),
    ("copy_file_range", 326),
];

fn plan(dir: &Path, args: &[&str]) -> Plan {
    Plan::new(args.to_vec()).dir(dir)
}

#[track_caller]
fn succeeds(got: &Outcome) {
    assert_eq!((got.end, got.err()), (End::Status(0), String::new()));
}

/// A directory with the image `img` behind the smallest executable, and its bytes.
fn image() -> (PathBuf, Vec<u8>) {
    images::small_over_large("replace")
}

/// A directory with the seed `a.seed`, and the bytes of its image.
fn seed() -> (PathBuf, Vec<u8>) {
    let dir = scratch_dir("replace");
    let save = ["seed", "save", "-e", "[1 (Bex 3000)]", "-o", "a.seed"];
    assert_eq!(plan(&dir, &save).run().end, End::Status(0));
    succeeds(&plan(&dir, &["boot", "a.seed", "out"]).run());
    let bytes = fs::read(dir.join("out")).expect("the image");
    fs::remove_file(dir.join("out")).expect("the image");
    (dir, bytes)
}

const UPGRADE: [&str; 3] = ["image", "upgrade", "img"];
const KEPT: &str = "img.before-upgrade";

/// One line on standard error, with status 3 or 4.
#[track_caller]
fn refused(got: &Outcome, what: &str) {
    let err = got.err();
    // What failed: why (what to do).
    let line = err.starts_with("plan: ") && err.ends_with(")\n") && err.lines().count() == 1;
    let status = matches!(got.end, End::Status(3 | 4));
    assert!(line && status, "{what}: {}", got.describe());
}

#[test]
fn a_boot_that_fails_at_any_call_leaves_what_was_there() {
    let (dir, new) = seed();
    for (name, call) in CALLS {
        for errno in [EIO, ENOSPC] {
            fs::write(dir.join("out"), "old").expect("a file");
            let boot = plan(&dir, &["boot", "a.seed", "out"]);
            let got = boot.filter(&[call], Answer::Fails(errno)).run();
            let out = fs::read(dir.join("out")).expect("a file");
            assert!(out == b"old" || out == new, "{name}");
            assert_eq!(names(&dir), ["a.seed", "out"], "{name}: {}", got.describe());
            // `write` is what messages are written with, too.
            if got.end != End::Status(0) && name != "write" {
                refused(&got, name);
            }
            assert!(got.end != End::Status(0) || out == new, "{name}");
        }
    }
}

#[test]
fn a_boot_that_is_killed_at_any_call_leaves_what_was_there() {
    let (dir, new) = seed();
    for (name, call) in CALLS {
        fs::write(dir.join("out"), "old").expect("a file");
        let boot = plan(&dir, &["boot", "a.seed", "out"]);
        let got = boot.filter(&[call], Answer::Kills).run();
        let out = fs::read(dir.join("out")).expect("a file");
        assert!(out == b"old" || out == new, "{name}");
        assert!(got.end != End::Status(0) || out == new, "{name}");
        // Only between the last two steps the new file has another name.
        let mut left = names(&dir);
        left.retain(|left| left != "out.new-0");
        assert_eq!(left, ["a.seed", "out"], "{name}");
        let rest = dir.join("out.new-0");
        assert!(
            name == "rename" || !rest.exists() || nameless_are_missing(&dir),
            "{name}"
        );
        fs::remove_file(rest).unwrap_or_default();
    }
}

/// Whether the file system has no files without names.
fn nameless_are_missing(dir: &Path) -> bool {
    plan::os::place::nameless(dir.as_os_str().as_bytes(), 0o600).is_err()
}

#[test]
fn an_upgrade_that_fails_at_any_call_leaves_what_was_there() {
    for (name, call) in CALLS {
        let (dir, old) = image();
        let got = plan(&dir, &UPGRADE)
            .filter(&[call], Answer::Fails(EIO))
            .run();
        if got.end != End::Status(0) {
            assert!(
                fs::read(dir.join("img")).expect("the image") == old,
                "{name}"
            );
            let left = names(&dir);
            let kept = left == ["img", KEPT] && fs::read(dir.join(KEPT)).expect("a file") == old;
            assert!(left == ["img"] || kept, "{name}: {left:?}");
            if name != "write" {
                refused(&got, name);
            }
        }
        finish(&dir, &old, name);
    }
}

#[test]
fn an_upgrade_that_is_killed_at_any_call_can_be_repeated() {
    for (name, call) in CALLS {
        let (dir, old) = image();
        plan(&dir, &UPGRADE).filter(&[call], Answer::Kills).run();
        fs::remove_file(dir.join("img.new-0")).unwrap_or_default();
        finish(&dir, &old, name);
    }
}

/// Upgrades the image, whatever was done before: it is sound, and the way back leads to `old`.
#[track_caller]
fn finish(dir: &Path, old: &[u8], what: &str) {
    let got = plan(dir, &UPGRADE).run();
    assert_eq!(
        (got.end, got.err()),
        (End::Status(0), String::new()),
        "{what}"
    );
    succeeds(&plan(dir, &["image", "scrub", "img"]).run());
    assert!(
        fs::read(dir.join(KEPT)).expect("the way back") == old,
        "{what}"
    );
    assert!(
        fs::read(dir.join("img")).expect("the image") != old,
        "{what}"
    );
    assert_eq!(names(dir), ["img", KEPT], "{what}");
}

#[test]
fn an_upgrade_needs_no_second_names() {
    // First they are not permitted, then nor is it to let files change names.
    for calls in [&[LINK][..], &[LINK, RENAMEAT2]] {
        let (dir, old) = image();
        let upgrade = plan(&dir, &UPGRADE).filter(calls, Answer::Fails(EPERM));
        succeeds(&upgrade.run());
        finish(&dir, &old, "no second names");
    }
    let (dir, old) = image();
    let calls = [LINK, RENAMEAT2, RENAME];
    refused(
        &plan(&dir, &UPGRADE)
            .filter(&calls, Answer::Fails(EPERM))
            .run(),
        "no names",
    );
    assert!(fs::read(dir.join("img")).expect("the image") == old && names(&dir) == ["img"]);
}

/// Sets the attribute `user.plan` of a file; whether the file system has such.
fn set_attribute(path: &Path) -> bool {
    let path = CString::new(path.as_os_str().as_bytes()).expect("a path");
    let (name, value) = (c"user.plan", b"kept");
    let words = [
        path.as_ptr().addr(),
        name.as_ptr().addr(),
        value.as_ptr().addr(),
        4,
        0,
        0,
    ];
    // SAFETY: the strings are terminated, the value has four bytes; all are only read.
    unsafe { sys::raw(188, words.map(|word| word as u64)) == 0 }
}

#[test]
fn an_upgrade_keeps_attributes_or_says_so() {
    let (dir, _) = image();
    let path = dir.join("img");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o2751)).expect("permissions");
    let before = fs::metadata(&path).expect("the image");
    let there = set_attribute(&path);
    let got = plan(&dir, &UPGRADE)
        .filter(&[FSETXATTR], Answer::Fails(EPERM))
        .run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
    let line = "plan: image upgrade: img: warning: the attribute user.plan is not kept: operation not \
                permitted (set it again)\n";
    assert_eq!(got.err(), if there { line } else { "" });
    fs::rename(dir.join(KEPT), &path).expect("the way back");
    succeeds(&plan(&dir, &UPGRADE).run());
    let after = fs::metadata(&path).expect("the image");
    assert_eq!(
        (after.mode(), after.uid(), after.gid()),
        (before.mode(), before.uid(), before.gid())
    );
    assert_eq!(attribute(&path), there.then(|| b"kept".to_vec()));
}

/// The attribute `user.plan`.
fn attribute(path: &Path) -> Option<Vec<u8>> {
    let path = CString::new(path.as_os_str().as_bytes()).expect("a path");
    let mut value = vec![0; 100];
    let words = [
        path.as_ptr().addr(),
        c"user.plan".as_ptr().addr(),
        value.as_mut_ptr().addr(),
        100,
    ];
    let [a, b, c, d] = words.map(|word| word as u64);
    // SAFETY: the strings are terminated; the kernel writes 100 bytes at most.
    let length = unsafe { sys::raw(191, [a, b, c, d, 0, 0]) } as i64;
    value.truncate(usize::try_from(length).ok()?);
    Some(value)
}

#[test]
fn an_image_is_made_with_the_permissions_of_the_umask() {
    let (dir, _) = seed();
    for (umask, mode) in [("022", 0o755), ("077", 0o700), ("002", 0o775)] {
        let script = format!("umask {umask}; rm -f out; exec \"$0\" boot a.seed out");
        let shell = Plan::new([
            "-c".into(),
            script,
            support::process::binary().display().to_string(),
        ]);
        succeeds(&shell.program("/bin/sh").dir(&dir).run());
        let stat = fs::metadata(dir.join("out")).expect("the image");
        assert_eq!((stat.mode() & 0o7777, stat.nlink()), (mode, 1), "{umask}");
    }
}

#[test]
fn other_names_of_what_is_replaced_keep_it() {
    let (dir, new) = seed();
    fs::write(dir.join("out"), "old").expect("a file");
    fs::hard_link(dir.join("out"), dir.join("other")).expect("a link");
    succeeds(&plan(&dir, &["boot", "a.seed", "out"]).run());
    assert_eq!(fs::read(dir.join("other")).expect("a file"), b"old");
    assert!(fs::read(dir.join("out")).expect("the image") == new);
}

#[test]
fn links_and_sources_are_not_replaced() {
    let (dir, _) = seed();
    let before = fs::read(dir.join("a.seed")).expect("the seed");
    symlink("a.seed", dir.join("link")).expect("a link");
    symlink("nowhere", dir.join("dangling")).expect("a link");
    fs::hard_link(dir.join("a.seed"), dir.join("hard")).expect("a link");
    fs::write(dir.join("b.wisp"), "(def main 1)").expect("a file");
    let link = "is a symbolic link (name another file)";
    let source = "is what is read (name another file)";
    let cases = [
        (vec!["boot", "hard", "dangling"], "dangling", link),
        (vec!["boot", "a.seed", "link"], "link", source),
        (vec!["boot", "a.seed", "./a.seed"], "./a.seed", source),
        (vec!["boot", "a.seed", "hard"], "hard", source),
        (vec!["build", "b.wisp", "-o", "b.wisp"], "b.wisp", source),
        (vec!["boot", "a.seed", "/dev/stdout"], "/dev/stdout", link),
    ];
    for (args, target, why) in cases {
        // Standard output is a file here, which `/dev/stdout` leads to.
        fs::write(dir.join("said"), "").expect("a file");
        let got = plan(&dir, &args).stdout_to(dir.join("said")).run();
        let command = args[0];
        let line = format!("plan: {command}: {target}: {why}\n");
        assert_eq!((got.err(), got.end), (line, End::Status(3)), "{args:?}");
    }
    assert!(fs::read(dir.join("a.seed")).expect("the seed") == before);
    assert!(
        fs::symlink_metadata("/dev/stdout")
            .expect("a link")
            .is_symlink()
    );
}

#[test]
fn an_image_is_not_exported_over_itself() {
    let (dir, old) = image();
    symlink("img", dir.join("link")).expect("a link");
    for target in ["img", "./img", "link"] {
        let got = plan(&dir, &["image", "export", "img", "-o", target]).run();
        let line = format!("plan: image export: {target}: is what is read (name another file)\n");
        assert_eq!((got.err(), got.end), (line, End::Status(3)));
    }
    assert!(fs::read(dir.join("img")).expect("the image") == old);
}

/// What a shell says that has an empty file system of 1 MB in the directory `m`.
fn in_small_space(dir: &Path, script: &str) -> Outcome {
    let mount = "mount -t tmpfs -o size=1m none m";
    let script = format!("mkdir -p m && {{ {mount} 2>/dev/null || exit 77; }} && {script}");
    let plan = support::process::binary().display().to_string();
    let unshare = [
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
        &plan,
    ];
    Plan::new(unshare).program("unshare").dir(dir).run()
}

#[test]
fn without_space_nothing_is_left() {
    let (dir, _) = seed();
    let (there, _) = image();
    copy_program(&there.join("img"), &dir.join("img"));
    let full = "no space left on device (make room)\n";
    for (script, line, left) in [
        (
            "head -c 600000 /dev/zero >m/x; $0 boot a.seed m/out; ls m",
            format!("plan: boot: m/out: cannot write: {full}"),
            "x\n",
        ),
        (
            "head -c 300000 /dev/zero >m/x; cp img m; $0 image upgrade m/img; ls m; cmp img m/img",
            format!("plan: image upgrade: m/img: cannot write: {full}"),
            "img\nx\n",
        ),
        (
            "mount -o remount,ro m 2>/dev/null || exit 77; $0 boot a.seed m/out; ls m",
            "plan: boot: m/out: cannot create: read-only file system (check the permissions)\n"
                .into(),
            "",
        ),
    ] {
        let got = in_small_space(&dir, script);
        if got.end == End::Status(77) || got.err().starts_with("unshare: ") {
            println!("nobody lets us mount a file system: not tested: {script}");
            continue;
        }
        assert_eq!((got.err(), got.out()), (line, left.into()), "{script}");
    }
}
