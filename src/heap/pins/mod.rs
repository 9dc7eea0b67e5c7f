//! Building pins: compacting a value in normal form into one block of the arena (chapter 05 §4).
//!
//! ```text
//!   item │ 0 │ P │ code │ arity │ 0 │ pin 1 … pin P │ header, object │ header, object │ …
//! ```
//!
//! Invariants:
//! - The item is in normal form; the copy refers to nothing but its own data and other pins.
//! - Shared objects are copied once; other pins are listed once and never copied; objects inside
//!   other pins are copied.
//! - No recursion: the objects found are the queue, root first.
//!
//! Safety: while a pin is built the headers of nursery objects hold their index in the queue; all
//! are restored before this room returns. Blocks written were just allocated.
#![allow(unsafe_code)]

mod mega;

pub use mega::build_megapin;

use super::arena::{Arena, Owner};
use super::nursery::{Exhausted, Nursery};
use crate::heap::words::Words;
use crate::value::{Header, Kind, MAX_DIRECT, PIN_FIXED_WORDS, TAG_NAT, TAG_PIN, Value};
use alloc::vec::Vec;

/// Payload index of the code word of a law.
const CODE: usize = 3;

/// How a new pin is called: its code word and the arity of a call.
#[derive(Clone, Copy, Debug)]
pub struct CallInfo {
    /// What to run: see `machine::Engine::code_of`.
    pub code: u64,
    /// Number of arguments of a call, [`MAX_DIRECT`] when never saturated.
    pub arity: u64,
}

/// Bit of a header that holds an index in the queue instead.
const QUEUED: u64 = 1 << 63;

/// Up to this many pins are searched one by one instead of hashed.
const FEW_PINS: usize = 8;

struct Found {
    source: Value,
    header: Header,
    /// Words from the start of the data area to the payload of the copy.
    offset: usize,
}

/// The objects and pins reachable from an item, without going into pins.
struct Walk<'a> {
    nursery: &'a Nursery,
    found: Vec<Found>,
    foreign: Words,
    pins: Vec<Value>,
    many_pins: Words,
    words: usize,
}

/// A buffer that is small as a natural stands for that natural, and a pin for its stored copy.
fn settle(v: Value) -> Value {
    if v.is_pin() {
        return v.latest();
    }
    if !v.is_buffer() {
        return v;
    }
    match v.small() {
        Some(n) if n <= MAX_DIRECT => Value::direct(n),
        _ => v,
    }
}

impl Walk<'_> {
    fn visit(&mut self, v: Value) {
        let v = settle(v);
        if v.is_direct() {
            return;
        }
        if v.is_pin() {
            self.visit_pin(v);
            return;
        }
        let next = self.found.len();
        let header = if self.nursery.contains(v.address() as u64) {
            let header = v.header();
            if header.is_forwarded() {
                return;
            }
            v.set_header(Header::from_bits(QUEUED | next as u64));
            header
        } else {
            let address = v.address() as u64;
            if self.foreign.get(address).is_some() {
                return;
            }
            self.foreign.insert(address, next as u64);
            if v.is_buffer() {
                Header::nat(v.bit_len())
            } else {
                v.header()
            }
        };
        self.found.push(Found {
            source: v,
            header,
            offset: self.words + 1,
        });
        self.words += 1 + header.words();
    }

    fn visit_pin(&mut self, pin: Value) {
        if self.pins.len() < FEW_PINS {
            if !self.pins.contains(&pin) {
                self.pins.push(pin);
            }
            return;
        }
        if self.many_pins.is_empty() {
            for pin in &self.pins {
                self.many_pins.insert(pin.bits(), 0);
            }
        }
        if self.many_pins.insert(pin.bits(), 0).is_none() {
            self.pins.push(pin);
        }
    }

    fn walk(&mut self, item: Value) {
        self.visit(item);
        let mut i = 0;
        while let Some(found) = self.found.get(i) {
            let (source, header) = (found.source, found.header);
            if !header.is(Kind::Nat) {
                for field in fields(header) {
                    self.visit(source.field(field));
                }
            }
            i += 1;
        }
    }

    /// Payload offset of an object found, in words from the start of the data area.
    fn offset(&self, v: Value) -> usize {
        let index = if self.nursery.contains(v.address() as u64) {
            (v.header().bits() & !QUEUED) as usize
        } else {
            self.foreign.get(v.address() as u64).unwrap_or(0) as usize
        };
        self.found[index].offset
    }

    /// The value a field of the copy holds, with the data area at `data`.
    fn translate(&self, v: Value, data: *mut u64) -> Value {
        let v = settle(v);
        if v.is_direct() || v.is_pin() {
            return v;
        }
        let tag = if v.is_nat() { TAG_NAT } else { v.tag() };
        // SAFETY: the offset lies inside the data area of the block.
        Value::reference(tag, unsafe { data.add(self.offset(v)) })
    }

    fn write(&self, item: Value, info: CallInfo, payload: *mut u64) {
        // SAFETY: the block has PIN_FIXED_WORDS, the pins and the data area, in this order.
        unsafe {
            let data = payload.add(PIN_FIXED_WORDS + self.pins.len());
            let fixed = [
                self.translate(item, data).bits(),
                0,
                self.pins.len() as u64,
                info.code,
                info.arity,
                0,
            ];
            payload.copy_from_nonoverlapping(fixed.as_ptr(), PIN_FIXED_WORDS);
            for (i, pin) in self.pins.iter().enumerate() {
                *payload.add(PIN_FIXED_WORDS + i) = pin.bits();
            }
            for found in &self.found {
                self.write_object(found, data);
            }
        }
    }

    fn write_object(&self, found: &Found, data: *mut u64) {
        let words = found.header.words();
        // SAFETY: the object's place in the data area.
        unsafe {
            let copy = data.add(found.offset);
            *copy.sub(1) = found.header.bits();
            if found.header.is(Kind::Nat) {
                copy.copy_from_nonoverlapping(found.source.address(), words);
                return;
            }
            if found.header.is(Kind::Law) {
                // The code of the original belongs to the original.
                *copy.add(CODE) = 0;
            }
            for i in fields(found.header) {
                *copy.add(i) = self.translate(found.source.field(i), data).bits();
            }
        }
    }

    fn restore(&self) {
        for found in &self.found {
            if self.nursery.contains(found.source.address() as u64) {
                found.source.set_header(found.header);
            }
        }
    }
}

/// The words of an object but for the code of a law, which another thread may be writing.
fn fields(header: Header) -> impl Iterator<Item = usize> {
    let law = header.is(Kind::Law);
    (0..header.words()).filter(move |i| !(law && *i == CODE))
}

/// Makes the pin of an item in normal form that is not a pin itself.
///
/// # Errors
/// When the arena has no block for it. Nothing has changed then.
pub fn build_pin(
    arena: &mut Arena,
    nursery: &Nursery,
    item: Value,
    info: CallInfo,
) -> Result<Value, Exhausted> {
    debug_assert!(!item.is_pin() && !item.is_thunk());
    let mut walk = Walk {
        nursery,
        found: Vec::new(),
        foreign: Words::default(),
        pins: Vec::new(),
        many_pins: Words::default(),
        words: 0,
    };
    walk.walk(item);
    let words = PIN_FIXED_WORDS + walk.pins.len() + walk.words;
    let block = arena.allocate(Header::new(Kind::Pin, words), Owner::Collected);
    if let Ok(payload) = block {
        walk.write(item, info, payload.as_ptr());
    }
    walk.restore();
    let payload = block.map_err(|_| Exhausted)?;
    Ok(Value::reference(TAG_PIN, payload.as_ptr()))
}

#[cfg(test)]
mod tests;
