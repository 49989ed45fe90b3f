//! Conversations as the engine would show them to an adapter, made of what the recording inbox took in.

use crate::context::ManualClock;
use crate::inbox::RecordingInbox;
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_channel::{
    Author, Clock, FileEntry, MailOffer, Opening, Signal, Thread, ThreadChange, ThreadFile, ThreadMessage, Threads, ThreadsError,
};
use switchboard_model::{ConversationId, Identity, InboundMessage, MessageId, Timestamp};
use tokio::sync::broadcast;

/// The conversations that the messages of a [`RecordingInbox`] make. A contact is an identity, the sender's own or one of
/// `also`. The test plays the desk: it answers, takes over, and looks.
pub struct FakeThreads {
    inbox: Arc<RecordingInbox>,
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    replies: Vec<(ConversationId, ThreadMessage, Vec<ThreadFile>)>,
    arrived: BTreeMap<MessageId, Timestamp>,
    changed: BTreeMap<ConversationId, Thread>,
    signals: Vec<(ConversationId, Signal)>,
    opening: Opening,
    mail_offer: Option<MailOffer>,
    failing: bool,
    reads: usize,
}

impl FakeThreads {
    /// The conversations of an inbox.
    #[must_use]
    pub fn over(inbox: Arc<RecordingInbox>, clock: Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self { inbox, clock, state: Mutex::default() })
    }

    /// Somebody at the desk answers; returns the id of the message.
    pub fn reply(&self, conversation: ConversationId, author: &str, text: &str) -> MessageId {
        self.reply_with(conversation, author, text, &[])
    }

    /// The same with files, by name and content.
    pub fn reply_with(
        &self,
        conversation: ConversationId,
        author: &str,
        text: &str,
        files: &[(&str, &'static [u8])],
    ) -> MessageId {
        self.answer(conversation, Author::Agent(author.to_owned()), text, files)
    }

    /// A program answers, under this name.
    pub fn answer_by_itself(&self, conversation: ConversationId, name: &str, text: &str) -> MessageId {
        self.answer(conversation, Author::Program(name.to_owned()), text, &[])
    }

    fn answer(&self, conversation: ConversationId, author: Author, text: &str, files: &[(&str, &'static [u8])]) -> MessageId {
        let id = self.inbox.next_message_id();
        let files: Vec<ThreadFile> = files.iter().map(|(name, bytes)| file(name, bytes)).collect();
        let message = ThreadMessage {
            id,
            external_id: None,
            author,
            text: text.to_owned(),
            html: None,
            files: files.iter().map(|file| file.entry.clone()).collect(),
            email: None,
            by_mail: false,
            at: self.clock.now(),
        };
        self.state().replies.push((conversation, message, files));
        self.tell(ThreadChange::Message(conversation));
        id
    }

    /// Changes how a conversation stands.
    pub fn change(&self, conversation: ConversationId, change: impl FnOnce(&mut Thread)) {
        let mut thread = self.standing(conversation).unwrap_or_else(|| fresh(conversation, None));
        change(&mut thread);
        self.state().changed.insert(conversation, thread);
        self.tell(ThreadChange::Thread(conversation));
    }

    /// Somebody at the desk writes, or stops.
    pub fn writing(&self, conversation: ConversationId, name: &str, on: bool) {
        self.tell(ThreadChange::Writing(conversation, name.to_owned(), on));
    }

    /// Tells of a change, whether there is one or not.
    pub fn tell(&self, change: ThreadChange) {
        // An error means that nobody listens.
        let _ = self.inbox.changes().send(change);
    }

    /// The channel's hours from now on.
    pub fn set_opening(&self, opening: Opening) {
        self.state().opening = opening;
    }

    /// What is said about answers by mail from now on.
    pub fn set_mail_offer(&self, offer: Option<MailOffer>) {
        self.state().mail_offer = offer;
    }

    /// From now on nothing can be read, or it can again.
    pub fn fail(&self, failing: bool) {
        self.state().failing = failing;
    }

    /// Every signal so far, oldest first.
    #[must_use]
    pub fn signals(&self) -> Vec<(ConversationId, Signal)> {
        self.state().signals.clone()
    }

    /// How often something was read.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state().reads
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<(), ThreadsError> {
        let mut state = self.state();
        state.reads += 1;
        if state.failing { Err(ThreadsError("the test asked for this failure".to_owned())) } else { Ok(()) }
    }

    fn standing(&self, conversation: ConversationId) -> Option<Thread> {
        let newest = self.all(conversation).into_iter().map(|(message, _)| message.id).max();
        let changed = self.state().changed.get(&conversation).cloned();
        let recorded = self.inbox.recorded();
        let first = recorded.iter().find(|(_, receipt)| receipt.conversation == conversation);
        let made = first.map(|(message, _)| fresh(conversation, message.thread.key.clone()));
        changed.or(made).map(|thread| Thread { newest, ..thread })
    }

    /// Every message of a conversation with its files, oldest first.
    fn all(&self, conversation: ConversationId) -> Vec<(ThreadMessage, Vec<ThreadFile>)> {
        let recorded = self.inbox.recorded();
        let mut state = self.state();
        let now = self.clock.now();
        let mut found: Vec<(ThreadMessage, Vec<ThreadFile>)> = Vec::new();
        for (message, receipt) in recorded.into_iter().filter(|(_, receipt)| receipt.conversation == conversation) {
            let at = *state.arrived.entry(receipt.message).or_insert(now);
            found.push(of_contact(message, receipt.message, at));
        }
        let replies = state.replies.iter().filter(|(of, _, _)| *of == conversation);
        found.extend(replies.map(|(_, message, files)| (message.clone(), files.clone())));
        found.sort_by_key(|(message, _)| message.id);
        found
    }
}

#[async_trait]
impl Threads for FakeThreads {
    async fn of(&self, identity: &Identity) -> Result<Vec<Thread>, ThreadsError> {
        self.read()?;
        let is_sender = |message: &InboundMessage| {
            message.sender.identity == *identity || message.sender.also.iter().any(|also| also == identity)
        };
        let recorded = self.inbox.recorded();
        let own: BTreeSet<ConversationId> =
            recorded.iter().filter(|(message, _)| is_sender(message)).map(|(_, receipt)| receipt.conversation).collect();
        Ok(own.into_iter().rev().take(50).filter_map(|conversation| self.standing(conversation)).collect())
    }

    async fn thread(&self, conversation: ConversationId) -> Result<Option<Thread>, ThreadsError> {
        self.read()?;
        Ok(self.standing(conversation))
    }

    async fn messages(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<ThreadMessage>, ThreadsError> {
        self.read()?;
        let newer = self.all(conversation).into_iter().map(|(message, _)| message).filter(|message| Some(message.id) > after);
        Ok(newer.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn file(
        &self,
        conversation: ConversationId,
        message: MessageId,
        place: usize,
    ) -> Result<Option<ThreadFile>, ThreadsError> {
        self.read()?;
        let found = self.all(conversation).into_iter().find(|(found, _)| found.id == message);
        Ok(found.and_then(|(_, files)| files.into_iter().nth(place)))
    }

    fn changes(&self) -> broadcast::Receiver<ThreadChange> {
        self.inbox.changes().subscribe()
    }

    async fn signal(&self, conversation: ConversationId, signal: Signal) -> Result<(), ThreadsError> {
        self.read()?;
        self.state().signals.push((conversation, signal));
        Ok(())
    }

    async fn opening(&self) -> Result<Opening, ThreadsError> {
        self.read()?;
        Ok(self.state().opening)
    }

    fn mail_offer(&self) -> Option<MailOffer> {
        self.state().mail_offer
    }
}

fn fresh(conversation: ConversationId, key: Option<String>) -> Thread {
    Thread {
        conversation,
        key,
        open: true,
        owner: None,
        position: None,
        wait_minutes: None,
        seen: None,
        read: None,
        newest: None,
    }
}

fn of_contact(message: InboundMessage, id: MessageId, at: Timestamp) -> (ThreadMessage, Vec<ThreadFile>) {
    let files: Vec<ThreadFile> = message
        .attachments
        .into_iter()
        .map(|file| ThreadFile {
            entry: FileEntry {
                name: file.name,
                content_type: file.content_type,
                size_bytes: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            },
            bytes: file.bytes,
        })
        .collect();
    let (email, by_mail) = ThreadMessage::wishes(&message.fields);
    let message = ThreadMessage {
        id,
        external_id: Some(message.external_id),
        author: Author::Contact,
        text: message.text,
        html: message.html,
        files: files.iter().map(|file| file.entry.clone()).collect(),
        email,
        by_mail,
        at,
    };
    (message, files)
}

fn file(name: &str, bytes: &'static [u8]) -> ThreadFile {
    let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let entry = FileEntry { name: name.to_owned(), content_type: "application/octet-stream".to_owned(), size_bytes };
    ThreadFile { entry, bytes: Bytes::from_static(bytes) }
}
