//! Service targets: when the next of an item's targets is breached, kept with the item (ROUTING 14.3).

use crate::arrival::revised_input;
use crate::error::Result;
use crate::intake::apply;
use switchboard_core::{Pause, SlaFacts, due_at};
use switchboard_model::{Actor, Directory, ItemStatus, Timestamp};
use switchboard_storage::{ItemRecord, ItemUpdate, Tx};

/// Finds out anew when the item is due, after a message or a change of status, and tells the router where the item
/// waits. The answer is the item as it is then.
pub(crate) async fn renew_due(tx: &Tx, directory: &Directory, item: ItemRecord, at: Timestamp) -> Result<ItemRecord> {
    let due = due(tx, directory, &item).await?;
    if due == item.due_at {
        return Ok(item);
    }
    let item = apply(tx, &ItemUpdate { due_at: Some(due), ..ItemUpdate::new(item.id, Actor::System, at) }).await?;
    if item.queued_since.is_some() {
        tx.append_inputs(&[revised_input(&item, at)]).await?;
    }
    Ok(item)
}

async fn due(tx: &Tx, directory: &Directory, item: &ItemRecord) -> Result<Option<Timestamp>> {
    let Some(sla) = directory.workspace(item.workspace).and_then(|workspace| workspace.sla.as_ref()) else { return Ok(None) };
    if !item.routed || matches!(item.status, ItemStatus::Closed | ItemStatus::Spam) {
        return Ok(None);
    }
    let paused = item.status == ItemStatus::Snoozed || item.waits_on_contact();
    if paused {
        return Ok(None);
    }
    // Only the target of the end runs on over what lies between messages.
    let pauses = if sla.close_min.is_some() { tx.pauses_of(item).await? } else { Vec::new() };
    let facts = SlaFacts {
        created_at: item.created_at,
        first_replied: item.first_reply_at.is_some(),
        unanswered_since: item.waiting_since,
        paused,
        pauses: pauses.into_iter().map(|(from, to)| Pause { from, to }).collect(),
    };
    Ok(due_at(directory, item.workspace, &facts))
}
