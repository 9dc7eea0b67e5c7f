//! Tests of the processor check at start-up, `asm/cpu.s`: x86-64-v3 or a clear refusal.
//!
//! The check is assembly, called first thing by `asm/start.s`: compiled Rust may use the very
//! instructions that are being checked for. Hence this file exists in tests only.
//!
//! Invariants (of the assembly):
//! - no instruction beyond plain x86-64 runs before the check has passed, but where it is tried;
//! - the refusal is one line on standard error and status 70.
//!
//! Safety: the routines follow the C convention; what is tried writes no memory.
#![allow(unsafe_code)]

use super::sys::{Sysno, call};

core::arch::global_asm!(include_str!("../../asm/cpu.s"));

unsafe extern "C" {
    /// 1 if this processor, under this kernel, runs x86-64-v3 code; 0 if not.
    safe fn plan_cpu_fits() -> u32;
    /// What the code at this address gives; 0 if that is no instruction.
    fn plan_cpu_try(code: *const u8) -> u32;
    /// What [`plan_cpu_fits`] tries.
    static plan_cpu_probe: u8;
    /// Its end.
    static plan_cpu_probe_end: u8;
}

/// How the instructions of the probe begin: vpaddd, vfmadd132ps, vcvtph2ps, andn, bzhi, movbe,
/// lzcnt.
const TRIED: [&[u8]; 7] = [
    &[0xc5, 0xfd, 0xfe],
    &[0xc4, 0xe2, 0x79, 0x98],
    &[0xc4, 0xe2, 0x79, 0x13],
    &[0xc4, 0xe2, 0x78, 0xf2],
    &[0xc4, 0xe2, 0x78, 0xf5],
    &[0x0f, 0x38, 0xf0],
    &[0xf3, 0x0f, 0xbd],
];

/// The signal of an instruction that is none, and what the kernel does with it.
fn action() -> [u64; 4] {
    let mut found = [0; 4];
    // SAFETY: the kernel writes the 32 bytes of the action of signal 4.
    unsafe { call(Sysno::rt_sigaction, [4, 0, found.as_mut_ptr().addr(), 8]) }.unwrap();
    found
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
    every_single_refused_instruction_is_noticed();
}

/// Not a test of its own: there is one handler per process.
fn every_single_refused_instruction_is_noticed() {
    let before = action();
    // SAFETY: both are labels of the same code.
    let code = unsafe {
        let start = &raw const plan_cpu_probe;
        let len = (&raw const plan_cpu_probe_end).offset_from_unsigned(start);
        core::slice::from_raw_parts(start, len)
    };
    // A private page that can be written and executed.
    // SAFETY: the kernel chooses where.
    let page = unsafe { call(Sysno::mmap, [0, 4096, 7, 0x22, usize::MAX, 0]) }.unwrap();
    let page: *mut u8 = core::ptr::with_exposed_provenance_mut(page);
    let run = |patch: Option<(usize, &[u8])>| {
        // SAFETY: the page has room for the code, which does not depend on where it is.
        unsafe {
            page.copy_from_nonoverlapping(code.as_ptr(), code.len());
            if let Some((at, bytes)) = patch {
                page.add(at)
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            }
            plan_cpu_try(page)
        }
    };
    assert_eq!(run(None), 1);
    for tried in TRIED {
        let at: Vec<_> = (0..code.len())
            .filter(|i| code[*i..].starts_with(tried))
            .collect();
        assert_eq!(at.len(), 1, "{tried:x?} in {code:x?}");
        // The instruction ud2, which no processor has.
        assert_eq!(run(Some((at[0], &[0x0f, 0x0b]))), 0, "{tried:x?}");
        if *tried == [0xf3, 0x0f, 0xbd] {
            // What an old processor takes it for.
            assert_eq!(run(Some((at[0], &[0x90]))), 0, "bsr");
        }
    }
    assert_eq!(action(), before);
}
