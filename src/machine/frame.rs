//! Continuation frames on the value stack.
//!
//! The stack grows upward. A frame ends with one word that says what it is, so that a return looks
//! at the topmost word alone: an even word is the address of the instruction to go on with, an
//! odd one is a [`Mark`].
//!
//! ```text
//!   compiled code      … │ caller's fp │ pc
//!   UPDATE             … │ thunk       │ mark
//!   OPERAND, RESUME    … │ fp          │ mark (operation, step)
//!   APPLY_HEAD         … │ fp          │ mark (number of arguments)
//!   APPLY_REST         … │ x1 … xm     │ mark (m)
//!   FORCE              … │ closure     │ mark (index)
//!   FORCE_RESULT       … │ mark
//!   TRY                … │ outer handler │ mark
//!   PROFILE            … │ name        │ mark
//!   TOP                … │ mark
//! ```
//!
//! Invariants:
//! - Every word of a frame is a value or has bit 63 clear, so the collector needs no map of frames.
//! - A frame that saves `fp` lies inside the activation that begins at `fp`; the frame below that
//!   activation ends right before `fp`.

/// What an odd last word of a frame says: a kind and two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark(u64);

impl Mark {
    /// Write the result into a thunk.
    pub const UPDATE: u8 = 1;
    /// An operand of an operation has been evaluated.
    pub const OPERAND: u8 = 2;
    /// What an operation asked to be evaluated has been evaluated.
    pub const RESUME: u8 = 3;
    /// The function of an application has been evaluated.
    pub const APPLY_HEAD: u8 = 4;
    /// Apply the result to more arguments.
    pub const APPLY_REST: u8 = 5;
    /// An argument of a closure has been forced.
    pub const FORCE: u8 = 6;
    /// Force the result.
    pub const FORCE_RESULT: u8 = 7;
    /// A handler of exceptions.
    pub const TRY: u8 = 8;
    /// Record the end of a profiled evaluation.
    pub const PROFILE: u8 = 9;
    /// The embedder called from here.
    pub const TOP: u8 = 10;

    /// A mark of `kind` with a number below 2^16 and one below 2^38.
    #[inline(always)]
    pub const fn new(kind: u8, a: u16, b: usize) -> Mark {
        debug_assert!(b < 1 << 38);
        Mark((b as u64) << 24 | (a as u64) << 8 | (kind as u64) << 1 | 1)
    }

    /// The mark in the last word of a frame, which must be odd.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Mark {
        debug_assert!(word & 1 == 1);
        Mark(word)
    }

    /// The word to end the frame with.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// What kind of frame this ends.
    #[inline(always)]
    pub const fn kind(self) -> u8 {
        (self.0 as u8) >> 1
    }

    /// The small number.
    #[inline(always)]
    pub const fn a(self) -> usize {
        (self.0 >> 8 & 0xFFFF) as usize
    }

    /// The large number.
    #[inline(always)]
    pub const fn b(self) -> usize {
        (self.0 >> 24) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keep_their_numbers() {
        let mark = Mark::new(Mark::APPLY_REST, 65535, (1 << 38) - 1);
        assert_eq!(
            (mark.kind(), mark.a(), mark.b()),
            (Mark::APPLY_REST, 65535, (1 << 38) - 1)
        );
        assert_eq!(mark.word() >> 63, 0);
        assert_eq!(Mark::from_word(mark.word()), mark);
    }
}
