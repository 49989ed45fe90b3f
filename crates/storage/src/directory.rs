//! Immutable directory versions, and the people they limit.

use crate::error::{StoreError, StoreErrorKind};
use crate::events::NewEvent;
use crate::row::{Row, execute, insert_rows, json, one, row, rows, values};
use crate::store::{Store, Tx};
use std::sync::Arc;
use switchboard_model::{Actor, Directory, LiveEventKind, ManualStatus, StatusOrigin, StatusValue, Timestamp, User, WorkType};

const DAY_MS: i64 = 86_400_000;

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
        let found = row(self.reads(), "SELECT document FROM directory_version ORDER BY version DESC LIMIT 1", values![]).await?;
        found.as_ref().map_or_else(|| Ok(Arc::default()), document)
    }

    /// A directory version; version 0 is the empty directory.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`.
    pub async fn directory(&self, version: i64) -> Result<Arc<Directory>, StoreError> {
        if version == 0 {
            return Ok(Arc::default());
        }
        let found = row(self.reads(), "SELECT document FROM directory_version WHERE version = $1", values![version]).await?;
        let missing = || StoreError::new(StoreErrorKind::NotFound, format!("there is no directory version {version}"));
        document(&found.ok_or_else(missing)?)
    }

    /// The newest directory versions, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn directory_versions(&self, limit: u32) -> Result<Vec<DirectoryVersion>, StoreError> {
        let sql = "SELECT version, at, actor, summary FROM directory_version ORDER BY version DESC LIMIT $1";
        let version = |row: &Row| {
            Ok(DirectoryVersion {
                version: row.get("version")?,
                at: row.id("at", Timestamp)?,
                actor: row.json("actor")?,
                summary: row.get("summary")?,
            })
        };
        rows(self.reads(), sql, values![limit]).await?.iter().map(version).collect()
    }
}

impl Tx {
    /// The version in force, 0 before the first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn directory_version(&self) -> Result<i64, StoreError> {
        one(self, "SELECT COALESCE(MAX(version), 0) AS version FROM directory_version", values![]).await?.get("version")
    }

    /// Stores `directory` as its version, which must be `expected + 1` with `expected` in force. Rows of people
    /// get the limits of their capacity; new people a row with the status `available` of origin `initial` in version 0,
    /// which lets their hours decide. Writes the live event.
    ///
    /// # Errors
    /// `Conflict` when another version is in force, `Invalid` when the directory carries another version.
    pub async fn insert_directory(
        &self,
        directory: &Directory,
        expected: i64,
        at: Timestamp,
        actor: &Actor,
        summary: &str,
    ) -> Result<(), StoreError> {
        if directory.version != expected + 1 {
            let text = format!("directory version {} cannot follow version {expected}", directory.version);
            return Err(StoreError::new(StoreErrorKind::Invalid, text));
        }
        let current = self.directory_version().await?;
        if current != expected {
            let text = format!("directory version {current} is in force, not {expected}");
            return Err(StoreError::new(StoreErrorKind::Conflict, text));
        }
        let sql = "INSERT INTO directory_version (version, at, actor, document, summary) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (version) DO NOTHING";
        if execute(self, sql, values![directory.version, at, json(actor)?, json(directory)?, summary]).await? == 0 {
            let text = format!("directory version {} was made elsewhere at the same time", directory.version);
            return Err(StoreError::new(StoreErrorKind::Conflict, text));
        }
        self.sync_people(&directory.users, at).await?;
        self.insert_events(&[NewEvent::new(LiveEventKind::Directory, at)]).await
    }

    async fn sync_people(&self, users: &[User], at: Timestamp) -> Result<(), StoreError> {
        let status = ManualStatus { value: StatusValue::Available, reason: None, set_at: at, origin: StatusOrigin::Initial };
        let status = json(&status)?;
        let limit = |user: &User, kind| user.capacity.per_type.get(&kind).copied();
        let weight = |user: &User, kind| {
            let weights = user.capacity.weights.as_ref();
            weights.and_then(|weights| weights.per_type.get(&kind)).copied().unwrap_or(0)
        };
        let records = users.iter().map(|user| {
            values![
                user.id,
                status.as_str(),
                user.capacity.total,
                limit(user, WorkType::Chat),
                limit(user, WorkType::Mail),
                limit(user, WorkType::Call),
                user.capacity.weights.as_ref().map(|weights| weights.limit),
                weight(user, WorkType::Chat),
                weight(user, WorkType::Mail),
                weight(user, WorkType::Call),
                user.capacity.leave_out.older_than_days.map(|days| i64::from(days) * DAY_MS),
                user.capacity.leave_out.waiting_on_contact,
            ]
        });
        let columns = [
            "limit_total",
            "limit_chat",
            "limit_mail",
            "limit_call",
            "limit_weight",
            "weight_chat",
            "weight_mail",
            "weight_call",
            "leave_older_ms",
            "leave_waiting",
        ];
        let head = format!("INSERT INTO person (user_id, status, {})", columns.join(", "));
        let renewed: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let tail = format!("ON CONFLICT (user_id) DO UPDATE SET {}", renewed.join(", "));
        insert_rows(self, &head, &tail, records.collect()).await.map(|_| ())
    }
}

fn document(row: &Row) -> Result<Arc<Directory>, StoreError> {
    row.json("document").map(Arc::new)
}
