//! The open database and its transactions.

use crate::connect::{Pools, connect};
use crate::error::{StoreError, StoreErrorKind};
use crate::group::Held;
use crate::held::Writes;
use crate::ids::IdBlock;
use crate::migration;
use crate::row::{Db, flush, one, values};
use futures::future::BoxFuture;
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, IsolationLevel, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::fs::File;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};
use switchboard_model::Timestamp;

/// How to open a database.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Connections for reading.
    pub readers: u32,
    /// Connections for writing on PostgreSQL; SQLite always has one.
    pub writers: u32,
    /// How long a lock or a free connection is waited for.
    pub busy_timeout_ms: u64,
    /// How many ids are taken from the database at once.
    pub id_block: i64,
}

/// The open database. Clones share it.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) reads: DatabaseConnection,
    pub(crate) writes: DatabaseConnection,
    pub(crate) ids: IdBlock,
    pub(crate) options: StoreOptions,
    secret: [u8; 32],
    shared: bool,
    lock: Mutex<Option<File>>,
}

/// A transaction that is under way. Every change of the database is one of its methods.
pub struct Tx {
    conn: DatabaseTransaction,
    /// The last statement that failed. PostgreSQL then answers a commit with a silent rollback, so it must not be
    /// sent; see [`Tx::has_failed`].
    failure: Mutex<Option<StoreError>>,
    /// Writes that wait, and the members of a group.
    pub(crate) held: Mutex<Held>,
    /// Position of the transaction's last live event; 0 before the first (PostgreSQL only).
    pub(crate) event_position: AtomicI64,
}

/// Numbers for `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Open work items.
    pub open: u64,
    /// Open work items without an owner.
    pub unassigned: u64,
    /// Messages that are yet to be sent.
    pub outbox: u64,
    /// Messages that were given up.
    pub outbox_failed: u64,
    /// Inputs that the router has not consumed.
    pub unconsumed: u64,
    /// Inputs that were parked after a failure of the router.
    pub parked: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { readers: 8, writers: 6, busy_timeout_ms: 5_000, id_block: 1_000 }
    }
}

impl Store {
    /// Opens `sqlite:PATH` or `postgres://…`, makes the SQLite file's folder if it is missing, and brings the
    /// schema up to date.
    ///
    /// # Errors
    /// `Invalid` for another address or a foreign database, `Locked` when another host has the SQLite file,
    /// `TooNew` for a database of a newer program, `Unreachable` when server or folder cannot be used, `Corrupt`
    /// when the file is no database.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let Pools { reads, writes, lock } = connect(url, &options).await?;
        let shared = writes.is_shared();
        let tx = Tx::begin(&writes).await?;
        migration::run(&tx).await?;
        let secret: Vec<u8> = one(&tx, "SELECT secret FROM installation", values![]).await?.get("secret")?;
        tx.commit().await?;
        let secret = secret
            .try_into()
            .map_err(|_| StoreError::new(StoreErrorKind::Corrupt, "the installation's secret is not 32 bytes long"))?;
        let inner = Inner { reads, writes, ids: IdBlock::new(), options, secret, shared, lock: Mutex::new(lock) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// True on PostgreSQL, where several hosts may share the database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.inner.shared
    }

    /// The installation's secret: 32 random bytes, drawn when the database was made.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.inner.secret
    }

    /// The time to act at: the greater of the last stored and `given`; on PostgreSQL the database's clock takes
    /// the place of `given` (DESIGN 3.7).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn now(&self, given: Timestamp) -> Result<Timestamp, StoreError> {
        now(self.reads(), given).await
    }

    /// Runs `work` in a transaction (`BEGIN IMMEDIATE` on SQLite) and commits; an error rolls back.
    ///
    /// When the caller is cancelled the transaction rolls back, unless the commit was already on its way.
    ///
    /// # Errors
    /// What `work` returned, or the store's own failure: `Unknown` when the commit got no answer, `Internal` when
    /// `work` went on after a statement that failed.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        let tx = self.begin().await?;
        match work(&tx).await {
            Ok(done) => {
                tx.commit().await?;
                Ok(done)
            }
            Err(error) => {
                tx.roll_back().await;
                Err(error)
            }
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        one(self.reads(), "SELECT 1 AS up", values![]).await.map(|_| ())
    }

    /// Numbers for `/metrics`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn statistics(&self) -> Result<Statistics, StoreError> {
        let sql = "SELECT \
            (SELECT COUNT(*) FROM item WHERE status = 'open' AND routed) AS open, \
            (SELECT COUNT(*) FROM item WHERE status = 'open' AND owner_kind IS NULL AND routed) AS unassigned, \
            (SELECT COUNT(*) FROM outbox WHERE state IN ('queued', 'sending')) AS outbox, \
            (SELECT COUNT(*) FROM outbox WHERE state = 'failed') AS outbox_failed, \
            (SELECT COUNT(*) FROM routing_input WHERE consumed_no IS NULL AND parked IS NULL) AS unconsumed, \
            (SELECT COUNT(*) FROM routing_input WHERE consumed_no IS NULL AND parked IS NOT NULL) AS parked";
        let row = one(self.reads(), sql, values![]).await?;
        Ok(Statistics {
            open: row.count("open")?,
            unassigned: row.count("unassigned")?,
            outbox: row.count("outbox")?,
            outbox_failed: row.count("outbox_failed")?,
            unconsumed: row.count("unconsumed")?,
            parked: row.count("parked")?,
        })
    }

    /// Closes every connection and gives up the lock of the SQLite file.
    pub async fn close(&self) {
        self.inner.reads.close_by_ref().await.unwrap_or_default();
        self.inner.writes.close_by_ref().await.unwrap_or_default();
        *self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn reads(&self) -> &DatabaseConnection {
        &self.inner.reads
    }

    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(&self.inner.writes).await
    }

    /// A transaction in which every read sees the same moment. It must not write.
    pub(crate) async fn snapshot(&self) -> Result<Tx, StoreError> {
        let options = TransactionOptions {
            isolation_level: self.inner.shared.then_some(IsolationLevel::RepeatableRead),
            access_mode: self.inner.shared.then_some(AccessMode::ReadOnly),
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
        };
        Tx::begin_with(&self.inner.reads, options).await
    }
}

impl Tx {
    async fn begin(writes: &DatabaseConnection) -> Result<Self, StoreError> {
        let mode = Some(SqliteTransactionMode::Immediate);
        Self::begin_with(writes, TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() }).await
    }

    async fn begin_with(pool: &DatabaseConnection, options: TransactionOptions) -> Result<Self, StoreError> {
        let conn = pool.begin_with_options(options).await?;
        Ok(Self { conn, failure: Mutex::new(None), held: Mutex::default(), event_position: AtomicI64::new(0) })
    }

    /// As [`Store::now`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn now(&self, given: Timestamp) -> Result<Timestamp, StoreError> {
        now(self, given).await
    }

    /// Commits. A full disk is certain to have stopped it; of any other failure nobody can tell.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        if self.has_failed() {
            self.roll_back().await;
            return Err(Self::swallowed());
        }
        let flushed = match self.whole() {
            Ok(()) => flush(&self).await,
            broken => broken,
        };
        if let Err(error) = flushed {
            self.roll_back().await;
            return Err(error);
        }
        self.conn.commit().await.map_err(|error| {
            let error = StoreError::from(error);
            let kind = if error.kind == StoreErrorKind::Full { error.kind } else { StoreErrorKind::Unknown };
            StoreError::new(kind, format!("the commit failed: {}", error.message))
        })
    }

    /// Rolls back. If even that fails the connection is broken, and the server has rolled back for itself.
    pub(crate) async fn roll_back(self) {
        if let Err(error) = self.conn.rollback().await {
            tracing::debug!(%error, "a rollback failed");
        }
    }

    /// Whether the transaction is beyond use. PostgreSQL takes nothing more after any failure; SQLite rolls back by
    /// itself when, say, the disk is full, and would take every further statement for a transaction of its own.
    pub(crate) fn has_failed(&self) -> bool {
        self.broken().is_some()
    }

    /// The last failure, which is forgotten.
    pub(crate) fn take_failure(&self) -> Option<StoreError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn swallowed() -> StoreError {
        StoreError::new(StoreErrorKind::Internal, "a statement failed and the transaction went on; it was rolled back")
    }
}

impl Db for Tx {
    type Conn = DatabaseTransaction;

    fn conn(&self) -> &DatabaseTransaction {
        &self.conn
    }

    async fn ready(&self, sql: &str) -> Result<(), StoreError> {
        if self.is_shared() { Ok(()) } else { self.make_ready(sql).await }
    }

    fn keep_back(&self, writes: Writes) -> Option<Writes> {
        self.hold(writes)
    }

    fn take_waiting(&self) -> Option<Writes> {
        self.take_held()
    }

    fn note_failure(&self, error: &StoreError) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
    }

    fn broken(&self) -> Option<StoreError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failure.clone().filter(|error| self.is_shared() || error.kind != StoreErrorKind::Conflict);
        drop(failure);
        failed.or_else(|| self.has_broken())
    }
}

/// The database's own clock, where it has one that all hosts share.
pub(crate) async fn clock(db: &impl Db, given: Timestamp) -> Result<Timestamp, StoreError> {
    if !db.is_shared() {
        return Ok(given);
    }
    let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now";
    one(db, sql, values![]).await?.id("now", Timestamp)
}

async fn now(db: &impl Db, given: Timestamp) -> Result<Timestamp, StoreError> {
    let clock = if db.is_shared() { "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)" } else { "CAST(0 AS BIGINT)" };
    let row = one(db, format!("SELECT now, {clock} AS clock FROM router_cursor"), values![]).await?;
    let clock = if db.is_shared() { row.id("clock", Timestamp)? } else { given };
    Ok(clock.max(row.id("now", Timestamp)?))
}
