//! What the tables hold of the router's world: a second source beside its log (DESIGN 3.6).

use crate::error::StoreError;
use crate::routing::{Cursor, cursor};
use crate::row::{Db, Row, rows, values};
use crate::store::Store;
use switchboard_model::{ConversationId, ItemId, OwnedItem, StatusChange, Timestamp, UserId};

/// What the tables hold of the router's world, all of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// Where the router was.
    pub cursor: Cursor,
    /// Open work items that a person owns, by item. Inputs that are still to be consumed may tell of what is here
    /// already; consuming them changes nothing then.
    pub owned: Vec<OwnedItem>,
    /// The last status of everybody, by user.
    pub statuses: Vec<StatusChange>,
    /// Items that wait for somebody to become eligible, with since when, by item.
    pub queued: Vec<(ItemId, Timestamp)>,
}

impl Store {
    /// The router's world from the tables.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn table_state(&self) -> Result<TableState, StoreError> {
        let db = self.snapshot().await?;
        let state = table_state(&db).await?;
        db.roll_back().await;
        Ok(state)
    }
}

/// The router's world as a snapshot has it.
pub(crate) async fn table_state(db: &impl Db) -> Result<TableState, StoreError> {
    Ok(TableState {
        cursor: cursor(db).await?,
        owned: owned(db).await?,
        statuses: statuses(db).await?,
        queued: queued(db).await?,
    })
}

async fn owned(db: &impl Db) -> Result<Vec<OwnedItem>, StoreError> {
    let sql = "SELECT id, conversation_id, owner_id, load_group, COALESCE(owned_since, created_at) AS since, created_at, \
        waiting_since IS NULL AS on_contact FROM item \
        WHERE status = 'open' AND owner_kind = 'user' AND routed ORDER BY id";
    let owned = |row: &Row| {
        Ok(OwnedItem {
            item: row.id("id", ItemId)?,
            conversation: row.opt_id("conversation_id", ConversationId)?,
            user: row.id("owner_id", UserId)?,
            group: row.word("load_group")?,
            owned_since: row.id("since", Timestamp)?,
            created_at: Some(row.id("created_at", Timestamp)?),
            waiting_on_contact: row.get("on_contact")?,
        })
    };
    rows(db, sql, values![]).await?.iter().map(owned).collect()
}

async fn statuses(db: &impl Db) -> Result<Vec<StatusChange>, StoreError> {
    let sql = "SELECT user_id, status, availability_version FROM person WHERE status IS NOT NULL ORDER BY user_id";
    let status = |row: &Row| {
        let (user, version) = (row.id("user_id", UserId)?, row.get("availability_version")?);
        Ok(StatusChange { user, status: row.json("status")?, version })
    };
    rows(db, sql, values![]).await?.iter().map(status).collect()
}

async fn queued(db: &impl Db) -> Result<Vec<(ItemId, Timestamp)>, StoreError> {
    let sql = "SELECT id, queued_since FROM item WHERE queued_since IS NOT NULL ORDER BY queued_since, id";
    let queued = |row: &Row| Ok((row.id("id", ItemId)?, row.id("queued_since", Timestamp)?));
    let mut found = rows(db, sql, values![]).await?.iter().map(queued).collect::<Result<Vec<_>, StoreError>>()?;
    // The index is in the order of the wait.
    found.sort_unstable();
    Ok(found)
}
