//! Who is on a conversation right now. Kept for seconds; nothing of it is stored.

use crate::id::{ConversationId, UserId, WorkspaceId};
use crate::kind::words;
use serde::{Deserialize, Serialize};

words! {
    /// What a person at the desk does on a conversation, from the least to the most.
    Attention {
        /// It is open, and something else is looked at.
        Parked = "parked",
        /// It is looked at.
        Viewing = "viewing",
        /// A reply is being written.
        Writing = "writing",
    }
}

/// A person on a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonAttention {
    /// Who.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// What the person does.
    pub attention: Attention,
}

/// A page that a visitor looks at. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VisitedPage {
    /// Its address, without query and fragment.
    pub address: String,
    /// Its title.
    pub title: String,
}

/// A contact who is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VisitorPresence {
    /// The contact is writing.
    pub writing: bool,
    /// The page that the contact looks at.
    pub page: Option<VisitedPage>,
}

/// Everybody who is on a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationPresence {
    /// The conversation.
    pub conversation: ConversationId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// People at the desk, by id.
    pub people: Vec<PersonAttention>,
    /// The contact, while connected.
    pub visitor: Option<VisitorPresence>,
}

impl std::fmt::Debug for VisitedPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VisitedPage(redacted)")
    }
}
