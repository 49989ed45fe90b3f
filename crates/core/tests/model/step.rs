//! One step of the model: what an input does to the facts, and what is answered.

use crate::decide::{Decided, decide};
use crate::facts::{Facts, Served};
use switchboard_model::{
    Arrival, AssignedMark, Directory, Effect, Explanation, Input, ItemChange, Outcome, OwnedItem, Owner, Refusal, RefusalReason,
    Timestamp, UserId, mark,
};

/// What a step answers.
pub struct Answer {
    /// In order.
    pub effects: Vec<Effect>,
    /// Of the decision, if there was one.
    pub explanation: Option<Explanation>,
}

impl Facts {
    /// Consumes an input (ROUTING 13.2).
    pub fn step(&mut self, no: u64, now: Timestamp, input: &Input) -> Answer {
        if no != self.no + 1 {
            return refused("the number does not follow");
        }
        self.no = no;
        self.now = self.now.max(now);
        match input {
            Input::Tick | Input::Revised(_) => nothing(),
            Input::Directory { version, directory } => self.on_directory(*version, directory.as_deref()),
            Input::Status(change) => {
                self.statuses.retain(|status| status.user != change.user);
                self.statuses.push(change.clone());
                nothing()
            }
            Input::Changed(change) => self.on_change(change),
            Input::Arrived(arrival) => self.on_arrival(arrival, None),
            Input::Refused(refusal) => self.on_refusal(refusal),
        }
    }

    fn on_directory(&mut self, version: i64, directory: Option<&Directory>) -> Answer {
        match directory {
            Some(directory) if version >= self.directory.version => {
                self.enact(std::sync::Arc::new(directory.clone()));
                nothing()
            }
            _ => refused("no directory, or an old one"),
        }
    }

    fn on_change(&mut self, change: &ItemChange) -> Answer {
        self.set_item(&change.state);
        if let (true, Some(Owner::User { id })) = (change.assigned, change.state.owner) {
            self.assignments.push(AssignedMark { user: id, group: change.state.group, no: mark(self.no, 0) });
        }
        nothing()
    }

    fn on_arrival(&mut self, arrival: &Arrival, full: Option<UserId>) -> Answer {
        self.forget_item(arrival.item);
        let Decided { decision, stages, notify } = decide(self, arrival, full);
        match decision.outcome {
            Outcome::Assigned { user, .. } => {
                self.own(arrival, user, self.now);
                self.assignments.push(AssignedMark { user, group: arrival.group, no: decision.mark() });
                if let (Some(cycle), Some(rule)) = (decision.turn, decision.rule) {
                    self.served.push(Served { no: self.no, channel: rule.channel, case: rule.case, user, cycle });
                }
            }
            Outcome::Kept { user } => self.own(arrival, user, arrival.owned_since.unwrap_or(self.now)),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => {}
        }
        let told = notify.map(|user| Effect::NotifyOwner { item: arrival.item, user });
        let effects = std::iter::once(Effect::Decide(decision.clone())).chain(told).collect();
        Answer { effects, explanation: Some(Explanation { decision, stages }) }
    }

    fn on_refusal(&mut self, refusal: &Refusal) -> Answer {
        let decision = &refusal.decision;
        self.assignments.retain(|one| one.no != decision.mark());
        self.served.retain(|one| one.no != decision.no);
        self.set_item(&refusal.state);
        let chosen = match decision.outcome {
            Outcome::Assigned { user, .. } | Outcome::Kept { user } => Some(user),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => None,
        };
        if refusal.reason == RefusalReason::StatusChanged {
            let outdated = |version: i64| decision.availability_version.is_some_and(|decided_on| version <= decided_on);
            self.statuses.retain(|status| Some(status.user) != chosen || !outdated(status.version));
        }
        let full = chosen.filter(|_| refusal.reason == RefusalReason::AtCapacity);
        refusal.retry.as_ref().map_or_else(nothing, |arrival| self.on_arrival(arrival, full))
    }

    fn own(&mut self, arrival: &Arrival, user: UserId, owned_since: Timestamp) {
        let (item, conversation, group) = (arrival.item, arrival.conversation, arrival.group);
        self.owned.push(OwnedItem { item, conversation, user, group, owned_since, created_at: None, waiting_on_contact: false });
    }
}

const fn nothing() -> Answer {
    Answer { effects: Vec::new(), explanation: None }
}

fn refused(why: &str) -> Answer {
    Answer { effects: vec![Effect::Reject { reason: why.to_owned() }], explanation: None }
}
