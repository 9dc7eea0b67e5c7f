//! Starting an image: it finds and opens its own file, wherever it is and whatever is forbidden.
//!
//! Promises:
//! - it starts by any path, under any name, with and without `/proc`, with memory files forbidden;
//! - a file that can only be read is run; one that was removed or is in use is refused, status 4;
//! - descriptors of the user are not touched, and none of ours is left below 512;
//! - what the system refuses is one line and status 70;
//! - all this whether the process executes its stub or may become it (`asm/stub.s`).

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

/// Words that start a command as one who may do all that, but not change what a process executes.
const WITHOUT: &str = "setpriv --inh-caps=-all --bounding-set=-sys_admin,-checkpoint_restore";

/// Both ways to start an image (`asm/stub.s`): the words before a command, with which the process
/// may change what it executes, and with which it has to execute the stub.
fn ways() -> [String; 2] {
    [
        privileged().to_owned(),
        format!("{} {WITHOUT}", privileged()),
    ]
}

/// What a shell does in the directory, once for each way to start an image: the same.
fn both(dir: &Scratch, script: &str) -> (Option<i32>, String) {
    fs::write(dir.0.join("script"), script).expect("the directory is ours");
    let [one, two] = ways().map(|way| dir.shell(&format!("exec {way} sh ./script")));
    assert_eq!(one, two, "{script}");
    one
}

#[test]
fn it_starts_by_any_path_and_name() {
    let dir = Scratch::with_image("start-paths");
    let started = (Some(0), String::new());
    for script in [
        "./img",
        "\"$PWD/img\" with 'some arguments' --help",
        "mkdir -p sub && cd sub && ../img",
        "ln -sf img link && ./link",
        "PATH=$PWD:$PATH; cd / && img",
        "bash -c 'exec -a other ./img'",
        "exec 0<&- 1>&- 2>&-; ./img",
        "cp img 'a name\twith blanks' && ./a*",
    ] {
        assert_eq!(both(&dir, script), started, "{script}");
    }
    let deep = format!(
        "mkdir -p {0} && cp img {0}/ && {0}/img",
        "long/".repeat(500)
    );
    assert_eq!(both(&dir, &deep), started, "a path of 2500 bytes");
}

#[test]
fn it_starts_without_proc() {
    let dir = Scratch::with_image("start-chroot");
    let script = "mkdir -p root/bin && cp img root/bin/ && unshare --root=root /bin/img";
    assert_eq!(both(&dir, script), (Some(0), String::new()));
    let relative = "unshare --root=root --wd=/bin ./img";
    assert_eq!(both(&dir, relative), (Some(0), String::new()));
}

/// Says what its process looks like, and waits for a line; commits how often it ran.
const LOOKS: &str = "(require \"std\")
(defun (run n args)
  [(Inc n)
   (do (print-line (read-file \"/proc/self/cmdline\"))
       (print-line (read-file \"/proc/self/environ\"))
       (print-line (read-file \"/proc/self/comm\"))
       (print-line (showNat n))
       (read-line 0))])
(define main (stateful run 0))";

/// Starts that, looks at it from outside while it runs, and tries what must not disturb it.
const LOOK: &str = "exec >&2
rm -f in out; mkfifo in out
env -i A=1 'B=2 3' ./looks x '' 'y z' <in >out 2>&1 &
exec 7>in 8<out
head -n 5 <&8 | tr '\\0' ,
readlink /proc/$!/exe
usual=$(sh -c 'ls /proc/$$/fd; :')
echo low $(ls /proc/$!/fd | grep -vxF \"$usual\" | while read n; do test $n -ge 512 || echo $n; done)
./looks 2>/dev/null; echo start $?
PLAN_READONLY=1 ./looks 2>/dev/null; echo read $?
\"$PLAN\" image upgrade looks; echo upgrade $?
# Bits 21 and 40: whoever has one of them is not to be made to execute the stub. Its entry is 4fe...
echo may $((0x$(sed -n 's/CapEff:.//p' /proc/$$/status) >> 21 & 0x80001))
od -An -v -tx8 -w16 /proc/$!/auxv | sed -n 's/^ 0*9 0*\\(...\\).*/entry \\1/p'
exec 7>&-
wait $!; echo end $?";

#[test]
fn whether_it_executes_the_stub_or_becomes_it_is_all_the_same() {
    let dir = Scratch::with_image("start-looks");
    fs::write(dir.0.join("looks.wisp"), LOOKS).unwrap();
    let build = format!("'{}' build looks.wisp -o looks", plan_path().display());
    assert_eq!(dir.shell(&build), (Some(0), String::new()));
    fs::write(dir.0.join("look"), LOOK).unwrap();
    for (n, way) in ways().iter().chain(&ways()).enumerate() {
        let script = format!("PLAN='{}' exec {way} sh ./look", plan_path().display());
        let (status, said) = dir.shell(&script);
        let (same, differs) = said.split_once("may ").unwrap_or_default();
        let wanted = format!(
            "./looks,x,,y z\nA=1,B=2 3\nlooks\n\n{n}\n/memfd:plan (deleted)\nlow\nstart 126\nread 126\n\
             plan: image upgrade: looks: in use by another process (end it first)\nupgrade 4\n"
        );
        assert_eq!((status, same), (Some(0), &*wanted), "{way}: {said}");
        let entry = if differs.starts_with("0\n") {
            "4fe"
        } else {
            "400"
        };
        assert!(
            differs.ends_with(&format!("entry {entry}\nend 0\n")),
            "{said}"
        );
        assert!(n % 2 == 0 || entry == "4fe", "{WITHOUT}: {said}");
    }
}

/// Then the path that the kernel gives is that of the script, which is not the own file. Numbers of
/// descriptors with two digits are found, too.
#[test]
fn it_starts_as_the_interpreter_of_a_script() {
    let dir = Scratch::with_image("start-script");
    let started = (Some(0), String::new());
    let make = "printf '#!%s/img\\n' \"$PWD\" >script-1; chmod +x script-1";
    assert_eq!(both(&dir, &format!("{make}; ./script-1")), started);
    let open = "exec 3</ 4</ 5</ 6</ 7</ 8</ 9</";
    assert_eq!(both(&dir, &format!("{make}; {open}; ./script-1")), started);
    // Without /proc nobody knows where the own file is, and no other one is taken for it.
    let script = "mkdir -p root/bin; cp img root/bin/; printf '#!/bin/img\\n' >root/bin/s;
chmod +x root/bin/s; exec unshare --root=root /bin/s";
    let (status, error) = both(&dir, script);
    assert!(
        status == Some(4) && is_one_line(&error, "cannot find the own file"),
        "{status:?} {error}"
    );
}

#[test]
fn it_starts_where_memory_files_are_forbidden() {
    let dir = Scratch::with_image("start-memfd");
    for with in ["", WITHOUT] {
        let script = format!(
            "{} --pid --fork --mount-proc sh -c \
             'test ! -e /proc/sys/vm/memfd_noexec || \
             (echo 2 >/proc/sys/vm/memfd_noexec) 2>/dev/null || exit 77; exec {with} ./img'",
            privileged()
        );
        let got = dir.shell(&script);
        if got.0 == Some(77) {
            println!("nobody lets us forbid memory files: not tested");
            return;
        }
        assert_eq!(got, (Some(0), String::new()), "{with}");
    }
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
    let read_only = both(&dir, "PLAN_READONLY=1 ./img");
    assert_eq!(read_only, (Some(0), String::new()));
    for with in ["", WITHOUT] {
        let mounted = format!(
            "{} --mount sh -c 'mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && \
             exec {with} ./img'",
            privileged()
        );
        assert_eq!(dir.shell(&mounted), (Some(0), String::new()), "{with}");
    }
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
    let (_, error) = both(&dir, script);
    assert!(
        error.starts_with("plan: image ") && error.contains("was removed"),
        "{error}"
    );
    assert!(error.ends_with("\n4\n"), "{error}");
    let script = "cp img gone; exec 5<gone; rm gone; PLAN_READONLY=1 /proc/self/fd/5";
    assert_eq!(both(&dir, script), (Some(0), String::new()));
}

#[test]
fn descriptor_3_is_left_alone() {
    let dir = Scratch::with_image("start-fd3");
    image::make_image(&dir.0.join("other"));
    // An image that could be taken for the own file without anybody noticing, and what is none.
    fs::write(dir.0.join("text"), "precious").unwrap();
    for other in ["other", "text"] {
        let before = fs::read(dir.0.join(other)).unwrap();
        let script = format!("exec 3<>{other}; ./img && ./img");
        assert_eq!(both(&dir, &script), (Some(0), String::new()));
        assert!(fs::read(dir.0.join(other)).unwrap() == before);
    }
}

#[test]
fn a_file_in_use_is_refused_at_once() {
    let dir = Scratch::with_image("start-locked");
    let path = dir.0.join("img");
    let path = path.as_os_str().as_bytes();
    let reader = plan::os::file::open_read(path).unwrap();
    durable::lock(reader.fd(), false).unwrap();
    let (status, error) = both(&dir, "./img");
    assert!(
        status == Some(4) && is_one_line(&error, "in use"),
        "{status:?} {error}"
    );
    let read_only = both(&dir, "PLAN_READONLY=1 ./img");
    assert_eq!(read_only, (Some(0), String::new()));
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
    let run = |way: &str| {
        for _ in 0..60 {
            let (status, error) = dir.shell(&format!("exec {way} ./img"));
            let refused = status == Some(4) && is_one_line(&error, "in use");
            let fine = status == Some(0) && error.is_empty();
            // 126: the kernel does not execute what another one has open for writing, says who
            // should have executed it.
            assert!(fine || refused || status == Some(126), "{status:?} {error}");
        }
    };
    let ways = ways();
    thread::scope(|scope| {
        for way in ways.iter().chain(&ways) {
            scope.spawn(|| run(way));
        }
    });
    assert_eq!(dir.shell("./img"), (Some(0), String::new()));
}

#[test]
fn what_the_system_refuses_is_one_line() {
    let dir = Scratch::with_image("start-limits");
    for (limit, part) in [
        ("ulimit -n 4", "too many open files"),
        ("ulimit -v 3000", "cannot start"),
    ] {
        let (status, error) = both(&dir, &format!("{limit}; exec ./img"));
        assert!(
            status == Some(70) && is_one_line(&error, "cannot start"),
            "{limit}: {status:?} {error}"
        );
        assert!(error.contains(part), "{error}");
    }
    // Only a stub that is to be executed has to be written.
    let script = format!("ulimit -f 0; exec {} ./img", ways()[1]);
    let (status, error) = dir.shell(&script);
    assert!(
        status == Some(70) && is_one_line(&error, "cannot start: no memory file"),
        "{status:?} {error}"
    );
    assert!(error.contains("file too large"), "{error}");
    assert_eq!(
        both(&dir, "ulimit -n 8; exec ./img"),
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
