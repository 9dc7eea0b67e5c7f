//! The table of operations: one row each.
//!
//! Rows 0 to 109 are the numbered operations of chapter 02 §2; behind them come the operations that
//! have only a name, then the pinned naturals 4 to 20, the second halves of those that take a row,
//! and what saturated pins of other things run.
//!
//! Invariants:
//! - A row's index is its number in chapter 02 §2 where it has one.
//! - The order lists exactly the operands that are evaluated before the body, in that order.
//! - `Eager` is set only for total operations that, on the operands it names, take bounded time and
//!   allocate nothing (chapter 01 §5.6, O3 and X1 to X4).
//! - docs/operations.md is generated from these rows; a test compares (`table/docs.rs`).

use super::{bits, bytes, calls, closure, compare, control, effect, list, nat};
use crate::machine::op::{Body, Control, Eager, Op, Operand, Simple};

use Operand::{Nf as F, Whnf as E};

#[cfg(test)]
mod docs;

/// Number of numbered operations.
pub const NUMBERED: usize = 110;
/// The generic comparison, by name only.
pub const CMP: usize = 110;
/// The profiling wrapper, by name only.
pub const PROFILE: usize = 111;
/// Keeps a buffer alive, by name under `<15>` only.
pub const XTOUCH: usize = 112;
/// The parallel map, by name under `<15>` only.
pub const PARMAP: usize = 113;
/// Pinned naturals 4 to 20 follow.
const PINNED: usize = 114;
/// The second half of Trace and of the others that take a row.
pub const TRACE: usize = PINNED + 17;
/// System calls of 0 to 6 arguments; row k of the call has k arguments.
pub const SYSCALL: usize = TRACE + 1;
/// Peek on its operands.
pub const PEEK: usize = SYSCALL + 7;
/// Poke on its operands.
pub const POKE: usize = PEEK + 1;
/// Try on its operands.
pub const TRY: usize = POKE + 1;
/// Write on its operands.
pub const WRITE: usize = TRY + 1;
/// Read on its operands.
pub const READ: usize = WRITE + 1;
/// Send on its operands.
pub const SEND: usize = READ + 1;
/// What a saturated pin of a natural from 21 on runs.
pub const THROW: usize = SEND + 1;
/// What a saturated pin of a pin or of a closure runs.
pub const BADFUN: usize = THROW + 1;
/// Number of rows.
pub const COUNT: usize = BADFUN + 1;

/// The row of the pinned natural `n`, 0 to 20.
pub const fn pinned(n: usize) -> usize {
    if n < 4 { n } else { PINNED + n - 4 }
}

const fn row(name: &'static str, arity: u8, order: &'static [Operand], body: Body) -> Op {
    Op {
        name,
        arity,
        order,
        body,
        reads_callee: false,
        eager: Eager::Never,
    }
}

/// A simple operation.
const fn op(name: &'static str, arity: u8, order: &'static [Operand], body: Simple) -> Op {
    row(name, arity, order, Body::Simple(body))
}

/// A control operation.
const fn go(name: &'static str, arity: u8, order: &'static [Operand], body: Control) -> Op {
    row(name, arity, order, Body::Control(body))
}

const fn eager(op: Op) -> Op {
    Op {
        eager: Eager::Evaluated,
        ..op
    }
}

const fn direct(op: Op) -> Op {
    Op {
        eager: Eager::Direct,
        ..op
    }
}

const fn callee(op: Op) -> Op {
    Op {
        reads_callee: true,
        ..op
    }
}

const E1: &[Operand] = &[E(0)];
const E2: &[Operand] = &[E(0), E(1)];
const E3: &[Operand] = &[E(0), E(1), E(2)];
const E4: &[Operand] = &[E(0), E(1), E(2), E(3)];
const E5: &[Operand] = &[E(0), E(1), E(2), E(3), E(4)];
const E6: &[Operand] = &[E(0), E(1), E(2), E(3), E(4), E(5)];
const E7: &[Operand] = &[E(0), E(1), E(2), E(3), E(4), E(5), E(6)];
const F1: &[Operand] = &[F(0)];
const NONE: &[Operand] = &[];
/// The operands behind the first, then the first.
const SAP: [&[Operand]; 7] = [
    &[E(1), E(0)],
    &[E(1), E(2), E(0)],
    &[E(1), E(2), E(3), E(0)],
    &[E(1), E(2), E(3), E(4), E(0)],
    &[E(1), E(2), E(3), E(4), E(5), E(0)],
    &[E(1), E(2), E(3), E(4), E(5), E(6), E(0)],
    &[E(1), E(2), E(3), E(4), E(5), E(6), E(7), E(0)],
];

/// The rows: what the engine needs, and behind the arrow what the reference in docs/operations.md
/// says, which only the tests compile.
macro_rules! table {
    ($($row:expr => $doc:expr;)*) => {
        /// The table.
        pub static OPS: [Op; COUNT] = [$($row),*];

        /// What the reference says about each row.
        #[cfg(test)]
        fn docs() -> [docs::Doc; COUNT] {
            use docs::{COMPARE, SIZE_R, SIZE_X, STORE, SYSTEM_CALL, call, impure, pure};
            [$($doc),*]
        }
    };
}

table! {
    op("Pin", 1, F1, control::pin) =>
        pure("i", "`<i>`", "O(what `i` reaches without passing through a pin)");
    op("Law", 3, &[E(0), E(1), F(2)], control::law) =>
        pure("n a b", "`{n a b}`", "O(lets of b)").errs("`arity0` for a = 0");
    direct(op("Inc", 1, E1, nat::inc)) => pure("x", "x + 1", "O(n)").errs("`limit`");
    go("Eat", 6, &[E(5)], control::eat) =>
        pure("p l a z m o", "by kind of o. pin `<i>`: → `(p i)`; law: → `(l n a b)`; app: → \
            `(a Init(o) Last(o))`, Init lazily; 0: → z; k > 0: → `(m k−1)`",
            "O(1); O(n) for a large natural");
    op("Force", 1, F1, control::force) => pure("x", "x in normal form", "O(unforced part)");
    go("Seq", 2, E1, control::seq) => pure("a b", "→ b", "O(1)");
    go("Sap", 2, SAP[0], control::sap) => pure("f a", "→ `(f a)`", "O(1)");
    go("Sap2", 3, SAP[1], control::sap2) => pure("f a b", "→ `(f a b)`", "O(1)");
    go("Sap3", 4, SAP[2], control::sap3) => pure("f a b c", "→ `(f a b c)`", "O(1)");
    go("Sap4", 5, SAP[3], control::sap4) => pure("f a b c d", "→ `(f a b c d)`", "O(1)");
    go("Sap5", 6, SAP[4], control::sap5) => pure("f a b c d e", "→ `(f a b c d e)`", "O(1)");
    go("Sap6", 7, SAP[5], control::sap6) => pure("f a b c d e g", "→ `(f a b c d e g)`", "O(1)");
    go("Sap7", 8, SAP[6], control::sap7) =>
        pure("f a b c d e g h", "→ `(f a b c d e g h)`", "O(1)");
    eager(op("IsPin", 1, E1, closure::is_pin)) => pure("x", "1 if x is a pin, else 0", "O(1)");
    eager(op("IsLaw", 1, E1, closure::is_law)) =>
        pure("x", "1 if x is a law, else 0; a pinned law is a pin", "O(1)");
    eager(op("IsApp", 1, E1, closure::is_app)) => pure("x", "1 if x is an app, else 0", "O(1)");
    eager(op("IsNat", 1, E1, closure::is_nat)) => pure("x", "1 if x is a natural, else 0", "O(1)");
    eager(op("ToBit", 1, E1, nat::to_bit)) => pure("x", "0 if x is 0, else 1", "O(1)");
    eager(op("Nil", 1, E1, nat::nil)) => pure("x", "1 if x is 0, else 0", "O(1)");
    eager(op("Type", 1, E1, closure::type_)) => pure("x", "natural 0, pin 1, law 2, app 3", "O(1)");
    eager(op("Unpin", 1, E1, closure::unpin)) => pure("x", "content of a pin, else 0", "O(1)");
    eager(op("Name", 1, E1, closure::name)) => pure("x", "name of a law, else 0", "O(1)");
    eager(op("Arity", 1, E1, closure::arity)) => pure("x", "arity of a law, else 0", "O(1)");
    eager(op("Body", 1, E1, closure::body)) => pure("x", "body of a law, else 0", "O(1)");
    op("Init", 1, E1, closure::init) =>
        pure("x", "app without its last element; its head if that was all; non-app: 0", SIZE_X);
    go("Last", 1, E1, control::last) => pure("x", "→ last element; non-app: 0", "O(1)");
    go("If", 3, E1, control::if_) => pure("c t e", "→ e if c is 0, else → t", "O(1)");
    go("Ifz", 3, E1, control::ifz) => pure("c t e", "→ t if c is 0, else → e", "O(1)");
    eager(op("Nat", 1, E1, nat::nat)) => pure("x", "x if it is a natural, else 0", "O(1)");
    direct(op("Dec", 1, E1, nat::dec)) => pure("x", "x − 1; 0 for 0", "O(n)");
    op("Fresh", 1, E1, closure::fresh) =>
        pure("x", "natural: itself; app: a copy of its own; pin, law: 0", SIZE_X);
    go("And", 2, E1, control::and) => pure("a b", "0 if a is 0, else → b", "O(1)");
    go("Or", 2, E1, control::or) => pure("a b", "→ b if a is 0, else a", "O(1)");
    go("Nand", 2, E1, control::nand) => pure("a b", "1 if a is 0, else E b and Nil(b)", "O(1)");
    go("Nor", 2, E1, control::nor) => pure("a b", "E b and Nil(b) if a is 0, else 0", "O(1)");
    direct(op("Add", 2, &[E(1), E(0)], nat::add)) => pure("a b", "a + b", "O(n)").errs("`limit`");
    direct(op("Sub", 2, E2, nat::sub)) => pure("a b", "a − b; 0 if b is larger", "O(n)");
    op("Mul", 2, E2, nat::mul) => pure("a b", "a · b", "M(n)").errs("`limit`");
    op("Pow", 2, &[E(1), E(0)], nat::pow) =>
        pure("b p", "b^p; 1 for p = 0", "M(result)").errs("`limit`");
    op("Bex", 1, E1, nat::bex) => pure("x", "2^x", "O(result)").errs("`limit`");
    direct(op("Eq", 2, E2, nat::eq)) => pure("a b", "1 if a = b, else 0", COMPARE);
    direct(op("Ne", 2, E2, nat::ne)) => pure("a b", "1 if a ≠ b, else 0", COMPARE);
    direct(op("Le", 2, E2, nat::le)) => pure("a b", "1 if a ≤ b, else 0", COMPARE);
    direct(op("Ge", 2, E2, nat::ge)) => pure("a b", "1 if a ≥ b, else 0", COMPARE);
    direct(op("Lt", 2, E2, nat::lt)) => pure("a b", "1 if a < b, else 0", COMPARE);
    direct(op("Gt", 2, E2, nat::gt)) => pure("a b", "1 if a > b, else 0", COMPARE);
    direct(op("Cmp", 2, E2, nat::compare)) =>
        pure("a b", "0 if a < b, 1 if a = b, 2 if a > b, as naturals", COMPARE);
    op("Div", 2, E2, nat::div) => pure("a b", "⌊a / b⌋; 0 for b = 0", "D(n)");
    op("Mod", 2, E2, nat::mod_) => pure("a b", "a mod b; a for b = 0", "D(n)");
    op("DivMod", 2, E2, nat::div_mod) =>
        pure("a b", "`(0 a/b a%b)`; `(0 0 a)` for b = 0", "D(n), one division");
    op("Lsh", 2, E2, nat::lsh) =>
        pure("x s", "x · 2^s; 0 for x = 0 and any s", "O(result)").errs("`limit`");
    direct(op("Rsh", 2, E2, nat::rsh)) => pure("x s", "⌊x / 2^s⌋", "O(result)");
    direct(op("Trunc", 2, E2, nat::trunc)) => pure("w x", "x mod 2^w", "O(result)");
    direct(op("Trunc1", 1, E1, nat::trunc1)) => pure("x", "x mod 2", "O(1)");
    direct(op("Trunc8", 1, E1, nat::trunc8)) => pure("x", "x mod 2^8", "O(1)");
    direct(op("Trunc16", 1, E1, nat::trunc16)) => pure("x", "x mod 2^16", "O(1)");
    direct(op("Trunc32", 1, E1, nat::trunc32)) => pure("x", "x mod 2^32", "O(1)");
    direct(op("Trunc64", 1, E1, nat::trunc64)) => pure("x", "x mod 2^64", "O(1)");
    direct(op("Trunc128", 1, E1, nat::trunc128)) => pure("x", "x mod 2^128", "O(1)");
    direct(op("Trunc256", 1, E1, nat::trunc256)) => pure("x", "x mod 2^256", "O(1)");
    op("Cut", 3, &[E(1), E(0), E(2)], bits::cut) =>
        pure("o w x", "(x >> o) mod 2^w", "O(result)");
    op("Wipe", 3, E3, bits::wipe) => pure("o w x", "x with bits o … o+w−1 cleared", "O(n)");
    op("Edit", 4, E4, bits::edit) =>
        pure("o w v x", "x with bits o … o+w−1 replaced by v mod 2^w", STORE).errs("`limit`");
    direct(op("Bits", 1, E1, nat::bits)) => pure("x", "number of bits of x", "O(1)");
    direct(op("Test", 2, E2, bits::test)) => pure("i x", "bit i of x", "O(1)");
    op("Set", 2, E2, bits::set) => pure("i x", "x with bit i set", STORE).errs("`limit`");
    direct(op("Clear", 2, E2, bits::clear)) =>
        pure("i x", "x with bit i cleared", "O(n); O(1) if it is clear");
    eager(op("Hd", 1, E1, closure::hd)) => pure("x", "head of an app; else x itself", "O(1)");
    eager(op("Sz", 1, E1, closure::sz)) =>
        pure("x", "number of elements of an app; else 0", "O(1)");
    go("Case", 3, E2, control::case) =>
        pure("i r f", "→ element i of r if there is one, else → f", "O(1)");
    go("Case0", 2, E1, control::case0) => pure("r f", "→ element 0 of r, else → f", "O(1)");
    go("Case1", 2, E1, control::case1) => pure("r f", "→ element 1 of r, else → f", "O(1)");
    go("Case2", 2, E1, control::case2) => pure("r f", "→ element 2 of r, else → f", "O(1)");
    go("Case3", 4, E1, control::case3) => pure("i a b f", "→ a, b for i = 0, 1; else → f", "O(1)");
    go("Case4", 5, E1, control::case4) =>
        pure("i a b c f", "→ a, b, c for i = 0 … 2; else → f", "O(1)");
    go("Case5", 6, E1, control::case5) =>
        pure("i a b c d f", "→ a … d for i = 0 … 3; else → f", "O(1)");
    go("Case6", 7, E1, control::case6) =>
        pure("i a b c d e f", "→ a … e for i = 0 … 4; else → f", "O(1)");
    go("Case7", 8, E1, control::case7) =>
        pure("i a b c d e g f", "→ a … e, g for i = 0 … 5; else → f", "O(1)");
    go("Coup", 2, &[E(1), E(0)], control::coup) =>
        pure("h r", "→ h applied to all elements of r; h if r is no app", SIZE_R);
    op("Up", 3, &[E(0), E(2)], closure::up) =>
        pure("i v r", "r with element i replaced by v, unevaluated; r if there is none", SIZE_R);
    op("UpUniq", 3, &[E(0), E(2)], closure::up_uniq) =>
        impure("i v r", "as Up; r itself is changed, unless it lies in a pin",
            "O(1); O(size of r) in a pin");
    go("Ix", 2, E2, control::ix) =>
        pure("i r", "→ element i of r if there is one, else 0", "O(1)");
    go("Ix0", 1, E1, control::ix_n::<0>) => pure("r", "→ element 0 of r, else 0", "O(1)");
    go("Ix1", 1, E1, control::ix_n::<1>) => pure("r", "→ element 1 of r, else 0", "O(1)");
    go("Ix2", 1, E1, control::ix_n::<2>) => pure("r", "→ element 2 of r, else 0", "O(1)");
    go("Ix3", 1, E1, control::ix_n::<3>) => pure("r", "→ element 3 of r, else 0", "O(1)");
    go("Ix4", 1, E1, control::ix_n::<4>) => pure("r", "→ element 4 of r, else 0", "O(1)");
    go("Ix5", 1, E1, control::ix_n::<5>) => pure("r", "→ element 5 of r, else 0", "O(1)");
    go("Ix6", 1, E1, control::ix_n::<6>) => pure("r", "→ element 6 of r, else 0", "O(1)");
    go("Ix7", 1, E1, control::ix_n::<7>) => pure("r", "→ element 7 of r, else 0", "O(1)");
    op("Rep", 3, &[E(2), E(0)], closure::rep) =>
        pure("h v n", "app of natural h and n times v, unevaluated; h for n = 0", "O(result)")
            .errs("`limit`");
    go("Row", 3, E2, list::row) =>
        pure("h n l", "app of natural h and the first n items of list l, unevaluated, padded \
            with 0; evaluates l cell by cell; h for n = 0", "O(result)").errs("`limit`");
    op("Copy", 5, E5, closure::copy) =>
        pure("n i o s d", "d with elements o … o+n−1 replaced by those of s from i on, 0 past its \
            end; d if s has no element i", "O(size of d)");
    go("Switch", 4, E1, list::switch) =>
        pure("ks k bs f", "→ element of bs at the place of the first key equal to k, 0 if bs has \
            none; → f without such a key. Evaluates k, the keys one by one, bs, as needed",
            "O(size of ks) comparisons");
    direct(op("Bytes", 1, E1, nat::bytes)) => pure("x", "number of bytes of x", "O(1)");
    direct(op("Load", 3, E3, bytes::load)) =>
        pure("o w x", "w bytes of x from byte o on, 0 past its end", "O(result)");
    op("Erase", 3, E3, bytes::erase) => pure("o w x", "x with bytes o … o+w−1 zeroed", "O(n)");
    op("Store", 4, E4, bytes::store) =>
        pure("o w v x", "x with bytes o … o+w−1 replaced by those of v", STORE).errs("`limit`");
    op("Splice", 5, &[E(1), E(0), E(2), E(3), E(4)], bytes::splice) =>
        pure("i o n s b", "b with bytes o … o+n−1 replaced by those of s from i on", STORE)
            .errs("`limit`");
    direct(op("Load8", 2, E2, bytes::load8)) => pure("o x", "byte o of x", "O(1)");
    direct(op("Load16", 2, E2, bytes::load16)) => pure("o x", "2 bytes of x from o on", "O(1)");
    direct(op("Load32", 2, E2, bytes::load32)) => pure("o x", "4 bytes of x from o on", "O(1)");
    direct(op("Load64", 2, E2, bytes::load64)) => pure("o x", "8 bytes of x from o on", "O(1)");
    op("Store8", 3, E3, bytes::store8) =>
        pure("o v x", "x with byte o replaced by v mod 2^8", STORE).errs("`limit`");
    op("Store16", 3, E3, bytes::store16) =>
        pure("o v x", "x with 2 bytes at o replaced by v mod 2^16", STORE).errs("`limit`");
    op("Store32", 3, E3, bytes::store32) =>
        pure("o v x", "x with 4 bytes at o replaced by v mod 2^32", STORE).errs("`limit`");
    op("Store64", 3, E3, bytes::store64) =>
        pure("o v x", "x with 8 bytes at o replaced by v mod 2^64", STORE).errs("`limit`");
    op("RefEq", 2, E2, closure::ref_eq) =>
        impure("a b", "1 if a and b are the same word or the same object, else 0", "O(1)");
    op("CopyUniq", 5, E5, closure::copy_uniq) =>
        impure("n i o s d", "as Copy; d itself is changed, unless it lies in a pin",
            "O(elements replaced); O(size of d) in a pin");
    op("Snore", 5, E5, bytes::snore) =>
        impure("i o w s b", "b with up to w bytes from o on, never its top byte, replaced by those \
            that s has from i on; a buffer is changed in place", "O(size of b); O(w) in a buffer");
    // By name only.
    go("Cmp", 2, E2, compare::cmp) =>
        pure("a b", "order of all values: 0 less, 1 equal, 2 greater; evaluates both sides as far \
            as they are alike", "O(part that is alike), O(1) for the same object");
    go("Profile", 2, NONE, control::profile) =>
        impure("f x", "→ x, between two records of the profile that name f", "O(1)");
    go("Xtouch", 2, E1, control::seq) =>
        impure("a b", "→ b; a is alive until then. No jet", "O(1)");
    go("ParMap", 2, &[F(0), F(1)], control::par_map) =>
        pure("f r", "`(0 (f e0) (f e1) …)` in normal form for the elements of r, evaluated in \
            parallel; 0 if r is no app. No jet", "O(f, r and the result), and the applications");
    // Pinned naturals 4 to 20.
    go("Trace", 1, E1, calls::trace) => call("(_ x y)");
    go("Syscall", 1, E1, calls::syscall) => call("(nr a1 … ak)");
    go("Peek", 1, E1, calls::peek) => call("(_ ptr off n)");
    go("Poke", 1, E1, calls::poke) => call("(_ ptr nat off n)");
    go("Try", 1, E1, calls::try_) => call("(_ f x)");
    go("Write", 1, E1, calls::write) => call("(_ fd nat count off)");
    go("Read", 1, E1, calls::read) => call("(_ fd nat count off)");
    op("Precommit", 1, F1, control::precommit) =>
        impure("x", "x. In an image a pin is stored durably, and the result is the stored one; what \
            the image is at its next start stays", "O(unforced and unstored part)").errs("`io`");
    op("Commit", 1, F1, control::commit) =>
        impure("x", "x. In an image x is stored durably, the result is the stored one, and x what the \
            image is at its next start", "O(unforced and unstored part)").errs("`io`, `limit`");
    op("Xptr", 1, E1, effect::xptr) =>
        impure("x", "address of the bytes of a buffer or of a pin, else 0", "O(1)");
    op("Xbuf", 1, E1, effect::xbuf) =>
        impure("n", "a fresh buffer: n bytes 0 and a byte 1 behind them, at an address that stays",
            "O(bytes)").errs("`range` for a non-natural; `limit`");
    go("Op", 1, E1, calls::numbered) =>
        pure("(op a1 … an)", "the operation with the number or name op on the elements",
            "that of the operation").errs("`badcall`, `badop`");
    go("Send", 1, E1, calls::send) => call("(_ fd nat count off flags)");
    callee(op("Throw", 1, F1, control::throw)) =>
        impure("x", "none: throws x with the pinned natural as code", "O(frames dropped)");
    op("RequestGC", 1, NONE, effect::request_gc) =>
        impure("x", "1; asks for a collection of pins", "O(live)");
    op("SetProfiling", 1, E1, effect::set_profiling) =>
        impure("x", "0; off for x = 0, else on", "O(1)");
    op("GetProfile", 1, NONE, control::get_profile) =>
        impure("x", "the records since the last call, 0 when off", "O(records)");
    // On their operands.
    go("Trace", 2, F1, control::trace) =>
        impure("x y", "prints x on standard error; → y", "O(text)");
    op("Syscall", 1, E1, effect::syscall::<0>) => SYSTEM_CALL;
    op("Syscall", 2, E2, effect::syscall::<1>) => SYSTEM_CALL;
    op("Syscall", 3, E3, effect::syscall::<2>) => SYSTEM_CALL;
    op("Syscall", 4, E4, effect::syscall::<3>) => SYSTEM_CALL;
    op("Syscall", 5, E5, effect::syscall::<4>) => SYSTEM_CALL;
    op("Syscall", 6, E6, effect::syscall::<5>) => SYSTEM_CALL;
    op("Syscall", 7, E7, effect::syscall::<6>) => SYSTEM_CALL;
    op("Peek", 3, E3, effect::peek) =>
        impure("ptr off n", "n bytes at address ptr + off and a byte 1 behind them, raw",
            "O(bytes)").errs("`limit`");
    op("Poke", 4, E4, effect::poke) =>
        impure("ptr nat off n", "0; n bytes at address ptr + off become those of nat, raw",
            "O(bytes)");
    go("Try", 2, &[F(0), F(1)], control::try_) =>
        impure("f x", "`(0 r)`, r the normal form of `(f x)`; `(code payload)` if that throws",
            "O(1)");
    op("Write", 4, E4, effect::write) =>
        impure("fd nat count off", "number of bytes written, one system call", "O(count)")
            .errs("`io`");
    op("Read", 4, E4, effect::read) =>
        impure("fd nat count off", "`(n nat)`, n bytes of nat from off on replaced, one system \
            call; the error number; 0 if the range does not lie below the top byte. A buffer is \
            changed in place", "O(size of nat); O(count) in a buffer");
    op("Send", 5, E5, effect::send) =>
        impure("fd nat count off flags", "result register of one `sendto`", "O(count)");
    callee(op("Throw", 1, F1, control::throw)) =>
        impure("x", "none: throws x with the pinned natural as code", "O(frames dropped)");
    op("BadFun", 0, NONE, control::bad_fun) => impure("", "none", "O(1)").errs("`badfun`");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_numbers_say() {
        let at = |i: usize| (OPS[i].name, OPS[i].arity);
        assert_eq!(at(35), ("Add", 2));
        assert_eq!(at(69), ("Case", 3));
        assert_eq!(at(92), ("Copy", 5));
        assert_eq!(at(109), ("Snore", 5));
        assert_eq!(at(CMP), ("Cmp", 2));
        assert_eq!(at(XTOUCH), ("Xtouch", 2));
        assert_eq!(at(PARMAP), ("ParMap", 2));
        assert_eq!(at(pinned(4)), ("Trace", 1));
        assert_eq!(at(pinned(15)), ("Op", 1));
        assert_eq!(at(pinned(20)), ("GetProfile", 1));
        assert_eq!(at(TRACE), ("Trace", 2));
        assert_eq!(at(SYSCALL + 6), ("Syscall", 7));
        assert_eq!(at(TRY), ("Try", 2));
        assert_eq!(at(SEND), ("Send", 5));
        assert_eq!(at(BADFUN), ("BadFun", 0));
    }

    #[test]
    fn orders_name_operands_that_exist_once() {
        for op in &OPS {
            let mut seen = [false; 8];
            for E(i) | F(i) in op.order {
                assert!(*i < op.arity, "{}", op.name);
                assert!(
                    !core::mem::replace(&mut seen[*i as usize], true),
                    "{}",
                    op.name
                );
            }
        }
    }
}
