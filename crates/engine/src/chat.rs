//! How live chats end, and what is mailed to contacts who have left (ROUTING 12.3).
//!
//! A chat that nobody says anything in closes itself. Replies that the contact has not read two minutes after leaving go
//! by mail through another channel, under an address that brings the answer back into the conversation; and what was said
//! is mailed where the channel's settings or somebody at the desk ask for it. Only to addresses that the contact gave or
//! that a site vouches for, and only once a person has answered, so that nobody can have us write to strangers.

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::items::change_and_tell;
use crate::request::Caller;
use crate::sla::renew_due;
use crate::threads::shown_name;
use crate::timers::{MAIL_ATTEMPTS, MAIL_RETRY_MS, claim_timer};
use jiff::tz::TimeZone;
use serde_json::json;
use switchboard_model::{
    Actor, Address, Attachment, ChannelEntry, ChannelId, ChatSettings, ConversationId, Directory, Identity, IdentityKind, ItemId,
    ItemStatus, MessageId, MessageKind, MessageView, OutboundMessage, Timestamp, Transcript,
};
use switchboard_storage::{ItemRecord, ItemUpdate, Mark, NewTimer, StoredTimer, ThreadEntry, ThreadRecord, Tx};

/// A chat that may have fallen silent.
pub(crate) const SILENCE: &str = "chat_silence";
/// Replies that the contact may not have read.
pub(crate) const UNREAD: &str = "chat_unread";
/// What was said is to be mailed.
pub(crate) const TRANSCRIPT: &str = "chat_transcript";

const MINUTE_MS: i64 = 60_000;
/// Replies are mailed when the contact has been gone for this long.
const GONE_MS: i64 = 2 * MINUTE_MS;
/// While the contact is connected and has not read, it is looked again after this long.
const LOOK_AGAIN_MS: i64 = 30_000;
/// Messages of one mail.
const MAX_MESSAGES: u32 = 1_000;
/// Letters of one mail.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Everything that a mail about a chat is made of.
struct Mailing {
    thread: ThreadRecord,
    channel: ChannelEntry,
    /// The channel that it goes out through.
    via: (ChannelId, String),
    settings: ChatSettings,
    address: Address,
    /// Nobody vouches for the address: the visitor typed it.
    is_typed: bool,
    language: String,
    entries: Vec<ThreadEntry>,
}

/// Sees to it that the silence of an open chat is looked at, if it has an end.
pub(crate) async fn watch_silence(tx: &Tx, directory: &Directory, item: &ItemRecord, timer: i64, at: Timestamp) -> Result<()> {
    let Some(limit_ms) = silence_ms(directory, item) else { return Ok(()) };
    let due_at = at.plus_ms(limit_ms);
    tx.insert_timer_once(&NewTimer { id: timer, due_at, kind: SILENCE.to_owned(), item: Some(item.id), body: json!(null) })
        .await?;
    Ok(())
}

/// Sees to it that a reply is mailed if the contact is gone and does not read it.
pub(crate) async fn watch_unread(
    tx: &Tx,
    channel: Option<&ChannelEntry>,
    conversation: ConversationId,
    timer: i64,
    (at, is_connected): (Timestamp, bool),
) -> Result<()> {
    if channel.and_then(ChannelEntry::chat_settings).and_then(|settings| settings.mail_channel).is_none() {
        return Ok(());
    }
    let body = json!({ "gone_at": (!is_connected).then_some(at.0) });
    let due_at = at.plus_ms(GONE_MS);
    tx.insert_timer_once(&NewTimer { id: timer, due_at, kind: UNREAD.to_owned(), item: Some(conversation.into()), body }).await?;
    Ok(())
}

/// An item was closed: what was said in a chat is mailed where its channel says so.
pub(crate) async fn closed(tx: &Tx, directory: &Directory, item: &ItemRecord, timer: i64, at: Timestamp) -> Result<()> {
    let channel = item.channel.and_then(|id| directory.channel(id));
    let settings = channel.and_then(ChannelEntry::chat_settings);
    let wanted = settings.is_some_and(|settings| settings.transcript == Transcript::OnClose && settings.mail_channel.is_some());
    let Some(conversation) = item.conversation.filter(|_| wanted) else { return Ok(()) };
    let item = Some(conversation.into());
    tx.insert_timer_once(&NewTimer { id: timer, due_at: at, kind: TRANSCRIPT.to_owned(), item, body: json!({}) }).await?;
    Ok(())
}

fn silence_ms(directory: &Directory, item: &ItemRecord) -> Option<i64> {
    let channel = item.channel.and_then(|id| directory.channel(id))?;
    let minutes = channel.chat_settings()?.close_after_min;
    (minutes > 0).then(|| i64::from(minutes) * MINUTE_MS)
}

impl Engine {
    /// Mails what was said in a chat to its contact, because the contact asked for it.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for what is no chat, where the channel's settings do not allow it or name no email channel,
    /// and where no address is known or no person has answered.
    pub async fn send_transcript(&self, caller: &Caller, id: ItemId) -> Result<()> {
        let record = self.open_record(caller, id).await?;
        let no_chat = || EngineError::invalid("this is no chat; transcripts are of chats");
        let conversation = record.conversation.ok_or_else(no_chat)?;
        let directory = self.directory();
        let channel = record.channel.and_then(|id| directory.channel(id)).ok_or_else(no_chat)?;
        let settings = channel.chat_settings().ok_or_else(no_chat)?;
        if settings.transcript == Transcript::Never {
            return Err(EngineError::invalid(format!("the channel `{}` sends no transcripts", channel.slug)));
        }
        if settings.mail_channel.is_none() {
            let message =
                format!("name an email channel in `chat.mail_channel` of the channel `{}` to send transcripts", channel.slug);
            return Err(EngineError::invalid(message));
        }
        if self.mailing(id).await?.is_none() {
            let message =
                "there is nothing to send or nowhere to send it: no email address of the contact is known, or nobody has replied";
            return Err(EngineError::invalid(message));
        }
        let timer = NewTimer {
            id: self.inner.store.next_id().await?,
            due_at: self.now(),
            kind: TRANSCRIPT.to_owned(),
            item: Some(conversation.into()),
            body: json!({ "asked": true }),
        };
        self.commit(move |tx| Box::pin(async move { Ok(tx.insert_timer_once(&timer).await.map(drop)?) })).await
    }

    /// Closes a chat, and its ticket, when nobody has said anything in it for as long as its channel says. While the
    /// contact waits for an answer it stays open, whoever has it: it must not be lost.
    pub(crate) async fn close_silent(&self, timer: StoredTimer, item: ItemId) -> Result<()> {
        let (now, directory, transcript) = (self.now(), self.directory(), self.inner.store.next_id().await?);
        self.commit(move |tx| {
            Box::pin(async move {
                if !tx.delete_timer(timer.id).await? {
                    return Ok(());
                }
                let Some(record) = tx.item_record(item, true).await?.filter(|record| record.status == ItemStatus::Open) else {
                    return Ok(());
                };
                let (Some(limit_ms), Some(conversation)) = (silence_ms(&directory, &record), record.conversation) else {
                    return Ok(());
                };
                let spoke_at = tx.last_words_at(conversation).await?.unwrap_or(record.created_at);
                let due_at = if record.waiting_since.is_some() { now.plus_ms(limit_ms) } else { spoke_at.plus_ms(limit_ms) };
                if due_at > now {
                    let again = NewTimer { id: timer.id, due_at, kind: timer.kind, item: timer.item, body: timer.body };
                    return Ok(tx.insert_timer(&again).await?);
                }
                let both = [Some(item), Some(conversation.into()), record.ticket.map(ItemId::from)];
                let mut done = Vec::new();
                for id in both.into_iter().flatten() {
                    if done.contains(&id) {
                        continue;
                    }
                    done.push(id);
                    let update = ItemUpdate { status: Some(ItemStatus::Closed), ..ItemUpdate::new(id, Actor::System, now) };
                    change_and_tell(tx, &update).await?;
                    if let Some(record) = tx.item_record(id, false).await? {
                        renew_due(tx, &directory, record, now).await?;
                    }
                }
                closed(tx, &directory, &record, transcript, now).await
            })
        })
        .await
    }

    /// Mails what the contact has not read, once the contact has been gone for two minutes.
    pub(crate) async fn mail_unread(&self, timer: StoredTimer, item: ItemId) -> Result<()> {
        let now = self.now();
        let Some(mailing) = self.mailing(item).await? else { return self.drop_timer(timer.id).await };
        let conversation = mailing.thread.conversation;
        let known = mailing.thread.read.max(mailing.thread.mailed);
        let fresh = self.inner.store.thread_entries(conversation, known, MAX_MESSAGES).await?;
        let replies = fresh.iter().map(|entry| &entry.message).filter(|message| message.kind == MessageKind::Reply);
        let unread: Vec<&MessageView> = replies.collect();
        let Some(newest) = unread.last().map(|message| message.id) else {
            return self.end_unread(timer.id, conversation, mailing.thread.newest).await;
        };
        let gone_at = timer.body.get("gone_at").and_then(serde_json::Value::as_i64).map(Timestamp);
        let (due_at, gone_at) = match (self.inner.signals.is_connected(conversation, now), gone_at) {
            (true, _) => (now.plus_ms(LOOK_AGAIN_MS), None),
            (false, None) => (now.plus_ms(GONE_MS), Some(now)),
            (false, Some(gone_at)) => (gone_at.plus_ms(GONE_MS), Some(gone_at)),
        };
        if due_at > now {
            let body = json!({ "gone_at": gone_at.map(|at| at.0) });
            let again = NewTimer { id: timer.id, due_at, kind: timer.kind, item: timer.item, body };
            return self.commit(move |tx| Box::pin(async move { claim_timer(tx, &again).await.map(drop) })).await;
        }
        let mut mail = self.mail_of(&mailing, format!("unread-{conversation}-{newest}"), newest);
        mail.author = unread.last().and_then(|message| message.author_name.as_deref()).map(shown_name);
        mail.subject = Some(self.words(&mailing, "unread_subject"));
        mail.text = self.letter(&mailing, "unread_intro", &unread);
        mail.attachments = self.files_of(conversation, &unread).await?;
        self.mail_once(timer, mailing, mail, Some(newest)).await
    }

    /// Mails everything that was said.
    pub(crate) async fn mail_transcript(&self, timer: StoredTimer, item: ItemId) -> Result<()> {
        let Some(mailing) = self.mailing(item).await? else { return self.drop_timer(timer.id).await };
        if mailing.settings.transcript == Transcript::Never {
            return self.drop_timer(timer.id).await;
        }
        // What a visitor wrote goes to an address that was only typed when somebody at the desk wants it to.
        let is_wanted = !mailing.is_typed || timer.body["asked"] == true;
        let all = mailing.entries.iter().map(|entry| &entry.message);
        let all: Vec<&MessageView> = all.filter(|message| is_wanted || message.kind == MessageKind::Reply).collect();
        let Some(newest) = all.last().map(|message| message.id) else { return self.drop_timer(timer.id).await };
        let mut mail = self.mail_of(&mailing, format!("transcript-{}-{}", mailing.thread.conversation, timer.id), newest);
        mail.subject = Some(self.words(&mailing, "transcript_subject"));
        mail.automatic = true;
        mail.text = self.letter(&mailing, "transcript_intro", &all);
        self.mail_once(timer, mailing, mail, None).await
    }

    /// What a mail about a chat is made of; `None` when there is nothing to say, nowhere to send it, or no way.
    async fn mailing(&self, item: ItemId) -> Result<Option<Mailing>> {
        let (store, directory) = (&self.inner.store, self.directory());
        // What was moved into a help desk has taken its timers along.
        let Some(conversation) = store.item_record(item).await?.and_then(|record| record.conversation) else { return Ok(None) };
        let Some(thread) = store.thread(conversation).await? else { return Ok(None) };
        let Some(channel) = directory.channel(thread.channel).cloned() else { return Ok(None) };
        let settings = channel.chat_settings().unwrap_or_default();
        let Some(via) = settings.mail_channel.and_then(|id| directory.channel(id)).map(|via| (via.id, via.slug.clone())) else {
            return Ok(None);
        };
        let can_send = self.inner.outlets.get(&via.1).is_some_and(|outlet| outlet.channel.capabilities().reply);
        let entries = store.thread_entries(thread.conversation, None, MAX_MESSAGES).await?;
        // Nothing is mailed for a program's answer: whoever types a stranger's address must not have letters sent there.
        let is_person = |message: &MessageView| matches!(message.author, Actor::User { .. });
        let is_answered = entries.iter().any(|entry| entry.message.kind == MessageKind::Reply && is_person(&entry.message));
        let contact = match thread.contact.filter(|_| can_send && is_answered) {
            Some(contact) => store.contact(contact).await?,
            None => None,
        };
        let Some(contact) = contact else { return Ok(None) };
        let given = contact.identities.iter().find(|identity| identity.kind == IdentityKind::Email);
        let typed = || entries.iter().rev().find_map(|entry| typed_address(&entry.message));
        let is_typed = given.is_none();
        let Some(address) = given.map(|identity| identity.value.clone()).or_else(typed) else { return Ok(None) };
        let language = store.language_of(thread.conversation).await?.unwrap_or_default();
        let address = Address { name: contact.name, address };
        Ok(Some(Mailing { thread, channel, via, settings, address, is_typed, language, entries }))
    }

    fn words(&self, mailing: &Mailing, key: &str) -> String {
        (self.inner.words)(&mailing.language, &format!("chat_mail.{key}"), &[("channel", &mailing.channel.name)])
    }

    fn mail_of(&self, mailing: &Mailing, key: String, message: MessageId) -> OutboundMessage {
        OutboundMessage {
            key,
            channel: mailing.via.1.clone(),
            conversation: mailing.thread.conversation,
            message,
            author: None,
            to: vec![mailing.address.clone()],
            cc: Vec::new(),
            bcc: Vec::new(),
            only: Vec::new(),
            identity: Identity::email(&mailing.address.address),
            subject: None,
            text: String::new(),
            html: None,
            attachments: Vec::new(),
            references: Vec::new(),
            language: Some(mailing.language.clone()).filter(|language| !language.is_empty()),
            automatic: false,
            written_at: self.now(),
        }
    }

    /// The text of a mail: how it begins, who said what and when, and that it can be answered.
    fn letter(&self, mailing: &Mailing, intro: &str, messages: &[&MessageView]) -> String {
        let visitor = mailing.address.name.clone().unwrap_or_else(|| self.words(mailing, "visitor"));
        let zone = TimeZone::get(&mailing.channel.zone).unwrap_or(TimeZone::UTC);
        let mut text = self.words(mailing, intro);
        for message in messages {
            let name = match message.kind {
                MessageKind::Inbound => visitor.clone(),
                _ => message.author_name.as_deref().map_or_else(|| mailing.channel.name.clone(), shown_name),
            };
            let at = jiff::Timestamp::from_millisecond(message.at.0).unwrap_or_default().to_zoned(zone.clone());
            let files = message.attachments.iter().map(|file| format!("\n[{}]", file.name)).collect::<String>();
            let part = format!("\n\n{name} ({}):\n{}{files}", at.strftime("%Y-%m-%d %H:%M"), message.text);
            if text.len() + part.len() > MAX_TEXT_BYTES {
                text.push_str("\n\n…");
                break;
            }
            text.push_str(&part);
        }
        text.push_str("\n\n");
        text.push_str(&self.words(mailing, "answer_hint"));
        text
    }

    async fn files_of(&self, conversation: ConversationId, messages: &[&MessageView]) -> Result<Vec<Attachment>> {
        let mut files = Vec::new();
        for message in messages {
            for place in 0..message.attachments.len() {
                files.extend(self.inner.store.thread_file(conversation, message.id, place).await?);
            }
        }
        Ok(files)
    }

    /// Sends a mail on one host at a time; the timer goes only after the mail has gone, or a day of trying. The address
    /// takes part from then on, and what the mail is known by leads back to the conversation.
    async fn mail_once(
        &self,
        timer: StoredTimer,
        mailing: Mailing,
        mail: OutboundMessage,
        up_to: Option<MessageId>,
    ) -> Result<()> {
        let attempts = timer.body.get("attempts").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let mut body = timer.body.clone();
        body["attempts"] = json!(attempts + 1);
        let due_at = self.now().plus_ms(MAIL_RETRY_MS);
        let claim = NewTimer { id: timer.id, due_at, kind: timer.kind.clone(), item: timer.item, body };
        let conversation = mailing.thread.conversation;
        let identity = mail.identity.clone();
        let claimed = self.commit(move |tx| {
            Box::pin(async move {
                let claimed = claim_timer(tx, &claim).await?;
                if claimed {
                    tx.add_participant(conversation, &identity).await?;
                }
                Ok(claimed)
            })
        });
        if !claimed.await? {
            return Ok(());
        }
        let Some(delivered) = self.send_now(&mailing.via.1, &mail).await else {
            return if attempts + 1 < MAIL_ATTEMPTS { Ok(()) } else { self.drop_timer(timer.id).await };
        };
        if let Some(up_to) = up_to {
            self.move_mark(&mailing.thread, Mark::Mailed, up_to).await?;
        }
        let (via, message, now) = (mailing.via.0, mail.message, self.now());
        self.commit(move |tx| {
            Box::pin(async move {
                if let Some(reference) = &delivered.reference {
                    tx.note_reference(via, reference, conversation, message).await?;
                }
                tx.delete_timer(timer.id).await?;
                if up_to.is_some() {
                    // Something may have been written meanwhile; it finds out when there is nothing any more.
                    let body = json!({ "gone_at": now.0 });
                    let due_at = now.plus_ms(GONE_MS);
                    let again = NewTimer { id: timer.id, due_at, kind: timer.kind, item: timer.item, body };
                    tx.insert_timer(&again).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Everything is read, unless something was written since it was looked at; then it is looked at again.
    async fn end_unread(&self, timer: i64, conversation: ConversationId, newest: Option<MessageId>) -> Result<()> {
        self.commit(move |tx| {
            Box::pin(async move {
                if tx.newest_shown(conversation).await? == newest {
                    tx.delete_timer(timer).await?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn drop_timer(&self, id: i64) -> Result<()> {
        self.commit(move |tx| Box::pin(async move { Ok(tx.delete_timer(id).await.map(drop)?) })).await
    }
}

/// The address that a contact typed before the chat.
fn typed_address(message: &MessageView) -> Option<String> {
    let typed = message.fields.iter().find(|(name, _)| name == "email").map(|(_, value)| value.trim());
    typed
        .filter(|_| message.kind == MessageKind::Inbound)
        .filter(|value| email_address::EmailAddress::is_valid(value))
        .map(str::to_owned)
}
