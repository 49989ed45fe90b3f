//! The chat channel against the channel contract, over real sockets.

mod client;

use async_trait::async_trait;
use client::{Client, SETTINGS, Site, nonce, serve};
use serde_json::json;
use switchboard_channel::ThreadChange;
use switchboard_channel_chat::REGISTRATION;
use switchboard_channel_testkit::{Answer, Harness, Intake, contract, fixtures};
use switchboard_model::{ConversationId, Identity, IdentityKind, OutboundMessage};
use tokio::sync::Mutex;

/// HMAC-SHA256 of `4711` with the first secret of the settings, made elsewhere.
const GOOD_HASH: &str = "b7300284f1e0896af79e34cb0d28ba118aa27f2257d6e982f90e794c83a0832b";

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
async fn a_deeply_nested_frame_is_answered() {
    let sample = samples().remove(0);
    let nested = format!("{{\"type\": \"message\", \"client_id\": \"AAAAAAAA\", \"fields\": {}", "[".repeat(30_000));
    contract::nested_is_answered(&harness().await, &Frame, nested.as_bytes(), &sample).await;
}

/// What the visitor's open connection shows.
struct Shown(Mutex<Client>);

#[async_trait]
impl contract::Outlet for Shown {
    async fn received(&self) -> Vec<String> {
        let mut client = self.0.lock().await;
        let first = client.until("message").await;
        let frames = [vec![first], client.caught_up().await].concat();
        frames.iter().filter(|frame| frame["type"] == "message").map(|frame| frame["id"].to_string()).collect()
    }
}

#[tokio::test]
async fn what_is_sent_twice_is_shown_once() {
    let site = Site::over(harness().await).await;
    let (mut client, _) = site.visit(json!({})).await;
    let accepted = client.begin("message-1", "Hei").await;
    let conversation = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    // As the engine does: stored first, sent afterwards.
    let message = site.harness.threads.reply(conversation, "Pia", "Your parcel left our warehouse this morning.");
    let identity = site.harness.inbox.messages().remove(0).sender.identity;
    let reply = OutboundMessage { conversation, message, ..contract::outbound("shop_chat", identity) };
    contract::the_same_key_goes_out_once(&site.harness, &reply, &Shown(Mutex::new(client))).await;
    site.stop().await;
}

/// Sends each payload as the `identity` of a visitor, who then writes.
struct Signed;

#[async_trait]
impl Intake for Signed {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let address = serve(harness).await;
        let mut client = Client::connect(address, &[]).await.expect("the handshake is answered");
        let identity: serde_json::Value = serde_json::from_slice(payload).expect("the claims of this test are JSON");
        if client.hello(json!({"identity": identity})).await["type"] != "welcome" {
            return Answer::Refused;
        }
        match client.begin("message-1", "Hei").await["type"].as_str() {
            Some("accepted") => Answer::Accepted,
            _ => Answer::Refused,
        }
    }
}

#[tokio::test]
async fn wrongly_signed_visitors_are_refused_where_a_signature_is_required() {
    let settings = SETTINGS.replace("mode = \"optional\"", "mode = \"required\"");
    let harness = Harness::start(&REGISTRATION, "shop_chat", &settings).await;
    let claim = |hash: &str| json!({"id": "4711", "hash": hash}).to_string().into_bytes();
    let forged = [claim(&"0".repeat(64)), claim(""), claim("not hex"), json!({"jwt": "a.b.c"}).to_string().into_bytes()];
    contract::forged_is_refused(&harness, &Signed, &forged, &claim(GOOD_HASH)).await;
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

/// A visitor who has a conversation open, looks at pages, and writes, while the desk answers.
async fn talk(site: &Site, session: &str, name: &str, text: &str) {
    let page = json!({"url": format!("https://www.shop.test/{session}?{text}"), "title": text});
    let hello = json!({"session": session, "nonce": nonce("watched"), "page": page, "identity": {"id": "4711", "hash": session, "name": name}});
    let (mut client, _) = site.visit(hello).await;
    let accepted = client.begin("message-1", text).await;
    let conversation = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    let threads = &site.harness.threads;
    threads.reply_with(conversation, name, text, &[("marked-file.txt", b"bytes of the marked file")]);
    client.until("message").await;
    threads.writing(conversation, name, true);
    client.until("typing").await;
    threads.fail(true);
    threads.reply(conversation, name, text);
    threads.tell(ThreadChange::Writing(ConversationId(77), text.to_owned(), true));
    let identity = json!({"id": "4711", "hash": GOOD_HASH, "name": name});
    let unread = site.connect().await.hello(json!({"identity": identity, "page": page})).await;
    assert_eq!(unread["code"], "unavailable");
    assert_eq!(site.visit(json!({"session": session, "page": page})).await.1["open"], true, "the hours cannot be read");
    client.send(&json!({"type": "open", "conversation": 999})).await;
    client.send(&json!({"type": "page", "url": page["url"], "title": text})).await;
    client.send(&json!({"type": "message", "client_id": "message-2", "conversation": 999, "text": text})).await;
    assert_eq!(client.answer().await["code"], "unavailable");
    threads.fail(false);
    client.until("message").await;
    (0..1_000).for_each(|_| threads.tell(ThreadChange::Message(conversation)));
    for flood in 0..30 {
        client.send(&json!({"type": text, "client_id": format!("message-{flood}")})).await;
    }
    assert_eq!(client.until("bye").await["code"], "protocol");
    let pass = format!("Bearer {session}");
    let request =
        axum::http::Request::post("/channels/shop_chat/files").header("authorization", pass).header("x-file-name", text);
    let request = request.body(axum::body::Body::from(text.to_owned())).expect("the request is well formed");
    let refused = tower::ServiceExt::oneshot(site.harness.router.clone(), request).await;
    assert!(!refused.expect("a router always answers").status().is_success());
}

#[tokio::test]
async fn neither_secrets_nor_what_is_written_is_logged() {
    let [secret, next, short] = ["the-first-secret-of-the-shop", "the-next-secret-of-the-shop", "a-short-1"];
    let [name, address, text] = ["Marit Merkedal", "marit.merkedal@eksempel.test", "Where is the marked parcel"];
    let (file, session) = ("bytes of the marked file", "a-session-that-nobody-signed");
    let watch = contract::LogWatch::start(&[secret, next, short], &[name, address, text]);
    let refused = format!("key = \"shop_7Hq2\"\n[identity]\nmode = \"required\"\nsecrets = [\"{secret}\", \"{short}\"]");
    let fields = json!([["name", name], ["email", address]]);
    let payload = json!({"type": "message", "client_id": "message-0", "text": text, "fields": fields}).to_string();
    let claim = |hash: &str| json!({"id": address, "hash": hash, "name": name}).to_string().into_bytes();
    let mut reply = contract::outbound("shop_chat", Identity::email(address));
    text.clone_into(&mut reply.text);
    let tour = contract::Tour {
        registration: &REGISTRATION,
        slug: "shop_chat",
        settings: SETTINGS,
        refused: &[&refused],
        failing: &[],
        payloads: &[payload.into_bytes()],
        forged: vec![(&Signed, claim(&"0".repeat(64))), (&Signed, claim(address))],
        replies: &[reply],
    };
    contract::logs_hide(&watch, &Frame, &tour).await;
    let more = contract::LogWatch::start(&[session, GOOD_HASH], &[name, text, file, "marked-file.txt"]);
    for session in [session, GOOD_HASH] {
        let site = Site::over(harness().await).await;
        talk(&site, session, name, text).await;
        site.stop().await;
    }
    more.assert_hidden();
    watch.assert_hidden();
    watch.assert_said(&[
        "a message could not be placed",
        "a message was not stored",
        "a conversation could not be read; connections read anew",
        "a signal was lost",
        "a visitor could not be shown conversations",
        "changes were missed; connections read anew",
        "conversations could not be read; trying again",
        "the hours could not be read; shown as open",
    ]);
}
