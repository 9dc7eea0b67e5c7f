//! Runs a program and lets system calls of it fail, by `ptrace`.
//!
//! Invariants:
//! - calls are counted from the last of `execs` programs that the process executes on, over all of
//!   its threads, in the order in which they are made;
//! - a call that is to fail is not made; one that is to be short is made with half the length;
//! - the process ends with the thread that traces it.
//!
//! Safety: raw system calls; what the kernel reads and writes lives across the call.
#![allow(unsafe_code)]

use super::support::process::spawn;
use plan::os::sys;
use std::collections::HashMap;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What goes wrong with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It answers with this error.
    Fails(u32),
    /// It transfers half of what it should.
    Short,
    /// The process is killed instead.
    Kills,
}

/// In the place of the number of a system call: those whose failure a program can see, all but those
/// that do not return.
pub const ANY: u64 = u64::MAX;
const NEVER_RETURN: [u64; 2] = [15, 231];

/// Which call goes wrong, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The number of the system call, or [`ANY`].
    pub number: u64,
    /// Which of the calls with this number, counted from 1; 0: none.
    pub call: usize,
    pub fault: Fault,
    /// All later ones, too.
    pub lasting: bool,
}

/// What a process did.
#[derive(Debug)]
pub struct Traced {
    pub stdout: String,
    pub stderr: String,
    /// Its status; `None` if a signal ended it.
    pub status: Option<u32>,
    /// The calls, and how many of them went wrong.
    pub calls: Vec<u64>,
    pub hits: usize,
}

const PTRACE: u64 = 101;
const WAIT4: u64 = 61;
const KILL: u64 = 62;
const PEEK_DATA: u64 = 2;
const PEEK_USER: u64 = 3;
const POKE_USER: u64 = 6;
const GO_ON: u64 = 24;
const OPTIONS: u64 = 0x4200;
/// `pwritev`, and `pwrite64`, which writes one part of it.
pub const WRITE_PARTS: u64 = 296;
const WRITE: u64 = 18;
/// Where the registers are that a call arrives and returns with.
const ORIG_RAX: u64 = 15 * 8;
const RAX: u64 = 10 * 8;
const RDX: u64 = 12 * 8;
const RSI: u64 = 13 * 8;

fn ptrace(request: u64, pid: u64, address: u64, data: u64) -> i64 {
    // SAFETY: `data` is a number, or the address of a word of the caller for what is peeked.
    unsafe { sys::raw(PTRACE, [request, pid, address, data, 0, 0]) as i64 }
}

fn peek(pid: u64, register: u64) -> u64 {
    look(PEEK_USER, pid, register)
}

fn look(request: u64, pid: u64, at: u64) -> u64 {
    let mut word = 0u64;
    ptrace(request, pid, at, (&raw mut word).addr() as u64);
    word
}

/// Lets the call that a thread is about to make transfer half of what it should, or of its first part
/// that is not empty. The registers are to be set again afterwards.
fn halve(pid: u64, number: u64) -> [(u64, u64); 2] {
    let before = [RSI, RDX].map(|register| (register, peek(pid, register)));
    if number == WRITE_PARTS {
        let word = |i: u64| look(PEEK_DATA, pid, before[0].1 + 8 * i);
        let part = (0..before[1].1).find(|i| word(2 * i + 1) > 0).unwrap_or(0);
        ptrace(POKE_USER, pid, ORIG_RAX, WRITE);
        ptrace(POKE_USER, pid, RSI, word(2 * part));
        ptrace(POKE_USER, pid, RDX, word(2 * part + 1).div_ceil(2));
    } else {
        ptrace(POKE_USER, pid, RDX, before[1].1.div_ceil(2));
    }
    before
}

/// The next change of any process or thread that is traced: which, and its status.
fn wait() -> Option<(u64, u32)> {
    let mut status = 0u32;
    let at = (&raw mut status).addr() as u64;
    let all = 0x4000_0000;
    // SAFETY: the kernel writes the status.
    let pid = unsafe { sys::raw(WAIT4, [u64::MAX, at, all, 0, 0, 0]) as i64 };
    (pid > 0).then_some((pid as u64, status))
}

/// What is known of a thread.
#[derive(Default)]
struct Thread {
    inside: bool,
    /// What the call it is in is to answer.
    answer: Option<i64>,
    /// What its registers are to hold afterwards.
    restore: Option<[(u64, u64); 2]>,
}

struct Tracer {
    plan: Plan,
    execs: usize,
    calls: Vec<u64>,
    /// Those with the number of the plan.
    met: usize,
    hits: usize,
}

impl Tracer {
    fn entered(&mut self, pid: u64, thread: &mut Thread) {
        let number = peek(pid, ORIG_RAX);
        if self.execs > 0 {
            self.execs -= usize::from(number == 59);
            return;
        }
        self.calls.push(number);
        let wanted = self.plan.number;
        let meant = number == wanted || wanted == ANY && !NEVER_RETURN.contains(&number);
        self.met += usize::from(meant);
        let due = self.met == self.plan.call || self.plan.lasting && self.met > self.plan.call;
        if !meant || self.plan.call == 0 || !due {
            return;
        }
        self.hits += 1;
        match self.plan.fault {
            Fault::Fails(errno) => {
                ptrace(POKE_USER, pid, ORIG_RAX, u64::MAX);
                thread.answer = Some(-i64::from(errno));
            }
            Fault::Short => {
                thread.restore = Some(halve(pid, number));
            }
            Fault::Kills => {
                ptrace(POKE_USER, pid, ORIG_RAX, u64::MAX);
                // SAFETY: touches no memory; the process is a child of this one.
                unsafe { sys::raw(KILL, [pid, 9, 0, 0, 0, 0]) };
            }
        }
    }

    fn run(&mut self, main: u64) -> Option<u32> {
        let mut threads: HashMap<u64, Thread> = HashMap::new();
        let mut end = None;
        while let Some((pid, status)) = wait() {
            if status & 0x7F != 0x7F {
                if pid == main {
                    end = (status & 0x7F == 0).then_some(status >> 8 & 0xFF);
                }
                threads.remove(&pid);
                continue;
            }
            let known = threads.contains_key(&pid);
            let thread = threads.entry(pid).or_default();
            let mut signal = u64::from(status >> 8 & 0xFF);
            if signal == 5 | 0x80 {
                signal = 0;
                thread.inside = !thread.inside;
                if thread.inside {
                    self.entered(pid, thread);
                } else {
                    let answer = thread.answer.take().map(|answer| (RAX, answer as u64));
                    let registers = thread.restore.take().into_iter().flatten();
                    for (register, word) in answer.into_iter().chain(registers) {
                        ptrace(POKE_USER, pid, register, word);
                    }
                }
            } else if !known || signal == 5 {
                // The first stop of a thread, and of a program that has been executed.
                if !known && pid == main {
                    // Good syscall stops, new threads, end with the tracer.
                    ptrace(OPTIONS, pid, 0, 1 | 8 | 0x10_0000);
                }
                signal = 0;
            }
            ptrace(GO_ON, pid, 0, signal);
        }
        end
    }
}

/// Runs `command` to its end, and lets calls fail once it has executed `execs` further programs. No
/// other process may be waited for meanwhile.
#[allow(clippy::zombie_processes)] // the tracer waits for it
pub fn run(command: &mut Command, execs: usize, plan: Plan) -> Traced {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: one system call, which concerns the child alone.
    unsafe {
        command.pre_exec(|| match ptrace(0, 0, 0, 0) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(-error as i32)),
        });
    }
    let mut child = spawn(command).expect("a process that can be traced");
    let mut tracer = Tracer {
        plan,
        execs,
        calls: Vec::new(),
        met: 0,
        hits: 0,
    };
    let status = tracer.run(u64::from(child.id()));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    // It has ended, and said less than a pipe holds.
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = out.map(|mut out| out.read_to_string(&mut stdout));
    assert!(read.is_some_and(|read| read.is_ok()));
    let read = err.map(|mut err| err.read_to_string(&mut stderr));
    assert!(read.is_some_and(|read| read.is_ok()));
    Traced {
        stdout,
        stderr,
        status,
        calls: tracer.calls,
        hits: tracer.hits,
    }
}
