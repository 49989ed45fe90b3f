//! Why work waits, what would change that, and why somebody does not have it (ROUTING 13.1).

use crate::house::{Client, House, PATIENCE};
use serde_json::{Value, json};
use switchboard_engine::{ApplyOptions, Caller};

/// The rule of `mail` lets work wait for somebody.
const WAITING: &str = r#"
[[channels]]
slug = "mail"
name = "Mail"
kind = "email"
workspace = "inbox"
[channels.rule]
[[channels.rule.cases]]
target = { users_and_teams = ["team:support"] }
when_nobody = "wait"
"#;

/// Asks again until what a path answers under a key is as wished.
async fn eventually(client: &Client, path: &str, key: &str, is: impl Fn(&Value) -> bool) -> Value {
    let asked = async {
        loop {
            let body = client.get(path).await.is(200).body;
            if is(&body[key]) {
                return body;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("it comes about")
}

#[tokio::test]
async fn r13_1_what_waits_says_why_and_what_would_change_it() {
    let house = House::new().await;
    let (ada, vera) = (house.sign_in("ada").await, house.sign_in("vera").await);
    house.engine.apply(&Caller::system(), WAITING, ApplyOptions::default()).await.expect("a directory");
    house.start_router();
    let status = format!("/users/{}/availability", house.user("ada"));
    ada.put(&status, json!({"value": "away"})).await.is(200);
    let item = house.arrives("mail", "kari", "Hei").await.conversation;
    let row = eventually(&ada, &format!("/items/{item}"), "last_decision", |decision| !decision.is_null()).await;
    let waiting = vera.get(&format!("/conversations/{item}/waiting")).await.is(200).body;
    let why = &waiting["why"];
    assert_eq!((&why["outcome"]["kind"], &why["since"]), (&json!("queued"), &row["queued_since"]));
    assert_eq!((&why["position"], &why["ahead"]), (&json!(1), &json!(0)));
    let away = json!({"code": "unavailable", "cause": "away"});
    let lane = json!({"target": "users_and_teams", "people": 1, "eligible": 0, "lacks": [{"reason": away, "people": 1}]});
    assert_eq!(why["lanes"], json!([lane]));
    let id = house.user("ada").0;
    let by_hand = json!({"user": id, "at": null, "changes": [{"kind": "sets_available", "cause": "away"}]});
    assert_eq!((&waiting["remedies"], &waiting["names"]["users"][id.to_string()]), (&json!([by_hand]), &json!("Ada")));
    let lines: Vec<&str> = waiting["text"].as_str().expect("words").lines().collect();
    assert!(lines[0].starts_with("waiting.since time="), "{lines:?}");
    assert_eq!(lines.last(), Some(&"- remedy.by_hand user=Ada changes=change.sets_available.away"));
    vera.get(&format!("/tickets/{item}/waiting")).await.problem(404, "not_found");
    ada.put(&status, json!({"value": "available"})).await.is(200);
    eventually(&ada, &format!("/items/{item}"), "owner", |owner| !owner.is_null()).await;
    let waiting = vera.get(&format!("/items/{item}/waiting")).await.is(200).body;
    assert_eq!((&waiting["why"], &waiting["remedies"], &waiting["text"]), (&Value::Null, &json!([]), &json!("waiting.none")));
    house.close().await;
}

#[tokio::test]
async fn r13_1_why_somebody_does_not_have_it() {
    let house = House::new().await;
    let (ada, bo) = (house.sign_in("ada").await, house.sign_in("bo").await);
    house.start_router();
    ada.put(&format!("/users/{}/availability", house.user("ada")), json!({"value": "away"})).await.is(200);
    let item = house.arrives("mail", "kari", "Hei").await.conversation;
    eventually(&ada, &format!("/items/{item}"), "last_decision", |decision| !decision.is_null()).await;
    let asked = |name: &str| format!("/items/{item}/why-not/{}", house.user(name));
    let away = bo.get(&asked("ada")).await.is(200).body;
    assert_eq!((&away["answer"]["answer"], &away["answer"]["until"]), (&json!("skipped"), &Value::Null));
    assert_eq!(away["answer"]["candidate"]["verdict"]["reason"], json!({"code": "unavailable", "cause": "away"}));
    assert_eq!(away["text"], "explain.skipped user=Ada reason=reason.unavailable.away");
    let unasked = bo.get(&asked("bo")).await.is(200).body;
    assert_eq!(unasked["answer"], json!({"answer": "not_asked", "listed": false, "joins_at": null}));
    assert_eq!(unasked["text"], "why_not.not_listed user=Bo");
    let why = &bo.get(&format!("/items/{item}/waiting")).await.is(200).body["why"];
    assert_eq!(why["outcome"], json!({"kind": "unassigned", "reason": "nobody_eligible"}));
    assert_eq!((&why["since"], &why["position"]), (&Value::Null, &Value::Null));
    bo.get(&format!("/items/{item}/why-not/999999")).await.problem(404, "not_found");
    bo.get(&format!("/items/{item}/why-not/nobody")).await.problem(404, "not_found");
    let hidden = house.arrives("private", "kari", "Hei").await.conversation;
    bo.get(&format!("/items/{hidden}/waiting")).await.problem(404, "not_found");
    bo.get(&format!("/items/{hidden}/why-not/{}", house.user("bo"))).await.problem(404, "not_found");
    house.close().await;
}
