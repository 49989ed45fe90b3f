//! Contacts that people at the desk block: what they write is stored as spam and goes no further (ROUTING 12.1).
//!
//! The block holds for whoever is proven to be the contact (ROUTING 7.3). An address that was only typed, and a mail whose
//! domain disowns it, are anybody's: they make nobody blocked.

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::items::{change_and_tell, linked_item};
use crate::request::Caller;
use crate::sla::renew_due;
use crate::timers;
use std::collections::BTreeSet;
use std::sync::Arc;
use switchboard_model::{
    Actor, ContactId, ContactView, ConversationId, Directory, ItemId, ItemStatus, LiveEventKind, Timestamp, WorkspaceId,
};
use switchboard_storage::{ItemRecord, ItemUpdate, NewAudit, NewEvent, Tx};

/// Items that are put away in one transaction.
const ROWS: u32 = 100;
/// Items whose readers are told that their contact is blocked, those with the newest messages.
const TOLD: u32 = 100;

impl Engine {
    /// Blocks a contact, or takes the block back.
    ///
    /// What is open or put aside of the contact, in workspaces that the caller may open, becomes spam as when it is marked so
    /// by hand, also of a contact that is blocked already. Taking the block back changes no item.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_contact_blocked(&self, caller: &Caller, id: ContactId, blocked: bool) -> Result<ContactView> {
        self.contact(caller, id).await?;
        let blocking = Blocking {
            contact: id,
            actor: caller.actor.clone(),
            directory: self.directory(),
            workspaces: self.scope(caller).workspaces.into_iter().collect(),
            at: self.now(),
        };
        let blocking = Arc::new(blocking);
        let first = Arc::clone(&blocking);
        // Whoever writes in between is seen to be blocked, so that only what was open before is left to put away.
        let mut next = self.commit(move |tx| Box::pin(async move { first.set(tx, blocked).await })).await?;
        while let Some(after) = next {
            let part = Arc::clone(&blocking);
            next = self.commit(move |tx| Box::pin(async move { part.put_away(tx, after).await })).await?;
        }
        let missing = || EngineError::not_found(format!("contact {id}"));
        self.inner.store.contact(id).await?.ok_or_else(missing)
    }
}

/// A block on its way into the database.
struct Blocking {
    contact: ContactId,
    actor: Actor,
    directory: Arc<Directory>,
    /// Where the caller may put items away.
    workspaces: BTreeSet<WorkspaceId>,
    at: Timestamp,
}

impl Blocking {
    /// Blocks or unblocks, and puts the first items away; answers after which one to go on.
    async fn set(&self, tx: &Tx, blocked: bool) -> Result<Option<ItemId>> {
        let changed = match blocked {
            true => tx.block_contact(self.contact, &self.actor, self.at).await?,
            false => tx.unblock_contact(self.contact).await?,
        };
        if changed {
            let detail = serde_json::json!({ "blocked": blocked });
            let (at, actor, target) = (self.at, self.actor.clone(), self.contact.to_string());
            tx.insert_audit(&NewAudit { at, actor, action: "contact.blocked".into(), target, detail }).await?;
            self.tell(tx).await?;
        }
        if blocked { self.put_away(tx, ItemId(0)).await } else { Ok(None) }
    }

    /// Desks that show the contact look anew, and so do channels whose contact is connected.
    async fn tell(&self, tx: &Tx) -> Result<()> {
        let shown = tx.newest_items_of(self.contact, TOLD).await?;
        let event = |item: &ItemRecord| NewEvent {
            workspace: Some(item.workspace),
            item: Some(item.id),
            conversation: item.conversation,
            version: Some(item.version),
            ..NewEvent::new(LiveEventKind::Item, self.at)
        };
        Ok(tx.insert_events(&shown.iter().map(event).collect::<Vec<_>>()).await?)
    }

    /// Puts away what is pending after an item; answers after which one to go on.
    async fn put_away(&self, tx: &Tx, after: ItemId) -> Result<Option<ItemId>> {
        let pending = tx.pending_items_of(self.contact, after, ROWS).await?;
        for item in pending.iter().filter(|item| self.workspaces.contains(&item.workspace)) {
            put_away_as_spam(tx, &self.directory, item, &self.actor, self.at).await?;
        }
        Ok(pending.last().map(|last| last.id).filter(|_| pending.len() == ROWS as usize))
    }
}

/// Whether a conversation is of this contact.
pub(crate) async fn is_of(tx: &Tx, conversation: ConversationId, contact: ContactId) -> Result<bool> {
    Ok(tx.item_record(conversation.into(), false).await?.is_some_and(|record| record.contact == Some(contact)))
}

/// Files a work item as spam, and its conversation or ticket with it where the workspace has the two go together
/// (ROUTING 12.3), so that it waits for nobody, has no clock running and does not come up again by itself.
pub(crate) async fn put_away_as_spam(
    tx: &Tx,
    directory: &Directory,
    item: &ItemRecord,
    actor: &Actor,
    at: Timestamp,
) -> Result<()> {
    let together = directory.workspace(item.workspace).is_none_or(|workspace| workspace.close_together);
    let linked = linked_item(item).filter(|_| together);
    for id in [Some(item.id), linked].into_iter().flatten() {
        change_and_tell(tx, &ItemUpdate { status: Some(ItemStatus::Spam), ..ItemUpdate::new(id, actor.clone(), at) }).await?;
        if let Some(record) = tx.item_record(id, false).await? {
            renew_due(tx, directory, record, at).await?;
        }
    }
    tx.delete_timers_of(item.id, timers::SNOOZE).await?;
    Ok(())
}
