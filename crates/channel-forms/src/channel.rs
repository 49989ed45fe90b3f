//! The channel: its registration and the little that it does besides HTTP.

use crate::config::{Form, SETTINGS};
use crate::routes;
use async_trait::async_trait;
use std::sync::Arc;
use switchboard_channel::{Channel, ChannelError, Context, Registration, Settings};
use switchboard_model::{Capabilities, ChannelKind, Delivered, Fault, OutboundMessage};

/// Web forms: a hosted page, and a target for forms and scripts on other sites.
pub const REGISTRATION: Registration = Registration {
    kind: ChannelKind::Form,
    summary: "A web form: a hosted page that works without JavaScript, and a target for forms on other sites.",
    settings: SETTINGS,
    build,
};

/// One connected form.
struct FormChannel {
    form: Arc<Form>,
}

fn build(settings: &Settings) -> Result<Arc<dyn Channel>, Vec<Fault>> {
    Ok(Arc::new(FormChannel { form: Arc::new(Form::read(settings)?) }))
}

#[async_trait]
impl Channel for FormChannel {
    /// A form takes in and sends nothing; replies leave through another channel.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn routes(&self, context: &Context) -> Option<axum::Router> {
        Some(routes::router(&self.form, context))
    }

    async fn send(&self, _message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        Err(ChannelError::unsupported("replying through a form"))
    }
}
