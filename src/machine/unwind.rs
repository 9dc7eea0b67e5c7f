//! Exceptions: throws of programs and VM errors, unwinding, what interrupted thunks become.
//!
//! Invariants:
//! - Every thunk that was under evaluation between the throw and its handler rethrows the same
//!   exception afterwards; every closure that was being forced is an ordinary one again.
//! - `limit` for stack, memory or time is no result of the computation: a thunk it interrupts becomes
//!   what it was, unless a collection has dropped its operands meanwhile; then it rethrows.
//! - The end of a time limit, interruption and the escape ([`Machine::set_escape`]) pass every handler;
//!   in a worker so does every lack of stack or memory.
//! - Raising `limit` for memory allocates nothing: its exception is made at start.
//!
//! Safety: walks the frames of the value stack exactly as `frame` documents them.
#![allow(unsafe_code)]

use super::frame::Mark;
use super::op::{Fault, FaultKind};
use super::run::{Next, Outcome};
use super::trail::Walk;
use super::{CODE, EXHAUSTED, Machine, PAYLOAD, SCRATCH, THROWN};
use crate::nat;
use crate::value::{Kind, ThunkKind, Value, closure_tag};

/// The code of VM errors and of `<17>`.
const VM_ERROR: Value = Value::direct(17);

/// A name of at most eight bytes, or its first eight: all kinds and almost all operations.
fn name_limbs(name: &str) -> [u64; 2] {
    let mut bytes = [0; 16];
    let n = name.len().min(16);
    bytes[..n].copy_from_slice(&name.as_bytes()[..n]);
    let word = |i: usize| {
        let mut w = [0; 8];
        w.copy_from_slice(&bytes[8 * i..8 * i + 8]);
        u64::from_le_bytes(w)
    };
    [word(0), word(1)]
}

/// How an exception travels.
struct Way {
    /// The closure `code[payload]`.
    thrown: Value,
    /// Thunks become what they were instead of rethrowing.
    restore: bool,
    /// No handler catches it.
    past_handlers: bool,
}

impl Machine {
    /// Makes the exception for exhausted memory, while there is memory.
    pub(super) fn prepare_exhaustion(&mut self) -> Result<(), Fault> {
        self.build_error(Fault::MEMORY, None)?;
        self.build_thrown()?;
        self.registers[EXHAUSTED] = self.registers[THROWN];
        Ok(())
    }

    /// What an operation returns to throw `payload`, in normal form, with `code`.
    pub fn throw(&mut self, code: Value, payload: Value) -> Fault {
        self.registers[CODE] = code;
        self.registers[PAYLOAD] = payload;
        Fault::new(FaultKind::Thrown, 0)
    }

    /// Raises a fault: unwinds to the innermost handler. Frames end at `k`; everything above is dead.
    #[cold]
    #[inline(never)]
    pub(super) fn raise(&mut self, fault: Fault, op: Option<usize>, k: *mut Value) -> Next {
        if fault.kind() == FaultKind::Loop {
            return Next::Stop(Outcome::Loop);
        }
        let fault = self.signalled(fault);
        self.sp = k;
        let made = match fault.kind() {
            FaultKind::Thrown => self.build_thrown(),
            _ if fault == Fault::MEMORY => Err(fault),
            _ => self
                .build_error(fault, op)
                .and_then(|()| self.build_thrown()),
        };
        if made.is_err() {
            self.registers[THROWN] = self.registers[EXHAUSTED];
        }
        let thrown = self.registers[THROWN];
        self.registers[CODE] = thrown.head();
        self.registers[PAYLOAD] = thrown.arg(0);
        let restore = fault.kind() == FaultKind::Limit && fault.detail() != 0;
        // A worker has less stack and memory than its caller, which evaluates again what needs more.
        let gives_up = fault == Fault::TIME || restore && self.is_worker();
        let way = Way {
            thrown,
            restore,
            past_handlers: gives_up || self.escapes(),
        };
        let next = self.unwind(k, way);
        if fault == Fault::STACK {
            self.stack.release_above(self.sp);
        }
        next
    }

    /// The fault itself, unless the stack only seemed to be full or a call of the system was only
    /// ended because a signal asks for the end of the evaluation.
    fn signalled(&mut self, fault: Fault) -> Fault {
        if fault != Fault::STACK && fault != Fault::TIME {
            return fault;
        }
        let Some(reason) = self.stack.take_signal() else {
            return fault;
        };
        self.interruption = Some(reason);
        Fault::TIME
    }

    /// Whether the exception in the registers is the one that no handler catches.
    fn escapes(&self) -> bool {
        let code = self.registers[CODE];
        self.escape
            .is_some_and(|name| code.is_nat() && nat::bytes_to_limbs(name) == code.limbs(&mut [0]))
    }

    /// The payload `(0 kind op detail)` of a VM error, into its register.
    fn build_error(&mut self, fault: Fault, op: Option<usize>) -> Result<(), Fault> {
        let bad_fun = fault.kind() == FaultKind::BadFun;
        // Whichever operation happened to run then has nothing to do with it.
        let nowhere = [Fault::STACK, Fault::MEMORY, Fault::TIME];
        let name = match op {
            Some(op) if !(bad_fun || nowhere.contains(&fault)) => {
                name_limbs(self.engine.ops[op].name)
            }
            _ => [0; 2],
        };
        let name = self.build_nat(2, |out| out.copy_from_slice(&name))?;
        self.registers[PAYLOAD] = name;
        self.reserve(5)?;
        let row = self.heap.bump_closure(Value::ZERO, 3);
        row.set_header(row.header().with_kind(Kind::ClosureNf));
        row.set_field(1, Value::direct(name_limbs(fault.kind().name())[0]));
        row.set_field(2, self.registers[PAYLOAD]);
        let detail = match fault.kind() {
            FaultKind::BadOp => self.registers[SCRATCH],
            _ => Value::direct(fault.detail()),
        };
        row.set_field(3, detail);
        self.registers[PAYLOAD] = row;
        self.registers[CODE] = VM_ERROR;
        Ok(())
    }

    /// The closure `code[payload]` from their registers, into its own.
    fn build_thrown(&mut self) -> Result<(), Fault> {
        self.reserve(3)?;
        let code = self.registers[CODE];
        let payload = self.heap.bump_object(Kind::Closure, 2);
        let thrown = Value::reference(closure_tag(code, 1), payload);
        thrown.set_field(0, code);
        thrown.set_field(1, self.registers[PAYLOAD]);
        self.registers[THROWN] = thrown;
        Ok(())
    }

    /// Walks the frames below `k` to the innermost handler and returns the exception from there.
    fn unwind(&mut self, mut k: *mut Value, way: Way) -> Next {
        let mut walk = Walk::new();
        loop {
            // SAFETY: see the file.
            unsafe {
                let last = (*k.sub(1)).bits();
                let below = *k.sub(2);
                if last & 1 == 0 {
                    k = below.bits() as *mut Value;
                    walk.visit(*k);
                    continue;
                }
                let mark = Mark::from_word(last);
                match mark.kind() {
                    Mark::UPDATE => {
                        let kind = below.thunk_kind();
                        if way.restore && kind != ThunkKind::LOST {
                            below.set_raw(0, kind & !ThunkKind::HOLE);
                        } else {
                            below.set_raw(0, ThunkKind::RETHROW);
                            below.set_field(1, way.thrown);
                        }
                        k = k.sub(2);
                    }
                    Mark::OPERAND | Mark::RESUME | Mark::APPLY_HEAD => {
                        k = below.bits() as *mut Value;
                    }
                    Mark::APPLY_REST => k = k.sub(1 + mark.b()),
                    Mark::FORCE => {
                        below.set_header(below.header().with_kind(Kind::Closure));
                        k = k.sub(2);
                    }
                    Mark::FORCE_RESULT => k = k.sub(1),
                    Mark::PROFILE => k = k.sub(2),
                    Mark::TRY => {
                        debug_assert_eq!(k, self.handler);
                        self.handler = below.bits() as *mut Value;
                        k = k.sub(2);
                        if !way.past_handlers {
                            self.sp = k;
                            return Next::Return(way.thrown, k);
                        }
                    }
                    _ => {
                        self.sp = k;
                        walk.finish(&mut self.trail);
                        return Next::Stop(Outcome::Thrown);
                    }
                }
            }
        }
    }
}
