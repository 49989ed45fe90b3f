//! Why a channel failed, and whether trying again helps.

use std::fmt;
use thiserror::Error;

/// A failure of a channel: what was attempted, what went wrong, and whether to try again.
#[derive(Debug, Error)]
#[error("{attempt}: {message}")]
pub struct ChannelError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// Whether to try again.
    pub retry: Retry,
    /// What was attempted, such as `sending to mail.example.test:25`.
    pub attempt: String,
    /// What went wrong, in words for an operator; no message text, no addresses of contacts.
    pub message: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting is wrong.
    Configuration,
    /// Credentials were refused.
    Authentication,
    /// The other side cannot be reached or answers nonsense.
    Unreachable,
    /// No answer in time; it may have been taken.
    Timeout,
    /// The other side refused this message.
    Rejected,
    /// Too much at once.
    Limited,
    /// The channel cannot do that.
    Unsupported,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Trying again cannot help.
    Never,
    /// After the usual pause.
    Later,
    /// After this many milliseconds, as the other side asked.
    AfterMs(u64),
}

impl ChannelError {
    /// A failure with its context.
    pub fn new(kind: ErrorKind, retry: Retry, attempt: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, retry, attempt: attempt.into(), message: message.into() }
    }

    /// The channel has no such ability.
    pub fn unsupported(attempt: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, Retry::Never, attempt, "this channel cannot do that")
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "configuration",
            Self::Authentication => "authentication",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::Limited => "limited",
            Self::Unsupported => "unsupported",
        })
    }
}
