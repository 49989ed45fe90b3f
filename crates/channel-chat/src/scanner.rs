//! The virus scanner: a small client of the ClamAV daemon. Whatever is not found clean in time counts as not looked at.

use crate::config::ScannerAddress;
use crate::turns::{Turn, Turns};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::time::timeout;

/// Half of what the daemon has threads for when nobody changes its settings.
const AT_ONCE: usize = 5;
const CHUNK_BYTES: usize = 65_536;
/// More than any answer has.
const MOST_ANSWER_BYTES: u64 = 4_096;
/// How often the daemon is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_secs(60);
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// The scanner of one chat.
pub(crate) struct Scanner {
    address: ScannerAddress,
    scan_timeout: Duration,
    turns: Turns,
    /// What went wrong last, until it was told.
    trouble: Mutex<Option<(ErrorKind, String)>>,
    bell: Notify,
}

/// What the scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Clean,
    /// The name that the scanner knows it by.
    Infected(String),
}

/// The file could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unscanned;

impl Scanner {
    /// A scanner that nothing is known of yet.
    pub(crate) fn new(address: ScannerAddress, scan_timeout: Duration) -> Self {
        Self { address, scan_timeout, turns: Turns::new(AT_ONCE), trouble: Mutex::default(), bell: Notify::new() }
    }

    /// Waits for a turn of the file's sender.
    pub(crate) async fn turn(&self, sender: IpAddr) -> Turn {
        self.turns.take(sender).await
    }

    /// Shows a file to the scanner. What goes wrong is told by [`Scanner::watch`].
    pub(crate) async fn scan(&self, bytes: &[u8]) -> Result<Verdict, Unscanned> {
        let verdict = self.asked(self.scan_timeout, bytes, true).await.and_then(|answer| verdict(&answer));
        verdict.map_err(|trouble| {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
            self.bell.notify_one();
            Unscanned
        })
    }

    /// Asks the scanner from time to time whether it is there; ends as soon as it is not, or a file could not be looked at.
    pub(crate) async fn watch(&self) -> Result<Infallible, ChannelError> {
        // Of a former watch, and perhaps over.
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        loop {
            let answer = self.asked(ASK_TIMEOUT, &[], false).await;
            let trouble = match answer {
                Ok(answer) if answer == "PONG" => None,
                Ok(answer) => Some(nonsense(&answer)),
                Err(trouble) => Some(trouble),
            };
            if let Some(trouble) = trouble {
                return Err(self.error(trouble));
            }
            // Elapsed: time to ask again.
            let _ = timeout(ASK_EVERY, self.bell.notified()).await;
            let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(trouble) = trouble {
                return Err(self.error(trouble));
            }
        }
    }

    fn error(&self, (kind, message): (ErrorKind, String)) -> ChannelError {
        let attempt = format!("asking the virus scanner at {}; no files are taken without it", self.address);
        ChannelError::new(kind, Retry::Later, attempt, message)
    }

    /// Sends a file, or only asks whether it is there; returns the answer.
    async fn asked(&self, limit: Duration, bytes: &[u8], is_file: bool) -> Result<String, (ErrorKind, String)> {
        let asking = async {
            match &self.address {
                ScannerAddress::Path(path) => exchanged(UnixStream::connect(path).await?, bytes, is_file).await,
                ScannerAddress::Network(address) => exchanged(TcpStream::connect(address).await?, bytes, is_file).await,
            }
        };
        match timeout(limit, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err((ErrorKind::Unreachable, error.to_string())),
            Err(_) => Err((ErrorKind::Timeout, format!("no answer within {} s", limit.as_secs()))),
        }
    }
}

/// One question on a connection of its own (clamd(8): `zINSTREAM`, `zPING`).
async fn exchanged<S: AsyncRead + AsyncWrite>(stream: S, bytes: &[u8], is_file: bool) -> io::Result<String> {
    let (read, mut write) = tokio::io::split(stream);
    let send = async {
        if is_file {
            write.write_all(b"zINSTREAM\0").await?;
            for chunk in bytes.chunks(CHUNK_BYTES) {
                write.write_u32(u32::try_from(chunk.len()).expect("a chunk is small")).await?;
                write.write_all(chunk).await?;
            }
            write.write_u32(0).await?;
        } else {
            write.write_all(b"zPING\0").await?;
        }
        write.flush().await
    };
    let mut receive = pin!(answer(read));
    let sent = tokio::select! {
        biased;
        sent = send => sent,
        // It has found something, or has had enough; but nothing is clean before it was seen whole.
        answer = &mut receive => {
            let answer = answer?;
            return if answer.ends_with("OK") { Err(io::Error::other("it answered before it had the file")) } else { Ok(answer) };
        }
    };
    match (sent, receive.await) {
        (Ok(()), answer) => answer,
        // A connection that it closes with an answer tells more than one that broke.
        (Err(_), Ok(answer)) if !answer.ends_with("OK") => Ok(answer),
        (Err(error), _) => Err(error),
    }
}

/// The answer up to its end.
async fn answer(read: impl AsyncRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut read = pin!(read.take(MOST_ANSWER_BYTES));
    while read.read_buf(&mut bytes).await? > 0 {
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            return Ok(String::from_utf8_lossy(&bytes[..end]).trim().to_owned());
        }
    }
    Err(io::Error::other("it closed the connection without an answer"))
}

fn verdict(answer: &str) -> Result<Verdict, (ErrorKind, String)> {
    match answer.strip_prefix("stream: ") {
        Some("OK") => Ok(Verdict::Clean),
        Some(rest) => match rest.strip_suffix(" FOUND") {
            Some(name) => Ok(Verdict::Infected(shown(name))),
            None => Err(nonsense(answer)),
        },
        None => Err(nonsense(answer)),
    }
}

/// What the scanner said that it cannot: its own errors, such as a file longer than its `StreamMaxLength`, too.
fn nonsense(answer: &str) -> (ErrorKind, String) {
    (ErrorKind::Rejected, format!("it answers `{}`", shown(answer)))
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

impl fmt::Display for ScannerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Network(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
