//! Timers: things that are due at a time.

use crate::error::StoreError;
use crate::row::{Row, execute, json, one, placeholders, rows, values};
use crate::store::{Store, Tx};
use sea_orm::Value;
use switchboard_model::{ItemId, Timestamp};

/// A timer to set.
#[derive(Clone, Debug)]
pub struct NewTimer {
    /// Its id.
    pub id: i64,
    /// When it is due.
    pub due_at: Timestamp,
    /// What it is for, in the engine's words.
    pub kind: String,
    /// The item it is about.
    pub item: Option<ItemId>,
    /// Whatever the kind needs.
    pub body: serde_json::Value,
}

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTimer {
    /// Its id.
    pub id: i64,
    /// When it is due.
    pub due_at: Timestamp,
    /// What it is for.
    pub kind: String,
    /// The item it is about.
    pub item: Option<ItemId>,
    /// Whatever the kind needs.
    pub body: serde_json::Value,
}

/// Which timers are asked for; the default is all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timers<'a> {
    /// Only those of these kinds; empty for any.
    pub only: &'a [&'a str],
    /// None of these kinds.
    pub without: &'a [&'a str],
    /// None with these ids.
    pub skipped: &'a [i64],
}

impl Store {
    /// Timers due at `now`, earliest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_timers(&self, now: Timestamp, which: &Timers<'_>, limit: u32) -> Result<Vec<StoredTimer>, StoreError> {
        let mut values = values![now, limit];
        let wanted = which.condition(&mut values);
        let sql =
            format!("SELECT id, due_at, kind, item_id, body FROM timer WHERE due_at <= $1{wanted} ORDER BY due_at, id LIMIT $2");
        let timer = |row: &Row| {
            Ok(StoredTimer {
                id: row.get("id")?,
                due_at: row.id("due_at", Timestamp)?,
                kind: row.get("kind")?,
                item: row.opt_id("item_id", ItemId)?,
                body: row.json("body")?,
            })
        };
        rows(self.reads(), sql, values).await?.iter().map(timer).collect()
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_timer_at(&self, which: &Timers<'_>) -> Result<Option<Timestamp>, StoreError> {
        let mut values = Vec::new();
        let wanted = which.condition(&mut values);
        let sql = format!("SELECT MIN(due_at) AS due FROM timer WHERE 1 = 1{wanted}");
        one(self.reads(), sql, values).await?.opt_id("due", Timestamp)
    }
}

impl Timers<'_> {
    /// What is to be true of a timer besides, with its parameters behind those given.
    fn condition(&self, values: &mut Vec<Value>) -> String {
        let mut text = String::new();
        for (column, list) in [("kind IN", self.only), ("kind NOT IN", self.without)] {
            if !list.is_empty() {
                text += &format!(" AND {column} ({})", placeholders(values.len() + 1, list.len()));
                values.extend(list.iter().flat_map(|kind| values![*kind]));
            }
        }
        if !self.skipped.is_empty() {
            text += &format!(" AND id NOT IN ({})", placeholders(values.len() + 1, self.skipped.len()));
            values.extend(self.skipped.iter().flat_map(|id| values![*id]));
        }
        text
    }
}

impl Tx {
    /// Sets a timer.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn insert_timer(&self, timer: &NewTimer) -> Result<(), StoreError> {
        let sql = "INSERT INTO timer (id, due_at, kind, item_id, body) VALUES ($1, $2, $3, $4, $5)";
        let values = values![timer.id, timer.due_at, timer.kind.as_str(), timer.item, json(&timer.body)?];
        execute(self, sql, values).await.map(|_| ())
    }

    /// Sets a timer unless one of its kind about its item is set already, which then stays; answers whether it was set.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn insert_timer_once(&self, timer: &NewTimer) -> Result<bool, StoreError> {
        let sql = "INSERT INTO timer (id, due_at, kind, item_id, body) SELECT $1, $2, $3, $4, $5 \
            WHERE NOT EXISTS (SELECT 1 FROM timer WHERE item_id = $4 AND kind = $3)";
        let values = values![timer.id, timer.due_at, timer.kind.as_str(), timer.item, json(&timer.body)?];
        Ok(execute(self, sql, values).await? == 1)
    }

    /// Sets a timer unless one of its kind about its item is set already, which then is due as early as this one would be,
    /// but for one whose work is being done: that has `attempts` in its body.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn insert_or_hasten_timer(&self, timer: &NewTimer) -> Result<(), StoreError> {
        if self.insert_timer_once(timer).await? {
            return Ok(());
        }
        let sql = "UPDATE timer SET due_at = $1 WHERE item_id = $2 AND kind = $3 AND due_at > $1 \
            AND body NOT LIKE '%\"attempts\"%'";
        execute(self, sql, values![timer.due_at, timer.item, timer.kind.as_str()]).await.map(drop)
    }

    /// Removes a timer; false when it was gone, so that of two hosts one runs it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_timer(&self, id: i64) -> Result<bool, StoreError> {
        Ok(execute(self, "DELETE FROM timer WHERE id = $1", values![id]).await? == 1)
    }

    /// Has every timer of a kind that is about one item be about another.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn hand_timers(&self, from: ItemId, to: ItemId, kind: &str) -> Result<u64, StoreError> {
        execute(self, "UPDATE timer SET item_id = $2 WHERE item_id = $1 AND kind = $3", values![from, to, kind]).await
    }

    /// Removes every timer that is about the item.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_all_timers_of(&self, item: ItemId) -> Result<u64, StoreError> {
        execute(self, "DELETE FROM timer WHERE item_id = $1", values![item]).await
    }

    /// Removes every timer of a kind that is about the item.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_timers_of(&self, item: ItemId, kind: &str) -> Result<u64, StoreError> {
        execute(self, "DELETE FROM timer WHERE item_id = $1 AND kind = $2", values![item, kind]).await
    }
}
