//! The record of a decision before anything is decided.

use crate::decide::Ask;
use switchboard_model::{Arrival, BEHAVIOUR_VERSION, Decision, Outcome, UnassignedReason};

/// The record of a decision about an item, unassigned and with nobody looked at.
pub(crate) const fn blank(arrival: &Arrival, ask: &Ask) -> Decision {
    Decision {
        no: ask.no,
        place: ask.place,
        item: arrival.item,
        item_version: arrival.version,
        event: arrival.event,
        group: arrival.group,
        rule: None,
        outcome: Outcome::Unassigned { reason: UnassignedReason::NoRule },
        distribution: None,
        load: None,
        tied: 0,
        draw: None,
        candidates: 0,
        eligible: 0,
        fallback: false,
        availability_version: None,
        capacity_guarded: false,
        mark_before: None,
        turn_before: None,
        turn: None,
        queued_since: None,
        behaviour: BEHAVIOUR_VERSION,
    }
}
