//! An image of version 1 that was made once (tests/golden/README.md): every later version opens it,
//! finds the same value in it, and goes on from there.

mod support;

use plan::heap::store::Root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::images::{self, Pins, smallest_elf};
use support::process::{self, binary};
use support::{End, Outcome, Plan, scratch_dir};

fn golden(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    dir.join(name)
}

fn plan(dir: &Path, args: &[&str]) -> Outcome {
    Plan::new(args.to_vec()).dir(dir).run()
}

#[track_caller]
fn succeeds(got: &Outcome, stdout: &str) {
    assert_eq!(
        (got.out().as_str(), got.err().as_str(), got.end),
        (stdout, "", End::Status(0))
    );
}

/// Runs an executable: what it prints, to either stream, and its status.
fn run(dir: &Path, program: &str, args: &[&str]) -> (String, Option<i32>) {
    let got = process::output(Command::new(dir.join(program)).args(args));
    let got = got.expect("an executable");
    let text = [got.stdout, got.stderr].concat();
    (
        String::from_utf8_lossy(&text).into_owned(),
        got.status.code(),
    )
}

/// A directory with a copy of the image.
fn copy() -> PathBuf {
    let dir = scratch_dir("golden");
    let bytes = fs::read(golden("image-v1")).expect("the golden image");
    process::write_program(&dir.join("img"), &bytes);
    dir
}

#[test]
fn it_is_sound_and_has_the_documented_value() {
    let dir = copy();
    succeeds(&plan(&dir, &["image", "scrub", "img"]), "");
    let info = fs::read_to_string(golden("image-v1.info")).expect("the text");
    succeeds(&plan(&dir, &["image", "info", "img"]), &info);
    let export = ["image", "export", "img", "-o", "img.seed"];
    succeeds(&plan(&dir, &export), "");
    let dump = fs::read_to_string(golden("image-v1.dump")).expect("the text");
    succeeds(&plan(&dir, &["seed", "dump", "img.seed"]), &dump);
    let unchanged = fs::read(golden("image-v1")).expect("the golden image");
    assert!(fs::read(dir.join("img")).expect("the copy") == unchanged);
}

#[test]
fn it_goes_on_under_this_runtime() {
    let dir = copy();
    let upgraded = "img has this runtime now; as it was: img.before-upgrade\n";
    succeeds(&plan(&dir, &["image", "upgrade", "img"]), upgraded);
    make_executable(&dir.join("img"));
    let said = "run 4: 1606938044258990275541962092341162602522202993782792835301380\n";
    assert_eq!(run(&dir, "img", &[]), (said.into(), Some(0)));
    assert!(run(&dir, "img", &["x"]).0.starts_with("run 5: "));
    assert_eq!(plan(&dir, &["image", "collect", "img"]).end, End::Status(0));
    succeeds(&plan(&dir, &["image", "scrub", "img"]), "");
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("permissions");
}

/// Other runtimes than the one under test: the one without optimisation that the tests build, another
/// size, another order, with symbols; this one with 64 KiB more; this one without its symbols.
fn variants(dir: &Path) -> Vec<PathBuf> {
    let unoptimised = PathBuf::from(env!("CARGO_BIN_EXE_plan"));
    fs::write(dir.join("more"), vec![7; 65536]).expect("a file");
    let (larger, stripped) = (dir.join("larger"), dir.join("stripped"));
    let tools = [
        ("objcopy", vec!["--add-section", ".more=more"], &larger),
        ("strip", vec!["-o"], &stripped),
    ];
    for (tool, mut words, target) in tools {
        let (from, to) = (binary(), target.clone());
        let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
        match tool {
            "strip" => words.extend([&*to, &*from]),
            _ => words.extend([&*from, &*to]),
        }
        let done = process::output(Command::new(tool).args(words).current_dir(dir));
        assert!(done.expect("binutils").status.success(), "{tool}");
    }
    vec![unoptimised, larger, stripped]
}

#[test]
fn a_region_runs_under_any_runtime_in_both_directions() {
    let dir = scratch_dir("golden");
    let program = "(require \"std\")\n\
        (defun (count n args) [(Inc n) (print-line (fmt \"run {}\" (Inc n)))])\n\
        (define main (stateful count 0))\n";
    fs::write(dir.join("count.wisp"), program).expect("a file");
    succeeds(
        &plan(&dir, &["seed", "save", "count.wisp", "-o", "count.seed"]),
        "",
    );
    let mut runs = 0;
    let mut count = |image: &str| {
        runs += 1;
        assert_eq!(run(&dir, image, &[]), (format!("run {runs}\n"), Some(0)));
    };
    let runtimes = variants(&dir);
    let call = |runtime: &Path, args: &[&str]| {
        let got = process::output(Command::new(runtime).args(args).current_dir(&dir));
        let got = got.expect("a runtime");
        let error = String::from_utf8_lossy(&got.stderr);
        assert!(got.status.success(), "{}: {error}", runtime.display());
    };
    call(&runtimes[0], &["boot", "count.seed", "img"]);
    count("img");
    for runtime in runtimes.iter().skip(1).chain(&runtimes).chain([&binary()]) {
        let before = fs::metadata(dir.join("img")).expect("the image").len();
        call(runtime, &["image", "upgrade", "img"]);
        count("img");
        count("img");
        call(runtime, &["image", "scrub", "img"]);
        succeeds(&plan(&dir, &["image", "scrub", "img"]), "");
        let kept = fs::metadata(dir.join("img.before-upgrade")).expect("the way back");
        assert_eq!(kept.len(), before);
        fs::remove_file(dir.join("img.before-upgrade")).expect("the way back");
    }
}

#[test]
fn a_seed_comes_back_from_its_image() {
    let dir = scratch_dir("golden");
    let programs = [
        ("row", "(define main {args -> (print-line \"{}\" args)})"),
        ("nat", "(define main 5)"),
        ("big", "(define main (Bex 20000))"),
        ("pin", "(define main (Pin (Pin [1 (Pin 2) (Bex 100)])))"),
        (
            "state",
            "(define main (stateful {n args -> [(Inc n) 0]} [1 2 3]))",
        ),
    ];
    for (name, program) in programs {
        let (wisp, seed) = (format!("{name}.wisp"), format!("{name}.seed"));
        fs::write(dir.join(&wisp), format!("(require \"std\")\n{program}\n")).expect("a file");
        let saved = plan(&dir, &["seed", "save", &wisp, "-o", &seed]);
        assert_eq!(saved.end, End::Status(0), "{}", saved.err());
        succeeds(&plan(&dir, &["boot", &seed, name]), "");
        succeeds(
            &plan(&dir, &["image", "export", name, "-o", "back.seed"]),
            "",
        );
        let (one, two) = (fs::read(dir.join(&seed)), fs::read(dir.join("back.seed")));
        assert!(one.expect("a seed") == two.expect("a seed"), "{name}");
    }
}

#[test]
fn what_is_damaged_is_not_exported() {
    let dir = scratch_dir("golden");
    let mut pins = Pins::default();
    let big = pins.row(1, 1000, &[]);
    let root = pins.row(3, 2, &[big]);
    let path = dir.join("img");
    images::write(&path, &smallest_elf(), &mut pins, &[Root::Pin(root)]);
    let mut bytes = fs::read(&path).expect("the image");
    // In the large pin, whether it lies before or behind the small one.
    bytes[4096 + 8192 + 8192 + 2000] ^= 1;
    fs::write(&path, bytes).expect("the image");
    let got = plan(&dir, &["image", "export", "img", "-o", "x.seed"]);
    let line = "plan: image export: img: a checksum does not match (use a copy, if there is one)\n";
    assert_eq!((got.err().as_str(), got.end), (line, End::Status(4)));
    assert!(!dir.join("x.seed").exists());
}
