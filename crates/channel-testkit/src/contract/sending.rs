//! Checks of the way out.

use crate::context::ManualClock;
use crate::harness::Harness;
use async_trait::async_trait;
use switchboard_channel::{ErrorKind, Retry};
use switchboard_model::{ConversationId, Identity, MessageId, OutboundMessage};

/// A plain reply on a channel to an identity, without files or copies. Change what the test is about.
#[must_use]
pub fn outbound(slug: &str, identity: Identity) -> OutboundMessage {
    OutboundMessage {
        key: "message-7".to_owned(),
        channel: slug.to_owned(),
        conversation: ConversationId(3),
        message: MessageId(7),
        author: Some("Pia Berg".to_owned()),
        to: Vec::new(),
        cc: Vec::new(),
        bcc: Vec::new(),
        only: Vec::new(),
        identity,
        subject: None,
        text: "Your parcel left our warehouse this morning.".to_owned(),
        html: None,
        attachments: Vec::new(),
        references: Vec::new(),
        language: None,
        automatic: false,
        written_at: ManualClock::START,
    }
}

/// The other side of a channel, as far as what goes out is concerned.
#[async_trait]
pub trait Outlet: Send + Sync {
    /// The ids of all messages that the other side has, after whatever it does itself about repeats.
    async fn received(&self) -> Vec<String>;
}

/// A message that is sent twice under its key goes out once. Give a channel from which nothing has gone out yet.
///
/// # Panics
/// When it is refused, or the other side has it twice or not at all.
pub async fn the_same_key_goes_out_once(harness: &Harness, message: &OutboundMessage, outlet: &dyn Outlet) {
    for attempt in 1..=2 {
        let sent = harness.channel.send(message).await;
        assert!(sent.is_ok(), "attempt {attempt} was refused: {sent:?}");
    }
    let received = outlet.received().await;
    assert_eq!(received.len(), 1, "one key is one message: {received:?}");
}

/// What the channel says it can do is what it does: without `reply`, sending is refused as unsupported, for
/// good, and the error shows nothing of the message; with it, a plain message is at least not unsupported.
///
/// # Panics
/// When a channel without `reply` sends or says anything else, or one with it says that it cannot.
pub async fn capabilities_hold(harness: &Harness, message: &OutboundMessage) {
    if harness.channel.capabilities().reply {
        if let Err(error) = harness.channel.send(message).await {
            assert_ne!(error.kind, ErrorKind::Unsupported, "the channel says that it can reply, and cannot: {error}");
        }
        return;
    }
    let Err(error) = harness.channel.send(message).await else {
        panic!("the channel says that it cannot reply, and sent");
    };
    assert_eq!((error.kind, error.retry), (ErrorKind::Unsupported, Retry::Never), "refused in another way: {error}");
    super::debug_hides(&error, &[&message.text, &message.identity.value]);
    assert!(!error.to_string().contains(&message.text), "the error shows the text");
}
