//! Changes of items by hand: owner, team, status, priority, back to the queue (ROUTING 2).
//!
//! All of them go through [`Tx::change_item`] with the version that the person saw, and tell the router in the
//! same transaction.

use crate::arrival::{ArrivalParts, arrival, arrival_input, known_again, last_owner, said, tell_change};
use crate::chat;
use crate::engine::{Engine, caller_user};
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::random;
use crate::request::{Assignable, Caller, OwnerChange};
use crate::sla::renew_due;
use crate::timers;
use std::collections::BTreeSet;
use std::sync::Arc;
use switchboard_core::may_assign_by_hand;
use switchboard_model::{
    Directory, ItemId, ItemKind, ItemRow, ItemStatus, Owner, PersonLoad, Priority, Role, RouteEvent, Timestamp, User, UserId,
};
use switchboard_storage::{Changed, Guard, ItemRecord, ItemUpdate, NewTimer, StoreErrorKind, Tx};

/// What a change by hand came to inside its transaction.
enum Outcome {
    Done,
    Conflict,
}

impl Engine {
    /// Sets owner or team by hand (ROUTING 2.2, 2.4, 2.5).
    ///
    /// # Errors
    /// `Conflict` with the current row when the version is no longer current; `Invalid` when the person or team may
    /// not be chosen; `Forbidden` in a workspace that limits reassigning.
    pub async fn set_owner(&self, caller: &Caller, id: ItemId, version: i64, change: OwnerChange) -> Result<ItemRow> {
        let record = self.open_record(caller, id).await?;
        is_work_item(&record)?;
        let directory = self.directory();
        may_reassign(&directory, caller, &record)?;
        if let Some(user) = change.user {
            may_assign_by_hand(&directory, record.workspace, user)
                .map_err(|refusal| EngineError::invalid(refusal.to_string()))?;
        }
        if let Some(team) = change.team {
            directory.team(team).ok_or_else(|| EngineError::invalid(format!("team {team} does not exist")))?;
        }
        let owner = change.user.map(|id| Owner::User { id });
        let team = match (change.user, change.team) {
            (Some(_), None) => None,
            (_, team) => Some(team),
        };
        let update = ItemUpdate {
            expected_version: Some(version),
            owner: Some(owner),
            team,
            // Whoever takes nothing away leaves the reason as it is.
            unassigned_reason: (record.owner.is_some() || change.user.is_some() || change.team.is_some()).then_some(None),
            ..ItemUpdate::new(id, caller.actor.clone(), self.now())
        };
        self.change(update, None).await
    }

    /// Who may be chosen as owner, with availability, load and limit first (ROUTING 2.5).
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn assignable(&self, caller: &Caller, id: ItemId) -> Result<Vec<Assignable>> {
        let record = self.open_record(caller, id).await?;
        let directory = self.directory();
        let people = self.inner.store.people().await?;
        let mut rows = Vec::new();
        for (person, availability) in self.judged(people).await {
            let Some(user) = directory.user(person.user).filter(|user| user.is_active()) else { continue };
            let refusal = may_assign_by_hand(&directory, record.workspace, user.id).err();
            rows.push(assignable_row(user, &person, availability, &record, refusal.map(|refusal| refusal.to_string())));
        }
        rows.sort_by(|one, other| {
            (!one.allowed, !one.available, one.open, &one.name).cmp(&(!other.allowed, !other.available, other.open, &other.name))
        });
        Ok(rows)
    }

    /// Hands the item back to its rule, which leaves out the owner this time (ROUTING 2.7).
    ///
    /// # Errors
    /// `Invalid` when nobody owns it; `Forbidden` for somebody else's item without being a lead; `Conflict`.
    pub async fn return_to_queue(&self, caller: &Caller, id: ItemId, version: i64, note: Option<String>) -> Result<ItemRow> {
        let record = self.open_record(caller, id).await?;
        let Some(Owner::User { id: owner }) = record.owner else {
            return Err(EngineError::invalid("nobody owns this, so there is nothing to return"));
        };
        if caller.user != Some(owner) && caller.role < Role::Lead {
            return Err(EngineError::forbidden("only the owner or a lead returns this to the queue"));
        }
        self.routable(&record)?;
        let update = ItemUpdate {
            expected_version: Some(version),
            owner: Some(None),
            returned: Some(note.filter(|note| !note.trim().is_empty())),
            ..ItemUpdate::new(id, caller.actor.clone(), self.now())
        };
        self.change(update, Some(Reroute { event: RouteEvent::Returned, excluded: vec![owner] })).await
    }

    /// Applies the channel's rule again.
    ///
    /// # Errors
    /// `Invalid` for what no rule routes; `Conflict`.
    pub async fn route(&self, caller: &Caller, id: ItemId, version: i64) -> Result<ItemRow> {
        let record = self.open_record(caller, id).await?;
        self.routable(&record)?;
        let update = ItemUpdate { expected_version: Some(version), ..ItemUpdate::new(id, caller.actor.clone(), self.now()) };
        self.change(update, Some(Reroute { event: RouteEvent::Requested, excluded: Vec::new() })).await
    }

    /// Closes, opens, snoozes or files as spam; ticket and conversation together where the workspace says so
    /// (ROUTING 12.3).
    ///
    /// # Errors
    /// `Invalid` for a snooze without a time to come; `Conflict`.
    pub async fn set_item_status(
        &self,
        caller: &Caller,
        id: ItemId,
        version: i64,
        status: ItemStatus,
        until: Option<Timestamp>,
    ) -> Result<ItemRow> {
        let record = self.open_record(caller, id).await?;
        let now = self.now();
        if matches!(status, ItemStatus::Snoozed | ItemStatus::Spam) || record.kind == ItemKind::Ticket {
            is_work_item(&record)?;
        }
        if status == ItemStatus::Snoozed && until.is_none_or(|until| until <= now) {
            return Err(EngineError::invalid("a snooze needs a time to come in `until`"));
        }
        let until = until.filter(|_| status == ItemStatus::Snoozed);
        let directory = self.directory();
        let together = directory.workspace(record.workspace).is_none_or(|workspace| workspace.close_together);
        let linked = linked_item(&record).filter(|_| together);
        let timer = self.inner.store.next_id().await?;
        let actor = caller.actor.clone();
        let outcome = self
            .commit(move |tx| {
                Box::pin(async move {
                    let update = |item| ItemUpdate {
                        status: Some(status),
                        snoozed_until: until,
                        ..ItemUpdate::new(item, actor.clone(), now)
                    };
                    let first = ItemUpdate { expected_version: Some(version), ..update(id) };
                    if !change_and_tell(tx, &first).await? {
                        return Ok(Outcome::Conflict);
                    }
                    if let Some(linked) = linked {
                        change_and_tell(tx, &update(linked)).await?;
                    }
                    for item in [Some(id), linked].into_iter().flatten() {
                        if let Some(record) = tx.item_record(item, false).await? {
                            renew_due(tx, &directory, record, now).await?;
                        }
                    }
                    tx.delete_timers_of(id, timers::SNOOZE).await?;
                    if let Some(due_at) = until {
                        let timer = NewTimer {
                            id: timer,
                            due_at,
                            kind: timers::SNOOZE.to_owned(),
                            item: Some(id),
                            body: serde_json::Value::Null,
                        };
                        tx.insert_timer(&timer).await?;
                    }
                    if status == ItemStatus::Open && record.status != ItemStatus::Open {
                        chat::watch_silence(tx, &directory, &record, timer, now).await?;
                    }
                    if status == ItemStatus::Closed && record.status != ItemStatus::Closed {
                        chat::closed(tx, &directory, &record, timer, now).await?;
                    }
                    Ok(Outcome::Done)
                })
            })
            .await?;
        self.answer(id, outcome).await
    }

    /// Sets the priority.
    ///
    /// # Errors
    /// `Conflict`.
    pub async fn set_priority(&self, caller: &Caller, id: ItemId, version: i64, priority: Priority) -> Result<ItemRow> {
        self.open_record(caller, id).await?;
        let update = ItemUpdate {
            expected_version: Some(version),
            priority: Some(priority),
            ..ItemUpdate::new(id, caller.actor.clone(), self.now())
        };
        self.change(update, None).await
    }

    /// The item, if the caller may open its workspace.
    pub(crate) async fn open_record(&self, caller: &Caller, id: ItemId) -> Result<ItemRecord> {
        let missing = || EngineError::not_found(format!("item {id}"));
        let record = self.inner.store.item_record(id).await?.ok_or_else(missing)?;
        if self.may_open(caller, record.workspace) { Ok(record) } else { Err(missing()) }
    }

    /// The row of an item as it is now.
    pub(crate) async fn row(&self, id: ItemId) -> Result<ItemRow> {
        Ok(self.inner.store.item(id).await?.ok_or_else(|| EngineError::not_found(format!("item {id}")))?.row)
    }

    pub(crate) fn routable(&self, record: &ItemRecord) -> Result<()> {
        if record.status != ItemStatus::Open {
            return Err(EngineError::invalid("only open work is routed; open it first"));
        }
        if !record.routed || record.channel.is_none() || record.contact.is_none() {
            return Err(EngineError::invalid("no rule routes this: it is not the work item of a channel"));
        }
        Ok(())
    }

    async fn change(&self, update: ItemUpdate, reroute: Option<Reroute>) -> Result<ItemRow> {
        let (id, directory, seed) = (update.item, self.directory(), random::seed());
        let outcome = self
            .commit(move |tx| {
                Box::pin(async move {
                    let changed = match tx.change_item(&update).await? {
                        Ok(changed) => changed,
                        Err(_) => return Ok(Outcome::Conflict),
                    };
                    tell_change(tx, &changed, update.at).await?;
                    if let Some(reroute) = reroute {
                        reroute.tell(tx, &directory, &changed, update.at, seed).await?;
                    }
                    Ok(Outcome::Done)
                })
            })
            .await?;
        self.answer(id, outcome).await
    }

    async fn answer(&self, id: ItemId, outcome: Outcome) -> Result<ItemRow> {
        let row = self.row(id).await?;
        match outcome {
            Outcome::Done => Ok(row),
            Outcome::Conflict => Err(EngineError::conflict(row)),
        }
    }
}

/// Asking the router again about an item that was just changed.
pub(crate) struct Reroute {
    pub event: RouteEvent,
    pub excluded: Vec<UserId>,
}

impl Reroute {
    pub(crate) async fn tell(
        &self,
        tx: &Tx,
        directory: &Arc<Directory>,
        changed: &Changed,
        at: Timestamp,
        seed: u64,
    ) -> Result<()> {
        let item = &changed.after;
        let channel = item.channel.and_then(|id| directory.channel(id));
        let contact = match item.contact {
            Some(contact) => tx.contact_record(contact).await?,
            None => None,
        };
        let (Some(channel), Some(contact)) = (channel, contact) else {
            return Err(EngineError::invalid("its channel or contact is gone, so no rule can route it"));
        };
        // Whoever handed the item back stays out until somebody has replied (ROUTING 4.5).
        let excluded: BTreeSet<UserId> = tx.left_out(item.id).await?.into_iter().chain(self.excluded.iter().copied()).collect();
        let parts = ArrivalParts {
            last_owner: last_owner(tx, item, channel).await?,
            directory,
            channel,
            contact: &contact,
            event: self.event,
            message: None,
            said: said(tx, directory, item, channel, None).await?,
            known: known_again(tx, item, channel).await?,
            excluded: excluded.into_iter().collect(),
            seed,
        };
        let arrival = arrival(item, &parts);
        let arrival = switchboard_model::Arrival {
            previous_owner: changed.before.owner,
            owned_since: changed.before.owned_since,
            ..arrival
        };
        tx.append_inputs(&[arrival_input(arrival, at)]).await?;
        Ok(())
    }
}

/// Changes an item and tells the router; false when the version was no longer current.
pub(crate) async fn change_and_tell(tx: &Tx, update: &ItemUpdate) -> Result<bool> {
    match tx.change_item(update).await {
        Ok(Ok(changed)) => {
            tell_change(tx, &changed, update.at).await?;
            Ok(true)
        }
        Ok(Err(Guard::ItemChanged(_) | Guard::AtCapacity(_) | Guard::StatusChanged(_))) => Ok(false),
        Err(error) if error.kind == StoreErrorKind::NotFound => Err(EngineError::new(EngineErrorKind::NotFound, error.message)),
        Err(error) => Err(error.into()),
    }
}

/// What opens and closes with an item. A ticket whose conversation has moved into an inbox stays as it is.
fn linked_item(record: &ItemRecord) -> Option<ItemId> {
    match record.kind {
        ItemKind::Conversation => record.ticket.filter(|_| !record.routed).map(ItemId::from),
        ItemKind::Ticket => record.conversation.map(ItemId::from),
    }
}

/// The conversation of a ticket is worked on through its ticket; once it has moved into an inbox, it is the reverse.
pub(crate) fn is_work_item(record: &ItemRecord) -> Result<()> {
    match (record.kind, record.ticket, record.conversation) {
        _ if record.routed => Ok(()),
        (ItemKind::Conversation, Some(ticket), _) => {
            Err(EngineError::invalid(format!("this conversation belongs to ticket {ticket}; change the ticket")))
        }
        (ItemKind::Ticket, _, Some(conversation)) => Err(EngineError::invalid(format!(
            "the conversation of this ticket has moved into an inbox; change conversation {conversation}"
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn may_reassign(directory: &Directory, caller: &Caller, record: &ItemRecord) -> Result<()> {
    let limited = directory.workspace(record.workspace).is_some_and(|workspace| workspace.reassign_limited);
    let Some(Owner::User { id: owner }) = record.owner else { return Ok(()) };
    if limited && caller.role < Role::Lead && caller_user(directory, caller)?.id != owner {
        return Err(EngineError::forbidden("in this workspace only the owner or a lead hands work to somebody else"));
    }
    Ok(())
}

fn assignable_row(
    user: &User,
    person: &PersonLoad,
    availability: switchboard_core::Availability,
    record: &ItemRecord,
    reason: Option<String>,
) -> Assignable {
    Assignable {
        user: user.id,
        name: user.name.clone(),
        available: availability.available,
        cause: availability.cause,
        load: person.open_per_type.get(&record.group.work_type()).copied().unwrap_or(0),
        open: person.open,
        limit: user.capacity.total,
        allowed: reason.is_none(),
        reason,
    }
}
