//! The audit trail, and answers kept for repeated requests.

use crate::error::{StoreError, StoreErrorKind};
use crate::row::{Db, Row, execute, json, one, row, rows, values};
use crate::store::{Store, Tx};
use switchboard_model::{Actor, Page, Timestamp};

/// An entry for the audit trail.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What was done, such as `directory.apply`.
    pub action: String,
    /// To what.
    pub target: String,
    /// Whatever else is worth keeping; no secrets, no text of messages.
    pub detail: serde_json::Value,
}

/// An entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: String,
    /// Whatever else was kept.
    pub detail: serde_json::Value,
}

/// The answer to a request with an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The key.
    pub key: String,
    /// Whose key and for which request: keys of different scopes are different.
    pub scope: String,
    /// When.
    pub at: Timestamp,
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub response: String,
}

impl Store {
    /// The audit trail, newest first.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn audit(&self, before: Option<&str>, limit: u32) -> Result<Page<AuditEntry>, StoreError> {
        let limit = limit.clamp(1, 200);
        let broken = |_| StoreError::new(StoreErrorKind::Invalid, "the cursor is none of ours");
        let before: i64 = before.map_or(Ok(i64::MAX), str::parse).map_err(broken)?;
        let sql = "SELECT id, at, actor, action, target, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2";
        let found = rows(self.reads(), sql, values![before, limit + 1]).await?;
        let mut entries = found.iter().map(audit_entry).collect::<Result<Vec<_>, _>>()?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = entries.len() > shown;
        entries.truncate(shown);
        let next = entries.last().filter(|_| more).map(|last| last.id.to_string());
        let total = one(self.reads(), "SELECT COUNT(*) AS total FROM audit", values![]).await?.count("total")?;
        Ok(Page { rows: entries, next, total })
    }

    /// The answer that was given under a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn idempotency(&self, scope: &str, key: &str) -> Result<Option<IdempotencyRecord>, StoreError> {
        idempotency(self.reads(), scope, key).await
    }
}

impl Tx {
    /// Appends to the audit trail.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_audit(&self, entry: &NewAudit) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (at, actor, action, target, detail) VALUES ($1, $2, $3, $4, $5)";
        let (actor, detail) = (json(&entry.actor)?, json(&entry.detail)?);
        execute(self, sql, values![entry.at, actor, entry.action.as_str(), entry.target.as_str(), detail]).await.map(|_| ())
    }

    /// The answer that was given under a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn idempotency(&self, scope: &str, key: &str) -> Result<Option<IdempotencyRecord>, StoreError> {
        idempotency(self, scope, key).await
    }

    /// Keeps an answer in the transaction that did the work, or notes that a request under the key has begun. Who takes
    /// an abandoned key over deletes its record first, in the same transaction: of several that do, one gets it.
    ///
    /// # Errors
    /// `Conflict` when the key is there: the same request ran beside this one.
    pub async fn insert_idempotency(&self, record: &IdempotencyRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO idempotency (scope, key, at, status, response) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (scope, key) DO NOTHING";
        let IdempotencyRecord { key, scope, at, status, response } = record;
        let values = values![scope.as_str(), key.as_str(), *at, u32::from(*status), response.as_str()];
        match execute(self, sql, values).await? {
            0 => Err(StoreError::new(StoreErrorKind::Conflict, "the same request ran at the same time")),
            _ => Ok(()),
        }
    }

    /// Forgets an answer, so that its key may be used again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_idempotency(&self, scope: &str, key: &str) -> Result<(), StoreError> {
        execute(self, "DELETE FROM idempotency WHERE scope = $1 AND key = $2", values![scope, key]).await.map(|_| ())
    }

    /// Drops answers from before an instant.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_idempotency(&self, before: Timestamp) -> Result<u64, StoreError> {
        execute(self, "DELETE FROM idempotency WHERE at < $1", values![before]).await
    }
}

async fn idempotency(db: &impl Db, scope: &str, key: &str) -> Result<Option<IdempotencyRecord>, StoreError> {
    let sql = "SELECT at, status, response FROM idempotency WHERE scope = $1 AND key = $2";
    let record = |row: Row| {
        Ok(IdempotencyRecord {
            key: key.to_owned(),
            scope: scope.to_owned(),
            at: row.id("at", Timestamp)?,
            status: u16::try_from(row.small("status")?).unwrap_or(u16::MAX),
            response: row.get("response")?,
        })
    };
    row(db, sql, values![scope, key]).await?.map(record).transpose()
}

fn audit_entry(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: row.get("id")?,
        at: row.id("at", Timestamp)?,
        actor: row.json("actor")?,
        action: row.get("action")?,
        target: row.get("target")?,
        detail: row.json("detail")?,
    })
}
