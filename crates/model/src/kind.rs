//! Kinds of channels and work, and how they group for load and capacity.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in configuration, API and storage.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or_else(|| {
                    let allowed: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("`{word}` is none of {}", allowed.join(", "))
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The kind of a channel (ROUTING 1).
    ChannelKind {
        /// Electronic mail.
        Email = "email",
        /// Live chat through the widget.
        Chat = "chat",
        /// Web form.
        Form = "form",
        /// WhatsApp Cloud API.
        Whatsapp = "whatsapp",
        /// Facebook Messenger.
        Messenger = "messenger",
        /// Telephone.
        Calling = "calling",
        /// Fed through the API.
        Custom = "custom",
    }
}

words! {
    /// What a work item is: conversations are routed in inboxes, tickets in help desks.
    ItemKind {
        /// A thread of messages with one contact on one channel.
        Conversation = "conversation",
        /// A case with its own owner, priority and type.
        Ticket = "ticket",
    }
}

words! {
    /// The type of a ticket (ROUTING 1).
    TicketType {
        /// Born from a live call.
        Calling = "calling",
        /// Chat, WhatsApp, Messenger, custom channels.
        Messaging = "messaging",
        /// Email, forms, voicemail without a call, made by hand, by workflow or API.
        EmailOther = "email_other",
    }
}

words! {
    /// What kind of attention an item takes; capacity limits are set per type (ROUTING 5.5).
    WorkType {
        /// Chat-like: answered within a minute.
        Chat = "chat",
        /// Mail-like: answered when read.
        Mail = "mail",
        /// A telephone call.
        Call = "call",
    }
}

words! {
    /// Items that count together as load: the ticket type in a help desk (5.1), the kind group in inboxes (5.2).
    LoadGroup {
        /// Help desk tickets of type `calling`.
        TicketCalling = "ticket_calling",
        /// Help desk tickets of type `messaging`.
        TicketMessaging = "ticket_messaging",
        /// Help desk tickets of type `email_other`.
        TicketEmailOther = "ticket_email_other",
        /// Chat-like conversations in inboxes.
        InboxChat = "inbox_chat",
        /// Mail-like conversations in inboxes.
        InboxMail = "inbox_mail",
        /// Calls in inboxes.
        InboxCall = "inbox_call",
    }
}

impl ChannelKind {
    /// How conversations of this kind are answered.
    #[must_use]
    pub const fn work_type(self) -> WorkType {
        match self {
            Self::Chat | Self::Whatsapp | Self::Messenger | Self::Custom => WorkType::Chat,
            Self::Email | Self::Form => WorkType::Mail,
            Self::Calling => WorkType::Call,
        }
    }

    /// The type of the ticket that a conversation on this kind of channel creates (ROUTING 1).
    #[must_use]
    pub const fn ticket_type(self) -> TicketType {
        match self.work_type() {
            WorkType::Chat => TicketType::Messaging,
            WorkType::Mail => TicketType::EmailOther,
            WorkType::Call => TicketType::Calling,
        }
    }

    /// The load group of an inbox conversation on this kind of channel (ROUTING 5.2).
    #[must_use]
    pub const fn inbox_group(self) -> LoadGroup {
        match self.work_type() {
            WorkType::Chat => LoadGroup::InboxChat,
            WorkType::Mail => LoadGroup::InboxMail,
            WorkType::Call => LoadGroup::InboxCall,
        }
    }
}

impl TicketType {
    /// The load group of a help desk ticket of this type (ROUTING 5.1).
    #[must_use]
    pub const fn group(self) -> LoadGroup {
        match self {
            Self::Calling => LoadGroup::TicketCalling,
            Self::Messaging => LoadGroup::TicketMessaging,
            Self::EmailOther => LoadGroup::TicketEmailOther,
        }
    }
}

impl LoadGroup {
    /// The capacity type that items of this group take up.
    #[must_use]
    pub const fn work_type(self) -> WorkType {
        match self {
            Self::TicketMessaging | Self::InboxChat => WorkType::Chat,
            Self::TicketEmailOther | Self::InboxMail => WorkType::Mail,
            Self::TicketCalling | Self::InboxCall => WorkType::Call,
        }
    }

    /// True for help desk tickets, whose load counts the last 30 days only (ROUTING 5.1).
    #[must_use]
    pub const fn is_help_desk(self) -> bool {
        matches!(self, Self::TicketCalling | Self::TicketMessaging | Self::TicketEmailOther)
    }
}
