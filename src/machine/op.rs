//! What an operation is to the engine: arity, which operands are evaluated in which order, a body.
//!
//! Invariants:
//! - A body sees evaluated operands only, in the order its row gives.
//! - A simple body returns a value in weak head normal form and evaluates nothing.
//! - A control body keeps what it needs between steps in its activation on the value stack.

use super::Machine;
use crate::value::Value;

/// One row of the table of operations, as far as the engine is concerned.
#[derive(Debug)]
pub struct Op {
    /// Name in messages and in the payload of a VM error.
    pub name: &'static str,
    /// Number of operands.
    pub arity: u8,
    /// The operands to evaluate, in order.
    pub order: &'static [Operand],
    /// What to do with them.
    pub body: Body,
    /// Whether the body looks at the pin that was called, not only at the operands.
    pub reads_callee: bool,
    /// Whether and when the operation may be computed before its result is demanded.
    pub eager: Eager,
}

/// An operand to evaluate, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// To weak head normal form.
    Whnf(u8),
    /// To normal form.
    Nf(u8),
}

/// Total, effect-free operations of bounded cost may be computed early (chapter 01 §5.6, O3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Eager {
    /// Only when its result is demanded.
    Never,
    /// When every operand is evaluated.
    Evaluated,
    /// When every operand is a direct natural.
    Direct,
}

/// The code of an operation.
#[derive(Clone, Copy)]
pub enum Body {
    /// Computes a value from evaluated operands.
    Simple(Simple),
    /// Says what to evaluate next.
    Control(Control),
}

impl core::fmt::Debug for Body {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Body::Simple(_) => "Simple",
            Body::Control(_) => "Control",
        })
    }
}

/// A body that computes a value.
pub type Simple = fn(&mut Machine, Args) -> Result<Value, Fault>;
/// A body that goes on in steps.
pub type Control = fn(&mut Machine, Call) -> Result<Step, Fault>;

/// The evaluated operands of an operation, on the value stack: reading one again after a
/// collection gives its new address.
#[derive(Clone, Copy)]
pub struct Args(pub(super) *mut Value);

/// One step of a control body.
#[derive(Clone, Copy)]
pub struct Call {
    /// The operands; the word before operand 0 is the value that was called.
    pub args: Args,
    /// 0 at the first step, then the number given with the last [`Step::EvalThen`].
    pub state: usize,
    /// The result of what was evaluated between the steps.
    pub result: Value,
}

/// What is to happen after a step of a control body.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The result, in weak head normal form.
    Value(Value),
    /// The result is this value, evaluated.
    Eval(Value),
    /// The activation holds a function and this many arguments: the result is their application.
    Apply(usize),
    /// The activation holds the operands of the operation with this index.
    Enter(usize),
    /// Evaluate this and call again with the state.
    EvalThen(Value, usize),
    /// Force this and call again with the state.
    ForceThen(Value, usize),
    /// The activation holds a function and an argument: apply them under a handler.
    Try,
    /// Evaluate operand 1 between two profile records.
    Profile,
}

/// Why a computation cannot go on: a VM error of chapter 02 §1.6, or a program's own throw.
///
/// One word, the kind in its low byte, so that results of operations travel in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault(u64);

/// The kinds of VM errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FaultKind {
    /// The argument of a call is no closure or has the wrong size; detail: the size found.
    BadCall,
    /// Unknown operation; detail: the tag. A tag that is no direct natural is in a register.
    BadOp,
    /// A saturated pin of something that cannot run.
    BadFun,
    /// A law of arity 0.
    Arity0,
    /// A size, the stack, memory or time is exhausted; detail 0, 1, 2 or 3.
    Limit,
    /// An argument outside the domain of an effect; detail: the value.
    Range,
    /// The system refused; detail: the error number.
    Io,
    /// Not a VM error: code and payload are in registers.
    Thrown,
    /// Not an exception: a value depends on itself.
    Loop,
}

impl FaultKind {
    /// Every kind, in order.
    const ALL: [FaultKind; 9] = [
        FaultKind::BadCall,
        FaultKind::BadOp,
        FaultKind::BadFun,
        FaultKind::Arity0,
        FaultKind::Limit,
        FaultKind::Range,
        FaultKind::Io,
        FaultKind::Thrown,
        FaultKind::Loop,
    ];

    /// The name programs see.
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::BadCall => "badcall",
            FaultKind::BadOp => "badop",
            FaultKind::BadFun => "badfun",
            FaultKind::Arity0 => "arity0",
            FaultKind::Limit => "limit",
            FaultKind::Range => "range",
            FaultKind::Io => "io",
            FaultKind::Thrown => "thrown",
            FaultKind::Loop => "loop",
        }
    }
}

impl Fault {
    /// A result larger than any this machine can hold.
    pub const SIZE: Fault = Fault::new(FaultKind::Limit, 0);
    /// The value stack is full.
    pub const STACK: Fault = Fault::new(FaultKind::Limit, 1);
    /// Memory is exhausted.
    pub const MEMORY: Fault = Fault::new(FaultKind::Limit, 2);
    /// The time is over, or the user has interrupted the evaluation.
    pub const TIME: Fault = Fault::new(FaultKind::Limit, 3);
    /// A value depends on itself.
    pub const LOOP: Fault = Fault::new(FaultKind::Loop, 0);

    /// A VM error. Details from 2^56 on are given as 2^56 − 1.
    pub const fn new(kind: FaultKind, detail: u64) -> Fault {
        let detail = if detail < 1 << 56 {
            detail
        } else {
            (1 << 56) - 1
        };
        Fault(detail << 8 | kind as u64)
    }

    /// Which error.
    pub const fn kind(self) -> FaultKind {
        FaultKind::ALL[(self.0 & 0xFF) as usize]
    }

    /// Its detail, below 2^56.
    pub const fn detail(self) -> u64 {
        self.0 >> 8
    }
}

/// Numbers of the operations that the lowering of law bodies knows.
#[allow(missing_docs)] // the names are those of chapter 02 §2
pub mod number {
    pub const INC: usize = 2;
    pub const SEQ: usize = 5;
    pub const TO_BIT: usize = 17;
    pub const NIL: usize = 18;
    pub const IF: usize = 26;
    pub const IFZ: usize = 27;
    pub const DEC: usize = 29;
    pub const AND: usize = 31;
    pub const OR: usize = 32;
    pub const ADD: usize = 35;
    pub const SUB: usize = 36;
    pub const EQ: usize = 40;
    pub const NE: usize = 41;
    pub const LE: usize = 42;
    pub const GE: usize = 43;
    pub const LT: usize = 44;
    pub const GT: usize = 45;
    pub const CASE: usize = 69;
    pub const CASE0: usize = 70;
    pub const CASE2: usize = 72;
    pub const CASE3: usize = 73;
    pub const CASE7: usize = 77;
    pub const IX: usize = 81;
    pub const IX0: usize = 82;
    pub const IX7: usize = 89;
}
