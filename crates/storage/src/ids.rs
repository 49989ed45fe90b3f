//! Ids, allocated in memory out of blocks that a host reserves for itself.
//!
//! Every table that is not numbered by the database draws from the same sequence, so an id names one thing only.

use crate::error::StoreError;
use crate::row::{one, values};
use crate::store::Store;
use futures::FutureExt;
use std::sync::Mutex;

/// What is left of the reserved block.
pub(crate) struct IdBlock {
    left: Mutex<std::ops::Range<i64>>,
    refill: tokio::sync::Mutex<()>,
}

impl IdBlock {
    pub(crate) fn new() -> Self {
        Self { left: Mutex::new(0..0), refill: tokio::sync::Mutex::new(()) }
    }

    /// Takes up to `count` ids from memory.
    fn take(&self, count: usize, into: &mut Vec<i64>) {
        let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        into.extend(left.by_ref().take(count));
    }

    fn put(&self, block: std::ops::Range<i64>) {
        *self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = block;
    }
}

impl Store {
    /// A fresh id. Comes from memory; every `id_block` ids from a write of its own, so never ask within
    /// [`Store::write`] or a member of the writer: draw ids first.
    ///
    /// # Errors
    /// When a new block cannot be taken from the database.
    pub async fn next_id(&self) -> Result<i64, StoreError> {
        self.next_ids(1).await.map(|ids| ids[0])
    }

    /// `count` fresh ids, ascending.
    ///
    /// # Errors
    /// As [`Store::next_id`].
    pub async fn next_ids(&self, count: usize) -> Result<Vec<i64>, StoreError> {
        let ids = &self.inner.ids;
        let mut drawn = Vec::with_capacity(count);
        ids.take(count, &mut drawn);
        while drawn.len() < count {
            let _refilling = ids.refill.lock().await;
            // Somebody else may have filled up while this one waited.
            ids.take(count - drawn.len(), &mut drawn);
            if drawn.len() < count {
                let missing = i64::try_from(count - drawn.len()).unwrap_or(i64::MAX);
                ids.put(self.reserve(missing.max(self.inner.options.id_block)).await?);
            }
        }
        Ok(drawn)
    }

    async fn reserve(&self, size: i64) -> Result<std::ops::Range<i64>, StoreError> {
        self.write(move |tx| {
            async move {
                let row = one(tx, "UPDATE id_block SET next_id = next_id + $1 RETURNING next_id", values![size]).await?;
                let end: i64 = row.get("next_id")?;
                Ok::<_, StoreError>(end - size..end)
            }
            .boxed()
        })
        .await
    }
}
