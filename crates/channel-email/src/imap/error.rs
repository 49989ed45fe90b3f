//! What goes wrong with a server, in one line for an operator. Words of the server are left out, because they may
//! quote names and text; only its codes are passed on.

use super::response::Code;
use std::io;
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, Retry};

/// What went wrong.
#[derive(Debug)]
pub(super) struct Trouble {
    kind: ErrorKind,
    message: String,
}

impl Trouble {
    /// Of a kind, in words.
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The other side said nothing for so long.
    pub(super) fn silent(limit: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format!("no answer for {} s", limit.as_secs()))
    }

    /// The connection failed.
    pub(super) fn broken(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::closed(),
            kind => Self::new(ErrorKind::Unreachable, format!("the connection failed: {kind}")),
        }
    }

    /// The other side closed the connection.
    pub(super) fn closed() -> Self {
        Self::new(ErrorKind::Unreachable, "the server closed the connection")
    }

    /// The other side says what no server says.
    pub(super) fn nonsense(what: &str) -> Self {
        Self::new(ErrorKind::Unreachable, format!("what answers there is no IMAP server that makes sense: {what}"))
    }

    /// A setting does not fit the server.
    pub(super) fn setting(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// A command was refused.
    pub(super) fn refused(what: &str, code: &Code) -> Self {
        Self::new(ErrorKind::Rejected, format!("the server refused {what}{}", shown(code)))
    }

    /// What kind of trouble.
    pub(super) const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// In words.
    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it may be over in a moment, as when a server is started anew.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Timeout)
    }

    /// The error for the host.
    pub(super) fn into_error(self, attempt: String) -> ChannelError {
        ChannelError::new(self.kind, Retry::Later, attempt, self.message)
    }
}

/// A code behind a sentence.
pub(super) fn shown(code: &Code) -> String {
    match code {
        Code::Other(name) => format!(" ({name})"),
        _ => String::new(),
    }
}
