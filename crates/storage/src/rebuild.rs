//! The router's state, rebuilt from the tables (DESIGN 3.6).

use crate::error::StoreError;
use crate::routing::{Cursor, cursor};
use crate::row::{Db, Row, rows, values};
use crate::store::Store;
use switchboard_model::{
    AssignedMark, ChannelId, ConversationId, ItemId, OwnedItem, RouterState, StatusChange, Timestamp, TurnState, UserId,
};

/// The router's state, rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the router was.
    pub cursor: Cursor,
    /// Its state. Owners and statuses are those of the tables, so inputs that are still to be consumed may tell
    /// of what it already holds; consuming them changes nothing then.
    pub state: RouterState,
}

impl Store {
    /// The router's state from the tables, all of one moment.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn rebuild(&self) -> Result<Rebuilt, StoreError> {
        let db = self.snapshot().await?;
        let cursor = cursor(&db).await?;
        let state = RouterState {
            no: cursor.no,
            now: cursor.now,
            directory_version: cursor.directory_version,
            owned: owned(&db).await?,
            statuses: statuses(&db).await?,
            marks: marks(&db).await?,
            turns: turns(&db).await?,
            ..RouterState::default()
        };
        db.roll_back().await;
        Ok(Rebuilt { cursor, state })
    }
}

async fn owned(db: &impl Db) -> Result<Vec<OwnedItem>, StoreError> {
    let sql = "SELECT id, conversation_id, owner_id, load_group, COALESCE(owned_since, created_at) AS since FROM item \
        WHERE status = 'open' AND owner_kind = 'user' AND routed ORDER BY id";
    let owned = |row: &Row| {
        Ok(OwnedItem {
            item: row.id("id", ItemId)?,
            conversation: row.opt_id("conversation_id", ConversationId)?,
            user: row.id("owner_id", UserId)?,
            group: row.word("load_group")?,
            owned_since: row.id("since", Timestamp)?,
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

/// Sorted as values of the model, whose groups do not sort like their words.
async fn marks(db: &impl Db) -> Result<Vec<AssignedMark>, StoreError> {
    let mark = |row: &Row| {
        let (user, group) = (row.id("user_id", UserId)?, row.word("load_group")?);
        Ok(AssignedMark { user, group, no: row.count("no")? })
    };
    let found = rows(db, "SELECT user_id, load_group, no FROM mark", values![]).await?;
    let mut marks = found.iter().map(mark).collect::<Result<Vec<_>, StoreError>>()?;
    marks.sort();
    Ok(marks)
}

async fn turns(db: &impl Db) -> Result<Vec<TurnState>, StoreError> {
    let sql = "SELECT channel_id, case_no, cycle, served FROM turn ORDER BY channel_id, case_no";
    let turn = |row: &Row| {
        let (channel, case) = (row.id("channel_id", ChannelId)?, row.small("case_no")?);
        Ok(TurnState { channel, case, cycle: row.count("cycle")?, served: row.json("served")? })
    };
    rows(db, sql, values![]).await?.iter().map(turn).collect()
}
