//! Processes that a program makes by raw system calls: they read what is stored as it was at the fork,
//! cannot commit, and disturb nobody.
//!
//! Invariants:
//! - the end of standard input, not a time, decides when the child goes on;
//! - the child looks at its values for the first time when the parent has replaced all of them often
//!   enough for their pages to have been given back and written again.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use support::process::{built, output, spawn};
use support::{End, Plan};

/// The state is a number and a table of 64 pins that follow from it; the first run stores it.
///
/// Then the argument is what makes the other process: `fork`, `vfork` (with more bits than the kernel
/// looks at; the child closes all descriptors), `again` (a child that ends and leaves one of its own), `new` (a child that has the
/// same number in a name space of its own), `gone` (forty children that end at once).
const PROGRAM: &str = "(require \"std\")
(defun (node n) (Pin [n (Pin (range n (Add n 300)))]))
(defun (table k) (map node (range k (Add k 64))))
(defun (good k p)
  (@ x (Unpin p))
  (And (Eq k (Ix 0 x)) (planEq (Unpin (Ix 1 x)) (range k (Add k 300)))))
(defun (all table k n) (If (Eq n 64) 1 (And (good (Add k n) (Ix n table)) (all table k (Inc n)))))
(defun (change main k n)
  (If (Eq n 0) 0 (Seq (commit (main (Add k n) (table (Add k n)))) (change main k (Dec n)))))
(defun (end status) (syscall (231 status)))
(defun (wait pid)
  (@ buf (XBufOp 8))
  (@ r (syscall (61 pid (XPtrOp buf) 0 0)))
  (Seq buf (Seq r (Load8 1 buf))))
(defun (read-late main k stored kind)
  (@ refused (try-io commit (main 1 [2 3])))
  (Seq refused
    (Seq (If (planEq kind \"vfork\") (syscall (436 3 4294967295 0)) 0)
      (Seq (print-line (fmt \"child {} {}\" refused (Eq 1 (syscall (39 0)))))
        (Seq (read-line 0)
          (Seq (print-line (If (all stored k 0) \"the same\" \"damaged\")) (end 7)))))))
(defun (make-again pid) (If pid pid (If (syscall (57 0)) (end 7) 0)))
(defun (make kind)
  (case kind
    (\"fork\" (syscall (57 0)))
    (\"vfork\" (syscall ((Add 58 (Bex 40)) 0)))
    (\"again\" (make-again (syscall (57 0))))
    (else (syscall (56 536870929 0 0 0 0)))))
(defun (both main k stored kind)
  (@ pid (make kind))
  (If (Eq pid 0) (read-late main k stored kind)
    (Seq (If (planEq kind \"again\") (wait pid) 0)
      (Seq (change main k 40)
        (Seq (print-line \"committed\")
          (If (planEq kind \"again\") 7 (wait pid)))))))
(defun (more again main k n pid)
  (If (Eq pid 0) (end 0) (Seq (wait pid) (Seq (change main k 8) (again main k (Dec n))))))
(defun (gone main k n) (If (Eq n 0) 7 (more gone main k n (syscall (57 0)))))
(defun (main k stored args)
  (If (IsNat stored) (Seq (commit (main 1000 (table 1000))) 5)
    (If (planEq (Ix 0 args) \"gone\") (gone main k 40) (both main k stored (Ix 0 args)))))
(define main (main 0 0))
";

/// An image that has stored its state.
fn image() -> PathBuf {
    let image = built("forks", PROGRAM);
    let got = Plan::new(["first"]).program(&image).run();
    assert_eq!(got.end, End::Status(5), "{}", got.describe());
    image
}

fn sound(image: &Path) {
    let name = image.as_os_str().to_owned();
    let got = Plan::new(["image".into(), "scrub".into(), name]).run();
    assert_eq!(got.end, End::Status(0), "{}", got.describe());
}

/// A run, with what it prints.
fn start(mut command: Command) -> (Child, BufReader<ChildStdout>) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLAN") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = spawn(&mut command).expect("an image");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    (child, stdout)
}

fn line(from: &mut BufReader<ChildStdout>) -> String {
    let mut text = String::new();
    from.read_line(&mut text).expect("readable");
    text
}

fn with(image: &Path, argument: &str) -> Command {
    let mut command = Command::new(image);
    command.arg(argument);
    command
}

/// Both processes, until the child has looked at its values.
fn check(image: &Path, command: Command, is_first: bool) {
    let (mut child, mut stdout) = start(command);
    let mut said = [line(&mut stdout), line(&mut stdout)];
    said.sort();
    let expected = format!("child 30 {}\n", u8::from(is_first));
    assert_eq!(said, [expected, "committed\n".into()]);
    drop(child.stdin.take());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("readable");
    let status = child.wait().expect("ours").code();
    assert_eq!((rest.as_str(), status), ("the same\n", Some(7)));
    sound(image);
}

#[test]
fn a_forked_process_reads_what_was_stored_and_cannot_commit() {
    let image = image();
    for kind in ["fork", "vfork", "again"] {
        check(&image, with(&image, kind), false);
    }
}

/// The parent is the first process of its name space, the child the first one of another: their
/// numbers are the same.
#[test]
fn a_forked_process_with_the_same_number_cannot_commit_either() {
    let image = image();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--pid", "--fork"]);
    let mut tried = Command::new("unshare");
    let tried = output(tried.args(command.get_args()).arg("true"));
    if !tried.expect("unshare").status.success() {
        println!("nobody lets us have a name space: not tested");
        return;
    }
    command.arg(&image).arg("new");
    check(&image, command, true);
}

#[test]
fn what_was_kept_for_children_that_have_ended_is_given_back() {
    let image = image();
    let before = fs::metadata(&image).expect("it is there").len();
    let got = Plan::new(["gone"]).program(&image).limit_seconds(120).run();
    assert_eq!(got.end, End::Status(7), "{}", got.describe());
    let grown = fs::metadata(&image).expect("it is there").len() - before;
    // A state has 200 KB: what 320 commits write is fifteen times the bound.
    assert!(grown < 4 << 20, "{grown} bytes");
    sound(&image);
}

/// It has the mapping, so nobody may write to the file.
#[test]
fn a_forked_process_keeps_the_image_locked() {
    let image = image();
    let (mut child, mut stdout) = start(with(&image, "fork"));
    let said = [line(&mut stdout), line(&mut stdout)];
    assert!(said.contains(&"committed\n".into()), "{said:?}");
    let name = image.as_os_str().to_owned();
    // Waiting would close it.
    let stdin = child.stdin.take();
    child.kill().expect("ours");
    child.wait().expect("ours");
    let got = Plan::new(["image".into(), "collect".into(), name]).run();
    assert_eq!(got.end, End::Status(4), "{}", got.describe());
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("readable");
    assert_eq!(rest, "the same\n");
    sound(&image);
}
