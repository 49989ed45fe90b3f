//! What holds of every step whatever the model says: one owner, nobody ineligible, nobody over the limit,
//! nothing lost, and fair turns.

use crate::duel::Difference;
use crate::facts::{Facts, count};
use crate::room::counted_as;
use crate::skills::meets;
use switchboard_model::{
    Arrival, Case, Decision, Distribution, Effect, Explanation, Fallback, Input, Member, Outcome, OverflowStep, OwnedItem, Owner,
    RouterState, Target, TeamId, User, UserId, Verdict, WorkType,
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

/// One step of the router as it is judged.
pub struct Seen<'a> {
    pub model: &'a Facts,
    pub input: &'a Input,
    pub effects: &'a [Effect],
    pub explanations: &'a [Explanation],
    pub before: &'a RouterState,
    pub after: &'a RouterState,
}

impl Promises {
    /// Checks one step of the router.
    pub fn check(&mut self, seen: &Seen<'_>) -> Result<(), Difference> {
        let Seen { model, input, before, after, .. } = seen;
        let mut items: Vec<_> = after.owned.iter().map(|owned| owned.item).collect();
        items.extend(after.waiting.iter().map(|waiting| waiting.arrival.item));
        items.sort();
        let all = items.len();
        items.dedup();
        hold("one owner, or a place in the queue", items.len() == all, after)?;
        if let Input::Refused(_) = input {
            self.forget_turns();
        }
        let brought = brought(input);
        let decided = decisions(seen.effects, brought);
        for (decision, arrival, _) in &decided {
            let arrival = arrival.ok_or_else(|| Difference { what: "a decision of nothing", detail: format!("{decision:?}") })?;
            if let Outcome::Assigned { user, team } = decision.outcome {
                if !changes_grounds(input, user) {
                    let since = decision.queued_since.or(arrival.queue.since);
                    let waited_ms = since.map_or(0, |since| model.now.ms_since(since));
                    may_have(model, arrival, decision, waited_ms, (user, team))?;
                }
                let keeps = |made: &Made<'_>| made.0.outcome == Outcome::Kept { user };
                if !decided.iter().any(keeps) {
                    within_limits(model, arrival, user, input, (before, after))?;
                }
            }
        }
        kept_track(&decided, brought, input, before, after)?;
        for explained in seen.explanations {
            self.turn(model, explained)?;
        }
        Ok(())
    }

    /// Rules or refusals change what is fair; counting begins anew.
    pub fn forget_turns(&mut self) {
        self.waited.clear();
    }

    /// Nobody is served three times while another eligible person waits (ROUTING 6.2), as long as no skill is wanted and no share.
    fn turn(&mut self, model: &Facts, explained: &Explanation) -> Result<(), Difference> {
        let Explanation { decision, stages } = explained;
        let (Some(Distribution::RoundRobin), Some(rule)) = (decision.distribution, decision.rule) else { return Ok(()) };
        let cases = model.directory.channel(rule.channel).and_then(|channel| channel.rule.as_ref()).map(|rule| &rule.cases[..]);
        let case = usize::try_from(rule.case).ok().and_then(|case| cases?.get(case));
        if model.directory.workspaces.iter().any(|workspace| !workspace.skill_rules.is_empty())
            || case.is_none_or(|case| !case.weights.is_empty())
        {
            self.forget_turns();
            return Ok(());
        }
        let rule = (rule.channel.0, rule.case);
        let Some(stage) = stages.last() else { return Ok(()) };
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

/// Whether what a decision rested on may have changed after it within the same step.
fn changes_grounds(input: &Input, user: UserId) -> bool {
    match input {
        Input::Directory { .. } | Input::Refused(_) => true,
        Input::Status(change) => change.user == user,
        _ => false,
    }
}

/// Section 3 in the plainest words, and that the rule names the person.
fn may_have(
    model: &Facts,
    arrival: &Arrival,
    decision: &Decision,
    waited_ms: i64,
    (user, team): (UserId, Option<TeamId>),
) -> Result<(), Difference> {
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
    let skilled = model.demands(arrival).iter().all(|demand| {
        let relaxed = demand.relax_after_s.is_some_and(|after_s| waited_ms >= i64::from(after_s) * 1_000);
        !demand.required || relaxed || meets(person, &demand.wanted)
    });
    hold("nobody without the skill", skilled, decision)?;
    hold("nobody whom the rule does not name", names(case, arrival, person, team, waited_ms), decision)
}

fn names(case: &Case, arrival: &Arrival, person: &User, team: Option<TeamId>, waited_ms: i64) -> bool {
    let among = |members: &[Member]| match team {
        Some(team) => members.contains(&Member::Team(team)) && person.team == Some(team),
        None => members.contains(&Member::User(person.id)),
    };
    let due = |step: &OverflowStep| i64::from(step.after_s) * 1_000 <= waited_ms;
    if case.overflow.iter().any(|step| due(step) && (among(&step.members) || (team.is_none() && !step.workspaces.is_empty()))) {
        return true;
    }
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

/// Automatic routing never exceeds a limit (ROUTING 5.5), counted from what the router itself remembers afterwards,
/// unless the person got more by hand or kept more in the same step.
fn within_limits(
    model: &Facts,
    arrival: &Arrival,
    user: UserId,
    input: &Input,
    (before, after): (&RouterState, &RouterState),
) -> Result<(), Difference> {
    let Some(person) = model.directory.user(user) else { return Ok(()) };
    let by_hand = matches!(input, Input::Changed(change) if change.state.owner == Some(Owner::User { id: user }));
    let taken_back = matches!(input, Input::Refused(refusal) if refusal.state.owner == Some(Owner::User { id: user }));
    let still = after.owned.iter().any(|owned| (owned.item, owned.user) == (arrival.item, user));
    let edited = matches!(input, Input::Directory { .. });
    // What the item counted once with may have left the person after the decision.
    let lost =
        before.owned.iter().any(|was| was.user == user && !after.owned.iter().any(|is| (is.item, is.user) == (was.item, user)));
    if by_hand || taken_back || edited || lost || !still {
        return Ok(());
    }
    if !person.capacity.leave_out.is_nothing() {
        return Ok(());
    }
    let key = arrival.conversation.map_or(arrival.item.0, |conversation| conversation.0);
    let keys = |work: Option<WorkType>| {
        let others = after.owned.iter().filter(|owned| owned.user == user && owned.item != arrival.item);
        let counts = |owned: &&OwnedItem| work.is_none_or(|work| owned.group.work_type() == work);
        let mut keys: Vec<i64> = others.filter(counts).map(counted_as).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let room = |work: Option<WorkType>, limit: Option<u32>| {
        keys(work).contains(&key) || limit.is_none_or(|limit| count(keys(work).len()) < limit)
    };
    let work = arrival.group.work_type();
    let bears = person.capacity.weights.as_ref().is_none_or(|weights| {
        let weight = |work: &WorkType| weights.per_type.get(work).copied().unwrap_or(0);
        let owned: u32 = WorkType::ALL.iter().map(|work| count(keys(Some(*work)).len()) * weight(work)).sum();
        keys(Some(work)).contains(&key) || owned + weight(&work) <= weights.limit
    });
    let room = room(None, person.capacity.total) && room(Some(work), person.capacity.per_type.get(&work).copied());
    hold("nobody over the limit", room && bears, &(user, arrival.item))
}

/// The item that an input brings.
fn brought(input: &Input) -> Option<&Arrival> {
    match input {
        Input::Arrived(arrival) => Some(arrival),
        Input::Refused(refusal) => refusal.retry.as_ref(),
        _ => None,
    }
}

/// A decision, what it was about, and whether the item left the queue with it.
type Made<'a> = (&'a Decision, Option<&'a Arrival>, bool);

fn decisions<'a>(effects: &'a [Effect], brought: Option<&'a Arrival>) -> Vec<Made<'a>> {
    let mut decided = Vec::new();
    for (at, effect) in effects.iter().enumerate() {
        let Effect::Decide(decision) = effect else { continue };
        decided.push(match effects.get(at + 1) {
            Some(Effect::LeftQueue { arrival }) => (decision, Some(arrival.as_ref()), true),
            _ => (decision, brought.filter(|brought| brought.item == decision.item), false),
        });
    }
    decided
}

/// Whatever came is owned, waits, or was left with a reason; what waited goes on, was decided on, or was told of.
fn kept_track(
    decided: &[Made<'_>],
    brought: Option<&Arrival>,
    input: &Input,
    before: &RouterState,
    after: &RouterState,
) -> Result<(), Difference> {
    let last = |item| decided.iter().rev().map(|(decision, ..)| *decision).find(|decision| decision.item == item);
    let waits = |state: &RouterState, item| state.waiting.iter().any(|waiting| waiting.arrival.item == item);
    if let Some(brought) = brought {
        hold("a decision for what wants an owner", last(brought.item).is_some(), brought)?;
    }
    let told = match input {
        Input::Changed(change) => Some(change.state.item),
        Input::Refused(refusal) => Some(refusal.state.item),
        Input::Arrived(arrival) => Some(arrival.item),
        _ => None,
    };
    for (decision, ..) in decided.iter().filter(|(decision, ..)| told != Some(decision.item) || brought.is_some()) {
        let decision = last(decision.item).unwrap_or(decision);
        let owner = after.owned.iter().find(|owned| owned.item == decision.item).map(|owned| owned.user);
        let expected = match decision.outcome {
            Outcome::Assigned { user, .. } | Outcome::Kept { user } => Some(user),
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => None,
        };
        let place = waits(after, decision.item) == (decision.outcome == Outcome::Queued);
        hold("nothing lost", owner == expected && place, decision)?;
    }
    for waited in &before.waiting {
        let item = waited.arrival.item;
        let accounted = waits(after, item) || last(item).is_some() || told == Some(item);
        hold("nothing that waited is lost", accounted, waited)?;
    }
    Ok(())
}

/// What must hold, or the difference there is.
pub fn hold<T: std::fmt::Debug>(what: &'static str, holds: bool, of: &T) -> Result<(), Difference> {
    if holds { Ok(()) } else { Err(Difference { what, detail: format!("{of:?}") }) }
}
