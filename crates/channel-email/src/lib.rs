//! The email channel: takes mail in over SMTP or LMTP, and sends replies over SMTP.
//!
//! `decode` and `encode` are pure, `session` is the server side of the protocol without any IO; `receiver`,
//! `sender` and `channel` move the bytes.

mod channel;
mod config;
mod decode;
mod dkim;
mod encode;
mod flowed;
mod html;
mod receiver;
mod sender;
mod session;
mod token;

use std::sync::Arc;
use switchboard_channel::{Channel, Registration};
use switchboard_model::ChannelKind;

/// The email channel, as the host lists it.
pub const REGISTRATION: Registration = Registration {
    kind: ChannelKind::Email,
    summary: "Email: a mail server delivers to Switchboard over SMTP or LMTP, replies go out over SMTP.",
    settings: config::SETTINGS,
    build: |settings| {
        let config = config::Config::read(settings)?;
        Ok(Arc::new(channel::EmailChannel::new(config)) as Arc<dyn Channel>)
    },
};
