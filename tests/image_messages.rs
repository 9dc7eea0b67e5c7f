//! What the commands on images say when they fail: one line `plan: what failed: why (what to do)`, and
//! the status that belongs to it; and that reports are right whatever an image says of itself.

mod support;

use plan::heap::store::Root;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use support::images::{self, Pins, smallest_elf};
use support::json::is_json;
use support::process::{SPAWNING, binary, write_program};
use support::{End, Plan, scratch_dir};

/// Makes something unusable of the bytes of an image.
type Change = fn(&mut Vec<u8>);

/// Where the region of the images here begins.
const REGION: usize = 4096;

/// A directory with an image `img`, and the same in each of these ways: `text`, `short`, ….
fn images() -> PathBuf {
    let (dir, bytes) = images::small_over_large("messages");
    let changes: [(&str, Change); 7] = [
        ("text", |bytes| *bytes = b"no image".to_vec()),
        ("gone", |bytes| bytes.truncate(REGION)),
        ("short", |bytes| bytes.truncate(REGION + 3 * 4096)),
        ("zeros", |bytes| bytes[REGION..].fill(0)),
        ("flipped", |bytes| bytes[REGION + 4 * 4096 + 2000] ^= 1),
        ("newer", |bytes| {
            bytes[REGION + 72] = 9;
            seal(bytes);
        }),
        ("kept", |_| {}),
    ];
    for (name, change) in changes {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        fs::write(dir.join(name), bytes).expect("a file");
    }
    fs::write(dir.join("kept.before-upgrade"), "precious").expect("a file");
    fs::create_dir(dir.join("dir")).expect("a directory");
    symlink("img", dir.join("link")).expect("a link");
    dir
}

/// Makes the first superblock valid again.
fn seal(bytes: &mut [u8]) {
    let sum = plan::heap::store::crc::bytes(&bytes[REGION..REGION + 256]);
    bytes[REGION + 256..REGION + 260].copy_from_slice(&sum.to_le_bytes());
}

/// Runs a command line in a directory; it must end with this status and line.
#[track_caller]
fn says(dir: &Path, command: &str, status: i32, line: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let got = Plan::new(words).dir(dir).run();
    let line = format!("plan: {line}\n");
    assert_eq!(
        (got.err(), got.end),
        (line, End::Status(status)),
        "{command}"
    );
}

#[test]
fn what_is_no_usable_image_is_said_by_each_command() {
    let dir = images();
    let copy = "(use a copy, if there is one)";
    let none = "no image (an image is made by plan boot or plan build)";
    let cases = [
        ("text", 3, none.to_owned()),
        ("dir", 3, none.to_owned()),
        ("gone", 3, none.to_owned()),
        ("short", 4, format!("the file is too short {copy}")),
        ("zeros", 4, format!("the superblock is damaged {copy}")),
        (
            "newer",
            4,
            "format version 9 is unknown (use a newer plan)".into(),
        ),
        (
            "no",
            3,
            "cannot open: no such file or directory (check the path)".into(),
        ),
        (
            "text/x",
            3,
            "cannot open: not a directory (check the path)".into(),
        ),
    ];
    for (file, status, why) in cases {
        let commands = [
            "info",
            "info --quick",
            "info --json",
            "scrub",
            "collect",
            "upgrade",
        ];
        for command in commands.into_iter().chain(["export -o out.seed"]) {
            // What is opened for writing fails as a directory at once.
            let writes = matches!(command, "collect" | "upgrade");
            let why = match file {
                "dir" if writes => "cannot open: is a directory (check the path)",
                _ => &why,
            };
            let name = command.split(' ').next().unwrap_or_default();
            let line = format!("image {name}: {file}: {why}");
            says(&dir, &format!("image {command} {file}"), status, &line);
        }
    }
    assert!(!dir.join("out.seed").exists());
}

#[test]
fn each_other_failure_is_said() {
    let dir = images();
    let name = "(name another file)";
    let missing = "no such file or directory";
    let cases = [
        (
            "scrub flipped",
            4,
            "damaged in 1 place (use a copy, if there is one)",
        ),
        (
            "info flipped",
            4,
            "damaged in 1 place (use a copy, if there is one)",
        ),
        (
            "collect flipped",
            4,
            "a checksum does not match (use a copy, if there is one)",
        ),
        (
            "export flipped -o o",
            4,
            "a checksum does not match (use a copy, if there is one)",
        ),
        (
            "upgrade link",
            3,
            "is a symbolic link (give the path of the image itself)",
        ),
        (
            "collect link",
            3,
            "is a symbolic link (give the path of the image itself)",
        ),
        (
            "upgrade kept",
            3,
            "kept.before-upgrade is there from an earlier upgrade (remove it, or move it back)",
        ),
    ];
    for (command, status, why) in cases {
        let mut words = command.split(' ');
        let (task, file) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let line = format!("image {task}: {file}: {why}");
        says(&dir, &format!("image {command}"), status, &line);
    }
    for (target, why) in [
        ("img", format!("is what is read {name}")),
        ("dir", format!("is a directory {name}")),
        (
            "no/out",
            format!("cannot create: {missing} (check the path)"),
        ),
    ] {
        let line = format!("image export: {target}: {why}");
        says(&dir, &format!("image export img -o {target}"), 3, &line);
    }
    let seed = "seed no.seed: E_IO: cannot open: no such file or directory (bit 0)";
    says(&dir, "boot no.seed out", 3, seed);
}

#[test]
fn an_image_that_is_used_is_said() {
    let dir = images();
    let used = images::with_file(&dir.join("img"), |storage| storage);
    for task in ["info", "scrub", "collect", "upgrade", "export -o out"] {
        let name = task.split(' ').next().unwrap_or_default();
        let line = format!("image {name}: img: in use by another process (end it first)");
        says(&dir, &format!("image {task} img"), 4, &line);
    }
    drop(used);
    images::let_go(&dir.join("img"));
    assert_eq!(
        Plan::new(["image", "scrub", "img"]).dir(&dir).run().end,
        End::Status(0)
    );
}

#[test]
fn an_image_that_starts_says_the_same() {
    let dir = images();
    let program = fs::read(binary()).expect("the runtime");
    let mut bytes = program.clone();
    let region = plan::os::image::marked(&mut bytes).expect("an executable") as usize;
    let copy = "(use a copy, if there is one)";
    for (file, why) in [
        ("short", format!("the file is too short {copy}")),
        ("zeros", format!("the superblock is damaged {copy}")),
        (
            "newer",
            "format version 9 is unknown (use a newer plan)".into(),
        ),
        ("gone", format!("there is no persistence region {copy}")),
        (
            "flipped",
            format!("damaged: root/0: a checksum does not match {copy}"),
        ),
    ] {
        let data = fs::read(dir.join(file)).expect("an image");
        let mut image = bytes.clone();
        image.resize(region, 0);
        image.extend(&data[REGION..]);
        let path = dir.join("started");
        fs::remove_file(&path).unwrap_or_default();
        write_program(&path, &image);
        let started = Plan::new(["x"]).program(&path).env("PLAN_VERIFY", "1");
        let got = started.run();
        let line = format!("plan: image {}: {why}\n", path.display());
        assert_eq!((got.err(), got.end), (line, End::Status(4)), "{file}");
    }
}

#[test]
fn an_export_says_which_state_it_is_of() {
    let dir = scratch_dir("state");
    let roots = [1, 2].map(Root::Natural);
    images::write(
        &dir.join("img"),
        &smallest_elf(),
        &mut Pins::default(),
        &roots,
    );
    let mut bytes = fs::read(dir.join("img")).expect("the image");
    bytes[REGION + 4096 + 65] ^= 1;
    fs::write(dir.join("img"), bytes).expect("the image");
    let line = "image export: img: warning: the superblock is damaged \
                (the seed is the state before the last commit)";
    says(&dir, "image export img -o state.seed", 0, line);
    let got = Plan::new(["seed", "dump", "state.seed"]).dir(&dir).run();
    assert!(got.out().ends_with("\n%0 = 1\n"), "{}", got.describe());
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let dir = images();
    let line = "plan: standard output: cannot write: no space left on device \
                (what was printed is incomplete)\n";
    for task in ["info", "info --quick", "collect"] {
        let words = format!("image {task} img");
        let words: Vec<&str> = words.split(' ').collect();
        let got = Plan::new(words).dir(&dir).stdout_to("/dev/full").run();
        assert_eq!(
            (got.err().as_str(), got.end),
            (line, End::Status(3)),
            "{task}"
        );
    }
}

/// All pages are live, free or reached by the previous generation alone.
#[test]
fn the_figures_of_a_report_add_up() {
    let dir = scratch_dir("figures");
    let path = dir.join("img");
    let mut pins = Pins::default();
    let roots = [9000, 2000, 5000].map(|limbs| Root::Pin(pins.row(limbs as u64, limbs, &[])));
    images::write(&path, &smallest_elf(), &mut pins, &roots);
    assert_eq!(
        Plan::new(["image", "collect", "img"]).dir(&dir).run().end,
        End::Status(0)
    );
    let got = Plan::new(["image", "info", "--quick", "img"])
        .dir(&dir)
        .run()
        .out();
    let figure = |key: &str| -> u64 {
        let line = got
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let number = line.and_then(|line| line.trim().strip_suffix(" bytes")?.parse().ok());
        number.unwrap_or_else(|| panic!("no {key} in {got}"))
    };
    let [live, free, retired] = ["live", "free", "retired"].map(figure);
    assert!(
        live > 5000 * 8 && free > 8000 * 8 && retired > 2000 * 8,
        "{got}"
    );
    assert_eq!(live + free + retired + 8192, figure("region"), "{got}");
}

/// Who may give files away: an upgraded image keeps its owner.
#[test]
fn an_upgrade_keeps_the_owner() {
    let dir = scratch_dir("owner");
    let path = dir.join("img");
    let root = [Root::Natural(1)];
    images::write(&path, &smallest_elf(), &mut Pins::default(), &root);
    if chown(&path, Some(54321), Some(54322)).is_err() {
        return println!("not run: files cannot be given away here");
    }
    let got = Plan::new(["image", "upgrade", "img"]).dir(&dir).run();
    assert_eq!((got.err(), got.end), (String::new(), End::Status(0)));
    let now = fs::metadata(&path).expect("the image");
    assert_eq!((now.uid(), now.gid()), (54321, 54322));
}

/// A region of 256 MiB, nearly all of it a hole, in an address space of half of that.
#[test]
fn a_region_that_finds_no_addresses_is_said() {
    let dir = images();
    let mut bytes = fs::read(binary()).expect("the runtime");
    let region = plan::os::image::marked(&mut bytes).expect("an executable") as usize;
    bytes.resize(region, 0);
    let mut data = fs::read(dir.join("kept")).expect("an image");
    let pages = 1 << 16_u64;
    data[REGION + 21..REGION + 29].copy_from_slice(&(pages * 512_u64).to_le_bytes());
    let sum = plan::heap::store::crc::bytes(&data[REGION..REGION + 29]);
    data[REGION + 29..REGION + 33].copy_from_slice(&sum.to_le_bytes());
    seal(&mut data);
    bytes.extend(&data[REGION..]);
    let path = dir.join("large");
    write_program(&path, &bytes);
    let length = region as u64 + 8192 + 4096 * pages;
    let alone = SPAWNING.write();
    let file = fs::File::options().write(true).open(&path);
    file.expect("the image").set_len(length).expect("a hole");
    drop(alone);
    let got = Plan::new(["x"])
        .program(&path)
        .memory_kilobytes(1 << 17)
        .run();
    let why = "cannot map: out of memory (free memory, or raise ulimit -v)";
    let line = format!("plan: image {}: {why}\n", path.display());
    assert_eq!((got.err(), got.end), (line, End::Status(4)));
}

#[test]
fn a_report_is_lines_and_json_whatever_is_in_the_image() {
    let dir = scratch_dir("names");
    let path = dir.join("img");
    let hostile = [
        *b"\"\\\x01\x1b[7m\n\r\t\x7f\xff\xe2\x80\xa8!",
        *b"\xf0\x9f\x98\x80\xc2\x9b\",\"x\": 12,",
    ];
    let texts = [*b"a\"\\\x1b\nb\0", *b"\xc2\x9b\xff\x7f\"\r\0"];
    for (name, text) in hostile.into_iter().zip(texts) {
        let [a, b, c, d, e, f, g] = text;
        let value = Root::Natural(u64::from_le_bytes([a, b, c, d, e, f, g, 0]));
        images::write(&path, &smallest_elf(), &mut Pins::default(), &[value]);
        let mut bytes = fs::read(&path).expect("the image");
        bytes[REGION + 80..REGION + 96].copy_from_slice(&name);
        seal(&mut bytes);
        fs::write(&path, bytes).expect("the image");
        let info = |options: &[&str]| {
            let words = [&["image", "info"][..], options, &["img"]].concat();
            let got = Plan::new(words).dir(&dir).run();
            assert_eq!((got.err(), got.end), (String::new(), End::Status(0)));
            String::from_utf8(got.stdout).expect("valid UTF-8")
        };
        let (plain, json) = (info(&[]), info(&["--json"]));
        assert!(is_json(&json), "{json}");
        for text in [&plain, &json] {
            let shown = |c: char| c == '\n' || !c.is_control();
            assert!(text.chars().all(shown), "{text:?}");
        }
        let keys = plain
            .lines()
            .map(|line| line.split_once(':').map_or(line, |(key, _)| key));
        let wanted = json.lines().filter_map(|line| line.split('"').nth(1));
        assert!(keys.eq(wanted), "{plain}{json}");
    }
}
