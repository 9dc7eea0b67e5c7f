//! Decimal and hexadecimal digits.
//!
//! Short numbers are converted 19 decimal digits (one limb) at a time, which is quadratic. Long
//! ones are halved at a power of ten until they are short (Knuth, TAOCP vol. 2, 4.4; Brent and
//! Zimmermann, Modern Computer Arithmetic, 1.7), so the work is that of the large products and
//! quotients. All pieces of a level share one power, computed once. Powers are kept as powers
//! of 5: the factor 2^exponent is a shift, and the numbers multiplied and divided by are 30 %
//! shorter.
//!
//! Invariants:
//! - Digits are ASCII, most significant first, without prefix, sign or separators; zero is "0".
//! - Recursion depth is at most the binary logarithm of the number of limbs.

use alloc::vec;
use alloc::vec::Vec;

use super::add::add_in_place;
use super::bits::{extract, shl, shr};
use super::div::{div_rem, div_rem_limb, div_scratch};
use super::mul::{mul, mul_scratch, pow, sqr};
use super::size::{bit_len, is_zero, len, trim};

/// Decimal digits that always fit in a limb.
const CHUNK_DIGITS: usize = 19;

/// 10^CHUNK_DIGITS.
const CHUNK: u64 = 10_000_000_000_000_000_000;

/// Longest number, in limbs, that is printed a limb at a time. Measured with 200 limbs, in µs:
/// 24.3 at 16 and 24, 27.2 at 32.
const PRINT_LIMBS: usize = 24;

/// Most decimal digits that are read a limb at a time. Measured with 100 limbs, in µs: 2.64 at
/// 64 limbs, 2.62 at 96, 2.32 at 128 and 200.
const PARSE_DIGITS: usize = 128 * CHUNK_DIGITS;

/// One split point 10^exponent of the conversions.
struct Power {
    /// The exponent of ten.
    exponent: usize,
    /// 5^exponent, trimmed.
    five: Vec<u64>,
}

/// The powers that halve `digits` digits until at most `short` are left, smallest first: each
/// exponent is half the next one, rounded up, so that pieces of a level differ by a digit.
fn powers(digits: usize, short: usize) -> Vec<Power> {
    let mut exponents = Vec::new();
    let mut piece = digits;
    while piece > short {
        piece = piece.div_ceil(2);
        exponents.push(piece);
    }
    let mut powers: Vec<Power> = Vec::with_capacity(exponents.len());
    for exponent in exponents.into_iter().rev() {
        let five = match powers.last() {
            None => pow(&[5], exponent as u64),
            Some(half) => square_of_five(half, exponent),
        };
        powers.push(Power { exponent, five });
    }
    powers
}

/// 5^exponent, trimmed, from the power of half the exponent, rounded up.
fn square_of_five(half: &Power, exponent: usize) -> Vec<u64> {
    let mut out = vec![0; 2 * half.five.len()];
    sqr(&mut out, &half.five);
    if 2 * half.exponent > exponent {
        let square = out.clone();
        let rest = div_rem_limb(&mut out, &square, 5);
        debug_assert!(rest == 0);
    }
    out.truncate(len(&out));
    out
}

/// The decimal digits of `a`.
pub fn to_decimal(a: &[u64]) -> Vec<u8> {
    let a = trim(a);
    let bound = digit_bound(bit_len(a));
    let mut digits = vec![b'0'; bound];
    if a.len() <= PRINT_LIMBS {
        print_short(&mut digits, a);
    } else {
        print_long(&mut digits, a, &powers(bound, PRINT_LIMBS * CHUNK_DIGITS));
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.drain(..zeros.min(bound - 1));
    digits
}

/// Decimal digits that a number of `bits` bits has at most, from log₁₀ 2 < 0.30103.
fn digit_bound(bits: u64) -> usize {
    ((u128::from(bits) * 30_103 / 100_000) + 1) as usize
}

/// Writes `a` right-aligned over the zeros in `digits`.
fn print_long(digits: &mut [u8], a: &[u64], powers: &[Power]) {
    let Some((power, smaller)) = powers.split_last() else {
        return print_short(digits, trim(a));
    };
    if digits.len() <= power.exponent {
        return print_long(digits, a, smaller);
    }
    let (quotient, rest) = split(trim(a), power);
    let (high, low) = digits.split_at_mut(digits.len() - power.exponent);
    print_long(high, &quotient, smaller);
    print_long(low, &rest, smaller);
}

/// Quotient and remainder of `a` by 10^exponent.
fn split(a: &[u64], power: &Power) -> (Vec<u64>, Vec<u64>) {
    let bits = power.exponent as u64;
    let mut shifted = vec![0; a.len().saturating_sub((bits / 64) as usize)];
    shr(&mut shifted, a, bits);
    let shifted = trim(&shifted);
    let mut quotient = vec![0; (shifted.len() + 1).saturating_sub(power.five.len())];
    let mut rest = vec![0; power.five.len()];
    div_rem(&mut quotient, &mut rest, shifted, &power.five);
    // The remainder is rest·2^bits + (a mod 2^bits).
    let mut remainder = vec![0; rest.len() + (bits / 64) as usize + 1];
    shl(&mut remainder, &rest, bits);
    let mut low = vec![0; bits.div_ceil(64) as usize];
    extract(&mut low, a, 0, bits);
    add_in_place(&mut remainder, &low);
    (quotient, remainder)
}

/// Writes `a` right-aligned over the zeros in `digits`, a limb's worth at a time.
fn print_short(digits: &mut [u8], a: &[u64]) {
    let mut rest = a.to_vec();
    let mut quotient = vec![0; a.len()];
    for chunk in digits.rchunks_mut(CHUNK_DIGITS) {
        let n = len(&rest);
        if n == 0 {
            return;
        }
        let mut limb = div_rem_limb(&mut quotient[..n], &rest[..n], CHUNK);
        core::mem::swap(&mut quotient, &mut rest);
        rest.truncate(n);
        for digit in chunk.iter_mut().rev() {
            *digit = b'0' + (limb % 10) as u8;
            limb /= 10;
        }
    }
    debug_assert!(is_zero(&rest), "nat::to_decimal: digits do not fit");
}

/// Bound on the heap that `to_decimal` takes for a number of `limbs`, in bytes, the result
/// included.
pub fn to_decimal_scratch(limbs: usize) -> usize {
    // Digits: under 20 a limb. Powers, quotients and remainders of all levels: under 6 limbs each.
    limbs
        .saturating_mul(20 + 6 * 8)
        .saturating_add(div_scratch(limbs, limbs / 2))
        .saturating_add(64)
}

/// The number with the decimal digits `digits`, trimmed. Every byte must be an ASCII digit.
pub fn from_decimal(digits: &[u8]) -> Vec<u64> {
    parse(digits, &powers(digits.len(), PARSE_DIGITS))
}

/// `from_decimal` with the powers to split at.
fn parse(digits: &[u8], powers: &[Power]) -> Vec<u64> {
    let Some((power, smaller)) = powers.split_last() else {
        return parse_short(digits);
    };
    if digits.len() <= power.exponent {
        return parse(digits, smaller);
    }
    let (high, low) = digits.split_at(digits.len() - power.exponent);
    let (high, low) = (parse(high, smaller), parse(low, smaller));
    let mut product = vec![0; high.len() + power.five.len()];
    mul(&mut product, &high, &power.five);
    let mut out = vec![0; product.len() + power.exponent / 64 + 1];
    shl(&mut out, &product, power.exponent as u64);
    let carry = add_in_place(&mut out, &low);
    debug_assert!(!carry);
    out.truncate(len(&out));
    out
}

/// `from_decimal`, a limb's worth of digits at a time.
fn parse_short(digits: &[u8]) -> Vec<u64> {
    let mut out: Vec<u64> = Vec::with_capacity(digits.len() / CHUNK_DIGITS + 1);
    for chunk in digits.rchunks(CHUNK_DIGITS).rev() {
        let mut carry = chunk.iter().fold(0, |value, &digit| {
            debug_assert!(digit.is_ascii_digit(), "nat::from_decimal: not a digit");
            value * 10 + u64::from(digit & 15)
        });
        for limb in &mut out {
            (*limb, carry) = limb.carrying_mul(CHUNK, carry);
        }
        if carry != 0 {
            out.push(carry);
        }
    }
    out
}

/// Bound on the heap that `from_decimal` takes for `digits` digits, in bytes, the result included.
pub fn from_decimal_scratch(digits: usize) -> usize {
    let limbs = digits / CHUNK_DIGITS + 2;
    limbs
        .saturating_mul(6 * 8)
        .saturating_add(mul_scratch(limbs / 2, limbs / 2))
        .saturating_add(64)
}

/// The hexadecimal digits of `a`, lower case.
pub fn to_hex(a: &[u64]) -> Vec<u8> {
    let nibbles = bit_len(a).div_ceil(4).max(1);
    (0..nibbles)
        .rev()
        .map(|i| b"0123456789abcdef"[super::limb_at(a, 4 * i) as usize % 16])
        .collect()
}

/// The number with the hexadecimal digits `digits`, trimmed. Every byte must be an ASCII
/// hexadecimal digit; letters may be of either case.
pub fn from_hex(digits: &[u8]) -> Vec<u64> {
    let mut out: Vec<u64> = digits
        .rchunks(16)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |value, &digit| value << 4 | hex_digit(digit))
        })
        .collect();
    out.truncate(len(&out));
    out
}

/// The value of an ASCII hexadecimal digit.
#[inline]
fn hex_digit(digit: u8) -> u64 {
    debug_assert!(digit.is_ascii_hexdigit(), "nat::from_hex: not a digit");
    let letter = u64::from(digit >> 6);
    u64::from(digit & 15) + 9 * letter
}
