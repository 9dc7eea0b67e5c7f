//! The buddy tree: index mathematics, and the two-bit states of its nodes.
//!
//! Source: the binary buddy system (Knuth, *The Art of Computer Programming* 1, §2.5), with the
//! nodes numbered as a heap-ordered complete binary tree; formulas of chapter 05 §3.1.
//!
//! Invariants:
//! - level 0 is the whole arena, each level halves; the last level is the smallest block;
//! - node `(level b, position k)` has index `2^b − 1 + k`; its state is bits `2·(i & 3)` and
//!   `2·(i & 3) + 1` of byte `i >> 2`;
//! - the leaves partition the arena: every address is below exactly one node that is not INNER and
//!   whose ancestors are all INNER;
//! - every node below a leaf is UNALLOCATED, so the first other state met on the way up from the
//!   last level is that of the leaf if it is allocated, and INNER if the address is free;
//! - nothing here reads or writes the arena itself: offsets are bytes from its start.
//!
//! The bytes are atomics because four nodes share one, and the collector reads states while others
//! change. Changes are made under one lock, so relaxed loads and stores suffice: the states at and
//! below an allocated leaf stay what they are until it is freed.

use core::sync::atomic::{AtomicU8, Ordering};

/// State of a node of the tree; the discriminants are those of chapter 05 §3.1.
///
/// ```text
///                  split
///               ┌──────────▶ INNER
///               │              │ both halves UNALLOCATED: merge
///         UNALLOCATED ◀────────┘
///           ▲      ▲
///     ┌─────┘      └────┐   allocate / free; the sweep frees ALLOC_GC alone
///     ▼                 ▼
///  ALLOC_GC       ALLOC_MANUAL
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum NodeState {
    /// A free leaf, or any node below a leaf.
    Unallocated = 0,
    /// Split in two.
    Inner = 1,
    /// A leaf that the collector frees when nothing refers to it.
    AllocGc = 2,
    /// A leaf that the runtime frees explicitly; implicitly live for the collector.
    AllocManual = 3,
}

impl NodeState {
    /// The state in the low two bits.
    #[inline(always)]
    const fn from_bits(bits: u8) -> NodeState {
        match bits & 3 {
            0 => NodeState::Unallocated,
            1 => NodeState::Inner,
            2 => NodeState::AllocGc,
            _ => NodeState::AllocManual,
        }
    }

    /// Whether this is one of the two states of an allocated leaf.
    #[inline(always)]
    pub const fn is_allocated(self) -> bool {
        self as u8 >= NodeState::AllocGc as u8
    }
}

/// A node: its index in the tree and the level it is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// `2^level − 1 + position`.
    pub index: u64,
    /// 0 for the root.
    pub level: u32,
}

impl Node {
    /// The whole arena.
    pub const ROOT: Node = Node { index: 0, level: 0 };

    /// The lower half. Not for nodes of the last level.
    #[inline(always)]
    pub const fn left(self) -> Node {
        Node {
            index: 2 * self.index + 1,
            level: self.level + 1,
        }
    }

    /// The upper half. Not for nodes of the last level.
    #[inline(always)]
    pub const fn right(self) -> Node {
        Node {
            index: 2 * self.index + 2,
            level: self.level + 1,
        }
    }

    /// The node this is a half of. Not for the root.
    #[inline(always)]
    pub const fn parent(self) -> Node {
        Node {
            index: (self.index - 1) / 2,
            level: self.level - 1,
        }
    }

    /// The other half of the parent. Not for the root.
    #[inline(always)]
    pub const fn sibling(self) -> Node {
        Node {
            index: ((self.index - 1) ^ 1) + 1,
            level: self.level,
        }
    }

    /// Whether this is the whole arena.
    #[inline(always)]
    pub const fn is_root(self) -> bool {
        self.index == 0
    }

    /// Whether this is the upper half of its parent. False for the root.
    #[inline(always)]
    pub const fn is_right(self) -> bool {
        self.index != 0 && self.index & 1 == 0
    }
}

/// Sizes of an arena: both are binary logarithms of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Smallest block.
    min_log2: u32,
    /// The whole arena.
    max_log2: u32,
}

impl Geometry {
    /// An arena of `2^max_log2` bytes with blocks of at least `2^min_log2`;
    /// `min_log2 ≤ max_log2 < 63`.
    pub const fn new(min_log2: u32, max_log2: u32) -> Geometry {
        assert!(min_log2 <= max_log2 && max_log2 < 63);
        Geometry { min_log2, max_log2 }
    }

    /// Bytes of the arena.
    #[inline(always)]
    pub const fn bytes(self) -> u64 {
        1 << self.max_log2
    }

    /// Number of levels, `B` of chapter 05 §1.2.
    #[inline(always)]
    pub const fn levels(self) -> u32 {
        self.max_log2 - self.min_log2 + 1
    }

    /// The level of the smallest blocks.
    #[inline(always)]
    pub const fn last_level(self) -> u32 {
        self.max_log2 - self.min_log2
    }

    /// Bytes of the table of node states: `2^B` nodes (one unused), two bits each.
    pub const fn state_bytes(self) -> u64 {
        (1u64 << self.levels()).div_ceil(4)
    }

    /// Bytes of a node of `level`.
    #[inline(always)]
    pub const fn size(self, level: u32) -> u64 {
        1 << (self.max_log2 - level)
    }

    /// The level whose nodes are the smallest that hold `bytes`; `None` if the arena is smaller.
    #[inline(always)]
    pub const fn level_for(self, bytes: u64) -> Option<u32> {
        if bytes > self.bytes() {
            return None;
        }
        let log2 = if bytes <= 1 {
            0
        } else {
            u64::BITS - (bytes - 1).leading_zeros()
        };
        let log2 = if log2 < self.min_log2 {
            self.min_log2
        } else {
            log2
        };
        Some(self.max_log2 - log2)
    }

    /// The node of `level` that covers the byte at `offset`, which lies in the arena.
    #[inline(always)]
    pub const fn node_at(self, offset: u64, level: u32) -> Node {
        debug_assert!(offset < self.bytes() && level <= self.last_level());
        Node {
            index: (offset >> (self.max_log2 - level)) + (1 << level) - 1,
            level,
        }
    }

    /// Offset of the first byte of `node`.
    #[inline(always)]
    pub const fn offset(self, node: Node) -> u64 {
        (node.index + 1 - (1 << node.level)) << (self.max_log2 - node.level)
    }
}

/// The states of all nodes, in any storage: mapped memory, or a vector in tests.
#[derive(Debug)]
pub struct Tree<S> {
    geometry: Geometry,
    states: S,
}

impl<S: AsRef<[AtomicU8]>> Tree<S> {
    /// A tree whose root is a free leaf. `states` holds `geometry.state_bytes()` zero bytes or
    /// more.
    pub fn new(geometry: Geometry, states: S) -> Tree<S> {
        debug_assert!(states.as_ref().len() as u64 >= geometry.state_bytes());
        Tree { geometry, states }
    }

    /// Where the states are.
    pub fn states(&self) -> &S {
        &self.states
    }

    /// The sizes of the arena.
    #[inline(always)]
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// State of a node.
    #[inline(always)]
    pub fn state(&self, node: Node) -> NodeState {
        let byte = self.states.as_ref()[(node.index >> 2) as usize].load(Ordering::Relaxed);
        NodeState::from_bits(byte >> (2 * (node.index & 3)))
    }

    /// Changes the state of a node. Exclusive access stands in for the lock of its level.
    #[inline(always)]
    pub fn set(&mut self, node: Node, state: NodeState) {
        let byte = &self.states.as_ref()[(node.index >> 2) as usize];
        let shift = 2 * (node.index & 3);
        let others = byte.load(Ordering::Relaxed) & !(3 << shift);
        byte.store(others | (state as u8) << shift, Ordering::Relaxed);
    }

    /// The sibling of `node` if both could merge: it is a free leaf. `None` for the root.
    #[inline(always)]
    pub fn free_sibling(&self, node: Node) -> Option<Node> {
        if node.is_root() || self.state(node.sibling()) != NodeState::Unallocated {
            return None;
        }
        Some(node.sibling())
    }

    /// The allocated leaf that covers the byte at `offset`, with its state; `None` if that byte is
    /// free. Goes up from the last level, so blocks near the minimum are found in a step or two.
    #[inline]
    pub fn allocated_at(&self, offset: u64) -> Option<(Node, NodeState)> {
        let mut node = self.geometry.node_at(offset, self.geometry.last_level());
        loop {
            match self.state(node) {
                NodeState::Inner => return None,
                NodeState::Unallocated if node.is_root() => return None,
                NodeState::Unallocated => node = node.parent(),
                state => return Some((node, state)),
            }
        }
    }

    /// The leaf with the lowest address.
    pub fn first_leaf(&self) -> Node {
        self.leftmost_leaf(Node::ROOT)
    }

    /// The leaf after `leaf` in the order of addresses. Needs no stack: a leaf's way up is in its
    /// index.
    pub fn next_leaf(&self, leaf: Node) -> Option<Node> {
        let mut node = leaf;
        while node.is_right() {
            node = node.parent();
        }
        if node.is_root() {
            None
        } else {
            Some(self.leftmost_leaf(node.sibling()))
        }
    }

    fn leftmost_leaf(&self, mut node: Node) -> Node {
        while node.level < self.geometry.last_level() && self.state(node) == NodeState::Inner {
            node = node.left();
        }
        node
    }

    /// Whether all nodes of the `depth` levels below `node` are UNALLOCATED; takes time
    /// proportional to their number.
    pub fn is_clear_below(&self, node: Node, depth: u32) -> bool {
        let (mut first, mut last) = (node, node);
        for _ in 0..depth.min(self.geometry.last_level() - node.level) {
            (first, last) = (first.left(), last.right());
            let all = first.index..=last.index;
            let level = first.level;
            let clear = |index| self.state(Node { index, level }) == NodeState::Unallocated;
            if !all.into_iter().all(clear) {
                return false;
            }
        }
        true
    }
}

/// Mark bits of nodes, as the collector's explore, sweep and new-allocation trees keep them: one
/// bit per node, in words of 64.
pub mod marks {
    use super::Node;
    use core::ops::Range;

    /// Word and bit of a node. The physical bit is `index + 1`, so that each level from 6 on fills
    /// whole words and a parent's word is packed from the two words of its children.
    #[inline(always)]
    pub const fn position(node: Node) -> (u64, u32) {
        let bit = node.index + 1;
        (bit >> 6, (bit & 63) as u32)
    }

    /// The words of a level of at least 6; levels 0 to 5 share word 0.
    #[inline(always)]
    pub const fn words(level: u32) -> Range<u64> {
        debug_assert!(level >= 6);
        let first = 1 << (level - 6);
        first..2 * first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(min_log2: u32, max_log2: u32) -> Tree<Vec<AtomicU8>> {
        let geometry = Geometry::new(min_log2, max_log2);
        let states = (0..geometry.state_bytes())
            .map(|_| AtomicU8::new(0))
            .collect();
        Tree::new(geometry, states)
    }

    #[test]
    fn the_example_of_the_specification() {
        let geometry = Geometry::new(9, 34);
        assert_eq!(
            (geometry.levels(), geometry.state_bytes()),
            (26, 16_777_216)
        );
        let node = geometry.node_at(544, 25);
        assert_eq!(node.index, 33_554_432);
        assert_eq!(geometry.offset(node), 512);
        let bit = 33_554_433;
        assert_eq!(marks::position(node), (bit >> 6, (bit & 63) as u32));
        assert_eq!(marks::words(25), 1 << 19..1 << 20);
    }

    #[test]
    fn mark_words_of_a_level_hold_exactly_its_nodes() {
        for level in 6..20 {
            let first = Node {
                index: (1 << level) - 1,
                level,
            };
            let last = Node {
                index: (2 << level) - 2,
                level,
            };
            let words = marks::words(level);
            assert_eq!(marks::position(first), (words.start, 0));
            assert_eq!(marks::position(last), (words.end - 1, 63));
            // Bytes as in chapter 05 §3.1.
            assert_eq!(8 * words.start, 1 << (level - 3));
        }
        for level in 0..6 {
            assert_eq!(
                marks::position(Node {
                    index: (2 << level) - 2,
                    level
                })
                .0,
                0
            );
        }
    }

    #[test]
    fn the_level_of_a_request_is_the_deepest_that_holds_it() {
        let geometry = Geometry::new(7, 20);
        for bytes in (0..=1 << 12).chain([1 << 19, (1 << 19) + 1, 1 << 20]) {
            let naive = (0..=geometry.last_level())
                .rev()
                .find(|b| geometry.size(*b) >= bytes);
            assert_eq!(geometry.level_for(bytes), naive, "{bytes}");
        }
        for bytes in [(1 << 20) + 1, 1 << 40, 1 << 63, u64::MAX] {
            assert_eq!(geometry.level_for(bytes), None);
        }
    }

    #[test]
    fn relatives_of_every_node_of_a_small_tree() {
        let geometry = Geometry::new(7, 15);
        for level in 0..geometry.levels() {
            for position in 0..1u64 << level {
                let node = geometry.node_at(position << (15 - level), level);
                assert_eq!(node.index, (1 << level) - 1 + position);
                assert_eq!(geometry.offset(node), position << (15 - level));
                assert_eq!(node.is_right(), level > 0 && position & 1 == 1);
                if level > 0 {
                    assert_eq!(
                        geometry.offset(node.parent()),
                        (position / 2) << (16 - level)
                    );
                    assert_eq!(
                        geometry.offset(node.sibling()),
                        (position ^ 1) << (15 - level)
                    );
                    let half = if node.is_right() {
                        node.parent().right()
                    } else {
                        node.parent().left()
                    };
                    assert_eq!(half, node);
                }
            }
        }
    }

    /// A partition of the arena kept as a list of leaves: the naive model of the tree.
    fn model_split(leaves: &mut Vec<(u64, u32, NodeState)>, at: usize) {
        let (offset, level, _) = leaves[at];
        let half = (1 << 14) >> (level + 1);
        let child = |offset| (offset, level + 1, NodeState::Unallocated);
        leaves.splice(at..=at, [child(offset), child(offset + half)]);
    }

    proptest! {
        #[test]
        fn leaves_and_lookups_agree_with_a_list(
            steps in proptest::collection::vec(any::<(u16, u8)>(), 1..80),
        ) {
            use NodeState::{AllocGc, AllocManual, Unallocated};
            let mut tree = tree(7, 14);
            let geometry = tree.geometry();
            let mut leaves = vec![(0, 0, Unallocated)];
            for (pick, action) in steps {
                let at = pick as usize % leaves.len();
                let (offset, level, state) = leaves[at];
                let node = geometry.node_at(offset, level);
                let can_split = state == Unallocated && level < geometry.last_level();
                if action < 128 && can_split {
                    model_split(&mut leaves, at);
                    tree.set(node, NodeState::Inner);
                } else {
                    let state = [Unallocated, AllocGc, AllocManual][action as usize % 3];
                    leaves[at].2 = state;
                    tree.set(node, state);
                }
                let mut found = Some(tree.first_leaf());
                for &(offset, level, state) in &leaves {
                    let leaf = found.expect("as many leaves as the model");
                    let seen = (geometry.offset(leaf), leaf.level, tree.state(leaf));
                    prop_assert_eq!(seen, (offset, level, state));
                    prop_assert!(tree.is_clear_below(leaf, u32::MAX));
                    for inside in (offset..offset + geometry.size(level)).step_by(100) {
                        let expected = state.is_allocated().then_some((leaf, state));
                        prop_assert_eq!(tree.allocated_at(inside), expected);
                    }
                    found = tree.next_leaf(leaf);
                }
                prop_assert_eq!(found, None);
            }
        }
    }
}
