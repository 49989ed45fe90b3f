//! The use cases: take in, route, reply, assign, close, run timers, deliver, search.
//!
//! [`Engine`] is the handle that the API, the adapters (as their inbox) and the host share. Its tasks
//! ([`Engine::run_router`] and its like) are spawned by the host and end with the host's shutdown token.

mod accounts;
mod admin;
mod answers;
mod arrival;
mod attention;
mod chat;
mod chat_mail;
mod decision_commit;
mod decisions;
mod deliver;
pub mod directory;
mod engine;
mod error;
mod hand_back;
mod intake;
mod items;
mod lists;
mod live;
mod looker;
mod memory;
mod merging;
mod moving;
mod observer;
mod people;
mod places;
mod presence;
mod random;
mod recall;
mod replay;
mod request;
mod router_task;
mod signals;
mod sla;
mod sweep;
mod thread;
mod threads;
mod timers;
mod under_way;

#[cfg(test)]
mod tests;

pub use accounts::MIN_PASSWORD_CHARS;
pub use engine::{Engine, EngineOptions, Outlet, Words};
pub use error::{EngineError, EngineErrorKind, Result};
pub use presence::OpenDesk;
pub use recall::UNDO_SECONDS;
pub use request::{
    ApplyOptions, ApplyReport, Assignable, AuditEntry, Blob, Caller, ChannelState, Counts, Deactivation, Difference, Explained,
    HistoryEntry, ItemsQuery, MergeReport, MergeWish, MoveWish, Names, NewMessage, NewStatus, OwnerChange, PersonView,
    ReplayReport, RuleInForce, Scope, SearchHit, SessionView, SignedIn, StaleMember, Statistics, StatusEntry, TokenView,
    WaitingAnswer, WhyNotAnswer,
};
pub use signals::PresenceNews;
