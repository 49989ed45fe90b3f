//! The database: entities, migrations and transactional operations, on SQLite and PostgreSQL alike.
//!
//! Reads are methods of [`Store`] and go through a pool of their own. Everything that changes something is a
//! method of [`Tx`], the transaction that [`Store::write`] opens, or that a member of a group commit gets from
//! the [`Writer`]. What the router decided is guarded here, in the same transaction (DESIGN 3.6). No sea-orm
//! type leaves this crate.

mod accounts;
mod audit;
mod bind;
mod connect;
mod decided;
mod directory;
mod entity;
mod error;
mod events;
mod foresight;
mod group;
mod guard;
mod hand_back;
mod held;
mod ids;
mod intake;
mod items;
mod lease;
mod lists;
mod merge;
mod messages;
mod migration;
mod moving;
mod outbox;
mod pauses;
mod people;
mod presence;
mod rebuild;
mod recall;
mod room;
mod routing;
mod row;
mod search;
mod signals;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod threads;
mod timers;
mod writer;

pub use accounts::{ApiToken, Credential, NewApiToken, NewSession, Session};
pub use audit::{AuditEntry, IdempotencyRecord, NewAudit};
pub use directory::DirectoryVersion;
pub use error::{StoreError, StoreErrorKind};
pub use events::NewEvent;
pub use foresight::Question;
pub use guard::{Changed, Guard, ItemUpdate};
pub use hand_back::{OwnedWork, OwnedWorkQuery};
pub use intake::{InboundKeyHit, NewContact, NewConversation, NewTicket};
pub use items::{ContactRecord, ItemRecord};
pub use lease::Lease;
pub use lists::{ItemQuery, ListScope};
pub use merge::{ItemMerge, Merged};
pub use messages::{NewAttachment, NewBlob, NewMessage, Said, StoredBlob};
pub use moving::{ItemMove, Moved};
pub use outbox::{NewOutbox, OutboxEntry};
pub use people::StatusRecord;
pub use presence::Presence;
pub use rebuild::TableState;
pub use routing::{Consumed, Consumption, Cursor, NewDecision, NewInput, StoredCheckpoint, StoredInput};
pub use search::SearchQuery;
pub use signals::SignalRow;
pub use store::{Statistics, Store, StoreOptions, Tx};
pub use sweep::{Adrift, SweepState};
pub use threads::{Mark, ThreadEntry, ThreadRecord};
pub use timers::{NewTimer, StoredTimer, Timers};
pub use writer::{Writer, WriterOptions};
