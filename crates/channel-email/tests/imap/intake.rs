//! What is taken in, and that nothing is twice.

use super::server::Server;
use super::wait::until;
use super::{TAKEN, Watched, mail, settings};
use crate::peer::{self, Peer, listening_address};
use switchboard_channel::InboxErrorKind;
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::Harness;
use switchboard_model::Nature;

#[tokio::test]
async fn r12_1_mail_is_flagged_after_the_commit_and_never_taken_in_twice() {
    let server = Server::start().await;
    for number in 0..250 {
        server.deliver(&mail(number));
    }
    let watched = Watched::by_password(&server, "").await;
    until("all mail is flagged", || server.flagged(TAKEN) == 250).await;
    assert_eq!((watched.taken(), server.flagged("\\Seen")), (250, 0));
    assert_eq!(watched.harness.inbox.messages()[7].subject.as_deref(), Some("Pakke 7"), "in the order of the folder");
    server.deliver(&mail(3));
    until("a repeat is flagged too", || server.flagged(TAKEN) == 251).await;
    assert_eq!((watched.taken(), watched.errors()), (250, vec![]));
    watched.harness.stop().await;
}

#[tokio::test]
async fn r12_1_the_same_mail_over_the_receiver_and_over_imap_is_one_message() {
    peer::capture_addresses();
    let server = Server::start().await;
    let toml = settings(server.port, "password = \"right\"\n[receiver]\nlisten = \"127.0.0.1:0\"");
    let watched = Watched::start_as("both", &toml).await;
    let delivered = [b"Return-Path: <kari@eksempel.test>\r\nDelivered-To: help@shop.test\r\n", &mail(1)[..]].concat();
    server.deliver(&delivered);
    until("the mail is flagged", || server.flagged(TAKEN) == 1).await;
    let mut peer = Peer::connect(&listening_address("both")).await;
    assert_eq!(peer.mail("EHLO", &["help@shop.test"], &mail(1)).await, 250);
    assert_eq!((watched.taken(), watched.harness.inbox.pushes()), (1, 2));
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_receiver_listens_while_the_mailbox_beside_it_fails() {
    peer::capture_addresses();
    let server = Server::start().await;
    let toml = settings(server.port, "password = \"wrong\"\n[receiver]\nlisten = \"127.0.0.1:0\"");
    let harness = Harness::start(&REGISTRATION, "beside", &toml).await;
    for _ in 0..2 {
        harness.channel.run(harness.context.clone()).await.expect_err("a wrong password");
    }
    let mut peer = Peer::connect(&listening_address("beside")).await;
    assert_eq!(peer.mail("EHLO", &["help@shop.test"], &mail(1)).await, 250);
    harness.stop().await;
}

#[tokio::test]
async fn r12_1_nothing_is_flagged_that_the_inbox_refuses() {
    for kind in [InboxErrorKind::Unavailable, InboxErrorKind::Busy, InboxErrorKind::Unknown, InboxErrorKind::Closed] {
        let server = Server::start().await;
        server.deliver(&mail(1));
        let harness = Harness::start(&REGISTRATION, "mail", &settings(server.port, "password = \"right\"")).await;
        harness.inbox.fail_with(kind);
        harness.run();
        until("it is tried again", || harness.inbox.pushes() > 1).await;
        assert_eq!(server.flagged(TAKEN), 0, "{kind:?}");
        harness.inbox.lose_next_answer();
        harness.inbox.recover();
        until("it is taken in later", || server.flagged(TAKEN) == 1).await;
        assert_eq!(harness.inbox.messages().len(), 1, "{kind:?}");
        harness.stop().await;
    }
}

#[tokio::test]
async fn mail_that_can_never_be_stored_stays_is_named_and_holds_nothing_up() {
    let server = Server::start().await;
    server.deliver(&mail(1));
    let harness = Harness::start(&REGISTRATION, "mail", &settings(server.port, "password = \"right\"")).await;
    harness.inbox.fail_with(InboxErrorKind::Invalid);
    let error = harness.channel.run(harness.context.clone()).await.expect_err("it is said once");
    assert!(
        error.to_string().ends_with("one mail could not be taken in and stays in the folder, beginning with UID 1"),
        "{error}"
    );
    harness.inbox.recover();
    harness.run();
    server.deliver(&mail(2));
    until("other mail is taken in", || server.flagged(TAKEN) == 1).await;
    assert_eq!(harness.inbox.messages().len(), 1);
    harness.stop().await;
}

#[tokio::test]
async fn mail_over_the_limit_is_taken_in_as_its_headers_with_a_note() {
    let server = Server::start().await;
    let large = [mail(1), b"line of text\r\n".repeat(1_000)].concat();
    server.deliver(&large);
    let sly = [mail(2), b"line of text\r\n".repeat(1_000)].concat();
    server.deliver(&sly);
    server.state().mails[1].said_size = Some(100);
    server.deliver(&mail(3));
    let watched = Watched::by_password(&server, "max_message_bytes = 4096").await;
    until("all is flagged", || server.flagged(TAKEN) == 3).await;
    let messages = watched.harness.inbox.messages();
    let mut seen: Vec<_> = messages.iter().map(|message| (message.subject.clone().expect("a subject"), message.nature)).collect();
    seen.sort();
    let [first, second, third] = &seen[..] else { panic!("{}", seen.len()) };
    assert_eq!(first, &("Pakke 1".into(), Nature::Malformed));
    assert_eq!(second, &("Pakke 2".into(), Nature::Malformed));
    assert_eq!(third, &("Pakke 3".into(), Nature::Message));
    let noted = messages.iter().find(|message| message.subject.as_deref() == Some("Pakke 1")).expect("the large one");
    assert!(noted.text.starts_with(&format!("This mail has {} bytes", large.len())), "{}", noted.text);
    assert!(noted.raw.as_ref().is_some_and(|raw| raw.bytes.ends_with(b"\r\n\r\n") && raw.bytes.len() < 300));
    watched.harness.stop().await;
}

#[tokio::test]
async fn an_answer_waits_until_the_mail_that_it_answers_is_stored() {
    let server = Server::start().await;
    server.deliver(&mail(1));
    let answer = String::from_utf8(mail(2)).expect("text").replace("Subject:", "In-Reply-To: <1@eksempel.test>\r\nSubject:");
    server.deliver(answer.as_bytes());
    let watched = Watched::by_password(&server, "").await;
    until("both are flagged", || server.flagged(TAKEN) == 2).await;
    let receipts = watched.harness.inbox.receipts();
    assert_eq!(receipts[0].conversation, receipts[1].conversation);
    watched.harness.stop().await;
}
