//! How fast a lane moves, and what that says about the wait of those who stand in it.
//!
//! An estimate for people's eyes: nothing is decided by it, and no state keeps it, so a router that begins anew knows
//! none until it has seen some pick-ups.

use std::collections::VecDeque;
use switchboard_model::{ItemId, Timestamp};

/// Pick-ups that are remembered.
const REMEMBERED: usize = 16;
/// Fewer than these say too little.
const FEWEST: usize = 5;
/// What lies further back says nothing about now.
const RECENT_MS: i64 = 3_600_000;
/// One in ten waits is shorter than the range, one in ten longer.
const TAIL: f64 = 0.1;

/// How long somebody who waits will probably wait from now on: four in five do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitRange {
    /// One in ten waits less.
    pub low_ms: i64,
    /// One in ten waits more.
    pub high_ms: i64,
}

/// The last pick-ups from a lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    picked: VecDeque<Picked>,
}

/// How fast the lanes of a router move.
#[derive(Clone, Debug)]
pub struct Paces {
    pub(crate) directory_version: i64,
    pub(crate) lanes: Vec<LanePace>,
}

/// How fast a lane moves, which is found again by somebody who stands in it.
#[derive(Clone, Debug)]
pub(crate) struct LanePace {
    /// The last in line.
    pub item: ItemId,
    /// Which of the item's lanes it is, and how many the item has.
    pub lane: (usize, usize),
    /// Since when somebody has been waiting in it without a break.
    pub waiting_since: Timestamp,
    /// The pick-ups.
    pub pace: Pace,
}

#[derive(Clone, Copy, Debug)]
struct Picked {
    at: Timestamp,
    /// How long somebody had been waiting in the lane since the pick-up before.
    after_ms: i64,
}

impl Pace {
    /// Somebody is picked up now out of a lane in which somebody has been waiting since then without a break.
    pub(crate) fn pick(&mut self, now: Timestamp, waiting_since: Timestamp) {
        if self.picked.len() == REMEMBERED {
            self.picked.pop_front();
        }
        self.picked.push_back(Picked { at: now, after_ms: self.since_last_ms(now, waiting_since) });
    }

    /// Takes over what another saw before this one began to look.
    pub(crate) fn follow(&mut self, before: &Self) {
        let begin = self.picked.front().map(|first| first.at);
        let earlier = before.picked.iter().rev().filter(|picked| begin.is_none_or(|begin| picked.at < begin));
        let earlier: Vec<Picked> = earlier.take(REMEMBERED - self.picked.len()).copied().collect();
        if let (Some(first), Some(last)) = (self.picked.front_mut(), earlier.first()) {
            first.after_ms = first.after_ms.min(first.at.ms_since(last.at));
        }
        for picked in earlier {
            self.picked.push_front(picked);
        }
    }

    /// The wait of the one in a place, from 1; `None` while too little is known.
    ///
    /// Pick-ups are taken to come at random at a steady pace while somebody waits. So the time of `k` of them is a
    /// gamma variate of shape `k`, the time until the `n`th from now another of shape `n`, and their ratio is known
    /// without knowing the pace: it is below `p / (1 - p)` when of `n + k - 1` tosses that succeed with probability
    /// `p` at least `n` do.
    pub(crate) fn wait(&self, place: usize, now: Timestamp, waiting_since: Timestamp) -> Option<WaitRange> {
        let recent = self.picked.iter().filter(|picked| now.ms_since(picked.at) <= RECENT_MS);
        let (count, picked_ms) = recent.fold((0, 0_i64), |(count, sum), picked| (count + 1, sum + picked.after_ms));
        if place == 0 || count < FEWEST {
            return None;
        }
        // What has gone by without a pick-up counts: a lane that stands still looks slower by the minute.
        let passed_ms = picked_ms + self.since_last_ms(now, waiting_since);
        let at = |share: f64| times(passed_ms, ratio(share, place, count));
        Some(WaitRange { low_ms: at(TAIL), high_ms: at(1.0 - TAIL) })
    }

    fn since_last_ms(&self, now: Timestamp, waiting_since: Timestamp) -> i64 {
        let from = self.picked.back().map_or(waiting_since, |last| last.at.max(waiting_since));
        now.ms_since(from).max(0)
    }
}

/// The value that the time of `ahead` pick-ups, in units of the time of `seen` others, stays below with this
/// probability.
fn ratio(share: f64, ahead: usize, seen: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if at_least(ahead, ahead + seen - 1, middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    high / (1.0 - low).max(f64::EPSILON)
}

/// The probability of at least so many successes in so many tosses.
fn at_least(successes: usize, tosses: usize, chance: f64) -> f64 {
    let failures = 1.0 - chance;
    let mut term = power(chance, tosses);
    let mut sum = term;
    for failed in 1..=tosses - successes {
        term *= count_of(tosses + 1 - failed) / count_of(failed) * failures / chance.max(f64::MIN_POSITIVE);
        sum += term;
    }
    sum
}

fn power(base: f64, exponent: usize) -> f64 {
    i32::try_from(exponent).map_or(0.0, |exponent| base.powi(exponent))
}

#[allow(clippy::cast_precision_loss, reason = "queues are shorter than 2^52")]
const fn count_of(number: usize) -> f64 {
    number as f64
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "centuries fit, and more ends at the greatest")]
const fn times(ms: i64, ratio: f64) -> i64 {
    (ms as f64 * ratio) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const BEGIN: Timestamp = Timestamp(1_000_000_000);

    /// A lane that never ran empty, from which somebody was picked up after each of these.
    fn moved(gaps_ms: &[i64]) -> (Pace, Timestamp) {
        let (mut pace, mut now) = (Pace::default(), BEGIN);
        for gap in gaps_ms {
            now = now.plus_ms(*gap);
            pace.pick(now, BEGIN);
        }
        (pace, now)
    }

    #[test]
    fn r7_4_little_that_is_known_gives_no_range() {
        let (pace, now) = moved(&[MINUTE_MS; 4]);
        assert_eq!(pace.wait(1, now, BEGIN), None);
        let (pace, now) = moved(&[MINUTE_MS; 5]);
        assert!(pace.wait(1, now, BEGIN).is_some());
        assert_eq!(pace.wait(0, now, BEGIN), None, "nobody stands there");
        assert_eq!(pace.wait(1, now.plus_ms(RECENT_MS), BEGIN), None, "that was another day");
    }

    #[test]
    fn r7_4_the_range_of_the_wait_is_that_of_a_ratio_of_gamma_variates() {
        // One ahead and one seen: the ratio of two equal exponential variates is below x with x / (1 + x).
        assert!((ratio(0.9, 1, 1) - 9.0).abs() < 1e-9 && (ratio(0.1, 1, 1) - 1.0 / 9.0).abs() < 1e-9);
        // An F variate with 10 and 30 degrees of freedom is below 1.8195 in 90 % of all cases (statistical tables).
        let variate = ratio(0.9, 5, 15) * 15.0 / 5.0;
        assert!((variate - 1.8195).abs() < 5e-5, "{variate}");
    }

    #[test]
    fn r7_4_four_in_five_wait_within_the_range() {
        let mut seed = 0x2545_F491_4F6C_DD1D_u64;
        let mut gap_ms = || {
            (seed, _) = seed.overflowing_mul(6_364_136_223_846_793_005);
            (seed, _) = seed.overflowing_add(1_442_695_040_888_963_407);
            let drawn = f64::from(u32::try_from(seed >> 33).unwrap_or_default() + 1) / 2_147_483_649.0;
            times(MINUTE_MS, -drawn.ln())
        };
        for place in [1, 3, 20] {
            let within = (0..20_000).filter(|_| {
                let gaps: Vec<_> = (0..8).map(|_| gap_ms()).collect();
                let (pace, now) = moved(&gaps);
                let wait: i64 = (0..place).map(|_| gap_ms()).sum();
                pace.wait(place, now, BEGIN).is_some_and(|range| (range.low_ms..=range.high_ms).contains(&wait))
            });
            let share = count_of(within.count()) / 20_000.0;
            assert!((share - 0.8).abs() < 0.012, "place {place}: {share}");
        }
    }

    #[test]
    fn r7_4_a_longer_line_and_one_that_stands_still_wait_longer() {
        let (pace, now) = moved(&[MINUTE_MS; 10]);
        let first = pace.wait(1, now, BEGIN).unwrap();
        let tenth = pace.wait(10, now, BEGIN).unwrap();
        assert!(first.low_ms < tenth.low_ms && first.high_ms < tenth.high_ms, "{first:?} {tenth:?}");
        assert!((5 * MINUTE_MS..10 * MINUTE_MS).contains(&tenth.low_ms), "{tenth:?}");
        assert!((10 * MINUTE_MS..20 * MINUTE_MS).contains(&tenth.high_ms), "{tenth:?}");
        let later = pace.wait(1, now.plus_ms(20 * MINUTE_MS), BEGIN).unwrap();
        assert!(later.high_ms > 2 * first.high_ms, "{later:?}");
        let far = pace.wait(100_000, now, BEGIN).unwrap();
        assert!(far.low_ms > tenth.high_ms && far.high_ms > far.low_ms, "{far:?}");
    }

    #[test]
    fn what_another_saw_before_is_followed_up() {
        let (whole, now) = moved(&[MINUTE_MS; 14]);
        let (before, then) = moved(&[MINUTE_MS; 12]);
        let after = |seen: &[i64]| {
            let mut pace = Pace::default();
            seen.iter().for_each(|minutes| pace.pick(then.plus_ms(minutes * MINUTE_MS), BEGIN));
            pace
        };
        for mut pace in [after(&[1, 2]), after(&[-1, 0, 1, 2])] {
            pace.follow(&before);
            assert_eq!((pace.picked.len(), pace.wait(3, now, BEGIN)), (14, whole.wait(3, now, BEGIN)));
        }
        let mut empty = Pace::default();
        empty.follow(&before);
        assert_eq!(empty.wait(3, then, BEGIN), before.wait(3, then, BEGIN));
        let mut full = moved(&[MINUTE_MS; 40]).0;
        full.follow(&before);
        assert_eq!(full.picked.len(), REMEMBERED);
    }

    #[test]
    fn r7_4_time_in_which_nobody_waited_says_nothing() {
        let (mut busy, mut now) = moved(&[MINUTE_MS; 9]);
        let mut calm = busy.clone();
        now = now.plus_ms(20 * MINUTE_MS);
        calm.pick(now, now.plus_ms(-MINUTE_MS));
        busy.pick(now, BEGIN);
        let (calm, busy) = (calm.wait(1, now, now).unwrap(), busy.wait(1, now, BEGIN).unwrap());
        assert!(2 * calm.high_ms < busy.high_ms, "{calm:?} {busy:?}");
    }
}
