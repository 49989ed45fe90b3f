//! Engines that race: they take in, people change things by hand through all of them, routers come, go and freeze,
//! commits fail, and at the end the tables are asked whether every promise was kept.

mod actors;
mod capacity;
mod faults;
mod log;
mod queue;
mod tables;

use crate::running::{Running, SystemClock, letter};
use crate::{Database, Random, eventually};
use actors::Floor;
use faults::Faults;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use switchboard_engine::{ApplyOptions, Caller, NewStatus};
use switchboard_model::{ChannelKind, ItemId, ItemStatus, StatusValue, UserId};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

/// The channels, all of which everybody may work on.
const CHANNELS: &[(&str, ChannelKind)] =
    &[("queue", ChannelKind::Email), ("chat", ChannelKind::Custom), ("desk", ChannelKind::Form), ("turns", ChannelKind::Email)];
/// People who take turns in the channel `turns`.
const TURNERS: usize = 4;
/// Messages per turner once everything is quiet.
const QUIET_ROUNDS: usize = 4;
/// How long everything may take to come to rest.
const REST: Duration = Duration::from_secs(60);

/// Capacities of the crew: in all, per type, by weights, and combined.
const CREW: &[&str] = &[
    "{ total = 5 }",
    "{ mail = 2, chat = 3 }",
    "{ weights = { limit = 100, chat = 25, mail = 40 } }",
    "{ total = 4, chat = 1 }",
    "{ total = 6, weights = { limit = 90, chat = 30, mail = 15 } }",
    "{ total = 1 }",
];

/// What a race came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Promises that were broken, in words; empty when all is well.
    pub broken: Vec<String>,
    /// What happened, in numbers, to be printed.
    pub summary: String,
}

/// Lets engines race on a database: two on PostgreSQL, of which either may route; one on SQLite.
///
/// # Panics
/// When the engines cannot be started, or do not come to rest.
pub async fn race(database: &Database, mut random: Random, duration: Duration) -> Outcome {
    let holders: &[&str] = if database.is_shared() { &["one", "other"] } else { &["one"] };
    let mut engines = Vec::new();
    for holder in holders {
        let running = Running::open(&database.url(), holder, CHANNELS, Arc::new(SystemClock::new())).await;
        engines.push(running.expect("the engine starts"));
    }
    let applied = engines[0].engine.apply(&Caller::system(), &directory(), ApplyOptions::default()).await;
    applied.expect("the directory is sound");
    let faults = Faults::prepare(database);
    let floor = Arc::new(Floor::new(engines));
    eventually("every engine knows the directory", REST, async || floor.all_know_the_directory()).await;
    floor.engines.iter().for_each(Running::start_router);
    let mut actors = JoinSet::new();
    for nth in 0..3 {
        actors.spawn(Arc::clone(&floor).take_in(nth, random.split()));
        actors.spawn(Arc::clone(&floor).work(random.split()));
    }
    actors.spawn(Arc::clone(&floor).come_and_go(random.split()));
    actors.spawn(Arc::clone(&floor).edit_rules(random.split()));
    let until = Instant::now() + duration;
    tokio::join!(faults.strike(database, &mut random, until), change_routers(&floor, database, until));
    floor.stop();
    while let Some(ended) = actors.join_next().await {
        ended.expect("no actor panics");
    }
    faults.end(database);
    judge(&floor, database, faults).await
}

/// The lead goes to another engine by a stop, then by a freeze; a single engine stops, freezes and starts again.
async fn change_routers(floor: &Floor, database: &Database, until: Instant) {
    let mut steps = interval((until - Instant::now()) / 8);
    steps.tick().await;
    steps.tick().await;
    let first = floor.leader(database).await;
    floor.engines[first].stop_router().await;
    steps.tick().await;
    floor.engines[first].start_router();
    steps.tick().await;
    let second = floor.leader(database).await;
    floor.engines[second].freeze_router().await;
    steps.tick().await;
    if floor.engines.len() == 1 {
        floor.engines[second].start_router();
    }
}

/// Waits until everything has come to rest, and compares what there is with what was promised.
async fn judge(floor: &Floor, database: &Database, faults: Faults) -> Outcome {
    floor.engines.iter().for_each(Running::start_router);
    everybody_available(floor).await;
    rest(floor, database).await;
    let mut broken = log::check(&floor.engines[0]).await;
    let quiet = quiet_rounds(floor, database).await;
    broken.extend(floor.complaints());
    broken.extend(tables::check(database, &floor.ledger()));
    broken.extend(capacity::check(database));
    broken.extend(queue::order(database, "queue"));
    broken.extend(queue::turns(database, &quiet));
    broken.extend(log::check(&floor.engines[0]).await);
    let report = floor.engines[0].engine.replay(0).await.expect("the log can be read");
    if report.differences > 0 {
        broken.push(format!("replay found {} differences: {:#?}", report.differences, report.listed));
    }
    let mut summary = tables::summary(database);
    let _ = write!(summary, ", {} decisions replayed, {}", report.decisions, faults.summary());
    Outcome { broken, summary }
}

async fn everybody_available(floor: &Floor) {
    let engine = &floor.engines[0].engine;
    for user in floor.people() {
        eventually("everybody is set available", REST, async || {
            let status = NewStatus { value: StatusValue::Available, reason: None };
            engine.set_availability(&Caller::system(), user, status).await.map_err(|error| error.to_string())
        })
        .await;
    }
}

/// Nothing is snoozed, and the router has consumed everything.
async fn rest(floor: &Floor, database: &Database) {
    eventually("everything has come to rest", REST, async || {
        let left = database.number(
            "SELECT (SELECT COUNT(*) FROM routing_input WHERE consumed_no IS NULL AND parked IS NULL) \
             + (SELECT COUNT(*) FROM timer) + (SELECT COUNT(*) FROM item WHERE status = 'snoozed') AS n",
        );
        if left == 0 {
            Ok(())
        } else {
            Err(format!("{left} inputs, timers and snoozed items are left; {:?}", floor.complaints()))
        }
    })
    .await;
}

/// Closes what the turners have and what they get in its place from the queue, until they have nothing.
async fn empty_hands(floor: &Floor, database: &Database) {
    let engine = &floor.engines[0].engine;
    let open = "SELECT item.id AS id FROM item JOIN person ON item.owner_id = person.user_id WHERE item.status = 'open' \
        AND item.routed AND person.limit_total = 40";
    loop {
        let rows = database.rows(open);
        if rows.is_empty() {
            return;
        }
        for row in rows {
            let item = ItemId(row["id"].as_i64().expect("ids are numbers"));
            let version = engine.item(&Caller::system(), item).await.expect("it is there").row.version;
            let closed = engine.set_item_status(&Caller::system(), item, version, ItemStatus::Closed, None).await;
            closed.expect("nobody else acts");
        }
        rest(floor, database).await;
    }
}

/// Empties the hands of the turners, sends each as many messages as there are rounds, and answers with the number of
/// the last decision before them.
async fn quiet_rounds(floor: &Floor, database: &Database) -> Quiet {
    let engine = &floor.engines[0].engine;
    empty_hands(floor, database).await;
    let after = database.number("SELECT no AS n FROM router_cursor");
    for nth in 0..TURNERS * QUIET_ROUNDS {
        let name = format!("quiet-{nth}");
        engine.take_in(letter("turns", &name, "quiet@customer.test", &[])).await.expect("nothing is in the way");
        floor.taken(name);
    }
    rest(floor, database).await;
    let turners = (0..TURNERS).map(|nth| floor.user(&format!("turn{nth}"))).collect();
    Quiet { after, turners }
}

/// The time in which everybody who takes turns can take one.
pub(crate) struct Quiet {
    /// It begins after this number.
    pub after: i64,
    /// Who takes turns.
    pub turners: Vec<UserId>,
}

fn directory() -> String {
    let mut text = String::from("[[teams]]\nslug = \"crew\"\n[[teams]]\nslug = \"turners\"\n");
    let mut person = |name: String, team: &str, capacity: &str| {
        let _ = write!(
            text,
            "[[users]]\nemail = \"{name}@desk.test\"\nname = \"{name}\"\nseat = \"service\"\nteam = \"{team}\"\n\
             capacity = {capacity}\n"
        );
    };
    for (nth, capacity) in CREW.iter().enumerate() {
        person(format!("crew{nth}"), "crew", capacity);
    }
    for nth in 0..TURNERS {
        person(format!("turn{nth}"), "turners", "{ total = 40 }");
    }
    let rule = |target: &str, distribution: &str, nobody: &str| {
        format!(
            "[channels.rule]\ncases = [{{ target = {{ users_and_teams = [\"team:{target}\"] }}, \
             distribution = \"{distribution}\", when_nobody = \"{nobody}\" }}]\n"
        )
    };
    text + "[[workspaces]]\nslug = \"mail\"\nkind = \"inbox\"\n[[workspaces]]\nslug = \"tickets\"\nkind = \"help_desk\"\n"
        + "[[channels]]\nslug = \"queue\"\nkind = \"email\"\nworkspace = \"mail\"\n"
        + &rule("crew", "load_balanced", "wait")
        + "[[channels]]\nslug = \"chat\"\nkind = \"custom\"\nworkspace = \"mail\"\n"
        + &rule("crew", "least_busy", "wait")
        + "[[channels]]\nslug = \"desk\"\nkind = \"form\"\nworkspace = \"tickets\"\n"
        + &rule("crew", "load_balanced", "unassigned")
        + "[[channels]]\nslug = \"turns\"\nkind = \"email\"\nworkspace = \"mail\"\n"
        + &rule("turners", "round_robin", "wait")
}
