//! Taking mail in over IMAP: one mailbox on a server, watched for as long as the host runs.
//!
//! The protocol is spoken here and not by a library. The one for tokio (async-imap 0.12) writes every command and
//! answer to the trace log, passwords and mail included, makes room for as much as a server announces (512 MiB), and
//! takes a fetch that the server refused or broke off for one without mails; what is used of the protocol is
//! less than a dozen commands.
//!
//! Each mailbox is one task that waits for its own server only. `session` is the way of a session, `client` the
//! protocol, `wire` and `response` its bytes, `intake` the way into the inbox.

mod client;
mod connection;
mod envelope;
mod error;
mod intake;
mod memory;
mod oauth;
mod response;
mod session;
mod signing_in;
mod wire;

use crate::config::{AfterIntake, ImapConfig, Mailbox};
use crate::token::Signer;
use error::Trouble;
use intake::Intake;
use memory::Memory;
use session::{Session, pause};
use std::sync::Arc;
use switchboard_channel::{ChannelError, Context};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Watches a mailbox.
pub(crate) struct Fetcher {
    config: ImapConfig,
    intake: Intake,
    memory: Mutex<Memory>,
}

/// After how many attempts in a row trouble is shown that may be over in a moment, where it has worked before.
const QUIET_ATTEMPTS: u32 = 4;

impl Fetcher {
    /// A mailbox that nobody watches yet.
    pub(crate) fn new(config: ImapConfig, mailbox: Mailbox, signer: Signer, context: Context) -> Self {
        let memory = Memory::new(&config, config.after_intake == AfterIntake::Nothing);
        Self { config, intake: Intake { mailbox: Arc::new(mailbox), signer, context }, memory: Mutex::new(memory) }
    }

    /// Takes in mail until shutdown, reconnecting as needed.
    ///
    /// # Errors
    /// What the operator has to know; the host shows it and calls this again, which goes on where it was.
    pub(crate) async fn run(&self) -> Result<(), ChannelError> {
        let shutdown = &self.intake.context.runtime.shutdown;
        let trouble = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            trouble = self.watch() => trouble,
        };
        let attempt = format!("reading the mailbox at {}:{}", self.config.host, self.config.port);
        Err(trouble.into_error(attempt))
    }

    /// Runs one session after another until there is trouble to show.
    async fn watch(&self) -> Trouble {
        let mut memory = self.memory.lock().await;
        loop {
            if let (failures @ 1.., Some(failed_at)) = memory.failures() {
                // The host's own pause counts.
                tokio::time::sleep_until(failed_at + pause(&self.config, failures, self.intake.chance())).await;
            }
            let started = Instant::now();
            let trouble = self.session(&mut memory).await;
            memory.failed();
            let (failures, _) = memory.failures();
            let channel = self.intake.mailbox.slug.as_str();
            self.note_end(trouble.kind().to_string());
            if !(trouble.may_pass() && memory.has_worked() && failures < QUIET_ATTEMPTS) {
                memory.shown();
                return trouble;
            }
            let seconds = started.elapsed().as_secs();
            tracing::info!(channel, kind = %trouble.kind(), failures, seconds, "the connection to the mailbox ended; it is made again");
        }
    }

    async fn session(&self, memory: &mut Memory) -> Trouble {
        match Session::open(&self.config, &self.intake, memory).await {
            Ok(session) => {
                let connected = metrics::gauge!("switchboard_imap_connected", "channel" => self.intake.mailbox.slug.clone());
                let _connected = Connected::new(connected);
                tracing::info!(channel = self.intake.mailbox.slug, "the mailbox is open");
                session.serve().await
            }
            Err(trouble) => trouble,
        }
    }

    fn note_end(&self, kind: String) {
        let labels = [("channel", self.intake.mailbox.slug.clone()), ("kind", kind)];
        metrics::counter!("switchboard_imap_failures_total", &labels).increment(1);
    }
}

/// Counts a session for as long as it lives, however it ends.
struct Connected(metrics::Gauge);

impl Connected {
    fn new(gauge: metrics::Gauge) -> Self {
        gauge.set(1.0);
        Self(gauge)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}
