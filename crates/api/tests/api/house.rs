//! A whole house for one test: database, engine with its tasks, router, people, and clients that talk to it.

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_api::{ApiOptions, RateLimits};
use switchboard_channel::{Channel, ChannelError};
use switchboard_channel_testkit::ManualClock;
use switchboard_engine::{ApplyOptions, Caller, Engine, EngineOptions, Outlet};
use switchboard_model::{
    Attachment, Capabilities, ChannelKind, Delivered, Identity, InboundMessage, MessageDetails, Nature, OutboundMessage, Proof,
    Receipt, Sender, ThreadHints, UserId,
};
use switchboard_storage::{Store, StoreOptions};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";

/// Longer than anything takes that happens at once, on a machine that does much else.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// Channels: `mail` into the inbox, routed to the support team; `plain` into the inbox without a rule; `help` into
/// the help desk without a rule; `private` into an inbox that only the team may open.
const DIRECTORY: &str = r#"
[[teams]]
slug = "support"
name = "Support"

[[users]]
email = "vera@example.test"
name = "Vera"
role = "viewer"

[[users]]
email = "ada@example.test"
name = "Ada"
role = "agent"
seat = "service"
ticket_access = true
team = "support"

[[users]]
email = "bo@example.test"
name = "Bo"
role = "agent"
seat = "service"
ticket_access = true

[[users]]
email = "liv@example.test"
name = "Liv"
role = "lead"
ticket_access = true

[[users]]
email = "root@example.test"
name = "Root"
role = "admin"
ticket_access = true

[[workspaces]]
slug = "inbox"
name = "Inbox"
kind = "inbox"

[[workspaces]]
slug = "desk"
name = "Help desk"
kind = "help_desk"

[[workspaces]]
slug = "team"
name = "Team only"
kind = "inbox"
access = { teams = ["support"] }

[[channels]]
slug = "mail"
name = "Mail"
kind = "email"
workspace = "inbox"
[channels.rule]
[[channels.rule.cases]]
target = { users_and_teams = ["team:support"] }

[[channels]]
slug = "plain"
name = "Plain"
kind = "email"
workspace = "inbox"

[[channels]]
slug = "help"
name = "Help"
kind = "email"
workspace = "desk"

[[channels]]
slug = "private"
name = "Private"
kind = "email"
workspace = "team"
"#;

/// Everything that one test needs; dropped with it.
pub struct House {
    pub engine: Engine,
    pub router: Router,
    pub shutdown: CancellationToken,
    tasks: TaskTracker,
    messages: AtomicU64,
    passwords: Mutex<BTreeSet<String>>,
    _folder: tempfile::TempDir,
}

/// Somebody who talks to the API.
#[derive(Clone, Default)]
pub struct Client {
    router: Router,
    pub cookie: Option<String>,
    pub bearer: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

struct Silent;

#[async_trait]
impl Channel for Silent {
    fn capabilities(&self) -> Capabilities {
        Capabilities { reply: true, subject: true, attachments: true, html: true, copies: true, recall: true }
    }

    async fn send(&self, _message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        Ok(Delivered::default())
    }
}

impl House {
    pub async fn new() -> Self {
        let rates = RateLimits {
            address_per_second: 0,
            caller_per_second: 0,
            sign_in_per_minute_and_address: 0,
            sign_in_per_minute_and_email: 0,
            ..RateLimits::default()
        };
        Self::with(ApiOptions { rates, ..ApiOptions::default() }).await
    }

    pub async fn with(options: ApiOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("house.db").display());
        // Nothing is given up because the machine does much else.
        let options_of_store = StoreOptions { busy_timeout_ms: 60_000, ..StoreOptions::default() };
        let store = Store::open(&url, options_of_store).await.expect("a database");
        let outlet =
            |slug: &str| (slug.to_owned(), Outlet { channel: Arc::new(Silent), kind: ChannelKind::Email, reply_via: None });
        let engine_options = EngineOptions {
            store,
            clock: ManualClock::new(),
            outlets: BTreeMap::from(["mail", "plain", "help", "private"].map(outlet)),
            words: Arc::new(|_, key, _| key.to_owned()),
            holder: "test".to_owned(),
            session_idle_ms: 3_600_000,
            session_ms: 86_400_000,
        };
        let (engine, writing) = Engine::new(engine_options).await.expect("an engine");
        // The writer ends when the last handle on the engine is dropped, so nothing waits for it.
        options.tasks.spawn(writing);
        let (shutdown, tasks) = (options.shutdown.clone(), TaskTracker::new());
        tasks.spawn(engine.clone().run_events(shutdown.clone()));
        engine.apply(&Caller::system(), DIRECTORY, ApplyOptions::default()).await.expect("a directory");
        let router = switchboard_api::router(engine.clone(), options);
        Self { engine, router, shutdown, tasks, messages: AtomicU64::new(0), passwords: Mutex::default(), _folder: folder }
    }

    /// Has arrivals routed from now on. Without it nothing but the test itself changes an item.
    pub fn start_router(&self) {
        self.tasks.spawn(self.engine.clone().run_router(self.shutdown.clone()));
    }

    /// Nobody in particular.
    pub fn stranger(&self) -> Client {
        Client { router: self.router.clone(), ..Client::default() }
    }

    pub fn user(&self, name: &str) -> UserId {
        self.engine.directory().user_by_email(&email(name)).map(|user| user.id).expect("a user of the directory")
    }

    pub async fn give_password(&self, name: &str) {
        self.engine.set_password(&Caller::system(), self.user(name), SecretString::from(PASSWORD)).await.expect("a password");
    }

    /// Somebody signed in. A new password would end the sessions there are, so each gets one once.
    pub async fn sign_in(&self, name: &str) -> Client {
        let is_first = self.passwords.lock().expect("no test panicked here").insert(name.to_owned());
        if is_first {
            self.give_password(name).await;
        }
        let mut client = self.stranger();
        let answer = client.post("/session", json!({"email": email(name), "password": PASSWORD})).await.is(200);
        let cookie = answer.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair");
        client.cookie = Some(cookie.to_owned());
        client
    }

    /// A program with a token.
    pub async fn program(&self, scope: switchboard_engine::Scope) -> Client {
        let (secret, _) = self.engine.create_token(&Caller::system(), "test", &[scope], None).await.expect("a token");
        Client { bearer: Some(secrecy::ExposeSecret::expose_secret(&secret).to_owned()), ..self.stranger() }
    }

    /// A message from a contact of that name.
    pub async fn arrives(&self, channel: &str, contact: &str, text: &str) -> Receipt {
        self.arrives_with(channel, contact, text, Vec::new()).await
    }

    pub async fn arrives_with(&self, channel: &str, contact: &str, text: &str, attachments: Vec<Attachment>) -> Receipt {
        let number = self.messages.fetch_add(1, Ordering::Relaxed);
        let identity = Identity::email(&format!("{contact}@customer.test"));
        let message = InboundMessage {
            channel: channel.to_owned(),
            external_id: format!("<{number}@customer.test>"),
            further_ids: Vec::new(),
            sent_at: None,
            sender: Sender { identity, also: Vec::new(), proof: Proof::Channel, name: Some(contact.to_owned()) },
            thread: ThreadHints { key: Some(format!("{channel}/{contact}")), ..ThreadHints::default() },
            subject: Some(format!("From {contact}")),
            text: text.to_owned(),
            html: None,
            fields: Vec::new(),
            attachments,
            recipients: Vec::new(),
            language: None,
            nature: Nature::Message,
            details: MessageDetails::default(),
            raw: None,
        };
        self.engine.take_in(message).await.expect("taken in")
    }

    /// Waits for an event for which `is` holds, from `feed`, which was subscribed before the cause.
    pub async fn wait_for(
        &self,
        feed: &mut tokio::sync::broadcast::Receiver<switchboard_model::LiveEvent>,
        is: impl Fn(&switchboard_model::LiveEvent) -> bool,
    ) {
        let seen = async {
            while let Ok(event) = feed.recv().await {
                if is(&event) {
                    return;
                }
            }
            panic!("the feed ended");
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("the event comes");
    }

    /// Stops everything, and sees that it stops.
    pub async fn close(self) {
        self.shutdown.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("every task ends");
    }
}

pub fn email(name: &str) -> String {
    format!("{name}@example.test")
}

impl Client {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut headers = headers.to_vec();
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send_raw(method, path, body, &headers).await
    }

    pub async fn send_raw(&self, method: Method, path: &str, body: Body, headers: &[(&str, &str)]) -> Answer {
        let response = self.open(method.clone(), path, body, headers).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 * 1024 * 1024).await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        if parts.headers.get("content-type").is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.ends_with("json"))) {
            crate::conformance::check(&method, path, parts.status.as_u16(), &body);
        }
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The response with its body unread. A path that begins with `/api` or ends in `z` is taken as it is.
    pub async fn open(&self, method: Method, path: &str, body: Body, headers: &[(&str, &str)]) -> axum::response::Response {
        let is_whole = path.starts_with("/api") || ["/healthz", "/readyz", "/metrics"].contains(&path);
        let uri = if is_whole { path.to_owned() } else { format!("/api/v1{path}") };
        let mut request = Request::builder().method(method).uri(uri).header("host", "desk.test");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        self.router.clone().oneshot(request).await.expect("a router does not fail")
    }
}

impl Answer {
    /// Itself, when it has that status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    /// Itself, when it is a problem document of that status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string() && self.body["type"].is_string() && self.body["detail"].is_string());
        self.is(status)
    }

    /// A whole number of the body.
    #[track_caller]
    pub fn number(&self, key: &str) -> i64 {
        self.body[key].as_i64().unwrap_or_else(|| panic!("`{key}` in {}", self.body))
    }
}
