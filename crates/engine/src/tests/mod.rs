//! The use cases over a real SQLite database, with the router's task running and a channel that remembers.

mod by_mail;
mod chat;
mod chatflows;
mod directory;
mod gluing;
mod hand_back;
mod merging;
mod moving;
mod people;
mod presence;
mod proof;
mod queue;
mod routing;
mod sending;
mod sweep;
mod threading;
mod threads;
mod triage;

use crate::{ApplyOptions, Caller, Engine, EngineOptions, ItemsQuery, NewMessage, Outlet};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_channel::{Channel, ChannelError, Clock, ErrorKind, Inbox, Retry};
use switchboard_model::{
    Actor, Address, Capabilities, ChannelKind, Delivered, Identity, InboundMessage, ItemId, ItemRow, ItemSort, ItemView,
    LiveEvent, LiveEventKind, MessageDetails, Nature, OutboundMessage, Owner, Proof, Receipt, RefusedRecipient, Sender,
    ThreadHints, Timestamp, UserId, View,
};
use switchboard_storage::{NewEvent, Store, StoreOptions};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// 2026-11-23, a Monday, 10:00 in Oslo.
const MONDAY: i64 = 1_795_424_400_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Two inboxes and a help desk; Ann leads, Bo and Cy work in Support, Di in Sales, Ed reads.
const DIRECTORY: &str = r#"
[[teams]]
slug = "support"
[[teams]]
slug = "sales"

[[users]]
email = "ann@desk.test"
name = "Ann"
role = "admin"
[[users]]
email = "bo@desk.test"
name = "Bo"
seat = "service"
team = "support"
capacity = { total = 2 }
[[users]]
email = "cy@desk.test"
name = "Cy"
seat = "service"
team = "support"
capacity = { total = 2 }
[[users]]
email = "di@desk.test"
name = "Di"
seat = "sales"
team = "sales"
extra_teams = ["support"]
[[users]]
email = "ed@desk.test"
name = "Ed"
role = "viewer"

[[workspaces]]
slug = "mail"
kind = "inbox"
[[workspaces]]
slug = "closed_circle"
kind = "inbox"
access = { teams = ["sales"] }
[[workspaces]]
slug = "tickets"
kind = "help_desk"

[[channels]]
slug = "support"
kind = "email"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:support"] }, distribution = "load_balanced" }]

[[channels]]
slug = "queue"
kind = "email"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:support"] }, distribution = "load_balanced", when_nobody = "wait" }]

[[channels]]
slug = "triage"
kind = "email"
workspace = "mail"

[[channels]]
slug = "sales"
kind = "email"
workspace = "closed_circle"
[channels.rule]
cases = [{ target = { contact_owner = { fallback = { users_and_teams = ["team:sales"] } } } }]

[[channels]]
slug = "form"
kind = "form"
workspace = "tickets"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:support"] } }]
"#;

/// A running engine with its surroundings.
struct Desk {
    engine: Engine,
    clock: Arc<TestClock>,
    outside: Arc<Outside>,
    shutdown: CancellationToken,
    folder: Arc<tempfile::TempDir>,
    serial: AtomicU64,
}

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The world beyond the channels: what was sent, and whether sending fails.
#[derive(Default)]
struct Outside {
    sent: Mutex<Vec<OutboundMessage>>,
    fails: Mutex<Option<Retry>>,
    /// How often sending has failed for that.
    failures: AtomicU64,
    /// Mails with files are refused for good.
    refuses_files: Mutex<bool>,
    /// Nothing can be sent at all.
    unreachable: Mutex<bool>,
    /// The mail server never answers.
    hangs: Mutex<bool>,
    /// Recipients that are refused while others are not, and whether trying again may help.
    refuses: Mutex<BTreeMap<String, bool>>,
}

impl Outside {
    fn refused(&self, message: &OutboundMessage) -> Vec<RefusedRecipient> {
        let everybody = message.to.iter().chain(&message.cc).chain(&message.bcc).map(|to| to.address.clone());
        let wanted = everybody.filter(|address| message.only.is_empty() || message.only.contains(address));
        let refuses = self.refuses.lock().unwrap();
        let refused = wanted.filter_map(|address| Some((refuses.get(&address).copied()?, address)));
        refused.map(|(again, address)| RefusedRecipient { address, reason: "450 4.2.1 not now".to_owned(), again }).collect()
    }
}

/// A channel that hands everything to the outside.
struct TestChannel {
    outside: Arc<Outside>,
    replies: bool,
}

#[async_trait]
impl Channel for TestChannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities { reply: self.replies, subject: true, attachments: true, html: true, copies: true, recall: true }
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        if let Some(retry) = *self.outside.fails.lock().unwrap() {
            self.outside.failures.fetch_add(1, Ordering::SeqCst);
            return Err(ChannelError::new(ErrorKind::Rejected, retry, "sending", "mailbox full (552)"));
        }
        if message.channel == "support" && *self.outside.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        if message.channel == "support" && !message.attachments.is_empty() && *self.outside.refuses_files.lock().unwrap() {
            return Err(ChannelError::new(ErrorKind::Rejected, Retry::Never, "sending", "message too big (552)"));
        }
        if *self.outside.unreachable.lock().unwrap() {
            return Err(ChannelError::new(ErrorKind::Unreachable, Retry::Later, "sending", "no route"));
        }
        self.outside.sent.lock().unwrap().push(message.clone());
        Ok(Delivered { reference: Some(format!("<{}@desk.test>", message.key)), refused: self.outside.refused(message) })
    }
}

impl Desk {
    /// A desk whose router runs.
    async fn open() -> Self {
        let desk = Self::without_router().await;
        desk.start_router();
        desk
    }

    /// A desk whose router has not been started.
    async fn without_router() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(TestClock(AtomicI64::new(MONDAY)));
        let desk = Self::over(folder, clock).await;
        desk.engine.apply(&Caller::system(), DIRECTORY, ApplyOptions::default()).await.unwrap();
        desk
    }

    async fn over(folder: Arc<tempfile::TempDir>, clock: Arc<TestClock>) -> Self {
        let url = format!("sqlite:{}", folder.path().join("desk.db").display());
        // Whoever holds the only connection for reading while waiting for another stops everything.
        let store =
            Store::open(&url, StoreOptions { readers: 1, busy_timeout_ms: 60_000, ..StoreOptions::default() }).await.unwrap();
        let outside = Arc::new(Outside::default());
        let outlet = |kind, replies, reply_via: Option<&str>| Outlet {
            channel: Arc::new(TestChannel { outside: Arc::clone(&outside), replies }),
            kind,
            reply_via: reply_via.map(str::to_owned),
        };
        let outlets = BTreeMap::from([
            ("support".to_owned(), outlet(ChannelKind::Email, true, None)),
            ("queue".to_owned(), outlet(ChannelKind::Email, true, None)),
            ("triage".to_owned(), outlet(ChannelKind::Email, false, None)),
            ("sales".to_owned(), outlet(ChannelKind::Email, true, None)),
            ("chat".to_owned(), outlet(ChannelKind::Chat, true, None)),
            ("help".to_owned(), outlet(ChannelKind::Chat, true, None)),
            ("form".to_owned(), outlet(ChannelKind::Form, false, Some("support"))),
        ]);
        let options = EngineOptions {
            store,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            outlets,
            words: Arc::new(|_, key, values| values.iter().fold(key.to_owned(), |text, (_, value)| text + " " + value)),
            holder: "test".to_owned(),
            session_idle_ms: HOUR_MS,
            session_ms: 24 * HOUR_MS,
        };
        let (engine, writing) = Engine::new(options).await.unwrap();
        let shutdown = CancellationToken::new();
        spawn(writing);
        spawn(engine.clone().run_events(shutdown.clone()));
        spawn(engine.clone().run_delivery(shutdown.clone()));
        spawn(engine.clone().run_timers(shutdown.clone()));
        spawn(engine.clone().run_presence(shutdown.clone()));
        spawn(engine.clone().run_threads(shutdown.clone()));
        spawn(engine.clone().run_signals(shutdown.clone()));
        Self { engine, clock, outside, shutdown, folder, serial: AtomicU64::new(0) }
    }

    fn start_router(&self) {
        spawn(self.engine.clone().run_router(self.shutdown.clone()));
    }

    /// Stops everything and opens the same database again, with the router running.
    async fn reopen(self) -> Self {
        self.shutdown.cancel();
        self.engine.settle().await.unwrap();
        self.engine.inner.store.close().await;
        let desk = Self::over(Arc::clone(&self.folder), Arc::clone(&self.clock)).await;
        desk.serial.store(self.serial.load(Ordering::SeqCst), Ordering::SeqCst);
        desk.start_router();
        desk
    }

    fn user(&self, name: &str) -> UserId {
        self.engine.directory().user_by_email(&format!("{name}@desk.test")).unwrap().id
    }

    fn as_user(&self, name: &str) -> Caller {
        let directory = self.engine.directory();
        let user = directory.user_by_email(&format!("{name}@desk.test")).unwrap();
        Caller { actor: Actor::User { id: user.id }, user: Some(user.id), role: user.role }
    }

    fn owned_by(&self, name: &str) -> Option<Owner> {
        Some(Owner::User { id: self.user(name) })
    }

    /// A mail to a channel, taken in and routed.
    async fn mail(&self, channel: &str, from: &str) -> ItemId {
        self.receive(self.message(channel, from)).await
    }

    /// Takes a message in, waits for the router, and answers with the work item.
    async fn receive(&self, message: InboundMessage) -> ItemId {
        let receipt = self.push(message).await;
        self.routed().await;
        let view = self.view(receipt.conversation.into()).await;
        view.row.ticket.map_or(view.row.id, ItemId::from)
    }

    async fn push(&self, message: InboundMessage) -> Receipt {
        self.engine.push(message).await.unwrap()
    }

    /// A mail that nobody has sent yet.
    fn message(&self, channel: &str, from: &str) -> InboundMessage {
        let serial = self.serial.fetch_add(1, Ordering::SeqCst);
        InboundMessage {
            channel: channel.to_owned(),
            external_id: format!("external-{serial}"),
            further_ids: Vec::new(),
            sent_at: None,
            sender: Sender { identity: Identity::email(from), also: Vec::new(), proof: Proof::Channel, name: None },
            thread: ThreadHints { own_reference: Some(format!("<in-{serial}@customer.test>")), ..ThreadHints::default() },
            subject: Some("Where is my parcel?".to_owned()),
            text: "It should have come on Monday.".to_owned(),
            html: None,
            fields: Vec::new(),
            attachments: Vec::new(),
            recipients: vec![Address { name: None, address: "colleague@customer.test".to_owned() }],
            language: None,
            nature: Nature::Message,
            details: MessageDetails::default(),
            raw: None,
        }
    }

    /// Waits until the router has consumed everything.
    async fn routed(&self) {
        eventually("the router has consumed everything", async || self.engine.statistics().await.unwrap().unconsumed == 0).await;
    }

    /// Waits until the outbox is empty and answers with everything that was sent.
    async fn sent(&self) -> Vec<OutboundMessage> {
        eventually("the outbox is empty", async || self.engine.statistics().await.unwrap().outbox == 0).await;
        self.outside.sent.lock().unwrap().clone()
    }

    async fn view(&self, id: ItemId) -> ItemView {
        self.engine.item(&Caller::system(), id).await.unwrap()
    }

    async fn row(&self, id: ItemId) -> ItemRow {
        self.view(id).await.row
    }

    async fn owner(&self, id: ItemId) -> Option<Owner> {
        self.row(id).await.owner
    }

    async fn list(&self, name: &str, view: View) -> Vec<ItemId> {
        let query = ItemsQuery { view, kind: None, workspace: None, sort: ItemSort::Newest, cursor: None, limit: 50 };
        let page = self.engine.items(&self.as_user(name), query).await.unwrap();
        page.rows.into_iter().map(|row| row.id).collect()
    }

    async fn reply(&self, name: &str, item: ItemId, text: &str) {
        self.engine.post_message(&self.as_user(name), item, new_message(text, true)).await.unwrap();
        self.routed().await;
    }

    /// Live events from now on; the task that hands them on has begun.
    async fn follow(&self) -> broadcast::Receiver<LiveEvent> {
        let (mut events, store) = (self.engine.subscribe(), self.engine.inner.store.clone());
        let mut is_heard = false;
        while !is_heard {
            let event = NewEvent::new(LiveEventKind::Directory, self.engine.now());
            store.write(move |tx| Box::pin(async move { tx.insert_events(&[event]).await })).await.unwrap();
            self.engine.ring();
            is_heard = tokio::time::timeout(Duration::from_millis(50), events.recv()).await.is_ok();
        }
        events
    }

    fn advance(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
        self.engine.ring();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn new_message(text: &str, reply: bool) -> NewMessage {
    NewMessage {
        reply,
        text: text.to_owned(),
        html: None,
        to: Vec::new(),
        cc: Vec::new(),
        bcc: Vec::new(),
        undo_seconds: 0,
        attachments: Vec::new(),
        seen_message: None,
        take: true,
    }
}

/// Longer than anything takes that happens at once, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(45);

/// Waits for a condition, looking again every few milliseconds, and fails by name after a while.
async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(3));
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            ticks.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain until {what}");
}

#[expect(clippy::disallowed_methods, reason = "there is no host here that would spawn")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
