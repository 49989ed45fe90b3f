//! Emptying a full mailbox: a real Dovecot on one side, a durable database on the other.

use crate::desk::{Serials, message};
use crate::driver::Driver;
use crate::floor::{self, Template, Way};
use crate::mail::{Gauges, stop};
use crate::plan::Plan;
use crate::report::{Row, Target, number};
use anyhow::{Result, ensure};
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_channel_testkit::Dovecot;
use switchboard_tests::Site;
use tokio::time::interval;

const MAILS: u64 = 10_000;
/// What mail is held to that comes by itself.
const SHARE_OF_FLOOR: f64 = 0.4;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const USER: &str = "support";

/// One mailbox, one host on SQLite with `synchronous=FULL`, beside plain SQL that writes the same rows.
///
/// # Errors
/// When a mail is lost, doubled or left without an owner.
pub async fn sqlite(plan: &Plan) -> Result<Vec<Row>> {
    let count = if plan.quick { MAILS / 10 } else { MAILS };
    let (mut drained, mut written, mut flagged) = (Vec::new(), Vec::new(), Vec::new());
    for repetition in 0..plan.repetitions.min(3) {
        eprintln!("  drain {} of 3", repetition + 1);
        let url = format!("sqlite:{}", plan.sqlite("floor")?.display());
        let (template, serials) = (Arc::new(Template::sample(&url).await?), Serials::new());
        let numbers = Arc::new(floor::Numbers::default());
        floor::rate(&url, &template, Way::Rows, (plan.clients, plan.warm_up), &serials, &numbers).await?;
        written.push(floor::rate(&url, &template, Way::Rows, (plan.clients, plan.duration), &serials, &numbers).await?);
        let (seconds, all_seconds) = drain(plan, count).await?;
        drained.push(count as f64 / seconds);
        flagged.push(count as f64 / all_seconds);
    }
    let name = format!("{} mails drained from Dovecot over TLS, SQLite synchronous=FULL", number(count as f64));
    let note = "from the start of the host to an owner for each, Dovecot on the same cores; nothing lost, nothing twice";
    Ok(vec![
        Row::new(name.clone(), "mails/s", drained, Target::OfFloor(SHARE_OF_FLOOR)).beside(written).noting(note),
        Row::new(format!("{name}, until all are flagged"), "mails/s", flagged, Target::None),
    ])
}

/// Seconds until every mail has an owner, and until every mail is flagged on the server.
async fn drain(plan: &Plan, count: u64) -> Result<(f64, f64)> {
    let server = Dovecot::start("http://127.0.0.1:9/").await;
    let serials = Serials::new();
    server.fill(USER, (0..count).map(|_| mail(&serials.next())));
    let mut site = Site::sqlite_at(plan.sqlite("drain")?).await;
    site.set("metrics.on", true);
    let key = |name: &str| format!("channels.{USER}.imap.{name}");
    site.set(&key("host"), "localhost");
    site.set(&key("port"), i64::from(server.tls_port));
    site.set(&key("ca_file"), server.authority_file().display().to_string());
    site.set(&key("username"), USER);
    site.set(&key("password"), "right");
    let started = Instant::now();
    let host = site.start().await;
    let (metrics, mut looks) = (host.stranger(), interval(LOOK_EVERY));
    let mut seconds = None;
    loop {
        looks.tick().await;
        let numbers = Gauges::read(&metrics).await?;
        if seconds.is_none() && numbers.open >= count && numbers.unrouted == 0 {
            ensure!(numbers.open == count && numbers.unassigned == 0, "{numbers:?} after {count} mails");
            seconds = Some(started.elapsed().as_secs_f64());
        }
        if let Some(seconds) = seconds
            && server.count(USER, Some(true)) as u64 == count
        {
            let all_seconds = started.elapsed().as_secs_f64();
            stop(vec![host]).await?;
            check(&site, count).await?;
            return Ok((seconds, all_seconds));
        }
    }
}

/// Each mail is one message.
async fn check(site: &Site, count: u64) -> Result<()> {
    let mut driver = Driver::open(&site.database.url()).await?;
    let all = driver.number("SELECT COUNT(*) AS n FROM message WHERE kind = 'inbound'").await?;
    let different = driver.number("SELECT COUNT(DISTINCT text) AS n FROM message WHERE kind = 'inbound'").await?;
    driver.close().await;
    ensure!((all, different) == (count as i64, count as i64), "{count} mails gave {all} messages, {different} of them different");
    Ok(())
}

/// A mail from somebody who has not written before, as it lies in the folder.
fn mail(serial: &str) -> Vec<u8> {
    let raw = message(serial).raw.expect("mail has its source");
    let text = String::from_utf8(raw.bytes.to_vec()).expect("it is plain text");
    text.replacen("\r\n", "\r\nDate: Mon, 23 Nov 2026 09:00:00 +0100\r\n", 1).into_bytes()
}
