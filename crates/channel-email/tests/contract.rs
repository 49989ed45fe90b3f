//! The channel contract over real sockets: what mail servers do to the receiver, and what they do to the sender.

mod authentication;
mod dovecot;
mod imap;
mod peer;

use async_trait::async_trait;
use peer::{Peer, listening_address};
use std::sync::Arc;
use switchboard_channel::{Channel, ErrorKind, InboxErrorKind, Retry};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::{Answer, Harness, Intake, contract, settings};
use switchboard_model::{CheckResult, Identity, Nature, OutboundMessage, Proof};

const MAIL: &str = "Message-ID: <1@eksempel.test>\r\nDate: Sat, 21 Nov 2026 11:00:00 +0000\r\nFrom: Kari <kari@eksempel.test>\r\n\
                    To: support@shop.test\r\nSubject: Pakke\r\n\r\nHvor er den?\r\n.\r\n..\r\n";
const SETTINGS: &str = "address = \"support@shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\nreceiver.max_message_bytes = 65536\n";

/// A started mailbox that receives; the slug must be one of the test alone, because addresses are found by it.
async fn receiving(slug: &str, more: &str) -> Harness {
    peer::capture_addresses();
    let harness = Harness::start(&REGISTRATION, slug, &format!("{SETTINGS}{more}")).await;
    harness.run();
    harness
}

/// Delivers as a mail server does, over SMTP.
struct Smtp;

#[async_trait]
impl Intake for Smtp {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let mut peer = Peer::connect(&listening_address(&harness.context.slug)).await;
        let code = peer.mail("EHLO", &["support@shop.test"], payload).await;
        match code {
            200..=299 => Answer::Accepted,
            500..=599 => Answer::Refused,
            _ => Answer::TryAgain,
        }
    }
}

#[test]
fn the_registration_describes_itself() {
    contract::registration_is_complete(&REGISTRATION);
    contract::settings_faults_come_all_at_once(&REGISTRATION, SETTINGS);
    let refused = "address = \"nonsense\"\n[smtp]\nhost = \"mx.test\"\nuser = \"u\"\npassword = \"tell-nobody\"";
    contract::build_shows_no_secret(&REGISTRATION, refused, &["tell-nobody"]);
}

#[tokio::test]
async fn the_same_mail_is_the_same_message() {
    let (one, other) = (receiving("same_one", "").await, receiving("same_other", "").await);
    // The slug is part of the message, so both installations compare under one name.
    contract::repeats_change_nothing(&one, &Smtp, MAIL.as_bytes()).await;
    contract::repeats_change_nothing(&other, &Smtp, MAIL.as_bytes()).await;
    let renamed = |harness: &Harness| {
        let mut message = harness.inbox.messages().remove(0);
        message.channel.clear();
        message
    };
    assert!(renamed(&one) == renamed(&other));
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_commit() {
    let harness = receiving("commit", "").await;
    contract::acknowledged_only_after_the_commit(&harness, &Smtp, MAIL.as_bytes()).await;
    harness.stop().await;
}

#[tokio::test]
async fn damaged_mail_is_answered() {
    let harness = receiving("damaged", "").await;
    contract::damaged_payloads_are_answered(&harness, &Smtp, MAIL.as_bytes()).await;
    harness.stop().await;
}

#[tokio::test]
async fn oversized_mail_is_refused() {
    let harness = receiving("oversized", "").await;
    let oversized = [MAIL.as_bytes(), "line of text\r\n".repeat(10_000).as_bytes()].concat();
    contract::oversized_is_refused(&harness, &Smtp, &oversized, MAIL.as_bytes()).await;
    harness.stop().await;
}

#[tokio::test]
async fn a_deeply_nested_mail_is_answered() {
    let harness = receiving("nested", "").await;
    let part = |depth: usize| format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n");
    let nested: String = (0..1_000).map(part).collect();
    let mail = format!("From: kari@eksempel.test\r\nMIME-Version: 1.0\r\n{nested}");
    contract::nested_is_answered(&harness, &Smtp, mail.as_bytes(), MAIL.as_bytes()).await;
    harness.stop().await;
}

/// What another mailbox has of what was sent to it.
struct Mailbox(Harness);

#[async_trait]
impl contract::Outlet for Mailbox {
    async fn received(&self) -> Vec<String> {
        self.0.inbox.messages().into_iter().map(|message| message.external_id).collect()
    }
}

#[tokio::test]
async fn what_is_sent_twice_arrives_once() {
    let mailbox = Mailbox(receiving("once", "").await);
    let port: u16 = listening_address("once").rsplit(':').next().expect("a port").parse().expect("a number");
    let outbound = sending(port, "").await;
    let mut message = answer();
    message.to = vec![switchboard_model::Address { name: None, address: String::from("support@shop.test") }];
    contract::the_same_key_goes_out_once(&outbound, &message, &mailbox).await;
    outbound.stop().await;
    mailbox.0.stop().await;
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_sent() {
    let harness = receiving("arrives", "").await;
    assert_eq!(Smtp.deliver(&harness, MAIL.as_bytes()).await, Answer::Accepted);
    let message = harness.inbox.messages().remove(0);
    assert_eq!((message.nature, message.text.as_str()), (Nature::Message, "Hvor er den?\n.\n..\n"));
    assert_eq!(message.raw.expect("the raw mail").bytes, MAIL.as_bytes());
    harness.stop().await;
}

#[tokio::test]
async fn commands_may_come_all_at_once() {
    let harness = receiving("pipelined", "").await;
    let mut peer = Peer::connect(&listening_address("pipelined")).await;
    let said = "EHLO p\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<nobody@shop.test>\r\nRCPT TO:<Support+tag@Shop.test>\r\nDATA\r\nSubject: x\r\n\r\nfirst\r\n.\r\n\
                MAIL FROM:<>\r\nRCPT TO:<support@shop.test>\r\nBDAT 8 LAST\r\nA: b\r\n\r\nQUIT\r\n";
    peer.write(said.as_bytes()).await;
    let codes = peer.codes_to_the_end().await;
    assert_eq!(codes, [250, 250, 550, 250, 354, 250, 250, 250, 250, 221]);
    assert_eq!(harness.inbox.messages().len(), 2);
    harness.stop().await;
}

#[tokio::test]
async fn each_refusal_of_the_inbox_has_its_code() {
    let harness = receiving("codes", "").await;
    for (kind, code) in [
        (InboxErrorKind::Unavailable, 452),
        (InboxErrorKind::Busy, 451),
        (InboxErrorKind::Unknown, 451),
        (InboxErrorKind::Closed, 450),
        (InboxErrorKind::Invalid, 554),
    ] {
        harness.inbox.fail_with(kind);
        let mut peer = Peer::connect(&listening_address("codes")).await;
        assert_eq!(peer.mail("EHLO", &["support@shop.test"], MAIL.as_bytes()).await, code, "{kind:?}");
    }
    harness.stop().await;
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    let harness = receiving("lmtp", "receiver.protocol = \"lmtp\"\naliases = [\"help@shop.test\"]").await;
    let mut peer = Peer::connect(&listening_address("lmtp")).await;
    assert_eq!(peer.mail("LHLO", &["support@shop.test", "help@shop.test"], MAIL.as_bytes()).await, 250);
    assert_eq!(peer.answer().await, 250, "the second recipient's answer");
    assert_eq!(harness.inbox.messages().len(), 1, "one mailbox gets one copy");
    harness.stop().await;
}

#[tokio::test]
async fn mailboxes_share_an_address_and_the_recipient_decides() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    peer::capture_addresses();
    let start = async |slug: &str, address: &str| {
        let toml = format!("address = \"{address}\"\nreceiver.listen = \"{free}\"");
        let harness = Harness::start(&REGISTRATION, slug, &toml).await;
        harness.run();
        harness
    };
    let (one, two) = (start("shared_one", "one@shop.test").await, start("shared_two", "two@shop.test").await);
    let send = async |to: &[&str]| Peer::connect(&free.to_string()).await.mail("EHLO", to, MAIL.as_bytes()).await;
    assert_eq!(send(&["two@shop.test"]).await, 250);
    assert_eq!((one.inbox.messages().len(), two.inbox.messages().len()), (0, 1));
    two.inbox.fail_with(InboxErrorKind::Busy);
    assert_eq!(send(&["one@shop.test", "two@shop.test"]).await, 451);
    two.inbox.recover();
    assert_eq!(send(&["one@shop.test", "two@shop.test"]).await, 250);
    assert_eq!((one.inbox.messages().len(), two.inbox.messages().len()), (1, 1), "repeats change nothing");

    one.stop().await;
    assert_eq!(send(&["two@shop.test"]).await, 250, "the other mailbox goes on accepting");
    let other = settings(
        "shared_three",
        &format!("address = \"c@shop.test\"\nreceiver.listen = \"{free}\"\nreceiver.max_recipients = 1"),
    );
    let third = (REGISTRATION.build)(&other).expect("good settings");
    let error = third.start(&two.context).await.expect_err("other limits on the same address");
    assert_eq!(error.kind, ErrorKind::Configuration);
    two.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let channel = build("taken", &format!("address = \"a@shop.test\"\nreceiver.listen = \"{address}\""));
    let context = switchboard_channel_testkit::context("taken", switchboard_channel_testkit::RecordingInbox::new());
    let error = channel.start(&context).await.expect_err("the address is taken").to_string();
    assert!(error.starts_with(&format!("listening on {address}: ")) && !error.contains('\n'), "{error}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back() {
    let harness = receiving("crowded", "receiver.max_connections = 1").await;
    let _first = Peer::connect(&listening_address("crowded")).await;
    let mut second = Peer::open(&listening_address("crowded")).await;
    assert_eq!(second.answer().await, 421);
    harness.stop().await;
}

#[tokio::test]
async fn a_silent_peer_is_let_go() {
    let harness = receiving("silent", "receiver.command_timeout_seconds = 1").await;
    let mut peer = Peer::connect(&listening_address("silent")).await;
    assert_eq!(peer.answer().await, 421);
    assert_eq!(peer.codes_to_the_end().await, [0_u16; 0]);
    harness.stop().await;
}

#[tokio::test]
async fn a_stopping_host_says_so_between_mails() {
    let harness = receiving("stopping", "").await;
    let mut peer = Peer::connect(&listening_address("stopping")).await;
    harness.stop().await;
    assert_eq!(peer.answer().await, 421);
}

#[tokio::test]
async fn a_mail_that_breaks_off_is_not_taken() {
    let harness = receiving("breaks_off", "").await;
    let mut peer = Peer::connect(&listening_address("breaks_off")).await;
    peer.write(b"EHLO p\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<support@shop.test>\r\nDATA\r\nSubject: x\r\n\r\nhalf").await;
    drop(peer);
    harness.stop().await;
    assert_eq!(harness.inbox.pushes(), 0);
}

fn build(slug: &str, toml: &str) -> Arc<dyn Channel> {
    switchboard_channel_testkit::install_crypto();
    (REGISTRATION.build)(&settings(slug, toml)).expect("good settings")
}

fn answer() -> OutboundMessage {
    let mut message = contract::outbound("mail", Identity::email("kari@eksempel.test"));
    message.subject = Some(String::from("Pakke"));
    message.references = vec![String::from("1@eksempel.test")];
    message
}

/// A mailbox that sends through `port`.
async fn sending(port: u16, more: &str) -> Harness {
    let toml = format!(
        "address = \"support@shop.test\"\nsmtp.host = \"127.0.0.1\"\nsmtp.port = {port}\nsmtp.security = \"none\"\n{more}"
    );
    Harness::start(&REGISTRATION, "out", &toml).await
}

#[tokio::test]
async fn an_answer_goes_out_and_its_reply_finds_the_conversation() {
    let inbound = receiving("both_ways", "").await;
    let port: u16 = listening_address("both_ways").rsplit(':').next().expect("a port").parse().expect("a number");
    let outbound = sending(port, "").await;
    let mut message = answer();
    message.to = vec![switchboard_model::Address { name: None, address: String::from("support@shop.test") }];
    let delivered = outbound.channel.send(&message).await.expect("it is accepted");
    let reference = delivered.reference.expect("a reference");
    assert_eq!(outbound.channel.send(&message).await.expect("again").reference.as_ref(), Some(&reference));
    let arrived = inbound.inbox.messages();
    assert_eq!(arrived.len(), 1, "sent twice, one message");
    assert_eq!(arrived[0].nature, Nature::AutoReply, "our own mail come back goes no further");
    assert_eq!(arrived[0].thread.own_reference.as_ref(), Some(&reference));

    let reply =
        format!("Message-ID: <2@eksempel.test>\r\nFrom: kari@eksempel.test\r\nIn-Reply-To: <{reference}>\r\n\r\nTakk\r\n");
    assert_eq!(Smtp.deliver(&inbound, reply.as_bytes()).await, Answer::Accepted);
    assert_eq!(inbound.inbox.messages()[1].thread.conversation, Some(message.conversation));
    inbound.stop().await;
    outbound.stop().await;
}

#[tokio::test]
async fn refusals_of_the_server_say_whether_to_try_again() {
    for (refused, code, kind, retry) in [
        ("RCPT", "450 4.2.0 busy", ErrorKind::Rejected, Retry::Later),
        ("RCPT", "550 5.1.1 kari@eksempel.test unknown", ErrorKind::Rejected, Retry::Never),
        ("MAIL", "530 5.7.0 sign in", ErrorKind::Authentication, Retry::Later),
        ("BODY", "451 4.3.0 later", ErrorKind::Rejected, Retry::Later),
        ("BODY", "554 5.6.0 no", ErrorKind::Rejected, Retry::Never),
        ("EHLO", "421 4.3.2 stopping", ErrorKind::Rejected, Retry::Later),
    ] {
        let server = peer::Server::start(refused, code).await;
        let harness = sending(server.port, "").await;
        let error = harness.channel.send(&answer()).await.expect_err("a refusal");
        assert_eq!((error.kind, error.retry), (kind, retry), "{refused}: {code}: {error}");
        assert!(!error.to_string().contains("kari"), "{error}");
        harness.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_matter_of_authentication() {
    let server = peer::Server::start("AUTH", "535 5.7.8 no").await;
    let harness = sending(server.port, "smtp.user = \"u\"\nsmtp.password = \"p\"").await;
    let error = harness.channel.send(&answer()).await.expect_err("a refusal");
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Later), "{error}");
    harness.stop().await;
}

#[tokio::test]
async fn a_server_that_stalls_anywhere_does_not_hold_us() {
    for stalled in ["CONNECT", "EHLO", "MAIL", "DATA", "BODY"] {
        let server = peer::Server::start(stalled, "").await;
        let harness = sending(server.port, "smtp.timeout_seconds = 1").await;
        let error = harness.channel.send(&answer()).await.expect_err("no answer");
        assert_eq!((error.kind, error.retry), (ErrorKind::Timeout, Retry::Later), "{stalled}: {error}");
        harness.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let harness = sending(free.port(), "").await;
    let error = harness.channel.send(&answer()).await.expect_err("nobody listens");
    assert_eq!((error.kind, error.retry), (ErrorKind::Unreachable, Retry::Later), "{error}");
    harness.stop().await;
}

#[tokio::test]
async fn connections_are_kept_and_one_that_went_stale_is_replaced() {
    let server = peer::Server::start("", "").await;
    let harness = sending(server.port, "").await;
    for _ in 0..3 {
        harness.channel.send(&answer()).await.expect("it is accepted");
    }
    assert_eq!((server.connections(), server.mails()), (1, 3));
    server.close_idle();
    harness.channel.send(&answer()).await.expect("a new connection is made at once");
    assert_eq!((server.connections(), server.mails()), (2, 4));
    harness.stop().await;
}

#[tokio::test]
async fn after_a_timeout_the_next_mail_gets_its_own_answers() {
    let server = peer::Server::start("BODY", "").await;
    let harness = sending(server.port, "smtp.timeout_seconds = 1").await;
    assert!(harness.channel.send(&answer()).await.is_err());
    server.recover();
    harness.channel.send(&answer()).await.expect("it is accepted");
    assert_eq!(server.connections(), 2, "a conversation that was cut off is not gone on with");
    harness.stop().await;
}

#[tokio::test]
async fn without_a_server_nothing_can_be_sent_and_the_setting_is_named() {
    let harness = Harness::start(&REGISTRATION, "receive_only", "address = \"support@shop.test\"").await;
    contract::capabilities_hold(&harness, &answer()).await;
    let error = harness.channel.send(&answer()).await.expect_err("no server");
    assert!(error.to_string().contains("smtp.host"), "{error}");
    harness.stop().await;
}

fn tls_file(name: &str) -> String {
    format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn mail_goes_from_sender_to_receiver_over_starttls() {
    let files = format!(
        "receiver.tls_certificate_file = \"{}\"\nreceiver.tls_key_file = \"{}\"",
        tls_file("server.pem"),
        tls_file("server-key.pem")
    );
    let inbound = receiving("starttls", &files).await;
    let port = listening_address("starttls").rsplit(':').next().expect("a port").to_owned();
    let out = |more: &str| {
        format!("address = \"a@shop.test\"\nsmtp.host = \"localhost\"\nsmtp.port = {port}\nsmtp.security = \"starttls\"\n{more}")
    };
    let mut message = answer();
    message.to = vec![switchboard_model::Address { name: None, address: String::from("support@shop.test") }];

    let trusting = Harness::start(&REGISTRATION, "trusting", &out(&format!("smtp.ca_file = \"{}\"", tls_file("ca.pem")))).await;
    trusting.channel.send(&message).await.expect("it is accepted");
    assert_eq!(inbound.inbox.messages().len(), 1);

    let wary = Harness::start(&REGISTRATION, "wary", &out("")).await;
    let error = wary.channel.send(&message).await.expect_err("the authority is unknown");
    assert_eq!((error.kind, error.retry), (ErrorKind::Unreachable, Retry::Later), "{error}");
    assert!(error.to_string().contains("TLS failed"), "{error}");

    let plain = receiving("no_starttls", "").await;
    let port = listening_address("no_starttls").rsplit(':').next().expect("a port").to_owned();
    let strict =
        format!("address = \"a@shop.test\"\nsmtp.host = \"localhost\"\nsmtp.port = {port}\nsmtp.security = \"starttls\"");
    let strict = Harness::start(&REGISTRATION, "strict", &strict).await;
    let error = strict.channel.send(&message).await.expect_err("no TLS, no mail");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert_eq!(plain.inbox.pushes(), 0);
    for harness in [inbound, trusting, wary, plain, strict] {
        harness.stop().await;
    }
}

#[tokio::test]
async fn the_word_of_a_trusted_server_counts_only_from_a_relay_when_we_check_ourselves() {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let servers = silent.local_addr().expect("an address");
    let authentication = format!(
        "[authentication]\ntrust = [\"mx.shop.test\"]\nverify = true\nname_servers = [\"{servers}\"]\ntimeout_seconds = 1\n"
    );
    let forged = format!("Authentication-Results: mx.shop.test; dmarc=pass\r\n{MAIL}");
    for (slug, relays, by, dmarc, proof) in [
        ("from_a_stranger", "[\"192.0.2.0/24\"]", None, CheckResult::Error, Proof::Typed),
        ("from_a_relay", "[\"127.0.0.1\"]", Some("mx.shop.test"), CheckResult::Pass, Proof::Channel),
    ] {
        let harness = receiving(slug, &format!("{authentication}relays = {relays}\n")).await;
        let mut peer = Peer::connect(&listening_address(slug)).await;
        assert_eq!(peer.mail("EHLO", &["support@shop.test"], forged.as_bytes()).await, 250);
        let message = harness.inbox.messages().remove(0);
        let found = message.details.authentication.expect("it was checked");
        assert_eq!((found.by.as_deref(), found.dmarc, message.sender.proof), (by, dmarc, proof), "{slug}");
        harness.stop().await;
    }
}

#[tokio::test]
async fn many_connections_at_once_lose_nothing() {
    let harness = receiving("many", "").await;
    let address = listening_address("many");
    let tasks: Vec<_> = (0..64)
        .map(|nth| {
            let address = address.clone();
            async move {
                let mut peer = Peer::connect(&address).await;
                for turn in 0..5 {
                    let mail = format!("Message-ID: <{nth}.{turn}@a.test>\r\nFrom: a@a.test\r\n\r\nx\r\n");
                    let hello = if turn == 0 { "EHLO" } else { "RSET" };
                    assert_eq!(peer.mail(hello, &["support@shop.test"], mail.as_bytes()).await, 250);
                }
            }
        })
        .collect();
    let mut running = tokio::task::JoinSet::new();
    tasks.into_iter().for_each(|task| {
        running.spawn(task);
    });
    while let Some(finished) = running.join_next().await {
        finished.expect("a peer that was served");
    }
    assert_eq!(harness.inbox.messages().len(), 320);
    harness.stop().await;
}
