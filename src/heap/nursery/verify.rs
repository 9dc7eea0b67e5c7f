//! The heap verifier: checks what every other part relies on. Shipped, switched on by
//! `PLAN_VERIFY=1`, run after every collection in stress tests.
//!
//! Invariants checked:
//! - objects fill the heap without gaps and have a known kind;
//! - every reference into the heap names the start of an object of the kind its tag says, with
//!   the head and size its tag says;
//! - every reference out of the heap names a pin, or an object that is inside one or fixed;
//! - long naturals outside the heap are listed;
//! - a closure marked as normal form has no thunk among its arguments; naturals are canonical.
//!
//! Safety: reads the words between `base` and `top`, and headers of objects referred to.
#![allow(unsafe_code)]

use super::Nursery;
use crate::value::{Header, Kind, Sort, Value, closure_tag};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A broken invariant, in words.
pub type Problem = String;

struct Starts {
    base: u64,
    bits: Vec<u64>,
}

impl Starts {
    fn index(&self, address: u64) -> (usize, u64) {
        let i = (address - self.base) / 8;
        ((i / 64) as usize, 1 << (i % 64))
    }

    fn insert(&mut self, address: u64) {
        let (word, bit) = self.index(address);
        self.bits[word] |= bit;
    }

    fn contains(&self, address: u64) -> bool {
        let (word, bit) = self.index(address);
        self.bits.get(word).is_some_and(|w| w & bit != 0)
    }
}

impl Nursery {
    /// Checks the whole heap and the given roots.
    ///
    /// # Errors
    /// The first broken invariant found.
    pub fn check(&self, roots: &[Value]) -> Result<(), Problem> {
        self.fixed.check()?;
        let starts = self.starts()?;
        for v in roots {
            self.check_value(*v, &starts)?;
        }
        let mut at = self.block.base.as_ptr();
        while at < self.top {
            // SAFETY: `starts` has walked the same objects.
            let header = Header::from_bits(unsafe { *at });
            self.check_object(unsafe { at.add(1) }, header, &starts)?;
            at = unsafe { at.add(1 + header.words()) };
        }
        Ok(())
    }

    fn starts(&self) -> Result<Starts, Problem> {
        let base = self.block.base.as_ptr() as u64;
        let mut starts = Starts {
            base,
            bits: vec![0; self.used() / 64 + 1],
        };
        let mut at = self.block.base.as_ptr();
        while at < self.top {
            // SAFETY: objects fill base..top; a broken header is reported before it is followed.
            let header = Header::from_bits(unsafe { *at });
            let known = header.kind_byte() <= 5 && header.kind_byte() != 1
                || header.is(Kind::ClosureForcing);
            if header.is_forwarded() || !known {
                return Err(format!("bad header {:#x} at {at:p}", header.bits()));
            }
            // SAFETY: the payload follows its header.
            let payload = unsafe { at.add(1) };
            starts.insert(payload as u64);
            at = unsafe { payload.add(header.words()) };
        }
        if at == self.top {
            Ok(starts)
        } else {
            Err(format!(
                "the last object ends {at:p} behind the heap top {:p}",
                self.top
            ))
        }
    }

    fn check_object(&self, at: *const u64, header: Header, s: &Starts) -> Result<(), Problem> {
        if header.is(Kind::Nat) {
            return Ok(());
        }
        for i in 0..header.words() {
            // SAFETY: word `i` of the payload of an object found by `starts`.
            let v = Value::from_bits(unsafe { *at.add(i) });
            self.check_value(v, s)?;
            if header.is(Kind::ClosureNf) && v.is_thunk() {
                return Err(format!("normal form at {at:p} holds the thunk {v:?}"));
            }
        }
        Ok(())
    }

    fn check_value(&self, v: Value, starts: &Starts) -> Result<(), Problem> {
        if v.is_direct() {
            return Ok(());
        }
        let inside = self.contains(v.address() as u64);
        if inside && !starts.contains(v.address() as u64) {
            return Err(format!("{v:?} does not name an object"));
        }
        if !self.fixed.is_sound(v) {
            return Err(format!("{v:?} is no long natural in use"));
        }
        if !inside && v.is_thunk() {
            return Err(format!("the thunk {v:?} lies outside the heap"));
        }
        let header = v.header();
        let sound = match v.sort() {
            Sort::Nat => header.is(Kind::Nat) && self.nat_is_canonical(v),
            Sort::Pin => !inside && (header.is(Kind::Pin) || header.is(Kind::Megapin)),
            Sort::Law => header.is(Kind::Law),
            Sort::Thunk => header.is(Kind::Thunk),
            Sort::Closure => {
                (matches!(header.kind_byte(), 3 | 4) || header.is(Kind::ClosureForcing))
                    && v.tag() == closure_tag(v.field(0), header.words() - 1)
            }
        };
        if sound {
            Ok(())
        } else {
            Err(format!(
                "{v:?} names an object with header {:#x}",
                header.bits()
            ))
        }
    }

    fn nat_is_canonical(&self, v: Value) -> bool {
        if v.is_buffer() {
            return true;
        }
        let words = v.header().words();
        let high = v.raw(words - 1);
        let bits = words as u64 * 64 - u64::from(high.leading_zeros());
        high != 0 && bits >= 64 && v.header() == Header::nat(bits)
    }
}
