//! What reaches the log: which route, how it went, under which id; never what somebody wrote or looked for.

use crate::house::House;
use serde_json::json;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::Error::other("poisoned"))?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn neither_text_nor_query_nor_secret_reaches_the_log() {
    let kept = Kept::default();
    let logs = tracing_subscriber::fmt()
        .with_env_filter("trace,sqlx=off,sea_orm=off")
        .with_ansi(false)
        .with_writer(kept.clone())
        .finish();
    let _guard = logs.set_default();
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let item = house.arrives("plain", "kari", "hemmelig-text").await.conversation;
    let answer = ada.get("/search?q=hemmelig-query").await.is(200);
    ada.post(&format!("/items/{item}/messages"), json!({"kind": "note", "text": "hemmelig-note"})).await.is(201);
    ada.post(&format!("/items/{item}/messages"), json!({"kind": "hemmelig-kind"})).await.is(422);
    let written = String::from_utf8(kept.0.lock().expect("no test panicked here").clone()).expect("text");
    let id = answer.headers["x-request-id"].to_str().expect("text");
    let line = written.lines().find(|line| line.contains(id)).expect("a line of the request");
    assert!(line.contains("/api/v1/search") && line.contains("status=200"), "{line}");
    let cookie = ada.cookie.clone().expect("a cookie").replace("sb_session=", "");
    for secret in ["hemmelig", crate::house::PASSWORD, &cookie, "@customer.test"] {
        let leak = written.lines().find(|line| line.contains(secret));
        assert!(leak.is_none(), "{secret}: {leak:?}");
    }
    house.close().await;
}
