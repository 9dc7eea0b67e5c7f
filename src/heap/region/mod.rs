//! Generation 3 as a machine sees it: a store, mapped where its references point.
//!
//! - [`window`]: the mapping;
//! - [`memory`]: the pins of a program as a source for the store;
//! - `collect`: collecting the region while the program goes on.
//!
//! Invariants:
//! - a pin in memory is redirected to its stored copy only once that is durable, and only if the region
//!   is mapped;
//! - only the process that opened the store writes to it: one that was forked has the lock, too;
//! - a page that such a process may read is not given back as long as it has the mapping: the mapping is
//!   private, but shows what is written to the file as long as nobody has written to the page here.

mod collect;
pub mod memory;
pub mod window;

use super::store::format::Extent;
use super::store::{Error, FileStorage, Outcome, Root, Store};
use crate::os::offspring::Offspring;
use crate::os::signal;
use crate::value::Value;
use alloc::sync::Arc;
use alloc::vec::Vec;
use collect::Collecting;
pub use collect::Wait;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use memory::Memory;
use window::Window;

/// A store and the window through which a machine sees it.
pub struct Region {
    store: Store<FileStorage>,
    window: Window,
    /// Pins were redirected since the references of the machine were looked through.
    redirected: bool,
    collecting: Collecting,
    /// Whether a collection was asked for while another one was going on.
    wanted: bool,
    /// When the thread that marks has to end, by the clock of [`super::now`].
    until: Arc<AtomicU64>,
    /// Why the last collection came to nothing.
    problem: Option<Error>,
    /// Whether this is the process that opened the store.
    ours: bool,
    /// Pages that processes made by fork may read, and whether those are there; none where the system
    /// does not let us know.
    lent: Vec<(Option<Offspring>, Vec<Extent>)>,
}

impl Drop for Region {
    fn drop(&mut self) {
        self.until.store(0, Relaxed);
    }
}

impl Region {
    /// Maps the region of a store.
    ///
    /// # Errors
    /// [`Error::Io`] without the address space.
    #[inline(never)]
    pub fn new(mut store: Store<FileStorage>) -> Result<Region, Error> {
        // Where the handler cannot be had a full disk is still an error, and a limit ends the process.
        let _ = signal::catch_file_size();
        let (fd, data) = (store.storage().file().fd(), store.data());
        let window = Window::map(fd, data, store.superblock().pages);
        let window = window.map_err(|why| Error::Io("map", why))?;
        store.set_pages(window.pages());
        let root = Value::from_bits(store.root());
        if root.is_pin() {
            // The page will be written to when something in it is called. A page that is read
            // first is mapped twice, and the 15 around it, too: 3 microseconds of a start.
            let _ = root.publish_code_word(0);
        }
        Ok(Region::over(store, window))
    }

    /// A region seen through this window.
    fn over(store: Store<FileStorage>, window: Window) -> Region {
        Region {
            store,
            window,
            redirected: false,
            collecting: Collecting::Idle,
            wanted: false,
            until: Arc::new(AtomicU64::new(u64::MAX)),
            problem: None,
            ours: true,
            lent: Vec::new(),
        }
    }

    /// The committed value.
    pub fn committed(&self) -> Value {
        let root = Value::from_bits(self.store.root());
        if root.is_pin() { root.item() } else { root }
    }

    /// Makes `root` the committed value: a natural below 2^63, or a pin, whose item is the value.
    ///
    /// # Errors
    /// Those of [`Store::commit`].
    #[inline(never)]
    pub fn commit(&mut self, root: Value) -> Result<(), Error> {
        self.ours()?;
        let mut memory = Memory { mapped: true };
        let outcome = self.store.commit(&mut memory, root_of(root))?;
        self.redirected |= outcome != Outcome::Unchanged;
        Ok(())
    }

    /// Stores a pin ahead of a commit; what is stored.
    ///
    /// # Errors
    /// Those of [`Store::precommit`].
    #[inline(never)]
    pub fn precommit(&mut self, pin: Value) -> Result<Value, Error> {
        self.ours()?;
        let mut memory = Memory { mapped: true };
        self.store.precommit(&mut memory, pin.address() as u64)?;
        self.redirected = true;
        Ok(pin.latest())
    }

    /// Whether a collection would probably find something to give back.
    pub fn has_garbage(&self) -> bool {
        self.ours && !self.store.failed() && self.store.has_garbage()
    }

    /// Whether commits should wait for the collection that is going on.
    pub fn is_late(&self) -> bool {
        let idle = matches!(self.collecting, Collecting::Idle);
        self.ours && !idle && self.store.is_overdue()
    }

    /// Gives all that is free back to a file system that has no space left; whether that is anything.
    /// To be called while no collection is going on.
    pub fn release_free(&mut self) -> bool {
        let store = &mut self.store;
        let sound = self.ours && !store.failed() && store.is_settled();
        let any = sound && !store.space().free.is_empty();
        if any {
            store.release();
        }
        any
    }

    /// Whether pins were redirected since this was asked last.
    pub fn take_redirected(&mut self) -> bool {
        core::mem::take(&mut self.redirected)
    }

    /// Notes that the committed value is durable; to be called before the process ends. Why a
    /// collection came to nothing, if one did.
    #[inline(never)]
    pub fn settle(&mut self) -> Option<Error> {
        if self.ours().is_ok() {
            self.store.settle();
        }
        self.problem
    }

    /// To be called right before a fork; what it gives is for [`Region::after_fork`].
    pub fn before_fork(&mut self) -> Option<Offspring> {
        Offspring::expect(self.store.storage().file().fd()).ok()
    }

    /// To be called right after a fork, in both processes, with what the system has answered.
    #[inline(never)]
    pub fn after_fork(&mut self, offspring: Option<Offspring>, result: u64) {
        if result == 0 {
            self.ours = false;
            return;
        }
        if let Some(offspring) = &offspring {
            offspring.let_go();
        }
        // Otherwise nobody was born.
        if self.ours && result as i64 > 0 {
            self.lent.push((offspring, self.store.reachable()));
        }
    }

    fn ours(&self) -> Result<(), Error> {
        if self.ours {
            Ok(())
        } else {
            Err(Error::ReadOnly)
        }
    }
}

/// Makes `root` the committed value of a store that is not mapped: what is in memory stays as it is.
/// See [`Region::commit`].
///
/// # Errors
/// Those of [`Store::commit`].
#[inline(never)]
pub fn commit_unmapped(store: &mut Store<FileStorage>, root: Value) -> Result<(), Error> {
    store
        .commit(&mut Memory { mapped: false }, root_of(root))
        .map(drop)
}

fn root_of(root: Value) -> Root {
    if root.is_direct() {
        Root::Natural(root.bits())
    } else {
        Root::Pin(root.address() as u64)
    }
}
