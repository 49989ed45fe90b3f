//! What strangers do to a socket, and that it is bounded and answered.

mod client;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use client::{Client, Site};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

#[tokio::test]
async fn frames_that_are_none_of_ours_end_the_connection_and_say_why() {
    let site = Site::open().await;
    for (frame, code, close) in
        [(Message::binary(vec![1, 2, 3]), "protocol", 1_003), (Message::text("x".repeat(1_000_000)), "too_large", 1_009)]
    {
        let (mut client, _) = site.visit(json!({})).await;
        client.send_message(frame).await;
        assert_eq!(client.next().await, json!({"type": "bye", "code": code, "reconnect": true}));
        assert_eq!(client.next().await, json!({"type": "closed", "code": close}));
    }
    let (mut client, _) = site.visit(json!({})).await;
    client.send_raw(&[b'{', 0xc3, 0x28, b'}']).await;
    assert_eq!(client.next().await["code"], "protocol");
    assert_eq!(client.next().await, json!({"type": "closed", "code": 1_007}));
    site.stop().await;
}

#[tokio::test]
async fn garbage_is_refused_and_too_much_of_it_ends_the_connection() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    let nested = format!("{{\"type\": \"message\", \"client_id\": \"message-1\", \"text\": {}", "[".repeat(20_000));
    let deep = format!("{{\"type\": \"page\", \"url\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for (frame, code) in [
        ("", "malformed"),
        ("[]", "malformed"),
        ("null", "malformed"),
        ("{\"type\": 3}", "malformed"),
        ("{\"type\": \"message\"}", "malformed"),
        ("{\"type\": \"open\", \"conversation\": \"1\"}", "malformed"),
        ("{\"type\": \"fly\"}", "unknown_type"),
        ("{\"type\": \"hello\"}", "hello_twice"),
        (nested.as_str(), "malformed"),
        (deep.as_str(), "malformed"),
    ] {
        client.send_raw(frame.as_bytes()).await;
        assert_eq!(client.answer().await["code"], code, "{}", &frame[..frame.len().min(60)]);
    }
    for _ in 0..20 {
        client.send_raw(b"{").await;
    }
    let end = loop {
        let frame = client.next().await;
        if frame["type"] == "bye" {
            break frame;
        }
    };
    assert_eq!(end, json!({"type": "bye", "code": "protocol", "reconnect": false}));
    site.stop().await;
}

#[tokio::test]
async fn hello_comes_first_and_soon() {
    let site = Site::with(&[("[limits]", "[limits]\nhello_timeout_seconds = 1")]).await;
    let mut hasty = site.connect().await;
    hasty.send(&json!({"type": "ping"})).await;
    assert_eq!(hasty.next().await["code"], "hello_first");
    let mut silent = site.connect().await;
    assert_eq!(silent.next().await, json!({"type": "bye", "code": "silent", "reconnect": true}));
    site.stop().await;
}

#[tokio::test]
async fn a_silent_peer_is_asked_and_then_cut() {
    let site = Site::with(&[("[limits]", "[limits]\nping_seconds = 1\nidle_seconds = 2")]).await;
    // A peer that answers nothing, not even a ping: bytes on a plain connection.
    let mut stream = TcpStream::connect(site.address).await.expect("the server listens");
    let head = format!(
        "GET /channels/shop_chat/socket HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: switchboard.chat.1\r\n\r\n",
        site.address
    );
    stream.write_all(head.as_bytes()).await.expect("the head is taken");
    // One hello, masked with zeros.
    let hello = br#"{"type":"hello"}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(hello.len()).expect("a short frame"), 0, 0, 0, 0];
    frame.extend_from_slice(hello);
    // And the beginning of another one, which never comes whole.
    frame.extend_from_slice(&[0x81, 0xfe, 0x40]);
    stream.write_all(&frame).await.expect("the frame is taken");
    let mut heard = Vec::new();
    let read = stream.read_to_end(&mut heard);
    tokio::time::timeout(std::time::Duration::from_secs(20), read).await.expect("the end comes").expect("it is readable");
    let shown = String::from_utf8_lossy(&heard);
    assert!(shown.contains("\"welcome\"") && shown.contains("\"silent\""), "{shown}");
    assert!(heard.windows(2).any(|pair| pair == [0x89, 0]), "it was not asked whether it is there");
    site.stop().await;
}

#[tokio::test]
async fn a_flood_of_messages_is_limited_for_the_visitor_and_for_the_address() {
    for changes in [
        [("messages_per_minute = 6000\nmessage_burst = 1000", "messages_per_minute = 60\nmessage_burst = 3")],
        [(
            "address_messages_per_minute = 6000\naddress_message_burst = 1000",
            "address_messages_per_minute = 60\naddress_message_burst = 3",
        )],
    ] {
        let site = Site::with(&changes).await;
        let (mut client, _) = site.visit(json!({})).await;
        let conversation = client.begin("message-0", "Hei").await["conversation"].clone();
        for count in 1..3 {
            assert_eq!(client.write(&conversation, &format!("message-{count}"), "x").await["type"], "accepted");
        }
        let refused = client.write(&conversation, "message-3", "x").await;
        assert_eq!(
            (&refused["code"], &refused["retry"], &refused["retry_after_s"]),
            (&json!("rate_limited"), &json!(true), &json!(1))
        );
        site.harness.clock.advance_ms(1_000);
        assert_eq!(client.write(&conversation, "message-3", "x").await["type"], "accepted");
        site.stop().await;
    }
}

#[tokio::test]
async fn a_flood_of_frames_ends_the_connection() {
    let site = Site::with(&[("frames_per_minute = 6000", "frames_per_minute = 20")]).await;
    let (mut client, _) = site.visit(json!({})).await;
    for _ in 0..11 {
        client.send(&json!({"type": "ping"})).await;
    }
    for _ in 0..10 {
        assert_eq!(client.next().await["type"], "pong");
    }
    assert_eq!(client.next().await, json!({"type": "bye", "code": "flood", "reconnect": true}));
    site.stop().await;
}

#[tokio::test]
async fn connections_are_counted_and_given_back() {
    let site = Site::with(&[("[limits]", "[limits]\nconnections = 3\nconnections_per_address = 2")]).await;
    let first = site.connect().await;
    let second = site.connect().await;
    assert_eq!(Client::connect(site.address, &[]).await.err(), Some(429));
    first.lose().await;
    // The place is free as soon as the server has noticed; every attempt in between is refused.
    let mut third = Client::connect(site.address, &[]).await;
    while third.is_err() {
        third = Client::connect(site.address, &[]).await;
    }
    drop((second, third));
    site.stop().await;
}

#[tokio::test]
async fn only_our_own_pages_and_the_right_protocol_get_a_socket() {
    let site = Site::open().await;
    let own = format!("http://{}", site.address);
    for (headers, refused) in [
        (vec![("origin", own.as_str())], None),
        (vec![("origin", "https://www.shop.test")], Some(403)),
        (vec![("origin", "null")], Some(403)),
        (vec![("origin", "https://desk.test"), ("sec-fetch-site", "same-origin")], None),
        (vec![("sec-websocket-protocol", "chat.1")], Some(400)),
        (vec![("sec-websocket-version", "12")], Some(400)),
    ] {
        assert_eq!(Client::connect(site.address, &headers).await.err(), refused, "{headers:?}");
    }
    site.stop().await;
}

#[tokio::test]
async fn so_many_conversations_may_be_open_and_no_more() {
    let site = Site::with(&[("[limits]", "[limits]\nconversations = 2")]).await;
    let (mut client, _) = site.visit(json!({})).await;
    for count in 0..2 {
        assert_eq!(client.begin(&format!("message-{count}"), "Hei").await["type"], "accepted");
    }
    assert_eq!(client.begin("message-2", "Hei").await["code"], "too_many_conversations");
    assert_eq!(client.begin("message-1", "Hei").await["type"], "accepted", "a repetition is no new conversation");
    site.stop().await;
}

#[tokio::test]
async fn nobody_gets_in_from_a_blocked_address_by_any_way() {
    let blocked = "[\"203.0.113.0/24\"]\ntrusted_proxies = [\"127.0.0.1\"]\nclient_ip_header = \"x-forwarded-for\"";
    let section = format!("blocked_addresses = {blocked}\n\n[limits]");
    let site = Site::with(&[("[limits]", &section)]).await;
    for (address, refused) in [("203.0.113.77", Some(403)), ("203.0.112.77", None)] {
        assert_eq!(Client::connect(site.address, &[("x-forwarded-for", address)]).await.err(), refused);
    }
    let peer = axum::extract::ConnectInfo(std::net::SocketAddr::from(([203, 0, 113, 77], 4_711)));
    for (method, path) in
        [("GET", "socket"), ("POST", "stream"), ("POST", "poll"), ("POST", "frames"), ("POST", "files"), ("GET", "files/1/1/0")]
    {
        let request = Request::builder().method(method).uri(format!("/channels/shop_chat/{path}")).extension(peer);
        let request = request.body(Body::from("{\"type\": \"hello\"}")).expect("the request is well formed");
        let Ok(response) = site.harness.router.clone().oneshot(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the answer can be read");
        let problem: Value = serde_json::from_slice(&bytes).expect("the answer is JSON");
        assert_eq!((status.as_u16(), &problem["code"]), (403, &json!("blocked")), "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn who_may_embed_the_widget_is_told_to_whoever_serves_it() {
    for (changes, expected) in [
        (vec![], (false, false)),
        (vec![("origins = ", "web_views = true\norigins = ")], (true, false)),
        (vec![("origins = ", "credentialless = true\norigins = ")], (false, true)),
    ] {
        let site = Site::quiet(&changes).await;
        let settings = site.harness.channel.widget().expect("a chat has a widget").settings;
        assert_eq!((&settings["web_views"], &settings["credentialless"]), (&json!(expected.0), &json!(expected.1)));
        site.stop().await;
    }
}
