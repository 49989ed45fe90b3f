//! Whether a person takes work: manual status, hours and absences together (ROUTING 4.1, 4.2).

use crate::calendar::{Absences, Calendar};
use switchboard_model::{ManualStatus, StatusOrigin, StatusValue, Timestamp, UnavailableCause};

/// How far ahead [`until_changed`] looks, in edges of hours and absences.
const MAX_EDGES: u32 = 64;

/// What a manual status amounts to beside hours and absences, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Hours and absences decide.
    Neither,
    /// Available whatever they say, until then.
    Available(Option<Timestamp>),
    /// Away whatever they say, until then.
    Away(Option<Timestamp>),
}

/// A person's availability at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// Why not available; `None` when available.
    pub cause: Option<UnavailableCause>,
    /// The next instant at which an input changes.
    pub until: Option<Timestamp>,
    /// The instant from which this must be evaluated again; at or before `until`.
    pub recheck: Option<Timestamp>,
}

impl Presence {
    /// Whether the evaluation still holds at `now`, which is not before it.
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        self.recheck.is_none_or(|recheck| now < recheck)
    }
}

/// Away of unknown length: what holds for somebody nothing is known about.
pub(crate) const UNKNOWN: Presence = Presence { cause: Some(UnavailableCause::Away), until: None, recheck: None };

/// How long a status holds, given the hours and absences in force now (ROUTING 4.2).
///
/// Away and finishing set during a shift end at the next shift start; set outside hours they stay. Available set
/// outside hours or out of office holds until the next edge of either. An initial status holds nothing back and
/// forces nothing: initially away stays away, initially available follows hours and absences. Away for want of presence
/// stays until changed (ROUTING 4.4).
pub(crate) fn hold(status: Option<&ManualStatus>, calendar: &Calendar, absences: &Absences) -> Hold {
    let Some(status) = status else { return Hold::Away(None) };
    match (status.value, status.origin) {
        (StatusValue::Available, StatusOrigin::Initial | StatusOrigin::Presence) => Hold::Neither,
        (StatusValue::Available, StatusOrigin::ByHand) => {
            let hours = calendar.look_far(status.set_at);
            let (absent, absence_edge) = absences.look(status.set_at);
            if calendar.is_unknown() || (hours.inside && !absent) {
                return Hold::Neither;
            }
            Hold::Available(earliest(hours.next_edge, absence_edge))
        }
        (StatusValue::Away | StatusValue::Finishing, StatusOrigin::Initial | StatusOrigin::Presence) => Hold::Away(None),
        (StatusValue::Away | StatusValue::Finishing, StatusOrigin::ByHand) => {
            let hours = calendar.look_far(status.set_at);
            Hold::Away(if hours.inside { hours.next_start } else { None })
        }
    }
}

/// The availability at `now` of somebody with this hold, these hours and absences.
pub(crate) fn presence(hold: Hold, calendar: &Calendar, absences: &Absences, now: Timestamp) -> Presence {
    match hold {
        Hold::Away(until) if until.is_none_or(|until| now < until) => {
            Presence { cause: Some(UnavailableCause::Away), until, recheck: until }
        }
        Hold::Available(until) if until.is_none_or(|until| now < until) => Presence { cause: None, until, recheck: until },
        _ => {
            let hours = calendar.look(now);
            let (absent, absence_edge) = absences.look(now);
            let cause = match (absent, hours.inside) {
                (true, _) => Some(UnavailableCause::OutOfOffice),
                (false, false) => Some(UnavailableCause::OutsideHours),
                (false, true) => None,
            };
            Presence { cause, until: earliest(hours.next_edge, absence_edge), recheck: earliest(hours.recheck, absence_edge) }
        }
    }
}

/// When the answer itself changes: edges that leave it as it is are passed over.
pub(crate) fn until_changed(hold: Hold, calendar: &Calendar, absences: &Absences, now: Timestamp) -> Option<Timestamp> {
    let first = presence(hold, calendar, absences, now);
    let mut edge = first.until?;
    for _ in 0..MAX_EDGES {
        let next = presence(hold, calendar, absences, edge);
        if next.cause != first.cause {
            return Some(edge);
        }
        edge = next.until?;
    }
    None
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
