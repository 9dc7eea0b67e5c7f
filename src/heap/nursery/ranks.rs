//! Sizes of the moving heap: the rank table and the sizing rules of chapter 05 §2.1 and §2.3.
//!
//! Invariants:
//! - Sizes are words and strictly increase with the rank.
//! - Ranks 0 to 50 are the table of the specification; beyond, each rank is 6/5 of the one before, so
//!   a heap can grow to whatever the machine has. All arithmetic is 64-bit.

/// Ranks of the table of the specification.
pub const TABLE_RANKS: usize = 51;
/// Highest rank: about 2^58 words, more than any address space.
pub const MAX_RANK: usize = 160;

const SIZES: [u64; MAX_RANK + 1] = sizes();

const fn sizes() -> [u64; MAX_RANK + 1] {
    let mut s = [0u64; MAX_RANK + 1];
    s[0] = 12;
    s[1] = 38;
    let mut i = 2;
    while i <= MAX_RANK {
        s[i] = if i <= 20 {
            s[i - 1] + s[i - 2]
        } else {
            6 * s[i - 1] / 5
        };
        i += 1;
    }
    s
}

/// Size of a rank, in words. Ranks above [`MAX_RANK`] have the size of the highest.
pub fn size(rank: usize) -> u64 {
    SIZES[rank.min(MAX_RANK)]
}

/// The smallest rank above `rank` that holds `words`.
fn above(rank: usize, words: u64) -> usize {
    let mut r = (rank + 1).min(MAX_RANK);
    while r < MAX_RANK && size(r) < words {
        r += 1;
    }
    r
}

/// Rule 1: the rank of the block to copy into when `need` words do not fit into a heap of `rank`.
pub fn target(rank: usize, need: u64) -> usize {
    above(rank, size(rank).saturating_add(need))
}

/// Rules 3 to 6: the rank after a collection that left `used` words, the failed request included.
pub fn after(rank: usize, used: u64) -> usize {
    let quarters = used.saturating_mul(4);
    if quarters < size(rank) {
        if rank >= 6 { rank - 1 } else { rank }
    } else if quarters >= 2 * size(rank) {
        above(rank, used)
    } else {
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_specification() {
        let expected: [u64; TABLE_RANKS] = [
            12, 38, 50, 88, 138, 226, 364, 590, 954, 1544, 2498, 4042, 6540, 10582, 17122, 27704,
            44826, 72530, 117356, 189886, 307242, 368690, 442428, 530913, 637095, 764514, 917416,
            1100899, 1321078, 1585293, 1902351, 2282821, 2739385, 3287262, 3944714, 4733656,
            5680387, 6816464, 8179756, 9815707, 11778848, 14134617, 16961540, 20353848, 24424617,
            29309540, 35171448, 42205737, 50646884, 60776260, 72931512,
        ];
        assert_eq!(&SIZES[..TABLE_RANKS], &expected);
        assert!(SIZES.windows(2).all(|w| w[0] < w[1]));
        assert!(size(MAX_RANK) > 1 << 50);
    }

    /// Rank, request, live words after copying, target rank, rank after: the observed collections.
    #[test]
    fn the_sizing_rules_replay_the_recorded_collections() {
        let trace: [(usize, u64, u64, usize, usize); 9] = [
            (0, 7, 8, 1, 1),
            (1, 6, 36, 2, 2),
            (2, 5, 47, 3, 3),
            (15, 4, 27701, 16, 16),
            (16, 4, 30370, 17, 17),
            (17, 4, 1570, 18, 16),
            (16, 6, 2566, 17, 15),
            (15, 6, 3730, 16, 14),
            (12, 4, 2678, 13, 12),
        ];
        for (rank, need, live, to, then) in trace {
            assert_eq!(target(rank, need), to, "target of rank {rank}");
            assert_eq!(after(rank, live + need), then, "rank after {rank}");
        }
    }

    #[test]
    fn a_heap_always_holds_what_it_must() {
        for rank in 0..100 {
            for used in [
                0,
                1,
                size(rank) / 4,
                size(rank) / 2,
                size(rank),
                size(rank) + 1000,
            ] {
                let need = 1000;
                let to = target(rank, need);
                assert!(size(after(rank, used)) >= used);
                assert!(used > size(rank) + need || size(after(rank, used)) <= size(to));
            }
        }
    }
}
