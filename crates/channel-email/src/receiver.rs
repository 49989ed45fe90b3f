//! The way in: listens, runs the protocol of each connection, and hands complete messages to the inbox.
//!
//! Mailboxes that name the same address share one listener. Whichever of them is running accepts connections for
//! all; the recipient of a mail decides whose it is.

mod connection;
mod delivery;
mod listener;

pub(crate) use listener::{Listener, Route};
