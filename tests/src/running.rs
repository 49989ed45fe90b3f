//! The engine in this process, with every task that the host runs beside it: several on one database if need be, each
//! of which can be stopped as hosts stop, and frozen as hosts freeze.

use anyhow::Result;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use switchboard_channel::{Channel, ChannelError, Clock};
use switchboard_engine::{Engine, EngineOptions, Outlet};
use switchboard_model::{
    Capabilities, ChannelKind, Delivered, Identity, InboundMessage, MessageDetails, Nature, OutboundMessage, Proof, Sender,
    ThreadHints, Timestamp,
};
use switchboard_storage::{Store, StoreOptions};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// How often it is looked at whether everything is routed.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const HOUR_MS: i64 = 3_600_000;
/// How long a lock or a connection is waited for. The default is for people who wait; here a busy machine must not fail.
const BUSY_MS: u64 = 60_000;

/// A running engine.
pub struct Running {
    /// The engine.
    pub engine: Engine,
    /// Its database.
    pub store: Store,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    writing: JoinHandle<()>,
    router: Mutex<Option<(CancellationToken, JoinHandle<()>)>>,
}

/// The system's clocks, as the host has them.
pub struct SystemClock(Instant);

/// A clock that goes when it is told to.
pub struct SetClock(AtomicI64);

/// A channel that nothing goes out through.
struct OneWay;

#[async_trait]
impl Channel for OneWay {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn send(&self, _message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        Ok(Delivered::default())
    }
}

impl Running {
    /// An engine over a database under a name of its own, with these channels connected. Its router is not started.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn open(url: &str, holder: &str, channels: &[(&str, ChannelKind)], clock: Arc<dyn Clock>) -> Result<Self> {
        let store = Store::open(url, StoreOptions { busy_timeout_ms: BUSY_MS, ..StoreOptions::default() }).await?;
        let outlet = |kind| Outlet { channel: Arc::new(OneWay), kind, reply_via: None };
        let options = EngineOptions {
            store: store.clone(),
            clock,
            outlets: channels.iter().map(|(slug, kind)| ((*slug).to_owned(), outlet(*kind))).collect::<BTreeMap<_, _>>(),
            words: Arc::new(|_, key, _| key.to_owned()),
            holder: holder.to_owned(),
            session_idle_ms: HOUR_MS,
            session_ms: 24 * HOUR_MS,
        };
        let (engine, writing) = Engine::new(options).await?;
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(engine.clone().run_events(shutdown.clone()));
        tasks.spawn(engine.clone().run_timers(shutdown.clone()));
        tasks.spawn(engine.clone().run_delivery(shutdown.clone()));
        let writing = tokio::spawn(writing);
        Ok(Self { engine, store, shutdown, tasks, writing, router: Mutex::new(None) })
    }

    /// Starts the router's task, unless it runs.
    pub fn start_router(&self) {
        let mut router = self.router.lock().unwrap_or_else(PoisonError::into_inner);
        if router.is_none() {
            let stop = self.shutdown.child_token();
            let task = tokio::spawn(self.engine.clone().run_router(stop.clone()));
            *router = Some((stop, task));
        }
    }

    /// Stops the router's task as a host does that is told to stop: its lease is given back.
    pub async fn stop_router(&self) {
        if let Some((stop, task)) = self.take_router() {
            stop.cancel();
            let _ = task.await;
        }
    }

    /// Ends the router's task wherever it is, as if its host had frozen: its lease runs out.
    pub async fn freeze_router(&self) {
        if let Some((_, task)) = self.take_router() {
            task.abort();
            let _ = task.await;
        }
    }

    fn take_router(&self) -> Option<(CancellationToken, JoinHandle<()>)> {
        self.router.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until the router has consumed everything.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn routed(&self) -> Result<()> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        while !self.store.next_inputs(1).await?.is_empty() {
            looks.tick().await;
        }
        Ok(())
    }

    /// Stops as the host does: everything that was begun is committed.
    ///
    /// # Errors
    /// When the last commit fails.
    pub async fn close(mut self) -> Result<()> {
        self.stop_router().await;
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
        let settled = self.engine.settle().await;
        self.writing.abort();
        self.store.close().await;
        Ok(settled?)
    }
}

impl SystemClock {
    /// The system's clocks.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl SetClock {
    /// A clock that stands at a time.
    #[must_use]
    pub const fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.0))
    }

    /// Goes on.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A message to a channel under a name that no other bears, from somebody, in answer to earlier ones if there are any.
#[must_use]
pub fn letter(channel: &str, name: &str, from: &str, answers: &[String]) -> InboundMessage {
    InboundMessage {
        channel: channel.to_owned(),
        external_id: name.to_owned(),
        further_ids: Vec::new(),
        sent_at: None,
        sender: Sender { identity: Identity::email(from), also: Vec::new(), proof: Proof::Channel, name: None },
        thread: ThreadHints {
            own_reference: Some(reference(name)),
            references: answers.iter().map(|answered| reference(answered)).collect(),
            ..ThreadHints::default()
        },
        subject: Some("Where is my parcel?".to_owned()),
        text: name.to_owned(),
        html: None,
        fields: Vec::new(),
        attachments: Vec::new(),
        recipients: Vec::new(),
        language: None,
        nature: Nature::Message,
        details: MessageDetails::default(),
        raw: None,
    }
}

fn reference(name: &str) -> String {
    format!("<{name}@customer.test>")
}
