//! Mappings of memory.
//!
//! Invariants:
//! - lengths are rounded up to whole pages of [`PAGE`] bytes; a length of 0 or one that cannot be
//!   rounded is refused with `EINVAL` or `ENOMEM`, never passed on;
//! - fresh and discarded memory reads as zeros;
//! - all mappings are private and not accounted in advance (`MAP_NORESERVE`): a page
//!   costs memory from its first touch;
//! - a [`Region`] owns its pages and its two guard pages, if it has any, and unmaps them when dropped.
//!
//! Safety: the kernel chooses every address, or refuses one where there is something already, so
//! no mapping made here can hit memory that is in use. Functions that change existing mappings are `unsafe` and name what the caller owes.
#![allow(unsafe_code)]

use super::errno::Errno;
use super::file::Fd;
use super::sys::{Sysno, call};
use core::ptr::NonNull;

/// Bytes in a page; the same on every x86-64 Linux.
pub const PAGE: usize = 4096;

/// No access at all.
const PROT_NONE: usize = 0;
/// Read and write.
const PROT_RW: usize = 1 | 2;
/// Read and execute.
const PROT_READ_EXEC: usize = 1 | 4;
/// Private copy of nothing, not accounted in advance.
const MAP_FLAGS: usize = 0x02 | 0x20 | 0x4000;
/// Private, not accounted in advance, at the given address or nowhere.
const MAP_FILE: usize = 0x02 | 0x4000 | MAP_HERE;
/// At the given address or nowhere.
const MAP_HERE: usize = 0x10_0000;
/// Give the pages back; they read as zeros afterwards.
const MADV_DONTNEED: usize = 4;
/// Back the range by huge pages.
const MADV_HUGEPAGE: usize = 14;
/// Leave the pages out of core dumps.
const MADV_DONTDUMP: usize = 16;
/// `mremap` may choose another address.
const MREMAP_MAYMOVE: usize = 1;

/// `len` bytes as whole pages: `EINVAL` for 0, `ENOMEM` where rounding would overflow.
pub fn round_up(len: usize) -> Result<usize, Errno> {
    if len == 0 {
        return Err(Errno::EINVAL);
    }
    len.checked_next_multiple_of(PAGE).ok_or(Errno::ENOMEM)
}

/// Maps `len` bytes to read and write, all zero, at an address of the kernel's choice.
pub fn map(len: usize) -> Result<NonNull<u8>, Errno> {
    let len = round_up(len)?;
    // SAFETY: without MAP_FIXED a new mapping never replaces an existing one.
    let addr = unsafe { call(Sysno::mmap, [0, len, PROT_RW, MAP_FLAGS, usize::MAX, 0])? };
    NonNull::new(core::ptr::with_exposed_provenance_mut(addr)).ok_or(Errno::ENOMEM)
}

/// Asks for huge pages behind `len` bytes at `start`, which saves the page faults of memory that is
/// filled from end to end. Only advice: where there are none, or where the kernel does not know them,
/// pages stay as they are.
pub fn prefer_huge(start: NonNull<u8>, len: usize) {
    let args = [start.as_ptr().addr(), len, MADV_HUGEPAGE];
    // SAFETY: the call changes no contents and no access, whatever lies there.
    let _ = unsafe { call(Sysno::madvise, args) };
}

/// Whether `len` bytes could be mapped now.
pub fn can_map(len: usize) -> bool {
    // SAFETY: the mapping was just made, and nothing refers to it. If it cannot be unmapped it stays
    // unused.
    map(len).is_ok_and(|start| unsafe { unmap(start, len) }.is_ok())
}

/// Lets `len` bytes from `start` be read and executed, and not be written any more.
///
/// # Safety
/// The range must lie in a mapping of the caller's, and nobody may write to it afterwards.
pub unsafe fn protect_code(start: NonNull<u8>, len: usize) -> Result<(), Errno> {
    let args = [start.as_ptr().addr(), round_up(len)?, PROT_READ_EXEC];
    // SAFETY: the range is the caller's.
    unsafe { call(Sysno::mprotect, args).map(drop) }
}

/// Makes `len` bytes from `start` inaccessible; their contents stay.
///
/// # Safety
/// The range must lie in a mapping of the caller's, and nobody may touch it afterwards.
unsafe fn protect_none(start: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: the range is the caller's.
    unsafe {
        call(
            Sysno::mprotect,
            [start.as_ptr().addr(), round_up(len)?, PROT_NONE],
        )
        .map(drop)
    }
}

/// Removes the mapping of `len` bytes at `start`.
///
/// # Safety
/// The range must be the caller's, and nothing may refer to it any more.
pub unsafe fn unmap(start: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: the range is the caller's and unused.
    unsafe { call(Sysno::munmap, [start.as_ptr().addr(), round_up(len)?]).map(drop) }
}

/// Gives the memory of `len` bytes at `start` back to the kernel; they read as zeros afterwards, or as
/// the file has them.
///
/// # Safety
/// The range must be the caller's, of a private mapping, and hold nothing of value.
pub unsafe fn discard(start: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: the range is the caller's.
    unsafe {
        call(
            Sysno::madvise,
            [start.as_ptr().addr(), round_up(len)?, MADV_DONTNEED],
        )
        .map(drop)
    }
}

/// Maps `len` bytes of a file from `offset` (a multiple of [`PAGE`]) at exactly `address`, to read
/// and write: what is written stays in this process, what is not shows the file as it is. Where the
/// file has ended nothing may be touched.
///
/// # Errors
/// `EEXIST` where something is mapped already; otherwise what the kernel answers.
pub fn map_file(address: usize, len: usize, fd: Fd, offset: u64) -> Result<NonNull<u8>, Errno> {
    let args = [address, len, PROT_RW, MAP_FILE, fd.arg(), offset as usize];
    map_here(args)
}

/// Maps `len` bytes at exactly `address`, to read and write, all zero.
///
/// # Errors
/// Those of [`map_file`].
pub fn map_at(address: usize, len: usize) -> Result<NonNull<u8>, Errno> {
    let flags = MAP_FLAGS | MAP_HERE;
    map_here([address, len, PROT_RW, flags, usize::MAX, 0])
}

/// `mmap` with these arguments, with [`MAP_HERE`] among them.
fn map_here(mut args: [usize; 6]) -> Result<NonNull<u8>, Errno> {
    let [address, ref mut len, ..] = args;
    *len = round_up(*len)?;
    let len = *len;
    // SAFETY: the flags keep the kernel from replacing an existing mapping.
    let found = unsafe { call(Sysno::mmap, args)? };
    let base = NonNull::new(core::ptr::with_exposed_provenance_mut(found)).ok_or(Errno::ENOMEM)?;
    if found == address {
        return Ok(base);
    }
    // A kernel before 4.17 does not know the flag and takes the address for a wish.
    // SAFETY: the mapping was just made and is used by nobody.
    unsafe { unmap(base, len)? };
    Err(Errno::EEXIST)
}

/// Resizes a mapping made by [`map`], moving it where it cannot grow in place.
///
/// # Safety
/// `start` and `old` must be the whole of a mapping of the caller's; old references to it die.
pub unsafe fn resize(start: NonNull<u8>, old: usize, new: usize) -> Result<NonNull<u8>, Errno> {
    let args = [
        start.as_ptr().addr(),
        round_up(old)?,
        round_up(new)?,
        MREMAP_MAYMOVE,
    ];
    // SAFETY: the mapping is the caller's.
    let addr = unsafe { call(Sysno::mremap, args)? };
    NonNull::new(core::ptr::with_exposed_provenance_mut(addr)).ok_or(Errno::ENOMEM)
}

/// Maps `len` usable bytes between two guard pages; touching a guard page ends the process. It is
/// quicker to close two pages of what can be written than to open gigabytes between them: 3.7
/// microseconds instead of 5.9.
pub fn map_with_guard(len: usize) -> Result<Region, Errno> {
    let region = map_to_guard(len)?;
    region.close()?;
    Ok(region)
}

/// The same with guard pages that are to be closed ([`Region::close`]) before anything can come near
/// the end of the region; until then nobody uses them.
pub fn map_to_guard(len: usize) -> Result<Region, Errno> {
    let len = round_up(len)?;
    let whole = len.checked_add(2 * PAGE).ok_or(Errno::ENOMEM)?;
    let outer = map(whole)?;
    // SAFETY: one page further is inside the mapping, which has `len` and two pages.
    let base = unsafe { outer.add(PAGE) };
    let region = Region {
        base,
        len,
        guard: PAGE,
    };
    region.leave_out_of_dumps();
    Ok(region)
}

/// Maps `len` bytes without guard pages, for what is reached by checked offsets and never by growing
/// past an end. This saves two system calls, one of which walks page tables.
pub fn map_open(len: usize) -> Result<Region, Errno> {
    let len = round_up(len)?;
    let base = map(len)?;
    let region = Region {
        base,
        len,
        guard: 0,
    };
    region.leave_out_of_dumps();
    Ok(region)
}

/// Memory to read and write, unmapped when dropped.
///
/// Pages cost memory from their first touch, so a region may be far larger than the machine.
#[derive(Debug)]
pub struct Region {
    base: NonNull<u8>,
    len: usize,
    /// Bytes on either side that nobody may touch.
    guard: usize,
}

// SAFETY: a region is the only owner of its pages; moving it to another thread moves nothing.
unsafe impl Send for Region {}

impl Region {
    /// Only advice: a kernel that cannot leave the pages out of core dumps changes nothing for us.
    fn leave_out_of_dumps(&self) {
        // With the guard pages: a part of a mapping would become another one.
        let start = self.base.as_ptr().addr() - self.guard;
        let args = [start, self.len + 2 * self.guard, MADV_DONTDUMP];
        // SAFETY: the range is ours; the call changes no contents.
        let _ = unsafe { call(Sysno::madvise, args) };
    }

    /// Makes the guard pages inaccessible, if it has any.
    ///
    /// # Errors
    /// `ENOMEM` if the kernel has no room for another mapping; then a page may stay as it was.
    pub fn close(&self) -> Result<(), Errno> {
        if self.guard == 0 {
            return Ok(());
        }
        // SAFETY: the first and the last page of what we own, which nobody uses.
        unsafe {
            protect_none(self.base.sub(self.guard), self.guard)?;
            protect_none(self.base.add(self.len), self.guard)
        }
    }

    /// Takes the last `len` bytes, a multiple of [`PAGE`] and less than all, off a region without
    /// guard pages: two regions that were one mapping.
    pub fn split_off(&mut self, len: usize) -> Result<Region, Errno> {
        if self.guard != 0 || len >= self.len || !len.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        self.len -= len;
        // SAFETY: inside the region, or at its end.
        let base = unsafe { self.base.add(self.len) };
        Ok(Region {
            base,
            len,
            guard: 0,
        })
    }

    /// The first usable byte.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Usable bytes, a multiple of [`PAGE`].
    #[allow(clippy::len_without_is_empty)] // a region is never empty
    pub fn len(&self) -> usize {
        self.len
    }

    /// Gives the memory of `len` bytes from `offset` (both multiples of [`PAGE`]) back; they read
    /// as zeros afterwards. `EINVAL` for a range that is not in the region.
    pub fn discard(&mut self, offset: usize, len: usize) -> Result<(), Errno> {
        let end = offset.checked_add(len).ok_or(Errno::EINVAL)?;
        if end > self.len || !offset.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the range is inside the region, which we borrow exclusively.
        unsafe { discard(self.base.add(offset), len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: base is so far into a reservation of `len` and twice that that we own. It fails
        // only when the kernel is out of mapping entries; the range then stays reserved.
        let _ = unsafe { unmap(self.base.sub(self.guard), self.len + 2 * self.guard) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_and_bad_ones_refused() {
        assert_eq!(round_up(0), Err(Errno::EINVAL));
        assert_eq!(round_up(1), Ok(PAGE));
        assert_eq!(round_up(PAGE), Ok(PAGE));
        assert_eq!(round_up(PAGE + 1), Ok(2 * PAGE));
        assert_eq!(round_up(usize::MAX), Err(Errno::ENOMEM));
        assert_eq!(map(0).err(), Some(Errno::EINVAL));
        assert_eq!(map(1 << 62).err(), Some(Errno::ENOMEM));
        assert!(map_with_guard(usize::MAX - PAGE).is_err());
    }

    #[test]
    fn mapped_memory_is_zero_writable_and_zero_again_after_discard() {
        let len = 3 * PAGE;
        let base = map(len).unwrap();
        // SAFETY: the mapping is ours and `len` bytes long until it is unmapped.
        unsafe {
            let bytes = core::slice::from_raw_parts_mut(base.as_ptr(), len);
            assert!(bytes.iter().all(|b| *b == 0));
            bytes.fill(7);
            discard(base.add(PAGE), PAGE).unwrap();
            assert!(bytes[..PAGE].iter().all(|b| *b == 7));
            assert!(bytes[PAGE..2 * PAGE].iter().all(|b| *b == 0));
            assert!(bytes[2 * PAGE..].iter().all(|b| *b == 7));
            unmap(base, len).unwrap();
        }
    }

    #[test]
    fn advice_about_huge_pages_changes_no_contents() {
        let len = 8 << 20;
        let base = map(len).unwrap();
        // SAFETY: the mapping is ours and `len` bytes long until it is unmapped.
        unsafe {
            base.add(len / 2).write(7);
            prefer_huge(base, len);
            assert_eq!(base.add(len / 2).read(), 7);
            assert_eq!(base.add(len - 1).read(), 0);
        }
        // What cannot be followed is not followed.
        prefer_huge(base, usize::MAX - PAGE);
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let ours = format!("{:x}-", base.as_ptr().addr());
        let flags = maps.lines().skip_while(|line| !line.starts_with(&ours));
        let flags = flags.into_iter().find(|line| line.starts_with("VmFlags"));
        let known = std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists();
        assert_eq!(flags.unwrap().contains(" hg"), known);
        // SAFETY: as above; nothing refers to it any more.
        unsafe { unmap(base, len).unwrap() };
    }

    #[test]
    fn a_mapping_larger_than_memory_is_used_piecewise() {
        let len = 1 << 40;
        let base = map(len).unwrap();
        // SAFETY: the mapping is ours; only one page is touched.
        unsafe {
            let middle = base.add(len / 2);
            middle.write(1);
            assert_eq!(middle.read(), 1);
            unmap(base, len).unwrap();
        }
    }

    #[test]
    fn resize_keeps_the_contents() {
        let base = map(PAGE).unwrap();
        // SAFETY: the mapping is ours; the old address is not used after it moved.
        unsafe {
            base.write(42);
            let grown = resize(base, PAGE, 1 << 24).unwrap();
            assert_eq!(grown.read(), 42);
            assert_eq!(grown.add((1 << 24) - 1).read(), 0);
            unmap(grown, 1 << 24).unwrap();
        }
    }

    #[test]
    fn a_guarded_region_is_usable_to_both_ends() {
        let mut region = map_with_guard(10).unwrap();
        assert_eq!(region.len(), PAGE);
        // SAFETY: first and last byte of a region of one page.
        unsafe {
            region.base().write(1);
            region.base().add(PAGE - 1).write(2);
        }
        region.discard(0, PAGE).unwrap();
        // SAFETY: as above.
        unsafe {
            assert_eq!(region.base().read(), 0);
            assert_eq!(region.base().add(PAGE - 1).read(), 0);
        }
        assert_eq!(region.discard(0, 2 * PAGE), Err(Errno::EINVAL));
        assert_eq!(region.discard(1, 1), Err(Errno::EINVAL));
        assert_eq!(region.discard(usize::MAX, PAGE), Err(Errno::EINVAL));
    }

    #[test]
    fn a_region_is_split_into_two_that_are_given_back_apart() {
        let mut first = map_open(3 * PAGE).unwrap();
        assert_eq!(first.split_off(3 * PAGE).err(), Some(Errno::EINVAL));
        assert_eq!(first.split_off(10).err(), Some(Errno::EINVAL));
        let second = first.split_off(PAGE).unwrap();
        assert_eq!((first.len(), second.len()), (2 * PAGE, PAGE));
        // SAFETY: the last byte of the second region, which outlives the first.
        unsafe {
            assert_eq!(second.base(), first.base().add(2 * PAGE));
            second.base().add(PAGE - 1).write(7);
            drop(first);
            assert_eq!(second.base().add(PAGE - 1).read(), 7);
        }
        assert!(map_with_guard(2 * PAGE).unwrap().split_off(PAGE).is_err());
    }

    /// The kernel reports an unreadable address instead of a fault.
    fn can_be_read(address: usize) -> bool {
        let (_read, write) = std::io::pipe().unwrap();
        use std::os::fd::AsRawFd;
        let fd = write.as_raw_fd() as usize;
        // SAFETY: write only reads, and fails with EFAULT where there is nothing to read.
        match unsafe { call(Sysno::write, [fd, address, 1]) } {
            Ok(count) => count == 1,
            Err(why) => {
                assert_eq!(why, Errno::EFAULT);
                false
            }
        }
    }

    #[test]
    fn guard_pages_cannot_be_read_once_they_are_closed() {
        for open in [false, true] {
            let region = if open {
                map_to_guard(PAGE)
            } else {
                map_with_guard(PAGE)
            };
            let region = region.unwrap();
            let first = region.base().as_ptr().addr();
            let outside = [first - PAGE, first - 1, first + PAGE, first + 2 * PAGE - 1];
            assert_eq!(outside.map(can_be_read), [open; 4]);
            region.close().unwrap();
            assert_eq!(outside.map(can_be_read), [false; 4]);
            assert!(can_be_read(first) && can_be_read(first + PAGE - 1));
        }
    }
}
