//! Work items, threads, decisions: what agents do all day.

use crate::house::House;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use switchboard_model::{Attachment, LiveEventKind};

#[tokio::test]
async fn pages_hold_every_item_once() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    let mut expected = BTreeSet::new();
    for number in 0..7 {
        expected.insert(house.arrives("plain", &format!("contact{number}"), "Hei").await.conversation.0);
    }
    for sort in ["newest", "oldest", "waiting_longest", "priority"] {
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let page = client.get(&format!("/items?view=unassigned&limit=3&sort={sort}{cursor}")).await.is(200);
            assert_eq!(page.number("total"), 7);
            seen.extend(page.body["rows"].as_array().expect("rows").iter().map(|row| row["id"].as_i64().expect("an id")));
            pages += 1;
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!((pages, seen.len()), (3, 7), "{sort}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected, "{sort}");
    }
    client.get("/items?cursor=nonsense").await.problem(422, "invalid");
    client.get("/items?limit=0").await.problem(422, "invalid");
    client.get("/items?view=everything").await.problem(422, "invalid");
    client.get("/items?vew=mine").await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn conversations_and_tickets_are_reached_under_their_own_kind() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    let inbox = house.arrives("plain", "kari", "Hei").await.conversation;
    let help = house.arrives("help", "ola", "Hjelp").await.conversation;
    let conversations = client.get("/conversations?view=open").await.is(200).body;
    assert_eq!(conversations["rows"].as_array().expect("rows").len(), 1);
    assert_eq!(conversations["rows"][0]["id"], inbox.0);
    let tickets = client.get("/tickets?view=open").await.is(200).body;
    let ticket = tickets["rows"][0]["id"].as_i64().expect("a ticket");
    assert_eq!(tickets["rows"][0]["conversation"], help.0);
    client.get(&format!("/tickets/{ticket}")).await.is(200);
    client.get(&format!("/conversations/{ticket}")).await.problem(404, "not_found");
    client.get(&format!("/tickets/{inbox}/messages")).await.problem(404, "not_found");
    let wish = json!({"version": 1, "priority": "high"});
    client.put(&format!("/tickets/{inbox}/priority"), wish).await.problem(404, "not_found");
    client.get("/tickets?kind=conversation").await.problem(422, "invalid");
    assert_eq!(client.get(&format!("/tickets/{ticket}/messages")).await.is(200).body["rows"][0]["text"], "Hjelp");
    house.close().await;
}

#[tokio::test]
async fn r2_6_the_second_of_two_gets_a_conflict_with_the_current_state() {
    let house = House::new().await;
    let (ada, bo) = (house.sign_in("ada").await, house.sign_in("bo").await);
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let version = ada.get(&format!("/items/{item}")).await.is(200).number("version");
    let owner = |name: &str| json!({"version": version, "owner": {"kind": "user", "id": house.user(name).0}});
    let taken = ada.put(&format!("/items/{item}/owner"), owner("ada")).await.is(200);
    assert!(taken.number("version") > version);
    let refused = bo.put(&format!("/items/{item}/owner"), owner("bo")).await.problem(409, "conflict");
    assert_eq!(refused.body["current"]["owner"], json!({"kind": "user", "id": house.user("ada").0}));
    assert_eq!(refused.body["current"]["version"], taken.number("version"));
    let stale = json!({"version": version, "status": "closed"});
    bo.put(&format!("/items/{item}/status"), stale).await.problem(409, "conflict");
    house.close().await;
}

#[tokio::test]
async fn r2_2_a_team_clears_the_owner_and_a_user_keeps_the_team() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let path = format!("/items/{item}/owner");
    let team = house.engine.directory().teams[0].id.0;
    let version = ada.get(&format!("/items/{item}")).await.number("version");
    let row = ada.put(&path, json!({"version": version, "owner": null, "team": team})).await.is(200);
    assert_eq!((&row.body["owner"], &row.body["team"]), (&Value::Null, &json!(team)));
    let user = json!({"kind": "user", "id": house.user("bo").0});
    let row = ada.put(&path, json!({"version": row.number("version"), "owner": user})).await.is(200);
    assert_eq!((&row.body["owner"], &row.body["team"]), (&user, &json!(team)));
    ada.put(&path, json!({"version": row.number("version"), "owner": {"kind": "bot"}})).await.problem(422, "invalid");
    ada.put(&path, json!({"version": row.number("version")})).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn r2_3_replying_takes_what_nobody_owns_and_a_note_does_not() {
    let house = House::new().await;
    let (ada, bo) = (house.sign_in("ada").await, house.sign_in("bo").await);
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let path = format!("/items/{item}/messages");
    ada.post(&path, json!({"kind": "note", "text": "Who knows Kari?"})).await.is(201);
    assert_eq!(ada.get(&format!("/items/{item}")).await.body["owner"], Value::Null);
    let reply = bo.post(&path, json!({"kind": "reply", "text": "Hello"})).await.is(201);
    assert_eq!(reply.body["delivery"]["state"], "queued");
    let item_now = ada.get(&format!("/items/{item}")).await.is(200);
    assert_eq!(item_now.body["owner"]["id"], house.user("bo").0);
    assert_eq!(reply.headers["x-item-version"], item_now.number("version").to_string().as_str());
    house.close().await;
}

#[tokio::test]
async fn a_reply_to_what_has_gone_on_is_held_back() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let first = house.arrives("plain", "kari", "Hei").await;
    house.arrives("plain", "kari", "Hei igjen").await;
    let path = format!("/items/{}/messages", first.conversation);
    let reply = json!({"kind": "reply", "text": "Hello", "seen_message": first.message});
    let held = ada.post(&path, reply).await.problem(409, "new_messages");
    assert_eq!(held.body["current"]["id"], first.conversation.0);
    ada.post(&path, json!({"kind": "reply", "text": "Hello"})).await.is(201);
    house.close().await;
}

#[tokio::test]
async fn a_thread_is_read_newest_page_first_and_oldest_first_within() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let first = house.arrives("plain", "kari", "one").await;
    for text in ["two", "three", "four", "five"] {
        house.arrives("plain", "kari", text).await;
    }
    let path = format!("/items/{}/messages", first.conversation);
    let texts = |page: &Value| -> Vec<String> {
        page["rows"].as_array().expect("rows").iter().map(|row| row["text"].as_str().expect("text").to_owned()).collect()
    };
    let page = ada.get(&format!("{path}?limit=2")).await.is(200).body;
    assert_eq!(texts(&page), ["four", "five"]);
    let before = page["next"].as_str().expect("more");
    let page = ada.get(&format!("{path}?limit=2&before={before}")).await.is(200).body;
    assert_eq!(texts(&page), ["two", "three"]);
    house.close().await;
}

#[tokio::test]
async fn files_are_saved_and_never_shown_in_place() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let file = Attachment {
        name: "Øre.html".into(),
        content_type: "text/html".into(),
        content_id: None,
        bytes: "<script>alert(1)</script>".into(),
    };
    let item = house.arrives_with("plain", "kari", "Se her", vec![file]).await.conversation;
    let messages = ada.get(&format!("/items/{item}/messages")).await.is(200).body;
    let id = messages["rows"][0]["attachments"][0]["id"].as_i64().expect("a file");
    let answer = ada.get(&format!("/attachments/{id}")).await.is(200);
    assert_eq!(answer.body, "<script>alert(1)</script>");
    let disposition = answer.headers["content-disposition"].to_str().expect("text");
    assert_eq!(disposition, "attachment; filename=\"_re.html\"; filename*=UTF-8''%C3%98re.html");
    assert_eq!(answer.headers["content-security-policy"], "sandbox; default-src 'none'");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let raw = messages["rows"][0]["id"].as_i64().expect("a message");
    ada.get(&format!("/messages/{raw}/raw")).await.problem(404, "not_found");
    let reply = json!({"kind": "reply", "text": "", "attachments":
        [{"name": "a.txt", "content_type": "text/plain", "base64": "aGVp"}]});
    let sent = ada.post(&format!("/items/{item}/messages"), reply).await.is(201).body;
    let id = sent["attachments"][0]["id"].as_i64().expect("a file");
    assert_eq!(ada.get(&format!("/attachments/{id}")).await.is(200).body, "hei");
    house.close().await;
}

#[tokio::test]
async fn a_workspace_that_one_may_not_open_does_not_exist() {
    let house = House::new().await;
    let (ada, bo) = (house.sign_in("ada").await, house.sign_in("bo").await);
    let receipt = house.arrives("private", "kari", "Hemmelig").await;
    let item = receipt.conversation;
    ada.get(&format!("/items/{item}")).await.is(200);
    for path in [format!("/items/{item}"), format!("/items/{item}/messages"), format!("/items/{item}/decisions")] {
        bo.get(&path).await.problem(404, "not_found");
    }
    let note = json!({"kind": "note", "text": "x"});
    bo.post(&format!("/items/{item}/messages"), note).await.problem(404, "not_found");
    assert_eq!(bo.get("/items?view=open").await.number("total"), 0);
    assert_eq!(bo.get("/search?q=hemmelig").await.number("total"), 0);
    assert_eq!(ada.get("/search?q=hemmelig").await.is(200).body["rows"][0]["id"], item.0);
    let slugs = |body: Value| -> Vec<String> {
        body.as_array().expect("a list").iter().map(|row| row["slug"].as_str().expect("a slug").to_owned()).collect()
    };
    assert_eq!(slugs(bo.get("/workspaces").await.is(200).body), ["inbox", "desk"]);
    assert_eq!(slugs(bo.get("/channels").await.is(200).body), ["mail", "plain", "help"]);
    bo.get("/channels/private/rule").await.problem(404, "not_found");
    house.close().await;
}

#[tokio::test]
async fn statuses_change_and_a_snooze_needs_its_time() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let path = format!("/items/{item}/status");
    let version = ada.get(&format!("/items/{item}")).await.number("version");
    ada.put(&path, json!({"version": version, "status": "snoozed"})).await.problem(422, "invalid");
    ada.put(&path, json!({"version": version, "status": "closed", "until": 9})).await.problem(422, "invalid");
    let until = house.engine.now().plus_ms(60_000).0;
    let row = ada.put(&path, json!({"version": version, "status": "snoozed", "until": until})).await.is(200);
    let row = ada.put(&path, json!({"version": row.number("version"), "status": "closed"})).await.is(200);
    assert_eq!(row.body["status"], "closed");
    assert_eq!(ada.get("/items?view=closed").await.number("total"), 1);
    let wish = json!({"version": row.number("version"), "priority": "urgent"});
    assert_eq!(ada.put(&format!("/items/{item}/priority"), wish).await.is(200).body["priority"], "urgent");
    house.close().await;
}

#[tokio::test]
async fn r2_5_the_menu_shows_load_and_limit_and_r2_4_who_may_not() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let item = house.arrives("private", "kari", "Hei").await.conversation;
    let menu = ada.get(&format!("/items/{item}/assignable")).await.is(200).body;
    let person = |name: &str| {
        let id = house.user(name).0;
        menu["users"].as_array().expect("users").iter().find(|row| row["user"] == id).expect("everybody").clone()
    };
    assert_eq!((&person("ada")["allowed"], &person("ada")["load"]), (&json!(true), &json!(0)));
    assert_eq!(person("bo")["allowed"], false);
    assert!(person("bo")["reason"].is_string());
    assert_eq!(menu["teams"][0]["slug"], "support");
    let version = ada.get(&format!("/items/{item}")).await.number("version");
    let wish = json!({"version": version, "owner": {"kind": "user", "id": house.user("bo").0}});
    ada.put(&format!("/items/{item}/owner"), wish).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn r13_1_a_decision_is_explained_in_words_with_everybody_who_was_looked_at() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    house.start_router();
    let mut feed = house.engine.subscribe();
    let item = house.arrives("mail", "kari", "Hei").await.conversation;
    let decided = |event: &switchboard_model::LiveEvent| {
        event.kind == LiveEventKind::Item && event.item == Some(item.into()) && event.version.is_some_and(|version| version > 1)
    };
    house.wait_for(&mut feed, decided).await;
    let decisions = ada.get(&format!("/items/{item}/decisions")).await.is(200).body;
    assert_eq!(decisions.as_array().expect("a list").len(), 1);
    let text = decisions[0]["text"].as_str().expect("words");
    assert!(text.starts_with("outcome.assigned_team user=Ada team=Support"), "{text}");
    let id = decisions[0]["id"].as_i64().expect("an id");
    let explained = ada.get(&format!("/decisions/{id}/explanation")).await.is(200).body;
    assert_eq!(explained["explanation"]["stages"][0]["candidates"][0]["user"], house.user("ada").0);
    assert_eq!(explained["names"]["users"][house.user("ada").0.to_string()], "Ada");
    let lines: Vec<&str> = explained["text"].as_str().expect("words").lines().collect();
    assert_eq!(lines[0], "event.arrived");
    assert!(lines.iter().any(|line| line.starts_with("explain.rule channel=Mail case=1")), "{lines:?}");
    assert!(lines.contains(&"- explain.ranked user=Ada rank=1 load=0"), "{lines:?}");
    house.close().await;
}

#[tokio::test]
async fn r2_7_returning_needs_an_owner_and_routing_again_needs_a_lead() {
    let house = House::new().await;
    let (ada, liv) = (house.sign_in("ada").await, house.sign_in("liv").await);
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let version = ada.get(&format!("/items/{item}")).await.number("version");
    ada.post(&format!("/items/{item}/return"), json!({"version": version})).await.problem(422, "invalid");
    let wish = json!({"version": version, "owner": {"kind": "user", "id": house.user("ada").0}});
    let row = ada.put(&format!("/items/{item}/owner"), wish).await.is(200);
    let wish = json!({"version": row.number("version"), "note": "Not mine"});
    let row = ada.post(&format!("/items/{item}/return"), wish).await.is(200);
    assert_eq!(row.body["owner"], Value::Null);
    let wish = json!({"version": row.number("version")});
    ada.post(&format!("/items/{item}/route"), wish.clone()).await.problem(403, "forbidden");
    liv.post(&format!("/items/{item}/route"), wish).await.is(200);
    house.close().await;
}
