//! What carries the frames of a connection: a WebSocket, or plain HTTP where there is none.

use crate::relay::Relay;
use crate::socket::{Gone, Incoming, Socket};

/// An open connection.
#[expect(clippy::large_enum_variant, reason = "nearly every connection is the larger one")]
pub(crate) enum Wire {
    /// A WebSocket.
    Socket(Socket),
    /// Requests and answers.
    Relay(Relay),
}

impl Wire {
    /// The next frame. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn next(&mut self) -> Incoming {
        match self {
            Self::Socket(socket) => socket.next().await,
            Self::Relay(relay) => relay.next().await,
        }
    }

    /// Sends a text frame.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), Gone> {
        match self {
            Self::Socket(socket) => socket.send(text).await,
            Self::Relay(relay) => relay.send(text).await,
        }
    }

    /// Asks whether the other side is there. Over plain HTTP the client's own pings and polls say so.
    pub(crate) async fn ping(&mut self) -> Result<(), Gone> {
        match self {
            Self::Socket(socket) => socket.ping().await,
            Self::Relay(_) => Ok(()),
        }
    }

    /// Sends a last text and closes, on a WebSocket with this code.
    pub(crate) async fn close(self, last: String, code: u16) {
        match self {
            Self::Socket(socket) => socket.close(last, code).await,
            // Whoever has gone needs no last words.
            Self::Relay(mut relay) => drop(relay.send(last).await),
        }
    }
}
