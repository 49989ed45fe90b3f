//! The email channel: takes mail in over SMTP or LMTP or from a mailbox over IMAP, and sends replies over SMTP.
//!
//! `decode` and `encode` are pure, `session` is the server side of the protocol without any IO; `receiver`, `imap`,
//! `sender` and `channel` move the bytes.

mod auth;
mod channel;
mod config;
mod decode;
mod dkim;
mod encode;
mod flowed;
#[doc(hidden)]
pub mod fuzzing;
mod html;
mod imap;
mod receiver;
mod sender;
mod session;
mod tnef;
mod token;

use std::sync::Arc;
use switchboard_channel::{Channel, Registration};
use switchboard_model::ChannelKind;

/// The email channel, as the host lists it.
pub const REGISTRATION: Registration = Registration {
    kind: ChannelKind::Email,
    summary: "Email: a mail server delivers to Switchboard over SMTP or LMTP, or a mailbox is read over IMAP; replies go out over SMTP.",
    settings: config::SETTINGS,
    build: |settings| {
        let config = config::Config::read(settings)?;
        Ok(Arc::new(channel::EmailChannel::new(config)) as Arc<dyn Channel>)
    },
};
