//! Every operation of the room against `num-bigint`.
//!
//! Invariants:
//! - A release run makes `CASES` comparisons over all operations together; a debug run makes
//!   fewer, in the same proportions.
//! - Operands have 0 to about 10,000 bits; `at_a_million_bits` has the few long ones.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::Zero;
use proptest::prelude::*;

use super::model::{Rng, big, blank, power_of_two};
use super::*;

/// Comparisons in a run.
const CASES: u64 = if cfg!(debug_assertions) {
    40_000
} else {
    1_000_000
};

/// Limbs of about 10,000 bits.
const MAX: usize = 157;

/// One random comparison.
type Check = fn(&mut Rng);

/// All comparisons, with their shares of `CASES`.
const CHECKS: [(&str, u64, Check); 20] = [
    ("size", 4, check_size),
    ("cmp", 4, check_cmp),
    ("add", 8, check_add),
    ("sub", 8, check_sub),
    ("step", 4, check_step),
    ("mul", 10, check_mul),
    ("sqr", 4, check_sqr),
    ("mul_limb", 2, check_mul_limb),
    ("pow", 2, check_pow),
    ("div_rem", 12, check_div_rem),
    ("div_rem near a multiple", 6, check_div_rem_near),
    ("div_rem_limb", 4, check_div_rem_limb),
    ("shift", 8, check_shift),
    ("extract", 6, check_extract),
    ("deposit", 8, check_deposit),
    ("bit", 4, check_bit),
    ("logic", 4, check_logic),
    ("bytes", 6, check_bytes),
    ("decimal", 2, check_decimal),
    ("hex", 2, check_hex),
];

#[test]
fn against_the_model() {
    let shares: u64 = CHECKS.iter().map(|(_, share, _)| share).sum();
    let mut done = 0;
    for (i, (name, share, check)) in CHECKS.iter().enumerate() {
        let cases = (CASES * share).div_ceil(shares);
        let mut rng = Rng::new(0x9e37_79b9_7f4a_7c15 ^ i as u64);
        for _ in 0..cases {
            check(&mut rng);
        }
        std::println!("{name}: {cases} cases");
        done += cases;
    }
    assert!(done >= CASES);
}

fn check_size(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let model = big(&a);
    assert_eq!(bit_len(&a), model.bits());
    assert_eq!(byte_len(&a), model.bits().div_ceil(8));
    assert_eq!(len(&a) as u64, model.bits().div_ceil(64));
    assert_eq!(trim(&a).len(), len(&a));
    assert_eq!(is_zero(&a), model.is_zero());
    assert_eq!(trailing_zeros(&a), model.trailing_zeros().unwrap_or(0));
}

fn check_cmp(rng: &mut Rng) {
    let (a, b) = rng.pair(MAX);
    assert_eq!(super::cmp(&a, &b), big(&a).cmp(&big(&b)));
}

fn check_add(rng: &mut Rng) {
    let (a, b) = rng.pair(MAX);
    let sum = big(&a) + big(&b);
    let mut out = blank(len(&a).max(len(&b)) + 1 + rng.below(3) as usize);
    add(&mut out, &a, &b);
    assert_eq!(big(&out), sum);
    if len(&b) <= a.len() {
        let mut inout = a.clone();
        let carry = add_in_place(&mut inout, &b);
        let top = power_of_two(64 * a.len() as u64) * u32::from(carry);
        assert_eq!(big(&inout) + top, sum);
    }
}

fn check_sub(rng: &mut Rng) {
    let (mut a, mut b) = rng.pair(MAX);
    if super::cmp(&a, &b).is_lt() {
        core::mem::swap(&mut a, &mut b);
    }
    let difference = big(&a) - big(&b);
    let mut out = blank(len(&a) + rng.below(3) as usize);
    sub(&mut out, &a, &b);
    assert_eq!(big(&out), difference);
    let mut inout = a.clone();
    assert!(!sub_in_place(&mut inout, &b));
    assert_eq!(big(&inout), difference);
    if !difference.is_zero() && len(&a) <= b.len() {
        assert!(sub_in_place(&mut b, &a));
        assert_eq!(big(&b) + difference, power_of_two(64 * b.len() as u64));
    }
}

fn check_step(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let wrap = power_of_two(64 * a.len() as u64);
    let mut up = a.clone();
    let carry = inc(&mut up);
    assert_eq!(big(&up) + &wrap * u32::from(carry), big(&a) + 1u32);
    let mut down = a.clone();
    let borrow = dec(&mut down);
    assert_eq!(big(&down) + 1u32, big(&a) + wrap * u32::from(borrow));
}

fn check_mul(rng: &mut Rng) {
    let (a, b) = rng.pair(MAX);
    let mut out = blank(len(&a) + len(&b) + rng.below(3) as usize);
    mul(&mut out, &a, &b);
    assert_eq!(big(&out), big(&a) * big(&b));
    let product = core::mem::replace(&mut out, blank(a.len() + b.len()));
    mul_schoolbook(&mut out, &a, &b);
    assert_eq!(trim(&out), trim(&product));
}

fn check_sqr(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let model = big(&a) * big(&a);
    let mut out = blank(2 * len(&a) + rng.below(3) as usize);
    sqr(&mut out, &a);
    assert_eq!(big(&out), model);
    out.fill(u64::MAX);
    mul(&mut out, &a, &a);
    assert_eq!(big(&out), model);
    out.fill(u64::MAX);
    sqr_schoolbook(&mut out, &a);
    assert_eq!(big(&out), model);
}

fn check_mul_limb(rng: &mut Rng) {
    let (a, m) = (rng.nat(MAX), rng.nat_of(1)[0]);
    let mut out = blank(len(&a) + 1 + rng.below(3) as usize);
    mul_limb(&mut out, &a, m);
    assert_eq!(big(&out), big(&a) * m);
}

fn check_pow(rng: &mut Rng) {
    let b = rng.nat(4);
    let e = rng.below(2_000 / bit_len(&b).max(1) + 3);
    assert_eq!(big(&pow(&b, e)), big(&b).pow(e as u32));
}

/// Divides and compares quotient, remainder and the identity that defines them.
fn divide(rng: &mut Rng, a: &[u64], b: &[u64]) {
    if is_zero(b) {
        return;
    }
    let extra = rng.below(3) as usize;
    let mut q = blank((len(a) + 1).saturating_sub(len(b)) + extra);
    let mut r = blank(len(b) + extra);
    div_rem(&mut q, &mut r, a, b);
    let (quotient, rest) = big(a).div_rem(&big(b));
    assert_eq!(big(&q), quotient, "quotient of {a:x?} by {b:x?}");
    assert_eq!(big(&r), rest, "remainder of {a:x?} by {b:x?}");
    if a.len() <= 4 * MAX {
        let (large_q, large_r) = (q.clone(), r.clone());
        q.fill(u64::MAX);
        r.fill(u64::MAX);
        div_rem_schoolbook(&mut q, &mut r, a, b);
        assert_eq!((q, r), (large_q, large_r), "{a:x?} by {b:x?}");
    }
}

fn check_div_rem(rng: &mut Rng) {
    let (a, b) = rng.pair(MAX);
    divide(rng, &a, &b);
}

/// Dividends at or beside a multiple of the divisor, where quotient digits are corrected.
fn check_div_rem_near(rng: &mut Rng) {
    let (b, m) = (rng.nat(MAX), rng.nat(MAX));
    let mut a = blank(b.len() + m.len() + 1);
    mul(&mut a, &b, &m);
    match rng.below(4) {
        0 => {}
        1 => _ = inc(&mut a),
        2 => _ = dec(&mut a),
        _ => _ = add_in_place(&mut a, &rng.nat(b.len())),
    }
    divide(rng, &a, &b);
}

fn check_div_rem_limb(rng: &mut Rng) {
    let (a, d) = (rng.nat(MAX), rng.nat_of(1)[0].max(1));
    let mut q = blank(len(&a) + rng.below(3) as usize);
    let rest = div_rem_limb(&mut q, &a, d);
    let (quotient, model) = big(&a).div_rem(&BigUint::from(d));
    assert_eq!(big(&q), quotient);
    assert_eq!(BigUint::from(rest), model);
}

fn check_shift(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let up = if is_zero(&a) {
        rng.offset(8)
    } else {
        rng.below(700)
    };
    let room = if is_zero(&a) {
        3
    } else {
        (bit_len(&a) + up).div_ceil(64) as usize
    };
    let mut out = blank(room + rng.below(3) as usize);
    shl(&mut out, &a, up);
    assert_eq!(
        big(&out),
        if is_zero(&a) {
            BigUint::ZERO
        } else {
            big(&a) << up
        }
    );

    let down = rng.offset(a.len());
    let mut out = blank(rng.limbs(MAX));
    shr(&mut out, &a, down);
    let model = if down >= 64 * MAX as u64 {
        BigUint::ZERO
    } else {
        big(&a) >> down
    };
    assert_eq!(big(&out), model % power_of_two(64 * out.len() as u64));
}

/// The model of `extract`: (a >> off) mod 2^width.
fn range(a: &[u64], off: u64, width: u64) -> BigUint {
    let shifted = if off >= bit_len(a) {
        BigUint::ZERO
    } else {
        big(a) >> off
    };
    if width >= shifted.bits() {
        shifted
    } else {
        shifted % power_of_two(width)
    }
}

fn check_extract(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let (off, width) = (rng.offset(a.len()), rng.offset(a.len()));
    let need = width.min(bit_len(&a).saturating_sub(off)).div_ceil(64) as usize;
    let mut out = blank(need + rng.below(3) as usize);
    extract(&mut out, &a, off, width);
    assert_eq!(big(&out), range(&a, off, width));
    assert_eq!(BigUint::from(limb_at(&a, off)), range(&a, off, 64));
}

fn check_deposit(rng: &mut Rng) {
    let (x, v) = (rng.nat(MAX), rng.nat(MAX / 2));
    let width = rng.offset(v.len());
    let part = range(&v, 0, width);
    let off = if part.is_zero() {
        rng.offset(x.len())
    } else {
        rng.below(64 * MAX as u64)
    };
    let model = big(&x) - shift_in(range(&x, off, width), off) + shift_in(part.clone(), off);
    let end = if part.is_zero() {
        0
    } else {
        (off + part.bits()).div_ceil(64) as usize
    };
    let mut inout = x.clone();
    inout.resize(x.len().max(end) + rng.below(2) as usize, 0);
    deposit(&mut inout, off, width, &v);
    assert_eq!(big(&inout), model, "{x:x?} off {off} width {width} {v:x?}");

    let mut cleared = x.clone();
    clear_bits(&mut cleared, off, width);
    assert_eq!(
        big(&cleared),
        big(&x) - shift_in(range(&x, off, width), off)
    );
}

/// `part · 2^off`, also where `off` is absurd and `part` is 0.
fn shift_in(part: BigUint, off: u64) -> BigUint {
    if part.is_zero() { part } else { part << off }
}

fn check_bit(rng: &mut Rng) {
    let mut a = rng.nat(MAX);
    let i = rng.offset(a.len());
    let model = big(&a);
    let inside = i < 64 * a.len() as u64;
    assert_eq!(test(&a, i), inside && model.bit(i));
    clear(&mut a, i);
    assert!(!test(&a, i));
    let without = model.clone() - shift_in(BigUint::from(u32::from(inside && model.bit(i))), i);
    assert_eq!(big(&a), without);
    if inside {
        set(&mut a, i);
        assert_eq!(big(&a), without + power_of_two(i));
    }
}

fn check_logic(rng: &mut Rng) {
    let (a, b) = rng.pair(MAX);
    let extra = rng.below(3) as usize;
    let mut out = blank(len(&a).min(len(&b)) + extra);
    and(&mut out, &a, &b);
    assert_eq!(big(&out), big(&a) & big(&b));
    let mut out = blank(len(&a).max(len(&b)) + extra);
    or(&mut out, &a, &b);
    assert_eq!(big(&out), big(&a) | big(&b));
    xor(&mut out, &a, &b);
    assert_eq!(big(&out), big(&a) ^ big(&b));
}

fn check_bytes(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let bytes = as_bytes(&a);
    assert_eq!(BigUint::from_bytes_le(bytes), big(&a));
    let cut = rng.below(bytes.len() as u64 + 1) as usize;
    assert_eq!(
        big(&bytes_to_limbs(&bytes[..cut])),
        BigUint::from_bytes_le(&bytes[..cut])
    );

    let (off, n) = (
        rng.offset(a.len()) / [1, 8][rng.below(2) as usize],
        rng.below(9) as u32,
    );
    let window = range(&a, off.saturating_mul(8), 8 * u64::from(n));
    assert_eq!(BigUint::from(load_bytes(&a, off, n)), window);

    let (off, v) = (rng.below(bytes.len() as u64 + 9), rng.nat_of(1)[0]);
    let mut inout = a.clone();
    inout.resize(a.len() + 3, 0);
    store_bytes(&mut inout, off, n, v);
    let mut model = a.clone();
    model.resize(a.len() + 3, 0);
    deposit(&mut model, 8 * off, 8 * u64::from(n), &[v]);
    assert_eq!(inout, model);
}

fn check_decimal(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let digits = to_decimal(&a);
    assert_eq!(digits, big(&a).to_string().as_bytes());
    let mut padded = vec![b'0'; rng.below(40) as usize];
    padded.extend_from_slice(&digits);
    let back = from_decimal(&padded);
    assert_eq!(back, trim(&a));
}

fn check_hex(rng: &mut Rng) {
    let a = rng.nat(MAX);
    let mut digits = to_hex(&a);
    assert_eq!(digits, big(&a).to_str_radix(16).as_bytes());
    if rng.once_in(2) {
        digits.make_ascii_uppercase();
    }
    assert_eq!(from_hex(&digits), trim(&a));
}

/// The few long operands.
#[test]
fn at_a_million_bits() {
    let mut rng = Rng::new(20);
    let rounds = if cfg!(debug_assertions) { 1 } else { 6 };
    for _ in 0..rounds {
        for (la, lb) in [
            (15_625, 15_625),
            (15_700, 4_100),
            (16_384, 60),
            (8_200, 8_191),
        ] {
            let (a, b) = (rng.nat_of(la), rng.nat_of(lb));
            let mut out = blank(la + lb);
            mul(&mut out, &a, &b);
            assert_eq!(big(&out), big(&a) * big(&b));
            sqr(&mut out[..2 * lb], &b);
            assert_eq!(big(&out[..2 * lb]), big(&b) * big(&b));
            divide(&mut rng, &a, &b);
            divide(&mut rng, &out, &b);
        }
    }
    let a = rng.nat_of(15_625);
    let digits = to_decimal(&a);
    assert_eq!(digits, big(&a).to_string().as_bytes());
    assert_eq!(from_decimal(&digits), trim(&a));
}

/// Factors on both sides of every threshold and of all proportions, against the schoolbook
/// product, and quotients against the product that they undo.
#[test]
fn long_factors() {
    let mut rng = Rng::new(22);
    let rounds = if cfg!(debug_assertions) { 40 } else { 800 };
    for _ in 0..rounds {
        let (la, lb) = (rng.limbs(9_000), rng.limbs(3_000));
        let (a, b) = (rng.nat_of(la), rng.nat_of(lb));
        let mut product = blank(la + lb);
        let mut expected = product.clone();
        mul(&mut product, &a, &b);
        mul_schoolbook(&mut expected, &a, &b);
        assert!(product == expected, "{la} limbs by {lb}");
        let (mut square, mut expected) = (blank(2 * lb), blank(2 * lb));
        sqr(&mut square, &b);
        sqr_schoolbook(&mut expected, &b);
        assert!(square == expected, "square of {lb} limbs");
        if is_zero(&b) {
            continue;
        }
        // a·b + rest, divided by b.
        let mut rest = rng.nat_of(len(&b));
        rest.pop();
        let carry = add_in_place(&mut product, &rest);
        assert!(!carry);
        let (mut q, mut r) = (blank(la + lb + 1 - len(&b)), blank(len(&b)));
        div_rem(&mut q, &mut r, &product, &b);
        assert!(
            trim(&q) == trim(&a) && trim(&r) == trim(&rest),
            "{la} limbs times {lb}"
        );
    }
}

/// Lengths at which the pieces of the longer factor come out uneven.
#[test]
fn proportions_of_factors() {
    let mut rng = Rng::new(23);
    for lb in [29, 65, 300, 900, 901, 1_000, 1_100] {
        for la in [
            lb,
            lb + 1,
            2 * lb - 1,
            2 * lb + 1,
            3 * lb,
            3 * lb + 1,
            7 * lb / 2,
            5 * lb + 3,
        ] {
            let (a, b) = (rng.nat_of(la), rng.nat_of(lb));
            let (mut product, mut expected) = (blank(la + lb), blank(la + lb));
            mul(&mut product, &a, &b);
            mul_schoolbook(&mut expected, &a, &b);
            assert!(product == expected, "{la} limbs by {lb}");
        }
    }
}

/// Quotients with long runs of zero limbs, whose partial products vanish in the large division.
#[test]
fn sparse_quotients() {
    let mut rng = Rng::new(21);
    for n in [
        100,
        300,
        1_000,
        if cfg!(debug_assertions) { 2_000 } else { 9_000 },
    ] {
        let b = rng.nat_of(n);
        let mut m = vec![0; n];
        (m[0], m[n - 1]) = (rng.bits(), 1);
        let mut a = blank(2 * n);
        mul(&mut a, &b, &m);
        divide(&mut rng, &a, &b);
        a[..n].fill(0);
        divide(&mut rng, &a, &b);
        let mut power = vec![0; 2 * n];
        power[2 * n - 1] = 1;
        divide(&mut rng, &power, &b);
    }
}

/// Decimal digits at the lengths where the conversion changes its way.
#[test]
fn decimal_lengths() {
    for digits in (1..80)
        .chain(600..640)
        .chain(1_200..1_240)
        .chain(2_400..2_440)
    {
        let nines = vec![b'9'; digits];
        let a = from_decimal(&nines);
        assert_eq!(big(&a) + 1u32, BigUint::from(10u32).pow(digits as u32));
        assert_eq!(to_decimal(&a), nines);
        let power = to_decimal(&pow(&[10], digits as u64));
        assert!(power.len() == digits + 1 && power[0] == b'1');
        assert!(power[1..].iter().all(|&digit| digit == b'0'));
    }
    assert_eq!(to_decimal(&[]), b"0");
    assert_eq!(to_decimal(&[0, 0]), b"0");
    assert_eq!(from_decimal(b""), []);
    assert_eq!(to_hex(&[0]), b"0");
    assert_eq!(from_hex(b""), []);
}

#[test]
fn powers_at_the_edges() {
    assert_eq!(pow(&[], 0), [1]);
    assert_eq!(pow(&[0], 0), [1]);
    assert_eq!(pow(&[0, 0], u64::MAX), []);
    assert_eq!(pow(&[1, 0], u64::MAX), [1]);
    assert_eq!(pow(&[2], 64), [0, 1]);
    assert_eq!(pow(&[0, 1], 3), [0, 0, 0, 1]);
}

#[test]
#[should_panic(expected = "division by zero")]
fn division_by_zero_is_refused() {
    div_rem(&mut [0], &mut [0], &[1], &[0]);
}

#[test]
fn scratch_is_zero_below_the_thresholds() {
    assert_eq!(mul_scratch(1_000_000, 4), 0);
    assert_eq!(div_scratch(1_000_000, 4), 0);
    assert_eq!(div_scratch(1_000_000, 1_000_000), 0);
    assert!(mul_scratch(16_384, 16_384) >= 4 * 2 * 16_384 * 8);
    assert!(mul_scratch(usize::MAX, usize::MAX) == usize::MAX);
    assert!(div_scratch(usize::MAX, usize::MAX / 2) == usize::MAX);
}

/// Limbs with many ones and zeros.
fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(1 << 63),
        any::<u64>()
    ]
}

/// Numbers of 0 to 99 limbs, which covers both sides of every threshold.
fn nat() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![
        prop::collection::vec(limb(), 0..6),
        prop::collection::vec(limb(), 0..100)
    ]
}

proptest! {
    #[test]
    fn sums_and_differences(a in nat(), b in nat()) {
        let mut sum = blank(a.len().max(b.len()) + 1);
        add(&mut sum, &a, &b);
        prop_assert_eq!(big(&sum), big(&a) + big(&b));
        let mut back = blank(sum.len());
        sub(&mut back, &sum, &a);
        prop_assert_eq!(big(&back), big(&b));
    }

    #[test]
    fn products(a in nat(), b in nat()) {
        let mut product = blank(a.len() + b.len());
        mul(&mut product, &a, &b);
        prop_assert_eq!(big(&product), big(&a) * big(&b));
    }

    #[test]
    fn quotients(a in nat(), b in nat()) {
        prop_assume!(!is_zero(&b));
        let mut q = blank(a.len() + 1);
        let mut r = blank(b.len());
        div_rem(&mut q, &mut r, &a, &b);
        prop_assert!(super::cmp(&r, &b).is_lt());
        prop_assert_eq!(big(&q) * big(&b) + big(&r), big(&a));
    }

    #[test]
    fn ranges_of_bits(a in nat(), v in nat(), off in 0u64..7_000, width in 0u64..7_000) {
        let mut inout = a.clone();
        inout.resize(250, 0);
        deposit(&mut inout, off, width, &v);
        let mut back = blank(120);
        extract(&mut back, &inout, off, width);
        prop_assert_eq!(big(&back), range(&v, 0, width));
        clear_bits(&mut inout, off, width);
        let mut rest = a.clone();
        clear_bits(&mut rest, off, width);
        prop_assert_eq!(trim(&inout), trim(&rest));
    }

    #[test]
    fn decimal_round_trip(a in nat()) {
        prop_assert_eq!(from_decimal(&to_decimal(&a)), trim(&a));
    }
}
