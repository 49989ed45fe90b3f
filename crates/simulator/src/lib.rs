//! The router at work in simulated time (ROUTING 13.3).
//!
//! [`simulate`] feeds the production [`Router`](switchboard_core::Router), never a copy, with arrivals, ends of
//! services, lost patience, missed offers and statuses. The laws of queueing theory are tested through it
//! (`tests/theory`). [`compare`] runs two directories under the same [`Traffic`] and makes a
//! [`Report`](report::Report); [`run_rule_tests`] runs the test cases of rule files.

mod compare;
mod demands;
mod draw;
mod durations;
pub mod erlang;
mod figures;
mod floor;
mod history;
mod load;
mod outcome;
mod place;
mod pool;
mod presence;
mod random;
mod render;
pub mod report;
mod rule_test;
mod simulation;
pub mod statistics;
mod summary;
mod traffic;
mod zone;

pub use compare::{CompareError, Options, Progress, compare};
pub use durations::Durations;
pub use history::History;
pub use load::{Job, Load, MissedOffers, StatusEvent};
pub use outcome::{Fate, Outcome, PersonLog, Span, Visit, common_ms};
pub use random::Stream;
pub use rule_test::{Expect, OpenWork, RuleTest, RuleTestFailure, TestContact, run_rule_tests};
pub use simulation::{IdleSince, Observer, ServiceTimes, Settings, SimulationError, simulate};
pub use traffic::{ChannelTraffic, Generated, MIN_ARRIVALS, MIN_SERVICES, Mix, Recorded, RecordedArrival, Traffic, TrafficError};
