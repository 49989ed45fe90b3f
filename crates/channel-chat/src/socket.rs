//! One WebSocket: the handshake, frames in and out under time limits, and an end that the other side gets to see.

use crate::encode::SUBPROTOCOL;
use axum::response::{IntoResponse, Response};
use futures::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

/// Most connections are silent most of the time, so each holds little: this much is read at once.
const READ_BUFFER_BYTES: usize = 2_048;
/// The most that waits to be written. One frame has to fit, and the longest are messages with their HTML.
const WRITE_BUFFER_BYTES: usize = 16 * 1_024 * 1_024;
/// How long, and for how many bytes, the other side may go on after we have closed.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 8 * 1_024 * 1_024;

/// An open WebSocket.
pub(crate) struct Socket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
    write_timeout: Duration,
    /// What comes can no longer be told apart into frames.
    is_garbled: bool,
}

/// What came.
pub(crate) enum Incoming {
    /// A text frame.
    Text(Utf8Bytes),
    /// A sign of life.
    Alive,
    /// A frame with which the connection ends.
    Bad(Bad),
    /// The other side is gone.
    Gone,
}

/// What no client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    TooLarge,
    Binary,
    NotUtf8,
    NoWebSocket,
}

/// The other side is gone, or does not read.
#[derive(Debug)]
pub(crate) struct Gone {
    /// It was there and did not read in time.
    pub(crate) is_slow: bool,
}

/// Answers the handshake; the answer has to be sent for the upgrade to come about. `Err` says why it is none of
/// ours.
pub(crate) fn handshake(method: &Method, headers: &HeaderMap) -> Result<Response, &'static str> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    if method != Method::GET || !has(CONNECTION, "upgrade") || !has(UPGRADE, "websocket") {
        return Err("this address speaks WebSocket");
    }
    if !has(SEC_WEBSOCKET_VERSION, "13") {
        return Err("the version of WebSocket is 13");
    }
    if !has(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err("the subprotocol is switchboard.chat.1");
    }
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else { return Err("the handshake has no key") };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).expect("a digest in base64 fits a header");
    let answer = [
        (CONNECTION, HeaderValue::from_static("upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accept),
        (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL)),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, answer).into_response())
}

impl Socket {
    /// Waits for the upgrade. `None` when the other side has gone meanwhile.
    pub(crate) async fn open(upgrade: OnUpgrade, frame_bytes: usize, write_timeout: Duration) -> Option<Self> {
        let upgraded = timeout(write_timeout, upgrade).await.ok()?.ok()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(frame_bytes))
            .max_frame_size(Some(frame_bytes));
        let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        Some(Self { stream, write_timeout, is_garbled: false })
    }

    /// The next frame. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn next(&mut self) -> Incoming {
        let bad = match self.stream.next().await {
            Some(Ok(Message::Text(text))) => return Incoming::Text(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Incoming::Alive,
            Some(Ok(Message::Binary(_))) => return Incoming::Bad(Bad::Binary),
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Incoming::Gone,
            Some(Err(Error::Capacity(_))) => Bad::TooLarge,
            Some(Err(Error::Utf8(_))) => Bad::NotUtf8,
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::Io(_))) => return Incoming::Gone,
            Some(Err(_)) => Bad::NoWebSocket,
        };
        self.is_garbled = true;
        Incoming::Bad(bad)
    }

    /// Sends a text frame.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), Gone> {
        self.write(Message::Text(text.into())).await
    }

    /// Asks whether the other side is there.
    pub(crate) async fn ping(&mut self) -> Result<(), Gone> {
        self.write(Message::Ping(Bytes::new())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(self.write_timeout, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|_| Gone { is_slow: false }),
            Err(_) => Err(Gone { is_slow: true }),
        }
    }

    /// Sends a last text and closes. What is still on its way here is read and dropped for a while, because a connection
    /// that is cut with unread bytes takes our last words along.
    pub(crate) async fn close(mut self, last: String, code: u16) {
        let close = CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::default() };
        if self.send(last).await.is_err() || self.write(Message::Close(Some(close))).await.is_err() {
            return;
        }
        // Whoever does not end its side in time has it ended.
        let _ = timeout(LINGER, self.drain()).await;
    }

    async fn drain(&mut self) {
        if !self.is_garbled {
            while let Some(Ok(_)) = self.stream.next().await {}
            return;
        }
        let raw = self.stream.get_mut();
        if raw.shutdown().await.is_err() {
            return;
        }
        let mut buffer = [0; READ_BUFFER_BYTES];
        let mut dropped = 0;
        while dropped < LINGER_BYTES {
            match raw.read(&mut buffer).await {
                Ok(count) if count > 0 => dropped += count,
                _ => return,
            }
        }
    }
}

impl Bad {
    /// The code of the last frame, and of the WebSocket's end.
    pub(crate) const fn codes(self) -> (&'static str, u16) {
        match self {
            Self::TooLarge => ("too_large", 1_009),
            Self::Binary => ("protocol", 1_003),
            Self::NotUtf8 => ("protocol", 1_007),
            Self::NoWebSocket => ("protocol", 1_002),
        }
    }
}
