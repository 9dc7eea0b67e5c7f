//! Pins in a form that does not say where they lie, and how they become records of the region.
//!
//! ```text
//!   checksum │ header │ item 0 P 0 arity 0 │ P pins │ ⌈P/2⌉ words of checksums │ objects …
//!   checksum │ header │ item 0 P 0 arity 0 │ P pins │ P lengths │ M │ M megapins │ M lengths
//!                                          │ ⌈(P+M)/2⌉ words of checksums
//! ```
//!
//! Invariants:
//! - a record differs from the payload of a pin in memory (spec 05 §4) by the array of checksums, by
//!   the tag of references to pins, and by code words, which are 0;
//! - only the limbs of a natural are in a tail: nothing in them depends on where they lie;
//! - [`encode`] and [`decode`] are inverse to each other, but that a decoded object calls pins by their
//!   addresses;
//! - [`decode`] accepts only payloads all of whose references lead to an object of their kind.

use super::error::Damage;
use super::format::{Place, STORED, address_of};
use super::read::Record;
use crate::heap::words::sort_words;
use crate::value::{Header, Kind, LAW_WORDS, PIN_FIXED_WORDS, TAG_MEGAPIN, TAG_PIN};
use alloc::vec::Vec;

/// Payload index of the number of pins.
const PIN_COUNT: usize = 2;
/// Payload index of the code word of pins and laws.
const CODE: usize = 3;
/// Payload words that are always 0 in a record.
const ALWAYS_ZERO: [usize; 3] = [1, CODE, 5];

const ADDRESS: u64 = (1 << 48) - 1;

/// The payload of a pin.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Object {
    /// Whether it is a pin of a pin.
    pub mega: bool,
    /// The payload, with code words 0. A reference has its tag in bits 63..48; below it one inside the
    /// pin has the payload index of its target, one to a pin nothing. Without the tail.
    pub words: Vec<u64>,
    /// How many limbs at the end of the payload are not in `words`: those of a natural so long that
    /// it is written from where it lies ([`Source::tail`](super::Source::tail)). 0 in what is decoded.
    pub tail: usize,
    /// The references to pins: payload index, ascending, and which pin.
    pub pins: Vec<(usize, u64)>,
    /// The payload indexes of references inside the pin.
    pub inner: Vec<usize>,
}

/// Where the parts of a payload without checksums are.
struct Parts {
    /// The first words of the lists of pins and megapins, and how many there are.
    lists: [(usize, usize); 2],
    /// The word behind the lists, where a record has its checksums.
    end: usize,
}

impl Parts {
    /// `None` if the counts in the payload go beyond its `len` words.
    fn new(mega: bool, len: usize, word: impl Fn(usize) -> u64) -> Option<Parts> {
        let count = |at: usize| {
            let count = if at < len { word(at) } else { u64::MAX };
            usize::try_from(count).ok().filter(|count| *count <= len)
        };
        let pins = count(PIN_COUNT)?;
        let (lists, end) = if mega {
            let at = PIN_FIXED_WORDS + 2 * pins;
            let megapins = count(at)?;
            let lists = [(PIN_FIXED_WORDS, pins), (at + 1, megapins)];
            (lists, at + 1 + 2 * megapins)
        } else {
            let end = PIN_FIXED_WORDS + pins;
            ([(PIN_FIXED_WORDS, pins), (end, 0)], end)
        };
        (end <= len).then_some(Parts { lists, end })
    }

    /// Words of checksums.
    fn checksums(&self) -> usize {
        (self.lists[0].1 + self.lists[1].1).div_ceil(2)
    }

    /// The payload indexes of the listed pins, in the order of their checksums.
    fn listed(&self) -> impl Iterator<Item = usize> + use<> {
        self.lists.into_iter().flat_map(|(at, n)| at..at + n)
    }
}

impl Object {
    fn parts(&self) -> Option<Parts> {
        Parts::new(self.mega, self.words.len(), |i| self.words[i])
    }

    /// The pins it refers to directly, in the order of its lists; `None` if it is malformed.
    pub fn children(&self) -> Option<impl Iterator<Item = u64>> {
        let parts = self.parts()?;
        let pin = |at| {
            let found = self.pins.binary_search_by_key(&at, |(at, _)| *at);
            found.ok().map(|i| self.pins[i].1)
        };
        let complete = parts.listed().all(|at| pin(at).is_some());
        complete.then(|| parts.listed().filter_map(pin))
    }

    /// Words of its record, checksum and header included; 0 if it is malformed.
    pub fn record_words(&self) -> usize {
        let checksums = self.parts().map(|parts| parts.checksums());
        checksums.map_or(0, |checksums| 2 + self.words.len() + self.tail + checksums)
    }
}

/// A pin that has a place in the region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// Address and checksum.
    pub place: Place,
    /// Words of its payload there.
    pub words: u64,
    /// Whether it is a pin of a pin.
    pub mega: bool,
}

impl Stored {
    /// The reference to it.
    pub const fn reference(&self) -> u64 {
        let tag = if self.mega { TAG_MEGAPIN } else { TAG_PIN };
        (tag | STORED) << 48 | self.place.address
    }
}

/// The record of `object` with its payload at `address`, into `out`: room for the checksum, header,
/// payload without the tail. What is known of it then; the checksum is left to whoever sees the tail.
///
/// `stored` tells where the pins are that it refers to. `None` if it is malformed.
#[inline(never)]
pub fn encode(
    object: &Object,
    address: u64,
    stored: &dyn Fn(u64) -> Option<Stored>,
    out: &mut Vec<u64>,
) -> Option<Stored> {
    let parts = object.parts()?;
    let shift = parts.checksums();
    let words = object.words.len() + object.tail + shift;
    let kind = if object.mega {
        Kind::Megapin
    } else {
        Kind::Pin
    };
    out.clear();
    out.extend([0, Header::new(kind, words).bits()]);
    out.extend_from_slice(&object.words[..parts.end]);
    out.resize(2 + parts.end + shift, 0);
    out.extend_from_slice(&object.words[parts.end..]);
    let moved = |at: usize| if at < parts.end { at } else { at + shift };
    for at in &object.inner {
        let word = *object.words.get(*at)?;
        let target = moved(usize::try_from(word & ADDRESS).ok()?) as u64;
        out[2 + moved(*at)] = word & !ADDRESS | (address + 8 * target);
    }
    for (at, pin) in &object.pins {
        object.words.get(*at)?;
        out[2 + moved(*at)] = stored(*pin)?.reference();
    }
    for at in ALWAYS_ZERO {
        out[2 + at] = 0;
    }
    for (i, pin) in object.children()?.enumerate() {
        let child = stored(pin)?;
        out[2 + parts.end + i / 2] |= u64::from(child.place.crc) << (32 * (i % 2));
    }
    if object.mega {
        lengths(object, &parts, stored, out)?;
    }
    Some(Stored {
        place: Place { address, crc: 0 },
        words: words as u64,
        mega: object.mega,
    })
}

/// Puts the payload words of the listed pins, as stored, into a pin of a pin.
fn lengths(
    object: &Object,
    parts: &Parts,
    stored: &dyn Fn(u64) -> Option<Stored>,
    out: &mut [u64],
) -> Option<()> {
    let counts = [parts.lists[0].1, parts.lists[1].1];
    for ((i, at), pin) in parts.listed().enumerate().zip(object.children()?) {
        let count = if i < counts[0] { counts[0] } else { counts[1] };
        out[2 + at + count] = stored(pin)?.words;
    }
    Some(())
}

/// Reads the lists of a record: for each listed pin its address and checksum.
pub fn children(record: &Record, out: &mut Vec<Place>) -> Result<(), Damage> {
    let (parts, payload) = record_parts(record)?;
    for (i, at) in parts.listed().enumerate() {
        let address = address_of(payload[at]).ok_or(Damage::Object)?;
        let crc = (payload[parts.end + i / 2] >> (32 * (i % 2))) as u32;
        out.push(Place { address, crc });
    }
    Ok(())
}

fn record_parts(record: &Record) -> Result<(Parts, &[u64]), Damage> {
    let payload = record.payload();
    let parts = Parts::new(record.is_mega(), payload.len(), |i| payload[i]);
    let parts = parts.ok_or(Damage::Object)?;
    let end = parts.end + parts.checksums();
    let fits = if record.is_mega() {
        end == payload.len()
    } else {
        end <= payload.len()
    };
    // An odd number of checksums leaves half a word.
    let odd = (parts.lists[0].1 + parts.lists[1].1) % 2 == 1;
    let padded = !odd || payload.get(end - 1).is_some_and(|word| word >> 32 == 0);
    let zero = ALWAYS_ZERO.iter().all(|at| payload.get(*at) == Some(&0));
    if fits && padded && zero {
        Ok((parts, payload))
    } else {
        Err(Damage::Object)
    }
}

/// The kind of object a reference with this tag leads to inside a pin.
fn target_kind(tag: u64) -> Option<Kind> {
    match tag >> 8 {
        0x82 => Some(Kind::Nat),
        0xC8 => Some(Kind::Law),
        0xD0 => Some(Kind::ClosureNf),
        _ => None,
    }
}

/// The object of a record, whose pins are called by their addresses.
pub fn decode(record: &Record, out: &mut Object) -> Result<(), Damage> {
    let (parts, payload) = record_parts(record)?;
    let shift = parts.checksums();
    out.mega = record.is_mega();
    out.tail = 0;
    out.words.clear();
    out.pins.clear();
    out.inner.clear();
    out.words.extend_from_slice(&payload[..parts.end]);
    out.words.extend_from_slice(&payload[parts.end + shift..]);
    let objects = if out.mega {
        Vec::new()
    } else {
        objects(&out.words, parts.end)?
    };
    let mut listed: Vec<u64> = parts.listed().map(|at| payload[at]).collect();
    sort_words(&mut listed);
    let mut reader = References {
        object: out,
        record,
        data: parts.end,
        shift,
        objects: &objects,
        listed: &listed,
    };
    reader.visit(0)?;
    for at in parts.listed() {
        reader.visit(at)?;
    }
    for (at, header) in &objects {
        if !header.is(Kind::Nat) {
            (*at..*at + header.words()).try_for_each(|at| reader.visit(at))?;
        }
    }
    Ok(())
}

/// The objects behind the lists: payload index and header.
fn objects(words: &[u64], mut at: usize) -> Result<Vec<(usize, Header)>, Damage> {
    let mut found = Vec::new();
    while let Some(header) = words.get(at).copied() {
        let header = Header::from_bits(header);
        let known = match header.kind_byte() {
            0 => true,
            2 => header.words() == LAW_WORDS && words.get(at + 1 + CODE) == Some(&0),
            3 | 4 => header.words() > 0 && header.bits() >> 8 & 63 == 0,
            _ => false,
        };
        if !known || header.is_forwarded() || words.len() - at - 1 < header.words() {
            return Err(Damage::Object);
        }
        found.push((at + 1, header));
        at += 1 + header.words();
    }
    Ok(found)
}

/// Turns the references of a record into those of an object.
struct References<'a> {
    object: &'a mut Object,
    record: &'a Record,
    data: usize,
    shift: usize,
    objects: &'a [(usize, Header)],
    listed: &'a [u64],
}

impl References<'_> {
    fn visit(&mut self, at: usize) -> Result<(), Damage> {
        let word = self.object.words[at];
        if word >> 63 == 0 {
            return Ok(());
        }
        if let Some(address) = address_of(word) {
            self.listed
                .binary_search(&word)
                .map_err(|_| Damage::Object)?;
            self.object.words[at] = (word >> 48 & !STORED) << 48;
            self.object.pins.push((at, address));
            return Ok(());
        }
        let kind = target_kind(word >> 48).ok_or(Damage::Object)?;
        let distance = (word & ADDRESS).wrapping_sub(self.record.address);
        let target = usize::try_from(distance / 8).map_err(|_| Damage::Object)?;
        let target = target.wrapping_sub(self.shift);
        let found = self.objects.binary_search_by_key(&target, |(at, _)| *at);
        let header = found
            .ok()
            .map(|i| self.objects[i].1)
            .ok_or(Damage::Object)?;
        let same = header.is(kind) || kind == Kind::ClosureNf && header.is(Kind::Closure);
        if !same || !distance.is_multiple_of(8) || target < self.data {
            return Err(Damage::Object);
        }
        self.object.words[at] = word & !ADDRESS | target as u64;
        self.object.inner.push(at);
        Ok(())
    }
}
