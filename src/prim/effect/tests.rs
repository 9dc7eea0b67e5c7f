//! Effects on pipes, sockets and buffers of the test itself.

use crate::prim::nat::harness::{Operand, Outcome, Rig, fault, nat, number, power};
use num_bigint::BigUint;
use num_traits::ToPrimitive;
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixStream};

const SYSCALL: usize = 5;
const PEEK: usize = 6;
const POKE: usize = 7;
const WRITE: usize = 9;
const READ: usize = 10;
const XPTR: usize = 13;
const XBUF: usize = 14;
const SEND: usize = 16;
const EBADF: u64 = 9;

fn plain(n: impl Into<BigUint>) -> Operand {
    Operand::Nat(n.into())
}

fn descriptor(file: &impl AsRawFd) -> Operand {
    plain(file.as_raw_fd() as u64)
}

fn text(bytes: &[u8]) -> Operand {
    plain(BigUint::from_bytes_le(bytes))
}

/// Pushes a buffer of `n` zero bytes; its place and address.
fn buffer(rig: &mut Rig, n: u64) -> (usize, u64) {
    rig.push(&plain(n));
    assert_eq!(rig.applied(XBUF), Outcome::Nat(power(8 * n as u32)));
    let place = rig.m.depth() - 1;
    let Outcome::Nat(address) = rig.applied(XPTR) else {
        panic!("no address")
    };
    (place, address.to_u64().unwrap())
}

#[test]
fn calls_return_the_register() {
    for stress in [false, true] {
        let mut rig = Rig::new(stress);
        let pid = nat(u64::from(std::process::id()));
        assert_eq!(rig.pinned(SYSCALL, 39, &[plain(0u8)]), pid);
        assert_eq!(
            rig.pinned(SYSCALL, 3, &[plain(999u32)]),
            nat(EBADF.wrapping_neg())
        );
        // Operands count mod 2^64, and what is no natural counts as 0.
        let operands = [
            plain(power(64) + 999u32),
            Operand::Pin,
            Operand::Buffer(3u8.into(), 9),
        ];
        assert_eq!(rig.pinned(SYSCALL, 3, &operands), nat(EBADF.wrapping_neg()));
    }
}

#[test]
fn all_six_arguments_of_a_call_arrive() {
    // mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, −1, 0), then munmap.
    let mut rig = Rig::new(false);
    let minus_one = plain(power(64) - 1u8);
    let operands = [0u64, 4096, 3, 0x22].map(plain).into_iter();
    let operands: Vec<_> = operands.chain([minus_one, plain(0u8)]).collect();
    let Outcome::Nat(page) = rig.pinned(SYSCALL, 9, &operands) else {
        panic!("no address")
    };
    let page = page.to_u64().unwrap();
    assert!(page > 0 && page % 4096 == 0);
    let put = [plain(page), plain(0x6261u32), plain(8u8), plain(4u8)];
    assert_eq!(rig.pinned(POKE, 0, &put), nat(0));
    let got = [plain(page), plain(8u8), plain(3u8)];
    assert_eq!(rig.pinned(PEEK, 0, &got), nat(0x0100_6261));
    assert_eq!(
        rig.pinned(SYSCALL, 11, &[plain(page), plain(4096u32)]),
        nat(0)
    );
}

#[test]
fn the_exit_call_ends_the_process() {
    const STATUS: &str = "PLAN_TEST_EXIT_STATUS";
    const CALL: &str = "PLAN_TEST_EXIT_CALL";
    if let (Ok(status), Ok(call)) = (std::env::var(STATUS), std::env::var(CALL)) {
        let status: u64 = status.parse().unwrap();
        Rig::new(false).pinned(SYSCALL, call.parse().unwrap(), &[plain(status)]);
        panic!("the process goes on");
    }
    for (call, status, expected) in [("60", "7", 7), ("231", "8", 8), ("60", "300", 44)] {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &test])
            .env(STATUS, status)
            .env(CALL, call)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(expected));
    }
}

#[test]
fn peek_adds_a_marker_and_poke_fills_with_zeros() {
    let mut rig = Rig::new(false);
    let (place, address) = buffer(&mut rig, 20);
    let put = |rig: &mut Rig, what: Operand, off: u64, n: u64| {
        rig.pinned(POKE, 0, &[plain(address), what, plain(off), plain(n)])
    };
    assert_eq!(put(&mut rig, text(b"hello, buffer"), 2, 13), nat(0));
    let mut expected = BigUint::from_bytes_le(b"\0\0hello, buffer\0\0\0\0\0\x01");
    assert_eq!(number(rig.m.nth(place)), expected);
    assert_eq!(put(&mut rig, text(b"HEL"), 2, 4), nat(0));
    expected = BigUint::from_bytes_le(b"\0\0HEL\0o, buffer\0\0\0\0\0\x01");
    assert_eq!(number(rig.m.nth(place)), expected);
    assert_eq!(put(&mut rig, text(b"xyz"), 0, 0), nat(0));
    assert_eq!(number(rig.m.nth(place)), expected);
    let peeked = rig.pinned(PEEK, 0, &[plain(address), plain(2u8), plain(3u8)]);
    assert_eq!(peeked, Outcome::Nat(BigUint::from_bytes_le(b"HEL\x01")));
    let minus_two = plain(power(64) - 2u8);
    let peeked = rig.pinned(PEEK, 0, &[plain(address + 4), minus_two, plain(5u8)]);
    assert_eq!(peeked, Outcome::Nat(BigUint::from_bytes_le(b"HEL\0o\x01")));
    assert_eq!(
        rig.pinned(PEEK, 0, &[plain(0u8), plain(0u8), plain(0u8)]),
        nat(1)
    );
    for n in [power(33), power(63), power(64), power(200)] {
        assert_eq!(
            rig.pinned(PEEK, 0, &[plain(address), plain(0u8), plain(n)]),
            fault("limit", 0)
        );
    }
}

#[test]
fn poke_may_write_the_buffer_it_reads() {
    let mut rig = Rig::new(false);
    let (place, address) = buffer(&mut rig, 12);
    rig.pinned(
        POKE,
        0,
        &[plain(address), text(b"abcdefgh"), plain(0u8), plain(8u8)],
    );
    rig.push(&plain(address));
    rig.m.push(rig.m.nth(place));
    rig.push(&plain(3u8));
    rig.push(&plain(8u8));
    assert_eq!(rig.pinned_pushed(POKE, 0, 4), nat(0));
    assert_eq!(
        number(rig.m.nth(place)),
        BigUint::from_bytes_le(b"abcabcdefgh\0\x01")
    );
}

#[test]
fn write_takes_zeros_from_behind_the_end() {
    let bytes: Vec<u8> = (0..50).map(|i| b'a' + i % 26).collect();
    for form in [
        text(&bytes),
        Operand::Buffer(BigUint::from_bytes_le(&bytes), 5),
    ] {
        for (off, count) in [
            (0u64, 50u64),
            (3, 4),
            (48, 6),
            (48, 30),
            (60, 10),
            (0, 5000),
            (49, 60_000),
        ] {
            let (mut reader, writer) = pipe().unwrap();
            let mut rig = Rig::new(true);
            let operands = [descriptor(&writer), form.clone(), plain(count), plain(off)];
            assert_eq!(rig.pinned(WRITE, 0, &operands), nat(count), "{off} {count}");
            drop(writer);
            let mut found = Vec::new();
            reader.read_to_end(&mut found).unwrap();
            let mut expected = bytes.clone();
            expected.resize(off as usize + count as usize, 0);
            expected.resize(expected.len().max(50), 0);
            let range = off as usize..off as usize + count as usize;
            assert!(found == expected[range], "{off} {count}");
        }
    }
}

#[test]
fn write_clamps_counts_and_offsets() {
    let null = std::fs::File::options()
        .write(true)
        .open("/dev/null")
        .unwrap();
    let mut rig = Rig::new(false);
    let most = nat((1 << 31) - 4096);
    for huge in [power(31), power(62), power(64) - 1u8, power(64), power(200)] {
        let whole = [
            descriptor(&null),
            plain(power(100)),
            plain(huge.clone()),
            plain(0u8),
        ];
        assert_eq!(rig.pinned(WRITE, 0, &whole), most, "{huge}");
        let behind = [
            descriptor(&null),
            plain(power(100)),
            plain(9u8),
            plain(huge),
        ];
        assert_eq!(rig.pinned(WRITE, 0, &behind), nat(9));
    }
    let not_a_natural = [descriptor(&null), Operand::Pin, plain(9u8), plain(0u8)];
    assert_eq!(rig.pinned(WRITE, 0, &not_a_natural), nat(9));
}

#[test]
fn write_throws_what_the_kernel_refuses() {
    let mut rig = Rig::new(false);
    for fd in [BigUint::from(999u32), power(31), power(64) + 1u8] {
        let operands = [plain(fd), plain(65u8), plain(1u8), plain(0u8)];
        assert_eq!(rig.pinned(WRITE, 0, &operands), fault("io", EBADF));
    }
    // Nothing to write is a call all the same.
    let operands = [plain(999u32), plain(65u8), plain(0u8), plain(0u8)];
    assert_eq!(rig.pinned(WRITE, 0, &operands), fault("io", EBADF));
    let (_reader, writer) = pipe().unwrap();
    let operands = [descriptor(&writer), plain(65u8), plain(0u8), plain(0u8)];
    assert_eq!(rig.pinned(WRITE, 0, &operands), nat(0));
}

/// Reads from a pipe that holds `HELLO`.
fn read_hello(rig: &mut Rig, target: Operand, count: Operand, off: Operand) -> Outcome {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"HELLO").unwrap();
    drop(writer);
    rig.pinned(READ, 0, &[descriptor(&reader), target, count, off])
}

fn row(n: u64, buf: BigUint) -> Outcome {
    Outcome::Row(n.into(), vec![buf])
}

#[test]
fn read_replaces_bytes_below_the_top_one() {
    let hello = BigUint::from_bytes_le(b"HELLO");
    for stress in [false, true] {
        let mut rig = Rig::new(stress);
        for (count, off, taken) in [
            (5u64, 0u64, 5),
            (5, 3, 5),
            (15, 1, 5),
            (16, 0, 5),
            (2, 7, 2),
        ] {
            let found = read_hello(&mut rig, plain(power(128)), plain(count), plain(off));
            let part = &hello % power(8 * taken as u32);
            assert_eq!(found, row(taken, power(128) + (part << (8 * off))));
        }
        let old = BigUint::from_bytes_le(b"abcdef");
        let found = read_hello(&mut rig, plain(old), plain(3u8), plain(1u8));
        assert_eq!(found, row(3, BigUint::from_bytes_le(b"aHELef")));
    }
}

#[test]
fn read_refuses_ranges_that_reach_the_top_byte() {
    let mut rig = Rig::new(false);
    for (target, count, off) in [
        (power(128), BigUint::from(16u8), BigUint::from(1u8)),
        (power(128), power(64), 0u8.into()),
        (power(128), 1u8.into(), power(64)),
        (power(128), power(64) - 1u8, power(64) - 1u8),
        (power(128), power(200), power(200)),
        (power(128), 0u8.into(), 0u8.into()),
        (0u8.into(), 5u8.into(), 0u8.into()),
        (1u8.into(), 1u8.into(), 0u8.into()),
    ] {
        let found = read_hello(&mut rig, plain(target), plain(count), plain(off));
        assert_eq!(found, nat(0));
    }
    assert_eq!(
        read_hello(&mut rig, Operand::Pin, plain(1u8), plain(0u8)),
        nat(0)
    );
}

#[test]
fn read_returns_error_numbers_and_the_end_of_a_file() {
    let mut rig = Rig::new(true);
    for fd in [BigUint::from(999u32), power(31), power(64)] {
        for target in [plain(power(128)), Operand::Buffer(power(128), 0)] {
            let operands = [plain(fd.clone()), target, plain(5u8), plain(0u8)];
            assert_eq!(rig.pinned(READ, 0, &operands), nat(EBADF));
        }
    }
    let (reader, _) = pipe().unwrap();
    let operands = [
        descriptor(&reader),
        plain(power(128)),
        plain(5u8),
        plain(0u8),
    ];
    assert_eq!(rig.pinned(READ, 0, &operands), row(0, power(128)));
}

#[test]
fn read_changes_a_buffer_in_place_and_nothing_else() {
    for stress in [false, true] {
        let mut rig = Rig::new(stress);
        for target in [plain(power(128)), Operand::Buffer(power(128), 0)] {
            let (reader, mut writer) = pipe().unwrap();
            writer.write_all(b"HELLO").unwrap();
            rig.push(&target);
            let place = rig.m.depth() - 1;
            rig.push(&descriptor(&reader));
            rig.m.push(rig.m.nth(place));
            rig.push(&plain(9u8));
            rig.push(&plain(2u8));
            let expected = BigUint::from_bytes_le(b"\0\0HELLO") + power(128);
            assert_eq!(rig.pinned_pushed(READ, 0, 4), row(5, expected.clone()));
            let in_place = matches!(target, Operand::Buffer(..));
            let now = if in_place { expected } else { power(128) };
            assert_eq!(number(rig.m.nth(place)), now);
            assert_eq!(rig.m.top(0).arg(0) == rig.m.nth(place), in_place);
        }
    }
}

#[test]
fn the_kernel_reads_into_a_buffer_by_its_address() {
    let mut rig = Rig::new(true);
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"by address").unwrap();
    let (place, address) = buffer(&mut rig, 32);
    rig.m.collect().unwrap();
    let operands = [descriptor(&reader), plain(address), plain(32u8)];
    assert_eq!(rig.pinned(SYSCALL, 0, &operands), nat(10));
    let expected = BigUint::from_bytes_le(b"by address") + power(256);
    assert_eq!(number(rig.m.nth(place)), expected);
    assert_eq!(rig.m.nth(place).address() as u64, address);
}

#[test]
fn send_makes_one_message_with_zeros_behind_the_end() {
    let (here, there) = UnixDatagram::pair().unwrap();
    let mut rig = Rig::new(true);
    for (off, count) in [(0u64, 5u64), (2, 3), (3, 9), (100, 4), (0, 6000)] {
        let operands = [
            descriptor(&here),
            text(b"hello"),
            plain(count),
            plain(off),
            plain(0u8),
        ];
        assert_eq!(rig.pinned(SEND, 0, &operands), nat(count));
        let mut found = vec![1; 10_000];
        let length = there.recv(&mut found).unwrap();
        let mut expected = b"hello".to_vec();
        expected.resize((off + count) as usize, 0);
        assert!(found[..length] == expected[off as usize..], "{off} {count}");
    }
}

#[test]
fn send_returns_errors_in_the_register() {
    let mut rig = Rig::new(false);
    let errno = |n: u64| nat(n.wrapping_neg());
    let (reader, _writer) = pipe().unwrap();
    let attempt = |rig: &mut Rig, fd: Operand, flags: Operand| {
        rig.pinned(SEND, 0, &[fd, plain(65u8), plain(1u8), plain(0u8), flags])
    };
    assert_eq!(
        attempt(&mut rig, descriptor(&reader), plain(0u8)),
        errno(88)
    );
    assert_eq!(attempt(&mut rig, plain(999u32), plain(0u8)), errno(EBADF));
    assert_eq!(
        attempt(&mut rig, plain(power(64) - 1u8), plain(0u8)),
        errno(EBADF)
    );
    let (here, there) = UnixStream::pair().unwrap();
    drop(there);
    let no_signal = plain(0x4000u32);
    assert_eq!(attempt(&mut rig, descriptor(&here), no_signal), errno(32));
}

#[test]
fn addresses_belong_to_buffers_and_pins() {
    let mut rig = Rig::new(false);
    for n in [BigUint::from(5u8), power(63), power(200)] {
        rig.push(&plain(n));
        assert_eq!(rig.applied(XPTR), nat(0));
    }
    let mut seen = Vec::new();
    for pin in 0..=20 {
        rig.m.push(rig.m.nth(pin));
        let Outcome::Nat(address) = rig.applied(XPTR) else {
            panic!("no address")
        };
        assert!(address > 0u8.into() && !seen.contains(&address));
        seen.push(address);
    }
    let first = buffer(&mut rig, 9).1;
    assert_ne!(first, buffer(&mut rig, 9).1);
    rig.push(&plain(1u8));
    rig.push(&plain(2u8));
    rig.m.make_row(1).unwrap();
    assert_eq!(rig.applied(XPTR), nat(0));
}

#[test]
fn buffers_have_a_marker_at_every_size() {
    let mut rig = Rig::new(false);
    for n in 0..40u32 {
        rig.push(&plain(n));
        assert_eq!(rig.applied(XBUF), Outcome::Nat(power(8 * n)));
        assert!(rig.m.top(0).is_buffer());
    }
    for n in [power(33), power(63), power(64), power(200)] {
        rig.push(&plain(n));
        assert_eq!(rig.applied(XBUF), fault("limit", 0));
    }
    rig.push(&Operand::Pin);
    assert_eq!(rig.applied(XBUF), fault("range", 0));
    rig.push(&Operand::Buffer(3u8.into(), 12));
    assert_eq!(rig.applied(XBUF), Outcome::Nat(power(24)));
}

#[test]
fn requests_and_switches_have_fixed_results() {
    let mut rig = Rig::new(false);
    for (argument, on) in [
        (plain(1u8), true),
        (Operand::Pin, true),
        (Operand::Buffer(0u8.into(), 3), false),
    ] {
        rig.push(&argument);
        assert_eq!(rig.applied(18), nat(1));
        rig.push(&argument);
        assert_eq!(rig.applied(19), nat(0));
        rig.push(&plain(0u8));
        assert_eq!(rig.applied(20) != nat(0), on, "{argument:?}");
    }
}

/// 05 §8.1, §8.2: over 1000 collections addresses and contents stay, while others are freed,
/// overwritten and used again; results that turn out short are ordinary naturals.
#[test]
fn long_naturals_and_buffers_stay_where_they_are_while_others_come_and_go() {
    let mut rig = Rig::new(true);
    rig.push(&plain(20_000u32));
    rig.applied(XBUF);
    let long = power(99_999) + 5u8;
    rig.push(&plain(long.clone()));
    let (buffer, natural) = (rig.m.top(1), rig.m.top(0));
    assert!(buffer.is_buffer() && natural.is_fixed());
    let before = rig.m.stats().nursery.collections;
    while rig.m.stats().nursery.collections < before + 1000 {
        let depth = rig.m.depth();
        rig.push(&plain(power(80_000) - 1u8));
        rig.push(&plain(40_000u32));
        rig.applied(XBUF);
        rig.m.drop_top(rig.m.depth() - depth);
        assert_eq!((rig.m.top(1), rig.m.top(0)), (buffer, natural));
    }
    assert_eq!(number(rig.m.top(0)), long);
    assert_eq!(rig.m.top(1).bit_len(), 160_001);
    let bytes = rig.m.stats().arena_bytes;
    assert!(bytes < 1 << 20, "{bytes} bytes in use");
}
