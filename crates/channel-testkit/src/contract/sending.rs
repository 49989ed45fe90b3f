//! Checks of the way out.

use crate::context::ManualClock;
use crate::harness::Harness;
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

/// What the channel says it can do is what it does: without `reply`, sending is refused as unsupported, for
/// good, and the error shows nothing of the message.
///
/// # Panics
/// When a channel without `reply` sends, or says anything else.
pub async fn capabilities_hold(harness: &Harness, message: &OutboundMessage) {
    if harness.channel.capabilities().reply {
        return;
    }
    let Err(error) = harness.channel.send(message).await else {
        panic!("the channel says that it cannot reply, and sent");
    };
    assert_eq!((error.kind, error.retry), (ErrorKind::Unsupported, Retry::Never), "refused in another way: {error}");
    super::debug_hides(&error, &[&message.text, &message.identity.value]);
    assert!(!error.to_string().contains(&message.text), "the error shows the text");
}
