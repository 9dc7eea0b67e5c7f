//! The environment: an unbalanced search tree of rows `[key value flag left right …]`
//! (chapter 06 §3.1).
//!
//! Invariants:
//! - The tree is a plain value that programs build and change too: slots may be missing (0), there
//!   may be more of them, and any of them may be unevaluated.
//! - Keys compare as naturals, anything else as 0.

use super::eval::{Evaluator, Failure};
use crate::machine::Machine;
use crate::nat;
use crate::value::Value;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Slot of the value of a node.
pub const VALUE: usize = 1;
/// Slot of the flag of a node: not 0 for a macro.
pub const FLAG: usize = 2;
/// Slot of the nodes with smaller keys.
pub const LEFT: usize = 3;
/// Slot of the nodes with larger keys.
pub const RIGHT: usize = 4;

/// Compares two values as keys.
pub fn compare(a: Value, b: Value) -> Ordering {
    let (a, b) = (a.cast(), b.cast());
    if a.is_direct() && b.is_direct() {
        return a.bits().cmp(&b.bits());
    }
    nat::cmp(a.limbs(&mut [0]), b.limbs(&mut [0]))
}

/// Slot `i` of a row as it is; 0 where there is none.
pub fn slot(row: Value, i: usize) -> Value {
    if i < row.row_len() {
        row.arg(i).resolve()
    } else {
        Value::ZERO
    }
}

/// Pushes slot `i` of the value `depth` places below the top, as it is; 0 where there is none.
pub fn push_slot(machine: &mut Machine, depth: usize, i: usize) {
    let row = machine.top(depth);
    machine.push(slot(row, i));
}

impl Evaluator<'_> {
    /// Pushes slot `i` of the evaluated value `depth` places below the top, evaluated.
    pub(super) fn slot(&mut self, depth: usize, i: usize) -> Result<(), Failure> {
        push_slot(self.machine, depth, i);
        self.evaluated()
    }

    /// Evaluates the value on top.
    pub(super) fn evaluated(&mut self) -> Result<(), Failure> {
        let v = self.machine.top(0).resolve();
        self.machine.set_top(0, v);
        if v.is_thunk() {
            self.machine.eval_top()?;
        }
        Ok(())
    }

    /// Replaces the key on top by its node and returns true, or drops it and returns false.
    pub(super) fn lookup(&mut self) -> Result<bool, Failure> {
        let env = self.machine.nth(self.env);
        self.machine.push(env);
        loop {
            self.evaluated()?;
            if !self.machine.top(0).is_closure() {
                self.machine.drop_top(2);
                return Ok(false);
            }
            self.slot(0, 0)?;
            let key = self.machine.pop();
            let side = match compare(self.machine.top(1), key) {
                Ordering::Less => LEFT,
                Ordering::Greater => RIGHT,
                Ordering::Equal => {
                    let node = self.machine.pop();
                    self.machine.set_top(0, node);
                    return Ok(true);
                }
            };
            push_slot(self.machine, 0, side);
            let child = self.machine.pop();
            self.machine.set_top(0, child);
        }
    }

    /// Binds: key, value and flag are the three topmost values, flag on top; they are dropped.
    ///
    /// # Errors
    /// As evaluation of the tree's nodes.
    pub fn bind_top(&mut self) -> Result<(), Failure> {
        self.insert()
    }

    /// Binds: key, value and flag are the three topmost values, flag on top; they are dropped.
    pub(super) fn insert(&mut self) -> Result<(), Failure> {
        let base = self.machine.depth();
        let env = self.machine.nth(self.env);
        self.machine.push(env);
        let mut path = Vec::new();
        loop {
            self.machine.ensure_stack(16)?;
            self.evaluated()?;
            if !self.machine.top(0).is_closure() {
                self.leaf(base)?;
                break;
            }
            self.slot(0, 0)?;
            let key = self.machine.pop();
            match compare(self.machine.nth(base - 3), key) {
                Ordering::Equal => {
                    self.replaced(base)?;
                    break;
                }
                Ordering::Less => path.push(LEFT),
                Ordering::Greater => path.push(RIGHT),
            }
            let side = path[path.len() - 1];
            push_slot(self.machine, 0, side);
        }
        while let Some(side) = path.pop() {
            self.rebuilt(side)?;
        }
        let env = self.machine.pop();
        self.set_env(env);
        self.machine.drop_top(3);
        Ok(())
    }

    /// Replaces the empty tree on top by a node of three slots, of five in the newer dialect.
    fn leaf(&mut self, base: usize) -> Result<(), Failure> {
        self.machine.set_top(0, Value::ZERO);
        for i in 0..3 {
            self.machine.push(self.machine.nth(base - 3 + i));
        }
        let mut slots = 3;
        while slots < 5 && self.is_spec() {
            self.machine.push(Value::ZERO);
            slots += 1;
        }
        Ok(self.machine.make_row(slots)?)
    }

    /// Replaces the node on top by one with the new value and the same subtrees.
    fn replaced(&mut self, base: usize) -> Result<(), Failure> {
        self.machine.push(Value::ZERO);
        for i in 0..3 {
            self.machine.push(self.machine.nth(base - 3 + i));
        }
        push_slot(self.machine, 4, LEFT);
        push_slot(self.machine, 5, RIGHT);
        self.machine.make_row(5)?;
        let node = self.machine.pop();
        self.machine.set_top(0, node);
        Ok(())
    }

    /// Replaces a node and its new child on top by the node with that child.
    fn rebuilt(&mut self, side: usize) -> Result<(), Failure> {
        self.machine.push(Value::ZERO);
        for i in 0..5 {
            if i == side {
                self.machine.push(self.machine.top(i + 1));
            } else {
                push_slot(self.machine, i + 2, i);
            }
        }
        self.machine.make_row(5)?;
        let node = self.machine.pop();
        self.machine.drop_top(1);
        self.machine.set_top(0, node);
        Ok(())
    }
}
