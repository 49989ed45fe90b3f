//! One run: the router as it is in production, fed with events in simulated time.
//!
//! Service begins when an item is assigned and ends when its own time is over; a person works on everything that the
//! directory's limits let through at once, each item taking its own time. What happens at one instant happens in this
//! order: what the router waits for itself, ends of services and offers, patience, statuses, arrivals.

use crate::load::{Job, Load, StatusEvent};
use crate::outcome::{Fate, Outcome, PersonLog, Visit};
use crate::place::{item_kind, place_of};
use crate::random::Stream;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use switchboard_core::{CoreError, Router};
use switchboard_model::{
    Arrival, ContactId, Decision, Directory, Effect, Input, ItemChange, ItemId, ItemState, ItemStatus, LoadGroup, ManualStatus,
    Outcome as Decided, Owner, QueueFacts, RouteEvent, RouterState, StatusChange, StatusOrigin, StatusValue, Timestamp, UserId,
    WorkspaceId,
};
use thiserror::Error;

/// Items are numbered from here on, in the order of their arrival.
const FIRST_ITEM: i64 = 1;

/// How a run differs from the ordinary.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long after the last arrival a run goes on at most, while something waits.
    pub drain_ms: i64,
    /// How much longer than ordinary each person takes; whoever is left out takes 1.
    pub pace: BTreeMap<UserId, f64>,
    /// What the router takes for the beginning of idleness.
    pub idle_since: IdleSince,
    /// Whose time a service takes.
    pub service_times: ServiceTimes,
    /// A missed offer leaves its person out when the item is routed again (ROUTING 2.7).
    pub exclude_who_missed: bool,
}

/// What the router takes for the beginning of idleness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdleSince {
    /// The last assignment, as in production (ROUTING 6.5).
    #[default]
    Assigned,
    /// The end of the last service: the item is assigned once more by hand in the instant before it is closed, which
    /// counts for the order (ROUTING 5.4). Queueing theory means this by the longest idle.
    Freed,
}

/// Whose time a service takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceTimes {
    /// The item's own.
    #[default]
    OfItem,
    /// That of the n-th item to arrive, for the n-th service to begin: then the number of people at work at any time
    /// does not depend on the order of the queue.
    InOrderOfStart,
}

/// Somebody who watches a run.
pub trait Observer {
    /// The router as it has been since the last step, before it is told what happens `now`.
    fn before(&mut self, _now: Timestamp, _router: &Router) {}
    /// A person begins to work, having had nothing.
    fn busy(&mut self, _now: Timestamp, _user: UserId) {}
    /// A person has nothing left to do. `open` items are being worked on elsewhere or wait.
    fn idle(&mut self, _now: Timestamp, _user: UserId, _open: usize) {}
}

impl Observer for () {}

/// A run that came to no end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SimulationError {
    /// The router cannot start.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The router refused an input of the simulator.
    #[error("the router rejected an input at {at_ms} ms: {reason}")]
    Rejected {
        /// When, in milliseconds since 1970.
        at_ms: i64,
        /// What it said.
        reason: String,
    },
    /// The router wants to be woken at a time that has passed, again and again.
    #[error("the router asks at {at_ms} ms to be woken at {wake_ms} ms, which has passed")]
    Stuck {
        /// When, in milliseconds since 1970.
        at_ms: i64,
        /// For when.
        wake_ms: i64,
    },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            drain_ms: 7 * 86_400_000,
            pace: BTreeMap::new(),
            idle_since: IdleSince::Assigned,
            service_times: ServiceTimes::OfItem,
            exclude_who_missed: true,
        }
    }
}

/// Runs a load through a router under a directory, from the first arrival until the last has found its end.
///
/// # Errors
/// When the router cannot start or contradicts itself, which is a fault of the router.
pub fn simulate(
    directory: &Arc<Directory>,
    load: &Load,
    settings: &Settings,
    observer: &mut impl Observer,
) -> Result<Outcome, SimulationError> {
    let start = load.jobs.first().map_or(Timestamp(0), |job| job.at);
    let state = RouterState { now: start, directory_version: directory.version, ..RouterState::default() };
    let mut run = Run {
        router: Router::new(Arc::clone(directory), state)?,
        directory,
        load,
        settings,
        observer,
        now: start,
        events: BinaryHeap::new(),
        sequence: 0,
        items: vec![Item::default(); load.jobs.len()],
        unsettled: 0,
        owned: 0,
        begun: 0,
        people: BTreeMap::new(),
        last_owners: BTreeMap::new(),
        status_version: 0,
    };
    for user in directory.users.iter().filter(|user| user.is_active()) {
        run.set_status(user.id, StatusValue::Available, StatusOrigin::Initial)?;
    }
    run.go()?;
    Ok(run.outcome())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ended(usize),
    Missed(usize),
    OutOfPatience(usize),
}

#[derive(Clone, Debug)]
struct Item {
    stage: Stage,
    owner: Option<UserId>,
    group: LoadGroup,
    workspace: WorkspaceId,
    since: Timestamp,
    owned_since: Option<Timestamp>,
    version: i64,
    offers: u32,
    wait_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Coming,
    Waiting,
    Offered,
    Working,
    Over(Fate),
}

impl Default for Item {
    fn default() -> Self {
        Self {
            stage: Stage::Coming,
            owner: None,
            group: LoadGroup::InboxChat,
            workspace: WorkspaceId(0),
            since: Timestamp(0),
            owned_since: None,
            version: 0,
            offers: 0,
            wait_ms: 0,
        }
    }
}

struct Run<'a, O> {
    router: Router,
    directory: &'a Directory,
    load: &'a Load,
    settings: &'a Settings,
    observer: &'a mut O,
    now: Timestamp,
    events: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    sequence: u64,
    items: Vec<Item>,
    /// Items that have arrived and are neither served nor gone.
    unsettled: usize,
    /// Items that somebody owns.
    owned: usize,
    /// Services begun.
    begun: usize,
    people: BTreeMap<UserId, PersonLog>,
    /// Who owned a contact's last item, and when last.
    last_owners: BTreeMap<ContactId, (UserId, Timestamp)>,
    status_version: i64,
}

/// What comes next.
enum Next {
    Wake,
    Event(Event),
    Status(StatusEvent),
    Arrival(usize),
}

impl<O: Observer> Run<'_, O> {
    fn go(&mut self) -> Result<(), SimulationError> {
        let (mut arrived, mut statuses) = (0, 0);
        let last = self.load.jobs.last().map_or(self.now, |job| job.at);
        let until = last.plus_ms(self.settings.drain_ms);
        while arrived < self.items.len() || self.unsettled > 0 {
            let Some((at, next)) = self.next(arrived, statuses)? else { break };
            if at > until {
                break;
            }
            self.observer.before(at, &self.router);
            self.now = at;
            match next {
                Next::Wake => self.step(&Input::Tick)?,
                Next::Event(event) => {
                    self.events.pop();
                    self.happen(event)?;
                }
                Next::Status(status) => {
                    statuses += 1;
                    self.set_status(status.user, status.value, StatusOrigin::ByHand)?;
                }
                Next::Arrival(job) => {
                    arrived += 1;
                    self.arrive(job)?;
                }
            }
        }
        self.now = if self.unsettled > 0 { until } else { self.now };
        Ok(())
    }

    /// The next thing that happens, and when: the earliest, in this order at one instant.
    fn next(&self, arrived: usize, statuses: usize) -> Result<Option<(Timestamp, Next)>, SimulationError> {
        let wake = self.router.next_wake();
        if let Some(wake) = wake.filter(|wake| *wake <= self.router.now()) {
            return Err(SimulationError::Stuck { at_ms: self.router.now().0, wake_ms: wake.0 });
        }
        let event = self.events.peek().map(|Reverse((at, _, event))| (*at, Next::Event(*event)));
        let status = self.load.statuses.get(statuses).map(|status| (status.at.max(self.now), Next::Status(*status)));
        let arrival = self.load.jobs.get(arrived).map(|job| (job.at.max(self.now), Next::Arrival(arrived)));
        let all = [wake.map(|wake| (wake, Next::Wake)), event, status, arrival];
        Ok(all.into_iter().flatten().reduce(|first, other| if other.0 < first.0 { other } else { first }))
    }

    fn happen(&mut self, event: Event) -> Result<(), SimulationError> {
        match event {
            Event::Ended(job) => self.end(job),
            Event::Missed(job) => self.hand_back(job),
            Event::OutOfPatience(job) if self.items[job].stage == Stage::Waiting => self.abandon(job),
            Event::OutOfPatience(_) => Ok(()),
        }
    }

    fn arrive(&mut self, job: usize) -> Result<(), SimulationError> {
        let coming = &self.load.jobs[job];
        let item = &mut self.items[job];
        if let Some(channel) = self.directory.channel(coming.channel) {
            (item.workspace, item.group) = place_of(self.directory, channel);
        }
        (item.stage, item.since) = (Stage::Waiting, self.now);
        self.unsettled += 1;
        if let Some(patience_ms) = coming.patience_ms {
            self.plan(self.now.plus_ms(patience_ms), Event::OutOfPatience(job));
        }
        let arrival = Arrival { event: coming.event, previous_owner: coming.previous_owner, ..self.arrival(job, coming) };
        self.step(&Input::Arrived(arrival))
    }

    fn arrival(&self, job: usize, coming: &Job) -> Arrival {
        let item = &self.items[job];
        let mut contact = coming.contact.clone();
        if let Some((user, at)) = self.last_owners.get(&contact.id) {
            (contact.last_owner, contact.last_owned_at) = (Some(*user), Some(*at));
        }
        Arrival {
            item: item_id(job),
            version: item.version,
            event: RouteEvent::Arrived,
            item_kind: item_kind(item.group),
            conversation: None,
            workspace: item.workspace,
            channel: coming.channel,
            group: item.group,
            contact,
            facts: coming.facts.clone(),
            previous_owner: item.owner.map(|id| Owner::User { id }),
            owned_since: item.owned_since,
            excluded: Vec::new(),
            seed: coming.seed,
            created_at: Some(item.since),
            waiting_on_contact: false,
            queue: QueueFacts { priority: coming.priority, due_at: coming.due_at, since: None },
        }
    }

    /// An offer was missed: the item goes back to its place in the queue, unless the contact has left.
    fn hand_back(&mut self, job: usize) -> Result<(), SimulationError> {
        let coming = &self.load.jobs[job];
        let owner = self.items[job].owner;
        if coming.patience_ms.is_some_and(|patience_ms| self.items[job].since.plus_ms(patience_ms) <= self.now) {
            self.items[job].stage = Stage::Waiting;
            self.free(job);
            return self.abandon(job);
        }
        self.items[job].version += 1;
        let excluded = owner.into_iter().filter(|_| self.settings.exclude_who_missed).collect();
        let mut arrival = Arrival { event: RouteEvent::Returned, excluded, ..self.arrival(job, coming) };
        arrival.queue.since = Some(self.items[job].since);
        self.items[job].stage = Stage::Waiting;
        self.free(job);
        self.step(&Input::Arrived(arrival))
    }

    fn end(&mut self, job: usize) -> Result<(), SimulationError> {
        if self.settings.idle_since == IdleSince::Freed {
            let state = self.state(job, ItemStatus::Open);
            self.step(&Input::Changed(ItemChange { state, assigned: true }))?;
        }
        let state = self.state(job, ItemStatus::Closed);
        if let Some(user) = self.free(job) {
            self.items[job].stage = Stage::Over(Fate::Served { user });
            let contact = self.load.jobs[job].contact.id;
            if contact != ContactId(0) {
                self.last_owners.insert(contact, (user, self.now));
            }
        }
        self.step(&Input::Changed(ItemChange { state, assigned: false }))
    }

    fn abandon(&mut self, job: usize) -> Result<(), SimulationError> {
        self.settle(job, Fate::Abandoned);
        let state = self.state(job, ItemStatus::Closed);
        self.step(&Input::Changed(ItemChange { state, assigned: false }))
    }

    fn state(&self, job: usize, status: ItemStatus) -> ItemState {
        let item = &self.items[job];
        ItemState {
            item: item_id(job),
            item_kind: item_kind(item.group),
            conversation: None,
            workspace: item.workspace,
            group: item.group,
            status,
            owner: item.owner.map(|id| Owner::User { id }),
            owned_since: item.owned_since,
            created_at: Some(item.since),
            waiting_on_contact: false,
        }
    }

    fn set_status(&mut self, user: UserId, value: StatusValue, origin: StatusOrigin) -> Result<(), SimulationError> {
        self.status_version += 1;
        let status = ManualStatus { value, reason: None, set_at: self.now, origin };
        self.step(&Input::Status(StatusChange { user, status, version: self.status_version }))
    }

    fn step(&mut self, input: &Input) -> Result<(), SimulationError> {
        for effect in self.router.step(self.router.no() + 1, self.now, input) {
            match effect {
                Effect::Decide(decision) => self.decided(&decision),
                Effect::Reject { reason } => return Err(SimulationError::Rejected { at_ms: self.now.0, reason }),
                _ => {}
            }
        }
        Ok(())
    }

    fn decided(&mut self, decision: &Decision) {
        let Some(job) = job_of(decision.item).filter(|job| *job < self.items.len()) else { return };
        match decision.outcome {
            Decided::Assigned { user, .. } | Decided::Kept { user } => self.offer(job, user),
            Decided::TeamSet { team } => self.settle(job, Fate::TeamSet { team }),
            Decided::Unassigned { reason } => self.settle(job, Fate::Unassigned { reason }),
            _ => self.items[job].stage = Stage::Waiting,
        }
    }

    /// Somebody got the item, and notices or does not.
    fn offer(&mut self, job: usize, user: UserId) {
        let coming = &self.load.jobs[job];
        let item = &mut self.items[job];
        item.owner = Some(user);
        item.owned_since = Some(self.now);
        item.version += 1;
        item.offers += 1;
        self.people.entry(user).or_default().begin(self.now);
        self.owned += 1;
        if self.people[&user].open() == 1 {
            self.observer.busy(self.now, user);
        }
        if let Some(missed) = self.load.missed.get(&coming.channel) {
            let mut stream = Stream::new(coming.seed, &[u64::from(self.items[job].offers)]);
            if stream.share() < missed.probability {
                let blocked_ms = missed.blocks.draw_ms(&mut stream);
                self.items[job].stage = Stage::Offered;
                return self.plan(self.now.plus_ms(blocked_ms), Event::Missed(job));
            }
        }
        self.work(job, user);
    }

    fn work(&mut self, job: usize, user: UserId) {
        let item = &mut self.items[job];
        (item.stage, item.wait_ms) = (Stage::Working, self.now.ms_since(item.since));
        self.unsettled -= 1;
        let timed = match self.settings.service_times {
            ServiceTimes::OfItem => job,
            ServiceTimes::InOrderOfStart => self.begun,
        };
        self.begun += 1;
        let service_ms = self.load.jobs[timed].service_ms;
        let pace = self.settings.pace.get(&user).copied();
        let service_ms = pace.map_or(service_ms, |pace| (service_ms as f64 * pace).round() as i64);
        if let Some(person) = self.people.get_mut(&user) {
            person.assigned += 1;
        }
        self.plan(self.now.plus_ms(service_ms), Event::Ended(job));
    }

    /// Takes the item from its owner, if it has one.
    fn free(&mut self, job: usize) -> Option<UserId> {
        let item = &mut self.items[job];
        let user = item.owner.take()?;
        item.owned_since = None;
        let person = self.people.entry(user).or_default();
        person.end(self.now);
        self.owned -= 1;
        if person.open() == 0 {
            self.observer.idle(self.now, user, self.owned + self.unsettled);
        }
        Some(user)
    }

    fn settle(&mut self, job: usize, fate: Fate) {
        let item = &mut self.items[job];
        item.wait_ms = self.now.ms_since(item.since);
        item.stage = Stage::Over(fate);
        self.unsettled -= 1;
    }

    fn plan(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((at, self.sequence, event)));
    }

    fn outcome(mut self) -> Outcome {
        let end = self.now;
        // What people have begun they end, though nobody watches any more.
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if let Event::Ended(job) | Event::Missed(job) = event
                && let Some(person) = self.items[job].owner.and_then(|owner| self.people.get_mut(&owner))
            {
                person.end(at);
            }
        }
        let visits = self.items.iter().map(|item| {
            let (fate, wait_ms) = match item.stage {
                Stage::Over(fate) => (fate, item.wait_ms),
                Stage::Working => (item.owner.map_or(Fate::StillWaiting, |user| Fate::Served { user }), item.wait_ms),
                Stage::Coming | Stage::Waiting | Stage::Offered => (Fate::StillWaiting, end.ms_since(item.since)),
            };
            Visit { fate, wait_ms, offers: item.offers }
        });
        let visits = visits.collect();
        Outcome { visits, people: self.people, end }
    }
}

fn item_id(job: usize) -> ItemId {
    ItemId(i64::try_from(job).unwrap_or(i64::MAX - FIRST_ITEM) + FIRST_ITEM)
}

fn job_of(item: ItemId) -> Option<usize> {
    usize::try_from(item.0 - FIRST_ITEM).ok()
}
