//! The names of operations: keys of `<15>` and names of jets (chapter 02 §1.4).
//!
//! Invariants:
//! - Every name is at most eight ASCII bytes, so that it is a direct natural.
//! - A name stands for the operation with the arity of its row, and for no other arity.

use super::table::{CMP, NUMBERED, OPS, PARMAP, PROFILE, XTOUCH};
use crate::value::Value;

/// A name as the direct natural of its bytes.
const fn key(name: &str) -> u64 {
    let bytes = name.as_bytes();
    assert!(bytes.len() >= 2 && bytes.len() <= 8);
    let mut word = 0;
    let mut i = bytes.len();
    while i > 0 {
        i -= 1;
        word = word << 8 | bytes[i] as u64;
    }
    word
}

macro_rules! names {
    ($($name:literal $op:expr;)*) => {
        /// Names, their naturals and their operations.
        pub static NAMES: &[(&str, u64, usize)] = &[$(($name, key($name), $op),)*];
    };
}

names! {
    "Inc" 2; "Dec" 29; "Nat" 28; "Add" 35; "Sub" 36; "Mul" 37; "Div" 47; "Mod" 48; "DivMod" 49;
    "Bex" 39; "Lsh" 50; "Rsh" 51; "Trunc" 52;
    "Bits" 63; "BitSz" 63; "Bytes" 94; "Test" 64; "Set" 65; "Clear" 66;
    "Load" 95; "Load8" 99; "ByteIx" 99; "Bix" 99; "Store" 97; "Store8" 103; "Store64" 106;
    "Eq" 40; "NatEql" 40; "Ne" 41; "Le" 42; "Ge" 43; "Lt" 44; "Gt" 45; "Compare" 46; "NatCmp" 46;
    "Cmp" CMP;
    "If" 26; "Ifz" 27; "And" 31; "Or" 32; "Seq" 5; "Nil" 18; "Eqz" 18;
    "IsPin" 13; "IsLaw" 14; "IsApp" 15; "IsNat" 16; "Type" 19; "Unpin" 20; "Name" 21; "Arity" 22;
    "Body" 23; "Init" 24; "Last" 25;
    "Hd" 67; "Sz" 68; "Ix" 81; "Case" 69; "Br" 69; "Case3" 73; "Up" 79; "Coup" 78; "Rep" 90;
    "Row" 91; "Copy" 92;
    "Profile" PROFILE;
}

/// The operation of a name, whatever its arity.
pub fn by_name(name: u64) -> Option<usize> {
    let found = NAMES.iter().find(|(_, key, _)| *key == name)?;
    Some(found.2)
}

/// The operation `<15>` runs for a key, whatever the number of operands.
pub fn operation(key: Value) -> Option<usize> {
    if !key.is_direct() {
        return None;
    }
    let n = key.bits();
    if n < NUMBERED as u64 {
        return Some(n as usize);
    }
    match n {
        XTOUCH_KEY => Some(XTOUCH),
        PARMAP_KEY => Some(PARMAP),
        _ => by_name(n),
    }
}

/// The key of the operation that keeps a buffer alive, which is no jet.
const XTOUCH_KEY: u64 = key("Xtouch");
/// The key of the parallel map, which is none either.
const PARMAP_KEY: u64 = key("ParMap");

/// The operation `<15>` runs for a key and a number of operands.
pub fn by_key(key: Value, operands: usize) -> Option<usize> {
    operation(key).filter(|op| OPS[*op].arity as usize == operands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_names_is_that_of_the_specification() {
        assert_eq!(NAMES.len(), 66);
        for (name, key, op) in NAMES {
            assert_eq!(by_name(*key), Some(*op), "{name}");
        }
        assert_eq!(key("Inc"), 0x63_6e49);
        assert_eq!(by_name(key("ToBit")), None);
        assert_eq!(by_name(key("Xtouch")), None);
        assert_eq!(by_key(Value::direct(35), 2), Some(35));
        assert_eq!(by_key(Value::direct(35), 3), None);
        assert_eq!(by_key(Value::direct(110), 2), None);
        assert_eq!(by_key(Value::direct(key("Xtouch")), 2), Some(XTOUCH));
        assert_eq!(by_key(Value::direct(key("ParMap")), 2), Some(PARMAP));
        assert_eq!(by_name(key("ParMap")), None);
    }
}
