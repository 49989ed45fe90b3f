//! Chance that can be repeated: a seed that is printed, and a small generator.

use std::time::{SystemTime, UNIX_EPOCH};

/// The variable that repeats a run.
const SEED: &str = "SWITCHBOARD_TEST_SEED";

/// A generator (SplitMix64).
pub struct Random(u64);

impl Random {
    /// Seeded from `SWITCHBOARD_TEST_SEED`, or from the clock. Prints the seed and how to repeat the run.
    #[must_use]
    pub fn announced(test: &str) -> Self {
        let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = given.unwrap_or_else(|| u64::from(since_epoch.subsec_nanos()) ^ (u64::from(std::process::id()) << 32));
        eprintln!("seed {seed}; repeat with {SEED}={seed} cargo nextest run -p switchboard-tests -E 'test({test})'");
        Self(seed)
    }

    /// Seeded with a number.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator with a seed drawn from this one.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `end`, which is above 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether a chance of one in `n` came up.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
