//! Runs the built executable as a user would.
//!
//! Invariants:
//! - the child sees no `PLAN*` variable that the test did not set;
//! - the child is ended by its handle when its time is over, and always waited for;
//! - standard input is fed and both outputs are drained by threads, so no pipe can block.

use super::filter::{Answer, filter};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

/// Held for reading while a process is started: until it executes its program it has the descriptors
/// of this one, and with them its locks. A file that is locked, or executed later, is opened and closed
/// while this is held for writing. (To let spawns end after that is not enough: the parent of a `vfork`
/// goes on before the kernel closes the child's descriptors.)
pub static SPAWNING: RwLock<()> = RwLock::new(());

/// Starts a process.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let _spawning = SPAWNING.read();
    command.spawn()
}

/// Starts a process without standard input, and takes what it prints until it ends.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    spawn(command.stderr(Stdio::piped()))?.wait_with_output()
}

/// Writes a file that everybody may execute.
pub fn write_program(path: &Path, bytes: &[u8]) {
    let _alone = SPAWNING.write();
    fs::write(path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("it is ours");
}

/// Copies a file that is going to be executed, with its permissions.
pub fn copy_program(from: &Path, to: &Path) {
    let _alone = SPAWNING.write();
    fs::copy(from, to).unwrap_or_else(|e| panic!("{}: {e}", to.display()));
}

/// How the runtime is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As shipped.
    Plain,
    /// A collection at every allocation that moves everything and poisons the old space, and the
    /// heap verifier after each (design rules 10 and 11).
    Stress,
}

impl Mode {
    /// Appended to the title of a count.
    pub fn suffix(self) -> &'static str {
        match self {
            Mode::Plain => "",
            Mode::Stress => " (stress)",
        }
    }
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Status(i32),
    Signal(i32),
    Timeout,
}

/// What a process did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub end: End,
}

impl Outcome {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// True if it ended by itself, with whatever status.
    pub fn ended(&self) -> bool {
        matches!(self.end, End::Status(_))
    }

    /// For failure reports: everything on one line each, cut to a readable length.
    pub fn describe(&self) -> String {
        let cut = |s: String| -> String {
            let short: String = s.chars().take(600).collect();
            if short.len() < s.len() {
                format!("{short:?}…")
            } else {
                format!("{s:?}")
            }
        };
        format!(
            "stdout {} stderr {} {:?}",
            cut(self.out()),
            cut(self.err()),
            self.end
        )
    }
}

/// Standard input of a run.
pub enum Input {
    Bytes(Vec<u8>),
    /// Descriptor 0 is not open at all.
    Closed,
    /// Descriptor 0 is this file or directory.
    Path(PathBuf),
}

/// One run of `plan`, or of an image.
pub struct Plan {
    program: PathBuf,
    args: Vec<OsString>,
    input: Input,
    env: Vec<(String, String)>,
    dir: Option<PathBuf>,
    limit: Duration,
    memory: Option<u64>,
    stdout: Option<PathBuf>,
    stdout_closed: bool,
    filter: Option<(Vec<u32>, Answer)>,
}

impl Plan {
    /// A run with these arguments, empty input and a limit of 60 seconds.
    pub fn new<I: IntoIterator<Item = S>, S: Into<OsString>>(args: I) -> Plan {
        Plan {
            program: binary(),
            args: args.into_iter().map(Into::into).collect(),
            input: Input::Bytes(Vec::new()),
            env: Vec::new(),
            dir: None,
            limit: Duration::from_secs(60),
            memory: None,
            stdout: None,
            stdout_closed: false,
            filter: None,
        }
    }

    /// The console, fed with `text`.
    pub fn console(text: &str) -> Plan {
        Plan::new(["rpn"]).input(Input::Bytes(text.as_bytes().to_vec()))
    }

    /// Runs another executable instead, such as an image.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Plan {
        self.program = path.into();
        self
    }

    pub fn input(mut self, input: Input) -> Plan {
        self.input = input;
        self
    }

    pub fn mode(mut self, mode: Mode) -> Plan {
        if mode == Mode::Stress {
            self.limit = self.limit.max(Duration::from_secs(180));
            self = self.env("PLAN_STRESS", "1").env("PLAN_VERIFY", "1");
        }
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Plan {
        self.env.push((name.to_string(), value.to_string()));
        self
    }

    /// The working directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Plan {
        self.dir = Some(dir.into());
        self
    }

    pub fn limit_seconds(mut self, seconds: u64) -> Plan {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Standard output goes to this path, opened for writing, and is not captured.
    pub fn stdout_to(mut self, path: impl Into<PathBuf>) -> Plan {
        self.stdout = Some(path.into());
        self
    }

    /// Descriptor 1 is not open at all.
    pub fn stdout_closed(mut self) -> Plan {
        self.stdout_closed = true;
        self
    }

    /// Bounds the address space, as `ulimit -v` does.
    pub fn memory_kilobytes(mut self, kilobytes: u64) -> Plan {
        self.memory = Some(kilobytes);
        self
    }

    /// What the system answers to these calls; see [`filter`].
    pub fn filter(mut self, calls: &[u32], answer: Answer) -> Plan {
        self.filter = Some((calls.to_vec(), answer));
        self
    }

    pub fn run(self) -> Outcome {
        let mut command = self.command();
        let mut child = spawn(&mut command).unwrap_or_else(|e| {
            panic!(
                "{}: cannot be started: {e} (run make first)",
                command.get_program().display()
            )
        });
        let feeder = match (child.stdin.take(), self.input) {
            (Some(mut pipe), Input::Bytes(bytes)) => Some(thread::spawn(move || {
                // The child may end without reading everything: a broken pipe is no failure here.
                let _ = pipe.write_all(&bytes);
            })),
            _ => None,
        };
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        let end = watch(&mut child, self.limit);
        if let Some(feeder) = feeder {
            let _ = feeder.join();
        }
        let collect = |t: Option<thread::JoinHandle<Vec<u8>>>| {
            t.and_then(|t| t.join().ok()).unwrap_or_default()
        };
        Outcome {
            stdout: collect(stdout),
            stderr: collect(stderr),
            end,
        }
    }

    /// The command with its streams; a shell closes descriptors and bounds memory.
    fn command(&self) -> Command {
        let close_in = matches!(self.input, Input::Closed);
        let mut command = if close_in || self.stdout_closed || self.memory.is_some() {
            let bound = self
                .memory
                .map(|kilobytes| format!("ulimit -v {kilobytes}; "));
            let closed_in = if close_in { " <&-" } else { "" };
            let closed_out = if self.stdout_closed { " >&-" } else { "" };
            let bound = bound.unwrap_or_default();
            let script = format!("{bound}exec \"$0\" \"$@\"{closed_in}{closed_out}");
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(script).arg(&self.program);
            shell
        } else {
            Command::new(&self.program)
        };
        command.args(&self.args);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PLAN") {
                command.env_remove(&name);
            }
        }
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command.stdin(match &self.input {
            Input::Bytes(_) => Stdio::piped(),
            Input::Closed => Stdio::null(),
            Input::Path(path) => open(path, false),
        });
        command.stdout(match &self.stdout {
            Some(path) => open(path, true),
            None => Stdio::piped(),
        });
        command.stderr(Stdio::piped());
        if let Some((calls, answer)) = &self.filter {
            filter(&mut command, calls, *answer);
        }
        command
    }
}

fn open(path: &PathBuf, write: bool) -> Stdio {
    let file = if write {
        File::options().write(true).open(path)
    } else {
        File::open(path)
    };
    file.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .into()
}

/// The executable under test: `PLAN_BIN`, or `build/plan` of this checkout.
pub fn binary() -> PathBuf {
    match std::env::var_os("PLAN_BIN") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("build/plan"),
    }
}

/// A fresh empty directory, one for each call. It stays for a look after a failure; a later test
/// process removes it.
pub fn scratch_dir(label: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static SWEEP: Once = Once::new();
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    SWEEP.call_once(|| remove_leftovers(&root));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = root.join(format!("{label}-{}-{number}", std::process::id()));
    fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    dir
}

/// The image `p` of a program in Wisp, in a directory of its own.
pub fn built(label: &str, program: &str) -> PathBuf {
    let dir = scratch_dir(label);
    fs::write(dir.join("p.wisp"), program).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    dir.join("p")
}

/// The names in a directory, sorted.
pub fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the directory").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Removes the directories that processes made which are no more.
fn remove_leftovers(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut parts = name.rsplit('-');
        let (number, maker) = (parts.next(), parts.next());
        let made_here = number.is_some_and(|n| n.parse::<u32>().is_ok());
        let gone = maker.is_some_and(|pid| {
            pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()
        });
        if made_here && gone {
            // Another test process may be removing it at this moment.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn drain<R: Read + Send + 'static>(mut from: R) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// Waits for the end, or ends the child when its time is over.
fn watch(child: &mut Child, limit: Duration) -> End {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return end_of(status),
            Ok(None) if start.elapsed() >= limit => {
                let _ = child.kill();
                let _ = child.wait();
                return End::Timeout;
            }
            Ok(None) => thread::sleep(pause),
            Err(e) => panic!("cannot wait for the process: {e}"),
        }
        pause = (pause * 3 / 2).min(Duration::from_millis(10));
    }
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Status(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Timeout,
    }
}
