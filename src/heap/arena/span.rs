//! Spans: blocks of 64 KiB cut into slots of one size, for pins of up to 4 KiB.
//!
//! Four sizes to each power of two, so that rounding up wastes a tenth on average where a buddy
//! block wastes a third. What is known of a span stands in a table beside the arena, one row for
//! each 64 KiB: whoever marks or frees slots touches the table alone, not the pages of dead pins
//! (R. Jones, A. Hosking, E. Moss, *The Garbage Collection Handbook*, 2012, §2.4 and §2.5).
//!
//! ```text
//!                claim                          all slots in use
//!   empty ───────────────▶ owned by a mutator ────────────────────▶ full
//!     ▲    ▲                      ▲ claim                             │ sweep
//!     │    └──────────────────────┤                                   ▼
//!     └────────────────────── listed, of its class ◀──────────────────┘
//!        sweep finds none in use
//! ```
//!
//! Invariants:
//! - all but the bits `marked` change under the lock of [`super::space`] only; the class may be read
//!   without it by who holds a reference into the span;
//! - a bit of `used` is set for a slot that is handed out, or claimed for handing out, and for no
//!   other; bits beyond the number of slots are never set;
//! - a bit of `marked` is set only during a collection, and none is when it ends.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

/// Binary logarithm of the bytes of a span.
pub const SPAN_LOG2: u32 = 16;
/// Bytes of a span.
pub const SPAN: u64 = 1 << SPAN_LOG2;
/// Number of sizes of slots.
pub const CLASSES: usize = 25;
/// Bytes of the largest slot.
pub const LARGEST: u64 = SIZES[CLASSES - 1] as u64;
/// Words of 64 slots each that the span with the smallest slots has.
pub const WORDS: usize = SPAN as usize / SIZES[0] as usize / 64;

/// Bytes of a slot of each class: multiples of 16 up to 128, then quarters of powers of two.
const SIZES: [u32; CLASSES] = {
    let mut sizes = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        sizes[class] = if class < 5 {
            64 + 16 * class as u32
        } else {
            let (octave, quarter) = ((class - 5) / 4, (class - 5) % 4);
            (5 + quarter as u32) << (octave + 5)
        };
        class += 1;
    }
    sizes
};

/// `⌈2^32 / size⌉`: products with it replace divisions, exact for offsets below [`SPAN`].
const RECIPROCALS: [u32; CLASSES] = {
    let mut reciprocals = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        reciprocals[class] = (1u64 << 32).div_ceil(SIZES[class] as u64) as u32;
        class += 1;
    }
    reciprocals
};

/// The class with the smallest slots of at least `bytes`, which are at most [`LARGEST`].
#[inline(always)]
pub const fn class_for(bytes: u64) -> usize {
    if bytes <= 64 {
        return 0;
    }
    if bytes <= 128 {
        return (bytes as usize - 49) / 16;
    }
    let last = bytes - 1;
    let log2 = last.ilog2();
    5 + (log2 as usize - 7) * 4 + (last >> (log2 - 2) & 3) as usize
}

/// Bytes of a slot of a class.
#[inline(always)]
pub const fn size(class: usize) -> u64 {
    SIZES[class] as u64
}

/// Number of slots of a span of a class.
pub const fn slots(class: usize) -> usize {
    (SPAN / size(class)) as usize
}

/// The slots that word `word` of the bits of a span stands for.
pub const fn slots_of_word(class: usize, word: usize) -> u64 {
    match slots(class).saturating_sub(64 * word) {
        0 => 0,
        n if n >= 64 => u64::MAX,
        n => (1 << n) - 1,
    }
}

/// The slot that covers a byte of a span of a class; may be one behind the last.
#[inline(always)]
pub const fn slot_at(class: usize, offset: u64) -> usize {
    debug_assert!(offset < SPAN);
    ((offset * RECIPROCALS[class] as u64) >> 32) as usize
}

/// The row of the table for 64 KiB of the arena. All zero: no span.
#[derive(Debug)]
#[repr(C)]
pub struct Span {
    /// Class plus one; 0: no span.
    class: AtomicU8,
    /// Whether a mutator claims slots here; only it does.
    pub owned: Flag,
    /// Whether this is in the list of spans of its class with free slots.
    pub listed: Flag,
    /// The collection that swept it last, or in which it was made.
    pub swept: AtomicU32,
    /// The next in its list: number of the span plus one, 0 for none.
    pub next: AtomicU32,
    /// The one before it in its list.
    pub previous: AtomicU32,
    /// Slots in use.
    pub used: [AtomicU64; WORDS],
    /// Slots reached by the collection.
    pub marked: [AtomicU64; WORDS],
}

/// A truth value in shared memory.
#[derive(Debug)]
#[repr(transparent)]
pub struct Flag(AtomicU8);

impl Flag {
    /// Whether it is set.
    pub fn get(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    /// Sets or clears it.
    pub fn set(&self, to: bool) {
        self.0.store(u8::from(to), Relaxed);
    }
}

impl Span {
    /// The class of the slots; `None` if this is no span.
    #[inline(always)]
    pub fn class(&self) -> Option<usize> {
        (self.class.load(Relaxed) as usize).checked_sub(1)
    }

    /// Makes this a span of that class, or none.
    pub fn set_class(&self, class: Option<usize>) {
        let byte = class.map_or(0, |class| class as u8 + 1);
        self.class.store(byte, Relaxed);
    }

    /// Whether slot `slot` is in use or claimed.
    #[inline(always)]
    pub fn is_used(&self, slot: usize) -> bool {
        self.used[slot / 64].load(Relaxed) >> (slot % 64) & 1 == 1
    }

    /// Number of slots in use or claimed.
    pub fn used_slots(&self) -> u64 {
        let count = |word: &AtomicU64| u64::from(word.load(Relaxed).count_ones());
        self.used.iter().map(count).sum()
    }

    /// The first word with a free slot, and its free slots.
    pub fn free_word(&self, class: usize) -> Option<(usize, u64)> {
        (0..WORDS).find_map(|word| {
            let free = slots_of_word(class, word) & !self.used[word].load(Relaxed);
            (free != 0).then_some((word, free))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_smallest_that_fit_and_waste_at_most_a_fifth() {
        assert!(SIZES.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((SIZES[0], SIZES[5], LARGEST), (64, 160, 4096));
        for bytes in 1..=LARGEST {
            let class = class_for(bytes);
            assert!(size(class) >= bytes && size(class).is_multiple_of(16));
            assert!(class == 0 || size(class - 1) < bytes, "{bytes}");
            let waste = size(class) - bytes;
            assert!(bytes <= 64 || waste * 5 <= size(class), "{bytes}");
        }
    }

    #[test]
    fn the_slot_of_a_byte_is_that_of_the_division() {
        for class in 0..CLASSES {
            for offset in 0..SPAN {
                assert_eq!(slot_at(class, offset) as u64, offset / size(class));
            }
            let all: u32 = (0..WORDS)
                .map(|w| slots_of_word(class, w).count_ones())
                .sum();
            assert_eq!(all as usize, slots(class));
        }
    }
}
