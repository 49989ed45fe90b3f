//! Traffic from the input log and the decisions that were made on it.

use crate::durations::Durations;
use crate::load::StatusEvent;
use crate::traffic::{Recorded, RecordedArrival};
use std::collections::BTreeMap;
use switchboard_model::{
    Arrival, ChannelId, Decision, Input, ItemChange, ItemId, ItemStatus, Outcome, Owner, RouteEvent, StatusOrigin, Timestamp,
};

/// The fewest contacts who left while they waited from whom patience is estimated.
const MIN_LEFT: u32 = 10;

/// Gathers history, input by input and decision by decision, in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Arrivals, each until it is closed.
    episodes: Vec<Episode>,
    /// The last episode of every item.
    last: BTreeMap<ItemId, usize>,
    statuses: Vec<StatusEvent>,
}

#[derive(Clone, Debug)]
struct Episode {
    at: Timestamp,
    arrival: Arrival,
    assigned_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
}

impl History {
    /// Takes in what the router consumed at a time. Everything that does not concern traffic is passed over.
    pub fn input(&mut self, at: Timestamp, input: &Input) {
        match input {
            Input::Arrived(arrival) => self.arrived(at, arrival),
            Input::Changed(change) => self.changed(at, change),
            Input::Status(change) if change.status.origin == StatusOrigin::ByHand => {
                self.statuses.push(StatusEvent { at, user: change.user, value: change.status.value });
            }
            _ => {}
        }
    }

    /// Takes in a decision that was applied at a time.
    pub fn decision(&mut self, at: Timestamp, decision: &Decision) {
        if let Outcome::Assigned { .. } | Outcome::Kept { .. } = decision.outcome {
            self.assigned(decision.item, at);
        }
    }

    /// The traffic: arrivals with the times of service that are known, and patience where enough contacts left.
    #[must_use]
    pub fn into_recorded(mut self) -> Recorded {
        let patience = self.patience();
        self.episodes.sort_by_key(|episode| episode.at);
        self.statuses.sort_by_key(|status| status.at);
        let arrivals = self.episodes.into_iter().map(|episode| {
            let Episode { at, arrival, assigned_at, closed_at } = episode;
            RecordedArrival {
                at,
                channel: arrival.channel,
                event: arrival.event,
                contact: arrival.contact,
                facts: arrival.facts,
                previous_owner: arrival.previous_owner,
                priority: arrival.queue.priority,
                due_in_ms: arrival.queue.due_at.map(|due_at| due_at.ms_since(at)),
                service_ms: assigned_at.zip(closed_at).map(|(assigned_at, closed_at)| closed_at.ms_since(assigned_at).max(0)),
            }
        });
        Recorded { arrivals: arrivals.collect(), statuses: self.statuses, patience, ..Recorded::default() }
    }

    /// A new item or one that came back begins an episode; routing it again goes on with the one there is.
    fn arrived(&mut self, at: Timestamp, arrival: &Arrival) {
        let begins = matches!(arrival.event, RouteEvent::Arrived | RouteEvent::Reopened);
        if begins {
            self.last.insert(arrival.item, self.episodes.len());
            self.episodes.push(Episode { at, arrival: arrival.clone(), assigned_at: None, closed_at: None });
        }
    }

    fn changed(&mut self, at: Timestamp, change: &ItemChange) {
        if let Some(Owner::User { .. }) = change.state.owner {
            self.assigned(change.state.item, change.state.owned_since.unwrap_or(at).min(at));
        }
        if matches!(change.state.status, ItemStatus::Closed)
            && let Some(episode) = self.episode(change.state.item)
        {
            episode.closed_at.get_or_insert(at);
        }
    }

    fn assigned(&mut self, item: ItemId, at: Timestamp) {
        if let Some(episode) = self.episode(item)
            && episode.closed_at.is_none()
        {
            let at = at.max(episode.at);
            episode.assigned_at.get_or_insert(at);
        }
    }

    fn episode(&mut self, item: ItemId) -> Option<&mut Episode> {
        self.last.get(&item).map(|index| &mut self.episodes[*index])
    }

    /// Patience per channel, taken as exponential: all time waited over the number who left. Whoever was served is
    /// known to have waited at least that long, and counts with it.
    fn patience(&self) -> BTreeMap<ChannelId, Durations> {
        let mut waited: BTreeMap<ChannelId, (f64, u32)> = BTreeMap::new();
        for episode in &self.episodes {
            let end = episode.assigned_at.or(episode.closed_at);
            if let Some(end) = end {
                let (total_s, left) = waited.entry(episode.arrival.channel).or_default();
                *total_s += end.ms_since(episode.at) as f64 / 1_000.0;
                *left += u32::from(episode.assigned_at.is_none());
            }
        }
        let known = waited.into_iter().filter(|(_, (total_s, left))| *left >= MIN_LEFT && *total_s > 0.0);
        known.map(|(channel, (total_s, left))| (channel, Durations::Exponential { mean_s: total_s / f64::from(left) })).collect()
    }
}
