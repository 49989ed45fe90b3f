//! The model's decision: the text of ROUTING 3, 4.6, 6, 7 and 12.2, read from top to bottom.

use crate::dice::Dice;
use crate::facts::{Facts, count, counted_as};
use switchboard_model::{
    Arrival, BEHAVIOUR_VERSION, Candidate, Case, ChannelEntry, ChannelKind, Decision, Distribution, Fallback, LoadGroup, Member,
    Outcome, OutsideHours, OwnedItem, Owner, ReopenOwner, RouteEvent, RuleRef, Seat, SkipReason, Stage, StageTarget, Target,
    TeamId, UnassignedReason, UnavailableCause, User, UserId, Verdict, WhenNobody, WorkType, WorkspaceKind,
};

/// A decision with everybody who was looked at, and the contact owner who is to be told.
pub struct Decided {
    pub decision: Decision,
    pub stages: Vec<Stage>,
    pub notify: Option<UserId>,
}

/// What one decision is about.
struct Ask<'a> {
    facts: &'a Facts,
    arrival: &'a Arrival,
    full: Option<UserId>,
    decision: Decision,
    stages: Vec<Stage>,
    notify: Option<UserId>,
}

/// Somebody named by a list.
#[derive(Clone, Copy)]
struct Named {
    user: UserId,
    team: Option<TeamId>,
    main: bool,
}

/// Decides on an arriving item, which is nobody's at that moment (ROUTING 2.7).
pub fn decide(facts: &Facts, arrival: &Arrival, full: Option<UserId>) -> Decided {
    let decision = Decision {
        no: facts.no,
        place: 0,
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
        queued_since: None,
        behaviour: BEHAVIOUR_VERSION,
    };
    let mut ask = Ask { facts, arrival, full, decision, stages: Vec::new(), notify: None };
    ask.decision.outcome = ask.outcome();
    ask.count_people();
    Decided { decision: ask.decision, stages: ask.stages, notify: ask.notify }
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
        if self.arrival.event == RouteEvent::Reopened
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
        if case.outside_hours != OutsideHours::Route && !facts.channel_open(channel.id, facts.now) {
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
                let named = [Named { user: id, team: None, main: true }];
                let taken = self.look_at(StageTarget::PreviousOwner, &named, chat, false, None)?;
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
                self.choose(StageTarget::UsersAndTeams, members, channel, case, UnassignedReason::NobodyEligible)
            }
            Target::ContactOwner { require_cookie, fallback } => {
                let known = if *require_cookie { self.arrival.contact.cookie } else { self.arrival.contact.proven };
                let owner = self.arrival.contact.owner.filter(|_| known);
                match owner.and_then(|owner| self.contact_owner(owner, case)) {
                    Some(outcome) => Ok(outcome),
                    None => self.fall_back(fallback, channel, case),
                }
            }
            Target::Assistant { if_cannot_answer } => self.fall_back(if_cannot_answer, channel, case),
        };
        people.unwrap_or_else(|reason| self.kept(case).unwrap_or_else(|| unassigned(reason)))
    }

    fn contact_owner(&mut self, owner: UserId, case: &Case) -> Option<Outcome> {
        let named = [Named { user: owner, team: None, main: true }];
        let taken = self.look_at(StageTarget::ContactOwner, &named, case.only_available, true, None);
        match &taken {
            Some(taken) => self.assign(taken, 1, case),
            None => {
                let last = self.stages.last().and_then(|stage| stage.candidates.first()).map(|one| &one.verdict);
                if let Some(Verdict::Skipped { reason: SkipReason::Unavailable { .. } | SkipReason::AtCapacity }) = last {
                    self.notify = Some(owner);
                }
            }
        }
        taken.map(|taken| Outcome::Assigned { user: taken.user, team: None })
    }

    /// ROUTING 7.3.
    fn fall_back(&mut self, fallback: &Fallback, channel: &ChannelEntry, case: &Case) -> Result<Outcome, UnassignedReason> {
        self.decision.fallback = true;
        match fallback {
            Fallback::Nobody => Err(UnassignedReason::NoContactOwner),
            Fallback::UsersAndTeams { members } => {
                self.choose(StageTarget::Fallback, members, channel, case, UnassignedReason::NobodyEligible)
            }
            Fallback::User { user } => {
                let named = [Named { user: *user, team: None, main: true }];
                let taken = self.look_at(StageTarget::Fallback, &named, case.only_available, true, None);
                let Some(taken) = taken else { return Err(self.nobody(UnassignedReason::NobodyEligible)) };
                self.assign(&taken, 1, case);
                Ok(Outcome::Assigned { user: taken.user, team: None })
            }
        }
    }

    /// Why nobody got it: a list that names nobody who exists is told apart from people who were skipped.
    fn nobody(&self, otherwise: UnassignedReason) -> UnassignedReason {
        let looked_at = self.stages.iter().any(|stage| !stage.candidates.is_empty());
        if looked_at { otherwise } else { UnassignedReason::NoCandidates }
    }

    fn choose(
        &mut self,
        target: StageTarget,
        members: &[Member],
        channel: &ChannelEntry,
        case: &Case,
        otherwise: UnassignedReason,
    ) -> Result<Outcome, UnassignedReason> {
        let distribution = case.distribution.unwrap_or_else(|| self.default_distribution(channel));
        let named = self.expand(members);
        let Some(taken) = self.look_at(target, &named, case.only_available, true, Some(distribution)) else {
            return Err(self.nobody(otherwise));
        };
        let candidates = self.stages.last().map(|stage| stage.candidates.clone()).unwrap_or_default();
        let tied = candidates.iter().filter(|one| self.shares_best(one, &taken, distribution)).count();
        self.assign(&taken, count(tied), case);
        self.decision.distribution = Some(distribution);
        if distribution == Distribution::RoundRobin
            && let Some(rule) = self.decision.rule
        {
            let (before, running) = self.facts.turn(rule.channel, rule.case, taken.user);
            self.decision.turn_before = before;
            self.decision.turn = Some(if before == Some(running) { running + 1 } else { running });
        }
        Ok(Outcome::Assigned { user: taken.user, team: taken.team })
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
        let named = [Named { user: id, team: None, main: true }];
        let taken = self.look_at(StageTarget::PreviousOwner, &named, false, false, None)?;
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
            candidates.push(self.candidate(Named { user, team: Some(team), main: true }, self.arrival.group, verdict));
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

    /// ROUTING 6.2 and 3.4: in the listed order, teams by user id, everybody once; an extra member has a place
    /// only where the list does not reach the person otherwise.
    fn expand(&self, members: &[Member]) -> Vec<Named> {
        let directory = &self.facts.directory;
        let mut all = Vec::new();
        for member in members {
            match member {
                Member::User(user) => all.push(Named { user: *user, team: None, main: true }),
                Member::Team(team) => {
                    for user in directory.users.iter().filter(|user| user.is_member(*team)) {
                        all.push(Named { user: user.id, team: Some(*team), main: user.team == Some(*team) });
                    }
                }
            }
        }
        let mut once: Vec<Named> = Vec::new();
        for one in &all {
            let better = all.iter().any(|other| other.user == one.user && other.main);
            if (one.main || !better) && once.iter().all(|other| other.user != one.user) {
                once.push(*one);
            }
        }
        once
    }

    /// Looks at people, ranks the eligible, and says who gets it.
    fn look_at(
        &mut self,
        target: StageTarget,
        named: &[Named],
        only_available: bool,
        room: bool,
        distribution: Option<Distribution>,
    ) -> Option<Candidate> {
        let measure = match distribution {
            Some(Distribution::LeastBusy) if !self.arrival.group.is_help_desk() => LoadGroup::InboxChat,
            _ => self.arrival.group,
        };
        let mut candidates = Vec::new();
        for one in named.iter().filter(|one| self.facts.directory.user(one.user).is_some()) {
            let skipped = self.skipped(one, only_available, room);
            let verdict = skipped.map_or(Verdict::Eligible, |reason| Verdict::Skipped { reason });
            candidates.push(self.candidate(*one, measure, verdict));
        }
        let winner = self.rank(&mut candidates, distribution);
        if let Some(winner) = winner {
            candidates[winner].verdict = Verdict::Chosen;
        }
        let taken = winner.map(|winner| candidates[winner].clone());
        self.stages.push(Stage { target, candidates });
        taken
    }

    fn candidate(&self, named: Named, measure: LoadGroup, verdict: Verdict) -> Candidate {
        let Named { user, team, .. } = named;
        Candidate {
            user,
            team,
            load: self.facts.load(user, measure, self.facts.now),
            open: self.facts.open(user, None),
            limit: self.facts.directory.user(user).and_then(|user| user.capacity.total),
            idle_ms: None,
            last_assigned: self.facts.mark(user, self.arrival.group),
            rank: None,
            verdict,
        }
    }

    /// ROUTING 6: gives ranks to the eligible and names the winner's place among the candidates.
    fn rank(&mut self, candidates: &mut [Candidate], distribution: Option<Distribution>) -> Option<usize> {
        let mut eligible: Vec<usize> =
            (0..candidates.len()).filter(|place| candidates[*place].verdict == Verdict::Eligible).collect();
        if eligible.is_empty() {
            return None;
        }
        if distribution == Some(Distribution::Random) {
            let draw = draw(self.arrival.seed, eligible.len());
            self.decision.draw = Some(count(draw));
            eligible.iter().for_each(|place| candidates[*place].rank = Some(1));
            return Some(eligible[draw]);
        }
        eligible.sort_by_key(|place| {
            let one = &candidates[*place];
            let (load, mark, user) = (one.load, one.last_assigned, one.user);
            match distribution {
                Some(Distribution::RoundRobin) => (u32::from(self.has_no_turn(user)), None, count(*place), user),
                Some(Distribution::LongestIdle) => (0, mark, 0, user),
                _ => (load, mark, 0, user),
            }
        });
        for (rank, place) in eligible.iter().enumerate() {
            candidates[*place].rank = Some(count(rank + 1));
        }
        eligible.first().copied()
    }

    fn has_no_turn(&self, user: UserId) -> bool {
        let rule = self.decision.rule.expect("only a case of a rule takes turns");
        let (served, running) = self.facts.turn(rule.channel, rule.case, user);
        served == Some(running)
    }

    fn shares_best(&self, one: &Candidate, best: &Candidate, distribution: Distribution) -> bool {
        let eligible = one.rank.is_some();
        match distribution {
            Distribution::RoundRobin => one.user == best.user,
            Distribution::Random => eligible,
            Distribution::LongestIdle => eligible && one.last_assigned == best.last_assigned,
            _ => eligible && one.load == best.load,
        }
    }

    /// The first reason of ROUTING 3 that applies.
    fn skipped(&self, named: &Named, only_available: bool, room: bool) -> Option<SkipReason> {
        if let Some(reason) = self.unselectable(named.user) {
            return Some(reason);
        }
        if !named.main {
            return Some(SkipReason::NotMainMember);
        }
        if let Some(cause) = self.unavailable(named.user).filter(|_| only_available) {
            return Some(SkipReason::Unavailable { cause });
        }
        if room && (self.full == Some(named.user) || !self.has_room(named.user)) {
            return Some(SkipReason::AtCapacity);
        }
        self.arrival.excluded.contains(&named.user).then_some(SkipReason::Excluded)
    }

    fn unavailable(&self, user: UserId) -> Option<UnavailableCause> {
        self.facts.unavailable(user, self.facts.now)
    }

    /// ROUTING 3.1 to 3.3.
    fn unselectable(&self, user: UserId) -> Option<SkipReason> {
        let Some(user) = self.facts.directory.user(user) else { return Some(SkipReason::Inactive) };
        let workspace = self.facts.directory.workspace(self.arrival.workspace);
        if !user.is_active() {
            return Some(SkipReason::Inactive);
        }
        if user.seat == Seat::None || workspace.is_some_and(|workspace| !workspace.seats.contains(&user.seat)) {
            return Some(SkipReason::NoSeat);
        }
        let opens = |user: &User| {
            workspace.is_some_and(|workspace| {
                workspace.may_open(user) && (workspace.kind == WorkspaceKind::Inbox || user.ticket_access)
            })
        };
        (!opens(user)).then_some(SkipReason::NoAccess)
    }

    /// ROUTING 5.5: room in the total, and in the type, each where the item is not counted already.
    fn has_room(&self, user: UserId) -> bool {
        let Some(person) = self.facts.directory.user(user) else { return false };
        let key = self.arrival.conversation.map_or(self.arrival.item.0, |conversation| conversation.0);
        let room = |work: Option<WorkType>, limit: Option<u32>| {
            let same = |item: &&OwnedItem| item.user == user && work.is_none_or(|work| item.group.work_type() == work);
            let counted = self.facts.owned.iter().filter(same).any(|item| counted_as(item) == key);
            counted || limit.is_none_or(|limit| self.facts.open(user, work) < limit)
        };
        let work = self.arrival.group.work_type();
        room(None, person.capacity.total) && room(Some(work), person.capacity.per_type.get(&work).copied())
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

/// ROUTING 6.3: drawn again while the value lies in the last, incomplete run of indexes.
fn draw(seed: u64, among: usize) -> usize {
    let among = u128::try_from(among).unwrap_or(1);
    let fair = (1_u128 << 64) / among * among;
    let mut dice = Dice::new(seed);
    loop {
        let value = u128::from(dice.roll());
        if value < fair {
            return usize::try_from(value % among).unwrap_or(0);
        }
    }
}

const fn unassigned(reason: UnassignedReason) -> Outcome {
    Outcome::Unassigned { reason }
}
