//! Access tokens for XOAUTH2: asked for with the refresh token, kept until shortly before they expire.

use super::error::Trouble;
use crate::config::OauthConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use switchboard_channel::{ErrorKind, Runtime};
use switchboard_model::Timestamp;

/// The tokens of one mailbox.
pub(super) struct Tokens {
    config: OauthConfig,
    /// The access token, and until when it is used.
    cached: Option<(SecretString, Timestamp)>,
    /// The refresh token that the endpoint gave in place of the one in the settings.
    renewed: Option<SecretString>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: Option<i64>,
    refresh_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
}

/// How long before its end a token is not used any more.
const EARLY_MS: i64 = 60_000;
/// How long a token is good whose endpoint does not say, and the longest that is believed, in seconds.
const USUAL_LIFE_SECONDS: i64 = 600;
const LONGEST_LIFE_SECONDS: i64 = 86_400;
/// The largest answer of an endpoint that is read.
const MAX_ANSWER_BYTES: usize = 65_536;

impl Tokens {
    /// No tokens yet.
    pub(super) const fn new(config: OauthConfig) -> Self {
        Self { config, cached: None, renewed: None }
    }

    /// What is said to the server: the kept token, or a new one. The second value says whether it is new.
    pub(super) async fn token(&mut self, runtime: &Runtime) -> Result<(SecretString, bool), Trouble> {
        let now = runtime.clock.now();
        if let Some((token, _)) = self.cached.as_ref().filter(|(_, until)| now < *until) {
            return Ok((token.clone(), false));
        }
        let granted = self.ask(runtime).await?;
        let life = granted.expires_in.unwrap_or(USUAL_LIFE_SECONDS).clamp(0, LONGEST_LIFE_SECONDS);
        self.cached = Some((granted.access_token.clone(), now.plus_ms(life * 1_000 - EARLY_MS)));
        if granted.refresh_token.is_some() {
            self.renewed = granted.refresh_token;
        }
        Ok((granted.access_token, true))
    }

    /// The server refused the token: the next one is new.
    pub(super) fn refused(&mut self) {
        self.cached = None;
    }

    /// What the endpoint is asked.
    fn question(&self) -> String {
        let config = &self.config;
        let refresh_token = self.renewed.as_ref().unwrap_or(&config.refresh_token);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("client_id", &config.client_id);
        form.append_pair("refresh_token", refresh_token.expose_secret());
        if let Some(secret) = &config.client_secret {
            form.append_pair("client_secret", secret.expose_secret());
        }
        if !config.scope.is_empty() {
            form.append_pair("scope", &config.scope);
        }
        form.finish()
    }

    async fn ask(&self, runtime: &Runtime) -> Result<Granted, Trouble> {
        let config = &self.config;
        let request = runtime
            .http
            .post(&config.token_url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(self.question());
        let unreachable = |what: &str| {
            Trouble::new(ErrorKind::Unreachable, format!("the token endpoint {} cannot be asked: {what}", config.host))
        };
        let mut response = request
            .send()
            .await
            .map_err(|error| unreachable(if error.is_timeout() { "no answer in time" } else { "the connection failed" }))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|_| unreachable("the connection broke"))? {
            body.extend_from_slice(&piece);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(unreachable("its answer is too long"));
            }
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| unreachable("its answer holds no access token"));
        }
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(unreachable(&format!("it answers {}", status.as_u16())));
        }
        let word = serde_json::from_slice::<Denied>(&body).map(|denied| denied.error).unwrap_or_default();
        let is_word = (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let word = if is_word { word } else { status.as_u16().to_string() };
        let message = format!(
            "the token endpoint {} gives no access token ({word}); the refresh token may have expired, see `imap.oauth`",
            config.host
        );
        Err(Trouble::new(ErrorKind::Authentication, message))
    }
}

/// What the client says for XOAUTH2.
pub(super) fn response(user: &str, token: &SecretString) -> Vec<u8> {
    format!("user={user}\u{1}auth=Bearer {}\u{1}\u{1}", token.expose_secret()).into_bytes()
}
