//! Writing in a thread: replies that go out through the outbox, and notes among colleagues (ROUTING 2.3).

use crate::arrival::tell_turn;
use crate::chat::{self, Mailed};
use crate::engine::{Engine, caller_user};
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::hand_back::replied;
use crate::items::change_and_tell;
use crate::recall::check_undo_seconds;
use crate::request::{Caller, NewMessage};
use crate::sla::renew_due;
use std::sync::Arc;
use switchboard_model::{
    Actor, Address, BlobId, Capabilities, ChannelId, ChannelKind, ConversationId, Directory, Identity, IdentityKind, ItemId,
    LiveEventKind, MessageDetails, MessageId, MessageKind, MessageView, Nature, Owner, Timestamp,
};
use switchboard_storage::{ItemRecord, ItemUpdate, NewAttachment, NewEvent, NewMessage as Stored, NewOutbox, Tx};

/// The longest text of one reply or note, in bytes.
const MAX_TEXT_BYTES: usize = 512 * 1024;
const MAX_HTML_BYTES: usize = 64 * 1024;
const MAX_ATTACHMENTS: usize = 20;
/// Recipients of one reply, over all three lists.
const MAX_RECIPIENTS: usize = 100;

impl Engine {
    /// Stores a reply or note; a reply goes into the outbox in the same commit. Answers with the message and the
    /// version of the item afterwards.
    ///
    /// # Errors
    /// `NewMessages` when the thread has gone on since `seen_message`; `Conflict` when it was merged into another; `Invalid` for an empty text or a channel that
    /// cannot reply.
    pub async fn post_message(&self, caller: &Caller, id: ItemId, message: NewMessage) -> Result<(MessageView, i64)> {
        let record = self.open_record(caller, id).await?;
        let conversation =
            record.conversation.ok_or_else(|| EngineError::invalid("this ticket has no conversation to write in"))?;
        validate(&message)?;
        let directory = self.directory();
        let author = caller.user.map(|_| caller_user(&directory, caller)).transpose()?.map(|user| user.name.clone());
        let channel = record.channel.ok_or_else(|| EngineError::invalid("this conversation has no channel to reply on"))?;
        if message.reply {
            self.can_reply(channel)?;
        }
        let can = directory.channel(channel).map(|channel| self.capabilities(&channel.slug)).unwrap_or_default();
        if !can.copies && (!message.to.is_empty() || !message.bcc.is_empty()) {
            return Err(EngineError::invalid("this channel knows no other recipients than the contact"));
        }
        let html = self.clean(message.html.clone()).await?;
        let ids = self.inner.store.next_ids(4 + message.attachments.len()).await?;
        let may_mail = message.reply && caller.user.is_some() && chat::mails(directory.channel(channel));
        let by_mail = may_mail && self.mail_wish(conversation).await?.is_some();
        let writing = Writing {
            caller: caller.clone(),
            directory,
            author,
            conversation,
            channel,
            item: id,
            message,
            can,
            html,
            at: self.now(),
            is_connected: self.inner.signals.is_connected(conversation, self.now()),
            by_mail,
            ids,
        };
        let message_id = self.commit(move |tx| Box::pin(async move { writing.write(tx).await })).await?;
        let view =
            self.inner.store.message(message_id).await?.ok_or_else(|| EngineError::not_found(format!("message {message_id}")))?;
        Ok((view, self.row(id).await?.version))
    }

    /// Sends a reply again that was given up.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` when it was not given up.
    pub async fn retry_delivery(&self, caller: &Caller, message: MessageId) -> Result<MessageView> {
        let view = self.readable_message(caller, message).await?;
        let at = self.now();
        let retried = self.commit(move |tx| Box::pin(async move { Ok(tx.retry_message(message, at).await) })).await?;
        match retried {
            Ok(()) => Ok(self.inner.store.message(message).await?.unwrap_or(view)),
            Err(error) if error.kind == switchboard_storage::StoreErrorKind::Conflict => {
                Err(EngineError::invalid("this message is not one that was given up; there is nothing to retry"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The message, if the caller may open the workspace of its conversation.
    pub(crate) async fn readable_message(&self, caller: &Caller, message: MessageId) -> Result<MessageView> {
        let missing = || EngineError::not_found(format!("message {message}"));
        let view = self.inner.store.message(message).await?.ok_or_else(missing)?;
        self.open_record(caller, view.conversation.into()).await.map_err(|_| missing())?;
        Ok(view)
    }

    fn can_reply(&self, channel: ChannelId) -> Result<()> {
        let directory = self.directory();
        let slug = directory.channel(channel).map(|channel| channel.slug.clone()).unwrap_or_default();
        if self.capabilities(&slug).reply {
            return Ok(());
        }
        Err(EngineError::invalid(format!(
            "the channel `{slug}` cannot send replies; name a channel that can in `channels.{slug}.reply_via`, or give it a way to send"
        )))
    }

    /// Cleaning costs up to the square of the size, so it has a limit of its own and happens off the runtime, before
    /// anything is written.
    async fn clean(&self, html: Option<String>) -> Result<Option<String>> {
        let Some(html) = html else { return Ok(None) };
        if html.len() > MAX_HTML_BYTES {
            return Err(EngineError::invalid(format!("a message may have {MAX_HTML_BYTES} bytes of HTML at most")));
        }
        let permit = self.inner.hashing.acquire().await.map_err(|_| EngineError::new(EngineErrorKind::Busy, "shutting down"))?;
        let cleaned = tokio::task::spawn_blocking(move || cleaned(&html)).await;
        drop(permit);
        cleaned.map(Some).map_err(|_| EngineError::invalid("this HTML cannot be cleaned; send plain text"))
    }
}

/// One reply or note on its way into the database.
struct Writing {
    caller: Caller,
    directory: Arc<Directory>,
    author: Option<String>,
    conversation: ConversationId,
    channel: ChannelId,
    item: ItemId,
    message: NewMessage,
    /// What the channel can do.
    can: Capabilities,
    /// The writer's HTML, cleaned.
    html: Option<String>,
    at: Timestamp,
    /// The contact is connected.
    is_connected: bool,
    /// A person replies, and the contact asked for answers by mail.
    by_mail: bool,
    /// Message, outbox entry, two timers, attachments.
    ids: Vec<i64>,
}

impl Writing {
    async fn write(self, tx: &Tx) -> Result<MessageId> {
        let mut id = MessageId(self.ids[0]);
        self.not_merged(tx).await?;
        self.nothing_newer(tx).await?;
        let kind = self.directory.channel(self.channel).map(|channel| channel.kind);
        let shows = self.message.reply && kind == Some(ChannelKind::Chat);
        if shows {
            id = tx.growing_id(self.conversation, id).await?;
        }
        let mut stored = self.stored(id);
        if self.message.reply && self.can.copies {
            copy_to(&mut stored, &tx.merged_identities(self.conversation).await?);
        }
        tx.insert_message(&stored).await?;
        if shows {
            tx.show_message(self.conversation, id, None).await?;
        }
        if self.message.reply {
            let key = format!("m{id}");
            let (channel, conversation) = (self.channel, self.conversation);
            let hold_ms = if self.can.recall { i64::from(self.message.undo_seconds) * 1_000 } else { 0 };
            tx.enqueue(&NewOutbox { id: self.ids[1], key, channel, conversation, message: id, at: self.at, hold_ms }).await?;
            self.take(tx).await?;
            if shows {
                let channel = self.directory.channel(self.channel);
                let unread = Mailed::Unread { is_connected: self.is_connected };
                let mailed = if self.by_mail { Mailed::Wished } else { unread };
                chat::watch_unread(tx, channel, self.conversation, self.ids[2], (self.at, mailed)).await?;
            }
            if let Some(item) = work_item(tx, self.conversation).await? {
                if shows {
                    chat::watch_silence(tx, &self.directory, &item, self.ids[3], self.at).await?;
                }
                let item = renew_due(tx, &self.directory, item, self.at).await?;
                tell_turn(tx, &self.directory, &item, self.at).await?;
                replied(tx, &self.directory, &item, self.at).await?;
            }
        }
        let Some(item) = tx.item_record(self.item, false).await? else { return Ok(id) };
        let event = NewEvent {
            workspace: Some(item.workspace),
            item: Some(item.id),
            conversation: Some(self.conversation),
            version: Some(item.version),
            message: Some(id),
            ..NewEvent::new(LiveEventKind::Message, self.at)
        };
        tx.insert_events(&[event]).await?;
        Ok(id)
    }

    /// What was merged takes nothing more: its writer would not have seen whom it goes to (ROUTING 12.4).
    async fn not_merged(&self, tx: &Tx) -> Result<()> {
        let survivor = tx.surviving_conversation(self.conversation).await?;
        if survivor == self.conversation {
            return Ok(());
        }
        Err(EngineError::new(
            EngineErrorKind::Conflict,
            format!("this was merged into another conversation meanwhile; go on in conversation {survivor}"),
        ))
    }

    /// Looks under the conversation's lock, so that of two replies at once the second meets the first (ROUTING 2.6).
    async fn nothing_newer(&self, tx: &Tx) -> Result<()> {
        let Some(seen) = self.message.seen_message else { return Ok(()) };
        if !tx.has_newer(self.conversation, seen, &self.caller.actor).await? {
            return Ok(());
        }
        Err(EngineError::new(
            EngineErrorKind::NewMessages,
            "the conversation has gone on since you last looked; read it and decide whether to send",
        ))
    }

    fn stored(&self, id: MessageId) -> Stored {
        let blobs = self.ids[4..].iter().copied().map(BlobId);
        Stored {
            id,
            conversation: self.conversation,
            channel: self.channel,
            external_id: None,
            further_ids: Vec::new(),
            kind: if self.message.reply { MessageKind::Reply } else { MessageKind::Note },
            at: self.at,
            sent_at: None,
            author: self.caller.actor.clone(),
            author_name: self.author.clone(),
            sender: None,
            proof: None,
            subject: None,
            text: self.message.text.clone(),
            html: self.html.clone(),
            fields: Vec::new(),
            recipients: self.message.cc.clone(),
            to: self.message.to.clone(),
            bcc: self.message.bcc.clone(),
            language: None,
            nature: Nature::Message,
            details: MessageDetails::default(),
            own_reference: None,
            attachments: blobs
                .zip(&self.message.attachments)
                .map(|(blob, attachment)| NewAttachment { blob, attachment: attachment.clone() })
                .collect(),
            raw: None,
        }
    }

    /// Replying to what no person owns makes the sender its owner: of the ticket in a help desk, of the
    /// conversation in an inbox (ROUTING 2.3).
    async fn take(&self, tx: &Tx) -> Result<()> {
        let Some(user) = self.caller.user.filter(|_| self.message.take) else { return Ok(()) };
        let Some(item) = work_item(tx, self.conversation).await? else { return Ok(()) };
        if matches!(item.owner, Some(Owner::User { .. })) {
            return Ok(());
        }
        let update = ItemUpdate {
            owner: Some(Some(Owner::User { id: user })),
            ..ItemUpdate::new(item.id, Actor::User { id: user }, self.at)
        };
        change_and_tell(tx, &update).await?;
        Ok(())
    }
}

/// What routing looks at of a conversation: its ticket in a help desk, itself in an inbox.
pub(crate) async fn work_item(tx: &Tx, conversation: ConversationId) -> Result<Option<ItemRecord>> {
    let Some(conversation) = tx.item_record(conversation.into(), true).await? else { return Ok(None) };
    match conversation.ticket.filter(|_| !conversation.routed) {
        Some(ticket) => Ok(tx.item_record(ticket.into(), true).await?),
        None => Ok(Some(conversation)),
    }
}

/// What is safe to show, with pictures that came along (`cid:`).
fn cleaned(html: &str) -> String {
    ammonia::Builder::default().add_url_schemes(["cid"]).clean(html).to_string()
}

/// Contacts whose conversations were merged into this one get a copy each, so that nobody waits for an answer in vain.
fn copy_to(reply: &mut Stored, identities: &[Identity]) {
    for identity in identities.iter().filter(|identity| identity.kind == IdentityKind::Email) {
        let is_known = |known: &Address| known.address.eq_ignore_ascii_case(&identity.value);
        if !reply.recipients.iter().chain(&reply.to).chain(&reply.bcc).any(is_known) {
            reply.recipients.push(Address { name: None, address: identity.value.clone() });
        }
    }
}

fn validate(message: &NewMessage) -> Result<()> {
    if message.text.trim().is_empty() && message.attachments.is_empty() {
        return Err(EngineError::invalid("a message needs text or a file"));
    }
    if message.text.len() > MAX_TEXT_BYTES {
        return Err(EngineError::invalid(format!("a message may have {MAX_TEXT_BYTES} bytes of text at most")));
    }
    if message.attachments.len() > MAX_ATTACHMENTS {
        return Err(EngineError::invalid(format!("a message may have {MAX_ATTACHMENTS} files at most")));
    }
    check_undo_seconds(message.undo_seconds)?;
    let everybody = || message.to.iter().chain(&message.cc).chain(&message.bcc);
    if everybody().count() > MAX_RECIPIENTS {
        return Err(EngineError::invalid(format!("a message may have {MAX_RECIPIENTS} recipients at most")));
    }
    if let Some(address) = everybody().find(|address| !is_address(&address.address)) {
        return Err(EngineError::invalid(format!("`{}` is no email address", address.address.escape_debug())));
    }
    Ok(())
}

/// Whether a mail server could take this address.
fn is_address(address: &str) -> bool {
    email_address::EmailAddress::is_valid(address) && !address.chars().any(char::is_whitespace)
}
