//! Live events: resuming, order, permission, and how streams end.

use crate::house::{Client, House, PATIENCE};
use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::Method;
use serde_json::{Value, json};

/// A stream that is being read.
struct Reader {
    stream: BodyDataStream,
    text: String,
}

#[derive(Debug)]
struct Event {
    id: i64,
    name: String,
    data: Value,
}

impl Reader {
    async fn open(client: &Client, after: Option<i64>) -> Self {
        let after = after.map(|id| id.to_string());
        let headers: Vec<(&str, &str)> = after.iter().map(|id| ("last-event-id", id.as_str())).collect();
        let response = client.open(Method::GET, "/events", Body::empty(), &headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { stream: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event that carries data; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            let chunk = chunk.expect("the stream goes on")?.expect("no failure");
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data = field("data:")?;
    Some(Event {
        id: field("id:").map_or(0, |id| id.parse().expect("a number")),
        name: field("event:")?.to_owned(),
        data: serde_json::from_str(data).expect("JSON"),
    })
}

/// Waits until what has been committed so far has been handed on.
async fn settle(house: &House) -> i64 {
    house.engine.event_range().await.expect("a range").1
}

#[tokio::test]
async fn a_stream_begins_now_and_tells_what_happens() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    house.arrives("plain", "early", "before").await;
    settle(&house).await;
    let mut reader = Reader::open(&ada, None).await;
    let item = house.arrives("plain", "late", "after").await.conversation;
    let mut event = reader.next().await.expect("an event");
    while event.data["conversation"].is_null() {
        event = reader.next().await.expect("an event");
    }
    assert_eq!(event.data["id"], event.id);
    assert_eq!(event.data["kind"], event.name.as_str());
    assert_eq!(event.data["conversation"], item.0);
    assert!(!event.data.to_string().contains("after"), "events carry no text");
    house.close().await;
}

#[tokio::test]
async fn colleagues_hear_who_is_on_a_conversation_they_may_open() {
    let house = House::new().await;
    let (ada, bo, vera) = (house.sign_in("ada").await, house.sign_in("bo").await, house.sign_in("vera").await);
    let item = house.arrives("private", "kim", "hello").await.conversation;
    let path = format!("/conversations/{item}/presence");
    let mut reader = Reader::open(&ada, None).await;
    bo.put(&path, json!({ "attention": "viewing" })).await.problem(404, "not_found");
    ada.put(&path, json!({ "attention": "asleep" })).await.is(422);
    ada.put(&path, json!({})).await.is(422);
    let shown = ada.put(&path, json!({ "attention": "writing" })).await.is(200).body;
    assert_eq!((&shown["people"][0]["name"], &shown["people"][0]["attention"]), (&json!("Ada"), &json!("writing")));
    let mut event = reader.next().await.expect("an event");
    while event.name != "presence" {
        event = reader.next().await.expect("an event");
    }
    assert_eq!((event.id, event.data["conversation"].as_i64()), (0, Some(item.0)));
    assert_eq!(ada.get(&path).await.is(200).body, shown);
    ada.put(&path, json!({ "attention": null })).await.is(200);
    assert_eq!(ada.get(&path).await.is(200).body["people"], json!([]));
    vera.get(&path).await.problem(404, "not_found");
    ada.post(&format!("/conversations/{item}/transcript"), json!({})).await.is(422);
    house.close().await;
}

#[tokio::test]
async fn r4_4_an_open_stream_of_a_person_is_a_desk_and_that_of_a_program_is_none() {
    let house = House::new().await;
    let (ada, program) = (house.sign_in("ada").await, house.program(switchboard_engine::Scope::Read).await);
    let user = house.user("ada");
    assert!(!house.engine.has_open_desk(user));
    let (first, second, other) =
        (Reader::open(&ada, None).await, Reader::open(&ada, None).await, Reader::open(&program, None).await);
    assert!(house.engine.has_open_desk(user));
    drop(first);
    assert!(house.engine.has_open_desk(user), "in another tab");
    drop((second, other));
    assert!(!house.engine.has_open_desk(user));
    house.close().await;
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_in_order_and_once() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    house.arrives("plain", "one", "x").await;
    let seen = settle(&house).await;
    let mut missed = Vec::new();
    for name in ["two", "three", "four"] {
        missed.push(house.arrives("plain", name, "x").await.conversation.0);
    }
    let newest = settle(&house).await;
    let mut reader = Reader::open(&ada, Some(seen)).await;
    let (mut last, mut items) = (seen, Vec::new());
    while last < newest {
        let event = reader.next().await.expect("an event");
        assert!(event.id > last, "{} after {last}", event.id);
        last = event.id;
        items.extend(event.data["conversation"].as_i64());
    }
    items.dedup();
    assert_eq!(items, missed);
    let then = house.arrives("plain", "five", "x").await.conversation;
    let event = reader.next().await.expect("an event");
    assert!(event.id > newest);
    assert_eq!(event.data["conversation"], then.0);
    house.close().await;
}

#[tokio::test]
async fn a_client_from_another_time_is_told_to_read_anew() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    house.arrives("plain", "one", "x").await;
    let newest = settle(&house).await;
    let mut reader = Reader::open(&ada, Some(newest + 1_000)).await;
    let event = reader.next().await.expect("an event");
    assert_eq!((event.name.as_str(), event.id), ("resync", newest));
    house.close().await;
}

#[tokio::test]
async fn nobody_hears_of_workspaces_that_they_may_not_open() {
    let house = House::new().await;
    let (ada, bo) = (house.sign_in("ada").await, house.sign_in("bo").await);
    let seen = settle(&house).await;
    let hidden = house.arrives("private", "kari", "x").await.conversation;
    let open = house.arrives("plain", "ola", "x").await.conversation;
    let mut reader = Reader::open(&bo, Some(seen)).await;
    assert_eq!(reader.next().await.expect("an event").data["conversation"], open.0);
    let mut reader = Reader::open(&ada, Some(seen)).await;
    assert_eq!(reader.next().await.expect("an event").data["conversation"], hidden.0);
    house.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_leaves_others_alone() {
    let house = House::new().await;
    let (one, other) = (house.sign_in("ada").await, house.sign_in("ada").await);
    let (mut ending, mut staying) = (Reader::open(&one, None).await, Reader::open(&other, None).await);
    one.delete("/session").await.is(204);
    assert!(ending.next().await.is_none());
    house.arrives("plain", "kari", "x").await;
    assert!(staying.next().await.is_some());
    house.close().await;
}

#[tokio::test]
async fn every_stream_ends_when_the_host_stops() {
    let house = House::new().await;
    let mut reader = Reader::open(&house.sign_in("ada").await, None).await;
    house.shutdown.cancel();
    assert!(reader.next().await.is_none());
    house.close().await;
}

#[tokio::test]
async fn one_caller_opens_a_limited_number_of_streams() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Reader::open(&ada, None).await);
    }
    ada.get("/events").await.problem(429, "rate_limited");
    open.pop();
    Reader::open(&ada, None).await;
    house.close().await;
}
