//! The world around the router while a history is made up: people who act, and a database that holds the
//! truth, lets some of it be known late, and refuses what no longer fits.

use crate::dice::Dice;
use crate::facts::{Facts, MONTH_MS, count};
use crate::history::{Entry, Event};
use crate::people::{DAY_MS, HOUR_MS, edited};
use crate::rules::WORDS;
use std::collections::VecDeque;
use std::sync::Arc;
use switchboard_model::{
    Arrival, ChannelId, ContactFacts, ContactId, ConversationId, Decision, Effect, FactField, Facts as ItemFacts, Input,
    ItemChange, ItemId, ItemKind, ItemState, ItemStatus, ManualStatus, Outcome, Owner, RefusalReason, RouteEvent, StatusChange,
    StatusOrigin, StatusValue, TicketType, Timestamp, UserId, WorkspaceId, WorkspaceKind,
};

/// An item as the database has it.
struct Row {
    state: ItemState,
    version: i64,
    template: Arrival,
}

/// A decision that is not committed yet.
struct Flying {
    decision: Decision,
    arrival: Arrival,
    owned_since: Option<Timestamp>,
}

/// The world.
pub struct World {
    dice: Dice,
    now: Timestamp,
    end: Timestamp,
    rows: Vec<Row>,
    statuses: Vec<StatusChange>,
    pending: VecDeque<Event>,
    flying: Vec<Flying>,
}

impl World {
    /// A world in which nothing has happened.
    pub const fn new(dice: Dice, now: Timestamp, end: Timestamp) -> Self {
        Self { dice, now, end, rows: Vec::new(), statuses: Vec::new(), pending: VecDeque::new(), flying: Vec::new() }
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

    /// Takes up what the router decided.
    pub fn absorb(&mut self, input: &Input, effects: &[Effect], model: &Facts) {
        let arrival = match input {
            Input::Arrived(arrival) => Some(arrival),
            Input::Refused(refusal) => refusal.retry.as_ref(),
            _ => None,
        };
        for effect in effects {
            if let (Effect::Decide(decision), Some(arrival)) = (effect, arrival) {
                let owned_since = model.owned.iter().find(|owned| owned.item == decision.item).map(|owned| owned.owned_since);
                self.flying.push(Flying { decision: decision.clone(), arrival: arrival.clone(), owned_since });
            }
        }
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
            30..75 => self.dice.between(1, 300_000),
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
            53..66 => self.change(model),
            66..74 => self.assign(model),
            74..86 => self.status(model),
            86..90 => self.edit(model),
            90 => Some(Event::Input(Input::Directory { version: model.directory.version + 1, directory: None })),
            91 => Some(Event::Directory(Arc::new(switchboard_model::Directory { version: 0, ..(*model.directory).clone() }))),
            _ => None,
        };
        let Some(event) = event else { return Event::Input(Input::Tick) };
        let late = self.dice.chance(30) && matches!(event, Event::Input(Input::Changed(_) | Input::Status(_)));
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
            *retry = retry.take().filter(|_| wanting).map(|again| Arrival { version: row.version, ..again });
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

    fn arrive(&mut self, model: &Facts) -> Option<Event> {
        let directory = &model.directory;
        let channel = self.dice.pick(&directory.channels)?;
        let moved = self.dice.pick(&directory.workspaces).filter(|_| self.dice.chance(3)).map(|workspace| workspace.id);
        let workspace = directory.workspace(moved.unwrap_or(channel.workspace))?;
        let id = 1000 + i64::try_from(self.rows.len()).ok()?;
        let kind = channel.kind;
        let (item_kind, group) = match workspace.kind {
            WorkspaceKind::Inbox => (ItemKind::Conversation, kind.inbox_group()),
            WorkspaceKind::HelpDesk if self.dice.chance(10) => (ItemKind::Ticket, TicketType::EmailOther.group()),
            WorkspaceKind::HelpDesk => (ItemKind::Ticket, kind.ticket_type().group()),
        };
        let conversation = match item_kind {
            ItemKind::Conversation => Some(ConversationId(id)),
            ItemKind::Ticket => self.beside().or_else(|| self.dice.chance(80).then_some(ConversationId(id + 1_000_000))),
        };
        let known = self.dice.chance(99);
        let template = Arrival {
            item: ItemId(id),
            version: 1,
            event: RouteEvent::Arrived,
            item_kind,
            conversation,
            workspace: if known { workspace.id } else { WorkspaceId(999) },
            channel: if self.dice.chance(99) { channel.id } else { ChannelId(999) },
            group,
            contact: self.contact(model),
            facts: self.facts(),
            previous_owner: None,
            owned_since: None,
            excluded: Vec::new(),
            seed: self.dice.roll(),
            queue: switchboard_model::QueueFacts::default(),
            created_at: None,
            waiting_on_contact: false,
        };
        let state = ItemState {
            item: ItemId(id),
            item_kind,
            conversation,
            workspace: workspace.id,
            group,
            status: ItemStatus::Open,
            owner: None,
            owned_since: None,
            created_at: None,
            waiting_on_contact: false,
        };
        self.rows.push(Row { state, version: 1, template: template.clone() });
        Some(Event::Input(Input::Arrived(template)))
    }

    /// A conversation that a new ticket may belong to, of whatever kind of work.
    fn beside(&mut self) -> Option<ConversationId> {
        let last: Vec<&Row> = self.rows.iter().rev().take(8).collect();
        let row = self.dice.pick(&last).filter(|_| self.dice.chance(35))?;
        row.state.conversation
    }

    fn contact(&mut self, model: &Facts) -> ContactFacts {
        let owner = self.dice.pick(&model.directory.users).map(|user| user.id).filter(|_| self.dice.chance(60));
        let owner = if self.dice.chance(3) { Some(UserId(9_999)) } else { owner };
        ContactFacts {
            id: ContactId(1),
            owner,
            proven: self.dice.chance(80),
            cookie: self.dice.chance(60),
            last_owner: None,
            last_owned_at: None,
        }
    }

    fn facts(&mut self) -> ItemFacts {
        let mut facts = ItemFacts::new();
        for name in ["message.subject", "form.topic"] {
            if self.dice.chance(70) {
                facts.insert(FactField(name.to_owned()), self.dice.one_of(&WORDS).to_uppercase());
            }
        }
        facts.insert(FactField("contact.has_owner".to_owned()), self.dice.chance(50).to_string());
        facts
    }

    fn choose_row(&mut self, fits: impl Fn(&ItemState) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.rows.len()).filter(|index| fits(&self.rows[*index].state)).collect();
        self.dice.pick(&fitting).copied()
    }

    fn route(&mut self, row: usize, event: RouteEvent, excluded: Vec<UserId>) -> Event {
        let facts = self.facts();
        let Row { state, version, template } = &mut self.rows[row];
        *version += 1;
        let arrival = Arrival {
            event,
            version: *version,
            previous_owner: state.owner,
            owned_since: state.owned_since,
            excluded,
            facts,
            seed: self.dice.roll(),
            ..template.clone()
        };
        Event::Input(Input::Arrived(arrival))
    }

    fn reopen(&mut self) -> Option<Event> {
        let row = self.choose_row(|state| matches!(state.status, ItemStatus::Closed | ItemStatus::Snoozed))?;
        self.rows[row].state.status = ItemStatus::Open;
        let excluded = match self.rows[row].state.owner {
            Some(Owner::User { id }) if self.dice.chance(8) => vec![id],
            _ => Vec::new(),
        };
        Some(self.route(row, RouteEvent::Reopened, excluded))
    }

    fn hand_back(&mut self) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open && matches!(state.owner, Some(Owner::User { .. })))?;
        let Some(Owner::User { id }) = self.rows[row].state.owner else { return None };
        let excluded = if self.dice.chance(90) { vec![id] } else { Vec::new() };
        let event = self.route(row, RouteEvent::Returned, excluded);
        let state = &mut self.rows[row].state;
        (state.owner, state.owned_since) = (None, None);
        Some(event)
    }

    fn request(&mut self) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open)?;
        Some(self.route(row, RouteEvent::Requested, Vec::new()))
    }

    /// Somebody closes, puts aside, opens or clears an item.
    fn change(&mut self, _: &Facts) -> Option<Event> {
        let open = self.dice.chance(92);
        let row = self.choose_row(|state| (state.status == ItemStatus::Open) == open)?;
        let dice = &mut self.dice;
        let state = &mut self.rows[row].state;
        if dice.chance(12) {
            state.owner = dice.one_of(&[None, None, Some(Owner::Bot), Some(Owner::Assistant)]);
            state.owned_since = state.owner.map(|_| self.now);
        } else if open {
            state.status = dice.one_of(&[ItemStatus::Closed, ItemStatus::Closed, ItemStatus::Snoozed, ItemStatus::Spam]);
        } else {
            state.status = ItemStatus::Open;
        }
        self.rows[row].version += 1;
        Some(changed(&self.rows[row].state, false))
    }

    /// Somebody gives an item to somebody by hand (ROUTING 2.2, 2.5), or what was owned for long is told of.
    fn assign(&mut self, model: &Facts) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open)?;
        let user = self.dice.pick(&model.directory.users)?.id;
        self.own(row, user)
    }

    fn own(&mut self, row: usize, user: UserId) -> Option<Event> {
        let long = self.dice.chance(15);
        let age = if long { self.dice.between(MONTH_MS - 120_000, MONTH_MS + 60_000) } else { 0 };
        let Row { state, version, .. } = &mut self.rows[row];
        state.owner = Some(Owner::User { id: user });
        state.owned_since = Some(self.now.plus_ms(-age));
        *version += 1;
        Some(changed(state, !long))
    }

    fn status(&mut self, model: &Facts) -> Option<Event> {
        let user = self.dice.pick(&model.directory.users)?.id;
        Some(self.set_status(user))
    }

    fn set_status(&mut self, user: UserId) -> Event {
        let known = self.statuses.iter().position(|status| status.user == user);
        let version = known.map_or(0, |index| self.statuses.swap_remove(index).version) + 1;
        let value = self.dice.one_of(&[
            StatusValue::Available,
            StatusValue::Available,
            StatusValue::Available,
            StatusValue::Away,
            StatusValue::Finishing,
        ]);
        let first = version == 1 && self.dice.chance(70);
        let origin = if first { StatusOrigin::Initial } else { StatusOrigin::ByHand };
        let change = StatusChange { user, status: ManualStatus { value, reason: None, set_at: self.now, origin }, version };
        self.statuses.push(change.clone());
        Event::Input(Input::Status(change))
    }

    /// A new directory version; whoever is deactivated with it hands work back (ROUTING 12.5).
    fn edit(&mut self, model: &Facts) -> Option<Event> {
        let next = edited(&mut self.dice, &model.directory, self.now);
        for user in next.users.iter().filter(|user| !user.active) {
            let was = model.directory.user(user.id).is_some_and(|was| was.active);
            for row in (0..self.rows.len()).filter(|_| was) {
                let Row { state, .. } = &self.rows[row];
                if state.status == ItemStatus::Open && state.owner == Some(Owner::User { id: user.id }) {
                    let event = self.route(row, RouteEvent::HandedBack, Vec::new());
                    let state = &mut self.rows[row].state;
                    (state.owner, state.owned_since) = (None, None);
                    self.pending.push_back(event);
                }
            }
        }
        Some(Event::Directory(Arc::new(next)))
    }

    fn commit(&mut self, model: &Facts, rivals: bool) {
        for flying in std::mem::take(&mut self.flying) {
            if rivals && self.dice.chance(14) {
                self.rival(model, &flying.decision);
            }
            let Some(row) = self.rows.iter().position(|row| row.state.item == flying.decision.item) else { continue };
            match self.guard(model, row, &flying.decision) {
                Some(reason) => self.refuse(row, flying, reason),
                None => self.apply(row, &flying),
            }
        }
    }

    /// Somebody is faster than the router: with the item, with the person's status, or with other work for the person.
    fn rival(&mut self, model: &Facts, decision: &Decision) {
        let told = match (self.dice.below(3), decision.outcome) {
            (0, Outcome::Assigned { user, .. } | Outcome::Kept { user }) => Some(self.set_status(user)),
            (1, Outcome::Assigned { user, .. }) => {
                let others: Vec<usize> = (0..self.rows.len())
                    .filter(|row| self.rows[*row].state.status == ItemStatus::Open && self.rows[*row].state.item != decision.item)
                    .collect();
                let mut told = None;
                for _ in 0..2 {
                    self.pending.extend(told.take());
                    told = self.dice.pick(&others).copied().and_then(|row| self.own(row, user));
                }
                told
            }
            _ => {
                let row = self.rows.iter().position(|row| row.state.item == decision.item);
                let user = self.dice.pick(&model.directory.users).map(|user| user.id);
                row.zip(user).and_then(|(row, user)| self.own(row, user))
            }
        };
        self.pending.extend(told);
    }

    /// The guards of DESIGN 3.6.
    fn guard(&self, model: &Facts, row: usize, decision: &Decision) -> Option<RefusalReason> {
        if self.rows[row].version != decision.item_version {
            return Some(RefusalReason::ItemChanged);
        }
        let (Outcome::Assigned { user, .. } | Outcome::Kept { user }) = decision.outcome else { return None };
        if decision.capacity_guarded && self.is_full(model, &self.rows[row].state, user) {
            return Some(RefusalReason::AtCapacity);
        }
        let stored = self.statuses.iter().find(|status| status.user == user).map(|status| status.version);
        let outdated = decision.availability_version.is_some_and(|version| stored != Some(version));
        outdated.then_some(RefusalReason::StatusChanged)
    }

    fn is_full(&self, model: &Facts, item: &ItemState, user: UserId) -> bool {
        let counted_as = |state: &ItemState| state.conversation.map_or(state.item.0, |conversation| conversation.0);
        let work = item.group.work_type();
        let (mut all, mut same) = (Vec::new(), Vec::new());
        for Row { state, .. } in &self.rows {
            if state.item != item.item && state.status == ItemStatus::Open && state.owner == Some(Owner::User { id: user }) {
                all.push(counted_as(state));
                same.extend((state.group.work_type() == work).then(|| counted_as(state)));
            }
        }
        let Some(person) = model.directory.user(user) else { return false };
        let full = |mut keys: Vec<i64>, limit: Option<u32>| {
            keys.sort_unstable();
            keys.dedup();
            !keys.contains(&counted_as(item)) && limit.is_some_and(|limit| count(keys.len()) >= limit)
        };
        full(all, person.capacity.total) || full(same, person.capacity.per_type.get(&work).copied())
    }

    fn refuse(&mut self, row: usize, flying: Flying, reason: RefusalReason) {
        let state = self.rows[row].state.clone();
        let retry = Some(Arrival { seed: self.dice.roll(), ..flying.arrival });
        self.pending.push_back(Event::Refused { of: flying.decision.no, reason, state, retry });
    }

    fn apply(&mut self, row: usize, flying: &Flying) {
        let Row { state, version, .. } = &mut self.rows[row];
        *version += 1;
        (state.owner, state.owned_since) = match flying.decision.outcome {
            Outcome::Assigned { user, .. } | Outcome::Kept { user } => (Some(Owner::User { id: user }), flying.owned_since),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => (None, None),
        };
    }
}

/// Whom or what an event is about: what is told of one subject keeps its order.
fn subject(event: &Event) -> Option<i64> {
    match event {
        Event::Input(Input::Status(change)) => Some(-change.user.0),
        Event::Input(Input::Changed(change)) => Some(change.state.item.0),
        Event::Input(Input::Arrived(arrival)) => Some(arrival.item.0),
        Event::Refused { state, .. } => Some(state.item.0),
        _ => None,
    }
}

fn changed(state: &ItemState, assigned: bool) -> Event {
    Event::Input(Input::Changed(ItemChange { state: state.clone(), assigned }))
}
