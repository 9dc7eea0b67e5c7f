//! Reserving memory and building objects: the only way operations make new values.
//!
//! Invariants:
//! - Reserve, then read, then build: `reserve` may move every object; nothing after it does until
//!   the next one.
//! - A natural that leaves here is canonical: direct if below 2^63, else with a nonzero top limb;
//!   and a long one is outside the moving heap if there is memory.
//!
//! Safety: memory written was taken from the nursery or the arena just before, inside a reserve.
#![allow(unsafe_code)]

use super::Machine;
use super::op::{Args, Call, Fault};
use crate::heap::fixed::FIXED_WORDS;
use crate::nat;
use crate::value::{Header, Kind, LAW_WORDS, MAX_DIRECT, ThunkKind, Value};
use crate::value::{TAG_FIXED, TAG_LAW, TAG_NAT, TAG_THUNK};

/// Largest natural and largest closure, in words: 2^36 bits, so that every size computed from
/// two such sizes still fits a word.
pub const MAX_WORDS: usize = 1 << 30;

/// Words of the moving heap that can be had beside a long natural: for one that turns out short,
/// and for a closure of one argument.
const BESIDE: usize = FIXED_WORDS + 1 + 3;

/// What debug builds put into limbs that are to be written completely.
const UNWRITTEN: u64 = 0xBAD0_0BAD_0BAD_B00B;

impl Args {
    /// Operand `i`, from 0.
    #[inline(always)]
    pub fn get(self, i: usize) -> Value {
        // SAFETY: an operation reads only the operands its arity gives it.
        unsafe { *self.0.add(i) }
    }

    /// The operands from `i` on.
    pub fn skip(self, i: usize) -> Args {
        // SAFETY: callers skip operands that are there.
        Args(unsafe { self.0.add(i) })
    }

    /// The value that was called: the word before operand 0. Only for operations that say so in
    /// their row; elsewhere operands need not lie in an activation.
    pub fn callee(self) -> Value {
        // SAFETY: the word before operand 0 belongs to the activation.
        unsafe { *self.0.sub(1) }
    }

    /// Replaces operand `i`: operands are the state of a control body.
    #[inline(always)]
    pub fn set(self, i: usize, v: Value) {
        // SAFETY: as in `get`, or a word pushed behind the operands.
        unsafe { *self.0.add(i) = v }
    }
}

impl Call {
    /// Operand `i`, from 0.
    #[inline(always)]
    pub fn get(self, i: usize) -> Value {
        self.args.get(i)
    }

    /// Replaces operand `i`.
    #[inline(always)]
    pub fn set(self, i: usize, v: Value) {
        self.args.set(i, v)
    }

    /// Replaces the value that was called, to be applied.
    #[inline(always)]
    pub fn set_callee(self, v: Value) {
        // SAFETY: as in `callee`.
        unsafe { *self.args.0.sub(1) = v }
    }
}

impl Machine {
    /// Makes `words` words available, headers included. May collect and move everything.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory for them.
    #[inline(always)]
    pub fn reserve(&mut self, words: usize) -> Result<(), Fault> {
        if self.heap.has(words) {
            Ok(())
        } else {
            self.reserve_slow(words)
        }
    }

    #[cold]
    #[inline(never)]
    fn reserve_slow(&mut self, words: usize) -> Result<(), Fault> {
        if words > 2 * MAX_WORDS {
            return Err(Fault::SIZE);
        }
        self.collect_for(words)
    }

    /// Makes the words behind the operands of a control body part of the stack, `extra` of them.
    ///
    /// # Errors
    /// The VM error `limit` when the stack is full.
    #[inline]
    pub fn extend(&mut self, call: Call, operands: usize, extra: usize) -> Result<(), Fault> {
        // SAFETY: the address is only compared until it is known to lie in the stack.
        let top = unsafe { call.args.0.add(operands + extra) };
        if self.is_full(top) {
            return Err(Fault::STACK);
        }
        self.sp = top;
        Ok(())
    }

    /// Ends the stack behind the first `words` words of the activation of a control body.
    pub fn shrink(&mut self, call: Call, words: usize) {
        // SAFETY: the words belong to the activation.
        self.sp = unsafe { call.args.0.add(words) };
    }

    /// Whether a closure may be changed in place: pins and what they hold may not.
    pub fn is_movable(&self, v: Value) -> bool {
        self.heap.contains(v.address() as u64)
    }

    /// Reserves `words` limbs, lets `fill` write them (they are zero), and makes the natural.
    ///
    /// # Errors
    /// The VM error `limit` when `words` exceeds the size limit or there is no memory.
    #[inline]
    pub fn build_nat(
        &mut self,
        words: usize,
        fill: impl FnOnce(&mut [u64]),
    ) -> Result<Value, Fault> {
        self.build_nat_full(words, |limbs| {
            limbs.fill(0);
            fill(limbs);
        })
    }

    /// As [`build_nat`](Self::build_nat), for a `fill` that writes every limb, as the functions of
    /// [`nat`] with an output slice do. The limbs hold arbitrary words before: clearing them first
    /// took a tenth of the time of long products by one limb. Debug builds put words there that no
    /// test takes for a result.
    ///
    /// # Errors
    /// The VM error `limit` when `words` exceeds the size limit or there is no memory.
    #[inline]
    pub fn build_nat_full(
        &mut self,
        words: usize,
        fill: impl FnOnce(&mut [u64]),
    ) -> Result<Value, Fault> {
        let at = if words < FIXED_WORDS && self.heap.has(words + 1) {
            self.heap.bump(words + 1)
        } else {
            self.room_for_nat(words)?
        };
        // SAFETY: the words were just taken, and nothing else refers to them. They are
        // initialised: the kernel maps pages full of zeros, and every word written since was a
        // whole word.
        let limbs = unsafe { core::slice::from_raw_parts_mut(at.add(1), words) };
        if cfg!(debug_assertions) {
            limbs.fill(UNWRITTEN);
        }
        fill(limbs);
        let used = nat::len(limbs);
        if words >= FIXED_WORDS {
            return Ok(self.finish_long(at, words, used));
        }
        Ok(self.finish_nat(at, used))
    }

    /// The natural in the `used` limbs behind `at`, the last words taken from the moving heap but
    /// for those behind these.
    #[inline(always)]
    fn finish_nat(&mut self, at: *mut u64, used: usize) -> Value {
        // SAFETY: the words were just taken and written, and nothing else refers to them.
        let limbs = unsafe { core::slice::from_raw_parts(at.add(1), used) };
        if used == 0 || used == 1 && limbs[0] <= MAX_DIRECT {
            self.heap.retract(at);
            return Value::direct(if used == 0 { 0 } else { limbs[0] });
        }
        let bits = nat::bit_len(limbs);
        // SAFETY: as above; the unused limbs are given back.
        unsafe {
            *at = Header::nat(bits).bits();
            self.heap.retract(at.add(1 + used));
            Value::reference(TAG_NAT, at.add(1))
        }
    }

    /// Collects if so much was made outside the moving heap that it is time to. Then `need` words
    /// can be had in it.
    pub(super) fn collect_fixed_if_due(&mut self, words: usize, need: usize) -> Result<(), Fault> {
        if self.options.stress || self.heap.fixed().is_due(words) {
            return self.collect_for(need);
        }
        self.reserve(need)
    }

    /// Room for a header and so many limbs. Those of a long natural are in a block that does not
    /// move or, where there is no memory for one, in the moving heap; in both cases [`BESIDE`]
    /// words more can be had there.
    #[inline(never)]
    fn room_for_nat(&mut self, words: usize) -> Result<*mut u64, Fault> {
        if words > MAX_WORDS {
            return Err(Fault::SIZE);
        }
        if words < FIXED_WORDS {
            self.reserve(words + 1)?;
            return Ok(self.heap.bump(words + 1));
        }
        self.know_budget();
        self.collect_fixed_if_due(words, BESIDE)?;
        let mut block = self.heap.allocate_fixed(words, &mut self.arena);
        if block.is_err() && self.heap.fixed().since() > 0 {
            self.collect_for(BESIDE)?;
            self.give_back();
            block = self.heap.allocate_fixed(words, &mut self.arena);
        }
        match block {
            // SAFETY: there is a header before the limbs.
            Ok(limbs) => Ok(unsafe { limbs.as_ptr().sub(1) }),
            Err(_) => {
                self.reserve(words + BESIDE)?;
                Ok(self.heap.bump(words + 1))
            }
        }
    }

    /// The natural whose `used` limbs are behind `at`, where there was room for `words`. One that
    /// turned out short goes to the moving heap.
    #[inline(never)]
    fn finish_long(&mut self, at: *mut u64, words: usize, used: usize) -> Value {
        if self.heap.contains(at as u64) {
            return self.finish_nat(at, used);
        }
        if used >= FIXED_WORDS {
            let limbs = self.heap.fixed().truncate(words, used, &mut self.arena);
            // SAFETY: the block has a header and so many limbs.
            unsafe {
                let bits = nat::bit_len(core::slice::from_raw_parts(limbs, used));
                *limbs.sub(1) = Header::nat(bits).bits();
            }
            return Value::reference(TAG_FIXED, limbs);
        }
        let to = self.heap.bump(used + 1);
        // SAFETY: both have so many words; the block is not given up yet.
        unsafe { to.add(1).copy_from_nonoverlapping(at.add(1), used) };
        self.heap.fixed().truncate(words, 0, &mut self.arena);
        self.finish_nat(to, used)
    }

    /// Reserves words for a natural of so many limbs and, beside it, a closure of one argument.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn reserve_nat_and_row(&mut self, words: usize) -> Result<(), Fault> {
        self.reserve(words.min(FIXED_WORDS) + BESIDE - FIXED_WORDS)
    }

    /// The natural `n`.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    #[inline]
    pub fn nat_u64(&mut self, n: u64) -> Result<Value, Fault> {
        if n <= MAX_DIRECT {
            Ok(Value::direct(n))
        } else {
            self.build_nat_full(1, |out| out[0] = n)
        }
    }

    /// The natural `n`.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    #[inline]
    pub fn nat_u128(&mut self, n: u128) -> Result<Value, Fault> {
        if n <= u128::from(MAX_DIRECT) {
            return Ok(Value::direct(n as u64));
        }
        self.build_nat_full(2, |out| {
            out[0] = n as u64;
            out[1] = (n >> 64) as u64;
        })
    }

    /// A closure of `args` arguments, all 0. Reserve `args + 2` words first.
    #[inline]
    pub fn bump_closure(&mut self, head: Value, args: usize) -> Value {
        self.heap.bump_closure(head, args)
    }

    /// A row `0[x1 … xn]` of fields that are read after the reserve.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn build_row<const N: usize>(
        &mut self,
        fields: impl FnOnce() -> [Value; N],
    ) -> Result<Value, Fault> {
        self.reserve(N + 2)?;
        let row = self.heap.bump_closure(Value::ZERO, N);
        for (i, field) in fields().into_iter().enumerate() {
            row.set_field(1 + i, field);
        }
        Ok(row)
    }

    /// A thunk of `kind` with `words` payload words after the kind, all 0; at least one. Reserve
    /// `words + 2` first.
    #[inline]
    pub(super) fn bump_thunk(&mut self, kind: u64, words: usize) -> Value {
        let payload = self.heap.bump_object(Kind::Thunk, words + 1);
        // SAFETY: the payload has words + 1 words.
        unsafe {
            *payload = kind;
            payload.add(1).write_bytes(0, words);
        }
        Value::reference(TAG_THUNK, payload)
    }

    /// A thunk for all but the last argument of a closure read after the reserve.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn head_thunk(&mut self, closure: impl FnOnce() -> Value) -> Result<Value, Fault> {
        self.reserve(3)?;
        let thunk = self.bump_thunk(ThunkKind::HEAD, 1);
        thunk.set_field(1, closure());
        Ok(thunk)
    }

    /// A law of these parts, which are read after the reserve: name, arity (nonzero), body in
    /// normal form.
    ///
    /// # Errors
    /// The VM error `limit` when there is no memory.
    pub fn build_law(&mut self, parts: impl FnOnce() -> [Value; 3]) -> Result<Value, Fault> {
        self.reserve(LAW_WORDS + 1)?;
        let payload = self.heap.bump_object(Kind::Law, LAW_WORDS);
        let law = Value::reference(TAG_LAW, payload);
        let [name, arity, body] = parts();
        law.set_field(0, name);
        law.set_field(1, arity);
        law.set_field(2, body);
        law.set_raw(3, 0);
        law.set_field(
            4,
            Value::direct(if arity.is_direct() {
                arity.bits()
            } else {
                MAX_DIRECT
            }),
        );
        law.set_field(5, Value::direct(lets_on_spine(body)));
        Ok(law)
    }

    /// Gives a value to a register that survives collections, for an operation's own use.
    pub fn set_scratch(&mut self, v: Value) {
        self.registers[super::SCRATCH] = v;
    }

    /// The value in the scratch register.
    pub fn scratch(&self) -> Value {
        self.registers[super::SCRATCH]
    }

    /// The engine's tables.
    pub fn engine(&self) -> &'static super::Engine {
        self.engine
    }
}

/// The number of lets on the spine of a body (chapter 01 §5.1).
pub fn lets_on_spine(mut body: Value) -> u64 {
    let mut lets = 0;
    while body.is_closure() && body.is_small_closure(1, 2) {
        lets += 1;
        body = body.arg(1);
    }
    lets
}

/// Number of limbs of a natural.
#[inline]
pub fn limbs_of(v: Value) -> usize {
    let mut space = [0];
    v.limbs(&mut space).len()
}
