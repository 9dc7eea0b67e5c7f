//! Measures how long an image takes to start, beside an executable that does nothing.
//!
//!     make && cargo bench --bench start
//!
//! The executables are started in turn, so that a machine that changes its speed does it to all. The
//! table goes to standard output as Markdown; `docs/benchmarks.md` says what the rows mean.
//! `PLAN_BENCH_RUNS` is the number of starts of each, 2000 unless set.
//!
//! Invariants:
//! - a start counts only if it ends with status 0.

#[allow(dead_code)] // only the path of the executable is used here
#[path = "../tests/common/mod.rs"]
mod common;
#[allow(dead_code)] // no shell is needed here
#[path = "../tests/common/image.rs"]
mod image;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where the executables are kept while this runs.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// Ends at its first instruction.
const NOTHING: &str = "
    .intel_syntax noprefix
    .globl _start
_start:
    mov eax, 231
    xor edi, edi
    syscall
";

/// Executes that from a memory file: what the kernel makes everybody pay who wants to write the file
/// that was executed.
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

/// An image whose file has this length.
fn image_of(name: &str, length: u64) -> Result<PathBuf, Error> {
    let path = Path::new(SCRATCH).join(name);
    image::make_image(&path);
    let file = OpenOptions::new().write(true).open(&path)?;
    if file.metadata()?.len() < length {
        file.set_len(length)?;
    }
    Ok(path)
}

/// Microseconds from before the start to after the end.
fn start(program: &Path, words: &[&str]) -> Result<f64, Error> {
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let before = Instant::now();
    let status = command.status()?;
    let time = before.elapsed();
    if status.success() {
        Ok(time.as_secs_f64() * 1e6)
    } else {
        Err(format!("{}: {status}", program.display()).into())
    }
}

fn main() -> Result<(), Error> {
    let runs = std::env::var("PLAN_BENCH_RUNS").map_or(Ok(2000), |runs| runs.parse::<usize>())?;
    let none: &[&str] = &[];
    let rows = [
        ("nothing", assemble("nothing", NOTHING)?, none),
        ("nothing, executed twice", assemble("twice", TWICE)?, none),
        ("plan --version", common::plan_path(), &["--version"]),
        ("image", image_of("start-image", 0)?, none),
        (
            "image, 20 GB",
            image_of("start-large", 20_000_000_000)?,
            none,
        ),
    ];
    let mut times = vec![Vec::with_capacity(runs); rows.len()];
    for _ in 0..runs {
        for ((_, program, words), times) in rows.iter().zip(&mut times) {
            times.push(start(program, words)?);
        }
    }
    println!("| start and end | µs | fastest tenth | ratio |\n|---|---|---|---|");
    let mut base = None;
    for ((name, ..), times) in rows.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let median = times[runs / 2];
        let ratio = median / *base.get_or_insert(median);
        println!(
            "| {name} | {median:.0} | {:.0} | {ratio:.2} |",
            times[runs / 10]
        );
    }
    Ok(())
}
