//! A visitor of a site in its chat: a client of the WebSocket protocol that shares nothing with the one that is tested.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(45);

/// One connection of a visitor.
pub struct Visitor {
    stream: WebSocketStream<TcpStream>,
}

impl Visitor {
    /// Opens a socket of the chat `chat` at a host's address, and says hello; returns the answer besides. `None` when the
    /// host is not there or goes away meanwhile.
    ///
    /// # Panics
    /// When the host answers with anything but a socket.
    pub async fn try_visit(host: &str, hello: &Value) -> Option<(Self, Value)> {
        let address = host.strip_prefix("http://").expect("hosts of tests speak HTTP");
        let mut request = format!("ws://{address}/channels/chat/socket").into_client_request().expect("an address");
        request.headers_mut().insert("sec-websocket-protocol", "switchboard.chat.1".parse().expect("a header"));
        let stream = TcpStream::connect(address).await.ok()?;
        let (stream, _) = client_async(request, stream).await.ok()?;
        let mut visitor = Self { stream };
        let mut hello = hello.clone();
        hello["type"] = json!("hello");
        visitor.try_send(&hello).await?;
        let welcome = visitor.try_next().await?;
        Some((visitor, welcome))
    }

    /// The same with a host that stays.
    ///
    /// # Panics
    /// When it does not, or does not welcome the visitor.
    pub async fn visit(host: &str, hello: &Value) -> (Self, Value) {
        let (visitor, welcome) = Self::try_visit(host, hello).await.expect("the host answers");
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (visitor, welcome)
    }

    /// Sends a frame; `None` when the connection is gone.
    pub async fn try_send(&mut self, frame: &Value) -> Option<()> {
        self.stream.send(Message::text(frame.to_string())).await.ok()
    }

    /// Sends a frame.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send(&mut self, frame: &Value) {
        self.try_send(frame).await.expect("the connection holds");
    }

    /// The next frame; `None` when the connection is gone.
    ///
    /// # Panics
    /// When nothing comes in time.
    pub async fn try_next(&mut self) -> Option<Value> {
        let read = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("frames are JSON")),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(_) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a frame comes")
    }

    /// The next frame of a type; others are passed over.
    ///
    /// # Panics
    /// When the connection ends before.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.try_next().await.unwrap_or_else(|| panic!("the connection ended before a `{kind}` came"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Everything up to the answer to a `ping`.
    ///
    /// # Panics
    /// When the connection ends before.
    pub async fn caught_up(&mut self) -> Vec<Value> {
        self.send(&json!({ "type": "ping" })).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.try_next().await.expect("the connection holds");
            if frame["type"] == "pong" {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Writes a message: `client_id`, `text` and whatever else the frame is to have. Returns `accepted` or `refused`.
    ///
    /// # Panics
    /// When the connection ends before.
    pub async fn write(&mut self, client_id: &str, text: &str, more: &Value) -> Value {
        let mut frame = json!({ "type": "message", "client_id": client_id, "text": text });
        let frame_fields = frame.as_object_mut().expect("it is an object");
        frame_fields.extend(more.as_object().cloned().unwrap_or_default());
        self.send(&frame).await;
        loop {
            let answer = self.try_next().await.expect("the connection holds");
            if answer["type"] == "accepted" || answer["type"] == "refused" {
                return answer;
            }
        }
    }
}

/// What a site's server says about its visitor: `{id, hash}`.
#[must_use]
pub fn signed_id(secret: &str, id: &str) -> Value {
    let hash = sign(secret, id).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    });
    json!({ "id": id, "hash": hash })
}

/// The same as a signed token with these claims (RFC 7519, HS256).
#[must_use]
pub fn signed_token(secret: &str, claims: &Value) -> Value {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(secret, &signed));
    json!({ "jwt": format!("{signed}.{signature}") })
}

fn sign(secret: &str, text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}
