//! What programs and watchers meet: tokens, idempotency keys, health, metrics, the documents.

use crate::house::House;
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use switchboard_api::{ApiOptions, Metrics};
use switchboard_engine::Scope;

#[tokio::test]
async fn a_token_is_shown_once_works_and_is_revoked() {
    let house = House::new().await;
    let admin = house.sign_in("root").await;
    let wish = json!({"name": "import", "scopes": ["read"]});
    let made = admin.post("/tokens", wish).await.is(201);
    let secret = made.body["token"].as_str().expect("the secret").to_owned();
    assert!(secret.starts_with("sb_") && secret.starts_with(made.body["prefix"].as_str().expect("a prefix")));
    let listed = admin.get("/tokens").await.is(200).body;
    assert!(!listed.to_string().contains(&secret));
    assert_eq!(listed[0]["name"], "import");
    let mut program = house.stranger();
    program.bearer = Some(secret);
    program.get("/items").await.is(200);
    program.get("/me").await.problem(403, "forbidden");
    admin.delete(&format!("/tokens/{}", made.number("id"))).await.is(204);
    program.get("/items").await.problem(401, "unauthenticated");
    house.close().await;
}

#[tokio::test]
async fn a_token_that_makes_no_sense_is_refused() {
    let house = House::new().await;
    let admin = house.sign_in("root").await;
    for (wish, key) in [
        (json!({"name": " ", "scopes": ["read"]}), "name"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["read"], "expires_at": 1}), "expires_at"),
    ] {
        let answer = admin.post("/tokens", wish).await.problem(422, "invalid");
        assert_eq!(answer.body["errors"][0]["key"], key);
    }
    admin.post("/tokens", json!({"name": "x", "scopes": ["all"]})).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn a_bad_token_is_not_saved_by_a_good_cookie_and_needs_no_origin() {
    let house = House::new().await;
    let mut both = house.sign_in("ada").await;
    both.bearer = Some("sb_nonsense".into());
    both.get("/items").await.is(401);
    let program = house.program(Scope::Write).await;
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let wish = json!({"version": 999, "priority": "high"});
    let cross = [("origin", "https://elsewhere.test")];
    program.send(Method::PUT, &format!("/items/{item}/priority"), Some(wish), &cross).await.problem(409, "conflict");
    house.close().await;
}

#[tokio::test]
async fn the_same_key_twice_is_the_same_as_once() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    let item = house.arrives("plain", "kari", "Hei").await.conversation;
    let path = format!("/items/{item}/messages");
    let key = [("idempotency-key", "reply-1")];
    let reply = json!({"kind": "reply", "text": "Hello Kari"});
    let first = client.send(Method::POST, &path, Some(reply.clone()), &key).await.is(201);
    let again = client.send(Method::POST, &path, Some(reply.clone()), &key).await.is(201);
    assert_eq!(first.body, again.body);
    assert_eq!(first.headers["x-item-version"], again.headers["x-item-version"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let other = json!({"kind": "reply", "text": "Something else"});
    client.send(Method::POST, &path, Some(other), &key).await.problem(422, "invalid");
    // Another caller's key is another key.
    house.sign_in("bo").await.send(Method::POST, &path, Some(reply), &key).await.is(201);
    assert_eq!(client.get(&path).await.is(200).number("total"), 3);
    house.close().await;
}

#[tokio::test]
async fn a_refusal_is_kept_under_its_key_and_a_secret_is_not() {
    let house = House::new().await;
    let admin = house.sign_in("root").await;
    let key = [("idempotency-key", "k")];
    let wish = json!({"name": "once", "scopes": ["read"]});
    let first = admin.send(Method::POST, "/tokens", Some(wish.clone()), &key).await.is(201);
    assert!(first.body["token"].is_string());
    let again = admin.send(Method::POST, "/tokens", Some(wish), &key).await.is(201);
    assert_eq!(again.body["token"], Value::Null);
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(admin.get("/tokens").await.is(200).body.as_array().expect("a list").len(), 1);
    let refused = json!({"name": "", "scopes": ["read"]});
    let key = [("idempotency-key", "k2")];
    admin.send(Method::POST, "/tokens", Some(refused.clone()), &key).await.problem(422, "invalid");
    let again = admin.send(Method::POST, "/tokens", Some(refused), &key).await.problem(422, "invalid");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    house.close().await;
}

#[tokio::test]
async fn health_is_open_and_readiness_follows_the_shutdown() {
    let house = House::new().await;
    let stranger = house.stranger();
    stranger.get("/healthz").await.is(200);
    assert_eq!(stranger.get("/readyz").await.is(200).body, json!({"ready": true}));
    stranger.get("/metrics").await.problem(404, "not_found");
    house.shutdown.cancel();
    stranger.get("/readyz").await.problem(503, "unavailable");
    stranger.get("/healthz").await.is(200);
    house.close().await;
}

#[tokio::test]
async fn metrics_need_their_token_and_tell_what_waits() {
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    let metrics = Metrics::Token(handle, SecretString::from("watcher"));
    let house = House::with(ApiOptions { metrics, ..ApiOptions::default() }).await;
    house.arrives("plain", "kari", "Hei").await;
    let mut watcher = house.stranger();
    watcher.get("/metrics").await.problem(401, "unauthenticated");
    watcher.bearer = Some("wrong".into());
    watcher.get("/metrics").await.is(401);
    watcher.bearer = Some("watcher".into());
    let page = watcher.get("/metrics").await.is(200);
    assert!(page.headers["content-type"].to_str().expect("text").starts_with("text/plain"));
    assert!(page.body.as_str().expect("text").contains("switchboard_items_open 1\n"), "{}", page.body);
    house.close().await;
}

#[tokio::test]
async fn the_documents_are_there_without_signing_in() {
    let house = House::new().await;
    let stranger = house.stranger();
    let document = stranger.get("/api/openapi.json").await.is(200).body;
    assert_eq!(document["info"]["title"], "Switchboard");
    let page = stranger.get("/api/docs").await.is(200);
    assert!(page.body.as_str().expect("a page").contains("put_items_id_owner"));
    assert!(!page.headers["content-security-policy"].to_str().expect("text").contains("script-src"));
    stranger.get("/api/docs.css").await.is(200);
    house.close().await;
}
