//! The stream of live events as a program reads it.

use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(45);

/// An open stream of server-sent events.
pub struct Events {
    response: reqwest::Response,
    rest: String,
    read: VecDeque<Value>,
}

impl Events {
    pub(crate) const fn of(response: reqwest::Response) -> Self {
        Self { response, rest: String::new(), read: VecDeque::new() }
    }

    /// The next event's data; comments and pings are passed over.
    ///
    /// # Panics
    /// When none comes in time or the stream ends.
    pub async fn next(&mut self) -> Value {
        loop {
            if let Some(event) = self.read.pop_front() {
                return event;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event comes");
            let chunk = chunk.expect("the stream holds").expect("the stream goes on");
            self.rest += &String::from_utf8_lossy(&chunk);
            while let Some((event, tail)) = self.rest.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data:"));
                self.read.extend(data.map(|data| serde_json::from_str(data).expect("events are JSON")));
                self.rest = tail.to_owned();
            }
        }
    }
}
