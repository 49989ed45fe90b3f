//! What people do in the world: contacts write, colleagues take, close, put aside, come and go.

use crate::facts::Facts;
use crate::history::Event;
use crate::people::{DAY_MS, HOUR_MS, edited};
use crate::room::MONTH_MS;
use crate::rules::WORDS;
use crate::world::{Row, World};
use std::sync::Arc;
use switchboard_model::{
    Arrival, ChannelId, ContactFacts, ContactId, ConversationId, FactField, Facts as ItemFacts, Input, ItemChange, ItemId,
    ItemKind, ItemState, ItemStatus, ManualStatus, Owner, Priority, QueueFacts, Revision, RouteEvent, StatusChange, StatusOrigin,
    StatusValue, TicketType, Timestamp, UserId, WorkspaceId, WorkspaceKind,
};

impl World {
    pub fn arrive(&mut self, model: &Facts) -> Option<Event> {
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
        let excluded = self.dice.pick(&directory.users).map(|user| user.id).filter(|_| self.dice.chance(3));
        let excluded = excluded.into_iter().collect();
        let (created_at, waiting_on_contact) = (self.created_at(), self.dice.chance(8));
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
            excluded,
            seed: self.dice.roll(),
            queue: self.queue(),
            created_at,
            waiting_on_contact,
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
            created_at,
            waiting_on_contact,
        };
        self.rows.push(Row { state, version: 1, waiting: None, template: template.clone() });
        Some(Event::Input(Input::Arrived(template)))
    }

    /// A conversation that a new ticket may belong to, of whatever kind of work.
    fn beside(&mut self) -> Option<ConversationId> {
        let last: Vec<&Row> = self.rows.iter().rev().take(8).collect();
        let row = self.dice.pick(&last).filter(|_| self.dice.chance(35))?;
        row.state.conversation
    }

    /// When an item was created, as far as that is known: mostly now, sometimes about a limit on age.
    fn created_at(&mut self) -> Option<Timestamp> {
        let age = match self.dice.below(10) {
            0 => return None,
            1 => DAY_MS + self.dice.between(-1, 1),
            2 => 7 * DAY_MS + self.dice.between(-60_000, 1),
            _ => 0,
        };
        Some(self.now.plus_ms(-age))
    }

    /// How urgent it is, and when it should be answered.
    fn queue(&mut self) -> QueueFacts {
        let priority = self.dice.one_of(&[Priority::Low, Priority::Normal, Priority::Normal, Priority::High, Priority::Urgent]);
        let due = self.dice.between(-HOUR_MS, 8 * HOUR_MS);
        let due_at = self.dice.chance(40).then(|| self.now.plus_ms(due / 900_000 * 900_000));
        QueueFacts { priority, due_at, since: None }
    }

    fn contact(&mut self, model: &Facts) -> ContactFacts {
        let last = self.dice.pick(&model.directory.users).map(|user| user.id).filter(|_| self.dice.chance(50));
        let age = self.dice.one_of(&[0, 1, 1, 3, 5, 30]) * DAY_MS + self.dice.between(-1, 1);
        let last_owned_at = last.filter(|_| self.dice.chance(95)).map(|_| self.now.plus_ms(-age));
        let owner = self.dice.pick(&model.directory.users).map(|user| user.id).filter(|_| self.dice.chance(60));
        let owner = if self.dice.chance(3) { Some(UserId(9_999)) } else { owner };
        ContactFacts {
            id: ContactId(1),
            owner,
            proven: self.dice.chance(80),
            cookie: self.dice.chance(60),
            last_owner: last,
            last_owned_at,
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
        let Row { state, version, template, .. } = &mut self.rows[row];
        *version += 1;
        let arrival = Arrival {
            event,
            version: *version,
            previous_owner: state.owner,
            owned_since: state.owned_since,
            waiting_on_contact: state.waiting_on_contact,
            excluded,
            facts,
            seed: self.dice.roll(),
            ..template.clone()
        };
        Event::Input(Input::Arrived(arrival))
    }

    pub fn reopen(&mut self) -> Option<Event> {
        let row = self.choose_row(|state| matches!(state.status, ItemStatus::Closed | ItemStatus::Snoozed))?;
        self.rows[row].state.status = ItemStatus::Open;
        let excluded = match self.rows[row].state.owner {
            Some(Owner::User { id }) if self.dice.chance(8) => vec![id],
            _ => Vec::new(),
        };
        Some(self.route(row, RouteEvent::Reopened, excluded))
    }

    pub fn hand_back(&mut self) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open && matches!(state.owner, Some(Owner::User { .. })))?;
        let Some(Owner::User { id }) = self.rows[row].state.owner else { return None };
        let excluded = if self.dice.chance(90) { vec![id] } else { Vec::new() };
        let event = self.route(row, RouteEvent::Returned, excluded);
        let state = &mut self.rows[row].state;
        (state.owner, state.owned_since) = (None, None);
        Some(event)
    }

    pub fn request(&mut self) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open)?;
        Some(self.route(row, RouteEvent::Requested, Vec::new()))
    }

    /// Somebody moves an item to another workspace of the same kind (ROUTING 12.4). What waited is taken out of the
    /// queue first, and most often routed there, with the time that it had.
    pub fn shift(&mut self, model: &Facts) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open && state.owner.is_none())?;
        let from = model.directory.workspace(self.rows[row].state.workspace)?;
        let same_kind = model.directory.workspaces.iter().filter(|to| to.kind == from.kind && to.id != from.id);
        let to = same_kind.map(|workspace| workspace.id).next()?;
        let Row { state, waiting, template, version } = &mut self.rows[row];
        let since = waiting.take();
        (state.workspace, template.workspace, *version) = (to, to, *version + 1);
        let gone = ItemState { status: ItemStatus::Closed, ..state.clone() };
        let stays = changed(state, false);
        if since.is_some() {
            self.pending.push_back(changed(&gone, false));
        }
        self.pending.push_back(stays);
        if self.dice.chance(70) {
            let event = self.go_on(row, since);
            self.pending.push_back(event);
        }
        None
    }

    /// A newer item that waits is merged into an older one, which waits in its place (ROUTING 12.4).
    pub fn merge(&mut self) -> Option<Event> {
        let newer = (0..self.rows.len()).find(|row| self.rows[*row].waiting.is_some())?;
        let older = self.choose_row(|state| state.status == ItemStatus::Open && state.owner.is_none())?;
        if older == newer || self.rows[older].waiting.is_some() {
            return None;
        }
        let Row { state, waiting, version, .. } = &mut self.rows[newer];
        let since = waiting.take();
        (state.status, *version) = (ItemStatus::Closed, *version + 1);
        let event = changed(state, false);
        self.pending.push_back(event);
        Some(self.go_on(older, since))
    }

    /// An item that goes on waiting since a time is routed.
    fn go_on(&mut self, row: usize, since: Option<Timestamp>) -> Event {
        let event = self.route(row, RouteEvent::Requested, Vec::new());
        match event {
            Event::Input(Input::Arrived(arrival)) => {
                Event::Input(Input::Arrived(Arrival { queue: QueueFacts { since, ..arrival.queue }, ..arrival }))
            }
            other => other,
        }
    }

    /// Somebody closes, puts aside, opens or clears an item.
    pub fn change(&mut self, model: &Facts) -> Option<Event> {
        let open = self.dice.chance(92);
        let many = model.waiting.len() > 12 && self.dice.chance(70);
        let waits = |state: &ItemState| model.waiting.iter().any(|waiting| waiting.arrival.item == state.item);
        let row = self.choose_row(|state| (state.status == ItemStatus::Open) == open && (!many || waits(state)))?;
        let dice = &mut self.dice;
        let state = &mut self.rows[row].state;
        if dice.chance(15) {
            state.waiting_on_contact = !state.waiting_on_contact;
        } else if dice.chance(12) {
            state.owner = dice.one_of(&[None, None, Some(Owner::Bot), Some(Owner::Assistant)]);
            state.owned_since = state.owner.map(|_| self.now);
        } else if open {
            state.status = dice.one_of(&[ItemStatus::Closed, ItemStatus::Closed, ItemStatus::Snoozed, ItemStatus::Spam]);
        } else {
            state.status = ItemStatus::Open;
        }
        let row = &mut self.rows[row];
        row.version += 1;
        row.waiting = row.waiting.filter(|_| row.state.status == ItemStatus::Open && row.state.owner.is_none());
        Some(changed(&row.state, false))
    }

    /// Somebody gives an item to somebody by hand (ROUTING 2.2, 2.5), or what was owned for long is told of.
    pub fn assign(&mut self, model: &Facts) -> Option<Event> {
        let row = self.choose_row(|state| state.status == ItemStatus::Open)?;
        let user = self.dice.pick(&model.directory.users)?.id;
        self.own(row, user)
    }

    pub fn own(&mut self, row: usize, user: UserId) -> Option<Event> {
        let long = self.dice.chance(15);
        let age = if long { self.dice.between(MONTH_MS - 120_000, MONTH_MS + 60_000) } else { 0 };
        let Row { state, version, waiting, .. } = &mut self.rows[row];
        *waiting = None;
        state.owner = Some(Owner::User { id: user });
        state.owned_since = Some(self.now.plus_ms(-age));
        *version += 1;
        Some(changed(state, !long))
    }

    /// Somebody finds an item more or less urgent, or its next target moves.
    pub fn revise(&mut self) -> Option<Event> {
        let waits = self.dice.chance(85);
        let rows: Vec<usize> = (0..self.rows.len()).filter(|row| self.rows[*row].waiting.is_some() == waits).collect();
        let row = *self.dice.pick(&rows)?;
        let queue = self.queue();
        let Row { state, version, template, .. } = &mut self.rows[row];
        *version += 1;
        template.queue = queue;
        let (priority, due_at) = (queue.priority, queue.due_at);
        Some(Event::Input(Input::Revised(Revision { item: state.item, version: *version, priority, due_at })))
    }

    pub fn status(&mut self, model: &Facts) -> Option<Event> {
        let user = self.dice.pick(&model.directory.users)?.id;
        Some(self.set_status(user))
    }

    /// Most people come to work as a history begins.
    pub fn sign_on(&mut self, model: &Facts) {
        for user in &model.directory.users {
            if self.dice.chance(85) {
                let event = self.set_status(user.id);
                self.pending.push_back(event);
            }
        }
    }

    pub fn set_status(&mut self, user: UserId) -> Event {
        let known = self.statuses.iter().position(|status| status.user == user);
        let version = known.map_or(0, |index| self.statuses.swap_remove(index).version) + 1;
        let value = self.dice.one_of(&[
            StatusValue::Available,
            StatusValue::Available,
            StatusValue::Available,
            StatusValue::Available,
            StatusValue::Away,
            StatusValue::Finishing,
        ]);
        let first = version == 1 && self.dice.chance(70);
        let absent = value == StatusValue::Away && self.dice.chance(20);
        let by_hand = if absent { StatusOrigin::Presence } else { StatusOrigin::ByHand };
        let origin = if first { StatusOrigin::Initial } else { by_hand };
        let change = StatusChange { user, status: ManualStatus { value, reason: None, set_at: self.now, origin }, version };
        self.statuses.push(change.clone());
        Event::Input(Input::Status(change))
    }

    /// A new directory version; whoever is deactivated with it hands work back (ROUTING 12.5).
    pub fn edit(&mut self, model: &Facts) -> Option<Event> {
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
}

fn changed(state: &ItemState, assigned: bool) -> Event {
    Event::Input(Input::Changed(ItemChange { state: state.clone(), assigned }))
}
