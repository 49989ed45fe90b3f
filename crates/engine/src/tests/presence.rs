//! Presence: who is set away because no desk has seen them, and how they come back (ROUTING 4.4).

use super::{DIRECTORY, Desk, HOUR_MS, MINUTE_MS, MONDAY, PATIENCE, eventually};
use crate::{ApplyOptions, Caller, EngineErrorKind, NewStatus, StatusEntry};
use switchboard_model::{Actor, LiveEventKind, StatusOrigin, StatusValue, Timestamp};

/// A desk whose support team is set away after five minutes.
async fn watched() -> Desk {
    let desk = Desk::open().await;
    let text = DIRECTORY.replacen("slug = \"support\"", "slug = \"support\"\npresence = { away_after_min = 5 }", 1);
    desk.engine.apply(&Caller::system(), &text, ApplyOptions::default()).await.unwrap();
    eventually("this host routes", async || desk.engine.is_router().await.unwrap()).await;
    desk
}

async fn available(desk: &Desk, name: &str) -> bool {
    desk.engine.person(desk.user(name)).await.unwrap().available
}

/// Looks for who is gone, as a host that has watched since the beginning.
async fn watch(desk: &Desk) {
    desk.engine.watch(Some(Timestamp(MONDAY))).await.unwrap();
}

async fn connected(desk: &Desk, name: &str, wanted: bool) {
    let user = desk.user(name);
    eventually("the desk is noted", async || {
        let presences = desk.engine.inner.store.presences(Timestamp(0)).await.unwrap();
        presences.get(&user).is_some_and(|presence| presence.is_connected) == wanted
    })
    .await;
}

async fn statuses(desk: &Desk, name: &str) -> Vec<StatusEntry> {
    desk.engine.statuses(&desk.as_user(name), desk.user(name), None, 50).await.unwrap().rows
}

#[tokio::test]
async fn r4_4_whoever_no_desk_has_seen_is_set_away_told_and_gets_no_work_until_a_desk_connects() {
    let desk = watched().await;
    let mut events = desk.follow().await;
    let open = desk.engine.open_desk(desk.user("bo"));
    connected(&desk, "bo", true).await;
    desk.advance(5 * MINUTE_MS);
    eventually("the task sets Cy away", async || {
        // The task reads the clock to note Bo's desk, and once more to look for who is gone; meanwhile it must not go far.
        let presences = desk.engine.inner.store.presences(Timestamp(0)).await.unwrap();
        if desk.engine.now().ms_since(presences[&desk.user("bo")].last_seen_at) < MINUTE_MS {
            desk.advance(15_000);
        }
        desk.engine.inner.desks.bell.notify_one();
        !available(&desk, "cy").await
    })
    .await;
    assert!(available(&desk, "bo").await, "whose desk is open");
    let person = desk.engine.person(desk.user("cy")).await.unwrap();
    let status = person.load.status.unwrap();
    assert_eq!(
        (status.value, status.origin, person.changed_by),
        (StatusValue::Away, StatusOrigin::Presence, Some(Actor::System))
    );
    let notice = async {
        loop {
            let event = events.recv().await.unwrap();
            if event.kind == LiveEventKind::Notice {
                break event.user;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, notice).await.unwrap(), Some(desk.user("cy")));
    desk.routed().await;
    for _ in 0..2 {
        let item = desk.mail("support", "kim@customer.test").await;
        assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    }
    let _cy = desk.engine.open_desk(desk.user("cy"));
    eventually("Cy is there again", async || available(&desk, "cy").await).await;
    desk.routed().await;
    let item = desk.mail("support", "kim@customer.test").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"), "as Bo is full");
    let history = statuses(&desk, "cy").await;
    let told: Vec<_> = history.iter().map(|entry| (entry.status.value, entry.status.origin, entry.actor.clone())).collect();
    assert_eq!(
        told,
        [
            (StatusValue::Available, StatusOrigin::Initial, Actor::System),
            (StatusValue::Away, StatusOrigin::Presence, Actor::System)
        ]
    );
    drop(open);
    connected(&desk, "bo", false).await;
    assert!(available(&desk, "bo").await, "not at once");
}

#[tokio::test]
async fn r4_4_minutes_count_from_the_last_desk_and_from_the_last_change_of_the_status() {
    let desk = watched().await;
    let open = desk.engine.open_desk(desk.user("bo"));
    connected(&desk, "bo", true).await;
    desk.clock.0.fetch_add(2 * MINUTE_MS, std::sync::atomic::Ordering::SeqCst);
    drop(open);
    connected(&desk, "bo", false).await;
    let back = NewStatus { value: StatusValue::Available, reason: None };
    desk.clock.0.fetch_add(MINUTE_MS, std::sync::atomic::Ordering::SeqCst);
    desk.engine.set_availability(&desk.as_user("cy"), desk.user("cy"), back).await.unwrap();
    let mut found = Vec::new();
    for _ in 3..9 {
        watch(&desk).await;
        found.push((available(&desk, "bo").await, available(&desk, "cy").await));
        desk.clock.0.fetch_add(MINUTE_MS, std::sync::atomic::Ordering::SeqCst);
    }
    let (both, cy, none) = ((true, true), (false, true), (false, false));
    assert_eq!(found, [both, both, both, both, cy, none], "after minutes 3 to 8");
    assert!(available(&desk, "di").await, "whose main team watches nobody");
}

#[tokio::test]
async fn r4_4_a_host_that_is_not_heard_of_has_no_desks() {
    let desk = watched().await;
    let (bo, store) = (desk.user("bo"), desk.engine.inner.store.clone());
    let beat = async |ms: i64| {
        let at = Timestamp(MONDAY + ms);
        let noted = store.write(move |tx| Box::pin(async move { tx.note_presence("elsewhere", &[(bo, true)], at).await }));
        noted.await.unwrap();
    };
    beat(0).await;
    desk.clock.0.store(MONDAY + 6 * MINUTE_MS, std::sync::atomic::Ordering::SeqCst);
    beat(5 * MINUTE_MS + 30_000).await;
    watch(&desk).await;
    assert_eq!((available(&desk, "bo").await, available(&desk, "cy").await), (true, false));
    desk.clock.0.store(MONDAY + 10 * MINUTE_MS + 29_999, std::sync::atomic::Ordering::SeqCst);
    watch(&desk).await;
    assert!(available(&desk, "bo").await, "silent for a millisecond less than five minutes");
    desk.clock.0.store(MONDAY + 10 * MINUTE_MS + 30_000, std::sync::atomic::Ordering::SeqCst);
    watch(&desk).await;
    assert!(!available(&desk, "bo").await);
    beat(10 * MINUTE_MS + 30_000).await;
    watch(&desk).await;
    assert!(available(&desk, "bo").await, "the host that routes hears of a desk elsewhere");
}

#[tokio::test]
async fn r4_4_two_hosts_set_somebody_away_once_and_a_status_set_by_hand_stays() {
    let desk = watched().await;
    let lunch = NewStatus { value: StatusValue::Away, reason: Some("lunch".to_owned()) };
    desk.engine.set_availability(&desk.as_user("bo"), desk.user("bo"), lunch).await.unwrap();
    desk.clock.0.fetch_add(HOUR_MS, std::sync::atomic::Ordering::SeqCst);
    let since = Some(Timestamp(MONDAY));
    let (one, other) = tokio::join!(desk.engine.watch(since), desk.engine.watch(since));
    one.unwrap();
    other.unwrap();
    assert_eq!(statuses(&desk, "cy").await.len(), 1);
    assert_eq!(statuses(&desk, "bo").await.len(), 1, "who was away already");
    let _bo = desk.engine.open_desk(desk.user("bo"));
    connected(&desk, "bo", true).await;
    assert!(!available(&desk, "bo").await, "coming back ends no status that was set by hand");
    let _cy = desk.engine.open_desk(desk.user("cy"));
    eventually("Cy is there again", async || available(&desk, "cy").await).await;
}

#[tokio::test]
async fn r4_4_nobody_is_set_away_where_no_team_asks_for_it() {
    let desk = Desk::open().await;
    eventually("this host routes", async || desk.engine.is_router().await.unwrap()).await;
    desk.clock.0.fetch_add(24 * HOUR_MS, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(desk.engine.watch(Some(Timestamp(MONDAY))).await.unwrap(), None);
    for name in ["bo", "cy", "di"] {
        assert!(available(&desk, name).await);
    }
}

#[tokio::test]
async fn r4_3_every_change_of_status_is_kept_with_time_and_actor_and_read_by_oneself_and_leads() {
    let desk = Desk::open().await;
    let bo = desk.user("bo");
    for (name, value) in [("bo", StatusValue::Finishing), ("ann", StatusValue::Away), ("bo", StatusValue::Available)] {
        desk.clock.0.fetch_add(MINUTE_MS, std::sync::atomic::Ordering::SeqCst);
        desk.engine.set_availability(&desk.as_user(name), bo, NewStatus { value, reason: None }).await.unwrap();
    }
    let read = async |name: &str, cursor: Option<&str>| desk.engine.statuses(&desk.as_user(name), bo, cursor, 2).await;
    let page = read("bo", None).await.unwrap();
    let kept = |entry: &StatusEntry| (entry.at.ms_since(Timestamp(MONDAY)) / MINUTE_MS, entry.actor.clone(), entry.status.value);
    let found: Vec<_> = page.rows.iter().map(kept).collect();
    let (own, lead) = (desk.as_user("bo").actor, desk.as_user("ann").actor);
    assert_eq!(found, [(3, own.clone(), StatusValue::Available), (2, lead, StatusValue::Away)]);
    assert_eq!(page.total, 3);
    let rest = read("ann", page.next.as_deref()).await.unwrap();
    assert_eq!((rest.rows.iter().map(kept).collect::<Vec<_>>(), rest.next), (vec![(1, own, StatusValue::Finishing)], None));
    assert_eq!(read("cy", None).await.unwrap_err().kind, EngineErrorKind::NotFound);
}
