//! The pins of a program as what the store writes from.
//!
//! Invariants:
//! - a pin is called by the address of its payload, which stays the same while roots keep it alive;
//! - what lies in the window of addresses of the region is stored already: neither the arena nor a
//!   moving heap ever lies there, because the kernel takes addresses that low for nobody who did not
//!   ask for them;
//! - a redirection is set only where its target is mapped.
//!
//! Safety: reads pins that the caller's roots keep alive; they are immutable but for code words.
#![allow(unsafe_code)]

use crate::heap::store::format::{BASE, PAGE, WINDOW_PAGES};
use crate::heap::store::object::Object;
use crate::heap::store::{Error, Source};
use crate::os::Errno;
use crate::value::{Header, Kind, PIN_FIXED_WORDS, STORED, TAG_PIN, Value};

/// Payload index of the number of pins.
const PIN_COUNT: usize = 2;
/// Payload index of the code word of pins and laws.
const CODE: usize = 3;

/// Limbs from which on a natural at the end of a pin is written from where it lies, 64 KiB: what is
/// shorter is gathered with its neighbours into fewer writes.
const TAIL: usize = 8192;

const ADDRESS: u64 = (1 << 48) - 1;

/// Whether an address belongs to the persistence region.
#[inline]
pub fn in_window(address: u64) -> bool {
    address.wrapping_sub(BASE) < WINDOW_PAGES * PAGE as u64
}

/// The pins of this process.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Whether the region is mapped, so that pins may be redirected to their stored copies.
    pub mapped: bool,
}

impl Source for Memory {
    fn stored(&mut self, pin: u64) -> Option<u64> {
        let latest = Value::reference(tag_at(pin), pin as *const u64).latest();
        latest.is_stored().then_some(latest.bits() & ADDRESS)
    }

    fn object(&mut self, pin: u64, out: &mut Object) -> Result<(), Error> {
        let pin = Value::reference(TAG_PIN, pin as *const u64);
        let header = pin.header();
        out.mega = header.is(Kind::Megapin);
        out.pins.clear();
        out.inner.clear();
        out.words.clear();
        let data = if out.mega {
            header.words()
        } else {
            PIN_FIXED_WORDS + pin.raw(PIN_COUNT) as usize
        };
        out.tail = tail(pin, data, header.words());
        let words = header.words() - out.tail;
        let reserved = out.words.try_reserve(words);
        reserved.map_err(|_| Error::Io("write", Errno::ENOMEM))?;
        out.words.extend((0..words).map(|i| pin.raw(i)));
        convert(pin, 0, out);
        (PIN_FIXED_WORDS..data).for_each(|at| convert(pin, at, out));
        out.words[CODE] = 0;
        let mut at = data;
        while at < out.words.len() {
            let header = Header::from_bits(out.words[at]);
            if header.is(Kind::Law) {
                out.words[at + 1 + CODE] = 0;
            }
            if !header.is(Kind::Nat) {
                (at + 1..=at + header.words()).for_each(|at| convert(pin, at, out));
            }
            at += 1 + header.words();
        }
        Ok(())
    }

    fn tail(&self, pin: u64, words: usize) -> &[u64] {
        let pin = Value::reference(TAG_PIN, pin as *const u64);
        let all = pin.header().words();
        // SAFETY: limbs at the end of the payload of a pin, which is kept alive as long as it is
        // being stored, and which nobody changes.
        unsafe {
            core::slice::from_raw_parts(pin.address().add(all - words.min(all)), words.min(all))
        }
    }

    fn placed(&mut self, pin: u64, address: u64) {
        if self.mapped {
            Value::reference(tag_at(pin), pin as *const u64).redirect(address);
        }
    }
}

/// The tag of a reference to the pin with its payload at this address.
fn tag_at(pin: u64) -> u64 {
    if in_window(pin) {
        TAG_PIN | STORED
    } else {
        TAG_PIN
    }
}

/// The limbs of the last object of a pin whose objects lie from word `data` to word `end`, if it is a
/// natural that is to be written from where it lies; otherwise 0.
fn tail(pin: Value, data: usize, end: usize) -> usize {
    let (mut at, mut tail) = (data, 0);
    while at < end {
        let header = Header::from_bits(pin.raw(at));
        at += 1 + header.words();
        let long = header.is(Kind::Nat) && header.words() >= TAIL;
        tail = if long { header.words() } else { 0 };
    }
    tail
}

/// Makes the word at `at` independent of where the pin lies.
fn convert(pin: Value, at: usize, out: &mut Object) {
    let v = Value::from_bits(out.words[at]);
    if v.is_direct() {
        return;
    }
    let tag = v.tag() << 48;
    if v.is_pin() {
        out.words[at] = tag & !(STORED << 48);
        out.pins.push((at, v.bits() & ADDRESS));
    } else {
        let distance = v.bits().wrapping_sub(pin.bits()) & ADDRESS;
        out.words[at] = tag | (distance / 8);
        out.inner.push(at);
    }
}
