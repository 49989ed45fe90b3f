//! Leases with an epoch: which host is the router (DESIGN 4).

use crate::error::StoreError;
use crate::store::{Store, Tx};
use switchboard_model::Timestamp;

/// A lease that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Rises by one whenever the holder changes.
    pub epoch: i64,
    /// Until when, by the clock of [`Store::now`].
    pub expires_at: Timestamp,
}

impl Store {
    /// The lease as it is, held or expired.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Takes the lease if it is free, expired or already held by `holder`. `None` when another holds it.
    /// Taking `router` also sets the epoch of the router's cursor, which shuts out its predecessor. `given` is
    /// the time where the database has no clock of its own.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        given: Timestamp,
        duration_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        todo!()
    }

    /// Prolongs a lease that is still held under its epoch, expired or not; `None` when another took it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn renew_lease(&self, lease: &Lease, given: Timestamp, duration_ms: i64) -> Result<Option<Lease>, StoreError> {
        todo!()
    }

    /// Gives the lease back, if it is still held under its epoch.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        todo!()
    }
}
