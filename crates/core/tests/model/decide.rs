//! The model's decision: the text of ROUTING 4.6, 7 and 12.2, read from top to bottom.

use crate::facts::{Facts, count};
use switchboard_model::{
    Arrival, BEHAVIOUR_VERSION, Candidate, Case, ChannelEntry, ChannelKind, Decision, Demand, Distribution, Fallback, Member,
    Outcome, OutsideHours, OverflowStep, Owner, ReopenOwner, RouteEvent, RuleRef, SkipReason, Stage, StageTarget, Target, TeamId,
    Timestamp, UnassignedReason, UserId, Verdict, WhenNobody, WorkType, WorkspaceId, WorkspaceKind,
};

/// A decision with everybody who was looked at, and the contact owner who is to be told.
pub struct Decided {
    pub decision: Decision,
    pub stages: Vec<Stage>,
    pub notify: Option<UserId>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The item, which is nobody's at this moment (ROUTING 2.7).
    pub arrival: &'a Arrival,
    /// When it began to wait, if it waits already.
    pub since: Option<Timestamp>,
    /// Whom the database found full on it.
    pub barred: Option<UserId>,
    /// It arrives, and is not taken from the queue.
    pub arrives: bool,
}

/// What one decision is about, and what became of it so far.
pub struct Ask<'a> {
    pub facts: &'a Facts,
    pub arrival: &'a Arrival,
    pub barred: Option<UserId>,
    pub waited_ms: i64,
    pub demands: Vec<Demand>,
    pub decision: Decision,
    pub stages: Vec<Stage>,
    arrives: bool,
    notify: Option<UserId>,
}

/// Somebody named by a list.
#[derive(Clone, Copy)]
pub struct Named {
    pub user: UserId,
    pub team: Option<TeamId>,
    pub main: bool,
    pub weight: u32,
}

impl Named {
    /// Somebody who is named alone.
    pub const fn alone(user: UserId) -> Self {
        Self { user, team: None, main: true, weight: 1 }
    }
}

/// One name of a list.
pub enum Name {
    Member(Member),
    /// Everybody who is selectable in one of them (ROUTING 7.5).
    Workspaces(Vec<WorkspaceId>),
}

/// How a list of people is gone through.
#[derive(Clone, Copy)]
pub struct Terms {
    pub only_available: bool,
    /// Keeping what one has needs no room and no skill.
    pub keeps: bool,
    pub distribution: Option<Distribution>,
    /// Shares are promised, not turns.
    pub weighted: bool,
}

/// Decides on an item.
pub fn decide(facts: &Facts, question: Question<'_>) -> Decided {
    let Question { arrival, since, barred, arrives } = question;
    let decision = Decision {
        no: facts.no,
        place: facts.place,
        item: arrival.item,
        item_version: arrival.version,
        event: arrival.event,
        group: arrival.group,
        rule: None,
        outcome: Outcome::Unassigned { reason: UnassignedReason::NoRule },
        distribution: None,
        load: None,
        tied: 0,
        draw: None,
        candidates: 0,
        eligible: 0,
        fallback: false,
        availability_version: None,
        capacity_guarded: false,
        mark_before: None,
        turn_before: None,
        turn: None,
        queued_since: since,
        behaviour: BEHAVIOUR_VERSION,
    };
    let waited_ms = since.map_or(0, |since| facts.now.ms_since(since).max(0));
    let demands = facts.demands(arrival);
    let mut ask = Ask { facts, arrival, barred, waited_ms, demands, decision, stages: Vec::new(), arrives, notify: None };
    ask.decision.outcome = ask.outcome();
    if ask.decision.outcome == Outcome::Queued {
        ask.decision.queued_since = Some(since.unwrap_or(facts.now));
    }
    ask.count_people();
    // Told once, when the item is queued, and again when it is routed again or its queueing was refused (ROUTING 7.3).
    let notify = ask.notify.filter(|_| arrives || facts.requeues);
    Decided { decision: ask.decision, stages: ask.stages, notify }
}

impl Ask<'_> {
    fn outcome(&mut self) -> Outcome {
        let facts = self.facts;
        let Some(channel) = facts.directory.channel(self.arrival.channel) else {
            return unassigned(UnassignedReason::NoRule);
        };
        if facts.directory.workspace(self.arrival.workspace).is_none() {
            return unassigned(UnassignedReason::Fault);
        }
        if self.arrives
            && self.arrival.event == RouteEvent::Reopened
            && let Some(outcome) = self.reopened(channel.reopen_owner)
        {
            return outcome;
        }
        let Some(rule) = &channel.rule else { return unassigned(UnassignedReason::NoRule) };
        if !rule.on {
            return unassigned(UnassignedReason::RuleOff);
        }
        let applies = |case: &&Case| case.when.as_ref().is_none_or(|when| when.holds(&self.arrival.facts));
        let Some(position) = rule.cases.iter().position(|case| applies(&case)) else {
            return unassigned(UnassignedReason::NoRule);
        };
        let case = &rule.cases[position];
        self.decision.rule = Some(RuleRef { channel: channel.id, version: rule.version, case: count(position) });
        if self.arrives && case.outside_hours != OutsideHours::Route && !facts.channel_open(channel.id, facts.now) {
            return unassigned(UnassignedReason::OutsideHours);
        }
        self.by_case(channel, case)
    }

    /// ROUTING 12.2.
    fn reopened(&mut self, setting: ReopenOwner) -> Option<Outcome> {
        match setting {
            ReopenOwner::Route => None,
            ReopenOwner::Unassign => Some(unassigned(UnassignedReason::ReopenedUnassigned)),
            ReopenOwner::Keep => {
                let Some(Owner::User { id }) = self.arrival.previous_owner else { return None };
                let chat = self.arrival.group.work_type() == WorkType::Chat;
                let terms = Terms { only_available: chat, keeps: true, distribution: None, weighted: false };
                let taken = self.look_at(StageTarget::PreviousOwner, &[Named::alone(id)], terms)?;
                self.decision.load = Some(taken.load);
                self.decision.tied = 1;
                self.decision.availability_version = self.facts.availability_version(id).filter(|_| chat);
                Some(Outcome::Kept { user: id })
            }
        }
    }

    /// ROUTING 7.1.
    fn by_case(&mut self, channel: &ChannelEntry, case: &Case) -> Outcome {
        let people = match &case.target {
            Target::Nobody => return unassigned(UnassignedReason::Nobody),
            Target::TeamOnly { team } => return self.team_only(*team),
            Target::UsersAndTeams { members } => {
                self.choose(StageTarget::UsersAndTeams, &self.widened(members, case), channel, case)
            }
            Target::ContactOwner { require_cookie, fallback } => {
                let owner = self.contact_owner(*require_cookie);
                match owner.and_then(|owner| self.given_to_contact_owner(owner, case)) {
                    Some(outcome) => Ok(outcome),
                    None => self.fall_back(fallback, channel, case),
                }
            }
            Target::Assistant { if_cannot_answer } => self.fall_back(if_cannot_answer, channel, case),
        };
        people.unwrap_or_else(|reason| {
            if self.may_wait(case) {
                return Outcome::Queued;
            }
            self.kept(case).unwrap_or_else(|| unassigned(reason))
        })
    }

    /// The contact owner, where the contact is known (ROUTING 7.3).
    fn contact_owner(&self, require_cookie: bool) -> Option<UserId> {
        let known = if require_cookie { self.arrival.contact.cookie } else { self.arrival.contact.proven };
        self.arrival.contact.owner.filter(|_| known)
    }

    fn given_to_contact_owner(&mut self, owner: UserId, case: &Case) -> Option<Outcome> {
        let taken = self.look_at(StageTarget::ContactOwner, &[Named::alone(owner)], alone(case));
        match &taken {
            Some(taken) => self.assign(taken, 1, case),
            None => {
                let last = self.stages.last().and_then(|stage| stage.candidates.first()).map(|one| &one.verdict);
                let by_rule = |reason: &SkipReason| {
                    matches!(reason, SkipReason::Unavailable { .. } | SkipReason::AtCapacity | SkipReason::LacksSkill { .. })
                };
                if matches!(last, Some(Verdict::Skipped { reason }) if by_rule(reason)) {
                    self.notify = Some(owner);
                }
            }
        }
        taken.map(|taken| Outcome::Assigned { user: taken.user, team: None })
    }

    /// ROUTING 7.3, and 7.5 beyond it.
    fn fall_back(&mut self, fallback: &Fallback, channel: &ChannelEntry, case: &Case) -> Result<Outcome, UnassignedReason> {
        self.decision.fallback = true;
        let first = match fallback {
            Fallback::UsersAndTeams { members } => {
                return self.choose(StageTarget::Fallback, &self.widened(members, case), channel, case);
            }
            Fallback::Nobody => Err(UnassignedReason::NoContactOwner),
            Fallback::User { user } => {
                let taken = self.look_at(StageTarget::Fallback, &[Named::alone(*user)], alone(case));
                if let Some(taken) = &taken {
                    self.assign(taken, 1, case);
                }
                taken
                    .map(|taken| Outcome::Assigned { user: taken.user, team: None })
                    .ok_or_else(|| self.nobody(UnassignedReason::NobodyEligible))
            }
        };
        if first.is_ok() || !case.overflow.iter().any(|step| self.is_due(step)) {
            return first;
        }
        self.choose(StageTarget::Overflow, &self.widened(&[], case), channel, case)
    }

    /// Whom a list names by now, with the overflow steps that are due (ROUTING 7.5).
    fn widened(&self, members: &[Member], case: &Case) -> Vec<Named> {
        self.expand(&names(members, case.overflow.iter().filter(|step| self.is_due(step))), case)
    }

    fn is_due(&self, step: &OverflowStep) -> bool {
        i64::from(step.after_s) * 1_000 <= self.waited_ms
    }

    /// Whether the item waits where nobody could take it (ROUTING 7.2): only for somebody who could as the directory
    /// stands.
    fn may_wait(&self, case: &Case) -> bool {
        let mut ever: Vec<Named> = Vec::new();
        let fallback = match &case.target {
            Target::UsersAndTeams { members } => &Fallback::UsersAndTeams { members: members.clone() },
            Target::ContactOwner { require_cookie, fallback } => {
                ever.extend(self.contact_owner(*require_cookie).map(Named::alone));
                fallback
            }
            Target::Assistant { if_cannot_answer } => if_cannot_answer,
            Target::Nobody | Target::TeamOnly { .. } => return false,
        };
        let members = match fallback {
            Fallback::Nobody => &Vec::new(),
            Fallback::User { user } => &vec![Member::User(*user)],
            Fallback::UsersAndTeams { members } => members,
        };
        ever.extend(self.expand(&names(members, case.overflow.iter()), case));
        let waits = case.when_nobody == WhenNobody::Wait || !case.overflow.is_empty();
        waits && ever.iter().any(|one| one.main && self.could_take(one.user))
    }

    /// Why nobody got it: a list that names nobody who exists is told apart from people who were skipped.
    fn nobody(&self, otherwise: UnassignedReason) -> UnassignedReason {
        let looked_at = self.stages.last().is_some_and(|stage| !stage.candidates.is_empty());
        if looked_at { otherwise } else { UnassignedReason::NoCandidates }
    }

    fn choose(
        &mut self,
        target: StageTarget,
        named: &[Named],
        channel: &ChannelEntry,
        case: &Case,
    ) -> Result<Outcome, UnassignedReason> {
        if let Some(taken) = self.last_owner(named, case) {
            return Ok(taken);
        }
        let distribution = case.distribution.unwrap_or_else(|| self.default_distribution(channel));
        let weighted = case.weights.values().any(|weight| *weight != 1);
        let terms = Terms { distribution: Some(distribution), weighted, ..alone(case) };
        let Some(taken) = self.look_at(target, named, terms) else {
            return Err(self.nobody(UnassignedReason::NobodyEligible));
        };
        let candidates = self.stages.last().map(|stage| stage.candidates.clone()).unwrap_or_default();
        let tied = candidates.iter().filter(|one| self.shares_best(one, &taken, distribution)).count();
        self.assign(&taken, count(tied), case);
        self.decision.distribution = Some(distribution);
        if distribution == Distribution::RoundRobin
            && let Some(rule) = self.decision.rule
        {
            let (before, running) = self.facts.turn(rule.channel, rule.case, taken.user);
            let weight = named.iter().find(|one| one.user == taken.user).map_or(1, |one| one.weight);
            self.decision.turn_before = before;
            self.decision.turn = Some(if terms.weighted {
                pass(before, weight).max(running)
            } else if before == Some(running) {
                running + 1
            } else {
                running
            });
        }
        Ok(Outcome::Assigned { user: taken.user, team: taken.team })
    }

    /// ROUTING 7.6.
    fn last_owner(&mut self, named: &[Named], case: &Case) -> Option<Outcome> {
        let contact = &self.arrival.contact;
        let (owner, at) = contact.last_owner.zip(contact.last_owned_at)?;
        let days = i64::from(case.affinity_days?);
        let listed = *named.iter().find(|one| one.user == owner)?;
        if self.facts.now.ms_since(at) > days * 24 * 3_600_000 {
            return None;
        }
        let taken = self.look_at(StageTarget::LastOwner, &[listed], alone(case))?;
        self.assign(&taken, 1, case);
        Some(Outcome::Assigned { user: taken.user, team: taken.team })
    }

    fn assign(&mut self, taken: &Candidate, tied: u32, case: &Case) {
        self.decision.load = Some(taken.load);
        self.decision.tied = tied;
        self.decision.availability_version = self.facts.availability_version(taken.user).filter(|_| case.only_available);
        self.decision.capacity_guarded = true;
        self.decision.mark_before = taken.last_assigned;
    }

    /// ROUTING 7.2, `keep`.
    fn kept(&mut self, case: &Case) -> Option<Outcome> {
        let Some(Owner::User { id }) = self.arrival.previous_owner else { return None };
        if case.when_nobody != WhenNobody::Keep {
            return None;
        }
        let terms = Terms { only_available: false, keeps: true, distribution: None, weighted: false };
        let taken = self.look_at(StageTarget::PreviousOwner, &[Named::alone(id)], terms)?;
        self.decision.load = Some(taken.load);
        self.decision.tied = 1;
        Some(Outcome::Kept { user: id })
    }

    /// ROUTING 7.1, `team_only`: activity and seat alone, and help desks only, also for an item that was moved.
    fn team_only(&mut self, team: TeamId) -> Outcome {
        let members: Vec<UserId> =
            self.facts.directory.users.iter().filter(|user| user.is_member(team)).map(|user| user.id).collect();
        let mut candidates = Vec::new();
        for user in members {
            let reason = self.unselectable(user).filter(|reason| !matches!(reason, SkipReason::NoAccess));
            let verdict = reason.map_or(Verdict::Eligible, |reason| Verdict::Skipped { reason });
            candidates.push(self.candidate(Named { team: Some(team), ..Named::alone(user) }, self.arrival.group, verdict));
        }
        let workspace = self.facts.directory.workspace(self.arrival.workspace);
        let help_desk = workspace.is_some_and(|workspace| workspace.kind == WorkspaceKind::HelpDesk);
        let usable = help_desk && candidates.iter().any(|one| one.verdict == Verdict::Eligible);
        self.stages.push(Stage { target: StageTarget::TeamOnly, candidates });
        if usable { Outcome::TeamSet { team } } else { unassigned(UnassignedReason::TeamNotUsable) }
    }

    /// ROUTING 6.6.
    fn default_distribution(&self, channel: &ChannelEntry) -> Distribution {
        let help_desk = self.arrival.group.is_help_desk();
        match channel.kind {
            ChannelKind::Calling => Distribution::LongestIdle,
            _ if help_desk => Distribution::LoadBalanced,
            ChannelKind::Email | ChannelKind::Form => Distribution::Random,
            ChannelKind::Chat | ChannelKind::Whatsapp | ChannelKind::Messenger | ChannelKind::Custom => Distribution::LeastBusy,
        }
    }

    /// A person who is looked at in two stages is counted once (ROUTING 13.1). Who keeps an item because nobody
    /// was eligible was not eligible either.
    fn count_people(&mut self) {
        let all = self.stages.iter().flat_map(|stage| &stage.candidates);
        let mut people: Vec<UserId> = all.clone().map(|one| one.user).collect();
        let kept = self.decision.rule.is_some() && matches!(self.decision.outcome, Outcome::Kept { .. });
        let free = |one: &&Candidate| matches!(one.verdict, Verdict::Chosen | Verdict::Eligible) && !kept;
        let eligible = all.filter(free);
        let mut free: Vec<UserId> = eligible.map(|one| one.user).collect();
        for list in [&mut people, &mut free] {
            list.sort_unstable();
            list.dedup();
        }
        self.decision.candidates = count(people.len());
        self.decision.eligible = count(free.len());
    }
}

/// How one person who is named alone is looked at.
const fn alone(case: &Case) -> Terms {
    Terms { only_available: case.only_available, keeps: false, distribution: None, weighted: false }
}

/// The names of a list with those of some overflow steps behind them.
fn names<'a>(members: &[Member], steps: impl Iterator<Item = &'a OverflowStep>) -> Vec<Name> {
    let mut all: Vec<Name> = members.iter().copied().map(Name::Member).collect();
    for step in steps {
        all.extend(step.members.iter().copied().map(Name::Member));
        all.push(Name::Workspaces(step.workspaces.clone()));
    }
    all
}

/// What is divisible by every weight (ROUTING 6.2).
const WHOLE: u64 = 232_792_560;

/// The next pass of a person under weights, from the last one taken.
pub fn pass(taken: Option<u64>, weight: u32) -> u64 {
    let share = WHOLE / u64::from(weight.max(1));
    taken.map_or(share, |taken| taken + 2 * share)
}

const fn unassigned(reason: UnassignedReason) -> Outcome {
    Outcome::Unassigned { reason }
}
