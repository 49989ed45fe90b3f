//! What the operator is told, and what nobody is told.

use super::server::{Fault, Server};
use super::signing_in::by_token;
use super::tokens::TokenService;
use super::wait::{silent_port, until};
use super::{TAKEN, Watched, first_error, impatient, mail, settings};
use std::sync::{Arc, Mutex};
use switchboard_channel::ErrorKind;
use switchboard_channel_testkit::Identity;

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
    let own = Identity::of_authority("localhost");
    let of_authority = Server::start_tls(&own).await;
    let apart = tempfile::tempdir().expect("a folder");
    let error = first_error(&trusting(of_authority.port, Some(&own.authority_file(apart.path())))).await;
    assert!(error.to_string().contains("it is an authority's own certificate, which no server may show"), "{error}");
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
