//! The chat channel: visitors of a site connected by WebSocket, or by plain HTTP where none gets through. The README documents the protocol and what it promises.

mod channel;
mod checks;
mod config;
mod decode;
mod door;
mod encode;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod hub;
mod identity;
mod limits;
mod picture;
mod relay;
mod routes;
mod scanner;
mod socket;
mod stay;
mod token;
mod turns;
mod visit;
mod visitor;
mod wire;
mod work;

pub use channel::REGISTRATION;
