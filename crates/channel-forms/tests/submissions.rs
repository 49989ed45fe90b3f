//! What happens to submissions over HTTP: answers, repeats, traps, identity, limits.

mod site;

use axum::http::Method;
use serde_json::Value;
use site::{Site, header, started, started_with, token_in};
use switchboard_channel::InboxErrorKind;
use switchboard_channel_testkit::Harness;
use switchboard_model::{Identity, IdentityKind, Nature, Proof};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GOOD: &str = r#"{"name": "Kari", "email": "kari@eksempel.test", "message": "Where is my parcel?"}"#;
const GOOD_FORM: &str = "name=Kari&email=kari%40eksempel.test&message=Where+is+my+parcel%3F";

fn json(body: &str) -> Value {
    serde_json::from_str(body).expect("the answer is JSON")
}

async fn open_form() -> (Harness, Site) {
    let harness = started("").await;
    let site = Site::of(&harness);
    (harness, site)
}

#[tokio::test]
async fn a_program_gets_its_receipt_after_the_commit() {
    let (harness, site) = open_form().await;
    let answer = site.json(GOOD, &[("idempotency-key", "k1")]).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, r#"{"conversation":1,"duplicate":false,"message":1}"#));
    let again = site.json(GOOD, &[("idempotency-key", "k1")]).await;
    assert_eq!(json(&again.body)["duplicate"], true);
    assert_eq!(harness.inbox.messages().len(), 1);
}

#[tokio::test]
async fn the_same_key_with_other_content_is_another_message() {
    let (harness, site) = open_form().await;
    site.json(GOOD, &[("idempotency-key", "k1")]).await;
    let other = site.json(&GOOD.replace("parcel", "refund"), &[("idempotency-key", "k1")]).await;
    assert_eq!(json(&other.body)["duplicate"], false);
    assert_eq!(harness.inbox.messages().len(), 2);
}

#[tokio::test]
async fn without_a_key_two_equal_submissions_are_two_messages() {
    let (harness, site) = open_form().await;
    site.json(GOOD, &[]).await;
    site.json(GOOD, &[]).await;
    assert_eq!(harness.inbox.messages().len(), 2);
}

#[tokio::test]
async fn every_field_fault_comes_at_once_with_codes_and_words() {
    let (harness, site) = open_form().await;
    let body = r#"{"email": "kari@", "topic": "gossip", "items": 11, "bought": "2019-12-31", "newsletter": "maybe",
                   "photos": "x.png", "shoe_size": 42, "name": ["Kari"], "submission_id": "two words"}"#;
    let answer = site.json(body, &[("accept-language", "nb")]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "content-type")), (422, "application/problem+json"));
    let problem = json(&answer.body);
    assert_eq!((&problem["status"], &problem["code"]), (&422.into(), &"invalid".into()));
    let errors = problem["errors"].as_array().expect("errors are a list");
    let found: Vec<(&str, &str)> =
        errors.iter().map(|error| (error["field"].as_str().expect("a field"), error["code"].as_str().expect("a code"))).collect();
    assert_eq!(
        found,
        [
            ("name", "not_text"),
            ("email", "invalid_email"),
            ("message", "required"),
            ("topic", "invalid_option"),
            ("items", "above_max"),
            ("bought", "too_early"),
            ("newsletter", "invalid_checkbox"),
            ("photos", "file_needs_multipart"),
            ("shoe_size", "unknown_field"),
            ("submission_id", "invalid_key"),
        ]
    );
    assert_eq!(errors[1]["message"], "«E-post» er ikke en fullstendig e-postadresse, som navn@eksempel.no");
    assert_eq!(harness.inbox.pushes(), 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_the_reason() {
    let (harness, site) = open_form().await;
    let bad = site.json("{\n  \"name\": \"Kari\",\n  oops\n}", &[]).await;
    let problem = json(&bad.body);
    assert_eq!((bad.status.as_u16(), &problem["line"], &problem["column"]), (400, &3.into(), &3.into()));
    assert_eq!(site.json("[1]", &[]).await.status, 400);
    assert_eq!(site.json(&"[".repeat(100_000), &[]).await.status, 400);
    assert_eq!(site.submit("text/plain", b"hello".to_vec(), &[]).await.status, 415);
    assert_eq!(site.submit("multipart/form-data", b"hello".to_vec(), &[]).await.status, 400);
    let large = format!(r#"{{"message": "{}"}}"#, "x".repeat(200_000));
    assert_eq!(site.json(&large, &[]).await.status, 413);
    assert_eq!(site.json(GOOD, &[("content-length", "999999999")]).await.status, 413);
    let many = "a=1&".repeat(201);
    assert_eq!(site.submit("application/x-www-form-urlencoded", many.into_bytes(), &[]).await.status, 413);
    assert_eq!(harness.inbox.pushes(), 0);
}

#[tokio::test]
async fn a_browser_that_sends_too_much_sees_the_answer_on_its_connection() {
    let (harness, _) = open_form().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let (router, stop) = (harness.router.clone(), harness.context.runtime.shutdown.clone());
    harness.context.runtime.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
        served.await.expect("the server runs until it is stopped");
    });
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("the server listens");
    let head = "POST /channels/contact/submit HTTP/1.1\r\nhost: x\r\naccept: text/html\r\nconnection: close\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("the head is taken");
    stream.write_all(&vec![b'x'; 1_000_000]).await.expect("the whole body is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the answer comes whole");
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too large"), "{answer}");
    harness.stop().await;
}

#[tokio::test]
async fn a_browser_is_sent_to_the_thanks_or_to_the_redirect() {
    let (_harness, site) = open_form().await;
    let answer = site.browse(&format!("{GOOD_FORM}&form_language=nb"), &[]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "location")), (303, "/channels/contact/thanks?lang=nb"));
    let harness = started("redirect = \"https://www.example.test/takk#sent\"").await;
    let answer = Site::of(&harness).browse(GOOD_FORM, &[("origin", "https://elsewhere.test")]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "location")), (303, "https://www.example.test/takk#sent"));
}

#[tokio::test]
async fn a_browser_gets_its_input_back_with_every_error() {
    let (harness, site) = open_form().await;
    let answer = site.browse("name=%3Cb%3EKari&email=kari&message=&topic=delivery", &[]).await;
    assert_eq!(answer.status, 422);
    for part in [
        "value=\"&#60;b&#62;Kari\"",
        "<option value=\"delivery\" selected>",
        "href=\"#f-email\"",
        "href=\"#f-message\"",
        "id=\"f-email-error\"",
        "aria-describedby=\"f-email-error\"",
        "aria-invalid=\"true\"",
    ] {
        assert!(answer.body.contains(part), "{part} is missing in {}", answer.body);
    }
    assert_eq!(harness.inbox.pushes(), 0);
}

#[tokio::test]
async fn a_double_click_on_the_page_is_one_message_and_a_correction_is_another() {
    let (harness, site) = open_form().await;
    let token = site.token().await;
    harness.clock.advance_ms(5_000);
    let body = format!("{GOOD_FORM}&form_token={token}");
    for _ in 0..2 {
        assert_eq!(site.browse(&body, &[]).await.status, 303);
    }
    assert_eq!(harness.inbox.messages().len(), 1);
    site.browse(&body.replace("parcel", "refund"), &[]).await;
    assert_eq!(harness.inbox.messages().len(), 2);
}

#[tokio::test]
async fn a_page_sent_faster_than_a_person_can_is_shown_again_and_taken_the_second_time() {
    let (harness, site) = open_form().await;
    let token = site.token().await;
    let body = format!("{GOOD_FORM}&form_token={token}");
    harness.clock.advance_ms(1_999);
    let first = site.browse(&body, &[]).await;
    assert_eq!((first.status.as_u16(), token_in(&first.body)), (422, token));
    harness.clock.advance_ms(1);
    assert_eq!(site.browse(&body, &[]).await.status, 303);
}

#[tokio::test]
async fn a_forged_page_counts_as_none_and_an_old_one_still_keeps_repeats_apart() {
    let (harness, site) = open_form().await;
    let forged = format!("{GOOD_FORM}&form_token={}", "A".repeat(54));
    let answer = site.browse(&forged, &[]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "set-cookie")), (303, ""));
    let old = format!("{GOOD_FORM}&form_token={}", site.token().await);
    harness.clock.advance_ms(48 * 60 * 60 * 1_000);
    site.browse(&old, &[]).await;
    site.browse(&old, &[]).await;
    assert_eq!(harness.inbox.messages().len(), 2);
}

#[tokio::test]
async fn a_filled_honeypot_looks_like_success_and_is_kept_as_spam() {
    let (harness, site) = open_form().await;
    let token = site.token().await;
    let body = format!("{GOOD_FORM}&website=http%3A%2F%2Fx.test&email2=x&form_token={token}");
    let answer = site.browse(&body, &[]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "location")), (303, "/channels/contact/thanks?lang=en"));
    let natures: Vec<Nature> = harness.inbox.messages().iter().map(|message| message.nature).collect();
    assert_eq!(natures, [Nature::Spam]);
}

#[tokio::test]
async fn r7_3_a_typed_address_proves_nothing_and_the_cookie_does() {
    let (harness, site) = open_form().await;
    let first = format!("{GOOD_FORM}&form_token={}", site.token().await);
    harness.clock.advance_ms(60_000);
    let answer = site.browse(&first, &[("origin", "https://desk.test")]).await;
    let set = header(&answer, "set-cookie").to_owned();
    let (pair, attributes) = set.split_once("; ").expect("the cookie has attributes");
    assert_eq!(attributes, "Path=/channels/contact; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure");
    let second = format!("{GOOD_FORM}&form_token={}", site.token().await);
    harness.clock.advance_ms(60_000);
    let answer = site.browse(&second, &[("cookie", pair)]).await;
    assert_eq!(header(&answer, "set-cookie"), "");
    let without_email = site.browse("name=Kari&message=Once+more", &[("cookie", pair)]).await;
    assert_eq!(without_email.status, 303);
    let senders: Vec<_> = harness.inbox.messages().into_iter().map(|message| message.sender).collect();
    assert_eq!((senders[0].proof, senders[1].proof), (Proof::Typed, Proof::Cookie));
    assert_eq!((&senders[0].also, senders[0].also.len()), (&senders[1].also, 1));
    assert_eq!(senders[1].identity, Identity::email("kari@eksempel.test"));
    assert_eq!((senders[2].proof, &senders[2].identity), (Proof::Cookie, &senders[1].also[0]));
    let (_, secret) = pair.split_once('=').expect("a cookie has a value");
    assert!(!senders[2].identity.value.contains(secret), "the identity shows the cookie");
}

#[tokio::test]
async fn a_cookie_of_the_wrong_shape_is_no_proof() {
    let (harness, site) = open_form().await;
    site.browse(GOOD_FORM, &[("cookie", "sb_form_contact=hello; sb_form_other=00112233445566778899aabbccddeeff")]).await;
    assert_eq!(harness.inbox.messages()[0].sender.proof, Proof::Typed);
}

#[tokio::test]
async fn a_first_submission_without_address_is_known_by_the_cookie_that_it_gets() {
    let (harness, site) = open_form().await;
    let body = |token: &str| format!("name=Kari&message=Hello&form_token={token}");
    let first = body(&site.token().await);
    harness.clock.advance_ms(5_000);
    let answer = site.browse(&first, &[]).await;
    let cookie = header(&answer, "set-cookie").split(';').next().expect("a cookie").to_owned();
    site.browse("name=Kari&message=Again", &[("cookie", &cookie)]).await;
    let messages = harness.inbox.messages();
    assert_eq!(messages[0].sender.identity, messages[1].sender.identity);
    assert_eq!((messages[0].sender.proof, messages[1].sender.proof), (Proof::Typed, Proof::Cookie));
    assert_eq!(messages[0].sender.identity.kind, IdentityKind::Cookie);
}

#[tokio::test]
async fn refusals_of_the_inbox_say_whether_to_try_again() {
    let (harness, site) = open_form().await;
    for (kind, status, retry_after) in [
        (InboxErrorKind::Unavailable, 503, "30"),
        (InboxErrorKind::Busy, 503, "2"),
        (InboxErrorKind::Unknown, 503, "5"),
        (InboxErrorKind::Closed, 410, ""),
        (InboxErrorKind::Invalid, 422, ""),
    ] {
        harness.inbox.fail_with(kind);
        let answer = site.json(GOOD, &[]).await;
        assert_eq!((answer.status.as_u16(), header(&answer, "retry-after")), (status, retry_after), "{kind:?}");
        let page = site.browse(GOOD_FORM, &[]).await;
        assert_eq!(page.status, status, "{kind:?}");
        assert!(page.body.contains("value=\"kari@eksempel.test\""), "{kind:?} loses the input");
    }
}

#[tokio::test]
async fn sending_the_returned_page_after_an_uncertain_commit_makes_no_second_message() {
    let (harness, site) = open_form().await;
    harness.inbox.lose_next_answer();
    let page = site.browse(GOOD_FORM, &[]).await;
    assert_eq!(page.status, 503);
    harness.clock.advance_ms(5_000);
    let again = format!("{GOOD_FORM}&form_token={}", token_in(&page.body));
    assert_eq!(site.browse(&again, &[]).await.status, 303);
    assert_eq!(harness.inbox.messages().len(), 1);
}

#[tokio::test]
async fn files_come_along_cleaned_and_bounded() {
    let (harness, site) = open_form().await;
    let part = |name: &str, file: &str, content_type: &str, size: usize| {
        let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n");
        format!("{head}content-type: {content_type}\r\n\r\n{}\r\n", "x".repeat(size))
    };
    let text = |name: &str, value: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let base = text("name", "Kari") + &text("message", "See the picture");
    let send = |parts: String| {
        let body = format!("{base}{parts}--b--\r\n").into_bytes();
        let site = site.from(Some("192.0.2.9"));
        async move { site.submit("multipart/form-data; boundary=b", body, &[]).await }
    };
    let good = send(part("photos", "../../a b.PDF", "application/x-thing", 50_000)).await;
    assert_eq!(good.status, 202);
    let files = &harness.inbox.messages()[0].attachments;
    assert_eq!((files[0].name.as_str(), files[0].bytes.len()), ("a b.PDF", 50_000));
    for (parts, code) in [
        (part("photos", "a.png", "image/png", 50_001), "file_too_large"),
        (part("photos", "a.exe", "application/x-thing", 5), "file_type"),
        (part("photos", "a.png", "image/png", 5).repeat(3), "too_many_files"),
        (part("message", "a.png", "image/png", 5), "unexpected_file"),
        (part("attic", "a.png", "image/png", 5), "unknown_field"),
    ] {
        let answer = send(parts).await;
        assert_eq!(answer.status, 422, "{code}");
        assert_eq!(json(&answer.body)["errors"][0]["code"], code);
    }
    assert_eq!(send(part("photos", "", "application/octet-stream", 0)).await.status, 202);
    assert_eq!(send(part("photos", "a.png", "image/png", 199_999)).await.status, 413);
}

#[tokio::test]
async fn one_client_is_limited_and_others_are_not() {
    let fields = "[[fields]]\nname = \"message\"";
    let harness = started_with(&format!("rate_per_minute = 6\nburst = 2\n{fields}")).await;
    let site = Site::of(&harness);
    let body = r#"{"message": "hello"}"#;
    for _ in 0..2 {
        assert_eq!(site.json(body, &[("x-forwarded-for", "198.51.100.7")]).await.status, 202);
    }
    let limited = site.json(body, &[("x-forwarded-for", "198.51.100.8")]).await;
    assert_eq!((limited.status.as_u16(), header(&limited, "retry-after")), (429, "10"));
    assert_eq!(site.browse("message=hello", &[]).await.status, 429);
    for other in [Some("192.0.2.2"), Some("2001:db8::1"), None] {
        assert_eq!(site.from(other).json(body, &[]).await.status, 202, "{other:?}");
    }
    harness.clock.advance_ms(10_000);
    assert_eq!(site.json(body, &[]).await.status, 202);
}

#[tokio::test]
async fn only_listed_sites_may_use_scripts_and_a_list_closes_plain_forms_elsewhere() {
    let harness = started("origins = [\"https://www.example.test\"]").await;
    let site = Site::of(&harness);
    let asked = [("origin", "https://www.example.test"), ("access-control-request-method", "POST")];
    let allowed = site.request(Method::OPTIONS, "/channels/contact/submit", Vec::new(), &asked).await;
    assert_eq!(header(&allowed, "access-control-allow-origin"), "https://www.example.test");
    assert_eq!(header(&allowed, "access-control-allow-headers"), "content-type,idempotency-key");
    let asked = [("origin", "https://evil.test"), ("access-control-request-method", "POST")];
    let refused = site.request(Method::OPTIONS, "/channels/contact/submit", Vec::new(), &asked).await;
    assert_eq!(header(&refused, "access-control-allow-origin"), "");
    for (origin, host, expected) in [
        ("https://www.example.test", "desk.test", 202),
        ("https://evil.test", "desk.test", 403),
        ("https://desk.test", "desk.test", 202),
        ("null", "desk.test", 403),
    ] {
        let answer = site.json(GOOD, &[("origin", origin), ("host", host)]).await;
        assert_eq!(answer.status, expected, "{origin}");
    }
    assert_eq!(site.json(GOOD, &[]).await.status, 202);
}

#[tokio::test]
async fn a_plain_form_on_any_site_works_without_a_list() {
    let (harness, site) = open_form().await;
    let answer = site.browse(GOOD_FORM, &[("origin", "https://shop.test"), ("sec-fetch-site", "cross-site")]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "set-cookie")), (303, ""));
    assert_eq!(header(&answer, "access-control-allow-origin"), "");
    assert_eq!(harness.inbox.messages().len(), 1);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up_and_readers_are_counted() {
    let fields = "[[fields]]\nname = \"message\"";
    let harness = started_with(&format!("read_timeout_seconds = 1\nmax_concurrent = 1\nrate_per_minute = 0\n{fields}")).await;
    let site = Site::of(&harness);
    let stalled = site.stalled();
    let (answer, crowded) = tokio::join!(stalled, async {
        // The stalled one is polled first, so it holds the only place by now.
        site.json(r#"{"message": "hello"}"#, &[]).await
    });
    assert_eq!((answer.status.as_u16(), crowded.status.as_u16()), (408, 503));
    assert_eq!(header(&crowded, "retry-after"), "2");
    assert_eq!(site.json(r#"{"message": "hello"}"#, &[]).await.status, 202);
}
