//! The form channel against the channel contract. What it promises over HTTP beyond that is in `pages.rs` and
//! `submissions.rs`.

mod site;

use async_trait::async_trait;
use site::{SETTINGS, Site, header};
use switchboard_channel_forms::REGISTRATION;
use switchboard_channel_testkit::{Answer, Fixture, Harness, Intake, contract, fixtures};
use switchboard_model::Identity;

/// Submits a payload as it would come from another site.
struct Submit {
    content_type: &'static str,
}

#[async_trait]
impl Intake for Submit {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let site = Site::of(harness);
        let answer = site.submit(self.content_type, payload.to_vec(), &[]).await;
        match answer.status.as_u16() {
            202 => Answer::Accepted,
            503 | 429 => Answer::TryAgain,
            400..=499 => Answer::Refused,
            other => panic!("a submission was answered with {other}"),
        }
    }
}

const FORMATS: [(&str, Submit); 3] = [
    ("urlencoded", Submit { content_type: "application/x-www-form-urlencoded" }),
    ("json", Submit { content_type: "application/json" }),
    ("multipart", Submit { content_type: "multipart/form-data; boundary=----form-boundary-7f3a" }),
];

async fn harness() -> Harness {
    Harness::start(&REGISTRATION, "contact", SETTINGS).await
}

fn samples() -> Vec<(Fixture, &'static Submit)> {
    let of_format = |(extension, submit): &'static (&str, Submit)| {
        let found = fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), extension);
        found.into_iter().map(move |fixture| (fixture, submit))
    };
    FORMATS.iter().flat_map(of_format).collect()
}

#[test]
fn the_registration_is_complete() {
    contract::registration_is_complete(&REGISTRATION);
}

#[test]
fn faults_in_settings_come_all_at_once() {
    contract::settings_faults_come_all_at_once(&REGISTRATION, SETTINGS);
}

#[tokio::test]
async fn the_same_payload_gives_the_same_message() {
    for (fixture, submit) in samples() {
        contract::same_payload_same_message(&harness().await, &harness().await, submit, &fixture.bytes).await;
    }
}

#[tokio::test]
async fn r12_1_a_repeated_submission_is_one_message() {
    for (fixture, submit) in samples() {
        contract::repeats_change_nothing(&harness().await, submit, &fixture.bytes).await;
    }
}

#[tokio::test]
async fn r12_1_a_submission_is_acknowledged_after_the_commit_only() {
    for (fixture, submit) in samples() {
        contract::acknowledged_only_after_the_commit(&harness().await, submit, &fixture.bytes).await;
    }
}

#[tokio::test]
async fn damaged_submissions_are_answered_and_break_nothing() {
    for (fixture, submit) in samples() {
        contract::damaged_payloads_are_answered(&harness().await, submit, &fixture.bytes).await;
    }
}

#[tokio::test]
async fn oversized_submissions_are_refused_for_good() {
    for (fixture, submit) in samples() {
        let oversized = vec![b'x'; 300_000];
        contract::oversized_is_refused(&harness().await, submit, &oversized, &fixture.bytes).await;
    }
}

#[tokio::test]
async fn a_deeply_nested_submission_is_answered() {
    for (fixture, submit) in samples() {
        let nested = format!("{{\"name\": {}", "[".repeat(100_000));
        contract::nested_is_answered(&harness().await, submit, nested.as_bytes(), &fixture.bytes).await;
    }
}

#[tokio::test]
async fn a_form_cannot_send() {
    let reply = contract::outbound("contact", Identity::email("kari@eksempel.test"));
    contract::capabilities_hold(&harness().await, &reply).await;
}

#[tokio::test]
async fn nothing_that_was_written_shows_in_debug() {
    let harness = harness().await;
    for (fixture, submit) in samples() {
        submit.deliver(&harness, &fixture.bytes).await;
    }
    let messages = harness.inbox.messages();
    assert_eq!(messages.len(), 3);
    for message in messages {
        let hidden = [message.text.as_str(), message.sender.identity.value.as_str(), "Nordmann", "Berg", "kasse"];
        contract::debug_hides(&message, &hidden);
    }
}

/// Submits under a page's token and a cookie that were never issued.
struct Forged;

#[async_trait]
impl Intake for Forged {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let token = String::from_utf8_lossy(payload);
        let body = format!("name=Marit&message=Hei&form_token={token}");
        let answer = Site::of(harness).browse(&body, &[("cookie", &format!("sb_form_contact={token}"))]).await;
        if answer.status.is_success() { Answer::Accepted } else { Answer::Refused }
    }
}

#[tokio::test]
async fn nothing_that_was_written_is_logged() {
    let texts = ["Marit Merkedal", "marit.merkedal@eksempel.test", "the marked parcel never came"];
    let file = ["marked-photo.png", "bytes of the marked photo"];
    let [name, address, text] = texts;
    let part =
        |head: &str, body: &str| format!("------form-boundary-7f3a\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let photo = format!("name=\"photos\"; filename=\"{}\"\r\nContent-Type: image/png", file[0]);
    let parts = [("name=\"name\"", name), ("name=\"email\"", address), ("name=\"message\"", text), (photo.as_str(), file[1])];
    let parts: String = parts.iter().map(|(head, body)| part(head, body)).collect();
    let urlencoded = format!("name={name}&email={address}&message={text}").replace(' ', "+");
    let [(_, by_url), (_, by_json), (_, by_parts)] = &FORMATS;
    for (submit, payload, marks) in [
        (by_url, urlencoded.clone(), texts.to_vec()),
        (by_json, format!("{{\"name\": \"{name}\", \"email\": \"{address}\", \"message\": \"{text}\"}}"), texts.to_vec()),
        (by_parts, format!("{parts}------form-boundary-7f3a--\r\n"), [texts.as_slice(), &file].concat()),
    ] {
        let token = "a-token-that-was-never-issued";
        let watch = contract::LogWatch::start(&[token], &marks);
        let mut reply = contract::outbound("contact", Identity::email(address));
        text.clone_into(&mut reply.text);
        let tour = contract::Tour {
            registration: &REGISTRATION,
            slug: "contact",
            settings: SETTINGS,
            refused: &[&format!("title = 1\nintro = [\"{text}\"]\n")],
            failing: &[],
            payloads: &[payload.into_bytes()],
            forged: vec![(&Forged, token.as_bytes().to_vec())],
            replies: &[reply],
        };
        contract::logs_hide(&watch, submit, &tour).await;
        watch.assert_said(&["a submission was not stored"]);
    }
}

#[tokio::test]
async fn a_form_runs_until_it_is_told_to_stop() {
    let harness = harness().await;
    harness.run();
    harness.stop().await;
    let site = Site::of(&harness);
    assert_eq!(header(&site.open("/channels/contact", &[]).await, "content-type"), "text/html; charset=utf-8");
}
