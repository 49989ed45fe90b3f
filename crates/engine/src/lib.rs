//! The use cases: take in, route, reply, assign, close, run timers, deliver, search.

pub mod directory;
mod error;
mod request;

pub use error::{EngineError, EngineErrorKind, Result};
pub use request::{
    ApplyOptions, ApplyReport, Assignable, AuditEntry, Blob, Caller, ChannelState, Counts, Deactivation, Explained, ItemsQuery,
    Names, NewMessage, NewStatus, OwnerChange, PersonView, RuleInForce, Scope, SearchHit, SessionView, SignedIn, StaleMember, Statistics,
    TokenView,
};

mod facade;

/// A handle on the running engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {}
