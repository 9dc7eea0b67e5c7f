//! Starting an image: it finds and opens its own file, wherever it is and whatever is forbidden.
//!
//! Promises:
//! - it starts by any path, under any name, with and without `/proc`, with memory files forbidden;
//! - a file that can only be read is run; one that was removed or is in use is refused, status 4;
//! - descriptors of the user are not touched, and none of ours is left below 512;
//! - what the system refuses is one line and status 70.

#[allow(dead_code)] // only the path of the executable is used here
mod common;
#[path = "common/image.rs"]
mod image;

use common::plan_path;
use image::{Scratch, let_go};
use plan::os::durable;
use plan::os::file::open_both;
use std::os::unix::ffi::OsStrExt;
use std::{fs, thread};

/// One line from the tool, with this in it.
fn is_one_line(error: &str, part: &str) -> bool {
    error.starts_with("plan: ") && error.lines().count() == 1 && error.contains(part)
}

/// Words that start a command as one who may do more: root, or root of a namespace of its own.
fn privileged() -> &'static str {
    let root =
        fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if root {
        "unshare"
    } else {
        "unshare --map-root-user"
    }
}

#[test]
fn it_starts_by_any_path_and_name() {
    let dir = Scratch::with_image("start-paths");
    let started = (Some(0), String::new());
    for script in [
        "./img",
        "\"$PWD/img\" with 'some arguments' --help",
        "mkdir sub && cd sub && ../img",
        "ln -s img link && ./link",
        "PATH=$PWD:$PATH; cd / && img",
        "bash -c 'exec -a other ./img'",
        "exec 0<&- 1>&- 2>&-; ./img",
        "cp img 'a name\twith blanks' && ./a*",
    ] {
        assert_eq!(dir.shell(script), started, "{script}");
    }
    let deep = format!(
        "mkdir -p {0} && cp img {0}/ && {0}/img",
        "long/".repeat(500)
    );
    assert_eq!(dir.shell(&deep), started, "a path of 2500 bytes");
}

#[test]
fn it_starts_without_proc() {
    let dir = Scratch::with_image("start-chroot");
    let script = format!(
        "mkdir -p root/bin && cp img root/bin/ && {} --root=root /bin/img",
        privileged()
    );
    assert_eq!(dir.shell(&script), (Some(0), String::new()));
    let relative = format!("{} --root=root --wd=/bin ./img", privileged());
    assert_eq!(dir.shell(&relative), (Some(0), String::new()));
}

#[test]
fn it_starts_where_memory_files_are_forbidden() {
    let dir = Scratch::with_image("start-memfd");
    let script = format!(
        "{} --pid --fork --mount-proc sh -c \
         'test ! -e /proc/sys/vm/memfd_noexec || echo 2 >/proc/sys/vm/memfd_noexec; exec ./img'",
        privileged()
    );
    assert_eq!(dir.shell(&script), (Some(0), String::new()));
    assert_eq!(
        dir.shell("test $(ls -A | wc -l) = 1"),
        (Some(0), String::new()),
        "nothing is left"
    );
}

#[test]
fn what_can_only_be_read_is_run() {
    let dir = Scratch::with_image("start-readonly");
    let before = fs::read(dir.0.join("img")).unwrap();
    assert_eq!(dir.shell("PLAN_READONLY=1 ./img"), (Some(0), String::new()));
    let mounted = format!(
        "{} --mount sh -c 'mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && ./img'",
        privileged()
    );
    assert_eq!(dir.shell(&mounted), (Some(0), String::new()));
    // Root may write whatever the permissions say.
    let other = "chmod 555 img; if [ $(id -u) = 0 ]; \
                 then setpriv --reuid=65534 --clear-groups ./img; else ./img; fi";
    assert_eq!(dir.shell(other), (Some(0), String::new()));
    assert!(
        fs::read(dir.0.join("img")).unwrap() == before,
        "nothing was written"
    );
}

#[test]
fn a_removed_file_is_refused_unless_nothing_is_to_be_written() {
    let dir = Scratch::with_image("start-removed");
    let script = "cp img gone; exec 5<gone; rm gone; /proc/self/fd/5; echo $? >&2";
    let (_, error) = dir.shell(script);
    assert!(
        error.starts_with("plan: image ") && error.contains("was removed"),
        "{error}"
    );
    assert!(error.ends_with("\n4\n"), "{error}");
    let script = "cp img gone; exec 5<gone; rm gone; PLAN_READONLY=1 /proc/self/fd/5";
    assert_eq!(dir.shell(script), (Some(0), String::new()));
}

#[test]
fn descriptor_3_is_left_alone() {
    let dir = Scratch::with_image("start-fd3");
    image::make_image(&dir.0.join("other"));
    let before = fs::read(dir.0.join("other")).unwrap();
    assert_eq!(
        dir.shell("exec 3<>other; ./img && ./img"),
        (Some(0), String::new())
    );
    assert!(fs::read(dir.0.join("other")).unwrap() == before);
}

#[test]
fn a_file_in_use_is_refused_at_once() {
    let dir = Scratch::with_image("start-locked");
    let path = dir.0.join("img");
    let path = path.as_os_str().as_bytes();
    let reader = plan::os::file::open_read(path).unwrap();
    durable::lock(reader.fd(), false).unwrap();
    let (status, error) = dir.shell("./img");
    assert!(
        status == Some(4) && is_one_line(&error, "in use"),
        "{status:?} {error}"
    );
    assert_eq!(dir.shell("PLAN_READONLY=1 ./img"), (Some(0), String::new()));
    drop(reader);
    let_go(&dir.0.join("img"));
    assert_eq!(dir.shell("./img"), (Some(0), String::new()));
    // The kernel itself refuses to execute what somebody writes: 126 of the shell.
    let writer = open_both(path).unwrap();
    assert_eq!(dir.shell("./img 2>/dev/null").0, Some(126));
    drop(writer);
}

#[test]
fn simultaneous_starts_run_or_are_refused() {
    let dir = Scratch::with_image("start-many");
    let run = || {
        for _ in 0..60 {
            let (status, error) = dir.shell("./img");
            let refused = status == Some(4) && is_one_line(&error, "in use");
            let fine = status == Some(0) && error.is_empty();
            // 126: the kernel does not execute what another one has open for writing.
            assert!(fine || refused || status == Some(126), "{status:?} {error}");
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(run);
        }
    });
    assert_eq!(dir.shell("./img"), (Some(0), String::new()));
}

#[test]
fn what_the_system_refuses_is_one_line() {
    let dir = Scratch::with_image("start-limits");
    for (limit, part) in [
        ("ulimit -n 4", "too many open files"),
        ("ulimit -f 0", "file too large"),
        ("ulimit -v 3000", "cannot start"),
    ] {
        let (status, error) = dir.shell(&format!("{limit}; exec ./img"));
        assert!(
            status == Some(70) && is_one_line(&error, "cannot start"),
            "{limit}: {status:?} {error}"
        );
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(
        dir.shell("ulimit -n 8; exec ./img"),
        (Some(0), String::new())
    );
}

#[test]
fn the_tool_with_something_behind_it_is_the_tool() {
    let dir = Scratch::with_image("start-tool");
    let tool = plan_path();
    let script = format!(
        "cp '{}' tool && head -c 20000 /dev/zero >>tool && ./tool --version",
        tool.display()
    );
    assert_eq!(dir.shell(&script), (Some(0), String::new()));
}
