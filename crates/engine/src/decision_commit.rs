//! The commit of decisions: owner, record, log and the router's own rows in one transaction, under the guards.

use crate::arrival::revised_input;
use crate::error::{EngineError, Result};
use crate::router_task::{Routing, Stepped};
use crate::timers;
use std::collections::BTreeMap;
use switchboard_model::{
    Actor, Arrival, Decision, DecisionId, Effect, Input, ItemId, ItemStatus, LiveEventKind, Outcome, Owner, QueueFacts, Refusal,
    RefusalReason, Timestamp, UserId,
};
use switchboard_storage::{Changed, Consumption, Guard, ItemUpdate, NewDecision, NewEvent, NewInput, NewTimer, Tx};

/// The router itself leaves out whom the database found full, and takes an outdated status for none, until there is
/// news. Should an item come back this often all the same, the person is left out of it for good, so that it goes on.
const REFUSALS_BEFORE_EXCLUSION: u32 = 20;

impl Routing {
    /// Commits what was decided. Refused decisions come back as inputs of their own.
    ///
    /// # Errors
    /// `Forbidden` when another host has become the router; anything else means that the memory is to be rebuilt.
    pub async fn commit(&mut self, stepped: Vec<Stepped>) -> Result<()> {
        let batch = Batch::new(self, stepped).await?;
        let (epoch, refusals) = (self.lease.epoch, self.refusals.clone());
        let outcome =
            self.engine.inner.store.write(move |tx| Box::pin(async move { batch.write(tx, epoch, refusals).await })).await;
        match outcome {
            Ok(refusals) => {
                self.refusals = refusals;
                Ok(())
            }
            Err(CommitError::Superseded) => Err(EngineError::forbidden("another host routes now")),
            Err(CommitError::Other(error)) => Err(error),
        }
    }
}

/// Why a commit failed.
enum CommitError {
    Superseded,
    Other(EngineError),
}

impl From<switchboard_storage::StoreError> for CommitError {
    fn from(error: switchboard_storage::StoreError) -> Self {
        if error.kind == switchboard_storage::StoreErrorKind::Superseded { Self::Superseded } else { Self::Other(error.into()) }
    }
}

/// Everything that one commit writes.
struct Batch {
    stepped: Vec<Stepped>,
    from_no: u64,
    /// Ids for timers, one per owner who is to be mailed.
    timer_ids: Vec<i64>,
}

impl Batch {
    async fn new(routing: &Routing, stepped: Vec<Stepped>) -> Result<Self> {
        let from_no = stepped.first().map_or(0, |step| step.consumed.no - 1);
        let notices = stepped.iter().flat_map(|step| &step.effects).filter(|effect| matches!(effect, Effect::NotifyOwner { .. }));
        let timer_ids = routing.engine.inner.store.next_ids(notices.count()).await?;
        Ok(Self { stepped, from_no, timer_ids })
    }

    /// Answers with the refusals in a row per item, after this batch.
    async fn write(self, tx: &Tx, epoch: i64, mut refusals: BTreeMap<ItemId, u32>) -> Result<BTreeMap<ItemId, u32>, CommitError> {
        let Some(last) = self.stepped.last() else { return Ok(refusals) };
        let end = last.consumed;
        tx.advance_cursor(epoch, self.from_no, end.no, end.at, end.directory_version).await?;
        let decisions: Vec<Made> = self.stepped.iter().flat_map(Made::of).collect();
        let updates: Vec<ItemUpdate> =
            decisions.iter().map(|made| update(made.decision, made.id, made.step.consumed.at)).collect();
        let (mut decided, mut news) = (Vec::with_capacity(decisions.len()), Vec::new());
        for (made, outcome) in decisions.iter().zip(tx.change_items(&updates).await?) {
            let answer = answer(made, outcome, &mut refusals);
            decided.push(record(made.step, made.id, made.decision, answer.refused));
            news.extend(answer.news);
        }
        let mut timer_ids = self.timer_ids.iter().copied();
        for step in &self.stepped {
            for effect in &step.effects {
                match effect {
                    Effect::NotifyOwner { item, user } => {
                        notify_owner(tx, *item, *user, end.at, timer_ids.next().unwrap_or(0)).await?;
                    }
                    Effect::Reject { reason } => tracing::warn!(seq = step.input.seq, %reason, "the router rejected an input"),
                    Effect::Decide(_) | Effect::LeftQueue { .. } => {}
                }
            }
        }
        tx.insert_decisions(&decided).await?;
        tx.consume(
            &self.stepped.iter().map(|step| Consumption { seq: step.input.seq, consumed: step.consumed }).collect::<Vec<_>>(),
        )
        .await?;
        if !news.is_empty() {
            tx.append_inputs(&news).await?;
        }
        Ok(refusals)
    }
}

/// A decision of a step.
struct Made<'s> {
    step: &'s Stepped,
    id: DecisionId,
    decision: &'s Decision,
    /// The arrival of an item that waited until now.
    waited: Option<&'s Arrival>,
}

impl<'s> Made<'s> {
    /// Those of a step, in their order.
    fn of(step: &'s Stepped) -> impl Iterator<Item = Self> {
        let mut ids = step.decisions.iter().copied();
        step.effects.iter().enumerate().filter_map(move |(place, effect)| match effect {
            Effect::Decide(decision) => {
                let id = ids.next().unwrap_or(DecisionId(0));
                Some(Self { step, id, decision, waited: left_queue(step, place) })
            }
            _ => None,
        })
    }
}

/// What the arrival of an item that waited until this decision was, as the core says right behind the decision.
fn left_queue(step: &Stepped, place: usize) -> Option<&Arrival> {
    match step.effects.get(place + 1) {
        Some(Effect::LeftQueue { arrival }) => Some(arrival),
        _ => None,
    }
}

/// What came of a decision.
#[derive(Default)]
struct Answer {
    /// The guard that refused it.
    refused: Option<RefusalReason>,
    /// What the router is told of it.
    news: Option<NewInput>,
}

/// What the database says of a decision. The router hears of a refusal, and of a new version of an item that it lets wait.
fn answer(made: &Made<'_>, outcome: Result<Changed, Guard>, refusals: &mut BTreeMap<ItemId, u32>) -> Answer {
    let Made { step, decision, waited, .. } = *made;
    match outcome {
        Ok(changed) => {
            refusals.remove(&decision.item);
            let is_news = decision.outcome == Outcome::Queued && changed.after.version != decision.item_version;
            Answer { refused: None, news: is_news.then(|| revised_input(&changed.after, step.consumed.at)) }
        }
        Err(guard) => {
            let count = refusals.entry(decision.item).or_default();
            *count += 1;
            let reason = guard.reason();
            metrics::counter!("switchboard_decisions_refused_total", "reason" => reason.as_str()).increment(1);
            let news = refusal_input(step, (decision, waited), &guard, *count);
            Answer { refused: Some(reason), news: Some(news) }
        }
    }
}

fn update(decision: &Decision, id: DecisionId, at: Timestamp) -> ItemUpdate {
    let actor = decision.rule.map_or(Actor::System, |rule| Actor::Rule { channel: rule.channel });
    let base = ItemUpdate {
        expected_version: Some(decision.item_version),
        decision: Some(id),
        capacity_guard: decision.capacity_guarded,
        ..ItemUpdate::new(decision.item, actor, at)
    };
    match decision.outcome {
        Outcome::Assigned { user, team } => ItemUpdate {
            owner: Some(Some(Owner::User { id: user })),
            new_ownership: true,
            team: team.map(Some),
            availability: decision.availability_version.map(|version| (user, version)),
            ..base
        },
        Outcome::Kept { user } => ItemUpdate { owner: Some(Some(Owner::User { id: user })), capacity_guard: false, ..base },
        Outcome::TeamSet { team } => ItemUpdate {
            owner: Some(None),
            team: Some(Some(team)),
            unassigned_reason: Some(None),
            queued_since: Some(None),
            ..base
        },
        Outcome::Queued => ItemUpdate {
            owner: Some(None),
            unassigned_reason: Some(None),
            queued_since: Some(decision.queued_since.or(Some(at))),
            ..base
        },
        Outcome::Unassigned { reason } => {
            ItemUpdate { owner: Some(None), unassigned_reason: Some(Some(reason)), queued_since: Some(None), ..base }
        }
    }
}

fn record(step: &Stepped, id: DecisionId, decision: &Decision, refused: Option<RefusalReason>) -> NewDecision {
    NewDecision {
        id,
        input_seq: step.input.seq,
        no: step.consumed.no,
        at: step.consumed.at,
        directory_version: step.consumed.directory_version,
        decision: decision.clone(),
        duration_us: step.duration_us,
        refused,
    }
}

/// What the router is told of a refusal: the item as it is, and its facts if it still wants an owner.
fn refusal_input(step: &Stepped, (decision, waited): (&Decision, Option<&Arrival>), guard: &Guard, count: u32) -> NewInput {
    let item = guard.item();
    let asked = match &step.input.input {
        Input::Arrived(arrival) => Some(arrival),
        Input::Refused(refusal) => refusal.retry.as_ref(),
        Input::Directory { .. } | Input::Changed(_) | Input::Status(_) | Input::Revised(_) | Input::Tick => None,
    };
    let arrival = waited.or(asked).filter(|arrival| arrival.item == decision.item).cloned();
    let taken = guard.reason() == RefusalReason::ItemChanged && matches!(item.owner, Some(Owner::User { .. }));
    let wanted = item.status == ItemStatus::Open && item.routed && !taken;
    let retry = arrival.filter(|_| wanted).map(|arrival| refreshed(arrival, guard, decision, count));
    let refusal = Refusal { decision: Box::new(decision.clone()), reason: guard.reason(), state: item.state(), retry };
    NewInput { at: step.consumed.at, item: Some(item.id), input: Input::Refused(refusal), consumed: None }
}

fn refreshed(arrival: Arrival, guard: &Guard, decision: &Decision, count: u32) -> Arrival {
    let item = guard.item();
    let mut excluded = arrival.excluded;
    if let Outcome::Assigned { user, .. } = decision.outcome
        && guard.reason() != RefusalReason::ItemChanged
        && count >= REFUSALS_BEFORE_EXCLUSION
        && !excluded.contains(&user)
    {
        excluded.push(user);
    }
    let queue = QueueFacts { priority: item.priority, due_at: item.due_at, since: arrival.queue.since };
    Arrival {
        queue,
        created_at: Some(item.created_at),
        waiting_on_contact: item.waits_on_contact(),
        version: item.version,
        workspace: item.workspace,
        group: item.group,
        previous_owner: item.owner,
        owned_since: item.owned_since,
        excluded,
        ..arrival
    }
}

/// Tells the contact owner who could not take the item: in the desk at once, by mail from a timer (ROUTING 7.3).
async fn notify_owner(tx: &Tx, item: ItemId, user: UserId, at: Timestamp, timer: i64) -> Result<(), CommitError> {
    let Some(record) = tx.item_record(item, false).await? else { return Ok(()) };
    tx.insert_events(&[NewEvent {
        workspace: Some(record.workspace),
        item: Some(item),
        conversation: record.conversation,
        version: Some(record.version),
        user: Some(user),
        ..NewEvent::new(LiveEventKind::Notice, at)
    }])
    .await?;
    let body = serde_json::json!({ "user": user });
    tx.insert_timer(&NewTimer { id: timer, due_at: at, kind: timers::MAIL_OWNER.to_owned(), item: Some(item), body }).await?;
    Ok(())
}
