//! Values as a graph in which equal parts are one node: what a seed is written from.
//!
//! The graph is made bottom-up. Making a node that exists already gives the node that exists
//! (hash-consing), so equal values get equal identities whatever order they are made in.
//!
//! | value | nodes |
//! |---|---|
//! | natural number | `nat` |
//! | `<0>`, MkPin | `param` |
//! | pin `<i>` of any other i | `cell(param, i)` |
//! | law `{n a b}` | `cell(cell(cell(law_constructor, n), a), b)` |
//! | closure `h[x y]`, row `0[x y]` | `cell(cell(h, x), y)` |
//!
//! Invariants:
//! - no two nodes are structurally equal;
//! - the parts of a cell have smaller identities than the cell, so the graph has no cycle and a
//!   plain loop over identities visits parts first (or, downwards, wholes first);
//! - node 0 is the parameter; `<1>` is the cell (param 1) here, in either version of the format.

use super::bits;
use super::build::{BuildError, Builder, build};
use super::error::{Code, SeedError};
use super::header::{Limbs, Plan};
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash};
use hashbrown::{DefaultHashBuilder, HashTable};

/// The identity of a node within its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(super) u32);

impl Id {
    /// As a word, for tables.
    pub fn word(self) -> u64 {
        u64::from(self.0)
    }

    /// The identity that [`Id::word`] made this word of.
    pub fn from_word(word: u64) -> Id {
        Id(word as u32)
    }
}

/// A node of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node<'a> {
    /// The parameter, `<0>`.
    Param,
    /// A natural number: limbs, least significant first, the last one not 0.
    Nat(&'a [u64]),
    /// A head applied to an argument.
    Cell(Id, Id),
}

/// Nodes are limited to 2^31, so that users may put a flag beside an identity in 32 bits.
pub(super) const MAX_NODES: usize = 1 << 31;
/// In the first half of a stored node: the second half is an index into the numbers.
const NAT: u32 = u32::MAX;
/// In the first half of a stored node: the parameter.
const PARAM: u32 = u32::MAX - 1;
/// In the first half of a stored node: the second half is an index into the lent numbers.
const LENT: u32 = u32::MAX - 2;

/// A graph without duplicates. Costs 8 bytes and some 6 to 11 bytes of index per node; numbers
/// cost 8 bytes more and their limbs, unless those are lent (`'n`). After an E_MEMORY it is of no
/// further use.
#[derive(Debug)]
pub struct Graph<'n> {
    nodes: Vec<(u32, u32)>,
    /// End in `limbs` of each number; it starts where the one before ends.
    nat_ends: Vec<usize>,
    limbs: Vec<u64>,
    lent: Vec<&'n [u64]>,
    index: HashTable<u32>,
    /// Seeded anew in each graph; identities and encodings do not depend on it.
    hasher: DefaultHashBuilder,
}

impl Default for Graph<'_> {
    fn default() -> Self {
        Graph::new()
    }
}

impl<'n> Graph<'n> {
    /// A graph with the parameter only.
    pub fn new() -> Self {
        Graph {
            nodes: Vec::from([(PARAM, 0)]),
            nat_ends: Vec::new(),
            limbs: Vec::new(),
            lent: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// `<0>`, the pin constructor.
    pub fn param(&self) -> Id {
        Id(0)
    }

    /// `<1>`, the law constructor: the parameter applied to 1.
    pub fn law_constructor(&mut self) -> Result<Id, SeedError> {
        let one = self.nat(&[1])?;
        self.cell(self.param(), one)
    }

    /// The natural number with these limbs, least significant first; leading zeros do not matter.
    ///
    /// Errors: E_MEMORY.
    pub fn nat(&mut self, limbs: &[u64]) -> Result<Id, SeedError> {
        let limbs = significant(limbs);
        if let Some(id) = self.find(Node::Nat(limbs)) {
            return Ok(id);
        }
        let number = self.nat_ends.len() as u32;
        bits::reserve(&mut self.limbs, limbs.len())?;
        self.limbs.extend_from_slice(limbs);
        bits::push(&mut self.nat_ends, self.limbs.len())?;
        self.insert((NAT, number))
    }

    /// The same for limbs that stay where they are as long as the graph.
    ///
    /// Errors: E_MEMORY.
    pub fn lent_nat(&mut self, limbs: &'n [u64]) -> Result<Id, SeedError> {
        let limbs = significant(limbs);
        if let Some(id) = self.find(Node::Nat(limbs)) {
            return Ok(id);
        }
        let number = self.lent.len() as u32;
        bits::push(&mut self.lent, limbs)?;
        self.insert((LENT, number))
    }

    /// `head` applied to `argument`; both are nodes of this graph.
    ///
    /// Errors: E_MEMORY.
    pub fn cell(&mut self, head: Id, argument: Id) -> Result<Id, SeedError> {
        match self.find(Node::Cell(head, argument)) {
            Some(id) => Ok(id),
            None => self.insert((head.0, argument.0)),
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes: never, for the parameter is always there.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What node `id` of this graph is.
    pub fn node(&self, id: Id) -> Node<'_> {
        match self.nodes[id.0 as usize] {
            (PARAM, _) => Node::Param,
            (NAT, number) => {
                let number = number as usize;
                let before = number.checked_sub(1);
                let start = before.map_or(0, |before| self.nat_ends[before]);
                Node::Nat(&self.limbs[start..self.nat_ends[number]])
            }
            (LENT, number) => Node::Nat(self.lent[number as usize]),
            (head, argument) => Node::Cell(Id(head), Id(argument)),
        }
    }

    /// Adds the value of a seed, of either version, from which `plan` was made.
    ///
    /// Errors: E_VERSION for a version 2 graph, whose value may be cyclic; E_MEMORY.
    pub fn load(&mut self, bytes: &[u8], plan: &Plan) -> Result<Id, SeedError> {
        let mut loader = Loader {
            graph: self,
            table: Vec::new(),
            operands: Vec::new(),
        };
        match build(bytes, plan, &mut loader) {
            Ok(_) => loader.table.last().copied().ok_or_else(mismatch),
            Err(BuildError::Seed(error) | BuildError::Builder(error)) => Err(error),
        }
    }

    /// The node equal to `node`, if there is one.
    fn find(&self, node: Node) -> Option<Id> {
        let equal = |id: &u32| self.node(Id(*id)) == node;
        self.index
            .find(self.hasher.hash_one(node), equal)
            .map(|id| Id(*id))
    }

    /// Appends a node that does not exist yet, and enters it in the index.
    fn insert(&mut self, stored: (u32, u32)) -> Result<Id, SeedError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(SeedError::memory(
                "a value of 2^31 or more parts cannot be saved",
            ));
        }
        if self.index.len() == self.index.capacity() {
            self.grow_index()?;
        }
        let id = self.nodes.len() as u32;
        bits::push(&mut self.nodes, stored)?;
        let hash = self.hasher.hash_one(self.node(Id(id)));
        enter(&mut self.index, hash, id);
        Ok(Id(id))
    }

    /// Doubles the index by entering all nodes anew. Growing in place would visit the nodes in
    /// the order of their hashes and miss the cache each time, which took half the time of large
    /// values.
    fn grow_index(&mut self) -> Result<(), SeedError> {
        // Capacities are 7/8 of a power of two, and reserving rounds up to the next one.
        let capacity = self.nodes.len() + 8;
        // The old one goes before there is another.
        self.index = HashTable::new();
        let mut index = HashTable::new();
        index
            .try_reserve(capacity, |_| 0)
            .map_err(|_| SeedError::memory("no memory left to share equal parts"))?;
        for id in 1..self.nodes.len() as u32 {
            enter(&mut index, self.hasher.hash_one(self.node(Id(id))), id);
        }
        self.index = index;
        Ok(())
    }
}

/// Enters a node that is not there yet, into an index with room for it.
fn enter(index: &mut HashTable<u32>, hash: u64, id: u32) {
    // The hasher is for growth only, of which there is none here.
    index.insert_unique(hash, id, |_| hash);
}

/// The limbs up to the last that is not 0.
fn significant(limbs: &[u64]) -> &[u64] {
    let last = limbs.iter().rposition(|limb| *limb != 0);
    &limbs[..last.map_or(0, |last| last + 1)]
}

/// Builds a seed into a graph.
struct Loader<'a, 'n> {
    graph: &'a mut Graph<'n>,
    table: Vec<Id>,
    operands: Vec<Id>,
}

/// The bytes being built are not those that were checked.
fn mismatch() -> SeedError {
    SeedError::new(Code::Ref, "the seed is not the one that was checked", 0)
}

impl Loader<'_, '_> {
    fn pop(&mut self) -> Result<Id, SeedError> {
        self.operands.pop().ok_or_else(mismatch)
    }
}

impl Builder for Loader<'_, '_> {
    type Error = SeedError;

    fn param(&mut self, law: bool) -> Result<(), SeedError> {
        let id = if law {
            self.graph.law_constructor()?
        } else {
            self.graph.param()
        };
        bits::push(&mut self.table, id)
    }

    fn nat(&mut self, limbs: Limbs<'_>) -> Result<(), SeedError> {
        let id = match limbs.to_u64() {
            Some(value) => self.graph.nat(&[value])?,
            None => {
                let mut long = Vec::new();
                bits::reserve(&mut long, limbs.len())?;
                long.extend(limbs);
                self.graph.nat(&long)?
            }
        };
        bits::push(&mut self.table, id)
    }

    fn placeholders(&mut self, _count: u64) -> Result<(), SeedError> {
        let detail = "a graph cannot be read where only a tree is allowed";
        Err(SeedError::new(Code::Version, detail, 32))
    }

    fn push_entry(&mut self, position: u64) -> Result<(), SeedError> {
        let id = *self.table.get(position as usize).ok_or_else(mismatch)?;
        bits::push(&mut self.operands, id)
    }

    fn apply(&mut self) -> Result<(), SeedError> {
        let argument = self.pop()?;
        let head = self.pop()?;
        let id = self.graph.cell(head, argument)?;
        bits::push(&mut self.operands, id)
    }

    fn end_fragment(&mut self) -> Result<(), SeedError> {
        let id = self.pop()?;
        bits::push(&mut self.table, id)
    }

    fn fill(&mut self, _position: u64) -> Result<(), SeedError> {
        Err(mismatch())
    }
}
