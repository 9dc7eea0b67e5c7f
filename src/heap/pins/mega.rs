//! Megapins: pins of pins (chapter 01 §2.8, 05 §4.3).
//!
//! ```text
//!   item │ 0 │ P │ code │ arity │ 0 │ P pins │ P lengths │ M │ M megapins │ M lengths
//! ```
//!
//! Invariants:
//! - The lists hold every pin reachable from the item up to the next megapins and stored pins, those
//!   included, each once; a length is the payload words of its pin.
//! - No recursion: the pins found are the queue.
//!
//! Safety: reads pins, which are immutable; writes the block just allocated.
#![allow(unsafe_code)]

use super::CallInfo;
use crate::heap::arena::{Arena, Owner};
use crate::heap::nursery::Exhausted;
use crate::heap::words::Words;
use crate::value::{Header, Kind, PIN_FIXED_WORDS, TAG_MEGAPIN, Value};
use alloc::vec::Vec;

/// Payload index of the number of pins.
const PIN_COUNT: usize = 2;

fn is_mega(pin: Value) -> bool {
    pin.tag() & 1 == 1
}

struct Boundary {
    pins: Vec<Value>,
    megapins: Vec<Value>,
}

fn boundary(item: Value) -> Boundary {
    let mut found = Boundary {
        pins: Vec::new(),
        megapins: Vec::new(),
    };
    let mut seen = Words::default();
    let mut visit = |found: &mut Boundary, pin: Value| {
        let pin = pin.latest();
        if seen.insert(pin.bits(), 0).is_none() {
            let list = if is_mega(pin) {
                &mut found.megapins
            } else {
                &mut found.pins
            };
            list.push(pin);
        }
    };
    visit(&mut found, item);
    let mut i = 0;
    while let Some(pin) = found.pins.get(i).copied() {
        i += 1;
        // What is stored leads to nothing that is not, so a commit would write its list in vain.
        let pins = if pin.is_stored() {
            0
        } else {
            pin.raw(PIN_COUNT) as usize
        };
        for j in 0..pins {
            visit(&mut found, pin.field(PIN_FIXED_WORDS + j));
        }
    }
    found
}

/// Makes the pin of a pin.
///
/// # Errors
/// When the arena has no block for it.
pub fn build_megapin(arena: &mut Arena, item: Value, info: CallInfo) -> Result<Value, Exhausted> {
    debug_assert!(item.is_pin());
    let item = item.latest();
    let Boundary { pins, megapins } = boundary(item);
    let length = |pin: &Value| pin.header().words() as u64;
    let mut words: Vec<u64> = Vec::new();
    words.extend([item.bits(), 0, pins.len() as u64, info.code, info.arity, 0]);
    words.extend(pins.iter().map(|p| p.bits()));
    words.extend(pins.iter().map(length));
    words.push(megapins.len() as u64);
    words.extend(megapins.iter().map(|p| p.bits()));
    words.extend(megapins.iter().map(length));
    let header = Header::new(Kind::Megapin, words.len());
    let payload = arena
        .allocate(header, Owner::Collected)
        .map_err(|_| Exhausted)?;
    // SAFETY: the block was allocated for exactly these words.
    unsafe {
        payload
            .as_ptr()
            .copy_from_nonoverlapping(words.as_ptr(), words.len())
    };
    Ok(Value::reference(TAG_MEGAPIN, payload.as_ptr()))
}
