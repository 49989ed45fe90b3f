//! A line between clients and a host that fails as lines do: nothing gets through for a while and nobody is told, and
//! afterwards what was held arrives late or never.

use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

const BUFFER_BYTES: usize = 65_536;

/// A line. Its own address stays, whichever host it leads to.
pub struct Wire {
    address: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy)]
struct State {
    host: Option<SocketAddr>,
    /// What clients say gets through.
    takes_questions: bool,
    /// What the host says gets through.
    takes_answers: bool,
    /// Connections of an earlier era have ended.
    era: u64,
}

impl Wire {
    /// A line that leads nowhere yet: whoever comes waits.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (state, seen) = watch::channel(State { host: None, takes_questions: true, takes_answers: true, era: 0 });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, seen.clone()));
            }
        });
        Self { address, state }
    }

    /// Where clients find the host, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// New connections go to the host with this URL.
    ///
    /// # Panics
    /// When that is no URL of a host of tests.
    pub fn lead_to(&self, host: &str) {
        let address = host.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("hosts of tests speak HTTP");
        self.state.send_modify(|state| state.host = Some(address));
    }

    /// From now on nothing gets through, in either direction; connections stay, and new ones wait.
    pub fn stall(&self) {
        self.state.send_modify(|state| (state.takes_questions, state.takes_answers) = (false, false));
    }

    /// From now on nothing of what the host says gets through, while it still hears everything.
    pub fn stall_answers(&self) {
        self.state.send_modify(|state| state.takes_answers = false);
    }

    /// All goes on, and what was held arrives after all.
    pub fn resume(&self) {
        self.state.send_modify(|state| (state.takes_questions, state.takes_answers) = (true, true));
    }

    /// All connections end, and what was held is lost; new ones get through.
    pub fn reset(&self) {
        self.state.send_modify(|state| {
            (state.takes_questions, state.takes_answers) = (true, true);
            state.era += 1;
        });
    }
}

/// One of the two directions of a connection.
struct Way {
    state: watch::Receiver<State>,
    is_open: fn(&State) -> bool,
}

impl Way {
    /// Waits until something gets through here; false when the line is taken down instead.
    async fn opens(&mut self) -> bool {
        self.state.wait_for(self.is_open).await.is_ok()
    }
}

async fn connection(client: TcpStream, state: watch::Receiver<State>) {
    let era = state.borrow().era;
    let mut seen = state.clone();
    tokio::select! {
        // Looked at first, so that nothing that was held slips through when the line is whole again.
        biased;
        _ = seen.wait_for(|state| state.era != era) => {}
        () = join(client, state) => {}
    }
}

/// Brings a client and the host together, until both have said everything.
async fn join(client: TcpStream, mut state: watch::Receiver<State>) {
    let led = state.wait_for(|state| state.takes_questions && state.host.is_some()).await.ok().and_then(|state| state.host);
    let Some(host) = led else { return };
    // A host that is not there ends the client's connection, as a closed port would.
    let Ok(host) = TcpStream::connect(host).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_host, to_host) = host.into_split();
    let up = Way { state: state.clone(), is_open: |state| state.takes_questions };
    let down = Way { state, is_open: |state| state.takes_answers };
    tokio::join!(carry(from_client, to_host, up), carry(from_host, to_client, down));
}

/// Carries bytes one way. Everything that comes is taken at once, so that it is here even if the sender goes away.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut way: Way) {
    let (held, mut due) = mpsc::unbounded_channel::<Vec<u8>>();
    let take = async move {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Ok(count) = from.read(&mut buffer).await {
            if count == 0 || held.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    };
    let give = async move {
        while let Some(bytes) = due.recv().await {
            if !way.opens().await || to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        if way.opens().await {
            // Whoever is gone already need not be told.
            let _ = to.shutdown().await;
        }
    };
    tokio::join!(take, give);
}

#[cfg(test)]
mod tests {
    use super::Wire;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    async fn pair(wire: &Wire, listener: &TcpListener) -> (TcpStream, TcpStream) {
        let mut client = TcpStream::connect(wire.address).await.expect("the wire is there");
        client.write_all(b"a").await.expect("it takes bytes");
        let (mut host, _) = listener.accept().await.expect("the wire comes");
        assert_eq!(host.read_u8().await.expect("what was sent"), b'a');
        (client, host)
    }

    #[tokio::test]
    async fn what_a_stalled_wire_holds_arrives_late_or_never_and_those_who_come_meanwhile_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let wire = Wire::open().await;
        wire.lead_to(&format!("http://{}", listener.local_addr().expect("it is bound")));
        let (mut client, mut host) = pair(&wire, &listener).await;
        wire.stall();
        client.write_all(b"late").await.expect("nobody is told");
        host.write_all(b"late as well").await.expect("nobody is told");
        drop(client);
        let mut waiting = TcpStream::connect(wire.address).await.expect("connections are taken");
        waiting.write_all(b"w").await.expect("nobody is told");
        assert_eq!(host.try_read(&mut [0; 8]).expect_err("nothing gets through").kind(), std::io::ErrorKind::WouldBlock);
        wire.resume();
        let mut late = String::new();
        host.read_to_string(&mut late).await.expect("it comes to its end");
        assert_eq!(late, "late");
        let (mut host, _) = listener.accept().await.expect("who waited gets through");
        assert_eq!(host.read_u8().await.expect("what was sent"), b'w');
        wire.stall_answers();
        host.write_all(b"b").await.expect("nobody is told");
        waiting.write_all(b"x").await.expect("it takes bytes");
        assert_eq!(host.read_u8().await.expect("the host hears"), b'x');
        assert_eq!(waiting.try_read(&mut [0; 8]).expect_err("its answers wait").kind(), std::io::ErrorKind::WouldBlock);
        wire.resume();
        assert_eq!(waiting.read_u8().await.expect("they arrive"), b'b');
        wire.stall();
        waiting.write_all(b"never").await.expect("nobody is told");
        wire.reset();
        let mut rest = Vec::new();
        let ended = host.read_to_end(&mut rest).await;
        assert!(ended.is_err() || rest.is_empty(), "{rest:?}");
        pair(&wire, &listener).await;
    }
}
