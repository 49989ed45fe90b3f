//! Sending mail to the program: with swaks as a person would, and over a plain connection where answers are counted.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender, in envelope and header.
    pub from: String,
    /// The recipient, in envelope and header.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The reply code.
    pub code: u16,
    /// The last line after the code.
    pub text: String,
}

/// An open connection that has been greeted.
pub struct Session {
    stream: BufReader<TcpStream>,
}

impl Mail {
    /// A mail with a Message-ID made from its subject and sender.
    #[must_use]
    pub fn new(from: &str, to: &str, subject: &str, text: &str) -> Self {
        Self { from: from.into(), to: to.into(), subject: subject.into(), text: text.into(), headers: Vec::new() }
    }

    /// The same mail with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The mail on the wire, without dot-stuffing.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        let mut head = format!("From: <{}>\r\nTo: <{}>\r\nSubject: {}\r\n", self.from, self.to, self.subject);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        format!("{head}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n", self.text).into_bytes()
    }
}

impl Session {
    /// Connects and says hello.
    ///
    /// # Errors
    /// When the server cannot be reached or does not greet.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut session = Self { stream: BufReader::new(stream) };
        expect(session.reply().await?, 220)?;
        expect(session.command("EHLO sender.test").await?, 250)?;
        Ok(session)
    }

    /// Sends one mail. The answer is the one that ended the attempt: 250 means that it was taken.
    ///
    /// # Errors
    /// When the connection breaks; the mail may have been taken or not.
    pub async fn send(&mut self, from: &str, to: &str, wire: &[u8]) -> io::Result<Reply> {
        for command in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), String::from("DATA")] {
            let reply = self.command(&command).await?;
            if reply.code >= 400 {
                self.command("RSET").await?;
                return Ok(reply);
            }
        }
        let mut stuffed = Vec::with_capacity(wire.len() + 16);
        for line in wire.split_inclusive(|byte| *byte == b'\n') {
            if line.first() == Some(&b'.') {
                stuffed.push(b'.');
            }
            stuffed.extend_from_slice(line);
        }
        stuffed.extend_from_slice(b".\r\n");
        self.stream.get_mut().write_all(&stuffed).await?;
        self.reply().await
    }

    /// Sends a line and waits for its answer.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn reply(&mut self) -> io::Result<Reply> {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, text: line.get(4..).unwrap_or_default().to_owned() });
            }
        }
    }
}

/// Sends one mail over a connection of its own.
///
/// # Panics
/// When the connection breaks.
pub async fn deliver(address: SocketAddr, mail: &Mail) -> Reply {
    let mut session = Session::open(address).await.expect("the host takes mail");
    session.send(&mail.from, &mail.to, &mail.to_wire()).await.expect("the host answers")
}

/// Sends one mail with swaks, as an administrator trying the host would; fails unless it was taken.
///
/// # Panics
/// When swaks is missing or the mail was not taken, with the transcript.
pub async fn swaks(address: SocketAddr, mail: &Mail) {
    let mut command = Command::new("swaks");
    command.args(["--server", &address.to_string(), "--from", &mail.from, "--to", &mail.to]);
    command.args(["--header", &format!("Subject: {}", mail.subject), "--body", &mail.text]);
    for (name, value) in &mail.headers {
        command.args(["--header", &format!("{name}: {value}")]);
    }
    let output = command.kill_on_drop(true).output().await.expect("swaks is there; it is a Debian package of that name");
    let transcript = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "swaks: {}\n{transcript}", output.status);
}

fn expect(reply: Reply, code: u16) -> io::Result<()> {
    if reply.code == code { Ok(()) } else { Err(io::Error::other(format!("{} {}", reply.code, reply.text))) }
}
