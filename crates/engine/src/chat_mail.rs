//! What is mailed about a live chat (ROUTING 12.3).
//!
//! Replies that the contact has not read two minutes after leaving go by mail through another channel, under an address
//! that brings the answer back into the conversation; where the contact asked for answers by mail, what a person replies goes
//! within seconds, read or not. What was said is mailed where the channel's settings or somebody at the desk ask for it. Only
//! to addresses that the contact gave or that a site vouches for, to few of the former, and only once a person has answered,
//! so that nobody can have us write to strangers.

use crate::chat::{GATHER_MS, GONE_MS, TRANSCRIPT};
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::request::Caller;
use crate::threads::shown_name;
use crate::timers::{MAIL_ATTEMPTS, MAIL_RETRY_MS, Sending, claim_timer};
use jiff::tz::TimeZone;
use serde_json::json;
use switchboard_channel::{ANSWER_BY, ThreadMessage};
use switchboard_model::{
    Address, Attachment, ChannelEntry, ChannelId, ChatSettings, ConversationId, Identity, IdentityKind, ItemId, MessageId,
    MessageKind, MessageView, OutboundMessage, Timestamp, Transcript,
};
use switchboard_storage::{Mark, NewTimer, StoredTimer, ThreadRecord};

/// While the contact is connected and has not read, it is looked again after this long.
const LOOK_AGAIN_MS: i64 = 30_000;
/// Messages of one mail, the newest.
const MAX_MESSAGES: u32 = 1_000;
/// Text of one mail, of the newest messages. The longest message fits.
const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// Files of one mail, of the newest messages; others are named only. Encoded they fit into the ten megabytes that mail
/// servers take unless told otherwise.
const MAX_FILE_BYTES: u64 = 6 * 1024 * 1024;
/// Messages that are looked through for an address, or for a wish to have answers by mail, newest first.
const MAX_SAID: u32 = 50;
/// Addresses that one conversation may have mail sent to on a visitor's word alone, so that nobody has many strangers
/// written to.
const MAX_TYPED_ADDRESSES: u32 = 3;
/// What stands beside a reply that could not be mailed.
const REFUSED: &str = "the mail server takes no mail to the address that the contact gave, so this was shown in the chat only";

/// A chat that can be mailed from.
struct Way {
    thread: ThreadRecord,
    channel: ChannelEntry,
    settings: ChatSettings,
    /// The channel that the mail goes out through.
    via: (ChannelId, String),
}

/// Everything that a mail about a chat is made of.
struct Mailing {
    way: Way,
    address: Address,
    /// Nobody vouches for the address: the visitor typed it.
    is_typed: bool,
    language: String,
}

/// Messages of one mail, oldest first.
struct Part<'m> {
    messages: Vec<&'m MessageView>,
    /// There are older ones, which are left out.
    is_cut: bool,
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
        let mailing = match self.way(id).await? {
            Some(way) => self.mailing(way).await?,
            None => None,
        };
        if mailing.is_none() {
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

    /// Mails what the contact has not read, once the contact has been gone for two minutes, and what a person replied to
    /// whoever asked for answers by mail. Nothing that costs much is read before that.
    pub(crate) async fn mail_unread(&self, timer: StoredTimer, item: ItemId) -> Result<()> {
        let (store, now) = (&self.inner.store, self.now());
        let Some(way) = self.way(item).await? else { return self.drop_timer(timer.id).await };
        let ThreadRecord { conversation, newest, read, mailed, .. } = way.thread;
        // Whoever asked for mail gets what a person replied after that by mail, though they have seen it in the chat.
        let wish = self.mail_wish(conversation).await?;
        let before_wish = mailed.max(read.min(wish));
        let is_wished = wish.is_some() && store.has_person_replied(conversation, before_wish).await?;
        let known = if is_wished { before_wish } else { read.max(mailed) };
        let Some(newest_reply) = store.newest_reply(conversation, known).await? else {
            return self.end_unread(timer.id, conversation, newest).await;
        };
        let gone_at = timer.body.get("gone_at").and_then(serde_json::Value::as_i64).map(Timestamp);
        let (due_at, gone_at) = match (self.inner.signals.is_connected(conversation, now), gone_at) {
            _ if is_wished => (now, gone_at),
            (true, _) => (now.plus_ms(LOOK_AGAIN_MS), None),
            (false, None) => (now.plus_ms(GONE_MS), Some(now)),
            (false, Some(gone_at)) => (gone_at.plus_ms(GONE_MS), Some(gone_at)),
        };
        if due_at > now {
            let body = json!({ "gone_at": gone_at.map(|at| at.0) });
            let again = NewTimer { id: timer.id, due_at, kind: timer.kind, item: timer.item, body };
            return self.commit(move |tx| Box::pin(async move { claim_timer(tx, &again).await.map(drop) })).await;
        }
        let Some(mailing) = self.mailing(way).await? else { return self.end_unread(timer.id, conversation, newest).await };
        let (entries, is_cut) = store.newest_entries(conversation, known, MAX_MESSAGES).await?;
        // What is written meanwhile is mailed the next time.
        let is_unread = |message: &&MessageView| message.kind == MessageKind::Reply && message.id <= newest_reply;
        let messages: Vec<&MessageView> = entries.iter().map(|entry| &entry.message).filter(is_unread).collect();
        let mut mail = self.mail_of(&mailing, format!("unread-{conversation}-{newest_reply}"), newest_reply);
        mail.author = messages.last().and_then(|message| message.author_name.as_deref()).map(shown_name);
        mail.subject = Some(self.words(&mailing, "unread_subject"));
        mail.attachments = self.files_of(conversation, &messages).await?;
        let intro = if is_wished { "wished_intro" } else { "unread_intro" };
        mail.text = self.letter(&mailing, intro, &Part { messages, is_cut });
        let look_again_ms = if is_wished { GATHER_MS } else { GONE_MS };
        self.mail_once(timer, mailing, mail, Some((newest_reply, look_again_ms))).await
    }

    /// Mails what was said.
    pub(crate) async fn mail_transcript(&self, timer: StoredTimer, item: ItemId) -> Result<()> {
        let way = self.way(item).await?.filter(|way| way.settings.transcript != Transcript::Never);
        let mailing = match way {
            Some(way) => self.mailing(way).await?,
            None => None,
        };
        let Some(mailing) = mailing else { return self.drop_timer(timer.id).await };
        let conversation = mailing.way.thread.conversation;
        let (entries, is_cut) = self.inner.store.newest_entries(conversation, None, MAX_MESSAGES).await?;
        // What a visitor wrote goes to an address that was only typed when somebody at the desk wants it to.
        let is_wanted = !mailing.is_typed || timer.body["asked"] == true;
        let all = entries.iter().map(|entry| &entry.message);
        let messages: Vec<&MessageView> = all.filter(|message| is_wanted || message.kind == MessageKind::Reply).collect();
        let Some(newest) = messages.last().map(|message| message.id) else { return self.drop_timer(timer.id).await };
        let mut mail = self.mail_of(&mailing, format!("transcript-{conversation}-{}", timer.id), newest);
        mail.subject = Some(self.words(&mailing, "transcript_subject"));
        mail.automatic = true;
        mail.text = self.letter(&mailing, "transcript_intro", &Part { messages, is_cut });
        self.mail_once(timer, mailing, mail, None).await
    }

    /// The message since which the contact of a conversation wants answers by mail. Asking again changes nothing about what
    /// came before.
    pub(crate) async fn mail_wish(&self, conversation: ConversationId) -> Result<Option<MessageId>> {
        let said = self.inner.store.with_field(conversation, ANSWER_BY, MAX_SAID).await?;
        let wishes = said.into_iter().take_while(|(_, fields)| ThreadMessage::wishes(fields).1);
        Ok(wishes.last().map(|(message, _)| message))
    }

    /// The channel that mails about chats with these settings go out through, if there is one that can send.
    pub(crate) fn mail_outlet(&self, settings: &ChatSettings) -> Option<(ChannelId, String)> {
        let directory = self.directory();
        let via = settings.mail_channel.and_then(|id| directory.channel(id))?;
        let outlet = self.inner.outlets.get(&via.slug)?;
        outlet.channel.capabilities().reply.then(|| (via.id, via.slug.clone()))
    }

    /// The chat of an item, if its channel says through which other one it is mailed and that one can send.
    async fn way(&self, item: ItemId) -> Result<Option<Way>> {
        let (store, directory) = (&self.inner.store, self.directory());
        // What was moved into a help desk has taken its timers along.
        let Some(conversation) = store.item_record(item).await?.and_then(|record| record.conversation) else { return Ok(None) };
        let Some(thread) = store.thread(conversation).await? else { return Ok(None) };
        let Some(channel) = directory.channel(thread.channel).cloned() else { return Ok(None) };
        let settings = channel.chat_settings().unwrap_or_default();
        Ok(self.mail_outlet(&settings).map(|via| Way { thread, channel, settings, via }))
    }

    /// What a mail about a chat is made of; `None` when there is nothing to say or nowhere to send it. Nothing is mailed for
    /// a program's answer: whoever types a stranger's address must not have letters sent there.
    async fn mailing(&self, way: Way) -> Result<Option<Mailing>> {
        let (store, conversation) = (&self.inner.store, way.thread.conversation);
        if !store.has_person_replied(conversation, None).await? {
            return Ok(None);
        }
        let Some(contact) = way.thread.contact else { return Ok(None) };
        let Some(contact) = store.contact(contact).await? else { return Ok(None) };
        let typed = store.with_field(conversation, "email", MAX_SAID).await?.iter().find_map(|(_, said)| typed_address(said));
        let mut given = contact.identities.into_iter().filter(|identity| identity.kind == IdentityKind::Email).peekable();
        let is_typed = given.peek().is_none();
        // Of several addresses that are vouched for, the one that was named last.
        let is_named = |given: &str| typed.as_ref().is_some_and(|typed| typed.eq_ignore_ascii_case(given));
        let given = given.map(|identity| identity.value).reduce(|first, next| if is_named(&next) { next } else { first });
        let address = given.or(typed);
        let Some(address) = address else { return Ok(None) };
        if is_typed && store.other_addresses(conversation, &address).await? >= MAX_TYPED_ADDRESSES {
            return Ok(None);
        }
        let language = store.language_of(conversation).await?.unwrap_or_default();
        Ok(Some(Mailing { way, address: Address { name: contact.name, address }, is_typed, language }))
    }

    fn words(&self, mailing: &Mailing, key: &str) -> String {
        (self.inner.words)(&mailing.language, &format!("chat_mail.{key}"), &[("channel", &mailing.way.channel.name)])
    }

    fn mail_of(&self, mailing: &Mailing, key: String, message: MessageId) -> OutboundMessage {
        OutboundMessage {
            key,
            channel: mailing.way.via.1.clone(),
            conversation: mailing.way.thread.conversation,
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

    /// The text of a mail: how it begins, who said what and when, and that it can be answered. Where not all of it fits, the
    /// newest is what counts.
    fn letter(&self, mailing: &Mailing, intro: &str, part: &Part<'_>) -> String {
        let channel = &mailing.way.channel;
        let visitor = mailing.address.name.clone().unwrap_or_else(|| self.words(mailing, "visitor"));
        let zone = TimeZone::get(&channel.zone).unwrap_or(TimeZone::UTC);
        let (mut said, mut is_cut, mut room_bytes) = (Vec::new(), part.is_cut, MAX_TEXT_BYTES);
        for message in part.messages.iter().rev() {
            let name = match message.kind {
                MessageKind::Inbound => visitor.clone(),
                _ => message.author_name.as_deref().map_or_else(|| channel.name.clone(), shown_name),
            };
            let at = jiff::Timestamp::from_millisecond(message.at.0).unwrap_or_default().to_zoned(zone.clone());
            let files = message.attachments.iter().map(|file| format!("\n[{}]", file.name)).collect::<String>();
            let paragraph = format!("{name} ({}):\n{}{files}", at.strftime("%Y-%m-%d %H:%M"), message.text);
            let Some(left) = room_bytes.checked_sub(paragraph.len()) else {
                is_cut = true;
                break;
            };
            room_bytes = left;
            said.push(paragraph);
        }
        let cut = is_cut.then(|| self.words(mailing, "left_out"));
        let paragraphs = [self.words(mailing, intro)].into_iter().chain(cut).chain(said.into_iter().rev());
        paragraphs.chain([self.words(mailing, "answer_hint")]).collect::<Vec<_>>().join("\n\n")
    }

    /// The files of messages, as far as they fit. The others are named in the text alone.
    async fn files_of(&self, conversation: ConversationId, messages: &[&MessageView]) -> Result<Vec<Attachment>> {
        let (mut files, mut room_bytes) = (Vec::new(), MAX_FILE_BYTES);
        for message in messages.iter().rev() {
            for (place, file) in message.attachments.iter().enumerate().rev() {
                let Some(left) = room_bytes.checked_sub(file.bytes) else { continue };
                room_bytes = left;
                files.extend(self.inner.store.thread_file(conversation, message.id, place).await?);
            }
        }
        files.reverse();
        Ok(files)
    }

    /// Sends a mail on one host at a time; the timer goes only after the mail has gone, was refused for good, or a day of
    /// trying. The address takes part from then on, and what the mail is known by leads back to the conversation. `unread` is
    /// the last of the replies that are mailed, and after how many milliseconds others are looked for.
    async fn mail_once(
        &self,
        timer: StoredTimer,
        mailing: Mailing,
        mut mail: OutboundMessage,
        unread: Option<(MessageId, i64)>,
    ) -> Result<()> {
        let attempts = timer.body.get("attempts").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let mut body = timer.body.clone();
        body["attempts"] = json!(attempts + 1);
        let due_at = self.now().plus_ms(MAIL_RETRY_MS);
        let claim = NewTimer { id: timer.id, due_at, kind: timer.kind.clone(), item: timer.item, body };
        let conversation = mailing.way.thread.conversation;
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
        let mut sending = self.send_now(&mailing.way.via.1, &mail).await;
        if matches!(sending, Sending::Refused) && !mail.attachments.is_empty() {
            // What is said must not be lost for a file, which the text names.
            mail.attachments.clear();
            sending = self.send_now(&mailing.way.via.1, &mail).await;
        }
        let delivered = match sending {
            Sending::Sent(delivered) => delivered,
            Sending::Failed if attempts + 1 < MAIL_ATTEMPTS => return Ok(()),
            Sending::Failed | Sending::Refused => return self.give_up(timer.id, &mailing.way.thread, unread).await,
        };
        if let Some((up_to, _)) = unread {
            self.move_mark(&mailing.way.thread, Mark::Mailed, up_to).await?;
        }
        let (via, message, now) = (mailing.way.via.0, mail.message, self.now());
        self.commit(move |tx| {
            Box::pin(async move {
                if let Some(reference) = &delivered.reference {
                    tx.note_reference(via, reference, conversation, message).await?;
                }
                tx.delete_timer(timer.id).await?;
                if let Some((_, look_again_ms)) = unread {
                    // Something may have been written meanwhile; it finds out when there is nothing any more.
                    let body = json!({ "gone_at": now.0 });
                    let due_at = now.plus_ms(look_again_ms);
                    let again = NewTimer { id: timer.id, due_at, kind: timer.kind, item: timer.item, body };
                    tx.insert_timer(&again).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A mail that nobody takes. What was written meanwhile is tried by itself.
    async fn give_up(&self, timer: i64, thread: &ThreadRecord, unread: Option<(MessageId, i64)>) -> Result<()> {
        let (conversation, newest, now) = (thread.conversation, thread.newest, self.now());
        if let Some((reply, _)) = unread {
            self.commit(move |tx| Box::pin(async move { Ok(tx.mark_unmailed(conversation, reply, REFUSED, now).await?) }))
                .await?;
            return self.end_unread(timer, conversation, newest).await;
        }
        self.drop_timer(timer).await
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

/// The address that a contact typed into a form before the chat.
fn typed_address(form: &[(String, String)]) -> Option<String> {
    let typed = form.iter().find(|(name, _)| name == "email").map(|(_, value)| value.trim());
    typed.filter(|value| email_address::EmailAddress::is_valid(value)).map(str::to_owned)
}
