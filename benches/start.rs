//! Measures how long an image takes to start, beside an executable that does nothing.
//!
//!     make && cargo bench --bench start
//!
//! Each program writes a byte to a pipe as its first act and ends. Two times are taken, both from
//! before the process is made: to the arrival of the byte (*first*), and to the end of the process
//! (*end*). The executables are started in turn, so that a machine that changes its speed does it
//! to all. The table goes to standard output as Markdown; `docs/benchmarks.md` says what the rows
//! mean. `PLAN_BENCH_RUNS` is the number of starts of each, 2000 unless set. An image starts
//! otherwise where its process has privileges: `setpriv --inh-caps=-all --bounding-set=-all`
//! before the command drops them.
//!
//! Invariants:
//! - a start counts only if it ends with status 0;
//! - what is measured besides the start is the same for all: a pipe, and `Command`.

#[allow(dead_code)] // only the path of the executable is used here
#[path = "../tests/common/mod.rs"]
mod common;

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where the executables are kept while this runs.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// Writes a byte and ends.
const NOTHING: &str = "
    .intel_syntax noprefix
    .globl _start
_start:
    mov eax, 1
    mov edi, 1
    lea rsi, [rip + byte]
    mov edx, 1
    syscall
    mov eax, 231
    xor edi, edi
    syscall
byte: .byte 'x'
";

/// Executes that from a memory file: what the kernel makes everybody pay who wants to write the file
/// that was executed, and must not say that it executes another one.
const TWICE: &str = "
    .intel_syntax noprefix
    .globl _start
_start:
    mov rbp, rsp
    mov eax, 319                # memfd_create(name, MFD_CLOEXEC | MFD_EXEC)
    lea rdi, [rip + name]
    mov esi, 0x11
    syscall
    mov ebx, eax
    mov eax, 1                  # write(file, nothing)
    mov edi, ebx
    lea rsi, [rip + nothing]
    mov edx, offset nothing_length
    syscall
    mov eax, 322                # execveat(file, \"\", argv, envp, AT_EMPTY_PATH)
    mov edi, ebx
    lea rsi, [rip + name + 4]
    lea rdx, [rbp + 8]
    lea r10, [rbp + 24]
    mov r8d, 0x1000
    syscall
    ud2
name: .asciz \"plan\"
nothing: .incbin \"nothing\"
    .set nothing_length, . - nothing
";

/// The same in Wisp.
const PROGRAM: &str = "(require \"std\")
(define main {x -> (Sub 1 (xwrite 1 120 1 0))})";

type Error = Box<dyn std::error::Error>;

/// Builds a static executable of these instructions.
fn assemble(name: &str, source: &str) -> Result<PathBuf, Error> {
    let path = Path::new(SCRATCH).join(name);
    let mut cc = Command::new("cc")
        .args([
            "-nostdlib",
            "-static",
            "-no-pie",
            "-Wl,--build-id=none,-z,noexecstack",
        ])
        .args(["-x", "assembler", "-", "-o", name])
        .current_dir(SCRATCH)
        .stdin(Stdio::piped())
        .spawn()?;
    cc.stdin
        .take()
        .ok_or("no pipe")?
        .write_all(source.as_bytes())?;
    if cc.wait()?.success() {
        Ok(path)
    } else {
        Err(format!("{name}: not built").into())
    }
}

/// The program as what the tool makes of it by these words.
fn made(name: &str, words: &[&str]) -> Result<PathBuf, Error> {
    let source = Path::new(SCRATCH).join("first.wisp");
    fs::write(&source, PROGRAM)?;
    let path = Path::new(SCRATCH).join(name);
    let mut tool = Command::new(common::plan_path());
    let status = tool.args(words).arg(source).arg("-o").arg(&path).status()?;
    if status.success() {
        Ok(path)
    } else {
        Err(format!("{name}: {status}").into())
    }
}

/// The image, with a file of this length.
fn image_of(name: &str, length: u64) -> Result<PathBuf, Error> {
    let path = made(name, &["build"])?;
    let file = OpenOptions::new().write(true).open(&path)?;
    if file.metadata()?.len() < length {
        file.set_len(length)?;
    }
    Ok(path)
}

/// Microseconds from before the start to the first byte, and to after the end.
fn start(words: &[&str]) -> Result<[f64; 2], Error> {
    let (mut read, write) = std::io::pipe()?;
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(write);
    let before = Instant::now();
    let mut child = command.spawn()?;
    // The command has the other end, too.
    drop(command);
    let mut byte = [0];
    let count = read.read(&mut byte)?;
    let first = before.elapsed();
    let status = child.wait()?;
    let end = before.elapsed();
    if status.success() && count == 1 {
        Ok([first, end].map(|time| time.as_secs_f64() * 1e6))
    } else {
        Err(format!("{words:?}: {status}, {count} bytes").into())
    }
}

fn main() -> Result<(), Error> {
    let runs = std::env::var("PLAN_BENCH_RUNS").map_or(Ok(2000), |runs| runs.parse::<usize>())?;
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let tool = text(common::plan_path());
    let image = text(image_of("start-image", 0)?);
    let large = text(image_of("start-large", 20_000_000_000)?);
    let seed = text(made("start.seed", &["seed", "save"])?);
    let (nothing, twice) = (assemble("nothing", NOTHING)?, assemble("twice", TWICE)?);
    let (nothing, twice) = (text(nothing), text(twice));
    let rows = [
        ("nothing", vec![&nothing[..]]),
        ("nothing, executed twice", vec![&twice]),
        ("plan --version", vec![&tool, "--version"]),
        ("plan run SEED", vec![&tool, "run", &seed]),
        ("image", vec![&image]),
        ("image, 20 GB", vec![&large]),
    ];
    let mut times = vec![[Vec::with_capacity(runs), Vec::with_capacity(runs)]; rows.len()];
    for _ in 0..runs {
        for ((_, words), times) in rows.iter().zip(&mut times) {
            let taken = start(words)?;
            times
                .iter_mut()
                .zip(taken)
                .for_each(|(all, one)| all.push(one));
        }
    }
    println!("| start | first | fastest tenth | ratio | end | fastest tenth | ratio |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let mut base = [None; 2];
    for ((name, _), times) in rows.iter().zip(&mut times) {
        print!("| {name} |");
        for (times, base) in times.iter_mut().zip(&mut base) {
            times.sort_by(f64::total_cmp);
            let median = times[runs / 2];
            let ratio = median / *base.get_or_insert(median);
            print!(" {median:.0} | {:.0} | {ratio:.2} |", times[runs / 10]);
        }
        println!();
    }
    Ok(())
}
