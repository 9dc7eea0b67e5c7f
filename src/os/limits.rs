//! How much of the machine this process may use.
//!
//! Invariants:
//! - every number is bytes; "no limit" is `None`, never a huge number;
//! - a source that cannot be read (no `/proc`, no `/sys`, an empty container) counts as no limit;
//! - of main memory, the machine's or that of a control group, an eighth is left for what a process
//!   costs besides its own pages: page tables, buffers of the kernel, other processes;
//! - swap space counts as memory where the control group grants it: a program larger than main memory
//!   becomes slow, it does not end.
//!
//! Safety: the kernel writes structures of the sizes given here.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file;
use super::sys::{Sysno, call};
use alloc::vec::Vec;

/// A resource limit the kernel keeps per process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Bytes of a file that is written.
    FileSize = 1,
    /// Bytes of the native stack.
    Stack = 3,
    /// Bytes of private memory that can be written.
    Data = 2,
    /// Bytes of address space.
    AddressSpace = 9,
}

/// The kernel's "no limit".
const INFINITY: u64 = u64::MAX;

/// `struct sysinfo` of x86-64: 112 bytes.
#[repr(C)]
#[derive(Default)]
struct SysInfo {
    uptime: u64,
    loads: [u64; 3],
    total_ram: u64,
    others: [u64; 3],
    total_swap: u64,
    rest: [u64; 4],
    unit: u32,
    pad: u32,
}

const _: () = assert!(size_of::<SysInfo>() == 112);

/// Memory, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Main memory.
    pub main: u64,
    /// Swap space.
    pub swap: u64,
}

impl Memory {
    /// What a process may sensibly use of it.
    fn usable(self) -> u64 {
        (self.main / 8 * 7).saturating_add(self.swap)
    }
}

/// The memory of the machine.
pub fn physical_memory() -> Result<Memory, Errno> {
    let mut info = SysInfo::default();
    // SAFETY: the kernel writes 112 bytes, the size of `info`.
    unsafe { call(Sysno::sysinfo, [(&raw mut info).expose_provenance()])? };
    let unit = u64::from(info.unit.max(1));
    Ok(Memory {
        main: info.total_ram.saturating_mul(unit),
        swap: info.total_swap.saturating_mul(unit),
    })
}

/// The soft limit of a resource.
pub fn limit(resource: Resource) -> Option<u64> {
    let mut pair = [INFINITY; 2];
    let args = [0, resource as usize, 0, (&raw mut pair).expose_provenance()];
    // SAFETY: the kernel writes 16 bytes, soft and hard limit; process 0 is this one, and a null
    // third argument changes nothing.
    unsafe { call(Sysno::prlimit64, args) }.ok()?;
    (pair[0] != INFINITY).then_some(pair[0])
}

/// The number in a control file such as `memory.max`; `max` and unreadable files are no limit.
fn number_in(path: &[u8]) -> Option<u64> {
    let text = file::read_whole(path).ok()?;
    core::str::from_utf8(&text).ok()?.trim().parse().ok()
}

/// `prefix`, `dir` and `name` as one path.
fn join(prefix: &[u8], dir: &[u8], name: &[u8]) -> Vec<u8> {
    [prefix, dir.strip_suffix(b"/").unwrap_or(dir), name].concat()
}

/// What a group at `dir`, an absolute path, may use of a swap space of so many bytes.
type Limit = fn(dir: &[u8], swap: u64) -> Option<u64>;

/// Version 2. Above `memory.high` the kernel slows a group down until it hardly moves, so that is a
/// limit, too.
fn unified(dir: &[u8], swap: u64) -> Option<u64> {
    let number = |name: &[u8]| number_in(&join(dir, b"", name));
    let limits = [number(b"/memory.max"), number(b"/memory.high")];
    let main = limits.into_iter().flatten().min()?;
    let swap = swap.min(number(b"/memory.swap.max").unwrap_or(swap));
    Some(Memory { main, swap }.usable())
}

/// Version 1, where the second limit is that of memory and swap space together, and no limit is a
/// number near 2^63.
fn legacy(dir: &[u8], swap: u64) -> Option<u64> {
    let number = |name: &[u8]| number_in(&join(dir, b"", name)).filter(|n| *n < 1 << 62);
    let main = number(b"/memory.limit_in_bytes")?;
    let both = number(b"/memory.memsw.limit_in_bytes");
    let swap = both.map_or(swap, |both| swap.min(both.saturating_sub(main)));
    Some(Memory { main, swap }.usable())
}

/// The smallest limit of the group `dir` below `prefix` and of all groups above it.
fn smallest_upwards(prefix: &[u8], mut dir: &[u8], swap: u64, limit: Limit) -> Option<u64> {
    let mut least = limit(prefix, swap);
    while let Some(slash) = dir.iter().rposition(|b| *b == b'/') {
        let found = limit(&join(prefix, dir, b""), swap);
        least = least.into_iter().chain(found).min();
        dir = &dir[..slash];
    }
    least
}

/// The limit that the lines of `/proc/self/cgroup` lead to, below the mount point `root`.
///
/// Version 2 has one line `0::/path`; version 1 has one per controller, `4:memory:/path`. A
/// container often sees a path that does not exist below its own mount; its root then decides.
fn group_limit(lines: &[u8], root: &[u8], swap: u64) -> Option<u64> {
    let mut least = None;
    for line in lines.split(|b| *b == b'\n') {
        let mut parts = line.splitn(3, |b| *b == b':').skip(1);
        let (Some(controllers), Some(dir)) = (parts.next(), parts.next()) else {
            continue;
        };
        let found = if controllers.is_empty() {
            smallest_upwards(root, dir, swap, unified)
        } else if controllers.split(|b| *b == b',').any(|c| c == b"memory") {
            smallest_upwards(&join(root, b"", b"/memory"), dir, swap, legacy)
        } else {
            None
        };
        least = least.into_iter().chain(found).min();
    }
    least
}

/// What the control group this process runs in leaves of a swap space of so many bytes, and of main
/// memory.
pub fn control_group(swap: u64) -> Option<u64> {
    let lines = file::read_whole(b"/proc/self/cgroup").ok()?;
    group_limit(&lines, b"/sys/fs/cgroup", swap)
}

/// Bytes this process may sensibly use: seven eighths of main memory and the swap space, or what the
/// limits of address space and data or, if it is asked, the control group leave, whichever is least.
///
/// Asking the control group takes tens of microseconds: the kernel makes its files when they are read.
pub fn memory_budget(ask_group: bool) -> u64 {
    // A kernel that does not tell its memory gets the address space as limit, and `ENOMEM` decides.
    let physical = physical_memory().unwrap_or(Memory {
        main: 1 << 47,
        swap: 0,
    });
    let group = ask_group.then(|| control_group(physical.swap)).flatten();
    let shares = [limit(Resource::AddressSpace), limit(Resource::Data), group];
    let least = shares.into_iter().flatten().min();
    least.map_or(physical.usable(), |least| least.min(physical.usable()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn physical_memory_agrees_with_proc() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let bytes = |name: &str| -> u64 {
            let line = text.lines().find(|l| l.starts_with(name)).unwrap();
            let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            kib * 1024
        };
        let memory = physical_memory().unwrap();
        assert_eq!(memory.main, bytes("MemTotal:"));
        assert_eq!(memory.swap, bytes("SwapTotal:"));
    }

    #[test]
    fn the_budget_is_within_the_machine() {
        let budget = memory_budget(true);
        assert!(budget > 1 << 20 && budget <= memory_budget(false));
        assert!(memory_budget(false) <= physical_memory().unwrap().usable());
    }

    #[test]
    fn limits_are_those_of_proc() {
        let text = std::fs::read_to_string("/proc/self/limits").unwrap();
        for (name, resource) in [
            ("Max stack size", Resource::Stack),
            ("Max data size", Resource::Data),
            ("Max address space", Resource::AddressSpace),
        ] {
            let line = text.lines().find(|l| l.starts_with(name)).unwrap();
            let soft = line[name.len()..].split_whitespace().next().unwrap();
            assert_eq!(limit(resource), soft.parse().ok(), "{name}");
        }
    }

    /// A tree of control files that is removed in the end.
    struct Tree(std::path::PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Tree {
            let name = format!("plan-os-limits-{name}-{}", std::process::id());
            let tree = Tree(std::env::temp_dir().join(name));
            files.iter().for_each(|(path, text)| tree.write(path, text));
            tree
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        /// The limit for these lines, where there are so many bytes of swap space.
        fn limit(&self, lines: &str, swap: u64) -> Option<u64> {
            group_limit(lines.as_bytes(), self.0.as_os_str().as_bytes(), swap)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_counts() {
        let tree = Tree::new(
            "up",
            &[
                ("a/b/memory.max", "max\n"),
                ("a/memory.max", "8000\n"),
                ("a/b/c/d/memory.max", "80000\n"),
                ("memory/c/memory.limit_in_bytes", "16000\n"),
                ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ],
        );
        assert_eq!(tree.limit("0::/a/b\n", 0), Some(7000));
        assert_eq!(tree.limit("0::/a/b/c/d\n", 0), Some(7000));
        assert_eq!(tree.limit("0::/elsewhere\n", 0), None);
        assert_eq!(tree.limit("3:cpu,memory:/c\n1:cpu:/a\n", 0), Some(14000));
        assert_eq!(tree.limit("3:memory:/c/x/y\n", 0), Some(14000));
        assert_eq!(tree.limit("3:memory:/\n", 0), None);
        assert_eq!(tree.limit("3:memory:/c\n0::/a\n", 0), Some(7000));
        tree.write("memory.max", "4000");
        assert_eq!(tree.limit("0::/a/b\n", 0), Some(3500));
        assert_eq!(tree.limit("0::/\n", 0), Some(3500));
        assert_eq!(tree.limit("nonsense\n\n", 0), None);
    }

    #[test]
    fn the_throttling_limit_counts_as_well() {
        let tree = Tree::new(
            "high",
            &[
                ("a/memory.max", "16000\n"),
                ("a/memory.high", "8000\n"),
                ("b/memory.max", "max\n"),
                ("b/memory.high", "max\n"),
                ("b/c/memory.high", "1600\n"),
            ],
        );
        assert_eq!(tree.limit("0::/a\n", 0), Some(7000));
        assert_eq!(tree.limit("0::/b\n", 0), None);
        assert_eq!(tree.limit("0::/b/c\n", 0), Some(1400));
    }

    /// Swap space counts as far as each group on the way grants it.
    #[test]
    fn swap_space_counts_where_it_is_granted() {
        let tree = Tree::new(
            "swap",
            &[
                ("a/memory.max", "8000"),
                ("a/b/memory.max", "8000"),
                ("a/b/memory.swap.max", "500"),
                ("n/memory.max", "8000"),
                ("n/memory.swap.max", "0"),
                ("m/memory.max", "8000"),
                ("m/memory.swap.max", "max"),
                ("memory/o/memory.limit_in_bytes", "8000"),
                (
                    "memory/o/memory.memsw.limit_in_bytes",
                    "9223372036854771712",
                ),
                ("memory/p/memory.limit_in_bytes", "8000"),
                ("memory/p/memory.memsw.limit_in_bytes", "8100"),
            ],
        );
        for (lines, limit) in [
            ("0::/a", 8000),
            ("0::/a/b", 7500),
            ("0::/n", 7000),
            ("0::/m", 8000),
            ("4:memory:/o", 8000),
            ("4:memory:/p", 7100),
        ] {
            assert_eq!(tree.limit(lines, 1000), Some(limit), "{lines}");
        }
    }
}
