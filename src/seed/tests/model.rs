//! A naive model of the seed format, written from the specification alone: bits are characters of
//! a string, nodes are trees, everything recurses. Slow, and right for small files.

use super::super::{Code, Graph, Id};
use std::string::String;
use std::vec::Vec;

/// A node: a table position applied to nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub entry: usize,
    pub args: Vec<Tree>,
}

/// A seed as the tables say it, nothing merged, sorted or shared anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub version: u8,
    pub graph: bool,
    pub params: usize,
    /// Limbs as they stand in the file, or one limb for the smaller classes; with the section, 0
    /// for bigs, else the number of bits.
    pub numbers: Vec<(u8, Vec<u64>)>,
    pub fragments: Vec<Tree>,
    /// Bits after the last fragment.
    pub padding: String,
}

/// Bits in stream order as a string of 0 and 1.
pub fn bits_of(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |k| if byte >> k & 1 == 1 { '1' } else { '0' }))
        .collect()
}

/// The bytes of a string of bits, padded with 0.
pub fn bytes_of(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().map(|bit| bit - b'0').collect();
    bits.chunks(8)
        .map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | bit))
        .collect()
}

/// `width` bits of `value`, lowest first.
pub fn field(value: u64, width: usize) -> String {
    (0..width)
        .map(|k| if value >> k & 1 == 1 { '1' } else { '0' })
        .collect()
}

/// The width of a reference among `n` entries.
pub fn width(n: usize) -> usize {
    (0..64).find(|w| n <= 1 << w).unwrap()
}

/// The bits of an argument count.
pub fn size(c: u64) -> String {
    if c == 0 {
        return String::from("1");
    }
    let z = std::format!("{c:b}").len();
    "0".repeat(z) + "1" + &field(c, z - 1)
}

/// Reads bits from the front of a string.
struct Stream<'a>(&'a str);

impl Stream<'_> {
    fn take(&mut self, count: usize) -> Result<u64, Code> {
        if self.0.len() < count {
            return Err(Code::Trunc);
        }
        let (front, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(front
            .bytes()
            .rev()
            .fold(0, |sum, bit| sum << 1 | u64::from(bit - b'0')))
    }
}

impl Model {
    pub fn base(&self) -> usize {
        self.params + self.numbers.len()
    }

    /// Reads a file, or says which error it must be rejected with.
    pub fn read(bytes: &[u8]) -> Result<Model, Code> {
        let uint = |at: usize, width: usize| {
            bytes[at..at + width]
                .iter()
                .rev()
                .fold(0u128, |sum, byte| sum << 8 | u128::from(*byte))
        };
        if bytes.len() < 40 {
            return Err(Code::Header);
        }
        let v2 = &bytes[5..8] == b"\x53\x44\x02" && bytes[4] < 2;
        if !v2 && uint(4, 4) != 0 {
            return Err(Code::Version);
        }
        if uint(0, 4) > if v2 { 2 } else { 65_535 } {
            return Err(Code::Params);
        }
        let mut model = Model {
            version: if v2 { 2 } else { 1 },
            graph: v2 && bytes[4] == 1,
            params: uint(0, 4) as usize,
            numbers: Vec::new(),
            fragments: Vec::new(),
            padding: String::new(),
        };
        let sections = if v2 {
            std::vec![
                (64, uint(16, 8)),
                (32, uint(24, 4)),
                (16, uint(28, 2)),
                (8, uint(30, 2))
            ]
        } else {
            std::vec![(64, uint(16, 8)), (8, uint(24, 8))]
        };
        let at = model.read_numbers(bytes, uint(8, 8), &sections, &uint)?;
        model.read_stream(&bits_of(&bytes[at..]), uint(32, 8))?;
        if v2 {
            let padded = model.padding.len() < 64 && bytes.len().is_multiple_of(8);
            if !padded || model.padding.contains('1') {
                return Err(Code::Canon);
            }
        }
        Ok(model)
    }

    fn read_numbers(
        &mut self,
        bytes: &[u8],
        bigs: u128,
        sections: &[(u8, u128)],
        uint: &dyn Fn(usize, usize) -> u128,
    ) -> Result<usize, Code> {
        let length = bytes.len() as u128;
        if 8 * bigs > length - 40 {
            return Err(Code::Bigs);
        }
        let sizes: Vec<u128> = (0..bigs as usize).map(|i| uint(40 + 8 * i, 8)).collect();
        if 40 + 8 * bigs + 8 * sizes.iter().sum::<u128>() > length {
            return Err(Code::BigSize);
        }
        let mut at = 40 + 8 * bigs as usize;
        for size in sizes {
            let limbs = (0..size as usize)
                .map(|i| uint(at + 8 * i, 8) as u64)
                .collect();
            self.numbers.push((0, limbs));
            at += 8 * size as usize;
        }
        for (class, count) in sections {
            let width = usize::from(class / 8);
            if at as u128 + count * width as u128 > length {
                return Err(if *class == 8 {
                    Code::Bytes
                } else {
                    Code::Words
                });
            }
            for _ in 0..*count {
                self.numbers
                    .push((*class, std::vec![uint(at, width) as u64]));
                at += width;
            }
        }
        Ok(at)
    }

    fn read_stream(&mut self, bits: &str, fragments: u128) -> Result<(), Code> {
        let base = self.base();
        if base == 0 && fragments == 0 {
            return Err(Code::Empty);
        }
        if base == 0 && !self.graph {
            return Err(Code::Scope);
        }
        let scope = base as u128 + if self.version == 2 { fragments } else { 0 };
        let first = (0..128).find(|w| scope <= 1 << w).unwrap();
        if fragments > bits.len() as u128 / (1 + first) {
            return Err(Code::Frags);
        }
        if self.version == 2 && !self.descending() {
            return Err(Code::Canon);
        }
        let mut stream = Stream(bits);
        for f in 0..fragments as usize {
            let entries = if self.version == 2 {
                scope as usize
            } else {
                base + f
            };
            let limit = if self.graph { entries } else { base + f };
            let tree = self.read_node(&mut stream, entries, limit, self.version == 2)?;
            self.fragments.push(tree);
        }
        self.padding = String::from(stream.0);
        Ok(())
    }

    /// Whether each number is in its class and less than the one before.
    fn descending(&self) -> bool {
        let normal = |limbs: &[u64]| {
            let mut limbs = limbs.to_vec();
            while limbs.last() == Some(&0) {
                limbs.pop();
            }
            (limbs.len(), limbs.into_iter().rev().collect::<Vec<u64>>())
        };
        let fits = |(class, limbs): &(u8, Vec<u64>)| match class {
            0 => limbs.len() > 1 && limbs.last() != Some(&0),
            8 => true,
            _ => limbs[0] >> (class / 2) != 0,
        };
        let pairs = self.numbers.windows(2);
        self.numbers.iter().all(fits)
            && pairs
                .into_iter()
                .all(|pair| normal(&pair[0].1) > normal(&pair[1].1))
    }

    fn read_node(
        &self,
        stream: &mut Stream,
        n: usize,
        limit: usize,
        no_bare: bool,
    ) -> Result<Tree, Code> {
        let w = width(n);
        let mut z = 0;
        while stream.take(1)? == 0 {
            z += 1;
            if 2 * z + w > 64 {
                return Err(Code::Node);
            }
        }
        let c = if z == 0 {
            0
        } else {
            1 << (z - 1) | stream.take(z - 1)?
        };
        let r = stream.take(w)? as usize;
        if r >= n {
            return Err(Code::Ref);
        }
        if n - 1 - r >= limit {
            return Err(Code::Forward);
        }
        if c > (stream.0.len() / (1 + w)) as u64 {
            return Err(Code::Args);
        }
        if c == 0 && no_bare {
            return Err(Code::Canon);
        }
        let args = (0..c).map(|_| self.read_node(stream, n, limit, false));
        Ok(Tree {
            entry: n - 1 - r,
            args: args.collect::<Result<_, _>>()?,
        })
    }

    /// Writes the file again, as it is.
    pub fn write(&self) -> Vec<u8> {
        let count = |class| {
            self.numbers
                .iter()
                .filter(|number| number.0 == class)
                .count() as u64
        };
        let mut words = std::vec![self.params as u64, count(0), count(64), count(8), 0];
        if self.version == 2 {
            words[0] |= u64::from(self.graph) << 32 | 0x02_4453 << 40;
            words[3] = count(32) | count(16) << 32 | count(8) << 48;
        }
        words[4] = self.fragments.len() as u64;
        let bigs = || self.numbers.iter().filter(|number| number.0 == 0);
        words.extend(bigs().map(|(_, limbs)| limbs.len() as u64));
        words.extend(bigs().flat_map(|(_, limbs)| limbs.iter()));
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        for (class, limbs) in self.numbers.iter().filter(|number| number.0 != 0) {
            bytes.extend(&limbs[0].to_le_bytes()[..usize::from(class / 8)]);
        }
        let mut bits = String::new();
        for (f, tree) in self.fragments.iter().enumerate() {
            let n = self.base()
                + if self.version == 2 {
                    self.fragments.len()
                } else {
                    f
                };
            write_node(tree, n, &mut bits);
        }
        bytes.extend(bytes_of(&(bits + &self.padding)));
        bytes
    }

    /// Adds the value to a graph. Not for files that are graphs.
    pub fn intern(&self, graph: &mut Graph) -> Id {
        let mut table = std::vec![graph.param(); self.params];
        if self.version == 2 && self.params == 2 {
            table[1] = graph.law_constructor().unwrap();
        }
        table.extend(
            self.numbers
                .iter()
                .map(|(_, limbs)| graph.nat(limbs).unwrap()),
        );
        for tree in &self.fragments {
            table.push(intern(tree, &table, graph));
        }
        *table.last().unwrap()
    }
}

fn write_node(tree: &Tree, n: usize, bits: &mut String) {
    *bits += &size(tree.args.len() as u64);
    *bits += &field((n - 1 - tree.entry) as u64, width(n));
    tree.args.iter().for_each(|arg| write_node(arg, n, bits));
}

fn intern(tree: &Tree, table: &[Id], graph: &mut Graph) -> Id {
    tree.args.iter().fold(table[tree.entry], |value, arg| {
        let arg = intern(arg, table, graph);
        graph.cell(value, arg).unwrap()
    })
}
