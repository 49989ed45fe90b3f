//! People, availability, rules, the directory, the audit log.

use crate::house::House;
use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn people_teams_and_channels_are_listed_with_how_they_stand() {
    let house = House::new().await;
    let vera = house.sign_in("vera").await;
    let users = vera.get("/users").await.is(200).body;
    let ada = users.as_array().expect("a list").iter().find(|user| user["name"] == "Ada").expect("Ada").clone();
    assert_eq!((&ada["role"], &ada["person"]["open"]), (&json!("agent"), &json!(0)));
    let teams = vera.get("/teams").await.is(200).body;
    assert_eq!(teams[0]["main_members"], json!([house.user("ada").0]));
    let channels = vera.get("/channels").await.is(200).body;
    assert_eq!(channels[0]["slug"], "mail");
    assert_eq!(channels[0]["capabilities"]["reply"], true);
    assert_eq!(channels[0]["stale"], json!([]));
    assert!(channels[0]["state"]["running"].is_boolean());
    house.close().await;
}

#[tokio::test]
async fn r4_3_a_lead_may_change_a_colleagues_status_and_an_agent_may_not() {
    let house = House::new().await;
    let (ada, bo, liv) = (house.sign_in("ada").await, house.sign_in("bo").await, house.sign_in("liv").await);
    let path = format!("/users/{}/availability", house.user("ada"));
    let away = json!({"value": "away", "reason": "Lunch"});
    let own = ada.put(&path, away.clone()).await.is(200).body;
    assert_eq!((&own["available"], &own["cause"], &own["status"]["reason"]), (&json!(false), &json!("away"), &json!("Lunch")));
    bo.put(&path, away).await.problem(403, "forbidden");
    let changed = liv.put(&path, json!({"value": "available"})).await.is(200).body;
    assert_eq!(changed["changed_by"], json!({"kind": "user", "id": house.user("liv").0}));
    assert_eq!(changed["previous"]["value"], "away");
    ada.put(&path, json!({"value": "asleep"})).await.problem(422, "invalid");
    ada.put(&path, json!({"value": "away", "reason": "x".repeat(201)})).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn r4_3_changes_of_status_are_read_by_oneself_and_by_leads() {
    let house = House::new().await;
    let (ada, bo, liv) = (house.sign_in("ada").await, house.sign_in("bo").await, house.sign_in("liv").await);
    let user = house.user("ada");
    for (client, value) in [(&ada, "away"), (&liv, "available"), (&ada, "finishing")] {
        client.put(&format!("/users/{user}/availability"), json!({"value": value})).await.is(200);
    }
    let path = format!("/users/{user}/statuses");
    let page = ada.get(&format!("{path}?limit=2")).await.is(200).body;
    let kept = |page: &Value| -> Vec<(Value, Value)> {
        let rows = page["rows"].as_array().expect("rows").iter();
        rows.map(|row| (row["actor"]["id"].clone(), row["status"]["value"].clone())).collect()
    };
    let lead = house.user("liv");
    assert_eq!(kept(&page), [(json!(user.0), json!("finishing")), (json!(lead.0), json!("available"))]);
    assert_eq!(page["total"], 3);
    let next = page["next"].as_str().expect("a further page");
    let rest = liv.get(&format!("{path}?cursor={next}")).await.is(200).body;
    assert_eq!((kept(&rest), &rest["next"]), (vec![(json!(user.0), json!("away"))], &Value::Null));
    bo.get(&path).await.problem(404, "not_found");
    ada.get(&format!("{path}?cursor=x")).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn r7_8_a_lead_without_a_seat_edits_a_rule_on_the_version_it_was_read_in() {
    let house = House::new().await;
    let liv = house.sign_in("liv").await;
    let before = liv.get("/channels/plain/rule").await.is(200);
    assert_eq!(before.body["rule"], Value::Null);
    let case = json!({"target": {"kind": "users_and_teams", "members": [{"user": house.user("bo").0}]},
        "only_available": true, "when_nobody": "unassigned", "outside_hours": "route"});
    let wish = json!({"version": before.number("version"), "rule": {"on": true, "version": 0, "cases": [case]}});
    let after = liv.put("/channels/plain/rule", wish.clone()).await.is(200);
    assert!(after.number("version") > before.number("version"));
    let refused = liv.put("/channels/plain/rule", wish).await.problem(409, "conflict");
    assert_eq!(refused.body["current"]["version"], after.number("version"));
    liv.get("/channels/nowhere/rule").await.problem(404, "not_found");
    house.close().await;
}

#[tokio::test]
async fn r7_a_chatflows_rule_is_read_and_edited_apart_from_the_channels_own() {
    let house = House::new().await;
    let (root, liv, ada) = (house.sign_in("root").await, house.sign_in("liv").await, house.sign_in("ada").await);
    let file = "[[channels]]\nslug = \"talk\"\nkind = \"chat\"\nworkspace = \"inbox\"\n[channels.rule]\n\
        cases = [{ target = \"nobody\" }]\n[[channels.chatflows]]\nslug = \"prices\"\n\
        when = { contains = { field = \"form.page\", values = [\"/prices\"] } }\n";
    root.send_raw(Method::PUT, "/directory", Body::from(file), &[("content-type", "application/toml")]).await.is(200);
    let path = "/channels/talk/rule?chatflow=prices";
    let before = liv.get(path).await.is(200);
    assert_eq!(before.body["rule"], Value::Null);
    let case = json!({"target": {"kind": "users_and_teams", "members": [{"user": house.user("bo").0}]},
        "only_available": true, "when_nobody": "wait", "outside_hours": "route"});
    let wish = json!({"version": before.number("version"), "rule": {"on": true, "version": 0, "cases": [case]}});
    ada.put(path, wish.clone()).await.problem(403, "forbidden");
    let after = liv.put(path, wish.clone()).await.is(200);
    assert!(after.number("version") > before.number("version"));
    let refused = liv.put(path, wish).await.problem(409, "conflict");
    assert_eq!(refused.body["current"], after.body);
    assert_eq!(liv.get("/channels/talk/rule").await.is(200).body["rule"]["cases"][0]["target"], json!({"kind": "nobody"}));
    let channels = liv.get("/channels").await.is(200).body;
    let talk = channels.as_array().expect("a list").iter().find(|channel| channel["slug"] == "talk").expect("the chat");
    assert_eq!(talk["chatflows"]["list"][0]["slug"], "prices");
    assert_eq!(talk["chatflows"]["list"][0]["rule"], after.body["rule"]);
    assert_eq!(talk["rule"]["cases"].as_array().map(Vec::len), Some(2), "what the two rules come to");
    liv.get("/channels/talk/rule?chatflow=nowhere").await.problem(404, "not_found");
    liv.get("/channels/talk/rule?flow=prices").await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn r7_7_a_rule_that_cannot_work_is_refused_with_every_fault_at_once() {
    let house = House::new().await;
    let liv = house.sign_in("liv").await;
    let version = liv.get("/channels/plain/rule").await.number("version");
    let case = json!({"target": {"kind": "users_and_teams", "members": [{"user": 424_242}, {"user": house.user("vera").0}]},
        "only_available": true, "when_nobody": "wait", "outside_hours": "route"});
    let wish = json!({"version": version, "rule": {"on": true, "version": 0, "cases": [case]}});
    let refused = liv.put("/channels/plain/rule", wish).await.problem(422, "invalid");
    let faults = refused.body["errors"].as_array().expect("faults");
    let keys: Vec<&str> = faults.iter().filter_map(|fault| fault["key"].as_str()).collect();
    assert_eq!(keys, [0, 1].map(|nth| format!("channels.plain.rule.cases[0].target.members[{nth}]")), "{faults:?}");
    house.close().await;
}

#[tokio::test]
async fn the_directory_is_exported_and_applied_and_a_dry_run_changes_nothing() {
    let house = House::new().await;
    let root = house.sign_in("root").await;
    let text = root.get("/directory").await.is(200);
    let toml = text.body.as_str().expect("TOML").to_owned();
    assert!(toml.contains("ada@example.test"));
    let put = |query: &str, toml: String| {
        let path = format!("/directory{query}");
        let root = root.clone();
        async move { root.send_raw(Method::PUT, &path, Body::from(toml), &[("content-type", "application/toml")]).await }
    };
    assert_eq!(put("", toml.clone()).await.is(200).body["changes"], json!([]));
    let renamed = toml.replace("\"Ada\"", "\"Ada L.\"");
    let dry = put("?dry_run=true", renamed.clone()).await.is(200);
    assert_eq!((&dry.body["changes"][0]["action"], &dry.body["changes"][0]["kind"]), (&json!("change"), &json!("user")));
    assert!(root.get("/users").await.body.to_string().contains("\"Ada\""));
    put("", renamed).await.is(200);
    assert!(root.get("/users").await.body.to_string().contains("\"Ada L.\""));
    let faulty = put("", "[[users]]\nemail = 5\n[[teams]]\nslug = \"A B\"\n".into()).await.problem(422, "invalid");
    assert!(faulty.body["errors"].as_array().expect("faults").len() >= 2, "{}", faulty.body);
    put("?prune=maybe", String::new()).await.problem(422, "invalid");
    root.put("/directory", json!({})).await.problem(415, "unsupported_media_type");
    house.close().await;
}

#[tokio::test]
async fn r12_5_deactivating_lists_the_open_work_and_hands_it_on() {
    let house = House::new().await;
    let (root, ada) = (house.sign_in("root").await, house.sign_in("ada").await);
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let version = ada.get(&format!("/items/{item}")).await.number("version");
    let owner = json!({"version": version, "owner": {"kind": "user", "id": house.user("ada").0}});
    ada.put(&format!("/items/{item}/owner"), owner).await.is(200);
    let path = format!("/users/{}/deactivate", house.user("ada"));
    root.post(&path, json!({"dry_run": true})).await.problem(422, "invalid");
    let heir = house.user("bo").0;
    let dry = root.post(&path, json!({"hand_to": heir, "dry_run": true})).await.is(200).body;
    assert_eq!(dry["open"][0]["id"], item.0);
    ada.get("/me").await.is(200);
    root.post(&path, json!({"hand_to": heir})).await.is(200);
    ada.get("/me").await.is(401);
    assert_eq!(root.get(&format!("/items/{item}")).await.is(200).body["owner"]["id"], heir);
    root.post(&path, json!({"hand_to": house.user("ada").0})).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn what_was_changed_is_in_the_audit_log_page_by_page() {
    let house = House::new().await;
    let root = house.sign_in("root").await;
    for name in ["one", "two", "three"] {
        root.post("/tokens", json!({"name": name, "scopes": ["read"]})).await.is(201);
    }
    let page = root.get("/audit?limit=2").await.is(200).body;
    let actions = |page: &Value| -> Vec<String> {
        page["rows"].as_array().expect("rows").iter().map(|row| row["action"].as_str().expect("a word").to_owned()).collect()
    };
    assert_eq!(actions(&page), ["token.create", "token.create"]);
    let next = page["next"].as_str().expect("more");
    let page = root.get(&format!("/audit?limit=2&cursor={next}")).await.is(200).body;
    assert_eq!(actions(&page)[0], "token.create");
    root.get("/audit?cursor=nonsense").await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn a_contact_has_an_owner_who_exists() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let contact = ada.get(&format!("/items/{item}")).await.is(200).body["contact"]["id"].as_i64().expect("a contact");
    let path = format!("/contacts/{contact}");
    assert_eq!(ada.get(&path).await.is(200).body["owner"], Value::Null);
    let owned = ada.put(&format!("{path}/owner"), json!({"owner": house.user("bo").0})).await.is(200).body;
    assert_eq!(owned["owner"], house.user("bo").0);
    ada.put(&format!("{path}/owner"), json!({"owner": 424_242})).await.problem(422, "invalid");
    ada.get("/contacts/424242").await.problem(404, "not_found");
    house.close().await;
}
