//! How much of the machine this process may use.
//!
//! Invariants:
//! - every number is bytes; "no limit" is `None`, never a huge number;
//! - a source that cannot be read (no `/proc`, no `/sys`, an empty container) counts as no limit.
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
    middle: [u64; 8],
    unit: u32,
    pad: u32,
}

const _: () = assert!(size_of::<SysInfo>() == 112);

/// Bytes of main memory of the machine.
pub fn physical_memory() -> Result<u64, Errno> {
    let mut info = SysInfo::default();
    // SAFETY: the kernel writes 112 bytes, the size of `info`.
    unsafe { call(Sysno::sysinfo, [(&raw mut info).expose_provenance()])? };
    Ok(info.total_ram.saturating_mul(u64::from(info.unit.max(1))))
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

/// The smallest of `name` in the group `dir` below `prefix` and in all groups above it.
fn smallest_upwards(prefix: &[u8], mut dir: &[u8], name: &[u8]) -> Option<u64> {
    let mut least = number_in(&join(prefix, b"", name));
    while let Some(slash) = dir.iter().rposition(|b| *b == b'/') {
        if dir.len() > 1 {
            least = least
                .into_iter()
                .chain(number_in(&join(prefix, dir, name)))
                .min();
        }
        dir = &dir[..slash];
    }
    least
}

/// The limit that the lines of `/proc/self/cgroup` lead to, below the mount point `root`.
///
/// Version 2 has one line `0::/path`; version 1 has one per controller, `4:memory:/path`. A
/// container often sees a path that does not exist below its own mount; its root then decides.
fn group_limit(lines: &[u8], root: &[u8]) -> Option<u64> {
    let mut least = None;
    for line in lines.split(|b| *b == b'\n') {
        let mut parts = line.splitn(3, |b| *b == b':').skip(1);
        let (Some(controllers), Some(dir)) = (parts.next(), parts.next()) else {
            continue;
        };
        let found = if controllers.is_empty() {
            smallest_upwards(root, dir, b"/memory.max")
        } else if controllers.split(|b| *b == b',').any(|c| c == b"memory") {
            smallest_upwards(&join(root, b"", b"/memory"), dir, b"/memory.limit_in_bytes")
        } else {
            None
        };
        least = least.into_iter().chain(found).min();
    }
    least
}

/// The memory limit of the control group this process runs in.
pub fn control_group() -> Option<u64> {
    let lines = file::read_whole(b"/proc/self/cgroup").ok()?;
    group_limit(&lines, b"/sys/fs/cgroup")
}

/// Bytes this process may sensibly use: seven eighths of main memory, or what the address-space
/// limit or the control group leaves, whichever is least.
pub fn memory_budget() -> u64 {
    // A kernel that does not tell its memory gets the address space as limit, and `ENOMEM` decides.
    let physical = physical_memory().unwrap_or(1 << 47);
    let shares = [
        Some(physical / 8 * 7),
        limit(Resource::AddressSpace),
        control_group(),
    ];
    shares.into_iter().flatten().min().unwrap_or(physical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn physical_memory_agrees_with_proc() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = text.lines().find(|l| l.starts_with("MemTotal:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert_eq!(physical_memory().unwrap() / 1024, kib);
    }

    #[test]
    fn the_budget_is_within_the_machine() {
        let budget = memory_budget();
        assert!(budget > 1 << 20);
        assert!(budget <= physical_memory().unwrap());
    }

    #[test]
    fn limits_are_those_of_proc() {
        let text = std::fs::read_to_string("/proc/self/limits").unwrap();
        for (name, resource) in [
            ("Max stack size", Resource::Stack),
            ("Max address space", Resource::AddressSpace),
        ] {
            let line = text.lines().find(|l| l.starts_with(name)).unwrap();
            let soft = line[name.len()..].split_whitespace().next().unwrap();
            assert_eq!(limit(resource), soft.parse().ok(), "{name}");
        }
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_counts() {
        let root = std::env::temp_dir().join(format!("plan-os-limits-{}", std::process::id()));
        let inner = root.join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir_all(root.join("memory/c")).unwrap();
        std::fs::write(inner.join("memory.max"), "max\n").unwrap();
        std::fs::write(root.join("a/memory.max"), "5000\n").unwrap();
        std::fs::write(root.join("memory/c/memory.limit_in_bytes"), "7000\n").unwrap();
        let at = root.as_os_str().as_bytes();
        assert_eq!(group_limit(b"0::/a/b\n", at), Some(5000));
        assert_eq!(group_limit(b"0::/elsewhere\n", at), None);
        assert_eq!(group_limit(b"3:cpu,memory:/c\n1:cpu:/a\n", at), Some(7000));
        assert_eq!(group_limit(b"3:memory:/c\n0::/a\n", at), Some(5000));
        std::fs::write(root.join("memory.max"), "4000").unwrap();
        assert_eq!(group_limit(b"0::/a/b\n", at), Some(4000));
        assert_eq!(group_limit(b"0::/\n", at), Some(4000));
        assert_eq!(group_limit(b"nonsense\n\n", at), None);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
