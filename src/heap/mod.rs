//! The memory of a machine: three generations (chapter 05).
//!
//! - [`nursery`]: generation 1, one moving heap per thread;
//! - [`arena`]: generation 2, pins and other blocks that do not move;
//! - [`fixed`]: naturals too long to be moved, in blocks of the arena;
//! - [`pins`]: how a value becomes a pin;
//! - [`store`]: generation 3, the persistence region of an image;
//! - [`words`]: a table and a sort that the others share;
//! - [`region`]: the same as a machine sees it;
//! - [`code`]: blocks of compiled code with the constants they own.
//!
//! Invariants:
//! - References go only from young to old: nothing in the arena ever points into a nursery.
//! - Pins and everything inside them are immutable but for the cached code word of laws and pins.

pub mod arena;
pub mod code;
pub mod region;
pub mod store;
pub mod words;

/// Nanoseconds of a clock that only counters use; one that fails stands still.
pub fn now() -> u64 {
    crate::os::clock::monotonic().unwrap_or(0)
}
