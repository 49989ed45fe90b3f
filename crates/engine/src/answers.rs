//! Answers about one item: why it waits or has no owner, what would change that, and why somebody does not have it
//! (ROUTING 13.1).

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::request::{Caller, Names, WaitingAnswer, WhyNotAnswer};
use std::collections::BTreeSet;
use switchboard_core::Subject;
use switchboard_model::{Arrival, Directory, ItemId, ItemStatus, Outcome, QueueFacts, UserId, WhyNot};
use switchboard_storage::ItemRecord;

impl Engine {
    /// Why an open item without an owner waits or was left unassigned, and what would change that; `None` for any other.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn why_waiting(&self, caller: &Caller, id: ItemId) -> Result<Option<WaitingAnswer>> {
        let record = self.open_record(caller, id).await?;
        if record.status != ItemStatus::Open || record.owner.is_some() {
            return Ok(None);
        }
        let arrival = self.facts_of(&record).await?;
        let asked = self.look(move |router, now| {
            let subject = subject(id, arrival.as_ref());
            router.why_waiting(subject, now).map(|why| (why, router.remedies(subject, now)))
        });
        let Some((why, remedies)) = asked.await? else { return Ok(None) };
        let mut users: BTreeSet<UserId> = remedies.iter().map(|remedy| remedy.user).collect();
        if let Outcome::Assigned { user, .. } | Outcome::Kept { user } = why.outcome {
            users.insert(user);
        }
        let names = names(&self.directory(), users);
        Ok(Some(WaitingAnswer { why, remedies, names }))
    }

    /// Why a user does not have an item, by the decision that would be made about it now; `None` for an item that no
    /// rule routes.
    ///
    /// # Errors
    /// `NotFound` for the item or the user.
    pub async fn why_not(&self, caller: &Caller, id: ItemId, user: UserId) -> Result<Option<WhyNotAnswer>> {
        let record = self.open_record(caller, id).await?;
        let directory = self.directory();
        directory.user(user).ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        let arrival = self.facts_of(&record).await?;
        let asked = self.look(move |router, now| router.why_not(subject(id, arrival.as_ref()), user, now));
        let Some(answer) = asked.await? else { return Ok(None) };
        let mut users = BTreeSet::from([user]);
        if let WhyNot::Preferred { chosen: Some(chosen), .. } = &answer {
            users.insert(chosen.user);
        }
        Ok(Some(WhyNotAnswer { answer, names: names(&directory, users) }))
    }

    /// The facts with which the item was last decided on, brought up to date as far as the tables know better.
    async fn facts_of(&self, record: &ItemRecord) -> Result<Option<Arrival>> {
        let mut arrival = self.inner.store.last_arrival_of(record.id).await?;
        // What was moved to another workspace was decided on under the id of the other item.
        for other in [record.conversation.map(ItemId::from), record.ticket.map(ItemId::from)].into_iter().flatten() {
            if arrival.is_none() && other != record.id {
                arrival = self.inner.store.last_arrival_of(other).await?;
            }
        }
        Ok(arrival.filter(|_| record.routed).map(|arrival| Arrival {
            item: record.id,
            item_kind: record.kind,
            conversation: record.conversation,
            version: record.version,
            workspace: record.workspace,
            group: record.group,
            previous_owner: record.owner.or(arrival.previous_owner),
            owned_since: record.owned_since,
            waiting_on_contact: record.waits_on_contact(),
            queue: QueueFacts { priority: record.priority, due_at: record.due_at, since: record.queued_since },
            ..arrival
        }))
    }
}

/// An item is asked about as it waits where it does, else by its facts.
const fn subject(item: ItemId, arrival: Option<&Arrival>) -> Subject<'_> {
    match arrival {
        Some(arrival) => Subject::Arrival(arrival),
        None => Subject::Waiting(item),
    }
}

fn names(directory: &Directory, users: BTreeSet<UserId>) -> Names {
    let known = users.into_iter().filter_map(|id| directory.user(id).map(|user| (id, user.name.clone())));
    Names { users: known.collect(), ..Names::default() }
}
