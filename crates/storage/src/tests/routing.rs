//! The router's log, its state rebuilt, leases and checkpoints.

use crate::row::{execute, values};
use crate::tests::fixtures::{CHANNEL, NOON, assign, conversation, id, people, ticket, user, write};
use crate::tests::{TestDb, on_both};
use crate::{Consumed, Consumption, Cursor, ItemUpdate, Lease, NewDecision, NewInput, Store, StoreErrorKind};
use futures::FutureExt;
use std::collections::BTreeMap;
use switchboard_model::{
    Actor, AssignedMark, BEHAVIOUR_VERSION, ChannelKind, Decision, DecisionId, Input, ItemId, ItemStatus, LoadGroup,
    ManualStatus, Outcome, OwnedItem, RefusalReason, RouteEvent, RouterState, StatusChange, StatusOrigin, StatusValue,
    TicketType, Timestamp, TurnState, UnassignedReason, UserId,
};

fn status(user: i64, value: StatusValue) -> Input {
    let status = ManualStatus { value, reason: Some("lunsj".into()), set_at: NOON, origin: StatusOrigin::ByHand };
    Input::Status(StatusChange { user: UserId(user), status, version: 1 })
}

/// The status that a new person begins with.
fn initial(user: i64) -> StatusChange {
    let status = ManualStatus { value: StatusValue::Available, reason: None, set_at: NOON, origin: StatusOrigin::Initial };
    StatusChange { user: UserId(user), status, version: 0 }
}

fn new_input(input: Input, consumed: Option<u64>) -> NewInput {
    let consumed = consumed.map(|no| Consumed { no, at: NOON, directory_version: 1 });
    NewInput { at: NOON, item: None, input, consumed }
}

async fn append(store: &Store, inputs: Vec<NewInput>) -> Vec<i64> {
    write(store, move |tx| async move { tx.insert_inputs(&inputs).await }.boxed()).await.unwrap()
}

async fn consume(store: &Store, seq: i64, no: u64) -> Result<(), StoreErrorKind> {
    let consumed = Consumed { no, at: NOON.plus_ms(1), directory_version: 3 };
    write(store, move |tx| async move { tx.consume(&[Consumption { seq, consumed }]).await }.boxed())
        .await
        .map_err(|error| error.kind)
}

async fn acquire(store: &Store, holder: &'static str, given: Timestamp) -> Option<Lease> {
    write(store, move |tx| async move { tx.acquire_lease("router", holder, given, 5_000).await }.boxed()).await.unwrap()
}

async fn advance(store: &Store, epoch: i64, from_no: u64, no: u64) -> Result<(), StoreErrorKind> {
    let step = write(store, move |tx| async move { tx.advance_cursor(epoch, from_no, no, Timestamp(5), 2).await }.boxed());
    step.await.map_err(|error| error.kind)
}

fn decision(item: ItemId, outcome: Outcome) -> Decision {
    Decision {
        place: 0,
        queued_since: None,
        item,
        no: 1,
        item_version: 1,
        event: RouteEvent::Arrived,
        group: LoadGroup::InboxMail,
        rule: None,
        outcome,
        distribution: None,
        load: Some(2),
        tied: 1,
        draw: None,
        candidates: 3,
        eligible: 1,
        fallback: false,
        availability_version: Some(4),
        capacity_guarded: true,
        mark_before: None,
        turn_before: None,
        turn: None,
        behaviour: BEHAVIOUR_VERSION,
    }
}

on_both! {
    async fn inputs_come_out_in_order_until_they_are_consumed(db) {
        let inputs = vec![
            new_input(status(1, StatusValue::Away), None),
            new_input(Input::Tick, Some(1)),
            new_input(status(2, StatusValue::Available), None),
            new_input(Input::Directory { version: 7, directory: None }, None),
        ];
        let numbers = append(&db.store, inputs.clone()).await;
        let next = db.store.next_inputs(10).await.unwrap();
        assert_eq!(next.iter().map(|input| input.seq).collect::<Vec<_>>(), [numbers[0], numbers[2], numbers[3]]);
        assert_eq!(next.iter().map(|input| input.input.clone()).collect::<Vec<_>>(), [&inputs[0], &inputs[2], &inputs[3]].map(|new| new.input.clone()));
        assert_eq!(db.store.statistics().await.unwrap().unconsumed, 3);
        consume(&db.store, numbers[2], 2).await.unwrap();
        assert_eq!(db.store.next_inputs(10).await.unwrap().len(), 2);
        let log = db.store.inputs_between(0, 2).await.unwrap();
        assert_eq!(log.iter().map(|input| input.consumed.unwrap().no).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(log[1].consumed, Some(Consumed { no: 2, at: NOON.plus_ms(1), directory_version: 3 }));
        assert_eq!(db.store.inputs_between(1, 2).await.unwrap().len(), 1);
    }

    async fn an_input_is_consumed_once_and_a_number_given_once(db) {
        let numbers = append(&db.store, vec![new_input(Input::Tick, None), new_input(Input::Tick, None)]).await;
        consume(&db.store, numbers[0], 1).await.unwrap();
        assert_eq!(consume(&db.store, numbers[0], 2).await, Err(StoreErrorKind::Conflict));
        assert_eq!(consume(&db.store, numbers[1], 1).await, Err(StoreErrorKind::Conflict));
        consume(&db.store, numbers[1], 2).await.unwrap();
    }

    async fn a_parked_input_is_visible_and_not_given_out_again(db) {
        let numbers = append(&db.store, vec![new_input(Input::Tick, None), new_input(Input::Tick, None)]).await;
        let seq = numbers[0];
        write(&db.store, move |tx| async move { tx.park_input(seq, "the router failed on it").await }.boxed()).await.unwrap();
        assert_eq!(db.store.next_inputs(10).await.unwrap()[0].seq, numbers[1]);
        assert_eq!(db.store.parked_inputs(10).await.unwrap()[0].parked.as_deref(), Some("the router failed on it"));
        assert_eq!(consume(&db.store, seq, 1).await, Err(StoreErrorKind::Conflict));
        let statistics = db.store.statistics().await.unwrap();
        assert_eq!((statistics.unconsumed, statistics.parked), (1, 1));
    }

    async fn r13_1_many_decisions_and_inputs_are_stored_at_once(db) {
        let item = ItemId::from(conversation(&db.store, ChannelKind::Email).await);
        let ids = db.store.next_ids(8_000).await.unwrap();
        let decision = decision(item, Outcome::Unassigned { reason: UnassignedReason::NobodyEligible });
        let new: Vec<_> = ids.iter().zip(1..).map(|(id, no)| NewDecision {
            id: DecisionId(*id),
            input_seq: 1,
            no,
            at: NOON,
            directory_version: 1,
            decision: decision.clone(),
            duration_us: 17,
            refused: None,
        }).collect();
        let inputs = vec![new_input(Input::Tick, None); 10_000];
        write(&db.store, move |tx| async move {
            tx.insert_decisions(&new).await?;
            tx.append_inputs(&inputs).await
        }.boxed()).await.unwrap();
        let kept = db.store.decisions_between(0, 9_000).await.unwrap();
        assert_eq!(kept.iter().map(|view| view.id.0).collect::<Vec<_>>(), ids);
        assert_eq!(db.store.next_inputs(20_000).await.unwrap().len(), 10_000);
    }

    async fn r13_1_decisions_are_kept_with_their_refusals(db) {
        let item = ItemId::from(conversation(&db.store, ChannelKind::Email).await);
        let ids = db.store.next_ids(2).await.unwrap();
        let outcomes = [Outcome::Unassigned { reason: UnassignedReason::NobodyEligible }, Outcome::Assigned { user: UserId(1), team: None }];
        let new: Vec<_> = ids.iter().zip(outcomes).zip(1..).map(|((id, outcome), no)| NewDecision {
            id: DecisionId(*id),
            input_seq: 1,
            no,
            at: NOON,
            directory_version: 1,
            decision: decision(item, outcome),
            duration_us: 17,
            refused: None,
        }).collect();
        let stored = new.clone();
        write(&db.store, move |tx| async move { tx.insert_decisions(&stored).await }.boxed()).await.unwrap();
        let refused = DecisionId(ids[1]);
        write(&db.store, move |tx| async move { tx.refuse_decision(refused, RefusalReason::AtCapacity).await }.boxed()).await.unwrap();
        let kept = db.store.decisions_of(item).await.unwrap();
        assert_eq!(kept.iter().map(|view| view.decision.clone()).collect::<Vec<_>>(), [new[0].decision.clone(), new[1].decision.clone()]);
        assert_eq!((kept[0].refused, kept[1].refused), (None, Some(RefusalReason::AtCapacity)));
        assert_eq!(db.store.decision(refused).await.unwrap().as_ref(), Some(&kept[1]));
        assert_eq!(db.store.decisions_between(1, 2).await.unwrap(), kept[1..]);
    }

    async fn the_tables_hold_what_the_router_remembers_and_a_checkpoint_comes_back(db) {
        people(&db.store, (1..=3).map(|id| user(id, None, &[])).collect()).await;
        let plain = conversation(&db.store, ChannelKind::Chat).await;
        let closed = conversation(&db.store, ChannelKind::Email).await;
        let (behind, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        let waiting: ItemId = conversation(&db.store, ChannelKind::Chat).await.into();
        let away = ManualStatus { value: StatusValue::Away, reason: None, set_at: NOON, origin: StatusOrigin::ByHand };
        let marks = vec![
            AssignedMark { user: UserId(1), group: LoadGroup::TicketEmailOther, no: 3 },
            AssignedMark { user: UserId(1), group: LoadGroup::InboxChat, no: 4 },
            AssignedMark { user: UserId(2), group: LoadGroup::InboxMail, no: 2 },
        ];
        let served = BTreeMap::from([(UserId(1), 2), (UserId(3), 1)]);
        let turns = vec![TurnState { channel: CHANNEL, case: 0, cycle: 2, served }, TurnState { channel: CHANNEL, case: 1, cycle: 1, served: BTreeMap::new() }];
        let live = RouterState {
            no: 4,
            now: NOON,
            directory_version: 2,
            owned: vec![
                OwnedItem { item: plain.into(), conversation: Some(plain), user: UserId(1), group: LoadGroup::InboxChat, owned_since: NOON, created_at: Some(NOON), waiting_on_contact: true },
                OwnedItem { item: ticket.into(), conversation: Some(behind), user: UserId(1), group: LoadGroup::TicketEmailOther, owned_since: NOON, created_at: Some(NOON), waiting_on_contact: true },
            ],
            statuses: vec![initial(1), StatusChange { user: UserId(2), status: away.clone(), version: 1 }, initial(3)],
            marks: { let mut sorted = marks.clone(); sorted.sort(); sorted },
            turns: turns.clone(),
            ..RouterState::default()
        };
        write(&db.store, move |tx| async move {
            tx.advance_cursor(0, 0, 4, NOON, 2).await?;
            tx.change_item(&assign(plain, 1)).await?.unwrap();
            tx.change_item(&assign(ticket, 1)).await?.unwrap();
            // The conversation of a help desk is no work item, so the router does not hold it.
            tx.change_item(&assign(behind, 1)).await?.unwrap();
            tx.change_item(&ItemUpdate { status: Some(ItemStatus::Closed), ..assign(closed, 2) }).await?.unwrap();
            tx.change_item(&ItemUpdate { queued_since: Some(Some(NOON)), ..ItemUpdate::new(waiting, Actor::System, NOON) }).await?.unwrap();
            tx.set_status(UserId(2), &away, Some(0), NOON, &Actor::System).await
        }.boxed()).await.unwrap();
        let tables = db.store.table_state().await.unwrap();
        assert_eq!((tables.owned, tables.statuses), (live.owned.clone(), live.statuses.clone()));
        assert_eq!(tables.queued, [(waiting, NOON)]);
        assert_eq!(tables.cursor, Cursor { no: 4, now: NOON, directory_version: 2, epoch: 0 });
        // A checkpoint of it comes back as it was.
        let saved = live.clone();
        write(&db.store, move |tx| async move { tx.save_checkpoint(NOON, BEHAVIOUR_VERSION, &saved).await }.boxed()).await.unwrap();
        assert_eq!(db.store.checkpoint_before(3).await.unwrap(), None);
        let checkpoint = db.store.checkpoint_before(9).await.unwrap().unwrap();
        assert_eq!((checkpoint.state, checkpoint.behaviour), (live, BEHAVIOUR_VERSION));
    }

    async fn a_router_of_an_old_epoch_is_shut_out(db) {
        let first = acquire(&db.store, "a", NOON).await.unwrap();
        advance(&db.store, first.epoch, 0, 5).await.unwrap();
        assert_eq!(acquire(&db.store, "b", NOON).await, None);
        let released = first.clone();
        write(&db.store, move |tx| async move { tx.release_lease(&released).await }.boxed()).await.unwrap();
        let second = acquire(&db.store, "b", NOON).await.unwrap();
        assert_eq!(second.epoch, first.epoch + 1);
        assert_eq!(advance(&db.store, first.epoch, 5, 6).await, Err(StoreErrorKind::Superseded));
        assert_eq!(advance(&db.store, second.epoch, 4, 6).await, Err(StoreErrorKind::Superseded));
        advance(&db.store, second.epoch, 5, 6).await.unwrap();
        let late = first.clone();
        assert_eq!(write(&db.store, move |tx| async move { tx.renew_lease(&late, NOON, 5_000).await }.boxed()).await.unwrap(), None);
        let held = db.store.lease("router").await.unwrap().unwrap();
        assert_eq!((held.holder.as_str(), held.epoch), ("b", second.epoch));
    }

    async fn an_expired_lease_can_be_renewed_until_another_takes_it(db) {
        let first = acquire(&db.store, "a", NOON).await.unwrap();
        write(&db.store, |tx| async move { execute(tx, "UPDATE lease SET expires_at = 1", values![]).await }.boxed()).await.unwrap();
        let renewed = write(&db.store, move |tx| async move { tx.renew_lease(&first, NOON, 5_000).await }.boxed()).await.unwrap().unwrap();
        assert!(renewed.expires_at > Timestamp(1));
        write(&db.store, |tx| async move { execute(tx, "UPDATE lease SET expires_at = 1", values![]).await }.boxed()).await.unwrap();
        assert!(acquire(&db.store, "b", NOON).await.unwrap().epoch > renewed.epoch);
    }

    async fn a_lease_from_before_the_clock_was_set_back_keeps_nobody_out(db) {
        let first = acquire(&db.store, "a", NOON).await.unwrap();
        write(&db.store, |tx| {
            async move { execute(tx, "UPDATE lease SET expires_at = expires_at + 3600000", values![]).await }.boxed()
        })
        .await
        .unwrap();
        assert_eq!(acquire(&db.store, "b", NOON).await.unwrap().epoch, first.epoch + 1);
    }

    async fn of_hosts_that_want_the_lease_at_once_one_gets_it(db) {
        let holders = ["a", "b", "c", "d", "e"];
        let wanted = holders.map(|holder| acquire(&db.store, holder, NOON));
        let got = futures::future::join_all(wanted).await;
        assert_eq!(got.iter().flatten().count(), 1);
    }

    async fn directory_versions_follow_one_another_and_stay(db) {
        let first = people(&db.store, vec![user(1, Some(2), &[])]).await;
        let second = people(&db.store, vec![user(1, Some(3), &[]), user(2, None, &[])]).await;
        assert_eq!(*db.store.latest_directory().await.unwrap(), second);
        assert_eq!(*db.store.directory(1).await.unwrap(), first);
        assert_eq!(db.store.directory(0).await.unwrap().version, 0);
        assert_eq!(db.store.directory(9).await.unwrap_err().kind, StoreErrorKind::NotFound);
        let versions = db.store.directory_versions(10).await.unwrap();
        assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
        let late = write(&db.store, move |tx| async move { tx.insert_directory(&second, 1, NOON, &Actor::System, "late").await }.boxed()).await;
        assert_eq!(late.unwrap_err().kind, StoreErrorKind::Conflict);
    }

    async fn of_directories_made_at_once_one_is_kept(db) {
        let made = (0..6).map(|id| {
            let directory = switchboard_model::Directory { version: 1, users: vec![user(id + 1, None, &[])], ..Default::default() };
            write(&db.store, move |tx| async move { tx.insert_directory(&directory, 0, NOON, &Actor::System, "").await }.boxed())
        });
        let done = futures::future::join_all(made).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
        assert!(done.iter().filter_map(|done| done.as_ref().err()).all(|error| error.kind == StoreErrorKind::Conflict));
        assert_eq!(db.store.people().await.unwrap().len(), 1);
    }

    async fn r4_3_changes_of_status_are_kept_with_time_and_actor(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        assert_eq!(db.store.person(UserId(1)).await.unwrap().unwrap().status, Some(initial(1).status));
        let set = |value, expected, at| {
            let status = ManualStatus { value, reason: None, set_at: at, origin: StatusOrigin::ByHand };
            let actor = Actor::User { id: UserId(9) };
            write(&db.store, move |tx| async move { tx.set_status(UserId(1), &status, expected, at, &actor).await }.boxed())
        };
        assert_eq!(set(StatusValue::Away, Some(0), NOON).await.unwrap().version, 1);
        assert_eq!(set(StatusValue::Available, Some(0), NOON).await.unwrap_err().kind, StoreErrorKind::Conflict);
        assert_eq!(set(StatusValue::Finishing, None, NOON.plus_ms(5)).await.unwrap().version, 2);
        let history = db.store.status_history(UserId(1), 10).await.unwrap();
        assert_eq!(history.iter().map(|record| (record.at, record.change.version)).collect::<Vec<_>>(), [(NOON.plus_ms(5), 2), (NOON, 1)]);
        assert_eq!(history[0].actor, Actor::User { id: UserId(9) });
        let unknown = ManualStatus { value: StatusValue::Away, reason: None, set_at: NOON, origin: StatusOrigin::ByHand };
        let missing = write(&db.store, move |tx| async move { tx.set_status(UserId(77), &unknown, None, NOON, &Actor::System).await }.boxed()).await;
        assert_eq!(missing.unwrap_err().kind, StoreErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_router_that_freezes_in_a_transaction_holds_the_cursor_no_longer_than_its_limit() {
    // Two stores stand for two hosts; the first never ends its transaction.
    let db = TestDb::postgres().await;
    let frozen = db.store.begin().await.unwrap();
    frozen.advance_cursor(0, 0, 1, NOON, 0).await.unwrap();
    let other = crate::tests::open(&db.url).await;
    let lease = write(&other, |tx| async move { tx.acquire_lease("router", "b", NOON, 5_000).await }.boxed()).await;
    assert!(lease.unwrap().is_some());
    assert!(frozen.commit().await.is_err());
    assert_eq!(other.cursor().await.unwrap().no, 0);
    assert!(id(&other).await > 0);
    other.close().await;
    db.finish().await;
}
