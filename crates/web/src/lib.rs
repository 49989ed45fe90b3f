//! The desk: the built single-page application as a router, the widget that sites embed, and the words that Rust and the desk share.

mod catalogue;
mod pages;
mod widget;

pub use catalogue::{LANGUAGES, catalogue, translate};
pub use pages::{CONTENT_SECURITY_POLICY, router};
pub use widget::{LONGEST_LOADER_BYTES, PinnedLoader, pinned_loader, widget_router};
