//! Months of made-up work in minutes: one engine on SQLite, a clock that runs ahead, customers, people and rules that
//! change, and restarts in between. What is decided is stored as ever, so that it can be decided again.

use crate::running::{Running, SetClock, letter};
use crate::{Database, Random};
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use switchboard_channel::Clock;
use switchboard_engine::{ApplyOptions, Caller, EngineError, EngineErrorKind, NewStatus, OwnerChange, ReplayReport};
use switchboard_model::{ChannelKind, Distribution, InboundMessage, ItemId, ItemStatus, Owner, Priority, StatusValue, Timestamp};
use tokio::task::JoinSet;

/// The channels: with a queue, with turns, with affinity, at random, by idleness.
const CHANNELS: &[(&str, ChannelKind)] = &[
    ("queue", ChannelKind::Email),
    ("turns", ChannelKind::Email),
    ("chat", ChannelKind::Custom),
    ("desk", ChannelKind::Form),
    ("idle", ChannelKind::Email),
];
/// What customers write about; some of it demands skills.
const SUBJECTS: &[&str] = &["Where is my parcel?", "An invoice twice", "A return", "En faktura på norsk", "Hello"];
const PEOPLE: usize = 24;
/// How many act at once.
const CLIENTS: usize = 48;
/// Open items of each of them at most.
const IN_HAND: usize = 8;
/// The engine is stopped and started again between so many parts, and some hours go by: nights, shifts, days.
const PARTS: u64 = 8;
const BETWEEN_MS: i64 = 5 * 3_600_000;
/// With more inputs than this before the router, nobody acts.
const CROWDED: i64 = 1_500;
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// 2026-11-23, a Monday, 07:00 in Oslo.
const MONDAY: Timestamp = Timestamp(1_795_413_600_000);

/// What was lived through.
#[derive(Debug)]
pub struct Lived {
    /// What deciding it all again came to.
    pub report: ReplayReport,
    /// In numbers, to be printed.
    pub summary: String,
}

/// Lives on a fresh database in the folder until so many decisions are stored, then decides them all again.
///
/// # Errors
/// When the engine fails.
pub async fn live(folder: &Path, mut random: Random, decisions: u64) -> Result<Lived> {
    let database = Database::sqlite_in(folder);
    let clock = Arc::new(SetClock::at(MONDAY));
    let started = Instant::now();
    let mut life = Life::begin(&database, &clock).await?;
    for part in 1..=PARTS {
        life = life.until(&database, &mut random, decisions * part / PARTS).await?;
    }
    life.running.stop_router().await;
    let lived = started.elapsed();
    let started = Instant::now();
    let report = life.running.engine.replay(0).await?;
    let summary = summary(&database, &report, (lived, started.elapsed()), clock.now());
    life.running.close().await?;
    Ok(Lived { report, summary })
}

/// An item, and the message that it began with.
type Begun = (ItemId, InboundMessage);

/// An engine with its clock.
struct Life {
    running: Running,
    clock: Arc<SetClock>,
    serial: AtomicU64,
    enough: AtomicBool,
    /// How many inputs the router has before it.
    backlog: AtomicI64,
}

impl Life {
    async fn begin(database: &Database, clock: &Arc<SetClock>) -> Result<Self> {
        let running = Running::open(&database.url(), "one", CHANNELS, Arc::clone(clock) as Arc<dyn Clock>).await?;
        if running.engine.directory().users.is_empty() {
            running.engine.apply(&Caller::system(), &directory(), ApplyOptions::default()).await?;
        }
        running.start_router();
        let (serial, enough, backlog) = (AtomicU64::new(0), AtomicBool::new(false), AtomicI64::new(0));
        Ok(Self { running, clock: Arc::clone(clock), serial, enough, backlog })
    }

    /// Acts until so many decisions are stored, and goes on in a new engine.
    async fn until(self, database: &Database, random: &mut Random, decisions: u64) -> Result<Self> {
        let life = Arc::new(self);
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(Arc::clone(&life).act_on(random.split()));
        }
        clients.spawn(Arc::clone(&life).edit(random.split()));
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let goal = i64::try_from(decisions)?;
        while database.number("SELECT COUNT(*) AS n FROM decision") < goal {
            looks.tick().await;
            let backlog = database.number("SELECT COUNT(*) AS n FROM routing_input WHERE consumed_no IS NULL");
            life.backlog.store(backlog, Ordering::SeqCst);
            ensure!(clients.try_join_next().is_none(), "a client has ended early");
        }
        life.enough.store(true, Ordering::SeqCst);
        while let Some(ended) = clients.join_next().await {
            ended.context("a client panicked")??;
        }
        life.running.routed().await?;
        let life = Arc::into_inner(life).context("every client has ended")?;
        let serial = life.serial.into_inner();
        life.running.close().await?;
        life.clock.advance(BETWEEN_MS);
        let next = Self::begin(database, &life.clock).await?;
        next.serial.store(serial, Ordering::SeqCst);
        Ok(next)
    }

    /// A customer and those who deal with what the customer wants.
    async fn act_on(self: Arc<Self>, mut random: Random) -> Result<()> {
        let mut beat = tokio::time::interval(LOOK_EVERY);
        let (mut open, mut closed): (Vec<Begun>, Vec<Begun>) = (Vec::new(), Vec::new());
        while !self.enough.load(Ordering::SeqCst) {
            self.clock.advance(i64::try_from(random.below(60))?);
            if self.backlog.load(Ordering::SeqCst) > CROWDED {
                beat.tick().await;
                continue;
            }
            let full = open.len() >= IN_HAND;
            let kind = random.below(100);
            match kind {
                0..=11 if !full => open.push(self.write(None, &mut random).await?),
                12..=15 if !closed.is_empty() => {
                    let (item, first) = closed.swap_remove(pick(&mut random, closed.len()));
                    self.write(Some(&first), &mut random).await?;
                    open.push((item, first));
                }
                16..=20 => self.come_or_go(&mut random).await?,
                _ if open.is_empty() => {}
                _ => {
                    let place = pick(&mut random, open.len());
                    let closes = full && random.one_in(3);
                    let done = self.deal_with(open[place].0, closes, &mut random).await;
                    let done = in_order(done)?;
                    if closes && done {
                        closed.push(open.swap_remove(place));
                    }
                }
            }
        }
        Ok(())
    }

    async fn write(&self, answers: Option<&InboundMessage>, random: &mut Random) -> Result<Begun> {
        let name = format!("m{}", self.serial.fetch_add(1, Ordering::SeqCst));
        let channel = answers.map_or(CHANNELS[pick(random, CHANNELS.len())].0, |first| first.channel.as_str());
        let from =
            answers.map_or_else(|| format!("c{}@customer.test", random.below(400)), |first| first.sender.identity.value.clone());
        let earlier: Vec<String> = answers.iter().map(|first| first.external_id.clone()).collect();
        let mut message = letter(channel, &name, &from, &earlier);
        message.subject = Some(SUBJECTS[pick(random, SUBJECTS.len())].to_owned());
        let receipt = self.running.engine.take_in(message.clone()).await?;
        let view = self.running.engine.item(&Caller::system(), receipt.conversation.into()).await?;
        Ok((view.row.ticket.map_or(view.row.id, ItemId::from), message))
    }

    /// Most of it asks the rule again, which makes a decision of each.
    async fn deal_with(&self, item: ItemId, closes: bool, random: &mut Random) -> Result<(), EngineError> {
        let (engine, caller) = (&self.running.engine, Caller::system());
        let row = engine.item(&caller, item).await?.row;
        if closes {
            return engine.set_item_status(&caller, item, row.version, ItemStatus::Closed, None).await.map(drop);
        }
        let owned = matches!(row.owner, Some(Owner::User { .. }));
        match random.below(20) {
            0..=6 if owned => engine.return_to_queue(&caller, item, row.version, None).await.map(drop),
            7 | 8 => {
                let people = &engine.directory().users;
                let user = Some(people[pick(random, people.len())].id);
                engine.set_owner(&caller, item, row.version, OwnerChange { user, team: None }).await.map(drop)
            }
            9 => {
                let priority = Priority::ALL[pick(random, Priority::ALL.len())];
                engine.set_priority(&caller, item, row.version, priority).await.map(drop)
            }
            10 => {
                let until = engine.now().plus_ms(60_000 * i64::try_from(1 + random.below(300)).unwrap_or(1));
                engine.set_item_status(&caller, item, row.version, ItemStatus::Snoozed, Some(until)).await.map(drop)
            }
            _ => engine.route(&caller, item, row.version).await.map(drop),
        }
    }

    async fn come_or_go(&self, random: &mut Random) -> Result<()> {
        let users = self.running.engine.directory();
        let user = users.users[pick(random, users.users.len())].id;
        let value = if random.one_in(3) { StatusValue::Away } else { StatusValue::Available };
        self.running.engine.set_availability(&Caller::system(), user, NewStatus { value, reason: None }).await?;
        Ok(())
    }

    /// Rules change their distribution, go off and on.
    async fn edit(self: Arc<Self>, mut random: Random) -> Result<()> {
        let mut beat = tokio::time::interval(LOOK_EVERY);
        while !self.enough.load(Ordering::SeqCst) {
            beat.tick().await;
            let engine = &self.running.engine;
            let slug = ["desk", "idle", "queue"][pick(&mut random, 3)];
            let in_force = engine.rule(slug, None)?;
            let Some(mut rule) = in_force.rule else { continue };
            rule.on = !random.one_in(6);
            rule.cases[0].distribution = Some(Distribution::ALL[pick(&mut random, Distribution::ALL.len())]);
            let edited = engine.put_rule(&Caller::system(), slug, None, in_force.version, Some(rule)).await;
            in_order(edited.map(drop))?;
        }
        Ok(())
    }
}

/// Whether it was done; conflicts and what cannot be done to an item as it is now are in order.
fn in_order(done: Result<(), EngineError>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind, EngineErrorKind::Conflict | EngineErrorKind::Invalid) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn pick(random: &mut Random, len: usize) -> usize {
    usize::try_from(random.below(u64::try_from(len).unwrap_or(1))).unwrap_or(0)
}

fn summary(database: &Database, report: &ReplayReport, (lived, replayed): (Duration, Duration), until: Timestamp) -> String {
    let mut text = format!(
        "{} decisions and {} inputs in {:.1} s ({:.1} days by the clock), replayed in {:.1} s with {} differences\n",
        report.decisions,
        report.inputs,
        lived.as_secs_f64(),
        until.ms_since(MONDAY) as f64 / 86_400_000.0,
        replayed.as_secs_f64(),
        report.differences
    );
    let counts = [
        ("messages", "SELECT COUNT(*) AS n FROM message"),
        ("directory versions", "SELECT COUNT(*) AS n FROM directory_version"),
        ("checkpoints", "SELECT COUNT(*) AS n FROM checkpoint"),
        ("changes of status", "SELECT COUNT(*) AS n FROM person_status"),
        ("ticks", "SELECT COUNT(*) AS n FROM routing_input WHERE kind = 'tick'"),
        ("queued", "SELECT COUNT(*) AS n FROM decision WHERE decision LIKE '%\"queued\"}%'"),
        ("refused as full", "SELECT COUNT(*) AS n FROM decision WHERE refused = 'at_capacity'"),
        ("refused as changed", "SELECT COUNT(*) AS n FROM decision WHERE refused = 'item_changed'"),
        ("refused for the status", "SELECT COUNT(*) AS n FROM decision WHERE refused = 'status_changed'"),
    ];
    for (what, sql) in counts {
        let _ = write!(text, "{what} {}, ", database.number(sql));
    }
    text.truncate(text.len() - 2);
    text
}

fn directory() -> String {
    let mut text = String::from(
        "[[skills]]\nslug = \"billing\"\ncategory = \"Topics\"\n[[skills]]\nslug = \"returns\"\ncategory = \"Topics\"\n\
         [[teams]]\nslug = \"first\"\n[[teams]]\nslug = \"second\"\n",
    );
    let capacities = [
        "{ total = 12 }",
        "{ mail = 8, chat = 3 }",
        "{ weights = { limit = 100, chat = 20, mail = 12 } }",
        "{ total = 25, chat = 5 }",
    ];
    let hours = [
        "",
        "zone = \"Europe/Oslo\"\nhours = [\"mon-fri 08:00-16:00\"]\n",
        "zone = \"America/New_York\"\nhours = [\"mon-sun 09:00-18:00\"]\n",
    ];
    let skills = [
        "",
        "skills = [{ skill = \"billing\", level = 3 }]\n",
        "skills = [{ skill = \"returns\", level = 1 }, { skill = \"billing\", level = 1 }]\n",
    ];
    let languages = ["", "languages = [\"nb\"]\n", "languages = [\"en\", \"nb:secondary\"]\n", ""];
    for nth in 0..PEOPLE {
        let team = if nth % 3 == 0 { "second" } else { "first" };
        let _ = write!(
            text,
            "[[users]]\nemail = \"p{nth}@desk.test\"\nname = \"P {nth}\"\nseat = \"service\"\nteam = \"{team}\"\n{}{}{}capacity = {}\n",
            hours[nth / 2 % hours.len()],
            skills[nth % skills.len()],
            languages[nth % languages.len()],
            capacities[nth % capacities.len()],
        );
    }
    text + REST_OF_DIRECTORY
}

const REST_OF_DIRECTORY: &str = r#"
[[workspaces]]
slug = "mail"
kind = "inbox"
[[workspaces.skill_rules]]
when = { contains = { field = "message.subject", values = ["invoice"] } }
demands = [{ skill = "billing", min_level = 2, relax_after_s = 900 }]
[[workspaces.skill_rules]]
when = { contains = { field = "message.subject", values = ["norsk"] } }
demands = [{ language = "nb", required = false }, { skill = "billing", best_first = true, required = false }]
[[workspaces]]
slug = "tickets"
kind = "help_desk"
[[workspaces.skill_rules]]
when = { contains = { field = "message.subject", values = ["return"] } }
demands = [{ skill = "returns" }]

[[channels]]
slug = "queue"
kind = "email"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:first"] }, distribution = "load_balanced", when_nobody = "wait", overflow = [{ after_s = 600, to = ["team:second"] }] }]
[[channels]]
slug = "turns"
kind = "email"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:second", "p1@desk.test", "p2@desk.test"] }, distribution = "round_robin" }]
[[channels]]
slug = "chat"
kind = "custom"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:first", "team:second"] }, when_nobody = "wait", affinity_days = 3 }]
[[channels]]
slug = "desk"
kind = "form"
workspace = "tickets"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:first"] }, distribution = "random", when_nobody = "keep" }]
[[channels]]
slug = "idle"
kind = "email"
workspace = "tickets"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:first", "team:second"] }, distribution = "longest_idle", when_nobody = "wait" }]
"#;
