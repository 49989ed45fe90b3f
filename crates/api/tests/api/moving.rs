//! Moving items between workspaces, and merging two into one (ROUTING 12.4).

use crate::house::House;
use http::Method;
use serde_json::{Value, json};

fn workspace(house: &House, slug: &str) -> i64 {
    house.engine.directory().workspaces.iter().find(|workspace| workspace.slug == slug).expect("a workspace").id.0
}

#[tokio::test]
async fn r12_4_a_move_answers_with_what_is_the_work_item_there() {
    let house = House::new().await;
    let (ada, bo) = (house.sign_in("ada").await, house.sign_in("bo").await);
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let path = format!("/items/{item}/move");
    let version = ada.get(&format!("/items/{item}")).await.number("version");
    let wish = |slug: &str, version: i64| json!({"version": version, "workspace": workspace(&house, slug)});
    bo.post(&path, wish("team", version)).await.problem(422, "invalid");
    bo.post(&path, json!({"version": version})).await.problem(422, "invalid");
    let moved = bo.post(&path, wish("desk", version)).await.is(200);
    assert_eq!((&moved.body["kind"], &moved.body["ticket_type"]), (&json!("ticket"), &json!("email_other")));
    assert_eq!((&moved.body["conversation"], &moved.body["workspace"]), (&json!(item.0), &json!(workspace(&house, "desk"))));
    let refused = ada.post(&path, wish("team", version)).await.problem(422, "invalid");
    assert!(refused.body["detail"].as_str().is_some_and(|detail| detail.contains("ticket")), "{refused:?}");
    let ticket = moved.number("id");
    let stale = ada.post(&format!("/tickets/{ticket}/move"), wish("inbox", 0)).await.problem(409, "conflict");
    assert_eq!(stale.body["current"]["id"], ticket);
    let shown = ada.get(&format!("/tickets/{ticket}")).await.is(200).body;
    let changes = shown["history"].as_array().expect("a history");
    assert!(changes.iter().any(|entry| entry["change"]["kind"] == "moved" && entry["item"] == ticket), "{changes:?}");
    let hidden = house.arrives("private", "kari", "Hei").await.conversation;
    bo.post(&format!("/items/{hidden}/move"), wish("inbox", 1)).await.problem(404, "not_found");
    house.close().await;
}

#[tokio::test]
async fn r12_4_a_merge_says_what_was_done_and_the_old_id_where_it_went() {
    let house = House::new().await;
    let (ada, vera) = (house.sign_in("ada").await, house.sign_in("vera").await);
    let older = house.arrives("plain", "kari", "Hei").await.conversation;
    let newer = house.arrives("plain", "ola", "Hallo").await.conversation;
    let version = async |id| ada.get(&format!("/items/{id}")).await.is(200).number("version");
    let wish = json!({"version": version(newer).await, "with": older, "with_version": version(older).await});
    let path = format!("/conversations/{newer}/merge");
    vera.post(&path, wish.clone()).await.problem(403, "forbidden");
    let once = async |wish| ada.send(Method::POST, &path, Some(wish), &[("idempotency-key", "merge-1")]).await;
    let done = once(wish.clone()).await.is(200);
    assert_eq!((&done.body["survivor"]["id"], &done.body["merged"]["id"]), (&json!(older.0), &json!(newer.0)));
    assert_eq!((&done.body["messages"], &done.body["survivor"]["merged_into"]), (&json!(1), &Value::Null));
    let again = once(wish.clone()).await.is(200);
    assert_eq!(again.body, done.body, "twice is the same as once");
    let refused = ada.post(&path, wish).await.problem(409, "conflict");
    assert_eq!(refused.body["current"]["id"], older.0, "its version is another now");
    let shell = ada.get(&format!("/items/{newer}")).await.is(200).body;
    assert_eq!((&shell["merged_into"], &shell["status"]), (&json!(older.0), &json!("closed")));
    let thread = ada.get(&format!("/items/{newer}/messages")).await.is(200).body;
    let texts: Vec<&Value> = thread["rows"].as_array().expect("rows").iter().map(|row| &row["text"]).collect();
    assert_eq!(texts, ["Hei", "Hallo"]);
    let view = ada.get(&format!("/items/{older}")).await.is(200).body;
    assert_eq!(view["merged_contacts"].as_array().map(Vec::len), Some(1));
    let reply = json!({"kind": "reply", "text": "Hello"});
    ada.post(&format!("/items/{newer}/messages"), reply).await.problem(409, "conflict");
    let elsewhere = house.arrives("help", "kari", "Hjelp").await.conversation;
    let ticket = ada.get(&format!("/items/{elsewhere}")).await.body["ticket"].as_i64().expect("a ticket");
    let wish = json!({"version": version(older).await, "with": ticket, "with_version": 1});
    ada.post(&format!("/items/{older}/merge"), wish).await.problem(422, "invalid");
    house.close().await;
}
