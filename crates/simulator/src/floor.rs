//! The floor under any rule: everybody who takes part in one pool, hour by hour.

use crate::erlang::{ErlangA, ErlangC};
use crate::outcome::{Span, common_ms};
use std::collections::BTreeMap;
use switchboard_model::{Directory, Timestamp, User, UserId, WorkType};

const HOUR_MS: i64 = 3_600_000;

/// Why there is no exact floor.
pub(crate) enum NoFloor {
    /// Nothing would wait at all.
    NothingWaits(String),
    /// There is no steady state at some time of the day or week.
    TooFull(String),
}

/// The floor of a variant.
pub(crate) enum Floor {
    /// From theory.
    Exact(f64),
    /// From runs of the pool itself: the mean waits by seed, and why theory has no answer.
    Simulated(Vec<f64>, String),
    /// None, and why.
    None(String),
}

/// What the floor is computed from.
pub(crate) struct Pooled<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// Who takes part, with when they are available.
    pub people: BTreeMap<UserId, &'a [Span]>,
    /// The share of each type of work.
    pub types: BTreeMap<WorkType, f64>,
    /// Expected arrivals in each hour.
    pub hourly: &'a [f64],
    /// When the first hour begins.
    pub from: Timestamp,
    /// The mean time of service in seconds.
    pub service_s: f64,
    /// The mean patience, where every contact has one.
    pub patience_s: Option<f64>,
}

impl Pooled<'_> {
    /// The mean wait in seconds of one pool in a steady state, each hour for itself, weighted by its arrivals.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn mean_wait_s(&self) -> Result<f64, NoFloor> {
        let mut places = Vec::new();
        for (user, spans) in &self.people {
            let Some(user) = self.directory.user(*user) else { continue };
            let Some(count) = self.places_of(user) else {
                let why = format!("{} takes any number of items at once, so nothing has to wait", user.name);
                return Err(NoFloor::NothingWaits(why));
            };
            places.push((count, *spans));
        }
        let (mut sum_s, mut arrivals, mut too_full, mut hours) = (0.0, 0.0, 0, 0);
        for (hour, expected) in (0_i64..).zip(self.hourly).filter(|(_, expected)| **expected > 0.0) {
            let from = self.from.plus_ms(hour * HOUR_MS);
            let window = [Span { from, to: from.plus_ms(HOUR_MS) }];
            let here = places.iter().map(|(count, spans)| count * common_ms(spans, &window) as f64 / HOUR_MS as f64);
            let here = here.sum::<f64>().round() as u32;
            let load = expected / 3_600.0 * self.service_s;
            let wait_s = match self.patience_s {
                Some(patience_s) => ErlangA::new(here, load, self.service_s, patience_s).map(|queue| queue.mean_wait_s),
                None => ErlangC::new(here, load, self.service_s).map(|queue| queue.mean_wait_s),
            };
            hours += 1;
            match wait_s {
                Some(wait_s) => (sum_s, arrivals) = (sum_s + wait_s * expected, arrivals + expected),
                None => too_full += 1,
            }
        }
        if too_full > 0 {
            return Err(NoFloor::TooFull(format!("in {too_full} of {hours} hours more work comes than even one pool could do")));
        }
        if arrivals > 0.0 { Ok(sum_s / arrivals) } else { Err(NoFloor::NothingWaits("nothing arrives".to_owned())) }
    }

    /// How many items somebody takes at once; `None` for any number.
    fn places_of(&self, user: &User) -> Option<f64> {
        let capacity = &user.capacity;
        let typed = |work: &WorkType| capacity.per_type.get(work).map(|limit| f64::from(*limit));
        let by_type: Option<f64> = self.types.keys().map(typed).sum();
        let by_weight = capacity.weights.as_ref().and_then(|weights| {
            let weigh =
                |(work, share): (&WorkType, &f64)| f64::from(weights.per_type.get(work).copied().unwrap_or_default()) * share;
            let mean: f64 = self.types.iter().map(weigh).sum();
            (mean > 0.0).then(|| f64::from(weights.limit) / mean)
        });
        [capacity.total.map(f64::from), by_type, by_weight].into_iter().flatten().reduce(f64::min)
    }
}
