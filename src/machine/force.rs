//! Normal form: evaluates every argument of a closure, depth first, left to right.
//!
//! Invariants:
//! - A closure is marked `ClosureForcing` exactly while a frame on the stack forces it; meeting the
//!   mark below itself is a cycle, which has no normal form.
//! - `ClosureNf` is set only when every argument is in normal form; a closure changed in place while
//!   it is forced is looked at again from its first argument.
//!
//! Safety: reads and writes the frame `closure, mark` at the top of the value stack.
#![allow(unsafe_code)]

use super::Machine;
use super::apply::is_normal;
use super::frame::Mark;
use super::op::Fault;
use super::run::Next;
use crate::value::{Kind, Value};

fn mark(index: usize) -> Value {
    Value::from_bits(Mark::new(Mark::FORCE, 0, index).word())
}

impl Machine {
    /// Brings a value into normal form and returns it to the frame that ends at `k`.
    pub(super) fn force(&mut self, v: Value, k: *mut Value) -> Next {
        let v = v.resolve();
        if v.is_thunk() {
            // SAFETY: a word above `k` is free: entering checks the stack.
            unsafe {
                *k = Value::from_bits(Mark::new(Mark::FORCE_RESULT, 0, 0).word());
                return Next::Enter(v, k.add(1));
            }
        }
        if is_normal(v) {
            return Next::Return(v, k);
        }
        match self.begin(v, k) {
            Ok(k) => self.force_from(0, k),
            Err(fault) => self.raise(fault, None, k),
        }
    }

    /// Pushes the frame that forces a closure.
    fn begin(&mut self, v: Value, k: *mut Value) -> Result<*mut Value, Fault> {
        if v.header().is(Kind::ClosureForcing) {
            return Err(Fault::LOOP);
        }
        if self.is_full(k) {
            return Err(Fault::STACK);
        }
        v.set_header(v.header().with_kind(Kind::ClosureForcing));
        // SAFETY: checked right above.
        unsafe {
            *k = v;
            *k.add(1) = mark(0);
            Ok(k.add(2))
        }
    }

    /// An argument of the closure in the frame that ends at `k` has been evaluated, or forced.
    pub(super) fn force_argument(&mut self, v: Value, k: *mut Value) -> Next {
        // SAFETY: see the file.
        unsafe {
            let index = Mark::from_word((*k.sub(1)).bits()).b();
            (*k.sub(2)).set_field(1 + index, v);
            self.force_from(index, k)
        }
    }

    /// Goes on with argument `index` of the closure in the frame that ends at `k`. Arguments that
    /// are closures are forced here, without leaving the loop, until a thunk must be entered.
    fn force_from(&mut self, mut index: usize, mut k: *mut Value) -> Next {
        // SAFETY: see the file.
        unsafe {
            loop {
                let closure = *k.sub(2);
                let size = closure.size();
                let mut descend = None;
                while index < size {
                    let v = closure.arg(index).resolve();
                    if !is_normal(v) {
                        descend = Some(v);
                        break;
                    }
                    closure.set_field(1 + index, v);
                    index += 1;
                }
                *k.sub(1) = mark(index);
                match descend {
                    Some(v) if v.is_thunk() => return Next::Enter(v, k),
                    Some(v) => {
                        match self.begin(v, k) {
                            Ok(inner) => k = inner,
                            Err(fault) => return self.raise(fault, None, k),
                        }
                        index = 0;
                    }
                    None => {
                        let header = closure.header();
                        if !header.is(Kind::ClosureForcing) {
                            closure.set_header(header.with_kind(Kind::ClosureForcing));
                            index = 0;
                            continue;
                        }
                        closure.set_header(header.with_kind(Kind::ClosureNf));
                        k = k.sub(2);
                        let last = (*k.sub(1)).bits();
                        let outer = Mark::from_word(last | 1);
                        if last & 1 == 0 || outer.kind() != Mark::FORCE {
                            return Next::Return(closure, k);
                        }
                        index = outer.b();
                    }
                }
            }
        }
    }
}
