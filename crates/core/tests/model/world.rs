//! The world around the router while a history is made up: people who act, and a database that holds the
//! truth, lets some of it be known late, and refuses what no longer fits.

use crate::dice::Dice;
use crate::facts::Facts;
use crate::history::{Entry, Event};
use crate::people::{DAY_MS, HOUR_MS};
use crate::room::MONTH_MS;
use std::collections::VecDeque;
use std::sync::Arc;
use switchboard_model::{
    Arrival, Decision, Effect, Input, ItemId, ItemState, ItemStatus, Outcome, Owner, QueueFacts, RefusalReason, StatusChange,
    Timestamp, UserId,
};

/// An item as the database has it.
pub struct Row {
    pub state: ItemState,
    pub version: i64,
    /// Since when it waits.
    pub waiting: Option<Timestamp>,
    pub template: Arrival,
}

/// A decision that is not committed yet.
pub struct Flying {
    pub decision: Decision,
    pub arrival: Arrival,
    pub owned_since: Option<Timestamp>,
}

/// The world.
pub struct World {
    pub dice: Dice,
    pub now: Timestamp,
    pub rows: Vec<Row>,
    pub statuses: Vec<StatusChange>,
    pub pending: VecDeque<Event>,
    pub flying: Vec<Flying>,
    end: Timestamp,
    wake: Option<Timestamp>,
}

impl World {
    /// A world in which nothing has happened.
    pub const fn new(dice: Dice, now: Timestamp, end: Timestamp) -> Self {
        let pending = VecDeque::new();
        Self { dice, now, rows: Vec::new(), statuses: Vec::new(), pending, flying: Vec::new(), end, wake: None }
    }

    /// What happens next.
    pub fn next(&mut self, model: &Facts) -> Entry {
        if self.dice.chance(65) {
            self.commit(model, true);
        }
        self.now = self.later(model);
        let event = if self.dice.chance(55) { self.told(model) } else { None };
        let event = event.unwrap_or_else(|| self.act(model));
        let back = if self.dice.chance(2) { self.dice.between(1, HOUR_MS) } else { 0 };
        Entry { now: self.now.plus_ms(-back), event }
    }

    /// What remains to be told, until everything is known and committed.
    pub fn settle(&mut self, model: &Facts) -> Option<Entry> {
        self.commit(model, false);
        self.told(model).map(|event| Entry { now: self.now, event })
    }

    /// Takes up what the router decided, and when it asks to be woken.
    pub fn absorb(&mut self, input: &Input, effects: &[Effect], model: &Facts, wake: Option<Timestamp>) {
        self.wake = wake;
        let brought = match input {
            Input::Arrived(arrival) => Some(arrival),
            Input::Refused(refusal) => refusal.retry.as_ref(),
            _ => None,
        };
        for (at, effect) in effects.iter().enumerate() {
            let Effect::Decide(decision) = effect else { continue };
            let arrival = match effects.get(at + 1) {
                Some(Effect::LeftQueue { arrival }) => arrival.as_ref(),
                _ => brought.expect("what does not leave the queue was brought by the input"),
            };
            let owned_since = match decision.outcome {
                Outcome::Kept { .. } => arrival.owned_since.or(Some(model.now)),
                _ => Some(model.now),
            };
            let (decision, arrival) = (decision.clone(), arrival.clone());
            self.flying.push(Flying { decision, arrival, owned_since });
        }
    }

    /// Items that wait, as the database has them, and since when.
    pub fn waiting(&self) -> Vec<(ItemId, Timestamp)> {
        let mut waiting: Vec<_> = self.rows.iter().filter_map(|row| Some((row.state.item, row.waiting?))).collect();
        waiting.sort();
        waiting
    }

    /// Open items with a human owner, as the database has them: item, owner, since when.
    pub fn owned(&self) -> Vec<(ItemId, UserId, Option<Timestamp>)> {
        let mut owned = Vec::new();
        for Row { state, .. } in &self.rows {
            if let (ItemStatus::Open, Some(Owner::User { id })) = (state.status, state.owner) {
                owned.push((state.item, id, state.owned_since));
            }
        }
        owned.sort();
        owned
    }

    fn later(&mut self, model: &Facts) -> Timestamp {
        let leap = match self.dice.below(100) {
            0..30 => 0,
            30..40 => return self.at_the_wake(),
            40..75 => self.dice.between(1, 300_000),
            75..88 => self.dice.between(1, 8 * HOUR_MS),
            88..97 => return self.at_an_edge(model),
            97 | 98 => return self.at_an_age(model),
            _ => self.dice.between(DAY_MS, 4 * DAY_MS),
        };
        self.now.plus_ms(if self.now < self.end { leap } else { leap.min(1_000) })
    }

    fn at_an_edge(&mut self, model: &Facts) -> Timestamp {
        let Some(user) = self.dice.pick(&model.directory.users) else { return self.now };
        let absences = user.out_of_office.iter().flat_map(|away| [away.from, away.to]);
        let edges = model.calendar(user.id).map(|calendar| calendar.edges()).unwrap_or_default();
        let next = edges.into_iter().chain(absences).filter(|edge| edge.ms_since(self.now) > 1).min();
        let offset = self.dice.between(-1, 1);
        next.filter(|next| *next < self.end).map_or(self.now, |next| next.plus_ms(offset))
    }

    /// About when the router asked to be woken.
    fn at_the_wake(&mut self) -> Timestamp {
        let offset = self.dice.between(-1, 1);
        let wake = self.wake.filter(|wake| *wake < self.end && wake.ms_since(self.now) < 8 * DAY_MS);
        wake.map_or(self.now, |wake| wake.plus_ms(offset)).max(self.now)
    }

    fn at_an_age(&mut self, model: &Facts) -> Timestamp {
        let Some(item) = self.dice.pick(&model.owned) else { return self.now };
        let edge = item.owned_since.plus_ms(MONTH_MS + self.dice.between(-1, 1));
        if edge > self.now && edge < self.end { edge } else { self.now }
    }

    fn act(&mut self, model: &Facts) -> Event {
        let event = match self.dice.below(100) {
            0..34 => self.arrive(model),
            34..42 => self.reopen(),
            42..48 => self.hand_back(),
            48..53 => self.request(),
            53..64 => self.change(model),
            64 => self.shift(model),
            65 => self.merge(),
            66..74 => self.assign(model),
            74..84 => self.status(model),
            84..88 => self.edit(model),
            88 | 89 => self.revise(),
            90 => Some(Event::Input(Input::Directory { version: model.directory.version + 1, directory: None })),
            91 => Some(Event::Directory(Arc::new(switchboard_model::Directory { version: 0, ..(*model.directory).clone() }))),
            _ => None,
        };
        let Some(event) = event else { return Event::Input(Input::Tick) };
        let late =
            self.dice.chance(30) && matches!(event, Event::Input(Input::Changed(_) | Input::Status(_) | Input::Revised(_)));
        if late || self.pending.iter().any(|earlier| subject(earlier).is_some() && subject(earlier) == subject(&event)) {
            self.pending.push_back(event);
            return Event::Input(Input::Tick);
        }
        event
    }

    /// The next thing that the router is told late; a refusal with the facts as they are by now.
    fn told(&mut self, model: &Facts) -> Option<Event> {
        if let Some(Event::Refused { state, .. }) = self.pending.front()
            && self.flying.iter().any(|flying| flying.decision.item == state.item)
        {
            self.commit(model, false);
        }
        let mut event = self.first()?;
        if let Event::Refused { reason, state, retry, .. } = &mut event
            && let Some(row) = self.rows.iter().find(|row| row.state.item == state.item)
        {
            *state = row.state.clone();
            let wanting = state.status == ItemStatus::Open && (*reason != RefusalReason::ItemChanged || state.owner.is_none());
            let queue = |since| QueueFacts { since, ..row.template.queue };
            let waiting_on_contact = row.state.waiting_on_contact;
            let owner = row.state.owner;
            let fresh = |again: Arrival| Arrival {
                version: row.version,
                queue: queue(again.queue.since),
                waiting_on_contact,
                previous_owner: owner.or(again.previous_owner),
                owned_since: owner.map_or(again.owned_since, |_| row.state.owned_since),
                ..again
            };
            *retry = retry.take().filter(|_| wanting).map(fresh);
        }
        Some(event)
    }

    /// The first in the queue; but facts are fresh only once every earlier change of the item is known.
    fn first(&mut self) -> Option<Event> {
        let front = self.pending.front()?;
        let known_late = |event: &Event| matches!(event, Event::Input(_)) && subject(event) == subject(front);
        let earlier = self.pending.iter().position(known_late).filter(|_| matches!(front, Event::Refused { .. }));
        self.pending.remove(earlier.unwrap_or(0))
    }
}

/// Whom or what an event is about: what is told of one subject keeps its order.
fn subject(event: &Event) -> Option<i64> {
    match event {
        Event::Input(Input::Status(change)) => Some(-change.user.0),
        Event::Input(Input::Changed(change)) => Some(change.state.item.0),
        Event::Input(Input::Arrived(arrival)) => Some(arrival.item.0),
        Event::Input(Input::Revised(news)) => Some(news.item.0),
        Event::Refused { state, .. } => Some(state.item.0),
        _ => None,
    }
}
