//! The contract between Switchboard and its channels.
//!
//! An adapter is a crate that exports one [`Registration`]. The host builds a [`Channel`] from its section of
//! the configuration, gives it a [`Context`], mounts its HTTP paths, runs it, and hands it what goes out.

mod context;
mod error;
mod inbox;
mod logging;
mod registration;
mod settings;
mod threads;

pub use context::{Clock, Context, Health, Runtime};
pub use error::{ChannelError, ErrorKind, Retry};
pub use inbox::{Inbox, InboxError, InboxErrorKind};
pub use logging::may_be_logged;
pub use registration::{Build, Registration, SettingDoc};
pub use settings::Settings;
pub use threads::{
    ANSWER_BY, Author, BY_CHAT, BY_MAIL, FileEntry, MailOffer, Opening, Signal, Thread, ThreadChange, ThreadFile, ThreadMessage,
    Threads, ThreadsError,
};

use async_trait::async_trait;
use switchboard_model::{Capabilities, Delivered, OutboundMessage, Widget};

/// One connected channel.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What the channel can do.
    fn capabilities(&self) -> Capabilities;

    /// HTTP paths of the channel, relative to `/channels/{slug}`; `None` when it has none. That path with
    /// and without a trailing slash both reach the router's `/`, and requests carry
    /// `axum::extract::ConnectInfo<SocketAddr>` where the host knows the other side.
    fn routes(&self, context: &Context) -> Option<axum::Router> {
        let _ = context;
        None
    }

    /// What visitors' pages embed, when the channel has such a thing; the host serves it under the key's addresses.
    fn widget(&self) -> Option<Widget> {
        None
    }

    /// Addresses that belong to the channel itself, so that nobody answers them by mistake; for channels of addresses.
    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes the channel's listeners and fails when one cannot be had, before anything is served.
    async fn start(&self, context: &Context) -> Result<(), ChannelError> {
        let _ = context;
        Ok(())
    }

    /// Receives until the context's shutdown token is cancelled. A returned error is shown on the channel; the
    /// host runs it again after a pause.
    async fn run(&self, context: Context) -> Result<(), ChannelError> {
        context.runtime.shutdown.cancelled().await;
        Ok(())
    }

    /// Sends one message. The same [`OutboundMessage::key`] twice must go out once, as far as the other side
    /// allows; what can be sent twice after a crash is said in the adapter's README.
    async fn send(&self, message: &OutboundMessage) -> Result<Delivered, ChannelError>;
}
