//! `plan image …` and `plan boot`: what they print, write and refuse (chapter 05 §5.7 to §5.9).

mod support;

use plan::heap::store::Root;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use support::images::{self, Pins, smallest_elf};
use support::process::{self, binary, names};
use support::{End, Outcome, Plan, scratch_dir};

fn run(dir: &Path, args: &[&str]) -> Outcome {
    Plan::new(args.to_vec()).dir(dir).run()
}

#[track_caller]
fn ends(got: &Outcome, stdout: &str, stderr: &str, status: i32) {
    assert_eq!(
        (got.out().as_str(), got.err().as_str(), got.end),
        (stdout, stderr, End::Status(status))
    );
}

/// A directory with the image `img`: three generations, behind the smallest executable.
fn small() -> (PathBuf, PathBuf) {
    let dir = scratch_dir("image");
    let path = dir.join("img");
    let mut pins = Pins::default();
    let big = pins.row(1, 1000, &[]);
    let inner = pins.row(2, 0, &[]);
    let outer = pins.row(3, 2, &[inner, big]);
    let last = pins.row(4, 1, &[inner]);
    let roots = [outer, last, outer].map(Root::Pin);
    images::write(&path, &smallest_elf(), &mut pins, &roots);
    (dir, path)
}

/// Changes the file, whose bytes are given to `change`.
fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("the image");
    change(&mut bytes);
    fs::write(path, bytes).expect("the image");
}

/// What must not change where nothing is written.
fn state(path: &Path) -> (Vec<u8>, i64, i64) {
    let stat = fs::metadata(path).expect("the image");
    let bytes = fs::read(path).expect("the image");
    (bytes, stat.mtime(), stat.mtime_nsec())
}

/// Where page 0 of the images of [`small`] is.
const DATA: usize = 4096 + 8192;

const SMALL: &str = "\
format:      1
runtime:     unknown
writer:      plan for tests
sequence:    3
previous:    2
file:        32768 bytes
executable:  64 bytes
region:      28672 bytes
live:        20480 bytes
free:        0 bytes
retired:     0 bytes
settled:     yes
root:        pin
pins:        4
stored:      8488 bytes
largest:     bytes 8104: root/1
             bytes 160: root
             bytes 88: root/0
damage:      none
value:       [3 n66(3.0000000000000003) #[2] #[1 n63937(1.000000000000...
";

#[test]
fn info_says_what_an_image_holds() {
    let (dir, path) = small();
    let before = state(&path);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).expect("permissions");
    ends(&run(&dir, &["image", "info", "img"]), SMALL, "", 0);
    let got = run(&dir, &["image", "info", "--json", "img"]);
    let expected = r#"{
  "format": 1,
  "runtime": "unknown",
  "writer": "plan for tests",
  "sequence": 3,
  "previous": 2,
  "file": 32768,
  "executable": 64,
  "region": 28672,
  "live": 20480,
  "free": 0,
  "retired": 0,
  "settled": true,
  "root": "pin",
  "pins": 4,
  "stored": 8488,
  "largest": [
    {"bytes": 8104, "what": "root/1"},
    {"bytes": 160, "what": "root"},
    {"bytes": 88, "what": "root/0"}
  ],
  "damage": [],
  "value": "[3 n66(3.0000000000000003) #[2] #[1 n63937(1.000000000000..."
}
"#;
    ends(&got, expected, "", 0);
    // The beginning of both is what needs no walk.
    let (quick, _) = SMALL.split_once("pins:").expect("a line");
    let got = run(&dir, &["image", "info", "--quick", "img"]);
    ends(&got, quick, "", 0);
    let (quick, _) = expected.split_once(",\n  \"pins\"").expect("a line");
    let got = run(&dir, &["image", "info", "--quick", "--json", "img"]);
    ends(&got, &format!("{quick}\n}}\n"), "", 0);
    assert!(state(&path) == before, "written");
}

#[test]
fn info_names_the_runtime_inside_and_the_writer_of_the_last_commit() {
    let (dir, _) = small();
    assert_eq!(run(&dir, &["image", "upgrade", "img"]).end, End::Status(0));
    let got = run(&dir, &["image", "info", "--quick", "img"]).out();
    let version = concat!("plan ", env!("CARGO_PKG_VERSION"));
    let names = format!("runtime:     {version}\nwriter:      plan for tests\n");
    assert!(got.contains(&names), "{got}");
}

#[test]
fn a_sound_image_passes_the_scrub_silently() {
    let (dir, path) = small();
    let before = state(&path);
    ends(&run(&dir, &["image", "scrub", "img"]), "", "", 0);
    let got = run(&dir, &["image", "scrub", "img", "--json"]);
    ends(&got, "{\n  \"pins\": 4,\n  \"damage\": []\n}\n", "", 0);
    assert!(state(&path) == before, "written");
}

#[test]
fn a_scrub_says_where_the_damage_is() {
    let (dir, path) = small();
    // In the middle of the large pin, the second one of the first and third root.
    damage(&path, |bytes| bytes[DATA + 4096 * 2 + 2000] ^= 1);
    let got = run(&dir, &["image", "scrub", "img"]);
    let line = "plan: image scrub: img: damaged in 1 place (use a copy, if there is one)\n";
    let listed = "damage:      sequence 3: root/1: a checksum does not match\n";
    ends(&got, listed, line, 4);
    let got = run(&dir, &["image", "info", "img"]);
    assert_eq!(got.end, End::Status(4));
    assert!(got.out().ends_with(listed), "{}", got.out());
    let got = run(&dir, &["image", "scrub", "--json", "img"]);
    let listed = "[\n    {\"sequence\": 3, \"what\": \"root/1: a checksum does not match\"}\n  ]";
    assert!(got.out().contains(listed), "{}", got.out());
    let line = "plan: image collect: img: a checksum does not match \
                (use a copy, if there is one)\n";
    let before = state(&path);
    ends(&run(&dir, &["image", "collect", "img"]), "", line, 4);
    assert!(state(&path) == before, "written");
}

#[test]
fn a_newest_generation_that_is_damaged_is_reported_and_passed_over() {
    let (dir, path) = small();
    // The superblock of the third commit is in the first slot.
    damage(&path, |bytes| bytes[4096 + 70] ^= 1);
    let got = run(&dir, &["image", "info", "img"]);
    assert!(got.out().contains("sequence:    2\n"), "{}", got.out());
    let skipped = "skipped:     the superblock is damaged\n";
    assert!(got.out().contains(skipped), "{}", got.out());
    assert!(got.out().contains("settled:     no\n"), "{}", got.out());
    assert_eq!(got.end, End::Status(4));
}

#[test]
fn an_image_that_cannot_be_used_is_status_4() {
    type Case = (&'static str, fn(&mut Vec<u8>));
    let cases: [Case; 4] = [
        ("the superblock is damaged", |bytes| {
            bytes[4096..DATA].fill(7);
        }),
        ("the superblock is damaged", |bytes| {
            bytes[4096..DATA].fill(0);
        }),
        ("the file is too short", |bytes| bytes.truncate(DATA + 4096)),
        ("the superblock is damaged", |bytes| bytes.truncate(4097)),
    ];
    for (why, change) in cases {
        let (dir, path) = small();
        damage(&path, change);
        for command in ["info", "scrub", "collect", "upgrade"] {
            let before = state(&path);
            let line = format!("plan: image {command}: img: {why} (use a copy, if there is one)\n");
            ends(&run(&dir, &["image", command, "img"]), "", &line, 4);
            assert!(state(&path) == before, "written");
        }
    }
}

#[test]
fn an_unknown_format_is_refused() {
    let (dir, path) = small();
    damage(&path, |bytes| {
        let slot = &mut bytes[4096..8192];
        slot[72] = 9;
        let sum = plan::heap::store::crc::bytes(&slot[..256]);
        slot[256..260].copy_from_slice(&sum.to_le_bytes());
    });
    for command in ["info", "scrub", "collect", "upgrade"] {
        let before = state(&path);
        let line =
            format!("plan: image {command}: img: format version 9 is unknown (use a newer plan)\n");
        ends(&run(&dir, &["image", command, "img"]), "", &line, 4);
        assert!(state(&path) == before, "written");
    }
}

#[test]
fn a_file_that_is_no_image_is_status_3() {
    let dir = scratch_dir("image");
    fs::write(dir.join("text"), "no image").expect("a file");
    fs::write(dir.join("empty"), "").expect("a file");
    fs::write(dir.join("elf"), smallest_elf()).expect("a file");
    fs::copy(binary(), dir.join("tool")).expect("a copy");
    for command in ["info", "scrub", "collect", "upgrade"] {
        for file in ["text", "empty", "elf", "tool"] {
            let line = format!(
                "plan: image {command}: {file}: no image (an image is made by plan boot or plan \
                 build)\n"
            );
            ends(&run(&dir, &["image", command, file]), "", &line, 3);
        }
        let line = format!(
            "plan: image {command}: x: cannot open: no such file or directory (check the path)\n"
        );
        ends(&run(&dir, &["image", command, "x"]), "", &line, 3);
    }
    let line = "plan: image info: .: no image (an image is made by plan boot or plan build)\n";
    ends(&run(&dir, &["image", "info", "."]), "", line, 3);
}

#[test]
fn an_image_in_use_is_refused() {
    let (dir, path) = small();
    let used = images::with_file(&path, |storage| storage);
    let before = state(&path);
    for command in ["info", "scrub", "collect", "upgrade"] {
        let line =
            format!("plan: image {command}: img: in use by another process (end it first)\n");
        ends(&run(&dir, &["image", command, "img"]), "", &line, 4);
    }
    assert!(state(&path) == before, "written");
    drop(used);
    images::let_go(&path);
    ends(&run(&dir, &["image", "scrub", "img"]), "", "", 0);
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let dir = scratch_dir("image");
    let cases: [(&str, &str); 13] = [
        (
            "image scrub --quick a",
            "image scrub: unknown option: --quick (try plan image scrub --help)",
        ),
        (
            "image",
            "image: no subcommand given (try plan image --help)",
        ),
        ("image x", "image: unexpected x (try plan image --help)"),
        (
            "image info",
            "image info: no image given (try plan image info --help)",
        ),
        (
            "image info a b",
            "image info: unexpected b (try plan image info --help)",
        ),
        (
            "image scrub -x a",
            "image scrub: unknown option: -x (try plan image scrub --help)",
        ),
        (
            "image upgrade --json a",
            "image upgrade: unknown option: --json (try plan image upgrade --help)",
        ),
        (
            "image export a",
            "image export: no output file given (try plan image export --help)",
        ),
        ("boot", "boot: no seed file given (try plan boot --help)"),
        (
            "boot a",
            "boot: no output file given (try plan boot --help)",
        ),
        ("boot a b c", "boot: unexpected c (try plan boot --help)"),
        (
            "boot -x a",
            "boot: unknown option: -x (try plan boot --help)",
        ),
        (
            "build a.wisp",
            "build: no output file (-o OUT) given (try plan build --help)",
        ),
    ];
    for (args, message) in cases {
        let words: Vec<&str> = args.split(' ').collect();
        ends(&run(&dir, &words), "", &format!("plan: {message}\n"), 2);
    }
}

#[test]
fn an_upgrade_puts_another_runtime_under_the_same_region() {
    let (dir, path) = small();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o751)).expect("permissions");
    let old = fs::read(&path).expect("the image");
    let said = "img has this runtime now; as it was: img.before-upgrade\n";
    ends(&run(&dir, &["image", "upgrade", "img"]), said, "", 0);
    let runtime = fs::read(binary()).expect("the runtime");
    let new = fs::read(&path).expect("the image");
    let region = runtime.len().next_multiple_of(4096);
    let other = new.iter().zip(&runtime).filter(|(a, b)| a != b).count();
    assert!((1..=8).contains(&other), "{other} bytes beside the marker");
    assert!(new[region..] == old[4096..], "another region");
    let stat = fs::metadata(&path).expect("the image");
    assert_eq!(stat.permissions().mode() & 0o7777, 0o751);
    let kept = dir.join("img.before-upgrade");
    assert!(fs::read(&kept).expect("the old image") == old);
    ends(&run(&dir, &["image", "scrub", "img"]), "", "", 0);
    // Once more: there is nothing to do, and the way back stays.
    let before = state(&path);
    let said = "img has this runtime already\n";
    ends(&run(&dir, &["image", "upgrade", "img"]), said, "", 0);
    assert!(state(&path) == before, "written");
    fs::rename(&kept, &path).expect("the way back");
    assert!(fs::read(&path).expect("the image") == old);
    let files = fs::read_dir(&dir).expect("the directory");
    assert_eq!(files.count(), 1, "nothing is left behind");
}

#[test]
fn an_upgrade_keeps_holes() {
    let (dir, path) = small();
    let length = {
        let file = fs::File::options().write(true).open(&path);
        let file = file.expect("the image");
        let length = file.metadata().expect("the image").len() + (64 << 20);
        file.set_len(length).expect("space");
        length
    };
    assert_eq!(run(&dir, &["image", "upgrade", "img"]).end, End::Status(0));
    let runtime = fs::metadata(binary()).expect("the runtime").len();
    let stat = fs::metadata(&path).expect("the image");
    assert_eq!(stat.len(), length - 4096 + runtime.next_multiple_of(4096));
    assert!(stat.blocks() * 512 < 4 << 20, "{} blocks", stat.blocks());
    ends(&run(&dir, &["image", "scrub", "img"]), "", "", 0);
}

#[test]
fn an_upgrade_that_could_lose_something_is_refused() {
    let (dir, path) = small();
    let before = state(&path);
    fs::write(dir.join("img.before-upgrade"), "precious").expect("a file");
    let line = "plan: image upgrade: img: img.before-upgrade is there from an earlier upgrade \
                (remove it, or move it back)\n";
    ends(&run(&dir, &["image", "upgrade", "img"]), "", line, 3);
    std::os::unix::fs::symlink("img", dir.join("link")).expect("a link");
    let got = run(&dir, &["image", "upgrade", "link"]);
    let line =
        "plan: image upgrade: link: is a symbolic link (give the path of the image itself)\n";
    ends(&got, "", line, 3);
    assert!(state(&path) == before, "written");
    // What a crash between the last two steps leaves: the other name is there already.
    fs::remove_file(dir.join("img.before-upgrade")).expect("a file");
    fs::hard_link(&path, dir.join("img.before-upgrade")).expect("a link");
    assert_eq!(run(&dir, &["image", "upgrade", "img"]).end, End::Status(0));
}

#[test]
fn a_collection_gives_back_what_nothing_reaches() {
    let dir = scratch_dir("image");
    let path = dir.join("img");
    let mut pins = Pins::default();
    let big = pins.row(1, 2000, &[]);
    let small = pins.row(2, 1, &[]);
    let last = pins.row(3, 1, &[]);
    images::write(&path, &smallest_elf(), &mut pins, &[Root::Pin(big)]);
    let blocks = fs::metadata(&path).expect("the image").blocks();
    images::append(&path, &mut pins, &[small, last].map(Root::Pin));
    let got = run(&dir, &["image", "collect", "img"]);
    let freed = "freed:       20480 bytes\nfree:        20480 bytes\nlive:        8192 bytes\n";
    ends(&got, freed, "", 0);
    assert!(fs::metadata(&path).expect("the image").blocks() < blocks);
    ends(&run(&dir, &["image", "scrub", "img"]), "", "", 0);
    let before = state(&path);
    let got = run(&dir, &["image", "collect", "--json", "img"]);
    assert!(
        got.out().starts_with("{\n  \"freed\": 0,\n"),
        "{}",
        got.out()
    );
    assert!(state(&path) == before, "written");
}

/// A directory with the program `a.wisp`, its seed `a.seed` and what both print.
fn program() -> PathBuf {
    let dir = scratch_dir("image");
    let text = "(require \"std\")\n(defun (main args) (Add 2 (Sz args)))\n";
    fs::write(dir.join("a.wisp"), text).expect("a file");
    let save = ["seed", "save", "a.wisp", "-o", "a.seed"];
    ends(&run(&dir, &save), "", "", 0);
    dir
}

#[test]
fn a_seed_becomes_an_executable_with_a_region() {
    let dir = program();
    ends(&run(&dir, &["boot", "a.seed", "one"]), "", "", 0);
    ends(&run(&dir, &["boot", "--", "a.seed", "two"]), "", "", 0);
    let one = fs::read(dir.join("one")).expect("the image");
    assert!(one == fs::read(dir.join("two")).expect("the image"));
    assert_eq!(names(&dir), ["a.seed", "a.wisp", "one", "two"]);
    let mode = fs::metadata(dir.join("one"))
        .expect("the image")
        .permissions();
    assert_eq!(mode.mode() & 0o7700, 0o700);
    ends(&run(&dir, &["image", "scrub", "one"]), "", "", 0);
    let got = run(&dir, &["image", "info", "one"]);
    assert!(got.out().contains("sequence:    1\nprevious:    none\n"));
    assert!(got.out().contains("settled:     yes\n"), "{}", got.out());
    let build = ["build", "a.wisp", "-o", "three"];
    ends(&run(&dir, &build), "", "", 0);
    assert!(one == fs::read(dir.join("three")).expect("the image"));
}

#[test]
fn a_seed_that_is_none_leaves_no_image() {
    let dir = program();
    fs::write(dir.join("bad.seed"), "no seed").expect("a file");
    fs::write(dir.join("old"), "precious").expect("a file");
    let before = names(&dir);
    for out in ["new", "old"] {
        let got = run(&dir, &["boot", "x.seed", out]);
        let why = "cannot open: no such file or directory (bit 0)\n";
        assert!(got.err().ends_with(why), "{}", got.err());
        assert_eq!(got.end, End::Status(3));
        let got = run(&dir, &["boot", "bad.seed", out]);
        assert_eq!(got.end, End::Status(3));
        assert!(
            got.err().starts_with("plan: seed bad.seed: E_"),
            "{}",
            got.err()
        );
        let got = run(&dir, &["boot", "a.wisp", out]);
        let help = " (a Wisp program: plan build FILE -o OUT)\n";
        assert!(got.err().ends_with(help), "{}", got.err());
        assert_eq!(got.end, End::Status(3));
    }
    assert_eq!(names(&dir), before);
    assert_eq!(fs::read(dir.join("old")).expect("a file"), b"precious");
}

#[test]
fn an_image_is_replaced_even_while_it_is_used() {
    let dir = program();
    ends(&run(&dir, &["boot", "a.seed", "img"]), "", "", 0);
    let path = dir.join("img");
    let used = images::with_file(&path, |storage| storage);
    let before = fs::metadata(&path).expect("the image").ino();
    let build = ["build", "a.wisp", "-o", "img", "-e", "7"];
    let warning = "plan: warning: a.wisp: the expression is no function: it does nothing \
                   (a program is a function of one argument)\n";
    ends(&run(&dir, &build), "", warning, 0);
    assert_ne!(fs::metadata(&path).expect("the image").ino(), before);
    let got = run(&dir, &["image", "info", "img"]);
    assert!(
        got.out().contains("root:        natural\n"),
        "{}",
        got.out()
    );
    drop(used);
}

#[test]
fn what_cannot_be_replaced_is_refused() {
    let dir = program();
    fs::create_dir(dir.join("sub")).expect("a directory");
    let cases = [
        ("sub", "is a directory (name another file)"),
        ("/dev/null", "not a regular file (name another file)"),
        (
            "no/where",
            "cannot create: no such file or directory (check the path)",
        ),
        (
            "a.seed/x",
            "cannot create: not a directory (check the path)",
        ),
    ];
    let before = names(&dir);
    for (out, why) in cases {
        let line = format!("plan: boot: {out}: {why}\n");
        ends(&run(&dir, &["boot", "a.seed", out]), "", &line, 3);
        let line = format!("plan: build: {out}: {why}\n");
        ends(&run(&dir, &["build", "a.wisp", "-o", out]), "", &line, 3);
    }
    assert_eq!(names(&dir), before);
}

#[test]
fn an_image_that_does_not_fit_leaves_nothing() {
    let dir = program();
    fs::write(dir.join("old"), "precious").expect("a file");
    let before = names(&dir);
    // The limit in blocks of 512 or 1024 bytes, depending on the shell: within the executable.
    let script = "trap '' XFSZ; ulimit -f 300; exec \"$0\" boot a.seed old";
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", script]).arg(binary()).current_dir(&dir);
    let got = process::output(&mut command).expect("a shell");
    let line = "plan: boot: old: cannot write: file too large (raise ulimit -f)\n";
    assert_eq!(String::from_utf8_lossy(&got.stderr), line);
    assert_eq!(got.status.code(), Some(3));
    assert_eq!(names(&dir), before);
    assert_eq!(fs::read(dir.join("old")).expect("a file"), b"precious");
}

#[test]
fn a_program_that_cannot_be_built_leaves_nothing() {
    let dir = scratch_dir("image");
    fs::write(dir.join("a.wisp"), "(def mian 1)\n").expect("a file");
    let got = run(&dir, &["build", "a.wisp", "-o", "img"]);
    let line = "plan: a.wisp: not built: main is not defined (did you mean mian? define it, or \
                name another with --entry)\n";
    ends(&got, "", line, 1);
    let both = ["build", "a.wisp", "-o", "img", "--entry", "x", "-e", "1"];
    let line = "plan: build: --entry and -e exclude each other (try plan build --help)\n";
    ends(&run(&dir, &both), "", line, 2);
    let throws = ["build", "a.wisp", "-o", "img", "-e", "(law (f x) (f x))"];
    ends(&run(&dir, &throws), "", "", 0);
    assert_eq!(names(&dir), ["a.wisp", "img"]);
}

#[test]
fn an_image_reaches_the_runtime_by_a_variable() {
    let dir = program();
    ends(&run(&dir, &["boot", "a.seed", "img"]), "", "", 0);
    let path = dir.join("img");
    let ask = |command: &str| {
        let mut image = std::process::Command::new(&path);
        image.env("PLANCMD", command).args(["image", "--help"]);
        let got = process::output(&mut image).expect("the image");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&got.stdout), text(&got.stderr), got.status.code())
    };
    let shown = run(&dir, &["image", "info", "img"]).out();
    assert_eq!(ask("info"), (shown, String::new(), Some(0)));
    assert_eq!(ask("scrub"), (String::new(), String::new(), Some(0)));
    let (out, err, status) = ask("collect");
    assert!(out.starts_with("freed:       0 bytes\n"), "{out}");
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let licence = "PLAN runtime, version 0.1.0\n\
                   MIT license, copyright (c) the PLAN runtime authors\n";
    assert_eq!(ask("license"), (String::new(), licence.into(), Some(0)));
    for name in ["x", "upgrade", "export"] {
        let line =
            format!("plan: PLANCMD={name}: not known (use info, scrub, collect or license)\n");
        assert_eq!(ask(name), (String::new(), line, Some(2)));
    }
}
