//! The loop: runs instructions, enters thunks, returns into frames.
//!
//! Invariants:
//! - `fp` is the first word of the running activation; the frame it returns to ends right before it.
//! - `k` is the first free word behind the topmost frame.
//! - `Machine::sp` is set before anything that may collect; words at and above it are garbage.
//!
//! Safety: instructions come from the lowering of laws only, which keeps the contracts of `opcode`:
//! slots are below the checked height, constants and jumps lie inside the block. Frames are read
//! back exactly as `frame` documents them. Stack addresses stay between the base of the stack and
//! its limit plus slack: `Enter` and every unbounded push check.
#![allow(unsafe_code)]

use super::Machine;
use super::frame::Mark;
use super::op::{Fault, number};
use super::opcode::Opcode;
use crate::nat;
use crate::value::{Kind, MAX_DIRECT, TAG_THUNK, ThunkKind, Value, closure_tag};
use core::cmp::Ordering;

/// What to do next.
pub(super) enum Next {
    /// Run instructions: `pc`, `fp`.
    Exec(*const u32, *mut Value),
    /// Evaluate a value and return it to the frame that ends at the address.
    Enter(Value, *mut Value),
    /// Return a value in weak head normal form.
    Return(Value, *mut Value),
    /// Apply the function at the address to that many arguments behind it.
    Apply(*mut Value, usize),
    /// Run the law or pin at the address, whose arguments behind it are complete.
    Call(*mut Value),
    /// Run an operation whose operands are behind the address, from a step of its order on.
    Op(usize, *mut Value, usize),
    /// Bring a value into normal form and return it.
    Force(Value, *mut Value),
    /// Leave the loop.
    Stop(Outcome),
}

/// How a run of the loop ended.
pub(super) enum Outcome {
    /// With a value in weak head normal form.
    Value(Value),
    /// With an exception, which is in the registers.
    Thrown,
    /// A value depends on itself.
    Loop,
}

/// The mark that ends an update frame.
pub(super) const UPDATE: u64 = Mark::new(Mark::UPDATE, 0, 0).word();

/// The operand at `pc[i]`.
#[inline(always)]
pub(super) unsafe fn src(pc: *const u32, i: usize, fp: *mut Value) -> Value {
    // SAFETY: see the file: the operand names a slot of the activation or a constant of the block.
    unsafe {
        let at = pc.add(i);
        let word = *at as i32;
        if word >= 0 {
            *fp.add(word as usize)
        } else {
            *at.offset(word as isize).cast::<Value>()
        }
    }
}

/// The instruction that the distance at `pc[i]` leads to.
#[inline(always)]
unsafe fn jump(pc: *const u32, i: usize) -> *const u32 {
    // SAFETY: distances stay inside the block.
    unsafe {
        let at = pc.add(i);
        at.offset(*at as i32 as isize)
    }
}

#[inline(always)]
unsafe fn word(pc: *const u32, i: usize) -> usize {
    // SAFETY: operands of the instruction at `pc`.
    unsafe { *pc.add(i) as usize }
}

#[inline(always)]
fn is_zero(v: Value) -> bool {
    v.bits() == 0 || v.is_buffer() && v.bit_len() == 0
}

/// Order of two evaluated values as naturals.
#[inline(always)]
fn order(a: Value, b: Value) -> Ordering {
    if a.is_direct() && b.is_direct() {
        a.bits().cmp(&b.bits())
    } else {
        order_slow(a, b)
    }
}

#[cold]
#[inline(never)]
fn order_slow(a: Value, b: Value) -> Ordering {
    let (mut s, mut t) = ([0], [0]);
    nat::cmp(a.cast().limbs(&mut s), b.cast().limbs(&mut t))
}

/// Argument `i` of a row, both evaluated.
#[inline(always)]
fn element(i: Value, row: Value) -> Option<Value> {
    if !row.is_closure() {
        return None;
    }
    let i = if i.is_direct() {
        i.bits()
    } else {
        i.cast().saturated()
    };
    if i < row.size() as u64 {
        Some(row.arg(i as usize))
    } else {
        None
    }
}

impl Machine {
    /// Runs until the frame `TOP` is returned to or nothing more can be done.
    #[allow(clippy::too_many_lines)] // the instruction loop is one function by design
    pub(super) fn run(&mut self, start: Next) -> Outcome {
        let mut next = start;
        'outer: loop {
            let (mut pc, mut fp) = match next {
                Next::Exec(pc, fp) => (pc, fp),
                Next::Enter(v, k) => match self.enter_fast(v, k) {
                    Some(start) => start,
                    None => {
                        next = self.enter(v, k);
                        continue;
                    }
                },
                Next::Return(v, k) => {
                    next = self.return_to(v, k);
                    continue;
                }
                Next::Apply(fp, n) => {
                    next = self.apply(fp, n);
                    continue;
                }
                Next::Call(fp) => {
                    next = self.call(fp);
                    continue;
                }
                Next::Op(op, fp, step) => {
                    next = self.operate(op, fp, step);
                    continue;
                }
                Next::Force(v, k) => {
                    next = self.force(v, k);
                    continue;
                }
                Next::Stop(outcome) => return outcome,
            };

            macro_rules! go {
                ($next:expr) => {{
                    next = $next;
                    continue 'outer;
                }};
            }
            macro_rules! slot {
                ($i:expr) => {
                    *fp.add(word(pc, $i))
                };
            }
            // Returns a value in weak head normal form to the frame that ends at `$k`.
            macro_rules! ret {
                ($v:expr, $k:expr) => {{
                    let v: Value = $v;
                    let mut k: *mut Value = $k;
                    loop {
                        let last = (*k.sub(1)).bits();
                        if last & 1 == 0 {
                            pc = last as *const u32;
                            fp = (*k.sub(2)).bits() as *mut Value;
                            *fp.add(*pc as usize) = v;
                            pc = pc.add(1);
                            break;
                        }
                        if last != UPDATE {
                            go!(Next::Return(v, k));
                        }
                        (*k.sub(2)).update(v);
                        k = k.sub(2);
                    }
                    continue;
                }};
            }
            // Evaluates a value and returns it to the frame that ends at `$k`.
            macro_rules! enter {
                ($v:expr, $k:expr) => {{
                    let v: Value = $v;
                    let k: *mut Value = $k;
                    if !v.is_thunk() {
                        ret!(v, k);
                    }
                    let kind = v.thunk_kind();
                    if ThunkKind::is_code(kind) {
                        fp = load_thunk(v, kind, k);
                        pc = kind as *const u32;
                        continue;
                    }
                    if kind == ThunkKind::DONE {
                        ret!(v.field(1), k);
                    }
                    go!(Next::Enter(v, k));
                }};
            }
            // Runs the callable at `fp`, its arguments complete.
            macro_rules! run_callee {
                ($f:expr) => {{
                    let code = $f.code_word();
                    if code & 1 == 0 && code != 0 {
                        pc = code as *const u32;
                        continue;
                    }
                    go!(Next::Call(fp));
                }};
            }
            macro_rules! run_function {
                ($n:expr) => {{
                    match self.function_at(fp, $n) {
                        Some(code) => {
                            pc = code;
                            continue;
                        }
                        None => go!(Next::Apply(fp, $n)),
                    }
                }};
            }
            // Begins an activation behind the caller's `h` words and the frame that returns to it.
            macro_rules! open_call {
                ($h:expr, $first:expr, $n:expr, $kills:expr) => {{
                    let base = fp.add($h);
                    let callee = base.add(2);
                    // The callee's words may lie over the caller's temporaries: all are read before
                    // the first is written, or the last is moved first.
                    // Four are a law of three arguments: in the loop such calls take 10 % longer.
                    match $n {
                        2 => {
                            let words = [src(pc, $first, fp), src(pc, $first + 1, fp)];
                            *callee.cast::<[Value; 2]>() = words;
                        }
                        3 => {
                            let (a, b) = (src(pc, $first, fp), src(pc, $first + 1, fp));
                            *callee.cast::<[Value; 3]>() = [a, b, src(pc, $first + 2, fp)];
                        }
                        4 => {
                            let (a, b) = (src(pc, $first, fp), src(pc, $first + 1, fp));
                            let (c, d) = (src(pc, $first + 2, fp), src(pc, $first + 3, fp));
                            *callee.cast::<[Value; 4]>() = [a, b, c, d];
                        }
                        n => {
                            for i in (0..n).rev() {
                                *callee.add(i) = src(pc, $first + i, fp);
                            }
                        }
                    }
                    for i in 0..$kills {
                        *fp.add(word(pc, $first + $n + i)) = Value::ZERO;
                    }
                    *base = Value::from_bits(fp as u64);
                    *base.add(1) = Value::from_bits(pc.add($first + $n + $kills) as u64);
                    fp = callee;
                }};
            }
            // Puts `n` words over the current activation, from slot `$to` on. Few are read into
            // registers; many go through the words above the activation, the last first, because
            // they may lie over each other.
            macro_rules! replace {
                ($h:expr, $first:expr, $n:expr, $to:expr) => {{
                    let to = fp.add($to);
                    match $n {
                        2 => {
                            let words = [src(pc, $first, fp), src(pc, $first + 1, fp)];
                            *to.cast::<[Value; 2]>() = words;
                        }
                        3 => {
                            let (a, b) = (src(pc, $first, fp), src(pc, $first + 1, fp));
                            *to.cast::<[Value; 3]>() = [a, b, src(pc, $first + 2, fp)];
                        }
                        n => {
                            let scratch = fp.add($h);
                            for i in (0..n).rev() {
                                *scratch.add(i) = src(pc, $first + i, fp);
                            }
                            for i in 0..n {
                                *to.add(i) = *scratch.add(i);
                            }
                        }
                    }
                }};
            }
            macro_rules! reserve {
                ($h:expr, $words:expr) => {{
                    let words: usize = $words;
                    if !self.heap.has(words) {
                        self.sp = fp.add($h);
                        if let Err(fault) = self.reserve(words) {
                            go!(self.raise(fault, None, fp));
                        }
                    }
                }};
            }
            // A simple operation of two operands on its slow path.
            macro_rules! slow {
                ($op:expr, $h:expr, $dst:expr, $($operand:expr),*) => {{
                    let at = fp.add($h);
                    let mut n = 0;
                    $(*at.add(n) = $operand; n += 1;)*
                    match self.simple($op, at, n) {
                        Ok(v) => *fp.add($dst) = v,
                        Err(fault) => go!(self.raise(fault, Some($op), fp)),
                    }
                }};
            }
            macro_rules! compare {
                ($test:expr) => {{
                    let holds: fn(Ordering) -> bool = $test;
                    slot!(3) = Value::bit(holds(order(src(pc, 1, fp), src(pc, 2, fp))));
                    pc = pc.add(4);
                }};
            }
            macro_rules! unless {
                ($test:expr) => {{
                    let holds: fn(Ordering) -> bool = $test;
                    let holds = holds(order(src(pc, 1, fp), src(pc, 2, fp)));
                    pc = if holds { pc.add(4) } else { jump(pc, 3) };
                }};
            }

            loop {
                // SAFETY: see the file.
                unsafe {
                    match Opcode::at(pc) {
                        Opcode::Enter => {
                            let (first, count) = (word(pc, 1), word(pc, 2));
                            if self.is_full(fp.add(word(pc, 3))) {
                                go!(self.raise(Fault::STACK, None, fp));
                            }
                            for i in 0..count {
                                *fp.add(first + i) = Value::ZERO;
                            }
                            pc = pc.add(4);
                        }
                        Opcode::Ret => ret!(src(pc, 1, fp), fp),
                        Opcode::RetEval => enter!(src(pc, 1, fp), fp),
                        Opcode::Move => {
                            slot!(1) = src(pc, 2, fp);
                            pc = pc.add(3);
                        }
                        Opcode::Kill => {
                            slot!(1) = Value::ZERO;
                            pc = pc.add(2);
                        }
                        Opcode::Eval => {
                            let v = slot!(2);
                            if !v.is_thunk() {
                                pc = pc.add(3);
                                continue;
                            }
                            // The frame of the thunk holds it from here on; the slot would keep
                            // alive what its evaluation lets go of.
                            slot!(2) = Value::ZERO;
                            let base = fp.add(word(pc, 1));
                            *base = Value::from_bits(fp as u64);
                            *base.add(1) = Value::from_bits(pc.add(2) as u64);
                            enter!(v, base.add(2));
                        }
                        Opcode::Jump => pc = jump(pc, 1),
                        Opcode::JumpZero => {
                            let zero = is_zero(src(pc, 1, fp));
                            pc = if zero { jump(pc, 2) } else { pc.add(3) };
                        }
                        Opcode::JumpNonzero => {
                            let zero = is_zero(src(pc, 1, fp));
                            pc = if zero { pc.add(3) } else { jump(pc, 2) };
                        }
                        Opcode::UnlessLt => unless!(Ordering::is_lt),
                        Opcode::UnlessLe => unless!(Ordering::is_le),
                        Opcode::UnlessEq => unless!(Ordering::is_eq),
                        Opcode::UnlessNe => unless!(Ordering::is_ne),
                        Opcode::Select => {
                            let v = src(pc, 1, fp);
                            let i = if v.is_direct() {
                                v.bits()
                            } else {
                                v.cast().saturated()
                            };
                            pc = jump(pc, 3 + (i as usize).min(word(pc, 2)));
                        }
                        Opcode::Element => {
                            pc = match element(src(pc, 2, fp), src(pc, 3, fp)) {
                                Some(v) => {
                                    slot!(1) = v.resolve();
                                    pc.add(5)
                                }
                                None => jump(pc, 4),
                            };
                        }
                        Opcode::Add => {
                            let (a, b) = (src(pc, 2, fp), src(pc, 3, fp));
                            let sum = a.bits().wrapping_add(b.bits());
                            if (a.bits() | b.bits() | sum) <= MAX_DIRECT {
                                slot!(4) = Value::direct(sum);
                            } else {
                                slow!(number::ADD, word(pc, 1), word(pc, 4), a, b);
                            }
                            pc = pc.add(5);
                        }
                        Opcode::Sub => {
                            let (a, b) = (src(pc, 2, fp), src(pc, 3, fp));
                            if a.is_direct() && b.is_direct() {
                                slot!(4) = Value::direct(a.bits().saturating_sub(b.bits()));
                            } else {
                                slow!(number::SUB, word(pc, 1), word(pc, 4), a, b);
                            }
                            pc = pc.add(5);
                        }
                        Opcode::Inc => {
                            let a = src(pc, 2, fp);
                            if a.bits() < MAX_DIRECT {
                                slot!(3) = Value::direct(a.bits() + 1);
                            } else {
                                slow!(number::INC, word(pc, 1), word(pc, 3), a);
                            }
                            pc = pc.add(4);
                        }
                        Opcode::Dec => {
                            let a = src(pc, 2, fp);
                            if a.is_direct() {
                                slot!(3) = Value::direct(a.bits().saturating_sub(1));
                            } else {
                                slow!(number::DEC, word(pc, 1), word(pc, 3), a);
                            }
                            pc = pc.add(4);
                        }
                        Opcode::Lt => compare!(Ordering::is_lt),
                        Opcode::Le => compare!(Ordering::is_le),
                        Opcode::Eq => compare!(Ordering::is_eq),
                        Opcode::Ne => compare!(Ordering::is_ne),
                        Opcode::TryAdd => {
                            let a = src(pc, 1, fp).resolve().bits();
                            let b = src(pc, 2, fp).resolve().bits();
                            let sum = a.wrapping_add(b);
                            pc = if (a | b | sum) <= MAX_DIRECT {
                                slot!(3) = Value::direct(sum);
                                jump(pc, 4)
                            } else {
                                pc.add(5)
                            };
                        }
                        Opcode::TrySub => {
                            let a = src(pc, 1, fp).resolve().bits();
                            let b = src(pc, 2, fp).resolve().bits();
                            pc = if (a | b) <= MAX_DIRECT {
                                slot!(3) = Value::direct(a.saturating_sub(b));
                                jump(pc, 4)
                            } else {
                                pc.add(5)
                            };
                        }
                        Opcode::TryInc => {
                            let a = src(pc, 1, fp).resolve().bits();
                            pc = if a < MAX_DIRECT {
                                slot!(2) = Value::direct(a + 1);
                                jump(pc, 3)
                            } else {
                                pc.add(4)
                            };
                        }
                        Opcode::TryDec => {
                            let a = src(pc, 1, fp).resolve();
                            pc = if a.is_direct() {
                                slot!(2) = Value::direct(a.bits().saturating_sub(1));
                                jump(pc, 3)
                            } else {
                                pc.add(4)
                            };
                        }
                        Opcode::TryOp => {
                            let n = word(pc, 2);
                            pc = match self.try_op(pc, fp, word(pc, 1), n) {
                                Some(v) => {
                                    slot!(3 + n) = v;
                                    jump(pc, 4 + n)
                                }
                                None => pc.add(5 + n),
                            };
                        }
                        Opcode::TryElement => {
                            let i = src(pc, 2, fp).resolve();
                            let row = src(pc, 3, fp).resolve();
                            pc = if i.is_thunk() || row.is_thunk() {
                                pc.add(5)
                            } else {
                                slot!(1) = element(i, row).unwrap_or(Value::ZERO).resolve();
                                jump(pc, 4)
                            };
                        }
                        Opcode::Op => {
                            let n = word(pc, 3);
                            let at = fp.add(word(pc, 1));
                            for i in 0..n {
                                *at.add(i) = src(pc, 4 + i, fp);
                            }
                            match self.simple(word(pc, 2), at, n) {
                                Ok(v) => slot!(4 + n) = v,
                                Err(fault) => go!(self.raise(fault, Some(word(pc, 2)), fp)),
                            }
                            pc = pc.add(5 + n);
                        }
                        Opcode::CallOp => {
                            let op = word(pc, 2);
                            let (n, kills) = (word(pc, 3), word(pc, 4));
                            let base = fp.add(word(pc, 1));
                            for i in (0..n).rev() {
                                *base.add(3 + i) = src(pc, 5 + i, fp);
                            }
                            *base.add(2) = Value::ZERO;
                            for i in 0..kills {
                                *fp.add(word(pc, 5 + n + i)) = Value::ZERO;
                            }
                            *base = Value::from_bits(fp as u64);
                            *base.add(1) = Value::from_bits(pc.add(5 + n + kills) as u64);
                            go!(Next::Op(op, base.add(2), 0));
                        }
                        Opcode::TailOp => {
                            let (op, n) = (word(pc, 2), word(pc, 3));
                            replace!(word(pc, 1), 4, n, 1);
                            *fp = Value::ZERO;
                            go!(Next::Op(op, fp, 0));
                        }
                        Opcode::Call => {
                            let f = src(pc, 4, fp);
                            open_call!(word(pc, 1), 4, word(pc, 2) + 1, word(pc, 3));
                            run_callee!(f);
                        }
                        Opcode::TailCall => {
                            let f = src(pc, 3, fp);
                            replace!(word(pc, 1), 3, word(pc, 2) + 1, 0);
                            run_callee!(f);
                        }
                        Opcode::TailSelf => {
                            let scratch = fp.add(word(pc, 1));
                            let m = word(pc, 2);
                            if m == 1 {
                                *fp.add(word(pc, 4)) = src(pc, 5, fp);
                                pc = jump(pc, 3);
                                continue;
                            }
                            if m == 2 {
                                let (a, b) = (src(pc, 5, fp), src(pc, 7, fp));
                                *fp.add(word(pc, 4)) = a;
                                *fp.add(word(pc, 6)) = b;
                                pc = jump(pc, 3);
                                continue;
                            }
                            for i in 0..m {
                                *scratch.add(i) = src(pc, 5 + 2 * i, fp);
                            }
                            for i in 0..m {
                                *fp.add(word(pc, 4 + 2 * i)) = *scratch.add(i);
                            }
                            pc = jump(pc, 3);
                        }
                        Opcode::App => {
                            let n = word(pc, 2);
                            open_call!(word(pc, 1), 4, n + 1, word(pc, 3));
                            run_function!(n);
                        }
                        Opcode::TailApp => {
                            let n = word(pc, 2);
                            replace!(word(pc, 1), 3, n + 1, 0);
                            run_function!(n);
                        }
                        Opcode::Thunk => {
                            let n = word(pc, 4);
                            reserve!(word(pc, 2), n + 3);
                            let payload = self.heap.bump_object(Kind::Thunk, n + 2);
                            *payload = jump(pc, 3) as u64;
                            *payload.add(1) = (*fp).bits();
                            for i in 0..n {
                                *payload.add(2 + i) = src(pc, 5 + i, fp).bits();
                            }
                            slot!(1) = Value::reference(TAG_THUNK, payload);
                            pc = pc.add(5 + n);
                        }
                        Opcode::AppThunk => {
                            let n = word(pc, 3);
                            reserve!(word(pc, 2), n + 3);
                            let payload = self.heap.bump_object(Kind::Thunk, n + 2);
                            *payload = ThunkKind::APP;
                            *payload.add(1) = src(pc, 4, fp).bits();
                            *payload.add(2) = src(pc, 5, fp).bits();
                            for i in 2..=n {
                                *payload.add(1 + i) = src(pc, 4 + i, fp).bits();
                            }
                            slot!(1) = Value::reference(TAG_THUNK, payload);
                            pc = pc.add(5 + n);
                        }
                        Opcode::Closure => {
                            let n = word(pc, 3);
                            reserve!(word(pc, 2), n + 2);
                            let payload = self.heap.bump_object(Kind::Closure, n + 1);
                            let head = src(pc, 4, fp);
                            for i in 0..=n {
                                *payload.add(i) = src(pc, 4 + i, fp).bits();
                            }
                            slot!(1) = Value::reference(closure_tag(head, n), payload);
                            pc = pc.add(5 + n);
                        }
                        Opcode::Patch => {
                            slot!(1).set_field(word(pc, 2), src(pc, 3, fp));
                            pc = pc.add(4);
                        }
                        Opcode::SelfThunk => {
                            reserve!(word(pc, 2), 3);
                            slot!(1) = self.bump_thunk(ThunkKind::LOST, 1);
                            pc = pc.add(3);
                        }
                        Opcode::Expand => go!(self.expand_law(fp, word(pc, 1))),
                        Opcode::ExpandThunk => {
                            let n = word(pc, 4);
                            reserve!(word(pc, 2), n + 6);
                            let row = self.heap.bump_closure(Value::ZERO, n);
                            for i in 0..n {
                                row.set_field(1 + i, src(pc, 5 + i, fp));
                            }
                            let thunk = self.bump_thunk(ThunkKind::EXPAND, 2);
                            thunk.set_field(1, src(pc, 3, fp));
                            thunk.set_field(2, row);
                            slot!(1) = thunk;
                            pc = pc.add(5 + n);
                        }
                    }
                }
            }
        }
    }
}

/// Pushes the frame that updates a thunk of compiled code, and its activation; returns its `fp`.
#[inline(always)]
pub(super) unsafe fn load_thunk(v: Value, kind: u64, k: *mut Value) -> *mut Value {
    let n = v.header().words() - 1;
    // SAFETY: the activation fits: its code checks the stack before it goes further, and the slack
    // takes the captured slots.
    unsafe {
        v.set_raw(0, kind | ThunkKind::HOLE);
        *k = v;
        *k.add(1) = Value::from_bits(UPDATE);
        let fp = k.add(2);
        for i in 0..n {
            *fp.add(i) = v.field(1 + i);
        }
        fp
    }
}
