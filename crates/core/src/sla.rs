//! The clock of service targets: when so many working minutes are over, and which target runs out next (ROUTING 14.3).

use crate::calendar::{Calendar, read_zone};
use std::collections::BTreeSet;
use switchboard_model::{CivilDate, Directory, Sla, Timestamp, WorkspaceId};

const MINUTE_MS: i64 = 60_000;
/// How many edges of hours a target may run over: more than a year of seven shifts a day.
const MAX_EDGES: u32 = 8_192;

/// What the targets of an item depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaFacts {
    /// When the item was created.
    pub created_at: Timestamp,
    /// The contact has had a first reply.
    pub first_replied: bool,
    /// When the contact wrote the oldest message that has no answer; `None` where ours is the last.
    pub unanswered_since: Option<Timestamp>,
    /// Snoozed, or waiting on the contact: no target runs.
    pub paused: bool,
    /// When the item was paused before, in any order.
    pub pauses: Vec<Pause>,
}

/// A time in which no target of an item ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
}

/// The targets of a workspace with their clock, made ready.
#[derive(Clone, Debug)]
pub struct SlaClock {
    first_reply_min: Option<u32>,
    next_reply_min: Option<u32>,
    close_min: Option<u32>,
    calendar: Calendar,
}

/// When the next of an item's running targets is breached; `None` where none runs. For more than one item of a
/// workspace, [`SlaClock::due_at`] is the faster way.
#[must_use]
pub fn due_at(directory: &Directory, workspace: WorkspaceId, facts: &SlaFacts) -> Option<Timestamp> {
    SlaClock::of_workspace(directory, workspace)?.due_at(facts)
}

impl SlaClock {
    /// The clock of a workspace; `None` for one without targets.
    #[must_use]
    pub fn of_workspace(directory: &Directory, workspace: WorkspaceId) -> Option<Self> {
        let sla = directory.workspace(workspace)?.sla.as_ref()?;
        Some(Self::new(directory, sla))
    }

    /// The clock of targets, with the zones and holidays of a directory.
    #[must_use]
    pub fn new(directory: &Directory, sla: &Sla) -> Self {
        let named = sla.holidays.iter().filter_map(|name| directory.holidays.get(name));
        let holidays: BTreeSet<CivilDate> = named.flatten().copied().collect();
        let zone = directory.zones.get(&sla.zone).and_then(|data| read_zone(&sla.zone, data));
        Self {
            first_reply_min: sla.first_reply_min,
            next_reply_min: sla.next_reply_min,
            close_min: sla.close_min,
            calendar: Calendar::new(&sla.hours, zone.as_ref(), &holidays),
        }
    }

    /// When the next running target is breached: of the first reply until there is one, of the next reply while the
    /// contact waits for one after it, and of the end. The earliest counts; `None` where none runs.
    pub fn due_at(&mut self, facts: &SlaFacts) -> Option<Timestamp> {
        if facts.paused {
            return None;
        }
        let reply = match (facts.first_replied, facts.unanswered_since) {
            (false, _) => self.first_reply_min.map(|min| (facts.created_at, min)),
            (true, Some(since)) => self.next_reply_min.map(|min| (since, min)),
            (true, None) => None,
        };
        let close = self.close_min.map(|min| (facts.created_at, min));
        let mut pauses: Vec<Pause> = facts.pauses.clone();
        pauses.sort_unstable_by_key(|pause| (pause.from, pause.to));
        let ends = reply.into_iter().chain(close).filter_map(|(from, min)| self.elapsed_at(from, min, &pauses));
        ends.collect::<Vec<_>>().into_iter().min()
    }

    /// The first instant at which so many working minutes have passed since `from`. `None` when they never do: the
    /// hours are in an unknown zone, or lie beyond the calendar's years.
    pub fn after_minutes(&mut self, from: Timestamp, minutes: u32) -> Option<Timestamp> {
        self.elapsed_at(from, minutes, &[])
    }

    fn elapsed_at(&mut self, from: Timestamp, minutes: u32, pauses: &[Pause]) -> Option<Timestamp> {
        let (mut at, mut left_ms) = (from, i64::from(minutes) * MINUTE_MS);
        for _ in 0..MAX_EDGES {
            self.calendar.prepare(at);
            let look = self.calendar.look(at);
            if !look.inside {
                at = look.next_start.or(look.recheck).filter(|next| at < *next)?;
                continue;
            }
            let pause = pauses.iter().find(|pause| at < pause.to && pause.from < pause.to);
            if let Some(pause) = pause.filter(|pause| pause.from <= at) {
                at = pause.to;
                continue;
            }
            // Without a known edge the hours go on at least until they are looked at again.
            let edge = look.next_edge.or(look.recheck);
            let to = edge.into_iter().chain(pause.map(|pause| pause.from)).min();
            let run_ms = to.map_or(i64::MAX, |to| to.ms_since(at));
            if left_ms <= run_ms {
                return Some(at.plus_ms(left_ms));
            }
            left_ms -= run_ms;
            at = to.filter(|to| at < *to)?;
        }
        None
    }
}
