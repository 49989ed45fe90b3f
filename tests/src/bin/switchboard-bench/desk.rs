//! The engine in this process, with every task that the host runs beside it, and messages to feed it.

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use switchboard_channel::{Channel, ChannelError, Clock};
use switchboard_engine::{ApplyOptions, Caller, Engine, EngineOptions, Outlet};
use switchboard_model::{
    Capabilities, ChannelKind, Delivered, Identity, InboundMessage, MessageDetails, Nature, OutboundMessage, Proof, RawSource,
    Sender, ThreadHints, Timestamp,
};
use switchboard_storage::{Store, StoreOptions};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// People among whom work is shared out.
pub const AGENTS: usize = 100;
/// The channel that everything comes in through.
pub const CHANNEL: &str = "mail";
/// How often it is looked at whether everything is routed.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const HOUR_MS: i64 = 3_600_000;

/// What a mail of a customer says, the length of most.
const TEXT: &str = "Hello,\n\nlast Thursday I ordered two of the oak shelves from your autumn list, together with the wall \
    mounts that belong to them. The parcel came today, and while the shelves are as nice as in the picture, there is only one \
    set of mounts in the box, and one of the screws has no thread. Could you send me what is missing, or tell me where I can \
    get it nearby? I would like to have them up before my parents visit on the 28th.\n\nI can send a photo if that helps; the \
    box itself was not damaged in any way that I could see.\n\nKind regards, and thank you for the quick delivery otherwise";

/// A running engine.
pub struct Desk {
    /// The engine.
    pub engine: Engine,
    /// Its database.
    pub store: Store,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    writing: tokio::task::JoinHandle<()>,
}

/// The system's clocks, as the host has them.
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A channel that nothing goes out through: what comes in is all that is measured.
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

impl Desk {
    /// An engine over a database, with a team of [`AGENTS`] people and one mailbox shared out by load.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self> {
        let store = Store::open(url, StoreOptions::default()).await?;
        let outlet = Outlet { channel: Arc::new(OneWay), kind: ChannelKind::Email, reply_via: None };
        let options = EngineOptions {
            store: store.clone(),
            clock: Arc::new(SystemClock(Instant::now())),
            outlets: BTreeMap::from([(CHANNEL.to_owned(), outlet)]),
            words: Arc::new(|_, key, _| key.to_owned()),
            holder: String::from("bench"),
            session_idle_ms: HOUR_MS,
            session_ms: 24 * HOUR_MS,
        };
        let (engine, writing) = Engine::new(options).await?;
        let writing = tokio::spawn(writing);
        if engine.directory().users.is_empty() {
            engine.apply(&Caller::system(), &directory(), ApplyOptions::default()).await?;
        }
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(engine.clone().run_router(shutdown.clone()));
        tasks.spawn(engine.clone().run_events(shutdown.clone()));
        tasks.spawn(engine.clone().run_timers(shutdown.clone()));
        tasks.spawn(engine.clone().run_delivery(shutdown.clone()));
        Ok(Self { engine, store, shutdown, tasks, writing })
    }

    /// Lets `clients` push one message after another for a while, waits until the last one is routed, and answers with
    /// messages per second from the first push to the last commit of a decision.
    ///
    /// # Errors
    /// When a message is not taken in, or one stays without an owner.
    pub async fn rate(&self, clients: usize, duration: Duration, serials: &Serials) -> Result<f64> {
        let started = Instant::now();
        let mut pushing = JoinSet::new();
        for _ in 0..clients {
            let (engine, serials) = (self.engine.clone(), serials.clone());
            pushing.spawn(async move {
                let mut pushed = 0_u64;
                while started.elapsed() < duration {
                    engine.take_in(message(&serials.next())).await?;
                    pushed += 1;
                }
                anyhow::Ok(pushed)
            });
        }
        let mut pushed = 0;
        while let Some(done) = pushing.join_next().await {
            pushed += done.context("a client panicked")??;
        }
        self.routed().await?;
        let rate = pushed as f64 / started.elapsed().as_secs_f64();
        let unassigned = self.engine.statistics().await?.unassigned;
        ensure!(unassigned == 0, "{unassigned} of {pushed} messages were left without an owner");
        Ok(rate)
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
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.engine.settle().await?;
        self.writing.abort();
        self.store.close().await;
        Ok(())
    }
}

/// Names for messages that are never given twice, all of one length.
#[derive(Clone)]
pub struct Serials(Arc<std::sync::atomic::AtomicU64>);

impl Serials {
    /// Names of a run of their own.
    pub fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(std::sync::atomic::AtomicU64::new(u64::from(since_epoch.subsec_nanos()) << 32)))
    }

    /// The next name: 16 letters of which no two are alike.
    pub fn next(&self) -> String {
        format!("x{:015x}", self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

/// A mail from somebody who has not written before.
pub fn message(serial: &str) -> InboundMessage {
    let address = format!("{serial}@customer.test");
    let (subject, text) = (format!("Missing wall mounts, order {serial}"), format!("{TEXT}\n{serial}"));
    let reference = format!("<{serial}@customer.test>");
    let raw = format!(
        "From: Kari Nordmann <{address}>\r\nTo: support@example.test\r\nSubject: {subject}\r\nMessage-ID: {reference}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    );
    InboundMessage {
        channel: CHANNEL.to_owned(),
        external_id: format!("mid:{serial}"),
        further_ids: Vec::new(),
        sent_at: Some(Timestamp(1_795_424_400_000)),
        sender: Sender {
            identity: Identity::email(&address),
            also: Vec::new(),
            proof: Proof::Channel,
            name: Some("Kari Nordmann".to_owned()),
        },
        thread: ThreadHints { own_reference: Some(reference), ..ThreadHints::default() },
        subject: Some(subject),
        text,
        html: None,
        fields: Vec::new(),
        attachments: Vec::new(),
        recipients: Vec::new(),
        language: None,
        nature: Nature::Message,
        details: MessageDetails::default(),
        raw: Some(RawSource { content_type: "message/rfc822".to_owned(), bytes: raw.into_bytes().into() }),
    }
}

fn directory() -> String {
    let mut text = String::from("[[teams]]\nslug = \"support\"\n");
    for number in 0..AGENTS {
        let _ = write!(
            text,
            "[[users]]\nemail = \"agent{number}@desk.test\"\nname = \"Agent {number}\"\nseat = \"service\"\nteam = \"support\"\n\
             capacity = {{ total = 100000 }}\n"
        );
    }
    text + "[[workspaces]]\nslug = \"mail\"\nkind = \"inbox\"\n\
        [[channels]]\nslug = \"mail\"\nkind = \"email\"\nworkspace = \"mail\"\n[channels.rule]\n\
        cases = [{ target = { users_and_teams = [\"team:support\"] }, distribution = \"load_balanced\" }]\n"
}
