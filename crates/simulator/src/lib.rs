//! The router at work in simulated time.
//!
//! [`simulate`] feeds the production [`Router`](switchboard_core::Router), never a copy, with arrivals, ends of
//! services, lost patience, missed offers and statuses. The laws of queueing theory are tested through it
//! (`tests/theory`).

mod durations;
pub mod erlang;
mod load;
mod outcome;
mod random;
mod simulation;
pub mod statistics;

pub use durations::Durations;
pub use load::{Job, Load, MissedOffers, StatusEvent};
pub use outcome::{Fate, Outcome, PersonLog, Span, Visit, common_ms};
pub use random::Stream;
pub use simulation::{IdleSince, Observer, ServiceTimes, Settings, SimulationError, simulate};
