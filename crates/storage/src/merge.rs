//! Merging two items of a workspace into one (ROUTING 12.4).
//!
//! The newer item stays as a shell that is closed and says where it went. Its references, thread key and outgoing
//! replies keep naming the shell: whoever comes in by them is led on, and replies go to whom they were written to.

use crate::error::{StoreError, StoreErrorKind};
use crate::guard::{Changed, Counts, Guard, Moves, add_history, counts, moves, store_item, told_of};
use crate::items::{ItemRecord, both_counted, priority_rank};
use crate::row::{Bundle, Db, execute, row, rows, values};
use crate::store::{Store, Tx};
use std::collections::BTreeSet;
use switchboard_model::{Actor, ConversationId, HistoryChange, Identity, ItemId, ItemKind, ItemStatus, Owner, Timestamp};

/// A merge. The older of two items is the survivor.
#[derive(Clone, Debug)]
pub struct ItemMerge {
    /// The item that stays, with the version that it must have.
    pub survivor: (ItemId, i64),
    /// The item that goes into it, with the version that it must have.
    pub merged: (ItemId, i64),
    /// Who owns the survivor afterwards. Somebody who owned one of the two continues that ownership.
    pub owner: Option<Owner>,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// What a merge came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The item that stays.
    pub survivor: Changed,
    /// The shell of the other.
    pub merged: Changed,
    /// How many messages went over.
    pub messages: u64,
}

impl Store {
    /// The item that an item was merged into, at the end of the chain; the item itself if it was not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn survivor_of(&self, item: ItemId) -> Result<ItemId, StoreError> {
        survivor_of(self.reads(), item).await
    }
}

impl Tx {
    /// As [`Store::survivor_of`] for a conversation. On PostgreSQL every conversation on the way stays locked until the
    /// commit, so that no merge comes between the look and what is written.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn surviving_conversation(&self, conversation: ConversationId) -> Result<ConversationId, StoreError> {
        let mut seen = BTreeSet::from([conversation]);
        let mut current = conversation;
        while let Some(into) = self.item_record(current.into(), true).await?.and_then(|record| record.merged_into) {
            current = ConversationId(into.0);
            if !seen.insert(current) {
                return Err(StoreError::new(
                    StoreErrorKind::Corrupt,
                    format!("conversation {conversation} is merged into itself"),
                ));
            }
        }
        Ok(current)
    }

    /// Identities of other contacts whose conversations were merged into this one, that they are answered at.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn merged_identities(&self, conversation: ConversationId) -> Result<Vec<Identity>, StoreError> {
        let sql = "SELECT i.identity_kind AS kind, i.identity_value AS value FROM item i WHERE i.merged_into = $1 \
            AND i.identity_kind IS NOT NULL AND i.contact_id <> COALESCE((SELECT contact_id FROM item WHERE id = $1), 0) \
            ORDER BY i.id";
        let found = rows(self, sql, values![conversation]).await?;
        found.iter().map(|row| Ok(Identity { kind: row.word("kind")?, value: row.get("value")? })).collect()
    }

    /// Merges one item into another of the same workspace and kind, with their conversations: messages, participants and
    /// what was merged before go over, counted work of the people concerned moves, and history and live events are
    /// written. What either of the two waits for, the survivor waits for; its timers are up to the caller.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for the same item twice, or where messages have nowhere to go. A refusal because of a
    /// version is no error: it is the inner result, and nothing was written.
    pub async fn merge_items(&self, wish: &ItemMerge) -> Result<Result<Merged, Guard>, StoreError> {
        let both = both_counted(self, wish.survivor.0, wish.merged.0).await?;
        for (id, version) in [wish.survivor, wish.merged] {
            let Some(found) = both.iter().find(|record| record.id == id) else {
                return Err(StoreError::new(StoreErrorKind::NotFound, format!("there is no item {id}")));
            };
            if found.version != version || found.merged_into.is_some() || !found.routed {
                return Ok(Err(Guard::ItemChanged(Box::new(found.clone()))));
            }
        }
        let of = |id: ItemId| both.iter().find(|record| record.id == id).cloned().expect("both were found above");
        let (older, newer) = (of(wish.survivor.0), of(wish.merged.0));
        let key = |record: &ItemRecord| record.conversation.map_or(record.id, ItemId::from);
        let (kept, gone): (Vec<_>, Vec<_>) = both.into_iter().partition(|record| key(record) == key(&older));
        if gone.is_empty() {
            return Err(StoreError::new(StoreErrorKind::Invalid, "an item is not merged into itself"));
        }
        let counted = sum(counts(&kept), &counts(&gone));
        let kept: Vec<Changed> =
            kept.into_iter().map(|record| Changed { after: wish.kept(&record, &older, &newer), before: record }).collect();
        let mut shells = Vec::with_capacity(gone.len());
        for record in gone {
            let into = kept.iter().map(|changed| &changed.before).find(|other| other.kind == record.kind).unwrap_or(&older);
            shells.push(Changed { after: shell(&record, into.id), before: record });
        }
        let after: Vec<ItemRecord> = kept.iter().map(|changed| changed.after.clone()).collect();
        let moves = moves(&counted, &counts(&after));
        self.shift_counts(&moves).await?;
        self.store_merged(wish, &kept, &shells).await?;
        let messages = self.hand_over(&older, &newer).await?;
        self.insert_events(&told_of(wish.at, kept.iter().chain(&shells), &moves)).await?;
        let pick = |all: Vec<Changed>, id: ItemId| all.into_iter().find(|changed| changed.before.id == id);
        let survivor = pick(kept, older.id).expect("the survivor is among what stays");
        let merged = pick(shells, newer.id).expect("the newer item is among what goes");
        Ok(Ok(Merged { survivor, merged, messages }))
    }

    async fn store_merged(&self, wish: &ItemMerge, kept: &[Changed], shells: &[Changed]) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        for Changed { after, .. } in kept.iter().chain(shells) {
            store_item(&mut bundle, after);
        }
        bundle.run(self).await?;
        for Changed { after, .. } in kept.iter().chain(shells) {
            self.store_role(after).await?;
        }
        for Changed { after, .. } in shells {
            // What was merged into it before is found in one step, and never in a circle.
            let sql = "UPDATE item SET merged_into = $2 WHERE merged_into = $1";
            execute(self, sql, values![after.id, after.merged_into]).await?;
        }
        let mut bundle = Bundle::default();
        for Changed { before, after } in kept.iter().chain(shells) {
            let mut changes = Vec::new();
            match after.merged_into {
                Some(item) => changes.push(HistoryChange::MergedInto { item }),
                None if before.id == wish.survivor.0 => changes.push(HistoryChange::MergedFrom { item: wish.merged.0 }),
                None => {}
            }
            if after.merged_into.is_none() && (before.owner, before.team) != (after.owner, after.team) {
                changes.push(HistoryChange::Owner { owner: after.owner, team: after.team });
            }
            if after.merged_into.is_none() && before.status != after.status {
                changes.push(HistoryChange::Status { status: after.status });
            }
            add_history(&mut bundle, after.id, wish.at, &wish.actor, &changes, None)?;
        }
        bundle.run(self).await
    }

    /// Hands messages and participants over; the contact of the newer conversation takes part in the older from now on.
    async fn hand_over(&self, older: &ItemRecord, newer: &ItemRecord) -> Result<u64, StoreError> {
        let Some(from) = newer.conversation else { return Ok(0) };
        let Some(to) = older.conversation else {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!("ticket {} has no conversation that messages could go to", older.id),
            ));
        };
        let sql = "INSERT INTO participant (conversation_id, kind, value) SELECT $2, p.kind, p.value FROM participant p \
            WHERE p.conversation_id = $1 ON CONFLICT DO NOTHING";
        execute(self, sql, values![from, to]).await?;
        let sql = "INSERT INTO participant (conversation_id, kind, value) SELECT $2, d.kind, d.value FROM identity d \
            WHERE d.contact_id = $1 ON CONFLICT DO NOTHING";
        execute(self, sql, values![newer.contact, to]).await?;
        execute(self, "UPDATE message SET conversation_id = $2 WHERE conversation_id = $1", values![from, to]).await
    }
}

async fn survivor_of(db: &impl Db, item: ItemId) -> Result<ItemId, StoreError> {
    let mut seen = BTreeSet::from([item]);
    let mut current = item;
    let sql = "SELECT merged_into FROM item WHERE id = $1 AND merged_into IS NOT NULL";
    while let Some(found) = row(db, sql, values![current]).await? {
        current = found.id("merged_into", ItemId)?;
        if !seen.insert(current) {
            return Err(StoreError::new(StoreErrorKind::Corrupt, format!("item {item} is merged into itself")));
        }
    }
    Ok(current)
}

impl ItemMerge {
    /// What stays after the merge: the survivor, and its conversation or ticket.
    fn kept(&self, record: &ItemRecord, older: &ItemRecord, newer: &ItemRecord) -> ItemRecord {
        let mut after = record.clone();
        after.version += 1;
        let is_later = newer.last_message_at > older.last_message_at;
        if is_later {
            after.last_message_at = newer.last_message_at;
            after.preview.clone_from(&newer.preview);
        }
        // A ticket that was left behind when its conversation moved into an inbox stays closed.
        let goes_along = record.id == older.id || (record.kind == ItemKind::Conversation && record.status == older.status);
        if !goes_along {
            return after;
        }
        let takes_status = urgency(newer.status) > urgency(older.status);
        after.status = if takes_status { newer.status } else { older.status };
        if after.status == ItemStatus::Snoozed {
            after.snoozed_until = if takes_status { newer.snoozed_until } else { record.snoozed_until };
        } else {
            after.snoozed_until = None;
        }
        after.waiting_since = match after.status {
            ItemStatus::Open | ItemStatus::Snoozed => earlier(older.waiting_since, newer.waiting_since),
            ItemStatus::Closed | ItemStatus::Spam => None,
        };
        after.first_reply_at = record.first_reply_at.or(newer.first_reply_at);
        if record.id == older.id {
            self.take_over(&mut after, older, newer);
        }
        after
    }

    fn take_over(&self, after: &mut ItemRecord, older: &ItemRecord, newer: &ItemRecord) {
        if priority_rank(newer.priority) > priority_rank(older.priority) {
            after.priority = newer.priority;
        }
        after.due_at = earlier(older.due_at, newer.due_at);
        after.owner = self.owner;
        after.owned_since = match self.owner {
            None => None,
            owner if owner == older.owner => older.owned_since,
            owner if owner == newer.owner => newer.owned_since,
            Some(_) => Some(self.at),
        };
        if self.owner.is_some() && self.owner != older.owner {
            after.team = older.team.or(newer.team);
        }
        let waits = after.owner.is_none() && after.status == ItemStatus::Open;
        after.queued_since = older.queued_since.filter(|_| waits);
        after.unassigned_reason = older.unassigned_reason.or(newer.unassigned_reason).filter(|_| after.owner.is_none());
    }
}

fn shell(record: &ItemRecord, into: ItemId) -> ItemRecord {
    ItemRecord {
        version: record.version + 1,
        status: ItemStatus::Closed,
        merged_into: Some(into),
        queued_since: None,
        waiting_since: None,
        snoozed_until: None,
        due_at: None,
        unassigned_reason: None,
        ..record.clone()
    }
}

/// How much a status asks of people; of two, the greater one goes on.
const fn urgency(status: ItemStatus) -> u8 {
    match status {
        ItemStatus::Open => 3,
        ItemStatus::Snoozed => 2,
        ItemStatus::Closed => 1,
        ItemStatus::Spam => 0,
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn sum(mut counts: Moves, more: &Moves) -> Moves {
    for (user, count) in more {
        let entry: &mut Counts = counts.entry(*user).or_default();
        for (part, number) in entry.iter_mut().zip(count) {
            *part += number;
        }
    }
    counts
}
