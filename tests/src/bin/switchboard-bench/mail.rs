//! Mail from connections to work items with an owner, through the real program.

use crate::desk::Serials;
use crate::plan::Plan;
use crate::report::{Row, Target};
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use switchboard_tests::{Client, Host, Mail, Session, Site};
use tokio::task::JoinSet;

/// Mails per second that one host is to take in and route.
const MAILS_PER_SECOND: f64 = 2_000.0;
/// What three hosts on one PostgreSQL are to reach of what one does.
const SHARE_OF_ONE_HOST: f64 = 0.7;
const LOOK_EVERY: Duration = Duration::from_millis(5);
const MAILBOX: &str = "support@example.test";

/// One host on SQLite: connections that are kept, and one connection per mail.
///
/// # Errors
/// When a mail is refused or stays without an owner.
pub async fn sqlite(plan: &Plan) -> Result<Vec<Row>> {
    let (mut kept, mut single) = (Vec::new(), Vec::new());
    for repetition in 0..plan.repetitions {
        eprintln!("  mail {} of {}", repetition + 1, plan.repetitions);
        for (samples, manner) in [(&mut kept, Manner::Kept), (&mut single, Manner::OnePerMail)] {
            let mut site = Site::sqlite_at(plan.sqlite("mail")?).await;
            samples.push(rate(plan, &mut site, 1, manner).await?);
        }
    }
    let clients = plan.clients;
    let target = Target::AtLeast(MAILS_PER_SECOND);
    Ok(vec![
        Row::new(format!("email to routed work item, {clients} connections, SQLite"), "mails/s", kept, target),
        Row::new(format!("the same, a connection per mail, {clients} at once"), "mails/s", single, target),
    ])
}

/// Three hosts on one PostgreSQL beside one, each a process of its own that takes mail in.
///
/// # Errors
/// When a mail is refused or stays without an owner.
pub async fn three_hosts(plan: &Plan) -> Result<Vec<Row>> {
    let (mut one, mut three) = (Vec::new(), Vec::new());
    for repetition in 0..plan.repetitions {
        eprintln!("  hosts {} of {}", repetition + 1, plan.repetitions);
        for (samples, hosts) in [(&mut one, 1), (&mut three, 3)] {
            let mut site = Site::postgres().await;
            samples.push(rate(plan, &mut site, hosts, Manner::Kept).await?);
        }
    }
    let name = format!("email to routed work item, {} connections, PostgreSQL fsync=on", plan.clients);
    let note = "processes of their own on this machine, mail spread over all of them; the floor is one host";
    Ok(vec![
        Row::new(format!("{name}, 1 host"), "mails/s", one.clone(), Target::None),
        Row::new(format!("{name}, 3 hosts"), "mails/s", three, Target::OfFloor(SHARE_OF_ONE_HOST)).beside(one).noting(note),
    ])
}

/// How connections are used.
#[derive(Clone, Copy)]
enum Manner {
    Kept,
    OnePerMail,
}

async fn rate(plan: &Plan, site: &mut Site, hosts: usize, manner: Manner) -> Result<f64> {
    site.set("metrics.on", true);
    let mut running = Vec::new();
    for _ in 0..hosts {
        running.push(site.start().await);
    }
    let addresses: Vec<SocketAddr> = running.iter().map(|host| host.mailbox("support")).collect();
    let metrics = running[0].stranger();
    let serials = Serials::new();
    let warm = send(plan.clients, plan.warm_up, &addresses, manner, &serials).await?;
    routed(&metrics).await?;
    let started = Instant::now();
    let sent = send(plan.clients, plan.duration, &addresses, manner, &serials).await?;
    routed(&metrics).await?;
    let rate = sent as f64 / started.elapsed().as_secs_f64();
    let numbers = Gauges::read(&metrics).await?;
    ensure!(numbers.unassigned == 0 && numbers.open == warm + sent, "{numbers:?} after {} mails", warm + sent);
    stop(running).await?;
    Ok(rate)
}

/// Sends mails until the time is over; answers how many were taken.
async fn send(clients: usize, duration: Duration, to: &[SocketAddr], manner: Manner, serials: &Serials) -> Result<u64> {
    let started = Instant::now();
    let mut senders = JoinSet::new();
    for number in 0..clients {
        let (address, serials) = (to[number % to.len()], serials.clone());
        senders.spawn(async move {
            let (mut sent, mut session) = (0_u64, None);
            while started.elapsed() < duration {
                let mut open = match session.take() {
                    Some(open) => open,
                    None => Session::open(address).await.context("a connection is not taken")?,
                };
                let (from, wire) = mail(&serials.next());
                let reply = open.send(&from, MAILBOX, &wire).await.context("a connection broke")?;
                ensure!(reply.code == 250, "a mail was refused: {} {}", reply.code, reply.text);
                sent += 1;
                match manner {
                    Manner::Kept => session = Some(open),
                    Manner::OnePerMail => drop(open.command("QUIT").await.context("a connection broke")?),
                }
            }
            Ok(sent)
        });
    }
    let mut sent = 0;
    while let Some(done) = senders.join_next().await {
        sent += done.context("a sender panicked")??;
    }
    Ok(sent)
}

/// A mail from somebody who has not written before, as it goes over the wire.
fn mail(serial: &str) -> (String, Vec<u8>) {
    let message = crate::desk::message(serial);
    let from = message.sender.identity.value;
    let subject = message.subject.unwrap_or_default();
    let mail = Mail::new(&from, MAILBOX, &subject, &message.text.replace('\n', "\r\n"));
    let mail = mail.with("Message-ID", &format!("<{serial}@customer.test>")).with("Date", "Mon, 23 Nov 2026 09:00:00 +0100");
    (from, mail.to_wire())
}

/// Waits until everything that was taken in has an owner.
async fn routed(metrics: &Client) -> Result<()> {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let numbers = Gauges::read(metrics).await?;
        if numbers.unrouted == 0 && numbers.unassigned == 0 {
            return Ok(());
        }
    }
}

/// Numbers of the metrics page.
#[derive(Debug)]
pub struct Gauges {
    /// Open work items.
    pub open: u64,
    /// Open work items without an owner.
    pub unassigned: u64,
    /// Inputs not yet routed.
    pub unrouted: u64,
}

impl Gauges {
    /// As they are now.
    ///
    /// # Errors
    /// When the page lacks one.
    pub async fn read(metrics: &Client) -> Result<Self> {
        let answer = metrics.get("/metrics").await;
        let of = |name: &str| {
            let line = answer.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.parse().ok()).with_context(|| format!("/metrics has no {name}"))
        };
        Ok(Self {
            open: of("switchboard_items_open")?,
            unassigned: of("switchboard_items_unassigned")?,
            unrouted: of("switchboard_inputs_unrouted")?,
        })
    }
}

/// Stops hosts and makes sure that they ended well.
///
/// # Errors
/// When one did not.
pub async fn stop(hosts: Vec<Host>) -> Result<()> {
    for host in hosts {
        let ended = host.stop().await;
        ensure!(ended.status.success(), "a host ended with {}: {}", ended.status, ended.stderr);
    }
    Ok(())
}
