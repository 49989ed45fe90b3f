//! Sign-in: passwords, sessions and API tokens. Secrets are stored as hashes only.

use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::random;
use crate::recall::{DEFAULT_UNDO_SECONDS, check_undo_seconds};
use crate::request::{AuditEntry, Caller, Scope, SessionView, SignedIn, TokenView};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use switchboard_model::{Actor, Role, Timestamp, TokenId, UserId};
use switchboard_storage::{ApiToken, Credential, IdempotencyRecord, NewApiToken, NewAudit, NewSession, Session};

/// The shortest password that may be set.
pub const MIN_PASSWORD_CHARS: usize = 10;
const MAX_PASSWORD_BYTES: usize = 1_024;
/// A use is noted at most this often, so that reading does not write.
const TOUCH_EVERY_MS: i64 = 60_000;
const TOKEN_PREFIX: &str = "sb_";
const SHOWN_PREFIX: usize = 9;
const IDEMPOTENCY_RUNNING: u16 = 0;
/// A request under a key that has not ended after this long is taken for abandoned: requests take seconds, so its host
/// died on the way.
const IDEMPOTENCY_ABANDONED_MS: i64 = 120_000;

impl Engine {
    /// Signs in with email address and password.
    ///
    /// # Errors
    /// `Unauthenticated`, the same for an unknown address and a wrong password.
    pub async fn sign_in(&self, email: &str, password: SecretString, agent: &str) -> Result<SignedIn> {
        let directory = self.directory();
        let user = directory.user_by_email(email).filter(|user| user.is_active());
        let credential = match user {
            Some(user) => self.inner.store.credential(user.id).await?,
            None => None,
        };
        let matches = self.verify(credential.as_ref().map(|credential| credential.password_hash.clone()), password).await?;
        let Some(user) = user.filter(|_| matches) else {
            return Err(EngineError::new(EngineErrorKind::Unauthenticated, "email address and password do not belong together"));
        };
        let secret = URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        let now = self.now();
        let expires_at = now.plus_ms(self.inner.session_ms);
        let agent: String = agent.chars().take(200).collect();
        let session = NewSession { id_hash: hash(&secret), user: user.id, created_at: now, expires_at, agent };
        self.commit(move |tx| Box::pin(async move { Ok(tx.insert_session(&session).await?) })).await?;
        Ok(SignedIn { secret: secret.into(), caller: user_caller(user.id, user.role), expires_at })
    }

    /// The caller and session id of a live session.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, secret: &str) -> Result<Option<(Caller, String)>> {
        let id = hash(secret);
        let Some(session) = self.inner.store.session(&id).await? else { return Ok(None) };
        let now = self.now();
        if session.expires_at <= now || now.ms_since(session.last_seen_at) > self.inner.session_idle_ms {
            return Ok(None);
        }
        let directory = self.directory();
        let Some(user) = directory.user(session.user).filter(|user| user.is_active()) else { return Ok(None) };
        if now.ms_since(session.last_seen_at) > TOUCH_EVERY_MS {
            let touched = id.clone();
            self.inner
                .writer
                .run(move |tx| Box::pin(async move { tx.touch_session(&touched, now).await }))
                .await
                .map_err(EngineError::from)?;
        }
        Ok(Some((user_caller(user.id, user.role), id)))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn sign_out(&self, secret: &str) -> Result<()> {
        let id = hash(secret);
        self.commit(move |tx| Box::pin(async move { Ok(tx.revoke_session(&id).await.map(drop)?) })).await
    }

    /// The caller's own sessions.
    ///
    /// # Errors
    /// `Forbidden` for a program.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionView>> {
        let sessions = self.inner.store.sessions_of(own_id(caller)?).await?;
        Ok(sessions.into_iter().map(session_view).collect())
    }

    /// Ends one of the caller's own sessions.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revoke_session(&self, caller: &Caller, id: &str) -> Result<()> {
        let sessions = self.inner.store.sessions_of(own_id(caller)?).await?;
        let session =
            sessions.into_iter().find(|session| session.id_hash == id).ok_or_else(|| EngineError::not_found("this session"))?;
        self.commit(move |tx| Box::pin(async move { Ok(tx.revoke_session(&session.id_hash).await.map(drop)?) })).await
    }

    /// Changes the caller's password, which ends every session of the caller.
    ///
    /// # Errors
    /// `Invalid` for a wrong current or a weak new password.
    pub async fn change_password(&self, caller: &Caller, current: SecretString, new: SecretString) -> Result<()> {
        let user = own_id(caller)?;
        let credential = self.inner.store.credential(user).await?;
        if !self.verify(credential.map(|credential| credential.password_hash), current).await? {
            return Err(EngineError::invalid("the current password is not right"));
        }
        self.set_password(caller, user, new).await
    }

    /// Sets anybody's password: for the command line and administrators.
    ///
    /// # Errors
    /// `Invalid` for a weak password; `NotFound`.
    pub async fn set_password(&self, caller: &Caller, user: UserId, new: SecretString) -> Result<()> {
        let length = new.expose_secret().chars().count();
        if length < MIN_PASSWORD_CHARS || new.expose_secret().len() > MAX_PASSWORD_BYTES {
            return Err(EngineError::invalid(format!(
                "a password has {MIN_PASSWORD_CHARS} characters at least and {MAX_PASSWORD_BYTES} bytes at most"
            )));
        }
        self.directory().user(user).ok_or_else(|| EngineError::not_found(format!("user {user}")))?;
        let permit = self.inner.hashing.acquire().await.map_err(|_| EngineError::new(EngineErrorKind::Busy, "shutting down"))?;
        let hashed = tokio::task::spawn_blocking(move || {
            Argon2::default().hash_password(new.expose_secret().as_bytes()).map(|hash| hash.to_string())
        });
        let password_hash = hashed.await.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
        drop(permit);
        let (at, actor) = (self.now(), caller.actor.clone());
        let credential = Credential { user, password_hash, changed_at: at };
        self.commit(move |tx| {
            Box::pin(async move {
                tx.set_credential(&credential).await?;
                let audit = NewAudit {
                    at,
                    actor,
                    action: "user.password".into(),
                    target: user.to_string(),
                    detail: serde_json::Value::Null,
                };
                Ok(tx.insert_audit(&audit).await?)
            })
        })
        .await
    }

    /// The desk language of a user: the one chosen, else the one of the directory; `None` follows the browser.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn language(&self, user: UserId) -> Result<Option<String>> {
        let chosen = self.inner.store.language(user).await?;
        Ok(chosen.or_else(|| self.directory().user(user).and_then(|user| user.language.clone())))
    }

    /// Sets the caller's desk language; `None` goes back to the directory's, or the browser's.
    ///
    /// # Errors
    /// `Invalid` for a language that the desk does not speak; `Forbidden` for a program.
    pub async fn set_language(&self, caller: &Caller, language: Option<String>) -> Result<()> {
        let user = own_id(caller)?;
        if language.as_deref().is_some_and(|tag| !["en", "nl", "nb", "da"].contains(&tag)) {
            return Err(EngineError::invalid("the desk speaks en, nl, nb and da"));
        }
        self.commit(move |tx| Box::pin(async move { Ok(tx.set_language(user, language.as_deref()).await?) })).await
    }

    /// How many seconds a user's mails wait before they go out, so that they can be taken back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn undo_seconds(&self, user: UserId) -> Result<u32> {
        Ok(self.inner.store.undo_seconds(user).await?.unwrap_or(DEFAULT_UNDO_SECONDS))
    }

    /// Sets how many seconds the caller's mails wait.
    ///
    /// # Errors
    /// `Invalid` for a time that is not offered; `Forbidden` for a program.
    pub async fn set_undo_seconds(&self, caller: &Caller, seconds: u32) -> Result<()> {
        let user = own_id(caller)?;
        check_undo_seconds(seconds)?;
        self.commit(move |tx| Box::pin(async move { Ok(tx.set_undo_seconds(user, seconds).await?) })).await
    }

    /// The caller and scopes of a live token.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn token_caller(&self, secret: &str) -> Result<Option<(Caller, Vec<Scope>)>> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let now = self.now();
        let token = self.inner.store.token_by_hash(&hash(secret)).await?;
        let Some(token) = token.filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now)) else {
            return Ok(None);
        };
        if token.last_used_at.is_none_or(|used| now.ms_since(used) > TOUCH_EVERY_MS) {
            let id = token.id;
            self.inner
                .writer
                .run(move |tx| Box::pin(async move { tx.touch_token(id, now).await }))
                .await
                .map_err(EngineError::from)?;
        }
        let scopes = scopes(&token);
        let role = match scopes.iter().max() {
            Some(Scope::Admin) => Role::Admin,
            Some(Scope::Write) => Role::Lead,
            Some(Scope::Read) | None => Role::Viewer,
        };
        Ok(Some((Caller { actor: Actor::Api { token: token.id }, user: None, role }, scopes)))
    }

    /// Every token that is not revoked.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<TokenView>> {
        let tokens = self.inner.store.tokens().await?;
        Ok(tokens.iter().filter(|token| token.revoked_at.is_none()).map(token_view).collect())
    }

    /// Makes a token; its secret is shown this once.
    ///
    /// # Errors
    /// `Invalid` without a name or scope, or with an end that has passed.
    pub async fn create_token(
        &self,
        caller: &Caller,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<(SecretString, TokenView)> {
        let now = self.now();
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 || scopes.is_empty() || expires_at.is_some_and(|end| end <= now) {
            return Err(EngineError::invalid(
                "a token needs a name of at most 100 characters, a scope, and an end that lies ahead if any",
            ));
        }
        let secret = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
        let id = TokenId(self.inner.store.next_id().await?);
        let token = NewApiToken {
            id,
            name: name.to_owned(),
            hash: hash(&secret),
            prefix: secret[..SHOWN_PREFIX].to_owned(),
            scopes: scopes.iter().map(|scope| scope_word(*scope).to_owned()).collect(),
            created_by: caller.actor.clone(),
            created_at: now,
            expires_at,
        };
        let view = TokenView {
            id,
            name: token.name.clone(),
            prefix: token.prefix.clone(),
            scopes: scopes.to_vec(),
            created_at: now,
            last_used_at: None,
            expires_at,
        };
        let actor = caller.actor.clone();
        self.commit(move |tx| {
            Box::pin(async move {
                tx.insert_token(&token).await?;
                let detail = serde_json::json!({ "name": token.name, "scopes": token.scopes });
                Ok(tx
                    .insert_audit(&NewAudit { at: now, actor, action: "token.create".into(), target: id.to_string(), detail })
                    .await?)
            })
        })
        .await?;
        Ok((secret.into(), view))
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<()> {
        let (at, actor) = (self.now(), caller.actor.clone());
        let revoked = self
            .commit(move |tx| {
                Box::pin(async move {
                    let revoked = tx.revoke_token(id, at).await?;
                    let detail = serde_json::Value::Null;
                    tx.insert_audit(&NewAudit { at, actor, action: "token.revoke".into(), target: id.to_string(), detail })
                        .await?;
                    Ok(revoked)
                })
            })
            .await?;
        if revoked { Ok(()) } else { Err(EngineError::not_found(format!("token {id}"))) }
    }

    /// The audit log, newest first, with the cursor of the next page.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn audit(&self, cursor: Option<&str>, limit: u32) -> Result<switchboard_model::Page<AuditEntry>> {
        let page = self.inner.store.audit(cursor, limit).await?;
        let rows = page.rows.into_iter().map(|entry| AuditEntry {
            id: entry.id,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            detail: entry.detail,
        });
        Ok(switchboard_model::Page { rows: rows.collect(), next: page.next, total: page.total })
    }

    /// Begins a request with an idempotency key: the answer of an earlier one with the same fingerprint, `None` for
    /// a new one. One that still runs after two minutes was lost with its host: the same request may begin again, by one
    /// caller at a time. What the lost one had committed by then stays.
    ///
    /// # Errors
    /// `Invalid` when the key was used for another request; `Busy` while the first still runs.
    pub async fn idempotent_begin(&self, scope: &str, key: &str, fingerprint: &str) -> Result<Option<(u16, String)>> {
        let record = IdempotencyRecord {
            key: key.to_owned(),
            scope: scope.to_owned(),
            at: self.now(),
            status: IDEMPOTENCY_RUNNING,
            response: fingerprint.to_owned(),
        };
        let found = self
            .inner
            .writer
            .run(move |tx| {
                Box::pin(async move {
                    let mut found = tx.idempotency(&record.scope, &record.key).await?;
                    if found.as_ref().is_some_and(|found| is_abandoned(found, &record)) {
                        tx.delete_idempotency(&record.scope, &record.key).await?;
                        found = None;
                    }
                    if found.is_none() {
                        tx.insert_idempotency(&record).await?;
                    }
                    Ok::<_, switchboard_storage::StoreError>(found)
                })
            })
            .await?;
        let Some(found) = found else { return Ok(None) };
        let (kept, body) = found.response.split_once('\n').unwrap_or((found.response.as_str(), ""));
        if kept != fingerprint {
            return Err(EngineError::invalid("this Idempotency-Key was used for another request; use a new one"));
        }
        if found.status == IDEMPOTENCY_RUNNING {
            return Err(EngineError::new(EngineErrorKind::Busy, "the first request with this Idempotency-Key is still running"));
        }
        Ok(Some((found.status, body.to_owned())))
    }

    /// Ends a request with an idempotency key: keeps its answer, or forgets the key so that it may be tried again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn idempotent_end(&self, scope: &str, key: &str, fingerprint: &str, answer: Option<(u16, String)>) -> Result<()> {
        let record = answer.map(|(status, body)| IdempotencyRecord {
            key: key.to_owned(),
            scope: scope.to_owned(),
            at: self.now(),
            status,
            response: format!("{fingerprint}\n{body}"),
        });
        let (scope, key) = (scope.to_owned(), key.to_owned());
        self.inner
            .writer
            .run(move |tx| {
                Box::pin(async move {
                    tx.delete_idempotency(&scope, &key).await?;
                    match &record {
                        Some(record) => tx.insert_idempotency(record).await,
                        None => Ok(()),
                    }
                })
            })
            .await
            .map_err(EngineError::from)
    }

    /// Compares in constant time; without a stored hash it works as long as with one.
    async fn verify(&self, stored: Option<String>, password: SecretString) -> Result<bool> {
        if password.expose_secret().len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let permit = self.inner.hashing.acquire().await.map_err(|_| EngineError::new(EngineErrorKind::Busy, "shutting down"))?;
        let verified = tokio::task::spawn_blocking(move || {
            let password = password.expose_secret().as_bytes();
            match stored.as_deref().map(PasswordHash::new) {
                Some(Ok(hash)) => Argon2::default().verify_password(password, &hash).is_ok(),
                Some(Err(_)) | None => {
                    let _ = Argon2::default().hash_password(password);
                    false
                }
            }
        });
        let verified = verified.await.map_err(|error| internal(&error));
        drop(permit);
        verified
    }
}

/// Whether a request that began under a key is lost, seen from the same request that begins now.
fn is_abandoned(found: &IdempotencyRecord, now: &IdempotencyRecord) -> bool {
    found.status == IDEMPOTENCY_RUNNING && found.response == now.response && now.at.ms_since(found.at) >= IDEMPOTENCY_ABANDONED_MS
}

/// SHA-256 in hex. Enough for secrets of 256 random bits, which nobody can guess from their hash.
fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn own_id(caller: &Caller) -> Result<UserId> {
    caller.user.ok_or_else(|| EngineError::forbidden("a program has no sessions and no password"))
}

const fn user_caller(id: UserId, role: Role) -> Caller {
    Caller { actor: Actor::User { id }, user: Some(id), role }
}

fn internal(error: &impl std::fmt::Display) -> EngineError {
    EngineError::new(EngineErrorKind::Internal, format!("hashing a password failed: {error}"))
}

fn session_view(session: Session) -> SessionView {
    SessionView {
        id: session.id_hash,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
        agent: session.agent,
    }
}

fn token_view(token: &ApiToken) -> TokenView {
    TokenView {
        id: token.id,
        name: token.name.clone(),
        prefix: token.prefix.clone(),
        scopes: scopes(token),
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        expires_at: token.expires_at,
    }
}

fn scopes(token: &ApiToken) -> Vec<Scope> {
    let known = [Scope::Read, Scope::Write, Scope::Admin];
    known.into_iter().filter(|scope| token.scopes.iter().any(|word| word == scope_word(*scope))).collect()
}

const fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Admin => "admin",
    }
}
