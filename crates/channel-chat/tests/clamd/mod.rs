//! A virus scanner on loopback that does what a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use switchboard_channel_testkit::Harness;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_util::sync::CancellationToken;

/// How the scanner behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Looks for [`VIRUS`].
    Well,
    /// Takes everything and says nothing.
    Silent,
    /// Closes every connection.
    Closes,
    /// Answers with what is no answer.
    Garbage,
    /// Finds every file too long.
    Limited,
}

/// What the scanner looks for.
pub const VIRUS: &[u8] = b"a-virus-for-tests";

/// A scanner.
#[derive(Clone)]
pub struct Clamd {
    mood: Arc<Mutex<Mood>>,
    files: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Clamd {
    /// A scanner that is well.
    pub fn new() -> Self {
        Self { mood: Arc::new(Mutex::new(Mood::Well)), files: Arc::default() }
    }

    /// Changes how it behaves.
    pub fn becomes(&self, mood: Mood) {
        *self.mood.lock().expect("not poisoned") = mood;
    }

    /// The files that it has seen whole.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.files.lock().expect("not poisoned").clone()
    }

    /// A free port, for settings that are needed before the scanner runs.
    pub async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        (listener, address)
    }

    /// Listens on a port as a task of the harness, until the token is cancelled.
    pub fn listen(&self, harness: &Harness, listener: TcpListener, until: CancellationToken) {
        let (clamd, tasks) = (self.clone(), harness.context.runtime.clone());
        harness.context.runtime.spawn(async move {
            let accept = async {
                loop {
                    let (stream, _): (TcpStream, _) = listener.accept().await.expect("a connection");
                    clamd.spawn_on(&tasks, stream, &until);
                }
            };
            until.run_until_cancelled(accept).await;
        });
    }

    /// The same on a socket in the file system.
    pub fn listen_at(&self, harness: &Harness, path: &std::path::Path, until: CancellationToken) {
        let listener = UnixListener::bind(path).expect("the folder is ours");
        let (clamd, tasks) = (self.clone(), harness.context.runtime.clone());
        harness.context.runtime.spawn(async move {
            let accept = async {
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    clamd.spawn_on(&tasks, stream, &until);
                }
            };
            until.run_until_cancelled(accept).await;
        });
    }

    fn spawn_on<S>(&self, runtime: &switchboard_channel::Runtime, stream: S, until: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (clamd, until) = (self.clone(), until.clone());
        runtime.spawn(async move {
            // A client may go at any time.
            let _ = until.run_until_cancelled(clamd.answer(stream)).await;
        });
    }

    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> std::io::Result<()> {
        let mood = *self.mood.lock().expect("not poisoned");
        if mood == Mood::Closes {
            return Ok(());
        }
        let mut command = Vec::new();
        while !command.ends_with(b"\0") {
            command.push(stream.read_u8().await?);
        }
        let file = if command == b"zINSTREAM\0" { Some(read_file(&mut stream).await?) } else { None };
        let answer: &[u8] = match (mood, &file) {
            (Mood::Silent, _) => return std::future::pending().await,
            (Mood::Garbage, _) => b"\x01\x02\xff\0",
            (_, None) => b"PONG\0",
            (Mood::Limited, Some(_)) => b"INSTREAM size limit exceeded. ERROR\0",
            (_, Some(file)) if file.windows(VIRUS.len()).any(|part| part == VIRUS) => b"stream: Test-Virus FOUND\0",
            (_, Some(_)) => b"stream: OK\0",
        };
        self.files.lock().expect("not poisoned").extend(file);
        stream.write_all(answer).await?;
        stream.shutdown().await
    }
}

async fn read_file<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Vec<u8>> {
    let mut file = Vec::new();
    loop {
        let length = stream.read_u32().await?;
        if length == 0 {
            return Ok(file);
        }
        let mut chunk = vec![0; usize::try_from(length).expect("a small chunk")];
        stream.read_exact(&mut chunk).await?;
        file.extend(chunk);
    }
}
