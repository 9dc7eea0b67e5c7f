//! What the executable is: read as a file, and started once.
//!
//! Promises:
//! - static and freestanding: no interpreter, no dynamic section, no undefined symbol;
//! - fixed at 0x400000, ending below 0x4fe000, where images map their stub;
//! - under 512 KB, the prepared library apart; no segment both writable and executable; the stack not executable;
//! - the section header table is the last thing in the file;
//! - `--help` and `--version` answer on standard output with status 0, a wrong command line on
//!   standard error with status 2.

mod common;

use common::{plan, plan_path};
use std::fs;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const SHT_SYMTAB: u32 = 2;
const SHT_RELA: u32 = 4;
const SHT_DYNAMIC: u32 = 6;
const SHT_REL: u32 = 9;
const SHT_DYNSYM: u32 = 11;

/// The file and little-endian access to it.
struct Elf(Vec<u8>);

impl Elf {
    fn open() -> Elf {
        Elf(fs::read(plan_path()).expect("the executable is readable"))
    }

    fn u16(&self, at: usize) -> usize {
        usize::from(u16::from_le_bytes(self.0[at..at + 2].try_into().unwrap()))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().unwrap())
    }

    fn offset(&self, at: usize) -> usize {
        usize::try_from(self.u64(at)).unwrap()
    }

    /// Offsets of the program headers.
    fn segments(&self) -> Vec<usize> {
        let (start, size, count) = (self.offset(32), self.u16(54), self.u16(56));
        (0..count).map(|i| start + i * size).collect()
    }

    /// Bytes of the section that holds the prepared library, which is data and not code.
    fn library(&self) -> usize {
        let sections = self.sections();
        let names = self.offset(sections[self.u16(62)] + 24);
        let name = |at: &usize| &self.0[names + self.u32(*at) as usize..][..9];
        let library = sections.iter().find(|at| name(at) == b".library\0");
        self.offset(library.expect("a section .library") + 32)
    }

    /// Offsets of the section headers.
    fn sections(&self) -> Vec<usize> {
        let (start, size, count) = (self.offset(40), self.u16(58), self.u16(60));
        (0..count).map(|i| start + i * size).collect()
    }
}

#[test]
fn it_is_a_static_executable_at_a_fixed_address() {
    let elf = Elf::open();
    assert_eq!(
        &elf.0[..7],
        b"\x7fELF\x02\x01\x01",
        "ELF, 64 bit, little endian, version 1"
    );
    assert_eq!(elf.u16(16), 2, "ET_EXEC");
    assert_eq!(elf.u16(18), 62, "x86-64");
    let loads: Vec<_> = elf
        .segments()
        .into_iter()
        .filter(|at| elf.u32(*at) == PT_LOAD)
        .collect();
    assert_eq!(
        loads.iter().map(|at| elf.u64(at + 16)).min(),
        Some(0x40_0000)
    );
    let end = loads
        .iter()
        .map(|at| elf.u64(at + 16) + elf.u64(at + 40))
        .max();
    assert!(end <= Some(0x4f_e000), "ends at {end:x?}");
}

#[test]
fn it_needs_no_interpreter_and_no_dynamic_linker() {
    let elf = Elf::open();
    for at in elf.segments() {
        assert!(![PT_DYNAMIC, PT_INTERP].contains(&elf.u32(at)));
    }
    for at in elf.sections() {
        assert!(![SHT_DYNAMIC, SHT_DYNSYM].contains(&elf.u32(at + 4)));
    }
}

#[test]
fn it_has_no_undefined_symbols() {
    let elf = Elf::open();
    // A stripped executable has no symbol table; what a linker left open would then show as a
    // relocation.
    for at in elf.sections() {
        assert!(![SHT_RELA, SHT_REL].contains(&elf.u32(at + 4)));
    }
    for at in elf
        .sections()
        .into_iter()
        .filter(|at| elf.u32(at + 4) == SHT_SYMTAB)
    {
        let (start, size) = (elf.offset(at + 24), elf.offset(at + 32));
        // Entry 0 is the null symbol; every other one must say which section defines it.
        for symbol in (start..start + size).step_by(24).skip(1) {
            assert_ne!(elf.u16(symbol + 6), 0, "undefined symbol at {symbol:#x}");
        }
    }
}

#[test]
fn no_memory_is_writable_and_executable() {
    let elf = Elf::open();
    for at in elf.segments() {
        let flags = elf.u32(at + 4);
        assert_ne!(
            flags & (PF_W | PF_X),
            PF_W | PF_X,
            "segment header at {at:#x}"
        );
    }
    let stack = elf
        .segments()
        .into_iter()
        .find(|at| elf.u32(*at) == PT_GNU_STACK);
    let stack = stack.expect("a header that says whether the stack is executable");
    assert_eq!(elf.u32(stack + 4) & PF_X, 0);
}

/// Otherwise each start would map and copy a page of the file.
#[test]
fn all_variables_begin_as_zeros() {
    let elf = Elf::open();
    let writable = elf
        .segments()
        .into_iter()
        .filter(|at| elf.u32(at + 4) & PF_W != 0);
    let in_file: Vec<_> = writable.map(|at| elf.offset(at + 32)).collect();
    assert!(
        in_file.len() == 2 && in_file.iter().all(|bytes| *bytes == 0),
        "{in_file:?}"
    );
}

#[test]
fn it_is_small_and_ends_with_its_section_headers() {
    let elf = Elf::open();
    let runtime = elf.0.len() - elf.library();
    assert!(runtime < 512 * 1024, "{runtime} bytes");
    let sections = elf.sections();
    assert!(!sections.is_empty());
    assert_eq!(elf.offset(40) + sections.len() * elf.u16(58), elf.0.len());
    for at in sections {
        let (kind, start, size) = (elf.u32(at + 4), elf.offset(at + 24), elf.offset(at + 32));
        // SHT_NOBITS (8) occupies nothing.
        assert!(kind == 8 || start + size <= elf.offset(40));
    }
}

#[test]
fn help_and_version_answer_on_standard_output() {
    let version = plan(&["--version"]);
    assert_eq!(
        version.stdout,
        format!("plan {}\n", env!("CARGO_PKG_VERSION")).as_bytes()
    );
    assert_eq!(
        (version.status.code(), version.stderr.as_slice()),
        (Some(0), &b""[..])
    );
    for words in [
        &["--help"][..],
        &["run", "--help"],
        &["rpn", "--help"],
        &["seed", "--help"],
    ] {
        let help = plan(words);
        assert!(String::from_utf8(help.stdout).unwrap().contains("plan "));
        assert_eq!(
            (help.status.code(), help.stderr.as_slice()),
            (Some(0), &b""[..])
        );
    }
}

#[test]
fn a_wrong_command_line_is_one_line_and_status_2() {
    for words in [&["--nope"][..], &["rpn", "x"], &["run"], &["run", "--nope"]] {
        let wrong = plan(words);
        let message = String::from_utf8(wrong.stderr).unwrap();
        assert_eq!(
            (wrong.status.code(), wrong.stdout.as_slice()),
            (Some(2), &b""[..]),
            "{words:?}"
        );
        assert!(
            message.starts_with("plan: ") && message.ends_with(")\n"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn a_full_or_closed_standard_output_is_reported() {
    let path = plan_path();
    let path = path.to_str().unwrap();
    for (redirect, why) in [
        (">/dev/full", "no space left on device"),
        (">&-", "bad file descriptor"),
    ] {
        let shell = std::process::Command::new("sh")
            .args(["-c", &format!("exec \"$0\" --help {redirect}"), path])
            .output()
            .unwrap();
        let message = String::from_utf8(shell.stderr).unwrap();
        assert_eq!(shell.status.code(), Some(3), "{redirect}");
        assert!(
            message.starts_with("plan: standard output: cannot write: "),
            "{message}"
        );
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn it_starts_without_arguments_or_environment() {
    let output = std::process::Command::new(plan_path())
        .env_clear()
        .arg("--version")
        .output();
    assert_eq!(output.unwrap().status.code(), Some(0));
}
