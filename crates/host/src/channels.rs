//! The kinds of channels that this build knows. One line each; a channel is switched on by configuration.

use switchboard_channel::Registration;

/// Every adapter, by name.
pub const REGISTRY: &[Registration] =
    &[switchboard_channel_chat::REGISTRATION, switchboard_channel_email::REGISTRATION, switchboard_channel_forms::REGISTRATION];
