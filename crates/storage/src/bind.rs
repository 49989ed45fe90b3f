//! Values of the model as parameters of statements.

use crate::row::signed;
use sea_orm::Value;
use switchboard_model::{
    BlobId, ChannelId, ContactId, ConversationId, DecisionId, DeliveryState, IdentityKind, ItemId, ItemKind, ItemStatus,
    LiveEventKind, LoadGroup, MessageId, MessageKind, Nature, Proof, RefusalReason, TeamId, TicketId, TicketType, Timestamp,
    TokenId, UnassignedReason, UserId, WorkspaceId,
};

/// A value for a parameter. Texts lose NUL characters, which PostgreSQL cannot store.
pub(crate) trait Bind {
    fn bind(self) -> Value;
    fn null() -> Value;
}

/// A text as it is stored.
pub(crate) fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

impl Bind for i64 {
    fn bind(self) -> Value {
        Value::BigInt(Some(self))
    }

    fn null() -> Value {
        Value::BigInt(None)
    }
}

impl Bind for u64 {
    fn bind(self) -> Value {
        signed(self).bind()
    }

    fn null() -> Value {
        i64::null()
    }
}

impl Bind for u32 {
    fn bind(self) -> Value {
        i64::from(self).bind()
    }

    fn null() -> Value {
        i64::null()
    }
}

impl Bind for bool {
    fn bind(self) -> Value {
        Value::Bool(Some(self))
    }

    fn null() -> Value {
        Value::Bool(None)
    }
}

impl Bind for String {
    fn bind(self) -> Value {
        Value::String(Some(clean(self)))
    }

    fn null() -> Value {
        Value::String(None)
    }
}

impl Bind for &str {
    fn bind(self) -> Value {
        self.to_owned().bind()
    }

    fn null() -> Value {
        String::null()
    }
}

impl Bind for &[u8] {
    fn bind(self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }

    fn null() -> Value {
        Value::Bytes(None)
    }
}

impl<T: Bind> Bind for Option<T> {
    fn bind(self) -> Value {
        self.map_or_else(T::null, T::bind)
    }

    fn null() -> Value {
        T::null()
    }
}

macro_rules! bind_numbers {
    ($($name:ident),+ $(,)?) => {$(
        impl Bind for $name {
            fn bind(self) -> Value { self.0.bind() }
            fn null() -> Value { i64::null() }
        }
    )+};
}

bind_numbers!(
    BlobId,
    ChannelId,
    ContactId,
    ConversationId,
    DecisionId,
    ItemId,
    MessageId,
    TeamId,
    TicketId,
    Timestamp,
    TokenId,
    UserId,
    WorkspaceId,
);

macro_rules! bind_words {
    ($($name:ident),+ $(,)?) => {$(
        impl Bind for $name {
            fn bind(self) -> Value { self.as_str().bind() }
            fn null() -> Value { String::null() }
        }
    )+};
}

bind_words!(
    DeliveryState,
    IdentityKind,
    ItemKind,
    ItemStatus,
    LiveEventKind,
    LoadGroup,
    MessageKind,
    Nature,
    Proof,
    RefusalReason,
    TicketType,
    UnassignedReason,
);
