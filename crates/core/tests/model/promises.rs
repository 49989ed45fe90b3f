//! What holds of every step whatever the model says: one owner, nobody ineligible, nobody over the limit,
//! nothing lost, and fair turns.

use crate::duel::Difference;
use crate::facts::{Facts, count, counted_as};
use switchboard_model::{
    Arrival, Case, Decision, Distribution, Effect, Explanation, Fallback, Input, Member, Outcome, OwnedItem, RouterState,
    RuleRef, Target, TeamId, User, UserId, Verdict, WorkType,
};

/// How often somebody was served since somebody else has been waiting for a turn.
struct Waited {
    rule: (i64, u32),
    waiting: UserId,
    served: UserId,
    times: u32,
}

/// The promises, and the turns seen so far.
#[derive(Default)]
pub struct Promises {
    waited: Vec<Waited>,
}

impl Promises {
    /// Checks one step of the router.
    pub fn check(
        &mut self,
        model: &Facts,
        input: &Input,
        effects: &[Effect],
        explained: Option<&Explanation>,
        (before, after): (&RouterState, &RouterState),
    ) -> Result<(), Difference> {
        let mut items: Vec<_> = after.owned.iter().map(|owned| owned.item).collect();
        items.dedup();
        hold("one owner", items.len() == after.owned.len(), &after.owned)?;
        let arrival = match input {
            Input::Arrived(arrival) => Some(arrival),
            Input::Refused(refusal) => {
                self.forget_turns();
                refusal.retry.as_ref()
            }
            _ => None,
        };
        let decided: Vec<&Decision> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Decide(decision) => Some(decision),
                _ => None,
            })
            .collect();
        hold("one decision for what wants an owner", decided.len() == usize::from(arrival.is_some()), &decided)?;
        let (Some(arrival), Some(decision)) = (arrival, decided.first()) else { return Ok(()) };
        let owner = after.owned.iter().find(|owned| owned.item == arrival.item).map(|owned| owned.user);
        let expected = match decision.outcome {
            Outcome::Assigned { user, .. } | Outcome::Kept { user } => Some(user),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => None,
        };
        hold("nothing lost", decision.item == arrival.item && owner == expected, decision)?;
        if let Outcome::Assigned { user, team } = decision.outcome {
            may_have(model, arrival, decision, user, team)?;
            within_limits(model, arrival, user, before)?;
        }
        if let (Some(Distribution::RoundRobin), Some(rule), Some(explained)) = (decision.distribution, decision.rule, explained) {
            self.turn(rule, explained)?;
        }
        Ok(())
    }

    /// Rules or refusals change what is fair; counting begins anew.
    pub fn forget_turns(&mut self) {
        self.waited.clear();
    }

    /// Nobody is served three times while another eligible person waits (ROUTING 6.2).
    fn turn(&mut self, rule: RuleRef, explained: &Explanation) -> Result<(), Difference> {
        let rule = (rule.channel.0, rule.case);
        let Some(stage) = explained.stages.last() else { return Ok(()) };
        let chosen = stage.candidates.iter().find(|one| one.verdict == Verdict::Chosen).map(|one| one.user);
        let Some(chosen) = chosen else { return Ok(()) };
        let waiting: Vec<UserId> =
            stage.candidates.iter().filter(|one| one.verdict == Verdict::Eligible).map(|one| one.user).collect();
        self.waited.retain(|waited| waited.rule != rule || waiting.contains(&waited.waiting));
        for waiting in waiting {
            let known = |waited: &&mut Waited| (waited.rule, waited.waiting, waited.served) == (rule, waiting, chosen);
            match self.waited.iter_mut().find(known) {
                Some(waited) => {
                    waited.times += 1;
                    hold("fair turns", waited.times < 3, &(rule, waiting, chosen))?;
                }
                None => self.waited.push(Waited { rule, waiting, served: chosen, times: 1 }),
            }
        }
        Ok(())
    }
}

/// Section 3 in the plainest words, and that the rule names the person.
fn may_have(model: &Facts, arrival: &Arrival, decision: &Decision, user: UserId, team: Option<TeamId>) -> Result<(), Difference> {
    let directory = &model.directory;
    let case = decision
        .rule
        .and_then(|rule| directory.channel(rule.channel)?.rule.as_ref()?.cases.get(usize::try_from(rule.case).ok()?));
    let (Some(person), Some(case)) = (directory.user(user), case) else {
        return hold("somebody who exists, by a rule that exists", false, decision);
    };
    let workspace = directory.workspace(arrival.workspace);
    let allowed = workspace.is_some_and(|workspace| workspace.seats.contains(&person.seat) && workspace.may_open(person));
    hold("nobody inactive", person.active && person.accepted, decision)?;
    hold("nobody without seat or access", allowed && person.seat != switchboard_model::Seat::None, decision)?;
    hold("nobody who was left out", !arrival.excluded.contains(&user), decision)?;
    let available = !case.only_available || model.unavailable(user, model.now).is_none();
    hold("nobody unavailable", available, decision)?;
    hold("nobody whom the rule does not name", names(case, arrival, person, team), decision)
}

fn names(case: &Case, arrival: &Arrival, person: &User, team: Option<TeamId>) -> bool {
    let among = |members: &[Member]| match team {
        Some(team) => members.contains(&Member::Team(team)) && person.team == Some(team),
        None => members.contains(&Member::User(person.id)),
    };
    match &case.target {
        Target::UsersAndTeams { members } => among(members),
        Target::ContactOwner { fallback, .. } => {
            let owner = arrival.contact.owner == Some(person.id) && team.is_none();
            owner
                || match fallback {
                    Fallback::Nobody => false,
                    Fallback::User { user } => *user == person.id && team.is_none(),
                    Fallback::UsersAndTeams { members } => among(members),
                }
        }
        _ => false,
    }
}

/// Automatic routing never exceeds a limit (ROUTING 5.5), counted from what the router itself remembers.
fn within_limits(model: &Facts, arrival: &Arrival, user: UserId, before: &RouterState) -> Result<(), Difference> {
    let Some(person) = model.directory.user(user) else { return Ok(()) };
    let others = || before.owned.iter().filter(|owned| owned.user == user && owned.item != arrival.item);
    let key = arrival.conversation.map_or(arrival.item.0, |conversation| conversation.0);
    let room = |work: Option<WorkType>, limit: Option<u32>| {
        let counts = |owned: &&OwnedItem| work.is_none_or(|work| owned.group.work_type() == work);
        let mut keys: Vec<i64> = others().filter(counts).map(counted_as).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.contains(&key) || limit.is_none_or(|limit| count(keys.len()) < limit)
    };
    let work = arrival.group.work_type();
    let room = room(None, person.capacity.total) && room(Some(work), person.capacity.per_type.get(&work).copied());
    hold("nobody over the limit", room, &(user, arrival.item))
}

fn hold<T: std::fmt::Debug>(what: &'static str, holds: bool, of: &T) -> Result<(), Difference> {
    if holds { Ok(()) } else { Err(Difference { what, detail: format!("{of:?}") }) }
}
