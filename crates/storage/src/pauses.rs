//! Times in which no service target of an item ran (ROUTING 14.3).

use crate::error::StoreError;
use crate::items::ItemRecord;
use crate::row::{rows, values};
use crate::store::Tx;
use switchboard_model::{HistoryChange, ItemStatus, Timestamp};

impl Tx {
    /// When the item was put aside, and when it waited on the contact, each as first instant and first instant after
    /// it; what has not ended yet is left out. In no order, and they may overlap.
    ///
    /// # Errors
    /// `Corrupt` when the history cannot be read back.
    pub async fn pauses_of(&self, item: &ItemRecord) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
        let mut pauses = Vec::new();
        let sql = "SELECT at, change FROM history WHERE item_id = $1 ORDER BY at, id";
        let mut from = None;
        for found in rows(self, sql, values![item.id]).await? {
            let at: Timestamp = found.id("at", Timestamp)?;
            match found.json::<HistoryChange>("change")? {
                HistoryChange::Status { status: ItemStatus::Open } => pauses.extend(from.take().map(|from| (from, at))),
                HistoryChange::Status { .. } => from = from.or(Some(at)),
                _ => {}
            }
        }
        let Some(conversation) = item.conversation else { return Ok(pauses) };
        let sql = "SELECT at, kind = 'reply' AS ours FROM message WHERE conversation_id = $1 \
            AND (kind = 'reply' OR (kind = 'inbound' AND nature IN ('message', 'malformed'))) ORDER BY at, id";
        let mut from = None;
        for found in rows(self, sql, values![conversation]).await? {
            let (at, ours): (Timestamp, bool) = (found.id("at", Timestamp)?, found.get("ours")?);
            match ours {
                true => from = from.or(Some(at)),
                false => pauses.extend(from.take().map(|from| (from, at))),
            }
        }
        Ok(pauses)
    }
}
