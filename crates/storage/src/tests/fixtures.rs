//! A small desk: people with limits, a channel, conversations and tickets.

use crate::{ItemUpdate, NewContact, NewConversation, NewMessage, NewTicket, Store, StoreError, Tx};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::time::Duration;
use switchboard_model::{
    Actor, Capacity, ChannelId, ChannelKind, ContactId, ConversationId, Directory, Identity, ItemId, LeaveOut, LiveEvent,
    MessageDetails, MessageId, MessageKind, Nature, Owner, Priority, Role, Seat, TicketId, TicketType, Timestamp, User, UserId,
    WeeklyHours, WorkType, WorkspaceId,
};

pub(super) const CHANNEL: ChannelId = ChannelId(31);
pub(super) const WORKSPACE: WorkspaceId = WorkspaceId(21);
pub(super) const NOON: Timestamp = Timestamp(1_800_000_000_000);

/// Runs a write whose errors are the store's.
pub(super) async fn write<T: Send>(
    store: &Store,
    work: impl for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    store.write(work).await
}

pub(super) fn user(id: i64, total: Option<u32>, per_type: &[(WorkType, u32)]) -> User {
    User {
        id: UserId(id),
        email: format!("user{id}@example.com"),
        name: format!("User {id}"),
        role: Role::Agent,
        seat: Seat::Service,
        active: true,
        accepted: true,
        ticket_access: true,
        team: None,
        extra_teams: vec![],
        zone: "Europe/Oslo".into(),
        hours: WeeklyHours::default(),
        holidays: Vec::new(),
        skills: Vec::new(),
        languages: Vec::new(),
        out_of_office: vec![],
        capacity: Capacity {
            total,
            per_type: per_type.iter().copied().collect::<BTreeMap<_, _>>(),
            weights: None,
            leave_out: LeaveOut::default(),
        },
        language: None,
    }
}

/// Stores the next directory version with these people.
pub(super) async fn people(store: &Store, users: Vec<User>) -> Directory {
    let version = store.latest_directory().await.unwrap().version;
    let directory = Directory { version: version + 1, users, ..Directory::default() };
    let stored = directory.clone();
    write(store, move |tx| async move { tx.insert_directory(&stored, version, NOON, &Actor::System, "people").await }.boxed())
        .await
        .unwrap();
    directory
}

pub(super) async fn id(store: &Store) -> i64 {
    store.next_id().await.unwrap()
}

pub(super) fn owner(user: i64) -> Option<Owner> {
    Some(Owner::User { id: UserId(user) })
}

pub(super) async fn contact(store: &Store, address: &str, name: Option<&str>) -> ContactId {
    let new = NewContact {
        id: ContactId(id(store).await),
        identities: vec![Identity::email(address)],
        name: name.map(str::to_owned),
        at: NOON,
    };
    write(store, move |tx| async move { tx.find_or_create_contact(&new).await }.boxed()).await.unwrap().0.id
}

/// A conversation on its own, in an inbox.
pub(super) async fn conversation(store: &Store, kind: ChannelKind) -> ConversationId {
    let contact = contact(store, "kari@example.com", Some("Kari Ødegård")).await;
    let new = new_conversation(ConversationId(id(store).await), contact, kind);
    let conversation = new.id;
    write(store, move |tx| async move { tx.insert_conversation(&new).await }.boxed()).await.unwrap();
    conversation
}

pub(super) fn new_conversation(id: ConversationId, contact: ContactId, kind: ChannelKind) -> NewConversation {
    NewConversation {
        id,
        workspace: WORKSPACE,
        channel: CHANNEL,
        contact,
        identity: Identity::email("kari@example.com"),
        thread_key: None,
        ticket: None,
        subject: Some("Pakken mangler".into()),
        group: kind.inbox_group(),
        priority: Priority::Normal,
        routed: true,
        at: NOON,
        actor: Actor::System,
    }
}

/// A conversation of a help desk with its ticket.
pub(super) async fn ticket(store: &Store, ticket_type: TicketType) -> (ConversationId, TicketId) {
    let contact = contact(store, "kari@example.com", Some("Kari Ødegård")).await;
    let (conversation, ticket) = (ConversationId(id(store).await), TicketId(id(store).await));
    let first =
        NewConversation { ticket: Some(ticket), routed: false, ..new_conversation(conversation, contact, ChannelKind::Email) };
    let second = NewTicket {
        id: ticket,
        workspace: WORKSPACE,
        channel: Some(CHANNEL),
        contact: Some(contact),
        identity: Some(Identity::email("kari@example.com")),
        conversation: Some(conversation),
        ticket_type,
        subject: Some("Pakken mangler".into()),
        priority: Priority::Normal,
        at: NOON,
        actor: Actor::System,
    };
    write(store, move |tx| {
        async move {
            tx.insert_conversation(&first).await?;
            tx.insert_ticket(&second).await
        }
        .boxed()
    })
    .await
    .unwrap();
    (conversation, ticket)
}

pub(super) fn message(id: i64, conversation: ConversationId, text: &str, at: Timestamp) -> NewMessage {
    NewMessage {
        id: MessageId(id),
        conversation,
        channel: CHANNEL,
        external_id: None,
        further_ids: vec![],
        kind: MessageKind::Inbound,
        at,
        sent_at: None,
        author: Actor::System,
        author_name: Some("Kari".into()),
        sender: Some(Identity::email("kari@example.com")),
        proof: None,
        subject: None,
        text: text.into(),
        html: None,
        fields: vec![],
        recipients: vec![],
        to: vec![],
        bcc: vec![],
        language: None,
        nature: Nature::Message,
        details: MessageDetails::default(),
        own_reference: None,
        attachments: vec![],
        raw: None,
    }
}

pub(super) async fn insert(store: &Store, message: NewMessage) {
    write(store, move |tx| async move { tx.insert_message(&message).await }.boxed()).await.unwrap();
}

/// The first `count` events after a position. PostgreSQL serves them when every older transaction of the whole
/// cluster has ended, those of other tests included.
pub(super) async fn events(store: &Store, position: i64, count: usize) -> Vec<LiveEvent> {
    let settled = async {
        loop {
            let events = store.events_after(position, 1_000).await.unwrap();
            if events.len() >= count {
                return events;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), settled).await.expect("the events are served in the end")
}

pub(super) fn assign(item: impl Into<ItemId>, user: i64) -> ItemUpdate {
    ItemUpdate { owner: Some(owner(user)), ..ItemUpdate::new(item.into(), Actor::System, NOON) }
}
