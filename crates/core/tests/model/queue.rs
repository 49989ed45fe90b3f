//! What waits, in its order, and who gets it: the text of ROUTING 7.4, by trying everything after every change.

use crate::decide::{Decided, Question, decide};
use crate::facts::Facts;
use crate::step::Answer;
use std::cmp::{Ordering, Reverse};
use switchboard_model::{ItemId, Outcome, Priority, QueueOrder, Timestamp, UserId, WaitingItem};

impl Facts {
    /// Gives the first item that anybody could have to the best person for it, and so on until nobody can have
    /// anything.
    pub fn match_waiting(&mut self, answer: &mut Answer) {
        self.match_before(None, answer);
    }

    /// The same among those in front of a place.
    pub fn match_before(&mut self, end: Option<&WaitingItem>, answer: &mut Answer) {
        while let Some((waiting, decided)) = self.first_match(end) {
            self.leave(waiting.arrival.item);
            self.conclude(&waiting.arrival, true, waiting.barred, decided, answer);
        }
    }

    /// Decides anew about everything that waits, in order; what goes on waiting is not spoken of.
    pub fn decide_anew(&mut self, answer: &mut Answer) {
        for waiting in self.in_order() {
            let decided = self.decide_waiting(&waiting);
            if decided.decision.outcome != Outcome::Queued {
                self.leave(waiting.arrival.item);
                self.conclude(&waiting.arrival, true, waiting.barred, decided, answer);
            }
        }
    }

    /// Everything that waits, in its order.
    pub fn in_order(&self) -> Vec<WaitingItem> {
        let mut all = self.waiting.clone();
        all.sort_by(|one, other| self.in_order_of(one, other));
        all
    }

    /// Which of two stands in front: a total order.
    pub fn in_order_of(&self, one: &WaitingItem, other: &WaitingItem) -> Ordering {
        let queued = |waiting: &WaitingItem| (waiting.since, waiting.arrival.item);
        match self.directory.queue_order {
            QueueOrder::Priority => {
                let place = |waiting: &WaitingItem| {
                    let queue = &waiting.arrival.queue;
                    (Reverse(queue.priority), queue.due_at.unwrap_or(Timestamp(i64::MAX)), queued(waiting))
                };
                place(one).cmp(&place(other))
            }
            QueueOrder::Gcmu => self.by_cost(one, other).then_with(|| queued(one).cmp(&queued(other))),
        }
    }

    /// The greater cost of waiting first, and before all whoever has waited for more than four targets.
    fn by_cost(&self, one: &WaitingItem, other: &WaitingItem) -> Ordering {
        let waited = |waiting: &WaitingItem| u128::try_from(self.now.ms_since(waiting.since)).unwrap_or(0);
        let weight = |waiting: &WaitingItem| match waiting.arrival.queue.priority {
            Priority::Low => 1,
            Priority::Normal => 2,
            Priority::High => 4,
            Priority::Urgent => 8_u128,
        };
        let starves = |waiting: &WaitingItem| waited(waiting) > 4 * target_ms(waiting);
        let (a, b) = (target_ms(one), target_ms(other));
        match (starves(one), starves(other)) {
            (true, true) => (waited(other) * a).cmp(&(waited(one) * b)),
            (false, false) => (weight(other) * waited(other) * a * a).cmp(&(weight(one) * waited(one) * b * b)),
            (one, other) => other.cmp(&one),
        }
    }

    /// The first that somebody can have now, in front of a place, with the decision.
    pub fn first_match(&self, end: Option<&WaitingItem>) -> Option<(WaitingItem, Decided)> {
        let in_front = self.in_order().into_iter().filter(|waiting| end.is_none_or(|end| self.in_order_of(waiting, end).is_lt()));
        let mut tried = in_front.map(|waiting| {
            let decided = self.decide_waiting(&waiting);
            (waiting, decided)
        });
        tried.find(|(_, decided)| matches!(decided.decision.outcome, Outcome::Assigned { .. }))
    }

    /// Takes an item out of the queue.
    pub fn leave(&mut self, item: ItemId) -> Option<WaitingItem> {
        let at = self.waiting.iter().position(|waiting| waiting.arrival.item == item)?;
        Some(self.waiting.remove(at))
    }

    /// There is news of a person's work or status: nobody leaves the person out any more.
    pub fn news_of(&mut self, user: UserId) {
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.barred == Some(user)) {
            waiting.barred = None;
        }
    }

    /// Moments from now until `horizon`, itself excluded, at which time alone may have changed who could have what.
    pub fn moments(&self, horizon: Timestamp) -> Vec<Timestamp> {
        let mut moments = vec![horizon.plus_ms(-1)];
        for user in &self.directory.users {
            moments.extend(self.calendar(user.id).map(|calendar| calendar.edges()).unwrap_or_default());
            moments.extend(user.out_of_office.iter().flat_map(|away| [away.from, away.to]));
        }
        moments.extend(self.waiting.iter().flat_map(|waiting| self.changes(waiting)));
        for owned in &self.owned {
            let days = self.directory.user(owned.user).and_then(|user| user.capacity.leave_out.older_than_days);
            let old =
                owned.created_at.zip(days).map(|(created_at, days)| created_at.plus_ms(i64::from(days) * 24 * 3_600_000 + 1));
            moments.extend(old);
        }
        moments.retain(|moment| self.now < *moment && *moment < horizon);
        moments.sort();
        moments.dedup();
        moments
    }

    /// When an item's demands relax, or a step of a rule asks others.
    fn changes(&self, waiting: &WaitingItem) -> Vec<Timestamp> {
        let relaxing = self.demands(&waiting.arrival).into_iter().filter_map(|demand| demand.relax_after_s);
        let rules = self.directory.channels.iter().filter_map(|channel| channel.rule.as_ref());
        let steps = rules.flat_map(|rule| &rule.cases).flat_map(|case| &case.overflow).map(|step| step.after_s);
        relaxing.chain(steps).map(|after_s| waiting.since.plus_ms(i64::from(after_s) * 1_000)).collect()
    }

    /// Those of them that lie ahead.
    pub fn changes_ahead(&self, waiting: &WaitingItem) -> Vec<Timestamp> {
        self.changes(waiting).into_iter().filter(|moment| *moment > self.now).collect()
    }

    /// What would become of a waiting item now.
    pub fn decide_waiting(&self, waiting: &WaitingItem) -> Decided {
        let (arrival, since, barred) = (&waiting.arrival, Some(waiting.since), waiting.barred);
        decide(self, Question { arrival, since, barred, arrives: false })
    }
}

/// The target of a waiting item, as a power of two of milliseconds.
fn target_ms(waiting: &WaitingItem) -> u128 {
    let until_breach = waiting.arrival.queue.due_at.map(|due_at| due_at.ms_since(waiting.since));
    let target = until_breach.unwrap_or(3_600_000).max(1_000);
    u128::try_from(target).unwrap_or(1_000).next_power_of_two()
}
