//! Little memory, whoever sets the bound: running out is the exception `limit`. Caught, the program
//! goes on; uncaught, it is a message and status 9. The system never has to end the process.
//!
//! | bound | set by | noticed by |
//! |---|---|---|
//! | address space, data | `ulimit` | the kernel refuses a mapping |
//! | control files | a tree of files where the control groups are mounted | the runtime counts |
//! | control group | a real group | the kernel ends the process; so the runtime counts |
//!
//! Invariants:
//! - Every bound is set on the child alone.
//! - A bound that this machine does not let a test set is named in the output; that of address
//!   space can always be set, and where the control files cannot, a test of the machine counts
//!   (`machine::tests::memory`).

#[path = "support/mod.rs"]
mod support;
#[path = "../benches/usage/mod.rs"]
#[allow(dead_code, reason = "benchmarks use all of it")]
mod usage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::process::{binary, scratch_dir};

/// Bytes that each program may have.
const LIMIT: u64 = 64 << 20;

/// Programs that take memory until there is no more, each in its own way.
const TAKERS: &str = "(require \"std\")
(defun (lists l) (Seq l (lists (0 l l))))
(defun (pins p) (let ((q (Pin (0 1 p)))) (Seq q (pins q))))
(defun (wide l) (let ((q (Pin (0 (Bex 90000) 1)))) (Seq q (wide (0 q l)))))
(defun (numbers l n) (let ((m (Bex n))) (Seq m (numbers (0 m l) (Inc n)))))
(defun (squares n) (Seq n (squares (Mul n n))))
(defun (buffers l n) (let ((b (XBufOp n))) (Seq b (buffers (0 b l) n))))
(defun (mixed l n)
  (let ((p (Pin (0 n))) (m (Bex (Mul 100 n))) (b (XBufOp n)))
    (Seq p (Seq m (Seq b (mixed (0 p m b l) (Inc n)))))))
(defun (deep n) (Inc (deep (Inc n))))
(defun (sum n acc) (If n (sum (Dec n) (Add n acc)) acc))
(defun (build n l) (Seq l (If n (build (Dec n) (0 n l)) l)))
(defun (attempt f) (Ix 2 (Ix 0 (xtry f 0))))
(defun (after x) (Seq (build 100000 x) (Eq (sum 100000 0) 5000050000)))
";

/// How each program begins, and the detail of the exception: 1 for the stack, 2 for memory.
const CASES: [(&str, &str, u32); 9] = [
    ("lists", "lists", 2),
    ("pins", "pins", 2),
    ("large pins", "wide", 2),
    ("naturals", "(flip numbers 10)", 2),
    ("long naturals", "(flip numbers 1000000)", 2),
    ("one natural", "{x -> (squares (Bex 70000))}", 2),
    ("short buffers", "(flip buffers 100)", 2),
    ("long buffers", "(flip buffers 100000)", 2),
    ("everything", "(flip mixed 1)", 2),
];

/// A bound on the memory of a child.
enum Bound {
    /// `ulimit -v` or `-d`.
    Shell(&'static str),
    /// This file and number below the mount point of control groups.
    Files(&'static str),
    /// A group, by its directory, which is there.
    Group(PathBuf),
}

impl Bound {
    /// The command that runs `plan wisp FILE` within the bound.
    fn command(&self, file: &Path) -> Command {
        let run = "exec \"$0\" wisp \"$1\"";
        let script = match self {
            Bound::Shell(option) => format!("ulimit {option} {}; {run}", LIMIT >> 10),
            Bound::Files(name) => {
                let make = "mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/memory";
                format!("{make} && echo {LIMIT} >/sys/fs/cgroup/{name} && {run}")
            }
            Bound::Group(dir) => format!("echo $$ >{}/cgroup.procs && {run}", dir.display()),
        };
        let mut command = match self {
            Bound::Files(_) => Command::new("unshare"),
            _ => Command::new("/bin/sh"),
        };
        if let Bound::Files(_) = self {
            command.args(["--user", "--map-root-user", "--mount", "/bin/sh"]);
        }
        command.arg("-c").arg(script).arg(binary()).arg(file);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PLAN") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Runs a program within the bound: status, last line on standard error, peak memory in bytes.
    fn run(&self, main: &str) -> (Option<i32>, String, u64) {
        let dir = scratch_dir("pressure");
        let file = dir.join("pressure.wisp");
        fs::write(&file, format!("{TAKERS}(defun (main args) {main})\n")).expect("a file");
        let errors = fs::File::create(dir.join("stderr")).expect("a file");
        let mut command = self.command(&file);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        #[allow(
            clippy::zombie_processes,
            reason = "reap waits for the child, by wait4"
        )]
        let child = command.stderr(errors).spawn().expect("a shell");
        let (status, used) = usage::reap(child.id()).expect("a child");
        let text = fs::read(dir.join("stderr")).expect("the file");
        let text = String::from_utf8_lossy(&text);
        let last = text.lines().last().unwrap_or_default().to_string();
        (status.code(), last, used.max_rss as u64 * 1024)
    }

    /// Everything that can run out does, caught again and again and then uncaught.
    fn check(&self, name: &str) {
        for (what, begin, detail) in CASES.iter().chain([&("stack", "deep", 1)]) {
            let attempt = format!("(Eq (attempt {begin}) {detail})");
            let main = format!("(If {attempt} (If {attempt} (If (after 0) 7 4) 5) 6)");
            let (status, last, peak) = self.run(&main);
            assert_eq!(status, Some(7), "{name}, {what}: {last}");
            assert!(peak <= LIMIT, "{name}, {what}: {peak} bytes");
            let (status, last, peak) = self.run(&format!("({begin} 0)"));
            let message = format!("plan: uncaught 17 [%limit 0 {detail}]");
            assert_eq!((status, &last), (Some(9), &message), "{name}, {what}");
            assert!(peak <= LIMIT, "{name}, {what}: {peak} bytes");
        }
    }

    /// Whether the shell can set the bound; says why not.
    fn is_possible(&self) -> bool {
        let output = self.command(Path::new("/dev/null")).output();
        let problem = match output {
            Ok(output) if output.status.success() => return true,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        println!("not run: this bound cannot be set here: {problem}");
        false
    }
}

#[test]
fn within_64_mib_of_address_space() {
    Bound::Shell("-v").check("address space");
}

#[test]
fn within_64_mib_of_data() {
    Bound::Shell("-d").check("data");
}

/// The runtime counts what it uses: here nothing but its own counting keeps it within the bound.
#[test]
fn within_64_mib_by_control_files() {
    for name in ["memory.max", "memory.high", "memory/memory.limit_in_bytes"] {
        let bound = Bound::Files(name);
        if bound.is_possible() {
            bound.check(name);
        }
    }
}

/// A control group below that of this process, removed in the end.
struct Group(PathBuf);

impl Group {
    /// One with the limit, in the version of control groups that this machine uses for memory.
    fn new() -> Result<Group, String> {
        let lines = fs::read_to_string("/proc/self/cgroup").map_err(|e| e.to_string())?;
        let mut problem = "no control groups".to_string();
        for line in lines.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(dir)) = (parts.next(), parts.next()) else {
                continue;
            };
            let (mount, file) = match controllers {
                "" => ("/sys/fs/cgroup", "memory.max"),
                "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                _ => continue,
            };
            let name = format!("plan-pressure-{}", std::process::id());
            let group = Path::new(mount)
                .join(dir.trim_start_matches('/'))
                .join(name);
            match fs::create_dir(&group) {
                Ok(()) => {
                    let group = Group(group);
                    match fs::write(group.0.join(file), LIMIT.to_string()) {
                        Ok(()) => return Ok(group),
                        Err(error) => problem = format!("{file}: {error}"),
                    }
                }
                Err(error) => problem = format!("{}: {error}", group.display()),
            }
        }
        Err(problem)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel may take a moment to let go of the last process.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// A real control group: a process that takes more is killed.
#[test]
fn within_a_control_group_of_64_mib() {
    let group = match Group::new() {
        Ok(group) => group,
        Err(problem) => return println!("not run: no control group can be made here: {problem}"),
    };
    let bound = Bound::Group(group.0.clone());
    if bound.is_possible() {
        bound.check("control group");
    }
}
