//! The code buffer: operands, constants and jumps of instructions under construction.
//!
//! Invariants:
//! - Constants are numbered as they are first used, equal words once; their distances are filled in
//!   when the buffer is finished and their number is known.
//! - A forward jump is a hole until its label is placed.

use crate::heap::code::{self, Entry};
use crate::heap::words::Words;
use crate::machine::opcode::{Opcode, constant_operand};
use crate::value::Value;
use alloc::vec::Vec;

/// Where an operand comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Src {
    Slot(u32),
    Const(Value),
}

/// The position of a distance still to be filled in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole(usize);

#[derive(Default)]
pub(super) struct Buffer {
    words: Vec<u32>,
    constants: Vec<Value>,
    numbers: Words,
    uses: Vec<(usize, usize)>,
}

impl Buffer {
    pub fn here(&self) -> usize {
        self.words.len()
    }

    pub fn op(&mut self, opcode: Opcode) {
        self.words.push(opcode as u32);
    }

    pub fn word(&mut self, word: usize) {
        self.words.push(word as u32);
    }

    pub fn set(&mut self, at: usize, word: usize) {
        self.words[at] = word as u32;
    }

    pub fn src(&mut self, src: Src) {
        match src {
            Src::Slot(s) => self.words.push(s),
            Src::Const(v) => {
                let next = self.constants.len();
                let known = self.numbers.get(v.bits());
                let number = known.map_or(next, |number| number as usize);
                if known.is_none() {
                    self.numbers.insert(v.bits(), next as u64);
                    self.constants.push(v);
                }
                self.uses.push((self.words.len(), number));
                self.words.push(0);
            }
        }
    }

    /// A distance to be filled in by [`Buffer::land`].
    pub fn hole(&mut self) -> Hole {
        self.words.push(0);
        Hole(self.words.len() - 1)
    }

    /// Makes a hole lead here.
    pub fn land(&mut self, hole: Hole) {
        self.words[hole.0] = (self.words.len() - hole.0) as u32;
    }

    /// A distance to an earlier instruction.
    pub fn back(&mut self, to: usize) {
        let distance = to as i64 - self.words.len() as i64;
        self.words.push(distance as i32 as u32);
    }

    /// The finished block; `None` without memory for it.
    pub fn finish(mut self) -> Option<Entry> {
        let n = self.constants.len();
        for (at, number) in self.uses {
            self.words[at] = constant_operand(number, n, at);
        }
        code::allocate(&self.constants, &self.words)
    }
}
