//! People: manual status, its version, and counted open work.

use crate::error::{StoreError, StoreErrorKind};
use crate::events::NewEvent;
use crate::row::{Db, Row, execute, json, row, rows, values};
use crate::store::{Store, Tx};
use std::collections::BTreeMap;
use switchboard_model::{Actor, LiveEventKind, ManualStatus, PersonLoad, StatusChange, Timestamp, UserId, WorkType};

const PERSON: &str = "SELECT user_id, status, availability_version, open_total, open_chat, open_mail, open_call FROM person";

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
        rows(self.reads(), format!("{PERSON} ORDER BY user_id"), values![]).await?.iter().map(person_load).collect()
    }

    /// Status and counted work of one person.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn person(&self, user: UserId) -> Result<Option<PersonLoad>, StoreError> {
        person(self.reads(), user).await
    }

    /// A person's changes of status, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn status_history(&self, user: UserId, limit: u32) -> Result<Vec<StatusRecord>, StoreError> {
        let sql = "SELECT at, actor, status, version FROM person_status WHERE user_id = $1 ORDER BY id DESC LIMIT $2";
        let record = |row: &Row| {
            let change = StatusChange { user, status: row.json("status")?, version: row.get("version")? };
            Ok(StatusRecord { at: row.id("at", Timestamp)?, actor: row.json("actor")?, change })
        };
        rows(self.reads(), sql, values![user, limit]).await?.iter().map(record).collect()
    }
}

impl Tx {
    /// As [`Store::person`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn person(&self, user: UserId) -> Result<Option<PersonLoad>, StoreError> {
        person(self, user).await
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
        let text = json(status)?;
        let sql = "UPDATE person SET status = $2, availability_version = availability_version + 1 \
            WHERE user_id = $1 AND ($3 IS NULL OR availability_version = $3) RETURNING availability_version";
        let Some(updated) = row(self, sql, values![user, text.as_str(), expected]).await? else {
            return Err(match self.person(user).await? {
                Some(person) => StoreError::new(
                    StoreErrorKind::Conflict,
                    format!("the status of user {user} is at version {}", person.availability_version),
                ),
                None => StoreError::new(StoreErrorKind::NotFound, format!("there is no user {user}")),
            });
        };
        let version = updated.get("availability_version")?;
        execute(
            self,
            "INSERT INTO person_status (user_id, at, actor, status, version) VALUES ($1, $2, $3, $4, $5)",
            values![user, at, json(actor)?, text, version],
        )
        .await?;
        self.insert_events(&[NewEvent { user: Some(user), ..NewEvent::new(LiveEventKind::Person, at) }]).await?;
        Ok(StatusChange { user, status: status.clone(), version })
    }
}

async fn person(db: &impl Db, user: UserId) -> Result<Option<PersonLoad>, StoreError> {
    let found = row(db, format!("{PERSON} WHERE user_id = $1"), values![user]).await?;
    found.as_ref().map(person_load).transpose()
}

fn person_load(row: &Row) -> Result<PersonLoad, StoreError> {
    let open_per_type = BTreeMap::from([
        (WorkType::Chat, row.small("open_chat")?),
        (WorkType::Mail, row.small("open_mail")?),
        (WorkType::Call, row.small("open_call")?),
    ]);
    Ok(PersonLoad {
        user: row.id("user_id", UserId)?,
        status: row.opt_json("status")?,
        availability_version: row.get("availability_version")?,
        open: row.small("open_total")?,
        open_per_type,
    })
}
