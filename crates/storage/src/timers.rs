//! Timers: things that are due at a time.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{ItemId, Timestamp};

/// A timer to set.
#[derive(Clone, Debug)]
pub struct NewTimer {
    /// Its id.
    pub id: i64,
    /// When it is due.
    pub due_at: Timestamp,
    /// What it is for, in the engine's words.
    pub kind: String,
    /// The item it is about.
    pub item: Option<ItemId>,
    /// Whatever the kind needs.
    pub body: serde_json::Value,
}

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTimer {
    /// Its id.
    pub id: i64,
    /// When it is due.
    pub due_at: Timestamp,
    /// What it is for.
    pub kind: String,
    /// The item it is about.
    pub item: Option<ItemId>,
    /// Whatever the kind needs.
    pub body: serde_json::Value,
}

impl Store {
    /// Timers due at `now`, earliest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_timers(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredTimer>, StoreError> {
        todo!()
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_timer_at(&self) -> Result<Option<Timestamp>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Sets a timer.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_timer(&self, timer: &NewTimer) -> Result<(), StoreError> {
        todo!()
    }

    /// Removes a timer; false when it was gone, so that of two hosts one runs it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_timer(&self, id: i64) -> Result<bool, StoreError> {
        todo!()
    }

    /// Removes every timer of a kind that is about the item.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_timers_of(&self, item: ItemId, kind: &str) -> Result<u64, StoreError> {
        todo!()
    }
}
