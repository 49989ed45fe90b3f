//! The way in.

use async_trait::async_trait;
use switchboard_model::{InboundMessage, Receipt};
use thiserror::Error;

/// Takes messages in. An adapter acknowledges its source only after `push` has returned `Ok`: by then the
/// message is committed (ROUTING 12.1).
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores the message, or says that it was stored before.
    async fn push(&self, message: InboundMessage) -> Result<Receipt, InboxError>;
}

/// Why a message was not taken in. Nothing was stored, unless the kind is [`InboxErrorKind::Unknown`].
#[derive(Debug, Error)]
#[error("{message}")]
pub struct InboxError {
    /// What kind of refusal, which the adapter turns into an answer of its protocol.
    pub kind: InboxErrorKind,
    /// In words, for the log and the answer.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxErrorKind {
    /// The channel is switched off in the directory, or unknown there.
    Closed,
    /// The database cannot write now: disk full, unreachable. SMTP 452, HTTP 503; trying again helps.
    Unavailable,
    /// More arrives than can be written. SMTP 451, HTTP 503; trying again helps.
    Busy,
    /// The message can never be stored. SMTP 554, HTTP 422.
    Invalid,
    /// The commit may or may not have happened; the same external id again settles it. SMTP 451, HTTP 503.
    Unknown,
}

impl InboxError {
    /// A refusal.
    pub fn new(kind: InboxErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
