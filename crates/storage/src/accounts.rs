//! Sign-in: passwords, sessions and API tokens. Secrets arrive here as hashes only.

use crate::entity::{api_token, credential, session};
use crate::error::StoreError;
use crate::row::{execute, failed, json, parse, row, values};
use crate::store::{Store, Tx};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder};
use switchboard_model::{Actor, Timestamp, TokenId, UserId};

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The user.
    pub user: UserId,
    /// The hash in PHC form.
    pub password_hash: String,
    /// When it was set.
    pub changed_at: Timestamp,
}

/// A session to store.
#[derive(Clone)]
pub struct NewSession {
    /// SHA-256 of the cookie's secret, in hex.
    pub id_hash: String,
    /// The user.
    pub user: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// A session.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's secret, in hex.
    pub id_hash: String,
    /// The user.
    pub user: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// An API token to store.
#[derive(Clone)]
pub struct NewApiToken {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// SHA-256 of the token, in hex.
    pub hash: String,
    /// The beginning of the token, which is shown.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// An API token.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// The beginning of the token, which is shown.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// A user's password.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn credential(&self, user: UserId) -> Result<Option<Credential>, StoreError> {
        let found = credential::Entity::find_by_id(user.0).one(self.reads()).await?;
        Ok(found.map(|credential::Model { user_id, password_hash, changed_at }| Credential {
            user: UserId(user_id),
            password_hash,
            changed_at: Timestamp(changed_at),
        }))
    }

    /// The session with this hash, expired or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, id_hash: &str) -> Result<Option<Session>, StoreError> {
        Ok(session::Entity::find_by_id(id_hash).one(self.reads()).await?.map(Session::from))
    }

    /// A user's sessions, last used first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let found = session::Entity::find()
            .filter(session::Column::UserId.eq(user.0))
            .order_by_desc(session::Column::LastSeenAt)
            .order_by_asc(session::Column::IdHash)
            .all(self.reads())
            .await?;
        Ok(found.into_iter().map(Session::from).collect())
    }

    /// The token with this hash, revoked or expired or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn token_by_hash(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        let found = api_token::Entity::find().filter(api_token::Column::Hash.eq(hash)).one(self.reads()).await?;
        found.map(ApiToken::try_from).transpose()
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let found = api_token::Entity::find()
            .order_by_desc(api_token::Column::CreatedAt)
            .order_by_desc(api_token::Column::Id)
            .all(self.reads())
            .await?;
        found.into_iter().map(ApiToken::try_from).collect()
    }
}

impl Store {
    /// The desk language that the user chose; `None` when none was chosen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn language(&self, user: UserId) -> Result<Option<String>, StoreError> {
        let found = row(self.reads(), "SELECT language FROM preference WHERE user_id = $1", values![user]).await?;
        found.map_or(Ok(None), |row| row.get("language"))
    }

    /// How many seconds the user's mails wait before they go out; `None` when the user chose nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn undo_seconds(&self, user: UserId) -> Result<Option<u32>, StoreError> {
        let found = row(self.reads(), "SELECT undo_seconds FROM preference WHERE user_id = $1", values![user]).await?;
        let seconds: Option<i64> = found.map_or(Ok(None), |row| row.opt("undo_seconds"))?;
        Ok(seconds.and_then(|seconds| u32::try_from(seconds).ok()))
    }
}

impl Tx {
    /// Keeps the desk language that the user chose; `None` follows the browser.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_language(&self, user: UserId, language: Option<&str>) -> Result<(), StoreError> {
        let sql = "INSERT INTO preference (user_id, language) VALUES ($1, $2) \
            ON CONFLICT (user_id) DO UPDATE SET language = excluded.language";
        execute(self, sql, values![user, language]).await.map(|_| ())
    }

    /// Keeps how many seconds the user's mails wait before they go out.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_undo_seconds(&self, user: UserId, seconds: u32) -> Result<(), StoreError> {
        let sql = "INSERT INTO preference (user_id, undo_seconds) VALUES ($1, $2) \
            ON CONFLICT (user_id) DO UPDATE SET undo_seconds = excluded.undo_seconds";
        execute(self, sql, values![user, seconds]).await.map(|_| ())
    }

    /// Sets a user's password and ends every session of the user.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        let row = credential::ActiveModel {
            user_id: ActiveValue::Set(credential.user.0),
            password_hash: ActiveValue::Set(credential.password_hash.clone()),
            changed_at: ActiveValue::Set(credential.changed_at.0),
        };
        let columns = [credential::Column::PasswordHash, credential::Column::ChangedAt];
        let replace = OnConflict::column(credential::Column::UserId).update_columns(columns).to_owned();
        let insert = credential::Entity::insert(row).on_conflict(replace);
        self.noted(insert.exec_without_returning(self.direct().await?).await)?;
        self.revoke_sessions_of(credential.user).await.map(|_| ())
    }

    /// Stores a session.
    ///
    /// # Errors
    /// `Conflict` when the hash is there.
    pub async fn insert_session(&self, session: &NewSession) -> Result<(), StoreError> {
        let row = session::ActiveModel {
            id_hash: ActiveValue::Set(session.id_hash.clone()),
            user_id: ActiveValue::Set(session.user.0),
            created_at: ActiveValue::Set(session.created_at.0),
            last_seen_at: ActiveValue::Set(session.created_at.0),
            expires_at: ActiveValue::Set(session.expires_at.0),
            agent: ActiveValue::Set(session.agent.replace('\0', "")),
        };
        self.noted(session::Entity::insert(row).exec_without_returning(self.direct().await?).await).map(|_| ())
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn touch_session(&self, id_hash: &str, at: Timestamp) -> Result<(), StoreError> {
        let update = session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(at.0))
            .filter(session::Column::IdHash.eq(id_hash));
        self.noted(update.exec(self.direct().await?).await).map(|_| ())
    }

    /// Ends a session; false when there was none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_session(&self, id_hash: &str) -> Result<bool, StoreError> {
        let done = self.noted(session::Entity::delete_by_id(id_hash).exec(self.direct().await?).await)?;
        Ok(done.rows_affected == 1)
    }

    /// Ends every session of a user; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_sessions_of(&self, user: UserId) -> Result<u64, StoreError> {
        let delete = session::Entity::delete_many().filter(session::Column::UserId.eq(user.0));
        self.noted(delete.exec(self.direct().await?).await).map(|done| done.rows_affected)
    }

    /// Drops sessions that expired, or were last used before `idle_before`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_sessions(&self, now: Timestamp, idle_before: Timestamp) -> Result<u64, StoreError> {
        let over = Condition::any().add(session::Column::ExpiresAt.lte(now.0)).add(session::Column::LastSeenAt.lt(idle_before.0));
        let delete = session::Entity::delete_many().filter(over);
        self.noted(delete.exec(self.direct().await?).await).map(|done| done.rows_affected)
    }

    /// Stores a token.
    ///
    /// # Errors
    /// `Conflict` when the hash is there.
    pub async fn insert_token(&self, token: &NewApiToken) -> Result<(), StoreError> {
        let row = api_token::ActiveModel {
            id: ActiveValue::Set(token.id.0),
            name: ActiveValue::Set(token.name.replace('\0', "")),
            hash: ActiveValue::Set(token.hash.clone()),
            prefix: ActiveValue::Set(token.prefix.clone()),
            scopes: ActiveValue::Set(json(&token.scopes)?),
            created_by: ActiveValue::Set(json(&token.created_by)?),
            created_at: ActiveValue::Set(token.created_at.0),
            last_used_at: ActiveValue::Set(None),
            revoked_at: ActiveValue::Set(None),
            expires_at: ActiveValue::Set(token.expires_at.map(|at| at.0)),
        };
        self.noted(api_token::Entity::insert(row).exec_without_returning(self.direct().await?).await).map(|_| ())
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn touch_token(&self, token: TokenId, at: Timestamp) -> Result<(), StoreError> {
        let update = api_token::Entity::update_many()
            .col_expr(api_token::Column::LastUsedAt, Expr::value(at.0))
            .filter(api_token::Column::Id.eq(token.0));
        self.noted(update.exec(self.direct().await?).await).map(|_| ())
    }

    /// Revokes a token; false when there is none, or it was revoked before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_token(&self, token: TokenId, at: Timestamp) -> Result<bool, StoreError> {
        let update = api_token::Entity::update_many()
            .col_expr(api_token::Column::RevokedAt, Expr::value(at.0))
            .filter(api_token::Column::Id.eq(token.0))
            .filter(api_token::Column::RevokedAt.is_null());
        self.noted(update.exec(self.direct().await?).await).map(|done| done.rows_affected == 1)
    }

    fn noted<T>(&self, done: Result<T, DbErr>) -> Result<T, StoreError> {
        done.map_err(|error| failed(self, error))
    }
}

impl From<session::Model> for Session {
    fn from(row: session::Model) -> Self {
        Self {
            id_hash: row.id_hash,
            user: UserId(row.user_id),
            created_at: Timestamp(row.created_at),
            last_seen_at: Timestamp(row.last_seen_at),
            expires_at: Timestamp(row.expires_at),
            agent: row.agent,
        }
    }
}

impl TryFrom<api_token::Model> for ApiToken {
    type Error = StoreError;

    fn try_from(row: api_token::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: TokenId(row.id),
            name: row.name,
            prefix: row.prefix,
            scopes: parse("scopes", &row.scopes)?,
            created_by: parse("created_by", &row.created_by)?,
            created_at: Timestamp(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
            expires_at: row.expires_at.map(Timestamp),
        })
    }
}
