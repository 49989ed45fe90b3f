//! The open database and its transactions.

use crate::error::StoreError;
use crate::writer::{Writer, WriterOptions};
use futures::future::BoxFuture;
use std::future::Future;
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

impl Default for StoreOptions {
    fn default() -> Self {
        Self { readers: 8, writers: 6, busy_timeout_ms: 5_000, id_block: 1_000 }
    }
}

/// The open database. Clones share it.
#[derive(Clone)]
pub struct Store {}

/// A transaction that is under way. Every change of the database is one of its methods.
pub struct Tx {}

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

impl Store {
    /// Opens `sqlite:PATH` or `postgres://…`, makes the SQLite file's folder if it is missing, and brings the
    /// schema up to date.
    ///
    /// # Errors
    /// `Invalid` for another address, `Locked` when another host has the SQLite file, `TooNew` for a database of
    /// a newer program, `Unreachable` when server or folder cannot be used, `Corrupt` when it is no database.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        todo!()
    }

    /// True on PostgreSQL, where several hosts may share the database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        todo!()
    }

    /// The installation's secret: 32 random bytes, drawn when the database was made.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        todo!()
    }

    /// The time to act at: the greater of the last stored and `given`; on PostgreSQL the database's clock takes
    /// the place of `given` (DESIGN 3.7).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn now(&self, given: Timestamp) -> Result<Timestamp, StoreError> {
        todo!()
    }

    /// A fresh id. Comes from memory; every `id_block` ids from a write of its own, so never ask within
    /// [`Store::write`] or a member of the [`Writer`]: draw ids first.
    ///
    /// # Errors
    /// When a new block cannot be taken from the database.
    pub async fn next_id(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// `count` fresh ids, ascending.
    ///
    /// # Errors
    /// As [`Store::next_id`].
    pub async fn next_ids(&self, count: usize) -> Result<Vec<i64>, StoreError> {
        todo!()
    }

    /// Runs `work` in a transaction (`BEGIN IMMEDIATE` on SQLite) and commits; an error rolls back.
    ///
    /// When the caller is cancelled the transaction rolls back, unless the commit was already on its way.
    ///
    /// # Errors
    /// What `work` returned, or the store's own failure. `Unknown` when the commit got no answer.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        todo!()
    }

    /// A group writer and the task that serves it, which the host spawns. The task ends when every clone of the
    /// writer is gone and the queue is empty.
    #[must_use]
    pub fn writer(&self, options: WriterOptions) -> (Writer, BoxFuture<'static, ()>) {
        todo!()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// Numbers for `/metrics`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn statistics(&self) -> Result<Statistics, StoreError> {
        todo!()
    }

    /// Closes every connection and gives up the lock of the SQLite file.
    pub async fn close(&self) {
        todo!()
    }
}

impl Tx {
    /// As [`Store::now`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn now(&self, given: Timestamp) -> Result<Timestamp, StoreError> {
        todo!()
    }
}
