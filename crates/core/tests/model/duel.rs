//! Model and router side by side: one step of both, and everything that must agree afterwards.

use crate::dice::Dice;
use crate::facts::Facts;
use crate::history::{Entry, Event, History};
use crate::people::DAY_MS;
use crate::promises::{Promises, Seen};
use crate::step::Answer;
use crate::waits;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use switchboard_core::{Router, Stranded};
use switchboard_model::{Decision, Effect, Explanation, Input, ItemId, LoadGroup, RouterState, Timestamp, Undone};

/// What differed, in words that stay the same while a history is cut down, and the details.
#[derive(Clone, Debug)]
pub struct Difference {
    pub what: &'static str,
    pub detail: String,
}

/// Model, router, and a second router that is rebuilt from the first one's state now and then.
pub struct Duel {
    pub model: Facts,
    pub decisions: Vec<Decision>,
    router: Router,
    twin: Router,
    promises: Promises,
    dice: Dice,
}

/// What both answered.
pub struct Round {
    pub input: Input,
    pub effects: Vec<Effect>,
    pub wake: Option<Timestamp>,
}

impl Duel {
    /// Both before the first step.
    pub fn new(history: &History) -> Self {
        let (start, directory) = (history.start, history.directory.clone());
        let state = RouterState { now: start, directory_version: directory.version, ..RouterState::default() };
        let router = |state: RouterState| Router::new(directory.clone(), state).expect("an empty state fits any directory");
        Self {
            model: Facts::new(directory.clone(), start, (start.plus_ms(-45 * DAY_MS), start.plus_ms(170 * DAY_MS))),
            decisions: Vec::new(),
            router: router(state.clone()),
            twin: router(state),
            promises: Promises::default(),
            dice: Dice::new(history.seed ^ 0x5EED),
        }
    }

    /// One step of all three, compared.
    pub fn step(&mut self, entry: &Entry) -> Result<Round, Difference> {
        catch_unwind(AssertUnwindSafe(|| self.compared(entry)))
            .unwrap_or_else(|_| Err(Difference { what: "panic", detail: "the step panicked".to_owned() }))
    }

    fn compared(&mut self, entry: &Entry) -> Result<Round, Difference> {
        let no = self.model.no + 1;
        let input = entry.event.input(&self.decisions);
        self.wrong_numbers(no, entry)?;
        let before = self.router.state();
        let explained = self.router.explain_input(no, entry.now, &input);
        let answer = self.model.step(no, entry.now, &input);
        let explanations = self.explanations(no, entry.now, &input, &answer);
        let effects = self.router.step(no, entry.now, &input);
        same("effects", &spoken(&answer.effects), &spoken(&effects))?;
        same_explanation(answer.asked.as_ref(), explained.as_ref())?;
        for (model, router) in &explanations {
            same_explanation(Some(model), router.as_ref())?;
        }
        same("effects of the rebuilt router", &spoken(&effects), &spoken(&self.twin.step(no, entry.now, &input)))?;
        let after = self.router.state();
        same("state", &self.model.state(), &RouterState { undone: Undone::default(), ..after.clone() })?;
        same("state of the rebuilt router", &after, &self.twin.state())?;
        self.same_people(&self.router)?;
        self.same_people(&self.twin)?;
        self.same_stranded()?;
        let (model, explanations) = (&self.model, &answer.explanations[..]);
        let seen = Seen { model, input: &input, effects: &effects, explanations, before: &before, after: &after };
        self.promises.check(&seen)?;
        waits::check(&seen, &self.router)?;
        waits::wakes(&self.model, &self.twin)?;
        if let Event::Directory(_) = entry.event {
            self.promises.forget_turns();
        }
        self.decisions.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Decide(decision) => Some(decision.clone()),
            _ => None,
        }));
        if self.dice.chance(4) {
            self.rebuild(&after)?;
        }
        Ok(Round { input, effects, wake: self.router.next_wake() })
    }

    /// What both explain of every decision; an item that is decided on twice is left out.
    fn explanations(&self, no: u64, now: Timestamp, input: &Input, answer: &Answer) -> Vec<(Explanation, Option<Explanation>)> {
        let once = |explanation: &&Explanation| {
            let item = explanation.decision.item;
            answer.explanations.iter().filter(|other| other.decision.item == item).count() == 1
        };
        let router = |model: &Explanation| self.router.explain_item(no, now, input, model.decision.item);
        answer.explanations.iter().filter(once).map(|model| (model.clone(), router(model))).collect()
    }

    /// Open work that nobody will get to (ROUTING 12.6): whose owner is deactivated or unknown, or what waits for nobody.
    fn same_stranded(&self) -> Result<(), Difference> {
        let directory = &self.model.directory;
        let works = |user| directory.user(user).is_some_and(switchboard_model::User::is_active);
        let gone = self.model.owned.iter().filter(|owned| !works(owned.user)).map(|owned| owned.item);
        let (nobodys, gones): (Vec<_>, Vec<_>) =
            self.router.stranded().into_iter().partition(|(_, why)| *why == Stranded::WaitsForNobody);
        let items = |found: Vec<(ItemId, Stranded)>| found.into_iter().map(|(item, _)| item).collect::<BTreeSet<_>>();
        same("stranded with its owner", &gone.collect::<BTreeSet<_>>(), &items(gones))?;
        waits::stranded(&self.model, &items(nobodys))
    }

    /// A number that does not follow changes nothing.
    fn wrong_numbers(&mut self, no: u64, entry: &Entry) -> Result<(), Difference> {
        if !self.dice.chance(3) {
            return Ok(());
        }
        let before = self.router.state();
        let wrong = if self.dice.chance(50) { no + 1 } else { no.saturating_sub(1) };
        let answer = self.router.step(wrong, entry.now, &entry.event.input(&self.decisions));
        same("answer to a wrong number", &vec!["reject".to_owned()], &spoken(&answer))?;
        same("state after a wrong number", &before, &self.router.state())
    }

    /// Loads, counts and availability of everybody.
    fn same_people(&self, asked: &Router) -> Result<(), Difference> {
        let now = self.model.now;
        for user in self.model.directory.users.iter().map(|user| user.id) {
            for group in LoadGroup::ALL {
                let (model, router) = (self.model.load(user, *group, now), asked.load(user, *group, now));
                same("load", &(user, group, model), &(user, group, router))?;
            }
            same("open", &(user, self.model.open(user, None)), &(user, asked.open(user)))?;
            let (model, router) = (self.model.unavailable(user, now), asked.availability(user, now));
            same("availability", &(user, model.is_none(), model), &(user, router.available, router.cause))?;
            if let Some(until) = router.until {
                self.holds_until(user, until)?;
            }
        }
        Ok(())
    }

    /// What is said to hold until a moment holds until a millisecond before it.
    fn holds_until(&self, user: switchboard_model::UserId, until: Timestamp) -> Result<(), Difference> {
        let now = self.model.now;
        same("a moment that lies ahead", &true, &(until > now))?;
        let last = until.plus_ms(-1).min(now.plus_ms(60 * DAY_MS));
        let available = self.model.unavailable(user, now).is_none();
        same("how long availability holds", &(user, available), &(user, self.model.unavailable(user, last).is_none()))
    }

    /// The second router begins anew from what the first one remembers, by way of JSON.
    fn rebuild(&mut self, state: &RouterState) -> Result<(), Difference> {
        let text = serde_json::to_string(state).expect("the state has only keys that JSON can hold");
        let state: RouterState = serde_json::from_str(&text).expect("what was written can be read");
        match Router::new(self.model.directory.clone(), state) {
            Ok(router) => self.twin = router,
            Err(error) => return Err(Difference { what: "rebuild", detail: error.to_string() }),
        }
        Ok(())
    }
}

/// Effects as text, a rejection without its reason, whose wording is free.
fn spoken(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Reject { .. } => "reject".to_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}

fn same_explanation(model: Option<&Explanation>, router: Option<&Explanation>) -> Result<(), Difference> {
    match (model, router) {
        (Some(model), Some(router)) => {
            same("stages", &model.stages, &router.stages)?;
            same("explained decision", &model.decision, &router.decision)
        }
        _ => same("whether there is an explanation", &model.is_some(), &router.is_some()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &'static str, model: &T, router: &T) -> Result<(), Difference> {
    if model == router {
        return Ok(());
    }
    Err(Difference { what, detail: format!("expected {model:?}\n     got {router:?}") })
}
