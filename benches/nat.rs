//! Times of the natural-number operations, and a check of their bounds on temporary heap.
//!
//! A plain program: it prints the schoolbook routines of `plan::nat` beside those that choose by
//! length, in nanoseconds, then the operations at sizes from one limb to 2^20
//! bits, then the greatest share of each announced `*_scratch` bound that was really taken. It
//! ends with status 1 when a bound was exceeded.
//!
//! Invariants:
//! - A time is the least of several repetitions, so that other work on the machine adds little.
//!
//! Safety: the counting allocator hands every request on to the system's allocator unchanged.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use plan::nat;

/// The system's allocator, with a count of the bytes held and of their maximum.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: both methods meet their contracts because `System` does; the counts touch no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: the caller's guarantees are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `place` came from `alloc` above, that is from `System`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    thresholds();
    sizes();
    if scratch() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// `n` limbs without structure.
fn random(n: usize, seed: u64) -> Vec<u64> {
    let mut x = seed | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x | 1 << 63
    };
    (0..n).map(|_| next()).collect()
}

/// Nanoseconds that `work` takes, the least of seven repetitions of about a third of a
/// millisecond.
fn time(mut work: impl FnMut()) -> f64 {
    let mut repeat = 1u32;
    let mut run = |n: u32| {
        let start = Instant::now();
        (0..n).for_each(|_| work());
        start.elapsed()
    };
    while run(repeat).as_micros() < 300 {
        repeat *= 2;
    }
    let best = (0..7).map(|_| run(repeat)).min().unwrap_or_default();
    best.as_secs_f64() * 1e9 / f64::from(repeat)
}

/// Schoolbook beside the chosen routine around the lower thresholds.
fn thresholds() {
    println!("limbs |  mul school   chosen |  sqr school   chosen | div school   chosen");
    for n in [16, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 96, 128] {
        let (a, b, c) = (random(n, 7), random(n, 77), random(2 * n, 5));
        let (mut out, mut q, mut r) = (vec![0; 2 * n], vec![0; n + 1], vec![0; n]);
        println!(
            "{n:5} | {:11.0} {:8.0} | {:11.0} {:8.0} | {:10.0} {:8.0}",
            time(|| nat::mul_schoolbook(black_box(&mut out), &a, &b)),
            time(|| nat::mul(black_box(&mut out), &a, &b)),
            time(|| nat::sqr_schoolbook(black_box(&mut out), &a)),
            time(|| nat::sqr(black_box(&mut out), &a)),
            time(|| nat::div_rem_schoolbook(black_box(&mut q), &mut r, &c, &b)),
            time(|| nat::div_rem(black_box(&mut q), &mut r, &c, &b)),
        );
    }
}

/// The operations from one limb to 2^20 bits; quotients are of twice the length by the length.
fn sizes() {
    println!("\nlimbs |     add |  by limb |        mul |        sqr |        div | / limb");
    println!("      |    print |     parse");
    for n in [
        1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 1_024, 4_000, 4_096, 8_192, 16_384,
    ] {
        let (a, b, c) = (random(n, 7), random(n, 77), random(2 * n, 5));
        let (mut out, mut q, mut r) = (vec![0; 2 * n], vec![0; n + 1], vec![0; n]);
        let digits = nat::to_decimal(&a);
        println!(
            "{n:5} | {:7.1} | {:8.1} | {:10.1} | {:10.1} | {:10.1} | {:8.1}",
            time(|| nat::add(black_box(&mut q), black_box(&a), black_box(&b))),
            time(|| nat::mul_limb(black_box(&mut q), black_box(&a), black_box(b[0]))),
            time(|| nat::mul(black_box(&mut out), black_box(&a), black_box(&b))),
            time(|| nat::sqr(black_box(&mut out), black_box(&a))),
            time(|| nat::div_rem(black_box(&mut q), &mut r, black_box(&c), black_box(&b))),
            time(|| _ = nat::div_rem_limb(black_box(&mut q), black_box(&a), black_box(b[0]))),
        );
        println!(
            "      | {:8.0} | {:9.0}",
            time(|| _ = black_box(nat::to_decimal(black_box(&a)))),
            time(|| _ = black_box(nat::from_decimal(black_box(&digits)))),
        );
    }
}

/// Bytes that `work` holds at most, beyond what is held before.
fn peak(work: impl FnOnce()) -> usize {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed) - before
}

/// Compares the announced bounds on temporary heap with what was taken; whether all held.
fn scratch() -> bool {
    let lengths = [
        1, 40, 53, 81, 82, 97, 113, 130, 200, 500, 1_500, 3_999, 4_001, 5_000, 9_000,
    ];
    let mut worst = [
        ("mul", 0.0),
        ("div", 0.0),
        ("pow", 0.0),
        ("print", 0.0),
        ("parse", 0.0),
    ];
    let mut note = |which: usize, taken: usize, bound: usize| {
        let share = if taken == 0 {
            0.0
        } else {
            taken as f64 / bound as f64
        };
        if share > 1.0 {
            println!("{}: {taken} bytes taken, {bound} announced", worst[which].0);
        }
        worst[which].1 = share.max(worst[which].1);
    };
    for la in lengths {
        for lb in lengths {
            let (a, b) = (random(la, 3), random(lb, 5));
            let mut out = vec![0; la + lb];
            let taken = peak(|| nat::mul(&mut out, &a, &b));
            note(0, taken, nat::mul_scratch(la, lb));
            let (mut q, mut r) = (vec![0; la + 1], vec![0; lb]);
            let taken = peak(|| nat::div_rem(&mut q, &mut r, &a, &b));
            note(1, taken, nat::div_scratch(la, lb));
            let taken = peak(|| nat::div_rem(&mut q, &mut r, &out, &b));
            note(1, taken, nat::div_scratch(la + lb, lb));
        }
        let a = random(la, 7);
        let mut out = vec![0; 2 * la];
        note(0, peak(|| nat::sqr(&mut out, &a)), nat::mul_scratch(la, la));
        for (base, bits) in [
            (vec![3], 2),
            (vec![u64::MAX], 64),
            (random(la, 9), 64 * la as u64),
        ] {
            let e = (64 * la as u64 / bits).max(3);
            note(
                2,
                peak(|| _ = nat::pow(&base, e)),
                nat::pow_scratch(bits * e),
            );
        }
        let digits = nat::to_decimal(&a);
        note(
            3,
            peak(|| _ = nat::to_decimal(&a)),
            nat::to_decimal_scratch(la),
        );
        note(
            4,
            peak(|| _ = nat::from_decimal(&digits)),
            nat::from_decimal_scratch(digits.len()),
        );
    }
    println!("\ntemporary heap, greatest share of the announced bound:");
    worst
        .iter()
        .for_each(|(name, share)| println!("{name:>6} {:5.1} %", share * 100.0));
    worst.iter().all(|&(_, share)| share <= 1.0)
}
