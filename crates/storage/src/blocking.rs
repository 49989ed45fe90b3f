//! Contacts that people at the desk block, and what is open of them (ROUTING 12.1).

use crate::error::{StoreError, StoreErrorKind};
use crate::items::{ITEM_COLUMNS, ItemRecord, record};
use crate::lists::{ListScope, Where};
use crate::row::{Db, Row, execute, json, row, rows, values};
use crate::store::{Store, Tx};
use switchboard_model::{Actor, Blocked, ContactId, ItemId, Timestamp};

/// Columns of a contact `c` by which [`blocked`] is read.
pub(crate) const BLOCKED_COLUMNS: &str = "c.blocked_at, c.blocked_by";

impl Store {
    /// Whether a list has anything to show, whatever the status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_item(&self, scope: &ListScope) -> Result<bool, StoreError> {
        let Where { sql, values } = Where::of(scope);
        Ok(row(self.reads(), format!("SELECT 1 AS found FROM item i WHERE {sql} LIMIT 1"), values).await?.is_some())
    }
}

impl Tx {
    /// Blocks a contact, and answers whether it was not blocked before; whoever blocked it first stays known for it.
    ///
    /// On PostgreSQL it waits for messages of the contact that are being stored, and those that come later wait for it: what
    /// is open of the contact afterwards is all there is, and whoever writes from then on is seen to be blocked.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn block_contact(&self, contact: ContactId, by: &Actor, at: Timestamp) -> Result<bool, StoreError> {
        self.lock_contact(contact).await?;
        let sql = "UPDATE contact SET blocked_at = $2, blocked_by = $3 WHERE id = $1 AND blocked_at IS NULL";
        Ok(execute(self, sql, values![contact, at, json(by)?]).await? > 0)
    }

    /// Takes a block back, and answers whether there was one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn unblock_contact(&self, contact: ContactId) -> Result<bool, StoreError> {
        self.lock_contact(contact).await?;
        let sql = "UPDATE contact SET blocked_at = NULL, blocked_by = NULL WHERE id = $1 AND blocked_at IS NOT NULL";
        Ok(execute(self, sql, values![contact]).await? > 0)
    }

    async fn lock_contact(&self, contact: ContactId) -> Result<(), StoreError> {
        let lock = if self.is_shared() { "FOR UPDATE" } else { "" };
        let found = row(self, format!("SELECT id FROM contact WHERE id = $1 {lock}"), values![contact]).await?;
        let missing = || StoreError::new(StoreErrorKind::NotFound, format!("there is no contact {contact}"));
        found.map(|_| ()).ok_or_else(missing)
    }

    /// Work items of a contact that are open or put aside, by ascending id after `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending_items_of(&self, contact: ContactId, after: ItemId, limit: u32) -> Result<Vec<ItemRecord>, StoreError> {
        let sql = format!(
            "SELECT {ITEM_COLUMNS} FROM item i WHERE i.contact_id = $1 AND i.routed AND i.status IN ('open', 'snoozed') \
             AND i.id > $2 ORDER BY i.id LIMIT $3"
        );
        rows(self, sql, values![contact, after, limit]).await?.iter().map(record).collect()
    }

    /// The work items of a contact in which something was said last, whatever their status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_items_of(&self, contact: ContactId, limit: u32) -> Result<Vec<ItemRecord>, StoreError> {
        let sql = format!(
            "SELECT {ITEM_COLUMNS} FROM item i WHERE i.contact_id = $1 AND i.routed ORDER BY i.last_message_at DESC, i.id DESC \
             LIMIT $2"
        );
        rows(self, sql, values![contact, limit]).await?.iter().map(record).collect()
    }
}

/// Who blocked the contact of a row, and when.
pub(crate) fn blocked(row: &Row) -> Result<Option<Blocked>, StoreError> {
    let by = row.opt_json("blocked_by")?;
    Ok(row.opt_id("blocked_at", Timestamp)?.zip(by).map(|(at, by)| Blocked { at, by }))
}
