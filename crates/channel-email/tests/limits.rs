//! What strangers do to wear a receiver out: each is answered, in bounded time and memory, and the next mail gets through.
#![allow(clippy::disallowed_methods, reason = "these tests measure how long the machine takes and how much memory it uses")]

mod peer;

use peer::{Peer, listening_address};
use std::time::{Duration, Instant};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::Harness;
use switchboard_model::{InboundMessage, Nature};

const MAIL: &[u8] = b"Message-ID: <1@eksempel.test>\r\nFrom: Kari <kari@eksempel.test>\r\nSubject: Pakke\r\n\r\nHvor er den?\r\n";

async fn receiving(slug: &str, more: &str) -> Harness {
    peer::capture_addresses();
    let toml = format!("address = \"support@shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\n{more}");
    let harness = Harness::start(&REGISTRATION, slug, &toml).await;
    harness.run();
    harness
}

/// Delivers one mail that is made to cost much, then a plain one, and answers with what became of the first.
async fn survives(slug: &str, mail: &[u8]) -> InboundMessage {
    let harness = receiving(slug, "").await;
    let begun = Instant::now();
    let mut peer = Peer::connect(&listening_address(slug)).await;
    assert_eq!(peer.mail("EHLO", &["support@shop.test"], mail).await, 250);
    assert!(begun.elapsed() < Duration::from_secs(40), "{slug} took {:?}", begun.elapsed());
    assert_eq!(peer.mail("RSET", &["support@shop.test"], MAIL).await, 250, "the next mail gets through");
    let messages = harness.inbox.messages();
    assert_eq!(messages.len(), 2);
    harness.stop().await;
    messages.into_iter().next().expect("two were counted")
}

/// Memory of this process in bytes, where the system tells.
fn memory_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split(' ').nth(1)?.parse::<usize>().ok()? * 4_096)
}

#[tokio::test]
async fn ten_thousand_parts_are_bounded_and_kept_whole() {
    let head = "From: a@a.test\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    let part = "--b\r\nContent-Type: application/zip\r\n\r\nx\r\n";
    let mail = format!("{head}{}", part.repeat(10_000));
    let message = survives("parts", mail.as_bytes()).await;
    assert_eq!(message.attachments.len(), 1_000);
    assert_eq!(message.raw.expect("the raw mail").bytes.len(), mail.len());
}

#[tokio::test]
async fn headers_without_end_are_kept_as_they_came() {
    let mail = format!("From: a@a.test\r\n{}\r\nx\r\n", "X-Noise: y\r\n".repeat(200_000));
    assert_eq!(survives("headers", mail.as_bytes()).await.nature, Nature::Malformed);
}

#[tokio::test]
async fn a_header_that_goes_on_for_megabytes_is_read_in_time() {
    let mail = format!("From: a@a.test\r\nSubject: {}\r\n\r\nx\r\n", "long ".repeat(300_000));
    let message = survives("header", mail.as_bytes()).await;
    assert!(message.subject.is_none_or(|subject| subject.chars().count() <= 998));
}

#[tokio::test]
async fn a_packed_file_is_never_unpacked() {
    // The head of a zip that says it holds four gigabytes; whoever opened it would find out.
    let mut bomb = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\xff\0\0\0\xff\xff\xff\xff\x04\0\0\0bomb".to_vec();
    bomb.extend([0x4b, 0x4c, 0x04].repeat(100));
    let mut mail =
        b"From: a@a.test\r\nContent-Type: application/zip; name=bomb.zip\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".to_vec();
    mail.extend(&bomb);
    let message = survives("zip", &mail).await;
    assert_eq!(message.attachments.len(), 1);
    assert!(message.attachments[0].bytes.starts_with(&bomb[..40]) && message.attachments[0].bytes.len() < 400);
}

#[tokio::test]
async fn nested_messages_are_files_and_not_opened() {
    let mail = format!("From: a@a.test\r\n{}x\r\n", "Content-Type: message/rfc822\r\n\r\n".repeat(20_000));
    assert!(survives("nested", mail.as_bytes()).await.attachments.len() <= 1);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/mail/nested-rfc822.eml");
    survives("nested_fixture", &std::fs::read(file).expect("the mail is committed")).await;
}

#[tokio::test]
async fn a_mail_of_a_hundred_megabytes_is_refused_and_not_held() {
    let harness = receiving("huge", "receiver.max_message_bytes = 1048576\nreceiver.max_buffered_bytes = 1048576").await;
    let mut peer = Peer::connect(&listening_address("huge")).await;
    peer.write(b"EHLO p\r\nMAIL FROM:<a@b.test> SIZE=104857600\r\n").await;
    assert_eq!([peer.answer().await, peer.answer().await], [250, 552], "who says so is refused at once");
    peer.write(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<support@shop.test>\r\nDATA\r\n").await;
    assert_eq!([peer.answer().await, peer.answer().await, peer.answer().await], [250, 250, 354]);
    let before = memory_bytes();
    let line = b"0123456789012345678901234567890123456789012345678901234567890\r\n".repeat(1_024);
    let mut sent = 0;
    while sent < 104_857_600 && peer.try_write(&line).await {
        sent += line.len();
    }
    assert!(sent < 104_857_600, "the receiver hangs up long before the end");
    if let (Some(before), Some(after)) = (before, memory_bytes()) {
        assert!(after.saturating_sub(before) < 50_000_000, "{} bytes more", after - before);
    }
    let mut next = Peer::connect(&listening_address("huge")).await;
    assert_eq!(next.mail("EHLO", &["support@shop.test"], MAIL).await, 250);
    assert_eq!(harness.inbox.messages().len(), 1);
    harness.stop().await;
}

#[tokio::test]
async fn who_drips_a_mail_letter_by_letter_is_let_go() {
    let harness = receiving("drip", "receiver.command_timeout_seconds = 1").await;
    let mut peer = Peer::connect(&listening_address("drip")).await;
    peer.write(b"EHLO p\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<support@shop.test>\r\nDATA\r\n").await;
    for expected in [250, 250, 250, 354] {
        assert_eq!(peer.answer().await, expected);
    }
    let begun = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    while peer.try_write(b"x").await {
        beat.tick().await;
        assert!(begun.elapsed() < Duration::from_secs(60), "a mail may take ten times as long as a command");
    }
    assert_eq!(harness.inbox.messages().len(), 0);
    let mut next = Peer::connect(&listening_address("drip")).await;
    assert_eq!(next.mail("EHLO", &["support@shop.test"], MAIL).await, 250);
    harness.stop().await;
}

#[tokio::test]
async fn who_drips_a_command_letter_by_letter_is_let_go_and_counted() {
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().expect("the only recorder");
    let harness = receiving("trickle", "receiver.command_timeout_seconds = 1").await;
    let mut peer = Peer::connect(&listening_address("trickle")).await;
    peer.write(b"EHLO p\r\n").await;
    assert_eq!(peer.answer().await, 250);
    let begun = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    // No end of line, and fewer letters than a line may have.
    while peer.try_write(b"x").await {
        beat.tick().await;
        assert!(begun.elapsed() < Duration::from_secs(60), "a letter now and then buys no time");
    }
    assert!(metrics.render().contains("switchboard_smtp_refused_total{code=\"421 4.4.2\"} 1"), "{}", metrics.render());
    let mut next = Peer::connect(&listening_address("trickle")).await;
    assert_eq!(next.mail("EHLO", &["support@shop.test"], MAIL).await, 250);
    assert!(metrics.render().contains("switchboard_smtp_mails_total{channel=\"trickle\",outcome=\"taken_in\"} 1"));
    harness.stop().await;
}

#[tokio::test]
async fn a_peer_that_goes_on_with_commands_may_stay() {
    let harness = receiving("steady", "receiver.command_timeout_seconds = 5").await;
    let mut peer = Peer::connect(&listening_address("steady")).await;
    let begun = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(400));
    while begun.elapsed() < Duration::from_secs(6) {
        beat.tick().await;
        peer.write(b"NOOP\r\n").await;
        assert_eq!(peer.answer().await, 250);
    }
    harness.stop().await;
}
