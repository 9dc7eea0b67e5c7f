//! Short ways of the loop: calls, applications and operations that need nothing beyond the stack.
//!
//! Invariants:
//! - Each either does the whole step or changes nothing that the general way reads.
//!
//! Safety: as in `run`: instructions come from the lowering, stack addresses are below the limit or in
//! the slack.
#![allow(unsafe_code)]

use super::Machine;
use super::op::{Args, Body, Eager, Fault};
use super::run::{UPDATE, src};
use crate::value::{ThunkKind, Value};

impl Machine {
    /// The code to run when the value at `fp` is a compiled law or pin, or a closure of one, that
    /// the `n` arguments behind it saturate exactly; stored arguments are put in front. Nothing has
    /// changed otherwise.
    #[inline(always)]
    pub(super) unsafe fn function_at(&self, fp: *mut Value, n: usize) -> Option<*const u32> {
        // SAFETY: see the file; a closure's arguments are fewer than the arity of a compiled law,
        // so they fit into the slack.
        unsafe {
            let f = *fp;
            let callee = if f.is_closure() { f.head() } else { f };
            if !(callee.is_law() || callee.is_pin()) {
                return None;
            }
            let code = callee.code_word();
            let stored = callee.call_arity().wrapping_sub(n as u64) as usize;
            if code & 1 == 1 || code == 0 || stored != f.row_len() {
                return None;
            }
            if stored != 0 {
                if n == 1 {
                    *fp.add(1 + stored) = *fp.add(1);
                } else {
                    for i in (1..=n).rev() {
                        *fp.add(i + stored) = *fp.add(i);
                    }
                }
                for i in 0..stored {
                    *fp.add(1 + i) = f.arg(i);
                }
                *fp = callee;
            }
            Some(code as *const u32)
        }
    }

    /// Begins to evaluate an application thunk whose function can be run at once.
    #[inline(always)]
    pub(super) fn enter_fast(
        &mut self,
        v: Value,
        k: *mut Value,
    ) -> Option<(*const u32, *mut Value)> {
        if !v.is_thunk() || v.thunk_kind() != ThunkKind::APP || k >= self.stack.limit() {
            return None;
        }
        let n = v.header().words() - 2;
        if n > 8 {
            return None;
        }
        // SAFETY: the stack was checked; what is written is overwritten if nothing comes of it.
        unsafe {
            let fp = k.add(2);
            for i in 0..=n {
                *fp.add(i) = v.field(1 + i);
            }
            let pc = self.function_at(fp, n)?;
            v.set_raw(0, ThunkKind::APP | ThunkKind::HOLE);
            *k = v;
            *k.add(1) = Value::from_bits(UPDATE);
            Some((pc, fp))
        }
    }

    /// A total operation on operands that are evaluated already, if they are.
    pub(super) unsafe fn try_op(
        &mut self,
        pc: *const u32,
        fp: *mut Value,
        op: usize,
        n: usize,
    ) -> Option<Value> {
        let row = &self.engine.ops[op];
        let mut operands = [Value::ZERO; 4];
        for (i, operand) in operands.iter_mut().enumerate().take(n) {
            // SAFETY: operands of the instruction at `pc`.
            *operand = unsafe { src(pc, 3 + i, fp) }.resolve();
            let ready = match row.eager {
                Eager::Direct => operand.is_direct(),
                _ => !operand.is_thunk(),
            };
            if !ready {
                return None;
            }
        }
        let Body::Simple(body) = row.body else {
            return None;
        };
        // An eager operation allocates nothing, so its operands need not lie on the stack.
        body(self, Args(operands.as_mut_ptr())).ok()
    }

    /// A simple operation whose `n` operands lie at `at`, the top of the stack.
    #[inline]
    pub(super) fn simple(&mut self, op: usize, at: *mut Value, n: usize) -> Result<Value, Fault> {
        // SAFETY: the operands were just pushed there.
        self.sp = unsafe { at.add(n) };
        self.stats.jets.executed += 1;
        match self.engine.ops[op].body {
            Body::Simple(body) => body(self, Args(at)),
            Body::Control(_) => super::inconsistent("a control operation was compiled as simple"),
        }
    }
}
