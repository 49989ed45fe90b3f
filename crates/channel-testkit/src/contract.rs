//! The channel contract as checks. Each function panics with a sentence when the adapter breaks its promise.

mod intake;
mod logging;
mod registration;
mod sending;

pub use intake::{
    acknowledged_only_after_the_commit, damaged_payloads_are_answered, forged_is_refused, nested_is_answered,
    oversized_is_refused, repeats_change_nothing, same_payload_same_message,
};
pub use logging::{LogWatch, Tour, logs_hide};
pub use registration::{build_shows_no_secret, registration_is_complete, settings_faults_come_all_at_once};
pub use sending::{Outlet, capabilities_hold, outbound, the_same_key_goes_out_once};

use std::fmt::Debug;
use switchboard_model::InboundMessage;

/// `Debug` of anything that may reach a log shows none of the given texts: neither secrets nor what people
/// wrote nor their addresses (DESIGN 3.11).
///
/// # Panics
/// When it shows one of them.
pub fn debug_hides(value: &dyn Debug, hidden: &[&str]) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        for text in hidden.iter().filter(|text| !text.is_empty()) {
            assert!(!shown.contains(text), "Debug shows what it must hide, in {} characters", shown.len());
        }
    }
}

/// What holds for every message of every adapter, whatever was sent to it: it names the channel, has an
/// external id, carries file names without paths, and shows nothing of itself in `Debug`.
///
/// # Panics
/// When one of these does not hold.
pub fn message_is_sound(slug: &str, message: &InboundMessage) {
    assert_eq!(message.channel, slug, "the message names another channel");
    assert!(!message.external_id.trim().is_empty(), "the message has no external id");
    for id in [&message.external_id].into_iter().chain(&message.further_ids) {
        assert!(id.len() <= 512, "the external id is {} bytes long", id.len());
    }
    assert!(!message.sender.identity.value.is_empty(), "the sender has no identity");
    let subject = message.subject.as_deref().unwrap_or_default();
    assert!(!subject.contains(['\r', '\n']), "the subject has several lines");
    for file in &message.attachments {
        assert!(!file.name.is_empty() && file.name != "." && file.name != "..", "a file has no usable name");
        assert!(!file.name.contains(['/', '\\']), "a file name has a path");
        assert!(!file.name.chars().any(char::is_control), "a file name has control characters");
        assert!(file.content_type.contains('/') && !file.content_type.contains(['\r', '\n']), "a file has no media type");
    }
    let hidden: Vec<&str> = [message.text.as_str(), subject].into_iter().filter(|text| text.len() > 12).collect();
    debug_hides(message, &hidden);
}
