//! Tests of the processor check at start-up, `asm/cpu.s`: x86-64-v3 or a clear refusal.
//!
//! The check is assembly, called first thing by `asm/start.s`: compiled Rust may use the very
//! instructions that are being checked for. Hence this file exists in tests only.
//!
//! Invariants (of the assembly):
//! - no instruction beyond plain x86-64 runs before the check has passed;
//! - the refusal is one line on standard error and status 70.
//!
//! Safety: the routines read `cpuid` and `xgetbv`, touch no memory and follow the C convention.
#![allow(unsafe_code)]

core::arch::global_asm!(include_str!("../../asm/cpu.s"));

unsafe extern "C" {
    /// 1 if this processor, under this kernel, runs x86-64-v3 code; 0 if not.
    safe fn plan_cpu_fits() -> u32;
    /// The judgement of [`plan_cpu_fits`] over given registers: `ecx` of leaf 1, `ebx` of leaf
    /// 7, `ecx` of leaf 0x8000_0001 and the low half of `xcr0`.
    safe fn plan_cpu_judge(leaf1: u32, leaf7: u32, extended: u32, xcr0: u32) -> u32;
}

/// SSE3, SSSE3, FMA, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE, POPCNT, OSXSAVE, AVX, F16C.
const LEAF1: [u32; 11] = [0, 9, 12, 13, 19, 20, 22, 23, 27, 28, 29];
/// BMI1, AVX2, BMI2.
const LEAF7: [u32; 3] = [3, 5, 8];
/// LAHF in 64-bit mode, LZCNT.
const EXTENDED: [u32; 2] = [0, 5];
/// The kernel saves the SSE and the AVX registers.
const XCR0: [u32; 2] = [1, 2];

fn mask(bits: &[u32]) -> u32 {
    bits.iter().map(|bit| 1 << bit).sum()
}

#[test]
fn the_host_agrees() {
    let host = std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("fma")
        && std::is_x86_feature_detected!("f16c")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("movbe");
    assert_eq!(plan_cpu_fits() != 0, host);
}

#[test]
fn every_single_missing_feature_is_noticed() {
    let full = [mask(&LEAF1), mask(&LEAF7), mask(&EXTENDED), mask(&XCR0)];
    let judge = |r: [u32; 4]| plan_cpu_judge(r[0], r[1], r[2], r[3]);
    assert_eq!(judge(full), 1);
    assert_eq!(judge([u32::MAX; 4]), 1);
    assert_eq!(judge([0; 4]), 0);
    let sets: [&[u32]; 4] = [&LEAF1, &LEAF7, &EXTENDED, &XCR0];
    for (i, bits) in sets.iter().enumerate() {
        for bit in *bits {
            let mut less = [u32::MAX; 4];
            less[i] &= !(1 << bit);
            assert_eq!(judge(less), 0, "register {i}, bit {bit}");
        }
    }
}
