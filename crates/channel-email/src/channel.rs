//! The channel itself: ties receiver and sender to the host.

use crate::config::Config;
use crate::encode;
use crate::receiver::{Listener, Route};
use crate::sender::Sender;
use crate::token::Signer;
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use switchboard_channel::{Channel, ChannelError, Context, ErrorKind, Retry};
use switchboard_model::{Capabilities, Delivered, OutboundMessage};

/// A connected mailbox.
pub(crate) struct EmailChannel {
    config: Config,
    started: OnceLock<Started>,
}

/// What exists from the start on.
struct Started {
    signer: Signer,
    sender: Option<Sender>,
    receiver: Option<Receiving>,
}

struct Receiving {
    listener: Arc<Listener>,
    /// Keeps the mailbox behind the listener.
    _route: Arc<Route>,
}

impl EmailChannel {
    /// A mailbox with these settings, not started yet.
    pub(crate) fn new(config: Config) -> Self {
        Self { config, started: OnceLock::new() }
    }

    fn prepare(&self, context: &Context) -> Result<Started, ChannelError> {
        let signer = Signer::new(Arc::clone(&context.runtime.secret));
        let (_, domain) = self.config.mailbox.parts();
        let sender = self.config.smtp.clone().map(|smtp| Sender::new(smtp, domain)).transpose()?;
        let receiver = match &self.config.receiver {
            None => None,
            Some(config) => {
                let (mailbox, signer) = (self.config.mailbox.clone(), signer.clone());
                let route = Arc::new(Route { mailbox, signer, context: context.clone() });
                let listener = Listener::join(config, &route)?;
                let protocol = config.limits.protocol.as_str();
                tracing::info!(channel = context.slug, protocol, address = %listener.address, "listening");
                Some(Receiving { listener, _route: route })
            }
        };
        Ok(Started { signer, sender, receiver })
    }
}

#[async_trait]
impl Channel for EmailChannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            reply: self.config.smtp.is_some(),
            subject: true,
            attachments: true,
            html: true,
            copies: true,
            recall: true,
        }
    }

    fn addresses(&self) -> Vec<String> {
        self.config.mailbox.accepted.clone()
    }

    async fn start(&self, context: &Context) -> Result<(), ChannelError> {
        if self.started.get().is_none() {
            let started = self.prepare(context)?;
            // Lost only when two starts run at once, and then the other one counts.
            let _ = self.started.set(started);
        }
        Ok(())
    }

    async fn run(&self, context: Context) -> Result<(), ChannelError> {
        self.start(&context).await?;
        match self.started.get().and_then(|started| started.receiver.as_ref()) {
            Some(receiver) => Arc::clone(&receiver.listener).run(&context).await,
            None => context.runtime.shutdown.cancelled().await,
        }
        Ok(())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        if self.config.smtp.is_none() {
            let attempt = format!("sending through channel {}", self.config.mailbox.slug);
            let error = "`smtp.host` is not set, so this mailbox can only receive";
            return Err(ChannelError::new(ErrorKind::Unsupported, Retry::Never, attempt, error));
        }
        let Some(Started { signer, sender: Some(sender), .. }) = self.started.get() else {
            let attempt = format!("sending through channel {}", self.config.mailbox.slug);
            return Err(ChannelError::new(ErrorKind::Unreachable, Retry::Later, attempt, "the channel has not started yet"));
        };
        let encoded = encode::encode(message, &self.config, signer)?;
        let refused = sender.send(&encoded).await?;
        Ok(Delivered { reference: Some(encoded.reference), refused })
    }
}
