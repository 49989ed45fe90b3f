//! Short ways to say what many tests do.

use serde_json::{Value, json};
use std::time::Duration;
use switchboard_tests::{Client, Host, Mail, eventually, swaks};

/// How long something that happens at once may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// A customer's mail to the mailbox `support`, sent with swaks.
pub async fn write_in(host: &Host, from: &str, subject: &str) {
    let id = format!("<{}@customer.test>", subject.replace([' ', '?'], "-"));
    let mail = Mail::new(from, "support@example.test", subject, "Could you have a look, please?").with("Message-ID", &id);
    swaks(host.mailbox("support"), &mail).await;
}

/// The one open work item with this subject, once it has been decided about.
pub async fn decided(client: &Client, subject: &str) -> Value {
    eventually(&format!("`{subject}` is decided about"), SOON, async || {
        let rows = client.rows("items?view=open&limit=200").await;
        let found: Vec<&Value> = rows.iter().filter(|row| row["subject"] == subject).collect();
        assert!(found.len() < 2, "one mail made several items: {found:?}");
        match found.first() {
            Some(row) if is_decided(row) => Ok((*row).clone()),
            other => Err(format!("{other:?} among {} open items", rows.len())),
        }
    })
    .await
}

/// The item as it is once a condition holds.
pub async fn once(client: &Client, item: i64, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, SOON, async || {
        let item = client.item(item).await;
        if is_so(&item) { Ok(item) } else { Err(item.to_string()) }
    })
    .await
}

/// Whether the router has left its mark on an item.
pub fn is_decided(row: &Value) -> bool {
    !row["owner"].is_null() || !row["team"].is_null() || !row["unassigned_reason"].is_null()
}

/// The user who owns an item.
pub fn owner(item: &Value) -> Option<i64> {
    item["owner"]["id"].as_i64()
}

/// The id of an item.
pub fn id(item: &Value) -> i64 {
    item["id"].as_i64().unwrap_or_else(|| panic!("no id in {item}"))
}

/// The number under a name.
pub fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_else(|| panic!("no number `{name}` in {value}"))
}

/// Sets the owner of an item by hand, as it is now.
pub async fn assign(client: &Client, item: i64, user: Option<i64>) -> Value {
    let version = client.item(item).await["version"].clone();
    let owner = user.map(|id| json!({ "kind": "user", "id": id }));
    client.put(&format!("/api/v1/items/{item}/owner"), &json!({ "version": version, "owner": owner })).await.ok()
}

/// Sets the status of an item, as it is now.
pub async fn set_status(client: &Client, item: i64, status: &str) -> Value {
    let version = client.item(item).await["version"].clone();
    client.put(&format!("/api/v1/items/{item}/status"), &json!({ "version": version, "status": status })).await.ok()
}

/// Why the last decision about an item came out as it did.
pub async fn explanation(client: &Client, item: i64) -> Value {
    let decisions = client.get(&format!("/api/v1/items/{item}/decisions")).await.ok();
    let last = decisions[0]["id"].as_i64().unwrap_or_else(|| panic!("no decision about {item}: {decisions}"));
    client.get(&format!("/api/v1/decisions/{last}/explanation")).await.ok()
}

/// Every candidate of an explanation: user, load, and `chosen`, `eligible` or the code of the reason for skipping.
pub fn candidates(explanation: &Value) -> Vec<(i64, i64, String)> {
    let stages = explanation["explanation"]["stages"].as_array().into_iter().flatten();
    let candidates = stages.flat_map(|stage| stage["candidates"].as_array().into_iter().flatten());
    let verdict = |candidate: &Value| {
        let verdict = &candidate["verdict"];
        let code = verdict["reason"]["code"].as_str().or_else(|| verdict["kind"].as_str());
        code.unwrap_or_default().to_owned()
    };
    candidates.map(|candidate| (number(candidate, "user"), number(candidate, "load"), verdict(candidate))).collect()
}

/// An item as it is once the router has decided about it.
pub async fn decided_of(client: &Client, item: i64) -> Value {
    once(client, item, "it is decided about", is_decided).await
}
