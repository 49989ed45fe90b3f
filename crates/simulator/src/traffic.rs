//! Traffic: what came towards the router, or what might.

use crate::durations::Durations;
use crate::load::{MissedOffers, StatusEvent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use switchboard_model::{
    ChannelId, CivilDate, ContactFacts, Directory, FactField, Facts, Fault, Owner, Priority, RouteEvent, Timestamp,
};

/// The fewest recorded arrivals that a comparison is made on.
pub const MIN_ARRIVALS: usize = 200;
/// The fewest measured services of a channel that others are drawn from.
pub const MIN_SERVICES: usize = 30;
/// The longest time that traffic is generated for.
const MAX_DAYS: u32 = 366;
/// The most arrivals that a channel may expect in an hour.
const MAX_PER_HOUR: f64 = 1_000_000.0;

/// Where the arrivals of a simulation come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Traffic {
    /// From history.
    Recorded(Recorded),
    /// Drawn by profiles.
    Generated(Generated),
}

/// Arrivals as they were. Times of service are drawn anew from what was measured for every seed but the first, which
/// takes each as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// By ascending time.
    pub arrivals: Vec<RecordedArrival>,
    /// Statuses that people set, by ascending time.
    #[serde(default)]
    pub statuses: Vec<StatusEvent>,
    /// Times of service given instead of measured ones.
    #[serde(default)]
    pub service: BTreeMap<ChannelId, Durations>,
    /// How long contacts wait for an owner; for ever where nothing is given.
    #[serde(default)]
    pub patience: BTreeMap<ChannelId, Durations>,
    /// Offers that are missed.
    #[serde(default)]
    pub missed: BTreeMap<ChannelId, MissedOffers>,
}

/// One arrival of history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedArrival {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub channel: ChannelId,
    /// New, or reopened.
    pub event: RouteEvent,
    /// From whom.
    pub contact: ContactFacts,
    /// What conditions may ask for.
    #[serde(default)]
    pub facts: Facts,
    /// Who had it last, for one that was reopened.
    #[serde(default)]
    pub previous_owner: Option<Owner>,
    /// How urgent it was.
    #[serde(default)]
    pub priority: Priority,
    /// How long after its arrival its next target would be breached.
    #[serde(default)]
    pub due_in_ms: Option<i64>,
    /// From the first assignment until it was closed, where that is known.
    #[serde(default)]
    pub service_ms: Option<i64>,
}

/// Arrivals drawn by profiles, as a traffic file describes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// The first day, in UTC; the default is Monday, 1 February 2027.
    #[serde(default = "first_day")]
    pub start: CivilDate,
    /// For how many days, 1 to 366.
    pub days: u32,
    /// By the slugs of channels.
    pub channels: BTreeMap<String, ChannelTraffic>,
}

/// The traffic of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelTraffic {
    /// Expected arrivals per hour: one number for all hours, 24 for those of a day, or 168 for those of a week that
    /// begins on Monday; hours are those of the channel's zone.
    pub per_hour: Vec<f64>,
    /// How long people work on an item, from assignment to close.
    pub service: Durations,
    /// How long contacts wait for an owner; for ever if left out.
    #[serde(default)]
    pub patience: Option<Durations>,
    /// Offers that are missed.
    #[serde(default)]
    pub missed: Option<MissedOffers>,
    /// What sorts of items there are; the rest has no particulars.
    #[serde(default)]
    pub mix: Vec<Mix>,
}

/// One sort of items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Its share of the channel's arrivals, 0 to 1; all together at most 1.
    pub share: f64,
    /// Facts, such as `"message.language" = "nb"`.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// How urgent.
    #[serde(default)]
    pub priority: Priority,
    /// Minutes until the next target is breached.
    #[serde(default)]
    pub due_min: Option<u32>,
    /// The contact owner's email address.
    #[serde(default)]
    pub contact_owner: Option<String>,
}

/// Traffic that nothing can be learned from. Every fault is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficError {
    /// The faults, each with what to do about it.
    pub faults: Vec<Fault>,
}

impl fmt::Display for TrafficError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the traffic cannot be simulated")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for TrafficError {}

const fn first_day() -> CivilDate {
    CivilDate { year: 2027, month: 2, day: 1 }
}

impl Traffic {
    /// Checks that the traffic can be drawn from and says something, with the directories that it will meet.
    ///
    /// # Errors
    /// When history is too short ([`MIN_ARRIVALS`], [`MIN_SERVICES`]), when a name is not known, or when a number makes
    /// no sense.
    pub fn check(&self, directories: &[&Directory]) -> Result<(), TrafficError> {
        let faults = match self {
            Self::Recorded(recorded) => recorded.faults(directories),
            Self::Generated(generated) => generated.faults(directories),
        };
        if faults.is_empty() { Ok(()) } else { Err(TrafficError { faults }) }
    }
}

impl Recorded {
    fn faults(&self, directories: &[&Directory]) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.arrivals.len() < MIN_ARRIVALS {
            let message = format!(
                "{} arrivals are too few for a comparison, which needs {MIN_ARRIVALS}; take a longer stretch of history, or \
                 generate traffic from a profile",
                self.arrivals.len()
            );
            faults.push(Fault::new("traffic.arrivals", message));
        }
        if !self.arrivals.is_sorted_by_key(|arrival| arrival.at) || !self.statuses.is_sorted_by_key(|status| status.at) {
            faults.push(Fault::new("traffic.arrivals", "arrivals and statuses stand in the order of their times"));
        }
        let mut measured: BTreeMap<ChannelId, usize> = BTreeMap::new();
        for arrival in &self.arrivals {
            *measured.entry(arrival.channel).or_default() += usize::from(arrival.service_ms.is_some());
        }
        for (channel, found) in measured.into_iter().filter(|(channel, _)| !self.service.contains_key(channel)) {
            if found < MIN_SERVICES {
                let message = format!(
                    "{found} closed items of this channel are too few to know how long they take, which needs {MIN_SERVICES}; \
                     take a longer stretch of history, or say how long they take"
                );
                faults.push(Fault::new(format!("traffic.service.{}", slug_of(directories, channel)), message));
            }
        }
        for (word, given) in [("service", &self.service), ("patience", &self.patience)] {
            for (channel, durations) in given {
                faults.extend(faulty(&format!("traffic.{word}.{}", slug_of(directories, *channel)), Some(durations)));
            }
        }
        for (channel, missed) in &self.missed {
            faults.extend(missed.faults(&format!("traffic.missed.{}", slug_of(directories, *channel))));
        }
        faults
    }
}

impl Generated {
    fn faults(&self, directories: &[&Directory]) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !(1..=MAX_DAYS).contains(&self.days) {
            faults.push(Fault::new("traffic.days", format!("`{}` days are not possible; 1 to {MAX_DAYS} are", self.days)));
        }
        if self.channels.is_empty() {
            faults.push(Fault::new("traffic.channels", "no channel has any traffic"));
        }
        let known: Vec<&str> =
            directories.iter().flat_map(|directory| &directory.channels).map(|channel| channel.slug.as_str()).collect();
        for (slug, channel) in &self.channels {
            let key = format!("traffic.channels.{slug}");
            if !known.contains(&slug.as_str()) {
                faults.push(Fault::unknown(&key, "channel", slug, known.iter().copied()));
            }
            faults.extend(channel.faults(&key, directories));
        }
        let per_hour = self.channels.values().flat_map(|channel| &channel.per_hour);
        if !self.channels.is_empty() && per_hour.sum::<f64>() == 0.0 {
            faults.push(Fault::new("traffic.channels", "every `per_hour` is 0, so nothing would arrive"));
        }
        faults
    }
}

impl ChannelTraffic {
    fn faults(&self, key: &str, directories: &[&Directory]) -> Vec<Fault> {
        let mut faults = Vec::new();
        if ![1, 24, 168].contains(&self.per_hour.len()) {
            let message = format!("has {} numbers; 1 for all hours, 24 for a day or 168 for a week", self.per_hour.len());
            faults.push(Fault::new(format!("{key}.per_hour"), message));
        }
        for value in self.per_hour.iter().filter(|value| !(0.0..=MAX_PER_HOUR).contains(*value)) {
            faults.push(Fault::new(format!("{key}.per_hour"), format!("{value} is not between 0 and {MAX_PER_HOUR}")));
        }
        faults.extend(faulty(&format!("{key}.service"), Some(&self.service)));
        faults.extend(faulty(&format!("{key}.patience"), self.patience.as_ref()));
        if let Some(missed) = &self.missed {
            faults.extend(missed.faults(&format!("{key}.missed")));
        }
        let shares: f64 = self.mix.iter().map(|mix| mix.share).sum();
        if self.mix.iter().any(|mix| !(0.0..=1.0).contains(&mix.share)) || shares > 1.0 + 1e-9 {
            faults.push(Fault::new(format!("{key}.mix"), format!("shares are 0 to 1 and at most 1 together, not {shares:.3}")));
        }
        for (index, mix) in self.mix.iter().enumerate() {
            for name in mix.facts.keys().filter(|name| !FactField((*name).clone()).is_known()) {
                let known = FactField::FIXED.iter().copied();
                faults.push(Fault::unknown(format!("{key}.mix[{index}].facts"), "fact", name, known));
            }
            if let Some(email) = &mix.contact_owner
                && !directories.iter().any(|directory| directory.user_by_email(email).is_some())
            {
                let known = directories.iter().flat_map(|directory| &directory.users).map(|user| user.email.as_str());
                faults.push(Fault::unknown(format!("{key}.mix[{index}].contact_owner"), "user", email, known));
            }
        }
        faults
    }
}

impl MissedOffers {
    fn faults(&self, key: &str) -> Vec<Fault> {
        let mut faults = faulty(&format!("{key}.blocks"), Some(&self.blocks));
        if !(0.0..1.0).contains(&self.probability) {
            let message = format!("`{}` is not possible; from 0 to 1, 1 excluded", self.probability);
            faults.push(Fault::new(format!("{key}.probability"), message));
        }
        faults
    }
}

fn faulty(key: &str, durations: Option<&Durations>) -> Vec<Fault> {
    durations.and_then(Durations::fault).map(|message| Fault::new(key, message)).into_iter().collect()
}

fn slug_of(directories: &[&Directory], channel: ChannelId) -> String {
    let found = directories.iter().find_map(|directory| directory.channel(channel));
    found.map_or_else(|| channel.to_string(), |channel| channel.slug.clone())
}
