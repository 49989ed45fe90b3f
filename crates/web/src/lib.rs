//! The desk: the built single-page application as a router, and the words that Rust and the desk share.

mod catalogue;
mod pages;

pub use catalogue::{LANGUAGES, catalogue, translate};
pub use pages::{CONTENT_SECURITY_POLICY, router};
