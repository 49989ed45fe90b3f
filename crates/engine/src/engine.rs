//! The handle on the running engine: what every use case shares.

use crate::error::{EngineError, EngineErrorKind, Result};
use crate::looker::Looker;
use crate::observer::Observer;
use crate::presence::Desks;
use crate::request::{Caller, ChannelState, Statistics};
use crate::signals::Signals;
use crate::sweep::Swept;
use crate::threads::Feeds;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use switchboard_channel::{Channel, Clock};
use switchboard_model::{
    Capabilities, ChannelEntry, ChannelKind, Directory, Identity, IdentityKind, LiveEvent, Timestamp, User, WorkspaceId,
};
use switchboard_storage::{Question, Store, StoreError, StoreErrorKind, Tx, Writer, WriterOptions};
use tokio::sync::{Notify, Semaphore, broadcast};

/// A connected channel as the engine sends through it.
#[derive(Clone)]
pub struct Outlet {
    /// The adapter.
    pub channel: Arc<dyn Channel>,
    /// The kind that the configuration names.
    pub kind: ChannelKind,
    /// The channel that replies go out through instead, for channels that cannot reply themselves.
    pub reply_via: Option<String>,
}

/// The text of a catalogue's key in a language, with its placeholders filled.
pub type Words = Arc<dyn Fn(&str, &str, &[(&str, &str)]) -> String + Send + Sync>;

/// What the engine is made of.
pub struct EngineOptions {
    /// The open database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Connected channels by slug.
    pub outlets: BTreeMap<String, Outlet>,
    /// What contacts are told in their language.
    pub words: Words,
    /// A name of this host among several, for leases.
    pub holder: String,
    /// Sessions end after this long without use.
    pub session_idle_ms: i64,
    /// Sessions end after this long at the latest.
    pub session_ms: i64,
}

/// A handle on the running engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
    pub outlets: BTreeMap<String, Outlet>,
    pub words: Words,
    pub holder: String,
    pub session_idle_ms: i64,
    pub session_ms: i64,
    pub directory: RwLock<Arc<Directory>>,
    pub observer: Mutex<Observer>,
    pub looker: tokio::sync::Mutex<Looker>,
    /// Answers take a core each; this many at once.
    pub looking: Semaphore,
    pub channel_states: Mutex<BTreeMap<String, ChannelState>>,
    /// What keeps channels from sending anything, until they send again.
    pub sending_errors: Mutex<BTreeMap<String, String>>,
    pub live: broadcast::Sender<LiveEvent>,
    /// Desks that are open on this host.
    pub desks: Arc<Desks>,
    /// Who is on conversations.
    pub signals: Signals,
    /// What adapters are told of their conversations.
    pub feeds: Feeds,
    /// What sweeps for stranded work have come to.
    pub swept: Mutex<Swept>,
    /// Rung after every commit; whoever waits looks at the database.
    pub router_bell: Notify,
    pub outbox_bell: Notify,
    pub event_bell: Notify,
    pub timer_bell: Notify,
    /// Password hashing takes memory and a core; this many at once.
    pub hashing: Semaphore,
}

/// How many events a desk may fall behind before it has to start anew.
const LIVE_BACKLOG: usize = 4_096;
const HASHING_AT_ONCE: usize = 2;
const ANSWERS_AT_ONCE: usize = 2;

impl Engine {
    /// An engine on an open database, and the task of its writer, which the host spawns.
    ///
    /// # Errors
    /// When the directory in force cannot be read.
    pub async fn new(options: EngineOptions) -> Result<(Self, BoxFuture<'static, ()>)> {
        let directory = options.store.latest_directory().await?;
        let (writer, writing) = options.store.writer(WriterOptions::default());
        let inner = Inner {
            writer,
            clock: options.clock,
            outlets: options.outlets,
            words: options.words,
            holder: options.holder,
            session_idle_ms: options.session_idle_ms,
            session_ms: options.session_ms,
            observer: Mutex::new(Observer::new(Arc::clone(&directory))),
            looker: tokio::sync::Mutex::default(),
            looking: Semaphore::new(ANSWERS_AT_ONCE),
            directory: RwLock::new(directory),
            channel_states: Mutex::new(BTreeMap::new()),
            sending_errors: Mutex::default(),
            live: broadcast::Sender::new(LIVE_BACKLOG),
            desks: Arc::default(),
            signals: Signals::default(),
            feeds: Feeds::default(),
            swept: Mutex::default(),
            router_bell: Notify::new(),
            outbox_bell: Notify::new(),
            event_bell: Notify::new(),
            timer_bell: Notify::new(),
            hashing: Semaphore::new(HASHING_AT_ONCE),
            store: options.store,
        };
        Ok((Self { inner: Arc::new(inner) }, writing))
    }

    /// The directory in force.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.inner.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.inner.store.ping().await?)
    }

    /// Returns when everything that was asked to be written before is committed or refused.
    ///
    /// # Errors
    /// When the writer is gone.
    pub async fn settle(&self) -> Result<()> {
        self.inner.writer.run(|_| Box::pin(async { Ok(()) })).await
    }

    /// Numbers for the metrics page.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn statistics(&self) -> Result<Statistics> {
        let counted = self.inner.store.statistics().await?;
        let swept = self.swept();
        Ok(Statistics {
            open: counted.open,
            unassigned: counted.unassigned,
            outbox: counted.outbox,
            outbox_failed: counted.outbox_failed,
            unconsumed: counted.unconsumed,
            parked: counted.parked,
            stranded: swept.stranded,
            corrections: swept.corrections,
            sweeps: swept.sweeps,
        })
    }

    /// What the channel with this slug can do, replies included that go out through another channel.
    #[must_use]
    pub fn capabilities(&self, slug: &str) -> Capabilities {
        self.sending_outlet(slug).map(|(_, outlet)| outlet.channel.capabilities()).unwrap_or_default()
    }

    /// Addresses of this installation, which a reply to everybody leaves out.
    #[must_use]
    pub fn own_addresses(&self) -> Vec<String> {
        self.inner.outlets.values().flat_map(|outlet| outlet.channel.addresses()).collect()
    }

    /// How the channel with this slug is doing.
    #[must_use]
    pub fn channel_state(&self, slug: &str) -> ChannelState {
        let states = self.inner.channel_states.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = states.get(slug).cloned().unwrap_or(ChannelState { running: false, error: None, last_event_at: None });
        drop(states);
        let sending = self.inner.sending_errors.lock().unwrap_or_else(PoisonError::into_inner);
        state.error = state.error.or_else(|| sending.get(slug).cloned());
        state
    }

    /// Notes what keeps a channel from sending; `None` once it has sent.
    pub(crate) fn note_sending(&self, slug: &str, error: Option<String>) {
        let mut errors = self.inner.sending_errors.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) => drop(errors.insert(slug.to_owned(), error)),
            None => drop(errors.remove(slug)),
        }
    }

    /// Notes how a channel is doing.
    pub fn note_channel(&self, slug: &str, change: impl FnOnce(&mut ChannelState)) {
        let mut states = self.inner.channel_states.lock().unwrap_or_else(PoisonError::into_inner);
        change(states.entry(slug.to_owned()).or_insert(ChannelState { running: false, error: None, last_event_at: None }));
    }

    /// Whether the caller may open the workspace. Programs and the command line may open all.
    #[must_use]
    pub fn may_open(&self, caller: &Caller, workspace: WorkspaceId) -> bool {
        let directory = self.directory();
        match caller.user {
            None => true,
            Some(id) => directory
                .workspace(workspace)
                .zip(directory.user(id))
                .is_some_and(|(workspace, user)| user.is_active() && workspace.may_open(user)),
        }
    }

    /// Runs a member of the next group commit and rings every bell afterwards.
    pub(crate) async fn commit<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let answer = self.commit_asking(Vec::new(), work).await;
        if answer.is_ok() {
            self.ring();
        }
        answer
    }

    /// As [`Engine::commit`], for work that says what it is going to ask the database, and leaves nothing to send and
    /// nothing that is due before long.
    pub(crate) async fn commit_asking<T, F>(&self, questions: Vec<Question>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let answer = self.inner.writer.run_asking(questions, work).await;
        if answer.is_ok() {
            self.ring_for_news();
        }
        answer
    }

    /// Something came in or was decided: the router and the desks should look.
    pub(crate) fn ring_for_news(&self) {
        self.inner.router_bell.notify_one();
        self.inner.event_bell.notify_one();
    }

    /// Something was committed: whoever waits for the database should look.
    pub(crate) fn ring(&self) {
        self.ring_for_news();
        self.inner.outbox_bell.notify_one();
        self.inner.timer_bell.notify_one();
    }

    pub(crate) fn set_directory(&self, directory: Arc<Directory>) {
        let mut current = self.inner.directory.write().unwrap_or_else(PoisonError::into_inner);
        if directory.version > current.version {
            *current = directory;
        }
    }

    /// Reads the directory in force again, after another host or this one changed it.
    pub(crate) async fn refresh_directory(&self) -> Result<()> {
        let directory = self.inner.store.latest_directory().await?;
        self.set_directory(directory);
        Ok(())
    }

    /// The channel that a reply on this one goes out through, with its slug.
    pub(crate) fn sending_outlet(&self, slug: &str) -> Option<(&str, &Outlet)> {
        let (own_slug, own) = self.inner.outlets.get_key_value(slug)?;
        match &own.reply_via {
            None => Some((own_slug, own)),
            Some(via) => self.inner.outlets.get_key_value(via.as_str()).map(|(slug, outlet)| (slug.as_str(), outlet)),
        }
    }

    /// Channels of the directory whose conversations a message on this channel may belong to: itself, and those
    /// whose replies go out through it, always or when the contact has left a chat.
    pub(crate) fn threads_into(&self, directory: &Directory, slug: &str) -> Vec<ChannelEntry> {
        let linked = |other: &ChannelEntry| {
            self.inner.outlets.get(&other.slug).and_then(|outlet| outlet.reply_via.as_deref()) == Some(slug)
        };
        let own = directory.channel_by_slug(slug).map(|channel| channel.id);
        let mails = |other: &ChannelEntry| own.is_some() && other.chat_settings().and_then(|chat| chat.mail_channel) == own;
        let all = directory.channels.iter();
        all.filter(|channel| channel.slug == slug || linked(channel) || mails(channel)).cloned().collect()
    }
}

/// The user behind a caller, or why nobody may act.
pub(crate) fn caller_user<'d>(directory: &'d Directory, caller: &Caller) -> Result<&'d User> {
    let id = caller.user.ok_or_else(|| EngineError::forbidden("only a signed-in person can do that; a program cannot"))?;
    directory.user(id).filter(|user| user.is_active()).ok_or_else(|| EngineError::forbidden("your account is not active"))
}

/// Whether an identity of this kind is proof of who writes, on its own channel (ROUTING 7.3).
pub(crate) fn is_proof(kind: ChannelKind, identity: Option<&Identity>) -> bool {
    match kind {
        // Of an account the site that embeds the chat has vouched.
        ChannelKind::Chat => {
            identity.is_some_and(|identity| matches!(identity.kind, IdentityKind::Cookie | IdentityKind::Account))
        }
        ChannelKind::Form => identity.is_some_and(|identity| identity.kind == IdentityKind::Cookie),
        _ => identity.is_some(),
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            StoreErrorKind::Full | StoreErrorKind::Unreachable | StoreErrorKind::Locked | StoreErrorKind::TooNew => {
                EngineErrorKind::Unavailable
            }
            StoreErrorKind::Busy | StoreErrorKind::Superseded => EngineErrorKind::Busy,
            StoreErrorKind::Unknown => EngineErrorKind::Unknown,
            StoreErrorKind::NotFound => EngineErrorKind::NotFound,
            StoreErrorKind::Invalid => EngineErrorKind::Invalid,
            StoreErrorKind::Conflict | StoreErrorKind::Corrupt | StoreErrorKind::Internal => EngineErrorKind::Internal,
        };
        Self::new(kind, error.message)
    }
}
