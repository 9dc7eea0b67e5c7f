//! Programs that remember, as images: `seeds/counter`, `seeds/todo`, `seeds/kv`, and how much of a
//! large state a commit writes.
//!
//! Invariants:
//! - images are made by `plan build`, the way a user does it, each test in a directory of its own;
//! - servers listen on the loopback interface, on a port that the system chose;
//! - every process is ended by its handle.

#[path = "../support/mod.rs"]
mod support;

mod http;
mod kv;
mod small;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{End, Outcome, Plan, scratch_dir};

/// An image in a directory of its own.
struct App {
    path: PathBuf,
}

impl App {
    /// The image of a program under `seeds/`.
    fn of(program: &str) -> App {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        App::build(&root.join("seeds").join(format!("{program}.wisp")), program)
    }

    fn build(source: &Path, name: &str) -> App {
        let path = scratch_dir("apps").join(name);
        let args = [
            "build".as_ref(),
            source.as_os_str(),
            "-o".as_ref(),
            path.as_os_str(),
        ];
        let built = Plan::new(args).run();
        assert_eq!(built.end, End::Status(0), "{}", built.describe());
        assert_eq!((built.out(), built.err()), (String::new(), String::new()));
        App { path }
    }

    fn dir(&self) -> &Path {
        self.path.parent().expect("its directory")
    }

    /// A copy beside it. Another process writes it: were it this one, a process that another test
    /// starts meanwhile would hold it open for writing, and nobody could execute it.
    fn copy(&self, name: &str) -> App {
        let path = self.dir().join(name);
        let status = Command::new("cp").arg(&self.path).arg(&path).status();
        assert!(status.expect("cp").success());
        App { path }
    }

    fn run(&self, args: &[&str]) -> Outcome {
        Plan::new(args.to_vec()).program(&self.path).run()
    }

    /// It alone, as first process of a container: no /proc, no /dev, no other file.
    fn contained(&self) -> Command {
        let mut command = Command::new("unshare");
        command.args([
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--kill-child",
            "chroot",
        ]);
        let name = Path::new("/").join(self.path.file_name().expect("its name"));
        command.arg(self.dir()).arg(name);
        command
    }

    /// Runs it and compares standard output, standard error and status.
    #[track_caller]
    fn says(&self, args: &[&str], stdout: &str, stderr: &str, status: i32) {
        let got = self.run(args);
        assert_eq!(
            (got.out().as_str(), got.err().as_str(), got.end),
            (stdout, stderr, End::Status(status)),
            "{args:?}"
        );
    }

    fn length(&self) -> u64 {
        std::fs::metadata(&self.path).expect("the image").len()
    }

    /// Every object of the image is sound.
    fn scrub(&self) {
        let got = Plan::new(["image".as_ref(), "scrub".as_ref(), self.path.as_os_str()]).run();
        assert_eq!(got.end, End::Status(0), "{}", got.describe());
    }
}
