//! What an adapter may see of its own conversations: for channels whose other side is connected to us, such as a chat,
//! where what was missed is read again and the other side sees who answers.

use async_trait::async_trait;
use bytes::Bytes;
use switchboard_model::{ConversationId, Identity, MessageId, Timestamp};
use thiserror::Error;
use tokio::sync::broadcast;

/// Field of a message in which the contact asks how to be answered: [`BY_MAIL`] or [`BY_CHAT`].
pub const ANSWER_BY: &str = "answer_by";
/// The contact wants answers in the chat again.
pub const BY_CHAT: &str = "chat";
/// The contact asks for answers by mail.
pub const BY_MAIL: &str = "mail";

/// The conversations of one channel. Nothing of another channel and no note can be seen through it.
///
/// Whether the visitor who asks may see a conversation is the adapter's to check: it belongs to the contact of
/// [`Threads::of`].
#[async_trait]
pub trait Threads: Send + Sync {
    /// The conversations of the contact with this identity, newest first, 50 at most; none for an unknown identity.
    async fn of(&self, identity: &Identity) -> Result<Vec<Thread>, ThreadsError>;

    /// One conversation as it stands; `None` when it is not on this channel.
    async fn thread(&self, conversation: ConversationId) -> Result<Option<Thread>, ThreadsError>;

    /// Messages after one of them (from the beginning without), oldest first; ids grow within a conversation.
    async fn messages(
        &self,
        conversation: ConversationId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<ThreadMessage>, ThreadsError>;

    /// A file of a message by its place; `None` when there is none.
    async fn file(
        &self,
        conversation: ConversationId,
        message: MessageId,
        place: usize,
    ) -> Result<Option<ThreadFile>, ThreadsError>;

    /// What changes from now on in the channel's conversations, on whichever host it happens. A receiver that falls
    /// behind is told so and reads anew.
    fn changes(&self) -> broadcast::Receiver<ThreadChange>;

    /// Tells the desk what the other side does. Kept for seconds, not stored, but for [`Signal::Read`].
    async fn signal(&self, conversation: ConversationId, signal: Signal) -> Result<(), ThreadsError>;

    /// Whether the channel's hours run now (ROUTING 4.6); always, where nothing is known of hours.
    async fn opening(&self) -> Result<Opening, ThreadsError> {
        Ok(Opening::default())
    }

    /// What contacts are told about answers by mail; `None` where nothing is mailed, or nothing is to be said of it.
    fn mail_offer(&self) -> Option<MailOffer> {
        None
    }
}

/// Contacts who wait may ask for their answer by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailOffer {
    /// After so many minutes without an answer they are asked whether they prefer it.
    pub after_minutes: u32,
}

/// Whether the channel's hours run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// They run now.
    pub open: bool,
    /// When they begin next, while they do not run.
    pub opens_at: Option<Timestamp>,
}

/// A conversation as its contact may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its id.
    pub conversation: ConversationId,
    /// The thread key that its messages came with.
    pub key: Option<String>,
    /// It is neither closed nor filtered away.
    pub open: bool,
    /// The first name shown of the person who has it.
    pub owner: Option<String>,
    /// Its place among those that wait for the same people, from 1; `None` when it does not wait.
    pub position: Option<u32>,
    /// How many minutes it will probably go on waiting, at least and at most: four in five do. `None` while the router
    /// cannot tell.
    pub wait_minutes: Option<(u32, u32)>,
    /// The newest message of the contact that a person at the desk has seen.
    pub seen: Option<MessageId>,
    /// The newest message for the contact that the contact has read.
    pub read: Option<MessageId>,
    /// Its newest message.
    pub newest: Option<MessageId>,
}

/// A message as its contact may see it. `Debug` shows no text.
#[derive(Clone, PartialEq, Eq)]
pub struct ThreadMessage {
    /// Its id.
    pub id: MessageId,
    /// The external id that it came with; `None` for what we wrote.
    pub external_id: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// Plain text.
    pub text: String,
    /// Cleaned HTML, safe to show in a sandboxed frame.
    pub html: Option<String>,
    /// Its files in order.
    pub files: Vec<FileEntry>,
    /// The address that the contact gave with it.
    pub email: Option<String>,
    /// The contact asked with it for answers by mail.
    pub by_mail: bool,
    /// When it was taken in or written.
    pub at: Timestamp,
}

/// Who wrote a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Author {
    /// The contact.
    Contact,
    /// Somebody at the desk, by the name that contacts see.
    Agent(String),
    /// A program, by the same.
    Program(String),
}

/// A file of a message without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Size.
    pub size_bytes: u64,
}

/// A file with its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ThreadFile {
    /// Its entry.
    pub entry: FileEntry,
    /// The file.
    pub bytes: Bytes,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadChange {
    /// There is a newer message.
    Message(ConversationId),
    /// Status, owner, place in the queue, or what was seen.
    Thread(ConversationId),
    /// Somebody at the desk, by the name that contacts see, writes (or stopped).
    Writing(ConversationId, String, bool),
}

/// What the other side does.
#[derive(Clone, PartialEq, Eq)]
pub enum Signal {
    /// It writes, or stopped; forgotten after 10 s.
    Writing(bool),
    /// It has read everything up to this message; stored, and never goes back.
    Read(MessageId),
    /// It looks at this page: address without query and fragment, and title.
    Page(String, String),
    /// It is connected, or went away.
    Connected(bool),
}

/// The conversations could not be read now; nothing was changed.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ThreadsError(
    /// In words, for the log.
    pub String,
);

impl ThreadMessage {
    /// What the fields of a contact's message say about the answer: an address, and whether it is to be mailed.
    #[must_use]
    pub fn wishes(fields: &[(String, String)]) -> (Option<String>, bool) {
        let said = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
        (said("email").cloned(), said(ANSWER_BY).is_some_and(|by| by == BY_MAIL))
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self { open: true, opens_at: None }
    }
}

impl std::fmt::Debug for ThreadMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadMessage").field("id", &self.id).field("files", &self.files.len()).finish_non_exhaustive()
    }
}
