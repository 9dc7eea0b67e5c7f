//! Which arguments a law evaluates first of all, and in which order.
//!
//! A caller may evaluate these before the call instead of suspending them: the callee would do so
//! before anything else, so no effect, exception or divergence changes places (chapter 01 §5.6, O8
//! and X4 to X6). This is the prefix of the strictness analysis of A. Mycroft, *The theory and
//! practice of transforming call-by-need into call-by-value*, 1980, that keeps the order.
//!
//! Invariants:
//! - An argument is listed only if everything the body evaluates before it is another argument
//!   listed before, or a total operation of bounded cost on such.
//! - The walk looks at the leading path of the body only, at most [`MAX_STEPS`] nodes.

use crate::machine::Linker;
use crate::machine::op::{Body, Eager, Operand, number};
use crate::value::Value;
use alloc::vec::Vec;

/// Most nodes looked at.
const MAX_STEPS: usize = 64;

struct Walk<'a> {
    engine: Linker<'a>,
    arity: u64,
    slots: u64,
    found: Vec<usize>,
    steps: usize,
}

/// The arguments of a law, from 0, that a call of it evaluates first, in order.
pub(super) fn demand(engine: Linker, law: Value) -> Vec<usize> {
    let arity = law.call_arity();
    let lets = law.field(5).bits();
    let mut body = law.law_body();
    for _ in 0..lets {
        body = body.arg(1);
    }
    let slots = arity.saturating_add(lets) + 1;
    let mut walk = Walk {
        engine,
        arity,
        slots,
        found: Vec::new(),
        steps: 0,
    };
    walk.expression(body);
    walk.found
}

impl Walk<'_> {
    /// Notes what evaluating an expression demands; whether what comes after it is certain to be
    /// reached with nothing else demanded.
    fn expression(&mut self, e: Value) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return false;
        }
        if e.is_direct() && e.bits() < self.slots {
            return self.slot(e.bits());
        }
        let mut args = Vec::new();
        let mut head = e;
        while head.is_closure() && head.is_small_closure(0, 2) {
            args.push(head.arg(1));
            head = head.arg(0);
        }
        if args.is_empty() {
            return true;
        }
        args.reverse();
        match self.operation(head, &args) {
            Some((op, args)) => self.demands_of(op, &args),
            None => false,
        }
    }

    fn slot(&mut self, slot: u64) -> bool {
        if slot == 0 {
            return true;
        }
        if slot > self.arity {
            return false;
        }
        let argument = slot as usize - 1;
        if !self.found.contains(&argument) {
            self.found.push(argument);
        }
        true
    }

    /// The operation a saturated application runs, with its operands.
    fn operation(&self, head: Value, args: &[Value]) -> Option<(usize, Vec<Value>)> {
        if !head.is_pin() || head.call_arity() != args.len() as u64 {
            return None;
        }
        let word = self.engine.code_word(head);
        let op = (word >> 1) as usize;
        if word & 1 == 0 || self.engine.ops[op].reads_callee {
            return None;
        }
        if op != self.engine.names.numbered {
            return Some((op, args.to_vec()));
        }
        let mut operands = Vec::new();
        let mut key = args[0];
        while key.is_closure() && key.is_small_closure(0, 2) {
            operands.push(key.arg(1));
            key = key.arg(0);
        }
        if key.is_closure() && key.is_small_closure(0, 1) {
            key = key.arg(0);
        } else if key.is_direct() && key.bits() < self.slots {
            return None;
        }
        operands.reverse();
        (self.engine.op_by_key)(key, operands.len()).map(|op| (op, operands))
    }

    fn demands_of(&mut self, op: usize, args: &[Value]) -> bool {
        let row = &self.engine.ops[op];
        for operand in row.order {
            let Operand::Whnf(i) = operand else {
                return false;
            };
            if !self.expression(args[*i as usize]) {
                return false;
            }
        }
        match op {
            number::SEQ => self.expression(args[1]),
            _ => matches!(row.body, Body::Simple(_)) && row.eager != Eager::Never,
        }
    }
}
