//! Mail from a mailbox over IMAP, against a server that fails where it is told.

pub mod server;
pub mod tokens;
pub mod wait;

use crate::peer::{self, Peer, listening_address};
use server::{Fault, Server};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, InboxErrorKind};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::{Harness, Identity};
use switchboard_model::Nature;
use tokens::TokenService;
use tokio::time::Instant;
use wait::{silent_port, until};

/// The keyword that mail gets by default.
const TAKEN: &str = "$Switchboard";
/// Steps of a session, each of which can go wrong.
const STEPS: [&str; 9] = ["GREETING", "CAPABILITY", "AUTHENTICATE", "SELECT", "SEARCH", "SIZES", "BODIES", "STORE", "IDLE"];

fn mail(number: usize) -> Vec<u8> {
    format!(
        "Message-ID: <{number}@eksempel.test>\r\nFrom: Kari <kari@eksempel.test>\r\nTo: help@shop.test\r\nSubject: Pakke {number}\r\n\r\n\
         Hvor er pakke {number}?\r\n"
    )
    .into_bytes()
}

fn settings(port: u16, more: &str) -> String {
    format!(
        "address = \"help@shop.test\"\n[imap]\nhost = \"localhost\"\nport = {port}\nsecurity = \"none\"\nusername = \"kari\"\n\
         command_timeout_seconds = 30\nidle_seconds = 1\npoll_seconds = 1\nmax_backoff_seconds = 1\n{more}\n"
    )
}

/// The same for a client that soon takes a silent server for dead.
fn impatient(port: u16) -> String {
    settings(port, "password = \"right\"").replace("timeout_seconds = 30", "timeout_seconds = 1")
}

/// The same for a client that waits until the server says something.
fn patient(port: u16, more: &str) -> String {
    settings(port, &format!("password = \"right\"\n{more}")).replace("idle_seconds = 1", "idle_seconds = 300")
}

/// A mailbox that is run again after each error, as the host does.
pub struct Watched {
    /// The mailbox.
    pub harness: Harness,
    errors: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    /// A mailbox of this slug, running.
    pub async fn start_as(slug: &str, toml: &str) -> Self {
        let harness = Harness::start(&REGISTRATION, slug, toml).await;
        let errors: Arc<Mutex<Vec<String>>> = Arc::default();
        let (channel, context, shown) = (harness.channel.clone(), harness.context.clone(), Arc::clone(&errors));
        harness.context.runtime.spawn(async move {
            while let Err(error) = channel.run(context.clone()).await {
                shown.lock().expect("not poisoned").push(error.to_string());
            }
        });
        Self { harness, errors }
    }

    async fn start(toml: &str) -> Self {
        Self::start_as("mail", toml).await
    }

    async fn by_password(server: &Server, more: &str) -> Self {
        Self::start(&settings(server.port, &format!("password = \"right\"\n{more}"))).await
    }

    /// How many messages there are.
    pub fn taken(&self) -> usize {
        self.harness.inbox.messages().len()
    }

    /// What was shown on the channel so far.
    pub fn errors(&self) -> Vec<String> {
        self.errors.lock().expect("not poisoned").clone()
    }
}

/// The first error of a mailbox that cannot work.
async fn first_error(toml: &str) -> ChannelError {
    let harness = Harness::start(&REGISTRATION, "mail", toml).await;
    harness.channel.run(harness.context.clone()).await.expect_err("the mailbox cannot work")
}

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
async fn mail_is_moved_in_each_way_that_a_server_knows() {
    for (capabilities, left_behind) in
        [("IDLE MOVE UIDPLUS AUTH=PLAIN", 0), ("IDLE UIDPLUS AUTH=PLAIN", 0), ("IDLE AUTH=PLAIN", 2)]
    {
        let server = Server::start().await;
        server.state().capabilities = capabilities.into();
        server.deliver(&mail(1));
        server.deliver(&mail(2));
        let more = "after_intake = \"move\"\nmove_to = \"Støtte\"\ncreate_folder = true";
        let watched = Watched::by_password(&server, more).await;
        until("mail is moved", || server.state().folders.first().is_some_and(|(_, mails)| mails.len() == 2)).await;
        server.deliver(&mail(3));
        until("more is moved", || server.state().folders[0].1.len() == 3).await;
        until("it is gone or marked", || server.state().mails.iter().all(|mail| mail.flags.contains("\\Deleted"))).await;
        assert!(server.state().mails.len() >= left_behind);
        assert_eq!((server.state().folders[0].0.as_str(), watched.taken()), ("St&APg-tte", 3), "{capabilities}");
        watched.harness.stop().await;
    }
}

/// How often bodies of mails were asked for.
fn fetches(server: &Server) -> usize {
    server.state().commands.iter().filter(|command| command.contains("BODY.PEEK")).count()
}

#[tokio::test]
async fn r12_1_mail_that_may_not_be_marked_or_moved_holds_nothing_up_and_is_settled_when_it_may() {
    let moving = "after_intake = \"move\"\nmove_to = \"Done\"\ncreate_folder = true\nmax_messages_per_fetch = 2";
    for (command, capabilities, more, words) in [
        ("STORE", "IDLE MOVE UIDPLUS AUTH=PLAIN", "max_messages_per_fetch = 2", "the server refused to flag mail (OVERQUOTA)"),
        ("MOVE", "IDLE MOVE UIDPLUS AUTH=PLAIN", moving, "the server refused to move mail (OVERQUOTA)"),
        ("COPY", "IDLE UIDPLUS AUTH=PLAIN", moving, "the server refused to copy mail (OVERQUOTA)"),
        ("STORE", "IDLE UIDPLUS AUTH=PLAIN", moving, "the server refused to delete mail that was copied (OVERQUOTA)"),
    ] {
        let server = Server::start().await;
        server.state().capabilities = capabilities.into();
        server.state().refuses = Some((command, "OVERQUOTA"));
        for number in 1..=6 {
            server.deliver(&mail(number));
        }
        let watched = Watched::by_password(&server, more).await;
        until("all is taken in", || watched.taken() == 6).await;
        until("it is shown, and shown again", || watched.errors().len() > 1).await;
        assert!(watched.errors().iter().all(|error| error.ends_with(words)), "{:?}", watched.errors());
        server.deliver(&mail(7));
        until("what comes later is taken in too", || watched.taken() == 7).await;
        assert_eq!((fetches(&server), watched.harness.inbox.pushes()), (4, 7), "nothing is fetched twice");
        server.state().refuses = None;
        let is_settled = |mail: &server::Stored| mail.flags.contains(TAKEN) || mail.flags.contains("\\Deleted");
        until("it is settled", || server.state().mails.iter().all(is_settled)).await;
        let moved = server.state().folders.first().map(|(_, mails)| mails.len());
        assert_eq!(moved, (more == moving).then_some(7), "each is moved once: {words}");
        watched.harness.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_says_that_a_flag_is_kept_and_keeps_none_is_named_and_not_asked_for_ever() {
    let server = Server::start().await;
    server.state().forgets_flags = true;
    server.deliver(&mail(1));
    let watched = Watched::by_password(&server, "").await;
    until("it is named", || !watched.errors().is_empty()).await;
    let words = "the server says that mail is flagged, and shows it as before, beginning with UID 1; see `imap.after_intake`";
    assert!(watched.errors()[0].ends_with(words), "{:?}", watched.errors());
    server.deliver(&mail(2));
    until("what comes later is taken in", || watched.taken() == 2).await;
    assert_eq!((fetches(&server), watched.harness.inbox.pushes()), (2, 2));
    watched.harness.stop().await;
}

#[tokio::test]
async fn what_another_host_has_moved_meanwhile_is_not_copied_again() {
    let server = Server::start().await;
    {
        let mut state = server.state();
        state.capabilities = "IDLE AUTH=PLAIN".into();
        state.folders.push(("Done".into(), Vec::new()));
        state.is_shared = true;
    }
    server.deliver(&mail(1));
    let watched = Watched::by_password(&server, "after_intake = \"move\"\nmove_to = \"Done\"").await;
    until("it waits for more", || server.state().commands.iter().any(|command| command == "IDLE")).await;
    assert_eq!((server.state().folders[0].1.len(), watched.taken(), watched.errors()), (1, 1, vec![]));
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_only_read_is_looked_through_again_after_a_start_and_nothing_is_new() {
    let server = Server::start().await;
    server.deliver(&mail(1));
    let watched = Watched::by_password(&server, "after_intake = \"nothing\"").await;
    until("the first is taken in", || watched.taken() == 1).await;
    server.deliver(&mail(2));
    until("the second is taken in", || watched.taken() == 2).await;
    assert_eq!(watched.harness.inbox.pushes(), 2, "what was seen is not asked for again");
    server.fail("SEARCH", 1, Fault::Close);
    until("it connects again", || server.state().connections == 2).await;
    server.deliver(&mail(3));
    until("the third is taken in", || watched.taken() == 3).await;
    assert_eq!(watched.harness.inbox.pushes(), 3, "nor after a new connection");
    {
        let mut state = server.state();
        state.uid_validity = 2;
        state.fault = Some(("SEARCH".into(), 1, Fault::Close));
    }
    until("all of it is looked at again", || watched.harness.inbox.pushes() == 6).await;
    assert_eq!((watched.taken(), server.flagged(TAKEN)), (3, 0));
    let commands = server.state().commands.clone();
    assert!(!commands.iter().any(|command| command.starts_with("SELECT") || command.contains("STORE")), "{commands:?}");
    watched.harness.stop().await;
}

#[tokio::test]
async fn r12_1_new_numbers_and_lost_flags_make_nothing_twice() {
    let server = Server::start().await;
    for number in 0..20 {
        server.deliver(&mail(number));
    }
    let watched = Watched::by_password(&server, "").await;
    until("all is flagged", || server.flagged(TAKEN) == 20).await;
    {
        let mut state = server.state();
        state.uid_validity = 77;
        state.mails.iter_mut().zip(500..).for_each(|(mail, uid)| {
            mail.uid = uid;
            mail.flags.clear();
        });
        state.next_uid = 900;
        state.fault = Some(("SEARCH".into(), 1, Fault::Close));
    }
    until("all is flagged again", || server.flagged(TAKEN) == 20).await;
    assert_eq!((watched.taken(), watched.harness.inbox.pushes()), (20, 40));
    watched.harness.stop().await;
}

/// Something goes wrong once at each step, and the mail comes all the same, once.
async fn survives_at_each_step(fault: &Fault) {
    futures::future::join_all(STEPS.map(|step| survives(step, fault))).await;
}

async fn survives(step: &str, fault: &Fault) {
    let server = Server::start().await;
    server.deliver(&mail(1));
    server.fail(step, 1, fault.clone());
    let watched = Watched::start(&impatient(server.port)).await;
    until(&format!("the mail comes after {fault:?} at {step}"), || server.flagged(TAKEN) == 1).await;
    server.deliver(&mail(2));
    until(&format!("and the next after {fault:?} at {step}"), || server.flagged(TAKEN) == 2).await;
    assert_eq!(watched.taken(), 2, "{step}");
    assert!(watched.errors().iter().all(|error| error.lines().count() == 1 && !error.contains("eksempel")), "{step}");
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_server_that_stalls_at_any_step_is_noticed_and_left() {
    survives_at_each_step(&Fault::Stall).await;
}

#[tokio::test]
async fn a_connection_that_ends_at_any_step_is_made_again() {
    survives_at_each_step(&Fault::Close).await;
}

#[tokio::test]
async fn nonsense_at_any_step_is_answered_by_a_new_connection() {
    for garbage in [
        &b"\xff\xfe\x00 kari@eksempel.test\r\n"[..],
        b"* 1 FETCH (((((((((((((((((((((((((((((((((((((((\r\nTAG OK\r\n* BYE\r\n",
        b"+ go on\r\n+ go on\r\n+ go on\r\n+ go on\r\n+ go on\r\n",
        b"TAG9 OK not yours\r\n",
        b"* {99999999999}\r\n",
    ] {
        survives_at_each_step(&Fault::Say(garbage.to_vec())).await;
    }
}

#[tokio::test]
async fn a_server_that_stops_while_idle_is_noticed() {
    let server = Server::start().await;
    server.fail("DONE", 1, Fault::Stall);
    let watched = Watched::start(&impatient(server.port)).await;
    until("the silent server is left", || server.state().connections == 2).await;
    server.deliver(&mail(1));
    until("the mail comes", || server.flagged(TAKEN) == 1).await;
    assert_eq!(watched.errors(), [""; 0], "what passes by itself is not shown");
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_mail_at_which_the_connection_always_breaks_is_left_and_named_and_the_others_come() {
    let server = Server::start().await;
    for number in 1..=6 {
        server.deliver(&mail(number));
    }
    server.state().breaks_at = Some(4);
    let watched = Watched::by_password(&server, "").await;
    until("the others come", || server.flagged(TAKEN) == 5).await;
    until("it is named", || watched.errors().iter().any(|error| error.ends_with("beginning with UID 4"))).await;
    assert_eq!(watched.taken(), 5);
    watched.harness.stop().await;
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
async fn the_server_wakes_us_within_a_second() {
    let server = Server::start().await;
    let watched = Watched::start(&patient(server.port, "")).await;
    until("it waits", || server.state().commands.iter().any(|command| command == "IDLE")).await;
    for number in 1..=3 {
        let delivered = Instant::now();
        server.deliver(&mail(number));
        until("the mail is there", || watched.taken() == number).await;
        assert!(delivered.elapsed() < Duration::from_secs(1), "{:?}", delivered.elapsed());
    }
    watched.harness.stop().await;
}

#[tokio::test]
async fn without_idle_the_folder_is_looked_at_every_so_often() {
    for refusing in [false, true] {
        let server = Server::start().await;
        if refusing {
            server.state().refuses_idle = true;
        } else {
            server.state().capabilities = "AUTH=PLAIN".into();
        }
        let watched = Watched::by_password(&server, "").await;
        for number in 1..=2 {
            server.deliver(&mail(number));
            until("the mail is found", || server.flagged(TAKEN) == number).await;
        }
        assert_eq!((server.state().connections, watched.errors()), (1, vec![]));
        watched.harness.stop().await;
    }
}

#[tokio::test]
async fn what_the_operator_has_to_know_is_one_line() {
    let server = Server::start().await;
    let right = "password = \"right\"\n";
    for (more, kind, line) in [
        (
            "password = \"tell-nobody\"",
            ErrorKind::Authentication,
            "the server refused the user or password (AUTHENTICATIONFAILED); see `imap.username` and `imap.password`",
        ),
        (
            &format!("{right}folder = \"Støtte\"")[..],
            ErrorKind::Configuration,
            "there is no folder `Støtte` (NONEXISTENT); see `imap.folder`",
        ),
        (
            &format!("{right}after_intake = \"move\"\nmove_to = \"Done\""),
            ErrorKind::Configuration,
            "there is no folder `Done` to move mail to; make it, or set `imap.create_folder = true`",
        ),
    ] {
        let error = first_error(&settings(server.port, more)).await;
        assert_eq!(error.to_string(), format!("reading the mailbox at localhost:{}: {line}", server.port));
        assert_eq!(error.kind, kind, "{more}");
    }
    server.state().permanent_flags = "\\Seen \\Deleted".into();
    let error = first_error(&settings(server.port, right)).await;
    assert!(
        error.to_string().ends_with(
            "the server cannot keep the flag `$Switchboard`; set `imap.flag = '\\Seen'` or `imap.after_intake = \"move\"`"
        ),
        "{error}"
    );
    server.state().capabilities = "IMAP4rev1 LOGINDISABLED".into();
    let error = first_error(&settings(server.port, right)).await;
    assert!(error.to_string().contains("takes no password on such a connection"), "{error}");
    let (listener, port) = silent_port().await;
    let error = first_error(&impatient(port)).await;
    assert!(error.to_string().ends_with(": no answer for 1 s"), "{error}");
    drop(listener);
    let error = first_error(&settings(port, right)).await;
    assert!(error.to_string().ends_with("the server cannot be reached: connection refused"), "{error}");
}

#[tokio::test]
async fn a_certificate_is_checked_and_what_is_wrong_with_it_is_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = Identity::new("localhost", (2020, 2090));
    let authority = good.authority_file(folder.path());
    let trusting = |port: u16, identity: Option<&std::path::Path>| {
        let ca = identity.map(|path| format!("\nca_file = \"{}\"", path.display())).unwrap_or_default();
        settings(port, &format!("password = \"right\"{ca}")).replace("\"none\"", "\"tls\"")
    };
    let server = Server::start_tls(&good).await;
    let error = first_error(&trusting(server.port, None)).await;
    let line = "untrusted certificate of localhost: no known authority has signed it; set `imap.ca_file` to the certificate of the \
                authority that signed it";
    assert_eq!(error.to_string(), format!("reading the mailbox at localhost:{}: {line}", server.port));
    assert_eq!((error.kind, server.state().commands.len()), (ErrorKind::Configuration, 0), "nothing was said before");

    server.deliver(&mail(1));
    let watched = Watched::start(&trusting(server.port, Some(&authority))).await;
    until("a trusted server is read", || server.flagged(TAKEN) == 1).await;
    watched.harness.stop().await;

    for (name, years, wanted) in [
        ("localhost", (2020, 2021), "untrusted certificate of localhost: it has expired"),
        ("localhost", (2088, 2090), "untrusted certificate of localhost: it is not valid yet"),
        ("mail.test", (2020, 2090), "untrusted certificate of localhost: it is for another name; see `imap.host`"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = Identity::new(name, years);
        let server = Server::start_tls(&identity).await;
        let error = first_error(&trusting(server.port, Some(&identity.authority_file(folder.path())))).await;
        assert!(error.to_string().ends_with(wanted), "{error}");
    }
    let plain = Server::start().await;
    let error = first_error(&trusting(plain.port, Some(&authority))).await;
    assert!(error.to_string().ends_with("what answers there speaks no TLS; see `imap.port` and `imap.security`"), "{error}");
    let error = first_error(&trusting(server.port, Some(&folder.path().join("none.pem")))).await;
    assert!(error.to_string().contains("none.pem cannot be read"), "{error}");
}

#[tokio::test]
async fn nothing_said_before_encryption_counts_after_it() {
    let starttls = |port| settings(port, "password = \"right\"").replace("\"none\"", "\"starttls\"");
    let server = Server::start().await;
    server.fail("STARTTLS", 1, Fault::Say(b"TAG OK go on\r\n* PREAUTH\r\n".to_vec()));
    let error = first_error(&starttls(server.port)).await;
    assert!(error.to_string().ends_with("it sent something between STARTTLS and encryption"), "{error}");
    server.fail("STARTTLS", 1, Fault::Say(b"TAG BAD what\r\n".to_vec()));
    let error = first_error(&starttls(server.port)).await;
    assert!(error.to_string().ends_with("the server has no STARTTLS; see `imap.security`"), "{error}");
    server.fail("GREETING", 1, Fault::Say(b"* PREAUTH welcome\r\n".to_vec()));
    let error = first_error(&starttls(server.port)).await;
    assert!(error.to_string().ends_with("it lets in whoever comes (PREAUTH)"), "{error}");
    let commands = server.state().commands.clone();
    assert!(commands.iter().all(|command| command == "STARTTLS"), "{commands:?}");
}

fn by_token(server: &Server, service: &TokenService) -> String {
    let oauth = format!("[imap.oauth]\ntoken_url = \"{}\"\nclient_id = \"us\"\nrefresh_token = \"tell-nobody\"", service.url);
    settings(server.port, &oauth)
}

#[tokio::test]
async fn a_token_is_kept_renewed_before_it_expires_and_once_after_a_refusal() {
    let (server, service) = (Server::start().await, TokenService::start(3_600).await);
    server.deliver(&mail(1));
    let watched = Watched::start(&by_token(&server, &service)).await;
    until("the mail comes", || server.flagged(TAKEN) == 1).await;
    let question = service.asked.lock().expect("not poisoned")[0].clone();
    assert_eq!(question, "grant_type=refresh_token&client_id=us&refresh_token=tell-nobody");
    server.fail("SEARCH", 1, Fault::Close);
    until("it connects again", || server.state().connections == 2).await;
    server.deliver(&mail(2));
    until("the next comes", || server.flagged(TAKEN) == 2).await;
    assert_eq!(service.count(), 1, "the token is kept");

    // Withdrawn before its time: the server refuses it once, and is given the next.
    server.state().token = "token-2".into();
    server.fail("SEARCH", 1, Fault::Close);
    until("a new token is asked for", || service.count() == 2).await;
    server.deliver(&mail(3));
    until("the next comes", || server.flagged(TAKEN) == 3).await;
    assert_eq!(server.state().challenged, [""], "the explanation is answered with an empty line");

    // Shortly before its end it is not used any more.
    server.state().token = "token-3".into();
    watched.harness.clock.advance_ms(3_590_000);
    server.fail("SEARCH", 1, Fault::Close);
    until("a new token is asked for", || service.count() == 3).await;
    server.deliver(&mail(4));
    until("the next comes", || server.flagged(TAKEN) == 4).await;
    assert_eq!((server.state().challenged.len(), watched.errors()), (1, vec![]));
    watched.harness.stop().await;
}

#[tokio::test]
async fn a_refused_token_or_refresh_token_is_one_line() {
    let (server, service) = (Server::start().await, TokenService::start(3_600).await);
    server.state().token = "another".into();
    let error = first_error(&by_token(&server, &service)).await;
    let line = "the server refused the access token (AUTHENTICATIONFAILED); see `imap.username` and `imap.oauth`";
    assert_eq!(error.to_string(), format!("reading the mailbox at localhost:{}: {line}", server.port));
    assert_eq!((error.kind, service.count()), (ErrorKind::Authentication, 1), "a token that was new is not asked for again");

    for (answer, wanted) in [
        (
            (400, r#"{"error":"invalid_grant","error_description":"tell-nobody"}"#.to_owned()),
            "the token endpoint 127.0.0.1 gives no access token (invalid_grant); the refresh token may have expired, see `imap.oauth`",
        ),
        (
            (401, "tell-nobody".to_owned()),
            "the token endpoint 127.0.0.1 gives no access token (401); the refresh token may have expired, see `imap.oauth`",
        ),
        ((503, String::new()), "the token endpoint 127.0.0.1 cannot be asked: it answers 503"),
        ((200, "{}".to_owned()), "the token endpoint 127.0.0.1 cannot be asked: its answer holds no access token"),
        ((200, "x".repeat(100_000)), "the token endpoint 127.0.0.1 cannot be asked: its answer is too long"),
        (
            (302, String::new()),
            "the token endpoint 127.0.0.1 gives no access token (302); the refresh token may have expired, see `imap.oauth`",
        ),
    ] {
        *service.answer.lock().expect("not poisoned") = Err(answer);
        let error = first_error(&by_token(&server, &service)).await;
        assert!(error.to_string().ends_with(wanted), "{error}");
    }
    server.state().capabilities = "AUTH=PLAIN".into();
    let error = first_error(&by_token(&server, &service)).await;
    assert!(error.to_string().ends_with("the server does not offer XOAUTH2; see `imap.oauth`"), "{error}");
}

#[tokio::test]
async fn of_many_mailboxes_those_that_fail_or_stall_delay_no_other() {
    let (server, stalled) = (Server::start().await, Server::start().await);
    stalled.fail("GREETING", usize::MAX, Fault::Stall);
    let mut all = Vec::new();
    for number in 0..30 {
        let more = match number % 3 {
            0 => impatient(stalled.port),
            1 => settings(server.port, "password = \"wrong\""),
            _ => patient(server.port, "after_intake = \"nothing\""),
        };
        all.push(Watched::start(&more).await);
    }
    let waiting = || server.state().commands.iter().filter(|command| *command == "IDLE").count();
    until("the others wait for mail", || waiting() >= 10).await;
    let delivered = Instant::now();
    server.deliver(&mail(1));
    for watched in all.iter().skip(2).step_by(3) {
        until("the mail comes", || watched.taken() == 1).await;
    }
    assert!(delivered.elapsed() < Duration::from_secs(3), "{:?}", delivered.elapsed());
    until("the others say why", || all.iter().enumerate().all(|(number, one)| number % 3 == 2 || !one.errors().is_empty())).await;
    for watched in all {
        watched.harness.stop().await;
    }
}

/// Everything that is logged, at whatever level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_and_nothing_of_a_mail_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The runtime of the test has this one thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let (server, service) = (Server::start().await, TokenService::start(3_600).await);
    server.deliver(&mail(1));
    let by_password = Watched::by_password(&server, "").await;
    until("the mail comes", || server.flagged(TAKEN) == 1).await;
    server.deliver(&mail(2));
    let by_token = Watched::start(&by_token(&server, &service)).await;
    until("the mail comes", || server.flagged(TAKEN) == 2).await;
    let wrong = first_error(&settings(server.port, "password = \"tell-nobody\"")).await;
    by_password.harness.stop().await;
    by_token.harness.stop().await;
    let logged = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    assert!(logged.contains("the mailbox is open"), "{logged}");
    for secret in ["right", "tell-nobody", "token-1", "eksempel", "Pakke", "Hvor er"] {
        let ours = logged.lines().filter(|line| line.contains("switchboard")).find(|line| line.contains(secret));
        assert!(ours.is_none() && !wrong.to_string().contains(secret), "{secret}: {ours:?}");
    }
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
