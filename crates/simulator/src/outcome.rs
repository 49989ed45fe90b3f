//! What a run leaves behind, item by item and person by person.

use std::collections::BTreeMap;
use switchboard_model::{TeamId, Timestamp, UnassignedReason, UserId};

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One for each item of the load, in its order.
    pub visits: Vec<Visit>,
    /// Everybody who was ever assigned something.
    pub people: BTreeMap<UserId, PersonLog>,
    /// When the run ended.
    pub end: Timestamp,
}

/// What became of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// How it ended.
    pub fate: Fate,
    /// From its arrival until somebody took it up, it was left, or the run ended; in milliseconds.
    pub wait_ms: i64,
    /// How often somebody was assigned to it.
    pub offers: u32,
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Somebody worked on it.
    Served {
        /// Who.
        user: UserId,
    },
    /// The contact left while it waited.
    Abandoned,
    /// It waited when the run ended.
    StillWaiting,
    /// A team got it, without an owner.
    TeamSet {
        /// Which.
        team: TeamId,
    },
    /// The router left it to triage by hand.
    Unassigned {
        /// Why.
        reason: UnassignedReason,
    },
}

/// What a person did in a run, and after its end with what was begun in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonLog {
    /// Items taken up.
    pub assigned: u32,
    /// Maximal spans with at least one item, in order.
    pub busy: Vec<Span>,
    /// Spans of every single item.
    pub items: Vec<Span>,
    /// Beginnings of the items at hand.
    begun: Vec<Timestamp>,
}

/// A span of time, end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
}

impl PersonLog {
    /// How many items are at hand.
    pub(crate) const fn open(&self) -> usize {
        self.begun.len()
    }

    pub(crate) fn begin(&mut self, now: Timestamp) {
        if self.begun.is_empty() {
            self.busy.push(Span { from: now, to: now });
        }
        self.begun.push(now);
    }

    /// One of the items ended. Which of them makes no difference to the sum of their spans.
    pub(crate) fn end(&mut self, now: Timestamp) {
        if let Some(from) = self.begun.pop() {
            self.items.push(Span { from, to: now });
        }
        if self.begun.is_empty()
            && let Some(busy) = self.busy.last_mut()
        {
            busy.to = now;
        }
    }
}

impl Span {
    /// How much of it lies within another, in milliseconds.
    #[must_use]
    pub fn overlap_ms(self, other: Self) -> i64 {
        self.to.min(other.to).ms_since(self.from.max(other.from)).max(0)
    }
}

/// How much of some spans lies within others, in milliseconds; both are sorted and each is free of overlaps.
#[must_use]
pub fn common_ms(some: &[Span], others: &[Span]) -> i64 {
    let (mut first, mut second, mut sum_ms) = (0, 0, 0);
    while let (Some(one), Some(other)) = (some.get(first), others.get(second)) {
        sum_ms += one.overlap_ms(*other);
        if one.to <= other.to {
            first += 1;
        } else {
            second += 1;
        }
    }
    sum_ms
}

#[cfg(test)]
mod tests {
    use super::{PersonLog, Span, common_ms};
    use switchboard_model::Timestamp;

    fn span(from: i64, to: i64) -> Span {
        Span { from: Timestamp(from), to: Timestamp(to) }
    }

    #[test]
    fn common_time_is_that_of_every_pair_of_spans() {
        let (some, others) = ([span(0, 10), span(20, 30), span(40, 50)], [span(5, 22), span(25, 45), span(60, 70)]);
        let pairs: i64 = some.iter().flat_map(|one| others.iter().map(|other| one.overlap_ms(*other))).sum();
        assert_eq!((common_ms(&some, &others), pairs), (17, 17));
        assert_eq!(common_ms(&others, &some), 17);
        assert_eq!(common_ms(&some, &[]), 0);
    }

    #[test]
    fn a_person_is_busy_from_the_first_item_to_the_last() {
        let mut log = PersonLog::default();
        log.begin(Timestamp(10));
        log.begin(Timestamp(15));
        log.end(Timestamp(20));
        log.end(Timestamp(40));
        log.begin(Timestamp(50));
        log.end(Timestamp(60));
        assert_eq!(log.busy, [span(10, 40), span(50, 60)]);
        assert_eq!(log.items.iter().map(|span| span.to.0 - span.from.0).sum::<i64>(), 5 + 30 + 10);
        assert_eq!(log.open(), 0);
    }
}
