//! A mail server on loopback that offers what it is told, refuses what it is told, and keeps what it takes.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail that was taken.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The command that began it.
    pub mail: String,
    /// Who it was taken for.
    pub recipients: Vec<String>,
    /// Its bytes, with dots unstuffed.
    pub bytes: Vec<u8>,
}

/// The server.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    state: Arc<State>,
}

struct State {
    offers: Vec<&'static str>,
    /// The beginning of a command, or `.` for the end of a mail, and what it is answered with.
    refusals: Mutex<Vec<(&'static str, &'static str)>>,
    taken: Mutex<Vec<Taken>>,
    heard: Mutex<Vec<String>>,
}

impl Server {
    /// A server with these extensions that refuses commands which begin so.
    pub async fn start(offers: &[&'static str], refusals: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            offers: offers.to_vec(),
            refusals: Mutex::new(refusals.to_vec()),
            taken: Mutex::default(),
            heard: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        // The runtime of the test ends this task.
        drop(tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                drop(tokio::runtime::Handle::current().spawn(async move {
                    // The other side may leave whenever it likes.
                    let _ = serve(stream, &state).await;
                }));
            }
        }));
        Self { port, state }
    }

    /// From now on everything is taken.
    pub fn recover(&self) {
        self.state.refusals.lock().expect("not poisoned").clear();
    }

    /// What was taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.taken.lock().expect("not poisoned").clone()
    }

    /// Whether a command that begins so was heard.
    pub fn heard(&self, command: &str) -> bool {
        self.state.heard.lock().expect("not poisoned").iter().any(|line| line.starts_with(command))
    }
}

async fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 hello\r\n").await?;
    let mut mail = Taken::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        state.heard.lock().expect("not poisoned").push(line.clone());
        if let Some(refusal) = state.refusal(&line) {
            stream.write_all(format!("{refusal}\r\n").as_bytes()).await?;
            continue;
        }
        let answer = match line.get(..4).unwrap_or_default() {
            "EHLO" => state.greeting(),
            "MAIL" => {
                mail = Taken { mail: line, ..Taken::default() };
                String::from("250 2.1.0 yes")
            }
            "RCPT" => {
                mail.recipients.push(line["RCPT TO:<".len()..].trim_end_matches('>').to_owned());
                String::from("250 2.1.5 yes")
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.bytes = body(&mut stream).await?;
                match state.refusal(".") {
                    Some(refusal) => refusal.to_owned(),
                    None => {
                        state.taken.lock().expect("not poisoned").push(std::mem::take(&mut mail));
                        String::from("250 2.0.0 taken")
                    }
                }
            }
            _ => String::from("250 2.0.0 yes"),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

impl State {
    fn refusal(&self, line: &str) -> Option<&'static str> {
        let refusals = self.refusals.lock().expect("not poisoned");
        refusals.iter().find(|(command, _)| line.starts_with(command)).map(|(_, answer)| *answer)
    }

    fn greeting(&self) -> String {
        let lines = self.offers.iter().map(|offer| format!("250-{offer}\r\n"));
        format!("250-server\r\n{}250 PIPELINING", lines.collect::<String>())
    }
}

async fn body(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await?;
        if line == b".\r\n" {
            return Ok(bytes);
        }
        assert!(line.ends_with(b"\r\n") && line.len() <= 1_000, "a line as SMTP has them");
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
