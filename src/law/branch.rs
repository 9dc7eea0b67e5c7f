//! Lowering of choices: If, And, Or, Case and their kin, selection from rows.
//!
//! Invariants:
//! - A branch starts from the same slots as the others; a let that several branches and what comes
//!   after need is built before them, so that it is evaluated at most once.
//! - After branches have come together only what holds on all of them is known.

use super::emit::{Hole, Src};
use super::ir::{Id, Node, TooLarge, bit};
use super::lower::{Env, Function, Known, Lowering, State};
use super::strict::{Dst, ZERO, comparison, swapped};
use crate::machine::op::number;
use crate::machine::opcode::Opcode;
use crate::value::Value;
use alloc::vec;
use alloc::vec::Vec;

impl Lowering<'_> {
    /// `And` and `Or`: the first operand decides whether the second is the result.
    pub(super) fn short_circuit(
        &mut self,
        env: &mut Env,
        and: bool,
        operands: (Src, Id),
        dst: Dst,
        heights: (u32, u32),
        live: u64,
    ) -> Result<Known, TooLarge> {
        let (a, b) = operands;
        self.share(env, &[b], dst, heights.1, live)?;
        self.code.op(if and {
            Opcode::JumpZero
        } else {
            Opcode::JumpNonzero
        });
        self.code.src(a);
        let hole = self.code.hole();
        let mut env_b = env.clone();
        self.strict(&mut env_b, b, dst, heights.0, live)?;
        let end = self.skip(dst);
        self.code.land(hole);
        self.finish(dst, if and { ZERO } else { a }, heights.1);
        self.meet(env, &[env_b], end);
        Ok(Known::Whnf)
    }

    /// A jump over the next branch, unless this one has returned.
    pub(super) fn skip(&mut self, dst: Dst) -> Vec<Hole> {
        if dst == Dst::Return {
            return Vec::new();
        }
        self.code.op(Opcode::Jump);
        vec![self.code.hole()]
    }

    /// Before branches that come together again: builds the lets that some of them and what comes
    /// after need, so that they are evaluated at most once.
    pub(super) fn share(
        &mut self,
        env: &mut Env,
        branches: &[Id],
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<(), TooLarge> {
        if dst == Dst::Return {
            return Ok(());
        }
        let mut needed = 0;
        for id in branches {
            needed |= self.ir.needs(*id);
        }
        for s in self.ir.arity + 1..self.ir.slots() {
            let both = needed & live & bit(s as u32) != 0 || s >= 63 && needed >> 63 == 1;
            if both && env[s].state == State::Absent && self.ir.is_cell(s as u32) {
                self.materialise(env, s as u32, h)?;
            }
        }
        Ok(())
    }

    /// The slots after branches have come together.
    pub(super) fn meet(&mut self, env: &mut Env, others: &[Env], ends: Vec<Hole>) {
        for end in ends {
            self.code.land(end);
        }
        for other in others {
            for (a, b) in env.iter_mut().zip(other) {
                a.known = a.known.min(b.known);
                if a.state != b.state {
                    let absent = a.state == State::Absent || b.state == State::Absent;
                    a.state = if absent { State::Absent } else { State::Dead };
                }
            }
        }
    }

    pub(super) fn branch(
        &mut self,
        env: &mut Env,
        condition: Id,
        arms: (Id, Id),
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        let (t, e) = arms;
        let needed = live | self.ir.needs(t) | self.ir.needs(e);
        self.share(env, &[t, e], dst, h, live)?;
        let hole = self.condition(env, condition, h, needed, false)?;
        let mut env_t = env.clone();
        let a = self.strict(&mut env_t, t, dst, h, live)?;
        let end = self.skip(dst);
        self.code.land(hole);
        let b = self.strict(env, e, dst, h, live)?;
        self.meet(env, &[env_t], end);
        Ok(a.min(b))
    }

    /// Code that goes on if a node is true (or false, negated) and jumps from the hole if not.
    pub(super) fn condition(
        &mut self,
        env: &mut Env,
        id: Id,
        h: u32,
        live: u64,
        negate: bool,
    ) -> Result<Hole, TooLarge> {
        if let Some((op, args)) = self.saturated(id) {
            match (op, &args[..]) {
                (number::NIL, [x]) => return self.condition(env, *x, h, live, !negate),
                (number::TO_BIT, [x]) => return self.condition(env, *x, h, live, negate),
                _ => {}
            }
            if let Some(c) = comparison(op) {
                let (places, _) = self.operands(env, &args, &[0, 1], h, live)?;
                let swap = if negate { c.swap_not } else { c.swap };
                let (a, b) = swapped(places[0], places[1], swap);
                self.code.op(if negate { c.unless_not } else { c.unless });
                self.code.src(a);
                self.code.src(b);
                return Ok(self.code.hole());
            }
        }
        let (src, _, _) = self.operand(env, id, h, live)?;
        self.code.op(if negate {
            Opcode::JumpNonzero
        } else {
            Opcode::JumpZero
        });
        self.code.src(src);
        Ok(self.code.hole())
    }

    /// The operation and operands of a node that is a saturated call of one.
    pub(super) fn saturated(&self, id: Id) -> Option<(usize, Vec<Id>)> {
        let Node::App { head, first, len } = self.ir.view(id).1 else {
            return None;
        };
        match self.function(head) {
            (Function::Op(op), arity) if arity == u64::from(len) => {
                let args = self.args(first, len);
                Some(self.numbered(op, &args).unwrap_or((op, args)))
            }
            _ => None,
        }
    }

    pub(super) fn select(
        &mut self,
        env: &mut Env,
        index: Id,
        branches: &[Id],
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        let mut needed = live;
        for id in branches {
            needed |= self.ir.needs(*id);
        }
        self.share(env, branches, dst, h, live)?;
        let (src, _, _) = self.operand(env, index, h, needed)?;
        self.code.op(Opcode::Select);
        self.code.src(src);
        self.code.word(branches.len() - 1);
        let holes: Vec<Hole> = branches.iter().map(|_| self.code.hole()).collect();
        let mut ends = Vec::new();
        let mut envs = Vec::new();
        let mut known = Known::Nat;
        for (hole, branch) in holes.into_iter().zip(branches) {
            self.code.land(hole);
            let mut inner = env.clone();
            known = known.min(self.strict(&mut inner, *branch, dst, h, live)?);
            ends.extend(self.skip(dst));
            envs.push(inner);
        }
        if let Some(first) = envs.pop() {
            *env = first;
        }
        self.meet(env, &envs, ends);
        Ok(known)
    }

    /// Selects an element of a row and evaluates it; without a fallback what is not there is 0.
    pub(super) fn element(
        &mut self,
        env: &mut Env,
        selected: (Result<Id, u64>, Id),
        fallback: Option<Id>,
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        let (index, row) = selected;
        let needed = live | fallback.map_or(0, |f| self.ir.needs(f));
        if let Some(f) = fallback {
            self.share(env, &[f], dst, h, live)?;
        }
        let (index, row, above) = match index {
            Ok(i) => {
                let (places, above) = self.operands(env, &[i, row], &[0, 1], h, needed)?;
                (places[0], places[1], above)
            }
            Err(n) => {
                let (src, above, _) = self.operand(env, row, h, needed)?;
                (Src::Const(Value::direct(n)), src, above)
            }
        };
        self.reach(above + 1);
        self.code.op(Opcode::Element);
        self.code.word(above as usize);
        self.code.src(index);
        self.code.src(row);
        let hole = self.code.hole();
        let mut found = env.clone();
        self.finish_lazy(&mut found, dst, Src::Slot(above), h, live);
        let end = self.skip(dst);
        self.code.land(hole);
        match fallback {
            Some(f) => {
                self.strict(env, f, dst, h, live)?;
            }
            None => self.finish(dst, ZERO, h),
        }
        self.meet(env, &[found], end);
        Ok(Known::Whnf)
    }
}
