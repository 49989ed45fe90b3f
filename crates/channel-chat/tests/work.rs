//! What the first message of a stranger's conversation costs.

mod client;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use client::{Client, Site, nonce};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

const BITS: u64 = 8;
const HOUR_MS: i64 = 60 * 60 * 1_000;
const GOOD_HASH: &str = "b7300284f1e0896af79e34cb0d28ba118aa27f2257d6e982f90e794c83a0832b";

async fn costly() -> Site {
    Site::with(&[("[limits]", "[limits]\nproof_of_work_bits = 8")]).await
}

fn digest_is_good(challenge: &str, client_id: &str, nonce: u64) -> bool {
    Sha256::digest(format!("{challenge}.{client_id}.{nonce}"))[0] == 0
}

/// The work for a message; with `is_good: false` the first number that is none.
fn work(given: &Value, client_id: &str, is_good: bool) -> String {
    assert_eq!(given["bits"], BITS, "{given}");
    let challenge = given["challenge"].as_str().expect("a challenge");
    let found = (0..).find(|nonce| digest_is_good(challenge, client_id, *nonce) == is_good);
    format!("{challenge}.{}", found.expect("it ends"))
}

fn message(client_id: &str, work: Option<&str>) -> Value {
    let fields = json!([["email", "kari@eksempel.test"]]);
    json!({"type": "message", "client_id": client_id, "text": "Hei", "fields": fields, "work": work})
}

/// Sends it, and expects another challenge and then the refusal.
async fn refused(client: &mut Client, message: &Value) -> Value {
    client.send(message).await;
    let given = client.next().await;
    assert_eq!(given["type"], "work", "{given}");
    let refusal = client.next().await;
    let found = (&refusal["type"], &refusal["code"], &refusal["retry"], &refusal["retry_after_s"], &refusal["client_id"]);
    assert_eq!(found, (&json!("refused"), &json!("work"), &json!(true), &json!(0), &message["client_id"]));
    given
}

#[tokio::test]
async fn a_first_message_without_its_work_is_refused_and_stored_with_it() {
    let site = costly().await;
    let (mut client, welcome) = site.visit(json!({"nonce": nonce("kari")})).await;
    let given = &welcome["work"];
    refused(&mut client, &message("message-1", None)).await;
    refused(&mut client, &message("message-1", Some(&work(given, "message-1", false)))).await;
    let fresh = refused(&mut client, &message("message-1", Some(&work(given, "message-2", true)))).await;
    assert!(site.harness.inbox.messages().is_empty());
    // What was given first is as good as what came since.
    for given in [given, &fresh] {
        client.send(&message("message-1", Some(&work(given, "message-1", true)))).await;
        assert_eq!(client.answer().await["type"], "accepted");
    }
    assert_eq!(site.harness.inbox.messages().len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn what_goes_on_costs_nothing_and_what_begins_costs_again() {
    let site = costly().await;
    let (mut client, welcome) = site.visit(json!({"nonce": nonce("kari")})).await;
    let done = work(&welcome["work"], "message-1", true);
    client.send(&message("message-1", Some(&done))).await;
    client.send(&json!({"type": "message", "client_id": "message-2", "first": "message-1", "text": "Hallo?"})).await;
    let accepted = client.answer().await;
    assert_eq!((&accepted["type"], client.answer().await["type"].as_str()), (&json!("accepted"), Some("accepted")));
    assert_eq!(client.write(&accepted["conversation"], "message-3", "Hei igjen").await["type"], "accepted");
    let given = refused(&mut client, &message("message-4", Some(&done))).await;
    client.send(&message("message-4", Some(&work(&given, "message-4", true)))).await;
    let other = client.answer().await;
    assert!(other["type"] == "accepted" && other["conversation"] != accepted["conversation"], "{other}");
    site.stop().await;
}

#[tokio::test]
async fn a_repetition_on_another_connection_and_host_is_known_by_the_same_work() {
    let site = costly().await;
    let (mut client, welcome) = site.visit(json!({"nonce": nonce("kari")})).await;
    let done = message("message-1", Some(&work(&welcome["work"], "message-1", true)));
    client.send(&done).await;
    let accepted = client.answer().await;
    client.lose().await;
    let (mut client, _) = site.visit(json!({"nonce": nonce("kari")})).await;
    client.send(&done).await;
    assert_eq!(client.answer().await["message"], accepted["message"]);
    assert_eq!(site.harness.inbox.messages().len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn work_of_another_visitor_and_work_that_is_too_old_are_none() {
    let site = costly().await;
    let (_seller, welcome) = site.visit(json!({"nonce": nonce("seller")})).await;
    let sold = work(&welcome["work"], "message-1", true);
    let (mut client, welcome) = site.visit(json!({"nonce": nonce("kari")})).await;
    refused(&mut client, &message("message-1", Some(&sold))).await;
    // Without a nonce a visitor is known on one connection alone.
    let (_other, of_other) = site.visit(json!({})).await;
    let (mut unnamed, _) = site.visit(json!({})).await;
    let given = refused(&mut unnamed, &message("message-1", Some(&work(&of_other["work"], "message-1", true)))).await;
    unnamed.send(&message("message-1", Some(&work(&given, "message-1", true)))).await;
    assert_eq!(unnamed.answer().await["type"], "accepted");

    let old = work(&welcome["work"], "message-1", true);
    site.harness.clock.advance_ms(HOUR_MS + 1);
    let fresh = refused(&mut client, &message("message-1", Some(&old))).await;
    client.send(&message("message-1", Some(&work(&fresh, "message-1", true)))).await;
    assert_eq!(client.answer().await["type"], "accepted");
    site.stop().await;
}

#[tokio::test]
async fn a_session_keeps_its_challenge_and_an_account_gets_none() {
    let site = costly().await;
    let (mut client, welcome) = site.visit(json!({"nonce": nonce("kari")})).await;
    let done = work(&welcome["work"], "message-1", true);
    client.send(&json!({"type": "consent"})).await;
    let session = client.until("session").await["session"].clone();
    let (mut later, welcome) = site.visit(json!({"session": session, "nonce": nonce("later")})).await;
    assert_eq!(welcome["session"], true);
    later.send(&message("message-1", Some(&done))).await;
    assert_eq!(later.answer().await["type"], "accepted", "the session is the one that began from the nonce");

    let identity = json!({"id": "4711", "hash": GOOD_HASH});
    let (mut account, welcome) = site.visit(json!({"identity": identity})).await;
    assert_eq!((&welcome["visitor"], &welcome["work"]), (&json!("identified"), &Value::Null));
    assert_eq!(account.begin("message-1", "Hei").await["type"], "accepted");
    let (mut pretender, welcome) = site.visit(json!({"identity": {"id": "4711", "hash": "00"}})).await;
    assert_eq!((&welcome["visitor"], welcome["work"].is_object()), (&json!("unverified"), true));
    refused(&mut pretender, &message("message-1", None)).await;
    site.stop().await;
}

#[tokio::test]
async fn without_the_setting_nothing_is_asked() {
    let site = Site::open().await;
    let (mut client, welcome) = site.visit(json!({})).await;
    assert_eq!(welcome.get("work"), None);
    client.send(&message("message-1", Some("whatever"))).await;
    assert_eq!(client.answer().await["type"], "accepted");
    site.stop().await;
}

/// Posts below the chat's path; the answer is JSON or empty.
async fn post(site: &Site, path: &str, link: Option<&str>, body: String) -> Value {
    let mut request = Request::post(format!("/channels/shop_chat/{path}"));
    if let Some(link) = link {
        request = request.header("authorization", format!("Bearer {link}"));
    }
    let Ok(response) = site.harness.router.clone().oneshot(request.body(Body::from(body)).expect("a request")).await;
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the answer can be read");
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[tokio::test]
async fn polls_cost_the_same() {
    let site = costly().await;
    let begun = post(&site, "poll", None, json!({"type": "hello", "nonce": nonce("kari")}).to_string()).await;
    let link = begun[0]["link"].as_str().expect("a link");
    post(&site, "frames", Some(link), message("message-1", None).to_string()).await;
    let done = message("message-1", Some(&work(&begun[1]["work"], "message-1", true)));
    post(&site, "frames", Some(link), done.to_string()).await;
    let mut frames = Vec::new();
    while !frames.iter().any(|frame: &Value| frame["type"] == "accepted") {
        frames.extend(post(&site, "poll", Some(link), String::new()).await.as_array().cloned().expect("frames"));
    }
    let kinds: Vec<&str> = frames.iter().filter_map(|frame| frame["type"].as_str()).take(4).collect();
    assert_eq!(kinds, ["work", "refused", "session", "accepted"]);
    site.stop().await;
}
