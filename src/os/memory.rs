//! Tests of the memory routines, `asm/memory.s`, against slices of the host.
//!
//! The executable has the routines under their standard names; here they carry their own, beside
//! those of the C library. Hence this file exists in tests only.
//!
//! Safety: every call stays within one buffer whose bounds the tests choose.
#![allow(unsafe_code)]

use proptest::prelude::*;
use std::cmp::Ordering;

core::arch::global_asm!(include_str!("../../asm/memory.s"));

unsafe extern "C" {
    fn plan_memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8;
    fn plan_memset(to: *mut u8, byte: i32, n: usize) -> *mut u8;
    fn plan_memcmp(a: *const u8, b: *const u8, n: usize) -> i32;
}

/// Sizes at which the routines change their method, and the ones around them.
const BORDERS: [usize; 14] = [0, 1, 4, 8, 16, 32, 64, 96, 128, 160, 256, 384, 2048, 5000];

fn sizes() -> impl Iterator<Item = usize> {
    (0..300).chain(BORDERS.into_iter().flat_map(|n| n.saturating_sub(2)..n + 3))
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// Moves inside one buffer and compares with `copy_within`.
fn check_move(buffer: &[u8], to: usize, from: usize, n: usize) {
    let (mut ours, mut model) = (buffer.to_vec(), buffer.to_vec());
    model.copy_within(from..from + n, to);
    let base = ours.as_mut_ptr();
    // SAFETY: both ranges are inside `ours`, as the model's indexing has just checked.
    let result = unsafe { plan_memmove(base.add(to), base.add(from), n) };
    assert_eq!(result.addr(), base.addr() + to);
    assert!(ours == model, "to {to}, from {from}, {n} bytes");
}

fn check_set(to: usize, n: usize, byte: i32) {
    let mut ours = pattern(to + n + 70);
    let mut model = ours.clone();
    model[to..to + n].fill(byte as u8);
    // SAFETY: the range is inside `ours`.
    let result = unsafe { plan_memset(ours.as_mut_ptr().add(to), byte, n) };
    assert_eq!(result.addr(), ours.as_ptr().addr() + to);
    assert!(ours == model, "{n} bytes at {to}");
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    assert_eq!(a.len(), b.len());
    // SAFETY: both slices have that many bytes.
    unsafe { plan_memcmp(a.as_ptr(), b.as_ptr(), a.len()) }.cmp(&0)
}

#[test]
fn every_size_moves_whole_in_either_direction() {
    for n in sizes() {
        let buffer = pattern(2 * n + 200);
        for gap in [0, 1, 7, 31, 32, 63, 100, n] {
            check_move(&buffer, 5, 5 + gap, n);
            check_move(&buffer, 5 + gap, 5, n);
        }
    }
}

#[test]
fn every_size_is_filled_and_nothing_more() {
    for n in sizes() {
        for to in [0, 1, 13, 31] {
            check_set(to, n, 0xa5);
        }
        check_set(3, n, -256 + 7);
        check_set(64, n, 0);
    }
}

#[test]
fn the_first_difference_decides() {
    for n in (0..140).chain([255, 1000]) {
        let a = pattern(n);
        assert_eq!(compare(&a, &a.clone()), Ordering::Equal);
        for at in 0..n {
            let mut b = a.clone();
            b[at] = a[at].wrapping_add(100);
            // A later difference of the other sign must not matter.
            if at + 1 < n {
                b[n - 1] = a[n - 1].wrapping_sub(100);
            }
            assert_eq!(compare(&a, &b), a.cmp(&b), "{n} bytes, difference at {at}");
            assert_eq!(compare(&b, &a), b.cmp(&a), "{n} bytes, difference at {at}");
        }
    }
}

proptest! {
    #[test]
    fn moves_agree_with_the_model(to in 0usize..9000, from in 0usize..9000, n in 0usize..9000) {
        check_move(&pattern(18_000), to, from, n);
    }

    #[test]
    fn comparisons_agree_with_the_model(
        a in prop::collection::vec(0u8..3, 0..300),
        at in any::<prop::sample::Index>(),
    ) {
        let mut b = a.clone();
        if !b.is_empty() {
            let i = at.index(b.len());
            b[i] ^= 1;
        }
        prop_assert_eq!(compare(&a, &b), a.cmp(&b));
    }
}
