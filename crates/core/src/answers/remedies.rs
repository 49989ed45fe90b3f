//! What would bring an item to somebody: each answer is found by deciding again under the change it names.

use super::trial::{Trial, Way};
use super::{Look, Subject, asked};
use crate::router::Router;
use crate::skills::ms;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{Change, Outcome, Remedy, SkipReason, Timestamp, UnassignedReason, UserId, Verdict};

/// The most remedies that are named.
const MAX_REMEDIES: usize = 20;
/// How many people are tried in order to find them.
const MAX_TRIES: usize = 60;
/// How often an item's waiting may change whom it goes to.
const MAX_WAITS: usize = 24;

/// How soon somebody may come, soonest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Haste {
    /// At once, as the person is about: an item is closed, or a status set.
    AtOnce,
    /// By itself, at a time.
    InTime,
    /// By a person who is off work.
    Unlikely,
    /// With another skill.
    Skill,
    /// By an admin.
    Admin,
}

/// Something to try.
#[derive(Clone, Debug)]
struct Proposal {
    haste: Haste,
    at: Option<Timestamp>,
    /// How far over the limit somebody is.
    over: u32,
    user: UserId,
    way: Way,
}

impl Router {
    /// What would make somebody eligible for an item that waits or was left unassigned; nothing for any other. People
    /// who are about come first, then who comes by itself, by time, then who would have to come from off work, learn
    /// something, or be let in by an admin. Each was found by a decision under the changes that it names, at its time;
    /// what waits in front of the item is served first all the same. At most 20.
    #[must_use]
    pub fn remedies(&self, subject: Subject<'_>, now: Timestamp) -> Vec<Remedy> {
        let now = now.max(self.now);
        let router = self.as_of(now);
        let Some(question) = router.question(subject, now) else { return Vec::new() };
        let mut start = Trial::new(&router, question, now);
        let first = start.look();
        match first.decision.outcome {
            Outcome::Assigned { user, .. } => return vec![Remedy { user, at: None, changes: Vec::new() }],
            Outcome::Kept { .. } | Outcome::TeamSet { .. } => return Vec::new(),
            Outcome::Queued | Outcome::Unassigned { .. } => {}
        }
        let Some(look) = start.open(&first) else { return Vec::new() };
        let mut found: Vec<(Haste, Remedy)> = Vec::new();
        if !start.changes.is_empty() {
            let haste = if start.at.is_some() { Haste::InTime } else { Haste::Admin };
            found.extend(start.reached(&look).into_iter().map(|remedy| (haste, remedy)));
        }
        let mut proposals = start.proposals(&look);
        proposals.sort_by_key(|proposal| (proposal.haste, proposal.at, proposal.over, proposal.user));
        for proposal in proposals.into_iter().take(MAX_TRIES) {
            if found.len() >= MAX_REMEDIES {
                break;
            }
            let remedy = start.about(proposal.user).run(proposal.user, proposal.way);
            found.extend(remedy.map(|remedy| (haste(proposal.haste, &remedy), remedy)));
        }
        found.sort_by_key(|(haste, remedy)| (*haste, remedy.at, items(remedy), remedy.changes.len(), remedy.user));
        let mut seen = BTreeSet::new();
        found.retain(|(haste, remedy)| *haste != Haste::InTime || seen.insert(remedy.user));
        found.truncate(MAX_REMEDIES);
        found.into_iter().map(|(_, remedy)| remedy).collect()
    }
}

/// How soon a remedy may come about, given how soon its first change may.
fn haste(first: Haste, remedy: &Remedy) -> Haste {
    let of = |change: &Change| match change {
        Change::Learns { .. } => Haste::Skill,
        Change::Admin { .. } => Haste::Admin,
        _ => first,
    };
    remedy.changes.iter().map(of).max().unwrap_or(first)
}

/// How many items would have to be closed.
fn items(remedy: &Remedy) -> u32 {
    let of = |change: &Change| if let Change::Closes { items, .. } = change { *items } else { 0 };
    remedy.changes.iter().map(of).sum()
}

impl Trial {
    /// Brings about that people are asked at all: the rule is switched on, the channel opens. `None` where they never
    /// are.
    fn open(&mut self, first: &Look) -> Option<Look> {
        match first.decision.outcome {
            Outcome::Unassigned { reason: UnassignedReason::RuleOff } => {
                let channel = self.question.arrival.channel;
                self.edit(|directory| {
                    let found = directory.channels.iter_mut().find(|known| known.id == channel)?;
                    found.rule.as_mut()?.on = true;
                    Some(())
                })?;
                self.changes.push(Change::RuleOn);
                let look = self.look();
                if self.is_closed(&look) { self.open_channel() } else { Some(look) }
            }
            Outcome::Unassigned { reason: UnassignedReason::OutsideHours } => self.open_channel(),
            _ => Some(self.look()),
        }
    }

    fn is_closed(&self, look: &Look) -> bool {
        look.decision.outcome == Outcome::Unassigned { reason: UnassignedReason::OutsideHours }
    }

    fn open_channel(&mut self) -> Option<Look> {
        let (_, plan) = self.router.plan.channel(self.question.arrival.channel)?;
        let opens_at = self.router.calendars.get(plan.calendar)?.look(self.router.now).next_start?;
        self.pass(opens_at);
        if !self.question.ask.waiting {
            self.question.ask.since = opens_at;
        }
        self.changes.push(Change::ChannelOpens);
        let look = self.look();
        (!self.is_closed(&look)).then_some(look)
    }

    /// Who is eligible under what has changed, the best first.
    fn reached(&self, look: &Look) -> Vec<Remedy> {
        let candidates = look.stages.iter().flat_map(|stage| &stage.candidates);
        let mut eligible: Vec<_> = candidates.filter(|one| !matches!(one.verdict, Verdict::Skipped { .. })).collect();
        eligible.sort_by_key(|one| (one.verdict != Verdict::Chosen, one.rank, one.user));
        let remedy = |user| Remedy { user, at: self.at, changes: self.changes.clone() };
        eligible.into_iter().take(MAX_REMEDIES).map(|one| remedy(one.user)).collect()
    }

    fn proposals(&self, look: &Look) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        for (user, reason) in skipped(look) {
            self.propose(user, &reason, &mut proposals);
        }
        if look.decision.outcome == Outcome::Queued {
            self.waits(look, &mut proposals);
        }
        proposals
    }

    fn propose(&self, user: UserId, reason: &SkipReason, proposals: &mut Vec<Proposal>) {
        let mut add = |haste, at, over, way| proposals.push(Proposal { haste, at, over, user, way });
        match reason {
            SkipReason::Unavailable { .. } => {
                let until = self.router.availability(user, self.router.now).until;
                if until.is_some() {
                    add(Haste::InTime, until, 0, Way::Time);
                }
                if self.at.is_none() {
                    let haste = if self.is_about(user) { Haste::AtOnce } else { Haste::Unlikely };
                    add(haste, None, 0, Way::Hand);
                }
            }
            SkipReason::AtCapacity => {
                let over = self.router.people.find(user).map_or(0, |index| {
                    let person = self.router.people.at(index);
                    let limit = person.profile.as_ref().and_then(|profile| profile.limit);
                    limit.map_or(0, |limit| person.open.saturating_sub(limit))
                });
                add(if self.at.is_some() { Haste::InTime } else { Haste::AtOnce }, self.at, over, Way::Close);
                let ages = self.router.people.find(user).and_then(|index| self.next_ageing(index));
                if ages.is_some() {
                    add(Haste::InTime, ages, 0, Way::Age);
                }
            }
            SkipReason::LacksSkill { .. } => add(Haste::Skill, None, 0, Way::Learn),
            SkipReason::Inactive | SkipReason::NoSeat | SkipReason::NoAccess | SkipReason::NotMainMember => {
                add(Haste::Admin, None, 0, Way::Admin);
            }
            SkipReason::OnCall | SkipReason::Excluded => {}
        }
    }

    /// Whether the person's hours and absences say that the person is at work.
    fn is_about(&self, user: UserId) -> bool {
        let person = self.router.people.find(user).map(|index| self.router.people.at(index));
        person.and_then(|person| person.profile.as_ref()).is_some_and(|profile| {
            let (absent, _) = profile.absences.look(self.router.now);
            !absent && self.router.calendars[profile.calendar].look(self.router.now).inside
        })
    }

    /// Whom waiting alone brings nearer: asked by an overflow step, let in by a relaxed skill, or with room for an item
    /// that has grown too old to need any.
    fn waits(&self, look: &Look, proposals: &mut Vec<Proposal>) {
        let mut later = self.clone();
        let mut before = look.clone();
        for _ in 0..MAX_WAITS {
            let Some(at) = before.wake_at else { break };
            later.pass(at);
            let look = later.look();
            let known: BTreeMap<UserId, Option<SkipReason>> = everybody(&before);
            for (user, reason) in everybody(&look) {
                let change = match known.get(&user) {
                    None => later.step_at(&look, at).map(|step| Change::Widens { step }),
                    Some(Some(SkipReason::LacksSkill { .. })) if !lacks(reason.as_ref()) => Some(Change::Relaxes),
                    Some(Some(SkipReason::AtCapacity)) if reason.is_none() => Some(Change::Ages),
                    Some(_) => None,
                };
                proposals.extend(change.map(|change| {
                    let way = Way::Wait(at, change);
                    Proposal { haste: Haste::InTime, at: Some(at), over: 0, user, way }
                }));
            }
            before = look;
        }
    }

    /// The overflow step that begins at an instant.
    fn step_at(&self, look: &Look, at: Timestamp) -> Option<u32> {
        let (case, _) = self.router.case(&look.decision)?;
        let begins = |after_s: u32| self.question.ask.since.plus_ms(ms(after_s)) == at;
        (0..).zip(&case.overflow).find(|(_, step)| begins(step.after_s)).map(|(step, _)| step)
    }
}

fn lacks(reason: Option<&SkipReason>) -> bool {
    matches!(reason, Some(SkipReason::LacksSkill { .. }))
}

/// Everybody who was looked at, with the first reason for being skipped; without one where any place made eligible.
fn everybody(look: &Look) -> BTreeMap<UserId, Option<SkipReason>> {
    let mut found: BTreeMap<UserId, Option<SkipReason>> = BTreeMap::new();
    for (user, verdict) in asked(&look.stages).map(|candidate| (candidate.user, &candidate.verdict)) {
        match verdict {
            Verdict::Skipped { reason } => {
                found.entry(user).or_insert_with(|| Some(reason.clone()));
            }
            Verdict::Chosen | Verdict::Eligible => {
                found.insert(user, None);
            }
        }
    }
    found
}

/// Everybody who was skipped, with the reason.
fn skipped(look: &Look) -> Vec<(UserId, SkipReason)> {
    everybody(look).into_iter().filter_map(|(user, reason)| Some((user, reason?))).collect()
}
