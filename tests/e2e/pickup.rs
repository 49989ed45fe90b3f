//! How long work that waits goes on waiting once somebody can have it: from the change that makes room, as its author
//! calls for it, to the moment at which the committed assignment can be read.

use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_engine::{ApplyOptions, Caller, NewStatus};
use switchboard_model::{ChannelKind, ItemId, ItemStatus, Priority, StatusValue, UserId};
use switchboard_tests::{Database, Running, SystemClock, eventually, letter};

const ROUNDS: usize = 20;
/// The bound for the median, on an idle machine.
const AT_ONCE: Duration = Duration::from_millis(50);
/// On a busy machine everything takes longer: then it may take as long as so many plain changes by hand.
const PLAIN_CHANGES: u32 = 6;
const LOOK_EVERY: Duration = Duration::from_millis(1);
const SOON: Duration = Duration::from_secs(60);

/// One person with room for one item, and a queue.
const DIRECTORY: &str = r#"
[[teams]]
slug = "support"
[[users]]
email = "bo@desk.test"
name = "Bo"
seat = "service"
team = "support"
capacity = { total = 1 }
[[workspaces]]
slug = "mail"
kind = "inbox"
[[channels]]
slug = "queue"
kind = "email"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:support"] }, when_nobody = "wait" }]
"#;

struct Queue {
    running: Running,
    person: UserId,
    items: Vec<ItemId>,
}

impl Queue {
    /// Two items more than there are rounds wait for the person, who has one.
    async fn filled(database: &Database) -> Self {
        let clock = Arc::new(SystemClock::new());
        let running = Running::open(&database.url(), "one", &[("queue", ChannelKind::Email)], clock).await.expect("it opens");
        running.engine.apply(&Caller::system(), DIRECTORY, ApplyOptions::default()).await.expect("it is sound");
        running.start_router();
        let mut items = Vec::new();
        for nth in 0..2 * ROUNDS + 2 {
            let message = letter("queue", &format!("m{nth}"), "kim@customer.test", &[]);
            let receipt = running.engine.take_in(message).await.expect("it is taken in");
            items.push(receipt.conversation.into());
        }
        running.routed().await.expect("the database answers");
        let person = running.engine.directory().user_by_email("bo@desk.test").expect("Bo is there").id;
        Self { running, person, items }
    }

    async fn close(&self, item: ItemId) {
        let version = self.running.engine.item(&Caller::system(), item).await.expect("it is there").row.version;
        let closed = self.running.engine.set_item_status(&Caller::system(), item, version, ItemStatus::Closed, None).await;
        closed.expect("nobody else acts");
    }

    async fn set(&self, value: StatusValue) {
        let status = NewStatus { value, reason: None };
        self.running.engine.set_availability(&Caller::system(), self.person, status).await.expect("nobody else acts");
    }

    /// How long a change by hand takes that moves nothing.
    async fn plain_change(&self, item: ItemId) -> Duration {
        let version = self.running.engine.item(&Caller::system(), item).await.expect("it is there").row.version;
        let started = Instant::now();
        let ranked = self.running.engine.set_priority(&Caller::system(), item, version, Priority::Normal).await;
        ranked.expect("nobody else acts");
        started.elapsed()
    }

    /// Waits until the item has an owner.
    async fn owned(&self, item: ItemId) {
        let read = async || self.running.store.item_record(item).await.expect("items can be read").expect("it is there").owner;
        let looked = tokio::time::timeout(SOON, async {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            while read().await.is_none() {
                looks.tick().await;
            }
        });
        looked.await.expect("it gets an owner soon");
    }

    async fn has_only(&self, item: ItemId) {
        eventually("one item is owned", SOON, async || {
            let owned = self.running.store.open_items_of(self.person).await.map_err(|error| error.to_string())?;
            let owned: Vec<_> = owned.iter().map(|item| item.id).collect();
            if owned == [item] { Ok(()) } else { Err(format!("{owned:?}")) }
        })
        .await;
    }
}

async fn picks_up_at_once(database: Database, name: &str) {
    let queue = Queue::filled(&database).await;
    let (mut freed, mut back, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    let mut items = queue.items.iter().copied();
    let mut current = items.next().expect("there are items");
    for _ in 0..ROUNDS {
        queue.has_only(current).await;
        plain.push(queue.plain_change(current).await);
        queue.running.routed().await.expect("the database answers");
        let next = items.next().expect("there are enough");
        let started = Instant::now();
        queue.close(current).await;
        queue.owned(next).await;
        freed.push(started.elapsed());
        let last = items.next().expect("there are enough");
        queue.set(StatusValue::Away).await;
        queue.close(next).await;
        queue.running.routed().await.expect("the database answers");
        let started = Instant::now();
        queue.set(StatusValue::Available).await;
        queue.owned(last).await;
        back.push(started.elapsed());
        current = last;
    }
    queue.running.close().await.expect("it ends");
    plain.sort_unstable();
    let bound = AT_ONCE.max(plain[ROUNDS / 2] * PLAIN_CHANGES);
    for (what, mut times) in [("room is freed", freed), ("somebody comes back", back)] {
        times.sort_unstable();
        let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
        eprintln!("{name}: picked up {median:?} (median; worst {worst:?}) after {what}; a plain change {:?}", plain[ROUNDS / 2]);
        assert!(median < bound, "{name}: after {what} it took {median:?}, more than {bound:?} (median of {times:?})");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_4_what_waits_is_picked_up_within_50_ms_on_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    picks_up_at_once(Database::sqlite_in(folder.path()), "SQLite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_4_what_waits_is_picked_up_within_50_ms_on_postgres() {
    picks_up_at_once(Database::postgres(), "PostgreSQL").await;
}
