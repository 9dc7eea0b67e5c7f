//! A buddy allocator over reserved address space: the large blocks of generation 2, and the spans
//! that [`super::span`] cuts into small ones (chapter 05 §1.2, §3.1).
//!
//! A block is `{redirection, header, payload …}`; callers see the address of the payload. Sizes
//! are powers of two from [`MIN_BLOCK`] up to the whole arena; [`tree`] knows which node is what,
//! [`lists`] where the free ones are.
//!
//! ```text
//!             allocate                 free                  next free of its class, trim
//!  free leaf ─────────▶ allocated ───────────▶ held ───────────────────┐
//!      ▲                    ▲                   │                      ▼
//!      │                    └───────────────────┘    merged; from 64 KiB on
//!      │                      allocate, same size    pages are given back
//!      └───────────────────────────────────────────────────────────────┘
//! ```
//! A freed block of more than [`HOLD_MAX`] is never held. What the collector frees is held, too,
//! from 64 KiB up to that size, [`KEEP`] bytes of it: a program that makes large pins again and
//! again would spend more time on faulting pages in than on anything else.
//!
//! Invariants:
//! - exactly one leaf of the tree covers each address; no INNER node has two UNALLOCATED children;
//! - every free leaf is on the list of its level, and every list member is a free leaf;
//! - the redirection word is 0 and the header is in place when `allocate` returns; payload content
//!   is undefined;
//! - a *held* block is a freed one kept back for the next request of its size: of those that were
//!   freed explicitly one of small and one of large size at most. It stays ALLOC_MANUAL, a state that
//!   merging and the sweep leave alone, and is not among the live blocks. It keeps a caller that frees
//!   what it allocates from splitting and merging all levels, or from giving back the pages it is about
//!   to touch;
//! - `allocated + held ≤ budget` after every allocation; all sizes are 64-bit.
//!
//! Every method that changes anything takes the allocator by exclusive reference: one lock around
//! it ([`super::space`]) stands for the locks of chapter 05 §3.2. States alone may be read without
//! it, where a reference keeps the block alive ([`Buddy::view`]).
//!
//! Safety: the allocator owns two mappings. Links and headers are written only inside blocks that the
//! tree says are free or being handed out; callers own what they were handed until they free it.
#![allow(unsafe_code)]

pub mod lists;
pub mod tree;

#[cfg(test)]
mod tests;

use crate::os::Errno;
use crate::os::mem::{self, PAGE, Region};
use crate::value::{Header, WORD};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU8;
use lists::{HEADS_BYTES, Lists};
use tree::{Geometry, Node, NodeState, Tree};

/// Words before the payload: redirection and header.
pub const BLOCK_WORDS: u64 = 2;

/// Free blocks of at least this many bytes keep only the page with their links.
const GIVE_BACK: u64 = 64 << 10;

/// Largest block that is held back after a free, in bytes: the most that holding can cost. The two
/// halves of a moving heap, freed and allocated in turn, fit for the programs whose
/// collections are short enough that faulting the pages in again would show.
const HOLD_MAX: u64 = 16 << 20;

/// Bytes of blocks that the collector freed and that are held, as many as it keeps empty spans.
const KEEP: u64 = 32 << 20;

/// Arenas up to this many levels are verified down to the last node, not one level below leaves.
const FULL_VERIFY_LEVELS: u32 = 18;

const _: () = {
    assert!(HEADS_BYTES <= PAGE && GIVE_BACK > PAGE as u64 && HOLD_MAX >= GIVE_BACK);
};

/// Who frees a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// The collector, when nothing refers to it: pins, megapins, fixed buffers, profile pages.
    Collected,
    /// The runtime, explicitly: heap blocks, tables, slabs. Never freed by the collector.
    Manual,
}

impl Owner {
    const fn state(self) -> NodeState {
        match self {
            Owner::Collected => NodeState::AllocGc,
            Owner::Manual => NodeState::AllocManual,
        }
    }
}

/// Why there is no memory for a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// No free part of the reserved address space is large enough.
    Space,
    /// The request would exceed the budget of [`Buddy::set_budget`].
    Budget,
}

/// There is no memory for a request. The arena is unchanged; freeing or collecting may help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted {
    /// Bytes asked for, the words before the payload included.
    pub requested: u64,
    /// What ran out.
    pub cause: Cause,
}

impl core::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let cause = match self.cause {
            Cause::Space => "no free block in the reserved address space is large enough",
            Cause::Budget => "the memory budget is used up",
        };
        write!(f, "no memory for {} bytes: {cause}", self.requested)
    }
}

/// One allocated block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its first payload word.
    pub payload: NonNull<u64>,
    /// Its size in the arena, at least what was asked for.
    pub bytes: u64,
    /// Who frees it.
    pub owner: Owner,
}

/// List heads in the first page, node states after it.
#[derive(Debug)]
struct Metadata(Region);

impl AsRef<[AtomicU8]> for Metadata {
    #[inline(always)]
    fn as_ref(&self) -> &[AtomicU8] {
        // SAFETY: the region is readable and writable zero-initialised memory, owned by `self`;
        // the part after the first page is reached through this slice only.
        unsafe {
            let states = self.0.base().add(PAGE).cast::<AtomicU8>();
            core::slice::from_raw_parts(states.as_ptr(), self.0.len() - PAGE)
        }
    }
}

/// The states of an allocator that lives longer, to read alone.
#[derive(Clone, Copy, Debug)]
pub struct View(NonNull<[AtomicU8]>);

// SAFETY: atomics, in memory that whoever made the view keeps.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl AsRef<[AtomicU8]> for View {
    #[inline(always)]
    fn as_ref(&self) -> &[AtomicU8] {
        // SAFETY: `Buddy::view` has its caller promise that the memory is there.
        unsafe { self.0.as_ref() }
    }
}

/// The allocator. See the head of this file.
#[derive(Debug)]
pub struct Buddy {
    lists: Lists,
    base: NonNull<u8>,
    /// Freed blocks kept back: below [`GIVE_BACK`], and up to [`HOLD_MAX`].
    held: [Option<Node>; 2],
    /// Those that the collector freed.
    kept: Vec<Node>,
    /// Bytes of the held blocks.
    held_bytes: u64,
    allocated: u64,
    live: u64,
    budget: u64,
    top: u64,
    tree: Tree<Metadata>,
    /// The blocks themselves. Also keeps the mapping at `base` alive.
    memory: Region,
}

// SAFETY: the arena owns its mappings, and its pointers lead nowhere else.
unsafe impl Send for Buddy {}

impl Buddy {
    /// `2^log2` bytes in blocks of at least `2^min_log2`; `EINVAL` unless `min_log2` is between 5
    /// and 16 and `max(min_log2, 12) ≤ log2 ≤ 46`.
    pub fn new(min_log2: u32, log2: u32) -> Result<Buddy, Errno> {
        Buddy::with_more(min_log2, log2, PAGE).map(|(buddy, _)| buddy)
    }

    /// The same, and `more` bytes, a multiple of [`PAGE`], of the same mapping for other tables.
    pub fn with_more(min_log2: u32, log2: u32, more: usize) -> Result<(Buddy, Region), Errno> {
        if !(5..=16).contains(&min_log2) || !(min_log2.max(12)..=46).contains(&log2) {
            return Err(Errno::EINVAL);
        }
        let geometry = Geometry::new(min_log2, log2);
        let states = mem::round_up(PAGE + geometry.state_bytes() as usize)?;
        let mut memory = mem::map_open(geometry.bytes() as usize + states + more)?;
        let more = memory.split_off(more)?;
        let metadata = memory.split_off(states)?;
        // SAFETY: the first page of the metadata, which has room for all heads, serves nothing
        // else and lives as long as the lists do.
        let lists = unsafe { Lists::new(metadata.base().cast(), geometry.levels()) };
        let base = memory.base();
        let buddy = Buddy {
            lists,
            base,
            held: [None; 2],
            kept: Vec::new(),
            held_bytes: 0,
            allocated: 0,
            live: 0,
            budget: u64::MAX,
            top: 0,
            tree: Tree::new(geometry, Metadata(metadata)),
            memory,
        };
        Ok((buddy, more))
    }

    /// Reads states without the lock around this allocator.
    ///
    /// # Safety
    /// The view must not outlive the allocator.
    pub unsafe fn view(&self) -> Tree<View> {
        let states = self.tree.states().as_ref();
        Tree::new(self.tree.geometry(), View(NonNull::from(states)))
    }

    /// Sizes of its nodes.
    pub fn geometry(&self) -> Geometry {
        self.tree.geometry()
    }

    /// The bound of [`Buddy::set_budget`].
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// First byte of the arena.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Offset behind the last byte that was ever handed out.
    pub fn top(&self) -> u64 {
        self.top
    }

    /// Bounds the bytes of allocated blocks, so that running out is reported before the kernel
    /// ends the process. Blocks allocated already stay, even if they exceed it.
    pub fn set_budget(&mut self, bytes: u64) {
        self.budget = bytes;
    }

    /// Bytes of address space of the arena.
    pub fn capacity(&self) -> u64 {
        self.tree.geometry().bytes()
    }

    /// Bytes of all live blocks, rounded up as they are in the arena.
    pub fn allocated_bytes(&self) -> u64 {
        self.allocated
    }

    /// Bytes of all blocks that are live or held back.
    pub fn footprint(&self) -> u64 {
        self.allocated + self.held_bytes
    }

    /// Number of blocks allocated and not freed.
    pub fn live_blocks(&self) -> u64 {
        self.live
    }

    /// Whether `address` lies in the arena, in use or not.
    #[inline(always)]
    pub fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.base.as_ptr().addr() as u64) < self.tree.geometry().bytes()
    }

    /// A block with room for `header.words()` payload words: redirection word 0, header in place,
    /// payload undefined. Returns the address of the payload, a multiple of 16.
    ///
    /// Constant time when a block of the size was freed before, else one step per level split.
    #[inline]
    pub fn allocate(&mut self, header: Header, owner: Owner) -> Result<NonNull<u64>, Exhausted> {
        debug_assert!(!header.is_forwarded());
        let requested = (header.words() as u64 + BLOCK_WORDS) * WORD as u64;
        let exhausted = |cause| Exhausted { requested, cause };
        let level = self.tree.geometry().level_for(requested);
        let level = level.ok_or(exhausted(Cause::Space))?;
        let size = self.tree.geometry().size(level);
        // `allocated` is at most 2^46 and so is `size`: no overflow.
        if self.allocated + size > self.budget {
            return Err(exhausted(Cause::Budget));
        }
        let node = match self.take_held(level) {
            Some(node) => node,
            None => self.take_free(level, size).ok_or(exhausted(Cause::Space))?,
        };
        self.tree.set(node, owner.state());
        self.allocated += size;
        self.live += 1;
        self.top = self.top.max(self.tree.geometry().offset(node) + size);
        let block = self.address(node).cast::<u64>();
        // SAFETY: the block is at least 32 bytes, aligned to that, mapped, and nobody's but
        // ours until we return it.
        unsafe {
            block.write(0);
            block.add(1).write(header.bits());
            Ok(block.add(BLOCK_WORDS as usize))
        }
    }

    /// Ends the life of the block with this payload, which nothing may refer to any more. Its
    /// level comes from the tree, so the header may have changed.
    ///
    /// Panics if this is not the payload of a live block of this arena: a bug in the runtime that
    /// would otherwise hand the same memory out twice.
    #[inline]
    pub fn free(&mut self, payload: NonNull<u64>) {
        let offset = self.block_offset(payload);
        let leaf = offset.and_then(|at| self.tree.allocated_at(at));
        let leaf = leaf.filter(|leaf| offset == Some(self.tree.geometry().offset(leaf.0)));
        let Some((node, _)) = leaf.filter(|leaf| !self.is_held(leaf.0)) else {
            panic!("free of {payload:p}, which is not an allocated block");
        };
        let size = self.tree.geometry().size(node.level);
        self.allocated -= size;
        self.live -= 1;
        if size > HOLD_MAX {
            return self.release(node);
        }
        let slot = &mut self.held[(size >= GIVE_BACK) as usize];
        let previous = slot.replace(node);
        self.held_bytes += size;
        self.tree.set(node, NodeState::AllocManual);
        if let Some(previous) = previous {
            self.held_bytes -= self.tree.geometry().size(previous.level);
            self.release(previous);
        }
    }

    /// Ends the life of the block that is this leaf: for the collector.
    pub fn free_leaf(&mut self, leaf: Node) {
        let size = self.tree.geometry().size(leaf.level);
        self.allocated -= size;
        self.live -= 1;
        let worth_it = (GIVE_BACK..=HOLD_MAX).contains(&size);
        if !worth_it || self.held_bytes + size > KEEP || self.kept.try_reserve(1).is_err() {
            return self.release(leaf);
        }
        self.held_bytes += size;
        self.tree.set(leaf, NodeState::AllocManual);
        self.kept.push(leaf);
    }

    /// The leaf that covers the byte at `offset`, and its state.
    pub fn leaf_at(&self, offset: u64) -> (Node, NodeState) {
        let mut node = Node::ROOT;
        loop {
            let state = self.tree.state(node);
            if state != NodeState::Inner {
                return (node, state);
            }
            node = self.tree.geometry().node_at(offset, node.level + 1);
        }
    }

    /// Returns held blocks to the lists, and their pages to the kernel.
    pub fn trim(&mut self) {
        self.held_bytes = 0;
        while let Some(node) = self.kept.pop() {
            self.release(node);
        }
        for slot in 0..self.held.len() {
            if let Some(node) = self.held[slot].take() {
                self.release(node);
            }
        }
    }

    /// The live block that covers `address`, which may be inside its payload; `None` for free
    /// memory and for addresses outside the arena.
    pub fn block_at(&self, address: u64) -> Option<Block> {
        if !self.contains(address) {
            return None;
        }
        let offset = address - self.base.as_ptr().addr() as u64;
        let (node, _) = self.tree.allocated_at(offset)?;
        self.block(node)
    }

    /// All live blocks in the order of their addresses. Takes time in proportion to the number of
    /// leaves, free ones included.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        self.leaves().filter_map(|leaf| self.block(leaf))
    }

    /// Calls `visit` with each live block, in the order of addresses.
    pub fn for_each_block(&self, visit: impl FnMut(Block)) {
        self.blocks().for_each(visit);
    }

    fn leaves(&self) -> impl Iterator<Item = Node> + '_ {
        core::iter::successors(Some(self.tree.first_leaf()), |leaf| {
            self.tree.next_leaf(*leaf)
        })
    }

    /// The live block at a leaf; `None` if it is free or held.
    fn block(&self, leaf: Node) -> Option<Block> {
        let owner = match self.tree.state(leaf) {
            NodeState::AllocGc => Owner::Collected,
            NodeState::AllocManual if !self.is_held(leaf) => Owner::Manual,
            _ => return None,
        };
        // SAFETY: a block has two words before its payload.
        let payload = unsafe { self.address(leaf).cast::<u64>().add(BLOCK_WORDS as usize) };
        Some(Block {
            payload,
            bytes: self.tree.geometry().size(leaf.level),
            owner,
        })
    }

    #[inline(always)]
    fn address(&self, node: Node) -> NonNull<u8> {
        // SAFETY: a node's offset is less than the length of the mapping.
        unsafe { self.base.add(self.tree.geometry().offset(node) as usize) }
    }

    /// Offset of the block with this payload; `None` if that would be outside the arena.
    #[inline(always)]
    fn block_offset(&self, payload: NonNull<u64>) -> Option<u64> {
        let address = (payload.as_ptr().addr() as u64).wrapping_sub(BLOCK_WORDS * WORD as u64);
        self.contains(address)
            .then(|| address - self.base.as_ptr().addr() as u64)
    }

    #[inline(always)]
    fn is_held(&self, node: Node) -> bool {
        self.held.contains(&Some(node)) || self.kept.contains(&node)
    }

    /// The held block of exactly this level, if there is one.
    #[inline(always)]
    fn take_held(&mut self, level: u32) -> Option<Node> {
        let size = self.tree.geometry().size(level);
        let slot = &mut self.held[(size >= GIVE_BACK) as usize];
        let mut node = slot.take_if(|node| node.level == level);
        if node.is_none() && size >= GIVE_BACK {
            // The one freed last: it may still be in the cache.
            let kept = self.kept.iter().rposition(|node| node.level == level);
            node = kept.map(|i| self.kept.remove(i));
        }
        self.held_bytes -= node.map_or(0, |_| size);
        node
    }

    /// Opens the lists, with all memory on them. Nothing of it was ever handed out: a program that
    /// needs no pin of its own touches neither the lists nor the memory, each of which costs a
    /// start two pages of page tables besides (7 microseconds together).
    #[cold]
    fn open(&mut self) {
        self.lists.open();
        // SAFETY: the root covers the whole mapping, all of it free.
        unsafe { self.lists.push(Node::ROOT.level, self.base.cast()) };
    }

    /// A free leaf of `level`, taken off its list or split from the smallest larger one.
    fn take_free(&mut self, level: u32, size: u64) -> Option<Node> {
        if self.top == 0 {
            self.open();
        }
        // Blocks held for others must neither break the budget nor keep this one from merging.
        if self.allocated + self.held_bytes + size > self.budget
            || self.lists.deepest_nonempty(level).is_none()
        {
            self.trim();
        }
        let from = self.lists.deepest_nonempty(level)?;
        let start = self.lists.pop(from)?;
        let offset = (start.as_ptr().addr() - self.base.as_ptr().addr()) as u64;
        let mut node = self.tree.geometry().node_at(offset, from);
        while node.level < level {
            self.tree.set(node, NodeState::Inner);
            let right = node.right();
            // SAFETY: the upper half of a block just taken off its list is free and on none.
            unsafe { self.lists.push(right.level, self.address(right).cast()) };
            node = node.left();
        }
        Some(node)
    }

    /// Makes a leaf free, merges it upward as far as siblings are free, and gives pages back.
    ///
    /// Free blocks of [`GIVE_BACK`] bytes and more have only the page with their links. So what is
    /// left to give back, but for the links of the result, is the leaf itself together with any
    /// smaller neighbours, and the link page of each larger sibling that is no longer a start.
    fn release(&mut self, leaf: Node) {
        let geometry = self.tree.geometry();
        let len = geometry.size(leaf.level).max(GIVE_BACK);
        let start = geometry.offset(leaf) & !(len - 1);
        self.tree.set(leaf, NodeState::Unallocated);
        let mut top = leaf;
        while let Some(sibling) = self.tree.free_sibling(top) {
            // SAFETY: a free leaf is on the list of its level.
            unsafe {
                self.lists
                    .remove(sibling.level, self.address(sibling).cast())
            };
            let upper = geometry.offset(if sibling.is_right() { sibling } else { top });
            if geometry.size(sibling.level) >= GIVE_BACK && upper != start {
                self.discard(upper, PAGE as u64);
            }
            top = top.parent();
            self.tree.set(top, NodeState::Unallocated);
        }
        // SAFETY: `top` is free, and its halves were taken off their lists.
        unsafe { self.lists.push(top.level, self.address(top).cast()) };
        if geometry.size(top.level) >= GIVE_BACK {
            let links = if start == geometry.offset(top) {
                PAGE as u64
            } else {
                0
            };
            self.discard(start + links, len - links);
        }
    }

    fn discard(&mut self, offset: u64, len: u64) {
        // The range is ours, so this fails only where the kernel is short of memory itself; the
        // pages then stay until the next time, which is correct and only costs memory.
        let refused = self.memory.discard(offset as usize, len as usize);
        debug_assert!(refused.is_ok());
    }

    /// Checks the invariants at the head of this file, and that headers fit their blocks; an error
    /// names the first violation. Takes time in proportion to the number of leaves.
    pub fn verify(&self) -> Result<(), String> {
        let geometry = self.tree.geometry();
        let mut free = [0u64; lists::MAX_LEVELS as usize];
        let (mut live, mut bytes) = (0, 0);
        for leaf in self.leaves() {
            let at = || format!("block at offset {:#x}", geometry.offset(leaf));
            self.verify_leaf(leaf)
                .map_err(|what| format!("{}: {what}", at()))?;
            if !self.tree.state(leaf).is_allocated() {
                free[leaf.level as usize] += 1;
            } else if !self.is_held(leaf) {
                (live, bytes) = (live + 1, bytes + geometry.size(leaf.level));
            }
        }
        if (live, bytes) != (self.live, self.allocated) {
            let (known, known_bytes) = (self.live, self.allocated);
            return Err(format!(
                "{known} blocks of {known_bytes} bytes counted, {live}, {bytes} found"
            ));
        }
        self.verify_held()?;
        if self.top == 0 {
            return Ok(());
        }
        self.verify_lists(&free)
    }

    fn verify_leaf(&self, leaf: Node) -> Result<(), &'static str> {
        let geometry = self.tree.geometry();
        let state = self.tree.state(leaf);
        if state == NodeState::Inner {
            return Err("a smallest block is split");
        }
        if state == NodeState::Unallocated
            && leaf.is_right()
            && self.tree.free_sibling(leaf).is_some()
        {
            return Err("both halves of a split block are free");
        }
        let depth = if geometry.levels() <= FULL_VERIFY_LEVELS {
            u32::MAX
        } else {
            1
        };
        if !self.tree.is_clear_below(leaf, depth) {
            return Err("a node below a leaf is in use");
        }
        if let Some(block) = self.block(leaf) {
            // SAFETY: the word before the payload of a live block is its header.
            let header = Header::from_bits(unsafe { block.payload.sub(1).read() });
            let words = header.words() as u64 + BLOCK_WORDS;
            if header.is_forwarded() || words * WORD as u64 > block.bytes {
                return Err("the header is larger than the block");
            }
        }
        Ok(())
    }

    fn verify_held(&self) -> Result<(), String> {
        let geometry = self.tree.geometry();
        let mut bytes = 0;
        for node in self.held.iter().flatten().chain(&self.kept) {
            let leaf = self.tree.allocated_at(geometry.offset(*node));
            if leaf != Some((*node, NodeState::AllocManual)) {
                return Err(format!("no held block at {:#x}", geometry.offset(*node)));
            }
            bytes += geometry.size(node.level);
        }
        if bytes == self.held_bytes {
            Ok(())
        } else {
            Err(format!(
                "{} bytes held back, {bytes} found",
                self.held_bytes
            ))
        }
    }

    /// Members of lists are distinct (links agree in both directions), each is a free leaf of its
    /// level, and there are as many as free leaves: so lists and free leaves are the same.
    fn verify_lists(&self, free: &[u64; lists::MAX_LEVELS as usize]) -> Result<(), String> {
        for level in 0..self.tree.geometry().levels() {
            let wanted = free[level as usize];
            let check = |member: NonNull<u8>| self.verify_member(member, level);
            let found = self.lists.audit(level, wanted, check);
            let found = found.map_err(|what| format!("free list {level}: {what}"))?;
            if found != wanted {
                return Err(format!(
                    "free list {level}: {found} members, {wanted} free blocks"
                ));
            }
        }
        Ok(())
    }

    fn verify_member(&self, member: NonNull<u8>, level: u32) -> Result<(), &'static str> {
        let geometry = self.tree.geometry();
        let address = member.as_ptr().addr() as u64;
        if !self.contains(address) {
            return Err("a link leads out of the arena");
        }
        let offset = address - self.base.as_ptr().addr() as u64;
        let mut node = geometry.node_at(offset, level);
        if geometry.offset(node) != offset {
            return Err("a member is not the start of a block");
        }
        if self.tree.state(node) != NodeState::Unallocated {
            return Err("a member is not free");
        }
        while !node.is_root() {
            node = node.parent();
            if self.tree.state(node) != NodeState::Inner {
                return Err("a member is part of a larger block");
            }
        }
        Ok(())
    }
}
