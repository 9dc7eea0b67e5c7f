//! The allocator behind Rust's own tables: vectors and hash maps of the runtime, never PLAN values.
//!
//! The first small blocks come from memory of the executable itself, which lies beside its
//! variables: a start that needs no more has no page tables of its own to make for it (4
//! microseconds). Then small blocks come from `talc` (a dlmalloc-style allocator: segregated free
//! lists, boundary tags, constant time in practice) over chunks of [`CHUNK`] bytes; blocks of
//! [`LARGE`] bytes and more are mappings of their own, so that they grow by moving page tables
//! instead of bytes and are given back when freed. `linked_list_allocator` was rejected because
//! its single free list makes every allocation linear in the number of holes; `dlmalloc` because
//! on Linux it pulls in `libc`.
//!
//! Invariants:
//! - the size alone decides which of the two a block belongs to, so freeing needs no lookup;
//! - `talc` is touched under the lock only; the lock is never held across a call that allocates;
//! - running out of memory is a null pointer, which Rust turns into the panic handler or, through
//!   `try_reserve`, into an error.
//!
//! Safety: chunks are fresh mappings that nothing else refers to, or the first, taken once; the
//! lock makes access exclusive.
#![allow(unsafe_code)]

use super::{futex, mem};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use talc::base::Talc;
use talc::base::binning::{Binning, DefaultBinning};
use talc::source::Source;

/// Bytes asked of the kernel when the free lists run dry: 1 MiB, touched only as it is used.
const CHUNK: usize = 1 << 20;

/// Bytes from which a block is a mapping of its own: at 256 KiB less than 2 % is lost to rounding.
const LARGE: usize = 1 << 18;

/// Bytes of the first chunk: more than a program needs that is about to run. With the little that
/// is behind it (`linker.ld`) it makes whole pages, so the tag at its end touches none of its own.
const FIRST_BYTES: usize = (60 << 10) - 512;

/// The first chunk.
#[repr(align(16))]
struct First(UnsafeCell<[u8; FIRST_BYTES]>);

// SAFETY: whoever takes it is the only one to touch it.
unsafe impl Sync for First {}

#[unsafe(link_section = ".bss.chunk")]
static FIRST: First = First(UnsafeCell::new([0; FIRST_BYTES]));

/// Whether an allocator has the first chunk.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Bytes mapped for chunks and large blocks.
static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// Bytes that Rust's own tables take, of all allocators of the process together.
pub fn mapped() -> u64 {
    MAPPED.load(Relaxed) as u64
}

fn map(len: usize) -> Result<NonNull<u8>, super::Errno> {
    let base = mem::map(len)?;
    MAPPED.fetch_add(len, Relaxed);
    Ok(base)
}

/// Supplies chunks to the small-block allocator.
#[derive(Debug)]
struct Chunks;

// SAFETY: `acquire` makes a system call and allocates nothing itself.
unsafe impl Source for Chunks {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if layout.size() <= FIRST_BYTES / 4 && !TAKEN.swap(true, Relaxed) {
            // SAFETY: nobody else has taken it, and nobody gives it back.
            let whole = unsafe { talc.claim(FIRST.0.get().cast(), FIRST_BYTES) };
            return whole.map(drop).ok_or(());
        }
        // Half a chunk is enough for the allocator's own table and the tags around a block.
        let wanted = layout.size().checked_add(layout.align()).ok_or(())?;
        let len = wanted.checked_add(CHUNK / 2).ok_or(())?.max(CHUNK);
        let base = map(len).map_err(drop)?;
        // SAFETY: a fresh mapping of `len` bytes, read-write, referred to by nobody else.
        unsafe { talc.claim(base.as_ptr(), len) }
            .map(drop)
            .ok_or(())
    }
}

/// Nobody holds the lock.
const FREE: u32 = 0;
/// Held, nobody waits.
const HELD: u32 = 1;
/// Held, and somebody may be waiting.
const WAITED: u32 = 2;

/// The global allocator of the executable.
pub struct SystemHeap {
    /// FREE → HELD → FREE; HELD → WAITED by a waiter; WAITED → FREE wakes one
    /// (U. Drepper, "Futexes Are Tricky", second mutex).
    lock: AtomicU32,
    small: UnsafeCell<Talc<Chunks, DefaultBinning>>,
}

// SAFETY: `small` is reached through `with_small` only, under the lock.
unsafe impl Sync for SystemHeap {}

impl SystemHeap {
    /// An empty heap; the first allocation maps the first chunk.
    pub const fn new() -> SystemHeap {
        SystemHeap {
            lock: AtomicU32::new(FREE),
            small: UnsafeCell::new(Talc::new(Chunks)),
        }
    }

    /// Runs `f` on the small-block allocator with the lock held.
    #[inline]
    fn with_small<R>(&self, f: impl FnOnce(&mut Talc<Chunks, DefaultBinning>) -> R) -> R {
        if self
            .lock
            .compare_exchange(FREE, HELD, Acquire, Relaxed)
            .is_err()
        {
            while self.lock.swap(WAITED, Acquire) != FREE {
                futex::wait(&self.lock, WAITED);
            }
        }
        // SAFETY: the lock is held, so no other reference to the allocator exists.
        let result = f(unsafe { &mut *self.small.get() });
        if self.lock.swap(FREE, Release) == WAITED {
            // Waking cannot fail for a valid word; a waiter re-checks in any case.
            let _ = futex::wake(&self.lock, 1);
        }
        result
    }
}

impl Default for SystemHeap {
    fn default() -> SystemHeap {
        SystemHeap::new()
    }
}

/// Whether a block of this layout is a mapping of its own.
#[inline]
fn is_large(size: usize, align: usize) -> bool {
    size >= LARGE && align <= mem::PAGE
}

/// The address of a mapping, or null.
#[inline]
fn address(mapping: Result<NonNull<u8>, super::Errno>) -> *mut u8 {
    mapping.map_or(null_mut(), NonNull::as_ptr)
}

// `inline`: compiled with `main.rs`, for speed, and not with this package, for size: making a pin asks
// for Rust's memory several times.
// SAFETY: blocks are disjoint ranges of fresh mappings (`talc` for small ones, the kernel for large
// ones), of at least the size and alignment asked for; nothing here unwinds.
unsafe impl GlobalAlloc for SystemHeap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size(), layout.align()) {
            return address(map(layout.size()));
        }
        // SAFETY: the caller guarantees a size above 0.
        self.with_small(|talc| unsafe { talc.allocate(layout) })
            .map_or(null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`.
        let block = unsafe { self.alloc(layout) };
        // A large block is a fresh mapping and zero already.
        if !block.is_null() && !is_large(layout.size(), layout.align()) {
            // SAFETY: the block has that many bytes.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !is_large(layout.size(), layout.align()) {
            // SAFETY: the caller gives back a block of `alloc` with its layout.
            return self.with_small(|talc| unsafe { talc.deallocate(block, layout) });
        }
        if let Some(start) = NonNull::new(block) {
            // SAFETY: as above; a large block is a whole mapping. Failing to unmap only keeps it.
            let _ = unsafe { mem::unmap(start, layout.size()) };
            MAPPED.fetch_sub(layout.size(), Relaxed);
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, align) = (layout.size(), layout.align());
        match (
            is_large(old, align),
            is_large(size, align),
            NonNull::new(block),
        ) {
            (true, true, Some(start)) => {
                // SAFETY: the block is a whole mapping of `old` bytes.
                let moved = unsafe { mem::resize(start, old, size) };
                if moved.is_ok() {
                    // Wraps where the block shrinks, and so does the sum.
                    MAPPED.fetch_add(size.wrapping_sub(old), Relaxed);
                }
                return address(moved);
            }
            (false, false, _) => {
                // SAFETY: the block is `talc`'s, with this layout.
                let fits = self
                    .with_small(|talc| unsafe { talc.try_realloc_in_place(block, layout, size) });
                if fits {
                    return block;
                }
            }
            _ => {}
        }
        // SAFETY: the caller guarantees that `size` rounded up to `align` does not overflow.
        let target = unsafe { Layout::from_size_align_unchecked(size, align) };
        // SAFETY: `size` is above 0 by the contract of realloc.
        let moved = unsafe { self.alloc(target) };
        if !moved.is_null() {
            // SAFETY: both blocks have the smaller of the two sizes, and they are disjoint.
            unsafe {
                moved.copy_from_nonoverlapping(block, old.min(size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A live block of the model: where, how large, and the byte it is filled with.
    struct Block {
        at: *mut u8,
        layout: Layout,
        fill: u8,
    }

    fn check(block: &Block) {
        // SAFETY: the block is live and has that many bytes.
        let bytes = unsafe { core::slice::from_raw_parts(block.at, block.layout.size()) };
        assert!(bytes.iter().all(|b| *b == block.fill));
        assert_eq!(block.at.addr() % block.layout.align(), 0);
    }

    /// Sizes around both allocators' borders.
    fn sizes() -> impl Strategy<Value = usize> {
        prop_oneof![4 => 1usize..600, 2 => 600usize..20_000, 1 => LARGE - 64..LARGE * 3]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn blocks_never_overlap(
            steps in prop::collection::vec((0u8..3, sizes(), 0u32..9, any::<u8>()), 1..80)
        ) {
            let heap = SystemHeap::new();
            let mut live: Vec<Block> = Vec::new();
            for (what, size, align, fill) in steps {
                let layout = Layout::from_size_align(size, 1 << align).unwrap();
                // SAFETY: every block is freed once, with the layout it was made with.
                unsafe {
                    match (what, live.pop()) {
                        (0, Some(old)) => {
                            check(&old);
                            heap.dealloc(old.at, old.layout);
                        }
                        (1, Some(old)) => {
                            let at = heap.realloc(old.at, old.layout, size);
                            assert!(!at.is_null());
                            let kept = size.min(old.layout.size());
                            let bytes = core::slice::from_raw_parts(at, kept);
                            assert!(bytes.iter().all(|b| *b == old.fill));
                            at.write_bytes(fill, size);
                            let layout = Layout::from_size_align(size, old.layout.align()).unwrap();
                            live.insert(0, Block { at, layout, fill });
                        }
                        (_, old) => {
                            live.extend(old);
                            let at = heap.alloc(layout);
                            assert!(!at.is_null());
                            at.write_bytes(fill, size);
                            live.insert(0, Block { at, layout, fill });
                        }
                    }
                }
                live.iter().for_each(check);
            }
            for block in live {
                // SAFETY: as above.
                unsafe { heap.dealloc(block.at, block.layout) };
            }
        }
    }

    #[test]
    fn zeroed_blocks_are_zero_even_when_reused() {
        let heap = SystemHeap::new();
        for size in [100, LARGE] {
            let layout = Layout::from_size_align(size, 8).unwrap();
            // SAFETY: each block is freed once with its layout.
            unsafe {
                let dirty = heap.alloc(layout);
                dirty.write_bytes(0xff, size);
                heap.dealloc(dirty, layout);
                let clean = heap.alloc_zeroed(layout);
                let bytes = core::slice::from_raw_parts(clean, size);
                assert!(bytes.iter().all(|b| *b == 0));
                heap.dealloc(clean, layout);
            }
        }
    }

    #[test]
    fn impossible_sizes_are_null() {
        let heap = SystemHeap::new();
        let layout = Layout::from_size_align(isize::MAX as usize - 4096, 8).unwrap();
        let aligned = Layout::from_size_align(1 << 50, 1 << 16).unwrap();
        // SAFETY: the sizes are above 0.
        unsafe {
            assert!(heap.alloc(layout).is_null());
            assert!(heap.alloc(aligned).is_null());
        }
    }

    #[test]
    fn threads_share_it() {
        let heap = SystemHeap::new();
        std::thread::scope(|scope| {
            for fill in 0..4u8 {
                let heap = &heap;
                scope.spawn(move || {
                    for size in (1..2000usize).cycle().take(20_000) {
                        let layout = Layout::from_size_align(size, 8).unwrap();
                        // SAFETY: each block is freed once with its layout.
                        unsafe {
                            let at = heap.alloc(layout);
                            at.write_bytes(fill, size);
                            assert_eq!(at.add(size - 1).read(), fill);
                            heap.dealloc(at, layout);
                        }
                    }
                });
            }
        });
    }
}
