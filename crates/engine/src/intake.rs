//! Taking in: one commit per message with its contact, thread, text and the router's input (ROUTING 12.1).

use crate::arrival::{ArrivalParts, Known, arrival, arrival_input, known_again, last_owner, said, tell_turn};
use crate::chat::watch_silence;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::random;
use crate::sla::renew_due;
use async_trait::async_trait;
use std::sync::Arc;
use switchboard_channel::{Inbox, InboxError, InboxErrorKind};
use switchboard_model::{
    Actor, BlobId, ChannelEntry, ChannelKind, ContactId, ConversationId, DeliveryFailure, Directory, Identity, IdentityKind,
    InboundMessage, ItemId, ItemStatus, LiveEventKind, MessageId, MessageKind, Nature, Priority, Proof, RawSource, Receipt,
    RouteEvent, Sender, TicketId, Timestamp, WorkspaceKind,
};
use switchboard_storage::{
    ContactRecord, ItemRecord, ItemUpdate, NewAttachment, NewBlob, NewContact, NewConversation, NewEvent, NewMessage, NewTicket,
    Question, Tx,
};

#[async_trait]
impl Inbox for Engine {
    async fn push(&self, message: InboundMessage) -> Result<Receipt, InboxError> {
        let slug = message.channel.clone();
        let receipt = self.take_in(message).await.map_err(inbox_error)?;
        let now = self.now();
        self.note_channel(&slug, |state| state.last_event_at = Some(now));
        Ok(receipt)
    }
}

impl Engine {
    /// Stores a message from outside and asks the router for an owner where it needs one.
    ///
    /// # Errors
    /// `NotFound` when the channel is unknown or off; otherwise the store's.
    pub async fn take_in(&self, message: InboundMessage) -> Result<Receipt> {
        let directory = self.directory();
        let channel = directory.channel_by_slug(&message.channel).filter(|channel| channel.on);
        let channel = channel.cloned().ok_or_else(|| EngineError::not_found(format!("an open channel `{}`", message.channel)))?;
        let ids = Ids::draw(self, message.attachments.len()).await?;
        let threads_into = self.threads_into(&directory, &message.channel);
        let nameless = self.nameless(&message);
        let intake = Intake { directory, channel, threads_into, message, nameless, ids, at: self.now(), seed: random::seed() };
        let labels = [("channel", intake.channel.slug.clone())];
        let (questions, is_chat) = (intake.questions(), intake.channel.kind == ChannelKind::Chat);
        let receipt = self.commit_asking(questions, move |tx| Box::pin(async move { intake.run(tx).await })).await?;
        if is_chat {
            // A chat that falls silent has a timer.
            self.ring();
        }
        metrics::counter!("switchboard_messages_taken_in_total", &labels).increment(u64::from(!receipt.duplicate));
        Ok(receipt)
    }

    /// What somebody is called of whom only a browser is known, so that people at the desk can tell them apart.
    fn nameless(&self, message: &InboundMessage) -> Option<String> {
        let Sender { identity, name, .. } = &message.sender;
        if name.is_some() || identity.kind != IdentityKind::Cookie {
            return None;
        }
        let last = identity.value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        let id = identity.value[last..].to_uppercase();
        Some((self.inner.words)(message.language.as_deref().unwrap_or_default(), "chat_mail.nameless", &[("id", &id)]))
    }
}

/// Ids drawn before the transaction, whether it will need them or not.
struct Ids {
    conversation: ConversationId,
    ticket: TicketId,
    contact: ContactId,
    message: MessageId,
    raw: BlobId,
    timer: i64,
    attachments: Vec<BlobId>,
}

impl Ids {
    async fn draw(engine: &Engine, attachments: usize) -> Result<Self> {
        let drawn = engine.inner.store.next_ids(6 + attachments).await?;
        Ok(Self {
            conversation: ConversationId(drawn[0]),
            ticket: TicketId(drawn[1]),
            contact: ContactId(drawn[2]),
            message: MessageId(drawn[3]),
            raw: BlobId(drawn[4]),
            timer: drawn[5],
            attachments: drawn[6..].iter().copied().map(BlobId).collect(),
        })
    }
}

/// Who wrote a message.
struct Writer {
    contact: ContactRecord,
    /// How far the sender is proven to be that contact now.
    known: Known,
    /// The same as decisions will take it that come later.
    kept: Proof,
}

impl Writer {
    const fn new(contact: ContactRecord, known: Known) -> Self {
        Self { contact, known, kept: known.proof() }
    }
}

/// One message on its way in.
struct Intake {
    directory: Arc<Directory>,
    channel: ChannelEntry,
    threads_into: Vec<ChannelEntry>,
    message: InboundMessage,
    /// The name of a contact that is made, where the message tells none.
    nameless: Option<String>,
    ids: Ids,
    at: Timestamp,
    seed: u64,
}

impl Intake {
    async fn run(mut self, tx: &Tx) -> Result<Receipt> {
        for id in [&self.message.external_id].into_iter().chain(&self.message.further_ids) {
            if let Some(hit) = tx.find_inbound_key(self.channel.id, id).await? {
                let conversation = tx.surviving_conversation(hit.conversation).await?;
                return Ok(Receipt { conversation, message: hit.message, duplicate: true });
            }
        }
        let writer = self.writer(tx).await?;
        let found = self.find_conversation(tx).await?;
        let is_new = found.is_none();
        let (named, conversation) = found.unwrap_or((self.ids.conversation, self.ids.conversation));
        let shows = self.channel.kind == ChannelKind::Chat;
        if shows && !is_new {
            self.ids.message = tx.growing_id(conversation, self.ids.message).await?;
        }
        let item = if is_new {
            self.begin_conversation(tx, &writer).await?
        } else {
            tx.insert_message(&self.new_message(conversation, &writer)).await?;
            self.work_item(tx, conversation).await?
        };
        self.mark_bounced(tx, conversation).await?;
        if shows {
            tx.show_message(named, self.ids.message, Some(&self.message.external_id)).await?;
        }
        if self.routes() {
            self.ask_for_owner(tx, &item, is_new, &writer).await?;
            if shows {
                watch_silence(tx, &self.directory, &item, self.ids.timer, self.at).await?;
            }
        } else {
            self.put_away(tx, &item, is_new).await?;
        }
        self.events(tx, conversation, &item, is_new).await?;
        Ok(Receipt { conversation, message: self.ids.message, duplicate: false })
    }

    /// What most messages make it ask.
    fn questions(&self) -> Vec<Question> {
        let channel = self.channel.id;
        let keys = [&self.message.external_id].into_iter().chain(&self.message.further_ids);
        let keys = keys.map(|id| Question::InboundKey { channel, external_id: id.clone() });
        let sender = &self.message.sender;
        let identities = [&sender.identity].into_iter().chain(&sender.also).cloned().map(Question::Identity);
        keys.chain(identities).collect()
    }

    /// Automatic replies, bounces and spam are kept, and nothing else (ROUTING 12.1).
    const fn routes(&self) -> bool {
        matches!(self.message.nature, Nature::Message | Nature::Malformed)
    }

    /// The contact, and how far the sender is proven to be that contact.
    ///
    /// A typed address finds a contact but proves nothing, and a cookie is tied to a contact only when the
    /// contact is made here: otherwise typing a stranger's address would make one's browser that stranger.
    async fn writer(&self, tx: &Tx) -> Result<Writer> {
        let sender = &self.message.sender;
        let identities = || [std::slice::from_ref(&sender.identity), &sender.also].concat();
        match sender.proof {
            Proof::Channel => {
                let cookie = identities().iter().any(|identity| identity.kind == IdentityKind::Cookie);
                let known = Known { proven: true, cookie };
                Ok(Writer::new(self.create_contact(tx, identities()).await?.0, known))
            }
            Proof::Cookie | Proof::Typed => {
                let unproven = Known::of(Proof::Typed);
                if sender.proof == Proof::Cookie {
                    let cookies =
                        sender.also.iter().chain([&sender.identity]).filter(|identity| identity.kind == IdentityKind::Cookie);
                    for cookie in cookies {
                        if let Some(contact) = tx.contact_of(cookie).await? {
                            return Ok(Writer::new(contact, Known::of(Proof::Cookie)));
                        }
                    }
                }
                if let Some(contact) = tx.contact_of(&sender.identity).await? {
                    return Ok(Writer::new(contact, unproven));
                }
                let (contact, is_made) = self.create_contact(tx, identities()).await?;
                // The cookie that made the contact tells it from now on.
                let kept = if is_made { sender.proof } else { Proof::Typed };
                Ok(Writer { contact, known: unproven, kept })
            }
        }
    }

    /// The contact, and whether it was made.
    async fn create_contact(&self, tx: &Tx, identities: Vec<Identity>) -> Result<(ContactRecord, bool)> {
        let name = self.message.sender.name.clone().or_else(|| self.nameless.clone());
        let contact = NewContact { id: self.ids.contact, identities, name, at: self.at };
        Ok(tx.find_or_create_contact(&contact).await?)
    }

    /// The conversation that the hints name, if the sender takes part in it, and the one that it was merged into or
    /// itself (ROUTING 12.4).
    async fn find_conversation(&self, tx: &Tx) -> Result<Option<(ConversationId, ConversationId)>> {
        let hints = &self.message.thread;
        if let Some(key) = &hints.key
            && let Some(conversation) = tx.conversation_by_thread_key(self.channel.id, key).await?
        {
            return Ok(Some((conversation, tx.surviving_conversation(conversation).await?)));
        }
        if !self.may_follow_hints() {
            return Ok(None);
        }
        let mut candidates: Vec<ConversationId> = hints.conversation.into_iter().collect();
        for channel in &self.threads_into {
            candidates.extend(tx.conversations_by_references(channel.id, &hints.references).await?);
        }
        let sender = &self.message.sender;
        let identities = [std::slice::from_ref(&sender.identity), &sender.also].concat();
        for candidate in candidates {
            let Some(record) = tx.item_record(candidate.into(), false).await? else { continue };
            let linked = self.threads_into.iter().any(|channel| Some(channel.id) == record.channel);
            if !linked {
                continue;
            }
            let conversation = tx.surviving_conversation(candidate).await?;
            // A delivery report comes from a mail server, which takes part in nothing: it must cite what we signed.
            let cited = self.message.nature == Nature::Bounce && hints.conversation == Some(candidate);
            if cited || tx.takes_part(conversation, &identities).await? {
                return Ok(Some((candidate, conversation)));
            }
        }
        Ok(None)
    }

    /// Whether hints may lead into a conversation at all: not for an address that was typed or whose domain disowns the
    /// message, because then anybody could have put it there. Delivery reports have no sender to prove.
    fn may_follow_hints(&self) -> bool {
        self.message.nature == Nature::Bounce || self.message.sender.proof != Proof::Typed
    }

    /// Stores the conversation with its ticket and first message; answers with the work item.
    async fn begin_conversation(&self, tx: &Tx, writer: &Writer) -> Result<ItemRecord> {
        let channel = &self.channel;
        let help_desk =
            (self.directory.workspace(channel.workspace)).is_some_and(|workspace| workspace.kind == WorkspaceKind::HelpDesk);
        let contact = writer.contact.id;
        let actor = Actor::Contact { id: contact };
        let identity = &self.message.sender.identity;
        let conversation = NewConversation {
            id: self.ids.conversation,
            workspace: channel.workspace,
            channel: channel.id,
            contact,
            identity: identity.clone(),
            thread_key: self.message.thread.key.clone(),
            ticket: help_desk.then_some(self.ids.ticket),
            subject: self.message.subject.clone(),
            group: channel.kind.inbox_group(),
            priority: Priority::Normal,
            routed: !help_desk,
            at: self.at,
            actor: actor.clone(),
        };
        let ticket = help_desk.then(|| NewTicket {
            id: self.ids.ticket,
            workspace: channel.workspace,
            channel: Some(channel.id),
            contact: Some(contact),
            identity: Some(identity.clone()),
            conversation: Some(self.ids.conversation),
            ticket_type: channel.kind.ticket_type(),
            subject: self.message.subject.clone(),
            priority: Priority::Normal,
            at: self.at,
            actor,
        });
        let message = self.new_message(conversation.id, writer);
        let (conversation, ticket) = tx.begin_conversation(&conversation, ticket.as_ref(), &message).await?;
        Ok(ticket.unwrap_or(conversation))
    }

    fn new_message(&self, conversation: ConversationId, writer: &Writer) -> NewMessage {
        let message = &self.message;
        let attachments = self.ids.attachments.iter().zip(&message.attachments);
        NewMessage {
            id: self.ids.message,
            conversation,
            channel: self.channel.id,
            external_id: Some(message.external_id.clone()),
            further_ids: message.further_ids.clone(),
            kind: MessageKind::Inbound,
            at: self.at,
            sent_at: message.sent_at,
            author: Actor::Contact { id: writer.contact.id },
            author_name: message.sender.name.clone(),
            sender: Some(message.sender.identity.clone()),
            proof: Some(writer.kept),
            subject: message.subject.clone(),
            text: message.text.clone(),
            html: message.html.clone(),
            fields: message.fields.clone(),
            recipients: message.recipients.clone(),
            to: Vec::new(),
            bcc: Vec::new(),
            language: message.language.clone(),
            nature: message.nature,
            details: message.details.clone(),
            own_reference: message.thread.own_reference.clone(),
            attachments: attachments
                .map(|(blob, attachment)| NewAttachment { blob: *blob, attachment: attachment.clone() })
                .collect(),
            raw: message.raw.as_ref().map(|raw| NewBlob {
                id: self.ids.raw,
                source: RawSource { content_type: raw.content_type.clone(), bytes: raw.bytes.clone() },
            }),
        }
    }

    /// The reply that a delivery report is about is shown as failed (ROUTING 12.1). Anybody can write a report, so it must
    /// cite what we signed for the conversation, and counts for replies of that conversation alone.
    async fn mark_bounced(&self, tx: &Tx, conversation: ConversationId) -> Result<()> {
        let message = &self.message;
        let Some(named) = message.thread.conversation.filter(|_| message.nature == Nature::Bounce) else { return Ok(()) };
        if tx.surviving_conversation(named).await? != conversation {
            return Ok(());
        }
        let failure = message.details.failure.as_ref();
        let reason = failure.map_or_else(|| DeliveryFailure::default().summary(), DeliveryFailure::summary);
        let Some(reference) = failure.and_then(|failure| failure.reference.as_ref()).or(message.thread.references.first()) else {
            return Ok(());
        };
        for channel in &self.threads_into {
            if tx.mark_bounced(conversation, channel.id, reference, &reason, self.at).await?.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// The ticket in a help desk, the conversation in an inbox.
    async fn work_item(&self, tx: &Tx, conversation: ConversationId) -> Result<ItemRecord> {
        let gone =
            || EngineError::new(EngineErrorKind::Internal, format!("conversation {conversation} vanished while it was written"));
        let record = tx.item_record(conversation.into(), true).await?.ok_or_else(gone)?;
        match record.ticket.filter(|_| !record.routed) {
            Some(ticket) => tx.item_record(ticket.into(), true).await?.ok_or_else(gone),
            None => Ok(record),
        }
    }

    /// New work and reopened work goes to the router; a message in open work changes nothing about its owner.
    async fn ask_for_owner(&self, tx: &Tx, item: &ItemRecord, is_new: bool, writer: &Writer) -> Result<()> {
        let item = match (is_new, item.status) {
            (true, _) => item.clone(),
            (false, ItemStatus::Closed | ItemStatus::Snoozed) => self.reopen(tx, item).await?,
            (false, ItemStatus::Open) => {
                // A further message while the contact waits changes nothing about when an answer is due.
                let turned = item.waiting_since == Some(self.at);
                let item = if turned { renew_due(tx, &self.directory, item.clone(), self.at).await? } else { item.clone() };
                return tell_turn(tx, &self.directory, &item, self.at).await;
            }
            (false, ItemStatus::Spam) => return Ok(()),
        };
        let item = renew_due(tx, &self.directory, item, self.at).await?;
        let event = if is_new { RouteEvent::Arrived } else { RouteEvent::Reopened };
        let contact = self.contact_of(tx, &item, writer).await?;
        let channel = item.channel.and_then(|id| self.directory.channel(id)).unwrap_or(&self.channel);
        // Somebody else who takes part opens it again, and proves nothing about the contact.
        let is_own = is_new || item.contact == Some(writer.contact.id);
        let known = if is_own { writer.known } else { known_again(tx, &item, channel).await? };
        let parts = ArrivalParts {
            last_owner: last_owner(tx, &item, channel).await?,
            directory: &self.directory,
            channel,
            contact: &contact,
            event,
            message: Some(&self.message),
            said: said(tx, &self.directory, &item, channel, Some(&self.message)).await?,
            known,
            excluded: if is_new { Vec::new() } else { tx.left_out(item.id).await? },
            seed: self.seed,
        };
        tx.append_inputs(&[arrival_input(arrival(&item, &parts), self.at)]).await?;
        Ok(())
    }

    /// Opens an item again, and the conversation of a ticket with it (ROUTING 12.2).
    async fn reopen(&self, tx: &Tx, item: &ItemRecord) -> Result<ItemRecord> {
        let actor = Actor::Contact { id: item.contact.unwrap_or(self.ids.contact) };
        let open = |id: ItemId| ItemUpdate { status: Some(ItemStatus::Open), ..ItemUpdate::new(id, actor.clone(), self.at) };
        let linked = item.conversation.map(ItemId::from).filter(|conversation| *conversation != item.id);
        if let Some(conversation) = linked {
            apply(tx, &open(conversation)).await?;
        }
        tx.delete_timers_of(item.id, crate::timers::SNOOZE).await?;
        apply(tx, &open(item.id)).await
    }

    async fn contact_of(&self, tx: &Tx, item: &ItemRecord, writer: &Writer) -> Result<ContactRecord> {
        let id = item.contact.unwrap_or(self.ids.contact);
        if id == writer.contact.id {
            return Ok(writer.contact.clone());
        }
        (tx.contact_record(id).await?)
            .ok_or_else(|| EngineError::new(EngineErrorKind::Internal, format!("contact {id} vanished")))
    }

    /// Keeps what needs no answer out of the open views when it started a conversation of its own.
    async fn put_away(&self, tx: &Tx, item: &ItemRecord, is_new: bool) -> Result<()> {
        if !is_new {
            return Ok(());
        }
        let status = if self.message.nature == Nature::Spam { ItemStatus::Spam } else { ItemStatus::Closed };
        let ids = [Some(item.id), item.conversation.map(ItemId::from).filter(|conversation| *conversation != item.id)];
        for id in ids.into_iter().flatten() {
            apply(tx, &ItemUpdate { status: Some(status), ..ItemUpdate::new(id, Actor::System, self.at) }).await?;
        }
        Ok(())
    }

    async fn events(&self, tx: &Tx, conversation: ConversationId, item: &ItemRecord, is_new: bool) -> Result<()> {
        let base = NewEvent {
            workspace: Some(item.workspace),
            item: Some(item.id),
            conversation: Some(conversation),
            version: Some(item.version),
            ..NewEvent::new(LiveEventKind::Message, self.at)
        };
        let message = NewEvent { message: Some(self.ids.message), ..base };
        let item = NewEvent { kind: LiveEventKind::Item, ..base };
        if is_new {
            tx.insert_events(&[item, message]).await?
        } else {
            tx.insert_events(&[message]).await?
        }
        Ok(())
    }
}

/// Applies an unguarded change.
pub(crate) async fn apply(tx: &Tx, update: &ItemUpdate) -> Result<ItemRecord> {
    match tx.change_item(update).await? {
        Ok(changed) => Ok(changed.after),
        Err(guard) => Err(EngineError::new(
            EngineErrorKind::Internal,
            format!("item {} refused an unguarded change: {}", update.item, guard.reason()),
        )),
    }
}

fn inbox_error(error: EngineError) -> InboxError {
    let kind = match error.kind {
        EngineErrorKind::NotFound => InboxErrorKind::Closed,
        EngineErrorKind::Unavailable => InboxErrorKind::Unavailable,
        EngineErrorKind::Busy => InboxErrorKind::Busy,
        EngineErrorKind::Unknown => InboxErrorKind::Unknown,
        EngineErrorKind::Invalid => InboxErrorKind::Invalid,
        EngineErrorKind::Internal
        | EngineErrorKind::Conflict
        | EngineErrorKind::NewMessages
        | EngineErrorKind::Forbidden
        | EngineErrorKind::Unauthenticated => InboxErrorKind::Unavailable,
    };
    InboxError::new(kind, error.message)
}
