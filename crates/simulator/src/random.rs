//! Random numbers for simulated time: one named generator, many independent streams.
//!
//! Every stream is made from a seed and the words that say what it is for, so the same seed gives the same traffic
//! to every variant that is compared, and drawing more of one thing never changes another.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A stream of random numbers: PCG XSL 128/64 (MCG).
#[derive(Clone, Debug)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream of a seed for one purpose. Equal words give equal streams.
    #[must_use]
    pub fn new(seed: u64, purpose: &[u64]) -> Self {
        Self(Pcg64Mcg::seed_from_u64(purpose.iter().fold(mixed(seed), |so_far, word| mixed(so_far ^ mixed(*word)))))
    }

    /// A number from 0 up to 1, 1 excluded.
    pub fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// An index below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound)
    }

    pub(crate) const fn generator(&mut self) -> &mut Pcg64Mcg {
        &mut self.0
    }
}

/// The output function of SplitMix64, which spreads neighbouring words over all 64 bits.
const fn mixed(word: u64) -> u64 {
    let mut mixed = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Stream;

    #[test]
    fn equal_words_give_equal_streams_and_others_others() {
        let first = |seed, purpose: &[u64]| Stream::new(seed, purpose).bits();
        assert_eq!(first(1, &[2, 3]), first(1, &[2, 3]));
        let all = [first(1, &[2, 3]), first(1, &[3, 2]), first(2, &[2, 3]), first(1, &[2]), first(1, &[])];
        let distinct: std::collections::BTreeSet<u64> = all.into();
        assert_eq!(distinct.len(), all.len());
    }
}
