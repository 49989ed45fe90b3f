//! Opening connections: addresses, pragmas, session limits and the lock beside a SQLite file.

use crate::error::{StoreError, StoreErrorKind};
use crate::store::StoreOptions;
use sea_orm::DatabaseConnection;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions, Connection};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
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

/// Modes of the folder and files of a SQLite database: they hold what customers wrote.
const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

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
    keep_private(path)?;
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
        DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(folder).map_err(|error| {
            StoreError::new(StoreErrorKind::Unreachable, format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    let name = beside(path, ".lock");
    let unwritable = |error: std::io::Error| unwritable(&name, &error);
    let lock = private().open(&name).map_err(unwritable)?;
    close_to_others(&name);
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::new(StoreErrorKind::Locked, format!("the database {} is in use by another process", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

/// Makes the database file before SQLite does, for our account alone: SQLite gives the files beside it (`-wal`, `-shm`)
/// the mode of the database. What lies there from before is closed to other accounts too.
fn keep_private(path: &Path) -> Result<(), StoreError> {
    private().open(path).map_err(|error| unwritable(path, &error))?;
    close_to_others(path);
    for side in ["-wal", "-shm", "-journal"] {
        close_to_others(&beside(path, side));
    }
    Ok(())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(PRIVATE_FILE);
    options
}

/// Takes other accounts' rights to a file away. Where modes cannot be changed (some network and container file systems)
/// they mean nothing either, so that is no reason not to start.
fn close_to_others(path: &Path) {
    if std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & !PRIVATE_FILE & 0o777 != 0) {
        let _ = std::fs::set_permissions(path, Permissions::from_mode(PRIVATE_FILE));
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn unwritable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unreachable, format!("cannot write {}: {error}", path.display()))
}

fn invalid(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, message)
}
