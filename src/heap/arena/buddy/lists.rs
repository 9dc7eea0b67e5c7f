//! Free lists of the arena, one per level.
//!
//! Invariants:
//! - each list is circular and doubly linked; a member's links are the first two words of its free
//!   block, the head's are in the table of heads;
//! - a block is on at most one list; the caller keeps it on the list of its level while it is
//!   free;
//! - bit `b` of `nonempty` is set exactly when list `b` has members;
//! - last in, first out: a block is put before the head and taken from there, so the memory handed
//!   out is the memory most likely still cached.
//!
//! Safety: the lists write the first two words of blocks they are given. Those who give a block
//! promise that it is free, writable, aligned for a word, and stays so while it is a member.
#![allow(unsafe_code)]

use core::ptr::NonNull;

/// Most levels an arena can have: one bit each in a word.
pub const MAX_LEVELS: u32 = u64::BITS;

/// The links at the start of a free block, or of a list head.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Link {
    prev: NonNull<Link>,
    next: NonNull<Link>,
}

/// Bytes of a table of heads for any arena.
pub const HEADS_BYTES: usize = MAX_LEVELS as usize * size_of::<Link>();

/// The lists of all levels.
#[derive(Debug)]
pub struct Lists {
    /// `levels` heads in memory that outlives the lists.
    heads: NonNull<Link>,
    nonempty: u64,
    levels: u32,
}

impl Lists {
    /// Empty lists for `levels` levels, with their heads at `heads`; to be opened before anything
    /// else.
    ///
    /// # Safety
    /// `heads` has room for `levels ≤ MAX_LEVELS` links, aligned, writable, and used by nobody
    /// else as long as the lists are.
    pub unsafe fn new(heads: NonNull<Link>, levels: u32) -> Lists {
        debug_assert!(levels <= MAX_LEVELS);
        Lists {
            heads,
            nonempty: 0,
            levels,
        }
    }

    /// Writes the heads: not when the lists are made, because that touches a page nobody may need.
    pub fn open(&mut self) {
        for level in 0..self.levels {
            let head = self.head(level);
            // SAFETY: the caller of `new` gave room for `levels` links.
            unsafe {
                head.write(Link {
                    prev: head,
                    next: head,
                })
            };
        }
    }

    #[inline(always)]
    fn head(&self, level: u32) -> NonNull<Link> {
        debug_assert!(level < self.levels);
        // SAFETY: the table has `levels` heads.
        unsafe { self.heads.add(level as usize) }
    }

    /// The deepest level, at most `level`, that has a free block: the best fit for a request of
    /// that level.
    #[inline(always)]
    pub fn deepest_nonempty(&self, level: u32) -> Option<u32> {
        let eligible = self.nonempty & (u64::MAX >> (u64::BITS - 1 - level));
        (u64::BITS - 1).checked_sub(eligible.leading_zeros())
    }

    /// Whether list `level` has members.
    pub fn is_nonempty(&self, level: u32) -> bool {
        self.nonempty >> level & 1 == 1
    }

    /// Puts a free block on list `level`.
    ///
    /// # Safety
    /// The block is free, on no list, at least 16 bytes, aligned and writable, and remains so
    /// until it is taken off.
    #[inline(always)]
    pub unsafe fn push(&mut self, level: u32, block: NonNull<Link>) {
        let head = self.head(level);
        // SAFETY: heads and members are valid links; the block is the caller's to give.
        unsafe {
            let last = (*head.as_ptr()).prev;
            block.write(Link {
                prev: last,
                next: head,
            });
            (*last.as_ptr()).next = block;
            (*head.as_ptr()).prev = block;
        }
        self.nonempty |= 1 << level;
    }

    /// Takes the newest block off list `level`; `None` if there is none.
    #[inline(always)]
    pub fn pop(&mut self, level: u32) -> Option<NonNull<Link>> {
        let head = self.head(level);
        // SAFETY: heads are valid links.
        let block = unsafe { (*head.as_ptr()).prev };
        if block == head {
            return None;
        }
        // SAFETY: what a head refers to, other than itself, is a member of its list.
        unsafe { self.remove(level, block) };
        Some(block)
    }

    /// Takes a given block off list `level`.
    ///
    /// # Safety
    /// The block is a member of that list.
    #[inline(always)]
    pub unsafe fn remove(&mut self, level: u32, block: NonNull<Link>) {
        // SAFETY: a member's neighbours are members or the head, all valid links.
        unsafe {
            let Link { prev, next } = block.read();
            (*prev.as_ptr()).next = next;
            (*next.as_ptr()).prev = prev;
            // Neighbours are the same link only when that link is the head.
            if prev == next {
                self.nonempty &= !(1 << level);
            }
        }
    }

    /// Number of members of list `level`, after checking both links and `check` of each. Stops
    /// with an error at the first wrong one, or when there are more than `most`.
    pub fn audit(
        &self,
        level: u32,
        most: u64,
        mut check: impl FnMut(NonNull<u8>) -> Result<(), &'static str>,
    ) -> Result<u64, &'static str> {
        let head = self.head(level);
        let (mut count, mut at) = (0, head);
        loop {
            // SAFETY: `at` is the head, or was approved by `check` as an address in the arena.
            let next = unsafe { (*at.as_ptr()).next };
            if next != head {
                check(next.cast())?;
            }
            // SAFETY: as above, for `next`.
            if unsafe { (*next.as_ptr()).prev } != at {
                return Err("a link back is wrong");
            }
            if next == head {
                break;
            }
            (count, at) = (count + 1, next);
            if count > most {
                return Err("a list is longer than the number of free blocks of its level");
            }
        }
        if self.is_nonempty(level) != (count > 0) {
            return Err("the summary of non-empty lists is wrong");
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Room for heads and blocks; a cell is a link.
    struct Cells(Vec<core::cell::UnsafeCell<[u64; 2]>>);

    impl Cells {
        fn new(n: usize) -> Cells {
            Cells(
                (0..n)
                    .map(|_| core::cell::UnsafeCell::new([0; 2]))
                    .collect(),
            )
        }
        /// The first cell, with access to all of them.
        fn first(&self) -> NonNull<Link> {
            NonNull::new(self.0.as_ptr().cast_mut().cast()).unwrap()
        }
        fn at(&self, i: usize) -> NonNull<Link> {
            NonNull::new(self.0[i].get().cast()).unwrap()
        }
    }

    proptest! {
        #[test]
        fn lists_behave_like_stacks_with_removal(
            steps in proptest::collection::vec(any::<(u8, u8)>(), 0..200),
        ) {
            const LEVELS: u32 = 4;
            let (heads, blocks) = (Cells::new(LEVELS as usize), Cells::new(256));
            // SAFETY: room for four heads, alive to the end of the test.
            let mut lists = unsafe { Lists::new(heads.first(), LEVELS) };
            lists.open();
            let mut model: Vec<Vec<usize>> = vec![vec![]; LEVELS as usize];
            for (i, (action, pick)) in steps.into_iter().enumerate() {
                let level = (pick & 3) as u32;
                let stack = &mut model[level as usize];
                match action % 3 {
                    // SAFETY: block `i` is used once.
                    0 => { unsafe { lists.push(level, blocks.at(i)) }; stack.push(i) }
                    1 => prop_assert_eq!(lists.pop(level), stack.pop().map(|i| blocks.at(i))),
                    _ if stack.is_empty() => (),
                    _ => {
                        let gone = stack.remove(pick as usize % stack.len());
                        // SAFETY: the model says that it is a member.
                        unsafe { lists.remove(level, blocks.at(gone)) }
                    }
                }
                for level in 0..LEVELS {
                    let stack = &model[level as usize];
                    prop_assert_eq!(lists.audit(level, 256, |_| Ok(())), Ok(stack.len() as u64));
                    let fit = (0..=level).rev().find(|b| !model[*b as usize].is_empty());
                    prop_assert_eq!(lists.deepest_nonempty(level), fit);
                }
            }
        }
    }
}
