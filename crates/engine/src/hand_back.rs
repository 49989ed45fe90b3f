//! Handing open work back to routing when its owner is absent, or lets the contact wait, for too long (ROUTING 4.5).

use crate::arrival::tell_change;
use crate::engine::Engine;
use crate::error::Result;
use crate::items::Reroute;
use crate::random;
use crate::router_task::pause;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use switchboard_model::{Actor, ChannelEntry, ChannelId, Directory, HandBack, ItemId, ItemStatus, RouteEvent, Timestamp, UserId};
use switchboard_storage::{Changed, ItemRecord, ItemUpdate, OwnedWork, OwnedWorkQuery, Tx};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(15);
const ROWS: u32 = 200;
const MINUTE_MS: i64 = 60_000;

/// Whoever is absent: since when, and the availability version that says so.
type Absent = BTreeMap<UserId, (Timestamp, i64)>;

impl Engine {
    /// Hands work back until the token is cancelled, on the host that routes.
    pub async fn run_hand_back(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let outcome = match self.is_router().await {
                Ok(true) => self.hand_back_round().await.map(|_| ()),
                other => other.map(|_| ()),
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "work could not be handed back; trying again");
            }
            pause(&shutdown, EVERY).await;
        }
    }

    /// Hands back whatever is due now. Answers how many items that was.
    pub(crate) async fn hand_back_round(&self) -> Result<u32> {
        let directory = self.directory();
        let channels: Vec<ChannelId> =
            directory.channels.iter().filter(|channel| settings(channel).next().is_some()).map(|channel| channel.id).collect();
        if channels.is_empty() {
            return Ok(0);
        }
        let now = self.inner.store.now(self.now()).await?;
        let minutes =
            |part: fn(&HandBack) -> Option<u32>| directory.channels.iter().flat_map(settings).filter_map(move |set| part(&set));
        let (shortest, longest) = (minutes(|set| set.absent_min).min(), minutes(|set| set.absent_min).max());
        let absent = match shortest.zip(longest) {
            Some((shortest, longest)) => self.absent(&directory, now, shortest, longest).await?,
            None => Absent::new(),
        };
        let unanswered_since = minutes(|set| set.unanswered_min).min().map(|minutes| before(now, minutes));
        let mut query = OwnedWorkQuery {
            channels,
            owners: absent.keys().copied().collect(),
            unanswered_since,
            after: ItemId(0),
            limit: ROWS,
        };
        let mut handed_back = 0;
        loop {
            let found = self.inner.store.owned_work(&query).await?;
            for work in &found {
                if let Some(due) = due(&directory, work, &absent, now)
                    && self.hand_back(&directory, *work, due, now).await?
                {
                    handed_back += 1;
                }
            }
            match found.last() {
                Some(last) if found.len() == ROWS as usize => query.after = last.item,
                _ => return Ok(handed_back),
            }
        }
    }

    /// Whoever has been absent for the shortest time of any rule; nothing before the longest is looked at.
    async fn absent(&self, directory: &Arc<Directory>, now: Timestamp, shortest: u32, longest: u32) -> Result<Absent> {
        let people = self.inner.store.people().await?;
        let since = self.absent_since(directory, &people, now, before(now, longest));
        let of =
            people.iter().zip(since).filter_map(|(person, since)| Some((person.user, (since?, person.availability_version))));
        Ok(of.filter(|(_, (since, _))| *since <= before(now, shortest)).collect())
    }

    /// One item back to routing; false when it changed meanwhile, or its owner did.
    async fn hand_back(&self, directory: &Arc<Directory>, work: OwnedWork, due: Due, at: Timestamp) -> Result<bool> {
        let (directory, seed) = (Arc::clone(directory), random::seed());
        self.commit(move |tx| {
            Box::pin(async move {
                let Some(item) = tx.item_record(work.item, true).await? else { return Ok(false) };
                // An answer leaves the version as it was.
                if matches!(due, Due::Unanswered) && item.waiting_since != work.waiting_since {
                    return Ok(false);
                }
                let update = ItemUpdate {
                    expected_version: Some(work.version),
                    owner: Some(None),
                    availability: if let Due::Absent { version } = due { Some((work.owner, version)) } else { None },
                    ..ItemUpdate::new(work.item, Actor::System, at)
                };
                let Ok(changed) = tx.change_item(&update).await? else { return Ok(false) };
                tell_change(tx, &changed, at).await?;
                tx.leave_out(work.item, work.owner, at).await?;
                let reroute = Reroute { event: RouteEvent::HandedBack, excluded: vec![work.owner] };
                reroute.tell(tx, &directory, &changed, at, seed).await?;
                metrics::counter!("switchboard_items_handed_back_total").increment(1);
                Ok(true)
            })
        })
        .await
    }
}

/// Somebody has replied: nobody is left out any more. An item that waits is decided on anew, in the place that it has.
pub(crate) async fn replied(tx: &Tx, directory: &Arc<Directory>, item: &ItemRecord, at: Timestamp) -> Result<()> {
    let waits = item.status == ItemStatus::Open && item.owner.is_none() && item.queued_since.is_some();
    if tx.let_everybody_in(item.id).await? && waits {
        let unchanged = Changed { before: item.clone(), after: item.clone() };
        let reroute = Reroute { event: RouteEvent::Requested, excluded: Vec::new() };
        reroute.tell(tx, directory, &unchanged, at, random::seed()).await?;
    }
    Ok(())
}

/// Why work goes back.
#[derive(Clone, Copy)]
enum Due {
    /// Its owner is absent, by this availability version.
    Absent { version: i64 },
    /// Its contact has waited.
    Unanswered,
}

fn due(directory: &Directory, work: &OwnedWork, absent: &Absent, now: Timestamp) -> Option<Due> {
    let set = setting(directory.channel(work.channel)?, work)?;
    let has_passed = |since: Timestamp, minutes: Option<u32>| {
        minutes.is_some_and(|minutes| since.max(work.owned_since) <= before(now, minutes))
    };
    if let Some((since, version)) = absent.get(&work.owner)
        && has_passed(*since, set.absent_min)
    {
        return Some(Due::Absent { version: *version });
    }
    work.waiting_since.filter(|since| has_passed(*since, set.unanswered_min)).map(|_| Due::Unanswered)
}

/// The setting of the case by which the item was decided, or of the first case that has one.
fn setting(channel: &ChannelEntry, work: &OwnedWork) -> Option<HandBack> {
    let rule = channel.rule.as_ref().filter(|rule| rule.on)?;
    let decided = work.rule.filter(|decided| decided.channel == channel.id && decided.version == rule.version);
    match decided.and_then(|decided| rule.cases.get(decided.case as usize)) {
        Some(case) => case.hand_back,
        None => settings(channel).next(),
    }
}

/// The settings of a channel's rule, if it is on.
fn settings(channel: &ChannelEntry) -> impl Iterator<Item = HandBack> {
    channel.rule.iter().filter(|rule| rule.on).flat_map(|rule| &rule.cases).filter_map(|case| case.hand_back)
}

fn before(now: Timestamp, minutes: u32) -> Timestamp {
    now.plus_ms(-i64::from(minutes) * MINUTE_MS)
}
