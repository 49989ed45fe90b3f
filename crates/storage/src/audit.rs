//! The audit trail, and answers kept for repeated requests.

use crate::error::StoreError;
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
        todo!()
    }

    /// The answer that was given under a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn idempotency(&self, scope: &str, key: &str) -> Result<Option<IdempotencyRecord>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Appends to the audit trail.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_audit(&self, entry: &NewAudit) -> Result<(), StoreError> {
        todo!()
    }

    /// The answer that was given under a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn idempotency(&self, scope: &str, key: &str) -> Result<Option<IdempotencyRecord>, StoreError> {
        todo!()
    }

    /// Keeps an answer in the transaction that did the work.
    ///
    /// # Errors
    /// `Conflict` when the key is there: the same request ran beside this one.
    pub async fn insert_idempotency(&self, record: &IdempotencyRecord) -> Result<(), StoreError> {
        todo!()
    }

    /// Forgets an answer, so that its key may be used again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_idempotency(&self, scope: &str, key: &str) -> Result<(), StoreError> {
        todo!()
    }

    /// Drops answers from before an instant.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_idempotency(&self, before: Timestamp) -> Result<u64, StoreError> {
        todo!()
    }
}
