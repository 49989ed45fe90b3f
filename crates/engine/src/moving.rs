//! Moving work to another workspace, by hand (ROUTING 12.4).

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::items::{Reroute, is_work_item, may_reassign};
use crate::random;
use crate::request::{Caller, MoveWish};
use crate::sla::renew_due;
use std::sync::Arc;
use switchboard_model::{
    Directory, Input, ItemChange, ItemId, ItemKind, ItemRow, ItemState, ItemStatus, Owner, RouteEvent, TeamId, TicketId,
    TicketType, Timestamp, UserId, WorkType, Workspace, WorkspaceKind,
};
use switchboard_storage::{Changed, ItemMove, ItemRecord, Moved, NewInput, Tx};

impl Engine {
    /// Moves a conversation or ticket to another workspace with its messages and history, and answers with what is the
    /// work item there: the ticket in a help desk, which is made if there is none, the conversation in an inbox.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a workspace that the caller may not open, for the one it is in, and for what no rule
    /// routes where routing was asked for; `Forbidden` in a workspace that limits reassigning; `Conflict`.
    pub async fn move_item(&self, caller: &Caller, id: ItemId, wish: MoveWish) -> Result<ItemRow> {
        let record = self.open_record(caller, id).await?;
        is_work_item(&record)?;
        let directory = self.directory();
        let target = directory.workspace(wish.workspace).filter(|workspace| self.may_open(caller, workspace.id));
        let target = target.ok_or_else(|| {
            EngineError::invalid(format!("workspace {} does not exist, or may not be opened by you", wish.workspace))
        })?;
        if target.id == record.workspace {
            return Err(EngineError::invalid("it is in this workspace already"));
        }
        if target.kind == WorkspaceKind::Inbox && record.conversation.is_none() {
            return Err(EngineError::invalid("this ticket has no conversation, and an inbox holds conversations"));
        }
        if wish.route {
            self.routable(&record)?;
        }
        let keep_owner = keeps_owner(&directory, target, record.owner);
        // Another workspace may let everybody reassign, so a move is judged like a reassignment here.
        may_reassign(&directory, caller, &record)?;
        let change = ItemMove {
            item: id,
            expected_version: wish.version,
            workspace: target.id,
            kind: target.kind,
            ticket: (TicketId(self.inner.store.next_id().await?), ticket_type(&directory, &record)),
            keep_owner,
            keep_team: record.team.is_none_or(|team| may_open_as_team(&directory, target, team)),
            keep_waiting: wish.route,
            actor: caller.actor.clone(),
            at: self.now(),
        };
        let (route, seed, moved_to) = (wish.route, random::seed(), Arc::clone(&directory));
        let outcome = self
            .commit(move |tx| {
                Box::pin(async move {
                    let mut moved = match tx.move_item(&change).await? {
                        Ok(moved) => moved,
                        Err(guard) => return Ok(Err(guard.item().id)),
                    };
                    moved.after = renew_due(tx, &moved_to, moved.after, change.at).await?;
                    tell_move(tx, &moved, change.at).await?;
                    if route {
                        let changed = Changed { before: moved.after.clone(), after: moved.after.clone() };
                        let reroute = Reroute { event: RouteEvent::Requested, excluded: Vec::new() };
                        reroute.tell(tx, &moved_to, &changed, change.at, seed).await?;
                    }
                    Ok(Ok(moved.after.id))
                })
            })
            .await?;
        match outcome {
            Ok(work) => self.row(work).await,
            Err(current) => Err(EngineError::conflict(self.row(current).await?)),
        }
    }
}

/// Tells the router what is the work item now, and what is none any more. The new one comes first: counted once with
/// the old one, it never seems to leave room in between.
async fn tell_move(tx: &Tx, moved: &Moved, at: Timestamp) -> Result<()> {
    let after = &moved.after;
    let mut states = Vec::new();
    if after.id == moved.before.id && moved.before.queued_since.is_some() && after.queued_since.is_none() {
        // What is open and owned by nobody may wait; only what is not open is taken out of the queue.
        states.push(gone(after));
    }
    states.push(after.state());
    states.extend(moved.left.as_ref().map(gone));
    let inputs: Vec<NewInput> = states.into_iter().map(|state| changed_input(state, at)).collect();
    tx.append_inputs(&inputs).await?;
    Ok(())
}

/// What the router is told of a change that is no assignment.
pub(crate) fn changed_input(state: ItemState, at: Timestamp) -> NewInput {
    let item = Some(state.item);
    NewInput { at, item, input: Input::Changed(ItemChange { state, assigned: false }), consumed: None }
}

/// The router knows work items only: what is none any more is no open work.
fn gone(item: &ItemRecord) -> ItemState {
    ItemState { status: ItemStatus::Closed, ..item.state() }
}

/// A person keeps what moves to where that person may open it; a bot or the assistant keeps everything.
fn keeps_owner(directory: &Directory, target: &Workspace, owner: Option<Owner>) -> bool {
    match owner {
        Some(Owner::User { id }) => may_open_as(directory, target, id),
        _ => true,
    }
}

/// Whether the person could work on something in the workspace.
pub(crate) fn may_open_as(directory: &Directory, workspace: &Workspace, user: UserId) -> bool {
    directory.user(user).is_some_and(|user| user.is_active() && workspace.may_open(user))
}

fn may_open_as_team(directory: &Directory, workspace: &Workspace, team: TeamId) -> bool {
    directory.users.iter().any(|user| user.is_active() && user.is_member(team) && workspace.may_open(user))
}

/// The type of the ticket that a conversation gets: by the kind of its channel, or by how it counts where that is gone.
fn ticket_type(directory: &Directory, record: &ItemRecord) -> TicketType {
    let channel = record.channel.and_then(|id| directory.channel(id));
    match (record.kind, record.ticket_type, channel) {
        (ItemKind::Ticket, Some(own), _) => own,
        (_, _, Some(channel)) => channel.kind.ticket_type(),
        _ => match record.group.work_type() {
            WorkType::Chat => TicketType::Messaging,
            WorkType::Mail => TicketType::EmailOther,
            WorkType::Call => TicketType::Calling,
        },
    }
}
