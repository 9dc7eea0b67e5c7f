//! The instructions of compiled law bodies.
//!
//! An instruction is a sequence of 32-bit words: the opcode, then its operands. `src` operands name
//! a slot of the activation when their sign bit is clear; otherwise they are the distance, in
//! 32-bit words, from the operand itself back to a constant of the block. Jumps are relative to the
//! word that holds the distance. `h` is the height of the activation: words from `fp` that are in
//! use; an instruction that can collect or call makes the stack end there first.
//!
//! Invariants:
//! - Slot 0 is the law or pin the code belongs to: it keeps the code alive.
//! - Every slot below `h` holds a value (0 if nothing was stored yet).
//! - Words that come back to an instruction after a call find the destination slot as the word
//!   the saved `pc` points to.
//!
//! Safety: only [`Opcode::at`] reads instructions; its caller owes that they are instructions.
#![allow(unsafe_code)]

/// Largest number of arguments, slots or captures an instruction can name; laws beyond are
/// expanded instead of compiled.
pub const MAX_OPERANDS: usize = 0xFFFF;

macro_rules! opcodes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// First word of an instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Opcode { $($(#[$doc])* $name,)* }

        impl Opcode {
            /// Every opcode, in order.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$name,)*];

            /// The opcode of the instruction at `pc`.
            ///
            /// # Safety
            /// `pc` must be the first word of an instruction of compiled code.
            #[inline(always)]
            pub unsafe fn at(pc: *const u32) -> Opcode {
                // SAFETY: the first word of an instruction is written from an `Opcode`.
                unsafe { core::mem::transmute::<u8, Opcode>(*pc as u8) }
            }
        }
    };
}

opcodes! {
    /// `first count frame`: check the stack for `frame` words, zero the let slots.
    Enter,
    /// `src`: return a value in weak head normal form.
    Ret,
    /// `src`: evaluate and return.
    RetEval,
    /// `dst src`.
    Move,
    /// `slot`: the slot is dead; let go of what it holds.
    Kill,
    /// `h slot`: evaluate a slot in place.
    Eval,
    /// `distance`.
    Jump,
    /// `src distance`: jump if the value is the natural 0.
    JumpZero,
    /// `src distance`: jump if the value is anything else.
    JumpNonzero,
    /// `a b distance`: jump unless a < b, as naturals.
    UnlessLt,
    /// `a b distance`: jump unless a ≤ b.
    UnlessLe,
    /// `a b distance`: jump unless a = b.
    UnlessEq,
    /// `a b distance`: jump if a = b.
    UnlessNe,
    /// `src n distance0 … distancen`: jump by a natural, the last for everything from n on.
    Select,
    /// `dst i row distance`: the i-th argument of a closure, unevaluated; jump if there is none.
    Element,
    /// `h a b dst`.
    Add,
    /// `h a b dst`.
    Sub,
    /// `h a dst`.
    Inc,
    /// `h a dst`.
    Dec,
    /// `a b dst`: 1 if a < b as naturals, else 0.
    Lt,
    /// `a b dst`.
    Le,
    /// `a b dst`.
    Eq,
    /// `a b dst`.
    Ne,
    /// `a b dst distance`: if both are direct, the sum, and jump; else go on.
    TryAdd,
    /// `a b dst distance`.
    TrySub,
    /// `a dst distance`.
    TryInc,
    /// `a dst distance`.
    TryDec,
    /// `op n a… dst distance`: if the operands allow, the result of a total operation, and jump.
    TryOp,
    /// `dst i row distance`: if both are evaluated, the element or 0, and jump.
    TryElement,
    /// `h op n a… dst`: a simple operation on evaluated operands.
    Op,
    /// `h op n k a… kill… dst`: any operation; evaluates its operands as needed.
    CallOp,
    /// `h op n a…`: the same in tail position.
    TailOp,
    /// `h n k f a… kill… dst`: saturated call of a known law.
    Call,
    /// `h n f a…`: the same in tail position.
    TailCall,
    /// `m distance (dst src)…`: new arguments for the running law, then start again.
    TailSelf,
    /// `h n k f a… kill… dst`: application of anything.
    App,
    /// `h n f a…`: the same in tail position.
    TailApp,
    /// `dst h distance n capture…`: thunk of compiled code.
    Thunk,
    /// `dst h n f a…`: thunk of an application.
    AppThunk,
    /// `dst h n head a…`: closure known to be unsaturated.
    Closure,
    /// `object index src`: fill in what was not there when a cyclic group was built.
    Patch,
    /// `slot`: a thunk that depends on itself directly.
    SelfThunk,
    /// `arity`: expand the body of a law too large to compile.
    Expand,
    /// `dst h expression n slot…`: thunk that expands an expression too deep to compile.
    ExpandThunk,
}

/// Words from a constant operand back to constant `index` of a block of `constants` whose
/// instruction `at` (in words from the entry) holds the operand.
pub const fn constant_operand(index: usize, constants: usize, at: usize) -> u32 {
    let back = 2 * (constants - index) + crate::heap::code::HEADER_WORDS * 2 + at;
    (back as u32).wrapping_neg()
}
