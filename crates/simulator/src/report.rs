//! What a comparison found. Shares are 0 to 1, times are in seconds, and every figure comes with its interval over seeds.

use crate::statistics::Estimate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use switchboard_model::{UnassignedReason, UserId};

/// Two directories under the same traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What came.
    pub traffic: TrafficSummary,
    /// Over how many seeds the figures are.
    pub seeds: u32,
    /// The rules as they are.
    pub today: Variant,
    /// The rules as they are meant to be.
    pub draft: Variant,
    /// The draft less today, seed by seed, for each channel by slug.
    pub differences: BTreeMap<String, Difference>,
    /// The same for all channels together.
    pub difference: Difference,
    /// What the draft's skill demands cost.
    pub demands: Vec<DemandPrice>,
    /// What to bear in mind.
    pub notes: Vec<String>,
}

/// The traffic in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrafficSummary {
    /// Recorded, not generated.
    pub recorded: bool,
    /// From the first arrival that counts, in milliseconds since 1970.
    pub from_ms: i64,
    /// To the last.
    pub to_ms: i64,
    /// Arrivals that count, per seed.
    pub arrivals: Estimate,
}

/// One directory under the traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The directory's version.
    pub version: i64,
    /// By the slug of the channel.
    pub channels: BTreeMap<String, ChannelWaits>,
    /// All channels together.
    pub all: Waits,
    /// Everybody who was available or got something, the greatest load first.
    pub people: Vec<Person>,
    /// The mean wait if everybody who takes part were one pool: that of theory (Erlang C, or Erlang A with patience, hour by
    /// hour), or that of runs of the pool where theory has no answer.
    pub floor_s: Option<f64>,
    /// The mean wait divided by the floor: what dividing people up costs.
    pub pooling_gap: Option<Estimate>,
    /// Why the floor is not that of theory, or why there is none.
    pub not_exact: Option<String>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelWaits {
    /// Its name.
    pub name: String,
    /// The target in seconds that `within` is about.
    pub target_s: f64,
    /// How its arrivals fared.
    pub waits: Waits,
}

/// How arrivals fared. Waits are those of whatever was taken up, was left by its contact, or waited at the end; shares are
/// of all arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// Arrivals per seed.
    pub arrivals: Estimate,
    /// The mean wait.
    pub mean_s: Estimate,
    /// Half waited no longer.
    pub p50_s: Estimate,
    /// Nine of ten waited no longer.
    pub p90_s: Estimate,
    /// Ninety-nine of a hundred waited no longer.
    pub p99_s: Estimate,
    /// Taken up within the target.
    pub within: Estimate,
    /// Left by the contact while waiting.
    pub abandoned: Estimate,
    /// Waiting when the run ended.
    pub still_waiting: Estimate,
    /// Given to a team without an owner.
    pub to_team: Estimate,
    /// Left unassigned, by reason.
    pub unassigned: BTreeMap<UnassignedReason, Estimate>,
    /// The distribution of waits.
    pub curve: Vec<CurvePoint>,
}

/// A point of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// This share …
    pub share: f64,
    /// … waits no longer than that.
    pub wait_s: f64,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The user.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// Hours available in the whole time.
    pub available_h: f64,
    /// Items taken up per day.
    pub per_day: Estimate,
    /// Mean number of open items while available.
    pub load: Estimate,
    /// Share of the time available with nothing open.
    pub idle: Estimate,
}

/// The draft less today.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of the mean wait.
    pub mean_s: Estimate,
    /// Of the median.
    pub p50_s: Estimate,
    /// Of the 90 % point.
    pub p90_s: Estimate,
    /// Of the 99 % point.
    pub p99_s: Estimate,
    /// Of the share within the target.
    pub within: Estimate,
    /// Of the share abandoned.
    pub abandoned: Estimate,
}

/// What one skill demand of the draft costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemandPrice {
    /// Where it stands and what it asks for.
    pub name: String,
    /// The mean wait of all arrivals with the demand, less that without.
    pub price_s: Estimate,
}
