//! Object headers, payload layouts and thunk kinds (chapter 01 §2.2 to §2.9).
//!
//! Invariants:
//! - `header = bits << 8 | kind`; `bits` of a natural is its exact bit length, of anything else
//!   64 × payload words.
//! - Bit 63 of a live header is 0: a set bit marks a forwarding reference during a collection.
//! - In scanned objects every payload word is a value or has bit 63 clear.

use super::{TAG_CLOSURE, Value};

/// Bytes in a word.
pub const WORD: usize = 8;

/// Payload words of a law.
pub const LAW_WORDS: usize = 6;
/// Payload words of a pin before its list of pins.
pub const PIN_FIXED_WORDS: usize = 6;

/// Payload index of the code word, in laws and pins alike.
pub(super) const CODE: usize = 3;
/// Payload index of the arity of a call, in laws and pins alike.
pub(super) const CALL_ARITY: usize = 4;

/// What an object is: the low byte of its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Natural or raw bytes; never scanned.
    Nat = 0,
    /// Pin of anything but a pin.
    Pin = 1,
    /// Law: name, arity, body, code, arity of a call, number of lets.
    Law = 2,
    /// Closure known to be in normal form.
    ClosureNf = 3,
    /// Closure in weak head normal form.
    Closure = 4,
    /// Thunk.
    Thunk = 5,
    /// Pin of a pin.
    Megapin = 6,
    /// Block of a moving heap inside the arena.
    HeapBlock = 7,
    /// Hash table inside the arena.
    Table = 8,
    /// Slab of small objects inside the arena.
    Slab = 9,
    /// Closure whose arguments are being forced further down the stack. Meeting one again on the
    /// way down is a cycle.
    ClosureForcing = 10,
}

/// The word before an object's payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header(u64);

impl Header {
    /// Header of an object of `kind` with `words` payload words.
    #[inline(always)]
    pub const fn new(kind: Kind, words: usize) -> Header {
        Header((words as u64) << 14 | kind as u64)
    }

    /// Header of a natural of `bits` bits.
    #[inline(always)]
    pub const fn nat(bits: u64) -> Header {
        Header(bits << 8)
    }

    /// The header with this word.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Header {
        Header(bits)
    }

    /// The header as a word.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Payload words. `16128 = 63 · 256` rounds a bit length up to whole words.
    #[inline(always)]
    pub const fn words(self) -> usize {
        ((self.0 + 16128) >> 14) as usize
    }

    /// The number of the kind, the low byte.
    #[inline(always)]
    pub const fn kind_byte(self) -> u8 {
        self.0 as u8
    }

    /// Whether the object is of `kind`.
    #[inline(always)]
    pub const fn is(self, kind: Kind) -> bool {
        self.0 as u8 == kind as u8
    }

    /// The same header with another kind.
    #[inline(always)]
    pub const fn with_kind(self, kind: Kind) -> Header {
        Header(self.0 & !0xFF | kind as u64)
    }

    /// Whether this word is a forwarding reference rather than a header.
    #[inline(always)]
    pub const fn is_forwarded(self) -> bool {
        self.0 >> 63 == 1
    }
}

/// The tag of a closure with this head and number of arguments: head and size nibbles of
/// chapter 01 §2.1, with their escapes.
#[inline(always)]
pub const fn closure_tag(head: Value, args: usize) -> u64 {
    let h = if head.bits() < 15 { head.bits() } else { 15 };
    let z = if args < 16 { args as u64 } else { 0 };
    TAG_CLOSURE | h << 4 | z
}

/// Kind words of thunks. An odd word is one of these constants; an even one is the address of
/// compiled code, and the payload after it is the law or pin the code belongs to and the
/// captured slots. Setting [`ThunkKind::HOLE`] marks a thunk as under evaluation and keeps what
/// it was, so that it can be restored.
///
/// ```text
///   compiled ─┐
///   APP ──────┤ enter               return
///   EXPAND ───┼────────▶ … | HOLE ────────▶ DONE
///   HEAD ─────┘              │
///                            └─ exception ─▶ RETHROW, or what it was
/// ```
pub struct ThunkKind;

impl ThunkKind {
    /// Evaluated: word 1 is the result.
    pub const DONE: u64 = 1;
    /// Application: word 1 is the function, the rest its arguments.
    pub const APP: u64 = 5;
    /// All but the last argument of the closure in word 1.
    pub const HEAD: u64 = 7;
    /// Law-body expression in word 1 under the slots in the row in word 2.
    pub const EXPAND: u64 = 9;
    /// An exception passed here: word 1 is the closure `code[payload]`.
    pub const RETHROW: u64 = 11;
    /// The bit of a thunk under evaluation. Entering one means that a value depends on itself.
    pub const HOLE: u64 = 1 << 62;
    /// A thunk under evaluation whose operands a collection has dropped.
    pub const LOST: u64 = Self::HOLE | 1;

    /// Whether this kind word is the address of compiled code.
    #[inline(always)]
    pub const fn is_code(kind: u64) -> bool {
        kind & (1 | Self::HOLE) == 0
    }

    /// The kind word to show: every thunk under evaluation is a [`ThunkKind::HOLE`].
    pub const fn shown(kind: u64) -> u64 {
        if Self::is_hole(kind) {
            Self::HOLE
        } else {
            kind
        }
    }

    /// Whether this is the kind word of a thunk under evaluation.
    #[inline(always)]
    pub const fn is_hole(kind: u64) -> bool {
        kind & Self::HOLE != 0
    }
}

const _: () = {
    assert!(Header::new(Kind::Law, LAW_WORDS).bits() == 0x18002);
    assert!(Header::new(Kind::Closure, 2).bits() == 0x8004);
    assert!(Header::nat(64).bits() == 0x4000 && Header::nat(64).words() == 1);
    assert!(Header::nat(65).bits() == 0x4100 && Header::nat(65).words() == 2);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closure_tags_are_those_of_the_specification() {
        let tag = |head: u64, args| closure_tag(Value::direct(head), args);
        assert_eq!(tag(0, 2), 0xD002);
        assert_eq!(tag(1, 1), 0xD011);
        assert_eq!(tag(14, 1), 0xD0E1);
        assert_eq!(tag(15, 1), 0xD0F1);
        assert_eq!(tag(16, 1), 0xD0F1);
        assert_eq!(tag(5, 15), 0xD05F);
        assert_eq!(tag(5, 16), 0xD050);
    }

    #[test]
    fn words_round_bit_lengths_up() {
        for bits in 1..1000u64 {
            assert_eq!(Header::nat(bits).words() as u64, bits.div_ceil(64));
        }
    }
}
