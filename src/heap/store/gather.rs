//! Which pins a commit has to write, in which order, and where in its pages.
//!
//! Invariants:
//! - children come before their parents, each pin once; what is stored already is not listed;
//! - no recursion: the way down is a list of frames, the children still to visit another list;
//! - small records share pages and never cross or fill one; large ones have pages of their own.

use super::error::{Damage, Error};
use super::format::{Extent, PAGE_WORDS, Place, SMALL, address_in};
use super::object::{Object, Stored};
use super::read::Reader;
use super::storage::Storage;
use crate::heap::words::Words;
use crate::value::{Header, Kind};
use alloc::vec::Vec;

/// Where the pins come from that are to be stored. A pin is a number of the source's choice that stays
/// the same throughout a commit.
pub trait Source {
    /// The address of the pin in the region, if it has one: it is mapped from there, or was stored
    /// earlier (its redirection).
    fn stored(&mut self, pin: u64) -> Option<u64>;
    /// Puts the pin into `out`, which holds another one; a long natural at its end may stay out.
    ///
    /// # Errors
    /// Whatever the source may meet; the commit ends with it.
    fn object(&mut self, pin: u64, out: &mut Object) -> Result<(), Error>;
    /// The last words of the pin's payload: as many as `object` has left out, which is none for
    /// a source that has no such method.
    fn tail(&self, _pin: u64, _words: usize) -> &[u64] {
        &[]
    }
    /// The pin is durable at `address` from now on.
    fn placed(&mut self, pin: u64, address: u64);
}

/// The place of a record among the pages of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// The payload at this word of this shared page.
    Small(u64, usize),
    /// In these pages of its own.
    Big(usize),
}

/// Gives records their places, counting pages from 0.
#[derive(Default, Debug)]
pub struct Placer {
    /// Shared pages so far.
    pub small: u64,
    /// Words used in the last of them.
    used: usize,
    /// The number of pages of each large record.
    pub big: Vec<u64>,
}

impl Placer {
    /// The place of a record of `words` words, checksum and header included.
    pub fn place(&mut self, words: usize) -> Spot {
        if words > SMALL {
            self.big.push(words.div_ceil(PAGE_WORDS) as u64);
            return Spot::Big(self.big.len() - 1);
        }
        if self.small == 0 || self.used + words >= PAGE_WORDS {
            self.small += 1;
            self.used = 1;
        }
        let at = self.used;
        self.used += words;
        Spot::Small(self.small - 1, at + 2)
    }
}

/// The pages a commit has taken.
#[derive(Default, Debug)]
pub struct Pages {
    /// Those of small records, in order.
    pub small: Vec<Extent>,
    /// Those of each large record.
    pub big: Vec<Extent>,
}

impl Pages {
    /// The page of the region that a shared page of the commit has become.
    pub fn small_page(&self, mut number: u64) -> Option<u64> {
        self.small.iter().find_map(|extent| {
            if number < extent.pages {
                return Some(extent.start + number);
            }
            number -= extent.pages;
            None
        })
    }

    /// The address of a payload.
    pub fn address(&self, spot: Spot) -> Option<u64> {
        match spot {
            Spot::Small(page, word) => Some(address_in(self.small_page(page)?, word)),
            Spot::Big(i) => Some(address_in(self.big.get(i)?.start, 2)),
        }
    }

    /// All of them, sorted and joined.
    pub fn joined(&self) -> Vec<Extent> {
        let mut all: Vec<Extent> = self.small.iter().chain(&self.big).copied().collect();
        super::space::join(&mut all);
        all
    }
}

/// What a commit has to write.
#[derive(Default, Debug)]
pub struct Plan {
    /// The pins, children first, and their places.
    pub order: Vec<(u64, Spot)>,
    /// The pages they need.
    pub placer: Placer,
    /// All pins met: those stored, and those in `order` with address 0 until they are written.
    pub known: Known,
}

/// What is known of pins.
#[derive(Default, Debug)]
pub struct Known {
    /// Where in the list.
    places: Words,
    all: Vec<Stored>,
}

impl Known {
    /// What is known of this pin.
    pub fn get(&self, pin: u64) -> Option<Stored> {
        let at = self.places.get(pin)?;
        self.all.get(at as usize).copied()
    }

    /// Notes something about a pin, in place of what was known.
    pub fn insert(&mut self, pin: u64, stored: Stored) {
        match self.places.get(pin) {
            Some(at) => self.all[at as usize] = stored,
            None => {
                self.places.insert(pin, self.all.len() as u64);
                self.all.push(stored);
            }
        }
    }
}

/// A pin whose children are being visited; those still to come are the tail of a common list.
struct Frame {
    pin: u64,
    record_words: usize,
    first_child: usize,
}

impl Plan {
    /// Finds what of `root` and all it reaches is not stored yet.
    ///
    /// # Errors
    /// Those of the source and of reading the region.
    pub fn new<S: Storage>(
        source: &mut dyn Source,
        root: u64,
        reader: &mut Reader,
        file: &mut S,
    ) -> Result<Plan, Error> {
        let mut plan = Plan::default();
        let mut object = Object::default();
        let mut frames: Vec<Frame> = Vec::new();
        let mut todo = Vec::from([root]);
        loop {
            let level = frames.last().map_or(0, |frame| frame.first_child);
            if todo.len() > level {
                let pin = todo.pop().unwrap_or(root);
                if plan.known.get(pin).is_some() {
                    continue;
                }
                if let Some(address) = source.stored(pin) {
                    plan.known.insert(pin, stored_at(address, reader, file)?);
                    continue;
                }
                plan.known.insert(pin, Stored::default());
                source.object(pin, &mut object)?;
                frames.push(Frame {
                    pin,
                    record_words: object.record_words(),
                    first_child: todo.len(),
                });
                todo.extend(object.children().ok_or(Damage::Object)?);
            } else if let Some(frame) = frames.pop() {
                let spot = plan.placer.place(frame.record_words);
                plan.order.push((frame.pin, spot));
            } else {
                return Ok(plan);
            }
        }
    }
}

/// What is known of a pin that lies at `address`.
fn stored_at<S: Storage>(address: u64, reader: &mut Reader, file: &mut S) -> Result<Stored, Error> {
    let (crc, header) = reader.head(file, address)?;
    let crc = u32::try_from(crc).map_err(|_| Damage::Checksum)?;
    let header = Header::from_bits(header);
    if header.is(Kind::Nat) {
        return Err(Damage::Reference.into());
    }
    Ok(Stored {
        place: Place { address, crc },
        words: header.words() as u64,
        mega: header.is(Kind::Megapin),
    })
}
