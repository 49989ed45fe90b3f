//! What the server says to a visitor's connection, and what loaders are given. Pure.

use crate::config::{Choice, Config, FilesAllowed, Question, Wrong};
use crate::decode::{Refusal, is_told};
use crate::visitor::Visitor;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use switchboard_channel::{Author, BY_MAIL, FileEntry, MailOffer, Opening, Thread, ThreadMessage};
use switchboard_model::{ConversationId, MessageId, Timestamp, Widget};

/// The name of the protocol in the WebSocket's handshake.
pub(crate) const SUBPROTOCOL: &str = "switchboard.chat.1";
/// Its number.
const PROTOCOL: u32 = 1;

/// A frame for a client.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerFrame<'a> {
    Welcome(Box<Welcome<'a>>),
    Session {
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        pass: &'a str,
    },
    Accepted {
        client_id: &'a str,
        conversation: ConversationId,
        message: MessageId,
        at: Timestamp,
    },
    Refused(Refused<'a>),
    Message(Shown<'a>),
    Replayed {
        conversation: ConversationId,
    },
    Thread(Standing<'a>),
    Typing {
        conversation: ConversationId,
        name: &'a str,
        on: bool,
    },
    Pong,
    /// Another challenge than the one of the welcome.
    Work(Work),
    Bye {
        code: &'static str,
        reconnect: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
}

/// What the first message of a conversation costs.
#[derive(Serialize)]
pub(crate) struct Work {
    pub(crate) challenge: String,
    pub(crate) bits: u32,
}

/// The answer to `hello`.
#[derive(Serialize)]
pub(crate) struct Welcome<'a> {
    protocol: u32,
    pub(crate) visitor: &'static str,
    pub(crate) session: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity_fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<Work>,
    pub(crate) conversations: Vec<Standing<'a>>,
    settings: WelcomeSettings<'a>,
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct WelcomeSettings<'a> {
    text_length: usize,
    frame_bytes: usize,
    conversations: usize,
    files: FileSettings<'a>,
    prechat: Vec<Asked<'a>>,
    topics: &'a [Choice],
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<MailSettings<'a>>,
}

/// Whoever waits may ask for the answer by mail.
#[derive(Serialize)]
struct MailSettings<'a> {
    after_minutes: u32,
    /// The address that the site has proven to be the visitor's, who need not type it.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

#[derive(Serialize)]
struct FileSettings<'a> {
    allowed: bool,
    count: usize,
    bytes: usize,
    types: &'a [String],
}

#[derive(Serialize)]
struct Asked<'a> {
    #[serde(flatten)]
    question: &'a Question,
    known: bool,
}

/// How a conversation stands.
#[derive(Serialize)]
pub(crate) struct Standing<'a> {
    conversation: ConversationId,
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_minutes: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<MessageId>,
}

/// Why something was not taken.
#[derive(Serialize)]
pub(crate) struct Refused<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    code: &'static str,
    detail: &'static str,
    retry: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Value>,
}

/// A message.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    conversation: ConversationId,
    id: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    author: Value,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    files: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_by: Option<&'static str>,
    at: Timestamp,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $retry:literal, $detail:literal;)+) => {
        /// Why a frame was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($name),+ }

        impl Code {
            /// The stable code.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// Whether the same again can succeed.
            const fn retry(self) -> bool {
                match self { $(Self::$name => $retry),+ }
            }

            /// The same in words, for whoever builds a client.
            const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail),+ }
            }
        }
    };
}

codes! {
    Malformed = "malformed", false, "the frame is no JSON object of its type";
    UnknownType = "unknown_type", false, "this version of the protocol has no such type";
    HelloTwice = "hello_twice", false, "hello comes once, first";
    BadClientId = "bad_client_id", false, "client_id is 8 to 64 letters, digits, _ and -";
    Empty = "empty", false, "a message has a text or a file";
    TooLong = "too_long", false, "the text is longer than settings.text_length";
    UnknownConversation = "unknown_conversation", false, "the visitor has no such conversation";
    BadField = "bad_field", false, "an answer is missing or does not fit";
    BadTopic = "bad_topic", false, "settings.topics has no such topic";
    BadFile = "bad_file", false, "an upload is unknown or too old, or there are too many; upload again";
    TooManyConversations = "too_many_conversations", false, "as many conversations as may be are open; go on with one of them";
    RateLimited = "rate_limited", true, "too much at once; try again later";
    Work = "work", true, "the proof of work is missing, wrong, too old, or for another message; frame `work` has a challenge";
    Unavailable = "unavailable", true, "it could not be stored now; send it again";
    Closed = "closed", false, "the channel is switched off";
    Unstorable = "unstorable", false, "it can never be stored";
}

impl<'a> Welcome<'a> {
    /// A welcome for a visitor of whom so much is known.
    pub(crate) fn new(config: &'a Config, visitor: &'a Visitor, opening: Opening, offer: Option<MailOffer>) -> Self {
        let (told, is_identified) = (&visitor.told, visitor.account.is_some());
        let files = &config.files;
        let allowed = files_allowed(config, is_identified);
        let prechat = config.questions.iter().map(|question| Asked { question, known: is_told(question, told) });
        Self {
            protocol: PROTOCOL,
            visitor: "anonymous",
            session: false,
            pass: None,
            identity_fault: None,
            work: None,
            conversations: Vec::new(),
            settings: WelcomeSettings {
                text_length: config.limits.text_length,
                frame_bytes: config.limits.frame_bytes,
                conversations: config.limits.conversations,
                files: FileSettings { allowed, count: files.count, bytes: files.bytes, types: &files.types },
                prechat: prechat.collect(),
                topics: &config.topics,
                mail: offer.map(|offer| MailSettings { after_minutes: offer.after_minutes, address: visitor.proven_email() }),
            },
            open: opening.open,
            opens_at: opening.opens_at,
        }
    }
}

impl<'a> Standing<'a> {
    /// A conversation as it stands.
    pub(crate) fn of(thread: &'a Thread) -> Self {
        Self {
            conversation: thread.conversation,
            open: thread.open,
            owner: thread.owner.as_deref(),
            position: thread.position,
            wait_minutes: thread.wait_minutes,
            seen: thread.seen,
            read: thread.read,
            newest: thread.newest,
        }
    }
}

impl<'a> Refused<'a> {
    /// A refusal as it is sent.
    pub(crate) fn of(refusal: &'a Refusal) -> Self {
        let field = |(name, wrong): &(String, Wrong)| json!({"name": name, "code": wrong.code()});
        Self {
            client_id: refusal.client_id.as_deref(),
            code: refusal.code.as_str(),
            detail: refusal.code.detail(),
            retry: refusal.code.retry(),
            retry_after_s: refusal.retry_after_s,
            fields: refusal.fields.iter().map(field).collect(),
        }
    }
}

impl<'a> Shown<'a> {
    /// A message of a conversation whose external ids begin with `prefix` where they are the visitor's own.
    pub(crate) fn of(conversation: ConversationId, message: &'a ThreadMessage, prefix: &str) -> Self {
        let author = match &message.author {
            Author::Contact => json!({"kind": "visitor"}),
            Author::Agent(name) => json!({"kind": "agent", "name": name}),
            Author::Program(name) => json!({"kind": "agent", "name": name, "automatic": true}),
        };
        let file =
            |file: &FileEntry| json!({"name": file.name, "content_type": file.content_type, "size_bytes": file.size_bytes});
        Self {
            conversation,
            id: message.id,
            client_id: message.external_id.as_deref().and_then(|id| id.strip_prefix(prefix)),
            author,
            text: &message.text,
            html: message.html.as_deref(),
            files: message.files.iter().map(file).collect(),
            email: message.email.as_deref(),
            answer_by: message.by_mail.then_some(BY_MAIL),
            at: message.at,
        }
    }
}

/// A frame as text.
pub(crate) fn written(frame: &ServerFrame<'_>) -> String {
    serde_json::to_string(frame).expect("frames hold nothing that JSON cannot say")
}

/// Whether this visitor may send files.
pub(crate) fn files_allowed(config: &Config, is_identified: bool) -> bool {
    match config.files.allowed {
        FilesAllowed::Off => false,
        FilesAllowed::Identified => is_identified,
        FilesAllowed::All => true,
    }
}

/// What pages embed.
pub(crate) fn widget(config: &Config) -> Widget {
    let look = &config.look;
    let own: BTreeSet<&String> = config.origins.iter().collect();
    Widget {
        key: config.key.clone(),
        origins: own.into_iter().cloned().collect(),
        socket: format!("{}/socket", config.base_path()),
        settings: json!({
            "slug": config.slug,
            "protocol": SUBPROTOCOL,
            "files_path": format!("{}/files", config.base_path()),
            "locale": config.locale,
            "web_views": config.web_views,
            "credentialless": config.credentialless,
            "identity": config.identity.mode.as_str(),
            "cookie": {"name": format!("sb_{}", config.key), "days": config.cookie_days},
            "look": {
                "color": look.color,
                "position": look.position,
                "side_px": look.side_px,
                "bottom_px": look.bottom_px,
                "theme": look.theme,
                "preview": look.preview,
                "sound": look.sound,
                "launcher": look.launcher,
                "greeting": look.greeting,
                "title": look.title,
            },
        }),
    }
}
