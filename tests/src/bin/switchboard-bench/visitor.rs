//! Visitors of a chat as a measurement needs them: each a socket of its own that speaks the protocol and keeps little.

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// The channel that visitors come to.
pub const CHAT: &str = "chat";
/// How many connect at once.
const CONNECTING: usize = 64;
/// Addresses of this machine that they come from, as visitors do.
const ADDRESSES: usize = 40;
/// Descriptors of this process besides the visitors'.
const OTHER_FILES: usize = 500;
/// Longer than any answer takes that is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connected visitors. Dropping them ends their connections.
pub struct Crowd {
    /// What each is told to write, by its place.
    orders: Vec<UnboundedSender<String>>,
    heard: UnboundedReceiver<Heard>,
    tasks: JoinSet<()>,
}

/// What a visitor was sent.
#[derive(Debug)]
pub enum Heard {
    /// Its message is stored.
    Accepted {
        /// The visitor's place.
        visitor: usize,
        /// The conversation that it is in.
        conversation: i64,
        /// Milliseconds since it was sent.
        after_ms: f64,
    },
    /// Somebody at the desk wrote this.
    Reply {
        /// What.
        text: String,
        /// When it came.
        at: Instant,
    },
    /// A connection ended or was refused something.
    Failed(String),
}

struct Visitor {
    stream: WebSocketStream<TcpStream>,
    place: usize,
    conversation: Option<i64>,
    written: Option<(String, Instant)>,
}

impl Crowd {
    /// So many visitors, each of whom has said hello and been welcomed.
    ///
    /// # Errors
    /// When one is not let in, or the system allows too few sockets.
    pub async fn connect(address: SocketAddr, count: usize) -> Result<Self> {
        allow_files(count + OTHER_FILES)?;
        let (telling, heard) = unbounded_channel();
        let mut connecting = JoinSet::new();
        for first in 0..CONNECTING {
            connecting.spawn(async move {
                let mut visitors = Vec::new();
                for place in (first..count).step_by(CONNECTING) {
                    visitors.push(Visitor::connect(address, place).await.with_context(|| format!("visitor {place}"))?);
                }
                anyhow::Ok(visitors)
            });
        }
        let mut visitors = Vec::with_capacity(count);
        while let Some(connected) = connecting.join_next().await {
            visitors.extend(connected.context("a visitor panicked")??);
        }
        visitors.sort_unstable_by_key(|visitor| visitor.place);
        let (mut orders, mut tasks) = (Vec::with_capacity(count), JoinSet::new());
        for visitor in visitors {
            let (order, ordered) = unbounded_channel();
            orders.push(order);
            tasks.spawn(visitor.live(ordered, telling.clone()));
        }
        Ok(Self { orders, heard, tasks })
    }

    /// Lets a visitor write, into the conversation that it has or a new one. It is heard of before it writes again.
    pub fn write(&self, visitor: usize, client_id: String) {
        // A visitor that has gone has said so.
        let _ = self.orders[visitor].send(client_id);
    }

    /// What comes next.
    ///
    /// # Errors
    /// When nothing comes in time, or a connection failed.
    pub async fn hear(&mut self) -> Result<Heard> {
        let heard = tokio::time::timeout(PATIENCE, self.heard.recv()).await.context("the host says nothing")?;
        match heard.context("every visitor has gone")? {
            Heard::Failed(why) => bail!("{why}"),
            heard => Ok(heard),
        }
    }

    /// Every visitor writes once; answers with their conversations.
    ///
    /// # Errors
    /// When a message is not stored.
    pub async fn begin(&mut self, serials: &crate::desk::Serials) -> Result<Vec<i64>> {
        let mut conversations = vec![0; self.orders.len()];
        for place in 0..self.orders.len() {
            self.write(place, serials.next());
        }
        for _ in 0..self.orders.len() {
            let Heard::Accepted { visitor, conversation, .. } = self.hear().await? else { bail!("a reply that nobody wrote") };
            conversations[visitor] = conversation;
        }
        Ok(conversations)
    }

    /// Ends every connection.
    pub async fn leave(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Visitor {
    async fn connect(address: SocketAddr, place: usize) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let own = 2 + u8::try_from(place % ADDRESSES).context("addresses of this machine")?;
        socket.bind((Ipv4Addr::new(127, 0, 0, own), 0).into()).context("an address of this machine")?;
        let stream = socket.connect(address).await.context("a connection is not taken")?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}/channels/{CHAT}/socket").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "switchboard.chat.1".parse()?);
        let config = WebSocketConfig::default().read_buffer_size(2_048).write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, stream, Some(config)).await.context("the handshake")?;
        let mut visitor = Self { stream, place, conversation: None, written: None };
        let page = json!({ "url": "https://www.shop.test/shoes", "title": "Shoes" });
        visitor.send(&json!({ "type": "hello", "locale": "nb", "page": page })).await?;
        let welcome = visitor.next().await?;
        ensure!(welcome["type"] == "welcome", "instead of a welcome came {welcome}");
        Ok(visitor)
    }

    async fn live(mut self, mut orders: UnboundedReceiver<String>, telling: UnboundedSender<Heard>) {
        loop {
            let done = tokio::select! {
                order = orders.recv() => match order {
                    Some(client_id) => self.write(client_id).await.map(|()| None),
                    None => return,
                },
                frame = self.next() => frame.and_then(|frame| self.hear(&frame)),
            };
            let heard = match done {
                Ok(None) => continue,
                Ok(Some(heard)) => heard,
                Err(error) => Heard::Failed(format!("visitor {}: {error:#}", self.place)),
            };
            let is_over = matches!(heard, Heard::Failed(_));
            if telling.send(heard).is_err() || is_over {
                return;
            }
        }
    }

    async fn write(&mut self, client_id: String) -> Result<()> {
        let text = format!("Where is my parcel? {client_id}");
        let frame = json!({ "type": "message", "client_id": &client_id, "conversation": self.conversation, "text": text });
        self.written = Some((client_id, Instant::now()));
        self.send(&frame).await
    }

    fn hear(&mut self, frame: &Value) -> Result<Option<Heard>> {
        let now = Instant::now();
        match frame["type"].as_str().unwrap_or_default() {
            "accepted" => {
                let (client_id, at) = self.written.take().context("what nobody wrote was accepted")?;
                ensure!(frame["client_id"] == client_id.as_str(), "another message was accepted: {frame}");
                let conversation = frame["conversation"].as_i64().context("no conversation was named")?;
                self.conversation = Some(conversation);
                let after_ms = now.duration_since(at).as_secs_f64() * 1e3;
                Ok(Some(Heard::Accepted { visitor: self.place, conversation, after_ms }))
            }
            "message" if frame["author"]["kind"] == "agent" => {
                let text = frame["text"].as_str().unwrap_or_default().trim().to_owned();
                Ok(Some(Heard::Reply { text, at: now }))
            }
            "refused" | "bye" => bail!("{frame}"),
            _ => Ok(None),
        }
    }

    async fn send(&mut self, frame: &Value) -> Result<()> {
        self.stream.send(Message::text(frame.to_string())).await.context("a connection broke")
    }

    /// The next frame of the protocol. The library answers pings by itself.
    async fn next(&mut self) -> Result<Value> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).context("frames are JSON"),
                Some(Ok(Message::Close(close))) => bail!("closed: {close:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error).context("a connection broke"),
                None => bail!("a connection ended"),
            }
        }
    }
}

/// Raises the limit of open files of this process, and so of the hosts that it starts, to what the system allows.
fn allow_files(wanted: usize) -> Result<()> {
    let id = std::process::id().to_string();
    let allowed = || -> Option<(usize, String)> {
        let text = std::fs::read_to_string("/proc/self/limits").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        let (soft, hard) = line.trim().split_once(char::is_whitespace)?;
        let hard = hard.split_whitespace().next()?.to_owned();
        Some((soft.parse().unwrap_or(usize::MAX), hard))
    };
    let (soft, hard) = allowed().context("/proc/self/limits says nothing about open files")?;
    if soft >= wanted {
        return Ok(());
    }
    let raised = Command::new("prlimit").args(["--pid", &id, &format!("--nofile={hard}:{hard}")]).status();
    ensure!(raised.context("prlimit")?.success(), "the limit of open files cannot be raised");
    let (soft, _) = allowed().context("/proc/self/limits says nothing about open files")?;
    ensure!(soft >= wanted, "the system allows {soft} open files, {wanted} are needed");
    Ok(())
}
