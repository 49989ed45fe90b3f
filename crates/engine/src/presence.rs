//! Presence: who has a desk open on this host, and who is set away because nobody has seen them (ROUTING 4.4).
//!
//! Every host keeps its own desks in memory and writes a row when a person comes or goes, and a beat for all of them
//! now and then. The host that routes sets people away; the host that a person comes back to sets them back.

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::router_task::pause;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchboard_model::{
    Actor, Directory, Input, LiveEventKind, ManualStatus, StatusChange, StatusOrigin, StatusValue, Timestamp, UserId,
};
use switchboard_storage::{NewEvent, NewInput, StoreErrorKind, Tx};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often a host says that its desks are still open.
const BEAT_MS: i64 = 30_000;
/// A host that was not heard of for this long has no desks any more.
const HEARD_MS: i64 = 3 * BEAT_MS;
/// How often it is asked who is gone.
const WATCH_MS: i64 = 15_000;
/// How often the task looks at the clock.
const LOOK: Duration = Duration::from_secs(1);
const MINUTE_MS: i64 = 60_000;

/// The desks that are open on this host.
#[derive(Default)]
pub(crate) struct Desks {
    open: Mutex<BTreeMap<UserId, u32>>,
    /// Somebody came or went.
    pub(crate) bell: Notify,
}

/// An open desk of a person, until it is dropped.
pub struct OpenDesk {
    desks: Arc<Desks>,
    user: UserId,
}

impl Desks {
    fn people(&self) -> BTreeSet<UserId> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

impl Drop for OpenDesk {
    fn drop(&mut self) {
        let mut open = self.desks.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.user);
                self.desks.bell.notify_one();
            }
        }
    }
}

/// What the task of a host remembers between its rounds.
#[derive(Default)]
struct Rounds {
    /// Who was written to have a desk open here.
    written: BTreeSet<UserId>,
    beat_at: Timestamp,
    watched_at: Timestamp,
    /// Since when this host has watched without another taking over.
    watching_since: Option<Timestamp>,
}

impl Engine {
    /// A person has opened a desk on this host. Dropping what this returns closes it.
    #[must_use]
    pub fn open_desk(&self, user: UserId) -> OpenDesk {
        let desks = Arc::clone(&self.inner.desks);
        let mut open = desks.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_default();
        *count += 1;
        if *count == 1 {
            desks.bell.notify_one();
        }
        drop(open);
        OpenDesk { desks, user }
    }

    /// Whether a person has a desk open on this host.
    #[must_use]
    pub fn has_open_desk(&self, user: UserId) -> bool {
        self.inner.desks.people().contains(&user)
    }

    /// Keeps presence until the token is cancelled.
    pub async fn run_presence(self, shutdown: CancellationToken) {
        let mut rounds = Rounds::default();
        while let Err(error) = self.forget_desks().await {
            tracing::error!(%error, "presence cannot be kept; trying again");
            pause(&shutdown, LOOK).await;
            if shutdown.is_cancelled() {
                return;
            }
        }
        while !shutdown.is_cancelled() {
            if let Err(error) = self.presence_round(&mut rounds).await {
                tracing::warn!(%error, "presence could not be kept; trying again");
                pause(&shutdown, LOOK).await;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.inner.desks.bell.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        let gone: Vec<_> = rounds.written.iter().map(|user| (*user, false)).collect();
        if let Err(error) = self.note_presence(gone).await {
            tracing::warn!(%error, "the desks of this host could not be signed off; they run out by themselves");
        }
    }

    async fn forget_desks(&self) -> Result<()> {
        let host = self.inner.holder.clone();
        self.commit(move |tx| Box::pin(async move { Ok(tx.forget_desks(&host).await?) })).await
    }

    /// Writes who came and who went, the beat when it is due, and looks for who is gone when that is due.
    async fn presence_round(&self, rounds: &mut Rounds) -> Result<()> {
        let (now, here) = (self.now(), self.inner.desks.people());
        let is_beat = now.ms_since(rounds.beat_at) >= BEAT_MS;
        let told = here.iter().filter(|user| is_beat || !rounds.written.contains(user)).map(|user| (*user, true));
        let gone = rounds.written.difference(&here).map(|user| (*user, false));
        let people: Vec<_> = told.chain(gone).collect();
        self.note_presence(people).await?;
        rounds.written = here;
        if is_beat {
            rounds.beat_at = now;
        }
        if now.ms_since(rounds.watched_at) >= WATCH_MS {
            rounds.watching_since = self.watch(rounds.watching_since).await?;
            rounds.watched_at = now;
        }
        Ok(())
    }

    /// Notes who has a desk open here and who no longer has. Whoever has one is there again.
    async fn note_presence(&self, people: Vec<(UserId, bool)>) -> Result<()> {
        if people.is_empty() {
            return Ok(());
        }
        let (host, given) = (self.inner.holder.clone(), self.now());
        self.commit(move |tx| {
            Box::pin(async move {
                let now = tx.now(given).await?;
                tx.note_presence(&host, &people, now).await?;
                let here: BTreeSet<UserId> = people.iter().filter(|(_, connected)| *connected).map(|(user, _)| *user).collect();
                if here.is_empty() {
                    return Ok(());
                }
                for change in tx.set_away_by_presence().await?.iter().filter(|change| here.contains(&change.user)) {
                    come_back(tx, change, now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Sets away whoever has been gone for too long, on the host that routes. Answers since when this host has watched.
    pub(crate) async fn watch(&self, since: Option<Timestamp>) -> Result<Option<Timestamp>> {
        let directory = self.directory();
        if directory.teams.iter().all(|team| team.presence.is_none()) || !self.is_router().await? {
            return Ok(None);
        }
        let now = self.inner.store.now(self.now()).await?;
        let since = since.unwrap_or(now);
        let presences = self.inner.store.presences(heard_since(now)).await?;
        let people = self.inner.store.people().await?;
        for (person, availability) in self.judged(people).await {
            let (Some(limit_ms), Some(status)) = (limit_ms(&directory, person.user), &person.status) else { continue };
            let presence = presences.get(&person.user);
            let is_connected = presence.is_some_and(|presence| presence.is_connected);
            if status.origin == StatusOrigin::Presence && is_connected {
                self.set_back(person.user).await?;
            }
            let seen_at = presence.map_or(since, |presence| presence.last_seen_at).max(status.set_at).max(since);
            if availability.available && !is_connected && now.ms_since(seen_at) >= limit_ms {
                self.set_away(person.user, person.availability_version, now).await?;
            }
        }
        Ok(Some(since))
    }

    /// Whether this host routes. Another may take over at any time; what follows from the answer is guarded.
    pub(crate) async fn is_router(&self) -> Result<bool> {
        let lease = self.inner.store.lease(crate::router_task::LEASE).await?;
        Ok(lease.is_some_and(|lease| lease.holder == self.inner.holder))
    }

    /// Sets somebody away who is gone, unless the person came back or changed the status meanwhile.
    async fn set_away(&self, user: UserId, version: i64, at: Timestamp) -> Result<()> {
        let away = ManualStatus { value: StatusValue::Away, reason: None, set_at: at, origin: StatusOrigin::Presence };
        self.commit(move |tx| {
            Box::pin(async move {
                if tx.presence_of(user, heard_since(at)).await?.is_some_and(|presence| presence.is_connected) {
                    return Ok(());
                }
                if change_status(tx, (user, version), &away, at).await? {
                    metrics::counter!("switchboard_people_set_away_total").increment(1);
                    tracing::info!(%user, "nobody has seen this person; set away");
                    tx.insert_events(&[NewEvent { user: Some(user), ..NewEvent::new(LiveEventKind::Notice, at) }]).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Sets somebody back who came while being set away.
    async fn set_back(&self, user: UserId) -> Result<()> {
        let given = self.now();
        self.commit(move |tx| {
            Box::pin(async move {
                let now = tx.now(given).await?;
                for change in tx.set_away_by_presence().await?.iter().filter(|change| change.user == user) {
                    come_back(tx, change, now).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// The status that a person had before being set away is back as it was.
async fn come_back(tx: &Tx, away: &StatusChange, at: Timestamp) -> Result<()> {
    let before = tx.status_before(away.user, away.version, at).await?;
    change_status(tx, (away.user, away.version), &before, at).await.map(|_| ())
}

/// Changes a status in a version and tells the router; false when it has another version by now.
async fn change_status(tx: &Tx, (user, version): (UserId, i64), status: &ManualStatus, at: Timestamp) -> Result<bool> {
    match tx.set_status(user, status, Some(version), at, &Actor::System).await {
        Ok(change) => {
            tx.append_inputs(&[NewInput { at, item: None, input: Input::Status(change), consumed: None }]).await?;
            Ok(true)
        }
        Err(error) if error.kind == StoreErrorKind::Conflict => Ok(false),
        Err(error) => Err(EngineError::from(error)),
    }
}

fn heard_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-HEARD_MS)
}

/// After how long without a desk an active person is set away; `None` for whom the main team leaves alone.
fn limit_ms(directory: &Directory, user: UserId) -> Option<i64> {
    let user = directory.user(user).filter(|user| user.is_active())?;
    let presence = directory.team(user.team?)?.presence?;
    Some(i64::from(presence.away_after_min) * MINUTE_MS)
}
