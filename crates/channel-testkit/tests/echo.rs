//! The suite judged by two small channels: one that keeps the contract and one that breaks it on request.

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use switchboard_channel::{Channel, ChannelError, Context, InboxErrorKind, Registration, SettingDoc, Settings};
use switchboard_channel_testkit::{Answer, Harness, Intake, RecordingInbox, contract, fixtures};
use switchboard_model::{
    Attachment, Capabilities, ChannelKind, Delivered, Fault, Identity, IdentityKind, InboundMessage, MessageDetails, Nature,
    OutboundMessage, Proof, Sender, ThreadHints,
};
use tower::ServiceExt;

const SETTINGS: &[SettingDoc] = &[
    SettingDoc { key: "fault", values: "a word", default: Some("\"none\""), about: "What the channel does wrong." },
    SettingDoc { key: "password", values: "text", default: Some("\"\""), about: "Nothing is done with it." },
];

const ECHO: Registration =
    Registration { kind: ChannelKind::Custom, summary: "Echoes what it is sent.", settings: SETTINGS, build };

#[derive(serde::Deserialize)]
struct Config {
    #[serde(default)]
    fault: String,
}

struct Echo {
    fault: String,
    serial: Arc<AtomicU64>,
}

fn build(settings: &Settings) -> Result<Arc<dyn Channel>, Vec<Fault>> {
    let config: Config = settings.read(SETTINGS)?;
    if config.fault == "unbuildable" {
        return Err(vec![Fault::new(settings.key("fault"), "found `unbuildable`")]);
    }
    Ok(Arc::new(Echo { fault: config.fault, serial: Arc::default() }))
}

#[async_trait]
impl Channel for Echo {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn routes(&self, context: &Context) -> Option<Router> {
        let state = (self.fault.clone(), self.serial.clone(), context.clone());
        Some(Router::new().route("/in", post(take)).with_state(state))
    }

    async fn send(&self, _: &OutboundMessage) -> Result<Delivered, ChannelError> {
        if self.fault == "sends" { Ok(Delivered::default()) } else { Err(ChannelError::unsupported("replying")) }
    }
}

async fn take(State((fault, serial, context)): State<(String, Arc<AtomicU64>, Context)>, body: Bytes) -> StatusCode {
    let Ok(text) = String::from_utf8(body.to_vec()) else { return StatusCode::UNPROCESSABLE_ENTITY };
    if text.len() > 100 && fault != "boundless" {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let mut message = message(&context.slug, &text);
    if fault == "forgetful" {
        message.external_id = serial.fetch_add(1, Ordering::SeqCst).to_string();
    }
    if fault == "paths" {
        let bytes = Bytes::from_static(b"x");
        let file = Attachment { name: "../x".into(), content_type: "text/plain".into(), content_id: None, bytes };
        message.attachments.push(file);
    }
    match context.inbox.push(message).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(_) if fault == "hasty" => StatusCode::ACCEPTED,
        Err(error) if matches!(error.kind, InboxErrorKind::Closed | InboxErrorKind::Invalid) => StatusCode::GONE,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn message(slug: &str, text: &str) -> InboundMessage {
    let identity = Identity::new(IdentityKind::Custom, "somebody");
    InboundMessage {
        channel: slug.to_owned(),
        external_id: format!("echo:{}", text.len()),
        further_ids: Vec::new(),
        sent_at: None,
        sender: Sender { identity, also: Vec::new(), proof: Proof::Channel, name: None },
        thread: ThreadHints::default(),
        subject: None,
        text: text.to_owned(),
        html: None,
        fields: Vec::new(),
        attachments: Vec::new(),
        recipients: Vec::new(),
        language: None,
        nature: Nature::Message,
        details: MessageDetails::default(),
        raw: None,
    }
}

struct Post;

#[async_trait]
impl Intake for Post {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let uri = format!("/channels/{}/in", harness.context.slug);
        let request = Request::post(uri).body(Body::from(payload.to_vec())).expect("the request is well formed");
        let Ok(response) = harness.router.clone().oneshot(request).await;
        match response.status() {
            StatusCode::ACCEPTED => Answer::Accepted,
            StatusCode::SERVICE_UNAVAILABLE => Answer::TryAgain,
            _ => Answer::Refused,
        }
    }
}

async fn harness(fault: &str) -> Harness {
    Harness::start(&ECHO, "echo", &format!("kind = \"custom\"\nfault = \"{fault}\"")).await
}

const SAMPLE: &[u8] = b"The parcel never came.";

#[tokio::test]
async fn a_channel_that_keeps_the_contract_passes_the_suite() {
    contract::registration_is_complete(&ECHO);
    contract::settings_faults_come_all_at_once(&ECHO, "fault = \"none\"");
    let refused = "fault = \"unbuildable\"\npassword = \"hunter2-hunter2\"";
    contract::build_shows_no_secret(&ECHO, refused, &["hunter2-hunter2"]);
    contract::same_payload_same_message(&harness("none").await, &harness("none").await, &Post, SAMPLE).await;
    contract::repeats_change_nothing(&harness("none").await, &Post, SAMPLE).await;
    contract::acknowledged_only_after_the_commit(&harness("none").await, &Post, SAMPLE).await;
    contract::damaged_payloads_are_answered(&harness("none").await, &Post, SAMPLE).await;
    contract::oversized_is_refused(&harness("none").await, &Post, &[b'x'; 101], SAMPLE).await;
    let reply = contract::outbound("echo", Identity::email("kari@eksempel.test"));
    contract::capabilities_hold(&harness("none").await, &reply).await;
}

#[tokio::test]
#[should_panic(expected = "a repeat changed what was recorded")]
async fn a_channel_without_stable_ids_fails_the_suite() {
    contract::repeats_change_nothing(&harness("forgetful").await, &Post, SAMPLE).await;
}

#[tokio::test]
#[should_panic(expected = "which is worth another try")]
async fn a_channel_that_acknowledges_early_fails_the_suite() {
    contract::acknowledged_only_after_the_commit(&harness("hasty").await, &Post, SAMPLE).await;
}

#[tokio::test]
#[should_panic(expected = "a file name has a path")]
async fn a_channel_that_keeps_paths_fails_the_suite() {
    contract::damaged_payloads_are_answered(&harness("paths").await, &Post, SAMPLE).await;
}

#[tokio::test]
#[should_panic(expected = "must be refused for good")]
async fn a_channel_without_limits_fails_the_suite() {
    contract::oversized_is_refused(&harness("boundless").await, &Post, &[b'x'; 101], SAMPLE).await;
}

#[tokio::test]
#[should_panic(expected = "it cannot reply, and sent")]
async fn a_channel_that_sends_what_it_cannot_fails_the_suite() {
    let reply = contract::outbound("echo", Identity::email("kari@eksempel.test"));
    contract::capabilities_hold(&harness("sends").await, &reply).await;
}

#[tokio::test]
#[should_panic(expected = "the settings were refused:\nchannels.echo.fault: found `unbuildable`")]
async fn refused_settings_are_shown_when_the_harness_starts() {
    harness("unbuildable").await;
}

#[tokio::test]
async fn the_inbox_joins_by_hint_dedupes_by_id_and_counts_up() {
    let harness = harness("none").await;
    let inbox: &RecordingInbox = &harness.inbox;
    let (mut first, mut second, mut third) = (message("echo", "a"), message("echo", "bb"), message("echo", "ccc"));
    first.thread.own_reference = Some("<a@x.test>".into());
    second.thread.references = vec!["<a@x.test>".into()];
    third.thread.key = Some("room".into());
    let mut conversations = Vec::new();
    for message in [first.clone(), second, third, first] {
        let receipt = harness.context.inbox.push(message).await.expect("the inbox takes everything");
        conversations.push((receipt.conversation.0, receipt.message.0, receipt.duplicate));
    }
    assert_eq!(conversations, [(1, 1, false), (1, 2, false), (2, 3, false), (1, 1, true)]);
    assert_eq!((inbox.messages().len(), inbox.pushes()), (3, 4));
}

#[tokio::test]
async fn a_running_channel_stops_when_it_is_told_to() {
    let harness = harness("none").await;
    harness.run();
    harness.stop().await;
    assert!(harness.context.runtime.tasks.is_empty());
}

#[test]
fn fixtures_come_by_name_and_an_empty_folder_is_no_suite() {
    let found = fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"), "rs");
    assert_eq!(found.first().map(|fixture| fixture.name.as_str()), Some("echo"));
    let nothing = std::panic::catch_unwind(|| fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"), "eml"));
    assert!(nothing.is_err(), "a folder without such files must not pass");
}
