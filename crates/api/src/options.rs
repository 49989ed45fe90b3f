//! What the host decides about the API.

use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Settings and services that the API needs beside the engine. `ApiOptions::default()` suits tests.
#[derive(Clone)]
pub struct ApiOptions {
    /// The address under which people reach the desk, such as `https://desk.example.org`; cookies are `Secure`
    /// and transport security is announced when it is https.
    pub public_url: Option<String>,
    /// Name of the company, shown in the desk.
    pub company: Option<String>,
    /// Languages of the desk, the default first.
    pub languages: Vec<String>,
    /// Addresses of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Rate limits.
    pub rates: RateLimits,
    /// Limits on bodies.
    pub bodies: BodyLimits,
    /// Who may read `/metrics`.
    pub metrics: Metrics,
    /// Cancelled when the host stops; live streams end on it.
    pub shutdown: CancellationToken,
    /// Runs requests that must end although their client left; shutdown waits for them.
    pub tasks: TaskTracker,
    /// Puts codes into words of a language. The default writes the codes themselves.
    pub translate: Translate,
}

/// Puts a key of the catalogue and its placeholders into words: language, key, `(placeholder, value)` pairs.
pub type Translate = Arc<dyn Fn(&str, &str, &[(&str, &str)]) -> String + Send + Sync>;

/// Rates at which requests are taken; 0 switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests per second from one address (one /64 with IPv6), signed in or not.
    pub address_per_second: u32,
    /// Requests per second of one user or token.
    pub caller_per_second: u32,
    /// How many seconds' worth may be saved up.
    pub burst_seconds: u32,
    /// Live streams open at once for one user or token.
    pub streams_per_caller: u32,
    /// Attempts to sign in per minute from one address.
    pub sign_in_per_minute_and_address: u32,
    /// Attempts to sign in per minute to one email.
    pub sign_in_per_minute_and_email: u32,
}

/// Largest bodies taken, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Of ordinary requests.
    pub request_bytes: usize,
    /// Of a reply or note with its files in base64.
    pub message_bytes: usize,
    /// Of a directory file.
    pub directory_bytes: usize,
}

/// Who may read `/metrics`.
#[derive(Clone, Default)]
pub enum Metrics {
    /// Nobody: the path answers 404.
    #[default]
    Off,
    /// Everybody who reaches the listener.
    Open(PrometheusHandle),
    /// Whoever sends `Authorization: Bearer` with this token.
    Token(PrometheusHandle, SecretString),
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            public_url: None,
            company: None,
            languages: ["en", "nl", "nb", "da"].map(String::from).to_vec(),
            trusted_proxies: Vec::new(),
            rates: RateLimits::default(),
            bodies: BodyLimits::default(),
            metrics: Metrics::Off,
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            translate: Arc::new(codes),
        }
    }
}

/// A key and its values, for hosts without a catalogue: `outcome.assigned user=Liv`.
fn codes(_language: &str, key: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(key.to_owned(), |text, (name, value)| format!("{text} {name}={value}"))
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            address_per_second: 500,
            caller_per_second: 100,
            burst_seconds: 5,
            streams_per_caller: 32,
            sign_in_per_minute_and_address: 30,
            sign_in_per_minute_and_email: 10,
        }
    }
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { request_bytes: 256 * 1024, message_bytes: 36 * 1024 * 1024, directory_bytes: 8 * 1024 * 1024 }
    }
}
