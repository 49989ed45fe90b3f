//! Several hosts on one PostgreSQL: all take in, one routes, and another takes over when it dies.

use crate::support::{SOON, owner};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use switchboard_channel_testkit::Stopwatch;
use switchboard_tests::{Host, Mail, Session, Site, eventually};
use tokio::task::JoinSet;

/// How long a dead router may go unnoticed (DESIGN 4).
const TAKE_OVER: Duration = Duration::from_secs(10);

/// Sends mails to one host until told to stop or the host is gone; counts those that were taken.
async fn pour(to: SocketAddr, name: String, taken: Arc<AtomicU64>, enough: Arc<AtomicBool>) {
    let Ok(mut session) = Session::open(to).await else { return };
    for nth in 0.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let mail =
            Mail::new(&format!("{name}{}@customer.test", nth % 7), "support@example.test", &format!("{name} {nth}"), "Hello")
                .with("Message-ID", &format!("<{name}-{nth}@customer.test>"));
        match session.send(&mail.from, &mail.to, &mail.to_wire()).await {
            Ok(reply) => {
                assert_eq!(reply.code, 250, "{reply:?}");
                taken.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => return,
        }
    }
}

async fn routed(site: &Site) -> i64 {
    site.database.number("SELECT COUNT(*) AS n FROM item WHERE owner_id IS NOT NULL")
}

/// Whichever of two hosts has become the router, then the other one.
async fn router_first(one: Host, other: Host) -> (Host, Host) {
    eventually("one of them routes", SOON, async || {
        if one.has_routed() || other.has_routed() { Ok(()) } else { Err("neither".to_owned()) }
    })
    .await;
    assert!(one.has_routed() != other.has_routed(), "both think that they route");
    if one.has_routed() { (one, other) } else { (other, one) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_router_dies_another_host_takes_over_and_nothing_is_assigned_twice() {
    let site = Site::postgres().await;
    let (one, other) = (site.start().await, site.start().await);
    let (router, standby) = router_first(one, other).await;
    let (taken, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut senders = JoinSet::new();
    for (place, host) in [("router", &router), ("standby", &standby)] {
        for nth in 0..2 {
            let (to, name) = (host.mailbox("support"), format!("{place}{nth}-"));
            senders.spawn(pour(to, name, Arc::clone(&taken), Arc::clone(&enough)));
        }
    }
    eventually("mail through both hosts is routed", SOON, async || {
        let through = "SELECT COUNT(*) AS n FROM item WHERE owner_id IS NOT NULL AND subject LIKE";
        let counts = ["router%", "standby%"].map(|name| site.database.number(&format!("{through} '{name}'")));
        if counts.iter().all(|count| *count >= 20) { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    assert!(!standby.has_routed());
    let client = standby.sign_in("liv@example.test").await;
    let start = client.get("/api/v1/me").await.ok()["last_event"].as_i64().unwrap_or_default();
    router.kill().await;
    let killed = Stopwatch::start();
    standby.routes().await;
    killed.assert_within(TAKE_OVER, "taking over");
    let before = routed(&site).await;
    eventually("work is routed again", SOON, async || {
        let now = routed(&site).await;
        if now > before { Ok(()) } else { Err(format!("{now}")) }
    })
    .await;
    enough.store(true, Ordering::Relaxed);
    while let Some(ended) = senders.join_next().await {
        ended.expect("no sender fails");
    }
    eventually("everything is decided", SOON * 3, async || {
        let waiting = site.database.number("SELECT COUNT(*) AS n FROM routing_input WHERE consumed_no IS NULL");
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} inputs wait")) }
    })
    .await;
    let stored = site.database.number("SELECT COUNT(*) AS n FROM message");
    let acknowledged = i64::try_from(taken.load(Ordering::Relaxed)).expect("a small number");
    assert!(stored >= acknowledged && stored <= acknowledged + 2, "{acknowledged} acknowledged, {stored} stored");
    let unowned = site.database.number("SELECT COUNT(*) AS n FROM item WHERE owner_id IS NULL");
    assert_eq!(unowned, 0, "everything has an owner");
    let twice = "SELECT item_id FROM history WHERE change LIKE '%\"owner\"%' GROUP BY item_id HAVING COUNT(*) > 1";
    assert_eq!(site.database.rows(twice), [], "one assignment for each item");
    let repeated = "SELECT item_id FROM decision WHERE refused IS NULL GROUP BY item_id HAVING COUNT(*) > 1";
    assert_eq!(site.database.rows(repeated), [], "one decision for each item");
    let counters =
        "SELECT user_id, open_total FROM person WHERE open_total <> (SELECT COUNT(*) FROM item WHERE owner_id = user_id)";
    assert_eq!(site.database.rows(counters), [], "counters equal the items");
    // A desk at the host that is left was told of every assignment, in order and once.
    let mut events = client.events(start).await;
    let wanted = site.database.number("SELECT MAX(id) AS n FROM event WHERE kind = 'item'");
    let mut seen = BTreeSet::new();
    loop {
        let event = events.next().await;
        let position = event["id"].as_i64().unwrap_or_default();
        assert!(seen.insert(position), "told twice: {event}");
        if position >= wanted {
            break;
        }
    }
    let told = i64::try_from(seen.len()).expect("a small number");
    assert_eq!(
        told,
        site.database.number(&format!(
            "SELECT COUNT(*) AS n FROM event WHERE id > {start} AND id <= {}",
            seen.last().copied().unwrap_or_default()
        ))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_stops_hands_over_at_once_and_changes_through_any_host_count() {
    let site = Site::postgres().await;
    let (one, other) = (site.start().await, site.start().await);
    let (router, standby) = router_first(one, other).await;
    let (here, there) = (router.sign_in("liv@example.test").await, standby.sign_in("pia@example.test").await);
    let pia = there.user();
    // Pia goes away at the host that does not route; the router hears of it.
    there.put(&format!("/api/v1/users/{pia}/availability"), &serde_json::json!({ "value": "away" })).await.ok();
    for nth in 0..4 {
        let mail = Mail::new("c@customer.test", "support@example.test", &format!("Shared {nth}"), "x");
        let host = if nth % 2 == 0 { &router } else { &standby };
        assert_eq!(switchboard_tests::deliver(host.mailbox("support"), &mail).await.code, 250);
    }
    let rows = eventually("all are owned", SOON, async || {
        let rows = there.rows("items?view=open").await;
        if rows.len() == 4 && rows.iter().all(|row| owner(row).is_some()) { Ok(rows) } else { Err(format!("{rows:?}")) }
    })
    .await;
    let owners: BTreeSet<i64> = rows.iter().filter_map(owner).collect();
    assert_eq!(owners, BTreeSet::from([here.user(), here.user_id("jan@example.test").await]));
    let stopped = Stopwatch::start();
    let ended = router.stop().await;
    assert!(ended.status.success(), "{ended:?}");
    standby.routes().await;
    stopped.assert_within(Duration::from_secs(5), "handing over");
    let mail = Mail::new("c@customer.test", "support@example.test", "After the change of watch", "x");
    assert_eq!(switchboard_tests::deliver(standby.mailbox("support"), &mail).await.code, 250);
    let row: Value = crate::support::decided(&there, "After the change of watch").await;
    assert!(owner(&row).is_some());
    assert_eq!(there.get("/readyz").await.status, 200);
}
