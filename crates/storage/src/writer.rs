//! The group writer: many small writes, one commit.

use crate::error::StoreError;
use crate::store::Tx;
use futures::future::BoxFuture;

/// How a group writer works.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// How many jobs may wait; more are refused as `Busy`.
    pub queue: usize,
    /// How many jobs share one commit at most.
    pub batch: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { queue: 4_096, batch: 256 }
    }
}

/// Hands jobs to the group writer. Clones share the queue.
#[derive(Clone)]
pub struct Writer {}

impl Writer {
    /// Runs `work` in a savepoint of the next group commit and answers after the commit.
    ///
    /// A failing or panicking member is rolled back alone. A cancelled caller does not cancel the job.
    ///
    /// # Errors
    /// What `work` returned; `Busy` when the queue is full; `Unknown` when the commit failed; `Full` when it
    /// failed because the disk is full; `Internal` after a panic; `Unreachable` when no transaction could be
    /// opened or the task has ended.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        todo!()
    }

    /// How many jobs wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        todo!()
    }
}
