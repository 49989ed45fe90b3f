//! The way out: hands mail to a server, over connections that are kept for the next one.
//!
//! The connections are pooled here and not by lettre: its pool takes a connection back whose conversation was cut
//! off by our time limit, and the answers of the next mail would then be those of the last. Here a connection is
//! kept only after a conversation that came to its end.

mod offers;
mod reply;

use crate::config::{Security, SmtpConfig};
use crate::encode::Encoded;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use offers::Offers;
use reply::Reply;
use secrecy::ExposeSecret;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use switchboard_model::RefusedRecipient;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Sends mail through one server.
pub(crate) struct Sender {
    config: SmtpConfig,
    hello: ClientId,
    tls: Option<TlsParameters>,
    idle: Mutex<Vec<Line>>,
    slots: Semaphore,
}

/// A connection, and since when it waits for its next mail.
struct Line {
    connection: AsyncSmtpConnection,
    offers: Offers,
    since: Instant,
}

/// How long a connection is kept; servers commonly close after a minute or more.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// Why a mail was not taken.
enum Failure {
    /// Before the server can have taken it.
    Before(Error),
    /// After its last byte was on the way: the server may have taken it.
    After(Error),
    /// It was not tried, because the server would have to refuse it: why.
    Hopeless(String),
    /// No recipient was taken; what the most hopeful of them was refused with.
    Nobody(Reply),
}

impl Sender {
    /// A sender; reads the certificate authority, if one is set. `domain` is what the server is greeted with.
    pub(crate) fn new(config: SmtpConfig, domain: &str) -> Result<Self, ChannelError> {
        let tls = match config.security {
            Security::None => None,
            Security::Tls | Security::Starttls => Some(tls_parameters(&config)?),
        };
        let slots = Semaphore::new(config.max_connections);
        let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned());
        Ok(Self { config, hello: ClientId::Domain(domain), tls, idle: Mutex::default(), slots })
    }

    /// Sends one mail, within the time limit of the settings, and answers with the recipients who were refused while
    /// others were taken. A connection that the server had closed while it was idle is replaced once, at once.
    pub(crate) async fn send(&self, encoded: &Encoded) -> Result<Vec<RefusedRecipient>, ChannelError> {
        let limit = Duration::from_secs(self.config.timeout_seconds);
        let attempt = timeout(limit, self.attempt(encoded)).await;
        attempt.unwrap_or_else(|_| {
            let message = format!("no answer within {} s; it may have been taken", self.config.timeout_seconds);
            Err(self.error(ErrorKind::Timeout, Retry::Later, message))
        })
    }

    async fn attempt(&self, encoded: &Encoded) -> Result<Vec<RefusedRecipient>, ChannelError> {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        if let Some(mut line) = self.take_idle() {
            match converse(&mut line, encoded).await {
                Ok(refused) => {
                    self.keep(line);
                    return Ok(refused);
                }
                Err(Failure::Before(error)) if is_stale(&error) => {
                    tracing::debug!(host = self.config.host, "an idle connection had been closed");
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                }
                Err(failure) => return Err(self.failed(failure)),
            }
        }
        let mut line = self.connect().await?;
        let refused = converse(&mut line, encoded).await.map_err(|failure| self.failed(failure))?;
        self.keep(line);
        Ok(refused)
    }

    async fn connect(&self) -> Result<Line, ChannelError> {
        let wrapped = self.tls.clone().filter(|_| self.config.security == Security::Tls);
        let server = (self.config.host.trim_matches(['[', ']']), self.config.port);
        let limit = Some(Duration::from_secs(self.config.timeout_seconds));
        let before = |error| self.failed(Failure::Before(error));
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, limit, &self.hello, wrapped, None).await.map_err(before)?;
        if let (Security::Starttls, Some(tls)) = (self.config.security, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await.map_err(before)?;
        }
        // lettre keeps no more of the greeting than it needs itself, so the server is greeted once more.
        let greeting = connection.command(Ehlo::new(self.hello.clone())).await.map_err(before)?;
        let offers = Offers::of(greeting.message());
        if let Some((user, password)) = &self.config.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| self.not_signed_in(&error))?;
        }
        Ok(Line { connection, offers, since: Instant::now() })
    }

    fn take_idle(&self) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|line| line.since.elapsed() < MAX_IDLE);
        idle.pop()
    }

    fn keep(&self, line: Line) {
        if !line.connection.has_broken() {
            let line = Line { since: Instant::now(), ..line };
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn not_signed_in(&self, error: &Error) -> ChannelError {
        match Reply::of(error) {
            Some(reply) if reply.is_permanent() => {
                let message = format!("the server refused the user or password ({reply}); see `smtp.user`, `smtp.password`");
                self.error(ErrorKind::Authentication, Retry::Later, message)
            }
            Some(reply) => {
                self.error(ErrorKind::Authentication, Retry::Later, format!("the server cannot sign us in now: {reply}"))
            }
            None if error.is_client() => {
                self.error(ErrorKind::Authentication, Retry::Later, "the server offers no way to sign in that we know")
            }
            None => self.error(ErrorKind::Unreachable, Retry::Later, reason(error)),
        }
    }

    /// The error for the outbox.
    fn failed(&self, failure: Failure) -> ChannelError {
        let (error, taken) = match failure {
            Failure::Before(error) => (error, ""),
            Failure::After(error) => (error, "; it may have been taken"),
            Failure::Hopeless(message) => return self.error(ErrorKind::Rejected, Retry::Never, message),
            Failure::Nobody(reply) => return self.refused(&reply),
        };
        match Reply::of(&error) {
            Some(reply) => self.refused(&reply),
            None if error.is_timeout() => self.error(ErrorKind::Timeout, Retry::Later, format!("no answer{taken}")),
            None => self.error(ErrorKind::Unreachable, Retry::Later, format!("{}{taken}", reason(&error))),
        }
    }

    fn refused(&self, reply: &Reply) -> ChannelError {
        if reply.asks_to_sign_in() {
            return self.error(ErrorKind::Authentication, Retry::Later, format!("the server asks to sign in ({reply})"));
        }
        if reply.is_permanent() {
            return self.error(ErrorKind::Rejected, Retry::Never, format!("the server refused the mail: {reply}"));
        }
        self.error(ErrorKind::Rejected, Retry::Later, format!("the server asks to try again later: {reply}"))
    }

    fn error(&self, kind: ErrorKind, retry: Retry, message: impl Into<String>) -> ChannelError {
        let attempt = format!("sending through {}:{}", self.config.host, self.config.port);
        ChannelError::new(kind, retry, attempt, message)
    }
}

/// One mail over one connection, from MAIL to the answer that takes it.
async fn converse(line: &mut Line, encoded: &Encoded) -> Result<Vec<RefusedRecipient>, Failure> {
    let result = hand_over(line, encoded).await;
    if result.is_err() {
        line.connection.abort().await;
    }
    result
}

async fn hand_over(line: &mut Line, encoded: &Encoded) -> Result<Vec<RefusedRecipient>, Failure> {
    let Line { connection, offers, .. } = line;
    let options = offers.options(encoded).map_err(Failure::Hopeless)?;
    connection.command(Mail::new(Some(encoded.from.clone()), options)).await.map_err(Failure::Before)?;
    let mut refused: Vec<(&lettre::Address, Reply)> = Vec::new();
    for address in &encoded.to {
        if let Err(error) = connection.command(Rcpt::new(address.clone(), Vec::new())).await {
            // Only what the server says of this recipient; what ends the conversation ends it for all.
            match Reply::of(&error).filter(|reply| !reply.asks_to_sign_in() && !reply.ends_conversation()) {
                Some(reply) => refused.push((address, reply)),
                None => return Err(Failure::Before(error)),
            }
        }
    }
    if refused.len() == encoded.to.len() {
        let hopeful = refused.into_iter().map(|(_, reply)| reply).min_by_key(Reply::is_permanent);
        return Err(Failure::Nobody(hopeful.expect("a mail has recipients")));
    }
    connection.command(Data).await.map_err(Failure::Before)?;
    connection.message(&encoded.bytes).await.map_err(Failure::After)?;
    let refused = refused.into_iter().map(|(address, reply)| RefusedRecipient {
        address: address.to_string(),
        reason: reply.to_string(),
        again: !reply.is_permanent(),
    });
    Ok(refused.collect())
}

/// Whether an idle connection failed because the server had closed it.
fn is_stale(error: &Error) -> bool {
    match Reply::of(error) {
        Some(reply) => reply.ends_conversation(),
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
