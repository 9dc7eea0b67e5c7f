//! Lowering of what is demanded now: operations in place, branches, calls, tail calls.
//!
//! Invariants:
//! - Operands are evaluated in the order the row of the operation gives, each at most once.
//! - A branch starts from the same slots as the others; a let that several branches and what comes
//!   after need is built before them, so that it is evaluated at most once.
//! - `live` holds the slots needed after the node has its value; everything else is let go of before
//!   control leaves the activation.

use super::emit::Src;
use super::ir::{Id, Node, TooLarge, bit};
use super::lower::{Env, Function, Known, Lowering, State};
use crate::machine::op::{Body, Operand, number};
use crate::machine::opcode::Opcode;
use crate::value::Value;
use alloc::vec;
use alloc::vec::Vec;

/// What to do with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dst {
    /// Return it.
    Return,
    /// Put it into a slot.
    Slot(u32),
}

pub(super) const ZERO: Src = Src::Const(Value::ZERO);

/// A comparison as an instruction: opcode, its negation, and whether the operands change places.
pub(super) struct Comparison {
    pub value: Opcode,
    pub unless: Opcode,
    pub unless_not: Opcode,
    pub swap: bool,
    /// Whether the operands change places in the negation.
    pub swap_not: bool,
}

pub(super) fn comparison(op: usize) -> Option<Comparison> {
    use Opcode::{Eq, Le, Lt, Ne, UnlessEq, UnlessLe, UnlessLt, UnlessNe};
    let (value, unless, unless_not, swap, swap_not) = match op {
        number::LT => (Lt, UnlessLt, UnlessLe, false, true),
        number::LE => (Le, UnlessLe, UnlessLt, false, true),
        number::GT => (Lt, UnlessLt, UnlessLe, true, false),
        number::GE => (Le, UnlessLe, UnlessLt, true, false),
        number::EQ => (Eq, UnlessEq, UnlessNe, false, false),
        number::NE => (Ne, UnlessNe, UnlessEq, false, false),
        _ => return None,
    };
    Some(Comparison {
        value,
        unless,
        unless_not,
        swap,
        swap_not,
    })
}

pub(super) fn swapped(a: Src, b: Src, swap: bool) -> (Src, Src) {
    if swap { (b, a) } else { (a, b) }
}

impl Lowering<'_> {
    /// Code that evaluates a node.
    pub fn strict(
        &mut self,
        env: &mut Env,
        id: Id,
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        self.deeper()?;
        let known = match self.ir.view(id) {
            (id, Node::App { head, first, len }) => {
                let args = self.args(first, len);
                self.strict_app(env, id, head, &args, dst, h, live)?
            }
            (_, Node::Slot(_) | Node::Const(_)) => {
                let (src, _, known) = self.operand(env, id, h, live)?;
                self.finish(dst, src, h);
                known
            }
            (id, Node::Deep(_) | Node::Itself) => {
                let (src, _) = self.lazy(env, id, h)?;
                self.finish_lazy(env, dst, src, h, live);
                Known::Whnf
            }
        };
        self.shallower();
        Ok(known)
    }

    /// Delivers a value in weak head normal form.
    pub(super) fn finish(&mut self, dst: Dst, src: Src, h: u32) {
        self.reach(h + 1);
        match dst {
            Dst::Return => {
                self.code.op(Opcode::Ret);
                self.code.src(src);
            }
            Dst::Slot(d) => self.moved(d, src),
        }
    }

    /// Delivers a value that may be a thunk.
    pub(super) fn finish_lazy(&mut self, env: &mut Env, dst: Dst, src: Src, h: u32, live: u64) {
        match dst {
            Dst::Return => {
                self.code.op(Opcode::RetEval);
                self.code.src(src);
            }
            Dst::Slot(d) => {
                self.moved(d, src);
                self.eval_slot(env, d, h.max(d + 1), live);
            }
        }
    }

    fn eval_slot(&mut self, env: &mut Env, at: u32, h: u32, live: u64) {
        for dead in self.dead(env, live) {
            if dead != at {
                self.code.op(Opcode::Kill);
                self.code.word(dead as usize);
            }
        }
        self.reach(h + 2);
        self.code.op(Opcode::Eval);
        self.code.word(h as usize);
        self.code.word(at as usize);
    }

    /// Evaluates a node and says where its value is: in place for slots and constants.
    pub(super) fn operand(
        &mut self,
        env: &mut Env,
        id: Id,
        h: u32,
        live: u64,
    ) -> Result<(Src, u32, Known), TooLarge> {
        match self.ir.view(id).1 {
            Node::Const(c) => {
                let known = if c.is_nat() { Known::Nat } else { Known::Whnf };
                Ok((Src::Const(c), h, known))
            }
            Node::Slot(s) => {
                self.evaluate_slot(env, s, h, live)?;
                let info = env[s as usize];
                Ok((Src::Slot(info.at), h, info.known))
            }
            _ => {
                let known = self.strict(env, id, Dst::Slot(h), h, live)?;
                self.reach(h + 1);
                Ok((Src::Slot(h), h + 1, known))
            }
        }
    }

    /// Makes sure that a slot holds a value in weak head normal form.
    fn evaluate_slot(&mut self, env: &mut Env, s: u32, h: u32, live: u64) -> Result<(), TooLarge> {
        let info = env[s as usize];
        if info.known >= Known::Whnf && info.state == State::Present {
            return Ok(());
        }
        if info.state == State::Absent {
            if let Some(definition) = self.ir.definition(s)
                && self.ir.needs(definition) & bit(s) == 0
            {
                let dst = Dst::Slot(info.at);
                let known = self.strict(env, definition, dst, h, live)?;
                env[s as usize].state = State::Present;
                env[s as usize].known = known;
                return Ok(());
            }
            self.materialise(env, s, h)?;
        }
        self.eval_slot(env, info.at, h, live | bit(s));
        env[s as usize].known = Known::Whnf;
        Ok(())
    }

    /// Evaluates nodes in the given order of indices; places are by index.
    pub(super) fn operands(
        &mut self,
        env: &mut Env,
        args: &[Id],
        order: &[usize],
        h: u32,
        live: u64,
    ) -> Result<(Vec<Src>, u32), TooLarge> {
        let mut places = vec![ZERO; args.len()];
        let mut h = h;
        let mut held = live;
        for (done, i) in order.iter().enumerate() {
            let mut needed = held;
            for j in &order[done + 1..] {
                needed |= self.ir.needs(args[*j]);
            }
            for (j, arg) in args.iter().enumerate() {
                if !order.contains(&j) {
                    needed |= self.ir.needs(*arg);
                }
            }
            let (src, above, _) = self.operand(env, args[*i], h, needed)?;
            if let Node::Slot(s) = self.ir.view(args[*i]).1 {
                held |= bit(s);
            }
            places[*i] = src;
            h = above;
        }
        Ok((places, h))
    }

    #[allow(clippy::too_many_arguments)] // the node taken apart, once
    fn strict_app(
        &mut self,
        env: &mut Env,
        id: Id,
        head: Id,
        args: &[Id],
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        let (function, arity) = self.function(head);
        let n = args.len() as u64;
        match function {
            Function::Unknown => {
                let (f, above) = self.callee(env, head, args, h, live)?;
                self.call(env, f, args, (h, above), dst, live, None)
            }
            _ if n < arity => {
                let d = if let Dst::Slot(d) = dst { d } else { h };
                self.closure(env, head, args, d, h)?;
                self.finish(dst, Src::Slot(d), h);
                Ok(Known::Whnf)
            }
            _ if n > arity => {
                let (now, rest) = args.split_at(arity as usize);
                let first = self.ir.args.len() as u32;
                self.ir.args.extend_from_slice(now);
                let inner = self.ir.push(Node::App {
                    head,
                    first,
                    len: arity as u32,
                });
                let mut needed = live;
                for id in rest {
                    needed |= self.ir.needs(*id);
                }
                self.strict(env, inner, Dst::Slot(h), h, needed)?;
                self.call(env, Src::Slot(h), rest, (h, h + 1), dst, live, None)
            }
            Function::Op(op) => match self.numbered(op, args) {
                Some((op, args)) => self.strict_op(env, op, &args, dst, h, live),
                None => self.strict_op(env, op, args, dst, h, live),
            },
            _ => {
                debug_assert!(matches!(self.ir.node(id), Node::App { .. }));
                let (f, above) = self.lazy(env, head, h)?;
                let first = self.demand(head);
                self.call(env, f, args, (h, above), dst, live, Some(&first))
            }
        }
    }

    /// Where an unknown function is: a slot as it is, else its value in a temporary.
    fn callee(
        &mut self,
        env: &mut Env,
        head: Id,
        args: &[Id],
        h: u32,
        live: u64,
    ) -> Result<(Src, u32), TooLarge> {
        if let Node::Slot(s) = self.ir.view(head).1
            && env[s as usize].state == State::Present
        {
            return Ok((Src::Slot(env[s as usize].at), h));
        }
        let mut needed = live;
        for id in args {
            needed |= self.ir.needs(*id);
        }
        let (src, above, _) = self.operand(env, head, h, needed)?;
        Ok((src, above))
    }

    /// A call of a function at hand; temporaries lie from `heights.0` to `heights.1`. `exact`: a law
    /// or pin with as many arguments as it takes, and those it evaluates first of all.
    #[allow(clippy::too_many_arguments)]
    fn call(
        &mut self,
        env: &mut Env,
        f: Src,
        args: &[Id],
        heights: (u32, u32),
        dst: Dst,
        live: u64,
        exact: Option<&[usize]>,
    ) -> Result<Known, TooLarge> {
        if args.len() > super::ir::MAX_SLOTS {
            return Err(TooLarge);
        }
        let (base, h) = heights;
        let (places, above) = self.arguments(env, args, exact.unwrap_or(&[]), h, live)?;
        if exact.is_some() && self.main && dst == Dst::Return && f == Src::Slot(0) {
            return Ok(self.call_self(places, above));
        }
        self.reach(above + args.len() as u32 + 3);
        let Dst::Slot(d) = dst else {
            let ordered = exact.is_none_or(<[usize]>::is_empty);
            self.code.op(if exact.is_some() {
                Opcode::TailCall
            } else {
                Opcode::TailApp
            });
            self.code.word(if ordered { base } else { above } as usize);
            self.code.word(args.len());
            self.sources(f, &places);
            return Ok(Known::Whnf);
        };
        let mut dead = self.dead(env, live);
        let over = overlap_is_safe(&places, base);
        if !over {
            // Temporaries below the callee would keep alive what it lets go of.
            dead.extend(places.iter().filter_map(|p| match p {
                Src::Slot(t) if *t >= base => Some(*t),
                _ => None,
            }));
        }
        self.code.op(if exact.is_some() {
            Opcode::Call
        } else {
            Opcode::App
        });
        self.code.word(if over { base } else { above } as usize);
        self.code.word(args.len());
        self.code.word(dead.len());
        self.sources(f, &places);
        self.kills(&dead);
        self.code.word(d as usize);
        Ok(Known::Whnf)
    }

    /// The arguments of a call: those in `first` evaluated, in that order, then the others as they
    /// are.
    fn arguments(
        &mut self,
        env: &mut Env,
        args: &[Id],
        first: &[usize],
        h: u32,
        live: u64,
    ) -> Result<(Vec<Src>, u32), TooLarge> {
        let (mut places, mut above) = self.operands(env, args, first, h, live)?;
        for (i, id) in args.iter().enumerate() {
            if !first.contains(&i) {
                (places[i], above) = self.lazy(env, *id, above)?;
            }
        }
        Ok((places, above))
    }

    fn sources(&mut self, f: Src, places: &[Src]) {
        self.code.src(f);
        for place in places {
            self.code.src(*place);
        }
    }

    fn kills(&mut self, dead: &[u32]) {
        for slot in dead {
            self.code.word(*slot as usize);
        }
    }

    /// A tail call of the running law: only the arguments that change are moved.
    fn call_self(&mut self, places: Vec<Src>, above: u32) -> Known {
        let moves: Vec<(u32, Src)> = (1..)
            .zip(places)
            .filter(|(slot, src)| *src != Src::Slot(*slot))
            .collect();
        self.reach(above + moves.len() as u32);
        self.code.op(Opcode::TailSelf);
        self.code.word(above as usize);
        self.code.word(moves.len());
        self.code.back(0);
        for (slot, src) in moves {
            self.code.word(slot as usize);
            self.code.src(src);
        }
        Known::Whnf
    }

    fn strict_op(
        &mut self,
        env: &mut Env,
        op: usize,
        args: &[Id],
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        match (op, args) {
            (number::IF, [c, t, e]) => self.branch(env, *c, (*t, *e), dst, h, live),
            (number::IFZ, [c, t, e]) => self.branch(env, *c, (*e, *t), dst, h, live),
            (number::SEQ, [a, b]) => {
                let needed = live | self.ir.needs(*b);
                self.operand(env, *a, h, needed)?;
                self.strict(env, *b, dst, h, live)
            }
            (number::AND | number::OR, [a, b]) => {
                let needed = live | self.ir.needs(*b);
                let (src, above, _) = self.operand(env, *a, h, needed)?;
                self.short_circuit(env, op == number::AND, (src, *b), dst, (h, above), live)
            }
            (number::CASE3..=number::CASE7, [i, branches @ ..]) => {
                self.select(env, *i, branches, dst, h, live)
            }
            (number::CASE, [i, row, f]) => {
                self.element(env, (Ok(*i), *row), Some(*f), dst, h, live)
            }
            (number::CASE0..=number::CASE2, [row, f]) => {
                let i = (op - number::CASE0) as u64;
                self.element(env, (Err(i), *row), Some(*f), dst, h, live)
            }
            _ => match self.element_operands(op, args) {
                Some(selected) => self.element(env, selected, None, dst, h, live),
                None => self.plain_op(env, op, args, dst, h, live),
            },
        }
    }

    /// Any other operation: operands in order, then the operation.
    fn plain_op(
        &mut self,
        env: &mut Env,
        op: usize,
        args: &[Id],
        dst: Dst,
        h: u32,
        live: u64,
    ) -> Result<Known, TooLarge> {
        let row = &self.engine.ops[op];
        let strict: Vec<usize> = row
            .order
            .iter()
            .map_while(|operand| match operand {
                Operand::Whnf(i) => Some(*i as usize),
                Operand::Nf(_) => None,
            })
            .collect();
        let (places, above) = self.arguments(env, args, &strict, h, live)?;
        let whole = strict.len() == row.order.len();
        self.reach(above + args.len() as u32 + 3);
        if whole && matches!(row.body, Body::Simple(_)) {
            return Ok(self.simple_op(op, &places, dst, above));
        }
        match dst {
            Dst::Return => {
                self.code.op(Opcode::TailOp);
                self.code.word(above as usize);
                self.code.word(op);
                self.code.word(args.len());
                self.kept(&places);
            }
            Dst::Slot(d) => {
                let dead = self.dead(env, live);
                let base = if overlap_is_safe(&places, h) {
                    h
                } else {
                    above
                };
                self.code.op(Opcode::CallOp);
                self.code.word(base as usize);
                self.code.word(op);
                self.code.word(args.len());
                self.code.word(dead.len());
                self.kept(&places);
                self.kills(&dead);
                self.code.word(d as usize);
            }
        }
        Ok(Known::Whnf)
    }

    fn kept(&mut self, places: &[Src]) {
        for place in places {
            self.code.src(*place);
        }
    }

    fn simple_op(&mut self, op: usize, places: &[Src], dst: Dst, h: u32) -> Known {
        let d = if let Dst::Slot(d) = dst { d } else { h };
        let fast = match op {
            number::ADD => Some(Opcode::Add),
            number::SUB => Some(Opcode::Sub),
            number::INC => Some(Opcode::Inc),
            number::DEC => Some(Opcode::Dec),
            _ => None,
        };
        let known = if let Some(opcode) = fast {
            self.code.op(opcode);
            self.code.word(h as usize);
            self.kept(places);
            Known::Nat
        } else if let (Some(c), [a, b]) = (comparison(op), places) {
            let (a, b) = swapped(*a, *b, c.swap);
            self.code.op(c.value);
            self.code.src(a);
            self.code.src(b);
            Known::Nat
        } else {
            self.code.op(Opcode::Op);
            self.code.word(h as usize);
            self.code.word(op);
            self.code.word(places.len());
            self.kept(places);
            Known::Whnf
        };
        self.code.word(d as usize);
        self.finish(dst, Src::Slot(d), h);
        known
    }
}

/// Whether operands can be moved up into an activation that begins over their temporaries: each is
/// read before its word is overwritten when the last is moved first.
fn overlap_is_safe(places: &[Src], h: u32) -> bool {
    (0..places.len()).all(|i| {
        let to = h + 3 + i as u32;
        places[..i]
            .iter()
            .all(|p| !matches!(p, Src::Slot(t) if *t >= to))
    })
}
