//! Entering thunks, returning into frames, application of anything to anything, operations.
//!
//! Invariants:
//! - The function of an application is evaluated before its arguments are looked at; arguments are
//!   passed unevaluated.
//! - A thunk is marked as a hole before anything it needs is evaluated.
//!
//! Safety: reads and writes words of the value stack exactly as `frame` documents them.
#![allow(unsafe_code)]

use super::frame::Mark;
use super::op::{Args, Body, Call, Fault, FaultKind, Operand, Step};
use super::run::{Next, Outcome, load_thunk};
use super::{Linker, Machine};
use crate::heap::code::Entry;
use crate::value::{Kind, Sort, ThunkKind, Value, closure_tag};
use core::cell::Cell;

const UPDATE: Mark = Mark::new(Mark::UPDATE, 0, 0);

#[inline(always)]
unsafe fn push(k: *mut Value, word: u64, mark: Mark) -> *mut Value {
    // SAFETY: callers have checked the stack, or push a few words into its slack.
    unsafe {
        *k = Value::from_bits(word);
        *k.add(1) = Value::from_bits(mark.word());
        k.add(2)
    }
}

impl Machine {
    /// Evaluates a value and returns it to the frame that ends at `k`.
    pub(super) fn enter(&mut self, v: Value, k: *mut Value) -> Next {
        if !v.is_thunk() {
            return Next::Return(v, k);
        }
        if self.is_full(k) {
            return self.raise(Fault::STACK, None, k);
        }
        let kind = v.thunk_kind();
        if ThunkKind::is_code(kind) {
            // SAFETY: see the file.
            return Next::Exec(kind as *const u32, unsafe { load_thunk(v, kind, k) });
        }
        match kind {
            ThunkKind::DONE => Next::Return(v.field(1), k),
            ThunkKind::APP => self.enter_application(v, k),
            ThunkKind::HEAD => self.enter_head(v, k),
            ThunkKind::EXPAND => {
                v.set_raw(0, kind | ThunkKind::HOLE);
                // SAFETY: see the file.
                let fp = unsafe { push(k, v.bits(), UPDATE) };
                self.expand(v.field(1), v.field(2), fp)
            }
            ThunkKind::RETHROW => self.rethrow(v.field(1), k),
            _ => self.raise(Fault::LOOP, None, k),
        }
    }

    /// Evaluates an application. Its function is often an application itself (a seed writes a row
    /// as nested cells), so chains of them are taken apart here, without a look at each from the
    /// loop.
    fn enter_application(&mut self, v: Value, k: *mut Value) -> Next {
        if let Some(n) = unsaturated_chain(v) {
            return self.enter_chain(v, n, k);
        }
        let (mut v, mut k) = (v, k);
        loop {
            let n = v.header().words() - 2;
            // SAFETY: see the file.
            unsafe {
                if self.is_full(k.add(n + 5)) {
                    return self.raise(Fault::STACK, None, k);
                }
                v.set_raw(0, ThunkKind::APP | ThunkKind::HOLE);
                let fp = push(k, v.bits(), UPDATE);
                for i in 0..=n {
                    *fp.add(i) = v.field(1 + i);
                }
                let f = (*fp).resolve();
                if !f.is_thunk() || f.thunk_kind() != ThunkKind::APP {
                    return Next::Apply(fp, n);
                }
                k = push(fp.add(n + 1), fp as u64, Mark::new(Mark::APPLY_HEAD, 0, n));
                v = f;
            }
        }
    }

    /// Evaluates a chain of applications that makes a closure of `n` more arguments than what it
    /// begins with. The cells inside the chain stay as they are: making a closure of each would
    /// take quadratic time.
    fn enter_chain(&mut self, v: Value, n: usize, k: *mut Value) -> Next {
        // SAFETY: see the file.
        unsafe {
            if self.is_full(k.wrapping_add(n + 4)) {
                return self.raise(Fault::STACK, None, k);
            }
            let fp = push(k, v.bits(), UPDATE);
            let mut cell = v;
            let mut left = n;
            while left > 0 {
                let arguments = cell.header().words() - 2;
                left -= arguments;
                for i in 0..arguments {
                    *fp.add(1 + left + i) = cell.field(2 + i);
                }
                cell = cell.field(1).resolve();
            }
            *fp = cell;
            v.set_raw(0, ThunkKind::APP | ThunkKind::HOLE);
            Next::Apply(fp, n)
        }
    }

    /// Replaces a thunk for the initial part of a closure by that part.
    fn enter_head(&mut self, v: Value, k: *mut Value) -> Next {
        let n = v.field(1).size() - 1;
        // SAFETY: one word above `k` is free.
        unsafe {
            *k = v;
            self.sp = k.add(1);
            if let Err(fault) = self.reserve(n + 2) {
                return self.raise(fault, None, k);
            }
            let (v, source) = (*k, (*k).field(1));
            let kind = if source.header().is(Kind::ClosureNf) {
                Kind::ClosureNf
            } else {
                Kind::Closure
            };
            let payload = self.heap.bump_object(kind, n + 1);
            for i in 0..=n {
                *payload.add(i) = source.raw(i);
            }
            let part = Value::reference(closure_tag(source.head(), n), payload);
            v.update(part);
            Next::Return(part, k)
        }
    }

    /// Returns a value in weak head normal form to the frame that ends at `k`.
    pub(super) fn return_to(&mut self, v: Value, k: *mut Value) -> Next {
        // SAFETY: see the file.
        unsafe {
            let last = (*k.sub(1)).bits();
            let below = *k.sub(2);
            let saved = below.bits() as *mut Value;
            if last & 1 == 0 {
                let pc = last as *const u32;
                *saved.add(*pc as usize) = v;
                return Next::Exec(pc.add(1), saved);
            }
            let mark = Mark::from_word(last);
            match mark.kind() {
                Mark::UPDATE => {
                    below.update(v);
                    Next::Return(v, k.sub(2))
                }
                Mark::OPERAND => {
                    let (op, step) = (mark.a(), mark.b());
                    let (Operand::Whnf(i) | Operand::Nf(i)) = self.engine.ops[op].order[step];
                    *saved.add(1 + i as usize) = v;
                    Next::Op(op, saved, step + 1)
                }
                Mark::RESUME => {
                    self.sp = k.sub(2);
                    self.step(mark.a(), saved, mark.b(), v)
                }
                Mark::APPLY_HEAD => {
                    *saved = v;
                    Next::Apply(saved, mark.b())
                }
                Mark::APPLY_REST => {
                    let m = mark.b();
                    let fp = k.sub(1 + m);
                    fp.add(1).copy_from(fp, m);
                    *fp = v;
                    Next::Apply(fp, m)
                }
                Mark::FORCE => self.force_argument(v, k),
                Mark::FORCE_RESULT => Next::Force(v, k.sub(1)),
                Mark::TRY => self.leave_try(v, k),
                Mark::PROFILE => {
                    self.record_exit(below);
                    Next::Return(v, k.sub(2))
                }
                _ => Next::Stop(Outcome::Value(v)),
            }
        }
    }

    /// Applies the value at `fp` to the `n` arguments behind it.
    pub(super) fn apply(&mut self, fp: *mut Value, mut n: usize) -> Next {
        // SAFETY: see the file.
        unsafe {
            let mut f = (*fp).resolve();
            if f.is_thunk() {
                if self.is_full(fp.add(n + 3)) {
                    return self.raise(Fault::STACK, None, fp);
                }
                let mark = Mark::new(Mark::APPLY_HEAD, 0, n);
                return Next::Enter(f, push(fp.add(n + 1), fp as u64, mark));
            }
            if f.is_closure() {
                let stored = f.size();
                if self.is_full(fp.add(n + stored + 3)) {
                    return self.raise(Fault::STACK, None, fp);
                }
                fp.add(1 + stored).copy_from(fp.add(1), n);
                for i in 0..stored {
                    *fp.add(1 + i) = f.arg(i);
                }
                n += stored;
                f = f.head();
            }
            *fp = f;
            let arity = if f.is_nat() { u64::MAX } else { f.call_arity() };
            if (n as u64) < arity {
                return self.build_closure(fp, n);
            }
            if n as u64 > arity {
                return self.apply_rest(fp, n, arity as usize);
            }
            Next::Call(fp)
        }
    }

    fn build_closure(&mut self, fp: *mut Value, n: usize) -> Next {
        // SAFETY: see the file.
        unsafe {
            self.sp = fp.add(n + 1);
            if let Err(fault) = self.reserve(n + 2) {
                return self.raise(fault, None, fp);
            }
            let payload = self.heap.bump_object(Kind::Closure, n + 1);
            payload.cast::<Value>().copy_from_nonoverlapping(fp, n + 1);
            Next::Return(Value::reference(closure_tag(*fp, n), payload), fp)
        }
    }

    /// Puts the arguments beyond the arity into a frame of their own, below the call.
    fn apply_rest(&mut self, fp: *mut Value, n: usize, arity: usize) -> Next {
        let rest = n - arity;
        // SAFETY: see the file; the callee is moved through the words behind the arguments.
        unsafe {
            let scratch = fp.add(n + 1);
            if self.is_full(scratch.add(n + 3)) {
                return self.raise(Fault::STACK, None, fp);
            }
            scratch.copy_from_nonoverlapping(fp, arity + 1);
            fp.copy_from(fp.add(arity + 1), rest);
            let mark = Mark::new(Mark::APPLY_REST, 0, rest);
            *fp.add(rest) = Value::from_bits(mark.word());
            let callee = fp.add(rest + 1);
            callee.copy_from(scratch, arity + 1);
            Next::Call(callee)
        }
    }

    /// Runs the law or pin at `fp`, whose arguments are complete.
    pub(super) fn call(&mut self, fp: *mut Value) -> Next {
        // SAFETY: see the file.
        let callee = unsafe { *fp };
        let code = callee.code_word();
        if code & 1 == 1 {
            return Next::Op((code >> 1) as usize, fp, 0);
        }
        let Some(entry) = Entry::from_word(code) else {
            return self.compile_and_call(fp, callee);
        };
        Next::Exec(entry.word() as *const u32, fp)
    }

    #[cold]
    fn compile_and_call(&mut self, fp: *mut Value, callee: Value) -> Next {
        let (counters, strict) = (Cell::new(self.stats.jets), self.options.strict_jets);
        let linker = Linker {
            engine: self.engine,
            counters: &counters,
            strict,
        };
        let word = linker.code_word(callee);
        let entry = match word {
            0 => (self.engine.compile)(linker, callee),
            _ => None,
        };
        self.stats.jets = counters.get();
        if word != 0 {
            return Next::Op((word >> 1) as usize, fp, 0);
        }
        let Some(entry) = entry else {
            return self.raise(Fault::MEMORY, None, fp);
        };
        if let Err(word) = callee.publish_code_word(entry.word()) {
            // Another thread was faster. Nobody knows of this one.
            entry.free();
            return Next::Exec(word as *const u32, fp);
        }
        self.stats.compiled += 1;
        if self.heap.contains(callee.address() as u64) {
            self.heap.adopt_code(entry);
        } else {
            self.arena.adopt_code(callee.address() as u64, entry);
        }
        Next::Exec(entry.word() as *const u32, fp)
    }

    /// Runs an operation whose operands are behind `fp`, from a step of its order on.
    pub(super) fn operate(&mut self, op: usize, fp: *mut Value, mut step: usize) -> Next {
        let row = &self.engine.ops[op];
        // SAFETY: see the file.
        unsafe {
            let k = fp.add(1 + row.arity as usize);
            while let Some(operand) = row.order.get(step) {
                let (Operand::Whnf(i) | Operand::Nf(i)) = *operand;
                let v = (*fp.add(1 + i as usize)).resolve();
                *fp.add(1 + i as usize) = v;
                let nf = matches!(operand, Operand::Nf(_));
                if v.is_thunk() || nf && !is_normal(v) {
                    if self.is_full(k.add(2)) {
                        return self.raise(Fault::STACK, Some(op), fp);
                    }
                    let k = push(k, fp as u64, Mark::new(Mark::OPERAND, op as u16, step));
                    return if nf {
                        Next::Force(v, k)
                    } else {
                        Next::Enter(v, k)
                    };
                }
                step += 1;
            }
            self.sp = k;
            self.stats.jets.executed += 1;
            match row.body {
                Body::Simple(body) => match body(self, Args(fp.add(1))) {
                    Ok(v) => Next::Return(v, fp),
                    Err(fault) => self.raise(fault, Some(op), fp),
                },
                Body::Control(_) => self.step(op, fp, 0, Value::ZERO),
            }
        }
    }

    /// One step of a control operation.
    fn step(&mut self, op: usize, fp: *mut Value, state: usize, result: Value) -> Next {
        let Body::Control(body) = self.engine.ops[op].body else {
            super::inconsistent("a simple operation was resumed");
        };
        // SAFETY: see the file: the operands begin behind the callee.
        let call = Call {
            args: Args(unsafe { fp.add(1) }),
            state,
            result,
        };
        let step = match body(self, call) {
            Ok(step) => step,
            Err(fault) => return self.raise(fault, Some(op), fp),
        };
        match step {
            Step::Value(v) => Next::Return(v, fp),
            Step::Eval(v) => Next::Enter(v, fp),
            Step::Apply(n) => Next::Apply(fp, n),
            Step::Enter(op) => Next::Op(op, fp, 0),
            Step::EvalThen(v, state) | Step::ForceThen(v, state) => {
                if self.is_full(self.sp) {
                    return self.raise(Fault::STACK, Some(op), fp);
                }
                let mark = Mark::new(Mark::RESUME, op as u16, state);
                // SAFETY: checked right above.
                let k = unsafe { push(self.sp, fp as u64, mark) };
                match step {
                    Step::ForceThen(..) => Next::Force(v, k),
                    _ => Next::Enter(v, k),
                }
            }
            Step::Try => self.begin_try(fp),
            Step::Profile => {
                // SAFETY: the activation holds the callee and two operands.
                let (name, x) = unsafe { (*fp.add(1), *fp.add(2)) };
                self.record_entry(name);
                // SAFETY: as above; the frame takes the place of callee and first operand.
                Next::Enter(x, unsafe {
                    push(fp, name.bits(), Mark::new(Mark::PROFILE, 0, 0))
                })
            }
        }
    }

    /// Applies the function in slot 1 to the argument in slot 2 under a handler.
    fn begin_try(&mut self, fp: *mut Value) -> Next {
        // SAFETY: the activation has three words, five are written: two go into the slack, which
        // `operate` has checked.
        unsafe {
            let (f, x) = (*fp.add(1), *fp.add(2));
            let k = push(fp, self.handler as u64, Mark::new(Mark::TRY, 0, 0));
            self.handler = k;
            *k = Value::from_bits(Mark::new(Mark::FORCE_RESULT, 0, 0).word());
            *k.add(1) = f;
            *k.add(2) = x;
            Next::Apply(k.add(1), 1)
        }
    }

    /// The computation under a handler has ended with a value in normal form.
    fn leave_try(&mut self, v: Value, k: *mut Value) -> Next {
        // SAFETY: the frame of the handler has two words.
        unsafe {
            let fp = k.sub(2);
            self.handler = (*fp).bits() as *mut Value;
            *fp = v;
            self.sp = fp.add(1);
            if let Err(fault) = self.reserve(3) {
                return self.raise(fault, None, fp);
            }
            let payload = self.heap.bump_object(Kind::Closure, 2);
            *payload = 0;
            *payload.add(1) = (*fp).bits();
            Next::Return(Value::reference(closure_tag(Value::ZERO, 1), payload), fp)
        }
    }

    /// Raises the exception of a thunk that another evaluation left behind.
    fn rethrow(&mut self, thrown: Value, k: *mut Value) -> Next {
        self.registers[super::CODE] = thrown.head();
        self.registers[super::PAYLOAD] = thrown.arg(0);
        self.raise(Fault::new(FaultKind::Thrown, 0), None, k)
    }
}

/// The number of arguments in a chain of two or more applications whose innermost function takes
/// more than all of them; `None` for every other application.
fn unsaturated_chain(v: Value) -> Option<usize> {
    let is_cell = |v: Value| v.is_thunk() && v.thunk_kind() == ThunkKind::APP;
    let mut n = v.header().words() - 2;
    let mut f = v.field(1).resolve();
    if !is_cell(f) {
        return None;
    }
    // A function can be an application of itself, which has no value. Such a cycle comes back to
    // the mark (R. P. Brent, *An improved Monte Carlo factorization algorithm*, BIT 20, 1980).
    let (mut mark, mut left, mut stride) = (v, 1, 1);
    while is_cell(f) {
        if f == mark {
            return None;
        }
        left -= 1;
        if left == 0 {
            stride *= 2;
            (mark, left) = (f, stride);
        }
        n += f.header().words() - 2;
        f = f.field(1).resolve();
    }
    let (head, stored) = if f.is_closure() {
        (f.head(), f.size())
    } else {
        (f, 0)
    };
    let takes = match head.sort() {
        Sort::Nat => u64::MAX,
        Sort::Thunk => 0,
        _ => head.call_arity(),
    };
    (((n + stored) as u64) < takes).then_some(n)
}

/// Whether a value is known to be in normal form.
#[inline]
pub(super) fn is_normal(v: Value) -> bool {
    match v.sort() {
        Sort::Closure => v.header().is(Kind::ClosureNf),
        Sort::Thunk => false,
        _ => true,
    }
}
