//! Whether processes that came out of a fork still have the memory they got there.
//!
//! The number of a child does not tell: it may have executed something else, its own children go on
//! without it, and numbers are used again. What counts is the memory itself. So at the moment of the
//! fork a page of a memory file is mapped to be written, shared; then the parent lets go of it. The
//! kernel seals a file against writing when nobody has it mapped like that any more: not the child, not
//! its children; each loses its mapping when it ends or executes something. A pipe would tell the
//! same, but not of processes that close all descriptors, as servers do.
//!
//! Invariants:
//! - the page is never touched: the file is empty and costs no memory;
//! - where the system does not answer as expected they count as being there.
//!
//! Safety: the mapping is made here, and nothing refers to it.
#![allow(unsafe_code)]

use super::durable;
use super::errno::Errno;
use super::file::{Fd, File};
use super::mem::PAGE;
use super::sys::{Sysno, call};

/// `memfd_create`: close-on-exec; may be sealed; not to be executed, which a system may insist on
/// (unknown before Linux 6.3).
const MFD_CLOEXEC: usize = 1;
const MFD_ALLOW_SEALING: usize = 2;
const MFD_NOEXEC_SEAL: usize = 8;
/// Read and write.
const PROT_RW: usize = 1 | 2;
const MAP_SHARED: usize = 1;
/// `fcntl`: seal the file.
const F_ADD_SEALS: usize = 1033;
/// Against writing.
const F_SEAL_WRITE: usize = 8;

/// The processes that come out of one fork: the child, and what it forks.
#[derive(Debug)]
pub struct Offspring {
    file: File,
    /// The address of the page.
    page: usize,
}

impl Offspring {
    /// To be called before the fork; uses a descriptor above that one.
    ///
    /// # Errors
    /// What the kernel answers, for instance `EMFILE` or `ENOMEM`.
    pub fn expect(above: Fd) -> Result<Offspring, Errno> {
        let name = c"plan".as_ptr().expose_provenance();
        let make = |flags| {
            let args = [name, flags | MFD_CLOEXEC | MFD_ALLOW_SEALING];
            // SAFETY: the name is terminated and only read.
            unsafe { call(Sysno::memfd_create, args) }
        };
        let number = match make(MFD_NOEXEC_SEAL) {
            Err(Errno::EINVAL) => make(0)?,
            result => result?,
        };
        let file = durable::duplicate(File::own(Fd(number as i32)).fd(), above)?;
        let args = [0, PAGE, PROT_RW, MAP_SHARED, file.fd().arg(), 0];
        // SAFETY: the kernel chooses an address where there is nothing.
        let page = unsafe { call(Sysno::mmap, args)? };
        Ok(Offspring { file, page })
    }

    /// To be called after the fork, in the parent alone.
    pub fn let_go(&self) {
        // Should it fail, the processes count as being there for ever.
        // SAFETY: the page is ours, and nothing refers to it.
        let _ = unsafe { call(Sysno::munmap, [self.page, PAGE]) };
    }

    /// Whether one of them has not ended yet nor executed something else.
    pub fn is_there(&self) -> bool {
        let args = [self.file.fd().arg(), F_ADD_SEALS, F_SEAL_WRITE];
        // SAFETY: touches no memory.
        unsafe { call(Sysno::fcntl, args) }.is_err()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::sys::raw;
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// Held while there is a child, and by tests that a child disturbs: it has all descriptors and with
    /// them the locks of other tests.
    pub static FORKING: Mutex<()> = Mutex::new(());

    /// A process that waits for its end.
    fn fork() -> u64 {
        // SAFETY: the child of a process with threads may do this: system calls alone.
        unsafe {
            match raw(57, [0; 6]) {
                0 => loop {
                    raw(34, [0; 6]);
                },
                pid => pid,
            }
        }
    }

    #[test]
    fn a_child_is_there_until_it_ends() {
        let _alone = FORKING.lock().unwrap_or_else(PoisonError::into_inner);
        let offspring = Offspring::expect(Fd(600)).unwrap();
        assert!(offspring.file.fd().0 >= 600);
        assert!(offspring.is_there(), "it is still mapped here");
        let child = fork();
        offspring.let_go();
        assert!(offspring.is_there());
        // SAFETY: ends and awaits our own child.
        unsafe {
            raw(62, [child, 9, 0, 0, 0, 0]);
            raw(61, [child, 0, 0, 0, 0, 0]);
        }
        assert!(!offspring.is_there());
        assert!(!offspring.is_there());
    }
}
