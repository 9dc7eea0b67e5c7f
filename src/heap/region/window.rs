//! The addresses of a region in memory: page n of the file at [`BASE`] + 4096 n.
//!
//! Invariants:
//! - the mapping is private: what the machine notes in pins (the code they run) never reaches the
//!   file, and no stray write can; a page that was written to does not show later changes of the
//!   file, so it has to be forgotten before the page is used for something else;
//! - it reaches beyond the end of the file, so that what is appended is there without a further call;
//! - no page behind [`Window::pages`] is ever used.
//!
//! Safety: the mapping is made here and undone when dropped; nobody else maps anything there.
#![allow(unsafe_code)]

use crate::heap::store::format::{BASE, Extent, PAGE, WINDOW_PAGES};
use crate::os::file::Fd;
use crate::os::{Errno, image, mem};
use core::ptr::NonNull;

const _: () = assert!(BASE as usize == image::WINDOW);
const _: () = assert!(WINDOW_PAGES as usize * PAGE == image::WINDOW_BYTES);

/// A mapped region.
#[derive(Debug)]
pub struct Window {
    base: NonNull<u8>,
    pages: u64,
}

impl Window {
    /// Maps a file, whose page 0 lies at `data`: the whole window, or where the system has less address
    /// space, as many pages of it as leave as much for everything else, but at least `least`.
    ///
    /// # Errors
    /// `EEXIST` when something else is mapped there; `ENOMEM` without room for `least` pages.
    pub fn map(fd: Fd, data: u64, least: u64) -> Result<Window, Errno> {
        let map = |pages: u64| {
            let base = mem::map_file(BASE as usize, pages as usize * PAGE, fd, data)?;
            Ok(Window { base, pages })
        };
        let mut pages = WINDOW_PAGES;
        let mut answer = map(pages);
        while matches!(answer, Err(Errno::ENOMEM)) && pages / 2 >= least {
            pages /= 2;
            answer = map(pages);
        }
        if answer.is_ok() && pages < WINDOW_PAGES && pages / 2 >= least {
            // Stacks and nurseries need some, too.
            drop(answer);
            answer = map(pages / 2);
        }
        answer
    }

    /// None of the addresses, which a process of tests uses for itself.
    #[cfg(test)]
    pub fn none() -> Window {
        Window {
            base: NonNull::dangling(),
            pages: 0,
        }
    }

    /// Pages that have an address.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Forgets what this process has written to some pages: they are as in the file.
    pub fn forget(&mut self, extent: Extent) {
        let start = (extent.start as usize * PAGE).min(self.pages as usize * PAGE);
        let len = (extent.pages as usize * PAGE).min(self.pages as usize * PAGE - start);
        // SAFETY: inside the mapping, which is ours and private. It fails for an empty range only.
        let _ = unsafe { mem::discard(self.base.add(start), len) };
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: mapped with this length in `map`; the machine that used it is gone.
        let _ = unsafe { mem::unmap(self.base, self.pages as usize * PAGE) };
    }
}
