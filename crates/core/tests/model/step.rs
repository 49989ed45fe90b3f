//! One step of the model: what an input does to the facts, and what is answered.

use crate::decide::{Decided, Question, decide};
use crate::facts::{Assignment, Facts, Served};
use switchboard_model::{
    Arrival, Decision, Directory, Effect, Explanation, Input, ItemChange, ItemId, ItemState, ItemStatus, Outcome, OwnedItem,
    Owner, QueueFacts, Refusal, RefusalReason, Revision, Timestamp, UserId, WaitingItem,
};

/// What a step answers.
#[derive(Default)]
pub struct Answer {
    /// In order.
    pub effects: Vec<Effect>,
    /// Of every decision, in order.
    pub explanations: Vec<Explanation>,
    /// Of the decision about the item that the input itself brought, if it brought one.
    pub asked: Option<Explanation>,
}

impl Facts {
    /// Consumes an input (ROUTING 13.2). What time has brought about comes first (ROUTING 7.4).
    pub fn step(&mut self, no: u64, now: Timestamp, input: &Input) -> Answer {
        let mut answer = Answer::default();
        if no != self.no + 1 {
            answer.refuse("the number does not follow");
            return answer;
        }
        (self.no, self.place) = (no, 0);
        self.pass(self.now.max(now));
        self.match_waiting(&mut answer);
        self.take(input, &mut answer);
        self.match_waiting(&mut answer);
        answer
    }

    /// Time goes on: idle time adds up (ROUTING 6.5), and what grows too old to use capacity is news (ROUTING 5.5).
    fn pass(&mut self, now: Timestamp) {
        self.add_idle(now);
        let aged: Vec<UserId> = self
            .owned
            .iter()
            .filter(|owned| self.uses(owned, self.now) && self.is_old(owned, now))
            .map(|owned| owned.user)
            .collect();
        self.now = now;
        aged.into_iter().for_each(|user| self.news_of(user));
    }

    fn take(&mut self, input: &Input, answer: &mut Answer) {
        match input {
            Input::Tick => {}
            Input::Revised(news) => self.on_revision(news),
            Input::Directory { version, directory } => self.on_directory(*version, directory.as_deref(), answer),
            Input::Status(change) => {
                self.statuses.retain(|status| status.user != change.user);
                self.statuses.push(change.clone());
                self.news_of(change.user);
            }
            Input::Changed(change) => self.on_change(change),
            Input::Arrived(arrival) => self.on_arrival(arrival, None, None, answer),
            Input::Refused(refusal) => self.on_refusal(refusal, answer),
        }
    }

    fn on_directory(&mut self, version: i64, directory: Option<&Directory>, answer: &mut Answer) {
        match directory {
            Some(directory) if version >= self.directory.version => {
                self.enact(std::sync::Arc::new(directory.clone()));
                self.waiting.iter_mut().for_each(|waiting| waiting.barred = None);
                self.decide_anew(answer);
            }
            _ => answer.refuse("no directory, or an old one"),
        }
    }

    fn on_revision(&mut self, news: &Revision) {
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.arrival.item == news.item) {
            waiting.arrival.version = news.version;
            (waiting.arrival.queue.priority, waiting.arrival.queue.due_at) = (news.priority, news.due_at);
        }
    }

    fn on_change(&mut self, change: &ItemChange) {
        self.give_up(change.state.item);
        self.set_item(&change.state);
        if let Some(Owner::User { id }) = change.state.owner {
            self.news_of(id);
        }
        if let (true, Some(Owner::User { id })) = (change.assigned, change.state.owner) {
            let (no, place, group) = (self.no, self.place, change.state.group);
            self.assignments.push(Assignment { no, place, user: id, group });
            self.place += 1;
        }
    }

    fn on_arrival(&mut self, arrival: &Arrival, since: Option<Timestamp>, full: Option<UserId>, answer: &mut Answer) {
        let before = self.owned.iter().find(|owned| owned.item == arrival.item).map(|owned| (owned.user, owned.owned_since));
        if self.retries {
            self.forget_item(arrival.item);
        } else {
            self.give_up(arrival.item);
        }
        let waited = self.leave(arrival.item);
        let since = waited.as_ref().map(|waiting| waiting.since).or(since).or(arrival.queue.since);
        let barred = full.or_else(|| waited.as_ref().and_then(|waiting| waiting.barred));
        let arrives = !self.held || self.requeues;
        let decided = decide(self, Question { arrival, since, barred, arrives });
        let outcome = decided.decision.outcome;
        self.conclude(arrival, false, barred, decided, answer);
        // Whoever keeps it continues the ownership there was (ROUTING 5.1).
        if let (Some((user, since)), Outcome::Kept { user: keeper }) = (before, outcome)
            && user == keeper
        {
            self.owned.iter_mut().filter(|owned| owned.item == arrival.item).for_each(|owned| owned.owned_since = since);
        }
        answer.asked = answer.explanations.last().cloned();
    }

    /// What a decision does to the facts, and what is told of it.
    pub fn conclude(&mut self, arrival: &Arrival, waited: bool, barred: Option<UserId>, decided: Decided, answer: &mut Answer) {
        let Decided { decision, stages, notify } = decided;
        match decision.outcome {
            Outcome::Assigned { user, .. } => {
                self.own(arrival, user, self.now);
                let Decision { no, place, .. } = decision;
                self.assignments.push(Assignment { no, place, user, group: arrival.group });
                if let (Some(cycle), Some(rule)) = (decision.turn, decision.rule) {
                    self.served.push(Served { no, place, channel: rule.channel, case: rule.case, user, cycle });
                }
            }
            Outcome::Kept { user } => self.own(arrival, user, arrival.owned_since.unwrap_or(self.now)),
            Outcome::Queued => {
                let since = decision.queued_since.unwrap_or(self.now);
                self.waiting.push(WaitingItem { arrival: arrival.clone(), since, barred });
            }
            Outcome::TeamSet { .. } | Outcome::Unassigned { .. } => {}
        }
        self.place += 1;
        answer.effects.push(Effect::Decide(decision.clone()));
        if waited && decision.outcome != Outcome::Queued {
            let queue = QueueFacts { since: decision.queued_since, ..arrival.queue };
            answer.effects.push(Effect::LeftQueue { arrival: Box::new(Arrival { queue, ..arrival.clone() }) });
        }
        answer.effects.extend(notify.map(|user| Effect::NotifyOwner { item: arrival.item, user }));
        answer.explanations.push(Explanation { decision, stages });
    }

    fn on_refusal(&mut self, refusal: &Refusal, answer: &mut Answer) {
        let decision = &refusal.decision;
        let chosen = match decision.outcome {
            Outcome::Assigned { user, .. } | Outcome::Kept { user } => Some(user),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => None,
        };
        let undone = |no: u64, place: u32| (no, place) == (decision.no, decision.place);
        self.assignments.retain(|one| !undone(one.no, one.place));
        self.served.retain(|one| !undone(one.no, one.place));
        self.set_item(&refusal.state);
        if refusal.reason == RefusalReason::StatusChanged {
            let outdated = |version: i64| decision.availability_version.is_some_and(|decided_on| version <= decided_on);
            self.statuses.retain(|status| Some(status.user) != chosen || !outdated(status.version));
        }
        let full = chosen.filter(|_| refusal.reason == RefusalReason::AtCapacity);
        match &refusal.retry {
            Some(arrival) => {
                let waits = self.waiting.iter().find(|waiting| waiting.arrival.item == arrival.item);
                let since = waits.map(|waiting| waiting.since).or(decision.queued_since).or(arrival.queue.since);
                let waiting = WaitingItem { arrival: arrival.clone(), since: since.unwrap_or(self.now), barred: full };
                self.match_before(Some(&waiting), answer);
                self.retries = true;
                self.held = decision.queued_since.is_some();
                self.requeues = decision.outcome == Outcome::Queued;
                self.on_arrival(arrival, since, full, answer);
                (self.held, self.requeues, self.retries) = (false, false, false);
            }
            None => drop(self.leave(decision.item)),
        }
    }

    /// Takes a state of an item for true.
    fn set_item(&mut self, state: &ItemState) {
        self.forget_item(state.item);
        if state.status != ItemStatus::Open || state.owner.is_some() {
            self.leave(state.item);
        }
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.arrival.item == state.item) {
            waiting.arrival.waiting_on_contact = state.waiting_on_contact;
            waiting.arrival.created_at = state.created_at;
            waiting.arrival.workspace = state.workspace;
        }
        if let (ItemStatus::Open, Some(Owner::User { id })) = (state.status, state.owner) {
            let owned_since = state.owned_since.unwrap_or(self.now);
            let ItemState { item, conversation, group, created_at, waiting_on_contact, .. } = *state;
            self.owned.push(OwnedItem { item, conversation, user: id, group, owned_since, created_at, waiting_on_contact });
        }
    }

    /// An item is nobody's.
    fn forget_item(&mut self, item: ItemId) {
        self.owned.retain(|owned| owned.item != item);
    }

    /// An item leaves whoever owned it, which is news of that person's work (ROUTING 7.4).
    fn give_up(&mut self, item: ItemId) {
        let owner = self.owned.iter().find(|owned| owned.item == item).map(|owned| owned.user);
        self.forget_item(item);
        owner.into_iter().for_each(|owner| self.news_of(owner));
    }

    fn own(&mut self, arrival: &Arrival, user: UserId, owned_since: Timestamp) {
        let Arrival { item, conversation, group, created_at, waiting_on_contact, .. } = *arrival;
        self.owned.push(OwnedItem { item, conversation, user, group, owned_since, created_at, waiting_on_contact });
    }
}

impl Answer {
    fn refuse(&mut self, why: &str) {
        self.effects.push(Effect::Reject { reason: why.to_owned() });
    }
}
