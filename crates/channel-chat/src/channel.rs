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
use tokio::sync::{Mutex, oneshot};

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
    /// How the task ends that serves; none while there is none.
    serving: Mutex<Option<oneshot::Receiver<Result<(), ChannelError>>>>,
}

impl ChatChannel {
    /// Tells connections what is new and drops old uploads, until shutdown. A task of its own, because a scanner that fails
    /// ends a run, and must not keep visitors from being told.
    fn serve(&self, context: &Context) -> oneshot::Receiver<Result<(), ChannelError>> {
        let (told, served) = oneshot::channel();
        let (hub, uploads, context) = (Arc::clone(&self.hub), Arc::clone(&self.uploads), context.clone());
        context.runtime.clone().spawn(async move {
            let forget = async {
                loop {
                    tokio::time::sleep(FORGET_EVERY).await;
                    uploads.forget(context.runtime.clock.now());
                }
            };
            let done = tokio::select! {
                done = hub.dispatch(&context) => done,
                () = forget => Ok(()),
            };
            // Nobody listens only when the channel itself is gone.
            let _ = told.send(done);
        });
        served
    }
}

fn build(settings: &Settings) -> Result<Arc<dyn Channel>, Vec<Fault>> {
    let config = Arc::new(Config::read(settings)?);
    let uploads = Arc::new(Uploads::new(&config.files));
    Ok(Arc::new(ChatChannel { config, hub: Arc::default(), uploads, serving: Mutex::default() }))
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
        let mut serving = self.serving.lock().await;
        let served = serving.get_or_insert_with(|| self.serve(&context));
        let watch = async {
            match self.uploads.checks.scanner() {
                Some(scanner) => scanner.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = served => {
                *serving = None;
                // Without a word: the task was lost with the runtime.
                done.unwrap_or(Ok(()))
            }
            Err(error) = watch => Err(error),
        }
    }

    /// There is nobody to hand the message to: it is stored in its conversation already, and every connection of the
    /// visitor, on whichever host, is told that there is something newer and reads it there; one that is made later reads
    /// it as well. So it cannot be lost with a connection, nor come twice, since a client knows it by its id.
    async fn send(&self, _message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        Ok(Delivered::default())
    }
}
