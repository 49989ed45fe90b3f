//! Merging two conversations or tickets of a workspace into one, by hand (ROUTING 12.4).

use crate::arrival::revised_input;
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::items::{Reroute, is_work_item, may_reassign};
use crate::moving::{changed_input, may_open_as};
use crate::random;
use crate::request::{Caller, MergeReport, MergeWish};
use crate::sla::renew_due;
use crate::timers;
use std::sync::Arc;
use switchboard_model::{Directory, ItemId, ItemStatus, Owner, RouteEvent, Timestamp};
use switchboard_storage::{Changed, ItemMerge, ItemRecord, Merged, NewAudit, Tx};

impl Engine {
    /// Merges two work items of one workspace. The older stays with its owner and takes over messages, and whoever takes
    /// part; the newer is closed for good and leads there. Answers with what was done, for it cannot be undone.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for items that cannot be one; `Forbidden` in a workspace that limits reassigning; `Conflict`
    /// with the row of the item whose version is no longer current.
    pub async fn merge_items(&self, caller: &Caller, id: ItemId, wish: MergeWish) -> Result<MergeReport> {
        let one = (self.open_record(caller, id).await?, wish.version);
        let other = (self.open_record(caller, wish.with).await?, wish.with_version);
        let age = |record: &ItemRecord| (record.created_at, record.id);
        let (older, newer) = if age(&one.0) < age(&other.0) { (one, other) } else { (other, one) };
        let directory = self.directory();
        for (record, _) in [&older, &newer] {
            is_work_item(record)?;
            may_reassign(&directory, caller, record)?;
        }
        may_be_one(&older.0, &newer.0)?;
        let change = ItemMerge {
            survivor: (older.0.id, older.1),
            merged: (newer.0.id, newer.1),
            owner: owner_of_both(&directory, &older.0, &newer.0),
            actor: caller.actor.clone(),
            at: self.now(),
        };
        let merging = Merging { change, directory, seed: random::seed() };
        let done = self.commit(move |tx| Box::pin(async move { merging.run(tx).await })).await?;
        match done {
            Ok(done) => Ok(MergeReport {
                survivor: self.row(done.merged.survivor.after.id).await?,
                merged: self.row(done.merged.merged.after.id).await?,
                messages: done.merged.messages,
                routed: done.is_routed,
            }),
            Err(current) => Err(EngineError::conflict(self.row(current).await?)),
        }
    }
}

fn may_be_one(older: &ItemRecord, newer: &ItemRecord) -> Result<()> {
    if older.id == newer.id {
        return Err(EngineError::invalid("an item is not merged into itself"));
    }
    if older.workspace != newer.workspace || older.kind != newer.kind {
        return Err(EngineError::invalid("only items of one workspace are merged; move one of them first"));
    }
    if older.conversation.is_none() {
        return Err(EngineError::invalid(format!("ticket {} has no conversation that messages could go to", older.id)));
    }
    Ok(())
}

/// The owner of the older item; where nobody is, or the owner may not work there any more, that of the newer.
fn owner_of_both(directory: &Directory, older: &ItemRecord, newer: &ItemRecord) -> Option<Owner> {
    let workspace = directory.workspace(older.workspace);
    let works = |owner: &Owner| match owner {
        Owner::User { id } => workspace.is_some_and(|workspace| may_open_as(directory, workspace, *id)),
        Owner::Bot | Owner::Assistant => true,
    };
    let person = |owner: &Owner| matches!(owner, Owner::User { .. });
    older.owner.filter(works).or_else(|| newer.owner.filter(person).filter(works))
}

/// A merge on its way into the database.
struct Merging {
    change: ItemMerge,
    directory: Arc<Directory>,
    seed: u64,
}

struct Done {
    merged: Merged,
    is_routed: bool,
}

impl Merging {
    /// The item whose version is no longer current, where there is one.
    async fn run(self, tx: &Tx) -> Result<std::result::Result<Done, ItemId>> {
        let mut merged = match tx.merge_items(&self.change).await? {
            Ok(merged) => merged,
            Err(guard) => return Ok(Err(guard.item().id)),
        };
        let at = self.change.at;
        merged.survivor.after = renew_due(tx, &self.directory, merged.survivor.after, at).await?;
        settle_timers(tx, &merged).await?;
        tell_merge(tx, &merged, at).await?;
        let is_routed = wants_owner(&merged);
        if is_routed {
            self.route(tx, &merged).await?;
        }
        let (survivor, newer) = (&merged.survivor.after, &merged.merged.before);
        let detail = serde_json::json!({
            "merged": newer.id,
            "messages": merged.messages,
            "owner_of_merged": newer.owner,
            "contacts": [survivor.contact, newer.contact],
        });
        let (actor, target) = (self.change.actor.clone(), survivor.id.to_string());
        tx.insert_audit(&NewAudit { at, actor, action: "item.merge".into(), target, detail }).await?;
        Ok(Ok(Done { merged, is_routed }))
    }

    /// What waited goes on waiting with the time that it had.
    async fn route(&self, tx: &Tx, merged: &Merged) -> Result<()> {
        let after = ItemRecord { queued_since: merged.merged.before.queued_since, ..merged.survivor.after.clone() };
        let changed = Changed { before: after.clone(), after };
        let reroute = Reroute { event: RouteEvent::Requested, excluded: Vec::new() };
        reroute.tell(tx, &self.directory, &changed, self.change.at, self.seed).await
    }
}

/// Whether the survivor is open without an owner where it was not before, or the newer item had yet to get one.
fn wants_owner(Merged { survivor, merged, .. }: &Merged) -> bool {
    let (before, after, newer) = (&survivor.before, &survivor.after, &merged.before);
    let wants = after.status == ItemStatus::Open && after.owner.is_none() && after.queued_since.is_none();
    let is_new = before.status != ItemStatus::Open || before.owner.is_some();
    let was_pending = newer.status == ItemStatus::Open && (newer.queued_since.is_some() || newer.last_decision.is_none());
    wants && (is_new || was_pending) && after.channel.is_some() && after.contact.is_some()
}

/// The survivor first: whoever owned both never seems to have room in between.
async fn tell_merge(tx: &Tx, merged: &Merged, at: Timestamp) -> Result<()> {
    let (survivor, newer) = (&merged.survivor.after, &merged.merged.after);
    let mut inputs = vec![changed_input(survivor.state(), at)];
    if survivor.queued_since.is_some() {
        inputs.push(revised_input(survivor, at));
    }
    inputs.push(changed_input(newer.state(), at));
    tx.append_inputs(&inputs).await?;
    Ok(())
}

/// A snooze ends with the status; a contact owner who is yet to be mailed is mailed what the survivor has; whatever else
/// the newer item was waiting for, it waits for no longer.
async fn settle_timers(tx: &Tx, Merged { survivor, merged, .. }: &Merged) -> Result<()> {
    let (kept, newer) = (survivor.after.id, merged.after.id);
    let is_snoozed = survivor.after.status == ItemStatus::Snoozed;
    if !is_snoozed {
        tx.delete_timers_of(kept, timers::SNOOZE).await?;
    } else if survivor.before.status != ItemStatus::Snoozed {
        tx.hand_timers(newer, kept, timers::SNOOZE).await?;
    }
    tx.hand_timers(newer, kept, timers::MAIL_OWNER).await?;
    tx.delete_all_timers_of(newer).await?;
    Ok(())
}
