//! Those who act while engines race: customers, people at work, people who come and go, and those who edit rules.

use super::CHANNELS;
use crate::running::{Running, letter};
use crate::{Database, Random};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use switchboard_engine::{Caller, EngineError, EngineErrorKind, NewStatus, OwnerChange};
use switchboard_model::{Distribution, ItemId, ItemStatus, Priority, StatusValue, UserId};
use tokio::time::interval;

/// Each actor acts this often, if it can.
const BEAT: Duration = Duration::from_millis(15);
/// With more open than this, people close what they have.
const CROWDED: usize = 90;

/// What the actors share.
pub(crate) struct Floor {
    /// The engines.
    pub engines: Vec<Running>,
    enough: AtomicBool,
    /// Names of messages that were acknowledged.
    taken: Mutex<BTreeSet<String>>,
    /// What may be open.
    open: Mutex<Vec<(ItemId, String)>>,
    /// What may be closed, with the channel and the name of its first message.
    closed: Mutex<Vec<(ItemId, String)>>,
    /// Answers that nobody should get.
    complaints: Mutex<Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Floor {
    pub(crate) fn new(engines: Vec<Running>) -> Self {
        Self {
            engines,
            enough: AtomicBool::new(false),
            taken: Mutex::default(),
            open: Mutex::default(),
            closed: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    /// Every actor stops after what it is about.
    pub(crate) fn stop(&self) {
        self.enough.store(true, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.enough.load(Ordering::SeqCst)
    }

    pub(crate) fn taken(&self, name: String) {
        lock(&self.taken).insert(name);
    }

    /// Names of messages that were acknowledged.
    pub(crate) fn ledger(&self) -> BTreeSet<String> {
        lock(&self.taken).clone()
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        lock(&self.complaints).clone()
    }

    pub(crate) fn all_know_the_directory(&self) -> Result<(), String> {
        let versions: Vec<_> = self.engines.iter().map(|running| running.engine.directory().version).collect();
        if versions.iter().all(|version| *version == versions[0]) { Ok(()) } else { Err(format!("{versions:?}")) }
    }

    pub(crate) fn people(&self) -> Vec<UserId> {
        self.engines[0].engine.directory().users.iter().map(|user| user.id).collect()
    }

    pub(crate) fn user(&self, name: &str) -> UserId {
        let directory = self.engines[0].engine.directory();
        directory.user_by_email(&format!("{name}@desk.test")).expect("it is in the directory").id
    }

    /// The engine that routes, once there is one.
    pub(crate) async fn leader(&self, database: &Database) -> usize {
        if self.engines.len() == 1 {
            return 0;
        }
        crate::eventually("somebody routes", Duration::from_secs(60), async || {
            let found = database.rows("SELECT holder FROM lease WHERE name = 'router' AND expires_at > 0");
            match found.first().and_then(|row| row["holder"].as_str()) {
                Some("one") => Ok(0),
                Some("other") => Ok(1),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    fn any<'f>(&'f self, random: &mut Random) -> &'f Running {
        &self.engines[pick(random, self.engines.len())]
    }

    /// Customers write, now and then in answer to something that was closed, and repeat what was not acknowledged,
    /// through whichever engine.
    pub(crate) async fn take_in(self: std::sync::Arc<Self>, sender: usize, mut random: Random) {
        let mut beat = interval(BEAT);
        for nth in 0_u64.. {
            beat.tick().await;
            if !self.goes_on() {
                return;
            }
            let name = format!("{sender}-{nth}");
            let again = if random.one_in(6) { take_any(&self.closed, &mut random) } else { None };
            let (channel, answers) = match &again {
                Some((_, first)) => (channel_of(first).to_owned(), vec![first.clone()]),
                None => (CHANNELS[pick(&mut random, CHANNELS.len())].0.to_owned(), Vec::new()),
            };
            let name = format!("{channel}-{name}");
            let from = format!("{}@customer.test", sender);
            let receipt = loop {
                match self.any(&mut random).engine.take_in(letter(&channel, &name, &from, &answers)).await {
                    Ok(receipt) => break receipt,
                    Err(error) => self.note("taking in", &error),
                }
                beat.tick().await;
            };
            self.taken(name.clone());
            match again {
                Some((item, first)) => lock(&self.open).push((item, first)),
                None => {
                    let item = self.work_item(receipt.conversation.into(), &mut random).await;
                    lock(&self.open).push((item, name));
                }
            }
        }
    }

    /// The ticket of a conversation, or itself.
    async fn work_item(&self, conversation: ItemId, random: &mut Random) -> ItemId {
        let mut beat = interval(BEAT);
        loop {
            match self.any(random).engine.item(&Caller::system(), conversation).await {
                Ok(view) => return view.row.ticket.map_or(view.row.id, ItemId::from),
                Err(error) => self.note("reading", &error),
            }
            beat.tick().await;
        }
    }

    /// People close, assign, snooze, return and rank what there is.
    pub(crate) async fn work(self: std::sync::Arc<Self>, mut random: Random) {
        let mut beat = interval(BEAT);
        while self.goes_on() {
            beat.tick().await;
            let crowded = lock(&self.open).len() > CROWDED;
            let Some((item, name)) = take_any(&self.open, &mut random) else { continue };
            let closes = crowded || random.below(10) < 4;
            match self.act(item, closes, &mut random).await {
                Ok(()) if closes => lock(&self.closed).push((item, name)),
                Ok(()) => lock(&self.open).push((item, name)),
                Err(error) => {
                    self.note("working", &error);
                    lock(&self.open).push((item, name));
                }
            }
        }
    }

    async fn act(&self, item: ItemId, closes: bool, random: &mut Random) -> Result<(), EngineError> {
        let caller = Caller::system();
        let version = self.any(random).engine.item(&caller, item).await?.row.version;
        let engine = &self.any(random).engine;
        if closes {
            return engine.set_item_status(&caller, item, version, ItemStatus::Closed, None).await.map(drop);
        }
        match random.below(10) {
            0..=2 => {
                let people = self.people();
                let user = Some(people[pick(random, people.len())]);
                engine.set_owner(&caller, item, version, OwnerChange { user, team: None }).await.map(drop)
            }
            3 => engine.set_owner(&caller, item, version, OwnerChange { user: None, team: None }).await.map(drop),
            4 | 5 => {
                let until = engine.now().plus_ms(i64::try_from(300 + random.below(1_500)).unwrap_or(300));
                engine.set_item_status(&caller, item, version, ItemStatus::Snoozed, Some(until)).await.map(drop)
            }
            6 | 7 => engine.return_to_queue(&caller, item, version, None).await.map(drop),
            8 => engine.route(&caller, item, version).await.map(drop),
            _ => {
                let priority = Priority::ALL[pick(random, Priority::ALL.len())];
                engine.set_priority(&caller, item, version, priority).await.map(drop)
            }
        }
    }

    /// People go away, finish and come back.
    pub(crate) async fn come_and_go(self: std::sync::Arc<Self>, mut random: Random) {
        let mut beat = interval(BEAT * 4);
        let people = self.people();
        while self.goes_on() {
            beat.tick().await;
            let user = people[pick(&mut random, people.len())];
            let value = match random.below(5) {
                0 => StatusValue::Away,
                1 => StatusValue::Finishing,
                _ => StatusValue::Available,
            };
            let status = NewStatus { value, reason: None };
            if let Err(error) = self.any(&mut random).engine.set_availability(&Caller::system(), user, status).await {
                self.note("changing a status", &error);
            }
        }
    }

    /// The rule of the help desk's channel changes its mind, and is off for a while.
    pub(crate) async fn edit_rules(self: std::sync::Arc<Self>, mut random: Random) {
        let mut beat = interval(BEAT * 40);
        while self.goes_on() {
            beat.tick().await;
            let engine = &self.any(&mut random).engine;
            let Ok(in_force) = engine.rule("desk", None) else { continue };
            let Some(mut rule) = in_force.rule else { continue };
            rule.on = !random.one_in(4);
            rule.cases[0].distribution = Some(Distribution::ALL[pick(&mut random, Distribution::ALL.len())]);
            if let Err(error) = engine.put_rule(&Caller::system(), "desk", None, in_force.version, Some(rule)).await {
                self.note("editing a rule", &error);
            }
        }
    }

    /// Conflicts and what comes of failed commits are in order; anything else is not.
    fn note(&self, what: &str, error: &EngineError) {
        let in_order = matches!(
            error.kind,
            EngineErrorKind::Conflict
                | EngineErrorKind::Invalid
                | EngineErrorKind::Busy
                | EngineErrorKind::Unavailable
                | EngineErrorKind::Unknown
        );
        if !in_order && !error.message.contains(super::faults::MADE) {
            lock(&self.complaints).push(format!("{what}: {:?}: {error}", error.kind));
        }
    }
}

fn pick(random: &mut Random, len: usize) -> usize {
    usize::try_from(random.below(u64::try_from(len).unwrap_or(1))).unwrap_or(0)
}

fn take_any(list: &Mutex<Vec<(ItemId, String)>>, random: &mut Random) -> Option<(ItemId, String)> {
    let mut list = lock(list);
    if list.is_empty() {
        return None;
    }
    let place = pick(random, list.len());
    Some(list.swap_remove(place))
}

/// The channel that a message of this name came through.
fn channel_of(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}
