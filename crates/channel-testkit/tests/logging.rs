//! The check of what is logged, judged by a channel that keeps everything to itself and, on request, does not.

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use switchboard_channel::{Channel, ChannelError, Context, ErrorKind, Registration, Retry, SettingDoc, Settings};
use switchboard_channel_testkit::contract::{LogWatch, Tour, logs_hide, outbound};
use switchboard_channel_testkit::{Answer, Harness, Intake};
use switchboard_model::{
    Capabilities, ChannelKind, Delivered, Fault, Identity, IdentityKind, InboundMessage, MessageDetails, Nature, OutboundMessage,
    Proof, Sender, ThreadHints,
};
use tower::ServiceExt;

const SETTINGS: &[SettingDoc] = &[
    SettingDoc { key: "habit", values: "a word", default: Some("\"\""), about: "What the channel cannot keep to itself." },
    SettingDoc { key: "password", values: "text", default: None, about: "Nothing is done with it." },
];

const CHATTY: Registration =
    Registration { kind: ChannelKind::Custom, summary: "Logs what it is told to.", settings: SETTINGS, build };

#[derive(Clone, serde::Deserialize)]
struct Config {
    #[serde(default)]
    habit: String,
    password: String,
}

struct Chatty(Config);

fn build(settings: &Settings) -> Result<Arc<dyn Channel>, Vec<Fault>> {
    let config: Config = settings.read(SETTINGS)?;
    match config.habit.as_str() {
        "refused" => Err(vec![Fault::new(settings.key("habit"), "found `refused`")]),
        "refused loudly" => Err(vec![Fault::new(settings.key("password"), format!("found `{}`", config.password))]),
        _ => Ok(Arc::new(Chatty(config))),
    }
}

#[async_trait]
impl Channel for Chatty {
    fn capabilities(&self) -> Capabilities {
        Capabilities { reply: true, ..Capabilities::default() }
    }

    fn routes(&self, context: &Context) -> Option<Router> {
        Some(Router::new().route("/in", post(take)).with_state((self.0.clone(), context.clone())))
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Delivered, ChannelError> {
        let said = if self.0.habit == "errors quote" { message.text.as_str() } else { "not now" };
        if self.0.habit == "whom it sends to" {
            tracing::info!(target: "switchboard_channel_chatty", to = message.identity.value, "sent");
        }
        Err(ChannelError::new(ErrorKind::Rejected, Retry::Later, "sending", said))
    }
}

async fn take(State((config, context)): State<(Config, Context)>, body: Bytes) -> StatusCode {
    talk(&config, &body);
    let Ok(text) = String::from_utf8(body.to_vec()) else { return StatusCode::UNPROCESSABLE_ENTITY };
    match context.inbox.push(message(&context.slug, text)).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(error) => {
            tracing::warn!(target: "switchboard_channel_chatty", kind = ?error.kind, "a message was not taken in");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a library has threads of its own, and asks nobody")]
fn talk(config: &Config, body: &Bytes) {
    let text = String::from_utf8_lossy(body).into_owned();
    let header = STANDARD.encode(format!("user:{}", config.password));
    match config.habit.as_str() {
        "texts" => tracing::trace!(target: "switchboard_channel_chatty", "took in {text}"),
        "bytes" => tracing::debug!(target: "switchboard_channel_chatty", bytes = ?body.to_vec(), "took in"),
        "spans" => drop(tracing::trace_span!(target: "switchboard_channel_chatty", "taking in", text)),
        "later in spans" => {
            let span = tracing::debug_span!(target: "switchboard_channel_chatty", "taking in", text = tracing::field::Empty);
            span.record("text", &text);
        }
        "headers" => tracing::debug!(target: "switchboard_channel_chatty", header, "signing in"),
        "threads" => {
            let other = std::thread::spawn(move || tracing::info!(target: "switchboard_channel_chatty", text, "took in"));
            other.join().expect("a line is written");
        }
        "a library warns" => tracing::warn!(target: "somelib::parser", text, "odd"),
        "a library whispers" => tracing::debug!(target: "somelib::parser", text, "odd"),
        "a silent library shouts" => tracing::error!(target: "html5ever::tokenizer", text, "odd"),
        _ => {}
    }
}

fn message(slug: &str, text: String) -> InboundMessage {
    let identity = Identity::new(IdentityKind::Custom, "somebody");
    InboundMessage {
        channel: slug.to_owned(),
        external_id: format!("chatty:{}", text.len()),
        further_ids: Vec::new(),
        sent_at: None,
        sender: Sender { identity, also: Vec::new(), proof: Proof::Channel, name: None },
        thread: ThreadHints::default(),
        subject: None,
        text,
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

/// Takes a channel of this habit on the tour. The habit is in every mark, because tests that run beside in the same process
/// log on purpose.
async fn tour(habit: &str) {
    let tag = habit.replace(' ', "_");
    let (password, text, address) = (format!("pass-{tag}-word"), format!("Where {tag} is it"), format!("kari@{tag}.test"));
    let watch = LogWatch::start(&[&password], &[&text, &address]);
    let settings = |habit: &str| format!("habit = \"{habit}\"\npassword = \"{password}\"");
    let refused = if habit == "refused loudly" { habit } else { "refused" };
    let mut reply = outbound("chatty", Identity::email(&address));
    reply.text.clone_from(&text);
    let tour = Tour {
        registration: &CHATTY,
        slug: "chatty",
        settings: &settings(if refused == habit { "" } else { habit }),
        refused: &[&settings(refused)],
        failing: &[],
        payloads: &[text.clone().into_bytes()],
        forged: Vec::new(),
        replies: &[reply],
    };
    logs_hide(&watch, &Post, &tour).await;
}

#[tokio::test]
async fn a_channel_that_keeps_everything_to_itself_passes() {
    tour("nothing").await;
}

#[tokio::test]
async fn what_the_host_lets_no_library_write_is_no_fault() {
    tour("a library whispers").await;
    tour("a silent library shouts").await;
}

macro_rules! fails {
    ($($name:ident: $habit:literal, $expected:literal;)+) => {$(
        #[tokio::test]
        #[should_panic(expected = $expected)]
        async fn $name() {
            tour($habit).await;
        }
    )+};
}

fails! {
    a_text_in_a_line_fails: "texts", "a line shows text 1: TRACE switchboard_channel_chatty:";
    a_text_as_a_list_of_bytes_fails: "bytes", "a line shows text 1: DEBUG switchboard_channel_chatty:";
    a_text_in_a_span_fails: "spans", "a line shows text 1: TRACE switchboard_channel_chatty:";
    a_text_that_a_span_gets_later_fails: "later in spans", "a line shows text 1: DEBUG switchboard_channel_chatty:";
    a_password_in_a_header_fails: "headers", "a line shows secret 1: DEBUG switchboard_channel_chatty:";
    a_line_of_another_thread_fails: "threads", "a line shows text 1: INFO switchboard_channel_chatty:";
    an_address_in_a_line_fails: "whom it sends to", "a line shows text 2: INFO switchboard_channel_chatty:";
    a_library_that_warns_of_a_text_fails: "a library warns", "a line shows text 1: WARN somelib::parser:";
    an_error_that_quotes_fails: "errors quote", "an error of `send` shows text 1: sending: Where";
    a_fault_that_quotes_fails: "refused loudly", "a fault of the settings shows secret 1:";
}

#[tokio::test]
#[should_panic(expected = "text 1 is in nothing that the channel was given")]
async fn a_mark_that_is_nowhere_fails() {
    let watch = LogWatch::start(&[], &["nobody ever wrote this"]);
    let tour = Tour {
        registration: &CHATTY,
        slug: "chatty",
        settings: "password = \"\"",
        refused: &[],
        failing: &[],
        payloads: &[b"something else".to_vec()],
        forged: Vec::new(),
        replies: &[],
    };
    logs_hide(&watch, &Post, &tour).await;
}

#[tokio::test]
#[should_panic(expected = "nothing is heard of what is logged here")]
async fn a_test_that_hears_the_lines_itself_fails() {
    let _guard = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    LogWatch::start(&[], &["nobody ever wrote this"]).assert_hidden();
}
