//! Natural-number arithmetic on limb slices.
//!
//! A natural number is a `&[u64]` of *limbs*, least significant first. The room knows nothing
//! of heaps or values: results go into slices that the caller provides, sized by the rule each
//! function states. Only the conversions (`pow`, `to_decimal`, `bytes_to_limbs` …) return a `Vec`,
//! and only products, quotients and conversions above the measured thresholds take temporary
//! heap; the `*_scratch` functions bound it in bytes, so that a caller can refuse beforehand.
//!
//! Products are schoolbook, Karatsuba's or by number-theoretic transform, quotients by
//! reciprocal (one and two limbs), by Knuth's algorithm D or by recursive division, as the length
//! asks. The thresholds stand beside the figures that set them (`benches/nat.rs`).
//!
//! Nothing is left to a library. `dashu-int` was used for long operands and given up: its
//! transform (versions up to 0.6.2) loses carries, so that products of more than 4,000 limbs with
//! runs of ones are wrong, and it is three times slower than the one here.
//!
//! Invariants:
//! - Inputs may carry zero limbs at the top; they never change a result.
//! - An output slice is written completely: limbs above the result are zero.
//! - Preconditions are the caller's business. A slice too short ends in a slice-index panic; what
//!   costs time to check (`a >= b` of `sub`, a `deposit` past the end) is asserted in debug builds.
//! - Bit and byte offsets and widths are `u64` and may have any value: no sum of them wraps.

mod add;
mod bits;
mod bytes;
mod div;
mod karatsuba;
mod mul;
mod ntt;
mod radix;
mod recursive;
mod size;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use add::{add, add_in_place, dec, inc, sub, sub_in_place};
pub use bits::{
    and, clear, clear_bits, deposit, extract, limb_at, or, set, shl, shr, test, trailing_zeros, xor,
};
pub use bytes::{as_bytes, bytes_to_limbs, load_bytes, store_bytes};
pub use div::{div_rem, div_rem_limb, div_rem_schoolbook, div_scratch};
pub use mul::{mul, mul_limb, mul_schoolbook, mul_scratch, pow, pow_scratch, sqr, sqr_schoolbook};
pub use radix::{
    from_decimal, from_decimal_scratch, from_hex, to_decimal, to_decimal_scratch, to_hex,
};
pub use size::{bit_len, byte_len, cmp, is_zero, len, trim};
