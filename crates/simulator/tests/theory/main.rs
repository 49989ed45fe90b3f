//! The laws of queueing theory, held against the production router in simulated time.
//!
//! Each oracle is computed from its formula and first checked against published values; then the simulator is held
//! against the oracle within three standard errors over independent seeds. A law's tests are named after it.

mod erlang;
mod identity;
mod idle;
mod lost;
mod product;
mod support;
