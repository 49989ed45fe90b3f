//! The database of the world: it holds the truth, and refuses what no longer fits.

use crate::facts::Facts;
use crate::history::Event;
use crate::world::{Flying, Row, World};
use switchboard_model::{
    Arrival, Decision, Input, ItemState, ItemStatus, Outcome, OwnedItem, Owner, QueueFacts, RefusalReason, Revision, UserId,
};

impl World {
    /// Commits what the router decided, as far as the guards let it; others may be faster.
    pub fn commit(&mut self, model: &Facts, rivals: bool) {
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
        if decision.capacity_guarded && self.is_full(model, row, user) {
            return Some(RefusalReason::AtCapacity);
        }
        let stored = self.statuses.iter().find(|status| status.user == user).map(|status| status.version);
        let outdated = decision.availability_version.is_some_and(|version| stored != Some(version));
        outdated.then_some(RefusalReason::StatusChanged)
    }

    /// Whether the person has no room, counted from what the database has.
    fn is_full(&self, model: &Facts, row: usize, user: UserId) -> bool {
        let Row { state, template, .. } = &self.rows[row];
        let arrival = &Arrival { waiting_on_contact: state.waiting_on_contact, ..template.clone() };
        let mut truth = model.clone();
        truth.now = self.now.max(model.now);
        truth.owned = self.rows.iter().filter(|row| row.state.item != arrival.item).filter_map(owned).collect();
        !truth.has_room(user, arrival)
    }

    fn refuse(&mut self, row: usize, flying: Flying, reason: RefusalReason) {
        let state = self.rows[row].state.clone();
        let retry = Some(Arrival { seed: self.dice.roll(), ..flying.arrival });
        let of = (flying.decision.no, flying.decision.place);
        self.pending.push_back(Event::Refused { of, reason, state, retry });
    }

    /// Carries a decision out. Whether going to wait makes a new version is left to chance; if so, it is told.
    fn apply(&mut self, row: usize, flying: &Flying) {
        let queued = flying.decision.outcome == Outcome::Queued;
        let revised = self.dice.chance(50);
        let Row { state, version, waiting, template } = &mut self.rows[row];
        *waiting = flying.decision.queued_since.filter(|_| queued);
        (state.owner, state.owned_since) = match flying.decision.outcome {
            Outcome::Assigned { user, .. } | Outcome::Kept { user } => (Some(Owner::User { id: user }), flying.owned_since),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => (None, None),
        };
        if queued && !revised {
            return;
        }
        *version += 1;
        if queued {
            let QueueFacts { priority, due_at, .. } = template.queue;
            let news = Revision { item: state.item, version: *version, priority, due_at };
            self.pending.push_back(Event::Input(Input::Revised(news)));
        }
    }
}

/// What counts of a row.
fn owned(row: &Row) -> Option<OwnedItem> {
    let ItemState { item, conversation, group, status, owner, owned_since, created_at, waiting_on_contact, .. } = row.state;
    let (ItemStatus::Open, Some(Owner::User { id })) = (status, owner) else { return None };
    Some(OwnedItem { item, conversation, user: id, group, owned_since: owned_since?, created_at, waiting_on_contact })
}
