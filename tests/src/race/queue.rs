//! The order of the queue (ROUTING 7.4) and of turns (6.2), from the stored decisions alone.

use super::Quiet;
use crate::{Database, Row};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// When something happened: the number of the input, then the place within it.
type Moment = (i64, i64);

/// What is stored about one item of the channel, in order.
enum Event {
    /// The router was told of it.
    Told,
    /// It was decided about.
    Decided(Box<Decided>),
}

struct Decided {
    at: Moment,
    outcome: String,
    /// Its place in the queue: when it began to wait, or came.
    since: i64,
    /// The urgency it was decided with, if the input of the decision tells.
    priority: Option<String>,
    /// Somebody was left out of it whom others could get.
    special: bool,
    /// The database refused it, because the item or the person had changed: nobody was given anything.
    refused: bool,
    /// It had an owner, in whose place it may stay while others wait: routed again, it counts against nobody.
    held: bool,
}

/// A time in which an item waited, everybody of the channel being welcome.
struct Wait {
    item: i64,
    from: Moment,
    to: Moment,
    since: i64,
    priority: String,
}

/// Items that were assigned while one that had waited longer, as urgent and for the same people, went on waiting. Only
/// such times count in which nothing else was heard of the item, and nobody was left out of it.
pub(crate) fn order(database: &Database, channel: &str) -> Vec<String> {
    let items = events(database, channel);
    let mut waits: Vec<Wait> = items.iter().flat_map(|(item, events)| waits(*item, events)).collect();
    end_at_rebuilds(database, &mut waits);
    let mut known: BTreeMap<i64, Vec<&Wait>> = BTreeMap::new();
    waits.iter().for_each(|wait| known.entry(wait.item).or_default().push(wait));
    let mut broken = Vec::new();
    for (item, events) in &items {
        for (_, event) in events {
            let Event::Decided(decided) = event else { continue };
            if decided.outcome != "assigned" || decided.refused || decided.held {
                continue;
            }
            let waited = known.get(item).and_then(|waits| waits.iter().find(|wait| wait.to == decided.at));
            let Some(priority) = waited.map(|wait| &wait.priority).or(decided.priority.as_ref()) else { continue };
            let before = |wait: &&Wait| {
                wait.item != *item
                    && wait.priority == *priority
                    && (wait.since, wait.item) < (decided.since, *item)
                    && wait.from < decided.at
                    && decided.at < wait.to
            };
            broken.extend(waits.iter().filter(before).map(|wait| {
                format!(
                    "item {item} of {} was assigned at {:?} while item {} waited since {} ({:?} to {:?})",
                    decided.since, decided.at, wait.item, wait.since, wait.from, wait.to
                )
            }));
        }
    }
    broken
}

/// From each decision to wait until the next that is heard of the item.
fn waits(item: i64, events: &[(Moment, Event)]) -> Vec<Wait> {
    let mut waits = Vec::new();
    for (place, (at, event)) in events.iter().enumerate() {
        let Event::Decided(decided) = event else { continue };
        if let (true, false, Some(priority)) = (decided.outcome == "queued", decided.special, &decided.priority) {
            let to = events.get(place + 1).map_or((i64::MAX, 0), |(to, _)| *to);
            waits.push(Wait { item, from: *at, to, since: decided.since, priority: priority.clone() });
        }
    }
    waits
}

/// A memory that was rebuilt from the tables may know already what the log tells it later: an item that it does not hold
/// has stopped waiting then.
fn end_at_rebuilds(database: &Database, waits: &mut [Wait]) {
    for row in database.rows("SELECT no, state FROM checkpoint ORDER BY no") {
        let (no, state) = (number(&row, "no"), json(&row["state"]));
        let held = state["waiting"].as_array().into_iter().flatten().filter_map(|waiting| waiting["arrival"]["item"].as_i64());
        let held: BTreeSet<i64> = held.collect();
        let there = |wait: &&mut Wait| wait.from.0 <= no && no < wait.to.0 && !held.contains(&wait.item);
        waits.iter_mut().filter(there).for_each(|wait| wait.to = (no, i64::MAX));
    }
}

/// Everything that is stored about each item of the channel, by item.
fn events(database: &Database, channel: &str) -> BTreeMap<i64, Vec<(Moment, Event)>> {
    let of_channel = format!("item_id IN (SELECT id FROM item WHERE channel_id = {})", channel_id(database, channel));
    let mut items: BTreeMap<i64, Vec<(Moment, Event)>> = BTreeMap::new();
    let inputs = format!("SELECT seq, item_id, consumed_no, consumed_at, body FROM routing_input WHERE {of_channel}");
    let mut bodies: BTreeMap<i64, (Option<i64>, i64, Value)> = BTreeMap::new();
    for row in database.rows(&inputs) {
        let no = number(&row, "consumed_no");
        items.entry(number(&row, "item_id")).or_default().push(((no, -1), Event::Told));
        bodies.insert(number(&row, "seq"), (row["item_id"].as_i64(), number(&row, "consumed_at"), json(&row["body"])));
    }
    let decisions = format!("SELECT item_id, input_seq, no, at, decision, refused FROM decision WHERE {of_channel}");
    for row in database.rows(&decisions) {
        let (item, decision) = (number(&row, "item_id"), json(&row["decision"]));
        let asked = bodies.get(&number(&row, "input_seq")).filter(|(about, ..)| *about == Some(item));
        let at = (number(&row, "no"), decision["place"].as_i64().unwrap_or(0));
        let arrival = asked.map(|(_, _, body)| if body["kind"] == "arrived" { body } else { &body["retry"] });
        let priority = arrival.map(|arrival| arrival["queue"]["priority"].as_str().unwrap_or("normal").to_owned());
        let excluded = arrival.and_then(|arrival| arrival["excluded"].as_array()).is_some_and(|list| !list.is_empty());
        let held = arrival.is_some_and(|arrival| !arrival["previous_owner"].is_null());
        let full = asked.is_some_and(|(_, _, body)| body["reason"] == "at_capacity");
        let since = decision["queued_since"].as_i64().unwrap_or_else(|| number(&row, "at"));
        let outcome = decision["outcome"]["kind"].as_str().unwrap_or_default().to_owned();
        let decided =
            Decided { at, outcome, since, priority, special: excluded || full, refused: !row["refused"].is_null(), held };
        items.entry(item).or_default().push((at, Event::Decided(Box::new(decided))));
    }
    items.values_mut().for_each(|events| events.sort_by_key(|(at, _)| *at));
    items
}

/// Turns that were taken twice in one cycle, and cycles of the quiet time in which somebody had none.
pub(crate) fn turns(database: &Database, quiet: &Quiet) -> Vec<String> {
    let mut broken = Vec::new();
    let mut taken: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut cycles: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let rule = format!("\"rule\":{{\"channel\":{},", channel_id(database, "turns"));
    let sql = format!("SELECT no, decision FROM decision WHERE refused IS NULL AND decision LIKE '%{rule}%' ORDER BY no, id");
    for row in database.rows(&sql) {
        let decision = json(&row["decision"]);
        let (Some(user), Some(turn)) = (decision["outcome"]["user"].as_i64(), decision["turn"].as_i64()) else { continue };
        if !taken.insert((turn, user)) {
            broken.push(format!("user {user} had two turns in cycle {turn}"));
        }
        if number(&row, "no") > quiet.after {
            cycles.entry(turn).or_default().insert(user);
        }
    }
    let everybody: BTreeSet<i64> = quiet.turners.iter().map(|user| user.0).collect();
    let (first, last) = (cycles.keys().next().copied(), cycles.keys().next_back().copied());
    // The first cycle began before, and the last may not have ended.
    let whole = cycles.iter().filter(|(turn, _)| Some(**turn) != first && Some(**turn) != last);
    for (turn, served) in whole.clone() {
        if *served != everybody {
            broken.push(format!("cycle {turn} served {served:?} of {everybody:?}, who all could"));
        }
    }
    if whole.count() < 2 {
        broken.push(format!("the quiet time had too few whole cycles: {cycles:?}"));
    }
    broken
}

fn channel_id(database: &Database, slug: &str) -> i64 {
    let rows = database.rows("SELECT document FROM directory_version ORDER BY version DESC LIMIT 1");
    let directory = json(&rows[0]["document"]);
    let channels = directory["channels"].as_array().expect("there are channels");
    let channel = channels.iter().find(|channel| channel["slug"] == slug).expect("it is in the directory");
    channel["id"].as_i64().expect("ids are numbers")
}

fn number(row: &Row, column: &str) -> i64 {
    row[column].as_i64().unwrap_or_else(|| panic!("no number `{column}` in {row:?}"))
}

fn json(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap_or_default()).expect("it is stored as JSON")
}
