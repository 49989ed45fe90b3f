//! The second side of the match: whatever changes, the first waiting item that somebody can have gets the best of
//! those who can (ROUTING 7.4).

use crate::decide::{Ask, Mode, Resolution, decide};
use crate::ladders::Sight;
use crate::pace::{Paces, WaitRange};
use crate::place::Place;
use crate::pool::Pool;
use crate::queue::{LaneIndex, Lanes};
use crate::router::Router;
use crate::usage::Usage;
use crate::work::{Owned, share_key};
use std::cmp::Ordering;
use switchboard_model::{
    Arrival, Decision, Effect, Explanation, ItemId, ItemState, ItemStatus, Outcome, Owner, Revision, Timestamp, UserId,
    WaitingItem,
};

/// What a step has to say, and what is explained of it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// In the order in which it happened.
    pub effects: Vec<Effect>,
    /// How many items were decided about or assigned so far: the place of the next.
    pub place: u32,
    /// The item whose matching is to be explained.
    pub asked: Option<ItemId>,
    /// The explanation.
    pub found: Option<Explanation>,
}

/// Why an open item is out of everybody's reach (ROUTING 12.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stranded {
    /// It waits, and nobody could ever take it.
    WaitsForNobody,
    /// Its owner is deactivated, or unknown.
    OwnerGone {
        /// The owner.
        user: UserId,
    },
}

impl Outbox {
    /// Takes a decision in.
    pub(crate) fn decided(&mut self, decision: Decision) {
        self.place = self.place.saturating_add(1);
        self.effects.push(Effect::Decide(decision));
    }
}

impl Router {
    /// Everything that waits, by item (ROUTING 7.4).
    pub fn waiting(&self) -> impl Iterator<Item = &WaitingItem> {
        self.queue.items()
    }

    /// The place of an item among those that wait for the same people, from 1, at the time of the last input; `None` when
    /// it does not wait.
    #[must_use]
    pub fn position(&self, item: ItemId) -> Option<u32> {
        self.queue.position(item, self.now).map(|position| u32::try_from(position).unwrap_or(u32::MAX))
    }

    /// How long an item that waits will probably wait from `now` on, by how fast others were picked up in front of it
    /// in the last hour; `None` while fewer than five were. Nothing is decided by it.
    #[must_use]
    pub fn wait(&self, item: ItemId, now: Timestamp) -> Option<WaitRange> {
        self.queue.wait(item, now.max(self.now))
    }

    /// How fast work is picked up, which no state tells.
    #[must_use]
    pub fn paces(&self) -> Paces {
        Paces { directory_version: self.plan.directory.version, lanes: self.queue.paces() }
    }

    /// Takes over how fast work was picked up before, as an earlier router under the same directory knew it.
    pub fn inherit(&mut self, paces: &Paces) {
        if self.plan.directory.version == paces.directory_version {
            self.queue.inherit(&paces.lanes);
        }
    }

    /// When to send [`Input::Tick`](switchboard_model::Input::Tick) at the latest so that nothing waits longer than it must: the next edge of a shift
    /// or an absence, the next change of whom an item may go to, or the next item that becomes too old to use capacity.
    /// `None` while nothing waits.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.queue.is_empty() {
            return None;
        }
        [self.queue.next_wake(), self.people.next_recheck(), self.work.next_end()].into_iter().flatten().min()
    }

    /// Whether what is decided at `now` follows from more than what the counters hold.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let due = [self.next_wake(), self.work.next_end()].into_iter().flatten().any(|due| due <= now);
        due || self.idleness_changes(now) || self.queue.has_ready()
    }

    /// Open items that nobody will get to: the sweep of ROUTING 12.6, as far as the router knows of them. By item.
    #[must_use]
    pub fn stranded(&self) -> Vec<(ItemId, Stranded)> {
        let mut stranded: Vec<_> = self.queue.lost().map(|item| (item, Stranded::WaitsForNobody)).collect();
        for (item, owned) in self.work.items() {
            let user = self.people.at(owned.person).user;
            if !self.plan.directory.user(user).is_some_and(switchboard_model::User::is_active) {
                stranded.push((item, Stranded::OwnerGone { user }));
            }
        }
        stranded.sort_unstable();
        stranded
    }

    /// Brings ladders and lanes up to date with everybody who changed.
    pub(crate) fn refresh(&mut self) {
        self.people.account(&self.calendars, self.now);
        while let Some(person) = self.people.next_changed() {
            let sight = Sight { people: &self.people, calendars: &self.calendars, turns: &self.turns, now: self.now };
            self.ladders.refresh(person, &sight);
            self.queue.person_changed(person, &self.ladders, &sight);
        }
        let sight = Sight { people: &self.people, calendars: &self.calendars, turns: &self.turns, now: self.now };
        while let Some(ladder) = self.ladders.next_moved() {
            self.queue.ladder_moved(ladder, &self.ladders, &sight);
        }
    }

    /// Matches what waits as long as somebody can have something of it, up to a place.
    pub(crate) fn match_waiting(&mut self, before: Option<Place>, out: &mut Outbox) {
        if self.queue.is_empty() {
            return;
        }
        self.refresh();
        let mut left = Vec::new();
        let now = self.now;
        let in_front = |place: &Place| before.is_none_or(|before| place.compare(&before, now) == Ordering::Less);
        while let Some(place) = self.queue.first_ready(now).filter(in_front) {
            let Some((waiting, lanes)) = self.queue.take_from(place.item) else { break };
            if let Some(waiting) = self.decide_waiting(waiting, &lanes, out) {
                left.push(waiting);
            }
            self.refresh();
        }
        for waiting in left {
            self.queue_up(waiting);
        }
    }

    /// Decides about an item that waited in these lanes; gives it back if it is to go on waiting.
    pub(crate) fn decide_waiting(&mut self, waiting: WaitingItem, lanes: &[LaneIndex], out: &mut Outbox) -> Option<WaitingItem> {
        let ask = Ask { no: self.no, place: out.place, since: waiting.since, queued: true, waiting: true };
        if out.asked == Some(waiting.arrival.item) {
            out.found = Some(self.explain_ask(self.now, &waiting.arrival, &ask, waiting.barred));
        }
        self.refresh();
        let Self { plan, calendars, people, work, turns, ladders, .. } = self;
        let times = (self.now, ask.since);
        let pool = Pool::new((plan, calendars), (people, work, turns), &waiting.arrival, times, waiting.barred);
        let Resolution { decision, .. } = decide(&pool, &waiting.arrival, &ask, Mode::Decide(ladders));
        if decision.outcome == Outcome::Queued {
            return Some(waiting);
        }
        if matches!(decision.outcome, Outcome::Assigned { .. }) {
            self.queue.picked_up(lanes, self.now);
        }
        self.apply(&decision, &waiting.arrival);
        out.decided(decision);
        let mut arrival = Box::new(waiting.arrival);
        arrival.queue.since = Some(waiting.since);
        out.effects.push(Effect::LeftQueue { arrival });
        None
    }

    /// Lets an item wait wherever people for it may come from.
    pub(crate) fn queue_up(&mut self, waiting: WaitingItem) {
        self.refresh();
        let lanes = self.survey(&waiting);
        self.queue_in(waiting, lanes);
    }

    /// Lets an item wait in these lanes, as they were found with everything up to date.
    pub(crate) fn queue_in(&mut self, waiting: WaitingItem, lanes: Lanes) {
        let sight = Sight { people: &self.people, calendars: &self.calendars, turns: &self.turns, now: self.now };
        self.queue.put(waiting, lanes, &self.ladders, &sight);
    }

    /// Finds the lanes of waiting items anew.
    pub(crate) fn queue_again(&mut self, items: Vec<ItemId>) {
        for item in items {
            if let Some(waiting) = self.queue.take(item) {
                self.queue_up(waiting);
            }
        }
    }

    /// Decides anew about everything that waits, as people, rules or hours are others now.
    pub(crate) fn queue_all_again(&mut self, waiting: Vec<WaitingItem>, out: &mut Outbox) {
        for waiting in waiting {
            if let Some(waiting) = self.decide_waiting(WaitingItem { barred: None, ..waiting }, &[], out) {
                self.queue_up(waiting);
            }
        }
    }

    /// There is news of a user, who was left out somewhere until there is.
    pub(crate) fn unbar(&mut self, user: UserId) {
        if !self.queue.is_empty() {
            let items = self.queue.unbar(user);
            self.queue_again(items);
        }
    }

    /// Takes in what a waiting item is now: it goes on waiting while it is open and nobody owns it.
    pub(crate) fn update_waiting(&mut self, state: &ItemState) {
        let Some(found) = self.queue.find(state.item) else { return };
        if state.status != ItemStatus::Open || state.owner.is_some() {
            let taken = self.queue.take_from(state.item);
            if let (Some((_, lanes)), Some(Owner::User { .. }), ItemStatus::Open) = (taken, state.owner, state.status) {
                self.queue.picked_up(&lanes, self.now);
            }
            return;
        }
        let arrival = &found.arrival;
        let known = (arrival.workspace, arrival.group, arrival.conversation, Usage::from(arrival));
        if known != (state.workspace, state.group, state.conversation, Usage::from(state))
            && let Some(mut waiting) = self.queue.take(state.item)
        {
            let arrival = &mut waiting.arrival;
            (arrival.workspace, arrival.group, arrival.conversation) = (state.workspace, state.group, state.conversation);
            (arrival.created_at, arrival.waiting_on_contact) = (state.created_at, state.waiting_on_contact);
            self.queue_up(waiting);
        }
    }

    pub(crate) fn revise(&mut self, revision: &Revision) {
        if let Some(mut waiting) = self.queue.take(revision.item) {
            waiting.arrival.version = revision.version;
            waiting.arrival.queue.priority = revision.priority;
            waiting.arrival.queue.due_at = revision.due_at;
            self.queue_up(waiting);
        }
    }

    /// Takes an owned item in. Whatever waits and counts once with it may fit elsewhere now.
    pub(crate) fn own(&mut self, item: ItemId, owned: Owned) {
        let before = self.work.find(item).map(|before| share_key(item, before.conversation));
        let key = share_key(item, owned.conversation);
        self.work.put(item, owned, &mut self.people, self.now);
        self.share_changed(item, before.filter(|before| *before != key));
        self.share_changed(item, Some(key));
    }

    /// Lets an owned item go.
    pub(crate) fn disown(&mut self, item: ItemId) {
        let before = self.work.find(item).map(|before| share_key(item, before.conversation));
        self.work.remove(item, &mut self.people);
        self.share_changed(item, before);
    }

    /// Lets go of what became too old to use capacity: news of its owner's work, and of what counts once with it.
    pub(crate) fn end_usage(&mut self) {
        for ended in self.work.end(&mut self.people, self.now) {
            self.unbar(self.people.at(ended.person).user);
            self.share_changed(ended.item, Some(ended.key));
        }
    }

    /// What an owned item counts once under is another than before.
    fn share_changed(&mut self, item: ItemId, key: Option<i64>) {
        if let Some(key) = key
            && !self.queue.is_empty()
        {
            let items = self.queue.sharing(key, item);
            self.queue_again(items);
        }
    }

    fn survey(&mut self, waiting: &WaitingItem) -> Lanes {
        let ask = Ask { no: self.no, place: 0, since: waiting.since, queued: true, waiting: true };
        let Self { plan, calendars, people, work, turns, ladders, .. } = self;
        let arrival: &Arrival = &waiting.arrival;
        let times = (self.now, ask.since);
        let pool = Pool::new((plan, calendars), (people, work, turns), arrival, times, waiting.barred);
        let mut lanes = Lanes::default();
        decide(&pool, arrival, &ask, Mode::Survey(ladders, &mut lanes));
        lanes
    }
}
