//! A visitor's browser: connects over a real socket, speaks the protocol, and reads the answers.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use switchboard_channel_chat::REGISTRATION;
use switchboard_channel_testkit::Harness;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tower::ServiceExt;

/// Longest wait for an answer. Far above what any answer takes, so that only a hang meets it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The secrets that the site signs with.
pub const SECRETS: [&str; 2] = ["the-first-secret-of-the-shop", "the-next-secret-of-the-shop"];

/// A chat with limits that no test meets by accident.
pub const SETTINGS: &str = r#"
key = "shop_7Hq2"
origins = ["https://www.shop.test"]
topics = ["delivery", { value = "repair", label = { en = "Repair", nb = "Reparasjon" } }]
identity = { mode = "optional", secrets = ["the-first-secret-of-the-shop", "the-next-secret-of-the-shop"] }
prechat = [
  { name = "name" },
  { name = "email", kind = "email", required = true, label = { en = "Email", nb = "E-post" } },
  { name = "count", kind = "number", topics = ["delivery"] },
  { name = "consent", kind = "consent" },
]
files = { allowed = "all", bytes = 1000, count = 2, types = ["image/*", ".txt"] }

[limits]
messages_per_minute = 6000
message_burst = 1000
address_messages_per_minute = 6000
address_message_burst = 1000
connects_per_minute = 6000
frames_per_minute = 6000
"#;

/// A chat that is served.
pub struct Site {
    pub harness: Harness,
    pub address: SocketAddr,
}

impl Site {
    /// Serves a chat with the usual settings, changed as told: each pair is a text and what stands in its place.
    pub async fn with(changes: &[(&str, &str)]) -> Self {
        let site = Self::quiet(changes).await;
        site.harness.run();
        site
    }

    /// The same without running the chat.
    pub async fn quiet(changes: &[(&str, &str)]) -> Self {
        let mut settings = SETTINGS.to_owned();
        for (found, replacement) in changes {
            assert!(settings.contains(found), "the settings have no {found}");
            settings = settings.replace(found, replacement);
        }
        let harness = Harness::start(&REGISTRATION, "shop_chat", &settings).await;
        let address = serve(&harness).await;
        Self { harness, address }
    }

    /// Serves a chat with the usual settings.
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    /// Serves a started chat, and runs it.
    pub async fn over(harness: Harness) -> Self {
        let address = serve(&harness).await;
        harness.run();
        Self { harness, address }
    }

    /// Opens a socket.
    pub async fn connect(&self) -> Client {
        Client::connect(self.address, &[]).await.expect("the handshake is answered")
    }

    /// Opens a socket and says hello; returns the welcome besides.
    pub async fn visit(&self, hello: Value) -> (Client, Value) {
        let mut client = self.connect().await;
        let welcome = client.hello(hello).await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (client, welcome)
    }

    /// Stops everything.
    pub async fn stop(self) {
        self.harness.stop().await;
    }
}

/// Serves a harness's paths on loopback until it is stopped.
pub async fn serve(harness: &Harness) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let service = harness.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let stop = harness.context.runtime.shutdown.clone();
    harness.context.runtime.spawn(async move {
        let served = axum::serve(listener, service).with_graceful_shutdown(async move { stop.cancelled().await });
        served.await.expect("the server runs until it is stopped");
    });
    address
}

/// One connection.
pub struct Client {
    stream: WebSocketStream<TcpStream>,
}

impl Client {
    /// Shakes hands; `Err` is the status of a refusal.
    pub async fn connect(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/channels/shop_chat/socket").into_client_request().expect("an address");
        request.headers_mut().insert("sec-websocket-protocol", "switchboard.chat.1".parse().expect("a header"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(address).await.expect("the server listens");
        match client_async(request, stream).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Says hello and returns the answer.
    pub async fn hello(&mut self, mut hello: Value) -> Value {
        hello["type"] = json!("hello");
        self.send(&hello).await;
        self.next().await
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &Value) {
        self.stream.send(Message::text(frame.to_string())).await.expect("the frame is taken");
    }

    /// Sends a text frame of any bytes; the other side may close before it has all.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        let frame = Frame::message(bytes.to_vec(), OpCode::Data(Data::Text), true);
        // An error means that it closed; what it said stays to be read.
        let _ = self.stream.send(Message::Frame(frame)).await;
    }

    /// Sends a message of the protocol that belongs to WebSocket itself.
    pub async fn send_message(&mut self, message: Message) {
        self.stream.send(message).await.expect("the frame is taken");
    }

    /// The next frame; at the end `{"type": "closed", "code": ...}`, without code when the connection was cut.
    pub async fn next(&mut self) -> Value {
        let read = async {
            loop {
                return match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("frames are JSON"),
                    Some(Ok(Message::Close(close))) => {
                        json!({"type": "closed", "code": close.map(|close| u16::from(close.code))})
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => json!({"type": "closed"}),
                };
            }
        };
        tokio::time::timeout(ANSWER_TIMEOUT, read).await.expect("the server says something")
    }

    /// The next frame of a type; others are skipped, the end is not.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
            assert_ne!(frame["type"], "closed", "the connection ended before a `{kind}` came");
        }
    }

    /// Everything up to the answer to a `ping`.
    pub async fn caught_up(&mut self) -> Vec<Value> {
        self.send(&json!({"type": "ping"})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            match frame["type"].as_str() {
                Some("pong") => return frames,
                Some("closed") => panic!("the connection ended: {frames:?}"),
                _ => frames.push(frame),
            }
        }
    }

    /// Writes a message into a new conversation and returns the answer.
    pub async fn begin(&mut self, client_id: &str, text: &str) -> Value {
        let fields = json!([["email", "kari@eksempel.test"]]);
        self.send(&json!({"type": "message", "client_id": client_id, "text": text, "fields": fields})).await;
        self.answer().await
    }

    /// Writes into a conversation and returns the answer.
    pub async fn write(&mut self, conversation: &Value, client_id: &str, text: &str) -> Value {
        self.send(&json!({"type": "message", "client_id": client_id, "conversation": conversation, "text": text})).await;
        self.answer().await
    }

    /// The next `accepted`, `refused` or end.
    pub async fn answer(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if matches!(frame["type"].as_str(), Some("accepted" | "refused" | "bye" | "closed")) {
                return frame;
            }
        }
    }

    /// Ends the connection as a lost network does.
    pub async fn lose(self) {
        drop(self.stream);
    }
}

/// A nonce of a page.
pub fn nonce(name: &str) -> String {
    format!("{name}{}", "-".repeat(32 - name.len()))
}

/// Uploads a file; returns status and answer.
pub async fn post(site: &Site, pass: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Value) {
    let mut request = Request::post("/channels/shop_chat/files").header("authorization", format!("Bearer {pass}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).expect("the request is well formed");
    let Ok(response) = site.harness.router.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the answer can be read");
    (status, serde_json::from_slice(&bytes).expect("the answer is JSON"))
}

/// Downloads a file; returns status, headers and bytes.
pub async fn fetch(site: &Site, pass: &str, path: &str) -> (u16, HeaderMap, Vec<u8>) {
    let request = Request::get(format!("/channels/shop_chat/files/{path}")).header("authorization", format!("Bearer {pass}"));
    let request = request.body(Body::empty()).expect("the request is well formed");
    let Ok(response) = site.harness.router.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("the answer can be read");
    (head.status.as_u16(), head.headers, bytes.to_vec())
}

/// The pass of a visitor who acts now.
pub async fn pass_of(client: &mut Client) -> String {
    client.send(&json!({"type": "consent"})).await;
    client.until("session").await["pass"].as_str().expect("a pass").to_owned()
}

/// Writes a message with a file and returns the answer.
pub async fn send_file(client: &mut Client, client_id: &str, id: &Value) -> Value {
    let fields = json!([["email", "kari@eksempel.test"]]);
    client.send(&json!({"type": "message", "client_id": client_id, "text": "", "fields": fields, "files": [id]})).await;
    client.answer().await
}
