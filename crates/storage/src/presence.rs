//! Who has a desk open, on whatever host (ROUTING 4.4), and the statuses that follow from it.

use crate::error::{StoreError, StoreErrorKind};
use crate::people::StatusRecord;
use crate::row::{Db, Row, execute, insert_rows, one, row, rows, values};
use crate::store::{Store, Tx};
use std::collections::BTreeMap;
use switchboard_model::{Actor, ManualStatus, Page, StatusChange, StatusOrigin, StatusValue, Timestamp, UserId};

/// A person's desks, over all hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// A desk is open on a host that is heard of.
    pub is_connected: bool,
    /// When one was last.
    pub last_seen_at: Timestamp,
}

impl Store {
    /// Everybody of whom a desk is known. A host that was not heard of since `heard_since` has no desks.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn presences(&self, heard_since: Timestamp) -> Result<BTreeMap<UserId, Presence>, StoreError> {
        presences(self.reads(), "", values![heard_since]).await
    }

    /// A page of a person's changes of status, newest first, with the number of all (ROUTING 4.3).
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn statuses_of(&self, user: UserId, cursor: Option<&str>, limit: u32) -> Result<Page<StatusRecord>, StoreError> {
        let limit = limit.clamp(1, 200);
        let broken = |_| StoreError::new(StoreErrorKind::Invalid, "the cursor is none of ours");
        let before: i64 = cursor.map_or(Ok(i64::MAX), str::parse).map_err(broken)?;
        let sql = "SELECT id, at, actor, status, version FROM person_status WHERE user_id = $1 AND id < $2 \
            ORDER BY id DESC LIMIT $3";
        let found = rows(self.reads(), sql, values![user, before, limit + 1]).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = match found.get(shown.saturating_sub(1)) {
            Some(last) if found.len() > shown => Some(last.get::<i64>("id")?.to_string()),
            _ => None,
        };
        let record = |row: &Row| {
            let change = StatusChange { user, status: row.json("status")?, version: row.get("version")? };
            Ok(StatusRecord { at: row.id("at", Timestamp)?, actor: row.json::<Actor>("actor")?, change })
        };
        let entries = found.iter().take(shown).map(record).collect::<Result<_, StoreError>>()?;
        let sql = "SELECT COUNT(*) AS total FROM person_status WHERE user_id = $1";
        let total = one(self.reads(), sql, values![user]).await?.count("total")?;
        Ok(Page { rows: entries, next, total })
    }
}

impl Tx {
    /// The desks of one person, as [`Store::presences`] has them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn presence_of(&self, user: UserId, heard_since: Timestamp) -> Result<Option<Presence>, StoreError> {
        Ok(presences(self, "WHERE user_id = $2", values![heard_since, user]).await?.remove(&user))
    }

    /// Notes who has a desk open on a host at an instant, and who no longer has.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_presence(&self, host: &str, people: &[(UserId, bool)], at: Timestamp) -> Result<(), StoreError> {
        let records = people.iter().map(|(user, connected)| values![*user, host, *connected, at]).collect();
        let tail =
            "ON CONFLICT (user_id, host) DO UPDATE SET connected = excluded.connected, last_seen_at = excluded.last_seen_at";
        insert_rows(self, "INSERT INTO presence (user_id, host, connected, last_seen_at)", tail, records).await.map(|_| ())
    }

    /// A host that starts has no desks yet, whatever it had when it was last heard of.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_desks(&self, host: &str) -> Result<(), StoreError> {
        execute(self, "UPDATE presence SET connected = $2 WHERE host = $1", values![host, false]).await.map(|_| ())
    }

    /// Drops what was noted last before an instant.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_presence(&self, before: Timestamp) -> Result<u64, StoreError> {
        execute(self, "DELETE FROM presence WHERE last_seen_at < $1", values![before]).await
    }

    /// Everybody whose status in force has the origin `presence`, with its version.
    ///
    /// # Errors
    /// `Corrupt` when one cannot be read back.
    pub async fn set_away_by_presence(&self) -> Result<Vec<StatusChange>, StoreError> {
        let sql = "SELECT user_id, status, availability_version FROM person WHERE status LIKE '%\"origin\":\"presence\"%' \
            ORDER BY user_id";
        let change = |row: &Row| {
            let (user, version) = (row.id("user_id", UserId)?, row.get("availability_version")?);
            Ok(StatusChange { user, status: row.json("status")?, version })
        };
        let mut found: Vec<StatusChange> =
            rows(self, sql, values![]).await?.iter().map(change).collect::<Result<_, StoreError>>()?;
        // A reason in the person's own words may look like anything.
        found.retain(|change| change.status.origin == StatusOrigin::Presence);
        Ok(found)
    }

    /// The status that a person had before the one of this version: what they began with where there was none.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn status_before(&self, user: UserId, version: i64, at: Timestamp) -> Result<ManualStatus, StoreError> {
        let sql = "SELECT status FROM person_status WHERE user_id = $1 AND version < $2 ORDER BY version DESC LIMIT 1";
        let initial = ManualStatus { value: StatusValue::Available, reason: None, set_at: at, origin: StatusOrigin::Initial };
        row(self, sql, values![user, version]).await?.map_or(Ok(initial), |row| row.json("status"))
    }
}

async fn presences(db: &impl Db, condition: &str, values: Vec<sea_orm::Value>) -> Result<BTreeMap<UserId, Presence>, StoreError> {
    let sql = format!(
        "SELECT user_id, MAX(CASE WHEN connected AND last_seen_at >= $1 THEN 1 ELSE 0 END) AS connected, \
         MAX(last_seen_at) AS last_seen_at FROM presence {condition} GROUP BY user_id"
    );
    let presence = |row: &Row| {
        let last_seen_at = row.id("last_seen_at", Timestamp)?;
        Ok((row.id("user_id", UserId)?, Presence { is_connected: row.get::<i32>("connected")? == 1, last_seen_at }))
    };
    rows(db, sql, values).await?.iter().map(presence).collect()
}
