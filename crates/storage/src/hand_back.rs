//! Owned work that a rule may hand back, and who is left out of decisions about an item (ROUTING 4.5).

use crate::error::StoreError;
use crate::row::{Row, execute, rows, values};
use crate::store::{Store, Tx};
use switchboard_model::{ChannelId, Decision, ItemId, RuleRef, Timestamp, UserId};

/// An open work item with a human owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedWork {
    /// The item.
    pub item: ItemId,
    /// Its version.
    pub version: i64,
    /// The channel that it came through.
    pub channel: ChannelId,
    /// The owner.
    pub owner: UserId,
    /// When the ownership began.
    pub owned_since: Timestamp,
    /// Since when the contact has been without an answer.
    pub waiting_since: Option<Timestamp>,
    /// The rule and case by which it was last decided.
    pub rule: Option<RuleRef>,
}

/// Which owned work to look for.
#[derive(Clone, Debug)]
pub struct OwnedWorkQuery {
    /// Of these channels.
    pub channels: Vec<ChannelId>,
    /// Owned by one of these...
    pub owners: Vec<UserId>,
    /// ...or unanswered since then at the latest.
    pub unanswered_since: Option<Timestamp>,
    /// Behind this item.
    pub after: ItemId,
    /// Rows at most.
    pub limit: u32,
}

impl Store {
    /// Open work items that meet a query, by ascending id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn owned_work(&self, query: &OwnedWorkQuery) -> Result<Vec<OwnedWork>, StoreError> {
        let sql = format!(
            "SELECT i.id, i.version, i.channel_id, i.owner_id, COALESCE(i.owned_since, i.created_at) AS owned_since, \
             i.waiting_since, d.decision FROM item i LEFT JOIN decision d ON d.id = i.last_decision \
             WHERE i.status = 'open' AND i.owner_kind = 'user' AND i.routed AND i.contact_id IS NOT NULL \
             AND i.channel_id IN ({}) AND (i.owner_id IN ({}) OR i.waiting_since <= $1) AND i.id > $2 ORDER BY i.id LIMIT $3",
            numbers(query.channels.iter().map(|channel| channel.0)),
            numbers(query.owners.iter().map(|owner| owner.0)),
        );
        let work = |row: &Row| {
            let decision: Option<Decision> = row.opt_json("decision")?;
            Ok(OwnedWork {
                item: row.id("id", ItemId)?,
                version: row.get("version")?,
                channel: row.id("channel_id", ChannelId)?,
                owner: row.id("owner_id", UserId)?,
                owned_since: row.id("owned_since", Timestamp)?,
                waiting_since: row.opt_id("waiting_since", Timestamp)?,
                rule: decision.and_then(|decision| decision.rule),
            })
        };
        let values = values![query.unanswered_since.unwrap_or(Timestamp(i64::MIN)), query.after, query.limit];
        rows(self.reads(), sql, values).await?.iter().map(work).collect()
    }
}

impl Tx {
    /// Leaves a person out of automatic decisions about an item, until [`Tx::let_everybody_in`].
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn leave_out(&self, item: ItemId, user: UserId, at: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO left_out (item_id, user_id, at) VALUES ($1, $2, $3) ON CONFLICT (item_id, user_id) DO NOTHING";
        execute(self, sql, values![item, user, at]).await.map(|_| ())
    }

    /// Who is left out of automatic decisions about an item, by ascending id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn left_out(&self, item: ItemId) -> Result<Vec<UserId>, StoreError> {
        let sql = "SELECT user_id FROM left_out WHERE item_id = $1 ORDER BY user_id";
        rows(self, sql, values![item]).await?.iter().map(|row| row.id("user_id", UserId)).collect()
    }

    /// Leaves nobody out of decisions about an item any more; false when nobody was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn let_everybody_in(&self, item: ItemId) -> Result<bool, StoreError> {
        Ok(execute(self, "DELETE FROM left_out WHERE item_id = $1", values![item]).await? > 0)
    }
}

/// A list of ids as text; one that no row has where there is none.
fn numbers(ids: impl Iterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    if ids.is_empty() { "0".to_owned() } else { ids.join(", ") }
}
