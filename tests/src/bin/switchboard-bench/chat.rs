//! Chat through one real host: what a connected visitor costs, and how fast visitors and desk hear each other.

use crate::desk::Serials;
use crate::machine::{percentile, resident_mib};
use crate::mail::{Gauges, stop};
use crate::plan::Plan;
use crate::report::{Row, Target, number};
use crate::visitor::{CHAT, Crowd, Heard};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use switchboard_tests::{Client, Host, Site};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Resident growth that a connected visitor may cause.
const KIB_EACH: f64 = 30.0;
const VISITORS: usize = 10_000;
/// Longer than the pause after which the host asks a silent visitor for a sign of life.
const REST: Duration = Duration::from_secs(40);
const CHATS: usize = 1_000;
/// Time between two messages of one direction at the steady rate.
const EVERY: Duration = Duration::from_millis(10);
/// What the stream of the desk is held to at the same rate.
const P50_MS: f64 = 12.0;
const P99_MS: f64 = 50.0;
/// Programs that reply at once at full speed.
const AGENTS: usize = 16;
const MIB: f64 = 1_024.0;

/// Ten thousand visitors who look at the site with the chat on it, and then all write.
///
/// # Errors
/// When one is not let in or lost.
pub async fn visitors(plan: &Plan) -> Result<Vec<Row>> {
    let count = if plan.quick { VISITORS / 10 } else { VISITORS };
    let (mut connected, mut rested, mut written, mut speed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for repetition in 0..plan.repetitions.min(3) {
        eprintln!("  visitors {} of 3", repetition + 1);
        let (site, host) = start(plan, "visitors").await?;
        // The first visitor makes what all share.
        let first = Crowd::connect(address(&host)?, 1).await?;
        let before = resident_mib(host.pid())?.0;
        let growth = |host: &Host| anyhow::Ok((resident_mib(host.pid())?.0 - before) * MIB / count as f64);
        let started = Instant::now();
        let mut crowd = Crowd::connect(address(&host)?, count).await?;
        speed.push(count as f64 / started.elapsed().as_secs_f64());
        connected.push(growth(&host)?);
        if repetition == 0 && !plan.quick {
            tokio::time::sleep(REST).await;
            rested.push(growth(&host)?);
        }
        let text = host.stranger().get("/metrics").await.text;
        let held = format!("switchboard_chat_connections{{channel=\"{CHAT}\"}} {}", count + 1);
        ensure!(text.lines().any(|line| line == held), "not every visitor is connected");
        crowd.begin(&Serials::new()).await?;
        routed(&host, count as u64).await?;
        written.push(growth(&host)?);
        crowd.leave().await;
        first.leave().await;
        stop(vec![host]).await?;
        drop(site);
    }
    let who = format!("{} connected visitors", number(count as f64));
    let mut rows = vec![
        Row::new(format!("{who}: resident growth of the host, each"), "KiB", connected, Target::AtMost(KIB_EACH)),
        Row::new(format!("{who}: welcomed"), "visitors/s", speed, Target::None),
        Row::new(format!("{who}, each with an open conversation: growth, each"), "KiB", written, Target::None)
            .noting("with everything that the host keeps of as many open, assigned conversations"),
    ];
    if !rested.is_empty() {
        rows.push(Row::new(format!("{who}, after 40 s: growth, each"), "KiB", rested, Target::AtMost(KIB_EACH)));
    }
    Ok(rows)
}

/// A thousand chats, talking both ways at a steady rate and at full speed.
///
/// # Errors
/// When a message is refused or does not arrive.
pub async fn talk(plan: &Plan) -> Result<Vec<Row>> {
    let (mut steady, mut full) = (Samples::default(), Samples::default());
    for repetition in 0..plan.repetitions.min(3) {
        eprintln!("  talk {} of 3", repetition + 1);
        let (site, host) = start(plan, "talk").await?;
        let answer = site.command(&["token create", "bench", "--scope", "write"]).await;
        let token = answer.stdout.lines().next().context("no token was made")?.to_owned();
        let desk = host.stranger().with_token(&token);
        let mut crowd = Crowd::connect(address(&host)?, CHATS).await?;
        let conversations = crowd.begin(&Serials::new()).await?;
        routed(&host, CHATS as u64).await?;
        let mut talk = Talk { crowd, desk, conversations: conversations.into(), sent: Arc::default(), serials: Serials::new() };
        talk.steadily(plan.warm_up).await?;
        steady.add(talk.steadily(plan.duration).await?);
        full.add(talk.at_full_speed(plan.duration).await?);
        talk.crowd.leave().await;
        stop(vec![host]).await?;
        drop(site);
    }
    let chats = format!("{} chats", number(CHATS as f64));
    let mut rows = steady.latencies(&format!("{chats}, 100/s each way"), true);
    rows.extend(full.rates(&format!("{chats} at full speed")));
    rows.extend(full.latencies(&format!("{chats} at full speed"), false));
    Ok(rows)
}

/// Chats under way.
struct Talk {
    crowd: Crowd,
    desk: Client,
    conversations: Arc<[i64]>,
    /// Replies that were sent and not heard yet, by their text.
    sent: Arc<Mutex<HashMap<String, Instant>>>,
    serials: Serials,
}

/// What one run of talk gave: milliseconds of each message, and how long it all took.
#[derive(Default)]
struct Heights {
    accepted_ms: Vec<f64>,
    replies_ms: Vec<f64>,
    seconds: f64,
}

impl Talk {
    /// A message of a visitor and a reply of the desk every 10 ms, sent on time whatever the answers.
    async fn steadily(&mut self, duration: Duration) -> Result<Heights> {
        let (mut heights, mut replying) = (Heights::default(), JoinSet::new());
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (started, mut count) = (Instant::now(), 0);
        loop {
            let is_over = started.elapsed() >= duration;
            if is_over && heights.accepted_ms.len() == count && heights.replies_ms.len() == count {
                break;
            }
            tokio::select! {
                _ = ticks.tick(), if !is_over => {
                    self.crowd.write(count % CHATS, self.serials.next());
                    replying.spawn(self.replier((count + CHATS / 2) % CHATS));
                    count += 1;
                }
                Some(done) = replying.join_next() => done.context("a program panicked")??,
                heard = self.crowd.hear() => { self.note(heard?, &mut heights)?; }
            }
        }
        heights.seconds = started.elapsed().as_secs_f64();
        Ok(heights)
    }

    /// Every visitor writes again as soon as its message is stored, and some programs reply one after another.
    async fn at_full_speed(&mut self, duration: Duration) -> Result<Heights> {
        let (mut heights, mut replying) = (Heights::default(), JoinSet::new());
        let started = Instant::now();
        for place in 0..CHATS {
            self.crowd.write(place, self.serials.next());
        }
        let (mut written, mut replied) = (CHATS, 0);
        for agent in 0..AGENTS {
            replying.spawn(self.replier(agent * CHATS / AGENTS));
            replied += 1;
        }
        while heights.accepted_ms.len() < written || heights.replies_ms.len() < replied || !replying.is_empty() {
            let goes_on = started.elapsed() < duration;
            tokio::select! {
                Some(done) = replying.join_next() => {
                    done.context("a program panicked")??;
                    if goes_on {
                        replying.spawn(self.replier((replied * 7) % CHATS));
                        replied += 1;
                    }
                }
                heard = self.crowd.hear() => {
                    if let Some(visitor) = self.note(heard?, &mut heights)? && goes_on {
                        self.crowd.write(visitor, self.serials.next());
                        written += 1;
                    }
                }
            }
        }
        heights.seconds = started.elapsed().as_secs_f64();
        Ok(heights)
    }

    /// One reply to a visitor, sent through the API; heard of at the visitor's socket.
    fn replier(&self, place: usize) -> impl Future<Output = Result<()>> + Send + 'static {
        let (desk, sent, text) = (self.desk.clone(), Arc::clone(&self.sent), self.serials.next());
        let path = format!("/api/v1/items/{}/messages", self.conversations[place]);
        async move {
            sent.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone(), Instant::now());
            let answer = desk.post(&path, &json!({ "kind": "reply", "text": text })).await;
            ensure!((200..300).contains(&answer.status), "a reply was answered with {}: {}", answer.status, answer.text);
            Ok(())
        }
    }

    /// Keeps what it says about time; the visitor, when its message was accepted.
    fn note(&self, heard: Heard, heights: &mut Heights) -> Result<Option<usize>> {
        match heard {
            Heard::Accepted { visitor, after_ms, .. } => {
                heights.accepted_ms.push(after_ms);
                Ok(Some(visitor))
            }
            Heard::Reply { text, at } => {
                let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).remove(&text);
                let sent = sent.with_context(|| format!("`{text}` came twice, or nobody wrote it"))?;
                heights.replies_ms.push(at.duration_since(sent).as_secs_f64() * 1e3);
                Ok(None)
            }
            Heard::Failed(why) => anyhow::bail!("{why}"),
        }
    }
}

/// One value per repetition.
#[derive(Default)]
struct Samples {
    accepted: [Vec<f64>; 2],
    replies: [Vec<f64>; 2],
    both_per_s: Vec<f64>,
    in_per_s: Vec<f64>,
    out_per_s: Vec<f64>,
}

impl Samples {
    fn add(&mut self, mut heights: Heights) {
        let (came, went) = (heights.accepted_ms.len() as f64, heights.replies_ms.len() as f64);
        for (place, share) in [0.5, 0.99].into_iter().enumerate() {
            self.accepted[place].push(percentile(&mut heights.accepted_ms, share));
            self.replies[place].push(percentile(&mut heights.replies_ms, share));
        }
        self.both_per_s.push((came + went) / heights.seconds);
        self.in_per_s.push(came / heights.seconds);
        self.out_per_s.push(went / heights.seconds);
    }

    fn latencies(&self, what: &str, is_held: bool) -> Vec<Row> {
        let row = |way: &str, share: &str, samples: &Vec<f64>, most: f64| {
            let target = if is_held { Target::AtMost(most) } else { Target::None };
            Row::new(format!("{what}: {way}, {share}"), "ms", samples.clone(), target)
        };
        let (inward, outward) = ("visitor's message to accepted", "reply by API to the visitor's socket");
        vec![
            row(inward, "p50", &self.accepted[0], P50_MS),
            row(inward, "p99", &self.accepted[1], P99_MS),
            row(outward, "p50", &self.replies[0], P50_MS),
            row(outward, "p99", &self.replies[1], P99_MS),
        ]
    }

    fn rates(&self, what: &str) -> Vec<Row> {
        let note = format!("a message of each visitor and {AGENTS} replies under way at any time; durable, synchronous=FULL");
        vec![
            Row::new(format!("{what}: both ways"), "messages/s", self.both_per_s.clone(), Target::None).noting(note),
            Row::new(format!("{what}: from visitors"), "messages/s", self.in_per_s.clone(), Target::None),
            Row::new(format!("{what}: from the desk"), "messages/s", self.out_per_s.clone(), Target::None),
        ]
    }
}

/// An installation on SQLite with a chat that lets everybody in, and its host.
async fn start(plan: &Plan, name: &str) -> Result<(Site, Host)> {
    let mut site = Site::sqlite_at(plan.sqlite(name)?).await;
    site.set("metrics.on", true);
    site.set("server.max_connections", 100_000);
    site.set(&format!("channels.{CHAT}.kind"), "chat");
    site.set(&format!("channels.{CHAT}.key"), "bench");
    for limit in [
        "messages_per_minute",
        "message_burst",
        "address_messages_per_minute",
        "address_message_burst",
        "frames_per_minute",
        "connections",
        "connections_per_address",
        "connects_per_minute",
    ] {
        site.set(&format!("channels.{CHAT}.limits.{limit}"), 1_000_000);
    }
    for name in ["Liv Moe", "Pia Berg", "Jan Smit"] {
        let person = format!("name = \"{name}\"");
        site.edit_directory(&person, &format!("{person}\ncapacity = {{ total = 100000, chat = 100000 }}"));
    }
    let contact = "[[channels]]\nslug = \"contact\"";
    let chat = format!(
        "[[channels]]\nslug = \"{CHAT}\"\nname = \"Chat\"\nkind = \"chat\"\nworkspace = \"support\"\n[channels.rule]\n\
         [[channels.rule.cases]]\ntarget = {{ users_and_teams = [\"team:support\"] }}\ndistribution = \"load_balanced\"\n\n"
    );
    site.edit_directory(contact, &format!("{chat}{contact}"));
    let host = site.start().await;
    host.routes().await;
    Ok((site, host))
}

fn address(host: &Host) -> Result<SocketAddr> {
    host.url().trim_start_matches("http://").parse().context("the host's address")
}

/// Waits until so many conversations are there and routed.
async fn routed(host: &Host, count: u64) -> Result<()> {
    let metrics = host.stranger();
    let mut looks = interval(EVERY);
    loop {
        looks.tick().await;
        let numbers = Gauges::read(&metrics).await?;
        if numbers.unrouted == 0 && numbers.open >= count {
            return Ok(());
        }
    }
}
