//! Capacity at every commit (ROUTING 5.5), from the history alone. Whoever is given work is locked from the count to
//! the end of the transaction, so the rows of history about one person lie in the order of the commits.

use crate::Database;
use serde_json::Value;
use std::collections::BTreeMap;

/// Open items of a person: in all, chats, mails, calls.
type Counts = [i64; 4];

/// What nobody may be taken over by a rule; `None` is no limit.
struct Limits {
    parts: [Option<i64>; 4],
    weight: Option<i64>,
    weights: [i64; 3],
}

/// An item as far as it counts.
#[derive(Clone, Copy)]
struct Counted {
    owner: Option<i64>,
    open: bool,
    kind: usize,
}

/// Automatic assignments that took somebody over a limit.
pub(crate) fn check(database: &Database) -> Vec<String> {
    let limits = limits(database);
    let mut items: BTreeMap<i64, Counted> = BTreeMap::new();
    let mut people: BTreeMap<i64, Counts> = BTreeMap::new();
    let mut broken = Vec::new();
    let rows = database.rows(
        "SELECT history.id AS place, item_id, actor, change, load_group FROM history JOIN item ON item.id = item_id \
         WHERE routed ORDER BY history.id",
    );
    for row in rows {
        let (change, actor): (Value, Value) = (json(&row["change"]), json(&row["actor"]));
        let kind = match row["load_group"].as_str() {
            Some("inbox_chat" | "ticket_messaging") => 1,
            Some("inbox_mail" | "ticket_email_other") => 2,
            _ => 3,
        };
        let item = row["item_id"].as_i64().expect("ids are numbers");
        let before = items.get(&item).copied().unwrap_or(Counted { owner: None, open: true, kind });
        let after = match change["kind"].as_str() {
            Some("owner") => Counted { owner: change["owner"]["id"].as_i64(), ..before },
            Some("returned") => Counted { owner: None, ..before },
            Some("status") => Counted { open: change["status"] == "open", ..before },
            _ => before,
        };
        items.insert(item, after);
        count(&mut people, before, -1);
        count(&mut people, after, 1);
        if let Some(owner) = after.owner.filter(|owner| actor["kind"] == "rule" && before.owner != Some(*owner)) {
            let over = limits.get(&owner).and_then(|limits| limits.exceeded(&people[&owner], kind));
            broken.extend(over.map(|over| format!("history {}: item {item} took {owner} to {over}", row["place"])));
        }
    }
    broken
}

fn count(people: &mut BTreeMap<i64, Counts>, item: Counted, by: i64) {
    if let Some(owner) = item.owner.filter(|_| item.open) {
        let counts = people.entry(owner).or_default();
        counts[0] += by;
        counts[item.kind] += by;
    }
}

impl Limits {
    /// What an item of this type has been one too many for.
    fn exceeded(&self, counts: &Counts, kind: usize) -> Option<String> {
        let over = |part: usize| self.parts[part].filter(|limit| counts[part] > *limit);
        let weight: i64 = counts[1..].iter().zip(self.weights).map(|(count, weight)| count * weight).sum();
        let heavy = self.weight.filter(|limit| self.weights[kind - 1] > 0 && weight > *limit);
        match (over(0), over(kind), heavy) {
            (None, None, None) => None,
            limits => Some(format!("{counts:?}, weighing {weight}, beyond {limits:?}")),
        }
    }
}

fn limits(database: &Database) -> BTreeMap<i64, Limits> {
    let rows = database.rows(
        "SELECT user_id, limit_total, limit_chat, limit_mail, limit_call, limit_weight, weight_chat, weight_mail, weight_call \
         FROM person",
    );
    let limits = rows.iter().map(|row| {
        let number = |column: &str| row[column].as_i64();
        let parts = ["limit_total", "limit_chat", "limit_mail", "limit_call"].map(number);
        let weights = ["weight_chat", "weight_mail", "weight_call"].map(|column| number(column).unwrap_or(0));
        (number("user_id").expect("ids are numbers"), Limits { parts, weight: number("limit_weight"), weights })
    });
    limits.collect()
}

fn json(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap_or_default()).expect("it is stored as JSON")
}
