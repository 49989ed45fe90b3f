//! Leases with an epoch: which host is the router (DESIGN 4).

use crate::error::StoreError;
use crate::row::{execute, row, values};
use crate::store::{Store, Tx, clock};
use switchboard_model::Timestamp;

/// The lease whose epoch guards the router's cursor.
const ROUTER: &str = "router";
/// A lease that runs on for more than this many durations was taken before the clock was set back; it counts as
/// expired, so that a clock cannot keep everybody from taking over.
const ABSURD_DURATIONS: i64 = 10;

/// A lease that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Rises by one at every acquisition.
    pub epoch: i64,
    /// Until when, by the database's clock, or that of the caller on SQLite.
    pub expires_at: Timestamp,
}

impl Store {
    /// The lease as it is, held or expired.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let found = row(self.reads(), "SELECT holder, epoch, expires_at FROM lease WHERE name = $1", values![name]).await?;
        let Some(found) = found else { return Ok(None) };
        let (holder, epoch) = (found.get("holder")?, found.get("epoch")?);
        Ok(Some(Lease { name: name.to_owned(), holder, epoch, expires_at: found.id("expires_at", Timestamp)? }))
    }
}

impl Tx {
    /// Takes the lease if it is free, expired or held by `holder`, under a new epoch. `None` when another holds it.
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
        let now = clock(self, given).await?;
        let expires_at = now.plus_ms(duration_ms);
        let absurd = now.plus_ms(duration_ms.saturating_mul(ABSURD_DURATIONS));
        let sql = "INSERT INTO lease (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $3) \
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = lease.epoch + 1, \
            expires_at = excluded.expires_at WHERE lease.holder = excluded.holder OR lease.expires_at <= $4 OR lease.expires_at > $5 \
            RETURNING epoch";
        let Some(taken) = row(self, sql, values![name, holder, expires_at, now, absurd]).await? else { return Ok(None) };
        let epoch: i64 = taken.get("epoch")?;
        if name == ROUTER {
            execute(self, "UPDATE router_cursor SET epoch = $1", values![epoch]).await?;
        }
        Ok(Some(Lease { name: name.to_owned(), holder: holder.to_owned(), epoch, expires_at }))
    }

    /// Prolongs a lease that is still held under its epoch, expired or not; `None` when another took it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn renew_lease(&self, lease: &Lease, given: Timestamp, duration_ms: i64) -> Result<Option<Lease>, StoreError> {
        let expires_at = clock(self, given).await?.plus_ms(duration_ms);
        let sql = "UPDATE lease SET expires_at = $4 WHERE name = $1 AND holder = $2 AND epoch = $3";
        let values = values![lease.name.as_str(), lease.holder.as_str(), lease.epoch, expires_at];
        Ok((execute(self, sql, values).await? == 1).then(|| Lease { expires_at, ..lease.clone() }))
    }

    /// Gives the lease back, if it is still held under its epoch; the next acquisition need not wait.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let sql = "UPDATE lease SET expires_at = 0 WHERE name = $1 AND holder = $2 AND epoch = $3";
        execute(self, sql, values![lease.name.as_str(), lease.holder.as_str(), lease.epoch]).await.map(|_| ())
    }
}
