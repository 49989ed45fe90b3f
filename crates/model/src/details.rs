//! What a channel found out about an inbound message besides its words.

use crate::kind::words;
use serde::{Deserialize, Serialize};
use std::fmt;

words! {
    /// What came of one check of a sender (RFC 8601).
    CheckResult {
        /// It was not made, or the domain says nothing about it.
        None = "none",
        /// The sender passed.
        Pass = "pass",
        /// The sender failed.
        Fail = "fail",
        /// It could not be made, for now or because of a mistake of the domain.
        Error = "error",
    }
}

/// Facts about an inbound message, kept with it and shown beside it. All absent by default: most channels know none.
///
/// `Debug` shows neither text nor addresses.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageDetails {
    /// How far the sender's domain vouches for the message; `None` when nobody who is trusted has checked.
    #[serde(default)]
    pub authentication: Option<Authentication>,
    /// The line of the text, counted from 0, from which on there is nothing but a signature and a repetition of earlier
    /// messages; `None` when there is neither.
    #[serde(default)]
    pub folded_from: Option<u32>,
    /// What a delivery report says.
    #[serde(default)]
    pub failure: Option<DeliveryFailure>,
    /// What a calendar file in it asks for.
    #[serde(default)]
    pub invitation: Option<Invitation>,
}

/// How far the domain of a sender vouches for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Authentication {
    /// The server that checked, by its `authserv-id`; `None` when Switchboard did.
    pub by: Option<String>,
    /// Whether the sending server may send for the envelope's domain.
    pub spf: CheckResult,
    /// Whether a signature of the message holds.
    pub dkim: CheckResult,
    /// Whether one of the two is of the domain in `From`.
    pub dmarc: CheckResult,
    /// Whether the seals of forwarding servers hold.
    pub arc: CheckResult,
}

/// What a delivery report says about a message of ours.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeliveryFailure {
    /// The id of the message that failed, as later messages would refer to it.
    pub reference: Option<String>,
    /// The addresses that it could not be delivered to.
    pub recipients: Vec<String>,
    /// The status code (RFC 3463), such as `5.1.1`.
    pub status: Option<String>,
    /// What the other server said, for a person.
    pub reason: Option<String>,
}

/// An invitation to an event (RFC 5546), as the first event of a calendar file says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// What is asked for.
    pub method: InvitationMethod,
    /// What the event is called.
    pub summary: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// When it begins: `2026-11-23`, or `2026-11-23T10:00` in `zone`.
    pub starts: Option<String>,
    /// When it ends, likewise; a day is the first one after it.
    pub ends: Option<String>,
    /// The time zone as written, `UTC`, or `None` for wherever the reader is.
    pub zone: Option<String>,
}

words! {
    /// What an invitation asks for.
    InvitationMethod {
        /// To come.
        Request = "request",
        /// To note that somebody comes or not.
        Reply = "reply",
        /// To forget the event.
        Cancel = "cancel",
        /// To take note of an event.
        Publish = "publish",
    }
}

impl MessageDetails {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl DeliveryFailure {
    /// The failure in one line for a person, such as `kim@customer.example: 550 5.1.1 no such user`.
    #[must_use]
    pub fn summary(&self) -> String {
        let said = self.reason.as_deref().or(self.status.as_deref());
        let said = said.unwrap_or("the receiving server reported that it was not delivered");
        match self.recipients.as_slice() {
            [] => said.to_owned(),
            [only] => format!("{only}: {said}"),
            [first, others @ ..] => format!("{first} (+{}): {said}", others.len()),
        }
    }
}

impl fmt::Debug for MessageDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageDetails").field("authentication", &self.authentication).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeliveryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryFailure").field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("method", &self.method).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{DeliveryFailure, MessageDetails};

    #[test]
    fn what_was_stored_without_details_has_none() {
        assert!(MessageDetails::default().is_empty());
        assert!(serde_json::from_str::<MessageDetails>("{}").unwrap().is_empty());
    }

    #[test]
    fn a_failure_in_one_line_names_whom_it_did_not_reach() {
        let failure = |recipients: &[&str], reason: Option<&str>| {
            let recipients = recipients.iter().map(|to| (*to).to_owned()).collect();
            DeliveryFailure { reference: None, recipients, status: None, reason: reason.map(str::to_owned) }.summary()
        };
        assert_eq!(failure(&["a@b.test"], Some("550 no such user")), "a@b.test: 550 no such user");
        assert_eq!(failure(&["a@b.test", "c@d.test"], Some("550")), "a@b.test (+1): 550");
        assert_eq!(failure(&[], None), "the receiving server reported that it was not delivered");
    }
}
