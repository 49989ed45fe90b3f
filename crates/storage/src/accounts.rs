//! Sign-in: passwords, sessions and API tokens. Secrets arrive here as hashes only.

use crate::error::StoreError;
use crate::store::{Store, Tx};
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
        todo!()
    }

    /// The session with this hash, expired or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, id_hash: &str) -> Result<Option<Session>, StoreError> {
        todo!()
    }

    /// A user's sessions, last used first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        todo!()
    }

    /// The token with this hash, revoked or expired or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn token_by_hash(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        todo!()
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        todo!()
    }
}

impl Tx {
    /// Sets a user's password and ends every session of the user.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        todo!()
    }

    /// Stores a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_session(&self, session: &NewSession) -> Result<(), StoreError> {
        todo!()
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn touch_session(&self, id_hash: &str, at: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Ends a session; false when there was none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_session(&self, id_hash: &str) -> Result<bool, StoreError> {
        todo!()
    }

    /// Ends every session of a user; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_sessions_of(&self, user: UserId) -> Result<u64, StoreError> {
        todo!()
    }

    /// Drops sessions that expired, or were last used before `idle_before`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn prune_sessions(&self, now: Timestamp, idle_before: Timestamp) -> Result<u64, StoreError> {
        todo!()
    }

    /// Stores a token.
    ///
    /// # Errors
    /// `Conflict` when the hash is there.
    pub async fn insert_token(&self, token: &NewApiToken) -> Result<(), StoreError> {
        todo!()
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn touch_token(&self, token: TokenId, at: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Revokes a token; false when there is none, or it was revoked before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_token(&self, token: TokenId, at: Timestamp) -> Result<bool, StoreError> {
        todo!()
    }
}
