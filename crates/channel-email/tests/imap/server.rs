//! An IMAP server of the test's own: a folder in memory, and one fault at one point.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use switchboard_channel_testkit::Identity;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What the server does at a point instead of answering.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Says nothing until the other side has gone.
    Stall,
    /// Closes the connection.
    Close,
    /// Says this; `TAG` stands for the tag of the command.
    Say(Vec<u8>),
}

/// A mail in the folder.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its number.
    pub uid: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its flags.
    pub flags: BTreeSet<String>,
    /// The size that the server states instead of the real one.
    pub said_size: Option<usize>,
}

/// What the server is like and has.
pub struct State {
    /// The folder `INBOX`.
    pub mails: Vec<Stored>,
    /// Other folders, each with the mail in it.
    pub folders: Vec<(String, Vec<Stored>)>,
    /// Its validity.
    pub uid_validity: u32,
    /// The next number.
    pub next_uid: u32,
    /// What it can do.
    pub capabilities: String,
    /// The flags that can be kept.
    pub permanent_flags: String,
    /// The one password.
    pub password: String,
    /// The one token.
    pub token: String,
    /// A point, how often something goes wrong there, and what.
    pub fault: Option<(String, usize, Fault)>,
    /// Every command, without its tag; what is said while signing in is left out.
    pub commands: Vec<String>,
    /// How often somebody connected.
    pub connections: usize,
    /// The connection ends whenever this mail is fetched.
    pub breaks_at: Option<u32>,
    /// It does not know IDLE, although it says so.
    pub refuses_idle: bool,
    /// A command that is refused with this code.
    pub refuses: Option<(&'static str, &'static str)>,
    /// It says that flags are kept, and keeps none.
    pub forgets_flags: bool,
    /// Another host copies mail into the first other folder, and deletes it, as soon as we have fetched it.
    pub is_shared: bool,
    /// Lines that came as answers to challenges.
    pub challenged: Vec<String>,
}

/// A running server.
pub struct Server {
    /// Where it listens on loopback.
    pub port: u16,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<usize>,
}

impl Server {
    /// A server without mail and without faults.
    pub async fn start() -> Self {
        Self::begin(None).await
    }

    /// The same behind TLS.
    pub async fn start_tls(identity: &Identity) -> Self {
        Self::begin(Some(identity.acceptor())).await
    }

    async fn begin(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State {
            mails: Vec::new(),
            folders: Vec::new(),
            uid_validity: 1,
            next_uid: 1,
            capabilities: "IMAP4rev1 SASL-IR IDLE MOVE UIDPLUS AUTH=PLAIN AUTH=XOAUTH2".into(),
            permanent_flags: "\\Seen \\Deleted \\*".into(),
            password: "right".into(),
            token: "token-1".into(),
            fault: None,
            commands: Vec::new(),
            connections: 0,
            challenged: Vec::new(),
            breaks_at: None,
            refuses_idle: false,
            refuses: None,
            forgets_flags: false,
            is_shared: false,
        }));
        let changed = watch::Sender::new(0);
        let (shared, news) = (Arc::clone(&state), changed.clone());
        // The runtime of the test ends these tasks.
        drop(tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, news, tls) = (Arc::clone(&shared), news.clone(), tls.clone());
                drop(tokio::runtime::Handle::current().spawn(async move {
                    lock(&state).connections += 1;
                    match tls {
                        None => serve(stream, &state, &news).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &state, &news).await;
                            }
                        }
                    }
                }));
            }
        }));
        Self { port, state, changed }
    }

    /// What the server is like and has.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Puts a mail into the folder and tells whoever waits.
    pub fn deliver(&self, bytes: &[u8]) -> u32 {
        let mut state = self.state();
        let uid = state.next_uid;
        state.next_uid += 1;
        state.mails.push(Stored { uid, bytes: bytes.to_vec(), flags: BTreeSet::new(), said_size: None });
        drop(state);
        self.changed.send_modify(|count| *count += 1);
        uid
    }

    /// From now on this goes wrong at a point, so many times: a command, `GREETING`, `SIZES`, `BODIES` or `DONE`.
    pub fn fail(&self, point: &str, times: usize, fault: Fault) {
        self.state().fault = Some((point.to_owned(), times, fault));
    }

    /// How many mails in the folder have a flag.
    pub fn flagged(&self, flag: &str) -> usize {
        self.state().mails.iter().filter(|mail| mail.flags.contains(flag)).count()
    }
}

fn lock(state: &Arc<Mutex<State>>) -> MutexGuard<'_, State> {
    state.lock().expect("not poisoned")
}

/// The conversation with one client.
struct Talk<'t, S> {
    stream: BufReader<S>,
    state: &'t Arc<Mutex<State>>,
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, state: &Arc<Mutex<State>>, news: &watch::Sender<usize>) {
    let mut talk = Talk { stream: BufReader::new(stream), state };
    // An error is the client's way to go, or a fault that was asked for.
    let _ = talk.run(news.subscribe()).await;
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<'_, S> {
    async fn run(&mut self, mut news: watch::Receiver<usize>) -> std::io::Result<()> {
        self.fault("GREETING", "*").await?;
        self.say("* OK ready").await?;
        loop {
            let Some(line) = self.line().await? else { return Ok(()) };
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let (tag, command) = (tag.to_owned(), command.to_owned());
            let word = command.split(' ').next().unwrap_or_default().to_owned();
            let point = match word.as_str() {
                "UID" if command.contains("RFC822.SIZE") => "SIZES",
                "UID" if command.contains("BODY.PEEK") => "BODIES",
                "UID" => command.split(' ').nth(1).unwrap_or_default(),
                word => word,
            };
            let shown = if matches!(point, "LOGIN" | "AUTHENTICATE") { point.to_owned() } else { command.clone() };
            lock(self.state).commands.push(shown);
            if point == "SEARCH" {
                // What comes after this look is news.
                news.mark_unchanged();
            }
            let breaks_at = lock(self.state).breaks_at;
            if point == "BODIES" && breaks_at.is_some_and(|uid| in_set(uid, command.split(' ').nth(2).unwrap_or_default())) {
                return Ok(());
            }
            self.fault(point, &tag).await?;
            match word.as_str() {
                "LOGIN" => {
                    let wanted = format!("\"{}\"", lock(self.state).password);
                    self.signed_in(&tag, command.ends_with(&wanted)).await?;
                }
                "AUTHENTICATE" => self.authenticate(&tag, &command).await?,
                "IDLE" if lock(self.state).refuses_idle => self.say(&format!("{tag} BAD what")).await?,
                "IDLE" => self.idle(&tag, &mut news).await?,
                _ => {
                    let answers = answer(&mut lock(self.state), &command);
                    for answer in answers {
                        let answer = [answer.as_slice(), b"\r\n"].concat();
                        let answer = match answer.strip_prefix(b"TAG ") {
                            Some(rest) => [tag.as_bytes(), b" ", rest].concat(),
                            None => answer,
                        };
                        self.stream.get_mut().write_all(&answer).await?;
                    }
                }
            }
        }
    }

    async fn authenticate(&mut self, tag: &str, command: &str) -> std::io::Result<()> {
        let mut words = command.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_owned();
        let response = match words.next() {
            Some(initial) => initial.to_owned(),
            None => {
                self.say("+ ").await?;
                self.line().await?.unwrap_or_default()
            }
        };
        let said = String::from_utf8(STANDARD.decode(response).unwrap_or_default()).unwrap_or_default();
        let (password, token) = {
            let state = lock(self.state);
            (state.password.clone(), state.token.clone())
        };
        if mechanism == "PLAIN" {
            return self.signed_in(tag, said.ends_with(&format!("\0{password}"))).await;
        }
        let is_right = said.ends_with(&format!("auth=Bearer {token}\u{1}\u{1}"));
        if !is_right {
            let challenge = STANDARD.encode(r#"{"status":"401","schemes":"bearer"}"#);
            self.say(&format!("+ {challenge}")).await?;
            let answered = self.line().await?.unwrap_or_default();
            lock(self.state).challenged.push(answered);
        }
        self.signed_in(tag, is_right).await
    }

    async fn signed_in(&mut self, tag: &str, is_right: bool) -> std::io::Result<()> {
        let answer = if is_right { "OK in" } else { "NO [AUTHENTICATIONFAILED] kari@eksempel.test is not welcome" };
        self.say(&format!("{tag} {answer}")).await
    }

    async fn idle(&mut self, tag: &str, news: &mut watch::Receiver<usize>) -> std::io::Result<()> {
        self.say("+ idling").await?;
        loop {
            let line = tokio::select! {
                line = self.line() => line?,
                _ = news.changed() => None,
            };
            match line {
                Some(_done) => {
                    self.fault("DONE", tag).await?;
                    return self.say(&format!("{tag} OK done")).await;
                }
                None if news.has_changed().is_err() => return Err(std::io::ErrorKind::BrokenPipe.into()),
                None => {
                    let count = lock(self.state).mails.len();
                    self.say(&format!("* {count} EXISTS")).await?;
                }
            }
        }
    }

    /// Does what was asked for at this point.
    async fn fault(&mut self, point: &str, tag: &str) -> std::io::Result<()> {
        let fault = {
            let mut state = lock(self.state);
            match &mut state.fault {
                Some((at, times, fault)) if at == point && *times > 0 => {
                    *times -= 1;
                    Some(fault.clone())
                }
                _ => None,
            }
        };
        match fault {
            None => Ok(()),
            Some(Fault::Stall) => {
                let mut rest = Vec::new();
                self.stream.read_to_end(&mut rest).await?;
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            Some(Fault::Close) => Err(std::io::ErrorKind::BrokenPipe.into()),
            Some(Fault::Say(bytes)) => {
                let bytes = match std::str::from_utf8(&bytes) {
                    Ok(text) => text.replace("TAG", tag).into_bytes(),
                    Err(_) => bytes,
                };
                self.stream.get_mut().write_all(&bytes).await?;
                // Whoever goes on after that is not heard any more.
                let mut rest = Vec::new();
                self.stream.read_to_end(&mut rest).await?;
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
    }

    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await?;
        Ok((count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// The answers to a command; the last one begins with `TAG`.
fn answer(state: &mut State, command: &str) -> Vec<Vec<u8>> {
    let words: Vec<&str> = command.split(' ').collect();
    let text = |lines: &[String]| lines.iter().map(|line| line.clone().into_bytes()).collect::<Vec<_>>();
    let ok = String::from("TAG OK done");
    match words[0] {
        "CAPABILITY" => text(&[format!("* CAPABILITY {}", state.capabilities), ok]),
        "SELECT" | "EXAMINE" if words[1] == "\"INBOX\"" => text(&[
            format!("* {} EXISTS", state.mails.len()),
            format!("* OK [UIDVALIDITY {}] valid", state.uid_validity),
            format!("* OK [PERMANENTFLAGS ({})] kept", state.permanent_flags),
            String::from(if words[0] == "SELECT" { "TAG OK [READ-WRITE] open" } else { "TAG OK [READ-ONLY] open" }),
        ]),
        "SELECT" | "EXAMINE" => text(&[String::from("TAG NO [NONEXISTENT] no such folder")]),
        "STATUS" if state.folders.iter().any(|(name, _)| format!("\"{name}\"") == words[1]) => text(&[ok]),
        "STATUS" => text(&[String::from("TAG NO [NONEXISTENT] no such folder")]),
        "CREATE" => {
            state.folders.push((words[1].trim_matches('"').to_owned(), Vec::new()));
            text(&[ok])
        }
        "UID" => uid_command(state, &words),
        _ => text(&[ok]),
    }
}

fn uid_command(state: &mut State, words: &[&str]) -> Vec<Vec<u8>> {
    let mut answers: Vec<Vec<u8>> = Vec::new();
    if let Some((_, code)) = state.refuses.filter(|(command, _)| *command == words[1]) {
        return vec![format!("TAG NO [{code}] kari@eksempel.test may not").into_bytes()];
    }
    match words[1] {
        "SEARCH" => {
            let found = state.mails.iter().filter(|mail| wanted(mail, &words[2..])).map(|mail| mail.uid.to_string());
            answers.push(format!("* SEARCH {}", found.collect::<Vec<_>>().join(" ")).into_bytes());
        }
        "FETCH" => {
            let partial = words[words.len() - 1].contains("<0.").then_some(65_536);
            for (nth, mail) in state.mails.iter().enumerate().filter(|(_, mail)| in_set(mail.uid, words[2])) {
                let number = nth + 1;
                if words.contains(&"RFC822.SIZE)") {
                    let size = mail.said_size.unwrap_or(mail.bytes.len());
                    answers.push(format!("* {number} FETCH (UID {} RFC822.SIZE {size})", mail.uid).into_bytes());
                } else {
                    let bytes = &mail.bytes[..mail.bytes.len().min(partial.unwrap_or(usize::MAX))];
                    let section = if partial.is_some() { "BODY[]<0>" } else { "BODY[]" };
                    let start = format!("* {number} FETCH (UID {} {section} {{{}}}\r\n", mail.uid, bytes.len());
                    answers.push([start.as_bytes(), bytes, b")"].concat());
                }
            }
            if state.is_shared && !words.contains(&"RFC822.SIZE)") {
                for mail in state.mails.iter_mut().filter(|mail| in_set(mail.uid, words[2])) {
                    state.folders[0].1.push(mail.clone());
                    mail.flags.insert("\\Deleted".into());
                }
            }
        }
        "STORE" if state.forgets_flags => {}
        "STORE" => {
            let flag = words[4].trim_matches(['(', ')']).to_owned();
            for mail in state.mails.iter_mut().filter(|mail| in_set(mail.uid, words[2])) {
                mail.flags.insert(flag.clone());
            }
        }
        "MOVE" | "COPY" => {
            let some: Vec<Stored> = state.mails.iter().filter(|mail| in_set(mail.uid, words[2])).cloned().collect();
            if words[1] == "MOVE" {
                state.mails.retain(|mail| !in_set(mail.uid, words[2]));
            }
            let target = words[3].trim_matches('"');
            let folder = state.folders.iter_mut().find(|(name, _)| name == target).expect("the folder was looked for");
            folder.1.extend(some);
        }
        "EXPUNGE" => state.mails.retain(|mail| !(in_set(mail.uid, words[2]) && mail.flags.contains("\\Deleted"))),
        _ => {}
    }
    answers.push(b"TAG OK done".to_vec());
    answers
}

fn wanted(mail: &Stored, criteria: &[&str]) -> bool {
    let mut criteria = criteria.iter();
    while let Some(criterion) = criteria.next() {
        let holds = match *criterion {
            "UNDELETED" => !mail.flags.contains("\\Deleted"),
            "UNSEEN" => !mail.flags.contains("\\Seen"),
            "UNKEYWORD" => !mail.flags.contains(*criteria.next().expect("a keyword")),
            "UID" => in_set(mail.uid, criteria.next().expect("a set")),
            other => panic!("nobody asked for {other}"),
        };
        if !holds {
            return false;
        }
    }
    true
}

fn in_set(uid: u32, set: &str) -> bool {
    set.split(',').any(|range| match range.split_once(':') {
        Some((first, "*")) => uid >= first.parse().expect("a number"),
        Some((first, last)) => (first.parse().expect("a number")..=last.parse().expect("a number")).contains(&uid),
        None => range == uid.to_string(),
    })
}
