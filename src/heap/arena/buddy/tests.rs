//! The allocator against a naive model of disjoint intervals, at its limits, and for speed.
//!
//! Safety: tests write to payloads they were handed and have not freed; the white-box tests that
//! damage an arena do so to see `verify` notice.

use super::Buddy as Arena;
use super::*;
use crate::value::Kind;
use proptest::prelude::*;

const MIN_BLOCK: u64 = 128;

/// Blocks of 128 bytes and more.
fn arena(log2: u32) -> Arena {
    Arena::new(7, log2).unwrap()
}

fn header(words: usize) -> Header {
    Header::new(Kind::Pin, words)
}

/// Start of a block with this payload, and an address after its last byte.
fn extent(arena: &Arena, payload: NonNull<u64>) -> (u64, u64) {
    let block = arena
        .block_at(payload.as_ptr().addr() as u64)
        .expect("a live block");
    assert_eq!(block.payload, payload);
    let start = payload.as_ptr().addr() as u64 - 16;
    (start, start + block.bytes)
}

/// Whether everything is one free block. The first allocation opens the lists; before it they are empty.
fn is_whole(arena: &mut Arena) -> bool {
    arena.trim();
    let root_is_free = arena.tree.state(Node::ROOT) == NodeState::Unallocated;
    let listed = arena.lists.is_nonempty(0) || arena.top() == 0;
    root_is_free && listed && arena.verify() == Ok(())
}

#[test]
fn an_arena_of_which_nothing_was_taken_is_whole() {
    let mut arena = arena(12);
    assert!(is_whole(&mut arena));
    let block = arena.allocate(header(1), Owner::Manual);
    arena.free(block.expect("there is room"));
    assert!(is_whole(&mut arena) && arena.lists.is_nonempty(0));
}

/// What the naive model knows of a block.
struct Known {
    payload: NonNull<u64>,
    words: usize,
    owner: Owner,
    stamp: u64,
}

impl Known {
    /// Words worth stamping: the first and last few.
    fn stamped(&self) -> impl Iterator<Item = usize> + use<> {
        let n = self.words;
        (0..n.min(4)).chain(n.saturating_sub(4)..n)
    }

    fn stamp(&self) {
        for i in self.stamped() {
            // SAFETY: inside the payload of a live block.
            unsafe { self.payload.add(i).write(self.stamp ^ i as u64) }
        }
    }

    fn check(&self, arena: &Arena) {
        let (start, end) = extent(arena, self.payload);
        let size = end - start;
        assert_eq!(
            size,
            (self.words as u64 * 8 + 16)
                .next_power_of_two()
                .max(MIN_BLOCK)
        );
        assert_eq!((start - arena.base.as_ptr().addr() as u64) % size, 0);
        for i in self.stamped() {
            // SAFETY: inside the payload of a live block.
            assert_eq!(unsafe { self.payload.add(i).read() }, self.stamp ^ i as u64);
        }
        // SAFETY: the two words before the payload of a live block.
        let before = unsafe { [self.payload.sub(2).read(), self.payload.sub(1).read()] };
        assert_eq!(before, [0, header(self.words).bits()]);
    }
}

/// All blocks of the model are what the arena enumerates, in order and without overlap.
fn agree(arena: &Arena, known: &[Known]) {
    let mut expected: Vec<_> = known.iter().map(|k| (k.payload, k.owner)).collect();
    expected.sort_by_key(|k| k.0);
    let blocks: Vec<Block> = arena.blocks().collect();
    assert_eq!(
        blocks
            .iter()
            .map(|b| (b.payload, b.owner))
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(arena.live_blocks(), blocks.len() as u64);
    assert_eq!(
        arena.allocated_bytes(),
        blocks.iter().map(|b| b.bytes).sum::<u64>()
    );
    for pair in blocks.windows(2) {
        assert!(extent(arena, pair[0].payload).1 <= extent(arena, pair[1].payload).0);
    }
}

/// Whether the arena could have served `words`: a naive search for a free aligned interval.
fn has_room(arena: &Arena, known: &[Known], words: usize) -> bool {
    let size = (words as u64 * 8 + 16).next_power_of_two().max(MIN_BLOCK);
    let base = arena.base.as_ptr().addr() as u64;
    let taken: Vec<_> = known.iter().map(|k| extent(arena, k.payload)).collect();
    let free = |at: u64| {
        taken
            .iter()
            .all(|(start, end)| *end <= at || at + size <= *start)
    };
    (0..arena.capacity() / size).any(|k| free(base + k * size))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_agrees_with_disjoint_intervals(
        log2 in prop_oneof![Just(12u32), Just(14), Just(17), Just(20)],
        steps in proptest::collection::vec((any::<u16>(), 0u32..17, any::<u16>()), 1..120),
    ) {
        let mut arena = arena(log2);
        let mut known: Vec<Known> = Vec::new();
        for (step, (pick, scale, fine)) in steps.into_iter().enumerate() {
            if pick % 5 < 2 && !known.is_empty() {
                let gone = known.swap_remove(pick as usize % known.len());
                gone.check(&arena);
                arena.free(gone.payload);
            } else if pick % 97 == 0 {
                arena.trim();
            } else {
                let words = fine as usize & ((1 << scale) - 1);
                let owner = if pick & 8 == 0 { Owner::Collected } else { Owner::Manual };
                match arena.allocate(header(words), owner) {
                    Ok(payload) => {
                        let stamp = step as u64 * 0x9E37_79B9;
                        let block = Known { payload, words, owner, stamp };
                        block.stamp();
                        known.push(block);
                    }
                    Err(e) => {
                        prop_assert_eq!(e.cause, Cause::Space);
                        prop_assert!(!has_room(&arena, &known, words));
                    }
                }
            }
            prop_assert_eq!(arena.verify(), Ok(()));
            agree(&arena, &known);
        }
        for block in known {
            block.check(&arena);
            arena.free(block.payload);
            prop_assert_eq!(arena.verify(), Ok(()));
        }
        prop_assert!(is_whole(&mut arena));
    }
}

#[test]
fn smallest_blocks_fill_the_arena_and_merge_back_in_any_order() {
    let mut arena = arena(16);
    for stride in [1usize, 3, 7, 255] {
        let mut blocks = Vec::new();
        while let Ok(block) = arena.allocate(header(14), Owner::Collected) {
            blocks.push(block);
        }
        assert_eq!(blocks.len() as u64, arena.capacity() / MIN_BLOCK);
        assert_eq!(arena.allocated_bytes(), arena.capacity());
        assert_eq!(arena.verify(), Ok(()));
        for i in 0..blocks.len() {
            arena.free(blocks[i * stride % blocks.len()]);
        }
        assert!(is_whole(&mut arena));
    }
}

#[test]
fn exhaustion_is_an_error_that_changes_nothing() {
    let mut arena = arena(20);
    let words = (1 << 17) - 2;
    let error = arena
        .allocate(header(words + 1), Owner::Manual)
        .unwrap_err();
    assert_eq!(
        error,
        Exhausted {
            requested: (1 << 20) + 8,
            cause: Cause::Space
        }
    );
    let whole = arena.allocate(header(words), Owner::Manual).unwrap();
    assert_eq!(
        arena.allocate(header(0), Owner::Manual).unwrap_err().cause,
        Cause::Space
    );
    assert_eq!((arena.live_blocks(), arena.allocated_bytes()), (1, 1 << 20));
    arena.free(whole);
    for words in [1 << 31, 1 << 40, (1 << 49) - 1] {
        let error = arena.allocate(header(words), Owner::Manual).unwrap_err();
        assert_eq!(error.requested, words as u64 * 8 + 16);
    }
    let largest = Header::nat((1 << 54) - 1);
    assert!(arena.allocate(largest, Owner::Collected).is_err());
    assert!(error.to_string().contains("reserved address space"));
    assert!(is_whole(&mut arena));
}

#[test]
fn held_blocks_never_cause_exhaustion() {
    let mut arena = arena(17);
    let half = header((1 << 13) - 2);
    let small = arena.allocate(header(1), Owner::Manual).unwrap();
    let large = arena.allocate(half, Owner::Manual).unwrap();
    arena.free(small);
    arena.free(large);
    assert_eq!(
        (arena.held_bytes, arena.live_blocks()),
        (MIN_BLOCK + (1 << 16), 0)
    );
    assert_eq!(arena.verify(), Ok(()));
    arena.set_budget(1 << 17);
    let whole = arena
        .allocate(header((1 << 14) - 2), Owner::Manual)
        .unwrap();
    arena.free(whole);
    assert!(is_whole(&mut arena));
}

#[test]
fn the_budget_bounds_allocated_and_held_bytes() {
    let mut arena = arena(20);
    arena.set_budget(1024);
    let blocks: Vec<_> =
        core::iter::from_fn(|| arena.allocate(header(30), Owner::Manual).ok()).collect();
    assert_eq!(blocks.len(), 4);
    let error = arena.allocate(header(1), Owner::Manual).unwrap_err();
    assert_eq!(
        error,
        Exhausted {
            requested: 24,
            cause: Cause::Budget
        }
    );
    assert!(error.to_string().contains("budget"));
    // A freed block is held; a request of another size must not come on top of it.
    arena.free(blocks[0]);
    assert_eq!(arena.held_bytes, 256);
    arena.allocate(header(1), Owner::Manual).unwrap();
    assert_eq!((arena.held_bytes, arena.allocated_bytes()), (0, 896));
    arena.set_budget(0);
    assert_eq!(
        arena.allocate(header(1), Owner::Manual).unwrap_err().cause,
        Cause::Budget
    );
    assert_eq!(arena.live_blocks(), 4);
}

#[test]
fn a_freed_block_is_the_next_of_its_size() {
    let mut arena = arena(24);
    for words in [10, 100, 20_000] {
        let keep = arena.allocate(header(words), Owner::Collected).unwrap();
        let first = arena.allocate(header(words), Owner::Manual).unwrap();
        arena.free(first);
        assert_eq!(arena.allocate(header(words), Owner::Collected), Ok(first));
        arena.free(first);
        arena.free(keep);
    }
    assert!(is_whole(&mut arena));
}

/// Pages of the arena that are in memory, from the kernel's own account.
fn resident_pages(arena: &Arena) -> usize {
    let (start, len) = (arena.base.as_ptr().addr(), arena.capacity() as usize);
    let mut map = vec![0u8; len / PAGE];
    let args = [
        start as u64,
        len as u64,
        map.as_mut_ptr().addr() as u64,
        0,
        0,
        0,
    ];
    // SAFETY: mincore writes one byte for each page, and the vector has as many.
    assert_eq!(unsafe { crate::os::sys::raw(27, args) }, 0);
    map.iter().filter(|page| **page & 1 == 1).count()
}

#[test]
fn freed_memory_goes_back_to_the_kernel() {
    let mut arena = arena(25);
    let fill = |payload: NonNull<u64>, words| {
        // SAFETY: the payload of a block just handed out.
        unsafe { payload.write_bytes(0xA5, words) }
    };
    // One large block, and many small ones that merge.
    let large = arena
        .allocate(header((1 << 21) - 2), Owner::Manual)
        .unwrap();
    fill(large, (1 << 21) - 2);
    let small: Vec<_> = (0..(8 << 20) / 1024)
        .map(|_| arena.allocate(header(126), Owner::Collected).unwrap())
        .collect();
    small.iter().for_each(|block| fill(*block, 126));
    assert!(resident_pages(&arena) >= (24 << 20) / PAGE);
    arena.free(large);
    small.iter().for_each(|block| arena.free(*block));
    assert!(is_whole(&mut arena));
    // Nothing but the page with the links of the root.
    assert_eq!(resident_pages(&arena), 1);
}

#[test]
fn blocks_beyond_the_holding_limit_are_released_at_once() {
    let mut arena = arena(27);
    let huge = arena
        .allocate(header((HOLD_MAX / 8) as usize), Owner::Manual)
        .unwrap();
    arena.free(huge);
    assert_eq!(arena.held_bytes, 0);
    assert!(arena.tree.state(Node::ROOT) == NodeState::Unallocated);
}

#[test]
fn contains_and_block_at_know_the_borders() {
    let mut arena = arena(16);
    let base = arena.base.as_ptr().addr() as u64;
    for (address, inside) in [
        (base, true),
        (base + 65535, true),
        (base + 65536, false),
        (base - 1, false),
    ] {
        assert_eq!(arena.contains(address), inside);
        assert_eq!(arena.block_at(address), None);
    }
    assert!(!arena.contains(0) && !arena.contains(u64::MAX));
    let block = arena.allocate(header(30), Owner::Collected).unwrap();
    for inside in [base, base + 8, base + 16, base + 255] {
        let found = arena.block_at(inside).unwrap();
        assert_eq!(
            found,
            Block {
                payload: block,
                bytes: 256,
                owner: Owner::Collected
            }
        );
    }
    assert_eq!(arena.block_at(base + 256), None);
    arena.free(block);
    assert_eq!(arena.block_at(base), None);
}

#[test]
#[should_panic(expected = "not an allocated block")]
fn a_second_free_is_noticed_while_the_block_is_held() {
    let mut arena = arena(16);
    let block = arena.allocate(header(1), Owner::Manual).unwrap();
    arena.free(block);
    arena.free(block);
}

#[test]
#[should_panic(expected = "not an allocated block")]
fn a_second_free_is_noticed_after_merging() {
    let mut arena = arena(16);
    let block = arena.allocate(header(1), Owner::Manual).unwrap();
    arena.free(block);
    arena.trim();
    arena.free(block);
}

#[test]
#[should_panic(expected = "not an allocated block")]
fn an_address_inside_a_block_is_not_its_payload() {
    let mut arena = arena(16);
    let block = arena.allocate(header(100), Owner::Manual).unwrap();
    // SAFETY: inside the payload.
    arena.free(unsafe { block.add(16) });
}

#[test]
#[should_panic(expected = "not an allocated block")]
fn an_address_outside_the_arena_cannot_be_freed() {
    let mut arena = arena(16);
    arena.free(NonNull::from(&mut 0u64));
}

#[test]
fn verify_notices_damage() {
    type Damage = fn(&mut Arena, NonNull<u64>);
    let damage: [(&str, Damage); 7] = [
        ("both halves", |arena, _| {
            let leaf = arena.leaves().next().unwrap();
            arena.tree.set(leaf, NodeState::Unallocated);
        }),
        ("below a leaf", |arena, _| {
            let leaf = arena.leaves().last().unwrap();
            arena.tree.set(leaf.left(), NodeState::AllocGc);
        }),
        ("larger than the block", |_, block| {
            // SAFETY: the header of a live block.
            unsafe { block.sub(1).write(header(15).bits()) }
        }),
        ("counted", |arena, _| arena.live += 1),
        ("held", |arena, _| arena.held_bytes += 1),
        ("link back", |arena, _| {
            let leaf = arena.leaves().last().unwrap();
            // SAFETY: the first word of a free block.
            unsafe {
                arena
                    .address(leaf)
                    .cast::<u64>()
                    .write(arena.base.as_ptr().addr() as u64)
            }
        }),
        ("0 members, 1 free", |arena, _| {
            arena.lists.pop(1);
        }),
    ];
    for (what, apply) in damage {
        let mut arena = arena(16);
        let block = arena.allocate(header(14), Owner::Collected).unwrap();
        assert_eq!(arena.verify(), Ok(()));
        apply(&mut arena, block);
        let error = arena.verify().unwrap_err();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn sizes_outside_the_range_are_refused() {
    assert_eq!(Arena::new(7, 11).err(), Some(Errno::EINVAL));
    assert_eq!(Arena::new(7, 47).err(), Some(Errno::EINVAL));
    let arena = arena(12);
    assert_eq!(arena.capacity(), 4096);
}

#[test]
fn a_large_arena_serves_every_size() {
    let mut arena = arena(40);
    let words = |log2: u32| header((1usize << (log2 - 3)) - 2);
    let top = arena.capacity().ilog2();
    let mut blocks = Vec::new();
    for log2 in 7..top {
        blocks.push(arena.allocate(words(log2), Owner::Manual).unwrap());
    }
    assert_eq!(arena.verify(), Ok(()));
    for block in blocks.into_iter().rev() {
        arena.free(block);
    }
    assert!(is_whole(&mut arena));
}

/// The bound is that of a debug build on a busy machine; a release build takes nanoseconds a pair.
#[test]
fn a_million_pairs_are_quick() {
    let mut arena = arena(40);
    let start = std::time::Instant::now();
    for i in 0..1_000_000usize {
        let block = arena
            .allocate(header(10 + (i & 31)), Owner::Collected)
            .unwrap();
        arena.free(block);
    }
    let taken = start.elapsed();
    assert!(taken.as_millis() < 2000, "{taken:?}");
    assert!(is_whole(&mut arena));
}
