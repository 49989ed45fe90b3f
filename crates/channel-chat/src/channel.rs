//! The channel: its registration, and the little that it does besides HTTP and WebSocket.

use crate::config::{Config, SETTINGS};
use crate::encode;
use crate::files::Uploads;
use crate::hub::Hub;
use crate::routes;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::{Channel, ChannelError, Context, Registration, Settings};
use switchboard_model::{Capabilities, ChannelKind, Delivered, Fault, OutboundMessage, Widget};

/// Live chat with visitors of a site.
pub const REGISTRATION: Registration = Registration {
    kind: ChannelKind::Chat,
    summary: "Live chat: visitors of a site talk over a WebSocket, through our widget or any other client of the protocol.",
    settings: SETTINGS,
    build,
};

/// How often uploads that have waited too long are dropped.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// One chat.
struct ChatChannel {
    config: Arc<Config>,
    hub: Arc<Hub>,
    uploads: Arc<Uploads>,
}

fn build(settings: &Settings) -> Result<Arc<dyn Channel>, Vec<Fault>> {
    let config = Arc::new(Config::read(settings)?);
    let uploads = Arc::new(Uploads::new(&config.files));
    Ok(Arc::new(ChatChannel { config, hub: Arc::default(), uploads }))
}

#[async_trait]
impl Channel for ChatChannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities { reply: true, attachments: true, ..Capabilities::default() }
    }

    fn routes(&self, context: &Context) -> Option<axum::Router> {
        Some(routes::router(&self.config, context, &self.hub, &self.uploads))
    }

    fn widget(&self) -> Option<Widget> {
        Some(encode::widget(&self.config))
    }

    async fn run(&self, context: Context) -> Result<(), ChannelError> {
        let forget = async {
            loop {
                tokio::time::sleep(FORGET_EVERY).await;
                self.uploads.forget(context.runtime.clock.now());
            }
        };
        tokio::select! {
            done = self.hub.dispatch(&context) => done,
            () = forget => Ok(()),
        }
    }

    /// There is nobody to hand the message to: it is stored in its conversation already, and every connection of the
    /// visitor, on whichever host, is told that there is something newer and reads it there; one that is made later reads
    /// it as well. So it cannot be lost with a connection, nor come twice, since a client knows it by its id.
    async fn send(&self, _message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        Ok(Delivered::default())
    }
}
