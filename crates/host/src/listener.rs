//! The HTTP listener: how many may be connected, how long a request's head and unread answers may take, and an orderly end.

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io::{Error, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// How long to leave the listener alone when the system has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What a stranger may take of the listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once, upgraded ones (WebSockets) included; whoever comes next waits in the system's queue.
    pub connections: usize,
    /// How long the head of a request may take, counted from the connection or the answer before.
    pub header_timeout: Duration,
    /// How long the peer may take none of what it is sent.
    pub write_timeout: Duration,
}

/// Serves HTTP/1.1 until the token is cancelled and every request is answered. Requests carry their peer as
/// [`ConnectInfo`]. The builder that tells HTTP/2 apart would wait for the first bytes without a limit.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    loop {
        let (connection, peer) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next(&listener, &places, limits.write_timeout) => next,
        };
        connections.spawn(answer(builder.clone(), connection, peer, router.clone(), shutdown.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// A connection with its place among those allowed, which it keeps until it is closed.
struct Connection {
    stream: TcpStream,
    write_timeout: Duration,
    /// Ends when the peer has taken nothing for too long; absent while it takes what it is sent.
    stuck: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// Passes on what came of writing; a peer that does not read must not keep its place.
    fn written(&mut self, context: &mut Context<'_>, written: Poll<std::io::Result<usize>>) -> Poll<std::io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let limit = self.write_timeout;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        stuck.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

/// Takes the place before the connection, so that nobody is taken in only to be turned away.
async fn next(listener: &TcpListener, places: &Arc<Semaphore>, write_timeout: Duration) -> (Connection, SocketAddr) {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (Connection { stream, write_timeout, stuck: None, _place: place }, peer),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken in; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// Answers the requests of one connection. Its errors are the peer's (gone, silent, no HTTP) and are not logged.
async fn answer(builder: Builder, connection: Connection, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    let service = TowerToHyperService::new(router.map_request(with_peer(peer)));
    let mut serving = pin!(builder.serve_connection(TokioIo::new(connection), service).with_upgrades());
    tokio::select! {
        _ = serving.as_mut() => return,
        () = shutdown.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

fn with_peer<B>(peer: SocketAddr) -> impl FnMut(Request<B>) -> Request<B> + Clone {
    move |mut request| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, serve};
    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use std::convert::Infallible;
    use std::net::SocketAddr;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;
    use tokio_util::sync::CancellationToken;

    const LONG: Duration = Duration::from_secs(60);

    struct Site {
        address: SocketAddr,
        chunks: mpsc::UnboundedSender<Result<Bytes, Infallible>>,
        shutdown: CancellationToken,
        serving: JoinHandle<()>,
    }

    /// `/peer` says who asks, `/stream` sends (once) what the test puts into `chunks`.
    async fn site(connections: usize, header_timeout: Duration) -> Site {
        let (chunks, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        let stream = move || {
            let mut receiver = receiver.lock().unwrap().take().unwrap();
            let stream = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
            async move { Body::from_stream(stream) }
        };
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
        let router = Router::new().route("/peer", get(peer)).route("/stream", get(stream));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let limits = Limits { connections, header_timeout, write_timeout: Duration::from_millis(500) };
        let serving = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
        Site { address, chunks, shutdown, serving }
    }

    async fn asked(site: &Site, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Reads until a text has come, or the end; a minute is as good as never.
    async fn read_until(stream: &mut TcpStream, text: &str) -> String {
        let mut read = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&read).contains(text) && stream.read_buf(&mut read).await.unwrap_or(0) > 0 {}
        };
        tokio::time::timeout(LONG, reading).await.expect("an answer or the end");
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn a_request_comes_with_its_peer() {
        let site = site(4, LONG).await;
        let mut stream = asked(&site, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let own = stream.local_addr().unwrap().to_string();
        assert!(read_until(&mut stream, &own).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_request_whose_head_does_not_end_is_closed_and_a_long_answer_is_not() {
        let site = site(4, Duration::from_millis(150)).await;
        let mut streaming = asked(&site, "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(read_until(&mut streaming, "\r\n\r\n").await.starts_with("HTTP/1.1 200"));
        for half in ["", "P", "GET /pe", "GET /peer HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            let mut stream = asked(&site, half).await;
            let answer = read_until(&mut stream, "\n\n\n").await;
            assert!(!answer.contains(" 200 "), "{half:?}: {answer}");
        }
        site.chunks.send(Ok(Bytes::from_static(b"still here"))).unwrap();
        assert!(read_until(&mut streaming, "still here").await.contains("still here"));
    }

    #[tokio::test]
    async fn whoever_does_not_read_is_cut_and_gives_its_place_back() {
        const MUCH: usize = 16 * 1024 * 1024;
        let site = site(1, LONG).await;
        let mut deaf = asked(&site, "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
        read_until(&mut deaf, "\r\n\r\n").await;
        site.chunks.send(Ok(Bytes::from_static(b"one"))).unwrap();
        assert!(read_until(&mut deaf, "one").await.contains("one"), "it waits as long as there is nothing to be read");
        site.chunks.send(Ok(Bytes::from(vec![b'x'; MUCH]))).unwrap();
        let mut next = asked(&site, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(read_until(&mut next, "127.0.0.1:").await.starts_with("HTTP/1.1 200"), "its place is free again");
        let mut rest = Vec::new();
        let end = tokio::time::timeout(LONG, deaf.read_to_end(&mut rest)).await.expect("it ends");
        assert!(end.is_err() || rest.len() < MUCH, "it was cut before the end");
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_wait_for_one_to_end() {
        let site = site(1, LONG).await;
        let mut first = asked(&site, "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
        read_until(&mut first, "\r\n\r\n").await;
        let mut second = asked(&site, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let early = tokio::time::timeout(Duration::from_millis(150), second.read_u8()).await;
        assert!(early.is_err(), "nobody answers the second: {early:?}");
        drop(first);
        assert!(read_until(&mut second, "127.0.0.1:").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn stopping_waits_for_the_answers_under_way_and_for_nobody_who_is_idle() {
        let site = site(4, LONG).await;
        let mut idle = asked(&site, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let own = idle.local_addr().unwrap().to_string();
        read_until(&mut idle, &own).await;
        let mut streaming = asked(&site, "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
        read_until(&mut streaming, "\r\n\r\n").await;
        site.shutdown.cancel();
        assert_eq!(read_until(&mut idle, "never").await, "", "the idle connection is closed");
        assert!(!site.serving.is_finished());
        site.chunks.send(Ok(Bytes::from_static(b"the end"))).unwrap();
        drop(site.chunks);
        assert!(read_until(&mut streaming, "never").await.contains("the end"));
        tokio::time::timeout(LONG, site.serving).await.expect("it ends").unwrap();
    }
}
