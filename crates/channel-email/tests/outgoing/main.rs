//! What mail servers say to the sender, and what comes of it.

mod server;

use bytes::Bytes;
use server::Server;
use switchboard_channel::{ErrorKind, Retry};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::{Harness, contract};
use switchboard_model::{Address, Attachment, Identity, OutboundMessage};

/// A mailbox that sends through a server.
async fn sending(server: &Server, more: &str) -> Harness {
    let port = server.port;
    let toml = format!(
        "address = \"support@shop.test\"\nsmtp.host = \"127.0.0.1\"\nsmtp.port = {port}\nsmtp.security = \"none\"\n{more}"
    );
    Harness::start(&REGISTRATION, "out", &toml).await
}

fn person(address: &str) -> Address {
    Address { name: None, address: address.to_owned() }
}

fn answer() -> OutboundMessage {
    let mut message = contract::outbound("mail", Identity::email("kari@eksempel.test"));
    message.subject = Some(String::from("Pakke"));
    message
}

fn with_file(bytes: usize) -> OutboundMessage {
    let mut message = answer();
    let file = Attachment {
        name: String::from("a.bin"),
        content_type: String::from("application/octet-stream"),
        content_id: None,
        bytes: Bytes::from(vec![7; bytes]),
    };
    message.attachments = vec![file];
    message
}

#[tokio::test]
async fn a_mail_that_is_too_large_for_the_server_is_not_sent_at_all() {
    let server = Server::start(&["SIZE 20000"], &[]).await;
    let harness = sending(&server, "").await;
    let error = harness.channel.send(&with_file(40_000)).await.expect_err("too large");
    assert_eq!((error.kind, error.retry), (ErrorKind::Rejected, Retry::Never), "{error}");
    assert!(error.to_string().contains("the server takes 20000 bytes at most"), "{error}");
    assert!(!server.heard("MAIL"));
    harness.channel.send(&answer()).await.expect("a small one goes out");
    assert!(server.taken()[0].mail.contains(" SIZE="), "{:?}", server.taken());
    harness.stop().await;
}

#[tokio::test]
async fn refusals_keep_their_codes_and_say_whether_to_try_again() {
    for (command, refusal, retry, shown) in [
        ("MAIL", "552 5.3.4 your size", Retry::Never, "552 5.3.4, the mail is too large"),
        (".", "552 5.3.4 your size", Retry::Never, "552 5.3.4, the mail is too large"),
        (".", "554 5.7.1 kari@eksempel.test is spam", Retry::Never, "554 5.7.1, the server does not allow it"),
        (".", "451 4.7.1 greylisted", Retry::Later, "451 4.7.1"),
        ("RCPT", "550 5.1.1 kari@eksempel.test unknown", Retry::Never, "550 5.1.1, there is no such mailbox"),
        ("DATA", "452 4.3.1 full", Retry::Later, "452 4.3.1, the server has no room"),
    ] {
        let server = Server::start(&[], &[(command, refusal)]).await;
        let harness = sending(&server, "").await;
        let error = harness.channel.send(&answer()).await.expect_err("a refusal");
        assert_eq!((error.kind, error.retry), (ErrorKind::Rejected, retry), "{refusal}: {error}");
        assert!(error.to_string().contains(shown) && !error.to_string().contains("kari"), "{error}");
        assert!(!error.to_string().contains('\n'));
        harness.stop().await;
    }
}

#[tokio::test]
async fn of_several_recipients_those_who_are_refused_are_named_and_the_rest_gets_it() {
    let refusals = [("RCPT TO:<gone@", "550 5.1.1 who"), ("RCPT TO:<busy@", "450 4.2.1 later")];
    let server = Server::start(&["SIZE"], &refusals).await;
    let harness = sending(&server, "").await;
    let mut message = answer();
    message.cc = vec![person("gone@eksempel.test"), person("copy@eksempel.test")];
    message.bcc = vec![person("busy@eksempel.test")];
    let delivered = harness.channel.send(&message).await.expect("the rest gets it");
    let refused: Vec<(&str, &str, bool)> =
        delivered.refused.iter().map(|one| (one.address.as_str(), one.reason.as_str(), one.again)).collect();
    let gone = ("gone@eksempel.test", "550 5.1.1, there is no such mailbox", false);
    assert_eq!(refused, [gone, ("busy@eksempel.test", "450 4.2.1, the mailbox takes nothing now", true)]);
    assert_eq!(server.taken()[0].recipients, ["kari@eksempel.test", "copy@eksempel.test"]);

    server.recover();
    message.only = vec![String::from("busy@eksempel.test")];
    let again = harness.channel.send(&message).await.expect("it is accepted");
    assert!(again.refused.is_empty() && again.reference == delivered.reference);
    let taken = server.taken();
    assert_eq!(taken[1].recipients, ["busy@eksempel.test"]);
    assert_eq!(taken[1].bytes, taken[0].bytes, "the same mail");
    assert!(!String::from_utf8_lossy(&taken[0].bytes).contains("busy"), "hidden copies stay hidden");
    harness.stop().await;
}

#[tokio::test]
async fn when_every_recipient_is_refused_the_most_hopeful_refusal_counts() {
    let refusals = [("RCPT TO:<kari@", "550 5.1.1 who"), ("RCPT TO:<busy@", "450 4.2.2 full")];
    let server = Server::start(&[], &refusals).await;
    let harness = sending(&server, "").await;
    let mut message = answer();
    message.cc = vec![person("busy@eksempel.test")];
    let error = harness.channel.send(&message).await.expect_err("nobody took it");
    assert_eq!((error.kind, error.retry), (ErrorKind::Rejected, Retry::Later), "{error}");
    assert!(error.to_string().contains("450 4.2.2, the mailbox is full"), "{error}");
    harness.stop().await;
}

#[tokio::test]
async fn addresses_beyond_ascii_go_to_servers_that_know_them_and_are_refused_clearly_elsewhere() {
    let mut message = answer();
    message.to = vec![person("kåre@blåbær.test")];
    let plain = Server::start(&["8BITMIME"], &[]).await;
    let harness = sending(&plain, "").await;
    let error = harness.channel.send(&message).await.expect_err("not with this server");
    assert_eq!((error.kind, error.retry), (ErrorKind::Rejected, Retry::Never), "{error}");
    assert!(error.to_string().contains("SMTPUTF8") && !error.to_string().contains("kåre"), "{error}");
    message.to = vec![person("kare@blåbær.test")];
    harness.channel.send(&message).await.expect("a domain can be written in ASCII");
    assert_eq!(plain.taken()[0].recipients, ["kare@xn--blbr-roah.test"]);
    harness.stop().await;

    message.to = vec![person("kåre@blåbær.test")];
    let modern = Server::start(&["8BITMIME", "SMTPUTF8"], &[]).await;
    let harness = sending(&modern, "").await;
    harness.channel.send(&message).await.expect("it is accepted");
    let taken = modern.taken().remove(0);
    assert!(taken.mail.contains("SMTPUTF8") && taken.mail.contains("BODY=8BITMIME"), "{}", taken.mail);
    assert_eq!(taken.recipients, ["kåre@xn--blbr-roah.test"]);
    harness.stop().await;
}

#[tokio::test]
async fn dots_and_long_lines_arrive_as_they_were_written() {
    let server = Server::start(&[], &[]).await;
    let harness = sending(&server, "").await;
    let mut message = answer();
    message.text = format!(".\n..\n.dot\n{}\nend", "x".repeat(2_500));
    harness.channel.send(&message).await.expect("it is accepted");
    let bytes = server.taken().remove(0).bytes;
    let parsed = mail_parser::MessageParser::default().parse(&bytes).expect("a mail");
    assert_eq!(parsed.body_text(0).expect("text").replace("\r\n", "\n").trim_end(), message.text);
    harness.stop().await;
}
