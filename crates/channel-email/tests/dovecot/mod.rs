//! Mail from mailboxes on a real Dovecot: drained, waited for, and none lost or doubled whatever the server does.

use crate::imap::Watched;
use crate::imap::tokens::TokenService;
use crate::imap::wait::{until, until_within};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_channel::{Inbox, InboxError};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::{Dovecot, Stopwatch};
use switchboard_model::{ConversationId, InboundMessage, MessageId, Receipt};
use tokio::time::Instant;

fn mail(number: usize) -> Vec<u8> {
    format!(
        "Message-ID: <{number}@eksempel.test>\r\nDate: Sat, 21 Nov 2026 11:00:00 +0000\r\nFrom: Kari <kari@eksempel.test>\r\n\
         To: help@shop.test\r\nSubject: Pakke {number}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHvor er pakke {number}?\r\n"
    )
    .into_bytes()
}

fn settings(server: &Dovecot, user: &str, more: &str) -> String {
    format!(
        "address = \"help@shop.test\"\n[imap]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\nusername = \"{user}\"\n\
         max_backoff_seconds = 1\n{more}\n",
        server.tls_port,
        server.authority_file().display(),
    )
}

async fn mailbox(server: &Dovecot, user: &str, more: &str) -> Watched {
    Watched::start_as(user, &settings(server, user, &format!("password = \"right\"\n{more}"))).await
}

/// How many mails the drain below takes, which prints how fast that was.
const DRAINED: usize = 10_000;
/// How long that may take where much else is done; it promises nothing.
const DRAINED_WITHIN: Duration = Duration::from_secs(240);

/// An inbox that remembers which mails it has and nothing of them.
#[derive(Default)]
struct Ledger(Mutex<HashSet<String>>);

#[async_trait]
impl Inbox for Ledger {
    async fn push(&self, message: InboundMessage) -> Result<Receipt, InboxError> {
        let mut known = self.0.lock().expect("not poisoned");
        let duplicate = !known.insert(message.external_id);
        let number = i64::try_from(known.len()).expect("a number of mails");
        Ok(Receipt { conversation: ConversationId(number), message: MessageId(number), duplicate })
    }
}

/// Everything that was ever delivered is there, once.
fn assert_complete(watched: &Watched, numbers: std::ops::Range<usize>) {
    let subjects: Vec<String> = watched.harness.inbox.messages().into_iter().filter_map(|message| message.subject).collect();
    let wanted: BTreeSet<String> = numbers.map(|number| format!("Pakke {number}")).collect();
    assert_eq!(subjects.len(), wanted.len(), "one message for each mail");
    assert_eq!(subjects.into_iter().collect::<BTreeSet<_>>(), wanted);
}

#[tokio::test]
async fn r12_1_a_mailbox_is_drained_and_flagged_and_idle_wakes_within_a_second() {
    let server = Dovecot::start("http://127.0.0.1:9/").await;
    server.fill("kari", (0..120).map(mail));
    let watched = mailbox(&server, "kari", "idle_seconds = 300").await;
    until("all is flagged", || server.count("kari", Some(true)) == 120).await;
    // Dovecot itself waits half a second for more. On a machine that does much else not every wait is short, yet one
    // that looks every so often would have none that is.
    let mut waits = Vec::new();
    for number in 120..125 {
        server.deliver("kari", &mail(number)).await;
        let delivered = Stopwatch::start();
        until("the mail is there", || watched.taken() == number + 1).await;
        waits.push(delivered.own());
    }
    println!("after a delivery: {waits:?}");
    waits.sort();
    assert!(waits[1] < Duration::from_secs(1), "{waits:?}");
    until("the rest is flagged", || server.count("kari", Some(true)) == 125).await;
    assert_complete(&watched, 0..125);
    assert_eq!(watched.errors(), [""; 0]);
    watched.harness.stop().await;
}

#[tokio::test]
async fn r12_1_mail_is_moved_to_a_folder_that_is_made_for_it() {
    let server = Dovecot::start("http://127.0.0.1:9/").await;
    server.fill("kari", (0..50).map(mail));
    let watched = mailbox(
        &server,
        "kari",
        "after_intake = \"move\"\nmove_to = \"Støtte & mer\"\ncreate_folder = true\nidle = false\npoll_seconds = 1",
    )
    .await;
    until("all is moved", || server.count("kari", None) == 0 && watched.taken() == 50).await;
    server.deliver("kari", &mail(50)).await;
    until("what comes is found without IDLE", || watched.taken() == 51 && server.count("kari", None) == 0).await;
    assert_eq!(server.count("kari/.St&APg-tte &- mer", None), 51);
    assert_complete(&watched, 0..51);
    watched.harness.stop().await;
}

#[tokio::test]
async fn r12_1_restarts_new_numbers_and_a_frozen_server_lose_and_double_nothing() {
    let mut server = Dovecot::start("http://127.0.0.1:9/").await;
    server.fill("kari", (0..150).map(mail));
    let watched = mailbox(&server, "kari", "command_timeout_seconds = 2\nidle_seconds = 2\nmax_messages_per_fetch = 20").await;
    // Stopped in the middle of the work.
    until("some is taken in", || watched.taken() >= 40).await;
    server.stop();
    server.run().await;
    until("all is flagged", || server.count("kari", Some(true)) == 150).await;

    // Numbers and flags are lost while it is down.
    server.stop();
    server.forget_numbers("kari");
    assert_eq!(server.count("kari", Some(true)), 0);
    let pushes = watched.harness.inbox.pushes();
    server.run().await;
    until("all is flagged again", || server.count("kari", Some(true)) == 150).await;
    assert!(watched.harness.inbox.pushes() >= pushes + 150, "all of it was looked at");

    // Frozen while it is waited for; what is delivered afterwards comes.
    server.deliver("kari", &mail(150)).await;
    until("it comes", || watched.taken() == 151).await;
    // While it was down, that it cannot be reached may have been said.
    let said = watched.errors().len();
    server.freeze(false);
    until("the silence is noticed", || watched.errors().len() > said).await;
    server.freeze(true);
    server.deliver("kari", &mail(151)).await;
    until("the next comes", || server.count("kari", Some(true)) == 152).await;
    assert!(watched.errors().iter().all(|error| error.lines().count() == 1), "{:?}", watched.errors());
    assert!(watched.errors()[said].ends_with(": no answer for 2 s"), "{:?}", watched.errors());
    assert_complete(&watched, 0..152);
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_on_the_way() {
    let service = TokenService::start(3_600).await;
    let mut server = Dovecot::start(&format!("{}?access_token=", service.url)).await;
    let oauth = format!("[imap.oauth]\ntoken_url = \"{}\"\nclient_id = \"us\"\nrefresh_token = \"r\"", service.url);
    let watched = Watched::start_as("kari", &settings(&server, "kari", &oauth)).await;
    server.deliver("kari", &mail(0)).await;
    until("the first comes", || watched.taken() == 1).await;
    assert_eq!(service.count(), 1);

    // The service takes the token back, and the server asks it at the next connection.
    service.withdraw();
    server.stop();
    server.run().await;
    server.deliver("kari", &mail(1)).await;
    until("the second comes with a new token", || watched.taken() == 2).await;
    assert_eq!(service.count(), 2, "{}", server.log());

    // The token reaches its end by the clock: it is not even tried.
    watched.harness.clock.advance_ms(3_600_000);
    server.stop();
    server.run().await;
    server.deliver("kari", &mail(2)).await;
    until("the third comes", || watched.taken() == 3).await;
    assert_eq!(service.count(), 3);
    assert_complete(&watched, 0..3);
    watched.harness.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_mailbox_is_one_line_while_another_goes_on() {
    let service = TokenService::start(3_600).await;
    let server = Dovecot::start(&format!("{}?access_token=", service.url)).await;
    let good = mailbox(&server, "good", "").await;
    let oauth = format!("[imap.oauth]\ntoken_url = \"{}\"\nclient_id = \"us\"\nrefresh_token = \"expired\"", service.url);
    *service.answer.lock().expect("not poisoned") = Err((400, r#"{"error":"invalid_grant"}"#.into()));
    let stranger = settings(&server, "d", "password = \"right\"")
        .lines()
        .filter(|line| !line.starts_with("ca_file"))
        .fold(String::new(), |text, line| text + line + "\n");
    let mut bad = Vec::new();
    for (user, toml, line) in [
        (
            "a",
            settings(&server, "a", "password = \"wrong\""),
            "the server refused the user or password (AUTHENTICATIONFAILED); see `imap.username` and `imap.password`",
        ),
        (
            "b",
            settings(&server, "b", &oauth),
            "the token endpoint 127.0.0.1 gives no access token (invalid_grant); the refresh token may have expired, see `imap.oauth`",
        ),
        (
            "c",
            settings(&server, "c", "password = \"right\"\nfolder = \"Nowhere\""),
            "there is no folder `Nowhere`; see `imap.folder`",
        ),
        (
            "d",
            stranger,
            "untrusted certificate of localhost: no known authority has signed it; set `imap.ca_file` to the certificate of the authority \
          that signed it",
        ),
    ] {
        bad.push((Watched::start_as(user, &toml).await, line));
    }
    for (watched, line) in &bad {
        until("it is said", || !watched.errors().is_empty()).await;
        assert_eq!(watched.errors()[0], format!("reading the mailbox at localhost:{}: {line}", server.tls_port));
    }
    for number in 0..3 {
        server.deliver("good", &mail(number)).await;
        until("the other goes on", || good.taken() == number + 1).await;
    }
    assert_eq!(good.errors(), [""; 0]);
    good.harness.stop().await;
    for (watched, _) in bad {
        watched.harness.stop().await;
    }
}

#[tokio::test]
async fn starttls_works_against_a_real_server() {
    let server = Dovecot::start("http://127.0.0.1:9/").await;
    let toml = settings(&server, "kari", "password = \"right\"\nsecurity = \"starttls\"")
        .replace(&server.tls_port.to_string(), &server.port.to_string());
    server.deliver("kari", &mail(0)).await;
    let watched = Watched::start_as("kari", &toml).await;
    until("the mail comes", || server.count("kari", Some(true)) == 1).await;
    assert_complete(&watched, 0..1);
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_full_mailbox_is_drained_batch_by_batch() {
    let server = Dovecot::start("http://127.0.0.1:9/").await;
    server.fill("kari", (0..DRAINED).map(mail));
    let toml = settings(&server, "kari", "password = \"right\"");
    let channel = (REGISTRATION.build)(&switchboard_channel_testkit::settings("kari", &toml)).expect("settings that fit");
    let ledger = Arc::new(Ledger::default());
    let context = switchboard_channel_testkit::context("kari", ledger.clone());
    let shutdown = context.runtime.shutdown.clone();
    let started = Instant::now();
    let drained = async {
        until_within(DRAINED_WITHIN, "all of it is stored", || ledger.0.lock().expect("not poisoned").len() == DRAINED).await;
        let seconds = started.elapsed().as_secs_f64();
        println!("{DRAINED} mails in {seconds:.2} s: {:.0} mails/s", DRAINED as f64 / seconds);
        until_within(DRAINED_WITHIN, "all of it is flagged", || server.count("kari", Some(true)) == DRAINED).await;
        shutdown.cancel();
    };
    let (ran, ()) = tokio::join!(channel.run(context), drained);
    ran.expect("nothing is wrong with it");
}
