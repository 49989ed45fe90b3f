//! The places of what waits on channels whose other side is connected, and how long it will probably wait.
//!
//! Places follow from everything that happens anywhere, so they are not worked out per change: while somebody listens
//! and something has changed, one question for all channels at once, no more often than every second, and never for
//! more than a small share of a core.

use crate::engine::Engine;
use crate::error::Result;
use std::collections::BTreeMap;
use switchboard_channel::ThreadChange;
use switchboard_core::{Router, WaitRange};
use switchboard_model::{ConversationId, ItemId, Timestamp};

/// Waiting conversations whose place is known; those behind them are told none yet.
const MAX_PLACES: u32 = 500;
/// Places are asked for again after this long at the earliest, and after this many times what asking took. A host that
/// stood still meanwhile makes nobody wait longer than this for the next places.
const EVERY_MS: u64 = 1_000;
const SHARE: u64 = 20;
const LATEST_MS: u64 = 60_000;
/// Where a wait was told, time alone changes it.
const WAITS_EVERY_MS: u64 = 30_000;
const MINUTE_MS: i64 = 60_000;
/// A wait that may be longer says nothing.
const MAX_MINUTES: i64 = 3 * 60;

/// Where a conversation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Among those that wait for the same people, from 1.
    pub position: u32,
    /// How many minutes it will probably go on waiting, at least and at most.
    pub wait_minutes: Option<(u32, u32)>,
}

/// When places are asked for again.
#[derive(Debug)]
pub(crate) struct Asking {
    /// Something has happened since they were asked for.
    is_stale: bool,
    next_us: u64,
    /// When the waits told are too old; `None` while none is told.
    waits_until_us: Option<u64>,
}

impl Asking {
    pub(crate) const fn new() -> Self {
        Self { is_stale: true, next_us: 0, waits_until_us: None }
    }

    /// Something has happened.
    pub(crate) const fn note(&mut self) {
        self.is_stale = true;
    }

    /// Whether there is something to ask for, if only later.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_stale || self.waits_until_us.is_some()
    }

    fn is_due(&self, now_us: u64) -> bool {
        let is_old = self.waits_until_us.is_some_and(|until| until <= now_us);
        (self.is_stale || is_old) && now_us >= self.next_us
    }
}

impl Engine {
    /// Finds the places of what waits on the channels that are listened to when it is time, and tells whose has changed.
    pub(crate) async fn follow_places(&self, asking: &mut Asking) {
        let clock = &self.inner.clock;
        let begun_us = clock.monotonic_us();
        if !asking.is_due(begun_us) {
            return;
        }
        let found = self.find_places().await;
        let now_us = clock.monotonic_us();
        asking.next_us = now_us.saturating_add(pause_us(now_us.saturating_sub(begun_us)));
        asking.is_stale = found.is_err();
        match found {
            Ok(tells_waits) => asking.waits_until_us = tells_waits.then(|| now_us.saturating_add(WAITS_EVERY_MS * 1_000)),
            Err(error) => tracing::warn!(%error, "places in the queue could not be found; trying again"),
        }
    }

    /// Whether it told anybody how long the wait will be.
    async fn find_places(&self) -> Result<bool> {
        let directory = self.directory();
        let listened = self.inner.feeds.listened();
        let channels: Vec<_> =
            directory.channels.iter().filter(|channel| listened.contains(&channel.slug)).map(|channel| channel.id).collect();
        let queued = self.inner.store.queued_threads(&channels, MAX_PLACES).await?;
        let mut places = BTreeMap::new();
        if !queued.is_empty() {
            let items: Vec<ItemId> = queued.iter().map(|(item, ..)| *item).collect();
            let ask = move |router: &Router, now| items.iter().map(|item| place(router, *item, now)).collect::<Vec<_>>();
            let found = self.look(ask).await?;
            let known = queued.iter().zip(found).filter_map(|((_, conversation, _), place)| Some((*conversation, place?)));
            places.extend(known);
        }
        let tells_waits = places.values().any(|place: &Place| place.wait_minutes.is_some());
        let channel_of: BTreeMap<ConversationId, _> =
            queued.into_iter().map(|(_, conversation, channel)| (conversation, channel)).collect();
        for conversation in self.inner.feeds.put_places(places) {
            let channel = channel_of.get(&conversation).copied();
            self.tell_channel(channel, ThreadChange::Thread(conversation));
        }
        Ok(tells_waits)
    }
}

/// How long to rest after asking, which took so long.
fn pause_us(took_us: u64) -> u64 {
    took_us.saturating_mul(SHARE).clamp(EVERY_MS * 1_000, LATEST_MS * 1_000)
}

fn place(router: &Router, item: ItemId, now: Timestamp) -> Option<Place> {
    Some(Place { position: router.position(item)?, wait_minutes: router.wait(item, now).and_then(in_minutes) })
}

/// The range in minutes, wider rather than narrower, and the rougher the longer; `None` where it is too long to say
/// anything.
fn in_minutes(range: WaitRange) -> Option<(u32, u32)> {
    let step = |minutes: i64| {
        if minutes <= 10 {
            1
        } else if minutes <= 60 {
            5
        } else {
            15
        }
    };
    let (low, high) = (range.low_ms / MINUTE_MS, range.high_ms.saturating_add(MINUTE_MS - 1) / MINUTE_MS);
    let (low, high) = (low / step(low) * step(low), high.saturating_add(step(high) - 1) / step(high) * step(high));
    (high <= MAX_MINUTES).then_some((u32::try_from(low).ok()?, u32::try_from(high.max(1)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_minutes_that_are_rougher_the_longer_it_is() {
        let told = |low_s: i64, high_s: i64| in_minutes(WaitRange { low_ms: low_s * 1_000, high_ms: high_s * 1_000 });
        assert_eq!(told(0, 0), Some((0, 1)));
        assert_eq!(told(59, 61), Some((0, 2)));
        assert_eq!(told(120, 600), Some((2, 10)));
        assert_eq!(told(700, 661), Some((10, 15)), "eleven minutes to a bit more");
        assert_eq!(told(1_859, 3_601), Some((30, 75)));
        assert_eq!(told(60, 10_800), Some((1, 180)));
        assert_eq!(told(60, 10_801), None);
        assert_eq!(told(60, i64::MAX / 1_000), None);
    }

    #[test]
    fn asking_rests_for_twenty_times_what_it_took_within_bounds() {
        assert_eq!(
            [0, 50_000, 100_000, 3_000_000, u64::MAX].map(pause_us),
            [1_000_000, 1_000_000, 2_000_000, 60_000_000, 60_000_000]
        );
    }

    #[test]
    fn places_are_asked_for_when_something_happened_or_a_wait_was_told_a_while_ago() {
        let mut asking = Asking::new();
        assert!(asking.is_open() && asking.is_due(0));
        asking.is_stale = false;
        assert!(!asking.is_open() && !asking.is_due(u64::MAX));
        asking.waits_until_us = Some(30);
        asking.next_us = 10;
        assert!(asking.is_open() && !asking.is_due(29) && asking.is_due(30));
        asking.note();
        assert!(!asking.is_due(9) && asking.is_due(10));
    }
}
