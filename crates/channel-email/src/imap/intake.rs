//! From the bytes of mails to the inbox, many at once and in order.

use super::envelope;
use crate::config::Mailbox;
use crate::decode::{self, Envelope, Receiving};
use crate::token::Signer;
use bytes::Bytes;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use switchboard_channel::{Context, InboxErrorKind};
use switchboard_model::{InboundMessage, Nature};
use tokio::sync::Semaphore;

/// Who takes in.
#[derive(Clone)]
pub(super) struct Intake {
    /// The mailbox.
    pub(super) mailbox: Arc<Mailbox>,
    /// Verifies what it signed.
    pub(super) signer: Signer,
    /// Its inbox and runtime.
    pub(super) context: Context,
}

/// A mail from the folder.
pub(super) struct Mail {
    /// Its number there.
    pub(super) uid: u32,
    /// Its bytes; the beginning of them when it is too large.
    pub(super) raw: Bytes,
    /// Its size in bytes, and the limit, when it is too large.
    pub(super) too_large: Option<(u64, usize)>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored, now or before.
    Stored,
    /// The inbox takes nothing now.
    Later,
    /// The channel is switched off.
    Closed,
    /// It can never be stored, not even as it came.
    Never,
}

/// How many mails are decoded at once, over all mailboxes.
const DECODING_PERMITS: usize = 8;
static DECODING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(DECODING_PERMITS));

impl Intake {
    /// Takes mails in, in the order given as far as they refer to one another; what became of each.
    pub(super) async fn take(&self, mails: Vec<Mail>) -> Vec<(u32, Outcome)> {
        let mut waiting = join_all(mails.into_iter().map(|mail| self.read(mail))).await.into_iter().peekable();
        let mut outcomes = Vec::new();
        while waiting.peek().is_some() {
            let mut wave = Vec::new();
            let (mut names, mut ids) = (HashSet::new(), HashSet::new());
            // What answers a mail of this wave waits until that one is stored, else it would not find it.
            while let Some((uid, message)) = waiting.next_if(|(_, message)| {
                !ids.contains(&message.external_id) && message.thread.references.iter().all(|name| !names.contains(name))
            }) {
                names.extend(message.thread.own_reference.clone());
                ids.insert(message.external_id.clone());
                wave.push((uid, message));
            }
            outcomes
                .extend(join_all(wave.into_iter().map(|(uid, message)| async move { (uid, self.push(message).await) })).await);
            if outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Later | Outcome::Closed)) {
                break;
            }
        }
        outcomes
    }

    /// A number by chance, other in each mailbox and at each time; not for secrets.
    pub(super) fn chance(&self) -> u64 {
        let mut hash = Sha256::new_with_prefix(&self.mailbox.slug);
        hash.update(self.context.runtime.clock.monotonic_us().to_be_bytes());
        let digest = hash.finalize();
        u64::from_be_bytes(std::array::from_fn(|place| digest[place]))
    }

    async fn push(&self, message: InboundMessage) -> Outcome {
        let nature = message.nature;
        let as_it_came = message.raw.clone().filter(|_| nature != Nature::Malformed);
        let error = match self.context.inbox.push(message).await {
            Ok(receipt) => {
                let channel = self.mailbox.slug.as_str();
                tracing::debug!(channel, message = receipt.message.0, duplicate = receipt.duplicate, %nature, "a mail was taken in");
                self.count(if receipt.duplicate { "repeated" } else { "taken_in" });
                return Outcome::Stored;
            }
            Err(error) => error,
        };
        tracing::warn!(channel = self.mailbox.slug, kind = ?error.kind, "a mail was not taken in");
        match (error.kind, as_it_came) {
            (InboxErrorKind::Closed, _) => Outcome::Closed,
            (InboxErrorKind::Unavailable | InboxErrorKind::Busy | InboxErrorKind::Unknown, _) => Outcome::Later,
            (InboxErrorKind::Invalid, None) => {
                self.count("refused");
                Outcome::Never
            }
            (InboxErrorKind::Invalid, Some(raw)) => Box::pin(self.push(self.kept(&raw.bytes))).await,
        }
    }

    fn kept(&self, raw: &Bytes) -> InboundMessage {
        let delivered = envelope::read(raw, &self.mailbox);
        let envelope = Envelope { sender: delivered.sender.as_deref(), recipients: &delivered.recipients };
        decode::unreadable(raw, envelope, Receiving { mailbox: &self.mailbox, signer: &self.signer }, None)
    }

    /// Decodes on a thread where it may take its time. Whatever goes wrong there, the mail is kept as it is.
    async fn read(&self, mail: Mail) -> (u32, InboundMessage) {
        let permit = DECODING.acquire().await.expect("the semaphore is never closed");
        let now = self.context.runtime.clock.now();
        let (intake, raw) = (self.clone(), mail.raw.clone());
        let decoded = tokio::task::spawn_blocking(move || {
            let delivered = envelope::read(&raw, &intake.mailbox);
            let envelope = Envelope { sender: delivered.sender.as_deref(), recipients: &delivered.recipients };
            decode::decode(&raw, envelope, Receiving { mailbox: &intake.mailbox, signer: &intake.signer }, now)
        })
        .await;
        drop(permit);
        let mut message = decoded.unwrap_or_else(|_panicked| {
            let bytes = mail.raw.len();
            tracing::error!(channel = self.mailbox.slug, bytes, "a mail could not be read and is kept as it came");
            self.kept(&mail.raw)
        });
        if let Some((size, limit)) = mail.too_large {
            self.count("too_large");
            note_size(&mut message, size, limit);
        }
        (mail.uid, message)
    }

    fn count(&self, outcome: &'static str) {
        let labels = [("channel", self.mailbox.slug.clone()), ("outcome", outcome.to_owned())];
        metrics::counter!("switchboard_imap_mails_total", &labels).increment(1);
    }
}

/// Makes a message of the headers of a mail that is too large: whose it is, and where it is.
fn note_size(message: &mut InboundMessage, size: u64, limit: usize) {
    message.text = format!(
        "This mail has {size} bytes, more than the {limit} that are taken in (imap.max_message_bytes). \
         It is still on the mail server; only its headers are here.\n"
    );
    message.html = None;
    message.attachments.clear();
    if message.nature == Nature::Message {
        message.nature = Nature::Malformed;
    }
}
