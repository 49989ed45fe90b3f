//! One circumstance after another is changed in a copy of the router, until somebody is eligible there or nothing more
//! can be done.

use super::{Look, Question, verdict};
use crate::ladders::Ladders;
use crate::matching::Outbox;
use crate::people::PersonIndex;
use crate::queue::Queue;
use crate::router::Router;
use crate::skills::wanted_name;
use crate::undone::Refused;
use crate::work::{Work, share_key};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_model::{
    Change, Directory, ItemId, ManualStatus, Remedy, Seat, SkipReason, Spoken, StatusChange, StatusOrigin, StatusValue,
    Timestamp, UserId, UserSkill, Wanted, WorkspaceAccess, WorkspaceKind,
};

/// The most changes that one person may need and still be named.
const MAX_CHANGES: usize = 6;
/// How often a person's work may age before the search gives up.
const MAX_AGEINGS: usize = 64;

/// What is done about one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Time passes until the person is available.
    Time,
    /// The person sets available.
    Hand,
    /// Items of the person are closed.
    Close,
    /// Time passes until items of the person are too old to count.
    Age,
    /// The person learns what is lacking.
    Learn,
    /// An admin lifts what the directory says.
    Admin,
    /// The item waits until then, by when that has changed.
    Wait(Timestamp, Change),
}

/// A copy of the router in which circumstances change, and one item.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub router: Router,
    pub question: Question,
    pub at: Option<Timestamp>,
    pub changes: Vec<Change>,
}

impl Router {
    /// A copy without the queue, for decisions about one item, with this work.
    fn sketch(&self, work: Work) -> Self {
        Self {
            no: self.no,
            now: self.now,
            plan: Arc::clone(&self.plan),
            calendars: self.calendars.clone(),
            prepare_at: self.prepare_at,
            people: self.people.clone(),
            work,
            turns: self.turns.clone(),
            ladders: Ladders::default(),
            queue: Queue::default(),
            refused: Refused::default(),
        }
    }
}

impl Trial {
    /// The present.
    pub(super) fn new(router: &Router, question: Question, now: Timestamp) -> Self {
        let mut router = router.sketch(router.work.clone());
        router.advance(now);
        Self { router, question, at: None, changes: Vec::new() }
    }

    /// The same for questions about one person, without the work of others: their counters stay as they are.
    pub(super) fn about(&self, user: UserId) -> Self {
        let (person, arrival) = (self.person(user), &self.question.arrival);
        let key = share_key(arrival.item, arrival.conversation);
        let work = self.router.work.only(|item, owned| {
            Some(owned.person) == person || item == arrival.item || share_key(item, owned.conversation) == key
        });
        let question = self.question.clone();
        Self { router: self.router.sketch(work), question, at: self.at, changes: self.changes.clone() }
    }

    /// The decision under what has changed so far.
    pub(super) fn look(&self) -> Look {
        self.router.look(&self.question, self.router.now)
    }

    /// Goes one way about a person, then about whatever else stands against the person, until nothing does.
    pub(super) fn run(mut self, user: UserId, way: Way) -> Option<Remedy> {
        let mut way = Some(way);
        let mut before = None;
        while self.changes.len() < MAX_CHANGES {
            self.go(user, way.take()?)?;
            let reason = match verdict(&self.look().stages, user)? {
                Ok(()) => return Some(Remedy { user, at: self.at, changes: self.changes }),
                Err(reason) => reason,
            };
            way = Some(self.way(&reason)?).filter(|_| before.as_ref() != Some(&reason));
            before = Some(reason);
        }
        None
    }

    /// What is done about a reason; where time passes anyway, it goes on passing.
    fn way(&self, reason: &SkipReason) -> Option<Way> {
        match reason {
            SkipReason::Unavailable { .. } => Some(if self.at.is_some() { Way::Time } else { Way::Hand }),
            SkipReason::AtCapacity => Some(Way::Close),
            SkipReason::LacksSkill { .. } => Some(Way::Learn),
            SkipReason::Inactive | SkipReason::NoSeat | SkipReason::NoAccess | SkipReason::NotMainMember => Some(Way::Admin),
            SkipReason::OnCall | SkipReason::Excluded => None,
        }
    }

    fn go(&mut self, user: UserId, way: Way) -> Option<()> {
        match way {
            Way::Time => self.pass_until_available(user),
            Way::Hand => self.set_available(user),
            Way::Close => self.close(user),
            Way::Age => self.pass_until_room(user),
            Way::Learn => self.learn(user),
            Way::Admin => self.allow(user),
            Way::Wait(at, change) => {
                self.pass(at);
                self.changes.push(change);
                Some(())
            }
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, to: Timestamp) {
        self.router.advance(to);
        self.at = Some(to);
    }

    fn pass_until_available(&mut self, user: UserId) -> Option<()> {
        let found = self.router.availability(user, self.router.now);
        let cause = found.cause?;
        self.pass(found.until?);
        if !matches!(self.changes.last(), Some(Change::BecomesAvailable { .. })) {
            self.changes.push(Change::BecomesAvailable { cause });
        }
        Some(())
    }

    fn set_available(&mut self, user: UserId) -> Option<()> {
        let now = self.router.now;
        let cause = self.router.availability(user, now).cause?;
        let status = ManualStatus { value: StatusValue::Available, reason: None, set_at: now, origin: StatusOrigin::ByHand };
        let version =
            self.person(user).and_then(|index| self.router.people.at(index).status.as_ref()).map_or(0, |status| status.version);
        let change = StatusChange { user, status, version: version.saturating_add(1) };
        self.router.people.set_status(user, Some(change), &self.router.calendars, now);
        self.news_of(user);
        self.changes.push(Change::SetsAvailable { cause });
        Some(())
    }

    /// Closes as few items of the person as make room for this one: of its type while the limit of that stands against
    /// it, then what weighs most.
    fn close(&mut self, user: UserId) -> Option<()> {
        let index = self.person(user)?;
        let work = self.question.arrival.group.work_type();
        let kind = work as usize;
        self.news_of(user);
        let mut left = self.closable(index);
        let (mut closed, mut only_type) = (0_u32, self.is_type_full(index));
        while closed == 0 || self.router.pool(&self.question, self.router.now).has_no_room(index) {
            let person = self.router.people.at(index);
            let weights = person.profile.as_ref()?.weights.map(|(_, weights)| weights).unwrap_or_default();
            let by_type = self.is_type_full(index);
            let next = left.iter().enumerate().max_by_key(|(_, (_, types, _))| {
                let weight = types.iter().map(|kind| weights[*kind]).max();
                (by_type && types.contains(&kind), weight, types.contains(&kind))
            });
            let (place, _) = next?;
            let (_, types, items) = left.swap_remove(place);
            only_type &= types.contains(&kind);
            for item in items {
                self.router.work.remove(item, &mut self.router.people);
            }
            closed += 1;
        }
        self.changes.push(Change::Closes { items: closed, work: only_type.then_some(work) });
        Some(())
    }

    fn is_type_full(&self, index: PersonIndex) -> bool {
        let person = self.router.people.at(index);
        let kind = self.question.arrival.group.work_type() as usize;
        let limit = person.profile.as_ref().and_then(|profile| profile.limit_per_type[kind]);
        limit.is_some_and(|limit| person.open_per_type[kind] >= limit)
    }

    /// Everything of a person's that uses capacity and would leave room: by what it counts once under, with its types.
    fn closable(&self, index: PersonIndex) -> Vec<(i64, Vec<usize>, Vec<ItemId>)> {
        let own = share_key(self.question.arrival.item, self.question.arrival.conversation);
        let mut found: BTreeMap<i64, (Vec<usize>, Vec<ItemId>)> = BTreeMap::new();
        for (item, owned) in self.router.work.items().filter(|(_, owned)| owned.person == index) {
            let key = share_key(item, owned.conversation);
            let counts = self.router.work.shares(key).iter().any(|share| share.person == index && share.counts);
            if counts && key != own {
                let (types, items) = found.entry(key).or_default();
                types.push(owned.group.work_type() as usize);
                items.push(item);
            }
        }
        found.into_iter().map(|(key, (types, items))| (key, types, items)).collect()
    }

    fn pass_until_room(&mut self, user: UserId) -> Option<()> {
        let index = self.person(user)?;
        for _ in 0..MAX_AGEINGS {
            let at = self.next_ageing(index)?;
            self.pass(at);
            self.news_of(user);
            if !self.router.pool(&self.question, at).has_no_room(index) {
                self.changes.push(Change::Ages);
                return Some(());
            }
        }
        None
    }

    /// When something of a person's next grows too old to use capacity.
    pub(super) fn next_ageing(&self, index: PersonIndex) -> Option<Timestamp> {
        let leave_out = self.router.people.at(index).leave_out();
        let owned = self.router.work.items().filter(|(_, owned)| owned.person == index);
        let ends = owned.filter(|(_, owned)| owned.usage.counts(leave_out, self.router.now));
        ends.filter_map(|(_, owned)| owned.usage.ends_at(leave_out)).min()
    }

    fn learn(&mut self, user: UserId) -> Option<()> {
        let profile = self.router.plan.directory.user(user)?;
        let pool = self.router.pool(&self.question, self.router.now);
        let wanted = pool.need?.all_lacking(profile).next()?.clone();
        let skill = wanted_name(&wanted, &self.router.plan.directory);
        let mut level = None;
        self.edit(|directory| {
            let user = directory.users.iter_mut().find(|known| known.id == user)?;
            match &wanted {
                Wanted::Skill { skill, min_level, .. } => {
                    level = Some(*min_level);
                    user.skills.retain(|held| held.skill != *skill);
                    user.skills.push(UserSkill { skill: *skill, level: *min_level });
                }
                Wanted::Language { language } => user.languages.push(Spoken { language: language.clone(), main: true }),
            }
            Some(())
        })?;
        self.news_of(user);
        self.changes.push(Change::Learns { skill, level });
        Some(())
    }

    fn allow(&mut self, user: UserId) -> Option<()> {
        let stages = self.look().stages;
        let Err(reason) = verdict(&stages, user)? else { return None };
        let team = stages.iter().flat_map(|stage| &stage.candidates).find(|candidate| candidate.user == user)?.team;
        let workspace = self.question.arrival.workspace;
        self.edit(|directory| {
            let place = directory.workspaces.iter_mut().find(|known| known.id == workspace)?;
            let person = directory.users.iter_mut().find(|known| known.id == user)?;
            match &reason {
                SkipReason::Inactive => (person.active, person.accepted) = (true, true),
                SkipReason::NoSeat => person.seat = place.seats.iter().copied().find(|seat| *seat != Seat::None)?,
                SkipReason::NoAccess => {
                    person.ticket_access |= place.kind == WorkspaceKind::HelpDesk;
                    if let WorkspaceAccess::Restricted { users, .. } = &mut place.access {
                        users.push(user);
                    }
                }
                SkipReason::NotMainMember => person.team = Some(team?),
                _ => return None,
            }
            Some(())
        })?;
        self.news_of(user);
        self.changes.push(Change::Admin { reason });
        Some(())
    }

    /// Puts an edited directory into force, with the item's channel alone, as no other counts.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut Directory) -> Option<()>) -> Option<()> {
        let mut directory = Directory::clone(&self.router.plan.directory);
        let channel = self.question.arrival.channel;
        directory.channels.retain(|known| known.id == channel);
        edit(&mut directory)?;
        self.router.adopt(directory.version, Some(&Arc::new(directory)), &mut Outbox::default());
        Some(())
    }

    /// There is news of a person, who is left out for the item no more (ROUTING 7.4).
    fn news_of(&mut self, user: UserId) {
        self.question.full = self.question.full.filter(|full| *full != user);
    }

    fn person(&self, user: UserId) -> Option<PersonIndex> {
        self.router.people.find(user)
    }
}
