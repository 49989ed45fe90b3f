//! From a form that is sent to the news of its owner on an open stream, at a rate that does not wait for answers.

use crate::desk::Serials;
use crate::machine::percentile;
use crate::mail::stop;
use crate::plan::Plan;
use crate::report::{Row, Target};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use switchboard_tests::{Client, Site};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

const EVERY: Duration = Duration::from_millis(10);
const P50_MS: f64 = 12.0;
const P99_MS: f64 = 50.0;
/// Longer than any news takes that is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One host on SQLite with one listener on the stream.
///
/// # Errors
/// When a form is refused, or news of an owner does not come.
pub async fn sqlite(plan: &Plan) -> Result<Vec<Row>> {
    let (mut middles, mut tails, mut worst, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for repetition in 0..plan.repetitions {
        eprintln!("  stream {} of {}", repetition + 1, plan.repetitions);
        let site = Site::sqlite_at(plan.sqlite("stream")?).await;
        let host = site.start().await;
        let answer = site.command(&["token create", "bench", "--scope", "read"]).await;
        let token = answer.stdout.lines().next().context("no token was made")?.to_owned();
        let client = host.stranger();
        let news = listen(&client.with_token(&token)).await?;
        let (mut latencies, news) = forms(&client, plan.warm_up, news).await?;
        latencies.clear();
        let (mut latencies, _) = forms(&client, plan.duration, news).await.map(|(found, news)| {
            latencies.extend(found);
            (latencies, news)
        })?;
        count = latencies.len();
        middles.push(percentile(&mut latencies, 0.5));
        tails.push(percentile(&mut latencies, 0.99));
        worst.push(percentile(&mut latencies, 1.0));
        stop(vec![host]).await?;
    }
    let note = format!("{count} forms per repetition, sent on time whatever the answers");
    Ok(vec![
        Row::new("form to owner on the stream, 100/s, p50", "ms", middles, Target::AtMost(P50_MS)).noting(note),
        Row::new("form to owner on the stream, 100/s, p99", "ms", tails, Target::AtMost(P99_MS)),
        Row::new("form to owner on the stream, 100/s, slowest", "ms", worst, Target::None),
    ])
}

/// When the owner of a conversation's ticket was first heard of.
type News = mpsc::UnboundedReceiver<(i64, Instant)>;

/// Posts a form every 10 ms and answers with the milliseconds from each being sent to its owner being known.
async fn forms(client: &Client, duration: Duration, mut news: News) -> Result<(Vec<f64>, News)> {
    let (mut sending, serials) = (JoinSet::new(), Serials::new());
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    while started.elapsed() < duration {
        ticks.tick().await;
        let (client, serial) = (client.clone(), serials.next());
        sending.spawn(async move {
            let body =
                json!({ "email": format!("{serial}@customer.test"), "topic": "order", "message": format!("Where is {serial}?") });
            let sent = Instant::now();
            let answer = client.post("/channels/contact/submit", &body).await;
            ensure!(answer.status == 202, "a form was answered with {}: {}", answer.status, answer.text);
            let receipt: Value = serde_json::from_str(&answer.text).context("a receipt is JSON")?;
            Ok((receipt["conversation"].as_i64().context("a receipt names its conversation")?, sent))
        });
    }
    let mut sent = HashMap::new();
    while let Some(done) = sending.join_next().await {
        let (conversation, at) = done.context("a sender panicked")??;
        sent.insert(conversation, at);
    }
    let mut latencies = Vec::with_capacity(sent.len());
    while !sent.is_empty() {
        let heard = timeout(PATIENCE, news.recv()).await;
        let heard = heard.ok().flatten().with_context(|| format!("{} owners were not heard of", sent.len()))?;
        if let Some(at) = sent.remove(&heard.0) {
            latencies.push(heard.1.duration_since(at).as_secs_f64() * 1e3);
        }
    }
    Ok((latencies, news))
}

/// Opens the stream and passes on each item that is in its second version, which is the one with an owner: version 1
/// is as it arrived.
async fn listen(client: &Client) -> Result<News> {
    let request = client.request(reqwest::Method::GET, "/api/v1/events").timeout(Duration::from_secs(3_600));
    let mut response = request.send().await.context("the stream does not open")?;
    ensure!(response.status().is_success(), "the stream was answered with {}", response.status());
    let (sender, news) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut pending = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            let now = Instant::now();
            pending.extend_from_slice(&chunk);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                let Some(event) = line.strip_prefix(b"data: ").and_then(|data| serde_json::from_slice::<Value>(data).ok()) else {
                    continue;
                };
                let owned = event["kind"] == "item" && event["version"].as_i64().is_some_and(|version| version >= 2);
                if let (true, Some(conversation)) = (owned, event["conversation"].as_i64()) {
                    // Once nobody measures any more, nobody needs to know.
                    let _ = sender.send((conversation, now));
                }
            }
        }
    });
    Ok(news)
}
