//! Messages with their files, references and search entries.

use crate::error::{StoreError, StoreErrorKind};
use crate::held::Table;
use crate::row::{Bundle, Db, Row, json, one, placeholders, row, rows, values};
use crate::search::add_words;
use crate::store::{Store, Tx};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{
    Actor, Address, Attachment, AttachmentView, BlobId, ChannelId, CheckResult, ContactId, ConversationId, Delivery,
    DeliveryState, Identity, MessageDetails, MessageId, MessageKind, MessageView, Nature, Page, Proof, RawSource, Timestamp,
};

/// Recipients of one message that may write in its conversation later; further ones are shown only.
const MAX_PARTICIPANTS: usize = 500;
/// Letters of a message that lists show.
const PREVIEW_LETTERS: usize = 200;
/// A message `m` with its delivery `o`.
pub(crate) const MESSAGE: &str = "SELECT m.id, m.conversation_id, m.kind, m.at, m.author, m.author_name, m.subject, m.text, m.html, \
    m.fields, m.recipients, m.addressed, m.bcc, m.nature, m.details, m.raw_blob, o.state, o.attempts, o.last_error, \
    o.next_attempt_at, o.held, o.refused, \
    CASE WHEN k.read_id >= m.id THEN 1 ELSE 0 END AS is_read FROM message m LEFT JOIN outbox o ON o.message_id = m.id \
    LEFT JOIN thread_mark k ON k.conversation_id = m.conversation_id";

/// A message, reply or note to store.
#[derive(Clone)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The channel of the conversation.
    pub channel: ChannelId,
    /// The channel's id of an inbound message, unique per channel (ROUTING 12.1).
    pub external_id: Option<String>,
    /// Further ids of an inbound message that count as its own (ROUTING 12.1).
    pub further_ids: Vec<String>,
    /// Inbound, reply or note.
    pub kind: MessageKind,
    /// When it was taken in or written.
    pub at: Timestamp,
    /// When the sender says it was sent.
    pub sent_at: Option<Timestamp>,
    /// Who wrote it.
    pub author: Actor,
    /// Their name as it is now.
    pub author_name: Option<String>,
    /// The identity an inbound message came from.
    pub sender: Option<Identity>,
    /// How far the sender of an inbound message was proven to be its author when it came (ROUTING 7.3).
    pub proof: Option<Proof>,
    /// Subject.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// Cleaned HTML.
    pub html: Option<String>,
    /// Form fields in order.
    pub fields: Vec<(String, String)>,
    /// Inbound: everybody else it was addressed to. Reply: the copies.
    pub recipients: Vec<Address>,
    /// Reply: whom it goes to instead of the contact; empty for the contact.
    pub to: Vec<Address>,
    /// Reply: copies that nobody else sees.
    pub bcc: Vec<Address>,
    /// Language tag.
    pub language: Option<String>,
    /// What an inbound message is; `message` for others.
    pub nature: Nature,
    /// What else its channel found out about it.
    pub details: MessageDetails,
    /// The id by which later messages refer to it.
    pub own_reference: Option<String>,
    /// Files, each under an id of its own.
    pub attachments: Vec<NewAttachment>,
    /// The message as received.
    pub raw: Option<NewBlob>,
}

/// A file of a message to store.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// The id its bytes get.
    pub blob: BlobId,
    /// The file.
    pub attachment: Attachment,
}

/// Bytes to store.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// Their id.
    pub id: BlobId,
    /// The bytes and their media type.
    pub source: RawSource,
}

/// Stored bytes, with what is needed to say who may read them.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// The id.
    pub id: BlobId,
    /// The conversation whose message carries them.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
    /// File name; `None` for a message as received.
    pub name: Option<String>,
    /// Media type.
    pub content_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

impl Store {
    /// A page of a thread, newest first; `before` is the cursor of the page before.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn messages(
        &self,
        conversation: ConversationId,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<MessageView>, StoreError> {
        let db = self.reads();
        let limit = limit.clamp(1, 200);
        let (at, id) = before.map_or(Ok((i64::MAX, i64::MAX)), position)?;
        let sql =
            format!("{MESSAGE} WHERE m.conversation_id = $1 AND (m.at, m.id) < ($2, $3) ORDER BY m.at DESC, m.id DESC LIMIT $4");
        let found = rows(db, sql, values![conversation, at, id, limit + 1]).await?;
        let mut messages = views(db, &found).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = messages.len() > shown;
        messages.truncate(shown);
        let next = messages.last().filter(|_| more).map(|last| format!("{}_{}", last.at.0, last.id));
        let sql = "SELECT COUNT(*) AS total FROM message WHERE conversation_id = $1";
        let total = one(db, sql, values![conversation]).await?.count("total")?;
        Ok(Page { rows: messages, next, total })
    }

    /// One message.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn message(&self, message: MessageId) -> Result<Option<MessageView>, StoreError> {
        let found = rows(self.reads(), format!("{MESSAGE} WHERE m.id = $1"), values![message]).await?;
        Ok(views(self.reads(), &found).await?.pop())
    }

    /// Stored bytes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn blob(&self, blob: BlobId) -> Result<Option<StoredBlob>, StoreError> {
        let sql = "SELECT b.message_id, b.content_type, b.bytes, m.conversation_id, a.name FROM blob b \
            JOIN message m ON m.id = b.message_id LEFT JOIN attachment a ON a.blob_id = b.id WHERE b.id = $1";
        let stored = |row: Row| {
            Ok(StoredBlob {
                id: blob,
                conversation: row.id("conversation_id", ConversationId)?,
                message: row.id("message_id", MessageId)?,
                name: row.opt("name")?,
                content_type: row.get("content_type")?,
                bytes: Bytes::from(row.get::<Vec<u8>>("bytes")?),
            })
        };
        row(self.reads(), sql, values![blob]).await?.map(stored).transpose()
    }
}

/// What a conversation has said of itself besides its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The fields of its first message that has any.
    pub fields: Vec<(String, String)>,
    /// The last language that a message of the contact named.
    pub language: Option<String>,
}

impl Tx {
    /// What the contact's messages of a conversation have said besides their words.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn said_in(&self, conversation: ConversationId) -> Result<Said, StoreError> {
        let fields = "SELECT fields FROM message WHERE conversation_id = $1 AND kind = 'inbound' AND fields IS NOT NULL \
            ORDER BY at, id LIMIT 1";
        let language = "SELECT language FROM message WHERE conversation_id = $1 AND kind = 'inbound' AND language IS NOT NULL \
            ORDER BY at DESC, id DESC LIMIT 1";
        let fields = row(self, fields, values![conversation]).await?;
        let language = row(self, language, values![conversation]).await?;
        Ok(Said {
            fields: fields.map(|row| row.opt_json("fields")).transpose()?.flatten().unwrap_or_default(),
            language: language.map(|row| row.opt("language")).transpose()?.flatten(),
        })
    }

    /// How far the contact was proven to be the sender of their last message in a conversation that can ask for an owner
    /// (ROUTING 7.3). `None` when there is none, and when it was stored before this was kept, unless its check had failed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn proof_of(&self, conversation: ConversationId, contact: ContactId) -> Result<Option<Proof>, StoreError> {
        let sql = "SELECT proof, details FROM message WHERE conversation_id = $1 AND kind = 'inbound' AND author = $2 \
            AND nature IN ('message', 'malformed') ORDER BY at DESC, id DESC LIMIT 1";
        let Some(found) = row(self, sql, values![conversation, json(&Actor::Contact { id: contact })?]).await? else {
            return Ok(None);
        };
        let kept: Option<Proof> = found.opt_word("proof")?;
        let details: Option<MessageDetails> = found.opt_json("details")?;
        let checked = details.and_then(|details| details.authentication).map(|authentication| authentication.dmarc);
        let is_disowned = matches!(checked, Some(CheckResult::Fail | CheckResult::Error));
        Ok(kept.or_else(|| is_disowned.then_some(Proof::Typed)))
    }

    /// Whether the conversation has an inbound message or a reply by somebody else after the message `seen`, and whether
    /// `seen` is no message of it at all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_newer(&self, conversation: ConversationId, seen: MessageId, own: &Actor) -> Result<bool, StoreError> {
        let sql = "SELECT at FROM message WHERE id = $1 AND conversation_id = $2";
        let Some(found) = row(self, sql, values![seen, conversation]).await? else { return Ok(true) };
        let at = found.id("at", Timestamp)?;
        let sql = "SELECT id FROM message WHERE conversation_id = $1 AND kind <> 'note' AND author <> $2 \
            AND (at > $3 OR (at = $3 AND id > $4)) LIMIT 1";
        Ok(row(self, sql, values![conversation, json(own)?, at, seen]).await?.is_some())
    }

    /// Stores a message with its files, its reference, its search entry and the key of its duplicate check.
    ///
    /// A message that a person wrote (inbound of nature `message` or `malformed`, or a reply) also becomes the
    /// preview and the last message of the conversation and its ticket; an inbound one starts the wait for an
    /// answer, a reply ends it. Versions stay: only changes of owner, team, status, priority and workspace raise
    /// them.
    ///
    /// # Errors
    /// `Conflict` when the external id was stored before, or there is no such conversation.
    pub async fn insert_message(&self, message: &NewMessage) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        add_message(&mut bundle, self.is_shared(), message)?;
        bump_items(&mut bundle, self.is_shared(), message);
        bundle.run(self).await
    }
}

/// A message with what belongs to it, besides what it changes of its conversation.
pub(crate) fn add_message(bundle: &mut Bundle, shared: bool, message: &NewMessage) -> Result<(), StoreError> {
    let keys = message.external_id.iter().chain(&message.further_ids);
    let keys = keys.map(|id| values![message.channel, id.as_str(), message.conversation, message.id]);
    bundle.insert(Table::InboundKey, keys.collect());
    add_row(bundle, message)?;
    add_files(bundle, message);
    if let Some(reference) = &message.own_reference {
        add_reference(bundle, message.channel, reference, message.conversation, message.id);
    }
    add_participants(bundle, message);
    let mut words = vec![message.text.as_str()];
    words.extend(message.subject.as_deref());
    words.extend(message.fields.iter().map(|(_, value)| value.as_str()));
    add_words(bundle, shared, message.id.0, &words);
    Ok(())
}

/// Notes under which id later messages refer to this one.
pub(crate) fn add_reference(
    bundle: &mut Bundle,
    channel: ChannelId,
    reference: &str,
    conversation: ConversationId,
    message: MessageId,
) {
    bundle.insert(Table::Reference, vec![values![channel, reference, conversation, message]]);
}

fn add_row(bundle: &mut Bundle, message: &NewMessage) -> Result<(), StoreError> {
    let fields = if message.fields.is_empty() { None } else { Some(json(&message.fields)?) };
    let list = |people: &Vec<Address>| if people.is_empty() { Ok(None) } else { json(people).map(Some) };
    let details = if message.details.is_empty() { None } else { Some(json(&message.details)?) };
    let values = values![
        message.id,
        message.conversation,
        message.channel,
        message.kind,
        message.at,
        message.sent_at,
        json(&message.author)?,
        message.author_name.as_deref(),
        message.sender.as_ref().map(|sender| sender.kind),
        message.sender.as_ref().map(|sender| sender.value.as_str()),
        message.subject.as_deref(),
        message.text.as_str(),
        message.html.as_deref(),
        fields,
        list(&message.recipients)?,
        list(&message.to)?,
        list(&message.bcc)?,
        message.language.as_deref(),
        message.nature,
        message.own_reference.as_deref(),
        message.raw.as_ref().map(|raw| raw.id),
        details,
        message.proof,
    ];
    bundle.insert(Table::Message, vec![values]);
    Ok(())
}

fn add_files(bundle: &mut Bundle, message: &NewMessage) {
    let files = message.attachments.iter().map(|file| (file.blob, &file.attachment.content_type, &file.attachment.bytes));
    let raw = message.raw.iter().map(|raw| (raw.id, &raw.source.content_type, &raw.source.bytes));
    for (id, content_type, bytes) in files.chain(raw) {
        bundle.insert(Table::Blob, vec![values![id, message.id, content_type.as_str(), size(bytes), &bytes[..]]]);
    }
    let records = (0_i64..).zip(&message.attachments).map(|(position, NewAttachment { blob, attachment })| {
        values![
            *blob,
            message.id,
            position,
            attachment.name.as_str(),
            attachment.content_type.as_str(),
            attachment.content_id.as_deref(),
            size(&attachment.bytes),
        ]
    });
    bundle.insert(Table::Attachment, records.collect());
}

/// Whoever a message was addressed to may write in its conversation later.
fn add_participants(bundle: &mut Bundle, message: &NewMessage) {
    let everybody = message.recipients.iter().chain(&message.to).chain(&message.bcc);
    let addressed = everybody.filter(|to| to.address.contains('@')).take(MAX_PARTICIPANTS);
    let unique: BTreeSet<Identity> = addressed.map(|to| Identity::email(&to.address)).collect();
    let records = unique.iter().map(|to| values![message.conversation, to.kind, to.value.as_str()]).collect();
    bundle.insert(Table::Participant, records);
}

/// Whether somebody wrote it, and no program.
pub(crate) const fn is_written(message: &NewMessage) -> bool {
    matches!(message.nature, Nature::Message | Nature::Malformed)
}

fn bump_items(bundle: &mut Bundle, shared: bool, message: &NewMessage) {
    let written = is_written(message);
    let waiting = match message.kind {
        MessageKind::Inbound if written => "COALESCE(waiting_since, $3)",
        MessageKind::Reply => "NULL, first_reply_at = COALESCE(first_reply_at, $3)",
        // Whatever opened the conversation is shown in lists, even if nobody wrote it.
        MessageKind::Inbound => {
            let sql = "UPDATE item SET preview = $2 WHERE count_key = $1 AND preview = ''";
            return bundle.add(sql, values![message.conversation, preview(&message.text, message.details.folded_from)]);
        }
        MessageKind::Note => return,
    };
    let latest = if shared { "GREATEST" } else { "MAX" };
    let sql = format!(
        "UPDATE item SET preview = $2, last_message_at = {latest}(last_message_at, $3), waiting_since = {waiting} \
         WHERE count_key = $1"
    );
    bundle.add(sql, values![message.conversation, preview(&message.text, message.details.folded_from), message.at]);
}

fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Views of rows of [`MESSAGE`], in their order, with their files.
pub(crate) async fn views(db: &impl Db, found: &[Row]) -> Result<Vec<MessageView>, StoreError> {
    let mut files = BTreeMap::<i64, Vec<AttachmentView>>::new();
    if !found.is_empty() {
        let sql = format!(
            "SELECT blob_id, message_id, name, content_type, content_id, size FROM attachment WHERE message_id IN ({}) \
             ORDER BY message_id, position",
            placeholders(1, found.len())
        );
        let ids = found.iter().map(|row| row.get::<i64>("id")).collect::<Result<Vec<_>, _>>()?;
        for row in rows(db, sql, ids.into_iter().flat_map(|id| values![id]).collect()).await? {
            files.entry(row.get("message_id")?).or_default().push(AttachmentView {
                id: row.id("blob_id", BlobId)?,
                name: row.get("name")?,
                content_type: row.get("content_type")?,
                bytes: row.count("size")?,
                content_id: row.opt("content_id")?,
            });
        }
    }
    found.iter().map(|row| view(row, files.remove(&row.get("id")?).unwrap_or_default())).collect()
}

fn view(row: &Row, attachments: Vec<AttachmentView>) -> Result<MessageView, StoreError> {
    let delivery = match row.opt_word("state")? {
        None => None,
        Some(state) => Some(Delivery {
            state,
            attempts: row.small("attempts")?,
            read: row.get::<i32>("is_read")? == 1,
            error: row.opt("last_error")?,
            next_attempt_at: match state {
                DeliveryState::Queued => row.opt_id("next_attempt_at", Timestamp)?,
                _ => None,
            },
            refused: row.opt_json("refused")?.unwrap_or_default(),
            recallable: state == DeliveryState::Queued && row.small("attempts")? == 0 && row.get("held")?,
        }),
    };
    Ok(MessageView {
        id: row.id("id", MessageId)?,
        conversation: row.id("conversation_id", ConversationId)?,
        kind: row.word("kind")?,
        at: row.id("at", Timestamp)?,
        author: row.json("author")?,
        author_name: row.opt("author_name")?,
        subject: row.opt("subject")?,
        text: row.get("text")?,
        html: row.opt("html")?,
        fields: row.opt_json("fields")?.unwrap_or_default(),
        attachments,
        recipients: row.opt_json("recipients")?.unwrap_or_default(),
        to: row.opt_json("addressed")?.unwrap_or_default(),
        bcc: row.opt_json("bcc")?.unwrap_or_default(),
        nature: row.word("nature")?,
        details: row.opt_json("details")?.unwrap_or_default(),
        raw: row.opt_id("raw_blob", BlobId)?,
        delivery,
    })
}

/// The beginning of a text, as lists show it, without what it repeats from that line on.
pub(crate) fn preview(text: &str, folded_from: Option<u32>) -> String {
    let lines = folded_from.map_or(usize::MAX, |line| line as usize);
    let mut preview = String::new();
    for word in text.lines().take(lines).flat_map(str::split_whitespace) {
        if !preview.is_empty() {
            preview.push(' ');
        }
        preview.push_str(word);
        if let Some((end, _)) = preview.char_indices().nth(PREVIEW_LETTERS) {
            preview.truncate(end);
            break;
        }
    }
    preview
}

fn position(cursor: &str) -> Result<(i64, i64), StoreError> {
    let parse = |(at, id): (&str, &str)| Some((at.parse().ok()?, id.parse().ok()?));
    let broken = || StoreError::new(StoreErrorKind::Invalid, "the cursor is none of ours");
    cursor.split_once('_').and_then(parse).ok_or_else(broken)
}
