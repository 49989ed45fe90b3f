//! What can go wrong with the database, and whether trying again helps.

use thiserror::Error;

/// A failure of the database or of a condition that it guards.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct StoreError {
    /// What kind of failure.
    pub kind: StoreErrorKind,
    /// What was attempted and what the database said, in one line.
    pub message: String,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The disk is full; nothing was written.
    Full,
    /// Too much at once, a lock that did not come, a deadlock or a serialization failure; trying again helps.
    Busy,
    /// Another writer was first: the key exists, or the expected version is no longer current.
    Conflict,
    /// The database was made by a newer program; nothing was changed.
    TooNew,
    /// Another host has the SQLite file.
    Locked,
    /// The database cannot be reached, or its folder cannot be written.
    Unreachable,
    /// There is no such row.
    NotFound,
    /// What is stored cannot be read.
    Corrupt,
    /// The commit may or may not have happened.
    Unknown,
    /// The epoch moved on: another host is the router now.
    Superseded,
    /// The request makes no sense (an address that cannot be parsed, a broken cursor).
    Invalid,
    /// A fault of the program: broken SQL, a panic.
    Internal,
}

impl StoreError {
    /// A failure of this kind.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Whether the same operation may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Busy | StoreErrorKind::Full | StoreErrorKind::Unreachable | StoreErrorKind::Unknown)
    }
}
