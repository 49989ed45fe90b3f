//! What the tables say of every message, item and person once nothing is pending.

use crate::Database;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Counted work that differs from the items (ROUTING 5.5). Nothing leaves a type out here, and each conversation and
/// its ticket have one owner at most.
const MISCOUNTED: &str = "SELECT * FROM (SELECT user_id, open_total, open_chat, open_mail, open_call, \
    (SELECT COUNT(*) FROM item WHERE TYPES) AS all_open, \
    (SELECT COUNT(*) FROM item WHERE TYPES AND load_group IN ('inbox_chat', 'ticket_messaging')) AS chats, \
    (SELECT COUNT(*) FROM item WHERE TYPES AND load_group IN ('inbox_mail', 'ticket_email_other')) AS mails, \
    (SELECT COUNT(*) FROM item WHERE TYPES AND load_group IN ('inbox_call', 'ticket_calling')) AS calls FROM person) AS counted \
    WHERE open_total <> all_open OR open_chat <> chats OR open_mail <> mails OR open_call <> calls";
const OWNED: &str = "owner_kind = 'user' AND owner_id = user_id AND status = 'open'";

/// Open work that is nowhere: without an owner, not waiting, and without a reason, unless a person made it so.
const NOWHERE: &str = "SELECT id, (SELECT actor FROM history WHERE item_id = item.id AND change LIKE '%\"kind\":\"owner\"%' \
    ORDER BY id DESC LIMIT 1) AS changed_by FROM item WHERE status = 'open' AND routed AND owner_kind IS NULL \
    AND team_id IS NULL AND queued_since IS NULL AND unassigned_reason IS NULL";

/// Broken promises.
pub(crate) fn check(database: &Database, taken: &BTreeSet<String>) -> Vec<String> {
    let mut broken = messages(database, taken);
    let none = [
        ("counted work differs from the items", MISCOUNTED.replace("TYPES", OWNED)),
        ("inputs were parked", "SELECT seq, parked FROM routing_input WHERE parked IS NOT NULL".to_owned()),
        (
            "items wait that have an owner",
            "SELECT id FROM item WHERE queued_since IS NOT NULL AND owner_kind IS NOT NULL".to_owned(),
        ),
        ("items wait that are not open", "SELECT id FROM item WHERE queued_since IS NOT NULL AND status <> 'open'".to_owned()),
        (
            "owners are unknown",
            "SELECT id FROM item WHERE owner_kind = 'user' AND owner_id NOT IN (SELECT user_id FROM person)".to_owned(),
        ),
        (
            "items were decided twice at one number",
            "SELECT item_id, no FROM decision WHERE refused IS NULL \
            GROUP BY item_id, no HAVING COUNT(*) > 1"
                .to_owned(),
        ),
        (
            "one number is consumed twice",
            "SELECT consumed_no FROM routing_input WHERE consumed_no IS NOT NULL \
            GROUP BY consumed_no HAVING COUNT(*) > 1"
                .to_owned(),
        ),
        (
            "the log has holes",
            "SELECT no FROM router_cursor WHERE no <> \
            (SELECT COUNT(*) FROM routing_input WHERE consumed_no IS NOT NULL)"
                .to_owned(),
        ),
    ];
    for (what, sql) in none {
        let rows = database.rows(&sql);
        if !rows.is_empty() {
            broken.push(format!("{what}: {rows:?}"));
        }
    }
    for row in database.rows(NOWHERE) {
        let by_rule = row["changed_by"].as_str().is_none_or(|actor| actor.contains("\"rule\""));
        if by_rule {
            broken.push(format!("item {} is open and nowhere: {}", row["id"], story(database, &row["id"])));
        }
    }
    broken
}

/// What is stored about an item, in order.
fn story(database: &Database, item: &Value) -> String {
    let parts = [
        format!("SELECT id, at, actor, change FROM history WHERE item_id = {item} ORDER BY id"),
        format!("SELECT no, refused, decision FROM decision WHERE item_id = {item} ORDER BY no, id"),
        format!("SELECT seq, consumed_no, body FROM routing_input WHERE item_id = {item} ORDER BY seq"),
    ];
    let told = parts.iter().flat_map(|sql| database.rows(sql)).map(|row| format!("\n  {}", Value::from(row)));
    told.collect()
}

/// Every acknowledged message is there once, and no other is.
fn messages(database: &Database, taken: &BTreeSet<String>) -> Vec<String> {
    let mut stored: BTreeMap<String, u32> = BTreeMap::new();
    for row in database.rows("SELECT text FROM message WHERE kind = 'inbound'") {
        *stored.entry(row["text"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let missing = taken.iter().filter(|name| !stored.contains_key(*name)).map(|name| format!("{name} is lost"));
    let doubled = stored.iter().filter(|(_, count)| **count > 1).map(|(name, count)| format!("{name} is there {count} times"));
    let unknown = stored.keys().filter(|name| !taken.contains(*name)).map(|name| format!("{name} was never acknowledged"));
    missing.chain(doubled).chain(unknown).collect()
}

/// What happened, in numbers.
pub(crate) fn summary(database: &Database) -> String {
    let number = |sql: &str| database.number(&format!("SELECT COUNT(*) AS n FROM {sql}"));
    let refused =
        database.rows("SELECT refused, COUNT(*) AS n FROM decision WHERE refused IS NOT NULL GROUP BY refused ORDER BY 1");
    let refused: Vec<String> = refused
        .iter()
        .map(|row| format!("{} {}", row["n"], row.get("refused").and_then(Value::as_str).unwrap_or_default()))
        .collect();
    let deadlocks = match database.is_shared() {
        true => database.number("SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()"),
        false => 0,
    };
    format!(
        "{} messages, {} inputs, {} decisions (refused: {}), {} queued, {} by hand, epoch {}, {deadlocks} deadlocks",
        number("message"),
        number("routing_input"),
        number("decision"),
        refused.join(", "),
        number("decision WHERE decision LIKE '%\"queued\"%'"),
        number("history WHERE actor LIKE '%\"system\"%'"),
        database.number("SELECT epoch AS n FROM router_cursor"),
    )
}
