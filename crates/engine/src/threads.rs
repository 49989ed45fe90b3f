//! The conversations of a channel whose other side is connected, as its adapter may see them.
//!
//! What changes is read off the live events, which come from the database in their order, so it does not matter on which
//! host it happens. Places in the queue are a matter of their own (`places.rs`).

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::places::{Asking, Place};
use crate::router_task::pause;
use crate::signals::{ContactSignal, Whereabouts};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchboard_channel::{
    Author, FileEntry, MailOffer, Opening, Signal, Thread, ThreadChange, ThreadFile, ThreadMessage, Threads, ThreadsError,
};
use switchboard_core::channel_hours;
use switchboard_model::{
    Actor, ChannelEntry, ChannelId, ConversationId, Identity, ItemStatus, LiveEvent, LiveEventKind, MessageId, MessageKind,
    Owner, VisitedPage,
};
use switchboard_storage::{Mark, NewEvent, ThreadEntry, ThreadRecord, Tx};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// How many changes an adapter may fall behind before it reads anew.
const BACKLOG: usize = 1_024;
const MAX_THREADS: u32 = 50;
const MAX_MESSAGES: u32 = 200;
/// Events that are looked up at once.
const BATCH: usize = 200;
/// Events that are read at once after falling behind.
const MISSED: u32 = 5_000;
const LOOK: Duration = Duration::from_millis(250);

/// What adapters are told, by channel, and the places that were found last.
#[derive(Default)]
pub(crate) struct Feeds {
    channels: Mutex<BTreeMap<String, broadcast::Sender<ThreadChange>>>,
    places: Mutex<BTreeMap<ConversationId, Place>>,
}

impl Feeds {
    fn subscribe(&self, slug: &str) -> broadcast::Receiver<ThreadChange> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.entry(slug.to_owned()).or_insert_with(|| broadcast::Sender::new(BACKLOG)).subscribe()
    }

    fn tell(&self, slug: &str, change: ThreadChange) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = channels.get(slug) {
            // Nobody listening is no failure.
            let _ = sender.send(change);
        }
    }

    /// Channels that somebody listens to.
    pub(crate) fn listened(&self) -> BTreeSet<String> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.iter().filter(|(_, sender)| sender.receiver_count() > 0).map(|(slug, _)| slug.clone()).collect()
    }

    fn place(&self, conversation: ConversationId) -> Option<Place> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).get(&conversation).copied()
    }

    /// Takes over the places found, and answers whose place is another now.
    pub(crate) fn put_places(&self, found: BTreeMap<ConversationId, Place>) -> Vec<ConversationId> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = found.iter().filter(|(id, place)| places.get(id) != Some(place)).map(|(id, _)| *id).collect();
        *places = found;
        changed
    }
}

/// The conversations of one channel.
struct ChannelThreads {
    engine: Engine,
    slug: String,
}

impl Engine {
    /// What the adapter of the channel with this slug may see of its conversations.
    #[must_use]
    pub fn threads(&self, slug: &str) -> Arc<dyn Threads> {
        Arc::new(ChannelThreads { engine: self.clone(), slug: slug.to_owned() })
    }

    /// Tells the adapter of a channel.
    pub(crate) fn tell_channel(&self, channel: Option<ChannelId>, change: ThreadChange) {
        let directory = self.directory();
        if let Some(channel) = channel.and_then(|id| directory.channel(id)) {
            self.inner.feeds.tell(&channel.slug, change);
        }
    }

    /// Tells adapters what changes in their conversations until the token is cancelled.
    pub async fn run_threads(self, shutdown: CancellationToken) {
        let mut feed = self.inner.live.subscribe();
        // What happened before is read by adapters when they begin.
        let mut position = self.newest_event(&shutdown).await;
        let mut asking = Asking::new();
        while !shutdown.is_cancelled() {
            let first = tokio::select! {
                () = shutdown.cancelled() => return,
                received = feed.recv() => Some(received),
                () = tokio::time::sleep(LOOK), if asking.is_open() => None,
            };
            let mut events = Vec::new();
            match first {
                None => {}
                Some(Ok(event)) => {
                    events.push(event);
                    while events.len() < BATCH
                        && let Ok(event) = feed.try_recv()
                    {
                        events.push(event);
                    }
                }
                Some(Err(RecvError::Lagged(_))) => {
                    position = self.tell_missed(position, &shutdown).await;
                    asking.note();
                }
                Some(Err(RecvError::Closed)) => return,
            }
            events.retain(|event| event.id > position);
            position = events.last().map_or(position, |event| event.id);
            if !events.is_empty() {
                asking.note();
            }
            self.tell_all(&events, &shutdown).await;
            self.follow_places(&mut asking).await;
        }
    }

    async fn newest_event(&self, shutdown: &CancellationToken) -> i64 {
        while !shutdown.is_cancelled() {
            match self.inner.store.last_event_id().await {
                Ok(position) => return position,
                Err(error) => tracing::warn!(%error, "live events cannot be read; trying again"),
            }
            pause(shutdown, Duration::from_secs(1)).await;
        }
        0
    }

    /// Tells what came after a position, for a task that fell behind; answers with the position reached.
    async fn tell_missed(&self, mut position: i64, shutdown: &CancellationToken) -> i64 {
        while !shutdown.is_cancelled() {
            match self.inner.store.events_after(position, MISSED).await {
                Ok(events) => {
                    self.tell_all(&events, shutdown).await;
                    position = events.last().map_or(position, |event| event.id);
                    if events.len() < MISSED as usize {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "live events cannot be read; trying again");
                    pause(shutdown, Duration::from_secs(1)).await;
                }
            }
        }
        position
    }

    /// Tells adapters what changed, however often the database has to be asked.
    async fn tell_all(&self, events: &[LiveEvent], shutdown: &CancellationToken) {
        while let Err(error) = self.tell_changes(events).await {
            tracing::warn!(%error, "channels could not be told what changed; trying again");
            pause(shutdown, Duration::from_secs(1)).await;
            if shutdown.is_cancelled() {
                return;
            }
        }
    }

    async fn tell_changes(&self, events: &[LiveEvent]) -> Result<()> {
        if self.inner.feeds.listened().is_empty() {
            return Ok(());
        }
        for events in events.chunks(BATCH) {
            let of_kind = |kinds: &[LiveEventKind]| -> Vec<&LiveEvent> {
                events.iter().filter(|event| kinds.contains(&event.kind)).collect()
            };
            let messages: BTreeSet<_> = of_kind(&[LiveEventKind::Message]).iter().filter_map(|event| event.message).collect();
            let shown = self.inner.store.shown_in(&messages.into_iter().collect::<Vec<_>>()).await?;
            let changed = of_kind(&[LiveEventKind::Item, LiveEventKind::Mark]);
            let changed: BTreeSet<_> = changed.iter().filter_map(|event| event.conversation).collect();
            let all: BTreeSet<_> = changed.iter().copied().chain(shown.iter().map(|(_, conversation)| *conversation)).collect();
            let channels = self.inner.store.channels_of(&all.into_iter().collect::<Vec<_>>()).await?;
            let channels: BTreeMap<_, _> = channels.into_iter().collect();
            for conversation in changed {
                self.tell_channel(channels.get(&conversation).copied(), ThreadChange::Thread(conversation));
            }
            for (_, conversation) in shown {
                self.tell_channel(channels.get(&conversation).copied(), ThreadChange::Message(conversation));
            }
        }
        Ok(())
    }

    /// Moves a mark of a conversation, and tells whoever looks at it.
    pub(crate) async fn move_mark(&self, record: &ThreadRecord, mark: Mark, to: MessageId) -> Result<()> {
        let before = match mark {
            Mark::Seen => record.seen,
            Mark::Read => record.read,
            Mark::Mailed => record.mailed,
        };
        if before >= Some(to) {
            return Ok(());
        }
        let event = NewEvent {
            workspace: Some(record.workspace),
            item: Some(record.item),
            conversation: Some(record.conversation),
            message: Some(to),
            ..NewEvent::new(LiveEventKind::Mark, self.now())
        };
        let conversation = record.conversation;
        self.commit(move |tx| Box::pin(async move { move_mark(tx, conversation, mark, to, event).await })).await
    }
}

async fn move_mark(tx: &Tx, conversation: ConversationId, mark: Mark, to: MessageId, event: NewEvent) -> Result<()> {
    if tx.move_mark(conversation, mark, to).await? {
        tx.insert_events(&[event]).await?;
    }
    Ok(())
}

impl ChannelThreads {
    fn entry(&self) -> Option<ChannelEntry> {
        self.engine.directory().channel_by_slug(&self.slug).cloned()
    }

    /// A conversation of this channel.
    async fn record(&self, conversation: ConversationId) -> Result<Option<ThreadRecord>> {
        let Some(channel) = self.entry() else { return Ok(None) };
        let record = self.engine.inner.store.thread(conversation).await?;
        Ok(record.filter(|record| record.channel == channel.id))
    }

    fn thread_of(&self, record: ThreadRecord) -> Thread {
        let directory = self.engine.directory();
        let owner = match record.owner {
            Some(Owner::User { id }) => directory.user(id).map(|user| shown_name(&user.name)),
            _ => None,
        };
        let open = matches!(record.status, ItemStatus::Open | ItemStatus::Snoozed);
        let place = self.engine.inner.feeds.place(record.conversation).filter(|_| open && record.is_queued);
        Thread {
            conversation: record.conversation,
            key: record.thread_key,
            open,
            owner,
            position: place.map(|place| place.position),
            wait_minutes: place.and_then(|place| place.wait_minutes),
            seen: record.seen,
            read: record.read,
            newest: record.newest,
        }
    }

    async fn find(&self, identity: &Identity) -> Result<Vec<Thread>> {
        let store = &self.engine.inner.store;
        let (Some(channel), Some(contact)) = (self.entry(), store.identity_contact(identity).await?) else {
            return Ok(Vec::new());
        };
        let found = store.threads_of(channel.id, contact, MAX_THREADS).await?;
        Ok(found.into_iter().map(|record| self.thread_of(record)).collect())
    }

    async fn read_messages(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<ThreadMessage>> {
        let Some(record) = self.record(conversation).await? else { return Ok(Vec::new()) };
        let limit = limit.clamp(1, MAX_MESSAGES);
        let entries = self.engine.inner.store.thread_entries(record.conversation, after, limit).await?;
        let channel = self.entry().map(|channel| channel.name).unwrap_or_default();
        Ok(entries.into_iter().map(|entry| message_of(entry, &channel)).collect())
    }

    async fn read_file(&self, conversation: ConversationId, message: MessageId, place: usize) -> Result<Option<ThreadFile>> {
        let Some(record) = self.record(conversation).await? else { return Ok(None) };
        let file = self.engine.inner.store.thread_file(record.conversation, message, place).await?;
        Ok(file.map(|file| ThreadFile {
            entry: FileEntry {
                name: file.name,
                content_type: file.content_type,
                size_bytes: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            },
            bytes: file.bytes,
        }))
    }

    async fn take_signal(&self, conversation: ConversationId, signal: Signal) -> Result<()> {
        let Some(channel) = self.entry() else { return Err(no_conversation(conversation)) };
        let signal = match signal {
            Signal::Read(message) => {
                let record = self.record(conversation).await?.ok_or_else(|| no_conversation(conversation))?;
                return self.engine.move_mark(&record, Mark::Read, message).await;
            }
            Signal::Writing(writing) => ContactSignal::Writing(writing),
            Signal::Connected(connected) => ContactSignal::Connected(connected),
            Signal::Page(address, title) => ContactSignal::Page(VisitedPage { address: bare(&address), title }),
        };
        let known = self.engine.inner.signals.whereabouts(conversation).filter(|at| at.channel == Some(channel.id));
        let (conversation, at) = match known {
            Some(at) => (conversation, at),
            None => {
                let record = self.record(conversation).await?.ok_or_else(|| no_conversation(conversation))?;
                (record.conversation, Whereabouts { workspace: record.workspace, channel: Some(record.channel) })
            }
        };
        self.engine.note_contact(conversation, at, signal);
        Ok(())
    }
}

#[async_trait]
impl Threads for ChannelThreads {
    async fn of(&self, identity: &Identity) -> std::result::Result<Vec<Thread>, ThreadsError> {
        self.find(identity).await.map_err(threads_error)
    }

    async fn thread(&self, conversation: ConversationId) -> std::result::Result<Option<Thread>, ThreadsError> {
        let record = self.record(conversation).await.map_err(threads_error)?;
        Ok(record.map(|record| self.thread_of(record)))
    }

    async fn messages(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> std::result::Result<Vec<ThreadMessage>, ThreadsError> {
        self.read_messages(conversation, after, limit).await.map_err(threads_error)
    }

    async fn file(
        &self,
        conversation: ConversationId,
        message: MessageId,
        place: usize,
    ) -> std::result::Result<Option<ThreadFile>, ThreadsError> {
        self.read_file(conversation, message, place).await.map_err(threads_error)
    }

    fn changes(&self) -> broadcast::Receiver<ThreadChange> {
        self.engine.inner.feeds.subscribe(&self.slug)
    }

    async fn opening(&self) -> std::result::Result<Opening, ThreadsError> {
        let Some(entry) = self.entry() else { return Ok(Opening::default()) };
        let hours = channel_hours(&self.engine.directory(), &entry, self.engine.now());
        Ok(Opening { open: hours.open, opens_at: hours.opens_at })
    }

    fn mail_offer(&self) -> Option<MailOffer> {
        let settings = self.entry()?.chat_settings()?;
        self.engine.mail_outlet(&settings)?;
        let after_minutes = settings.offer_mail_after_minutes;
        (after_minutes > 0).then_some(MailOffer { after_minutes })
    }

    async fn signal(&self, conversation: ConversationId, signal: Signal) -> std::result::Result<(), ThreadsError> {
        self.take_signal(conversation, signal).await.map_err(threads_error)
    }
}

/// The name of a colleague that contacts see: the first of it.
pub(crate) fn shown_name(name: &str) -> String {
    name.split_whitespace().next().unwrap_or(name).to_owned()
}

/// A message as the contact sees it; what a program wrote has the channel's name.
fn message_of(entry: ThreadEntry, channel: &str) -> ThreadMessage {
    let ThreadEntry { message, external_id } = entry;
    let author = match message.kind {
        MessageKind::Inbound => Author::Contact,
        MessageKind::Reply | MessageKind::Note => {
            let name = message.author_name.as_deref().map_or_else(|| channel.to_owned(), shown_name);
            if matches!(message.author, Actor::User { .. }) { Author::Agent(name) } else { Author::Program(name) }
        }
    };
    let wishes = (message.kind == MessageKind::Inbound).then(|| ThreadMessage::wishes(&message.fields));
    let (email, by_mail) = wishes.unwrap_or_default();
    let file = |file: switchboard_model::AttachmentView| FileEntry {
        name: file.name,
        content_type: file.content_type,
        size_bytes: file.bytes,
    };
    ThreadMessage {
        id: message.id,
        external_id,
        author,
        text: message.text,
        html: message.html,
        files: message.attachments.into_iter().map(file).collect(),
        email,
        by_mail,
        at: message.at,
    }
}

/// An address without query and fragment, which may hold what nobody should see.
fn bare(address: &str) -> String {
    address.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn no_conversation(conversation: ConversationId) -> EngineError {
    EngineError::not_found(format!("conversation {conversation} on this channel"))
}

fn threads_error(error: EngineError) -> ThreadsError {
    ThreadsError(error.message)
}
