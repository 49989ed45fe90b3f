//! The other sides: a client that speaks SMTP, and a small SMTP server that refuses or stalls where it is told.
#![allow(dead_code, reason = "each file of tests uses its part of this")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use switchboard_channel_testkit::{Listening, listen};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

static ADDRESSES: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// Notes every address that a channel logs as `listening`. Call before the channel starts.
pub fn capture_addresses() {
    static LISTENING: OnceLock<Listening> = OnceLock::new();
    LISTENING.get_or_init(|| {
        listen(|line| {
            if let (Some("listening"), Some(channel), Some(address)) =
                (line.field("message"), line.field("channel"), line.field("address"))
            {
                ADDRESSES.lock().expect("not poisoned").insert(channel.to_owned(), address.to_owned());
            }
        })
    });
}

/// Where the channel of this slug listens.
pub fn listening_address(slug: &str) -> String {
    ADDRESSES.lock().expect("not poisoned").get(slug).cloned().unwrap_or_else(|| panic!("{slug} does not listen"))
}

/// A mail server that delivers.
pub struct Peer {
    stream: BufReader<TcpStream>,
}

impl Peer {
    /// Connects and hears the greeting.
    pub async fn connect(address: &str) -> Self {
        let mut peer = Self::open(address).await;
        assert_eq!(peer.answer().await, 220);
        peer
    }

    /// Connects.
    pub async fn open(address: &str) -> Self {
        Self { stream: BufReader::new(TcpStream::connect(address).await.expect("the receiver listens")) }
    }

    /// Sends bytes.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.expect("the receiver reads");
    }

    /// Sends bytes; false when the receiver has hung up.
    pub async fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).await.is_ok()
    }

    /// The code of the next answer; 0 when the connection is closed.
    pub async fn answer(&mut self) -> u16 {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return 0;
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return line[..3].parse().expect("a code");
            }
        }
    }

    /// The codes of all answers until the connection is closed.
    pub async fn codes_to_the_end(&mut self) -> Vec<u16> {
        let mut codes = Vec::new();
        loop {
            match self.answer().await {
                0 => return codes,
                code => codes.push(code),
            }
        }
    }

    /// Delivers a mail; the code of the first answer to it, or of the refusal on the way.
    pub async fn mail(&mut self, hello: &str, recipients: &[&str], payload: &[u8]) -> u16 {
        self.mail_from("kari@eksempel.test", hello, recipients, payload).await
    }

    /// As [`Peer::mail`] under a return path, which is empty for delivery reports.
    pub async fn mail_from(&mut self, sender: &str, hello: &str, recipients: &[&str], payload: &[u8]) -> u16 {
        let hello = if hello == "RSET" { String::from(hello) } else { format!("{hello} peer.test") };
        let mut commands = vec![hello, format!("MAIL FROM:<{sender}>")];
        commands.extend(recipients.iter().map(|to| format!("RCPT TO:<{to}>")));
        for command in commands {
            self.write(format!("{command}\r\n").as_bytes()).await;
            let code = self.answer().await;
            if code != 250 {
                return code;
            }
        }
        self.write(b"DATA\r\n").await;
        assert_eq!(self.answer().await, 354);
        let mut stuffed = Vec::with_capacity(payload.len());
        let mut line_start = true;
        for (at, byte) in payload.iter().enumerate() {
            if line_start && *byte == b'.' {
                stuffed.push(b'.');
            }
            stuffed.push(*byte);
            line_start = *byte == b'\n' && at > 0 && payload[at - 1] == b'\r';
        }
        if !line_start {
            stuffed.extend_from_slice(b"\r\n");
        }
        stuffed.extend_from_slice(b".\r\n");
        self.write(&stuffed).await;
        self.answer().await
    }
}

/// A mail server that takes mail, and refuses or stalls at one point.
pub struct Server {
    /// Where it listens on loopback.
    pub port: u16,
    state: Arc<State>,
}

struct State {
    connections: AtomicUsize,
    mails: AtomicUsize,
    point: Mutex<(String, String)>,
    generation: watch::Sender<usize>,
}

impl Server {
    /// A server that answers `reply` at `point` (a command, `CONNECT`, or `BODY` for the end of the mail), or says
    /// nothing there when the reply is empty.
    pub async fn start(point: &str, reply: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            connections: AtomicUsize::new(0),
            mails: AtomicUsize::new(0),
            point: Mutex::new((point.to_owned(), reply.to_owned())),
            generation: watch::Sender::new(0),
        });
        let shared = Arc::clone(&state);
        // The runtime of the test ends this task.
        drop(tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let state = Arc::clone(&shared);
                drop(tokio::runtime::Handle::current().spawn(async move {
                    let mut closing = state.generation.subscribe();
                    tokio::select! {
                        () = serve(stream, &state) => {}
                        _ = closing.changed() => {}
                    }
                }));
            }
        }));
        Self { port, state }
    }

    /// From now on everything is taken.
    pub fn recover(&self) {
        *self.state.point.lock().expect("not poisoned") = Default::default();
    }

    /// Closes every connection.
    pub fn close_idle(&self) {
        self.state.generation.send_modify(|generation| *generation += 1);
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many mails were taken.
    pub fn mails(&self) -> usize {
        self.state.mails.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, state: &State) {
    let mut stream = BufReader::new(stream);
    if !answer(&mut stream, state, "CONNECT", "220 hello").await {
        return;
    }
    let mut line = Vec::new();
    let mut in_body = false;
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (point, usual) = match text.as_str() {
            "." if in_body => {
                in_body = false;
                ("BODY", "250 taken")
            }
            _ if in_body => continue,
            text => {
                let command = text.get(..4).unwrap_or_default();
                in_body = command == "DATA";
                match command {
                    "EHLO" => ("EHLO", "250-server\r\n250-AUTH PLAIN\r\n250 8BITMIME"),
                    "MAIL" => ("MAIL", "250 yes"),
                    "RCPT" => ("RCPT", "250 yes"),
                    "DATA" => ("DATA", "354 go on"),
                    "AUTH" => ("AUTH", "235 yes"),
                    "QUIT" => ("QUIT", "221 bye"),
                    _ => ("", "250 yes"),
                }
            }
        };
        if !answer(&mut stream, state, point, usual).await {
            return;
        }
        if point == "BODY" && state.point.lock().expect("not poisoned").0 != "BODY" {
            state.mails.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Answers; false when it stalled until the other side had gone.
async fn answer(stream: &mut BufReader<TcpStream>, state: &State, point: &str, usual: &str) -> bool {
    let (where_to, reply) = state.point.lock().expect("not poisoned").clone();
    let reply = if where_to == point && !point.is_empty() { reply } else { usual.to_owned() };
    if reply.is_empty() {
        let mut rest = Vec::new();
        // Ends when the other side closes; an error is another way of closing.
        let _ = stream.read_to_end(&mut rest).await;
        return false;
    }
    stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok()
}
