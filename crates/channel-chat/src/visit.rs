//! One connection from the welcome to the end: what comes in, what is shown, and when it is over.

mod act;
mod show;

use crate::decode::{self, ClientFrame, Hello, Refusal};
use crate::door::Door;
use crate::encode::{Code, Refused, ServerFrame, Welcome, written};
use crate::hub::Notes;
use crate::limits::FrameLimit;
use crate::socket::{Gone, Incoming};
use crate::stay::Stay;
use crate::visitor::{Unwelcome, Visitor};
use crate::wire::Wire;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::{Thread, ThreadsError};
use switchboard_model::{ConversationId, MessageId};
use tokio::time::{Instant, sleep_until, timeout};

/// After conversations could not be read, they are tried again after this.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// So many frames that make no sense, and the client is no client.
const MOST_FAULTS: u32 = 20;

/// A connection whose visitor is known.
struct Visit {
    door: Arc<Door>,
    address: IpAddr,
    wire: Wire,
    visitor: Visitor,
    frames: FrameLimit,
    faults: u32,
    stay: Stay,
    known: BTreeMap<ConversationId, Known>,
    /// First messages of conversations that were begun here and are not known by their key yet.
    begun: Vec<String>,
    /// When to read again what could not be read.
    read_again_at: Option<Instant>,
    heard_at: Instant,
}

/// A conversation of the visitor, and how much of it this connection has shown.
struct Known {
    prefix: String,
    key: Option<String>,
    thread: Thread,
    /// The thread as it was shown last.
    shown: Option<Thread>,
    /// Everything up to this was shown, or is not wanted.
    cursor: Option<MessageId>,
    /// What was shown beyond.
    recent: BTreeSet<MessageId>,
}

/// How a connection ends.
enum End {
    /// The other side is gone already.
    Gone(Gone),
    /// We say why.
    Bye { code: &'static str, close: u16, reconnect: bool },
}

/// Why something could not be done.
enum Halt {
    /// The connection ends.
    End(End),
    /// Conversations cannot be read now.
    Unread(ThreadsError),
}

enum Event {
    Shutdown,
    Came(Incoming),
    Rung,
    Silence,
    ReadAgain,
    Renew,
}

/// Serves one connection until its end.
pub(crate) async fn run(door: Arc<Door>, address: IpAddr, mut wire: Wire) {
    let (wire, end) = match Box::pin(first_frame(&door, &mut wire)).await {
        Err(end) => (wire, end),
        Ok(hello) => {
            let now = door.context.runtime.clock.now();
            let (visitor, unwelcome) = Visitor::of(&door.config, &door.signer, &hello, now);
            count_identity(&door, &hello, &visitor);
            match unwelcome {
                Some(Unwelcome::NoIdentity) => (wire, End::refused("identity_required")),
                Some(Unwelcome::Disbelieved) => (wire, End::refused("identity_refused")),
                None => {
                    let mut visit = Visit::new(Arc::clone(&door), address, wire, visitor);
                    let end = visit.serve(hello).await;
                    (visit.wire, end)
                }
            }
        }
    };
    match end {
        End::Gone(Gone { is_slow }) => {
            if is_slow {
                door.count("switchboard_chat_cut_total", "slow");
            }
        }
        End::Bye { code, close, reconnect } => {
            door.count("switchboard_chat_cut_total", code);
            wire.close(written(&ServerFrame::Bye { code, reconnect, retry_after_s: None }), close).await;
        }
    }
}

/// Waits for `hello`.
async fn first_frame(door: &Door, wire: &mut Wire) -> Result<Box<Hello>, End> {
    let read = async {
        loop {
            match wire.next().await {
                Incoming::Text(text) => return Ok(text),
                Incoming::Alive => {}
                Incoming::Bad(bad) => return Err(End::bad(bad)),
                Incoming::Gone => return Err(End::Gone(Gone { is_slow: false })),
            }
        }
    };
    let limit = Duration::from_secs(door.config.limits.hello_timeout_seconds);
    let text = tokio::select! {
        () = door.context.runtime.shutdown.cancelled() => return Err(End::restart()),
        read = timeout(limit, read) => read.map_err(|_| End::bye("silent", 1_008))??,
    };
    match decode::frame(&text) {
        Ok(ClientFrame::Hello(hello)) => Ok(hello),
        _ => Err(End::refused("hello_first")),
    }
}

impl Visit {
    fn new(door: Arc<Door>, address: IpAddr, wire: Wire, visitor: Visitor) -> Self {
        let frames = FrameLimit::new(door.config.limits.frames_per_minute, Arc::clone(&door.context.runtime.clock));
        let stay = Stay::new(Arc::clone(&door));
        Self {
            door,
            address,
            wire,
            visitor,
            frames,
            faults: 0,
            stay,
            known: BTreeMap::new(),
            begun: Vec::new(),
            read_again_at: None,
            heard_at: Instant::now(),
        }
    }

    async fn serve(&mut self, hello: Box<Hello>) -> End {
        match Box::pin(self.welcome(&hello)).await {
            Err(Halt::End(end)) => return end,
            Err(Halt::Unread(error)) => {
                tracing::warn!(channel = %self.door.config.slug, %error, "a visitor could not be shown conversations");
                return End::bye("unavailable", 1_013);
            }
            Ok(()) => drop(hello),
        }
        loop {
            let step = match self.event().await {
                Event::Shutdown => return End::restart(),
                Event::Came(Incoming::Gone) => return End::Gone(Gone { is_slow: false }),
                Event::Came(Incoming::Bad(bad)) => return End::bad(bad),
                Event::Came(Incoming::Alive) => self.heard(),
                Event::Came(Incoming::Text(text)) => match self.heard() {
                    Ok(()) => Box::pin(self.take(&text)).await,
                    end => end,
                },
                Event::Rung | Event::ReadAgain => Box::pin(self.look()).await,
                Event::Silence => self.ask().await,
                Event::Renew => {
                    self.stay.renew(Instant::now()).await;
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn event(&mut self) -> Event {
        let limits = &self.door.config.limits;
        let ask_at = self.heard_at + Duration::from_secs(limits.ping_seconds);
        let quiet_until = if Instant::now() < ask_at { ask_at } else { self.heard_at + Duration::from_secs(limits.idle_seconds) };
        let (mailbox, read_again_at, renew_at) = (self.stay.mailbox(), self.read_again_at, self.stay.renew_at());
        tokio::select! {
            () = self.door.context.runtime.shutdown.cancelled() => Event::Shutdown,
            came = self.wire.next() => Event::Came(came),
            () = async { match mailbox { Some(mailbox) => mailbox.rung().await, None => pending().await } } => Event::Rung,
            () = async { match read_again_at { Some(at) => sleep_until(at).await, None => pending().await } } => Event::ReadAgain,
            () = async { match renew_at { Some(at) => sleep_until(at).await, None => pending().await } } => Event::Renew,
            () = sleep_until(quiet_until) => Event::Silence,
        }
    }

    /// Something came: the client is there, unless it sends far too much.
    fn heard(&mut self) -> Result<(), End> {
        self.heard_at = Instant::now();
        if self.frames.take() { Ok(()) } else { Err(End::bye("flood", 1_008)) }
    }

    /// Nothing came for a while.
    async fn ask(&mut self) -> Result<(), End> {
        if self.heard_at.elapsed() >= Duration::from_secs(self.door.config.limits.idle_seconds) {
            return Err(End::bye("silent", 1_008));
        }
        self.wire.ping().await.map_err(End::Gone)
    }

    /// Takes one frame of the client.
    async fn take(&mut self, text: &str) -> Result<(), End> {
        let done = match decode::frame(text) {
            Ok(frame) => self.act(frame).await,
            Err(refusal) => {
                self.faults += 1;
                if self.faults > MOST_FAULTS {
                    return Err(End::Bye { code: "protocol", close: 1_008, reconnect: false });
                }
                self.refuse(&refusal).await
            }
        };
        self.settle(done, Notes::default())
    }

    /// Reads what the notes say is new.
    async fn look(&mut self) -> Result<(), End> {
        let Some(mailbox) = self.stay.mailbox().cloned() else { return Ok(()) };
        self.read_again_at = None;
        let mut notes = mailbox.take();
        let done = self.show_noted(&mut notes).await;
        if done.is_ok() {
            self.attend_open().await;
        }
        self.settle(done, notes)
    }

    /// What could not be read is read again later; what is left of the notes stands until then.
    fn settle(&mut self, done: Result<(), Halt>, notes: Notes) -> Result<(), End> {
        match done {
            Ok(()) => Ok(()),
            Err(Halt::End(end)) => Err(end),
            Err(Halt::Unread(error)) => {
                tracing::warn!(channel = %self.door.config.slug, %error, "conversations could not be read; trying again");
                if let Some(mailbox) = self.stay.mailbox() {
                    mailbox.put_back(notes);
                }
                self.read_again_at = Some(Instant::now() + READ_AGAIN);
                Ok(())
            }
        }
    }

    async fn welcome(&mut self, hello: &Hello) -> Result<(), Halt> {
        let replays = decode::replays(hello.after.as_ref());
        if self.visitor.owner().is_some() {
            self.join();
            self.load().await?;
        }
        let opening = self.door.context.threads.opening().await.unwrap_or_else(|error| {
            tracing::warn!(channel = %self.door.config.slug, %error, "the hours could not be read; shown as open");
            switchboard_channel::Opening::default()
        });
        let door = Arc::clone(&self.door);
        let offer = door.context.threads.mail_offer();
        let pass = self.visitor.pass(&door.signer, door.context.runtime.clock.now());
        let work = self.challenge();
        let mut welcome = Welcome::new(&door.config, &self.visitor, opening, offer);
        welcome.visitor = self.visitor.word();
        welcome.session = self.visitor.has_session();
        welcome.pass = pass;
        welcome.work = work;
        welcome.identity_fault = self.visitor.disbelief.map(crate::identity::Disbelief::code);
        let threads: Vec<Thread> = self.known.values().rev().map(|known| known.thread.clone()).collect();
        welcome.conversations = threads.iter().take(decode::MOST_REPLAYS).map(crate::encode::Standing::of).collect();
        let frame = written(&ServerFrame::Welcome(Box::new(welcome)));
        self.send(frame).await?;
        for known in self.known.values_mut() {
            known.shown = Some(known.thread.clone());
        }
        let newest_open = self.known.values().rev().find(|known| known.thread.open).map(|known| known.thread.conversation);
        let unnamed = newest_open.filter(|id| !replays.contains_key(id)).map(|id| (id, None));
        for (conversation, after) in replays.into_iter().chain(unnamed) {
            if self.known.contains_key(&conversation) {
                self.replay(conversation, after).await?;
            }
        }
        self.attend_open().await;
        self.signal_page().await;
        Ok(())
    }

    /// From now on changes of the visitor's conversations ring here.
    fn join(&mut self) {
        self.stay.join(self.visitor.owners());
    }

    async fn send(&mut self, frame: String) -> Result<(), Halt> {
        self.wire.send(frame).await.map_err(|gone| Halt::End(End::Gone(gone)))
    }

    async fn refuse(&mut self, refusal: &Refusal) -> Result<(), Halt> {
        self.door.count("switchboard_chat_refused_total", refusal.code.as_str());
        self.send(written(&ServerFrame::Refused(Refused::of(refusal)))).await
    }

    async fn refuse_with(&mut self, code: Code) -> Result<(), Halt> {
        self.refuse(&Refusal::of(code)).await
    }
}

impl End {
    const fn bye(code: &'static str, close: u16) -> Self {
        Self::Bye { code, close, reconnect: true }
    }

    const fn refused(code: &'static str) -> Self {
        Self::Bye { code, close: 1_008, reconnect: false }
    }

    const fn restart() -> Self {
        Self::bye("restart", 1_012)
    }

    const fn bad(bad: crate::socket::Bad) -> Self {
        let (code, close) = bad.codes();
        Self::bye(code, close)
    }
}

fn count_identity(door: &Door, hello: &Hello, visitor: &Visitor) {
    let outcome = match (&hello.identity, visitor.disbelief) {
        (None, _) => return,
        (Some(_), None) => "verified",
        (Some(_), Some(disbelief)) => disbelief.code(),
    };
    door.count("switchboard_chat_identities_total", outcome);
}
