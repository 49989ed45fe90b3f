//! Connections over plain HTTP, for visitors whose network lets no WebSocket through: what is sent to the client goes out
//! as one long answer or as answers to polls, what the client sends comes one frame per request. A link's secret ties the
//! requests of one connection together.

use crate::socket::{Gone, Incoming};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::time::timeout;

/// Frames that wait for the visit.
const MOST_INCOMING: usize = 16;
/// Frames that wait for the client.
const MOST_OUTGOING: usize = 64;

type Digested = [u8; 32];
pub(crate) type Outgoing = mpsc::Receiver<String>;

/// The links that are open, by digests of their secrets.
#[derive(Default)]
pub(crate) struct Links(Mutex<HashMap<Digested, Far>>);

/// The client's end of a link.
#[derive(Clone)]
pub(crate) struct Far {
    pub(crate) incoming: mpsc::Sender<Incoming>,
    /// What a poll answers with; absent where one long answer carries it.
    pub(crate) outgoing: Option<Arc<AsyncMutex<Outgoing>>>,
}

/// The visit's end of a link. Dropping it ends the link.
pub(crate) struct Relay {
    incoming: mpsc::Receiver<Incoming>,
    outgoing: mpsc::Sender<String>,
    write_timeout: Duration,
    links: Arc<Links>,
    name: Digested,
}

/// A link that was just opened.
pub(crate) struct Opened {
    pub(crate) relay: Relay,
    pub(crate) far: Far,
    /// What the client names it by.
    pub(crate) secret: String,
    /// What one long answer carries; absent where polls ask for it.
    pub(crate) outgoing: Option<Outgoing>,
}

impl Links {
    /// Opens a link, whose frames go out as answers to polls or as one long answer.
    pub(crate) fn open(self: &Arc<Self>, is_polled: bool, write_timeout: Duration) -> Opened {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
        let secret = URL_SAFE_NO_PAD.encode(random);
        let (came, incoming) = mpsc::channel(MOST_INCOMING);
        let (outgoing, going) = mpsc::channel(MOST_OUTGOING);
        let (polled, streamed) = if is_polled { (Some(Arc::new(AsyncMutex::new(going))), None) } else { (None, Some(going)) };
        let (name, far) = (digest(&secret), Far { incoming: came, outgoing: polled });
        self.state().insert(name, far.clone());
        let relay = Relay { incoming, outgoing, write_timeout, links: Arc::clone(self), name };
        Opened { relay, far, secret, outgoing: streamed }
    }

    /// The link of this secret, while it is open.
    pub(crate) fn find(&self, secret: &str) -> Option<Far> {
        self.state().get(&digest(secret)).cloned()
    }

    fn state(&self) -> MutexGuard<'_, HashMap<Digested, Far>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Relay {
    /// The next frame. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn next(&mut self) -> Incoming {
        tokio::select! {
            biased;
            came = self.incoming.recv() => came.unwrap_or(Incoming::Gone),
            () = self.outgoing.closed() => Incoming::Gone,
        }
    }

    pub(crate) async fn send(&mut self, text: String) -> Result<(), Gone> {
        match timeout(self.write_timeout, self.outgoing.send(text)).await {
            Ok(sent) => sent.map_err(|_| Gone { is_slow: false }),
            Err(_) => Err(Gone { is_slow: true }),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.links.state().remove(&self.name);
    }
}

/// Looking a digest up tells nobody how much of a guess was right.
fn digest(secret: &str) -> Digested {
    Sha256::digest(secret).into()
}
