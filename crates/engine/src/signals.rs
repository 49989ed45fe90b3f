//! Who is on a conversation right now: people at the desk, and the contact of a channel whose other side is connected.
//!
//! Every host keeps it in memory and forgets it by itself. Hosts of one PostgreSQL tell each other through short-lived
//! rows, gathered several times a second: live events are kept for desks that come back, and who was typing an hour ago
//! is of no use to them.

use crate::engine::Engine;
use crate::error::Result;
use crate::threads::shown_name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use switchboard_channel::ThreadChange;
use switchboard_model::{
    Attention, ChannelId, ConversationId, ConversationPresence, PersonAttention, Timestamp, UserId, VisitedPage, VisitorPresence,
    WorkspaceId,
};
use switchboard_storage::SignalRow;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// A person who was not heard of for this long is gone.
const PERSON_MS: i64 = 40_000;
/// Writing is over this long after the last word of it.
const WRITING_MS: i64 = 10_000;
/// A contact that the channel says nothing of for this long is gone; channels say every minute who is still connected.
const CONTACT_MS: i64 = 150_000;
/// Contacts of a host that was not heard of for this long are gone.
const HOST_MS: i64 = 90_000;
const KEEP_EVERY_MS: i64 = 30_000;
const LOOK_ALONE: Duration = Duration::from_secs(1);
const LOOK_SHARED: Duration = Duration::from_millis(300);
const BACKLOG: usize = 1_024;
/// The most that is kept; what comes beyond is not shown.
const MAX_SAID: usize = 200_000;
/// Letters of a page's address and title that are kept.
const MAX_PAGE_LETTERS: usize = 500;

/// Who says something: a person at the desk, or the contact.
type Who = Option<UserId>;
/// The name of this host among those that say something.
const HERE: &str = "";

/// Who is on a conversation now, where that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceNews {
    /// Everybody who is there.
    pub presence: ConversationPresence,
    /// A person at the desk came, went, or does something else; else it was the contact.
    pub people_changed: bool,
}

/// What is said on all conversations.
pub(crate) struct Signals {
    state: Mutex<State>,
    told: broadcast::Sender<Arc<PresenceNews>>,
}

#[derive(Default)]
struct State {
    said: BTreeMap<(ConversationId, Who, String), Said>,
    /// What other hosts have yet to be told.
    unwritten: BTreeSet<(ConversationId, Who)>,
    /// What was told last.
    shown: BTreeMap<ConversationId, ConversationPresence>,
}

/// Where a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub workspace: WorkspaceId,
    pub channel: Option<ChannelId>,
}

#[derive(Clone)]
struct Said {
    at: Whereabouts,
    what: What,
    /// All of it is over then, unless it is said again.
    until: Timestamp,
    writing_until: Timestamp,
}

/// What somebody does, as hosts tell each other.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct What {
    attention: Option<Attention>,
    writing: bool,
    page: Option<VisitedPage>,
    /// Rises whenever it is said again.
    beat: u64,
}

/// What the contact is now known to do.
pub(crate) enum ContactSignal {
    Connected(bool),
    Writing(bool),
    Page(VisitedPage),
}

impl Default for Signals {
    fn default() -> Self {
        Self { state: Mutex::default(), told: broadcast::Sender::new(BACKLOG) }
    }
}

impl Signals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a conversation is, if anybody is on it.
    pub(crate) fn whereabouts(&self, conversation: ConversationId) -> Option<Whereabouts> {
        let state = self.state();
        state.of(conversation).next().map(|(_, said)| said.at)
    }

    /// Whether the contact is connected to any host.
    pub(crate) fn is_connected(&self, conversation: ConversationId, now: Timestamp) -> bool {
        let state = self.state();
        state.of(conversation).any(|((_, who, _), said)| who.is_none() && said.until > now)
    }
}

impl State {
    fn of(&self, conversation: ConversationId) -> impl Iterator<Item = (&(ConversationId, Who, String), &Said)> {
        self.said.range((conversation, None, String::new())..).take_while(move |((id, ..), _)| *id == conversation)
    }

    /// What this host says of somebody, changed; `None` ends it.
    fn say(&mut self, key: (ConversationId, Who), at: Whereabouts, said: Option<(What, Timestamp, Timestamp)>) {
        let place = (key.0, key.1, HERE.to_owned());
        match said {
            Some((what, until, writing_until)) => {
                if self.said.len() >= MAX_SAID && !self.said.contains_key(&place) {
                    return;
                }
                self.said.insert(place, Said { at, what, until, writing_until });
            }
            None if self.said.remove(&place).is_none() => return,
            None => {}
        }
        self.unwritten.insert(key);
    }

    /// Ends what is over, and answers on which conversations.
    fn expire(&mut self, now: Timestamp) -> BTreeSet<ConversationId> {
        let mut changed = BTreeSet::new();
        let over: Vec<_> = self.said.iter().filter(|(_, said)| said.until <= now).map(|(key, _)| key.clone()).collect();
        for key in over {
            self.said.remove(&key);
            changed.insert(key.0);
            if key.2 == HERE {
                self.unwritten.insert((key.0, key.1));
            }
        }
        for (key, said) in &mut self.said {
            if said.what.writing && said.writing_until <= now {
                said.what.writing = false;
                changed.insert(key.0);
                if key.2 == HERE {
                    self.unwritten.insert((key.0, key.1));
                }
            }
        }
        changed
    }

    /// What another host says. Answers whether it is news.
    fn hear(&mut self, row: &SignalRow, now: Timestamp) -> bool {
        let key = (row.conversation, row.user, row.host.clone());
        if row.left_ms <= 0 {
            return self.said.remove(&key).is_some();
        }
        let Ok(what) = serde_json::from_str::<What>(&row.state) else { return false };
        let until = now.plus_ms(row.left_ms);
        let is_full = self.said.len() >= MAX_SAID;
        match self.said.get_mut(&key) {
            Some(said) if said.what.beat == what.beat => {
                said.until = until;
                false
            }
            None if is_full => false,
            _ => {
                let at = Whereabouts { workspace: row.workspace, channel: row.channel };
                self.said.insert(key, Said { at, what, until, writing_until: now.plus_ms(WRITING_MS) });
                true
            }
        }
    }
}

impl Engine {
    /// Who comes and goes on conversations, from now on. A receiver that falls behind asks anew.
    #[must_use]
    pub fn subscribe_presence(&self) -> broadcast::Receiver<Arc<PresenceNews>> {
        self.inner.signals.told.subscribe()
    }

    /// A person does something on a conversation, for [`PERSON_MS`] or until told otherwise; `None` goes away.
    pub(crate) fn note_attention(
        &self,
        user: UserId,
        conversation: ConversationId,
        at: Whereabouts,
        attention: Option<Attention>,
    ) {
        let now = self.now();
        let mut state = self.inner.signals.state();
        let beat = state.said.get(&(conversation, Some(user), HERE.to_owned())).map_or(0, |said| said.what.beat);
        let what = attention.map(|attention| What {
            attention: Some(attention),
            writing: attention == Attention::Writing,
            page: None,
            beat: beat.wrapping_add(1),
        });
        let until = now.plus_ms(PERSON_MS);
        state.say((conversation, Some(user)), at, what.map(|what| (what, until, until)));
        drop(state);
        self.tell_presence([conversation].into());
    }

    /// The contact does something on a conversation, for [`CONTACT_MS`] or until told otherwise.
    pub(crate) fn note_contact(&self, conversation: ConversationId, at: Whereabouts, signal: ContactSignal) {
        let now = self.now();
        let mut state = self.inner.signals.state();
        let until = now.plus_ms(CONTACT_MS);
        let renewed = state.said.get_mut(&(conversation, None, HERE.to_owned()));
        if let (Some(said), ContactSignal::Connected(true)) = (renewed, &signal) {
            // Nothing is new; other hosts hear of it when this host next writes all that it says.
            said.until = until;
            return;
        }
        let before = state.said.get(&(conversation, None, HERE.to_owned()));
        let (mut what, mut writing_until) = before.map_or((What::default(), now), |said| (said.what.clone(), said.writing_until));
        what.beat = what.beat.wrapping_add(1);
        let said = match signal {
            ContactSignal::Connected(false) => None,
            ContactSignal::Connected(true) => Some(what),
            ContactSignal::Writing(writing) => {
                writing_until = now.plus_ms(WRITING_MS);
                Some(What { writing, ..what })
            }
            ContactSignal::Page(page) => {
                let cut = |text: String| text.chars().filter(|letter| !letter.is_control()).take(MAX_PAGE_LETTERS).collect();
                let page = VisitedPage { address: cut(page.address), title: cut(page.title) };
                Some(What { page: Some(page), ..what })
            }
        };
        state.say((conversation, None), at, said.map(|what| (what, until, writing_until)));
        drop(state);
        self.tell_presence([conversation].into());
    }

    /// Who is on a conversation that is where the caller says.
    pub(crate) fn presence_on(&self, conversation: ConversationId, workspace: WorkspaceId) -> ConversationPresence {
        self.compose(&self.inner.signals.state(), conversation, workspace)
    }

    fn compose(&self, state: &State, conversation: ConversationId, workspace: WorkspaceId) -> ConversationPresence {
        let directory = self.directory();
        let mut people = BTreeMap::<UserId, Attention>::new();
        let mut visitor: Option<(u64, VisitorPresence)> = None;
        for ((_, who, _), said) in state.of(conversation) {
            match (who, said.what.attention) {
                (Some(user), Some(attention)) => {
                    let strongest = people.entry(*user).or_insert(attention);
                    *strongest = attention.max(*strongest);
                }
                (Some(_), None) => {}
                (None, _) => {
                    let (beat, known) = visitor.take().unwrap_or((0, VisitorPresence { writing: false, page: None }));
                    let newer = said.what.page.clone().filter(|_| known.page.is_none() || said.what.beat > beat);
                    let writing = known.writing || said.what.writing;
                    visitor = Some((beat.max(said.what.beat), VisitorPresence { writing, page: newer.or(known.page) }));
                }
            }
        }
        let people = people.into_iter().filter_map(|(user, attention)| {
            let name = directory.user(user)?.name.clone();
            Some(PersonAttention { user, name, attention })
        });
        let people = people.collect();
        ConversationPresence { conversation, workspace, people, visitor: visitor.map(|(_, visitor)| visitor) }
    }

    /// Tells desks and channels what differs from what they were told last.
    fn tell_presence(&self, conversations: BTreeSet<ConversationId>) {
        let signals = &self.inner.signals;
        for conversation in conversations {
            let mut state = signals.state();
            let at = state.of(conversation).next().map(|(_, said)| said.at);
            let before = state.shown.get(&conversation).cloned();
            let Some(workspace) = at.map(|at| at.workspace).or(before.as_ref().map(|before| before.workspace)) else { continue };
            let after = self.compose(&state, conversation, workspace);
            if before.as_ref() == Some(&after) {
                continue;
            }
            if after.people.is_empty() && after.visitor.is_none() {
                state.shown.remove(&conversation);
            } else {
                state.shown.insert(conversation, after.clone());
            }
            drop(state);
            self.tell_writing(before.as_ref(), &after, at.and_then(|at| at.channel));
            let people_changed = before.map(|before| before.people).unwrap_or_default() != after.people;
            // Nobody listening is no failure.
            let _ = signals.told.send(Arc::new(PresenceNews { presence: after, people_changed }));
        }
    }

    /// The contact is told who began or ceased to write.
    fn tell_writing(&self, before: Option<&ConversationPresence>, after: &ConversationPresence, channel: Option<ChannelId>) {
        let writers = |presence: &ConversationPresence| -> BTreeMap<UserId, String> {
            let writing = presence.people.iter().filter(|person| person.attention == Attention::Writing);
            writing.map(|person| (person.user, shown_name(&person.name))).collect()
        };
        let (before, now) = (before.map(writers).unwrap_or_default(), writers(after));
        let changes = before.iter().filter(|(user, _)| !now.contains_key(user)).map(|(_, name)| (name, false));
        let changes = changes.chain(now.iter().filter(|(user, _)| !before.contains_key(user)).map(|(_, name)| (name, true)));
        for (name, writes) in changes {
            self.tell_channel(channel, ThreadChange::Writing(after.conversation, name.clone(), writes));
        }
    }

    /// Forgets who is gone, and talks to the other hosts, until the token is cancelled.
    pub async fn run_signals(self, shutdown: CancellationToken) {
        let is_shared = self.inner.store.is_shared();
        let look = if is_shared { LOOK_SHARED } else { LOOK_ALONE };
        let (mut position, mut kept_at) = (0, self.now());
        if is_shared && let Err(error) = self.end_signals().await {
            tracing::warn!(%error, "what this host said of conversations before could not be ended; it runs out by itself");
        }
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(look) => {}
            }
            let now = self.now();
            let over = self.inner.signals.state().expire(now);
            self.tell_presence(over);
            if is_shared && let Err(error) = self.exchange(&mut position, &mut kept_at, now).await {
                tracing::warn!(%error, "hosts cannot tell each other who is on conversations; trying again");
            }
        }
        if is_shared && let Err(error) = self.end_signals().await {
            tracing::warn!(%error, "what this host said of conversations could not be ended; it runs out by itself");
        }
    }

    async fn end_signals(&self) -> Result<()> {
        let host = self.inner.holder.clone();
        self.inner.store.write(move |tx| Box::pin(async move { Ok(tx.end_signals(&host).await?) })).await
    }

    /// Writes what this host has to say, and hears what others say.
    async fn exchange(&self, position: &mut i64, kept_at: &mut Timestamp, now: Timestamp) -> Result<()> {
        let keeps = now.ms_since(*kept_at) >= KEEP_EVERY_MS;
        let rows = self.unwritten(now, keeps);
        if !rows.is_empty() || keeps {
            let keys: Vec<_> = rows.iter().map(|row| (row.conversation, row.user)).collect();
            let written: Result<()> = self
                .inner
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        if !rows.is_empty() {
                            tx.write_signals(&rows).await?;
                        }
                        if keeps {
                            tx.prune_signals().await?;
                        }
                        Ok(())
                    })
                })
                .await;
            if written.is_err() {
                self.inner.signals.state().unwritten.extend(keys);
            }
            written?;
            if keeps {
                *kept_at = now;
            }
        }
        let (rows, newest) = self.inner.store.signals_since(&self.inner.holder, *position).await?;
        *position = newest;
        let mut state = self.inner.signals.state();
        let news = rows.iter().filter(|row| state.hear(row, now)).map(|row| row.conversation).collect();
        drop(state);
        self.tell_presence(news);
        Ok(())
    }

    /// What other hosts have yet to be told; with `keeps` all that this host says, for it runs out there, and their
    /// table may have been emptied.
    pub(crate) fn unwritten(&self, now: Timestamp, keeps: bool) -> Vec<SignalRow> {
        let mut state = self.inner.signals.state();
        let mut keys = std::mem::take(&mut state.unwritten);
        if keeps {
            keys.extend(
                state.said.keys().filter(|(_, _, host)| host == HERE).map(|(conversation, who, _)| (*conversation, *who)),
            );
        }
        let row = |(conversation, user): (ConversationId, Who)| {
            let said = state.said.get(&(conversation, user, HERE.to_owned()));
            let at = said.map_or(Whereabouts { workspace: WorkspaceId(0), channel: None }, |said| said.at);
            let left_ms = said.map_or(0, |said| said.until.ms_since(now).min(HOST_MS));
            let state = said.and_then(|said| serde_json::to_string(&said.what).ok()).unwrap_or_default();
            SignalRow {
                conversation,
                user,
                host: self.inner.holder.clone(),
                workspace: at.workspace,
                channel: at.channel,
                state,
                left_ms,
            }
        };
        keys.into_iter().map(row).collect()
    }
}
