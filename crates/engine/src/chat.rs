//! How live chats end, and when something of them is mailed to contacts who have left (ROUTING 12.3).
//!
//! A chat that nobody says anything in closes itself. What is mailed, and to whom, is in `chat_mail`.

use crate::engine::Engine;
use crate::error::Result;
use crate::items::change_and_tell;
use crate::sla::renew_due;
use serde_json::json;
use switchboard_model::{Actor, ChannelEntry, ConversationId, Directory, ItemId, ItemStatus, Timestamp, Transcript};
use switchboard_storage::{ItemRecord, ItemUpdate, NewTimer, StoredTimer, Tx};

/// A chat that may have fallen silent.
pub(crate) const SILENCE: &str = "chat_silence";
/// Replies that the contact may not have read.
pub(crate) const UNREAD: &str = "chat_unread";
/// What was said is to be mailed.
pub(crate) const TRANSCRIPT: &str = "chat_transcript";

const MINUTE_MS: i64 = 60_000;
/// Replies are mailed when the contact has been gone for this long.
pub(crate) const GONE_MS: i64 = 2 * MINUTE_MS;
/// Replies to whoever asked for mail are gathered for so long: people write several lines in a row.
pub(crate) const GATHER_MS: i64 = 10_000;

/// Sees to it that the silence of an open chat is looked at, if it has an end.
pub(crate) async fn watch_silence(tx: &Tx, directory: &Directory, item: &ItemRecord, timer: i64, at: Timestamp) -> Result<()> {
    let Some(limit_ms) = silence_ms(directory, item) else { return Ok(()) };
    let due_at = at.plus_ms(limit_ms);
    tx.insert_timer_once(&NewTimer { id: timer, due_at, kind: SILENCE.to_owned(), item: Some(item.id), body: json!(null) })
        .await?;
    Ok(())
}

/// When a reply is mailed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mailed {
    /// When the contact, who is connected or not, has been gone for a while without reading it.
    Unread { is_connected: bool },
    /// Within seconds: the contact asked for that.
    Wished,
}

/// Sees to it that a reply is mailed, if the chat's channel mails at all.
pub(crate) async fn watch_unread(
    tx: &Tx,
    channel: Option<&ChannelEntry>,
    conversation: ConversationId,
    timer: i64,
    (at, mailed): (Timestamp, Mailed),
) -> Result<()> {
    if !mails(channel) {
        return Ok(());
    }
    let (due_at, gone_at) = match mailed {
        Mailed::Unread { is_connected } => (at.plus_ms(GONE_MS), (!is_connected).then_some(at.0)),
        Mailed::Wished => (at.plus_ms(GATHER_MS), None),
    };
    let body = json!({ "gone_at": gone_at });
    let timer = NewTimer { id: timer, due_at, kind: UNREAD.to_owned(), item: Some(conversation.into()), body };
    tx.insert_or_hasten_timer(&timer).await?;
    Ok(())
}

/// Whether a channel is a chat that mails.
pub(crate) fn mails(channel: Option<&ChannelEntry>) -> bool {
    channel.and_then(ChannelEntry::chat_settings).is_some_and(|settings| settings.mail_channel.is_some())
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
}
