//! What can go wrong with the database, and whether trying again helps.

use sea_orm::sqlx;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
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

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => Self::from(inner.as_ref()),
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => busy_pool(),
            DbErr::ConnectionAcquire(_) => Self::new(StoreErrorKind::Unreachable, "the database connection is closed"),
            DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => {
                Self::new(StoreErrorKind::Corrupt, one_line(&error.to_string()))
            }
            DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => {
                Self::new(StoreErrorKind::NotFound, one_line(&error.to_string()))
            }
            DbErr::RecordNotInserted => Self::new(StoreErrorKind::Conflict, one_line(&error.to_string())),
            _ => Self::new(StoreErrorKind::Internal, one_line(&error.to_string())),
        }
    }
}

impl From<&sqlx::Error> for StoreError {
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                let sqlite = database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
                let kind = if sqlite { sqlite_kind(&code) } else { postgres_kind(&code) };
                Self::new(kind, one_line(&format!("{} ({code})", database.message())))
            }
            sqlx::Error::PoolTimedOut => busy_pool(),
            sqlx::Error::RowNotFound => Self::new(StoreErrorKind::NotFound, "no such row"),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::new(StoreErrorKind::Corrupt, one_line(&error.to_string()))
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::new(StoreErrorKind::Unreachable, one_line(&error.to_string())),
            sqlx::Error::Configuration(_) => Self::new(StoreErrorKind::Invalid, one_line(&error.to_string())),
            _ => Self::new(StoreErrorKind::Internal, one_line(&error.to_string())),
        }
    }
}

fn busy_pool() -> StoreError {
    StoreError::new(StoreErrorKind::Busy, "no database connection came free in time")
}

/// The kind behind an (extended) result code of SQLite. A write, sync or shared-memory failure is what a full disk
/// looks like when the operating system reports it late.
fn sqlite_kind(code: &str) -> StoreErrorKind {
    let code: i32 = code.parse().unwrap_or(1);
    match (code, code & 0xff) {
        (_, 13) | (778 | 1034 | 1290 | 1546 | 4618 | 4874 | 5386, 10) => StoreErrorKind::Full,
        (_, 5 | 6) => StoreErrorKind::Busy,
        (787 | 1555 | 2067 | 2579, _) => StoreErrorKind::Conflict,
        (_, 11 | 26) => StoreErrorKind::Corrupt,
        (_, 3 | 8 | 10 | 14 | 23) => StoreErrorKind::Unreachable,
        _ => StoreErrorKind::Internal,
    }
}

/// The kind behind a SQLSTATE of PostgreSQL.
fn postgres_kind(state: &str) -> StoreErrorKind {
    match state {
        "53100" => StoreErrorKind::Full,
        "23503" | "23505" => StoreErrorKind::Conflict,
        "40001" | "40P01" | "55P03" | "57014" => StoreErrorKind::Busy,
        "25P03" | "25P04" | "3D000" => StoreErrorKind::Unreachable,
        "XX001" | "XX002" => StoreErrorKind::Corrupt,
        _ => match state.get(..2) {
            Some("53") => StoreErrorKind::Busy,
            Some("08" | "28" | "57" | "58") => StoreErrorKind::Unreachable,
            _ => StoreErrorKind::Internal,
        },
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{StoreErrorKind, postgres_kind, sqlite_kind};

    #[test]
    fn a_full_disk_is_told_apart_on_both_databases() {
        assert_eq!(sqlite_kind("13"), StoreErrorKind::Full);
        assert_eq!(sqlite_kind("778"), StoreErrorKind::Full);
        assert_eq!(sqlite_kind("266"), StoreErrorKind::Unreachable);
        assert_eq!(postgres_kind("53100"), StoreErrorKind::Full);
    }

    #[test]
    fn what_another_try_may_mend_is_busy() {
        for code in ["5", "517", "261", "6"] {
            assert_eq!(sqlite_kind(code), StoreErrorKind::Busy, "{code}");
        }
        for state in ["40001", "40P01", "55P03", "57014", "53300"] {
            assert_eq!(postgres_kind(state), StoreErrorKind::Busy, "{state}");
        }
    }
}
