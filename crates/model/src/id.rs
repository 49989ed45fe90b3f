//! Ids. Every id is a positive 64-bit integer that is never reused.
//!
//! Conversations and tickets draw from one sequence, so an [`ItemId`] names either without a tag.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A user. Ids ascend in the order of creation, which settles the last tie of ROUTING 5.4.
    UserId,
    /// A team.
    TeamId,
    /// A workspace (inbox or help desk).
    WorkspaceId,
    /// A connected channel.
    ChannelId,
    /// A contact.
    ContactId,
    /// A conversation or a ticket: whatever can have an owner.
    ItemId,
    /// A conversation; an [`ItemId`] of that kind.
    ConversationId,
    /// A ticket; an [`ItemId`] of that kind.
    TicketId,
    /// A message of any direction, or an internal note.
    MessageId,
    /// A routing decision.
    DecisionId,
    /// Stored bytes: a raw mail or an attachment.
    BlobId,
    /// An API token.
    TokenId,
    /// A skill.
    SkillId,
}

impl From<ConversationId> for ItemId {
    fn from(id: ConversationId) -> Self {
        Self(id.0)
    }
}

impl From<TicketId> for ItemId {
    fn from(id: TicketId) -> Self {
        Self(id.0)
    }
}
