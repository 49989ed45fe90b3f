//! One decision: reopened items, the channel's rule, its cases and targets (ROUTING 7, 12.2). Reads only; the same
//! code decides and explains.

mod taken;

use crate::blank::blank;
use crate::distribution::Method;
use crate::eligibility::{default_distribution, has_seat};
use crate::ladders::{LadderKey, Ladders};
use crate::lanes::{lasting_in, person_lane, pool_lanes};
use crate::people::PersonIndex;
use crate::plan::{ChannelPlan, Entry, Roster};
use crate::pool::{Pool, Slate, Standing, Terms};
use crate::queue::Lanes;
use crate::skills::ms;
use switchboard_model::{
    Arrival, Candidate, Case, ChannelEntry, Decision, Distribution, Fallback, Outcome, OutsideHours, Owner, ReopenOwner,
    RouteEvent, RuleRef, SkipReason, Stage, StageTarget, Target, TeamId, Timestamp, UnassignedReason, UserId, Verdict,
    WhenNobody, WorkType, Workspace, WorkspaceKind,
};

const DAY_MS: i64 = 86_400_000;

/// What came of a decision.
pub(crate) struct Resolution {
    /// The decision.
    pub decision: Decision,
    /// The contact owner who could not take the item and is told (ROUTING 7.3).
    pub notify: Option<UserId>,
    /// Everybody looked at; empty unless asked for.
    pub stages: Vec<Stage>,
    /// Where the item is to wait, if it does and was not explained.
    pub lanes: Lanes,
}

/// How a decision looks at people.
pub(crate) enum Mode<'a> {
    /// Through the ladders.
    Decide(&'a mut Ladders),
    /// At everybody, written down.
    Explain,
    /// At nobody in particular: only where people could come from, at every stage.
    Survey(&'a mut Ladders, &'a mut Lanes),
}

/// The occasion of a decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Consumption number of the input.
    pub no: u64,
    /// How much the input has led to before.
    pub place: u32,
    /// When the item began to wait; the present for one that did not.
    pub since: Timestamp,
    /// The item waits, or has waited until a decision that was refused.
    pub queued: bool,
    /// The item has waited: what is asked on arrival only is not asked again (ROUTING 4.6, 12.2).
    pub waiting: bool,
}

/// Decides about an item. An explanation comes to the same decision; a survey to none.
pub(crate) fn decide(pool: &Pool<'_>, arrival: &Arrival, ask: &Ask, mode: Mode<'_>) -> Resolution {
    let decision = blank(arrival, ask);
    let (ladders, stages, lanes) = match mode {
        Mode::Decide(ladders) => (Some(ladders), None, None),
        Mode::Explain => (None, Some(Vec::new()), None),
        Mode::Survey(ladders, lanes) => (Some(ladders), None, Some(lanes)),
    };
    let (waiting, since, alone) = (ask.waiting, ask.since, Vec::new());
    let mut decider = Decider {
        found: Lanes::default(),
        pool,
        arrival,
        decision,
        since,
        waiting,
        hope: false,
        notify: None,
        stages,
        alone,
        ladders,
        lanes,
        listed: None,
    };
    let outcome = decider.outcome();
    decider.decision.outcome = outcome;
    decider.decision.queued_since = (ask.queued || outcome == Outcome::Queued).then_some(ask.since);
    Resolution {
        decision: decider.decision,
        notify: decider.notify,
        stages: decider.stages.unwrap_or_default(),
        lanes: decider.found,
    }
}

struct Decider<'a> {
    pool: &'a Pool<'a>,
    arrival: &'a Arrival,
    decision: Decision,
    notify: Option<UserId>,
    stages: Option<Vec<Stage>>,
    /// People looked at one at a time, each once.
    alone: Vec<PersonIndex>,
    /// People looked at as a list.
    listed: Option<&'a Roster>,
    /// Where people stand in order; none when everybody is looked at.
    ladders: Option<&'a mut Ladders>,
    /// Where people could have come from so far, kept where the item may wait.
    found: Lanes,
    /// Where people could come from, at every stage; none unless asked for.
    lanes: Option<&'a mut Lanes>,
    /// When the item began to wait.
    since: Timestamp,
    /// The item has waited.
    waiting: bool,
    /// Somebody who cannot have the item now could have it later.
    hope: bool,
}

/// The case that applies, with its surroundings.
#[derive(Clone, Copy)]
struct Place<'a> {
    channel: &'a ChannelEntry,
    plan: &'a ChannelPlan,
    workspace: &'a Workspace,
    index: u32,
    case: &'a Case,
}

const fn unassigned(reason: UnassignedReason) -> Outcome {
    Outcome::Unassigned { reason }
}

impl<'a> Decider<'a> {
    fn outcome(&mut self) -> Outcome {
        let pool = self.pool;
        let Some((channel, plan)) = pool.plan.channel(self.arrival.channel) else {
            return unassigned(UnassignedReason::NoRule);
        };
        let Some(workspace) = pool.plan.directory.workspace(self.arrival.workspace) else {
            return unassigned(UnassignedReason::Fault);
        };
        if self.arrival.event == RouteEvent::Reopened
            && !self.waiting
            && let Some(outcome) = self.reopened(channel, workspace)
        {
            return outcome;
        }
        let Some(rule) = &channel.rule else { return unassigned(UnassignedReason::NoRule) };
        if !rule.on {
            return unassigned(UnassignedReason::RuleOff);
        }
        let holds = |case: &Case| case.when.as_ref().is_none_or(|condition| condition.holds(&self.arrival.facts));
        let Some((index, case)) = (0..).zip(&rule.cases).find(|(_, case)| holds(case)) else {
            return unassigned(UnassignedReason::NoRule);
        };
        self.decision.rule = Some(RuleRef { channel: channel.id, version: rule.version, case: index });
        let asks_hours = case.outside_hours != OutsideHours::Route && !self.waiting;
        let closed = asks_hours && !pool.calendars[plan.calendar].look(pool.now).inside;
        if closed {
            return unassigned(UnassignedReason::OutsideHours);
        }
        let place = Place { channel, plan, workspace, index, case };
        self.found.wake_at = self.next_change(place).into_iter().chain(pool.next_exemption).min();
        if let Some(lanes) = &mut self.lanes {
            lanes.wake_at = self.found.wake_at;
        }
        self.target(place)
    }

    /// How many overflow steps the item has waited for (ROUTING 7.5).
    fn level(&self, place: Place<'_>) -> usize {
        let waited_ms = self.pool.now.ms_since(self.since);
        place.case.overflow.iter().take_while(|step| ms(step.after_s) <= waited_ms).count()
    }

    /// When the item may next go to somebody else by waiting alone.
    fn next_change(&self, place: Place<'_>) -> Option<Timestamp> {
        let step_s = place.case.overflow.get(self.level(place)).map(|step| step.after_s);
        let relax_s = self.pool.need.and_then(|need| need.next_relax_s());
        step_s.into_iter().chain(relax_s).min().map(|after_s| self.since.plus_ms(ms(after_s)))
    }

    /// Whether the item, when it has waited for long enough, may go to somebody to whom it may not go yet.
    fn could_later(&self, place: Place<'a>) -> bool {
        let pool = self.pool;
        if self.next_change(place).is_none() {
            return false;
        }
        let case = place.plan.cases.get(place.index as usize);
        let Some(Some(roster)) = case.and_then(|case| case.levels.last()) else { return false };
        let mut somebody = false;
        let slate = slate(roster, place, terms(place.case));
        slate.lasting(pool, true, |_, entry| somebody |= !pool.is_excluded(entry.person));
        somebody
    }

    /// The contact's last owner, who comes before the others of the list for some days (ROUTING 7.6).
    fn last_owner(&mut self, place: Place<'a>, roster: &Roster) -> Option<Outcome> {
        let contact = &self.arrival.contact;
        let (days, user, at) = (place.case.affinity_days?, contact.last_owner?, contact.last_owned_at?);
        if self.pool.now.ms_since(at) > i64::from(days) * DAY_MS {
            return None;
        }
        let entry = roster.entry(self.pool.people.find(user)?)?;
        let terms = terms(place.case);
        let entry = self.try_entry(StageTarget::LastOwner, entry, place.workspace, terms).ok()?;
        Some(self.assigned_alone(&entry, terms))
    }

    /// Who owns a reopened item by the channel's setting; `None` leaves it to the rule (ROUTING 12.2).
    fn reopened(&mut self, channel: &ChannelEntry, workspace: &'a Workspace) -> Option<Outcome> {
        match channel.reopen_owner {
            ReopenOwner::Route => None,
            ReopenOwner::Unassign => Some(unassigned(UnassignedReason::ReopenedUnassigned)),
            ReopenOwner::Keep => {
                let Some(Owner::User { id }) = self.arrival.previous_owner else { return None };
                let chat = self.arrival.group.work_type() == WorkType::Chat;
                let terms = Terms { only_available: chat, capacity: false, skills: false };
                let entry = self.try_one(StageTarget::PreviousOwner, id, workspace, terms).ok()?;
                self.decision.eligible = 1;
                Some(self.kept(&entry, terms))
            }
        }
    }

    fn target(&mut self, place: Place<'a>) -> Outcome {
        match &place.case.target {
            Target::Nobody => unassigned(UnassignedReason::Nobody),
            Target::TeamOnly { team } => self.team_only(place.workspace, *team),
            Target::UsersAndTeams { .. } => self.roster(place, StageTarget::UsersAndTeams),
            Target::ContactOwner { require_cookie, fallback } => self.contact_owner(place, *require_cookie, fallback),
            Target::Assistant { if_cannot_answer } => self.fallback(place, if_cannot_answer),
        }
    }

    /// The team without an owner, if somebody in it could take the work (ROUTING 7.1).
    fn team_only(&mut self, workspace: &Workspace, team: TeamId) -> Outcome {
        let pool = self.pool;
        let (mut usable, mut candidates) = (0_u32, Vec::new());
        for user in pool.plan.directory.users.iter().filter(|user| user.is_member(team)) {
            let reason = match (user.is_active(), has_seat(user, workspace)) {
                (false, _) => Some(SkipReason::Inactive),
                (true, false) => Some(SkipReason::NoSeat),
                (true, true) => None,
            };
            let counted = pool.people.find(user.id).is_some_and(|person| self.alone.contains(&person));
            self.decision.candidates = self.decision.candidates.saturating_add(u32::from(!counted));
            usable = usable.saturating_add(u32::from(reason.is_none()));
            if self.stages.is_some()
                && let Some(person) = pool.people.find(user.id)
            {
                let entry = Entry { main: user.team == Some(team), ..Entry::alone(person, Some(team)) };
                let verdict = reason.map_or(Verdict::Eligible, |reason| Verdict::Skipped { reason });
                candidates.push(self.group_method().candidate(pool, &entry, None, verdict));
            }
        }
        self.decision.eligible = usable;
        self.note(StageTarget::TeamOnly, candidates);
        let known = pool.plan.directory.team(team).is_some() && workspace.kind == WorkspaceKind::HelpDesk;
        if known && usable > 0 { Outcome::TeamSet { team } } else { unassigned(UnassignedReason::TeamNotUsable) }
    }

    /// The contact owner, or the fallback (ROUTING 7.3).
    fn contact_owner(&mut self, place: Place<'a>, require_cookie: bool, fallback: &Fallback) -> Outcome {
        let contact = &self.arrival.contact;
        let known = if require_cookie { contact.cookie } else { contact.proven };
        if let Some(owner) = contact.owner.filter(|_| known) {
            let terms = terms(place.case);
            match self.try_one(StageTarget::ContactOwner, owner, place.workspace, terms) {
                Ok(entry) => return self.assigned_alone(&entry, terms),
                Err(reason) => self.notify = reason.filter(is_passing).filter(|_| !self.waiting).map(|_| owner),
            }
        }
        self.fallback(place, fallback)
    }

    fn fallback(&mut self, place: Place<'a>, fallback: &Fallback) -> Outcome {
        self.decision.fallback = true;
        match fallback {
            Fallback::Nobody if self.level(place) > 0 => self.roster(place, StageTarget::Overflow),
            Fallback::Nobody => self.nobody(place, UnassignedReason::NoContactOwner),
            Fallback::UsersAndTeams { .. } => self.roster(place, StageTarget::Fallback),
            Fallback::User { user } => {
                let terms = terms(place.case);
                match self.try_one(StageTarget::Fallback, *user, place.workspace, terms) {
                    Ok(entry) => self.assigned_alone(&entry, terms),
                    Err(_) if self.level(place) > 0 => self.roster(place, StageTarget::Overflow),
                    Err(Some(_)) => self.nobody(place, UnassignedReason::NobodyEligible),
                    Err(None) => self.nobody(place, UnassignedReason::NoCandidates),
                }
            }
        }
    }

    /// One of the people whom the case lists, by its distribution.
    fn roster(&mut self, place: Place<'a>, target: StageTarget) -> Outcome {
        let pool = self.pool;
        let case = place.plan.cases.get(place.index as usize);
        let Some(Some(roster)) = case.and_then(|case| case.levels.get(self.level(place))) else {
            return self.nobody(place, UnassignedReason::NoCandidates);
        };
        if let Some(outcome) = self.last_owner(place, roster) {
            return outcome;
        }
        let method = self.method(place);
        let slate = slate(roster, place, terms(place.case));
        let (choice, eligible) = match &mut self.ladders {
            Some(ladders) => {
                let key = LadderKey {
                    roster: roster.number,
                    workspace: (place.workspace.id != place.channel.workspace).then_some(place.workspace.id),
                    need: pool.need.map(|need| need.key),
                    ranking: method.ranking(place.channel.id, place.index),
                    group: method.group,
                    only_available: slate.terms.only_available,
                    exemption: pool.exemption,
                };
                let index = ladders.find(key, &slate, pool);
                if let Some(lanes) = &mut self.lanes {
                    lanes.keys.extend(pool_lanes(pool, ladders, index, slate.terms));
                    return self.nobody(place, UnassignedReason::NobodyEligible);
                }
                let found = ladders.choose(index, pool, &slate, &method);
                if found.0.is_none() && waits(place.case) {
                    self.hope |= lasting_in(pool, ladders, index) > 0;
                    self.found.keys.extend(pool_lanes(pool, ladders, index, slate.terms));
                }
                found
            }
            None => {
                slate.lasting(pool, false, |_, entry| self.hope |= !pool.is_excluded(entry.person));
                method.choose(pool, &slate)
            }
        };
        self.decision.candidates = self.count(roster);
        self.listed = Some(roster);
        self.decision.eligible = eligible;
        if self.stages.is_some() {
            let chosen = choice.map(|choice| choice.entry.person);
            let candidates = method.candidates(pool, &slate, chosen);
            self.note(target, candidates);
        }
        match choice {
            Some(choice) => self.assigned(&choice, &method, slate.terms),
            None if roster.entries.is_empty() => self.nobody(place, UnassignedReason::NoCandidates),
            None => self.nobody(place, UnassignedReason::NobodyEligible),
        }
    }

    /// Nobody is eligible: unassigned, or the owner it had where the case keeps that one (ROUTING 7.2). Somebody who
    /// returned the item or is not selectable any more does not keep it.
    fn nobody(&mut self, place: Place<'a>, reason: UnassignedReason) -> Outcome {
        if waits(place.case) && (self.hope || self.could_later(place)) {
            return Outcome::Queued;
        }
        let terms = Terms { only_available: false, capacity: false, skills: false };
        match (place.case.when_nobody, self.arrival.previous_owner) {
            (WhenNobody::Keep, Some(Owner::User { id })) => {
                match self.try_one(StageTarget::PreviousOwner, id, place.workspace, terms) {
                    Ok(entry) => self.kept(&entry, terms),
                    Err(_) => unassigned(reason),
                }
            }
            _ => unassigned(reason),
        }
    }

    /// Looks at one person. The entry if eligible; else the reason, which is none for somebody unknown.
    fn try_one(
        &mut self,
        target: StageTarget,
        user: UserId,
        workspace: &'a Workspace,
        terms: Terms,
    ) -> Result<Entry, Option<SkipReason>> {
        let pool = self.pool;
        let place = pool.people.find(user).filter(|index| pool.person(*index).profile.is_some());
        let Some(person) = place else {
            self.note(target, Vec::new());
            return Err(None);
        };
        self.try_entry(target, Entry::alone(person, None), workspace, terms)
    }

    /// The same for a known person, as reached by an entry.
    fn try_entry(
        &mut self,
        target: StageTarget,
        entry: Entry,
        workspace: &'a Workspace,
        terms: Terms,
    ) -> Result<Entry, Option<SkipReason>> {
        let (pool, person) = (self.pool, entry.person);
        let skip = Slate { entries: &[entry], standing: Standing::Anew(workspace), terms }.skip(pool, 0);
        let passing = skip.as_ref().is_none_or(is_passing) && !pool.is_excluded(person);
        self.hope |= passing && skip.is_some() && terms.capacity && pool.is_skilled_at_last(person);
        let lasts = terms.capacity && passing && !pool.is_left_out(person) && pool.is_skilled(person);
        if let Some(lanes) = &mut self.lanes {
            lanes.keys.extend(lasts.then(|| person_lane(pool, person, terms)));
            return Err(None);
        }
        self.found.keys.extend((lasts && skip.is_some()).then(|| person_lane(pool, person, terms)));
        let is_listed = self.listed.is_some_and(|roster| roster.entry(person).is_some());
        if !self.alone.contains(&person) && !is_listed {
            self.alone.push(person);
            self.decision.candidates = self.decision.candidates.saturating_add(1);
        }
        if self.stages.is_some() {
            let (rank, verdict) = match skip.clone() {
                Some(reason) => (None, Verdict::Skipped { reason }),
                None => (Some(1), Verdict::Chosen),
            };
            let candidate = self.group_method().candidate(pool, &entry, rank, verdict);
            self.note(target, vec![candidate]);
        }
        skip.map_or(Ok(entry), |reason| Err(Some(reason)))
    }

    /// How the case chooses (ROUTING 6.6).
    fn method(&self, place: Place<'a>) -> Method<'a> {
        let default = || default_distribution(place.channel.kind, place.workspace.kind);
        let distribution = place.case.distribution.unwrap_or_else(default);
        let turns = self.pool.turns.of(place.channel.id, place.index);
        let weighted = place.plan.cases.get(place.index as usize).is_some_and(|case| case.weighted);
        Method { distribution, group: self.arrival.group, turns, weighted, seed: self.arrival.seed }
    }

    /// How somebody is measured who is looked at alone: by the load of the item's own group.
    fn group_method(&self) -> Method<'static> {
        Method {
            distribution: Distribution::LoadBalanced,
            group: self.arrival.group,
            turns: &crate::turns::UNTOUCHED,
            weighted: false,
            seed: self.arrival.seed,
        }
    }

    /// How many people were looked at, each counted once.
    fn count(&self, roster: &Roster) -> u32 {
        let alone = self.alone.iter().filter(|person| roster.entry(**person).is_none()).count();
        u32::try_from(roster.entries.len().saturating_add(alone)).unwrap_or(u32::MAX)
    }

    fn note(&mut self, target: StageTarget, candidates: Vec<Candidate>) {
        if let Some(stages) = &mut self.stages {
            stages.push(Stage { target, candidates });
        }
    }
}

/// Whether an item that nobody can have now waits (ROUTING 7.2, 7.5).
fn waits(case: &Case) -> bool {
    case.when_nobody == WhenNobody::Wait || !case.overflow.is_empty()
}

const fn terms(case: &Case) -> Terms {
    Terms { only_available: case.only_available, capacity: true, skills: true }
}

/// Candidates of a roster: what was made ready serves for items in the channel's own workspace.
fn slate<'a>(roster: &'a Roster, place: Place<'a>, terms: Terms) -> Slate<'a> {
    let standing =
        if place.workspace.id == place.channel.workspace { Standing::Ready(roster) } else { Standing::Anew(place.workspace) };
    Slate { entries: &roster.entries, standing, terms }
}

/// Whether the reason will pass by itself, so that a contact owner is told what went elsewhere (ROUTING 7.3).
const fn is_passing(reason: &SkipReason) -> bool {
    matches!(reason, SkipReason::Unavailable { .. } | SkipReason::AtCapacity | SkipReason::LacksSkill { .. } | SkipReason::OnCall)
}
