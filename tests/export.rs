//! `plan image export`: the committed value as a seed, whatever its shape and wherever it goes.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{End, Outcome, Plan, scratch_dir};

/// A directory with the image `p` of a Wisp program.
fn image(program: &str) -> PathBuf {
    let dir = scratch_dir("export");
    fs::write(
        dir.join("p.wisp"),
        format!("(require \"std\")\n{program}\n"),
    )
    .expect("a file");
    succeeds(&plan(&dir, &["build", "p.wisp", "-o", "p"]));
    dir
}

fn plan(dir: &Path, args: &[&str]) -> Outcome {
    let plan = Plan::new(args.to_vec()).dir(dir);
    plan.limit_seconds(60).run()
}

#[track_caller]
fn succeeds(got: &Outcome) {
    assert_eq!((got.end, got.err()), (End::Status(0), String::new()));
}

fn read(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(name)).expect(name)
}

#[test]
fn it_goes_to_files_pipes_and_standard_output() {
    let dir = image("(define main (stateful {state args -> [state 0]} [1 (Bex 5000000)]))");
    succeeds(&plan(&dir, &["seed", "save", "p.wisp", "-o", "saved"]));
    succeeds(&plan(&dir, &["image", "export", "p", "-o", "file"]));
    let saved = read(&dir, "saved");
    assert!(read(&dir, "file") == saved);
    fs::write(dir.join("file"), "old").expect("a file");
    for target in ["-", "/dev/stdout"] {
        fs::write(dir.join("out"), "").expect("a file");
        let export = Plan::new(["image", "export", "p", "-o", target]).dir(&dir);
        succeeds(&export.stdout_to(dir.join("out")).run());
        assert!(read(&dir, "out") == saved, "{target}");
        let got = plan(&dir, &["image", "export", "p", "-o", target]);
        assert!(got.end == End::Status(0) && got.stdout == saved, "{target}");
    }
    assert!(!dir.join("-").exists());
    let full = "plan: image export: /dev/full: cannot write: no space left on device (make room)\n";
    let got = plan(&dir, &["image", "export", "p", "-o", "/dev/full"]);
    assert_eq!((got.err().as_str(), got.end), (full, End::Status(3)));
    // What cannot be written whole leaves what was there.
    let script = "trap '' XFSZ; ulimit -f 300; exec \"$0\" image export p -o file";
    let plan = support::process::binary().display().to_string();
    let got = Plan::new(["-c", script, &plan])
        .program("/bin/sh")
        .dir(&dir)
        .run();
    let line = "plan: image export: file: cannot write: file too large (raise ulimit -f)\n";
    assert_eq!((got.err().as_str(), got.end), (line, End::Status(3)));
    assert_eq!(read(&dir, "file"), b"old");
}

#[test]
fn a_value_that_was_committed_comes_back_as_it_was() {
    // A thousand pins of shared and long parts, added to in several runs.
    let dir = image(
        "(defun (add n state) (If (Eq n 0) state (add (Dec n) (Pin [n (Bex (Mul 7 n)) state [state n]]))))
        (define main (stateful {state args -> [(add 300 state) 0]} 0))",
    );
    let state = |image: &str, seed: &str| {
        succeeds(&plan(&dir, &["image", "export", image, "-o", seed]));
        read(&dir, seed)
    };
    let mut last = state("p", "a");
    for _ in 0..3 {
        let got = Plan::new([""; 0]).program(dir.join("p")).run();
        succeeds(&got);
        let now = state("p", "a");
        assert!(now.len() > last.len(), "nothing was committed");
        succeeds(&plan(&dir, &["boot", "a", "copy"]));
        assert!(state("copy", "b") == now);
        last = now;
    }
    let again = Plan::new([""; 0]).program(dir.join("copy")).run();
    succeeds(&again);
    succeeds(&Plan::new([""; 0]).program(dir.join("p")).run());
    assert!(state("copy", "b") == state("p", "a"));
}

#[test]
fn nested_pins_need_no_recursion() {
    let dir = image(
        "(defun (nest n pin) (If (Eq n 0) pin (nest (Dec n) (Pin [n pin]))))
        (define main (stateful {state args -> [(nest 300000 0) 0]} 0))",
    );
    let run = Plan::new([""; 0]).program(dir.join("p"));
    succeeds(&run.limit_seconds(60).run());
    succeeds(&plan(&dir, &["image", "export", "p", "-o", "a"]));
    succeeds(&plan(&dir, &["boot", "a", "copy"]));
    succeeds(&plan(&dir, &["image", "export", "copy", "-o", "b"]));
    assert!(read(&dir, "a") == read(&dir, "b"));
}
