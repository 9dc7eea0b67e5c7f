//! Lowering of what is not demanded: computed at once where that is cheap and certain to succeed,
//! else suspended.
//!
//! Invariants:
//! - A suspension captures exactly the slots it reads, and its law in slot 0.
//! - What is computed early is total, effect-free and of bounded cost, on operands that are evaluated
//!   when the instruction runs (chapter 01 §5.6, O3).

use super::emit::Src;
use super::ir::{Id, Node, TooLarge};
use super::lower::{Env, Function, Known, Lowering, Pending, SlotInfo, State};
use crate::machine::op::{Body, Eager, number};
use crate::machine::opcode::Opcode;
use crate::value::Value;
use alloc::vec;
use alloc::vec::Vec;

impl Lowering<'_> {
    /// An operation that is not demanded: computed at once if it is cheap and can be, else suspended.
    pub(super) fn lazy_op(
        &mut self,
        env: &mut Env,
        id: Id,
        op: usize,
        args: &[Id],
        dst: u32,
        h: u32,
    ) -> Result<u32, TooLarge> {
        if self.reads_building(env, id) {
            return self.suspend(env, id, dst, h);
        }
        let simple = args.iter().all(|a| {
            !matches!(
                self.ir.view(*a).1,
                Node::App { .. } | Node::Deep(_) | Node::Itself
            )
        });
        let selected = self.element_operands(op, args);
        let eager = self.engine.ops[op].eager != Eager::Never && args.len() <= 4;
        if !simple || !(eager || selected.is_some()) {
            return self.suspend(env, id, dst, h);
        }
        if let Some((index, row)) = selected {
            let (row, h) = self.lazy(env, row, h)?;
            let (index, h) = match index {
                Ok(id) => self.lazy(env, id, h)?,
                Err(n) => (Src::Const(Value::direct(n)), h),
            };
            self.code.op(Opcode::TryElement);
            self.code.word(dst as usize);
            self.code.src(index);
            self.code.src(row);
            return self.attempt(env, id, dst, h);
        }
        let (places, h) = self.lazies(env, args, h)?;
        let (opcode, general) = match op {
            number::ADD => (Opcode::TryAdd, false),
            number::SUB => (Opcode::TrySub, false),
            number::INC => (Opcode::TryInc, false),
            number::DEC => (Opcode::TryDec, false),
            _ => (Opcode::TryOp, true),
        };
        debug_assert!(!general || matches!(self.engine.ops[op].body, Body::Simple(_)));
        self.code.op(opcode);
        if general {
            self.code.word(op);
            self.code.word(args.len());
        }
        for place in places {
            self.code.src(place);
        }
        self.code.word(dst as usize);
        self.attempt(env, id, dst, h)
    }

    /// Ends an instruction that jumps over the suspension when it could compute the value.
    pub(super) fn attempt(
        &mut self,
        env: &mut Env,
        id: Id,
        dst: u32,
        h: u32,
    ) -> Result<u32, TooLarge> {
        let done = self.code.hole();
        let h = self.suspend(env, id, dst, h)?;
        self.code.land(done);
        Ok(h)
    }

    /// The operands of an operation that selects from a row with 0 as the value of what is not there.
    pub fn element_operands(&self, op: usize, args: &[Id]) -> Option<(Result<Id, u64>, Id)> {
        match (op, args) {
            (number::IX, [index, row]) => Some((Ok(*index), *row)),
            (number::IX0..=number::IX7, [row]) => Some((Err((op - number::IX0) as u64), *row)),
            _ => None,
        }
    }

    /// A thunk: of an application whose parts are at hand, or of code that captures what it reads.
    pub(super) fn suspend(
        &mut self,
        env: &mut Env,
        id: Id,
        dst: u32,
        h: u32,
    ) -> Result<u32, TooLarge> {
        if let Node::App { head, first, len } = self.ir.view(id).1 {
            let args = self.args(first, len);
            let flat = args
                .iter()
                .all(|a| matches!(self.ir.view(*a).1, Node::Slot(_) | Node::Const(_)));
            let unknown = matches!(self.function(head).0, Function::Unknown);
            if flat && unknown && matches!(self.ir.view(head).1, Node::Slot(_)) {
                return self.application(env, head, &args, dst, h);
            }
        }
        let mut free = Vec::new();
        let mut seen = vec![false; self.ir.slots()];
        self.ir.free(id, &mut |s| {
            if s != 0 && !core::mem::replace(&mut seen[s as usize], true) {
                free.push(s);
            }
        });
        let mut above = h;
        for s in &free {
            above = self.materialise(env, *s, above)?;
        }
        self.reach(above + 1);
        self.code.op(Opcode::Thunk);
        self.code.word(dst as usize);
        self.code.word(above as usize);
        let entry = self.code.hole();
        self.code.word(free.len());
        let absent = SlotInfo {
            at: 0,
            known: Known::Nothing,
            state: State::Dead,
        };
        let mut inner: Env = vec![absent; self.ir.slots()];
        inner[0] = SlotInfo {
            at: 0,
            known: Known::Whnf,
            state: State::Present,
        };
        for (i, s) in free.iter().enumerate() {
            let outer = env[*s as usize];
            self.code.src(Src::Slot(outer.at));
            self.note_patch(env, dst, 2 + i, *s);
            inner[*s as usize] = SlotInfo {
                at: i as u32 + 1,
                known: outer.known,
                state: State::Present,
            };
        }
        self.pending.push(Pending {
            entry,
            node: id,
            env: inner,
            height: free.len() as u32 + 1,
        });
        Ok(above)
    }

    pub(super) fn application(
        &mut self,
        env: &mut Env,
        head: Id,
        args: &[Id],
        dst: u32,
        h: u32,
    ) -> Result<u32, TooLarge> {
        let mut ids = vec![head];
        ids.extend_from_slice(args);
        let (places, above) = self.lazies(env, &ids, h)?;
        self.reach(above + 1);
        self.code.op(Opcode::AppThunk);
        self.code.word(dst as usize);
        self.code.word(above as usize);
        self.code.word(args.len());
        for place in places {
            self.code.src(place);
        }
        self.note_patches(env, dst, 1, &ids);
        Ok(above)
    }

    /// A thunk that expands an expression too deep for the tree, under all slots.
    pub(super) fn expand(
        &mut self,
        env: &mut Env,
        e: Value,
        dst: u32,
        h: u32,
    ) -> Result<u32, TooLarge> {
        let slots = self.ir.slots() as u32;
        if !self.main || (0..slots).any(|s| env[s as usize].state == State::Building) {
            return Err(TooLarge);
        }
        let mut above = h;
        for s in 0..slots {
            above = self.materialise(env, s, above)?;
        }
        self.code.op(Opcode::ExpandThunk);
        self.code.word(dst as usize);
        self.code.word(above as usize);
        self.code.src(Src::Const(e));
        self.code.word(slots as usize);
        for s in 0..slots {
            self.code.src(Src::Slot(env[s as usize].at));
        }
        Ok(above)
    }
}
