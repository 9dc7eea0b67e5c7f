//! Writes the canonical seed of a value, in either version (specification, chapter 03, sections 5
//! and 8).
//!
//! Every distinct number is written once. The fragments are the cells used more than once, and
//! the root if it is a cell, in order of first completion: head before argument, parts before the
//! cell.
//!
//! Beyond the letter of the specification:
//! - version 2 writes `<1>`, MkLaw, as parameter 1 and not as `<0>` applied to 1;
//! - a node whose head would not fit in 64 bits (a row of millions of elements) has no canonical
//!   form; its inner part is made a fragment of its own, every so many arguments.
//!
//! Invariants:
//! - time and memory are linear in the number of nodes of the graph, numbers are sorted besides;
//! - nothing recurses: a list of 10^7 elements is a loop.

use super::bits::{self, BitWriter, index_width};
use super::error::{Code, SeedError};
use super::graph::{Graph, Id, MAX_NODES, Node};
use super::header::Version;
use crate::heap::words::sort;
use alloc::vec::Vec;

/// Writes `root` as a seed. The outcome depends on the value alone, not on how the graph was made.
///
/// Errors: E_MEMORY.
pub fn encode(graph: &Graph, root: Id, version: Version) -> Result<Vec<u8>, SeedError> {
    let (mut bytes, mut room) = (Vec::new(), Ok(()));
    encode_to(graph, root, version, &mut |part| {
        if room.is_ok() {
            room = bits::reserve(&mut bytes, part.len());
        }
        if room.is_ok() {
            bytes.extend_from_slice(part);
        }
    })?;
    room.map(|()| bytes)
}

/// The same in parts for `sink`, from the first byte to the last; after an error what it got is
/// worth nothing.
///
/// Errors: E_MEMORY.
pub fn encode_to(
    graph: &Graph,
    root: Id,
    version: Version,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<(), SeedError> {
    let uses = count_uses(graph, root, version)?;
    let mut layout = Layout::new(graph, root, version, &uses, u32::MAX)?;
    let fragments = match layout.fragments(graph) {
        Err(error) if error.code == Code::Node => {
            let width = index_width(layout.entries()) + 1;
            // The longest count that fits beside such a reference: 2z + W <= 64.
            let limit = (1 << ((u64::BITS - width) / 2)) - 1;
            layout = Layout::new(graph, root, version, &uses, limit)?;
            layout.fragments(graph)?
        }
        outcome => outcome?,
    };
    layout.write(graph, &fragments, sink)
}

/// How often each node is used by nodes that the root needs: 0, 1, or 2 for more. The root counts
/// as used twice, which makes it a fragment if it is a cell.
fn count_uses(graph: &Graph, root: Id, version: Version) -> Result<Vec<u8>, SeedError> {
    let mut uses = Vec::new();
    bits::reserve(&mut uses, root.0 as usize + 1)?;
    uses.resize(root.0 as usize + 1, 0u8);
    uses[root.0 as usize] = 2;
    // Parts have smaller identities, so this sees all users of a node before the node.
    for id in (0..=root.0).rev() {
        if uses[id as usize] == 0 || is_law_constructor(graph, Id(id), version) {
            continue;
        }
        if let Node::Cell(head, argument) = graph.node(Id(id)) {
            for part in [head, argument] {
                let count = &mut uses[part.0 as usize];
                *count = (*count + 1).min(2);
            }
        }
    }
    Ok(uses)
}

/// Whether a node is written as parameter 1.
fn is_law_constructor(graph: &Graph, id: Id, version: Version) -> bool {
    version == Version::V2
        && matches!(graph.node(id), Node::Cell(head, one)
            if graph.node(head) == Node::Param && graph.node(one) == Node::Nat(&[1]))
}

/// Where everything goes in the file.
struct Layout {
    version: Version,
    params: u64,
    /// Descending by value.
    numbers: Vec<Id>,
    /// In file order.
    fragments: Vec<Id>,
    /// What is known about each node; see [`Place`].
    places: Vec<u32>,
}

/// What the layout knows about a node, in 32 bits: 0 nothing yet; with the flag, its table
/// position; else, for a cell inside a fragment, how many arguments its head has been given so
/// far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Unknown,
    Entry(u32),
    Inner(u32),
}

/// Marks a table position among places, and a node to be completed on the stack of the walk.
const FLAG: u32 = MAX_NODES as u32;

impl Layout {
    /// Finds numbers and fragments. A node gets at most `limit` arguments.
    fn new(
        graph: &Graph,
        root: Id,
        version: Version,
        uses: &[u8],
        limit: u32,
    ) -> Result<Self, SeedError> {
        let mut places = Vec::new();
        bits::reserve(&mut places, uses.len())?;
        places.resize(uses.len(), 0);
        let (numbers, fragments) = (Vec::new(), Vec::new());
        let mut layout = Layout {
            version,
            params: 0,
            numbers,
            fragments,
            places,
        };
        layout.place_leaves(graph, uses)?;
        layout.place_fragments(graph, root, uses, limit)?;
        Ok(layout)
    }

    /// The number of table entries.
    fn entries(&self) -> u64 {
        self.base() + self.fragments.len() as u64
    }

    /// The number of entries before the fragments.
    fn base(&self) -> u64 {
        self.params + self.numbers.len() as u64
    }

    fn place(&self, id: Id) -> Place {
        match self.places[id.0 as usize] {
            0 => Place::Unknown,
            place if place & FLAG != 0 => Place::Entry(place & !FLAG),
            count => Place::Inner(count),
        }
    }

    /// Notes a table position. There are fewer entries than nodes (parameter 1 is a cell), so it
    /// fits beside the flag.
    fn set_entry(&mut self, id: Id, position: u64) {
        self.places[id.0 as usize] = position as u32 | FLAG;
    }

    /// Gives parameters and numbers their positions.
    fn place_leaves(&mut self, graph: &Graph, uses: &[u8]) -> Result<(), SeedError> {
        let mut law = None;
        for id in (0..uses.len() as u32)
            .map(Id)
            .filter(|id| uses[id.0 as usize] > 0)
        {
            match graph.node(id) {
                Node::Param => self.params = 1,
                Node::Nat(_) => bits::push(&mut self.numbers, id)?,
                Node::Cell(..) if is_law_constructor(graph, id, self.version) => law = Some(id),
                Node::Cell(..) => {}
            }
        }
        self.set_entry(graph.param(), 0);
        if let Some(id) = law {
            self.params = 2;
            self.set_entry(id, 1);
        }
        sort(&mut self.numbers, |a, b| {
            let (a, b) = (limbs(graph, *a), limbs(graph, *b));
            let order = b.len().cmp(&a.len());
            order
                .then_with(|| b.iter().rev().cmp(a.iter().rev()))
                .is_lt()
        });
        for index in 0..self.numbers.len() {
            self.set_entry(self.numbers[index], self.params + index as u64);
        }
        Ok(())
    }

    /// Walks the cells depth first, head before argument, and completes each after its parts.
    fn place_fragments(
        &mut self,
        graph: &Graph,
        root: Id,
        uses: &[u8],
        limit: u32,
    ) -> Result<(), SeedError> {
        let mut stack = Vec::new();
        bits::push(&mut stack, root.0)?;
        while let Some(top) = stack.pop() {
            let id = Id(top & !FLAG);
            let Node::Cell(head, argument) = graph.node(id) else {
                continue;
            };
            if top & FLAG != 0 {
                self.complete(id, head, uses[id.0 as usize] > 1, limit)?;
            } else if self.place(id) == Place::Unknown {
                bits::push(&mut stack, id.0 | FLAG)?;
                bits::push(&mut stack, argument.0)?;
                bits::push(&mut stack, head.0)?;
            }
        }
        Ok(())
    }

    /// Makes a cell, all parts of which are complete, a fragment or a part of one.
    fn complete(&mut self, id: Id, head: Id, shared: bool, limit: u32) -> Result<(), SeedError> {
        let count = match self.place(head) {
            Place::Inner(count) => count + 1,
            Place::Entry(_) | Place::Unknown => 1,
        };
        if shared || count >= limit {
            self.set_entry(id, self.entries());
            bits::push(&mut self.fragments, id)
        } else {
            self.places[id.0 as usize] = count;
            Ok(())
        }
    }

    /// The file, whose last part is `fragments`.
    fn write(
        &self,
        graph: &Graph,
        fragments: &[u8],
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), SeedError> {
        let (mut bytes, mut length) = (self.header(graph)?, 0usize);
        for id in &self.numbers {
            let limbs = match limbs(graph, *id) {
                [] => &[0],
                limbs => limbs,
            };
            let section = class(limbs, self.version);
            for part in limbs.chunks(PART) {
                write_limbs(part, section, &mut bytes)?;
                if bytes.len() >= PART {
                    length += bytes.len();
                    sink(&bytes);
                    bytes.clear();
                }
            }
        }
        length += bytes.len() + fragments.len();
        sink(&bytes);
        sink(fragments);
        sink(&[0; 7][..length.next_multiple_of(8) - length]);
        Ok(())
    }

    /// The bits of the fragments. E_NODE if some node has more arguments than can be written.
    fn fragments(&self, graph: &Graph) -> Result<Vec<u8>, SeedError> {
        let mut out = Writer {
            bits: BitWriter::default(),
            entries: 0,
            width: 0,
        };
        let mut stack = Vec::new();
        for (index, id) in self.fragments.iter().enumerate() {
            out.begin(match self.version {
                Version::V1 => self.base() + index as u64,
                Version::V2 => self.entries(),
            });
            self.write_cell(graph, *id, &mut stack, &mut out)?;
            while let Some(id) = stack.pop() {
                match self.place(id) {
                    Place::Entry(position) => out.node(0, position)?,
                    _ => self.write_cell(graph, id, &mut stack, &mut out)?,
                }
            }
        }
        out.bits.finish(1)
    }

    /// Writes the head of a cell's node and leaves its arguments on the stack, the first on top.
    fn write_cell(
        &self,
        graph: &Graph,
        id: Id,
        stack: &mut Vec<Id>,
        out: &mut Writer,
    ) -> Result<(), SeedError> {
        let mut cell = id;
        let mut args = 0;
        while let Node::Cell(head, argument) = graph.node(cell) {
            bits::push(stack, argument)?;
            args += 1;
            if let Place::Entry(position) = self.place(head) {
                return out.node(args, position);
            }
            cell = head;
        }
        Ok(())
    }

    /// The 40 bytes of counts, and the sizes of the big numbers.
    fn header(&self, graph: &Graph) -> Result<Vec<u8>, SeedError> {
        let mut counts = [0u64; 5];
        for id in &self.numbers {
            counts[class(limbs(graph, *id), self.version)] += 1;
        }
        let [bigs, n64, n32, n16, n8] = counts;
        let fragments = self.fragments.len() as u64;
        let words = match self.version {
            Version::V1 => [self.params, bigs, n64, n8, fragments],
            Version::V2 => [
                0x02_4453 << 40 | self.params,
                bigs,
                n64,
                n32 | n16 << 32 | n8 << 48,
                fragments,
            ],
        };
        let mut bytes = Vec::new();
        for word in words {
            write_word(word, &mut bytes)?;
        }
        for id in &self.numbers[..bigs as usize] {
            write_word(limbs(graph, *id).len() as u64, &mut bytes)?;
        }
        Ok(bytes)
    }
}

/// The limbs of a number.
fn limbs<'a>(graph: &'a Graph<'_>, id: Id) -> &'a [u64] {
    match graph.node(id) {
        Node::Nat(limbs) => limbs,
        Node::Param | Node::Cell(..) => &[],
    }
}

/// Widths in bytes of the sections of small numbers, from the second section on.
const WIDTHS: [usize; 4] = [8, 4, 2, 1];

/// The section of a number: 0 for a big, then 64, 32, 16 and 8 bits. Version 1 has no section of
/// 32 or 16 bits.
fn class(limbs: &[u64], version: Version) -> usize {
    match (limbs.first().copied().unwrap_or(0), version) {
        _ if limbs.len() > 1 => 0,
        (0..=0xff, _) => 4,
        (_, Version::V1) => 1,
        (0x100..=0xffff, _) => 3,
        (0x1_0000..=0xffff_ffff, _) => 2,
        _ => 1,
    }
}

/// Limbs of a number that are written at once, and bytes that are handed on at once.
const PART: usize = 1 << 16;

/// Appends data of a number of this section.
fn write_limbs(limbs: &[u64], section: usize, bytes: &mut Vec<u8>) -> Result<(), SeedError> {
    let width = section.checked_sub(1).map_or(8, |small| WIDTHS[small]);
    bits::reserve(bytes, width * limbs.len())?;
    for limb in limbs {
        bytes.extend_from_slice(&limb.to_le_bytes()[..width]);
    }
    Ok(())
}

fn write_word(word: u64, bytes: &mut Vec<u8>) -> Result<(), SeedError> {
    bits::reserve(bytes, 8)?;
    bytes.extend_from_slice(&word.to_le_bytes());
    Ok(())
}

/// The bit stream being written.
struct Writer {
    bits: BitWriter,
    /// Entries that references count back from.
    entries: u64,
    /// Width of a reference, in bits.
    width: u32,
}

impl Writer {
    /// Starts a fragment that may refer to the first `entries` entries.
    fn begin(&mut self, entries: u64) {
        self.entries = entries;
        self.width = index_width(entries);
    }

    /// Writes the size and the reference of a node.
    fn node(&mut self, args: u32, position: u32) -> Result<(), SeedError> {
        let length = u32::BITS - args.leading_zeros();
        if 2 * length + self.width > u64::BITS {
            return Err(SeedError::new(
                Code::Node,
                "too many arguments for one node",
                0,
            ));
        }
        if args == 0 {
            self.bits.push(1, 1)?;
        } else {
            self.bits.push(1 << length, length + 1)?;
            self.bits.push(u64::from(args), length - 1)?;
        }
        self.bits
            .push(self.entries - 1 - u64::from(position), self.width)
    }
}
