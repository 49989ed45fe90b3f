//! The router as the log makes it, beside the tables: owners, statuses and the queue are the same, and nothing waits
//! that somebody could have.

use crate::running::Running;
use std::collections::BTreeMap;
use switchboard_channel::Clock;
use switchboard_core::Router;
use switchboard_model::{Effect, Input, Timestamp};
use switchboard_storage::{Store, TableState};

/// What the router would remember after a restart now.
///
/// # Panics
/// When checkpoint or log cannot be used.
pub async fn remembered(store: &Store) -> Router {
    let no = store.cursor().await.expect("there is a cursor").no;
    let checkpoint = store.checkpoint_before(no).await.expect("it can be read").expect("a router began with one");
    let directory = store.directory(checkpoint.state.directory_version).await.expect("it is stored");
    let mut router = Router::new(directory, checkpoint.state).expect("a router goes on from its checkpoint");
    for mut input in store.inputs_between(router.no(), no).await.expect("the log can be read") {
        if let Input::Directory { version, directory } = &mut input.input {
            *directory = Some(store.directory(*version).await.expect("it is stored"));
        }
        let consumed = input.consumed.expect("it has a number");
        router.step(consumed.no, consumed.at, &input.input);
    }
    assert_eq!(router.no(), no, "the log is whole");
    router
}

/// What differs between the log and the tables while nothing is pending.
pub(crate) async fn check(running: &Running) -> Vec<String> {
    let store = &running.store;
    let (router, tables) = at_one_number(store).await;
    let state = router.state();
    let mut broken = Vec::new();
    broken.extend(difference("owned", &state.owned, &tables.owned));
    broken.extend(difference("statuses", &state.statuses, &tables.statuses));
    let waiting: Vec<_> = state.waiting.iter().map(|waiting| (waiting.arrival.item, waiting.since)).collect();
    broken.extend(difference("queued", &waiting, &tables.queued));
    for waiting in &state.waiting {
        let record = store.item_record(waiting.arrival.item).await.expect("items can be read").expect("it is there");
        let there = (record.version, record.priority, record.due_at);
        let known = (waiting.arrival.version, waiting.arrival.queue.priority, waiting.arrival.queue.due_at);
        if there != known {
            broken.push(format!("item {} waits as {known:?} and is {there:?}", waiting.arrival.item));
        }
    }
    let now = store.now(crate::running::SystemClock::new().now()).await.expect("there is a time");
    broken.extend(somebody_could_have(router, now));
    broken
}

/// Log and tables at the same number: timers and the sweep may give the router something to do at any time.
async fn at_one_number(store: &Store) -> (Router, TableState) {
    loop {
        let router = remembered(store).await;
        let tables = store.table_state().await.expect("the tables can be read");
        if tables.cursor.no == router.no() && store.next_inputs(1).await.expect("the log can be read").is_empty() {
            return (router, tables);
        }
    }
}

/// What a router would decide if it were only asked.
fn somebody_could_have(mut router: Router, now: Timestamp) -> Option<String> {
    let waiting = router.waiting().count();
    let decided: Vec<_> = router.step(router.no() + 1, now, &Input::Tick);
    let decided: Vec<_> = decided.into_iter().filter(|effect| matches!(effect, Effect::Decide(_))).collect();
    (!decided.is_empty()).then(|| format!("of {waiting} items that wait, somebody could have {decided:#?}"))
}

fn difference<T: PartialEq + std::fmt::Debug>(what: &str, log: &[T], tables: &[T]) -> Option<String> {
    let only = |some: &[T], others: &[T]| -> Vec<String> {
        some.iter().filter(|one| !others.contains(one)).map(|one| format!("{one:?}")).collect()
    };
    let (in_log, in_tables) = (only(log, tables), only(tables, log));
    let sides = BTreeMap::from([("log", in_log), ("tables", in_tables)]);
    (log != tables).then(|| format!("{what} differ: {sides:#?}"))
}
