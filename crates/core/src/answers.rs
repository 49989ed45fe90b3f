//! Answers to what people ask about one item: why it waits, why somebody does not have it, and what would change that
//! (ROUTING 13.1). Every answer is read off decisions made by the same code that decides; nothing here changes the
//! router.

mod remedies;
mod trial;

use crate::decide::{Ask, Mode, Resolution, decide};
use crate::plan::Roster;
use crate::pool::Pool;
use crate::router::Router;
use crate::skills::{ms, wanted_name};
use std::borrow::Cow;
use std::collections::BTreeMap;
use switchboard_model::{
    Arrival, Candidate, CapacityUse, Case, Decision, Distribution, Fallback, ItemId, Lack, LaneLack, Outcome, Preference,
    SkipReason, Stage, StageTarget, Target, Timestamp, UserId, Verdict, WhyNot, WhyWaiting,
};

/// The item that is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// One that waits in the queue.
    Waiting(ItemId),
    /// One with the facts it would be decided on; where the same item waits, it is asked about as it waits.
    Arrival(&'a Arrival),
}

/// An item with all that a decision about it is made on.
#[derive(Clone, Debug)]
struct Question {
    arrival: Arrival,
    ask: Ask,
    /// Whom the database found full on it.
    full: Option<UserId>,
}

/// A decision with everybody who was looked at.
#[derive(Clone, Debug)]
struct Look {
    decision: Decision,
    stages: Vec<Stage>,
    /// When waiting alone may next bring about another decision.
    wake_at: Option<Timestamp>,
}

impl Router {
    /// Why an item waits, or was left unassigned: its place, and what everybody lacks. `None` for an item that does not
    /// wait and that no facts were given of.
    #[must_use]
    pub fn why_waiting(&self, subject: Subject<'_>, now: Timestamp) -> Option<WhyWaiting> {
        let now = now.max(self.now);
        let router = self.as_of(now);
        let question = router.question(subject, now)?;
        let look = router.look(&question, now);
        let item = question.arrival.item;
        let position = router.position(item);
        Some(WhyWaiting {
            item,
            outcome: look.decision.outcome,
            since: router.queue.find(item).map(|waiting| waiting.since),
            position,
            ahead: position.map_or(0, |position| position.saturating_sub(1)),
            changes_at: look.wake_at.filter(|_| position.is_some()),
            lanes: look.stages.iter().map(lane_lack).collect(),
        })
    }

    /// Why the user does not have an item, by the decision that would be made about it now. `None` for an item that
    /// does not wait and that no facts were given of.
    #[must_use]
    pub fn why_not(&self, subject: Subject<'_>, user: UserId, now: Timestamp) -> Option<WhyNot> {
        let now = now.max(self.now);
        let router = self.as_of(now);
        let question = router.question(subject, now)?;
        let look = router.look(&question, now);
        let found = |verdict: fn(&Verdict) -> bool| {
            let (place, stage) = look.stages.iter().enumerate().find(|(_, stage)| {
                stage.candidates.iter().any(|candidate| candidate.user == user && verdict(&candidate.verdict))
            })?;
            Some((place, stage.candidates.iter().find(|candidate| candidate.user == user)?.clone()))
        };
        if found(|verdict| *verdict == Verdict::Chosen).is_some() {
            return Some(WhyNot::Chosen);
        }
        if let Some((place, candidate)) = found(|verdict| *verdict == Verdict::Eligible) {
            let (chosen, because) = router.preferred(&question, &look, (place, &candidate), now);
            return Some(WhyNot::Preferred { candidate, chosen, because });
        }
        Some(match found(|verdict| matches!(verdict, Verdict::Skipped { .. })) {
            Some((_, candidate)) => router.skipped(&question, candidate, now),
            None => router.not_asked(&question, &look, user, now),
        })
    }

    /// The router as it is at a time without an input.
    fn as_of(&self, now: Timestamp) -> Cow<'_, Self> {
        if self.is_due(now) { Cow::Owned(self.begun(self.no.saturating_add(1), now).0) } else { Cow::Borrowed(self) }
    }

    fn question(&self, subject: Subject<'_>, now: Timestamp) -> Option<Question> {
        let no = self.no.saturating_add(1);
        let (item, arrival) = match subject {
            Subject::Waiting(item) => (item, None),
            Subject::Arrival(arrival) => (arrival.item, Some(arrival)),
        };
        if let Some(waiting) = self.queue.find(item) {
            let ask = Ask { no, place: 0, since: waiting.since, queued: true, waiting: true };
            return Some(Question { arrival: waiting.arrival.clone(), ask, full: waiting.barred });
        }
        let arrival = arrival?;
        Some(Question { arrival: arrival.clone(), ask: self.ask((no, 0), now, arrival, None), full: None })
    }

    fn pool<'a>(&'a self, question: &Question, now: Timestamp) -> Pool<'a> {
        let (plan, calendars) = (&*self.plan, self.calendars.as_slice());
        let seen = (&self.people, &self.work, &self.turns);
        Pool::new((plan, calendars), seen, &question.arrival, (now, question.ask.since), question.full)
    }

    fn look(&self, question: &Question, now: Timestamp) -> Look {
        let pool = self.pool(question, now);
        let Resolution { decision, stages, lanes, .. } = decide(&pool, &question.arrival, &question.ask, Mode::Explain);
        Look { decision, stages, wake_at: lanes.wake_at }
    }

    /// Who was chosen instead of an eligible candidate, and by what.
    fn preferred(
        &self,
        question: &Question,
        look: &Look,
        (place, candidate): (usize, &Candidate),
        now: Timestamp,
    ) -> (Option<Candidate>, Preference) {
        let is_chosen = |candidate: &&Candidate| candidate.verdict == Verdict::Chosen;
        let mut stages = look.stages.iter().enumerate();
        let chosen = stages.find_map(|(at, stage)| stage.candidates.iter().find(is_chosen).map(|chosen| (at, chosen)));
        let Some((chosen_at, chosen)) = chosen else { return (None, Preference::TeamOnly) };
        let because = match look.decision.distribution.filter(|_| chosen_at == place) {
            None => Preference::AskedFirst,
            Some(distribution) => {
                let pool = self.pool(question, now);
                let shortfall = |user| self.people.find(user).map(|person| pool.shortfall(person));
                if shortfall(candidate.user) == shortfall(chosen.user) {
                    measure(distribution, candidate, chosen)
                } else {
                    Preference::Skills
                }
            }
        };
        (Some(chosen.clone()), because)
    }

    fn skipped(&self, question: &Question, candidate: Candidate, now: Timestamp) -> WhyNot {
        let (mut until, mut capacity, mut lacking) = (None, None, Vec::new());
        let pool = self.pool(question, now);
        let person = self.people.find(candidate.user);
        match &candidate.verdict {
            Verdict::Skipped { reason: SkipReason::Unavailable { .. } } => {
                until = self.availability(candidate.user, now).until;
            }
            Verdict::Skipped { reason: SkipReason::AtCapacity } => {
                capacity = person.and_then(|person| capacity_use(&pool, person, question.full == Some(candidate.user)));
            }
            Verdict::Skipped { reason: SkipReason::LacksSkill { .. } } => {
                let user = self.plan.directory.user(candidate.user);
                if let Some((need, user)) = pool.need.zip(user) {
                    lacking = need.all_lacking(user).map(|wanted| wanted_name(wanted, &self.plan.directory)).collect();
                }
            }
            _ => {}
        }
        WhyNot::Skipped { candidate, until, capacity, lacking }
    }

    fn not_asked(&self, question: &Question, look: &Look, user: UserId, now: Timestamp) -> WhyNot {
        let nobody = WhyNot::NotAsked { listed: false, joins_at: None };
        let Some((case, levels)) = self.case(&look.decision) else { return nobody };
        let Some(person) = self.people.find(user) else { return nobody };
        let since = question.ask.since;
        let begins_at = |level: usize| level.checked_sub(1).map_or(since, |step| since.plus_ms(ms(case.overflow[step].after_s)));
        let lists = |level: &Option<Roster>| level.as_ref().is_some_and(|roster| roster.entry(person).is_some());
        let first = levels.iter().position(lists).map(begins_at);
        let named = named_alone(&case.target, &question.arrival).any(|named| named == user);
        let later = first.filter(|at| now < *at && !named && look.decision.outcome == Outcome::Queued);
        WhyNot::NotAsked { listed: named || first.is_some_and(|at| at <= now), joins_at: later }
    }

    /// The case that a decision went by, with the people it lists at first and after each overflow step.
    fn case(&self, decision: &Decision) -> Option<(&Case, &[Option<Roster>])> {
        let rule = decision.rule?;
        let (channel, plan) = self.plan.channel(rule.channel)?;
        let case = usize::try_from(rule.case).ok()?;
        Some((channel.rule.as_ref()?.cases.get(case)?, &plan.cases.get(case)?.levels))
    }
}

/// Everybody whom a target asks one at a time.
fn named_alone(target: &Target, arrival: &Arrival) -> impl Iterator<Item = UserId> {
    let owner = if matches!(target, Target::ContactOwner { .. }) { arrival.contact.owner } else { None };
    let default = match target {
        Target::ContactOwner { fallback: Fallback::User { user }, .. }
        | Target::Assistant { if_cannot_answer: Fallback::User { user } } => Some(*user),
        _ => None,
    };
    owner.into_iter().chain(default)
}

/// By what the chosen candidate comes before another one who is as near to the preferred skills.
fn measure(distribution: Distribution, candidate: &Candidate, chosen: &Candidate) -> Preference {
    let (same_load, same_mark) = (candidate.load == chosen.load, candidate.last_assigned == chosen.last_assigned);
    match distribution {
        Distribution::RoundRobin => Preference::Turn,
        Distribution::Random => Preference::Draw,
        Distribution::LongestIdle if same_mark => Preference::LowestId,
        Distribution::LongestIdle => Preference::Idle,
        Distribution::LongestIdleTotal if candidate.idle_ms != chosen.idle_ms => Preference::Idle,
        Distribution::LoadBalanced | Distribution::LeastBusy if !same_load => Preference::Load,
        _ if same_mark => Preference::LowestId,
        _ => Preference::LastAssigned,
    }
}

fn capacity_use(pool: &Pool<'_>, person: u32, found_full: bool) -> Option<CapacityUse> {
    let profile = pool.person(person).profile.as_ref()?;
    let (work, per_type) = (pool.work(), pool.open_per_type(person));
    let weights = profile.weights.map(|(_, weights)| weights).unwrap_or_default();
    Some(CapacityUse {
        open: pool.open(person),
        limit: profile.limit,
        work,
        open_of_type: per_type[work as usize],
        limit_of_type: profile.limit_per_type[work as usize],
        weight: per_type.iter().zip(weights).map(|(count, weight)| u64::from(*count) * u64::from(weight)).sum(),
        item_weight: weights[work as usize],
        weight_limit: profile.weights.map(|(limit, _)| limit),
        found_full,
    })
}

fn lane_lack(stage: &Stage) -> LaneLack {
    let mut lacks: BTreeMap<&SkipReason, u32> = BTreeMap::new();
    let mut eligible = 0;
    for candidate in &stage.candidates {
        match &candidate.verdict {
            Verdict::Skipped { reason } => *lacks.entry(reason).or_default() += 1,
            Verdict::Chosen | Verdict::Eligible => eligible += 1,
        }
    }
    let lacks = lacks.into_iter().map(|(reason, people)| Lack { reason: reason.clone(), people }).collect();
    let people = u32::try_from(stage.candidates.len()).unwrap_or(u32::MAX);
    LaneLack { target: stage.target, people, eligible, lacks }
}

/// Everybody who was asked in a decision. The owner an item had is no candidate for it here.
fn asked(stages: &[Stage]) -> impl Iterator<Item = &Candidate> {
    stages.iter().filter(|stage| stage.target != StageTarget::PreviousOwner).flat_map(|stage| &stage.candidates)
}

/// What became of a user in a decision: nothing for somebody who was not asked, else whether eligible, or the first
/// reason why not.
fn verdict(stages: &[Stage], user: UserId) -> Option<Result<(), SkipReason>> {
    let mut skipped = None;
    for candidate in asked(stages).filter(|candidate| candidate.user == user) {
        match &candidate.verdict {
            Verdict::Skipped { reason } => skipped = skipped.or_else(|| Some(Err(reason.clone()))),
            Verdict::Chosen | Verdict::Eligible => return Some(Ok(())),
        }
    }
    skipped
}
