//! The contract's check of what is logged: mail over SMTP, over IMAP, and on its way out, with every secret there is.

#[path = "imap/server.rs"]
#[allow(dead_code, reason = "this file uses its part of it")]
mod imap_server;
mod peer;
#[path = "imap/tokens.rs"]
#[allow(dead_code, reason = "this file uses its part of it")]
mod tokens;
#[path = "imap/wait.rs"]
mod wait;

use async_trait::async_trait;
use imap_server::Fault;
use peer::{Peer, listening_address};
use std::sync::Arc;
use switchboard_channel::InboxErrorKind;
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::contract::{LogWatch, Tour, logs_hide, outbound};
use switchboard_channel_testkit::{Answer, Harness, Intake};
use switchboard_model::{Address, Attachment, Identity, OutboundMessage};
use tokens::TokenService;
use wait::until;

const NAME: &str = "Marit Merkedal";
const ADDRESS: &str = "marit.merkedal@eksempel.test";
const SUBJECT: &str = "About the marked parcel";
const TEXT: &str = "It lies in the marked ditch.";
const FILE_NAME: &str = "marked-photo.png";
const FILE: &str = "bytes of the marked photo";
const COPY: &str = "marked.copy@eksempel.test";
const TEXTS: [&str; 7] = [NAME, ADDRESS, SUBJECT, TEXT, FILE_NAME, FILE, COPY];

/// A mail from Marit; the number makes it another one.
fn mail(number: usize) -> Vec<u8> {
    use base64::Engine;
    let file = base64::engine::general_purpose::STANDARD.encode(FILE);
    format!(
        "Message-ID: <{number}.marked@eksempel.test>\r\nFrom: {NAME} <{ADDRESS}>\r\nTo: support@shop.test\r\nCc: {COPY}\r\n\
         Subject: {SUBJECT}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n<table><p>{TEXT}</b></i>\r\n\
         --b\r\nContent-Type: image/png; name=\"{FILE_NAME}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}\r\n--b--\r\n"
    )
    .into_bytes()
}

fn reply() -> OutboundMessage {
    let person = |address: &str| Address { name: Some(NAME.to_owned()), address: address.to_owned() };
    OutboundMessage {
        to: vec![person(ADDRESS)],
        cc: vec![person(COPY)],
        subject: Some(SUBJECT.to_owned()),
        text: TEXT.to_owned(),
        html: Some(format!("<p>{TEXT}</p>")),
        attachments: vec![Attachment {
            name: FILE_NAME.to_owned(),
            content_type: "image/png".to_owned(),
            content_id: None,
            bytes: FILE.into(),
        }],
        references: vec!["1.marked@eksempel.test".to_owned()],
        ..outbound("watched", Identity::email(ADDRESS))
    }
}

/// Delivers as a mail server does, which tries a recipient that there is not besides.
struct Smtp;

#[async_trait]
impl Intake for Smtp {
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer {
        let address = listening_address(&harness.context.slug);
        let mut stranger = Peer::connect(&address).await;
        assert_eq!(stranger.mail_from(ADDRESS, "EHLO", &[COPY], payload).await, 550);
        stranger.write(format!("{TEXT}\r\nAUTH PLAIN {SUBJECT}\r\n").as_bytes()).await;
        let code = Peer::connect(&address).await.mail_from(ADDRESS, "EHLO", &["support@shop.test"], payload).await;
        match code {
            200..=299 => Answer::Accepted,
            500..=599 => Answer::Refused,
            _ => Answer::TryAgain,
        }
    }
}

#[tokio::test]
async fn neither_passwords_nor_anything_of_a_mail_is_logged() {
    let [user, password, short] = ["marked-smtp-user", "marked+smtp=password", "marked/other/password"];
    let watch = LogWatch::start(&[user, password, short], &TEXTS);
    peer::capture_addresses();
    let sending = |port: u16, security: &str| {
        format!(
            "address = \"support@shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\nreceiver.max_message_bytes = 65536\n[smtp]\n\
             host = \"127.0.0.1\"\nport = {port}\nsecurity = \"{security}\"\nuser = \"{user}\"\npassword = \"{password}\"\n"
        )
    };
    let server = peer::Server::start("", "").await;
    let mut refusing = Vec::new();
    for (point, answer) in [
        ("AUTH", format!("535 5.7.8 {password} of {user} is wrong")),
        ("MAIL", format!("550 5.7.1 {ADDRESS} is not welcome")),
        ("RCPT", format!("550 5.1.1 <{ADDRESS}>: {NAME} does not live here")),
        ("RCPT", format!("450 4.2.1 <{ADDRESS}>: {NAME} is out")),
        ("BODY", format!("554 5.6.0 {SUBJECT}: {TEXT}")),
        ("BODY", SUBJECT.to_owned()),
    ] {
        refusing.push(peer::Server::start(point, &answer).await);
    }
    let mut failing: Vec<String> = refusing.iter().map(|server| sending(server.port, "none")).collect();
    failing.extend([sending(9, "none"), sending(server.port, "starttls")]);
    let refused = format!(
        "address = \"{ADDRESS} {NAME}\"\n[smtp]\nhost = \"mx.test\"\nuser = \"{user}\"\npassword = \"{short}\"\nport = 0\n"
    );
    let tour = Tour {
        registration: &REGISTRATION,
        slug: "watched",
        settings: &sending(server.port, "none"),
        refused: &[&refused],
        failing: &failing,
        payloads: &[mail(1)],
        forged: Vec::new(),
        replies: &[reply()],
    };
    logs_hide(&watch, &Smtp, &tour).await;
    let outbound = Harness::start(&REGISTRATION, "watched_idle", &sending(server.port, "none")).await;
    for _ in 0..2 {
        assert!(outbound.channel.send(&reply()).await.is_ok());
        server.close_idle();
    }
    outbound.stop().await;
    watch.assert_hidden();
    watch.assert_said(&["listening", "a mail was taken in", "a mail was not taken in", "an idle connection had been closed"]);
    assert!(server.mails() > 0 && refusing.iter().all(|server| server.connections() > 0), "every server was asked");
}

/// A mailbox that is read over IMAP, started anew after each trouble as the host does, whose troubles are looked through.
async fn reading(watch: &Arc<LogWatch>, settings: &str) -> Harness {
    let harness = Harness::start(&REGISTRATION, "watched_imap", settings).await;
    let (channel, context, watch) = (harness.channel.clone(), harness.context.clone(), Arc::clone(watch));
    harness.context.runtime.spawn(async move {
        while let Err(error) = channel.run(context.clone()).await {
            watch.read("an error of `run`", &format!("{error} {error:?}"));
        }
    });
    harness
}

#[tokio::test]
async fn neither_passwords_and_tokens_nor_anything_of_a_mailbox_is_logged() {
    let [user, password, wrong] = ["marked-imap-user", "marked+imap=password", "marked-wrong-password"];
    let [renewing, access, client] = ["marked/refresh/token", "marked.access.token", "marked?client?secret"];
    let watch = Arc::new(LogWatch::start(&[user, password, wrong, renewing, access, client], &TEXTS));
    let (server, service) = (imap_server::Server::start().await, TokenService::start(3_600).await);
    password.clone_into(&mut server.state().password);
    access.clone_into(&mut server.state().token);
    let granted = format!("{{\"access_token\":\"{access}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}");
    *service.answer.lock().expect("not poisoned") = Err((200, granted));
    let settings = |proof: &str| {
        format!(
            "address = \"support@shop.test\"\n[imap]\nhost = \"localhost\"\nport = {}\nsecurity = \"none\"\nusername = \"{user}\"\n\
             command_timeout_seconds = 2\nidle_seconds = 1\npoll_seconds = 1\nmax_backoff_seconds = 1\n{proof}\n",
            server.port
        )
    };
    let oauth = format!(
        "[imap.oauth]\ntoken_url = \"{}\"\nclient_id = \"us\"\nclient_secret = \"{client}\"\nrefresh_token = \"{renewing}\"",
        service.url
    );
    for (number, (point, said)) in (1..).zip([
        ("SEARCH", format!("TAG NO {SUBJECT}\r\n")),
        ("BODIES", format!("* 1 FETCH (UID 1 BODY[] {{9}}\r\n{TEXT}\r\n")),
        ("STORE", format!("TAG BAD {NAME}\r\n")),
        ("SELECT", format!("* BYE {ADDRESS}\r\n")),
        ("AUTHENTICATE", format!("TAG NO [ALERT] {password} is not that of {user}\r\n")),
    ]) {
        server.fail(point, 1, Fault::Say(said.into_bytes()));
        server.deliver(&mail(number));
        let harness = reading(&watch, &settings(&format!("password = \"{password}\""))).await;
        let went_wrong = || matches!(server.state().fault, Some((_, 0, _)));
        until("it goes wrong, and then the mail comes", || went_wrong() && !harness.inbox.messages().is_empty()).await;
        harness.stop().await;
    }
    let harness = reading(&watch, &settings(&format!("password = \"{password}\""))).await;
    for (kind, said) in [
        (InboxErrorKind::Busy, "a mail was not taken in"),
        (InboxErrorKind::Closed, "a mail was not taken in"),
        (InboxErrorKind::Invalid, "a mail cannot be taken in and stays in the folder"),
    ] {
        harness.inbox.fail_with(kind);
        let pushes = harness.inbox.pushes();
        server.deliver(&mail(50));
        until("it is refused", || harness.inbox.pushes() > pushes && watch.has_said(said)).await;
    }
    harness.inbox.recover();
    server.state().uid_validity += 1;
    server.fail("IDLE", 1, Fault::Close);
    server.deliver(&mail(60));
    until("the folder is looked at again", || watch.has_said("the folder has new numbers; all of it is looked at again")).await;
    until("all mail is flagged", || server.flagged("$Switchboard") == server.state().mails.len()).await;
    server.fail("IDLE", 1, Fault::Close);
    until("it comes back", || watch.has_said("the connection to the mailbox ended; it is made again")).await;
    harness.stop().await;
    for proof in [&oauth, &format!("password = \"{wrong}\"")] {
        server.deliver(&mail(100));
        let connections = server.state().connections;
        let harness = reading(&watch, &settings(proof)).await;
        let is_right = proof == &oauth;
        until("it signs in", || server.state().connections > connections + usize::from(!is_right)).await;
        until("the mail comes", || !is_right || !harness.inbox.messages().is_empty()).await;
        harness.stop().await;
    }
    *service.answer.lock().expect("not poisoned") = Err((400, format!("{{\"error\":\"{renewing} {access}\"}}")));
    let before = service.count();
    let harness = reading(&watch, &settings(&oauth)).await;
    until("a token is asked for", || service.count() > before).await;
    harness.stop().await;
    watch.assert_hidden();
    watch.assert_said(&["the mailbox is open", "a mail was taken in"]);
}
