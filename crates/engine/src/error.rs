//! Why a use case failed, in terms a caller can act on.

use std::fmt;
use switchboard_model::{Fault, ItemRow};
use thiserror::Error;

/// A failed use case.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of failure.
    pub kind: EngineErrorKind,
    /// What happened and what to do, for a person.
    pub message: String,
    /// The item as it is now, for [`EngineErrorKind::Conflict`].
    pub current: Option<Box<ItemRow>>,
    /// Everything that is wrong with the input, for [`EngineErrorKind::Invalid`].
    pub faults: Vec<Fault>,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineErrorKind {
    /// Nobody is signed in, or the credentials are wrong.
    Unauthenticated,
    /// The caller may not do that.
    Forbidden,
    /// There is no such thing, or the caller may not see it.
    NotFound,
    /// It changed meanwhile; `current` says to what (ROUTING 2.6).
    Conflict,
    /// Newer messages have come than the caller has seen.
    NewMessages,
    /// The input cannot be accepted.
    Invalid,
    /// The database cannot write now; nothing changed.
    Unavailable,
    /// Too much at once; nothing changed.
    Busy,
    /// The commit may or may not have happened; repeating with the same key settles it.
    Unknown,
    /// A fault in Switchboard itself.
    Internal,
}

/// The result of a use case.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    /// A failure without further detail.
    pub fn new(kind: EngineErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), current: None, faults: Vec::new() }
    }

    /// There is no such thing.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(EngineErrorKind::NotFound, format!("{what} does not exist, or may not be opened by you"))
    }

    /// The caller may not do that.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(EngineErrorKind::Forbidden, message)
    }

    /// The input cannot be accepted.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(EngineErrorKind::Invalid, message)
    }

    /// The input has these faults.
    #[must_use]
    pub fn faulty(faults: Vec<Fault>) -> Self {
        let message = match faults.as_slice() {
            [fault] => fault.to_string(),
            faults => {
                format!("{} faults, the first: {}", faults.len(), faults.first().map(ToString::to_string).unwrap_or_default())
            }
        };
        Self { kind: EngineErrorKind::Invalid, message, current: None, faults }
    }

    /// The item changed meanwhile.
    #[must_use]
    pub fn conflict(current: ItemRow) -> Self {
        Self {
            kind: EngineErrorKind::Conflict,
            message: String::from("somebody changed this meanwhile; look at its current state and decide again"),
            current: Some(Box::new(current)),
            faults: Vec::new(),
        }
    }
}
