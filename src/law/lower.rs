//! Lowering: activations, suspensions, closures, lets.
//!
//! Invariants:
//! - Temporaries are a stack above the slots: a lowered lazy value takes at most one more word.
//! - A let becomes an object at most once on every path, before its first use on that path; on
//!   paths that do not use it, it costs nothing.
//! - A suspension captures exactly the slots it reads, and its law in slot 0.
//! - A slot whose value is not needed again is let go of before anything is called.

use super::demand::demand;
use super::emit::{Buffer, Hole, Src};
use super::ir::{self, Id, Ir, Node, TooLarge, bit};
use crate::heap::code::Entry;
use crate::machine::Linker;
use crate::machine::opcode::{MAX_OPERANDS, Opcode};
use crate::value::Value;
use alloc::vec::Vec;

/// Deepest recursion of the lowering itself; a few hundred bytes of native stack a level.
const MAX_RECURSION: usize = 1500;

/// What is known of a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Known {
    /// Perhaps a thunk.
    Nothing,
    /// In weak head normal form.
    Whnf,
    /// A natural: nothing is kept alive by it.
    Nat,
}

/// Whether a slot has its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// A let not built yet.
    Absent,
    /// A let being built: references to it are patched afterwards.
    Building,
    Present,
    /// Let go of.
    Dead,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SlotInfo {
    pub at: u32,
    pub known: Known,
    pub state: State,
}

/// The slots of one activation at one point of a path.
pub(super) type Env = Vec<SlotInfo>;

/// What a known function is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    /// A natural: never saturated.
    Nat,
    /// An operation.
    Op(usize),
    /// A law or pin that must be called.
    Call,
    /// Not known before run time.
    Unknown,
}

/// A suspension whose code is still to be emitted.
pub(super) struct Pending {
    pub entry: Hole,
    pub node: Id,
    pub env: Env,
    pub height: u32,
}

struct Patch {
    object: u32,
    index: usize,
    slot: u32,
}

pub(super) struct Lowering<'a> {
    pub engine: Linker<'a>,
    pub callee_arity: u64,
    law: Value,
    pub ir: Ir,
    pub code: Buffer,
    /// Whether the code being emitted is the law's own, not a suspension's.
    pub main: bool,
    pub pending: Vec<Pending>,
    patches: Vec<Patch>,
    max_height: u32,
    depth: usize,
}

/// Lowers a law; `Ok(None)` without memory for the code.
pub(super) fn lower(engine: Linker, callee: Value, law: Value) -> Result<Option<Entry>, TooLarge> {
    let ir = ir::parse(law)?;
    let slots = ir.slots() as u32;
    let mut l = Lowering {
        engine,
        callee_arity: callee.call_arity(),
        law,
        ir,
        code: Buffer::default(),
        main: true,
        pending: Vec::new(),
        patches: Vec::new(),
        max_height: 0,
        depth: 0,
    };
    let arity = l.ir.arity;
    let mut env: Env = (0..slots)
        .map(|at| {
            let is_let = at as usize > arity;
            SlotInfo {
                at,
                known: if at == 0 { Known::Whnf } else { Known::Nothing },
                state: if is_let {
                    State::Absent
                } else {
                    State::Present
                },
            }
        })
        .collect();
    let mut height = arity as u32 + 1;
    for (slot, info) in env.iter_mut().enumerate().skip(arity + 1) {
        if l.ir.is_cell(slot as u32) {
            info.at = height;
            height += 1;
        }
    }
    let body = l.ir.body;
    l.activation(&mut env, arity as u32 + 1, height, body)?;
    l.main = false;
    while let Some(mut p) = l.pending.pop() {
        l.code.land(p.entry);
        l.activation(&mut p.env, p.height, p.height, p.node)?;
    }
    Ok(l.code.finish())
}

/// Code for a law that is expanded at run time.
pub(super) fn expander(law: Value) -> Option<Entry> {
    let mut code = Buffer::default();
    code.op(Opcode::Expand);
    code.word(law.law_arity().saturated() as usize);
    code.finish()
}

impl Lowering<'_> {
    /// An activation: check the stack, zero the lets from `first` to `height`, evaluate the node.
    fn activation(
        &mut self,
        env: &mut Env,
        first: u32,
        height: u32,
        node: Id,
    ) -> Result<(), TooLarge> {
        self.max_height = height;
        self.code.op(Opcode::Enter);
        self.code.word(first as usize);
        self.code.word((height - first) as usize);
        let frame = self.code.here();
        self.code.word(0);
        self.strict(env, node, super::strict::Dst::Return, height, 0)?;
        self.code.set(frame, self.max_height as usize + 8);
        Ok(())
    }

    pub fn deeper(&mut self) -> Result<(), TooLarge> {
        self.depth += 1;
        if self.depth > MAX_RECURSION {
            Err(TooLarge)
        } else {
            Ok(())
        }
    }

    pub fn shallower(&mut self) {
        self.depth -= 1;
    }

    pub fn reach(&mut self, height: u32) {
        self.max_height = self.max_height.max(height);
    }

    pub fn args(&self, first: u32, len: u32) -> Vec<Id> {
        self.ir.args[first as usize..(first + len) as usize].to_vec()
    }

    /// What a head is, and how many arguments saturate it.
    pub fn function(&self, head: Id) -> (Function, u64) {
        match self.ir.view(head).1 {
            Node::Const(c) if c.is_nat() => (Function::Nat, u64::MAX),
            Node::Const(c) if c.is_law() || c.is_pin() => {
                let arity = c.call_arity();
                let word = self.engine.code_word(c);
                let op = (word >> 1) as usize;
                if word & 1 == 1 && !self.engine.ops[op].reads_callee {
                    (Function::Op(op), arity)
                } else {
                    (Function::Call, arity)
                }
            }
            Node::Slot(0) => (Function::Call, self.callee_arity),
            _ => (Function::Unknown, 0),
        }
    }

    /// The arguments that a call of a known law evaluates first of all.
    pub fn demand(&self, head: Id) -> Vec<usize> {
        let callee = match self.ir.view(head).1 {
            Node::Slot(0) => self.law,
            Node::Const(c) if c.is_pin() => c.item(),
            Node::Const(c) => c,
            _ => return Vec::new(),
        };
        if callee.is_law() {
            demand(self.engine, callee)
        } else {
            Vec::new()
        }
    }

    /// The operation a call of `<15>` on a row written out in the body runs.
    pub fn numbered(&self, op: usize, args: &[Id]) -> Option<(usize, Vec<Id>)> {
        let [row] = args else { return None };
        if op != self.engine.names.numbered {
            return None;
        }
        let Node::App { head, first, len } = self.ir.view(*row).1 else {
            return None;
        };
        let Node::Const(key) = self.ir.view(head).1 else {
            return None;
        };
        let found = (self.engine.op_by_key)(key, len as usize)?;
        Some((found, self.args(first, len)))
    }

    /// A value that need not be evaluated: where it is. Uses at most one word from `h` on.
    pub fn lazy(&mut self, env: &mut Env, id: Id, h: u32) -> Result<(Src, u32), TooLarge> {
        match self.ir.view(id) {
            (_, Node::Slot(s)) => {
                self.materialise(env, s, h)?;
                Ok((Src::Slot(env[s as usize].at), h))
            }
            (_, Node::Const(c)) => Ok((Src::Const(c), h)),
            (id, _) => {
                // An object that is to be patched must stay where it is until then, so what it
                // holds goes above it; its own word must hold something before that is built.
                let building = self.reads_building(env, id);
                if building {
                    self.moved(h, Src::Const(Value::ZERO));
                }
                let above = self.lazy_into(env, id, h, if building { h + 1 } else { h })?;
                let above = if building { above } else { h + 1 };
                self.reach(above);
                Ok((Src::Slot(h), above))
            }
        }
    }

    /// Builds the object of a let, and of those it needs, unless it is there.
    pub fn materialise(&mut self, env: &mut Env, slot: u32, h: u32) -> Result<u32, TooLarge> {
        if env[slot as usize].state != State::Absent {
            return Ok(h);
        }
        let Some(definition) = self.ir.definition(slot) else {
            return Ok(h);
        };
        self.deeper()?;
        env[slot as usize].state = State::Building;
        let at = env[slot as usize].at;
        let mut needed = Vec::new();
        self.ir.free(definition, &mut |s| needed.push(s));
        let mut h = h;
        for s in needed {
            h = self.materialise(env, s, h)?;
        }
        h = self.lazy_into(env, definition, at, h)?;
        env[slot as usize].state = State::Present;
        for i in (0..self.patches.len()).rev() {
            if self.patches[i].slot == slot {
                let patch = self.patches.swap_remove(i);
                self.code.op(Opcode::Patch);
                self.code.word(patch.object as usize);
                self.code.word(patch.index);
                self.code.src(Src::Slot(at));
            }
        }
        self.shallower();
        Ok(h)
    }

    /// Notes which of an object's fields must be filled in once the let they refer to is built.
    pub(super) fn note_patches(&mut self, env: &Env, object: u32, first: usize, fields: &[Id]) {
        for (i, id) in fields.iter().enumerate() {
            if let Node::Slot(s) = self.ir.view(*id).1 {
                self.note_patch(env, object, first + i, s);
            }
        }
    }

    pub(super) fn note_patch(&mut self, env: &Env, object: u32, index: usize, slot: u32) {
        if env[slot as usize].state == State::Building {
            self.patches.push(Patch {
                object,
                index,
                slot,
            });
        }
    }

    /// Whether a node reads a let that is being built.
    pub(super) fn reads_building(&self, env: &Env, id: Id) -> bool {
        let mut found = false;
        self.ir.free(id, &mut |s| {
            found |= env[s as usize].state == State::Building
        });
        found
    }

    /// Builds the unevaluated value of a node in a slot. Words from `h` on are free; returns the
    /// height up to which objects still to be patched lie.
    fn lazy_into(&mut self, env: &mut Env, id: Id, dst: u32, h: u32) -> Result<u32, TooLarge> {
        self.deeper()?;
        let result = self.lazy_node(env, id, dst, h);
        self.shallower();
        result
    }

    fn lazy_node(&mut self, env: &mut Env, id: Id, dst: u32, h: u32) -> Result<u32, TooLarge> {
        match self.ir.view(id).1 {
            Node::App { head, first, len } => {
                let (function, arity) = self.function(head);
                let args = self.args(first, len);
                if args.len() > MAX_OPERANDS {
                    return Err(TooLarge);
                }
                match function {
                    Function::Nat => self.closure(env, head, &args, dst, h),
                    Function::Op(_) | Function::Call if u64::from(len) < arity => {
                        self.closure(env, head, &args, dst, h)
                    }
                    Function::Op(op) if u64::from(len) == arity => {
                        let (op, args) = self.numbered(op, &args).unwrap_or((op, args));
                        self.lazy_op(env, id, op, &args, dst, h)
                    }
                    _ => self.suspend(env, id, dst, h),
                }
            }
            Node::Deep(e) => self.expand(env, e, dst, h),
            Node::Itself => {
                self.code.op(Opcode::SelfThunk);
                self.code.word(dst as usize);
                self.code.word(h as usize);
                Ok(h)
            }
            Node::Slot(_) | Node::Const(_) => {
                let (src, h) = self.lazy(env, id, h)?;
                self.moved(dst, src);
                Ok(h)
            }
        }
    }

    pub fn moved(&mut self, dst: u32, src: Src) {
        if src != Src::Slot(dst) {
            self.code.op(Opcode::Move);
            self.code.word(dst as usize);
            self.code.src(src);
        }
    }

    /// Lazy values for several nodes: their places and the height above them.
    pub fn lazies(
        &mut self,
        env: &mut Env,
        ids: &[Id],
        h: u32,
    ) -> Result<(Vec<Src>, u32), TooLarge> {
        let mut h = h;
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            let (src, above) = self.lazy(env, *id, h)?;
            places.push(src);
            h = above;
        }
        Ok((places, h))
    }

    /// A closure of a head known to be unsaturated.
    pub fn closure(
        &mut self,
        env: &mut Env,
        head: Id,
        args: &[Id],
        dst: u32,
        h: u32,
    ) -> Result<u32, TooLarge> {
        let building = args.iter().any(|a| self.reads_building(env, *a));
        let (head, h1) = self.lazy(env, head, h)?;
        let (places, above) = self.lazies(env, args, h1)?;
        self.reach(above + 1);
        self.code.op(Opcode::Closure);
        self.code.word(dst as usize);
        self.code.word(above as usize);
        self.code.word(args.len());
        self.code.src(head);
        for place in places {
            self.code.src(place);
        }
        self.note_patches(env, dst, 1, args);
        // Objects inside this one that still are to be patched must not be overwritten.
        Ok(if building { above } else { h })
    }

    /// Slots that hold something nothing needs any more.
    pub fn dead(&self, env: &mut Env, live: u64) -> Vec<u32> {
        let mut dead = Vec::new();
        for (slot, info) in env.iter_mut().enumerate().skip(1) {
            let kept = slot >= 63 || live & bit(slot as u32) != 0;
            if info.state == State::Present && !kept {
                if info.known != Known::Nat {
                    dead.push(info.at);
                }
                info.state = State::Dead;
            }
        }
        dead
    }
}
