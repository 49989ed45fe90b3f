//! Who is eligible and who of them is best: the text of ROUTING 3, 6 and 8.3.

use crate::decide::{Ask, Name, Named, Terms, pass};
use crate::dice::Dice;
use crate::facts::count;
use crate::skills::{Shortfall, lacking, shortfall};
use switchboard_model::{
    Candidate, Case, Distribution, LoadGroup, Member, Seat, SkipReason, Stage, StageTarget, UnavailableCause, User, UserId,
    Verdict, WorkspaceId, WorkspaceKind,
};

impl Ask<'_> {
    /// ROUTING 6.2 and 3.4: in the listed order, teams by user id, everybody once; an extra member has a place
    /// only where the list does not reach the person otherwise.
    pub fn expand(&self, names: &[Name], case: &Case) -> Vec<Named> {
        let directory = &self.facts.directory;
        let mut all = Vec::new();
        for name in names {
            match name {
                Name::Member(member) => {
                    let weight = case.weights.get(member).copied().unwrap_or(1);
                    all.extend(self.stands_for(*member).into_iter().map(|one| Named { weight, ..one }));
                }
                Name::Workspaces(workspaces) => {
                    let selectable = |user: &User| workspaces.iter().any(|there| self.not_selectable(user.id, *there).is_none());
                    all.extend(directory.users.iter().filter(|user| selectable(user)).map(|user| Named::alone(user.id)));
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

    fn stands_for(&self, member: Member) -> Vec<Named> {
        match member {
            Member::User(user) => vec![Named::alone(user)],
            Member::Team(team) => {
                let members = self.facts.directory.users.iter().filter(|user| user.is_member(team));
                members.map(|user| Named { team: Some(team), main: user.team == Some(team), ..Named::alone(user.id) }).collect()
            }
        }
    }

    /// Looks at people, ranks the eligible, and says who gets it.
    pub fn look_at(&mut self, target: StageTarget, named: &[Named], terms: Terms) -> Option<Candidate> {
        let measure = match terms.distribution {
            Some(Distribution::LeastBusy) if !self.arrival.group.is_help_desk() => LoadGroup::InboxChat,
            _ => self.arrival.group,
        };
        let mut candidates = Vec::new();
        for one in named.iter().filter(|one| self.facts.directory.user(one.user).is_some()) {
            let skipped = self.skipped(one, terms);
            let verdict = skipped.map_or(Verdict::Eligible, |reason| Verdict::Skipped { reason });
            let by_idle = terms.distribution == Some(Distribution::LongestIdleTotal);
            let idle_ms = by_idle.then(|| self.facts.idle_ms(one.user, self.arrival.group));
            candidates.push(Candidate { idle_ms, ..self.candidate(*one, measure, verdict) });
        }
        let winner = self.rank(&mut candidates, named, terms);
        if let Some(winner) = winner {
            candidates[winner].verdict = Verdict::Chosen;
        }
        let taken = winner.map(|winner| candidates[winner].clone());
        self.stages.push(Stage { target, candidates });
        taken
    }

    /// A candidate as it is recorded.
    pub fn candidate(&self, named: Named, measure: LoadGroup, verdict: Verdict) -> Candidate {
        let Named { user, team, .. } = named;
        Candidate {
            user,
            team,
            load: self.facts.load(user, measure, self.facts.now),
            open: self.facts.open(user, None),
            limit: self.facts.directory.user(user).and_then(|user| user.capacity.total),
            last_assigned: self.facts.mark(user, self.arrival.group),
            rank: None,
            idle_ms: None,
            verdict,
        }
    }

    /// ROUTING 6 behind 8.3: gives ranks to the eligible and names the winner's place among the candidates.
    fn rank(&mut self, candidates: &mut [Candidate], named: &[Named], terms: Terms) -> Option<usize> {
        let distribution = terms.distribution;
        let mut eligible: Vec<usize> =
            (0..candidates.len()).filter(|place| candidates[*place].verdict == Verdict::Eligible).collect();
        if distribution == Some(Distribution::Random) {
            eligible.sort_by_key(|place| (self.shortfall(candidates[*place].user), *place));
            let best = eligible.first().map(|place| self.shortfall(candidates[*place].user));
            for (rank, place) in eligible.iter().enumerate() {
                let least = Some(self.shortfall(candidates[*place].user)) == best;
                candidates[*place].rank = Some(if least { 1 } else { count(rank + 1) });
            }
            eligible.retain(|place| candidates[*place].rank == Some(1));
            if eligible.is_empty() {
                return None;
            }
            let draw = draw(self.arrival.seed, eligible.len());
            self.decision.draw = Some(count(draw));
            return Some(eligible[draw]);
        }
        eligible.sort_by_key(|place| {
            let one = &candidates[*place];
            let (load, mark, user) = (u64::from(one.load), one.last_assigned, one.user);
            let measure = match distribution {
                Some(Distribution::RoundRobin) => (self.turn(user, named, terms.weighted), None, count(*place), user),
                Some(Distribution::LongestIdle) => (0, mark, 0, user),
                Some(Distribution::LongestIdleTotal) => {
                    let owns = u64::from(self.facts.load(user, self.arrival.group, self.facts.now) > 0) << 63;
                    (owns | ((u64::MAX >> 1) - self.facts.idle_ms(user, self.arrival.group)), mark, 0, user)
                }
                _ => (load, mark, 0, user),
            };
            (self.shortfall(user), measure)
        });
        for (rank, place) in eligible.iter().enumerate() {
            candidates[*place].rank = Some(count(rank + 1));
        }
        eligible.first().copied()
    }

    fn shortfall(&self, user: UserId) -> Shortfall {
        self.facts.directory.user(user).map(|user| shortfall(user, &self.demands)).unwrap_or_default()
    }

    /// The next pass where there are weights, else whether the turn of the running cycle is taken (ROUTING 6.2).
    fn turn(&self, user: UserId, named: &[Named], weighted: bool) -> u64 {
        let rule = self.decision.rule.expect("only a case of a rule takes turns");
        let (served, running) = self.facts.turn(rule.channel, rule.case, user);
        let weight = named.iter().find(|one| one.user == user).map_or(1, |one| one.weight);
        if weighted { pass(served, weight) } else { u64::from(served == Some(running)) }
    }

    /// Whether an eligible person ranked as the best one did before ties were broken.
    pub fn shares_best(&self, one: &Candidate, best: &Candidate, distribution: Distribution) -> bool {
        let eligible = one.rank.is_some() && self.shortfall(one.user) == self.shortfall(best.user);
        match distribution {
            Distribution::RoundRobin => one.user == best.user,
            Distribution::Random => eligible,
            Distribution::LongestIdle => eligible && one.last_assigned == best.last_assigned,
            Distribution::LongestIdleTotal => eligible && (one.load == 0, one.idle_ms) == (best.load == 0, best.idle_ms),
            _ => eligible && one.load == best.load,
        }
    }

    /// The first reason of ROUTING 3 that applies.
    fn skipped(&self, named: &Named, terms: Terms) -> Option<SkipReason> {
        if let Some(reason) = self.unselectable(named.user) {
            return Some(reason);
        }
        if !named.main {
            return Some(SkipReason::NotMainMember);
        }
        if let Some(cause) = self.unavailable(named.user).filter(|_| terms.only_available) {
            return Some(SkipReason::Unavailable { cause });
        }
        let full = self.barred == Some(named.user) || !self.facts.has_room(named.user, self.arrival);
        if full && !terms.keeps {
            return Some(SkipReason::AtCapacity);
        }
        let person = self.facts.directory.user(named.user)?;
        if let Some(demand) = lacking(person, &self.demands, Some(self.waited_ms)).filter(|_| !terms.keeps) {
            return Some(SkipReason::LacksSkill { skill: self.facts.called(&demand.wanted) });
        }
        self.arrival.excluded.contains(&named.user).then_some(SkipReason::Excluded)
    }

    fn unavailable(&self, user: UserId) -> Option<UnavailableCause> {
        self.facts.unavailable(user, self.facts.now)
    }

    /// Whether somebody could take the item as the directory stands (ROUTING 7.2).
    pub fn could_take(&self, user: UserId) -> bool {
        let skilled = |user: &User| lacking(user, &self.demands, None).is_none();
        let left_out = self.arrival.excluded.contains(&user);
        self.unselectable(user).is_none() && !left_out && self.facts.directory.user(user).is_some_and(skilled)
    }

    /// ROUTING 3.1 to 3.3 where the item is.
    pub fn unselectable(&self, user: UserId) -> Option<SkipReason> {
        self.not_selectable(user, self.arrival.workspace)
    }

    fn not_selectable(&self, user: UserId, workspace: WorkspaceId) -> Option<SkipReason> {
        let Some(user) = self.facts.directory.user(user) else { return Some(SkipReason::Inactive) };
        let workspace = self.facts.directory.workspace(workspace);
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
