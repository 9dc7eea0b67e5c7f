//! An encoder of seed files, version 1, written from chapter 03, sections 1 to 5, apart from the
//! one in the runtime: the tests make their own seeds and do not trust the writer under test.
//!
//! Invariants:
//! - one fragment for the root, no sharing between fragments: the loader builds one application
//!   cell per argument, exactly as the term is written;
//! - numbers are distinct, in the smallest class that holds them, descending in their section.

use super::notation::Term;
use num_bigint::BigUint;

/// An application tree as a seed stores it.
enum Tree {
    Param,
    Nat(BigUint),
    App(Box<Tree>, Vec<Tree>),
}

/// The bytes of a seed that denotes `term`.
pub fn encode(term: &Term) -> Vec<u8> {
    let tree = tree_of(term);
    let mut numbers = Vec::new();
    let uses_param = collect(&tree, &mut numbers);
    numbers.sort_by(|a, b| b.cmp(a));
    numbers.dedup();
    let table = Table {
        params: usize::from(uses_param),
        numbers,
    };
    let fragments = u64::from(matches!(tree, Tree::App(..)));
    let mut out = table.header_and_numbers(fragments);
    if fragments == 1 {
        let mut bits = Bits {
            bytes: Vec::new(),
            used: 0,
        };
        table.node(&tree, &mut bits);
        out.extend(bits.bytes);
    }
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// Pins and laws are applications of the parameter `<0>` (chapter 03, 4.1).
fn tree_of(term: &Term) -> Tree {
    match term {
        Term::Nat(n) => Tree::Nat(n.clone()),
        Term::Pin(item) if **item == Term::nat(0) => Tree::Param,
        Term::Pin(item) => app(Tree::Param, vec![tree_of(item)]),
        Term::Law(parts) => {
            let mut args = vec![Tree::Nat(BigUint::from(1u8))];
            args.extend(parts.iter().map(tree_of));
            app(Tree::Param, args)
        }
        Term::App(items) => app(tree_of(&items[0]), items[1..].iter().map(tree_of).collect()),
        Term::Throw(k) => {
            let pin = app(Tree::Param, vec![Tree::Nat(BigUint::from(100 + k))]);
            app(pin, vec![Tree::Nat(BigUint::from(*k))])
        }
    }
}

/// An application with the arguments of its head in front.
fn app(head: Tree, args: Vec<Tree>) -> Tree {
    match head {
        Tree::App(inner, mut all) => {
            all.extend(args);
            Tree::App(inner, all)
        }
        head => Tree::App(Box::new(head), args),
    }
}

/// Gathers the numbers; true if the parameter occurs.
fn collect(tree: &Tree, numbers: &mut Vec<BigUint>) -> bool {
    match tree {
        Tree::Param => true,
        Tree::Nat(n) => {
            numbers.push(n.clone());
            false
        }
        Tree::App(head, args) => {
            let mut found = collect(head, numbers);
            for arg in args {
                found |= collect(arg, numbers);
            }
            found
        }
    }
}

/// The entries before the first fragment.
struct Table {
    params: usize,
    /// Strictly descending, so bigs come first, then words, then bytes.
    numbers: Vec<BigUint>,
}

impl Table {
    fn header_and_numbers(&self, fragments: u64) -> Vec<u8> {
        let class = |n: &BigUint| match n.bits() {
            0..=8 => 2,
            9..=64 => 1,
            _ => 0,
        };
        let of = |c| self.numbers.iter().filter(move |n| class(n) == c);
        let (bigs, words, bytes) = (of(0).count(), of(1).count(), of(2).count());
        let mut out = Vec::new();
        for field in [self.params, bigs, words, bytes] {
            out.extend((field as u64).to_le_bytes());
        }
        out.extend(fragments.to_le_bytes());
        for n in of(0) {
            out.extend((n.to_u64_digits().len() as u64).to_le_bytes());
        }
        for n in of(0) {
            n.to_u64_digits()
                .iter()
                .for_each(|limb| out.extend(limb.to_le_bytes()));
        }
        for n in of(1) {
            let limb = n.to_u64_digits().first().copied().unwrap_or(0);
            out.extend(limb.to_le_bytes());
        }
        for n in of(2) {
            out.push(n.to_bytes_le().first().copied().unwrap_or(0));
        }
        out
    }

    fn node(&self, tree: &Tree, bits: &mut Bits) {
        match tree {
            Tree::App(head, args) => {
                bits.size(args.len() as u64);
                self.reference(head, bits);
                args.iter().for_each(|arg| self.node(arg, bits));
            }
            leaf => {
                bits.size(0);
                self.reference(leaf, bits);
            }
        }
    }

    /// Index 0 is the newest entry (chapter 03, section 2).
    fn reference(&self, leaf: &Tree, bits: &mut Bits) {
        let entries = self.params + self.numbers.len();
        let position = match leaf {
            Tree::Param => 0,
            Tree::Nat(n) => {
                let at = self.numbers.iter().position(|m| m == n);
                self.params + at.unwrap_or_else(|| panic!("number {n} is in the table"))
            }
            Tree::App(..) => panic!("a head is a leaf"),
        };
        let width = usize::BITS - (entries - 1).leading_zeros();
        bits.push((entries - 1 - position) as u64, width);
    }
}

/// A stream of bits, least significant first.
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u64, width: u32) {
        for i in 0..width {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> i & 1) as u8) << self.used;
            self.used = (self.used + 1) % 8;
        }
    }

    /// The argument count of a node (chapter 03, 3.1).
    fn size(&mut self, count: u64) {
        let digits = u64::BITS - count.leading_zeros();
        self.push(0, digits);
        self.push(1, 1);
        if digits > 0 {
            self.push(count, digits - 1);
        }
    }
}
