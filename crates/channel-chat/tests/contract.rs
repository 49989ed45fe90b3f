//! The chat channel against the channel contract, over real sockets.

mod client;

use async_trait::async_trait;
use client::{Client, SETTINGS, nonce, serve};
use serde_json::json;
use switchboard_channel_chat::REGISTRATION;
use switchboard_channel_testkit::{Answer, Harness, Intake, contract, fixtures};
use switchboard_model::{Identity, IdentityKind};

/// Sends each payload as a frame of a new connection of one visitor.
struct Frame;

#[async_trait]
impl Intake for Frame {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let address = serve(harness).await;
        let mut client = Client::connect(address, &[]).await.expect("the handshake is answered");
        let welcome = client.hello(json!({"nonce": nonce("contract")})).await;
        assert_eq!(welcome["type"], "welcome");
        client.send_raw(payload).await;
        let answer = client.answer().await;
        match answer["type"].as_str() {
            Some("accepted") => Answer::Accepted,
            Some("refused") if answer["retry"] == true => Answer::TryAgain,
            Some("refused" | "bye") => Answer::Refused,
            _ => Answer::TryAgain,
        }
    }
}

async fn harness() -> Harness {
    Harness::start(&REGISTRATION, "shop_chat", SETTINGS).await
}

fn samples() -> Vec<Vec<u8>> {
    let found = fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), "json");
    found.into_iter().map(|fixture| fixture.bytes).collect()
}

#[test]
fn the_registration_is_complete() {
    contract::registration_is_complete(&REGISTRATION);
    contract::settings_faults_come_all_at_once(&REGISTRATION, SETTINGS);
    let refused = "key = \"shop_7Hq2\"\n[identity]\nmode = \"required\"\nsecrets = [\"tell-nobody-tell-nobody\", \"short-1\"]";
    contract::build_shows_no_secret(&REGISTRATION, refused, &["tell-nobody", "short-1"]);
}

#[tokio::test]
async fn the_same_payload_gives_the_same_message() {
    for sample in samples() {
        contract::same_payload_same_message(&harness().await, &harness().await, &Frame, &sample).await;
    }
}

#[tokio::test]
async fn r12_1_a_repeated_message_is_one_message() {
    for sample in samples() {
        contract::repeats_change_nothing(&harness().await, &Frame, &sample).await;
    }
}

#[tokio::test]
async fn r12_1_a_message_is_acknowledged_after_the_commit_only() {
    for sample in samples() {
        contract::acknowledged_only_after_the_commit(&harness().await, &Frame, &sample).await;
    }
}

#[tokio::test]
async fn damaged_frames_are_answered_and_break_nothing() {
    for sample in samples() {
        contract::damaged_payloads_are_answered(&harness().await, &Frame, &sample).await;
    }
}

#[tokio::test]
async fn a_frame_of_a_megabyte_is_refused_for_good() {
    let sample = samples().remove(0);
    let long = json!({"type": "message", "client_id": "AAAAAAAA", "text": "x".repeat(1_000_000)}).to_string();
    contract::oversized_is_refused(&harness().await, &Frame, long.as_bytes(), &sample).await;
}

#[tokio::test]
async fn what_the_channel_says_it_can_do_is_what_it_does() {
    let reply = contract::outbound("shop_chat", Identity::new(IdentityKind::Cookie, "chat-s00"));
    contract::capabilities_hold(&harness().await, &reply).await;
}

#[tokio::test]
async fn nothing_that_was_written_shows_in_debug() {
    let harness = harness().await;
    for sample in samples() {
        Frame.deliver(&harness, &sample).await;
    }
    let messages = harness.inbox.messages();
    assert_eq!(messages.len(), samples().len());
    for message in messages {
        contract::debug_hides(&message, &[&message.text, &message.sender.identity.value, "eksempel", "Nordmann"]);
    }
}
