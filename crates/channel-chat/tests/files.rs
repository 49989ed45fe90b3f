//! Files up and down.

mod client;

use client::{Site, fetch, pass_of, post, send_file};
use serde_json::json;
use switchboard_model::ConversationId;

const NOTE: &[(&str, &str)] = &[("content-type", "text/plain"), ("x-file-name", "..%2F%C3%A6.txt")];

#[tokio::test]
async fn a_file_goes_with_its_message_and_only_the_visitor_gets_it_back() {
    let site = Site::open().await;
    let (mut client, welcome) = site.visit(json!({})).await;
    assert_eq!(welcome["settings"]["files"]["allowed"], true);
    let pass = pass_of(&mut client).await;
    let (status, kept) = post(&site, &pass, NOTE, vec![7; 1_000]).await;
    assert_eq!((status, &kept["name"], &kept["size_bytes"]), (201, &json!("æ.txt"), &json!(1_000)));
    let accepted = send_file(&mut client, "message-1", &kept["id"]).await;
    assert_eq!(accepted["type"], "accepted");
    assert_eq!(send_file(&mut client, "message-1", &kept["id"]).await["type"], "accepted", "the message can be repeated");
    assert_eq!(send_file(&mut client, "message-2", &kept["id"]).await["code"], "bad_file", "it went with another message");
    let path = format!("{}/{}/0", accepted["conversation"], accepted["message"]);
    let (status, headers, bytes) = fetch(&site, &pass, &path).await;
    assert_eq!((status, bytes.len(), &headers["x-content-type-options"]), (200, 1_000, &"nosniff".parse().expect("a header")));
    assert!(headers["content-disposition"].to_str().expect("ASCII").starts_with("attachment;"));
    let (mut other, _) = site.visit(json!({})).await;
    let others = pass_of(&mut other).await;
    assert_eq!(fetch(&site, &others, &path).await.0, 404);
    assert_eq!(fetch(&site, "nonsense", &path).await.0, 401);
    let (_, theirs) = post(&site, &pass, NOTE, vec![7; 10]).await;
    assert_eq!(send_file(&mut other, "message-3", &theirs["id"]).await["code"], "bad_file", "somebody else's upload");
    let id = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    let reply = site.harness.threads.reply_with(id, "Pia", "here", &[("a.txt", b"hello")]);
    assert_eq!(client.until("message").await["files"][0]["name"], "a.txt");
    assert_eq!(fetch(&site, &pass, &format!("{id}/{reply}/0")).await.2, b"hello");
    assert_eq!(fetch(&site, &pass, &format!("{id}/{reply}/1")).await.0, 404);
    site.stop().await;
}

#[tokio::test]
async fn uploads_are_held_to_their_limits_and_forgotten() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    let pass = pass_of(&mut client).await;
    let program: &[(&str, &str)] = &[("content-type", "application/x-program"), ("x-file-name", "a.exe")];
    let foreign = [NOTE, &[("origin", "https://www.shop.test"), ("host", "desk.test")]].concat();
    for (pass, headers, size, status, code) in [
        (pass.as_str(), NOTE, 1_001, 413, "too_large"),
        (pass.as_str(), program, 10, 415, "file_type"),
        (pass.as_str(), foreign.as_slice(), 10, 403, "forbidden"),
        ("", NOTE, 10, 401, "bad_pass"),
    ] {
        let (found, problem) = post(&site, pass, headers, vec![7; size]).await;
        assert_eq!((found, &problem["code"]), (status, &json!(code)));
    }
    let (_, kept) = post(&site, &pass, NOTE, vec![7; 10]).await;
    site.harness.clock.advance_ms(10 * 60 * 1_000);
    assert_eq!(send_file(&mut client, "message-1", &kept["id"]).await["code"], "bad_file", "its time is over");
    for _ in 0..8 {
        assert_eq!(post(&site, &pass, NOTE, vec![7; 10]).await.0, 201);
    }
    let (status, problem) = post(&site, &pass, NOTE, vec![7; 10]).await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "so many wait for their messages");
    site.harness.clock.advance_ms(12 * 60 * 60 * 1_000);
    assert_eq!(post(&site, &pass, NOTE, vec![7; 10]).await.0, 401, "the pass has ended");
    site.stop().await;
}

#[tokio::test]
async fn anonymous_visitors_send_no_files_unless_they_may() {
    let site = Site::with(&[("allowed = \"all\"", "allowed = \"identified\"")]).await;
    let (mut client, welcome) = site.visit(json!({})).await;
    assert_eq!(welcome["settings"]["files"]["allowed"], false);
    let pass = pass_of(&mut client).await;
    let (status, problem) = post(&site, &pass, NOTE, vec![7; 10]).await;
    assert_eq!((status, &problem["code"]), (403, &json!("files_off")));
    site.stop().await;
}

#[tokio::test]
async fn files_of_conversations_that_are_shown_through_the_contact_are_given_too() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    let pass = pass_of(&mut client).await;
    let (_, kept) = post(&site, &pass, NOTE, vec![7; 10]).await;
    let accepted = send_file(&mut client, "message-1", &kept["id"]).await;
    let path = format!("{}/{}/0", accepted["conversation"], accepted["message"]);
    let id = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    site.harness.threads.change(id, |thread| thread.key = Some("begun-by-mail".to_owned()));
    assert_eq!(fetch(&site, &pass, &path).await.0, 200, "on the connection that shows it");
    client.lose().await;
    assert_eq!(fetch(&site, &pass, &path).await.0, 200, "and without one");
    let (mut other, _) = site.visit(json!({})).await;
    let others = pass_of(&mut other).await;
    assert_eq!(fetch(&site, &others, &path).await.0, 404);
    site.stop().await;
}
