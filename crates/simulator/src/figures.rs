//! What is worth knowing of one run, in numbers.

use crate::load::Load;
use crate::outcome::{Fate, Outcome, Span, common_ms};
use crate::statistics::percentile;
use std::collections::BTreeMap;
use switchboard_model::{ChannelId, Timestamp, UnassignedReason, UserId};

/// The shares at which the distribution of waits is kept: every percent, and finer at the end.
pub(crate) fn curve_shares() -> impl Iterator<Item = f64> {
    (0..100).map(|percent| f64::from(percent) / 100.0).chain([0.995, 0.998, 0.999, 1.0])
}

/// One run in numbers.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// By channel, for those with arrivals.
    pub channels: BTreeMap<ChannelId, Waits>,
    /// All channels together.
    pub all: Waits,
    /// Everybody who was available at any time or got something.
    pub people: BTreeMap<UserId, PersonTime>,
}

/// How arrivals fared. Shares are of all arrivals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    /// Arrivals counted.
    pub arrivals: f64,
    /// The wait in seconds of whatever was taken up, was left or still waited: mean, and percentiles.
    pub mean_s: f64,
    pub p50_s: f64,
    pub p90_s: f64,
    pub p99_s: f64,
    /// Taken up within the channel's target.
    pub within: f64,
    /// Left while waiting.
    pub abandoned: f64,
    /// Waiting at the end.
    pub still_waiting: f64,
    /// Given to a team without an owner.
    pub to_team: f64,
    /// Left unassigned, by reason.
    pub unassigned: BTreeMap<UnassignedReason, f64>,
    /// Waits in seconds at [`curve_shares`].
    pub curve_s: Vec<f64>,
}

/// One person's time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PersonTime {
    /// Items taken up per day of the run.
    pub per_day: f64,
    /// Mean number of open items over the time available.
    pub load: f64,
    /// Share of the time available with nothing to do.
    pub idle: f64,
    /// Hours available.
    pub available_h: f64,
}

/// What to count.
pub(crate) struct Counting<'a> {
    /// Arrivals from then on count.
    pub from: Timestamp,
    /// People's time counts until then.
    pub to: Timestamp,
    /// Targets in seconds.
    pub targets_s: &'a BTreeMap<ChannelId, f64>,
    /// When people are available.
    pub available: &'a BTreeMap<UserId, Vec<Span>>,
}

#[derive(Default)]
struct Tally {
    waits_ms: Vec<i64>,
    arrivals: usize,
    within: usize,
    abandoned: usize,
    still_waiting: usize,
    to_team: usize,
    unassigned: BTreeMap<UnassignedReason, usize>,
}

impl Figures {
    pub(crate) fn of(load: &Load, outcome: &Outcome, counting: &Counting<'_>) -> Self {
        let mut tallies: BTreeMap<ChannelId, Tally> = BTreeMap::new();
        let mut all = Tally::default();
        for (job, visit) in load.jobs.iter().zip(&outcome.visits).filter(|(job, _)| job.at >= counting.from) {
            let target_s = counting.targets_s.get(&job.channel).copied().unwrap_or(f64::INFINITY);
            let is_within = visit.wait_ms as f64 <= target_s * 1_000.0;
            for tally in [tallies.entry(job.channel).or_default(), &mut all] {
                tally.add(visit.fate, visit.wait_ms, is_within);
            }
        }
        Self {
            channels: tallies.into_iter().map(|(channel, tally)| (channel, tally.waits())).collect(),
            all: all.waits(),
            people: people(load, outcome, counting),
        }
    }
}

impl Tally {
    fn add(&mut self, fate: Fate, wait_ms: i64, is_within: bool) {
        self.arrivals += 1;
        match fate {
            Fate::Served { .. } => self.within += usize::from(is_within),
            Fate::Abandoned => self.abandoned += 1,
            Fate::StillWaiting => self.still_waiting += 1,
            Fate::TeamSet { .. } => self.to_team += 1,
            Fate::Unassigned { reason } => *self.unassigned.entry(reason).or_default() += 1,
        }
        if matches!(fate, Fate::Served { .. } | Fate::Abandoned | Fate::StillWaiting) {
            self.waits_ms.push(wait_ms);
        }
    }

    fn waits(mut self) -> Waits {
        self.waits_ms.sort_unstable();
        let all = self.arrivals.max(1) as f64;
        let share = |count: usize| count as f64 / all;
        let at_s = |part: f64| percentile(&self.waits_ms, part).map_or(0.0, |wait_ms| wait_ms as f64 / 1_000.0);
        let sum_s = self.waits_ms.iter().map(|wait_ms| *wait_ms as f64 / 1_000.0).sum::<f64>();
        Waits {
            arrivals: self.arrivals as f64,
            mean_s: sum_s / self.waits_ms.len().max(1) as f64,
            p50_s: at_s(0.5),
            p90_s: at_s(0.9),
            p99_s: at_s(0.99),
            within: share(self.within),
            abandoned: share(self.abandoned),
            still_waiting: share(self.still_waiting),
            to_team: share(self.to_team),
            unassigned: self.unassigned.iter().map(|(reason, count)| (*reason, share(*count))).collect(),
            curve_s: curve_shares().map(at_s).collect(),
        }
    }
}

fn people(load: &Load, outcome: &Outcome, counting: &Counting<'_>) -> BTreeMap<UserId, PersonTime> {
    let window = [Span { from: counting.from, to: counting.to }];
    let days = counting.to.ms_since(counting.from).max(1) as f64 / 86_400_000.0;
    let mut assigned: BTreeMap<UserId, u32> = BTreeMap::new();
    for (job, visit) in load.jobs.iter().zip(&outcome.visits).filter(|(job, _)| job.at >= counting.from) {
        if let Fate::Served { user } = visit.fate
            && job.at < counting.to
        {
            *assigned.entry(user).or_default() += 1;
        }
    }
    let users = counting.available.keys().chain(outcome.people.keys());
    users
        .map(|user| {
            let none = Vec::new();
            let available = counting.available.get(user).unwrap_or(&none);
            let available_ms = common_ms(available, &window);
            let (busy_ms, open_ms) = outcome.people.get(user).map_or((0, 0), |log| {
                let within: Vec<Span> = available.iter().filter_map(|span| clipped(*span, window[0])).collect();
                let open: i64 = log.items.iter().map(|item| common_ms(&[*item], overlapping(&within, *item))).sum();
                (common_ms(&log.busy, &within), open)
            });
            let share = |part_ms: i64| if available_ms > 0 { part_ms as f64 / available_ms as f64 } else { 0.0 };
            let time = PersonTime {
                per_day: f64::from(assigned.get(user).copied().unwrap_or_default()) / days,
                load: share(open_ms),
                idle: share(available_ms - busy_ms),
                available_h: available_ms as f64 / 3_600_000.0,
            };
            (*user, time)
        })
        .collect()
}

fn clipped(span: Span, window: Span) -> Option<Span> {
    let clipped = Span { from: span.from.max(window.from), to: span.to.min(window.to) };
    (clipped.from < clipped.to).then_some(clipped)
}

/// Those of sorted spans that reach into another.
fn overlapping(spans: &[Span], other: Span) -> &[Span] {
    let first = spans.partition_point(|span| span.to <= other.from);
    let last = spans.partition_point(|span| span.from < other.to);
    &spans[first..last.max(first)]
}
