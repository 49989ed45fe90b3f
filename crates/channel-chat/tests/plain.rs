//! Connections over plain HTTP, where no WebSocket gets through: a long answer or polls, and frames by request.

mod client;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::Request;
use axum::response::Response;
use client::{Site, nonce};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_channel::Signal;
use switchboard_model::ConversationId;
use tower::ServiceExt;

const LONG: Duration = Duration::from_secs(60);

async fn post(site: &Site, path: &str, link: Option<&str>, body: impl Into<Body>) -> Response {
    let mut request = Request::post(format!("/channels/shop_chat/{path}"));
    if let Some(link) = link {
        request = request.header("authorization", format!("Bearer {link}"));
    }
    let request = request.body(body.into()).expect("the request is well formed");
    let Ok(response) = tokio::time::timeout(LONG, site.harness.router.clone().oneshot(request)).await.expect("an answer");
    response
}

async fn send(site: &Site, link: &str, frame: &Value) -> u16 {
    post(site, "frames", Some(link), frame.to_string()).await.status().as_u16()
}

async fn polled(site: &Site, link: &str) -> Vec<Value> {
    let response = post(site, "poll", Some(link), "").await;
    assert_eq!(response.status(), 200);
    read(response).await
}

async fn read<T: serde::de::DeserializeOwned>(response: Response) -> T {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the answer can be read");
    serde_json::from_slice(&bytes).expect("the answer is JSON")
}

fn hello(name: &str) -> String {
    json!({"type": "hello", "nonce": nonce(name), "page": {"url": "https://www.shop.test/", "title": "Shop"}}).to_string()
}

fn first_message(client_id: &str) -> Value {
    let fields = json!([["email", "kari@eksempel.test"]]);
    json!({"type": "message", "client_id": client_id, "text": "Where is it?", "fields": fields})
}

fn link_of(frame: &Value) -> String {
    assert_eq!(frame["type"], "link", "{frame}");
    frame["link"].as_str().expect("a secret").to_owned()
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().filter_map(|frame| frame["type"].as_str()).collect()
}

/// What comes down one long answer.
struct Events {
    body: BodyDataStream,
    rest: String,
}

impl Events {
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.rest = rest;
                match event.strip_prefix("data: ") {
                    Some(frame) => return Some(serde_json::from_str(frame).expect("a frame")),
                    None => continue,
                }
            }
            let bytes = tokio::time::timeout(LONG, self.body.next()).await.expect("it goes on")?.expect("it can be read");
            self.rest.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
        }
    }

    async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("it ended before `{kind}`"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }
}

async fn stream(site: &Site, name: &str) -> (Events, String) {
    let response = post(site, "stream", None, hello(name)).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/event-stream".parse().expect("a header"))
    );
    let mut events = Events { body: response.into_body().into_data_stream(), rest: String::new() };
    let link = link_of(&events.next().await.expect("the link comes first"));
    assert_eq!(events.next().await.expect("then the welcome")["type"], "welcome");
    (events, link)
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..2_000 {
        if holds().await {
            return;
        }
        looks.tick().await;
    }
    panic!("it never came true that {what}");
}

#[tokio::test]
async fn visitor_and_agent_talk_through_one_long_answer_and_its_end_is_noticed() {
    let site = Site::open().await;
    let (mut events, link) = stream(&site, "kari").await;
    assert_eq!(send(&site, &link, &first_message("message-1")).await, 204);
    let accepted = events.until("accepted").await;
    let id = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    site.harness.threads.reply(id, "Pia", "On its way.");
    assert_eq!(events.until("message").await["text"], "On its way.");
    assert_eq!(send(&site, &link, &first_message("message-1")).await, 204);
    assert_eq!(events.until("accepted").await["message"], accepted["message"], "the same again is the same message");
    assert_eq!(site.harness.inbox.messages().len(), 1);
    drop(events);
    eventually("the desk hears that the visitor has gone", async || {
        site.harness.threads.signals().last() == Some(&(id, Signal::Connected(false)))
    })
    .await;
    assert_eq!(send(&site, &link, &json!({"type": "ping"})).await, 404, "the link has ended");
    site.stop().await;
}

#[tokio::test]
async fn visitor_and_agent_talk_by_polls() {
    let site = Site::open().await;
    let begun: Vec<Value> = read(post(&site, "poll", None, hello("kari")).await).await;
    assert_eq!(kinds(&begun), ["link", "welcome"]);
    let link = link_of(&begun[0]);
    assert_eq!(send(&site, &link, &first_message("message-1")).await, 204);
    let mut frames = Vec::new();
    while !kinds(&frames).contains(&"accepted") {
        frames.extend(polled(&site, &link).await);
    }
    let accepted = frames.iter().find(|frame| frame["type"] == "accepted").expect("it was there");
    let id = ConversationId(accepted["conversation"].as_i64().expect("an id"));
    let waiting = polled(&site, &link);
    let answering = async {
        for text in ["one", "two", "three"] {
            site.harness.threads.reply(id, "Pia", text);
        }
        assert_eq!(post(&site, "poll", Some(&link), "").await.status(), 409, "one poll at a time");
    };
    let (mut frames, ()) = tokio::join!(waiting, answering);
    let texts = |frames: &[Value]| -> Vec<String> {
        let messages = frames.iter().filter(|frame| frame["type"] == "message");
        messages.map(|frame| frame["text"].as_str().expect("a text").to_owned()).collect()
    };
    while texts(&frames).len() < 3 {
        frames.extend(polled(&site, &link).await);
    }
    assert_eq!(texts(&frames), ["one", "two", "three"]);
    site.stop().await;
}

#[tokio::test]
async fn a_link_is_for_whoever_has_its_secret_and_requests_are_bounded() {
    let site = Site::open().await;
    let (mut events, link) = stream(&site, "kari").await;
    for (path, secret, status) in
        [("frames", None, 404), ("frames", Some("AAAAAAAAAAAAAAAAAAAAAA"), 404), ("poll", Some(""), 404)]
    {
        assert_eq!(post(&site, path, secret, "{}").await.status().as_u16(), status, "{path} {secret:?}");
    }
    assert_eq!(post(&site, "poll", Some(&link), "").await.status(), 409, "a long answer is no poll");
    let foreign = Request::post("/channels/shop_chat/stream").header("origin", "https://evil.test").header("host", "desk.test");
    let Ok(response) = site.harness.router.clone().oneshot(foreign.body(Body::from(hello("evil"))).expect("a request")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(post(&site, "stream", None, vec![b'x'; 5_000_000]).await.status(), 413);
    assert_eq!(post(&site, "stream", None, vec![0xff, 0xfe]).await.status(), 400);
    assert_eq!(post(&site, "frames", Some(&link), vec![b'x'; 5_000_000]).await.status(), 413);
    assert_eq!(events.until("bye").await["code"], "too_large", "as on a socket");
    assert_eq!(events.next().await, None);
    site.stop().await;
}

#[tokio::test]
async fn what_is_no_hello_ends_the_link_and_a_stop_says_goodbye() {
    let site = Site::open().await;
    let refused: Vec<Value> = read(post(&site, "poll", None, "{\"type\":\"ping\"}").await).await;
    assert_eq!((kinds(&refused), &refused[1]["code"]), (vec!["link", "bye"], &json!("hello_first")));
    assert_eq!(post(&site, "poll", Some(&link_of(&refused[0])), "").await.status(), 404);
    let (mut events, _) = stream(&site, "kari").await;
    site.harness.context.runtime.shutdown.cancel();
    assert_eq!(events.until("bye").await, json!({"type": "bye", "code": "restart", "reconnect": true}));
    assert_eq!(events.next().await, None);
    assert_eq!(post(&site, "stream", None, hello("late")).await.status(), 503);
    site.stop().await;
}

async fn ended(site: &Site, link: &str) -> bool {
    post(site, "poll", Some(link), "").await.status() == 404
}

#[tokio::test]
async fn a_poll_that_is_given_up_loses_nothing_and_whoever_stops_polling_is_gone() {
    let settings = ("frames_per_minute = 6000", "frames_per_minute = 6000\nping_seconds = 2\nidle_seconds = 6");
    let site = Site::with(&[settings]).await;
    let begun: Vec<Value> = read(post(&site, "poll", None, hello("kari")).await).await;
    let link = link_of(&begun[0]);
    let given_up = tokio::time::timeout(Duration::from_millis(50), polled(&site, &link)).await;
    assert!(given_up.is_err(), "nothing has happened yet");
    assert_eq!(send(&site, &link, &first_message("message-1")).await, 204);
    let mut frames = Vec::new();
    while !kinds(&frames).contains(&"accepted") {
        frames.extend(polled(&site, &link).await);
    }
    // Nothing may be said meanwhile: it would be a sign of life.
    let has_gone = || matches!(site.harness.threads.signals().last(), Some((_, Signal::Connected(false))));
    eventually("the desk hears that the visitor has gone", async || has_gone()).await;
    assert_eq!(send(&site, &link, &json!({"type": "ping"})).await, 404);

    let begun: Vec<Value> = read(post(&site, "poll", None, hello("kari")).await).await;
    let link = link_of(&begun[0]);
    assert_eq!(post(&site, "frames", Some(&link), "").await.status(), 204, "it says that it leaves");
    eventually("the link has ended", async || ended(&site, &link).await).await;
    site.stop().await;
}
