//! Opening connections: addresses, pragmas, session limits and the lock beside a SQLite file.

use crate::error::{StoreError, StoreErrorKind};
use crate::store::StoreOptions;
use sea_orm::DatabaseConnection;
use sea_orm::sqlx::{ConnectOptions, Connection};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Statements kept prepared per connection; multi-row inserts come in many lengths.
const PREPARED: usize = 512;
/// How long a transaction on PostgreSQL may sit idle. A router that froze must let go of the epoch row well within
/// the ten seconds in which another takes over (DESIGN 4).
const IDLE_IN_TRANSACTION_MS: u32 = 4_000;
/// How long any statement on PostgreSQL may run.
const STATEMENT_MS: u32 = 30_000;

/// Open pools and, with SQLite, the lock of the file.
pub(crate) struct Pools {
    pub(crate) reads: DatabaseConnection,
    pub(crate) writes: DatabaseConnection,
    pub(crate) lock: Option<File>,
}

/// Connects to `sqlite:PATH` or `postgres://…`.
pub(crate) async fn connect(url: &str, options: &StoreOptions) -> Result<Pools, StoreError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains(['?', '\0']) || path.starts_with(':') {
            return Err(invalid("a SQLite database is named by `sqlite:` and the path of a file, without parameters"));
        }
        return connect_sqlite(Path::new(path), options).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return connect_postgres(url, options).await;
    }
    Err(invalid("the database address starts with neither `sqlite:` nor `postgres://`"))
}

/// Opens the file. SQLite ends a transaction by itself when, say, the disk is full; the rollback that follows fails, and
/// the connection goes on counting it as open. Whatever came after it would be a part of it and never be committed, so
/// such a connection is given up for a new one.
async fn connect_sqlite(path: &Path, options: &StoreOptions) -> Result<Pools, StoreError> {
    let lock = lock_beside(path)?;
    let wait = Duration::from_millis(options.busy_timeout_ms);
    let base = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(wait)
        .statement_cache_capacity(PREPARED)
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "4000")
        .disable_statement_logging();
    let named = |error: &sea_orm::sqlx::Error| {
        let error = StoreError::from(error);
        StoreError::new(error.kind, format!("cannot open the database {}: {}", path.display(), error.message))
    };
    let writes = SqlitePoolOptions::new()
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
        .max_connections(1)
        .min_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(wait)
        .connect_with(base.clone())
        .await
        .map_err(|error| named(&error))?;
    let reads = SqlitePoolOptions::new()
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
        .max_connections(options.readers.max(1))
        .max_lifetime(None)
        .idle_timeout(Duration::from_secs(60))
        .acquire_timeout(wait)
        .connect_with(base.pragma("query_only", "on"))
        .await
        .map_err(|error| named(&error))?;
    Ok(Pools { reads: DatabaseConnection::from(reads), writes: DatabaseConnection::from(writes), lock: Some(lock) })
}

async fn connect_postgres(url: &str, options: &StoreOptions) -> Result<Pools, StoreError> {
    // The parser's own message may quote the address, which holds a password.
    let base = PgConnectOptions::from_str(url).map_err(|_| invalid("the PostgreSQL address cannot be parsed"))?;
    let place = format!("{}:{}", base.get_host(), base.get_port());
    let base = base
        .application_name("switchboard")
        .statement_cache_capacity(PREPARED)
        .options([
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MS.to_string()),
            ("statement_timeout", STATEMENT_MS.to_string()),
            ("lock_timeout", options.busy_timeout_ms.to_string()),
        ])
        .disable_statement_logging();
    let wait = Duration::from_millis(options.busy_timeout_ms);
    let named = |error: &sea_orm::sqlx::Error| {
        let error = StoreError::from(error);
        let kind = if error.kind == StoreErrorKind::Busy { StoreErrorKind::Unreachable } else { error.kind };
        StoreError::new(kind, format!("cannot connect to PostgreSQL at {place}: {}", error.message))
    };
    let writes = PgPoolOptions::new()
        .max_connections(options.writers.max(1))
        .acquire_timeout(wait)
        .connect_with(base.clone())
        .await
        .map_err(|error| named(&error))?;
    let reads = PgPoolOptions::new().max_connections(options.readers.max(1)).acquire_timeout(wait).connect_lazy_with(base);
    Ok(Pools { reads: DatabaseConnection::from(reads), writes: DatabaseConnection::from(writes), lock: None })
}

/// Takes the exclusive lock of `PATH.lock`, which the operating system gives back when the process ends.
fn lock_beside(path: &Path) -> Result<File, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::new(StoreErrorKind::Unreachable, format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let unwritable =
        |error: std::io::Error| StoreError::new(StoreErrorKind::Unreachable, format!("cannot write {}: {error}", name.display()));
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(unwritable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::new(StoreErrorKind::Locked, format!("the database {} is in use by another process", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

fn invalid(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, message)
}
