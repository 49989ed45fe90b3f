//! Live events as server-sent events.
//!
//! A stream replays from the stored events what the client missed and then follows the engine's feed. It keeps no
//! queue of its own: a client that reads so slowly that it falls behind the feed is cut off, and catches up from
//! the stored events when it comes back with `Last-Event-ID`.

use crate::gate::{Credential, Requester, recognise};
use crate::problem::{Problem, ProblemCode};
use crate::state::Api;
use axum::response::sse::Event;
use futures::stream::{Stream, unfold};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchboard_engine::{OpenDesk, PresenceNews};
use switchboard_model::{Actor, ConversationPresence, LiveEvent, LiveEventKind};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How many stored events are read at a time.
const REPLAY_ROWS: u32 = 200;

/// How often a stream makes sure that its session or token still holds, for what ended on another host.
const RECHECK: Duration = Duration::from_secs(30);

/// How long browsers wait before they come back.
const RETRY: Duration = Duration::from_millis(1_000);

/// The streams that are open, and the news that a session has ended.
pub(crate) struct Streams {
    limit: u32,
    open: Mutex<HashMap<String, u32>>,
    ended: broadcast::Sender<String>,
}

/// One open stream in the count.
pub(crate) struct Place {
    streams: Arc<Streams>,
    key: String,
}

impl Streams {
    /// At most `limit` streams for one user or token; 0 is without limit.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, open: Mutex::default(), ended: broadcast::Sender::new(64) }
    }

    /// Ends the streams of a session.
    pub(crate) fn end_session(&self, id: &str) {
        // Without streams nobody listens, which is fine.
        let _ = self.ended.send(id.to_owned());
    }

    /// A place in the count, given back when dropped.
    pub(crate) fn enter(self: &Arc<Self>, actor: &Actor) -> Result<Place, Problem> {
        let key = format!("{actor:?}");
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key.clone()).or_default();
        if self.limit > 0 && *count >= self.limit {
            let detail = format!("{} live streams are open already; share one between the tabs of a browser.", self.limit);
            return Err(Problem::new(ProblemCode::RateLimited, detail).retry_after_s(5));
        }
        *count += 1;
        Ok(Place { streams: Arc::clone(self), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// Where a stream starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// After this event.
    After(i64),
    /// What was missed is gone: tell the client to read everything anew, and go on after this event.
    Resync(i64),
}

/// Where to start for a client that has seen everything up to `seen`, when events `oldest..=newest` are stored.
fn start(seen: Option<i64>, oldest: i64, newest: i64) -> Start {
    match seen {
        None => Start::After(newest),
        Some(seen) if seen <= newest && seen.saturating_add(1) >= oldest => Start::After(seen),
        Some(_) => Start::Resync(newest),
    }
}

/// Whether a reader may be told of an event. Events carry no text; `may_open` is about the workspace.
fn is_for(event: &LiveEvent, requester: &Requester, may_open: impl Fn(switchboard_model::WorkspaceId) -> bool) -> bool {
    let opened = event.workspace.is_none_or(may_open);
    match event.kind {
        LiveEventKind::Notice => opened && event.user.is_some() && event.user == requester.caller.user,
        LiveEventKind::Person | LiveEventKind::Directory => opened,
        LiveEventKind::Item | LiveEventKind::Message | LiveEventKind::Mark => opened && event.workspace.is_some(),
    }
}

/// What a reader may be told of who is on a conversation, if anything. The contact is the concern of those who are there
/// too, and goes by the stream for them only.
fn presence_for(
    news: &PresenceNews,
    requester: &Requester,
    may_open: impl Fn(switchboard_model::WorkspaceId) -> bool,
) -> Option<ConversationPresence> {
    let PresenceNews { presence, people_changed } = news;
    let takes_part = presence.people.iter().any(|person| Some(person.user) == requester.caller.user);
    let told = (takes_part || *people_changed) && may_open(presence.workspace);
    told.then(|| ConversationPresence { visitor: presence.visitor.clone().filter(|_| takes_part), ..presence.clone() })
}

/// The stream of a reader that has seen everything up to `seen`.
pub(crate) async fn stream(
    api: Api,
    requester: Requester,
    seen: Option<i64>,
) -> Result<impl Stream<Item = Result<Event, Infallible>>, Problem> {
    let place = api.streams.enter(&requester.caller.actor)?;
    // Subscribed before the stored events are read, so that nothing falls between the two.
    let feed = api.engine.subscribe();
    let presences = api.engine.subscribe_presence();
    let ended = api.streams.ended.subscribe();
    let (oldest, newest) = api.engine.event_range().await?;
    let mut recheck = interval(RECHECK);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    recheck.reset();
    let mut ready = VecDeque::from([Event::default().retry(RETRY)]);
    let cursor = match start(seen, oldest, newest) {
        Start::After(id) => id,
        Start::Resync(id) => {
            ready.push_back(resync(id));
            id
        }
    };
    let desk = requester.caller.user.filter(|_| requester.session_id().is_some()).map(|user| api.engine.open_desk(user));
    let replaying = cursor < newest;
    let reading =
        Reading { api, requester, feed, presences, ended, recheck, ready, cursor, replaying, _place: place, _desk: desk };
    Ok(unfold(reading, |mut reading| async move { reading.next().await.map(|event| (Ok(event), reading)) }))
}

struct Reading {
    api: Api,
    requester: Requester,
    feed: broadcast::Receiver<LiveEvent>,
    presences: broadcast::Receiver<Arc<PresenceNews>>,
    ended: broadcast::Receiver<String>,
    recheck: Interval,
    ready: VecDeque<Event>,
    cursor: i64,
    replaying: bool,
    _place: Place,
    /// A person at a desk is there (ROUTING 4.4); a program is nobody.
    _desk: Option<OpenDesk>,
}

enum News {
    Event(LiveEvent),
    Presence(Arc<PresenceNews>),
    Recheck,
    End,
}

impl Reading {
    /// The next event to send, or the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.api.options.shutdown.is_cancelled() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.replaying {
                self.replay().await?;
                continue;
            }
            match self.wait().await {
                News::End => return None,
                News::Recheck => self.recheck_credential().await?,
                News::Event(event) => self.take(&event),
                News::Presence(news) => self.take_presence(&news),
            }
        }
    }

    /// Reads some of the stored events; `None` ends the stream, because the client will come back for the rest.
    async fn replay(&mut self) -> Option<()> {
        let events = match self.api.engine.events_after(self.cursor, REPLAY_ROWS).await {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(error = %error, "stored events could not be read");
                return None;
            }
        };
        self.replaying = !events.is_empty();
        events.iter().for_each(|event| self.take(event));
        Some(())
    }

    fn take(&mut self, event: &LiveEvent) {
        if event.id <= self.cursor {
            return;
        }
        self.cursor = event.id;
        if is_for(event, &self.requester, |workspace| self.api.engine.may_open(&self.requester.caller, workspace)) {
            self.ready.extend(sent(event));
        }
    }

    fn take_presence(&mut self, news: &PresenceNews) {
        let caller = &self.requester.caller;
        let told = presence_for(news, &self.requester, |workspace| self.api.engine.may_open(caller, workspace));
        self.ready.extend(told.and_then(|presence| Event::default().event("presence").json_data(presence).ok()));
    }

    async fn wait(&mut self) -> News {
        let id = self.requester.session_id();
        tokio::select! {
            biased;
            () = self.api.options.shutdown.cancelled() => News::End,
            ended = self.ended.recv() => match ended {
                Ok(session) if Some(session.as_str()) == id => News::End,
                // Some were missed; look whether this one was among them.
                Ok(_) | Err(RecvError::Closed) => News::Recheck,
                Err(RecvError::Lagged(_)) => News::Recheck,
            },
            event = self.feed.recv() => match event {
                Ok(event) => News::Event(event),
                Err(RecvError::Lagged(missed)) => {
                    tracing::info!(missed, "a live stream was cut off because its client reads too slowly");
                    News::End
                }
                Err(RecvError::Closed) => News::End,
            },
            news = next_presence(&mut self.presences) => News::Presence(news),
            _ = self.recheck.tick() => News::Recheck,
        }
    }

    /// `None` ends the stream because the session or token no longer holds. Role and workspaces are taken anew.
    async fn recheck_credential(&mut self) -> Option<()> {
        let (bearer, cookie) = match self.requester.credential.clone() {
            Credential::Session { secret, .. } => (None, Some(secret)),
            Credential::Token { secret } => (Some(secret), None),
        };
        match recognise(&self.api, bearer, cookie).await {
            Ok(requester) => {
                self.requester = requester;
                Some(())
            }
            Err(_) => None,
        }
    }
}

/// What was missed is out of date by now, and is said again soon.
async fn next_presence(presences: &mut broadcast::Receiver<Arc<PresenceNews>>) -> Arc<PresenceNews> {
    loop {
        match presences.recv().await {
            Ok(news) => return news,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// An event as it is sent; `None` when it cannot be written, which no event of ours is.
fn sent(event: &LiveEvent) -> Option<Event> {
    let data = serde_json::to_string(event).ok()?;
    Some(Event::default().id(event.id.to_string()).event(event.kind.as_str()).data(data))
}

fn resync(id: i64) -> Event {
    Event::default().id(id.to_string()).event("resync").data(format!("{{\"id\":{id}}}"))
}

#[cfg(test)]
mod tests {
    use super::{Start, Streams, is_for, presence_for, start};
    use crate::gate::{Credential, Requester};
    use std::sync::Arc;
    use switchboard_engine::{Caller, PresenceNews};
    use switchboard_model::{
        Actor, Attention, ConversationId, ConversationPresence, LiveEvent, LiveEventKind, PersonAttention, Role, Timestamp,
        UserId, VisitorPresence, WorkspaceId,
    };

    fn event(kind: LiveEventKind, workspace: Option<i64>, user: Option<i64>) -> LiveEvent {
        LiveEvent {
            id: 1,
            at: Timestamp(0),
            kind,
            workspace: workspace.map(WorkspaceId),
            item: None,
            conversation: None,
            version: None,
            message: None,
            user: user.map(UserId),
        }
    }

    fn reader() -> Requester {
        let caller = Caller { actor: Actor::User { id: UserId(7) }, user: Some(UserId(7)), role: Role::Agent };
        Requester { caller, credential: Credential::Session { id: "s".into(), secret: "x".into() } }
    }

    #[test]
    fn a_client_resumes_after_what_it_has_seen_while_that_is_stored() {
        assert_eq!(start(None, 1, 9), Start::After(9));
        assert_eq!(start(Some(4), 1, 9), Start::After(4));
        assert_eq!(start(Some(9), 1, 9), Start::After(9));
        assert_eq!(start(Some(0), 1, 9), Start::After(0));
        assert_eq!(start(Some(0), 0, 0), Start::After(0));
    }

    #[test]
    fn a_client_that_missed_what_is_gone_is_told_to_read_anew() {
        assert_eq!(start(Some(2), 5, 9), Start::Resync(9));
        // A number from before the database was replaced.
        assert_eq!(start(Some(90), 5, 9), Start::Resync(9));
    }

    #[test]
    fn readers_hear_of_workspaces_they_may_open_and_of_notices_to_themselves() {
        let only_one = |workspace: WorkspaceId| workspace.0 == 1;
        for (event, told) in [
            (event(LiveEventKind::Item, Some(1), None), true),
            (event(LiveEventKind::Item, Some(2), None), false),
            (event(LiveEventKind::Message, None, None), false),
            (event(LiveEventKind::Person, None, Some(9)), true),
            (event(LiveEventKind::Directory, None, None), true),
            (event(LiveEventKind::Notice, Some(1), Some(7)), true),
            (event(LiveEventKind::Notice, Some(1), Some(8)), false),
            (event(LiveEventKind::Notice, None, None), false),
        ] {
            assert_eq!(is_for(&event, &reader(), only_one), told, "{event:?}");
        }
    }

    #[test]
    fn the_contact_is_shown_to_those_who_are_on_the_conversation_and_people_to_whoever_may_open_it() {
        let news = |user, people_changed| PresenceNews {
            presence: ConversationPresence {
                conversation: ConversationId(5),
                workspace: WorkspaceId(1),
                people: vec![PersonAttention { user: UserId(user), name: "Somebody".into(), attention: Attention::Viewing }],
                visitor: Some(VisitorPresence { writing: true, page: None }),
            },
            people_changed,
        };
        let told = |user, people_changed, may_open: bool| {
            let shown = presence_for(&news(user, people_changed), &reader(), |_| may_open);
            shown.map(|presence| (presence.people.len(), presence.visitor.is_some()))
        };
        assert_eq!(told(7, false, true), Some((1, true)), "the reader is there");
        assert_eq!(told(8, true, true), Some((1, false)), "a colleague came or went");
        assert_eq!(told(8, false, true), None, "only the contact did something");
        assert_eq!(told(7, true, false), None, "the workspace is closed to the reader");
    }

    #[test]
    fn places_are_limited_per_caller_and_given_back() {
        let streams = Arc::new(Streams::new(2));
        let actor = Actor::User { id: UserId(7) };
        let first = streams.enter(&actor).unwrap_or_else(|_| panic!("there is a place"));
        let _second = streams.enter(&actor).unwrap_or_else(|_| panic!("there is a place"));
        assert!(streams.enter(&actor).is_err());
        assert!(streams.enter(&Actor::User { id: UserId(8) }).is_ok());
        drop(first);
        assert!(streams.enter(&actor).is_ok());
    }
}
