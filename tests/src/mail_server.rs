//! The server that replies are sent to: aiosmtpd, as Debian packages it, keeping every mail that it is given.

use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

const SCRIPT: &str = include_str!("mail_server.py");
/// How long a mail may take from the desk to here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running mail server; it ends with the test.
pub struct MailServer {
    port: u16,
    mails: watch::Receiver<Vec<Delivered>>,
    _server: Child,
}

/// A mail that the server was given.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The return path.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers in order, names in lower case, values decoded.
    pub headers: Vec<(String, String)>,
    /// The plain text.
    pub text: String,
}

impl MailServer {
    /// Starts a server on a free port.
    ///
    /// # Panics
    /// When aiosmtpd is missing.
    pub async fn start() -> Self {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut server = command.spawn().expect("/usr/bin/python3 is there");
        let mut lines = BufReader::new(server.stdout.take().expect("the output is piped")).lines();
        let port = lines.next_line().await.ok().flatten().and_then(|line| line.parse().ok());
        let port = port.expect("aiosmtpd starts; it is the Debian package python3-aiosmtpd");
        let (sender, mails) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mail = Delivered::read(&line);
                sender.send_modify(|mails| mails.push(mail));
            }
        });
        Self { port, mails, _server: server }
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Every mail so far.
    #[must_use]
    pub fn mails(&self) -> Vec<Delivered> {
        self.mails.borrow().clone()
    }

    /// The first mail to an address, now or as soon as it comes.
    ///
    /// # Panics
    /// When none comes.
    pub async fn mail_to(&self, address: &str) -> Delivered {
        let is_wanted = |mail: &&Delivered| mail.to.iter().any(|to| to == address);
        let mut mails = self.mails.clone();
        let came = tokio::time::timeout(PATIENCE, mails.wait_for(|mails| mails.iter().any(|mail| is_wanted(&mail)))).await;
        let found = came.ok().and_then(Result::ok).and_then(|mails| mails.iter().find(is_wanted).cloned());
        found.unwrap_or_else(|| panic!("no mail to {address} within {PATIENCE:?}"))
    }
}

impl Delivered {
    fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).expect("the mail server prints JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
        Self {
            from: text(&value["from"]),
            to: list("to").iter().map(text).collect(),
            headers: list("headers").iter().map(|header| (text(&header[0]), text(&header[1]))).collect(),
            text: text(&value["text"]),
        }
    }

    /// The first value of a header, decoded; empty when the mail has none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}
