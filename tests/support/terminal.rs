//! Runs the built executable on a pseudo-terminal, and what its screen shows.
//!
//! Invariants:
//! - nothing waits for a time to pass: a test says what it wants to see and fails when that has not
//!   come within [`LIMIT`];
//! - the child is ended by its handle when the terminal is dropped, and waited for.
//!
//! Safety: between fork and exec the child makes two system calls and touches no memory of ours.
#![allow(unsafe_code)]

use super::process::binary;
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what it wants to see.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Rows and columns of a terminal in which nothing wraps by accident.
const SIZE: (u16, u16) = (24, 80);

/// What has come from a terminal: the bytes, and the screen they make.
#[derive(Default)]
struct Shown {
    bytes: Vec<u8>,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// First row of the window.
    top: usize,
    /// A sequence that is not complete.
    pending: Vec<u8>,
    over: bool,
    height: usize,
    width: usize,
}

impl Shown {
    /// The lines up to the last one that is not empty, without blanks at their ends.
    fn text(&self) -> String {
        let lines = self.rows.iter().map(|row| row.iter().collect::<String>());
        let lines: Vec<_> = lines.map(|line| line.trim_end().to_string()).collect();
        lines.join("\n").trim_end().to_string()
    }

    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.bytes.push(*byte);
            self.pending.push(*byte);
            let complete = match &self.pending[..] {
                [0x1b] | [0x1b, b'['] => false,
                [0x1b, b'[', .., last] => (0x40..0x7f).contains(last),
                text => match std::str::from_utf8(text) {
                    Ok(_) => true,
                    Err(error) => error.error_len().is_some(),
                },
            };
            if complete {
                let sequence = std::mem::take(&mut self.pending);
                self.act(&sequence);
            }
        }
    }

    fn act(&mut self, sequence: &[u8]) {
        match sequence {
            [0x1b, b'[', numbers @ .., last] => {
                let number = std::str::from_utf8(numbers)
                    .ok()
                    .and_then(|n| n.parse().ok());
                self.control(*last, number);
            }
            b"\r" => self.column = 0,
            b"\n" => self.down(),
            b"\x08" => self.column = self.column.saturating_sub(1),
            text => String::from_utf8_lossy(text)
                .chars()
                .for_each(|c| self.put(c)),
        }
    }

    fn control(&mut self, last: u8, number: Option<usize>) {
        let count = number.unwrap_or(1);
        match last {
            b'A' => self.row = self.row.saturating_sub(count).max(self.top),
            b'C' => self.column = (self.column + count).min(self.width - 1),
            b'K' => self.rows[self.row].truncate(self.column),
            b'J' => {
                self.rows[self.row].truncate(self.column);
                self.rows.truncate(self.row + 1);
            }
            b'H' => {
                self.top = self.rows.len();
                (self.row, self.column) = (self.top, 0);
                self.rows.push(Vec::new());
            }
            _ => {}
        }
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
        self.top = self.top.max((self.row + 1).saturating_sub(self.height));
    }

    fn put(&mut self, c: char) {
        if self.column == self.width {
            self.column = 0;
            self.down();
        }
        let row = &mut self.rows[self.row];
        if row.len() <= self.column {
            row.resize(self.column + 1, ' ');
        }
        row[self.column] = c;
        self.column += 1;
    }
}

/// A command to run on a terminal.
pub struct OnTerminal {
    command: Command,
    size: (u16, u16),
    stdout: bool,
}

impl OnTerminal {
    /// `plan` with these arguments, no history, and a capable terminal.
    pub fn plan(args: &[&str]) -> OnTerminal {
        let mut command = Command::new(binary());
        command.args(args);
        OnTerminal::new(command)
    }

    /// Any command.
    pub fn new(mut command: Command) -> OnTerminal {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("PLAN") || name == "NO_COLOR" {
                command.env_remove(&name);
            }
        }
        command.env("TERM", "xterm").env("PLAN_HISTORY", "");
        OnTerminal {
            command,
            size: SIZE,
            stdout: true,
        }
    }

    pub fn env(mut self, name: &str, value: &str) -> OnTerminal {
        self.command.env(name, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> OnTerminal {
        self.command.current_dir(dir);
        self
    }

    /// Rows and columns of the window.
    pub fn size(mut self, rows: u16, columns: u16) -> OnTerminal {
        self.size = (rows, columns);
        self
    }

    /// Standard output goes to this file instead of the terminal.
    pub fn stdout_to(mut self, path: &Path) -> OnTerminal {
        let file = File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.command.stdout(file);
        self.stdout = false;
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let name = name.into_string().unwrap();
        // Not close-on-exec as a controlling terminal: the options of `open` leave that to the child.
        let slave = File::options().read(true).write(true).open(&name).unwrap();
        let stream = || Stdio::from(slave.try_clone().unwrap());
        self.command.stdin(stream()).stderr(stream());
        if self.stdout {
            self.command.stdout(stream());
        }
        // SAFETY: see the head of the file.
        unsafe {
            self.command.pre_exec(|| {
                setsid()?;
                Ok(ioctl_tiocsctty(std::io::stdin())?)
            });
        }
        let mut terminal = Terminal {
            settings: tcgetattr(&slave).unwrap(),
            master: File::from(master),
            slave,
            child: None,
            shown: Arc::default(),
        };
        terminal.resize(self.size.0, self.size.1);
        terminal.shown.0.lock().unwrap().rows.push(Vec::new());
        terminal.watch();
        terminal.child = Some(self.command.spawn().unwrap());
        terminal
    }
}

/// A process on a terminal.
pub struct Terminal {
    master: File,
    slave: File,
    child: Option<Child>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    /// The settings before the process started.
    settings: Termios,
}

impl Terminal {
    /// Collects what comes, in a thread that ends with the terminal.
    fn watch(&self) {
        let mut master = self.master.try_clone().unwrap();
        let shown = Arc::clone(&self.shown);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = master.read(&mut buffer) {
                shown.0.lock().unwrap().feed(&buffer[..count]);
                shown.1.notify_all();
            }
            shown.0.lock().unwrap().over = true;
            shown.1.notify_all();
        });
    }

    /// Sets rows and columns of the window.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.master, size).unwrap();
        let mut shown = self.shown.0.lock().unwrap();
        (shown.height, shown.width) = (rows.into(), columns.into());
    }

    /// Types these bytes.
    pub fn keys(&mut self, keys: &str) -> &mut Terminal {
        self.master.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits until the screen ends with this text, blanks at line ends aside.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> &mut Terminal {
        self.wait(text, |shown| shown.text().ends_with(text));
        self
    }

    /// Waits until the screen holds this text and ends with an empty prompt.
    #[track_caller]
    pub fn answers(&mut self, text: &str) -> &mut Terminal {
        self.wait(text, |shown| {
            let screen = shown.text();
            screen.contains(text) && screen.ends_with("\n>")
        });
        self
    }

    #[track_caller]
    fn wait(&self, wanted: &str, is_there: impl Fn(&Shown) -> bool) {
        let start = Instant::now();
        let mut shown = self.shown.0.lock().unwrap();
        while !is_there(&shown) {
            let left = LIMIT.saturating_sub(start.elapsed());
            if left.is_zero() || shown.over {
                panic!("wanted {wanted:?}, the screen is:\n{}\n--", shown.text());
            }
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// All bytes that came.
    pub fn bytes(&self) -> Vec<u8> {
        self.shown.0.lock().unwrap().bytes.clone()
    }

    /// Row of the cursor from the top of what was shown, and column, from 0.
    pub fn cursor(&self) -> (usize, usize) {
        let shown = self.shown.0.lock().unwrap();
        (shown.row, shown.column)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits for the end of the process, which must leave the terminal as it was; its status.
    #[track_caller]
    pub fn status(&mut self) -> Option<i32> {
        let start = Instant::now();
        let child = self.child.as_mut().unwrap();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                let now = tcgetattr(&self.slave).unwrap();
                let same = now.local_modes == self.settings.local_modes
                    && now.input_modes == self.settings.input_modes;
                assert!(same, "the terminal was left in another mode");
                return status.code();
            }
            assert!(start.elapsed() < LIMIT, "the process does not end");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // One that has ended already needs neither.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
