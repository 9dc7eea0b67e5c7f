//! What the console, the seed loader and the tools call: a stack of values and evaluation in place.
//!
//! Invariants:
//! - Values an embedder pushes stay where they are; their words are roots of every collection.
//! - Between calls the stack ends right behind the values pushed and no handler is installed.
//!
//! Safety: indices are checked against the number of values pushed; the loop leaves the stack as
//! it found it.
#![allow(unsafe_code)]

use super::frame::Mark;
use super::op::{Args, Fault};
use super::run::{Next, Outcome};
use super::trail::Trail;
use super::{CODE, Machine, PAYLOAD};
use crate::os::signal;
use crate::value::{Kind, TAG_THUNK, ThunkKind, Value};
use alloc::string::String;

/// Why an evaluation asked for by an embedder has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// An exception nobody caught. Its code and its payload, in normal form, have been pushed:
    /// `top(1)` and `top(0)`.
    Thrown,
    /// A value depends on itself.
    Loop,
}

impl Machine {
    /// Pushes a value.
    #[inline(never)]
    pub fn push(&mut self, v: Value) {
        // SAFETY: the slack of the stack takes it; `push_checked` is for unbounded numbers.
        unsafe {
            *self.sp = v;
            self.sp = self.sp.add(1);
        }
    }

    /// Makes sure that `n` more values can be pushed.
    ///
    /// # Errors
    /// [`Stop::Thrown`] with the VM error `limit` when the stack is full.
    #[inline(never)]
    pub fn ensure_stack(&mut self, n: usize) -> Result<(), Stop> {
        if self.is_full(self.sp.wrapping_add(n)) {
            return Err(self.stop(Fault::STACK));
        }
        Ok(())
    }

    /// Number of values pushed.
    pub fn depth(&self) -> usize {
        self.roots().len()
    }

    /// The value `i` places below the top. Panics when there are not that many.
    #[inline(never)]
    pub fn top(&self, i: usize) -> Value {
        let roots = self.roots();
        roots[roots.len() - 1 - i]
    }

    /// The value `i` places above the bottom. Panics when there are not that many.
    #[inline(never)]
    pub fn nth(&self, i: usize) -> Value {
        self.roots()[i]
    }

    /// The topmost value as an operand, to be read again after a collection.
    pub(super) fn top_args(&self) -> Args {
        assert!(self.depth() > 0, "no value on the stack");
        // SAFETY: checked.
        Args(unsafe { self.sp.sub(1) })
    }

    /// Replaces the value `i` places below the top.
    #[inline(never)]
    pub fn set_top(&mut self, i: usize, v: Value) {
        assert!(i < self.depth(), "no value {i} places below the top");
        // SAFETY: checked.
        unsafe { *self.sp.sub(1 + i) = v }
    }

    /// Drops the topmost `n` values.
    #[inline(never)]
    pub fn drop_top(&mut self, n: usize) {
        assert!(n <= self.depth(), "{n} values are not there to drop");
        // SAFETY: checked.
        self.sp = unsafe { self.sp.sub(n) };
    }

    /// Drops all but the `depth` values at the bottom.
    pub fn drop_to(&mut self, depth: usize) {
        self.drop_top(self.depth() - depth);
    }

    /// Takes the topmost value off.
    #[inline(never)]
    pub fn pop(&mut self) -> Value {
        let v = self.top(0);
        self.drop_top(1);
        v
    }

    /// Evaluates the topmost value to weak head normal form, in place.
    ///
    /// # Errors
    /// Exceptions and loops; the value stays as it was then, below what [`Stop`] describes.
    pub fn eval_top(&mut self) -> Result<(), Stop> {
        let v = self.top(0);
        let result = self.run_from(|_, k| Next::Enter(v, k))?;
        self.set_top(0, result);
        Ok(())
    }

    /// Brings the topmost value into normal form, in place.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn force_top(&mut self) -> Result<(), Stop> {
        let v = self.top(0);
        let result = self.run_from(|_, k| Next::Force(v, k))?;
        self.set_top(0, result);
        Ok(())
    }

    /// Forces the topmost value and replaces it by its pin.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn pin_top(&mut self) -> Result<(), Stop> {
        self.operate_top(self.engine.names.pin, &[0])
    }

    /// Replaces body, arity and name, the name on top, by their law.
    ///
    /// # Errors
    /// As [`Machine::eval_top`]; arity 0 is the VM error `arity0`.
    pub fn make_law(&mut self) -> Result<(), Stop> {
        self.operate_top(self.engine.names.law, &[0, 1, 2])
    }

    /// Replaces a number by a buffer of that many bytes.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn make_buffer(&mut self) -> Result<(), Stop> {
        self.operate_top(self.engine.names.buffer, &[0])
    }

    /// Replaces function and `args` arguments, the last on top, by an application thunk.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn make_app(&mut self, args: usize) -> Result<(), Stop> {
        self.reserve(args + 3).map_err(|fault| self.stop(fault))?;
        let payload = self.heap.bump_object(Kind::Thunk, args + 2);
        let thunk = Value::reference(TAG_THUNK, payload);
        thunk.set_raw(0, ThunkKind::APP);
        for i in 0..=args {
            thunk.set_field(1 + i, self.top(args - i));
        }
        self.drop_top(args);
        self.set_top(0, thunk);
        Ok(())
    }

    /// Replaces head and `args` arguments, the last on top, by the closure of them. The head must
    /// be evaluated, no closure, and of a larger arity.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn make_row(&mut self, args: usize) -> Result<(), Stop> {
        self.reserve(args + 2).map_err(|fault| self.stop(fault))?;
        let row = self.heap.bump_closure(self.top(args), args);
        for i in 0..args {
            row.set_field(1 + i, self.top(args - 1 - i));
        }
        self.drop_top(args);
        self.set_top(0, row);
        Ok(())
    }

    /// Pushes a natural.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn push_nat(&mut self, limbs: &[u64]) -> Result<(), Stop> {
        let built = self.build_nat(limbs.len(), |out| out.copy_from_slice(limbs));
        let v = built.map_err(|fault| self.stop(fault))?;
        self.push(v);
        Ok(())
    }

    /// Collects the moving heap.
    ///
    /// # Errors
    /// As [`Machine::eval_top`].
    pub fn collect(&mut self) -> Result<(), Stop> {
        self.collect_for(0).map_err(|fault| self.stop(fault))
    }

    /// Checks the heap, the arena and the stack.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn verify(&self) -> Result<(), String> {
        self.heap.check(self.roots())?;
        self.arena.verify()
    }

    /// Runs `work` so that signals stop its evaluations ([`signal`]): they end with the VM error `limit`,
    /// detail 3, which no handler of a program catches.
    pub fn interruptibly<R>(&mut self, work: impl FnOnce(&mut Machine) -> R) -> R {
        self.interruption = None;
        // SAFETY: `self` is borrowed, so it stays where it is, until `unwatch`.
        unsafe { self.stack.watch_signals() };
        let result = work(self);
        // One that came after the last evaluation has nothing to stop any more.
        self.stack.take_signal();
        signal::unwatch();
        result
    }

    /// Why an evaluation was stopped from outside, if one was since [`Machine::interruptibly`] began.
    pub fn interruption(&self) -> Option<signal::Reason> {
        self.interruption
    }

    /// The same, and forgets it with any signal that came after the last evaluation.
    pub fn take_interruption(&mut self) -> Option<signal::Reason> {
        self.stack.take_signal();
        self.interruption.take()
    }

    /// The laws that were being evaluated at the last exception that nothing caught.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// From now on an exception whose code is this name passes every handler of a program.
    pub fn set_escape(&mut self, name: Option<&'static [u8]>) {
        self.escape = name;
    }

    /// Words allocated since the last collection.
    pub fn allocated_since_collection(&self) -> usize {
        self.heap.allocated_since_collection()
    }

    /// Applies an operation to the topmost values, given as places below the top.
    fn operate_top(&mut self, op: usize, places: &[usize]) -> Result<(), Stop> {
        let result = self.run_from(|m, k| {
            // SAFETY: a few words of the slack.
            unsafe {
                *k = Value::ZERO;
                for (i, place) in places.iter().enumerate() {
                    *k.add(1 + i) = *m.sp.sub(1 + place);
                }
            }
            Next::Op(op, k, 0)
        })?;
        self.drop_top(places.len() - 1);
        self.set_top(0, result);
        Ok(())
    }

    /// Runs the loop above the values pushed.
    fn run_from(
        &mut self,
        first: impl FnOnce(&Machine, *mut Value) -> Next,
    ) -> Result<Value, Stop> {
        let base = self.sp;
        self.handler = core::ptr::null_mut();
        // SAFETY: two words of the slack.
        let k = unsafe {
            *base = Value::ZERO;
            *base.add(1) = Value::from_bits(Mark::new(Mark::TOP, 0, 0).word());
            base.add(2)
        };
        let first = first(self, k);
        let outcome = self.run(first);
        self.sp = base;
        match outcome {
            Outcome::Value(v) => Ok(v),
            Outcome::Loop => Err(Stop::Loop),
            Outcome::Thrown => {
                self.push_thrown();
                Err(Stop::Thrown)
            }
        }
    }

    /// Turns a fault outside the loop into what an embedder sees.
    pub(super) fn stop(&mut self, fault: Fault) -> Stop {
        let base = self.sp;
        self.handler = core::ptr::null_mut();
        // SAFETY: two words of the slack.
        let k = unsafe {
            *base = Value::ZERO;
            *base.add(1) = Value::from_bits(Mark::new(Mark::TOP, 0, 0).word());
            base.add(2)
        };
        let _ = self.raise(fault, None, k);
        self.sp = base;
        self.push_thrown();
        Stop::Thrown
    }

    fn push_thrown(&mut self) {
        let (code, payload) = (self.registers[CODE], self.registers[PAYLOAD]);
        self.push(code);
        self.push(payload);
    }
}
