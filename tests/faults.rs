//! Faults of memory in an image: what ends a program that met one is said as what it was.
//!
//! Promises:
//! - damage of the region is named with the way to it, status 4;
//! - in a sound image it is an internal error, status 70, with the address;
//! - a signal that another process sends ends the image as if nobody handled it;
//! - what cannot be looked into is said as such.

mod support;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use support::process::SPAWNING;
use support::{End, Outcome, Plan, scratch_dir};

/// A directory with the image `p` of a program that keeps the value of an expression.
fn image(program: &str) -> PathBuf {
    let dir = scratch_dir("faults");
    fs::write(
        dir.join("p.wisp"),
        format!("(require \"std\")\n{program}\n"),
    )
    .expect("a file");
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    dir
}

fn run(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut plan = Plan::new(args.to_vec()).program(dir.join("p")).dir(dir);
    for (name, value) in variables {
        plan = plan.env(name, value);
    }
    plan.run()
}

/// The address in the message of an internal error.
fn address(got: &Outcome) -> u64 {
    let err = got.err();
    let rest = err.strip_prefix("plan: internal error: memory fault at 0x");
    let digits = rest.and_then(|rest| rest.get(..16)).expect(&err);
    u64::from_str_radix(digits, 16).expect(&err)
}

#[test]
fn damage_is_named_with_the_way_to_it() {
    let program = "(defun (use state args) ((Ix 1 (Unpin (Ix 1 state))) 5))
        (define main (use [7 (Pin [2 {x -> (Add x (Sz [x 3]))} (Bex 90)])]))";
    let dir = image(program);
    let path = dir.join("p");
    let bytes = fs::read(&path).expect("an image");
    let region = plan::os::image::region_in(&bytes).expect("an image") as usize;
    let mut named = Vec::new();
    for at in (region + 3 * 4096..bytes.len()).step_by(13) {
        put(&path, at, bytes[at] ^ 0xFF);
        let variables: [&[(&str, &str)]; 2] = [&[], &[("PLAN_READONLY", "1")]];
        for variables in variables {
            let got = run(&dir, &[], variables);
            let err = got.err();
            assert_ne!(got.end, End::Status(70), "byte {at}: {err}");
            assert!(!matches!(got.end, End::Signal(_)), "byte {at}: {err}");
            if let Some(rest) =
                err.strip_prefix(&format!("plan: image {}: damaged: ", path.display()))
            {
                assert_eq!((got.end, err.lines().count()), (End::Status(4), 1), "{err}");
                named.push(rest.to_owned());
            }
        }
        put(&path, at, bytes[at]);
    }
    let ways = named
        .iter()
        .filter(|rest| rest.starts_with("root/"))
        .count();
    assert!(ways > 3, "{named:?}");
    let sound = run(&dir, &[], &[]);
    assert_eq!((sound.end, sound.err()), (End::Status(7), String::new()));
}

/// Writes a byte. The system executes nothing that a process has open for writing.
fn put(path: &Path, at: usize, byte: u8) {
    let _alone = SPAWNING.write();
    let file = File::options().write(true).open(path).expect("a copy");
    file.write_all_at(&[byte], at as u64).expect("space");
}

/// A function that unmaps the region below the program (`munmap`), and goes on.
const UNMAP: &str = "(defun (far x) (Add 3 (Sz [x x])))
(defun (unmap x) (Seq (syscall (11 5242880 1048576)) (far x)))";

#[test]
fn a_fault_in_a_sound_image_is_an_internal_error() {
    let dir = image(&format!("{UNMAP}(define main unmap)"));
    let before = fs::read(dir.join("p")).expect("the image");
    for variables in [&[][..], &[("PLAN_READONLY", "1")]] {
        // Its own arguments and variables do not reach the process that looks.
        let got = run(&dir, &["x", "--help"], variables);
        assert_eq!(got.end, End::Status(70), "{}", got.describe());
        assert!(
            (0x50_0000..0x60_0000).contains(&address(&got)),
            "{}",
            got.err()
        );
        assert!(got.err().ends_with(" (please report)\n"), "{}", got.err());
        assert_eq!(got.err().lines().count(), 1, "{}", got.err());
    }
    assert!(
        fs::read(dir.join("p")).expect("the image") == before,
        "written"
    );
}

#[test]
fn what_cannot_be_looked_into_is_said() {
    // The descriptors are closed (`close_range`): the image cannot be found any more.
    let close = "(syscall (436 3 4294967295 0))";
    let main = format!("(define main {{args -> (Seq {close} (unmap args))}})");
    let dir = image(&format!("{UNMAP}{main}"));
    let got = run(&dir, &[], &[]);
    let help = ": the image may be damaged (check it with plan image scrub)\n";
    assert_eq!(got.end, End::Status(4), "{}", got.describe());
    assert!(
        address(&got) >= 0x50_0000 && got.err().ends_with(help),
        "{}",
        got.err()
    );
}

#[test]
fn a_signal_of_another_process_ends_the_image() {
    let dir = image("(defun (main args) (syscall (62 (syscall (39 0)) (Sz args) 0)))");
    for (count, signal) in [(4, 4), (5, 5), (7, 7), (8, 8), (11, 11), (15, 15)] {
        let got = run(&dir, &vec!["x"; count], &[]);
        assert_eq!((got.end, got.err()), (End::Signal(signal), String::new()));
    }
}
