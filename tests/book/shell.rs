//! Runs the console blocks of a page, in order, by one shell, and compares what it shows.
//!
//! Invariants:
//! - a line `$ command` is a command, lines `> more` behind it continue it, what follows is all that
//!   the command writes to either stream; a line `...` stands for any number of lines;
//! - `plan` is the executable under test; the shell and what it started are ended by the number of
//!   their process group, when the page is done or its time is over;
//! - `make` compiles nothing here: the tests run behind it;
//! - with PLAN_BLESS=1 pages are not judged: what the commands write is written into them.

use super::page::{Kind, Page, root};
use crate::support::process::binary;
use crate::support::scratch_dir;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The shell ends its process group itself, while its number is still its own.
const END: &str = "\nkill -s KILL -- -$$\n";

const LIMIT: Duration = Duration::from_secs(120);

struct Step {
    /// The number of the line of the command on the page.
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn steps(first_line: usize, lines: &[String], name: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, number) in lines.iter().zip(first_line..) {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                line: number,
                command: command.into(),
                expected: Vec::new(),
            });
            continue;
        }
        let step = steps.last_mut();
        let step = step.unwrap_or_else(|| panic!("{name}:{number}: output without a command"));
        match line.strip_prefix("> ") {
            Some(more) if step.expected.is_empty() => step.command += &format!("\n{more}"),
            _ => step.expected.push(line.clone()),
        }
    }
    steps
}

/// Runs a page's commands: their number.
pub fn check(page: &Page) -> usize {
    let dir = scratch_dir("book-console");
    let (mut script, mut all) = (String::new(), Vec::new());
    for block in &page.blocks {
        if let Kind::File(name) = &block.kind {
            let copy = dir.join(format!(".{}-{name}", block.first_line));
            fs::write(&copy, block.lines.join("\n") + "\n").expect("a scratch file");
            script += &format!("cp '{}' '{}'\n", copy.display(), dir.join(name).display());
        }
        if !block.kind.is_console() {
            continue;
        }
        let root = root();
        let place = if block.kind == Kind::Root {
            &root
        } else {
            &dir
        };
        script += &format!("cd '{}'\n", place.display());
        for step in steps(block.first_line, &block.lines, &page.name) {
            // The mark keeps the status of the command before, so that a page can show it.
            script += &format!("book=$?; printf '\\n@@{}\\n'; (exit $book)\n", step.line);
            script += &format!("{}\n", step.command);
            all.push(step);
        }
    }
    if all.is_empty() {
        return 0;
    }
    let output = run(&script, &dir);
    if std::env::var_os("PLAN_BLESS").is_some() {
        bless(page, &all, &output);
    } else {
        all.iter().for_each(|step| judge(page, step, &output));
    }
    all.len()
}

/// What a command writes, without blanks at the end.
fn written<'a>(page: &Page, step: &Step, output: &'a str) -> Vec<&'a str> {
    let mark = format!("\n@@{}\n", step.line);
    let Some((_, behind)) = output.split_once(&mark) else {
        let place = format!("{}:{}: $ {}", page.name, step.line, step.command);
        panic!("{place}: was not reached within {LIMIT:?}; so far:\n{output}");
    };
    let got = behind.split("\n@@").next().expect("a part");
    got.trim_end().lines().map(str::trim_end).collect()
}

fn judge(page: &Page, step: &Step, output: &str) {
    let got = written(page, step, output);
    let expected: Vec<&str> = step.expected.iter().map(String::as_str).collect();
    assert!(
        matches(&expected, &got),
        "{}:{}: $ {}\n--- the page says:\n{}\n--- it writes:\n{}\n(PLAN_BLESS=1 cargo test \
         --test book commands writes it into the page)",
        page.name,
        step.line,
        step.command,
        expected.join("\n"),
        got.join("\n")
    );
}

/// Writes what the commands write into the page, but where `...` matches it.
fn bless(page: &Page, all: &[Step], output: &str) {
    let mut lines: Vec<&str> = page.text.lines().collect();
    for step in all.iter().rev() {
        let got = written(page, step, output);
        let expected: Vec<&str> = step.expected.iter().map(String::as_str).collect();
        if !(matches(&expected, &got)) {
            // Numbers of lines count from 1, so this is the line behind the command's.
            let from = step.line + step.command.matches('\n').count();
            lines.splice(from..from + expected.len(), got);
        }
    }
    fs::write(&page.path, lines.join("\n") + "\n").expect("the page is writable");
}

/// Whether the lines are those expected, `...` standing for any number of lines.
fn matches(expected: &[&str], got: &[&str]) -> bool {
    match expected.split_first() {
        None => got.is_empty(),
        Some((&"...", rest)) => (0..=got.len()).any(|skip| matches(rest, &got[skip..])),
        Some((first, rest)) => got
            .split_first()
            .is_some_and(|(line, more)| line == first && matches(rest, more)),
    }
}

/// Everything that a script writes.
fn run(script: &str, dir: &Path) -> String {
    let programs = scratch_dir("book-path");
    std::os::unix::fs::symlink(binary(), programs.join("plan")).expect("a link");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("exec 2>&1\n{script}{END}"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLAN") {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(dir)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HOME", dir)
        .env("REPOSITORY", root())
        .env("MAKEFLAGS", "--no-print-directory -- CARGO=true")
        .env("LC_ALL", "C")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("a shell");
    let mut pipe = child.stdout.take().expect("its output");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    wait(&mut child);
    reader.join().expect("the output")
}

/// Waits for the end, which the process group is brought to when its time is over.
fn wait(child: &mut Child) {
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() >= LIMIT {
            let group = format!("-{}", child.id());
            let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
            assert!(killed.is_ok_and(|status| status.success()), "no end");
            child.wait().expect("its end");
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn self_test() {
    let lines = ["$ a \\", "> b", "out", "$ c"].map(String::from);
    let read = steps(5, &lines, "page");
    assert_eq!((read[0].command.as_str(), read[0].line), ("a \\\nb", 5));
    assert_eq!(
        (read[0].expected.join("|").as_str(), read[1].line),
        ("out", 8)
    );
    assert!(matches(&["a", "...", "b"], &["a", "b"]));
    assert!(matches(&["a", "...", "b"], &["a", "x", "y", "b"]));
    assert!(!matches(&["a", "..."], &["b"]));
    assert!(!matches(&["a"], &["a", "b"]));
    let dir = scratch_dir("book-self");
    let got = run(
        "printf '\\n@@1\\n'; false; book=$?; echo $book >&2; sleep 90 &",
        &dir,
    );
    assert_eq!(got, "\n@@1\n1\n");
}
