//! The way out: hands mail to a server, over connections that are kept for the next one.
//!
//! The connections are pooled here and not by lettre: its pool takes a connection back whose conversation was cut
//! off by our time limit, and the answers of the next mail would then be those of the last. Here a connection is
//! kept only after a conversation that came to its end.

use crate::config::{Security, SmtpConfig};
use crate::encode::Encoded;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::ExposeSecret;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Sends mail through one server.
pub(crate) struct Sender {
    config: SmtpConfig,
    hello: ClientId,
    tls: Option<TlsParameters>,
    idle: Mutex<Vec<Idle>>,
    slots: Semaphore,
}

/// A connection that waits for its next mail.
struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// How long a connection is kept; servers commonly close after a minute or more.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// How far a mail had got when it failed.
enum Failure {
    /// Before the server can have taken it.
    Before(Error),
    /// After its last byte was on the way: the server may have taken it.
    After(Error),
}

impl Sender {
    /// A sender; reads the certificate authority, if one is set. `domain` is what the server is greeted with.
    pub(crate) fn new(config: SmtpConfig, domain: &str) -> Result<Self, ChannelError> {
        let tls = match config.security {
            Security::None => None,
            Security::Tls | Security::Starttls => Some(tls_parameters(&config)?),
        };
        let slots = Semaphore::new(config.max_connections);
        Ok(Self { config, hello: ClientId::Domain(domain.to_owned()), tls, idle: Mutex::default(), slots })
    }

    /// Sends one mail, within the time limit of the settings. A connection that the server had closed while it
    /// was idle is replaced once, at once.
    pub(crate) async fn send(&self, encoded: &Encoded) -> Result<(), ChannelError> {
        let bytes = encoded.mail.formatted();
        let limit = Duration::from_secs(self.config.timeout_seconds);
        let attempt = timeout(limit, self.attempt(encoded.mail.envelope(), &bytes)).await;
        attempt.unwrap_or_else(|_| {
            let message = format!("no answer within {} s; it may have been taken", self.config.timeout_seconds);
            Err(self.error(ErrorKind::Timeout, Retry::Later, message))
        })
    }

    async fn attempt(&self, envelope: &Envelope, bytes: &[u8]) -> Result<(), ChannelError> {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        if let Some(mut connection) = self.take_idle() {
            match converse(&mut connection, envelope, bytes).await {
                Ok(()) => {
                    self.keep(connection);
                    return Ok(());
                }
                Err(Failure::Before(error)) if is_stale(&error) => {
                    tracing::debug!(host = self.config.host, "an idle connection had been closed");
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                }
                Err(failure) => return Err(self.failed(failure)),
            }
        }
        let mut connection = self.connect().await?;
        converse(&mut connection, envelope, bytes).await.map_err(|failure| self.failed(failure))?;
        self.keep(connection);
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, ChannelError> {
        let wrapped = self.tls.clone().filter(|_| self.config.security == Security::Tls);
        let server = (self.config.host.trim_matches(['[', ']']), self.config.port);
        let limit = Some(Duration::from_secs(self.config.timeout_seconds));
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, limit, &self.hello, wrapped, None)
            .await
            .map_err(|error| self.failed(Failure::Before(error)))?;
        if let (Security::Starttls, Some(tls)) = (self.config.security, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await.map_err(|error| self.failed(Failure::Before(error)))?;
        }
        if let Some((user, password)) = &self.config.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| self.not_signed_in(&error))?;
        }
        Ok(connection)
    }

    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < MAX_IDLE);
        idle.pop().map(|idle| idle.connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        if !connection.has_broken() {
            let idle = Idle { connection, since: Instant::now() };
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        }
    }

    fn not_signed_in(&self, error: &Error) -> ChannelError {
        match error.status().map(u16::from) {
            Some(code) => {
                let message = format!("the server refused the user or password with {code}; see `smtp.user`, `smtp.password`");
                self.error(ErrorKind::Authentication, Retry::Later, message)
            }
            None if error.is_client() => {
                self.error(ErrorKind::Authentication, Retry::Later, "the server offers no way to sign in that we know")
            }
            None => self.error(ErrorKind::Unreachable, Retry::Later, reason(error)),
        }
    }

    /// The error for the outbox. Words of the server may quote addresses and text, so only its code is passed on.
    fn failed(&self, failure: Failure) -> ChannelError {
        let (error, taken) = match &failure {
            Failure::Before(error) => (error, ""),
            Failure::After(error) => (error, "; it may have been taken"),
        };
        match error.status().map(u16::from) {
            Some(code @ (530 | 534 | 535 | 538)) => {
                self.error(ErrorKind::Authentication, Retry::Later, format!("the server asks to sign in ({code})"))
            }
            Some(code @ 500..) => {
                self.error(ErrorKind::Rejected, Retry::Never, format!("the server refused the mail with {code}"))
            }
            Some(code @ (421 | 450..=452)) => {
                self.error(ErrorKind::Rejected, Retry::Later, format!("the server asks to try again later ({code})"))
            }
            Some(code) => {
                self.error(ErrorKind::Rejected, Retry::Later, format!("the server refused the mail for now with {code}"))
            }
            None if error.is_timeout() => self.error(ErrorKind::Timeout, Retry::Later, format!("no answer{taken}")),
            None => self.error(ErrorKind::Unreachable, Retry::Later, format!("{}{taken}", reason(error))),
        }
    }

    fn error(&self, kind: ErrorKind, retry: Retry, message: impl Into<String>) -> ChannelError {
        let attempt = format!("sending through {}:{}", self.config.host, self.config.port);
        ChannelError::new(kind, retry, attempt, message)
    }
}

/// One mail over one connection, from MAIL to the answer that takes it.
async fn converse(connection: &mut AsyncSmtpConnection, envelope: &Envelope, bytes: &[u8]) -> Result<(), Failure> {
    let result = hand_over(connection, envelope, bytes).await;
    if result.is_err() {
        connection.abort().await;
    }
    result
}

async fn hand_over(connection: &mut AsyncSmtpConnection, envelope: &Envelope, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = Vec::new();
    if envelope.to().iter().chain(envelope.from()).any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        options.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection.command(Mail::new(envelope.from().cloned(), options)).await.map_err(Failure::Before)?;
    for address in envelope.to() {
        connection.command(Rcpt::new(address.clone(), Vec::new())).await.map_err(Failure::Before)?;
    }
    connection.command(Data).await.map_err(Failure::Before)?;
    connection.message(bytes).await.map(drop).map_err(Failure::After)
}

/// Whether an idle connection failed because the server had closed it.
fn is_stale(error: &Error) -> bool {
    match error.status().map(u16::from) {
        Some(code) => code == 421,
        None => !error.is_client(),
    }
}

fn reason(error: &Error) -> String {
    if error.is_tls() {
        return String::from("TLS failed; see `smtp.security` and `smtp.ca_file`");
    }
    if error.is_client() {
        return String::from("the server lacks what this mail or `smtp.security` needs");
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<std::io::Error>() {
            return match cause.kind() {
                std::io::ErrorKind::InvalidData => String::from("TLS failed; see `smtp.security` and `smtp.ca_file`"),
                kind => format!("the connection failed: {kind}"),
            };
        }
        source = cause.source();
    }
    String::from("the connection broke, or what answers is no mail server")
}

fn tls_parameters(config: &SmtpConfig) -> Result<TlsParameters, ChannelError> {
    let fail = |attempt: String, message: String| ChannelError::new(ErrorKind::Configuration, Retry::Never, attempt, message);
    let mut builder = TlsParameters::builder(config.host.trim_matches(['[', ']']).to_owned());
    if let Some(path) = &config.ca_file {
        let attempt = || format!("reading {}", path.display());
        let pem = std::fs::read(path).map_err(|error| fail(attempt(), error.to_string()))?;
        let authority =
            Certificate::from_pem(&pem).map_err(|_| fail(attempt(), String::from("there is no certificate in it")))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build_rustls().map_err(|error| fail(format!("preparing TLS for {}", config.host), error.to_string()))
}
