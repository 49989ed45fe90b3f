//! Which items use capacity of whom (ROUTING 5.5): each person's own settings leave out what waits on the contact, or
//! is too old.

use crate::pool::Shared;
use switchboard_model::{Arrival, ItemState, LeaveOut, OwnedItem, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// What decides whether an item uses capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// When the item was created; unknown is never too old.
    pub created_at: Option<Timestamp>,
    /// Ours is the last message of its conversation.
    pub waiting_on_contact: bool,
}

/// What an item amounts to for everybody's settings at an instant. Items with equal exemptions find room with the
/// same people, so that pools are shared among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exemption {
    waiting: bool,
    /// The greatest of the ages in use that the item has gone beyond.
    days: Option<u32>,
}

/// The first instant at which an item created then is older than so many days.
const fn outgrows_at(created_at: Timestamp, days: u32) -> Timestamp {
    created_at.plus_ms(days as i64 * DAY_MS + 1)
}

impl Usage {
    /// Whether the item uses capacity at `now` of somebody with these settings.
    pub(crate) fn counts(self, leave_out: LeaveOut, now: Timestamp) -> bool {
        let waits = leave_out.waiting_on_contact && self.waiting_on_contact;
        !waits && self.ends_at(leave_out).is_none_or(|ends_at| now < ends_at)
    }

    /// The first instant at which the item is too old to use capacity of somebody with these settings.
    pub(crate) fn ends_at(self, leave_out: LeaveOut) -> Option<Timestamp> {
        Some(outgrows_at(self.created_at?, leave_out.older_than_days?))
    }

    /// What the item is exempt from at `now`, given every age in use, ascending.
    pub(crate) fn exemption(self, ages: &[u32], now: Timestamp) -> Exemption {
        let days = self.created_at.and_then(|created_at| {
            let beyond = ages.partition_point(|days| outgrows_at(created_at, *days) <= now);
            beyond.checked_sub(1).map(|index| ages[index])
        });
        Exemption { waiting: self.waiting_on_contact, days }
    }

    /// When the exemption next grows by the passing of time.
    pub(crate) fn next_exemption(self, ages: &[u32], now: Timestamp) -> Option<Timestamp> {
        let created_at = self.created_at?;
        ages.iter().map(|days| outgrows_at(created_at, *days)).find(|at| now < *at)
    }
}

impl Exemption {
    /// Whether an item with this exemption uses no capacity of somebody with these settings.
    pub(crate) fn covers(self, leave_out: LeaveOut) -> bool {
        let outgrown = leave_out.older_than_days.is_some_and(|days| self.days.is_some_and(|beyond| days <= beyond));
        outgrown || (leave_out.waiting_on_contact && self.waiting)
    }

    /// What the item has in common with a person's work, as far as the exemption goes: what uses no capacity needs no
    /// room, like what counts once with something the person has.
    pub(crate) fn shared(self, leave_out: LeaveOut) -> Shared {
        let free = self.covers(leave_out);
        Shared { any: free, of_type: free }
    }
}

impl From<&Arrival> for Usage {
    fn from(arrival: &Arrival) -> Self {
        Self { created_at: arrival.created_at, waiting_on_contact: arrival.waiting_on_contact }
    }
}

impl From<&ItemState> for Usage {
    fn from(state: &ItemState) -> Self {
        Self { created_at: state.created_at, waiting_on_contact: state.waiting_on_contact }
    }
}

impl From<&OwnedItem> for Usage {
    fn from(item: &OwnedItem) -> Self {
        Self { created_at: item.created_at, waiting_on_contact: item.waiting_on_contact }
    }
}
