//! The real program as a process: started, listened to, killed.

use crate::{Client, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// How long the program may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host that was started. Killed when dropped.
pub struct Host {
    child: Child,
    log: watch::Receiver<Vec<Value>>,
    http: Option<SocketAddr>,
    mailboxes: BTreeMap<String, SocketAddr>,
    password_file: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote on standard output.
    pub stdout: String,
    /// What it wrote on standard error.
    pub stderr: String,
}

impl Host {
    pub(crate) fn spawn(config: &Path, folder: &Path, password_file: PathBuf, wrapper: &[&str]) -> Self {
        let program = program();
        let mut command = match wrapper.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        command.args(["serve", "--config"]).arg(config).current_dir(folder);
        clean(&mut command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program can be started");
        let log = follow(child.stderr.take().expect("standard error is piped"));
        Self { child, log, http: None, mailboxes: BTreeMap::new(), password_file }
    }

    pub(crate) async fn command(config: &Path, folder: &Path, arguments: &[&str]) -> Ended {
        let (name, rest) = arguments.split_first().expect("a command has a name");
        let mut command = Command::new(program());
        command.args(name.split(' ')).arg("--config").arg(config).args(rest).current_dir(folder);
        clean(&mut command).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("the command ends");
        let output = output.expect("the program can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// How it ended, when it ended instead.
    ///
    /// # Panics
    /// When it does neither in time.
    pub async fn ready(mut self) -> Result<Self, Ended> {
        let served = tokio::time::timeout(PATIENCE, self.logged(|line| is_listening(line, "http"))).await;
        match served.unwrap_or_else(|_| panic!("the host neither serves nor ends: {:?}", self.log.borrow())) {
            None => Err(self.ended().await),
            Some(_) => {
                self.note_addresses();
                Ok(self)
            }
        }
    }

    /// The first line of the log that is like this, now or as soon as it comes; `None` when the program ends without.
    pub async fn logged(&self, is_wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut log = self.log.clone();
        let found = log.wait_for(|lines| lines.iter().any(&is_wanted)).await.ok();
        found.and_then(|lines| lines.iter().find(|line| is_wanted(line)).cloned())
    }

    /// Waits until this host is the router.
    ///
    /// # Panics
    /// When it does not become the router in time.
    pub async fn routes(&self) {
        let routes = self.logged(|line| message(line) == "routing");
        let line = tokio::time::timeout(PATIENCE, routes).await.expect("the host becomes the router");
        assert!(line.is_some(), "the host ended before it became the router");
    }

    /// Whether this host has become the router.
    #[must_use]
    pub fn has_routed(&self) -> bool {
        self.log.borrow().iter().any(|line| message(line) == "routing")
    }

    /// Everything logged so far: objects, and strings for what is no JSON.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        self.log.borrow().clone()
    }

    /// Where it serves HTTP, such as `http://127.0.0.1:40123`.
    ///
    /// # Panics
    /// When it is not ready.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.http.expect("the host is ready"))
    }

    /// Where a mailbox takes mail in.
    ///
    /// # Panics
    /// When there is no such mailbox.
    #[must_use]
    pub fn mailbox(&self, slug: &str) -> SocketAddr {
        *self.mailboxes.get(slug).unwrap_or_else(|| panic!("the host listens for no mailbox `{slug}`"))
    }

    /// The password of everybody in the first directory.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn password(&self) -> String {
        let text = std::fs::read_to_string(&self.password_file).expect("the host keeps the demo password in a file");
        text.trim().to_owned()
    }

    /// Signs a person in.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn sign_in(&self, email: &str) -> Client {
        Client::sign_in(&self.url(), email, &self.password()).await
    }

    /// Somebody who has not signed in.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client::stranger(&self.url())
    }

    /// The process id.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the host runs")
    }

    /// Kills it at once (SIGKILL).
    ///
    /// # Panics
    /// When that fails.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the host can be killed");
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn stop(mut self) -> Ended {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().await;
        assert!(asked.is_ok_and(|status| status.success()), "the host can be sent a signal");
        self.ended().await
    }

    async fn ended(&mut self) -> Ended {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the host ends");
        let status = status.expect("the host can be waited for");
        // The log is complete when its reader has gone.
        eventually("the log is read to its end", PATIENCE, async || match self.log.has_changed() {
            Err(_) => Ok(()),
            Ok(_) => Err("still open".to_owned()),
        })
        .await;
        let lines: Vec<String> =
            self.log.borrow().iter().map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned)).collect();
        Ended { status, stdout: String::new(), stderr: lines.join("\n") }
    }

    fn note_addresses(&mut self) {
        for line in self.log.borrow().iter() {
            let field = |name: &str| line["fields"][name].as_str().unwrap_or_default();
            let Ok(address) = field("address").parse() else { continue };
            if is_listening(line, "http") {
                self.http = Some(address);
            } else if is_listening(line, "smtp") {
                self.mailboxes.insert(field("channel").to_owned(), address);
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log.borrow();
            let shown: Vec<String> = log.iter().rev().take(60).map(Value::to_string).collect();
            eprintln!("the end of the host's log:\n{}", shown.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The text of a line of the log.
fn message(line: &Value) -> &str {
    line["fields"]["message"].as_str().unwrap_or_default()
}

fn is_listening(line: &Value, protocol: &str) -> bool {
    message(line) == "listening" && line["fields"]["protocol"] == protocol
}

fn follow(stream: impl AsyncRead + Unpin + Send + 'static) -> watch::Receiver<Vec<Value>> {
    let (sender, log) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            sender.send_modify(|log| log.push(value));
        }
    });
    log
}

/// Nothing of the surroundings may change what is under test.
fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SWITCHBOARD")) {
        command.env_remove(name);
    }
    command
}

/// The program under test: the one that `SWITCHBOARD_HOST` names, or the one built beside these tests.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("SWITCHBOARD_HOST") {
        return named.into();
    }
    let own = std::env::current_exe().expect("a program knows where it is");
    let built = own.ancestors().skip(1).take(2).map(|folder| folder.join("switchboard")).find(|program| program.is_file());
    built.expect("the host has not been built; run `cargo build --package switchboard-host` first, as `cargo xtask test` does")
}
