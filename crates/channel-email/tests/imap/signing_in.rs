//! Signing in with access tokens.

use super::server::{Fault, Server};
use super::tokens::TokenService;
use super::wait::until;
use super::{TAKEN, Watched, first_error, mail, settings};
use switchboard_channel::ErrorKind;

pub(super) fn by_token(server: &Server, service: &TokenService) -> String {
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
