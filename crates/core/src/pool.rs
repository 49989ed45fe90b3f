//! The people as one decision sees them: at its time, without the item it is about, and without those left out.

use crate::calendar::Calendar;
use crate::ladders::Sight;
use crate::people::{People, Person, PersonIndex, Profile, TYPES};
use crate::plan::{Entry, Plan, Roster};
use crate::skills::Need;
use crate::turns::Turns;
use crate::usage::{Exemption, Usage};
use crate::work::{Share, Work, share_key};
use std::collections::BTreeMap;
use switchboard_model::{Arrival, LoadGroup, SkipReason, Timestamp, UserId, WorkType, Workspace};

/// Everything a decision reads. Nothing in here changes while it is made.
pub(crate) struct Pool<'a> {
    /// The directory made ready.
    pub plan: &'a Plan,
    /// Hours of people and channels.
    pub calendars: &'a [Calendar],
    /// Everybody.
    pub people: &'a People,
    /// The turns of every case.
    pub turns: &'a Turns,
    /// The time of the decision.
    pub now: Timestamp,
    /// What the item demands of people, if anything (ROUTING 8).
    pub need: Option<Need<'a>>,
    /// The type that the item takes capacity of.
    work: WorkType,
    /// Of whom the item uses no capacity (ROUTING 5.5).
    pub exemption: Exemption,
    /// When that changes by itself.
    pub next_exemption: Option<Timestamp>,
    /// Load that is too old by `now` and still stands in the counters.
    aged: BTreeMap<(PersonIndex, LoadGroup), u32>,
    /// What the item itself stands for in its owner's counters.
    subject: Option<Subject>,
    /// Other items that count once together with this one.
    shares: Vec<Share>,
    /// Users left out of the decision, sorted (ROUTING 2.7).
    excluded: Vec<UserId>,
    /// The user whom the database found full on this very item.
    full: Option<UserId>,
}

/// The item that is decided about, where somebody owns it already: it counts against nobody in its own decision.
struct Subject {
    person: PersonIndex,
    load: Option<LoadGroup>,
    open: u32,
    open_of_type: Option<WorkType>,
}

/// Which of the passing conditions of ROUTING 3 count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Skip who is not available (3.5).
    pub only_available: bool,
    /// Skip who is full (3.6).
    pub capacity: bool,
    /// Skip who lacks a skill (3.7).
    pub skills: bool,
}

/// Candidates under terms.
pub(crate) struct Slate<'a> {
    /// Everybody, in candidate order.
    pub entries: &'a [Entry],
    /// What the directory says of them.
    pub standing: Standing<'a>,
    /// The conditions that count.
    pub terms: Terms,
}

/// Where the reasons of ROUTING 3.1 to 3.4 come from.
pub(crate) enum Standing<'a> {
    /// Made ready for the channel's workspace.
    Ready(&'a Roster),
    /// To be found for this workspace, as the item is elsewhere than its channel leads.
    Anew(&'a Workspace),
}

impl<'a> Pool<'a> {
    /// The people as a decision about `arrival` at `now` sees them.
    pub(crate) fn new(
        (plan, calendars): (&'a Plan, &'a [Calendar]),
        (people, work, turns): (&'a People, &'a Work, &'a Turns),
        arrival: &Arrival,
        (now, since): (Timestamp, Timestamp),
        full: Option<UserId>,
    ) -> Self {
        let workspace = plan.directory.workspace(arrival.workspace);
        let need = workspace.and_then(|workspace| Need::of(workspace, &arrival.facts, now.ms_since(since)));
        let mut excluded = arrival.excluded.clone();
        excluded.sort_unstable();
        let mut aged = BTreeMap::new();
        for (_, owned) in work.ageing_until(now).filter(|(item, _)| *item != arrival.item) {
            *aged.entry((owned.person, owned.group)).or_insert(0) += 1;
        }
        let key = share_key(arrival.item, arrival.conversation);
        let shares = work.shares(key).iter().copied().filter(|share| share.item != arrival.item).collect();
        let subject = Subject::new(work, arrival);
        let work = arrival.group.work_type();
        let usage = Usage::from(arrival);
        let (exemption, next_exemption) = (usage.exemption(&plan.ages, now), usage.next_exemption(&plan.ages, now));
        Self { plan, calendars, people, turns, now, need, work, exemption, next_exemption, aged, subject, shares, excluded, full }
    }

    /// The person at a place.
    pub(crate) fn person(&self, index: PersonIndex) -> &'a Person {
        self.people.at(index)
    }

    /// Load of a person in a group (ROUTING 5.1, 5.2).
    pub(crate) fn load(&self, index: PersonIndex, group: LoadGroup) -> u32 {
        let mut load = self.person(index).loads[group as usize];
        if !self.aged.is_empty() {
            load = load.saturating_sub(self.aged.get(&(index, group)).copied().unwrap_or(0));
        }
        let own = self.subject.as_ref().is_some_and(|subject| subject.person == index && subject.load == Some(group));
        load.saturating_sub(u32::from(own))
    }

    /// Open items of a person over all types (ROUTING 5.5).
    pub(crate) fn open(&self, index: PersonIndex) -> u32 {
        let own = self.subject.as_ref().filter(|subject| subject.person == index).map_or(0, |subject| subject.open);
        self.person(index).open.saturating_sub(own)
    }

    /// The rank of a person by the idle time over the shift (ROUTING 6.5).
    pub(crate) fn idle_rank(&self, index: PersonIndex, group: LoadGroup) -> u64 {
        self.people.totals().rank(index, group, self.load(index, group) == 0, self.now)
    }

    /// What ladders follow from.
    pub(crate) const fn sight(&self) -> Sight<'a> {
        Sight { people: self.people, calendars: self.calendars, turns: self.turns, now: self.now }
    }

    /// Everybody to whom this item makes a difference: who owns it or something that counts together with it, and
    /// who is left out. Somebody may be named twice.
    pub(crate) fn concerned(&self) -> impl Iterator<Item = PersonIndex> {
        let named = self.excluded.iter().chain(&self.full).filter_map(|user| self.people.find(*user));
        named.chain(self.subject.as_ref().map(|subject| subject.person)).chain(self.shares.iter().map(|share| share.person))
    }

    /// Whether the person has the skills required at this moment.
    pub(crate) fn is_skilled(&self, index: PersonIndex) -> bool {
        self.meets(self.need, index)
    }

    /// Whether the person has the skills required when everything has relaxed that ever does.
    pub(crate) fn is_skilled_at_last(&self, index: PersonIndex) -> bool {
        self.meets(self.need.map(Need::at_last), index)
    }

    fn meets(&self, need: Option<Need<'_>>, index: PersonIndex) -> bool {
        let Some((need, profile)) = need.zip(self.person(index).profile.as_ref()) else { return true };
        need.is_met(self.plan.user(profile))
    }

    /// How far the person falls short of the preferred skills.
    pub(crate) fn shortfall(&self, index: PersonIndex) -> u32 {
        let Some((need, profile)) = self.need.zip(self.person(index).profile.as_ref()) else { return 0 };
        need.shortfall(self.plan.user(profile))
    }

    /// Why a person is skipped at this moment, apart from what the directory says (ROUTING 3.5 to 3.8).
    fn skip_now(&self, index: PersonIndex, terms: Terms) -> Option<SkipReason> {
        let person = self.person(index);
        if terms.only_available
            && let Some(cause) = person.cause(self.calendars, self.now).cause
        {
            return Some(SkipReason::Unavailable { cause });
        }
        if terms.capacity && self.has_no_room(index) {
            return Some(SkipReason::AtCapacity);
        }
        if terms.skills
            && let Some((need, profile)) = self.need.zip(person.profile.as_ref())
            && let Some(skill) = need.lacking(self.plan.user(profile), &self.plan.directory)
        {
            return Some(SkipReason::LacksSkill { skill });
        }
        self.excluded.binary_search(&person.user).is_ok().then_some(SkipReason::Excluded)
    }

    /// Whether the item would take the person over a limit (ROUTING 5.5). Where it counts once with something the
    /// person owns already, it takes nothing.
    fn is_full(&self, index: PersonIndex, person: &Person) -> bool {
        let Some(profile) = &person.profile else { return true };
        !fits(profile, self.work, self.open(index), &self.open_per_type(index), self.shared(index))
    }

    /// Whether the item would take the person over a limit, or the database found that it would.
    pub(crate) fn has_no_room(&self, index: PersonIndex) -> bool {
        let person = self.person(index);
        self.full == Some(person.user) || self.is_full(index, person)
    }

    /// Open items of a person per type (ROUTING 5.5).
    pub(crate) fn open_per_type(&self, index: PersonIndex) -> [u32; TYPES] {
        let mut per_type = self.person(index).open_per_type;
        if let Some(own) = self.subject.as_ref().filter(|own| own.person == index)
            && let Some(work) = own.open_of_type
        {
            per_type[work as usize] = per_type[work as usize].saturating_sub(1);
        }
        per_type
    }

    /// What of a person's the item counts once with, as far as that uses capacity.
    pub(crate) fn shared(&self, index: PersonIndex) -> Shared {
        let free = self.exemption.shared(self.person(index).leave_out());
        let mut shares = self.shares.iter().filter(|share| share.counts && share.person == index).peekable();
        Shared { any: free.any || shares.peek().is_some(), of_type: free.of_type || shares.any(|share| share.work == self.work) }
    }

    /// The owners of what counts once together with the item; somebody may be named twice.
    pub(crate) fn sharers(&self) -> impl Iterator<Item = PersonIndex> {
        self.shares.iter().map(|share| share.person)
    }

    /// The type that the item takes capacity of.
    pub(crate) const fn work(&self) -> WorkType {
        self.work
    }

    /// Users left out of the decision by name (ROUTING 2.7).
    pub(crate) fn excluded(&self) -> impl Iterator<Item = PersonIndex> {
        self.excluded.iter().filter_map(|user| self.people.find(*user))
    }

    /// Whether the person is left out, or was found full by the database on this item.
    pub(crate) fn is_left_out(&self, index: PersonIndex) -> bool {
        let user = self.person(index).user;
        self.full == Some(user) || self.excluded.binary_search(&user).is_ok()
    }

    /// Whether the person is left out by name (ROUTING 2.7).
    pub(crate) fn is_excluded(&self, index: PersonIndex) -> bool {
        self.excluded.binary_search(&self.person(index).user).is_ok()
    }
}

/// Whether an item counts once with something that a person owns, so that it needs no room; so does what uses no
/// capacity at all (ROUTING 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shared {
    /// With anything.
    pub any: bool,
    /// With something of its own type.
    pub of_type: bool,
}

/// Whether a person could take an item at this moment, as far as presence and room go.
pub(crate) fn could_take(person: &Person, sight: &Sight<'_>, only_available: bool, work: WorkType, shared: Shared) -> bool {
    let present = !only_available || person.cause(sight.calendars, sight.now).cause.is_none();
    let has_room = |profile| fits(profile, work, person.open, &person.open_per_type, shared);
    present && person.profile.as_ref().is_some_and(has_room)
}

/// Whether somebody who owns nothing has room for an item of a type.
pub(crate) fn has_room_at_all(profile: &Profile, work: WorkType) -> bool {
    fits(profile, work, 0, &[0; TYPES], Shared::default())
}

/// Whether one more item keeps within the limits (ROUTING 5.5), given what is open, and whether the item counts once
/// with something of that.
fn fits(profile: &Profile, work: WorkType, open: u32, per_type: &[u32; TYPES], shared: Shared) -> bool {
    let kind = work as usize;
    let in_total = shared.any || profile.limit.is_none_or(|limit| open < limit);
    let in_type = shared.of_type || profile.limit_per_type[kind].is_none_or(|limit| per_type[kind] < limit);
    let bears = |(limit, weights): (u32, [u32; TYPES])| {
        let borne: u64 = per_type.iter().zip(weights).map(|(count, weight)| u64::from(*count) * u64::from(weight)).sum();
        borne + u64::from(weights[kind]) <= u64::from(limit)
    };
    in_total && in_type && (shared.of_type || profile.weights.is_none_or(bears))
}

impl Subject {
    fn new(work: &Work, arrival: &Arrival) -> Option<Self> {
        let owned = work.find(arrival.item)?;
        let shares = work.shares(share_key(arrival.item, owned.conversation)).iter();
        let counts = shares.clone().any(|share| share.item == arrival.item && share.counts);
        let others = shares.filter(|share| share.item != arrival.item && share.person == owned.person && share.counts);
        let kind = owned.group.work_type();
        Some(Self {
            person: owned.person,
            load: owned.is_counted().then_some(owned.group),
            open: u32::from(counts && others.clone().next().is_none()),
            open_of_type: (counts && !others.clone().any(|share| share.work == kind)).then_some(kind),
        })
    }
}

impl Slate<'_> {
    /// Why the candidate at this position is skipped, for the first reason that applies (ROUTING 3).
    pub(crate) fn skip(&self, pool: &Pool<'_>, position: usize) -> Option<SkipReason> {
        let entry = &self.entries[position];
        self.skip_ever(pool, position).or_else(|| pool.skip_now(entry.person, self.terms))
    }

    /// Why the candidate at this position is skipped as long as the directory stays as it is.
    fn skip_ever(&self, pool: &Pool<'_>, position: usize) -> Option<SkipReason> {
        let entry = &self.entries[position];
        match &self.standing {
            Standing::Ready(roster) => roster.skipped[position].clone(),
            Standing::Anew(workspace) => {
                let profile = pool.person(entry.person).profile.as_ref();
                profile.map_or(Some(SkipReason::Inactive), |profile| entry.standing(pool.plan.user(profile), workspace).err())
            }
        }
    }

    /// Visits everybody whom the directory lets have the item, given the skills required at this moment or, with
    /// `at_last`, those that are required for ever; in candidate order.
    pub(crate) fn lasting(&self, pool: &Pool<'_>, at_last: bool, mut visit: impl FnMut(u32, &Entry)) {
        for (position, entry) in self.entries.iter().enumerate() {
            let skilled = if at_last { pool.is_skilled_at_last(entry.person) } else { pool.is_skilled(entry.person) };
            if skilled && self.skip_ever(pool, position).is_none() {
                visit(u32::try_from(position).expect("fewer people than fit in memory"), entry);
            }
        }
    }

    /// Visits everybody eligible, in candidate order.
    pub(crate) fn eligible(&self, pool: &Pool<'_>, mut visit: impl FnMut(usize, &Entry)) {
        match &self.standing {
            Standing::Ready(roster) => {
                for position in roster.routable.iter().map(|position| *position as usize) {
                    let entry = &self.entries[position];
                    if pool.skip_now(entry.person, self.terms).is_none() {
                        visit(position, entry);
                    }
                }
            }
            Standing::Anew(_) => {
                for (position, entry) in self.entries.iter().enumerate() {
                    if self.skip(pool, position).is_none() {
                        visit(position, entry);
                    }
                }
            }
        }
    }
}
