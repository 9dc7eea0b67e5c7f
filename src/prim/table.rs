//! The table of operations: one row each.
//!
//! Rows 0 to 109 are the numbered operations of chapter 02 §2; behind them come the operations that
//! have only a name, then the pinned naturals 4 to 20, the second halves of those that take a row, and
//! what saturated pins of other things run.
//!
//! Invariants:
//! - A row's index is its number in chapter 02 §2 where it has one.
//! - The order lists exactly the operands that are evaluated before the body, in that order.
//! - `Eager` is set only for total operations whose cost does not depend on the size of operands and
//!   that allocate nothing (chapter 01 §5.6, O3 and X1 to X4).

use super::{bits, bytes, calls, closure, compare, control, effect, list, nat};
use crate::machine::op::{Body, Control, Eager, Op, Operand, Simple};

use Operand::{Nf as F, Whnf as E};

/// Number of numbered operations.
pub const NUMBERED: usize = 110;
/// The generic comparison, by name only.
pub const CMP: usize = 110;
/// The profiling wrapper, by name only.
pub const PROFILE: usize = 111;
/// Keeps a buffer alive, by name under `<15>` only.
pub const XTOUCH: usize = 112;
/// Pinned naturals 4 to 20 follow.
const PINNED: usize = 113;
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

/// The table.
pub static OPS: [Op; COUNT] = [
    op("Pin", 1, F1, control::pin),
    op("Law", 3, &[E(0), E(1), F(2)], control::law),
    direct(op("Inc", 1, E1, nat::inc)),
    go("Eat", 6, &[E(5)], control::eat),
    op("Force", 1, F1, control::force),
    go("Seq", 2, E1, control::seq),
    go("Sap", 2, SAP[0], control::sap),
    go("Sap2", 3, SAP[1], control::sap2),
    go("Sap3", 4, SAP[2], control::sap3),
    go("Sap4", 5, SAP[3], control::sap4),
    go("Sap5", 6, SAP[4], control::sap5),
    go("Sap6", 7, SAP[5], control::sap6),
    go("Sap7", 8, SAP[6], control::sap7),
    eager(op("IsPin", 1, E1, closure::is_pin)),
    eager(op("IsLaw", 1, E1, closure::is_law)),
    eager(op("IsApp", 1, E1, closure::is_app)),
    eager(op("IsNat", 1, E1, closure::is_nat)),
    eager(op("ToBit", 1, E1, nat::to_bit)),
    eager(op("Nil", 1, E1, nat::nil)),
    eager(op("Type", 1, E1, closure::type_)),
    eager(op("Unpin", 1, E1, closure::unpin)),
    eager(op("Name", 1, E1, closure::name)),
    eager(op("Arity", 1, E1, closure::arity)),
    eager(op("Body", 1, E1, closure::body)),
    op("Init", 1, E1, closure::init),
    go("Last", 1, E1, control::last),
    go("If", 3, E1, control::if_),
    go("Ifz", 3, E1, control::ifz),
    eager(op("Nat", 1, E1, nat::nat)),
    direct(op("Dec", 1, E1, nat::dec)),
    op("Fresh", 1, E1, closure::fresh),
    go("And", 2, E1, control::and),
    go("Or", 2, E1, control::or),
    go("Nand", 2, E1, control::nand),
    go("Nor", 2, E1, control::nor),
    direct(op("Add", 2, &[E(1), E(0)], nat::add)),
    direct(op("Sub", 2, E2, nat::sub)),
    op("Mul", 2, E2, nat::mul),
    op("Pow", 2, &[E(1), E(0)], nat::pow),
    op("Bex", 1, E1, nat::bex),
    direct(op("Eq", 2, E2, nat::eq)),
    direct(op("Ne", 2, E2, nat::ne)),
    direct(op("Le", 2, E2, nat::le)),
    direct(op("Ge", 2, E2, nat::ge)),
    direct(op("Lt", 2, E2, nat::lt)),
    direct(op("Gt", 2, E2, nat::gt)),
    direct(op("Cmp", 2, E2, nat::compare)),
    op("Div", 2, E2, nat::div),
    op("Mod", 2, E2, nat::mod_),
    op("DivMod", 2, E2, nat::div_mod),
    op("Lsh", 2, E2, nat::lsh),
    direct(op("Rsh", 2, E2, nat::rsh)),
    direct(op("Trunc", 2, E2, nat::trunc)),
    direct(op("Trunc1", 1, E1, nat::trunc1)),
    direct(op("Trunc8", 1, E1, nat::trunc8)),
    direct(op("Trunc16", 1, E1, nat::trunc16)),
    direct(op("Trunc32", 1, E1, nat::trunc32)),
    direct(op("Trunc64", 1, E1, nat::trunc64)),
    direct(op("Trunc128", 1, E1, nat::trunc128)),
    direct(op("Trunc256", 1, E1, nat::trunc256)),
    op("Cut", 3, &[E(1), E(0), E(2)], bits::cut),
    op("Wipe", 3, E3, bits::wipe),
    op("Edit", 4, E4, bits::edit),
    direct(op("Bits", 1, E1, nat::bits)),
    direct(op("Test", 2, E2, bits::test)),
    op("Set", 2, E2, bits::set),
    direct(op("Clear", 2, E2, bits::clear)),
    eager(op("Hd", 1, E1, closure::hd)),
    eager(op("Sz", 1, E1, closure::sz)),
    go("Case", 3, E2, control::case),
    go("Case0", 2, E1, control::case0),
    go("Case1", 2, E1, control::case1),
    go("Case2", 2, E1, control::case2),
    go("Case3", 4, E1, control::case3),
    go("Case4", 5, E1, control::case4),
    go("Case5", 6, E1, control::case5),
    go("Case6", 7, E1, control::case6),
    go("Case7", 8, E1, control::case7),
    go("Coup", 2, &[E(1), E(0)], control::coup),
    op("Up", 3, &[E(0), E(2)], closure::up),
    op("UpUniq", 3, &[E(0), E(2)], closure::up_uniq),
    go("Ix", 2, E2, control::ix),
    go("Ix0", 1, E1, control::ix_n::<0>),
    go("Ix1", 1, E1, control::ix_n::<1>),
    go("Ix2", 1, E1, control::ix_n::<2>),
    go("Ix3", 1, E1, control::ix_n::<3>),
    go("Ix4", 1, E1, control::ix_n::<4>),
    go("Ix5", 1, E1, control::ix_n::<5>),
    go("Ix6", 1, E1, control::ix_n::<6>),
    go("Ix7", 1, E1, control::ix_n::<7>),
    op("Rep", 3, &[E(2), E(0)], closure::rep),
    go("Row", 3, E2, list::row),
    op("Copy", 5, E5, closure::copy),
    go("Switch", 4, E1, list::switch),
    direct(op("Bytes", 1, E1, nat::bytes)),
    direct(op("Load", 3, E3, bytes::load)),
    op("Erase", 3, E3, bytes::erase),
    op("Store", 4, E4, bytes::store),
    op("Splice", 5, &[E(1), E(0), E(2), E(3), E(4)], bytes::splice),
    direct(op("Load8", 2, E2, bytes::load8)),
    direct(op("Load16", 2, E2, bytes::load16)),
    direct(op("Load32", 2, E2, bytes::load32)),
    direct(op("Load64", 2, E2, bytes::load64)),
    op("Store8", 3, E3, bytes::store8),
    op("Store16", 3, E3, bytes::store16),
    op("Store32", 3, E3, bytes::store32),
    op("Store64", 3, E3, bytes::store64),
    op("RefEq", 2, E2, closure::ref_eq),
    op("CopyUniq", 5, E5, closure::copy_uniq),
    op("Snore", 5, E5, bytes::snore),
    // By name only.
    go("Cmp", 2, E2, compare::cmp),
    go("Profile", 2, NONE, control::profile),
    go("Xtouch", 2, E1, control::seq),
    // Pinned naturals 4 to 20.
    go("Trace", 1, E1, calls::trace),
    go("Syscall", 1, E1, calls::syscall),
    go("Peek", 1, E1, calls::peek),
    go("Poke", 1, E1, calls::poke),
    go("Try", 1, E1, calls::try_),
    go("Write", 1, E1, calls::write),
    go("Read", 1, E1, calls::read),
    op("Precommit", 1, F1, control::force),
    op("Commit", 1, F1, control::force),
    op("Xptr", 1, E1, effect::xptr),
    op("Xbuf", 1, E1, effect::xbuf),
    go("Op", 1, E1, calls::numbered),
    go("Send", 1, E1, calls::send),
    callee(op("Throw", 1, F1, control::throw)),
    op("RequestGC", 1, NONE, effect::request_gc),
    op("SetProfiling", 1, E1, effect::set_profiling),
    op("GetProfile", 1, NONE, control::get_profile),
    // On their operands.
    go("Trace", 2, F1, control::trace),
    op("Syscall", 1, E1, effect::syscall::<0>),
    op("Syscall", 2, E2, effect::syscall::<1>),
    op("Syscall", 3, E3, effect::syscall::<2>),
    op("Syscall", 4, E4, effect::syscall::<3>),
    op("Syscall", 5, E5, effect::syscall::<4>),
    op(
        "Syscall",
        6,
        &[E(0), E(1), E(2), E(3), E(4), E(5)],
        effect::syscall::<5>,
    ),
    op(
        "Syscall",
        7,
        &[E(0), E(1), E(2), E(3), E(4), E(5), E(6)],
        effect::syscall::<6>,
    ),
    op("Peek", 3, E3, effect::peek),
    op("Poke", 4, E4, effect::poke),
    go("Try", 2, &[F(0), F(1)], control::try_),
    op("Write", 4, E4, effect::write),
    op("Read", 4, E4, effect::read),
    op("Send", 5, E5, effect::send),
    callee(op("Throw", 1, F1, control::throw)),
    op("BadFun", 0, NONE, control::bad_fun),
];

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
            for (E(i) | F(i)) in op.order {
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
