//! What holds of the queue after every step whatever the model says: nobody idles beside work that they could have,
//! nobody is overtaken, no moment is slept through, and no deadline lies in the past.

use crate::duel::Difference;
use crate::facts::Facts;
use crate::promises::{Seen, hold};
use crate::skills::lacking;
use std::collections::BTreeSet;
use switchboard_core::Router;
use switchboard_model::{Effect, Input, ItemId, Outcome, SkipReason, Timestamp, User, UserId, Verdict, WaitingItem};

/// Checks the router after a step; the model knows the same by then.
pub fn check(seen: &Seen<'_>, router: &Router) -> Result<(), Difference> {
    let model = seen.model;
    let idle = model.first_match(None).map(|(waiting, decided)| (waiting, decided.decision));
    hold("nobody idles beside work they could have", idle.is_none(), &idle)?;
    overtaken(seen)?;
    wakes(model, router)?;
    for waiting in &seen.after.waiting {
        let position = router.position(waiting.arrival.item);
        let ahead = seen.after.waiting.iter().filter(|other| model.in_order_of(other, waiting).is_lt()).count();
        let possible = match position {
            Some(position) => position >= 1 && usize::try_from(position).is_ok_and(|position| position <= ahead + 1),
            None => !waits_for_somebody(model, waiting),
        };
        hold("a place in the queue", possible, &(waiting.arrival.item, position, ahead))?;
    }
    Ok(())
}

/// Among those that wait, what could have had a person's room instead does not stand in front of what got it.
fn overtaken(seen: &Seen<'_>) -> Result<(), Difference> {
    let user_told = match seen.input {
        Input::Tick => None,
        Input::Status(change) => Some(change.user),
        _ => return Ok(()),
    };
    for pair in seen.effects.windows(2) {
        let [Effect::Decide(decision), Effect::LeftQueue { arrival }] = pair else { continue };
        let Outcome::Assigned { user, .. } = decision.outcome else { continue };
        let Some(since) = arrival.queue.since.filter(|_| user_told != Some(user)) else { continue };
        let got = WaitingItem { arrival: arrival.as_ref().clone(), since, barred: None };
        let mut freed = seen.model.clone();
        freed.owned.retain(|owned| owned.item != decision.item);
        for waiting in seen.after.waiting.iter().filter(|waiting| seen.model.in_order_of(waiting, &got).is_lt()) {
            hold("nobody overtakes", !could_have(&freed, waiting, user), &(decision, waiting))?;
        }
    }
    Ok(())
}

/// Whether there is somebody whom the item waits for now, and not only time that has to pass.
fn waits_for_somebody(facts: &Facts, waiting: &WaitingItem) -> bool {
    let busy = |verdict: &Verdict| {
        matches!(verdict, Verdict::Skipped { reason: SkipReason::Unavailable { .. } | SkipReason::AtCapacity })
    };
    let arrival = &waiting.arrival;
    let (demands, waited_ms) = (facts.demands(arrival), facts.now.ms_since(waiting.since));
    let fits = |user: UserId| {
        let skilled = |user: &User| lacking(user, &demands, Some(waited_ms)).is_none();
        !arrival.excluded.contains(&user) && waiting.barred != Some(user) && facts.directory.user(user).is_some_and(skilled)
    };
    let stages = facts.decide_waiting(waiting).stages;
    stages.iter().flat_map(|stage| &stage.candidates).any(|one| busy(&one.verdict) && fits(one.user))
}

/// What waits is stranded if nobody could ever have it as the directory stands, however free everybody becomes and however
/// much time passes (ROUTING 12.6).
pub fn stranded(model: &Facts, found: &BTreeSet<ItemId>) -> Result<(), Difference> {
    let waits = |item: &ItemId| model.waiting.iter().any(|waiting| waiting.arrival.item == *item);
    hold("only what waits waits for nobody", found.iter().all(waits), found)?;
    for waiting in &model.waiting {
        let item = waiting.arrival.item;
        let ahead = model.changes_ahead(waiting);
        let ever = |moments: &[Timestamp]| {
            moments.iter().any(|now| {
                let mut later = model.clone();
                later.now = *now;
                waits_for_somebody(&later, &WaitingItem { barred: None, ..waiting.clone() })
            })
        };
        if found.contains(&item) {
            let somebody = ever(&[model.now]) || ever(&ahead);
            hold("stranded although somebody could have it one day", !somebody, &(item, model.now))?;
        } else if ahead.is_empty() && waiting.barred.is_none() {
            hold("waits for nobody without being stranded", ever(&[model.now]), &(item, model.now))?;
        }
    }
    Ok(())
}

fn could_have(facts: &Facts, waiting: &WaitingItem, user: UserId) -> bool {
    let decided = facts.decide_waiting(waiting);
    matches!(decided.decision.outcome, Outcome::Assigned { user: chosen, .. } if chosen == user)
}

/// The router asks to be woken before anything could be had by time alone, and never in the past.
pub fn wakes(model: &Facts, router: &Router) -> Result<(), Difference> {
    let wake = router.next_wake();
    if model.waiting.is_empty() {
        return hold("nothing to wake for", wake.is_none(), &wake);
    }
    hold("a deadline that lies ahead", wake.is_none_or(|wake| wake > model.now), &(model.now, wake))?;
    let horizon = Timestamp(wake.map_or(i64::MAX, |wake| wake.0)).min(model.now.plus_ms(20 * 24 * 3_600_000));
    for moment in model.moments(horizon) {
        let mut later = model.clone();
        later.now = moment;
        let missed = later.first_match(None).map(|(waiting, decided)| (waiting.arrival.item, decided.decision));
        hold("a moment slept through", missed.is_none(), &(model.now, wake, moment, missed))?;
    }
    Ok(())
}
