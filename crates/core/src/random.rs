//! The draw of `random` (ROUTING 6.3): SplitMix64 over the seed that came with the input.

/// An index below `bound`, uniform over seeds; 0 for a `bound` of 0. The same seed and bound give the same index.
///
/// The generator is SplitMix64. Values that would favour small indexes are drawn again, so the uniformity is exact.
pub(crate) fn draw(seed: u64, bound: u32) -> u32 {
    let bound = u64::from(bound);
    if bound == 0 {
        return 0;
    }
    // The first values, 2^64 modulo the bound of them, are the ones too many for equal shares.
    let surplus = bound.wrapping_neg() % bound;
    let mut state = seed;
    loop {
        let value = split_mix_64(&mut state);
        if value >= surplus {
            return u32::try_from(value % bound).expect("a remainder below a 32-bit bound");
        }
    }
}

/// The next value of SplitMix64 (Steele, Lea, Flood 2014). Its period is 2^64, so the loop above ends.
const fn split_mix_64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{draw, split_mix_64};

    #[test]
    fn the_generator_gives_the_published_values() {
        let mut state = 1_234_567;
        let values: [u64; 3] = std::array::from_fn(|_| split_mix_64(&mut state));
        assert_eq!(values, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_index_below_the_bound_comes_up_equally_often() {
        for bound in [1_u32, 2, 3, 7, 10] {
            let mut counts = vec![0_u32; usize::try_from(bound).unwrap()];
            let rounds = 20_000;
            for seed in 0..rounds {
                counts[usize::try_from(draw(seed, bound)).unwrap()] += 1;
            }
            let expected = u32::try_from(rounds).unwrap() / bound;
            for count in counts {
                assert!(count.abs_diff(expected) < expected / 10 + 1, "bound {bound}: {count} of about {expected}");
            }
        }
    }

    #[test]
    fn a_bound_of_zero_draws_zero() {
        assert_eq!(draw(7, 0), 0);
    }
}
