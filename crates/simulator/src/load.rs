//! What a simulation is fed with: items with everything that chance decides about them, drawn beforehand.
//!
//! Times travel with the item and not with whoever gets it, so that two directories meet the same traffic.

use crate::durations::Durations;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use switchboard_model::{ChannelId, ContactFacts, ContactId, Facts, Owner, Priority, RouteEvent, StatusValue, Timestamp, UserId};

/// An item that is going to arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub channel: ChannelId,
    /// New, or reopened.
    pub event: RouteEvent,
    /// From whom; contact 0 is nobody in particular, who never comes again.
    pub contact: ContactFacts,
    /// What conditions may ask for.
    pub facts: Facts,
    /// Who had it last, for one that is reopened.
    pub previous_owner: Option<Owner>,
    /// How urgent it is.
    pub priority: Priority,
    /// When its next target is breached.
    pub due_at: Option<Timestamp>,
    /// How long somebody of ordinary pace works on it.
    pub service_ms: i64,
    /// How long the contact waits for an owner before leaving; `None` is for ever.
    pub patience_ms: Option<i64>,
    /// What the router draws from, and missed offers.
    pub seed: u64,
}

/// Offers that nobody takes up: the person was assigned but did not notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissedOffers {
    /// The probability that an offer is missed, from 0 to 1, 1 excluded.
    pub probability: f64,
    /// How long the offer keeps the person occupied before the item is handed back.
    pub blocks: Durations,
}

/// Somebody sets a manual status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user: UserId,
    /// To what.
    pub value: StatusValue,
}

/// Everything that comes towards a router in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// By ascending time.
    pub jobs: Vec<Job>,
    /// By ascending time.
    pub statuses: Vec<StatusEvent>,
    /// By channel.
    pub missed: BTreeMap<ChannelId, MissedOffers>,
}

impl Job {
    /// An item without particulars from nobody in particular, that takes no time.
    #[must_use]
    pub const fn new(at: Timestamp, channel: ChannelId) -> Self {
        let contact =
            ContactFacts { id: ContactId(0), owner: None, proven: false, cookie: false, last_owner: None, last_owned_at: None };
        Self {
            at,
            channel,
            event: RouteEvent::Arrived,
            contact,
            facts: Facts::new(),
            previous_owner: None,
            priority: Priority::Normal,
            due_at: None,
            service_ms: 0,
            patience_ms: None,
            seed: 0,
        }
    }
}
