//! Scenarios of starting, ending and refusing threads.

use crate::say;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use plan::os::{Errno, clock, file, sys};
use plan::sync::thread::STACK_BYTES;
use plan::sync::{JoinHandle, spawn};

/// Runs the scenario of this name; whether there is one.
pub fn run(name: &[u8], count: Option<u32>) -> bool {
    match name {
        b"create" => create(count.unwrap_or(10_000)),
        b"order" => order(),
        b"stack" => stack(),
        b"allocate" => allocate(),
        b"overflow" => overflow(),
        b"overflow-main" => say(format_args!("{}", deeper(0))),
        b"no-clone3" => no_clone3(),
        b"no-clone" => no_clone(),
        _ => return false,
    }
    true
}

/// Mappings of this process, and the bytes of its address space.
fn mappings() -> (usize, usize) {
    let maps = file::read_whole(b"/proc/self/maps").expect("/proc is there");
    let hex = |digits: &[u8]| {
        let text = core::str::from_utf8(digits).expect("ASCII");
        usize::from_str_radix(text, 16).expect("an address")
    };
    let lines = maps
        .split(|byte| *byte == b'\n')
        .filter(|it| !it.is_empty());
    lines.fold((0, 0), |(count, bytes), line| {
        let mut ends = line.split(|byte| matches!(byte, b'-' | b' '));
        let mut end = || hex(ends.next().expect("two ends"));
        let (from, to) = (end(), end());
        (count + 1, bytes + to - from)
    })
}

/// Threads one after the other and in crowds leave nothing behind.
fn create(count: u32) {
    let sum = Arc::new(AtomicU32::new(0));
    let start = |i| {
        let sum = Arc::clone(&sum);
        spawn(STACK_BYTES, move || sum.fetch_add(i, Relaxed)).expect("a thread")
    };
    let crowd = |first: u32| {
        let crowd: Vec<_> = (first..first + 50).map(start).collect();
        crowd.into_iter().for_each(drop);
    };
    // Whatever the first ones need once.
    crowd(0);
    sum.store(0, Relaxed);
    let (before, time) = (mappings(), clock::monotonic().expect("a clock"));
    let half = count / 100 * 50;
    for i in 0..half {
        start(i).join();
    }
    (half..2 * half).step_by(50).for_each(crowd);
    let time = clock::monotonic().expect("a clock") - time;
    assert_eq!(mappings(), before, "mappings are left");
    let all = (0..2 * half).fold(0, u32::wrapping_add);
    assert_eq!(sum.load(Relaxed), all);
    say(format_args!(
        "{} threads, {} ns each, {} mappings",
        2 * half,
        time / u64::from(2 * half),
        before.0
    ));
}

/// Results come whatever the order of joining, also of threads that have long ended.
fn order() {
    for stride in [1, 7, 19] {
        let mut threads: Vec<Option<JoinHandle<usize>>> = (0..20usize)
            .map(|i| Some(spawn(STACK_BYTES, move || i * i).expect("a thread")))
            .collect();
        for n in 0..20 {
            let i = n * stride % 20;
            let thread = threads[i].take().expect("joined once");
            while n % 2 == 0 && !thread.is_finished() {
                core::hint::spin_loop();
            }
            assert_eq!(thread.join(), i * i);
        }
    }
}

/// What [`stack`] finds inside a thread.
#[inline(never)]
fn at_entry() -> (usize, u64) {
    let frame: usize;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, rsp", out(reg) frame, options(nomem, nostack)) };
    // A spill of 32 aligned bytes faults on a stack that is not aligned as the convention wants.
    let mut wide = [1u64, 2, 3, 4];
    // SAFETY: reads and writes the 32 bytes, which fit an unaligned access; AVX2 is required.
    unsafe {
        core::arch::asm!("vmovdqu {v}, [{at}]", "vpaddq {v}, {v}, {v}", "vmovdqu [{at}], {v}",
            at = in(reg) wide.as_mut_ptr(), v = out(ymm_reg) _, options(nostack));
    }
    (frame, wide.iter().sum())
}

/// The stack is aligned, its own, and as large as asked for; the last page of it can be used.
fn stack() {
    #[repr(align(32))]
    struct Aligned([u64; 4]);
    let own = 0u8;
    for bytes in [1 << 14, 1 << 16, STACK_BYTES] {
        let (aligned, frame, sum) = spawn(bytes, move || {
            let local = core::hint::black_box(Aligned([0; 4]));
            let (frame, sum) = at_entry();
            (local.0.as_ptr().addr(), frame, sum)
        })
        .expect("a thread")
        .join();
        assert_eq!((aligned % 32, sum), (0, 20));
        assert!(frame.abs_diff((&raw const own).addr()) > bytes);
    }
    let used = spawn(1 << 16, || {
        let mut most = [0u8; 50_000];
        core::hint::black_box(&mut most).fill(1);
        most.iter().map(|byte| usize::from(*byte)).sum::<usize>()
    });
    assert_eq!(used.expect("a thread").join(), 50_000);
}

/// Threads use the allocator of the executable at once, and free what others made.
fn allocate() {
    let threads: Vec<_> = (1..9u32)
        .map(|seed| {
            let body = move || {
                let mut kept: Vec<Vec<u32>> = Vec::new();
                for n in 0..20_000u32 {
                    let i = n.wrapping_mul(2_654_435_761).wrapping_add(seed) as usize;
                    if kept.len() < 64 {
                        kept.push(alloc::vec![n; 1 + i % 300]);
                    } else {
                        let old = kept.swap_remove(i % 64);
                        assert!(old.iter().all(|word| *word == old[0]));
                    }
                }
                kept
            };
            spawn(STACK_BYTES, body).expect("a thread")
        })
        .collect();
    for block in threads.into_iter().flat_map(JoinHandle::join) {
        assert!(block.iter().all(|word| *word == block[0]));
    }
}

#[allow(unconditional_recursion)] // that is what it is for
fn deeper(depth: u64) -> u64 {
    let local = core::hint::black_box([depth; 64]);
    core::hint::black_box(deeper(depth + 1)) + local[0]
}

/// Runs out of the stack of a thread.
fn overflow() {
    let neighbour = spawn(1 << 16, || {
        loop {
            core::hint::spin_loop();
        }
    });
    let thread = spawn(1 << 16, || deeper(0)).expect("a thread");
    say(format_args!("{}", thread.join()));
    drop(neighbour);
}

/// One instruction of a filter of system calls.
#[repr(C)]
struct Filter {
    code: u16,
    yes: u8,
    no: u8,
    word: u32,
}

/// From now on `number` answers with `errno` instead of doing anything.
fn refuse(number: u32, errno: Errno) {
    const fn filter(code: u16, yes: u8, no: u8, word: u32) -> Filter {
        Filter {
            code,
            yes,
            no,
            word,
        }
    }
    let program = [
        filter(0x20, 0, 0, 0),      // load the number
        filter(0x15, 0, 1, number), // equal?
        filter(0x06, 0, 0, 0x5_0000 | errno.code() as u32),
        filter(0x06, 0, 0, 0x7fff_0000), // allow
    ];
    let header = [program.len() as u64, program.as_ptr().addr() as u64];
    let (prctl, no_new_privileges, seccomp) = (157, 38, 22);
    // SAFETY: the kernel reads the header and the program, which live until it returns.
    unsafe {
        assert_eq!(sys::raw(prctl, [no_new_privileges, 1, 0, 0, 0, 0]), 0);
        let header = header.as_ptr().addr() as u64;
        assert_eq!(sys::raw(prctl, [seccomp, 2, header, 0, 0, 0]), 0);
    }
}

const CLONE: u32 = 56;
const CLONE3: u32 = 435;

/// Where `clone3` is refused, threads start all the same.
fn no_clone3() {
    for errno in [Errno::ENOSYS, Errno::EPERM] {
        refuse(CLONE3, errno);
        order();
        stack();
    }
    create(200);
}

/// Where both are refused, the answer is an error, and nothing is left.
fn no_clone() {
    let shared = Arc::new(SeqCst);
    let before = mappings();
    refuse(CLONE3, Errno::ENOSYS);
    refuse(CLONE, Errno::EAGAIN);
    for _ in 0..100 {
        let body = Arc::clone(&shared);
        let result = spawn(STACK_BYTES, move || drop(body));
        assert_eq!(result.err(), Some(Errno::EAGAIN));
    }
    assert_eq!(Arc::strong_count(&shared), 1);
    assert_eq!(mappings(), before);
}
