//! The router itself: state in, inputs through, effects out.

use crate::availability::until_changed;
use crate::calendar::Calendar;
use crate::decide::{Ask, Mode, Resolution, decide};
use crate::ladders::Ladders;
use crate::matching::Outbox;
use crate::people::{People, Person};
use crate::plan::Plan;
use crate::pool::Pool;
use crate::queue::Queue;
use crate::turns::Turns;
use crate::undone::Refused;
use crate::work::{Owned, Work};
use std::sync::Arc;
use switchboard_model::{
    Arrival, AssignedMark, ChannelId, Decision, Directory, Effect, IdleTotal, Input, ItemChange, ItemId, ItemState, ItemStatus,
    LoadGroup, Outcome, OwnedItem, Owner, Refusal, RefusalReason, RouterState, StatusChange, Timestamp, TurnState,
    UnavailableCause, UserId, WaitingItem, WorkType, mark,
};
use thiserror::Error;

/// A state that no router can start from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CoreError {
    /// The state was made under another directory version. A state that has consumed nothing fits any.
    #[error("the router's state belongs to directory version {state}, but version {directory} was given")]
    DirectoryVersion {
        /// The version that the state names.
        state: i64,
        /// The version that was given.
        directory: i64,
    },
    /// An item stands in the state twice.
    #[error("item {0} stands in the router's state twice")]
    DuplicateItem(ItemId),
}

/// Whether a person takes work (ROUTING 4.1), and how long that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Takes work.
    pub available: bool,
    /// Why not; `None` when available.
    pub cause: Option<UnavailableCause>,
    /// When the answer changes by itself; `None` when only somebody's action changes it.
    pub until: Option<Timestamp>,
}

/// The router. Everything it knows is in its [`RouterState`] and the directory.
#[derive(Clone, Debug)]
pub struct Router {
    pub(crate) no: u64,
    pub(crate) now: Timestamp,
    pub(crate) plan: Arc<Plan>,
    pub(crate) calendars: Vec<Calendar>,
    /// When the calendars are laid out anew.
    pub(crate) prepare_at: Timestamp,
    pub(crate) people: People,
    pub(crate) work: Work,
    pub(crate) turns: Turns,
    pub(crate) ladders: Ladders,
    pub(crate) queue: Queue,
    pub(crate) refused: Refused,
}

impl Router {
    /// A router that goes on from `state` under `directory`.
    ///
    /// # Errors
    /// When state and directory do not belong together or the state contradicts itself.
    pub fn new(directory: Arc<Directory>, state: RouterState) -> Result<Self, CoreError> {
        if state.no > 0 && state.directory_version != directory.version {
            return Err(CoreError::DirectoryVersion { state: state.directory_version, directory: directory.version });
        }
        let (mut people, mut work) = (People::default(), Work::default());
        let (plan, calendars) = Plan::new(&directory, &mut people);
        for item in &state.owned {
            if work.find(item.item).is_some() {
                return Err(CoreError::DuplicateItem(item.item));
            }
            let owned = Owned::new(item.conversation, people.place(item.user), item.group, item.owned_since, item.into());
            work.put(item.item, owned, &mut people, state.now);
        }
        for mark in &state.marks {
            let index = people.place(mark.user);
            people.at_mut(index).marks[mark.group as usize] = Some(mark.no);
        }
        for status in state.statuses {
            let index = people.place(status.user);
            people.at_mut(index).status = Some(status);
        }
        let (no, now, turns, refused) = (state.no, state.now, Turns::new(&state.turns), Refused::new(&state.undone));
        let mut router = Self {
            no,
            now,
            plan: Arc::new(plan),
            calendars,
            prepare_at: now,
            people,
            work,
            turns,
            ladders: Ladders::default(),
            queue: Queue::new(directory.queue_order),
            refused,
        };
        router.settle();
        router.people.totals_mut().keep(router.plan.goes_by_idle_total);
        for idle in &state.idle {
            let index = router.people.place(idle.user);
            router.people.totals_mut().restore(index, idle.group, idle.total_ms);
        }
        router.people.account_all(&router.calendars, now);
        for waiting in state.waiting {
            let item = waiting.arrival.item;
            if router.work.find(item).is_some() || router.queue.find(item).is_some() {
                return Err(CoreError::DuplicateItem(item));
            }
            router.queue_up(waiting);
        }
        Ok(router)
    }

    /// What the router remembers, sorted, so that equal routers have equal states.
    #[must_use]
    pub fn state(&self) -> RouterState {
        let owned = self.work.items().map(|(item, owned)| OwnedItem {
            item,
            conversation: owned.conversation,
            user: self.people.at(owned.person).user,
            group: owned.group,
            owned_since: owned.since,
            created_at: owned.usage.created_at,
            waiting_on_contact: owned.usage.waiting_on_contact,
        });
        let marks = self.people.by_user().flat_map(|person| {
            let marked = LoadGroup::ALL.iter().filter_map(|group| Some((*group, person.marks[*group as usize]?)));
            marked.map(|(group, no)| AssignedMark { user: person.user, group, no })
        });
        let totals = |person: &Person| {
            let index = self.people.find(person.user)?;
            let total = |group: LoadGroup| IdleTotal {
                user: person.user,
                group,
                total_ms: self.people.totals().total_ms(index, group, self.now),
            };
            Some(LoadGroup::ALL.iter().map(|group| total(*group)).filter(|idle| idle.total_ms > 0).collect::<Vec<_>>())
        };
        RouterState {
            no: self.no,
            now: self.now,
            directory_version: self.plan.directory.version,
            owned: owned.collect(),
            statuses: self.people.by_user().filter_map(|person| person.status.clone()).collect(),
            marks: marks.collect(),
            turns: self.turns.states(),
            undone: self.refused.undone(),
            idle: self.people.by_user().filter_map(totals).flatten().collect(),
            waiting: self.queue.items().cloned().collect(),
        }
    }

    /// Consumes one input: the only mutation. `no` is the number after [`Router::no`]; a `now` that goes back
    /// counts as the last one. An input that makes no sense gives [`Effect::Reject`] and changes nothing but
    /// number and time; a wrong number changes nothing at all.
    pub fn step(&mut self, no: u64, now: Timestamp, input: &Input) -> Vec<Effect> {
        let mut out = Outbox::default();
        self.run(no, now, input, &mut out);
        out.effects
    }

    pub(crate) fn run(&mut self, no: u64, now: Timestamp, input: &Input, out: &mut Outbox) {
        if self.no.checked_add(1) != Some(no) {
            out.effects.extend(reject(format!("input {no} does not follow input {}", self.no)));
            return;
        }
        self.no = no;
        self.advance(now.max(self.now));
        self.match_waiting(None, out);
        match input {
            Input::Tick => {}
            Input::Directory { version, directory } => self.adopt(*version, directory.as_ref(), out),
            Input::Status(change) => out.effects.extend(self.change_status(change)),
            Input::Changed(change) => self.change_item(change, out),
            Input::Revised(revision) => self.revise(revision),
            Input::Arrived(arrival) => {
                let owner = self.work.find(arrival.item).map(|owned| self.people.at(owned.person).user);
                let ask = self.ask((no, out.place), self.now, arrival, None);
                self.route(arrival, &ask, None, out);
                if let Some(owner) = owner {
                    self.unbar(owner);
                }
            }
            Input::Refused(refusal) => match self.undo(refusal) {
                Err(reason) => out.effects.extend(reject(reason)),
                Ok(()) => {
                    if let Some(retry) = &refusal.retry {
                        let ask = self.ask((no, out.place), self.now, retry, Some(refusal));
                        self.match_waiting(Some(self.queue.place(retry, ask.since)), out);
                        self.route(retry, &Ask { place: out.place, ..ask }, full(refusal), out);
                    }
                }
            },
        }
        self.match_waiting(None, out);
        self.people.account(&self.calendars, self.now);
    }

    /// The occasion of a decision about an item. One that waits, or waited until a decision that was refused, keeps
    /// its place.
    pub(crate) fn ask(&self, (no, place): (u64, u32), now: Timestamp, arrival: &Arrival, refusal: Option<&Refusal>) -> Ask {
        let refused = refusal.and_then(|refusal| refusal.decision.queued_since);
        let waited = refusal.is_some_and(|refusal| refusal.decision.outcome != Outcome::Queued);
        let known = self.queue.find(arrival.item).map(|waiting| waiting.since);
        let since = known.or(refused).or(arrival.queue.since).map_or(now, |since| since.min(now));
        let queued = known.is_some() || refused.is_some() || arrival.queue.since.is_some();
        Ask { no, place, since, queued, waiting: waited && refused.is_some() }
    }

    /// Whom the database found full on an item that waits.
    pub(crate) fn barred(&self, item: ItemId) -> Option<UserId> {
        self.queue.find(item).and_then(|waiting| waiting.barred)
    }

    /// The directory in force.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.plan.directory
    }

    /// Consumption number of the last input.
    #[must_use]
    pub const fn no(&self) -> u64 {
        self.no
    }

    /// Time of the last input.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Mark of the user's last assignment in a group (ROUTING 5.4).
    #[must_use]
    pub fn mark(&self, user: UserId, group: LoadGroup) -> Option<u64> {
        self.people.find(user).and_then(|index| self.people.at(index).marks[group as usize])
    }

    /// The turns of one case of a channel's rule (ROUTING 6.2); `None` before the first.
    #[must_use]
    pub fn turn(&self, channel: ChannelId, case: u32) -> Option<TurnState> {
        self.turns.states().into_iter().find(|turn| (turn.channel, turn.case) == (channel, case))
    }

    /// Whether the user takes work at `now`, which counts as the last input's time where it lies before that.
    /// Somebody unknown is away.
    #[must_use]
    pub fn availability(&self, user: UserId, now: Timestamp) -> Availability {
        let now = now.max(self.now);
        let profile = |person: &Person| person.profile.clone().map(|profile| (person.hold(), profile));
        let Some((hold, profile)) = self.person(user).and_then(profile) else {
            return Availability { available: false, cause: Some(UnavailableCause::Away), until: None };
        };
        let cause = self.person(user).and_then(|person| person.cause(&self.calendars, now).cause);
        let until = until_changed(hold, &self.calendars[profile.calendar], &profile.absences, now);
        Availability { available: cause.is_none(), cause, until }
    }

    /// Load of the user in a group at `now` (ROUTING 5.1, 5.2), which counts as the last input's time where it lies
    /// before that.
    #[must_use]
    pub fn load(&self, user: UserId, group: LoadGroup, now: Timestamp) -> u32 {
        let Some(index) = self.people.find(user) else { return 0 };
        let aged = self.work.ageing_until(now).filter(|(_, owned)| owned.person == index && owned.group == group).count();
        self.people.at(index).loads[group as usize].saturating_sub(u32::try_from(aged).unwrap_or(u32::MAX))
    }

    /// Open items that the user owns and that use capacity, a conversation and its ticket counted once (ROUTING 5.5).
    #[must_use]
    pub fn open(&self, user: UserId) -> u32 {
        self.person(user).map_or(0, |person| person.open)
    }

    /// The same of one type.
    #[must_use]
    pub fn open_of_type(&self, user: UserId, work: WorkType) -> u32 {
        self.person(user).map_or(0, |person| person.open_per_type[work as usize])
    }

    fn person(&self, user: UserId) -> Option<&Person> {
        self.people.find(user).map(|index| self.people.at(index))
    }

    pub(crate) fn adopt(&mut self, version: i64, directory: Option<&Arc<Directory>>, out: &mut Outbox) {
        let current = self.plan.directory.version;
        let directory = match directory {
            None => Err(format!("directory version {version} came without its content")),
            Some(directory) if directory.version != version => {
                Err(format!("directory version {version} came with the content of version {}", directory.version))
            }
            Some(_) if version < current => {
                Err(format!("directory version {version} is older than version {current}, which is in force"))
            }
            Some(directory) => Ok(directory),
        };
        let directory = match directory {
            Ok(directory) => directory,
            Err(reason) => return out.effects.extend(reject(reason)),
        };
        let (plan, calendars) = Plan::new(directory, &mut self.people);
        self.plan = Arc::new(plan);
        self.calendars = calendars;
        self.ladders.clear();
        let waiting = self.queue.drain(directory.queue_order, self.now);
        self.settle();
        self.work.recount(&mut self.people, self.now);
        self.people.totals_mut().keep(self.plan.goes_by_idle_total);
        self.people.account_all(&self.calendars, self.now);
        self.queue_all_again(waiting, out);
    }

    fn change_status(&mut self, change: &StatusChange) -> Vec<Effect> {
        let known = self.person(change.user).and_then(|person| person.status.as_ref()).map(|status| status.version);
        if let Some(known) = known.filter(|known| change.version < *known) {
            return reject(format!("status {} of user {} is older than status {known}", change.version, change.user));
        }
        self.people.set_status(change.user, Some(change.clone()), &self.calendars, self.now);
        self.unbar(change.user);
        Vec::new()
    }

    fn change_item(&mut self, change: &ItemChange, out: &mut Outbox) {
        let before = self.work.find(change.state.item).map(|owned| self.people.at(owned.person).user);
        self.put_state(&change.state);
        if change.assigned
            && let Some(Owner::User { id }) = change.state.owner
        {
            let index = self.people.place(id);
            self.people.at_mut(index).marks[change.state.group as usize] = Some(mark(self.no, out.place));
            out.place = out.place.saturating_add(1);
        }
        let after = if let Some(Owner::User { id }) = change.state.owner { Some(id) } else { None };
        for user in before.into_iter().chain(after) {
            self.unbar(user);
        }
    }

    /// Takes in what an item is now: kept while it is open and a person owns it (ROUTING 5.3).
    fn put_state(&mut self, state: &ItemState) {
        match state.owner {
            Some(Owner::User { id }) if state.status == ItemStatus::Open => {
                let since = state.owned_since.unwrap_or(self.now);
                let owned = Owned::new(state.conversation, self.people.place(id), state.group, since, state.into());
                self.own(state.item, owned);
            }
            _ => self.disown(state.item),
        }
        self.update_waiting(state);
    }

    fn route(&mut self, arrival: &Arrival, ask: &Ask, full: Option<UserId>, out: &mut Outbox) {
        let full = full.or(self.barred(arrival.item));
        self.queue.take(arrival.item);
        self.refresh();
        let Self { plan, calendars, people, work, turns, ladders, .. } = self;
        let pool = Pool::new((plan, calendars), (people, work, turns), arrival, (self.now, ask.since), full);
        let Resolution { decision, notify, lanes, .. } = decide(&pool, arrival, ask, Mode::Decide(ladders));
        self.apply(&decision, arrival);
        if decision.outcome == Outcome::Queued {
            self.queue_in(WaitingItem { arrival: arrival.clone(), since: ask.since, barred: full }, lanes);
        }
        let told = notify.map(|user| Effect::NotifyOwner { item: decision.item, user });
        out.decided(decision);
        out.effects.extend(told);
    }

    /// Assumes that the decision holds, until a refusal says otherwise. An assignment begins an ownership now; an
    /// owner who keeps the item continues the one there was.
    pub(crate) fn apply(&mut self, decision: &Decision, arrival: &Arrival) {
        match decision.outcome {
            Outcome::Assigned { user, .. } => {
                let index = self.people.place(user);
                let owned = Owned::new(arrival.conversation, index, arrival.group, self.now, arrival.into());
                self.own(arrival.item, owned);
                self.people.at_mut(index).marks[arrival.group as usize] = Some(decision.mark());
                if let (Some(rule), Some(turn)) = (decision.rule, decision.turn) {
                    self.turns.take(rule.channel, rule.case, user, turn);
                }
            }
            Outcome::Kept { user } => {
                let index = self.people.place(user);
                let current = self.work.find(arrival.item).filter(|owned| owned.person == index).map(|owned| owned.since);
                let since = current.or(arrival.owned_since).unwrap_or(self.now);
                let owned = Owned::new(arrival.conversation, index, arrival.group, since, arrival.into());
                self.own(arrival.item, owned);
            }
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => self.disown(arrival.item),
        }
    }

    /// Takes a refused decision back: the item as it really is, and the mark and turn that the decision set where
    /// nothing replaced them since; what replaced them goes back beyond them if it is refused as well. A status that turned out to be outdated is forgotten until the new one comes
    /// in, for unknown is unavailable (ROUTING 4.1).
    pub(crate) fn undo(&mut self, refusal: &Refusal) -> Result<(), String> {
        let decision = &refusal.decision;
        for (what, item) in [("state", Some(refusal.state.item)), ("retry", refusal.retry.as_ref().map(|retry| retry.item))] {
            if let Some(item) = item.filter(|item| *item != decision.item) {
                return Err(format!("the {what} of a refused decision about item {} is that of item {item}", decision.item));
            }
        }
        self.put_state(&refusal.state);
        let (Outcome::Assigned { user, .. } | Outcome::Kept { user }) = decision.outcome else { return Ok(()) };
        let Some(index) = self.people.find(user) else { return Ok(()) };
        let person = self.people.at_mut(index);
        let mark = &mut person.marks[decision.group as usize];
        if matches!(decision.outcome, Outcome::Assigned { .. }) {
            let before = self.refused.mark(decision, user, *mark);
            *mark = if *mark == Some(decision.mark()) { before } else { *mark };
        }
        let version = person.status.as_ref().map(|status| status.version);
        if refusal.reason == RefusalReason::StatusChanged && version.is_some() && version == decision.availability_version {
            self.people.set_status(user, None, &self.calendars, self.now);
        }
        if let (Some(rule), Some(turn)) = (decision.rule, decision.turn) {
            let (channel, case) = (rule.channel, rule.case);
            let current = self.turns.of(channel, case).last(user);
            let before = self.refused.turn((channel, case, user), current, turn, decision.turn_before);
            self.turns.give_back(channel, case, user, turn, before);
        }
        Ok(())
    }
}

/// Whom the database found full: left out of the retry, as it knows of work that has not come in here yet.
pub(crate) fn full(refusal: &Refusal) -> Option<UserId> {
    match refusal.decision.outcome {
        Outcome::Assigned { user, .. } if refusal.reason == RefusalReason::AtCapacity => Some(user),
        _ => None,
    }
}

fn reject(reason: String) -> Vec<Effect> {
    vec![Effect::Reject { reason }]
}
