//! What a visitor's page embeds.

use serde_json::Value;

/// The public face of a channel: who may embed it, and what its loader knows from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widget {
    /// Names it in public addresses (`/sb/{key}.js`, `/w/{key}`); no secret. Letters, digits, `_` and `-`.
    pub key: String,
    /// The origins whose pages may embed it, such as `https://shop.example.test`; empty means no page may.
    pub origins: Vec<String>,
    /// The path of its socket, relative to the host's own address.
    pub socket: String,
    /// Settings for loader and frame (names as in the widget's documentation), baked into the loader.
    pub settings: Value,
}
