//! What an adapter's tests stand on: fakes of everything that the host gives, and the channel contract as a
//! suite of checks that every adapter runs against itself. For dev-dependencies only.
//!
//! A contract test builds a [`Harness`] from the adapter's registration, says in an [`Intake`] how a payload
//! reaches the channel, and calls the functions of [`contract`].

mod context;
pub mod contract;
mod corpus;
mod dovecot;
mod fixture;
mod harness;
mod identity;
mod inbox;
mod logs;
mod ports;
mod stopwatch;
mod threads;

pub use context::{ManualClock, context, context_at, install_crypto, settings};
pub use corpus::replay_corpus;
pub use dovecot::Dovecot;
pub use fixture::{Fixture, fixtures};
pub use harness::{Answer, Harness, Intake};
pub use identity::Identity;
pub use inbox::RecordingInbox;
pub use logs::{Listening, LogLine, listen};
pub use ports::free_port;
pub use stopwatch::Stopwatch;
pub use threads::FakeThreads;
