//! Law bodies that are too large or too deep to compile: expanded step by step, as chapter 01 §5.3
//! defines it.
//!
//! Invariants:
//! - The slots are a row `0[self x1 … xN let1 … letK]`; lets are thunks that expand their own
//!   expression under the same row, so every let is one cell.
//! - One expansion looks at one chain of applications; inner ones become thunks. No recursion.
//!
//! Safety: pushes activations like `apply`; the stack is checked before each.
#![allow(unsafe_code)]

use super::Machine;
use super::op::Fault;
use super::run::Next;
use crate::value::{ThunkKind, Value};

/// What an expression is, seen from outside.
enum Shape {
    /// A value: a slot, a quoted constant, or itself.
    Value(Value),
    /// An application.
    Application,
}

fn shape(e: Value, slots: Value) -> Shape {
    if e.is_direct() && e.bits() < slots.size() as u64 {
        return Shape::Value(slots.arg(e.bits() as usize));
    }
    if e.is_closure() && e.is_small_closure(0, 1) {
        return Shape::Value(e.arg(0));
    }
    if e.is_closure() && e.is_small_closure(0, 2) {
        return Shape::Application;
    }
    Shape::Value(e)
}

impl Machine {
    /// Runs the law at `fp`, of the given arity, by expanding its body.
    pub(super) fn expand_law(&mut self, fp: *mut Value, arity: usize) -> Next {
        // SAFETY: the activation holds the callee and its arguments.
        unsafe {
            let lets = law_of(*fp).field(5).bits() as usize;
            self.sp = fp.add(arity + 1);
            if let Err(fault) = self.reserve(arity + lets + 3 + 4 * lets) {
                return self.raise(fault, None, fp);
            }
            let slots = self.heap.bump_closure(Value::ZERO, 1 + arity + lets);
            for i in 0..=arity {
                slots.set_field(1 + i, *fp.add(i));
            }
            let mut body = law_of(*fp).law_body();
            for i in 0..lets {
                let thunk = self.bump_thunk(ThunkKind::EXPAND, 2);
                thunk.set_field(1, body.arg(0));
                thunk.set_field(2, slots);
                slots.set_field(2 + arity + i, thunk);
                body = body.arg(1);
            }
            self.expand(body, slots, fp)
        }
    }

    /// Evaluates an expression under a row of slots, returning to the frame that ends at `fp`.
    pub(super) fn expand(&mut self, expression: Value, slots: Value, fp: *mut Value) -> Next {
        if let Shape::Value(v) = shape(expression, slots) {
            return Next::Enter(v, fp);
        }
        let mut n = 0;
        let mut head = expression;
        while let Shape::Application = shape(head, slots) {
            n += 1;
            head = head.arg(0);
        }
        // SAFETY: the words up to the limit are free; two more hold expression and slots while
        // the reserve may move them.
        unsafe {
            if self.is_full(fp.add(n + 4)) {
                return self.raise(Fault::STACK, None, fp);
            }
            *fp = expression;
            *fp.add(1) = slots;
            self.sp = fp.add(2);
            if let Err(fault) = self.reserve(4 * n) {
                return self.raise(fault, None, fp);
            }
            let (mut e, slots) = (*fp, *fp.add(1));
            for i in (1..=n).rev() {
                *fp.add(i) = match shape(e.arg(1), slots) {
                    Shape::Value(v) => v,
                    Shape::Application => {
                        let thunk = self.bump_thunk(ThunkKind::EXPAND, 2);
                        thunk.set_field(1, e.arg(1));
                        thunk.set_field(2, slots);
                        thunk
                    }
                };
                e = e.arg(0);
            }
            if let Shape::Value(v) = shape(e, slots) {
                *fp = v;
            }
            Next::Apply(fp, n)
        }
    }
}

/// The law a callee runs: itself, or the item of a pin.
fn law_of(callee: Value) -> Value {
    if callee.is_pin() {
        callee.item()
    } else {
        callee
    }
}
