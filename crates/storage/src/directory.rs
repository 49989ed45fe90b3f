//! Immutable directory versions, and the people they limit.

use crate::error::StoreError;
use crate::store::{Store, Tx};
use std::sync::Arc;
use switchboard_model::{Actor, Directory, Timestamp};

/// A stored directory version without its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryVersion {
    /// The version.
    pub version: i64,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What changed, for a person.
    pub summary: String,
}

impl Store {
    /// The directory in force; the empty directory of version 0 before the first.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read back.
    pub async fn latest_directory(&self) -> Result<Arc<Directory>, StoreError> {
        todo!()
    }

    /// A directory version; version 0 is the empty directory.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`.
    pub async fn directory(&self, version: i64) -> Result<Arc<Directory>, StoreError> {
        todo!()
    }

    /// The newest directory versions, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn directory_versions(&self, limit: u32) -> Result<Vec<DirectoryVersion>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// The version in force, 0 before the first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn directory_version(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// Stores `directory` as its version, which must be `expected + 1` with `expected` in force. Rows of people
    /// get the limits of their capacity, new people a row with `available` of origin `initial` and version 0.
    /// Writes the live event.
    ///
    /// # Errors
    /// `Conflict` when another version is in force.
    pub async fn insert_directory(
        &self,
        directory: &Directory,
        expected: i64,
        at: Timestamp,
        actor: &Actor,
        summary: &str,
    ) -> Result<(), StoreError> {
        todo!()
    }
}
