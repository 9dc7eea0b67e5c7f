//! What the tests compare with: numbers of `num-bigint`, and a seeded source of operands.
//!
//! Invariants:
//! - A generator is determined by its seed; a failure is repeated by running the test again.
//! - Operands are biased to the edges: runs of ones and zeros, powers of two and their
//!   neighbours, equal and almost equal pairs, zero limbs at the top.

use alloc::vec;
use alloc::vec::Vec;

use num_bigint::BigUint;

/// Xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
pub struct Rng(u64);

impl Rng {
    /// A generator for a seed other than 0.
    pub fn new(seed: u64) -> Self {
        assert!(seed != 0);
        Rng(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number less than `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A limb count up to `max`, small ones more often.
    pub fn limbs(&mut self, max: usize) -> usize {
        let max = max as u64;
        let bound = match self.below(4) {
            0 => max.min(4),
            1 => max.min(16),
            2 => max.min(64),
            _ => max,
        };
        self.below(bound + 1) as usize
    }

    /// A number of at most `max` limbs.
    pub fn nat(&mut self, max: usize) -> Vec<u64> {
        let n = self.limbs(max);
        self.nat_of(n)
    }

    /// A number in `n` limbs, not necessarily significant ones.
    pub fn nat_of(&mut self, n: usize) -> Vec<u64> {
        let mut a = vec![0; n];
        if n == 0 {
            return a;
        }
        match self.below(8) {
            0 => a.fill(u64::MAX),
            1 => a[self.below(n as u64) as usize] = 1 << self.below(64),
            2 => {
                a[self.below(n as u64) as usize] = 1 << self.below(64);
                super::dec(&mut a);
            }
            3 => {
                a[self.below(n as u64) as usize] = 1 << self.below(64);
                super::inc(&mut a);
            }
            4 => self.fill_runs(&mut a),
            _ => a.iter_mut().for_each(|limb| *limb = self.bits()),
        }
        for _ in 0..self.below(4) {
            let i = self.below(n as u64) as usize;
            a[i] = [0, 1, u64::MAX, 1 << 63, u64::MAX >> 1][self.below(5) as usize];
        }
        if self.once_in(8) {
            a.truncate(n - self.below(3).min(n as u64) as usize);
            a.resize(n, 0);
        }
        a
    }

    /// Alternating runs of zeros and ones of random lengths.
    fn fill_runs(&mut self, a: &mut [u64]) {
        let (mut ones, mut left) = (self.once_in(2), 0);
        for i in 0..64 * a.len() as u64 {
            if left == 0 {
                (ones, left) = (!ones, 1 + self.below(200));
            }
            left -= 1;
            if ones {
                super::set(a, i);
            }
        }
    }

    /// Two numbers of at most `max` limbs: independent, equal, or a step apart.
    pub fn pair(&mut self, max: usize) -> (Vec<u64>, Vec<u64>) {
        let a = self.nat(max);
        let mut b = a.clone();
        match self.below(8) {
            0 => {}
            1 => _ = super::inc(&mut b),
            2 => _ = super::dec(&mut b),
            _ => b = self.nat(max),
        }
        (a, b)
    }

    /// An offset or width in bits that is interesting for a number of `n` limbs.
    pub fn offset(&mut self, n: usize) -> u64 {
        match self.below(8) {
            0 => 64 * self.below(n as u64 + 2),
            1 => 8 * self.below(8 * n as u64 + 2),
            2 => u64::MAX - self.below(3),
            3 => self.below(9),
            _ => self.below(64 * n as u64 + 70),
        }
    }
}

/// The model's number for a limb slice.
pub fn big(a: &[u64]) -> BigUint {
    let digits = a
        .iter()
        .flat_map(|&limb| [limb as u32, (limb >> 32) as u32])
        .collect();
    BigUint::new(digits)
}

/// An output slice full of ones, so that a limb left unwritten shows.
pub fn blank(n: usize) -> Vec<u64> {
    vec![u64::MAX; n]
}

/// 2^n as a number of the model.
pub fn power_of_two(n: u64) -> BigUint {
    BigUint::from(1u32) << n
}
