//! The web form channel: declared fields on a hosted page, and a target for plain forms and scripts on other
//! sites. See the README for what it promises.

mod body;
mod channel;
mod check;
mod config;
mod decode;
mod encode;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod language;
mod limits;
mod page;
mod routes;
mod submission;

pub use channel::REGISTRATION;
