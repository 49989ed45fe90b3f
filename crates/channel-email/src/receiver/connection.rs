//! One connection: moves bytes between the socket and the protocol's state machine.

use super::delivery;
use super::listener::{Listener, Route};
use crate::session::{Reply, Session, Step, Tls, Transaction};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// How much is read at once.
const READ_BYTES: usize = 32_768;
/// How many times the time for a command one message may take.
const MESSAGE_TIMEOUTS: u32 = 10;
/// How long a connection may be open.
const MAX_CONNECTION_TIME: Duration = Duration::from_secs(3_600);

/// Serves one connection to its end; `admitted` says that there was room for it.
pub(super) async fn serve(listener: &Arc<Listener>, mut stream: TcpStream, shutdown: CancellationToken, admitted: bool) {
    // Answers are small and each is waited for.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    if !admitted {
        let busy = counted(&Reply::new(421, Some((4, 3, 2)), "too many connections, try again later"));
        // The peer learns as much from a closed connection when it does not take the answer.
        let _ = timeout(Duration::from_secs(1), stream.write_all(busy.as_bytes())).await;
        return;
    }
    let tls = if listener.tls.is_some() { Tls::Offered } else { Tls::Unavailable };
    let mut session = Session::new(listener.limits, tls);
    let mut io = Io::new(listener, peer, shutdown);
    let greeting = session.greeting();
    let result = async {
        if let Ending::Secure = io.converse(&mut stream, &mut session, Some(greeting)).await? {
            let acceptor = listener.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
            let secured = timeout(io.patience(), acceptor.accept(stream)).await.map_err(|_| io::ErrorKind::TimedOut)?;
            session.secured();
            io.converse(&mut secured?, &mut session, None).await?;
        }
        io::Result::Ok(())
    }
    .await;
    if let Err(error) = result {
        tracing::debug!(address = %listener.address, kind = ?error.kind(), "a connection ended early");
    }
}

impl Drop for Io<'_> {
    fn drop(&mut self) {
        self.account(0);
        metrics::gauge!("switchboard_smtp_connections").decrement(1);
    }
}

/// An answer on the wire, counted when it refuses something.
fn counted(reply: &Reply) -> String {
    if reply.code >= 400 {
        metrics::counter!("switchboard_smtp_refused_total", "code" => reply.status()).increment(1);
    }
    reply.to_wire()
}

/// How a conversation ended.
enum Ending {
    Closed,
    Secure,
}

struct Io<'l> {
    listener: &'l Arc<Listener>,
    peer: IpAddr,
    routes: Vec<Arc<Route>>,
    shutdown: CancellationToken,
    opened: Instant,
    /// When the command began that is waited for, or half here.
    command_since: Option<Instant>,
    message_since: Option<Instant>,
    accounted_bytes: usize,
}

impl<'l> Io<'l> {
    fn new(listener: &'l Arc<Listener>, peer: IpAddr, shutdown: CancellationToken) -> Self {
        let routes = listener.routes();
        metrics::gauge!("switchboard_smtp_connections").increment(1);
        let opened = Instant::now();
        Self { listener, peer, routes, shutdown, opened, command_since: None, message_since: None, accounted_bytes: 0 }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.listener.limits.command_timeout_seconds)
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        session: &mut Session,
        greeting: Option<Reply>,
    ) -> io::Result<Ending> {
        let mut due = greeting.as_ref().map(counted).unwrap_or_default();
        let mut chunk = vec![0; READ_BYTES];
        loop {
            let routes = &self.routes;
            let lookup = |address: &str| routes.iter().position(|route| route.mailbox.owns(address));
            match session.step(&lookup) {
                Step::Answer(reply) => {
                    due.push_str(&counted(&reply));
                    self.command_since = None;
                }
                Step::Deliver(transaction) => {
                    self.flush(stream, &mut due).await?;
                    for reply in session.delivered(self.deliver(transaction).await) {
                        due.push_str(&counted(&reply));
                    }
                    self.account(session.buffered_bytes());
                    (self.command_since, self.message_since) = (None, None);
                }
                Step::Secure(reply) => {
                    due.push_str(&counted(&reply));
                    self.flush(stream, &mut due).await?;
                    self.command_since = None;
                    return Ok(Ending::Secure);
                }
                Step::Close(reply) => {
                    due.push_str(&counted(&reply));
                    self.flush(stream, &mut due).await?;
                    // The peer may have closed already, which is what we want.
                    let _ = timeout(self.patience(), stream.shutdown()).await;
                    return Ok(Ending::Closed);
                }
                Step::Read => {
                    self.flush(stream, &mut due).await?;
                    self.make_room(session);
                    let read = match self.read(stream, session, &mut chunk).await {
                        Ok(0) => return Ok(Ending::Closed),
                        Ok(read) => read,
                        Err(farewell) => {
                            due.push_str(&counted(&farewell));
                            self.flush(stream, &mut due).await?;
                            return Ok(Ending::Closed);
                        }
                    };
                    session.feed(&chunk[..read]);
                }
            }
        }
    }

    /// Reads what comes next. Says farewell to a peer that is silent for too long, takes too long over one command
    /// or message, however it spreads the bytes, or is between messages when the host stops.
    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S, session: &Session, chunk: &mut [u8]) -> Result<usize, Reply> {
        let now = Instant::now();
        let patience = self.patience();
        let mut deadline = (now + patience).min(self.opened + MAX_CONNECTION_TIME);
        if session.is_receiving() {
            self.command_since = None;
            deadline = deadline.min(*self.message_since.get_or_insert(now) + patience * MESSAGE_TIMEOUTS);
        } else {
            self.message_since = None;
            deadline = deadline.min(*self.command_since.get_or_insert(now) + patience);
        }
        let stopping = async {
            if session.is_receiving() {
                // The message under way gets a moment to come to its end.
                self.shutdown.cancelled().await;
                tokio::time::sleep(Duration::from_secs(2).min(patience)).await;
            } else {
                self.shutdown.cancelled().await;
            }
        };
        tokio::select! {
            read = timeout_at(deadline, stream.read(chunk)) => match read {
                // A broken connection ends like a closed one: whoever delivers tries again.
                Ok(read) => Ok(read.unwrap_or(0)),
                Err(_) => Err(Reply::new(421, Some((4, 4, 2)), "too slow")),
            },
            () = stopping => Err(Reply::new(421, Some((4, 3, 2)), "stopping, try again later")),
        }
    }

    async fn flush<S: AsyncWrite + Unpin>(&self, stream: &mut S, due: &mut String) -> io::Result<()> {
        if due.is_empty() {
            return Ok(());
        }
        let written = async {
            stream.write_all(due.as_bytes()).await?;
            stream.flush().await
        };
        timeout(self.patience(), written).await.map_err(|_| io::ErrorKind::TimedOut)??;
        due.clear();
        Ok(())
    }

    /// Counts the bytes of this connection's message, and gives them up when all messages together are too many.
    fn make_room(&mut self, session: &mut Session) {
        let total = self.account(session.buffered_bytes());
        if total > self.listener.limits.max_buffered_bytes && session.buffered_bytes() > 0 {
            session.out_of_room();
            self.account(0);
        }
    }

    /// Sets how many bytes this connection holds; returns what all hold.
    fn account(&mut self, bytes: usize) -> usize {
        let total = &self.listener.buffered_bytes;
        let before = std::mem::replace(&mut self.accounted_bytes, bytes);
        if bytes >= before {
            total.fetch_add(bytes - before, Ordering::Relaxed) + (bytes - before)
        } else {
            total.fetch_sub(before - bytes, Ordering::Relaxed) - (before - bytes)
        }
    }

    async fn deliver(&self, transaction: Transaction) -> Vec<Reply> {
        delivery::deliver(self.listener, &self.routes, self.peer, transaction).await
    }
}
