//! When a channel's hours run (ROUTING 4.6), for those who are told outside of a decision.

use crate::calendar::{Calendar, read_zone};
use std::collections::BTreeSet;
use switchboard_model::{ChannelEntry, CivilDate, Directory, Timestamp};

/// Whether a channel's hours run, and when that changes by its hours alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelHours {
    /// They run.
    pub open: bool,
    /// When they begin next, while they do not run; `None` when they never do.
    pub opens_at: Option<Timestamp>,
}

/// The hours of a channel of this directory at an instant. Without hours and holidays it is always open; hours in a zone
/// that is not known never run.
#[must_use]
pub fn channel_hours(directory: &Directory, channel: &ChannelEntry, now: Timestamp) -> ChannelHours {
    let named = channel.holidays.iter().filter_map(|name| directory.holidays.get(name));
    let holidays: BTreeSet<CivilDate> = named.flatten().copied().collect();
    let zone = directory.zones.get(&channel.zone).and_then(|data| read_zone(&channel.zone, data));
    let look = Calendar::new(&channel.hours, zone.as_ref(), &holidays).look_far(now);
    ChannelHours { open: look.inside, opens_at: look.next_start.filter(|_| !look.inside) }
}
