//! Moving work to another workspace, where its work item may become another one (ROUTING 12.4).

use crate::error::{StoreError, StoreErrorKind};
use crate::guard::{Changed, Guard, add_history, counts, moves, store_item, told_of};
use crate::intake::NewTicket;
use crate::items::{ItemRecord, counted_together};
use crate::row::{Bundle, execute, values};
use crate::store::Tx;
use switchboard_model::{
    Actor, HistoryChange, ItemId, ItemKind, ItemStatus, TicketId, TicketType, Timestamp, WorkspaceId, WorkspaceKind,
};

/// A move to another workspace.
#[derive(Clone, Debug)]
pub struct ItemMove {
    /// The work item.
    pub item: ItemId,
    /// Refuse when it has another version.
    pub expected_version: i64,
    /// Where it goes.
    pub workspace: WorkspaceId,
    /// What holds work there: a ticket in a help desk, the conversation in an inbox.
    pub kind: WorkspaceKind,
    /// For a conversation that has no ticket yet and needs one.
    pub ticket: (TicketId, TicketType),
    /// The owner stays.
    pub keep_owner: bool,
    /// The team stays.
    pub keep_team: bool,
    /// It goes on waiting for somebody, if it does; else its wait is over.
    pub keep_waiting: bool,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// What a move came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The work item as it was.
    pub before: ItemRecord,
    /// The work item as it is, which may be another one.
    pub after: ItemRecord,
    /// What was the work item and is none any more.
    pub left: Option<ItemRecord>,
}

impl Tx {
    /// Moves a work item to another workspace with its conversation or ticket, its timers and what was merged into
    /// it, and writes history and live events for both workspaces.
    ///
    /// Into a help desk, the ticket that the conversation has, or a new one, becomes the work item and takes over
    /// state and history; into an inbox, the conversation does, and the ticket is closed and stays linked.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a ticket without a conversation that is to go into an inbox. A refusal because of the
    /// version is no error: it is the inner result, and nothing was written.
    pub async fn move_item(&self, wish: &ItemMove) -> Result<Result<Moved, Guard>, StoreError> {
        let group = counted_together(self, wish.item).await?;
        let Some(before) = group.iter().find(|record| record.id == wish.item).cloned() else {
            return Err(StoreError::new(StoreErrorKind::NotFound, format!("there is no item {}", wish.item)));
        };
        if before.version != wish.expected_version || before.merged_into.is_some() || !before.routed {
            return Ok(Err(Guard::ItemChanged(Box::new(before))));
        }
        let counted = counts(&group);
        let (group, work) = self.with_work_item(group, &before, wish).await?;
        let changed: Vec<Changed> =
            group.into_iter().map(|record| Changed { after: wish.applied_to(&record, &before, work), before: record }).collect();
        let after: Vec<ItemRecord> = changed.iter().map(|changed| changed.after.clone()).collect();
        let moves = moves(&counted, &counts(&after));
        self.shift_counts(&moves).await?;
        self.store_moved(wish, &changed, (&before, work)).await?;
        self.insert_events(&told_of(wish.at, changed.iter(), &moves)).await?;
        let of = |id: ItemId| after.iter().find(|record| record.id == id).cloned();
        let gone = || StoreError::new(StoreErrorKind::Internal, format!("item {work} vanished while it was moved"));
        let left = of(before.id).filter(|_| work != before.id);
        Ok(Ok(Moved { after: of(work).ok_or_else(gone)?, before, left }))
    }

    /// What counts together, with a new ticket if one is needed, and the id of what becomes the work item.
    async fn with_work_item(
        &self,
        mut group: Vec<ItemRecord>,
        before: &ItemRecord,
        wish: &ItemMove,
    ) -> Result<(Vec<ItemRecord>, ItemId), StoreError> {
        match (before.kind, wish.kind) {
            (ItemKind::Conversation, WorkspaceKind::Inbox) | (ItemKind::Ticket, WorkspaceKind::HelpDesk) => {
                Ok((group, before.id))
            }
            (ItemKind::Ticket, WorkspaceKind::Inbox) => match before.conversation {
                Some(conversation) => Ok((group, conversation.into())),
                None => Err(StoreError::new(
                    StoreErrorKind::Invalid,
                    format!("ticket {} has no conversation, and an inbox holds conversations", before.id),
                )),
            },
            (ItemKind::Conversation, WorkspaceKind::HelpDesk) => {
                if let Some(ticket) = before.ticket.map(ItemId::from)
                    && group.iter().any(|record| record.id == ticket)
                {
                    return Ok((group, ticket));
                }
                let ticket = self.insert_ticket_of(before, wish).await?;
                let work = ticket.id;
                group.push(ticket);
                Ok((group, work))
            }
        }
    }

    /// A ticket for a conversation, as old as the conversation.
    async fn insert_ticket_of(&self, conversation: &ItemRecord, wish: &ItemMove) -> Result<ItemRecord, StoreError> {
        let (id, ticket_type) = wish.ticket;
        self.insert_ticket(&NewTicket {
            id,
            workspace: wish.workspace,
            channel: conversation.channel,
            contact: conversation.contact,
            identity: conversation.identity.clone(),
            conversation: conversation.conversation,
            ticket_type,
            subject: conversation.subject.clone(),
            priority: conversation.priority,
            at: conversation.created_at,
            actor: wish.actor.clone(),
        })
        .await?;
        // It brings the history of the conversation, which begins with its own making.
        execute(self, "DELETE FROM history WHERE item_id = $1", values![id]).await?;
        let missing = || StoreError::new(StoreErrorKind::Internal, format!("ticket {id} vanished while it was made"));
        self.item_record(id.into(), false).await?.ok_or_else(missing)
    }

    async fn store_moved(
        &self,
        wish: &ItemMove,
        changed: &[Changed],
        (before, work): (&ItemRecord, ItemId),
    ) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        for Changed { after, .. } in changed {
            store_item(&mut bundle, after);
        }
        bundle.run(self).await?;
        for Changed { after, .. } in changed {
            self.store_role(after).await?;
            // Whoever may not open the new workspace sees nothing of what was merged into it either.
            let sql = "UPDATE item SET workspace_id = $2 WHERE merged_into = $1";
            execute(self, sql, values![after.id, after.workspace]).await?;
        }
        if work != before.id {
            self.hand_history(before.id, work).await?;
            execute(self, "UPDATE timer SET item_id = $2 WHERE item_id = $1", values![before.id, work]).await?;
            let sql = "INSERT INTO left_out (item_id, user_id, at) SELECT $2, user_id, at FROM left_out WHERE item_id = $1 \
                ON CONFLICT (item_id, user_id) DO NOTHING";
            execute(self, sql, values![before.id, work]).await?;
            execute(self, "DELETE FROM left_out WHERE item_id = $1", values![before.id]).await?;
        }
        let mut bundle = Bundle::default();
        for Changed { after, .. } in changed {
            let mut history = vec![HistoryChange::Moved { from: before.workspace, to: wish.workspace }];
            if after.id == work && (before.owner, before.team) != (after.owner, after.team) {
                history.push(HistoryChange::Owner { owner: after.owner, team: after.team });
            }
            add_history(&mut bundle, after.id, wish.at, &wish.actor, &history, None)?;
        }
        bundle.run(self).await
    }

    /// The values of an item that change only when it becomes, or ceases to be, the work item, or when others are
    /// merged into it.
    pub(crate) async fn store_role(&self, item: &ItemRecord) -> Result<(), StoreError> {
        let sql = "UPDATE item SET routed = $2, ticket_id = $3, first_reply_at = $4, last_message_at = $5, preview = $6, \
            merged_into = $7 WHERE id = $1";
        let values = values![
            item.id,
            item.routed,
            item.ticket,
            item.first_reply_at,
            item.last_message_at,
            item.preview.as_str(),
            item.merged_into,
        ];
        execute(self, sql, values).await.map(|_| ())
    }

    /// Copies the history of one item into that of another, as far as it is not there.
    async fn hand_history(&self, from: ItemId, to: ItemId) -> Result<(), StoreError> {
        let sql = "INSERT INTO history (item_id, at, actor, change, decision_id) \
            SELECT $2, h.at, h.actor, h.change, h.decision_id FROM history h WHERE h.item_id = $1 AND NOT EXISTS \
            (SELECT 1 FROM history o WHERE o.item_id = $2 AND o.at = h.at AND o.change = h.change) ORDER BY h.id";
        execute(self, sql, values![from, to]).await.map(|_| ())
    }
}

impl ItemMove {
    /// A record of what moves, after the move; `work` is what becomes the work item.
    fn applied_to(&self, record: &ItemRecord, before: &ItemRecord, work: ItemId) -> ItemRecord {
        let mut after = record.clone();
        after.version += 1;
        after.workspace = self.workspace;
        if record.kind == ItemKind::Conversation && work != record.id && work != before.id {
            after.ticket = Some(TicketId(work.0));
        }
        if record.id == work {
            self.take_over(&mut after, before);
        } else if record.id == before.id {
            leave(&mut after);
        }
        after
    }

    /// The state of the work, whatever held it before.
    fn take_over(&self, after: &mut ItemRecord, before: &ItemRecord) {
        after.routed = true;
        after.status = before.status;
        after.priority = before.priority;
        after.snoozed_until = before.snoozed_until;
        after.waiting_since = before.waiting_since;
        after.due_at = before.due_at;
        after.first_reply_at = before.first_reply_at;
        after.last_message_at = before.last_message_at;
        after.preview.clone_from(&before.preview);
        after.last_decision = before.last_decision;
        (after.owner, after.owned_since) = if self.keep_owner { (before.owner, before.owned_since) } else { (None, None) };
        after.team = before.team.filter(|_| self.keep_team);
        after.queued_since = before.queued_since.filter(|_| self.keep_waiting && after.owner.is_none());
        after.unassigned_reason = None;
    }
}

/// What is the work item no more: a conversation goes on with its ticket, a ticket is closed and stays linked.
fn leave(after: &mut ItemRecord) {
    after.routed = false;
    after.queued_since = None;
    after.due_at = None;
    after.unassigned_reason = None;
    match after.kind {
        ItemKind::Conversation => {
            (after.owner, after.owned_since, after.team) = (None, None, None);
        }
        ItemKind::Ticket => {
            after.status = ItemStatus::Closed;
            (after.snoozed_until, after.waiting_since) = (None, None);
        }
    }
}
