//! People: manual status, its version, and counted open work.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::{Actor, ManualStatus, PersonLoad, StatusChange, Timestamp, UserId};

/// A change of status as it is kept (ROUTING 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRecord {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// The status and its version.
    pub change: StatusChange,
}

impl Store {
    /// Status and counted work of everybody, by ascending user id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn people(&self) -> Result<Vec<PersonLoad>, StoreError> {
        todo!()
    }

    /// Status and counted work of one person.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn person(&self, user: UserId) -> Result<Option<PersonLoad>, StoreError> {
        todo!()
    }

    /// A person's changes of status, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn status_history(&self, user: UserId, limit: u32) -> Result<Vec<StatusRecord>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// As [`Store::person`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn person(&self, user: UserId) -> Result<Option<PersonLoad>, StoreError> {
        todo!()
    }

    /// Sets a person's manual status, raises the availability version, keeps the change and writes the live
    /// event. The answer is what the router is told.
    ///
    /// # Errors
    /// `NotFound` for an unknown person; `Conflict` when `expected` is not the current availability version.
    pub async fn set_status(
        &self,
        user: UserId,
        status: &ManualStatus,
        expected: Option<i64>,
        at: Timestamp,
        actor: &Actor,
    ) -> Result<StatusChange, StoreError> {
        todo!()
    }
}
